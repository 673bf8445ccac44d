/* SPDX-License-Identifier: MIT
 *
 * From the durable state to a running manager: the only way it starts, the first time included (an empty log).
 *
 *   recover_state()      replays the log: units, records, jobs; parses the kept source text, reads the disk where there
 *                        is none
 *   recover_reconcile()  brings every unit's record and the world together: unfinished starts are sent again or found
 *                        done, signals and looks are repeated, timers and jobs taken up, processes of a dead keeper's
 *                        time are adopted
 *
 * Invariant: running it twice, or dying in it, changes nothing more than running it once.
 */
#include "manager.h"

#include <stdio.h>

#include "base/clock.h"

#define SECOND_CHANCE_US (200 * USEC_PER_MSEC)

static int replay_name(struct manager *m, uint32_t key, const char *name, size_t size)
{
        struct run *r;

        if (size == 0 || name[size - 1] != 0 || key >= DURABLE_MAX_SLOTS * 16)
                return -EBADMSG;
        if (key < m->n_runs && m->runs[key])
                return 0;
        return units_add(m, name, key, &r);
}

static struct run *replay_run(struct manager *m, uint32_t key)
{
        return key < m->n_runs ? m->runs[key] : NULL;
}

static int replay_text(struct run *r, const char *text, size_t size)
{
        char *copy = strndup(text, size);

        if (!copy)
                return -ENOMEM;
        free(r->status_text);
        r->status_text = copy;
        return 0;
}

static int replay(void *userdata, const struct record *rec, const void *data)
{
        struct manager *m = userdata;
        struct run *r = replay_run(m, rec->key);
        struct job_done done = {0};

        switch ((enum record_kind)rec->kind) {
        case RECORD_NAME:
                return replay_name(m, rec->key, data, rec->size);
        case RECORD_UNIT:
                if (!r)
                        return 0;
                memset(&r->d, 0, sizeof(r->d));
                memcpy(&r->d, data, MIN2(rec->size, sizeof(r->d)));
                return 0;
        case RECORD_TEXT:
                return r ? replay_text(r, data, rec->size) : 0;
        case RECORD_BLOB:
                if (r)
                        memcpy(&r->blob, data, MIN2(rec->size, sizeof(r->blob)));
                return 0;
        case RECORD_META:
                memcpy(&m->meta, data, MIN2(rec->size, sizeof(m->meta)));
                return 0;
        case RECORD_FDS:
                if (r && fdstore_replay(m, r, data, rec->size) == -ENOMEM)
                        return -ENOMEM;
                return 0;
        case RECORD_SLICE:
                return r ? groups_replay_slice(r, data, rec->size) : 0;
        case RECORD_GROUPS:
                return m->checking ? 0 : groups_replay(m, data, rec->size);
        case RECORD_ENVIRONMENT:
                buf_reset(&m->environment);
                return buf_append(&m->environment, data, rec->size);
        case RECORD_CHANGES:
                memcpy(&m->changes.d, data, MIN2(rec->size, sizeof(m->changes.d)));
                return 0;
        case RECORD_JOB_DONE:
                memcpy(&done, data, MIN2(rec->size, sizeof(done)));
                jobs_remember_done(m, &done);
                return 0;
        case N_RECORD_KINDS:
                break;
        }
        return 0;
}

/* Numbers that no name came for: a log written by a newer version. They stay, as units that are not found. */
static int fill_gaps(struct manager *m)
{
        int v = 0;

        for (uint32_t i = 0; i < m->n_runs && v == 0; i++) {
                char name[64];
                struct run *r;
                if (m->runs[i])
                        continue;
                (void)snprintf(name, sizeof(name), "unknown-%u.target", i);
                v = units_add(m, name, i, &r);
        }
        return v;
}

static int parse_kept(struct manager *m, struct run *r, const char *blobs, size_t size)
{
        const struct blob_durable *b = &r->blob;

        if (b->size == 0 || b->generation != m->meta.blob_generation || b->offset > size || size - b->offset < b->size)
                return -ENOENT;
        return units_parse(m, r, blobs + b->offset, b->size);
}

