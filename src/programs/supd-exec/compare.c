/* SPDX-License-Identifier: MIT
 * See compare.h.
 */
#include "compare.h"

#include <ctype.h>
#include <fnmatch.h>

/* Versions: runs of digits by value, runs of anything else by letters, '~' before everything. */
static int compare_versions(const char *a, const char *b)
{
        while (*a || *b) {
                if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
                        char *end_a, *end_b;
                        unsigned long long x = strtoull(a, &end_a, 10), y = strtoull(b, &end_b, 10);

                        if (x != y)
                                return x < y ? -1 : 1;
                        a = end_a;
                        b = end_b;
                        continue;
                }
                if (*a != *b) {
                        if (*a == '~' || *b == '~')
                                return *a == '~' ? -1 : 1;
                        return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
                }
                a++;
                b++;
        }
        return 0;
}

enum comparison compare_take(const char **s)
{
        static const struct {
                const char *text;
                enum comparison c;
        } operators[] = {{"$=", GLOB},      {"!$=", NOT_GLOB}, {"<=", LOWER_EQUAL}, {">=", GREATER_EQUAL},
                         {"!=", NOT_EQUAL}, {"<>", NOT_EQUAL}, {"==", EQUAL},       {"<", LOWER},
                         {">", GREATER},    {"=", EQUAL}};

        for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
                if (starts_with(*s, operators[i].text)) {
                        *s += strlen(operators[i].text);
                        *s += strspn(*s, " \t");
                        return operators[i].c;
                }
        return NO_COMPARISON;
}

/* Whether an order of -1, 0 or 1 is what the operator asks for. */
static int comparison_holds(enum comparison c, int order)
{
        switch (c) {
        case LOWER_EQUAL:
                return order <= 0;
        case GREATER_EQUAL:
                return order >= 0;
        case NOT_EQUAL:
                return order != 0;
        case LOWER:
                return order < 0;
        case GREATER:
                return order > 0;
        case EQUAL:
        case NO_COMPARISON:
                return order == 0;
        case GLOB:
        case NOT_GLOB:
                break;
        }
        return -EINVAL;
}

int compare_texts(enum comparison c, const char *have, const char *want)
{
        if (c == GLOB || c == NOT_GLOB)
                return (fnmatch(want, have, 0) == 0) == (c == GLOB);
        return comparison_holds(c, compare_versions(have, want));
}

static int order_of(uint64_t a, uint64_t b)
{
        return a < b ? -1 : a > b ? 1 : 0;
}

/* "4", "1.5G": powers of 1024. False when it is no size. */
static bool parse_bytes(const char *s, uint64_t *ret)
{
        static const char units[] = "BKMGTPE";
        char *end;
        double v = strtod(s, &end);
        const char *unit = *end ? strchr(units, *end) : units;

        if (end == s || !unit || v < 0 || (*end && end[1]))
                return false;
        for (; unit > units; unit--)
                v *= 1024;
        if (v >= 1.8e19)
                return false;
        *ret = (uint64_t)v;
        return true;
}

int compare_amount(const char *p, uint64_t have, bool bytes)
{
        enum comparison c = compare_take(&p);
        uint64_t want;
        char *end;

        if (bytes) {
                if (!parse_bytes(p, &want))
                        return -EINVAL;
        } else {
                want = strtoull(p, &end, 10);
                if (end == p || *end)
                        return -EINVAL;
        }
        return comparison_holds(c == NO_COMPARISON ? GREATER_EQUAL : c, order_of(have, want));
}

const char *compare_trim(struct buf *text)
{
        while (text->size > 0 && strchr(" \t\n", text->data[text->size - 1]))
                text->data[--text->size] = 0;
        return buf_str(text) + strspn(buf_str(text), " \t\n");
}
