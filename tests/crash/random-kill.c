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

#include "observer.h"
#include "phase.h"
#include "rig.h"
#include "tracer.h"

#define MAX_SERVICES 200u
#define N_ACTORS     3u
#define AIM_US       (150 * USEC_PER_MSEC)
#define BACK_US      (20 * USEC_PER_SEC)
#define NOT_LOADED   5 /* exit status of `supctl stop` for a unit that nobody has mentioned yet */
#define SETTLE_US    (20 * USEC_PER_SEC)

struct kind {
        const char *name, *text; /* [Service] */
        unsigned children;
        bool never_rests; /* ends by itself again and again: is stopped at the end */
        bool forks;
};

static const struct kind kinds[] = {
        {.name = "always", .text = "ExecStart=@DIARY@\nRestart=always\nRestartSec=20ms\n"},
        {.name = "exits",
         .never_rests = true,
         .text = "ExecStart=@DIARY@ --exit-after-ms=170 --exit=41\nRestart=always\nRestartSec=20ms\n"},
        {.name = "crashes",
         .never_rests = true,
         .text = "ExecStart=@DIARY@ --exit-after-ms=230 --die=11\nRestart=on-failure\nRestartSec=20ms\n"},
        {.name = "notify",
         .text = "Type=notify\nExecStart=@DIARY@ --notify=READY=1 --notify-delay-ms=10\n"
                 "Restart=on-failure\nRestartSec=20ms\n"},
        {.name = "forking",
         .forks = true,
         .text = "Type=forking\nPIDFile=@RIG@/@N@.pid\nExecStart=@DIARY@ --fork --pid-file=@RIG@/@N@.pid\n"
                 "Restart=always\nRestartSec=20ms\n"},
        {.name = "once", .text = "ExecStart=@DIARY@ --on-term=exit:0\n"},
        {.name = "stubborn", .text = "ExecStart=@DIARY@ --on-term=ignore\nTimeoutStopSec=500ms\n"},
        {.name = "family",
         .children = 2,
         .text = "Type=exec\nExecStart=@DIARY@ --children=2\nRestart=always\nRestartSec=20ms\n"},
        {.name = "slow-stop", .text = "ExecStart=@DIARY@ --on-term=exit:5 --term-delay-ms=60\nRestart=on-failure\n"},
        {.name = "prepared", .text = "ExecStartPre=@DIARY@ --role=control\nExecStart=@DIARY@\nRestart=always\n"},
};

struct shared { /* between killer and actors */
        _Atomic bool finish;
        _Atomic int reloads;
        _Atomic unsigned actions, refused, reloads_done;
        bool wanted[MAX_SERVICES]; /* running at the end; written by the service's actor */
        char failure[N_ACTORS][200];
};

static struct {
        unsigned seconds, n_services, seed;
        const char *keep_dir;
} cfg = {.seconds = 60, .n_services = 50, .seed = 1, .keep_dir = "crash-failures"};

static struct shared *shared;
static struct rig rig;
static uint64_t random_state;

static unsigned random_below(unsigned n)
{
        random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned)((random_state >> 33) % n);
}

static const struct kind *kind_of(unsigned i)
{
        return &kinds[i % ARRAY_SIZE(kinds)];
}

static void name_of(unsigned i, char ret[32])
{
        (void)snprintf(ret, 32, "s%02u-%s.service", i, kind_of(i)->name);
}

/* ---- units ---- */

static int write_unit(unsigned i)
{
        cleanup_buf_ struct buf b = {0};
        char name[32];
        name_of(i, name);
        (void)buf_append_str(&b, "[Unit]\nStartLimitIntervalSec=0\nDefaultDependencies=no\n[Service]\n"
                                 "ExecStopPost=@DIARY@ --role=control\n");
        for (const char *p = kind_of(i)->text; *p; p++) {
                if (starts_with(p, "@N@")) {
                        (void)buf_printf(&b, "%u", i);
                        p += 2;
                } else
                        (void)buf_append_char(&b, *p);
        }
        return rig_unit(&rig, name, buf_str(&b));
}

/* ---- actors: each has every N_ACTORS-th service ---- */

static void act_supctl(const char *verb, const char *unit)
{
        char args[128];
        (void)snprintf(args, sizeof(args), "%s %s", verb, unit);
        if (rig_supctl(&rig, args, 8 * USEC_PER_SEC, NULL) != 0)
                (void)atomic_fetch_add(&shared->refused, 1);
}

