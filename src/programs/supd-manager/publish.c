/* SPDX-License-Identifier: MIT
 *
 * Rows of the status table, derived from records and units. The table is never the truth, only its picture: it can be
 * thrown away and drawn anew at any time.
 *
 * Invariant: a row is written when its unit's record changed, all of a turn's rows in one publish; while a crowd ends,
 * those of some turns.
 */
#include "manager.h"

#include <stdio.h>

enum { TABLE_TRIES = 10, TABLE_FIRST_RETRY = 5000 /* us, doubled each time */ };
#define CROWD_MOMENT (20 * USEC_PER_MSEC)

static const uint8_t load_words[N_LOAD_STATES] = {
        [LOAD_LOADED] = SUPD_LOAD_LOADED,           [LOAD_NOT_FOUND] = SUPD_LOAD_NOT_FOUND,
        [LOAD_BAD_SETTING] = SUPD_LOAD_BAD_SETTING, [LOAD_ERROR] = SUPD_LOAD_ERROR,
        [LOAD_MASKED] = SUPD_LOAD_MASKED,
};
static const uint8_t active_words[] = {
        [MACHINE_INACTIVE] = SUPD_ACTIVE_INACTIVE,
        [MACHINE_ACTIVATING] = SUPD_ACTIVE_ACTIVATING,
        [MACHINE_ACTIVE] = SUPD_ACTIVE_ACTIVE,
        [MACHINE_RELOADING] = SUPD_ACTIVE_RELOADING,
        [MACHINE_DEACTIVATING] = SUPD_ACTIVE_DEACTIVATING,
        [MACHINE_FAILED] = SUPD_ACTIVE_FAILED,
};
static const uint8_t sub_words[N_MACHINE_STATES] = {
        [STATE_DEAD] = SUPD_SUB_DEAD,
        [STATE_CONDITION] = SUPD_SUB_CONDITION,
        [STATE_START_PRE] = SUPD_SUB_START_PRE,
        [STATE_START] = SUPD_SUB_START,
        [STATE_START_POST] = SUPD_SUB_START_POST,
        [STATE_RUNNING] = SUPD_SUB_RUNNING,
        [STATE_EXITED] = SUPD_SUB_EXITED,
        [STATE_RELOAD] = SUPD_SUB_RELOAD,
        [STATE_STOP] = SUPD_SUB_STOP,
        [STATE_STOP_SIGTERM] = SUPD_SUB_STOP_SIGTERM,
        [STATE_STOP_SIGKILL] = SUPD_SUB_STOP_SIGKILL,
        [STATE_STOP_POST] = SUPD_SUB_STOP_POST,
        [STATE_FINAL_SIGTERM] = SUPD_SUB_FINAL_SIGTERM,
        [STATE_FINAL_SIGKILL] = SUPD_SUB_FINAL_SIGKILL,
        [STATE_CLEANUP] = SUPD_SUB_STOP_POST,
        [STATE_FAILED] = SUPD_SUB_FAILED,
        [STATE_AUTO_RESTART] = SUPD_SUB_AUTO_RESTART,
        [STATE_PASSIVE_DEAD] = SUPD_SUB_DEAD,
        [STATE_PASSIVE_ACTIVE] = SUPD_SUB_ACTIVE,
        [STATE_RELOAD_SIGNAL] = SUPD_SUB_RELOAD_SIGNAL,
        [STATE_RELOAD_NOTIFY] = SUPD_SUB_RELOAD_NOTIFY,
        [STATE_STOP_WATCHDOG] = SUPD_SUB_STOP_WATCHDOG,
        [STATE_FINAL_WATCHDOG] = SUPD_SUB_FINAL_WATCHDOG,
        [STATE_CHECK] = SUPD_SUB_DEAD,
        [STATE_FAILED_CHECK] = SUPD_SUB_FAILED,
        [STATE_RESTART_CHECK] = SUPD_SUB_AUTO_RESTART,
        [STATE_PASSIVE_CHECK] = SUPD_SUB_DEAD,
        [STATE_STOP_POST_WAIT] = SUPD_SUB_STOP_POST,
};
static const uint8_t type_words[N_UNIT_TYPES] = {
        [UNIT_SERVICE] = SUPD_TYPE_SERVICE, [UNIT_TARGET] = SUPD_TYPE_TARGET, [UNIT_SOCKET] = SUPD_TYPE_SOCKET,
        [UNIT_TIMER] = SUPD_TYPE_TIMER,     [UNIT_PATH] = SUPD_TYPE_PATH,     [UNIT_MOUNT] = SUPD_TYPE_MOUNT,
        [UNIT_SLICE] = SUPD_TYPE_SLICE,     [UNIT_OTHER] = SUPD_TYPE_UNKNOWN,
};
static const uint8_t result_words[N_SERVICE_RESULTS] = {
        [SERVICE_RESULT_SUCCESS] = SUPD_RESULT_SUCCESS,
        [SERVICE_RESULT_RESOURCES] = SUPD_RESULT_RESOURCES,
        [SERVICE_RESULT_PROTOCOL] = SUPD_RESULT_PROTOCOL,
        [SERVICE_RESULT_TIMEOUT] = SUPD_RESULT_TIMEOUT,
        [SERVICE_RESULT_EXIT_CODE] = SUPD_RESULT_EXIT_CODE,
        [SERVICE_RESULT_SIGNAL] = SUPD_RESULT_SIGNAL,
        [SERVICE_RESULT_CORE_DUMP] = SUPD_RESULT_CORE_DUMP,
        [SERVICE_RESULT_WATCHDOG] = SUPD_RESULT_WATCHDOG,
        [SERVICE_RESULT_START_LIMIT_HIT] = SUPD_RESULT_START_LIMIT_HIT,
        [SERVICE_RESULT_OOM_KILL] = SUPD_RESULT_OOM_KILL,
        [SERVICE_RESULT_EXEC_CONDITION] = SUPD_RESULT_EXEC_CONDITION,
};
static const uint8_t job_words[N_JOB_TYPES] = {
        [JOB_NONE] = SUPD_JOB_NONE, [JOB_START] = SUPD_JOB_START,   [JOB_VERIFY_ACTIVE] = SUPD_JOB_VERIFY_ACTIVE,
        [JOB_STOP] = SUPD_JOB_STOP, [JOB_RELOAD] = SUPD_JOB_RELOAD, [JOB_RESTART] = SUPD_JOB_RESTART,
        [JOB_NOP] = SUPD_JOB_NOP,
};

