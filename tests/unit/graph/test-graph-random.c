/* SPDX-License-Identifier: MIT
 *
 * Random small graphs against a model that knows only the words: what a transaction must contain, may contain, and in
 * which order its jobs may run; that every job gets to run; and that the cost stays near that of walking the edges.
 *
 * Invariant: fixed seeds; the model reads world.said and never the graph.
 */
#include <time.h>

#include "world.h"

#define ROUNDS 20000

static bool says(const struct world *w, uint32_t a, enum unit_dependency dep, uint32_t b)
{
        return a != b && (w->said[a][b] >> dep & 1);
}

static bool requires(const struct world *w, uint32_t a, uint32_t b)
{
        return says(w, a, DEP_REQUIRES, b) || says(w, a, DEP_BINDS_TO, b);
}

static bool after(const struct world *w, uint32_t a, uint32_t b)
{
        return says(w, a, DEP_AFTER, b) || says(w, b, DEP_BEFORE, a);
}

static bool restarts_with(const struct world *w, uint32_t a, uint32_t b) /* b, when a restarts */
{
        return requires(w, b, a) || says(w, b, DEP_REQUISITE, a) || says(w, b, DEP_PART_OF, a);
}

static bool stops_with(const struct world *w, uint32_t a, uint32_t b) /* b, when a stops */
{
        return restarts_with(w, a, b) || says(w, a, DEP_PROPAGATES_STOP_TO, b) ||
               says(w, b, DEP_STOP_PROPAGATED_FROM, a);
}

static bool up(const struct world *w, uint32_t u)
{
        return w->nodes[u].active == ACTIVE_ACTIVE;
}

static bool starts(enum job_type t)
{
        return t == JOB_START || t == JOB_RESTART;
}

static void make_random(struct world *w, uint64_t *seed)
{
        static const enum unit_dependency words[] = {DEP_REQUIRES,
                                                     DEP_WANTS,
                                                     DEP_WANTS,
                                                     DEP_BINDS_TO,
                                                     DEP_PART_OF,
                                                     DEP_REQUISITE,
                                                     DEP_UPHOLDS,
                                                     DEP_CONFLICTS,
                                                     DEP_AFTER,
                                                     DEP_AFTER,
                                                     DEP_AFTER,
                                                     DEP_BEFORE,
                                                     DEP_PROPAGATES_STOP_TO,
                                                     DEP_STOP_PROPAGATED_FROM};
        world_make(w, 2 + random_next(seed, 8));
        uint32_t edges = random_next(seed, 3 * w->n);
        for (uint32_t i = 0; i < edges; i++) {
                uint32_t a = random_next(seed, w->n), b = random_next(seed, w->n);
                enum unit_dependency dep = words[random_next(seed, ARRAY_SIZE(words))];
                if (dep == DEP_CONFLICTS && random_next(seed, 2))
                        dep = DEP_AFTER;
                say(w, (char)('a' + a), dep, (char)('a' + b));
        }
        for (uint32_t u = 0; u < w->n; u++) {
                w->nodes[u].active = random_next(seed, 3) ? ACTIVE_INACTIVE : ACTIVE_ACTIVE;
                w->nodes[u].load = random_next(seed, 12) ? LOAD_LOADED : LOAD_MASKED;
        }
}

struct plan {
        enum job_type of[WORLD_MAX];
};

/* Everything that the request leads to (needed_only: cannot do without), as sets of types per unit; brute force. */
struct closure {
        bool has[WORLD_MAX][N_JOB_TYPES];
        bool lacks; /* something needed cannot be loaded */
        uint32_t lacking;
};

static bool closure_add(const struct world *w, struct closure *c, uint32_t u, enum job_type t, bool needed)
{
        if (t != JOB_STOP && w->nodes[u].load != LOAD_LOADED) {
                c->lacks = c->lacks || needed;
                return false;
        }
        bool fresh = !c->has[u][t];
        c->has[u][t] = true;
        return fresh;
}

