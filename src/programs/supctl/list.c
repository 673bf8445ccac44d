/* SPDX-License-Identifier: MIT
 *
 * list-units: a line per unit, columns as wide as what is in them. Not here: sorting (view.c). Invariant: columns line
 * up whatever the names; on a terminal no line is longer than it is wide unless --full.
 */
#include <fnmatch.h>

#include "programs/supctl/supctl.h"

enum { COLUMN_UNIT, COLUMN_LOAD, COLUMN_ACTIVE, COLUMN_SUB, COLUMN_JOB, N_COLUMNS };

struct line {
        const char *cells[N_COLUMNS], *description;
        uint8_t active, load;
};

struct list {
        struct line *lines; /* owned */
        uint32_t n;
        unsigned width[N_COLUMNS];
        bool jobs;
};

static bool word_in(const char *word, const char *const *words, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                if (streq(words[i], word))
                        return true;
        return false;
}

static bool name_in(const char *name, const char *const *patterns, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                char full[256];

                if (unit_full_name(patterns[i], full) && fnmatch(full, name, FNM_NOESCAPE) == 0)
                        return true;
        }
        return n == 0;
}

static bool shown(const struct options *o, const struct line *l, const struct supd_status_row *row)
{
        if (o->n_types > 0 && !word_in(supstatus_type_name(row->type), o->types, o->n_types) &&
            !word_in(l->cells[COLUMN_LOAD], o->types, o->n_types))
                return false;
        if (o->failed)
                return row->active_state == SUPD_ACTIVE_FAILED;
        if (o->n_states > 0)
                return word_in(l->cells[COLUMN_LOAD], o->states, o->n_states) ||
                       word_in(l->cells[COLUMN_ACTIVE], o->states, o->n_states) ||
                       word_in(l->cells[COLUMN_SUB], o->states, o->n_states);
        return o->all || row->active_state != SUPD_ACTIVE_INACTIVE || row->job_id != 0;
}

static void list_add(struct view *v, struct list *list, uint32_t i, const char *const *words, unsigned n)
{
        const struct supd_status_row *row = supstatus_row(v->snapshot, i);
        struct line l = {.cells = {supstatus_text(v->snapshot, i, SUPD_TEXT_NAME), supstatus_load_name(row->load_state),
                                   supstatus_active_name(row->active_state), supstatus_sub_name(row->sub_state),
                                   row->job_id ? supstatus_job_name(row->job_type) : ""},
                         .description = supstatus_text(v->snapshot, i, SUPD_TEXT_DESCRIPTION),
                         .active = row->active_state,
                         .load = row->load_state};

        if (!*l.description)
                l.description = l.cells[COLUMN_UNIT];
        if (!name_in(l.cells[COLUMN_UNIT], words, n) || !shown(v->options, &l, row))
                return;
        for (unsigned c = 0; c < N_COLUMNS; c++)
                list->width[c] = MAX2(list->width[c], (unsigned)strlen(l.cells[c]));
        list->jobs |= *l.cells[COLUMN_JOB] != 0;
        list->lines[list->n++] = l;
}

static void list_json(struct view *v, const struct list *list)
{
        static const char *const keys[N_COLUMNS] = {"unit", "load", "active", "sub", "job"};
        struct json j = {.form = v->options->json};

        json_open(&j, NULL, '[');
        for (uint32_t i = 0; i < list->n; i++) {
                json_open(&j, NULL, '{');
                for (unsigned c = 0; c < N_COLUMNS; c++)
                        if (c != COLUMN_JOB || list->jobs)
                                json_string(&j, keys[c], list->lines[i].cells[c]);
                json_string(&j, "description", list->lines[i].description);
                json_close(&j, '}');
        }
        json_close(&j, ']');
        json_print(&j);
}

/* Bytes of TEXT that take at most WIDTH columns; continuation bytes of UTF-8 take none. */
static int fitting(const char *text, unsigned width)
{
        const char *p = text;

        for (unsigned n = 0; *p; p++) {
                n += ((unsigned char)*p & 0xc0) != 0x80;
                if (n > width)
                        break;
        }
        return (int)(p - text);
}

static const char *colour_of(struct view *v, const struct line *l)
{
        if (!v->colour)
                return "";
        return l->active == SUPD_ACTIVE_FAILED ? "\033[1;31m" : l->load != SUPD_LOAD_LOADED ? "\033[0;33m" : "";
}

