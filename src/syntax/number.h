/* SPDX-License-Identifier: MIT
 *
 * The digits of a number with a fraction and a unit, as times and sizes have them. Inside this room only.
 *
 * Invariant: no rounding but downwards, no overflow.
 */
#ifndef SUPD_SYNTAX_NUMBER_H
#define SUPD_SYNTAX_NUMBER_H

#include "base/util.h"

struct number {
        uint64_t whole;
        const char *fraction; /* its digits; fraction_size may be 0 */
        size_t fraction_size;
};

/* Reads "12", "1.5", ".5" or "5." off *S. 0, -EINVAL (no digit), -ERANGE. */
int number_read(const char **s, struct number *ret);
/* *SUM += N * UNIT. 0 or -ERANGE (the sum reaches UINT64_MAX). */
int number_add(const struct number *n, uint64_t unit, uint64_t *sum);

#endif
