/* SPDX-License-Identifier: MIT
 *
 * The keeper: the process users start. It owns what must outlive the manager (the durable state, the fd store, every
 * process below it) and decides nothing about services.
 *
 * One loop (keeper.c) waits in ppoll and then takes one bounded turn through the concerns, each in its own file:
 *     options.c     the command line                    state-file.c  runtime directory, durable state
 *     signals.c     signals -> request bits             reap.c        exits -> ring or orphan table
 *     manager.c     start, death, hang, backoff         straggler.c   who still holds the life pipe of a dead manager
 *     binary.c      which file the next manager is      reexec.c      becoming the keeper that is installed
 *     store.c       fds kept for the next manager       command.c     `-- COMMAND`: no manager at all
 *     machine.c     PID 1 of a bare image; reboot       shutdown.c    what comes before the reboot
 *     lost.c        a state that somebody has destroyed while it was in use
 *     say.c         one line on stderr, never blocking
 *
 * Invariants: nothing is allocated after start; no loop is without a bound; the only place to sleep is the ppoll; no
 * value read from the durable state is used as an index without a check, since a broken manager may have written it.
 */
#ifndef SUPD_PROGRAMS_SUPD_KEEPER_H
#define SUPD_PROGRAMS_SUPD_KEEPER_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "abi/durable.h"
#include "abi/handover.h"
#include "base/util.h"

#define KEEPER_MAX_WORDS 256 /* words of argv for the manager */

/* durable_header.keeper_form says only PID 1 or not; the signal table needs to know the machine's init apart. */
enum keeper_form {
        FORM_SUPERVISOR, /* below another init */
        FORM_CONTAINER,  /* PID 1 of a pid namespace */
        FORM_MACHINE,    /* PID 1 of the machine */
        N_FORMS,
};

struct options {
        bool user, daemon, help, version;
        bool mode_given;               /* --system or --user was said */
        const char *name;              /* NULL = unnamed; points into argv or environ */
        char runtime_dir[PATH_MAX];    /* absolute or as given, resolved default otherwise */
        bool runtime_dir_given;        /* by --runtime-dir, so already among words[] */
        int handoff;                   /* from the keeper that we go on for (reexec.c); -1 = none */
        bool check;                    /* only say whether that would work */
        char *words[KEEPER_MAX_WORDS]; /* for the manager, verbatim; borrowed from argv */
        unsigned n_words;
        char **command; /* behind "--", NULL-terminated; NULL = manager */
};

enum manager_phase {
        MANAGER_ABSENT,   /* none; the next starts at start_at_us */
        MANAGER_RUNNING,  /* has a pid that is not reaped */
        MANAGER_DRAINING, /* dead; its life pipe still has holders */
};

/* A file that a manager is, or was, and what tells it from others. */
struct binary {
        int fd; /* O_PATH; owned, -1 = none */
        dev_t dev;
        ino_t ino;
        int64_t size, mtime_s, mtime_ns;
};

struct binaries {
        struct binary running; /* of the manager that runs, or ran last */
        struct binary healthy; /* the last that proved itself */
        struct binary before;  /* the one that did before it */
        struct binary bad;     /* the installed one, when it does not work: not run while it is the installed one */
        unsigned deaths;       /* of RUNNING, in a row and each after a short life */
        bool older;            /* RUNNING is not the installed one */
};

struct manager {
        enum manager_phase phase;
        pid_t pid;
        char path[PATH_MAX]; /* where the binary is installed */
        struct binaries binaries;
        uint64_t started_us, died_us, start_at_us; /* CLOCK_MONOTONIC */
        unsigned failures;                         /* deaths in a row since the last one that was healthy for long */
        uint64_t hang_at_us;                       /* 0 = nothing is unacknowledged */
        uint32_t hang_tail;                        /* ring_tail when hang_at_us was set */
        uint32_t hang_beat;                        /* beat when hang_at_us was set */
        bool aborted;                              /* SIGABRT was sent; SIGKILL follows at hang_at_us */
        int life_fd;                               /* read end of the life pipe; owned, -1 = none */
        ino_t life_ino;
        unsigned n_holders;       /* of the life pipe, in the last (or present) walk over /proc */
        uint64_t straggler_at_us; /* when to look for holders of the life pipe (next) */
        int proc_fd;              /* /proc while stragglers are looked for; owned, -1 = none */
};

/* Becoming the installed keeper. */
struct reexec {
        bool asked, agreed;
        pid_t pid;         /* of the check; 0 = none */
        int file, handoff; /* owned, -1 = none */
        uint64_t until_us; /* for the check */
};

