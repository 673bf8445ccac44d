/* SPDX-License-Identifier: MIT
 *
 * The writer's side of the status table: the only room that knows shared memory and the named semaphore. Readers use
 * libsupstatus (abi/supd/status.h). The protocol is that of the design, section 7: trywait, sequence, breaking a lock.
 *
 * How to use it: open; say who draws; reserve rows; mark rows and fill the header; publish once when everything has
 * settled. No copy of a row is kept here: publishing has the caller draw each marked row, and every row when the table
 * grows or has to be made anew. Nothing is seen before the first publish, so a new manager marks everything first:
 * readers go from the last word of the old one to the first of the new one. Rows hold numbers of supd/status.h
 * (SUPD_ACTIVE_*, …), never enums of other rooms.
 *
 * Not here: where values come from. Invariant: nothing in this room waits; a table that cannot be had never stops
 * supervision (status_open() gives a table that is off, and says why). Steady state allocates nothing.
 *
 * Process-wide: the first table that is on installs a SIGBUS handler, which acts only on faults inside tables and their
 * semaphores, and hands every other fault to the handler before it. One thread only.
 */
#ifndef SUPD_STATUS_STATUS_H
#define SUPD_STATUS_STATUS_H

#include "base/diag.h"
#include "supd/status.h"

struct status_table; /* opaque */

/* how long publishing is put off for readers, and when a lock counts as lost (microseconds) */
#define STATUS_DEFER_US UINT64_C(20000)
#define STATUS_BREAK_US UINT64_C(250000)

/* Opens or creates the object and semaphore of NAME ("" = default: "/supd"; "NAME": "/supd-NAME"; user mode passes
 * "user-UID" or "user-UID-NAME"). An object squatted by another uid, one that another living manager writes, a full or
 * missing /dev/shm, an impossible name: *ret is a table that is off, the reason in diag, return value 0. -ENOMEM else.
 */
int status_open(const char *name, struct status_table **ret, struct diag *diag);
void status_close(struct status_table *t,
                  bool remove); /* remove: unlink both names (clean end of supd); t may be NULL */
bool status_is_on(const struct status_table *t);
/* Why it is off (also when that happened after the opening), or what is missing while it is on; "" = all is well. */
const char *status_reason(const struct status_table *t);
/* Who draws row INDEX: by status_row() and status_set_text(), from nothing but its own data, since it may be called
 * twice for one publish and at any publish. It must not call back into this room otherwise. A row that it leaves
 * without a SUPD_TEXT_NAME is shown as unused. */
typedef void (*status_draw)(void *userdata, uint32_t index);
void status_draw_with(struct status_table *t, status_draw draw, void *userdata);
/* Room for at least N rows. 0, or -errno (then the table keeps its size and says `truncated`). */
int status_reserve(struct status_table *t, uint32_t n_rows);

/* The row that is being drawn, to be filled. It holds what the table shows of it at present; zero where that is nothing
 * or is damaged. Never NULL: outside of its drawing, INDEX gives a row that goes nowhere. The fields checksum,
 * name_hash, texts_* and text_len are this room's, and so are the flags USED and TEXT_CUT. */
struct supd_status_row *status_row(struct status_table *t, uint32_t index);
/* Sets one text (SUPD_TEXT_*; NULL = "") of the row that is being drawn, which begins without any. 0, -ENOMEM (the text
 * is left out, and the row says so) or -EINVAL (no such text, or another row). */
int status_set_text(struct status_table *t, uint32_t index, uint32_t which, const char *text);
/* Counters, texts and pids of the header; the protocol fields (up to rows_allocated, written_*, n_publishes …
 * n_recreated) are not yours. A change is published without a mark. */
struct supd_status_header *status_header(struct status_table *t);
void status_mark(struct status_table *t, uint32_t index); /* row INDEX changed since the last publish */

/* One publish of everything marked; nothing is written when nothing changed. now_us is CLOCK_MONOTONIC. Returns 0 when
 * done, or the CLOCK_MONOTONIC microseconds at which to call again: because a reader holds the lock (at most 20 ms
 * away, sooner at first; the call at the end of these 20 ms publishes anyway), or, when that has been published, to see
 * whether the lock is still held then and must be replaced (STATUS_BREAK_US after it was first found held; once per
 * lock). */
uint64_t status_publish(struct status_table *t, uint64_t now_us);

#endif
