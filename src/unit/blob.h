/* SPDX-License-Identifier: MIT
 *
 * The form of a blob: a first line, then records of a key and two byte strings, readable by eye:
 *
 *     supd-unit 1
 *     KEY SIZE_A SIZE_B
 *     A
 *     B
 *
 * A reader passes over keys it does not know, so that the previous version can read what the next one wrote.
 * Not here: what the records mean to a unit (parse.c).
 */
#ifndef SUPD_UNIT_BLOB_H
#define SUPD_UNIT_BLOB_H

#include "base/buf.h"

#define BLOB_MAGIC "supd-unit 1\n"

enum blob_key {
        BLOB_ID,       /* A: the unit's name */
        BLOB_ALIAS,    /* A: another name of it */
        BLOB_STATE,    /* A: a unit_load_state; B: the reason, for people */
        BLOB_BUILT_IN, /* A: description of the place; B: text of the unit */
        BLOB_FRAGMENT, /* A: path, B: text */
        BLOB_DROPIN,   /* likewise, in the order in which they count */
        BLOB_WANTS,    /* A: unit name; B: path of the link that says so */
        BLOB_REQUIRES, /* likewise */
        BLOB_UPHOLDS,  /* likewise */
        BLOB_UNKNOWN,  /* read only */
};

int blob_begin(struct buf *out);
int blob_put(struct buf *out, enum blob_key key, const char *a, size_t a_size, const char *b, size_t b_size);

struct blob_record {
        enum blob_key key;
        const char *a, *b; /* into the blob; followed by '\n', not by NUL */
        size_t a_size, b_size;
};
struct blob_reader {
        const char *next, *end;
};

int blob_open(struct blob_reader *r, const void *blob, size_t size); /* 0 or -EBADMSG */
int blob_next(struct blob_reader *r, struct blob_record *ret);       /* 1, 0 at the end, or -EBADMSG */

#endif
