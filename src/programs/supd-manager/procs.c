/* SPDX-License-Identifier: MIT
 *
 * Whose process is it? Where a unit has a cgroup, what is in it (groups.c). Else a process of a unit is a descendant of
 * its main or control process, or an orphan (a child of the keeper that no slot knows) whose session or process group
 * is that of a process of the unit, or of what its ExecStart= has left behind (Type=forking; the launcher's left.c), or
 * whose environment carries the unit's invocation id. What a dead keeper has left
 * is an orphan of somebody else: the invocation id alone tells whose it is. Everything else is not attributed, and
 * never signalled.
 *
 * Invariant: nothing is signalled but through procs_signal() and sys_kill() with a start time.
 */
#include "manager.h"

#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/id128.h"

void procs_new_turn(struct manager *m)
{
        m->orphans_known = false;
}

/* To a process in a slot. It is not reaped while its pid stands in pids[], so what the pidfd names is what is meant. */
int procs_signal(struct manager *m, const struct process_durable *p, const int *signals, unsigned n)
{
        uint32_t pid;
        cleanup_close_ int fd = -1;
        int r = 0;

        if (!(p->flags & PROCESS_RUNNING))
                return -ESRCH;
        if (p->flags & PROCESS_FOREIGN) {
                for (unsigned i = 0; i < n && r == 0; i++)
                        r = sys_kill((pid_t)p->pid, p->start_time, signals[i]);
                return r;
        }
        if (p->generation == 0)
                return -ESRCH;
        pid = atomic_load(&durable_pids(state_map(m->state))[p->slot]);
        if (pid == 0 || (p->pid > 0 && p->pid != pid))
                return -ESRCH;
        fd = sys_pidfd_open((pid_t)pid);
        if (atomic_load(&durable_pids(state_map(m->state))[p->slot]) != pid)
                return -ESRCH;
        for (unsigned i = 0; i < n && r == 0; i++)
                if (fd < 0 || syscall(SYS_pidfd_send_signal, fd, signals[i], NULL, 0) < 0)
                        r = sys_kill((pid_t)pid, 0, signals[i]);
        return r;
}

/* To the process group of a process that we started, which is its leader. Its number cannot be another group's while
 * the leader is not reaped. -ESRCH where that cannot be said; success once the first signal has been sent. */
int procs_signal_group(struct manager *m, const struct process_durable *p, const int *signals, unsigned n)
{
        uint32_t pid;

        if (!(p->flags & PROCESS_RUNNING) || (p->flags & (PROCESS_FOREIGN | PROCESS_CLAIMED)) || p->generation == 0)
                return -ESRCH;
        for (unsigned i = 0; i < n; i++) {
                pid = atomic_load(&durable_pids(state_map(m->state))[p->slot]);
                if (pid <= 1 || pid > INT32_MAX || (p->pid > 0 && p->pid != pid))
                        return i == 0 ? -ESRCH : 0;
                if (kill(-(pid_t)pid, signals[i]) < 0)
                        return i == 0 ? -errno : 0;
        }
        return 0;
}

bool procs_claimed(struct manager *m, pid_t pid)
{
        uint32_t slot;

        return state_slot_of_pid(m->state, (uint32_t)pid, &slot) == 0;
}

