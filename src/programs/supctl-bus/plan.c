/* SPDX-License-Identifier: MIT
 *
 * plan: what a request, or a daemon-reload, would do; nothing is done. The manager answers, by the code that would do
 * it. Not here: any decision. Invariant: of several units each is planned as if it were asked for now, alone; a unit
 * that several bring along is told of once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "report/report.h"
#include "supctl-bus.h"

struct plan_row {
        char *unit;       /* owned */
        char *words[128]; /* owned */
        unsigned n;
};

struct plan {
        struct plan_row *rows; /* owned */
        unsigned n;
};

static void plan_done(struct plan *p)
{
        for (unsigned i = 0; i < p->n; i++) {
                free(p->rows[i].unit);
                for (unsigned k = 0; k < p->rows[i].n; k++)
                        free(p->rows[i].words[k]);
        }
        free(p->rows);
}

static bool is_there(const struct plan *p, const char *unit, const char *what)
{
        for (unsigned i = 0; i < p->n; i++)
                if (streq(p->rows[i].unit, unit) && p->rows[i].n > 0 && streq(p->rows[i].words[0], what))
                        return true;
        return false;
}

static int take_row(struct plan *p, sd_bus_message *m)
{
        struct plan_row *more = reallocarray(p->rows, p->n + 1, sizeof *more), *row;
        const char *unit, *word;
        int r;

        if (!more)
                return -ENOMEM;
        p->rows = more;
        row = &more[p->n];
        *row = (struct plan_row){0};
        r = sd_bus_message_read(m, "s", &unit);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &word)) > 0) {
                if (row->n == ARRAY_SIZE(row->words))
                        continue;
                row->words[row->n] = strdup(word);
                if (!row->words[row->n++])
                        r = -ENOMEM;
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        row->unit = r >= 0 ? strdup(unit) : NULL;
        if (row->unit && row->n > 0 && (!*row->unit || !is_there(p, row->unit, row->words[0]))) {
                p->n++;
                return 0;
        }
        while (row->n > 0)
                free(row->words[--row->n]);
        free(row->unit);
        return r < 0 ? r : 0;
}

static int take_all(struct plan *p, sd_bus_message *reply)
{
        int r = sd_bus_message_enter_container(reply, 'a', "(sas)");

        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'r', "sas")) > 0) {
                r = take_row(p, reply);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        return r < 0 ? r : 0;
}

static unsigned order_of(const struct plan_row *r)
{
        return r->n > 1 ? (unsigned)strtoul(r->words[1], NULL, 10) : 0;
}

static int by_order(const void *x, const void *y)
{
        const struct plan_row *a = x, *b = y;
        unsigned i = order_of(a), k = order_of(b);

        return i != k ? (i < k ? -1 : 1) : strcmp(a->unit, b->unit);
}

static const char *word(const struct plan_row *r, unsigned i)
{
        return i < r->n ? r->words[i] : "";
}

/* ---- requests ---- */

static const char *row_colour(const struct screen *s, const struct plan_row *r)
{
        static const struct {
                const char *what, *colour;
        } colours[] = {{"start", "\033[0;32m"},  {"stop", "\033[0;31m"},   {"restart", "\033[0;33m"},
                       {"reload", "\033[0;33m"}, {"cancel", "\033[0;31m"}, {"nothing", "\033[0;2m"}};

        for (size_t i = 0; s->colour && i < ARRAY_SIZE(colours); i++)
                if (streq(colours[i].what, word(r, 0)))
                        return colours[i].colour;
        return "";
}

static void print_jobs(const struct control *c, struct plan *p)
{
        struct columns t = {.n_columns = 5, .right = 1u << 0, .shrink = 1u << 2};
        struct screen s = screen_look();
        unsigned n = 0;

        (void)columns_add(&t, "", (const char *const[]){"STEP", "JOB", "UNIT", "NOW", "NOTE"});
        for (unsigned i = 0; i < p->n; i++) {
                const struct plan_row *r = &p->rows[i];
                bool nothing = streq(word(r, 0), "nothing");
                char step[16] = "", now[80], note[160];

                if (!*r->unit || (nothing && !c->options->all && !*word(r, 5)))
                        continue;
                n += !nothing;
                if (!nothing)
                        (void)snprintf(step, sizeof(step), "%u", order_of(r) + 1);
                (void)snprintf(now, sizeof(now), "%s (%s)", word(r, 2), word(r, 3));
                (void)snprintf(note, sizeof(note), "%s%s%s%s%s", word(r, 5), *word(r, 5) && nothing ? ", " : "",
                               nothing ? "is so already" : "", *word(r, 4) ? "; has a job queued: " : "", word(r, 4));
                (void)columns_add(&t, row_colour(&s, r), (const char *const[]){step, word(r, 0), r->unit, now, note});
        }
        if (t.n > 1)
                columns_print(&t, 0, c->options->full ? 0 : s.width, s.colour ? "\033[4m" : "", stdout);
        columns_done(&t);
        for (unsigned i = 0; i < p->n; i++)
                if (!*p->rows[i].unit)
                        (void)printf("Note: %s\n", word(&p->rows[i], 0));
        if (n == 0)
                (void)puts("Nothing would change.");
        else
                (void)printf("\n%u jobs would be run. Nothing has been done.\n", n);
}

