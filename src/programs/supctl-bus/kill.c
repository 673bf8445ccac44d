/* SPDX-License-Identifier: MIT
 *
 * kill: a signal for the processes of units; freeze and thaw; and reset-failed, which forgets how they ended.
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

int run_kill(struct control *c, const struct verb *v, char **args, int n)
{
        int signal = parse_signal(c->options->signal ? c->options->signal : "TERM"), code = 0;
        const char *whom = c->options->whom ? c->options->whom : "all", *given = c->options->value;
        struct names l = {0};
        int32_t value = 0;

        if (given && parse_number(given, &value) < 0) {
                (void)fprintf(stderr, "--kill-value=%s is no number\n", given);
                return 2;
        }
        if (signal < 0) {
                (void)fprintf(stderr, "Unknown signal %s; give a name like TERM or a number\n", c->options->signal);
                return 2;
        }
        if (names_of(c, args, n, ".service", &l) < 0)
                code = 1;
        for (unsigned i = 0; i < l.n; i++) {
                sd_bus_error e = SD_BUS_ERROR_NULL;
                int r = given ? control_call(c, MANAGER_IF, "QueueSignalUnit", false, &e, NULL, "ssii", l.v[i], whom,
                                             signal, value)
                              : control_call(c, MANAGER_IF, v->method, false, &e, NULL, "ssi", l.v[i], whom, signal);

                if (r < 0) {
                        (void)failed_to(c, "kill", l.v[i], r, &e);
                        code = 1;
                }
                sd_bus_error_free(&e);
        }
        names_done(&l);
        return code;
}

int run_freeze(struct control *c, const struct verb *v, char **args, int n)
{
        struct names l = {0};
        int code = 0;

        if (names_of(c, args, n, ".service", &l) < 0)
                code = 1;
        for (unsigned i = 0; i < l.n; i++) {
                sd_bus_error e = SD_BUS_ERROR_NULL;
                int r = control_call(c, MANAGER_IF, v->method, v->again, &e, NULL, "s", l.v[i]);

                if (r < 0) {
                        (void)failed_to(c, v->name, l.v[i], r, &e);
                        code = 1;
                }
                sd_bus_error_free(&e);
        }
        names_done(&l);
        return code;
}

int run_reset_failed(struct control *c, const struct verb *v, char **args, int n)
{
        struct names l = {0};
        int code = 0;

        if (names_of(c, args, n, ".service", &l) < 0)
                code = 1;
        for (unsigned i = 0; i < l.n || (n == 0 && i == 0); i++) {
                sd_bus_error e = SD_BUS_ERROR_NULL;
                int r = n == 0 ? control_call(c, MANAGER_IF, "ResetFailed", v->again, &e, NULL, "")
                               : control_call(c, MANAGER_IF, "ResetFailedUnit", v->again, &e, NULL, "s", l.v[i]);
                if (r < 0) {
                        (void)failed_to(c, "reset failed state of", n ? l.v[i] : "units", r, &e);
                        code = 1;
                }
                sd_bus_error_free(&e);
        }
        names_done(&l);
        return code;
}
