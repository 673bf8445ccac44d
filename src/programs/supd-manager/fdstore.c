/* SPDX-License-Identifier: MIT
 *
 * What services give to be kept: FDSTORE=1, FDSTOREREMOVE=1, FDNAME=, FDPOLL= of sd_notify(3), FileDescriptorStoreMax=.
 * The fds themselves lie in the keeper's store, under names that only we read; which unit they are of, and what the
 * service calls them, stands in a record. At the next start they are handed back behind the sockets (LISTEN_FDS).
 *
 * Order: the keeper first, then the record with its commit, then the message is taken from the queue. A death between
 * the first two leaves an fd in the keeper without a record, whose number is given again; one behind the second has
 * the message come again, with an fd that is known by then. What is no longer kept goes the other way: out of the
 * record with its commit, then the keeper is told. tests/model/fds.pml is this, with every death in it.
 *
 * Invariant: an entry of a record is in the keeper's store, or on its way there; an fd of the store that no record
 * knows is dropped by the manager that finds it.
 */
#include "manager.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "handover/handover.h"

enum { STORED_MAX = DURABLE_MAX_FDS - 64 }; /* of all units together: the keeper's store holds other things, too */
#define PREFIX "kept-"

struct stored {
        uint32_t id;    /* in its name in the keeper's store */
        int fd;         /* owned */
        bool watched;   /* FDPOLL= was not 0: it goes when its other end is gone */
        char name[256]; /* FDNAME= */
        struct source *source;
        struct stored *next;
};

struct fdstore {
        struct manager *m;
        struct run *r;
        struct stored *first; /* oldest first */
        uint32_t next_id;
        unsigned n;
};

/* The record: this, and for each fd an entry and its name. */
struct stored_head {
        uint32_t next_id, n;
};
struct stored_entry {
        uint32_t id;
        uint8_t watched, name_size, reserved[2];
};

static void keeper_name(uint32_t unit, uint32_t id, char ret[56])
{
        (void)snprintf(ret, 56, PREFIX "%u-%u", unit, id);
}

/* ---- what the keeper is to forget: pairs of unit and number ---- */

static void drop_later(struct manager *m, uint32_t unit, uint32_t id)
{
        (void)list_add(&m->fd_drops, unit);
        (void)list_add(&m->fd_drops, id);
}

/* The number is given again: what the keeper has under it is replaced. */
static void drop_not(struct manager *m, uint32_t unit, uint32_t id)
{
        uint32_t *v = m->fd_drops.v;
        size_t n = 0;

        for (size_t i = 0; i + 1 < m->fd_drops.n; i += 2) {
                if (v[i] == unit && v[i + 1] == id)
                        continue;
                v[n] = v[i];
                v[n + 1] = v[i + 1];
                n += 2;
        }
        m->fd_drops.n = n;
}

/* Behind the commit. What the keeper has no room for now is told when it has. */
void fdstore_flush(struct manager *m)
{
        struct list_u32 *l = &m->fd_drops;
        char name[56];

        while (l->n >= 2) {
                keeper_name(l->v[l->n - 2], l->v[l->n - 1], name);
                if (handover_drop(m->keeper_fd, name) == -EAGAIN) {
                        (void)loop_change(m, m->keeper_source, EPOLLOUT); /* keeper_ready() comes back to it */
                        return;
                }
                l->n -= 2;
        }
}

/* ---- the record ---- */

int fdstore_put(struct manager *m, const struct run *r)
{
        cleanup_buf_ struct buf b = {0};
        struct stored_head head = {0};
        int v;

        if (!r->fds)
                return 0;
        head.next_id = r->fds->next_id;
        head.n = r->fds->n;
        v = buf_append(&b, &head, sizeof(head));
        for (const struct stored *s = r->fds->first; s && v >= 0; s = s->next) {
                struct stored_entry e = {.id = s->id, .watched = s->watched, .name_size = (uint8_t)strlen(s->name)};
                v = buf_append(&b, &e, sizeof(e));
                if (v >= 0)
                        v = buf_append(&b, s->name, e.name_size);
        }
        return v < 0 ? v : state_put(m->state, RECORD_FDS, r->id, b.data, b.size);
}

uint64_t fdstore_live_bytes(const struct manager *m)
{
        return m->n_stored * (sizeof(struct stored_entry) + 256) + m->n_fdstores * 2 * sizeof(struct record);
}

