/* SPDX-License-Identifier: MIT
 *
 * What follows from several settings of a unit together: implied values, contradictions that refuse it (rules 5, 31,
 * 32, 42), and the default dependencies (rule 60), which are added as if they were written. See draft.h.
 */
#include "unit/draft.h"

#include "syntax/environment.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>

/* ---- lists: each thing once ---- */

struct ranked { /* for sorting without losing the order */
        char *s;
        size_t key; /* bytes of S that count */
        unsigned rank;
};

static int compare_ranked(const void *a, const void *b)
{
        const struct ranked *x = a, *y = b;
        int r = memcmp(x->s, y->s, MIN2(x->key, y->key));

        if (r == 0)
                r = (x->key > y->key) - (x->key < y->key);
        return r != 0 ? r : (x->rank > y->rank) - (x->rank < y->rank);
}

static size_t key_whole(const char *s)
{
        return strlen(s);
}

static size_t key_name(const char *s)
{
        return strcspn(s, "=");
}

/* Leaves of entries with equal keys only the first, or only the last; keeps the order. */
static int strings_unique(struct strings *l, size_t (*key)(const char *s), bool last)
{
        cleanup_free_ struct ranked *v = NULL;
        unsigned n = 0;

        if (l->n < 2)
                return 0;
        v = calloc(l->n, sizeof(*v));
        if (!v)
                return -ENOMEM;
        for (unsigned i = 0; i < l->n; i++)
                v[i] = (struct ranked){l->v[i], key(l->v[i]), i};
        qsort(v, l->n, sizeof(*v), compare_ranked);
        for (unsigned i = 0; i < l->n; i++) {
                const struct ranked *other = last ? (i + 1 < l->n ? &v[i + 1] : NULL) : (i > 0 ? &v[i - 1] : NULL);
                if (other && other->key == v[i].key && memcmp(other->s, v[i].s, v[i].key) == 0)
                        l->v[v[i].rank] = NULL;
        }
        for (unsigned i = 0; i < l->n; i++)
                if (l->v[i])
                        l->v[n++] = l->v[i];
        l->n = n;
        return 0;
}

static bool strings_have(const struct strings *l, const char *s)
{
        for (unsigned i = 0; i < l->n; i++)
                if (streq(l->v[i], s))
                        return true;
        return false;
}

/* ---- dependencies ---- */

static int depend(struct draft *d, enum unit_dependency dep, const char *name)
{
        struct strings *l = &d->dependencies[dep];

        return streq(name, d->unit.id) || strings_have(l, name) ? 0 : draft_add_string(d, l, name);
}

/* Default dependencies by type (rule 60); NULL ends a row's list. */
struct default_dependency {
        enum unit_type type;
        enum unit_dependency dependency;
        const char *name;
};
static const struct default_dependency default_dependencies[] = {
        {UNIT_SERVICE, DEP_REQUIRES, "sysinit.target"},  {UNIT_SERVICE, DEP_AFTER, "sysinit.target"},
        {UNIT_SERVICE, DEP_AFTER, "basic.target"},       {UNIT_SERVICE, DEP_CONFLICTS, "shutdown.target"},
        {UNIT_SERVICE, DEP_BEFORE, "shutdown.target"},   {UNIT_TARGET, DEP_CONFLICTS, "shutdown.target"},
        {UNIT_TARGET, DEP_BEFORE, "shutdown.target"},    {UNIT_SOCKET, DEP_BEFORE, "sockets.target"},
        {UNIT_SOCKET, DEP_REQUIRES, "sysinit.target"},   {UNIT_SOCKET, DEP_AFTER, "sysinit.target"},
        {UNIT_SOCKET, DEP_CONFLICTS, "shutdown.target"}, {UNIT_SOCKET, DEP_BEFORE, "shutdown.target"},
        {UNIT_TIMER, DEP_BEFORE, "timers.target"},       {UNIT_TIMER, DEP_REQUIRES, "sysinit.target"},
        {UNIT_TIMER, DEP_AFTER, "sysinit.target"},       {UNIT_TIMER, DEP_CONFLICTS, "shutdown.target"},
        {UNIT_TIMER, DEP_BEFORE, "shutdown.target"},     {UNIT_PATH, DEP_BEFORE, "paths.target"},
        {UNIT_PATH, DEP_REQUIRES, "sysinit.target"},     {UNIT_PATH, DEP_AFTER, "sysinit.target"},
        {UNIT_PATH, DEP_CONFLICTS, "shutdown.target"},   {UNIT_PATH, DEP_BEFORE, "shutdown.target"},
        {UNIT_MOUNT, DEP_BEFORE, "local-fs.target"},     {UNIT_MOUNT, DEP_AFTER, "local-fs-pre.target"},
        {UNIT_MOUNT, DEP_CONFLICTS, "umount.target"},    {UNIT_MOUNT, DEP_BEFORE, "umount.target"},
        {UNIT_SLICE, DEP_CONFLICTS, "shutdown.target"},  {UNIT_SLICE, DEP_BEFORE, "shutdown.target"},
};

