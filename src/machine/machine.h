/* SPDX-License-Identifier: MIT
 *
 * The life of a unit as a table: rows {state, event, guard, next, actions}. Every pair of state and event is spelled
 * out, "ignored" and "cannot happen" included; there is no default row. Pure: no fd, no clock, no process: time is an
 * input, a failed effect is an event, and what the world looks like comes in as facts.
 *
 * Facts about a state (its name, what it counts as, whether a timer belongs to it) live in the state's row.
 * Invariant: machine_find() returns exactly one row for every state, event and set of facts.
 */
#ifndef SUPD_MACHINE_MACHINE_H
#define SUPD_MACHINE_MACHINE_H

#include "base/buf.h"
#include "unit/unit.h"

/* state, sub-state as systemd calls it, active state, has a main or control process at work, description.
 * The numbers are part of the durable state: append only. */
#define MACHINE_STATES(X)                                                                                              \
        X(DEAD, "dead", INACTIVE, "nothing runs")                                                                      \
        X(CONDITION, "condition", ACTIVATING, "ExecCondition=")                                                        \
        X(START_PRE, "start-pre", ACTIVATING, "ExecStartPre=")                                                         \
        X(START, "start", ACTIVATING, "ExecStart= runs, not ready yet")                                                \
        X(START_POST, "start-post", ACTIVATING, "ExecStartPost=")                                                      \
        X(RUNNING, "running", ACTIVE, "the main process runs")                                                         \
        X(EXITED, "exited", ACTIVE, "ended well, RemainAfterExit=")                                                    \
        X(RELOAD, "reload", RELOADING, "ExecReload=")                                                                  \
        X(STOP, "stop", DEACTIVATING, "ExecStop=")                                                                     \
        X(STOP_SIGTERM, "stop-sigterm", DEACTIVATING, "KillSignal= sent")                                              \
        X(STOP_SIGKILL, "stop-sigkill", DEACTIVATING, "FinalKillSignal= sent")                                         \
        X(STOP_POST, "stop-post", DEACTIVATING, "ExecStopPost=")                                                       \
        X(FINAL_SIGTERM, "final-sigterm", DEACTIVATING, "KillSignal= to what is left")                                 \
        X(FINAL_SIGKILL, "final-sigkill", DEACTIVATING, "FinalKillSignal= to what is left")                            \
        X(CLEANUP, "stop-post", DEACTIVATING, "runtime directories and PID file are removed")                          \
        X(FAILED, "failed", FAILED, "ended badly")                                                                     \
        X(AUTO_RESTART, "auto-restart", ACTIVATING, "waits for RestartSec=")                                           \
        X(PASSIVE_DEAD, "dead", INACTIVE, "a target that is not reached")                                              \
        X(PASSIVE_ACTIVE, "active", ACTIVE, "a target that is reached")                                                \
        X(RELOAD_SIGNAL, "reload-signal", RELOADING, "ReloadSignal= sent, RELOADING=1 is to come")                     \
        X(RELOAD_NOTIFY, "reload-notify", RELOADING, "RELOADING=1 came, READY=1 is to come")                           \
        X(STOP_WATCHDOG, "stop-watchdog", DEACTIVATING, "WatchdogSignal= sent")                                        \
        X(FINAL_WATCHDOG, "final-watchdog", DEACTIVATING, "WatchdogSignal= to what is left")                           \
        X(CHECK, "dead", INACTIVE, "Condition*= and Assert*= are evaluated, before a start")                           \
        X(FAILED_CHECK, "failed", FAILED, "the same, of a unit that failed")                                           \
        X(RESTART_CHECK, "auto-restart", ACTIVATING, "the same, before an automatic restart")                          \
        X(PASSIVE_CHECK, "dead", INACTIVE, "the same, of a target")                                                    \
        X(STOP_POST_WAIT, "stop-post", DEACTIVATING, "ExecStopPost= is done, the main process is not")

