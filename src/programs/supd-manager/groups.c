/* SPDX-License-Identifier: MIT
 *
 * The units' cgroups: where the base is, what a unit's is called, who is in it, when it is empty, and when its
 * directory goes. The launcher makes it and starts the processes in it.
 *
 * Where a unit's cgroup lies follows from its name and Slice=, so what has to be remembered is the base, which has a
 * record, and the slice of a unit that runs while Slice= has been changed, which has one, too; the lock on the base is
 * kept by the keeper. What is done here can be done twice: killing, watching, removing a directory that may be gone.
 *
 * Invariant: a unit without UNIT_GROUP, and every unit where there is no base, is not looked at here at all; with
 * UNIT_OUTSIDE its processes are looked for in both ways (procs.c).
 */
#include "manager.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "handover/handover.h"

#define KEPT_FD "cgroup" /* its name in the keeper's store */

/* ---- the base ---- */

/* CGroups= of supd.conf; the environment goes before it. NULL: below the cgroup we are in; "no": none. */
static const char *wanted(const struct manager *m)
{
        const char *w = getenv("SUPD_CGROUPS");

        w = w && *w ? w : m->cgroups;
        return w && !streq(w, "auto") ? w : NULL;
}

int groups_replay(struct manager *m, const void *data, size_t size)
{
        int v = 0;

        if (!m->groups.c.base) /* a later record says the same */
                v = cgroup_reopen(&m->groups.c, data, size, handover_inherited(state_map(m->state), KEPT_FD));
        return v == -ENOMEM ? v : 0;
}

int groups_put(struct manager *m)
{
        cleanup_buf_ struct buf b = {0};
        int v;

        if (!m->groups.c.base)
                return 0;
        v = cgroup_record(&m->groups.c, &b);
        if (v == -EOPNOTSUPP)
                return 0;
        return v < 0 ? v : state_put(m->state, RECORD_GROUPS, 0, b.data, b.size);
}

int groups_open(struct manager *m)
{
        const char *under = wanted(m);
        char name[128];
        int v;

        if (m->groups.c.base) {
                if (!m->groups.c.usable)
                        log_line(m, NULL, "%s is gone: processes are told apart without cgroups", m->groups.c.base);
        } else if (!under || !streq(under, "no")) {
                (void)snprintf(name, sizeof(name), "supd%s%s", *m->name ? "-" : "", m->name);
                v = cgroup_open(&m->groups.c, under, name);
                if (v == 0 && m->keeper_pid == 1 && !under && m->groups.c.found == CGROUP_NONE && cgroup_mount() == 0)
                        v = cgroup_open(&m->groups.c, under, name);
                if (v < 0)
                        return v;
                m->groups.unrecorded = m->groups.c.usable;
        }
        if (!m->groups.c.usable) {
                if (under && *under == '/')
                        log_line(m, NULL, "no cgroup can be made in %s; supd does without", under);
                return 0;
        }
        if (m->groups.unrecorded)
                resources_open(m);
        if (handover_inherited(state_map(m->state), KEPT_FD) < 0)
                keeper_store(m, KEPT_FD, m->groups.c.fd);
        if (m->verbose)
                log_line(m, NULL, "cgroups: %s, in %s", cgroup_case_name(m->groups.c.found), m->groups.c.base);
        return 0;
}

void groups_close(struct manager *m)
{
        cgroup_remove_all(&m->groups.c);
}

/* ---- a unit's place ---- */

/* The kernel's own files may not be met: such a name gets a '_' in front, and so does one that has one already. */
static const char *escape_of(const char *name)
{
        static const char *const taken[] = {
                "_",     ".",        "cgroup.", "cpu.",  "cpuset.",           "io.",           "memory.",
                "pids.", "hugetlb.", "misc.",   "rdma.", "notify_on_release", "release_agent", "tasks"};

        for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
                if (starts_with(name, taken[i]))
                        return "_";
        return "";
}

/* "a-b-c.slice" lies in "a-b.slice", and that in "a.slice" (systemd.slice(5)). */
const char *groups_slice(const char *slice, char *ret, size_t size)
{
        size_t length = strlen(slice) - strlen(".slice"), n = 0;

        *ret = 0;
        if (streq(slice, "-.slice"))
                return ret;
        for (size_t i = 1; i <= length; i++) {
                int written;

                if (i < length && slice[i] != '-')
                        continue;
                written = snprintf(ret + n, size - n, "%s%.*s.slice", n ? "/" : "", (int)i, slice);
                if (written < 0 || (size_t)written >= size - n) {
                        *ret = 0;
                        return ret;
                }
                n += (size_t)written;
        }
        return ret;
}

const char *groups_slice_of(const struct run *r)
{
        if (r->slice)
                return r->slice;
        return r->unit && r->unit->group->slice ? r->unit->group->slice : "system.slice";
}

const char *groups_place(const struct run *r, char *ret, size_t size)
{
        size_t n = strlen(groups_slice(groups_slice_of(r), ret, size));
        int written = snprintf(ret + n, size - n, "%s%s%s", n ? "/" : "", escape_of(r->name), r->name);

        if (written < 0 || (size_t)written >= size - n)
                *ret = 0;
        return ret;
}

