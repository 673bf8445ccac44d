/* SPDX-License-Identifier: MIT
 *
 * Three kinds: calls that are always private; those that are when their fd is a file or a directory (reading a socket
 * takes something away from it, closing it tells the peer); open, when it only looks.
 *
 * Not here: locks, signals, limits, names of processes: others see them. Invariant: as in private-call.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "private-call.h"

enum kind { SEEN_BY_OTHERS = 0, ALWAYS_PRIVATE, PRIVATE_ON_A_FILE, PRIVATE_WHEN_LOOKING };

static const struct {
        long nr;
        enum kind kind;
} table[] = {
        {SYS_clock_gettime, ALWAYS_PRIVATE},
        {SYS_clock_getres, ALWAYS_PRIVATE},
        {SYS_gettimeofday, ALWAYS_PRIVATE},
        {SYS_getrandom, ALWAYS_PRIVATE},
        {SYS_getpid, ALWAYS_PRIVATE},
        {SYS_gettid, ALWAYS_PRIVATE},
        {SYS_getppid, ALWAYS_PRIVATE},
        {SYS_getuid, ALWAYS_PRIVATE},
        {SYS_geteuid, ALWAYS_PRIVATE},
        {SYS_getgid, ALWAYS_PRIVATE},
        {SYS_getegid, ALWAYS_PRIVATE},
        {SYS_brk, ALWAYS_PRIVATE},
        {SYS_mmap, ALWAYS_PRIVATE},
        {SYS_munmap, ALWAYS_PRIVATE},
        {SYS_mremap, ALWAYS_PRIVATE},
        {SYS_mprotect, ALWAYS_PRIVATE},
        {SYS_newfstatat, ALWAYS_PRIVATE},
        {SYS_statx, ALWAYS_PRIVATE},
        {SYS_statfs, ALWAYS_PRIVATE},
        {SYS_fstat, ALWAYS_PRIVATE},
        {SYS_fstatfs, ALWAYS_PRIVATE},
        {SYS_faccessat, ALWAYS_PRIVATE},
        {SYS_readlinkat, ALWAYS_PRIVATE},
        {SYS_rt_sigaction, ALWAYS_PRIVATE},
        {SYS_rt_sigreturn, ALWAYS_PRIVATE},
        {SYS_epoll_create1, ALWAYS_PRIVATE}, /* no epoll, timer or signal fd is shared with others */
        {SYS_epoll_ctl, ALWAYS_PRIVATE},
        {SYS_epoll_pwait, ALWAYS_PRIVATE},
        {SYS_ppoll, ALWAYS_PRIVATE},
        {SYS_timerfd_create, ALWAYS_PRIVATE},
        {SYS_timerfd_settime, ALWAYS_PRIVATE},
        {SYS_timerfd_gettime, ALWAYS_PRIVATE},
        {SYS_eventfd2, ALWAYS_PRIVATE},
        {SYS_pidfd_open, ALWAYS_PRIVATE},
        {SYS_getsockname, ALWAYS_PRIVATE},
        {SYS_getsockopt, ALWAYS_PRIVATE},
        {SYS_uname, ALWAYS_PRIVATE},
        {SYS_sched_getaffinity, ALWAYS_PRIVATE},
        {SYS_set_robust_list, ALWAYS_PRIVATE},
        {SYS_set_tid_address, ALWAYS_PRIVATE},
#ifdef SYS_access /* what older machines have besides */
        {SYS_access, ALWAYS_PRIVATE},
        {SYS_stat, ALWAYS_PRIVATE},
        {SYS_lstat, ALWAYS_PRIVATE},
        {SYS_readlink, ALWAYS_PRIVATE},
        {SYS_epoll_wait, ALWAYS_PRIVATE},
        {SYS_poll, ALWAYS_PRIVATE},
        {SYS_arch_prctl, ALWAYS_PRIVATE},
        {SYS_open, PRIVATE_WHEN_LOOKING},
#endif
        {SYS_openat, PRIVATE_WHEN_LOOKING},
        {SYS_read, PRIVATE_ON_A_FILE},
        {SYS_pread64, PRIVATE_ON_A_FILE},
        {SYS_lseek, PRIVATE_ON_A_FILE},
        {SYS_getdents64, PRIVATE_ON_A_FILE},
        {SYS_close, PRIVATE_ON_A_FILE},
};

static bool is_a_file(pid_t pid, uint64_t fd)
{
        char path[64];
        struct stat st;

        (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)fd);
        return stat(path, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

bool call_is_private(const struct tracer *t)
{
        enum kind kind = SEEN_BY_OTHERS;

        for (unsigned i = 0; i < ARRAY_SIZE(table) && kind == SEEN_BY_OTHERS; i++)
                if (table[i].nr == t->nr)
                        kind = table[i].kind;
        if (kind == PRIVATE_ON_A_FILE)
                return is_a_file(t->pid, t->args[0]);
        if (kind == PRIVATE_WHEN_LOOKING)
                return (t->args[t->nr == SYS_openat ? 2 : 1] & (O_ACCMODE | O_CREAT | O_TRUNC)) == 0;
        return kind == ALWAYS_PRIVATE;
}
