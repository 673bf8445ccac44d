/* SPDX-License-Identifier: MIT
 *
 * The fd store: what the manager sends is kept, and the next manager inherits it at the same number.
 *
 * Not here: what the fds are. Invariant: durable_fds() lists exactly the fds held; a name is there at most once; a bad
 * message changes nothing but a count.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "keeper.h"

#define STORE_BOUND 64 /* messages per turn */

int store_open(struct keeper *k)
{
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
                say("cannot create the manager's socket: %s", strerror(errno));
                return -errno;
        }
        k->socket_fd = pair[0];
        k->manager_socket_fd = pair[1];
        return 0;
}

static bool entry_used(const struct durable_fd *e)
{
        return atomic_load(&e->fd) > 0;
}

uint32_t store_entries(const struct keeper *k)
{
        return MIN2(atomic_load(&k->header->n_fds), DURABLE_MAX_FDS);
}

static struct durable_fd *entry_find(struct keeper *k, const char *name)
{
        uint32_t n = store_entries(k);

        for (uint32_t i = 0; i < n; i++) {
                struct durable_fd *e = &durable_fds(k->map)[i];
                if (entry_used(e) && strncmp(e->name, name, sizeof(e->name)) == 0)
                        return e;
        }
        return NULL;
}

/* A hole, or one more. */
static struct durable_fd *entry_free(struct keeper *k)
{
        uint32_t n = store_entries(k);

        for (uint32_t i = 0; i < n; i++)
                if (!entry_used(&durable_fds(k->map)[i]))
                        return &durable_fds(k->map)[i];
        if (n >= DURABLE_MAX_FDS)
                return NULL;
        atomic_store(&durable_fds(k->map)[n].fd, -1); /* a keeper that died here may have left its number */
        return &durable_fds(k->map)[n];
}

static void count_used(struct keeper *k, const struct durable_fd *e)
{
        uint32_t n = MAX2(store_entries(k), (uint32_t)(e - durable_fds(k->map)) + 1);

        while (n > 0 && !entry_used(&durable_fds(k->map)[n - 1]))
                n--;
        atomic_store(&k->header->n_fds, n);
}

static int store_put(struct keeper *k, const char *name, int *fd)
{
        struct durable_fd *e = entry_find(k, name);
        int old;

        if (!e)
                e = entry_free(k);
        if (!e || *fd <= 0)
                return -ENOSPC;
        old = atomic_load(&e->fd);
        (void)snprintf(e->name, sizeof(e->name), "%s", name);
        atomic_store(&e->fd, take_fd(fd));
        if (old > 0)
                (void)close(old);
        count_used(k, e);
        return 0;
}

static int store_drop(struct keeper *k, const char *name, int *fd)
{
        struct durable_fd *e = entry_find(k, name);
        int old;

        if (!e || *fd >= 0)
                return -ENOENT;
        old = atomic_load(&e->fd);
        atomic_store(&e->fd, -1);
        memset(e->name, 0, sizeof(e->name));
        (void)close(old);
        count_used(k, e);
        return 0;
}

static int store_ring(struct keeper *k, const char *name, int *fd)
{
        (void)k;
        (void)name;
        return *fd >= 0 ? -EINVAL : 0; /* the turn that reads this looks at the header anyway */
}

static int store_reexec(struct keeper *k, const char *name, int *fd)
{
        (void)name;
        if (*fd >= 0)
                return -EINVAL;
        k->reexec.asked = true;
        return 0;
}

static const struct {
        bool named;
        int (*take)(struct keeper *k, const char *name, int *fd);
} kinds[] = {
        [HANDOVER_STORE] = {true, store_put},
        [HANDOVER_DROP] = {true, store_drop},
        [HANDOVER_RING] = {false, store_ring},
        [HANDOVER_REEXEC] = {false, store_reexec},
};

static int message_take(struct keeper *k, const struct handover_message *m, size_t size, int *fd)
{
        if (size != sizeof(*m) || m->kind >= ARRAY_SIZE(kinds) || !kinds[m->kind].take)
                return -EINVAL;
        if (kinds[m->kind].named &&
            (m->name[0] == '\0' || !memchr(m->name, '\0', sizeof(m->name)) || memchr(m->name, '/', strlen(m->name))))
                return -EINVAL;
        return kinds[m->kind].take(k, m->name, fd);
}

/* The first passed fd; all others are closed and make the message a bad one. */
static int fds_of(struct msghdr *mh, bool *ret_bad)
{
        int first = -1;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
                size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t i = 0; i < n; i++) {
                        int fd;
                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                        if (first < 0)
                                first = fd;
                        else
                                close_fd_p(&fd), *ret_bad = true;
                }
        }
        return first;
}

/* 1 = read one, 0 = nothing there */
static int message_read(struct keeper *k)
{
        struct handover_message m = {0};
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(8 * sizeof(int))];
        } control;
        struct iovec iov = {.iov_base = &m, .iov_len = sizeof(m)};
        struct msghdr mh = {
                .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(k->socket_fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        cleanup_close_ int fd = -1;
        bool bad = false;

        if (n < 0)
                return 0;
        fd = fds_of(&mh, &bad);
        bad |= (mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
        if (bad || message_take(k, &m, (size_t)n, &fd) < 0)
                atomic_fetch_add(&k->header->bad_messages, 1);
        return 1;
}

/* A manager that is dead sends no more: what it sent is taken before its successor inherits. */
void store_drain(struct keeper *k)
{
        for (unsigned i = 0; i < 1u << 16 && message_read(k) > 0; i++)
                ;
}

bool store_read(struct keeper *k)
{
        for (unsigned i = 0; i < STORE_BOUND; i++)
                if (message_read(k) == 0)
                        return false;
        return true;
}

void store_close_on_exec(const struct keeper *k, bool on)
{
        for (uint32_t i = 0; i < store_entries(k); i++)
                if (entry_used(&durable_fds(k->map)[i]))
                        (void)fcntl(atomic_load(&durable_fds(k->map)[i].fd), F_SETFD, on ? FD_CLOEXEC : 0);
}