uint8_t publish_active(enum machine_state s)
{
        return active_words[machine_state_active(s)];
}

uint8_t publish_sub(enum machine_state s)
{
        return sub_words[s];
}

uint8_t publish_result(const struct run *r)
{
        return result_words[r->d.result < N_SERVICE_RESULTS ? r->d.result : 0];
}

static int join(struct buf *b, const struct strings *s, const char *but)
{
        int v = 0;

        buf_reset(b);
        for (unsigned i = 0; i < s->n && v >= 0; i++) {
                if (but && streq(s->v[i], but))
                        continue;
                v = b->size > 0 ? buf_append_char(b, ' ') : 0;
                if (v >= 0)
                        v = buf_append_str(b, s->v[i]);
        }
        return v;
}

static void set_list(struct manager *m, const struct run *r, uint32_t which, const struct strings *s, const char *but)
{
        cleanup_buf_ struct buf b = {0};

        if (join(&b, s, but) >= 0)
                (void)status_set_text(m->table, r->id, which, buf_str(&b));
}

/* Shown as long as it may be there. */
static void publish_group(struct manager *m, const struct run *r)
{
        enum machine_active a = machine_state_active(r->d.state);
        char place[1024], path[4096] = "";

        if (groups_has(m, r) && a != MACHINE_INACTIVE && a != MACHINE_FAILED)
                (void)snprintf(path, sizeof(path), "%s/%s", m->groups.c.path, groups_place(r, place, sizeof(place)));
        (void)status_set_text(m->table, r->id, SUPD_TEXT_CONTROL_GROUP, path);
}

