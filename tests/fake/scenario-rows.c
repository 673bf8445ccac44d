/* SPDX-License-Identifier: MIT
 *
 * Scenarios that tell the rows of the state machine apart: each row that does something is missed by one of them, or by
 * one of scenario.c (tests/mutation/mutate.py --rows). They are run at the plain pace only.
 *
 * Invariant: as in scenario.c, no unit has default dependencies.
 */
#include "world.h"

#include <signal.h>
#include <sys/wait.h>

#define MS      UINT64_C(1000)
#define SEC     UINT64_C(1000000)
#define UNIT    "[Unit]\nDefaultDependencies=no\n"
#define S       UNIT "[Service]\n"
#define ABORTS  "TimeoutStartFailureMode=abort\nTimeoutStopFailureMode=abort\nTimeoutAbortSec=1\n"
#define KILLS   "TimeoutStartFailureMode=kill\nTimeoutStopFailureMode=kill\n"
#define SHORT   "TimeoutStartSec=1\nTimeoutStopSec=1\n"
#define CHECKED UNIT "ConditionPathExists=/p/check\n"
#define RUN     "ExecStart=/p/run\n"
#define START(u)                                                                                                       \
        {                                                                                                              \
                START_UNIT, u ".service"                                                                               \
        }
#define STOP(u)                                                                                                        \
        {                                                                                                              \
                STOP_UNIT, u ".service", 100 * MS                                                                      \
        }
#define LATER(u)                                                                                                       \
        {                                                                                                              \
                STOP_UNIT, u ".service"                                                                                \
        }
#define EVENT(u, e)                                                                                                    \
        {                                                                                                              \
                POST_EVENT, u ".service", 100 * MS, EVENT_##e                                                          \
        }
#define RUNS                                                                                                           \
        {                                                                                                              \
                .path = "/p/run"                                                                                       \
        }
#define DEAF                                                                                                           \
        {                                                                                                              \
                .path = "/p/deaf", .deaf = true                                                                        \
        }
#define OK                                                                                                             \
        {                                                                                                              \
                .path = "/p/ok", .lives_us = 10 * MS, .code = CLD_EXITED                                               \
        }
#define BAD                                                                                                            \
        {                                                                                                              \
                .path = "/p/bad", .lives_us = 10 * MS, .code = CLD_EXITED, .status = 3                                 \
        }
#define CHECK(time_us, result)                                                                                         \
        {                                                                                                              \
                .path = "/p/check", .lives_us = time_us, .code = CLD_EXITED, .status = result                          \
        }
/* A check that holds once, and is RESULT after TIME_US from then on. */
#define THEN(time_us, result)                                                                                          \
        {                                                                                                              \
                .path = "/p/check", .lives_us = 10 * MS, .code = CLD_EXITED, .first = 1, .later_us = time_us,          \
                .later_status = result                                                                                 \
        }
#define FAILS_ONCE UNIT "ConditionPathExists=/p/check\n[Service]\nExecStart=/p/bad\n"
#define RESTARTS   "[Service]\nRestart=always\nRestartSec=1\nExecStart=/p/bad\n"

