/* SPDX-License-Identifier: MIT
 *
 * The effects of sys.h on a real Linux (5.10 on). pidfds may be missing or forbidden in containers: every user of one
 * has a way without.
 */
#include "sys/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/spare.h"

uint64_t sys_mono_us(void)
{
        return clock_now_us(CLOCK_MONOTONIC);
}

uint64_t sys_real_us(void)
{
        return clock_now_us(CLOCK_REALTIME);
}

int sys_random(void *ret, size_t size)
{
        return getrandom(ret, size, GRND_NONBLOCK) == (ssize_t)size ? 0 : -EIO;
}

int sys_send(int fd, const void *head, size_t head_size, const void *body, size_t body_size, const int *fds,
             unsigned n_fds)
{
        struct iovec iov[2] = {{(void *)(uintptr_t)head, head_size}, {(void *)(uintptr_t)body, body_size}};
        union {
                struct cmsghdr h;
                char space[CMSG_SPACE(SYS_SEND_FDS * sizeof(int))];
        } control = {0};
        struct msghdr m = {.msg_iov = iov, .msg_iovlen = body_size > 0 ? 2 : 1};

        if (n_fds > SYS_SEND_FDS)
                return -E2BIG;
        if (n_fds > 0) {
                m.msg_control = control.space;
                m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                control.h.cmsg_level = SOL_SOCKET;
                control.h.cmsg_type = SCM_RIGHTS;
                control.h.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(&control.h), fds, n_fds * sizeof(int));
        }
        return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

bool sys_same_fd(int a, int b)
{
        struct stat x, y;
        long r;

        if (a == b)
                return true;
#ifdef SYS_kcmp
        r = syscall(SYS_kcmp, getpid(), getpid(), 0 /* KCMP_FILE */, a, b);
        if (r >= 0)
                return r == 0;
#endif
        r = fstat(a, &x) < 0 || fstat(b, &y) < 0;
        return r == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino && x.st_rdev == y.st_rdev &&
               (x.st_mode & S_IFMT) == (y.st_mode & S_IFMT);
}

