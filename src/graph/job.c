/* SPDX-License-Identifier: MIT
 *
 * Jobs as values: how requests collapse, how jobs of one unit merge, what they are called.
 *
 * Not here: which jobs a request leads to (transaction.c).
 * Invariant: merging is a join: commutative, associative, idempotent. JOB_NOP is neutral and JOB_NONE (contradiction)
 * swallows everything; in between, for a unit that is up
 *         nop < verify-active < start < reload < restart        nop < stop
 * and for one that is down, start and reload trade places. Stop joins with nothing but itself and nop.
 */
#include "graph/internal.h"

/* A pseudo type for the one cell that depends on the unit's state. */
#define RELOAD_OR_START N_JOB_TYPES

#define SAME(a)       [a][a] = (a)
#define JOIN(a, b, c) [a][b] = (c), [b][a] = (c)
static const uint8_t merge_table[N_JOB_TYPES][N_JOB_TYPES] = {
        SAME(JOB_START),
        SAME(JOB_VERIFY_ACTIVE),
        SAME(JOB_STOP),
        SAME(JOB_RELOAD),
        SAME(JOB_RESTART),
        SAME(JOB_NOP),
        JOIN(JOB_NOP, JOB_START, JOB_START),
        JOIN(JOB_NOP, JOB_VERIFY_ACTIVE, JOB_VERIFY_ACTIVE),
        JOIN(JOB_NOP, JOB_STOP, JOB_STOP),
        JOIN(JOB_NOP, JOB_RELOAD, JOB_RELOAD),
        JOIN(JOB_NOP, JOB_RESTART, JOB_RESTART),
        JOIN(JOB_VERIFY_ACTIVE, JOB_START, JOB_START),
        JOIN(JOB_VERIFY_ACTIVE, JOB_RELOAD, JOB_RELOAD),
        JOIN(JOB_VERIFY_ACTIVE, JOB_RESTART, JOB_RESTART),
        JOIN(JOB_VERIFY_ACTIVE, JOB_STOP, JOB_NONE),
        JOIN(JOB_START, JOB_RELOAD, RELOAD_OR_START),
        JOIN(JOB_START, JOB_RESTART, JOB_RESTART),
        JOIN(JOB_START, JOB_STOP, JOB_NONE),
        JOIN(JOB_RELOAD, JOB_RESTART, JOB_RESTART),
        JOIN(JOB_RELOAD, JOB_STOP, JOB_NONE),
        JOIN(JOB_RESTART, JOB_STOP, JOB_NONE),
};
#undef SAME
#undef JOIN
/* 6 types that are jobs: 6 with themselves and 6*5/2 pairs above; the row and column of JOB_NONE stay JOB_NONE. */
_Static_assert(N_JOB_TYPES == 7 && sizeof(merge_table) == 49, "a new job type needs its row of pairs");
_Static_assert(JOB_NONE == 0, "cells that are not spelled out contradict");

enum job_type job_merge(enum job_type a, enum job_type b, enum unit_active active)
{
        unsigned m = merge_table[a][b];
        if (m != RELOAD_OR_START)
                return (enum job_type)m;
        return active_is_up(active) ? JOB_RELOAD : JOB_START;
}

/* A request, as a job: for a unit that is up (or coming up), and for one that is down (or going down). */
struct collapse {
        enum job_type up, up_reloadable, down, down_reloadable;
};
static const struct collapse collapse_table[] = {
        [REQUEST_START] = {JOB_START, JOB_START, JOB_START, JOB_START},
        [REQUEST_STOP] = {JOB_STOP, JOB_STOP, JOB_STOP, JOB_STOP},
        [REQUEST_RELOAD] = {JOB_RELOAD, JOB_RELOAD, JOB_RELOAD, JOB_RELOAD},
        [REQUEST_RESTART] = {JOB_RESTART, JOB_RESTART, JOB_RESTART, JOB_RESTART},
        [REQUEST_TRY_RESTART] = {JOB_RESTART, JOB_RESTART, JOB_NOP, JOB_NOP},
        [REQUEST_RELOAD_OR_RESTART] = {JOB_RESTART, JOB_RELOAD, JOB_RESTART, JOB_START},
        [REQUEST_TRY_RELOAD_OR_RESTART] = {JOB_RESTART, JOB_RELOAD, JOB_NOP, JOB_NOP},
};
_Static_assert(ARRAY_SIZE(collapse_table) == N_JOB_REQUESTS, "a row for each request");

