/* SPDX-License-Identifier: MIT
 *
 * What a command leaves behind, where no cgroup tells: a daemon that forks twice, leads its own session and has wiped
 * its environment carries no mark of its unit. But its ancestors were ours to see: the intermediate of such a command
 * does not exit behind the exec, but adopts who is orphaned below it, and notes who is left when the command has ended.
 * Then it exits, and the keeper adopts all of them, the command (ended, not reaped) included: so the exit that the
 * manager hears of comes behind the note.
 *
 * Not here: what the manager makes of the numbers (procs.c). Invariant: it holds nothing open, and nobody waits for it;
 * killed, it leaves what there was without it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "job.h"

enum { MAX_TEXT = 4096 };

void left_adopt(void)
{
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L);
}

/* It stands in a slot, so the keeper is to see its end. */
static bool is_tracked(const struct job *j, pid_t pid)
{
        uint32_t n = atomic_load(&durable_header_of(j->launcher->map)->n_slots);

        for (uint32_t i = 0; i < n && i < DURABLE_MAX_SLOTS; i++)
                if (atomic_load(&durable_pids(j->launcher->map)[i]) == (uint32_t)pid)
                        return true;
        return false;
}

/* True while PID goes on. Others that have ended meanwhile are reaped: who waits for them to vanish may be the command
 * itself. */
static bool wait_and_reap(const struct job *j, pid_t pid)
{
        siginfo_t info = {0};

        if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) < 0)
                return errno == EINTR;
        if (info.si_pid == pid)
                return false;
        if (is_tracked(j, info.si_pid)) /* it would be seen again and again: the end of PID is all that is left */
                return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR;
        (void)waitpid(info.si_pid, NULL, 0);
        return true;
}

static void note(struct durable_slot *s, unsigned *n, pid_t number)
{
        for (unsigned i = 0; i < *n; i++)
                if (atomic_load(&s->left[i]) == (uint32_t)number)
                        return;
        if (*n < DURABLE_MAX_LEFT && number > 1)
                atomic_store(&s->left[(*n)++], (uint32_t)number);
}

/* Of each the pid, and its session where that is neither ours nor its own. What has ended has neither. */
static void note_children(const struct job *j, char *text)
{
        struct durable_slot *s = &durable_slots(j->launcher->map)[j->slot];
        pid_t own = getpid(), pid, session;
        unsigned n = 0;
        char *end;

        for (char *p = text;; p = end) {
                siginfo_t info = {0};

                pid = (pid_t)strtol(p, &end, 10);
                if (end == p)
                        return;
                if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) < 0 || info.si_pid == pid)
                        continue;
                session = getsid(pid);
                note(s, &n, pid);
                if (session > 0 && session != own)
                        note(s, &n, session);
        }
}

void left_wait(const struct job *j, pid_t pid)
{
        char path[64], text[MAX_TEXT];
        ssize_t n;
        int fd;

        fds_close(0, ~0u);
        while (wait_and_reap(j, pid))
                ;
        (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (n > 0 && atomic_load(&durable_slots(j->launcher->map)[j->slot].generation) == j->generation) {
                text[n] = 0;
                note_children(j, text);
        }
        _exit(EXIT_SUCCESS);
}
