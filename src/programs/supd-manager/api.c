/* SPDX-License-Identifier: MIT
 *
 * What supd-bus asks (control/control.h), and supd-bus itself: a unit of our own, started when somebody connects to the
 * D-Bus socket, which the manager holds. So the API costs nothing while nobody uses it, and its death means nothing.
 *
 * Invariant: every answer that promises something is given behind the commit that holds it.
 */
#include "manager.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "handover/handover.h"

#define ERROR(x) "org.freedesktop.systemd1." x

/* ---- errors ---- */

static int refuse(struct control_error *e, enum graph_error why, const char *unit)
{
        static const struct {
                const char *name, *format;
        } words[N_GRAPH_ERRORS] = {
                [GRAPH_NO_SUCH_UNIT] = {ERROR("NoSuchUnit"), "Unit %s not found."},
                [GRAPH_MASKED] = {ERROR("UnitMasked"), "Unit %s is masked."},
                [GRAPH_BAD_SETTING] = {ERROR("BadUnitSetting"), "Unit %s has a bad unit file setting."},
                [GRAPH_LOAD_FAILED] = {ERROR("LoadFailed"), "Unit %s failed to load properly, please adjust/correct "
                                                            "and reload service manager."},
                [GRAPH_JOB_NOT_APPLICABLE] = {ERROR("JobTypeNotApplicable"),
                                              "Job type reload is not applicable for unit %s."},
                [GRAPH_CYCLIC] = {ERROR("TransactionOrderIsCyclic"), "Transaction order is cyclic at %s. See the log."},
                [GRAPH_DESTRUCTIVE] = {ERROR("TransactionIsDestructive"),
                                       "Transaction is destructive: %s has a conflicting job queued."},
                [GRAPH_CONFLICT] = {ERROR("TransactionJobsConflicting"),
                                    "Transaction contains conflicting jobs for %s."},
                [GRAPH_NO_ISOLATION] = {ERROR("NoIsolation"), "Operation refused, unit %s may not be isolated."},
                [GRAPH_ONLY_BY_DEPENDENCY] = {ERROR("OnlyByDependency"),
                                              "Operation refused, unit %s may be requested by dependency only (it is "
                                              "configured to refuse manual start/stop)."},
                [GRAPH_NOMEM] = {"org.freedesktop.DBus.Error.NoMemory", "Out of memory while working on %s."},
        };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        control_error_set(e, words[why].name, words[why].format, unit);
#pragma GCC diagnostic pop
        return -EINVAL;
}

/* ---- units by name ---- */

static int find_unit(struct manager *m, const char *name, struct run **ret, struct control_error *e)
{
        int v;

        if (!unit_name_valid(name) || unit_name_is_template(name)) {
                control_error_set(e, "org.freedesktop.DBus.Error.InvalidArgs", "Unit name %s is %s.", name,
                                  unit_name_valid(name) ? "missing the instance name" : "not valid");
                return -EINVAL;
        }
        v = units_get(m, name, ret);
        if (v < 0)
                control_error_set(e, ERROR("LoadFailed"), "Unit %s cannot be loaded: %s.", name, strerror(-v));
        return v;
}

static bool idle_unknown(const struct run *r)
{
        enum unit_active a = run_active(r);

        return r->unit->load_state == LOAD_NOT_FOUND && (a == ACTIVE_INACTIVE) && r->d.job.type == JOB_NONE;
}

static int find_loaded(struct manager *m, const char *name, struct run **ret, struct control_error *e)
{
        struct run *r = units_find(m, name);

        if (!r || idle_unknown(r)) {
                control_error_set(e, ERROR("NoSuchUnit"), "Unit %s not loaded.", name);
                return -ENOENT;
        }
        *ret = r;
        return 0;
}

/* ---- verbs ---- */

static int op_enqueue(void *userdata, const char *unit, enum job_request request, enum job_mode mode, uint32_t *ret_job,
                      struct control_error *e)
{
        struct manager *m = userdata;
        const struct control_request *q = control_server_request(m->control);
        static const uint8_t nobody[16];
        cleanup_diag_ struct diag diag = {0};
        uint32_t culprit = 0, job = 0;
        struct run *r;
        enum graph_error why;
        int v;