static int by_number(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

/* Takes every pid that stands in a slot out of the list: one pass over the slots, whatever the length of the list. */
static int drop_claimed(struct manager *m, struct sys_pids *l)
{
        uint32_t n = 0, n_slots = atomic_load(&m->header->n_slots);
        _Atomic uint32_t *pids = durable_pids(state_map(m->state));
        cleanup_free_ uint32_t *known = NULL;
        size_t kept = 0;

        if (l->n == 0)
                return 0;
        known = calloc(n_slots, sizeof(*known));
        if (!known)
                return -ENOMEM;
        for (uint32_t i = 0; i < n_slots; i++) {
                uint32_t pid = atomic_load_explicit(&pids[i], memory_order_relaxed);
                if (pid > 0)
                        known[n++] = pid;
        }
        qsort(known, n, sizeof(*known), by_number);
        for (size_t i = 0; i < l->n; i++) {
                uint32_t pid = (uint32_t)l->v[i];
                if (!bsearch(&pid, known, n, sizeof(*known), by_number))
                        l->v[kept++] = l->v[i];
        }
        l->n = kept;
        return 0;
}

/* A process that began below a keeper that is gone is now somebody else's child. */
static bool may_be_orphan(const struct manager *m, const struct sys_stat *st)
{
        if (st->state == 'Z')
                return false;
        return st->parent == m->keeper_pid ||
               (m->meta.flags & META_TAKEN_OVER && st->start_time <= m->meta.keeper_start);
}

/* The keeper's children that no slot knows: all that can be left over from processes that have ended. */
static int orphans_read(struct manager *m)
{
        struct sys_pids all = {0};
        uint64_t began;
        size_t n = 0;
        int r;

        if (m->orphans_known)
                return 0;
        began = sys_mono_us();
        r = m->meta.flags & META_TAKEN_OVER ? -ENOENT : sys_children(m->keeper_pid, &all);
        if (r == -ENOENT) /* a kernel without PROC_CHILDREN: look at every process for the keeper as its parent */
                r = sys_processes(&all);
        if (r == 0)
                r = drop_claimed(m, &all);
        for (size_t i = 0; r == 0 && i < all.n; i++) {
                struct sys_stat st;
                if (all.v[i] == getpid() || all.v[i] == m->launcher_pid)
                        continue;
                r = sys_stat(all.v[i], &st);
                if (r == 0 && may_be_orphan(m, &st))
                        all.v[n++] = all.v[i];
                r = r == -ESRCH ? 0 : r; /* gone meanwhile; anything else is "not known", not "not there" */
        }
        if (r < 0) {
                free(all.v);
                return r;
        }
        free(m->orphans.v);
        m->orphans = all;
        m->orphans.n = n;
        m->orphans_known = true;
        m->orphans_at_us = sys_mono_us();
        m->orphans_cost_us = m->orphans_at_us - began;
        return 0;
}

static bool same_family(const struct process_durable *p, const struct sys_stat *st)
{
        uint32_t pid = p->pid ? p->pid : p->last_pid;

        return (p->session > 0 && st->session == (pid_t)p->session) ||
               (pid > 0 && (st->group == (pid_t)pid || st->session == (pid_t)pid));
}

/* It was left behind by ExecStart=, or descends from what was. */
static bool was_left(const struct run *r, const struct sys_stat *st)
{
        for (unsigned i = 0; i < DURABLE_MAX_LEFT && r->d.left[i] != 0; i++) {
                pid_t number = (pid_t)r->d.left[i];
                if (st->pid == number || st->session == number || st->group == number)
                        return true;
        }
        return false;
}

static bool is_family(const struct run *r, const struct sys_stat *st)
{
        return same_family(&r->d.main, st) || same_family(&r->d.control, st) || was_left(r, st);
}

/* The numbers of sessions and groups count below our keeper only: elsewhere they may long be others'. */
static bool belongs(const struct manager *m, const struct run *r, const struct sys_stat *st)
{
        bool is_ours = !(m->meta.flags & META_TAKEN_OVER) || st->parent == m->keeper_pid;
        char assignment[16 + ID128_TEXT_SIZE] = "INVOCATION_ID=";
        struct id128 id;

        if (is_ours && is_family(r, st))
                return true;
        memcpy(id.b, r->d.invocation, sizeof(id.b));
        if (id128_is_null(&id))
                return false;
        id128_format(&id, assignment + strlen(assignment));
        return sys_environ_has(st->pid, assignment) == 1;
}

/* Appends all descendants of what is in the list from index FROM on. */
static int add_descendants(struct manager *m, struct sys_pids *l, size_t from)
{
        for (size_t i = from; i < l->n; i++) {
                size_t before = l->n;
                int r = sys_children(l->v[i], l);
                if (r < 0 && r != -ENOENT && r != -ESRCH)
                        return r;
                for (size_t j = before; j < l->n;) /* a tracked process has an owner of its own */
                        if (procs_claimed(m, l->v[j]))
                                l->v[j] = l->v[--l->n];
                        else
                                j++;
        }
        return 0;
}

static int add_descendants_of(struct manager *m, struct sys_pids *l, const struct process_durable *p)
{
        size_t before = l->n;
        int r;

        if (!(p->flags & PROCESS_RUNNING) || p->pid == 0)
                return 0;
        r = sys_children((pid_t)p->pid, l);
        if (r == -ENOENT || r == -ESRCH)
                r = 0;
        return r < 0 ? r : add_descendants(m, l, before);
}

static int rest_by_family(struct manager *m, struct run *r, struct sys_pids *ret)
{
        struct sys_pids l = {0};
        int v = orphans_read(m);

        for (size_t i = 0; v == 0 && i < m->orphans.n; i++) {
                struct sys_stat st;
                size_t before = l.n;
                int gone = sys_stat(m->orphans.v[i], &st);
                if (gone < 0 && gone != -ESRCH) {
                        v = gone;
                        break;
                }
                if (gone < 0 || st.state == 'Z' || !belongs(m, r, &st))
                        continue;
                if (l.n + 1 > l.allocated) {
                        pid_t *p = reallocarray(l.v, l.n + 64, sizeof(*p));
                        if (!p) {
                                v = -ENOMEM;
                                break;
                        }
                        l.v = p;
                        l.allocated = l.n + 64;
                }
                l.v[l.n++] = st.pid;
                v = add_descendants(m, &l, before);
        }
        if (v == 0)
                v = add_descendants_of(m, &l, &r->d.main);
        if (v == 0)
                v = add_descendants_of(m, &l, &r->d.control);
        if (v < 0) {
                free(l.v);
                return v;
        }
        *ret = l;
        return 0;
}

static bool listed(const struct sys_pids *l, pid_t pid)
{
        for (size_t i = 0; i < l->n; i++)
                if (l->v[i] == pid)
                        return true;
        return false;
}

/* Appends what of MORE is not in the list yet. */
static int merge(struct sys_pids *l, const struct sys_pids *more)
{
        pid_t *p = reallocarray(l->v, l->n + more->n + 1, sizeof(*p));

        if (!p)
                return -ENOMEM;
        l->v = p;
        l->allocated = l->n + more->n + 1;
        for (size_t i = 0; i < more->n; i++)
                if (!listed(l, more->v[i]))
                        l->v[l->n++] = more->v[i];
        return 0;
}

/* What is in its cgroup is its own, however it came about. Only where one of its processes could not be put there does
 * the family count too. */
int procs_rest(struct manager *m, struct run *r, struct sys_pids *ret)
{
        struct sys_pids l = {0}, family = {0};
        int v;

        if (!groups_has(m, r))
                return rest_by_family(m, r, ret);
        v = groups_rest(m, r, &l);
        if (v == 0 && (r->d.flags & UNIT_OUTSIDE))
                v = rest_by_family(m, r, &family);
        if (v == 0 && family.n > 0)
                v = merge(&l, &family);
        free(family.v);
        if (v < 0) {
                free(l.v);
                return v;
        }
        *ret = l;
        return 0;
}

static struct run *owner_of_slot(struct manager *m, pid_t pid)
{
        uint32_t slot;
        struct durable_slot *s;

        if (state_slot_of_pid(m->state, (uint32_t)pid, &slot) < 0)
                return NULL;
        s = state_slot(m->state, slot);
        return s->unit < m->n_runs ? m->runs[s->unit] : NULL;
}

/* Slot, then cgroup, then ancestry, then session and group, then invocation id. */
struct run *procs_owner(struct manager *m, pid_t pid)
{
        struct run *owner = owner_of_slot(m, pid);
        struct sys_stat st, first;

        if (!owner)
                owner = groups_owner(m, pid);
        if (owner || sys_stat(pid, &st) < 0)
                return owner;
        first = st;
        for (int depth = 0; depth < 64 && st.parent > 1 && st.parent != m->keeper_pid; depth++) {
                owner = owner_of_slot(m, st.parent);
                if (owner)
                        return owner;
                if (sys_stat(st.parent, &st) < 0)
                        break;
        }
        for (uint32_t i = 0; i < m->n_runs; i++) {
                struct run *r = m->runs[i];
                if (is_family(r, &first))
                        return r;
        }
        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->unit && m->runs[i]->unit->service && belongs(m, m->runs[i], &first))
                        return m->runs[i];
        return NULL;
}

/* It began before the unit's activation did. Ticks are those of the clock that goes on while the machine sleeps. */
static bool is_older(const struct run *r, pid_t pid)
{
        uint64_t ago_us = usec_sub(sys_mono_us(), r->d.inactive_exit_mono);
        uint64_t since_us = usec_sub(clock_now_us(CLOCK_BOOTTIME), ago_us);
        struct sys_stat st;

        return sys_stat(pid, &st) == 0 && st.start_time < since_us / (USEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* Elsewhere than in a cgroup a process can hide: any orphan that is nobody's and no older than the unit may be it. */
int procs_none(struct manager *m, struct run *r)
{
        struct sys_pids rest = {0};
        int v = procs_rest(m, r, &rest);

        free(rest.v);
        if (v < 0 || rest.n > 0)
                return v < 0 ? v : 0;
        if (groups_has(m, r) && !(r->d.flags & UNIT_OUTSIDE))
                return 1;
        for (size_t i = 0; i < m->orphans.n; i++)
                if (!procs_owner(m, m->orphans.v[i]) && !is_older(r, m->orphans.v[i]))
                        return 0;
        return 1;
}
