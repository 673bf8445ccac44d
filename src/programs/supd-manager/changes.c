/* SPDX-License-Identifier: MIT
 *
 * What happened to units and why, on its way into the record of changes (status/changes.h): each change of state as it
 * is made, and each activation when it is over. The causes stand in the units' records, where recovery finds them.
 *
 * Not here: the object they are written to. Invariant: changes are numbered in the order in which they were made; those
 * of a commit are written before it, counted in it, and shown behind it. A manager that dies in between is followed by
 * one that gives the same numbers to what happens then, or shows what is counted.
 */
#include "manager.h"

#include "base/clock.h"

/* Nothing of the unit is at work, and nothing that happens to it belongs to an activation. */
static bool rests(enum machine_state s)
{
        enum machine_active a = machine_state_active(s);

        return a == MACHINE_INACTIVE || a == MACHINE_FAILED || s == STATE_AUTO_RESTART || s == STATE_RESTART_CHECK;
}

/* An end that nobody asked for. */
static uint32_t cause_of_result(const struct run *r)
{
        return r->d.result == SERVICE_RESULT_TIMEOUT    ? SUPD_CAUSE_TIMEOUT
               : r->d.result == SERVICE_RESULT_WATCHDOG ? SUPD_CAUSE_WATCHDOG
                                                        : SUPD_CAUSE_EXIT;
}

/* The main process as it ended in this activation, or nothing. */
static bool main_ended(const struct run *r)
{
        return r->d.main.exit_mono_us > 0 && r->d.main.exit_mono_us >= r->d.begin_mono_us;
}

static void past_write(struct manager *m, struct run *r)
{
        const struct process_durable *p = &r->d.main;
        bool ended = main_ended(r);
        struct supd_past past = {
                .unit = r->id,
                .number = r->d.past_end++,
                .begin_real_us = r->d.begin_real_us,
                .up_real_us = r->d.active_enter_mono >= r->d.begin_mono_us ? r->d.active_enter_real : 0,
                .end_real_us = r->d.change_real,
                .span_us = usec_sub(r->d.change_mono, r->d.begin_mono_us),
                .main_pid = ended ? p->last_pid : 0,
                .exit_code = ended ? (uint8_t)p->code : 0,
                .exit_status = ended ? p->status : 0,
                .result = publish_result(r),
                .start_cause = (uint8_t)r->d.start_cause.what,
                .start_by = r->d.start_cause.by,
                .start_by_pid = r->d.start_cause.pid,
                .stop_cause = (uint8_t)r->d.stop_cause.what,
                .stop_by = r->d.stop_cause.by,
                .stop_by_pid = r->d.stop_cause.pid,
                .restarts = r->d.state == STATE_AUTO_RESTART || r->d.state == STATE_RESTART_CHECK,
        };

        if (changes_ready(m))
                changes_write_past(m->changes.object, &past);
}

static void activation_changes(struct manager *m, struct run *r, enum machine_state old)
{
        if (rests(old) && !rests(r->d.state)) {
                r->d.begin_real_us = r->d.change_real;
                r->d.begin_mono_us = r->d.change_mono;
                r->d.start_cause = r->d.job.type != JOB_NONE ? r->d.job_cause : (struct cause_durable){0};
                r->d.stop_cause = (struct cause_durable){0};
        }
        if (rests(old) || !rests(r->d.state))
                return;
        if (r->d.stop_cause.what == SUPD_CAUSE_UNKNOWN)
                r->d.stop_cause.what = cause_of_result(r);
        past_write(m, r);
        r->d.begin_real_us = r->d.begin_mono_us = 0;
}

/* Why it goes where it goes. */
static struct cause_durable cause_now(const struct run *r)
{
        enum machine_active a = machine_state_active(r->d.state);
        bool up = a == MACHINE_ACTIVATING || a == MACHINE_ACTIVE || a == MACHINE_RELOADING;

        if (up && !rests(r->d.state))
                return r->d.start_cause;
        return r->d.stop_cause.what != SUPD_CAUSE_UNKNOWN ? r->d.stop_cause
                                                          : (struct cause_durable){.what = cause_of_result(r)};
}

