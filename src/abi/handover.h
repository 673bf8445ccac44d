/* SPDX-License-Identifier: MIT
 *
 * What the keeper gives a manager and what the two say to each other. Everything that must survive lies in the durable
 * state (durable.h); here are only fds.
 *
 * The keeper starts the manager with these fds, which keep their numbers, and argv
 *     supd-manager --fds=STATE,BELL,KEEPER,LIFE [the options of supd that concern it, verbatim] --system|--user
 *                  --runtime-dir DIR    (these two resolved by the keeper, when they were not among the options)
 *   STATE   the durable state file, to be mapped MAP_SHARED (DURABLE_FILE_SIZE bytes of address space)
 *   BELL    eventfd (EFD_NONBLOCK): rung by the keeper (exit in the ring, request bit) and by the launcher (a start has
 *           come to its end); the manager reads it and looks at everything
 *   KEEPER  SOCK_SEQPACKET to the keeper, non-blocking; both ends are the keeper's own, so messages survive a manager
 *   LIFE    write end of the life pipe. Manager, launcher and every process on its way to exec hold it (CLOEXEC). When
 *           the manager is dead, the keeper waits for end-of-file here before it starts the next, so no start of the
 *           old one can still happen; stragglers are killed after a bound.
 * plus every fd of the store at the number given in durable_fds().
 *
 * Messages manager → keeper (SOCK_SEQPACKET, one struct each):
 *   STORE  name + one fd by SCM_RIGHTS: kept under that name (replacing), number written to durable_fds()
 *   DROP   name: closed and forgotten
 *   RING   nothing: wakes the keeper so that it looks at the header (manager_healthy, outcome) at once
 *   REEXEC nothing: the keeper is to become the program that is installed, if that is another one and says that it can
 *          take over; durable_header.keeper_asked grows when that is decided, and the bell rings
 * A malformed message is counted (durable_header.bad_messages) and otherwise ignored.
 * There are no messages the other way.
 */
#ifndef SUPD_ABI_HANDOVER_H
#define SUPD_ABI_HANDOVER_H

#include <stdint.h>

enum handover_kind {
        HANDOVER_STORE = 1,
        HANDOVER_DROP = 2,
        HANDOVER_RING = 3,
        HANDOVER_REEXEC = 4, /* since minor 1 of the durable state; counted as malformed before */
};

/* The exit status of a manager that ends to be replaced by the installed one: no death, and no reason to wait. */
#define HANDOVER_EXIT_REEXEC 15

struct handover_message {
        uint32_t kind; /* enum handover_kind */
        uint32_t reserved;
        char name[56]; /* NUL-terminated, no '/' */
};

#endif
