/* SPDX-License-Identifier: MIT
 * The server over real sockets, driven by hand instead of by a loop: no thread, no clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "control/control.h"
#include "control/control-format.h"

struct fixture {
        struct control_server *server;
        int listen_fd, client;
        void *cookie; /* of the peer that came last */
        int peer_fd;
        bool want_write;
        unsigned n_watched, n_forgotten;
        /* what the ops do */
        unsigned rows, n_enqueued, n_found;
        uint8_t seen_id[16];
        bool known_id;
};

static int op_enqueue(void *userdata, const char *unit, enum job_request request, enum job_mode mode, uint32_t *ret_job,
                      struct control_error *e)
{
        struct fixture *f = userdata;
        const struct control_job job = {.id = 5, .unit = unit, .type = JOB_START, .result = RESULT_DONE};

        if (!streq(unit, "a.service")) {
                control_error_set(e, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not found.", unit);
                return -ENOENT;
        }
        assert_int_equal(request, REQUEST_TRY_RESTART);
        assert_int_equal(mode, MODE_FLUSH);
        f->n_enqueued++;
        memcpy(f->seen_id, control_server_request(f->server)->id, 16);
        control_job_new(f->server, &job);
        control_unit_changed(f->server, unit);
        control_job_removed(f->server, &job);
        *ret_job = 5;
        return 0;
}

static int op_find(void *userdata, const uint8_t id[16] unused_, uint32_t *ret_job)
{
        struct fixture *f = userdata;

        if (!f->known_id)
                return -ENOENT;
        f->n_found++;
        *ret_job = 77;
        return 0;
}

static int op_list_units(void *userdata, struct control_answer *a, struct control_error *e unused_)
{
        struct fixture *f = userdata;

        for (unsigned i = 0; i < f->rows; i++) {
                char name[64];

                (void)snprintf(name, sizeof name, "unit-%06u.service", i);
                control_put_unit(a, name, "A description of the usual length, or so", "loaded", "active", "running", i,
                                 JOB_START);
        }
        return 0;
}

static int op_reload(void *userdata unused_, struct control_error *e unused_)
{
        return -EIO; /* says no more */
}

static int op_kill(void *userdata unused_, const char *unit, const char *whom, int signal,
                   struct control_error *e unused_)
{
        assert_true(strlen(unit) > 0 && strlen(whom) < CONTROL_PACKET_MAX && signal > 0);
        return 0;
}

static int op_unit(void *userdata unused_, const char *unit, struct control_error *e unused_)
{
        assert_true(!unit || strlen(unit) < 256);
        return 0;
}

static int op_number(void *userdata unused_, uint32_t id unused_, struct control_error *e unused_)
{
        return 0;
}

static int op_load(void *userdata unused_, const char *unit, bool only_loaded unused_, char ret_id[256],
                   struct control_error *e unused_)
{
        (void)snprintf(ret_id, 256, "%s", unit);
        return 0;
}

static int op_by_pid(void *userdata unused_, uint32_t pid unused_, char ret_id[256] unused_,
                     struct control_error *e unused_)
{
        return -ENOENT;
}

static int op_properties(void *userdata unused_, const char *unit, bool brief unused_, struct control_answer *a,
                         struct control_error *e unused_)
{
        control_put_string(a, "Id", unit);
        return 0;
}

static int op_manager(void *userdata unused_, struct control_answer *a, struct control_error *e unused_)
{
        control_put_bool(a, "Yes", true);
        return 0;
}

static int op_list_jobs(void *userdata unused_, int (*each)(void *, const struct control_job *), void *each_userdata)
{
        return each(each_userdata, &(struct control_job){.id = 1, .unit = "a.service"});
}

static int op_job_state(void *userdata unused_, uint32_t id unused_, struct control_job *ret unused_,
                        bool *ret_ended unused_)
{
        return -ENOENT;
}

static const struct control_ops ops = {
        .enqueue = op_enqueue,
        .kill = op_kill,
        .reset_failed = op_unit,
        .reload = op_reload,
        .cancel_job = op_number,
        .load_unit = op_load,
        .unit_by_pid = op_by_pid,
        .unit_properties = op_properties,
        .manager_properties = op_manager,
        .list_units = op_list_units,
        .list_jobs = op_list_jobs,
        .job_state = op_job_state,
        .find_request = op_find,
};

static int poll_watch(void *userdata, int fd, bool want_write, void *cookie)
{
        struct fixture *f = userdata;

        f->n_watched++;
        if (cookie) {
                f->cookie = cookie;
                f->peer_fd = fd;
                f->want_write = want_write;
        }
        return 0;
}

static void poll_forget(void *userdata, int fd unused_)
{
        ((struct fixture *)userdata)->n_forgotten++;
}

static int dial(struct fixture *f)
{
        struct sockaddr_un a;
        socklen_t size = sizeof a;
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        assert_int_equal(getsockname(f->listen_fd, (struct sockaddr *)&a, &size), 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&a, size), 0);
        control_server_ready(f->server, NULL, true, false, false);
        return fd;
}

