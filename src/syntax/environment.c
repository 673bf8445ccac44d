/* SPDX-License-Identifier: MIT
 *
 * The list of NAME=value, and what a valid one is; see environment.h.
 *
 * Not here: the reader of environment files (environment-file.c).
 * Invariant: v[n] is NULL, and every v[i] has a '='.
 */
#include "syntax/environment.h"

#include "syntax/utf8.h"

void environment_done(struct environment *e)
{
        for (size_t i = 0; i < e->n; i++)
                free(e->v[i]);
        free(e->v);
        *e = (struct environment){0};
}

bool environment_name_valid(const char *s, size_t n)
{
        if (n == 0 || (s[0] >= '0' && s[0] <= '9'))
                return false;
        for (size_t i = 0; i < n; i++) {
                bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');

                if (!letter && s[i] != '_' && !(s[i] >= '0' && s[i] <= '9'))
                        return false;
        }
        return true;
}

bool environment_value_valid(const char *s)
{
        return utf8_is_valid(s, strlen(s));
}

bool environment_assignment_valid(const char *s)
{
        const char *e = strchr(s, '=');

        return e && environment_name_valid(s, (size_t)(e - s)) && environment_value_valid(e + 1);
}

/* The index of NAME (N bytes), or e->n. */
static size_t environment_index(const struct environment *e, const char *name, size_t n)
{
        size_t i = 0;

        while (i < e->n && !(strncmp(e->v[i], name, n) == 0 && e->v[i][n] == '='))
                i++;
        return i;
}

/* Takes ITEM over; frees it on failure. */
static int environment_take(struct environment *e, char *item)
{
        size_t i = environment_index(e, item, strcspn(item, "="));

        if (i < e->n) {
                free(e->v[i]);
                e->v[i] = item;
                return 0;
        }
        if (e->n + 2 > e->allocated) {
                size_t want = MAX2(e->allocated * 2, (size_t)16);
                char **v = realloc(e->v, want * sizeof(char *));

                if (!v) {
                        free(item);
                        return -ENOMEM;
                }
                e->v = v;
                e->allocated = want;
        }
        e->v[e->n++] = item;
        e->v[e->n] = NULL;
        return 0;
}

int environment_put(struct environment *e, const char *assignment)
{
        char *item;

        if (!environment_assignment_valid(assignment))
                return -EINVAL;
        item = strdup(assignment);
        return item ? environment_take(e, item) : -ENOMEM;
}

int environment_set(struct environment *e, const char *name, const char *value)
{
        size_t n = strlen(name), m = strlen(value);
        char *item;

        if (!environment_name_valid(name, n) || !environment_value_valid(value))
                return -EINVAL;
        item = malloc(n + m + 2);
        if (!item)
                return -ENOMEM;
        memcpy(item, name, n);
        item[n] = '=';
        memcpy(item + n + 1, value, m + 1);
        return environment_take(e, item);
}

void environment_unset(struct environment *e, const char *name_or_assignment)
{
        size_t n = strcspn(name_or_assignment, "=");
        size_t i = environment_index(e, name_or_assignment, n);

        if (i == e->n || (name_or_assignment[n] && !streq(e->v[i], name_or_assignment)))
                return;
        free(e->v[i]);
        memmove(e->v + i, e->v + i + 1, (e->n - i) * sizeof(char *));
        e->n--;
}

const char *environment_lookup(const char *name, size_t n, void *userdata)
{
        const struct environment *e = userdata;
        size_t i = environment_index(e, name, n);

        return i < e->n ? e->v[i] + n + 1 : NULL;
}

const char *environment_get(const struct environment *e, const char *name)
{
        return environment_lookup(name, strlen(name), (void *)e);
}

static int put_handler(const char *name, const char *value, unsigned line, void *userdata)
{
        (void)line;
        return environment_set(userdata, name, value);
}

int environment_put_file(struct environment *e, const char *text, size_t size,
                         struct environment_mistakes *ret_mistakes)
{
        return environment_file_read(text, size, put_handler, e, ret_mistakes);
}