enum job_type job_request_collapse(enum job_request request, enum unit_active active, bool can_reload)
{
        const struct collapse *c = &collapse_table[request];
        if (active_is_down_or_going(active))
                return can_reload ? c->down_reloadable : c->down;
        return can_reload ? c->up_reloadable : c->up;
}

static const char *const type_names[] = {
        [JOB_NONE] = "none", [JOB_START] = "start",   [JOB_VERIFY_ACTIVE] = "verify-active",
        [JOB_STOP] = "stop", [JOB_RELOAD] = "reload", [JOB_RESTART] = "restart",
        [JOB_NOP] = "nop",
};
_Static_assert(ARRAY_SIZE(type_names) == N_JOB_TYPES, "a name for each job type");

static const char *const mode_names[] = {
        [MODE_FAIL] = "fail",
        [MODE_REPLACE] = "replace",
        [MODE_REPLACE_IRREVERSIBLY] = "replace-irreversibly",
        [MODE_ISOLATE] = "isolate",
        [MODE_FLUSH] = "flush",
        [MODE_IGNORE_DEPENDENCIES] = "ignore-dependencies",
        [MODE_IGNORE_REQUIREMENTS] = "ignore-requirements",
        [MODE_TRIGGERING] = "triggering",
};
_Static_assert(ARRAY_SIZE(mode_names) == N_JOB_MODES, "a name for each job mode");

static const char *const result_names[] = {
        [RESULT_DONE] = "done",
        [RESULT_CANCELED] = "canceled",
        [RESULT_TIMEOUT] = "timeout",
        [RESULT_FAILED] = "failed",
        [RESULT_DEPENDENCY] = "dependency",
        [RESULT_SKIPPED] = "skipped",
        [RESULT_INVALID] = "invalid",
        [RESULT_ASSERT] = "assert",
        [RESULT_UNSUPPORTED] = "unsupported",
        [RESULT_COLLECTED] = "collected",
        [RESULT_ONCE] = "once",
};
_Static_assert(ARRAY_SIZE(result_names) == N_JOB_RESULTS, "a name for each job result");

static const char *const active_names[] = {
        [ACTIVE_INACTIVE] = "inactive",   [ACTIVE_ACTIVATING] = "activating",     [ACTIVE_ACTIVE] = "active",
        [ACTIVE_RELOADING] = "reloading", [ACTIVE_DEACTIVATING] = "deactivating", [ACTIVE_FAILED] = "failed",
};
_Static_assert(ARRAY_SIZE(active_names) == N_UNIT_ACTIVES, "a name for each active state");

static const char *const error_names[] = {
        [GRAPH_OK] = "ok",
        [GRAPH_NO_SUCH_UNIT] = "not found",
        [GRAPH_MASKED] = "masked",
        [GRAPH_BAD_SETTING] = "has a bad setting",
        [GRAPH_LOAD_FAILED] = "cannot be loaded",
        [GRAPH_JOB_NOT_APPLICABLE] = "job does not apply to the unit",
        [GRAPH_CYCLIC] = "ordering cycle that cannot be broken",
        [GRAPH_DESTRUCTIVE] = "stands against a queued job",
        [GRAPH_CONFLICT] = "contradictory jobs are required",
        [GRAPH_NO_ISOLATION] = "unit does not allow isolation",
        [GRAPH_ONLY_BY_DEPENDENCY] = "may be asked for by a dependency only",
        [GRAPH_BAD_MODE] = "the job mode goes not with the request",
        [GRAPH_NOMEM] = "out of memory",
};
_Static_assert(ARRAY_SIZE(error_names) == N_GRAPH_ERRORS, "a name for each error");

const char *job_type_name(enum job_type t)
{
        return type_names[t];
}

const char *job_mode_name(enum job_mode m)
{
        return mode_names[m];
}

const char *job_result_name(enum job_result r)
{
        return result_names[r];
}

const char *unit_active_name(enum unit_active a)
{
        return active_names[a];
}

const char *graph_error_name(enum graph_error e)
{
        return error_names[e];
}
