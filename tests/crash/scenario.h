/* SPDX-License-Identifier: MIT
 *
 * Scenarios: what is done to a supd while its manager is killed, and how the world must look afterwards. Data only; a
 * new scenario is a row of the table in scenario.c.
 *
 * Not here: how steps are carried out (drive.h). Invariant: a scenario's end is unique: whatever dies on the way, there
 * is one right outcome, and the diaries can tell it.
 */
#ifndef TESTS_CRASH_SCENARIO_H
#define TESTS_CRASH_SCENARIO_H

#include "observer.h"

#define SCENARIO_MAX 6

enum step_act {
        ACT_END = 0, /* no more steps */
        ACT_SUPCTL,  /* supctl TEXT; said again when it fails and UNTIL does not come true */
        ACT_TELL,    /* the main process of TEXT ends now: exit status VALUE, or signal VALUE - 256 */
        ACT_KILL,    /* signal VALUE to the main process of TEXT */
        ACT_KEEPER,  /* signal VALUE to the keeper */
        ACT_UNIT,    /* the unit file TEXT is written anew, with contents MORE */
        ACT_INSTALL, /* another supd (the same program, another file) is installed */
};

enum until_kind {
        UNTIL_NOTHING = 0,
        UNTIL_RUNNING, /* UNIT has a living main process, and was started N times at least */
        UNTIL_STOPPED, /* UNIT has none, and was started N times at least */
        UNTIL_SHOW,    /* `supctl show UNIT` has every KEY=VALUE of SHOW (for what leaves no diary) */
        UNTIL_ENDED,   /* supd itself ended */
};

struct scenario_step {
        enum step_act act;
        const char *text;
        int value;
        const char *more;
        struct {
                enum until_kind kind;
                const char *unit;
                unsigned n;
                const char *show;
        } until;
};

struct scenario {
        const char *name, *what;
        struct {
                const char *name, *text;
        } units[SCENARIO_MAX];
        struct scenario_step setup[SCENARIO_MAX]; /* before the tracer looks */
        struct scenario_step steps[SCENARIO_MAX];
        struct expectation expect[SCENARIO_MAX]; /* max_starts grows by the number of repeated requests */
        struct {
                const char *unit, *show; /* "KEY=VALUE KEY=VALUE" */
        } shows[SCENARIO_MAX];
        bool keeper_holds; /* what it is about dies with the keeper, as it may: nothing to see with that victim */
        bool own_supd;     /* it runs from a file of its own, for ACT_INSTALL */
        bool from_birth;   /* the first manager is traced from its birth */
        bool ends;         /* supd ends, with status 0 */
};

extern const struct scenario scenarios[];
extern const unsigned n_scenarios;
const struct scenario *scenario_find(const char *name);

#endif
