/* SPDX-License-Identifier: MIT
 *
 * A unit as its files describe it: plain data, immutable once loaded, everything in one arena.
 *
 * Layout: a unit, its service part and all its strings lie in one allocation of the exact size. What most units leave
 * alone is shared between them: `service` is a pointer (NULL unless type == UNIT_SERVICE; never NULL then, also when
 * the unit could not be loaded), and dependencies, exec, kill, limits, directories and exit status sets are pointers
 * that are never NULL: they point at constant defaults until a file says otherwise.
 *
 * Not here: what a unit is doing right now (programs/supd-manager), and any decision.
 * Invariant: every pointer points into `arena` or at a constant; lists are counted, and their strings never NULL.
 */
#ifndef SUPD_UNIT_UNIT_H
#define SUPD_UNIT_UNIT_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/diag.h"

enum unit_type {
        UNIT_SERVICE,
        UNIT_TARGET,
        UNIT_SOCKET,
        UNIT_TIMER,
        UNIT_PATH,
        UNIT_MOUNT,
        UNIT_SLICE,
        UNIT_OTHER, /* device, swap, scope, automount: known by name only */
        N_UNIT_TYPES,
};

enum unit_load_state {
        LOAD_LOADED,
        LOAD_NOT_FOUND,
        LOAD_BAD_SETTING,
        LOAD_ERROR,
        LOAD_MASKED,
        N_LOAD_STATES,
};

/* The user's words; graph/ maps them to atoms. */
enum unit_dependency {
        DEP_REQUIRES,
        DEP_REQUISITE,
        DEP_WANTS,
        DEP_BINDS_TO,
        DEP_PART_OF,
        DEP_UPHOLDS,
        DEP_CONFLICTS,
        DEP_BEFORE,
        DEP_AFTER,
        DEP_ON_FAILURE,
        DEP_ON_SUCCESS,
        DEP_PROPAGATES_RELOAD_TO,
        DEP_RELOAD_PROPAGATED_FROM,
        DEP_PROPAGATES_STOP_TO,
        DEP_STOP_PROPAGATED_FROM,
        DEP_JOINS_NAMESPACE_OF,
        DEP_REQUIRES_MOUNTS_FOR, /* paths, not unit names */
        N_UNIT_DEPENDENCIES,
};

enum service_type {
        SERVICE_SIMPLE,
        SERVICE_EXEC,
        SERVICE_FORKING,
        SERVICE_ONESHOT,
        SERVICE_DBUS,
        SERVICE_NOTIFY,
        SERVICE_NOTIFY_RELOAD,
        SERVICE_IDLE,
        N_SERVICE_TYPES,
};

enum service_restart {
        RESTART_NO,
        RESTART_ON_SUCCESS,
        RESTART_ON_FAILURE,
        RESTART_ON_ABNORMAL,
        RESTART_ON_WATCHDOG,
        RESTART_ON_ABORT,
        RESTART_ALWAYS,
        N_SERVICE_RESTARTS,
};

enum kill_mode {
        KILL_CONTROL_GROUP,
        KILL_PROCESS,
        KILL_MIXED,
        KILL_NONE,
        N_KILL_MODES,
};

enum notify_access {
        NOTIFY_NONE,
        NOTIFY_MAIN,
        NOTIFY_EXEC,
        NOTIFY_ALL,
        N_NOTIFY_ACCESSES,
};

enum exec_kind {
        EXEC_CONDITION,
        EXEC_START_PRE,
        EXEC_START,
        EXEC_START_POST,
        EXEC_RELOAD,
        EXEC_STOP,
        EXEC_STOP_POST,
        N_EXEC_KINDS,
};

enum exec_directory {
        DIRECTORY_RUNTIME,
        DIRECTORY_STATE,
        DIRECTORY_CACHE,
        DIRECTORY_LOGS,
        DIRECTORY_CONFIGURATION,
        N_EXEC_DIRECTORIES,
};

enum exec_input {
        INPUT_NULL,
        INPUT_TTY,
        INPUT_TTY_FORCE,
        INPUT_TTY_FAIL,
        INPUT_SOCKET,
        INPUT_FD,
        INPUT_DATA,
        INPUT_FILE,
        N_EXEC_INPUTS,
};

