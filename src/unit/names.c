/* SPDX-License-Identifier: MIT
 * See names.h and unit.h. The words are systemd's own: they stand in unit files and in the control API.
 */
#include "unit/names.h"

#include <stdio.h>

static const char *const unit_type_words[N_UNIT_TYPES] = {
        [UNIT_SERVICE] = "service", [UNIT_TARGET] = "target", [UNIT_SOCKET] = "socket", [UNIT_TIMER] = "timer",
        [UNIT_PATH] = "path",       [UNIT_MOUNT] = "mount",   [UNIT_SLICE] = "slice",   [UNIT_OTHER] = "other",
};

static const char *const unit_load_state_words[N_LOAD_STATES] = {
        [LOAD_LOADED] = "loaded", [LOAD_NOT_FOUND] = "not-found", [LOAD_BAD_SETTING] = "bad-setting",
        [LOAD_ERROR] = "error",   [LOAD_MASKED] = "masked",
};

static const char *const unit_dependency_words[N_UNIT_DEPENDENCIES] = {
        [DEP_REQUIRES] = "Requires",
        [DEP_REQUISITE] = "Requisite",
        [DEP_WANTS] = "Wants",
        [DEP_BINDS_TO] = "BindsTo",
        [DEP_PART_OF] = "PartOf",
        [DEP_UPHOLDS] = "Upholds",
        [DEP_CONFLICTS] = "Conflicts",
        [DEP_BEFORE] = "Before",
        [DEP_AFTER] = "After",
        [DEP_ON_FAILURE] = "OnFailure",
        [DEP_ON_SUCCESS] = "OnSuccess",
        [DEP_PROPAGATES_RELOAD_TO] = "PropagatesReloadTo",
        [DEP_RELOAD_PROPAGATED_FROM] = "ReloadPropagatedFrom",
        [DEP_PROPAGATES_STOP_TO] = "PropagatesStopTo",
        [DEP_STOP_PROPAGATED_FROM] = "StopPropagatedFrom",
        [DEP_JOINS_NAMESPACE_OF] = "JoinsNamespaceOf",
        [DEP_REQUIRES_MOUNTS_FOR] = "RequiresMountsFor",
};

static const char *const service_type_words[N_SERVICE_TYPES] = {
        [SERVICE_SIMPLE] = "simple",
        [SERVICE_EXEC] = "exec",
        [SERVICE_FORKING] = "forking",
        [SERVICE_ONESHOT] = "oneshot",
        [SERVICE_DBUS] = "dbus",
        [SERVICE_NOTIFY] = "notify",
        [SERVICE_NOTIFY_RELOAD] = "notify-reload",
        [SERVICE_IDLE] = "idle",
};

static const char *const service_restart_words[N_SERVICE_RESTARTS] = {
        [RESTART_NO] = "no",
        [RESTART_ON_SUCCESS] = "on-success",
        [RESTART_ON_FAILURE] = "on-failure",
        [RESTART_ON_ABNORMAL] = "on-abnormal",
        [RESTART_ON_WATCHDOG] = "on-watchdog",
        [RESTART_ON_ABORT] = "on-abort",
        [RESTART_ALWAYS] = "always",
};

static const char *const kill_mode_words[N_KILL_MODES] = {
        [KILL_CONTROL_GROUP] = "control-group",
        [KILL_PROCESS] = "process",
        [KILL_MIXED] = "mixed",
        [KILL_NONE] = "none",
};

static const char *const notify_access_words[N_NOTIFY_ACCESSES] = {
        [NOTIFY_NONE] = "none",
        [NOTIFY_MAIN] = "main",
        [NOTIFY_EXEC] = "exec",
        [NOTIFY_ALL] = "all",
};

static const char *const exec_kind_words[N_EXEC_KINDS] = {
        [EXEC_CONDITION] = "ExecCondition",  [EXEC_START_PRE] = "ExecStartPre", [EXEC_START] = "ExecStart",
        [EXEC_START_POST] = "ExecStartPost", [EXEC_RELOAD] = "ExecReload",      [EXEC_STOP] = "ExecStop",
        [EXEC_STOP_POST] = "ExecStopPost",
};

static const char *const exec_directory_words[N_EXEC_DIRECTORIES] = {
        [DIRECTORY_RUNTIME] = "RuntimeDirectory",
        [DIRECTORY_STATE] = "StateDirectory",
        [DIRECTORY_CACHE] = "CacheDirectory",
        [DIRECTORY_LOGS] = "LogsDirectory",
        [DIRECTORY_CONFIGURATION] = "ConfigurationDirectory",
};

static const char *const exec_input_words[N_EXEC_INPUTS] = {
        [INPUT_NULL] = "null",     [INPUT_TTY] = "tty", [INPUT_TTY_FORCE] = "tty-force", [INPUT_TTY_FAIL] = "tty-fail",
        [INPUT_SOCKET] = "socket", [INPUT_FD] = "fd",   [INPUT_DATA] = "data",           [INPUT_FILE] = "file",
};

