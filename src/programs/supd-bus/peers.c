/* SPDX-License-Identifier: MIT
 *
 * Who calls: the peer of a connection of its own, known at accept, or a sender on the system's message bus, of whom the
 * bus is asked once. What a peer may do is one table here, and each method names its row.
 *
 * Not here: the methods (methods.c), the connection to the bus (bus.c). Invariant: nobody may more than OTHERS until
 * the kernel, or the bus, has said who it is.
 */
#include "front.h"

#include <stdio.h>
#include <sys/socket.h>

#define REFS_MAX 256 /* units that one peer holds */

/* The manual prints this table; tests/integration/control goes through it row by row, as each of them. */
static const bool allowed[N_ACCESSES][N_ROLES] = {
        [ACCESS_LOOK] = {[ROLE_OTHERS] = true, [ROLE_GROUP] = true, [ROLE_OWNER] = true},
        [ACCESS_OPERATE] = {[ROLE_OTHERS] = false, [ROLE_GROUP] = true, [ROLE_OWNER] = true},
        [ACCESS_CONFIGURE] = {[ROLE_OTHERS] = false, [ROLE_GROUP] = false, [ROLE_OWNER] = true},
};

bool peer_may(const struct peer *p, enum access what)
{
        return allowed[what][p->role];
}

const char *access_word(enum access what)
{
        static const char *const words[N_ACCESSES] = {
                [ACCESS_LOOK] = "look", [ACCESS_OPERATE] = "operate", [ACCESS_CONFIGURE] = "configure"};

        return words[what];
}

static enum role role_of(const struct front *f, uid_t uid, const gid_t *groups, size_t n)
{
        if (uid == 0 || uid == geteuid())
                return ROLE_OWNER;
        for (size_t i = 0; f->has_group && i < n; i++)
                if (groups[i] == f->group)
                        return ROLE_GROUP;
        return ROLE_OTHERS;
}

/* SO_PEERGROUPS rather than a look into the group database, which may wait for the network. */
int peer_of_socket(const struct front *f, int fd, struct peer *ret)
{
        gid_t groups[257];
        struct ucred who;
        socklen_t size = sizeof who, more = sizeof groups - sizeof *groups;

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0)
                return -errno;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &more) < 0)
                more = 0;
        groups[0] = who.gid;
        *ret = (struct peer){.uid = who.uid, .pid = who.pid};
        ret->role = role_of(f, who.uid, groups, 1 + more / sizeof *groups);
        return 0;
}

/* ---- what a peer holds ---- */

int peer_ref(struct peer *p, const char *unit)
{
        char **more;

        if (p->n_refs >= REFS_MAX)
                return -ENOBUFS;
        more = reallocarray(p->refs, p->n_refs + 1, sizeof *more);
        if (!more)
                return -ENOMEM;
        p->refs = more;
        p->refs[p->n_refs] = strdup(unit);
        return p->refs[p->n_refs] ? (int)p->n_refs++ : -ENOMEM;
}

bool peer_unref(struct peer *p, const char *unit)
{
        for (unsigned i = 0; i < p->n_refs; i++)
                if (streq(p->refs[i], unit)) {
                        free(p->refs[i]);
                        p->refs[i] = p->refs[--p->n_refs];
                        return true;
                }
        return false;
}

bool peer_holds(const struct peer *p, const char *unit)
{
        for (unsigned i = 0; i < p->n_refs; i++)
                if (streq(p->refs[i], unit))
                        return true;
        return false;
}

int peers_of_unit(const struct front *f, const char *unit, int (*each)(void *userdata, const char *name),
                  void *userdata)
{
        int r = 0;

        for (const struct client *c = f->clients; c; c = c->next)
                for (const struct peer *p = c->senders; p && r >= 0; p = p->next)
                        if (peer_holds(p, unit))
                                r = each(userdata, p->name);
        return r;
}

void peer_leaves(struct front *f, const struct peer *p)
{
        for (unsigned i = 0; i < p->n_refs; i++)
                transient_look(f, p->refs[i]);
}

void peer_done(struct peer *p)
{
        while (p->n_refs > 0)
                free(p->refs[--p->n_refs]);
        free(p->refs);
        sd_bus_slot_unref(p->leaves);
        *p = (struct peer){0};
}

/* ---- senders on the bus ---- */

static struct peer *sender_find(struct client *c, const char *name)
{
        for (struct peer *p = c->senders; p; p = p->next)
                if (streq(p->name, name))
                        return p;
        return NULL;
}

static void sender_free(struct client *c, struct peer *p)
{
        c->n_subscribed -= p->subscribed;
        c->n_senders--;
        peer_leaves(c->front, p);
        peer_done(p);
        free(p);
}

static void sender_forget(struct client *c, const char *name)
{
        for (struct peer **p = &c->senders; *p; p = &(*p)->next)
                if (streq((*p)->name, name)) {
                        struct peer *gone = *p;

                        *p = gone->next;
                        sender_free(c, gone);
                        return;
                }
}

void senders_free(struct client *c)
{
        while (c->senders) {
                struct peer *p = c->senders;

                c->senders = p->next;
                sender_free(c, p);
        }
}

