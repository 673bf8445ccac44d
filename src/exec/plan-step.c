/* SPDX-License-Identifier: MIT
 *
 * The names of the steps between fork and exec, for messages. Invariant: every step has one.
 */
#include "exec/plan.h"

static const char *const names[N_PLAN_STEPS] = {
        [PLAN_STEP_NONE] = "none",
        [PLAN_STEP_PLAN] = "plan",
        [PLAN_STEP_LAUNCHER_DIED] = "launcher died",
        [PLAN_STEP_FORK] = "fork",
        [PLAN_STEP_ENVIRONMENT_FILE] = "EnvironmentFile=",
        [PLAN_STEP_USER] = "User=",
        [PLAN_STEP_GROUP] = "Group=",
        [PLAN_STEP_DIRECTORIES] = "RuntimeDirectory= and its kin",
        [PLAN_STEP_STDIN] = "StandardInput=",
        [PLAN_STEP_STDOUT] = "StandardOutput=",
        [PLAN_STEP_STDERR] = "StandardError=",
        [PLAN_STEP_CGROUP] = "cgroup",
        [PLAN_STEP_LIMITS] = "Limit…=",
        [PLAN_STEP_CHDIR] = "WorkingDirectory=",
        [PLAN_STEP_CHROOT] = "RootDirectory=",
        [PLAN_STEP_CAPABILITIES] = "capabilities",
        [PLAN_STEP_NICE] = "Nice=",
        [PLAN_STEP_OOM] = "OOMScoreAdjust=",
        [PLAN_STEP_EXEC] = "executable",
        [PLAN_STEP_EXPAND] = "expansion of variables",
        [PLAN_STEP_NAMESPACE] = "namespace",
        [PLAN_STEP_UNSUPPORTED] = "unsupported directive",
        [PLAN_STEP_TTY] = "TTYPath=",
        [PLAN_STEP_IOPRIO] = "IOSchedulingClass=",
        [PLAN_STEP_SCHEDULER] = "CPUSchedulingPolicy=",
        [PLAN_STEP_AFFINITY] = "CPUAffinity=",
        [PLAN_STEP_NO_NEW_PRIVILEGES] = "NoNewPrivileges=",
        [PLAN_STEP_PERSONALITY] = "Personality=",
        [PLAN_STEP_MEMORY] = "memory",
        [PLAN_STEP_CORE_FILTER] = "CoredumpFilter=",
        [PLAN_STEP_TIMER_SLACK] = "TimerSlackNSec=",
        [PLAN_STEP_NUMA] = "NUMAPolicy=",
        [PLAN_STEP_KEYRING] = "KeyringMode=",
        [PLAN_STEP_SECURE_BITS] = "SecureBits=",
        [PLAN_STEP_OPEN_FILE] = "OpenFile=",
        [PLAN_STEP_CREDENTIALS] = "LoadCredential= and its kin",
};

const char *plan_step_name(enum plan_step s)
{
        return (unsigned)s < N_PLAN_STEPS && names[s] ? names[s] : "unknown step";
}
