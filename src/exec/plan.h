/* SPDX-License-Identifier: MIT
 *
 * The plan: what exactly has to happen between fork and exec, computed here as data and carried out by supd-exec.
 *
 * plan_build() is pure: it reads no file and asks no clock. What only the moment of the start can tell (environment
 * files, users, PATH look-up, condition checks) becomes a step of the plan; expansion of $VARIABLES happens in
 * supd-exec, after it has read the environment files. Wire form: TLV records (plan-format.h, the contract with
 * supd-exec); unknown mandatory records are refused.
 */
#ifndef SUPD_EXEC_PLAN_H
#define SUPD_EXEC_PLAN_H

#include "unit/unit.h"

struct plan_slice {
        const char *directory; /* absolute */
        const struct group_config *config;
};

/* Of what limits may be shares; what a limit is that is not set. */
struct plan_whole {
        uint64_t memory, tasks;
        struct resource_value default_tasks;
};

/* What a start needs to know beyond the unit. Strings borrowed; NULL = absent. */
struct plan_context {
        const char *runtime_root; /* base of RuntimeDirectory=: "/run" (or $XDG_RUNTIME_DIR) */
        const char *state_root, *cache_root, *logs_root, *configuration_root; /* bases of the others */
        const char *log_dir;                  /* where UNIT.log is appended to; NULL = /dev/null */
        const char *notify_socket;            /* NOTIFY_SOCKET, when the unit may notify */
        const char *const *base_environment;  /* NULL-terminated NAME=value of the manager: PATH, LANG … */
        const char *const *extra_environment; /* NULL-terminated: SERVICE_RESULT=…, MAINPID=…, MONITOR_… */
        uint8_t invocation[16];               /* INVOCATION_ID, when not all zero */
        int64_t main_pid;                     /* MAINPID when > 0 */
        uint64_t watchdog_us;                 /* WATCHDOG_USEC when > 0 (WATCHDOG_PID is set by supd-exec) */
        bool note_left;                       /* what it leaves behind has no other mark */
        bool keep_ipc;                        /* clean-up: others run as the same user, so RemoveIPC= waits */
        const char *cgroup;                   /* absolute directory to be joined; NULL = none */
        const struct plan_slice *slices;      /* those that it lies in, from the outermost */
        unsigned n_slices;
        uint32_t controllers; /* GROUP_*: can be had in them */
        struct plan_whole whole;
        unsigned n_listen_fds;    /* fds that follow the message, handed on from 3 */
        const char *listen_names; /* LISTEN_FDNAMES */
        struct {
                uint64_t soft, hard;
                bool set;
        } nofile; /* RLIMIT_NOFILE as it was before supd raised its own */
};

/* Appends the plan for COMMAND (of kind KIND) of U. 0, -ENOMEM, or -EINVAL with a diag. */
int plan_build_command(struct buf *ret, const struct unit *u, const struct exec_command *command, enum exec_kind kind,
                       const struct plan_context *context, struct diag *diag);
/* The plan of a check: evaluates the unit's Condition*= and Assert*= lines and exits 0 when all hold,
 * PLAN_EXIT_CONDITION when a condition does not, PLAN_EXIT_ASSERT when an assertion does not. */
int plan_build_check(struct buf *ret, const struct unit *u, const struct plan_context *context, struct diag *diag);
/* The plan of a clean-up: removes the runtime directories (unless they are to be kept) and the PID file. Exits 0
 * always. */
int plan_build_cleanup(struct buf *ret, const struct unit *u, bool keep_runtime, const struct plan_context *context,
                       struct diag *diag);
