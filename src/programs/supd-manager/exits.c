/* SPDX-License-Identifier: MIT
 *
 * How ends reach the manager: the exit ring for what the keeper reaps, a pidfd for a single process that something
 * waits for and that has no slot, inotify for PID files that are to appear.
 *
 * Invariant: a ring entry is acknowledged behind the commit of the record that holds its exit (engine.c); an entry that
 * matches no running process of a record has been taken before, and is passed over.
 */
#include "manager.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "handover/handover.h"

void exits_free_slot(struct manager *m, struct process_durable *p)
{
        if (p->generation != 0 && list_add(&m->freed_slots, p->slot) < 0)
                return; /* the next manager finds it unused */
        p->generation = 0;
}

static enum machine_event control_event(const struct run *r, const struct process_durable *p, int code, int status)
{
        const struct service_config *c = r->unit->service;

        if (p->flags & PROCESS_CHECK)
                return code == CLD_EXITED && status == 0                     ? EVENT_CONTROL_OK
                       : code == CLD_EXITED && status == PLAN_EXIT_CONDITION ? EVENT_CONTROL_SKIP
                                                                             : EVENT_CONTROL_FAILED;
        if (p->flags & PROCESS_CLEANUP)
                return EVENT_CONTROL_OK;
        if (r->d.list == LIST_BUS_WAIT && r->d.state != STATE_START)
                return EVENT_CONTROL_OK; /* our own helper: how it was ended says nothing about the service */
        if (code == 0 && (r->d.list == EXEC_STOP || r->d.list == EXEC_STOP_POST))
                return EVENT_CONTROL_OK; /* not known how: no reason to call a stop a failure */
        if (code == 0 && r->d.list == EXEC_START)
                return EVENT_CONTROL_OK; /* likewise: a daemon that runs is not ended because nobody saw it begin */
        if (r->d.list == EXEC_CONDITION && code == CLD_EXITED && status > 0 && status < 255)
                return p->command_flags & EXEC_IGNORE_FAILURE ? EVENT_CONTROL_OK : EVENT_CONTROL_SKIP;
        return machine_exit_is_clean(c, false, p->command_flags, code, status) ? EVENT_CONTROL_OK
                                                                               : EVENT_CONTROL_FAILED;
}

/* Our own look at the conditions, whose end nobody knows (a keeper died): it changed nothing, so it is taken once more.
 */
static bool check_again(struct manager *m, struct run *r, struct process_durable *p)
{
        uint32_t flags = p->flags;

        engine_touch(m, r);
        if (launch_command(m, r, false) == 0)
                return true;
        p->flags = flags;
        return false;
}

/* What ExecStart= has left behind, as noted by its intermediate: for as long as R is up. */
static void take_left(struct manager *m, struct run *r, uint32_t slot)
{
        struct durable_slot *s = state_slot(m->state, slot);

        for (unsigned i = 0; i < DURABLE_MAX_LEFT; i++)
                r->d.left[i] = atomic_load(&s->left[i]);
}

/* P of R has ended: into the record, and on as an event. The launch must have come to its end before. */
void exits_process_ended(struct manager *m, struct run *r, struct process_durable *p, int code, int status)
{
        const struct service_config *c = r->unit->service;
        bool is_main = p == &r->d.main;
        /* a unit whose file is gone has no ExecStart= any more, which alone does not make it a oneshot */
        bool long_running = !c || c->type != SERVICE_ONESHOT || r->unit->load_state != LOAD_LOADED;
        enum machine_event e;
        bool clean;

        if (code == 0 && (p->flags & PROCESS_CHECK) && check_again(m, r, p))
                return;
        engine_touch(m, r);
        p->flags &= ~(PROCESS_RUNNING | PROCESS_LAUNCHING);
        p->code = code;
        p->status = status;
        p->last_pid = p->pid ? p->pid : p->last_pid;
        p->pid = 0;
        p->exit_real_us = sys_real_us();
        p->exit_mono_us = sys_mono_us();
        if (!is_main && r->d.list == EXEC_START && p->generation != 0)
                take_left(m, r, p->slot);
        exits_free_slot(m, p);
        if (code == 0) /* not known how: as it was told to, or as it said itself */
                clean = r->d.flags & (UNIT_STOP_REQUESTED | UNIT_SAYS_STOPPING);
        else /* what is no service has a process all the same: the one that looks at its conditions */
                clean = c && machine_exit_is_clean(c, long_running, p->command_flags, code, status);
        if (is_main && clean)
                e = EVENT_MAIN_CLEAN;
        else
                e = is_main ? EVENT_MAIN_UNCLEAN : control_event(r, p, code, status);
        if (is_main && c->exit_type_cgroup && (r->d.state == STATE_START || machine_state_watched(r->d.state)))
                r->d.flags |= UNIT_MAIN_UNKNOWN; /* ExitType=cgroup: what it has left behind is the service now */
        if (code != CLD_EXITED && status == SIGKILL)
                oom_look(m, r);
        if (m->verbose)
                log_line(m, r->name, "%s process %u ended (code %d, status %d)", is_main ? "main" : "control",
                         p->last_pid, code, status);
        engine_post(m, r, e, code, status);
        if (!is_main)
                p->flags &= ~(PROCESS_CLEANUP | PROCESS_CHECK);
}