enum exec_output {
        OUTPUT_INHERIT,
        OUTPUT_NULL,
        OUTPUT_TTY,
        OUTPUT_JOURNAL, /* journal, kmsg, syslog and their +console forms: the unit's log file here */
        OUTPUT_SOCKET,
        OUTPUT_FD,
        OUTPUT_FILE,
        OUTPUT_APPEND,
        OUTPUT_TRUNCATE,
        N_EXEC_OUTPUTS,
};

enum preserve_mode {
        PRESERVE_NO,
        PRESERVE_YES,
        PRESERVE_RESTART,
        N_PRESERVE_MODES,
};

enum oom_policy {
        OOM_CONTINUE,
        OOM_STOP, /* the default, but with Delegate= */
        OOM_KILL,
        N_OOM_POLICIES,
};

/* what to do to the whole when a unit ends: StartLimitAction=, FailureAction=, SuccessAction= */
enum emergency_action {
        ACTION_NONE,
        ACTION_REBOOT,
        ACTION_REBOOT_FORCE,
        ACTION_REBOOT_IMMEDIATE,
        ACTION_POWEROFF,
        ACTION_POWEROFF_FORCE,
        ACTION_POWEROFF_IMMEDIATE,
        ACTION_EXIT,
        ACTION_EXIT_FORCE,
        N_EMERGENCY_ACTIONS,
};

/* TimeoutStartFailureMode=, TimeoutStopFailureMode= */
enum timeout_failure_mode {
        TIMEOUT_TERMINATE,
        TIMEOUT_ABORT,
        TIMEOUT_KILL,
        N_TIMEOUT_FAILURE_MODES,
};

enum condition_kind {
        COND_PATH_EXISTS,
        COND_PATH_EXISTS_GLOB,
        COND_PATH_IS_DIRECTORY,
        COND_PATH_IS_SYMBOLIC_LINK,
        COND_PATH_IS_MOUNT_POINT,
        COND_PATH_IS_READ_WRITE,
        COND_DIRECTORY_NOT_EMPTY,
        COND_FILE_NOT_EMPTY,
        COND_FILE_IS_EXECUTABLE,
        COND_USER,
        COND_GROUP,
        COND_HOST,
        COND_VIRTUALIZATION,
        COND_CAPABILITY,
        COND_AC_POWER,
        COND_ARCHITECTURE,
        COND_KERNEL_COMMAND_LINE,
        COND_KERNEL_VERSION,
        COND_ENVIRONMENT,
        COND_FIRST_BOOT,
        COND_NEEDS_UPDATE,
        COND_SECURITY,
        COND_CPUS,
        COND_MEMORY,
        COND_OS_RELEASE,
        COND_FIRMWARE,
        COND_CPU_FEATURE,
        COND_CREDENTIAL,
        COND_CONTROL_GROUP_CONTROLLER,
        COND_CPU_PRESSURE,
        COND_MEMORY_PRESSURE,
        COND_IO_PRESSURE,
        COND_PATH_IS_ENCRYPTED,
        N_CONDITION_KINDS,
};

#define N_CAPABILITIES 41 /* CAP_CHOWN … CAP_CHECKPOINT_RESTORE are 0 … 40 */

/* exec_command.flags */
#define EXEC_IGNORE_FAILURE (1u << 0) /* - */
#define EXEC_ARGV0          (1u << 1) /* @: argv[0] is the second word */
#define EXEC_NO_EXPAND      (1u << 2) /* : */
#define EXEC_FULL_PRIVILEGE (1u << 3) /* + */
#define EXEC_NO_SETUID      (1u << 4) /* ! */
#define EXEC_AMBIENT        (1u << 5) /* !! */

struct strings { /* a counted list */
        char **v;
        unsigned n;
};

/* One command. Specifiers are already expanded; $VARIABLES are not (they are at each start). */
struct exec_command {
        char *path;           /* absolute, or a bare name to be searched for */
        struct strings words; /* argv, argv[0] included; whole words still carry $VAR and ${VAR} */
        unsigned flags;
        unsigned line;    /* where it stands, for messages */
        const char *file; /* likewise */
};

struct exec_commands {
        struct exec_command *v;
        unsigned n;
};

struct condition {
        enum condition_kind kind;
        bool assert;          /* Assert*= rather than Condition*= */
        bool trigger, negate; /* | and ! */
        char *parameter;
        char *name; /* the key as written, for messages */
};

struct conditions {
        struct condition *v;
        unsigned n;
};

struct exit_status_set { /* codes and signals, a bit each */
        uint32_t codes[8];
        uint64_t signals; /* bit N-1: signal N */
};

