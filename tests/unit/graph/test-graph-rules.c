/* SPDX-License-Identifier: MIT
 *
 * Small graphs, each named after what users are promised of a word, a mode or an event; and the algebra of merging.
 *
 * Not here: random graphs (test-graph-random.c), lack of memory (test-graph-memory.c).
 * Invariant: every expectation is a literal text of jobs, so that a failure reads as the rule that broke.
 */
#include "world.h"

#define WORLD(n)                                                                                                       \
        cleanup_world_ struct world w;                                                                                 \
        world_make(&w, n)

static enum job_type model_merge(enum job_type a, enum job_type b, enum unit_active active)
{
        /* The chain that graph/job.c states, as ranks; stop beside it. */
        bool down = active != ACTIVE_ACTIVE && active != ACTIVE_RELOADING;
        const int rank[N_JOB_TYPES] = {
                [JOB_NOP] = 0,     [JOB_VERIFY_ACTIVE] = 1, [JOB_START] = down ? 3 : 2, [JOB_RELOAD] = down ? 2 : 3,
                [JOB_RESTART] = 4, [JOB_STOP] = 5};
        if (a == JOB_NONE || b == JOB_NONE)
                return JOB_NONE;
        if (rank[a] > rank[b])
                return model_merge(b, a, active);
        return b == JOB_STOP && a != JOB_STOP && a != JOB_NOP ? JOB_NONE : b;
}

static void test_01_merge_is_the_stated_algebra(void **state unused_)
{
        for (enum unit_active s = 0; s < N_UNIT_ACTIVES; s++)
                for (enum job_type a = 0; a < N_JOB_TYPES; a++)
                        for (enum job_type b = 0; b < N_JOB_TYPES; b++) {
                                assert_int_equal(job_merge(a, b, s), model_merge(a, b, s));
                                assert_int_equal(job_merge(a, b, s), job_merge(b, a, s));
                                for (enum job_type c = 0; c < N_JOB_TYPES; c++)
                                        assert_int_equal(job_merge(job_merge(a, b, s), c, s),
                                                         job_merge(a, job_merge(b, c, s), s));
                        }
}

static void test_02_names_are_whole(void **state unused_)
{
        for (enum job_type i = 0; i < N_JOB_TYPES; i++)
                assert_true(job_type_name(i)[0]);
        for (enum job_mode i = 0; i < N_JOB_MODES; i++)
                assert_true(job_mode_name(i)[0]);
        for (enum job_result i = 0; i < N_JOB_RESULTS; i++)
                assert_true(job_result_name(i)[0]);
        for (enum unit_active i = 0; i < N_UNIT_ACTIVES; i++)
                assert_true(unit_active_name(i)[0]);
        for (enum graph_error i = 0; i < N_GRAPH_ERRORS; i++)
                assert_true(graph_error_name(i)[0]);
}

static void test_03_requests_collapse_against_the_state(void **state unused_)
{
        WORLD(1);
        assert_string_equal(ask(&w, REQUEST_TRY_RESTART, 'a'), "nop a");
        assert_string_equal(ask(&w, REQUEST_RELOAD_OR_RESTART, 'a'), "start a");
        assert_string_equal(ask(&w, REQUEST_TRY_RELOAD_OR_RESTART, 'a'), "nop a");
        w.nodes[0].active = ACTIVE_ACTIVE;
        assert_string_equal(ask(&w, REQUEST_TRY_RESTART, 'a'), "restart a");
        assert_string_equal(ask(&w, REQUEST_RELOAD_OR_RESTART, 'a'), "reload a");
        assert_string_equal(ask(&w, REQUEST_TRY_RELOAD_OR_RESTART, 'a'), "reload a");
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "start a"); /* the anchor stays, though it is so already */
        w.nodes[0].can_reload = false;
        assert_string_equal(ask(&w, REQUEST_RELOAD_OR_RESTART, 'a'), "restart a");
        assert_string_equal(ask(&w, REQUEST_RELOAD, 'a'), "job does not apply to the unit: a");
}

