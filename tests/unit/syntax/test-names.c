/* SPDX-License-Identifier: MIT
 *
 * The room's enum <-> name tables, all through the one generic check.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "syntax/scalar.h"

static void every_table_is_sound(void **state)
{
        static const struct names *const tables[] = {&signal_names, &exit_status_names, &rlimit_names, &io_class_names,
                                                     &cpu_policy_names};
        unsigned index = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                if (names_check(tables[i], &index) < 0)
                        fail_msg("%s: index %u", tables[i]->what, index);
}

static void every_name_is_taken_back(void **state)
{
        int v = 0;

        (void)state;
        for (int i = 0; i < 256; i++) {
                if (signal_name(i)) {
                        assert_int_equal(parse_signal(signal_name(i), &v), 0);
                        assert_int_equal(v, i);
                }
                if (exit_status_name(i)) {
                        assert_int_equal(parse_exit_status(exit_status_name(i), &v), 0);
                        assert_int_equal(v, i);
                }
                if (cpu_policy_name(i)) {
                        assert_int_equal(parse_cpu_policy(cpu_policy_name(i), &v), 0);
                        assert_int_equal(v, i);
                }
                if (rlimit_name(i))
                        assert_int_equal(rlimit_from_name(rlimit_name(i)), i);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_table_is_sound),
                cmocka_unit_test(every_name_is_taken_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
