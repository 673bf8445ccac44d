/* SPDX-License-Identifier: MIT
 *
 * One run of a scenario: a fresh supd, the victim killed at one chosen point (or not at all, to count the points), and
 * the observer's verdict.
 *
 * Not here: which points (crash-points.c). Invariant: a run leaves nothing behind, whatever happened in it.
 */
#ifndef TESTS_CRASH_KILL_RUN_H
#define TESTS_CRASH_KILL_RUN_H

#include "drive.h"

enum victim {
        VICTIM_MANAGER,
        VICTIM_LAUNCHER,
        VICTIM_BUS,
        VICTIM_KEEPER, /* another supd is started on the same runtime directory */
        VICTIM_SUPCTL, /* the first one of the traced steps */
        N_VICTIMS,
};
const char *victim_name(enum victim v);
/* Whether S makes sense with victim V (a scenario of supd's own end has no keeper to die before). */
bool victim_suits(enum victim v, const struct scenario *s);

struct kill_point {
        unsigned call;      /* 1 = the first system call; 0 = no kill, count */
        bool after;         /* after the call, not before it */
        unsigned long step; /* and then so many instructions */
        unsigned second;    /* the next manager dies before its call number SECOND; 0 = it lives */
        int fault; /* not 0: nobody dies; call number CALL, or the next one of number NR, fails with this errno */
        long nr;
        uint16_t *seen; /* shared memory for SEEN_MAX numbers of calls, 0 = counted no call; or NULL */
        bool *private;  /* and for whether each of them is private (private-call.h); or NULL */
};
#define SEEN_MAX 4096u

struct kill_result {
        bool done;
        bool reached, second_reached;
        unsigned calls; /* entries seen until the kill, or until all was quiet */
        long nr;        /* the call at the kill */
        unsigned repeats;
        uint64_t recovery_us; /* from the kill to the next manager that supervises */
        unsigned violations;
        unsigned counts[N_VIOLATIONS];
        char text[1200]; /* what was violated, cut off */
        char kept[256];  /* the directory kept, "" = none */
};

/* KEEP_DIR: where the directory of a run with violations is copied to; NULL = nowhere. */
void kill_run(const struct scenario *s, enum victim victim, const struct kill_point *p, const char *keep_dir,
              struct kill_result *ret);

#endif
