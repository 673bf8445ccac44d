/* SPDX-License-Identifier: MIT
 *
 * One line on stderr, and the clocks.
 *
 * Not a log: the manager writes logs. Invariant: never blocks (a full pipe or a stopped terminal loses the line) and
 * never allocates.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "keeper.h"

void say(const char *format, ...)
{
        char line[512];
        struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
        int e = errno, n;
        va_list ap;

        n = snprintf(line, sizeof(line), "supd: ");
        va_start(ap, format);
        n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, format, ap);
        va_end(ap);
        n = MIN2(n, (int)sizeof(line) - 2);
        line[n++] = '\n';
        /* POLLOUT promises PIPE_BUF bytes, so this write does not wait. */
        if (poll(&p, 1, 0) == 1 && (p.revents & POLLOUT)) {
                ssize_t written = write(STDERR_FILENO, line, (size_t)n);
                (void)written;
        }
        errno = e;
}

static uint64_t clock_us(clockid_t clock)
{
        struct timespec t;

        (void)clock_gettime(clock, &t);
        return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

uint64_t now_us(void)
{
        return clock_us(CLOCK_MONOTONIC);
}

uint64_t boottime_us(void)
{
        return clock_us(CLOCK_BOOTTIME);
}
