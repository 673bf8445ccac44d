/* SPDX-License-Identifier: MIT
 *
 * random-kill [SECONDS] [--services=N] [--seed=N] [--keep=DIR]: the manager is killed at random times while services of
 * all kinds crash, restart, start, stop and fork, and while units are reloaded.
 *
 * Before each kill the manager is stopped and its phase is read from shared memory; kills are aimed, so that each phase
 * gets its share. At the end everything is brought into a known state, and the observer judges: each service once or
 * stopped, no exit lost or changed (ExecStopPost= of each service notes what it is told of the end of its main
 * process), no zombie, nothing unattributed.
 *
 * Not here: system-call precision (crash-points.c). Invariant: each service belongs to one actor, who alone decides
 * what it ought to be at the end.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "crowd.h"
#include "phase.h"
#include "tracer.h"

#define AIM_US (150 * USEC_PER_MSEC)

static struct {
        unsigned seconds, n_services, seed;
        const char *keep_dir;
} cfg = {.seconds = 60, .n_services = 50, .seed = 1, .keep_dir = "crash-failures"};

static struct crowd crowd;

/* ---- the killer ---- */

struct killer {
        struct observer o;
        struct phase_view view;
        unsigned kills, by_phase[N_PHASES], missed;
        uint64_t worst_us;
};

static bool is_stopped(pid_t pid)
{
        struct proc p;
        for (unsigned i = 0; i < 2000; i++) {
                if (proc_read(pid, &p) < 0 || p.state == 'Z')
                        return false;
                if (p.state == 'T')
                        return true;
        }
        return false;
}

/* Stops the manager when AIM seems to hold; true when it still holds once it is stopped. */
static bool stop_in_phase(struct killer *k, pid_t pid, enum phase aim)
{
        uint64_t until = boottime_us() + AIM_US;
        while (boottime_us() < until) {
                for (unsigned i = 0; i < 2000 && !phase_holds(&k->view, aim); i++)
                        ;
                if (!phase_holds(&k->view, aim))
                        continue;
                if (kill(pid, SIGSTOP) < 0 || !is_stopped(pid))
                        return false;
                if (phase_holds(&k->view, aim))
                        return true;
                (void)kill(pid, SIGCONT);
        }
        k->missed++;
        return false;
}

/* A publish takes microseconds: no other process can hit it. Steps from system call to system call, and between them by
 * single instructions, until the sequence is odd. Leaves the manager stopped, traced. */
static bool step_into_publish(struct killer *k, struct tracer *t)
{
        uint64_t until = boottime_us() + 4 * AIM_US;
        while (boottime_us() < until) {
                if (phase_holds(&k->view, PHASE_PUBLISHING))
                        return true;
                if (!t->inside) {
                        if (tracer_step(t, 1) == 0)
                                t->inside = true; /* it sleeps in a call: wait for the end of it */
                        continue;
                }
                enum tracer_event e = tracer_wait(t, 10 * USEC_PER_MSEC);
                if (e == TRACER_GONE)
                        return false;
                if (e != TRACER_NOTHING)
                        t->inside = false;
        }
        return false;
}

static void count_phases(struct killer *k)
{
        for (enum phase p = 0; p < N_PHASES; p++)
                k->by_phase[p] += phase_holds(&k->view, p);
}

static bool kill_publishing(struct killer *k, pid_t pid)
{
        struct tracer t;
        if (tracer_seize(&t, pid, false) < 0)
                return false;
        bool hit = step_into_publish(k, &t);
        if (hit) {
                count_phases(k);
                tracer_kill(&t);
        } else {
                k->missed++;
                tracer_detach(&t);
        }
        return hit;
}

static bool kill_once(struct killer *k, enum phase aim)
{
        pid_t pid = rig_manager(&crowd.rig);
        if (pid <= 0)
                return false;
        if (aim == PHASE_PUBLISHING)
                return k->view.table && kill_publishing(k, pid);
        if (!stop_in_phase(k, pid, aim))
                return false;
        count_phases(k);
        return kill(pid, SIGKILL) == 0;
}

static bool await_manager(struct killer *k, uint32_t starts_before)
{
        uint64_t start = boottime_us();
        while (boottime_us() - start < CROWD_BACK_US) {
                if (atomic_load(&rig_header(&crowd.rig)->manager_starts) != starts_before && rig_is_up(&crowd.rig)) {
                        k->worst_us = MAX2(k->worst_us, boottime_us() - start);
                        return true;
                }
                if (rig_ended(&crowd.rig))
                        return false;
                sleep_us(200);
        }
        return false;
}

