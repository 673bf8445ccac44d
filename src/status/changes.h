/* SPDX-License-Identifier: MIT
 *
 * The writer's side of the record of changes (abi/supd/changes.h): a ring of changes of all units, and of each unit its
 * last activations. Beside the table, and like it a picture that may be thrown away; but for as long as it is there,
 * each change is in it once.
 *
 * How that is done: a record is written in the place of its number, behind the head, before the commit that makes it
 * so; the commit holds how many there are; behind the commit the head is stored and readers are woken. A death in
 * between leaves records that nobody looks at, written again under the same numbers, or a head that changes_publish()
 * corrects.
 *
 * Not here: what changed. Invariant: nothing here waits, and nothing is mapped but the page that readers sleep on; what
 * cannot be written is counted and left out.
 */
#ifndef SUPD_STATUS_CHANGES_H
#define SUPD_STATUS_CHANGES_H

#include "base/util.h"
#include "supd/changes.h"

struct changes; /* opaque */

/* Opens or creates the object of NAME (as status_open() has it) for the state ID, of which END changes are committed.
 * An object of another state is replaced, unless its writer lives. 0, -ENOMEM, or why there is none. */
int changes_open(const char *name, uint64_t id, uint64_t end, struct changes **ret);
void changes_close(struct changes *c, bool remove); /* remove: the clean end, told to readers; c may be NULL */
/* Writes N records, which are numbered in a row; checksums are set here. At most SUPD_CHANGES_N. */
void changes_write(struct changes *c, struct supd_change *v, unsigned n);
void changes_write_past(struct changes *c, struct supd_past *p);
/* END changes count from now on; whoever sleeps is woken when that is news. */
void changes_publish(struct changes *c, uint64_t end);

#endif
