/* SPDX-License-Identifier: MIT
 *
 * Words of the command line as names of unit files: escapes, suffixes, paths. Not here: patterns over units that are
 * loaded (view.c). Invariant: a name is one that systemctl would have taken the word for.
 */
#include "programs/supctl/unit-files.h"

#include <stdio.h>

void words_done(struct words_owned *w)
{
        for (unsigned i = 0; i < w->n; i++)
                free(w->v[i]);
        free(w->v);
        *w = (struct words_owned){0};
}

static int words_add(struct words_owned *w, struct buf *b)
{
        char **v = reallocarray(w->v, w->n + 1, sizeof(*v));

        if (!v)
                return -ENOMEM;
        w->v = v;
        w->v[w->n] = b->size > 0 ? buf_take(b) : strdup("");
        return w->v[w->n] ? (w->n++, 0) : -ENOMEM;
}

static bool has_suffix(const char *name)
{
        static const char *const suffixes[] = {".service", ".target", ".socket", ".timer", ".path",     ".mount",
                                               ".slice",   ".device", ".swap",   ".scope", ".automount"};

        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
                if (ends_with(name, suffixes[i]) && strlen(name) > strlen(suffixes[i]))
                        return true;
        return false;
}

static bool char_fits(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c && strchr(":-_.\\@", c));
}

/* A word as a unit name: strange bytes escaped, the suffix added. */
int name_of_word(const char *word, const char *suffix, const char *verb, struct words_owned *ret)
{
        cleanup_buf_ struct buf b = {0};
        bool strange = false;
        int r = 0;

        for (const char *p = word; *p && r >= 0; p++)
                if (char_fits(*p)) {
                        r = buf_append_char(&b, *p);
                } else {
                        strange = true;
                        r = buf_printf(&b, "\\x%02x", (unsigned char)*p);
                }
        if (is_pattern(word))
                (void)fprintf(stderr, "Glob pattern passed to %s, but globs are not supported for this.\n", verb);
        if (strange && r >= 0)
                (void)fprintf(stderr, "Invalid unit name \"%s\" escaped as \"%s\"%s.\n", word, buf_str(&b),
                              is_pattern(word) ? "" : " (maybe you should use systemd-escape?)");
        if (r >= 0 && !has_suffix(buf_str(&b)))
                r = buf_append_str(&b, suffix);
        if (r >= 0 && (b.size > 255 || b.data[0] == '@')) {
                (void)fprintf(stderr, "Failed to mangle unit name or path '%s': Invalid argument\n", word);
                return -EINVAL;
        }
        return r < 0 ? r : words_add(ret, &b);
}

/* Words with a slash are paths, made absolute. */
static int path_of_word(const char *word, struct words_owned *ret)
{
        cleanup_free_ char *here = *word == '/' ? NULL : getcwd(NULL, 0);
        cleanup_buf_ struct buf b = {0};
        int r = 0;

        if (*word != '/') {
                if (!here)
                        return -errno;
                r = buf_append_str(&b, streq(here, "/") ? "" : here);
        }
        while (starts_with(word, "./"))
                word += 2;
        if (r >= 0 && *word != '/')
                r = buf_append_char(&b, '/');
        if (r >= 0)
                r = buf_append_str(&b, word);
        return r < 0 ? r : words_add(ret, &b);
}

int names_of_words(const char *const *words, unsigned n, const char *verb, bool paths, struct words_owned *ret)
{
        int r = 0;

        for (unsigned i = 0; i < n && r >= 0; i++)
                if (strchr(words[i], '/') || paths)
                        r = path_of_word(words[i], ret);
                else
                        r = name_of_word(words[i], ".service", verb, ret);
        return r;
}