/* The phases take turns, a quarter of the kills is not aimed at all. */
static void kill_for_a_while(struct killer *k)
{
        uint64_t until = boottime_us() + cfg.seconds * USEC_PER_SEC;
        for (unsigned turn = 0; boottime_us() < until; turn++) {
                uint32_t starts = atomic_load(&rig_header(&crowd.rig)->manager_starts);
                phase_view_update(&k->view, &crowd.rig);
                sleep_us(crowd_random(&crowd, 40000));
                if (kill_once(k, turn % N_PHASES)) {
                        k->kills++;
                        if (!await_manager(k, starts)) {
                                observer_tell(&k->o, VIOLATION_OTHER, "no manager came back after kill %u", k->kills);
                                return;
                        }
                }
                (void)observer_tick(&k->o);
        }
}

static void report(const struct killer *k)
{
        unsigned starts = 0;
        for (unsigned i = 0; i < k->o.diaries.n; i++)
                starts += diary_count_mains(&k->o.diaries.v[i]);
        (void)printf("%u services, %u s, seed %u: %u actions (%u refused), %u reloads, %u starts of services\n",
                     cfg.n_services, cfg.seconds, cfg.seed, atomic_load(&crowd.shared->actions),
                     atomic_load(&crowd.shared->refused), atomic_load(&crowd.shared->reloads_done), starts);
        (void)printf("%u kills, worst return of a manager %.1f ms, %u aims missed\n", k->kills,
                     (double)k->worst_us / 1000, k->missed);
        for (enum phase p = 0; p < N_PHASES; p++)
                (void)printf("  killed while %-16s %u\n", phase_name(p), k->by_phase[p]);
        (void)printf("%u violations\n%s", observer_total(&k->o), k->o.text.data ? k->o.text.data : "");
}

static int run(void)
{
        struct killer k = {.view.reloads = &crowd.shared->reloads};
        int e = rig_begin(&crowd.rig, "random");
        if (e >= 0)
                e = crowd_write_units(&crowd);
        if (e >= 0)
                e = rig_start(&crowd.rig, CROWD_BACK_US);
        if (e < 0) {
                (void)printf("supd did not start: %s\n", strerror(-e));
                crowd.rig.keep_to = cfg.keep_dir;
                rig_end(&crowd.rig);
                return 1;
        }
        if (observer_open(&k.o, crowd.rig.diaries, crowd.rig.keeper) < 0)
                return 1;
        crowd_act(&crowd);
        kill_for_a_while(&k);
        crowd_rest(&crowd);
        crowd_judge(&crowd, &k.o, true);
        report(&k);
        bool bad = observer_total(&k.o) > 0 || k.kills == 0;
        if (bad) {
                crowd.rig.keep_to = cfg.keep_dir;
                (void)printf("kept in %s/%s.d\n", cfg.keep_dir, crowd.rig.name);
        }
        phase_view_done(&k.view);
        observer_close(&k.o);
        rig_end(&crowd.rig);
        return bad ? 1 : 0;
}

static bool parse(const char *arg)
{
        if (starts_with(arg, "--services="))
                cfg.n_services = MIN2((unsigned)strtoul(arg + 11, NULL, 10), CROWD_MAX);
        else if (starts_with(arg, "--seed="))
                cfg.seed = (unsigned)strtoul(arg + 7, NULL, 10);
        else if (starts_with(arg, "--keep="))
                cfg.keep_dir = arg + 7;
        else if (arg[0] >= '0' && arg[0] <= '9')
                cfg.seconds = (unsigned)strtoul(arg, NULL, 10);
        else
                return false;
        return true;
}

int main(int argc, char **argv)
{
        for (int i = 1; i < argc; i++)
                if (!parse(argv[i])) {
                        (void)fprintf(stderr, "random-kill [SECONDS] [--services=N] [--seed=N] [--keep=DIR]\n");
                        return 2;
                }
        const char *why = rig_missing();
        if (!why && !tracer_permitted())
                why = "ptrace is not permitted here";
        if (why || cfg.n_services < CROWD_ACTORS) {
                (void)printf("skipped: %s\n", why ? why : "too few services");
                return 77;
        }
        (void)mkdir(cfg.keep_dir, 0755);
        if (crowd_init(&crowd, cfg.n_services, cfg.seed) < 0)
                return 1;
        int64_t since = (int64_t)time(NULL);
        int r = run();
        unsigned swept = rig_sweep_semaphores(since);
        if (swept > 0)
                (void)printf("%u half-made semaphores were left in /dev/shm, and removed\n", swept);
        (void)rmdir(cfg.keep_dir); /* only when nothing was kept */
        return r;
}
