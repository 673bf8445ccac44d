/* SPDX-License-Identifier: MIT
 *
 * The verb list-unit-files: all unit files there are, with their states. Not here: units that are loaded (list.c).
 * Invariant: a file that cannot be read is listed, as "bad".
 */
#include "programs/supctl/unit-files.h"

#include <fnmatch.h>
#include <stdio.h>

struct file_row {
        const char *name, *state, *preset;
};

static int compare_rows(const void *a, const void *b)
{
        const struct file_row *x = a, *y = b;
        int r = strcasecmp(strrchr(x->name, '.'), strrchr(y->name, '.'));

        return r ? r : strcasecmp(x->name, y->name);
}

static bool listed(const struct options *o, const struct file_row *row, const char *const *words, unsigned n)
{
        bool state = o->n_states == 0, type = o->n_types == 0, name = n == 0;

        for (unsigned i = 0; i < o->n_states && !state; i++)
                state = streq(o->states[i], row->state);
        for (unsigned i = 0; i < o->n_types && !type; i++)
                type = streq(o->types[i], strrchr(row->name, '.') + 1);
        for (unsigned i = 0; i < n && !name; i++)
                name = fnmatch(words[i], row->name, FNM_NOESCAPE) == 0;
        return state && type && name;
}

static void print_rows(const struct options *o, const struct file_row *rows, unsigned n)
{
        int name = (int)strlen("UNIT FILE"), state = (int)strlen("STATE");

        if (o->no_legend || o->quiet)
                name = state = 0;
        for (unsigned i = 0; i < n; i++) {
                name = MAX2(name, (int)strlen(rows[i].name));
                state = MAX2(state, (int)strlen(rows[i].state));
        }
        if (!o->no_legend && !o->quiet)
                (void)printf("%-*s %-*s PRESET\n", name, "UNIT FILE", state, "STATE");
        for (unsigned i = 0; i < n; i++)
                (void)printf("%-*s %-*s %s\n", name, rows[i].name, state, rows[i].state, rows[i].preset);
        if (!o->no_legend && !o->quiet)
                (void)printf("\n%u unit files listed.\n", n);
}

static void print_rows_json(const struct options *o, const struct file_row *rows, unsigned n)
{
        struct json j = {.form = o->json};

        json_open(&j, NULL, '[');
        for (unsigned i = 0; i < n; i++) {
                json_open(&j, NULL, '{');
                json_string(&j, "unit_file", rows[i].name);
                json_string(&j, "state", rows[i].state);
                if (streq(rows[i].preset, "-"))
                        json_null(&j, "preset");
                else
                        json_string(&j, "preset", rows[i].preset);
                json_close(&j, '}');
        }
        json_close(&j, ']');
        json_print(&j);
}

int verb_list_unit_files(struct view *v, const char *const *words, unsigned n)
{
        cleanup_(where_leave) struct install_where w = {0};
        cleanup_(install_list_done) struct install_list l = {0};
        cleanup_free_ struct file_row *rows = NULL;
        struct install_presets *presets = NULL;
        const struct options *o = v->options;
        unsigned k = 0;
        int r;

        if (where_of_options(o, &w) < 0)
                return EXIT_ERROR;
        r = install_list_files(&w, &l);
        if (r >= 0)
                r = install_presets_read(&w, &presets);
        rows = r < 0 ? NULL : calloc(l.n + 1, sizeof(*rows));
        if (!rows) {
                install_presets_free(presets);
                (void)fprintf(stderr, "Failed to get unit file list: %s\n", strerror(r < 0 ? -r : ENOMEM));
                return EXIT_ERROR;
        }
        for (unsigned i = 0; i < l.n; i++) {
                rows[k] = (struct file_row){l.v[i].name, install_state_name(l.v[i].state), "-"};
                if (install_preset_counts(l.v[i].state))
                        rows[k].preset = install_preset_enables(presets, l.v[i].name) ? "enabled" : "disabled";
                k += listed(o, &rows[k], words, n);
        }
        install_presets_free(presets);
        qsort(rows, k, sizeof(*rows), compare_rows);
        if (o->json != JSON_OFF)
                print_rows_json(o, rows, k);
        else
                print_rows(o, rows, k);
        return k > 0 || o->json != JSON_OFF ? EXIT_OK : EXIT_ERROR;
}
