/* SPDX-License-Identifier: MIT
 *
 * One run, from the first file to the verdict. The worker is the tracer; the driver is a child process, because a
 * tracer that waits for supctl would stop the manager that supctl waits for.
 *
 * Not here: judgement beyond what observer.h gives. Invariant: as in kill-run.h.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "fault.h"
#include "kill-run.h"
#include "private-call.h"
#include "tracer.h"

#define QUIET_US    (60 * USEC_PER_MSEC) /* without a system call: the victim has nothing left to do */
#define RUN_US      (60 * USEC_PER_SEC)  /* everything */
#define RECOVERY_US (10 * USEC_PER_SEC)
#define SETTLE_US   (3 * USEC_PER_SEC)

struct run {
        const struct scenario *s;
        enum victim victim;
        struct kill_point p;
        struct kill_result *result;
        struct rig rig;
        struct observer o;
        struct drive_result *shared;
        pid_t driver; /* 0 = ended */
        struct tracer keeper, first, second;
        bool keeper_traced, first_traced, second_traced;
        unsigned managers; /* forked by the traced keeper */
        pid_t dead;        /* the last one killed: what it left in the header does not count */
        uint64_t killed_us;
};

static const char *const victim_names[N_VICTIMS] = {
        [VICTIM_MANAGER] = "manager", [VICTIM_LAUNCHER] = "launcher", [VICTIM_BUS] = "bus",
        [VICTIM_KEEPER] = "keeper",   [VICTIM_SUPCTL] = "supctl",
};
static const char *const victim_comms[N_VICTIMS] = {
        [VICTIM_MANAGER] = "supd-manager",
        [VICTIM_LAUNCHER] = "supd-exec",
        [VICTIM_BUS] = "supd-bus",
};

const char *victim_name(enum victim v)
{
        return victim_names[v];
}

bool victim_suits(enum victim v, const struct scenario *s)
{
        if (v == VICTIM_SUPCTL)
                return s->steps[0].act == ACT_SUPCTL;
        return v == VICTIM_MANAGER || (!s->from_birth && !(v == VICTIM_KEEPER && s->ends));
}

static pid_t victim_pid(struct run *run)
{
        if (run->victim == VICTIM_MANAGER)
                return rig_manager(&run->rig);
        if (run->victim == VICTIM_KEEPER)
                return run->rig.keeper;
        if (proc_list_read(&run->o.procs, run->rig.keeper) < 0)
                return 0;
        for (unsigned i = 0; i < run->o.procs.n; i++)
                if (run->o.procs.v[i].below && streq(run->o.procs.v[i].comm, victim_comms[run->victim]) &&
                    (run->victim != VICTIM_LAUNCHER || run->o.procs.v[i].ppid == rig_manager(&run->rig))) /* no spare */
                        return run->o.procs.v[i].pid;
        return 0;
}

static bool is_up(struct run *run)
{
        return rig_is_up(&run->rig) && rig_manager(&run->rig) != run->dead;
}

static void start_driver(struct run *run)
{
        run->driver = fork();
        if (run->driver != 0)
                return;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        drive_steps(&run->rig, run->s->steps, run->shared);
        _exit(0);
}

static bool driver_ended(struct run *run)
{
        if (run->driver > 0 && waitpid(run->driver, NULL, WNOHANG) == run->driver)
                run->driver = 0;
        return run->driver == 0;
}

static bool trace_keeper_from_now(struct run *run)
{
        int e = tracer_seize(&run->keeper, run->rig.keeper, true);
        if (e < 0) {
                observer_tell(&run->o, VIOLATION_OTHER, "cannot trace the keeper: %s", strerror(-e));
                return false;
        }
        run->keeper_traced = true;
        return tracer_resume_free(&run->keeper) == 0;
}

static bool prepare_born(struct run *run)
{
        int e = rig_spawn(&run->rig, true);
        if (e < 0 || observer_open(&run->o, run->rig.diaries, run->rig.keeper) < 0)
                return false;
        struct proc p;
        while (proc_read(run->rig.keeper, &p) == 0 && p.state != 'T')
                sleep_us(200);
        if (!trace_keeper_from_now(run))
                return false;
        return kill(run->rig.keeper, SIGCONT) == 0;
}

