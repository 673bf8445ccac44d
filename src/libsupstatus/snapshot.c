/* SPDX-License-Identifier: MIT
 *
 * Copying the status table, or one row of it, so that the copy is of one moment. In this order, each step only when the
 * one before did not yield a whole copy:
 *
 *   1. take the semaphore if it is free, copy, compare the sequence
 *   2. somebody holds it: copy under the sequence alone, a few times (so a holder that is stopped delays nobody)
 *   3. the writer was busy each time: wait for the semaphore, at most 100 ms, and copy again
 *   4. under the sequence alone, with pauses, for about a second at most, and only while the writer runs
 *   5. take the rows whose checksums fit, and say so (the writer died or was stopped in the middle of a publish)
 *
 * Invariant: a copy that is not marked PIECES was bracketed by one even sequence; every offset and length is checked
 * against what was read before it is used; no signal can be raised by what others do to the object.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libsupstatus/internal.h"

#define MAX_SIZE (UINT64_C(1) << 30)
#define WAIT_MS  100u

bool supstatus_hook_ignore_sequence;
void (*supstatus_hook_amid)(void *userdata);
void *supstatus_hook_userdata;

/* What one kind of copy (all rows, one row) does between two readings of the sequence: 0; -EAGAIN when what it saw
 * cannot be (a publish was going on); -ENOMEM; -ESRCH. */
typedef int (*copy_function)(struct supstatus *s, const struct supd_status_header *h, const void *key,
                             struct supstatus_snapshot *snap);

static int reserve(unsigned char **p, size_t *allocated, size_t size)
{
        unsigned char *q;

        if (size <= *allocated)
                return 0;
        q = realloc(*p, size);
        if (!q)
                return -ENOMEM;
        *p = q;
        *allocated = size;
        return 0;
}

/* All of SIZE bytes at AT, or -EAGAIN (cut short: the header that said so is not to be believed), or -errno. */
static int read_at(int fd, void *to, size_t size, uint64_t at)
{
        char *p = to;

        while (size > 0) {
                ssize_t n = pread(fd, p, size, (off_t)at);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EAGAIN;
                p += n;
                at += (uint64_t)n;
                size -= (size_t)n;
        }
        return 0;
}

/* Could this header be one? Everything that is used as a size or an offset later is checked here. */
static int header_judge(const struct supd_status_header *h)
{
        uint64_t rows = (uint64_t)h->rows_allocated * h->row_size;

        if (memcmp(h->magic, SUPD_STATUS_MAGIC, sizeof(h->magic)) != 0)
                return h->sequence == 0 || (h->sequence & 1) ? -ENODATA : -EPROTO;
        if (h->major != SUPD_STATUS_MAJOR)
                return h->major == 0 && (h->sequence & 1) ? -ENODATA : -EPROTO; /* the first publish is under way */
        if (h->object_size > MAX_SIZE || h->header_size < 256 || h->header_size % 8 || h->row_size < 64 ||
            h->row_size % 8 || h->row_size > 65536 || h->rows_allocated > SUPD_STATUS_MAX_ROWS ||
            h->n_rows > h->rows_allocated)
                return -EAGAIN;
        if (h->hashes_offset < h->header_size || h->hashes_offset % 4 || h->rows_offset % 8 || h->texts_offset % 8 ||
            h->hashes_offset + h->rows_allocated * sizeof(uint32_t) > h->rows_offset ||
            h->rows_offset + rows > h->texts_offset || h->texts_offset > h->object_size ||
            h->texts_size > h->object_size - h->texts_offset)
                return -EAGAIN;
        return 0;
}

static void terminate(char *text, size_t size)
{
        text[size - 1] = 0;
}

static int header_read(int fd, struct supd_status_header *ret)
{
        int r = read_at(fd, ret, sizeof(*ret), 0);

        if (r < 0)
                return r == -EAGAIN ? -ENODATA : r;
        r = header_judge(ret);
        terminate(ret->version, sizeof(ret->version));
        terminate(ret->system_state_text, sizeof(ret->system_state_text));
        terminate(ret->instance, sizeof(ret->instance));
        terminate(ret->runtime_dir, sizeof(ret->runtime_dir));
        terminate(ret->log_dir, sizeof(ret->log_dir));
        return r;
}