static int setup(void **state)
{
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        struct fixture *f = calloc(1, sizeof *f);
        const struct control_poll poll = {poll_watch, poll_forget, f};

        f->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (bind(f->listen_fd, (struct sockaddr *)&a, sizeof a.sun_family) < 0 || listen(f->listen_fd, 8) < 0)
                return -1;
        if (control_server_new(f->listen_fd, &ops, f, &f->server) < 0 || control_server_set_poll(f->server, &poll) < 0)
                return -1;
        f->client = dial(f);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        control_server_free(f->server);
        close_fd_p(&f->client);
        close_fd_p(&f->listen_fd);
        free(f);
        return 0;
}

static void ask(struct fixture *f, uint16_t type, uint32_t serial, const struct buf *body)
{
        char packet[CONTROL_PACKET_MAX];
        const struct control_header h = {CONTROL_MAGIC, CONTROL_VERSION, 0, type, serial, (uint32_t)body->size};

        memcpy(packet, &h, sizeof h);
        if (body->size)
                memcpy(packet + sizeof h, body->data, body->size);
        assert_int_equal(send(f->client, packet, sizeof h + body->size, MSG_NOSIGNAL), sizeof h + body->size);
        control_server_ready(f->server, f->cookie, true, false, false);
}

/* The next packet; its body is appended to B. False when there is none. */
static bool next(struct fixture *f, struct control_header *ret, struct buf *b)
{
        char packet[CONTROL_PACKET_MAX];
        ssize_t n = recv(f->client, packet, sizeof packet, MSG_DONTWAIT);

        if (n <= 0)
                return false;
        assert_int_equal(control_header_check(packet, (size_t)n, ret), 0);
        assert_int_equal(buf_append(b, packet + sizeof *ret, ret->size), 0);
        return true;
}

static void enqueue_body(struct buf *b, const char *unit)
{
        const uint8_t id[16] = {1, 2, 3};

        assert_int_equal(control_write_string(b, CONTROL_TAG_UNIT, unit), 0);
        assert_int_equal(control_write_string(b, CONTROL_TAG_REQUEST, "try-restart"), 0);
        assert_int_equal(control_write_string(b, CONTROL_TAG_MODE, "flush"), 0);
        assert_int_equal(control_write(b, CONTROL_TAG_REQUEST_ID, id, sizeof id), 0);
}

static void test_01_a_request_is_answered_between_its_events(void **state)
{
        static const struct {
                uint16_t type;
                uint32_t serial;
        } expected[] = {
                {CONTROL_JOB_NEW, 0}, {CONTROL_ANSWER, 42}, {CONTROL_UNIT_CHANGED, 0}, {CONTROL_JOB_REMOVED, 0}};
        cleanup_buf_ struct buf b = {0};
        struct fixture *f = *state;
        struct control_header h;
        uint32_t id;

        enqueue_body(&b, "a.service");
        ask(f, CONTROL_ENQUEUE, 42, &b);
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
                buf_reset(&b);
                assert_true(next(f, &h, &b));
                assert_int_equal(h.type, expected[i].type);
                assert_int_equal(h.serial, expected[i].serial);
                if (h.type == CONTROL_ANSWER)
                        assert_int_equal(control_body_u32(b.data, b.size, CONTROL_TAG_JOB_ID, &id), 0);
        }
        assert_int_equal(id, 5);
        assert_int_equal(f->seen_id[2], 3);
        assert_null(control_server_request(f->server));
}

