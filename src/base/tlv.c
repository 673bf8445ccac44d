/* SPDX-License-Identifier: MIT
 *
 * Writing and reading records of tag, length, value; see tlv.h.
 * Invariant: what tlv_append() wrote, tlv_next() gives back; anything else is refused without a look past the end.
 */
#include "base/tlv.h"

static int tlv_pad(struct buf *b)
{
        static const char zeros[8];

        return buf_append(b, zeros, ALIGN8(b->size) - b->size);
}

/* On failure b is as it was. */
int tlv_append(struct buf *b, uint16_t tag, unsigned flags, const void *data, size_t size)
{
        struct tlv_header h = {.tag = tag, .flags = (uint16_t)flags, .size = (uint32_t)size};
        int r;

        if (size > UINT32_MAX)
                return -E2BIG;
        r = buf_reserve(b, sizeof(h) + size + 16);
        if (r < 0)
                return r;
        r = tlv_pad(b);
        if (r >= 0)
                r = buf_append(b, &h, sizeof(h));
        if (r >= 0)
                r = buf_append(b, data, size);
        if (r >= 0)
                r = tlv_pad(b);
        return r;
}

int tlv_append_u64(struct buf *b, uint16_t tag, unsigned flags, uint64_t v)
{
        return tlv_append(b, tag, flags, &v, sizeof(v));
}

int tlv_append_str(struct buf *b, uint16_t tag, unsigned flags, const char *s)
{
        return s ? tlv_append(b, tag, flags, s, strlen(s) + 1) : 0;
}

int64_t tlv_begin(struct buf *b, uint16_t tag, unsigned flags)
{
        int64_t offset = (int64_t)ALIGN8(b->size);
        int r = tlv_append(b, tag, flags, NULL, 0);

        return r < 0 ? r : offset;
}

int tlv_end(struct buf *b, int64_t offset)
{
        struct tlv_header h;
        size_t size = b->size - (size_t)offset - sizeof(h);

        if (size > UINT32_MAX)
                return -E2BIG;
        memcpy(&h, b->data + offset, sizeof(h));
        h.size = (uint32_t)size;
        memcpy(b->data + offset, &h, sizeof(h));
        return 0;
}

void tlv_reader_init(struct tlv_reader *r, const void *data, size_t size)
{
        r->p = data;
        r->end = size > 0 ? r->p + size : r->p;
}

int tlv_next(struct tlv_reader *r, struct tlv *ret)
{
        struct tlv_header h;
        size_t left = (size_t)(r->end - r->p);

        if (left == 0)
                return 0;
        if (left < sizeof(h))
                return -EBADMSG;
        memcpy(&h, r->p, sizeof(h));
        if (h.size > left - sizeof(h))
                return -EBADMSG;
        *ret = (struct tlv){.tag = h.tag, .flags = h.flags, .size = h.size, .data = r->p + sizeof(h)};
        r->p += MIN2(left, sizeof(h) + ALIGN8((size_t)h.size));
        return 1;
}

int tlv_get_u64(const struct tlv *t, uint64_t *ret)
{
        uint8_t u8;
        uint16_t u16;
        uint32_t u32;

        if (t->size == 8) {
                memcpy(ret, t->data, 8);
        } else if (t->size == 4) {
                memcpy(&u32, t->data, 4);
                *ret = u32;
        } else if (t->size == 2) {
                memcpy(&u16, t->data, 2);
                *ret = u16;
        } else if (t->size == 1) {
                memcpy(&u8, t->data, 1);
                *ret = u8;
        } else {
                return -EBADMSG;
        }
        return 0;
}

int tlv_get_str(const struct tlv *t, const char **ret)
{
        if (t->size == 0 || memchr(t->data, 0, t->size) != (const char *)t->data + t->size - 1)
                return -EBADMSG;
        *ret = t->data;
        return 0;
}

void tlv_nested(const struct tlv *t, struct tlv_reader *ret)
{
        tlv_reader_init(ret, t->data, t->size);
}
