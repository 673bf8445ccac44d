/* SPDX-License-Identifier: MIT
 *
 * Jobs: what is to happen to units, one at a time each. Which jobs a request leads to, and in which order they may run,
 * is graph/'s decision; here they are installed in the records, run against the table, and ended.
 *
 * Invariant: a unit has at most one job; a job that has ended is told of once, and remembered for those who ask later.
 */
#include "manager.h"

#include <stdio.h>

const struct graph_node *jobs_look(void *userdata, uint32_t unit)
{
        static struct graph_node n;
        struct manager *m = userdata;
        const struct run *r = m->runs[unit];
        const struct unit *u = r->unit;

        n = (struct graph_node){
                .active = run_active(r),
                .load = u->load_state,
                .job = r->d.job.type,
                .job_irreversible = r->d.job.irreversible,
                .job_ignore_order = r->d.job.ignore_order,
                .can_start = true,
                .can_reload = service_can_reload(u),
                .reloads_by_others = !u->service,
                .refuse_manual_start = u->refuse_manual_start,
                .refuse_manual_stop = u->refuse_manual_stop,
                .allow_isolate = u->allow_isolate,
                .ignore_on_isolate = u->ignore_on_isolate || api_is_front(m, r),
                .stop_when_unneeded = u->stop_when_unneeded,
                .name = r->name,
        };
        return &n;
}

static void announce(struct manager *m, const struct run *r, uint32_t id, enum job_type type, enum job_result result,
                     bool removed)
{
        if (m->n_announcements == m->announcements_allocated) {
                size_t n = m->announcements_allocated ? m->announcements_allocated * 2 : 32;
                struct announcement *p = reallocarray(m->announcements, n, sizeof(*p));
                if (!p)
                        return; /* a caller that misses it asks for the job's state */
                m->announcements = p;
                m->announcements_allocated = n;
        }
        m->announcements[m->n_announcements++] = (struct announcement){
                .unit = r->id,
                .job = {.id = id, .type = type, .result = result, .waiting = true},
                .what = removed ? ANNOUNCE_JOB_REMOVED : ANNOUNCE_JOB_NEW,
        };
}

static void remember(struct manager *m, const struct run *r, enum job_result result)
{
        struct job_done j = {.id = r->d.job.id, .unit = r->id, .type = r->d.job.type, .result = (uint8_t)result};

        memcpy(j.request, r->d.job.request, sizeof(j.request));
        jobs_remember_done(m, &j);
}

static const uint32_t done_room[N_DONE_RINGS] = {[DONE_ASKED] = N_ASKED_DONE, [DONE_PULLED_IN] = N_PULLED_IN_DONE};

void jobs_remember_done(struct manager *m, const struct job_done *j)
{
        static const uint8_t nobody[sizeof(j->request)];
        enum done_ring ring = memcmp(j->request, nobody, sizeof(nobody)) == 0 ? DONE_PULLED_IN : DONE_ASKED;
        struct done_jobs *d = &m->done[ring];

        d->v[d->n++ % done_room[ring]] = *j;
}

uint32_t jobs_done_first(const struct manager *m, enum done_ring ring)
{
        return m->done[ring].n > done_room[ring] ? m->done[ring].n - done_room[ring] : 0;
}

const struct job_done *jobs_done_at(const struct manager *m, enum done_ring ring, uint32_t i)
{
        return &m->done[ring].v[i % done_room[ring]];
}

const struct job_done *jobs_find_done(const struct manager *m, uint32_t id)
{
        for (enum done_ring ring = 0; ring < N_DONE_RINGS; ring++)
                for (uint32_t i = m->done[ring].n; i-- > jobs_done_first(m, ring);)
                        if (jobs_done_at(m, ring, i)->id == id)
                                return jobs_done_at(m, ring, i);
        return NULL;
}

