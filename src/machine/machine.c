/* SPDX-License-Identifier: MIT
 *
 * Look-up in the table of service-table.h, and the pure questions around an exit.
 * Invariant: the index is filled from the rows once and never changes.
 */
#include "machine/machine.h"

#include <signal.h>
#include <sys/wait.h>

/* MAP(m, a, x, y, z): m(a, x) m(a, y) m(a, z) for up to 18 names */
#define MAP_1(m, a, x)                                                                                 m(a, x)
#define MAP_2(m, a, x, ...)                                                                            m(a, x) MAP_1(m, a, __VA_ARGS__)
#define MAP_3(m, a, x, ...)                                                                            m(a, x) MAP_2(m, a, __VA_ARGS__)
#define MAP_4(m, a, x, ...)                                                                            m(a, x) MAP_3(m, a, __VA_ARGS__)
#define MAP_5(m, a, x, ...)                                                                            m(a, x) MAP_4(m, a, __VA_ARGS__)
#define MAP_6(m, a, x, ...)                                                                            m(a, x) MAP_5(m, a, __VA_ARGS__)
#define MAP_7(m, a, x, ...)                                                                            m(a, x) MAP_6(m, a, __VA_ARGS__)
#define MAP_8(m, a, x, ...)                                                                            m(a, x) MAP_7(m, a, __VA_ARGS__)
#define MAP_9(m, a, x, ...)                                                                            m(a, x) MAP_8(m, a, __VA_ARGS__)
#define MAP_10(m, a, x, ...)                                                                           m(a, x) MAP_9(m, a, __VA_ARGS__)
#define MAP_11(m, a, x, ...)                                                                           m(a, x) MAP_10(m, a, __VA_ARGS__)
#define MAP_12(m, a, x, ...)                                                                           m(a, x) MAP_11(m, a, __VA_ARGS__)
#define MAP_13(m, a, x, ...)                                                                           m(a, x) MAP_12(m, a, __VA_ARGS__)
#define MAP_14(m, a, x, ...)                                                                           m(a, x) MAP_13(m, a, __VA_ARGS__)
#define MAP_15(m, a, x, ...)                                                                           m(a, x) MAP_14(m, a, __VA_ARGS__)
#define MAP_16(m, a, x, ...)                                                                           m(a, x) MAP_15(m, a, __VA_ARGS__)
#define MAP_17(m, a, x, ...)                                                                           m(a, x) MAP_16(m, a, __VA_ARGS__)
#define MAP_18(m, a, x, ...)                                                                           m(a, x) MAP_17(m, a, __VA_ARGS__)
#define MAP_N(_1, _2, _3, _4, _5, _6, _7, _8, _9, _10, _11, _12, _13, _14, _15, _16, _17, _18, N, ...) MAP_##N
#define MAP(m, a, ...)                                                                                                 \
        MAP_N(__VA_ARGS__, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, )(m, a, __VA_ARGS__)

