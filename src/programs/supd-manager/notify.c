/* SPDX-License-Identifier: MIT
 *
 * sd_notify(3): messages of services, and our own to whoever started supd.
 *
 * A message is looked at with MSG_PEEK, its effect committed, and only then taken from the queue, so that a death
 * between never loses one; taken twice it does no harm. Invariant: a sender that cannot be attributed to a unit that
 * lets it speak changes nothing.
 */
#include "manager.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/un.h>

enum { NOTIFY_MAX = 4096 };

static bool may_speak(const struct run *r, pid_t pid)
{
        const struct service_config *c = r->unit->service;

        switch (c->notify_access) {
        case NOTIFY_ALL:
                return true;
        case NOTIFY_EXEC:
                return (pid_t)r->d.main.pid == pid || (pid_t)r->d.control.pid == pid;
        case NOTIFY_MAIN:
                return (pid_t)r->d.main.pid == pid;
        case NOTIFY_NONE:
        case N_NOTIFY_ACCESSES:
                return false;
        }
        return false;
}

/* Who sent a datagram, and what came with it. */
struct sender {
        pid_t pid; /* 0 = not known */
        uid_t uid;
        int fds[SYS_SEND_FDS]; /* owned; -1 = taken */
        unsigned n_fds;
};

static void sender_done(struct sender *s)
{
        for (unsigned i = 0; i < s->n_fds; i++)
                close_fd_p(&s->fds[i]);
        s->n_fds = 0;
}

/* A number of µs as the whole of VALUE; USEC_INFINITY when it is none. */
static uint64_t number(const char *value)
{
        char *end;
        unsigned long long n;

        if (*value < '0' || *value > '9')
                return USEC_INFINITY;
        errno = 0;
        n = strtoull(value, &end, 10);
        return *end != 0 || errno != 0 ? USEC_INFINITY : n;
}

static void said_status(struct manager *m, struct run *r, const char *value, const struct sender *s unused_)
{
        char *copy = strdup(value);

        if (!copy)
                return;
        free(r->status_text);
        r->status_text = copy;
        engine_touch(m, r);
        if (state_put(m->state, RECORD_TEXT, r->id, copy, strlen(copy) + 1) < 0)
                (void)0; /* the next compaction writes it */
}

/* A service that is up, or on its way: what it says about its main process counts. */
static bool has_main_process(const struct run *r)
{
        enum machine_active a = machine_state_active(r->d.state);

        return r->d.state == STATE_START || r->d.state == STATE_START_POST || r->d.state == STATE_RUNNING ||
               a == MACHINE_RELOADING;
}

static void said_main_pid(struct manager *m, struct run *r, const char *value, const struct sender *s)
{
        uint64_t pid = number(value);

        if (pid <= 1 || pid > INT32_MAX || pid == r->d.main.pid || !has_main_process(r))
                return;
        if (s->uid != 0 && procs_owner(m, (pid_t)pid) != r) {
                log_line(m, r->name, "MAINPID=%s from %d is not a process of this unit; ignored", value, (int)s->pid);
                return;
        }
        (void)exits_claim_main(m, r, (pid_t)pid);
}

static void said_errno(struct manager *m, struct run *r, const char *value, const struct sender *s unused_)
{
        r->d.status_errno = atoi(value);
        engine_touch(m, r);
}

/* Moves the deadlines of the state and of the watchdog away, never nearer; where there is none, there is nothing to
 * prolong. */
static void said_extend(struct manager *m, struct run *r, const char *value, const struct sender *s unused_)
{
        static const enum deadline prolonged[] = {DEADLINE_STATE, DEADLINE_WATCHDOG};
        uint64_t us = number(value), now = sys_mono_us();

        if (us >= USEC_INFINITY - now || r->d.state == STATE_AUTO_RESTART)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(prolonged); i++) {
                uint64_t at = timer_get(r, prolonged[i]);
                if (at > 0)
                        timer_set(m, r, prolonged[i], MAX2(at, now + us));
        }
        engine_touch(m, r);
}