static bool closure_pair(const struct world *w, struct closure *c, uint32_t a, uint32_t b, bool needed_only)
{
        bool fresh = false;
        if (c->has[a][JOB_START] || c->has[a][JOB_RESTART]) {
                if (requires(w, a, b))
                        fresh |= closure_add(w, c, b, JOB_START, needed_only);
                if (says(w, a, DEP_REQUISITE, b))
                        fresh |= closure_add(w, c, b, JOB_VERIFY_ACTIVE, needed_only);
                if (says(w, a, DEP_CONFLICTS, b) || (!needed_only && says(w, b, DEP_CONFLICTS, a)))
                        fresh |= closure_add(w, c, b, JOB_STOP, needed_only);
                if (!needed_only && (says(w, a, DEP_WANTS, b) || says(w, a, DEP_UPHOLDS, b)))
                        fresh |= closure_add(w, c, b, JOB_START, false);
        }
        if (c->has[a][JOB_STOP] && stops_with(w, a, b))
                fresh |= closure_add(w, c, b, JOB_STOP, needed_only);
        if (c->has[a][JOB_RESTART] && restarts_with(w, a, b) && up(w, b))
                fresh |= closure_add(w, c, b, JOB_RESTART, needed_only);
        return fresh;
}

static struct closure closure_of(const struct world *w, uint32_t u, enum job_type t, bool needed_only)
{
        struct closure c = {0};
        closure_add(w, &c, u, t, true);
        for (bool fresh = true; fresh;) {
                fresh = false;
                for (uint32_t a = 0; a < w->n; a++)
                        for (uint32_t b = 0; b < w->n; b++)
                                fresh |= a != b && closure_pair(w, &c, a, b, needed_only);
        }
        return c;
}

static bool closure_any(const struct closure *c, uint32_t u)
{
        for (enum job_type t = 0; t < N_JOB_TYPES; t++)
                if (c->has[u][t])
                        return true;
        return false;
}

static bool contradicts(const struct world *w, const struct closure *c)
{
        for (uint32_t u = 0; u < w->n; u++)
                if (c->has[u][JOB_STOP] &&
                    (c->has[u][JOB_START] || c->has[u][JOB_RESTART] || c->has[u][JOB_VERIFY_ACTIVE]))
                        return true;
        return false;
}

/* Does "starts after" have a cycle among the marked units? */
static bool cyclic(const struct world *w, const bool *in)
{
        bool reach[WORLD_MAX][WORLD_MAX] = {0};
        for (uint32_t a = 0; a < w->n; a++)
                for (uint32_t b = 0; b < w->n; b++)
                        reach[a][b] = in[a] && in[b] && after(w, a, b);
        for (uint32_t k = 0; k < w->n; k++)
                for (uint32_t a = 0; a < w->n; a++)
                        for (uint32_t b = 0; b < w->n; b++)
                                reach[a][b] |= reach[a][k] && reach[k][b];
        for (uint32_t a = 0; a < w->n; a++)
                if (reach[a][a])
                        return true;
        return false;
}

static void check_closed(const struct world *w, const struct plan *p)
{
        for (uint32_t a = 0; a < w->n; a++)
                for (uint32_t b = 0; b < w->n; b++) {
                        if (w->nodes[b].load != LOAD_LOADED) /* what is wanted only starts without it */
                                continue;
                        if (starts(p->of[a]) && requires(w, a, b)) {
                                assert_true(starts(p->of[b]) || (up(w, b) && p->of[b] != JOB_STOP));
                        }
                        if (starts(p->of[a]) && says(w, a, DEP_REQUISITE, b))
                                assert_true((p->of[b] != JOB_NONE || up(w, b)) && p->of[b] != JOB_STOP);
                        if (starts(p->of[a]) && says(w, a, DEP_CONFLICTS, b))
                                assert_true(p->of[b] == JOB_STOP || (!up(w, b) && !starts(p->of[b])));
                        if (p->of[a] == JOB_STOP && stops_with(w, a, b))
                                assert_true(p->of[b] == JOB_STOP || (!up(w, b) && !starts(p->of[b])));
                        if (p->of[a] == JOB_RESTART && restarts_with(w, a, b) && up(w, b))
                                assert_int_equal(p->of[b], JOB_RESTART);
                }
}

