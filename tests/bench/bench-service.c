/* SPDX-License-Identifier: MIT
 *
 * bench-service FILE SLOT[:FD]: the service that is measured with. Its first act is to look at the clock; it writes
 * that into its slot of FILE and then waits for a signal, with the default action of each. Static and tiny, so that
 * what is measured is the supervisor and not the service. With FD, it says there with a newline that it is ready.
 *
 * Called otherwise it takes FILE:SLOT[:FD] from the target of the symbolic link "arguments" in its working directory.
 * So it can be the `run` of a service directory itself, with no script before it.
 *
 * Not here: anything that a service would do. Invariant: nothing comes before the look at the clock; at most one write,
 * of one slot.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

/* FILE and SLOT of the link; TARGET holds both. */
static int arguments_of_link(char target[static PATH_MAX], const char **ret_file, const char **ret_slot)
{
        ssize_t n = readlink("arguments", target, PATH_MAX - 1);
        char *colon;

        if (n < 0)
                return -1;
        target[n] = 0;
        colon = strchr(target, ':');
        if (!colon)
                return -1;
        *colon = 0;
        *ret_file = target;
        *ret_slot = colon + 1;
        return 0;
}

int main(int argc, char **argv)
{
        struct bench_slot slot = {.first_ns = bench_now()}, old = {0};
        const char *file = argc == 3 ? argv[1] : NULL, *number = argc == 3 ? argv[2] : NULL;
        char target[PATH_MAX], *end;
        off_t at;
        int fd;

        if (argc != 3 && arguments_of_link(target, &file, &number) < 0)
                return 2;
        at = (off_t)(strtoul(number, &end, 10) * sizeof(slot));
        fd = open(file, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return 1;
        if (pread(fd, &old, sizeof(old), at) == (ssize_t)sizeof(old))
                slot.starts = old.starts;
        slot.starts++;
        slot.pid = (uint32_t)getpid();
        if (pwrite(fd, &slot, sizeof(slot), at) != (ssize_t)sizeof(slot))
                return 1;
        (void)close(fd);
        if (*end == ':' && write((int)strtoul(end + 1, NULL, 10), "\n", 1) != 1)
                return 1;
        for (;;)
                (void)pause();
}
