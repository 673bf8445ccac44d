/* SPDX-License-Identifier: MIT
 *
 * How much of the machine clients may cost. The front counts its processor time, client by client, and works on credit:
 * one client that asks for much gets a whole processor's worth, many that press together get a fifth of one between
 * them, in turns. Whoever has used up his credit is simply not read until his next turn, so what he wants to say waits
 * in his own socket buffer, and so does he. The same holds for the door: nobody is let in while there is no credit, and
 * for a client whose calls are not answered yet, or who does not read what he is told.
 *
 * Not here: limits of number (client.c). Invariant: what a client can make us hold is bounded: by bytes that belong to
 * no complete message yet, and by bytes of answers that he has not read; when all together hold too much, the one who
 * holds most goes.
 */
#include "front.h"

#include <stdio.h>
#include <endian.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BURST_US      (250 * USEC_PER_MSEC) /* of processor time that were not used are kept for later */
#define TICK_US       (10 * USEC_PER_MSEC)
#define SLICE_US      1000                  /* of processor time are a turn */
#define FIRST_US      5000                  /* credit of who just came, */
#define PRESSED_US    500                   /* and while there is none left */
#define DEBT_US       3000                  /* more is forgiven to a client, not to all of them */
#define DOOR_PART     4                     /* one in so many is for letting in */
#define MANAGER_US    40                    /* what a request costs the manager; a guess that only weighs */
#define LEAST_PERCENT 20u                   /* of one processor, however many press */
#define PER_TURN      16                    /* messages of one client before others have theirs */
#define CALLS_READ    16                    /* calls not answered, from which on no more are read */
#define UNREAD_READ   4                     /* answers not read, likewise, */
#define UNREAD_BYTES  (256u * 1024u)        /* and so many bytes of them */
#define SOCKET_BYTES  (128 * 1024)          /* in the kernel, for one client */
#define MESSAGE_MAX   (512u * 1024u)        /* bytes of one message */
#define TURN_BYTES    (256u * 1024u)        /* read for one client before others have their turn */
#define HELD_MAX      (32u * 1024u * 1024u) /* bytes, of all clients */

