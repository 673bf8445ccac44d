/* SPDX-License-Identifier: MIT
 *
 * Starts: the intent (slot and record) before the commit, the message to the launcher behind it, and the look at slots
 * whose start has come to its end. See abi/launch.h.
 *
 * Invariant: a message is sent for committed intents only, at most once a manager; after a crash the keeper lets the
 * next manager run only when no process of the old one can still exec, and recover.c sends again what never began. The
 * one exception are commands that stop something while nothing can be committed (engine.c).
 */
#include "manager.h"

#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "abi/launch.h"
#include "base/id128.h"

#define IDLE_MAX_US (5 * USEC_PER_SEC) /* systemd.service(5), Type=idle */

/* ---- commands ---- */

/* What stands at the current place of the current list. */
enum command_what launch_command_at(const struct manager *m, const struct run *r, const struct exec_command **ret)
{
        unsigned i = r->d.command;
        const struct exec_commands *list;

        *ret = NULL;
        if (r->d.list == LIST_CLEANUP)
                return i == 0 && plan_needs_cleanup(r->unit) ? COMMAND_CLEANUP : COMMAND_NONE;
        if (r->d.list == LIST_BUS_WAIT)
                return i == 0 ? COMMAND_BUS_WAIT : COMMAND_NONE;
        if (r->d.list == LIST_CHECK)
                return i == 0 ? COMMAND_CHECK : COMMAND_NONE;
        list = &r->unit->service->commands[r->d.list];
        if (i >= list->n || (m->meta.flags & META_FORCE && (r->d.list == EXEC_STOP || r->d.list == EXEC_STOP_POST)))
                return COMMAND_NONE;
        *ret = &list->v[i];
        return COMMAND_EXEC;
}

/* What ExecStart= starts of a forking service is found by its ancestors, or not at all, where there is no cgroup. */
static bool leaves_daemon(const struct run *r)
{
        return r->unit->service && r->unit->service->type == SERVICE_FORKING && r->d.list == EXEC_START;
}

int launch_command(struct manager *m, struct run *r, bool main)
{
        struct process_durable *p = main ? &r->d.main : &r->d.control;
        const struct exec_command *command;
        enum command_what what = launch_command_at(m, r, &command);
        uint32_t slot, generation;
        int v;

        exits_free_slot(m, p);
        p->flags = 0; /* should this fail, it was neither a check nor anything else */
        r->sent[!main] = false;
        v = state_slot_alloc(m->state, r->id, main ? 0 : 1, r->d.invocation, &slot, &generation);
        if (v < 0) {
                log_line(m, r->name, "no room to start a process: %s", strerror(-v));
                return v;
        }
        *p = (struct process_durable){
                .slot = slot,
                .generation = generation,
                .flags = PROCESS_LAUNCHING | PROCESS_RUNNING | (what == COMMAND_CHECK ? PROCESS_CHECK : 0) |
                         (what == COMMAND_CLEANUP ? PROCESS_CLEANUP : 0),
                .command_flags = command ? command->flags : 0,
                .start_real_us = sys_real_us(),
                .start_mono_us = sys_mono_us(),
        };
        if (what == COMMAND_EXEC && m->groups.c.usable)
                r->d.flags |= UNIT_GROUP;
        r->group_empty = false;
        if (leaves_daemon(r))
                memset(r->d.left, 0, sizeof(r->d.left));
        if (main && r->unit->service->type == SERVICE_IDLE) {
                p->flags |= PROCESS_IDLE;
                engine_post(m, r, EVENT_LAUNCHED, 0, 0);
        }
        engine_touch(m, r);
        return list_add(&m->unsent, r->id);
}

/* ---- Type=idle ---- */

static bool others_have_jobs(const struct manager *m, const struct run *but)
{
        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i] != but && m->runs[i]->d.job.type != JOB_NONE)
                        return true;
        return false;
}

/* Up, or stopping by commands: what has been said of the launch stands. */
static bool counts_as_launched(const struct run *r)
{
        return machine_state_watched(r->d.state) || r->d.state == STATE_STOP;
}

