/* SPDX-License-Identifier: MIT
 *
 * What the services of the benchmark and its floor say to the runner: one slot of a file each, written at the first
 * instruction of main(). Not a program. Invariant: everything that is measured against each other stamps itself here,
 * in the same way, so that the cost of stamping is on both sides.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <time.h>

struct bench_slot {
        uint64_t first_ns; /* CLOCK_MONOTONIC at the first instruction of the latest process */
        uint32_t pid, starts;
};

static inline uint64_t bench_now(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
