/* SPDX-License-Identifier: MIT
 *
 * TLV records: what was written is read, and no cut of it is read past its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/tlv.h"

static void records_come_back(void **state)
{
        cleanup_buf_ struct buf b = {0};
        struct tlv_reader r;
        struct tlv t;
        uint64_t v = 0;
        const char *s = NULL;

        (void)state;
        assert_int_equal(tlv_append_str(&b, 1, TLV_MANDATORY, "hello"), 0);
        assert_int_equal(tlv_append_u64(&b, 2, 0, UINT64_C(0x1122334455667788)), 0);
        assert_int_equal(tlv_append(&b, 3, 0, NULL, 0), 0);
        assert_int_equal(tlv_append_str(&b, 4, 0, NULL), 0);
        assert_int_equal(b.size % 8, 0);
        tlv_reader_init(&r, b.data, b.size);
        assert_int_equal(tlv_next(&r, &t), 1);
        assert_int_equal(t.tag, 1);
        assert_int_equal(t.flags, TLV_MANDATORY);
        assert_int_equal((uintptr_t)t.data % 8, 0);
        assert_int_equal(tlv_get_str(&t, &s), 0);
        assert_string_equal(s, "hello");
        assert_int_equal(tlv_get_u64(&t, &v), -EBADMSG);
        assert_int_equal(tlv_next(&r, &t), 1);
        assert_int_equal(tlv_get_u64(&t, &v), 0);
        assert_true(v == UINT64_C(0x1122334455667788));
        assert_int_equal(tlv_get_str(&t, &s), -EBADMSG);
        assert_int_equal(tlv_next(&r, &t), 1);
        assert_int_equal(t.size, 0);
        assert_int_equal(tlv_get_str(&t, &s), -EBADMSG);
        assert_int_equal(tlv_next(&r, &t), 0);
}

static void small_numbers_widen(void **state)
{
        struct tlv t = {.data = "\x01\x02\x03\x04\x05\x06\x07\x08"};
        uint64_t v = 0;

        (void)state;
        t.size = 1;
        assert_int_equal(tlv_get_u64(&t, &v), 0);
        assert_int_equal(v, 1);
        t.size = 2;
        assert_int_equal(tlv_get_u64(&t, &v), 0);
        assert_true(v == *(const uint16_t *)"\x01\x02");
        t.size = 4;
        assert_int_equal(tlv_get_u64(&t, &v), 0);
        assert_true(v == *(const uint32_t *)"\x01\x02\x03\x04");
        t.size = 3;
        assert_int_equal(tlv_get_u64(&t, &v), -EBADMSG);
}

static void records_nest(void **state)
{
        cleanup_buf_ struct buf b = {0};
        struct tlv_reader r, inner;
        struct tlv t;
        int64_t at;

        (void)state;
        assert_int_equal(tlv_append_str(&b, 1, 0, "before"), 0);
        at = tlv_begin(&b, 7, 0);
        assert_true(at > 0);
        assert_int_equal(tlv_append_str(&b, 8, 0, "a"), 0);
        assert_int_equal(tlv_append_str(&b, 9, 0, "b"), 0);
        assert_int_equal(tlv_end(&b, at), 0);
        assert_int_equal(tlv_append_str(&b, 2, 0, "after"), 0);
        tlv_reader_init(&r, b.data, b.size);
        assert_int_equal(tlv_next(&r, &t), 1);
        assert_int_equal(tlv_next(&r, &t), 1);
        assert_int_equal(t.tag, 7);
        tlv_nested(&t, &inner);
        assert_int_equal(tlv_next(&inner, &t), 1);
        assert_int_equal(t.tag, 8);
        assert_int_equal(tlv_next(&inner, &t), 1);
        assert_int_equal(t.tag, 9);
        assert_int_equal(tlv_next(&inner, &t), 0);
        assert_int_equal(tlv_next(&r, &t), 1);
        assert_int_equal(t.tag, 2);
        assert_int_equal(tlv_next(&r, &t), 0);
}

/* Every cut lies in memory of just its size, so that the sanitizers see a byte too many. */
static void cut_records_are_refused(void **state)
{
        cleanup_buf_ struct buf b = {0};

        (void)state;
        assert_int_equal(tlv_append_str(&b, 1, 0, "hello, world"), 0);
        for (size_t n = 1; n < sizeof(struct tlv_header) + 13; n++) {
                cleanup_free_ char *copy = malloc(n);
                struct tlv_reader r;
                struct tlv t;

                memcpy(copy, b.data, n);
                tlv_reader_init(&r, copy, n);
                assert_int_equal(tlv_next(&r, &t), -EBADMSG);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(records_come_back),
                cmocka_unit_test(small_numbers_widen),
                cmocka_unit_test(records_nest),
                cmocka_unit_test(cut_records_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
