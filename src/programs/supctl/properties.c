/* SPDX-License-Identifier: MIT
 *
 * The properties that the status table has, as `show` and `status --json` print them: systemd's names, words and
 * formats, from one table that also gives the JSON form. Not here: which units, and all the other properties
 * (supctl-bus asks the manager). Invariant: a row of the table says everything about a property; a unit that is not in
 * the status table has the values that systemd gives for a unit that does not exist.
 */
#include "programs/supctl/unit-files.h"

enum kind {
        KIND_TEXT, /* a SUPD_TEXT_* */
        KIND_WORD, /* a number of the row with a word */
        KIND_U32,
        KIND_I32,
        KIND_UID,
        KIND_FLAG, /* a bit of row.flags: yes or no */
        KIND_REAL, /* a point in time, for people */
        KIND_US,   /* microseconds as a number */
        KIND_SPAN, /* a duration, for people; 0 is "0" */
        KIND_COMPUTED,
        KIND_LIMIT, /* of the unit's cgroup, as the kernel has it (limits.c); left out when it has none */
};

typedef void (*compute_function)(struct view *v, uint32_t i, const struct supd_status_row *row, struct buf *out);
typedef const char *(*word_function)(uint32_t number);

struct property {
        const char *name;
        enum kind kind;
        size_t at; /* offset in the row; for KIND_TEXT the number of the text; for KIND_FLAG the bit */
        size_t size;
        word_function word;
        compute_function compute;
        bool service;    /* only services have it */
        bool not_target; /* all but targets have it */
};

static void compute_names(struct view *v, uint32_t i, const struct supd_status_row *row unused_, struct buf *out)
{
        const char *aliases = supstatus_text(v->snapshot, i, SUPD_TEXT_ALIASES);

        (void)buf_printf(out, "%s%s%s", supstatus_text(v->snapshot, i, SUPD_TEXT_NAME), *aliases ? " " : "", aliases);
}

/* The file that the unit was loaded from. */
static bool known_file(struct view *v, uint32_t i, struct install_known *ret)
{
        return unit_file_known(v->options, supstatus_text(v->snapshot, i, SUPD_TEXT_NAME),
                               supstatus_text(v->snapshot, i, SUPD_TEXT_FRAGMENT_PATH), ret);
}

static void compute_file_state(struct view *v, uint32_t i, const struct supd_status_row *row unused_, struct buf *out)
{
        struct install_known k;

        if (known_file(v, i, &k))
                (void)buf_append_str(out, install_state_name(k.state));
}

static void compute_file_preset(struct view *v, uint32_t i, const struct supd_status_row *row unused_, struct buf *out)
{
        struct install_known k;

        if (known_file(v, i, &k))
                (void)buf_append_str(out, preset_word(&k));
}

static void compute_documentation(struct view *v, uint32_t i, const struct supd_status_row *row unused_,
                                  struct buf *out)
{
        char *all = strdup(supstatus_text(v->snapshot, i, SUPD_TEXT_DOCUMENTATION)), *save = NULL;

        for (char *s = all ? strtok_r(all, " ", &save) : NULL; s; s = strtok_r(NULL, " ", &save))
                (void)format_word(out, s);
        free(all);
}

static void compute_description(struct view *v, uint32_t i, const struct supd_status_row *row unused_, struct buf *out)
{
        const char *description = supstatus_text(v->snapshot, i, SUPD_TEXT_DESCRIPTION);

        (void)buf_append_str(out, *description ? description : supstatus_text(v->snapshot, i, SUPD_TEXT_NAME));
}

static void compute_invocation(struct view *v unused_, uint32_t i unused_, const struct supd_status_row *row,
                               struct buf *out)
{
        static const uint8_t none[16];

        if (memcmp(row->invocation_id, none, sizeof(none)) == 0)
                return;
        for (size_t k = 0; k < sizeof(row->invocation_id); k++)
                (void)buf_printf(out, "%02x", row->invocation_id[k]);
}