enum machine_state {
#define X(name, sub, active, text) STATE_##name,
        MACHINE_STATES(X)
#undef X
                N_MACHINE_STATES,
};

#define MACHINE_EVENTS(X)                                                                                              \
        X(START, "a start job may run")                                                                                \
        X(STOP, "a stop job may run")                                                                                  \
        X(RELOAD, "a reload job may run")                                                                              \
        X(RESET_FAILED, "reset-failed")                                                                                \
        X(LAUNCHED, "the main process has been exec'ed")                                                               \
        X(LAUNCH_FAILED, "the main process could not be started; no exit will come")                                   \
        X(CONTROL_OK, "the control process ended well, or its failure is to be ignored")                               \
        X(CONTROL_FAILED, "the control process ended badly or could not be started")                                   \
        X(CONTROL_SKIP, "a condition does not hold")                                                                   \
        X(PHASE_DONE, "the last command of the current list is done")                                                  \
        X(MAIN_CLEAN, "the main process ended cleanly")                                                                \
        X(MAIN_UNCLEAN, "the main process ended otherwise, or its status is not known")                                \
        X(MAIN_FOUND, "a forking service's main process is known, or known not to be knowable")                        \
        X(READY, "READY=1")                                                                                            \
        X(SETTLE, "look whether the service still stands")                                                             \
        X(TIMEOUT, "the timer of the state ran out")                                                                   \
        X(EMPTY, "no process that has to be waited for is left")                                                       \
        X(WATCHDOG, "no watchdog ping came in time, or WATCHDOG=trigger")                                              \
        X(RELOADING, "RELOADING=1, newer than the signal where one was sent")                                          \
        X(STOPPING, "STOPPING=1")                                                                                      \
        X(OOM, "the kernel killed one of its processes because memory ran out, and OOMPolicy= minds")

enum machine_event {
#define X(name, text) EVENT_##name,
        MACHINE_EVENTS(X)
#undef X
                N_MACHINE_EVENTS,
};

#define MACHINE_ACTIONS(X)                                                                                             \
        X(NONE, "")                                                                                                    \
        X(BEGIN, "new activation: invocation id, results and counters of the run are reset")                           \
        X(RUN_CHECK, "evaluate Condition*= and Assert*=")                                                              \
        X(RUN_CONDITION, "run ExecCondition=")                                                                         \
        X(RUN_START_PRE, "run ExecStartPre=")                                                                          \
        X(RUN_START, "run ExecStart=")                                                                                 \
        X(RUN_START_POST, "run ExecStartPost=")                                                                        \
        X(RUN_BUS_WAIT, "run supd-bus-wait: it ends well once BusName= has an owner")                                  \
        X(RUN_RELOAD, "run ExecReload=")                                                                               \
        X(RUN_STOP, "run ExecStop=")                                                                                   \
        X(RUN_STOP_POST, "run ExecStopPost=")                                                                          \
        X(RUN_CLEANUP, "remove runtime directories and PID file")                                                      \
        X(NEXT, "run the next command of the list, or say that there is none")                                         \
        X(FIND_MAIN, "look for the main process: PID file, else guess")                                                \
        X(ARM_START, "timer: TimeoutStartSec=")                                                                        \
        X(ARM_STOP, "timer: TimeoutStopSec=")                                                                          \
        X(ARM_RESTART, "timer: RestartSec=")                                                                           \
        X(ARM_ABORT, "timer: TimeoutAbortSec=")                                                                        \
        X(ARM_RUNTIME, "timer: RuntimeMaxSec=, counted from where it became active")                                   \
        X(DISARM, "no timer")                                                                                          \
        X(KILL_TERM, "KillSignal=, SIGCONT, perhaps SIGHUP, by KillMode=")                                             \
        X(KILL_KILL, "FinalKillSignal=, by KillMode=")                                                                 \
        X(KILL_ABORT, "WatchdogSignal=, by KillMode=")                                                                 \
        X(KILL_CONTROL, "SIGKILL to the control process")                                                              \
        X(SIGNAL_RELOAD, "ReloadSignal= to the main process")                                                          \
        X(LOOK_EMPTY, "look whether anything is left to be waited for")                                                \
        X(RESULT_EXIT, "the result comes from the exit at hand, unless there is one already")                          \
        X(RESULT_TIMEOUT, "result timeout, unless there is one already")                                               \
        X(RESULT_PROTOCOL, "result protocol, unless there is one already")                                             \
        X(RESULT_RESOURCES, "result resources, unless there is one already")                                           \
        X(RESULT_LIMIT, "result start-limit-hit, unless there is one already")                                         \
        X(RESULT_WATCHDOG, "result watchdog, unless there is one already")                                             \
        X(RESULT_SKIP, "result exec-condition, unless there is one already")                                           \
        X(RESULT_CLEAR, "result success")                                                                              \
        X(JOB_SKIP, "the start job ends as done once it is down: conditions not met")                                  \
        X(JOB_ASSERT, "the start job ends as assert")                                                                  \
        X(RELOAD_DONE, "the reload job ends as done")                                                                  \
        X(RELOAD_FAILED, "the reload job ends as failed")                                                              \
        X(ENQUEUE_START, "put a start job for the automatic restart")                                                  \
        X(SETTLE, "queue SETTLE")                                                                                      \
        X(RESULT_OOM, "result oom-kill, unless there is one already")

