/* SPDX-License-Identifier: MIT
 *
 * The SIGBUS handler of the status table; guard.h says what it promises. Not here: what to do about a lost mapping.
 * Invariant: `active` is true only between enter and leave.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/util.h"
#include "status/guard.h"

static struct {
        sigjmp_buf env;
        uintptr_t from[2], to[2];
        volatile sig_atomic_t active;
        bool passing; /* a fault of others is being passed on */
        struct sigaction previous;
} guard;

static bool guard_covers(uintptr_t address)
{
        return (address >= guard.from[0] && address < guard.to[0]) ||
               (address >= guard.from[1] && address < guard.to[1]);
}

/* A fault that is none of ours: the one before us decides; by default the process dies of the same fault again. */
static void guard_pass_on(int sig, siginfo_t *si, void *context)
{
        bool again = guard.passing; /* the one before us passed it back to us */

        guard.passing = true;
        if (!again && guard.previous.sa_flags & SA_SIGINFO)
                guard.previous.sa_sigaction(sig, si, context);
        else if (!again && guard.previous.sa_handler != SIG_DFL && guard.previous.sa_handler != SIG_IGN)
                guard.previous.sa_handler(sig);
        else {
                (void)signal(sig, SIG_DFL);
                if (si->si_code <= 0) /* sent by kill(): nothing will fault again */
                        (void)raise(sig);
        }
        guard.passing = false;
}

static void guard_handle(int sig, siginfo_t *si, void *context)
{
        if (guard.active && si->si_code > 0 && guard_covers((uintptr_t)si->si_addr)) {
                guard.active = 0;
                siglongjmp(guard.env, 1);
        }
        guard_pass_on(sig, si, context);
}

int guard_install(void)
{
        /* SA_NODEFER: the jump out leaves the signal mask as it is, so none has to be saved at each entry */
        struct sigaction sa = {.sa_sigaction = guard_handle, .sa_flags = SA_SIGINFO | SA_NODEFER}, present = {0};

        if (sigaction(SIGBUS, NULL, &present) < 0)
                return -errno;
        if (present.sa_flags & SA_SIGINFO && present.sa_sigaction == guard_handle)
                return 0;
        guard.previous = present;
        return sigaction(SIGBUS, &sa, NULL) < 0 ? -errno : 0;
}

sigjmp_buf *guard_enter_(const void *a, size_t a_size, const void *b, size_t b_size)
{
        guard.from[0] = (uintptr_t)a;
        guard.to[0] = (uintptr_t)a + (a ? a_size : 0);
        guard.from[1] = (uintptr_t)b;
        guard.to[1] = (uintptr_t)b + (b ? b_size : 0);
        guard.active = 1;
        atomic_signal_fence(memory_order_seq_cst);
        return &guard.env;
}

void guard_leave(void)
{
        atomic_signal_fence(memory_order_seq_cst);
        guard.active = 0;
}