/* ---- a unit that runs stays where it is, whatever Slice= says by now ---- */

void groups_stay(struct manager *m, struct run *r, const struct unit *next)
{
        const char *now = groups_slice_of(r), *then = next->group->slice ? next->group->slice : "system.slice";

        if (m->recovering || !(r->d.flags & UNIT_GROUP) || r->slice || streq(now, then))
                return;
        r->slice = strdup(now);
        if (!r->slice)
                engine_out_of_memory();
        r->slice_dirty = true;
        engine_touch(m, r);
}

int groups_put_slice(struct manager *m, struct run *r, bool whole)
{
        if (whole ? !r->slice : !r->slice_dirty)
                return 0;
        return state_put(m->state, RECORD_SLICE, r->id, r->slice ? r->slice : "",
                         (r->slice ? strlen(r->slice) : 0) + 1);
}

int groups_replay_slice(struct run *r, const char *slice, size_t size)
{
        if (size < sizeof(".slice") || slice[size - 1] != 0 || !ends_with(slice, ".slice")) {
                free(r->slice);
                r->slice = NULL;
                return 0;
        }
        free(r->slice);
        r->slice = strdup(slice);
        return r->slice ? 0 : -ENOMEM;
}

static void slice_forget(struct manager *m, struct run *r)
{
        if (!r->slice)
                return;
        free(r->slice);
        r->slice = NULL;
        r->slice_dirty = true;
        engine_touch(m, r);
}

bool groups_has(const struct manager *m, const struct run *r)
{
        return m->groups.c.usable && (r->d.flags & UNIT_GROUP);
}

const char *groups_path(const struct manager *m, const struct run *r, char *ret, size_t size)
{
        char place[1024];
        int n;

        *ret = 0;
        if (!groups_has(m, r))
                return ret;
        n = snprintf(ret, size, "%s/%s", m->groups.c.path, groups_place(r, place, sizeof(place)));
        if (n < 0 || (size_t)n >= size)
                *ret = 0;
        return ret;
}

bool groups_read(const struct manager *m, const struct run *r, const char *file, const char *key, uint64_t *ret)
{
        char place[1024], path[2560], text[4096];
        const char *p = text;

        if (!groups_has(m, r))
                return false;
        (void)snprintf(path, sizeof(path), "%s/%s/%s", m->groups.c.base, groups_place(r, place, sizeof(place)), file);
        if (sys_read_file(path, text, sizeof(text), NULL) < 0)
                return false;
        if (key) {
                p = strstr(text, key);
                p = p ? p + strlen(key) : NULL;
        }
        if (!p || *p < '0' || *p > '9')
                return false;
        *ret = strtoull(p, NULL, 10);
        return true;
}

/* ---- who is in it ---- */

/* 1, 0, or a negative errno. */
static int populated(struct manager *m, struct run *r, const char *place)
{
        int v = r->group_empty ? 0 : cgroup_populated(&m->groups.c, place);

        r->group_empty = v == 0;
        return v;
}

/* Those that no slot knows, from the pids in B. */
static int unknown_of(struct manager *m, const struct run *r, const struct buf *b, struct sys_pids *ret)
{
        size_t n = b->size / sizeof(pid_t);
        struct sys_pids l = {.v = calloc(n + 1, sizeof(pid_t)), .allocated = n + 1};

        if (!l.v)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                pid_t pid;

                memcpy(&pid, b->data + i * sizeof(pid), sizeof(pid));
                if ((uint32_t)pid != r->d.main.pid && (uint32_t)pid != r->d.control.pid && pid != getpid() &&
                    pid != m->keeper_pid && !procs_claimed(m, pid))
                        l.v[l.n++] = pid;
        }
        *ret = l;
        return 0;
}

int groups_rest(struct manager *m, struct run *r, struct sys_pids *ret)
{
        cleanup_buf_ struct buf b = {0};
        char place[1024];
        int v = populated(m, r, groups_place(r, place, sizeof(place)));

        if (v == 0) {
                *ret = (struct sys_pids){0};
                return 0;
        }
        if (v > 0)
                v = cgroup_pids(&m->groups.c, place, &b);
        return v < 0 ? v : unknown_of(m, r, &b, ret);
}

int groups_kill(struct manager *m, struct run *r)
{
        char place[1024];

        return groups_has(m, r) ? cgroup_kill(&m->groups.c, groups_place(r, place, sizeof(place))) : -EOPNOTSUPP;
}

/* The unit whose cgroup PATH lies in, or is. */
static struct run *owner_of_path(struct manager *m, const char *path)
{
        size_t n = strlen(m->groups.c.path);
        char name[256];