#define ACTION_OF(unused, name) DO_##name,
#define ON(s, e, g, n, ...)                                                                                            \
        {STATE_##s, EVENT_##e, GUARD_##g, STATE_##n, ROW_HANDLED, {__VA_OPT__(MAP(ACTION_OF, _, __VA_ARGS__))}},
#define IGNORED_ROW(s, e)    {STATE_##s, EVENT_##e, GUARD_ALWAYS, STATE_##s, ROW_IGNORED, {DO_NONE}},
#define IMPOSSIBLE_ROW(s, e) {STATE_##s, EVENT_##e, GUARD_ALWAYS, STATE_##s, ROW_IMPOSSIBLE, {DO_NONE}},
#define IGNORED(s, ...)      MAP(IGNORED_ROW, s, __VA_ARGS__)
#define IMPOSSIBLE(s, ...)   MAP(IMPOSSIBLE_ROW, s, __VA_ARGS__)

static const struct machine_row machine_table[] = {
#include "machine/service-table.h"
};

static const struct {
        const char *name, *sub;
        enum machine_active active;
        const char *text;
} machine_states[N_MACHINE_STATES] = {
#define X(n, s, a, t) [STATE_##n] = {#n, s, MACHINE_##a, t},
        MACHINE_STATES(X)
#undef X
};

static const char *const machine_events[N_MACHINE_EVENTS] = {
#define X(n, t) [EVENT_##n] = #n,
        MACHINE_EVENTS(X)
#undef X
};

static const char *const machine_actions[N_MACHINE_ACTIONS] = {
#define X(n, t) [DO_##n] = #n,
        MACHINE_ACTIONS(X)
#undef X
};

static const char *const machine_guards[N_MACHINE_GUARDS] = {
#define X(n, t) [GUARD_##n] = #n,
        MACHINE_GUARDS(X)
#undef X
};

static const char *const machine_results[N_SERVICE_RESULTS] = {
#define X(n, t) [SERVICE_RESULT_##n] = t,
        MACHINE_RESULTS(X)
#undef X
};

/* First row of each pair + 1; 0 = not yet looked for. */
static uint16_t machine_index[N_MACHINE_STATES][N_MACHINE_EVENTS];

static const struct machine_row *machine_first(enum machine_state state, enum machine_event event)
{
        if (machine_index[state][event] == 0)
                for (size_t i = ARRAY_SIZE(machine_table); i-- > 0;)
                        machine_index[machine_table[i].state][machine_table[i].event] = (uint16_t)(i + 1);
        return &machine_table[machine_index[state][event] - 1];
}

const struct machine_row *machine_find(enum machine_state state, enum machine_event event, uint32_t facts)
{
        const struct machine_row *row = machine_first(state, event);

        while (row->guard != GUARD_ALWAYS && !(facts & (1u << row->guard)))
                row++;
        return row;
}

const struct machine_row *machine_rows(size_t *ret_n)
{
        *ret_n = ARRAY_SIZE(machine_table);
        return machine_table;
}

const char *machine_state_name(enum machine_state s)
{
        return machine_states[s].name;
}

const char *machine_state_sub(enum machine_state s)
{
        return machine_states[s].sub;
}

enum machine_active machine_state_active(enum machine_state s)
{
        return machine_states[s].active;
}

bool machine_state_watched(enum machine_state s)
{
        enum machine_active a = machine_state_active(s);

        return s == STATE_START_POST || s == STATE_RUNNING || a == MACHINE_RELOADING;
}

const char *machine_event_name(enum machine_event e)
{
        return machine_events[e];
}

const char *machine_action_name(enum machine_action a)
{
        return machine_actions[a];
}

const char *machine_guard_name(enum machine_guard g)
{
        return machine_guards[g];
}

const char *machine_result_name(enum machine_result r)
{
        return r < N_SERVICE_RESULTS ? machine_results[r] : "success";
}

int machine_print_dot(struct buf *out)
{
        int r = buf_append_str(out, "digraph service {\n");

        for (size_t i = 0; r >= 0 && i < N_MACHINE_STATES; i++)
                r = buf_printf(out, "  %s [label=\"%s\\n%s\"];\n", machine_states[i].name, machine_states[i].name,
                               machine_states[i].text);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(machine_table); i++) {
                const struct machine_row *row = &machine_table[i];
                if (row->kind != ROW_HANDLED)
                        continue;
                r = buf_printf(out, "  %s -> %s [label=\"%s%s%s\"];\n", machine_state_name(row->state),
                               machine_state_name(row->next), machine_event_name(row->event),
                               row->guard == GUARD_ALWAYS ? "" : " ",
                               row->guard == GUARD_ALWAYS ? "" : machine_guard_name(row->guard));
        }
        return r < 0 ? r : buf_append_str(out, "}\n");
}