static void test_10_rule54_order_alone_pulls_nothing(void **state unused_)
{
        WORLD(3);
        say(&w, 'a', DEP_AFTER, 'b');
        say(&w, 'a', DEP_BEFORE, 'c');
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "start a");
}

static void test_11_rule54_requirements_pull_and_satisfied_ones_do_not(void **state unused_)
{
        WORLD(6);
        say(&w, 'a', DEP_REQUIRES, 'b');
        say(&w, 'b', DEP_WANTS, 'c');
        say(&w, 'c', DEP_BINDS_TO, 'd');
        say(&w, 'd', DEP_UPHOLDS, 'e');
        say(&w, 'e', DEP_REQUISITE, 'f');
        assert_string_equal(ask(&w, REQUEST_START, 'a'),
                            "start a, start b, start c, start d, start e, verify-active f");
        unit(&w, 'd')->active = ACTIVE_ACTIVE;
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "start a, start b, start c");
        unit(&w, 'd')->job = JOB_STOP; /* up, but not for long */
        assert_string_equal(ask(&w, REQUEST_START, 'a'),
                            "start a, start b, start c, start d, start e, verify-active f");
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_IGNORE_REQUIREMENTS, NULL), "start a");
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_IGNORE_DEPENDENCIES, NULL), "start a");
}

static void test_12_rule55_stop_and_restart_propagate(void **state unused_)
{
        WORLD(8);
        say(&w, 'b', DEP_REQUIRES, 'a');
        say(&w, 'c', DEP_BINDS_TO, 'a');
        say(&w, 'd', DEP_PART_OF, 'a');
        say(&w, 'e', DEP_WANTS, 'a');
        say(&w, 'a', DEP_PROPAGATES_STOP_TO, 'f');
        say(&w, 'g', DEP_STOP_PROPAGATED_FROM, 'a');
        say(&w, 'h', DEP_REQUISITE, 'a');
        for (uint32_t i = 0; i < w.n; i++)
                w.nodes[i].active = ACTIVE_ACTIVE;
        assert_string_equal(ask(&w, REQUEST_STOP, 'a'), "stop a, stop b, stop c, stop d, stop f, stop g, stop h");
        assert_string_equal(ask(&w, REQUEST_RESTART, 'a'), "restart a, restart b, restart c, restart d, restart h");
        assert_string_equal(ask(&w, REQUEST_STOP, 'd'), "stop d"); /* PartOf= goes down only */
        unit(&w, 'b')->active = ACTIVE_FAILED;
        assert_string_equal(ask(&w, REQUEST_RESTART, 'a'), "restart a, restart c, restart d, restart h");
        assert_string_equal(ask_mode(&w, REQUEST_STOP, 'a', MODE_IGNORE_REQUIREMENTS, NULL), "stop a");
}

static void test_13_rule56_conflicts_go_both_ways(void **state unused_)
{
        WORLD(3);
        say(&w, 'a', DEP_CONFLICTS, 'b');
        w.nodes[0].active = w.nodes[1].active = ACTIVE_ACTIVE;
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "start a, stop b");
        assert_string_equal(ask(&w, REQUEST_START, 'b'), "start b, stop a");
        say(&w, 'c', DEP_REQUIRES, 'a');
        say(&w, 'c', DEP_REQUIRES, 'b');
        cleanup_diag_ struct diag d = {0};
        assert_string_equal(ask_mode(&w, REQUEST_START, 'c', MODE_REPLACE, &d), "contradictory jobs are required: b");
        assert_int_equal(d.n_errors, 1);
}

static void test_14_a_wanted_unit_yields_to_what_is_required(void **state unused_)
{
        WORLD(3);
        say(&w, 'a', DEP_REQUIRES, 'b');
        say(&w, 'a', DEP_WANTS, 'c');
        say(&w, 'c', DEP_CONFLICTS, 'b');
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "start a, start b");
}