static void compute_load_error(struct view *v, uint32_t i, const struct supd_status_row *row, struct buf *out)
{
        static const struct {
                uint32_t state;
                const char *name;
        } errors[] = {{SUPD_LOAD_NOT_FOUND, "NoSuchUnit"},
                      {SUPD_LOAD_BAD_SETTING, "BadUnitSetting"},
                      {SUPD_LOAD_MASKED, "UnitMasked"},
                      {SUPD_LOAD_ERROR, "LoadFailed"}};

        for (size_t k = 0; k < ARRAY_SIZE(errors); k++) {
                const char *text = supstatus_text(v->snapshot, i, SUPD_TEXT_LOAD_ERROR);

                if (errors[k].state != row->load_state)
                        continue;
                (void)buf_printf(out, "org.freedesktop.systemd1.%s \"", errors[k].name);
                if (*text)
                        (void)buf_append_str(out, text);
                else
                        (void)buf_printf(
                                out, row->load_state == SUPD_LOAD_MASKED ? "Unit %s is masked." : "Unit %s not found.",
                                supstatus_text(v->snapshot, i, SUPD_TEXT_NAME));
                (void)buf_append_char(out, '"');
        }
}

static void compute_job(struct view *v unused_, uint32_t i unused_, const struct supd_status_row *row, struct buf *out)
{
        if (row->job_id)
                (void)buf_printf(out, "%u", (unsigned)row->job_id);
}

