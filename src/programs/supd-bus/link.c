/* SPDX-License-Identifier: MIT
 * See link.h. Requests are a queue of which the first n_sent are on their way, in the order in which answers come.
 */
#include "link.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define WINDOW         8                    /* small requests on their way; a large one goes alone */
#define ANSWER_MAX_US  (20 * USEC_PER_SEC)  /* D-Bus clients give up after 25 s */
#define RELOAD_MAX_US  (170 * USEC_PER_SEC) /* their patience for Reload is 180 s */
#define AWAY_MAX_US    (120 * USEC_PER_SEC) /* then nobody will come back */
#define RETRY_MIN_US   (5 * USEC_PER_MSEC)
#define RETRY_MAX_US   (250 * USEC_PER_MSEC)
#define TICK_US        USEC_PER_SEC
#define ERROR_NO_REPLY "org.freedesktop.DBus.Error.NoReply"

struct link_call {
        struct link_call *next;
        uint16_t type;
        uint32_t serial;
        struct buf body;
        link_done done; /* NULL once it was told */
        void *userdata;
        uint64_t deadline_us;
};

struct link {
        sd_event *event; /* borrowed */
        char *path;      /* owned */
        struct link_handler handler;
        int fd;
        sd_event_source *io, *retry, *tick;
        uint64_t retry_us, away_since_us;
        struct link_call *first, **last;
        unsigned n_calls, n_sent;
        uint32_t serial;
        struct buf answer; /* joined so far */
        char packet[CONTROL_PACKET_MAX];
};

/* What may be asked again when it is not known whether the lost manager did it. */
static bool may_repeat(uint16_t type)
{
        return type != CONTROL_KILL && type != CONTROL_REEXECUTE;
}

static bool is_large(uint16_t type)
{
        return type == CONTROL_LIST_UNITS || type == CONTROL_LIST_JOBS;
}

static uint64_t now_us(struct link *l)
{
        uint64_t t = 0;
        (void)sd_event_now(l->event, CLOCK_MONOTONIC, &t);
        return t;
}

static void call_tell(struct link_call *c, const struct link_reply *reply)
{
        link_done done = c->done;

        c->done = NULL;
        if (done)
                done(c->userdata, reply);
}

static void call_fail(struct link_call *c, const char *message)
{
        call_tell(c, &(struct link_reply){.error_name = ERROR_NO_REPLY, .error_message = message});
}

static void call_free(struct link_call *c)
{
        buf_done(&c->body);
        free(c);
}

static struct link_call *call_pop(struct link *l)
{
        struct link_call *c = l->first;

        l->first = c->next;
        if (!l->first)
                l->last = &l->first;
        l->n_calls--;
        return c;
}

static void link_lost(struct link *l);