static bool status_set_has(const struct exit_status_set *s, int code, int status)
{
        if (status < 0)
                return false;
        if (code == CLD_EXITED)
                return status < 256 && (s->codes[status / 32] >> (status % 32) & 1);
        return code != 0 && status > 0 && status <= 64 && (s->signals >> (status - 1) & 1);
}

bool machine_exit_is_clean(const struct service_config *c, bool long_running, unsigned command_flags, int code,
                           int status)
{
        if (command_flags & EXEC_IGNORE_FAILURE)
                return true;
        if (code == CLD_EXITED && status == 0)
                return true;
        if (code == CLD_KILLED && long_running &&
            (status == SIGHUP || status == SIGINT || status == SIGTERM || status == SIGPIPE))
                return true;
        return status_set_has(c->success_status, code, status);
}

enum machine_result machine_exit_result(int code, int status unused_)
{
        if (code == CLD_EXITED)
                return SERVICE_RESULT_EXIT_CODE;
        return code == CLD_DUMPED ? SERVICE_RESULT_CORE_DUMP : SERVICE_RESULT_SIGNAL;
}

/* Restart= against the result: rows are the words, columns the ends (systemd.service(5), "Exit causes"). */
static bool restart_by_result(enum service_restart restart, enum machine_result r)
{
        bool abnormal = r == SERVICE_RESULT_SIGNAL || r == SERVICE_RESULT_CORE_DUMP || r == SERVICE_RESULT_TIMEOUT ||
                        r == SERVICE_RESULT_WATCHDOG || r == SERVICE_RESULT_OOM_KILL;

        switch (restart) {
        case RESTART_ON_SUCCESS:
                return r == SERVICE_RESULT_SUCCESS;
        case RESTART_ON_FAILURE:
                return r != SERVICE_RESULT_SUCCESS;
        case RESTART_ON_ABNORMAL:
                return abnormal;
        case RESTART_ON_WATCHDOG:
                return r == SERVICE_RESULT_WATCHDOG;
        case RESTART_ON_ABORT:
                return r == SERVICE_RESULT_SIGNAL || r == SERVICE_RESULT_CORE_DUMP;
        case RESTART_ALWAYS:
                return true;
        case RESTART_NO:
        case N_SERVICE_RESTARTS:
                return false;
        }
        return false;
}

/* BASE to the power of EXPONENT, at most LIMIT. */
static long double power(long double base, unsigned exponent, long double limit)
{
        long double p = 1;

        for (; exponent > 0 && p < limit; exponent >>= 1) {
                if (exponent & 1)
                        p *= base;
                base = MIN2(base * base, limit);
        }
        return MIN2(p, limit);
}

/* The factor that makes GROWTH in N steps: between 1 and GROWTH, where power() is monotonic. */
static long double step_factor(long double growth, unsigned n)
{
        long double low = 1, high = growth;

        for (int i = 0; i < 128; i++) {
                long double middle = low + (high - low) / 2;

                if (power(middle, n, 2 * growth) < growth)
                        low = middle;
                else
                        high = middle;
        }
        return high;
}

uint64_t machine_restart_delay(const struct service_config *c, unsigned n)
{
        uint64_t first = c->restart_us, last = c->restart_max_delay_us;
        long double growth;

        if (n <= 1 || c->restart_steps == 0 || first == 0 || last == USEC_INFINITY || first >= last)
                return first;
        if (n > c->restart_steps)
                return last;
        growth = (long double)last / (long double)first;
        /* a thousandth: what the bisection leaves must not make a round number one less */
        return (uint64_t)((long double)first * power(step_factor(growth, c->restart_steps), n - 1, growth) + 0.001L);
}

bool machine_wants_restart(const struct service_config *c, enum machine_result result, int code, int status)
{
        if (result == SERVICE_RESULT_EXEC_CONDITION || result == SERVICE_RESULT_START_LIMIT_HIT)
                return false;
        if (status_set_has(c->restart_prevent_status, code, status))
                return false;
        if (status_set_has(c->restart_force_status, code, status))
                return true;
        return restart_by_result(c->restart, result);
}