const struct scenario row_scenarios[] = {
        /* ---- Condition*= and Assert*= ---- */
        {
                .name = "row-check-holds",
                .units = {{"a.service", CHECKED "[Service]\n" RUN}, {"t.target", CHECKED}},
                .programs = {RUNS, CHECK(10 * MS, 0)},
                .commands = {START("a"), {START_UNIT, "t.target"}},
        },
        {
                .name = "row-check-skips",
                .units = {{"a.service", CHECKED "[Service]\n" RUN}, {"t.target", CHECKED}},
                .programs = {RUNS, CHECK(10 * MS, PLAN_EXIT_CONDITION)},
                .commands = {START("a"), {START_UNIT, "t.target"}},
        },
        {
                .name = "row-check-asserts",
                .units = {{"a.service", CHECKED "[Service]\n" RUN}, {"t.target", CHECKED}},
                .programs = {RUNS, CHECK(10 * MS, PLAN_EXIT_ASSERT)},
                .commands = {START("a"), {START_UNIT, "t.target"}},
        },
        {
                .name = "row-check-hangs",
                .units = {{"a.service", CHECKED "[Service]\n" SHORT RUN}},
                .programs = {RUNS, {.path = "/p/check", .deaf = true}},
                .commands = {START("a")},
        },
        {
                .name = "row-check-unwanted", /* the stop comes while it is evaluated */
                .units = {{"a.service", CHECKED "[Service]\n" RUN}, {"t.target", CHECKED}},
                .programs = {RUNS, CHECK(2 * SEC, 0)},
                .commands = {START("a"), STOP("a"), {START_UNIT, "t.target"}, {STOP_UNIT, "t.target", 100 * MS}},
        },
        {
                .name = "row-check-limit",
                .units = {{"a.service",
                           CHECKED "StartLimitBurst=1\nStartLimitIntervalSec=1h\n[Service]\nExecStart=/p/ok\n"},
                          {"b.service",
                           UNIT "StartLimitBurst=1\nStartLimitIntervalSec=1h\n[Service]\nExecStart=/p/ok\n"}},
                .programs = {OK, CHECK(10 * MS, 0)},
                .commands = {START("a"), START("a"), START("a"), START("b"), START("b"), START("b")},
        },
        {
                .name = "row-failed-check-holds",
                .units = {{"a.service", FAILS_ONCE}, {"b.service", S "ExecStart=/p/bad\n"}},
                .programs = {BAD, CHECK(10 * MS, 0)},
                .commands = {START("a"), START("a"), START("b"), START("b")},
        },
        {
                .name = "row-failed-check-skips",
                .units = {{"a.service", FAILS_ONCE}},
                .programs = {BAD, THEN(10 * MS, PLAN_EXIT_CONDITION)},
                .commands = {START("a"), START("a")},
        },
        {
                .name = "row-failed-check-asserts",
                .units = {{"a.service", FAILS_ONCE}},
                .programs = {BAD, THEN(10 * MS, PLAN_EXIT_ASSERT)},
                .commands = {START("a"), START("a")},
        },
        {
                .name = "row-failed-check-hangs",
                .units = {{"a.service", FAILS_ONCE SHORT}},
                .programs = {BAD,
                             {.path = "/p/check", .lives_us = 10 * MS, .code = CLD_EXITED, .first = 1, .deaf = true}},
                .commands = {START("a"), START("a")},
        },
        {
                .name = "row-failed-check-unwanted",
                .units = {{"a.service", FAILS_ONCE}},
                .programs = {BAD, THEN(2 * SEC, 0)},
                .commands = {START("a"), START("a"), STOP("a")},
        },
        {
                .name = "row-failed-check-reset", /* and then it is a check like any other */
                .units = {{"a.service", FAILS_ONCE}},
                .programs = {BAD, THEN(2 * SEC, PLAN_EXIT_CONDITION)},
                .commands = {START("a"), START("a"), {RESET_UNIT, "a.service", 100 * MS}},
        },
        {
                .name = "row-restart-check-holds",
                .units = {{"a.service", CHECKED "StartLimitBurst=2\n" RESTARTS}},
                .programs = {BAD, CHECK(10 * MS, 0)},
                .commands = {START("a")},
        },
        {
                .name = "row-restart-check-skips",
                .units = {{"a.service", CHECKED RESTARTS}},
                .programs = {BAD, THEN(10 * MS, PLAN_EXIT_CONDITION)},
                .commands = {START("a")},
        },
        {
                .name = "row-restart-check-asserts",
                .units = {{"a.service", CHECKED RESTARTS}},
                .programs = {BAD, THEN(10 * MS, PLAN_EXIT_ASSERT)},
                .commands = {START("a")},
        },
        {
                .name = "row-restart-check-hangs",
                .units = {{"a.service", CHECKED RESTARTS SHORT}},
                .programs = {BAD,
                             {.path = "/p/check", .lives_us = 10 * MS, .code = CLD_EXITED, .first = 1, .deaf = true}},
                .commands = {START("a")},
        },
        {
                .name = "row-restart-check-stop",
                .units = {{"a.service", CHECKED RESTARTS}},
                .programs = {BAD, THEN(5 * SEC, 0)},
                .commands = {START("a"), {STOP_UNIT, "a.service", 2 * SEC}},
        },
        {
                .name = "row-restart-check-unwanted", /* the job ran out of its time */
                .units = {{"a.service", CHECKED "JobTimeoutSec=2\n" RESTARTS}},
                .programs = {BAD, THEN(5 * SEC, 0)},
                .commands = {START("a")},
        },
        /* ---- a start that does not come to its end: by each way of each phase ---- */
        {
                .name = "row-condition-timeouts",
                .units = {{"a.service", S SHORT ABORTS RUN "ExecCondition=/p/deaf\n"},
                          {"b.service", S SHORT KILLS RUN "ExecCondition=/p/deaf\n"},
                          {"c.service", S SHORT RUN "ExecCondition=/p/deaf\n"}},
                .programs = {RUNS, DEAF},
                .commands = {START("a"), START("b"), START("c")},
        },
        {
                .name = "row-pre-timeouts",
                .units = {{"a.service", S SHORT ABORTS RUN "ExecStartPre=/p/deaf\n"},
                          {"b.service", S SHORT KILLS RUN "ExecStartPre=/p/deaf\n"},
                          {"c.service", S SHORT RUN "ExecStartPre=/p/deaf\n"}},
                .programs = {RUNS, DEAF},
                .commands = {START("a"), START("b"), START("c")},
        },
        {
                .name = "row-start-timeouts",
                .units = {{"a.service", S SHORT ABORTS "Type=oneshot\nExecStart=/p/deaf\n"},
                          {"b.service", S SHORT KILLS "Type=oneshot\nExecStart=/p/deaf\n"},
                          {"c.service", S SHORT "Type=oneshot\nExecStart=/p/deaf\n"}},
                .programs = {DEAF},
                .commands = {START("a"), START("b"), START("c")},
        },
        {
                .name = "row-post-timeouts",
                .units = {{"a.service", S SHORT ABORTS RUN "ExecStartPost=/p/deaf\n"},
                          {"b.service", S SHORT KILLS RUN "ExecStartPost=/p/deaf\n"},
                          {"c.service", S SHORT RUN "ExecStartPost=/p/deaf\n"}},
                .programs = {RUNS, DEAF},
                .commands = {START("a"), START("b"), START("c")},
        },
        {
                .name = "row-stops", /* while it starts */
                .units = {{"a.service", S RUN "ExecCondition=/p/run\n"},
                          {"b.service", S RUN "ExecStartPre=/p/run\n"},
                          {"c.service", S RUN "ExecStartPost=/p/run\n"}},
                .programs = {RUNS},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c")},
        },
        {
                .name = "row-controls-fail",
                .units = {{"a.service", S RUN "ExecCondition=/p/255\n"},
                          {"b.service", S RUN "ExecStartPre=/p/bad\n"},
                          {"c.service", S "Type=forking\nExecStart=/p/bad\n"},
                          {"d.service", S RUN "ExecStartPost=/p/bad\n"},
                          {"e.service", S RUN "ExecReload=/p/bad\n"},
                          {"f.service", S RUN "ExecStop=/p/bad\n"},
                          {"g.service", S RUN "ExecStopPost=/p/bad\n"}},
                .programs = {RUNS, BAD, {.path = "/p/255", .lives_us = 10 * MS, .code = CLD_EXITED, .status = 255}},
                .commands = {START("a"),
                             START("b"),
                             START("c"),
                             START("d"),
                             START("e"),
                             {RELOAD_UNIT, "e.service"},
                             START("f"),
                             LATER("f"),
                             START("g"),
                             LATER("g")},
        },
        {
                .name = "row-each-has-its-time", /* the timer is a new one for each command */
                .units = {{"a.service",
                           S "TimeoutStartSec=3\nTimeoutStopSec=3\nExecCondition=/p/2s\nExecStartPre=/p/2s\n"
                             "ExecStartPre=/p/2s\n" RUN "ExecStartPost=/p/2s\nExecStartPost=/p/2s\n"
                             "ExecReload=/p/2s\nExecReload=/p/2s\nExecStop=/p/2s\nExecStop=/p/2s\n"
                             "ExecStopPost=/p/2s\nExecStopPost=/p/2s\n"},
                          {"b.service", S "Type=oneshot\nTimeoutStartSec=3\nExecStartPre=/p/2s\nExecStart=/p/2s\n"
                                          "ExecStart=/p/2s\nExecStartPost=/p/2s\n"}},
                .programs = {RUNS, {.path = "/p/2s", .lives_us = 2 * SEC, .code = CLD_EXITED}},
                .commands = {START("a"), {RELOAD_UNIT, "a.service"}, LATER("a"), START("b")},
        },
        /* ---- ends of the main process at odd times ---- */
        {
                .name = "row-main-ends-early",
                .units = {{"a.service", S "Type=notify\nExecStart=/p/ok\n"}, /* before READY=1 */
                          {"b.service", S "ExecStart=/p/ok\nExecStartPost=/p/wait\nExecStop=/p/ok\n"},
                          {"c.service", S "ExecStart=/p/bad\nExecStartPost=/p/wait\nExecStop=/p/ok\n"},
                          {"d.service", S "RemainAfterExit=yes\nExecStart=/p/ok\nExecStartPost=/p/wait\n"},
                          {"e.service", S "Type=oneshot\nRemainAfterExit=yes\nExecStop=/p/ok\n"},
                          {"f.service", S "RemainAfterExit=yes\nExecStart=/p/half\n"}},
                .programs = {OK,
                             BAD,
                             {.path = "/p/wait", .lives_us = SEC, .code = CLD_EXITED},
                             {.path = "/p/half", .lives_us = 500 * MS, .code = CLD_EXITED}},
                .commands = {START("a"), START("b"), START("c"), START("d"), START("e"), LATER("e"), START("f"),
                             LATER("f")},
        },
        {
                .name = "row-main-ends-in-reload",
                .units = {{"a.service", S "ExecStart=/p/half\nExecReload=/p/wait\nExecStop=/p/ok\n"},
                          {"b.service", S "ExecStart=/p/halfbad\nExecReload=/p/wait\nExecStop=/p/ok\n"},
                          {"c.service", S "ExecStart=/p/run\nExecReload=/p/run\n"}},
                .programs = {RUNS,
                             OK,
                             {.path = "/p/wait", .lives_us = SEC, .code = CLD_EXITED},
                             {.path = "/p/half", .lives_us = 500 * MS, .code = CLD_EXITED},
                             {.path = "/p/halfbad", .lives_us = 500 * MS, .code = CLD_EXITED, .status = 3}},
                .commands = {START("a"),
                             {RELOAD_UNIT, "a.service", 100 * MS},
                             START("b"),
                             {RELOAD_UNIT, "b.service", 100 * MS},
                             START("c"),
                             {RELOAD_UNIT, "c.service"},
                             STOP("c")},
        },
        {
                .name = "row-main-ends-in-stop",
                .units = {{"a.service", S "ExecStart=/p/half\nExecStop=/p/wait\n"},
                          {"b.service", S "ExecStart=/p/halfbad\nExecStop=/p/wait\n"},
                          {"c.service", S "SendSIGKILL=no\n" SHORT "ExecStart=/p/three\nExecStopPost=/p/wait\n"},
                          {"d.service", S "SendSIGKILL=no\n" SHORT "ExecStart=/p/threebad\nExecStopPost=/p/wait\n"}},
                .programs =
                        {{.path = "/p/wait", .lives_us = 700 * MS, .code = CLD_EXITED},
                         {.path = "/p/half", .lives_us = 500 * MS, .code = CLD_EXITED},
                         {.path = "/p/halfbad", .lives_us = 500 * MS, .code = CLD_EXITED, .status = 3},
                         {.path = "/p/three", .lives_us = 1500 * MS, .code = CLD_EXITED, .deaf = true},
                         {.path = "/p/threebad", .lives_us = 1500 * MS, .code = CLD_EXITED, .status = 3, .deaf = true}},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c"), START("d"),
                             STOP("d")},
        },
        {
                .name = "row-main-ends-in-final", /* which never waits longer than for all of them */
                .units = {{"a.service", S SHORT "SendSIGKILL=no\nExecStart=/p/soon\n"},
                          {"b.service", S SHORT "SendSIGKILL=no\nExecStart=/p/soonbad\n"},
                          {"c.service", S SHORT ABORTS "SendSIGKILL=no\nExecStart=/p/late\n"},
                          {"d.service", S SHORT ABORTS "SendSIGKILL=no\nExecStart=/p/latebad\n"},
                          {"e.service", S SHORT "FinalKillSignal=SIGUSR1\nExecStart=/p/late\n"},
                          {"f.service", S SHORT "FinalKillSignal=SIGUSR1\nExecStart=/p/latebad\n"},
                          {"g.service", S "KillMode=none\nExecStart=/p/halfbad\nExecStopPost=/p/wait\n"}},
                .programs =
                        {{.path = "/p/soon", .lives_us = 1500 * MS, .code = CLD_EXITED, .deaf = true},
                         {.path = "/p/soonbad", .lives_us = 1500 * MS, .code = CLD_EXITED, .status = 3, .deaf = true},
                         {.path = "/p/late", .lives_us = 3500 * MS, .code = CLD_EXITED, .deaf = true},
                         {.path = "/p/latebad", .lives_us = 3500 * MS, .code = CLD_EXITED, .status = 3, .deaf = true},
                         {.path = "/p/halfbad", .lives_us = 500 * MS, .code = CLD_EXITED, .status = 3},
                         {.path = "/p/wait", .lives_us = SEC, .code = CLD_EXITED}},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c"), START("d"), STOP("d"),
                             START("e"), STOP("e"), START("f"), STOP("f"), START("g"), STOP("g")},
        },
        {
                .name = "row-kill-mode-none",
                .units = {{"a.service", S "KillMode=none\nTimeoutStopSec=3\nExecStart=/p/run\n"},
                          {"b.service", S "KillMode=none\nTimeoutStopSec=3\nExecStart=/p/two\nExecStopPost=/p/ok\n"},
                          {"c.service",
                           S "KillMode=none\nTimeoutStopSec=3\nExecStart=/p/twobad\nExecStopPost=/p/bad\n"},
                          {"d.service", S "KillMode=none\nTimeoutStopSec=3\nExecStart=/p/run\nExecStopPost=/p/ok\n"},
                          {"e.service",
                           S "KillMode=none\nTimeoutStopSec=3\n" ABORTS "ExecStart=/p/run\nExecStopPost=/p/ok\n"},
                          {"f.service",
                           S "KillMode=none\nTimeoutStopSec=3\n" KILLS "ExecStart=/p/run\nExecStopPost=/p/ok\n"}},
                .programs = {RUNS,
                             OK,
                             BAD,
                             {.path = "/p/two", .lives_us = 2 * SEC, .code = CLD_EXITED},
                             {.path = "/p/twobad", .lives_us = 2 * SEC, .code = CLD_EXITED, .status = 3}},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c"), START("d"), STOP("d"),
                             START("e"), STOP("e"), START("f"), STOP("f")},
        },
        /* ---- stops that do not come to their end ---- */
        {
                .name = "row-stop-timeouts",
                .units = {{"a.service", S SHORT ABORTS "ExecStart=/p/run\nExecStop=/p/deaf\n"},
                          {"b.service", S SHORT KILLS "ExecStart=/p/run\nExecStop=/p/deaf\n"},
                          {"c.service", S SHORT "ExecStart=/p/run\nExecStop=/p/deaf\n"},
                          {"d.service", S SHORT ABORTS "ExecStart=/p/run\nExecStopPost=/p/deaf\n"},
                          {"e.service", S SHORT KILLS "ExecStart=/p/run\nExecStopPost=/p/deaf\n"},
                          {"f.service", S SHORT "ExecStart=/p/run\nExecStopPost=/p/deaf\n"}},
                .programs = {RUNS, DEAF},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c"), START("d"), STOP("d"),
                             START("e"), STOP("e"), START("f"), STOP("f")},
        },
        {
                .name = "row-kill-timeouts", /* with FinalKillSignal= that is not heard, too */
                .units = {{"a.service", S SHORT ABORTS "ExecStart=/p/deaf\n"},
                          {"b.service", S SHORT "SendSIGKILL=no\nExecStart=/p/nine\n"},
                          {"c.service", S SHORT ABORTS "SendSIGKILL=no\nExecStart=/p/nine\n"},
                          {"d.service", S SHORT "FinalKillSignal=SIGUSR1\nExecStart=/p/nine\n"}},
                .programs = {DEAF, {.path = "/p/nine", .lives_us = 9 * SEC, .code = CLD_EXITED, .deaf = true}},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c"), START("d"),
                             STOP("d")},
        },
        {
                .name = "row-final-timeouts", /* of what the main process has left */
                .units = {{"a.service", S SHORT ABORTS "ExecStart=/p/parent\n"},
                          {"b.service", S SHORT "SendSIGKILL=no\nExecStart=/p/parent\n"},
                          {"c.service", S SHORT ABORTS "SendSIGKILL=no\nExecStart=/p/parent\n"},
                          {"d.service", S SHORT "FinalKillSignal=SIGUSR1\nExecStart=/p/parent\n"}},
                .programs = {{.path = "/p/parent", .says = "X=1", .says_us = 5 * MS, .child = "/p/nine"},
                             {.path = "/p/nine", .lives_us = 9 * SEC, .code = CLD_EXITED, .deaf = true}},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c"), START("d"),
                             STOP("d")},
        },
        /* ---- how a command takes the signal that ends a start ---- */
        {
                .name = "row-controls-in-sigterm",
                .units = {{"a.service", S RUN "ExecCondition=/p/obeys\n"},
                          {"b.service", S RUN "ExecCondition=/p/skips\n"},
                          {"c.service", S RUN "ExecStartPre=/p/fails\n"}},
                .programs = {RUNS,
                             {.path = "/p/obeys", .ends_by = SIGTERM, .term_us = 100 * MS},
                             {.path = "/p/skips", .ends_by = SIGTERM, .term_us = 100 * MS, .term_status = 3},
                             {.path = "/p/fails", .ends_by = SIGTERM, .term_us = 100 * MS, .term_status = 4}},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c")},
        },
        {
                .name = "row-controls-in-abort",
                .units = {{"a.service", S SHORT ABORTS RUN "ExecCondition=/p/obeys\n"},
                          {"b.service", S SHORT ABORTS RUN "ExecCondition=/p/skips\n"},
                          {"c.service", S SHORT ABORTS RUN "ExecStartPre=/p/fails\n"},
                          {"d.service", S SHORT ABORTS "Type=oneshot\nExecStart=/p/obeys\n"},
                          {"e.service", S SHORT ABORTS "Type=oneshot\nExecStart=/p/fails\n"}},
                .programs = {RUNS,
                             {.path = "/p/obeys", .ends_by = SIGABRT, .term_us = 100 * MS},
                             {.path = "/p/skips", .ends_by = SIGABRT, .term_us = 100 * MS, .term_status = 3},
                             {.path = "/p/fails", .ends_by = SIGABRT, .term_us = 100 * MS, .term_status = 4}},
                .commands = {START("a"), START("b"), START("c"), START("d"), START("e")},
        },
        {
                .name = "row-controls-in-sigkill",
                .units = {{"a.service", S SHORT KILLS "FinalKillSignal=SIGUSR1\n" RUN "ExecCondition=/p/obeys\n"},
                          {"b.service", S SHORT KILLS "FinalKillSignal=SIGUSR1\n" RUN "ExecCondition=/p/skips\n"},
                          {"c.service", S SHORT KILLS "FinalKillSignal=SIGUSR1\n" RUN "ExecStartPre=/p/fails\n"},
                          {"d.service", S SHORT KILLS "FinalKillSignal=SIGUSR1\nType=oneshot\nExecStart=/p/obeys\n"},
                          {"e.service", S SHORT KILLS "FinalKillSignal=SIGUSR1\nType=oneshot\nExecStart=/p/fails\n"}},
                .programs = {RUNS,
                             {.path = "/p/obeys", .ends_by = SIGUSR1, .term_us = 100 * MS},
                             {.path = "/p/skips", .ends_by = SIGUSR1, .term_us = 100 * MS, .term_status = 3},
                             {.path = "/p/fails", .ends_by = SIGUSR1, .term_us = 100 * MS, .term_status = 4}},
                .commands = {START("a"), START("b"), START("c"), START("d"), START("e")},
        },
        {
                .name = "row-controls-in-final", /* ExecStopPost= is ended */
                .units = {{"a.service", S SHORT RUN "ExecStopPost=/p/term\n"},
                          {"b.service", S SHORT RUN "ExecStopPost=/p/termbad\n"},
                          {"c.service", S SHORT ABORTS RUN "ExecStopPost=/p/abrt\n"},
                          {"d.service", S SHORT ABORTS RUN "ExecStopPost=/p/abrtbad\n"},
                          {"e.service", S SHORT KILLS "FinalKillSignal=SIGUSR1\n" RUN "ExecStopPost=/p/usr1\n"},
                          {"f.service", S SHORT KILLS "FinalKillSignal=SIGUSR1\n" RUN "ExecStopPost=/p/usr1bad\n"}},
                .programs = {RUNS,
                             {.path = "/p/term", .ends_by = SIGTERM, .term_us = 100 * MS},
                             {.path = "/p/termbad", .ends_by = SIGTERM, .term_us = 100 * MS, .term_status = 4},
                             {.path = "/p/abrt", .ends_by = SIGABRT, .term_us = 100 * MS},
                             {.path = "/p/abrtbad", .ends_by = SIGABRT, .term_us = 100 * MS, .term_status = 4},
                             {.path = "/p/usr1", .ends_by = SIGUSR1, .term_us = 100 * MS},
                             {.path = "/p/usr1bad", .ends_by = SIGUSR1, .term_us = 100 * MS, .term_status = 4}},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c"), START("d"), STOP("d"),
                             START("e"), STOP("e"), START("f"), STOP("f")},
        },
        /* ---- a start that takes longer than its stop ---- */
        {
                .name = "row-launch-overtaken",
                .units = {{"a.service", S SHORT "ExecStart=/p/slow\n"},
                          {"b.service", S SHORT ABORTS "ExecStart=/p/slow\n"},
                          {"c.service", S SHORT "ExecStart=/p/nopid\n"},
                          {"d.service", S SHORT ABORTS "ExecStart=/p/nopid\n"},
                          {"e.service", S "TimeoutStopSec=5\nExecStart=/p/nopid\n"}},
                .programs = {{.path = "/p/slow", .exec_us = 1500 * MS},
                             {.path = "/p/nopid", .how = NO_PID, .pid_us = 1500 * MS}},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c"), START("d"), STOP("d"),
                             START("e"), STOP("e")},
        },
        {
                .name = "row-launch-late", /* there is nobody yet who could get the signal of the stop */
                .units = {{"a.service", S "TimeoutStopSec=5\nExecStart=/p/late\n"},
                          {"b.service", S SHORT "ExecStart=/p/later\n"},
                          {"c.service", S SHORT ABORTS "ExecStart=/p/later\n"},
                          {"d.service", S SHORT "SendSIGKILL=no\nExecStart=/p/later\n"},
                          {"e.service", S SHORT "ExecStart=/p/latest\n"},
                          {"f.service", S SHORT ABORTS "SendSIGKILL=no\nExecStart=/p/latest\n"}},
                .programs = {{.path = "/p/late", .pid_us = 500 * MS},
                             {.path = "/p/later", .pid_us = 1500 * MS},
                             {.path = "/p/latest", .pid_us = 3500 * MS}},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c"), START("d"), STOP("d"),
                             START("e"), STOP("e"), START("f"), STOP("f")},
        },
        {
                .name = "row-launch-late-fails",
                .units = {{"a.service", S SHORT "SendSIGKILL=no\nExecStart=/p/later\n"},
                          {"b.service", S SHORT "ExecStart=/p/latest\n"},
                          {"c.service", S SHORT ABORTS "SendSIGKILL=no\nExecStart=/p/latest\n"}},
                .programs = {{.path = "/p/later", .how = NO_PID, .pid_us = 1500 * MS},
                             {.path = "/p/latest", .how = NO_PID, .pid_us = 3500 * MS}},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c")},
        },
        /* ---- notifications ---- */
        {
                .name = "row-says-in-post",
                .units = {{"a.service", S "NotifyAccess=main\nExecStart=/p/stopping\nExecStartPost=/p/wait\n"},
                          {"b.service",
                           S "NotifyAccess=main\nTimeoutStartSec=5\nExecStart=/p/reloading\nExecStartPost=/p/wait\n"}},
                .programs = {{.path = "/p/wait", .lives_us = SEC, .code = CLD_EXITED},
                             {.path = "/p/stopping",
                              .says = "STOPPING=1",
                              .says_us = 100 * MS,
                              .lives_us = 3 * SEC,
                              .code = CLD_EXITED},
                             {.path = "/p/reloading",
                              .says = "RELOADING=1\nMONOTONIC_USEC=9999999999",
                              .says_us = 100 * MS,
                              .again = 1,
                              .again_us = 3 * SEC,
                              .again_says = "READY=1"}},
                .commands = {START("a"), START("b")},
        },
        {
                .name = "row-says-in-running",
                .units = {{"a.service", S "Type=notify\nExecStart=/p/reloads\n"},
                          {"b.service", S "NotifyAccess=main\nExecStart=/p/stopping\nExecReload=/p/wait\n"},
                          {"c.service", S "Type=oneshot\nRemainAfterExit=yes\nExecStart=/p/ok\nExecReload=/p/wait\n"}},
                .programs = {OK,
                             {.path = "/p/wait", .lives_us = SEC, .code = CLD_EXITED},
                             {.path = "/p/reloads",
                              .says = "READY=1",
                              .says_us = 10 * MS,
                              .again = 1,
                              .again_us = SEC,
                              .again_says = "RELOADING=1\nMONOTONIC_USEC=9999999999"},
                             {.path = "/p/stopping",
                              .says = "STOPPING=1",
                              .says_us = 500 * MS,
                              .lives_us = 3 * SEC,
                              .code = CLD_EXITED}},
                .commands = {START("a"),
                             {STOP_UNIT, "a.service", 3 * SEC},
                             START("b"),
                             {RELOAD_UNIT, "b.service", 100 * MS},
                             START("c"),
                             {RELOAD_UNIT, "c.service"}},
        },
        {
                .name = "row-reload-notify", /* who says that it reloads, and no more, is asked again and again */
                .units = {{"a.service", S "Type=notify-reload\nExecStart=/p/begins\nExecStop=/p/ok\n"},
                          {"b.service", S "Type=notify-reload\nExecStart=/p/begins\nExecStop=/p/ok\n"},
                          {"c.service", S "Type=notify-reload\nExecStart=/p/dies\nExecStop=/p/ok\n"},
                          {"d.service",
                           S "Type=notify-reload\nTimeoutStartSec=2\nExecStart=/p/begins\nExecStop=/p/ok\n"},
                          {"e.service", S "Type=notify-reload\nExecStart=/p/diesbad\nExecStop=/p/ok\n"},
                          {"f.service", S "Type=notify-reload\nExecStart=/p/both\nExecReload=/p/ok\nExecStop=/p/ok\n"}},
                .programs = {OK,
                             {.path = "/p/begins",
                              .says = "READY=1",
                              .says_us = 10 * MS,
                              .heeds = SIGHUP,
                              .answers = "RELOADING=1\nMONOTONIC_USEC=9999999999"},
                             {.path = "/p/dies",
                              .says = "READY=1",
                              .says_us = 10 * MS,
                              .heeds = SIGHUP,
                              .lives_us = SEC,
                              .code = CLD_EXITED,
                              .answers = "RELOADING=1\nMONOTONIC_USEC=9999999999"},
                             {.path = "/p/diesbad",
                              .says = "READY=1",
                              .says_us = 10 * MS,
                              .heeds = SIGHUP,
                              .lives_us = SEC,
                              .code = CLD_EXITED,
                              .status = 3,
                              .answers = "RELOADING=1\nMONOTONIC_USEC=9999999999"},
                             {.path = "/p/both",
                              .says = "READY=1",
                              .says_us = 10 * MS,
                              .heeds = SIGHUP,
                              .answers = "RELOADING=1\nMONOTONIC_USEC=9999999999"}},
                .commands = {START("a"),
                             {RELOAD_UNIT, "a.service", 100 * MS},
                             STOP("a"),
                             START("b"),
                             {RELOAD_UNIT, "b.service", 100 * MS},
                             EVENT("b", STOPPING),
                             START("c"),
                             {RELOAD_UNIT, "c.service", 100 * MS},
                             START("d"),
                             {RELOAD_UNIT, "d.service", 100 * MS},
                             {STOP_UNIT, "d.service", 3 * SEC},
                             START("e"),
                             {RELOAD_UNIT, "e.service", 100 * MS},
                             START("f"),
                             {RELOAD_UNIT, "f.service", 100 * MS},
                             STOP("f")},
        },
        {
                .name = "row-reload-signal",
                .units = {{"a.service", S "Type=notify-reload\nExecStart=/p/mute\nExecStop=/p/ok\n"},
                          {"b.service", S "Type=notify-reload\nExecStart=/p/mute\nExecStop=/p/ok\n"},
                          {"c.service", S "Type=notify-reload\nExecStart=/p/dies\nExecStop=/p/ok\n"},
                          {"e.service", S "Type=notify-reload\nExecStart=/p/diesbad\nExecStop=/p/ok\n"},
                          {"f.service", S "Type=notify-reload\nExecStart=/p/mute\nExecStop=/p/ok\n"}},
                .programs = {OK,
                             {.path = "/p/mute", .says = "READY=1", .says_us = 10 * MS, .heeds = SIGHUP},
                             {.path = "/p/dies",
                              .says = "READY=1",
                              .says_us = 10 * MS,
                              .heeds = SIGHUP,
                              .lives_us = SEC,
                              .code = CLD_EXITED},
                             {.path = "/p/diesbad",
                              .says = "READY=1",
                              .says_us = 10 * MS,
                              .heeds = SIGHUP,
                              .lives_us = SEC,
                              .code = CLD_EXITED,
                              .status = 3}},
                .commands = {START("a"),
                             {RELOAD_UNIT, "a.service", 100 * MS},
                             STOP("a"),
                             START("b"),
                             {RELOAD_UNIT, "b.service", 100 * MS},
                             EVENT("b", STOPPING),
                             START("c"),
                             {RELOAD_UNIT, "c.service", 100 * MS},
                             START("e"),
                             {RELOAD_UNIT, "e.service", 100 * MS},
                             START("f"),
                             {RELOAD_UNIT, "f.service", 100 * MS},
                             EVENT("f", WATCHDOG)},
        },
        {
                .name = "row-watchdogs", /* also WATCHDOG=trigger, which needs no WatchdogSec= */
                .units = {{"a.service", S "Type=notify\nExecStart=/p/run\n"},
                          {"b.service", S RUN "ExecStartPost=/p/run\n"},
                          {"c.service", S RUN "ExecReload=/p/run\n"},
                          {"d.service", S "Type=notify-reload\nExecStart=/p/begins\n"}},
                .programs = {RUNS,
                             {.path = "/p/begins",
                              .says = "READY=1",
                              .says_us = 10 * MS,
                              .heeds = SIGHUP,
                              .answers = "RELOADING=1\nMONOTONIC_USEC=9999999999"}},
                .commands = {START("a"),
                             EVENT("a", WATCHDOG),
                             START("b"),
                             EVENT("b", WATCHDOG),
                             START("c"),
                             {RELOAD_UNIT, "c.service"},
                             EVENT("c", WATCHDOG),
                             START("d"),
                             {RELOAD_UNIT, "d.service", 100 * MS},
                             EVENT("d", WATCHDOG)},
        },
        /* ---- memory ran out ---- */
        {
                .name = "row-oom-start",
                .units = {{"a.service", S RUN "ExecCondition=/p/run\n"},
                          {"b.service", S RUN "ExecStartPre=/p/run\n"},
                          {"c.service", S "Type=oneshot\nExecStart=/p/run\n"},
                          {"d.service", S RUN "ExecStartPost=/p/run\n"},
                          {"e.service", S RUN},
                          {"f.service", S "Type=oneshot\nRemainAfterExit=yes\nExecStart=/p/ok\nExecStop=/p/ok\n"}},
                .programs = {RUNS, OK},
                .commands = {START("a"), EVENT("a", OOM), START("b"), EVENT("b", OOM), START("c"), EVENT("c", OOM),
                             START("d"), EVENT("d", OOM), START("e"), EVENT("e", OOM), START("f"), EVENT("f", OOM)},
        },
        {
                .name = "row-oom-start-kills",
                .units = {{"a.service", S "OOMPolicy=kill\n" RUN "ExecCondition=/p/run\n"},
                          {"b.service", S "OOMPolicy=kill\n" RUN "ExecStartPre=/p/run\n"},
                          {"c.service", S "OOMPolicy=kill\nType=oneshot\nExecStart=/p/run\n"},
                          {"d.service", S "OOMPolicy=kill\n" RUN "ExecStartPost=/p/run\n"},
                          {"e.service", S "OOMPolicy=kill\n" RUN},
                          {"f.service", S "OOMPolicy=kill\nType=oneshot\nRemainAfterExit=yes\nExecStart=/p/ok\n"}},
                .programs = {RUNS, OK},
                .commands = {START("a"), EVENT("a", OOM), START("b"), EVENT("b", OOM), START("c"), EVENT("c", OOM),
                             START("d"), EVENT("d", OOM), START("e"), EVENT("e", OOM), START("f"), EVENT("f", OOM)},
        },
        {
                .name = "row-oom-stop",
                .units =
                        {{"a.service", S RUN "ExecStop=/p/run\n"},
                         {"b.service", S "OOMPolicy=kill\n" RUN "ExecStop=/p/run\n"},
                         {"c.service", S "ExecStart=/p/deaf\n"},
                         {"d.service", S RUN "ExecStopPost=/p/run\n"},
                         {"e.service", S "KillMode=none\nExecStart=/p/nine\nExecStopPost=/p/ok\n"},
                         {"f.service", S SHORT "FinalKillSignal=SIGUSR1\nExecStart=/p/nine\n"},
                         {"g.service", S ABORTS
                          "TimeoutStartSec=1\nTimeoutStopSec=4\nTimeoutAbortSec=4\nType=oneshot\nExecStart=/p/nine\n"}},
                .programs =
                        {RUNS, OK, DEAF, {.path = "/p/nine", .lives_us = 9 * SEC, .code = CLD_EXITED, .deaf = true}},
                .commands = {START("a"),      STOP("a"),
                             EVENT("a", OOM), START("b"),
                             STOP("b"),       EVENT("b", OOM),
                             START("c"),      STOP("c"),
                             EVENT("c", OOM), START("d"),
                             STOP("d"),       EVENT("d", OOM),
                             START("e"),      STOP("e"),
                             EVENT("e", OOM), START("f"),
                             STOP("f"),       {POST_EVENT, "f.service", 1500 * MS, EVENT_OOM},
                             START("g"),      {POST_EVENT, "g.service", 1500 * MS, EVENT_OOM}},
        },
        {
                .name = "row-oom-final",
                .units = {{"a.service", S "ExecStart=/p/parent\n"},
                          {"b.service", S SHORT ABORTS "TimeoutAbortSec=4\nExecStart=/p/parent\n"},
                          {"c.service", S SHORT "FinalKillSignal=SIGUSR1\nExecStart=/p/parent\n"}},
                .programs = {{.path = "/p/parent", .says = "X=1", .says_us = 5 * MS, .child = "/p/nine"},
                             {.path = "/p/nine", .lives_us = 9 * SEC, .code = CLD_EXITED, .deaf = true}},
                .commands = {START("a"),
                             STOP("a"),
                             EVENT("a", OOM),
                             START("b"),
                             STOP("b"),
                             {POST_EVENT, "b.service", 1500 * MS, EVENT_OOM},
                             START("c"),
                             STOP("c"),
                             {POST_EVENT, "c.service", 1500 * MS, EVENT_OOM}},
        },
        /* ---- clean-up: what removes the PID file ---- */
        {
                .name = "row-cleanup",
                .units = {{"a.service", S SHORT "PIDFile=/world/deaf\nExecStart=/p/run\n"},
                          {"b.service", S "PIDFile=/world/bad\nExecStart=/p/run\n"},
                          {"c.service", S "PIDFile=/world/nopid\nExecStart=/p/run\n"},
                          {"d.service", S "KillMode=none\nPIDFile=/world/slow\nExecStart=/p/halfbad\n"}},
                .programs = {RUNS,
                             {.path = "/world/deaf", .deaf = true},
                             {.path = "/world/bad", .lives_us = 10 * MS, .code = CLD_EXITED, .status = 3},
                             {.path = "/world/nopid", .how = NO_PID},
                             {.path = "/world/slow", .lives_us = SEC, .code = CLD_EXITED},
                             {.path = "/p/halfbad", .lives_us = 500 * MS, .code = CLD_EXITED, .status = 3}},
                .commands = {START("a"), STOP("a"), START("b"), STOP("b"), START("c"), STOP("c"), START("d"),
                             STOP("d")},
        },
        /* ---- nobody is left who could write the PID file; the world has to be older than its bystander for that ----
         */
        {
                .name = "row-no-writer",
                .units = {{"a.service", S "Type=oneshot\nExecStart=/p/wait\n"},
                          {"b.service", S "Type=forking\nPIDFile=/world/pid\nExecStart=/p/ok\n"}},
                .programs = {OK, {.path = "/p/wait", .lives_us = SEC, .code = CLD_EXITED}},
                .commands = {START("a"), START("b")},
        },
};
const size_t n_row_scenarios = ARRAY_SIZE(row_scenarios);
