/* SPDX-License-Identifier: MIT
 *
 * Which system call can fail with what: those that keeper, manager and launcher make, and of what their manual pages
 * list what can happen to them on a machine that is full, exhausted or restricted. Not here: how a call is made to fail
 * (tracer.h). Invariant: EINTR stands only where it comes without a signal handler, behind a stop (signal(7)).
 */
#ifndef TESTS_CRASH_FAULT_H
#define TESTS_CRASH_FAULT_H

#include <stdbool.h>

#define FAULT_ERRNOS 5

/* The errnos of call NR, ended by 0; an empty list when it cannot fail, or nobody asked. */
const int *fault_errnos(long nr);
/* The call is carried out all the same, and only then fails. */
bool fault_is_done_all_the_same(long nr);
const char *fault_name(int error);

#endif
