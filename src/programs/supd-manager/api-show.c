/* SPDX-License-Identifier: MIT
 *
 * What D-Bus clients see of the manager and of units: their properties, under systemd's names and with its types.
 *
 * Not here: verbs (api.c); types as D-Bus spells them (supd-bus). Invariant: nothing is changed by looking.
 */
#include "show.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#define UNIT_AT(f) offsetof(struct unit, f)
SHOW_WORD_OF(emergency_action_name)

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
        {"JobTimeoutAction", SHOW_WORD, UNIT_AT(job_timeout_action), show_emergency_action_name},
        {"JobTimeoutRebootArgument", SHOW_TEXT, UNIT_AT(job_timeout_reboot_argument)},
        {"RebootArgument", SHOW_TEXT, UNIT_AT(reboot_argument)},
};
/* clang-format on */

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
                        show_list(a, unit_dependency_name(d), &u->dependencies[d]);
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
                (void)snprintf(text, sizeof(text), "%s", show_text(u->load_error));
        control_put_load_error(a, show_text(name), text);
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
                                .name = show_text(c->v[i].name),
                                .parameter = show_text(c->v[i].parameter),
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
        show_list(a, "Names", &u->names);
        control_put_string(a, "Following", "");
        put_dependencies(m, a, r);
        show_list(a, "Documentation", &u->documentation);
        control_put_string(a, "Description", u->description ? u->description : r->name);
        control_put_string(a, "LoadState", unit_load_state_name(u->load_state));
        control_put_string(a, "FragmentPath", show_text(u->fragment_path));
        control_put_string(a, "SourcePath", show_text(u->source_path));
        show_list(a, "DropInPaths", &u->dropin_paths);
        put_load_error(a, r);
        control_put_bool(a, "CanStart", loaded && !u->refuse_manual_start);
        control_put_bool(a, "CanStop", loaded && !u->refuse_manual_stop);
        control_put_bool(a, "CanReload", service_can_reload(u));
        control_put_bool(a, "CanIsolate", u->allow_isolate);
        control_put_bool(a, "CanFreeze", false);
        clean_put(a, r);
        control_put_bool(a, "Transient", transient_is(m, r));
        control_put_bool(a, "Perpetual", false);
        control_put_strings(a, "Markers", NULL, 0);
        control_put_string(a, "CollectMode", u->collect_mode ? u->collect_mode : "inactive");
        control_put_string(a, "OnFailureJobMode", u->on_failure_job_mode ? u->on_failure_job_mode : "replace");
        control_put_string(a, "OnSuccessJobMode", u->on_success_job_mode ? u->on_success_job_mode : "fail");
        show_rows(a, unit_rows, ARRAY_SIZE(unit_rows), u);
        put_conditions(a, r, "Conditions", false);
        put_conditions(a, r, "Asserts", true);
        control_put_u64(a, "ReadTimestamp", r->blob.read_us); /* supd-bus makes NeedDaemonReload of it */
}

int api_unit_properties(void *userdata, const char *unit, bool brief, struct control_answer *a, struct control_error *e)
{
        static const char *const interfaces[] = {
                [UNIT_TARGET] = "Target", [UNIT_SOCKET] = "Socket", [UNIT_TIMER] = "Timer", [UNIT_PATH] = "Path"};
        struct manager *m = userdata;
        struct run *r;
        int v = api_find_unit(m, unit, &r, e);

        if (v < 0)
                return v;
        if (r->unit->service) {
                control_put_interface(a, "Service");
                show_service_state(a, r);
                if (!brief)
                        show_service(m, a, r);
        } else if (r->unit->type < ARRAY_SIZE(interfaces) && interfaces[r->unit->type]) {
                control_put_interface(a, interfaces[r->unit->type]);
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
        control_put_bool(a, "ConfirmSpawn", false);
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
        show_rlimits(m, a, "DefaultLimit", NULL);
        control_put_u64(a, "TimerSlackNSec", (uint64_t)prctl(PR_GET_TIMERSLACK));
        control_put_bool(a, "ServiceWatchdogs", true);
        control_put_string(a, "ControlGroup", "");
        return 0;
}
