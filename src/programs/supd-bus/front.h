/* SPDX-License-Identifier: MIT
 *
 * supd-bus from the inside: the front (one per process), its clients, and calls that wait for the manager.
 *
 * Files: main.c (start, listening), client.c (connections and their limits), bus.c (the system's message bus), peers.c
 * (who calls, and may do what), pace.c (what clients may cost), dispatch.c (which method is meant), methods.c and
 * manage.c (what each does), clean.c (removes directories), objects.c (properties, introspection), derived.c and
 * constants.c (more of them), values.c (records to D-Bus), signals.c. Invariant:
 * no handler waits; what needs the manager is a struct call that answers later, or never when its client left.
 */
#ifndef SUPD_BUS_FRONT_H
#define SUPD_BUS_FRONT_H

#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "link.h"

#define BUS_PREFIX     "org.freedesktop.systemd1."
#define BUS_NAME       "org.freedesktop.systemd1"
#define BUS_ROOT       "/org/freedesktop/systemd1"
#define BUS_UNITS      BUS_ROOT "/unit"
#define BUS_LOGCONTROL "/org/freedesktop/LogControl1"
#define BUS_JOBS       BUS_ROOT "/job"
#define SUPD_IF        "org.supd.Manager1" /* what systemd's interface has no word for */
#define ERROR_ACCESS   "org.freedesktop.DBus.Error.AccessDenied"
#define ERROR_INVALID  "org.freedesktop.DBus.Error.InvalidArgs"
#define ERROR_METHOD   "org.freedesktop.DBus.Error.UnknownMethod"
#define ERROR_OBJECT   "org.freedesktop.DBus.Error.UnknownObject"
#define ERROR_LIMITS   "org.freedesktop.DBus.Error.LimitsExceeded"
#define ERROR_NO_JOB   BUS_PREFIX "NoSuchJob"

#define CLIENTS_OWNER      192 /* of root and ourselves */
#define CLIENTS_OTHERS     128 /* of all others together */
#define CLIENTS_PER_UID    64  /* of each of them */
#define CLIENTS_MAX        (CLIENTS_OWNER + CLIENTS_OTHERS)
#define DOORS_MAX          4
#define CLIENT_QUEUE_MAX   512 /* unread messages at which a client is closed */
#define CLIENT_QUEUE_LARGE 4   /* unread messages above which no list is made for it */
#define CLIENT_CALLS_MAX   64  /* unanswered calls of one caller */
#define BUS_CALLS_MAX      512 /* of all callers on the system's message bus */
#define SENDERS_MAX        512 /* callers there that are remembered */
#define LOOKUPS_MAX        256 /* callers there that are being asked about */
#define EVENTS_MAX         8192
#define JOBS_MAX           4096

struct call;

enum role { ROLE_OTHERS, ROLE_GROUP, ROLE_OWNER, N_ROLES };                /* OWNER: uid 0 and our own */
enum access { ACCESS_LOOK, ACCESS_OPERATE, ACCESS_CONFIGURE, N_ACCESSES }; /* what a method takes */

struct peer { /* somebody who calls */
        struct peer *next;
        char name[32]; /* on the message bus; "" for the peer of a connection */
        uid_t uid;
        pid_t pid;
        enum role role;
        bool subscribed;
        char **refs; /* owned: units that it holds */
        unsigned n_refs;
        sd_bus_slot *leaves; /* owned: that it left the message bus */
};

struct client {
        struct client *next;
        struct front *front;
        sd_bus *bus; /* owned */
        struct peer self;
        unsigned number;
        bool ready, closing, said_hello;
        bool on_bus;          /* the system's message bus: callers are in senders */
        struct peer *senders; /* owned */
        unsigned n_senders, n_subscribed, n_lookups;
        sd_event_source *handshake;
        struct call *calls;
        unsigned n_calls;
        uint64_t since_us; /* connected */
        /* pace.c */
        sd_event_source *io, *drain; /* not of the message bus: there the library has its own */
        int64_t credit_us;           /* of processor time */
        bool hungry, more;           /* waits for his turn; the library holds something that it has read */
        struct client *next_hungry;
        size_t partial, unread; /* bytes that came without making a message; of answers not read */
};

struct call { /* a method call that waits for the manager */
        struct call *next;
        struct client *client; /* NULL: it left */
        sd_bus_message *message;
        uint16_t type; /* enum control_type */
        int (*finish)(struct call *c, const struct link_reply *reply, sd_bus_error *e);
        char unit[CONTROL_NAME_MAX]; /* for those that need one later */
        uint32_t number;             /* likewise */
};

