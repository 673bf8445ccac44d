/* SPDX-License-Identifier: MIT
 *
 * One start: the plan, what the intermediate found out for it, and how it ends. Internal to supd-exec.
 *
 *   main.c        the launcher, until it is ready
 *   plans.c       its loop: messages in, intermediates out, the spare, deaths settled
 *   start.c       the intermediate: prepares, forks the service-to-be, notes the end
 *   left.c        … and stays where the command is to leave a daemon behind
 *   service.c     the service-to-be: carries out what needs its own identity, then exec
 *   streams.c     standard input, output and error
 *   identity.c    users and groups
 *   variables.c   the environment and argv
 *   attributes.c  limits, scheduling, capabilities
 *   generators.c  another job altogether: the unit generators, once
 *   group.c       its cgroup, and the fork into it
 *   directories.c RuntimeDirectory= and its kin; removal
 *   rare.c        what few units ask for: terminals, OpenFile=, keyrings, NUMA, …
 *   mounts.c      what the service sees of the file system
 *   credentials.c LoadCredential= and SetCredential=;  ipc.c RemoveIPC=
 *   conditions.c  Condition*= and Assert*=;  machine.c what they ask of the machine
 *
 * Invariant: the service-to-be of a command is vforked, so it shares this memory with the intermediate, which waits:
 * what it writes here (volatile) is how it reports. It never returns from a function of the intermediate, and it calls
 * the kernel directly where libc would keep books about the process (setuid and its kin).
 */
#ifndef SUPD_EXEC_JOB_H
#define SUPD_EXEC_JOB_H

#include <sys/types.h>

#include "abi/durable.h"
#include "abi/launch.h"
#include "exec/plan-format.h"
#include "exec/plan.h"
#include "syntax/environment.h"
#include "syntax/words.h"

/* systemd.exec(5), "Process exit codes" */
enum exit_code {
        EXIT_CODE_CHDIR = 200,
        EXIT_CODE_NICE = 201,
        EXIT_CODE_FDS = 202,
        EXIT_CODE_EXEC = 203,
        EXIT_CODE_MEMORY = 204,
        EXIT_CODE_LIMITS = 205,
        EXIT_CODE_OOM_ADJUST = 206,
        EXIT_CODE_STDIN = 208,
        EXIT_CODE_STDOUT = 209,
        EXIT_CODE_CHROOT = 210,
        EXIT_CODE_IOPRIO = 211,
        EXIT_CODE_TIMERSLACK = 212,
        EXIT_CODE_SECUREBITS = 213,
        EXIT_CODE_SETSCHEDULER = 214,
        EXIT_CODE_CPUAFFINITY = 215,
        EXIT_CODE_GROUP = 216,
        EXIT_CODE_USER = 217,
        EXIT_CODE_CAPABILITIES = 218,
        EXIT_CODE_CGROUP = 219,
        EXIT_CODE_SETSID = 220,
        EXIT_CODE_STDERR = 222,
        EXIT_CODE_NAMESPACE = 226,
        EXIT_CODE_NO_NEW_PRIVILEGES = 227,
        EXIT_CODE_PERSONALITY = 230,
        EXIT_CODE_RUNTIME_DIRECTORY = 233,
        EXIT_CODE_KEYRING = 237,
        EXIT_CODE_STATE_DIRECTORY = 238,
        EXIT_CODE_CACHE_DIRECTORY = 239,
        EXIT_CODE_LOGS_DIRECTORY = 240,
        EXIT_CODE_CONFIGURATION_DIRECTORY = 241,
        EXIT_CODE_NUMA_POLICY = 242,
        EXIT_CODE_CREDENTIALS = 243,
};

/* What the launcher was started with. The fds are close-on-exec and stay open in every process on its way to exec: life
 * tells the keeper, and plans (its hang-up) tells the manager, when no start of this launcher can happen any more. */