static void said_watchdog_usec(struct manager *m, struct run *r, const char *value, const struct sender *s unused_)
{
        uint64_t us = number(value);

        if (us == USEC_INFINITY || r->d.watchdog_us == us)
                return;
        r->d.watchdog_us = us;
        service_watchdog(m, r);
        engine_touch(m, r);
}

/* A ping changes no record: whoever takes over from us gives a whole period anyway. */
static void said_watchdog(struct manager *m, struct run *r, const char *value, const struct sender *s unused_)
{
        if (streq(value, "1")) {
                service_watchdog(m, r);
        } else if (streq(value, "trigger")) {
                log_line(m, r->name, "asks for what a missed watchdog ping brings");
                engine_post(m, r, EVENT_WATCHDOG, 0, 0);
        }
}

static const struct {
        const char *key;
        void (*said)(struct manager *, struct run *, const char *, const struct sender *);
} words[] = {
        {"MAINPID=", said_main_pid}, /* before READY=, which lets the unit go on */
        {"STATUS=", said_status},
        {"ERRNO=", said_errno},
        {"EXTEND_TIMEOUT_USEC=", said_extend},
        {"WATCHDOG_USEC=", said_watchdog_usec}, /* before WATCHDOG=, which begins a period */
        {"WATCHDOG=", said_watchdog},
};

/* The value of the last line of TEXT that begins with KEY, into RET[NOTIFY_MAX + 1]. */
static bool value_of(const char *text, const char *key, char *ret)
{
        const char *found = NULL;
        size_t n;

        for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (starts_with(line, key))
                        found = line + strlen(key);
        if (!found)
                return false;
        n = strcspn(found, "\n");
        memcpy(ret, found, n);
        ret[n] = 0;
        return true;
}

static bool has_line(const char *text, const char *line)
{
        char value[NOTIFY_MAX + 1];

        return value_of(text, line, value) && *value == 0;
}

/* Where a signal asked for a reload, only what was said behind it is an answer. */
static bool answers_signal(const struct run *r, const char *text)
{
        char value[NOTIFY_MAX + 1];
        uint64_t us = value_of(text, "MONOTONIC_USEC=", value) ? number(value) : USEC_INFINITY;

        return us != USEC_INFINITY && us >= r->d.reload_begin_us;
}

/* Of STOPPING=1, READY=1 and RELOADING=1 in one message the first counts; only to a signal RELOADING=1 and READY=1
 * together are an answer: begun and done. */
static void said_state(struct manager *m, struct run *r, const char *text)
{
        enum service_type t = r->unit->service->type;
        bool reloading = has_line(text, "RELOADING=1"), ready = has_line(text, "READY=1");
        bool stopping = has_line(text, "STOPPING=1");

        if (!reloading && !ready && !stopping)
                return;
        r->d.flags &= ~(UNIT_SAYS_RELOADING | UNIT_SAYS_STOPPING);
        r->d.flags |= stopping ? UNIT_SAYS_STOPPING : ready ? 0 : UNIT_SAYS_RELOADING;
        engine_touch(m, r);
        if (stopping) {
                engine_post(m, r, EVENT_STOPPING, 0, 0);
                return;
        }
        if (reloading && (r->d.state == STATE_RELOAD_SIGNAL ? answers_signal(r, text) : !ready))
                engine_post(m, r, EVENT_RELOADING, 0, 0);
        if (ready && (r->d.state != STATE_START || t == SERVICE_NOTIFY || t == SERVICE_NOTIFY_RELOAD))
                engine_post(m, r, EVENT_READY, 0, 0);
}

