/* SPDX-License-Identifier: MIT
 *
 * Proofs over the service table, without a process: it is total, deterministic, every row and state can be reached,
 * every state can come to an end (live), and no random walk leaves the rules.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <sys/wait.h>

#include "machine/machine.h"

static const struct machine_row *rows;
static size_t n_rows;

static bool passive(int s)
{
        return s == STATE_PASSIVE_DEAD || s == STATE_PASSIVE_ACTIVE || s == STATE_PASSIVE_CHECK;
}

/* Each pair has rows in one run, of one kind, and the last of them always holds. */
static void test_a_total(void **state unused_)
{
        for (int s = 0; s < N_MACHINE_STATES; s++)
                for (int e = 0; e < N_MACHINE_EVENTS; e++) {
                        int found = 0, runs = 0;
                        size_t last = 0;
                        for (size_t i = 0; i < n_rows; i++) {
                                if (rows[i].state != s || rows[i].event != e)
                                        continue;
                                if (found == 0 || last + 1 != i)
                                        runs++;
                                found++;
                                last = i;
                        }
                        if (found == 0)
                                fail_msg("%s has no row for %s", machine_state_name(s), machine_event_name(e));
                        if (rows[last].guard != GUARD_ALWAYS)
                                fail_msg("%s × %s ends in a guard", machine_state_name(s), machine_event_name(e));
                        assert_int_equal(runs, 1);
                }
}

/* A row behind one that always holds, in the same pair, would never count. */
static void test_b_no_dead_row(void **state unused_)
{
        for (size_t i = 0; i < n_rows; i++)
                for (size_t j = i + 1; j < n_rows; j++)
                        if (rows[i].state == rows[j].state && rows[i].event == rows[j].event &&
                            (rows[i].guard == GUARD_ALWAYS || rows[i].guard == rows[j].guard))
                                fail_msg("rows %zu and %zu of %s × %s: the second never counts", i, j,
                                         machine_state_name(rows[i].state), machine_event_name(rows[i].event));
}

/* The guards that the rows of a pair ask for: no other fact can make a difference (test_d). */
static uint32_t asked(int s, int e)
{
        uint32_t guards = 0;

        for (size_t i = 0; i < n_rows; i++)
                if (rows[i].state == s && rows[i].event == e)
                        guards |= 1u << rows[i].guard;
        return guards;
}

/* The next subset of SET behind FACTS, which always hold GUARD_ALWAYS; 0 = that was the last. */
static uint32_t next_facts(uint32_t facts, uint32_t set)
{
        uint32_t next = (facts - (set | 1)) & (set | 1);

        return next == 0 ? 0 : next | 1;
}

/* machine_find() gives the row that a plain reading of the table gives, for every pair and every set of facts. */
static void test_c_find_is_the_table(void **state unused_)
{
        for (int s = 0; s < N_MACHINE_STATES; s++)
                for (int e = 0; e < N_MACHINE_EVENTS; e++)
                        for (uint32_t facts = 1, set = asked(s, e); facts != 0; facts = next_facts(facts, set)) {
                                uint32_t others = ~(set | 1) & ((1u << N_MACHINE_GUARDS) - 1);
                                const struct machine_row *expected = NULL;
                                for (size_t i = 0; i < n_rows && !expected; i++)
                                        if (rows[i].state == s && rows[i].event == e && (facts >> rows[i].guard & 1))
                                                expected = &rows[i];
                                assert_ptr_equal(expected, machine_find(s, e, facts));
                                assert_ptr_equal(expected, machine_find(s, e, facts | others));
                        }
}

static void test_d_kinds_are_consistent(void **state unused_)
{
        for (size_t i = 0; i < n_rows; i++)
                if (rows[i].kind != ROW_HANDLED) {
                        assert_int_equal(rows[i].state, rows[i].next);
                        assert_int_equal(rows[i].actions[0], DO_NONE);
                }
}