static void test_15_rule57_missing_units(void **state unused_)
{
        WORLD(5);
        say(&w, 'a', DEP_WANTS, 'b');
        say(&w, 'a', DEP_AFTER, 'b');
        unit(&w, 'b')->load = LOAD_NOT_FOUND;
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "start a");
        unit(&w, 'b')->load = LOAD_LOADED;
        say(&w, 'b', DEP_REQUIRES, 'c');
        say(&w, 'b', DEP_WANTS, 'e');
        unit(&w, 'c')->load = LOAD_MASKED;
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "start a, start b, start e"); /* b is wanted only */
        assert_string_equal(ask(&w, REQUEST_START, 'b'), "masked: c");
        say(&w, 'a', DEP_BINDS_TO, 'd');
        unit(&w, 'd')->load = LOAD_BAD_SETTING;
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "has a bad setting: d");
        unit(&w, 'd')->load = LOAD_ERROR;
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "cannot be loaded: d");
        assert_string_equal(ask(&w, REQUEST_START, 'c'), "masked: c");
        assert_string_equal(ask(&w, REQUEST_STOP, 'd'), "not found: d");
        unit(&w, 'd')->active = ACTIVE_ACTIVE; /* its file went away while it runs */
        assert_string_equal(ask(&w, REQUEST_STOP, 'd'), "stop d");
}

static void test_16_rule64_reload_propagates_to_what_runs(void **state unused_)
{
        WORLD(4);
        say(&w, 'a', DEP_PROPAGATES_RELOAD_TO, 'b');
        say(&w, 'c', DEP_RELOAD_PROPAGATED_FROM, 'b');
        say(&w, 'a', DEP_PROPAGATES_RELOAD_TO, 'd');
        w.nodes[0].active = w.nodes[1].active = w.nodes[2].active = w.nodes[3].active = ACTIVE_ACTIVE;
        unit(&w, 'd')->can_reload = false;
        assert_string_equal(ask(&w, REQUEST_RELOAD, 'a'), "reload a, reload b, reload c");
        unit(&w, 'b')->active = ACTIVE_INACTIVE;
        assert_string_equal(ask(&w, REQUEST_RELOAD, 'a'), "reload a");
}

static void test_17_rule64_refusals_of_manual_jobs(void **state unused_)
{
        WORLD(2);
        unit(&w, 'b')->refuse_manual_start = unit(&w, 'a')->refuse_manual_stop = true;
        say(&w, 'a', DEP_REQUIRES, 'b');
        assert_string_equal(ask(&w, REQUEST_START, 'b'), "may be asked for by a dependency only: b");
        assert_string_equal(ask(&w, REQUEST_RESTART, 'b'), "may be asked for by a dependency only: b");
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "start a, start b");
        assert_string_equal(ask(&w, REQUEST_STOP, 'a'), "may be asked for by a dependency only: a");
}

static void test_20_cycle_drops_the_wanted_and_names_all(void **state unused_)
{
        WORLD(4);
        cleanup_diag_ struct diag d = {0};
        say(&w, 'a', DEP_REQUIRES, 'b');
        say(&w, 'a', DEP_WANTS, 'c');
        say(&w, 'c', DEP_REQUIRES, 'd');
        say(&w, 'a', DEP_AFTER, 'b');
        say(&w, 'b', DEP_AFTER, 'c');
        say(&w, 'c', DEP_AFTER, 'a');
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_REPLACE, &d), "start a, start b");
        assert_int_equal(d.n_entries, 1);
        assert_string_equal(d.entries[0].message, "ordering cycle: a → b → c → a; the job of c is dropped");
}

static void test_21_cycle_of_required_is_refused(void **state unused_)
{
        WORLD(2);
        cleanup_diag_ struct diag d = {0};
        say(&w, 'a', DEP_REQUIRES, 'b');
        say(&w, 'a', DEP_AFTER, 'b');
        say(&w, 'b', DEP_AFTER, 'a');
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_REPLACE, &d),
                            "ordering cycle that cannot be broken: a");
        assert_string_equal(d.entries[0].message, "ordering cycle that cannot be broken: a → b → a");
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_IGNORE_DEPENDENCIES, NULL), "start a");
}

