/* SPDX-License-Identifier: MIT
 *
 * Stragglers: processes that still hold the life pipe of a dead manager, so a start of it could still come to its exec.
 *
 * They are found by their open fds in /proc, a few processes per turn, and killed through a pidfd (or, where pidfds are
 * denied, by pid: a child of ours is not reaped meanwhile, and the launcher's children become ours when it dies). A
 * process-to-be that has already taken its identity may hide its fds from us; it stored its pid in its slot, whose
 * launch is still INTENT, so it is found there. Never killed: a service whose exec has succeeded.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "keeper.h"

#define FD_BUFFERS 64 /* of 4 KiB each, about 10,000 fds of one process */

struct kernel_dirent { /* what getdents64(2) writes */
        uint64_t ino;
        int64_t off;
        unsigned short reclen;
        unsigned char type;
        char name[];
};

static long directory_read(int fd, void *buffer, size_t size)
{
        return syscall(SYS_getdents64, fd, buffer, size);
}

static int pid_of_name(const char *name)
{
        int pid = 0;

        for (; *name >= '0' && *name <= '9' && pid < 100000000; name++)
                pid = pid * 10 + (*name - '0');
        return *name == '\0' ? pid : 0;
}

/* Does one of the fds in this buffer of directory entries lead to the wanted link text? */
static bool buffer_holds(int dir, const char *buffer, long size, const char *wanted)
{
        const struct kernel_dirent *d;

        for (long at = 0; at < size; at += d->reclen) {
                char link[64];
                ssize_t n;

                d = (const struct kernel_dirent *)(const void *)(buffer + at);
                n = readlinkat(dir, d->name, link, sizeof(link) - 1);
                if (n <= 0)
                        continue;
                link[n] = '\0';
                if (streq(link, wanted))
                        return true;
        }
        return false;
}

static bool process_holds(int pid, const char *wanted)
{
        static char buffer[4096] __attribute__((aligned(8)));
        cleanup_close_ int dir = -1;
        char path[32];
        long n;

        (void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
        dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (unsigned i = 0; dir >= 0 && i < FD_BUFFERS; i++) {
                n = directory_read(dir, buffer, sizeof(buffer));
                if (n <= 0)
                        break;
                if (buffer_holds(dir, buffer, n, wanted))
                        return true;
        }
        return false;
}

static bool service_runs(const struct keeper *k, int pid)
{
        int slot = reap_find_slot(k, (uint32_t)pid);
        uint32_t launch = slot < 0 ? LAUNCH_FREE : atomic_load(&durable_slots(k->map)[slot].launch);

        return launch == LAUNCH_EXECED || launch == LAUNCH_CLAIMED;
}

/* True when PID is a straggler. */
static bool process_look(const struct keeper *k, int pid, const char *wanted, bool may_kill)
{
        cleanup_close_ int pidfd = -1;

        if (pid <= 1 || pid == getpid())
                return false;
        pidfd = may_kill ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
        if (!process_holds(pid, wanted) || service_runs(k, pid))
                return false;
        if (!may_kill)
                return true;
        say("killing pid %d: left over from a start of the dead manager", pid);
        if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0)
                (void)kill(pid, SIGKILL);
        return true;
}

/* A child that we do not reap meanwhile: its pid cannot be another process. */
static bool is_child(uint32_t pid)
{
        siginfo_t info;

        return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Only children: in a state taken over from a dead keeper pids[] may name processes that were never ours. */
static void slots_look(const struct keeper *k)
{
        uint32_t n = MIN2(atomic_load(&k->header->n_slots), DURABLE_MAX_SLOTS);

        for (uint32_t i = 0; i < n; i++) {
                uint32_t pid = atomic_load(&durable_pids(k->map)[i]);
                if (pid > 1 && pid <= INT32_MAX && atomic_load(&durable_slots(k->map)[i].launch) == LAUNCH_INTENT &&
                    is_child(pid))
                        (void)kill((pid_t)pid, SIGKILL);
        }
}

bool straggler_look(struct keeper *k, bool may_kill)
{
        static char buffer[2048] __attribute__((aligned(8)));
        struct manager *m = &k->manager;
        char wanted[64];
        long n;

        if (m->proc_fd < 0) {
                m->n_holders = 0;
                if (may_kill)
                        slots_look(k);
                m->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
        (void)snprintf(wanted, sizeof(wanted), "pipe:[%llu]", (unsigned long long)m->life_ino);
        n = m->proc_fd < 0 ? 0 : directory_read(m->proc_fd, buffer, sizeof(buffer));
        for (long at = 0; at < n;) {
                const struct kernel_dirent *d = (const struct kernel_dirent *)(const void *)(buffer + at);

                m->n_holders += process_look(k, pid_of_name(d->name), wanted, may_kill);
                at += d->reclen;
        }
        if (n > 0)
                return false;
        close_fd_p(&m->proc_fd);
        return true;
}
