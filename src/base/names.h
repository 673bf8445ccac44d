/* SPDX-License-Identifier: MIT
 *
 * Enum <-> name tables. One table per enum gives the printer, the parser and the list for help texts; one generic check
 * (names_check) proves any of them.
 *
 *     static const char *const kill_mode_words[N_KILL_MODES] = {[KILL_MIXED] = "mixed", ...};
 *     ENUM_NAMES_DEFINE(kill_mode, enum kill_mode, kill_mode_words)
 *
 * gives  const char *kill_mode_name(enum kill_mode v)                     NULL when v is out of range or has no name
 *        int kill_mode_from_name(const char *s, enum kill_mode *ret)      0 or -EINVAL, exact spelling
 *        const struct names kill_mode_names                               for the check, help and completion
 *
 * Invariant: the index is the value; a name occurs once.
 */
#ifndef SUPD_BASE_NAMES_H
#define SUPD_BASE_NAMES_H

#include "base/util.h"

struct names {
        const char *what; /* the enum's name, for messages */
        const char *const *v;
        unsigned n;
        bool sparse; /* holes are meant: not every value has a name */
};

const char *names_get(const struct names *t, long value);         /* NULL when there is none */
int names_find(const struct names *t, const char *s);             /* the index, or -EINVAL */
int names_find_nocase(const struct names *t, const char *s);      /* likewise, ASCII case ignored */
int names_find_n(const struct names *t, const char *s, size_t n); /* the first n bytes of s */
/* Proves a table: no hole (unless sparse), no empty word, no word twice, every word found at its index. Returns 0, or
 * -EINVAL with the offending index in *ret_index. */
int names_check(const struct names *t, unsigned *ret_index);

#define ENUM_NAMES_DECLARE(prefix, type)                                                                               \
        extern const struct names prefix##_names;                                                                      \
        const char *prefix##_name(type v);                                                                             \
        int prefix##_from_name(const char *s, type *ret);

#define ENUM_NAMES_DEFINE(prefix, type, words)                                                                         \
        ENUM_NAMES_DECLARE(prefix, type)                                                                               \
        const struct names prefix##_names = {#prefix, words, ARRAY_SIZE(words)};                                       \
        const char *prefix##_name(type v)                                                                              \
        {                                                                                                              \
                return names_get(&prefix##_names, (long)v);                                                            \
        }                                                                                                              \
        int prefix##_from_name(const char *s, type *ret)                                                               \
        {                                                                                                              \
                int names_index_ = names_find(&prefix##_names, s);                                                     \
                if (names_index_ < 0)                                                                                  \
                        return names_index_;                                                                           \
                *ret = (type)names_index_;                                                                             \
                return 0;                                                                                              \
        }

#endif