/* ---- texts and rows ---- */

static bool row_texts_fit(const struct supd_status_row *row, uint64_t texts_size)
{
        uint32_t sum = 0;

        for (uint32_t i = 0; i < SUPD_N_TEXTS; i++)
                sum += row->text_len[i] ? row->text_len[i] + 1u : 0;
        return row->texts_used <= texts_size && row->texts_at <= texts_size - row->texts_used &&
               sum <= row->texts_used && row->texts_used % 8 == 0;
}

static const char *row_text(const struct supd_status_row *row, const unsigned char *texts, uint32_t which)
{
        uint64_t at = row->texts_at;

        for (uint32_t i = 0; i < which; i++)
                at += row->text_len[i] ? row->text_len[i] + 1u : 0;
        if (row->text_len[which] == 0 || texts[at + row->text_len[which]] != 0)
                return "";
        return (const char *)texts + at;
}

static const struct supd_status_row *snapshot_row(const struct supstatus_snapshot *snap, uint32_t number)
{
        return (const struct supd_status_row *)(const void *)(snap->rows + (size_t)number * snap->row_stride);
}

/* Rows of an older writer may be shorter than ours: what it does not have is 0. */
static int rows_convert(struct supstatus_snapshot *snap, uint32_t n, size_t row_size)
{
        size_t own = sizeof(struct supd_status_row);
        int r;

        snap->row_stride = row_size;
        if (row_size >= own)
                return 0;
        r = reserve(&snap->converted, &snap->converted_allocated, n * own);
        if (r < 0)
                return r;
        memset(snap->converted, 0, n * own);
        for (uint32_t i = 0; i < n; i++)
                memcpy(snap->converted + i * own, snap->rows + i * row_size, row_size);
        snap->rows = snap->converted;
        snap->row_stride = own;
        return 0;
}

static int used_reserve(struct supstatus_snapshot *snap, uint32_t n)
{
        uint32_t *used;

        if (n <= snap->used_allocated)
                return 0;
        used = realloc(snap->used, n * sizeof(*used));
        if (!used)
                return -ENOMEM;
        snap->used = used;
        snap->used_allocated = n;
        return 0;
}

/* Lists the rows in use. VERIFY: those with a wrong checksum are left out and counted; else one that cannot be makes
 * the copy one that cannot be. RAW are the rows as the writer wrote them. */
static int rows_collect(struct supstatus_snapshot *snap, const unsigned char *raw, size_t raw_size, uint32_t n,
                        bool verify)
{
        snap->n_used = 0;
        snap->lost = 0;
        for (uint32_t i = 0; i < n; i++) {
                const struct supd_status_row *row = snapshot_row(snap, i);
                bool fits = row_texts_fit(row, snap->texts_size);

                if (fits && verify && row->flags & SUPD_ROW_USED)
                        fits = row->checksum == status_row_sum(raw + i * raw_size, raw_size,
                                                               snap->texts + row->texts_at, row->texts_used);
                if (fits && row->flags & SUPD_ROW_USED)
                        snap->used[snap->n_used++] = i;
                else if (!fits && !verify)
                        return -EAGAIN;
                else if (!fits)
                        snap->lost++;
        }
        return 0;
}

/* ---- one copy ---- */

/* KEY is NULL for a calm copy, otherwise anything: verify the rows. */
static int copy_all(struct supstatus *s, const struct supd_status_header *h, const void *key,
                    struct supstatus_snapshot *snap)
{
        size_t rows_size = (size_t)h->n_rows * h->row_size;
        int r;

