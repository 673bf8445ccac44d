/* SPDX-License-Identifier: MIT
 *
 * 128-bit ids: spelling, and that random ones are what they say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/id128.h"

static void both_spellings_are_read(void **state)
{
        struct id128 a = {0}, b = {0};
        char text[ID128_TEXT_SIZE];

        (void)state;
        assert_int_equal(id128_parse("0123456789abcdefFEDCBA9876543210", &a), 0);
        assert_int_equal(id128_parse("01234567-89ab-cdef-fedc-ba9876543210\n", &b), 0);
        assert_true(id128_equal(&a, &b));
        id128_format(&a, text);
        assert_string_equal(text, "0123456789abcdeffedcba9876543210");
}

static void others_are_refused(void **state)
{
        static const char *const bad[] = {"",
                                          "0",
                                          "0123456789abcdeffedcba987654321",
                                          "0123456789abcdeffedcba98765432100",
                                          "0123456789abcdeffedcba987654321g",
                                          "01234567-89abcdef-fedc-ba9876543210",
                                          "01234567-89ab-cdef-fedc-ba98765432100"};
        struct id128 a = {0};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(id128_parse(bad[i], &a), -EINVAL);
        assert_true(id128_is_null(&a));
}

static void random_ids_are_version_4_and_differ(void **state)
{
        struct id128 a = {0}, b = {0};

        (void)state;
        assert_int_equal(id128_random(&a), 0);
        assert_int_equal(id128_random(&b), 0);
        assert_false(id128_is_null(&a));
        assert_false(id128_equal(&a, &b));
        assert_int_equal(a.b[6] >> 4, 4);
        assert_int_equal(a.b[8] >> 6, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(both_spellings_are_read),
                cmocka_unit_test(others_are_refused),
                cmocka_unit_test(random_ids_are_version_4_and_differ),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
