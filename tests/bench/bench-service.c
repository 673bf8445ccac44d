/* SPDX-License-Identifier: MIT
 *
 * bench-service FILE SLOT: the service that is measured with. Its first act is to look at the clock; it writes that
 * into its slot of FILE and then waits for a signal, with the default action of each. Static and tiny, so that what is
 * measured is the supervisor and not the service.
 *
 * Not here: anything that a service would do. Invariant: at most one write, of one slot.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv)
{
        struct bench_slot slot = {.first_ns = bench_now()}, old = {0};
        off_t at;
        int fd;

        if (argc != 3)
                return 2;
        at = (off_t)(strtoul(argv[2], NULL, 10) * sizeof(slot));
        fd = open(argv[1], O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return 1;
        if (pread(fd, &old, sizeof(old), at) == (ssize_t)sizeof(old))
                slot.starts = old.starts;
        slot.starts++;
        slot.pid = (uint32_t)getpid();
        if (pwrite(fd, &slot, sizeof(slot), at) != (ssize_t)sizeof(slot))
                return 1;
        (void)close(fd);
        for (;;)
                (void)pause();
}