static void changed(struct manager *m, struct run *r)
{
        if (fdstore_put(m, r) < 0)
                m->compact_due = true; /* which writes it with everything else */
        engine_touch(m, r);
}

/* ---- entries ---- */

static struct fdstore *store_of(struct manager *m, struct run *r)
{
        if (!r->fds) {
                r->fds = calloc(1, sizeof(*r->fds));
                if (!r->fds)
                        return NULL;
                *r->fds = (struct fdstore){.m = m, .r = r};
                m->n_fdstores++;
        }
        return r->fds;
}

/* Out of the list. */
static void forget(struct manager *m, struct run *r, struct stored *s)
{
        for (struct stored **p = &r->fds->first; *p; p = &(*p)->next)
                if (*p == s) {
                        *p = s->next;
                        break;
                }
        r->fds->n--;
        m->n_stored--;
        loop_remove(m, s->source);
        close_fd_p(&s->fd);
        free(s);
}

static void drop(struct manager *m, struct run *r, struct stored *s)
{
        drop_later(m, r->id, s->id);
        forget(m, r, s);
}

static void other_end_gone(struct manager *m, struct source *source, uint32_t events unused_)
{
        struct fdstore *f = source->userdata;

        for (struct stored *s = f->first; s; s = s->next)
                if (s->source == source) {
                        drop(m, f->r, s);
                        changed(m, f->r);
                        return;
                }
}

static void watch(struct manager *m, struct fdstore *f, struct stored *s)
{
        if (s->watched && loop_add(m, s->fd, 0, other_end_gone, f, &s->source) < 0)
                s->source = NULL; /* a file: it has no other end */
}

/* FD becomes the entry's. NULL: no memory. */
static struct stored *insert(struct manager *m, struct fdstore *f, uint32_t id, const char *name, bool watched, int fd)
{
        struct stored *s = calloc(1, sizeof(*s)), **last;

        if (!s)
                return NULL;
        *s = (struct stored){.id = id, .fd = fd, .watched = watched};
        (void)snprintf(s->name, sizeof(s->name), "%s", name);
        for (last = &f->first; *last; last = &(*last)->next)
                ;
        *last = s;
        f->n++;
        m->n_stored++;
        return s;
}

static bool has(const struct run *r, int fd)
{
        for (const struct stored *s = r->fds ? r->fds->first : NULL; s; s = s->next)
                if (sys_same_fd(s->fd, fd))
                        return true;
        return false;
}

/* ---- what a service says ---- */

static bool name_is_good(const char *name)
{
        if (!*name || strlen(name) > 255)
                return false;
        for (const char *c = name; *c; c++)
                if (*c <= ' ' || *c >= 127 || *c == ':')
                        return false;
        return true;
}

static int add(struct manager *m, struct run *r, const char *name, bool watched, int *fd)
{
        struct fdstore *f = store_of(m, r);
        struct stored *s;
        char kept[56];
        int v;

        if (!f)
                return -ENOMEM;
        if (has(r, *fd))
                return 0;
        if (f->n >= r->unit->service->fd_store_max || m->n_stored >= STORED_MAX) {
                log_line(m, r->name, "a file descriptor is not kept: %u are already",
                         f->n >= r->unit->service->fd_store_max ? f->n : m->n_stored);
                return 0;
        }
        keeper_name(r->id, f->next_id, kept);
        v = handover_store(m->keeper_fd, kept, *fd);
        if (v < 0)
                return v;
        drop_not(m, r->id, f->next_id);
        s = insert(m, f, f->next_id, name, watched, *fd);
        if (!s)
                return -ENOMEM; /* the number is given again, and replaces it in the keeper */
        *fd = -1;
        f->next_id++;
        watch(m, f, s);
        changed(m, r);
        return 0;
}

int fdstore_keep(struct manager *m, struct run *r, const char *name, bool watched, int *fds, unsigned n)
{
        if (r->unit->service->fd_store_max == 0)
                return 0;
        if (!name || !name_is_good(name))
                name = "stored";
        for (unsigned i = 0; i < n; i++) {
                int v = add(m, r, name, watched, &fds[i]);
                if (v == -EAGAIN)
                        return v;
                if (v < 0)
                        log_line(m, r->name, "a file descriptor cannot be kept: %s", strerror(-v));
        }
        return 0;
}

