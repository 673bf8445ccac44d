/* SPDX-License-Identifier: MIT
 *
 * Limits and shares of cgroups: which controllers are wanted, turning them on, which slices a unit lies in, and what
 * the machine has as a whole.
 *
 * The files themselves are written by the launcher, with each start: that is idempotent, so nothing is remembered, and
 * nothing that may take its time happens here, but that controllers are turned on at the first need, and that what was
 * changed is written anew at daemon-reload. In the cgroup that supd was started in they are turned on only where that
 * is ours: as process 1, where it was delegated (the attribute that systemd sets), or below a directory of CGroups=.
 * What is missing is told once for each unit, and the unit runs without.
 *
 * Not here: which file (exec/plan-group.c), who writes (supd-exec/group.c). Invariants: it can be done twice; where
 * nothing is asked for, no system call is made.
 */
#include "manager.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysinfo.h>
#include <sys/xattr.h>

enum { SLICES_MAX = 16 };

static bool is_delegated(const char *directory)
{
        static const char *const names[] = {"trusted.delegate", "user.delegate"};
        char value[8];

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (getxattr(directory, names[i], value, sizeof(value)) == 1 && value[0] == '1')
                        return true;
        return false;
}

/* CGroups=DIRECTORY: the processes of supd itself are elsewhere. */
static bool own_is_given(const struct manager *m)
{
        const char *given = getenv("SUPD_CGROUPS");

        return given && *given ? *given == '/' : m->cgroups && *m->cgroups == '/';
}

static bool own_is_ours(const struct manager *m)
{
        return m->keeper_pid == 1 || own_is_given(m) || is_delegated(m->groups.c.own);
}

/* A cgroup with controllers for those below may hold no processes itself, but for the root of all. So ours go into a
 * leaf, where that may become necessary, before there are more of them. */
void resources_open(struct manager *m)
{
        const struct cgroup *c = &m->groups.c;
        char path[PATH_MAX];

        if (!c->usable || c->found != CGROUP_V2_CONTROLLERS || own_is_given(m) || !own_is_ours(m))
                return;
        (void)snprintf(path, sizeof(path), "%s/cgroup.type", c->own);
        if (access(path, F_OK) < 0)
                return;
        if (cgroup_enter_manager(c, m->keeper_pid) < 0 || cgroup_enter_manager(c, 0) < 0 ||
            cgroup_enter_manager(c, m->launcher_pid) < 0)
                log_line(m, NULL, "supd cannot leave %s for a cgroup of its own: limits may not be had", c->own);
}

static uint64_t number_of(const char *path)
{
        char text[32];

        return sys_read_file(path, text, sizeof(text), NULL) < 0 ? UINT64_MAX : strtoull(text, NULL, 10);
}

static void whole_find(struct manager *m)
{
        struct plan_whole *w = &m->resources.whole;
        struct sysinfo s;

        if (m->resources.whole_known)
                return;
        m->resources.whole_known = true;
        if (sysinfo(&s) == 0)
                w->memory = (uint64_t)s.totalram * s.mem_unit;
        w->tasks = MIN2(number_of("/proc/sys/kernel/threads-max"), number_of("/proc/sys/kernel/pid_max"));
}

static void controllers_on(struct manager *m, uint32_t wanted)
{
        cleanup_buf_ struct buf on = {0};
        char words[64], *to = words;

        if ((wanted & ~m->resources.tried) == 0)
                return;
        m->resources.tried |= wanted;
        for (const char *p = plan_group_enable(wanted, words); *p; p++)
                if (*p != '+')
                        *to++ = *p;
        *to = 0;
        if (cgroup_enable_controllers(&m->groups.c, words, own_is_ours(m), &on) == 0)
                m->resources.on = plan_group_parse(buf_str(&on));
}

/* ---- what a unit lies in ---- */

struct slices {
        struct plan_slice v[SLICES_MAX];
        char directories[SLICES_MAX][1280];
        unsigned n;
        uint32_t wants;
};

/* From the outermost: "a.slice", "a-b.slice". */
static void slices_find(struct manager *m, const char *slice, struct slices *ret)
{
        static const struct group_config nothing;
        static const struct resource_value no_default;
        size_t length = strlen(slice) - strlen(".slice");
        char name[256], path[1024];

        ret->n = 0;
        ret->wants = 0;
        for (size_t i = 1; i <= length && ret->n < SLICES_MAX && !streq(slice, "-.slice"); i++) {
                const struct run *s;

                if (i < length && slice[i] != '-')
                        continue;
                (void)snprintf(name, sizeof(name), "%.*s.slice", (int)i, slice);
                (void)snprintf(ret->directories[ret->n], sizeof(ret->directories[0]), "%s/%s", m->groups.c.base,
                               groups_slice(name, path, sizeof(path)));
                s = units_find(m, name);
                ret->v[ret->n].directory = ret->directories[ret->n];
                ret->v[ret->n].config = s && s->unit ? s->unit->group : &nothing;
                if (s && s->unit)
                        ret->wants |= plan_group_wants(s->unit, &no_default);
                ret->n++;
        }
}

