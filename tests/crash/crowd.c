/* SPDX-License-Identifier: MIT
 *
 * The crowd: its kinds of services, its actors, its judge. See crowd.h. Not here: killing.
 */
#include "crowd.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NOT_LOADED 5 /* exit status of `supctl stop` for a unit that nobody has mentioned yet */
#define SETTLE_US  (20 * USEC_PER_SEC)

struct kind {
        const char *name, *text; /* [Service] */
        unsigned children;
        bool never_rests; /* ends by itself again and again: is stopped at the end */
        bool forks;
        const char *unit; /* [Unit]; @D@ = a service of the same actor */
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
        {.name = "task",
         .never_rests = true,
         .text = "Type=oneshot\nRemainAfterExit=yes\nExecStart=@DIARY@ --exit-after-ms=20 --exit=0\n"},
        {.name = "dependent",
         .never_rests = true,
         .unit = "Requires=@D@\nAfter=@D@\n",
         .text = "Type=exec\nExecStart=@DIARY@\nRestart=always\nRestartSec=20ms\n"},
        {.name = "prepared", .text = "ExecStartPre=@DIARY@ --role=control\nExecStart=@DIARY@\nRestart=always\n"},
};

static uint64_t random_state;

int crowd_init(struct crowd *c, unsigned n, unsigned seed)
{
        memset(c, 0, sizeof(*c));
        c->n = n;
        c->seed = seed;
        c->pause_us = 4000;
        random_state = seed;
        c->shared = mmap(NULL, sizeof(*c->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (c->shared != MAP_FAILED)
                return 0;
        c->shared = NULL;
        return -errno;
}

static unsigned random_below(unsigned n)
{
        random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned)((random_state >> 33) % n);
}

static const struct kind *kind_of(unsigned i)
{
        return &kinds[i % ARRAY_SIZE(kinds)];
}

unsigned crowd_random(struct crowd *c unused_, unsigned below)
{
        return random_below(below);
}

void crowd_name(unsigned i, char ret[32])
{
        (void)snprintf(ret, 32, "s%02u-%s.service", i, kind_of(i)->name);
}

/* ---- units ---- */

static void append_text(struct buf *b, const char *text, unsigned i)
{
        char other[32];

        crowd_name(i >= CROWD_ACTORS ? i - CROWD_ACTORS : i, other);
        for (const char *p = text; p && *p; p++) {
                if (starts_with(p, "@N@"))
                        (void)buf_printf(b, "%u", i);
                else if (starts_with(p, "@D@"))
                        (void)buf_append_str(b, other);
                else
                        (void)buf_append_char(b, *p);
                if (starts_with(p, "@N@") || starts_with(p, "@D@"))
                        p += 2;
        }
}

static int write_unit(struct crowd *c, unsigned i)
{
        cleanup_buf_ struct buf b = {0};
        char name[32];
        crowd_name(i, name);
        (void)buf_append_str(&b, "[Unit]\nStartLimitIntervalSec=0\nDefaultDependencies=no\n");
        append_text(&b, i >= CROWD_ACTORS ? kind_of(i)->unit : NULL, i);
        (void)buf_append_str(&b, "[Service]\nExecStopPost=@DIARY@ --role=control\n");
        append_text(&b, kind_of(i)->text, i);
        return rig_unit(&c->rig, name, buf_str(&b));
}

int crowd_write_units(struct crowd *c)
{
        int e = 0;
        for (unsigned i = 0; e >= 0 && i < c->n; i++)
                e = write_unit(c, i);
        return e;
}

/* ---- actors: each has every CROWD_ACTORS-th service ---- */

static void act_supctl(struct crowd *c, const char *verb, const char *unit)
{
        char args[128];
        (void)snprintf(args, sizeof(args), "%s %s", verb, unit);
        if (rig_supctl(&c->rig, args, 8 * USEC_PER_SEC, NULL) != 0)
                (void)atomic_fetch_add(&c->shared->refused, 1);
}

static void act_signal(struct crowd *c, struct observer *o, const char *unit, int how)
{
        pid_t pid = observer_main_pid(o, unit);
        if (pid <= 0)
                return;
        if (how == SIGKILL) {
                (void)diary_note_kill(c->rig.diaries, unit, pid, SIGKILL);
                (void)kill(pid, SIGKILL);
        } else
                (void)sigqueue(pid, SIGRTMIN + 1, (union sigval){.sival_int = how});
}

static void act_reload(struct crowd *c)
{
        (void)atomic_fetch_add(&c->shared->reloads, 1);
        int e = rig_supctl(&c->rig, "daemon-reload", 8 * USEC_PER_SEC, NULL);
        (void)atomic_fetch_sub(&c->shared->reloads, 1);
        (void)atomic_fetch_add(e == 0 ? &c->shared->reloads_done : &c->shared->refused, 1);
}

static void act_once(struct crowd *c, struct observer *o, const char *unit)
{
        static const char *const verbs[] = {"start", "stop", "restart", "start"};
        unsigned what = random_below(10);
        if (what < ARRAY_SIZE(verbs))
                act_supctl(c, verbs[what], unit);
        else if (what == 4)
                act_supctl(c, "kill --kill-whom=main", unit); /* ExecStopPost= has to tell its tale */
        else if (what <= 6)
                act_signal(c, o, unit, 1 + (int)random_below(100)); /* exit status */
        else if (what == 7)
                act_signal(c, o, unit, SIGKILL);
        else if (what == 8)
                act_signal(c, o, unit, 256 + SIGSEGV);
        else if (random_below(3) == 0)
                act_reload(c);
        (void)atomic_fetch_add(&c->shared->actions, 1);
}

/* Says it until it is so. */
static bool bring_to_rest(struct crowd *c, struct observer *o, const char *unit, bool run, struct buf *last)
{
        uint64_t start = boottime_us();
        int e;
        while (boottime_us() - start < CROWD_BACK_US) {
                char args[128];
                (void)snprintf(args, sizeof(args), "%s %s", run ? "start" : "stop", unit);
                buf_reset(last);
                e = rig_supctl(&c->rig, args, 8 * USEC_PER_SEC, last);
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

static void actor(struct crowd *c, unsigned me)
{
        cleanup_buf_ struct buf last = {0};
        struct observer o;
        char unit[32];
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        random_state = c->seed * 1000 + me;
        if (observer_open(&o, c->rig.diaries, c->rig.keeper) < 0)
                _exit(1);
        unsigned mine = (c->n - me + CROWD_ACTORS - 1) / CROWD_ACTORS;
        while (!atomic_load(&c->shared->finish)) {
                crowd_name(me + CROWD_ACTORS * random_below(mine), unit);
                act_once(c, &o, unit);
                sleep_us(random_below(c->pause_us));
        }
        for (unsigned i = me; i < c->n && c->shared->failure[me][0] == 0; i += CROWD_ACTORS) {
                c->shared->wanted[i] = !kind_of(i)->never_rests && random_below(3) > 0;
                crowd_name(i, unit);
                if (!bring_to_rest(c, &o, unit, c->shared->wanted[i], &last))
                        (void)snprintf(c->shared->failure[me], sizeof(c->shared->failure[me]),
                                       "%s cannot be %s: %.120s", unit, c->shared->wanted[i] ? "started" : "stopped",
                                       buf_str(&last));
        }
        observer_close(&o);
        _exit(0);
}

void crowd_act(struct crowd *c)
{
        atomic_store(&c->shared->finish, false);
        memset(c->shared->failure, 0, sizeof(c->shared->failure));
        for (unsigned i = 0; i < CROWD_ACTORS; i++) {
                c->actors[i] = fork();
                if (c->actors[i] == 0)
                        actor(c, i);
        }
}

void crowd_rest(struct crowd *c)
{
        atomic_store(&c->shared->finish, true);
        for (unsigned i = 0; i < CROWD_ACTORS; i++)
                while (waitpid(c->actors[i], NULL, 0) < 0 && errno == EINTR)
                        ;
}

/* ---- the end ---- */

void crowd_judge(struct crowd *c, struct observer *o, bool compare)
{
        static struct expectation e[CROWD_MAX];
        static char names[CROWD_MAX][32];
        for (unsigned i = 0; i < c->n; i++) {
                crowd_name(i, names[i]);
                e[i] = (struct expectation){.unit = names[i], .running = c->shared->wanted[i]};
                e[i].children = c->shared->wanted[i] ? kind_of(i)->children : 0;
        }
        for (unsigned i = 0; i < CROWD_ACTORS; i++)
                if (c->shared->failure[i][0])
                        observer_tell(o, VIOLATION_OTHER, "%s", c->shared->failure[i]);
        if (observer_settle(o, e, c->n, SETTLE_US) < 0)
                observer_tell(o, VIOLATION_OTHER, "the observer cannot look");
        for (unsigned i = 0; compare && i < c->n; i++) {
                cleanup_buf_ struct buf text = {0};
                char args[64];
                (void)snprintf(args, sizeof(args), "show %s", names[i]);
                if (rig_supctl(&c->rig, args, 8 * USEC_PER_SEC, &text) != 0)
                        observer_tell(o, VIOLATION_OTHER, "supctl %s: %.100s", args, buf_str(&text));
                else
                        (void)observer_compare_show(o, names[i], buf_str(&text), true);
        }
        if (compare)
                observer_check_told(o);
}
