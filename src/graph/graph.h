/* SPDX-License-Identifier: MIT
 *
 * The dependency graph and transactions over it: which jobs follow from a request, in which order they may run.
 *
 * Pure: no fd, no clock, no process, no struct unit: nodes are numbers, edges are atoms. The manager tells the graph
 * what units are like right now through struct graph_node and gets back a list of jobs. User words (Requires=, PartOf=)
 * map to atoms in one table in graph.c; code acts on atoms only.
 */
#ifndef SUPD_GRAPH_GRAPH_H
#define SUPD_GRAPH_GRAPH_H

#include "base/diag.h"
#include "unit/unit.h"

enum job_type {
        JOB_NONE, /* no job */
        JOB_START,
        JOB_VERIFY_ACTIVE, /* Requisite=: ends done when active, else fails */
        JOB_STOP,
        JOB_RELOAD,
        JOB_RESTART, /* stop, then start: becomes JOB_START once stopped */
        JOB_NOP,
        N_JOB_TYPES,
};
/* requests that collapse against the unit's state before they become a job_type */
enum job_request {
        REQUEST_START,
        REQUEST_STOP,
        REQUEST_RELOAD,
        REQUEST_RESTART,
        REQUEST_TRY_RESTART,
        REQUEST_RELOAD_OR_RESTART,
        REQUEST_TRY_RELOAD_OR_RESTART,
        N_JOB_REQUESTS,
};
enum job_mode {
        MODE_FAIL,
        MODE_REPLACE,
        MODE_REPLACE_IRREVERSIBLY,
        MODE_ISOLATE,
        MODE_FLUSH,
        MODE_IGNORE_DEPENDENCIES,
        MODE_IGNORE_REQUIREMENTS,
        MODE_TRIGGERING,
        N_JOB_MODES,
};
enum unit_active {
        ACTIVE_INACTIVE,
        ACTIVE_ACTIVATING,
        ACTIVE_ACTIVE,
        ACTIVE_RELOADING,
        ACTIVE_DEACTIVATING,
        ACTIVE_FAILED,
        N_UNIT_ACTIVES,
};
enum job_result {
        RESULT_DONE,
        RESULT_CANCELED,
        RESULT_TIMEOUT,
        RESULT_FAILED,
        RESULT_DEPENDENCY,
        RESULT_SKIPPED,
        RESULT_INVALID,
        RESULT_ASSERT,
        RESULT_UNSUPPORTED,
        RESULT_COLLECTED,
        RESULT_ONCE,
        N_JOB_RESULTS,
};
enum graph_error { /* why a transaction is refused; the API maps them to systemd's error names */
                   GRAPH_OK,
                   GRAPH_NO_SUCH_UNIT, /* not found */
                   GRAPH_MASKED,
                   GRAPH_BAD_SETTING,
                   GRAPH_LOAD_FAILED,
                   GRAPH_JOB_NOT_APPLICABLE, /* e.g. reload of what cannot reload */
                   GRAPH_CYCLIC,             /* an ordering cycle that cannot be broken */
                   GRAPH_DESTRUCTIVE,        /* mode fail and a conflicting job is queued; or an irreversible one is */
                   GRAPH_CONFLICT,           /* contradictory jobs among requirements */
                   GRAPH_NO_ISOLATION,
                   GRAPH_ONLY_BY_DEPENDENCY,
                   GRAPH_BAD_MODE, /* the mode goes not with the request */
                   GRAPH_NOMEM,
                   N_GRAPH_ERRORS,
};

/* What the graph may ask about a unit right now. */
struct graph_node {
        enum unit_active active;
        enum unit_load_state load;
        enum job_type job; /* installed job, or JOB_NONE */
        bool job_irreversible;
        bool job_ignore_order; /* came from MODE_IGNORE_DEPENDENCIES: takes no part in ordering */
        bool can_start, can_reload;
        bool reloads_by_others; /* it has nothing to be reloaded itself, as a target: what it propagates to may */
        bool refuse_manual_start, refuse_manual_stop, allow_isolate, ignore_on_isolate, stop_when_unneeded;
        const char *name; /* borrowed; for messages */
};

struct graph; /* owns the edges */

int graph_new(struct graph **ret);
void graph_free(struct graph *g);
/* Nodes are 0 … n-1; grows to at least N. */
int graph_resize(struct graph *g, uint32_t n);
/* Adds FROM --dep--> TO by the user's word and everything that it implies (the inverse included); idempotent. -ENOMEM.
 */
int graph_add(struct graph *g, uint32_t from, enum unit_dependency dep, uint32_t to);
/* A word that no file says: a socket, timer or path FROM starts TO. For graph_add() and graph_each(). */
#define GRAPH_TRIGGERS ((enum unit_dependency)N_UNIT_DEPENDENCIES)
/* Forgets every edge that came from FROM's own words (before its files are read again). */
void graph_clear_from(struct graph *g, uint32_t from);