#define SEIZE_TRIES 20

/* The bus is started by the first who asks, and ends when nobody has for a second: on a slow machine before it is
 * traced. */
static int seize_victim(struct run *run)
{
        int e = -ESRCH;

        for (unsigned i = 0; i < SEIZE_TRIES && (e == -ESRCH || e == -EPERM) && (i == 0 || run->victim == VICTIM_BUS);
             i++) {
                pid_t victim;

                if (run->victim == VICTIM_BUS)
                        (void)rig_supctl(&run->rig, "list-jobs", RECOVERY_US, NULL);
                victim = victim_pid(run);
                for (uint64_t slept = 0; victim == 0 && slept < RECOVERY_US; slept += 500) { /* not exec'ed yet */
                        sleep_us(500);
                        victim = victim_pid(run);
                }
                e = tracer_seize(&run->first, victim, false);
        }
        return e;
}

static bool prepare_running(struct run *run)
{
        int e = rig_start(&run->rig, RECOVERY_US);
        if (observer_open(&run->o, run->rig.diaries, run->rig.keeper) < 0)
                return false;
        if (e < 0) {
                observer_tell(&run->o, VIOLATION_OTHER, "supd did not start: %s", strerror(-e));
                return false;
        }
        struct drive_result result = {0};
        drive_steps(&run->rig, run->s->setup, &result);
        if (result.failure[0]) {
                observer_tell(&run->o, VIOLATION_OTHER, "set-up: %s", result.failure);
                return false;
        }
        if (run->p.second > 0 && !trace_keeper_from_now(run))
                return false;
        if (run->victim == VICTIM_SUPCTL) {
                atomic_store(&run->shared->hold, RIG_HOLD_NEXT);
                run->rig.hold = &run->shared->hold;
                return true;
        }
        e = seize_victim(run);
        if (e < 0) {
                observer_tell(&run->o, VIOLATION_OTHER, "cannot trace the %s: %s", victim_names[run->victim],
                              strerror(-e));
                return false;
        }
        run->first_traced = true;
        return tracer_resume(&run->first) == 0;
}

static bool prepare(struct run *run)
{
        int e = rig_begin(&run->rig, run->s->name);
        if (e == 0 && run->s->own_supd)
                e = rig_install(&run->rig);
        for (unsigned i = 0; e >= 0 && i < SCENARIO_MAX && run->s->units[i].name; i++)
                e = rig_unit(&run->rig, run->s->units[i].name, run->s->units[i].text);
        if (e >= 0 && run->p.fault)
                e = rig_unit(&run->rig, "probe.service",
                             "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=@DIARY@\n");
        if (e < 0)
                return false;
        return run->s->from_birth ? prepare_born(run) : prepare_running(run);
}

/* The keeper is traced only for its forks: the manager to be. */
static void look_at_keeper(struct run *run)
{
        enum tracer_event e = tracer_wait(&run->keeper, 0);
        if (e == TRACER_NOTHING)
                return;
        if (e == TRACER_GONE) {
                run->keeper_traced = false;
                run->rig.keeper = 0;
                run->rig.keeper_status = run->keeper.status;
                return;
        }
        if (e == TRACER_FORKED) {
                bool is_first = run->s->from_birth && run->managers++ == 0;
                struct tracer *t = is_first ? &run->first : &run->second;
                bool *traced = is_first ? &run->first_traced : &run->second_traced;
                if (!*traced && tracer_adopt(t, run->keeper.child) == 0) {
                        *traced = true;
                        (void)tracer_resume(t);
                }
                if (!is_first ||
                    run->p.second == 0) { /* the next one is nobody's victim, and must not be born traced */
                        tracer_release(&run->keeper);
                        run->keeper_traced = false;
                        return;
                }
        }
        (void)tracer_resume_free(&run->keeper);
}