static int strings_append(struct draft *d, struct strings *l, const struct strings *more)
{
        int r = 0;

        for (unsigned i = 0; i < more->n && r >= 0; i++)
                r = draft_add_string(d, l, more->v[i]);
        return r;
}

/* What a target pulls in comes before it, unless it says otherwise. */
static int order_target(struct draft *d)
{
        static const enum unit_dependency pulls[] = {DEP_REQUIRES, DEP_REQUISITE, DEP_WANTS, DEP_BINDS_TO, DEP_UPHOLDS};
        struct strings *after = &d->dependencies[DEP_AFTER];
        struct strings all = {0}; /* what is ordered already, then the rest of what is pulled in */
        unsigned n_ordered;
        int r = strings_append(d, &all, after);

        if (r >= 0)
                r = strings_append(d, &all, &d->dependencies[DEP_BEFORE]);
        if (r >= 0)
                r = strings_unique(&all, key_whole, false);
        n_ordered = all.n;
        for (size_t i = 0; i < ARRAY_SIZE(pulls) && r >= 0; i++)
                r = strings_append(d, &all, &d->dependencies[pulls[i]]);
        if (r >= 0)
                r = strings_unique(&all, key_whole, false);
        for (unsigned i = n_ordered; i < all.n && r >= 0; i++)
                r = draft_add_string(d, after, all.v[i]);
        d->unit.n_default_after = all.n - n_ordered;
        return r;
}

static int add_default_dependencies(struct draft *d)
{
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(default_dependencies) && r >= 0; i++)
                if (default_dependencies[i].type == d->unit.type)
                        r = depend(d, default_dependencies[i].dependency, default_dependencies[i].name);
        if (r >= 0 && d->unit.type == UNIT_TARGET)
                r = order_target(d);
        return r;
}

/* What lies in a slice needs it. That of a slice follows from its name: "a-b.slice" lies in "a.slice". The slices that
 * are always there need not be named. */
static int add_slice(struct draft *d)
{
        const char *slice = d->group.slice, *dash;
        char parent[UNIT_NAME_MAX + 8];
        int r;

        if (d->unit.type == UNIT_SLICE) {
                d->group.slice = NULL;
                dash = strrchr(d->unit.id, '-');
                if (!dash || dash == d->unit.id)
                        return 0;
                (void)snprintf(parent, sizeof(parent), "%.*s.slice", (int)(dash - d->unit.id), d->unit.id);
                slice = parent;
        }
        if (!slice || streq(slice, "-.slice"))
                return 0;
        r = depend(d, DEP_REQUIRES, slice);
        return r < 0 ? r : depend(d, DEP_AFTER, slice);
}