/* Held back while others have jobs, for IDLE_MAX_US at most; a service that is to stop is started, and ended at once.
 */
static bool held_back(struct manager *m, const struct run *r)
{
        uint64_t until = r->d.main.start_mono_us + IDLE_MAX_US;

        if (!(r->d.main.flags & PROCESS_IDLE) || !machine_state_watched(r->d.state) || sys_mono_us() >= until ||
            !others_have_jobs(m, r))
                return false;
        m->idle_until_us = m->idle_until_us == 0 ? until : MIN2(m->idle_until_us, until);
        return true;
}

void launch_idle(struct manager *m)
{
        size_t n = m->idle.n;

        m->idle_until_us = 0;
        m->idle.n = 0; /* launch_send() lists again what still waits */
        for (size_t i = 0; i < n; i++)
                launch_send(m, m->runs[m->idle.v[i]]);
}

/* ---- plans ---- */

struct extra_environment {
        char text[5][320]; /* the name of a unit fits */
        const char *v[6];
        unsigned n;
};

static const char *signal_word(int signal, char *ret, size_t size)
{
        const char *name = sigabbrev_np(signal);

        (void)snprintf(ret, size, "%s", name ? name : "?");
        return ret;
}

static void extra_put(struct extra_environment *e, const char *format, ...) printf_like_(2, 3);
static void extra_put(struct extra_environment *e, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(e->text[e->n], sizeof(e->text[e->n]), format, ap);
        va_end(ap);
        e->v[e->n] = e->text[e->n];
        e->v[++e->n] = NULL;
}

/* SERVICE_RESULT, EXIT_CODE and EXIT_STATUS of R (systemd.exec(5)). */
static void extra_put_end(struct extra_environment *e, const char *prefix, const struct run *r)
{
        static const char *const codes[] = {[CLD_EXITED] = "exited", [CLD_KILLED] = "killed", [CLD_DUMPED] = "dumped"};
        const struct process_durable *p = &r->d.main;
        char word[32];

        extra_put(e, "%sSERVICE_RESULT=%s", prefix, machine_result_name(r->d.result));
        if ((p->flags & PROCESS_RUNNING) || p->code < CLD_EXITED || p->code > CLD_DUMPED)
                return;
        extra_put(e, "%sEXIT_CODE=%s", prefix, codes[p->code]);
        if (p->code == CLD_EXITED)
                extra_put(e, "%sEXIT_STATUS=%d", prefix, p->status);
        else
                extra_put(e, "%sEXIT_STATUS=%s", prefix, signal_word(p->status, word, sizeof(word)));
}

static int take_only_one(void *userdata, uint32_t other)
{
        uint32_t *one = userdata;

        *one = *one == UINT32_MAX || *one == other ? other : UINT32_MAX - 1;
        return *one == UINT32_MAX - 1;
}

/* The one service whose OnFailure= or OnSuccess= names R; NULL when none does, or several. */
static const struct run *monitored_by(struct manager *m, const struct run *r)
{
        uint32_t one = UINT32_MAX;

        if (graph_each(m->graph, r->id, DEP_ON_FAILURE, true, take_only_one, &one) == 0)
                (void)graph_each(m->graph, r->id, DEP_ON_SUCCESS, true, take_only_one, &one);
        return one < m->n_runs && m->runs[one]->unit->service ? m->runs[one] : NULL;
}

static void extra_put_monitored(struct extra_environment *e, const struct run *r)
{
        char text[ID128_TEXT_SIZE];
        struct id128 id;

        memcpy(&id, r->d.invocation, sizeof(id));
        id128_format(&id, text);
        extra_put_end(e, "MONITOR_", r);
        if (!id128_is_null(&id))
                extra_put(e, "MONITOR_INVOCATION_ID=%s", text);
        extra_put(e, "MONITOR_UNIT=%s", r->name);
}