int sys_memfd(const void *data, size_t size)
{
        cleanup_close_ int fd = memfd_create("supd-plan", MFD_CLOEXEC);

        if (fd < 0)
                return -errno;
        if (write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
                return -EIO;
        return take_fd(&fd);
}

int sys_pidfd_open(pid_t pid)
{
        int fd = (int)syscall(SYS_pidfd_open, pid, 0);

        return fd < 0 ? -errno : fd;
}

static int start_time_is(pid_t pid, uint64_t start_time)
{
        struct sys_stat st;
        int r;

        if (start_time == 0)
                return 0;
        r = sys_stat(pid, &st);
        if (r < 0)
                return r;
        return st.start_time == start_time ? 0 : -ESRCH;
}

static int send_signal(pid_t pid, uint64_t start_time, int signal, const int *value)
{
        cleanup_close_ int fd = -1;
        siginfo_t info = {
                .si_signo = signal,
                .si_code = SI_QUEUE,
                .si_pid = getpid(),
                .si_uid = getuid(),
        };
        int r;

        info.si_value.sival_int = value ? *value : 0;
        if (pid <= 0)
                return -ESRCH;
        fd = sys_pidfd_open(pid);
        if (fd == -ESRCH)
                return -ESRCH;
        r = start_time_is(pid, start_time);              /* after the pidfd: what it names is what was looked at */
        if (fd >= 0 && (r == -EMFILE || r == -ENFILE)) { /* no room for both: as where pidfds are denied */
                close_fd_p(&fd);
                r = start_time_is(pid, start_time);
        }
        if (r < 0)
                return r;
        if (fd >= 0) {
                if (syscall(SYS_pidfd_send_signal, fd, signal, value ? &info : NULL, 0) == 0)
                        return 0;
                if (errno != ENOSYS && errno != EPERM)
                        return -errno;
        }
        if (value)
                return sigqueue(pid, signal, info.si_value) < 0 ? -errno : 0;
        return kill(pid, signal) < 0 ? -errno : 0;
}

int sys_kill(pid_t pid, uint64_t start_time, int signal)
{
        return send_signal(pid, start_time, signal, NULL);
}

int sys_target_open(pid_t pid, bool with_fd, struct sys_target *ret)
{
        int fd = with_fd ? sys_pidfd_open(pid) : -1;
        struct sys_stat st;
        int r = fd == -ESRCH ? -ESRCH : sys_stat(pid, &st); /* after the pidfd, as in send_signal() */

        if (r < 0) {
                if (fd >= 0)
                        (void)close(fd);
                return r;
        }
        *ret = (struct sys_target){.pid = pid, .group = st.group, .fd = MAX2(fd, -1), .start_time = st.start_time};
        return 0;
}

int sys_target_signal(const struct sys_target *t, int signal)
{
        if (t->fd >= 0) {
                if (syscall(SYS_pidfd_send_signal, t->fd, signal, NULL, 0) == 0)
                        return 0;
                if (errno != ENOSYS && errno != EPERM)
                        return -errno;
        }
        return sys_kill(t->pid, t->start_time, signal);
}

void sys_target_close(struct sys_target *t)
{
        close_fd_p(&t->fd);
}

int sys_uninterrupted(bool on)
{
        const struct sched_param p = {.sched_priority = on ? 1 : 0};
        long now = syscall(SYS_sched_getscheduler, 0); /* some libc's function does nothing */

        if (now != (on ? SCHED_OTHER : SCHED_FIFO))
                return now < 0 ? -errno : -EPERM; /* somebody has chosen another one for us */
        return syscall(SYS_sched_setscheduler, 0, on ? SCHED_FIFO : SCHED_OTHER, &p) < 0 ? -errno : 0;
}

int sys_queue(pid_t pid, uint64_t start_time, int signal, int value)
{
        return send_signal(pid, start_time, signal, &value);
}

int sys_read_file(const char *path, char *ret, size_t size, size_t *ret_n)
{
        cleanup_close_ int fd = spare_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        struct stat st;
        size_t n = 0;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        while (n < size - 1) {
                ssize_t k = read(fd, ret + n, size - 1 - n);
                if (k < 0)
                        return -errno;
                if (k == 0)
                        break;
                n += (size_t)k;
        }
        ret[n] = 0;
        if (ret_n)
                *ret_n = n;
        return 0;
}

/* The number in field N (from 1) of what is separated by single spaces. False: there is no such field, or no number. */
static bool field_number(const char *text, unsigned n, int64_t *ret)
{
        char *end;

        for (; n > 1; n--) {
                text = strchr(text, ' ');
                if (!text)
                        return false;
                text++;
        }
        errno = 0;
        *ret = strtoll(text, &end, 10);
        return end > text && errno == 0 && (*end == ' ' || *end == '\n' || *end == 0);
}

int sys_stat(pid_t pid, struct sys_stat *ret)
{
        char path[64], text[1024];
        struct sys_stat st = {.pid = pid};
        int64_t parent, group, session, start;
        char *p;
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        r = sys_read_file(path, text, sizeof(text), NULL);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;
        p = strrchr(text, ')'); /* the name may hold anything, parentheses included */
        if (!p || p[1] != ' ' || p[2] == 0 || p[3] != ' ')
                return -ESRCH;
        st.state = p[2]; /* field 3 of proc(5); those behind it are counted from the parent, field 4 */
        p += 4;
        if (!field_number(p, 1, &parent) || !field_number(p, 2, &group) || !field_number(p, 3, &session) ||
            !field_number(p, 19, &start))
                return -ESRCH;
        st.parent = (pid_t)parent;
        st.group = (pid_t)group;
        st.session = (pid_t)session;
        st.start_time = (uint64_t)start;
        *ret = st;
        return 0;
}

static int pids_add(struct sys_pids *list, pid_t pid)
{
        if (list->n == list->allocated) {
                size_t n = list->allocated ? list->allocated * 2 : 64;
                pid_t *p = reallocarray(list->v, n, sizeof(*p));
                if (!p)
                        return -ENOMEM;
                list->v = p;
                list->allocated = n;
        }
        list->v[list->n++] = pid;
        return 0;
}

static int children_of_thread(pid_t pid, pid_t tid, struct sys_pids *list)
{
        char path[64], chunk[4096];
        cleanup_close_ int fd = -1;
        long pid_read = 0;
        bool digits = false;
        ssize_t n;
        int r = 0;

        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)tid);
        fd = spare_openat(AT_FDCWD, path, O_RDONLY);
        if (fd < 0)
                return -errno;
        while (r == 0 && (n = read(fd, chunk, sizeof(chunk))) > 0)
                for (ssize_t i = 0; i < n && r == 0; i++) {
                        if (chunk[i] >= '0' && chunk[i] <= '9') {
                                pid_read = pid_read * 10 + (chunk[i] - '0');
                                digits = true;
                        } else if (digits) {
                                r = pids_add(list, (pid_t)pid_read);
                                pid_read = 0;
                                digits = false;
                        }
                }
        return r;
}

static int each_number(const char *directory, int (*each)(void *, pid_t), void *userdata)
{
        DIR *d = opendir(directory);
        struct dirent *e;
        int r = 0;

        if (!d)
                return -errno;
        while (r >= 0 && (e = readdir(d)))
                if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
                        r = each(userdata, (pid_t)atoi(e->d_name));
        (void)closedir(d);
        return r < 0 ? r : 0;
}

struct thread_walk {
        pid_t pid;
        struct sys_pids *list;
};

static int walk_thread(void *userdata, pid_t tid)
{
        struct thread_walk *w = userdata;
        int r = tid == w->pid ? 0 : children_of_thread(w->pid, tid, w->list);

        return r == -ENOENT ? 0 : r; /* the thread has just ended */
}

int sys_children(pid_t pid, struct sys_pids *list)
{
        struct thread_walk w = {pid, list};
        struct stat st;
        char path[64];
        int r = children_of_thread(pid, pid, list);

        if (r < 0)
                return r;
        (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
        if (stat(path, &st) == 0 && st.st_nlink <= 3)
                return 0; /* 2 + threads: a single one, which has been read */
        r = each_number(path, walk_thread, &w);
        return r == -ENOENT ? 0 : r;
}

static int walk_pid(void *userdata, pid_t pid)
{
        return pids_add(userdata, pid);
}

int sys_processes(struct sys_pids *list)
{
        return each_number("/proc", walk_pid, list);
}

int sys_environ_has(pid_t pid, const char *assignment)
{
        static char text[128 * 1024]; /* an environment longer than that is looked at in part */
        char path[64];
        size_t n, length = strlen(assignment);
        int r;

        (void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
        r = sys_read_file(path, text, sizeof(text), &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i += strlen(text + i) + 1)
                if (strlen(text + i) == length && memcmp(text + i, assignment, length) == 0)
                        return 1;
        return 0;
}
