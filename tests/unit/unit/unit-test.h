/* SPDX-License-Identifier: MIT
 *
 * What the tests of the room `unit` share: a unit from a text, and a tree of unit files in a temporary directory.
 */
#ifndef SUPD_TEST_UNIT_H
#define SUPD_TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "unit/blob.h"
#include "unit/load.h"

#include <sys/stat.h>

/* The unit NAME whose file is TEXT, and whose drop-in is DROPIN (NULL = none). D collects the mistakes. */
static inline struct unit *unit_of_texts(const char *name, const char *text, const char *dropin,
                                         const struct unit_context *context, struct diag *d)
{
        cleanup_buf_ struct buf b = {0};
        struct unit *u = NULL;

        assert_int_equal(blob_begin(&b), 0);
        assert_int_equal(blob_put(&b, BLOB_ID, name, strlen(name), "", 0), 0);
        assert_int_equal(blob_put(&b, BLOB_FRAGMENT, "/u/main", 7, text, strlen(text)), 0);
        if (dropin)
                assert_int_equal(blob_put(&b, BLOB_DROPIN, "/u/10.conf", 10, dropin, strlen(dropin)), 0);
        assert_int_equal(blob_put(&b, BLOB_STATE, "loaded", 6, "", 0), 0);
        assert_int_equal(unit_parse(b.data, b.size, context, &u, d), 0);
        assert_non_null(u);
        return u;
}

static inline struct unit *unit_of(const char *name, const char *text, struct diag *d)
{
        return unit_of_texts(name, text, NULL, NULL, d);
}

static inline void unit_free_p(struct unit **u)
{
        unit_free(*u);
}
#define cleanup_unit_ cleanup_(unit_free_p)

/* "a b c" for a list. Static storage. */
static inline const char *joined(const struct strings *l)
{
        static char out[16384];
        size_t n = 0;

        out[0] = 0;
        for (unsigned i = 0; i < l->n; i++)
                n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s", i ? " " : "", l->v[i]);
        return out;
}

static inline bool list_contains(const struct strings *l, const char *s)
{
        for (unsigned i = 0; i < l->n; i++)
                if (streq(l->v[i], s))
                        return true;
        return false;
}

/* All of D as text. Static storage. */
static inline const char *said(const struct diag *d)
{
        static char out[16384];
        cleanup_buf_ struct buf b = {0};

        for (size_t i = 0; i < d->n_entries; i++)
                assert_int_equal(diag_format(&d->entries[i], &b), 0);
        (void)snprintf(out, sizeof(out), "%s", buf_str(&b));
        return out;
}

#endif
