/* SPDX-License-Identifier: MIT
 *
 * The SEQPACKET server in the manager: accepts supd-bus, reads requests, calls control_ops, sends answers and events.
 *
 * Not here: encodings (format.c), what verbs mean (the manager). Invariants: nothing waits; peers are slots that are
 * reused, never freed, so a late readiness report is at worst a spurious one; a peer whose unread bytes are over
 * CONTROL_QUEUE_MAX when something is to be added is closed, so that one answer of any length always fits.
 */
#include "control/server.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define REQUESTS_PER_TURN 32             /* of one peer, then others get their turn */
#define KEEP_MAX          (256u * 1024u) /* bytes of buffer kept when it is empty */

static void trim(struct buf *b)
{
        if (b->allocated > KEEP_MAX)
                buf_done(b);
        else
                buf_reset(b);
}

static void peer_close(struct control_server *s, struct peer *p)
{
        if (p->fd < 0)
                return;
        if (s->poll.forget)
                s->poll.forget(s->poll.userdata, p->fd);
        close_fd_p(&p->fd);
        trim(&p->queue);
        trim(&p->waiting);
        p->sent = 0;
        p->want_write = p->held = false;
        s->n_peers--;
}

static void peer_watch(struct control_server *s, struct peer *p, bool want_write)
{
        if (p->want_write == want_write)
                return;
        p->want_write = want_write;
        if (s->poll.watch && s->poll.watch(s->poll.userdata, p->fd, want_write, p) < 0)
                peer_close(s, p);
}

