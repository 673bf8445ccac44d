/* SPDX-License-Identifier: MIT
 *
 * What is written into which file of a cgroup (the kernel's cgroup-v2 document): a table from settings to files. The
 * settings of cgroup v1 become those that took their place, where these are not set.
 *
 * Not here: which controllers there are (the manager), who writes (programs/supd-exec/group.c). Invariants: a file of a
 * controller that is not there is left out; where nothing is set, nothing is written.
 */
#include <stdio.h>

#include "exec/plan-writer.h"

static const char *const controllers[] = {"cpu", "cpuset", "io", "memory", "pids"}; /* bit I is GROUP_* */

/* Of what a share is a share. */
enum whole { OF_NOTHING, OF_MEMORY, OF_TASKS };

static const struct {
        const char *key, *file; /* file NULL: goes with another */
        uint32_t controller;
        enum whole whole;
        const char *unset; /* what the file holds when nobody wrote into it */
} rows[N_RESOURCES] = {
        [RESOURCE_MEMORY_MIN] = {"MemoryMin", "memory.min", GROUP_MEMORY, OF_MEMORY, "0"},
        [RESOURCE_MEMORY_LOW] = {"MemoryLow", "memory.low", GROUP_MEMORY, OF_MEMORY, "0"},
        [RESOURCE_MEMORY_HIGH] = {"MemoryHigh", "memory.high", GROUP_MEMORY, OF_MEMORY, "max"},
        [RESOURCE_MEMORY_MAX] = {"MemoryMax", "memory.max", GROUP_MEMORY, OF_MEMORY, "max"},
        [RESOURCE_MEMORY_SWAP_MAX] = {"MemorySwapMax", "memory.swap.max", GROUP_MEMORY, OF_MEMORY, "max"},
        [RESOURCE_MEMORY_ZSWAP_MAX] = {"MemoryZSwapMax", "memory.zswap.max", GROUP_MEMORY, OF_MEMORY, "max"},
        [RESOURCE_TASKS_MAX] = {"TasksMax", "pids.max", GROUP_PIDS, OF_TASKS, "max"},
        [RESOURCE_CPU_WEIGHT] = {"CPUWeight", "cpu.weight", GROUP_CPU, OF_NOTHING, "100"},
        [RESOURCE_CPU_QUOTA] = {"CPUQuota", "cpu.max", GROUP_CPU, OF_NOTHING, "max 100000"},
        [RESOURCE_CPU_PERIOD] = {"CPUQuotaPeriodSec", NULL, 0, OF_NOTHING, NULL},
        [RESOURCE_IO_WEIGHT] = {"IOWeight", "io.weight", GROUP_IO, OF_NOTHING, "default 100"},
        [RESOURCE_MEMORY_LIMIT] = {"MemoryLimit", NULL, GROUP_MEMORY, OF_NOTHING, NULL},
        [RESOURCE_CPU_SHARES] = {"CPUShares", NULL, GROUP_CPU, OF_NOTHING, NULL},
        [RESOURCE_BLOCK_IO_WEIGHT] = {"BlockIOWeight", NULL, GROUP_IO, OF_NOTHING, NULL},
};

static uint64_t clamp(uint64_t v, uint64_t least, uint64_t most)
{
        return v < least ? least : MIN2(v, most);
}

/* What resource I is worth, from whichever setting. */
static struct resource_value effective(const struct group_config *g, unsigned i)
{
        const struct resource_value *v = g->resources, *shares = &v[RESOURCE_CPU_SHARES],
                                    *weight = &v[RESOURCE_BLOCK_IO_WEIGHT];

        if (v[i].kind != RESOURCE_UNSET)
                return v[i];
        if (i == RESOURCE_MEMORY_MAX)
                return v[RESOURCE_MEMORY_LIMIT];
        if (i == RESOURCE_CPU_WEIGHT && shares->kind == RESOURCE_NUMBER)
                return (struct resource_value){clamp(shares->value * 100 / 1024, 1, 10000), RESOURCE_NUMBER};
        if (i == RESOURCE_IO_WEIGHT && weight->kind == RESOURCE_NUMBER)
                return (struct resource_value){clamp(weight->value * 100 / 500, 1, 10000), RESOURCE_NUMBER};
        return v[i];
}

static uint32_t wants(const struct group_config *g)
{
        uint32_t bits = g->delegated;

        for (unsigned i = 0; i < N_RESOURCES; i++)
                if (g->resources[i].kind != RESOURCE_UNSET)
                        bits |= rows[i].controller;
        if (g->cpus || g->memory_nodes)
                bits |= GROUP_CPUSET;
        if (g->memory_accounting)
                bits |= GROUP_MEMORY;
        if (g->tasks_accounting)
                bits |= GROUP_PIDS;
        if (g->io_accounting || g->block_io_accounting)
                bits |= GROUP_IO;
        return bits;
}

