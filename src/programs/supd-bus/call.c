/* SPDX-License-Identifier: MIT
 *
 * Method calls that wait for the manager. Invariant: a call belongs to the link until it is answered; when its client
 * leaves first it is only cut loose, and forgotten when the answer comes.
 */
#include "front.h"

#include <stdarg.h>

static void call_unlink(struct call *c)
{
        if (!c->client)
                return;
        for (struct call **p = &c->client->calls; *p; p = &(*p)->next)
                if (*p == c) {
                        *p = c->next;
                        c->client->n_calls--;
                        break;
                }
        pace_update(c->client);
        c->client = NULL;
}

static void call_free(struct call *c)
{
        call_unlink(c);
        sd_bus_message_unref(c->message);
        free(c);
}

void calls_abandon(struct client *client)
{
        while (client->calls) {
                struct call *c = client->calls;

                call_unlink(c);
                c->message = sd_bus_message_unref(c->message);
        }
}

void client_reply_error(struct client *client, sd_bus_message *call, const sd_bus_error *e)
{
        sd_bus_message *m = NULL;

        if (sd_bus_message_new_method_error(call, &m, e) >= 0)
                (void)client_send(client, m);
        sd_bus_message_unref(m);
}

static void on_reply(void *userdata, const struct link_reply *reply)
{
        struct call *c = userdata;
        sd_bus_error e = SD_BUS_ERROR_NULL;

        if (c->client && c->client->closing)
                call_unlink(c);
        if (c->client) {
                pace_serve(c->client->front, c->client);
                pace_charge(c->client, reply->size);
        }
        if (c->client && reply->error_name) {
                (void)sd_bus_error_set(&e, reply->error_name, reply->error_message);
        } else if (c->client) {
                int r = c->finish(c, reply, &e);
                if (r < 0 && !sd_bus_error_is_set(&e))
                        (void)sd_bus_error_setf(&e, SD_BUS_ERROR_FAILED, "supd-bus could not make an answer: %s",
                                                strerror(-r));
        }
        if (c->client && sd_bus_error_is_set(&e))
                client_reply_error(c->client, c->message, &e);
        if (c->client)
                pace_told(c->client, reply->size);
        sd_bus_error_free(&e);
        call_free(c);
}

static bool is_large(uint16_t type)
{
        return type == CONTROL_LIST_UNITS || type == CONTROL_LIST_JOBS;
}

static bool same_caller(sd_bus_message *a, sd_bus_message *b)
{
        const char *x = sd_bus_message_get_sender(a), *y = sd_bus_message_get_sender(b);

        return x && y && streq(x, y);
}

/* Answers of any length count before they are there: what was asked for will be queued. */
static bool may_ask(struct client *client, sd_bus_message *m, uint16_t type)
{
        uint64_t queued = 0;
        unsigned mine = client->n_calls;

        if (client->on_bus)
                mine = 0;
        for (struct call *c = client->calls; c && client->on_bus; c = c->next)
                mine += same_caller(c->message, m);
        if (mine >= CLIENT_CALLS_MAX || client->n_calls >= BUS_CALLS_MAX)
                return false;
        if (!is_large(type))
                return true;
        (void)sd_bus_get_n_queued_write(client->bus, &queued);
        for (struct call *c = client->calls; c; c = c->next)
                queued += is_large(c->type);
        return queued <= CLIENT_QUEUE_LARGE;
}

int call_begin(struct client *client, sd_bus_message *m, uint16_t type, struct buf *body,
               int (*finish)(struct call *, const struct link_reply *, sd_bus_error *), const char *unit,
               uint32_t number, sd_bus_error *e)
{
        struct call *c = NULL;
        int r = -ENOBUFS;

        if (may_ask(client, m, type))
                c = calloc(1, sizeof *c);
        if (!c) {
                buf_done(body);
                return sd_bus_error_set(e, ERROR_LIMITS, "Too many unanswered calls of this connection");
        }
        c->message = sd_bus_message_ref(m);
        c->finish = finish;
        c->number = number;
        c->type = type;
        (void)strncpy(c->unit, unit ? unit : "", sizeof c->unit - 1);
        c->client = client;
        c->next = client->calls;
        client->calls = c;
        client->n_calls++;
        r = link_request(client->front->link, type, body, on_reply, c);
        if (r < 0) {
                call_free(c);
                return sd_bus_error_set(e, ERROR_LIMITS, "Too many unanswered calls");
        }
        return 1;
}

static int reply_v(struct client *client, sd_bus_message *call, const char *types, va_list ap)
{
        sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_return(call, &m);

        if (r >= 0 && types && types[0])
                r = sd_bus_message_appendv(m, types, ap);
        if (r >= 0)
                (void)client_send(client, m);
        sd_bus_message_unref(m);
        return r < 0 ? r : 1;
}

int call_reply(struct call *c, const char *types, ...)
{
        va_list ap;
        int r;

        va_start(ap, types);
        r = reply_v(c->client, c->message, types, ap);
        va_end(ap);
        return r;
}

int client_reply(struct client *c, sd_bus_message *m, const char *types, ...)
{
        va_list ap;
        int r;

        va_start(ap, types);
        r = reply_v(c, m, types, ap);
        va_end(ap);
        return r;
}

int call_answer(struct call *c, sd_bus_message *m, int r)
{
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0)
                (void)client_send(c->client, m);
        sd_bus_message_unref(m);
        return r;
}
