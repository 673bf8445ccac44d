/* SPDX-License-Identifier: MIT
 *
 * The status table as a reader may find it: a whole one, written by the real writer, in which any bytes are others. The
 * reader stays inside, ends, and every text it gives ends where it must.
 *
 * Input: one byte of flags (bit 0: the checksums of header and rows fit all the same; bit 1: the object is cut), then
 * groups of two bytes place (in words of 4) and two bytes value.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "fuzz.h"
#include "status/status.h"
#include "supd/status_rules.h"
#include "supd/supstatus.h"

#define N_ROWS 3

static struct status_table *table;
static char instance[64];
static uint8_t *base;
static size_t base_size;
static int fd = -1;

static void draw(void *userdata, uint32_t i)
{
        char name[32];
        struct supd_status_row *r = status_row(table, i);

        (void)userdata;
        (void)snprintf(name, sizeof(name), "unit-%u.service", i);
        r->active_state = SUPD_ACTIVE_ACTIVE;
        (void)status_set_text(table, i, SUPD_TEXT_NAME, name);
        (void)status_set_text(table, i, SUPD_TEXT_DESCRIPTION, "a description of some length");
}

/* Between two attempts at a table that seems to be written the reader sleeps; here nobody writes. */
int __wrap_nanosleep(const struct timespec *t, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *t, struct timespec *rest)
{
        (void)t;
        (void)rest;
        return 0;
}

static void end(void)
{
        status_close(table, true);
}

static void begin(void)
{
        char path[128];
        struct diag diag = {0};

        if (base)
                return;
        (void)snprintf(instance, sizeof(instance), "fuzz-%d", (int)getpid());
        CLAIM(status_open(instance, &table, &diag) == 0 && status_is_on(table));
        (void)atexit(end);
        status_draw_with(table, draw, NULL);
        CLAIM(status_reserve(table, N_ROWS) == 0);
        for (uint32_t i = 0; i < N_ROWS; i++)
                status_mark(table, i);
        CLAIM(status_publish(table, 1) == 0);
        (void)snprintf(path, sizeof(path), "/dev/shm/supd-%s", instance);
        fd = open(path, O_RDWR | O_CLOEXEC);
        CLAIM(fd >= 0);
        base_size = (size_t)lseek(fd, 0, SEEK_END);
        base = malloc(base_size);
        CLAIM(base && pread(fd, base, base_size, 0) == (ssize_t)base_size);
}

/* Where header and rows are as they were: what lies inside them is believed then. */
static void make_sums_fit(uint8_t *image)
{
        struct supd_status_header h, old;

        memcpy(&h, image, sizeof(h));
        memcpy(&old, base, sizeof(old));
        for (uint32_t i = 0; i < N_ROWS; i++) {
                size_t at = old.rows_offset + (size_t)i * old.row_size;
                struct supd_status_row r;
                memcpy(&r, image + at, sizeof(r));
                size_t texts = (size_t)old.texts_offset + r.texts_at;
                if (texts < base_size && r.texts_used <= base_size - texts && r.texts_used % 8 == 0) {
                        r.checksum = status_row_sum(&r, sizeof(r), image + texts, r.texts_used);
                        memcpy(image + at, &r, sizeof(r));
                }
        }
        h.checksum = status_header_sum(&h, sizeof(h));
        memcpy(image, &h, sizeof(h));
}

static void look(struct supstatus *s, unsigned flags)
{
        struct supstatus_snapshot *snap = NULL;
        size_t length = 0;

        if (supstatus_snapshot(s, flags, &snap) < 0)
                return;
        for (uint32_t i = 0; i < supstatus_count(snap); i++) {
                CLAIM(supstatus_row(snap, i));
                for (uint32_t w = 0; w < SUPD_N_TEXTS; w++) {
                        const char *text = supstatus_text(snap, i, w);
                        CLAIM(text);
                        length += strlen(text);
                }
        }
        (void)supstatus_header(snap);
        (void)supstatus_age_us(snap);
        (void)supstatus_writer(s, snap);
        supstatus_free(snap);
        snap = NULL;
        (void)supstatus_find(s, "unit-1.service", flags, &snap);
        supstatus_free(snap);
        CLAIM(length < (size_t)64 << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct supstatus *s = NULL;
        uint8_t *image;
        uint8_t flags;

        begin();
        if (size < 1)
                return 0;
        flags = *data++;
        size--;
        image = malloc(base_size);
        CLAIM(image);
        memcpy(image, base, base_size);
        for (; size >= 4; data += 4, size -= 4) {
                size_t at = (size_t)(data[0] | data[1] << 8) * 4 % base_size;
                image[at] = data[2];
                image[at + 1] = data[3];
        }
        if (flags & 1)
                make_sums_fit(image);
        CLAIM(pwrite(fd, image, base_size, 0) == (ssize_t)base_size);
        if (flags & 2)
                CLAIM(ftruncate(fd, (off_t)(base_size / (2u + (flags >> 2)))) == 0);
        if (supstatus_open(instance, &s) == 0) {
                look(s, 0);
                look(s, SUPSTATUS_VERIFY | SUPSTATUS_NO_LOCK);
                supstatus_close(s);
        }
        CLAIM(ftruncate(fd, (off_t)base_size) == 0);
        CLAIM(pwrite(fd, base, base_size, 0) == (ssize_t)base_size);
        free(image);
        return 0;
}
