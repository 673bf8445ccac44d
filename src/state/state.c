/* SPDX-License-Identifier: MIT
 *
 * The log: two spaces, one word that says which counts and how far. See state.h.
 *
 * Records are gathered in memory and written with one pwrite() before the word is stored. The log is not written
 * through the mapping: pages that nobody but a successor reads would count as the manager's own, and each would cost a
 * fault. Invariant: bytes below the committed end of the counting space are never written again.
 */
#include "state/state-internal.h"

#include <stdio.h>
#include <sys/mman.h>

#define COMMIT_SPACE  (UINT64_C(1) << 63)
#define COMMIT_LENGTH ((UINT64_C(1) << 48) - 1)

enum { LOG_FIRST = 32 * 1024, LOG_STEP = 16 * 1024, PENDING_KEPT = 64 * 1024 };

static uint64_t space_offset(unsigned space)
{
        return space ? DURABLE_LOG_B : DURABLE_LOG_A;
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
        r = log_grow(s, MAX2((uint64_t)LOG_FIRST, (s->committed + LOG_STEP - 1) / LOG_STEP * LOG_STEP));
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
        buf_done(&s->pending);
        free(s);
}

int state_reserve(struct state *s, uint64_t bytes)
{
        uint64_t want = (bytes * 2 + LOG_STEP) / LOG_STEP * LOG_STEP;

        return log_grow(s, want);
}

uint64_t state_used(const struct state *s)
{
        return s->used;
}

int state_put(struct state *s, enum record_kind kind, uint32_t key, const void *data, size_t size)
{
        static const char padding[8];
        struct record r = {.kind = kind, .key = key, .size = (uint32_t)size};

        if (size > DURABLE_LOG_MAX || s->used + sizeof(r) + ALIGN8(size) > s->allocated)
                return -ENOSPC;
        if (buf_reserve(&s->pending, sizeof(r) + ALIGN8(size)) < 0)
                return -ENOMEM;
        (void)buf_append(&s->pending, &r, sizeof(r));
        (void)buf_append(&s->pending, data, size);
        (void)buf_append(&s->pending, padding, ALIGN8(size) - size);
        s->used += sizeof(r) + ALIGN8(size);
        return 0;
}

/* A large commit (loading, compaction) does not leave its buffer behind. */
static void pending_reset(struct state *s)
{
        if (s->pending.allocated > PENDING_KEPT)
                buf_done(&s->pending);
        else
                buf_reset(&s->pending);
}

static int pending_write(struct state *s)
{
        uint64_t at = space_offset(s->space) + s->used - s->pending.size;
        size_t done = 0;

        while (done < s->pending.size) {
                ssize_t n = pwrite(s->fd, s->pending.data + done, s->pending.size - done, (off_t)(at + done));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                done += (size_t)n;
        }
        return 0;
}

int state_commit(struct state *s)
{
        struct durable_header *h = state_header(s);
        int r;

        if (s->used == s->committed && !s->compacting)
                return 0;
        r = pending_write(s);
        if (r < 0)
                return r;
        /* release: the records are there before the word that makes them count */
        atomic_store_explicit(&h->commit, (s->space ? COMMIT_SPACE : 0) | s->used, memory_order_release);
        atomic_fetch_add_explicit(&h->commits, 1, memory_order_relaxed);
        s->committed = s->used;
        s->compacting = false;
        pending_reset(s);
        return 0;
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
        pending_reset(s);
}

static int replay_bytes(const char *bytes, uint64_t end, int (*each)(void *, const struct record *, const void *),
                        void *userdata)
{
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

static int replay_space(const struct state *s, unsigned space, uint64_t end,
                        int (*each)(void *, const struct record *, const void *), void *userdata)
{
        char *bytes;
        int r;

        if (end == 0)
                return 0;
        bytes = mmap(NULL, end, PROT_READ, MAP_SHARED, s->fd, (off_t)space_offset(space));
        if (bytes == MAP_FAILED)
                return -errno;
        r = replay_bytes(bytes, end, each, userdata);
        (void)munmap(bytes, end);
        return r;
}

int state_replay(const struct state *s, int (*each)(void *userdata, const struct record *r, const void *data),
                 void *userdata)
{
        return replay_space(s, s->space, s->committed, each, userdata);
}

static int keep_unknown(void *userdata, const struct record *r, const void *data)
{
        struct state *s = userdata;

        if (r->kind >= RECORD_NAME && r->kind < N_RECORD_KINDS)
                return 0;
        return state_put(s, r->kind, r->key, data, r->size);
}

int state_compact_begin(struct state *s)
{
        unsigned old = s->space;
        uint64_t end = s->committed;
        int r;

        pending_reset(s);
        s->space = !old;
        s->used = 0;
        s->compacting = true;
        r = replay_space(s, old, end, keep_unknown, s);
        if (r < 0)
                state_rollback(s);
        return r;
}