struct environment_file {
        char *path;
        bool optional; /* - */
};

struct environment_files {
        struct environment_file *v;
        unsigned n;
};

#define N_EXEC_LIMITS 16 /* RLIMIT_CPU … RLIMIT_RTTIME are 0 … 15 */

struct limit_value {
        bool set;
        uint64_t soft, hard; /* UINT64_MAX = infinity */
};

struct path_setting { /* a path with its '-' and '+' and an optional second path (BindPaths) */
        char *path, *target;
        bool optional;
};

struct exec_directory_setting {
        struct strings names; /* relative paths below the base */
        mode_t mode;          /* default 0755 */
};

enum keyring_mode {
        KEYRING_INHERIT,
        KEYRING_PRIVATE,
        KEYRING_SHARED,
        N_KEYRING_MODES,
};

enum numa_policy { /* MPOL_*, plus one */
                   NUMA_UNSET,
                   NUMA_DEFAULT,
                   NUMA_PREFERRED,
                   NUMA_BIND,
                   NUMA_INTERLEAVE,
                   NUMA_LOCAL,
                   N_NUMA_POLICIES,
};

struct credential { /* LoadCredential=, SetCredential= */
        char *id;
        char *path; /* LoadCredential=: a file, a socket or a directory; no '/' in front: a credential of supd's own, or
                     * of the stores in /etc, /run and /usr/lib; NULL = SetCredential= */
        char *data; /* SetCredential=: the bytes */
        size_t size;
};

struct credentials {
        struct credential *v;
        unsigned n;
};

struct open_file {         /* OpenFile= */
        char *path, *name; /* name: as it stands in LISTEN_FDNAMES */
        bool read_only, append, truncate, graceful;
};

struct open_files {
        struct open_file *v;
        unsigned n;
};

enum sandbox_kind { /* those that change what a service finds come first */
                    SANDBOX_BIND,
                    SANDBOX_BIND_READ_ONLY,
                    SANDBOX_TMPFS,
                    SANDBOX_READ_ONLY,
                    SANDBOX_READ_WRITE,
                    SANDBOX_INACCESSIBLE,
                    SANDBOX_EXEC,
                    SANDBOX_NO_EXEC,
                    N_SANDBOX_KINDS,
};

struct sandbox_path {
        uint8_t kind; /* enum sandbox_kind */
        bool optional, recursive;
        char *path;
        char *source; /* bind: what is mounted there; tmpfs: options; else NULL */
};

struct sandbox_paths {
        struct sandbox_path *v;
        unsigned n;
};

enum protect_system {
        PROTECT_SYSTEM_NO,
        PROTECT_SYSTEM_YES,
        PROTECT_SYSTEM_FULL,
        PROTECT_SYSTEM_STRICT,
        N_PROTECT_SYSTEMS,
};

enum protect_home {
        PROTECT_HOME_NO,
        PROTECT_HOME_YES,
        PROTECT_HOME_READ_ONLY,
        PROTECT_HOME_TMPFS,
        N_PROTECT_HOMES,
};

/* What few units ask for. */
struct exec_rare {
        bool cpu_reset_on_fork;
        bool core_filter_set, secure_bits_set, timer_slack_set, login_environment_set;
        bool login_environment; /* SetLoginEnvironment=; counts only when given */
        bool tty_reset, tty_hangup, tty_disallocate, remove_ipc;
        uint64_t core_filter;           /* bits of /proc/PID/coredump_filter */
        uint64_t timer_slack_ns;        /* counts only when given, as the one before */
        int secure_bits;                /* SECBIT_*; likewise */
        unsigned tty_rows, tty_columns; /* 0 = as they are */
        enum keyring_mode keyring;      /* default inherit */
        enum numa_policy numa_policy;
        char *numa_mask; /* as written; NULL = not set */
        struct credentials credentials;
        struct open_files open_files;
        struct sandbox_paths sandbox;
        enum protect_system protect_system;
        enum protect_home protect_home;
        bool private_devices, private_mounts;
        bool protect_kernel_tunables, protect_kernel_modules, protect_kernel_logs, protect_control_groups,
                protect_clock;
        bool mount_apivfs_off; /* MountAPIVFS=no */
};

