/* SPDX-License-Identifier: MIT
 *
 * Opening and closing a status table, and the images of its rows and texts; status.h says what each call promises.
 * Not here: writing to the object (publish.c), the object itself (object.c), the semaphore (lock.c).
 *
 * Invariant: while the table is off every call is harmless and cheap, and its rows go nowhere.
 */
#include <stdarg.h>
#include <stdio.h>

#include "status/guard.h"
#include "status/table.h"

void status_say(struct status_table *t, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(t->reason, sizeof(t->reason), format, ap);
        va_end(ap);
}

void status_off(struct status_table *t)
{
        t->on = false;
        lock_close(&t->lock);
        object_close(&t->object);
}

static void status_free_images(struct status_table *t)
{
        for (uint32_t i = 0; i < t->n_images; i++)
                free(t->images[i].texts);
        free(t->images);
        free(t->marked);
        t->images = NULL;
        t->marked = NULL;
        t->n_images = t->n_marked = 0;
}

/* What is to be continued of a predecessor's header: the sequence, the semaphore's generation and the counters. */
static void status_continue(struct status_table *t)
{
        struct supd_status_header old;
        volatile bool read = false;

        if (sigsetjmp(guard_enter(t->object.map, t->object.size, NULL, 0), 0) == 0) {
                memcpy(&old, t->object.map, sizeof(old));
                guard_leave();
                read = true;
        } else
                read = false;
        if (!read || memcmp(old.magic, SUPD_STATUS_MAGIC, sizeof(old.magic)) != 0)
                return;
        t->sequence = old.sequence;
        t->lock.generation = old.generation;
        t->header.n_publishes = old.n_publishes;
        t->header.n_deferred = old.n_deferred;
        t->header.n_torn_avoided = old.n_torn_avoided;
        t->header.n_broken_locks = old.n_broken_locks;
        t->header.n_recreated = old.n_recreated;
}

static void status_open_parts(struct status_table *t)
{
        int r = guard_install();

        if (r == 0)
                r = object_open(&t->object, t);
        if (r < 0) {
                if (!t->reason[0] && (r == -ENOENT || r == -ENOTDIR))
                        status_say(t, "there is no /dev/shm for the status table %s", t->object.name);
                else if (!t->reason[0])
                        status_say(t, "cannot make the status table %s in /dev/shm: %s", t->object.name, strerror(-r));
                object_close(&t->object);
                return;
        }
        t->on = true;
        status_continue(t);
        r = lock_create(&t->lock, (uint32_t)geteuid());
        if (r < 0)
                status_say(t, "no semaphore %s for the status table (%s); readers go without", t->lock.name,
                           r == -EPERM ? "the name belongs to somebody else" : strerror(-r));
}

int status_open(const char *name, struct status_table **ret, struct diag *diag)
{
        struct status_table *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;
        t->object.fd = -1;
        t->lay_out = true;
        t->header.manager_starts = 1;
        (void)snprintf(t->header.version, sizeof(t->header.version), "%s", SUPD_VERSION);
        (void)snprintf(t->header.instance, sizeof(t->header.instance), "%s", name);
        if (status_shm_name(name, "", t->object.name) && status_shm_name(name, ".lock", t->lock.name))
                status_open_parts(t);
        else
                status_say(t, "\"%s\" cannot be part of the name of a status table", name);
        if (t->reason[0])
                diag_add(diag, DIAG_WARNING, NULL, 0, NULL, "%s%s", t->reason,
                         t->on ? "" : "; supervision goes on without it");
        *ret = t;
        return 0;
}

void status_close(struct status_table *t, bool remove)
{
        if (!t)
                return;
        if (remove && t->on) {
                if (t->lock.sem)
                        (void)sem_unlink(t->lock.name);
                object_remove(&t->object);
        }
        status_off(t);
        status_free_images(t);
        free(t);
}

bool status_is_on(const struct status_table *t)
{
        return t->on;
}

const char *status_reason(const struct status_table *t)
{
        return t->reason;
}

