/* SPDX-License-Identifier: MIT
 *
 * Limits and shares of a unit as the kernel holds it to them, from the files of its cgroup: one table from systemd's
 * names to files. Not here: what the unit's files ask for (`verify` and D-Bus tell that). Invariant: nothing is asked
 * of the manager; what the kernel does not tell is "[not set]", or "infinity" for a limit.
 */
#include "supctl.h"

#include "report/report.h"

#include <stdio.h>

enum { TEXT_MAX = 4096 };

static const struct {
        const char *name, *file, *none;
} rows[] = {
        {"MemoryCurrent", "memory.current", "[not set]"},
        {"TasksCurrent", "pids.current", "[not set]"},
        {"MemoryMin", "memory.min", "0"},
        {"MemoryLow", "memory.low", "0"},
        {"MemoryHigh", "memory.high", "infinity"},
        {"MemoryMax", "memory.max", "infinity"},
        {"MemorySwapMax", "memory.swap.max", "infinity"},
        {"TasksMax", "pids.max", "infinity"},
        {"CPUWeight", "cpu.weight", "[not set]"},
        {"IOWeight", "io.weight", "[not set]"},
        {"AllowedCPUs", "cpuset.cpus", ""},
};

/* "a.slice/a-b.slice/x.service": the last one above. */
static bool put_slice(const char *cgroup, struct buf *out)
{
        const char *end = strrchr(cgroup, '/'), *begin = end;

        while (begin && begin > cgroup && begin[-1] != '/')
                begin--;
        if (begin && end - begin > 6 && strncmp(end - 6, ".slice", 6) == 0)
                return buf_printf(out, "%.*s", (int)(end - begin), begin) >= 0;
        return buf_append_str(out, "-.slice") >= 0;
}

static bool put_usage(const char *cgroup, struct buf *out)
{
        static const char key[] = "usage_usec ";
        char text[TEXT_MAX];
        const char *p = sample_cgroup_text(cgroup, "cpu.stat", text, sizeof(text)) ? strstr(text, key) : NULL;

        return p ? buf_printf(out, "%llu", strtoull(p + strlen(key), NULL, 10) * 1000) >= 0
                 : buf_append_str(out, "[not set]") >= 0;
}

/* "QUOTA PERIOD" of cpu.max, as time for each second. */
static bool put_quota(const char *cgroup, struct buf *out)
{
        char text[TEXT_MAX], span[64], *end;
        unsigned long long quota, period;

        if (!sample_cgroup_text(cgroup, "cpu.max", text, sizeof(text)))
                return buf_append_str(out, "infinity") >= 0;
        quota = strtoull(text, &end, 10);
        period = strtoull(end, NULL, 10);
        if (end == text || period == 0)
                return buf_append_str(out, "infinity") >= 0;
        return buf_append_str(out, format_span(quota * USEC_PER_SEC / period, span)) >= 0;
}

bool limit_value(const char *cgroup, const char *name, struct buf *out)
{
        char text[TEXT_MAX];
        const char *value = text;

        if (streq(name, "Slice"))
                return put_slice(cgroup, out);
        if (streq(name, "CPUUsageNSec"))
                return put_usage(cgroup, out);
        if (streq(name, "CPUQuotaPerSecUSec"))
                return put_quota(cgroup, out);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                if (!streq(rows[i].name, name))
                        continue;
                if (!sample_cgroup_text(cgroup, rows[i].file, text, sizeof(text)))
                        return buf_append_str(out, rows[i].none) >= 0;
                text[strcspn(text, "\n")] = 0;
                if (starts_with(value, "default "))
                        value += strlen("default ");
                return buf_append_str(out, streq(value, "max") ? "infinity" : value) >= 0;
        }
        return false;
}
