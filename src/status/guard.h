/* SPDX-License-Identifier: MIT
 *
 * Surviving SIGBUS: whoever may write the file behind a shared mapping can cut it short, and the next access kills. A
 * section between guard_enter() and guard_leave() comes back instead.
 *
 *     if (sigsetjmp(guard_enter(map, size, sem, sizeof(sem_t)), 0) == 0) { …touch the memory… guard_leave(); }
 *     else { the memory is gone; the guard has been left }
 *
 * Invariant: only faults inside the two ranges, and only between enter and leave, are taken; all others go to the
 * handler that was there before. One thread; sections do not nest. Locals changed inside must be volatile.
 */
#ifndef SUPD_STATUS_GUARD_H
#define SUPD_STATUS_GUARD_H

#include <setjmp.h>
#include <stddef.h>

int guard_install(void); /* sees to it that ours is the handler; 0 or negative errno */
/* Either range may be NULL/0. */
sigjmp_buf *guard_enter_(const void *a, size_t a_size, const void *b, size_t b_size);
#define guard_enter(a, an, b, bn) (*guard_enter_(a, an, b, bn))
void guard_leave(void);

#endif
