/* SPDX-License-Identifier: MIT
 *
 * How the manager reaches the world: sys.h, and the direct system calls of the manager, which the linker sends here
 * (--wrap). Every one of them is counted; the k-th may fail, or be the place where the manager dies.
 *
 * Not here: what happens in the world (world.c). Invariant: a failing call has no effect at all.
 */
#include "world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include "abi/launch.h"
#include "handover/handover.h"

enum { LAUNCHER_PID = FIRST_PID - 2, FDS = 1024 };

static struct {
        bool used;
        uint32_t events;
        epoll_data_t data;
} watched[FDS];           /* epoll */
static pid_t pidfds[FDS]; /* what a pidfd names */
static int timer_fd = -1;
static uint64_t timer_at; /* 0 = not armed */
static int inside;        /* calls of ours: not the manager's */

static const char *const names[N_CALLS] = {
#define X(name) [CALL_##name] = #name,
        CALLS(X)
#undef X
};

static const int errnos[N_CALLS][8] = {
        [CALL_RANDOM] = {EIO},
        [CALL_SEND] = {EAGAIN, ENOBUFS, ENOMEM, ETOOMANYREFS, EPIPE},
        [CALL_MEMFD] = {EMFILE, ENFILE, ENOMEM},
        [CALL_PIDFD_OPEN] = {EMFILE, ENFILE, ENODEV, ENOMEM, ENOSYS, EPERM},
        [CALL_PIDFD_SIGNAL] = {EPERM, ENOSYS},
        [CALL_KILL] = {EPERM},
        [CALL_STAT] = {EMFILE, ENFILE, ENOMEM, EACCES},
        [CALL_CHILDREN] = {ENOENT, EMFILE, ENFILE, ENOMEM},
        [CALL_PROCESSES] = {EMFILE, ENOMEM},
        [CALL_ENVIRON] = {EACCES, EMFILE, ENOMEM},
        [CALL_READ_FILE] = {EMFILE, ENFILE, ENOMEM, EACCES, EIO},
        [CALL_EPOLL_CREATE] = {EMFILE, ENFILE, ENOMEM},
        [CALL_EPOLL_ADD] = {ENOMEM, ENOSPC},
        [CALL_EPOLL_MOD] = {ENOMEM},
        [CALL_EPOLL_WAIT] = {EINTR},
        [CALL_TIMER_CREATE] = {EMFILE, ENFILE, ENODEV, ENOMEM},
        [CALL_SOCKETPAIR] = {EMFILE, ENFILE, ENOMEM},
        [CALL_CLONE] = {EAGAIN, ENOMEM},
        [CALL_INOTIFY_INIT] = {EMFILE, ENFILE, ENOMEM},
        [CALL_INOTIFY_ADD] = {ENOSPC, ENOMEM, EACCES, ENOENT},
        [CALL_PWRITE] = {ENOSPC, EDQUOT, EIO},
        [CALL_LOG_WRITE] = {EIO, ENOMEM},
        [CALL_ALLOCATE] = {ENOSPC, EFBIG},
        [CALL_RECVMSG] = {ENOMEM},
        [CALL_SLOT_ALLOC] = {ENOSPC, ENFILE, ENOMEM},
};

const char *call_name(enum call c)
{
        return names[c];
}

const int *call_errnos(enum call c)
{
        return errnos[c];
}

int kernel_call(enum call c)
{
        struct world *w = world;

        if (inside > 0)
                return 0;
        if (w->armed && w->n_calls < MAX_CALLS) {
                w->calls[w->n_calls++] = (uint8_t)c;
                if (w->n_calls == w->crash_at) {
                        story("the manager dies before %s", names[c]);
                        _exit(99);
                }
                if (w->n_calls == w->fail_at ||
                    (w->fail_on && w->fail_at > 0 && w->n_calls > w->fail_at && c == w->failed_call)) {
                        w->failed_call = c;
                        w->failed = true;
                        story("%s fails: %s", names[c], strerrorname_np(w->fail_errno));
                        return w->fail_errno;
                }
        }
        world_run_until(w->now + (w->seed ? (unsigned)rand_r(&w->seed) % 40 : w->step_us));
        return 0;
}

static int as_errno(int e)
{
        errno = e;
        return -1;
}

/* ---- sys.h ---- */

uint64_t sys_mono_us(void)
{
        return world->now + 1000 * USEC_PER_SEC;
}

