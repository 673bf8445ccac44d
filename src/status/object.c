/* SPDX-License-Identifier: MIT
 *
 * The shared-memory object of the status table: taking over the predecessor's, creating, growing, and noticing that it
 * was removed or cut. Not here: what is in it.
 *
 * Invariant: an object is used only when it belongs to us, nobody else may write it, its name still leads to it, and
 * its OFD lock is ours; every mapped byte is allocated, so writing cannot fail for lack of room.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "status/table.h"

#define OBJECT_MAX_SIZE (UINT64_C(1) << 30)

void object_close(struct status_object *o)
{
        if (o->map)
                (void)munmap(o->map, o->size);
        o->map = NULL;
        o->size = 0;
        close_fd_p(&o->fd);
}

/* Does the name still lead to the open object? Not so when it was removed, and not when a file system was mounted over
 * the place, as happens when what we started mounts /dev/shm. glibc and musl both keep the objects there. */
static bool object_is_named(const struct status_object *o, const struct stat *mine)
{
        char path[STATUS_NAME_MAX + 16];
        struct stat named;

        (void)snprintf(path, sizeof(path), "/dev/shm/%s", o->name + 1);
        return lstat(path, &named) == 0 && mine->st_dev == named.st_dev && mine->st_ino == named.st_ino;
}

void object_remove(struct status_object *o)
{
        struct stat st;

        if (o->fd >= 0 && fstat(o->fd, &st) == 0 && object_is_named(o, &st))
                (void)shm_unlink(o->name);
        object_close(o);
}

bool object_intact(const struct status_object *o)
{
        struct stat st;

        return fstat(o->fd, &st) == 0 && (uint64_t)st.st_size >= o->size && object_is_named(o, &st);
}

/* The write lock on byte 0 of the open file description; the kernel drops it when the last copy of the fd is closed. */
static int object_lock(int fd)
{
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

        return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

static int object_allocate(int fd, size_t size)
{
        int r;

        do
                r = posix_fallocate(fd, 0, (off_t)size);
        while (r == EINTR);
        return -r;
}

static int object_map(struct status_object *o, size_t size)
{
        void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, o->fd, 0);

        if (map == MAP_FAILED)
                return -errno;
        o->map = map;
        o->size = size;
        return 0;
}

int object_create(struct status_object *o)
{
        size_t size = 4096;
        int r;

        o->fd = shm_open(o->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (o->fd < 0)
                return -errno;
        r = object_lock(o->fd);
        if (r == 0)
                r = object_allocate(o->fd, size);
        if (r == 0 && fchmod(o->fd, 0644) < 0)
                r = -errno;
        if (r == 0)
                r = object_map(o, size);
        if (r < 0)
                object_remove(o);
        return r;
}

int object_grow(struct status_object *o, size_t size)
{
        void *map;
        int r;

        if (size <= o->size)
                return 0;
        if (size > OBJECT_MAX_SIZE)
                return -EFBIG;
        r = object_allocate(o->fd, size);
        if (r < 0)
                return r;
        map = mremap(o->map, o->size, size, MREMAP_MAYMOVE);
        if (map == MAP_FAILED)
                return -errno;
        o->map = map;
        o->size = size;
        return 0;
}

/* May this existing object be ours? 0, or negative errno with the reason said. */
static int object_judge(const struct status_object *o, const struct stat *st, struct status_table *say)
{
        if (!S_ISREG(st->st_mode) || st->st_uid != geteuid()) {
                status_say(say, "shared memory %s belongs to uid %u, not to us; not used", o->name,
                           (unsigned)st->st_uid);
                return -EPERM;
        }
        if (st->st_nlink > 1) {
                status_say(say, "shared memory %s has a second name; not used", o->name);
                return -EPERM;
        }
        return 0;
}

/* Opens the one that is there. -EAGAIN: it vanished or is of no use (and was removed): create one. */
static int object_take_over(struct status_object *o, struct status_table *say)
{
        struct stat st;
        int r;

        o->fd = shm_open(o->name, O_RDWR | O_CLOEXEC, 0);
        if (o->fd < 0 && errno == EACCES)
                status_say(say, "shared memory %s belongs to somebody else; not used", o->name);
        if (o->fd < 0)
                return errno == ENOENT ? -EAGAIN : -errno;
        r = fstat(o->fd, &st) < 0 ? -errno : object_judge(o, &st, say);
        if (r < 0)
                return r;
        r = object_lock(o->fd);
        if (r == -EAGAIN || r == -EACCES) {
                status_say(say, "status table %s is in use by another supd; choose a --name for this one", o->name);
                return -EBUSY;
        }
        if (r < 0)
                return r;
        if (!object_is_named(o, &st))
                return -EAGAIN;
        if (fchmod(o->fd, 0644) < 0 || st.st_size < 4096 || (uint64_t)st.st_size > OBJECT_MAX_SIZE) {
                object_remove(o);
                return -EAGAIN;
        }
        r = object_allocate(o->fd, (size_t)st.st_size); /* someone may have cut and stretched it: no holes */
        return r < 0 ? r : object_map(o, (size_t)st.st_size);
}

int object_open(struct status_object *o, struct status_table *say)
{
        int r = -EAGAIN;

        for (unsigned tries = 0; r == -EAGAIN && tries < 8; tries++) {
                r = object_create(o);
                if (r != -EEXIST)
                        break;
                r = object_take_over(o, say);
                if (r < 0)
                        object_close(o);
        }
        return r;
}
