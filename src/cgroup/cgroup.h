/* SPDX-License-Identifier: MIT
 *
 * Control groups, as far as telling whose process it is needs them: a directory per unit below a base of our own.
 *
 *     OWN/                  the cgroup supd was started in
 *     OWN/NAME/             the base
 *     OWN/NAME/manager/     keeper, manager and launcher: no processes may be in inner nodes once controllers are on
 *     OWN/NAME/UNIT/        a unit
 *
 * Four cases: v2 with controllers, v2 without, v1 or hybrid, none. In the third the unified mount is used, or the named
 * hierarchy without controllers; if neither can be written to it is as with none, and everybody does without.
 * Not here: limits and accounting, waiting. Invariant: nothing blocks; what others have made is never removed.
 * Sources: cgroups(7); the kernel's cgroup-v2 document.
 */
#ifndef SUPD_CGROUP_CGROUP_H
#define SUPD_CGROUP_CGROUP_H

#include <sys/types.h>

#include "base/buf.h"

enum cgroup_case {
        CGROUP_NONE,
        CGROUP_V1,             /* v1 hierarchies; perhaps with a unified mount beside them */
        CGROUP_V2,             /* unified, no controllers for us */
        CGROUP_V2_CONTROLLERS, /* unified, with controllers */
        N_CGROUP_CASES,
};
const char *cgroup_case_name(enum cgroup_case c); /* "none", "v1", "v2", "v2 with controllers" */

struct cgroup {
        enum cgroup_case found; /* what the machine has, writable or not */
        bool usable;            /* whether the functions below do anything */
        bool unified;           /* the base lies in a v2 hierarchy */
        char *own;              /* owned, absolute: where supd was started; NULL when not usable */
        char *base;             /* owned, absolute; NULL when not usable */
};

/* Looks at /proc/self and makes the base OWN/NAME and its manager leaf. Not being usable is no error. 0 or -ENOMEM. */
int cgroup_open(struct cgroup *ret, const char *name);
/* The same for other files than /proc/self/mountinfo and /proc/self/cgroup (tests). */
int cgroup_open_at(struct cgroup *ret, const char *name, const char *mountinfo, const char *membership);
void cgroup_done(struct cgroup *c);
#define cleanup_cgroup_ cleanup_(cgroup_done)

/* Moves PID (0 = caller) into the manager leaf. 0, -EOPNOTSUPP when not usable, or what the kernel says. */
int cgroup_enter_manager(const struct cgroup *c, pid_t pid);
/* Turns on the controllers there are for the units, once keeper and manager are in their leaf. Returns how many are on
 * now, or -EOPNOTSUPP. */
int cgroup_enable_controllers(const struct cgroup *c);

/* All below: -EOPNOTSUPP when not usable, -EINVAL for a name with '/', -ENOMEM, or what the kernel says.
 * The absolute directory of UNIT, for struct plan_context. Appended to RET. */
int cgroup_path(const struct cgroup *c, const char *unit, struct buf *ret);
int cgroup_create(const struct cgroup *c, const char *unit); /* 0, also when it is there */
int cgroup_remove(const struct cgroup *c, const char *unit); /* with empty ones below; 0 also when it is not there */
/* The processes of UNIT and of cgroups below, appended as pid_t to RET. 0, also when the cgroup is not there. */
int cgroup_pids(const struct cgroup *c, const char *unit, struct buf *ret);
int cgroup_populated(const struct cgroup *c, const char *unit); /* 1, 0 */
/* Sends SIG to every process of UNIT: SIGKILL by cgroup.kill where there is one, else one by one until no new ones turn
 * up (a bounded number of rounds). Returns how many were signalled, at least 1 when cgroup.kill did it; 0 = empty. */
int cgroup_signal(const struct cgroup *c, const char *unit, int sig);

#endif