        if (strncmp(path, m->groups.c.path, n) != 0 || path[n] != '/')
                return NULL;
        for (path += n + 1; *path; path += strcspn(path, "/"), path += *path == '/') {
                size_t length = strcspn(path, "/");

                if (length >= 6 && strncmp(path + length - 6, ".slice", 6) == 0)
                        continue;
                if (length >= sizeof(name))
                        return NULL;
                (void)snprintf(name, sizeof(name), "%.*s", (int)length - (*path == '_'), path + (*path == '_'));
                return units_find(m, name);
        }
        return NULL;
}

struct run *groups_owner(struct manager *m, pid_t pid)
{
        char path[64], text[8192], *save = NULL;
        struct run *r = NULL;

        if (!m->groups.c.usable)
                return NULL;
        (void)snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
        if (sys_read_file(path, text, sizeof(text), NULL) < 0)
                return NULL;
        for (char *line = strtok_r(text, "\n", &save); line && !r; line = strtok_r(NULL, "\n", &save)) {
                const char *second = strchr(line, ':');

                second = second ? strchr(second + 1, ':') : NULL;
                if (second && (starts_with(line, "0::") ? m->groups.c.unified : strstr(line, ":name=") != NULL))
                        r = owner_of_path(m, second + 1);
        }
        return r;
}

/* ---- waiting until it is empty ---- */

static void look(struct manager *m, struct run *r)
{
        if (!r->look && list_add(&m->looks, r->id) == 0)
                r->look = true;
}

static void events_ready(struct manager *m, struct source *s unused_, uint32_t events unused_)
{
        char bytes[4096] __attribute__((aligned(8)));
        const struct inotify_event *e;
        ssize_t n;

        while ((n = read(m->groups.inotify_fd, bytes, sizeof(bytes))) > 0)
                for (char *p = bytes; p < bytes + n; p += sizeof(*e) + e->len) {
                        e = (const struct inotify_event *)(void *)p;
                        for (size_t i = 0; i < m->groups.waiting.n; i++) {
                                struct run *r = m->runs[m->groups.waiting.v[i]];

                                if (r->group_watch == e->wd && (e->mask & (IN_MODIFY | IN_Q_OVERFLOW)))
                                        look(m, r);
                        }
                        oom_event(m, e->wd, e->mask);
                }
}

int groups_events_open(struct manager *m)
{
        if (m->groups.inotify_fd >= 0)
                return 0;
        m->groups.inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (m->groups.inotify_fd < 0)
                return -errno;
        return loop_add(m, m->groups.inotify_fd, EPOLLIN, events_ready, NULL, &m->groups.source);
}

bool groups_watch(struct manager *m, struct run *r)
{
        cleanup_buf_ struct buf b = {0};
        char place[1024];
        int w;

        if (!groups_has(m, r) || (r->d.flags & UNIT_OUTSIDE) || !m->groups.c.unified)
                return false;
        if (r->group_watch == 0) {
                if (groups_events_open(m) < 0 ||
                    cgroup_path(&m->groups.c, groups_place(r, place, sizeof(place)), &b) < 0 ||
                    buf_append_str(&b, "/cgroup.events") < 0)
                        return false;
                w = inotify_add_watch(m->groups.inotify_fd, buf_str(&b), IN_MODIFY);
                if (w < 0 || list_add(&m->groups.waiting, r->id) < 0)
                        return false;
                r->group_watch = w;
                if (populated(m, r, place) == 0)
                        look(m, r); /* it became so before the watch was there */
        }
        return true;
}

void groups_unwatch(struct manager *m, struct run *r)
{
        struct list_u32 *l = &m->groups.waiting;

        oom_unwatch(m, r);
        if (r->group_watch == 0)
                return;
        (void)inotify_rm_watch(m->groups.inotify_fd, r->group_watch);
        r->group_watch = 0;
        for (size_t i = 0; i < l->n; i++)
                if (l->v[i] == r->id)
                        l->v[i--] = l->v[--l->n];
}

/* A new activation: to where Slice= says by now, and with counters at 0, unless something is left in the old one. */
void groups_begin(struct manager *m, struct run *r)
{
        char place[1024];
        uint64_t n;

        if (!r->slice && r->d.oom_kills == 0)
                return;
        if (cgroup_remove(&m->groups.c, groups_place(r, place, sizeof(place))) == 0) {
                slice_forget(m, r);
                r->d.oom_kills = 0;
        } else if (groups_read(m, r, OOM_COUNTER, &n)) {
                r->d.oom_kills = (uint32_t)n;
        }
}

/* ---- the end ---- */

void groups_leave(struct manager *m, struct run *r)
{
        if (groups_has(m, r))
                (void)list_add(&m->groups.leaving, r->id);
}

/* What has ended and was not started again at once. What KillMode= left running keeps its directory. */
void groups_tidy(struct manager *m)
{
        for (size_t i = 0; i < m->groups.leaving.n; i++) {
                struct run *r = m->runs[m->groups.leaving.v[i]];
                enum unit_active a = run_active(r);
                char place[1024];

                if (a != ACTIVE_INACTIVE && a != ACTIVE_FAILED)
                        continue;
                (void)cgroup_remove(&m->groups.c, groups_place(r, place, sizeof(place)));
                slice_forget(m, r);
        }
        m->groups.leaving.n = 0;
}
