/* SPDX-License-Identifier: MIT
 *
 * Values of properties that are not worded as their type is: sets of CPUs, of capabilities and of exit statuses, what
 * is mounted where, bytes. In the words of systemctl show, as far as that has any.
 *
 * Not here: all other values (value.c). Invariant: a value is taken from the message whole or not at all.
 */
#include "supctl-bus.h"

#include <signal.h>
#include <stdio.h>

#include "report/report.h"
#include "unit/unit.h"

static int put_space(struct buf *out)
{
        return out->size > 0 ? buf_append_char(out, ' ') : 0;
}

/* Bits as "0-3 5". */
static int put_range(struct buf *out, sd_bus_message *m)
{
        const uint8_t *p = NULL;
        size_t n = 0;
        int r = sd_bus_message_read_array(m, 'y', (const void **)&p, &n);

        for (size_t i = 0, end; i < 8 * n && r >= 0; i = end + 1) {
                for (end = i; end < 8 * n && p[end / 8] >> end % 8 & 1; end++)
                        ;
                if (end == i)
                        continue;
                r = put_space(out);
                if (r >= 0)
                        r = end > i + 1 ? buf_printf(out, "%zu-%zu", i, end - 1) : buf_printf(out, "%zu", i);
        }
        return r < 0 ? r : 0;
}

static int put_base64(struct buf *out, sd_bus_message *m)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const uint8_t *p = NULL;
        size_t n = 0;
        int r = sd_bus_message_read_array(m, 'y', (const void **)&p, &n);

        for (size_t i = 0; i < n && r >= 0; i += 3) {
                uint32_t v =
                        (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
                char four[5] = {digits[v >> 18 & 63], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
                                i + 2 < n ? digits[v & 63] : '=', 0};

                r = buf_append_str(out, four);
        }
        return r < 0 ? r : 0;
}

static int put_capabilities(struct buf *out, sd_bus_message *m)
{
        uint64_t set;
        int r = sd_bus_message_read(m, "t", &set);

        for (unsigned i = 0; r >= 0 && unit_capability_name(i); i++)
                if (set >> i & 1) {
                        r = put_space(out);
                        for (const char *s = unit_capability_name(i); *s && r >= 0; s++)
                                r = buf_append_char(out, *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s);
                }
        return r < 0 ? r : 0;
}

static int put_signal(struct buf *out, int32_t n)
{
        const char *name = n < SIGRTMIN ? sigabbrev_np(n) : NULL;

        if (name)
                return buf_append_str(out, name);
        return n >= SIGRTMIN && n <= SIGRTMAX ? buf_printf(out, "RTMIN+%d", n - SIGRTMIN) : buf_printf(out, "%d", n);
}

static int put_statuses(struct buf *out, sd_bus_message *m)
{
        const int32_t *codes = NULL, *signals = NULL;
        size_t n_codes = 0, n_signals = 0;
        int r = sd_bus_message_enter_container(m, 'r', "aiai");

        if (r < 0 || (r = sd_bus_message_read_array(m, 'i', (const void **)&codes, &n_codes)) < 0 ||
            (r = sd_bus_message_read_array(m, 'i', (const void **)&signals, &n_signals)) < 0)
                return r;
        for (size_t i = 0; i < n_codes / sizeof(*codes) && r >= 0; i++)
                if ((r = put_space(out)) >= 0)
                        r = buf_printf(out, "%d", (int)codes[i]);
        for (size_t i = 0; i < n_signals / sizeof(*signals) && r >= 0; i++)
                if ((r = put_space(out)) >= 0)
                        r = put_signal(out, signals[i]);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int put_binds(struct buf *out, sd_bus_message *m)
{
        const char *from, *to;
        uint64_t flags;
        int optional, r = sd_bus_message_enter_container(m, 'a', "(ssbt)");

        while (r >= 0 && (r = sd_bus_message_read(m, "(ssbt)", &from, &to, &optional, &flags)) > 0)
                if ((r = put_space(out)) >= 0)
                        r = buf_printf(out, "%s%s:%s%s", optional ? "-" : "", from, to, flags ? ":rbind" : "");
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int put_pairs(struct buf *out, sd_bus_message *m)
{
        const char *a, *b;
        int r = sd_bus_message_enter_container(m, 'a', "(ss)");

        while (r >= 0 && (r = sd_bus_message_read(m, "(ss)", &a, &b)) > 0)
                if ((r = put_space(out)) >= 0)
                        r = buf_printf(out, "%s%s%s", a, *b ? ":" : "", b);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int put_numa_policy(struct buf *out, sd_bus_message *m)
{
        static const char *const words[] = {"n/a", "default", "preferred", "bind", "interleave", "local"};
        int32_t v;
        int r = sd_bus_message_read(m, "i", &v);

        if (r < 0)
                return r;
        return buf_append_str(out, v >= -1 && v + 1 < (int)ARRAY_SIZE(words) ? words[v + 1] : "n/a");
}

/* The kinds of name spaces that may be made; supd restricts none. */
static int put_namespaces(struct buf *out, sd_bus_message *m)
{
        uint64_t allowed;
        int r = sd_bus_message_read(m, "t", &allowed);

        if (r < 0)
                return r;
        return allowed == UINT64_MAX ? buf_append_str(out, "no")
                                     : buf_printf(out, "0x%llx", (unsigned long long)allowed);
}

int value_rare(struct buf *out, sd_bus_message *m, const char *name, const char *type)
{
        static const struct {
                const char *name, *type; /* name NULL: any */
                int (*put)(struct buf *out, sd_bus_message *m);
        } rows[] = {
                {"AllowedCPUs", "ay", put_range},
                {"AllowedMemoryNodes", "ay", put_range},
                {"EffectiveCPUs", "ay", put_range},
                {"EffectiveMemoryNodes", "ay", put_range},
                {"CPUAffinity", "ay", put_range},
                {"NUMAMask", "ay", put_range},
                {"StandardInputData", "ay", put_base64},
                {"CapabilityBoundingSet", "t", put_capabilities},
                {"AmbientCapabilities", "t", put_capabilities},
                {"RestrictNamespaces", "t", put_namespaces},
                {"NUMAPolicy", "i", put_numa_policy},
                {NULL, "(aiai)", put_statuses},
                {NULL, "a(ssbt)", put_binds},
                {NULL, "a(ss)", put_pairs},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (streq(rows[i].type, type) && (!rows[i].name || streq(rows[i].name, name)))
                        return rows[i].put(out, m) < 0 ? -EBADMSG : 0;
        return -EOPNOTSUPP;
}