static struct process_durable *process_of(struct run *r, const struct durable_exit *x)
{
        if (r->d.main.generation == x->generation && r->d.main.slot == x->slot)
                return &r->d.main;
        if (r->d.control.generation == x->generation && r->d.control.slot == x->slot)
                return &r->d.control;
        return NULL;
}

/* All entries of the ring. One whose start has not come to its end yet stays, with all behind it, for the next bell. */
void exits_take(struct manager *m)
{
        struct durable_exit x;

        while (state_exit_peek(m->state, m->exits_taken, &x)) {
                struct durable_slot *s = state_slot(m->state, x.slot);
                struct run *r = s->unit < m->n_runs ? m->runs[s->unit] : NULL;
                struct process_durable *p = r ? process_of(r, &x) : NULL;

                if (p && (p->flags & PROCESS_LAUNCHING) && atomic_load(&s->launch) == LAUNCH_INTENT)
                        return; /* the launcher is about to note the end, and rings then */
                if (p && (p->flags & PROCESS_LAUNCHING))
                        launch_look(m);
                m->exits_taken++;
                if (!p || p->generation != x.generation || !(p->flags & PROCESS_RUNNING))
                        continue;
                p->pid = x.pid;
                exits_process_ended(m, r, p, x.code, x.status);
        }
}

/* ---- one watched process a unit ---- */

void exits_unwatch(struct manager *m, struct run *r)
{
        groups_unwatch(m, r);
        loop_remove(m, r->watch_source);
        r->watch_source = NULL;
        close_fd_p(&r->watch_fd);
}

bool exits_runs_foreign(const struct process_durable *p)
{
        return (p->flags & (PROCESS_FOREIGN | PROCESS_RUNNING)) == (PROCESS_FOREIGN | PROCESS_RUNNING);
}

static bool is_in_ring(const struct manager *m, const struct process_durable *p)
{
        return p->generation != 0 && atomic_load(&state_slot(m->state, p->slot)->exited) == p->generation;
}

/* P was no child of the keeper. When its parent has gone meanwhile it is, and its exit comes by the ring; else nobody
 * can say how it ended, when it has. True: it runs, and is nobody's child that we know. */
static bool foreign_runs(struct manager *m, struct run *r, struct process_durable *p)
{
        struct sys_stat st;
        int v = sys_stat((pid_t)p->pid, &st);
        bool there = v == 0 && st.start_time == p->start_time;

        if (v < 0 && v != -ESRCH)
                return true; /* not to be known now */
        if (is_in_ring(m, p) || (there && st.parent == m->keeper_pid && p->generation != 0)) {
                p->flags &= ~PROCESS_FOREIGN;
                engine_touch(m, r);
                return false;
        }
        if (there && st.state != 'Z')
                return true;
        exits_process_ended(m, r, p, 0, 0);
        return false;
}

static void watch_ready(struct manager *m, struct source *s, uint32_t events unused_)
{
        struct run *r = s->userdata;

        exits_unwatch(m, r);
        if (exits_runs_foreign(&r->d.main) || exits_runs_foreign(&r->d.control)) {
                bool main = exits_runs_foreign(&r->d.main) && foreign_runs(m, r, &r->d.main);
                bool control = exits_runs_foreign(&r->d.control) && foreign_runs(m, r, &r->d.control);

                if (main || control) /* watched again by the look, in a moment: it may be that nothing could be told */
                        exits_look_later(m, r);
                return;
        }
        if (!r->look && list_add(&m->looks, r->id) == 0)
                r->look = true;
}

