/* SPDX-License-Identifier: MIT
 *
 * 128-bit ids: invocation, boot and machine id, and their two spellings.
 *
 * Invariant: a random id is a version 4 UUID, hence never all zero.
 */
#ifndef SUPD_BASE_ID128_H
#define SUPD_BASE_ID128_H

#include "base/util.h"

#define ID128_TEXT_SIZE 33 /* 32 hex digits and the NUL */

struct id128 {
        uint8_t b[16];
};

int id128_random(struct id128 *ret);                                         /* 0 or negative errno of getrandom() */
void id128_format(const struct id128 *id, char ret[static ID128_TEXT_SIZE]); /* 32 lower-case hex digits */
int id128_parse(const char *s,
                struct id128 *ret); /* plain or with UUID dashes, trailing newline allowed; 0 or -EINVAL */
static inline bool id128_equal(const struct id128 *a, const struct id128 *b)
{
        return memcmp(a, b, sizeof(*a)) == 0;
}
static inline bool id128_is_null(const struct id128 *a)
{
        return id128_equal(a, &(const struct id128){0});
}

#endif