/* One packet. 1 sent, 0 not now, -errno the peer is lost. */
static int packet_send(int fd, const struct control_header *h, const void *body)
{
        struct iovec iov[2] = {{(void *)h, sizeof *h}, {(void *)body, h->size}};
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

        if (sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
                return 1;
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static void peer_flush(struct control_server *s, struct peer *p)
{
        while (p->sent < p->queue.size) {
                struct control_header h;
                int r;

                memcpy(&h, p->queue.data + p->sent, sizeof h);
                r = packet_send(p->fd, &h, p->queue.data + p->sent + sizeof h);
                if (r < 0) {
                        peer_close(s, p);
                        return;
                }
                if (r == 0)
                        return;
                p->sent += sizeof h + h.size;
        }
        trim(&p->queue);
        p->sent = 0;
        peer_watch(s, p, false);
}

/* The bytes that went out make room once they are the larger part. */
static void peer_compact(struct peer *p)
{
        if (p->sent == 0 || p->sent < p->queue.size / 2)
                return;
        memmove(p->queue.data, p->queue.data + p->sent, p->queue.size - p->sent);
        p->queue.size -= p->sent;
        p->sent = 0;
}

static void peer_send(struct control_server *s, struct peer *p, const struct control_header *h, const void *body)
{
        if (p->queue.size == p->sent) {
                int r = packet_send(p->fd, h, body);
                if (r < 0)
                        peer_close(s, p);
                if (r != 0)
                        return;
        }
        peer_compact(p);
        if (buf_append(&p->queue, h, sizeof *h) < 0 || buf_append(&p->queue, body, h->size) < 0) {
                peer_close(s, p);
                return;
        }
        peer_watch(s, p, true);
}

/* A message of any length, cut into packets. */
static void peer_send_message(struct control_server *s, struct peer *p, uint16_t type, uint32_t serial,
                              const struct buf *body)
{
        const size_t room = CONTROL_PACKET_MAX - sizeof(struct control_header);
        size_t at = 0;

        if (p->queue.size - p->sent > CONTROL_QUEUE_MAX) {
                peer_close(s, p);
                return;
        }
        do {
                size_t n = MIN2(room, body->size - at);
                struct control_header h = {
                        .magic = CONTROL_MAGIC,
                        .version = CONTROL_VERSION,
                        .flags = at + n < body->size ? CONTROL_MORE : 0,
                        .type = type,
                        .serial = serial,
                        .size = (uint32_t)n,
                };
                peer_send(s, p, &h, buf_str(body) + at);
                at += n;
        } while (p->fd >= 0 && at < body->size);
}

static void broadcast_bytes(struct control_server *s, const struct control_header *h, const void *body)
{
        for (unsigned i = 0; i < PEERS_MAX; i++) {
                struct peer *p = &s->peers[i];

                if (p->fd < 0)
                        continue;
                if (p->queue.size - p->sent > CONTROL_QUEUE_MAX)
                        peer_close(s, p);
                else
                        peer_send(s, p, h, body);
        }
}

/* The event in s->event, of TYPE. LATER: behind the answer of the op that runs, if one does. */
static void broadcast(struct control_server *s, uint16_t type, bool later)
{
        struct control_header h = {
                .magic = CONTROL_MAGIC,
                .version = CONTROL_VERSION,
                .type = type,
                .size = (uint32_t)s->event.size,
        };

        if (s->event.size > CONTROL_PACKET_MAX - sizeof h)
                return; /* names are shorter; nothing that long comes from the manager */
        if (!later || !s->request) {
                broadcast_bytes(s, &h, s->event.data);
                return;
        }
        if (s->deferred.size > CONTROL_QUEUE_MAX || buf_reserve(&s->deferred, sizeof h + h.size) < 0) {
                for (unsigned i = 0; i < PEERS_MAX; i++) /* they must learn that they missed something */
                        peer_close(s, &s->peers[i]);
                return;
        }
        (void)buf_append(&s->deferred, &h, sizeof h);
        (void)buf_append(&s->deferred, s->event.data, h.size);
}

static void deferred_flush(struct control_server *s)
{
        for (size_t at = 0; at < s->deferred.size;) {
                struct control_header h;

                memcpy(&h, s->deferred.data + at, sizeof h);
                broadcast_bytes(s, &h, s->deferred.data + at + sizeof h);
                at += sizeof h + h.size;
        }
        trim(&s->deferred);
}

int server_put_job(struct buf *b, const struct control_job *job, bool ended)
{
        const struct control_job_wire w = {
                .id = job->id,
                .flags = (job->waiting ? CONTROL_JOB_WAITING : 0) | (ended ? CONTROL_JOB_ENDED : 0),
                .unit = job->unit,
                .type = control_type_word(job->type),
                .result = ended ? control_result_word(job->result) : "",
        };

        return control_write_job(b, &w);
}

static int event_job(struct control_server *s, const struct control_job *job, bool ended)
{
        buf_reset(&s->event);
        return server_put_job(&s->event, job, ended);
}

void control_job_new(struct control_server *s, const struct control_job *job)
{
        if (s->n_peers > 0 && event_job(s, job, false) >= 0)
                broadcast(s, CONTROL_JOB_NEW, false);
}

void control_job_removed(struct control_server *s, const struct control_job *job)
{
        if (s->n_peers > 0 && event_job(s, job, true) >= 0)
                broadcast(s, CONTROL_JOB_REMOVED, true);
}

static void event_unit(struct control_server *s, uint16_t type, const char *unit, bool later)
{
        if (s->n_peers == 0)
                return;
        buf_reset(&s->event);
        if (control_write_string(&s->event, CONTROL_TAG_UNIT, unit) >= 0)
                broadcast(s, type, later);
}

void control_unit_changed(struct control_server *s, const char *unit)
{
        event_unit(s, CONTROL_UNIT_CHANGED, unit, true);
}

void control_unit_new(struct control_server *s, const char *unit)
{
        event_unit(s, CONTROL_UNIT_NEW, unit, false);
}

void control_unit_removed(struct control_server *s, const char *unit)
{
        event_unit(s, CONTROL_UNIT_REMOVED, unit, true);
}

void control_reloading(struct control_server *s, bool active)
{
        if (s->n_peers == 0)
                return;
        buf_reset(&s->event);
        if (control_write_u32(&s->event, CONTROL_TAG_FLAG, active) >= 0)
                broadcast(s, CONTROL_RELOADING, false);
}

/* The body becomes the error; memory for this short one was reserved at the start. */
static void answer_error(struct control_server *s, struct control_error *e, int error)
{
        struct buf *b = &s->answer.body;

        buf_reset(b);
        if (!e->name)
                control_error_set(e, "org.freedesktop.DBus.Error.Failed", "The manager could not do that: %s",
                                  strerror(-error));
        (void)control_write_string(b, CONTROL_TAG_ERROR_NAME, e->name);
        (void)control_write_string(b, CONTROL_TAG_ERROR_MESSAGE, e->message);
        (void)control_write_u32(b, CONTROL_TAG_NUMBER, (uint32_t)-error);
}

static void peer_request(struct control_server *s, struct peer *p, const struct control_header *h, const char *body)
{
        struct control_request request = {.peer_uid = p->uid, .peer_pid = p->pid, .client_uid = UINT32_MAX};
        struct control_error error = {0};
        int r;

        trim(&s->answer.body);
        s->answer.error = buf_reserve(&s->answer.body, 1024);
        control_request_read_who(body, h->size, &request);
        s->request = &request;
        r = control_request_do(s, h->type, body, h->size, &request, &error);
        s->request = NULL;
        if (r >= 0)
                r = s->answer.error;
        if (r >= 0 && s->answer.body.size > CONTROL_MESSAGE_MAX)
                r = -EMSGSIZE;
        p->held = r == -EINPROGRESS && p->fd >= 0;
        p->held_serial = h->serial;
        p->held_type = h->type;
        if (r < 0 && !p->held)
                answer_error(s, &error, r);
        if (p->fd >= 0 && !p->held)
                peer_send_message(s, p, r < 0 ? CONTROL_ERROR : CONTROL_ANSWER, h->serial, &s->answer.body);
        deferred_flush(s);
}

static void peer_read(struct control_server *s, struct peer *p)
{
        for (int i = 0; i < REQUESTS_PER_TURN && p->fd >= 0; i++) {
                struct control_header h;
                ssize_t n = recv(p->fd, s->packet, sizeof s->packet, MSG_DONTWAIT | MSG_TRUNC);

                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return;
                if (n <= 0 || (size_t)n > sizeof s->packet || control_header_check(s->packet, (size_t)n, &h) < 0 ||
                    h.flags != 0) {
                        peer_close(s, p);
                        return;
                }
                if (!p->held)
                        peer_request(s, p, &h, s->packet + sizeof h);
                else if (p->waiting.size > CONTROL_QUEUE_MAX || buf_append(&p->waiting, s->packet, (size_t)n) < 0)
                        peer_close(s, p);
        }
}

/* What came while its reload was under way, in order; another reload among it holds the rest again. */
static void peer_go_on(struct control_server *s, struct peer *p)
{
        size_t at = 0;

        while (p->fd >= 0 && !p->held && at < p->waiting.size) {
                struct control_header h;

                memcpy(&h, p->waiting.data + at, sizeof h);
                memcpy(s->packet, p->waiting.data + at, sizeof h + h.size);
                at += sizeof h + h.size;
                peer_request(s, p, &h, s->packet + sizeof h);
        }
        if (at < p->waiting.size)
                memmove(p->waiting.data, p->waiting.data + at, p->waiting.size - at);
        p->waiting.size -= MIN2(at, p->waiting.size);
        if (p->waiting.size == 0)
                trim(&p->waiting);
}

/* WHY: of a result that is an error; NULL = as its number says. */
static void release(struct control_server *s, uint16_t type, int result, const char *why)
{
        bool was_held[PEERS_MAX];

        for (unsigned i = 0; i < PEERS_MAX; i++)
                was_held[i] = s->peers[i].fd >= 0 && s->peers[i].held && s->peers[i].held_type == type;
        for (unsigned i = 0; i < PEERS_MAX; i++) {
                struct peer *p = &s->peers[i];
                struct control_error error = {0};

                if (!was_held[i] || p->fd < 0)
                        continue;
                p->held = false;
                trim(&s->answer.body);
                if (why)
                        control_error_set(&error, "org.freedesktop.DBus.Error.Failed", "%s", why);
                if (buf_reserve(&s->answer.body, 1024) >= 0 && result < 0)
                        answer_error(s, &error, result);
                peer_send_message(s, p, result < 0 ? CONTROL_ERROR : CONTROL_ANSWER, p->held_serial, &s->answer.body);
                peer_go_on(s, p);
        }
}

void control_reload_done(struct control_server *s, int result)
{
        release(s, CONTROL_RELOAD, result, NULL);
}

void control_reexecute_refused(struct control_server *s, const char *why)
{
        release(s, CONTROL_REEXECUTE, -EPROTO, why);
}

static struct peer *slot_find(struct control_server *s)
{
        for (unsigned i = 0; i < PEERS_MAX; i++)
                if (s->peers[i].fd < 0)
                        return &s->peers[i];
        return NULL;
}

static bool peer_may(int fd, struct ucred *ret)
{
        socklen_t size = sizeof *ret;

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret, &size) == 0 && (ret->uid == 0 || ret->uid == geteuid());
}

static void server_accept(struct control_server *s)
{
        for (int i = 0; i < PEERS_MAX; i++) {
                cleanup_close_ int fd = accept4(s->socket_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                struct peer *p = slot_find(s);
                struct ucred who;

                if (fd < 0)
                        return;
                if (!p || !peer_may(fd, &who))
                        continue;
                p->fd = take_fd(&fd);
                p->uid = who.uid;
                p->pid = (uint32_t)who.pid;
                s->n_peers++;
                if (s->poll.watch && s->poll.watch(s->poll.userdata, p->fd, false, p) < 0)
                        peer_close(s, p);
        }
}

int control_server_new(int socket_fd, const struct control_ops *ops, void *userdata, struct control_server **ret)
{
        struct control_server *s = calloc(1, sizeof *s);

        if (!s)
                return -ENOMEM;
        s->socket_fd = socket_fd;
        s->ops = ops;
        s->userdata = userdata;
        for (unsigned i = 0; i < PEERS_MAX; i++)
                s->peers[i].fd = -1;
        *ret = s;
        return 0;
}

void control_server_free(struct control_server *s)
{
        if (!s)
                return;
        for (unsigned i = 0; i < PEERS_MAX; i++) {
                peer_close(s, &s->peers[i]);
                buf_done(&s->peers[i].queue);
                buf_done(&s->peers[i].waiting);
        }
        if (s->poll.forget)
                s->poll.forget(s->poll.userdata, s->socket_fd);
        buf_done(&s->answer.body);
        buf_done(&s->event);
        buf_done(&s->deferred);
        free(s);
}

int control_server_set_poll(struct control_server *s, const struct control_poll *p)
{
        s->poll = *p;
        return p->watch(p->userdata, s->socket_fd, false, NULL);
}

void control_server_ready(struct control_server *s, void *cookie, bool readable, bool writable, bool hangup)
{
        struct peer *p = cookie;

        if (!p) {
                server_accept(s);
                return;
        }
        if (p->fd < 0)
                return;
        if (writable)
                peer_flush(s, p);
        if (p->fd >= 0 && readable)
                peer_read(s, p);
        if (p->fd >= 0 && hangup)
                peer_close(s, p);
}

unsigned control_server_n_peers(const struct control_server *s)
{
        return s->n_peers;
}

const struct control_request *control_server_request(const struct control_server *s)
{
        return s->request;
}
