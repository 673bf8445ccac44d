/* SPDX-License-Identifier: MIT
 *
 * The system's message bus: one more client of ours, with many callers behind it. Where the bus runs, supd-bus takes
 * systemd's name on it, so that unprivileged callers, `systemctl --wait` and busctl without an address find supd.
 *
 * Not here: who those callers are (peers.c). Invariant: nothing waits for the bus; that it is not there, goes away or
 * comes back is normal, and costs a few attempts to connect and no more.
 */
#include "front.h"

#include <stdio.h>

#define BUS_ADDRESS  "unix:path=/run/dbus/system_bus_socket"
#define RETRY_MIN_US (100 * USEC_PER_MSEC)
#define RETRY_MAX    6 /* doubled each time; then the start of dbus.service is waited for */
#define ACTIVATOR    BUS_PREFIX "Activator"
#define DRIVER       "org.freedesktop.DBus"

static void retry_later(struct front *f)
{
        if (f->bus_tries >= RETRY_MAX) {
                f->bus_trying = false;
                return;
        }
        f->bus_trying = true;
        (void)sd_event_source_set_time_relative(f->bus_retry, RETRY_MIN_US << f->bus_tries++);
        (void)sd_event_source_set_enabled(f->bus_retry, SD_EVENT_ONESHOT);
}

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *e unused_)
{
        struct client *c = userdata;

        if (!sd_bus_message_is_method_error(m, NULL)) {
                c->front->bus_tries = 0;
                c->front->bus_trying = false;
                return 0;
        }
        (void)fprintf(stderr, "supd-bus: no name on the system's message bus: %s\n",
                      sd_bus_message_get_error(m)->message);
        c->front->bus_tries = RETRY_MAX; /* to ask again would not help */
        client_close(c);
        return 0;
}

void bus_ready(struct client *c)
{
        if (sd_bus_request_name_async(c->bus, NULL, BUS_NAME, 0, on_name, c) < 0)
                client_close(c);
}

/* A bus that was there may be back soon; one that was not is told of when it starts. */
void bus_gone(struct client *c)
{
        struct front *f = c->front;

        f->bus = NULL;
        if (c->ready || f->bus_trying)
                retry_later(f);
}

static int bus_start(struct client *c)
{
        const char *address = getenv("DBUS_SYSTEM_BUS_ADDRESS");
        int r;

        if ((r = sd_bus_new(&c->bus)) < 0 || (r = sd_bus_set_description(c->bus, "system-bus")) < 0 ||
            (r = sd_bus_set_address(c->bus, address ? address : BUS_ADDRESS)) < 0 ||
            (r = sd_bus_set_bus_client(c->bus, 1)) < 0 || (r = sd_bus_negotiate_fds(c->bus, 0)) < 0 ||
            (r = sd_bus_set_connected_signal(c->bus, 1)) < 0)
                return r;
        return client_listen(c);
}

void bus_connect(struct front *f)
{
        struct client *c;

        if (!f->want_bus || f->bus)
                return;
        c = calloc(1, sizeof *c);
        if (!c)
                return;
        c->on_bus = true;
        c->self = (struct peer){.uid = (uid_t)-1};
        client_add(f, c);
        f->bus = c;
        if (bus_start(c) < 0)
                client_close(c);
}

/* dbus.service started or ended: there is something to connect to, or soon will be. */
void bus_unit_changed(struct front *f, const char *unit)
{
        if (!f->want_bus || f->bus || (!streq(unit, "dbus.service") && !streq(unit, "dbus-broker.service")))
                return;
        f->bus_tries = 0;
        retry_later(f);
}

static int on_retry(sd_event_source *source unused_, uint64_t usec unused_, void *userdata)
{
        bus_connect(userdata);
        return 0;
}

int bus_init(struct front *f)
{
        int r;

        if (!f->want_bus)
                return 0;
        r = sd_event_add_time_relative(f->event, &f->bus_retry, CLOCK_MONOTONIC, 0, 0, on_retry, f);
        if (r < 0)
                return r;
        (void)sd_event_source_set_enabled(f->bus_retry, SD_EVENT_OFF);
        bus_connect(f);
        return 0;
}

/* ---- services that the bus wants started ---- */

struct activation {
        struct front *front;
        char unit[CONTROL_NAME_MAX];
};

/* The bus learns of a start that could not even be asked for; of one that fails it learns by its own time limit. */
static void on_activated(void *userdata, const struct link_reply *reply)
{
        struct activation *a = userdata;
        sd_bus_message *m = NULL;

        if (reply->error_name && a->front->bus && a->front->bus->ready &&
            sd_bus_message_new_signal(a->front->bus->bus, &m, BUS_ROOT, ACTIVATOR, "ActivationFailure") >= 0 &&
            sd_bus_message_set_destination(m, DRIVER) >= 0 &&
            sd_bus_message_append(m, "sss", a->unit, reply->error_name, reply->error_message) >= 0)
                (void)client_send(a->front->bus, m);
        sd_bus_message_unref(m);
        free(a);
}

void bus_activation(struct client *c, sd_bus_message *m)
{
        const char *sender = sd_bus_message_get_sender(m), *unit;
        cleanup_buf_ struct buf b = {0};
        struct activation *a;

        if (!sender || !streq(sender, DRIVER) || sd_bus_message_read(m, "s", &unit) < 0 ||
            unit_name_check(unit, NULL) < 0)
                return;
        a = calloc(1, sizeof *a);
        if (!a)
                return;
        a->front = c->front;
        memcpy(a->unit, unit, strlen(unit) + 1);
        if (control_write_string(&b, CONTROL_TAG_UNIT, unit) < 0 ||
            control_write_string(&b, CONTROL_TAG_REQUEST, "start") < 0 ||
            control_write_string(&b, CONTROL_TAG_MODE, "replace") < 0 ||
            link_request(c->front->link, CONTROL_ENQUEUE, &b, on_activated, a) < 0)
                free(a);
}
