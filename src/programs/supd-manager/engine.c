/* SPDX-License-Identifier: MIT
 *
 * The order that makes a crash harmless:
 *
 *   1. inputs have become events; step each through the table until the queue is empty (records change in memory only)
 *   2. put the changed records and commit them with one store
 *   3. acknowledge the inputs (ring entries), free what they held, carry out the effects (launch, signal, announce)
 *   4. look at the world where a state waits for it to be empty; that may yield events: again from 1
 *
 * A death before 2 forgets everything, and the inputs come again; a death behind 2 leaves records from which recovery
 * does what is missing of 3 and 4.
 */
#include "manager.h"

enum { LOOK_CHEAP_US = 200 };   /* a look that takes no longer never waits */
enum { STATUS_TEXT_ROOM = 64 }; /* what a STATUS= text takes on average; longer ones make the log grow earlier */
#define COMMIT_RETRY_US   (100 * USEC_PER_MSEC)
#define UNWRITTEN_ANEW_US USEC_PER_SEC
#define UNWRITTEN_STOP_US (3 * USEC_PER_SEC) /* so long an end waits for what cannot be written */
enum { EFFECTS_PER_COMMIT = 32 }; /* so that the first starts are under way while the rest is still being worked out */

_Noreturn void engine_out_of_memory(void)
{
        /* Nothing is committed half: the keeper starts another manager, which comes back to the last commit. */
        log_line(NULL, NULL, "out of memory; starting over from the durable state");
        _exit(12);
}

void engine_show(struct manager *m, struct run *r)
{
        if (!r->unpublished && list_add(&m->unpublished, r->id) < 0)
                engine_out_of_memory();
        r->unpublished = true;
}

int list_add(struct list_u32 *l, uint32_t v)
{
        if (l->n == l->allocated) {
                size_t n = l->allocated ? l->allocated * 2 : 32;
                uint32_t *p = reallocarray(l->v, n, sizeof(*p));
                if (!p)
                        engine_out_of_memory(); /* what is not listed would be forgotten: a stuck unit, a lost effect */
                l->v = p;
                l->allocated = n;
        }
        l->v[l->n++] = v;
        return 0;
}

void engine_touch(struct manager *m, struct run *r)
{
        if (!r->dirty && list_add(&m->dirty, r->id) < 0)
                engine_out_of_memory();
        r->dirty = true;
        engine_show(m, r);
}

void engine_post(struct manager *m, struct run *r, enum machine_event e, int code, int status)
{
        if (m->queue_n == m->queue_allocated) {
                size_t n = m->queue_allocated ? m->queue_allocated * 2 : 64;
                struct event *q = calloc(n, sizeof(*q));
                if (!q)
                        engine_out_of_memory();
                for (size_t i = 0; i < m->queue_n; i++)
                        q[i] = m->queue[(m->queue_head + i) % m->queue_allocated];
                free(m->queue);
                m->queue = q;
                m->queue_head = 0;
                m->queue_allocated = n;
        }
        m->queue[(m->queue_head + m->queue_n++) % m->queue_allocated] =
                (struct event){.unit = r->id, .event = (uint8_t)e, .code = code, .status = status};
}

static void engine_step(struct manager *m, const struct event *e)
{
        struct run *r = m->runs[e->unit];
        enum machine_state old = r->d.state;
        const struct machine_row *row;

        if (r->d.flags & UNIT_FROZEN) {
                log_line(m, r->name, "frozen: %s is left aside; 'supctl reset-failed %s' takes it up again",
                         machine_event_name(e->event), r->name);
                return;
        }
        poison_step(m, r, e->event);
        row = machine_find(r->d.state, e->event, service_facts(m, r));
        if (row->kind == ROW_IMPOSSIBLE) {
                m->n_impossible++;
                log_line(m, r->name, "event %s cannot happen in state %s; nothing is changed",
                         machine_event_name(e->event), machine_state_name(r->d.state));
        }
        if (row->kind == ROW_HANDLED) {
                engine_touch(m, r);
                r->d.state = row->next;
                for (int i = 0; i < MACHINE_MAX_ACTIONS && row->actions[i] != DO_NONE; i++)
                        service_act(m, r, row->actions[i], e);
                if (row->next != old)
                        service_state_changed(m, r, old);
        }
        poison_past(m);
}

/* An upper bound of what a compaction writes. Added up as units come, so that loading stays linear. */
uint64_t engine_live_bytes(struct manager *m)
{
        for (; m->live_counted < m->n_runs; m->live_counted++)
                m->live_units += 4 * sizeof(struct record) + ALIGN8(strlen(m->runs[m->live_counted]->name) + 1) +
                                 sizeof(struct unit_durable) + sizeof(struct blob_durable) + STATUS_TEXT_ROOM;
        return m->live_units + fdstore_live_bytes(m) + sizeof(struct record) + sizeof(struct meta_durable) +
               (N_ASKED_DONE + N_PULLED_IN_DONE) * (sizeof(struct record) + sizeof(struct job_done)) +
               2 * sizeof(struct record) + sizeof(struct changes_durable) + ALIGN8(m->environment.size);
}