uint64_t sys_real_us(void)
{
        return world->now + UINT64_C(1700000000) * USEC_PER_SEC;
}

int sys_random(void *ret, size_t size)
{
        int e = kernel_call(CALL_RANDOM);

        if (e)
                return -e;
        for (size_t i = 0; i < size; i++)
                ((uint8_t *)ret)[i] = (uint8_t)(i < 4 ? ++world->ids >> (i * 8) : 0xa5);
        return 0;
}

static const struct program *program_in(const char *plan, size_t size)
{
        const struct program *best = NULL;
        const char *first = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(world->scenario->programs); i++) {
                const struct program *p = &world->scenario->programs[i];
                const char *at = p->path ? memmem(plan, size, p->path, strlen(p->path)) : NULL;
                if (at && (!best || at < first || (at == first && strlen(p->path) > strlen(best->path)))) {
                        best = p;
                        first = at;
                }
        }
        return best;
}

static void launcher_takes(const struct launch_message *h, const char *plan, size_t size)
{
        const struct durable_slot *d = &durable_slots(world->map)[h->slot];

        if (atomic_load(&d->launch) != LAUNCH_INTENT || atomic_load(&d->generation) != h->generation)
                wrong("a start is sent for a slot that holds no intent");
        for (size_t i = 0; i < MAX_STARTS; i++) {
                struct start *s = &world->starts[i];
                if (s->used)
                        continue;
                *s = (struct start){
                        .used = true,
                        .slot = h->slot,
                        .generation = h->generation,
                        .program = program_in(plan, size),
                        .pid_at = world->now + 50,
                };
                s->pid_at += s->program ? s->program->pid_us : 0;
                s->exec_at = s->pid_at + 20 + (s->program ? s->program->exec_us : 0);
                s->note_at = s->exec_at + (world->seed ? (unsigned)rand_r(&world->seed) % 200 : 30);
                story("%s: start of %s as %s", unit_name_of(d->unit), s->program ? s->program->path : "a helper",
                      d->role ? "control" : "main");
                return;
        }
        wrong("too many starts");
}

int sys_send(int fd unused_, const void *head, size_t head_size, const void *body, size_t body_size,
             const int *fds unused_, unsigned n_fds unused_)
{
        int e = kernel_call(CALL_SEND);

        if (e)
                return -e;
        if (head_size != sizeof(struct launch_message))
                wrong("a message of %zu bytes", head_size);
        launcher_takes(head, body, body_size);
        return 0;
}

bool sys_same_fd(int a, int b)
{
        return a == b;
}

int sys_memfd(const void *data unused_, size_t size unused_)
{
        int e = kernel_call(CALL_MEMFD);

        return e ? -e : eventfd(0, EFD_CLOEXEC);
}

int sys_pidfd_open(pid_t pid)
{
        int e = kernel_call(CALL_PIDFD_OPEN), fd;

        if (e)
                return -e;
        if (!world_proc(pid))
                return -ESRCH;
        fd = eventfd(0, EFD_CLOEXEC);
        if (fd >= FDS)
                wrong("file descriptors leak");
        pidfds[fd] = pid;
        return fd;
}

static int deliver(pid_t pid, int signal)
{
        struct proc *p = world_proc(pid);

        if (pid == BYSTANDER)
                wrong("signal %d to a process of nobody", signal);
        if (!p)
                return -ESRCH;
        if (signal != SIGCONT)
                story("%s: signal %d to %s", unit_name_of(p->unit - 1), signal,
                      p->program ? p->program->path : "a helper");
        return world_signal(p, signal);
}

int sys_kill(pid_t pid, uint64_t start_time, int signal)
{
        int e = kernel_call(CALL_KILL);
        const struct proc *p = world_proc(pid);

        if (e)
                return -e;
        if (!p || (start_time > 0 && p->start_time != start_time))
                return -ESRCH;
        return deliver(pid, signal);
}

int sys_target_open(pid_t pid, bool with_fd unused_, struct sys_target *ret)
{
        struct sys_stat st;
        int r = sys_stat(pid, &st);

        if (r == 0)
                *ret = (struct sys_target){.pid = pid, .group = st.group, .fd = -1, .start_time = st.start_time};
        return r;
}

int sys_target_signal(const struct sys_target *t, int signal)
{
        return sys_kill(t->pid, t->start_time, signal);
}

