/* SPDX-License-Identifier: MIT
 *
 * daemon-reexec: from the programs that run to those that are installed, and not before these have said that they can.
 *
 *   1. the installed manager is run as `supd-manager --check-state` (check.c) on what it would find, in a process of
 *      its own that changes nothing; nobody waits for it but the loop, and not for longer than CHECK_BOUND_US
 *   2. the keeper is asked to become the installed one; it asks that one first, too (supd/reexec.c)
 *   3. the manager commits and ends; the keeper starts the installed one, and the last one that worked should that fail
 *
 * A "no" of either changes nothing, and is the answer to who asked; "yes" has no answer but the end of the connection.
 * Nothing of this is durable: a manager that dies here is followed by the installed one anyway. Invariant: at most one
 * is under way; who asks meanwhile gets the same answer.
 */
#include "manager.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "handover/handover.h"

#define CHECK_BOUND_US (12 * USEC_PER_SEC)
#define ASK_BOUND_US   (12 * USEC_PER_SEC) /* the keeper's own bound is shorter */

enum { MAX_WORDS = 256, KEEPER_MINOR = 1 }; /* the first durable layout whose keeper knows how */

/* What the child needs until its exec: ours, while we go on. */
static struct {
        char path[4096], option[64];
        char *words[MAX_WORDS + 2];
        int state;
        alignas(16) char stack[16 * 1024];
} child;

static int check_exec(void *unused unused_)
{
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)fcntl(child.state, F_SETFD, 0);
        (void)execv(child.path, child.words);
        _exit(127);
}

/* Our own command line, with the fds replaced by the question. */
static int words_make(const struct manager *m)
{
        unsigned n = 0;

        (void)snprintf(child.option, sizeof(child.option), "--check-state=%d", child.state);
        for (char *const *w = m->argv; *w; w++) {
                if (n >= MAX_WORDS)
                        return -E2BIG;
                if (!starts_with(*w, "--fds="))
                        child.words[n++] = *w;
                if (n == 1)
                        child.words[n++] = child.option;
        }
        child.words[n] = NULL;
        return 0;
}

static int check_start(struct manager *m)
{
        const char *dir = getenv("SUPD_LIBEXEC_DIR");
        char link[64];
        int v;

        /* an open file of its own: it can neither write to the state nor hold its lock */
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", m->state_fd);
        child.state = open(link, O_RDONLY | O_CLOEXEC);
        if (child.state < 0)
                return -errno;
        (void)snprintf(child.path, sizeof(child.path), "%s/supd-manager", dir ? dir : SUPD_LIBEXECDIR);
        v = words_make(m);
        if (v == 0) {
                m->upgrade.pid = clone(check_exec, child.stack + sizeof(child.stack), CLONE_VM | SIGCHLD, NULL);
                if (m->upgrade.pid < 0) {
                        v = -errno;
                        m->upgrade.pid = 0;
                }
        }
        return v;
}

static void refuse(struct manager *m, const char *format, ...) printf_like_(2, 3);
static void refuse(struct manager *m, const char *format, ...)
{
        char text[256];
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        log_line(m, NULL, "%s; nothing was changed", text);
        close_fd_p(&child.state);
        m->upgrade.step = UPGRADE_NONE;
        m->upgrade.until_us = 0;
        if (m->control)
                control_reexecute_refused(m->control, text);
}

int upgrade_begin(struct manager *m)
{
        int v;

        if (m->upgrade.step != UPGRADE_NONE)
                return -EINPROGRESS;
        v = check_start(m);
        if (v < 0) {
                close_fd_p(&child.state);
                log_line(m, NULL, "the installed manager cannot be asked whether it can take over: %s", strerror(-v));
                return v;
        }
        m->upgrade.step = UPGRADE_CHECK;
        m->upgrade.until_us = sys_mono_us() + CHECK_BOUND_US;
        return -EINPROGRESS;
}

static _Noreturn void swap(struct manager *m)
{
        engine_settle(m);
        atomic_store(&m->header->launcher_kept, 0);
        poison_forget_all(m); /* another version may do better */
        log_line(m, NULL, "the manager starts anew, as it was asked to");
        _exit(HANDOVER_EXIT_REEXEC);
}

static void ask_keeper(struct manager *m)
{
        m->upgrade.answers = atomic_load(&m->header->keeper_asked);
        m->upgrade.step = UPGRADE_KEEPER;
        m->upgrade.until_us = sys_mono_us() + ASK_BOUND_US;
        if (m->header->minor < KEEPER_MINOR || handover_reexec(m->keeper_fd) < 0)
                swap(m); /* a keeper that does not know how: the manager alone */
}

void upgrade_checked(struct manager *m, int status)
{
        m->upgrade.pid = 0;
        if (m->upgrade.step != UPGRADE_CHECK)
                return; /* it was given up */
        close_fd_p(&child.state);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                ask_keeper(m);
        else if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
                refuse(m, "The installed manager %.100s cannot be executed", child.path);
        else if (WIFEXITED(status))
                refuse(m, "The installed manager says that it cannot take over");
        else
                refuse(m, "The installed manager was killed by signal %d when it was asked whether it can take over",
                       WTERMSIG(status));
}

void upgrade_look(struct manager *m)
{
        if (m->upgrade.step != UPGRADE_KEEPER || atomic_load(&m->header->keeper_asked) == m->upgrade.answers)
                return;
        if (atomic_load(&m->header->keeper_answer) == DURABLE_KEEPER_REFUSED)
                refuse(m, "The installed supd cannot take over from the one that runs");
        else
                swap(m);
}

void upgrade_timeout(struct manager *m)
{
        if (m->upgrade.until_us == 0 || sys_mono_us() < m->upgrade.until_us)
                return;
        if (m->upgrade.pid > 0)
                (void)kill(m->upgrade.pid, SIGKILL); /* our child: its pid is its own until we have waited */
        refuse(m, m->upgrade.step == UPGRADE_CHECK
                          ? "The installed manager did not say in time whether it can take over"
                          : "supd did not say in time whether the installed one can take over");
}
