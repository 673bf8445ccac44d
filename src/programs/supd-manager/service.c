/* SPDX-License-Identifier: MIT
 *
 * The actions of the service table, a function each, and the facts that its guards ask for.
 *
 * Not here: which action follows which event (machine/service-table.h). Invariant: an action changes the record and
 * queues events or effects; effects are carried out behind the commit only.
 */
#include "manager.h"

#include <signal.h>

static const struct service_config *config(const struct run *r)
{
        return r->unit->service;
}

static enum unit_active active_of(enum machine_state s)
{
        static const enum unit_active words[] = {
                [MACHINE_INACTIVE] = ACTIVE_INACTIVE,
                [MACHINE_ACTIVATING] = ACTIVE_ACTIVATING,
                [MACHINE_ACTIVE] = ACTIVE_ACTIVE,
                [MACHINE_RELOADING] = ACTIVE_RELOADING,
                [MACHINE_DEACTIVATING] = ACTIVE_DEACTIVATING,
                [MACHINE_FAILED] = ACTIVE_FAILED,
        };

        return words[machine_state_active(s)];
}

enum unit_active run_active(const struct run *r)
{
        return active_of(r->d.state);
}

/* Asserts are looked at behind the conditions, ExecCondition= behind both. */
bool unit_skipped_asserts(const struct run *r)
{
        return (r->d.flags & UNIT_CONDITION_FAILED) && r->d.result != SERVICE_RESULT_EXEC_CONDITION;
}

struct past_durable run_main_shown(const struct run *r)
{
        const struct process_durable *p = &r->d.main;

        if (p->start_mono_us == 0)
                return r->d.past;
        return (struct past_durable){
                .pid = p->pid ? p->pid : p->last_pid,
                .code = p->code,
                .status = p->status,
                .start_real_us = p->start_real_us,
                .start_mono_us = p->start_mono_us,
                .exit_real_us = p->exit_real_us,
                .exit_mono_us = p->exit_mono_us,
        };
}

/* ---- facts ---- */

static bool limit_hit(const struct run *r)
{
        uint64_t interval = r->unit->start_limit_interval_us;

        if (interval == 0 || r->unit->start_limit_burst == 0)
                return false;
        if (r->d.limit_count == 0 || sys_mono_us() - r->d.limit_begin_us > interval)
                return false;
        return r->d.limit_count >= r->unit->start_limit_burst;
}

static bool main_alive(const struct run *r)
{
        return (r->d.main.flags & PROCESS_RUNNING) || (r->d.flags & UNIT_MAIN_UNKNOWN);
}

static bool wants_restart(struct manager *m, const struct run *r)
{
        const struct process_durable *p = &r->d.main;

        if ((r->d.flags & UNIT_STOP_REQUESTED) || (m->meta.flags & META_STOPPING))
                return false;
        return machine_wants_restart(config(r), r->d.result, p->code, p->status);
}

bool service_can_reload(const struct unit *u)
{
        return u->service && (u->service->commands[EXEC_RELOAD].n > 0 || u->service->type == SERVICE_NOTIFY_RELOAD);
}

/* TimeoutStartFailureMode= while it comes up, TimeoutStopFailureMode= else. */
static uint32_t timeout_facts(const struct run *r)
{
        const struct service_config *c = config(r);
        enum timeout_failure_mode mode = machine_state_active(r->d.state) == MACHINE_ACTIVATING
                                                 ? c->timeout_start_failure_mode
                                                 : c->timeout_stop_failure_mode;

        if (mode == TIMEOUT_ABORT)
                return 1u << GUARD_TIMEOUT_ABORTS;
        return mode == TIMEOUT_KILL && c->kill->send_sigkill ? 1u << GUARD_TIMEOUT_KILLS : 0;
}

static uint32_t notify_facts(const struct run *r)
{
        const struct service_config *c = config(r);
        uint32_t f = 0;

        if (c->type == SERVICE_NOTIFY_RELOAD && (r->d.main.flags & PROCESS_RUNNING))
                f |= 1u << (c->commands[EXEC_RELOAD].n > 0 ? GUARD_RELOAD_BY_BOTH : GUARD_RELOAD_BY_SIGNAL);
        if (main_alive(r) && (r->d.flags & UNIT_SAYS_RELOADING))
                f |= 1u << GUARD_SAYS_RELOADING;
        if (main_alive(r) && (r->d.flags & UNIT_SAYS_STOPPING))
                f |= 1u << GUARD_SAYS_STOPPING;
        if (c->oom_policy == OOM_KILL)
                f |= 1u << GUARD_OOM_KILLS;
        return f;
}

/* After ExecStopPost= the main process is waited for once more, where it was not killed (as systemd does). */
static uint32_t main_facts(const struct manager *m, const struct run *r)
{
        bool post = r->d.list == EXEC_STOP_POST && r->d.command > 0 && !(m->meta.flags & META_FORCE);

        if (!(r->d.main.flags & PROCESS_RUNNING))
                return 0;
        return 1u << GUARD_MAIN_RUNS | (post ? 1u << GUARD_POST_WAITS : 0);
}