void sys_target_close(struct sys_target *t unused_)
{
}

int sys_uninterrupted(bool on unused_)
{
        return 0;
}

int sys_queue(pid_t pid, uint64_t start_time, int signal, int value unused_)
{
        return sys_kill(pid, start_time, signal);
}

int sys_stat(pid_t pid, struct sys_stat *ret)
{
        int e = kernel_call(CALL_STAT);
        const struct proc *p = world_proc(pid);

        if (e)
                return -e;
        if (pid == getpid() || pid == getppid()) {
                *ret = (struct sys_stat){.pid = pid, .parent = 1, .start_time = 7, .state = 'S'};
                return 0;
        }
        if (!p)
                return -ESRCH;
        *ret = (struct sys_stat){.pid = pid,
                                 .parent = p->parent ? p->parent : getppid(),
                                 .group = p->group,
                                 .session = p->session,
                                 .start_time = p->start_time,
                                 .state = 'S'};
        return 0;
}

static int pids_add(struct sys_pids *list, pid_t pid)
{
        if (list->n == list->allocated) {
                pid_t *v = reallocarray(list->v, list->n + 64, sizeof(*v));
                if (!v)
                        return -ENOMEM;
                list->v = v;
                list->allocated = list->n + 64;
        }
        list->v[list->n++] = pid;
        return 0;
}

int sys_children(pid_t pid, struct sys_pids *list)
{
        int e = kernel_call(CALL_CHILDREN), v = 0;
        pid_t parent = pid == getppid() ? 0 : pid;

        if (e)
                return -e;
        if (parent > 0 && !world_proc(parent))
                return -ENOENT;
        for (size_t i = 0; i < MAX_PROCS && v == 0; i++)
                if (world->procs[i].used && world->procs[i].alive && world->procs[i].parent == parent)
                        v = pids_add(list, world->procs[i].pid);
        return v;
}

int sys_processes(struct sys_pids *list)
{
        int e = kernel_call(CALL_PROCESSES), v = 0;

        if (e)
                return -e;
        for (size_t i = 0; i < MAX_PROCS && v == 0; i++)
                if (world->procs[i].used && world->procs[i].alive)
                        v = pids_add(list, world->procs[i].pid);
        return v;
}

int sys_environ_has(pid_t pid, const char *assignment unused_)
{
        int e = kernel_call(CALL_ENVIRON);

        if (e)
                return -e;
        return world_proc(pid) ? 0 : -ENOENT; /* sessions have to do */
}

int sys_read_file(const char *path, char *ret, size_t size, size_t *ret_n)
{
        cleanup_close_ int fd = -1;
        ssize_t n;

        if (starts_with(path, "/world/")) {
                int e = kernel_call(CALL_READ_FILE);
                if (e || world->pid_file[0] == 0)
                        return e ? -e : -ENOENT;
                n = snprintf(ret, size, "%s", world->pid_file);
        } else {
                fd = open(path, O_RDONLY | O_CLOEXEC);
                if (fd < 0)
                        return -errno;
                n = read(fd, ret, size - 1);
                if (n < 0)
                        return -errno;
                ret[n] = 0;
        }
        if (ret_n)
                *ret_n = (size_t)n;
        return 0;
}

/* ---- direct calls ---- */

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
        uint64_t us = clock == CLOCK_REALTIME ? sys_real_us() : clock == CLOCK_BOOTTIME ? world->now : sys_mono_us();

        *ts = (struct timespec){(time_t)(us / USEC_PER_SEC), (long)(us % USEC_PER_SEC * 1000)};
        return 0;
}

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
        int failed, v;

        if (number != SYS_pidfd_send_signal)
                return __real_syscall(number, a, b, c, d, e, f);
        failed = kernel_call(CALL_PIDFD_SIGNAL);
        if (failed)
                return as_errno(failed);
        v = a >= 0 && a < FDS ? deliver(pidfds[a], (int)b) : -EBADF;
        return v < 0 ? as_errno(-v) : 0;
}

int __wrap_clone(int (*function)(void *), void *stack, int flags, void *userdata, ...);
int __wrap_clone(int (*function)(void *) unused_, void *stack unused_, int flags unused_, void *userdata unused_, ...)
{
        int e = kernel_call(CALL_CLONE);

        return e ? as_errno(e) : LAUNCHER_PID;
}