static void kill_victim(struct run *run, struct tracer *t, bool *traced)
{
        if (t == &run->first) {
                run->result->nr = t->nr;
                run->result->reached = true;
                if (run->p.step > 0 && tracer_step(t, run->p.step) < run->p.step)
                        run->result->nr = t->nr;
        } else
                run->result->second_reached = true;
        run->dead = run->victim == VICTIM_KEEPER ? rig_manager(&run->rig) : t->pid;
        tracer_kill(t);
        if (run->victim == VICTIM_KEEPER) {
                if (rig_respawn(&run->rig) < 0)
                        observer_tell(&run->o, VIOLATION_OTHER, "cannot start supd again");
                run->o.root = run->rig.keeper;
        }
        *traced = false;
        run->killed_us = boottime_us();
}

/* One stop of a victim whose call is to fail. */
static void fault_victim(struct run *run, struct tracer *t, enum tracer_event e)
{
        struct kill_result *result = run->result;
        if (e == TRACER_ENTRY && !result->reached && t->calls >= run->p.call && t->nr == run->p.nr) {
                result->nr = t->nr;
                result->reached = fault_is_done_all_the_same(t->nr) || tracer_skip(t) == 0;
        } else if (e == TRACER_EXIT && result->reached && !result->second_reached) {
                result->second_reached = tracer_fail(t, run->p.fault) == 0;
                run->killed_us = boottime_us();
        }
        (void)tracer_resume(t);
}

/* One stop of a victim: resumes it, or kills it when its time has come. False: nothing happened. */
static bool look_at_victim(struct run *run, struct tracer *t, bool *traced, unsigned call, bool after,
                           uint64_t timeout_us)
{
        if (!*traced)
                return false;
        enum tracer_event e = tracer_wait(t, timeout_us);
        if (e == TRACER_NOTHING)
                return false;
        if (e == TRACER_GONE) {
                *traced = false;
                return true;
        }
        if (run->p.seen && e == TRACER_ENTRY && t->calls <= SEEN_MAX) {
                run->p.seen[t->calls - 1] = (uint16_t)t->nr;
                run->p.private[t->calls - 1] = call_is_private(t);
        }
        if (run->p.fault)
                fault_victim(run, t, e);
        else if (call > 0 && t->calls == call && e == (after ? TRACER_EXIT : TRACER_ENTRY))
                kill_victim(run, t, traced);
        else
                (void)tracer_resume(t);
        return true;
}

/* supctl waits, stopped, to be seized. */
static void look_for_supctl(struct run *run)
{
        int pid = atomic_load(&run->shared->hold);
        struct proc p;
        if (pid <= 0 || run->first_traced || run->result->reached)
                return;
        while (proc_read(pid, &p) == 0 && p.state != 'T')
                sleep_us(100);
        atomic_store(&run->shared->hold, 0);
        if (tracer_seize(&run->first, pid, false) < 0)
                return;
        run->first_traced = true;
        (void)tracer_resume(&run->first);
        (void)kill(pid, SIGCONT);
}

/* Until the kills are done, or the driver has ended and the victims have been quiet for a while. */
static void trace(struct run *run)
{
        uint64_t start = boottime_us(), last = start;
        for (;;) {
                uint64_t now = boottime_us();
                if (now - start > RUN_US)
                        break;
                if (run->keeper_traced)
                        look_at_keeper(run);
                look_for_supctl(run);
                bool some = look_at_victim(run, &run->second, &run->second_traced, run->p.second, false, 0);
                some |= look_at_victim(run, &run->first, &run->first_traced, run->p.call, run->p.after,
                                       some ? 0 : 2 * USEC_PER_MSEC);
                if (!run->first_traced && !some)
                        sleep_us(200);
                if (some || !driver_ended(run))
                        last = boottime_us();
                /* waitpid() here would swallow a stop of a traced keeper */
                bool traced = run->keeper_traced || (run->victim == VICTIM_KEEPER && run->first_traced);
                bool ended = !traced && rig_ended(&run->rig);
                if (now > last + QUIET_US && (ended || is_up(run)))
                        break;
                bool all =
                        run->result->reached && ((run->p.second == 0 && !run->p.fault) || run->result->second_reached);
                if (all)
                        break;
        }
        run->result->calls = (unsigned)run->first.calls;
        if (run->first_traced)
                tracer_detach(&run->first);
        if (run->second_traced)
                tracer_detach(&run->second);
        if (run->keeper_traced)
                tracer_detach(&run->keeper);
}