/* The one of UNIT that ended last. */
const struct job_done *jobs_last_done(const struct manager *m, uint32_t unit)
{
        const struct job_done *last = NULL;

        for (enum done_ring ring = 0; ring < N_DONE_RINGS; ring++)
                for (uint32_t i = m->done[ring].n; i-- > jobs_done_first(m, ring);) {
                        const struct job_done *j = jobs_done_at(m, ring, i);
                        if (j->unit == unit && (!last || j->id > last->id))
                                last = j;
                }
        return last;
}

struct following { /* what follows from an event, and in which mode what it starts is queued */
        struct manager *m;
        enum job_mode mode;
        enum graph_event event;
        uint32_t unit;
};

/* What an event of one unit is as the cause of what happens to another. */
static struct cause_durable cause_of(const struct following *f, bool start)
{
        static const struct {
                uint8_t start, stop;
        } causes[N_GRAPH_EVENTS] = {
                [HAPPENED_JOB_FAILED] = {SUPD_CAUSE_DEPENDENCY, SUPD_CAUSE_DIED},
                [HAPPENED_START_IN_VAIN] = {SUPD_CAUSE_DEPENDENCY, SUPD_CAUSE_DIED},
                [HAPPENED_UP] = {SUPD_CAUSE_UPHOLDS, SUPD_CAUSE_NOT_NEEDED},
                [HAPPENED_STARTED] = {SUPD_CAUSE_DEPENDENCY, SUPD_CAUSE_DEPENDENCY},
                [HAPPENED_DIED] = {SUPD_CAUSE_DEPENDENCY, SUPD_CAUSE_DIED},
                [HAPPENED_STOPPED] = {SUPD_CAUSE_UPHOLDS, SUPD_CAUSE_NOT_NEEDED},
                [HAPPENED_FAILED] = {SUPD_CAUSE_ON_FAILURE, SUPD_CAUSE_DIED},
                [HAPPENED_SUCCEEDED] = {SUPD_CAUSE_ON_SUCCESS, SUPD_CAUSE_DIED},
                [HAPPENED_STOP_JOB_FAILED] = {SUPD_CAUSE_DEPENDENCY, SUPD_CAUSE_DIED},
        };

        return (struct cause_durable){.what = start ? causes[f->event].start : causes[f->event].stop, .by = f->unit};
}

static int follow(void *userdata, const struct graph_consequence *c)
{
        static const uint8_t nobody[16];
        const struct following *f = userdata;
        struct manager *m = f->m;
        struct run *r = m->runs[c->unit];
        uint32_t job, culprit;

        switch (c->what) {
        case CONSEQUENCE_FAIL_JOB:
                if (r->d.job.type != JOB_NONE)
                        jobs_finish(m, r, RESULT_DEPENDENCY);
                break;
        case CONSEQUENCE_START:
                if (!(m->meta.flags & META_STOPPING))
                        (void)jobs_enqueue(m, r, REQUEST_START, f->mode, cause_of(f, true), false, nobody, &job,
                                           &culprit, NULL);
                break;
        case CONSEQUENCE_STOP:
                (void)jobs_enqueue(m, r, REQUEST_STOP, MODE_REPLACE, cause_of(f, false), false, nobody, &job, &culprit,
                                   NULL);
                break;
        }
        return 0;
}

static enum job_mode mode_of(const char *name, enum job_mode otherwise)
{
        for (unsigned i = 0; name && i < N_JOB_MODES; i++)
                if (streq(job_mode_name((enum job_mode)i), name))
                        return (enum job_mode)i;
        return otherwise;
}

static const struct graph_node *jobs_look_of(void *userdata, uint32_t unit)
{
        return jobs_look(((const struct following *)userdata)->m, unit);
}

static void happened(struct manager *m, struct run *r, enum graph_event event)
{
        struct following f = {m, MODE_REPLACE, event, r->id};

        if (event == HAPPENED_FAILED)
                f.mode = mode_of(r->unit->on_failure_job_mode, MODE_REPLACE);
        else if (event == HAPPENED_SUCCEEDED)
                f.mode = mode_of(r->unit->on_success_job_mode, MODE_FAIL);
        (void)graph_consequences(m->graph, jobs_look_of, &f, r->id, event, follow);
}