int __real_socketpair(int domain, int type, int protocol, int ret[2]);
int __wrap_socketpair(int domain, int type, int protocol, int ret[2]);
int __wrap_socketpair(int domain, int type, int protocol, int ret[2])
{
        int e = kernel_call(CALL_SOCKETPAIR);

        return e ? as_errno(e) : __real_socketpair(domain, type, protocol, ret);
}

int __wrap_inotify_init1(int flags);
int __wrap_inotify_init1(int flags unused_)
{
        int e = kernel_call(CALL_INOTIFY_INIT);

        return e ? as_errno(e) : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_inotify_add_watch(int fd unused_, const char *path unused_, uint32_t mask unused_)
{
        int e = kernel_call(CALL_INOTIFY_ADD);

        return e ? as_errno(e) : 1;
}

ssize_t __real_pwrite64(int fd, const void *data, size_t size, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t size, off_t at)
{
        int e = kernel_call(fd == world->state_fd ? CALL_LOG_WRITE : CALL_PWRITE);

        return e ? as_errno(e) : __real_pwrite64(fd, data, size, at);
}

int __real_posix_fallocate64(int fd, off_t at, off_t size);
int __wrap_posix_fallocate64(int fd, off_t at, off_t size);
int __wrap_posix_fallocate64(int fd, off_t at, off_t size)
{
        int e = kernel_call(CALL_ALLOCATE);

        return e ? e : __real_posix_fallocate64(fd, at, size);
}

/* ---- datagrams ---- */

static ssize_t datagram(struct msghdr *h, int flags)
{
        const struct said *s = &world->said[0];
        size_t n = strlen(s->text);
        struct ucred u = {.pid = s->pid};
        struct cmsghdr *c = CMSG_FIRSTHDR(h);

        memcpy(h->msg_iov[0].iov_base, s->text, n);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_CREDENTIALS;
        c->cmsg_len = CMSG_LEN(sizeof(u));
        memcpy(CMSG_DATA(c), &u, sizeof(u));
        h->msg_controllen = CMSG_SPACE(sizeof(u));
        if (!(flags & MSG_PEEK))
                memmove(world->said, world->said + 1, sizeof(*s) * --world->n_said);
        return (ssize_t)n;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *h, int flags);
ssize_t __wrap_recvmsg(int fd unused_, struct msghdr *h, int flags)
{
        int e = kernel_call(CALL_RECVMSG);

        if (e)
                return as_errno(e);
        return world->n_said > 0 ? datagram(h, flags) : as_errno(EAGAIN);
}

/* ---- epoll and the timer ---- */

int __real_epoll_create1(int flags);
int __wrap_epoll_create1(int flags);
int __wrap_epoll_create1(int flags)
{
        int e = kernel_call(CALL_EPOLL_CREATE);

        return e ? as_errno(e) : __real_epoll_create1(flags);
}

int __wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epfd unused_, int op, int fd, struct epoll_event *event)
{
        int e = op == EPOLL_CTL_DEL ? 0 : kernel_call(op == EPOLL_CTL_ADD ? CALL_EPOLL_ADD : CALL_EPOLL_MOD);

        if (e)
                return as_errno(e);
        if (fd < 0 || fd >= FDS)
                return as_errno(EBADF);
        if (op != EPOLL_CTL_ADD && !watched[fd].used)
                return as_errno(ENOENT);
        watched[fd].used = op != EPOLL_CTL_DEL;
        if (op != EPOLL_CTL_DEL) {
                watched[fd].events = event->events;
                watched[fd].data = event->data;
        }
        return 0;
}

int __real_timerfd_create(clockid_t clock, int flags);
int __wrap_timerfd_create(clockid_t clock, int flags);
int __wrap_timerfd_create(clockid_t clock, int flags)
{
        int e = kernel_call(CALL_TIMER_CREATE);

        if (e)
                return as_errno(e);
        timer_fd = __real_timerfd_create(clock, flags);
        return timer_fd;
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old);
int __wrap_timerfd_settime(int fd unused_, int flags unused_, const struct itimerspec *new,
                           struct itimerspec *old unused_)
{
        (void)kernel_call(CALL_TIMER_SET);
        timer_at = (uint64_t) new->it_value.tv_sec *USEC_PER_SEC + (uint64_t) new->it_value.tv_nsec / 1000;
        timer_at -= sys_mono_us() - world->now;
        return 0;
}