static void test_22_each_of_several_cycles_is_broken(void **state unused_)
{
        WORLD(4);
        cleanup_diag_ struct diag d = {0};
        say(&w, 'a', DEP_REQUIRES, 'b');
        say(&w, 'a', DEP_AFTER, 'b');
        for (char c = 'c'; c <= 'd'; c++) {
                say(&w, 'a', DEP_WANTS, c);
                say(&w, 'b', DEP_AFTER, c);
                say(&w, c, DEP_AFTER, 'b');
        }
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_REPLACE, &d), "start a, start b");
        assert_int_equal(d.n_warnings, 2);
}

static void test_30_mode_fail_spares_and_refuses(void **state unused_)
{
        WORLD(3);
        say(&w, 'a', DEP_REQUIRES, 'b');
        say(&w, 'c', DEP_CONFLICTS, 'a');
        unit(&w, 'c')->active = ACTIVE_ACTIVE;
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "start a, start b, stop c");
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_FAIL, NULL), "start a, start b");
        unit(&w, 'b')->job = JOB_STOP;
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_FAIL, NULL), "stands against a queued job: b");
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "start a, start b, stop c");
        unit(&w, 'b')->job_irreversible = true;
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "stands against a queued job: b");
}

static void test_31_mode_isolate_stops_the_rest(void **state unused_)
{
        WORLD(6);
        say(&w, 'a', DEP_REQUIRES, 'b');
        say(&w, 'b', DEP_PART_OF, 'f');
        for (uint32_t i = 1; i < w.n; i++)
                w.nodes[i].active = ACTIVE_ACTIVE;
        unit(&w, 'c')->ignore_on_isolate = true;
        unit(&w, 'e')->active = ACTIVE_INACTIVE;
        unit(&w, 'f')->active = ACTIVE_INACTIVE;
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_ISOLATE, NULL), "unit does not allow isolation: a");
        unit(&w, 'a')->allow_isolate = true;
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_ISOLATE, NULL), "start a, stop d");
        assert_string_equal(ask_mode(&w, REQUEST_STOP, 'a', MODE_ISOLATE, NULL),
                            "the job mode goes not with the request: a");
        unit(&w, 'f')->active = ACTIVE_ACTIVE; /* stopping it would stop what a requires */
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_ISOLATE, NULL), "start a, stop d");
}

static void test_32_mode_triggering_stops_the_triggers(void **state unused_)
{
        WORLD(2);
        say(&w, 'b', GRAPH_TRIGGERS, 'a');
        w.nodes[0].active = w.nodes[1].active = ACTIVE_ACTIVE;
        assert_string_equal(ask(&w, REQUEST_STOP, 'a'), "stop a");
        assert_string_equal(ask_mode(&w, REQUEST_STOP, 'a', MODE_TRIGGERING, NULL), "stop a, stop b");
        assert_string_equal(ask_mode(&w, REQUEST_START, 'a', MODE_TRIGGERING, NULL),
                            "the job mode goes not with the request: a");
}

static void test_33_irreversible_and_unordered_are_marked(void **state unused_)
{
        WORLD(1);
        cleanup_(transaction_done) struct transaction t = {0};
        assert_int_equal(transaction_build(w.g, world_look, &w, 0, REQUEST_START, MODE_REPLACE_IRREVERSIBLY, true, &t,
                                           NULL, NULL),
                         0);
        assert_true(t.jobs[0].irreversible && !t.jobs[0].ignore_order);
        transaction_done(&t);
        assert_int_equal(transaction_build(w.g, world_look, &w, 0, REQUEST_START, MODE_IGNORE_DEPENDENCIES, true, &t,
                                           NULL, NULL),
                         0);
        assert_true(!t.jobs[0].irreversible && t.jobs[0].ignore_order);
}