static bool is_up(const struct run *r)
{
        enum unit_active a = run_active(r);

        return a == ACTIVE_ACTIVE || a == ACTIVE_RELOADING;
}

void jobs_finish(struct manager *m, struct run *r, enum job_result result)
{
        struct job_durable job = r->d.job;

        if (job.type == JOB_NONE)
                return;
        remember(m, r, result);
        announce(m, r, job.id, job.type, result, true);
        r->d.job = (struct job_durable){.type = JOB_NONE};
        timer_set(m, r, DEADLINE_JOB, 0);
        fdstore_settle(m, r);
        graph_job_finished(m->graph, r->id);
        engine_touch(m, r);
        if (result == RESULT_DONE && (job.type == JOB_START || job.type == JOB_RELOAD) && !is_up(r))
                happened(m, r, HAPPENED_START_IN_VAIN);
        if (result == RESULT_DONE)
                return;
        if (result == RESULT_DEPENDENCY)
                log_line(m, r->name, "not started: a unit that it requires failed");
        if (result == RESULT_DEPENDENCY || result == RESULT_TIMEOUT)
                happened(m, r, HAPPENED_FAILED); /* what fails by itself says so when it enters that state */
        if (job.type == JOB_START || job.type == JOB_VERIFY_ACTIVE || job.type == JOB_RESTART)
                happened(m, r, HAPPENED_JOB_FAILED);
        else if (job.type == JOB_STOP)
                happened(m, r, HAPPENED_STOP_JOB_FAILED);
}

/* JobTimeoutSec= from where the job is queued, JobRunningTimeoutSec= from where it runs; the earlier one counts. */
static void job_timer(struct manager *m, struct run *r, uint64_t span_us)
{
        uint64_t now = sys_mono_us(), at = timer_get(r, DEADLINE_JOB);

        if (span_us < USEC_INFINITY - now && (at == 0 || now + span_us < at))
                timer_set(m, r, DEADLINE_JOB, now + span_us);
}

static void job_runs(struct manager *m, struct run *r)
{
        if (!r->d.job.running)
                job_timer(m, r, r->unit->job_running_timeout_us);
        r->d.job.running = 1;
        engine_touch(m, r);
}

/* The job ends, the unit goes on with what it does. */
void jobs_timed_out(struct manager *m, struct run *r)
{
        log_line(m, r->name, "the %s job took too long", job_type_name(r->d.job.type));
        jobs_finish(m, r, RESULT_TIMEOUT);
        emergency_job_timeout(m, r);
}

/* One job, with one id, serves both where they go together. One that runs begins anew when it becomes another one; so
 * does a reload, since the service may have read its files before what the second is asked for. */
static bool merge_into(struct manager *m, struct run *r, const struct graph_job *j, struct cause_durable why)
{
        enum job_type merged = job_merge(r->d.job.type, j->type, run_active(r));

        if (merged == JOB_NONE)
                return false;
        r->d.job.irreversible |= j->irreversible;
        engine_touch(m, r);
        if (merged == r->d.job.type && (merged != JOB_RELOAD || !r->d.job.running))
                return true;
        r->d.job.type = (uint8_t)merged;
        r->d.job_cause = why;
        r->d.job.running = 0;
        r->d.job.ignore_order |= j->ignore_order;
        graph_job_installed(m->graph, r->id, merged, r->d.job.ignore_order);
        return true;
}