/* FDSTORE=1, FDSTOREREMOVE=1. 0, or -EAGAIN: once more later. */
static int said_fds(struct manager *m, struct run *r, const char *text, struct sender *s)
{
        char name[NOTIFY_MAX + 1], poll[NOTIFY_MAX + 1];
        bool named = value_of(text, "FDNAME=", name);

        if (has_line(text, "FDSTOREREMOVE=1")) {
                if (named)
                        fdstore_remove(m, r, name);
                return 0;
        }
        if (!has_line(text, "FDSTORE=1"))
                return 0;
        return fdstore_keep(m, r, named ? name : NULL, !value_of(text, "FDPOLL=", poll) || !streq(poll, "0"), s->fds,
                            s->n_fds);
}

/* 0, or -EAGAIN: nothing but fds was taken, and not all of them. */
static int take(struct manager *m, struct run *r, const char *text, struct sender *s)
{
        char value[NOTIFY_MAX + 1];
        int v = said_fds(m, r, text, s);

        if (v < 0)
                return v;

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (value_of(text, words[i].key, value))
                        words[i].said(m, r, value, s);
        said_state(m, r, text);
        return 0;
}

static void sender_fill(struct sender *s, struct msghdr *h)
{
        *s = (struct sender){0};
        for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
                size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                struct ucred u;
                if (c->cmsg_level != SOL_SOCKET)
                        continue;
                if (c->cmsg_type == SCM_CREDENTIALS) {
                        memcpy(&u, CMSG_DATA(c), sizeof(u));
                        s->pid = u.pid;
                        s->uid = u.uid;
                } else if (c->cmsg_type == SCM_RIGHTS && s->n_fds + n <= ARRAY_SIZE(s->fds)) { /* SCM_MAX_FD */
                        memcpy(s->fds + s->n_fds, CMSG_DATA(c), n * sizeof(int));
                        s->n_fds += (unsigned)n;
                }
        }
}

/* RET_SENDER is filled when a datagram was there: the caller calls sender_done(). */
static ssize_t receive(struct manager *m, char *text, int flags, struct sender *ret_sender)
{
        union {
                struct cmsghdr h;
                char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(SYS_SEND_FDS * sizeof(int))];
        } control;
        struct iovec iov = {text, NOTIFY_MAX};
        struct msghdr h = {.msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = control.space,
                           .msg_controllen = sizeof(control.space)};
        ssize_t n = recvmsg(m->notify_fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags);

        if (n < 0)
                return -errno;
        sender_fill(ret_sender, &h);
        return n;
}

/* Whose message is it? A sender that has ended meanwhile is known as long as its exit has not been taken. */
static struct run *owner_of(struct manager *m, pid_t sender)
{
        struct run *r = procs_owner(m, sender);

        for (uint32_t i = 0; !r && i < m->n_runs; i++) {
                const struct unit_durable *d = &m->runs[i]->d;
                if (((d->main.flags & PROCESS_RUNNING) && d->main.pid == (uint32_t)sender) ||
                    ((d->control.flags & PROCESS_RUNNING) && d->control.pid == (uint32_t)sender))
                        r = m->runs[i];
        }
        return r;
}

/* True when P is an ancestor of PID, or PID itself, and the launcher has not noted yet that it runs. */
static bool starts_now(struct manager *m, const struct process_durable *p, pid_t pid)
{
        struct sys_stat st;

        if (!(p->flags & PROCESS_LAUNCHING) || p->generation == 0)
                return false;
        for (int depth = 0; depth < 64 && pid > 1; depth++) {
                if (atomic_load(&durable_pids(state_map(m->state))[p->slot]) == (uint32_t)pid)
                        return true;
                if (sys_stat(pid, &st) < 0)
                        return false;
                pid = st.parent;
        }
        return false;
}

