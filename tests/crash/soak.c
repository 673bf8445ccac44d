/* SPDX-License-Identifier: MIT
 *
 * soak [--seconds=N] [--services=N] [--round=N] [--seed=N] [--keep=DIR]: a crowd of services lives while every part of
 * supd is killed, upgraded and reloaded at random, for as long as one likes.
 *
 * It goes in rounds on one and the same runtime directory. In a round the actors of the crowd start, stop, crash and
 * signal their services; the killer kills manager, launcher, supd-bus, clients of supctl and services, installs another
 * supd and asks for it, and in every other round kills the keeper, too (then another supd takes over, as below an init
 * that starts it again). The observer looks all the time: no service twice, no old zombie. At the end of the round
 * everything is brought to rest and judged, in rounds without a keeper's death what is told of each exit as well; then
 * all services are stopped, and what supd holds is measured: fds, memory, processes, files, names. The first rest is
 * held against the last.
 *
 * Not here: what a service does (crowd.c). Invariant: one supd at a time; whoever died is followed by another before
 * the next kill.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "crowd.h"
#include "sample.h"

enum victim { MANAGER, LAUNCHER, BUS, CLIENT, KEEPER, UPGRADE, REEXEC, N_VICTIMS };

static const struct {
        const char *name, *comm;
        unsigned weight;
} victims[N_VICTIMS] = {
        [MANAGER] = {"manager", NULL, 6},
        [LAUNCHER] = {"launcher", "supd-exec", 4},
        [BUS] = {"supd-bus", "supd-bus", 3},
        [CLIENT] = {"supctl", "supctl-bus", 4},
        [KEEPER] = {"keeper", NULL, 1},
        [UPGRADE] = {"upgrades of keeper and manager", NULL, 1},
        [REEXEC] = {"restarts of the manager", NULL, 1},
};

static struct {
        unsigned seconds, n_services, round, seed;
        const char *keep_dir;
} cfg = {.seconds = 60, .n_services = 200, .round = 0, .seed = 1, .keep_dir = "crash-failures"};

static struct crowd crowd;
static struct {
        unsigned kills[N_VICTIMS], rounds, strict_rounds, starts, exits, restarts_seen;
        unsigned violations, starved, hungry_rounds;
        uint64_t worst_us[N_VICTIMS];
        struct sample first, last;
        bool any_sample;
        struct buf text;
} total;

/* ---- killing ---- */

/* PARENT 0: anywhere below us. */
static pid_t process_named(const char *comm, pid_t parent)
{
        struct proc_list l = {0};
        pid_t found = 0;
        unsigned n = 0;
        if (proc_list_read(&l, getpid()) < 0)
                return 0;
        for (unsigned i = 0; i < l.n; i++)
                if (l.v[i].below && l.v[i].state != 'Z' && streq(l.v[i].comm, comm) &&
                    (parent == 0 || l.v[i].ppid == parent) && crowd_random(&crowd, ++n) == 0)
                        found = l.v[i].pid;
        proc_list_done(&l);
        return found;
}

static bool await(uint32_t starts_before, enum victim v)
{
        uint64_t start = boottime_us();
        while (boottime_us() - start < CROWD_BACK_US) {
                if (rig_is_up(&crowd.rig) && atomic_load(&rig_header(&crowd.rig)->manager_starts) != starts_before) {
                        total.worst_us[v] = MAX2(total.worst_us[v], boottime_us() - start);
                        return true;
                }
                if (rig_ended(&crowd.rig))
                        return false;
                sleep_us(500);
        }
        return false;
}

static bool upgrade(bool other_file)
{
        if (other_file && rig_install(&crowd.rig) < 0)
                return false;
        return rig_supctl(&crowd.rig, "daemon-reexec", 20 * USEC_PER_SEC, NULL) == 0;
}

/* True when it was there to be killed, and what follows it has come. */
static bool strike(enum victim v, struct observer *o)
{
        uint32_t starts = atomic_load(&rig_header(&crowd.rig)->manager_starts);
        pid_t manager = rig_manager(&crowd.rig);
        pid_t pid = v == KEEPER    ? crowd.rig.keeper
                    : v == MANAGER ? manager
                                   : process_named(victims[v].comm ? victims[v].comm : "", v == LAUNCHER ? manager : 0);
        bool brings_a_manager = v == MANAGER || v == LAUNCHER || v == KEEPER;
        if (v == UPGRADE || v == REEXEC)
                return upgrade(v == UPGRADE) && await(starts, v);
        if (pid <= 0 || kill(pid, SIGKILL) < 0)
                return false;
        if (v == KEEPER) {
                while (!rig_ended(&crowd.rig))
                        sleep_us(200);
                if (rig_respawn(&crowd.rig) < 0)
                        observer_tell(o, VIOLATION_OTHER, "cannot start supd again");
                o->root = crowd.rig.keeper;
        }
        if (!brings_a_manager || await(starts, v))
                return true;
        observer_tell(o, VIOLATION_OTHER, "no manager came back after the death of the %s", victims[v].name);
        return false;
}