static void reach(bool *seen, bool backwards)
{
        bool more = true;

        while (more) {
                more = false;
                for (size_t i = 0; i < n_rows; i++) {
                        int from = backwards ? rows[i].next : rows[i].state;
                        int to = backwards ? rows[i].state : rows[i].next;
                        if (rows[i].kind == ROW_HANDLED && seen[from] && !seen[to])
                                seen[to] = more = true;
                }
        }
}

static void test_e_reachable(void **state unused_)
{
        bool seen[N_MACHINE_STATES] = {[STATE_DEAD] = true, [STATE_PASSIVE_DEAD] = true};

        reach(seen, false);
        for (int s = 0; s < N_MACHINE_STATES; s++)
                if (!seen[s])
                        fail_msg("%s cannot be reached", machine_state_name(s));
}

/* From every state of a service there is a way back to DEAD, and one to it without any START. */
static void test_f_live(void **state unused_)
{
        bool seen[N_MACHINE_STATES] = {[STATE_DEAD] = true, [STATE_PASSIVE_DEAD] = true};

        reach(seen, true);
        for (int s = 0; s < N_MACHINE_STATES; s++)
                if (!seen[s])
                        fail_msg("%s has no way to an end", machine_state_name(s));
}

/* Who waits for a process or a phase has a timer armed on the way in, or is a state that may last. */
static void test_g_waiting_states_have_a_way_out(void **state unused_)
{
        for (int s = 0; s < N_MACHINE_STATES; s++) {
                const struct machine_row *r;
                if (passive(s) || s == STATE_DEAD || s == STATE_FAILED || s == STATE_RUNNING || s == STATE_EXITED)
                        continue;
                r = machine_find(s, EVENT_TIMEOUT, 1);
                if (r->kind != ROW_HANDLED)
                        fail_msg("%s does not handle its timer", machine_state_name(s));
        }
}

static bool has_action(const struct machine_row *r, int action)
{
        for (int i = 0; i < MACHINE_MAX_ACTIONS; i++)
                if (r->actions[i] == action)
                        return true;
        return false;
}

/* A service that says STOPPING=1 is waited for as if it had got the signal. */
static bool ends_by_itself(const struct machine_row *r)
{
        return r->event == EVENT_STOPPING || r->guard == GUARD_SAYS_STOPPING;
}

/* Entering a killing state arms a timer and looks whether anything is left; entering a phase runs its list. */
static void test_h_entries_do_their_work(void **state unused_)
{
        static const struct {
                int state, action;
        } entry[] = {
                {STATE_STOP_WATCHDOG, DO_KILL_ABORT},
                {STATE_STOP_WATCHDOG, DO_LOOK_EMPTY},
                {STATE_STOP_WATCHDOG, DO_ARM_ABORT},
                {STATE_FINAL_WATCHDOG, DO_KILL_ABORT},
                {STATE_FINAL_WATCHDOG, DO_LOOK_EMPTY},
                {STATE_FINAL_WATCHDOG, DO_ARM_ABORT},
                {STATE_RELOAD_SIGNAL, DO_SIGNAL_RELOAD},
                {STATE_RELOAD_SIGNAL, DO_ARM_START},
                {STATE_STOP_SIGTERM, DO_KILL_TERM},
                {STATE_STOP_SIGTERM, DO_LOOK_EMPTY},
                {STATE_STOP_SIGTERM, DO_ARM_STOP},
                {STATE_STOP_SIGKILL, DO_KILL_KILL},
                {STATE_STOP_SIGKILL, DO_LOOK_EMPTY},
                {STATE_FINAL_SIGTERM, DO_KILL_TERM},
                {STATE_FINAL_SIGTERM, DO_LOOK_EMPTY},
                {STATE_FINAL_SIGKILL, DO_KILL_KILL},
                {STATE_START_PRE, DO_RUN_START_PRE},
                {STATE_STOP_POST, DO_RUN_STOP_POST},
                {STATE_STOP, DO_RUN_STOP},
                {STATE_CLEANUP, DO_RUN_CLEANUP},
                {STATE_AUTO_RESTART, DO_ARM_RESTART},
                {STATE_CONDITION, DO_RUN_CONDITION},
                {STATE_FAILED_CHECK, DO_RUN_CHECK},
                {STATE_PASSIVE_CHECK, DO_RUN_CHECK},
        };

        for (size_t i = 0; i < n_rows; i++)
                for (size_t j = 0; j < ARRAY_SIZE(entry); j++)
                        if (rows[i].kind == ROW_HANDLED && rows[i].next == entry[j].state &&
                            rows[i].state != entry[j].state && !ends_by_itself(&rows[i]) &&
                            !has_action(&rows[i], entry[j].action))
                                fail_msg("%s × %s enters %s without %s", machine_state_name(rows[i].state),
                                         machine_event_name(rows[i].event), machine_state_name(entry[j].state),
                                         machine_action_name(entry[j].action));
}