void exits_look_later(struct manager *m, struct run *r)
{
        if (!r->look && list_add(&m->looks_later, r->id) == 0)
                r->look = true;
}

/* Wakes a look at R when PID ends. Without pidfds a timer of 50 ms comes back to it. */
void exits_watch(struct manager *m, struct run *r, pid_t pid)
{
        exits_unwatch(m, r);
        r->watch_fd = sys_pidfd_open(pid);
        if (r->watch_fd >= 0 && loop_add(m, r->watch_fd, EPOLLIN, watch_ready, r, &r->watch_source) == 0)
                return;
        close_fd_p(&r->watch_fd);
        exits_look_later(m, r);
}

/* Processes that no exit will come for, as after a keeper's death: are they there still? A unit watches one process; of
 * two the other is looked at again in a moment. */
void exits_look_foreign(struct manager *m, struct run *r)
{
        bool main = exits_runs_foreign(&r->d.main) && foreign_runs(m, r, &r->d.main);
        bool control = exits_runs_foreign(&r->d.control) && foreign_runs(m, r, &r->d.control);

        if ((main || control) && !r->watch_source)
                exits_watch(m, r, (pid_t)(main ? r->d.main.pid : r->d.control.pid));
        if (main && control)
                exits_look_later(m, r);
}

/* CLOCK_BOOTTIME of the start of the command that led to the process: an older exit of that pid was another's. */
static uint64_t claim_since(const struct process_durable *control)
{
        return clock_now_us(CLOCK_BOOTTIME) - usec_sub(sys_mono_us(), control->start_mono_us);
}

/* PID is to become the main process of another unit, behind the commit at hand. */
static bool is_being_claimed(const struct manager *m, pid_t pid)
{
        for (size_t i = 0; i < m->claims.n; i++)
                if (m->runs[m->claims.v[i]]->d.main.pid == (uint32_t)pid)
                        return true;
        return false;
}

static void become_main(struct manager *m, struct run *r, const struct sys_stat *st)
{
        struct process_durable *p = &r->d.main;
        const struct exec_commands *start = &r->unit->service->commands[EXEC_START];

        exits_free_slot(m, p);
        p->pid = p->last_pid = (uint32_t)st->pid;
        p->session = (uint32_t)st->session;
        p->start_time = st->start_time;
        p->flags = PROCESS_RUNNING | PROCESS_CLAIMED;
        p->code = p->status = 0;
        p->start_real_us = sys_real_us();
        p->start_mono_us = sys_mono_us();
        p->command_flags = start->n > 0 ? start->v[0].flags : 0;
        engine_touch(m, r);
}

/* It has ended already: the keeper may know how. */
static int claim_ended(struct manager *m, struct run *r, pid_t pid)
{
        const struct sys_stat st = {.pid = pid, .parent = m->keeper_pid};
        struct durable_exit x;

        if (!handover_orphan(state_map(m->state), (uint32_t)pid, claim_since(&r->d.control), &x))
                return -ESRCH; /* never ours, or so long gone that nobody remembers */
        become_main(m, r, &st);
        exits_process_ended(m, r, &r->d.main, x.code, x.status);
        (void)list_add(&m->orphans_taken, (uint32_t)pid);
        return 0;
}

/* PID becomes the main process of R: its slot and identity into the record; the keeper learns of it behind the commit
 * (exits_claim_effects()). -ESRCH when there is no such process, -EPERM when it may not be taken. */
int exits_claim_main(struct manager *m, struct run *r, pid_t pid)
{
        struct process_durable *p = &r->d.main;
        struct sys_stat st;
        uint32_t slot, generation;
        int v = sys_stat(pid, &st);

        if (v == 0 && (pid == getpid() || pid == m->keeper_pid || pid == m->launcher_pid))
                return -EPERM;
        if (v == 0 && p->pid == (uint32_t)pid && (p->flags & PROCESS_RUNNING))
                return 0;
        if (state_slot_of_pid(m->state, (uint32_t)pid, &slot) == 0 || is_being_claimed(m, pid))
                return -EPERM; /* recorded for something else already */
        if (v < 0)
                return v == -ESRCH ? claim_ended(m, r, pid) : v; /* not to be known now */
        v = state_slot_alloc(m->state, r->id, 0, r->d.invocation, &slot, &generation);
        if (v < 0)
                return v;
        atomic_store(&state_slot(m->state, slot)->start_time, st.start_time);
        become_main(m, r, &st);
        p->slot = slot;
        p->generation = generation;
        (void)list_add(&m->claims, r->id);
        if (st.parent != m->keeper_pid) {
                p->flags |= PROCESS_FOREIGN;
                exits_watch(m, r, pid);
        }
        return 0;
}