struct tracked_job { /* somebody may wait for it */
        uint32_t id;
        char *unit;
};

struct bus_event {
        struct bus_event *next;
        uint16_t type; /* enum control_type */
        uint32_t id;   /* job, or the flag of Reloading */
        bool asked;    /* UNIT_CHANGED: its properties are on their way */
        char *unit, *result;
};

struct front {
        sd_event *event;
        struct link *link;
        char directory[4096]; /* the runtime directory */
        sd_event_source *idle, *reaper;
        uint64_t idle_us, handshake_us;
        gid_t group;
        bool has_group;
        struct client *clients, *dead;
        struct client *bus;        /* of clients; NULL while there is none */
        bool want_bus, bus_trying; /* trying: to reach a bus that went away or is starting */
        sd_event_source *bus_retry;
        unsigned bus_tries;
        unsigned n_clients, n_numbers, n_cleanings;
        struct bus_event *events, **last_event;
        unsigned n_events;
        struct tracked_job jobs[JOBS_MAX];
        unsigned n_jobs;
        uint32_t removed[64]; /* ids of jobs that ended last */
        unsigned n_removed;
        sd_event_source *doors[DOORS_MAX]; /* listening */
        unsigned n_doors;
        struct {
                sd_event_source *tick, *turn;
                int64_t credit_us, door_us;
                uint64_t counted_us, ticked_us;
                struct client *serving;             /* on whose behalf we work just now, or NULL */
                struct client *first[2], **last[2]; /* who wait for their turn: owners, others */
                unsigned n_hungry, turns;
                bool doors_closed;
        } pace;
};

/* pace.c */
int pace_init(struct front *f);
void pace_free(struct front *f);
void pace_new(struct client *c);
int pace_attach(struct client *c); /* c->bus to the loop */
void pace_detach(struct client *c);
void pace_update(struct client *c);                 /* what it waits for may have changed */
void pace_serve(struct front *f, struct client *c); /* what follows is on C's behalf (NULL: nobody's) */
void pace_charge(struct client *c, size_t bytes);   /* a request to the manager, or BYTES of its answer */
void pace_told(struct client *c, size_t bytes);     /* an answer was queued for it */
bool pace_is_stuck(struct client *c);               /* it does not read what it asked for */
void pace_door(struct front *f);                    /* somebody was let in, or not */
void pace_heard(struct client *c);                  /* a whole message came */

/* client.c */
void client_accept(struct front *f, int listen_fd);
void client_close(struct client *c);
int clients_init(struct front *f);
void clients_free(struct front *f);
int client_send(struct client *c, sd_bus_message *m);
void client_add(struct front *f, struct client *c);
int client_listen(struct client *c);       /* starts c->bus */
bool client_hears(const struct client *c); /* signals */

/* bus.c */
int bus_init(struct front *f);
void bus_connect(struct front *f);
void bus_ready(struct client *c);
void bus_gone(struct client *c);
void bus_unit_changed(struct front *f, const char *unit);
void bus_activation(struct client *c, sd_bus_message *m);

/* peers.c */
int peer_of_socket(const struct front *f, int fd, struct peer *ret);
bool peer_may(const struct peer *p, enum access what);
const char *access_word(enum access what);
int peer_ref(struct peer *p, const char *unit);
bool peer_unref(struct peer *p, const char *unit); /* whether it held it */
bool peer_holds(const struct peer *p, const char *unit);
/* Calls EACH with the name on the message bus of whoever holds UNIT, until it returns an error. */
int peers_of_unit(const struct front *f, const char *unit, int (*each)(void *userdata, const char *name),
                  void *userdata);
void peer_leaves(struct front *f, const struct peer *p); /* nobody finds it any more; what it held may go */
void peer_done(struct peer *p);
void senders_free(struct client *c);
struct peer *peer_known(struct client *c, sd_bus_message *m); /* NULL: the bus has to be asked */
/* Asks the bus who sent M; dispatch_late() goes on. Returns 1, or -errno with *e set. */
struct method;
int sender_ask(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);

/* dispatch.c */
int dispatch_message(sd_bus_message *m, void *userdata, sd_bus_error *e); /* filter; userdata is the client */

