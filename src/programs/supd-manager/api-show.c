/* SPDX-License-Identifier: MIT
 *
 * What D-Bus clients see of the manager and of units: their properties, under systemd's names and with its types.
 *
 * Not here: verbs (api.c); types as D-Bus spells them (supd-bus). Invariant: nothing is changed by looking.
 */
#include "manager.h"

#include <stdio.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "syntax/scalar.h"

static void put_list(struct control_answer *a, const char *name, const struct strings *s)
{
        control_put_strings(a, name, (const char *const *)s->v, s->n);
}

/* ---- values that stand as they are in the unit ---- */

enum show_kind { SHOW_BOOL, SHOW_TEXT, SHOW_STRINGS, SHOW_U64, SHOW_U32, SHOW_I32, SHOW_WORD };

struct show_row {
        const char *name;
        enum show_kind kind;
        size_t at;
        const char *(*word)(unsigned value);
};

#define UNIT_AT(f)    offsetof(struct unit, f)
#define SERVICE_AT(f) offsetof(struct service_config, f)
#define KILL_AT(f)    offsetof(struct kill_config, f)
#define EXEC_AT(f)    offsetof(struct exec_config, f)
#define WORD(function)                                                                                                 \
        static const char *show_##function(unsigned value)                                                             \
        {                                                                                                              \
                return function(value);                                                                                \
        }
WORD(emergency_action_name)
WORD(service_type_name)
WORD(service_restart_name)
WORD(notify_access_name)
WORD(kill_mode_name)
WORD(oom_policy_name)
WORD(timeout_failure_mode_name)
WORD(exec_input_name)
WORD(exec_output_name)
WORD(preserve_mode_name)

