/* SPDX-License-Identifier: MIT
 *
 * Property records of the manager as D-Bus values.
 *
 * Invariant: clients of systemd's API break on a wrong type but bear an absent property, so a property whose type is
 * not the one they know is left out; and text that is not UTF-8 is made so, since one bad byte would end the
 * connection.
 */
#include "front.h"

#include <stdio.h>

static const struct kind {
        char kind;
        const char *signature;
} kinds[] = {
        {CONTROL_KIND_STRING, "s"},
        {CONTROL_KIND_U32, "u"},
        {CONTROL_KIND_I32, "i"},
        {CONTROL_KIND_U64, "t"},
        {CONTROL_KIND_BOOL, "b"},
        {CONTROL_KIND_STRINGS, "as"},
        {CONTROL_KIND_BYTES, "ay"},
        {CONTROL_KIND_JOB, "(uo)"},
        {CONTROL_KIND_LOAD_ERROR, "(ss)"},
        {CONTROL_KIND_EXECS, "a(sasbttttuii)"},
        {CONTROL_KIND_CONDITIONS, "a(sbbsi)"},
        {CONTROL_KIND_FILES, "a(sb)"},
        {CONTROL_KIND_EXECS_EX, "a(sasasttttuii)"},
};

/* The types that clients count on, by name: the documented interfaces of systemd. What is not here passes as it is. */
static const struct known_type {
        const char *signature;
        const char *names; /* separated by single blanks */
} known_types[] = {
        {"s",
         "Id Following Description LoadState ActiveState SubState FreezerState FragmentPath SourcePath UnitFileState "
         "UnitFilePreset CollectMode OnFailureJobMode Type Restart PIDFile NotifyAccess StatusText Result Slice "
         "ControlGroup LogNamespace BusName USBFunctionDescriptors KillMode User Group WorkingDirectory "
         "RootDirectory Version SystemState Tainted Virtualization Architecture DefaultStandardOutput "
         "StandardInput StandardOutput StandardError SyslogIdentifier LogLevel LogTarget JobType State"},
        {"as", "Names Requires Requisite Wants BindsTo PartOf Upholds RequiredBy RequisiteOf WantedBy BoundBy UpheldBy "
               "ConsistsOf Conflicts ConflictedBy Before After OnFailure OnFailureOf OnSuccess OnSuccessOf Triggers "
               "TriggeredBy PropagatesReloadTo ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom "
               "JoinsNamespaceOf SliceOf RequiresMountsFor Documentation DropInPaths Markers Environment "
               "SupplementaryGroups UnitPath"},
        {"b", "ConditionResult AssertResult CanStart CanStop CanReload CanIsolate CanFreeze NeedDaemonReload Transient "
              "RefuseManualStart RefuseManualStop StopWhenUnneeded AllowIsolate DefaultDependencies Perpetual "
              "RemainAfterExit GuessMainPID ConfirmSpawn RootDirectoryStartOnly SendSIGKILL SendSIGHUP Accept "
              "IgnoreOnIsolate"},
        {"u",
         "MainPID ControlPID ExecMainPID NRestarts UID GID NConnections NAccepted NRefused NNames NFailedUnits NJobs "
         "NInstalledJobs NFailedJobs UMask StartLimitBurst FileDescriptorStoreMax NFileDescriptorStore"},
        {"i",
         "ExecMainCode ExecMainStatus StatusErrno Nice OOMScoreAdjust KillSignal FinalKillSignal RestartKillSignal "
         "WatchdogSignal"},
        {"t",
         "StateChangeTimestamp StateChangeTimestampMonotonic ActiveEnterTimestamp ActiveEnterTimestampMonotonic "
         "ActiveExitTimestamp ActiveExitTimestampMonotonic InactiveEnterTimestamp InactiveEnterTimestampMonotonic "
         "InactiveExitTimestamp InactiveExitTimestampMonotonic ConditionTimestamp ConditionTimestampMonotonic "
         "AssertTimestamp AssertTimestampMonotonic ExecMainStartTimestamp ExecMainStartTimestampMonotonic "
         "ExecMainExitTimestamp ExecMainExitTimestampMonotonic RestartUSec TimeoutStartUSec TimeoutStopUSec "
         "TimeoutAbortUSec RuntimeMaxUSec WatchdogUSec WatchdogTimestamp WatchdogTimestampMonotonic MemoryCurrent "
         "MemoryMax MemoryHigh MemoryLow MemoryMin MemorySwapMax CPUUsageNSec TasksCurrent TasksMax JobTimeoutUSec "
         "JobRunningTimeoutUSec StartLimitIntervalUSec UserspaceTimestamp UserspaceTimestampMonotonic "
         "FinishTimestamp FinishTimestampMonotonic"},
        {"ay", "InvocationID"},
        {"(uo)", "Job"},
        {"(ss)", "LoadError"},
        {"a(sbbsi)", "Conditions Asserts"},
        {"a(sb)", "EnvironmentFiles"},
        {"a(sasasttttuii)",
         "ExecConditionEx ExecStartPreEx ExecStartEx ExecStartPostEx ExecReloadEx ExecStopEx ExecStopPostEx"},
        {"a(sasbttttuii)", "ExecCondition ExecStartPre ExecStart ExecStartPost ExecReload ExecStop ExecStopPost"},
};

