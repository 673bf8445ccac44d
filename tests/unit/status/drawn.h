/* SPDX-License-Identifier: MIT
 *
 * Something to draw a status table from, for tests: rows and texts in plain memory, of one table at a time.
 *
 * Invariant: a text that does not change marks nothing; drawn_begin() forgets all that was.
 */
#ifndef TEST_STATUS_DRAWN_H
#define TEST_STATUS_DRAWN_H

#include "base/util.h"
#include "status/status.h"

struct drawn {
        struct supd_status_row row;
        char *texts[SUPD_N_TEXTS]; /* owned; NULL = "" */
};

static struct {
        struct status_table *table;
        struct drawn *rows; /* owned */
        uint32_t n;
        unsigned n_drawings;
} drawn_store;

static void drawn_draw(void *userdata, uint32_t index)
{
        struct status_table *t = userdata;

        drawn_store.n_drawings++;
        if (index >= drawn_store.n)
                return;
        *status_row(t, index) = drawn_store.rows[index].row;
        for (uint32_t i = 0; i < SUPD_N_TEXTS; i++)
                (void)status_set_text(t, index, i, drawn_store.rows[index].texts[i]);
}

static inline void drawn_clear(struct status_table *t, uint32_t index)
{
        struct drawn *d = &drawn_store.rows[index];

        for (uint32_t i = 0; i < SUPD_N_TEXTS; i++)
                free(d->texts[i]);
        *d = (struct drawn){0};
        status_mark(t, index);
}

/* T is the table from now on; NULL: give everything back. */
static inline void drawn_begin(struct status_table *t)
{
        for (uint32_t i = 0; i < drawn_store.n; i++)
                for (uint32_t j = 0; j < SUPD_N_TEXTS; j++)
                        free(drawn_store.rows[i].texts[j]);
        free(drawn_store.rows);
        memset(&drawn_store, 0, sizeof(drawn_store));
        drawn_store.table = t;
        if (t)
                status_draw_with(t, drawn_draw, t);
}

static inline struct supd_status_row *drawn_row(struct status_table *t, uint32_t index)
{
        static struct supd_status_row nowhere;

        if (t != drawn_store.table)
                return &nowhere;
        if (index >= drawn_store.n) {
                uint32_t n = index + 16;
                struct drawn *p = reallocarray(drawn_store.rows, n, sizeof(*p));
                if (!p)
                        abort();
                memset(p + drawn_store.n, 0, (n - drawn_store.n) * sizeof(*p));
                drawn_store.rows = p;
                drawn_store.n = n;
        }
        return &drawn_store.rows[index].row;
}

static inline void drawn_set_text(struct status_table *t, uint32_t index, uint32_t which, const char *text)
{
        char **p;

        (void)drawn_row(t, index);
        p = &drawn_store.rows[index].texts[which];
        if (streq(*p ? *p : "", text))
                return;
        free(*p);
        *p = strdup(text);
        status_mark(t, index);
}

#endif
