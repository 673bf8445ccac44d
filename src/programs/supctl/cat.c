/* SPDX-License-Identifier: MIT
 *
 * cat: the files that make up a unit, as the loader finds them, each under its path. Not here: what they mean.
 * Invariant: what is printed is what the loader would read now, byte for byte.
 */
#include "programs/supctl/unit-files.h"

#include "unit/blob.h"
#include "unit/load.h"

/* The directories of WHERE as a search path; with DIR, when there is one, before them. */
int paths_of_where(const struct install_where *w, const char *dir, struct unit_paths *ret)
{
        cleanup_buf_ struct buf list = {0};
        int r = dir ? buf_append_str(&list, dir) : 0;

        for (unsigned i = 0; i < w->n_dirs && r >= 0; i++)
                r = buf_printf(&list, "%s%s", list.size > 0 ? ":" : "", w->dirs[i].path);
        return r < 0 ? r : unit_paths_init(ret, buf_str(&list), false, false);
}

static int cat_records(const struct buf *blob, bool *again)
{
        struct blob_reader in;
        struct blob_record rec;
        unsigned n = 0;
        int r = blob_open(&in, blob->data, blob->size);

        while (r >= 0 && (r = blob_next(&in, &rec)) > 0) {
                if (rec.key != BLOB_FRAGMENT && rec.key != BLOB_DROPIN && rec.key != BLOB_BUILT_IN)
                        continue;
                (void)printf("%s# %s%.*s\n", *again ? "\n" : "", rec.key == BLOB_BUILT_IN ? "built in: " : "",
                             (int)rec.a_size, rec.a);
                (void)fwrite(rec.b, 1, rec.b_size, stdout);
                if (rec.b_size > 0 && rec.b[rec.b_size - 1] != '\n')
                        (void)fputc('\n', stdout);
                *again = true;
                n++;
        }
        return r < 0 ? r : n > 0;
}

/* By a fragment with nothing in it: a link to /dev/null, or an empty file. */
static bool is_masked(const struct buf *blob)
{
        struct blob_reader in;
        struct blob_record rec;
        bool masked = false;

        if (blob_open(&in, blob->data, blob->size) < 0)
                return false;
        while (blob_next(&in, &rec) > 0)
                masked = masked || (rec.key == BLOB_FRAGMENT && rec.b_size == 0);
        return masked;
}

static int cat_one(const struct unit_paths *paths, const char *name, bool *again)
{
        cleanup_buf_ struct buf blob = {0};
        int r = unit_gather(paths, name, &blob, NULL);

        if (r >= 0 && is_masked(&blob)) {
                (void)printf("%s# Unit %s is masked.\n", *again ? "\n" : "", name);
                *again = true;
                return EXIT_OK;
        }
        if (r >= 0)
                r = cat_records(&blob, again);
        if (r > 0)
                return EXIT_OK;
        if (r < 0)
                (void)fprintf(stderr, "supctl: %s cannot be read: %s\n", name, strerror(-r));
        else
                (void)fprintf(stderr, "No files found for %s.\n", name);
        return EXIT_ERROR;
}

int verb_cat(struct view *v, const char *const *words, unsigned n)
{
        cleanup_(where_leave) struct install_where w = {0};
        struct unit_paths paths = {0};
        bool again = false;
        int status = EXIT_OK;
        char dir[4096];

        if (v->options->root) {
                (void)fprintf(stderr, "Verb 'cat' cannot be used with --root=.\n");
                return EXIT_ERROR;
        }
        if (where_of_options(v->options, &w) < 0 || paths_of_where(&w, NULL, &paths) < 0)
                return EXIT_ERROR;
        view_runtime_dir(v->options, dir);
        if (!v->options->global && unit_paths_add_transient(&paths, dir) < 0) /* also what set-property made */
                return EXIT_ERROR;
        for (unsigned i = 0; i < n; i++) {
                char name[256];
                int r = unit_full_name(words[i], name) ? cat_one(&paths, name, &again) : EXIT_ERROR;

                status = status ? status : r;
        }
        unit_paths_done(&paths);
        return status;
}
