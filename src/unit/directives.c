/* SPDX-License-Identifier: MIT
 * See directives.h. Which keys systemd 252 knows: systemd.directives(7). Support says what is done here.
 */
#include "unit/draft.h"
#include "unit/values.h"

#include <ctype.h>
#include <sys/resource.h>

/* The C type of the field of each value type. */
#define VALUE_CTYPE(name, ctype, expects, good, bad) typedef ctype ctype_##name;
VALUE_TYPES(VALUE_CTYPE)
#undef VALUE_CTYPE

/* The offset of FIELD; does not compile when it is not of TYPE's C type. */
#define FIELD_OF(type, field)                                                                                          \
        (offsetof(struct draft, field) +                                                                               \
         0 * sizeof(struct {                                                                                           \
                 _Static_assert(__builtin_types_compatible_p(__typeof__(((struct draft *)0)->field), ctype_##type),    \
                                #field " is no " #type);                                                               \
                 int unused;                                                                                           \
         }))
#define FLAG(field) offsetof(struct draft, field) /* what is set along with the field */

#define ROW_OF(section_, key_, type_, field_, extra_, preset_, doc_, support_, notice_)                                \
        {                                                                                                              \
                .key = key_, .preset = preset_, .doc = doc_, .notice = notice_, .section = SECTION_##section_,         \
                .type = VALUE_##type_, .support = SUPPORT_##support_, .offset = FIELD_OF(type_, field_),               \
                .extra = extra_                                                                                        \
        }
#define ROW(section, key, type, field, extra, preset, doc)                                                             \
        ROW_OF(section, key, type, field, extra, preset, doc, HONOURED, NULL)
#define NOTICE(section, key, type, field, extra, preset, doc)                                                          \
        ROW_OF(section, key, type, field, extra, preset, doc, NOTICE, "accepted, not carried out: " key "=")
#define REFUSED(section, key, type, field, extra, preset, doc)                                                         \
        ROW_OF(section, key, type, field, extra, preset, doc, REFUSED, NULL)

/* One row, one line. */
/* clang-format off */
const struct directive directives[] = {
        /* unit */
        ROW(UNIT, "After", units, dependencies[DEP_AFTER], 0, NULL, "Units that start before this one and stop after it"),
        ROW(UNIT, "AllowIsolate", boolean, unit.allow_isolate, 0, "no", "May be the aim of isolate"),
        ROW(UNIT, "AssertACPower", condition, unit.conditions, COND_AC_POWER | CONDITION_ASSERT, NULL, "The start fails unless this holds: on mains power"),
        ROW(UNIT, "AssertArchitecture", condition, unit.conditions, COND_ARCHITECTURE | CONDITION_ASSERT, NULL, "The start fails unless this holds: Architecture"),
        ROW(UNIT, "AssertCPUFeature", condition, unit.conditions, COND_CPU_FEATURE | CONDITION_ASSERT, NULL, "The start fails unless this holds: CPUFeature"),
        ROW(UNIT, "AssertCPUPressure", condition, unit.conditions, COND_CPU_PRESSURE | CONDITION_ASSERT, NULL, "The start fails unless this holds: CPUPressure"),
        ROW(UNIT, "AssertCPUs", condition, unit.conditions, COND_CPUS | CONDITION_ASSERT, NULL, "The start fails unless this holds: number of CPUs"),
        ROW(UNIT, "AssertCapability", condition, unit.conditions, COND_CAPABILITY | CONDITION_ASSERT, NULL, "The start fails unless this holds: Capability"),
        ROW(UNIT, "AssertControlGroupController", condition, unit.conditions, COND_CONTROL_GROUP_CONTROLLER | CONDITION_ASSERT, NULL, "The start fails unless this holds: ControlGroupController"),
        ROW(UNIT, "AssertCredential", condition, unit.conditions, COND_CREDENTIAL | CONDITION_ASSERT, NULL, "The start fails unless this holds: Credential"),
        ROW(UNIT, "AssertDirectoryNotEmpty", condition, unit.conditions, COND_DIRECTORY_NOT_EMPTY | CONDITION_ASSERT, NULL, "The start fails unless this holds: DirectoryNotEmpty"),
        ROW(UNIT, "AssertEnvironment", condition, unit.conditions, COND_ENVIRONMENT | CONDITION_ASSERT, NULL, "The start fails unless this holds: Environment"),
        ROW(UNIT, "AssertFileIsExecutable", condition, unit.conditions, COND_FILE_IS_EXECUTABLE | CONDITION_ASSERT, NULL, "The start fails unless this holds: FileIsExecutable"),
        ROW(UNIT, "AssertFileNotEmpty", condition, unit.conditions, COND_FILE_NOT_EMPTY | CONDITION_ASSERT, NULL, "The start fails unless this holds: FileNotEmpty"),
        ROW(UNIT, "AssertFirmware", condition, unit.conditions, COND_FIRMWARE | CONDITION_ASSERT, NULL, "The start fails unless this holds: Firmware"),
        ROW(UNIT, "AssertFirstBoot", condition, unit.conditions, COND_FIRST_BOOT | CONDITION_ASSERT, NULL, "The start fails unless this holds: FirstBoot"),
        ROW(UNIT, "AssertGroup", condition, unit.conditions, COND_GROUP | CONDITION_ASSERT, NULL, "The start fails unless this holds: Group"),
        ROW(UNIT, "AssertHost", condition, unit.conditions, COND_HOST | CONDITION_ASSERT, NULL, "The start fails unless this holds: Host"),
        ROW(UNIT, "AssertIOPressure", condition, unit.conditions, COND_IO_PRESSURE | CONDITION_ASSERT, NULL, "The start fails unless this holds: IOPressure"),
        ROW(UNIT, "AssertKernelCommandLine", condition, unit.conditions, COND_KERNEL_COMMAND_LINE | CONDITION_ASSERT, NULL, "The start fails unless this holds: KernelCommandLine"),
        ROW(UNIT, "AssertKernelVersion", condition, unit.conditions, COND_KERNEL_VERSION | CONDITION_ASSERT, NULL, "The start fails unless this holds: KernelVersion"),
        ROW(UNIT, "AssertMemory", condition, unit.conditions, COND_MEMORY | CONDITION_ASSERT, NULL, "The start fails unless this holds: Memory"),
        ROW(UNIT, "AssertMemoryPressure", condition, unit.conditions, COND_MEMORY_PRESSURE | CONDITION_ASSERT, NULL, "The start fails unless this holds: MemoryPressure"),
        ROW(UNIT, "AssertNeedsUpdate", condition, unit.conditions, COND_NEEDS_UPDATE | CONDITION_ASSERT, NULL, "The start fails unless this holds: NeedsUpdate"),
        ROW(UNIT, "AssertOSRelease", condition, unit.conditions, COND_OS_RELEASE | CONDITION_ASSERT, NULL, "The start fails unless this holds: OSRelease"),
        ROW(UNIT, "AssertPathExists", condition, unit.conditions, COND_PATH_EXISTS | CONDITION_ASSERT, NULL, "The start fails unless this holds: PathExists"),
        ROW(UNIT, "AssertPathExistsGlob", condition, unit.conditions, COND_PATH_EXISTS_GLOB | CONDITION_ASSERT, NULL, "The start fails unless this holds: PathExistsGlob"),
        ROW(UNIT, "AssertPathIsDirectory", condition, unit.conditions, COND_PATH_IS_DIRECTORY | CONDITION_ASSERT, NULL, "The start fails unless this holds: PathIsDirectory"),
        ROW(UNIT, "AssertPathIsEncrypted", condition, unit.conditions, COND_PATH_IS_ENCRYPTED | CONDITION_ASSERT, NULL, "The start fails unless this holds: PathIsEncrypted"),
        ROW(UNIT, "AssertPathIsMountPoint", condition, unit.conditions, COND_PATH_IS_MOUNT_POINT | CONDITION_ASSERT, NULL, "The start fails unless this holds: PathIsMountPoint"),
        ROW(UNIT, "AssertPathIsReadWrite", condition, unit.conditions, COND_PATH_IS_READ_WRITE | CONDITION_ASSERT, NULL, "The start fails unless this holds: PathIsReadWrite"),
        ROW(UNIT, "AssertPathIsSymbolicLink", condition, unit.conditions, COND_PATH_IS_SYMBOLIC_LINK | CONDITION_ASSERT, NULL, "The start fails unless this holds: PathIsSymbolicLink"),
        ROW(UNIT, "AssertSecurity", condition, unit.conditions, COND_SECURITY | CONDITION_ASSERT, NULL, "The start fails unless this holds: Security"),
        ROW(UNIT, "AssertUser", condition, unit.conditions, COND_USER | CONDITION_ASSERT, NULL, "The start fails unless this holds: User"),
        ROW(UNIT, "AssertVirtualization", condition, unit.conditions, COND_VIRTUALIZATION | CONDITION_ASSERT, NULL, "The start fails unless this holds: Virtualization"),
        ROW(UNIT, "Before", units, dependencies[DEP_BEFORE], 0, NULL, "Units that start after this one and stop before it"),
        ROW(UNIT, "BindTo", units, dependencies[DEP_BINDS_TO], 0, NULL, "Old name of BindsTo="),
        ROW(UNIT, "BindsTo", units, dependencies[DEP_BINDS_TO], 0, NULL, "As Requires=, and stops whenever they go down"),
        NOTICE(UNIT, "CollectMode", text, unit.collect_mode, 0, "(inactive)", "When a unit that nobody needs is forgotten"),
        ROW(UNIT, "ConditionACPower", condition, unit.conditions, COND_AC_POWER, NULL, "The start is skipped unless this holds: on mains power"),
        ROW(UNIT, "ConditionArchitecture", condition, unit.conditions, COND_ARCHITECTURE, NULL, "The start is skipped unless this holds: Architecture"),
        ROW(UNIT, "ConditionCPUFeature", condition, unit.conditions, COND_CPU_FEATURE, NULL, "The start is skipped unless this holds: CPUFeature"),
        ROW(UNIT, "ConditionCPUPressure", condition, unit.conditions, COND_CPU_PRESSURE, NULL, "The start is skipped unless this holds: CPUPressure"),
        ROW(UNIT, "ConditionCPUs", condition, unit.conditions, COND_CPUS, NULL, "The start is skipped unless this holds: number of CPUs"),
        ROW(UNIT, "ConditionCapability", condition, unit.conditions, COND_CAPABILITY, NULL, "The start is skipped unless this holds: Capability"),
        ROW(UNIT, "ConditionControlGroupController", condition, unit.conditions, COND_CONTROL_GROUP_CONTROLLER, NULL, "The start is skipped unless this holds: ControlGroupController"),
        ROW(UNIT, "ConditionCredential", condition, unit.conditions, COND_CREDENTIAL, NULL, "The start is skipped unless this holds: Credential"),
        ROW(UNIT, "ConditionDirectoryNotEmpty", condition, unit.conditions, COND_DIRECTORY_NOT_EMPTY, NULL, "The start is skipped unless this holds: DirectoryNotEmpty"),
        ROW(UNIT, "ConditionEnvironment", condition, unit.conditions, COND_ENVIRONMENT, NULL, "The start is skipped unless this holds: Environment"),
        ROW(UNIT, "ConditionFileIsExecutable", condition, unit.conditions, COND_FILE_IS_EXECUTABLE, NULL, "The start is skipped unless this holds: FileIsExecutable"),
        ROW(UNIT, "ConditionFileNotEmpty", condition, unit.conditions, COND_FILE_NOT_EMPTY, NULL, "The start is skipped unless this holds: FileNotEmpty"),
        ROW(UNIT, "ConditionFirmware", condition, unit.conditions, COND_FIRMWARE, NULL, "The start is skipped unless this holds: Firmware"),
        ROW(UNIT, "ConditionFirstBoot", condition, unit.conditions, COND_FIRST_BOOT, NULL, "The start is skipped unless this holds: FirstBoot"),
        ROW(UNIT, "ConditionGroup", condition, unit.conditions, COND_GROUP, NULL, "The start is skipped unless this holds: Group"),
        ROW(UNIT, "ConditionHost", condition, unit.conditions, COND_HOST, NULL, "The start is skipped unless this holds: Host"),
        ROW(UNIT, "ConditionIOPressure", condition, unit.conditions, COND_IO_PRESSURE, NULL, "The start is skipped unless this holds: IOPressure"),
        ROW(UNIT, "ConditionKernelCommandLine", condition, unit.conditions, COND_KERNEL_COMMAND_LINE, NULL, "The start is skipped unless this holds: KernelCommandLine"),
        ROW(UNIT, "ConditionKernelVersion", condition, unit.conditions, COND_KERNEL_VERSION, NULL, "The start is skipped unless this holds: KernelVersion"),
        ROW(UNIT, "ConditionMemory", condition, unit.conditions, COND_MEMORY, NULL, "The start is skipped unless this holds: Memory"),
        ROW(UNIT, "ConditionMemoryPressure", condition, unit.conditions, COND_MEMORY_PRESSURE, NULL, "The start is skipped unless this holds: MemoryPressure"),
        ROW(UNIT, "ConditionNeedsUpdate", condition, unit.conditions, COND_NEEDS_UPDATE, NULL, "The start is skipped unless this holds: NeedsUpdate"),
        ROW(UNIT, "ConditionOSRelease", condition, unit.conditions, COND_OS_RELEASE, NULL, "The start is skipped unless this holds: OSRelease"),
        ROW(UNIT, "ConditionPathExists", condition, unit.conditions, COND_PATH_EXISTS, NULL, "The start is skipped unless this holds: PathExists"),
        ROW(UNIT, "ConditionPathExistsGlob", condition, unit.conditions, COND_PATH_EXISTS_GLOB, NULL, "The start is skipped unless this holds: PathExistsGlob"),
        ROW(UNIT, "ConditionPathIsDirectory", condition, unit.conditions, COND_PATH_IS_DIRECTORY, NULL, "The start is skipped unless this holds: PathIsDirectory"),
        ROW(UNIT, "ConditionPathIsEncrypted", condition, unit.conditions, COND_PATH_IS_ENCRYPTED, NULL, "The start is skipped unless this holds: PathIsEncrypted"),
        ROW(UNIT, "ConditionPathIsMountPoint", condition, unit.conditions, COND_PATH_IS_MOUNT_POINT, NULL, "The start is skipped unless this holds: PathIsMountPoint"),
        ROW(UNIT, "ConditionPathIsReadWrite", condition, unit.conditions, COND_PATH_IS_READ_WRITE, NULL, "The start is skipped unless this holds: PathIsReadWrite"),
        ROW(UNIT, "ConditionPathIsSymbolicLink", condition, unit.conditions, COND_PATH_IS_SYMBOLIC_LINK, NULL, "The start is skipped unless this holds: PathIsSymbolicLink"),
        ROW(UNIT, "ConditionSecurity", condition, unit.conditions, COND_SECURITY, NULL, "The start is skipped unless this holds: Security"),
        ROW(UNIT, "ConditionUser", condition, unit.conditions, COND_USER, NULL, "The start is skipped unless this holds: User"),
        ROW(UNIT, "ConditionVirtualization", condition, unit.conditions, COND_VIRTUALIZATION, NULL, "The start is skipped unless this holds: Virtualization"),
        ROW(UNIT, "Conflicts", units, dependencies[DEP_CONFLICTS], 0, NULL, "Units that cannot be up together with this one"),
        ROW(UNIT, "DefaultDependencies", boolean, unit.default_dependencies, 0, "yes", "Adds the ordering that is usual for this type of unit"),
        ROW(UNIT, "Description", text, unit.description, 0, "(the name)", "What the unit is, for people"),
        ROW(UNIT, "Documentation", documentation, unit.documentation, 0, NULL, "Where to read more: URIs"),
        ROW(UNIT, "FailureAction", emergency_action, unit.failure_action, 0, "none", "What is done to the whole when the unit fails"),
        ROW(UNIT, "FailureActionExitStatus", exit_number, unit.failure_exit_status, 0, "(not set)", "Exit status for FailureAction=exit"),
        ROW(UNIT, "IgnoreOnIsolate", boolean, unit.ignore_on_isolate, 0, "no", "Isolating another unit does not stop this one"),
        NOTICE(UNIT, "IgnoreOnSnapshot", any, nothing, 0, NULL, "Without effect since long"),
        ROW(UNIT, "JobRunningTimeoutSec", timespan, unit.job_running_timeout_us, 0, "(JobTimeoutSec=)", "How long a job may run"),
        ROW(UNIT, "JobTimeoutAction", emergency_action, unit.job_timeout_action, 0, "none", "What is done to the whole when a job takes too long"),
        ROW(UNIT, "JobTimeoutRebootArgument", text, unit.job_timeout_reboot_argument, 0, NULL, "Argument of the reboot of JobTimeoutAction="),
        ROW(UNIT, "JobTimeoutSec", job_timeout, unit.job_timeout_us, 0, "infinity", "How long a job may be queued and run"),
        NOTICE(UNIT, "JoinsNamespaceOf", units, dependencies[DEP_JOINS_NAMESPACE_OF], 0, NULL, "Units whose private /tmp and network this one shares"),
        ROW(UNIT, "OnFailure", units, dependencies[DEP_ON_FAILURE], 0, NULL, "Units that are started when this one fails"),
        ROW(UNIT, "OnFailureIsolate", job_isolate, unit.on_failure_job_mode, 0, NULL, "Old form of OnFailureJobMode=isolate"),
        ROW(UNIT, "OnFailureJobMode", job_mode, unit.on_failure_job_mode, 0, "(replace)", "How the units of OnFailure= are queued"),
        ROW(UNIT, "OnSuccess", units, dependencies[DEP_ON_SUCCESS], 0, NULL, "Units that are started when this one ends well"),
        ROW(UNIT, "OnSuccessJobMode", job_mode, unit.on_success_job_mode, 0, "(fail)", "How the units of OnSuccess= are queued"),
        ROW(UNIT, "PartOf", units, dependencies[DEP_PART_OF], 0, NULL, "Stopping or restarting them does the same to this unit"),
        ROW(UNIT, "PropagateReloadFrom", units, dependencies[DEP_RELOAD_PROPAGATED_FROM], 0, NULL, "Old name of ReloadPropagatedFrom="),
        ROW(UNIT, "PropagateReloadTo", units, dependencies[DEP_PROPAGATES_RELOAD_TO], 0, NULL, "Old name of PropagatesReloadTo="),
        ROW(UNIT, "PropagatesReloadTo", units, dependencies[DEP_PROPAGATES_RELOAD_TO], 0, NULL, "Units that are reloaded when this one is"),
        ROW(UNIT, "PropagatesStopTo", units, dependencies[DEP_PROPAGATES_STOP_TO], 0, NULL, "Units that are stopped when this one is"),
        ROW(UNIT, "RebootArgument", text, unit.reboot_argument, 0, NULL, "Argument of a reboot"),
        ROW(UNIT, "RefuseManualStart", boolean, unit.refuse_manual_start, 0, "no", "Can be started by other units only"),
        ROW(UNIT, "RefuseManualStop", boolean, unit.refuse_manual_stop, 0, "no", "Can be stopped by other units only"),
        ROW(UNIT, "ReloadPropagatedFrom", units, dependencies[DEP_RELOAD_PROPAGATED_FROM], 0, NULL, "Units whose reload reloads this one"),
        ROW(UNIT, "Requires", units, dependencies[DEP_REQUIRES], 0, NULL, "Units without which this one does not start; stops when they are stopped"),
        ROW(UNIT, "RequiresMountsFor", mounts, dependencies[DEP_REQUIRES_MOUNTS_FOR], 0, NULL, "Paths whose mounts are needed"),
        ROW(UNIT, "RequiresOverridable", units, dependencies[DEP_REQUIRES], 0, NULL, "Old form of Requires="),
        ROW(UNIT, "Requisite", units, dependencies[DEP_REQUISITE], 0, NULL, "Units that have to be active already when this one starts"),
        ROW(UNIT, "RequisiteOverridable", units, dependencies[DEP_REQUISITE], 0, NULL, "Old form of Requisite="),
        ROW(UNIT, "SourcePath", path, unit.source_path, 0, NULL, "The file that this unit was generated from"),
        ROW(UNIT, "StartLimitAction", emergency_action, unit.start_limit_action, 0, "none", "What is done to the whole when the start limit is hit"),
        ROW(UNIT, "StartLimitBurst", unsigned, unit.start_limit_burst, 0, "5", "Starts that are allowed in StartLimitIntervalSec="),
        ROW(UNIT, "StartLimitInterval", timespan, unit.start_limit_interval_us, 0, NULL, "Old name of StartLimitIntervalSec="),
        ROW(UNIT, "StartLimitIntervalSec", timespan, unit.start_limit_interval_us, 0, "10s", "The time in which StartLimitBurst= starts are allowed; 0 is no limit"),
        ROW(UNIT, "StopPropagatedFrom", units, dependencies[DEP_STOP_PROPAGATED_FROM], 0, NULL, "Units whose stop stops this one"),
        ROW(UNIT, "StopWhenUnneeded", boolean, unit.stop_when_unneeded, 0, "no", "Stops when no active unit needs it any more"),
        ROW(UNIT, "SuccessAction", emergency_action, unit.success_action, 0, "none", "What is done to the whole when the unit ends well"),
        ROW(UNIT, "SuccessActionExitStatus", exit_number, unit.success_exit_status, 0, "(not set)", "Exit status for SuccessAction=exit"),
        ROW(UNIT, "Upholds", units, dependencies[DEP_UPHOLDS], 0, NULL, "Units that are started again whenever they are down while this one is up"),
        ROW(UNIT, "Wants", units, dependencies[DEP_WANTS], 0, NULL, "Units that are started along with this one; their failure does not matter"),
        /* install */
        ROW(INSTALL, "Alias", units, unit.install_alias, UNITS_INSTALL, NULL, "Other names that enabling creates"),
        ROW(INSTALL, "Also", units, unit.also, UNITS_INSTALL, NULL, "Units that are enabled and disabled along with this one"),
        ROW(INSTALL, "DefaultInstance", text, unit.default_instance, 0, NULL, "The instance that enabling a template enables"),
        ROW(INSTALL, "RequiredBy", units, unit.required_by, UNITS_INSTALL, NULL, "Units that require this one once it is enabled"),
        ROW(INSTALL, "UpheldBy", units, unit.upheld_by, UNITS_INSTALL, NULL, "Units that uphold this one once it is enabled"),
        ROW(INSTALL, "WantedBy", units, unit.wanted_by, UNITS_INSTALL, NULL, "Units that want this one once it is enabled"),
        /* service */
        ROW(SERVICE, "BusName", bus_name, service.bus_name, 0, NULL, "The D-Bus name that tells that the service is ready"),
        NOTICE(SERVICE, "BusPolicy", any, nothing, 0, NULL, "Without effect since long"),
        ROW(SERVICE, "ExecCondition", commands, service.commands[EXEC_CONDITION], 0, NULL, "Commands that decide, before all others, whether to start"),
        ROW(SERVICE, "ExecReload", commands, service.commands[EXEC_RELOAD], 0, NULL, "Commands that make the service read its configuration again"),
        ROW(SERVICE, "ExecStart", commands, service.commands[EXEC_START], 0, NULL, "The service itself; several only with Type=oneshot"),
        ROW(SERVICE, "ExecStartPost", commands, service.commands[EXEC_START_POST], 0, NULL, "Commands once the service is ready"),
        ROW(SERVICE, "ExecStartPre", commands, service.commands[EXEC_START_PRE], 0, NULL, "Commands before ExecStart="),
        ROW(SERVICE, "ExecStop", commands, service.commands[EXEC_STOP], 0, NULL, "Commands that ask the service to end"),
        ROW(SERVICE, "ExecStopPost", commands, service.commands[EXEC_STOP_POST], 0, NULL, "Commands after the end, whatever it was"),
        ROW(SERVICE, "ExitType", exit_type, service.exit_type_cgroup, 0, "main", "Whether the main process or all of them decide when the service has ended"),
        ROW(SERVICE, "FailureAction", emergency_action, unit.failure_action, 0, NULL, "Old place of FailureAction= in [Unit]"),
        ROW(SERVICE, "FileDescriptorStoreMax", unsigned, service.fd_store_max, 0, "0", "File descriptors that are kept for the service over a restart"),
        ROW(SERVICE, "GuessMainPID", boolean, service.guess_main_pid, 0, "yes", "Guesses the main process of a forking service without PIDFile="),
        ROW(SERVICE, "NonBlocking", boolean, exec.non_blocking, 0, "no", "Sockets are handed over in non-blocking mode"),
        ROW(SERVICE, "NotifyAccess", notify_access, service.notify_access, 0, "(none; main with Type=notify)", "Whose notifications count"),
        ROW(SERVICE, "OOMPolicy", oom_policy, service.oom_policy, 0, "(stop, continue with Delegate=)", "What happens when the kernel kills a process of the service for want of memory"),
        ROW(SERVICE, "OpenFile", open_file, rare.open_files, 0, NULL, "Files that are opened for the service and handed over as sockets are"),
        ROW(SERVICE, "PIDFile", pid_file, service.pid_file, 0, NULL, "The file in which a forking service tells its main process"),
        ROW(SERVICE, "PermissionsStartOnly", boolean, service.permissions_start_only, 0, "no", "User= and its kin go for ExecStart= only"),
        ROW(SERVICE, "RebootArgument", text, unit.reboot_argument, 0, NULL, "Old place of RebootArgument= in [Unit]"),
        ROW(SERVICE, "ReloadSignal", signal, service.reload_signal, 0, "SIGHUP", "What makes a service of Type=notify-reload read its configuration again"),
        ROW(SERVICE, "RemainAfterExit", boolean, service.remain_after_exit, 0, "no", "Stays active after its processes have ended"),
        ROW(SERVICE, "Restart", service_restart, service.restart, 0, "no", "After which ends the service is started again"),
        ROW(SERVICE, "RestartForceExitStatus", status_set, restart_force_status, 0, NULL, "Ends after which there is always a restart"),
        ROW(SERVICE, "RestartMaxDelaySec", timespan, service.restart_max_delay_us, 0, "infinity", "Longest pause before a restart"),
        ROW(SERVICE, "RestartPreventExitStatus", status_set, restart_prevent_status, 0, NULL, "Ends after which there is no restart"),
        ROW(SERVICE, "RestartSec", timespan, service.restart_us, 0, "(100ms)", "Pause before a restart"),
        ROW(SERVICE, "RestartSteps", unsigned, service.restart_steps, 0, "0", "Steps in which the pause grows to RestartMaxDelaySec="),
        ROW(SERVICE, "RootDirectoryStartOnly", boolean, service.root_directory_start_only, 0, "no", "RootDirectory= goes for ExecStart= only"),
        ROW(SERVICE, "RuntimeMaxSec", timespan, service.runtime_max_us, 0, "infinity", "How long the service may run"),
        ROW(SERVICE, "RuntimeRandomizedExtraSec", timespan, service.runtime_randomized_extra_us, 0, "0", "Random addition to RuntimeMaxSec="),
        NOTICE(SERVICE, "Sockets", units, service.sockets, 0, NULL, "Socket units whose sockets the service gets"),
        ROW(SERVICE, "StartLimitAction", emergency_action, unit.start_limit_action, 0, NULL, "Old place of StartLimitAction= in [Unit]"),
        ROW(SERVICE, "StartLimitBurst", unsigned, unit.start_limit_burst, 0, NULL, "Old place of StartLimitBurst= in [Unit]"),
        ROW(SERVICE, "StartLimitInterval", timespan, unit.start_limit_interval_us, 0, NULL, "Old place of StartLimitIntervalSec= in [Unit]"),
        ROW(SERVICE, "SuccessExitStatus", status_set, success_status, 0, NULL, "Further exit statuses and signals that are a clean end"),
        NOTICE(SERVICE, "SysVStartPriority", any, nothing, 0, NULL, "Without effect since long"),
        ROW(SERVICE, "TimeoutAbortSec", timeout, service.timeout_abort_us, 0, "(TimeoutStopSec=)", "How long an abort after a missed watchdog ping may take"),
        ROW(SERVICE, "TimeoutSec", timeout_both, service.timeout_start_us, 0, NULL, "Sets TimeoutStartSec= and TimeoutStopSec="),
        ROW(SERVICE, "TimeoutStartFailureMode", failure_mode, service.timeout_start_failure_mode, 0, "terminate", "What a start that takes too long is ended with"),
        ROW(SERVICE, "TimeoutStartSec", timeout, service.timeout_start_us, 0, "(90s; infinity with Type=oneshot)", "How long each command of a start may take"),
        ROW(SERVICE, "TimeoutStopFailureMode", failure_mode, service.timeout_stop_failure_mode, 0, "terminate", "What a stop that takes too long is ended with"),
        ROW(SERVICE, "TimeoutStopSec", timeout, service.timeout_stop_us, 0, "(90s)", "How long each command of a stop, and the processes behind it, may take before they are killed"),
        ROW(SERVICE, "Type", service_type, service.type, 0, "(simple; dbus with BusName=; oneshot without ExecStart=)", "When the service counts as started"),
        NOTICE(SERVICE, "USBFunctionDescriptors", any, nothing, 0, NULL, "USB FunctionFS descriptors"),
        NOTICE(SERVICE, "USBFunctionStrings", any, nothing, 0, NULL, "USB FunctionFS strings"),
        ROW(SERVICE, "WatchdogSec", timespan, service.watchdog_us, 0, "0", "The service has to send a ping within this time, again and again; 0 is off"),
        /* exec */
        ROW(EXEC, "AmbientCapabilities", capabilities, exec.ambient_set, FLAG(capability_ambient_set), "(none)", "Capabilities the processes keep as User="),
        NOTICE(EXEC, "AppArmorProfile", any, nothing, 0, NULL, "AppArmor profile"),
        ROW(EXEC, "BindPaths", bind_paths, rare.sandbox, SANDBOX_BIND, NULL, "Files and directories mounted elsewhere for the service"),
        ROW(EXEC, "BindReadOnlyPaths", bind_paths, rare.sandbox, SANDBOX_BIND_READ_ONLY, NULL, "As BindPaths=, read-only"),
        ROW(EXEC, "CPUAffinity", cpu_affinity, exec.cpu_affinity, 0, "(inherited)", "The CPUs the processes may run on"),
        ROW(EXEC, "CPUSchedulingPolicy", cpu_policy, exec.cpu_policy, FLAG(exec.cpu_policy_set), "(inherited)", "CPU scheduling policy"),
        ROW(EXEC, "CPUSchedulingPriority", cpu_priority, exec.cpu_priority, FLAG(exec.cpu_policy_set), "(0)", "Real-time priority, 1 to 99"),
        ROW(EXEC, "CPUSchedulingResetOnFork", boolean, rare.cpu_reset_on_fork, 0, "no", "Children start with the usual CPU scheduling"),
        ROW(EXEC, "CacheDirectory", directory_names, directories[DIRECTORY_CACHE].names, 0, NULL, "Directories below /var/cache that are made for the service"),
        ROW(EXEC, "CacheDirectoryMode", mode, directories[DIRECTORY_CACHE].mode, 0, "0755", "Their mode"),
        NOTICE(EXEC, "Capabilities", any, nothing, 0, NULL, "Without effect since long"),
        ROW(EXEC, "CapabilityBoundingSet", capabilities, exec.bounding_set, FLAG(exec.capability_bounding_set), "(all)", "Capabilities the processes can ever have; ~ takes away"),
        ROW(EXEC, "ConfigurationDirectory", directory_names, directories[DIRECTORY_CONFIGURATION].names, 0, NULL, "Directories below /etc that are made for the service"),
        ROW(EXEC, "ConfigurationDirectoryMode", mode, directories[DIRECTORY_CONFIGURATION].mode, 0, "0755", "Their mode"),
        NOTICE(EXEC, "ControlGroup", any, nothing, 0, NULL, "Without effect since long"),
        ROW(EXEC, "CoredumpFilter", core_filter, rare.core_filter, FLAG(rare.core_filter_set), "(inherited)", "What core dumps hold"),
        ROW(EXEC, "DynamicUser", dynamic_user, exec.dynamic_user, 0, "no", "Runs as a user of its own; it has to exist"),
        ROW(EXEC, "Environment", environment, exec.environment, 0, NULL, "Variables, as \"NAME=value\""),
        ROW(EXEC, "EnvironmentFile", environment_file, exec.environment_files, 0, NULL, "Files with variables; - before the path: may be missing"),
        ROW(EXEC, "ExecPaths", sandbox_paths, rare.sandbox, SANDBOX_EXEC, NULL, "Paths that stay executable"),
        ROW(EXEC, "ExecSearchPath", path_list, exec.exec_search_path, 0, NULL, "Where commands without a path are looked for"),
        REFUSED(EXEC, "ExtensionDirectories", any, nothing, 0, NULL, "Directories laid over the file system"),
        REFUSED(EXEC, "ExtensionImages", any, nothing, 0, NULL, "Images laid over the file system"),
        ROW(EXEC, "Group", account, exec.group, 0, "(that of User=)", "The group the processes run as"),
        ROW(EXEC, "IOSchedulingClass", io_class, exec.io_class, FLAG(exec.io_set), "(inherited)", "I/O scheduling class"),
        ROW(EXEC, "IOSchedulingPriority", io_priority, exec.io_priority, FLAG(exec.io_set), "(4)", "I/O priority, 0 to 7"),
        REFUSED(EXEC, "IPCNamespacePath", any, nothing, 0, NULL, "The IPC namespace the service joins"),
        ROW(EXEC, "IgnoreSIGPIPE", boolean, exec.ignore_sigpipe, 0, "yes", "SIGPIPE is ignored"),
        NOTICE(EXEC, "ImportCredential", any, nothing, 0, NULL, "Credentials of the system"),
        ROW(EXEC, "InaccessibleDirectories", sandbox_paths, rare.sandbox, SANDBOX_INACCESSIBLE, NULL, "Old name of InaccessiblePaths="),
        ROW(EXEC, "InaccessiblePaths", sandbox_paths, rare.sandbox, SANDBOX_INACCESSIBLE, NULL, "Paths that are hidden"),
        ROW(EXEC, "KeyringMode", keyring_mode, rare.keyring, 0, "inherit", "Kernel keyring of the service; taken as inherit where it is not permitted"),
        ROW(EXEC, "LimitAS", limit, limits[RLIMIT_AS], RLIMIT_AS, NULL, "Resource limit, soft:hard: RLIMIT_AS"),
        ROW(EXEC, "LimitCORE", limit, limits[RLIMIT_CORE], RLIMIT_CORE, NULL, "Resource limit, soft:hard: RLIMIT_CORE"),
        ROW(EXEC, "LimitCPU", limit, limits[RLIMIT_CPU], RLIMIT_CPU, NULL, "Resource limit, soft:hard: RLIMIT_CPU"),
        ROW(EXEC, "LimitDATA", limit, limits[RLIMIT_DATA], RLIMIT_DATA, NULL, "Resource limit, soft:hard: RLIMIT_DATA"),
        ROW(EXEC, "LimitFSIZE", limit, limits[RLIMIT_FSIZE], RLIMIT_FSIZE, NULL, "Resource limit, soft:hard: RLIMIT_FSIZE"),
        ROW(EXEC, "LimitLOCKS", limit, limits[RLIMIT_LOCKS], RLIMIT_LOCKS, NULL, "Resource limit, soft:hard: RLIMIT_LOCKS"),
        ROW(EXEC, "LimitMEMLOCK", limit, limits[RLIMIT_MEMLOCK], RLIMIT_MEMLOCK, NULL, "Resource limit, soft:hard: RLIMIT_MEMLOCK"),
        ROW(EXEC, "LimitMSGQUEUE", limit, limits[RLIMIT_MSGQUEUE], RLIMIT_MSGQUEUE, NULL, "Resource limit, soft:hard: RLIMIT_MSGQUEUE"),
        ROW(EXEC, "LimitNICE", limit, limits[RLIMIT_NICE], RLIMIT_NICE, NULL, "Resource limit, soft:hard: RLIMIT_NICE"),
        ROW(EXEC, "LimitNOFILE", limit, limits[RLIMIT_NOFILE], RLIMIT_NOFILE, NULL, "Resource limit, soft:hard: RLIMIT_NOFILE"),
        ROW(EXEC, "LimitNPROC", limit, limits[RLIMIT_NPROC], RLIMIT_NPROC, NULL, "Resource limit, soft:hard: RLIMIT_NPROC"),
        ROW(EXEC, "LimitRSS", limit, limits[RLIMIT_RSS], RLIMIT_RSS, NULL, "Resource limit, soft:hard: RLIMIT_RSS"),
        ROW(EXEC, "LimitRTPRIO", limit, limits[RLIMIT_RTPRIO], RLIMIT_RTPRIO, NULL, "Resource limit, soft:hard: RLIMIT_RTPRIO"),
        ROW(EXEC, "LimitRTTIME", limit, limits[RLIMIT_RTTIME], RLIMIT_RTTIME, NULL, "Resource limit, soft:hard: RLIMIT_RTTIME"),
        ROW(EXEC, "LimitSIGPENDING", limit, limits[RLIMIT_SIGPENDING], RLIMIT_SIGPENDING, NULL, "Resource limit, soft:hard: RLIMIT_SIGPENDING"),
        ROW(EXEC, "LimitSTACK", limit, limits[RLIMIT_STACK], RLIMIT_STACK, NULL, "Resource limit, soft:hard: RLIMIT_STACK"),
        ROW(EXEC, "LoadCredential", load_credential, rare.credentials, 0, NULL, "Credentials from files and sockets, in $CREDENTIALS_DIRECTORY"),
        NOTICE(EXEC, "LoadCredentialEncrypted", any, nothing, 0, NULL, "Encrypted credentials"),
        NOTICE(EXEC, "LockPersonality", any, nothing, 0, NULL, "The personality cannot be changed"),
        NOTICE(EXEC, "LogExtraFields", any, nothing, 0, NULL, "Further fields of log lines"),
        NOTICE(EXEC, "LogFilterPatterns", any, nothing, 0, NULL, "Which lines are logged"),
        NOTICE(EXEC, "LogLevelMax", any, nothing, 0, NULL, "The least important level that is logged"),
        NOTICE(EXEC, "LogNamespace", any, nothing, 0, NULL, "The journal that gets the lines"),
        NOTICE(EXEC, "LogRateLimitBurst", any, nothing, 0, NULL, "Lines that are logged in LogRateLimitIntervalSec="),
        NOTICE(EXEC, "LogRateLimitIntervalSec", any, nothing, 0, NULL, "The time in which LogRateLimitBurst= lines are logged"),
        ROW(EXEC, "LogsDirectory", directory_names, directories[DIRECTORY_LOGS].names, 0, NULL, "Directories below /var/log that are made for the service"),
        ROW(EXEC, "LogsDirectoryMode", mode, directories[DIRECTORY_LOGS].mode, 0, "0755", "Their mode"),
        NOTICE(EXEC, "MemoryDenyWriteExecute", any, nothing, 0, NULL, "No memory is writable and executable"),
        ROW(EXEC, "MountAPIVFS", mount_apivfs, rare.mount_apivfs_off, 0, "(yes)", "Mounts /proc, /sys and /dev below RootDirectory="),
        NOTICE(EXEC, "MountFlags", any, nothing, 0, NULL, "How mounts spread"),
        REFUSED(EXEC, "MountImages", any, nothing, 0, NULL, "Images mounted for the service"),
        ROW(EXEC, "NUMAMask", cpu_affinity, rare.numa_mask, 0, NULL, "The NUMA nodes of NUMAPolicy="),
        ROW(EXEC, "NUMAPolicy", numa_policy, rare.numa_policy, 0, "(inherited)", "NUMA memory policy"),
        REFUSED(EXEC, "NetworkNamespacePath", any, nothing, 0, NULL, "The network namespace the service joins"),
        ROW(EXEC, "Nice", nice, exec.nice, FLAG(exec.nice_set), "(inherited)", "CPU priority, -20 to 19"),
        ROW(EXEC, "NoExecPaths", sandbox_paths, rare.sandbox, SANDBOX_NO_EXEC, NULL, "Paths that are not executable"),
        ROW(EXEC, "NoNewPrivileges", boolean, exec.no_new_privileges, 0, "no", "No process gains privileges by execve()"),
        ROW(EXEC, "OOMScoreAdjust", oom_score, exec.oom_score_adjust, FLAG(exec.oom_score_set), "(inherited)", "How soon the kernel picks it when memory is short, -1000 to 1000"),
        NOTICE(EXEC, "PAMName", text, exec.pam_name, 0, NULL, "The PAM service that sets up a session"),
        ROW(EXEC, "PassEnvironment", variables, exec.pass_environment, 0, NULL, "Variables of the manager that are passed on"),
        ROW(EXEC, "Personality", text, exec.personality, 0, NULL, "The architecture that uname() tells"),
        ROW(EXEC, "PrivateDevices", boolean, rare.private_devices, 0, "no", "A /dev without devices"),
        NOTICE(EXEC, "PrivateIPC", any, nothing, 0, NULL, "System V IPC of its own"),
        ROW(EXEC, "PrivateMounts", boolean, rare.private_mounts, 0, "no", "Mounts of its own"),
        NOTICE(EXEC, "PrivateNetwork", any, nothing, 0, NULL, "A network of its own, with only a loopback"),
        ROW(EXEC, "PrivateTmp", boolean, exec.private_tmp, 0, "no", "/tmp and /var/tmp of its own"),
        NOTICE(EXEC, "PrivateUsers", any, nothing, 0, NULL, "Users of its own"),
        NOTICE(EXEC, "ProcSubset", any, nothing, 0, NULL, "Hides all but processes in /proc"),
        ROW(EXEC, "ProtectClock", boolean, rare.protect_clock, 0, "no", "The clock cannot be changed"),
        ROW(EXEC, "ProtectControlGroups", boolean, rare.protect_control_groups, 0, "no", "Control groups cannot be changed"),
        ROW(EXEC, "ProtectHome", protect_home, rare.protect_home, 0, "no", "Home directories are hidden or read-only"),
        NOTICE(EXEC, "ProtectHostname", any, nothing, 0, NULL, "The host name cannot be changed"),
        ROW(EXEC, "ProtectKernelLogs", boolean, rare.protect_kernel_logs, 0, "no", "The kernel log cannot be read"),
        ROW(EXEC, "ProtectKernelModules", boolean, rare.protect_kernel_modules, 0, "no", "Kernel modules cannot be loaded"),
        ROW(EXEC, "ProtectKernelTunables", boolean, rare.protect_kernel_tunables, 0, "no", "Kernel variables cannot be changed"),
        NOTICE(EXEC, "ProtectProc", any, nothing, 0, NULL, "Hides processes of others in /proc"),
        ROW(EXEC, "ProtectSystem", protect_system, rare.protect_system, 0, "no", "The system directories are read-only"),
        ROW(EXEC, "ReadOnlyDirectories", sandbox_paths, rare.sandbox, SANDBOX_READ_ONLY, NULL, "Old name of ReadOnlyPaths="),
        ROW(EXEC, "ReadOnlyPaths", sandbox_paths, rare.sandbox, SANDBOX_READ_ONLY, NULL, "Paths that are read-only"),
        ROW(EXEC, "ReadWriteDirectories", sandbox_paths, rare.sandbox, SANDBOX_READ_WRITE, NULL, "Old name of ReadWritePaths="),
        ROW(EXEC, "ReadWritePaths", sandbox_paths, rare.sandbox, SANDBOX_READ_WRITE, NULL, "Paths that stay writable"),
        ROW(EXEC, "RemoveIPC", boolean, rare.remove_ipc, 0, "no", "What User= and Group= left in shared memory, semaphores and queues is removed at the end"),
        NOTICE(EXEC, "RestrictAddressFamilies", any, nothing, 0, NULL, "Kinds of sockets that may be made"),
        NOTICE(EXEC, "RestrictFileSystems", any, nothing, 0, NULL, "Kinds of file systems that may be used"),
        NOTICE(EXEC, "RestrictNamespaces", any, nothing, 0, NULL, "Kinds of namespaces that may be made"),
        NOTICE(EXEC, "RestrictRealtime", any, nothing, 0, NULL, "No real-time scheduling"),
        NOTICE(EXEC, "RestrictSUIDSGID", any, nothing, 0, NULL, "No files with set-user-id or set-group-id can be made"),
        ROW(EXEC, "RootDirectory", path, exec.root_directory, 0, NULL, "A directory that becomes the root of the file system"),
        REFUSED(EXEC, "RootHash", any, nothing, 0, NULL, "Root hash of RootImage="),
        REFUSED(EXEC, "RootHashSignature", any, nothing, 0, NULL, "Signature of RootHash="),
        REFUSED(EXEC, "RootImage", any, nothing, 0, NULL, "An image that becomes the root of the file system"),
        REFUSED(EXEC, "RootImageOptions", any, nothing, 0, NULL, "Mount options for RootImage="),
        REFUSED(EXEC, "RootVerity", any, nothing, 0, NULL, "Verity data of RootImage="),
        ROW(EXEC, "RuntimeDirectory", directory_names, directories[DIRECTORY_RUNTIME].names, 0, NULL, "Directories below /run that are made for the service"),
        ROW(EXEC, "RuntimeDirectoryMode", mode, directories[DIRECTORY_RUNTIME].mode, 0, "0755", "Their mode"),
        ROW(EXEC, "RuntimeDirectoryPreserve", preserve_mode, exec.runtime_preserve, 0, "no", "Whether RuntimeDirectory= stays after a stop"),
        NOTICE(EXEC, "SELinuxContext", any, nothing, 0, NULL, "SELinux context"),
        ROW(EXEC, "SecureBits", secure_bits, rare.secure_bits, FLAG(rare.secure_bits_set), NULL, "Secure bits of the processes"),
        ROW(EXEC, "SetCredential", set_credential, rare.credentials, 0, NULL, "Credentials written in the unit"),
        NOTICE(EXEC, "SetCredentialEncrypted", any, nothing, 0, NULL, "Encrypted credentials written in the unit"),
        ROW(EXEC, "SetLoginEnvironment", flagged_boolean, rare.login_environment, FLAG(rare.login_environment_set), "(with User=)", "HOME, LOGNAME, SHELL and USER are set"),
        NOTICE(EXEC, "SmackProcessLabel", any, nothing, 0, NULL, "SMACK label"),
        ROW(EXEC, "StandardError", output, exec.error, FLAG(exec.error_file), "inherit", "Where standard error goes"),
        ROW(EXEC, "StandardInput", input, exec.input, 0, "null", "Where standard input comes from"),
        ROW(EXEC, "StandardInputData", input_base64, exec.input_data, 0, NULL, "Bytes for standard input, in base64"),
        ROW(EXEC, "StandardInputText", input_text, exec.input_data, 0, NULL, "A line of text for standard input"),
        ROW(EXEC, "StandardOutput", output, exec.output, FLAG(exec.output_file), "journal", "Where standard output goes"),
        ROW(EXEC, "StateDirectory", directory_names, directories[DIRECTORY_STATE].names, 0, NULL, "Directories below /var/lib that are made for the service"),
        ROW(EXEC, "StateDirectoryMode", mode, directories[DIRECTORY_STATE].mode, 0, "0755", "Their mode"),
        ROW(EXEC, "SupplementaryGroups", accounts, exec.supplementary_groups, 0, NULL, "Further groups"),
        NOTICE(EXEC, "SyslogFacility", any, nothing, 0, NULL, "Syslog facility of log lines"),
        NOTICE(EXEC, "SyslogIdentifier", text, exec.syslog_identifier, 0, "(the command)", "The name that log lines carry"),
        NOTICE(EXEC, "SyslogLevel", any, nothing, 0, NULL, "Syslog level of log lines"),
        NOTICE(EXEC, "SyslogLevelPrefix", any, nothing, 0, NULL, "Lines may begin with a level"),
        NOTICE(EXEC, "SystemCallArchitectures", any, nothing, 0, NULL, "Architectures of system calls that are allowed"),
        NOTICE(EXEC, "SystemCallErrorNumber", any, nothing, 0, NULL, "What a forbidden system call returns"),
        NOTICE(EXEC, "SystemCallFilter", any, nothing, 0, NULL, "System calls that are allowed"),
        NOTICE(EXEC, "SystemCallLog", any, nothing, 0, NULL, "System calls that are logged"),
        NOTICE(EXEC, "TCPWrapName", any, nothing, 0, NULL, "Without effect since long"),
        ROW(EXEC, "TTYColumns", unsigned, rare.tty_columns, 0, "(as it is)", "Columns of the terminal"),
        ROW(EXEC, "TTYPath", path, exec.tty_path, 0, "(/dev/console)", "The terminal for tty input and output"),
        ROW(EXEC, "TTYReset", boolean, rare.tty_reset, 0, "no", "The terminal is reset before each command"),
        ROW(EXEC, "TTYRows", unsigned, rare.tty_rows, 0, "(as it is)", "Rows of the terminal"),
        ROW(EXEC, "TTYVHangup", boolean, rare.tty_hangup, 0, "no", "Whoever else has the terminal loses it before each command"),
        ROW(EXEC, "TTYVTDisallocate", boolean, rare.tty_disallocate, 0, "no", "The virtual terminal is given back, or cleared, before each command"),
        ROW(EXEC, "TemporaryFileSystem", temporary_paths, rare.sandbox, SANDBOX_TMPFS, NULL, "Empty file systems mounted for the service"),
        NOTICE(EXEC, "TimeoutCleanSec", any, nothing, 0, NULL, "How long a clean may take"),
        ROW(EXEC, "TimerSlackNSec", nanoseconds, rare.timer_slack_ns, FLAG(rare.timer_slack_set), "(inherited)", "How late timers may be, in nanoseconds"),
        ROW(EXEC, "UMask", mode, exec.umask, 0, "0022", "File mode creation mask"),
        ROW(EXEC, "UnsetEnvironment", unset_list, exec.unset_environment, 0, NULL, "Variables that are removed in the end"),
        ROW(EXEC, "User", account, exec.user, 0, NULL, "The user the processes run as"),
        NOTICE(EXEC, "UtmpIdentifier", text, exec.utmp_identifier, 0, NULL, "The id of utmp records"),
        NOTICE(EXEC, "UtmpMode", any, nothing, 0, NULL, "Kind of utmp records"),
        ROW(EXEC, "WorkingDirectory", working_directory, exec.working_directory, 0, "(/)", "Where the processes start; ~ is the home of User="),
        /* kill */
        ROW(KILL, "FinalKillSignal", signal, kill.final_signal, 0, "SIGKILL", "What ends those that did not"),
        ROW(KILL, "KillMode", kill_mode, kill.mode, 0, "control-group", "Which processes are ended at a stop"),
        ROW(KILL, "KillSignal", signal, kill.signal, 0, "SIGTERM", "What they are ended with"),
        ROW(KILL, "RestartKillSignal", signal, kill.restart_signal, 0, "(KillSignal=)", "The same for the stop of a restart"),
        ROW(KILL, "SendSIGHUP", boolean, kill.send_sighup, 0, "no", "Also sends SIGHUP, for shells"),
        ROW(KILL, "SendSIGKILL", boolean, kill.send_sigkill, 0, "yes", "Sends FinalKillSignal= after TimeoutStopSec="),
        ROW(KILL, "WatchdogSignal", signal, kill.watchdog_signal, 0, "SIGABRT", "What ends a service that missed its watchdog ping"),
        /* cgroup */
        ROW(CGROUP, "AllowedCPUs", cpu_affinity, group.cpus, 0, "(all)", "The CPUs that its processes may run on"),
        ROW(CGROUP, "AllowedMemoryNodes", cpu_affinity, group.memory_nodes, 0, "(all)", "The memory nodes that its processes may use"),
        NOTICE(CGROUP, "BPFProgram", any, nothing, 0, NULL, "Network access of the control group"),
        ROW(CGROUP, "BlockIOAccounting", boolean, group.block_io_accounting, 0, "no", "IOAccounting= of old"),
        NOTICE(CGROUP, "BlockIODeviceWeight", any, nothing, 0, NULL, "I/O of the control group"),
        NOTICE(CGROUP, "BlockIOReadBandwidth", any, nothing, 0, NULL, "I/O of the control group"),
        ROW(CGROUP, "BlockIOWeight", weight, group.resources[RESOURCE_BLOCK_IO_WEIGHT], RANGE_BLOCK_IO, "(500)", "IOWeight= of old, 10 to 1000"),
        NOTICE(CGROUP, "BlockIOWriteBandwidth", any, nothing, 0, NULL, "I/O of the control group"),
        ROW(CGROUP, "CPUAccounting", boolean, group.cpu_accounting, 0, "no", "CPU time is counted (the kernel does so anyway)"),
        ROW(CGROUP, "CPUQuota", quota, group.resources[RESOURCE_CPU_QUOTA], 0, "(none)", "Most CPU time; 100% is one CPU"),
        ROW(CGROUP, "CPUQuotaPeriodSec", quota_period, group.resources[RESOURCE_CPU_PERIOD], 0, "(100ms)", "The period of CPUQuota="),
        ROW(CGROUP, "CPUShares", weight, group.resources[RESOURCE_CPU_SHARES], RANGE_SHARES, "(1024)", "CPUWeight= of old, 2 to 262144"),
        ROW(CGROUP, "CPUWeight", cpu_weight, group.resources[RESOURCE_CPU_WEIGHT], 0, "(100)", "Share of the CPU, 1 to 10000, or idle"),
        NOTICE(CGROUP, "DefaultMemoryLow", any, nothing, 0, NULL, "Memory of the control group"),
        NOTICE(CGROUP, "DefaultMemoryMin", any, nothing, 0, NULL, "Memory of the control group"),
        ROW(CGROUP, "Delegate", delegate, group.delegate, 0, "no", "The service manages cgroups below its own"),
        NOTICE(CGROUP, "DeviceAllow", any, nothing, 0, NULL, "Devices that may be used"),
        NOTICE(CGROUP, "DevicePolicy", any, nothing, 0, NULL, "Which devices may be used"),
        NOTICE(CGROUP, "DisableControllers", any, nothing, 0, NULL, "Controllers that are off below"),
        ROW(CGROUP, "IOAccounting", boolean, group.io_accounting, 0, "no", "I/O is counted"),
        NOTICE(CGROUP, "IODeviceLatencyTargetSec", any, nothing, 0, NULL, "I/O of the control group"),
        NOTICE(CGROUP, "IODeviceWeight", any, nothing, 0, NULL, "I/O of the control group"),
        NOTICE(CGROUP, "IOReadBandwidthMax", any, nothing, 0, NULL, "I/O of the control group"),
        NOTICE(CGROUP, "IOReadIOPSMax", any, nothing, 0, NULL, "I/O of the control group"),
        ROW(CGROUP, "IOWeight", weight, group.resources[RESOURCE_IO_WEIGHT], RANGE_WEIGHT, "(100)", "Share of I/O, 1 to 10000"),
        NOTICE(CGROUP, "IOWriteBandwidthMax", any, nothing, 0, NULL, "I/O of the control group"),
        NOTICE(CGROUP, "IOWriteIOPSMax", any, nothing, 0, NULL, "I/O of the control group"),
        NOTICE(CGROUP, "IPAccounting", any, nothing, 0, NULL, "Accounting by control group"),
        NOTICE(CGROUP, "IPAddressAllow", any, nothing, 0, NULL, "Network access of the control group"),
        NOTICE(CGROUP, "IPAddressDeny", any, nothing, 0, NULL, "Network access of the control group"),
        NOTICE(CGROUP, "IPEgressFilterPath", any, nothing, 0, NULL, "Network access of the control group"),
        NOTICE(CGROUP, "IPIngressFilterPath", any, nothing, 0, NULL, "Network access of the control group"),
        NOTICE(CGROUP, "ManagedOOMMemoryPressure", any, nothing, 0, NULL, "Ending processes before memory runs out"),
        NOTICE(CGROUP, "ManagedOOMMemoryPressureLimit", any, nothing, 0, NULL, "Ending processes before memory runs out"),
        NOTICE(CGROUP, "ManagedOOMPreference", any, nothing, 0, NULL, "Ending processes before memory runs out"),
        NOTICE(CGROUP, "ManagedOOMSwap", any, nothing, 0, NULL, "Ending processes before memory runs out"),
        ROW(CGROUP, "MemoryAccounting", boolean, group.memory_accounting, 0, "no", "Memory is counted, and what the kernel kills for it is seen"),
        ROW(CGROUP, "MemoryHigh", resource, group.resources[RESOURCE_MEMORY_HIGH], 0, "(infinity)", "Memory above which it is slowed down and reclaimed from"),
        ROW(CGROUP, "MemoryLimit", resource, group.resources[RESOURCE_MEMORY_LIMIT], 0, "(infinity)", "MemoryMax= of old"),
        ROW(CGROUP, "MemoryLow", resource, group.resources[RESOURCE_MEMORY_LOW], RANGE_ZERO, "(0)", "Memory that is reclaimed last"),
        ROW(CGROUP, "MemoryMax", resource, group.resources[RESOURCE_MEMORY_MAX], 0, "(infinity)", "Most memory"),
        ROW(CGROUP, "MemoryMin", resource, group.resources[RESOURCE_MEMORY_MIN], RANGE_ZERO, "(0)", "Memory that is never reclaimed"),
        ROW(CGROUP, "MemorySwapMax", resource, group.resources[RESOURCE_MEMORY_SWAP_MAX], RANGE_ZERO, "(infinity)", "Most swap"),
        ROW(CGROUP, "MemoryZSwapMax", resource, group.resources[RESOURCE_MEMORY_ZSWAP_MAX], RANGE_ZERO, "(infinity)", "Most of the compressed swap"),
        NOTICE(CGROUP, "RestrictNetworkInterfaces", any, nothing, 0, NULL, "Network access of the control group"),
        ROW(CGROUP, "Slice", slice, group.slice, 0, "(system.slice)", "The slice its cgroup lies in"),
        NOTICE(CGROUP, "SocketBindAllow", any, nothing, 0, NULL, "Network access of the control group"),
        NOTICE(CGROUP, "SocketBindDeny", any, nothing, 0, NULL, "Network access of the control group"),
        NOTICE(CGROUP, "StartupAllowedCPUs", any, nothing, 0, NULL, "CPUs of the control group"),
        NOTICE(CGROUP, "StartupAllowedMemoryNodes", any, nothing, 0, NULL, "Memory nodes of the control group"),
        NOTICE(CGROUP, "StartupBlockIOWeight", any, nothing, 0, NULL, "I/O of the control group"),
        NOTICE(CGROUP, "StartupCPUShares", any, nothing, 0, NULL, "Share of the CPU"),
        NOTICE(CGROUP, "StartupCPUWeight", any, nothing, 0, NULL, "Share of the CPU"),
        NOTICE(CGROUP, "StartupIOWeight", any, nothing, 0, NULL, "I/O of the control group"),
        ROW(CGROUP, "TasksAccounting", boolean, group.tasks_accounting, 0, "no", "Tasks are counted"),
        ROW(CGROUP, "TasksMax", tasks, group.resources[RESOURCE_TASKS_MAX], 0, "(infinity)", "Most processes and threads"),
        /* socket */
        ROW(SOCKET, "Accept", accept, socket_accept, 0, "no", "A service instance for each connection"),
        NOTICE(SOCKET, "Backlog", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "BindIPv6Only", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "BindToDevice", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "Broadcast", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "DeferAcceptSec", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "DirectoryMode", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "ExecStartPost", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "ExecStartPre", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "ExecStopPost", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "ExecStopPre", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "FileDescriptorName", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "FlushPending", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "FreeBind", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "IPTOS", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "IPTTL", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "KeepAlive", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "KeepAliveIntervalSec", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "KeepAliveProbes", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "KeepAliveTimeSec", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "ListenDatagram", any, nothing, 0, NULL, "What to listen on"),
        NOTICE(SOCKET, "ListenFIFO", any, nothing, 0, NULL, "What to listen on"),
        NOTICE(SOCKET, "ListenMessageQueue", any, nothing, 0, NULL, "What to listen on"),
        NOTICE(SOCKET, "ListenNetlink", any, nothing, 0, NULL, "What to listen on"),
        NOTICE(SOCKET, "ListenSequentialPacket", any, nothing, 0, NULL, "What to listen on"),
        NOTICE(SOCKET, "ListenSpecial", any, nothing, 0, NULL, "What to listen on"),
        NOTICE(SOCKET, "ListenStream", any, nothing, 0, NULL, "What to listen on"),
        NOTICE(SOCKET, "ListenUSBFunction", any, nothing, 0, NULL, "What to listen on"),
        NOTICE(SOCKET, "Mark", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "MaxConnections", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "MaxConnectionsPerSource", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "MessageQueueMaxMessages", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "MessageQueueMessageSize", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "NoDelay", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "PassCredentials", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "PassPacketInfo", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "PassSecurity", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "PipeSize", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "Priority", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "ReceiveBuffer", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "RemoveOnStop", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "ReusePort", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "SELinuxContextFromNet", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "SendBuffer", any, nothing, 0, NULL, "How the sockets are made and used"),
        ROW(SOCKET, "Service", trigger, unit.trigger, 0, "(the same name)", "The service that the first traffic starts"),
        NOTICE(SOCKET, "SmackLabel", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "SmackLabelIPIn", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "SmackLabelIPOut", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "SocketGroup", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "SocketMode", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "SocketProtocol", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "SocketUser", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "Symlinks", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "TCPCongestion", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "TimeoutSec", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "Timestamping", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "Transparent", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "TriggerLimitBurst", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "TriggerLimitIntervalSec", any, nothing, 0, NULL, "How the sockets are made and used"),
        NOTICE(SOCKET, "Writable", any, nothing, 0, NULL, "How the sockets are made and used"),
        /* timer */
        NOTICE(TIMER, "AccuracySec", any, nothing, 0, NULL, "How exactly the timer elapses"),
        NOTICE(TIMER, "FixedRandomDelay", any, nothing, 0, NULL, "How exactly the timer elapses"),
        NOTICE(TIMER, "OnActiveSec", any, nothing, 0, NULL, "When the timer elapses"),
        NOTICE(TIMER, "OnBootSec", any, nothing, 0, NULL, "When the timer elapses"),
        NOTICE(TIMER, "OnCalendar", any, nothing, 0, NULL, "When the timer elapses, by the calendar"),
        NOTICE(TIMER, "OnClockChange", any, nothing, 0, NULL, "How exactly the timer elapses"),
        NOTICE(TIMER, "OnStartupSec", any, nothing, 0, NULL, "When the timer elapses"),
        NOTICE(TIMER, "OnTimezoneChange", any, nothing, 0, NULL, "How exactly the timer elapses"),
        NOTICE(TIMER, "OnUnitActiveSec", any, nothing, 0, NULL, "When the timer elapses"),
        NOTICE(TIMER, "OnUnitInactiveSec", any, nothing, 0, NULL, "When the timer elapses"),
        NOTICE(TIMER, "Persistent", any, nothing, 0, NULL, "How exactly the timer elapses"),
        NOTICE(TIMER, "RandomizedDelaySec", any, nothing, 0, NULL, "How exactly the timer elapses"),
        NOTICE(TIMER, "RemainAfterElapse", any, nothing, 0, NULL, "How exactly the timer elapses"),
        ROW(TIMER, "Unit", trigger, unit.trigger, 0, "(the same name)", "The unit that the timer starts"),
        NOTICE(TIMER, "WakeSystem", any, nothing, 0, NULL, "How exactly the timer elapses"),
        /* path */
        NOTICE(PATH, "DirectoryMode", any, nothing, 0, NULL, "How it is watched"),
        NOTICE(PATH, "DirectoryNotEmpty", any, nothing, 0, NULL, "What is watched"),
        NOTICE(PATH, "MakeDirectory", any, nothing, 0, NULL, "How it is watched"),
        NOTICE(PATH, "PathChanged", any, nothing, 0, NULL, "What is watched"),
        NOTICE(PATH, "PathExists", any, nothing, 0, NULL, "What is watched"),
        NOTICE(PATH, "PathExistsGlob", any, nothing, 0, NULL, "What is watched"),
        NOTICE(PATH, "PathModified", any, nothing, 0, NULL, "What is watched"),
        NOTICE(PATH, "TriggerLimitBurst", any, nothing, 0, NULL, "How it is watched"),
        NOTICE(PATH, "TriggerLimitIntervalSec", any, nothing, 0, NULL, "How it is watched"),
        ROW(PATH, "Unit", trigger, unit.trigger, 0, "(the same name)", "The unit that a change starts"),
        /* mount */
        NOTICE(MOUNT, "DirectoryMode", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(MOUNT, "ForceUnmount", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(MOUNT, "LazyUnmount", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(MOUNT, "Options", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(MOUNT, "ReadWriteOnly", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(MOUNT, "SloppyOptions", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(MOUNT, "TimeoutSec", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(MOUNT, "Type", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(MOUNT, "What", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(MOUNT, "Where", any, nothing, 0, NULL, "What is mounted and how"),
        /* automount */
        NOTICE(AUTOMOUNT, "DirectoryMode", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(AUTOMOUNT, "ExtraOptions", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(AUTOMOUNT, "TimeoutIdleSec", any, nothing, 0, NULL, "What is mounted and how"),
        NOTICE(AUTOMOUNT, "Where", any, nothing, 0, NULL, "What is mounted and how"),
        /* swap */
        NOTICE(SWAP, "Options", any, nothing, 0, NULL, "What is swapped to and how"),
        NOTICE(SWAP, "Priority", any, nothing, 0, NULL, "What is swapped to and how"),
        NOTICE(SWAP, "TimeoutSec", any, nothing, 0, NULL, "What is swapped to and how"),
        NOTICE(SWAP, "What", any, nothing, 0, NULL, "What is swapped to and how"),
        /* scope */
        NOTICE(SCOPE, "OOMPolicy", any, nothing, 0, NULL, "Limits of the scope"),
        NOTICE(SCOPE, "RuntimeMaxSec", any, nothing, 0, NULL, "Limits of the scope"),
        NOTICE(SCOPE, "RuntimeRandomizedExtraSec", any, nothing, 0, NULL, "Limits of the scope"),
        NOTICE(SCOPE, "TimeoutStopSec", any, nothing, 0, NULL, "Limits of the scope"),
};
/* clang-format on */

const unsigned n_directives = ARRAY_SIZE(directives);

_Static_assert(ARRAY_SIZE(directives) <= sizeof(((struct draft *)0)->noticed) * 8, "a bit for each row");
_Static_assert(sizeof(struct draft) <= UINT16_MAX, "offsets fit");

#define GROUP(s) (1u << SECTION_##s)
#define PROCESS  (GROUP(EXEC) | GROUP(KILL) | GROUP(CGROUP))
#define TYPE(t)  (1u << UNIT_##t)

/* Sections as they stand in files; types 0 = those of UNIT_OTHER with this suffix. */
static const struct {
        const char *name;
        unsigned groups, types;
        const char *suffix;
} sections[] = {
        {"Unit", GROUP(UNIT), ~0u, NULL},
        {"Install", GROUP(INSTALL), ~0u, NULL},
        {"Service", GROUP(SERVICE) | PROCESS, TYPE(SERVICE), NULL},
        {"Socket", GROUP(SOCKET) | PROCESS, TYPE(SOCKET), NULL},
        {"Timer", GROUP(TIMER), TYPE(TIMER), NULL},
        {"Path", GROUP(PATH), TYPE(PATH), NULL},
        {"Mount", GROUP(MOUNT) | PROCESS, TYPE(MOUNT), NULL},
        {"Slice", GROUP(CGROUP), TYPE(SLICE), NULL},
        {"Automount", GROUP(AUTOMOUNT), 0, ".automount"},
        {"Swap", GROUP(SWAP) | PROCESS, 0, ".swap"},
        {"Scope", GROUP(SCOPE) | GROUP(KILL) | GROUP(CGROUP), 0, ".scope"},
};

static int section_index(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
                if (streq(sections[i].name, name))
                        return (int)i;
        return -1;
}

unsigned section_groups(const char *name)
{
        int i = section_index(name);

        return i < 0 ? 0 : sections[i].groups;
}

bool section_fits(const char *name, enum unit_type t, const char *unit_name)
{
        int i = section_index(name);

        if (i < 0)
                return false;
        return sections[i].suffix ? ends_with(unit_name, sections[i].suffix) : (sections[i].types & (1u << t)) != 0;
}

const char *section_name(unsigned i)
{
        return i < ARRAY_SIZE(sections) ? sections[i].name : NULL;
}

const char *directive_section_name(enum directive_section section)
{
        for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
                if (sections[i].groups & (1u << section))
                        return sections[i].name;
        return "?";
}

const char *directive_support_name(enum directive_support s)
{
        static const char *const words[N_DIRECTIVE_SUPPORTS] = {"honoured", "notice", "refused"};

        return (unsigned)s < N_DIRECTIVE_SUPPORTS ? words[s] : "?";
}

/* Row A against (SECTION, KEY), as they are sorted. */
static int compare_row(const struct directive *a, enum directive_section section, const char *key)
{
        return a->section != section ? (a->section > section) - (a->section < section) : strcmp(a->key, key);
}

const struct directive *directive_find(enum directive_section section, const char *key)
{
        unsigned low = 0, high = n_directives;

        while (low < high) {
                unsigned middle = (low + high) / 2;
                int r = compare_row(&directives[middle], section, key);

                if (r == 0)
                        return &directives[middle];
                if (r < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

/* Letters to be inserted, removed or replaced to make A of B, case aside; LIMIT and above are all alike. */
static unsigned edit_distance(const char *a, const char *b, unsigned limit)
{
        enum { KEY_MAX = 48 };
        unsigned row[KEY_MAX + 1];
        size_t na = strlen(a), nb = strlen(b);

        if (na > KEY_MAX || nb > KEY_MAX || na + limit <= nb || nb + limit <= na)
                return limit;
        for (unsigned j = 0; j <= nb; j++)
                row[j] = j;
        for (unsigned i = 1; i <= na; i++) {
                unsigned diagonal = row[0];

                row[0] = i;
                for (unsigned j = 1; j <= nb; j++) {
                        unsigned same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]) ? 0 : 1;
                        unsigned best = MIN2(MIN2(row[j], row[j - 1]) + 1, diagonal + same);

                        diagonal = row[j];
                        row[j] = best;
                }
        }
        return MIN2(row[nb], limit);
}

const char *directive_nearest(unsigned groups, const char *key)
{
        unsigned best = MIN2(4u, 2 + (unsigned)strlen(key) / 6);
        const char *found = NULL;

        for (unsigned i = 0; i < n_directives; i++) {
                unsigned distance;

                if (!(groups & (1u << directives[i].section)))
                        continue;
                distance = edit_distance(key, directives[i].key, best);
                if (distance < best) {
                        best = distance;
                        found = directives[i].key;
                }
        }
        return found;
}
