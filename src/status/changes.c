/* SPDX-License-Identifier: MIT
 *
 * The object of changes: made, taken over, written with pwrite(), so that what is cut or full is an error and no
 * signal, and so that its pages are nobody's. Not here: the table (publish.c), which has its own object.
 *
 * Invariant: the head never goes down in an object of one id; a record is written before the head passes it.
 */
#include "status/changes.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "supd/status_rules.h"

#define PAGE           UINT64_C(4096)
#define CHANGES_OFFSET PAGE
#define PAST_OFFSET    (CHANGES_OFFSET + SUPD_CHANGES_N * sizeof(struct supd_change))
#define FIELD(f)       offsetof(struct supd_changes_header, f)

struct changes {
        char name[STATUS_NAME_MAX];
        int fd;    /* owned; holds the OFD lock that says the writer lives */
        void *map; /* owned: the header's page, for the kernel to find sleepers by; never touched */
        uint64_t id, head, n_unwritten;
};

static bool put(struct changes *c, const void *data, size_t size, uint64_t at)
{
        ssize_t n;

        do
                n = pwrite(c->fd, data, size, (off_t)at);
        while (n < 0 && errno == EINTR);
        if (n == (ssize_t)size)
                return true;
        c->n_unwritten++;
        return false;
}

static void wake(struct changes *c)
{
        size_t at = FIELD(head) + (BYTE_ORDER == BIG_ENDIAN ? 4 : 0);

        if (c->map)
                (void)syscall(SYS_futex, (char *)c->map + at, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static int lock(int fd)
{
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

        return fcntl(fd, F_OFD_SETLK, &l) < 0 ? -errno : 0;
}

static int map(struct changes *c)
{
        c->map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, c->fd, 0);
        if (c->map != MAP_FAILED)
                return 0;
        c->map = NULL;
        return -errno;
}

static int create(struct changes *c)
{
        struct supd_changes_header h = {
                .major = SUPD_CHANGES_MAJOR,
                .header_size = sizeof(h),
                .id = c->id,
                .head = c->head,
                .n_changes = SUPD_CHANGES_N,
                .change_size = sizeof(struct supd_change),
                .changes_offset = CHANGES_OFFSET,
                .n_past = SUPD_CHANGES_N_PAST,
                .past_size = sizeof(struct supd_past),
                .past_offset = PAST_OFFSET,
        };
        int r = 0;

        memcpy(h.magic, SUPD_CHANGES_MAGIC, sizeof(h.magic));
        c->fd = shm_open(c->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (c->fd < 0)
                return -errno;
        if (lock(c->fd) < 0 || ftruncate(c->fd, (off_t)PAGE) < 0 || !put(c, &h, sizeof(h), 0) ||
            fchmod(c->fd, 0644) < 0)
                r = -EIO;
        if (r == 0)
                r = map(c);
        if (r < 0)
                (void)shm_unlink(c->name);
        return r;
}

static void release(struct changes *c)
{
        if (c->map)
                (void)munmap(c->map, PAGE);
        c->map = NULL;
        close_fd_p(&c->fd);
}

/* Readers of this object go to the next one. */
static void tell_over(struct changes *c)
{
        (void)put(c, &(uint32_t){1}, sizeof(uint32_t), FIELD(over));
        if (c->map || map(c) == 0)
                wake(c);
}

static void retire(struct changes *c)
{
        tell_over(c);
        (void)shm_unlink(c->name);
}

/* 0: it is ours to go on with. -ENOENT: there is none (any more). Else it is somebody's who lives, or not to be had. */
static int take_over(struct changes *c)
{
        struct supd_changes_header h;
        struct stat st;

        c->fd = shm_open(c->name, O_RDWR | O_CLOEXEC | O_NONBLOCK, 0);
        if (c->fd < 0)
                return -errno;
        if (fstat(c->fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1 ||
            (st.st_mode & 022))
                return -EPERM;
        if (pread(c->fd, &h, sizeof(h), 0) == sizeof(h) && h.id == c->id && h.over == 0 &&
            h.change_size == sizeof(struct supd_change) && h.n_changes == SUPD_CHANGES_N &&
            h.past_size == sizeof(struct supd_past) && h.n_past == SUPD_CHANGES_N_PAST &&
            h.changes_offset == CHANGES_OFFSET && h.past_offset == PAST_OFFSET) {
                c->n_unwritten = h.n_unwritten;
                (void)lock(c->fd);         /* the manager before is dead, whoever still reads its files */
                (void)fchmod(c->fd, 0644); /* it may have died before it had done so */
                return map(c);
        }
        if (lock(c->fd) < 0)
                return -EBUSY;
        retire(c);
        return -ENOENT;
}

int changes_open(const char *name, uint64_t id, uint64_t end, struct changes **ret)
{
        struct changes *c = calloc(1, sizeof(*c));
        int r = -EINVAL;

        if (!c)
                return -ENOMEM;
        *c = (struct changes){.fd = -1, .id = id, .head = end};
        if (status_changes_name(name, c->name))
                r = take_over(c);
        if (r == -ENOENT) {
                release(c);
                r = create(c);
        }
        if (r < 0) {
                release(c);
                free(c);
                return r;
        }
        c->head = UINT64_MAX; /* whatever it says: the next publish puts it right */
        *ret = c;
        return 0;
}

void changes_close(struct changes *c, bool remove)
{
        if (!c)
                return;
        if (remove)
                retire(c);
        release(c);
        free(c);
}

/* The run of records from V[FROM] on that lies in one piece. */
static unsigned piece(const struct supd_change *v, unsigned from, unsigned n)
{
        uint64_t to_end = SUPD_CHANGES_N - v[from].number % SUPD_CHANGES_N;

        return (unsigned)MIN2((uint64_t)(n - from), to_end);
}

void changes_write(struct changes *c, struct supd_change *v, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                v[i].checksum = (uint32_t)status_sum(STATUS_SUM_START, (const char *)&v[i] + 8, sizeof(v[i]) - 8);
        for (unsigned i = 0, m; i < n; i += m) {
                m = piece(v, i, n);
                (void)put(c, &v[i], m * sizeof(*v), CHANGES_OFFSET + v[i].number % SUPD_CHANGES_N * sizeof(*v));
        }
}

void changes_write_past(struct changes *c, struct supd_past *p)
{
        uint64_t at = (uint64_t)p->unit * SUPD_CHANGES_N_PAST + p->number % SUPD_CHANGES_N_PAST;

        p->checksum = (uint32_t)status_sum(STATUS_SUM_START, (const char *)p + 8, sizeof(*p) - 8);
        (void)put(c, p, sizeof(*p), PAST_OFFSET + at * sizeof(*p));
}

/* Somebody has removed the object: one without a past takes its place. */
static void renew(struct changes *c)
{
        struct stat st;

        if (fstat(c->fd, &st) == 0 && st.st_nlink > 0)
                return;
        if (c->fd >= 0)
                tell_over(c);
        release(c);
        if (create(c) < 0)
                release(c);
}

void changes_publish(struct changes *c, uint64_t end)
{
        if (end == c->head)
                return;
        c->head = end;
        renew(c);
        if (c->n_unwritten > 0)
                (void)put(c, &c->n_unwritten, sizeof(c->n_unwritten), FIELD(n_unwritten));
        (void)put(c, &end, sizeof(end), FIELD(head));
        wake(c);
}
