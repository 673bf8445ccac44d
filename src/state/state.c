/* SPDX-License-Identifier: MIT
 *
 * The log: two spaces, one word that says which counts and how far. See state.h.
 * Invariant: bytes below the committed end of the counting space are never written again.
 */
#include "state/state-internal.h"

#include <stdio.h>
#include <sys/mman.h>

#define COMMIT_SPACE  (UINT64_C(1) << 63)
#define COMMIT_LENGTH ((UINT64_C(1) << 48) - 1)

enum { LOG_FIRST = 64 * 1024 };

static uint64_t space_offset(unsigned space)
{
        return space ? DURABLE_LOG_B : DURABLE_LOG_A;
}

static char *space_bytes(const struct state *s, unsigned space)
{
        return (char *)s->map + space_offset(space);
}

struct durable_header *state_header(const struct state *s)
{
        return durable_header_of(s->map);
}

void *state_map(const struct state *s)
{
        return s->map;
}

/* Spaces grow together, so that what fits into one fits into the other. */
static int log_grow(struct state *s, uint64_t bytes)
{
        int r = 0;

        if (bytes <= s->allocated)
                return 0;
        if (bytes > DURABLE_LOG_MAX)
                return -E2BIG;
        for (unsigned space = 0; space < 2 && r == 0; space++)
                r = durable_allocate(s->fd, space_offset(space) + s->allocated, bytes - s->allocated);
        if (r < 0)
                return r;
        s->allocated = bytes;
        return 0;
}

/* Numbers out of range would lead reads and writes out of the mapping. */
static bool header_is_readable(struct durable_header *h)
{
        uint32_t n_slots = atomic_load(&h->n_slots);
        uint64_t committed = atomic_load(&h->commit) & COMMIT_LENGTH;

        return memcmp(h->magic, DURABLE_MAGIC, sizeof(h->magic)) == 0 && h->major == DURABLE_MAJOR &&
               h->slot_size == sizeof(struct durable_slot) && n_slots >= DURABLE_FIRST_SLOTS &&
               n_slots <= DURABLE_MAX_SLOTS && committed <= DURABLE_LOG_MAX && committed % 8 == 0;
}

int state_open(int fd, struct state **ret)
{
        cleanup_free_ struct state *s = calloc(1, sizeof(*s));
        struct durable_header *h;
        uint64_t commit;
        int r;

        if (!s)
                return -ENOMEM;
        s->fd = fd;
        s->map = mmap(NULL, DURABLE_FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (s->map == MAP_FAILED)
                return -errno;
        h = durable_header_of(s->map);
        if (!header_is_readable(h)) {
                (void)munmap(s->map, DURABLE_FILE_SIZE);
                return -EBADMSG;
        }
        commit = atomic_load(&h->commit);
        s->space = (commit & COMMIT_SPACE) != 0;
        s->committed = s->used = commit & COMMIT_LENGTH;
        r = log_grow(s, MAX2((uint64_t)LOG_FIRST, (s->committed + LOG_FIRST - 1) / LOG_FIRST * LOG_FIRST));
        if (r < 0) {
                (void)munmap(s->map, DURABLE_FILE_SIZE);
                return r;
        }
        *ret = s;
        s = NULL;
        return 0;
}

void state_close(struct state *s)
{
        if (!s)
                return;
        (void)munmap(s->map, DURABLE_FILE_SIZE);
        free(s->free_slots);
        free(s);
}

int state_reserve(struct state *s, uint64_t bytes)
{
        uint64_t want = (bytes * 2 + LOG_FIRST) / LOG_FIRST * LOG_FIRST;

        return log_grow(s, want);
}

uint64_t state_used(const struct state *s)
{
        return s->used;
}

int state_put(struct state *s, enum record_kind kind, uint32_t key, const void *data, size_t size)
{
        struct record *r;

        if (size > DURABLE_LOG_MAX || s->used + sizeof(*r) + ALIGN8(size) > s->allocated)
                return -ENOSPC;
        r = (struct record *)(void *)(space_bytes(s, s->space) + s->used);
        *r = (struct record){.kind = kind, .key = key, .size = (uint32_t)size};
        if (size > 0)
                memcpy(r + 1, data, size);
        s->used += sizeof(*r) + ALIGN8(size);
        return 0;
}

void state_commit(struct state *s)
{
        struct durable_header *h = state_header(s);

        if (s->used == s->committed && !s->compacting)
                return;
        /* release: the records are there before the word that makes them count */
        atomic_store_explicit(&h->commit, (s->space ? COMMIT_SPACE : 0) | s->used, memory_order_release);
        atomic_fetch_add_explicit(&h->commits, 1, memory_order_relaxed);
        s->committed = s->used;
        s->compacting = false;
}

void state_rollback(struct state *s)
{
        if (s->compacting) {
                uint64_t commit = atomic_load(&state_header(s)->commit);
                s->space = (commit & COMMIT_SPACE) != 0;
                s->committed = commit & COMMIT_LENGTH;
                s->compacting = false;
        }
        s->used = s->committed;
}

static int replay_space(const struct state *s, unsigned space, uint64_t end,
                        int (*each)(void *, const struct record *, const void *), void *userdata)
{
        const char *bytes = space_bytes(s, space);
        uint64_t at = 0;

        while (at < end) {
                const struct record *r = (const struct record *)(const void *)(bytes + at);
                int v;
                if (end - at < sizeof(*r) || end - at - sizeof(*r) < ALIGN8((uint64_t)r->size))
                        return -EBADMSG;
                v = each(userdata, r, r + 1);
                if (v != 0)
                        return v;
                at += sizeof(*r) + ALIGN8((uint64_t)r->size);
        }
        return 0;
}

int state_replay(const struct state *s, int (*each)(void *userdata, const struct record *r, const void *data),
                 void *userdata)
{
        return replay_space(s, s->space, s->committed, each, userdata);
}

static int keep_unknown(void *userdata, const struct record *r, const void *data)
{
        struct state *s = userdata;

        if (r->kind >= RECORD_NAME && r->kind <= RECORD_BLOB)
                return 0;
        return state_put(s, r->kind, r->key, data, r->size);
}

int state_compact_begin(struct state *s)
{
        unsigned old = s->space;
        uint64_t end = s->committed;
        int r;

        s->space = !old;
        s->used = 0;
        s->compacting = true;
        r = replay_space(s, old, end, keep_unknown, s);
        if (r < 0)
                state_rollback(s);
        return r;
}
