/* SPDX-License-Identifier: MIT
 *
 * Publishing: when (the lock, its bounds, its replacement) and how (layout, sequence, rows). The order of stores is the
 * protocol: sequence odd, fence (release), data, sequence even (release).
 *
 * Invariant: nothing here waits. Whatever the state of lock and object, after status_publish() has returned 0 either
 * the table shows every row as it was drawn, or it says that it is truncated, or it is off and says why.
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>

#include "status/guard.h"
#include "status/table.h"

#define PAGE        4096u
#define ROW_SIZE    ((uint32_t)sizeof(struct supd_status_row))
#define HEADER_SIZE ((uint32_t)sizeof(struct supd_status_header))

static uint64_t clock_us(clockid_t clock)
{
        struct timespec ts = {0};

        (void)clock_gettime(clock, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000u;
}

/* ---- layout ---- */

static uint32_t texts_room(uint32_t used, bool tight)
{
        return tight || used == 0 ? used : (used + 16u + 31u) & ~31u;
}

static uint64_t layout_texts_offset(uint32_t rows, struct supd_status_header *h)
{
        h->hashes_offset = HEADER_SIZE;
        h->rows_offset = (h->hashes_offset + rows * sizeof(uint32_t) + 63u) & ~UINT64_C(63);
        h->texts_offset = h->rows_offset + (uint64_t)rows * ROW_SIZE;
        h->rows_allocated = rows;
        return h->texts_offset;
}

/* Until everything has its place, the room of a place is what its texts take. */
static void layout_measure(struct status_table *t)
{
        for (uint32_t i = 0; i < t->n_rows; i++)
                t->places[i].texts_room = drawing_of(t, i)->row.texts_used & 0x7fffffffu;
}

/* Bytes wanted for ROWS rows with all their texts. */
static uint64_t layout_size(struct status_table *t, uint32_t rows, bool tight)
{
        uint64_t texts = 0;

        for (uint32_t i = 0; i < t->n_rows && i < rows; i++)
                texts += texts_room(t->places[i].texts_room, tight);
        if (!tight)
                texts += texts / 8 + 1024;
        return (layout_texts_offset(rows, &t->header) + texts + PAGE - 1) & ~(uint64_t)(PAGE - 1);
}

/* Finds places for everything: in a grown object, else tightly packed, else as much as fits (then `truncated`). Rows
 * without a place have texts_room 0. */
static void layout_all(struct status_table *t)
{
        uint32_t rows = MIN2((t->n_rows + 63u) & ~63u, SUPD_STATUS_MAX_ROWS);
        struct supd_status_header *h = &t->header;
        bool tight = false;

        drawing_keep_shown(t);
        layout_measure(t);
        if (rows == 0)
                rows = 64;
        if (object_grow(&t->object, layout_size(t, rows, false)) < 0) {
                tight = true;
                rows = MAX2(t->n_rows, 1u);
                (void)object_grow(&t->object, layout_size(t, rows, true));
                while (rows > 1 && layout_size(t, rows, true) > t->object.size)
                        rows -= (rows + 15) / 16;
        }
        (void)layout_texts_offset(rows, h);
        h->texts_size = t->object.size - h->texts_offset;
        h->object_size = t->object.size;
        t->texts_end = 0;
        for (uint32_t i = 0; i < t->n_rows; i++) {
                uint32_t room = texts_room(t->places[i].texts_room, tight);

                if (i >= rows || t->texts_end + room > h->texts_size)
                        room = 0;
                t->places[i].texts_at = (uint32_t)t->texts_end;
                t->places[i].texts_room = room & 0x7fffffffu;
                t->texts_end += room;
        }
}

/* A place for one changed row; false: everything must be laid out anew. A table that is truncated already is not laid
 * out at each publish: whether there is room again is tried now and then. */
static bool layout_one(struct status_table *t, uint32_t index)
{
        struct status_place *p = &t->places[index];
        uint32_t used = drawing_of(t, index)->row.texts_used, room = texts_room(used, false);
        bool bear_it = (t->header.flags & SUPD_TABLE_TRUNCATED) && t->header.n_publishes % 32 != 0;

        if (index >= t->header.rows_allocated)
                return bear_it;
        if (used <= p->texts_room)
                return true;
        if (t->texts_end + room > t->header.texts_size)
                return bear_it;
        p->texts_at = (uint32_t)t->texts_end;
        p->texts_room = room & 0x7fffffffu;
        t->texts_end += room;
        return true;
}

/* ---- writing ---- */