static uint32_t ready(int fd)
{
        const struct manager *m = manager_of_world;
        struct pollfd p = {.fd = fd, .events = POLLIN};

        if (fd == timer_fd)
                return timer_at > 0 && timer_at <= world->now ? EPOLLIN : 0;
        if (fd == m->bell_fd)
                return poll(&p, 1, 0) > 0 ? EPOLLIN : 0;
        if (fd == m->notify_fd)
                return world->n_said > 0 ? EPOLLIN : 0;
        if (fd == m->inotify_fd)
                return world->pid_file_changed ? EPOLLIN : 0;
        if (fd == m->plans_fd)
                return watched[fd].events & EPOLLOUT;
        if (pidfds[fd] > 0 && fd != m->control_fd && fd != m->front_fds[0] && fd != m->signal_fd && fd != m->keeper_fd)
                return world_proc(pidfds[fd]) ? 0 : EPOLLIN;
        return 0;
}

static int collect(struct epoll_event *ret, int max)
{
        int n = 0;

        for (int fd = 0; fd < FDS && n < max; fd++) {
                uint32_t events = watched[fd].used ? ready(fd) : 0;
                if (events == 0)
                        continue;
                if (fd == timer_fd)
                        timer_at = 0;
                if (fd == manager_of_world->inotify_fd)
                        world->pid_file_changed = false;
                ret[n++] = (struct epoll_event){.events = events, .data = watched[fd].data};
        }
        return n;
}

/* The manager leaves the timer armed when a deadline goes (loop.c): that is no reason to wait. */
static bool timer_matters(void)
{
        return timer_at > 0 && (manager_of_world->heap_n > 0 || manager_of_world->publish_retry_us > 0 ||
                                manager_of_world->table_retry_us > 0 || manager_of_world->commit_retry_us > 0 ||
                                manager_of_world->idle_until_us > 0);
}

/* Nothing is ready: time passes up to what comes next. False when nothing ever will. */
static bool pass_time(int timeout_ms, bool *ret_timeout)
{
        const struct command *c = &world->scenario->commands[world->command];
        uint64_t at = world_next(), limit = timeout_ms > 0 ? world->now + (uint64_t)timeout_ms * 1000 : 0;

        if (timer_matters() && (at == 0 || timer_at < at))
                at = timer_at;
        if (!world->stopping && c->verb != DO_COMMAND_END && c->after_us > 0 &&
            (at == 0 || world->command_since + c->after_us < at))
                at = world->command_since + c->after_us;
        if (limit > 0 && (at == 0 || limit < at)) {
                *ret_timeout = true;
                at = limit;
        }
        if (at == 0)
                return false;
        world_run_until(at);
        return true;
}

static bool command_due(bool idle)
{
        const struct command *c = &world->scenario->commands[world->command];

        if (world->stopping || c->verb == DO_COMMAND_END)
                return false;
        if (world->command_begun)
                return true;
        return c->after_us == 0 ? idle : world->now >= world->command_since + c->after_us;
}

static void run_command(void)
{
        world->command_begun = true;
        doors_command(&world->scenario->commands[world->command], world->command);
        world->command_begun = false;
        world->command++;
        world->command_since = world->now;
}

static void all_is_quiet(void)
{
        struct durable_header *h = durable_header_of(world->map);

        if (!world->stopping) {
                check_rest(manager_of_world);
                world->stopping = true;
                story("stop everything");
                atomic_fetch_or(&h->requests, DURABLE_REQUEST_STOP);
                world_ring();
                return;
        }
        check_end(manager_of_world);
        world->done = true;
        manager_of_world->ending = true;
}

int __wrap_epoll_wait(int epfd, struct epoll_event *events, int max, int timeout_ms);
int __wrap_epoll_wait(int epfd unused_, struct epoll_event *events, int max, int timeout_ms)
{
        int e = kernel_call(CALL_EPOLL_WAIT);

        if (e)
                return as_errno(e);
        for (;;) {
                bool timed_out = false;
                int n = collect(events, max);

                if (n > 0)
                        return n;
                if (timeout_ms == 0)
                        return 0;
                if (command_due(false)) {
                        run_command();
                        return 0;
                }
                if (!pass_time(timeout_ms, &timed_out)) {
                        if (command_due(true))
                                run_command();
                        else
                                all_is_quiet();
                        return 0;
                }
                if (timed_out)
                        return 0;
        }
}