struct method {
        const char *interface, *member, *in, *out;
        enum { ON_ANY, ON_MANAGER, ON_UNIT, ON_JOB } object;
        enum access access;
        int (*handle)(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
        const char *word;      /* for handlers that serve several */
        unsigned request_type; /* likewise: enum control_type */
        bool who;              /* it must be known who calls, whatever the access */
        bool numbered;         /* the caller gives the number of the request */
};
/* A call whose sender has become known. */
void dispatch_late(struct client *c, const struct peer *p, sd_bus_message *m, const struct method *method);
int meant_unit(sd_bus_message *m, const struct method *method, char ret[CONTROL_NAME_MAX], sd_bus_error *e);
extern const struct method methods[];
extern const size_t n_methods;
int unit_name_check(const char *name, sd_bus_error *e);
int unit_of_path(const char *path,
                 char ret[CONTROL_NAME_MAX]);           /* -ENOENT: not below BUS_UNITS; -EINVAL: no unit name */
int unit_path_error(const char *path, sd_bus_error *e); /* for -EINVAL of unit_of_path() */
int job_of_path(const char *path, uint32_t *ret);
int unit_path(const char *unit, char **ret); /* malloc'ed */

/* call.c: asks the manager; FINISH answers. BODY is taken. Returns 1, or -errno with *e set. */
int call_begin(struct client *c, sd_bus_message *m, uint16_t type, struct buf *body,
               int (*finish)(struct call *, const struct link_reply *, sd_bus_error *), const char *unit,
               uint32_t number, sd_bus_error *e);
void calls_abandon(struct client *c);
int call_reply(struct call *c, const char *types, ...);
/* The answer M, of which one container is still open: sent, unless R says that making it went wrong. M is taken. R. */
int call_answer(struct call *c, sd_bus_message *m, int r);
int client_reply(struct client *c, sd_bus_message *m, const char *types, ...);
void client_reply_error(struct client *c, sd_bus_message *m, const sd_bus_error *e);

/* manage.c */
int do_environment(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
int do_shutdown(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
int do_processes(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
int do_ref(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
int do_freeze(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
int do_unsupported(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
int do_marked(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);

/* transient.c */
int do_transient(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
int do_set_properties(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
void transient_look(struct front *f, const char *unit); /* something happened to it, or somebody let it go */

/* clean.c */
int do_clean(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);

/* objects.c */
int object_get(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
int object_introspect(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);

/* unit-files.c */
int unit_files_change(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
int unit_files_default(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
int unit_files_list(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
int unit_file_state(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);
/* UnitFileState or UnitFilePreset of a unit; a constant, "" when it has no file. */
const char *unit_files_property(const struct front *f, const char *unit, const char *property);

/* values.c */
struct property { /* a decoded PROPERTY record */
        char kind;
        const char *name;
        const char *data;
        size_t size;
};
int property_of_record(const struct control_record *rec, struct property *ret);
const char *property_signature(const struct property *p); /* NULL: unknown kind */
size_t signature_length(const char *s);                   /* of the first complete type in S; 0: there is none */
bool property_fits(const char *interface, const struct property *p); /* type as clients know it */
bool property_emits_change(const char *interface, const char *name);
int property_append(sd_bus_message *m, const struct property *p);       /* as a variant; 0 or -errno */
int property_append_entry(sd_bus_message *m, const struct property *p); /* {sv} */
int append_text(sd_bus_message *m, char type, const char *s);           /* 's' made valid UTF-8, or 'o' */
/* Walks a body of INTERFACE and PROPERTY records; INTERFACE is "" at first. 1, 0, -EBADMSG. Misfits are passed over. */
int property_next(struct control_reader *r, const char **interface, struct property *ret, bool *ret_is_interface);

/* logcontrol.c */
int logcontrol_get(struct client *c, sd_bus_message *m, sd_bus_error *e);
int object_set(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e);

/* derived.c */
/* REPLY's records and more of them: what is worked out here, and what is always so. 0, -ENOMEM or -EBADMSG. */
int derived_body(const struct front *f, const char *unit, const struct link_reply *reply, struct buf *ret);

/* constants.c: properties that are the same always, as records */
int constants_write(const char *interface, struct buf *b);

/* signals.c */
void signals_event(struct front *f, uint16_t type, const char *body, size_t size);
void signals_free(struct front *f);
void signals_unit_files_changed(struct front *f);
void jobs_track(struct front *f, uint32_t id, const char *unit);
void jobs_recheck(struct front *f); /* after the manager came back */

#endif