        if (m->meta.flags & META_STOPPING) {
                control_error_set(e, ERROR("TransactionIsDestructive"), "supd is stopping: %s is left as it is.", unit);
                return -EBUSY;
        }
        v = find_unit(m, unit, &r, e);
        if (v == 0 && request == REQUEST_STOP && r->unit->load_state != LOAD_LOADED &&
            r->unit->load_state != LOAD_MASKED && run_active(r) == ACTIVE_INACTIVE) {
                control_error_set(e, ERROR("NoSuchUnit"), "Unit %s not loaded.", unit);
                v = -ENOENT;
        }
        if (v < 0)
                return v;
        engine_settle(m);
        why = jobs_enqueue(m, r, request, mode, true, q ? q->id : nobody, &job, &culprit, &diag);
        log_diag(m, &diag);
        if (why != GRAPH_OK) {
                publish_turn(m); /* the unit that was loaded for it is there to be looked at */
                return refuse(e, why, m->runs[culprit]->name);
        }
        *ret_job = job;
        engine_settle(m);
        return 0;
}

static int op_find_request(void *userdata, const uint8_t request_id[16], uint32_t *ret_job)
{
        struct manager *m = userdata;
        uint32_t first = m->n_jobs_done > N_JOBS_DONE ? m->n_jobs_done - N_JOBS_DONE : 0;

        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->d.job.type != JOB_NONE && memcmp(m->runs[i]->d.job.request, request_id, 16) == 0) {
                        *ret_job = m->runs[i]->d.job.id;
                        return 0;
                }
        for (uint32_t i = first; i < m->n_jobs_done; i++) {
                const struct job_done *j = &m->jobs_done[i % N_JOBS_DONE];
                struct control_job ended = {.id = j->id, .type = j->type, .result = j->result};
                if (memcmp(j->request, request_id, sizeof(j->request)) != 0 || j->unit >= m->n_runs)
                        continue;
                *ret_job = j->id;
                ended.unit = m->runs[j->unit]->name;
                control_job_removed(m->control, &ended); /* behind the answer: a dead manager told nobody */
                return 0;
        }
        return -ENOENT;
}

static int op_kill(void *userdata, const char *unit, const char *whom, int signal, struct control_error *e)
{
        struct manager *m = userdata;
        struct sys_pids rest = {0};
        struct run *r;
        bool all = streq(whom, "all") || *whom == 0;
        int sent = 0, v = find_loaded(m, unit, &r, e);

        if (v < 0)
                return v;
        if (signal <= 0 || signal > SIGRTMAX) {
                control_error_set(e, "org.freedesktop.DBus.Error.InvalidArgs", "Signal number %d is out of range.",
                                  signal);
                return -EINVAL;
        }
        if (all || streq(whom, "main"))
                sent += procs_signal(m, &r->d.main, &signal, 1) == 0;
        if (all || streq(whom, "control"))
                sent += procs_signal(m, &r->d.control, &signal, 1) == 0;
        if (all && r->unit->service && procs_rest(m, r, &rest) == 0)
                for (size_t i = 0; i < rest.n; i++) {
                        struct sys_stat st;
                        sent += sys_stat(rest.v[i], &st) == 0 && sys_kill(rest.v[i], st.start_time, signal) == 0;
                }
        free(rest.v);
        if (sent == 0 && !all) {
                control_error_set(e, ERROR("NoSuchProcess"), "No %s process to kill.", whom);
                return -ESRCH;
        }
        return 0;
}

static void reset_one(struct manager *m, struct run *r)
{
        r->d.limit_count = r->d.n_restarts = 0;
        r->d.flags &= ~(UNIT_LIMIT_HIT | UNIT_FROZEN);
        engine_touch(m, r);
        engine_post(m, r, EVENT_RESET_FAILED, 0, 0);
}