static const char *const exec_output_words[N_EXEC_OUTPUTS] = {
        [OUTPUT_INHERIT] = "inherit", [OUTPUT_NULL] = "null",     [OUTPUT_TTY] = "tty",
        [OUTPUT_JOURNAL] = "journal", [OUTPUT_SOCKET] = "socket", [OUTPUT_FD] = "fd",
        [OUTPUT_FILE] = "file",       [OUTPUT_APPEND] = "append", [OUTPUT_TRUNCATE] = "truncate",
};

static const char *const preserve_mode_words[N_PRESERVE_MODES] = {
        [PRESERVE_NO] = "no",
        [PRESERVE_YES] = "yes",
        [PRESERVE_RESTART] = "restart",
};

static const char *const keyring_mode_words[N_KEYRING_MODES] = {
        [KEYRING_INHERIT] = "inherit",
        [KEYRING_PRIVATE] = "private",
        [KEYRING_SHARED] = "shared",
};

static const char *const protect_system_words[N_PROTECT_SYSTEMS] = {
        [PROTECT_SYSTEM_NO] = "no",
        [PROTECT_SYSTEM_YES] = "yes",
        [PROTECT_SYSTEM_FULL] = "full",
        [PROTECT_SYSTEM_STRICT] = "strict",
};

static const char *const protect_home_words[N_PROTECT_HOMES] = {
        [PROTECT_HOME_NO] = "no",
        [PROTECT_HOME_YES] = "yes",
        [PROTECT_HOME_READ_ONLY] = "read-only",
        [PROTECT_HOME_TMPFS] = "tmpfs",
};

static const char *const condition_kind_words[N_CONDITION_KINDS] = {
        [COND_PATH_EXISTS] = "PathExists",
        [COND_PATH_EXISTS_GLOB] = "PathExistsGlob",
        [COND_PATH_IS_DIRECTORY] = "PathIsDirectory",
        [COND_PATH_IS_SYMBOLIC_LINK] = "PathIsSymbolicLink",
        [COND_PATH_IS_MOUNT_POINT] = "PathIsMountPoint",
        [COND_PATH_IS_READ_WRITE] = "PathIsReadWrite",
        [COND_DIRECTORY_NOT_EMPTY] = "DirectoryNotEmpty",
        [COND_FILE_NOT_EMPTY] = "FileNotEmpty",
        [COND_FILE_IS_EXECUTABLE] = "FileIsExecutable",
        [COND_USER] = "User",
        [COND_GROUP] = "Group",
        [COND_HOST] = "Host",
        [COND_VIRTUALIZATION] = "Virtualization",
        [COND_CAPABILITY] = "Capability",
        [COND_AC_POWER] = "ACPower",
        [COND_ARCHITECTURE] = "Architecture",
        [COND_KERNEL_COMMAND_LINE] = "KernelCommandLine",
        [COND_KERNEL_VERSION] = "KernelVersion",
        [COND_ENVIRONMENT] = "Environment",
        [COND_FIRST_BOOT] = "FirstBoot",
        [COND_NEEDS_UPDATE] = "NeedsUpdate",
        [COND_SECURITY] = "Security",
        [COND_CPUS] = "CPUs",
        [COND_MEMORY] = "Memory",
        [COND_OS_RELEASE] = "OSRelease",
        [COND_FIRMWARE] = "Firmware",
        [COND_CPU_FEATURE] = "CPUFeature",
        [COND_CREDENTIAL] = "Credential",
        [COND_CONTROL_GROUP_CONTROLLER] = "ControlGroupController",
        [COND_CPU_PRESSURE] = "CPUPressure",
        [COND_MEMORY_PRESSURE] = "MemoryPressure",
        [COND_IO_PRESSURE] = "IOPressure",
        [COND_PATH_IS_ENCRYPTED] = "PathIsEncrypted",
};

static const char *const oom_policy_words[N_OOM_POLICIES] = {
        [OOM_CONTINUE] = "continue",
        [OOM_STOP] = "stop",
        [OOM_KILL] = "kill",
};

static const char *const emergency_action_words[N_EMERGENCY_ACTIONS] = {
        [ACTION_NONE] = "none",
        [ACTION_REBOOT] = "reboot",
        [ACTION_REBOOT_FORCE] = "reboot-force",
        [ACTION_REBOOT_IMMEDIATE] = "reboot-immediate",
        [ACTION_POWEROFF] = "poweroff",
        [ACTION_POWEROFF_FORCE] = "poweroff-force",
        [ACTION_POWEROFF_IMMEDIATE] = "poweroff-immediate",
        [ACTION_EXIT] = "exit",
        [ACTION_EXIT_FORCE] = "exit-force",
};

static const char *const timeout_failure_mode_words[N_TIMEOUT_FAILURE_MODES] = {
        [TIMEOUT_TERMINATE] = "terminate",
        [TIMEOUT_ABORT] = "abort",
        [TIMEOUT_KILL] = "kill",
};