static uint64_t used_us(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
        return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t now_us(struct front *f)
{
        uint64_t t = 0;

        (void)sd_event_now(f->event, CLOCK_MONOTONIC, &t);
        return t;
}

/* ---- credit ---- */

void pace_charge(struct client *c, size_t bytes)
{
        int64_t cost = MANAGER_US + (int64_t)(bytes / 64);

        c->credit_us -= cost;
        c->front->pace.credit_us -= cost;
}

static void tick_arm(struct front *f)
{
        int on = SD_EVENT_OFF;

        if (sd_event_source_get_enabled(f->pace.tick, &on) > 0)
                return;
        f->pace.ticked_us = now_us(f);
        (void)sd_event_source_set_time_relative(f->pace.tick, TICK_US);
        (void)sd_event_source_set_enabled(f->pace.tick, SD_EVENT_ONESHOT);
}

static void queue_add(struct front *f, struct client *c)
{
        struct client ***last = &f->pace.last[c->self.role != ROLE_OWNER];

        c->hungry = true;
        c->next_hungry = NULL;
        **last = c;
        *last = &c->next_hungry;
        f->pace.n_hungry++;
}

static struct client *queue_pop(struct front *f, unsigned which)
{
        struct client *c = f->pace.first[which];

        if (!c)
                return NULL;
        f->pace.first[which] = c->next_hungry;
        if (!c->next_hungry)
                f->pace.last[which] = &f->pace.first[which];
        c->hungry = false;
        f->pace.n_hungry--;
        return c;
}

static void client_pause(struct client *c)
{
        struct front *f = c->front;

        if (c->hungry || c->closing)
                return;
        if (c->on_bus)
                (void)sd_bus_detach_event(c->bus);
        else
                (void)sd_event_source_set_enabled(c->io, SD_EVENT_OFF);
        (void)sd_event_source_set_enabled(c->drain, SD_EVENT_OFF);
        queue_add(f, c);
        tick_arm(f);
}

/* Whoever was served until now has done so on his credit; when that is used up he waits for a turn. */
static void served(struct front *f, struct client *c)
{
        if (c->credit_us > 0 || c->closing)
                return;
        if (f->pace.credit_us > (int64_t)BURST_US / 2)
                c->credit_us += SLICE_US;
        if (c->credit_us <= 0)
                client_pause(c);
}

void pace_serve(struct front *f, struct client *c)
{
        uint64_t now = used_us();
        int64_t spent = (int64_t)(now - f->pace.counted_us);
        struct client *until_now = f->pace.serving;

        f->pace.counted_us = now;
        f->pace.credit_us -= spent;
        f->pace.serving = c;
        if (!until_now)
                return;
        until_now->credit_us = MAX2(until_now->credit_us - spent, -(int64_t)DEBT_US);
        if (until_now != c)
                served(f, until_now);
}

static void client_resume(struct client *c)
{
        if (c->on_bus)
                (void)sd_bus_attach_event(c->bus, c->front->event, SD_EVENT_PRIORITY_NORMAL);
        else
                (void)sd_event_source_set_enabled(c->io, SD_EVENT_ON);
        pace_update(c);
}

/* Whose turn it is next: three of ours for one of the others. */
static struct client *next_turn(struct front *f)
{
        unsigned which = ++f->pace.turns % 4 == 0;
        struct client *c = queue_pop(f, which);

        return c ? c : queue_pop(f, !which);
}

static void turns_give(struct front *f)
{
        unsigned n = f->pace.n_hungry;

        for (int64_t left = f->pace.credit_us; left > 0 && n > 0; left -= SLICE_US, n--) {
                struct client *c = next_turn(f);

                c->credit_us += SLICE_US;
                if (c->credit_us > 0)
                        client_resume(c);
                else
                        queue_add(f, c);
        }
}

/* Letting in has a credit of its own, or those who are in would keep all others out. */
static void doors_set(struct front *f)
{
        bool open = f->pace.door_us > 0;

        if (f->pace.doors_closed == !open)
                return;
        f->pace.doors_closed = !open;
        for (unsigned i = 0; i < f->n_doors; i++)
                (void)sd_event_source_set_enabled(f->doors[i], open ? SD_EVENT_ON : SD_EVENT_OFF);
        if (!open)
                tick_arm(f);
}

void pace_door(struct front *f)
{
        int64_t before = f->pace.credit_us;

        pace_serve(f, NULL);
        f->pace.door_us -= before - f->pace.credit_us;
        f->pace.credit_us = before;
        doors_set(f);
}

static int on_tick(sd_event_source *source, uint64_t usec unused_, void *userdata)
{
        struct front *f = userdata;
        uint64_t now = now_us(f), percent = MAX2(100 / MAX2(f->pace.n_hungry, 1u), LEAST_PERCENT);
        int64_t more = (int64_t)((now - f->pace.ticked_us) * percent / 100);

        f->pace.credit_us = MIN2(f->pace.credit_us + more - more / DOOR_PART, (int64_t)BURST_US);
        f->pace.door_us = MIN2(f->pace.door_us + more / DOOR_PART, (int64_t)BURST_US / DOOR_PART);
        f->pace.ticked_us = now;
        turns_give(f);
        doors_set(f);
        if (f->pace.n_hungry == 0 && f->pace.credit_us >= (int64_t)BURST_US &&
            f->pace.door_us >= (int64_t)BURST_US / DOOR_PART)
                return 0;
        (void)sd_event_source_set_time_relative(source, TICK_US);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Behind events: what the last one cost. */
static int on_turn(sd_event_source *source unused_, void *userdata)
{
        struct front *f = userdata;

        pace_serve(f, NULL);
        if (f->pace.credit_us < (int64_t)BURST_US || f->pace.door_us < (int64_t)BURST_US / DOOR_PART)
                tick_arm(f);
        return 0;
}

/* ---- what is held ---- */

static struct client *largest(struct front *f, size_t *ret_total)
{
        struct client *most = NULL;

        *ret_total = 0;
        for (struct client *c = f->clients; c; c = c->next) {
                *ret_total += c->partial + c->unread;
                if (!c->on_bus && (!most || c->partial + c->unread > most->partial + most->unread))
                        most = c;
        }
        return most;
}

static void held_check(struct front *f)
{
        struct client *most;
        size_t total;

        while ((most = largest(f, &total)) && total > HELD_MAX && most->partial + most->unread > 0)
                client_close(most);
}

void pace_told(struct client *c, size_t bytes)
{
        uint64_t queued = 0;

        if (c->closing || sd_bus_get_n_queued_write(c->bus, &queued) < 0)
                return;
        c->unread = queued > 0 ? c->unread + bytes : 0;
        if (c->unread > 0)
                held_check(c->front);
}

void pace_heard(struct client *c)
{
        c->partial = 0;
}

/* ---- reading ---- */

static bool may_read(struct client *c)
{
        uint64_t queued = 0;

        (void)sd_bus_get_n_queued_write(c->bus, &queued);
        if (queued == 0)
                c->unread = 0;
        return c->n_calls < CALLS_READ && c->unread < UNREAD_BYTES && queued < UNREAD_READ;
}

/* What to wait for with this client; whoever is not to be read is not looked at. */
void pace_update(struct client *c)
{
        int events;
        bool reads;

        if (c->closing || !c->io)
                return;
        events = sd_bus_get_events(c->bus);
        reads = may_read(c);
        if (events < 0)
                return;
        (void)sd_event_source_set_io_events(c->io, (uint32_t)(reads ? events : events & ~EPOLLIN));
        if (!c->hungry)
                (void)sd_event_source_set_enabled(c->drain, reads && c->more ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

bool pace_is_stuck(struct client *c)
{
        return c->n_calls < CALLS_READ && !may_read(c);
}

/* The library reads through this definition, which stands before that of libc: it would read a message of any length to
 * its end as long as more comes, and has no word for a limit. */
static struct client *reader;
static size_t reader_bytes;

/* What begins here says that it is longer than it may be: told before the library makes room for it. */
static bool begins_too_long(const struct msghdr *m, size_t n)
{
        uint32_t body, fields;
        const uint8_t *p;

        if (m->msg_iovlen == 0 || n < 16)
                return false;
        p = m->msg_iov[0].iov_base;
        memcpy(&body, p + 4, sizeof body);
        memcpy(&fields, p + 12, sizeof fields);
        if (p[0] == 'B') {
                body = be32toh(body);
                fields = be32toh(fields);
        } else {
                body = le32toh(body);
                fields = le32toh(fields);
        }
        return (p[0] == 'l' || p[0] == 'B') && (body > MESSAGE_MAX || fields > MESSAGE_MAX);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
        bool ours = reader && reader->bus && fd == sd_bus_get_fd(reader->bus);
        size_t wanted = 0;
        ssize_t n;

        for (size_t i = 0; i < m->msg_iovlen; i++)
                wanted += m->msg_iov[i].iov_len;
        if (ours && (reader_bytes >= TURN_BYTES || wanted > MESSAGE_MAX)) {
                errno = wanted > MESSAGE_MAX ? EMSGSIZE : EAGAIN;
                return -1;
        }
        n = syscall(SYS_recvmsg, fd, m, flags);
        if (ours && n > 0 && reader->ready && reader->partial == 0 && begins_too_long(m, (size_t)n)) {
                errno = EMSGSIZE;
                return -1;
        }
        if (ours && n > 0) {
                reader_bytes += (size_t)n;
                reader->partial += (size_t)n;
        }
        return n;
}

static int client_process(struct client *c)
{
        int r;

        reader = c;
        r = sd_bus_process(c->bus, NULL);
        reader = NULL;
        return r;
}

static int client_turn(struct client *c)
{
        pace_serve(c->front, c);
        c->more = false;
        reader_bytes = 0;
        for (int i = 0; i < PER_TURN && !c->closing; i++) {
                int r = client_process(c);

                if (c->closing)
                        return 0;
                if (r < 0 || c->partial > MESSAGE_MAX) {
                        client_close(c);
                        return 0;
                }
                if (c->partial > MESSAGE_MAX / 8)
                        held_check(c->front);
                if (c->closing)
                        return 0;
                c->more = r > 0;
                if (r == 0 || !may_read(c))
                        break;
        }
        pace_update(c);
        return 0;
}

static int on_io(sd_event_source *source unused_, int fd unused_, uint32_t events unused_, void *userdata)
{
        return client_turn(userdata);
}

/* What the library has read already is looked at without waiting for more bytes; sd-bus 252 leaves a message there that
 * came in one read with the end of the handshake. Switched on anew each time: a source that stays on comes first for
 * ever.
 */
static int on_drain(sd_event_source *source unused_, void *userdata)
{
        return client_turn(userdata);
}

int pace_attach(struct client *c)
{
        const int unsent = SOCKET_BYTES;
        struct front *f = c->front;
        int r;

        if (c->on_bus)
                return sd_bus_attach_event(c->bus, f->event, SD_EVENT_PRIORITY_NORMAL);
        /* The library has asked the kernel to keep 8 MB of answers for each. */
        (void)setsockopt(sd_bus_get_fd(c->bus), SOL_SOCKET, SO_SNDBUF, &unsent, sizeof unsent);
        r = sd_event_add_io(f->event, &c->io, sd_bus_get_fd(c->bus), EPOLLIN, on_io, c);
        if (r >= 0)
                r = sd_event_add_defer(f->event, &c->drain, on_drain, c);
        if (r < 0)
                return r;
        pace_update(c);
        return 0;
}

void pace_detach(struct client *c)
{
        struct front *f = c->front;

        if (f->pace.serving == c)
                pace_serve(f, NULL);
        for (unsigned i = 0; c->hungry && i < ARRAY_SIZE(f->pace.first); i++)
                for (struct client **p = &f->pace.first[i]; *p; p = &(*p)->next_hungry)
                        if (*p == c) {
                                *p = c->next_hungry;
                                if (!c->next_hungry)
                                        f->pace.last[i] = p;
                                c->hungry = false;
                                f->pace.n_hungry--;
                                break;
                        }
        c->drain = sd_event_source_disable_unref(c->drain);
        c->io = sd_event_source_disable_unref(c->io);
}

void pace_new(struct client *c)
{
        c->credit_us = c->front->pace.credit_us > 0 ? FIRST_US : PRESSED_US;
}

int pace_init(struct front *f)
{
        int r;

        f->pace.credit_us = BURST_US;
        f->pace.door_us = BURST_US / DOOR_PART;
        f->pace.counted_us = used_us();
        for (unsigned i = 0; i < ARRAY_SIZE(f->pace.first); i++)
                f->pace.last[i] = &f->pace.first[i];
        r = sd_event_add_time_relative(f->event, &f->pace.tick, CLOCK_MONOTONIC, TICK_US, 1000, on_tick, f);
        if (r >= 0)
                r = sd_event_source_set_enabled(f->pace.tick, SD_EVENT_OFF);
        return r < 0 ? r : sd_event_add_post(f->event, &f->pace.turn, on_turn, f);
}

void pace_free(struct front *f)
{
        sd_event_source_disable_unref(f->pace.tick);
        sd_event_source_disable_unref(f->pace.turn);
}