static void fill_extra(struct manager *m, const struct run *r, struct extra_environment *e)
{
        const struct run *monitored;

        e->n = 0;
        e->v[0] = NULL;
        if (r->d.list == EXEC_STOP || r->d.list == EXEC_STOP_POST) {
                extra_put_end(e, "", r);
        } else if (r->d.list == EXEC_START_PRE || r->d.list == EXEC_START) {
                monitored = monitored_by(m, r);
                if (monitored)
                        extra_put_monitored(e, monitored);
        }
}

static bool may_notify(const struct run *r)
{
        return r->unit->service && r->unit->service->notify_access != NOTIFY_NONE;
}

/* The unit's cgroup, for its commands: our own checks and clean-ups need none. */
static const char *plan_cgroup(const struct manager *m, const struct run *r, char *ret, size_t size)
{
        char place[1024];

        if (!(r->d.flags & UNIT_GROUP) || !groups_has(m, r))
                return NULL;
        return (size_t)snprintf(ret, size, "%s/%s", m->groups.c.base, groups_place(r, place, sizeof(place))) < size
                       ? ret
                       : NULL;
}

/* RemoveIPC=: whether another unit runs as the user of R, to which the same things belong. */
static bool user_is_busy(const struct manager *m, const struct run *r)
{
        const char *user = r->unit->service->exec->user;

        for (uint32_t i = 0; user && i < m->n_runs; i++) {
                const struct run *o = m->runs[i];
                const char *other = o->unit && o->unit->service ? o->unit->service->exec->user : NULL;

                if (o != r && other && streq(user, other) && run_active(o) != ACTIVE_INACTIVE &&
                    run_active(o) != ACTIVE_FAILED)
                        return true;
        }
        return false;
}

/* What a start gets from 3 on. */
struct passed {
        int fds[SYS_SEND_FDS - 1]; /* borrowed; one place is left for the plan */
        unsigned n;
        struct buf names; /* owned */
};

/* ExecStart= alone: to supd-bus its sockets, to others what they gave to be kept. */
static int pass_fds(struct manager *m, struct run *r, struct passed *ret)
{
        const char *names;
        int v = 0;

        if (r->d.list != EXEC_START)
                return 0;
        if (api_is_front(m, r)) {
                ret->n = front_fds(m, &names);
                memcpy(ret->fds, m->front_fds, ret->n * sizeof(int));
                v = buf_append_str(&ret->names, names);
        }
        if (v >= 0)
                v = fdstore_pass(r, ret->fds + ret->n, (unsigned)ARRAY_SIZE(ret->fds) - ret->n, &ret->names);
        ret->n += v > 0 ? (unsigned)v : 0;
        return v < 0 ? v : 0;
}

