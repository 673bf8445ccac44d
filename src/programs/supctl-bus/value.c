/* SPDX-License-Identifier: MIT
 *
 * Values of properties as they come from the bus: in the words of systemctl show, or as JSON.
 *
 * Not here: which properties, of what (show.c). Invariant: the bus decides the type, the name only how a number is
 * worded; a value of a type that nobody prints is skipped whole, so that the next one can be read.
 */
#include "report/report.h"
#include "supctl-bus.h"

#include <inttypes.h>
#include <stdio.h>

/* How a number without a value is worded, and one that means time. The first that fits counts. */
static const struct {
        const char *begin, *end;
        enum { AS_TIME, AS_SPAN, AS_MODE, AS_HEX, OR_INFINITY, OR_NO_DATA } how;
} wordings[] = {
        {"", "Timestamp", AS_TIME},
        {"LastTriggerUSec", "", AS_TIME},
        {"NextElapseUSecRealtime", "", AS_TIME},
        {"", "USec", AS_SPAN},
        {"NextElapseUSecMonotonic", "", AS_SPAN},
        {"UMask", "", AS_MODE},
        {"", "DirectoryMode", AS_MODE},
        {"Limit", "", OR_INFINITY},
        {"DefaultLimit", "", OR_INFINITY},
        {"MemoryHigh", "", OR_INFINITY},
        {"MemoryMax", "", OR_INFINITY},
        {"MemorySwapMax", "", OR_INFINITY},
        {"TasksMax", "", OR_INFINITY},
        {"MemoryLimit", "", OR_INFINITY},
        {"MemoryAvailable", "", OR_INFINITY},
        {"DefaultTasksMax", "", OR_INFINITY},
        {"IPIngress", "", OR_NO_DATA},
        {"IPEgress", "", OR_NO_DATA},
        {"CoredumpFilter", "", AS_HEX},
};

static int wording_of(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(wordings); i++)
                if (starts_with(name, wordings[i].begin) && ends_with(name, wordings[i].end))
                        return wordings[i].how;
        return -1;
}

static int put_number(struct buf *out, const char *name, uint64_t v, uint64_t none)
{
        int how = wording_of(name);
        char text[64];

        if (how == AS_TIME)
                return buf_append_str(out, format_real(v, text));
        if (how == AS_SPAN)
                return buf_append_str(out, format_span(v, text));
        if (how == AS_MODE)
                return buf_printf(out, "%04" PRIo64, v);
        if (how == AS_HEX)
                return buf_printf(out, "0x%" PRIx64, v);
        if (v == none)
                return buf_append_str(out, how == OR_INFINITY  ? "infinity"
                                           : how == OR_NO_DATA ? "[no data]"
                                                               : "[not set]");
        return buf_printf(out, "%" PRIu64, v);
}

/* ---- in words: each appends what stands behind NAME=; several lines are several NAME= ---- */

