/* SPDX-License-Identifier: MIT
 *
 * libsupstatus: read the status table of a running (or dead, or stopped) supd. Depends on libc only; asks nobody, and
 * waits for nobody longer than about a second (and that only for a writer that lost its processor in mid-publish).
 *
 *     struct supstatus *s;
 *     struct supstatus_snapshot *snap = NULL;
 *     if (supstatus_open("", &s) == 0 && supstatus_snapshot(s, 0, &snap) == 0)
 *             for (uint32_t i = 0; i < supstatus_count(snap); i++)
 *                     puts(supstatus_text(snap, i, SUPD_TEXT_NAME));
 *     supstatus_free(snap);
 *     supstatus_close(s);
 *
 * Errors are negative errno values. A handle is for one thread at a time; different handles do not know each other.
 * The first handle installs a SIGBUS handler for the process, which acts only on faults inside the semaphores of this
 * library and passes every other on to the handler before it; with SUPSTATUS_NO_LOCK at every call no semaphore is ever
 * opened and no handler installed. Names returned by the name functions are constants and never NULL.
 */
#ifndef SUPD_SUPSTATUS_H
#define SUPD_SUPSTATUS_H

#include "supd/changes.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SUPSTATUS_PUBLIC __attribute__((visibility("default")))

struct supstatus;          /* an open table */
struct supstatus_snapshot; /* a copy of it at one moment */

/* flags of supstatus_snapshot() and supstatus_find() */
#define SUPSTATUS_VERIFY  (1u << 0) /* compare the checksum of every row as well */
#define SUPSTATUS_NO_LOCK (1u << 1) /* never touch the semaphore: by the sequence alone */

/* what supstatus_condition() says about a snapshot */
#define SUPSTATUS_UNLOCKED (1u << 0) /* taken without the semaphore; just as consistent */
#define SUPSTATUS_PIECES                                                                                               \
        (1u << 1) /* no quiet moment was to be had, or the writer ended in the middle of a publish: each               \
                     row is whole, but not all need be of one moment */

/* supstatus_writer() */
#define SUPSTATUS_WRITER_GONE    0 /* no process writes this table now */
#define SUPSTATUS_WRITER_ALIVE   1
#define SUPSTATUS_WRITER_STOPPED 2 /* alive but stopped (SIGSTOP, debugger) */

/* Opens the table of INSTANCE ("" = the default, "NAME", "user-UID", "user-UID-NAME"). -ENOENT: there is none;
 * -EPERM: it belongs to a user who is neither root nor you nor the UID in its name; -EACCES; -EINVAL: no such name;
 * -ENOMEM. */
SUPSTATUS_PUBLIC int supstatus_open(const char *instance, struct supstatus **ret);
SUPSTATUS_PUBLIC void supstatus_close(struct supstatus *s); /* s may be NULL */

/* Copies the whole table. *snap is NULL or an earlier snapshot, whose memory is used again (on failure its contents are
 * gone, but it is still yours). -ENODATA: nothing was ever published; -EPROTO: the table has another major version or
 * is damaged; -ENOENT: it was removed meanwhile; -ENOMEM. */
SUPSTATUS_PUBLIC int supstatus_snapshot(struct supstatus *s, unsigned flags, struct supstatus_snapshot **snap);
/* The same for one unit by any of its names (with suffix): a snapshot of one row. -ESRCH: no such unit in the table;
 * then *snap is a snapshot without rows (its header counts). */
SUPSTATUS_PUBLIC int supstatus_find(struct supstatus *s, const char *name, unsigned flags,
                                    struct supstatus_snapshot **snap);
/* Sleeps until something was published behind SNAP: 1, or 0 after TIMEOUT_US. Nobody is asked and nobody waits for the
 * sleeper. -ENOENT: the object has gone (a new one may be opened by now); another -errno: it cannot be watched. */
SUPSTATUS_PUBLIC int supstatus_wait(struct supstatus *s, const struct supstatus_snapshot *snap, uint64_t timeout_us);
SUPSTATUS_PUBLIC void supstatus_free(struct supstatus_snapshot *snap); /* snap may be NULL */

