/* SPDX-License-Identifier: MIT
 *
 * The table. Not here: code that decides, nor what does not come and go by itself: EACCES of a file stays until
 * somebody changes it. Invariant: as in fault.h.
 */
#include <errno.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "fault.h"

#define NO_FDS EMFILE, ENFILE, ENOMEM

static const struct {
        long nr;
        int errnos[FAULT_ERRNOS];
} table[] = {
        {SYS_openat, {NO_FDS}},
        {SYS_socket, {NO_FDS, ENOBUFS}},
        {SYS_socketpair, {NO_FDS}},
        {SYS_accept4, {NO_FDS, EPERM}},
        {SYS_pipe2, {NO_FDS}},
        {SYS_eventfd2, {NO_FDS}},
        {SYS_epoll_create1, {NO_FDS}},
        {SYS_timerfd_create, {NO_FDS}},
        {SYS_signalfd4, {NO_FDS}},
        {SYS_inotify_init1, {EMFILE, ENOMEM}},
        {SYS_inotify_add_watch, {ENOSPC, ENOMEM}},
        {SYS_memfd_create, {NO_FDS, EPERM}},
        {SYS_pidfd_open, {NO_FDS, ENOSYS, EPERM}},
        {SYS_pidfd_send_signal, {EPERM, ENOSYS}},
        {SYS_dup3, {EMFILE}},
        {SYS_pread64, {EIO}},
        {SYS_write, {EAGAIN, EIO}},
        {SYS_pwrite64, {ENOSPC, EIO}},
        {SYS_fallocate, {ENOSPC, EINTR, EOPNOTSUPP}},
        {SYS_ftruncate, {EIO}},
        {SYS_mmap, {ENOMEM, EPERM}},
        {SYS_mremap, {ENOMEM}},
        {SYS_brk, {ENOMEM}},
        {SYS_munmap, {ENOMEM}},
        {SYS_sendmsg, {EAGAIN, ENOBUFS, ENOMEM}},
        {SYS_sendto, {EAGAIN, ENOBUFS, ENOMEM}},
        {SYS_recvmsg, {ENOMEM}},
        {SYS_recvfrom, {ENOMEM}},
        {SYS_bind, {ENOMEM, EACCES}},
        {SYS_listen, {ENOBUFS}},
        {SYS_setsockopt, {ENOMEM, EPERM}},
        {SYS_epoll_ctl, {ENOMEM, ENOSPC}},
#ifdef SYS_epoll_wait
        {SYS_epoll_wait, {EINTR}},
#endif
        {SYS_epoll_pwait, {EINTR}},
        {SYS_ppoll, {EINTR, ENOMEM}},
        {SYS_clone, {EAGAIN, ENOMEM}},
        {SYS_clone3, {EAGAIN, ENOMEM, ENOSYS, EPERM}},
        {SYS_kill, {EPERM}},
        {SYS_getdents64, {ENOMEM, EIO}},
        {SYS_unlinkat, {EIO, EACCES}},
        {SYS_renameat, {ENOSPC, EIO}},
        {SYS_linkat, {ENOSPC, EACCES}},
        {SYS_mkdirat, {ENOSPC, EACCES, EROFS}},
        {SYS_readlinkat, {ENOMEM}},
        {SYS_newfstatat, {ENOMEM}},
        {SYS_statx, {ENOMEM, ENOSYS}},
        {SYS_flock, {ENOLCK, EINTR}},
        {SYS_prlimit64, {EPERM}},
        {SYS_prctl, {EPERM}},
        {SYS_fchmod, {EPERM}},
        {SYS_fchownat, {EPERM}},
        {SYS_getrandom, {EINTR, ENOSYS}},
        {SYS_close, {EINTR, EIO}},
#ifdef SYS_open /* what older machines have besides */
        {SYS_open, {NO_FDS}},
        {SYS_poll, {EINTR, ENOMEM}},
        {SYS_fork, {EAGAIN, ENOMEM}},
        {SYS_vfork, {EAGAIN, ENOMEM}},
        {SYS_unlink, {EIO, EACCES}},
        {SYS_rename, {ENOSPC, EIO}},
        {SYS_link, {ENOSPC, EACCES}},
        {SYS_mkdir, {ENOSPC, EACCES, EROFS}},
        {SYS_rmdir, {EBUSY, EIO}},
        {SYS_readlink, {ENOMEM}},
        {SYS_stat, {ENOMEM}},
        {SYS_lstat, {ENOMEM}},
        {SYS_access, {ENOMEM}},
        {SYS_dup2, {EMFILE}},
        {SYS_chmod, {EPERM}},
#endif
};

const int *fault_errnos(long nr)
{
        static const int none[1];

        for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
                if (table[i].nr == nr)
                        return table[i].errnos;
        return none;
}

bool fault_is_done_all_the_same(long nr)
{
        return nr == SYS_close;
}

const char *fault_name(int error)
{
        return strerrorname_np(error);
}