static void run(struct world *w, char name, enum job_type type)
{
        unit(w, name)->job = type;
        if (type == JOB_NONE)
                graph_job_finished(w->g, (uint32_t)(name - 'a'));
        else
                graph_job_installed(w->g, (uint32_t)(name - 'a'), type, false);
}

static int next(struct world *w)
{
        uint32_t u;
        return graph_job_next(w->g, &u) ? 'a' + (int)u : '-';
}

static void test_40_rule56_order_of_running(void **state unused_)
{
        WORLD(3);
        say(&w, 'b', DEP_AFTER, 'a');
        run(&w, 'b', JOB_START);
        run(&w, 'a', JOB_START);
        /* b was free when it was queued and is not any more */
        assert_int_equal(next(&w), 'a');
        assert_int_equal(next(&w), '-');
        run(&w, 'a', JOB_NONE);
        assert_int_equal(next(&w), 'b');
        run(&w, 'b', JOB_STOP);
        run(&w, 'a', JOB_STOP);
        assert_int_equal(next(&w), 'b');
        assert_int_equal(next(&w), '-');
        run(&w, 'b', JOB_START); /* a stop goes before a start, whatever the order */
        assert_int_equal(next(&w), 'a');
        assert_int_equal(next(&w), '-');
}

static void test_41_restarts_stop_in_reverse_and_start_in_order(void **state unused_)
{
        WORLD(2);
        say(&w, 'b', DEP_AFTER, 'a');
        run(&w, 'a', JOB_RESTART);
        run(&w, 'b', JOB_RESTART);
        assert_int_equal(next(&w), 'b');
        assert_int_equal(next(&w), '-');
        run(&w, 'b', JOB_START);
        assert_int_equal(next(&w), 'a');
        run(&w, 'a', JOB_START);
        assert_int_equal(next(&w), 'a');
        assert_int_equal(next(&w), '-');
        run(&w, 'a', JOB_NONE);
        assert_int_equal(next(&w), 'b');
}

static void test_42_edges_that_go_free_those_who_wait(void **state unused_)
{
        WORLD(3);
        say(&w, 'b', DEP_AFTER, 'a');
        run(&w, 'a', JOB_START);
        run(&w, 'b', JOB_START);
        run(&w, 'c', JOB_START);
        assert_int_equal(next(&w), 'a');
        assert_int_equal(next(&w), 'c');
        assert_int_equal(graph_job_blockers(w.g, 1), 1);
        graph_clear_from(w.g, 1);
        assert_int_equal(graph_job_blockers(w.g, 1), 0);
        assert_int_equal(next(&w), 'b');
}

static int collect(void *userdata unused_, const struct graph_consequence *c);
static char collected[256];
static int collect(void *userdata unused_, const struct graph_consequence *c)
{
        static const char *const words[] = {"fail", "start", "stop"};
        size_t n = strlen(collected);
        snprintf(collected + n, sizeof(collected) - n, "%s%s %s", n ? ", " : "", words[c->what], world_names[c->unit]);
        return 0;
}

static const char *happens(struct world *w, char name, enum graph_event event)
{
        collected[0] = '\0';
        assert_int_equal(graph_consequences(w->g, world_look, w, (uint32_t)(name - 'a'), event, collect), 0);
        return collected;
}

static void test_50_rule54_failed_start_fails_who_requires_it(void **state unused_)
{
        WORLD(5);
        say(&w, 'b', DEP_REQUIRES, 'a');
        say(&w, 'c', DEP_WANTS, 'a');
        say(&w, 'd', DEP_BINDS_TO, 'a');
        say(&w, 'e', DEP_CONFLICTS, 'a');
        unit(&w, 'b')->job = unit(&w, 'c')->job = unit(&w, 'e')->job = JOB_START; /* d runs already: it stays */
        assert_string_equal(happens(&w, 'a', HAPPENED_JOB_FAILED), "fail b");
        assert_string_equal(happens(&w, 'a', HAPPENED_STOP_JOB_FAILED), "fail e");
}