/* ---- places of the manager to look at, and to die at ---- */

int __real_loop_init(struct manager *m);
int __wrap_loop_init(struct manager *m);
int __wrap_loop_init(struct manager *m)
{
        manager_of_world = m;
        return __real_loop_init(m);
}

void __real_service_state_changed(struct manager *m, struct run *r, enum machine_state old);
void __wrap_service_state_changed(struct manager *m, struct run *r, enum machine_state old);
void __wrap_service_state_changed(struct manager *m, struct run *r, enum machine_state old)
{
        if (r->id < ARRAY_SIZE(world->names))
                (void)snprintf(world->names[r->id], sizeof(world->names[0]), "%s", r->name);
        story("%s: %s -> %s", r->name, machine_state_name(old), machine_state_name(r->d.state));
        __real_service_state_changed(m, r, old);
}

int __real_state_commit(struct state *s);
int __wrap_state_commit(struct state *s);
int __wrap_state_commit(struct state *s)
{
        (void)kernel_call(CALL_COMMIT);
        return __real_state_commit(s);
}

void __real_state_exits_acknowledge(struct state *s, uint32_t n);
void __wrap_state_exits_acknowledge(struct state *s, uint32_t n);
void __wrap_state_exits_acknowledge(struct state *s, uint32_t n)
{
        (void)kernel_call(CALL_ACKNOWLEDGE);
        __real_state_exits_acknowledge(s, n);
}

int __real_state_slot_alloc(struct state *s, uint32_t unit, uint32_t role, const uint8_t invocation[16],
                            uint32_t *ret_slot, uint32_t *ret_generation);
int __wrap_state_slot_alloc(struct state *s, uint32_t unit, uint32_t role, const uint8_t invocation[16],
                            uint32_t *ret_slot, uint32_t *ret_generation);
int __wrap_state_slot_alloc(struct state *s, uint32_t unit, uint32_t role, const uint8_t invocation[16],
                            uint32_t *ret_slot, uint32_t *ret_generation)
{
        int e = kernel_call(CALL_SLOT_ALLOC);

        return e ? -e : __real_state_slot_alloc(s, unit, role, invocation, ret_slot, ret_generation);
}

void __real_state_slot_free(struct state *s, uint32_t slot);
void __wrap_state_slot_free(struct state *s, uint32_t slot);
void __wrap_state_slot_free(struct state *s, uint32_t slot)
{
        (void)kernel_call(CALL_SLOT_FREE);
        __real_state_slot_free(s, slot);
}

int __real_handover_claim(void *map, uint32_t slot, uint32_t pid, uint64_t since_us, struct durable_exit *ret_exit);
int __wrap_handover_claim(void *map, uint32_t slot, uint32_t pid, uint64_t since_us, struct durable_exit *ret_exit);
int __wrap_handover_claim(void *map, uint32_t slot, uint32_t pid, uint64_t since_us, struct durable_exit *ret_exit)
{
        (void)kernel_call(CALL_CLAIM);
        return __real_handover_claim(map, slot, pid, since_us, ret_exit);
}

/* ---- memory ---- */

static bool memory_is_short(void)
{
        struct world *w = world;

        if (!w || !w->armed || inside > 0)
                return false;
        return ++w->n_allocs == w->alloc_at;
}

#define MEMORY(type, name, parameters, arguments)                                                                      \
        type __real_##name parameters;                                                                                 \
        type __wrap_##name parameters;                                                                                 \
        type __wrap_##name parameters                                                                                  \
        {                                                                                                              \
                if (memory_is_short()) {                                                                               \
                        story("memory is short in " #name);                                                            \
                        errno = ENOMEM;                                                                                \
                        return NULL;                                                                                   \
                }                                                                                                      \
                return __real_##name arguments;                                                                        \
        }
MEMORY(void *, malloc, (size_t n), (n))
MEMORY(void *, calloc, (size_t n, size_t size), (n, size))
MEMORY(void *, realloc, (void *p, size_t n), (p, n))
MEMORY(void *, reallocarray, (void *p, size_t n, size_t size), (p, n, size))
MEMORY(char *, strdup, (const char *s), (s))
MEMORY(char *, strndup, (const char *s, size_t n), (s, n))