/* The one that was met first among those who hold nothing makes room. */
static void senders_limit(struct client *c)
{
        struct peer **victim = NULL;

        if (c->n_senders < SENDERS_MAX)
                return;
        for (struct peer **p = &c->senders; *p; p = &(*p)->next)
                if (!(*p)->subscribed && (*p)->n_refs == 0)
                        victim = p;
        if (victim) {
                struct peer *gone = *victim;

                *victim = gone->next;
                sender_free(c, gone);
        }
}

static int on_name_owner(sd_bus_message *m, void *userdata, sd_bus_error *e unused_)
{
        const char *name, *before, *now;
        struct client *c = userdata;

        if (sd_bus_message_read(m, "sss", &name, &before, &now) >= 0 && now[0] == 0)
                sender_forget(c, name);
        return 0;
}

static struct peer *sender_add(struct client *c, const char *name, const struct peer *who)
{
        char match[256];
        struct peer *p;

        senders_limit(c);
        if (c->n_senders >= SENDERS_MAX || strlen(name) >= sizeof p->name)
                return NULL;
        p = calloc(1, sizeof *p);
        if (!p)
                return NULL;
        *p = *who;
        memcpy(p->name, name, strlen(name) + 1);
        (void)snprintf(match, sizeof match,
                       "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                       "member='NameOwnerChanged',arg0='%s'",
                       name);
        if (sd_bus_add_match_async(c->bus, &p->leaves, match, on_name_owner, NULL, c) < 0) {
                free(p);
                return NULL;
        }
        p->next = c->senders;
        c->senders = p;
        c->n_senders++;
        return p;
}

struct lookup { /* a call of somebody whom the bus is asked about */
        struct client *client;
        sd_bus_message *message;
        const struct method *method;
};

static void lookup_free(void *userdata)
{
        struct lookup *l = userdata;

        l->client->n_lookups--;
        sd_bus_message_unref(l->message);
        free(l);
}

static int read_groups(sd_bus_message *m, gid_t *groups, size_t max, size_t *ret_n)
{
        const void *data;
        size_t size;
        int r = sd_bus_message_enter_container(m, 'v', "au");

        if (r < 0 || (r = sd_bus_message_read_array(m, 'u', &data, &size)) < 0)
                return r;
        *ret_n = MIN2(size / sizeof(uint32_t), max);
        memcpy(groups, data, *ret_n * sizeof *groups);
        return sd_bus_message_exit_container(m);
}

/* What GetConnectionCredentials says. A sender without a user id stays a stranger. */
static int read_credentials(const struct front *f, sd_bus_message *m, struct peer *ret)
{
        struct peer p = {.uid = (uid_t)-1};
        gid_t groups[256];
        size_t n = 0;
        const char *key;
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                uint32_t number = 0;

                r = sd_bus_message_read(m, "s", &key);
                if (r >= 0 && (streq(key, "UnixUserID") || streq(key, "ProcessID"))) {
                        r = sd_bus_message_read(m, "v", "u", &number);
                        if (r >= 0 && key[0] == 'U')
                                p.uid = number;
                        else if (r >= 0)
                                p.pid = (pid_t)number;
                } else if (r >= 0 && streq(key, "UnixGroupIDs")) {
                        r = read_groups(m, groups, ARRAY_SIZE(groups), &n);
                } else if (r >= 0) {
                        r = sd_bus_message_skip(m, "v");
                }
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return r;
        if (p.uid != (uid_t)-1)
                p.role = role_of(f, p.uid, groups, n);
        *ret = p;
        return 0;
}

static int on_credentials(sd_bus_message *m, void *userdata, sd_bus_error *ret_error unused_)
{
        struct lookup *l = userdata;
        const char *name = sd_bus_message_get_sender(l->message);
        struct peer who, *p;

        if (sd_bus_message_is_method_error(m, NULL) || read_credentials(l->client->front, m, &who) < 0)
                return 0; /* it is gone: nobody waits for an answer */
        p = sender_find(l->client, name);
        if (!p)
                p = sender_add(l->client, name, &who);
        dispatch_late(l->client, p ? p : &who, l->message, l->method);
        return 0;
}

int sender_ask(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        const char *name = sd_bus_message_get_sender(m);
        struct lookup *l;
        sd_bus_slot *slot = NULL;
        int r;

        if (!name || c->n_lookups >= LOOKUPS_MAX || !(l = calloc(1, sizeof *l)))
                return sd_bus_error_set(e, ERROR_LIMITS, "Too many callers at once");
        *l = (struct lookup){c, sd_bus_message_ref(m), method};
        c->n_lookups++;
        r = sd_bus_call_method_async(c->bus, &slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                     "org.freedesktop.DBus", "GetConnectionCredentials", on_credentials, l, "s", name);
        if (r < 0) {
                lookup_free(l);
                return r;
        }
        (void)sd_bus_slot_set_destroy_callback(slot, lookup_free);
        (void)sd_bus_slot_set_floating(slot, 1);
        sd_bus_slot_unref(slot);
        return 1;
}

struct peer *peer_known(struct client *c, sd_bus_message *m)
{
        const char *name = sd_bus_message_get_sender(m);

        if (!c->on_bus)
                return &c->self;
        return name ? sender_find(c, name) : NULL;
}
