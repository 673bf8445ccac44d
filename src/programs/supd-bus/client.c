/* SPDX-License-Identifier: MIT
 *
 * Connections: accepted only within limits, with the peer's credentials read before a bus object exists.
 *
 * Not here: how much work is done for whom (pace.c).
 * Invariant: a client that does not finish its handshake, or does not read, is closed; it is freed from the loop, never
 * from within its own bus's callbacks.
 */
#include "front.h"

#include <stdio.h>
#include <sys/socket.h>

#define ACCEPTS_PER_TURN 4
#define SETTLING_US      (200 * USEC_PER_MSEC) /* for the handshake, before one may have to go for another, */
#define STAY_US          (500 * USEC_PER_MSEC) /* and for what was to be asked */

static void idle_arm(struct front *f)
{
        if (f->n_clients > 0) {
                (void)sd_event_source_set_enabled(f->idle, SD_EVENT_OFF);
                return;
        }
        (void)sd_event_source_set_time_relative(f->idle, f->idle_us);
        (void)sd_event_source_set_enabled(f->idle, SD_EVENT_ONESHOT);
}

void client_close(struct client *c)
{
        struct front *f = c->front;

        if (c->closing)
                return;
        c->closing = true;
        calls_abandon(c);
        c->handshake = sd_event_source_disable_unref(c->handshake);
        pace_detach(c);
        if (c->bus)
                sd_bus_close(c->bus);
        if (c == f->bus)
                bus_gone(c);
        for (struct client **p = &f->clients; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        f->n_clients--;
                        break;
                }
        c->next = f->dead;
        f->dead = c;
        (void)sd_event_source_set_enabled(f->reaper, SD_EVENT_ONESHOT);
        idle_arm(f);
}

static void client_free(struct client *c)
{
        sd_event_source_disable_unref(c->handshake);
        senders_free(c);
        peer_leaves(c->front, &c->self);
        peer_done(&c->self);
        sd_bus_close_unref(c->bus);
        free(c);
}

static void reap(struct front *f)
{
        while (f->dead) {
                struct client *c = f->dead;
                f->dead = c->next;
                client_free(c);
        }
}

void clients_free(struct front *f)
{
        while (f->clients)
                client_close(f->clients);
        reap(f);
}

static int on_reap(sd_event_source *source unused_, void *userdata)
{
        reap(userdata);
        return 0;
}

/* A message of ours, to a client that reads; one that does not is closed. */
int client_send(struct client *c, sd_bus_message *m)
{
        uint64_t n = 0;
        int r;

        if (c->closing)
                return 0;
        r = sd_bus_send(c->bus, m, NULL);
        if (r < 0 || (sd_bus_get_n_queued_write(c->bus, &n) >= 0 && n > CLIENT_QUEUE_MAX)) {
                client_close(c);
                return r;
        }
        pace_update(c);
        return 0;
}

static int on_handshake_over(sd_event_source *source unused_, uint64_t usec unused_, void *userdata)
{
        client_close(userdata);
        return 0;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
        struct client *c = userdata;
        uint64_t queued = 0;

        if (c->closing)
                return 1;
        pace_heard(c);
        pace_serve(c->front, c);
        /* The library sends the errors that handlers return by itself, so client_send() does not see them. */
        if ((sd_bus_get_n_queued_write(c->bus, &queued) >= 0 && queued > CLIENT_QUEUE_MAX) ||
            sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", "Disconnected")) {
                client_close(c);
                return 1;
        }
        if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", "Connected") && !c->ready) {
                c->ready = true;
                c->handshake = sd_event_source_disable_unref(c->handshake);
                if (c->on_bus)
                        bus_ready(c);
                return 1;
        }
        return dispatch_message(m, c, e);
}

static bool is_owner(const struct client *c)
{
        return c->self.role == ROLE_OWNER && !c->on_bus;
}

/* Who has to go for somebody new of the same kind: whoever has not finished his handshake for longest, else whoever has
 * used most. NULL: all behave, and it is the new one who has to wait. */
static struct client *least_welcome(struct front *f, const struct peer *for_whom, bool same_uid)
{
        struct client *late = NULL, *greedy = NULL;
        uint64_t now = 0;