/* What is announced in PropertiesChanged; the rest does not change while a unit is loaded, or too often. The manager
 * tells these without the rest (CONTROL_TAG_BRIEF). */
static const char *const announced =
        "ActiveState SubState FreezerState Job InvocationID ConditionResult ConditionTimestamp "
        "ConditionTimestampMonotonic AssertResult AssertTimestamp AssertTimestampMonotonic StateChangeTimestamp "
        "StateChangeTimestampMonotonic ActiveEnterTimestamp ActiveEnterTimestampMonotonic ActiveExitTimestamp "
        "ActiveExitTimestampMonotonic InactiveEnterTimestamp InactiveEnterTimestampMonotonic InactiveExitTimestamp "
        "InactiveExitTimestampMonotonic MainPID ControlPID StatusText StatusErrno Result NRestarts UID GID "
        "ExecMainStartTimestamp ExecMainStartTimestampMonotonic ExecMainExitTimestamp ExecMainExitTimestampMonotonic "
        "ExecMainPID ExecMainCode ExecMainStatus";

size_t signature_length(const char *s)
{
        const char *p = s;
        int depth = 0;

        while (*p == 'a')
                p++;
        do {
                depth += *p == '(' || *p == '{';
                depth -= *p == ')' || *p == '}';
        } while (*p++ && depth > 0);
        return p[-1] ? (size_t)(p - s) : 0;
}

static bool list_has(const char *list, const char *name)
{
        size_t n = strlen(name);

        for (const char *p = list; *p;) {
                size_t k = strcspn(p, " ");

                if (k == n && memcmp(p, name, n) == 0)
                        return true;
                p += k + (p[k] == ' ');
        }
        return false;
}

const char *property_signature(const struct property *p)
{
        if (p->kind == CONTROL_KIND_ANY) /* it begins with its signature; property_of_record() looked */
                return p->data;
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (kinds[i].kind == p->kind)
                        return kinds[i].signature;
        return NULL;
}

bool property_fits(const char *interface, const struct property *p)
{
        const char *signature = property_signature(p);

        if (p->kind == CONTROL_KIND_ANY) /* it says its type itself, beside its name */
                return true;
        if (streq(p->name, "ReadTimestamp")) /* for derived.c only */
                return false;
        if (streq(interface, "Job")) /* made here, and its Id and Unit are not those of units */
                return signature != NULL;
        for (size_t i = 0; signature && i < ARRAY_SIZE(known_types); i++)
                if (list_has(known_types[i].names, p->name))
                        return streq(known_types[i].signature, signature);
        return signature != NULL;
}

bool property_emits_change(const char *interface, const char *name)
{
        return !streq(interface, "Manager") && list_has(announced, name);
}

