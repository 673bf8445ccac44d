/* SPDX-License-Identifier: MIT
 *
 * Which system calls nobody outside of the process can notice: to be killed before such a call or after it is the same
 * to the world, so one of the two is enough; a victim that shares no memory is killed once for each run of them.
 *
 * Not here: who is killed (crash-points.c). Invariant: what is not known to be private is not: a wrong yes would leave
 * a point out.
 */
#ifndef TESTS_CRASH_PRIVATE_CALL_H
#define TESTS_CRASH_PRIVATE_CALL_H

#include "tracer.h"

/* T stands before its call. */
bool call_is_private(const struct tracer *t);

#endif
