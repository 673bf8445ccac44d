/* SPDX-License-Identifier: MIT
 *
 * Memory that is given back all at once: everything that a loaded unit owns
 * lies in one arena, so that a unit costs few pages and one call frees it.
 *
 * Invariant: pointers stay valid until arena_done(); zero-filled; 8-byte aligned.
 */
#ifndef SUPD_BASE_ARENA_H
#define SUPD_BASE_ARENA_H

#include "base/util.h"

struct arena_chunk;
struct arena {
        struct arena_chunk *chunks; /* owned, newest first */
};

void arena_done(struct arena *a);
void *arena_alloc(struct arena *a, size_t n); /* NULL on ENOMEM */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_strdup(struct arena *a, const char *s);

#endif
