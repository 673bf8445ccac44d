/* SPDX-License-Identifier: MIT
 *
 * A little world for the manager to live in: a clock, processes, a launcher, a keeper. Nothing of it is real: no
 * process is started, no time passes. It lies in shared memory, so that it survives the death of the manager in it, as
 * the real one does.
 *
 *   world.c      what happens in the world, and when
 *   kernel.c     how the manager reaches it: sys.h, and the few direct system calls of the manager
 *   doors.c      status table and control server, reduced to what a test asks of them
 *   scenario.c   units, programs, commands, and how it has to end
 *   scenario-rows.c more of them, which tell rows of the state machine apart
 *   check.c      what must hold at any time, and at rest
 *   test-fake.c  the variants: plain, the k-th call failing, the k-th allocation failing, a death before the k-th call
 *
 * Not here: any decision of the manager. Invariant: the same scenario with the same knobs gives the same story.
 */
#ifndef SUPD_TESTS_FAKE_WORLD_H
#define SUPD_TESTS_FAKE_WORLD_H

#include "programs/supd-manager/manager.h"

#define FIRST_PID 5000000
#define BYSTANDER (FIRST_PID - 1) /* an orphan of somebody else: never to be touched */

/* What can fail (with what, see kernel.c), or merely be a place to die at. */
#define CALLS(X)                                                                                                       \
        X(RANDOM)                                                                                                      \
        X(SEND)                                                                                                        \
        X(MEMFD)                                                                                                       \
        X(PIDFD_OPEN)                                                                                                  \
        X(PIDFD_SIGNAL)                                                                                                \
        X(KILL)                                                                                                        \
        X(STAT)                                                                                                        \
        X(CHILDREN)                                                                                                    \
        X(PROCESSES)                                                                                                   \
        X(ENVIRON)                                                                                                     \
        X(READ_FILE)                                                                                                   \
        X(EPOLL_CREATE)                                                                                                \
        X(EPOLL_ADD)                                                                                                   \
        X(EPOLL_MOD)                                                                                                   \
        X(EPOLL_WAIT)                                                                                                  \
        X(TIMER_CREATE)                                                                                                \
        X(TIMER_SET)                                                                                                   \
        X(SOCKETPAIR)                                                                                                  \
        X(CLONE)                                                                                                       \
        X(INOTIFY_INIT)                                                                                                \
        X(INOTIFY_ADD)                                                                                                 \
        X(PWRITE)                                                                                                      \
        X(LOG_WRITE)                                                                                                   \
        X(ALLOCATE)                                                                                                    \
        X(RECVMSG)                                                                                                     \
        X(COMMIT)                                                                                                      \
        X(ACKNOWLEDGE)                                                                                                 \
        X(SLOT_ALLOC)                                                                                                  \
        X(SLOT_FREE)                                                                                                   \
        X(CLAIM)

enum call {
#define X(name) CALL_##name,
        CALLS(X)
#undef X
                N_CALLS,
};
const char *call_name(enum call c);
/* The errnos that the manual pages list for CALL and that can happen to us; 0 ends the list. */
const int *call_errnos(enum call c);

/* What becomes of the starts that are under way when the manager dies (abi/launch.h, abi/handover.h). */
enum fate { FATE_FINISH, FATE_NOT_BEGUN_IS_LOST, FATE_STRAGGLERS_KILLED, N_FATES };

/* One program of a scenario, known by its path. */
struct program {
        const char *path;
        enum { STARTS, NO_PID, NO_EXEC } how;
        uint64_t pid_us;   /* until it has a pid, or does not get one */
        uint64_t exec_us;  /* until exec, beyond the usual */
        uint64_t lives_us; /* after exec; 0 = for ever */
        unsigned first;    /* when > 0: only the first FIRST ones end by themselves, */
        uint64_t later_us; /* … and the others after this time (0 = never), with this exit status */
        int later_status;
        int code, status; /* of its end */
        uint64_t term_us; /* after SIGTERM; exits with TERM_STATUS then. 0 = the signal kills it at once */
        int term_status;
        int ends_by;      /* the signal that counts instead of SIGTERM; to others than SIGKILL it is deaf then */
        bool deaf;        /* only SIGKILL helps */
        const char *says; /* an sd_notify message; "%d" becomes its child's pid */
        uint64_t says_us; /* when it says it, and when it forks */
        unsigned again;   /* how often it says AGAIN_SAYS afterwards, after AGAIN_US each */
        uint64_t again_us;
        const char *again_says;
        int heeds;           /* a signal that does not end it; it says ANSWERS then, after SAYS_US */
        const char *answers; /* NULL: nothing */
        const char *child;   /* program of a child that it leaves behind when it ends */
        bool writes_pid;     /* the child's pid goes to the PID file, before the end */
};