static void check_contents(const struct world *w, const struct plan *p, uint32_t anchor, enum job_type type)
{
        struct closure may = closure_of(w, anchor, type, false);
        bool in[WORLD_MAX] = {0};
        for (uint32_t u = 0; u < w->n; u++) {
                enum job_type t = p->of[u];
                in[u] = t != JOB_NONE;
                assert_true(t == JOB_NONE || may.has[u][t]);
                if (u != anchor && t == JOB_START)
                        assert_false(up(w, u));
                if (u != anchor && t == JOB_STOP)
                        assert_true(up(w, u));
        }
        assert_int_equal(job_merge(p->of[anchor], type, w->nodes[anchor].active), p->of[anchor]);
        assert_false(cyclic(w, in));
}

/* Nothing is lost where nothing stands in the way: all that may be, and is not so already, is there. */
static void check_complete(const struct world *w, const struct plan *p, uint32_t anchor, enum job_type type)
{
        struct closure may = closure_of(w, anchor, type, false);
        bool in[WORLD_MAX] = {0};
        for (uint32_t u = 0; u < w->n; u++) {
                in[u] = closure_any(&may, u);
                if (w->nodes[u].load != LOAD_LOADED || up(w, u))
                        return;
        }
        if (contradicts(w, &may) || cyclic(w, in))
                return;
        for (uint32_t u = 0; u < w->n; u++)
                if (may.has[u][JOB_START])
                        assert_true(starts(p->of[u]));
}

static void check_refusal(const struct world *w, enum graph_error r, uint32_t anchor, enum job_type type)
{
        struct closure must = closure_of(w, anchor, type, true);
        bool in[WORLD_MAX] = {0};
        for (uint32_t u = 0; u < w->n; u++)
                in[u] = closure_any(&must, u);
        if (r == GRAPH_MASKED)
                assert_true(must.lacks || w->nodes[anchor].load == LOAD_MASKED);
        else
                assert_false(must.lacks || (type != JOB_STOP && w->nodes[anchor].load == LOAD_MASKED));
        if (r == GRAPH_CONFLICT)
                assert_true(contradicts(w, &must));
        if (r == GRAPH_CYCLIC)
                assert_true(cyclic(w, in));
        assert_true(r == GRAPH_OK || r == GRAPH_MASKED || r == GRAPH_CONFLICT || r == GRAPH_CYCLIC);
}

/* "ordering cycle…: a → b → a…": each step must be an "after" that was said. */
static void check_cycle_reports(const struct world *w, const struct diag *d)
{
        for (size_t i = 0; i < d->n_entries; i++) {
                const char *s = strstr(d->entries[i].message, "ordering cycle");
                if (!s || !(s = strstr(s, ": ")))
                        continue;
                uint32_t first = (uint32_t)(s[2] - 'a'), from = first;
                for (s += 3; starts_with(s, " → "); s += strlen(" → ") + 1) {
                        uint32_t to = (uint32_t)(s[strlen(" → ")] - 'a');
                        assert_true(after(w, from, to));
                        from = to;
                }
                assert_int_equal(from, first);
        }
}

/* The rule of running, said again: does A's job wait for B's? */
static bool waits(const struct world *w, uint32_t a, uint32_t b)
{
        enum job_type ja = w->nodes[a].job, jb = w->nodes[b].job;
        bool a_stops = ja == JOB_STOP || ja == JOB_RESTART, b_stops = jb == JOB_STOP || jb == JOB_RESTART;
        if (ja == JOB_NONE || jb == JOB_NONE || ja == JOB_NOP || jb == JOB_NOP)
                return false;
        return (after(w, a, b) && !a_stops) || (after(w, b, a) && b_stops);
}

static void check_counters(struct world *w, const bool *running)
{
        for (uint32_t a = 0; a < w->n; a++) {
                uint32_t n = 0, blocker = 0;
                for (uint32_t b = 0; b < w->n; b++)
                        n += waits(w, a, b);
                if (w->nodes[a].job == JOB_NONE)
                        continue;
                assert_true(!running[a] || n == 0);
                assert_int_equal(graph_job_runnable(w->g, world_look, w, a, &blocker), n == 0);
                if (n > 0)
                        assert_true(waits(w, a, blocker));
        }
}