struct graph_job {
        uint32_t unit;
        enum job_type type;
        bool anchor; /* what was asked for */
        bool irreversible;
        bool ignore_order; /* keep with the job: graph_node.job_ignore_order, graph_job_installed() */
};
/* One job per unit, the anchor's first. */
struct transaction {
        struct graph_job *jobs; /* owned */
        size_t n_jobs;
};
void transaction_done(struct transaction *t);

typedef const struct graph_node *(*graph_look)(void *userdata, uint32_t unit); /* valid until the next call */

/* Which jobs REQUEST on UNIT leads to, in numbered passes: collect by requirement atoms; drop what is already so; merge
 * jobs of one unit; break ordering cycles by dropping what is only wanted (each reported in diag, naming the cycle);
 * check against queued jobs by MODE. On refusal *ret is untouched and *ret_culprit names the unit that stands in the
 * way. */
enum graph_error transaction_build(struct graph *g, graph_look look, void *userdata, uint32_t unit,
                                   enum job_request request, enum job_mode mode, bool by_user, struct transaction *ret,
                                   uint32_t *ret_culprit, struct diag *diag);
/* Merging table: what job A and job B on one unit become together; JOB_NONE when they contradict. Symmetric. */
enum job_type job_merge(enum job_type a, enum job_type b, enum unit_active active);

/* May UNIT's installed job run now, or must it wait for a job of another unit (ordering atoms; stops before starts, in
 * reverse)? When it must wait and ret_blocker is not NULL, one of those it waits for. */
bool graph_job_runnable(struct graph *g, graph_look look, void *userdata, uint32_t unit, uint32_t *ret_blocker);

/* The same question for ten thousand jobs: the graph counts, for each installed job, how many others it waits for, so
 * that the end of a job costs its own edges once and nobody rescans. Tell it of each installed job, each change of type
 * (JOB_RESTART becoming JOB_START, a merge, a retry: call graph_job_installed() again) and each end; take what may run
 * from graph_job_next(). Edges may be added and cleared meanwhile. None of them allocates. */
void graph_job_installed(struct graph *g, uint32_t unit, enum job_type type, bool ignore_order);
void graph_job_finished(struct graph *g, uint32_t unit); /* done, failed or cancelled alike; unknown: no effect */
/* The next job that waits for nobody, in the order in which they became free; each is handed out once. */
bool graph_job_next(struct graph *g, uint32_t *ret_unit);
/* How many other jobs UNIT's job waits for. */
uint32_t graph_job_blockers(const struct graph *g, uint32_t unit);
/* Is UNIT bound to something that it starts after and that is not up? Then its start fails as `dependency`. */
bool graph_is_bound_in_vain(struct graph *g, graph_look look, void *userdata, uint32_t unit);
/* What REQUEST means for a unit in this state; JOB_NOP when there is nothing to do. */
enum job_type job_request_collapse(enum job_request request, enum unit_active active, bool can_reload);

/* Consequences of something that happened; each yields (other unit, what to do). */
enum graph_event {
        HAPPENED_JOB_FAILED,      /* UNIT's start job failed: jobs that require it fail as `dependency` */
        HAPPENED_START_IN_VAIN,   /* UNIT's start job is done and left it down (conditions, a oneshot) */
        HAPPENED_UP,              /* UNIT came up: is it needed, and is there what it is bound to? Upholds= */
        HAPPENED_STARTED,         /* UNIT came up by itself: Conflicts=, and what it would have pulled in */
        HAPPENED_DIED,            /* UNIT goes down unasked: BindsTo=, PropagatesStopTo= */
        HAPPENED_STOPPED,         /* UNIT is down: StopWhenUnneeded= of what it pulled in, Upholds= the other way */
        HAPPENED_FAILED,          /* UNIT entered failed: OnFailure= */
        HAPPENED_SUCCEEDED,       /* UNIT ended well: OnSuccess= */
        HAPPENED_STOP_JOB_FAILED, /* UNIT's stop job failed: starts that conflict with it fail as `dependency` */
        N_GRAPH_EVENTS,
};
struct graph_consequence {
        uint32_t unit;
        enum { CONSEQUENCE_FAIL_JOB, CONSEQUENCE_START, CONSEQUENCE_STOP } what;
};
/* Calls EACH for every consequence; returns 0 or the first non-zero value of EACH. EACH may build transactions, it must
 * not add or clear edges. */
int graph_consequences(struct graph *g, graph_look look, void *userdata, uint32_t unit, enum graph_event event,
                       int (*each)(void *userdata, const struct graph_consequence *c));
/* Ordering among units that all start at once: calls EACH for every unit that comes before/after UNIT. For shutdown,
 * status and list-dependencies. */
int graph_each(struct graph *g, uint32_t unit, enum unit_dependency dep, bool inverse,
               int (*each)(void *userdata, uint32_t other), void *userdata);

const char *job_type_name(enum job_type t);       /* "start", "verify-active", "stop", "reload", "restart", "nop" */
const char *job_mode_name(enum job_mode m);       /* systemd's words */
const char *graph_error_name(enum graph_error e); /* for messages: "not found", "masked", … */
const char *job_result_name(enum job_result r);   /* "done", "canceled", … */
const char *unit_active_name(enum unit_active a); /* "inactive", … */

#endif