/* ---- limits and shares of cgroups (plan-group.c) ---- */
/* The controllers that U's own settings need, GROUP_*. DEFAULT_TASKS: TasksMax= of those that have none. */
uint32_t plan_group_wants(const struct unit *u, const struct resource_value *default_tasks);
/* A directive of U that CONTROLLERS do not suffice for; NULL = there is none. */
const char *plan_group_lacks(const struct unit *u, uint32_t controllers);
/* Calls PUT for each file of a cgroup with settings G that belongs to CONTROLLERS and what is to be written into it.
 * BEFORE: what it was configured to, so that what is not set any more goes back to where it was; NULL = new. 0, or the
 * first negative value of PUT. */
int plan_group_files(const struct group_config *g, const struct group_config *before, uint32_t controllers,
                     const struct plan_whole *whole, int (*put)(void *userdata, const char *file, const char *value),
                     void *userdata);
/* "0-3 5,7" as a bit mask of CPU_SETSIZE bits. Returns the bytes used, 0 when it cannot be read. */
enum { PLAN_MASK_SIZE = 128 };
size_t plan_mask_parse(const char *s, uint8_t mask[PLAN_MASK_SIZE]);
/* What RESOURCE of G comes to, CPUQuota= in µs a second; UINT64_MAX for infinity, NONE when it is not set. */
uint64_t plan_group_number(const struct group_config *g, enum resource resource, const struct plan_whole *whole,
                           uint64_t none);
/* "+cpu +memory" for CONTROLLERS. */
const char *plan_group_enable(uint32_t controllers, char ret[static 64]);
uint32_t plan_group_parse(const char *controllers); /* "cpu memory": the ones we know */
/* Whether U has anything to check, or anything to clean up. */
bool plan_needs_check(const struct unit *u);
bool plan_needs_cleanup(const struct unit *u);

#define PLAN_EXIT_CONDITION 1
#define PLAN_EXIT_ASSERT    2

/* Steps, for messages: "WorkingDirectory=/x: No such file or directory". Numbers are part of the durable state. */
enum plan_step {
        PLAN_STEP_NONE = 0,
        PLAN_STEP_PLAN = 1,          /* the plan could not be read */
        PLAN_STEP_LAUNCHER_DIED = 2, /* killed from outside */
        PLAN_STEP_FORK = 3,
        PLAN_STEP_ENVIRONMENT_FILE = 4,
        PLAN_STEP_USER = 5,
        PLAN_STEP_GROUP = 6,
        PLAN_STEP_DIRECTORIES = 7,
        PLAN_STEP_STDIN = 8,
        PLAN_STEP_STDOUT = 9,
        PLAN_STEP_STDERR = 10,
        PLAN_STEP_CGROUP = 11,
        PLAN_STEP_LIMITS = 12,
        PLAN_STEP_CHDIR = 13,
        PLAN_STEP_CHROOT = 14,
        PLAN_STEP_CAPABILITIES = 15,
        PLAN_STEP_NICE = 16,
        PLAN_STEP_OOM = 17,
        PLAN_STEP_EXEC = 18,
        PLAN_STEP_EXPAND = 19,
        PLAN_STEP_NAMESPACE = 20,
        PLAN_STEP_UNSUPPORTED = 21, /* a directive whose silent absence would open a hole */
        PLAN_STEP_TTY = 22,
        PLAN_STEP_IOPRIO = 23,
        PLAN_STEP_SCHEDULER = 24,
        PLAN_STEP_AFFINITY = 25,
        PLAN_STEP_NO_NEW_PRIVILEGES = 26,
        PLAN_STEP_PERSONALITY = 27,
        PLAN_STEP_MEMORY = 28,
        PLAN_STEP_CORE_FILTER = 29,
        PLAN_STEP_TIMER_SLACK = 30,
        PLAN_STEP_NUMA = 31,
        PLAN_STEP_KEYRING = 32,
        PLAN_STEP_SECURE_BITS = 33,
        PLAN_STEP_OPEN_FILE = 34,
        PLAN_STEP_CREDENTIALS = 35,
        N_PLAN_STEPS,
};
/* "EnvironmentFile", "User", "executable", …; "unknown step" for a number of a later version. */
const char *plan_step_name(enum plan_step s);

#endif