struct keeper {
        struct options options;
        char **argv;              /* borrowed */
        char self_path[PATH_MAX]; /* where we are installed; "" = not known */
        struct binary self;       /* what we are */
        struct reexec reexec;
        enum keeper_form form;
        sigset_t start_mask;        /* signal mask we were started with; for `-- COMMAND` */
        struct rlimit start_nofile; /* restored for the manager */
        int dir_fd;                 /* runtime directory; owned, -1 = memfd */
        int state_fd;               /* owned; carries the OFD lock */
        void *map;                  /* up to DURABLE_LOG_A */
        struct durable_header *header;
        int signal_fd, bell_fd;           /* owned */
        int socket_fd, manager_socket_fd; /* both ends, owned */
        int ready_fd;                     /* --daemon: the waiting caller; owned, -1 = none */
        struct manager manager;
        uint32_t ring_ready;    /* entries before this index have memory */
        uint32_t ring_released; /* pages before this index were given back */
        bool ring_whole;        /* the whole ring has memory, nothing is given back */
        bool ring_short;        /* an exit waits because the ring could not get memory */
        uint64_t ring_retry_us; /* when to try again */
        bool bell_due;          /* something was recorded since the last ring */
        bool reap_more;         /* the last batch ended at its bound */
        uint32_t asked;         /* all DURABLE_REQUEST_* so far */
        uint64_t asked_us;      /* CLOCK_MONOTONIC of the first request to stop */
        unsigned insist_times;  /* SIGINT as the init of a machine, since insist_us */
        uint64_t insist_us;     /* CLOCK_MONOTONIC */
        bool insisted;          /* too often: the machine is rebooted now */
        uint64_t lost_us;       /* CLOCK_MONOTONIC: the durable state is gone since then; 0 = it is there */
        unsigned own_stop;      /* 0; 1 SIGTERM sent, 2 SIGKILL sent by the keeper itself (no manager could) */
        uint64_t own_stop_us;
};

#define USEC_NEVER UINT64_MAX

/* options.c. 0; 1 = done already (help, version), exit 0; negative errno = said on stderr */
int options_parse(struct options *o, int argc, char **argv);

/* state-file.c */
int state_open(struct keeper *k);            /* 0 or negative errno (said); fills dir_fd, state_fd, map, header */
int state_take_up(struct keeper *k, int fd); /* maps the state that this very process had before; 0 or negative errno */
void state_unlink(struct keeper *k);         /* clean end */
int ring_reserve(struct keeper *k);          /* memory for the next n_slots entries; 0, or -ENOSPC when none is left */

/* signals.c */
int signals_open(struct keeper *k);
bool signals_read(struct keeper *k); /* true: more may wait */
void signals_request(struct keeper *k, uint32_t bits);

/* reap.c */
void reap_pid(struct keeper *k, pid_t pid);               /* the fast path: this child is known to have exited */
void reap_batch(struct keeper *k);                        /* all others, bounded; sets reap_more */
int reap_find_slot(const struct keeper *k, uint32_t pid); /* slot, or -1 */
void bell_ring(struct keeper *k);

/* manager.c */
int manager_prepare(struct keeper *k);    /* finds the binary; 0 or negative errno (said) */
void manager_take_over(struct keeper *k); /* the state is that of a keeper that died */
void manager_died(struct keeper *k, int code, int status);
void manager_step(struct keeper *k, uint64_t now);
uint64_t manager_deadline(const struct keeper *k); /* CLOCK_MONOTONIC, USEC_NEVER = none */

/* binary.c */
void binaries_init(struct manager *m);
void binary_choose(struct keeper *k);         /* which file the manager that is to be started now is */
int binary_older_fd(const struct manager *m); /* what to execute when that does not work; -1 = nothing */
/* A manager has ended: HEALTHY once it supervised, ASKED to be replaced by the installed one. */
void binary_died(struct keeper *k, bool healthy, bool asked, uint64_t lived_us);

/* reexec.c */
void reexec_init(struct keeper *k, char **argv);
int reexec_check(struct keeper *k);                          /* --check: the exit status */
void reexec_take_over(struct keeper *k);                     /* --handoff; does not return when that cannot be */
void reexec_checked(struct keeper *k, int code, int status); /* reexec.pid has ended */
void reexec_step(struct keeper *k, uint64_t now);
uint64_t reexec_deadline(const struct keeper *k); /* CLOCK_MONOTONIC, USEC_NEVER = none */

/* straggler.c: true when one whole look through /proc is over; n_holders has been counted, or they were killed */
bool straggler_look(struct keeper *k, bool may_kill);

/* lost.c */
void lost_watch(struct keeper *k); /* the state is mapped: from now on its being cut short kills nobody */
/* True: the state is gone, and nothing else is to be done in this turn. *RET_STATUS: -1, or supd's exit status. */
bool lost_step(struct keeper *k, uint64_t now, int *ret_status);
uint64_t lost_deadline(const struct keeper *k, uint64_t now); /* CLOCK_MONOTONIC, USEC_NEVER = none */

/* store.c */
int store_open(struct keeper *k);
bool store_read(struct keeper *k); /* true: more may wait */
void store_drain(struct keeper *k);
uint32_t store_entries(const struct keeper *k); /* of durable_fds(), holes included; none behind them is in use */
void store_close_on_exec(const struct keeper *k, bool on); /* of all that is kept; off: in whoever inherits it */

/* command.c: runs one command; returns supd's exit status */
int command_run(struct keeper *k);

/* machine.c */
enum keeper_form machine_form(void);
void machine_prepare(enum keeper_form form); /* stdio, and as PID 1 of a machine: mounts */
void machine_end(struct keeper *k);          /* shutdown.c's part, then reboot(2), where that is ours to do */

/* shutdown.c: ends what is left, unmounts, writes everything to disk: supd-shutdown, for a bounded time. WHAT: "reboot"
 * … */
void shutdown_run(struct keeper *k, const char *what);

/* say.c: "supd: ..." in one write, dropped when stderr would block; room for 512 bytes */
void say(const char *format, ...) printf_like_(1, 2);
uint64_t now_us(void);      /* CLOCK_MONOTONIC */
uint64_t boottime_us(void); /* CLOCK_BOOTTIME */

#endif