/* clang-format off */
static const struct show_row unit_rows[] = {
        {"StopWhenUnneeded", SHOW_BOOL, UNIT_AT(stop_when_unneeded)},
        {"RefuseManualStart", SHOW_BOOL, UNIT_AT(refuse_manual_start)},
        {"RefuseManualStop", SHOW_BOOL, UNIT_AT(refuse_manual_stop)},
        {"AllowIsolate", SHOW_BOOL, UNIT_AT(allow_isolate)},
        {"DefaultDependencies", SHOW_BOOL, UNIT_AT(default_dependencies)},
        {"IgnoreOnIsolate", SHOW_BOOL, UNIT_AT(ignore_on_isolate)},
        {"JobTimeoutUSec", SHOW_U64, UNIT_AT(job_timeout_us)},
        {"JobRunningTimeoutUSec", SHOW_U64, UNIT_AT(job_running_timeout_us)},
        {"StartLimitIntervalUSec", SHOW_U64, UNIT_AT(start_limit_interval_us)},
        {"StartLimitBurst", SHOW_U32, UNIT_AT(start_limit_burst)},
        {"StartLimitAction", SHOW_WORD, UNIT_AT(start_limit_action), show_emergency_action_name},
        {"FailureAction", SHOW_WORD, UNIT_AT(failure_action), show_emergency_action_name},
        {"FailureActionExitStatus", SHOW_I32, UNIT_AT(failure_exit_status)},
        {"SuccessAction", SHOW_WORD, UNIT_AT(success_action), show_emergency_action_name},
        {"SuccessActionExitStatus", SHOW_I32, UNIT_AT(success_exit_status)},
};
static const struct show_row service_rows[] = {
        {"Type", SHOW_WORD, SERVICE_AT(type), show_service_type_name},
        {"Restart", SHOW_WORD, SERVICE_AT(restart), show_service_restart_name},
        {"PIDFile", SHOW_TEXT, SERVICE_AT(pid_file)},
        {"NotifyAccess", SHOW_WORD, SERVICE_AT(notify_access), show_notify_access_name},
        {"RestartUSec", SHOW_U64, SERVICE_AT(restart_us)},
        {"TimeoutStartUSec", SHOW_U64, SERVICE_AT(timeout_start_us)},
        {"TimeoutStopUSec", SHOW_U64, SERVICE_AT(timeout_stop_us)},
        {"TimeoutAbortUSec", SHOW_U64, SERVICE_AT(timeout_abort_us)},
        {"TimeoutStartFailureMode", SHOW_WORD, SERVICE_AT(timeout_start_failure_mode), show_timeout_failure_mode_name},
        {"TimeoutStopFailureMode", SHOW_WORD, SERVICE_AT(timeout_stop_failure_mode), show_timeout_failure_mode_name},
        {"RuntimeMaxUSec", SHOW_U64, SERVICE_AT(runtime_max_us)},
        {"RuntimeRandomizedExtraUSec", SHOW_U64, SERVICE_AT(runtime_randomized_extra_us)},
        {"PermissionsStartOnly", SHOW_BOOL, SERVICE_AT(permissions_start_only)},
        {"RootDirectoryStartOnly", SHOW_BOOL, SERVICE_AT(root_directory_start_only)},
        {"RemainAfterExit", SHOW_BOOL, SERVICE_AT(remain_after_exit)},
        {"GuessMainPID", SHOW_BOOL, SERVICE_AT(guess_main_pid)},
        {"FileDescriptorStoreMax", SHOW_U32, SERVICE_AT(fd_store_max)},
        {"BusName", SHOW_TEXT, SERVICE_AT(bus_name)},
        {"OOMPolicy", SHOW_WORD, SERVICE_AT(oom_policy), show_oom_policy_name},
        {"ReloadSignal", SHOW_I32, SERVICE_AT(reload_signal)},
};
static const struct show_row kill_rows[] = {
        {"KillMode", SHOW_WORD, KILL_AT(mode), show_kill_mode_name},
        {"KillSignal", SHOW_I32, KILL_AT(signal)},
        {"FinalKillSignal", SHOW_I32, KILL_AT(final_signal)},
        {"SendSIGKILL", SHOW_BOOL, KILL_AT(send_sigkill)},
        {"SendSIGHUP", SHOW_BOOL, KILL_AT(send_sighup)},
        {"WatchdogSignal", SHOW_I32, KILL_AT(watchdog_signal)},
};
static const struct show_row exec_rows[] = {
        {"Environment", SHOW_STRINGS, EXEC_AT(environment)},
        {"PassEnvironment", SHOW_STRINGS, EXEC_AT(pass_environment)},
        {"UnsetEnvironment", SHOW_STRINGS, EXEC_AT(unset_environment)},
        {"UMask", SHOW_U32, EXEC_AT(umask)},
        {"RootDirectory", SHOW_TEXT, EXEC_AT(root_directory)},
        {"OOMScoreAdjust", SHOW_I32, EXEC_AT(oom_score_adjust)},
        {"Nice", SHOW_I32, EXEC_AT(nice)},
        {"CPUSchedulingPolicy", SHOW_I32, EXEC_AT(cpu_policy)},
        {"CPUSchedulingPriority", SHOW_I32, EXEC_AT(cpu_priority)},
        {"NonBlocking", SHOW_BOOL, EXEC_AT(non_blocking)},
        {"StandardInput", SHOW_WORD, EXEC_AT(input), show_exec_input_name},
        {"StandardOutput", SHOW_WORD, EXEC_AT(output), show_exec_output_name},
        {"StandardError", SHOW_WORD, EXEC_AT(error), show_exec_output_name},
        {"TTYPath", SHOW_TEXT, EXEC_AT(tty_path)},
        {"SyslogIdentifier", SHOW_TEXT, EXEC_AT(syslog_identifier)},
        {"User", SHOW_TEXT, EXEC_AT(user)},
        {"Group", SHOW_TEXT, EXEC_AT(group)},
        {"DynamicUser", SHOW_BOOL, EXEC_AT(dynamic_user)},
        {"SupplementaryGroups", SHOW_STRINGS, EXEC_AT(supplementary_groups)},
        {"PAMName", SHOW_TEXT, EXEC_AT(pam_name)},
        {"PrivateTmp", SHOW_BOOL, EXEC_AT(private_tmp)},
        {"NoNewPrivileges", SHOW_BOOL, EXEC_AT(no_new_privileges)},
        {"IgnoreSIGPIPE", SHOW_BOOL, EXEC_AT(ignore_sigpipe)},
        {"UtmpIdentifier", SHOW_TEXT, EXEC_AT(utmp_identifier)},
        {"Personality", SHOW_TEXT, EXEC_AT(personality)},
        {"RuntimeDirectoryPreserve", SHOW_WORD, EXEC_AT(runtime_preserve), show_preserve_mode_name},
        {"ExecSearchPath", SHOW_STRINGS, EXEC_AT(exec_search_path)},
};
/* clang-format on */

