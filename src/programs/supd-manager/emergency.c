/* SPDX-License-Identifier: MIT
 *
 * What the end of a unit does to the whole: FailureAction=, SuccessAction=, StartLimitAction=, JobTimeoutAction=
 * (systemd.unit(5)). The machine is rebooted or powered off where supd is its init; everywhere else supd ends, and its
 * exit status tells what was wanted.
 *
 * Not here: the stopping itself (main.c, jobs.c), reboot(2) (the keeper). Invariant: only the record of the whole is
 * changed, and committed together with what led to it, so that a death on the way forgets nothing.
 */
#include "manager.h"

#include <stdio.h>
#include <sys/wait.h>

/* As systemd-nspawn(1) ends when its container wants to be rebooted: whoever runs supd may go by it. */
enum { STATUS_REBOOT = 133, STATUS_KILLED = 255, STATUS_KEEP = -1 };

#define STOP_CLEANLY 0u

static const struct {
        uint32_t meta;
        bool of_machine; /* not for a user's supd */
} ends[N_EMERGENCY_ACTIONS] = {
        [ACTION_REBOOT] = {META_REBOOT, true},
        [ACTION_REBOOT_FORCE] = {META_REBOOT | META_FORCE, true},
        [ACTION_REBOOT_IMMEDIATE] = {META_REBOOT | META_FORCE | META_AT_ONCE, true},
        [ACTION_POWEROFF] = {META_POWER, true},
        [ACTION_POWEROFF_FORCE] = {META_POWER | META_FORCE, true},
        [ACTION_POWEROFF_IMMEDIATE] = {META_POWER | META_FORCE | META_AT_ONCE, true},
        [ACTION_EXIT] = {STOP_CLEANLY, false},
        [ACTION_EXIT_FORCE] = {META_FORCE, false},
};

static void act(struct manager *m, const struct run *r, enum emergency_action a, int status, const char *argument,
                const char *why)
{
        bool first = !(m->meta.flags & META_STOPPING);
        uint32_t flags = ends[a].meta;

        if (a == ACTION_NONE)
                return;
        if (ends[a].of_machine && m->user_mode) {
                log_line(m, r->name, "%s: %s is not for the supd of a user; nothing is done", why,
                         emergency_action_name(a));
                return;
        }
        if (m->keeper_pid != 1)
                flags &= ~META_AT_ONCE; /* nobody would end what runs */
        log_line(m, r->name, "%s: %s", why, emergency_action_name(a));
        m->meta_dirty = true;
        m->meta.flags |= META_STOPPING | flags;
        if (first && argument)
                (void)snprintf(m->meta.reboot_argument, sizeof(m->meta.reboot_argument), "%s", argument);
        if (flags & META_REBOOT)
                m->meta.exit_status = STATUS_REBOOT;
        else if (!(flags & META_POWER) && status != STATUS_KEEP)
                m->meta.exit_status = status;
        if (first)
                notify_self("STOPPING=1");
}

/* …ActionExitStatus=, else that of the main process, if there was one. */
static int status_of(const struct run *r, int configured)
{
        const struct process_durable *p = &r->d.main;

        if (configured >= 0)
                return configured;
        if (!r->unit->service || p->exit_mono_us == 0)
                return STATUS_KEEP;
        return p->code == CLD_EXITED ? p->status : STATUS_KILLED;
}

void emergency_state_changed(struct manager *m, struct run *r, enum unit_active before, enum unit_active now)
{
        const struct unit *u = r->unit;
        bool was_down = before == ACTIVE_INACTIVE || before == ACTIVE_FAILED;
        bool skipped = r->d.flags & (UNIT_CONDITION_FAILED | UNIT_ASSERT_FAILED);

        if (now == ACTIVE_FAILED && before != ACTIVE_FAILED)
                act(m, r, u->failure_action, status_of(r, u->failure_exit_status), u->reboot_argument, "failed");
        else if (now == ACTIVE_INACTIVE && !was_down && !skipped)
                act(m, r, u->success_action, status_of(r, u->success_exit_status), u->reboot_argument, "ended well");
}

void emergency_limit_hit(struct manager *m, struct run *r)
{
        act(m, r, r->unit->start_limit_action, STATUS_KEEP, r->unit->reboot_argument, "start limit hit");
}

void emergency_job_timeout(struct manager *m, struct run *r)
{
        act(m, r, r->unit->job_timeout_action, STATUS_KEEP, r->unit->job_timeout_reboot_argument, "job timed out");
}
