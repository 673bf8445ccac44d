/* SPDX-License-Identifier: MIT
 *
 * A growing byte buffer. The bytes always carry one NUL behind the last, so
 * that text can be read as a string.
 *
 * Not here: encodings (tlv.h). Invariant: data == NULL or data[size] == 0.
 */
#ifndef SUPD_BASE_BUF_H
#define SUPD_BASE_BUF_H

#include <stdarg.h>

#include "base/util.h"

struct buf {
        char *data; /* owned; may be NULL while size is 0 */
        size_t size, allocated;
};

void buf_done(struct buf *b);                              /* frees; b is empty and usable again */
void buf_reset(struct buf *b);                             /* empties, keeps the memory */
int buf_reserve(struct buf *b, size_t more);               /* room for MORE bytes; 0 or -ENOMEM */
int buf_append(struct buf *b, const void *data, size_t n); /* 0 or -ENOMEM */
int buf_append_str(struct buf *b, const char *s);
int buf_append_char(struct buf *b, char c);
int buf_printf(struct buf *b, const char *format, ...) printf_like_(2, 3);
int buf_vprintf(struct buf *b, const char *format, va_list ap) printf_like_(2, 0);
/* The text, "" when empty. Valid until the next change. */
static inline const char *buf_str(const struct buf *b)
{
        return b->data ? b->data : "";
}
/* Hands the bytes (malloc'ed, NUL behind them) to the caller; NULL on ENOMEM. b is empty afterwards. */
char *buf_take(struct buf *b);

#define cleanup_buf_ cleanup_(buf_done)

#endif