/* ExecStartPost= may be what writes the PID file, or another one than there was. */
static bool pid_file_due(const struct run *r)
{
        const struct service_config *c = config(r);

        return c->type == SERVICE_FORKING && c->pid_file && c->commands[EXEC_START_POST].n > 0 &&
               !(r->d.flags & UNIT_PIDFILE_READ);
}

uint32_t service_facts(struct manager *m, struct run *r)
{
        const struct service_config *c = config(r);
        bool good = r->d.result == SERVICE_RESULT_SUCCESS || r->d.result == SERVICE_RESULT_EXEC_CONDITION;
        uint32_t f = 1u << GUARD_ALWAYS;

        if (plan_needs_check(r->unit))
                f |= 1u << GUARD_NEEDS_CHECK;
        if (r->d.job.type != JOB_START || !r->d.job.running)
                f |= 1u << GUARD_UNWANTED;
        if (!c)
                return f;
        if (limit_hit(r))
                f |= 1u << GUARD_LIMIT_HIT;
        if (c->type == SERVICE_SIMPLE || c->type == SERVICE_EXEC || c->type == SERVICE_IDLE)
                f |= 1u << GUARD_READY_AT_EXEC;
        if (c->type == SERVICE_ONESHOT) {
                f |= 1u << GUARD_ONESHOT;
                if (r->d.command + 1u < c->commands[EXEC_START].n)
                        f |= 1u << GUARD_MORE_COMMANDS;
        }
        if (c->type == SERVICE_FORKING)
                f |= 1u << GUARD_FORKING;
        if (c->type != SERVICE_ONESHOT && c->commands[EXEC_START_POST].n == 0)
                f |= 1u << GUARD_UP_AT_ONCE;
        if (pid_file_due(r))
                f |= 1u << GUARD_PIDFILE_DUE;
        if (c->type == SERVICE_DBUS)
                f |= 1u << GUARD_BUS_NAME;
        if (main_alive(r))
                f |= 1u << GUARD_MAIN_ALIVE;
        if (c->remain_after_exit && good)
                f |= 1u << GUARD_REMAIN_GOOD;
        if (good)
                f |= 1u << GUARD_GOOD;
        if (wants_restart(m, r))
                f |= 1u << GUARD_RESTART;
        if (c->kill->send_sigkill)
                f |= 1u << GUARD_SIGKILL_ALLOWED;
        return f | timeout_facts(r) | notify_facts(r) | main_facts(m, r);
}

/* ---- actions ---- */

static void do_begin(struct manager *m, struct run *r, const struct event *e unused_)
{
        uint64_t now = sys_mono_us();

        groups_begin(m, r);
        if (r->d.limit_count == 0 || now - r->d.limit_begin_us > r->unit->start_limit_interval_us) {
                r->d.limit_begin_us = now;
                r->d.limit_count = 0;
        }
        r->d.limit_count++;
        if (sys_random(r->d.invocation, sizeof(r->d.invocation)) < 0)
                memcpy(r->d.invocation, &now, sizeof(now)); /* no entropy yet: unique on this machine all the same */
        if (!(r->d.flags & UNIT_AUTO_RESTART))
                r->d.n_restarts = 0;
        r->d.flags &= UNIT_FROZEN;
        r->d.result = SERVICE_RESULT_SUCCESS;
        r->d.reload_bad = 0;
        r->d.status_errno = 0;
        r->d.watchdog_us = config(r)->watchdog_us;
        r->d.past = run_main_shown(r);
        exits_free_slot(m, &r->d.main);
        exits_free_slot(m, &r->d.control);
        memset(&r->d.main, 0, sizeof(r->d.main));
        memset(&r->d.control, 0, sizeof(r->d.control));
        exits_unwatch(m, r);
        if (r->status_text)
                r->status_text[0] = 0;
}

static void run_current(struct manager *m, struct run *r)
{
        const struct exec_command *command;
        bool main;

        if (launch_command_at(m, r, &command) == COMMAND_NONE) {
                engine_post(m, r, EVENT_PHASE_DONE, 0, 0);
                return;
        }
        main = r->d.list == EXEC_START && config(r)->type != SERVICE_FORKING;
        if (launch_command(m, r, main) < 0)
                engine_post(m, r, main ? EVENT_LAUNCH_FAILED : EVENT_CONTROL_FAILED, -1, 0);
}

static void run_list(struct manager *m, struct run *r, unsigned list)
{
        r->d.list = (uint8_t)list;
        r->d.command = 0;
        run_current(m, r);
}

#define RUN_LIST(name, list)                                                                                           \
        static void do_run_##name(struct manager *m, struct run *r, const struct event *e unused_)                     \
        {                                                                                                              \
                run_list(m, r, list);                                                                                  \
        }