static void jobs_json(struct json *j, const struct plan *p)
{
        json_open(j, "jobs", '[');
        for (unsigned i = 0; i < p->n; i++) {
                const struct plan_row *r = &p->rows[i];

                if (!*r->unit)
                        continue;
                json_open(j, NULL, '{');
                json_string(j, "unit", r->unit);
                json_string(j, "job", word(r, 0));
                json_u64(j, "step", order_of(r) + 1);
                json_string(j, "active", word(r, 2));
                json_string(j, "sub", word(r, 3));
                if (*word(r, 4))
                        json_string(j, "queued", word(r, 4));
                json_bool(j, "asked", *word(r, 5) != 0);
                json_close(j, '}');
        }
        json_close(j, ']');
        json_open(j, "notes", '[');
        for (unsigned i = 0; i < p->n; i++)
                if (!*p->rows[i].unit)
                        json_string(j, NULL, word(&p->rows[i], 0));
        json_close(j, ']');
}

static int plan_one(struct control *c, struct plan *p, const char *request, const char *mode, const char *unit)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int code = 0, r = control_call(c, SUPD_IF, "Plan", true, &e, &reply, "sss", unit, request, mode);

        if (r >= 0)
                r = take_all(p, reply);
        if (r < 0) {
                (void)fprintf(stderr, "%s of %s would be refused: %s\n", request, unit,
                              e.message ? e.message : strerror(-r));
                code = error_exit_code(&e);
        }
        sd_bus_error_free(&e);
        sd_bus_message_unref(reply);
        return code;
}

static int plan_jobs(struct control *c, char **args, int n)
{
        static const char *const requests[] = {"start",   "stop",
                                               "restart", "try-restart",
                                               "reload",  "reload-or-restart",
                                               "isolate", "try-reload-or-restart"};
        bool isolate = streq(args[0], "isolate"), known = false;
        const char *mode = c->options->job_mode ? c->options->job_mode : isolate ? "isolate" : "replace";
        struct json j = {.form = c->options->json};
        struct names units = {0};
        struct plan p = {0};
        int code = 0;

        for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
                known |= streq(requests[i], args[0]);
        if (!known || n < 2) {
                (void)fprintf(stderr,
                              known ? "plan %s: no units were named\n"
                                    : "plan: %s is nothing that could be planned; try start, stop, restart, "
                                      "reload, isolate or daemon-reload\n",
                              args[0]);
                return 2;
        }
        if (names_of(c, args + 1, n - 1, isolate ? ".target" : ".service", &units) < 0)
                code = 1;
        for (unsigned i = 0; i < units.n && code == 0; i++)
                code = plan_one(c, &p, isolate ? "start" : args[0], mode, units.v[i]);
        names_done(&units);
        if (p.n > 0)
                qsort(p.rows, p.n, sizeof(*p.rows), by_order);
        if (code == 0 && c->options->json) {
                json_open(&j, NULL, '{');
                jobs_json(&j, &p);
                json_close(&j, '}');
                json_print(&j);
        } else if (code == 0)
                print_jobs(c, &p);
        plan_done(&p);
        return code;
}

/* ---- daemon-reload ---- */

static void print_reload(const struct plan *p)
{
        struct screen s = screen_look();

        for (unsigned i = 0; i < p->n; i++) {
                const struct plan_row *r = &p->rows[i];

                if (streq(word(r, 0), "load")) {
                        (void)printf("%s would be loaded, for %s\n", r->unit, word(r, 1));
                        continue;
                }
                (void)printf("%s%s%s would change:\n", s.colour ? "\033[0;1m" : "", r->unit, s.colour ? "\033[0m" : "");
                for (unsigned k = 1; k < r->n; k++)
                        (void)printf("  %s%s%s\n",
                                     !s.colour               ? ""
                                     : r->words[k][0] == '+' ? "\033[0;32m"
                                     : r->words[k][0] == '-' ? "\033[0;31m"
                                                             : "",
                                     r->words[k], s.colour ? "\033[0m" : "");
        }
        (void)puts(p->n > 0 ? "\nWhat runs would go on running as it was started. Nothing has been done."
                            : "Nothing would change.");
}

static void reload_json(struct json *j, const struct plan *p)
{
        json_open(j, "units", '[');
        for (unsigned i = 0; i < p->n; i++) {
                const struct plan_row *r = &p->rows[i];

                json_open(j, NULL, '{');
                json_string(j, "unit", r->unit);
                json_string(j, "what", word(r, 0));
                json_open(j, streq(word(r, 0), "load") ? "for" : "lines", '[');
                for (unsigned k = 1; k < r->n; k++)
                        json_string(j, NULL, r->words[k]);
                json_close(j, ']');
                json_close(j, '}');
        }
        json_close(j, ']');
}

static int plan_reload(struct control *c)
{
        struct json j = {.form = c->options->json};
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        struct plan p = {0};
        int r = control_call(c, SUPD_IF, "PlanReload", true, &e, &reply, "");

        if (r >= 0)
                r = take_all(&p, reply);
        if (r < 0)
                (void)fprintf(stderr, "What daemon-reload would do cannot be said: %s\n",
                              e.message ? e.message : strerror(-r));
        else if (c->options->json) {
                json_open(&j, NULL, '{');
                reload_json(&j, &p);
                json_close(&j, '}');
                json_print(&j);
        } else
                print_reload(&p);
        plan_done(&p);
        sd_bus_error_free(&e);
        sd_bus_message_unref(reply);
        return r < 0 ? 1 : 0;
}

int run_plan(struct control *c, const struct verb *v unused_, char **args, int n)
{
        return streq(args[0], "daemon-reload") ? plan_reload(c) : plan_jobs(c, args, n);
}
