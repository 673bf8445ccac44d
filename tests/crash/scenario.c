/* SPDX-License-Identifier: MIT
 *
 * The table of scenarios. Not here: code. Invariant: names are unique; every unit has StartLimitIntervalSec=0, because
 * a start limit is not what is asked here.
 */
#include <signal.h>
#include <stdio.h>

#include "base/util.h"
#include "scenario.h"

#define UNIT_HEAD "[Unit]\nStartLimitIntervalSec=0\nDefaultDependencies=no\n"
#define SERVICE   UNIT_HEAD "[Service]\n"
#define RUNNING(n)                                                                                                     \
        {                                                                                                              \
                UNTIL_RUNNING, "a.service", (n), NULL                                                                  \
        }
#define STOPPED(n)                                                                                                     \
        {                                                                                                              \
                UNTIL_STOPPED, "a.service", (n), NULL                                                                  \
        }
#define SHOWS(u, s)                                                                                                    \
        {                                                                                                              \
                UNTIL_SHOW, (u), 0, (s)                                                                                \
        }
#define START_A                                                                                                        \
        {                                                                                                              \
                ACT_SUPCTL, "start a.service", .until = RUNNING(1)                                                     \
        }

const struct scenario scenarios[] = {
        {
                .name = "start",
                .what = "a simple service is started",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\n"}},
                .steps = {START_A},
                .expect = {{"a.service", .running = true, .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active SubState=running NRestarts=0"}},
        },
        {
                .name = "boot",
                .what = "supd itself starts, and a service with it",
                .units = {{"default.target", "[Unit]\nWants=a.service\nAfter=a.service\n"},
                          {"a.service", SERVICE "ExecStart=@DIARY@\n"}},
                .steps = {{ACT_END}},
                .expect = {{"a.service", .running = true, .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active SubState=running NRestarts=0"}},
                .from_birth = true,
        },
        {
                .name = "stop",
                .what = "a service is stopped, and dies of SIGTERM",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\n"}},
                .setup = {START_A},
                .steps = {{ACT_SUPCTL, "stop a.service", .until = STOPPED(1)}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=inactive Result=success ExecMainCode=2 ExecMainStatus=15"}},
        },
        {
                .name = "exec-failure",
                .what = "a program that does not exist",
                .units = {{"a.service", SERVICE "Type=exec\nExecStart=/nonexistent/program\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "ActiveState=failed")}},
                .expect = {{"a.service", .never = true}},
                .shows = {{"a.service", "ActiveState=failed Result=exit-code ExecMainCode=1 ExecMainStatus=203"}},
        },
        {
                .name = "exit",
                .what = "a service exits with 7 and is not restarted",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\n"}},
                .setup = {START_A},
                .steps = {{ACT_TELL, "a.service", 7, .until = STOPPED(1)}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=failed Result=exit-code ExecMainCode=1 ExecMainStatus=7"}},
        },
        {
                .name = "crash-restart",
                .what = "a service dies of SIGSEGV and is restarted",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\nRestart=on-failure\nRestartSec=30ms\n"}},
                .setup = {START_A},
                .steps = {{ACT_TELL, "a.service", 256 + SIGSEGV, .until = RUNNING(2)}},
                .expect = {{"a.service", .running = true, .min_starts = 2, .max_starts = 2}},
                .shows = {{"a.service", "ActiveState=active SubState=running NRestarts=1"}},
        },
        {
                .name = "notify",
                .what = "a service that tells when it is ready",
                .units = {{"a.service",
                           SERVICE "Type=notify\nExecStart=@DIARY@ --notify=READY=1 --notify-delay-ms=20\n"}},
                .steps = {START_A},
                .expect = {{"a.service", .running = true, .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active SubState=running"}},
        },
        {
                .name = "stop-timeout",
                .what = "a service ignores SIGTERM and is killed",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@ --on-term=ignore\nTimeoutStopSec=150ms\n"}},
                .setup = {START_A},
                .steps = {{ACT_SUPCTL, "stop a.service", .until = STOPPED(1)}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=failed Result=timeout ExecMainCode=2 ExecMainStatus=9"}},
        },
        {
                .name = "forking",
                .what = "a classic daemon with a PID file",
                .units = {{"a.service", SERVICE "Type=forking\nPIDFile=@RIG@/a.pid\n"
                                                "ExecStart=@DIARY@ --fork --pid-file=@RIG@/a.pid\n"}},
                .steps = {START_A},
                .expect = {{"a.service", .running = true, .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active SubState=running"}},
        },
        {
                .name = "forking-exit",
                .what = "a classic daemon exits with 9: claimed pids have a status, too",
                .units = {{"a.service", SERVICE "Type=forking\nPIDFile=@RIG@/a.pid\n"
                                                "ExecStart=@DIARY@ --fork --pid-file=@RIG@/a.pid\n"}},
                .setup = {START_A},
                .steps = {{ACT_TELL, "a.service", 9, .until = STOPPED(1)}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=failed Result=exit-code ExecMainCode=1 ExecMainStatus=9"}},
        },
        {
                .name = "forking-brief",
                .what = "a classic daemon exits with 9 while it is being claimed",
                .units = {{"a.service", SERVICE "Type=forking\nPIDFile=@RIG@/a.pid\n"
                                                "ExecStart=@DIARY@ --fork --pid-file=@RIG@/a.pid --start-delay-ms=5 "
                                                "--exit-after-ms=8 --exit=9\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "ActiveState=failed")}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=failed Result=exit-code ExecMainCode=1 ExecMainStatus=9"}},
        },
        {
                .name = "forking-guess",
                .what = "a classic daemon without a PID file is found, and killed",
                .units = {{"a.service", SERVICE "Type=forking\nRestart=always\nRestartSec=30ms\n"
                                                "ExecStart=@DIARY@ --fork\n"}},
                .steps = {START_A, {ACT_KILL, "a.service", SIGKILL, .until = RUNNING(2)}},
                .expect = {{"a.service", .running = true, .min_starts = 2, .max_starts = 2}},
                .shows = {{"a.service", "ActiveState=active SubState=running NRestarts=1"}},
        },
        {
                .name = "forking-in-vain",
                .what = "a classic daemon leaves nothing behind that could write its PID file",
                .units = {{"a.service", SERVICE "Type=forking\nPIDFile=@RIG@/a.pid\n"
                                                "ExecStart=@DIARY@ --name=parent --exit-after-ms=5\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "ActiveState=failed")}},
                .expect = {{"parent", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=failed Result=protocol ExecMainCode=0"}},
        },
        {
                .name = "restart",
                .what = "a service is restarted by hand",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\n"}},
                .setup = {START_A},
                .steps = {{ACT_SUPCTL, "restart a.service", .until = RUNNING(2)}},
                .expect = {{"a.service", .running = true, .min_starts = 2, .max_starts = 2}},
                .shows = {{"a.service", "ActiveState=active SubState=running"}},
        },
        {
                .name = "oneshot-chain",
                .what = "each command of a oneshot service runs exactly once",
                .units = {{"a.service", SERVICE "Type=oneshot\nRemainAfterExit=yes\n"
                                                "ExecStartPre=@DIARY@ --name=pre --exit-after-ms=5\n"
                                                "ExecStart=@DIARY@ --name=one --exit-after-ms=5\n"
                                                "ExecStart=@DIARY@ --name=two --exit-after-ms=5\n"
                                                "ExecStartPost=@DIARY@ --name=post --exit-after-ms=5\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "ActiveState=active")}},
                .expect = {{"pre", .min_starts = 1, .max_starts = 1},
                           {"one", .min_starts = 1, .max_starts = 1},
                           {"two", .min_starts = 1, .max_starts = 1},
                           {"post", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active SubState=exited Result=success"}},
        },
        {
                .name = "dependencies",
                .what = "a service that needs another, which needs a oneshot",
                .units = {{"once.service", SERVICE "Type=oneshot\nRemainAfterExit=yes\n"
                                                   "ExecStart=@DIARY@ --name=once --exit-after-ms=5\n"},
                          {"b.service", UNIT_HEAD "Requires=once.service\nAfter=once.service\n"
                                                  "[Service]\nExecStart=@DIARY@\n"},
                          {"a.service", UNIT_HEAD "Requires=b.service\nAfter=b.service\n"
                                                  "[Service]\nExecStart=@DIARY@\n"}},
                .steps = {START_A},
                .expect = {{"once", .min_starts = 1, .max_starts = 1},
                           {"b.service", .running = true, .min_starts = 1, .max_starts = 1},
                           {"a.service", .running = true, .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active SubState=running"},
                          {"b.service", "ActiveState=active SubState=running"}},
        },
        {
                .name = "leftovers",
                .what = "the main process is killed, its children must go before the restart",
                .units = {{"a.service",
                           SERVICE "ExecStart=@DIARY@ --children=2\nRestart=on-failure\nRestartSec=30ms\n"}},
                .setup = {START_A},
                .steps = {{ACT_KILL, "a.service", SIGKILL, .until = RUNNING(2)}},
                .expect = {{"a.service", .running = true, .min_starts = 2, .max_starts = 2, .children = 2}},
                .shows = {{"a.service", "ActiveState=active SubState=running NRestarts=1"}},
        },
        {
                .name = "daemon-reload",
                .what = "units are read anew while a service runs",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\n"}, {"b.service", SERVICE "ExecStart=@DIARY@\n"}},
                .setup = {START_A,
                          {ACT_UNIT, "a.service", .more = "[Unit]\nDescription=anew\n[Service]\nExecStart=@DIARY@\n"}},
                .steps = {{ACT_SUPCTL, "daemon-reload", .until = SHOWS("a.service", "Description=anew")},
                          {ACT_SUPCTL, "start b.service", .until = {UNTIL_RUNNING, "b.service", 1, NULL}}},
                .expect = {{"a.service", .running = true, .min_starts = 1, .max_starts = 1},
                           {"b.service", .running = true, .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active Description=anew"}},
        },
        {
                .name = "daemon-reexec",
                .what = "another supd is installed, and keeper and manager become it; then the service dies",
                .own_supd = true,
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\nRestart=on-failure\nRestartSec=30ms\n"}},
                .setup = {START_A, {ACT_INSTALL, NULL, 0}},
                .steps = {{ACT_SUPCTL, "daemon-reexec", .until = RUNNING(1)},
                          {ACT_TELL, "a.service", 7, .until = RUNNING(2)}},
                .expect = {{"a.service", .running = true, .min_starts = 2, .max_starts = 2}},
                .shows = {{"a.service", "ActiveState=active SubState=running NRestarts=1"}},
        },
        {
                .name = "forking-late",
                .what = "a daemon whose PID file comes after its first process has ended",
                .units = {{"a.service",
                           SERVICE "Type=forking\nPIDFile=@RIG@/a.pid\n"
                                   "ExecStart=@DIARY@ --fork --pid-file=@RIG@/a.pid --pid-file-delay-ms=30\n"}},
                .steps = {START_A},
                .expect = {{"a.service", .running = true, .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active SubState=running"}},
        },
        {
                .name = "notify-timeout",
                .what = "a service that never says that it is ready",
                .units = {{"a.service", SERVICE "Type=notify\nExecStart=@DIARY@\nTimeoutStartSec=150ms\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "ActiveState=failed")}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=failed Result=timeout ExecMainCode=2 ExecMainStatus=15"}},
        },
        {
                .name = "stop-commands",
                .what = "ExecStop= and ExecStopPost= run once each, children go with their parent",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@ --children=2\n"
                                                "ExecStop=@DIARY@ --name=stop --exit-after-ms=5\n"
                                                "ExecStopPost=@DIARY@ --name=post --exit-after-ms=5\n"}},
                .setup = {START_A},
                .steps = {{ACT_SUPCTL, "stop a.service", .until = SHOWS("a.service", "ActiveState=inactive")}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1},
                           {"stop", .min_starts = 1, .max_starts = 1},
                           {"post", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=inactive Result=success ExecMainCode=2 ExecMainStatus=15"}},
        },
        {
                .name = "stop-post-wait",
                .what = "ExecStopPost= is done while the main process, which nobody kills, still runs; then it exits "
                        "with 5",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\nKillMode=none\nTimeoutStopSec=60\n"
                                                "ExecStopPost=@DIARY@ --name=post --exit-after-ms=5\n"}},
                .setup = {START_A},
                .steps = {{ACT_SUPCTL, "stop --no-block a.service", .until = {UNTIL_STOPPED, "post", 1, NULL}},
                          {ACT_TELL, "a.service", 5, .until = STOPPED(1)}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}, {"post", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=failed Result=exit-code ExecMainCode=1 ExecMainStatus=5"}},
        },
        {
                .name = "slice",
                .what = "Slice= changes while a service runs: it stays where it is, is stopped there, and starts "
                        "elsewhere",
                .units = {{"a.service", SERVICE "Slice=one.slice\nExecStart=@DIARY@ --children=2\n"}},
                .setup = {START_A,
                          {ACT_UNIT, "a.service",
                           .more = UNIT_HEAD
                           "Description=anew\n[Service]\nSlice=two.slice\nExecStart=@DIARY@ --children=2\n"}},
                .steps = {{ACT_SUPCTL, "daemon-reload", .until = SHOWS("a.service", "Description=anew")},
                          {ACT_SUPCTL, "stop a.service", .until = STOPPED(1)},
                          {ACT_SUPCTL, "start a.service", .until = RUNNING(2)}},
                .expect = {{"a.service", .running = true, .min_starts = 2, .max_starts = 2, .children = 2}},
                .shows = {{"a.service", "ActiveState=active SubState=running Slice=two.slice"}},
        },
        {
                .name = "oneshot-failure",
                .what = "the first command of a oneshot exits with 4: the second does not run",
                .units = {{"a.service",
                           SERVICE "Type=oneshot\nExecStart=@DIARY@ --name=one --exit-after-ms=5 --exit=4\n"
                                   "ExecStart=@DIARY@ --name=two --exit-after-ms=5\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "ActiveState=failed")}},
                .expect = {{"one", .min_starts = 1, .max_starts = 1}, {"two", .never = true}},
                .shows = {{"a.service", "ActiveState=failed Result=exit-code ExecMainCode=1 ExecMainStatus=4"}},
        },
        {
                .name = "directory-failure",
                .what = "a working directory that does not exist: a step before the exec fails",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\nWorkingDirectory=/nonexistent\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "ActiveState=failed")}},
                .expect = {{"a.service", .never = true}},
                .shows = {{"a.service", "ActiveState=failed Result=exit-code ExecMainCode=1 ExecMainStatus=200"}},
        },
        {
                .name = "many",
                .what = "several services with one request",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\n"},
                          {"b.service", SERVICE "ExecStart=@DIARY@\n"},
                          {"c.service", SERVICE "ExecStart=@DIARY@\n"}},
                .steps = {{ACT_SUPCTL, "start a.service b.service c.service",
                           .until = {UNTIL_RUNNING, "c.service", 1, NULL}}},
                .expect = {{"a.service", .running = true, .min_starts = 1, .max_starts = 1},
                           {"b.service", .running = true, .min_starts = 1, .max_starts = 1},
                           {"c.service", .running = true, .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active SubState=running"}},
        },
        {
                .name = "environment",
                .what = "a variable is set for the services to come, and one of them is told it",
                .units = {{"a.service", SERVICE
                           "Type=oneshot\nRemainAfterExit=yes\nExecStartPre=/bin/sh -c 'test \"$CRASH_A\" = two'\n"
                           "ExecStart=@DIARY@ --exit-after-ms=5\n"}},
                .setup = {{ACT_SUPCTL, "set-environment CRASH_A=one CRASH_B=three", .until = {UNTIL_NOTHING}}},
                .steps = {{ACT_SUPCTL, "set-environment CRASH_A=two", .until = {UNTIL_NOTHING}},
                          {ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "ActiveState=active")}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active SubState=exited Result=success"}},
        },
        {
                .name = "hang-up",
                .what = "SIGHUP to supd reads the units anew",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\n"}},
                .setup = {START_A,
                          {ACT_UNIT, "a.service", .more = "[Unit]\nDescription=anew\n[Service]\nExecStart=@DIARY@\n"}},
                .steps = {{ACT_KEEPER, NULL, SIGHUP, .until = SHOWS("a.service", "Description=anew")}},
                .expect = {{"a.service", .running = true, .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active Description=anew"}},
        },
        {
                .name = "watchdog",
                .what = "a service that never sends a watchdog ping",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\nWatchdogSec=150ms\nWatchdogSignal=SIGUSR1\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "ActiveState=failed")}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=failed Result=watchdog ExecMainCode=2 ExecMainStatus=10"}},
        },
        {
                .name = "runtime-max",
                .what = "a service runs as long as it may, and is stopped then",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\nRuntimeMaxSec=150ms\n"
                                                "ExecStop=@DIARY@ --role=control --name=stop\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "ActiveState=failed")}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=failed Result=timeout ExecMainCode=2 ExecMainStatus=15"}},
        },
        {
                .name = "notify-reload",
                .what = "a service is told by a signal to reload, and says when it is done",
                .units = {{"a.service", SERVICE "Type=notify-reload\nExecStart=@DIARY@ --reloads --notify=READY=1\n"}},
                .setup = {{ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "ActiveState=active")}},
                .steps = {{ACT_SUPCTL, "reload a.service", .until = SHOWS("a.service", "SubState=running")}},
                .expect = {{"a.service", .running = true, .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active SubState=running Result=success"}},
        },
        {
                .name = "ends-by-itself",
                .what = "a service says STOPPING=1 and exits",
                .units = {{"a.service", SERVICE "Type=notify\nExecStart=@DIARY@ --notify=READY=1 --notify=STOPPING=1 "
                                                "--exit-after-ms=80\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = {UNTIL_STOPPED, "a.service", 1, NULL}}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=inactive Result=success ExecMainCode=1 ExecMainStatus=0"}},
        },
        {
                .name = "ready-and-gone",
                .what = "a service says that it is ready, and has exited before anybody looks",
                .units = {{"a.service", SERVICE "Type=notify\nExecStart=@DIARY@ --notify=READY=1 --exit-after-ms=1\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = {UNTIL_STOPPED, "a.service", 1, NULL}}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=inactive Result=success ExecMainCode=1 ExecMainStatus=0"}},
        },
        {
                .name = "kept-fd",
                .keeper_holds = true,
                .what = "a service gives an fd to be kept, dies, and gets it back",
                .units = {{"a.service", SERVICE "Type=notify\nFileDescriptorStoreMax=2\nRestart=on-failure\n"
                                                "RestartSec=30ms\nExecStart=@DIARY@ --keeps --notify=READY=1\n"}},
                .steps = {START_A, {ACT_TELL, "a.service", 256 + SIGSEGV, .until = RUNNING(2)}},
                .expect = {{"a.service", .running = true, .min_starts = 2, .max_starts = 2}},
                .shows = {{"a.service", "ActiveState=active SubState=running NRestarts=1"}},
        },
        {
                .name = "reload",
                .what = "ExecReload= runs, once for each request",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\n"
                                                "ExecReload=@DIARY@ --name=reload --exit-after-ms=5\n"}},
                .setup = {START_A},
                .steps = {{ACT_SUPCTL, "reload a.service", .until = {UNTIL_STOPPED, "reload", 1, NULL}}},
                .expect = {{"a.service", .running = true, .min_starts = 1, .max_starts = 1},
                           {"reload", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=active SubState=running Result=success"}},
        },
        {
                .name = "conditions",
                .what = "a unit whose condition holds is started, and again by Restart=; one whose does not is skipped",
                .units = {{"a.service", UNIT_HEAD "ConditionPathExists=@RIG@\nWants=b.service\nAfter=b.service\n"
                                                  "[Service]\nExecStart=@DIARY@\nRestart=on-failure\n"
                                                  "RestartSec=20ms\n"},
                          {"b.service", UNIT_HEAD "ConditionPathExists=/nonexistent\n[Service]\nExecStart=@DIARY@\n"}},
                .steps = {START_A, {ACT_TELL, "a.service", 7, .until = RUNNING(2)}},
                .expect = {{"a.service", .running = true, .min_starts = 2, .max_starts = 2},
                           {"b.service", .never = true}},
                .shows = {{"a.service", "ActiveState=active SubState=running NRestarts=1"},
                          {"b.service", "ActiveState=inactive SubState=dead ConditionResult=no Result=success"}},
        },
        {
                .name = "assert",
                .what = "a start whose assertion does not hold fails",
                .units = {{"a.service", UNIT_HEAD "AssertPathExists=/nonexistent\n[Service]\nExecStart=@DIARY@\n"}},
                .steps = {{ACT_SUPCTL, "start a.service", .until = SHOWS("a.service", "AssertResult=no")}},
                .expect = {{"a.service", .never = true}},
                .shows = {{"a.service", "ActiveState=inactive AssertResult=no"}},
        },
        {
                .name = "directories",
                .what = "a runtime directory is made for a service, and goes with it",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\nRuntimeDirectory=@NAME@\n"}},
                .steps = {START_A, {ACT_SUPCTL, "stop a.service", .until = STOPPED(1)}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1}},
                .shows = {{"a.service", "ActiveState=inactive Result=success ExecMainCode=2 ExecMainStatus=15"}},
        },
        {
                .name = "start-limit",
                .what = "a service that always fails is started three times, whoever counts",
                .units = {{"a.service", "[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=3\n"
                                        "DefaultDependencies=no\n[Service]\nRestart=always\nRestartSec=10ms\n"
                                        "ExecStart=@DIARY@ --exit-after-ms=3 --exit=3\n"}},
                .steps = {{ACT_SUPCTL, "start a.service",
                           .until = SHOWS("a.service", "ActiveState=failed NRestarts=3")}},
                .expect = {{"a.service", .min_starts = 3, .max_starts = 3}},
                .shows = {{"a.service", "ActiveState=failed Result=exit-code ExecMainCode=1 ExecMainStatus=3"}},
        },
        {
                .name = "failure-action",
                .what = "a service fails, which ends everything",
                .units = {{"a.service", "[Unit]\nStartLimitIntervalSec=0\nDefaultDependencies=no\nFailureAction=exit\n"
                                        "FailureActionExitStatus=0\n[Service]\nExecStart=@DIARY@\n"},
                          {"b.service", SERVICE "ExecStart=@DIARY@ --on-term=exit:3\n"}},
                .setup = {START_A, {ACT_SUPCTL, "start b.service", .until = {UNTIL_RUNNING, "b.service", 1, NULL}}},
                .steps = {{ACT_TELL, "a.service", 7, .until = {UNTIL_ENDED, NULL, 0, NULL}}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1},
                           {"b.service", .min_starts = 1, .max_starts = 1}},
                .ends = true,
        },
        {
                .name = "shutdown",
                .what = "supd is told to stop everything and to end",
                .units = {{"a.service", SERVICE "ExecStart=@DIARY@\n"},
                          {"b.service", SERVICE "ExecStart=@DIARY@ --on-term=exit:3\n"}},
                .setup = {START_A, {ACT_SUPCTL, "start b.service", .until = {UNTIL_RUNNING, "b.service", 1, NULL}}},
                .steps = {{ACT_KEEPER, NULL, SIGTERM, .until = {UNTIL_ENDED, NULL, 0, NULL}}},
                .expect = {{"a.service", .min_starts = 1, .max_starts = 1},
                           {"b.service", .min_starts = 1, .max_starts = 1}},
                .ends = true,
        },
};
const unsigned n_scenarios = ARRAY_SIZE(scenarios);

const struct scenario *scenario_find(const char *name)
{
        for (unsigned i = 0; i < n_scenarios; i++)
                if (streq(scenarios[i].name, name))
                        return &scenarios[i];
        return NULL;
}
