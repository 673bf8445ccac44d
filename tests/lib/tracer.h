/* SPDX-License-Identifier: MIT
 *
 * Stepping one process from system call to system call, and killing it at a chosen one. Only that process is traced:
 * what it forks runs free (no PTRACE_O_TRACE*), so the manager's launcher and the services never notice.
 *
 * Not here: what the process is for. Invariant: after tracer_kill() the victim is dead and has been waited for by the
 * tracer, so its real parent sees the zombie at once.
 */
#ifndef TESTS_LIB_TRACER_H
#define TESTS_LIB_TRACER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum tracer_event {
        TRACER_NOTHING, /* the time is over, the victim runs on */
        TRACER_ENTRY,   /* stopped before system call `nr` */
        TRACER_EXIT,    /* stopped after system call `nr` */
        TRACER_OTHER,   /* stopped by something else: resume */
        TRACER_FORKED,  /* stopped after its fork; `child` is traced, too (only with tracer_follow_forks) */
        TRACER_GONE,    /* the victim is dead */
};

struct tracer {
        pid_t pid;
        long nr;             /* of the last entry */
        uint64_t args[6];    /* of the last entry */
        unsigned long calls; /* entries so far */
        int deliver;         /* signal to be delivered at the next resume */
        pid_t child;         /* TRACER_FORKED */
        bool inside;         /* between entry and exit */
        bool stopped;        /* in a stop that we have seen */
        int status;          /* TRACER_GONE: the wait status */
};

/* True when this process may trace its children here (ptrace may be forbidden). */
bool tracer_permitted(void);
/* Seizes and stops PID; the caller resumes. 0 or -errno. */
int tracer_seize(struct tracer *t, pid_t pid, bool follow_forks);
/* Takes over CHILD, which was attached through its parent's tracer_follow_forks; it is stopped, or about to be. What it
 * forks itself is not followed. */
int tracer_adopt(struct tracer *t, pid_t child);
int tracer_resume(struct tracer *t);      /* on to the next system call stop */
int tracer_resume_free(struct tracer *t); /* runs on without system call stops (still traced) */
/* Waits for the victim's next stop. May return TRACER_NOTHING early when another child of the caller has news. */
enum tracer_event tracer_wait(struct tracer *t, uint64_t timeout_us);
/* N instructions from the present stop. Returns the number done; fewer when the victim met a system call or died. */
unsigned long tracer_step(struct tracer *t, unsigned long n);
/* Stopped before a call: it is not carried out (brk(2): it gives no more). Stopped behind it: it seems to have failed
 * with ERROR. A call that must be carried out even when it fails, as close(2), gets the second only. 0, or -ENOSYS
 * where this machine's registers are not known. */
int tracer_skip(const struct tracer *t);
int tracer_fail(const struct tracer *t, int error);
void tracer_kill(struct tracer *t);
void tracer_release(struct tracer *t); /* the victim is stopped: lets it go */
void tracer_detach(struct tracer *t);  /* stops the running victim for a moment and lets it go */

/* "epoll_wait", or "#NR" (static buffer). */
const char *syscall_name(long nr);

#endif
