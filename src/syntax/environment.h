/* SPDX-License-Identifier: MIT
 *
 * Environments: assignments (rule 25), environment files (rule 26), and a list of NAME=value where the later wins.
 *
 * Not here: which sources a service gets, reading from disk.
 * Invariant: like words.h usable by supd-exec: libc and buf.c only. A name is in the list at most once.
 */
#ifndef SUPD_SYNTAX_ENVIRONMENT_H
#define SUPD_SYNTAX_ENVIRONMENT_H

#include "base/buf.h"

struct environment {
        char **v; /* owned, NULL-terminated once anything was put; each "NAME=value" owned */
        size_t n, allocated;
};

void environment_done(struct environment *e);
#define cleanup_environment_ cleanup_(environment_done)

/* "NAME=value" is put, or takes the place of NAME's older value. 0, -EINVAL (no valid assignment), -ENOMEM. */
int environment_put(struct environment *e, const char *assignment);
int environment_set(struct environment *e, const char *name, const char *value);
/* UnsetEnvironment=: "NAME" removes NAME, "NAME=value" removes it only with that value. */
void environment_unset(struct environment *e, const char *name_or_assignment);
const char *environment_get(const struct environment *e, const char *name); /* NULL when not set */
/* For words_expand_variables(): userdata is a struct environment. */
const char *environment_lookup(const char *name, size_t n, void *userdata);

bool environment_name_valid(const char *s, size_t n); /* letters, digits, _; no digit first; not empty */
bool environment_value_valid(const char *s);          /* UTF-8 */
bool environment_assignment_valid(const char *s);     /* NAME=value, both valid */

/* One assignment of an environment file. Returns 0 to go on, or a negative errno that ends the reading. */
typedef int (*environment_file_handler)(const char *name, const char *value, unsigned line, void *userdata);

struct environment_mistakes {
        unsigned n;          /* lines that were dropped: no '=', no valid name, no valid value */
        unsigned first_line; /* of the first of them; 0 = none */
};

/* Reads the text of an environment file: shell-like quotes, which may span lines; backslash-newline joins; # and ;
 * begin a comment only at the start of a line; nothing is expanded; no "export". RET_MISTAKES may be NULL. 0, -ENOMEM,
 * or what the handler returned. */
int environment_file_read(const char *text, size_t size, environment_file_handler f, void *userdata,
                          struct environment_mistakes *ret_mistakes);
/* The same, into E: later wins. */
int environment_put_file(struct environment *e, const char *text, size_t size,
                         struct environment_mistakes *ret_mistakes);

#endif