struct exec_config {
        char *user, *group; /* NULL = not set */
        struct strings supplementary_groups;
        bool dynamic_user;       /* false in a loaded unit: DynamicUser= becomes User=, of a user that has to exist */
        char *working_directory; /* NULL = default; "~" = home */
        bool working_directory_optional;
        char *root_directory;
        mode_t umask;               /* default 0022 */
        struct strings environment; /* NAME=value, specifiers expanded, later wins already applied */
        struct environment_files environment_files;
        struct strings pass_environment, unset_environment;
        struct strings exec_search_path;
        const struct limit_value *limits; /* [N_EXEC_LIMITS], indexed by RLIMIT_*; never NULL */
        bool nice_set, oom_score_set, io_set, cpu_policy_set, ignore_sigpipe, no_new_privileges;
        int nice, oom_score_adjust, io_class, io_priority, cpu_policy, cpu_priority;
        char *cpu_affinity; /* as written; NULL = not set */
        enum exec_input input;
        enum exec_output output, error;
        char *input_file, *output_file, *error_file; /* for FILE, APPEND, TRUNCATE and FD (the name) */
        char *tty_path;
        char *input_data; /* decoded, for INPUT_DATA */
        size_t input_data_size;
        const struct exec_directory_setting *directories; /* [N_EXEC_DIRECTORIES]; never NULL */
        enum preserve_mode runtime_preserve;
        char *syslog_identifier;
        bool non_blocking;
        char *utmp_identifier;
        char *pam_name;
        char *personality;
        bool capability_bounding_set;       /* CapabilityBoundingSet= was given */
        uint64_t bounding_set, ambient_set; /* bits CAP_*; bounding_set counts only when given */
        bool private_tmp;
        const struct exec_rare *rare; /* never NULL */
};

struct kill_config {
        enum kill_mode mode;
        int signal;                          /* default SIGTERM */
        int final_signal;                    /* default SIGKILL */
        int restart_signal, watchdog_signal; /* 0 = signal; default SIGABRT */
        bool send_sighup, send_sigkill;      /* default no, yes */
};

/* Controllers of cgroup v2, as bits. */
#define GROUP_CPU    (1u << 0)
#define GROUP_CPUSET (1u << 1)
#define GROUP_IO     (1u << 2)
#define GROUP_MEMORY (1u << 3)
#define GROUP_PIDS   (1u << 4)
#define GROUP_ALL    ((1u << 5) - 1)

/* Limits and shares of a unit's cgroup. */
enum resource {
        RESOURCE_MEMORY_MIN,
        RESOURCE_MEMORY_LOW,
        RESOURCE_MEMORY_HIGH,
        RESOURCE_MEMORY_MAX,
        RESOURCE_MEMORY_SWAP_MAX,
        RESOURCE_MEMORY_ZSWAP_MAX,
        RESOURCE_TASKS_MAX,
        RESOURCE_CPU_WEIGHT,
        RESOURCE_CPU_QUOTA,  /* always a share: 10000 is one CPU */
        RESOURCE_CPU_PERIOD, /* us */
        RESOURCE_IO_WEIGHT,
        /* the words of cgroup v1; they count when their successors are not set */
        RESOURCE_MEMORY_LIMIT,
        RESOURCE_CPU_SHARES,
        RESOURCE_BLOCK_IO_WEIGHT,
        N_RESOURCES,
};
enum resource_kind {
        RESOURCE_UNSET,
        RESOURCE_NUMBER,
        RESOURCE_SHARE, /* of what the machine has, in 1/10000 */
        RESOURCE_INFINITY,
        RESOURCE_IDLE, /* CPUWeight=idle */
};
struct resource_value {
        uint64_t value;
        enum resource_kind kind;
};
struct group_config {
        struct resource_value resources[N_RESOURCES];
        char *cpus, *memory_nodes; /* as written; NULL = not set */
        char *slice;               /* NULL = system.slice; of a slice always NULL: its name tells */
        bool memory_accounting, tasks_accounting, io_accounting, cpu_accounting, block_io_accounting;
        bool delegate;
        uint8_t delegated; /* GROUP_*: Delegate=cpu memory */
};