/* Writes row INDEX; false when it had no place and is not shown. */
static bool write_row(struct status_table *t, uint32_t index)
{
        static const struct supd_status_row empty;
        const struct status_drawing *d = drawing_of(t, index);
        const struct status_place *p = &t->places[index];
        struct supd_status_row row = d->row;
        unsigned char *map = t->object.map;
        bool used = row.text_len[SUPD_TEXT_NAME] > 0, placed = row.texts_used <= p->texts_room;
        bool shown = used && placed;
        uint32_t hash = shown ? row.name_hash : 0;

        if (index >= t->header.rows_allocated)
                return !used;
        row.texts_at = p->texts_at;
        row.texts_room = p->texts_room;
        row.flags &= ~(SUPD_ROW_USED | SUPD_ROW_TEXT_CUT);
        row.flags |= (used ? SUPD_ROW_USED : 0) | (d->cut ? SUPD_ROW_TEXT_CUT : 0);
        row.checksum = status_row_sum(&row, ROW_SIZE, d->texts, row.texts_used);
        memcpy(map + t->header.hashes_offset + index * sizeof(hash), &hash, sizeof(hash));
        memcpy(map + t->header.rows_offset + (uint64_t)index * ROW_SIZE, shown ? &row : &empty, ROW_SIZE);
        if (shown)
                memcpy(map + t->header.texts_offset + row.texts_at, d->texts, row.texts_used);
        return shown || !used;
}

/* Of the marked rows each is drawn once: it gets its place and is written at once. When there is none for it, lay_out
 * is set, and nothing else is written. */
static bool write_rows(struct status_table *t)
{
        bool all = true;

        if (!t->lay_out) {
                for (uint32_t i = 0; i < t->n_marked && !t->lay_out; i++)
                        if (layout_one(t, t->marked[i]))
                                all &= write_row(t, t->marked[i]);
                        else
                                t->lay_out = true;
                return all;
        }
        for (uint32_t i = 0; i < t->n_rows; i++)
                all &= write_row(t, i);
        if (t->n_rows < t->header.rows_allocated) { /* where texts may have stood until now */
                uint32_t rest = t->header.rows_allocated - t->n_rows;
                memset(t->object.map + t->header.hashes_offset + t->n_rows * sizeof(uint32_t), 0,
                       rest * sizeof(uint32_t));
                memset(t->object.map + t->header.rows_offset + (uint64_t)t->n_rows * ROW_SIZE, 0,
                       (uint64_t)rest * ROW_SIZE);
        }
        return all;
}

static void write_header(struct status_table *t)
{
        struct supd_status_header *h = &t->header;
        unsigned char *map = t->object.map;
        const size_t behind = offsetof(struct supd_status_header, checksum);

        h->written_boot_us = clock_us(CLOCK_BOOTTIME);
        h->written_real_us = clock_us(CLOCK_REALTIME);
        h->written_mono_us = clock_us(CLOCK_MONOTONIC);
        h->checksum = status_header_sum(h, HEADER_SIZE);
        memcpy(map, h, offsetof(struct supd_status_header, sequence));
        memcpy(map + behind, (const char *)h + behind, HEADER_SIZE - behind);
}

static void prepare_header(struct status_table *t)
{
        struct supd_status_header *h = &t->header;

        memcpy(h->magic, SUPD_STATUS_MAGIC, sizeof(h->magic));
        h->major = SUPD_STATUS_MAJOR;
        h->minor = SUPD_STATUS_MINOR;
        h->header_size = HEADER_SIZE;
        h->row_size = ROW_SIZE;
        h->owner_uid = (uint32_t)geteuid();
        h->generation = t->lock.sem ? t->lock.generation : 0;
        h->n_rows = MIN2(t->n_rows, h->rows_allocated);
}

/* The critical section. -EFAULT: the object was cut under our hands; -EAGAIN: everything must be laid out anew, and the
 * sequence stays odd until that is written. */
