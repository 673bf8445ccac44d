/* SPDX-License-Identifier: MIT
 *
 * Time spans, both ways (rule 6); see scalar.h.
 * Invariant: parse_timespan(timespan_format(t)) == t.
 */
#include "syntax/scalar.h"

#include <stdio.h>

#include "syntax/number.h"

#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR   (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY    (24 * USEC_PER_HOUR)
#define USEC_PER_WEEK   (7 * USEC_PER_DAY)
#define USEC_PER_MONTH  UINT64_C(2629800000000)  /* 30.4375 days */
#define USEC_PER_YEAR   UINT64_C(31557600000000) /* 365.25 days */

/* A name comes before the names that it begins with. */
static const struct {
        const char *name;
        uint64_t us;
} units[] = {
        {"seconds", USEC_PER_SEC},
        {"second", USEC_PER_SEC},
        {"sec", USEC_PER_SEC},
        {"s", USEC_PER_SEC},
        {"minutes", USEC_PER_MINUTE},
        {"minute", USEC_PER_MINUTE},
        {"min", USEC_PER_MINUTE},
        {"months", USEC_PER_MONTH},
        {"month", USEC_PER_MONTH},
        {"M", USEC_PER_MONTH},
        {"msec", USEC_PER_MSEC},
        {"ms", USEC_PER_MSEC},
        {"m", USEC_PER_MINUTE},
        {"hours", USEC_PER_HOUR},
        {"hour", USEC_PER_HOUR},
        {"hr", USEC_PER_HOUR},
        {"h", USEC_PER_HOUR},
        {"days", USEC_PER_DAY},
        {"day", USEC_PER_DAY},
        {"d", USEC_PER_DAY},
        {"weeks", USEC_PER_WEEK},
        {"week", USEC_PER_WEEK},
        {"w", USEC_PER_WEEK},
        {"years", USEC_PER_YEAR},
        {"year", USEC_PER_YEAR},
        {"y", USEC_PER_YEAR},
        {"usec", 1},
        {"us", 1},
        {"\xc2\xb5s", 1},
        {"\xce\xbcs", 1},
};

/* Takes the unit off *S; without one *ret stays. Whether there was one. */
static bool take_unit(const char **s, uint64_t *ret)
{
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (starts_with(*s, units[i].name)) {
                        *s += strlen(units[i].name);
                        *ret = units[i].us;
                        return true;
                }
        return false;
}

static const char *skip_blanks(const char *s)
{
        return s + strspn(s, " \t\n\r");
}

int parse_timespan_unit(const char *s, uint64_t unit_us, uint64_t *ret_us)
{
        uint64_t sum = 0;

        s = skip_blanks(s);
        if (starts_with(s, "infinity") && !*skip_blanks(s + strlen("infinity"))) {
                *ret_us = USEC_INFINITY;
                return 0;
        }
        do {
                uint64_t unit = unit_us;
                struct number n;
                const char *behind;
                int r = number_read(&s, &n);

                if (r < 0)
                        return r;
                behind = s;
                s = skip_blanks(s);
                if (!take_unit(&s, &unit) && s == behind && *s)
                        return -EINVAL; /* "5x", "1.2.3" */
                r = number_add(&n, unit, &sum);
                if (r < 0)
                        return r;
                s = skip_blanks(s);
        } while (*s);
        *ret_us = sum;
        return 0;
}

int parse_timespan(const char *s, uint64_t *ret_us)
{
        return parse_timespan_unit(s, USEC_PER_SEC, ret_us);
}

const char *timespan_format_accuracy(uint64_t us, uint64_t accuracy_us, char buf[static TIMESPAN_TEXT_SIZE])
{
        static const struct {
                const char *name;
                uint64_t us;
                int digits; /* that a fraction of it has; 0 = never written as a fraction */
        } parts[] = {
                {"y", USEC_PER_YEAR, 0}, {"month", USEC_PER_MONTH, 0}, {"w", USEC_PER_WEEK, 0},
                {"d", USEC_PER_DAY, 0},  {"h", USEC_PER_HOUR, 0},      {"min", USEC_PER_MINUTE, 0},
                {"s", USEC_PER_SEC, 6},  {"ms", USEC_PER_MSEC, 3},     {"us", 1, 0},
        };
        size_t at = 0;

        if (us == USEC_INFINITY)
                return strcpy(buf, "infinity");
        for (size_t i = 0; i < ARRAY_SIZE(parts) && us > 0; i++) {
                uint64_t whole = us / parts[i].us, rest = us % parts[i].us;
                int digits = parts[i].digits;

                if (at > 0 && us < accuracy_us)
                        break;
                if (whole == 0)
                        continue;
                for (uint64_t a = accuracy_us; a > 1 && digits > 0; a /= 10, digits--)
                        rest /= 10;
                at += (size_t)snprintf(buf + at, TIMESPAN_TEXT_SIZE - at, "%s%llu", at > 0 ? " " : "",
                                       (unsigned long long)whole);
                us %= parts[i].us;
                if (digits > 0 && us > 0) {
                        at += (size_t)snprintf(buf + at, TIMESPAN_TEXT_SIZE - at, ".%0*llu", digits,
                                               (unsigned long long)rest);
                        us = 0;
                }
                at += (size_t)snprintf(buf + at, TIMESPAN_TEXT_SIZE - at, "%s", parts[i].name);
        }
        return at > 0 ? buf : strcpy(buf, "0");
}

const char *timespan_format(uint64_t us, char buf[static TIMESPAN_TEXT_SIZE])
{
        return timespan_format_accuracy(us, 0, buf);
}
