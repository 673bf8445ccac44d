/* SPDX-License-Identifier: MIT
 *
 * Records of tag, length, value: how plans, blobs and states are written down.
 *
 *     uint16_t tag, uint16_t flags, uint32_t size (of the value), value, zero bytes up to a multiple of 8
 *
 * Host byte order: both ends are on one machine. Records are 8-byte aligned relative to the start of the buffer.
 * Not here: what tags mean. Invariant: a reader never looks beyond its end, whatever the bytes are.
 */
#ifndef SUPD_BASE_TLV_H
#define SUPD_BASE_TLV_H

#include "base/buf.h"

#define TLV_MANDATORY 0x1u /* flags: who does not know this tag must refuse the whole */

struct tlv_header {
        uint16_t tag, flags;
        uint32_t size;
};

struct tlv {
        uint16_t tag, flags;
        uint32_t size;
        const void *data; /* into the buffer that is read; 8-byte aligned when the buffer is */
};

struct tlv_reader {
        const unsigned char *p, *end;
};

/* All return 0, -ENOMEM, or -E2BIG for a value over 4 GiB. */
int tlv_append(struct buf *b, uint16_t tag, unsigned flags, const void *data, size_t size);
int tlv_append_u64(struct buf *b, uint16_t tag, unsigned flags, uint64_t v);
int tlv_append_str(struct buf *b, uint16_t tag, unsigned flags, const char *s); /* with its NUL; NULL: nothing */
/* A record that holds records: the offset that tlv_begin() gives (>= 0, or negative errno) goes to tlv_end(). */
int64_t tlv_begin(struct buf *b, uint16_t tag, unsigned flags);
int tlv_end(struct buf *b, int64_t offset);

void tlv_reader_init(struct tlv_reader *r, const void *data, size_t size);
/* 1 and a record, 0 at the end, -EBADMSG when a record is cut off. */
int tlv_next(struct tlv_reader *r, struct tlv *ret);
int tlv_get_u64(const struct tlv *t, uint64_t *ret);    /* 0 or -EBADMSG; 1, 2, 4 and 8 byte values */
int tlv_get_str(const struct tlv *t, const char **ret); /* 0 or -EBADMSG: ends in its only NUL */
void tlv_nested(const struct tlv *t, struct tlv_reader *ret);

#endif