/* The whole blob file, as far as it is there: read, not mapped, since a file may be cut under our hands. */
static int read_blobs(struct manager *m, struct buf *ret)
{
        size_t size = (size_t)m->meta.blob_size;
        int v = buf_reserve(ret, size);

        while (v == 0 && m->blob_fd >= 0 && ret->size < size) {
                ssize_t n = pread(m->blob_fd, ret->data + ret->size, size - ret->size, (off_t)ret->size);
                if (n <= 0)
                        break; /* what is missing is read from the disk again */
                ret->size += (size_t)n;
        }
        return v;
}

static int parse_all(struct manager *m)
{
        cleanup_buf_ struct buf blobs = {0};
        int v = read_blobs(m, &blobs);

        for (uint32_t i = 0; i < m->n_runs && v == 0; i++)
                if (parse_kept(m, m->runs[i], blobs.data, blobs.size) < 0)
                        v = list_add(&m->to_load, i); /* its copy is lost: the disk is read again */
        return v;
}

/* ---- what a later version wrote ---- */

static bool is_known(const struct unit_durable *d)
{
        return d->state < N_MACHINE_STATES && d->result < N_SERVICE_RESULTS && d->list <= LIST_CHECK &&
               d->job.type < N_JOB_TYPES;
}

/* Numbers that this version does not know. What runs goes on and is supervised as something that runs; what only a
 * control process was about is stopped; a job, a command or a result that nobody here understands is none. */
static void mend(struct manager *m, struct run *r)
{
        struct unit_durable *d = &r->d;

        if (is_known(d))
                return;
        r->strange = true;
        if (!m->checking)
                log_line(m, r->name,
                         "was left in a state that this version does not know (%u, %u, %u, %u); going on "
                         "with what runs of it",
                         d->state, d->result, d->list, d->job.type);
        if (d->state >= N_MACHINE_STATES && !r->unit->service)
                d->state = STATE_PASSIVE_DEAD;
        else if (d->state >= N_MACHINE_STATES)
                d->state = d->main.flags & PROCESS_RUNNING      ? STATE_RUNNING
                           : d->control.flags & PROCESS_RUNNING ? STATE_STOP_SIGTERM
                                                                : STATE_FAILED;
        if (d->result >= N_SERVICE_RESULTS)
                d->result = SERVICE_RESULT_PROTOCOL;
        if (d->list > LIST_CHECK)
                d->list = d->command = 0;
        if (d->job.type >= N_JOB_TYPES)
                d->job = (struct job_durable){0};
        engine_touch(m, r);
}

int recover_state(struct manager *m)
{
        int v = state_replay(m->state, replay, m);

        if (v < 0)
                return v;
        for (int ring = 0; ring < N_DONE_RINGS; ring++)
                m->done[ring].recorded = m->done[ring].n;
        poison_judge(m);
        m->recovering = m->n_runs > 0;
        v = fill_gaps(m);
        if (v == 0 && units_blobs_open(m) < 0 && !m->checking)
                log_line(m, NULL, "no copy of the unit files can be kept in %s: %s", m->runtime_dir, strerror(errno));
        if (v == 0)
                v = parse_all(m);
        for (uint32_t i = 0; i < m->n_runs && v == 0; i++)
                if (m->runs[i]->loaded)
                        mend(m, m->runs[i]);
        for (uint32_t i = 0; i < m->n_runs && v == 0; i++)
                if (m->runs[i]->loaded)
                        v = units_make_edges(m, m->runs[i]);
        if (v == 0)
                v = units_load_pending(m);
        m->recovering = false;
        return v;
}

/* ---- slots ---- */

static bool slot_in_use(void *userdata, uint32_t slot, uint32_t generation)
{
        struct manager *m = userdata;
        const struct durable_slot *s = state_slot(m->state, slot);
        const struct run *r = s->unit < m->n_runs ? m->runs[s->unit] : NULL;

        return r && ((r->d.main.generation == generation && r->d.main.slot == slot) ||
                     (r->d.control.generation == generation && r->d.control.slot == slot));
}

/* A start whose end nobody noted: the launcher died with the old manager. All holders of the life pipe are gone, so
 * what has stored a pid has exec'ed or ended, and what has not will never begin. */
