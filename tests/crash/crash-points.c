/* SPDX-License-Identifier: MIT
 *
 * crash-points: kills the manager at its 1st, 2nd, … last system call of every scenario, before the call and after it,
 * and lets the observer judge what the world looks like afterwards.
 *
 *     crash-points [--scenario=NAME]… [--victim=manager|launcher|bus|keeper|supctl]
 *                  [--short | --limit=N]     a sample, the same at each run (default: every point)
 *                  [--pairs=N]               also N pairs: the next manager is killed, too, while it recovers
 *                  [--instructions=N]        also N points between system calls (single steps)
 *                  [--faults]                nobody is killed: each call that can fail (fault.c) fails once
 *                  [--seconds=N]             hand out no new point after so long; what was left out is printed
 *                  [--jobs=N] [--keep=DIR] [--seed=N] [--list] [--verbose]
 *     crash-points --scenario=NAME --point=K [--after] [--step=R] [--second=J]     one point again
 *     crash-points --scenario=NAME --point=K --nr=NUMBER --fault=ERRNO              one fault again
 *
 * Prints a line per scenario: calls, points that are the same as the one before them (private-call.h), points, kills,
 * failures. Exit status 0, 1 (failures), 77 (cannot run here, and why).
 *
 * Not here: one run (kill-run.h). Invariant: no point is silently left out: same, not reached, left out and failed are
 * counted.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "fault.h"
#include "kill-run.h"
#include "tracer.h"

#define MAX_ITEMS     60000u
#define MAX_SELECTED  64u
#define SHORT_LIMIT   12u
#define SHORT_SECONDS 50u

enum item_kind { ITEM_COUNT, ITEM_CALL, ITEM_STEP, ITEM_PAIR, ITEM_FAULT, N_ITEM_KINDS };

struct item {
        const struct scenario *s;
        enum item_kind kind;
        struct kill_point p;
        struct kill_result result;
};

/* Shared with the workers. */
struct board {
        _Atomic unsigned next, end; /* items [next, end) are to be done */
        _Atomic unsigned failures;
        uint16_t seen[MAX_SELECTED][SEEN_MAX]; /* calls of the runs in which nothing happens */
        bool private[MAX_SELECTED][SEEN_MAX];
        struct item items[MAX_ITEMS];
};

static struct {
        const struct scenario *selected[MAX_SELECTED];
        unsigned n_selected;
        enum victim victim;
        unsigned limit, pairs, instructions, seconds, jobs, seed;
        const char *keep_dir;
        bool verbose, faults;
        bool one; /* --point */
        struct kill_point point;
} cfg = {.seed = 1, .keep_dir = "crash-failures"};

static struct board *board;
static uint64_t started_us;

static unsigned random_below(uint64_t *state, unsigned n)
{
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return n == 0 ? 0 : (unsigned)((*state >> 33) % n);
}

static bool time_is_over(void)
{
        return cfg.seconds > 0 && boottime_us() - started_us > cfg.seconds * USEC_PER_SEC;
}

static void print_point(FILE *f, const struct item *i)
{
        (void)fprintf(f, "crash-points --scenario=%s --victim=%s --point=%u%s", i->s->name, victim_name(cfg.victim),
                      i->p.call, i->p.after ? " --after" : "");
        if (i->p.step > 0)
                (void)fprintf(f, " --step=%lu", i->p.step);
        if (i->p.second > 0)
                (void)fprintf(f, " --second=%u", i->p.second);
        if (i->p.fault)
                (void)fprintf(f, " --nr=%ld --fault=%d", i->p.nr, i->p.fault);
}

static const char *what_happened(const struct item *i)
{
        return i->p.call == 0 ? "nothing killed"
               : i->p.fault   ? fault_name(i->p.fault)
               : i->p.after   ? "after"
                              : "before";
}

static void print_failure(const struct item *i)
{
        cleanup_buf_ struct buf b = {0};
        (void)buf_printf(&b, "FAILED %s call %u (%s, %s)\n", i->s->name, i->p.call, syscall_name(i->result.nr),
                         what_happened(i));
        (void)buf_append_str(&b, i->result.text);
        (void)fputs(buf_str(&b), stdout);
        (void)fputs("  again: ", stdout);
        print_point(stdout, i);
        (void)printf("\n  kept: %s\n", i->result.kept[0] ? i->result.kept : "-");
        (void)fflush(stdout);
}

