/* SPDX-License-Identifier: MIT
 *
 * A value split into words (rules 14-16), and variables put into words that are already split (rules 17, 18).
 *
 * Quotes " and ' may start anywhere in a word and join; C escapes (\n \t \s \x41 \101 ...) work inside and outside of
 * them; a quoted nothing is a word. No shell, no glob.
 *
 * Not here: specifiers (specifier.h), what a command line is (exec-line.h).
 * Invariant: needs libc, buf.c and arena.c only, so that supd-exec can be built with it (syntax_words_sources in
 * meson); no recursion, no limit on lengths.
 */
#ifndef SUPD_SYNTAX_WORDS_H
#define SUPD_SYNTAX_WORDS_H

#include "base/arena.h"
#include "base/buf.h"
#include "syntax/utf8.h"

struct words { /* a counted list; v[n] is NULL, so it can be an argv */
        char **v;
        unsigned n;
};

#define WORDS_UNQUOTE  (1u << 0) /* quotes group and go; without it they are ordinary bytes */
#define WORDS_UNESCAPE (1u << 1) /* C escapes; an unknown one is a mistake */
#define WORDS_RETAIN   (1u << 2) /* backslash and what follows stay both, but do not end a word or a quote */
#define WORDS_RELAX    (1u << 3) /* an open quote ends with the text; unknown escapes stay as they are */
#define WORDS_KEEP     (1u << 4) /* unknown escapes stay as they are, an open quote is a mistake */
/* With neither UNESCAPE nor RETAIN a backslash goes and what follows stays, whatever it is. */
#define WORDS_COMMAND (WORDS_UNQUOTE | WORDS_UNESCAPE)              /* Environment= */
#define WORDS_LINE    (WORDS_UNQUOTE | WORDS_UNESCAPE | WORDS_KEEP) /* ExecStart= */
#define WORDS_LIST    (WORDS_UNQUOTE | WORDS_RETAIN)                /* After=, and other lists of names */

/* Takes the next word off *S, blanks around it too, into RET (emptied first). 1, 0 when there is none; -EINVAL for a
 * quote that is not closed, -EILSEQ for a bad escape (*S unchanged both times); -ENOMEM. */
int word_next(const char **s, unsigned flags, struct buf *ret);
/* All of them. The list and its strings lie in A. 0, or errors as word_next(). */
int words_split(struct arena *a, const char *s, unsigned flags, struct words *ret);

/* Decodes the escape behind a backslash: S points behind it, N bytes are there. Returns the bytes read, or -EINVAL.
 * *ret_is_code: the value is a code point to be written as UTF-8 (\u \U), else a byte. */
int escape_decode(const char *s, size_t n, uint32_t *ret_value, bool *ret_is_code);

/* The value of variable NAME (N bytes, no NUL behind), or NULL when it is not set. */
typedef const char *(*variable_lookup)(const char *name, size_t n, void *userdata);

/* $VAR as a whole word becomes 0..n words, split at blanks (quotes in the value group); ${VAR} anywhere becomes a piece
 * of its word, empty when unset; $$ becomes $; all else stays. Values are not expanded again. The result lies in A;
 * words without a variable are shared with WORDS, not copied. 0 or -ENOMEM. */
int words_expand_variables(struct arena *a, const struct words *words, variable_lookup lookup, void *userdata,
                           struct words *ret);

#endif