static int put_unit(struct manager *m, struct run *r, bool whole)
{
        int v = 0;

        r->d.size = sizeof(r->d);
        if (whole) {
                v = state_put(m->state, RECORD_NAME, r->id, r->name, strlen(r->name) + 1);
                if (v == 0 && r->blob.size > 0)
                        v = state_put(m->state, RECORD_BLOB, r->id, &r->blob, sizeof(r->blob));
                if (v == 0)
                        v = fdstore_put(m, r);
                if (v == 0 && r->status_text)
                        v = state_put(m->state, RECORD_TEXT, r->id, r->status_text, strlen(r->status_text) + 1);
        }
        if (v == 0)
                v = groups_put_slice(m, r, whole);
        return v < 0 ? v : state_put(m->state, RECORD_UNIT, r->id, &r->d, sizeof(r->d));
}

static int put_environment(struct manager *m, bool whole)
{
        if (!m->environment_dirty && (!whole || m->environment.size == 0))
                return 0;
        return state_put(m->state, RECORD_ENVIRONMENT, 0, buf_str(&m->environment), m->environment.size);
}

static int put_jobs_done(struct manager *m, bool whole)
{
        int v = 0;

        for (enum done_ring ring = 0; ring < N_DONE_RINGS; ring++) {
                const struct done_jobs *d = &m->done[ring];
                uint32_t first = jobs_done_first(m, ring);

                for (uint32_t i = whole ? first : MAX2(first, d->recorded); i < d->n && v == 0; i++) {
                        const struct job_done *j = jobs_done_at(m, ring, i);
                        v = state_put(m->state, RECORD_JOB_DONE, j->id, j, sizeof(*j));
                }
        }
        return v;
}

int engine_compact(struct manager *m)
{
        int v = state_reserve(m->state, engine_live_bytes(m));

        if (v < 0)
                log_line(m, NULL, "the durable state cannot grow (%s); it goes on in the room it has", strerror(-v));
        v = state_compact_begin(m->state);
        if (v == 0)
                v = state_put(m->state, RECORD_META, 0, &m->meta, sizeof(m->meta));
        if (v == 0)
                v = groups_put(m);
        for (uint32_t i = 0; i < m->n_runs && v == 0; i++)
                v = put_unit(m, m->runs[i], true);
        if (v == 0)
                v = put_environment(m, true);
        if (v == 0)
                v = changes_put(m, true);
        if (v == 0)
                v = put_jobs_done(m, true);
        if (v < 0)
                state_rollback(m->state);
        return v;
}

static int engine_put_dirty(struct manager *m)
{
        int v = 0;

        if (m->meta_dirty)
                v = state_put(m->state, RECORD_META, 0, &m->meta, sizeof(m->meta));
        if (v == 0 && m->groups.unrecorded)
                v = groups_put(m);
        if (v == 0)
                v = put_environment(m, false);
        if (v == 0)
                v = changes_put(m, false);
        for (size_t i = 0; i < m->dirty.n && v == 0; i++)
                v = put_unit(m, m->runs[m->dirty.v[i]], false);
        if (v == 0)
                v = put_jobs_done(m, false);
        return v;
}

/* What was put is what is in the log; or, where an end does without it, nobody waits for it any more. */
static void records_clean(struct manager *m)
{
        for (size_t i = 0; i < m->dirty.n; i++)
                m->runs[m->dirty.v[i]]->dirty = m->runs[m->dirty.v[i]]->slice_dirty = false;
        m->dirty.n = 0;
        m->meta_dirty = m->environment_dirty = m->groups.unrecorded = false;
        m->commit_retry_us = 0;
}

/* Inputs: they need not come again. */
static void acknowledge(struct manager *m)
{
        if (m->requests_taken != 0)
                atomic_fetch_and(&m->header->requests, ~m->requests_taken);
        m->requests_taken = 0;
        if (m->exits_taken > 0)
                state_exits_acknowledge(m->state, m->exits_taken);
        m->exits_taken = 0;
        for (size_t i = 0; i < m->freed_slots.n; i++)
                state_slot_free(m->state, m->freed_slots.v[i]);
        m->freed_slots.n = 0;
        exits_forget_orphans(m);
}

/* Nothing goes on without its commit, with one exception: who was asked to end ends. Then no input is acknowledged and
 * no slot freed, so a manager that comes after us begins at the last commit with all that has happened since, and does
 * it once more. 0: it goes on so. */
