/* SPDX-License-Identifier: MIT
 *
 * Two things several parts do with files. Invariant: nothing is followed that the caller did not name.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "job.h"

int file_read(const char *path, size_t max, struct buf *b)
{
        cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        size_t start = b->size;

        if (fd < 0)
                return -errno;
        for (size_t more = 2000;; more = 1) { /* small at first, then doubled: most files are */
                ssize_t n;
                int r = buf_reserve(b, more);

                if (r < 0)
                        return r;
                n = read(fd, b->data + b->size, b->allocated - b->size - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                b->size += (size_t)n;
                b->data[b->size] = 0;
                if (n == 0)
                        return 0;
                if (b->size - start > max)
                        return -E2BIG;
        }
}

int make_parents(const char *path)
{
        char copy[PATH_MAX];
        size_t n = strlen(path);

        if (n >= sizeof(copy))
                return -ENAMETOOLONG;
        memcpy(copy, path, n + 1);
        while (n > 0 && copy[n] != '/')
                n--;
        copy[n] = 0;
        if (n > 0 && (mkdir(copy, 0755) == 0 || errno == EEXIST)) /* as it is nearly always */
                return 0;
        memcpy(copy, path, strlen(path) + 1);
        for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
                *p = 0;
                if (mkdir(copy, 0755) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
                        return -errno;
                *p = '/';
        }
        return 0;
}
