/* SPDX-License-Identifier: MIT
 *
 * tree: what a unit needs, or who needs it, with states and pids; list-dependencies: the same in the form of systemctl.
 * Not here: why a unit is in its state (why.c). Invariant: who depends on whom is what the manager has loaded; every
 * unit of `tree` is spread out once, so that a large graph is a finite tree.
 */
#include <stdio.h>
#include <stdlib.h>

#include "report/report.h"
#include "supctl-bus.h"

static const char *const forward[] = {"Requires", "Requisite", "BindsTo", "Wants", "Upholds", "ConsistsOf", NULL};
static const char *const backward[] = {"RequiredBy", "RequisiteOf", "BoundBy", "WantedBy", "UpheldBy", "PartOf", NULL};
static const char *const after[] = {"After", NULL}, *const before[] = {"Before", NULL};

struct tree {
        struct control *c;
        const struct options *o;
        struct units units;
        struct screen screen;
        const char *const *properties;
        bool plain_form; /* list-dependencies */
        struct columns columns;
        struct json json;
        char **seen; /* owned: in `tree` all that were spread out, in list-dependencies those above */
        unsigned n_seen;
        int depth;
        uint64_t more; /* bit i: on level i another one follows */
};

enum { DEPTH_MAX = 60 };

static const char *const *properties_of(const struct options *o)
{
        return o->after ? after : o->before ? before : o->reverse ? backward : forward;
}

static bool is_target(const char *name)
{
        return ends_with(name, ".target");
}

/* Targets last, then by name, as systemctl has it; of two edges to one unit the stronger. */
static int compare(const void *x, const void *y)
{
        const struct units_name *a = x, *b = y;
        int r = (int)is_target(a->name) - (int)is_target(b->name);

        if (r == 0)
                r = strcasecmp(a->name, b->name);
        return r ? r : (int)a->which - (int)b->which;
}

static int children(struct tree *t, const char *unit, struct units_names *ret)
{
        unsigned n = 0;
        int r = units_names_of(t->c, unit, t->properties, ret);

        if (r < 0)
                return r;
        if (ret->n > 0)
                qsort(ret->v, ret->n, sizeof(*ret->v), compare);
        for (unsigned i = 0; i < ret->n; i++)
                if (n > 0 && streq(ret->v[n - 1].name, ret->v[i].name))
                        free(ret->v[i].name);
                else
                        ret->v[n++] = ret->v[i];
        ret->n = n;
        return 0;
}

static bool is_seen(const struct tree *t, const char *name)
{
        for (unsigned i = 0; i < t->n_seen; i++)
                if (streq(t->seen[i], name))
                        return true;
        return false;
}

