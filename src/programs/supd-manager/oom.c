/* SPDX-License-Identifier: MIT
 *
 * What the kernel kills because memory ran out (OOMPolicy=): memory.events of a unit's cgroup counts it. It is looked
 * at when a process of the unit ends by SIGKILL, before that end counts for anything, and, for units that ask for the
 * controller themselves, when the file changes: then a process is noticed that is neither main nor control.
 *
 * Not here: what follows (machine/). Invariant: the count that was seen last is in the record, so that each kill is
 * told once, by whichever manager.
 */
#include "manager.h"

#include <stdio.h>
#include <sys/inotify.h>

static bool minds(const struct manager *m, const struct run *r)
{
        return (m->resources.on & GROUP_MEMORY) && r->unit->service && r->unit->service->oom_policy != OOM_CONTINUE &&
               groups_has(m, r);
}

void oom_look(struct manager *m, struct run *r)
{
        uint64_t n;

        if (!minds(m, r) || !groups_read(m, r, OOM_COUNTER, &n) || n == r->d.oom_kills)
                return;
        if (n > r->d.oom_kills) {
                log_line(m, r->name, "the kernel killed a process of it because memory ran out");
                engine_post(m, r, EVENT_OOM, 0, 0);
        }
        r->d.oom_kills = (uint32_t)n;
        engine_touch(m, r);
}

void oom_watch(struct manager *m, struct run *r)
{
        char place[1024], path[2560];
        int w;

        if (r->oom_watch != 0 || !minds(m, r) ||
            !(plan_group_wants(r->unit, &m->resources.whole.default_tasks) & GROUP_MEMORY))
                return;
        (void)snprintf(path, sizeof(path), "%s/%s/memory.events", m->groups.c.base,
                       groups_place(r, place, sizeof(place)));
        if (groups_events_open(m) < 0)
                return;
        w = inotify_add_watch(m->groups.inotify_fd, path, IN_MODIFY);
        if (w < 0 || list_add(&m->groups.memory, r->id) < 0)
                return;
        r->oom_watch = w;
        oom_look(m, r); /* before the watch was there */
}

void oom_unwatch(struct manager *m, struct run *r)
{
        struct list_u32 *l = &m->groups.memory;

        if (r->oom_watch == 0)
                return;
        (void)inotify_rm_watch(m->groups.inotify_fd, r->oom_watch);
        r->oom_watch = 0;
        for (size_t i = 0; i < l->n; i++)
                if (l->v[i] == r->id)
                        l->v[i--] = l->v[--l->n];
}

void oom_event(struct manager *m, int watch, uint32_t mask)
{
        for (size_t i = 0; i < m->groups.memory.n; i++) {
                struct run *r = m->runs[m->groups.memory.v[i]];

                if ((r->oom_watch == watch && (mask & IN_MODIFY)) || (mask & IN_Q_OVERFLOW))
                        oom_look(m, r);
        }
}
