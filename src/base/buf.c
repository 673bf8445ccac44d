/* SPDX-License-Identifier: MIT
 * See buf.h. Growth doubles, so that appending stays linear.
 */
#include "base/buf.h"

#include <stdio.h>

void buf_done(struct buf *b)
{
        free(b->data);
        *b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
        b->size = 0;
        if (b->data)
                b->data[0] = 0;
}

int buf_reserve(struct buf *b, size_t more)
{
        size_t want, size;
        char *p;

        if (more > SIZE_MAX / 4 - b->size)
                return -ENOMEM;
        want = b->size + more + 1;
        if (want <= b->allocated)
                return 0;
        size = b->allocated ? b->allocated : 64;
        while (size < want)
                size *= 2;
        p = realloc(b->data, size);
        if (!p)
                return -ENOMEM;
        b->data = p;
        b->allocated = size;
        b->data[b->size] = 0;
        return 0;
}

int buf_append(struct buf *b, const void *data, size_t n)
{
        int r = buf_reserve(b, n);
        if (r < 0)
                return r;
        if (n > 0)
                memcpy(b->data + b->size, data, n);
        b->size += n;
        b->data[b->size] = 0;
        return 0;
}

int buf_append_str(struct buf *b, const char *s)
{
        return buf_append(b, s, strlen(s));
}

int buf_append_char(struct buf *b, char c)
{
        return buf_append(b, &c, 1);
}

int buf_vprintf(struct buf *b, const char *format, va_list ap)
{
        va_list copy;
        int n, r;

        va_copy(copy, ap);
        n = vsnprintf(NULL, 0, format, copy);
        va_end(copy);
        if (n < 0)
                return -EINVAL;
        r = buf_reserve(b, (size_t)n);
        if (r < 0)
                return r;
        (void)vsnprintf(b->data + b->size, (size_t)n + 1, format, ap);
        b->size += (size_t)n;
        return 0;
}

int buf_printf(struct buf *b, const char *format, ...)
{
        va_list ap;
        int r;

        va_start(ap, format);
        r = buf_vprintf(b, format, ap);
        va_end(ap);
        return r;
}

char *buf_take(struct buf *b)
{
        char *p;

        if (buf_reserve(b, 0) < 0)
                return NULL;
        p = b->data;
        *b = (struct buf){0};
        return p;
}
