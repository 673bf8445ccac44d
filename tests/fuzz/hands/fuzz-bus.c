/* SPDX-License-Identifier: MIT
 *
 * Clients of supd-bus: any bytes, through sd-bus as a server, into the real front (all of it but main.c), which asks a
 * real control server. Whatever a client says: the front lives, what the manager is asked is well-formed, each answer
 * is a message, and when the client has gone nothing of it is left.
 *
 * Input: one byte (high bit: no handshake is made for it), then records of a kind, two bytes of size, and so many
 * bytes. The kinds: bytes as they are; a call of the n-th method with a body of any bytes, or with one that fits its
 * signature; something that happens in the manager; a second client beside the first.
 *
 * Not here: the message bus of the system. Invariant: runs as nobody where it was started by root, in a directory of
 * its own, since what clients may ask for are changes of unit files.
 */
#include <ftw.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "manager-ops.h"
#include "programs/supd-bus/front.h"

#define CREDIT_US  1000000 /* so that time decides nothing */
#define TURNS      200
#define NOBODY     65534
#define FRESH_EACH 512 /* inputs, then the directory is emptied */

enum kind { KIND_RAW, KIND_CALL, KIND_FITTING, KIND_HAPPENS, KIND_SECOND, N_KINDS };

static struct {
        struct front front;
        struct control_server *server;
        int manager_fd, door_fd;
        struct {
                int fd; /* -1 = none */
                void *cookie;
                sd_event_source *source;
        } watched[8];
        int clients[2];  /* -1 = none */
        bool handshaken; /* what comes are messages, behind one line */
        unsigned n_inputs;
        struct buf got; /* of clients[0] */
} f = {.clients = {-1, -1}};

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __real_clock_gettime(clockid_t clock, struct timespec *ret);
/* The front counts the processor time of its clients. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
        if (clock != CLOCK_THREAD_CPUTIME_ID)
                return __real_clock_gettime(clock, ret);
        *ret = (struct timespec){0};
        return 0;
}

/* ---- the manager ---- */

static int on_watched(sd_event_source *source unused_, int fd, uint32_t events, void *userdata unused_)
{
        for (size_t i = 0; i < ARRAY_SIZE(f.watched); i++)
                if (f.watched[i].source && f.watched[i].fd == fd) {
                        control_server_ready(f.server, f.watched[i].cookie, events & EPOLLIN, events & EPOLLOUT,
                                             events & (EPOLLHUP | EPOLLERR));
                        break;
                }
        return 0;
}

static int watch(void *u unused_, int fd, bool want_write, void *cookie)
{
        uint32_t events = EPOLLIN | (want_write ? (uint32_t)EPOLLOUT : 0);
        size_t at = 0;

        for (size_t i = ARRAY_SIZE(f.watched); i-- > 0;)
                if (!f.watched[i].source)
                        at = i;
        for (size_t i = 0; i < ARRAY_SIZE(f.watched); i++)
                if (f.watched[i].source && f.watched[i].fd == fd)
                        return sd_event_source_set_io_events(f.watched[i].source, events);
        CLAIM(!f.watched[at].source);
        f.watched[at].fd = fd;
        f.watched[at].cookie = cookie;
        return sd_event_add_io(f.front.event, &f.watched[at].source, fd, events, on_watched, NULL);
}

static void forget(void *u unused_, int fd unused_)
{
        CLAIM(!"the manager has sent the front away");
}

static struct sockaddr_un address_of(const char *path)
{
        struct sockaddr_un a = {.sun_family = AF_UNIX};

        CLAIM(strlen(path) < sizeof(a.sun_path));
        memcpy(a.sun_path, path, strlen(path) + 1);
        return a;
}

static int listen_at(const char *path, int type)
{
        const struct sockaddr_un a = address_of(path);
        int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        CLAIM(fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 8) == 0);
        return fd;
}

/* ---- the front ---- */

static void on_event(void *userdata, uint16_t type, const char *body, size_t size)
{
        signals_event(userdata, type, body, size);
}

static void on_connected(void *userdata)
{
        jobs_recheck(userdata);
}

static void on_gone(void *userdata unused_)
{
        CLAIM(!"the manager is there");
}

static int on_idle(sd_event_source *source unused_, uint64_t usec unused_, void *userdata unused_)
{
        return 0;
}

