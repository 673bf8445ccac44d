/* SPDX-License-Identifier: MIT
 *
 * Properties of a unit that are not in the status table, asked of the manager: show-properties UNIT NAME…, a line each,
 * as systemctl words them. For `supctl show -p`. Not here: what is in the table (supctl).
 *
 * Invariant: a property that is not there, or of a form that nobody prints, gives no line; the bus decides the type,
 * the name only how a number is worded.
 */
#include "report/report.h"
#include "supctl-bus.h"

#include <inttypes.h>
#include <stdio.h>

/* How a number without a value is worded, and one that means time. The first that fits counts. */
static const struct {
        const char *begin, *end;
        enum { AS_TIME, AS_SPAN, AS_MODE, OR_INFINITY } how;
} wordings[] = {
        {"", "Timestamp", AS_TIME},     {"", "USec", AS_SPAN},
        {"UMask", "", AS_MODE},         {"", "DirectoryMode", AS_MODE},
        {"Limit", "", OR_INFINITY},     {"MemoryHigh", "", OR_INFINITY},
        {"MemoryMax", "", OR_INFINITY}, {"MemorySwapMax", "", OR_INFINITY},
        {"TasksMax", "", OR_INFINITY},
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
        if (v == none)
                return buf_append_str(out, how == OR_INFINITY ? "infinity" : "[not set]");
        return buf_printf(out, "%" PRIu64, v);
}

/* One of a list: in quotes where a shell would take it for more than one word. */
static int put_word(struct buf *out, const char *s)
{
        int r = out->size > 0 ? buf_append_char(out, ' ') : 0;

        if (!strpbrk(s, " \t\n\"'\\$`*?[]{}()<>|&;#~!") && *s)
                return r < 0 ? r : buf_append_str(out, s);
        r = r < 0 ? r : buf_append_char(out, '"');
        for (; *s && r >= 0; s++) {
                r = strchr("\"\\`$", *s) ? buf_append_char(out, '\\') : 0;
                r = r < 0 ? r : buf_append_char(out, *s);
        }
        return r < 0 ? r : buf_append_char(out, '"');
}

static int put_strings(struct buf *out, sd_bus_message *m)
{
        const char *s;
        int r = sd_bus_message_enter_container(m, 'a', "s");

        while (r >= 0 && (r = sd_bus_message_read(m, "s", &s)) > 0)
                r = put_word(out, s);
        return r;
}

static int put_command(struct buf *out, sd_bus_message *m)
{
        static const char *const codes[] = {"(null)", "exited", "killed", "dumped"};
        char begin[64], end[64];
        const char *path, *word;
        uint64_t start, start_mono, stop, stop_mono;
        uint32_t pid;
        int32_t code, status;
        int optional, r = sd_bus_message_read(m, "s", &path);

        if (r >= 0)
                r = buf_printf(out, "%s{ path=%s ; argv[]=", out->size > 0 ? "\n" : "", path);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "s");
        for (bool first = true; r >= 0 && (r = sd_bus_message_read(m, "s", &word)) > 0; first = false)
                r = buf_printf(out, "%s%s", first ? "" : " ", word);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_read(m, "bttttuii", &optional, &start, &start_mono, &stop, &stop_mono, &pid, &code,
                                        &status);
        if (r < 0)
                return r;
        (void)format_real(start, begin);
        (void)format_real(stop, end);
        return buf_printf(out,
                          " ; ignore_errors=%s ; start_time=[%s] ; stop_time=[%s] ; pid=%u ; code=%s ; status=%d%s }",
                          optional ? "yes" : "no", *begin ? begin : "n/a", *end ? end : "n/a", (unsigned)pid,
                          code >= 0 && (size_t)code < ARRAY_SIZE(codes) ? codes[code] : codes[0], (int)status,
                          code == 0 ? "/0" : "");
}

static int put_commands(struct buf *out, sd_bus_message *m)
{
        int r = sd_bus_message_enter_container(m, 'a', "(sasbttttuii)");

        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "sasbttttuii")) > 0) {
                r = put_command(out, m);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

static int put_basic(struct buf *out, sd_bus_message *m, char type, const char *name)
{
        union {
                const char *s;
                int32_t i;
                uint32_t u;
                int64_t x;
                uint64_t t;
                int b;
        } v = {0};
        int r = sd_bus_message_read_basic(m, type, &v);

        if (r < 0)
                return r;
        switch (type) {
        case 's':
        case 'o':
                return buf_append_str(out, v.s);
        case 'b':
                return buf_append_str(out, v.b ? "yes" : "no");
        case 'i':
                return buf_printf(out, "%" PRIi32, v.i);
        case 'x':
                return buf_printf(out, "%" PRIi64, v.x);
        case 'u':
                return put_number(out, name, v.u, UINT32_MAX);
        case 't':
                return put_number(out, name, v.t, UINT64_MAX);
        default:
                return -EOPNOTSUPP;
        }
}

static int put_value(struct buf *out, sd_bus_message *m, const char *name)
{
        const char *contents;
        char type;
        int r = sd_bus_message_peek_type(m, NULL, &contents);

        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'v', contents);
        if (r >= 0)
                r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (type != 'a')
                return put_basic(out, m, type, name);
        if (streq(contents, "s"))
                return put_strings(out, m);
        return streq(contents, "(sasbttttuii)") ? put_commands(out, m) : -EOPNOTSUPP;
}

/* "foo.service" has its own interface, and that of all units. */
static int property_get(struct control *c, const char *unit, const char *name, sd_bus_message **ret)
{
        cleanup_free_ char *path = NULL;
        const char *suffix = strrchr(unit, '.');
        char interface[64];
        int r = sd_bus_path_encode(BUS_ROOT "/unit", unit, &path);

        if (r < 0 || !suffix || !c->bus)
                return r < 0 ? r : -EINVAL;
        (void)snprintf(interface, sizeof interface, BUS_NAME ".%c%.20s", suffix[1] & ~0x20, suffix + 2);
        r = sd_bus_call_method(c->bus, BUS_NAME, path, "org.freedesktop.DBus.Properties", "Get", NULL, ret, "ss",
                               interface, name);
        if (r < 0)
                r = sd_bus_call_method(c->bus, BUS_NAME, path, "org.freedesktop.DBus.Properties", "Get", NULL, ret,
                                       "ss", BUS_NAME ".Unit", name);
        return r;
}

int run_show_properties(struct control *c, const struct verb *v unused_, char **args, int n)
{
        for (int i = 1; i < n; i++) {
                cleanup_buf_ struct buf out = {0};
                sd_bus_message *reply = NULL;
                const char *begin, *end;
                int r = property_get(c, args[0], args[i], &reply);

                if (r >= 0)
                        r = put_value(&out, reply, args[i]);
                sd_bus_message_unref(reply);
                for (begin = buf_str(&out); r >= 0; begin = end + 1) { /* a command each has a line of its own */
                        end = starts_with(begin, "{ path=") ? strchrnul(begin, '\n') : begin + strlen(begin);
                        (void)printf("%s%s%.*s\n", c->options->bare ? "" : args[i], c->options->bare ? "" : "=",
                                     (int)(end - begin), begin);
                        if (!*end)
                                break;
                }
        }
        return 0;
}