int property_of_record(const struct control_record *rec, struct property *ret)
{
        struct control_reader r = control_reader_of(rec->data, rec->size);
        const char *signature;
        struct property p;

        if (control_take_bytes(&r, &p.kind, 1) < 0 || control_take_string(&r, &p.name) < 0 || p.name[0] == 0)
                return -EBADMSG;
        p.data = r.data + r.at;
        p.size = r.size - r.at;
        if (p.kind == CONTROL_KIND_ANY && (control_take_string(&r, &signature) < 0 || !signature[0]))
                return -EBADMSG;
        *ret = p;
        return 0;
}

int property_next(struct control_reader *r, const char **interface, struct property *ret, bool *ret_is_interface)
{
        struct control_record rec;
        int k;

        while ((k = control_reader_next(r, &rec)) > 0) {
                if (rec.tag == CONTROL_TAG_INTERFACE) {
                        if (control_record_string(&rec, interface) < 0)
                                return -EBADMSG;
                        *ret_is_interface = true;
                        return 1;
                }
                if (rec.tag != CONTROL_TAG_PROPERTY)
                        continue;
                if (property_of_record(&rec, ret) < 0)
                        return -EBADMSG;
                *ret_is_interface = false;
                if (property_fits(*interface, ret))
                        return 1;
        }
        return k;
}

/* Length of the valid UTF-8 sequence at S (1..4), 0 when there is none. S ends with NUL. */
static size_t utf8_length(const unsigned char *s)
{
        static const struct {
                unsigned char mask, lead;
                uint32_t least;
        } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

        for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
                uint32_t c = s[0] & (unsigned char)~forms[i].mask;

                if ((s[0] & forms[i].mask) != forms[i].lead)
                        continue;
                for (size_t k = 1; k <= i; k++) {
                        if ((s[k] & 0xc0) != 0x80)
                                return 0;
                        c = c << 6 | (s[k] & 0x3f);
                }
                return c >= forms[i].least && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? i + 1 : 0;
        }
        return 0;
}

int append_text(sd_bus_message *m, char type, const char *s)
{
        cleanup_free_ char *copy = NULL;
        size_t i = 0, n;

        while (s[i] && (n = utf8_length((const unsigned char *)s + i)) > 0)
                i += n;
        if (s[i] == 0)
                return sd_bus_message_append_basic(m, type, s);
        copy = strdup(s);
        if (!copy)
                return -ENOMEM;
        while (copy[i]) {
                n = utf8_length((const unsigned char *)copy + i);
                if (n == 0)
                        copy[i] = '?';
                i += n ? n : 1;
        }
        return sd_bus_message_append_basic(m, type, copy);
}