/* Gone, and neither in the ring nor among the orphans: so long ago that the keeper has forgotten it. */
static bool ended_unseen(struct manager *m, const struct process_durable *p)
{
        struct sys_stat st;
        int v = sys_stat((pid_t)p->pid, &st);

        if (v != -ESRCH && (v < 0 || st.start_time == p->start_time))
                return false;
        return !is_in_ring(m, p);
}

static void claim_effect(struct manager *m, struct run *r)
{
        static uint64_t ticks;
        struct process_durable *p = &r->d.main;
        struct durable_exit x;
        int v;

        if (!(p->flags & PROCESS_RUNNING) || !(p->flags & PROCESS_CLAIMED) || p->generation == 0)
                return; /* another one has taken its place */
        if (ticks == 0)
                ticks = (uint64_t)sysconf(_SC_CLK_TCK);
        v = handover_claim(state_map(m->state), p->slot, p->pid, p->start_time * USEC_PER_SEC / ticks, &x);
        if (v == 1) {
                exits_process_ended(m, r, p, x.code, x.status);
                (void)list_add(&m->orphans_taken, x.pid);
        } else if (ended_unseen(m, p)) {
                exits_process_ended(m, r, p, 0, 0);
        }
}

/* Behind the commit, and once more for each that a manager before us may not have come to: repeating it changes
 * nothing. */
void exits_claim_effects(struct manager *m)
{
        for (size_t i = 0; i < m->claims.n; i++)
                claim_effect(m, m->runs[m->claims.v[i]]);
        m->claims.n = 0;
}

void exits_claim_again(struct manager *m, struct run *r)
{
        if ((r->d.main.flags & PROCESS_RUNNING) && (r->d.main.flags & PROCESS_CLAIMED))
                (void)list_add(&m->claims, r->id);
}

/* Behind the commit of their ends. */
void exits_forget_orphans(struct manager *m)
{
        for (size_t i = 0; i < m->orphans_taken.n; i++)
                handover_orphan_forget(state_map(m->state), m->orphans_taken.v[i]);
        m->orphans_taken.n = 0;
}

/* ---- PID files that are to appear ---- */

static void watch_directory_of(struct manager *m, const char *path)
{
        char dir[4096];

        (void)snprintf(dir, sizeof(dir), "%s", path);
        for (char *slash = strrchr(dir, '/'); slash; slash = strrchr(dir, '/')) {
                *slash = 0;
                if (inotify_add_watch(m->inotify_fd, *dir ? dir : "/",
                                      IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_MODIFY | IN_ONLYDIR) >= 0)
                        return;
        }
}

static void inotify_ready(struct manager *m, struct source *s unused_, uint32_t events unused_)
{
        char bytes[4096];

        while (read(m->inotify_fd, bytes, sizeof(bytes)) > 0)
                ;
        exits_pidfile_changed(m);
}

/* Looks at every PID file that is waited for; drops the watches when none is. */
void exits_pidfile_changed(struct manager *m)
{
        unsigned waiting = 0;

        for (uint32_t i = 0; i < m->n_runs; i++)
                waiting += (m->runs[i]->d.flags & UNIT_WAIT_PIDFILE) != 0;
        if (waiting == 0) {
                loop_remove(m, m->inotify_source);
                m->inotify_source = NULL;
                close_fd_p(&m->inotify_fd);
                return;
        }
        if (m->inotify_fd < 0) {
                m->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
                if (m->inotify_fd >= 0)
                        (void)loop_add(m, m->inotify_fd, EPOLLIN, inotify_ready, NULL, &m->inotify_source);
        }
        for (uint32_t i = 0; i < m->n_runs; i++) {
                struct run *r = m->runs[i];
                if (!(r->d.flags & UNIT_WAIT_PIDFILE))
                        continue;
                watch_directory_of(m, r->unit->service->pid_file); /* first the watch, then the look: none is missed */
                if (r->d.state == STATE_START || r->d.state == STATE_START_POST)
                        (void)service_find_main(m, r);
                else
                        r->d.flags &= ~UNIT_WAIT_PIDFILE;
        }
}