static const char *text_or_empty(const char *s)
{
        return s ? s : "";
}

static void put_row(struct control_answer *a, const struct show_row *row, const char *at)
{
        switch (row->kind) {
        case SHOW_BOOL:
                control_put_bool(a, row->name, *(const bool *)(const void *)at);
                break;
        case SHOW_TEXT:
                control_put_string(a, row->name, text_or_empty(*(char *const *)(const void *)at));
                break;
        case SHOW_STRINGS:
                put_list(a, row->name, (const struct strings *)(const void *)at);
                break;
        case SHOW_U64:
                control_put_u64(a, row->name, *(const uint64_t *)(const void *)at);
                break;
        case SHOW_U32:
                control_put_u32(a, row->name, *(const uint32_t *)(const void *)at);
                break;
        case SHOW_I32:
                control_put_i32(a, row->name, *(const int32_t *)(const void *)at);
                break;
        case SHOW_WORD:
                control_put_string(a, row->name, text_or_empty(row->word(*(const unsigned *)(const void *)at)));
                break;
        }
}

static void put_rows(struct control_answer *a, const struct show_row *rows, size_t n, const void *base)
{
        for (size_t i = 0; i < n; i++)
                put_row(a, &rows[i], (const char *)base + rows[i].at);
}

/* ---- dependencies, and what others say of this unit ---- */

/* The inverse words, by the word that others wrote; NULL: there is none. */
static const char *const inverse_names[N_UNIT_DEPENDENCIES + 1] = {
        [DEP_REQUIRES] = "RequiredBy",    [DEP_REQUISITE] = "RequisiteOf",  [DEP_WANTS] = "WantedBy",
        [DEP_BINDS_TO] = "BoundBy",       [DEP_PART_OF] = "ConsistsOf",     [DEP_UPHOLDS] = "UpheldBy",
        [DEP_CONFLICTS] = "ConflictedBy", [DEP_ON_FAILURE] = "OnFailureOf", [DEP_ON_SUCCESS] = "OnSuccessOf",
        [GRAPH_TRIGGERS] = "TriggeredBy",
};

struct other_names {
        struct manager *m;
        const char **v; /* owned */
        unsigned n, allocated;
};

static int name_add(void *userdata, uint32_t other)
{
        struct other_names *l = userdata;

        for (unsigned i = 0; i < l->n; i++)
                if (l->v[i] == l->m->runs[other]->name)
                        return 0;
        if (l->n == l->allocated) {
                unsigned more = l->allocated ? 2 * l->allocated : 16;
                const char **p = reallocarray(l->v, more, sizeof(*p));
                if (!p)
                        return -ENOMEM;
                l->v = p;
                l->allocated = more;
        }
        l->v[l->n++] = l->m->runs[other]->name;
        return 0;
}

/* MIRROR: the word that says the same from the other end; dep itself where there is none. */
static void put_edges(struct manager *m, struct control_answer *a, const struct run *r, const char *name,
                      enum unit_dependency dep, enum unit_dependency mirror, bool inverse)
{
        struct other_names l = {.m = m};

        (void)graph_each(m->graph, r->id, dep, inverse, name_add, &l);
        if (mirror != dep)
                (void)graph_each(m->graph, r->id, mirror, !inverse, name_add, &l);
        control_put_strings(a, name, l.v, l.n);
        free(l.v);
}

static enum unit_dependency mirror_of(enum unit_dependency d)
{
        return d == DEP_BEFORE ? DEP_AFTER : d == DEP_AFTER ? DEP_BEFORE : d;
}

static void put_dependencies(struct manager *m, struct control_answer *a, const struct run *r)
{
        const struct unit *u = r->unit;

        for (unsigned d = 0; d < N_UNIT_DEPENDENCIES; d++)
                if (d == DEP_REQUIRES_MOUNTS_FOR)
                        put_list(a, unit_dependency_name(d), &u->dependencies[d]);
                else
                        put_edges(m, a, r, unit_dependency_name(d), d, mirror_of(d), false);
        for (unsigned d = 0; d < ARRAY_SIZE(inverse_names); d++)
                if (inverse_names[d])
                        put_edges(m, a, r, inverse_names[d], d, d, true);
        put_edges(m, a, r, "Triggers", GRAPH_TRIGGERS, GRAPH_TRIGGERS, false);
}

