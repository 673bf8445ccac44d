/* SPDX-License-Identifier: MIT
 *
 * What must hold when nothing happens any more, whatever failed on the way: records, slots and world agree; nobody
 * waits for what will never come; a service that is down has no process.
 *
 * Invariant: these rules speak of states that the table calls restful, not of how they were reached.
 */
#include "world.h"

#include <signal.h>
#include <stdio.h>

static bool alive_of(const struct run *r)
{
        for (size_t i = 0; i < MAX_PROCS; i++)
                if (world->procs[i].used && world->procs[i].alive && world->procs[i].unit == r->id + 1)
                        return true;
        return false;
}

static void check_process(struct manager *m, const struct run *r, const struct process_durable *p, const char *which)
{
        const struct proc *q;

        if (p->generation != 0 && (atomic_load(&state_slot(m->state, p->slot)->generation) != p->generation ||
                                   atomic_load(&state_slot(m->state, p->slot)->launch) == LAUNCH_FREE))
                wrong("%s: the slot of its %s process is another's", r->name, which);
        if (!(p->flags & PROCESS_RUNNING)) {
                if (p->flags & PROCESS_LAUNCHING)
                        wrong("%s: its %s process is launching and not running", r->name, which);
                return;
        }
        if (p->flags & PROCESS_LAUNCHING)
                wrong("%s: the start of its %s process never came to an end", r->name, which);
        q = world_proc((pid_t)p->pid);
        if (!q)
                wrong("%s: its %s process %u is not there", r->name, which, p->pid);
        else if (q->unit != r->id + 1)
                wrong("%s: its %s process is another's", r->name, which);
}

/* A signal that the kernel did not deliver at the last step: the table says told, and gone past. */
static bool may_have_left_one(void)
{
        return world->failed && (world->failed_call == CALL_KILL || world->failed_call == CALL_PIDFD_SIGNAL);
}

/* Who is at rest, and who waits for a process that lives (without a timer: it may). */
static void check_state(const struct run *r)
{
        bool waits = (r->d.main.flags | r->d.control.flags) & PROCESS_RUNNING;
        bool may_leave = r->unit->service && r->unit->service->kill->mode == KILL_NONE;

        switch ((enum machine_state)r->d.state) {
        case STATE_DEAD:
        case STATE_FAILED:
                if (alive_of(r) && !may_leave && !may_have_left_one())
                        wrong("%s is %s and has a process", r->name, machine_state_name(r->d.state));
                break;
        case STATE_RUNNING:
                if (!(r->d.main.flags & PROCESS_RUNNING) && !(r->d.flags & UNIT_MAIN_UNKNOWN))
                        wrong("%s is RUNNING without a main process", r->name);
                if (!alive_of(r))
                        wrong("%s is RUNNING without any process", r->name);
                break;
        case STATE_EXITED:
        case STATE_PASSIVE_DEAD:
        case STATE_PASSIVE_ACTIVE:
                break;
        case STATE_CHECK:
        case STATE_FAILED_CHECK:
        case STATE_RESTART_CHECK:
        case STATE_PASSIVE_CHECK:
        case STATE_CONDITION:
        case STATE_START_PRE:
        case STATE_START:
        case STATE_START_POST:
        case STATE_RELOAD:
        case STATE_RELOAD_SIGNAL:
        case STATE_RELOAD_NOTIFY:
        case STATE_STOP:
        case STATE_STOP_WATCHDOG:
        case STATE_FINAL_WATCHDOG:
        case STATE_STOP_SIGTERM:
        case STATE_STOP_SIGKILL:
        case STATE_STOP_POST:
        case STATE_STOP_POST_WAIT:
        case STATE_FINAL_SIGTERM:
        case STATE_FINAL_SIGKILL:
        case STATE_CLEANUP:
        case STATE_AUTO_RESTART:
        case N_MACHINE_STATES:
                if (!waits || r->unit->service->timeout_start_us != USEC_INFINITY)
                        wrong("%s is stuck in %s", r->name, machine_state_name(r->d.state));
                break;
        }
        if (r->d.job.type != JOB_NONE && !waits)
                wrong("%s: its %s job is stuck", r->name, job_type_name(r->d.job.type));
}

static void check_slots(struct manager *m)
{
        uint32_t n = atomic_load(&m->header->n_slots);

        for (uint32_t i = 0; i < n; i++) {
                const struct durable_slot *s = state_slot(m->state, i);
                const struct run *r = s->unit < m->n_runs ? m->runs[s->unit] : NULL;
                uint32_t g = atomic_load(&s->generation);
                if (atomic_load(&s->launch) == LAUNCH_FREE)
                        continue;
                if (!r || !((r->d.main.slot == i && r->d.main.generation == g) ||
                            (r->d.control.slot == i && r->d.control.generation == g)))
                        wrong("slot %u leaks (%s)", i, r ? r->name : "no unit");
        }
        if (atomic_load(&m->header->ring_head) != atomic_load(&m->header->ring_tail))
                wrong("exits are left in the ring");
}

static void check_all(struct manager *m)
{
        if (m->queue_n > 0)
                wrong("%zu events are left in the queue", m->queue_n);
        if (m->n_impossible > 0)
                wrong("%llu impossible events", (unsigned long long)m->n_impossible);
        if (atomic_load(&m->header->marker) != 0)
                wrong("a marker is left");
        check_slots(m);
        /* a last commit that failed: the supd ends, and with it everything that could have been told */
        bool ended_untold = m->ending && m->commit_retry_us > 0;
        if (!ended_untold && world->changes_shown != m->changes.d.end)
                wrong("%llu changes of %llu are shown", (unsigned long long)world->changes_shown,
                      (unsigned long long)m->changes.d.end);
        for (uint32_t i = 0; i < m->n_runs; i++) {
                const struct run *r = m->runs[i];
                check_process(m, r, &r->d.main, "main");
                check_process(m, r, &r->d.control, "control");
                check_state(r);
                if (!ended_untold && i < ARRAY_SIZE(world->shown_sub) && world->shown_sub[i] != 0 &&
                    world->shown_sub[i] != publish_sub(r->d.state))
                        wrong("%s is %s, which no change has told", r->name, machine_state_name(r->d.state));
        }
        if (!world_proc(BYSTANDER))
                wrong("the bystander is gone");
}

void check_rest(struct manager *m)
{
        size_t n = 0;

        check_all(m);
        for (uint32_t i = 0; i < m->n_runs; i++) {
                const struct run *r = m->runs[i];
                const struct process_durable *p = &r->d.main;
                if (!r->unit->service || r->unit->load_state != LOAD_LOADED || n >= sizeof(world->rest))
                        continue;
                n += (size_t)snprintf(
                        world->rest + n, sizeof(world->rest) - n, "%s: %s, result %s, main %s %d/%d, restarts %u\n",
                        r->name, machine_state_name(r->d.state), machine_result_name(r->d.result),
                        p->flags & PROCESS_RUNNING ? "runs" : "ended", p->code, p->status, r->d.n_restarts);
        }
}

void check_end(struct manager *m)
{
        check_all(m);
        for (uint32_t i = 0; i < m->n_runs; i++) {
                enum machine_active a = machine_state_active(m->runs[i]->d.state);
                if (a != MACHINE_INACTIVE && a != MACHINE_FAILED)
                        wrong("%s is still %s", m->runs[i]->name, machine_state_name(m->runs[i]->d.state));
        }
        for (uint32_t i = 0; i < atomic_load(&m->header->n_slots); i++)
                if (atomic_load(&state_slot(m->state, i)->launch) != LAUNCH_FREE)
                        wrong("slot %u is in use when everything is down", i);
}