static int op_reset_failed(void *userdata, const char *unit, struct control_error *e)
{
        struct manager *m = userdata;
        struct run *r;
        int v;

        if (unit) {
                v = find_loaded(m, unit, &r, e);
                if (v < 0)
                        return v;
                reset_one(m, r);
        }
        for (uint32_t i = 0; !unit && i < m->n_runs; i++)
                reset_one(m, m->runs[i]);
        engine_settle(m);
        return 0;
}

static int op_reload(void *userdata, struct control_error *e)
{
        struct manager *m = userdata;
        int v;

        control_reloading(m->control, true);
        v = units_reload(m);
        control_reloading(m->control, false);
        if (v < 0)
                control_error_set(e, "org.freedesktop.DBus.Error.Failed", "Unit files cannot be read again: %s.",
                                  strerror(-v));
        return v;
}

static int op_cancel_job(void *userdata, uint32_t id, struct control_error *e)
{
        struct manager *m = userdata;

        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->d.job.type != JOB_NONE && m->runs[i]->d.job.id == id) {
                        jobs_finish(m, m->runs[i], RESULT_CANCELED);
                        engine_settle(m);
                        return 0;
                }
        control_error_set(e, ERROR("NoSuchJob"), "Job %u does not exist.", id);
        return -ENOENT;
}

static int op_load_unit(void *userdata, const char *unit, bool only_loaded, char ret_id[256], struct control_error *e)
{
        struct manager *m = userdata;
        struct run *r;
        int v = only_loaded ? find_loaded(m, unit, &r, e) : find_unit(m, unit, &r, e);

        if (v < 0)
                return v;
        (void)snprintf(ret_id, 256, "%s", r->name);
        return 0;
}

static int op_unit_by_pid(void *userdata, uint32_t pid, char ret_id[256], struct control_error *e)
{
        struct manager *m = userdata;
        struct run *r = procs_owner(m, (pid_t)pid);

        if (!r) {
                control_error_set(e, ERROR("NoUnitForPID"), "PID %u does not belong to any loaded unit.", pid);
                return -ESRCH;
        }
        (void)snprintf(ret_id, 256, "%s", r->name);
        return 0;
}

/* ---- properties ---- */

static void put_list(struct control_answer *a, const char *name, const struct strings *s)
{
        control_put_strings(a, name, (const char *const *)s->v, s->n);
}

static void put_dependencies(struct control_answer *a, const struct unit *u)
{
        for (unsigned d = 0; d < N_UNIT_DEPENDENCIES; d++)
                put_list(a, unit_dependency_name(d), &u->dependencies[d]);
}

static void put_times(struct control_answer *a, const struct unit_durable *d)
{
        control_put_u64(a, "StateChangeTimestamp", d->change_real);
        control_put_u64(a, "StateChangeTimestampMonotonic", d->change_mono);
        control_put_u64(a, "InactiveExitTimestamp", d->inactive_exit_real);
        control_put_u64(a, "InactiveExitTimestampMonotonic", d->inactive_exit_mono);
        control_put_u64(a, "ActiveEnterTimestamp", d->active_enter_real);
        control_put_u64(a, "ActiveEnterTimestampMonotonic", d->active_enter_mono);
        control_put_u64(a, "ActiveExitTimestamp", d->active_exit_real);
        control_put_u64(a, "ActiveExitTimestampMonotonic", d->active_exit_mono);
        control_put_u64(a, "InactiveEnterTimestamp", d->inactive_enter_real);
        control_put_u64(a, "InactiveEnterTimestampMonotonic", d->inactive_enter_mono);
}

