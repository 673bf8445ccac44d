/* SPDX-License-Identifier: MIT
 *
 * The scenarios: units, programs and commands. How each has to go is golden/NAME.txt; how it has to end whatever fails
 * is check.c.
 *
 * Invariant: every unit says DefaultDependencies=no, so that a scenario holds the units that it shows and no others.
 */
#include "world.h"

#include <signal.h>
#include <sys/wait.h>

#define MS   UINT64_C(1000)
#define SEC  UINT64_C(1000000)
#define UNIT "[Unit]\nDefaultDependencies=no\n"
#define RUNS                                                                                                           \
        {                                                                                                              \
                .path = "/p/run"                                                                                       \
        }
#define OK(p)                                                                                                          \
        {                                                                                                              \
                .path = p, .lives_us = 10 * MS, .code = CLD_EXITED                                                     \
        }
#define BAD(p)                                                                                                         \
        {                                                                                                              \
                .path = p, .lives_us = 10 * MS, .code = CLD_EXITED, .status = 3                                        \
        }

const struct scenario scenarios[] = {
        {
                .name = "01-simple",
                .units = {{"a.service", UNIT "[Service]\nExecStart=/p/run\n"}},
                .programs = {RUNS},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "02-simple-stop",
                .units = {{"a.service", UNIT "[Service]\nExecStart=/p/run\n"}},
                .programs = {RUNS},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "03-all-lists",
                .units = {{"a.service",
                           UNIT "[Service]\nExecCondition=/p/ok\nExecStartPre=/p/ok\nExecStartPre=-/p/bad\n"
                                "ExecStart=/p/run\nExecStartPost=/p/ok\nExecStop=/p/ok\n"
                                "ExecStopPost=/p/ok\nRuntimeDirectory=a\n"}},
                .programs = {RUNS, OK("/p/ok"), BAD("/p/bad")},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "04-oneshot",
                .units = {{"a.service", UNIT "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/p/ok\n"
                                             "ExecStart=-/p/bad\nExecStart=/p/ok\n"}},
                .programs = {OK("/p/ok"), BAD("/p/bad")},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "05-oneshot-fails",
                .units = {{"a.service", UNIT "[Service]\nType=oneshot\nExecStart=/p/ok\nExecStart=/p/bad\n"
                                             "ExecStart=/p/ok\n"}},
                .programs = {OK("/p/ok"), BAD("/p/bad")},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "06-oneshot-at-once", /* ends before the launcher notes that it began */
                .units = {{"a.service", UNIT "[Service]\nType=oneshot\nExecStart=/p/quick\nExecStart=/p/quick\n"}},
                .programs = {{.path = "/p/quick", .lives_us = 5, .code = CLD_EXITED}},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "07-notify",
                .units = {{"a.service", UNIT "[Service]\nType=notify\nExecStart=/p/notify\n"}},
                .programs = {{.path = "/p/notify", .says = "READY=1\nSTATUS=here", .says_us = 10 * MS}},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "08-notify-main-pid",
                .units = {{"a.service", UNIT "[Service]\nType=notify\nNotifyAccess=all\nExecStart=/p/notify\n"}},
                .programs =
                        {{.path = "/p/notify", .says = "MAINPID=%d\nREADY=1", .says_us = 10 * MS, .child = "/p/run"},
                         RUNS},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "09-forking",
                .units = {{"a.service", UNIT "[Service]\nType=forking\nPIDFile=/world/pid\nExecStart=/p/fork\n"}},
                .programs = {{.path = "/p/fork",
                              .lives_us = 20 * MS,
                              .code = CLD_EXITED,
                              .says_us = 10 * MS,
                              .child = "/p/run",
                              .writes_pid = true},
                             RUNS},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "10-forking-guess",
                .units = {{"a.service", UNIT "[Service]\nType=forking\nExecStart=/p/fork\n"}},
                .programs = {{.path = "/p/fork",
                              .lives_us = 20 * MS,
                              .code = CLD_EXITED,
                              .says_us = 10 * MS,
                              .child = "/p/run"},
                             RUNS},
                .commands = {{START_UNIT, "a.service"}, {KILL_MAIN, "a.service"}},
        },
        {
                .name = "11-no-pid",
                .units = {{"a.service", UNIT "[Service]\nExecStart=/p/nopid\n"}},
                .programs = {{.path = "/p/nopid", .how = NO_PID}},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "12-no-exec",
                .units = {{"a.service", UNIT "[Service]\nType=exec\nExecStart=/p/missing\n"},
                          {"b.service", UNIT "[Service]\nExecStart=/p/missing\n"}},
                .programs = {{.path = "/p/missing", .how = NO_EXEC}},
                .commands = {{START_UNIT, "a.service"}, {START_UNIT, "b.service"}},
        },
        {
                .name = "13-crash-restart",
                .units = {{"a.service", UNIT "[Service]\nRestart=on-failure\nRestartSec=1\nExecStart=/p/crash\n"
                                             "ExecStopPost=/p/ok\n"}},
                .programs =
                        {{.path = "/p/crash", .lives_us = 50 * MS, .first = 2, .code = CLD_DUMPED, .status = SIGSEGV},
                         OK("/p/ok")},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "14-start-limit",
                .units = {{"a.service", UNIT "StartLimitIntervalSec=10\nStartLimitBurst=3\n[Service]\nRestart=always\n"
                                             "RestartSec=0\nExecStart=/p/bad\n"}},
                .programs = {BAD("/p/bad")},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "15-stop-timeout",
                .units = {{"a.service", UNIT "[Service]\nTimeoutStopSec=5\nExecStart=/p/deaf\n"}},
                .programs = {{.path = "/p/deaf", .deaf = true}},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "16-stop-during-start",
                .units = {{"a.service", UNIT "[Service]\nType=notify\nTimeoutStartSec=infinity\nExecStart=/p/run\n"}},
                .programs = {RUNS},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "17-stop-before-exec",
                .units = {{"a.service", UNIT "[Service]\nExecStart=/p/slow\n"}},
                .programs = {{.path = "/p/slow", .exec_us = 500 * MS}},
                .races = true,
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service", 100 * MS}},
        },
        {
                .name = "18-start-timeout",
                .units = {{"a.service", UNIT "[Service]\nType=oneshot\nTimeoutStartSec=3\nExecStart=/p/run\n"}},
                .programs = {RUNS},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "19-reload",
                .units = {{"a.service", UNIT "[Service]\nExecStart=/p/run\nExecReload=/p/ok\nExecReload=/p/ok\n"}},
                .programs = {RUNS, OK("/p/ok")},
                .commands = {{START_UNIT, "a.service"}, {RELOAD_UNIT, "a.service"}},
        },
        {
                .name = "20-reload-hangs",
                .units = {{"a.service", UNIT "[Service]\nTimeoutStartSec=4\nExecStart=/p/run\nExecReload=/p/hang\n"}},
                .programs = {RUNS, {.path = "/p/hang", .deaf = true}},
                .commands = {{START_UNIT, "a.service"}, {RELOAD_UNIT, "a.service"}},
        },
        {
                .name = "21-dependencies",
                .units = {{"a.service", UNIT "Requires=b.service\nAfter=b.service\nWants=c.service\n[Service]\n"
                                             "ExecStart=/p/run\n"},
                          {"b.service", UNIT "[Service]\nType=notify\nExecStart=/p/notify\n"},
                          {"c.service", UNIT "[Service]\nType=oneshot\nExecStart=/p/bad\n"}},
                .programs = {RUNS, BAD("/p/bad"), {.path = "/p/notify", .says = "READY=1", .says_us = 10 * MS}},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "b.service"}},
        },
        {
                .name = "22-dependency-fails",
                .units = {{"a.service", UNIT "Requires=b.service\nAfter=b.service\nOnFailure=c.service\n[Service]\n"
                                             "ExecStart=/p/run\n"},
                          {"b.service", UNIT "OnFailure=c.service\n[Service]\nType=oneshot\nExecStart=/p/bad\n"},
                          {"c.service", UNIT "[Service]\nType=oneshot\nExecStart=/p/ok\n"}},
                .programs = {RUNS, BAD("/p/bad"), OK("/p/ok")},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "23-children",
                .units = {{"a.service", UNIT "[Service]\nTimeoutStopSec=2\nExecStart=/p/parent\n"}},
                .programs = {{.path = "/p/parent", .says_us = 5 * MS, .says = "X=1", .child = "/p/deaf"},
                             {.path = "/p/deaf", .deaf = true}},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "24-condition-skips",
                .units = {{"a.service", UNIT "[Service]\nExecCondition=/p/bad\nExecStart=/p/run\n"}},
                .programs = {RUNS, BAD("/p/bad")},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "25-restart",
                .units = {{"a.service", UNIT "[Service]\nExecStart=/p/run\n"},
                          {"b.service", UNIT "PartOf=a.service\nAfter=a.service\n[Service]\nExecStart=/p/polite\n"}},
                .programs = {RUNS, {.path = "/p/polite", .term_us = 300 * MS}},
                .commands = {{START_UNIT, "a.service"}, {START_UNIT, "b.service"}, {RESTART_UNIT, "a.service"}},
        },
        {
                .name = "26-stop-while-waiting",
                .units = {{"a.service", UNIT "[Service]\nRestart=always\nRestartSec=10\nExecStart=/p/bad\n"}},
                .programs = {BAD("/p/bad")},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service", 5 * SEC}},
        },
        {
                .name = "27-start-while-stopping",
                .units = {{"a.service", UNIT "[Service]\nExecStart=/p/polite\n"}},
                .programs = {{.path = "/p/polite", .term_us = 800 * MS}},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}, {START_UNIT, "a.service", 100 * MS}},
        },
        {
                .name = "28-daemon-reload",
                .units = {{"a.service", UNIT "[Service]\nExecStart=/p/run\n"}},
                .programs = {RUNS},
                .commands = {{START_UNIT, "a.service"}, {DAEMON_RELOAD}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "29-reset-failed",
                .units = {{"a.service", UNIT "StartLimitIntervalSec=1h\nStartLimitBurst=1\n[Service]\n"
                                             "ExecStart=/p/crash\n"}},
                .programs =
                        {{.path = "/p/crash", .lives_us = 50 * MS, .first = 1, .code = CLD_KILLED, .status = SIGABRT}},
                .commands = {{START_UNIT, "a.service"},
                             {START_UNIT, "a.service"},
                             {RESET_UNIT, "a.service"},
                             {START_UNIT, "a.service"}},
        },
        {
                .name = "30-watchdog",
                .units = {{"a.service", UNIT "StartLimitBurst=2\n[Service]\nWatchdogSec=2\nRestart=on-watchdog\n"
                                             "RestartSec=1\nExecStart=/p/run\nExecStop=/p/ok\n"}},
                .programs = {RUNS, OK("/p/ok")},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "31-watchdog-pings", /* for a while; then it is deaf, too */
                .units = {{"a.service", UNIT "[Service]\nType=notify\nWatchdogSec=1\nTimeoutAbortSec=2\n"
                                             "ExecStart=/p/pings\n"}},
                .programs = {{.path = "/p/pings",
                              .deaf = true,
                              .says = "READY=1",
                              .says_us = 10 * MS,
                              .again = 5,
                              .again_says = "WATCHDOG=1",
                              .again_us = 200 * MS}},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "32-runtime-max",
                .units = {{"a.service", UNIT "[Service]\nRuntimeMaxSec=5\nExecStart=/p/run\nExecReload=/p/ok\n"
                                             "ExecStop=/p/ok\n"}},
                .programs = {RUNS, OK("/p/ok")},
                .commands = {{START_UNIT, "a.service"}, {RELOAD_UNIT, "a.service", SEC}},
        },
        {
                .name = "33-stop-timeout-aborts",
                .units = {{"a.service", UNIT "[Service]\nTimeoutStopSec=5\nTimeoutStopFailureMode=abort\n"
                                             "TimeoutAbortSec=2\nExecStart=/p/deaf\n"}},
                .programs = {{.path = "/p/deaf", .deaf = true}},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "34-notify-reload",
                .units = {{"a.service", UNIT "[Service]\nType=notify-reload\nExecStart=/p/reloads\n"}},
                .programs = {{.path = "/p/reloads",
                              .says = "READY=1",
                              .says_us = 10 * MS,
                              .heeds = SIGHUP,
                              .answers = "RELOADING=1\nMONOTONIC_USEC=9999999999\nREADY=1"}},
                .commands = {{START_UNIT, "a.service"}, {RELOAD_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "35-reload-unanswered",
                .units = {{"a.service", UNIT "[Service]\nType=notify-reload\nTimeoutStartSec=3\n"
                                             "ExecStart=/p/ignores\nExecStop=/p/ok\n"}},
                .programs = {{.path = "/p/ignores", .says = "READY=1", .says_us = 10 * MS, .heeds = SIGHUP},
                             OK("/p/ok")},
                .commands = {{START_UNIT, "a.service"}, {RELOAD_UNIT, "a.service"}},
        },
        {
                .name = "36-ends-by-itself", /* and says so: it gets no signal, and ExecStop= does not run */
                .units = {{"a.service", UNIT "[Service]\nNotifyAccess=main\nExecStart=/p/ends\nExecStop=/p/ok\n"
                                             "ExecStopPost=/p/ok\n"}},
                .programs = {{.path = "/p/ends",
                              .says = "STOPPING=1",
                              .says_us = 100 * MS,
                              .lives_us = 2 * SEC,
                              .code = CLD_EXITED},
                             OK("/p/ok")},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "37-restart-steps",
                .units = {{"a.service", UNIT "StartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=1\n"
                                             "RestartSteps=3\nRestartMaxDelaySec=8\nExecStart=/p/bad\n"}},
                .programs = {{.path = "/p/bad", .lives_us = 10 * MS, .first = 5, .code = CLD_EXITED, .status = 3}},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "38-job-timeout", /* the job ends, what it waits for does not */
                .units = {{"a.service", UNIT "After=b.service\nWants=b.service\nJobTimeoutSec=4\n[Service]\n"
                                             "ExecStart=/p/run\n"},
                          {"b.service", UNIT "JobRunningTimeoutSec=2h\n[Service]\nType=notify\n"
                                             "TimeoutStartSec=infinity\nExecStart=/p/run\n"}},
                .programs = {RUNS},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "39-exit-type-cgroup", /* what the main process has left behind is the service */
                .units = {{"a.service", UNIT "[Service]\nExitType=cgroup\nExecStart=/p/parent\nExecStop=/p/ok\n"}},
                .programs = {{.path = "/p/parent",
                              .says = "X=1",
                              .says_us = 5 * MS,
                              .lives_us = 10 * MS,
                              .code = CLD_EXITED,
                              .child = "/p/child"},
                             {.path = "/p/child", .lives_us = 2 * SEC, .code = CLD_EXITED},
                             OK("/p/ok")},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "40-failure-action", /* the rest is stopped in order, and supd ends with its status */
                .units = {{"a.service", UNIT "FailureAction=exit\n[Service]\nExecStart=/p/fails\n"},
                          {"b.service", UNIT "[Service]\nExecStart=/p/run\nExecStop=/p/ok\n"}},
                .programs = {RUNS, OK("/p/ok"), {.path = "/p/fails", .lives_us = SEC, .code = CLD_EXITED, .status = 7}},
                .commands = {{START_UNIT, "b.service"}, {START_UNIT, "a.service"}},
        },
        {
                .name = "41-limit-reboots", /* without order and ExecStop= */
                .units = {{"a.service", UNIT "StartLimitBurst=2\nStartLimitAction=reboot-force\nRebootArgument="
                                             "firmware\n[Service]\nRestart=always\n"
                                             "RestartSec=1\nExecStart=/p/bad\n"},
                          {"b.service", UNIT "[Service]\nExecStart=/p/run\nExecStop=/p/ok\nExecStopPost=/p/ok\n"}},
                .programs = {RUNS, OK("/p/ok"), BAD("/p/bad")},
                .commands = {{START_UNIT, "b.service"}, {START_UNIT, "a.service"}},
        },
        {
                .name = "42-dbus", /* a helper of ours tells when the name is on the bus */
                .units = {{"dbus.socket", UNIT},
                          {"a.service",
                           UNIT "[Service]\nBusName=org.example.A\nExecStart=/p/run\nExecStartPost=/p/ok\n"},
                          {"b.service", UNIT "[Service]\nBusName=org.example.B\nExecStart=/p/bad\n"}},
                .programs = {RUNS,
                             OK("/p/ok"),
                             BAD("/p/bad"),
                             {.path = SUPD_LIBEXECDIR "/supd-bus-wait", .lives_us = 50 * MS, .code = CLD_EXITED}},
                .commands = {{START_UNIT, "a.service"}, {START_UNIT, "b.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "43-idle", /* counts as up at once, and runs when the others have done their work */
                .units = {{"a.service", UNIT "Wants=b.service\n[Service]\nType=idle\nExecStart=/p/run\n"},
                          {"b.service", UNIT "[Service]\nType=oneshot\nExecStart=/p/works\n"}},
                .programs = {RUNS, {.path = "/p/works", .lives_us = 2 * SEC, .code = CLD_EXITED}},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
        {
                .name = "44-idle-for-a-while", /* and is stopped before that; nothing waits for ever */
                .units = {{"a.service",
                           UNIT "Wants=b.service\n[Service]\nType=idle\nExecStart=/p/run\nExecStop=/p/ok\n"},
                          {"b.service", UNIT "[Service]\nType=oneshot\nExecStart=/p/works\n"}},
                .programs = {RUNS, OK("/p/ok"), {.path = "/p/works", .lives_us = 12 * SEC, .code = CLD_EXITED}},
                .races = true,
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service", SEC}, {START_UNIT, "a.service", SEC}},
        },
        {
                .name = "45-job-timeout-reboots",
                .units = {{"a.service",
                           UNIT "JobTimeoutSec=3\nJobTimeoutAction=reboot\nJobTimeoutRebootArgument=other\n"
                                "RebootArgument=none\n[Service]\nType=notify\nExecStart=/p/run\n"}},
                .programs = {RUNS},
                .commands = {{START_UNIT, "a.service"}},
        },
        {
                .name = "46-no-writer", /* of the PID file: behind ExecStart=, and behind ExecStartPost= */
                .units = {{"a.service", UNIT "[Service]\nType=forking\nPIDFile=/world/pid\nExecStart=/p/ok\n"},
                          {"b.service", UNIT "[Service]\nType=forking\nPIDFile=/world/pid\nExecStart=/p/ok\n"
                                             "ExecStartPost=/p/ok\nExecStop=/p/ok\n"}},
                .programs = {OK("/p/ok")},
                .commands = {{START_UNIT, "a.service"}, {START_UNIT, "b.service"}},
        },
        {
                .name = "47-writer-behind", /* ExecStartPost= leaves the daemon, and writes its PID file */
                .units = {{"a.service", UNIT "[Service]\nType=forking\nPIDFile=/world/pid\nExecStart=/p/ok\n"
                                             "ExecStartPost=/p/fork\n"}},
                .programs = {OK("/p/ok"),
                             {.path = "/p/fork",
                              .lives_us = 20 * MS,
                              .code = CLD_EXITED,
                              .says_us = 10 * MS,
                              .child = "/p/run",
                              .writes_pid = true},
                             RUNS},
                .commands = {{START_UNIT, "a.service"}, {STOP_UNIT, "a.service"}},
        },
};
const size_t n_scenarios = ARRAY_SIZE(scenarios);