static int see(struct tree *t, const char *name)
{
        char **more = reallocarray(t->seen, t->n_seen + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        t->seen = more;
        more[t->n_seen] = strdup(name);
        return more[t->n_seen] ? (int)++t->n_seen : -ENOMEM;
}

static const char *glyph(const struct supd_status_row *row)
{
        static const char *const glyphs[] = {
                [SUPD_ACTIVE_UNKNOWN] = "○", [SUPD_ACTIVE_INACTIVE] = "○",   [SUPD_ACTIVE_ACTIVATING] = "●",
                [SUPD_ACTIVE_ACTIVE] = "●",  [SUPD_ACTIVE_RELOADING] = "↻",  [SUPD_ACTIVE_DEACTIVATING] = "●",
                [SUPD_ACTIVE_FAILED] = "×",  [SUPD_ACTIVE_MAINTENANCE] = "○"};

        return row && row->active_state < ARRAY_SIZE(glyphs) ? glyphs[row->active_state] : "○";
}

static const char *colour(const struct tree *t, const struct supd_status_row *row)
{
        if (!t->screen.colour || !row)
                return "";
        return row->active_state == SUPD_ACTIVE_FAILED                                                 ? "\033[0;1;31m"
               : row->active_state == SUPD_ACTIVE_ACTIVE || row->active_state == SUPD_ACTIVE_RELOADING ? "\033[0;1;32m"
                                                                                                       : "";
}

/* The branches that lead to a unit on level t->depth. */
static void branches(const struct tree *t, bool last, bool ascii, struct buf *b)
{
        for (int i = 0; i < t->depth - 1; i++)
                (void)buf_append_str(b, !(t->more & UINT64_C(1) << i) ? "  " : ascii ? "| " : "│ ");
        if (t->depth > 0)
                (void)buf_append_str(b, last ? (ascii ? "`-" : "└─") : (ascii ? "|-" : "├─"));
}

/* ---- the form of systemctl ---- */

static void print_plain(struct tree *t, const char *name, bool last)
{
        const struct supd_status_row *row = units_row(&t->units, name);
        cleanup_buf_ struct buf line = {0};
        const char *c = colour(t, row);
        char *cut;

        if (t->depth == 0) {
                (void)printf("%s\n", name);
                return;
        }
        if (t->o->plain) {
                (void)printf("  %s\n", name);
                return;
        }
        branches(t, last, false, &line);
        (void)buf_append_str(&line, name);
        cut = text_cut(buf_str(&line), t->screen.width > 2 && !t->o->full ? t->screen.width - 2 : UINT32_MAX);
        (void)printf("%s%s%s %s\n", c, streq(name, "...") ? " " : glyph(row), *c ? "\033[0m" : "", cut ? cut : name);
        free(cut);
}

/* ---- ours ---- */

static void add_line(struct tree *t, const char *name, const char *how, bool last, bool again)
{
        const struct supd_status_row *row = units_row(&t->units, name);
        cleanup_buf_ struct buf cell = {0};
        char state[64] = "not loaded", pid[16] = "";
        const char *c = colour(t, row);
        bool ascii = !t->screen.terminal;

        branches(t, last, ascii, &cell);
        if (!ascii)
                (void)buf_printf(&cell, "%s%s%s ", c, glyph(row), *c ? "\033[0m" : "");
        (void)buf_printf(&cell, "%s%s", name, !again ? "" : ascii ? " (above)" : " ↑");
        if (row && row->load_state != SUPD_LOAD_LOADED)
                (void)snprintf(state, sizeof(state), "%s", supstatus_load_name(row->load_state));
        else if (row)
                (void)snprintf(state, sizeof(state), "%s (%s)", supstatus_active_name(row->active_state),
                               supstatus_sub_name(row->sub_state));
        if (row && row->main_pid)
                (void)snprintf(pid, sizeof(pid), "%u", (unsigned)row->main_pid);
        (void)columns_add(&t->columns, "", (const char *const[]){buf_str(&cell), state, pid, how});
}

static void json_begin(struct tree *t, const char *name, const char *how)
{
        const struct supd_status_row *row = units_row(&t->units, name);

        json_open(&t->json, NULL, '{');
        json_string(&t->json, "unit", name);
        if (*how)
                json_string(&t->json, "by", how);
        json_string(&t->json, "load", row ? supstatus_load_name(row->load_state) : "not-found");
        json_string(&t->json, "active", row ? supstatus_active_name(row->active_state) : "inactive");
        json_string(&t->json, "sub", row ? supstatus_sub_name(row->sub_state) : "dead");
        json_u64(&t->json, "main_pid", row ? row->main_pid : 0);
}

/* ---- both ---- */

static int spread(struct tree *t, const char *unit);

static int show(struct tree *t, const char *name, const char *how, bool last)
{
        bool seen = is_seen(t, name), deeper = t->depth == 0 || t->o->all || is_target(name);
        bool again = seen && !t->plain_form;
        int r = 0;

        if (t->plain_form && seen) {
                if (!t->o->plain)
                        print_plain(t, "...", true);
                return 0;
        }
        if (t->o->json)
                json_begin(t, name, how);
        else if (t->plain_form)
                print_plain(t, name, last);
        else
                add_line(t, name, how, last, again && deeper);
        if (deeper && !again && t->depth < DEPTH_MAX)
                r = spread(t, name);
        else if (t->o->json && again && deeper)
                json_bool(&t->json, "above", true);
        if (t->o->json)
                json_close(&t->json, '}');
        return r;
}

static int spread(struct tree *t, const char *unit)
{
        struct units_names list = {0};
        int r = see(t, unit);

        if (r >= 0)
                r = children(t, unit, &list);
        if (t->o->json && list.n > 0)
                json_open(&t->json, "children", '[');
        t->depth++;
        for (unsigned i = 0; i < list.n && r >= 0; i++) {
                bool last = i + 1 == list.n;

                t->more = (t->more & ~(UINT64_C(1) << (t->depth - 1))) | (uint64_t)!last << (t->depth - 1);
                r = show(t, list.v[i].name, t->properties[list.v[i].which], last);
        }
        t->depth--;
        if (t->o->json && list.n > 0)
                json_close(&t->json, ']');
        if (t->plain_form && !t->o->plain && t->n_seen > 0)
                free(t->seen[--t->n_seen]); /* only what is above counts as seen */
        units_names_done(&list);
        return r < 0 ? r : 0;
}

static int tree_of(struct tree *t, const char *word)
{
        cleanup_free_ char *name = unit_full(word, ".service");
        int r;

        t->columns = (struct columns){.n_columns = 4, .right = 1u << 2, .shrink = 1u << 0};
        if (!t->o->json && !t->plain_form)
                (void)columns_add(&t->columns, "",
                                  (const char *const[]){"UNIT", "STATE", "PID", t->o->reverse ? "NEEDS IT BY" : "BY"});
        r = name ? show(t, name, "", true) : -ENOMEM;
        if (r == 0 && !t->o->json && !t->plain_form)
                columns_print(&t->columns, 0, t->o->full ? 0 : t->screen.width, t->screen.colour ? "\033[4m" : "",
                              stdout);
        columns_done(&t->columns);
        while (t->n_seen > 0)
                free(t->seen[--t->n_seen]);
        if (r < 0)
                (void)fprintf(stderr, "Failed to look at the dependencies of %s: %s\n", word, strerror(-r));
        return r;
}

/* What stands at the top without being named: default.target, or where another unit was begun with, all that is active
 * and nobody asked for. */
static int tops(struct tree *t, struct units_names *ret)
{
        static const char *const usual = "default.target";
        uint32_t n = t->units.snapshot ? supstatus_count(t->units.snapshot) : 0;
        int r = 0;

        for (uint32_t i = 0; r >= 0 && !units_row(&t->units, usual) && i < n; i++) {
                const char *name = supstatus_text(t->units.snapshot, i, SUPD_TEXT_NAME);
                const struct supd_status_row *row = supstatus_row(t->units.snapshot, i);
                struct units_names above = {0};

                if (!*name || !row || row->active_state == SUPD_ACTIVE_INACTIVE || streq(name, "supd-bus.service"))
                        continue;
                r = units_names_of(t->c, name, backward, &above);
                if (r >= 0 && above.n == 0)
                        r = units_names_add(ret, name, 0);
                units_names_done(&above);
        }
        return r >= 0 && ret->n == 0 ? units_names_add(ret, usual, 0) : r;
}

int run_tree(struct control *c, const struct verb *v, char **args, int n)
{
        struct tree t = {.c = c,
                         .o = c->options,
                         .screen = screen_look(),
                         .properties = properties_of(c->options),
                         .plain_form = streq(v->name, "list-dependencies"),
                         .json = {.form = c->options->json}};
        struct units_names top = {0};
        int r = units_open(&t.units, c->options);

        if (r >= 0 && n == 0 && !t.plain_form)
                r = tops(&t, &top);
        else if (n == 0)
                r = units_names_add(&top, "default.target", 0);
        if (t.o->json)
                json_open(&t.json, NULL, '[');
        for (int i = 0; r >= 0 && i < (n > 0 ? n : (int)top.n); i++) {
                if (i > 0 && !t.o->json)
                        (void)putchar('\n');
                r = tree_of(&t, n > 0 ? args[i] : top.v[i].name);
        }
        if (t.o->json) {
                json_close(&t.json, ']');
                json_print(&t.json);
        }
        buf_done(&t.json.text);
        free(t.seen);
        units_names_done(&top);
        units_done(&t.units);
        return r < 0 ? 1 : 0;
}
