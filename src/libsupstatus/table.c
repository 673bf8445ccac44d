/* SPDX-License-Identifier: MIT
 *
 * Opening a status table for reading, and what can be said about its writer without its help. Not here: copying it
 * (snapshot.c). Invariant: only an object whose owner is root, ourselves, or the user in its name is believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libsupstatus/internal.h"

/* The UID of "user-UID" and "user-UID-NAME". */
static bool instance_uid(const char *instance, uid_t *ret)
{
        char *end;
        unsigned long uid;

        if (strncmp(instance, "user-", 5) != 0 || instance[5] < '0' || instance[5] > '9')
                return false;
        uid = strtoul(instance + 5, &end, 10);
        if (*end && *end != '-')
                return false;
        *ret = (uid_t)uid;
        return true;
}

static bool owner_trusted(const char *instance, uid_t owner)
{
        uid_t uid;

        return owner == 0 || owner == geteuid() || (instance_uid(instance, &uid) && owner == uid);
}

int table_object_open(const char *name, const char *instance)
{
        struct stat st;
        int fd, r = 0;

        fd = shm_open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                r = -errno;
        else if (!S_ISREG(st.st_mode) || !owner_trusted(instance, st.st_uid))
                r = -EPERM;
        if (r == 0)
                return fd;
        (void)close(fd);
        return r;
}

int table_open(struct supstatus *s)
{
        int fd = table_object_open(s->name, s->instance);

        if (fd < 0)
                return fd;
        if (s->fd >= 0)
                (void)close(s->fd);
        s->fd = fd;
        reader_lock_close(&s->lock); /* generations count per object: the same number may mean another semaphore */
        return 0;
}

int supstatus_open(const char *instance, struct supstatus **ret)
{
        struct supstatus *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        s->fd = -1;
        if (status_shm_name(instance, "", s->name) && status_shm_name(instance, ".lock", s->lock.name)) {
                (void)snprintf(s->instance, sizeof(s->instance), "%s", instance);
                r = table_open(s);
        } else
                r = -EINVAL;
        if (r < 0)
                free(s);
        else
                *ret = s;
        return r;
}

void supstatus_close(struct supstatus *s)
{
        if (!s)
                return;
        reader_lock_close(&s->lock);
        if (s->fd >= 0)
                (void)close(s->fd);
        free(s);
}

/* The state letter of PID, 0 when it is not the process that started at START_TICKS or cannot be seen. */
static char process_state(uint32_t pid, uint64_t start_ticks)
{
        char path[32], text[1024], *p, letter;
        ssize_t n;
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/%u/stat", (unsigned)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        n = read(fd, text, sizeof(text) - 1);
        (void)close(fd);
        text[n > 0 ? n : 0] = 0;
        p = strrchr(text, ')');
        if (!p || p[1] != ' ')
                return 0;
        letter = p[2];
        p += 2;
        for (int field = 3; field < 22 && p; field++) {
                p = strchr(p, ' ');
                p = p ? p + 1 : NULL;
        }
        return p && (start_ticks == 0 || strtoull(p, NULL, 10) == start_ticks) ? letter : 0;
}

int supstatus_writer(struct supstatus *s, const struct supstatus_snapshot *snap)
{
        struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
        char state;

        if (fcntl(s->fd, F_OFD_GETLK, &lock) < 0)
                return -errno;
        if (lock.l_type == F_UNLCK)
                return SUPSTATUS_WRITER_GONE;
        state = snap ? process_state(snap->header.writer_pid, snap->header.writer_start_ticks) : 0;
        return state == 'T' || state == 't' ? SUPSTATUS_WRITER_STOPPED : SUPSTATUS_WRITER_ALIVE;
}

static uint64_t clock_us(clockid_t clock)
{
        struct timespec ts = {0};

        (void)clock_gettime(clock, &ts);
        return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

uint64_t supstatus_age_us(const struct supstatus_snapshot *snap)
{
        uint64_t now = clock_us(CLOCK_BOOTTIME), then = snap->header.written_boot_us;

        if (now < then) { /* of an earlier boot: a copy of the object on a disk, say */
                now = clock_us(CLOCK_REALTIME);
                then = snap->header.written_real_us;
        }
        return now > then ? now - then : 0;
}
