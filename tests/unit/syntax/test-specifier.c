/* SPDX-License-Identifier: MIT
 *
 * %x in values (rule 12, and rule 5: "%" at the end).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "syntax/specifier.h"

static struct specifier_value values[] = {{'i', "inst"}, {'n', "a@inst.service"}, {'p', "%i"}, {'e', NULL}, {0, NULL}};

static void check(const char *text, int result, const char *expected, char unknown)
{
        cleanup_buf_ struct buf out = {0};
        char letter = 0;
        int r;

        assert_int_equal(buf_append_str(&out, "<"), 0);
        r = specifier_expand(text, specifier_from_table, values, &out, &letter);
        if (r != result || letter != unknown || !streq(out.data + 1, expected))
                fail_msg("<%s>: %d, <%s>, %c", text, r, buf_str(&out), letter);
}

static void known_ones_are_expanded(void **state)
{
        (void)state;
        check("", 0, "", 0);
        check("plain", 0, "plain", 0);
        check("%i", 0, "inst", 0);
        check("a%ib%n", 0, "ainstba@inst.service", 0);
        check("x%ey", 0, "xy", 0);
}

static void results_are_not_looked_at_again(void **state)
{
        (void)state;
        check("%p", 0, "%i", 0);
        check("%%i", 0, "%i", 0);
        check("%%%i", 0, "%inst", 0);
}

static void lone_percent_signs_stay(void **state)
{
        (void)state;
        check("100%", 0, "100%", 0);
        check("% %- %/%.", 0, "% %- %/%.", 0);
        check("%%", 0, "%", 0);
}

static void unknown_ones_are_named(void **state)
{
        (void)state;
        check("%i %Q", -ENOENT, "", 'Q');
        check("%5", -ENOENT, "", '5');
}

static int refuse(char letter, void *userdata, struct buf *out)
{
        (void)letter;
        (void)userdata;
        (void)buf_append_str(out, "half");
        return -ENXIO;
}

static void failures_leave_the_output(void **state)
{
        cleanup_buf_ struct buf out = {0};
        char letter = 0;

        (void)state;
        assert_int_equal(buf_append_str(&out, "kept"), 0);
        assert_int_equal(specifier_expand("x%i", refuse, NULL, &out, &letter), -ENXIO);
        assert_string_equal(buf_str(&out), "kept");
        assert_int_equal(out.size, 4);
        assert_int_equal(letter, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(known_ones_are_expanded),   cmocka_unit_test(results_are_not_looked_at_again),
                cmocka_unit_test(lone_percent_signs_stay),   cmocka_unit_test(unknown_ones_are_named),
                cmocka_unit_test(failures_leave_the_output),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
