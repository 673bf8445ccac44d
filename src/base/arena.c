/* SPDX-License-Identifier: MIT
 * See arena.h. Chunks start small, since most units are small.
 */
#include "base/arena.h"

struct arena_chunk {
        struct arena_chunk *next;
        size_t size, used;
        max_align_t data[];
};

enum { ARENA_FIRST = 480, ARENA_NEXT = 2000 };

void arena_done(struct arena *a)
{
        struct arena_chunk *c = a->chunks;

        while (c) {
                struct arena_chunk *next = c->next;
                free(c);
                c = next;
        }
        a->chunks = NULL;
}

void *arena_alloc(struct arena *a, size_t n)
{
        struct arena_chunk *c = a->chunks;
        void *p;

        if (n > SIZE_MAX / 2)
                return NULL;
        n = ALIGN8(n ? n : 1);
        if (!c || c->size - c->used < n) {
                size_t size = MAX2(n, (size_t)(c ? ARENA_NEXT : ARENA_FIRST));
                struct arena_chunk *fresh = calloc(1, sizeof(*fresh) + size);
                if (!fresh)
                        return NULL;
                fresh->size = size;
                fresh->next = c;
                a->chunks = c = fresh;
        }
        p = (char *)c->data + c->used;
        c->used += n;
        return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
        char *p = arena_alloc(a, n + 1);

        if (p)
                memcpy(p, s, n);
        return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
        return arena_strndup(a, s, strlen(s));
}
