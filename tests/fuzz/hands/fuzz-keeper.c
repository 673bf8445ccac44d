/* SPDX-License-Identifier: MIT
 *
 * Messages to the keeper: any bytes, with any number of fds, through its real socket. What the durable state says of
 * the store is what the process holds, each name once; the manager's memory beside it is not believed.
 *
 * Input: messages of one byte (bits 0-1: how many fds; bit 2: a whole message, whose kind and name follow; else as many
 * bytes as the next byte says) each.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "programs/supd/keeper.h"

static struct keeper k;

static void begin(void)
{
        if (k.map)
                return;
        k.map = mmap(NULL, DURABLE_LOG_A, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        CLAIM(k.map != MAP_FAILED);
        k.header = durable_header_of(k.map);
        CLAIM(store_open(&k) == 0);
}

static void send_one(const void *bytes, size_t size, unsigned n_fds)
{
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(3 * sizeof(int))];
        } control = {0};
        const int fds[3] = {k.socket_fd, k.socket_fd, k.socket_fd};
        struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
        struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

        if (n_fds > 0) {
                mh.msg_control = &control;
                mh.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                control.header.cmsg_level = SOL_SOCKET;
                control.header.cmsg_type = SCM_RIGHTS;
                control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
        }
        (void)sendmsg(k.manager_socket_fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The lowest fd that is free: it grows with each that is held, and shows one that was forgotten. */
static int lowest_fd(void)
{
        int fd = dup(k.socket_fd);

        CLAIM(fd >= 0);
        (void)close(fd);
        return fd;
}

static int check_store(void)
{
        int held = 0;
        uint32_t n_fds = atomic_load(&k.header->n_fds);

        for (uint32_t i = 0; i < DURABLE_MAX_FDS; i++) {
                const struct durable_fd *e = &durable_fds(k.map)[i];
                int fd = atomic_load(&e->fd);
                if (fd <= 0)
                        continue;
                held++;
                CLAIM(i < n_fds && e->name[0] != '\0' && memchr(e->name, '\0', sizeof(e->name)));
                CLAIM(!strchr(e->name, '/') && fcntl(fd, F_GETFD) == FD_CLOEXEC);
                for (uint32_t j = 0; j < i; j++)
                        CLAIM(atomic_load(&durable_fds(k.map)[j].fd) <= 0 ||
                              !streq(durable_fds(k.map)[j].name, e->name));
        }
        return held;
}

static void forget_all(void)
{
        for (uint32_t i = 0; i < DURABLE_MAX_FDS; i++) {
                struct durable_fd *e = &durable_fds(k.map)[i];
                int fd = atomic_load(&e->fd);
                if (fd > 0)
                        (void)close(fd);
                memset(e, 0, sizeof(*e));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        int first;

        begin();
        first = lowest_fd();
        while (size > 1) {
                struct handover_message m = {0};
                unsigned n_fds = data[0] & 3;
                bool whole = data[0] & 4;
                size_t n = MIN2(whole ? sizeof(m) - 4 : (size_t)data[1], size - 1);

                if (whole) {
                        m.kind = data[1];
                        memcpy(m.name, data + 1 + (n > 1), n > 1 ? MIN2(n - 1, sizeof(m.name)) : 0);
                        send_one(&m, sizeof(m), n_fds);
                } else {
                        send_one(data + 1, n, n_fds);
                }
                data += 1 + n;
                size -= 1 + n;
                (void)store_read(&k);
        }
        store_drain(&k);
        (void)check_store();
        forget_all();
        CLAIM(lowest_fd() == first); /* nothing is held that the state does not say */
        return 0;
}
