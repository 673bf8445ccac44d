/* SPDX-License-Identifier: MIT
 *
 * A crowd: many services of all kinds on one rig, and actors that start, stop, restart, crash and reload them without
 * end; then everything is brought into a known state, and judged.
 *
 * Not here: killing parts of supd (random-kill.c, ../soak). Invariant: each service belongs to one actor, who alone
 * decides what it ought to be at the end.
 */
#ifndef TESTS_CRASH_CROWD_H
#define TESTS_CRASH_CROWD_H

#include "observer.h"
#include "rig.h"

#define CROWD_MAX     200u
#define CROWD_ACTORS  3u
#define CROWD_BACK_US (20 * USEC_PER_SEC) /* within this supd must be back, and do what it is told */

struct crowd_shared { /* between killer and actors */
        _Atomic bool finish;
        _Atomic int reloads;
        _Atomic unsigned actions, refused, reloads_done;
        bool wanted[CROWD_MAX]; /* running at the end; written by the service's actor */
        char failure[CROWD_ACTORS][200];
};

struct crowd {
        struct rig rig;
        struct crowd_shared *shared; /* owned; NULL = crowd_init() failed */
        unsigned n, seed;
        unsigned pause_us; /* at most so long between two actions of an actor */
        pid_t actors[CROWD_ACTORS];
};

int crowd_init(struct crowd *c, unsigned n, unsigned seed); /* 0 or -errno */
unsigned crowd_random(struct crowd *c, unsigned below);     /* of the caller's own sequence */
void crowd_name(unsigned i, char ret[32]);
int crowd_write_units(struct crowd *c); /* 0 or -errno */
void crowd_act(struct crowd *c);        /* the actors begin, each a process */
void crowd_rest(struct crowd *c);       /* they bring their services to rest, and end */
/* Is everything as they say? COMPARE: what supd shows and tells, too. */
void crowd_judge(struct crowd *c, struct observer *o, bool compare);

#endif
