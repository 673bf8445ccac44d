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

static void said_ready(struct manager *m, struct run *r, const char *value, pid_t sender unused_)
{
        enum service_type t = r->unit->service->type;

        if (streq(value, "1") && (t == SERVICE_NOTIFY || t == SERVICE_NOTIFY_RELOAD))
                engine_post(m, r, EVENT_READY, 0, 0);
}

static void said_status(struct manager *m, struct run *r, const char *value, pid_t sender unused_)
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

static void said_main_pid(struct manager *m, struct run *r, const char *value, pid_t sender)
{
        char *end;
        long pid = strtol(value, &end, 10);
        struct run *owner;

        if (end == value || *end != 0 || pid <= 1 || pid > INT32_MAX)
                return;
        if ((uint32_t)pid == r->d.main.pid)
                return;
        owner = procs_owner(m, (pid_t)pid);
        if (owner != r) {
                log_line(m, r->name, "MAINPID=%ld from %d is not a process of this unit; ignored", pid, (int)sender);
                return;
        }
        (void)exits_claim_main(m, r, (pid_t)pid);
}

static void said_errno(struct manager *m, struct run *r, const char *value, pid_t sender unused_)
{
        r->d.status_errno = atoi(value);
        engine_touch(m, r);
}

/* Moves the deadline of a start or stop away, never nearer; where there is none, there is nothing to prolong. */
static void said_extend(struct manager *m, struct run *r, const char *value, pid_t sender unused_)
{
        char *end;
        unsigned long long us = strtoull(value, &end, 10);
        uint64_t now = sys_mono_us();

        if (end == value || *end != 0 || us >= USEC_INFINITY - now || r->d.deadline_us == 0 ||
            r->d.state == STATE_AUTO_RESTART)
                return;
        timer_set(m, r, MAX2(r->d.deadline_us, now + us));
        engine_touch(m, r);
}

static const struct {
        const char *key;
        void (*said)(struct manager *, struct run *, const char *, pid_t);
} words[] = {
        {"MAINPID=", said_main_pid}, /* before READY=, which lets the unit go on */
        {"STATUS=", said_status},    {"ERRNO=", said_errno}, {"EXTEND_TIMEOUT_USEC=", said_extend},
        {"READY=", said_ready},
};

static void take(struct manager *m, struct run *r, char *text, pid_t sender)
{
        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                char *save = NULL, *copy = strdup(text);
                if (!copy)
                        return;
                for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                        if (starts_with(line, words[i].key))
                                words[i].said(m, r, line + strlen(words[i].key), sender);
                free(copy);
        }
}

/* The sender's pid, or 0; fds that come along are closed. */
static pid_t sender_of(struct msghdr *h)
{
        pid_t pid = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
                if (c->cmsg_level != SOL_SOCKET)
                        continue;
                if (c->cmsg_type == SCM_CREDENTIALS) {
                        struct ucred u;
                        memcpy(&u, CMSG_DATA(c), sizeof(u));
                        pid = u.pid;
                } else if (c->cmsg_type == SCM_RIGHTS) {
                        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                        for (size_t i = 0; i < n; i++) {
                                int fd;
                                memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
                                (void)close(fd);
                        }
                }
        }
        return pid;
}

static ssize_t receive(struct manager *m, char *text, int flags, pid_t *ret_sender)
{
        union {
                struct cmsghdr h;
                char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(253 * sizeof(int))];
        } control;
        struct iovec iov = {text, NOTIFY_MAX};
        struct msghdr h = {.msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = control.space,
                           .msg_controllen = sizeof(control.space)};
        ssize_t n = recvmsg(m->notify_fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags);

        if (n < 0)
                return -errno;
        *ret_sender = sender_of(&h);
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

/* Called before exits are taken: what a process said before its end comes before its end. */
void notify_take(struct manager *m)
{
        char text[NOTIFY_MAX + 1];
        pid_t sender = 0;

        launch_look(m); /* the sender's pid may have come to stand in its slot just now */
        for (int i = 0; i < 64; i++) {
                ssize_t n = receive(m, text, MSG_PEEK, &sender);
                struct run *r;
                if (n < 0)
                        break;
                text[n] = 0;
                r = sender > 0 ? owner_of(m, sender) : NULL;
                if (r && (starts_now(m, &r->d.main, sender) || starts_now(m, &r->d.control, sender))) {
                        /* the launcher is about to ring: then again */
                        m->notify_held = loop_change(m, m->notify_source, 0) == 0;
                        return;
                }
                if (r && r->unit->service && may_speak(r, sender))
                        take(m, r, text, sender);
                else if (m->verbose)
                        log_line(m, r ? r->name : NULL, "notification from %d ignored: %s", (int)sender,
                                 r ? "NotifyAccess= does not allow it" : "it belongs to no unit");
                engine_settle(m);
                (void)receive(m, text, 0, &sender);
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
