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

static struct {
        struct control_server *server;
        void *cookie; /* of the peer that came last */
        int listen_fd, client;
        unsigned n_closed;
} f = {.listen_fd = -1, .client = -1};

static void good_unit(const char *unit)
{
        CLAIM(unit && strlen(unit) < CONTROL_NAME_MAX);
}

static int op_enqueue(void *u unused_, const char *unit, enum job_request request, enum job_mode mode,
                      uint32_t *ret_job, struct control_error *e)
{
        const struct control_job job = {.id = 5, .unit = unit, .type = JOB_START, .result = RESULT_DONE};

        good_unit(unit);
        CLAIM((unsigned)request < 64 && (unsigned)mode < 64);
        if (unit[0] == 'n') {
                control_error_set(e, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not found.", unit);
                return -ENOENT;
        }
        control_job_new(f.server, &job);
        control_unit_changed(f.server, unit);
        control_job_removed(f.server, &job);
        *ret_job = 5;
        return 0;
}

static int op_kill(void *u unused_, const char *unit, const char *whom, int signal unused_,
                   struct control_error *e unused_)
{
        good_unit(unit);
        CLAIM(whom && strlen(whom) < CONTROL_PACKET_MAX);
        return 0;
}

static int op_reset(void *u unused_, const char *unit, struct control_error *e unused_)
{
        if (unit)
                good_unit(unit);
        return 0;
}

static int op_nothing(void *u unused_, struct control_error *e unused_)
{
        return 0;
}

static int op_number(void *u unused_, uint32_t id, struct control_error *e unused_)
{
        return id % 2 ? -ENOENT : 0;
}

static int op_load(void *u unused_, const char *unit, bool only unused_, char ret_id[256],
                   struct control_error *e unused_)
{
        good_unit(unit);
        (void)snprintf(ret_id, 256, "%s", unit);
        return 0;
}

static int op_by_pid(void *u unused_, uint32_t pid unused_, char ret_id[256], struct control_error *e unused_)
{
        (void)snprintf(ret_id, 256, "a.service");
        return 0;
}

static int op_unit(void *u unused_, const char *unit, bool brief unused_, struct control_answer *a,
                   struct control_error *e unused_)
{
        good_unit(unit);
        control_put_interface(a, "Unit");
        control_put_string(a, "Id", unit);
        control_put_u64(a, "N", 7);
        return 0;
}

static int op_manager(void *u unused_, struct control_answer *a, struct control_error *e unused_)
{
        control_put_interface(a, "Manager");
        control_put_bool(a, "Yes", true);
        return 0;
}

static int op_units(void *u unused_, struct control_answer *a, struct control_error *e unused_)
{
        for (unsigned i = 0; i < 3; i++)
                control_put_unit(a, "a.service", "b", "loaded", "active", "running", i, JOB_START);
        return 0;
}

static int op_jobs(void *u unused_, int (*each)(void *, const struct control_job *), void *userdata)
{
        return each(userdata, &(struct control_job){.id = 1, .unit = "a.service"});
}

static int op_job(void *u unused_, uint32_t id, struct control_job *ret, bool *ret_ended)
{
        *ret = (struct control_job){.id = id, .unit = "a.service"};
        *ret_ended = id % 2;
        return id % 3 ? 0 : -ENOENT;
}

static int op_find(void *u unused_, const uint8_t id[16], uint32_t *ret_job)
{
        *ret_job = 77;
        return id[0] % 2 ? 0 : -ENOENT;
}

static int op_queue(void *u unused_, const char *unit, const char *whom, int signal unused_, int value unused_,
                    struct control_error *e unused_)
{
        good_unit(unit);
        CLAIM(whom);
        return 0;
}

static int op_processes(void *u unused_, const char *unit, struct control_answer *a, struct control_error *e unused_)
{
        good_unit(unit);
        control_put_group(a, "/a");
        control_put_pid(a, 5);
        return 0;
}

static int op_environment(void *u unused_, const char *const *unset, unsigned n_unset, const char *const *set,
                          unsigned n_set, struct control_error *e unused_)
{
        for (unsigned i = 0; i < n_unset; i++)
                CLAIM(unset[i] && strlen(unset[i]) < CONTROL_PACKET_MAX);
        for (unsigned i = 0; i < n_set; i++)
                CLAIM(set[i] && strlen(set[i]) < CONTROL_PACKET_MAX); /* whoever carries it out looks for the '=' */
        return 0;
}

static int op_property(void *u unused_, const char *name, const char *value, struct control_error *e unused_)
{
        CLAIM(name && value);
        return 0;
}

static int op_by_invocation(void *u unused_, const uint8_t id[16], char ret_id[256], struct control_error *e unused_)
{
        (void)snprintf(ret_id, 256, "%u.service", id[15]);
        return 0;
}

static int op_shutdown(void *u unused_, const char *what, struct control_error *e unused_)
{
        CLAIM(what);
        return 0;
}

static int op_neighbours(void *u unused_, uint32_t id unused_, bool waiting unused_,
                         int (*each)(void *, const struct control_job *), void *userdata,
                         struct control_error *e unused_)
{
        return op_jobs(NULL, each, userdata);
}

static const struct control_ops ops = {
        .enqueue = op_enqueue,
        .kill = op_kill,
        .reset_failed = op_reset,
        .reload = op_nothing,
        .cancel_job = op_number,
        .load_unit = op_load,
        .unit_by_pid = op_by_pid,
        .unit_properties = op_unit,
        .manager_properties = op_manager,
        .list_units = op_units,
        .list_jobs = op_jobs,
        .job_state = op_job,
        .find_request = op_find,
        .transaction = op_jobs,
        .queue_signal = op_queue,
        .unit_processes = op_processes,
        .environment = op_environment,
        .set_property = op_property,
        .unit_by_invocation = op_by_invocation,
        .shutdown = op_shutdown,
        .job_neighbours = op_neighbours,
};

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