static bool is_final(int s)
{
        return s == STATE_FINAL_SIGTERM || s == STATE_FINAL_WATCHDOG || s == STATE_FINAL_SIGKILL;
}

/* What OOM would say is said already where FinalKillSignal= is sent, and ExecStopPost= has been the list of commands
 * where the last of a service is waited for: of ExecCondition= nothing can come there any more. */
static void test_h_too_late(void **state unused_)
{
        for (size_t i = 0; i < n_rows; i++) {
                const struct machine_row *r = &rows[i];
                if (r->kind != ROW_HANDLED || r->state == r->next)
                        continue;
                if ((r->next == STATE_STOP_SIGKILL || r->next == STATE_FINAL_SIGKILL) &&
                    !has_action(r, DO_RESULT_TIMEOUT) && !has_action(r, DO_RESULT_OOM))
                        fail_msg("%s × %s enters %s without a result", machine_state_name(r->state),
                                 machine_event_name(r->event), machine_state_name(r->next));
                if (is_final(r->next) && !is_final(r->state))
                        assert_true(r->state == STATE_STOP_POST || r->state == STATE_STOP_POST_WAIT);
                if (r->next == STATE_STOP_POST_WAIT)
                        assert_true(r->state == STATE_STOP_POST);
                if (r->next == STATE_CLEANUP)
                        assert_true(is_final(r->state));
        }
}

/* A stop asked for while a service is up or coming up leads into the stopping states, whatever the facts. */
static void test_i_stop_always_stops(void **state unused_)
{
        for (int s = 0; s < N_MACHINE_STATES; s++) {
                enum machine_active before = machine_state_active(s);
                for (uint32_t facts = 1, set = asked(s, EVENT_STOP); facts != 0; facts = next_facts(facts, set)) {
                        enum machine_active after = machine_state_active(machine_find(s, EVENT_STOP, facts)->next);
                        if (before == MACHINE_ACTIVE || before == MACHINE_ACTIVATING || before == MACHINE_RELOADING)
                                assert_true(after == MACHINE_DEACTIVATING || after == MACHINE_INACTIVE);
                }
        }
}

/* Random walks: possible events only; a stop request followed by the world answering ends within a bound. */
static void test_j_random_walks_end(void **state unused_)
{
        static const int answers[] = {EVENT_EMPTY, EVENT_CONTROL_OK, EVENT_PHASE_DONE, EVENT_TIMEOUT};
        unsigned seed = 20260101;

        for (int walk = 0; walk < 20000; walk++) {
                int s = STATE_DEAD, n = 0;
                for (int i = 0; i < 40; i++) {
                        int e = rand_r(&seed) % N_MACHINE_EVENTS;
                        const struct machine_row *r = machine_find(s, e, 1u | (unsigned)rand_r(&seed));
                        if (r->kind == ROW_HANDLED)
                                s = r->next;
                }
                s = machine_find(s, EVENT_STOP, 1)->next;
                while (machine_state_active(s) != MACHINE_INACTIVE && machine_state_active(s) != MACHINE_FAILED) {
                        const struct machine_row *r =
                                machine_find(s, answers[rand_r(&seed) % 4], 1u | 1u << GUARD_GOOD);
                        if (r->kind == ROW_HANDLED)
                                s = r->next;
                        if (++n > 400)
                                fail_msg("stopping got stuck in %s", machine_state_name(s));
                }
        }
}