/* Runs all jobs, ending them in random order; a restart passes through its start. */
static void simulate(struct world *w, const struct plan *p, uint64_t *seed)
{
        bool running[WORLD_MAX] = {0};
        uint32_t left = 0, u;
        for (u = 0; u < w->n; u++)
                if (p->of[u] != JOB_NONE) {
                        w->nodes[u].job = p->of[u];
                        graph_job_installed(w->g, u, p->of[u], false);
                        left++;
                }
        while (left > 0) {
                uint32_t n = 0;
                while (graph_job_next(w->g, &u))
                        running[u] = true;
                check_counters(w, running);
                for (u = 0; u < w->n; u++)
                        n += running[u];
                assert_true(n > 0); /* somebody can always go on */
                uint32_t pick = random_next(seed, n);
                for (u = 0; !running[u] || pick-- > 0; u++)
                        ;
                running[u] = false;
                if (w->nodes[u].job == JOB_RESTART) {
                        w->nodes[u].job = JOB_START;
                        graph_job_installed(w->g, u, JOB_START, false);
                        continue;
                }
                w->nodes[u].job = JOB_NONE;
                graph_job_finished(w->g, u);
                left--;
        }
        assert_false(graph_job_next(w->g, &u));
}

static void round_of(uint64_t seed, unsigned *results)
{
        cleanup_world_ struct world w;
        cleanup_diag_ struct diag d = {0};
        cleanup_(transaction_done) struct transaction t = {0};
        struct plan p = {0};
        make_random(&w, &seed);
        static const enum job_request requests[] = {REQUEST_START, REQUEST_START, REQUEST_STOP, REQUEST_RESTART};
        enum job_request request = requests[random_next(&seed, 4)];
        uint32_t anchor = random_next(&seed, w.n);
        enum job_type type = job_request_collapse(request, w.nodes[anchor].active, true);
        enum graph_error r = transaction_build(w.g, world_look, &w, anchor, request, MODE_REPLACE, false, &t, NULL, &d);
        results[r]++;
        check_refusal(&w, r, anchor, type);
        check_cycle_reports(&w, &d);
        if (r != GRAPH_OK)
                return;
        for (size_t i = 0; i < t.n_jobs; i++) {
                assert_int_equal(p.of[t.jobs[i].unit], JOB_NONE);
                assert_int_not_equal(t.jobs[i].type, JOB_NONE);
                p.of[t.jobs[i].unit] = t.jobs[i].type;
        }
        check_closed(&w, &p);
        check_contents(&w, &p, anchor, type);
        check_complete(&w, &p, anchor, type);
        simulate(&w, &p, &seed);
}

static void test_01_random_graphs_against_the_model(void **state unused_)
{
        unsigned results[N_GRAPH_ERRORS] = {0};
        for (uint64_t seed = 1; seed <= ROUNDS; seed++)
                round_of(seed * UINT64_C(0x9e3779b97f4a7c15), results);
        print_message("ok %u, masked %u, conflict %u, cyclic %u\n", results[GRAPH_OK], results[GRAPH_MASKED],
                      results[GRAPH_CONFLICT], results[GRAPH_CYCLIC]);
        /* the seeds reach each outcome */
        assert_true(results[GRAPH_OK] > ROUNDS / 2);
        assert_true(results[GRAPH_MASKED] > 20 && results[GRAPH_CONFLICT] > 20 && results[GRAPH_CYCLIC] > 20);
}