struct launcher {
        void *map; /* the durable state, up to the ring */
        int bell_fd, plans_fd, life_fd;
        bool input_is_null; /* standard input is /dev/null, for reading */
        char comm[16];      /* our own, to be told from what a service is called after exec */
        _Atomic uint32_t
                *clock_is_known; /* shared with all intermediates; 1: birth.before and .after give start_time */
};

/* A process that has come into being, and CLOCK_BOOTTIME (ns, 0 = not known) right before and right after that. */
struct birth {
        pid_t pid;
        uint64_t before, after;
};

struct failure {
        uint32_t step; /* enum plan_step; NONE = no failure */
        int error;     /* positive errno */
        int exit_code;
};

enum stage {
        STAGE_FORKED,
        STAGE_RUNNING, /* the pid is stored */
        STAGE_EXEC,    /* execve was called, or (check, clean-up) the work has begun */
};

struct identity {
        bool has_user, has_uid, has_gid;
        bool is_remote; /* known by getent only, so its groups are asked for there too */
        uid_t uid;
        gid_t gid;
        char *name, *home, *shell; /* NULL = not known, or not to be told */
        gid_t *groups;
        size_t n_groups;
};

struct job {
        const struct launcher *launcher;
        uint32_t slot, generation;
        const char *plan;
        size_t plan_size;
        enum plan_kind kind;
        struct plan_item items[N_PLAN_TAGS]; /* the first of each; record == NULL when absent */
        const int *fds;                      /* passed along, in the order of LISTEN_FDS; then those of OpenFile= */
        unsigned n_fds;
        char *fd_names; /* LISTEN_FDNAMES when it is not only the plan's; in the arena */

        struct identity identity;
        struct environment environment;
        struct words argv;
        struct arena arena;
        int log_fd, group_fd; /* group: the directory of the cgroup; -1 = none */

        volatile struct failure failure; /* why it cannot go on */
        volatile struct failure note;    /* what went wrong without stopping it */
        volatile uint32_t stage;
        volatile uint32_t in_group; /* the service-to-be is in its cgroup */

        uint64_t born_before;         /* CLOCK_BOOTTIME before the fork of the service-to-be, and … */
        volatile uint64_t born_after; /* … its first look at that clock; 0 = it did not come so far */
};

/* Parts of the plan. */
static inline bool job_has(const struct job *j, enum plan_tag tag)
{
        return j->items[tag].record != NULL;
}
/* The first string of a record, NULL when the record is absent or its list empty. */
static inline const char *job_string(const struct job *j, enum plan_tag tag)
{
        return job_has(j, tag) && j->items[tag].tail_size > 0 ? j->items[tag].tail : NULL;
}
static inline uint32_t job_word(const struct job *j, enum plan_tag tag, unsigned i, uint32_t otherwise)
{
        return job_has(j, tag) ? plan_word(&j->items[tag], i) : otherwise;
}
static inline bool job_flag(const struct job *j, uint32_t flag)
{
        return job_word(j, PLAN_FLAGS, 0, 0) & flag;
}
/* The next string of a list record; s = NULL gives the first. */
static inline const char *job_next(const struct job *j, enum plan_tag tag, const char *s)
{
        return job_has(j, tag) ? plan_string(&j->items[tag], s) : NULL;
}
/* The next record with TAG: 1, or 0 at the end (the plan was checked before). */
int job_next_record(const struct job *j, size_t *offset, enum plan_tag tag, struct plan_item *ret);
/* Notes a failure; the first one counts. Returns -error, for `return job_fail(…)`. */
int job_fail(struct job *j, enum plan_step step, int error, int exit_code);

/* main.c. All fds from FIRST to LAST; one by one where the kernel knows no better. */
void fds_close(unsigned first, unsigned last);
/* FD, or a copy of it out of the range that services' sockets will want (FD is closed then); close-on-exec. */
int fd_raised(int fd);

/* generators.c: runs the unit generators; returns the exit status. */
int generators_run(const char *runtime_dir);

/* plans.c. Until the manager is gone: 0, or a negative errno. */
int plans_loop(struct launcher *l, int signal_fd);