static void test_02_a_repeated_request_runs_once(void **state)
{
        cleanup_buf_ struct buf b = {0};
        struct fixture *f = *state;
        struct control_header h;
        uint32_t id;

        f->known_id = true;
        enqueue_body(&b, "a.service");
        ask(f, CONTROL_ENQUEUE, 1, &b);
        buf_reset(&b);
        assert_true(next(f, &h, &b));
        assert_int_equal(control_body_u32(b.data, b.size, CONTROL_TAG_JOB_ID, &id), 0);
        assert_int_equal(id, 77);
        assert_int_equal(f->n_enqueued, 0);
        assert_int_equal(f->n_found, 1);
}

static void expect_error(struct fixture *f, const char *name, const char *message)
{
        cleanup_buf_ struct buf b = {0};
        struct control_header h;
        const char *s;

        assert_true(next(f, &h, &b));
        assert_int_equal(h.type, CONTROL_ERROR);
        assert_int_equal(control_body_string(b.data, b.size, CONTROL_TAG_ERROR_NAME, &s), 0);
        assert_string_equal(s, name);
        assert_int_equal(control_body_string(b.data, b.size, CONTROL_TAG_ERROR_MESSAGE, &s), 0);
        if (message)
                assert_string_equal(s, message);
}

static void test_03_errors_carry_name_and_text(void **state)
{
        cleanup_buf_ struct buf b = {0}, none = {0};
        struct fixture *f = *state;

        enqueue_body(&b, "x.service");
        ask(f, CONTROL_ENQUEUE, 1, &b);
        expect_error(f, "org.freedesktop.systemd1.NoSuchUnit", "Unit x.service not found.");
        ask(f, CONTROL_ENQUEUE, 2, &none);
        expect_error(f, "org.freedesktop.DBus.Error.InvalidArgs", NULL);
        ask(f, CONTROL_RELOAD, 3, &none);
        expect_error(f, "org.freedesktop.DBus.Error.Failed", NULL);
        ask(f, CONTROL_REEXECUTE, 4, &none);
        expect_error(f, "org.freedesktop.DBus.Error.NotSupported", NULL);
        ask(f, 63, 5, &none);
        expect_error(f, "org.freedesktop.DBus.Error.NotSupported", NULL);
        assert_int_equal(control_server_n_peers(f->server), 1);
}

static void test_04_ten_thousand_units_come_in_packets(void **state)
{
        cleanup_buf_ struct buf b = {0}, none = {0};
        struct fixture *f = *state;
        struct control_header h = {.flags = CONTROL_MORE};
        struct control_record rec;
        struct control_reader r;
        unsigned rows = 0, packets = 0;

        f->rows = 10000;
        ask(f, CONTROL_LIST_UNITS, 9, &none);
        assert_true(f->want_write); /* more than a socket holds: the rest waits */
        while (h.flags & CONTROL_MORE)
                if (next(f, &h, &b))
                        packets++;
                else
                        control_server_ready(f->server, f->cookie, false, true, false);
        assert_false(f->want_write && h.flags);
        r = control_reader_of(b.data, b.size);
        while (control_reader_next(&r, &rec) > 0)
                rows++;
        assert_int_equal(rows, 10000);
        assert_true(packets > 20);
}

static void test_05_who_does_not_read_is_closed(void **state)
{
        cleanup_buf_ struct buf none = {0};
        struct fixture *f = *state;
        unsigned asked = 0;

        f->rows = 30000; /* about 5 MB an answer */
        while (control_server_n_peers(f->server) == 1 && asked < 20) {
                ask(f, CONTROL_LIST_UNITS, 1, &none);
                asked++;
        }
        assert_int_equal(control_server_n_peers(f->server), 0);
        assert_in_range(asked, 3, 8);
        assert_int_equal(f->n_forgotten, 1);
}

