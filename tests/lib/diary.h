/* SPDX-License-Identifier: MIT
 *
 * The diaries: what test services write down about themselves, and the reader of it. One file per unit,
 * DIR/NAME.diary, one line per happening, one write(2) with O_APPEND per line:
 *
 *     start  pid= ppid= t= ticks= gen= role= inv= result= xcode= xstatus=
 *                                                     a process of the unit runs (its first act); the last three are
 *                                                     what the supervisor told it of the main process (ExecStopPost=)
 *     double pid= holder= t=                          at that moment another main process of the unit still lived
 *     ready  pid= t=                                  it told its supervisor that it is ready
 *     signal pid= sig= t=                             it got a signal
 *     end    pid= code= status= t=                    its last act; code and status as waitid(2) will have them
 *     killed pid= sig= t=                             the test itself is about to send a signal nobody can note down
 *
 * Not here: any opinion about what should run (observer.h). Invariant: nothing in a diary comes from the supervisor,
 * except the invocation id and what is told; "double" is the kernel's word: a main process holds a POSIX record lock on
 * DIR/NAME.lock, which the kernel drops while the process exits, before anybody can be told of the exit.
 */
#ifndef TESTS_LIB_DIARY_H
#define TESTS_LIB_DIARY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum diary_role {
        DIARY_MAIN,    /* the process that is the service; never two at the same time */
        DIARY_STARTER, /* the first process of a forking service */
        DIARY_CONTROL, /* ExecStartPre=, ExecStop= and their kin */
        DIARY_CHILD,   /* a child of the main process */
        N_DIARY_ROLES,
};
const char *diary_role_name(enum diary_role r);

struct diary_process {
        pid_t pid, ppid;
        uint64_t start_us;    /* CLOCK_BOOTTIME */
        uint64_t start_ticks; /* /proc/PID/stat field 22: with the pid, the identity of the process */
        unsigned generation;  /* n-th main process of this unit, from 1 */
        enum diary_role role;
        char invocation[33];
        pid_t doubled;                                        /* > 0: this pid held the lock when the process started */
        char told_result[20], told_code[12], told_status[12]; /* "-" = nothing was told */
        bool ready;
        int last_signal;
        bool ended; /* it said so */
        int code, status;
        uint64_t end_us;
        int killed; /* > 0: the test sent this signal */
};

struct diary {
        char name[128]; /* the unit */
        struct diary_process *v;
        unsigned n, allocated;
        int64_t offset; /* bytes read so far */
};

struct diaries {
        char dir[256];
        struct diary *v;
        unsigned n, allocated;
        unsigned malformed; /* lines that could not be read: a broken service, never silently dropped */
};

/* Reads what is new below DIR. 0 or -errno. */
int diaries_open(struct diaries *d, const char *dir);
int diaries_update(struct diaries *d);
void diaries_close(struct diaries *d);

/* NULL when the unit never wrote a line. */
const struct diary *diaries_find(const struct diaries *d, const char *name);
/* The process PID that started at TICKS, in any diary; NULL when nobody wrote of it. */
const struct diary_process *diaries_find_process(const struct diaries *d, pid_t pid, uint64_t ticks,
                                                 const struct diary **ret);
/* The newest main process; NULL when there was none. */
const struct diary_process *diary_last_main(const struct diary *d);
unsigned diary_count_mains(const struct diary *d);
/* How PROCESS ended, it being dead: its own word, or SIGKILL, the only death that leaves no time for words. */
void diary_process_end(const struct diary_process *p, int *ret_code, int *ret_status);

/* Appends "killed" before the test sends a signal that cannot be caught. 0 or -errno. */
int diary_note_kill(const char *dir, const char *name, pid_t pid, int sig);

#endif