RUN_LIST(check, LIST_CHECK)
RUN_LIST(condition, EXEC_CONDITION)
RUN_LIST(start_pre, EXEC_START_PRE)
RUN_LIST(start, EXEC_START)
RUN_LIST(start_post, EXEC_START_POST)
RUN_LIST(reload, EXEC_RELOAD)
RUN_LIST(stop, EXEC_STOP)
RUN_LIST(stop_post, EXEC_STOP_POST)
RUN_LIST(cleanup, LIST_CLEANUP)
RUN_LIST(bus_wait, LIST_BUS_WAIT)

static void do_next(struct manager *m, struct run *r, const struct event *e unused_)
{
        r->d.command++;
        run_current(m, r);
}

static void do_look_empty(struct manager *m, struct run *r, const struct event *e unused_)
{
        if (!r->look && list_add(&m->looks, r->id) == 0)
                r->look = true;
}

static void do_find_main(struct manager *m, struct run *r, const struct event *e)
{
        if (service_find_main(m, r))
                return;
        exits_pidfile_changed(m); /* sets the watch, and looks once more behind it */
        r->none_seen = false;
        if (r->d.flags & UNIT_WAIT_PIDFILE)
                do_look_empty(m, r, e); /* is there anybody who could write it? */
}

static void arm(struct manager *m, struct run *r, uint64_t span_us)
{
        uint64_t now = sys_mono_us();

        timer_set(m, r, DEADLINE_STATE, span_us >= USEC_INFINITY - now ? 0 : now + span_us);
}

static void do_arm_start(struct manager *m, struct run *r, const struct event *e unused_)
{
        arm(m, r, config(r)->timeout_start_us);
}

static void do_arm_stop(struct manager *m, struct run *r, const struct event *e unused_)
{
        arm(m, r, config(r)->timeout_stop_us);
}

static void do_arm_abort(struct manager *m, struct run *r, const struct event *e unused_)
{
        arm(m, r, config(r)->timeout_abort_us);
}

/* RuntimeMaxSec= counts from where the service became active: a reload in between does not begin it anew. */
static void do_arm_runtime(struct manager *m, struct run *r, const struct event *e unused_)
{
        const struct service_config *c = config(r);
        uint64_t since = r->d.active_enter_mono > r->d.active_exit_mono ? r->d.active_enter_mono : sys_mono_us();
        uint64_t extra = 0, span = c->runtime_max_us;

        if (span < USEC_INFINITY && c->runtime_randomized_extra_us > 0 && sys_random(&extra, sizeof(extra)) == 0)
                span += extra % (MIN2(c->runtime_randomized_extra_us, USEC_INFINITY - 1 - span) + 1);
        timer_set(m, r, DEADLINE_STATE, span >= USEC_INFINITY - since ? 0 : since + span);
}

static uint64_t restart_delay(const struct run *r)
{
        return machine_restart_delay(config(r), r->d.n_restarts + 1);
}

static void do_arm_restart(struct manager *m, struct run *r, const struct event *e unused_)
{
        uint64_t delay = restart_delay(r);

        if (delay == 0)
                engine_post(m, r, EVENT_TIMEOUT, 0, 0);
        arm(m, r, delay == 0 ? USEC_INFINITY : delay);
}

static void do_disarm(struct manager *m, struct run *r, const struct event *e unused_)
{
        timer_set(m, r, DEADLINE_STATE, 0);
}

void service_watchdog(struct manager *m, struct run *r)
{
        bool on = r->d.watchdog_us > 0 && r->d.watchdog_us < USEC_INFINITY && machine_state_watched(r->d.state);

        if (on || r->watchdog_deadline_us > 0)
                timer_set(m, r, DEADLINE_WATCHDOG, on ? sys_mono_us() + r->d.watchdog_us : 0);
}

static void kill_later(struct manager *m, struct run *r, enum kill_what what)
{
        if (r->kill_due == KILL_NOTHING && list_add(&m->effects, r->id) < 0)
                return; /* the state's timer comes back to it */
        r->kill_due = (uint8_t)MAX2((enum kill_what)r->kill_due, what);
}

static void do_kill_term(struct manager *m, struct run *r, const struct event *e unused_)
{
        kill_later(m, r, KILL_WITH_TERM);
}

static void do_kill_kill(struct manager *m, struct run *r, const struct event *e unused_)
{
        kill_later(m, r, KILL_WITH_KILL);
}

static void do_kill_abort(struct manager *m, struct run *r, const struct event *e unused_)
{
        kill_later(m, r, KILL_WITH_ABORT);
}

static void do_signal_reload(struct manager *m, struct run *r, const struct event *e unused_)
{
        r->d.reload_begin_us = sys_mono_us();
        r->d.flags &= ~UNIT_SAYS_RELOADING;
        kill_later(m, r, KILL_FOR_RELOAD);
}

static void do_kill_control(struct manager *m, struct run *r, const struct event *e unused_)
{
        kill_later(m, r, KILL_CONTROL_ONLY);
}

static void set_result(struct run *r, enum machine_result result)
{
        if (r->d.result == SERVICE_RESULT_SUCCESS)
                r->d.result = (uint8_t)result;
}