static void put_unit(struct control_answer *a, const struct run *r)
{
        const struct unit *u = r->unit;
        bool loaded = u->load_state == LOAD_LOADED;

        control_put_interface(a, "Unit");
        control_put_string(a, "Id", r->name);
        put_list(a, "Names", &u->names);
        control_put_string(a, "Description", u->description ? u->description : r->name);
        put_list(a, "Documentation", &u->documentation);
        control_put_string(a, "LoadState", unit_load_state_name(u->load_state));
        control_put_load_error(a, u->load_error ? ERROR("LoadFailed") : "", u->load_error ? u->load_error : "");
        control_put_string(a, "ActiveState", unit_active_name(run_active(r)));
        control_put_string(a, "SubState", machine_state_sub(r->d.state));
        control_put_string(a, "FragmentPath", u->fragment_path ? u->fragment_path : "");
        control_put_string(a, "SourcePath", u->source_path ? u->source_path : "");
        put_list(a, "DropInPaths", &u->dropin_paths);
        control_put_string(a, "Following", "");
        control_put_string(a, "FreezerState", "running");
        put_dependencies(a, u);
        put_times(a, &r->d);
        control_put_bool(a, "CanStart", loaded && !u->refuse_manual_start);
        control_put_bool(a, "CanStop", loaded && !u->refuse_manual_stop);
        control_put_bool(a, "CanReload", u->service && u->service->commands[EXEC_RELOAD].n > 0);
        control_put_bool(a, "CanIsolate", u->allow_isolate);
        control_put_bool(a, "StopWhenUnneeded", u->stop_when_unneeded);
        control_put_bool(a, "RefuseManualStart", u->refuse_manual_start);
        control_put_bool(a, "RefuseManualStop", u->refuse_manual_stop);
        control_put_bool(a, "DefaultDependencies", u->default_dependencies);
        control_put_bool(a, "ConditionResult", !(r->d.flags & UNIT_CONDITION_FAILED));
        control_put_bool(a, "AssertResult", !(r->d.flags & UNIT_ASSERT_FAILED));
        control_put_bool(a, "NeedDaemonReload", false);
        control_put_bool(a, "Transient", false);
        control_put_bytes(a, "InvocationID", r->d.invocation, sizeof(r->d.invocation));
        control_put_job(a, r->d.job.type != JOB_NONE ? r->d.job.id : 0);
}

static void put_execs(struct control_answer *a, const struct run *r)
{
        const struct service_config *c = r->unit->service;

        for (unsigned k = 0; k < N_EXEC_KINDS; k++) {
                const struct exec_commands *list = &c->commands[k];
                struct control_exec *v = list->n > 0 ? calloc(list->n, sizeof(*v)) : NULL;
                if (list->n > 0 && !v)
                        return;
                for (unsigned i = 0; i < list->n; i++)
                        v[i] = (struct control_exec){
                                .path = list->v[i].path,
                                .argv = (const char *const *)list->v[i].words.v,
                                .n_argv = list->v[i].words.n,
                                .ignore_failure = list->v[i].flags & EXEC_IGNORE_FAILURE,
                        };
                if (k == EXEC_START && list->n == 1) {
                        const struct process_durable *p = &r->d.main;
                        v->start_real_us = p->start_real_us;
                        v->start_mono_us = p->start_mono_us;
                        v->exit_real_us = p->exit_real_us;
                        v->exit_mono_us = p->exit_mono_us;
                        v->pid = p->pid ? p->pid : p->last_pid;
                        v->code = p->code;
                        v->status = p->status;
                }
                control_put_execs(a, exec_kind_name(k), v, list->n);
                free(v);
        }
}