static enum victim choose(bool keeper_too)
{
        unsigned sum = 0, at;
        for (unsigned v = 0; v < N_VICTIMS; v++)
                sum += v == KEEPER && !keeper_too ? 0 : victims[v].weight;
        at = crowd_random(&crowd, sum);
        for (unsigned v = 0; v < N_VICTIMS; v++) {
                unsigned weight = v == KEEPER && !keeper_too ? 0 : victims[v].weight;
                if (at < weight)
                        return v;
                at -= weight;
        }
        return MANAGER;
}

/* What a keeper that died left is ours to reap. */
static void reap_adopted(void)
{
        struct proc_list l = {0};
        if (proc_list_read(&l, getpid()) < 0)
                return;
        for (unsigned i = 0; i < l.n; i++) {
                bool own = l.v[i].pid == crowd.rig.keeper || l.v[i].pid == crowd.rig.janitor;
                for (unsigned a = 0; a < CROWD_ACTORS; a++)
                        own |= l.v[i].pid == crowd.actors[a];
                if (!own && l.v[i].ppid == getpid() && l.v[i].state == 'Z')
                        (void)waitpid(l.v[i].pid, NULL, WNOHANG);
        }
        proc_list_done(&l);
}

static void strike_for_a_while(struct observer *o, uint64_t until, bool keeper_too)
{
        while (boottime_us() < until && observer_total(o) == 0) {
                sleep_us(crowd_random(&crowd, 300000));
                enum victim v = choose(keeper_too);
                total.kills[v] += strike(v, o);
                reap_adopted();
                (void)observer_tick(o);
        }
}

/* ---- rounds ---- */

/* How often the machine had no process to spare, as supd says: then an ExecStopPost= could not be started, and nothing
 * was told. Others on the machine may bring that about; it is counted, and such a round's exits are not compared. */
static unsigned starved(void)
{
        char path[192], line[512];
        unsigned n = 0;
        (void)snprintf(path, sizeof(path), "%s/supd.log", crowd.rig.dir);
        FILE *f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f))
                n += strstr(line, "Resource temporarily unavailable") || strstr(line, "Cannot allocate memory");
        if (f)
                (void)fclose(f);
        return n;
}

static void forget_diaries(struct observer *o)
{
        char path[256], name[32];
        for (unsigned i = 0; i < o->diaries.n; i++)
                total.starts += diary_count_mains(&o->diaries.v[i]);
        for (unsigned i = 0; i < crowd.n; i++) {
                crowd_name(i, name);
                (void)snprintf(path, sizeof(path), "%s/%s.diary", crowd.rig.diaries, name);
                (void)unlink(path);
        }
}

static bool stop_all(struct observer *o)
{
        cleanup_buf_ struct buf said = {0};
        uint64_t start = boottime_us();
        int e = 1;
        while (e != 0 && boottime_us() - start < CROWD_BACK_US) {
                buf_reset(&said);
                e = rig_supctl(&crowd.rig, "stop s[0-9]*.service", CROWD_BACK_US, &said);
                reap_adopted();
        }
        if (e != 0)
                observer_tell(o, VIOLATION_OTHER, "not all can be stopped: %d %.100s", e, buf_str(&said));
        return e == 0;
}

/* All is at rest: what does supd hold? The front leaves by itself, and is not counted. */
static void measure(struct observer *o)
{
        struct sample s;
        for (unsigned i = 0; i < 200; i++) {
                if (sample_take(&crowd.rig, &s) == 0 && s.processes <= 2)
                        break;
                reap_adopted();
                sleep_us(50 * USEC_PER_MSEC);
        }
        if (s.processes > 2)
                observer_tell(o, VIOLATION_OTHER, "%u processes are left when all is stopped", s.processes - 2);
        if (!total.any_sample)
                total.first = s;
        total.any_sample = true;
        total.last = s;
}

static bool one_round(uint64_t until, bool keeper_too)
{
        struct observer o;
        if (observer_open(&o, crowd.rig.diaries, crowd.rig.keeper) < 0)
                return false;
        unsigned before = total.kills[KEEPER];
        crowd_act(&crowd);
        strike_for_a_while(&o, until, keeper_too);
        crowd_rest(&crowd);
        reap_adopted();
        bool hungry = starved() != total.starved;
        bool strict = total.kills[KEEPER] == before && !hungry;
        total.starved = starved();
        total.hungry_rounds += hungry;
        crowd_judge(&crowd, &o, strict);
        if (stop_all(&o)) {
                static struct expectation e[CROWD_MAX];
                static char names[CROWD_MAX][32];
                for (unsigned i = 0; i < crowd.n; i++) {
                        crowd_name(i, names[i]);
                        e[i] = (struct expectation){.unit = names[i]};
                }
                (void)observer_settle(&o, e, crowd.n, CROWD_BACK_US);
                measure(&o);
        }
        char label[48];
        (void)snprintf(label, sizeof(label), "round %u%s", total.rounds,
                       hungry   ? ", starved"
                       : strict ? ""
                                : ", keeper too");
        sample_print(label, &total.last);
        (void)fflush(stdout);
        total.rounds++;
        total.strict_rounds += strict;
        total.violations += observer_total(&o);
        if (o.text.data)
                (void)buf_append_str(&total.text, buf_str(&o.text));
        bool well = observer_total(&o) == 0;
        if (well)
                forget_diaries(&o);
        observer_close(&o);
        return well;
}