uint32_t plan_group_wants(const struct unit *u, const struct resource_value *default_tasks)
{
        uint32_t bits = wants(u->group);

        if (u->service && u->service->oom_policy == OOM_KILL)
                bits |= GROUP_MEMORY;
        if (u->service && default_tasks->kind != RESOURCE_UNSET)
                bits |= GROUP_PIDS;
        return bits;
}

const char *plan_group_lacks(const struct unit *u, uint32_t available)
{
        const struct group_config *g = u->group;

        if (u->service && u->service->oom_policy == OOM_KILL && !(available & GROUP_MEMORY))
                return "OOMPolicy";
        for (unsigned i = 0; i < N_RESOURCES; i++)
                if (g->resources[i].kind != RESOURCE_UNSET && (rows[i].controller & ~available))
                        return rows[i].key;
        if ((g->cpus || g->memory_nodes) && !(available & GROUP_CPUSET))
                return g->cpus ? "AllowedCPUs" : "AllowedMemoryNodes";
        return g->memory_accounting && !(available & GROUP_MEMORY)                       ? "MemoryAccounting"
               : g->tasks_accounting && !(available & GROUP_PIDS)                        ? "TasksAccounting"
               : (g->io_accounting || g->block_io_accounting) && !(available & GROUP_IO) ? "IOAccounting"
                                                                                         : NULL;
}

static uint64_t share_of(uint64_t whole, uint64_t permyriad)
{
        return whole / 10000 * permyriad + whole % 10000 * permyriad / 10000;
}

/* cpu.max: the kernel wants both numbers to be 1 ms at least, so a small quota makes the period longer. */
static void quota_text(const struct group_config *g, char *ret, size_t size)
{
        const struct resource_value *quota = &g->resources[RESOURCE_CPU_QUOTA],
                                    *period = &g->resources[RESOURCE_CPU_PERIOD];
        uint64_t us = period->kind == RESOURCE_UNSET ? 100000 : period->value;

        us = MIN2(MAX2(us, USEC_PER_MSEC * 10000 / quota->value), USEC_PER_SEC);
        (void)snprintf(ret, size, "%llu %llu",
                       (unsigned long long)MAX2(us * quota->value / 10000, (uint64_t)USEC_PER_MSEC),
                       (unsigned long long)us);
}

static uint64_t number_of(unsigned i, struct resource_value v, const struct plan_whole *whole)
{
        const uint64_t wholes[] = {[OF_NOTHING] = 0, [OF_MEMORY] = whole->memory, [OF_TASKS] = whole->tasks};

        if (v.kind == RESOURCE_INFINITY)
                return UINT64_MAX;
        if (v.kind == RESOURCE_SHARE)
                v.value = share_of(wholes[rows[i].whole], v.value);
        return i == RESOURCE_TASKS_MAX && v.value == 0 ? 1 : v.value;
}

uint64_t plan_group_number(const struct group_config *g, enum resource i, const struct plan_whole *whole, uint64_t none)
{
        struct resource_value v = effective(g, i);

        if (v.kind == RESOURCE_UNSET && i == RESOURCE_TASKS_MAX)
                v = whole->default_tasks;
        if (v.kind == RESOURCE_UNSET)
                return none;
        return i == RESOURCE_CPU_QUOTA ? v.value * (USEC_PER_SEC / 10000) : number_of(i, v, whole);
}

static void value_text(const struct group_config *g, unsigned i, struct resource_value v,
                       const struct plan_whole *whole, char *ret, size_t size)
{
        uint64_t n = number_of(i, v, whole);

        if (i == RESOURCE_CPU_QUOTA)
                quota_text(g, ret, size);
        else if (n == UINT64_MAX)
                (void)snprintf(ret, size, "max");
        else
                (void)snprintf(ret, size, "%s%llu", i == RESOURCE_IO_WEIGHT ? "default " : "", (unsigned long long)n);
}

/* "0-3 7" as the kernel wants it: commas. */
static void list_text(const char *list, char *ret, size_t size)
{
        size_t n = 0;

        for (const char *p = list ? list : ""; *p && n + 1 < size; p++) {
                bool blank = *p == ' ' || *p == '\t' || *p == ',';

                if (!blank)
                        ret[n++] = *p;
                else if (n > 0 && ret[n - 1] != ',')
                        ret[n++] = ',';
        }
        ret[n] = 0;
}

