/* SPDX-License-Identifier: MIT
 *
 * What the files of this room share: the mapping and the manager's book-keeping over it, which can be lost at any time.
 */
#ifndef SUPD_STATE_STATE_INTERNAL_H
#define SUPD_STATE_STATE_INTERNAL_H

#include "abi/durable-file.h"
#include "base/buf.h"
#include "state/state.h"

struct state {
        int fd; /* borrowed */
        void *map;
        unsigned space;           /* that counts (or is being written, while compacting) */
        uint64_t committed, used; /* bytes in it */
        uint64_t allocated;       /* bytes that each space has */
        bool compacting;
        struct buf pending;   /* put, not committed */
        uint32_t *free_slots; /* owned: a stack of free slot numbers */
        uint32_t n_free, n_known, n_free_allocated;
};

#endif
