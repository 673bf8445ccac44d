/* SPDX-License-Identifier: MIT
 *
 * status of a unit that supd has not loaded, because nobody has asked for it yet: what its files say. Not here: units
 * that are in the table (status.c).
 *
 * Invariant: nobody is asked; the files are read as the loader would read them now.
 */
#include "programs/supctl/unit-files.h"

#include "unit/load.h"

static int unloaded_read(const struct options *o, const char *name, struct unit **ret)
{
        cleanup_(where_leave) struct install_where w = {0};
        cleanup_buf_ struct buf blob = {0};
        struct unit_context context = {.uid = getuid(), .gid = getgid()};
        struct unit_paths paths = {0};
        int r = where_of_options(o, &w);

        if (r >= 0)
                r = paths_of_where(&w, NULL, &paths);
        if (r < 0)
                return r;
        r = unit_gather(&paths, name, &blob, NULL);
        if (r >= 0)
                r = unit_parse(blob.data, blob.size, &context, ret, NULL);
        unit_paths_done(&paths);
        return r < 0 ? r : 0;
}

static void unloaded_json(struct json *j, const struct unit *u, const char *state)
{
        json_open(j, NULL, '{');
        json_string(j, "Id", u->id);
        json_string(j, "Description", u->description);
        json_string(j, "LoadState", unit_load_state_name(u->load_state));
        json_string(j, "ActiveState", "inactive");
        json_string(j, "SubState", "dead");
        json_string(j, "FragmentPath", u->fragment_path ? u->fragment_path : "");
        json_string(j, "UnitFileState", state);
        json_close(j, '}');
}

static void unloaded_print(const struct unit *u, const char *state, const char *preset)
{
        (void)printf("○ %s%s%s\n     Loaded: %s", u->id, *u->description ? " - " : "", u->description,
                     unit_load_state_name(u->load_state));
        if (u->fragment_path)
                (void)printf(" (%s%s%s%s%s)", u->fragment_path, *state ? "; " : "", state, *preset ? "; preset: " : "",
                             preset);
        (void)printf("\n     Active: inactive (dead)\n");
}

bool unloaded_status(struct view *v, const char *name, struct json *j, unsigned *n_printed)
{
        struct unit *u = NULL;
        const char *state = "", *preset = "";
        bool found;

        if (unloaded_read(v->options, name, &u) < 0)
                return false;
        found = u->load_state != LOAD_NOT_FOUND;
        if (found)
                unit_file_words(v->options, u->id, u->fragment_path ? u->fragment_path : "", &state, &preset);
        if (found && v->options->json)
                unloaded_json(j, u, state);
        else if (found && !v->options->quiet) {
                if ((*n_printed)++ > 0)
                        (void)putchar('\n');
                unloaded_print(u, state, preset);
        }
        unit_free(u);
        return found;
}

bool unit_has_file(const struct options *o, const char *name)
{
        struct unit *u = NULL;
        bool found = unloaded_read(o, name, &u) >= 0 && u->load_state != LOAD_NOT_FOUND;

        unit_free(u);
        return found;
}
