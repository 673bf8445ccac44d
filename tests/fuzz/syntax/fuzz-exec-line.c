/* SPDX-License-Identifier: MIT
 *
 * Any text as a command line: what is taken has a path and words, can be written down and read back, and has its
 * variables expanded. All ways of splitting are tried on it, too.
 */
#include <string.h>

#include "fuzz.h"
#include "syntax/environment.h"
#include "syntax/exec-line.h"

/* The byte as an escape, so that nothing in it can mean anything. */
static void spell(struct buf *out, const char *s)
{
        CLAIM(buf_append_char(out, '"') == 0);
        for (; *s; s++)
                CLAIM(buf_printf(out, "\\x%02x", (unsigned)(unsigned char)*s) == 0);
        CLAIM(buf_append_str(out, "\" ") == 0);
}

static void check_again(const struct exec_line_command *c)
{
        static const char letters[] = "-@:+!";
        cleanup_(arena_done) struct arena a = {0};
        cleanup_buf_ struct buf text = {0}, first = {0};
        struct exec_line line = {0};
        const char *mistake = NULL;

        if (strchr("-@:+!", c->path[0]))
                return; /* "--x" and the like: which dash is whose cannot be written down */
        for (unsigned i = 0; letters[i]; i++)
                if (c->flags & (1u << i))
                        CLAIM(buf_append_char(&first, letters[i]) == 0);
        if (c->flags & EXEC_LINE_AMBIENT)
                CLAIM(buf_append_str(&first, "!!") == 0);
        CLAIM(buf_append_str(&first, c->path) == 0);
        spell(&text, buf_str(&first));
        for (unsigned i = c->flags & EXEC_LINE_ARGV0 ? 0 : 1; i < c->words.n; i++)
                spell(&text, c->words.v[i]);
        CLAIM(exec_line_parse(&a, buf_str(&text), &line, &mistake) == 0);
        CLAIM(line.n == 1 && line.v[0].flags == c->flags && streq(line.v[0].path, c->path));
        CLAIM(line.v[0].words.n == c->words.n);
        for (unsigned i = 0; i < c->words.n; i++)
                CLAIM(streq(line.v[0].words.v[i], c->words.v[i]));
}

static void check_expansion(struct arena *a, const struct exec_line_command *c)
{
        static char *assignments[] = {"A=one 'two three' \\ \"", "B=$A ${A}", "C=", NULL};
        struct environment e = {.v = assignments, .n = 3};
        struct words out = {0};

        CLAIM(words_expand_variables(a, &c->words, environment_lookup, &e, &out) == 0);
        CLAIM(out.v && !out.v[out.n]);
}

static void check_splits(const char *text)
{
        for (unsigned flags = 0; flags < 16; flags++) {
                cleanup_(arena_done) struct arena a = {0};
                struct words w = {0};
                int r = words_split(&a, text, flags, &w);

                CLAIM(r == 0 || ((r == -EINVAL || r == -EILSEQ) && !w.v));
                CLAIM(r == 0 || !(flags & WORDS_RELAX));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        cleanup_(arena_done) struct arena a = {0};
        cleanup_buf_ struct buf text = {0};
        struct exec_line line = {0};
        const char *mistake = NULL;
        int r;

        CLAIM(buf_append(&text, data, size) == 0);
        r = exec_line_parse(&a, buf_str(&text), &line, &mistake);
        CLAIM(r == 0 ? !mistake : r == -EINVAL && mistake && !line.v);
        for (unsigned i = 0; i < line.n; i++) {
                CLAIM(*line.v[i].path && line.v[i].words.n > 0 && *line.v[i].words.v[0]);
                check_again(&line.v[i]);
                check_expansion(&a, &line.v[i]);
        }
        check_splits(buf_str(&text));
        return 0;
}