/* ---- a unit ---- */

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

static void put_load_error(struct control_answer *a, const struct run *r)
{
        static const struct {
                const char *name, *end; /* NULL: what the unit says */
        } errors[N_LOAD_STATES] = {
                [LOAD_NOT_FOUND] = {ERROR("NoSuchUnit"), "not found"},
                [LOAD_BAD_SETTING] = {ERROR("BadUnitSetting"), NULL},
                [LOAD_ERROR] = {ERROR("LoadFailed"), NULL},
                [LOAD_MASKED] = {ERROR("UnitMasked"), "is masked"},
        };
        const struct unit *u = r->unit;
        const char *name = errors[u->load_state].name;
        char text[512] = "";

        if (name && errors[u->load_state].end)
                (void)snprintf(text, sizeof(text), "Unit %s %s.", r->name, errors[u->load_state].end);
        else if (name)
                (void)snprintf(text, sizeof(text), "%s", text_or_empty(u->load_error));
        control_put_load_error(a, text_or_empty(name), text);
}

/* Which of several did not hold is not kept; of a single one it is known. */
static void put_conditions(struct control_answer *a, const struct run *r, const char *name, bool assert)
{
        const struct conditions *c = &r->unit->conditions;
        struct control_condition *v = c->n > 0 ? calloc(c->n, sizeof(*v)) : NULL;
        uint32_t failed = assert ? UNIT_ASSERT_FAILED : UNIT_CONDITION_FAILED;
        unsigned n = 0;

        for (unsigned i = 0; v && i < c->n; i++)
                if (c->v[i].assert == assert)
                        v[n++] = (struct control_condition){
                                .state = c->n == 1 ? (r->d.flags & failed ? -1 : r->d.inactive_exit_real > 0) : 0,
                                .name = text_or_empty(c->v[i].name),
                                .parameter = text_or_empty(c->v[i].parameter),
                                .trigger = c->v[i].trigger,
                                .negate = c->v[i].negate,
                        };
        control_put_conditions(a, name, v, n);
        free(v);
}

/* Conditions and asserts are looked at together, as a start begins; when they do not hold, that is all that happens. */
static void put_checks(struct control_answer *a, const struct run *r)
{
        bool skipped = r->d.flags & UNIT_CONDITION_FAILED, refused = r->d.flags & UNIT_ASSERT_FAILED;
        bool failed = skipped || refused;
        uint64_t real = failed ? r->d.change_real : r->d.inactive_exit_real;
        uint64_t mono = failed ? r->d.change_mono : r->d.inactive_exit_mono;

        control_put_bool(a, "ConditionResult", real > 0 && !skipped);
        control_put_bool(a, "AssertResult", real > 0 && !refused && !unit_skipped_asserts(r));
        control_put_u64(a, "ConditionTimestamp", real);
        control_put_u64(a, "ConditionTimestampMonotonic", mono);
        control_put_u64(a, "AssertTimestamp", skipped ? 0 : real);
        control_put_u64(a, "AssertTimestampMonotonic", skipped ? 0 : mono);
}

/* What changes while the unit is loaded. */
static void put_unit_state(struct control_answer *a, const struct run *r)
{
        static const uint8_t none[sizeof(r->d.invocation)];

        control_put_string(a, "ActiveState", unit_active_name(run_active(r)));
        control_put_string(a, "SubState", machine_state_sub(r->d.state));
        control_put_string(a, "FreezerState", "running");
        put_times(a, &r->d);
        put_checks(a, r);
        control_put_bytes(a, "InvocationID", r->d.invocation,
                          memcmp(r->d.invocation, none, sizeof(none)) == 0 ? 0 : sizeof(none));
        control_put_job(a, r->d.job.type != JOB_NONE ? r->d.job.id : 0);
}

