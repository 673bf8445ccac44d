/* SPDX-License-Identifier: MIT
 * See spare.h.
 */
#include "base/spare.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int spare = -1;

void spare_keep(void)
{
        if (spare < 0)
                spare = eventfd(0, EFD_CLOEXEC);
}

int spare_openat(int directory, const char *path, int flags)
{
        int fd = openat(directory, path, flags | O_CLOEXEC);

        if (fd >= 0 || spare < 0 || (errno != EMFILE && errno != ENFILE))
                return fd;
        (void)close(spare);
        spare = -1;
        return openat(directory, path, flags | O_CLOEXEC);
}