        r = reserve(&snap->data, &snap->data_allocated, rows_size + (size_t)h->texts_size + 8);
        if (r == 0)
                r = used_reserve(snap, h->n_rows);
        if (r == 0)
                r = read_at(s->fd, snap->data, rows_size, h->rows_offset);
        if (r == 0 && supstatus_hook_amid)
                supstatus_hook_amid(supstatus_hook_userdata);
        if (r == 0)
                r = read_at(s->fd, snap->data + rows_size, (size_t)h->texts_size, h->texts_offset);
        if (r < 0)
                return r;
        snap->rows = snap->data;
        snap->texts = snap->data + rows_size;
        snap->texts_size = h->texts_size;
        r = rows_convert(snap, h->n_rows, h->row_size);
        return r < 0 ? r : rows_collect(snap, snap->data, h->row_size, h->n_rows, key != NULL);
}

/* Reads row NUMBER and its texts into SNAP as its only row. */
static int copy_row(struct supstatus *s, const struct supd_status_header *h, uint32_t number,
                    struct supstatus_snapshot *snap)
{
        struct supd_status_row *row;
        size_t row_size = h->row_size > sizeof(*row) ? h->row_size : sizeof(*row);
        int r;

        r = reserve(&snap->data, &snap->data_allocated, row_size + 2048);
        if (r == 0)
                r = used_reserve(snap, 1);
        if (r < 0)
                return r;
        memset(snap->data, 0, row_size);
        r = read_at(s->fd, snap->data, h->row_size, h->rows_offset + (uint64_t)number * h->row_size);
        if (r < 0)
                return r;
        row = (struct supd_status_row *)(void *)snap->data;
        if (!(row->flags & SUPD_ROW_USED) || !row_texts_fit(row, h->texts_size))
                return -EAGAIN;
        r = reserve(&snap->data, &snap->data_allocated, row_size + row->texts_used);
        if (r < 0)
                return r;
        row = (struct supd_status_row *)(void *)snap->data;
        if (supstatus_hook_amid)
                supstatus_hook_amid(supstatus_hook_userdata);
        r = read_at(s->fd, snap->data + row_size, row->texts_used, h->texts_offset + row->texts_at);
        if (r < 0)
                return r;
        snap->rows = snap->data;
        snap->row_stride = row_size;
        snap->texts = snap->data + row_size;
        snap->texts_size = row->texts_used;
        if (row->checksum != status_row_sum(snap->data, h->row_size, snap->texts, row->texts_used))
                return -EAGAIN;
        row->texts_at = 0;
        snap->used[0] = 0;
        snap->n_used = 1;
        return 0;
}

/* KEY is the unit's name. By the column of hashes; a name that is not there may still be an alias. */
static int copy_one(struct supstatus *s, const struct supd_status_header *h, const void *key,
                    struct supstatus_snapshot *snap)
{
        uint32_t hashes[1024], hash = status_name_hash(key);

        snap->n_used = snap->lost = 0;
        for (uint32_t from = 0; from < h->n_rows; from += 1024) {
                uint32_t n = h->n_rows - from < 1024 ? h->n_rows - from : 1024;
                int r = read_at(s->fd, hashes, n * sizeof(hashes[0]), h->hashes_offset + from * sizeof(hashes[0]));

                for (uint32_t i = 0; r == 0 && i < n; i++) {
                        if (hashes[i] != hash)
                                continue;
                        r = copy_row(s, h, from + i, snap);
                        if (r == 0 && strcmp(supstatus_text(snap, 0, SUPD_TEXT_NAME), key) == 0)
                                return 0;
                        snap->n_used = 0;
                }
                if (r < 0)
                        return r;
        }
        return -ESRCH;
}

/* The sequence, read on its own and fenced on both sides: what is read before stays before, and the other way round. */
static uint64_t sequence_now(int fd)
{
        uint64_t sequence;
        int r;

        atomic_thread_fence(memory_order_acquire);
        r = read_at(fd, &sequence, sizeof(sequence), offsetof(struct supd_status_header, sequence));
        atomic_thread_fence(memory_order_acquire);
        return r < 0 ? 1 : sequence;
}