enum machine_action {
#define X(name, text) DO_##name,
        MACHINE_ACTIONS(X)
#undef X
                N_MACHINE_ACTIONS,
};

#define MACHINE_GUARDS(X)                                                                                              \
        X(ALWAYS, "")                                                                                                  \
        X(LIMIT_HIT, "start limit hit")                                                                                \
        X(NEEDS_CHECK, "there are Condition*= or Assert*=")                                                            \
        X(UNWANTED, "no start job runs any more")                                                                      \
        X(READY_AT_EXEC, "Type= simple, exec or idle")                                                                 \
        X(ONESHOT, "Type=oneshot")                                                                                     \
        X(FORKING, "Type=forking")                                                                                     \
        X(UP_AT_ONCE, "no ExecStartPost=, and not Type=oneshot")                                                       \
        X(PIDFILE_DUE, "Type=forking, and PIDFile= has not been read behind ExecStartPost=")                           \
        X(BUS_NAME, "Type=dbus")                                                                                       \
        X(MORE_COMMANDS, "further commands in the list")                                                               \
        X(MAIN_ALIVE, "a main process is alive, or lives on unknown")                                                  \
        X(REMAIN_GOOD, "RemainAfterExit= and the result is success")                                                   \
        X(GOOD, "the result is success or exec-condition")                                                             \
        X(RESTART, "Restart= asks for it and nobody asked for a stop")                                                 \
        X(SIGKILL_ALLOWED, "SendSIGKILL=yes")                                                                          \
        X(TIMEOUT_ABORTS, "Timeout…FailureMode=abort, of start or stop by the state")                                  \
        X(TIMEOUT_KILLS, "the same with kill, and SendSIGKILL=yes")                                                    \
        X(RELOAD_BY_SIGNAL, "Type=notify-reload with a main process, no ExecReload=")                                  \
        X(RELOAD_BY_BOTH, "Type=notify-reload with a main process, and ExecReload=")                                   \
        X(SAYS_RELOADING, "its last word was RELOADING=1, and the main process is alive")                              \
        X(SAYS_STOPPING, "its last word was STOPPING=1, and the main process is alive")                                \
        X(OOM_KILLS, "OOMPolicy=kill")                                                                                 \
        X(MAIN_RUNS, "the main process is alive, and known")                                                           \
        X(POST_WAITS, "the same, and there is ExecStopPost=")

enum machine_guard {
#define X(name, text) GUARD_##name,
        MACHINE_GUARDS(X)
#undef X
                N_MACHINE_GUARDS,
};