static void act_signal(struct observer *o, const char *unit, int how)
{
        pid_t pid = observer_main_pid(o, unit);
        if (pid <= 0)
                return;
        if (how == SIGKILL) {
                (void)diary_note_kill(rig.diaries, unit, pid, SIGKILL);
                (void)kill(pid, SIGKILL);
        } else
                (void)sigqueue(pid, SIGRTMIN + 1, (union sigval){.sival_int = how});
}

static void act_reload(void)
{
        (void)atomic_fetch_add(&shared->reloads, 1);
        int e = rig_supctl(&rig, "daemon-reload", 8 * USEC_PER_SEC, NULL);
        (void)atomic_fetch_sub(&shared->reloads, 1);
        (void)atomic_fetch_add(e == 0 ? &shared->reloads_done : &shared->refused, 1);
}

static void act_once(struct observer *o, const char *unit)
{
        static const char *const verbs[] = {"start", "stop", "restart", "start"};
        unsigned what = random_below(10);
        if (what < ARRAY_SIZE(verbs))
                act_supctl(verbs[what], unit);
        else if (what == 4)
                act_supctl("kill --kill-whom=main", unit); /* ExecStopPost= has to tell its tale */
        else if (what <= 6)
                act_signal(o, unit, 1 + (int)random_below(100)); /* exit status */
        else if (what == 7)
                act_signal(o, unit, SIGKILL);
        else if (what == 8)
                act_signal(o, unit, 256 + SIGSEGV);
        else if (random_below(3) == 0)
                act_reload();
        (void)atomic_fetch_add(&shared->actions, 1);
}

/* Says it until it is so. */
static bool bring_to_rest(struct observer *o, const char *unit, bool run, struct buf *last)
{
        uint64_t start = boottime_us();
        int e;
        while (boottime_us() - start < BACK_US) {
                char args[128];
                (void)snprintf(args, sizeof(args), "%s %s", run ? "start" : "stop", unit);
                buf_reset(last);
                e = rig_supctl(&rig, args, 8 * USEC_PER_SEC, last);
                (void)buf_printf(last, " (supctl %s: %d)", args, e);
                if (!run && e == NOT_LOADED && observer_main_pid(o, unit) == 0)
                        return true; /* it was never asked for */
                if (e == 0)
                        for (unsigned i = 0; i < 100; i++) {
                                if ((observer_main_pid(o, unit) > 0) == run)
                                        return true;
                                sleep_us(10 * USEC_PER_MSEC);
                        }
                sleep_us(20 * USEC_PER_MSEC);
        }
        return false;
}