static void report(void)
{
        struct durable_header *h = rig_header(&crowd.rig);
        (void)printf("%u services, %u rounds (%u without a keeper's death), seed %u\n", crowd.n, total.rounds,
                     total.strict_rounds, cfg.seed);
        (void)printf("%u actions of clients (%u refused or cut off), %u reloads, %u starts of services, %llu exits "
                     "recorded\n",
                     atomic_load(&crowd.shared->actions), atomic_load(&crowd.shared->refused),
                     atomic_load(&crowd.shared->reloads_done), total.starts,
                     (unsigned long long)atomic_load(&h->exits_recorded));
        for (unsigned v = 0; v < N_VICTIMS; v++)
                (void)printf("  %-32s %6u   back after %.1f ms at worst\n", victims[v].name, total.kills[v],
                             (double)total.worst_us[v] / 1000);
        (void)printf("  managers started %u, keepers exchanged in place %u, fallbacks %u\n",
                     atomic_load(&h->manager_starts), atomic_load(&h->keeper_reexecs),
                     atomic_load(&h->manager_fallbacks));
        (void)printf("  rounds in which a process could not be forked %u\n", total.hungry_rounds);
        sample_print("first rest", &total.first);
        sample_print("last rest", &total.last);
}

static int run(void)
{
        int e = rig_begin(&crowd.rig, "soak");
        if (e >= 0)
                e = rig_install(&crowd.rig);
        if (e >= 0)
                e = crowd_write_units(&crowd);
        if (e >= 0)
                e = rig_start(&crowd.rig, CROWD_BACK_US);
        if (e < 0) {
                (void)printf("supd did not start: %s\n", strerror(-e));
                rig_end(&crowd.rig);
                return 1;
        }
        uint64_t end = boottime_us() + cfg.seconds * USEC_PER_SEC;
        unsigned length = cfg.round > 0 ? cfg.round : MAX2(5u, MIN2(60u, cfg.seconds / 5));
        bool well = true;
        for (unsigned i = 0; well && (i < 2 || boottime_us() < end); i++)
                well = one_round(boottime_us() + length * USEC_PER_SEC, i % 2 == 1);
        report();
        const char *grew = total.any_sample ? sample_grew(&total.first, &total.last) : NULL;
        if (grew)
                (void)printf("grown: %s\n", grew);
        (void)printf("%u violations\n%s", total.violations, buf_str(&total.text));
        if (!well || grew) {
                crowd.rig.keep_to = cfg.keep_dir;
                (void)printf("kept in %s/%s.d\n", cfg.keep_dir, crowd.rig.name);
        }
        rig_end(&crowd.rig);
        return !well || grew ? 1 : 0;
}

static bool parse(const char *arg)
{
        const struct {
                const char *name;
                unsigned *to;
        } numbers[] = {{"--seconds=", &cfg.seconds},
                       {"--services=", &cfg.n_services},
                       {"--round=", &cfg.round},
                       {"--seed=", &cfg.seed}};
        for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
                if (starts_with(arg, numbers[i].name)) {
                        *numbers[i].to = (unsigned)strtoul(arg + strlen(numbers[i].name), NULL, 10);
                        return true;
                }
        if (!starts_with(arg, "--keep="))
                return false;
        cfg.keep_dir = arg + 7;
        return true;
}

int main(int argc, char **argv)
{
        for (int i = 1; i < argc; i++)
                if (!parse(argv[i])) {
                        (void)fprintf(stderr,
                                      "soak [--seconds=N] [--services=N] [--round=N] [--seed=N] [--keep=DIR]\n");
                        return 2;
                }
        const char *why = rig_missing();
        cfg.n_services = MIN2(cfg.n_services, CROWD_MAX);
        if (why || cfg.n_services < CROWD_ACTORS) {
                (void)printf("skipped: %s\n", why ? why : "too few services");
                return 77;
        }
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a dead keeper leaves comes to us, as to an init */
        (void)mkdir(cfg.keep_dir, 0755);
        if (crowd_init(&crowd, cfg.n_services, cfg.seed) < 0)
                return 1;
        crowd.pause_us = 60000;
        int64_t since = (int64_t)time(NULL);
        int r = run();
        (void)rig_sweep_semaphores(since);
        buf_done(&total.text);
        (void)rmdir(cfg.keep_dir);
        return r;
}
