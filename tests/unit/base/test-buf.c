/* SPDX-License-Identifier: MIT
 *
 * Buffers, arenas and diags: what they hold after what was put in, and the NUL behind the bytes.
 * Not here: running out of memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"

static void buf_keeps_a_nul_behind(void **state)
{
        cleanup_buf_ struct buf b = {0};

        (void)state;
        assert_string_equal(buf_str(&b), "");
        for (unsigned i = 0; i < 1000; i++) {
                assert_int_equal(buf_append_char(&b, 'x'), 0);
                assert_int_equal(b.data[b.size], 0);
        }
        assert_int_equal(b.size, 1000);
        buf_reset(&b);
        assert_int_equal(buf_printf(&b, "%s-%d", "a", 42), 0);
        assert_string_equal(buf_str(&b), "a-42");
        assert_int_equal(buf_append(&b, "\0z", 2), 0);
        assert_int_equal(b.size, 6);
        assert_memory_equal(b.data, "a-42\0z", 7);
}

static void buf_take_hands_over(void **state)
{
        cleanup_buf_ struct buf b = {0};
        cleanup_free_ char *s = NULL;

        (void)state;
        assert_int_equal(buf_append_str(&b, "hello"), 0);
        s = buf_take(&b);
        assert_string_equal(s, "hello");
        assert_int_equal(b.size, 0);
        assert_null(b.data);
}

static void arena_memory_is_zero_aligned_and_stays(void **state)
{
        cleanup_(arena_done) struct arena a = {0};
        char *first = arena_strdup(&a, "first");

        (void)state;
        for (size_t n = 1; n < 3000; n += 97) {
                unsigned char *p = arena_alloc(&a, n);

                assert_non_null(p);
                assert_int_equal((uintptr_t)p % 8, 0);
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(p[i], 0);
                memset(p, 0xff, n);
        }
        assert_string_equal(first, "first");
        assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
}

static void diag_counts_and_prints(void **state)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_buf_ struct buf out = {0};

        (void)state;
        diag_add(&d, DIAG_WARNING, "/a.service", 3, "do that", "bad %s", "thing");
        diag_add(&d, DIAG_ERROR, NULL, 0, NULL, "worse");
        diag_add(NULL, DIAG_ERROR, NULL, 0, NULL, "nobody listens");
        assert_int_equal(d.n_warnings, 1);
        assert_int_equal(d.n_errors, 1);
        assert_int_equal(d.n_entries, 2);
        assert_int_equal(diag_format(&d.entries[0], &out), 0);
        assert_string_equal(buf_str(&out), "/a.service:3: warning: bad thing; do that\n");
}

static void clock_sums_keep_infinity(void **state)
{
        (void)state;
        assert_true(usec_add(1, 2) == 3);
        assert_true(usec_add(USEC_INFINITY, 2) == USEC_INFINITY);
        assert_true(usec_add(USEC_INFINITY - 1, 2) == USEC_INFINITY);
        assert_true(usec_sub(5, 2) == 3);
        assert_true(usec_sub(2, 5) == 0);
        assert_true(usec_sub(USEC_INFINITY, 5) == USEC_INFINITY);
        assert_true(timespec_us(&(struct timespec){.tv_sec = 2, .tv_nsec = 3999}) == 2000003);
        assert_true(clock_now_us(CLOCK_MONOTONIC) > 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(buf_keeps_a_nul_behind),
                cmocka_unit_test(buf_take_hands_over),
                cmocka_unit_test(arena_memory_is_zero_aligned_and_stays),
                cmocka_unit_test(diag_counts_and_prints),
                cmocka_unit_test(clock_sums_keep_infinity),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
