/* SPDX-License-Identifier: MIT
 *
 * Poison: a unit whose text or whose events kill the manager, found by the marker in the durable state, and left alone,
 * so that all others are supervised.
 *
 * The marker says what is being done: a step of a unit (engine.c), or the reading of a unit (units.c). When a manager
 * dies with it set, its successor counts; the third death in a row on the same marker is taken for the unit's fault:
 *   - a step: the unit is frozen. Its events are left aside, and its processes go on as they are
 *   - reading: that text (or, while the files are gathered, that name) is not looked at any more. The unit is there
 * with a load error until its text is another one; when it runs, it is frozen `supctl reset-failed UNIT` gives it
 * another chance; so does a new version of the manager (upgrade.c).
 *
 * Not here: deaths without a marker, which are the binary's (supd/binary.c). Invariant: a step or a reading that comes
 * to its end makes the deaths on it forgotten.
 */
#include "manager.h"

#include <stdio.h>

#define DEATHS 3
/* Of a marker; then the low half is a hash of what is read. Else it is (unit + 1) << 32 | event. */
#define READING (UINT64_C(1) << 63)

uint32_t poison_hash(const void *data, size_t size)
{
        const unsigned char *p = data;
        uint64_t h = UINT64_C(0xcbf29ce484222325), word;

        for (; size >= sizeof(word); size -= sizeof(word), p += sizeof(word)) {
                memcpy(&word, p, sizeof(word));
                h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
                h ^= h >> 32;
        }
        for (; size > 0; size--, p++)
                h = (h ^ *p) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
        return (uint32_t)h ? (uint32_t)h : 1;
}

static void marker_set(struct manager *m, uint64_t marker)
{
        m->poison.at = marker;
        atomic_store_explicit(&m->header->marker, marker, memory_order_relaxed);
}

void poison_step(struct manager *m, const struct run *r, enum machine_event e)
{
        marker_set(m, ((uint64_t)r->id + 1) << 32 | e);
}

void poison_reading(struct manager *m, uint32_t hash)
{
        m->poison.outer = m->poison.at;
        marker_set(m, READING | hash);
}

/* A unit may be read within a step (a dependency that comes up late): then that goes on. */
void poison_past(struct manager *m)
{
        if (m->poison.at == m->poison.watch && m->poison.watch != 0) {
                atomic_store(&m->header->marker_deaths, 0);
                m->poison.watch = 0;
        }
        marker_set(m, m->poison.outer);
        m->poison.outer = 0;
}

static _Atomic uint32_t *place_of(struct manager *m, uint32_t hash)
{
        for (size_t i = 0; i < ARRAY_SIZE(m->header->poisoned); i++)
                if (atomic_load(&m->header->poisoned[i]) == hash)
                        return &m->header->poisoned[i];
        return NULL;
}

bool poison_is(struct manager *m, uint32_t hash)
{
        return place_of(m, hash) != NULL;
}

void poison_forget(struct manager *m, uint32_t hash)
{
        _Atomic uint32_t *place = place_of(m, hash);

        if (place)
                atomic_store(place, 0);
}

void poison_forget_all(struct manager *m)
{
        for (size_t i = 0; i < ARRAY_SIZE(m->header->poisoned); i++)
                atomic_store(&m->header->poisoned[i], 0);
        atomic_store(&m->header->marker_deaths, 0);
}

static void text_is_poison(struct manager *m, uint32_t hash)
{
        _Atomic uint32_t *place = place_of(m, 0);

        if (!place)
                place = &m->header->poisoned[hash % ARRAY_SIZE(m->header->poisoned)]; /* the one there gets a chance */
        atomic_store(place, hash);
        log_line(m, NULL, "three managers died while they read a unit: it is left unread from now on");
}

/* Before any unit is read. */
void poison_judge(struct manager *m)
{
        uint64_t marker;

        if (m->checking)
                return;
        marker = atomic_exchange(&m->header->marker, 0);
        if (marker == 0)
                return;
        if (atomic_load(&m->header->marker_last) != marker)
                atomic_store(&m->header->marker_deaths, 0);
        atomic_store(&m->header->marker_last, marker);
        m->poison.watch = marker;
        if (atomic_fetch_add(&m->header->marker_deaths, 1) + 1 < DEATHS)
                return;
        if (marker & READING)
                text_is_poison(m, (uint32_t)marker);
        else
                m->poison.guilty = marker;
}

static void freeze(struct manager *m, struct run *r, const char *why)
{
        if (r->d.flags & UNIT_FROZEN)
                return;
        r->d.flags |= UNIT_FROZEN;
        engine_touch(m, r);
        log_line(m, r->name,
                 "three managers died on %s of this unit: it is frozen, its processes are left alone; "
                 "'supctl reset-failed %s' takes it up again",
                 why, r->name);
}

/* Once the units are there. */
void poison_freeze(struct manager *m)
{
        uint64_t marker = m->poison.guilty;
        uint32_t id = (uint32_t)(marker >> 32);
        char why[64];

        if (id > 0 && id <= m->n_runs) {
                (void)snprintf(why, sizeof(why), "event %s", machine_event_name((enum machine_event)(marker & 0xff)));
                freeze(m, m->runs[id - 1], why);
        }
        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->unread && (m->runs[i]->d.main.flags | m->runs[i]->d.control.flags) & PROCESS_RUNNING)
                        freeze(m, m->runs[i], "the text");
}