static void test_51_rule55_death_takes_only_the_bound(void **state unused_)
{
        WORLD(4);
        say(&w, 'b', DEP_REQUIRES, 'a');
        say(&w, 'c', DEP_BINDS_TO, 'a');
        say(&w, 'c', DEP_AFTER, 'a');
        say(&w, 'd', DEP_UPHOLDS, 'a');
        for (uint32_t i = 1; i < w.n; i++)
                w.nodes[i].active = ACTIVE_ACTIVE;
        assert_string_equal(happens(&w, 'a', HAPPENED_DIED), "stop c");
        assert_string_equal(happens(&w, 'a', HAPPENED_STOPPED), "start a");
        assert_string_equal(happens(&w, 'c', HAPPENED_UP), "stop c"); /* what it is bound to is not there */
        assert_string_equal(happens(&w, 'a', HAPPENED_START_IN_VAIN), "stop c");
        assert_true(graph_is_bound_in_vain(w.g, world_look, &w, 2));
        assert_false(graph_is_bound_in_vain(w.g, world_look, &w, 1));
        unit(&w, 'd')->job = JOB_STOP;
        assert_string_equal(happens(&w, 'a', HAPPENED_STOPPED), "");
}

static void test_55_requisite_needs_it_up(void **state unused_)
{
        WORLD(3);
        say(&w, 'b', DEP_REQUISITE, 'a');
        say(&w, 'c', DEP_REQUIRES, 'a');
        unit(&w, 'b')->job = unit(&w, 'c')->job = JOB_START;
        assert_string_equal(happens(&w, 'a', HAPPENED_START_IN_VAIN), "fail b");
        assert_string_equal(happens(&w, 'a', HAPPENED_DIED), "fail b");
        assert_string_equal(happens(&w, 'a', HAPPENED_JOB_FAILED), "fail b, fail c");
}

static void test_56_stop_propagates_to_what_a_death_leaves(void **state unused_)
{
        WORLD(3);
        say(&w, 'a', DEP_PROPAGATES_STOP_TO, 'b');
        say(&w, 'c', DEP_STOP_PROPAGATED_FROM, 'a');
        unit(&w, 'b')->active = unit(&w, 'c')->active = ACTIVE_ACTIVE;
        assert_string_equal(happens(&w, 'a', HAPPENED_DIED), "stop b, stop c");
}

static void test_57_what_nobody_needs_does_not_stay_up(void **state unused_)
{
        WORLD(2);
        say(&w, 'b', DEP_WANTS, 'a');
        unit(&w, 'a')->active = ACTIVE_ACTIVE;
        unit(&w, 'a')->stop_when_unneeded = true;
        assert_string_equal(happens(&w, 'a', HAPPENED_UP), "stop a");
        unit(&w, 'b')->job = JOB_START;
        assert_string_equal(happens(&w, 'a', HAPPENED_UP), "");
}

static void test_52_coming_up_by_itself(void **state unused_)
{
        WORLD(5);
        say(&w, 'a', DEP_CONFLICTS, 'b');
        say(&w, 'a', DEP_REQUIRES, 'c');
        say(&w, 'a', DEP_REQUIRES, 'd');
        say(&w, 'a', DEP_AFTER, 'd');
        say(&w, 'a', DEP_UPHOLDS, 'e');
        unit(&w, 'a')->active = unit(&w, 'b')->active = ACTIVE_ACTIVE;
        assert_string_equal(happens(&w, 'a', HAPPENED_STARTED), "stop b, start c");
        assert_string_equal(happens(&w, 'a', HAPPENED_UP), "start e");
}

static void test_53_rule64_unneeded_units_stop(void **state unused_)
{
        WORLD(3);
        say(&w, 'a', DEP_WANTS, 'b');
        say(&w, 'c', DEP_REQUIRES, 'b');
        unit(&w, 'b')->active = ACTIVE_ACTIVE;
        assert_string_equal(happens(&w, 'a', HAPPENED_STOPPED), "");
        unit(&w, 'b')->stop_when_unneeded = true;
        assert_string_equal(happens(&w, 'a', HAPPENED_STOPPED), "stop b");
        unit(&w, 'c')->active = ACTIVE_ACTIVATING;
        assert_string_equal(happens(&w, 'a', HAPPENED_STOPPED), "");
}