static void put_unit(struct manager *m, struct control_answer *a, const struct run *r)
{
        const struct unit *u = r->unit;
        bool loaded = u->load_state == LOAD_LOADED;

        control_put_string(a, "Id", r->name);
        put_list(a, "Names", &u->names);
        control_put_string(a, "Following", "");
        put_dependencies(m, a, r);
        put_list(a, "Documentation", &u->documentation);
        control_put_string(a, "Description", u->description ? u->description : r->name);
        control_put_string(a, "LoadState", unit_load_state_name(u->load_state));
        control_put_string(a, "FragmentPath", text_or_empty(u->fragment_path));
        control_put_string(a, "SourcePath", text_or_empty(u->source_path));
        put_list(a, "DropInPaths", &u->dropin_paths);
        put_load_error(a, r);
        control_put_bool(a, "CanStart", loaded && !u->refuse_manual_start);
        control_put_bool(a, "CanStop", loaded && !u->refuse_manual_stop);
        control_put_bool(a, "CanReload", service_can_reload(u));
        control_put_bool(a, "CanIsolate", u->allow_isolate);
        control_put_bool(a, "CanFreeze", false);
        control_put_bool(a, "Transient", transient_is(m, r));
        control_put_bool(a, "Perpetual", false);
        control_put_strings(a, "Markers", NULL, 0);
        control_put_string(a, "CollectMode", u->collect_mode ? u->collect_mode : "inactive");
        control_put_string(a, "OnFailureJobMode", u->on_failure_job_mode ? u->on_failure_job_mode : "replace");
        put_rows(a, unit_rows, ARRAY_SIZE(unit_rows), u);
        put_conditions(a, r, "Conditions", false);
        put_conditions(a, r, "Asserts", true);
        control_put_u64(a, "ReadTimestamp", r->blob.read_us); /* supd-bus makes NeedDaemonReload of it */
}

static void put_execs(struct control_answer *a, const struct run *r)
{
        const struct service_config *c = r->unit->service;
        char ex[64];

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
                                .flags = list->v[i].flags,
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
                (void)snprintf(ex, sizeof(ex), "%sEx", exec_kind_name(k));
                control_put_execs_ex(a, ex, v, list->n);
                free(v);
        }
}

static void put_service_state(struct control_answer *a, const struct run *r)
{
        const struct process_durable *p = &r->d.main;
        const struct past_durable shown = run_main_shown(r);

        control_put_u32(a, "MainPID", p->flags & PROCESS_RUNNING ? p->pid : 0);
        control_put_u32(a, "ControlPID", r->d.control.flags & PROCESS_RUNNING ? r->d.control.pid : 0);
        control_put_string(a, "StatusText", text_or_empty(r->status_text));
        control_put_i32(a, "StatusErrno", r->d.status_errno);
        control_put_string(a, "Result", machine_result_name(r->d.result));
        control_put_u32(a, "UID", UINT32_MAX);
        control_put_u32(a, "GID", UINT32_MAX);
        control_put_u32(a, "NRestarts", r->d.n_restarts);
        control_put_u64(a, "WatchdogUSec", r->d.watchdog_us > 0 ? r->d.watchdog_us : r->unit->service->watchdog_us);
        control_put_u32(a, "NFileDescriptorStore", fdstore_count(r));
        control_put_u64(a, "ExecMainStartTimestamp", shown.start_real_us);
        control_put_u64(a, "ExecMainStartTimestampMonotonic", shown.start_mono_us);
        control_put_u64(a, "ExecMainExitTimestamp", shown.exit_real_us);
        control_put_u64(a, "ExecMainExitTimestampMonotonic", shown.exit_mono_us);
        control_put_u32(a, "ExecMainPID", shown.pid);
        control_put_i32(a, "ExecMainCode", shown.code);
        control_put_i32(a, "ExecMainStatus", shown.status);
}

/* Where there are no cgroups the fields stay empty, and systemctl leaves them out. */
static void put_group(struct manager *m, struct control_answer *a, const struct run *r)
{
        char group[1024];

        control_put_string(a, "Slice", groups_has(m, r) ? groups_slice_of(r) : "");
        control_put_string(a, "ControlGroup", groups_path(m, r, group, sizeof(group)));
}