static void publish_texts(struct manager *m, struct run *r)
{
        const struct unit *u = r->unit;
        char lack[96];

        publish_group(m, r);

        (void)status_set_text(m->table, r->id, SUPD_TEXT_NAME, r->name);
        set_list(m, r, SUPD_TEXT_ALIASES, &u->names, r->name);
        (void)status_set_text(m->table, r->id, SUPD_TEXT_DESCRIPTION,
                              u->description && !streq(u->description, r->name) ? u->description : "");
        (void)status_set_text(m->table, r->id, SUPD_TEXT_STATUS, r->status_text);
        (void)status_set_text(m->table, r->id, SUPD_TEXT_FRAGMENT_PATH, u->fragment_path);
        set_list(m, r, SUPD_TEXT_DROP_IN_PATHS, &u->dropin_paths, NULL);
        set_list(m, r, SUPD_TEXT_DOCUMENTATION, &u->documentation, NULL);
        (void)snprintf(lack, sizeof(lack), "not carried out here: %s= (no such controller)", r->lack ? r->lack : "");
        (void)status_set_text(m->table, r->id, SUPD_TEXT_NOTICE,
                              u->notices.n > 0 ? u->notices.v[0]
                              : r->lack        ? lack
                                               : "");
        (void)status_set_text(m->table, r->id, SUPD_TEXT_LOAD_ERROR, u->load_error);
        (void)status_set_text(m->table, r->id, SUPD_TEXT_SOURCE_PATH, u->source_path);
}

static uint32_t row_flags(const struct manager *m, const struct run *r, uint32_t old)
{
        const struct unit *u = r->unit;
        uint32_t keep = old & (SUPD_ROW_USED | SUPD_ROW_TEXT_CUT), f = 0;
        bool skipped = unit_skipped_asserts(r);
        const struct {
                bool on;
                uint32_t flag;
        } bits[] = {
                {!(r->d.flags & UNIT_CONDITION_FAILED), SUPD_ROW_CONDITION_RESULT},
                {!(r->d.flags & UNIT_ASSERT_FAILED) && !skipped, SUPD_ROW_ASSERT_RESULT},
                {u->load_state == LOAD_LOADED && !u->refuse_manual_start, SUPD_ROW_CAN_START},
                {u->load_state == LOAD_LOADED && !u->refuse_manual_stop, SUPD_ROW_CAN_STOP},
                {service_can_reload(u), SUPD_ROW_CAN_RELOAD},
                {u->allow_isolate, SUPD_ROW_CAN_ISOLATE},
                {r->d.flags & UNIT_LIMIT_HIT, SUPD_ROW_START_LIMIT_HIT},
                {r->d.flags & UNIT_FROZEN, SUPD_ROW_FROZEN},
                {u->built_in, SUPD_ROW_BUILT_IN},
                {transient_is(m, r), SUPD_ROW_TRANSIENT},
                {u->refuse_manual_start, SUPD_ROW_REFUSE_START},
                {u->refuse_manual_stop, SUPD_ROW_REFUSE_STOP},
                {u->service && u->service->remain_after_exit, SUPD_ROW_REMAIN},
                {u->service && r->d.main.exit_mono_us > 0 && r->d.main.code == 0, SUPD_ROW_STATUS_UNKNOWN},
                {r->d.job.running, SUPD_ROW_JOB_RUNNING},
                {r->d.main.flags & PROCESS_SPAWN_BAD, SUPD_ROW_SPAWN_ERROR},
        };

        for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
                if (bits[i].on)
                        f |= bits[i].flag;
        return keep | f;
}

/* Who asked for what, and the last end, also while a successor runs. */
static void row_past(struct supd_status_row *row, const struct run *r)
{
        const struct unit_durable *d = &r->d;
        const struct past_durable *past = &d->past;

        row->number = r->id;
        row->start_cause = (uint8_t)d->start_cause.what;
        row->start_by = d->start_cause.by;
        row->start_by_pid = d->start_cause.pid;
        row->stop_cause = (uint8_t)d->stop_cause.what;
        row->stop_by = d->stop_cause.by;
        row->stop_by_pid = d->stop_cause.pid;
        row->job_cause = (uint8_t)(d->job.type != JOB_NONE ? d->job_cause.what : SUPD_CAUSE_UNKNOWN);
        row->job_by = d->job_cause.by;
        row->job_by_pid = d->job_cause.pid;
        row->past_end = d->past_end;
        row->begin_real_us = d->begin_real_us;
        row->begin_mono_us = d->begin_mono_us;
        row->last_exit_code = (uint8_t)(d->main.exit_mono_us > 0 ? d->main.code : past->code);
        row->last_exit_status = d->main.exit_mono_us > 0 ? d->main.status : past->status;
        row->last_exit_pid = d->main.exit_mono_us > 0 ? d->main.last_pid : past->pid;
        row->last_exit_real_us = d->main.exit_mono_us > 0 ? d->main.exit_real_us : past->exit_real_us;
}

