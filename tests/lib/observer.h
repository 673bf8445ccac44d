/* SPDX-License-Identifier: MIT
 *
 * The observer: holds /proc and the diaries against what ought to be, and says what is wrong.
 *
 * Not here: the supervisor's word. Only observer_compare_show() reads that, and only to find it untrue. Not here
 * either: how anything is started (rig.h). Invariant: a violation is reported once, with its pid and name, and never
 * forgotten; what may be passing (a zombie not yet reaped, a restart under way) is judged only after its time.
 */
#ifndef TESTS_LIB_OBSERVER_H
#define TESTS_LIB_OBSERVER_H

#include "base/buf.h"
#include "diary.h"
#include "proc.h"

#define OBSERVER_ZOMBIE_US UINT64_C(1000000)

enum violation {
        VIOLATION_DOUBLE,       /* two main processes of a unit at the same time */
        VIOLATION_MISSING,      /* should run and does not */
        VIOLATION_RUNNING,      /* should be stopped and runs, or left a child behind */
        VIOLATION_STARTS,       /* started more or less often than it was to be */
        VIOLATION_ZOMBIE,       /* older than a second */
        VIOLATION_UNATTRIBUTED, /* below the keeper, neither a program of the supervisor nor in a diary */
        VIOLATION_STATUS,       /* the supervisor tells of another end than the service was told to make */
        VIOLATION_SHOW,         /* another property is not as expected */
        VIOLATION_DIARY,        /* a diary that cannot be read */
        VIOLATION_OTHER,        /* told by the test itself */
        N_VIOLATIONS,
};
const char *violation_name(enum violation v);

struct observed_zombie {
        pid_t pid;
        uint64_t ticks, since_us;
        bool seen, told;
};

struct observer {
        struct diaries diaries;
        pid_t root; /* the keeper */
        struct proc_list procs;
        struct observed_zombie *zombies;
        unsigned n_zombies, zombies_allocated;
        unsigned n_doubles; /* told already */
        unsigned counts[N_VIOLATIONS];
        struct buf text; /* one line per violation */
};

struct expectation {
        const char *unit;
        bool running;
        unsigned min_starts, max_starts; /* of the main process, by the diary; max 0 = do not care */
        bool never;                      /* must not have been started at all */
        unsigned children;               /* live ones wanted besides the main process */
};

int observer_open(struct observer *o, const char *diary_dir, pid_t root);
void observer_close(struct observer *o);
/* One look. Call it as often as you like: it finds doubles and ageing zombies, which leave no other trace. 0 or -errno.
 */
int observer_tick(struct observer *o);
/* Looks again and again until everything is as expected, WITHIN_US at most; then tells what is not. Returns the number
 * of violations in all so far, or -errno. */
int observer_settle(struct observer *o, const struct expectation *v, unsigned n, uint64_t within_us);
/* TEXT: KEY=VALUE lines of `supctl show UNIT`. Compares MainPID, ExecMainPID, ExecMainCode and ExecMainStatus, where
 * given, with the diary; settle first. Returns the number of differences, telling them when TELL. */
unsigned observer_compare_show(struct observer *o, const char *unit, const char *text, bool tell);
/* Every exit that was ever told to an ExecStopPost= (role control) against the end that the main process before it
 * noted down: the same, told once, and told at all. Call it when everything has settled. */
void observer_check_told(struct observer *o);
/* The test's own finding. */
void observer_tell(struct observer *o, enum violation v, const char *format, ...) printf_like_(3, 4);
unsigned observer_total(const struct observer *o);

/* The live main process of UNIT by diary and /proc, or 0. */
pid_t observer_main_pid(struct observer *o, const char *unit);
/* VALUE of KEY in `show` output. */
bool show_value(const char *text, const char *key, char *ret, size_t size);

#endif