static void test_k_names(void **state unused_)
{
        for (int i = 0; i < N_MACHINE_STATES; i++)
                assert_non_null(machine_state_sub(i));
        for (int i = 0; i < N_MACHINE_EVENTS; i++)
                assert_non_null(machine_event_name(i));
        for (int i = 0; i < N_MACHINE_ACTIONS; i++)
                assert_non_null(machine_action_name(i));
        for (int i = 0; i < N_MACHINE_GUARDS; i++)
                assert_non_null(machine_guard_name(i));
        for (int i = 0; i < N_SERVICE_RESULTS; i++)
                assert_non_null(machine_result_name(i));
}

/* Rule: clean ends of a long-running main process; of a oneshot or control process only exit 0 (and what is set). */
static void test_l_clean_exits(void **state unused_)
{
        struct exit_status_set success = {0}, none = {0};
        struct service_config c = {
                .success_status = &success, .restart_prevent_status = &none, .restart_force_status = &none};

        assert_true(machine_exit_is_clean(&c, true, 0, CLD_EXITED, 0));
        assert_false(machine_exit_is_clean(&c, true, 0, CLD_EXITED, 1));
        assert_true(machine_exit_is_clean(&c, true, 0, CLD_KILLED, SIGTERM));
        assert_true(machine_exit_is_clean(&c, true, 0, CLD_KILLED, SIGPIPE));
        assert_false(machine_exit_is_clean(&c, true, 0, CLD_KILLED, SIGKILL));
        assert_false(machine_exit_is_clean(&c, false, 0, CLD_KILLED, SIGTERM));
        assert_true(machine_exit_is_clean(&c, false, EXEC_IGNORE_FAILURE, CLD_EXITED, 7));
        assert_false(machine_exit_is_clean(&c, true, 0, 0, 0)); /* not known */
        success.codes[0] = 1u << 3;
        success.signals = UINT64_C(1) << (SIGUSR1 - 1);
        assert_true(machine_exit_is_clean(&c, false, 0, CLD_EXITED, 3));
        assert_true(machine_exit_is_clean(&c, false, 0, CLD_KILLED, SIGUSR1));
}

/* The Restart= table: a row per word, a column per end. */
static void test_m_restart_table(void **state unused_)
{
        static const enum machine_result ends[] = {SERVICE_RESULT_SUCCESS,  SERVICE_RESULT_EXIT_CODE,
                                                   SERVICE_RESULT_SIGNAL,   SERVICE_RESULT_TIMEOUT,
                                                   SERVICE_RESULT_WATCHDOG, SERVICE_RESULT_CORE_DUMP};
        static const struct {
                enum service_restart restart;
                bool wants[6];
        } table[] = {
                {RESTART_NO, {0, 0, 0, 0, 0, 0}},          {RESTART_ON_SUCCESS, {1, 0, 0, 0, 0, 0}},
                {RESTART_ON_FAILURE, {0, 1, 1, 1, 1, 1}},  {RESTART_ON_ABNORMAL, {0, 0, 1, 1, 1, 1}},
                {RESTART_ON_WATCHDOG, {0, 0, 0, 0, 1, 0}}, {RESTART_ON_ABORT, {0, 0, 1, 0, 0, 1}},
                {RESTART_ALWAYS, {1, 1, 1, 1, 1, 1}},
        };

        assert_int_equal(ARRAY_SIZE(table), N_SERVICE_RESTARTS);
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                for (size_t j = 0; j < ARRAY_SIZE(ends); j++) {
                        struct exit_status_set prevent = {0}, force = {0};
                        struct service_config c = {.restart = table[i].restart,
                                                   .success_status = &force,
                                                   .restart_prevent_status = &prevent,
                                                   .restart_force_status = &force};
                        assert_int_equal(machine_wants_restart(&c, ends[j], CLD_EXITED, 1), table[i].wants[j]);
                        prevent.codes[0] = 1u << 1;
                        assert_false(machine_wants_restart(&c, ends[j], CLD_EXITED, 1));
                        prevent.codes[0] = 0;
                        force.codes[0] = 1u << 1;
                        assert_true(machine_wants_restart(&c, ends[j], CLD_EXITED, 1));
                }
}