static int put_strings(struct buf *out, sd_bus_message *m, const char *name unused_)
{
        const char *s;
        int r = sd_bus_message_enter_container(m, 'a', "s");

        while (r >= 0 && (r = sd_bus_message_read(m, "s", &s)) > 0)
                r = format_word(out, s);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int put_bytes(struct buf *out, sd_bus_message *m, const char *name unused_)
{
        const uint8_t *p;
        size_t n;
        int r = sd_bus_message_read_array(m, 'y', (const void **)&p, &n);

        for (size_t i = 0; i < n && r >= 0; i++)
                r = buf_printf(out, "%02x", p[i]);
        return r;
}

static int put_job(struct buf *out, sd_bus_message *m, const char *name unused_)
{
        const char *path;
        uint32_t id;
        int r = sd_bus_message_read(m, "(uo)", &id, &path);

        return r < 0 || id == 0 ? r : buf_printf(out, "%u", (unsigned)id);
}

static int put_job_unit(struct buf *out, sd_bus_message *m, const char *name unused_)
{
        const char *unit, *path;
        int r = sd_bus_message_read(m, "(so)", &unit, &path);

        return r < 0 ? r : buf_append_str(out, unit);
}

static int put_error(struct buf *out, sd_bus_message *m, const char *name unused_)
{
        const char *error, *text;
        int r = sd_bus_message_read(m, "(ss)", &error, &text);

        return r < 0 || (!*error && !*text) ? r : buf_printf(out, "%s \"%s\"", error, text);
}

static int put_files(struct buf *out, sd_bus_message *m, const char *name unused_)
{
        const char *path;
        int optional, r = sd_bus_message_enter_container(m, 'a', "(sb)");

        while (r >= 0 && (r = sd_bus_message_read(m, "(sb)", &path, &optional)) > 0)
                r = buf_printf(out, "%s%s (ignore_errors=%s)", out->size > 0 ? "\n" : "", path,
                               optional ? "yes" : "no");
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

struct command { /* strings live in the message */
        const char *path;
        char **argv, **flags; /* owned; FLAGS NULL: only OPTIONAL is known */
        int optional;
        uint64_t start, start_mono, stop, stop_mono;
        uint32_t pid;
        int32_t code, status;
};

static void strings_free(char **v)
{
        for (char **p = v; p && *p; p++)
                free(*p);
        free(v);
}

static void command_done(struct command *c)
{
        strings_free(c->argv);
        strings_free(c->flags);
}

static const char *command_code(const struct command *c)
{
        static const char *const codes[] = {"(null)", "exited", "killed", "dumped"};

        return codes[c->code >= 0 && (size_t)c->code < ARRAY_SIZE(codes) ? c->code : 0];
}

static bool has_flags(const char *contents)
{
        return starts_with(contents, "sasas");
}

static int command_read(sd_bus_message *m, const char *contents, struct command *ret)
{
        struct command c = {0};
        int r = sd_bus_message_enter_container(m, 'r', contents);

        if (r <= 0)
                return r;
        r = sd_bus_message_read(m, "s", &c.path);
        if (r >= 0)
                r = sd_bus_message_read_strv(m, &c.argv);
        if (r >= 0)
                r = has_flags(contents) ? sd_bus_message_read_strv(m, &c.flags)
                                        : sd_bus_message_read(m, "b", &c.optional);
        if (r >= 0)
                r = sd_bus_message_read(m, "ttttuii", &c.start, &c.start_mono, &c.stop, &c.stop_mono, &c.pid, &c.code,
                                        &c.status);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r < 0) {
                command_done(&c);
                return r;
        }
        *ret = c;
        return 1;
}

static int put_joined(struct buf *out, char **v)
{
        int r = 0;

        for (char **p = v; p && *p && r >= 0; p++)
                r = buf_printf(out, "%s%s", p == v ? "" : " ", *p);
        return r;
}

static int put_command(struct buf *out, const struct command *c, bool flags)
{
        char begin[64], end[64];
        int r = buf_printf(out, "%s{ path=%s ; argv[]=", out->size > 0 ? "\n" : "", c->path);

        (void)format_real(c->start, begin);
        (void)format_real(c->stop, end);
        if (r >= 0)
                r = put_joined(out, c->argv);
        if (r >= 0)
                r = flags ? buf_append_str(out, " ; flags=")
                          : buf_printf(out, " ; ignore_errors=%s", c->optional ? "yes" : "no");
        if (r >= 0 && flags)
                r = put_joined(out, c->flags);
        if (r >= 0)
                r = buf_printf(out, " ; start_time=[%s] ; stop_time=[%s] ; pid=%u ; code=%s ; status=%d%s }",
                               *begin ? begin : "n/a", *end ? end : "n/a", (unsigned)c->pid, command_code(c),
                               (int)c->status, c->code == 0 ? "/0" : "");
        return r;
}

static const char *inner(const char *array) /* "(…)" of an array of structs without its brackets; static memory */
{
        static char text[32];

        (void)snprintf(text, sizeof text, "%.*s", (int)strlen(array) - 2, array + 1);
        return text;
}

static int put_commands(struct buf *out, sd_bus_message *m, const char *name)
{
        const char *array = ends_with(name, "Ex") ? "(sasasttttuii)" : "(sasbttttuii)", *contents = inner(array);
        struct command c;
        int r = sd_bus_message_enter_container(m, 'a', array);

        while (r >= 0 && (r = command_read(m, contents, &c)) > 0) {
                r = put_command(out, &c, has_flags(contents));
                command_done(&c);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* As systemctl has it for types that it does not spell out. */
static int put_unprintable(struct buf *out, sd_bus_message *m, const char *name unused_)
{
        int r = sd_bus_message_skip(m, NULL);

        return r < 0 ? r : buf_append_str(out, "[unprintable]");
}

/* ---- as JSON ---- */

static int json_strings(struct json *j, sd_bus_message *m, const char *name)
{
        const char *s;
        int r = sd_bus_message_enter_container(m, 'a', "s");

        json_open(j, name, '[');
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &s)) > 0)
                json_string(j, NULL, s);
        json_close(j, ']');
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int json_error(struct json *j, sd_bus_message *m, const char *name)
{
        const char *error, *text;
        int r = sd_bus_message_read(m, "(ss)", &error, &text);

        if (r < 0)
                return r;
        if (!*error && !*text) {
                json_null(j, name);
                return 0;
        }
        json_open(j, name, '{');
        json_string(j, "name", error);
        json_string(j, "message", text);
        json_close(j, '}');
        return 0;
}

static int json_job(struct json *j, sd_bus_message *m, const char *name)
{
        const char *path;
        uint32_t id;
        int r = sd_bus_message_read(m, "(uo)", &id, &path);

        if (r >= 0 && id > 0)
                json_u64(j, name, id);
        else if (r >= 0)
                json_null(j, name);
        return r;
}

static int json_files(struct json *j, sd_bus_message *m, const char *name)
{
        const char *path;
        int optional, r = sd_bus_message_enter_container(m, 'a', "(sb)");

        json_open(j, name, '[');
        while (r >= 0 && (r = sd_bus_message_read(m, "(sb)", &path, &optional)) > 0) {
                json_open(j, NULL, '{');
                json_string(j, "path", path);
                json_bool(j, "ignore_errors", optional);
                json_close(j, '}');
        }
        json_close(j, ']');
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static void json_words(struct json *j, const char *key, char **v)
{
        json_open(j, key, '[');
        for (; v && *v; v++)
                json_string(j, NULL, *v);
        json_close(j, ']');
}

static void json_command(struct json *j, const struct command *c, bool flags)
{
        json_open(j, NULL, '{');
        json_string(j, "path", c->path);
        json_words(j, "argv", c->argv);
        if (flags)
                json_words(j, "flags", c->flags);
        else
                json_bool(j, "ignore_errors", c->optional);
        json_u64(j, "start_us", c->start);
        json_u64(j, "stop_us", c->stop);
        json_u64(j, "pid", c->pid);
        json_string(j, "code", c->code ? command_code(c) : "");
        json_i64(j, "status", c->status);
        json_close(j, '}');
}

static int json_commands(struct json *j, sd_bus_message *m, const char *name)
{
        const char *array = ends_with(name, "Ex") ? "(sasasttttuii)" : "(sasbttttuii)", *contents = inner(array);
        struct command c;
        int r = sd_bus_message_enter_container(m, 'a', array);

        json_open(j, name, '[');
        while (r >= 0 && (r = command_read(m, contents, &c)) > 0) {
                json_command(j, &c, has_flags(contents));
                command_done(&c);
        }
        json_close(j, ']');
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int json_conditions(struct json *j, sd_bus_message *m, const char *name)
{
        const char *condition, *parameter;
        int trigger, negate, r = sd_bus_message_enter_container(m, 'a', "(sbbsi)");
        int32_t state;

        json_open(j, name, '[');
        while (r >= 0 &&
               (r = sd_bus_message_read(m, "(sbbsi)", &condition, &trigger, &negate, &parameter, &state)) > 0) {
                json_open(j, NULL, '{');
                json_string(j, "condition", condition);
                json_string(j, "parameter", parameter);
                json_bool(j, "trigger", trigger);
                json_bool(j, "negate", negate);
                json_i64(j, "state", state);
                json_close(j, '}');
        }
        json_close(j, ']');
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* ---- by type ---- */

static const struct {
        const char *type;
        int (*put)(struct buf *out, sd_bus_message *m, const char *name);
        int (*json)(struct json *j, sd_bus_message *m, const char *name); /* NULL: a string of what PUT says */
        bool lines;                                                       /* one each */
} types[] = {
        {"as", put_strings, json_strings},
        {"ay", put_bytes, NULL},
        {"(uo)", put_job, json_job},
        {"(so)", put_job_unit, NULL},
        {"(ss)", put_error, json_error},
        {"a(sb)", put_files, json_files, true},
        {"a(sasbttttuii)", put_commands, json_commands, true},
        {"a(sasasttttuii)", put_commands, json_commands, true},
        {"a(sbbsi)", put_unprintable, json_conditions},
};

union basic {
        const char *s;
        int32_t i;
        uint32_t u;
        int64_t x;
        uint64_t t;
        int b;
};

static int put_basic(struct buf *out, char type, const union basic *v, const char *name)
{
        switch (type) {
        case 's':
        case 'o':
                return buf_append_str(out, v->s);
        case 'b':
                return buf_append_str(out, v->b ? "yes" : "no");
        case 'i':
                if (v->i == -1 && ends_with(name, "ActionExitStatus"))
                        return 0; /* that of the unit */
                return buf_printf(out, "%" PRIi32, v->i);
        case 'x':
                return buf_printf(out, "%" PRIi64, v->x);
        case 'u':
                return put_number(out, name, v->u, UINT32_MAX);
        case 't':
                return put_number(out, name, v->t, UINT64_MAX);
        default:
                return -EOPNOTSUPP;
        }
}

static int json_basic(struct json *j, char type, const union basic *v, const char *name)
{
        switch (type) {
        case 's':
        case 'o':
                json_string(j, name, v->s);
                return 0;
        case 'b':
                json_bool(j, name, v->b);
                return 0;
        case 'i':
                json_i64(j, name, v->i);
                return 0;
        case 'x':
                json_i64(j, name, v->x);
                return 0;
        case 'u':
        case 't':
                if (type == 'u' ? v->u == UINT32_MAX : v->t == UINT64_MAX)
                        json_null(j, name); /* none, or no limit */
                else
                        json_u64(j, name, type == 'u' ? v->u : v->t);
                return 0;
        default:
                return -EOPNOTSUPP;
        }
}

static int of_type(struct buf *out, struct json *j, sd_bus_message *m, const char *type, const char *name)
{
        cleanup_buf_ struct buf text = {0};
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                if (!streq(types[i].type, type))
                        continue;
                if (!j) {
                        r = types[i].put(out, m, name);
                        return r < 0 ? r : types[i].lines ? VALUE_LINES : VALUE_WORDS;
                }
                if (types[i].json)
                        return types[i].json(j, m, name);
                r = types[i].put(&text, m, name);
                if (r >= 0)
                        json_string(j, name, buf_str(&text));
                return r;
        }
        return -EOPNOTSUPP;
}

int value_take(struct buf *out, struct json *j, sd_bus_message *m, const char *name)
{
        const char *type;
        cleanup_buf_ struct buf rare = {0};
        union basic v = {0};
        int k, r = sd_bus_message_peek_type(m, NULL, &type);

        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'v', type);
        if (r < 0)
                return r;
        r = value_rare(&rare, m, name, type);
        if (r >= 0 && j)
                json_string(j, name, buf_str(&rare));
        else if (r >= 0)
                r = buf_append_str(out, buf_str(&rare));
        else if (r != -EOPNOTSUPP)
                return r;
        else if (type[1] != 0)
                r = of_type(out, j, m, type, name);
        else if (!strchr("sobixut", type[0]))
                r = -EOPNOTSUPP;
        else if ((r = sd_bus_message_read_basic(m, type[0], &v)) >= 0)
                r = j ? json_basic(j, type[0], &v, name) : put_basic(out, type[0], &v, name);
        if (r >= 0 && (!type[1] || rare.size > 0))
                r = VALUE_WORDS;
        if (r == -EOPNOTSUPP && (r = sd_bus_message_skip(m, type)) >= 0)
                r = VALUE_NONE;
        if (r < 0)
                return r;
        k = sd_bus_message_exit_container(m);
        return k < 0 ? k : r;
}
