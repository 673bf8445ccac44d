/* SPDX-License-Identifier: MIT
 * See blob.h. A reader believes no size that does not fit what is there.
 */
#include "unit/blob.h"

static const char *const key_words[BLOB_UNKNOWN] = {
        [BLOB_ID] = "id",
        [BLOB_ALIAS] = "alias",
        [BLOB_STATE] = "state",
        [BLOB_BUILT_IN] = "builtin",
        [BLOB_FRAGMENT] = "fragment",
        [BLOB_DROPIN] = "dropin",
        [BLOB_WANTS] = "wants",
        [BLOB_REQUIRES] = "requires",
        [BLOB_UPHOLDS] = "upholds",
};

int blob_begin(struct buf *out)
{
        return buf_append_str(out, BLOB_MAGIC);
}

int blob_put(struct buf *out, enum blob_key key, const char *a, size_t a_size, const char *b, size_t b_size)
{
        size_t before = out->size;

        if (buf_printf(out, "%s %zu %zu\n", key_words[key], a_size, b_size) < 0 || buf_append(out, a, a_size) < 0 ||
            buf_append_char(out, '\n') < 0 || buf_append(out, b, b_size) < 0 || buf_append_char(out, '\n') < 0) {
                out->size = before;
                return -ENOMEM;
        }
        return 0;
}

int blob_open(struct blob_reader *r, const void *blob, size_t size)
{
        size_t n = strlen(BLOB_MAGIC);

        if (size < n || memcmp(blob, BLOB_MAGIC, n) != 0)
                return -EBADMSG;
        *r = (struct blob_reader){(const char *)blob + n, (const char *)blob + size};
        return 0;
}

static enum blob_key key_find(const char *word, size_t n)
{
        for (int i = 0; i < BLOB_UNKNOWN; i++)
                if (strlen(key_words[i]) == n && memcmp(key_words[i], word, n) == 0)
                        return (enum blob_key)i;
        return BLOB_UNKNOWN;
}

/* Digits up to STOP; *p ends behind it. */
static bool take_size(const char **p, const char *end, char stop, size_t *ret)
{
        size_t v = 0;
        const char *s = *p;

        for (; s < end && *s >= '0' && *s <= '9' && v < SIZE_MAX / 16; s++)
                v = v * 10 + (size_t)(*s - '0');
        if (s == *p || s >= end || *s != stop)
                return false;
        *p = s + 1;
        *ret = v;
        return true;
}

static bool take_bytes(const char **p, const char *end, size_t n, const char **ret)
{
        if (n >= (size_t)(end - *p) || (*p)[n] != '\n')
                return false;
        *ret = *p;
        *p += n + 1;
        return true;
}

int blob_next(struct blob_reader *r, struct blob_record *ret)
{
        const char *p = r->next, *blank;
        struct blob_record rec;

        if (p == r->end)
                return 0;
        blank = memchr(p, ' ', MIN2((size_t)(r->end - p), (size_t)32));
        if (!blank)
                return -EBADMSG;
        rec.key = key_find(p, (size_t)(blank - p));
        p = blank + 1;
        if (!take_size(&p, r->end, ' ', &rec.a_size) || !take_size(&p, r->end, '\n', &rec.b_size) ||
            !take_bytes(&p, r->end, rec.a_size, &rec.a) || !take_bytes(&p, r->end, rec.b_size, &rec.b))
                return -EBADMSG;
        r->next = p;
        *ret = rec;
        return 1;
}
