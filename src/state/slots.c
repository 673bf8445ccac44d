/* SPDX-License-Identifier: MIT
 *
 * Slots and the exit ring, as the manager sees them. See state.h and abi/durable.h for who writes what.
 * Invariant: a slot on the free stack has pids[] 0 and launch FREE.
 */
#include "state/state-internal.h"

struct durable_slot *state_slot(const struct state *s, uint32_t slot)
{
        return &durable_slots(s->map)[slot];
}

static int slots_push(struct state *s, uint32_t slot)
{
        if (s->n_free == s->n_free_allocated) {
                uint32_t n = s->n_free_allocated ? s->n_free_allocated * 2 : DURABLE_FIRST_SLOTS;
                uint32_t *p = reallocarray(s->free_slots, n, sizeof(*p));
                if (!p)
                        return -ENOMEM;
                s->free_slots = p;
                s->n_free_allocated = n;
        }
        s->free_slots[s->n_free++] = slot;
        return 0;
}

/* Highest first, so that low numbers are handed out first and the keeper's scan stays short. */
static int slots_learn(struct state *s, uint32_t n)
{
        int r = 0;

        for (uint32_t i = n; i-- > s->n_known && r == 0;)
                r = slots_push(s, i);
        if (r == 0)
                s->n_known = n;
        return r;
}

static int slots_grow(struct state *s)
{
        struct durable_header *h = state_header(s);
        uint32_t n = atomic_load(&h->n_slots), to;
        int r;

        if (s->n_known < n)
                return slots_learn(s, n);
        to = MIN2(n * 2, DURABLE_MAX_SLOTS);
        if (to == n)
                return -ENFILE;
        r = durable_allocate_slots(s->fd, n, to);
        if (r < 0)
                return r;
        atomic_store(&h->n_slots, to);
        return slots_learn(s, to);
}

int state_slot_alloc(struct state *s, uint32_t unit, uint32_t role, const uint8_t invocation[16], uint32_t *ret_slot,
                     uint32_t *ret_generation)
{
        struct durable_slot *d;
        uint32_t slot, generation;
        int r;

        if (s->n_free == 0) {
                r = slots_grow(s);
                if (r < 0)
                        return r;
        }
        slot = s->free_slots[--s->n_free];
        d = state_slot(s, slot);
        generation = atomic_load(&d->generation) + 1;
        if (generation == 0)
                generation = 1;
        atomic_store(&durable_pids(s->map)[slot], 0);
        d->unit = unit;
        d->role = role;
        memcpy(d->invocation, invocation, sizeof(d->invocation));
        atomic_store(&d->exited, 0);
        atomic_store(&d->session, 0);
        atomic_store(&d->step, 0);
        atomic_store(&d->error, 0);
        atomic_store(&d->start_time, 0);
        atomic_store(&d->last_pid, 0);
        atomic_store(&d->group, 0);
        for (unsigned i = 0; i < DURABLE_MAX_LEFT; i++)
                atomic_store(&d->left[i], 0);
        atomic_store(&d->generation, generation);
        atomic_store(&d->launch, LAUNCH_INTENT);
        *ret_slot = slot;
        *ret_generation = generation;
        return 0;
}

void state_slot_free(struct state *s, uint32_t slot)
{
        struct durable_slot *d = state_slot(s, slot);

        atomic_store(&durable_pids(s->map)[slot], 0);
        atomic_store(&d->launch, LAUNCH_FREE);
        (void)slots_push(s, slot); /* out of memory: the slot is lost until the next manager */
}

void state_slots_rebuild(struct state *s, bool (*keep)(void *userdata, uint32_t slot, uint32_t generation),
                         void *userdata)
{
        uint32_t n = atomic_load(&state_header(s)->n_slots);

        s->n_free = 0;
        s->n_known = n;
        for (uint32_t i = n; i-- > 0;) {
                struct durable_slot *d = state_slot(s, i);
                if (atomic_load(&d->launch) != LAUNCH_FREE && keep(userdata, i, atomic_load(&d->generation)))
                        continue;
                state_slot_free(s, i);
        }
}

/* pids[] first: whoever clears it has set last_pid before. */
uint32_t state_slot_pid(const struct state *s, uint32_t slot)
{
        uint32_t pid = atomic_load(&durable_pids(s->map)[slot]);

        return pid ? pid : atomic_load(&state_slot(s, slot)->last_pid);
}

int state_slot_of_pid(const struct state *s, uint32_t pid, uint32_t *ret_slot)
{
        uint32_t n = atomic_load(&state_header(s)->n_slots);
        _Atomic uint32_t *pids = durable_pids(s->map);

        for (uint32_t i = 0; i < n; i++)
                if (atomic_load_explicit(&pids[i], memory_order_relaxed) == pid) {
                        *ret_slot = i;
                        return 0;
                }
        return -ESRCH;
}

bool state_exit_peek(const struct state *s, uint32_t index, struct durable_exit *ret)
{
        struct durable_header *h = state_header(s);
        uint32_t tail = atomic_load_explicit(&h->ring_tail, memory_order_relaxed);
        uint32_t head = atomic_load_explicit(&h->ring_head, memory_order_acquire);

        if (head - tail <= index)
                return false;
        *ret = durable_ring(s->map)[(tail + index) % DURABLE_MAX_SLOTS];
        return true;
}

void state_exits_acknowledge(struct state *s, uint32_t n)
{
        struct durable_header *h = state_header(s);

        atomic_fetch_add_explicit(&h->ring_tail, n, memory_order_release);
}
