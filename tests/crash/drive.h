/* SPDX-License-Identifier: MIT
 *
 * The driver: carries out a scenario's steps on a rig, as a person or a script would, who repeats a request that failed
 * because supd was just away.
 *
 * Not here: killing (kill-run.h). Invariant: a step is done when its `until` is true by diary and /proc; supctl's own
 * "done" without that is a failure.
 */
#ifndef TESTS_CRASH_DRIVE_H
#define TESTS_CRASH_DRIVE_H

#include "rig.h"
#include "scenario.h"

struct drive_result {            /* in memory shared with the driver's parent */
        unsigned repeats;        /* requests said again */
        unsigned extra_restarts; /* of these: restarts, each of which may start once more */
        char failure[400];       /* "" = every step came to its end */
        _Atomic int hold;        /* rig.hold */
};

/* Carries out STEPS. */
void drive_steps(struct rig *r, const struct scenario_step *steps, struct drive_result *result);
/* `supctl show UNIT` until it has every KEY=VALUE of WANTED and agrees with the diary, or WITHIN_US has passed; then
 * tells the observer what is wrong. */
void drive_check_show(struct rig *r, struct observer *o, const char *unit, const char *wanted, uint64_t within_us);

enum { DRIVE_UNITS = 64 };
/* The record of changes holds each change of each unit once: each begins where the one before has ended, none is
 * missing, and the last of a unit is what the table says. */
void drive_check_changes(struct rig *r, struct observer *o, uint64_t within_us);

#endif