static void put_limits(struct manager *m, struct control_answer *a, const struct run *r)
{
        static const struct {
                const char *name;
                enum resource resource;
                uint64_t none;
        } numbers[] = {
                {"MemoryMin", RESOURCE_MEMORY_MIN, 0},
                {"MemoryLow", RESOURCE_MEMORY_LOW, 0},
                {"MemoryHigh", RESOURCE_MEMORY_HIGH, UINT64_MAX},
                {"MemoryMax", RESOURCE_MEMORY_MAX, UINT64_MAX},
                {"MemorySwapMax", RESOURCE_MEMORY_SWAP_MAX, UINT64_MAX},
                {"TasksMax", RESOURCE_TASKS_MAX, UINT64_MAX},
                {"CPUWeight", RESOURCE_CPU_WEIGHT, UINT64_MAX},
                {"IOWeight", RESOURCE_IO_WEIGHT, UINT64_MAX},
                {"CPUQuotaPerSecUSec", RESOURCE_CPU_QUOTA, UINT64_MAX},
        };
        static const struct {
                const char *name, *file;
        } counters[] = {{"MemoryCurrent", "memory.current"}, {"TasksCurrent", "pids.current"}};
        const struct group_config *g = r->unit->group;
        uint64_t value;

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                control_put_u64(a, numbers[i].name, resources_number(m, r->unit, numbers[i].resource, numbers[i].none));
        for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
                control_put_u64(a, counters[i].name,
                                groups_read(m, r, counters[i].file, NULL, &value) ? value : UINT64_MAX);
        control_put_u64(a, "CPUUsageNSec",
                        groups_read(m, r, "cpu.stat", "usage_usec ", &value) ? value * 1000 : UINT64_MAX);
        control_put_bool(a, "Delegate", g->delegate);
        control_put_bool(a, "MemoryAccounting", g->memory_accounting);
        control_put_bool(a, "TasksAccounting", g->tasks_accounting);
        control_put_bool(a, "IOAccounting", g->io_accounting);
        control_put_bool(a, "CPUAccounting", g->cpu_accounting);
}

/* Where the unit says nothing, a service has what supd was started with. */
static void put_rlimits(const struct manager *m, struct control_answer *a, const struct exec_config *x)
{
        for (int i = 0; i < N_EXEC_LIMITS; i++) {
                const struct limit_value *l = &x->limits[i];
                struct rlimit now = {RLIM_INFINITY, RLIM_INFINITY};
                char name[32];

                if (!rlimit_name(i))
                        continue;
                if (l->set)
                        now = (struct rlimit){l->soft, l->hard};
                else if (i == RLIMIT_NOFILE && m->nofile.set)
                        now = (struct rlimit){m->nofile.soft, m->nofile.hard};
                else
                        (void)getrlimit((__rlimit_resource_t)i, &now);
                (void)snprintf(name, sizeof(name), "Limit%s", rlimit_name(i));
                control_put_u64(a, name, now.rlim_max);
                (void)snprintf(name, sizeof(name), "Limit%sSoft", rlimit_name(i));
                control_put_u64(a, name, now.rlim_cur);
        }
}

static void put_environment_files(struct control_answer *a, const struct environment_files *f)
{
        struct control_file *v = f->n > 0 ? calloc(f->n, sizeof(*v)) : NULL;

        for (unsigned i = 0; v && i < f->n; i++)
                v[i] = (struct control_file){f->v[i].path, f->v[i].optional};
        control_put_files(a, "EnvironmentFiles", v, v ? f->n : 0);
        free(v);
}

static void put_service(struct manager *m, struct control_answer *a, const struct run *r)
{
        const struct service_config *c = r->unit->service;
        const struct exec_config *x = c->exec;
        cleanup_free_ char *directory = NULL;

        put_rows(a, service_rows, ARRAY_SIZE(service_rows), c);
        put_execs(a, r);
        put_rows(a, kill_rows, ARRAY_SIZE(kill_rows), c->kill);
        control_put_i32(a, "RestartKillSignal", c->kill->restart_signal ? c->kill->restart_signal : c->kill->signal);
        if (asprintf(&directory, "%s%s", x->working_directory_optional ? "!" : "",
                     text_or_empty(x->working_directory)) < 0)
                directory = NULL;
        control_put_string(a, "WorkingDirectory", text_or_empty(directory));
        put_environment_files(a, &x->environment_files);
        put_rows(a, exec_rows, ARRAY_SIZE(exec_rows), x);
        put_rlimits(m, a, x);
        put_group(m, a, r);
        put_limits(m, a, r);
}

