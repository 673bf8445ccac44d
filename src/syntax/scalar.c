/* SPDX-License-Identifier: MIT
 *
 * Booleans, numbers, sizes, modes; see scalar.h.
 *
 * Not here: times (timespan.c), names and limits (scalar-names.c, rlimit.c).
 * Invariant: *ret is written as the last thing a function does.
 */
#include "syntax/scalar.h"

#include <limits.h>
#include <strings.h>

#include "syntax/number.h"

int parse_bool(const char *s, bool *ret)
{
        static const char *const words[] = {"1", "yes", "y", "true", "t", "on", "0", "no", "n", "false", "f", "off"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (strcasecmp(s, words[i]) == 0) {
                        *ret = i < 6;
                        return 0;
                }
        return -EINVAL;
}

static unsigned digit_value(char c)
{
        if (c >= '0' && c <= '9')
                return (unsigned)(c - '0');
        if (c >= 'a' && c <= 'z')
                return (unsigned)(c - 'a') + 10;
        if (c >= 'A' && c <= 'Z')
                return (unsigned)(c - 'A') + 10;
        return 36;
}

static int parse_digits(const char *s, unsigned base, uint64_t *ret)
{
        uint64_t v = 0;
        bool over = false;

        if (!*s)
                return -EINVAL;
        for (; *s; s++) {
                unsigned d = digit_value(*s);

                if (d >= base)
                        return -EINVAL;
                over |= __builtin_mul_overflow(v, (uint64_t)base, &v);
                over |= __builtin_add_overflow(v, (uint64_t)d, &v);
        }
        if (over)
                return -ERANGE;
        *ret = v;
        return 0;
}

static int parse_magnitude(const char *s, uint64_t *ret)
{
        if (s[0] == '0' && s[1]) {
                if (s[1] == 'x' || s[1] == 'X')
                        return parse_digits(s + 2, 16, ret);
                if (s[1] == 'b' || s[1] == 'B')
                        return parse_digits(s + 2, 2, ret);
                return parse_digits(s + (s[1] == 'o' || s[1] == 'O' ? 2 : 1), 8, ret);
        }
        return parse_digits(s, 10, ret);
}

int parse_u64(const char *s, uint64_t *ret)
{
        return parse_magnitude(*s == '+' ? s + 1 : s, ret);
}

int parse_i64(const char *s, int64_t *ret)
{
        bool negative = *s == '-';
        uint64_t v = 0;
        int r = parse_magnitude(s + (negative || *s == '+'), &v);

        if (r < 0)
                return r;
        if (v > (uint64_t)INT64_MAX + negative)
                return -ERANGE;
        *ret = negative ? (int64_t)(0 - v) : (int64_t)v;
        return 0;
}

int parse_uint(const char *s, unsigned *ret)
{
        uint64_t v = 0;
        int r = parse_u64(s, &v);

        if (r < 0)
                return r;
        if (v > UINT_MAX)
                return -ERANGE;
        *ret = (unsigned)v;
        return 0;
}

int parse_int_range(const char *s, int min, int max, int *ret)
{
        int64_t v = 0;
        int r = parse_i64(s, &v);

        if (r < 0)
                return r;
        if (v < min || v > max)
                return -ERANGE;
        *ret = (int)v;
        return 0;
}

int parse_int(const char *s, int *ret)
{
        return parse_int_range(s, INT_MIN, INT_MAX, ret);
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

int number_read(const char **s, struct number *ret)
{
        const char *p = *s;
        struct number n = {0};
        bool any = is_digit(*p), over = false;

        for (; is_digit(*p); p++) {
                over |= __builtin_mul_overflow(n.whole, (uint64_t)10, &n.whole);
                over |= __builtin_add_overflow(n.whole, (uint64_t)(*p - '0'), &n.whole);
        }
        if (*p == '.') {
                n.fraction = ++p;
                while (is_digit(*p))
                        p++;
                n.fraction_size = (size_t)(p - n.fraction);
        }
        if (!any && n.fraction_size == 0)
                return -EINVAL;
        if (over)
                return -ERANGE;
        *s = p;
        *ret = n;
        return 0;
}

/* Digits behind the 18th of a fraction are below every unit's precision. */
int number_add(const struct number *n, uint64_t unit, uint64_t *sum)
{
        uint64_t numerator = 0, denominator = 1, v;

        for (size_t i = 0; i < MIN2(n->fraction_size, (size_t)18); i++) {
                numerator = numerator * 10 + (uint64_t)(n->fraction[i] - '0');
                denominator *= 10;
        }
        if (__builtin_mul_overflow(n->whole, unit, &v) || __builtin_add_overflow(v, *sum, &v) ||
            __builtin_add_overflow(v, (uint64_t)((unsigned __int128)numerator * unit / denominator), &v) ||
            v == UINT64_MAX)
                return -ERANGE;
        *sum = v;
        return 0;
}

/* The unit behind a number, which must be smaller than the one before (index < *limit). No letter is bytes. */
static int take_size_unit(const char **s, size_t *limit, uint64_t *ret)
{
        static const char units[] = "BKMGTPE";
        const char *unit = **s ? strchr(units, **s) : NULL;
        size_t index = unit ? (size_t)(unit - units) : 0;

        if ((**s && !unit) || index >= *limit)
                return -EINVAL;
        *s += unit ? 1 : 0;
        *limit = index;
        *ret = UINT64_C(1) << (10 * index);
        return 0;
}

int parse_size(const char *s, uint64_t *ret)
{
        uint64_t sum = 0;
        size_t limit = 7;

        do {
                struct number n;
                uint64_t unit = 0;
                int r;

                s += strspn(s, " \t");
                r = number_read(&s, &n);
                if (r < 0)
                        return r;
                s += strspn(s, " \t");
                r = take_size_unit(&s, &limit, &unit);
                if (r >= 0)
                        r = number_add(&n, unit, &sum);
                if (r < 0)
                        return r;
                s += strspn(s, " \t");
        } while (*s);
        *ret = sum;
        return 0;
}

int parse_permyriad(const char *s, unsigned *ret)
{
        struct number n;
        int r = number_read(&s, &n);
        uint64_t v = 0;

        if (r < 0)
                return r;
        if (!streq(s, "%") || n.fraction_size > 2)
                return -EINVAL;
        if (number_add(&n, 100, &v) < 0 || v > 10000)
                return -ERANGE;
        *ret = (unsigned)v;
        return 0;
}

int parse_size_value(const char *s, struct size_value *ret)
{
        struct size_value v = {.kind = SIZE_BYTES};
        unsigned permyriad = 0;
        int r;

        if (streq(s, "infinity")) {
                *ret = (struct size_value){.kind = SIZE_INFINITY};
                return 0;
        }
        if (ends_with(s, "%")) {
                r = parse_permyriad(s, &permyriad);
                v = (struct size_value){.kind = SIZE_PERMYRIAD, .value = permyriad};
        } else {
                r = parse_size(s, &v.value);
        }
        if (r >= 0)
                *ret = v;
        return r;
}

int parse_mode(const char *s, mode_t *ret)
{
        uint64_t v = 0;
        int r = parse_digits(s, 8, &v);

        if (r < 0)
                return r;
        if (v > 07777)
                return -ERANGE;
        *ret = (mode_t)v;
        return 0;
}