static int attempt(struct supstatus *s, copy_function copy, const void *key, struct supstatus_snapshot *snap)
{
        uint64_t before = sequence_now(s->fd);
        struct supd_status_header h;
        int r = header_read(s->fd, &h);

        if (r == -EPROTO && sequence_now(s->fd) != before)
                return -EAGAIN; /* it was being written for the first time */
        if (r < 0)
                return r;
        snap->header = h;
        if (supstatus_hook_ignore_sequence)
                return copy(s, &h, key, snap);
        if (before & 1)
                return -EAGAIN;
        r = copy(s, &h, key, snap);
        if (r == -ENOMEM)
                return r;
        if (sequence_now(s->fd) != before)
                return -EAGAIN;
        return r;
}

/* ---- the ladder ---- */

static void pause_us(unsigned us)
{
        struct timespec ts = {.tv_nsec = (long)us * 1000};

        (void)nanosleep(&ts, NULL);
}

static bool worth_retrying(int r)
{
        return r == -EAGAIN || r == -ENODATA;
}

static int attempt_times(struct supstatus *s, copy_function copy, const void *key, struct supstatus_snapshot *snap,
                         unsigned times, unsigned pause)
{
        int r = -EAGAIN;

        for (unsigned i = 0; i < times && worth_retrying(r); i++) {
                if (i > 0 && pause > 0)
                        pause_us(pause);
                r = attempt(s, copy, key, snap);
        }
        return r;
}

static int attempt_locked(struct supstatus *s, copy_function copy, const void *key, struct supstatus_snapshot *snap,
                          bool wait)
{
        struct supd_status_header h;
        int r = header_read(s->fd, &h);

        if (r < 0)
                return -EAGAIN; /* attempt() judges it between two looks at the sequence */
        if (!reader_lock_try(&s->lock, h.generation, h.owner_uid) && !(wait && reader_lock_wait(&s->lock, WAIT_MS)))
                return -EAGAIN;
        r = attempt_times(s, copy, key, snap, wait ? 8 : 2, 0);
        reader_lock_release(&s->lock);
        if (!worth_retrying(r))
                snap->condition = 0;
        return r;
}

static int take(struct supstatus *s, copy_function copy, const void *key, unsigned flags,
                struct supstatus_snapshot *snap)
{
        bool locks = !(flags & SUPSTATUS_NO_LOCK);
        int r = -EAGAIN;

        if (locks)
                r = attempt_locked(s, copy, key, snap, false);
        if (!worth_retrying(r))
                return r;
        snap->condition = SUPSTATUS_UNLOCKED;
        r = attempt_times(s, copy, key, snap, 4, 0);
        if (worth_retrying(r) && locks) {
                r = attempt_locked(s, copy, key, snap, true);
                if (!worth_retrying(r))
                        return r;
        }
        snap->condition = SUPSTATUS_UNLOCKED;
        for (unsigned round = 0; round < 20 && worth_retrying(r); round++) {
                r = attempt_times(s, copy, key, snap, 100, 500);
                if (worth_retrying(r) && supstatus_writer(s, snap) != SUPSTATUS_WRITER_ALIVE)
                        break; /* nobody will end that publish now */
        }
        return r;
}

/* Step 5: whole rows of perhaps different moments. The header is taken as often as needed for its checksum to fit. */
static int take_pieces(struct supstatus *s, struct supstatus_snapshot *snap)
{
        struct supd_status_header h;
        int r = -EAGAIN;

        for (unsigned i = 0; i < 100 && r == -EAGAIN; i++) {
                uint64_t raw[65536 / 8 / 8];

                if (i > 0)
                        pause_us(500);
                r = header_read(s->fd, &h);
                if (r < 0)
                        continue;
                r = h.header_size <= sizeof(raw) ? read_at(s->fd, raw, h.header_size, 0) : -EPROTO;
                if (r == 0 && status_header_sum(raw, h.header_size) != h.checksum)
                        r = i < 99 ? -EAGAIN : 0; /* cut off in the header itself: its offsets were still judged sane */
                if (r == 0)
                        r = copy_all(s, &h, snap, snap);
        }
        if (r < 0)
                return r;
        snap->header = h;
        snap->condition = SUPSTATUS_UNLOCKED | SUPSTATUS_PIECES;
        return 0;
}

