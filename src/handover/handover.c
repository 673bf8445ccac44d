/* SPDX-License-Identifier: MIT
 *
 * Messages to the keeper, inherited fds, and the claim protocol of abi/durable.h.
 *
 * Invariant: a claim can be made again, by the same manager or another, and says the same; it never leaves a pid in a
 * slot whose exit is in the ring.
 */
#include "handover/handover.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

static int fd_close_on_exec(int fd)
{
        int flags = fcntl(fd, F_GETFD);

        if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0)
                return -errno;
        return 0;
}

int handover_fds_parse(const char *text, struct handover_fds *ret)
{
        struct handover_fds f;
        int end = 0, r = 0;

        if (sscanf(text, "%9d,%9d,%9d,%9d%n", &f.state, &f.bell, &f.keeper, &f.life, &end) != 4 || text[end] != '\0')
                return -EINVAL;
        const int all[] = {f.state, f.bell, f.keeper, f.life};
        for (size_t i = 0; i < ARRAY_SIZE(all) && r == 0; i++)
                r = fd_close_on_exec(all[i]);
        if (r == 0)
                *ret = f;
        return r;
}

int handover_map(int state_fd, void **ret_map)
{
        void *map = mmap(NULL, DURABLE_FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, state_fd, 0);
        const struct durable_header *h = map;

        if (map == MAP_FAILED)
                return -errno;
        if (memcmp(h->magic, DURABLE_MAGIC, sizeof(h->magic)) != 0 || h->major != DURABLE_MAJOR) {
                (void)munmap(map, DURABLE_FILE_SIZE);
                return -EINVAL;
        }
        for (uint32_t i = 0; i < MIN2(atomic_load(&h->n_fds), DURABLE_MAX_FDS); i++)
                if (atomic_load(&durable_fds(map)[i].fd) > 0)
                        (void)fd_close_on_exec(atomic_load(&durable_fds(map)[i].fd));
        *ret_map = map;
        return 0;
}

static int message_send(int keeper_fd, uint32_t kind, const char *name, int fd)
{
        struct handover_message m = {.kind = kind};
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = {0};
        struct iovec iov = {.iov_base = &m, .iov_len = sizeof(m)};
        struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

        if (name) {
                if (*name == '\0' || strlen(name) >= sizeof(m.name) || strchr(name, '/'))
                        return -EINVAL;
                memcpy(m.name, name, strlen(name));
        }
        if (fd >= 0) {
                mh.msg_control = &control;
                mh.msg_controllen = sizeof(control);
                control.header.cmsg_level = SOL_SOCKET;
                control.header.cmsg_type = SCM_RIGHTS;
                control.header.cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
        }
        return sendmsg(keeper_fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int handover_store(int keeper_fd, const char *name, int fd)
{
        return fd < 0 ? -EBADF : message_send(keeper_fd, HANDOVER_STORE, name, fd);
}

int handover_drop(int keeper_fd, const char *name)
{
        return message_send(keeper_fd, HANDOVER_DROP, name, -1);
}

int handover_ring(int keeper_fd)
{
        return message_send(keeper_fd, HANDOVER_RING, NULL, -1);
}

int handover_reexec(int keeper_fd)
{
        return message_send(keeper_fd, HANDOVER_REEXEC, NULL, -1);
}

int handover_inherited(void *map, const char *name)
{
        uint32_t n = MIN2(atomic_load(&durable_header_of(map)->n_fds), DURABLE_MAX_FDS);

        for (uint32_t i = 0; i < n; i++) {
                struct durable_fd *e = &durable_fds(map)[i];
                int fd = atomic_load(&e->fd);

                if (fd > 0 && strncmp(e->name, name, sizeof(e->name)) == 0)
                        return fd;
        }
        return -ENOENT;
}

/* The keeper may be writing this very entry: what was read counts when its pid is still there afterwards. */
static bool orphan_read(struct durable_orphan *o, uint32_t pid, uint64_t since_us, struct durable_exit *ret)
{
        struct durable_exit e = {.pid = pid};

        if (atomic_load(&o->pid) != pid)
                return false;
        e.code = o->code;
        e.status = o->status;
        e.time_us = o->time_us;
        atomic_thread_fence(memory_order_seq_cst);
        if (atomic_load(&o->pid) != pid || e.time_us < since_us)
                return false;
        *ret = e;
        return true;
}

bool handover_orphan(void *map, uint32_t pid, uint64_t since_us, struct durable_exit *ret)
{
        uint32_t n = MIN2(atomic_load(&durable_header_of(map)->n_orphans), DURABLE_MAX_ORPHANS);

        /* The keeper counts an entry after it has written it; the one being written lies one further. */
        for (uint32_t i = 0; i < MIN2(n + 1, DURABLE_MAX_ORPHANS); i++)
                if (orphan_read(&durable_orphans(map)[i], pid, since_us, ret))
                        return true;
        return false;
}

void handover_orphan_forget(void *map, uint32_t pid)
{
        for (uint32_t i = 0; i < DURABLE_MAX_ORPHANS; i++) {
                uint32_t expected = pid;
                (void)atomic_compare_exchange_strong(&durable_orphans(map)[i].pid, &expected, 0);
        }
}

/* True when the exit of the slot's generation is in the ring, or was; then nothing must be left in pids[]. */
static bool told_by_ring(void *map, uint32_t slot, uint32_t pid)
{
        struct durable_slot *s = &durable_slots(map)[slot];

        if (atomic_load(&s->exited) != atomic_load(&s->generation))
                return false;
        (void)atomic_compare_exchange_strong(&durable_pids(map)[slot], &pid, 0);
        return true;
}

int handover_claim(void *map, uint32_t slot, uint32_t pid, uint64_t since_us, struct durable_exit *ret_exit)
{
        struct durable_slot *s = &durable_slots(map)[slot];
        struct durable_exit e;

        if (told_by_ring(map, slot, pid))
                return 0;
        atomic_store(&s->last_pid, pid);
        atomic_store(&s->launch, LAUNCH_CLAIMED);
        atomic_store(&durable_pids(map)[slot], pid);
        atomic_thread_fence(memory_order_seq_cst);
        if (told_by_ring(map, slot, pid) || !handover_orphan(map, pid, since_us, &e))
                return 0;
        e.slot = slot;
        e.generation = atomic_load(&s->generation);
        *ret_exit = e;
        return 1;
}