int status_reserve(struct status_table *t, uint32_t n_rows)
{
        uint32_t n;
        struct status_image *images;
        uint32_t *marked;

        if (!t->on || n_rows <= t->n_images)
                return 0;
        if (n_rows > SUPD_STATUS_MAX_ROWS) {
                t->rows_refused = true;
                return -EFBIG;
        }
        n = MIN2((n_rows + 15u) & ~15u, SUPD_STATUS_MAX_ROWS);
        marked = realloc(t->marked, n * sizeof(*marked));
        if (marked)
                t->marked = marked;
        images = marked ? realloc(t->images, n * sizeof(*images)) : NULL;
        if (!images) {
                t->rows_refused = true;
                return -ENOMEM;
        }
        memset(images + t->n_images, 0, (n - t->n_images) * sizeof(*images));
        t->images = images;
        t->n_images = n;
        t->rows_refused = false;
        return 0;
}

struct supd_status_row *status_row(struct status_table *t, uint32_t index)
{
        return index < t->n_images ? &t->images[index].row : &t->nowhere;
}

struct supd_status_header *status_header(struct status_table *t)
{
        return &t->header;
}

void status_mark(struct status_table *t, uint32_t index)
{
        if (index >= t->n_images || t->images[index].marked)
                return;
        t->images[index].marked = true;
        t->marked[t->n_marked++] = index;
}

/* Where text WHICH begins, and how many bytes it takes, its NUL included. */
static uint32_t image_text(const struct status_image *m, uint32_t which, uint32_t *ret_size)
{
        uint32_t at = 0;

        for (uint32_t i = 0; i < which; i++)
                at += m->row.text_len[i] ? m->row.text_len[i] + 1u : 0;
        *ret_size = m->row.text_len[which] ? m->row.text_len[which] + 1u : 0;
        return at;
}

static int image_reserve_texts(struct status_image *m, uint32_t size)
{
        char *texts;

        if (size <= m->texts_allocated)
                return 0;
        size = (size + 31u) & ~31u;
        texts = realloc(m->texts, size);
        if (!texts)
                return -ENOMEM;
        memset(texts + m->texts_allocated, 0, size - m->texts_allocated);
        m->texts = texts;
        m->texts_allocated = size;
        return 0;
}

int status_set_text(struct status_table *t, uint32_t index, uint32_t which, const char *text)
{
        struct status_image *m;
        uint32_t at, old, size, total, at_end, unused_size, len;

        if (which >= SUPD_N_TEXTS)
                return -EINVAL;
        if (index >= t->n_images)
                return 0;
        m = &t->images[index];
        len = (uint32_t)strnlen(text ? text : "", SUPD_TEXT_MAX + 1u);
        m->cut = (uint16_t)((m->cut & ~(1u << which)) | (len > SUPD_TEXT_MAX ? 1u << which : 0));
        len = MIN2(len, SUPD_TEXT_MAX);
        size = len ? len + 1 : 0;
        at = image_text(m, which, &old);
        if (size == old && (size == 0 || memcmp(m->texts + at, text, len) == 0))
                return 0;
        at_end = image_text(m, SUPD_N_TEXTS - 1, &unused_size) + unused_size;
        total = at_end - old + size;
        if (image_reserve_texts(m, (total + 7u) & ~7u) < 0)
                return -ENOMEM;
        memmove(m->texts + at + size, m->texts + at + old, at_end - at - old);
        if (size > 0) {
                memcpy(m->texts + at, text, len);
                m->texts[at + len] = 0;
        }
        memset(m->texts + total, 0, ((total + 7u) & ~7u) - total);
        m->row.text_len[which] = (uint16_t)len;
        m->row.texts_used = (total + 7u) & ~7u;
        if (which == SUPD_TEXT_NAME)
                m->row.name_hash = len ? status_name_hash(m->texts) : 0;
        status_mark(t, index);
        return 0;
}

void status_clear(struct status_table *t, uint32_t index)
{
        struct status_image *m;
        uint64_t at;
        uint32_t room;

        if (index >= t->n_images)
                return;
        m = &t->images[index];
        at = m->row.texts_at;
        room = m->row.texts_room;
        memset(&m->row, 0, sizeof(m->row));
        m->row.texts_at = at; /* the place stays its own, for whoever gets the index next */
        m->row.texts_room = room;
        m->cut = 0;
        status_mark(t, index);
}