static void put_service(struct control_answer *a, const struct run *r)
{
        const struct service_config *c = r->unit->service;
        const struct process_durable *p = &r->d.main;
        const struct past_durable shown = run_main_shown(r);

        control_put_interface(a, "Service");
        control_put_string(a, "Type", service_type_name(c->type));
        control_put_string(a, "Restart", service_restart_name(c->restart));
        control_put_string(a, "PIDFile", c->pid_file ? c->pid_file : "");
        control_put_string(a, "NotifyAccess", notify_access_name(c->notify_access));
        control_put_string(a, "Result", machine_result_name(r->d.result));
        control_put_string(a, "StatusText", r->status_text ? r->status_text : "");
        control_put_i32(a, "StatusErrno", r->d.status_errno);
        control_put_u32(a, "MainPID", p->flags & PROCESS_RUNNING ? p->pid : 0);
        control_put_u32(a, "ControlPID", r->d.control.flags & PROCESS_RUNNING ? r->d.control.pid : 0);
        control_put_u32(a, "ExecMainPID", shown.pid);
        control_put_i32(a, "ExecMainCode", shown.code);
        control_put_i32(a, "ExecMainStatus", shown.status);
        control_put_u64(a, "ExecMainStartTimestamp", shown.start_real_us);
        control_put_u64(a, "ExecMainStartTimestampMonotonic", shown.start_mono_us);
        control_put_u64(a, "ExecMainExitTimestamp", shown.exit_real_us);
        control_put_u64(a, "ExecMainExitTimestampMonotonic", shown.exit_mono_us);
        control_put_u32(a, "NRestarts", r->d.n_restarts);
        control_put_u32(a, "UID", UINT32_MAX);
        control_put_u32(a, "GID", UINT32_MAX);
        control_put_bool(a, "RemainAfterExit", c->remain_after_exit);
        control_put_bool(a, "GuessMainPID", c->guess_main_pid);
        control_put_u64(a, "RestartUSec", c->restart_us);
        control_put_u64(a, "TimeoutStartUSec", c->timeout_start_us);
        control_put_u64(a, "TimeoutStopUSec", c->timeout_stop_us);
        control_put_u64(a, "RuntimeMaxUSec", c->runtime_max_us);
        control_put_u64(a, "WatchdogUSec", c->watchdog_us);
        control_put_string(a, "KillMode", kill_mode_name(c->kill->mode));
        control_put_i32(a, "KillSignal", c->kill->signal);
        control_put_string(a, "Slice", "");
        control_put_string(a, "ControlGroup", "");
        put_execs(a, r);
}

static int op_unit_properties(void *userdata, const char *unit, struct control_answer *a, struct control_error *e)
{
        struct manager *m = userdata;
        struct run *r;
        int v = find_unit(m, unit, &r, e);

        if (v < 0)
                return v;
        put_unit(a, r);
        if (r->unit->service)
                put_service(a, r);
        return 0;
}

static int op_manager_properties(void *userdata, struct control_answer *a, struct control_error *e unused_)
{
        struct manager *m = userdata;
        uint32_t failed = 0, jobs = 0;

        for (uint32_t i = 0; i < m->n_runs; i++) {
                failed += run_active(m->runs[i]) == ACTIVE_FAILED;
                jobs += m->runs[i]->d.job.type != JOB_NONE;
        }
        control_put_interface(a, "Manager");
        control_put_string(a, "Version", "252 (supd " SUPD_VERSION ")");
        control_put_string(a, "Features", "");
        control_put_string(a, "Tainted", "");
        control_put_string(a, "SystemState",
                           m->meta.flags & META_STOPPING ? "stopping"
                           : !m->ready_said              ? "starting"
                           : failed > 0                  ? "degraded"
                                                         : "running");
        control_put_u32(a, "NNames", m->n_runs);
        control_put_u32(a, "NFailedUnits", failed);
        control_put_u32(a, "NJobs", jobs);
        control_put_u64(a, "UserspaceTimestamp", m->meta.started_real_us);
        control_put_u64(a, "UserspaceTimestampMonotonic", m->meta.started_mono_us);
        control_put_strings(a, "Environment", NULL, 0);
        control_put_strings(a, "UnitPath", (const char *const *)m->paths.dirs.v, m->paths.dirs.n);
        control_put_string(a, "ControlGroup", "");
        return 0;
}

static int op_list_units(void *userdata, struct control_answer *a, struct control_error *e unused_)
{
        struct manager *m = userdata;

        for (uint32_t i = 0; i < m->n_runs; i++) {
                const struct run *r = m->runs[i];
                control_put_unit(a, r->name, r->unit->description ? r->unit->description : r->name,
                                 unit_load_state_name(r->unit->load_state), unit_active_name(run_active(r)),
                                 machine_state_sub(r->d.state), r->d.job.type != JOB_NONE ? r->d.job.id : 0,
                                 r->d.job.type);
        }
        return 0;
}

