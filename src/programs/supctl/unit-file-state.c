/* SPDX-License-Identifier: MIT
 *
 * Is the file of this unit enabled? For status and show. Not here: is-enabled, which always looks itself.
 * Invariant: what was found out when units were read counts, as with systemd; the files are looked at only where that
 * is not known.
 */
#include "programs/supctl/unit-files.h"

/* What is found out once; it lasts as long as the program. */
static struct {
        struct install_where where;
        struct install_index *index;
        struct install_presets *presets;
        int found;
} files = {.found = -EAGAIN};

static bool read_files(const struct options *o)
{
        if (files.found != -EAGAIN)
                return files.found >= 0;
        files.found = where_of_options(o, &files.where);
        if (files.found < 0)
                return false;
        free(files.where.diag); /* nobody is told of mistakes in files here */
        files.where.diag = NULL;
        files.found = install_index_read(&files.where, &files.index);
        if (files.found >= 0)
                files.found = install_presets_read(&files.where, &files.presets);
        return files.found >= 0;
}

static bool recall(const struct options *o, const char *unit, struct install_known *ret)
{
        char dir[4096];

        if (o->root || o->global)
                return false;
        view_runtime_dir(o, dir);
        return install_recall(dir, unit, ret);
}

bool unit_file_known(const struct options *o, const char *unit, const char *path, struct install_known *ret)
{
        if (!*path || access(path, F_OK) < 0)
                return false;
        if (recall(o, unit, ret))
                return true;
        if (!read_files(o) || install_get_state(&files.where, files.index, unit, &ret->state) < 0)
                return false;
        ret->preset = install_preset_enables(files.presets, unit);
        return true;
}

const char *preset_word(const struct install_known *k)
{
        return k->preset ? "enabled" : "disabled";
}

void unit_file_words(const struct options *o, const char *unit, const char *path, const char **ret_state,
                     const char **ret_preset)
{
        struct install_known k;

        *ret_state = *ret_preset = "";
        if (!unit_file_known(o, unit, path, &k))
                return;
        *ret_state = install_state_name(k.state);
        if (install_preset_counts(k.state))
                *ret_preset = preset_word(&k);
}