/* Our own helper, in the place of a command of the unit, with nothing of what the unit may not do. */
static int build_bus_wait(struct manager *m, const struct run *r, const struct plan_context *c, struct diag *diag)
{
        const char *dir = getenv("SUPD_LIBEXEC_DIR"), *runtime = getenv("XDG_RUNTIME_DIR");
        const char *address = getenv(m->user_mode ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
        char path[PATH_MAX], where[PATH_MAX];
        char *words[] = {path, r->unit->service->bus_name, where};
        const struct exec_command command = {
                .path = path,
                .words = {words, ARRAY_SIZE(words)},
                .flags = EXEC_FULL_PRIVILEGE | EXEC_NO_EXPAND,
        };

        (void)snprintf(path, sizeof(path), "%s/supd-bus-wait", dir ? dir : SUPD_LIBEXECDIR);
        if (address)
                (void)snprintf(where, sizeof(where), "%s", address);
        else if (m->user_mode && runtime)
                (void)snprintf(where, sizeof(where), "unix:path=%s/bus", runtime);
        else
                (void)snprintf(where, sizeof(where), "unix:path=/run/dbus/system_bus_socket");
        return plan_build_command(&m->plan, r->unit, &command, EXEC_START_PRE, c, diag);
}

static int build_plan(struct manager *m, struct run *r, const struct process_durable *p, const struct passed *passed,
                      struct diag *diag)
{
        const struct unit_context *u = &m->context;
        struct extra_environment extra;
        char cgroup[PATH_MAX];
        struct plan_context c = {
                .runtime_root = u->runtime_dir_root,
                .state_root = u->state_root,
                .cache_root = u->cache_root,
                .logs_root = u->logs_root,
                .configuration_root = u->configuration_root,
                .log_dir = m->log_dir,
                .notify_socket = may_notify(r) && m->notify_fd >= 0 ? m->notify_path : NULL,
                .base_environment = m->base_environment,
                .extra_environment = extra.v,
                .main_pid = (r->d.main.flags & PROCESS_RUNNING) && p != &r->d.main ? (int64_t)r->d.main.pid : 0,
                .watchdog_us = p == &r->d.main ? r->unit->service->watchdog_us : 0,
                .n_listen_fds = passed->n,
                .listen_names = buf_str(&passed->names),
        };
        const struct exec_command *command;

        memcpy(c.invocation, r->d.invocation, sizeof(c.invocation));
        c.nofile.set = m->nofile.set;
        c.nofile.soft = m->nofile.soft;
        c.nofile.hard = m->nofile.hard;
        c.cgroup = plan_cgroup(m, r, cgroup, sizeof(cgroup));
        c.note_left = leaves_daemon(r) && !c.cgroup;
        fill_extra(m, r, &extra);
        buf_reset(&m->plan);
        switch (launch_command_at(m, r, &command)) {
        case COMMAND_CHECK:
                return plan_build_check(&m->plan, r->unit, &c, diag);
        case COMMAND_CLEANUP:
                c.keep_ipc = r->unit->service->exec->rare->remove_ipc && user_is_busy(m, r);
                return plan_build_cleanup(&m->plan, r->unit, launch_keeps_runtime(m, r), &c, diag);
        case COMMAND_EXEC:
                resources_prepare(m, r, &c);
                return plan_build_command(&m->plan, r->unit, command, r->d.list, &c, diag);
        case COMMAND_BUS_WAIT:
                return build_bus_wait(m, r, &c, diag);
        case COMMAND_NONE:
                break;
        }
        return -EINVAL;
}

/* RuntimeDirectoryPreserve=: whether the directories outlive this end. */
bool launch_keeps_runtime(struct manager *m, struct run *r)
{
        enum preserve_mode mode = r->unit->service->exec->runtime_preserve;

        if (mode == PRESERVE_RESTART)
                return (service_facts(m, r) >> GUARD_RESTART & 1) || r->d.job.type == JOB_RESTART ||
                       r->d.job.type == JOB_START;
        return mode == PRESERVE_YES;
}

static void launch_refused(struct manager *m, struct run *r, struct process_durable *p, int error)
{
        struct durable_slot *s = state_slot(m->state, p->slot);

        log_line(m, r->name, "cannot be started: %s", strerror(-error));
        atomic_store(&s->step, PLAN_STEP_PLAN);
        atomic_store(&s->error, -error);
        atomic_store(&s->launch, LAUNCH_FAILED);
        if (!r->launch_listed && list_add(&m->launching, r->id) == 0)
                r->launch_listed = true;
        launch_look(m);
}

static int send_plan(struct manager *m, const struct process_durable *p, const struct passed *passed)
{
        cleanup_close_ int memfd = -1;
        struct launch_message head = {
                .magic = LAUNCH_MAGIC,
                .slot = p->slot,
                .generation = p->generation,
                .plan_size = (uint32_t)m->plan.size,
                .n_extra_fds = passed->n,
        };
        int fds[SYS_SEND_FDS];
        unsigned n = 0;

        if (m->plan.size > LAUNCH_INLINE_MAX) {
                memfd = sys_memfd(m->plan.data, m->plan.size);
                if (memfd < 0)
                        return memfd;
                head.in_memfd = 1;
                fds[n++] = memfd;
        }
        memcpy(fds + n, passed->fds, passed->n * sizeof(int));
        n += passed->n;
        return sys_send(m->plans_fd, &head, sizeof(head), m->plan.data, head.in_memfd ? 0 : m->plan.size, fds, n);
}

static int plan_and_send(struct manager *m, struct run *r, const struct process_durable *p)
{
        cleanup_diag_ struct diag diag = {0};
        struct passed passed = {.n = 0};
        int v = pass_fds(m, r, &passed);

        if (v == 0)
                v = build_plan(m, r, p, &passed, &diag);
        log_diag(m, &diag);
        if (v == 0)
                v = send_plan(m, p, &passed);
        buf_done(&passed.names);
        return v;
}

/* What was held back is sent when the lists have gone on: it is ExecStart= all the same. */
static int plan_and_send_main(struct manager *m, struct run *r, const struct process_durable *p)
{
        uint8_t list = r->d.list;
        uint16_t command = r->d.command;
        int v;

        r->d.list = EXEC_START;
        r->d.command = 0;
        v = plan_and_send(m, r, p);
        r->d.list = list;
        r->d.command = command;
        return v;
}

static void send_one(struct manager *m, struct run *r, struct process_durable *p)
{
        unsigned which = p == &r->d.control;
        int v;

        if (!(p->flags & PROCESS_LAUNCHING) || r->sent[which])
                return;
        if (which == 0 && held_back(m, r)) {
                (void)list_add(&m->idle, r->id);
                return;
        }
        if (m->unwritten_end && (which == 0 || machine_state_active(r->d.state) != MACHINE_DEACTIVATING))
                v = -ENOSPC; /* of its intent nobody who takes over would know */
        else
                v = p->flags & PROCESS_IDLE ? plan_and_send_main(m, r, p) : plan_and_send(m, r, p);
        if (v == -EAGAIN) {
                (void)loop_change(m, m->plans_source, EPOLLOUT); /* plans_ready() sends it again */
                return;
        }
        if (v == -EPIPE || v == -ECONNRESET) {
                log_line(m, NULL, "the launcher is gone; starting over from the durable state");
                _exit(13); /* as in plans_ready() */
        }
        if (v < 0) {
                launch_refused(m, r, p, v);
                return;
        }
        r->sent[which] = true;
        if (!r->launch_listed && list_add(&m->launching, r->id) == 0)
                r->launch_listed = true;
}

void launch_send(struct manager *m, struct run *r)
{
        send_one(m, r, &r->d.main);
        send_one(m, r, &r->d.control);
}

/* ---- starts that have come to their end ---- */

/* What errno does not tell: the words for a failed step, and what mends it. */
static const struct {
        uint32_t step;
        int error;
        const char *words;
} mends[] = {
        {PLAN_STEP_USER, ESRCH, "there is no such user; create it or correct User="},
        {PLAN_STEP_USER, ENOENT, "there is no such user; create it or correct User="},
        {PLAN_STEP_GROUP, ESRCH, "there is no such group; create it or correct Group="},
        {PLAN_STEP_GROUP, ENOENT, "there is no such group; create it or correct Group="},
        {PLAN_STEP_EXEC, ENOENT, "there is no such program; is it installed where ExecStart= says?"},
        {PLAN_STEP_EXEC, EACCES, "the program may not be executed; look at its mode and its file system"},
        {PLAN_STEP_CHDIR, ENOENT, "there is no such directory; create it or correct WorkingDirectory="},
        {PLAN_STEP_ENVIRONMENT_FILE, ENOENT, "there is no such file; write EnvironmentFile=-… when it may be missing"},
};

static void say_step(struct manager *m, const struct run *r, const struct durable_slot *s)
{
        uint32_t step = atomic_load(&s->step);
        int error = atomic_load(&s->error);
        const char *words = error ? strerror(error) : "failed";

        if (step == PLAN_STEP_NONE || step >= N_PLAN_STEPS)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(mends); i++)
                if (mends[i].step == step && mends[i].error == error)
                        words = mends[i].words;
        log_line(m, r->name, "%s: %s%s", plan_step_name(step), words,
                 atomic_load(&s->launch) == LAUNCH_EXECED ? " (started all the same)" : "");
}