/* What is to be done about a message that was looked at. 0: it is dealt with; -EAGAIN: later. */
static int message_take(struct manager *m, const char *text, struct sender *s)
{
        struct run *r = s->pid > 0 ? owner_of(m, s->pid) : NULL;
        int v = 0;

        if (r && (starts_now(m, &r->d.main, s->pid) || starts_now(m, &r->d.control, s->pid)))
                return -EAGAIN; /* the launcher is about to ring */
        if (r && r->unit->service && may_speak(r, s->pid))
                v = take(m, r, text, s);
        else if (m->verbose)
                log_line(m, r ? r->name : NULL, "notification from %d ignored: %s", (int)s->pid,
                         r ? "NotifyAccess= does not allow it" : "it belongs to no unit");
        if (v == -EAGAIN)
                (void)loop_change(m, m->keeper_source, EPOLLOUT); /* keeper_ready() comes back to it */
        return v;
}

/* The message that was looked at is dealt with, and in the record. */
static void receive_away(struct manager *m)
{
        char text[NOTIFY_MAX + 1];
        struct sender sender;

        if (receive(m, text, 0, &sender) >= 0)
                sender_done(&sender);
}

/* False: what the first message led to could not be committed yet. It stays, so that it outlives us. */
static bool commit_is_there(struct manager *m)
{
        if (m->notify_uncommitted && m->commit_retry_us > 0)
                return false;
        if (m->notify_uncommitted)
                receive_away(m);
        m->notify_uncommitted = false;
        return true;
}

/* Called before exits are taken: what a process said before its end comes before its end. */
void notify_take(struct manager *m)
{
        char text[NOTIFY_MAX + 1];
        struct sender sender;

        if (!commit_is_there(m))
                return;
        launch_look(m); /* the sender's pid may have come to stand in its slot just now */
        for (int i = 0; i < 64; i++) {
                ssize_t n = receive(m, text, MSG_PEEK, &sender);
                int v;
                if (n < 0)
                        break;
                text[n] = 0;
                v = message_take(m, text, &sender);
                sender_done(&sender);
                if (v < 0) {
                        m->notify_held = loop_change(m, m->notify_source, 0) == 0;
                        return;
                }
                engine_settle(m);
                m->notify_uncommitted = true;
                if (!commit_is_there(m)) {
                        m->notify_held = loop_change(m, m->notify_source, 0) == 0;
                        return; /* loop_run() comes back to it */
                }
        }
        if (m->notify_held)
                m->notify_held = loop_change(m, m->notify_source, EPOLLIN) < 0;
}

static void notify_ready(struct manager *m, struct source *s unused_, uint32_t events unused_)
{
        notify_take(m);
}

int notify_open(struct manager *m)
{
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        int on = 1;

        if (m->notify_fd < 0) {
                (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", m->notify_path);
                if (strlen(m->notify_path) >= sizeof(a.sun_path))
                        return -ENAMETOOLONG;
                m->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                if (m->notify_fd < 0)
                        return -errno;
                (void)unlink(m->notify_path);
                if (bind(m->notify_fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
                    setsockopt(m->notify_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0) {
                        int r = -errno;
                        close_fd_p(&m->notify_fd);
                        return r;
                }
                (void)chmod(m->notify_path, 0666);
                keeper_store(m, "notify", m->notify_fd);
        }
        return loop_add(m, m->notify_fd, EPOLLIN, notify_ready, NULL, &m->notify_source);
}

void notify_self(const char *text)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        cleanup_close_ int fd = -1;
        size_t n;

        if (!path || (*path != '/' && *path != '@'))
                return;
        n = strlen(path);
        if (n >= sizeof(a.sun_path))
                return;
        memcpy(a.sun_path, path, n);
        if (*path == '@')
                a.sun_path[0] = 0;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0)
                (void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&a,
                             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

/* Once, when everything that the start brought along has come to its end: whoever started supd may go on. */
void notify_started(struct manager *m)
{
        if (m->ready_said || !(m->meta.flags & META_BOOTED) || !m->table || status_header(m->table)->n_jobs > 0)
                return;
        m->ready_said = true;
        notify_self("READY=1\nSTATUS=Services are started");
}