int api_unit_properties(void *userdata, const char *unit, bool brief, struct control_answer *a, struct control_error *e)
{
        struct manager *m = userdata;
        struct run *r;
        int v = api_find_unit(m, unit, &r, e);

        if (v < 0)
                return v;
        if (r->unit->service) {
                control_put_interface(a, "Service");
                put_service_state(a, r);
                if (!brief)
                        put_service(m, a, r);
        } else if (r->unit->type == UNIT_TARGET) {
                control_put_interface(a, "Target");
        }
        control_put_interface(a, "Unit");
        put_unit_state(a, r);
        if (!brief)
                put_unit(m, a, r);
        return 0;
}

/* ---- the manager ---- */

static const char *architecture(void)
{
        static const struct {
                const char *machine, *word;
        } words[] = {{"x86_64", "x86-64"}, {"aarch64", "arm64"}, {"i686", "x86"}, {"armv7l", "arm"}};
        static struct utsname names;

        (void)uname(&names);
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(words[i].machine, names.machine))
                        return words[i].word;
        return names.machine;
}

/* What the container's engine said when it started us. */
static const char *virtualization(void)
{
        static const char *const known[] = {"lxc", "lxc-libvirt", "systemd-nspawn", "docker", "podman",
                                            "rkt", "wsl",         "proot",          "pouch"};
        const char *container = getenv("container");

        if (!container || !*container)
                return "";
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(known[i], container))
                        return known[i];
        return "container-other";
}

static void put_counts(struct manager *m, struct control_answer *a)
{
        uint32_t failed = 0, jobs = 0;

        for (uint32_t i = 0; i < m->n_runs; i++) {
                failed += run_active(m->runs[i]) == ACTIVE_FAILED;
                jobs += m->runs[i]->d.job.type != JOB_NONE;
        }
        control_put_u32(a, "NNames", m->n_runs);
        control_put_u32(a, "NFailedUnits", failed);
        control_put_u32(a, "NJobs", jobs);
        control_put_u32(a, "NInstalledJobs", m->meta.next_job);
        control_put_string(a, "SystemState",
                           m->meta.flags & META_STOPPING ? "stopping"
                           : !m->ready_said              ? "starting"
                           : failed > 0                  ? "degraded"
                                                         : "running");
}

static unsigned count(const char *const *v)
{
        unsigned n = 0;

        while (v[n])
                n++;
        return n;
}

int api_manager_properties(void *userdata, struct control_answer *a, struct control_error *e unused_)
{
        struct manager *m = userdata;

        control_put_interface(a, "Manager");
        control_put_string(a, "Version", "252 (supd " SUPD_VERSION ")");
        control_put_string(a, "Features", "");
        control_put_string(a, "Virtualization", virtualization());
        control_put_string(a, "Architecture", architecture());
        control_put_string(a, "Tainted", "");
        control_put_u64(a, "UserspaceTimestamp", m->meta.started_real_us);
        control_put_u64(a, "UserspaceTimestampMonotonic", m->meta.started_mono_us);
        control_put_string(a, "LogLevel", api_log_level(m));
        control_put_string(a, "LogTarget", "console");
        put_counts(m, a);
        control_put_strings(a, "Environment", m->base_environment, count(m->base_environment));
        control_put_string(a, "ConfirmSpawn", "no");
        control_put_bool(a, "ShowStatus", true);
        control_put_strings(a, "UnitPath", (const char *const *)m->paths.dirs.v, m->paths.dirs.n);
        control_put_string(a, "DefaultStandardOutput", "journal");
        control_put_string(a, "DefaultStandardError", "inherit");
        control_put_u64(a, "DefaultTimeoutStartUSec", m->default_timeout_start_us);
        control_put_u64(a, "DefaultTimeoutStopUSec", m->default_timeout_stop_us);
        control_put_u64(a, "DefaultTimeoutAbortUSec", m->default_timeout_stop_us);
        control_put_u64(a, "DefaultRestartUSec", m->default_restart_us);
        control_put_u64(a, "DefaultStartLimitIntervalUSec", 10 * USEC_PER_SEC);
        control_put_u32(a, "DefaultStartLimitBurst", 5);
        control_put_bool(a, "ServiceWatchdogs", true);
        control_put_string(a, "ControlGroup", "");
        return 0;
}