static void actor(unsigned me)
{
        cleanup_buf_ struct buf last = {0};
        struct observer o;
        char unit[32];
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        random_state = cfg.seed * 1000 + me;
        if (observer_open(&o, rig.diaries, rig.keeper) < 0)
                _exit(1);
        unsigned mine = (cfg.n_services - me + N_ACTORS - 1) / N_ACTORS;
        while (!atomic_load(&shared->finish)) {
                name_of(me + N_ACTORS * random_below(mine), unit);
                act_once(&o, unit);
                sleep_us(random_below(4000));
        }
        for (unsigned i = me; i < cfg.n_services && shared->failure[me][0] == 0; i += N_ACTORS) {
                shared->wanted[i] = !kind_of(i)->never_rests && random_below(3) > 0;
                name_of(i, unit);
                if (!bring_to_rest(&o, unit, shared->wanted[i], &last))
                        (void)snprintf(shared->failure[me], sizeof(shared->failure[me]), "%s cannot be %s: %.120s",
                                       unit, shared->wanted[i] ? "started" : "stopped", buf_str(&last));
        }
        observer_close(&o);
        _exit(0);
}

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
        pid_t pid = rig_manager(&rig);
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
        while (boottime_us() - start < BACK_US) {
                if (atomic_load(&rig_header(&rig)->manager_starts) != starts_before && rig_is_up(&rig)) {
                        k->worst_us = MAX2(k->worst_us, boottime_us() - start);
                        return true;
                }
                if (rig_ended(&rig))
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
                uint32_t starts = atomic_load(&rig_header(&rig)->manager_starts);
                phase_view_update(&k->view, &rig);
                sleep_us(random_below(40000));
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

/* ---- the end ---- */

static void judge(struct killer *k)
{
        static struct expectation e[MAX_SERVICES];
        static char names[MAX_SERVICES][32];
        for (unsigned i = 0; i < cfg.n_services; i++) {
                name_of(i, names[i]);
                e[i] = (struct expectation){.unit = names[i], .running = shared->wanted[i]};
                e[i].children = shared->wanted[i] ? kind_of(i)->children : 0;
        }
        for (unsigned i = 0; i < N_ACTORS; i++)
                if (shared->failure[i][0])
                        observer_tell(&k->o, VIOLATION_OTHER, "%s", shared->failure[i]);
        if (observer_settle(&k->o, e, cfg.n_services, SETTLE_US) < 0)
                observer_tell(&k->o, VIOLATION_OTHER, "the observer cannot look");
        for (unsigned i = 0; i < cfg.n_services; i++) {
                cleanup_buf_ struct buf text = {0};
                char args[64];
                (void)snprintf(args, sizeof(args), "show %s", names[i]);
                if (rig_supctl(&rig, args, 8 * USEC_PER_SEC, &text) != 0)
                        observer_tell(&k->o, VIOLATION_OTHER, "supctl %s: %.100s", args, buf_str(&text));
                else
                        (void)observer_compare_show(&k->o, names[i], buf_str(&text), true);
        }
        observer_check_told(&k->o);
}

static void report(const struct killer *k)
{
        unsigned starts = 0;
        for (unsigned i = 0; i < k->o.diaries.n; i++)
                starts += diary_count_mains(&k->o.diaries.v[i]);
        (void)printf("%u services, %u s, seed %u: %u actions (%u refused), %u reloads, %u starts of services\n",
                     cfg.n_services, cfg.seconds, cfg.seed, atomic_load(&shared->actions),
                     atomic_load(&shared->refused), atomic_load(&shared->reloads_done), starts);
        (void)printf("%u kills, worst return of a manager %.1f ms, %u aims missed\n", k->kills,
                     (double)k->worst_us / 1000, k->missed);
        for (enum phase p = 0; p < N_PHASES; p++)
                (void)printf("  killed while %-16s %u\n", phase_name(p), k->by_phase[p]);
        (void)printf("%u violations\n%s", observer_total(&k->o), k->o.text.data ? k->o.text.data : "");
}

static int run(void)
{
        pid_t actors[N_ACTORS];
        struct killer k = {.view.reloads = &shared->reloads};
        int e = rig_begin(&rig, "random");
        for (unsigned i = 0; e >= 0 && i < cfg.n_services; i++)
                e = write_unit(i);
        if (e >= 0)
                e = rig_start(&rig, BACK_US);
        if (e < 0) {
                (void)printf("supd did not start: %s\n", strerror(-e));
                rig.keep_to = cfg.keep_dir;
                rig_end(&rig);
                return 1;
        }
        if (observer_open(&k.o, rig.diaries, rig.keeper) < 0)
                return 1;
        for (unsigned i = 0; i < N_ACTORS; i++) {
                actors[i] = fork();
                if (actors[i] == 0)
                        actor(i);
        }
        kill_for_a_while(&k);
        atomic_store(&shared->finish, true);
        for (unsigned i = 0; i < N_ACTORS; i++)
                while (waitpid(actors[i], NULL, 0) < 0 && errno == EINTR)
                        ;
        judge(&k);
        report(&k);
        bool bad = observer_total(&k.o) > 0 || k.kills == 0;
        if (bad) {
                rig.keep_to = cfg.keep_dir;
                (void)printf("kept in %s/%s.d\n", cfg.keep_dir, rig.name);
        }
        phase_view_done(&k.view);
        observer_close(&k.o);
        rig_end(&rig);
        return bad ? 1 : 0;
}

static bool parse(const char *arg)
{
        if (starts_with(arg, "--services="))
                cfg.n_services = MIN2((unsigned)strtoul(arg + 11, NULL, 10), MAX_SERVICES);
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
        if (why || cfg.n_services < N_ACTORS) {
                (void)printf("skipped: %s\n", why ? why : "too few services");
                return 77;
        }
        random_state = cfg.seed;
        (void)mkdir(cfg.keep_dir, 0755);
        shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED)
                return 1;
        int64_t since = (int64_t)time(NULL);
        int r = run();
        unsigned swept = rig_sweep_semaphores(since);
        if (swept > 0)
                (void)printf("%u half-made semaphores were left in /dev/shm, and removed\n", swept);
        (void)rmdir(cfg.keep_dir); /* only when nothing was kept */
        return r;
}
