/* SPDX-License-Identifier: MIT
 *
 * In which phase is a stopped manager? Read from the mapped durable state and the status table, not asked.
 *
 * Not here: stopping and killing (random-kill.c). Invariant: nothing is written to what the programs under test map.
 */
#ifndef TESTS_CRASH_PHASE_H
#define TESTS_CRASH_PHASE_H

#include <stdatomic.h>

#include "rig.h"

enum phase {
        PHASE_RUNNING,     /* none of the others */
        PHASE_BEFORE_EXEC, /* a slot holds an intent: a start may or may not have begun */
        PHASE_UNRECORDED,  /* the keeper put an exit into the ring, the manager has not committed it */
        PHASE_PUBLISHING,  /* the status table's sequence is odd */
        PHASE_RELOAD,      /* a daemon-reload was asked for and has not been answered */
        N_PHASES,
};
const char *phase_name(enum phase p);

struct phase_view {
        void *state;          /* durable state */
        const void *table;    /* first page of the status table, NULL = there is none */
        _Atomic int *reloads; /* daemon-reloads under way: the actors count */
};

/* The table may come later than the state: call again while v->table is NULL. */
void phase_view_update(struct phase_view *v, const struct rig *r);
void phase_view_done(struct phase_view *v);
bool phase_holds(const struct phase_view *v, enum phase p);

#endif