static void settle_launch(struct manager *m, struct run *r, struct process_durable *p)
{
        struct durable_slot *s;
        struct sys_stat st;
        uint32_t pid;

        if (!(p->flags & PROCESS_LAUNCHING) || p->generation == 0)
                return;
        s = state_slot(m->state, p->slot);
        pid = state_slot_pid(m->state, p->slot);
        if (atomic_load(&s->launch) == LAUNCH_INTENT && pid == 0) {
                (void)list_add(&m->unsent, r->id);
                return;
        }
        if (atomic_load(&s->launch) == LAUNCH_INTENT) {
                if (sys_stat((pid_t)pid, &st) == 0) {
                        atomic_store(&s->start_time, st.start_time);
                        atomic_store(&s->session, (uint32_t)st.session);
                }
                atomic_store(&s->launch, LAUNCH_EXECED);
        }
        if (!r->launch_listed && list_add(&m->launching, r->id) == 0)
                r->launch_listed = true;
}

/* ---- a keeper that died: its processes live on, but no longer below us ---- */

static void adopt(struct manager *m, struct run *r, struct process_durable *p)
{
        struct sys_stat st;
        uint32_t pid = p->pid;
        bool alive;

        if (!(p->flags & PROCESS_RUNNING) || (p->flags & PROCESS_LAUNCHING))
                return; /* a start that never began is sent again */
        if (pid == 0 && p->generation != 0)
                pid = state_slot_pid(m->state, p->slot);
        if (p->start_time == 0 && p->generation != 0)
                p->start_time = atomic_load(&state_slot(m->state, p->slot)->start_time);
        alive = pid > 0 && sys_stat((pid_t)pid, &st) == 0 && st.state != 'Z' &&
                (p->start_time == 0 || st.start_time == p->start_time);
        p->pid = pid;
        if (!alive) {
                log_line(m, r->name, "process %u ended while no keeper was there; its status is not known", pid);
                exits_process_ended(m, r, p, 0, 0);
                return;
        }
        exits_free_slot(m, p);
        p->start_time = st.start_time;
        p->flags |= PROCESS_FOREIGN;
        engine_touch(m, r); /* rewatch() follows */
}

static void adopt_all(struct manager *m)
{
        struct sys_stat keeper = {0};
        bool changed;

        (void)sys_stat(m->keeper_pid, &keeper);
        changed = m->meta.keeper_pid != 0 &&
                  (m->meta.keeper_pid != (uint32_t)m->keeper_pid || m->meta.keeper_start != keeper.start_time);
        m->meta.keeper_pid = (uint32_t)m->keeper_pid;
        m->meta.keeper_start = keeper.start_time;
        m->meta_dirty = true;
        if (!changed)
                return;
        m->meta.flags |= META_TAKEN_OVER;
        log_line(m, NULL, "adopting what a keeper that is gone has left");
        launch_look(m);
        exits_take(m); /* what it had still recorded counts */
        for (uint32_t i = 0; i < m->n_runs; i++) {
                adopt(m, m->runs[i], &m->runs[i]->d.main);
                adopt(m, m->runs[i], &m->runs[i]->d.control);
        }
}

/* ---- units ---- */

static void rewatch(struct manager *m, struct run *r)
{
        if (exits_runs_foreign(&r->d.main) || exits_runs_foreign(&r->d.control))
                exits_look_foreign(m, r);
}

/* The timer of a reload or a clean-up that ran out is gone with the commit; the signal that follows it may not have
 * been sent. */
static void control_again(struct manager *m, struct run *r, uint64_t timeout_us, const struct event *again)
{
        if (r->d.deadline_us == 0 && timeout_us != USEC_INFINITY)
                service_act(m, r, DO_KILL_CONTROL, again);
}

/* States that sent a signal on entry: it is sent again, and must get its chance before the timer runs out. So must a
 * process whose start is still under way. */
static bool waits_for_signalled(enum machine_state s)
{
        return service_kills_in(s) != KILL_NOTHING;
}

/* A service that said STOPPING=1 by itself was sent nothing. */
static bool ends_by_itself(const struct run *r)
{
        return r->d.state == STATE_STOP_SIGTERM &&
               (r->d.flags & (UNIT_SAYS_STOPPING | UNIT_STOP_REQUESTED)) == UNIT_SAYS_STOPPING;
}

/* ReloadSignal= may not have been sent; one that comes twice is a reload more. */
static void reload_again(struct manager *m, struct run *r, const struct event *again)
{
        uint64_t began = r->d.reload_begin_us;

        if (r->unit->service->type != SERVICE_NOTIFY_RELOAD || (r->d.flags & UNIT_SAYS_RELOADING))
                return;
        service_act(m, r, DO_SIGNAL_RELOAD, again);
        r->d.reload_begin_us = began;
}

