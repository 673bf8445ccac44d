/* SPDX-License-Identifier: MIT
 *
 * What is asked of the manager as a whole, rather than of a unit's state: its environment, how much it says, its own
 * end; and what reaches into a unit without changing it: its processes, signals with a value.
 *
 * Not here: jobs and the other verbs (api.c). Invariant: what is changed here is in the durable state before the answer
 * is given, so a manager that comes back has the same environment and goes on with the same end.
 */
#include "manager.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <syslog.h>

#define INVALID         "org.freedesktop.DBus.Error.InvalidArgs"
#define ENVIRONMENT_MAX (64u * 1024u) /* bytes of all assignments */

/* ---- the environment ---- */

static size_t name_length(const char *assignment)
{
        size_t n = 0;

        while (isalnum((unsigned char)assignment[n]) || assignment[n] == '_')
                n++;
        return isdigit((unsigned char)assignment[0]) ? 0 : n;
}

static bool assignment_valid(const char *s)
{
        size_t n = name_length(s);

        if (n == 0 || s[n] != '=')
                return false;
        for (const char *p = s + n; *p; p++)
                if (iscntrl((unsigned char)*p) && *p != '\t' && *p != '\n')
                        return false;
        return true;
}

/* UNSET is a name, or a whole assignment. */
static bool is_unset(const char *assignment, const char *const *unset, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                size_t k = strlen(unset[i]);

                if (strchr(unset[i], '=') ? streq(assignment, unset[i])
                                          : strncmp(assignment, unset[i], k) == 0 && assignment[k] == '=')
                        return true;
        }
        return false;
}

static bool same_name(const char *a, const char *b)
{
        size_t n = strcspn(a, "=");

        return strncmp(a, b, n) == 0 && b[n] == '=';
}

static bool set_again(const char *assignment, const char *const *set, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                if (same_name(assignment, set[i]))
                        return true;
        return false;
}

/* The next assignment of the kept ones; NULL at the end. */
static const char *kept_next(const struct buf *b, size_t *at)
{
        const char *s;

        if (*at >= b->size)
                return NULL;
        s = b->data + *at;
        *at += strlen(s) + 1;
        return s;
}

/* What services get: what supd came with, and over it what was set since. */
int api_environment_apply(struct manager *m)
{
        unsigned n = 0, n_set = 0;
        const char **v, *s;

        for (const char *const *p = m->own_environment; *p; p++)
                n++;
        for (size_t at = 0; kept_next(&m->environment, &at);)
                n_set++;
        v = calloc(n + n_set + 1, sizeof(*v));
        if (!v)
                return -ENOMEM;
        n = 0;
        for (const char *const *p = m->own_environment; *p; p++) {
                bool hidden = false;

                for (size_t at = 0; (s = kept_next(&m->environment, &at));)
                        hidden = hidden || same_name(*p, s);
                if (!hidden)
                        v[n++] = *p;
        }
        for (size_t at = 0; (s = kept_next(&m->environment, &at));)
                v[n++] = s;
        if (m->base_environment != m->own_environment)
                free((void *)m->base_environment);
        m->base_environment = v;
        return 0;
}

static int environment_check(const char *const *unset, unsigned n_unset, const char *const *set, unsigned n_set,
                             struct control_error *e)
{
        for (unsigned i = 0; i < n_unset; i++) {
                size_t n = name_length(unset[i]);

                if (n == 0 || (unset[i][n] != 0 && !assignment_valid(unset[i]))) {
                        control_error_set(e, INVALID, "Invalid environment variable names or assignments");
                        return -EINVAL;
                }
        }
        for (unsigned i = 0; i < n_set; i++)
                if (!assignment_valid(set[i])) {
                        control_error_set(e, INVALID, "Invalid environment assignments");
                        return -EINVAL;
                }
        return 0;
}

int api_environment(void *userdata, const char *const *unset, unsigned n_unset, const char *const *set, unsigned n_set,
                    struct control_error *e)
{
        struct manager *m = userdata;
        struct buf next = {0};
        const char *s;
        int v = environment_check(unset, n_unset, set, n_set, e);

        for (size_t at = 0; v == 0 && (s = kept_next(&m->environment, &at));)
                if (!is_unset(s, unset, n_unset) && !set_again(s, set, n_set))
                        v = buf_append(&next, s, strlen(s) + 1);
        for (unsigned i = 0; v == 0 && i < n_set; i++)
                if (!set_again(set[i], set + i + 1, n_set - i - 1))
                        v = buf_append(&next, set[i], strlen(set[i]) + 1);
        if (v == 0 && next.size > ENVIRONMENT_MAX) {
                control_error_set(e, "org.freedesktop.DBus.Error.LimitsExceeded", "The environment would be too large");
                v = -E2BIG;
        }
        if (v < 0) {
                buf_done(&next);
                return v;
        }
        buf_done(&m->environment);
        m->environment = next;
        m->environment_dirty = m->meta_dirty = true;
        engine_settle(m);
        return api_environment_apply(m);
}

/* ---- what can be set of the manager ---- */

