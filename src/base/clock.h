/* SPDX-License-Identifier: MIT
 *
 * Time in microseconds, as one number. Only programs and hands ask the clock; decisions are told.
 *
 * Invariant: USEC_INFINITY stays infinity in every sum.
 */
#ifndef SUPD_BASE_CLOCK_H
#define SUPD_BASE_CLOCK_H

#include <time.h>

#include "base/util.h"

static inline uint64_t timespec_us(const struct timespec *ts)
{
        return (uint64_t)ts->tv_sec * USEC_PER_SEC + (uint64_t)ts->tv_nsec / 1000;
}

static inline uint64_t clock_now_us(clockid_t clock)
{
        struct timespec ts = {0};

        (void)clock_gettime(clock, &ts);
        return timespec_us(&ts);
}

static inline uint64_t usec_add(uint64_t a, uint64_t b)
{
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

static inline uint64_t usec_sub(uint64_t a, uint64_t b) /* 0 at least; infinity stays */
{
        if (a == USEC_INFINITY)
                return a;
        return a > b ? a - b : 0;
}

#endif