static int put_lists(const struct group_config *g, const struct group_config *before, uint32_t available,
                     int (*put)(void *userdata, const char *file, const char *value), void *userdata)
{
        const struct {
                const char *file, *now, *then;
        } lists[] = {{"cpuset.cpus", g->cpus, before ? before->cpus : NULL},
                     {"cpuset.mems", g->memory_nodes, before ? before->memory_nodes : NULL}};
        char text[4200];
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(lists) && r >= 0 && (available & GROUP_CPUSET); i++) {
                if (!lists[i].now && !lists[i].then)
                        continue;
                list_text(lists[i].now, text, sizeof(text));
                r = put(userdata, lists[i].file, *text ? text : "\n");
        }
        return r;
}

int plan_group_files(const struct group_config *g, const struct group_config *before, uint32_t available,
                     const struct plan_whole *whole, int (*put)(void *userdata, const char *file, const char *value),
                     void *userdata)
{
        char text[64];
        int r = 0;

        for (unsigned i = 0; i < N_RESOURCES && r >= 0; i++) {
                struct resource_value v = effective(g, i), then = {0};

                if (!rows[i].file || !(rows[i].controller & available))
                        continue;
                if (before)
                        then = effective(before, i);
                if (v.kind == RESOURCE_UNSET && i == RESOURCE_TASKS_MAX)
                        v = whole->default_tasks;
                if (i == RESOURCE_CPU_WEIGHT && (v.kind == RESOURCE_IDLE || then.kind == RESOURCE_IDLE))
                        r = put(userdata, "cpu.idle", v.kind == RESOURCE_IDLE ? "1" : "0");
                if (v.kind == RESOURCE_IDLE || (v.kind == RESOURCE_UNSET && then.kind == RESOURCE_UNSET))
                        continue;
                if (v.kind == RESOURCE_UNSET)
                        (void)snprintf(text, sizeof(text), "%s", rows[i].unset);
                else
                        value_text(g, i, v, whole, text, sizeof(text));
                r = r < 0 ? r : put(userdata, rows[i].file, text);
        }
        return r < 0 ? r : put_lists(g, before, available, put, userdata);
}

const char *plan_group_enable(uint32_t bits, char ret[static 64])
{
        size_t n = 0;

        *ret = 0;
        for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
                if (bits >> i & 1)
                        n += (size_t)snprintf(ret + n, 64 - n, "%s+%s", n ? " " : "", controllers[i]);
        return ret;
}

uint32_t plan_group_parse(const char *list)
{
        uint32_t bits = 0;

        for (const char *p = list; *(p += strspn(p, " \n")); p += strcspn(p, " \n"))
                for (size_t i = 0; i < ARRAY_SIZE(controllers); i++)
                        if (strcspn(p, " \n") == strlen(controllers[i]) && starts_with(p, controllers[i]))
                                bits |= 1u << i;
        return bits;
}

/* ---- the records ---- */

struct files {
        struct writer *w;
        const char *directory;
};

static int put_file(void *userdata, const char *file, const char *value)
{
        const struct files *f = userdata;
        char path[4500];

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", f->directory, file) >= sizeof(path))
                return 0;
        writer_begin(f->w, PLAN_GROUP_FILE);
        writer_string(f->w, path);
        writer_string(f->w, value);
        writer_end(f->w);
        return 0;
}

/* A controller is on in a cgroup when the one above has it in its subtree_control; the base has all of them. */
static void put_enable(struct writer *w, const char *directory, uint32_t bits)
{
        struct files f = {w, directory};
        char text[64];

        if (bits != 0)
                (void)put_file(&f, "cgroup.subtree_control", plan_group_enable(bits, text));
}

void plan_put_group(struct writer *w, const struct unit *u, const struct plan_context *c)
{
        const struct resource_value nothing = {0};
        struct plan_whole whole_of_slice = c->whole;
        uint32_t all = plan_group_wants(u, &c->whole.default_tasks) & c->controllers;
        struct files own = {w, c->cgroup};

        if (!c->cgroup)
                return;
        put_string(w, PLAN_CGROUP, c->cgroup);
        whole_of_slice.default_tasks = nothing;
        for (unsigned i = 0; i < c->n_slices; i++) {
                const struct plan_slice *slice = &c->slices[i];
                struct files f = {w, slice->directory};
                uint32_t below = all;

                (void)plan_group_files(slice->config, NULL, c->controllers, &whole_of_slice, put_file, &f);
                for (unsigned j = i + 1; j < c->n_slices; j++)
                        below |= wants(c->slices[j].config) & c->controllers;
                put_enable(w, slice->directory, below);
        }
        (void)plan_group_files(u->group, NULL, c->controllers, &c->whole, put_file, &own);
        if (u->service->oom_policy == OOM_KILL && (c->controllers & GROUP_MEMORY))
                (void)put_file(&own, "memory.oom.group", "1");
        if (u->group->delegate) {
                writer_begin(w, PLAN_DELEGATE);
                writer_end(w);
        }
}
