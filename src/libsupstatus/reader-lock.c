/* SPDX-License-Identifier: MIT
 *
 * The named semaphore, reader's side. It is a courtesy: holding it makes the writer put a publish off for some
 * milliseconds; whether a copy is whole is decided elsewhere, by the sequence. So everything that is odd here (no
 * permission, another owner, scribbled over, cut) simply means: not held.
 *
 * Invariant: no wait without a bound; no access outside the guard; while the lock is held all signals are blocked, so
 * that no Ctrl-C leaves it behind; a semaphore that does not look pristine is neither waited for nor posted.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "libsupstatus/internal.h"

static __thread struct {
        sigjmp_buf env;
        const char *volatile from; /* NULL = no guarded section in this thread */
} guard;

static struct sigaction guard_previous;
static pthread_mutex_t guard_mutex = PTHREAD_MUTEX_INITIALIZER;
static __thread bool guard_passing; /* a fault of others is being passed on */

/* A fault that is none of ours: the one before us decides; by default the process dies of the same fault again. */
static void guard_pass_on(int sig, siginfo_t *si, void *context)
{
        bool again = guard_passing; /* the one before us passed it back to us */

        guard_passing = true;
        if (!again && guard_previous.sa_flags & SA_SIGINFO)
                guard_previous.sa_sigaction(sig, si, context);
        else if (!again && guard_previous.sa_handler != SIG_DFL && guard_previous.sa_handler != SIG_IGN)
                guard_previous.sa_handler(sig);
        else {
                (void)signal(sig, SIG_DFL);
                if (si->si_code <= 0)
                        (void)raise(sig);
        }
        guard_passing = false;
}

static void guard_handle(int sig, siginfo_t *si, void *context)
{
        const char *at = si->si_addr, *from = guard.from;

        if (from && si->si_code > 0 && at >= from && at < from + sizeof(sem_t)) {
                guard.from = NULL;
                siglongjmp(guard.env, 1);
        }
        guard_pass_on(sig, si, context);
}

/* Sees to it that ours is the handler. */
static bool guard_install(void)
{
        struct sigaction sa = {.sa_sigaction = guard_handle, .sa_flags = SA_SIGINFO | SA_NODEFER}, present = {0};
        bool ours;

        (void)pthread_mutex_lock(&guard_mutex);
        ours = sigaction(SIGBUS, NULL, &present) == 0 && present.sa_flags & SA_SIGINFO &&
               present.sa_sigaction == guard_handle;
        if (!ours) {
                guard_previous = present;
                ours = sigaction(SIGBUS, &sa, NULL) == 0;
        }
        (void)pthread_mutex_unlock(&guard_mutex);
        return ours;
}

void reader_lock_close(struct reader_lock *l)
{
        if (l->sem)
                (void)sem_close(l->sem);
        l->sem = NULL;
}

/* Does the file behind the semaphore belong to the owner of the table? */
static bool reader_lock_owned(const char *name, uint32_t owner)
{
        char path[STATUS_NAME_MAX + 16];
        struct stat st;

#ifdef __GLIBC__
        (void)snprintf(path, sizeof(path), "/dev/shm/sem.%s", name + 1);
#else
        (void)snprintf(path, sizeof(path), "/dev/shm/%s", name + 1);
#endif
        return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == owner && st.st_size >= (off_t)sizeof(sem_t);
}

static void reader_lock_open(struct reader_lock *l, uint32_t generation, uint32_t owner)
{
        if (l->sem && l->generation == generation)
                return;
        reader_lock_close(l);
        l->generation = generation;
        if (generation == 0 || !reader_lock_owned(l->name, owner))
                return;
        if (!guard_install())
                return;
        l->sem = sem_open(l->name, 0);
        if (l->sem == SEM_FAILED)
                l->sem = NULL;
}

/* One guarded operation. Signals are blocked from here until the lock is released. */
static bool reader_lock_take(struct reader_lock *l, const struct timespec *until, sigset_t *ret_mask)
{
        volatile bool held = false;
        sigset_t all;

        (void)sigfillset(&all);
        (void)sigdelset(&all, SIGBUS);
        (void)pthread_sigmask(SIG_BLOCK, &all, ret_mask);
        if (sigsetjmp(guard.env, 0) == 0) {
                guard.from = (const char *)l->sem;
                if (status_sem_sane(l->sem))
                        held = until ? sem_timedwait(l->sem, until) == 0 : sem_trywait(l->sem) == 0;
                guard.from = NULL;
        } else
                held = false;
        return held;
}

static bool reader_lock_attempt(struct reader_lock *l, const struct timespec *until)
{
        sigset_t mask;

        if (!l->sem)
                return false;
        l->held = reader_lock_take(l, until, &mask);
        if (l->held)
                l->mask = mask;
        else
                (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
        return l->held;
}

bool reader_lock_try(struct reader_lock *l, uint32_t generation, uint32_t owner)
{
        reader_lock_open(l, generation, owner);
        return reader_lock_attempt(l, NULL);
}

bool reader_lock_wait(struct reader_lock *l, unsigned timeout_ms)
{
        struct timespec until;

        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += (long)timeout_ms * 1000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        return reader_lock_attempt(l, &until);
}

void reader_lock_release(struct reader_lock *l)
{
        sigset_t mask = l->mask;
        int value;

        if (!l->held)
                return;
        if (sigsetjmp(guard.env, 0) == 0) {
                guard.from = (const char *)l->sem;
                if (status_sem_sane(l->sem) && sem_getvalue(l->sem, &value) == 0 && value == 0)
                        (void)sem_post(l->sem);
                guard.from = NULL;
        }
        l->held = false;
        (void)pthread_sigmask(SIG_SETMASK, &mask, NULL);
}