static void kill_again(struct manager *m, struct run *r)
{
        enum kill_what what = service_kills_in(r->d.state);

        if (what == KILL_NOTHING)
                return;
        if (r->kill_due == KILL_NOTHING && list_add(&m->effects, r->id) < 0)
                return;
        r->kill_due = (uint8_t)what;
}

static void launched(struct manager *m, struct run *r, struct process_durable *p, struct durable_slot *s)
{
        bool is_main = p == &r->d.main;

        if (m->launcher_file >= 0 && r->sent[!is_main])
                launcher_keep(m);
        p->pid = state_slot_pid(m->state, p->slot);
        p->session = atomic_load(&s->session);
        p->start_time = atomic_load(&s->start_time);
        if (is_main && !((p->flags & PROCESS_IDLE) && counts_as_launched(r)))
                engine_post(m, r, EVENT_LAUNCHED, 0, 0);
        else if (!is_main)
                kill_again(m, r); /* a stop may have overtaken it */
}

static void launch_failed(struct manager *m, struct run *r, struct process_durable *p, struct durable_slot *s)
{
        const struct service_config *c = r->unit->service;
        bool is_main = p == &r->d.main;
        bool lenient = c && (c->type == SERVICE_SIMPLE || c->type == SERVICE_IDLE);
        uint32_t pid = state_slot_pid(m->state, p->slot);

        p->flags |= PROCESS_SPAWN_BAD;
        if (pid != 0) { /* its exit comes by the ring; simple counts as started all the same */
                p->pid = pid;
                p->session = atomic_load(&s->session);
                if (is_main && lenient && !((p->flags & PROCESS_IDLE) && counts_as_launched(r)))
                        engine_post(m, r, EVENT_LAUNCHED, 0, 0);
                return;
        }
        p->flags &= ~PROCESS_RUNNING;
        if (atomic_load(&s->step) == PLAN_STEP_LAUNCHER_DIED)
                p->generation = 0; /* a service-to-be that nobody saw may still store its pid there, see that the start
                                      has failed, and go: the slot rests until the next manager */
        else
                exits_free_slot(m, p);
        if (is_main && (p->flags & PROCESS_IDLE) && counts_as_launched(r))
                engine_post(m, r, EVENT_MAIN_UNCLEAN, -1, 0);
        else
                engine_post(m, r, is_main ? EVENT_LAUNCH_FAILED : EVENT_CONTROL_FAILED, -1, 0);
}