#define ROW(f)  offsetof(struct supd_status_row, f), sizeof(((struct supd_status_row *)0)->f)
#define TEXT(n) KIND_TEXT, SUPD_TEXT_##n, 0
#define FLAG(n) KIND_FLAG, SUPD_ROW_##n, 0
#define TIMES(name, field)                                                                                             \
        {name, KIND_REAL, ROW(field##_real_us)},                                                                       \
        {                                                                                                              \
                name "Monotonic", KIND_US, ROW(field##_mono_us)                                                        \
        }
#define SERVICE .service = true

/* clang-format off */
static const struct property properties[] = {
        {"Type", KIND_WORD, ROW(service_type), supstatus_service_type_name, SERVICE},
        {"Restart", KIND_WORD, ROW(restart), supstatus_restart_name, SERVICE},
        {"MainPID", KIND_U32, ROW(main_pid), SERVICE},
        {"ControlPID", KIND_U32, ROW(control_pid), SERVICE},
        {"RemainAfterExit", FLAG(REMAIN), SERVICE},
        {"StatusText", TEXT(STATUS), SERVICE},
        {"StatusErrno", KIND_I32, ROW(status_errno), SERVICE},
        {"Result", KIND_WORD, ROW(result), supstatus_result_name, .not_target = true},
        {"NRestarts", KIND_U32, ROW(n_restarts), SERVICE},
        {"UID", KIND_UID, ROW(uid), SERVICE},
        {"GID", KIND_UID, ROW(gid), SERVICE},
        {"WatchdogUSec", KIND_SPAN, ROW(watchdog_us), SERVICE},
        {"WatchdogTimestampMonotonic", KIND_US, ROW(watchdog_mono_us), SERVICE},
        {"ExecMainStartTimestamp", KIND_REAL, ROW(exec_main_start_real_us), SERVICE},
        {"ExecMainStartTimestampMonotonic", KIND_US, ROW(exec_main_start_mono_us), SERVICE},
        {"ExecMainExitTimestamp", KIND_REAL, ROW(exec_main_exit_real_us), SERVICE},
        {"ExecMainExitTimestampMonotonic", KIND_US, ROW(exec_main_exit_mono_us), SERVICE},
        {"ExecMainPID", KIND_U32, ROW(exec_main_pid), SERVICE},
        {"ExecMainCode", KIND_U32, ROW(exec_main_code), SERVICE},
        {"ExecMainStatus", KIND_I32, ROW(exec_main_status), SERVICE},
        {"ControlGroup", TEXT(CONTROL_GROUP)},
        {"Id", TEXT(NAME)},
        {"Names", KIND_COMPUTED, .compute = compute_names},
        {"TriggeredBy", TEXT(TRIGGERED_BY)},
        {"Documentation", KIND_COMPUTED, .compute = compute_documentation},
        {"Description", KIND_COMPUTED, .compute = compute_description},
        {"LoadState", KIND_WORD, ROW(load_state), supstatus_load_name},
        {"ActiveState", KIND_WORD, ROW(active_state), supstatus_active_name},
        {"SubState", KIND_WORD, ROW(sub_state), supstatus_sub_name},
        {"FragmentPath", TEXT(FRAGMENT_PATH)},
        {"SourcePath", TEXT(SOURCE_PATH)},
        {"DropInPaths", TEXT(DROP_IN_PATHS)},
        {"UnitFileState", KIND_COMPUTED, .compute = compute_file_state},
        {"UnitFilePreset", KIND_COMPUTED, .compute = compute_file_preset},
        TIMES("StateChangeTimestamp", state_change),
        TIMES("InactiveExitTimestamp", inactive_exit),
        TIMES("ActiveEnterTimestamp", active_enter),
        TIMES("ActiveExitTimestamp", active_exit),
        TIMES("InactiveEnterTimestamp", inactive_enter),
        {"CanStart", FLAG(CAN_START)},
        {"CanStop", FLAG(CAN_STOP)},
        {"CanReload", FLAG(CAN_RELOAD)},
        {"CanIsolate", FLAG(CAN_ISOLATE)},
        {"Job", KIND_COMPUTED, .compute = compute_job},
        {"RefuseManualStart", FLAG(REFUSE_START)},
        {"RefuseManualStop", FLAG(REFUSE_STOP)},
        {"Transient", FLAG(TRANSIENT)},
        {"ConditionResult", FLAG(CONDITION_RESULT)},
        {"AssertResult", FLAG(ASSERT_RESULT)},
        {"LoadError", KIND_COMPUTED, .compute = compute_load_error},
        {"InvocationID", KIND_COMPUTED, .compute = compute_invocation},
        {"Slice", KIND_LIMIT, SERVICE},
        {"MemoryCurrent", KIND_LIMIT, SERVICE},
        {"TasksCurrent", KIND_LIMIT, SERVICE},
        {"CPUUsageNSec", KIND_LIMIT, SERVICE},
        {"MemoryMin", KIND_LIMIT, SERVICE},
        {"MemoryLow", KIND_LIMIT, SERVICE},
        {"MemoryHigh", KIND_LIMIT, SERVICE},
        {"MemoryMax", KIND_LIMIT, SERVICE},
        {"MemorySwapMax", KIND_LIMIT, SERVICE},
        {"TasksMax", KIND_LIMIT, SERVICE},
        {"CPUWeight", KIND_LIMIT, SERVICE},
        {"CPUQuotaPerSecUSec", KIND_LIMIT, SERVICE},
        {"IOWeight", KIND_LIMIT, SERVICE},
        {"AllowedCPUs", KIND_LIMIT, SERVICE},
};
/* clang-format on */

static uint64_t number_of(const struct property *p, const struct supd_status_row *row)
{
        const char *at = (const char *)row + p->at;
        uint64_t u64 = 0;
        uint32_t u32 = 0;
        uint8_t u8 = 0;

        if (p->size == sizeof(u8)) {
                memcpy(&u8, at, sizeof(u8));
                return u8;
        }
        if (p->size == sizeof(u32)) {
                memcpy(&u32, at, sizeof(u32));
                return u32;
        }
        memcpy(&u64, at, sizeof(u64));
        return u64;
}

static void value_of(struct view *v, uint32_t i, const struct property *p, struct buf *out)
{
        const struct supd_status_row *row = supstatus_row(v->snapshot, i);
        uint64_t n = p->size == 0 ? 0 : number_of(p, row);
        char text[64];

        switch (p->kind) {
        case KIND_TEXT:
                (void)buf_append_str(out, supstatus_text(v->snapshot, i, (uint32_t)p->at));
                break;
        case KIND_WORD:
                (void)buf_append_str(out, p->word((uint32_t)n));
                break;
        case KIND_U32:
        case KIND_US:
                (void)buf_printf(out, "%llu", (unsigned long long)n);
                break;
        case KIND_I32:
                (void)buf_printf(out, "%d", (int)(uint32_t)n);
                break;
        case KIND_UID:
                (void)(n == SUPD_ID_NONE ? buf_append_str(out, "[not set]") : buf_printf(out, "%u", (unsigned)n));
                break;
        case KIND_FLAG:
                (void)buf_append_str(out, row->flags & p->at ? "yes" : "no");
                break;
        case KIND_REAL:
                (void)buf_append_str(out, format_real(n, text));
                break;
        case KIND_SPAN:
                (void)buf_append_str(out, format_span(n, text));
                break;
        case KIND_COMPUTED:
                p->compute(v, i, row, out);
                break;
        case KIND_LIMIT:
                (void)limit_value(supstatus_text(v->snapshot, i, SUPD_TEXT_CONTROL_GROUP), p->name, out);
                break;
        }
}

static bool asked_for(const struct options *o, const char *name)
{
        for (unsigned i = 0; i < o->n_properties; i++)
                if (streq(o->properties[i], name))
                        return true;
        return o->n_properties == 0;
}

static bool applies(struct view *v, uint32_t i, const struct property *p)
{
        const struct supd_status_row *row = supstatus_row(v->snapshot, i);

        return (!p->service || row->type == SUPD_TYPE_SERVICE) && (!p->not_target || row->type != SUPD_TYPE_TARGET) &&
               (p->kind != KIND_LIMIT || *supstatus_text(v->snapshot, i, SUPD_TEXT_CONTROL_GROUP));
}

static void print(struct view *v, const char *name, const char *value)
{
        const struct options *o = v->options;

        if (!*value && !o->all && o->n_properties == 0)
                return;
        if (o->value)
                (void)printf("%s\n", value);
        else
                (void)printf("%s=%s\n", name, value);
}

static const char *const manager_properties[] = {"Version", "UserspaceTimestamp", "NNames",   "NFailedUnits",
                                                 "NJobs",   "SystemState",        "StateText"};

bool properties_suffice(const struct options *o, bool manager)
{
        for (unsigned i = 0; i < o->n_properties; i++) {
                bool ours = false;

                for (size_t k = 0; k < ARRAY_SIZE(properties) && !manager && !ours; k++)
                        ours = streq(properties[k].name, o->properties[i]);
                for (size_t k = 0; k < ARRAY_SIZE(manager_properties) && manager && !ours; k++)
                        ours = streq(manager_properties[k], o->properties[i]);
                if (!ours)
                        return false;
        }
        return o->n_properties > 0;
}

int properties_print(struct view *v, uint32_t i)
{
        for (size_t k = 0; k < ARRAY_SIZE(properties); k++) {
                cleanup_buf_ struct buf value = {0};

                if (!asked_for(v->options, properties[k].name) || !applies(v, i, &properties[k]))
                        continue;
                value_of(v, i, &properties[k], &value);
                print(v, properties[k].name, buf_str(&value));
        }
        return 0;
}

void properties_json(struct view *v, struct json *j, uint32_t i)
{
        const struct supd_status_row *row = supstatus_row(v->snapshot, i);

        for (size_t k = 0; k < ARRAY_SIZE(properties); k++) {
                const struct property *p = &properties[k];
                cleanup_buf_ struct buf value = {0};

                if (!asked_for(v->options, p->name) || !applies(v, i, p))
                        continue;
                if (p->kind == KIND_FLAG)
                        json_bool(j, p->name, row->flags & p->at);
                else if (p->kind == KIND_I32)
                        json_i64(j, p->name, (int32_t)(uint32_t)number_of(p, row));
                else if (p->kind == KIND_REAL || p->kind == KIND_US || p->kind == KIND_SPAN || p->kind == KIND_U32)
                        json_u64(j, p->name, number_of(p, row));
                else {
                        value_of(v, i, p, &value);
                        json_string(j, p->name, buf_str(&value));
                }
        }
}

/* `show` without a unit: the manager itself. */
int properties_manager(struct view *v)
{
        const struct supd_status_header *h = supstatus_header(v->snapshot);
        char version[64], units[16], failed[16], jobs[16], started[64];
        const char *const values[ARRAY_SIZE(manager_properties)] = {version,
                                                                    format_real(h->started_real_us, started),
                                                                    units,
                                                                    failed,
                                                                    jobs,
                                                                    supstatus_system_name(h->system_state),
                                                                    h->system_state_text};
        struct json j = {.form = v->options->json};

        (void)snprintf(version, sizeof(version), "252 (supd %s)", h->version);
        (void)snprintf(units, sizeof(units), "%u", (unsigned)h->n_units);
        (void)snprintf(failed, sizeof(failed), "%u", (unsigned)h->n_failed);
        (void)snprintf(jobs, sizeof(jobs), "%u", (unsigned)h->n_jobs);
        if (j.form)
                json_open(&j, NULL, '{');
        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                if (!asked_for(v->options, manager_properties[i]))
                        continue;
                if (j.form)
                        json_string(&j, manager_properties[i], values[i]);
                else
                        print(v, manager_properties[i], values[i]);
        }
        if (j.form) {
                json_close(&j, '}');
                json_print(&j);
        }
        return 0;
}