struct service_config {
        enum service_type type;
        enum service_restart restart;
        enum notify_access notify_access;
        struct exec_commands commands[N_EXEC_KINDS];
        char *pid_file; /* absolute */
        char *bus_name;
        bool guess_main_pid, remain_after_exit; /* default yes, no */
        bool permissions_start_only, root_directory_start_only;
        bool exit_type_cgroup;
        uint64_t restart_us;           /* default 100 ms */
        unsigned restart_steps;        /* 0 = none */
        uint64_t restart_max_delay_us; /* USEC_INFINITY = none */
        uint64_t timeout_start_us, timeout_stop_us,
                timeout_abort_us; /* USEC_INFINITY = none; abort: = stop when not set */
        uint64_t runtime_max_us, watchdog_us, runtime_randomized_extra_us; /* USEC_INFINITY = none; watchdog 0 = none */
        enum timeout_failure_mode timeout_start_failure_mode, timeout_stop_failure_mode;
        const struct exit_status_set *success_status, *restart_prevent_status, *restart_force_status; /* never NULL */
        enum oom_policy oom_policy;
        unsigned fd_store_max;
        struct strings sockets;
        int reload_signal;              /* notify-reload; default SIGHUP */
        const struct exec_config *exec; /* never NULL */
        const struct kill_config *kill; /* never NULL */
};

struct unit {
        struct arena arena;
        char *id;             /* the name it is known by, with suffix */
        struct strings names; /* id and aliases */
        enum unit_type type;
        enum unit_load_state load_state;
        char *load_error;  /* one line for people; NULL */
        char *description; /* default: the id */
        struct strings documentation;
        char *fragment_path; /* NULL = none (built in, not found) */
        struct strings dropin_paths;
        char *source_path;
        char *instance;                     /* what follows '@', still escaped; NULL */
        const struct strings *dependencies; /* [N_UNIT_DEPENDENCIES], never NULL: as written plus
                                             * .wants/.requires; default ones included */
        unsigned n_default_after; /* the last N of dependencies[DEP_AFTER] came by default from what this target pulls
                                   * in: the manager leaves one out when that unit has default_dependencies off or
                                   * orders itself after this target (they alone would make a cycle) */
        char *trigger;            /* socket, timer, path: the unit it starts; NULL */
        struct conditions conditions;
        struct strings wanted_by, required_by, upheld_by, also, install_alias; /* [Install] */
        char *default_instance;
        bool default_dependencies; /* default yes */
        bool stop_when_unneeded, refuse_manual_start, refuse_manual_stop, allow_isolate, ignore_on_isolate;
        uint64_t start_limit_interval_us; /* default 10 s; 0 = no limit */
        unsigned start_limit_burst;       /* default 5 */
        enum emergency_action start_limit_action, failure_action, success_action, job_timeout_action;
        int failure_exit_status, success_exit_status;        /* FailureActionExitStatus= …; -1 = not set */
        char *reboot_argument, *job_timeout_reboot_argument; /* NULL = none */
        char *on_failure_job_mode, *on_success_job_mode;     /* job modes of graph/; NULL: replace, fail */
        char *collect_mode;
        uint64_t job_timeout_us, job_running_timeout_us; /* USEC_INFINITY = none */
        bool built_in;                                   /* no file: one of the built-in targets */
        bool is_empty_target;                            /* no dependency of its own */
        struct strings notices;                          /* what was accepted but is not carried out: shown in status */
        const struct service_config *service;            /* NULL unless type == UNIT_SERVICE */
        const struct group_config *group;                /* never NULL; of services and slices */
};

const char *unit_type_name(enum unit_type t);             /* "service", … */
const char *unit_load_state_name(enum unit_load_state s); /* "loaded", "not-found", "bad-setting", "error", "masked" */
const char *service_type_name(enum service_type t);
const char *service_restart_name(enum service_restart r);
const char *kill_mode_name(enum kill_mode m);
const char *notify_access_name(enum notify_access a);
const char *unit_dependency_name(enum unit_dependency d); /* "Requires", … */
const char *exec_kind_name(enum exec_kind k);             /* "ExecCondition", "ExecStartPre", … */
const char *exec_directory_name(enum exec_directory d);   /* "RuntimeDirectory", … */
const char *exec_input_name(enum exec_input i);
const char *exec_output_name(enum exec_output o);
const char *preserve_mode_name(enum preserve_mode m);
const char *keyring_mode_name(enum keyring_mode m);
const char *protect_system_name(enum protect_system p);
const char *protect_home_name(enum protect_home p);
const char *unit_capability_name(unsigned n);           /* "CAP_CHOWN", …; NULL: there is none of that number */
const char *condition_kind_name(enum condition_kind k); /* "PathExists", …: without Condition or Assert */
const char *oom_policy_name(enum oom_policy p);
const char *emergency_action_name(enum emergency_action a);
const char *timeout_failure_mode_name(enum timeout_failure_mode m);

#endif
