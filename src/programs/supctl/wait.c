/* SPDX-License-Identifier: MIT
 *
 * wait: sleep until units have come to a state. From the table alone: the sleep is one on the table's sequence, so that
 * the manager knows nothing of who waits.
 *
 *     0   every unit has been seen in one of the states
 *     1   one of them cannot get there by itself any more (it failed, it is masked, supd has ended)
 *     4   there is no such unit
 *     124 the time is over
 *
 * Not here: asking for anything to be done. Invariant: what was true at some moment since the beginning counts, whether
 * or not a look fell into that moment, as far as the table's times tell.
 */
#include "programs/supctl/supctl.h"

#include "syntax/scalar.h"

enum { WAIT_GOES_ON, WAIT_REACHED, WAIT_IN_VAIN, WAIT_UNKNOWN };

struct wait_unit {
        char name[256];
        const char *state; /* word of the last look */
        int outcome;
        bool was_up; /* seen at work: an end without a failure is final for who waits for a failure */
};

struct waiting {
        struct view *v;
        const char *const *states;
        unsigned n_states;
        uint64_t begin_us, end_us; /* CLOCK_MONOTONIC */
        struct wait_unit *units;   /* owned */
        unsigned n;
        struct supstatus_snapshot *begin; /* owned; what the next sleep begins behind */
};

static bool wants(const struct waiting *w, const char *state)
{
        for (unsigned i = 0; i < w->n_states; i++)
                if (streq(w->states[i], state))
                        return true;
        return false;
}

static bool state_exists(const char *word)
{
        for (uint32_t i = 1; i <= SUPD_ACTIVE_MAINTENANCE; i++)
                if (streq(supstatus_active_name(i), word))
                        return true;
        for (uint32_t i = 1; i <= SUPD_SUB_ABANDONED; i++)
                if (streq(supstatus_sub_name(i), word))
                        return true;
        return false;
}

/* Nothing is on its way: only somebody who asks for it changes that. */
static bool rests(const struct supd_status_row *row)
{
        return row->job_id == 0 &&
               (row->active_state == SUPD_ACTIVE_INACTIVE || row->active_state == SUPD_ACTIVE_FAILED);
}

/* Down, and asked to be up: whoever asked and then waits for the end does not mean this moment. */
static bool is_about_to_start(const struct supd_status_row *row)
{
        return row->job_id != 0 && row->job_type != SUPD_JOB_STOP &&
               (row->active_state == SUPD_ACTIVE_INACTIVE || row->active_state == SUPD_ACTIVE_FAILED);
}

static int judge(const struct waiting *w, struct wait_unit *u, const struct supd_status_row *row)
{
        u->state = supstatus_active_name(row->active_state);
        if (is_about_to_start(row))
                return WAIT_GOES_ON;
        if (wants(w, u->state) || wants(w, supstatus_sub_name(row->sub_state)))
                return WAIT_REACHED;
        if (wants(w, "active") && row->active_enter_mono_us > w->begin_us)
                return WAIT_REACHED; /* and left again */
        if (row->load_state == SUPD_LOAD_MASKED || row->load_state == SUPD_LOAD_BAD_SETTING)
                return wants(w, "inactive") ? WAIT_GOES_ON : WAIT_IN_VAIN;
        if (rests(row) && (row->active_state == SUPD_ACTIVE_FAILED || (u->was_up && wants(w, "failed"))))
                return WAIT_IN_VAIN;
        u->was_up |= !rests(row);
        return WAIT_GOES_ON;
}

static void look_one(struct waiting *w, struct wait_unit *u)
{
        int r = view_one(w->v, u->name);

        if (r == -ESRCH || (r == 0 && supstatus_row(w->v->snapshot, 0)->load_state == SUPD_LOAD_NOT_FOUND)) {
                u->state = "inactive";
                if (!unit_has_file(w->v->options, u->name))
                        u->outcome = WAIT_UNKNOWN;
                else
                        u->outcome = wants(w, "inactive") || wants(w, "dead") ? WAIT_REACHED : WAIT_GOES_ON;
        } else if (r < 0)
                u->outcome = WAIT_IN_VAIN;
        else
                u->outcome = judge(w, u, supstatus_row(w->v->snapshot, 0));
}

/* True when there is nothing left to wait for. The first snapshot of a round is the one that the sleep begins behind.
 */
static bool look(struct waiting *w)
{
        bool over = true;

        supstatus_free(w->begin);
        w->begin = NULL;
        for (unsigned i = 0; i < w->n; i++) {
                struct wait_unit *u = &w->units[i];

                if (u->outcome == WAIT_GOES_ON)
                        look_one(w, u);
                if (!w->begin) {
                        w->begin = w->v->snapshot;
                        w->v->snapshot = NULL;
                }
                if (u->outcome > WAIT_REACHED)
                        return true;
                over &= u->outcome == WAIT_REACHED;
        }
        return over;
}

