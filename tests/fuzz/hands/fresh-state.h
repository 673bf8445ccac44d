/* SPDX-License-Identifier: MIT
 *
 * A state file as a keeper leaves it that has just made it. Not here: what a manager writes.
 */
#ifndef SUPD_TESTS_FRESH_STATE_H
#define SUPD_TESTS_FRESH_STATE_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/durable-file.h"
#include "fuzz.h"

/* Returns its fd, owned by the caller. */
static inline int fresh_state(void)
{
        struct durable_header h = {.major = DURABLE_MAJOR,
                                   .minor = DURABLE_MINOR,
                                   .header_size = sizeof(h),
                                   .slot_size = sizeof(struct durable_slot),
                                   .n_slots = DURABLE_FIRST_SLOTS};
        int fd = memfd_create("state", MFD_CLOEXEC);

        memcpy(h.magic, DURABLE_MAGIC, sizeof(h.magic));
        CLAIM(fd >= 0 && ftruncate(fd, (off_t)DURABLE_FILE_SIZE) == 0);
        CLAIM(durable_allocate(fd, 0, DURABLE_FDS) == 0);
        CLAIM(durable_allocate(fd, DURABLE_RING, 4096) == 0);
        CLAIM(durable_allocate_slots(fd, 0, DURABLE_FIRST_SLOTS) == 0);
        CLAIM(pwrite(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h));
        return fd;
}

#endif