static void do_result_exit(struct manager *m unused_, struct run *r, const struct event *e)
{
        set_result(r, e->code < 0 ? SERVICE_RESULT_RESOURCES : machine_exit_result(e->code, e->status));
}

#define RESULT(name, value)                                                                                            \
        static void do_result_##name(struct manager *m unused_, struct run *r, const struct event *e unused_)          \
        {                                                                                                              \
                set_result(r, value);                                                                                  \
        }
RESULT(timeout, SERVICE_RESULT_TIMEOUT)
RESULT(watchdog, SERVICE_RESULT_WATCHDOG)
RESULT(oom, SERVICE_RESULT_OOM_KILL)
RESULT(protocol, SERVICE_RESULT_PROTOCOL)
RESULT(resources, SERVICE_RESULT_RESOURCES)
RESULT(skip, SERVICE_RESULT_EXEC_CONDITION)

static void do_result_limit(struct manager *m, struct run *r, const struct event *e unused_)
{
        set_result(r, SERVICE_RESULT_START_LIMIT_HIT);
        r->d.flags |= UNIT_LIMIT_HIT;
        log_line(m, r->name, "start refused: %u starts within %.0f s; 'supctl reset-failed %s' clears the count",
                 r->unit->start_limit_burst, (double)r->unit->start_limit_interval_us / 1e6, r->name);
        if (r->d.state == STATE_FAILED && r->d.job.running)
                jobs_finish(m, r, RESULT_FAILED); /* no change of state will say so */
        emergency_limit_hit(m, r);
}

static void do_result_clear(struct manager *m unused_, struct run *r, const struct event *e unused_)
{
        r->d.result = SERVICE_RESULT_SUCCESS;
}

static void do_job_skip(struct manager *m, struct run *r, const struct event *e unused_)
{
        r->d.flags |= UNIT_CONDITION_FAILED;
        if (r->d.job.running && run_active(r) != ACTIVE_DEACTIVATING)
                jobs_finish(m, r, RESULT_DONE);
}

static void do_job_assert(struct manager *m, struct run *r, const struct event *e)
{
        bool told = e->code == CLD_EXITED && e->status == PLAN_EXIT_ASSERT;

        r->d.flags &= ~UNIT_CONDITION_FAILED;
        if (told)
                r->d.flags |= UNIT_ASSERT_FAILED;
        else
                log_line(m, r->name, "the conditions cannot be evaluated");
        if (r->d.job.running)
                jobs_finish(m, r, told ? RESULT_ASSERT : RESULT_FAILED);
}

static void reload_ended(struct manager *m, struct run *r, enum job_result result)
{
        r->d.reload_bad = result != RESULT_DONE;
        if (r->d.job.running && r->d.job.type == JOB_RELOAD)
                jobs_finish(m, r, result);
}

static void do_reload_done(struct manager *m, struct run *r, const struct event *e unused_)
{
        reload_ended(m, r, RESULT_DONE);
}

static void do_reload_failed(struct manager *m, struct run *r, const struct event *e unused_)
{
        reload_ended(m, r, RESULT_FAILED);
}

static void do_enqueue_start(struct manager *m, struct run *r, const struct event *e unused_)
{
        static const uint8_t nobody[16];
        uint32_t job, culprit;
        cleanup_diag_ struct diag diag = {0};
        enum graph_error v;

        r->d.flags |= UNIT_AUTO_RESTART;
        v = jobs_enqueue(m, r, REQUEST_START, MODE_REPLACE, (struct cause_durable){.what = SUPD_CAUSE_RESTART}, false,
                         nobody, &job, &culprit, &diag);
        if (v == GRAPH_OK) {
                r->d.n_restarts++; /* also when the start limit refuses it */
                return;
        }
        log_diag(m, &diag);
        log_line(m, r->name, "cannot be restarted now: %s; tried again in a while", graph_error_name(v));
        arm(m, r, MAX2(restart_delay(r), USEC_PER_SEC));
}

static void do_settle(struct manager *m, struct run *r, const struct event *e unused_)
{
        engine_post(m, r, EVENT_SETTLE, 0, 0);
        if (r->d.flags & UNIT_MAIN_UNKNOWN)
                do_look_empty(m, r, e);
}