void fdstore_remove(struct manager *m, struct run *r, const char *name)
{
        bool any = false;

        for (struct stored *s = r->fds ? r->fds->first : NULL, *next; s; s = next) {
                next = s->next;
                if (streq(s->name, name)) {
                        drop(m, r, s);
                        any = true;
                }
        }
        if (any)
                changed(m, r);
}

/* A unit that is down, and that nothing is going to start, keeps nothing. */
void fdstore_settle(struct manager *m, struct run *r)
{
        enum unit_active a = run_active(r);

        if (!r->fds || r->fds->n == 0 || r->d.job.type != JOB_NONE || (a != ACTIVE_INACTIVE && a != ACTIVE_FAILED))
                return;
        while (r->fds->first)
                drop(m, r, r->fds->first);
        changed(m, r);
}

/* ---- handing back ---- */

unsigned fdstore_count(const struct run *r)
{
        return r->fds ? r->fds->n : 0;
}

int fdstore_pass(const struct run *r, int *fds, unsigned max, struct buf *names)
{
        unsigned n = 0;
        int v = 0;

        for (const struct stored *s = r->fds ? r->fds->first : NULL; s && n < max && v >= 0; s = s->next) {
                fds[n++] = s->fd;
                v = names->size > 0 ? buf_append_char(names, ':') : 0;
                if (v >= 0)
                        v = buf_append_str(names, s->name);
        }
        return v < 0 ? v : (int)n;
}

/* ---- a manager takes over ---- */

/* One entry of a record. Returns what is behind it, or NULL. */
static const char *replay_entry(struct manager *m, struct fdstore *f, const char *at, const char *end)
{
        struct stored_entry e;
        char name[256];

        if ((size_t)(end - at) < sizeof(e))
                return NULL;
        memcpy(&e, at, sizeof(e));
        at += sizeof(e);
        if (end - at < e.name_size)
                return NULL;
        memcpy(name, at, e.name_size);
        name[e.name_size] = 0;
        return insert(m, f, e.id, name, e.watched, -1) ? at + e.name_size : NULL;
}

/* Only noted here; fdstore_recover() finds the fds. */
int fdstore_replay(struct manager *m, struct run *r, const void *data, size_t size)
{
        const char *at = data, *end = at + size;
        struct fdstore *f = store_of(m, r);
        struct stored_head head;

        if (!f)
                return -ENOMEM;
        while (f->first) /* of an earlier record */
                forget(m, r, f->first);
        if (size < sizeof(head))
                return -EBADMSG;
        memcpy(&head, at, sizeof(head));
        f->next_id = head.next_id;
        at += sizeof(head);
        for (uint32_t i = 0; i < head.n && at; i++)
                at = replay_entry(m, f, at, end);
        return at ? 0 : -EBADMSG;
}

static void recover_one(struct manager *m, struct run *r)
{
        for (struct stored *s = r->fds->first, *next; s; s = next) {
                char name[56];
                next = s->next;
                keeper_name(r->id, s->id, name);
                s->fd = handover_inherited(state_map(m->state), name);
                if (s->fd >= 0) {
                        (void)fcntl(s->fd, F_SETFD, FD_CLOEXEC);
                        watch(m, r->fds, s);
                        continue;
                }
                log_line(m, r->name, "the file descriptor \"%s\" that was kept is lost", s->name);
                forget(m, r, s);
                changed(m, r);
        }
}

static bool is_known(const struct manager *m, uint32_t unit, uint32_t id)
{
        if (unit >= m->n_runs || !m->runs[unit]->fds)
                return false;
        for (const struct stored *s = m->runs[unit]->fds->first; s; s = s->next)
                if (s->id == id)
                        return true;
        return false;
}

void fdstore_recover(struct manager *m)
{
        uint32_t n = MIN2(atomic_load(&m->header->n_fds), DURABLE_MAX_FDS);

        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->fds)
                        recover_one(m, m->runs[i]);
        for (uint32_t i = 0; i < n; i++) {
                const struct durable_fd *e = &durable_fds(state_map(m->state))[i];
                int fd = atomic_load(&e->fd);
                unsigned unit, id;
                if (fd <= 0 || sscanf(e->name, PREFIX "%u-%u", &unit, &id) != 2 || is_known(m, unit, id))
                        continue;
                drop_later(m, unit, id);
                (void)close(fd);
        }
        for (uint32_t i = 0; i < m->n_runs; i++)
                fdstore_settle(m, m->runs[i]);
}