/* The object may have been removed, or removed and made anew under the same name. */
static int refresh(struct supstatus *s)
{
        struct stat st;

        if (fstat(s->fd, &st) == 0 && st.st_nlink > 0)
                return 0;
        return table_open(s);
}

/* Keeps only the row in which NAME is one of the names. */
static int narrow(struct supstatus_snapshot *snap, const char *name)
{
        size_t n = strlen(name);

        for (uint32_t i = 0; i < snap->n_used; i++) {
                const char *alias = supstatus_text(snap, i, SUPD_TEXT_ALIASES);
                bool hit = strcmp(supstatus_text(snap, i, SUPD_TEXT_NAME), name) == 0;

                for (; *alias && !hit; alias += strspn(alias, " ")) {
                        size_t m = strcspn(alias, " ");
                        hit = m == n && memcmp(alias, name, n) == 0;
                        alias += m;
                }
                if (hit) {
                        snap->used[0] = snap->used[i];
                        snap->n_used = 1;
                        return 0;
                }
        }
        snap->n_used = 0;
        return -ESRCH;
}

/* The caller's snapshot, or a new one in *ret_new. */
static struct supstatus_snapshot *snapshot_of(struct supstatus_snapshot **snap, struct supstatus_snapshot **ret_new)
{
        *ret_new = *snap ? NULL : calloc(1, sizeof(**snap));
        return *snap ? *snap : *ret_new;
}

static int snapshot_deliver(int r, struct supstatus_snapshot *p, struct supstatus_snapshot *fresh,
                            struct supstatus_snapshot **snap)
{
        if (r == -EAGAIN)
                r = -EPROTO;
        if (r < 0 && r != -ESRCH)
                supstatus_free(fresh);
        else
                *snap = p;
        return r;
}

static int snapshot_take(struct supstatus *s, unsigned flags, struct supstatus_snapshot *p)
{
        int r = take(s, copy_all, flags & SUPSTATUS_VERIFY ? p : NULL, flags, p);

        return r == -EAGAIN ? take_pieces(s, p) : r;
}

int supstatus_snapshot(struct supstatus *s, unsigned flags, struct supstatus_snapshot **snap)
{
        struct supstatus_snapshot *fresh, *p = snapshot_of(snap, &fresh);
        int r;

        if (!p)
                return -ENOMEM;
        r = refresh(s);
        if (r == 0)
                r = snapshot_take(s, flags, p);
        return snapshot_deliver(r, p, fresh, snap);
}

int supstatus_find(struct supstatus *s, const char *name, unsigned flags, struct supstatus_snapshot **snap)
{
        struct supstatus_snapshot *fresh, *p = snapshot_of(snap, &fresh);
        int r;

        if (!p)
                return -ENOMEM;
        r = refresh(s);
        if (r == 0) {
                r = take(s, copy_one, name, flags, p);
                if (r == -ESRCH || r == -EAGAIN) { /* an alias, or nothing but pieces to be had */
                        r = snapshot_take(s, flags, p);
                        if (r == 0)
                                r = narrow(p, name);
                }
        }
        return snapshot_deliver(r, p, fresh, snap);
}

void supstatus_free(struct supstatus_snapshot *snap)
{
        if (!snap)
                return;
        free(snap->data);
        free(snap->used);
        free(snap->converted);
        free(snap);
}

const struct supd_status_header *supstatus_header(const struct supstatus_snapshot *snap)
{
        return &snap->header;
}

uint32_t supstatus_count(const struct supstatus_snapshot *snap)
{
        return snap->n_used;
}

const struct supd_status_row *supstatus_row(const struct supstatus_snapshot *snap, uint32_t i)
{
        return snapshot_row(snap, snap->used[i]);
}

const char *supstatus_text(const struct supstatus_snapshot *snap, uint32_t i, uint32_t which)
{
        return which < SUPD_N_TEXTS ? row_text(supstatus_row(snap, i), snap->texts, which) : "";
}

unsigned supstatus_condition(const struct supstatus_snapshot *snap)
{
        return snap->condition;
}

uint32_t supstatus_lost(const struct supstatus_snapshot *snap)
{
        return snap->lost;
}
