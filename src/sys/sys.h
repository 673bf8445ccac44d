/* SPDX-License-Identifier: MIT
 *
 * The list of kernel effects that the manager's decisions lead to. In the program they are the calls of linux.c; in
 * tests/fake a kernel of our own answers them, and lets the k-th one fail.
 *
 * Not here: shared memory that is mapped already (state/, status/): a store cannot fail. Invariant: none of these
 * blocks; each returns 0 or more, or negative errno, and leaves ret_ arguments alone when it fails.
 */
#ifndef SUPD_SYS_SYS_H
#define SUPD_SYS_SYS_H

#include <sys/socket.h>
#include <sys/types.h>

#include "base/util.h"

uint64_t sys_mono_us(void); /* CLOCK_MONOTONIC */
uint64_t sys_real_us(void); /* CLOCK_REALTIME */
int sys_random(void *ret, size_t size);

/* Sends one SOCK_SEQPACKET message made of two parts and at most SYS_SEND_FDS fds. -EAGAIN: the queue is full. */
enum { SYS_SEND_FDS = 253 }; /* SCM_MAX_FD */
int sys_send(int fd, const void *head, size_t head_size, const void *body, size_t body_size, const int *fds,
             unsigned n_fds);
/* Both are the same open file, as far as this kernel tells; where it does not, the same file. */
bool sys_same_fd(int a, int b);
/* A sealed-off memfd with these bytes; the fd is the caller's. */
int sys_memfd(const void *data, size_t size);

/* A process by its pid: its pidfd (the caller's), or -ENOSYS/-EPERM where there is none. */
int sys_pidfd_open(pid_t pid);
/* SIGNAL to PID (> 0), through a pidfd where possible: START_TIME (0 = not known) must still be that of the process,
 * else -ESRCH. */
int sys_kill(pid_t pid, uint64_t start_time, int signal);
/* A process that is to be signalled in a moment, looked at beforehand: what is done to many comes to all of them at
 * once. sys_target_close() is due behind success. */
struct sys_target {
        pid_t pid, group; /* its process group */
        int fd;           /* owned; -1 = none */
        uint64_t start_time;
};
int sys_target_open(pid_t pid, bool with_fd, struct sys_target *ret); /* -ESRCH: it is gone */
int sys_target_signal(const struct sys_target *t, int signal);
void sys_target_close(struct sys_target *t);
/* From now on no other program (but of a real-time priority) takes this CPU away from us, until it is called with
 * false: for a few system calls that belong together, none of them a fork. Behind success only it is due to be called
 * with false. 0, or -EPERM where it may not be had. */
int sys_uninterrupted(bool on);

/* The same with a value, as sigqueue(3) sends it. */
int sys_queue(pid_t pid, uint64_t start_time, int signal, int value);

struct sys_stat { /* /proc/PID/stat */
        pid_t pid, parent, group, session;
        uint64_t start_time; /* clock ticks since boot */
        char state;
};
int sys_stat(pid_t pid, struct sys_stat *ret); /* -ESRCH when it is gone */
/* The children of PID (all its threads) appended to the list; -ENOENT where the kernel does not tell. */
struct sys_pids {
        pid_t *v; /* owned; free() */
        size_t n, allocated;
};
int sys_children(pid_t pid, struct sys_pids *list);
int sys_processes(struct sys_pids *list);                                   /* every pid of /proc */
int sys_environ_has(pid_t pid, const char *assignment);                     /* 1 or 0; -EACCES when unreadable */
int sys_read_file(const char *path, char *ret, size_t size, size_t *ret_n); /* regular files only, NUL put behind */

#endif