static int add_implied_dependencies(struct draft *d)
{
        const struct service_config *s = &d->service;
        int r = add_slice(d);

        if (r >= 0 && d->unit.trigger)
                r = depend(d, DEP_BEFORE, d->unit.trigger);
        if (r < 0 || d->unit.type != UNIT_SERVICE)
                return r;
        for (unsigned i = 0; i < s->sockets.n && r >= 0; i++) {
                r = depend(d, DEP_WANTS, s->sockets.v[i]);
                if (r >= 0)
                        r = depend(d, DEP_AFTER, s->sockets.v[i]);
        }
        if (r >= 0 && s->type == SERVICE_DBUS) {
                r = depend(d, DEP_REQUIRES, "dbus.socket");
                if (r >= 0)
                        r = depend(d, DEP_AFTER, "dbus.socket");
        }
        return r;
}

static bool target_is_empty(const struct draft *d)
{
        const struct strings *l = d->dependencies;

        return d->unit.type == UNIT_TARGET &&
               l[DEP_REQUIRES].n + l[DEP_REQUISITE].n + l[DEP_WANTS].n + l[DEP_BINDS_TO].n + l[DEP_UPHOLDS].n == 0;
}

static void drop_self(struct draft *d)
{
        for (int i = 0; i < N_UNIT_DEPENDENCIES; i++) {
                struct strings *l = &d->dependencies[i];
                unsigned n = 0;

                for (unsigned j = 0; j < l->n; j++)
                        if (!streq(l->v[j], d->unit.id))
                                l->v[n++] = l->v[j];
                if (n < l->n)
                        diag_add(d->diag, DIAG_WARNING, d->unit.fragment_path, 0, NULL,
                                 "%s= names the unit itself, which is ignored",
                                 unit_dependency_name((enum unit_dependency)i));
                l->n = n;
        }
}

static int settle_dependencies(struct draft *d)
{
        int r = 0;

        drop_self(d);
        for (int i = 0; i < N_UNIT_DEPENDENCIES && r >= 0; i++)
                r = strings_unique(&d->dependencies[i], key_whole, false);
        d->unit.is_empty_target = target_is_empty(d);
        if (r >= 0)
                r = add_implied_dependencies(d);
        if (r >= 0 && d->unit.default_dependencies)
                r = add_default_dependencies(d);
        return r;
}

/* ---- services ---- */

static void settle_type(struct draft *d)
{
        struct service_config *s = &d->service;

        if (s->type != N_SERVICE_TYPES)
                return;
        if (s->commands[EXEC_START].n == 0)
                s->type = SERVICE_ONESHOT;
        else
                s->type = s->bus_name ? SERVICE_DBUS : SERVICE_SIMPLE;
}

static uint64_t given(uint64_t value, uint64_t configured, uint64_t otherwise)
{
        if (value != USEC_UNSET)
                return value;
        return configured ? configured : otherwise;
}

static void settle_times(struct draft *d)
{
        static const struct unit_context nothing;
        const struct unit_context *c = d->context ? d->context : &nothing;
        struct service_config *s = &d->service;

        if (s->timeout_start_us == USEC_UNSET && s->type == SERVICE_ONESHOT)
                s->timeout_start_us = USEC_INFINITY;
        s->timeout_start_us = given(s->timeout_start_us, c->default_timeout_start_us, 90 * USEC_PER_SEC);
        s->timeout_stop_us = given(s->timeout_stop_us, c->default_timeout_stop_us, 90 * USEC_PER_SEC);
        s->timeout_abort_us = given(s->timeout_abort_us, 0, s->timeout_stop_us);
        s->restart_us = given(s->restart_us, c->default_restart_us, 100 * USEC_PER_MSEC);
        if (s->watchdog_us == USEC_INFINITY)
                s->watchdog_us = 0;
}

/* Who manages cgroups of his own minds himself what the kernel kills in them. */
static void settle_oom(struct draft *d)
{
        if (d->service.oom_policy == N_OOM_POLICIES)
                d->service.oom_policy = d->group.delegate ? OOM_CONTINUE : OOM_STOP;
}

