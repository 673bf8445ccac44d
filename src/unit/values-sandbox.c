/* SPDX-License-Identifier: MIT
 *
 * The values of what makes up a service's own view of the file system. See values-parts.h.
 *
 * Not here: what each word leads to (exec/plan-mounts.c). Invariant: as values.c.
 */
#include "unit/values-parts.h"

#include "syntax/scalar.h"
#include "syntax/words.h"

static int add_place(struct setting *s, struct sandbox_path *p, struct sandbox_paths *field)
{
        struct sandbox_path *v = value_grow(s->draft, field->v, field->n, sizeof(*v));

        if (!v)
                return -ENOMEM;
        p->kind = (uint8_t)s->row->extra;
        field->v = v;
        field->v[field->n++] = *p;
        return 0;
}

/* The empty value takes away what this key has set. */
static int drop_places(const struct setting *s, struct sandbox_paths *field)
{
        unsigned n = 0;

        for (unsigned i = 0; i < field->n; i++)
                if (field->v[i].kind != s->row->extra)
                        field->v[n++] = field->v[i];
        field->n = n;
        return 0;
}

/* "-": may be missing; "+": below RootDirectory=, where all of them are here. */
static char *take_prefixes(char *word, bool *ret_optional)
{
        for (; *word == '-' || *word == '+'; word++)
                if (*word == '-')
                        *ret_optional = true;
        return word;
}

static int add_path(struct setting *s, char *word, void *field)
{
        struct sandbox_path p = {0};
        int r = value_take_path(s, take_prefixes(word, &p.optional), &p.path);

        return r < 0 ? r : add_place(s, &p, field);
}

int value_sandbox_paths(struct setting *s, struct sandbox_paths *field)
{
        return value_is_empty(s) ? drop_places(s, field) : value_each_word(s, WORDS_LIST, add_path, field);
}

/* SOURCE[:TARGET[:rbind|norbind]] */
static int add_bind(struct setting *s, char *word, void *field)
{
        struct sandbox_path p = {.recursive = true};
        char *source = take_prefixes(word, &p.optional), *target = strchr(source, ':'), *options = NULL;
        int r;

        if (target)
                *target++ = 0;
        options = target ? strchr(target, ':') : NULL;
        if (options)
                *options++ = 0;
        if (options && streq(options, "norbind"))
                p.recursive = false;
        else if (options && *options && !streq(options, "rbind"))
                return value_bad_with(s, "there is no option", options);
        r = value_take_path(s, source, &p.source);
        if (r == 0)
                r = value_take_path(s, target && *target ? target : source, &p.path);
        return r < 0 ? r : add_place(s, &p, field);
}

int value_bind_paths(struct setting *s, struct sandbox_paths *field)
{
        return value_is_empty(s) ? drop_places(s, field) : value_each_word(s, WORDS_LIST, add_bind, field);
}

/* PATH[:OPTIONS] */
static int add_temporary(struct setting *s, char *word, void *field)
{
        struct sandbox_path p = {0};
        char *options = strchr(word, ':');
        int r;

        if (options)
                *options++ = 0;
        p.source = arena_strdup(&s->draft->scratch, options ? options : "");
        if (!p.source)
                return -ENOMEM;
        r = value_take_path(s, word, &p.path);
        return r < 0 ? r : add_place(s, &p, field);
}

int value_temporary_paths(struct setting *s, struct sandbox_paths *field)
{
        return value_is_empty(s) ? drop_places(s, field) : value_each_word(s, WORDS_UNQUOTE, add_temporary, field);
}

/* Booleans, and words of their own. */
int value_protect_system(struct setting *s, enum protect_system *field)
{
        bool b;

        if (protect_system_from_name(s->value, field) >= 0)
                return 0;
        if (parse_bool(s->value, &b) < 0)
                return value_bad(s, NULL);
        *field = b ? PROTECT_SYSTEM_YES : PROTECT_SYSTEM_NO;
        return 0;
}

int value_protect_home(struct setting *s, enum protect_home *field)
{
        bool b;

        if (protect_home_from_name(s->value, field) >= 0)
                return 0;
        if (parse_bool(s->value, &b) < 0)
                return value_bad(s, NULL);
        *field = b ? PROTECT_HOME_YES : PROTECT_HOME_NO;
        return 0;
}

/* yes is the default with RootDirectory=, so what counts is no. */
int value_mount_apivfs(struct setting *s, bool *field)
{
        bool b;
        int r = parse_bool(s->value, &b);

        if (r >= 0)
                *field = !b;
        return r;
}