static void test_02_edges_that_come_and_go_keep_the_counters(void **state unused_)
{
        uint64_t seed = 7;
        cleanup_world_ struct world w;
        bool running[WORLD_MAX] = {0};
        world_make(&w, 8);
        for (unsigned i = 0; i < 20000; i++) {
                uint32_t a = random_next(&seed, w.n), b = random_next(&seed, w.n), what = random_next(&seed, 10);
                if (what < 5) {
                        say(&w, (char)('a' + a), what < 3 ? DEP_AFTER : DEP_BEFORE, (char)('a' + b));
                } else if (what == 5) {
                        graph_clear_from(w.g, a);
                        memset(w.said[a], 0, sizeof(w.said[a]));
                } else if (what < 9) {
                        w.nodes[a].job = (enum job_type)(JOB_START + random_next(&seed, N_JOB_TYPES - 1));
                        graph_job_installed(w.g, a, w.nodes[a].job, false);
                } else {
                        w.nodes[a].job = JOB_NONE;
                        graph_job_finished(w.g, a);
                }
                check_counters(&w, running);
                for (uint32_t u = 0; u < w.n; u++) {
                        uint32_t n = 0;
                        for (b = 0; b < w.n; b++)
                                n += (after(&w, u, b) && waits(&w, u, b)) || (after(&w, b, u) && waits(&w, u, b));
                        assert_int_equal(graph_job_blockers(w.g, u), n);
                }
        }
}

/* --- size --- */

#define MANY 10000u
static struct graph_node many[MANY];

static const struct graph_node *look_many(void *userdata unused_, uint32_t unit)
{
        return &many[unit];
}

static int sum(void *userdata, uint32_t other)
{
        *(uint64_t *)userdata += other;
        return 0;
}

static double now_ms(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* 0 wants all; all hang on 1 (basic) and 2 (shutdown), as default dependencies make it. */
static void make_many(struct graph *g)
{
        for (uint32_t u = 3; u < MANY; u++) {
                graph_add(g, u, DEP_REQUIRES, 1);
                graph_add(g, u, DEP_AFTER, 1);
                graph_add(g, u, DEP_CONFLICTS, 2);
                graph_add(g, u, DEP_BEFORE, 2);
                graph_add(g, 0, DEP_WANTS, u);
                graph_add(g, 0, DEP_AFTER, u);
                graph_add(g, u, DEP_WANTS, u >= 8 ? u / 2 : 1);
                graph_add(g, u, DEP_AFTER, u >= 8 ? u / 2 : 1);
        }
}

static uint32_t drain_many(struct graph *g)
{
        uint32_t n = 0;
        for (uint32_t u; graph_job_next(g, &u); n++)
                graph_job_finished(g, u);
        return n;
}

static void test_03_ten_thousand_units(void **state unused_)
{
        struct graph *g;
        cleanup_(transaction_done) struct transaction t = {0};
        uint64_t walked = 0;
        assert_int_equal(graph_new(&g), 0);
        for (uint32_t u = 0; u < MANY; u++)
                many[u] = (struct graph_node){.can_start = true, .name = "u"};
        double begin = now_ms();
        make_many(g);
        double built = now_ms();
        for (uint32_t u = 0; u < MANY; u++)
                for (enum unit_dependency dep = DEP_REQUIRES; dep <= DEP_AFTER; dep++)
                        graph_each(g, u, dep, false, sum, &walked);
        double walk = now_ms();
        assert_int_equal(transaction_build(g, look_many, NULL, 0, REQUEST_START, MODE_REPLACE, true, &t, NULL, NULL),
                         0);
        double decided = now_ms();
        assert_int_equal(t.n_jobs, MANY - 1);
        for (size_t i = 0; i < t.n_jobs; i++)
                graph_job_installed(g, t.jobs[i].unit, t.jobs[i].type, false);
        assert_int_equal(drain_many(g), MANY - 1);
        double ran = now_ms();
        for (uint32_t u = 0; u < MANY; u++)
                graph_clear_from(g, u);
        double cleared = now_ms();
        print_message("build %.1f ms, walk %.1f ms, transaction %.1f ms (%.1f walks), run %.1f ms, clear %.1f ms\n",
                      built - begin, walk - built, decided - walk, (decided - walk) / (walk - built), ran - decided,
                      cleared - ran);
        graph_free(g);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_01_random_graphs_against_the_model),
                cmocka_unit_test(test_02_edges_that_come_and_go_keep_the_counters),
                cmocka_unit_test(test_03_ten_thousand_units),
        };
        return cmocka_run_group_tests_name("graph-random", tests, NULL, NULL);
}
