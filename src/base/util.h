/* SPDX-License-Identifier: MIT
 *
 * The small words every room uses: sizes, hand-over, cleanup attributes.
 *
 * Not here: anything that knows about units, files of ours, or the clock.
 * Invariant: header only, no state, usable by the libc-only programs too.
 */
#ifndef SUPD_BASE_UTIL_H
#define SUPD_BASE_UTIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a)         (sizeof(a) / sizeof((a)[0]))
#define MIN2(a, b)            ((a) < (b) ? (a) : (b))
#define MAX2(a, b)            ((a) > (b) ? (a) : (b))
#define container_of(p, t, m) ((t *)(void *)((char *)(p)-offsetof(t, m)))
#define ALIGN8(n)             (((n) + 7u) & ~(size_t)7u)
#define unused_               __attribute__((unused))
#define printf_like_(f, a)    __attribute__((format(printf, f, a)))
#define cleanup_(f)           __attribute__((cleanup(f)))
#define USEC_PER_SEC          UINT64_C(1000000)
#define USEC_PER_MSEC         UINT64_C(1000)
#define USEC_INFINITY         UINT64_MAX

/* Closes *fd when it is >= 0; errno is kept. */
static inline void close_fd_p(int *fd)
{
        if (*fd >= 0) {
                int e = errno;
                (void)close(*fd);
                errno = e;
                *fd = -1;
        }
}

/* Frees the pointer that p points to; for the cleanup attribute. */
static inline void free_p(void *p)
{
        free(*(void **)p);
}

#define cleanup_close_ cleanup_(close_fd_p)
#define cleanup_free_  cleanup_(free_p)

/* Hands the fd over to the caller: the owner's variable no longer closes it. */
static inline int take_fd(int *fd)
{
        int r = *fd;
        *fd = -1;
        return r;
}

static inline void *take_ptr_(void **p)
{
        void *r = *p;
        *p = NULL;
        return r;
}
#define take_ptr(p) ((__typeof__(p))take_ptr_((void **)&(p)))

static inline bool streq(const char *a, const char *b)
{
        return strcmp(a, b) == 0;
}

/* a and b may be NULL; NULL equals only NULL. */
static inline bool streq_null(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool starts_with(const char *s, const char *prefix)
{
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

static inline bool ends_with(const char *s, const char *suffix)
{
        size_t n = strlen(s), m = strlen(suffix);
        return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

#endif