/* Nothing but a service that is up, or about to be, owes pings. */
static void test_n_watched_states(void **state unused_)
{
        for (int s = 0; s < N_MACHINE_STATES; s++) {
                bool handled = machine_find(s, EVENT_WATCHDOG, 1)->kind == ROW_HANDLED;
                if (machine_state_watched(s) && !handled)
                        fail_msg("%s owes pings, and nothing follows when none comes", machine_state_name(s));
                assert_false(machine_state_watched(s) && passive(s));
        }
        assert_true(machine_state_watched(STATE_RUNNING) && machine_state_watched(STATE_RELOAD_NOTIFY));
        assert_false(machine_state_watched(STATE_START) || machine_state_watched(STATE_EXITED));
}

/* The pauses of RestartSteps=: geometric from RestartSec= to RestartMaxDelaySec=, which comes behind the last step. */
static void test_o_restart_delay(void **state unused_)
{
        static const struct {
                uint64_t first, last;
                unsigned steps, n;
                uint64_t delay;
        } table[] = {
                {100, USEC_INFINITY, 5, 7, 100},
                {100, 6400, 0, 7, 100},
                {6400, 100, 3, 7, 6400},
                {100, 6400, 3, 1, 100},
                {100, 6400, 3, 2, 400},
                {100, 6400, 3, 3, 1600},
                {100, 6400, 3, 4, 6400},
                {100, 6400, 3, 1000, 6400},
                {100, 6400, 1, 2, 6400},
                {0, 6400, 3, 2, 0},
                {1000000, 60000000, 4, 2, 2783157},
                {1000000, 60000000, 4, 3, 7745966},
                {1000000, 60000000, 4, 4, 21558246},
                {1000000, 60000000, 4, 5, 60000000},
                {1, UINT64_C(1) << 62, UINT32_MAX, 2, 1},
                {1, UINT64_C(1) << 62, 62, 61, UINT64_C(1) << 60},
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                struct service_config c = {.restart_us = table[i].first,
                                           .restart_max_delay_us = table[i].last,
                                           .restart_steps = table[i].steps};
                assert_int_equal(machine_restart_delay(&c, table[i].n), table[i].delay);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_total),
                cmocka_unit_test(test_b_no_dead_row),
                cmocka_unit_test(test_c_find_is_the_table),
                cmocka_unit_test(test_d_kinds_are_consistent),
                cmocka_unit_test(test_e_reachable),
                cmocka_unit_test(test_f_live),
                cmocka_unit_test(test_g_waiting_states_have_a_way_out),
                cmocka_unit_test(test_h_entries_do_their_work),
                cmocka_unit_test(test_h_too_late),
                cmocka_unit_test(test_i_stop_always_stops),
                cmocka_unit_test(test_j_random_walks_end),
                cmocka_unit_test(test_k_names),
                cmocka_unit_test(test_l_clean_exits),
                cmocka_unit_test(test_m_restart_table),
                cmocka_unit_test(test_n_watched_states),
                cmocka_unit_test(test_o_restart_delay),
        };

        rows = machine_rows(&n_rows);
        return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
