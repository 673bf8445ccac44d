/* SPDX-License-Identifier: MIT
 *
 * Searching enum <-> name tables; see names.h. Linear: the tables are short, and looked through while loading only.
 * Invariant: holes (NULL) are never found.
 */
#include "base/names.h"

#include <strings.h>

const char *names_get(const struct names *t, long value)
{
        return value >= 0 && value < (long)t->n ? t->v[value] : NULL;
}

int names_find(const struct names *t, const char *s)
{
        return names_find_n(t, s, strlen(s));
}

int names_find_n(const struct names *t, const char *s, size_t n)
{
        for (unsigned i = 0; i < t->n; i++)
                if (t->v[i] && strlen(t->v[i]) == n && memcmp(t->v[i], s, n) == 0)
                        return (int)i;
        return -EINVAL;
}

int names_find_nocase(const struct names *t, const char *s)
{
        for (unsigned i = 0; i < t->n; i++)
                if (t->v[i] && strcasecmp(t->v[i], s) == 0)
                        return (int)i;
        return -EINVAL;
}

int names_check(const struct names *t, unsigned *ret_index)
{
        for (unsigned i = 0; i < t->n; i++) {
                if (t->sparse && !t->v[i])
                        continue;
                if (!t->v[i] || !*t->v[i] || names_find(t, t->v[i]) != (int)i || names_get(t, i) != t->v[i]) {
                        *ret_index = i;
                        return -EINVAL;
                }
        }
        return 0;
}
