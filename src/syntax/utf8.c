/* SPDX-License-Identifier: MIT
 *
 * See utf8.h. RFC 3629, sequence by sequence.
 * Invariant: utf8_is_valid() holds for everything utf8_append() writes.
 */
#include "syntax/utf8.h"

/* Bytes of the sequence that LEAD begins; 0 when none begins so. */
static size_t sequence_size(unsigned char lead)
{
        if (lead < 0x80)
                return lead > 0;
        if (lead < 0xc2)
                return 0;
        if (lead < 0xe0)
                return 2;
        if (lead < 0xf0)
                return 3;
        return lead < 0xf5 ? 4 : 0;
}

static bool sequence_valid(const unsigned char *s, size_t n)
{
        static const uint32_t first_code[] = {0, 1, 0x80, 0x800, 0x10000}; /* by size: smaller ones are overlong */
        uint32_t code = n == 1 ? s[0] : s[0] & (0x7fu >> n);

        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return false;
                code = code << 6 | (s[i] & 0x3f);
        }
        return code >= first_code[n] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

bool utf8_is_valid(const char *s, size_t n)
{
        const unsigned char *p = (const unsigned char *)s;

        for (size_t i = 0; i < n;) {
                size_t size = sequence_size(p[i]);

                if (size == 0 || size > n - i || !sequence_valid(p + i, size))
                        return false;
                i += size;
        }
        return true;
}

int utf8_append(struct buf *b, uint32_t code)
{
        static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
        size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        char s[4] = {0};

        if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
                return -EINVAL;
        for (size_t i = 3; i > 0; i--) {
                if (i >= n)
                        continue;
                s[i] = (char)(0x80 | (code & 0x3f));
                code >>= 6;
        }
        s[0] = (char)(lead[n] | code);
        return buf_append(b, s, n);
}
