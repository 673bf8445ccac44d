/* SPDX-License-Identifier: MIT
 *
 * The values of settings that concern a unit's cgroup (systemd.resource-control(5)). See values-parts.h.
 *
 * Not here: which file of the cgroup they go into (exec/plan-group.c). Invariant: as values.c.
 */
#include "unit/values-parts.h"

#include "syntax/scalar.h"
#include "unit/names.h"

static int take(struct resource_value *field, uint64_t value, enum resource_kind kind)
{
        *field = (struct resource_value){.value = value, .kind = kind};
        return 0;
}

/* The extra of a row: whether 0 is a value. */
int value_resource(struct setting *s, struct resource_value *field)
{
        static const enum resource_kind kinds[] = {
                [SIZE_BYTES] = RESOURCE_NUMBER, [SIZE_PERMYRIAD] = RESOURCE_SHARE, [SIZE_INFINITY] = RESOURCE_INFINITY};
        struct size_value v;

        if (value_is_empty(s))
                return take(field, 0, RESOURCE_UNSET);
        if (parse_size_value(s->value, &v) < 0 ||
            (v.kind != SIZE_INFINITY && v.value == 0 && s->row->extra != RANGE_ZERO))
                return value_bad(s, NULL);
        return take(field, v.value, kinds[v.kind]);
}

int value_tasks(struct setting *s, struct resource_value *field)
{
        uint64_t n;

        if (value_is_empty(s) || streq(s->value, "infinity") || strchr(s->value, '%'))
                return value_resource(s, field);
        if (parse_u64(s->value, &n) < 0 || n == 0)
                return value_bad(s, NULL);
        return take(field, n, RESOURCE_NUMBER);
}

int value_weight(struct setting *s, struct resource_value *field)
{
        static const struct {
                uint64_t least, most;
        } ranges[] = {[RANGE_WEIGHT] = {1, 10000}, [RANGE_SHARES] = {2, 262144}, [RANGE_BLOCK_IO] = {10, 1000}};
        uint64_t v;

        if (value_is_empty(s))
                return take(field, 0, RESOURCE_UNSET);
        if (parse_u64(s->value, &v) < 0 || v < ranges[s->row->extra].least || v > ranges[s->row->extra].most)
                return value_bad(s, NULL);
        return take(field, v, RESOURCE_NUMBER);
}

int value_cpu_weight(struct setting *s, struct resource_value *field)
{
        return streq(s->value, "idle") ? take(field, 0, RESOURCE_IDLE) : value_weight(s, field);
}

/* "150%", "12.5%": more than one CPU is fine. */
int value_quota(struct setting *s, struct resource_value *field)
{
        enum { PERCENT_MAX = 1000000 };
        uint64_t whole = 0, part = 0;
        const char *p = s->value;

        if (value_is_empty(s))
                return take(field, 0, RESOURCE_UNSET);
        if (*p < '0' || *p > '9')
                return value_bad(s, NULL);
        while (*p >= '0' && *p <= '9' && whole <= PERCENT_MAX)
                whole = whole * 10 + (uint64_t)(*p++ - '0');
        if (*p == '.') {
                p++;
                for (unsigned scale = 10; scale > 0 && *p >= '0' && *p <= '9'; scale /= 10)
                        part += (uint64_t)(*p++ - '0') * scale;
        }
        if (!streq(p, "%") || whole > PERCENT_MAX || whole * 100 + part == 0)
                return value_bad(s, NULL);
        return take(field, whole * 100 + part, RESOURCE_SHARE);
}

int value_quota_period(struct setting *s, struct resource_value *field)
{
        uint64_t us;

        if (value_is_empty(s))
                return take(field, 0, RESOURCE_UNSET);
        if (parse_timespan(s->value, &us) < 0 || us == 0)
                return value_bad(s, NULL);
        return take(field, MIN2(MAX2(us, USEC_PER_MSEC), USEC_PER_SEC), RESOURCE_NUMBER); /* what the kernel takes */
}

/* "a-b.slice" lies in "a.slice": no part of a name may be empty (systemd.slice(5)). */
static bool slice_name_valid(const char *name)
{
        size_t n;

        if (!unit_name_valid(name) || unit_name_type(name) != UNIT_SLICE || strchr(name, '@'))
                return false;
        n = strlen(name) - strlen(".slice");
        return streq(name, "-.slice") || (*name != '-' && name[n - 1] != '-' && !strstr(name, "--"));
}

int value_slice(struct setting *s, char **field)
{
        char *name;
        int r;

        if (value_is_empty(s)) {
                *field = NULL;
                return 0;
        }
        r = value_expand(s, s->value, &name);
        if (r < 0)
                return r;
        if (!slice_name_valid(name))
                return value_bad(s, NULL);
        *field = name;
        return 0;
}

static int add_controller(struct setting *s, char *word, void *field)
{
        static const struct {
                const char *name;
                uint8_t bits;
        } words[] = {
                {"cpu", GROUP_CPU},
                {"cpuacct", 0},
                {"cpuset", GROUP_CPUSET},
                {"io", GROUP_IO},
                {"blkio", GROUP_IO},
                {"memory", GROUP_MEMORY},
                {"pids", GROUP_PIDS},
                {"devices", 0},
                {"bpf-firewall", 0},
                {"bpf-devices", 0},
                {"bpf-foreign", 0},
                {"bpf-socket-bind", 0},
                {"bpf-restrict-network-interfaces", 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(words[i].name, word)) {
                        *(uint8_t *)field |= words[i].bits;
                        return 0;
                }
        return value_bad_with(s, "there is no controller", word);
}

/* Names add up; the empty value delegates, too, with no controller. */
int value_delegate(struct setting *s, bool *field)
{
        struct group_config *g = &s->draft->group;
        bool yes;

        if (parse_bool(s->value, &yes) >= 0) {
                *field = yes;
                g->delegated = yes ? GROUP_ALL : 0;
                return 0;
        }
        *field = true;
        if (value_is_empty(s)) {
                g->delegated = 0;
                return 0;
        }
        return value_each_word(s, 0, add_controller, &g->delegated);
}