/* start.c. Runs in the forked intermediate, which leads its session. */
_Noreturn void start_run(struct job *j);
/* Lets the allocator, and the stack, get what a start will need. */
void start_warm_up(struct job *j);
/* Writes how the start ended into the slot, unless that was done or the slot has moved on; rings the bell. B: the
 * process there is, NULL or pid 0 = none. */
void start_note(const struct launcher *l, uint32_t slot, uint32_t generation, enum durable_launch launch,
                const struct failure *f, const struct birth *b);
/* CLOCK_BOOTTIME, ns */
uint64_t clock_boottime_ns(void);
/* Field 22 of /proc/PID/stat as it must be for B, when both its times say the same: 1; else 0. Touches no /proc: each
 * process whose directory there was looked at costs its reaper some 20 us. */
bool birth_start_time(const struct birth *b, uint64_t *ret);
/* start time (0 = unknown) and name of a process, from /proc/PID/stat. 0 or a negative errno. */
int process_look(pid_t pid, uint64_t *ret_start_time, char ret_comm[static 16]);

/* left.c. From now on who is orphaned below this intermediate is adopted by it. */
void left_adopt(void);
/* Stays until PID, whose start has been noted, has ended; notes what it leaves behind, and exits. */
_Noreturn void left_wait(const struct job *j, pid_t pid);

/* service.c. The service-to-be, from its first instruction. Does not return. */
_Noreturn void service_run(struct job *j);
/* Its first act: the pid goes into the slot. False when the start was given up meanwhile. */
bool service_store_pid(const struct job *j, pid_t pid);

/* group.c. Makes and opens the cgroup; what goes wrong is noted, and it is done without one. Intermediate. */
void group_open(struct job *j);
/* A vfork whose child is born in the cgroup and runs service_run(). -1: it cannot be done, and nothing was. */
pid_t group_fork(struct job *j);
/* For a service-to-be that was not born there: moves itself. 0 */
int group_join(struct job *j);

/* streams.c: 0 or negative, failure noted */
int streams_open_log(struct job *j); /* intermediate */
int streams_set_up(struct job *j);   /* service */
int streams_pass_fds(struct job *j); /* service */

/* identity.c, intermediate */
int identity_find(struct job *j);
/* The gid of a group, by /etc/group and getent. 0, -ESRCH, or what went wrong. */
int group_find(const char *name, gid_t *ret);
/* The uid of a user. */
int user_find(const char *name, uid_t *ret);
/* service */
int identity_set_groups(struct job *j);
int identity_set_user(struct job *j);

/* variables.c, intermediate; variables_finish() in the service, once the pid is known */
int variables_build(struct job *j);
int variables_expand(struct job *j);
void variables_finish(struct job *j, pid_t pid);

/* attributes.c, service */
int attributes_scheduling(struct job *j);
int attributes_limits(struct job *j);
int attributes_bounding(struct job *j);
int attributes_ambient(struct job *j);
int attributes_secure_bits(struct job *j);
int attributes_last(struct job *j);

/* directories.c, intermediate */
int directories_create(struct job *j);
/* Clean-up: the PID file and the runtime directories. */
void cleanup_run(struct job *j);

/* Removes a directory of ours with all that is in it. */
void directory_remove(const char *path);

/* rare.c; intermediate */
int rare_open_files(struct job *j);
void rare_terminal(struct job *j);
/* service */
int rare_scheduling(struct job *j);
int rare_keyring(struct job *j);

/* credentials.c, intermediate */
int credentials_create(struct job *j);

/* mounts.c, service */
int mounts_apply(struct job *j);

/* ipc.c, clean-up */
void ipc_remove(struct job *j);

/* conditions.c: the exit status of a check */
int conditions_run(struct job *j);

/* files.c */
/* Reads a whole file, at most MAX bytes, into B (appended). 0 or a negative errno. */
int file_read(const char *path, size_t max, struct buf *b);
/* mkdir -p of everything but the last component of PATH, 0755. */
int make_parents(const char *path);

#endif
