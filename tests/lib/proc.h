/* SPDX-License-Identifier: MIT
 *
 * What /proc says about processes: one snapshot of all, and the tree below one pid.
 *
 * Not here: diaries, opinions. Invariant: a process is a pair (pid, start time); a pid alone is never trusted.
 */
#ifndef TESTS_LIB_PROC_H
#define TESTS_LIB_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct proc {
        pid_t pid, ppid;
        uint64_t ticks; /* field 22 */
        char state;     /* R S D Z T t X … */
        char comm[20];
        bool below; /* a descendant of the root asked for (never the root itself) */
};

struct proc_list {
        struct proc *v;
        unsigned n, allocated;
};

/* One look at /proc; marks the descendants of ROOT. 0 or -errno. Memory is reused from call to call. */
int proc_list_read(struct proc_list *l, pid_t root);
void proc_list_done(struct proc_list *l);
const struct proc *proc_list_find(const struct proc_list *l, pid_t pid);

/* One process. 0, or -ESRCH. */
int proc_read(pid_t pid, struct proc *ret);
/* It exists, is the same one, and is not a zombie. */
bool proc_lives(pid_t pid, uint64_t ticks);
/* The command line with blanks for NULs; "" when there is none (zombie, kernel thread). */
void proc_cmdline(pid_t pid, char *ret, size_t size);
/* Kills (SIGKILL) every process but ourselves whose command line contains TEXT; returns how many. */
unsigned proc_kill_matching(const char *text);

uint64_t boottime_us(void);
void sleep_us(uint64_t us);

#endif