static struct control_job job_of(const struct run *r)
{
        return (struct control_job){
                .id = r->d.job.id, .unit = r->name, .type = r->d.job.type, .waiting = !r->d.job.running};
}

static int op_list_jobs(void *userdata, int (*each)(void *, const struct control_job *), void *each_userdata)
{
        struct manager *m = userdata;
        int v = 0;

        for (uint32_t i = 0; i < m->n_runs && v == 0; i++)
                if (m->runs[i]->d.job.type != JOB_NONE) {
                        struct control_job j = job_of(m->runs[i]);
                        v = each(each_userdata, &j);
                }
        return v;
}

static int op_job_state(void *userdata, uint32_t id, struct control_job *ret, bool *ret_ended)
{
        struct manager *m = userdata;
        const struct job_done *done;

        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->d.job.type != JOB_NONE && m->runs[i]->d.job.id == id) {
                        *ret = job_of(m->runs[i]);
                        *ret_ended = false;
                        return 0;
                }
        done = jobs_find_done(m, id);
        if (!done || done->unit >= m->n_runs)
                return -ENOENT;
        *ret = (struct control_job){
                .id = id, .unit = m->runs[done->unit]->name, .type = done->type, .result = done->result};
        *ret_ended = true;
        return 0;
}

static const struct control_ops ops = {
        .enqueue = op_enqueue,
        .find_request = op_find_request,
        .kill = op_kill,
        .reset_failed = op_reset_failed,
        .reload = op_reload,
        .cancel_job = op_cancel_job,
        .load_unit = op_load_unit,
        .unit_by_pid = op_unit_by_pid,
        .unit_properties = op_unit_properties,
        .manager_properties = op_manager_properties,
        .list_units = op_list_units,
        .list_jobs = op_list_jobs,
        .job_state = op_job_state,
};

/* ---- what is told ---- */

void api_announce(struct manager *m)
{
        if (!m->control)
                m->n_announcements = 0; /* nobody can have connected yet */
        for (size_t i = 0; i < m->n_announcements; i++) {
                struct announcement *x = &m->announcements[i];
                x->job.unit = m->runs[x->unit]->name;
                switch (x->what) {
                case ANNOUNCE_JOB_NEW:
                        control_job_new(m->control, &x->job);
                        break;
                case ANNOUNCE_JOB_REMOVED:
                        control_unit_changed(m->control, x->job.unit);
                        control_job_removed(m->control, &x->job);
                        break;
                case ANNOUNCE_UNIT:
                        control_unit_changed(m->control, x->job.unit);
                        break;
                }
        }
        m->n_announcements = 0;
}

/* ---- sockets ---- */

static int listen_at(struct manager *m, const char *file, const char *stored, int type, mode_t mode, int *ret)
{
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        cleanup_close_ int fd = -1;
        int inherited = handover_inherited(state_map(m->state), stored);

        if (inherited >= 0) {
                *ret = inherited;
                return 0;
        }
        if (snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", m->runtime_dir, file) >= (int)sizeof(a.sun_path))
                return -ENAMETOOLONG;
        fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void)unlink(a.sun_path);
        if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || chmod(a.sun_path, mode) < 0 || listen(fd, 128) < 0)
                return -errno;
        keeper_store(m, stored, fd);
        *ret = take_fd(&fd);
        return 0;
}

/* ---- supd-bus ---- */

bool api_is_front(const struct manager *m, const struct run *r)
{
        return m->front_fd >= 0 && streq(r->name, FRONT_UNIT);
}

static void front_wanted(struct manager *m, struct source *s unused_, uint32_t events unused_)
{
        static const uint8_t nobody[16];
        uint32_t job, culprit;
        struct run *r;

        if (m->meta.flags & META_STOPPING || units_get(m, FRONT_UNIT, &r) < 0)
                return;
        if (run_active(r) == ACTIVE_ACTIVE)
                return;
        (void)jobs_enqueue(m, r, REQUEST_START, MODE_REPLACE, false, nobody, &job, &culprit, NULL);
}

