/* SPDX-License-Identifier: MIT
 *
 * What D-Bus clients see of the manager and of units: their properties, under systemd's names and with its types.
 *
 * Not here: verbs (api.c); types as D-Bus spells them (supd-bus). Invariant: nothing is changed by looking.
 */
#include "manager.h"

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
        control_put_bool(a, "CanReload", service_can_reload(u));
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
        control_put_u64(a, "WatchdogUSec", r->d.watchdog_us > 0 ? r->d.watchdog_us : c->watchdog_us);
        control_put_u32(a, "FileDescriptorStoreMax", c->fd_store_max);
        control_put_u32(a, "NFileDescriptorStore", fdstore_count(r));
        control_put_string(a, "KillMode", kill_mode_name(c->kill->mode));
        control_put_i32(a, "KillSignal", c->kill->signal);
        control_put_string(a, "Slice", "");
        control_put_string(a, "ControlGroup", "");
        put_execs(a, r);
}

int api_unit_properties(void *userdata, const char *unit, struct control_answer *a, struct control_error *e)
{
        struct manager *m = userdata;
        struct run *r;
        int v = api_find_unit(m, unit, &r, e);

        if (v < 0)
                return v;
        put_unit(a, r);
        if (r->unit->service)
                put_service(a, r);
        return 0;
}

int api_manager_properties(void *userdata, struct control_answer *a, struct control_error *e unused_)
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