        (void)sd_event_now(f->event, CLOCK_MONOTONIC, &now);
        for (struct client *c = f->clients; c; c = c->next) {
                if (c->on_bus || is_owner(c) != (for_whom->role == ROLE_OWNER) ||
                    (same_uid && c->self.uid != for_whom->uid))
                        continue;
                if (!c->ready && now - c->since_us >= SETTLING_US && (!late || c->since_us < late->since_us))
                        late = c;
                if (c->ready && now - c->since_us >= STAY_US && (c->credit_us <= 0 || pace_is_stuck(c)) &&
                    (!greedy || c->credit_us < greedy->credit_us))
                        greedy = c;
        }
        return late ? late : greedy;
}

static bool front_makes_room(struct front *f, const struct peer *who)
{
        unsigned owners = 0, others = 0, same = 0;
        struct client *gone;

        for (struct client *c = f->clients; c; c = c->next) {
                if (c->on_bus)
                        continue;
                owners += is_owner(c);
                others += !is_owner(c);
                same += c->self.uid == who->uid;
        }
        if (who->role == ROLE_OWNER ? owners < CLIENTS_OWNER : others < CLIENTS_OTHERS && same < CLIENTS_PER_UID)
                return true;
        gone = least_welcome(f, who, who->role != ROLE_OWNER && same >= CLIENTS_PER_UID);
        if (gone)
                client_close(gone);
        return gone != NULL;
}

/* On the message bus those who subscribed want to hear, and those who hold a unit or wait for a job; a connection of
 * its own hears everything. */
bool client_hears(const struct client *c)
{
        if (!c->ready || c->closing)
                return false;
        if (!c->on_bus || c->n_subscribed > 0 || c->front->n_jobs > 0)
                return true;
        for (const struct peer *p = c->senders; p; p = p->next)
                if (p->n_refs > 0)
                        return true;
        return false;
}

int clients_init(struct front *f)
{
        int r = sd_event_add_defer(f->event, &f->reaper, on_reap, f);

        return r < 0 ? r : sd_event_source_set_enabled(f->reaper, SD_EVENT_OFF);
}

int client_listen(struct client *c)
{
        struct front *f = c->front;
        int r;

        if ((r = sd_bus_add_filter(c->bus, NULL, on_message, c)) < 0 ||
            (r = sd_event_add_time_relative(f->event, &c->handshake, CLOCK_MONOTONIC, f->handshake_us, 0,
                                            on_handshake_over, c)) < 0 ||
            (r = sd_bus_start(c->bus)) < 0)
                return r;
        return pace_attach(c);
}

static int client_start(struct client *c, int *fd)
{
        sd_id128_t id;
        int r;

        if ((r = sd_bus_new(&c->bus)) < 0 || (r = sd_id128_randomize(&id)) < 0 ||
            (r = sd_bus_set_description(c->bus, "client")) < 0 || (r = sd_bus_set_server(c->bus, 1, id)) < 0 ||
            (r = sd_bus_negotiate_fds(c->bus, 0)) < 0 || (r = sd_bus_set_connected_signal(c->bus, 1)) < 0 ||
            (r = sd_bus_set_sender(c->bus, BUS_NAME)) < 0)
                return r;
        r = sd_bus_set_fd(c->bus, *fd, *fd);
        if (r < 0)
                return r;
        (void)take_fd(fd);
        return client_listen(c);
}

void client_add(struct front *f, struct client *c)
{
        c->front = f;
        c->number = ++f->n_numbers;
        (void)sd_event_now(f->event, CLOCK_MONOTONIC, &c->since_us);
        pace_new(c);
        c->next = f->clients;
        f->clients = c;
        f->n_clients++;
        idle_arm(f);
}

static void client_new(struct front *f, int *fd)
{
        struct client *c;
        struct peer who;

        if (peer_of_socket(f, *fd, &who) < 0 || !front_makes_room(f, &who))
                return;
        c = calloc(1, sizeof *c);
        if (!c)
                return;
        c->self = who;
        client_add(f, c);
        if (client_start(c, fd) < 0)
                client_close(c);
}

void client_accept(struct front *f, int listen_fd)
{
        for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
                cleanup_close_ int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd < 0)
                        return;
                client_new(f, &fd);
        }
}