/* Connections that came while it was ending are seen by arming the edge anew. */
void api_state_changed(struct manager *m, struct run *r)
{
        enum unit_active a = run_active(r);

        if ((a == ACTIVE_INACTIVE || a == ACTIVE_FAILED) && m->front_source && api_is_front(m, r))
                (void)loop_change(m, m->front_source, EPOLLIN | EPOLLET);
        if (m->n_announcements < m->announcements_allocated)
                m->announcements[m->n_announcements++] = (struct announcement){.unit = r->id, .what = ANNOUNCE_UNIT};
        else if (m->control)
                control_unit_changed(m->control, r->name);
}

static int front_write_unit(struct manager *m)
{
        const char *libexec = getenv("SUPD_LIBEXEC_DIR");
        cleanup_buf_ struct buf text = {0};
        char path[4096];
        cleanup_close_ int fd = -1;
        int v;

        v = buf_printf(&text,
                       "[Unit]\nDescription=D-Bus front of supd\nDefaultDependencies=no\n"
                       "StartLimitIntervalSec=10\nStartLimitBurst=20\n[Service]\nType=exec\n"
                       "ExecStart=%s/supd-bus --manager=%s/manager --idle-exit=1%s%s\nTimeoutStopSec=5\n",
                       libexec ? libexec : SUPD_LIBEXECDIR, m->runtime_dir, m->control_group ? " --group=" : "",
                       m->control_group ? m->control_group : "");
        if (v < 0)
                return v;
        (void)snprintf(path, sizeof(path), "%s/builtin", m->runtime_dir);
        (void)mkdir(path, 0755);
        (void)snprintf(path, sizeof(path), "%s/builtin/" FRONT_UNIT, m->runtime_dir);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        return write(fd, text.data, text.size) == (ssize_t)text.size ? 0 : -EIO;
}

/* ---- the server's fds in our loop ---- */

struct peer_source {
        int fd;
        void *cookie;
        struct source *source;
        struct peer_source *next;
};
static struct peer_source *peers;

static void peer_ready(struct manager *m, struct source *s, uint32_t events)
{
        struct peer_source *p = s->userdata;

        control_server_ready(m->control, p->cookie, events & EPOLLIN, events & EPOLLOUT,
                             events & (EPOLLHUP | EPOLLERR));
}

static int peer_watch(void *userdata, int fd, bool want_write, void *cookie)
{
        struct manager *m = userdata;
        uint32_t events = EPOLLIN | (want_write ? (uint32_t)EPOLLOUT : 0);
        struct peer_source *p = peers;
        int v;

        while (p && p->fd != fd)
                p = p->next;
        if (p) {
                p->cookie = cookie;
                return loop_change(m, p->source, events);
        }
        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        *p = (struct peer_source){.fd = fd, .cookie = cookie, .next = peers};
        v = loop_add(m, fd, events, peer_ready, p, &p->source);
        if (v < 0) {
                free(p);
                return v;
        }
        peers = p;
        return 0;
}

static void peer_forget(void *userdata, int fd)
{
        struct manager *m = userdata;

        for (struct peer_source **at = &peers; *at; at = &(*at)->next)
                if ((*at)->fd == fd) {
                        struct peer_source *p = *at;
                        *at = p->next;
                        loop_remove(m, p->source);
                        free(p);
                        return;
                }
}

int api_open(struct manager *m)
{
        struct control_poll poll = {peer_watch, peer_forget, m};
        int v = listen_at(m, "manager", "manager", SOCK_SEQPACKET, 0600, &m->control_fd);

        if (v == 0)
                v = control_server_new(m->control_fd, &ops, m, &m->control);
        if (v < 0)
                return v;
        control_server_set_poll(m->control, &poll);
        v = listen_at(m, "control", "control", SOCK_STREAM, m->control_group ? 0666 : 0600, &m->front_fd);
        if (v == 0)
                v = front_write_unit(m);
        if (v == 0)
                v = loop_add(m, m->front_fd, EPOLLIN | EPOLLET, front_wanted, NULL, &m->front_source);
        return v;
}
