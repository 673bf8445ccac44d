/* SPDX-License-Identifier: MIT
 *
 * What D-Bus clients see of a service: its life, its commands, how it is ended, and its cgroup.
 *
 * Not here: what its processes are given (show-exec.c). Invariant: a property that is not known to be true is not
 * there.
 */
#include "show.h"

#include <stdio.h>

#include "exec/plan.h"

#define SERVICE_AT(f) offsetof(struct service_config, f)
#define KILL_AT(f)    offsetof(struct kill_config, f)

SHOW_WORD_OF(service_type_name)
SHOW_WORD_OF(service_restart_name)
SHOW_WORD_OF(notify_access_name)
SHOW_WORD_OF(kill_mode_name)
SHOW_WORD_OF(oom_policy_name)
SHOW_WORD_OF(timeout_failure_mode_name)

/* clang-format off */
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
/* clang-format on */

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

void show_service_state(struct control_answer *a, const struct run *r)
{
        const struct process_durable *p = &r->d.main;
        const struct past_durable shown = run_main_shown(r);

        control_put_u32(a, "MainPID", p->flags & PROCESS_RUNNING ? p->pid : 0);
        control_put_u32(a, "ControlPID", r->d.control.flags & PROCESS_RUNNING ? r->d.control.pid : 0);
        control_put_string(a, "StatusText", show_text(r->status_text));
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
                {"CPUQuotaPeriodUSec", RESOURCE_CPU_PERIOD, UINT64_MAX},
                {"MemoryLimit", RESOURCE_MEMORY_LIMIT, UINT64_MAX},
                {"CPUShares", RESOURCE_CPU_SHARES, UINT64_MAX},
                {"BlockIOWeight", RESOURCE_BLOCK_IO_WEIGHT, UINT64_MAX},
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
        control_put_bool(a, "BlockIOAccounting", g->block_io_accounting);
}

static void put_statuses(struct control_answer *a, const char *name, const struct exit_status_set *s)
{
        struct control_value v = control_value_begin(a, name, "(aiai)");
        uint32_t codes = 0;

        for (unsigned i = 0; i < 256; i++)
                codes += s->codes[i / 32] >> i % 32 & 1;
        control_value_count(&v, codes);
        for (unsigned i = 0; i < 256; i++)
                if (s->codes[i / 32] >> i % 32 & 1)
                        control_value_number(&v, i);
        control_value_count(&v, (uint32_t)__builtin_popcountll(s->signals));
        for (unsigned i = 0; i < 64; i++)
                if (s->signals >> i & 1)
                        control_value_number(&v, i + 1);
        control_value_end(&v);
}

/* Controllers that are given away; those that cgroup v2 has no more are no part of it. */
static void put_delegated(struct control_answer *a, const struct group_config *g)
{
        static const struct {
                unsigned bit;
                const char *word;
        } words[] = {{GROUP_CPU, "cpu"},
                     {GROUP_CPUSET, "cpuset"},
                     {GROUP_IO, "io"},
                     {GROUP_MEMORY, "memory"},
                     {GROUP_PIDS, "pids"}};
        const char *names[ARRAY_SIZE(words)];
        unsigned n = 0;

        for (size_t i = 0; g->delegate && i < ARRAY_SIZE(words); i++)
                if (g->delegated & words[i].bit)
                        names[n++] = words[i].word;
        control_put_strings(a, "DelegateControllers", names, n);
}

void show_service(struct manager *m, struct control_answer *a, const struct run *r)
{
        const struct service_config *c = r->unit->service;
        const struct group_config *g = r->unit->group;

        show_rows(a, service_rows, ARRAY_SIZE(service_rows), c);
        control_put_string(a, "ExitType", c->exit_type_cgroup ? "cgroup" : "main");
        put_statuses(a, "SuccessExitStatus", c->success_status);
        put_statuses(a, "RestartPreventExitStatus", c->restart_prevent_status);
        put_statuses(a, "RestartForceExitStatus", c->restart_force_status);
        put_execs(a, r);
        show_rows(a, kill_rows, ARRAY_SIZE(kill_rows), c->kill);
        control_put_i32(a, "RestartKillSignal", c->kill->restart_signal ? c->kill->restart_signal : c->kill->signal);
        show_exec(a, c->exec);
        show_rlimits(m, a, "Limit", c->exec);
        put_group(m, a, r);
        put_limits(m, a, r);
        put_delegated(a, g);
        show_mask(a, "AllowedCPUs", g->cpus);
        show_mask(a, "AllowedMemoryNodes", g->memory_nodes);
}