static void take_up(struct manager *m, struct run *r)
{
        const struct event again = {.unit = r->id};

        if (r->d.deadline_us > 0 &&
            (waits_for_signalled(r->d.state) || ((r->d.main.flags | r->d.control.flags) & PROCESS_LAUNCHING)))
                r->d.deadline_us = MAX2(r->d.deadline_us, sys_mono_us() + SECOND_CHANCE_US);
        timer_restore(m, r);
        if (r->d.job.type != JOB_NONE)
                graph_job_installed(m->graph, r->id, r->d.job.type, r->d.job.ignore_order);
        if (!r->unit->service)
                return;
        exits_claim_again(m, r);
        rewatch(m, r);
        service_watchdog(m, r);
        switch ((enum machine_state)r->d.state) {
        case STATE_STOP_SIGTERM:
        case STATE_FINAL_SIGTERM:
                if (!ends_by_itself(r))
                        service_act(m, r, DO_KILL_TERM, &again); /* perhaps for the second time */
                service_act(m, r, DO_LOOK_EMPTY, &again);
                break;
        case STATE_STOP_WATCHDOG:
        case STATE_FINAL_WATCHDOG:
                service_act(m, r, DO_KILL_ABORT, &again);
                service_act(m, r, DO_LOOK_EMPTY, &again);
                break;
        case STATE_STOP_SIGKILL:
        case STATE_FINAL_SIGKILL:
                service_act(m, r, DO_KILL_KILL, &again);
                service_act(m, r, DO_LOOK_EMPTY, &again);
                break;
        case STATE_RUNNING:
                if (r->d.flags & UNIT_MAIN_UNKNOWN)
                        service_act(m, r, DO_LOOK_EMPTY, &again);
                break;
        case STATE_AUTO_RESTART:
                if (r->d.deadline_us == 0 && r->d.job.type == JOB_NONE)
                        engine_post(m, r, EVENT_TIMEOUT, 0, 0);
                break;
        case STATE_START:
        case STATE_START_POST:
                if (r->d.flags & UNIT_WAIT_PIDFILE)
                        service_act(m, r, DO_FIND_MAIN, &again);
                break;
        case STATE_RELOAD_SIGNAL:
                reload_again(m, r, &again);
                break;
        case STATE_RELOAD:
                reload_again(m, r, &again);
                control_again(m, r, r->unit->service->timeout_start_us, &again);
                break;
        case STATE_CLEANUP:
                control_again(m, r, r->unit->service->timeout_stop_us, &again);
                break;
        case STATE_DEAD:
        case STATE_CONDITION:
        case STATE_START_PRE:
        case STATE_EXITED:
        case STATE_STOP:
        case STATE_STOP_POST:
        case STATE_STOP_POST_WAIT:
        case STATE_FAILED:
        case STATE_RELOAD_NOTIFY:
        case STATE_PASSIVE_DEAD:
        case STATE_PASSIVE_ACTIVE:
        case STATE_CHECK:
        case STATE_FAILED_CHECK:
        case STATE_RESTART_CHECK:
        case STATE_PASSIVE_CHECK:
        case N_MACHINE_STATES:
                break;
        }
}

void recover_reconcile(struct manager *m)
{
        struct durable_exit x;

        units_blobs_tidy(m);
        poison_freeze(m);
        state_slots_rebuild(m->state, slot_in_use, m);
        for (uint32_t i = 0; i < m->n_runs; i++) {
                settle_launch(m, m->runs[i], &m->runs[i]->d.main);
                settle_launch(m, m->runs[i], &m->runs[i]->d.control);
        }
        adopt_all(m);
        fdstore_recover(m);
        transient_recover(m);
        for (uint32_t i = 0; i < m->n_runs; i++) {
                struct run *r = m->runs[i];
                r->unpublished = true;
                (void)list_add(&m->unpublished, i);
                take_up(m, r);
                resources_recover(m, r);
        }
        launch_look(m);
        if (m->notify_source && state_exit_peek(m->state, m->exits_taken, &x))
                notify_take(m); /* what a process said before its end comes before its end */
        exits_take(m);
}