static void test_54_rule63_on_failure_and_on_success(void **state unused_)
{
        WORLD(3);
        say(&w, 'a', DEP_ON_FAILURE, 'b');
        say(&w, 'a', DEP_ON_SUCCESS, 'c');
        assert_string_equal(happens(&w, 'a', HAPPENED_FAILED), "start b");
        assert_string_equal(happens(&w, 'a', HAPPENED_SUCCEEDED), "start c");
        assert_string_equal(ask(&w, REQUEST_START, 'a'), "start a");
}

static int count(void *userdata, uint32_t other unused_)
{
        ++*(unsigned *)userdata;
        return 0;
}

static void test_60_clearing_forgets_own_words_only(void **state unused_)
{
        WORLD(3);
        unsigned n = 0;
        say(&w, 'a', DEP_REQUIRES, 'b');
        say(&w, 'a', DEP_REQUIRES, 'b');
        say(&w, 'b', DEP_BEFORE, 'a');
        say(&w, 'a', DEP_WANTS, 'c');
        say(&w, 'a', DEP_WANTS, 'a');
        graph_clear_from(w.g, 0);
        assert_int_equal(graph_each(w.g, 0, DEP_REQUIRES, false, count, &n), 0);
        assert_int_equal(graph_each(w.g, 1, DEP_REQUIRES, true, count, &n), 0);
        assert_int_equal(graph_each(w.g, 2, DEP_WANTS, true, count, &n), 0);
        assert_int_equal(n, 0);
        graph_each(w.g, 1, DEP_BEFORE, false, count, &n);
        graph_each(w.g, 0, DEP_BEFORE, true, count, &n);
        assert_int_equal(n, 2);
}

#define T(f) cmocka_unit_test(f)
int main(void)
{
        const struct CMUnitTest tests[] = {
                T(test_01_merge_is_the_stated_algebra),
                T(test_02_names_are_whole),
                T(test_03_requests_collapse_against_the_state),
                T(test_10_rule54_order_alone_pulls_nothing),
                T(test_11_rule54_requirements_pull_and_satisfied_ones_do_not),
                T(test_12_rule55_stop_and_restart_propagate),
                T(test_13_rule56_conflicts_go_both_ways),
                T(test_14_a_wanted_unit_yields_to_what_is_required),
                T(test_15_rule57_missing_units),
                T(test_16_rule64_reload_propagates_to_what_runs),
                T(test_17_rule64_refusals_of_manual_jobs),
                T(test_20_cycle_drops_the_wanted_and_names_all),
                T(test_21_cycle_of_required_is_refused),
                T(test_22_each_of_several_cycles_is_broken),
                T(test_30_mode_fail_spares_and_refuses),
                T(test_31_mode_isolate_stops_the_rest),
                T(test_32_mode_triggering_stops_the_triggers),
                T(test_33_irreversible_and_unordered_are_marked),
                T(test_40_rule56_order_of_running),
                T(test_41_restarts_stop_in_reverse_and_start_in_order),
                T(test_42_edges_that_go_free_those_who_wait),
                T(test_50_rule54_failed_start_fails_who_requires_it),
                T(test_51_rule55_death_takes_only_the_bound),
                T(test_52_coming_up_by_itself),
                T(test_53_rule64_unneeded_units_stop),
                T(test_54_rule63_on_failure_and_on_success),
                T(test_55_requisite_needs_it_up),
                T(test_56_stop_propagates_to_what_a_death_leaves),
                T(test_57_what_nobody_needs_does_not_stay_up),
                T(test_60_clearing_forgets_own_words_only),
        };
        return cmocka_run_group_tests_name("graph-rules", tests, NULL, NULL);
}
