/* SPDX-License-Identifier: MIT
 *
 * The writer's side of the status table: the only room that knows shared memory and the named semaphore. Readers use
 * libsupstatus (abi/supd/status.h). The protocol is that of the design, section 7: trywait, sequence, breaking a lock.
 *
 * Not here: where values come from. Invariant: nothing in this room waits; a table that cannot be had never stops
 * supervision (status_open() gives a table that is off, and says why).
 */
#ifndef SUPD_STATUS_STATUS_H
#define SUPD_STATUS_STATUS_H

#include "base/diag.h"
#include "supd/status.h"

struct status_table; /* opaque */

/* Opens or creates the object and semaphore of NAME ("" = default: "/supd"; "NAME": "/supd-NAME"). An object squatted by
 * another uid, a full or missing /dev/shm: *ret is a table that is off, the reason in diag, return value 0. -ENOMEM else. */
int status_open(const char *name, struct status_table **ret, struct diag *diag);
void status_close(struct status_table *t, bool remove); /* remove: unlink both names (clean end of supd) */
bool status_is_on(const struct status_table *t);
/* Room for at least N rows. 0, or -errno (then the table keeps its size and says `truncated`). */
int status_reserve(struct status_table *t, uint32_t n_rows);

/* The next row image to fill (copied into the table at publish). INDEX is the unit's stable number. */
struct supd_status_row *status_row(struct status_table *t, uint32_t index);
struct supd_status_header *status_header(struct status_table *t); /* counters and texts; protocol fields are not yours */
void status_mark(struct status_table *t, uint32_t index);         /* row INDEX changed since the last publish */

/* One publish of everything marked. Returns 0 when done, or the CLOCK_MONOTONIC microseconds at which to call again
 * because a reader holds the lock (at most 20 ms away; the call then publishes anyway). now_us is CLOCK_MONOTONIC. */
uint64_t status_publish(struct status_table *t, uint64_t now_us);

#endif