static void install(struct manager *m, const struct graph_job *j, struct cause_durable why,
                    const uint8_t request_id[16])
{
        struct run *r = m->runs[j->unit];
        enum job_type type = j->type;

        if (r->d.job.type != JOB_NONE && merge_into(m, r, j, why))
                return;
        jobs_finish(m, r, RESULT_CANCELED);
        r->d.job = (struct job_durable){
                .id = ++m->meta.next_job,
                .type = (uint8_t)type,
                .irreversible = j->irreversible,
                .ignore_order = j->ignore_order,
        };
        r->d.job_cause = why;
        job_timer(m, r, r->unit->job_timeout_us);
        m->meta_dirty = true;
        if (j->anchor)
                memcpy(r->d.job.request, request_id, sizeof(r->d.job.request));
        announce(m, r, r->d.job.id, type, RESULT_DONE, false);
        graph_job_installed(m->graph, r->id, type, j->ignore_order);
        engine_touch(m, r);
}

/* MODE_FLUSH and MODE_ISOLATE: what is queued and not part of the transaction goes. */
static void cancel_others(struct manager *m, const struct transaction *t)
{
        for (uint32_t i = 0; i < m->n_runs; i++) {
                bool part = false;
                if (m->runs[i]->d.job.type == JOB_NONE || m->runs[i]->d.job.irreversible)
                        continue;
                for (size_t j = 0; j < t->n_jobs && !part; j++)
                        part = t->jobs[j].unit == i;
                if (!part)
                        jobs_finish(m, m->runs[i], RESULT_CANCELED);
        }
}

enum graph_error jobs_transaction(struct manager *m, struct run *r, enum job_request request, enum job_mode mode,
                                  bool by_user, struct transaction *ret, uint32_t *ret_culprit, struct diag *diag)
{
        *ret_culprit = r->id;
        return transaction_build(m->graph, jobs_look, m, r->id, request, mode, by_user, ret, ret_culprit, diag);
}

enum graph_error jobs_enqueue(struct manager *m, struct run *r, enum job_request request, enum job_mode mode,
                              struct cause_durable why, bool by_user, const uint8_t request_id[16], uint32_t *ret_job,
                              uint32_t *ret_culprit, struct diag *diag)
{
        const struct cause_durable brought = {.what = SUPD_CAUSE_DEPENDENCY, .by = r->id};
        cleanup_(transaction_done) struct transaction t = {0};
        enum graph_error e;

        e = jobs_transaction(m, r, request, mode, by_user, &t, ret_culprit, diag);
        if (e != GRAPH_OK)
                return e;
        if (mode == MODE_FLUSH || mode == MODE_ISOLATE)
                cancel_others(m, &t);
        m->transaction.n = 0;
        for (size_t i = 0; i < t.n_jobs; i++) {
                (void)list_add(&m->transaction, t.jobs[i].unit);
                install(m, &t.jobs[i], t.jobs[i].anchor ? why : brought, request_id);
        }
        *ret_job = r->d.job.id;
        return GRAPH_OK;
}

/* ---- running ---- */

static void run_start(struct manager *m, struct run *r)
{
        enum unit_active a = run_active(r);

        if (r->d.flags & UNIT_FROZEN) {
                log_line(m, r->name,
                         "frozen after three crashes of the manager; 'supctl reset-failed %s' takes it up again",
                         r->name);
                jobs_finish(m, r, RESULT_FAILED);
                return;
        }
        if (a == ACTIVE_ACTIVE || a == ACTIVE_RELOADING) {
                jobs_finish(m, r, RESULT_DONE);
                return;
        }
        if (a == ACTIVE_DEACTIVATING)
                return; /* jobs_state_changed() comes back to it */
        if (graph_is_bound_in_vain(m->graph, jobs_look, m, r->id)) {
                jobs_finish(m, r, RESULT_DEPENDENCY);
                return;
        }
        job_runs(m, r);
        if (a != ACTIVE_ACTIVATING || r->d.state == STATE_AUTO_RESTART)
                engine_post(m, r, EVENT_START, 0, 0);
}

static void run_stop(struct manager *m, struct run *r)
{
        enum unit_active a = run_active(r);

        if (a == ACTIVE_INACTIVE || a == ACTIVE_FAILED) {
                jobs_finish(m, r, RESULT_DONE);
                return;
        }
        job_runs(m, r);
        r->d.flags |= UNIT_STOP_REQUESTED;
        r->d.stop_cause = r->d.job_cause;
        if (a != ACTIVE_DEACTIVATING)
                engine_post(m, r, EVENT_STOP, 0, 0);
}