enum machine_kind {
        ROW_HANDLED,
        ROW_IGNORED,    /* may come, means nothing here */
        ROW_IMPOSSIBLE, /* cannot happen: logged and counted, changes nothing */
};

enum { MACHINE_MAX_ACTIONS = 6 };

struct machine_row {
        uint8_t state, event, guard, next, kind;
        uint8_t actions[MACHINE_MAX_ACTIONS]; /* DO_NONE ends the list early */
};

/* How a service ended up; numbers are part of the durable state and of the status ABI. */
#define MACHINE_RESULTS(X)                                                                                             \
        X(SUCCESS, "success")                                                                                          \
        X(RESOURCES, "resources")                                                                                      \
        X(PROTOCOL, "protocol")                                                                                        \
        X(TIMEOUT, "timeout")                                                                                          \
        X(EXIT_CODE, "exit-code")                                                                                      \
        X(SIGNAL, "signal")                                                                                            \
        X(CORE_DUMP, "core-dump")                                                                                      \
        X(WATCHDOG, "watchdog")                                                                                        \
        X(START_LIMIT_HIT, "start-limit-hit")                                                                          \
        X(OOM_KILL, "oom-kill")                                                                                        \
        X(EXEC_CONDITION, "exec-condition")

enum machine_result {
#define X(name, text) SERVICE_RESULT_##name,
        MACHINE_RESULTS(X)
#undef X
                N_SERVICE_RESULTS,
};

/* What counts as the active state; the words are graph's, told apart here so that the two rooms need not meet. */
enum machine_active {
        MACHINE_INACTIVE,
        MACHINE_ACTIVATING,
        MACHINE_ACTIVE,
        MACHINE_RELOADING,
        MACHINE_DEACTIVATING,
        MACHINE_FAILED,
};

/* The row for STATE and EVENT under FACTS (bit 1 << GUARD_x for every guard that holds). Never NULL. */
const struct machine_row *machine_find(enum machine_state state, enum machine_event event, uint32_t facts);
/* All rows, for proofs and for the manual. */
const struct machine_row *machine_rows(size_t *ret_n);

const char *machine_state_name(enum machine_state s); /* "STOP_SIGTERM", as in the table */
const char *machine_state_sub(enum machine_state s);  /* "stop-sigterm" */
enum machine_active machine_state_active(enum machine_state s);
const char *machine_event_name(enum machine_event e);
const char *machine_action_name(enum machine_action a);
const char *machine_guard_name(enum machine_guard g);
const char *machine_result_name(enum machine_result r); /* "exit-code" */
/* The table as a Graphviz digraph (for the manual). 0 or -ENOMEM. */
int machine_print_dot(struct buf *out);

/* How an exit counts. CODE and STATUS as in siginfo (CLD_EXITED, CLD_KILLED, CLD_DUMPED); code 0 = not known.
 * COMMAND_FLAGS: EXEC_IGNORE_FAILURE makes everything clean. A long-running main process (not oneshot, not control) may
 * also end by HUP, INT, TERM or PIPE (semantics of systemd.service(5), SuccessExitStatus=). */
bool machine_exit_is_clean(const struct service_config *c, bool long_running, unsigned command_flags, int code,
                           int status);
enum machine_result machine_exit_result(int code, int status); /* of an unclean one; unknown = signal */
/* Restart=: whether a service that ended with RESULT (and the main exit CODE/STATUS) is to be started again. */
bool machine_wants_restart(const struct service_config *c, enum machine_result result, int code, int status);
/* RestartSec=, RestartSteps=, RestartMaxDelaySec=: the pause before automatic restart number N (from 1), in µs. It
 * grows by the same factor each time, and is RestartMaxDelaySec= behind the last step (systemd.service(5), from 254
 * on). */
uint64_t machine_restart_delay(const struct service_config *c, unsigned n);
/* A service in this state has to send its watchdog pings. */
bool machine_state_watched(enum machine_state s);

#endif