static void (*const actions[N_MACHINE_ACTIONS])(struct manager *, struct run *, const struct event *) = {
        [DO_BEGIN] = do_begin,
        [DO_RUN_CHECK] = do_run_check,
        [DO_RUN_CONDITION] = do_run_condition,
        [DO_RUN_START_PRE] = do_run_start_pre,
        [DO_RUN_START] = do_run_start,
        [DO_RUN_START_POST] = do_run_start_post,
        [DO_RUN_RELOAD] = do_run_reload,
        [DO_RUN_BUS_WAIT] = do_run_bus_wait,
        [DO_RUN_STOP] = do_run_stop,
        [DO_RUN_STOP_POST] = do_run_stop_post,
        [DO_RUN_CLEANUP] = do_run_cleanup,
        [DO_NEXT] = do_next,
        [DO_FIND_MAIN] = do_find_main,
        [DO_ARM_START] = do_arm_start,
        [DO_ARM_STOP] = do_arm_stop,
        [DO_ARM_RESTART] = do_arm_restart,
        [DO_ARM_ABORT] = do_arm_abort,
        [DO_ARM_RUNTIME] = do_arm_runtime,
        [DO_DISARM] = do_disarm,
        [DO_KILL_TERM] = do_kill_term,
        [DO_KILL_KILL] = do_kill_kill,
        [DO_KILL_ABORT] = do_kill_abort,
        [DO_KILL_CONTROL] = do_kill_control,
        [DO_SIGNAL_RELOAD] = do_signal_reload,
        [DO_LOOK_EMPTY] = do_look_empty,
        [DO_RESULT_EXIT] = do_result_exit,
        [DO_RESULT_TIMEOUT] = do_result_timeout,
        [DO_RESULT_PROTOCOL] = do_result_protocol,
        [DO_RESULT_RESOURCES] = do_result_resources,
        [DO_RESULT_LIMIT] = do_result_limit,
        [DO_RESULT_WATCHDOG] = do_result_watchdog,
        [DO_RESULT_OOM] = do_result_oom,
        [DO_RESULT_SKIP] = do_result_skip,
        [DO_RESULT_CLEAR] = do_result_clear,
        [DO_JOB_SKIP] = do_job_skip,
        [DO_JOB_ASSERT] = do_job_assert,
        [DO_RELOAD_DONE] = do_reload_done,
        [DO_RELOAD_FAILED] = do_reload_failed,
        [DO_ENQUEUE_START] = do_enqueue_start,
        [DO_SETTLE] = do_settle,
};

void service_act(struct manager *m, struct run *r, enum machine_action a, const struct event *e)
{
        actions[a](m, r, e);
}

/* ---- what follows from a change of state ---- */

/* A restart counts as an end and a start: the service is down for a moment before it waits, and again behind that,
 * until its conditions have been found to hold. */
static void stamp(struct run *r, enum machine_state old, enum unit_active before, enum unit_active now)
{
        uint64_t real = sys_real_us(), mono = sys_mono_us();
        bool was_up = before == ACTIVE_ACTIVE || before == ACTIVE_RELOADING;
        bool is_up = now == ACTIVE_ACTIVE || now == ACTIVE_RELOADING;
        bool was_down = before == ACTIVE_INACTIVE || before == ACTIVE_FAILED;
        bool is_down = now == ACTIVE_INACTIVE || now == ACTIVE_FAILED;
        bool waits = r->d.state == STATE_AUTO_RESTART, waited = old == STATE_AUTO_RESTART || old == STATE_RESTART_CHECK;

        r->d.change_real = real;
        r->d.change_mono = mono;
        if ((was_down && !is_down) || waits || (waited && r->d.state == STATE_CONDITION)) {
                r->d.inactive_exit_real = real;
                r->d.inactive_exit_mono = mono;
        }
        if ((!was_down && is_down) || waits || old == STATE_AUTO_RESTART) {
                r->d.inactive_enter_real = real;
                r->d.inactive_enter_mono = mono;
        }
        if (!was_up && is_up) {
                r->d.active_enter_real = real;
                r->d.active_enter_mono = mono;
        }
        if (was_up && !is_up) {
                r->d.active_exit_real = real;
                r->d.active_exit_mono = mono;
        }
}

static void say_change(struct manager *m, const struct run *r, enum unit_active before, enum unit_active now)
{
        if (now == ACTIVE_FAILED && before != now)
                log_line(m, r->name, "failed (result %s)", machine_result_name(r->d.result));
        else if (r->d.state == STATE_AUTO_RESTART && before != now)
                log_line(m, r->name, "ended (result %s); restart in %.1f s", machine_result_name(r->d.result),
                         (double)restart_delay(r) / 1e6);
        else if (m->verbose && before != now)
                log_line(m, r->name, "%s", unit_active_name(now));
}

/* KillMode=none or SendSIGKILL=no has left it running: it is nobody's main process any more. */
static void let_go(struct manager *m, struct process_durable *p)
{
        if ((p->flags & (PROCESS_RUNNING | PROCESS_LAUNCHING)) != PROCESS_RUNNING)
                return;
        exits_free_slot(m, p);
        p->flags = 0;
        p->last_pid = p->pid ? p->pid : p->last_pid;
        p->pid = 0;
}

