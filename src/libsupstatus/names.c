/* SPDX-License-Identifier: MIT
 *
 * The words behind the numbers of the status table. Not here: the numbers (supd/status.h), which are never reused.
 * Invariant: every number of the public header has a word; each cell is keyed by its number.
 */
#include "libsupstatus/internal.h"

static const char *name_of(const char *const *names, size_t n, uint32_t i)
{
        return i < n && names[i] ? names[i] : "unknown";
}

#define NAMES(function, ...)                                                                                           \
        const char *function(uint32_t i)                                                                               \
        {                                                                                                              \
                static const char *const names[] = {__VA_ARGS__};                                                      \
                return name_of(names, sizeof(names) / sizeof(names[0]), i);                                            \
        }

/* clang-format off */
NAMES(supstatus_type_name,
      [SUPD_TYPE_UNKNOWN] = "unknown",
      [SUPD_TYPE_SERVICE] = "service",
      [SUPD_TYPE_TARGET] = "target",
      [SUPD_TYPE_SOCKET] = "socket",
      [SUPD_TYPE_TIMER] = "timer",
      [SUPD_TYPE_PATH] = "path",
      [SUPD_TYPE_MOUNT] = "mount",
      [SUPD_TYPE_SLICE] = "slice",
      [SUPD_TYPE_DEVICE] = "device",
      [SUPD_TYPE_SWAP] = "swap",
      [SUPD_TYPE_SCOPE] = "scope",
      [SUPD_TYPE_AUTOMOUNT] = "automount")

NAMES(supstatus_load_name,
      [SUPD_LOAD_UNKNOWN] = "unknown",
      [SUPD_LOAD_STUB] = "stub",
      [SUPD_LOAD_LOADED] = "loaded",
      [SUPD_LOAD_NOT_FOUND] = "not-found",
      [SUPD_LOAD_BAD_SETTING] = "bad-setting",
      [SUPD_LOAD_ERROR] = "error",
      [SUPD_LOAD_MERGED] = "merged",
      [SUPD_LOAD_MASKED] = "masked")

NAMES(supstatus_active_name,
      [SUPD_ACTIVE_UNKNOWN] = "unknown",
      [SUPD_ACTIVE_INACTIVE] = "inactive",
      [SUPD_ACTIVE_ACTIVATING] = "activating",
      [SUPD_ACTIVE_ACTIVE] = "active",
      [SUPD_ACTIVE_RELOADING] = "reloading",
      [SUPD_ACTIVE_DEACTIVATING] = "deactivating",
      [SUPD_ACTIVE_FAILED] = "failed",
      [SUPD_ACTIVE_MAINTENANCE] = "maintenance")

NAMES(supstatus_sub_name,
      [SUPD_SUB_UNKNOWN] = "unknown",
      [SUPD_SUB_DEAD] = "dead",
      [SUPD_SUB_CONDITION] = "condition",
      [SUPD_SUB_START_PRE] = "start-pre",
      [SUPD_SUB_START] = "start",
      [SUPD_SUB_START_POST] = "start-post",
      [SUPD_SUB_RUNNING] = "running",
      [SUPD_SUB_EXITED] = "exited",
      [SUPD_SUB_RELOAD] = "reload",
      [SUPD_SUB_RELOAD_SIGNAL] = "reload-signal",
      [SUPD_SUB_RELOAD_NOTIFY] = "reload-notify",
      [SUPD_SUB_STOP] = "stop",
      [SUPD_SUB_STOP_WATCHDOG] = "stop-watchdog",
      [SUPD_SUB_STOP_SIGTERM] = "stop-sigterm",
      [SUPD_SUB_STOP_SIGKILL] = "stop-sigkill",
      [SUPD_SUB_STOP_POST] = "stop-post",
      [SUPD_SUB_FINAL_WATCHDOG] = "final-watchdog",
      [SUPD_SUB_FINAL_SIGTERM] = "final-sigterm",
      [SUPD_SUB_FINAL_SIGKILL] = "final-sigkill",
      [SUPD_SUB_FAILED] = "failed",
      [SUPD_SUB_AUTO_RESTART] = "auto-restart",
      [SUPD_SUB_CLEANING] = "cleaning",
      [SUPD_SUB_ACTIVE] = "active",
      [SUPD_SUB_LISTENING] = "listening",
      [SUPD_SUB_START_CHOWN] = "start-chown",
      [SUPD_SUB_WAITING] = "waiting",
      [SUPD_SUB_ELAPSED] = "elapsed",
      [SUPD_SUB_MOUNTED] = "mounted",
      [SUPD_SUB_MOUNTING] = "mounting",
      [SUPD_SUB_UNMOUNTING] = "unmounting",
      [SUPD_SUB_PLUGGED] = "plugged",
      [SUPD_SUB_TENTATIVE] = "tentative",
      [SUPD_SUB_DEAD_RESTART] = "dead-before-auto-restart",
      [SUPD_SUB_FAILED_RESTART] = "failed-before-auto-restart",
      [SUPD_SUB_RESTART_QUEUED] = "auto-restart-queued",
      [SUPD_SUB_ABANDONED] = "abandoned")

