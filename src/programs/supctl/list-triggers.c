/* SPDX-License-Identifier: MIT
 *
 * list-timers, list-sockets, list-paths, list-automounts: units that start others. supd loads them and starts nothing
 * by them, so there is little to tell; scripts ask all the same, and get what systemctl prints where there are none.
 *
 * Not here: list-units. Invariant: what supd does not know is "-" (null in JSON), never a guess.
 */
#include <fnmatch.h>

#include "programs/supctl/supctl.h"

enum { KIND_COLUMNS = 6 };

static const struct kind {
        const char *verb;
        unsigned type;                   /* SUPD_TYPE_* */
        const char *what;                /* many of them */
        const char *heads[KIND_COLUMNS]; /* "UNIT" among them, and what is not known */
} kinds[] = {
        {"list-timers", SUPD_TYPE_TIMER, "timers", {"NEXT", "LEFT", "LAST", "PASSED", "UNIT", "ACTIVATES"}},
        {"list-sockets", SUPD_TYPE_SOCKET, "sockets", {"LISTEN", "UNIT", "ACTIVATES"}},
        {"list-paths", SUPD_TYPE_PATH, "paths", {"PATH", "CONDITION", "UNIT", "ACTIVATES"}},
        {"list-automounts", SUPD_TYPE_AUTOMOUNT, "automounts", {"WHAT", "WHERE", "MOUNTED", "IDLE TIMEOUT", "UNIT"}},
};

static bool is_wanted(struct view *v, const struct kind *k, uint32_t i, const char *const *words, unsigned n)
{
        const struct supd_status_row *row = supstatus_row(v->snapshot, i);
        const char *name = supstatus_text(v->snapshot, i, SUPD_TEXT_NAME);

        if (row->type != k->type || (row->active_state == SUPD_ACTIVE_INACTIVE && !v->options->all))
                return false;
        for (unsigned w = 0; w < n; w++)
                if (fnmatch(words[w], name, FNM_NOESCAPE) == 0)
                        return true;
        return n == 0;
}

static void print_json(struct view *v, const struct kind *k, const uint32_t *rows, uint32_t n)
{
        struct json j = {.form = v->options->json};
        char key[32];

        json_open(&j, NULL, '[');
        for (uint32_t i = 0; i < n; i++) {
                json_open(&j, NULL, '{');
                for (unsigned c = 0; c < KIND_COLUMNS && k->heads[c]; c++) {
                        size_t at = 0;

                        for (; k->heads[c][at] && at < sizeof(key) - 1; at++)
                                key[at] = k->heads[c][at] == ' ' ? '_' : (char)(k->heads[c][at] - 'A' + 'a');
                        key[at] = 0;
                        if (streq(k->heads[c], "UNIT"))
                                json_string(&j, key, supstatus_text(v->snapshot, rows[i], SUPD_TEXT_NAME));
                        else
                                json_null(&j, key);
                }
                json_close(&j, '}');
        }
        json_close(&j, ']');
        json_print(&j);
}

static void print_table(struct view *v, const struct kind *k, const uint32_t *rows, uint32_t n)
{
        struct columns c = {.tight = true};
        const char *cells[KIND_COLUMNS];
        bool legend = !v->options->no_legend && !v->options->quiet;

        while (c.n_columns < KIND_COLUMNS && k->heads[c.n_columns])
                c.n_columns++;
        if (legend)
                (void)columns_add(&c, "", k->heads);
        for (uint32_t i = 0; i < n; i++) {
                for (unsigned m = 0; m < c.n_columns; m++)
                        cells[m] =
                                streq(k->heads[m], "UNIT") ? supstatus_text(v->snapshot, rows[i], SUPD_TEXT_NAME) : "-";
                (void)columns_add(&c, "", cells);
        }
        columns_print(&c, 0, v->options->full ? 0 : v->width, legend && v->colour ? "\033[4m" : "", stdout);
        columns_done(&c);
        if (!legend)
                return;
        (void)printf("\n%u %s listed.\n", (unsigned)n, k->what);
        if (!v->options->all)
                (void)printf("Pass --all to see loaded but inactive %s, too.\n", k->what);
        if (!v->options->systemctl)
                (void)printf("supd starts nothing by %s.\n", k->what);
}

int verb_list_triggers(struct view *v, const char *const *words, unsigned n)
{
        const char *verb = v->options->line.words[0];
        const struct kind *k = &kinds[0];
        cleanup_free_ uint32_t *rows = NULL;
        uint32_t n_shown = 0;

        while (!streq(k->verb, verb))
                k++;
        if (view_all(v) < 0)
                return EXIT_ERROR;
        if (view_sorted(v, &rows) < 0) {
                fprintf(stderr, "supctl: out of memory\n");
                return EXIT_ERROR;
        }
        for (uint32_t i = 0; i < supstatus_count(v->snapshot); i++)
                if (is_wanted(v, k, rows[i], words, n))
                        rows[n_shown++] = rows[i];
        if (v->options->json)
                print_json(v, k, rows, n_shown);
        else
                print_table(v, k, rows, n_shown);
        (void)fflush(stdout);
        (void)view_warn(v, stderr);
        return EXIT_OK;
}
