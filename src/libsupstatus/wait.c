/* SPDX-License-Identifier: MIT
 *
 * Sleeping until the table changes: FUTEX_WAIT on the low half of its sequence, through a mapping that can only be
 * read. Not here: what changed. Invariant: the memory is only ever touched by the kernel, so that an object that was
 * cut is an error and no signal; no sleep is longer than a second, so that an object that was replaced is noticed.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "libsupstatus/internal.h"

#define SLICE_US    UINT64_C(1000000)
#define SEQUENCE_AT offsetof(struct supd_status_header, sequence)

static uint64_t now_us(void)
{
        struct timespec ts = {0};

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

int supstatus_futex_wait(int fd, const void *map, size_t at, uint32_t value, uint64_t us)
{
        struct timespec ts = {.tv_sec = (time_t)(us / 1000000u), .tv_nsec = (long)(us % 1000000u) * 1000};
        struct stat st;

        if (syscall(SYS_futex, (const char *)map + at, FUTEX_WAIT, value, &ts, NULL, 0) < 0 && errno != EAGAIN &&
            errno != EINTR && errno != ETIMEDOUT)
                return errno == EFAULT ? -ENOENT : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        return st.st_nlink > 0 ? 0 : -ENOENT;
}

static int wait_mapped(int fd, const void *map, uint64_t sequence, uint64_t end_us)
{
        for (;;) {
                uint64_t now, there;
                int r;

                if (pread(fd, &there, sizeof(there), SEQUENCE_AT) != sizeof(there))
                        return -ENOENT;
                if (there != sequence)
                        return 1;
                now = now_us();
                if (now >= end_us)
                        return 0;
                r = supstatus_futex_wait(fd, map, SEQUENCE_AT + (BYTE_ORDER == BIG_ENDIAN ? 4 : 0), (uint32_t)sequence,
                                         end_us - now < SLICE_US ? end_us - now : SLICE_US);
                if (r < 0)
                        return r;
        }
}

int supstatus_wait(struct supstatus *s, const struct supstatus_snapshot *snap, uint64_t timeout_us)
{
        uint64_t now = now_us(), end = timeout_us > UINT64_MAX - now ? UINT64_MAX : now + timeout_us;
        void *map = mmap(NULL, sizeof(struct supd_status_header), PROT_READ, MAP_SHARED, s->fd, 0);
        int r;

        if (map == MAP_FAILED)
                return -errno;
        r = wait_mapped(s->fd, map, snap->header.sequence, end);
        (void)munmap(map, sizeof(struct supd_status_header));
        return r;
}