void service_state_changed(struct manager *m, struct run *r, enum machine_state old)
{
        enum unit_active before = active_of(old), now = run_active(r);

        stamp(r, old, before, now);
        changes_note(m, r, old);
        if (machine_state_watched(r->d.state) != machine_state_watched(old))
                service_watchdog(m, r);
        r->kill_again = KILL_NOTHING; /* what the old state wanted killed */
        if (r->d.state == STATE_DEAD || r->d.state == STATE_FAILED || r->d.state == STATE_AUTO_RESTART) {
                let_go(m, &r->d.main);
                let_go(m, &r->d.control);
        }
        if (now == ACTIVE_INACTIVE || now == ACTIVE_FAILED) {
                r->d.flags &= ~(UNIT_MAIN_UNKNOWN | UNIT_WAIT_PIDFILE | UNIT_AUTO_RESTART);
                memset(r->d.left, 0, sizeof(r->d.left));
                exits_unwatch(m, r);
                groups_leave(m, r);
                transient_ended(m, r);
        }
        say_change(m, r, before, now);
        jobs_state_changed(m, r, before, now);
        fdstore_settle(m, r);
        emergency_state_changed(m, r, before, now);
        if (now == ACTIVE_ACTIVE)
                oom_watch(m, r);
}

/* ---- the main process of a forking service ---- */

static bool is_shortage(int v)
{
        return v == -EMFILE || v == -ENFILE || v == -ENOMEM || v == -ENOSPC;
}

/* 0: there is none; negative errno: nobody could look. */
static pid_t read_pid_file(const char *path)
{
        char text[64];
        char *end;
        long pid;
        int v = sys_read_file(path, text, sizeof(text), NULL);

        if (v < 0)
                return v == -ENOENT ? 0 : v;
        pid = strtol(text, &end, 10);
        while (*end == ' ' || *end == '\n' || *end == '\r' || *end == '\t')
                end++;
        return end != text && *end == 0 && pid > 1 && pid < INT32_MAX ? (pid_t)pid : 0;
}

/* The only one of the unit's processes that the keeper has adopted: what others of them have forked is not the main
 * process. 0 when there is none, or more than one. */
static pid_t guess_main(struct manager *m, struct run *r)
{
        struct sys_pids rest = {0};
        struct sys_stat st;
        pid_t pid = 0;
        unsigned n = 0;

        if (procs_rest(m, r, &rest) < 0)
                return 0;
        for (size_t i = 0; i < rest.n; i++)
                if (sys_stat(rest.v[i], &st) == 0 && st.parent == m->keeper_pid && st.state != 'Z') {
                        pid = rest.v[i];
                        n++;
                }
        free(rest.v);
        return n == 1 ? pid : 0;
}

/* Looked at when ExecStart= has ended, and where there is ExecStartPost=, once more behind that. */
static bool find_by_pid_file(struct manager *m, struct run *r)
{
        bool behind = r->d.state == STATE_START_POST, last = behind || config(r)->commands[EXEC_START_POST].n == 0;
        pid_t pid = read_pid_file(config(r)->pid_file);
        int v = pid > 0 ? exits_claim_main(m, r, pid) : (int)pid;
        bool found = pid > 0 && v == 0 && (!behind || (r->d.main.flags & PROCESS_RUNNING));

        engine_touch(m, r);
        r->pidfile_unread = !found && (pid < 0 || is_shortage(v));
        if (r->pidfile_unread) {
                r->d.flags |= UNIT_WAIT_PIDFILE;
                exits_look_later(m, r); /* nothing needs to change for it to be there */
                return false;
        }
        if (!found && last) {
                r->d.flags |= UNIT_WAIT_PIDFILE;
                return false;
        }
        if (behind)
                r->d.flags |= UNIT_PIDFILE_READ;
        engine_post(m, r, behind ? EVENT_PHASE_DONE : EVENT_MAIN_FOUND, 0, 0);
        return true;
}

/* True when an event has been queued; false while the PID file is still to be waited for. */
bool service_find_main(struct manager *m, struct run *r)
{
        const struct service_config *c = config(r);
        pid_t pid = 0;

        r->d.flags &= ~UNIT_WAIT_PIDFILE;
        if (c->pid_file)
                return find_by_pid_file(m, r);
        if (c->guess_main_pid)
                pid = guess_main(m, r);
        if (pid == 0 || exits_claim_main(m, r, pid) < 0)
                r->d.flags |= UNIT_MAIN_UNKNOWN;
        engine_touch(m, r);
        engine_post(m, r, EVENT_MAIN_FOUND, 0, 0);
        return true;
}

/* ---- effects: signals, and looking whether anything is left ---- */

enum { TARGET_FDS = 256 }; /* more are opened one after the other */

static void signal_both(struct manager *m, struct run *r, const int *signals, unsigned n)
{
        (void)procs_signal(m, &r->d.main, signals, n);
        (void)procs_signal(m, &r->d.control, signals, n);
}

/* 0, or why it must be tried again. */
static int signal_target(const struct sys_target *t, const int *signals, unsigned n)
{
        int v = 0;

        for (unsigned i = 0; i < n && v == 0; i++) {
                v = sys_target_signal(t, signals[i]);
                v = v == -EMFILE || v == -ENFILE ? v : 0;
        }
        return v;
}

/* Looks at each of REST; those that are gone are left out. Negative errno: not all could be looked at. */
static int open_targets(const struct sys_pids *rest, struct sys_target *targets, size_t *ret_n)
{
        size_t n = 0;
        int v = 0;

        for (size_t i = 0; i < rest->n && v == 0; i++) {
                v = sys_target_open(rest->v[i], n < TARGET_FDS, &targets[n]);
                n += v == 0;
                v = v == -ESRCH ? 0 : v;
        }
        *ret_n = n;
        return v;
}