static void settle_notify(struct draft *d)
{
        struct service_config *s = &d->service;

        if (s->notify_access == NOTIFY_NONE && (s->type == SERVICE_NOTIFY || s->type == SERVICE_NOTIFY_RELOAD ||
                                                s->watchdog_us > 0 || s->fd_store_max > 0))
                s->notify_access = NOTIFY_MAIN;
}

static void settle_exec(struct draft *d)
{
        enum { IO_NONE, IO_BEST_EFFORT = 2, IO_USUAL = 4 };
        struct exec_config *e = &d->exec;

        if (e->io_priority < 0)
                e->io_priority = e->io_set ? IO_USUAL : 0;
        if (e->io_set && e->io_class == IO_NONE) /* no class that could be set: what the kernel takes it for */
                e->io_class = IO_BEST_EFFORT;
        if (e->input_data && e->input == INPUT_NULL)
                e->input = INPUT_DATA;
        if (e->cpu_policy_set && e->cpu_priority == 0 && (e->cpu_policy == SCHED_FIFO || e->cpu_policy == SCHED_RR))
                e->cpu_priority = 1;
}

/* DynamicUser=: no user is made up here. User=, or one of the unit's name, is taken when it exists, as systemd does;
 * when it does not, the start fails. Never as the user of the manager. */
static int settle_dynamic_user(struct draft *d)
{
        struct exec_config *e = &d->exec;

        if (!e->dynamic_user)
                return 0;
        e->dynamic_user = false;
        e->no_new_privileges = true;
        if (!e->user) {
                e->user = arena_strndup(&d->scratch, d->name.prefix, d->name.prefix_size);
                if (!e->user)
                        return -ENOMEM;
        }
        return draft_add_notice(d, "DynamicUser=: no user is made up, it has to exist");
}

static int check_refusals(struct draft *d)
{
        int r = 0;

        for (unsigned i = 0; i < d->n_refusals && r >= 0; i++)
                r = draft_refuse(d, d->refusals[i].file, d->refusals[i].line,
                                 "reset it with an empty value in a drop-in if the unit may run without it",
                                 "%s= is not supported, and leaving it out would change what the unit may do",
                                 d->refusals[i].row->key);
        return r;
}

/* Isolating two would mean stopping each for the other. */
static int check_isolation(struct draft *d)
{
        if (!d->unit.on_failure_job_mode || !streq(d->unit.on_failure_job_mode, "isolate") ||
            d->dependencies[DEP_ON_FAILURE].n < 2)
                return 0;
        return draft_refuse(d, d->unit.fragment_path, 0, "leave one of them, or set another OnFailureJobMode=",
                            "OnFailure= names more than one unit, which goes not with OnFailureJobMode=isolate");
}

static int check_service(struct draft *d)
{
        const struct service_config *s = &d->service;
        unsigned n_start = s->commands[EXEC_START].n;
        const char *file = d->unit.fragment_path;

        if (n_start == 0 && s->commands[EXEC_STOP].n == 0 && d->unit.success_action == ACTION_NONE)
                return draft_refuse(d, file, 0, "add ExecStart= to [Service]",
                                    "service has no ExecStart= and no ExecStop=");
        if (n_start == 0 && s->type != SERVICE_ONESHOT)
                return draft_refuse(d, file, 0, "add ExecStart=, or set Type=oneshot",
                                    "service without ExecStart= must be of Type=oneshot");
        if (n_start == 0 && !s->remain_after_exit && d->unit.success_action == ACTION_NONE)
                return draft_refuse(d, file, 0, "set RemainAfterExit=yes",
                                    "service without ExecStart= must have RemainAfterExit=yes");
        if (n_start > 1 && s->type != SERVICE_ONESHOT)
                return draft_refuse(d, s->commands[EXEC_START].v[1].file, s->commands[EXEC_START].v[1].line,
                                    "set Type=oneshot, or reset the first with an empty ExecStart=",
                                    "service has more than one ExecStart=, which needs Type=oneshot");
        if (s->type == SERVICE_ONESHOT && (s->restart == RESTART_ALWAYS || s->restart == RESTART_ON_SUCCESS))
                return draft_refuse(d, file, 0,
                                    "use Restart=on-failure, or another Type=", "Restart=%s goes not with Type=oneshot",
                                    service_restart_name(s->restart));
        if (s->type == SERVICE_ONESHOT && s->exit_type_cgroup)
                return draft_refuse(d, file, 0, "use ExitType=main", "ExitType=cgroup goes not with Type=oneshot");
        if (s->type == SERVICE_DBUS && !s->bus_name)
                return draft_refuse(d, file, 0, "add BusName=", "service of Type=dbus has no BusName=");
        return 0;
}

