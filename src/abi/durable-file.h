/* SPDX-License-Identifier: MIT
 *
 * How the durable state (durable.h) gets its memory: each page is allocated before anybody touches it, so that a full
 * tmpfs is an error code here and never a SIGBUS later.
 *
 * Not here: what the regions mean. Invariant: header only, allocates nothing in the process, usable by keeper, manager
 * and launcher alike.
 */
#ifndef SUPD_ABI_DURABLE_FILE_H
#define SUPD_ABI_DURABLE_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

#include "abi/durable.h"

/* Backs [offset, offset+size) of the state file with memory. 0 or negative errno (-ENOSPC: tmpfs full; -EOPNOTSUPP: a
 * file system that cannot allocate, such as ramfs). Existing contents stay. */
static inline int durable_allocate(int fd, uint64_t offset, uint64_t size)
{
        int r;

        if (size == 0)
                return 0;
        do
                r = posix_fallocate(fd, (off_t)offset, (off_t)size);
        while (r == EINTR);
        return -r;
}

/* Allocates pids[] and slots[] for the slots from..to-1. The caller (manager) then stores header.n_slots = to; the
 * keeper looks after the ring itself. 0 or negative errno; on failure n_slots must stay. */
static inline int durable_allocate_slots(int fd, uint32_t from, uint32_t to)
{
        int r;

        if (from > to || to > DURABLE_MAX_SLOTS)
                return -ERANGE;
        r = durable_allocate(fd, DURABLE_PIDS + (uint64_t)from * sizeof(uint32_t),
                             (uint64_t)(to - from) * sizeof(uint32_t));
        if (r < 0)
                return r;
        return durable_allocate(fd, DURABLE_SLOTS + (uint64_t)from * sizeof(struct durable_slot),
                                (uint64_t)(to - from) * sizeof(struct durable_slot));
}

#endif