static const char *const levels[] = {
        [LOG_EMERG] = "emerg",     [LOG_ALERT] = "alert",   [LOG_CRIT] = "crit", [LOG_ERR] = "err",
        [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

const char *api_log_level(const struct manager *m)
{
        return levels[m->verbose ? LOG_DEBUG : LOG_INFO];
}

/* supd says few things, all of them at the level "info"; "debug" adds to them. */
void api_log_apply(struct manager *m)
{
        if (m->meta.log_level > 0)
                m->verbose = m->meta.log_level - 1 >= LOG_DEBUG;
}

int api_set_property(void *userdata, const char *name, const char *value, struct control_error *e)
{
        struct manager *m = userdata;

        for (uint32_t i = 0; streq(name, "LogLevel") && i < ARRAY_SIZE(levels); i++)
                if (streq(levels[i], value)) {
                        m->meta.log_level = 1 + i;
                        m->meta_dirty = true;
                        api_log_apply(m);
                        engine_settle(m);
                        return 0;
                }
        control_error_set(e, INVALID, "Invalid value \"%.64s\" for %.64s.", value, name);
        return -EINVAL;
}

/* ---- the end ---- */

static const struct end {
        const char *word, *target;
        uint32_t flag, request;
} ends[] = {
        {"poweroff", "poweroff.target", META_POWER, DURABLE_REQUEST_POWER},
        {"reboot", "reboot.target", META_REBOOT, DURABLE_REQUEST_REBOOT},
        {"kexec", "kexec.target", META_KEXEC, DURABLE_REQUEST_KEXEC},
        {"halt", "halt.target", META_HALT, DURABLE_REQUEST_HALT},
        {"exit", "exit.target", 0, DURABLE_REQUEST_STOP},
};

/* The request is taken by the next turn, so that the answer goes out before connections end. */
static void end_begin(struct manager *m, const struct end *end)
{
        static const uint64_t one = 1;

        m->meta.flags |= end->flag;
        m->meta_dirty = true;
        atomic_fetch_or(&m->header->requests, end->request);
        (void)!write(m->bell_fd, &one, sizeof(one));
}

int api_shutdown(void *userdata, const char *what, struct control_error *e)
{
        struct manager *m = userdata;

        for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
                if (streq(ends[i].word, what)) {
                        end_begin(m, &ends[i]);
                        engine_settle(m);
                        return 0;
                }
        control_error_set(e, INVALID, "There is no end of the kind %.64s.", what);
        return -EINVAL;
}

/* `systemctl poweroff` and its kin ask for a target; supd's own end is what it stands for. */
void api_target_asked(struct manager *m, const char *unit)
{
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
                if (streq(ends[i].target, unit))
                        end_begin(m, &ends[i]);
}

int api_reexecute(void *userdata, struct control_error *e unused_)
{
        return upgrade_begin(userdata);
}

/* ---- processes ---- */

static int process_put(struct control_answer *a, const struct process_durable *p)
{
        if (p->flags & PROCESS_RUNNING && p->pid > 0)
                control_put_pid(a, p->pid);
        return 0;
}

int api_unit_processes(void *userdata, const char *unit, struct control_answer *a, struct control_error *e)
{
        struct manager *m = userdata;
        struct sys_pids rest = {0};
        char group[1024];
        struct run *r;
        int v = api_find_loaded(m, unit, &r, e);

        if (v < 0)
                return v;
        control_put_group(a, groups_path(m, r, group, sizeof(group)));
        (void)process_put(a, &r->d.main);
        (void)process_put(a, &r->d.control);
        if (r->unit->service && procs_rest(m, r, &rest) == 0)
                for (size_t i = 0; i < rest.n; i++)
                        control_put_pid(a, (uint32_t)rest.v[i]);
        free(rest.v);
        return 0;
}

int api_queue_signal(void *userdata, const char *unit, const char *whom, int signal, int value, struct control_error *e)
{
        const struct process_durable *p;
        struct manager *m = userdata;
        struct run *r;
        int v = api_find_loaded(m, unit, &r, e);

        if (v < 0)
                return v;
        if (signal > SIGRTMAX || (!streq(whom, "main") && !streq(whom, "control") && !streq(whom, "all"))) {
                control_error_set(e, INVALID, "A signal with a value goes to main, control or all.");
                return -EINVAL;
        }
        p = streq(whom, "control") ? &r->d.control : &r->d.main;
        v = p->flags & PROCESS_RUNNING && p->pid > 0 ? sys_queue((pid_t)p->pid, p->start_time, signal, value) : -ESRCH;
        if (v == 0 && streq(whom, "all")) {
                struct sys_pids rest = {0};
                struct sys_stat st;

                if (procs_rest(m, r, &rest) < 0)
                        rest.n = 0;
                for (size_t i = 0; i < rest.n; i++)
                        if (sys_stat(rest.v[i], &st) == 0)
                                (void)sys_queue(rest.v[i], st.start_time, signal, value);
                free(rest.v);
        }
        if (v == -ESRCH)
                control_error_set(e, ERROR("NoSuchProcess"), "No %s process to kill",
                                  streq(whom, "all") ? "main" : whom);
        return v;
}

int api_unit_by_invocation(void *userdata, const uint8_t id[16], char ret_id[256], struct control_error *e)
{
        static const uint8_t none[16];
        struct manager *m = userdata;

        for (uint32_t i = 0; memcmp(id, none, 16) != 0 && i < m->n_runs; i++)
                if (memcmp(m->runs[i]->d.invocation, id, 16) == 0) {
                        (void)snprintf(ret_id, 256, "%s", m->runs[i]->name);
                        return 0;
                }
        control_error_set(e, ERROR("NoUnitForInvocationID"), "No unit with the specified invocation ID known.");
        return -ENOENT;
}