static int append_strings(sd_bus_message *m, struct control_reader *in, uint32_t n, bool all)
{
        int r = sd_bus_message_open_container(m, 'a', "s");

        for (uint32_t i = 0; r >= 0 && (all ? in->at < in->size : i < n); i++) {
                const char *s;

                r = control_take_string(in, &s);
                if (r >= 0)
                        r = append_text(m, 's', s);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* The prefixes of a command line; bits of control_exec_wire.flags. */
static int append_exec_flags(sd_bus_message *m, uint32_t flags)
{
        static const struct {
                uint32_t bit;
                const char *word;
        } words[] = {{1u << 0, "ignore-failure"},
                     {1u << 3, "privileged"},
                     {1u << 4, "no-setuid"},
                     {1u << 5, "ambient"},
                     {1u << 2, "no-env-expand"}};
        int r = sd_bus_message_open_container(m, 'a', "s");

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(words); i++)
                if (flags & words[i].bit)
                        r = sd_bus_message_append_basic(m, 's', words[i].word);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_exec(sd_bus_message *m, struct control_reader *in, bool ex)
{
        struct control_exec_wire w;
        const char *path;
        int r;

        if (control_take_bytes(in, &w, sizeof w) < 0 || control_take_string(in, &path) < 0)
                return -EBADMSG;
        if ((r = sd_bus_message_open_container(m, 'r', ex ? "sasasttttuii" : "sasbttttuii")) < 0 ||
            (r = append_text(m, 's', path)) < 0 || (r = append_strings(m, in, w.n_argv, false)) < 0 ||
            (r = ex ? append_exec_flags(m, w.flags) : sd_bus_message_append(m, "b", (int)(w.flags & 1))) < 0 ||
            (r = sd_bus_message_append(m, "ttttuii", w.start_real_us, w.start_mono_us, w.exit_real_us, w.exit_mono_us,
                                       w.pid, w.code, w.status)) < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_execs(sd_bus_message *m, struct control_reader *in, bool ex)
{
        int r = sd_bus_message_open_container(m, 'a', ex ? "(sasasttttuii)" : "(sasbttttuii)");

        while (r >= 0 && in->at < in->size)
                r = append_exec(m, in, ex);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_condition(sd_bus_message *m, struct control_reader *in)
{
        const char *name, *parameter;
        uint32_t flags, state;
        int r;

        if (control_take_u32(in, &flags) < 0 || control_take_u32(in, &state) < 0 ||
            control_take_string(in, &name) < 0 || control_take_string(in, &parameter) < 0)
                return -EBADMSG;
        if ((r = sd_bus_message_open_container(m, 'r', "sbbsi")) < 0 || (r = append_text(m, 's', name)) < 0 ||
            (r = sd_bus_message_append(m, "bb", (int)(flags & 1), (int)(flags >> 1 & 1))) < 0 ||
            (r = append_text(m, 's', parameter)) < 0 || (r = sd_bus_message_append(m, "i", (int32_t)state)) < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_conditions(sd_bus_message *m, struct control_reader *in)
{
        int r = sd_bus_message_open_container(m, 'a', "(sbbsi)");

        while (r >= 0 && in->at < in->size)
                r = append_condition(m, in);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_files(sd_bus_message *m, struct control_reader *in)
{
        int r = sd_bus_message_open_container(m, 'a', "(sb)");

        while (r >= 0 && in->at < in->size) {
                const char *path;
                uint32_t optional;

                if (control_take_u32(in, &optional) < 0 || control_take_string(in, &path) < 0)
                        return -EBADMSG;
                if ((r = sd_bus_message_open_container(m, 'r', "sb")) < 0 || (r = append_text(m, 's', path)) < 0 ||
                    (r = sd_bus_message_append(m, "b", (int)(optional != 0))) < 0)
                        return r;
                r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_job(sd_bus_message *m, struct control_reader *in)
{
        char path[64] = "/";
        uint32_t id;

        if (control_take_u32(in, &id) < 0)
                return -EBADMSG;
        if (id > 0)
                (void)snprintf(path, sizeof path, BUS_JOBS "/%u", id);
        return sd_bus_message_append(m, "(uo)", id, path);
}

static int append_load_error(sd_bus_message *m, struct control_reader *in)
{
        const char *name, *message;
        int r;

        if (control_take_string(in, &name) < 0 || control_take_string(in, &message) < 0)
                return -EBADMSG;
        if ((r = sd_bus_message_open_container(m, 'r', "ss")) < 0 || (r = append_text(m, 's', name)) < 0 ||
            (r = append_text(m, 's', message)) < 0)
                return r;
        return sd_bus_message_close_container(m);
}

static int append_number(sd_bus_message *m, char kind, struct control_reader *in)
{
        uint64_t wide;
        uint32_t narrow;

        if (kind == CONTROL_KIND_U64)
                return control_take_bytes(in, &wide, sizeof wide) < 0 ? -EBADMSG
                                                                      : sd_bus_message_append_basic(m, 't', &wide);
        if (control_take_u32(in, &narrow) < 0)
                return -EBADMSG;
        if (kind == CONTROL_KIND_BOOL)
                narrow = narrow != 0;
        return sd_bus_message_append_basic(m, kind, &narrow);
}

static int append_any(sd_bus_message *m, const char *signature, struct control_reader *in);

/* What lies between the brackets of a structure, or the one type of an array's elements; RET has room for SIGNATURE. */
static void signature_inner(const char *signature, size_t size, char *ret)
{
        size_t skip = *signature == '(' ? 2 : 1;

        memcpy(ret, signature + 1, size - skip);
        ret[size - skip] = 0;
}

static int append_array(sd_bus_message *m, const char *element, struct control_reader *in)
{
        uint32_t n;
        int r;

        if (control_take_u32(in, &n) < 0)
                return -EBADMSG;
        if (streq(element, "y")) {
                if (n > in->size - in->at)
                        return -EBADMSG;
                in->at += n;
                return sd_bus_message_append_array(m, 'y', in->data + in->at - n, n);
        }
        r = sd_bus_message_open_container(m, 'a', element);
        for (uint32_t i = 0; r >= 0 && i < n; i++)
                r = append_any(m, element, in);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* Numbers of all widths are written as 8 bytes. */
static int append_basic(sd_bus_message *m, char type, struct control_reader *in)
{
        const char *s;
        uint64_t v;

        if (type == 's' || type == 'o')
                return control_take_string(in, &s) < 0 ? -EBADMSG : append_text(m, type, s);
        if (control_take_bytes(in, &v, sizeof v) < 0)
                return -EBADMSG;
        switch (type) {
        case 'y':
                return sd_bus_message_append_basic(m, type, &(uint8_t){(uint8_t)v});
        case 'q':
                return sd_bus_message_append_basic(m, type, &(uint16_t){(uint16_t)v});
        case 'b':
        case 'i':
        case 'u':
                return sd_bus_message_append_basic(m, type, &(uint32_t){(uint32_t)v});
        case 't':
        case 'x':
        case 'd': /* its bits */
                return sd_bus_message_append_basic(m, type, &v);
        default:
                return -EBADMSG;
        }
}

/* CONTROL_KIND_ANY: complete types one after the other. */
static int append_any(sd_bus_message *m, const char *signature, struct control_reader *in)
{
        char inner[64];
        int r = 0;

        while (*signature && r >= 0) {
                size_t n = signature_length(signature);

                if (n == 0 || n >= sizeof inner)
                        return -EBADMSG;
                signature_inner(signature, n, inner);
                if (*signature == 'a') {
                        r = append_array(m, inner, in);
                } else if (*signature == '(') {
                        if ((r = sd_bus_message_open_container(m, 'r', inner)) >= 0 &&
                            (r = append_any(m, inner, in)) >= 0)
                                r = sd_bus_message_close_container(m);
                } else {
                        r = append_basic(m, *signature, in);
                }
                signature += n;
        }
        return r;
}

static int append_value(sd_bus_message *m, const struct property *p)
{
        struct control_reader in = control_reader_of(p->data, p->size);
        const char *s;

        switch ((enum control_kind)p->kind) {
        case CONTROL_KIND_STRING:
                return control_take_string(&in, &s) < 0 ? -EBADMSG : append_text(m, 's', s);
        case CONTROL_KIND_U32:
        case CONTROL_KIND_I32:
        case CONTROL_KIND_U64:
        case CONTROL_KIND_BOOL:
                return append_number(m, p->kind, &in);
        case CONTROL_KIND_STRINGS:
                return append_strings(m, &in, 0, true);
        case CONTROL_KIND_BYTES:
                return sd_bus_message_append_array(m, 'y', p->data, p->size);
        case CONTROL_KIND_JOB:
                return append_job(m, &in);
        case CONTROL_KIND_LOAD_ERROR:
                return append_load_error(m, &in);
        case CONTROL_KIND_EXECS:
                return append_execs(m, &in, false);
        case CONTROL_KIND_EXECS_EX:
                return append_execs(m, &in, true);
        case CONTROL_KIND_CONDITIONS:
                return append_conditions(m, &in);
        case CONTROL_KIND_FILES:
                return append_files(m, &in);
        case CONTROL_KIND_ANY:
                return control_take_string(&in, &s) < 0 ? -EBADMSG : append_any(m, s, &in);
        }
        return -EBADMSG;
}

int property_append(sd_bus_message *m, const struct property *p)
{
        int r = sd_bus_message_open_container(m, 'v', property_signature(p));

        if (r >= 0)
                r = append_value(m, p);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int property_append_entry(sd_bus_message *m, const struct property *p)
{
        int r = sd_bus_message_open_container(m, 'e', "sv");

        if (r >= 0)
                r = sd_bus_message_append_basic(m, 's', p->name);
        if (r >= 0)
                r = property_append(m, p);
        return r < 0 ? r : sd_bus_message_close_container(m);
}