static void work(void)
{
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
                unsigned i = atomic_fetch_add(&board->next, 1);
                if (i >= atomic_load(&board->end) || time_is_over())
                        _exit(0);
                struct item *it = &board->items[i];
                bool keep = atomic_load(&board->failures) < 40;
                kill_run(it->s, cfg.victim, &it->p, keep ? cfg.keep_dir : NULL, &it->result);
                if (it->result.violations > 0) {
                        (void)atomic_fetch_add(&board->failures, 1);
                        print_failure(it);
                } else if (cfg.verbose) {
                        print_point(stdout, it);
                        (void)printf(": %s %s%s, %u calls, back after %llu us, %u repeats\n",
                                     it->result.reached ? "killed at" : "not reached", syscall_name(it->result.nr),
                                     it->result.second_reached ? " and again" : "", it->result.calls,
                                     (unsigned long long)it->result.recovery_us, it->result.repeats);
                        (void)fflush(stdout);
                }
        }
}

/* Items [from, to), by all workers. */
static void do_items(unsigned from, unsigned to)
{
        atomic_store(&board->next, from);
        atomic_store(&board->end, to);
        unsigned n = MIN2(cfg.jobs, to - from);
        for (unsigned i = 0; i < n; i++) {
                (void)fflush(stdout);
                pid_t p = fork();
                if (p == 0)
                        work();
        }
        while (n > 0 && (wait(NULL) > 0 || errno == EINTR))
                ;
}

static struct item *item_add(unsigned *n, const struct scenario *s, enum item_kind kind)
{
        if (*n >= MAX_ITEMS)
                return NULL;
        struct item *i = &board->items[(*n)++];
        i->s = s;
        i->kind = kind;
        return i;
}

/* Nothing that others could see has happened since the point before: behind a private call always; between two calls
 * when the victim shares no memory with others. */
static bool is_same(unsigned which, unsigned at)
{
        bool shares_memory = cfg.victim != VICTIM_BUS && cfg.victim != VICTIM_SUPCTL;

        if (at == 0 || at / 2 >= SEEN_MAX)
                return false;
        return at % 2 == 0 ? !shares_memory : board->private[which][at / 2];
}

/* Points of one scenario with CALLS system calls: before and after each, or an even sample of them. Returns how many
 * are not tried because they are the same as the one before. */
static unsigned add_calls(unsigned *n, unsigned which, unsigned calls)
{
        const struct scenario *s = cfg.selected[which];
        unsigned all = 2 * calls, same = 0, take = cfg.limit > 0 ? MIN2(cfg.limit, all) : all;
        for (unsigned i = 0; i < take; i++) {
                unsigned at = (unsigned)((uint64_t)i * all / take);
                if (take < all && i % 2 == 1 && at % 2 == 0) /* as many after as before */
                        at++;
                if (take == all && is_same(which, at)) {
                        same++;
                        continue;
                }
                struct item *it = item_add(n, s, ITEM_CALL);
                if (it)
                        it->p = (struct kill_point){.call = at / 2 + 1, .after = at % 2 == 1};
        }
        return same;
}

static void add_random(unsigned *n, const struct scenario *s, unsigned calls, uint64_t *state)
{
        for (unsigned i = 0; i < cfg.instructions; i++) {
                struct item *it = item_add(n, s, ITEM_STEP);
                unsigned magnitude = 1 + random_below(state, 13); /* 1 … 2^14 instructions, small ones as often */
                if (it)
                        it->p = (struct kill_point){.call = 1 + random_below(state, calls),
                                                    .after = true,
                                                    .step = 1 + random_below(state, 2u << magnitude)};
        }
        for (unsigned i = 0; i < cfg.pairs; i++) {
                struct item *it = item_add(n, s, ITEM_PAIR);
                if (it)
                        it->p = (struct kill_point){.call = 1 + random_below(state, calls),
                                                    .after = random_below(state, 2) == 1,
                                                    .second = 1 + random_below(state, calls + 60)};
        }
}