static void row_service(struct supd_status_row *row, const struct run *r)
{
        const struct service_config *c = r->unit->service;
        const struct process_durable *p = &r->d.main;
        const struct past_durable shown = run_main_shown(r);

        row->service_type = (uint8_t)(c->type + 1);
        row->restart = (uint8_t)(c->restart + 1);
        row->result = publish_result(r);
        row->main_pid = p->flags & PROCESS_RUNNING ? p->pid : 0;
        row->control_pid = r->d.control.flags & PROCESS_RUNNING ? r->d.control.pid : 0;
        row->n_restarts = r->d.n_restarts;
        row->exec_main_pid = shown.pid;
        row->exec_main_code = (uint8_t)shown.code;
        row->exec_main_status = shown.status;
        row->exec_main_start_real_us = shown.start_real_us;
        row->exec_main_start_mono_us = shown.start_mono_us;
        row->exec_main_exit_real_us = shown.exit_real_us;
        row->exec_main_exit_mono_us = shown.exit_mono_us;
        row->next_restart_mono_us = r->d.state == STATE_AUTO_RESTART ? r->d.deadline_us : 0;
        row->timeout_mono_us = r->d.state == STATE_AUTO_RESTART ? 0 : r->d.deadline_us;
        row->status_errno = r->d.status_errno;
        row->watchdog_us = r->d.watchdog_us > 0 ? r->d.watchdog_us : c->watchdog_us;
}

/* Called by the table whenever it writes the row; what is not set here stays as it is shown. */
static void publish_row(void *userdata, uint32_t index)
{
        struct manager *m = userdata;
        struct run *r = index < m->n_runs ? m->runs[index] : NULL;
        const struct unit_durable *d;
        struct supd_status_row *row;

        if (!r || !r->unit)
                return;
        d = &r->d;
        publish_texts(m, r);
        row = status_row(m->table, r->id);
        row->flags = row_flags(m, r, row->flags);
        row->type = type_words[r->unit->type];
        row->load_state = load_words[r->unit->load_state];
        row->active_state = publish_active(d->state);
        row->sub_state = publish_sub(d->state);
        row->n_notices = (uint16_t)(r->unit->notices.n + (r->lack != NULL));
        row->uid = row->gid = SUPD_ID_NONE;
        row->job_id = d->job.id;
        row->job_type = job_words[d->job.type];
        memcpy(row->invocation_id, d->invocation, sizeof(row->invocation_id));
        row->active_enter_real_us = d->active_enter_real;
        row->active_enter_mono_us = d->active_enter_mono;
        row->active_exit_real_us = d->active_exit_real;
        row->active_exit_mono_us = d->active_exit_mono;
        row->inactive_enter_real_us = d->inactive_enter_real;
        row->inactive_enter_mono_us = d->inactive_enter_mono;
        row->inactive_exit_real_us = d->inactive_exit_real;
        row->inactive_exit_mono_us = d->inactive_exit_mono;
        row->state_change_real_us = d->change_real;
        row->state_change_mono_us = d->change_mono;
        row_past(row, r);
        if (r->unit->service)
                row_service(row, r);
}

static void count(const struct manager *m, struct supd_status_header *h)
{
        h->n_units = m->n_runs;
        h->n_active = h->n_failed = h->n_jobs = 0;
        for (uint32_t i = 0; i < m->n_runs; i++) {
                enum machine_active a = machine_state_active(m->runs[i]->d.state);
                h->n_active += a == MACHINE_ACTIVE || a == MACHINE_RELOADING;
                h->n_failed += a == MACHINE_FAILED;
                h->n_jobs += m->runs[i]->d.job.type != JOB_NONE;
        }
}

static void publish_header(struct manager *m)
{
        struct supd_status_header *h = status_header(m->table);

        count(m, h);
        h->n_commits = atomic_load(&m->header->commits);
        h->manager_starts = atomic_load(&m->header->manager_starts);
        h->flags = (h->flags & SUPD_TABLE_TRUNCATED) | (m->user_mode ? SUPD_TABLE_USER : 0) |
                   (m->keeper_pid == 1 ? SUPD_TABLE_INIT : 0) |
                   (atomic_load(&m->header->manager_binary) == DURABLE_BINARY_OLDER ? SUPD_TABLE_OLDER : 0) |
                   (m->meta.flags & META_STOPPING ? SUPD_TABLE_STOPPING : 0);
        h->system_state = m->meta.flags & META_STOPPING                             ? SUPD_SYSTEM_STOPPING
                          : (h->n_jobs > 0 || m->generators.boot) && !m->ready_said ? SUPD_SYSTEM_STARTING
                          : h->n_failed > 0                                         ? SUPD_SYSTEM_DEGRADED
                                                                                    : SUPD_SYSTEM_RUNNING;
}