static int remove_one(const char *path, const struct stat *st unused_, int type unused_, struct FTW *ftw unused_)
{
        (void)remove(path);
        return 0;
}

static const char *path_in(const char *name)
{
        static char path[4200];

        (void)snprintf(path, sizeof(path), "%s/%s", f.front.directory, name);
        return path;
}

/* What may change, as it was. */
static void directory_fill(void)
{
        char text[4200];
        FILE *file;

        (void)nftw(path_in("etc"), remove_one, 8, FTW_DEPTH | FTW_PHYS);
        (void)nftw(path_in("transient"), remove_one, 8, FTW_DEPTH | FTW_PHYS);
        CLAIM(mkdir(path_in("etc"), 0755) == 0);
        file = fopen(path_in("etc/a.service"), "we");
        CLAIM(file);
        (void)fputs("[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=b.target\nAlias=c.service\n", file);
        (void)fclose(file);
        (void)unlink(path_in("units"));
        (void)snprintf(text, sizeof(text), "own:%s/etc", f.front.directory);
        CLAIM(symlink(text, path_in("units")) == 0);
}

static void directory_remove(void)
{
        (void)nftw(f.front.directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void front_begin(void)
{
        static const struct control_poll poll = {watch, forget, NULL};
        const struct link_handler handler = {on_event, on_connected, on_gone, &f.front};
        struct front *front = &f.front;

        (void)signal(SIGPIPE, SIG_IGN);
        if (geteuid() == 0)
                CLAIM(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
        (void)snprintf(front->directory, sizeof(front->directory), "/tmp/fuzz-bus-XXXXXX");
        CLAIM(mkdtemp(front->directory));
        (void)atexit(directory_remove);
        directory_fill();
        CLAIM(sd_event_new(&front->event) >= 0);
        f.manager_fd = listen_at(path_in("manager"), SOCK_SEQPACKET);
        CLAIM(control_server_new(f.manager_fd, &ops, NULL, &f.server) == 0);
        ops_server = f.server;
        CLAIM(control_server_set_poll(f.server, &poll) == 0);
        f.door_fd = listen_at(path_in("control"), SOCK_STREAM);
        front->last_event = &front->events;
        front->idle_us = front->handshake_us = 3600 * USEC_PER_SEC;
        CLAIM(clients_init(front) >= 0 && link_new(front->event, path_in("manager"), &handler, &front->link) >= 0);
        CLAIM(pace_init(front) >= 0);
        CLAIM(sd_event_add_time_relative(front->event, &front->idle, CLOCK_MONOTONIC, front->idle_us, 0, on_idle,
                                         front) >= 0);
}

/* ---- a client ---- */

/* Whole messages are taken out of what came; what is no message is a finding. */
static void answers_check(void)
{
        size_t at = 0;

        if (!f.handshaken)
                buf_reset(&f.got);
        while (at < f.got.size) {
                const uint8_t *p = (const uint8_t *)f.got.data + at;
                size_t left = f.got.size - at, size;
                uint32_t body, fields;

                if (left >= 3 && memcmp(p, "OK ", 3) == 0 && memchr(p, '\n', left)) {
                        at += (size_t)((const uint8_t *)memchr(p, '\n', left) - p) + 1;
                        continue;
                }
                if (left < 16 || p[0] == 'O')
                        break;
                memcpy(&body, p + 4, 4);
                memcpy(&fields, p + 12, 4);
                CLAIM((p[0] == 'l' || p[0] == 'B') && p[1] >= 1 && p[1] <= 4 && p[3] == 1);
                CLAIM(body < 64u << 20 && fields < 1u << 20);
                size = 16 + ((size_t)fields + 7) / 8 * 8 + body;
                if (left < size)
                        break;
                at += size;
        }
        if (at > 0) {
                memmove(f.got.data, f.got.data + at, f.got.size - at);
                f.got.size -= at;
        }
}

static void answers_read(void)
{
        static char bytes[65536];
        ssize_t n;

        while ((n = f.clients[0] < 0 ? -1 : recv(f.clients[0], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
                CLAIM(buf_append(&f.got, bytes, (size_t)n) >= 0);
        answers_check();
        while (f.clients[1] >= 0 && recv(f.clients[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
                ;
}

/* All that there is to do now. */
static void turns(uint64_t wait_us)
{
        for (unsigned i = 0; i < TURNS; i++) {
                int r;

                f.front.pace.credit_us = CREDIT_US;
                for (struct client *c = f.front.clients; c; c = c->next)
                        c->credit_us = CREDIT_US;
                r = sd_event_run(f.front.event, wait_us);
                CLAIM(r >= 0);
                answers_read();
                if (r == 0)
                        return;
        }
}

static void say(int fd, const void *data, size_t size)
{
        while (size > 0) {
                ssize_t n = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

                turns(0);
                if (n <= 0)
                        return; /* it was sent away, or is not read any more */
                data = (const char *)data + n;
                size -= (size_t)n;
        }
}

static int dial(bool handshake)
{
        const struct sockaddr_un a = address_of(path_in("control"));
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        char uid[32], words[160] = "";
        size_t n;

        CLAIM(fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0);
        client_accept(&f.front, f.door_fd);
        if (!handshake)
                return fd;
        (void)snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
        n = (size_t)snprintf(words, sizeof(words), "%cAUTH EXTERNAL ", 0);
        for (const char *p = uid; *p; p++)
                n += (size_t)snprintf(words + n, sizeof(words) - n, "%02x", (unsigned)*p);
        n += (size_t)snprintf(words + n, sizeof(words) - n, "\r\nBEGIN\r\n");
        say(fd, words, n);
        return fd;
}

/* ---- messages ---- */

static void align_to(struct buf *b, size_t n)
{
        while (b->size % n != 0)
                CLAIM(buf_append(b, "", 1) >= 0);
}

static void put_u32(struct buf *b, uint32_t v)
{
        align_to(b, 4);
        CLAIM(buf_append(b, &v, 4) >= 0);
}

static void put_field(struct buf *b, uint8_t code, char type, const char *text)
{
        const char head[] = {(char)code, 1, type, 0};
        size_t n = strlen(text);
        uint8_t small = (uint8_t)n;

        align_to(b, 8);
        CLAIM(buf_append(b, head, 4) >= 0);
        if (type == 'g')
                CLAIM(buf_append(b, &small, 1) >= 0);
        else
                put_u32(b, (uint32_t)n);
        CLAIM(buf_append(b, text, n + 1) >= 0);
}

struct bytes {
        const uint8_t *data;
        size_t size;
};

static uint8_t next_byte(struct bytes *in)
{
        if (in->size == 0)
                return 0;
        in->size--;
        return *in->data++;
}

static void put_text(struct buf *b, struct bytes *in)
{
        static const char *const often[] = {"a.service", "b.service", "replace", "all", "start", "Unit", "A=b", ""};
        uint8_t k = next_byte(in);
        size_t n = MIN2((size_t)(k % 32), in->size);

        if (k & 0x80) {
                n = strlen(often[k % ARRAY_SIZE(often)]);
                put_u32(b, (uint32_t)n);
                CLAIM(buf_append(b, often[k % ARRAY_SIZE(often)], n + 1) >= 0);
                return;
        }
        put_u32(b, (uint32_t)n);
        CLAIM((n == 0 || buf_append(b, in->data, n) >= 0) && buf_append(b, "", 1) >= 0);
        in->data += n;
        in->size -= n;
}

static void put_number(struct buf *b, size_t width, struct bytes *in)
{
        uint8_t v[8];

        align_to(b, width);
        for (size_t i = 0; i < width; i++)
                v[i] = next_byte(in);
        CLAIM(buf_append(b, v, width) >= 0);
}

/* A body for SIGNATURE as far as it is a plain one; behind that, what bytes are left. */
static void put_fitting(struct buf *b, const char *signature, struct bytes *in)
{
        for (const char *p = signature; *p; p++) {
                unsigned n;
                size_t at;
                uint32_t size;

                if (*p == 's' || *p == 'o')
                        put_text(b, in);
                else if (*p == 'b')
                        put_u32(b, next_byte(in) % 2);
                else if (*p == 'u' || *p == 'i')
                        put_number(b, 4, in);
                else if (*p == 't' || *p == 'x')
                        put_number(b, 8, in);
                else if (*p == 'a' && p[1] == 's') {
                        put_u32(b, 0);
                        at = b->size;
                        for (n = next_byte(in) % 4; n > 0; n--)
                                put_text(b, in);
                        size = (uint32_t)(b->size - at);
                        memcpy(b->data + at - 4, &size, 4);
                        p++;
                } else
                        break;
        }
        if (in->size > 0)
                CLAIM(buf_append(b, in->data, in->size) >= 0);
}

static void call(struct bytes in, bool fitting)
{
        static const char *const paths[] = {BUS_ROOT,  BUS_UNITS "/a_2eservice", BUS_JOBS "/5", "/",
                                            BUS_UNITS, BUS_LOGCONTROL,           BUS_JOBS,      BUS_UNITS "/x"};
        static uint32_t serial;
        uint16_t which = next_byte(&in);
        uint8_t how = next_byte(&in);
        const struct method *m;
        cleanup_buf_ struct buf b = {0}, body = {0};
        const char head[] = {'l', 1, (char)(how >> 3 & 1), 1};
        uint32_t size;

        which = (uint16_t)(which | (how >> 4) << 8);
        m = &methods[which % n_methods];
        if (fitting)
                put_fitting(&body, m->in, &in);
        else if (in.size > 0)
                CLAIM(buf_append(&body, in.data, in.size) >= 0);
        CLAIM(buf_append(&b, head, 4) >= 0);
        put_u32(&b, (uint32_t)body.size);
        put_u32(&b, ++serial | 1u << 30);
        put_u32(&b, 0);
        put_field(&b, 1, 'o', m->object == ON_MANAGER && !(how & 4) ? BUS_ROOT : paths[how % ARRAY_SIZE(paths)]);
        put_field(&b, 2, 's', m->interface);
        put_field(&b, 3, 's', m->member);
        if (*m->in)
                put_field(&b, 8, 'g', m->in);
        size = (uint32_t)(b.size - 16);
        memcpy(b.data + 12, &size, 4);
        align_to(&b, 8);
        if (body.size > 0)
                CLAIM(buf_append(&b, body.data, body.size) >= 0);
        say(f.clients[0], b.data, b.size);
}

static void happens(struct bytes in)
{
        struct control_job job = {.id = next_byte(&in), .unit = "a.service", .type = JOB_START, .result = RESULT_DONE};

        switch (next_byte(&in) % 6) {
        case 0:
                control_job_new(f.server, &job);
                break;
        case 1:
                control_job_removed(f.server, &job);
                break;
        case 2:
                control_unit_changed(f.server, "a.service");
                break;
        case 3:
                control_reloading(f.server, next_byte(&in) % 2);
                break;
        case 4:
                control_unit_new(f.server, "a.service");
                break;
        default:
                control_unit_removed(f.server, "a.service");
        }
        turns(0);
}

static void record(enum kind kind, struct bytes in)
{
        switch (kind) {
        case KIND_RAW:
                say(f.clients[0], in.data, in.size);
                break;
        case KIND_CALL:
        case KIND_FITTING:
                call(in, kind == KIND_FITTING);
                break;
        case KIND_HAPPENS:
                happens(in);
                break;
        case KIND_SECOND:
                close_fd_p(&f.clients[1]);
                f.clients[1] = dial(in.size > 0);
                break;
        case N_KINDS:
                break;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (!f.server)
                front_begin();
        else if (++f.n_inputs % FRESH_EACH == 0)
                directory_fill();
        if (size == 0)
                return 0;
        f.handshaken = !(data[0] & 0x80);
        f.clients[0] = dial(f.handshaken);
        for (data++, size--; size > 3;) {
                size_t n = MIN2((size_t)data[1] | (size_t)data[2] << 8, size - 3);

                record((enum kind)(data[0] % N_KINDS), (struct bytes){data + 3, n});
                data += 3 + n;
                size -= 3 + n;
        }
        close_fd_p(&f.clients[0]);
        close_fd_p(&f.clients[1]);
        turns(0);
        for (unsigned i = 0; i < TURNS && f.front.n_clients > 0; i++)
                turns(5 * USEC_PER_MSEC); /* one that had to wait for its turn */
        CLAIM(f.front.n_clients == 0 && !f.front.dead && control_server_n_peers(f.server) == 1);
        buf_done(&f.got);
        return 0;
}
