/* SPDX-License-Identifier: MIT
 *
 * Connections: accepted only within limits, with the peer's credentials read before a bus object exists.
 *
 * Invariant: a client that does not finish its handshake, or does not read, is closed; it is freed from the loop, never
 * from within its own bus's callbacks.
 */
#include "front.h"

#include <stdio.h>
#include <sys/socket.h>

#define DRAIN_PER_TURN 64

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
        c->drain = sd_event_source_disable_unref(c->drain);
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
        sd_event_source_disable_unref(c->drain);
        senders_free(c);
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
        return 0;
}

static int on_handshake_over(sd_event_source *source unused_, uint64_t usec unused_, void *userdata)
{
        client_close(userdata);
        return 0;
}

/* sd-bus 252 does not look at a message that came in one read with the end of the handshake until more bytes come. */
static int on_drain(sd_event_source *source, void *userdata)
{
        struct client *c = userdata;

        for (int i = 0; i < DRAIN_PER_TURN && !c->closing; i++)
                if (sd_bus_process(c->bus, NULL) <= 0)
                        return c->closing ? 0 : sd_event_source_set_enabled(source, SD_EVENT_OFF);
        return 0;
}

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
        struct client *c = userdata;
        uint64_t queued = 0;

        if (c->closing)
                return 1;
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
                else if (sd_event_add_defer(c->front->event, &c->drain, on_drain, c) >= 0)
                        (void)sd_event_source_set_enabled(c->drain, SD_EVENT_ON);
                return 1;
        }
        return dispatch_message(m, c, e);
}

static bool front_has_room(struct front *f, uid_t uid)
{
        unsigned n = 0;

        if (f->n_clients >= CLIENTS_MAX)
                return false;
        for (struct client *c = f->clients; c; c = c->next)
                n += c->self.uid == uid;
        return n < (uid == 0 || uid == geteuid() ? CLIENTS_MAX - CLIENTS_PER_UID : CLIENTS_PER_UID);
}

/* On the message bus only those who subscribed want to hear; a connection of its own hears everything. */
bool client_hears(const struct client *c)
{
        return c->ready && !c->closing && (!c->on_bus || c->n_subscribed > 0);
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
        return sd_bus_attach_event(c->bus, f->event, SD_EVENT_PRIORITY_NORMAL);
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
        c->next = f->clients;
        f->clients = c;
        f->n_clients++;
        idle_arm(f);
}

static void client_new(struct front *f, int *fd)
{
        struct client *c;
        struct peer who;

        if (peer_of_socket(f, *fd, &who) < 0 || !front_has_room(f, who.uid))
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
        for (int i = 0; i < 16; i++) {
                cleanup_close_ int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (fd < 0)
                        return;
                client_new(f, &fd);
        }
}