static void await_driver(struct run *run)
{
        uint64_t start = boottime_us();
        while (!driver_ended(run)) {
                (void)rig_ended(&run->rig);
                if (run->result->recovery_us == 0 && run->result->reached && is_up(run))
                        run->result->recovery_us = boottime_us() - run->killed_us;
                if (boottime_us() - start > RUN_US) {
                        (void)kill(run->driver, SIGKILL);
                        observer_tell(&run->o, VIOLATION_OTHER, "the driver does not end");
                        (void)waitpid(run->driver, NULL, 0);
                        run->driver = 0;
                }
                (void)observer_tick(&run->o);
                sleep_us(USEC_PER_MSEC);
        }
        if (run->shared->failure[0] && !run->p.fault)
                observer_tell(&run->o, VIOLATION_OTHER, "%s", run->shared->failure);
        run->result->repeats = run->shared->repeats;
}

static void await_supd(struct run *run)
{
        if (run->s->ends) {
                int status = rig_stop(&run->rig, RECOVERY_US);
                if (status != 0)
                        observer_tell(&run->o, VIOLATION_OTHER, "supd ended with wait status %d", status);
                return;
        }
        uint64_t start = boottime_us();
        while (!is_up(run) && !rig_ended(&run->rig) && boottime_us() - start < RECOVERY_US)
                sleep_us(500);
        if (!is_up(run))
                observer_tell(&run->o, VIOLATION_OTHER, "no manager supervises");
        if (run->result->recovery_us == 0 && run->result->reached)
                run->result->recovery_us = boottime_us() - run->killed_us;
}

/* A start that was refused is told: its unit has failed for want of something, or (SET_UP) because its set-up failed.
 */
static bool is_told(struct run *run, bool set_up)
{
        for (unsigned i = 0; i < SCENARIO_MAX && run->s->units[i].name; i++) {
                cleanup_buf_ struct buf b = {0};
                char args[160], active[40] = "", result[40] = "", status[16] = "";
                (void)snprintf(args, sizeof(args), "show %s", run->s->units[i].name);
                if (rig_supctl(&run->rig, args, RECOVERY_US, &b) != 0)
                        continue;
                (void)show_value(buf_str(&b), "ActiveState", active, sizeof(active));
                (void)show_value(buf_str(&b), "Result", result, sizeof(result));
                (void)show_value(buf_str(&b), "ExecMainStatus", status, sizeof(status));
                if (streq(active, "failed") && (streq(result, "resources") || (set_up && streq(result, "exit-code") &&
                                                                               strtol(status, NULL, 10) >= 200)))
                        return true;
        }
        return false;
}

#define MORE_TRIES 3 /* what could not be opened may be tried again within a second or two */

/* Whatever failed, failed once: what is asked for now happens. */
static void ask_for_more(struct run *run)
{
        static const struct scenario_step steps[] = {
                {ACT_SUPCTL, "start probe.service", .until = {UNTIL_RUNNING, "probe.service", 1, NULL}},
                {ACT_END},
        };
        struct drive_result result = {0};
        drive_steps(&run->rig, steps, &result);
        if (result.failure[0] || result.repeats > MORE_TRIES)
                observer_tell(&run->o, VIOLATION_OTHER, "behind the failure: %s",
                              result.failure[0] ? result.failure : "the next requests failed, too");
}