static void print_line(struct view *v, const struct list *list, const struct line *l, bool legend)
{
        const char *colour = legend ? (v->colour ? "\033[4m" : "") : colour_of(v, l), *end = *colour ? "\033[0m" : "";
        bool bad = !legend &&
                   (l->active == SUPD_ACTIVE_FAILED || (l->load != SUPD_LOAD_LOADED && l->load != SUPD_LOAD_MASKED));
        unsigned unit = list->width[COLUMN_UNIT], used = 2 + unit + 1;
        cleanup_free_ char *name = NULL;
        int n;

        if (!v->options->plain)
                (void)printf("%s%s%s ", colour, bad ? "●" : " ", end);
        name = text_cut(l->cells[COLUMN_UNIT], unit);
        (void)printf("%s%s%*s%s", colour, name ? name : l->cells[COLUMN_UNIT],
                     (int)(unit - MIN2(unit, text_width(name ? name : l->cells[COLUMN_UNIT]))), "", end);
        for (unsigned c = COLUMN_LOAD; c < N_COLUMNS; c++) {
                if (c == COLUMN_JOB && !list->jobs)
                        continue;
                (void)printf(" %s%-*s%s", c == COLUMN_LOAD ? "" : colour, (int)list->width[c], l->cells[c],
                             c == COLUMN_LOAD ? "" : end);
                used += list->width[c] + 1;
        }
        n = (int)strlen(l->description);
        if (v->width > 0 && !v->options->full)
                n = v->width > used + 8 ? fitting(l->description, v->width - used) : 0;
        (void)printf(" %.*s\n", n, l->description);
}

static bool is_filtered(const struct options *o)
{
        return o->all || o->failed || o->n_states;
}

static void print_legend(struct view *v, uint32_t n)
{
        if (n > 0)
                (void)printf("\nLOAD   = was the unit's file read without mistakes?\n"
                             "ACTIVE = its state in one of six words.\n"
                             "SUB    = its state in detail; the words depend on the unit's type.\n");
        (void)printf("%s%u loaded units listed.%s\n", n > 0 ? "\n" : "", (unsigned)n,
                     is_filtered(v->options) ? "" : " Pass --all to see inactive units, too.");
}

static void print_legend_of_systemctl(struct view *v, uint32_t n)
{
        if (n > 0)
                (void)printf("\nLOAD   = Reflects whether the unit definition was properly loaded.\n"
                             "ACTIVE = The high-level unit activation state, i.e. generalization of SUB.\n"
                             "SUB    = The low-level unit activation state, values depend on unit type.\n");
        if (is_filtered(v->options))
                (void)printf("%u loaded units listed.\n", (unsigned)n);
        else
                (void)printf("%u loaded units listed. Pass --all to see loaded but inactive units, too.\n"
                             "To show all installed unit files use 'systemctl list-unit-files'.\n",
                             (unsigned)n);
}

/* Names give way first, so that states stay beside them. */
static void fit_names(const struct view *v, struct list *list)
{
        enum { LEAST = 24 };
        unsigned others = v->options->plain ? 0 : 2;

        for (unsigned c = COLUMN_LOAD; c < N_COLUMNS; c++)
                others += c == COLUMN_JOB && !list->jobs ? 0 : list->width[c] + 1;
        if (v->width > 0 && !v->options->full)
                list->width[COLUMN_UNIT] =
                        MIN2(list->width[COLUMN_UNIT], MAX2(LEAST, v->width - MIN2(v->width, others + 1)));
}

static void list_print(struct view *v, struct list *list)
{
        static const struct line head = {.cells = {"UNIT", "LOAD", "ACTIVE", "SUB", "JOB"},
                                         .description = "DESCRIPTION"};
        bool legend = !v->options->no_legend && !v->options->quiet;

        if (legend && list->n > 0) {
                for (unsigned c = 0; c < N_COLUMNS; c++)
                        list->width[c] = MAX2(list->width[c], (unsigned)strlen(head.cells[c]));
        }
        fit_names(v, list);
        if (legend && list->n > 0)
                print_line(v, list, &head, true);
        for (uint32_t i = 0; i < list->n; i++)
                print_line(v, list, &list->lines[i], false);
        if (!legend)
                return;
        if (v->options->systemctl)
                print_legend_of_systemctl(v, list->n);
        else
                print_legend(v, list->n);
}

int verb_list_units(struct view *v, const char *const *words, unsigned n)
{
        cleanup_free_ uint32_t *rows = NULL;
        struct list list = {0};

        if (view_all(v) < 0)
                return EXIT_ERROR;
        list.lines = calloc(supstatus_count(v->snapshot) + 1u, sizeof(*list.lines));
        if (!list.lines || view_sorted(v, &rows) < 0) {
                free(list.lines);
                fprintf(stderr, "supctl: out of memory\n");
                return EXIT_ERROR;
        }
        for (uint32_t i = 0; i < supstatus_count(v->snapshot); i++)
                list_add(v, &list, rows[i], words, n);
        if (v->options->json)
                list_json(v, &list);
        else
                list_print(v, &list);
        free(list.lines);
        if (supstatus_header(v->snapshot)->flags & SUPD_TABLE_TRUNCATED)
                fprintf(stderr, "Warning: the status table had no room for all units.\n");
        (void)fflush(stdout);
        (void)view_warn(v, stderr);
        return EXIT_OK;
}
