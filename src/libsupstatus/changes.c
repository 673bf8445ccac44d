/* SPDX-License-Identifier: MIT
 *
 * Reading the record of changes: one after the other as they come, and the past of a unit. Not here: the table.
 *
 * Invariant: a record is given out only when its checksum fits and it has the number that was looked for; what was
 * overwritten is counted. Only pread() is used, and the mapping that is slept on is never touched but by the kernel.
 */
#include <endian.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libsupstatus/internal.h"

#define HEAD_AT  offsetof(struct supd_changes_header, head)
#define SLICE_US UINT64_C(1000000)

struct supstatus_changes {
        int fd;                            /* owned */
        void *map;                         /* owned; NULL = none yet */
        struct supd_changes_header header; /* as it was opened */
        uint64_t next;
};

static bool header_is_sound(const struct supd_changes_header *h)
{
        return memcmp(h->magic, SUPD_CHANGES_MAGIC, sizeof(h->magic)) == 0 && h->major == SUPD_CHANGES_MAJOR &&
               h->n_changes > 0 && h->change_size >= sizeof(struct supd_change) && h->change_size % 8 == 0 &&
               h->change_size <= 4096 && h->n_past > 0 && h->past_size >= sizeof(struct supd_past) &&
               h->past_size % 8 == 0 && h->past_size <= 4096;
}

int supstatus_changes_open(const char *instance, struct supstatus_changes **ret)
{
        struct supstatus_changes *c = calloc(1, sizeof(*c));
        char name[STATUS_NAME_MAX];
        int r = 0;

        if (!c)
                return -ENOMEM;
        c->fd = status_changes_name(instance, name) ? table_object_open(name, instance) : -EINVAL;
        if (c->fd < 0)
                r = c->fd;
        else if (pread(c->fd, &c->header, sizeof(c->header), 0) != sizeof(c->header))
                r = -ENODATA;
        else if (!header_is_sound(&c->header))
                r = -EPROTO;
        if (r < 0) {
                supstatus_changes_close(c);
                return r;
        }
        c->next = c->header.head;
        *ret = c;
        return 0;
}

void supstatus_changes_close(struct supstatus_changes *c)
{
        if (!c)
                return;
        if (c->map)
                (void)munmap(c->map, sizeof(c->header));
        if (c->fd >= 0)
                (void)close(c->fd);
        free(c);
}

/* 0, or -ENOENT: nothing comes behind HEAD any more. */
static int look(struct supstatus_changes *c, uint64_t *ret_head)
{
        struct supd_changes_header h;
        struct stat st;

        if (pread(c->fd, &h, sizeof(h), 0) != sizeof(h) || h.id != c->header.id)
                return -ENOENT;
        *ret_head = h.head;
        if (h.head > c->next)
                return 0; /* what there is comes first */
        return h.over || fstat(c->fd, &st) < 0 || st.st_nlink == 0 ? -ENOENT : 0;
}

void supstatus_changes_back(struct supstatus_changes *c, uint64_t n)
{
        uint64_t head = c->next;

        (void)look(c, &head);
        n = n < c->header.n_changes ? n : c->header.n_changes;
        c->next = head > n ? head - n : 0;
        /* those before the first are not there, and no loss: the object may have been made with a later number */
        for (struct supd_change x; c->next < head; c->next++) {
                uint64_t at = c->header.changes_offset + c->next % c->header.n_changes * c->header.change_size;

                if (pread(c->fd, &x, sizeof(x), (off_t)at) == sizeof(x) && x.number == c->next && x.name_size > 0)
                        break;
        }
}

/* Into RET of SIZE bytes; the record may be longer. */
static bool record_read(const struct supstatus_changes *c, uint64_t at, size_t record_size, uint64_t number, void *ret,
                        size_t size)
{
        unsigned char bytes[4096];
        uint32_t checksum;
        uint64_t found;

        if (pread(c->fd, bytes, record_size, (off_t)at) != (ssize_t)record_size)
                return false;
        memcpy(&checksum, bytes, sizeof(checksum));
        memcpy(&found, bytes + 8, sizeof(found));
        if (found != number || checksum != (uint32_t)status_sum(STATUS_SUM_START, bytes + 8, record_size - 8))
                return false;
        memcpy(ret, bytes, size);
        return true;
}

int supstatus_changes_next(struct supstatus_changes *c, struct supd_change *ret, uint64_t *ret_lost)
{
        uint64_t lost = 0;

        for (;;) {
                const struct supd_changes_header *h = &c->header;
                uint64_t head = 0;
                int r = look(c, &head);

                if (r < 0 || head <= c->next) {
                        *ret_lost = lost;
                        return r;
                }
                if (head - c->next > h->n_changes) {
                        lost += head - c->next - h->n_changes;
                        c->next = head - h->n_changes;
                }
                if (record_read(c, h->changes_offset + c->next % h->n_changes * h->change_size, h->change_size, c->next,
                                ret, sizeof(*ret)))
                        break;
                c->next++; /* it is being overwritten, or could not be written */
                lost++;
        }
        c->next++;
        ret->name[SUPD_CHANGE_NAME_MAX] = 0;
        *ret_lost = lost;
        return 1;
}

static uint64_t now_us(void)
{
        struct timespec ts = {0};

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

int supstatus_changes_wait(struct supstatus_changes *c, uint64_t timeout_us)
{
        uint64_t now = now_us(), end = timeout_us > UINT64_MAX - now ? UINT64_MAX : now + timeout_us;

        if (!c->map) {
                void *map = mmap(NULL, sizeof(c->header), PROT_READ, MAP_SHARED, c->fd, 0);

                if (map == MAP_FAILED)
                        return -errno;
                c->map = map;
        }
        for (;; now = now_us()) {
                uint64_t head = 0;
                int r = look(c, &head);

                if (r < 0 || head > c->next)
                        return r < 0 ? r : 1;
                if (now >= end)
                        return 0;
                (void)supstatus_futex_wait(c->fd, c->map, HEAD_AT + (BYTE_ORDER == BIG_ENDIAN ? 4 : 0), (uint32_t)head,
                                           end - now < SLICE_US ? end - now : SLICE_US);
        }
}

int supstatus_past(struct supstatus_changes *c, const struct supd_status_row *row,
                   struct supd_past ret[SUPD_CHANGES_N_PAST])
{
        const struct supd_changes_header *h = &c->header;
        uint64_t n = h->n_past < SUPD_CHANGES_N_PAST ? h->n_past : SUPD_CHANGES_N_PAST;
        int found = 0;

        for (uint64_t i = row->past_end > n ? row->past_end - n : 0; i < row->past_end; i++) {
                uint64_t place = (uint64_t)row->number * h->n_past + i % h->n_past;

                if (record_read(c, h->past_offset + place * h->past_size, h->past_size, i, &ret[found], sizeof(*ret)) &&
                    ret[found].unit == row->number)
                        found++;
        }
        return found;
}
