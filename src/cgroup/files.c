/* SPDX-License-Identifier: MIT
 * See files.h.
 */
#include "cgroup/files.h"

#include <fcntl.h>

#include "base/spare.h"

int cgroup_file_read(int directory, const char *path, struct buf *b)
{
        cleanup_close_ int fd = spare_openat(directory, path, O_RDONLY);

        if (fd < 0)
                return -errno;
        for (;;) {
                ssize_t n;
                int r = buf_reserve(b, 4096);

                if (r < 0)
                        return r;
                n = read(fd, b->data + b->size, b->allocated - b->size - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return 0;
                b->size += (size_t)n;
                b->data[b->size] = 0;
        }
}

int cgroup_file_write(int directory, const char *path, const char *text)
{
        cleanup_close_ int fd = spare_openat(directory, path, O_WRONLY);

        if (fd < 0)
                return -errno;
        return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}
