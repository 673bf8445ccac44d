/* SPDX-License-Identifier: MIT
 *
 * Packets to the manager's control socket: any bytes, through the real server. What an operation is given is what it
 * may rely on, every answer can be read, and the server goes on serving others.
 *
 * Input: packets of two bytes (size, and in the high bit: with a header that fits) each.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "control/control-format.h"
#include "control/control.h"
#include "fuzz.h"
#include "manager-ops.h"

static struct {
        struct control_server *server;
        void *cookie; /* of the peer that came last */
        int listen_fd, client;
        unsigned n_closed;
} f = {.listen_fd = -1, .client = -1};

static int watch(void *u unused_, int fd unused_, bool want_write unused_, void *cookie)
{
        if (cookie)
                f.cookie = cookie;
        return 0;
}

static void forget(void *u unused_, int fd unused_)
{
        f.n_closed++;
        f.cookie = NULL;
}

static void dial(void)
{
        struct sockaddr_un a;
        socklen_t size = sizeof(a);

        close_fd_p(&f.client);
        if (f.cookie)
                control_server_ready(f.server, f.cookie, true, false, true);
        f.client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        CLAIM(f.client >= 0 && getsockname(f.listen_fd, (struct sockaddr *)&a, &size) == 0);
        CLAIM(connect(f.client, (struct sockaddr *)&a, size) == 0);
        control_server_ready(f.server, NULL, true, false, false);
        CLAIM(f.cookie && control_server_n_peers(f.server) == 1);
}

static void begin(void)
{
        static const struct control_poll poll = {watch, forget, NULL};
        struct sockaddr_un a = {.sun_family = AF_UNIX};

        if (!f.server) {
                f.listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                CLAIM(bind(f.listen_fd, (struct sockaddr *)&a, sizeof(a.sun_family)) == 0 &&
                      listen(f.listen_fd, 8) == 0);
                CLAIM(control_server_new(f.listen_fd, &ops, NULL, &f.server) == 0);
                ops_server = f.server;
                CLAIM(control_server_set_poll(f.server, &poll) == 0);
        }
        dial();
}

static void read_answers(void)
{
        static char packet[CONTROL_PACKET_MAX + 1];
        struct control_header h;

        for (;;) {
                ssize_t n = recv(f.client, packet, sizeof(packet), MSG_DONTWAIT);
                if (n <= 0)
                        return;
                CLAIM(control_header_check(packet, (size_t)n, &h) == 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char packet[CONTROL_PACKET_MAX + 4096];

        begin();
        while (size > 2) {
                bool whole = data[1] & 0x80;
                size_t n = MIN2((size_t)data[0] | (size_t)(data[1] & 0x7f) << 8, size - 2), at = 0;
                struct control_header h = {CONTROL_MAGIC, CONTROL_VERSION, 0, data[2] % 32, 9, (uint32_t)n - 1};

                if (whole && n > 0) {
                        memcpy(packet, &h, sizeof(h));
                        memcpy(packet + sizeof(h), data + 3, n - 1);
                        at = sizeof(h) + n - 1;
                } else {
                        memcpy(packet, data + 2, n);
                        at = n;
                }
                if (at > 0 && send(f.client, packet, at, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)at && f.cookie)
                        control_server_ready(f.server, f.cookie, true, false, false);
                read_answers();
                if (!f.cookie)
                        dial(); /* it was sent away, and others are served */
                data += 2 + n;
                size -= 2 + n;
        }
        return 0;
}
