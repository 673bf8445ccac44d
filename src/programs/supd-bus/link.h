/* SPDX-License-Identifier: MIT
 *
 * The connection to the manager: requests in order, answers to callbacks, events to one callback. Outlives the manager:
 * when it goes away this reconnects, and asks again what may be asked twice (lookups, and requests with a request id).
 *
 * Not here: D-Bus. Invariant: each request's callback is called exactly once, never from within link_request().
 */
#ifndef SUPD_BUS_LINK_H
#define SUPD_BUS_LINK_H

#include <systemd/sd-event.h>

#include "control/control-format.h"

#define LINK_CALLS_MAX 1024 /* requests that wait or are on their way */

struct link_reply {
        const char *error_name;    /* NULL = an answer */
        const char *error_message; /* with error_name */
        const char *body;          /* borrowed for the call */
        size_t size;
};
typedef void (*link_done)(void *userdata, const struct link_reply *reply);

struct link_handler {
        void (*event)(void *userdata, uint16_t type, const char *body, size_t size);
        void (*connected)(void *userdata); /* again */
        void (*gone)(void *userdata);      /* away for LINK_AWAY_MAX: give up */
        void *userdata;
};

struct link;
int link_new(sd_event *event, const char *path, const struct link_handler *handler, struct link **ret);
void link_free(struct link *l);
bool link_is_up(const struct link *l);
/* Sends TYPE with BODY (taken, empty afterwards). -ENOBUFS when too many wait, -ENOMEM; DONE is not called then. */
int link_request(struct link *l, uint16_t type, struct buf *body, link_done done, void *userdata);

#endif
