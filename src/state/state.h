/* SPDX-License-Identifier: MIT
 *
 * The manager's side of the durable state (abi/durable.h): the log of records with its commit, the slots, the exit
 * ring.
 *
 * The log lives in two spaces, of which one counts. Records are appended behind the committed end, where nobody looks,
 * and one store of header.commit makes all of them count at once: never half of a commit. When the space is full,
 * everything that is alive is written into the other space, and the same single store switches over.
 *
 * Versions. Whoever reads meets what an older version wrote (upgrade) and what a newer one did (downgrade, falling
 * back):
 *   - a kind of record keeps its number and its meaning for good. A record of an unknown kind is skipped, and carried
 *     over at each compaction, so it is still there when the version that knows it comes back
 *   - a record only grows at its end, and 0 in a field means what was so before the field came. A shorter one is filled
 *     up with 0; of a longer one the end is dropped, at the latest when its unit changes
 *   - a number in a field (a state, a type) that the reader does not know is the reader's business (recover.c, mend()):
 *     it must keep what runs, and may forget what was meant
 *   - header, slots and the other regions: abi/durable.h. `major` changes when none of this would do; then -EBADMSG,
 * the dry run of the upgrade says no, and a new keeper sets the file aside tests/unit/state has the bytes of each
 * layout; tests/integration/upgrade has the programs read them.
 *
 * Not here: what a record means. Invariant: what state_replay() yields is exactly what was put before the last
 * state_commit() that returned; a death at any instruction changes nothing about that.
 */
#ifndef SUPD_STATE_STATE_H
#define SUPD_STATE_STATE_H

#include "abi/durable.h"
#include "base/util.h"

struct state; /* the mapping */

/* Kinds are numbers for good; an unknown kind is skipped by readers and kept across compaction by state_compact(). */
enum record_kind {
        RECORD_NAME = 1,        /* key: unit id; text: the unit's name */
        RECORD_UNIT = 2,        /* key: unit id; struct unit_durable (may grow at its end) */
        RECORD_JOB_DONE = 3,    /* key: job id; struct job_done */
        RECORD_META = 4,        /* key: 0; struct meta_durable */
        RECORD_TEXT = 5,        /* key: unit id; the status text of the service */
        RECORD_BLOB = 6,        /* key: unit id; where its source text lies in the blob file */
        RECORD_GROUPS = 7,      /* key: 0; where the cgroups lie (cgroup_record()) */
        RECORD_FDS = 8,         /* key: unit id; which fds of the keeper's store are the unit's, and their names */
        RECORD_ENVIRONMENT = 9, /* key: 0; assignments set over D-Bus, each with its NUL */
        RECORD_CHANGES = 10,    /* key: 0; how many changes of units there have been, and of which object */
        RECORD_SLICE = 11, /* key: unit id; where it runs although Slice= says otherwise by now; empty: it does not */
        N_RECORD_KINDS,    /* what is below it is known, and written anew by each compaction */
};

struct record {
        uint32_t kind, key, size;
        uint32_t reserved;
        /* size bytes, padded to 8 */
};

/* Maps the state file behind FD (borrowed). -EBADMSG: not a state file of a version that can be read. */
int state_open(int fd, struct state **ret);
void state_close(struct state *s);
struct durable_header *state_header(const struct state *s);
void *state_map(const struct state *s);

/* Makes sure that BYTES of live records fit for good, in both spaces. 0, or -ENOSPC/-E2BIG: nothing has changed. */
int state_reserve(struct state *s, uint64_t bytes);
/* Appends a record that counts after the next commit. 0, -ENOMEM, or -ENOSPC: then compact. */
int state_put(struct state *s, enum record_kind kind, uint32_t key, const void *data, size_t size);
/* 0, or negative errno of the write: nothing counts then, and what was put is still there. */
int state_commit(struct state *s);
/* Forgets what was put since the last commit. */
void state_rollback(struct state *s);
/* Calls EACH with every committed record in order; the latest of a (kind, key) counts. Returns 0, the first non-zero
 * value of EACH, or -EBADMSG when a record does not fit (the rest is not looked at). */
int state_replay(const struct state *s, int (*each)(void *userdata, const struct record *r, const void *data),
                 void *userdata);
/* Starts writing into the other space; puts and one commit follow. Until that commit the old space counts. Records of
 * unknown kinds are carried over first. 0 or -ENOSPC. */
int state_compact_begin(struct state *s);
uint64_t state_used(const struct state *s); /* bytes put in the current space, committed or not */

/* Slots. A slot that is allocated keeps its number until it is freed; its generation changes at each use. */
int state_slot_alloc(struct state *s, uint32_t unit, uint32_t role, const uint8_t invocation[16], uint32_t *ret_slot,
                     uint32_t *ret_generation); /* 0, -ENOSPC, -ENFILE when there are no more */
void state_slot_free(struct state *s, uint32_t slot);
/* After a recovery: only the slots that KEEP says are in use stay so. */
void state_slots_rebuild(struct state *s, bool (*keep)(void *userdata, uint32_t slot, uint32_t generation),
                         void *userdata);
struct durable_slot *state_slot(const struct state *s, uint32_t slot);
/* The pid that was ever stored in SLOT since it was allocated; 0 = none. When there is one, its exit comes by the ring.
 */
uint32_t state_slot_pid(const struct state *s, uint32_t slot);
/* The slot that PID is recorded in, or -ESRCH. */
int state_slot_of_pid(const struct state *s, uint32_t pid, uint32_t *ret_slot);
/* The exit ring: entries between tail and head, oldest first; index counts from the tail. */
bool state_exit_peek(const struct state *s, uint32_t index, struct durable_exit *ret);
void state_exits_acknowledge(struct state *s, uint32_t n); /* only after the commit that took them */

#endif
