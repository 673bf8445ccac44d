/* SPDX-License-Identifier: MIT
 *
 * The comparisons that conditions may ask for: an operator, then a version, a glob or an amount.
 *
 * Not here: what is compared. A comparison is 1 when it holds, 0 when it does not, -EINVAL when it makes no sense.
 */
#ifndef SUPD_EXEC_COMPARE_H
#define SUPD_EXEC_COMPARE_H

#include "job.h"

enum comparison { LOWER_EQUAL, GREATER_EQUAL, NOT_EQUAL, LOWER, GREATER, EQUAL, GLOB, NOT_GLOB, NO_COMPARISON };

/* Takes the operator and the blanks behind it off *S. */
enum comparison compare_take(const char **s);
/* HAVE against WANT: as versions, or as a glob. C is not NO_COMPARISON. */
int compare_texts(enum comparison c, const char *have, const char *want);
/* "N" means "at least N". BYTES: N may end in K, M, G, T, P or E, powers of 1024. */
int compare_amount(const char *p, uint64_t have, bool bytes);
/* Takes the blanks off both ends. */
const char *compare_trim(struct buf *text);

#endif