static int sleep_and_look(struct waiting *w)
{
        while (!look(w)) {
                uint64_t now = now_mono_us();

                if (now >= w->end_us)
                        return EXIT_TIMEOUT;
                if (!w->begin || view_wait(w->v, w->begin, w->end_us - now) < 0)
                        return EXIT_ERROR;
        }
        for (unsigned i = 0; i < w->n; i++)
                if (w->units[i].outcome > WAIT_REACHED)
                        return w->units[i].outcome == WAIT_UNKNOWN ? EXIT_UNKNOWN : EXIT_ERROR;
        return EXIT_OK;
}

/* ---- what is said ---- */

static void say_states(const struct waiting *w, FILE *to)
{
        for (unsigned i = 0; i < w->n_states; i++)
                fprintf(to, "%s%s", i == 0 ? "" : i + 1 == w->n_states ? " or " : ", ", w->states[i]);
}

static void tell(const struct waiting *w, int status)
{
        for (unsigned i = 0; i < w->n; i++) {
                const struct wait_unit *u = &w->units[i];

                if (u->outcome == WAIT_REACHED || (status != EXIT_TIMEOUT && u->outcome == WAIT_GOES_ON))
                        continue;
                if (u->outcome == WAIT_UNKNOWN) {
                        fprintf(stderr, "Unit %s could not be found.\n", u->name);
                        continue;
                }
                fprintf(stderr, "%s is %s, and ", u->name, u->state);
                fputs(status == EXIT_TIMEOUT ? "the time to become " : "will not by itself become ", stderr);
                say_states(w, stderr);
                fputs(status == EXIT_TIMEOUT ? " is over.\n" : ".\n", stderr);
        }
}

static void wait_json(const struct waiting *w, int status)
{
        static const char *const words[] = {"waiting", "reached", "in-vain", "unknown"};
        struct json j = {.form = w->v->options->json};

        json_open(&j, NULL, '{');
        json_string(&j, "result", status == EXIT_OK ? "reached" : status == EXIT_TIMEOUT ? "timeout" : "in-vain");
        json_open(&j, "units", '[');
        for (unsigned i = 0; i < w->n; i++) {
                json_open(&j, NULL, '{');
                json_string(&j, "unit", w->units[i].name);
                json_string(&j, "state", w->units[i].state);
                json_string(&j, "outcome", words[w->units[i].outcome]);
                json_close(&j, '}');
        }
        json_close(&j, ']');
        json_close(&j, '}');
        json_print(&j);
}

/* ---- the command line ---- */

static struct waiting *collecting;

static int collect(struct view *v unused_, const char *name, bool found unused_, uint32_t i unused_)
{
        struct waiting *w = collecting;
        struct wait_unit *units = reallocarray(w->units, w->n + 1, sizeof(*units));

        if (!units)
                return EXIT_ERROR;
        w->units = units;
        units[w->n] = (struct wait_unit){.state = "inactive"};
        (void)snprintf(units[w->n++].name, sizeof(units->name), "%s", name);
        return EXIT_OK;
}

static int prepare(struct waiting *w)
{
        const struct options *o = w->v->options;
        static const char *const active[] = {"active"};
        uint64_t span = UINT64_MAX;

        w->states = o->n_states > 0 ? o->states : active;
        w->n_states = o->n_states > 0 ? o->n_states : 1;
        for (unsigned i = 0; i < w->n_states; i++)
                if (!state_exists(w->states[i])) {
                        fprintf(stderr, "supctl: there is no state \"%s\"\n", w->states[i]);
                        return EXIT_ERROR;
                }
        if (o->timeout && parse_timespan(o->timeout, &span) < 0) {
                fprintf(stderr, "supctl: --timeout=%s is no span of time, such as 30 or 2min 5s\n", o->timeout);
                return EXIT_ERROR;
        }
        w->begin_us = now_mono_us();
        w->end_us = span > UINT64_MAX - w->begin_us ? UINT64_MAX : w->begin_us + span;
        return EXIT_OK;
}

int verb_wait(struct view *v, const char *const *words, unsigned n)
{
        struct waiting w = {.v = v};
        int r = prepare(&w);

        collecting = &w;
        if (r == EXIT_OK)
                r = view_each(v, words, n, collect);
        if (r == EXIT_OK && w.n > 0) {
                r = sleep_and_look(&w);
                if (v->options->json)
                        wait_json(&w, r);
                else if (r != EXIT_OK && !v->options->quiet)
                        tell(&w, r);
        }
        supstatus_free(w.begin);
        free(w.units);
        return r;
}