/* RUNTIME_DIR/table: a link whose text is the name of the instance, for readers that know the directory only. */
static void name_table(const struct manager *m)
{
        char path[4096];

        (void)snprintf(path, sizeof(path), "%s/table", m->runtime_dir);
        (void)unlink(path);
        if (*m->name)
                (void)!symlink(m->name, path);
}

void publish_name(const struct manager *m, char *ret, size_t size)
{
        if (m->user_mode)
                (void)snprintf(ret, size, "user-%u%s%s", (unsigned)getuid(), *m->name ? "-" : "", m->name);
        else
                (void)snprintf(ret, size, "%s", m->name);
}

/* Opens the table; one that is off is tried again for a while: the mapping of a manager that was killed, and with it
 * its lock, lives on for as long as somebody happens to read that manager's /proc files. */
int publish_open(struct manager *m)
{
        cleanup_diag_ struct diag diag = {0};
        bool last = m->table_tries >= TABLE_TRIES;
        struct supd_status_header *h;
        struct sys_stat self;
        char name[128];
        int v;

        publish_name(m, name, sizeof(name));
        changes_again(m);
        status_close(m->table, false);
        m->table = NULL;
        v = status_open(name, &m->table, &diag);
        if (v < 0)
                return v;
        m->table_retry_us = 0;
        if (!status_is_on(m->table) && !last)
                m->table_retry_us = sys_mono_us() + (TABLE_FIRST_RETRY << m->table_tries++);
        else
                log_diag(m, &diag);
        status_draw_with(m->table, publish_row, m);
        h = status_header(m->table);
        h->keeper_pid = (uint32_t)m->keeper_pid;
        h->writer_pid = (uint32_t)getpid();
        if (sys_stat(getpid(), &self) == 0)
                h->writer_start_ticks = self.start_time;
        memcpy(h->boot_id, m->header->boot_id, sizeof(h->boot_id));
        name_table(m);
        h->started_real_us = m->meta.started_real_us;
        h->started_mono_us = m->meta.started_mono_us;
        (void)snprintf(h->version, sizeof(h->version), "%s", SUPD_VERSION);
        (void)snprintf(h->instance, sizeof(h->instance), "%s", m->name);
        (void)snprintf(h->runtime_dir, sizeof(h->runtime_dir), "%s", m->runtime_dir);
        (void)snprintf(h->log_dir, sizeof(h->log_dir), "%s", m->log_dir);
        return 0;
}

static void publish_retry(struct manager *m)
{
        if (m->table_retry_us == 0 || sys_mono_us() < m->table_retry_us)
                return;
        if (publish_open(m) < 0)
                return; /* out of memory: without a table, as before */
        (void)status_reserve(m->table, m->n_runs);
        for (uint32_t i = 0; i < m->n_runs; i++) {
                engine_show(m, m->runs[i]);
        }
}

/* While very many units end, most rows change twice within a moment: they are drawn once. What is to be seen is at most
 * that old; when the crowd has gone every change is drawn at once again. */
static bool crowd_waits(struct manager *m)
{
        uint64_t now;

        if (!loop_crowd_ends(m) || m->unpublished.n == 0)
                return false;
        now = sys_mono_us();
        if (m->crowd_publish_us == 0)
                m->crowd_publish_us = now + CROWD_MOMENT;
        if (now >= m->crowd_publish_us) {
                m->crowd_publish_us = now + CROWD_MOMENT;
                return false;
        }
        m->publish_retry_us = m->crowd_publish_us; /* the timer comes back when nothing else does */
        return true;
}

void publish_turn(struct manager *m)
{
        bool due;

        publish_retry(m);
        due = m->unpublished.n > 0;
        for (size_t i = 0; i < m->unpublished.n; i++) {
                struct run *r = m->runs[m->unpublished.v[i]];
                r->unpublished = false;
                status_mark(m->table, r->id);
        }
        m->unpublished.n = 0;
        if (due)
                publish_header(m);
        if (due || m->publish_retry_us > 0)
                m->publish_retry_us = status_publish(m->table, sys_mono_us());
}

void publish_when_due(struct manager *m)
{
        if (!crowd_waits(m))
                publish_turn(m);
}
