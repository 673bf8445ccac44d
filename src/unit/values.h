/* SPDX-License-Identifier: MIT
 *
 * How each value type is read. The rows of the table of directives name the types; what a row's `extra` means to its
 * type stands here.
 *
 *     condition     a condition_kind, with CONDITION_ASSERT for Assert*=
 *     units         UNITS_INSTALL: names of [Install], which may be templates
 *     limit         RLIMIT_*
 *     nice, oom_score, io_*, cpu_*, capabilities   offset in struct draft of the bool that says it was given
 *     resource      RANGE_ZERO or 0
 *     weight        RANGE_*
 *     output        offset in struct draft of the char * for the file or name
 */
#ifndef SUPD_UNIT_VALUES_H
#define SUPD_UNIT_VALUES_H

#include "unit/draft.h"

#define CONDITION_ASSERT 0x100
#define UNITS_INSTALL    1
#define RANGE_ZERO       1 /* resource: 0 is a value */
enum { RANGE_WEIGHT, RANGE_SHARES, RANGE_BLOCK_IO };

/* The good and the bad example of a value type; NULL = none is bad. */
const char *value_type_good(enum value_type t);
const char *value_type_bad(enum value_type t);

#endif
