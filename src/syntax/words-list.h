/* SPDX-License-Identifier: MIT
 *
 * How a list of words grows: pointers in a buf, strings in an arena. Inside this room only.
 *
 * Invariant: every pointer in LIST points into the arena it is finished with.
 */
#ifndef SUPD_SYNTAX_WORDS_LIST_H
#define SUPD_SYNTAX_WORDS_LIST_H

#include "syntax/words.h"

/* All return 0 or -ENOMEM; words_list_split() also what word_next() returns. */
int words_list_append(struct arena *a, struct buf *list, const char *s, size_t n);
int words_list_split(struct arena *a, struct buf *list, const char *s, unsigned flags);
int words_list_finish(struct arena *a, const struct buf *list, struct words *ret);

#endif
