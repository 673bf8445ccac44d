/* SPDX-License-Identifier: MIT
 *
 * ExecStart= and its kin: one value, one or more commands (rules 14-16, 20).
 *
 * Not here: specifiers (expand them in path and words afterwards: they apply to words, never to quotes), variables
 * (at each start, words.h), whether the program exists.
 * Invariant: what comes out has a path and at least one word, and n == 0 only for the empty value, which resets.
 */
#ifndef SUPD_SYNTAX_EXEC_LINE_H
#define SUPD_SYNTAX_EXEC_LINE_H

#include "syntax/words.h"

/* The same bits as the EXEC_* flags of struct exec_command. */
#define EXEC_LINE_IGNORE_FAILURE (1u << 0) /* - */
#define EXEC_LINE_ARGV0          (1u << 1) /* @: the second word is argv[0] */
#define EXEC_LINE_NO_EXPAND      (1u << 2) /* : */
#define EXEC_LINE_FULL_PRIVILEGE (1u << 3) /* + */
#define EXEC_LINE_NO_SETUID      (1u << 4) /* ! */
#define EXEC_LINE_AMBIENT        (1u << 5) /* !! */

struct exec_line_command {
        unsigned flags;
        char *path;         /* as written behind the prefixes, unquoted; absolute or a bare name */
        struct words words; /* argv: argv[0] is the path, or with @ the word after it */
};

struct exec_line {
        struct exec_line_command *v; /* in the arena */
        unsigned n;
};

/* 0, -ENOMEM, or -EINVAL with *ret_mistake = a constant, one line, no full stop ("quote is not closed"). */
int exec_line_parse(struct arena *a, const char *value, struct exec_line *ret, const char **ret_mistake);
/* NULL when PATH (specifiers expanded) can be a command: absolute and without a final slash, or a bare file name.
 * Otherwise the mistake, a constant. */
const char *exec_line_path_mistake(const char *path);

#endif