/* Each call that can fail, with each errno: all, or an even sample of them. */
static void add_faults(unsigned *n, unsigned which, unsigned calls)
{
        unsigned all = 0, at = 0, taken = 0;
        calls = MIN2(calls, SEEN_MAX);
        for (unsigned i = 0; i < calls; i++)
                for (const int *e = fault_errnos(board->seen[which][i]); *e; e++)
                        all++;
        unsigned take = cfg.limit > 0 ? MIN2(cfg.limit, all) : all;
        for (unsigned i = 0; i < calls; i++)
                for (const int *e = fault_errnos(board->seen[which][i]); *e; e++, at++) {
                        if (taken >= take || at < (uint64_t)taken * all / take)
                                continue;
                        struct item *it = item_add(n, cfg.selected[which], ITEM_FAULT);
                        taken++;
                        if (it)
                                it->p = (struct kill_point){.call = i + 1, .fault = *e, .nr = board->seen[which][i]};
                }
}

struct totals {
        unsigned calls, same, points, killed, unreached, left_out, failures, doubles;
        uint64_t slowest_us;
};

static void sum_up(struct totals *t, const struct item *i)
{
        if (!i->result.done) {
                t->left_out++;
                return;
        }
        t->points++;
        t->failures += i->result.violations > 0;
        t->killed += i->result.reached;
        t->unreached += i->kind != ITEM_COUNT && !i->result.reached;
        t->doubles += i->result.second_reached;
        t->slowest_us = MAX2(t->slowest_us, i->result.recovery_us);
}

static void print_totals(const char *name, const struct totals *t)
{
        (void)printf("%-16s %6u %7u %7u %7u %7u %8u %8u %9.1f %9u\n", name, t->calls, t->same, t->points, t->killed,
                     t->doubles, t->unreached, t->left_out, (double)t->slowest_us / 1000, t->failures);
}

static unsigned report(unsigned n_items, const unsigned *calls, const unsigned *same)
{
        struct totals all = {0};
        (void)printf("%-16s %6s %7s %7s %7s %7s %8s %8s %9s %9s\n", "scenario", "calls", "same", "points", "killed",
                     "twice", "unreached", "left out", "worst ms", "failures");
        for (unsigned s = 0; s < cfg.n_selected; s++) {
                struct totals t = {.calls = calls[s], .same = same[s]};
                all.calls += calls[s];
                all.same += same[s];
                for (unsigned i = 0; i < n_items; i++)
                        if (board->items[i].s == cfg.selected[s]) {
                                sum_up(&t, &board->items[i]);
                                sum_up(&all, &board->items[i]);
                        }
                print_totals(cfg.selected[s]->name, &t);
        }
        print_totals("all", &all);
        (void)printf("%u points, %u %s, %u failures, victim %s, %.1f s\n", all.points,
                     cfg.faults ? all.killed : all.killed + all.doubles, cfg.faults ? "faults" : "kills", all.failures,
                     victim_name(cfg.victim), (double)(boottime_us() - started_us) / 1e6);
        return all.failures + (all.points == 0);
}

static int run_all(void)
{
        unsigned n = 0, calls[MAX_SELECTED] = {0}, same[MAX_SELECTED] = {0};
        uint64_t state = cfg.seed;
        for (unsigned s = 0; s < cfg.n_selected; s++)
                item_add(&n, cfg.selected[s], ITEM_COUNT)->p =
                        (struct kill_point){.seen = board->seen[s], .private = board->private[s]};
        do_items(0, n);
        for (unsigned s = 0; s < cfg.n_selected; s++) {
                calls[s] = board->items[s].result.calls;
                if (calls[s] == 0)
                        continue;
                if (cfg.faults) {
                        add_faults(&n, s, calls[s]);
                        continue;
                }
                same[s] = add_calls(&n, s, calls[s]);
                add_random(&n, cfg.selected[s], calls[s], &state);
        }
        do_items(cfg.n_selected, n);
        return report(n, calls, same) > 0 ? 1 : 0;
}

static int run_one(void)
{
        unsigned n = 0;
        struct item *it = item_add(&n, cfg.selected[0], ITEM_CALL);
        it->p = cfg.point;
        cfg.verbose = true;
        do_items(0, 1);
        return it->result.violations > 0 ? 1 : 0;
}

static void list(const char *value unused_)
{
        for (unsigned i = 0; i < n_scenarios; i++)
                (void)printf("%-16s %s\n", scenarios[i].name, scenarios[i].what);
        exit(0);
}

static void bad_usage(const char *text)
{
        (void)fprintf(stderr, "crash-points: %s: not understood; see the head of tests/crash/crash-points.c\n", text);
        exit(2);
}

