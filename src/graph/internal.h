/* SPDX-License-Identifier: MIT
 *
 * What the files of this room share: how edges lie in memory, and the atoms.
 *
 * Not for other rooms. Invariant: two units that have to do with each other have exactly one edge entry each, which
 * name each other: nodes[e->other].edges[e->twin].other is the unit itself, and the twin carries the same words,
 * swapped.
 */
#ifndef SUPD_GRAPH_INTERNAL_H
#define SUPD_GRAPH_INTERNAL_H

#include "graph/graph.h"

/* What an edge makes of its owner with regard to the other end. */
enum atom {
        ATOM_PULL_START,         /* starting me starts it, and must */
        ATOM_PULL_START_WANTED,  /* starting me starts it, if that works out */
        ATOM_PULL_VERIFY,        /* starting me needs it to be active already */
        ATOM_PULL_STOP,          /* starting me stops it, and must */
        ATOM_PULL_STOP_WANTED,   /* starting me stops it, if that works out */
        ATOM_STOP_TO,            /* stopping me stops it */
        ATOM_RESTART_TO,         /* restarting me restarts it when it runs */
        ATOM_RELOAD_TO,          /* reloading me reloads it when it runs */
        ATOM_START_FAILURE_TO,   /* my failed start fails its start */
        ATOM_ABSENCE_FAILURE_TO, /* my start that leaves me down fails its start */
        ATOM_STOP_FAILURE_TO,    /* my failed stop fails its start */
        ATOM_START_WITH,         /* I came up by myself: start it */
        ATOM_STOP_AGAINST,       /* I came up by myself: stop it */
        ATOM_BINDS,              /* I may not be up without it */
        ATOM_BOUND_BY,           /* it may not be up without me */
        ATOM_STOP_WITH,          /* I went down unasked: stop it */
        ATOM_UPHOLDS,            /* while I am up, it is kept up */
        ATOM_UPHELD_BY,          /* while it is up, I am kept up */
        ATOM_NEEDS,              /* I am a reason for it to be up */
        ATOM_NEEDED_BY,          /* it is a reason for me to be up */
        ATOM_ON_FAILURE,         /* my failure starts it */
        ATOM_ON_SUCCESS,         /* my good end starts it */
        ATOM_BEFORE,             /* I start before it */
        ATOM_AFTER,              /* I start after it */
        ATOM_TRIGGERED_BY,       /* it starts me */
        N_ATOMS,
};

#define WORD_OWN(dep)     (UINT64_C(1) << (unsigned)(dep))
#define WORD_INVERSE(dep) (UINT64_C(1) << (32 + (unsigned)(dep)))
#define WORDS_OWN         UINT64_C(0xffffffff)

struct edge {
        uint32_t other, twin;
        uint64_t words; /* low half: what the owner's files say of the other; high half: what the other's say of it */
};

struct node {
        struct edge *edges; /* owned */
        uint32_t n, allocated;
        uint32_t blockers;   /* jobs that the installed job waits for */
        uint32_t ready_next; /* queue of runnable jobs; NO_UNIT ends it */
        uint8_t job;         /* enum job_type */
        bool ignore_order;
        bool queued; /* lies in the queue */
        bool taken;  /* was handed out */
};

#define NO_UNIT UINT32_MAX

struct graph {
        struct node *nodes; /* owned */
        uint32_t n, allocated;
        uint32_t ready_first, ready_last;
        uint64_t words[N_ATOMS]; /* the edges' words that amount to an atom */
};

static inline bool edge_has(const struct graph *g, const struct edge *e, enum atom a)
{
        return (e->words & g->words[a]) != 0;
}

static inline bool active_is_up(enum unit_active a)
{
        return a == ACTIVE_ACTIVE || a == ACTIVE_RELOADING;
}

static inline bool active_is_down(enum unit_active a)
{
        return a == ACTIVE_INACTIVE || a == ACTIVE_FAILED;
}

static inline bool active_is_down_or_going(enum unit_active a)
{
        return active_is_down(a) || a == ACTIVE_DEACTIVATING;
}

/* LATER starts after EARLIER: must the job of LATER wait for the job of EARLIER (> 0), the other way round (< 0), or
 * are they free (0)? Stops go first, and among themselves in reverse; a restart is a stop until it becomes a start. */
static inline int job_order(enum job_type later, enum job_type earlier)
{
        if (later == JOB_NONE || earlier == JOB_NONE || later == JOB_NOP || earlier == JOB_NOP)
                return 0;
        return later == JOB_STOP || later == JOB_RESTART ? -1 : 1;
}

#endif