/* True when P's start is still under way. */
static bool look_at(struct manager *m, struct run *r, struct process_durable *p)
{
        struct durable_slot *s;
        uint32_t launch;

        if (!(p->flags & PROCESS_LAUNCHING) || p->generation == 0)
                return false;
        s = state_slot(m->state, p->slot);
        launch = atomic_load_explicit(&s->launch, memory_order_acquire);
        if (launch == LAUNCH_INTENT)
                return true;
        p->flags &= ~PROCESS_LAUNCHING;
        if (atomic_load(&s->last_pid) != 0 && atomic_load(&s->group) == 0 &&
            !(p->flags & (PROCESS_CHECK | PROCESS_CLEANUP)))
                r->d.flags |= UNIT_OUTSIDE;
        engine_touch(m, r);
        say_step(m, r, s);
        if (launch == LAUNCH_FAILED)
                launch_failed(m, r, p, s);
        else
                launched(m, r, p, s);
        return false;
}

void launch_look(struct manager *m)
{
        size_t n = 0;

        for (size_t i = 0; i < m->launching.n; i++) {
                struct run *r = m->runs[m->launching.v[i]];
                bool main_waits = look_at(m, r, &r->d.main);
                bool control_waits = look_at(m, r, &r->d.control);
                if (main_waits || control_waits)
                        m->launching.v[n++] = r->id;
                else
                        r->launch_listed = false;
        }
        m->launching.n = n;
}