static void restart_goes_on(struct manager *m, struct run *r)
{
        r->d.job.type = JOB_START;
        r->d.job.running = 0;
        engine_touch(m, r);
        graph_job_installed(m->graph, r->id, JOB_START, r->d.job.ignore_order);
}

static void run_restart(struct manager *m, struct run *r)
{
        enum unit_active a = run_active(r);

        if (a == ACTIVE_INACTIVE || a == ACTIVE_FAILED)
                restart_goes_on(m, r);
        else
                run_stop(m, r);
}

static void run_reload(struct manager *m, struct run *r)
{
        enum unit_active a = run_active(r);

        if (r->d.job.running)
                return;                                /* taken up again behind a death: ExecReload= is at work */
        if (!r->unit->service && a == ACTIVE_ACTIVE) { /* it has propagated */
                jobs_finish(m, r, RESULT_DONE);
                return;
        }
        if (a == ACTIVE_RELOADING)
                return; /* job_sees() comes back to it */
        if (a != ACTIVE_ACTIVE) {
                jobs_finish(m, r, RESULT_INVALID);
                return;
        }
        job_runs(m, r);
        engine_post(m, r, EVENT_RELOAD, 0, 0);
}

static void run_verify(struct manager *m, struct run *r)
{
        enum unit_active a = run_active(r);

        if (a == ACTIVE_ACTIVE || a == ACTIVE_RELOADING)
                jobs_finish(m, r, RESULT_DONE);
        else if (a != ACTIVE_ACTIVATING)
                jobs_finish(m, r, RESULT_SKIPPED);
}

void jobs_run(struct manager *m, struct run *r)
{
        switch ((enum job_type)r->d.job.type) {
        case JOB_START:
                run_start(m, r);
                break;
        case JOB_STOP:
                run_stop(m, r);
                break;
        case JOB_RESTART:
                run_restart(m, r);
                break;
        case JOB_RELOAD:
                run_reload(m, r);
                break;
        case JOB_VERIFY_ACTIVE:
                run_verify(m, r);
                break;
        case JOB_NOP:
                jobs_finish(m, r, RESULT_DONE);
                break;
        case JOB_NONE:
        case N_JOB_TYPES:
                break;
        }
}

/* ---- what a change of state means for the job ---- */

/* What does not come up, or like a oneshot need not stay up, is waited for until it has ended, ExecStopPost= and all.
 * An end that an automatic restart follows is one, too. */
static void start_job_sees(struct manager *m, struct run *r, enum unit_active now)
{
        bool good = r->d.result == SERVICE_RESULT_SUCCESS || r->d.result == SERVICE_RESULT_EXEC_CONDITION;

        if (now == ACTIVE_ACTIVE || now == ACTIVE_RELOADING || now == ACTIVE_INACTIVE)
                jobs_finish(m, r, RESULT_DONE);
        else if (now == ACTIVE_FAILED)
                jobs_finish(m, r, RESULT_FAILED);
        else if (r->d.state == STATE_AUTO_RESTART)
                jobs_finish(m, r, good ? RESULT_DONE : RESULT_FAILED);
}

static void job_sees(struct manager *m, struct run *r, enum unit_active now)
{
        bool down = now == ACTIVE_INACTIVE || now == ACTIVE_FAILED;

        switch ((enum job_type)r->d.job.type) {
        case JOB_START:
                if (r->d.job.running)
                        start_job_sees(m, r, now);
                else if (down)
                        graph_job_installed(m->graph, r->id, JOB_START, r->d.job.ignore_order);
                break;
        case JOB_VERIFY_ACTIVE:
                run_verify(m, r);
                break;
        case JOB_STOP:
                if (r->d.job.running && down)
                        jobs_finish(m, r, RESULT_DONE);
                break;
        case JOB_RESTART:
                if (r->d.job.running && down)
                        restart_goes_on(m, r);
                break;
        case JOB_RELOAD:
                if (r->d.job.running && (down || now == ACTIVE_DEACTIVATING))
                        jobs_finish(m, r, RESULT_FAILED);
                else if (!r->d.job.running && now != ACTIVE_RELOADING)
                        graph_job_installed(m->graph, r->id, JOB_RELOAD, r->d.job.ignore_order);
                break;
        case JOB_NONE:
        case JOB_NOP:
        case N_JOB_TYPES:
                break;
        }
}