/* What cannot be had is told once; a manager that takes over has it told already. */
static void lack_note(struct manager *m, struct run *r, bool tell)
{
        const char *key = plan_group_lacks(r->unit, m->groups.c.usable ? m->resources.on : 0);

        if (r->lack == key)
                return;
        r->lack = key;
        engine_show(m, r);
        if (key && tell)
                log_line(m, r->name, "%s= is not carried out: supd has no such controller here", key);
}

void resources_prepare(struct manager *m, struct run *r, struct plan_context *c)
{
        static struct slices slices; /* the plan is made of them at once */
        uint32_t wanted = plan_group_wants(r->unit, &m->resources.whole.default_tasks);

        slices.n = slices.wants = 0;
        if (c->cgroup)
                slices_find(m, groups_slice_of(r), &slices);
        if ((wanted | slices.wants) == 0)
                return;
        if (c->cgroup) {
                whole_find(m);
                controllers_on(m, wanted | slices.wants);
                c->whole = m->resources.whole;
                c->controllers = m->resources.on;
                c->slices = slices.v;
                c->n_slices = slices.n;
        }
        lack_note(m, r, true);
}

void resources_recover(struct manager *m, struct run *r)
{
        uint32_t wanted = r->unit ? plan_group_wants(r->unit, &m->resources.whole.default_tasks) : 0;

        if (wanted == 0 || run_active(r) == ACTIVE_INACTIVE || run_active(r) == ACTIVE_FAILED)
                return;
        if (m->groups.c.usable)
                controllers_on(m, wanted);
        lack_note(m, r, false);
        if (run_active(r) == ACTIVE_ACTIVE)
                oom_watch(m, r);
}

uint64_t resources_number(struct manager *m, const struct unit *u, enum resource resource, uint64_t none)
{
        if (u->group->resources[resource].kind == RESOURCE_SHARE)
                whole_find(m);
        return plan_group_number(u->group, resource, &m->resources.whole, none);
}

/* ---- what was changed while it runs ---- */

/* A list of CPUs or nodes cannot be emptied while processes are there: they get all that lie above them. */
static void put_all(const char *directory, const char *file, int fd)
{
        char path[PATH_MAX], all[4200];

        (void)snprintf(path, sizeof(path), "%s/../%s.effective", directory, file);
        if (sys_read_file(path, all, sizeof(all), NULL) == 0)
                (void)!write(fd, all, strlen(all));
}

/* Only where something else is there: a limit that is written makes the kernel look for memory to take back. */
static int put_changed(void *userdata, const char *file, const char *value)
{
        const char *directory = userdata;
        char path[PATH_MAX], now[4200];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, file);
        if (sys_read_file(path, now, sizeof(now), NULL) < 0)
                return 0;
        now[strcspn(now, "\n")] = 0;
        if (streq(now, value))
                return 0;
        fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
                return 0;
        if (write(fd, value, strlen(value)) < 0 && streq(value, "\n"))
                put_all(directory, file, fd);
        (void)close(fd);
        return 0;
}

void resources_changed(struct manager *m, struct run *r, const struct unit *next)
{
        static const struct resource_value no_default;
        struct plan_whole whole;
        uint32_t wanted;
        char directory[2304], place[1024];

        if (m->recovering || !m->groups.c.usable || next->group == r->unit->group ||
            (next->type == UNIT_SERVICE ? !(r->d.flags & UNIT_GROUP) : next->type != UNIT_SLICE))
                return;
        wanted = plan_group_wants(next, &no_default);
        whole_find(m);
        controllers_on(m, wanted);
        whole = m->resources.whole;
        if (next->type == UNIT_SLICE)
                (void)groups_slice(r->name, place, sizeof(place));
        else
                (void)groups_place(r, place, sizeof(place));
        if (next->type == UNIT_SLICE)
                whole.default_tasks = no_default;
        (void)snprintf(directory, sizeof(directory), "%s/%s", m->groups.c.base, place);
        if (*place)
                (void)plan_group_files(next->group, r->unit->group, m->resources.on, &whole, put_changed, directory);
}