static int write_all(struct status_table *t)
{
        bool anew = t->lay_out;
        _Atomic uint64_t *sequence =
                (_Atomic uint64_t *)(void *)(t->object.map + offsetof(struct supd_status_header, sequence));

        if (sigsetjmp(guard_enter(t->object.map, t->object.size, NULL, 0), 0) != 0) {
                t->guarded = false;
                return -EFAULT;
        }
        t->guarded = true;
        t->sequence |= 1;
        atomic_store_explicit(sequence, t->sequence, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        if (!write_rows(t) || t->rows_refused)
                t->header.flags |= SUPD_TABLE_TRUNCATED;
        else if (anew)
                t->header.flags &= ~SUPD_TABLE_TRUNCATED;
        if (t->lay_out && !anew) {
                guard_leave();
                t->guarded = false;
                return -EAGAIN;
        }
        write_header(t);
        t->sequence++;
        atomic_store_explicit(sequence, t->sequence, memory_order_release);
        guard_leave();
        t->guarded = false;
        return 0;
}

/* The object is gone or cut: a new one under the same name, if we can have one. */
static int recreate(struct status_table *t)
{
        int r;

        drawing_keep_shown(t);
        object_remove(&t->object);
        r = object_create(&t->object);
        t->lay_out = true;
        t->header.n_recreated++;
        return r;
}

/* Readers sleep on the low half of the sequence. The kernel reads it, not we: an object that was cut is an error here.
 */
static void wake_readers(const struct status_table *t)
{
        size_t at = offsetof(struct supd_status_header, sequence) + (BYTE_ORDER == BIG_ENDIAN ? 4 : 0);
        int saved = errno;

        (void)syscall(SYS_futex, t->object.map + at, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
        errno = saved;
}

static void forget_marks(struct status_table *t)
{
        for (uint32_t i = 0; i < t->n_marked; i++)
                t->places[t->marked[i]].marked = false;
        t->n_marked = 0;
}

static int write_tries(struct status_table *t)
{
        int r = object_intact(&t->object) ? 0 : recreate(t);

        t->header.n_publishes++;
        for (unsigned tries = 0; r == 0 && tries < 3; tries++) {
                if (t->lay_out)
                        layout_all(t);
                prepare_header(t);
                r = write_all(t);
                if (r == -EAGAIN) {
                        layout_all(t);
                        prepare_header(t);
                        r = write_all(t);
                }
                if (r == 0) {
                        t->lay_out = false;
                        t->published = t->header;
                        forget_marks(t);
                        wake_readers(t);
                        return 0;
                }
                r = recreate(t);
        }
        return r < 0 ? r : -EFAULT;
}

static void write_out(struct status_table *t)
{
        int r = write_tries(t);

        drawing_forget(t);
        if (r == 0)
                return;
        status_say(t, "status table %s was taken away and cannot be made again: %s", t->object.name,
                   r == -EFAULT ? "it is cut again and again" : strerror(-r));
        status_off(t);
}

/* ---- when ---- */

static void replace_lock(struct status_table *t)
{
        int r = lock_create(&t->lock, (uint32_t)geteuid());

        t->header.n_broken_locks++;
        if (r < 0)
                status_say(t, "lost the semaphore %s of the status table: %s; readers go without", t->lock.name,
                           strerror(-r));
}

/* The lock is busy. Returns when to come back, or 0 to go on without it. */
static uint64_t defer(struct status_table *t, uint64_t now_us)
{
        uint64_t held, end;

        if (t->lock.busy_since_us == 0 || t->lock.busy_since_us > now_us) {
                t->lock.busy_since_us = now_us;
                t->retry_step_us = USEC_PER_MSEC;
        }
        held = now_us - t->lock.busy_since_us;
        if (held >= STATUS_BREAK_US)
                replace_lock(t);
        if (held >= STATUS_DEFER_US) {
                t->header.n_torn_avoided++;
                return 0;
        }
        if (!t->deferring)
                t->header.n_deferred++;
        t->deferring = true;
        end = t->lock.busy_since_us + STATUS_DEFER_US;
        now_us += t->retry_step_us;
        t->retry_step_us *= 2;
        return MIN2(now_us, end);
}

/* Nothing to publish; is a lock that was passed over still held? */
static uint64_t look_later(struct status_table *t, uint64_t now_us)
{
        if (t->lock.busy_since_us == 0 || lock_look(&t->lock) == LOCK_TAKEN) {
                t->lock.busy_since_us = 0;
                t->lock.looked_later = false;
                return 0;
        }
        if (now_us < t->lock.busy_since_us + STATUS_BREAK_US)
                return t->lock.looked_later ? t->lock.busy_since_us + STATUS_BREAK_US : 0;
        replace_lock(t);
        write_out(t);
        return 0;
}

uint64_t status_publish(struct status_table *t, uint64_t now_us)
{
        enum lock_state state;

        if (!t->on)
                return 0;
        if (t->published.magic[0] && t->n_marked == 0 && memcmp(&t->header, &t->published, sizeof(t->header)) == 0)
                return look_later(t, now_us);
        state = lock_try(&t->lock);
        if (state == LOCK_BUSY) {
                uint64_t again_us = defer(t, now_us);
                if (again_us > 0)
                        return again_us;
        } else {
                t->lock.busy_since_us = 0;
                t->lock.looked_later = false;
                if (state == LOCK_BROKEN)
                        replace_lock(t);
        }
        t->deferring = false;
        write_out(t);
        if (t->on && state == LOCK_TAKEN && !lock_release(&t->lock)) {
                replace_lock(t);
                write_out(t);
        }
        if (!t->on || t->lock.busy_since_us == 0)
                return 0;
        t->lock.looked_later = true;
        return t->lock.busy_since_us + STATUS_BREAK_US;
}
