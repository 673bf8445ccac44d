/* SPDX-License-Identifier: MIT
 *
 * Opening and closing a status table, its rows and marks; status.h says what each call promises.
 * Not here: a row's contents (draw.c), writing to the object (publish.c), the object itself (object.c), the semaphore
 * (lock.c).
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
        drawing_forget(t);
        free(t->drawing.texts);
        free(t->places);
        free(t->marked);
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

void status_draw_with(struct status_table *t, status_draw draw, void *userdata)
{
        t->draw = draw;
        t->draw_userdata = userdata;
}

int status_reserve(struct status_table *t, uint32_t n_rows)
{
        uint32_t n;
        struct status_place *places;
        uint32_t *marked;

        if (!t->on || n_rows <= t->n_rows)
                return 0;
        if (n_rows > SUPD_STATUS_MAX_ROWS) {
                t->rows_refused = true;
                return -EFBIG;
        }
        n = MIN2((n_rows + 15u) & ~15u, SUPD_STATUS_MAX_ROWS);
        marked = realloc(t->marked, n * sizeof(*marked));
        if (marked)
                t->marked = marked;
        places = marked ? realloc(t->places, n * sizeof(*places)) : NULL;
        if (!places) {
                t->rows_refused = true;
                return -ENOMEM;
        }
        memset(places + t->n_rows, 0, (n - t->n_rows) * sizeof(*places));
        t->places = places;
        t->n_rows = n;
        t->rows_refused = false;
        return 0;
}

struct supd_status_header *status_header(struct status_table *t)
{
        return &t->header;
}

void status_mark(struct status_table *t, uint32_t index)
{
        if (index >= t->n_rows || t->places[index].marked)
                return;
        t->places[index].marked = true;
        t->marked[t->n_marked++] = index;
}
