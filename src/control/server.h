/* SPDX-License-Identifier: MIT
 *
 * The server from the inside: what its two halves share. server.c has the sockets, requests.c what is asked.
 * Invariant: nothing outside of this room includes it.
 */
#ifndef SUPD_CONTROL_SERVER_H
#define SUPD_CONTROL_SERVER_H

#include "control/answer.h"

#define PEERS_MAX 16

struct peer {
        int fd; /* owned; -1 = free slot */
        uint32_t uid, pid;
        bool want_write, held; /* held: the answer to its reload is still to come, and what it asks meanwhile waits */
        uint16_t held_type;    /* what is to be answered */
        uint32_t held_serial;
        struct buf waiting; /* packets read while it is held */
        struct buf queue;   /* packets, each with its header */
        size_t sent;        /* bytes of queue that are gone */
};

struct control_server {
        int socket_fd; /* borrowed */
        const struct control_ops *ops;
        void *userdata;
        struct control_poll poll;
        struct peer peers[PEERS_MAX];
        unsigned n_peers;
        struct control_answer answer;          /* the one being built */
        struct buf event;                      /* likewise */
        struct buf deferred;                   /* packets that go out behind the answer of the op that runs */
        const struct control_request *request; /* while an op runs */
        char packet[CONTROL_PACKET_MAX];
};

/* Does the request of TYPE and fills s->answer.body, or *error. 0 or negative errno. */
int control_request_do(struct control_server *s, uint16_t type, const char *body, size_t size,
                       const struct control_request *request, struct control_error *error);
/* How a job is told, in answers and in events alike. 0 or -ENOMEM. */
int server_put_job(struct buf *b, const struct control_job *job, bool ended);
/* The id that the client chose, when it did. */
void control_request_read_who(const char *body, size_t size, struct control_request *ret);

#endif
