/* SPDX-License-Identifier: MIT
 *
 * How each value type is read. The rows of the table of directives name the types; what a row's `extra` means to its
 * type stands here.
 *
 *     condition     a condition_kind, with CONDITION_ASSERT for Assert*=
 *     units         UNITS_INSTALL: names of [Install], which may be templates
 *     limit         RLIMIT_*
 *     nice, oom_score, io_*, cpu_*, capabilities   offset in struct draft of the bool that says it was given
 *     output        offset in struct draft of the char * for the file or name
 */
#ifndef SUPD_UNIT_VALUES_H
#define SUPD_UNIT_VALUES_H

#include "unit/draft.h"

#define CONDITION_ASSERT 0x100
#define UNITS_INSTALL    1

/* The good and the bad example of a value type; NULL = none is bad. */
const char *value_type_good(enum value_type t);
const char *value_type_bad(enum value_type t);

#endif