static void test_06_events_to_who_does_not_read_are_bounded(void **state)
{
        struct fixture *f = *state;
        unsigned n = 0;

        while (control_server_n_peers(f->server) == 1 && n < 10000000) {
                control_unit_changed(f->server, "some-unit-with-a-name-of-usual-length.service");
                n++;
        }
        assert_int_equal(control_server_n_peers(f->server), 0);
        assert_true(n < 2 * CONTROL_QUEUE_MAX / 64);
        control_unit_changed(f->server, "a.service"); /* nobody is there: nothing happens */
}

static void test_07_garbage_closes_the_peer(void **state)
{
        static char large[CONTROL_PACKET_MAX + 1];
        const struct control_header other = {CONTROL_MAGIC, CONTROL_VERSION + 1, 0, CONTROL_RELOAD, 1, 0};
        const struct {
                const void *data;
                size_t size;
        } bad[] = {{"x", 1}, {"", 0}, {large, 16}, {large, sizeof large}, {&other, sizeof other}};
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                assert_int_equal(control_server_n_peers(f->server), 1);
                assert_int_equal(send(f->client, bad[i].data, bad[i].size, MSG_NOSIGNAL), bad[i].size);
                control_server_ready(f->server, f->cookie, true, false, false);
                assert_int_equal(control_server_n_peers(f->server), 0);
                close_fd_p(&f->client);
                f->client = dial(f);
        }
}

static void test_08_a_late_report_about_a_closed_peer_does_no_harm(void **state)
{
        struct fixture *f = *state;
        void *cookie = f->cookie;

        close_fd_p(&f->client);
        control_server_ready(f->server, cookie, true, false, true);
        assert_int_equal(control_server_n_peers(f->server), 0);
        control_server_ready(f->server, cookie, true, true, true);
        f->client = dial(f);
        assert_int_equal(control_server_n_peers(f->server), 1);
}

static void test_09_there_is_room_for_sixteen(void **state)
{
        struct fixture *f = *state;
        int more[20];
        char c;

        for (size_t i = 0; i < ARRAY_SIZE(more); i++)
                more[i] = dial(f);
        assert_int_equal(control_server_n_peers(f->server), 16);
        assert_int_equal(recv(more[19], &c, 1, 0), 0); /* told at once, not left waiting */
        for (size_t i = 0; i < ARRAY_SIZE(more); i++)
                close_fd_p(&more[i]);
}

static void test_10_mutated_requests_do_no_harm(void **state)
{
        cleanup_buf_ struct buf b = {0};
        struct fixture *f = *state;
        uint32_t seed = 99;

        f->rows = 3;
        enqueue_body(&b, "x.service");
        for (int i = 0; i < 4000; i++) {
                cleanup_buf_ struct buf m = {0}, sink = {0};
                struct control_header h;

                seed = seed * 1664525 + 1013904223;
                assert_int_equal(buf_append(&m, b.data, b.size - seed % 9), 0);
                m.data[(seed >> 8) % m.size] ^= (char)(1 << (seed >> 29));
                ask(f, (uint16_t)(seed >> 16) % 14, 1 + (uint32_t)i, &m);
                while (next(f, &h, &sink))
                        buf_reset(&sink);
                assert_int_equal(control_server_n_peers(f->server), 1);
        }
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_01_a_request_is_answered_between_its_events),
                TEST(test_02_a_repeated_request_runs_once),
                TEST(test_03_errors_carry_name_and_text),
                TEST(test_04_ten_thousand_units_come_in_packets),
                TEST(test_05_who_does_not_read_is_closed),
                TEST(test_06_events_to_who_does_not_read_are_bounded),
                TEST(test_07_garbage_closes_the_peer),
                TEST(test_08_a_late_report_about_a_closed_peer_does_no_harm),
                TEST(test_09_there_is_room_for_sixteen),
                TEST(test_10_mutated_requests_do_no_harm),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