SUPSTATUS_PUBLIC const struct supd_status_header *supstatus_header(const struct supstatus_snapshot *snap);
SUPSTATUS_PUBLIC uint32_t supstatus_count(const struct supstatus_snapshot *snap); /* units in it */
SUPSTATUS_PUBLIC const struct supd_status_row *supstatus_row(const struct supstatus_snapshot *snap, uint32_t i);
/* Text WHICH (SUPD_TEXT_*) of unit I; "" when empty. Lives as long as the snapshot. */
SUPSTATUS_PUBLIC const char *supstatus_text(const struct supstatus_snapshot *snap, uint32_t i, uint32_t which);
SUPSTATUS_PUBLIC unsigned supstatus_condition(const struct supstatus_snapshot *snap);
/* Rows left out because their checksum did not fit (only when VERIFY was asked for, or in pieces). */
SUPSTATUS_PUBLIC uint32_t supstatus_lost(const struct supstatus_snapshot *snap);

/* SUPSTATUS_WRITER_*, or negative errno. Does not read the table's contents but for the writer's pid in SNAP. */
SUPSTATUS_PUBLIC int supstatus_writer(struct supstatus *s, const struct supstatus_snapshot *snap);
/* Microseconds since the last publish (never negative; by the realtime clock when it was written before this boot). */
SUPSTATUS_PUBLIC uint64_t supstatus_age_us(const struct supstatus_snapshot *snap);

/* ---- what has happened (supd/changes.h) ---- */

struct supstatus_changes; /* an open record of changes, and how far it has been read */

/* Opens the one of INSTANCE, at its end: what happens from now on is next. Errors as supstatus_open(). */
SUPSTATUS_PUBLIC int supstatus_changes_open(const char *instance, struct supstatus_changes **ret);
SUPSTATUS_PUBLIC void supstatus_changes_close(struct supstatus_changes *c); /* c may be NULL */
/* Steps back: the next one is the oldest of the last N that are still there. */
SUPSTATUS_PUBLIC void supstatus_changes_back(struct supstatus_changes *c, uint64_t n);
/* 1 and the next change; 0: none yet; -ENOENT: supd has ended, or its record was replaced: open it again. *ret_lost is
 * how many changes before it had been overwritten when they were looked for. */
SUPSTATUS_PUBLIC int supstatus_changes_next(struct supstatus_changes *c, struct supd_change *ret, uint64_t *ret_lost);
/* Sleeps until there is a next one: 1, or 0 after TIMEOUT_US; -errno as above. */
SUPSTATUS_PUBLIC int supstatus_changes_wait(struct supstatus_changes *c, uint64_t timeout_us);
/* The last activations of the unit of ROW that are over, oldest first, at most SUPD_CHANGES_N_PAST: how many, or
 * negative errno. */
SUPSTATUS_PUBLIC int supstatus_past(struct supstatus_changes *c, const struct supd_status_row *row,
                                    struct supd_past ret[SUPD_CHANGES_N_PAST]);

/* Words of the numbers in a row, systemd's own; "unknown" for a number that is newer than this library. */
SUPSTATUS_PUBLIC const char *supstatus_type_name(uint32_t type);
SUPSTATUS_PUBLIC const char *supstatus_load_name(uint32_t load_state);
SUPSTATUS_PUBLIC const char *supstatus_active_name(uint32_t active_state);
SUPSTATUS_PUBLIC const char *supstatus_sub_name(uint32_t sub_state);
SUPSTATUS_PUBLIC const char *supstatus_result_name(uint32_t result);
SUPSTATUS_PUBLIC const char *supstatus_service_type_name(uint32_t service_type); /* "" for NONE */
SUPSTATUS_PUBLIC const char *supstatus_restart_name(uint32_t restart);           /* "" for NONE */
SUPSTATUS_PUBLIC const char *supstatus_job_name(uint32_t job_type);              /* "" for NONE */
SUPSTATUS_PUBLIC const char *supstatus_system_name(uint32_t system_state);
SUPSTATUS_PUBLIC const char *supstatus_cause_name(uint32_t cause); /* "client", "dependency", …; "" for UNKNOWN */

#ifdef __cplusplus
}
#endif

#endif