void jobs_state_changed(struct manager *m, struct run *r, enum unit_active before, enum unit_active now)
{
        bool was_down = before == ACTIVE_INACTIVE || before == ACTIVE_FAILED;
        bool is_down = now == ACTIVE_INACTIVE || now == ACTIVE_FAILED;
        bool asked = r->d.flags & UNIT_STOP_REQUESTED;
        bool start_asked = r->d.job.running && r->d.job.type == JOB_START;

        if (before == now && (now == ACTIVE_INACTIVE || now == ACTIVE_FAILED))
                return; /* its conditions are evaluated, or were */
        job_sees(m, r, now);
        if (before == now)
                return;
        if (now == ACTIVE_FAILED)
                happened(m, r, HAPPENED_FAILED);
        if (now == ACTIVE_ACTIVE && before != ACTIVE_RELOADING) {
                if (!start_asked)
                        happened(m, r, HAPPENED_STARTED); /* a start job brought its dependencies along */
                happened(m, r, HAPPENED_UP);
        }
        if (now == ACTIVE_INACTIVE && !was_down &&
            (r->d.result == SERVICE_RESULT_SUCCESS || r->d.result == SERVICE_RESULT_EXEC_CONDITION))
                happened(m, r, HAPPENED_SUCCEEDED);
        if (!asked && !was_down && before != ACTIVE_DEACTIVATING && (is_down || now == ACTIVE_DEACTIVATING))
                happened(m, r, HAPPENED_DIED);
        if (is_down && !was_down)
                happened(m, r, HAPPENED_STOPPED);
        api_state_changed(m, r);
}

/* ---- the end of everything ---- */

/* A frozen unit stays as it is: nothing of it is waited for. */
static bool is_down(const struct run *r)
{
        enum unit_active a = run_active(r);

        return a == ACTIVE_INACTIVE || a == ACTIVE_FAILED || (r->d.flags & UNIT_FROZEN);
}

/* Puts stop jobs for whatever is up, in reverse order of starting. Called again until nothing is up. Returns how many
 * jobs that took. */
unsigned jobs_shutdown(struct manager *m)
{
        static const uint8_t nobody[16];
        unsigned n = 0;

        if (!(m->meta.flags & META_STOPPING)) {
                m->meta.flags |= META_STOPPING;
                m->meta_dirty = true;
        }
        for (uint32_t i = 0; i < m->n_runs; i++) {
                struct run *r = m->runs[i];
                if (r->d.job.type == JOB_STOP || (is_down(r) && r->d.job.type == JOB_NONE))
                        continue;
                if (r->d.job.type != JOB_NONE)
                        jobs_finish(m, r, RESULT_CANCELED);
                if (is_down(r))
                        continue;
                install(m,
                        &(struct graph_job){.unit = i,
                                            .type = JOB_STOP,
                                            .irreversible = true,
                                            .ignore_order = m->meta.flags & META_FORCE},
                        (struct cause_durable){.what = SUPD_CAUSE_SHUTDOWN}, nobody);
                n++;
        }
        return n;
}

/* Nothing is up, and nothing is on its way up or down. */
bool jobs_shutdown_done(const struct manager *m)
{
        for (uint32_t i = 0; i < m->n_runs; i++)
                if (!is_down(m->runs[i]) || m->runs[i]->d.job.type != JOB_NONE)
                        return false;
        return true;
}