static int settle_service(struct draft *d)
{
        int r;

        settle_type(d);
        settle_times(d);
        settle_oom(d);
        settle_notify(d);
        settle_exec(d);
        r = settle_dynamic_user(d);
        if (r >= 0)
                r = strings_unique(&d->exec.environment, key_name, true);
        return r;
}

/* ---- the whole ---- */

static int settle_trigger(struct draft *d)
{
        char name[UNIT_NAME_MAX + 16];

        if (d->unit.trigger || (d->unit.type != UNIT_SOCKET && d->unit.type != UNIT_TIMER && d->unit.type != UNIT_PATH))
                return 0;
        (void)snprintf(name, sizeof(name), "%.*s%s", (int)(d->name.suffix - d->unit.id), d->unit.id,
                       d->socket_accept && !d->name.instance ? "@.service" : ".service");
        d->unit.trigger = arena_strdup(&d->scratch, name);
        return d->unit.trigger ? 0 : -ENOMEM;
}

static int settle_load_error(struct draft *d)
{
        struct buf *b = &d->error;
        int r = 0;

        if (d->unit.load_state == LOAD_LOADED && unit_name_is_template(d->unit.id)) {
                d->unit.load_state = LOAD_ERROR;
                r = buf_printf(b, "Unit %s is a template; name an instance: %.*s@NAME%s", d->unit.id,
                               (int)d->name.prefix_size, d->name.prefix, d->name.suffix);
        } else if (d->unit.load_state == LOAD_NOT_FOUND && b->size == 0) {
                r = buf_printf(b, "Unit %s not found.", d->unit.id);
        } else if (d->unit.load_state == LOAD_MASKED && b->size == 0) {
                r = buf_printf(b, "Unit %s is masked.", d->unit.id);
        }
        if (r < 0 || d->unit.load_state == LOAD_LOADED)
                return r;
        d->unit.load_error = arena_strdup(&d->scratch, buf_str(b));
        return d->unit.load_error ? 0 : -ENOMEM;
}

int draft_settle(struct draft *d)
{
        int r = 0;

        if (d->unit.type == UNIT_SERVICE)
                r = settle_service(d);
        if (r >= 0)
                r = check_refusals(d);
        if (r >= 0)
                r = settle_trigger(d);
        if (r >= 0 && (d->unit.load_state == LOAD_LOADED || d->unit.load_state == LOAD_BAD_SETTING))
                r = settle_dependencies(d);
        if (r >= 0 && d->unit.load_state == LOAD_LOADED)
                r = check_isolation(d);
        if (r >= 0 && d->unit.type == UNIT_SERVICE && d->unit.load_state == LOAD_LOADED)
                r = check_service(d);
        if (d->unit.job_running_timeout_us == USEC_UNSET)
                d->unit.job_running_timeout_us = d->unit.job_timeout_us;
        if (!d->unit.description)
                d->unit.description = d->unit.id;
        return r < 0 ? r : settle_load_error(d);
}
