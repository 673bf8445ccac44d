/* SPDX-License-Identifier: MIT
 *
 * Enum <-> name tables, and that their check finds every kind of bad table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/names.h"

enum colour {
        RED,
        GREEN,
        BLUE,
};

static const char *const colour_words[] = {[RED] = "red", [GREEN] = "green", [BLUE] = "blue"};
ENUM_NAMES_DEFINE(colour, enum colour, colour_words)

static void macro_gives_printer_and_parser(void **state)
{
        enum colour c = RED;

        (void)state;
        assert_string_equal(colour_name(GREEN), "green");
        assert_null(colour_name((enum colour)3));
        assert_int_equal(colour_from_name("blue", &c), 0);
        assert_int_equal(c, BLUE);
        assert_int_equal(colour_from_name("Blue", &c), -EINVAL);
        assert_int_equal(colour_from_name("", &c), -EINVAL);
        assert_int_equal(c, BLUE);
}

static void find_by_case_and_by_size(void **state)
{
        (void)state;
        assert_int_equal(names_find_nocase(&colour_names, "GREEN"), GREEN);
        assert_int_equal(names_find_n(&colour_names, "redder", 3), RED);
        assert_int_equal(names_find_n(&colour_names, "redder", 4), -EINVAL);
        assert_null(names_get(&colour_names, -1));
}

static void check_finds_bad_tables(void **state)
{
        static const char *const hole[] = {"a", NULL, "c"}, *const twice[] = {"a", "b", "a"},
                                 *const empty[] = {"a", ""};
        unsigned index = 99;

        (void)state;
        assert_int_equal(names_check(&colour_names, &index), 0);
        assert_int_equal(names_check(&(struct names){"hole", hole, 3}, &index), -EINVAL);
        assert_int_equal(index, 1);
        assert_int_equal(names_check(&(struct names){"hole", hole, 3, .sparse = true}, &index), 0);
        assert_int_equal(names_check(&(struct names){"twice", twice, 3}, &index), -EINVAL);
        assert_int_equal(index, 2);
        assert_int_equal(names_check(&(struct names){"empty", empty, 2}, &index), -EINVAL);
        assert_int_equal(index, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(macro_gives_printer_and_parser),
                cmocka_unit_test(find_by_case_and_by_size),
                cmocka_unit_test(check_finds_bad_tables),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