static void parse_scenario(const char *value)
{
        const struct scenario *s = scenario_find(value);
        if (!s || cfg.n_selected == MAX_SELECTED)
                bad_usage(value);
        cfg.selected[cfg.n_selected++] = s;
}

static void parse_victim(const char *value)
{
        for (enum victim v = 0; v < N_VICTIMS; v++)
                if (streq(value, victim_name(v))) {
                        cfg.victim = v;
                        return;
                }
        bad_usage(value);
}

static void parse_short(const char *value unused_)
{
        cfg.limit = SHORT_LIMIT;
        cfg.seconds = SHORT_SECONDS;
}

static void parse_point(const char *value)
{
        cfg.one = true;
        cfg.point.call = (unsigned)strtoul(value, NULL, 10);
}

static void parse_after(const char *value unused_)
{
        cfg.point.after = true;
}

static void parse_step(const char *value)
{
        cfg.point.step = strtoul(value, NULL, 10);
        cfg.point.after = true;
}

static void parse_faults(const char *value unused_)
{
        cfg.faults = true;
}

static void parse_fault(const char *value)
{
        cfg.faults = true;
        cfg.point.fault = (int)strtol(value, NULL, 10);
}

static void parse_nr(const char *value)
{
        cfg.point.nr = strtol(value, NULL, 10);
}

static void parse_verbose(const char *value unused_)
{
        cfg.verbose = true;
}

static void parse_keep(const char *value)
{
        cfg.keep_dir = value;
}

static const struct {
        const char *key; /* with '=' when it takes a value */
        unsigned *number;
        void (*parse)(const char *value);
} options[] = {
        {"--scenario=", .parse = parse_scenario},
        {"--victim=", .parse = parse_victim},
        {"--short", .parse = parse_short},
        {"--point=", .parse = parse_point},
        {"--after", .parse = parse_after},
        {"--step=", .parse = parse_step},
        {"--faults", .parse = parse_faults},
        {"--fault=", .parse = parse_fault},
        {"--nr=", .parse = parse_nr},
        {"--list", .parse = list},
        {"--verbose", .parse = parse_verbose},
        {"--keep=", .parse = parse_keep},
        {"--second=", .number = &cfg.point.second},
        {"--limit=", .number = &cfg.limit},
        {"--pairs=", .number = &cfg.pairs},
        {"--instructions=", .number = &cfg.instructions},
        {"--seconds=", .number = &cfg.seconds},
        {"--jobs=", .number = &cfg.jobs},
        {"--seed=", .number = &cfg.seed},
};

static void parse_option(const char *arg)
{
        for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
                size_t n = strlen(options[i].key);
                bool has_value = options[i].key[n - 1] == '=';
                if (has_value ? strncmp(arg, options[i].key, n) != 0 : !streq(arg, options[i].key))
                        continue;
                if (options[i].number)
                        *options[i].number = (unsigned)strtoul(arg + n, NULL, 10);
                else
                        options[i].parse(arg + n);
                return;
        }
        bad_usage(arg);
}

/* Unless some were named: all that mean something with this victim. */
static void select_all(void)
{
        bool keeper_dies = cfg.victim == VICTIM_KEEPER && !cfg.faults;

        if (cfg.n_selected > 0)
                return;
        for (unsigned i = 0; i < n_scenarios; i++)
                if (!(keeper_dies && scenarios[i].keeper_holds))
                        cfg.selected[cfg.n_selected++] = &scenarios[i];
}

static int skip(const char *why)
{
        (void)printf("skipped: %s\n", why);
        return 77;
}

int main(int argc, char **argv)
{
        cfg.jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
        for (int i = 1; i < argc; i++)
                parse_option(argv[i]);
        select_all();
        const char *why = rig_missing();
        if (why)
                return skip(why);
        if (!tracer_permitted())
                return skip("ptrace is not permitted here");
        started_us = boottime_us();
        (void)mkdir(cfg.keep_dir, 0755);
        board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (board == MAP_FAILED)
                return skip("no memory for the board");
        int64_t since = (int64_t)time(NULL);
        int r = cfg.one ? run_one() : run_all();
        unsigned swept = rig_sweep_semaphores(since);
        if (swept > 0)
                (void)printf("%u half-made semaphores were left in /dev/shm, and removed\n", swept);
        (void)rmdir(cfg.keep_dir); /* only when nothing was kept */
        return r;
}