static bool changes_active(const struct supd_change *c)
{
        return c->from_active != c->active;
}

/* What a state passes through within one commit is no news: one change with its first and its last word, except that
 * two steps of the six words stay two. */
static bool merge(struct manager *m, struct supd_change *c)
{
        for (unsigned i = m->changes.n_pending; i-- > 0;) {
                struct supd_change *last = &m->changes.pending[i];

                if (last->unit != c->unit)
                        continue;
                if (changes_active(last) && changes_active(c))
                        return false;
                if (!changes_active(c)) { /* the cause is that of the step */
                        c->cause = last->cause;
                        c->by = last->by;
                        c->by_pid = last->by_pid;
                }
                c->from_active = last->from_active;
                c->from_sub = last->from_sub;
                *last = *c;
                return true;
        }
        return false;
}

void changes_note(struct manager *m, struct run *r, enum machine_state old)
{
        struct cause_durable why;
        struct supd_change c;
        size_t n = strlen(r->name);

        activation_changes(m, r, old);
        if (publish_active(old) == publish_active(r->d.state) && publish_sub(old) == publish_sub(r->d.state))
                return; /* its conditions are evaluated: no word of its state tells */
        why = cause_now(r);
        c = (struct supd_change){
                .unit = r->id,
                .real_us = r->d.change_real,
                .mono_us = r->d.change_mono,
                .from_active = publish_active(old),
                .from_sub = publish_sub(old),
                .active = publish_active(r->d.state),
                .sub = publish_sub(r->d.state),
                .result = publish_result(r),
                .exit_code = main_ended(r) ? (uint8_t)r->d.main.code : 0,
                .exit_status = main_ended(r) ? r->d.main.status : 0,
                .main_pid = r->d.main.pid ? r->d.main.pid : r->d.main.last_pid,
                .cause = (uint8_t)why.what,
                .by = why.by,
                .by_pid = why.pid,
                .name_size = (uint8_t)n,
        };
        memcpy(c.name, r->name, MIN2(n, (size_t)SUPD_CHANGE_NAME_MAX));
        if (merge(m, &c))
                return;
        if (m->changes.n_pending == N_CHANGES_PENDING)
                changes_flush(m);
        m->changes.pending[m->changes.n_pending++] = c;
}

/* Opened with the first change, which may come before the table. What cannot be had is tried again with the table. */
bool changes_ready(struct manager *m)
{
        char name[128];

        if (m->changes.object || m->changes.tried)
                return m->changes.object != NULL;
        m->changes.tried = true;
        if (m->changes.d.id == 0) {
                if (sys_random(&m->changes.d.id, sizeof(m->changes.d.id)) < 0 || m->changes.d.id == 0)
                        m->changes.d.id = sys_real_us();
                m->changes.dirty = true;
        }
        publish_name(m, name, sizeof(name));
        return changes_open(name, m->changes.d.id, m->changes.d.end, &m->changes.object) == 0;
}

/* Into their places, behind what counts. */
void changes_flush(struct manager *m)
{
        bool ready;

        if (m->changes.n_pending == 0)
                return;
        ready = changes_ready(m);
        for (unsigned i = 0; i < m->changes.n_pending; i++)
                m->changes.pending[i].number = m->changes.d.end++;
        m->changes.dirty = true;
        if (ready)
                changes_write(m->changes.object, m->changes.pending, m->changes.n_pending);
        m->changes.n_pending = 0;
}

int changes_put(struct manager *m, bool whole)
{
        if (!m->changes.dirty && (!whole || m->changes.d.id == 0))
                return 0;
        return state_put(m->state, RECORD_CHANGES, 0, &m->changes.d, sizeof(m->changes.d));
}

/* Behind the commit; and once in each manager's life whatever it commits, since the one before may have died here. */
void changes_committed(struct manager *m)
{
        m->changes.dirty = false;
        if (m->changes.object)
                changes_publish(m->changes.object, m->changes.d.end);
}

void changes_again(struct manager *m)
{
        m->changes.tried = false;
        if (m->changes.d.id != 0 && changes_ready(m))
                changes_publish(m->changes.object, m->changes.d.end);
}
