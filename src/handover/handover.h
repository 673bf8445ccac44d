/* SPDX-License-Identifier: MIT
 *
 * The manager's side of the handover: what it says to the keeper, and how it claims a pid that runs already.
 *
 * Not here: what the keeper does with it (programs/supd), the durable log (state). Invariant: no call blocks; all
 * state lies in the caller's durable map and in the keeper. Source of the rules: abi/handover.h, abi/durable.h.
 */
#ifndef SUPD_HANDOVER_HANDOVER_H
#define SUPD_HANDOVER_HANDOVER_H

#include "abi/durable.h"
#include "abi/handover.h"
#include "base/util.h"

struct handover_fds {
        int state, bell, keeper, life; /* borrowed from the process; made CLOEXEC by handover_fds_parse() */
};

/* Reads "STATE,BELL,KEEPER,LIFE", the value of --fds=, and marks the four close-on-exec. 0; -EINVAL malformed; -EBADF
 * one is not open. */
int handover_fds_parse(const char *text, struct handover_fds *ret);

/* Maps the state: DURABLE_FILE_SIZE bytes, MAP_SHARED. Caller unmaps. 0; -EINVAL wrong magic or major; negative errno.
 */
int handover_map(int state_fd, void **ret_map);

/* Gives the keeper a copy of FD under NAME (1 to 55 bytes, no '/'), replacing an older one. FD stays the caller's. The
 * number in durable_fds() appears soon after, not at once. 0; -EINVAL bad name; -EAGAIN the keeper's queue is full, try
 * later; negative errno. */
int handover_store(int keeper_fd, const char *name, int fd);
int handover_drop(int keeper_fd, const char *name); /* errors like handover_store */
int handover_ring(int keeper_fd);                   /* the keeper looks at manager_healthy and outcome now */
int handover_reexec(int keeper_fd);                 /* becomes the installed keeper, if it can; see abi/handover.h */

/* The fd under NAME that this manager inherited (borrowed); -ENOENT. Valid only for fds that were in the
 * store when this manager was started. */
int handover_inherited(void *map, const char *name);

/* What the keeper's list of orphans knows about an end of PID at SINCE_US (CLOCK_BOOTTIME) or later: fills pid, code,
 * status and time_us of *ret. Changes nothing, so a manager that dies behind it has lost nothing. */
bool handover_orphan(void *map, uint32_t pid, uint64_t since_us, struct durable_exit *ret);
/* Behind the commit of that end: nobody else is told of it. */
void handover_orphan_forget(void *map, uint32_t pid);

/* Claims PID for SLOT, whose generation and start_time are set; called behind the commit of the record that says so,
 * and again by whoever takes over. SINCE_US: when the process began (CLOCK_BOOTTIME). 0 = its exit comes by the ring,
 * unless it is gone and the keeper has forgotten it; 1 = it had died unclaimed: *ret_exit is filled. Its exit may come
 * by the ring all the same, and is of a slot that has ended then. */
int handover_claim(void *map, uint32_t slot, uint32_t pid, uint64_t since_us, struct durable_exit *ret_exit);

#endif
