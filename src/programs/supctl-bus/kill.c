/* SPDX-License-Identifier: MIT
 *
 * kill: a signal for the processes of units; freeze and thaw; clean; and reset-failed, which forgets how they ended.
 *
 * Not here: jobs. Invariant: each unit is told, whatever became of the one before.
 */
#include "supctl-bus.h"

#include <signal.h>
#include <stdio.h>

static int parse_signal(const char *s)
{
        char *end;
        long v = strtol(s, &end, 10);
        int offset;

        if (*s && !*end)
                return v >= 1 && v <= SIGRTMAX ? (int)v : -EINVAL;
        if (starts_with(s, "SIG"))
                s += 3;
        if (sscanf(s, "RTMIN+%d", &offset) == 1)
                return offset >= 0 && offset <= SIGRTMAX - SIGRTMIN ? SIGRTMIN + offset : -EINVAL;
        for (int i = 1; i < SIGRTMIN; i++)
                if (sigabbrev_np(i) && streq(sigabbrev_np(i), s))
                        return i;
        return -EINVAL;
}

static int parse_number(const char *s, int32_t *ret)
{
        char *end;
        long v;

        errno = 0;
        v = strtol(s, &end, 0);
        if (errno || end == s || *end || v < INT32_MIN || v > INT32_MAX)
                return -EINVAL;
        *ret = (int32_t)v;
        return 0;
}

struct ask { /* what is asked of each unit */
        const struct verb *verb;
        const char *what; /* that could not be done */
        const char *whom; /* of kill only, as what follows */
        int32_t signal, value;
        bool with_value;
};

/* ASK of every unit that the words mean. Exit code. */
static int each_unit(struct control *c, char **args, int n, const struct ask *a,
                     int (*ask)(struct control *c, const struct ask *a, const char *unit, sd_bus_error *e))
{
        struct names l = {0};
        int code = names_of(c, args, n, ".service", &l) < 0;

        for (unsigned i = 0; i < l.n; i++) {
                sd_bus_error e = SD_BUS_ERROR_NULL;
                int r = ask(c, a, l.v[i], &e);

                if (r < 0) {
                        (void)failed_to(c, a->what, l.v[i], r, &e);
                        code = 1;
                }
                sd_bus_error_free(&e);
        }
        names_done(&l);
        return code;
}

static int ask_by_name(struct control *c, const struct ask *a, const char *unit, sd_bus_error *e)
{
        return control_call(c, MANAGER_IF, a->verb->method, a->verb->again, e, NULL, "s", unit);
}

static int ask_signal(struct control *c, const struct ask *a, const char *unit, sd_bus_error *e)
{
        if (a->with_value)
                return control_call(c, MANAGER_IF, "QueueSignalUnit", false, e, NULL, "ssii", unit, a->whom, a->signal,
                                    a->value);
        return control_call(c, MANAGER_IF, a->verb->method, false, e, NULL, "ssi", unit, a->whom, a->signal);
}

int run_kill(struct control *c, const struct verb *v, char **args, int n)
{
        const struct options *o = c->options;
        struct ask a = {.verb = v, .what = "kill", .with_value = o->value};

        a.signal = parse_signal(o->signal ? o->signal : "TERM");
        a.whom = o->whom ? o->whom : "all";
        if (o->value && parse_number(o->value, &a.value) < 0) {
                (void)fprintf(stderr, "--kill-value=%s is no number\n", o->value);
                return 2;
        }
        if (a.signal < 0) {
                (void)fprintf(stderr, "Unknown signal %s; give a name like TERM or a number\n", o->signal);
                return 2;
        }
        return each_unit(c, args, n, &a, ask_signal);
}

int run_freeze(struct control *c, const struct verb *v, char **args, int n)
{
        return each_unit(c, args, n, &(struct ask){.verb = v, .what = v->name}, ask_by_name);
}

static int ask_clean(struct control *c, const struct ask *a, const char *unit, sd_bus_error *e)
{
        const char *const *w = c->options->what;
        int n = (int)c->options->n_what;

        if (n == 0)
                return control_call(c, MANAGER_IF, a->verb->method, a->verb->again, e, NULL, "sas", unit, 2, "cache",
                                    "runtime");
        return control_call(c, MANAGER_IF, a->verb->method, a->verb->again, e, NULL, "sas", unit, n, w[0], w[1], w[2],
                            w[3], w[4], w[5], w[6], w[7]);
}

/* What a service keeps in its directories, while it is down. */
int run_clean(struct control *c, const struct verb *v, char **args, int n)
{
        if (c->options->n_what > 0 && streq(c->options->what[0], "help")) {
                (void)puts("runtime\nstate\ncache\nlogs\nconfiguration\nall");
                return 0;
        }
        return each_unit(c, args, n, &(struct ask){.verb = v, .what = "clean"}, ask_clean);
}

/* Without a unit: all of them. */
int run_reset_failed(struct control *c, const struct verb *v, char **args, int n)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r;

        if (n > 0)
                return each_unit(c, args, n, &(struct ask){.verb = v, .what = "reset failed state of"}, ask_by_name);
        r = control_call(c, MANAGER_IF, "ResetFailed", v->again, &e, NULL, "");
        if (r < 0)
                (void)failed_to(c, "reset failed state of", "units", r, &e);
        sd_bus_error_free(&e);
        return r < 0;
}