static int commit_failed(struct manager *m, int error)
{
        uint64_t now = sys_mono_us();

        state_rollback(m->state);
        m->compact_due = true;
        loop_beat(m); /* exits and requests lie there, but not because nobody looks at them */
        if (m->unwritten_us == 0) {
                /* The room was reserved when the units were loaded, so this is the end of a long chain of bad luck. */
                log_line(m, NULL, "the durable state cannot be written (%s): free memory for the runtime directory",
                         strerror(-error));
                m->unwritten_us = now;
        }
        if (error == -ENOMEM && !(m->meta.flags & META_STOPPING) && now - m->unwritten_us >= UNWRITTEN_ANEW_US)
                engine_out_of_memory(); /* it is ours that is used up: the next manager begins with its own */
        if (!(m->meta.flags & META_STOPPING) || now - m->unwritten_us < UNWRITTEN_STOP_US) {
                m->commit_retry_us = now + COMMIT_RETRY_US;
                return error;
        }
        if (!m->unwritten_end)
                log_line(m, NULL, "the durable state still cannot be written; stopping all services without it");
        m->unwritten_end = true;
        records_clean(m); /* the next commit that can be made writes everything */
        return 0;
}

int engine_commit(struct manager *m)
{
        int v;

        changes_flush(m);
        v = m->compact_due ? -ENOSPC : engine_put_dirty(m);
        if (v < 0) {
                state_rollback(m->state);
                v = engine_compact(m);
        }
        if (v == 0)
                v = state_commit(m->state);
        m->compact_due = false;
        if (v < 0)
                return commit_failed(m, v);
        if (m->unwritten_us > 0)
                log_line(m, NULL, "the durable state can be written again");
        m->unwritten_us = 0;
        m->unwritten_end = false;
        records_clean(m);
        for (int ring = 0; ring < N_DONE_RINGS; ring++)
                m->done[ring].recorded = m->done[ring].n;
        changes_committed(m);
        acknowledge(m);
        return 0;
}

static void engine_effects(struct manager *m)
{
        exits_claim_effects(m);
        fdstore_flush(m);
        for (size_t i = 0; i < m->unsent.n; i++)
                launch_send(m, m->runs[m->unsent.v[i]]);
        m->unsent.n = 0;
        for (size_t i = 0; i < m->effects.n; i++) {
                struct run *r = m->runs[m->effects.v[i]];
                enum kill_what what = r->kill_due;
                r->kill_due = KILL_NOTHING;
                service_kill(m, r, what);
        }
        m->effects.n = 0;
        if (m->n_announcements > 0 && m->control && control_server_n_peers(m->control) > 0)
                publish_turn(m); /* who hears of the end of a job finds it in the table */
        api_announce(m);
        groups_tidy(m);
}

/* While a thousand units end, a look at each wake-up would be the whole work: once one has been taken, the next waits
 * for four times as long as that took. */
static bool looks_wait(struct manager *m)
{
        if (m->looks.n == 0 || m->orphans_cost_us < LOOK_CHEAP_US ||
            sys_mono_us() >= m->orphans_at_us + 4 * m->orphans_cost_us)
                return false;
        for (size_t i = 0; i < m->looks.n; i++)
                if (list_add(&m->looks_later, m->looks.v[i]) < 0)
                        return false;
        m->looks.n = 0;
        m->looks_soon = true;
        return true;
}

static bool engine_looks(struct manager *m)
{
        bool any;

        if (looks_wait(m))
                return false;
        any = m->looks.n > 0;
        for (size_t i = 0; i < m->looks.n; i++) {
                struct run *r = m->runs[m->looks.v[i]];
                r->look = false;
                service_look(m, r);
        }
        m->looks.n = 0;
        return any;
}

void engine_settle(struct manager *m)
{
        for (;;) {
                uint32_t unit;

                while (m->queue_n > 0) {
                        struct event e = m->queue[m->queue_head];
                        m->queue_head = (m->queue_head + 1) % m->queue_allocated;
                        m->queue_n--;
                        engine_step(m, &e);
                }
                if (m->unsent.n < EFFECTS_PER_COMMIT && graph_job_next(m->graph, &unit)) {
                        jobs_run(m, m->runs[unit]);
                        continue;
                }
                if ((m->dirty.n > 0 || m->meta_dirty || m->exits_taken > 0 || m->unsent.n > 0 || m->effects.n > 0 ||
                     m->freed_slots.n > 0 || m->orphans_taken.n > 0) &&
                    engine_commit(m) < 0)
                        return; /* no effect before its commit: the timer comes back to it */
                engine_effects(m);
                if (!engine_looks(m) && m->queue_n == 0) {
                        if (!graph_job_next(m->graph, &unit))
                                return;
                        jobs_run(m, m->runs[unit]);
                }
        }
}