/* 1 sent, 0 not now, -errno */
static int call_send(struct link *l, struct link_call *c)
{
        struct control_header h = {
                .magic = CONTROL_MAGIC,
                .version = CONTROL_VERSION,
                .type = c->type,
                .serial = c->serial,
                .size = (uint32_t)c->body.size,
        };
        struct iovec iov[2] = {{&h, sizeof h}, {c->body.data, c->body.size}};
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

        if (sendmsg(l->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
                return 1;
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static bool window_open(struct link *l, const struct link_call *next, bool large_on_its_way)
{
        return l->n_sent == 0 || (!is_large(next->type) && !large_on_its_way && l->n_sent < WINDOW);
}

/* Sends what the window allows. Errors are left to the io source, which sees the hangup. */
static void link_pump(struct link *l)
{
        struct link_call *c = l->first;
        bool large = false, blocked = false;

        if (l->fd < 0)
                return;
        for (unsigned i = 0; i < l->n_sent && c; i++, c = c->next)
                large = large || is_large(c->type);
        for (; c && window_open(l, c, large); c = c->next) {
                int r = call_send(l, c);

                if (r <= 0) {
                        blocked = r == 0;
                        break;
                }
                l->n_sent++;
                large = large || is_large(c->type);
        }
        (void)sd_event_source_set_io_events(l->io, EPOLLIN | (blocked ? EPOLLOUT : 0));
}

int link_request(struct link *l, uint16_t type, struct buf *body, link_done done, void *userdata)
{
        struct link_call *c;

        if (l->n_calls >= LINK_CALLS_MAX || body->size > CONTROL_PACKET_MAX - sizeof(struct control_header)) {
                buf_done(body);
                return -ENOBUFS;
        }
        c = calloc(1, sizeof *c);
        if (!c) {
                buf_done(body);
                return -ENOMEM;
        }
        c->type = type;
        c->serial = ++l->serial ? l->serial : ++l->serial;
        c->body = *body;
        *body = (struct buf){0};
        c->done = done;
        c->userdata = userdata;
        c->deadline_us = now_us(l) + (type == CONTROL_RELOAD ? RELOAD_MAX_US : ANSWER_MAX_US);
        *l->last = c;
        l->last = &c->next;
        l->n_calls++;
        link_pump(l);
        (void)sd_event_source_set_enabled(l->tick, SD_EVENT_ON);
        return 0;
}

static void answer_deliver(struct link *l, const struct control_header *h)
{
        struct link_reply reply = {.body = buf_str(&l->answer), .size = l->answer.size};
        struct link_call *c = call_pop(l);

        l->n_sent--;
        if (h->type == CONTROL_ERROR) {
                reply.error_name = reply.error_message = NULL;
                if (control_body_string(reply.body, reply.size, CONTROL_TAG_ERROR_NAME, &reply.error_name) < 0)
                        reply.error_name = "org.freedesktop.DBus.Error.Failed";
                if (control_body_string(reply.body, reply.size, CONTROL_TAG_ERROR_MESSAGE, &reply.error_message) < 0)
                        reply.error_message = "The manager gave no reason";
        }
        call_tell(c, &reply);
        call_free(c);
        if (l->answer.allocated > 256u * 1024u)
                buf_done(&l->answer);
        else
                buf_reset(&l->answer);
}

/* 0, or -errno when the connection cannot go on. */
static int packet_take(struct link *l, size_t n)
{
        const char *body = l->packet + sizeof(struct control_header);
        struct control_header h;
        int r = control_header_check(l->packet, n, &h);

        if (r == -EPROTONOSUPPORT)
                l->handler.gone(l->handler.userdata); /* another version: ours is started anew */
        if (r < 0)
                return r;
        if (h.serial == 0) {
                l->handler.event(l->handler.userdata, h.type, body, h.size);
                return 0;
        }
        if (l->n_sent == 0 || l->first->serial != h.serial || (h.type != CONTROL_ANSWER && h.type != CONTROL_ERROR))
                return -EBADMSG;
        if (l->answer.size > CONTROL_MESSAGE_MAX - h.size)
                return -EMSGSIZE;
        r = buf_append(&l->answer, body, h.size);
        if (r < 0)
                return r;
        if (!(h.flags & CONTROL_MORE))
                answer_deliver(l, &h);
        return 0;
}

static int on_io(sd_event_source *source unused_, int fd unused_, uint32_t events, void *userdata)
{
        struct link *l = userdata;

        for (int i = 0; i < 64 && (events & (EPOLLIN | EPOLLHUP)) && l->fd >= 0; i++) {
                ssize_t n = recv(l->fd, l->packet, sizeof l->packet, MSG_DONTWAIT | MSG_TRUNC);

                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        break;
                if (n <= 0 || (size_t)n > sizeof l->packet || packet_take(l, (size_t)n) < 0) {
                        link_lost(l);
                        return 0;
                }
        }
        link_pump(l);
        return 0;
}

static int link_connect(struct link *l)
{
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        cleanup_close_ int fd = -1;
        int r;

        if (strlen(l->path) >= sizeof a.sun_path)
                return -ENAMETOOLONG;
        memcpy(a.sun_path, l->path, strlen(l->path) + 1);
        fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
                return -errno;
        r = sd_event_add_io(l->event, &l->io, fd, EPOLLIN, on_io, l);
        if (r < 0)
                return r;
        l->fd = take_fd(&fd);
        l->retry_us = RETRY_MIN_US;
        l->away_since_us = 0;
        return 0;
}

static void retry_arm(struct link *l)
{
        (void)sd_event_source_set_time_relative(l->retry, l->retry_us);
        (void)sd_event_source_set_enabled(l->retry, SD_EVENT_ONESHOT);
        l->retry_us = MIN2(l->retry_us * 2, RETRY_MAX_US);
}

static int on_retry(sd_event_source *source unused_, uint64_t usec unused_, void *userdata)
{
        struct link *l = userdata;

        if (link_connect(l) < 0) {
                if (now_us(l) > l->away_since_us + AWAY_MAX_US)
                        l->handler.gone(l->handler.userdata);
                retry_arm(l);
                return 0;
        }
        l->handler.connected(l->handler.userdata);
        link_pump(l);
        return 0;
}

/* What was on its way and may not be asked twice fails; the rest is sent again, in the same order. */
static void calls_rewind(struct link *l)
{
        struct link_call **p = &l->first;

        for (unsigned i = 0; i < l->n_sent; i++) {
                struct link_call *c = *p;

                if (may_repeat(c->type) && c->done) {
                        p = &c->next;
                        continue;
                }
                *p = c->next;
                if (!c->next)
                        l->last = p;
                l->n_calls--;
                if (c->type == CONTROL_REEXECUTE) /* that is what was asked for */
                        call_tell(c, &(struct link_reply){.body = "", .size = 0});
                else
                        call_fail(c, "The manager went away before it answered; it is not known whether this was done");
                call_free(c);
        }
        l->n_sent = 0;
}

static void link_lost(struct link *l)
{
        l->io = sd_event_source_disable_unref(l->io);
        close_fd_p(&l->fd);
        buf_reset(&l->answer);
        l->away_since_us = now_us(l);
        retry_arm(l);
        calls_rewind(l);
}

/* Tells those whose time is over; a request that is on its way keeps its place for the late answer. */
static int on_tick(sd_event_source *source, uint64_t usec unused_, void *userdata)
{
        struct link *l = userdata;
        struct link_call **p = &l->first;
        uint64_t now = now_us(l);
        unsigned waiting = 0;

        for (unsigned i = 0; *p; i++) {
                struct link_call *c = *p;

                if (c->done && now > c->deadline_us && i >= l->n_sent) { /* never sent: never done */
                        *p = c->next;
                        if (!c->next)
                                l->last = p;
                        l->n_calls--;
                        call_fail(c, "The manager is away and did not come back in time; nothing was done");
                        call_free(c);
                        continue;
                }
                if (c->done && now > c->deadline_us)
                        call_fail(c, "The manager did not answer in time");
                waiting += c->done != NULL;
                p = &c->next;
        }
        if (waiting == 0)
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return sd_event_source_set_time_relative(source, TICK_US);
}

int link_new(sd_event *event, const char *path, const struct link_handler *handler, struct link **ret)
{
        struct link *l = calloc(1, sizeof *l);
        int r;

        if (!l)
                return -ENOMEM;
        l->event = event;
        l->fd = -1;
        l->handler = *handler;
        l->last = &l->first;
        l->retry_us = RETRY_MIN_US;
        l->path = strdup(path);
        r = l->path ? 0 : -ENOMEM;
        if (r >= 0)
                r = sd_event_add_time_relative(event, &l->retry, CLOCK_MONOTONIC, 0, 1000, on_retry, l);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &l->tick, CLOCK_MONOTONIC, TICK_US, 0, on_tick, l);
        if (r < 0) {
                link_free(l);
                return r;
        }
        l->away_since_us = now_us(l);
        (void)sd_event_source_set_enabled(l->tick, SD_EVENT_OFF);
        *ret = l;
        return 0;
}

void link_free(struct link *l)
{
        if (!l)
                return;
        while (l->first) {
                struct link_call *c = call_pop(l);
                call_fail(c, "supd-bus ends");
                call_free(c);
        }
        sd_event_source_disable_unref(l->io);
        sd_event_source_disable_unref(l->retry);
        sd_event_source_disable_unref(l->tick);
        close_fd_p(&l->fd);
        buf_done(&l->answer);
        free(l->path);
        free(l);
}

bool link_is_up(const struct link *l)
{
        return l->fd >= 0;
}