static void judge_fault(struct run *run)
{
        struct expectation e[SCENARIO_MAX + 1];
        unsigned n = 0;
        bool told;
        if (run->s->ends) {
                observer_check_told(&run->o);
                return;
        }
        told = is_told(run, run->shared->failure[0]);
        if (run->shared->failure[0] && !told)
                observer_tell(&run->o, VIOLATION_OTHER, "%s", run->shared->failure);
        for (; !told && n < SCENARIO_MAX && run->s->expect[n].unit; n++) {
                e[n] = run->s->expect[n];
                if (e[n].max_starts > 0)
                        e[n].max_starts += run->shared->repeats;
        }
        ask_for_more(run);
        e[n++] = (struct expectation){"probe.service", .running = true, .min_starts = 1, .max_starts = 1};
        if (observer_settle(&run->o, e, n, SETTLE_US) < 0)
                observer_tell(&run->o, VIOLATION_OTHER, "the observer cannot look");
        observer_check_told(&run->o);
}

static void judge(struct run *run)
{
        struct expectation e[SCENARIO_MAX];
        unsigned n = 0;
        /* who ended while no keeper was there has no exit status: that is what a keeper's death may cost. A oneshot of
         * unknown end has failed, and whoever is told so starts it again. */
        bool unknown = run->victim == VICTIM_KEEPER && run->result->reached;
        for (; n < SCENARIO_MAX && run->s->expect[n].unit; n++) {
                e[n] = run->s->expect[n];
                if (e[n].max_starts > 0)
                        e[n].max_starts += unknown ? run->shared->repeats : run->shared->extra_restarts;
        }
        if (observer_settle(&run->o, e, n, SETTLE_US) < 0)
                observer_tell(&run->o, VIOLATION_OTHER, "the observer cannot look");
        for (unsigned i = 0; i < SCENARIO_MAX && run->s->shows[i].unit && !unknown; i++)
                drive_check_show(&run->rig, &run->o, run->s->shows[i].unit, run->s->shows[i].show, SETTLE_US);
        if (!run->s->ends)
                drive_check_changes(&run->rig, &run->o, SETTLE_US);
}

static void write_verdict(struct run *run)
{
        char path[200];
        (void)snprintf(path, sizeof(path), "%s/verdict.txt", run->rig.dir);
        FILE *f = fopen(path, "we");
        if (!f)
                return;
        (void)fprintf(f, "scenario %s, call %u (%s) %s, step %lu, second %u\n%s", run->s->name, run->p.call,
                      syscall_name(run->result->nr), run->p.after ? "after" : "before", run->p.step, run->p.second,
                      buf_str(&run->o.text));
        (void)fclose(f);
}

static void conclude(struct run *run, const char *keep_dir)
{
        struct kill_result *result = run->result;
        result->violations = observer_total(&run->o);
        memcpy(result->counts, run->o.counts, sizeof(result->counts));
        (void)snprintf(result->text, sizeof(result->text), "%s", buf_str(&run->o.text));
        if (result->violations > 0 && keep_dir) {
                write_verdict(run);
                run->rig.keep_to = keep_dir;
                const char *base = strrchr(run->rig.dir, '/');
                (void)snprintf(result->kept, sizeof(result->kept), "%s%s", keep_dir, base ? base : "");
        }
        if (run->driver > 0) {
                (void)kill(run->driver, SIGKILL);
                (void)waitpid(run->driver, NULL, 0);
        }
        rig_end(&run->rig);
        observer_close(&run->o);
        result->done = true;
}

void kill_run(const struct scenario *s, enum victim victim, const struct kill_point *p, const char *keep_dir,
              struct kill_result *ret)
{
        struct run run = {.s = s, .victim = victim, .p = *p, .result = ret};
        memset(ret, 0, sizeof(*ret));
        ret->nr = -1;
        if (!victim_suits(victim, s)) {
                ret->done = true;
                return;
        }
        run.shared = mmap(NULL, sizeof(*run.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (run.shared == MAP_FAILED)
                return;
        if (prepare(&run)) {
                start_driver(&run);
                trace(&run);
                await_driver(&run);
                await_supd(&run);
                if (run.p.fault)
                        judge_fault(&run);
                else
                        judge(&run);
        } else if (observer_total(&run.o) == 0)
                observer_tell(&run.o, VIOLATION_OTHER, "the run could not be prepared");
        conclude(&run, keep_dir);
        (void)munmap(run.shared, sizeof(*run.shared));
}