/* By their numbers in the kernel. */
static const char *const capability_words[N_CAPABILITIES] = {
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_DAC_READ_SEARCH",
        "CAP_FOWNER",
        "CAP_FSETID",
        "CAP_KILL",
        "CAP_SETGID",
        "CAP_SETUID",
        "CAP_SETPCAP",
        "CAP_LINUX_IMMUTABLE",
        "CAP_NET_BIND_SERVICE",
        "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN",
        "CAP_NET_RAW",
        "CAP_IPC_LOCK",
        "CAP_IPC_OWNER",
        "CAP_SYS_MODULE",
        "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT",
        "CAP_SYS_PTRACE",
        "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN",
        "CAP_SYS_BOOT",
        "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE",
        "CAP_SYS_TIME",
        "CAP_SYS_TTY_CONFIG",
        "CAP_MKNOD",
        "CAP_LEASE",
        "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL",
        "CAP_SETFCAP",
        "CAP_MAC_OVERRIDE",
        "CAP_MAC_ADMIN",
        "CAP_SYSLOG",
        "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND",
        "CAP_AUDIT_READ",
        "CAP_PERFMON",
        "CAP_BPF",
        "CAP_CHECKPOINT_RESTORE",
};

const char *unit_capability_name(unsigned n)
{
        return n < N_CAPABILITIES ? capability_words[n] : NULL;
}

#define UNIT_ENUM_DEFINE(e, n) ENUM_NAMES_DEFINE(e, enum e, e##_words)
UNIT_ENUMS(UNIT_ENUM_DEFINE)

/* Suffixes that make a unit name; those without a type of their own are UNIT_OTHER. */
static const struct {
        const char *suffix;
        enum unit_type type;
} suffixes[] = {
        {".service", UNIT_SERVICE}, {".target", UNIT_TARGET}, {".socket", UNIT_SOCKET},   {".timer", UNIT_TIMER},
        {".path", UNIT_PATH},       {".mount", UNIT_MOUNT},   {".slice", UNIT_SLICE},     {".device", UNIT_OTHER},
        {".swap", UNIT_OTHER},      {".scope", UNIT_OTHER},   {".automount", UNIT_OTHER},
};

static int suffix_find(const char *suffix)
{
        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
                if (streq(suffixes[i].suffix, suffix))
                        return (int)i;
        return -EINVAL;
}

static bool name_char_valid(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c && strchr(":_.\\@-", c));
}

int unit_name_split(const char *name, struct unit_name *ret)
{
        const char *dot = strrchr(name, '.'), *at = strchr(name, '@');
        size_t size = strlen(name);

        if (!dot || dot == name || at == name || size > UNIT_NAME_MAX || suffix_find(dot) < 0)
                return -EINVAL;
        for (const char *p = name; *p; p++)
                if (!name_char_valid(*p))
                        return -EINVAL;
        if (at && at > dot)
                return -EINVAL;
        *ret = (struct unit_name){.prefix = name, .suffix = dot, .prefix_size = (size_t)((at ? at : dot) - name)};
        if (at) {
                ret->instance = at + 1;
                ret->instance_size = (size_t)(dot - at - 1);
        }
        return 0;
}

bool unit_name_valid(const char *name)
{
        struct unit_name n;

        return unit_name_split(name, &n) == 0;
}

bool unit_name_is_template(const char *name)
{
        struct unit_name n;

        return unit_name_split(name, &n) == 0 && n.instance && n.instance_size == 0;
}

bool unit_name_is_instance(const char *name)
{
        struct unit_name n;

        return unit_name_split(name, &n) == 0 && n.instance && n.instance_size > 0;
}

enum unit_type unit_name_type(const char *name)
{
        const char *dot = strrchr(name, '.');
        int i = dot ? suffix_find(dot) : -EINVAL;

        return i < 0 ? UNIT_OTHER : suffixes[i].type;
}

int unit_name_template(const char *name, char ret[static UNIT_NAME_MAX + 1])
{
        struct unit_name n;

        if (unit_name_split(name, &n) < 0 || !n.instance)
                return -EINVAL;
        (void)snprintf(ret, UNIT_NAME_MAX + 1, "%.*s@%s", (int)n.prefix_size, n.prefix, n.suffix);
        return 0;
}

int unit_name_instantiate(const char *template_name, const char *instance, size_t instance_size,
                          char ret[static UNIT_NAME_MAX + 1])
{
        char buffer[UNIT_NAME_MAX + 1];
        struct unit_name n;
        int size;

        if (unit_name_split(template_name, &n) < 0 || !n.instance || n.instance_size > 0)
                return -EINVAL;
        size = snprintf(buffer, sizeof(buffer), "%.*s@%.*s%s", (int)n.prefix_size, n.prefix, (int)instance_size,
                        instance, n.suffix);
        if (size < 0 || size > UNIT_NAME_MAX || !unit_name_valid(buffer))
                return -EINVAL;
        memcpy(ret, buffer, (size_t)size + 1);
        return 0;
}