/* The process group of R's main process, where all that is in it is R's: who leads it was started by us, and no cgroup
 * says otherwise. 0 = there is none. */
static pid_t own_group(const struct manager *m, const struct run *r)
{
        struct sys_stat st;
        pid_t pid = (pid_t)r->d.main.pid;

        return pid > 0 && !groups_has(m, r) && sys_stat(pid, &st) == 0 && st.group == pid ? pid : 0;
}

/* To main and control process, and to TARGETS. Main's process group hears of it in one system call. */
static int signal_targets(struct manager *m, struct run *r, const struct sys_target *targets, size_t n_targets,
                          const int *signals, unsigned n)
{
        pid_t group = n_targets > 0 ? own_group(m, r) : 0;
        int v = 0;

        if (group > 0 && procs_signal_group(m, &r->d.main, signals, n) == 0) {
                (void)procs_signal(m, &r->d.control, signals, n);
        } else {
                group = 0;
                signal_both(m, r, signals, n);
        }
        for (size_t i = 0; i < n_targets && v == 0; i++)
                if (group == 0 || targets[i].group != group)
                        v = signal_target(&targets[i], signals, n);
        return v;
}

/* Everything of R, in one go: all are looked at first, and then signalled without a pause. Who hears of it late sees
 * the others end first, and takes that for a failure; and a main process that hears of it early enough ends its workers
 * in its own way. Often it wakes on this very CPU, and has it before the second signal is sent: hence its group in one
 * call, and no interruption for what is not in it. 0, or why not all of them could be found. */
static int signal_all(struct manager *m, struct run *r, const int *signals, unsigned n)
{
        cleanup_free_ struct sys_target *targets = NULL;
        struct sys_pids rest = {0};
        size_t n_targets = 0;
        int v = procs_rest(m, r, &rest), again;
        bool uninterrupted;

        if (v == 0 && rest.n > 0) {
                targets = calloc(rest.n, sizeof(*targets));
                v = targets ? open_targets(&rest, targets, &n_targets) : -ENOMEM;
        }
        uninterrupted = n_targets > 0 && sys_uninterrupted(true) == 0;
        again = signal_targets(m, r, targets, n_targets, signals, n);
        if (uninterrupted)
                (void)sys_uninterrupted(false);
        for (size_t i = 0; i < n_targets; i++)
                sys_target_close(&targets[i]);
        free(rest.v);
        v = v < 0 ? v : again;
        return v == -ENOENT ? 0 : v; /* no /proc: nothing to be known, ever */
}

static bool in_final_state(const struct run *r)
{
        return r->d.state == STATE_FINAL_SIGTERM || r->d.state == STATE_FINAL_SIGKILL ||
               r->d.state == STATE_FINAL_WATCHDOG;
}

enum kill_what service_kills_in(enum machine_state s)
{
        static const uint8_t kills[N_MACHINE_STATES] = {
                [STATE_STOP_SIGTERM] = KILL_WITH_TERM,   [STATE_FINAL_SIGTERM] = KILL_WITH_TERM,
                [STATE_STOP_WATCHDOG] = KILL_WITH_ABORT, [STATE_FINAL_WATCHDOG] = KILL_WITH_ABORT,
                [STATE_STOP_SIGKILL] = KILL_WITH_KILL,   [STATE_FINAL_SIGKILL] = KILL_WITH_KILL,
        };

        return kills[s];
}

/* The signals of WHAT, in order; returns how many. */
static unsigned signals_of(const struct run *r, enum kill_what what, int signals[3])
{
        const struct kill_config *k = config(r)->kill;

        if (what == KILL_WITH_KILL) {
                signals[0] = k->final_signal;
                return 1;
        }
        if (what == KILL_WITH_ABORT) {
                signals[0] = k->watchdog_signal;
                return 1;
        }
        signals[0] = k->signal;
        if (r->d.job.type == JOB_RESTART && r->d.state == STATE_STOP_SIGTERM && k->restart_signal > 0)
                signals[0] = k->restart_signal;
        signals[1] = SIGCONT;
        signals[2] = SIGHUP;
        return k->send_sighup ? 3 : 2;
}