NAMES(supstatus_result_name,
      [SUPD_RESULT_SUCCESS] = "success",
      [SUPD_RESULT_RESOURCES] = "resources",
      [SUPD_RESULT_PROTOCOL] = "protocol",
      [SUPD_RESULT_TIMEOUT] = "timeout",
      [SUPD_RESULT_EXIT_CODE] = "exit-code",
      [SUPD_RESULT_SIGNAL] = "signal",
      [SUPD_RESULT_CORE_DUMP] = "core-dump",
      [SUPD_RESULT_WATCHDOG] = "watchdog",
      [SUPD_RESULT_START_LIMIT_HIT] = "start-limit-hit",
      [SUPD_RESULT_OOM_KILL] = "oom-kill",
      [SUPD_RESULT_EXEC_CONDITION] = "exec-condition",
      [SUPD_RESULT_CONDITION] = "condition",
      [SUPD_RESULT_ASSERT] = "assert",
      [SUPD_RESULT_UNKNOWN] = "unknown")

NAMES(supstatus_service_type_name,
      [SUPD_SERVICE_NONE] = "",
      [SUPD_SERVICE_SIMPLE] = "simple",
      [SUPD_SERVICE_EXEC] = "exec",
      [SUPD_SERVICE_FORKING] = "forking",
      [SUPD_SERVICE_ONESHOT] = "oneshot",
      [SUPD_SERVICE_DBUS] = "dbus",
      [SUPD_SERVICE_NOTIFY] = "notify",
      [SUPD_SERVICE_NOTIFY_RELOAD] = "notify-reload",
      [SUPD_SERVICE_IDLE] = "idle")

NAMES(supstatus_restart_name,
      [SUPD_RESTART_NONE] = "",
      [SUPD_RESTART_NO] = "no",
      [SUPD_RESTART_ON_SUCCESS] = "on-success",
      [SUPD_RESTART_ON_FAILURE] = "on-failure",
      [SUPD_RESTART_ON_ABNORMAL] = "on-abnormal",
      [SUPD_RESTART_ON_WATCHDOG] = "on-watchdog",
      [SUPD_RESTART_ON_ABORT] = "on-abort",
      [SUPD_RESTART_ALWAYS] = "always")

NAMES(supstatus_job_name,
      [SUPD_JOB_NONE] = "",
      [SUPD_JOB_START] = "start",
      [SUPD_JOB_VERIFY_ACTIVE] = "verify-active",
      [SUPD_JOB_STOP] = "stop",
      [SUPD_JOB_RELOAD] = "reload",
      [SUPD_JOB_RESTART] = "restart",
      [SUPD_JOB_NOP] = "nop")

NAMES(supstatus_system_name,
      [SUPD_SYSTEM_UNKNOWN] = "unknown",
      [SUPD_SYSTEM_INITIALIZING] = "initializing",
      [SUPD_SYSTEM_STARTING] = "starting",
      [SUPD_SYSTEM_RUNNING] = "running",
      [SUPD_SYSTEM_DEGRADED] = "degraded",
      [SUPD_SYSTEM_MAINTENANCE] = "maintenance",
      [SUPD_SYSTEM_STOPPING] = "stopping")

NAMES(supstatus_cause_name,
      [SUPD_CAUSE_UNKNOWN] = "",
      [SUPD_CAUSE_CLIENT] = "client",
      [SUPD_CAUSE_DEPENDENCY] = "dependency",
      [SUPD_CAUSE_RESTART] = "restart",
      [SUPD_CAUSE_BOOT] = "boot",
      [SUPD_CAUSE_EXIT] = "exit",
      [SUPD_CAUSE_TIMEOUT] = "timeout",
      [SUPD_CAUSE_WATCHDOG] = "watchdog",
      [SUPD_CAUSE_SHUTDOWN] = "shutdown",
      [SUPD_CAUSE_DIED] = "died",
      [SUPD_CAUSE_ON_FAILURE] = "on-failure",
      [SUPD_CAUSE_ON_SUCCESS] = "on-success",
      [SUPD_CAUSE_UPHOLDS] = "upholds",
      [SUPD_CAUSE_NOT_NEEDED] = "not-needed",
      [SUPD_CAUSE_SOCKET] = "socket")
/* clang-format on */
