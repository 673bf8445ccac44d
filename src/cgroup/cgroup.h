/* SPDX-License-Identifier: MIT
 *
 * Control groups: a directory per unit below a base of our own, by which it is told whose process it is, however it
 * forked, and by which all of them are killed at once.
 *
 *     OWN/                       the cgroup supd was started in, or one that it was given
 *     OWN/NAME/                  the base; NAME-2 … where NAME is another's
 *     OWN/NAME/manager/          keeper, manager and launcher, once controllers are on (no processes in inner nodes)
 *     OWN/NAME/SLICE/UNIT/       a unit
 *
 * Four cases: v2 with controllers, v2 without, v1 or hybrid, none. In the third the unified mount is used, or the named
 * hierarchy without controllers; if neither can be written to it is as with none, and everybody does without.
 *
 * A base is ours while we hold a lock (flock) on its directory; the fd is to be kept where it outlives a manager. One
 * that nobody holds and in which nothing runs is taken over. Not here: who is put into a cgroup (supd-exec), waiting.
 * Invariant: nothing waits for anybody; what others have made is never removed.
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
        char *own;              /* owned, absolute: what the base lies in; NULL when not usable */
        char *base;             /* owned, absolute; NULL when not usable */
        char *path;             /* owned: the base as /proc/PID/cgroup has it; NULL when not usable */
        int fd;                 /* owned: the base, locked; -1 when not usable */
};

/* Makes the base UNDER/NAME, or below the cgroup we are in when UNDER is NULL, and locks it. Not being usable is no
 * error. 0 or -ENOMEM. */
int cgroup_open(struct cgroup *ret, const char *under, const char *name);
/* The same for other files than /proc/self/mountinfo and /proc/self/cgroup (tests). */
int cgroup_open_at(struct cgroup *ret, const char *under, const char *name, const char *mountinfo,
                   const char *membership);
/* For a supd that is process 1 where no hierarchy is mounted at all: mounts the unified one at its usual place. 0, or
 * what the kernel says. */
int cgroup_mount(void);
/* What cgroup_reopen() needs to know, as bytes that may be kept; appended to RET. */
int cgroup_record(const struct cgroup *c, struct buf *ret);
/* The base that a record tells of. FD: its locked fd, which becomes C's, or -1 when nobody kept it. Not usable when it
 * is not there any more. 0, -EBADMSG or -ENOMEM. */
int cgroup_reopen(struct cgroup *ret, const void *record, size_t size, int fd);
void cgroup_done(struct cgroup *c); /* gives the lock up, unless there are other copies of the fd */
#define cleanup_cgroup_ cleanup_(cgroup_done)

/* Moves PID (0 = caller) into the manager leaf, which is made. 0, -EOPNOTSUPP when not usable, or what the kernel says.
 */
int cgroup_enter_manager(const struct cgroup *c, pid_t pid);
/* Turns on what there is of CONTROLLERS ("cpu memory …") for what lies in the base; before, when it is ours (OWN_TOO),
 * in OWN. Those that are on now ("cpu memory\n") are appended to RET. 0, -EOPNOTSUPP, or what the kernel says. */
int cgroup_enable_controllers(const struct cgroup *c, const char *controllers, bool own_too, struct buf *ret);

/* All below: UNIT is a path below the base. -EOPNOTSUPP when not usable, -EINVAL for a path that leads elsewhere,
 * -ENOMEM, or what the kernel says. The absolute directory of UNIT, for struct plan_context. Appended to RET. */
int cgroup_path(const struct cgroup *c, const char *unit, struct buf *ret);
int cgroup_create(const struct cgroup *c, const char *unit); /* 0, also when it is there */
int cgroup_remove(const struct cgroup *c, const char *unit); /* with empty ones below; 0 also when it is not there */
/* The processes of UNIT and of cgroups below, appended as pid_t to RET. 0, also when the cgroup is not there. */
int cgroup_pids(const struct cgroup *c, const char *unit, struct buf *ret);
int cgroup_populated(const struct cgroup *c, const char *unit); /* 1, 0 */
/* Kills every process of UNIT, those forked meanwhile included, by cgroup.kill. 0, also when the cgroup is not there;
 * -ENOENT where there is no such file (v1, before Linux 5.14): then the caller signals each. */
int cgroup_kill(const struct cgroup *c, const char *unit);
/* All the cgroups below the base that are empty, and the base itself if it is then. */
void cgroup_remove_all(const struct cgroup *c);

#endif