void service_kill(struct manager *m, struct run *r, enum kill_what what)
{
        const struct kill_config *k = config(r)->kill;
        bool rest_too = k->mode == KILL_CONTROL_GROUP || (k->mode == KILL_MIXED && in_final_state(r));
        int signals[3];
        unsigned n;

        if (what == KILL_CONTROL_ONLY || what == KILL_FOR_RELOAD) {
                if (what == KILL_CONTROL_ONLY)
                        (void)procs_signal(m, &r->d.control, &(int){SIGKILL}, 1);
                else
                        (void)procs_signal(m, &r->d.main, &config(r)->reload_signal, 1);
                return;
        }
        if (what == KILL_NOTHING || k->mode == KILL_NONE)
                return;
        if (k->mode == KILL_MIXED && in_final_state(r))
                what = KILL_WITH_KILL;
        if (what == KILL_WITH_KILL)
                rest_too = k->mode != KILL_PROCESS;
        n = signals_of(r, what, signals);
        /* When everything goes, a look at each service's descendants would be most of the work: the group gets the
         * signal now, and what is outside of it in the final state. */
        if (rest_too && (m->meta.flags & META_STOPPING) && !in_final_state(r)) {
                bool later = loop_crowd_ends(m) && n == 2 && signals[1] == SIGCONT;

                if (procs_signal_group(m, &r->d.main, signals, later ? 1 : n) == 0) {
                        (void)procs_signal(m, &r->d.control, signals, n);
                        if (later)
                                (void)list_add(&m->continues, r->id);
                        return;
                }
        }
        if (!rest_too || (signals[0] == SIGKILL && groups_kill(m, r) == 0 && !(r->d.flags & UNIT_OUTSIDE))) {
                signal_both(m, r, signals, n);
                return;
        }
        if (signal_all(m, r, signals, n) < 0) {
                r->kill_again = (uint8_t)what;
                exits_look_later(m, r);
        }
}

/* Of a crowd that is told to end most have ended within a moment; only those that have not may be stopped, and need
 * SIGCONT. A manager that dies before has the next one send both again. */
void service_continue(struct manager *m)
{
        for (size_t i = 0; i < m->continues.n; i++) {
                struct run *r = m->runs[m->continues.v[i]];
                if (r->d.state == STATE_STOP_SIGTERM)
                        (void)procs_signal_group(m, &r->d.main, &(int){SIGCONT}, 1);
        }
        m->continues.n = 0;
}

/* The PID file is waited for: in vain when nothing was left of the service behind its last command. What vanishes later
 * has the time that the state has, as with systemd. Without a cgroup a second look has to say the same: the list of a
 * process' children may lack one while another ends. */
static void look_for_writer(struct manager *m, struct run *r)
{
        int v;

        if ((r->d.main.flags & PROCESS_RUNNING) || (r->d.control.flags & PROCESS_RUNNING))
                return;
        v = procs_none(m, r);
        if (v == -ENOENT) /* no /proc: never to be known */
                return;
        if (v < 0 || (v == 1 && !groups_has(m, r) && !r->none_seen)) {
                r->none_seen = v == 1;
                exits_look_later(m, r);
        } else if (v == 1) {
                engine_post(m, r, EVENT_EMPTY, 0, 0);
        }
}

/* KillMode=none signals nothing, so nothing is waited for but the end of a start that is under way. */
static void look_past(struct manager *m, struct run *r)
{
        if ((r->d.main.flags | r->d.control.flags) & PROCESS_LAUNCHING)
                exits_look_later(m, r);
        else
                engine_post(m, r, EVENT_EMPTY, 0, 0);
}

/* Which processes a state waits for: main and control always; in the final states, and where there is no main process
 * to go by, everything that KillMode= covers. */
void service_look(struct manager *m, struct run *r)
{
        const struct kill_config *k = config(r)->kill;
        bool rest_too = (in_final_state(r) && (k->mode == KILL_CONTROL_GROUP || k->mode == KILL_MIXED)) ||
                        (r->d.flags & UNIT_MAIN_UNKNOWN);
        struct sys_pids rest = {0};
        int v;

        if (r->kill_again != KILL_NOTHING) {
                enum kill_what what = r->kill_again;
                r->kill_again = KILL_NOTHING;
                service_kill(m, r, what);
        }
        if (k->mode == KILL_NONE && service_kills_in(r->d.state) != KILL_NOTHING) {
                look_past(m, r);
                return;
        }
        if (exits_runs_foreign(&r->d.main) || exits_runs_foreign(&r->d.control)) {
                exits_look_foreign(m, r);
                return;
        }
        if (r->d.state == STATE_START || r->d.state == STATE_START_POST) {
                if (r->pidfile_unread)
                        exits_pidfile_changed(m);
                else if (r->d.flags & UNIT_WAIT_PIDFILE)
                        look_for_writer(m, r);
                return;
        }
        if ((r->d.main.flags & PROCESS_RUNNING) || (r->d.control.flags & PROCESS_RUNNING))
                return; /* its exit comes and looks again */
        v = rest_too ? procs_rest(m, r, &rest) : 0;
        if (v < 0 && v != -ENOENT) { /* not to be known now is not the same as empty; without /proc it never will be */
                exits_look_later(m, r);
                return;
        }
        if (v == 0 && rest.n > 0) {
                if (!groups_watch(m, r))
                        exits_watch(m, r, rest.v[0]);
                free(rest.v);
                return;
        }
        free(rest.v);
        r->d.flags &= ~UNIT_MAIN_UNKNOWN;
        engine_touch(m, r);
        engine_post(m, r, EVENT_EMPTY, 0, 0);
}