enum verb {
        DO_COMMAND_END,
        START_UNIT,
        STOP_UNIT,
        RESTART_UNIT,
        RELOAD_UNIT,
        RESET_UNIT,
        DAEMON_RELOAD,
        KILL_MAIN,
        POST_EVENT
};

struct command {
        enum verb verb;
        const char *unit;
        uint64_t after_us;        /* 0: when nothing happens any more; else this long after the command before */
        enum machine_event event; /* POST_EVENT: what nothing in this world brings about, as OOM */
};

struct scenario {
        const char *name;
        struct {
                const char *name, *text;
        } units[8];
        struct program programs[8];
        struct command commands[24];
        bool races; /* how many starts there are depends on when a manager dies */
};
extern const struct scenario scenarios[], row_scenarios[];
extern const size_t n_scenarios, n_row_scenarios;

enum { MAX_PROCS = 256, MAX_STARTS = 128, MAX_CALLS = 4096, TRACE_SIZE = 65536 };

struct proc {
        pid_t pid, parent, group, session; /* parent 0: the keeper */
        uint64_t start_time;
        bool used, alive;
        uint32_t unit; /* + 1; 0 = of nobody */
        bool main;     /* started as ExecStart= of a service that is not forking, or its daemon */
        const struct program *program;
        uint64_t says_at, ends_at; /* 0 = never */
        const char *saying;        /* NULL: what it says at first */
        unsigned again;
        int code, status; /* of the end that is due */
};

struct start { /* a message to the launcher on its way */
        bool used, has_pid, execed;
        uint32_t slot, generation;
        const struct program *program; /* NULL: a check or a clean-up */
        uint64_t pid_at, exec_at, note_at;
        pid_t pid;
};

struct changed { /* a change of state, as the manager writes it: SUPD_SUB_* */
        uint8_t unit, from, to;
};

struct world {
        /* knobs */
        const struct scenario *scenario;
        uint32_t fail_at, crash_at, alloc_at; /* number of the call; 0 = none */
        int fail_errno;
        bool fail_on; /* every later call of that kind fails too */
        enum fate fate;
        unsigned seed;    /* 0: the plain pace */
        unsigned step_us; /* that a call takes then */

        uint64_t now;
        uint32_t n_calls, n_allocs;
        uint8_t calls[MAX_CALLS]; /* enum call of each */
        enum call failed_call;
        bool failed;
        bool armed; /* the knobs count */

        pid_t next_pid;
        uint32_t ids; /* sessions and the like */
        struct proc procs[MAX_PROCS];
        struct start starts[MAX_STARTS];
        unsigned launched[8]; /* of each program */
        unsigned n_execs, n_managers;
        uint32_t execed[DURABLE_FIRST_SLOTS]; /* generation that has exec'ed in a slot */
        char pid_file[32];
        bool pid_file_changed;
        struct said {
                pid_t pid;
                char text[64];
        } said[16]; /* datagrams for the manager */
        unsigned n_said;
        struct changed changes[256]; /* by number */
        uint64_t changes_shown, changes_end;
        uint8_t shown_sub[64]; /* of units; 0 = no change of it yet */

        bool command_begun;     /* a death came between: the client asks again at once */
        unsigned command;       /* the next one */
        uint64_t command_since; /* when the one before was done */
        bool stopping, done;    /* the scenario is over: everything is being stopped; nothing is left to do */

        int bell_fd, state_fd;
        void *map;                                       /* the durable state */
        char names[16][64];                              /* of units, as the manager numbers them */
        char trace[TRACE_SIZE], wrong[4096], rest[2048]; /* rest: how the scenario ended */
        size_t n_trace, n_wrong;
};

extern struct world *world;
extern struct manager *manager_of_world; /* in the process of a manager */

void world_reset(const struct scenario *s);
uint64_t world_next(void);          /* when something happens next; 0 = never */
void world_run_until(uint64_t us);  /* everything up to then happens */
void world_manager_died(void);      /* the launcher goes with it */
struct proc *world_proc(pid_t pid); /* alive, or NULL */
int world_signal(struct proc *p, int signal);
void world_ring(void);
void story(const char *format, ...) printf_like_(1, 2);
void wrong(const char *format, ...) printf_like_(1, 2);
const char *unit_name_of(uint32_t id);

/* kernel.c: counts, dies, lets the world go on; 0, or the errno with which this call is to fail */
int kernel_call(enum call c);

/* doors.c */
void doors_command(const struct command *c, unsigned number);

/* check.c */
void check_rest(struct manager *m);
void check_end(struct manager *m);

#endif
