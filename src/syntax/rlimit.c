/* SPDX-License-Identifier: MIT
 *
 * Resource limits: Limit*= (setrlimit(2), systemd.exec(5)); see scalar.h.
 * Invariant: each resource has a name and a way to read its values, side by side in one table.
 */
#include "syntax/scalar.h"

#include <sys/resource.h>

static int value_plain(const char *s, uint64_t *ret)
{
        return parse_u64(s, ret);
}

static int value_size(const char *s, uint64_t *ret)
{
        return parse_size(s, ret);
}

static int value_seconds(const char *s, uint64_t *ret)
{
        uint64_t us = 0;
        int r = parse_timespan(s, &us);

        if (r >= 0)
                *ret = us == USEC_INFINITY ? us : us / USEC_PER_SEC + (us % USEC_PER_SEC > 0);
        return r;
}

static int value_microseconds(const char *s, uint64_t *ret)
{
        return parse_timespan_unit(s, 1, ret);
}

/* The kernel counts 1..40 for nice 19..-20. With a sign it is a nice value, without one the kernel's number. */
static int value_nice(const char *s, uint64_t *ret)
{
        bool is_nice = s[0] == '+' || s[0] == '-';
        int v = 0, r = is_nice ? parse_nice(s, &v) : parse_int_range(s, 0, 40, &v);

        if (r >= 0)
                *ret = (uint64_t)(is_nice ? 20 - v : v);
        return r;
}

static const char *const resource_words[RLIM_NLIMITS] = {
        [RLIMIT_CPU] = "CPU",           [RLIMIT_FSIZE] = "FSIZE",
        [RLIMIT_DATA] = "DATA",         [RLIMIT_STACK] = "STACK",
        [RLIMIT_CORE] = "CORE",         [RLIMIT_RSS] = "RSS",
        [RLIMIT_NPROC] = "NPROC",       [RLIMIT_NOFILE] = "NOFILE",
        [RLIMIT_MEMLOCK] = "MEMLOCK",   [RLIMIT_AS] = "AS",
        [RLIMIT_LOCKS] = "LOCKS",       [RLIMIT_SIGPENDING] = "SIGPENDING",
        [RLIMIT_MSGQUEUE] = "MSGQUEUE", [RLIMIT_NICE] = "NICE",
        [RLIMIT_RTPRIO] = "RTPRIO",     [RLIMIT_RTTIME] = "RTTIME",
};
const struct names rlimit_names = {"limit", resource_words, ARRAY_SIZE(resource_words), .sparse = false};

static int (*const value_parsers[RLIM_NLIMITS])(const char *s, uint64_t *ret) = {
        [RLIMIT_CPU] = value_seconds,   [RLIMIT_FSIZE] = value_size,
        [RLIMIT_DATA] = value_size,     [RLIMIT_STACK] = value_size,
        [RLIMIT_CORE] = value_size,     [RLIMIT_RSS] = value_size,
        [RLIMIT_NPROC] = value_plain,   [RLIMIT_NOFILE] = value_plain,
        [RLIMIT_MEMLOCK] = value_size,  [RLIMIT_AS] = value_size,
        [RLIMIT_LOCKS] = value_plain,   [RLIMIT_SIGPENDING] = value_plain,
        [RLIMIT_MSGQUEUE] = value_size, [RLIMIT_NICE] = value_nice,
        [RLIMIT_RTPRIO] = value_plain,  [RLIMIT_RTTIME] = value_microseconds,
};

int rlimit_from_name(const char *name)
{
        return names_find(&rlimit_names, name);
}

const char *rlimit_name(int resource)
{
        return names_get(&rlimit_names, resource);
}

/* One side of "soft:hard", N bytes, blanks around it. */
static int parse_side(int resource, const char *s, size_t n, uint64_t *ret)
{
        char copy[64];
        uint64_t v = 0;
        int r;

        while (n > 0 && (*s == ' ' || *s == '\t')) {
                s++;
                n--;
        }
        while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
                n--;
        if (n == 0 || n >= sizeof(copy))
                return -EINVAL;
        memcpy(copy, s, n);
        copy[n] = 0;
        if (streq(copy, "infinity")) {
                *ret = UINT64_MAX;
                return 0;
        }
        r = value_parsers[resource](copy, &v);
        if (r >= 0)
                *ret = v;
        return r;
}

int parse_rlimit(int resource, const char *s, uint64_t *ret_soft, uint64_t *ret_hard)
{
        const char *colon = strchr(s, ':');
        uint64_t soft = 0, hard = 0;
        int r;

        if (!rlimit_name(resource))
                return -EINVAL;
        r = parse_side(resource, s, colon ? (size_t)(colon - s) : strlen(s), &soft);
        if (r < 0)
                return r;
        hard = soft;
        if (colon) {
                r = parse_side(resource, colon + 1, strlen(colon + 1), &hard);
                if (r < 0)
                        return r;
        }
        if (soft > hard)
                return -EILSEQ;
        *ret_soft = soft;
        *ret_hard = hard;
        return 0;
}
