/* SPDX-License-Identifier: MIT
 * Names: of enum values, and of units.
 */
#include "unit-test.h"

#include "unit/names.h"

static void every_enum_value_has_a_name(void **state unused_)
{
        static const struct {
                const struct names *table;
                unsigned n;
        } tables[] = {
#define TABLE(e, count) {&e##_names, count},
                UNIT_ENUMS(TABLE)};

        for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
                unsigned index = 0;
                if (names_check(tables[i].table, &index) < 0)
                        fail_msg("%s has no proper name at %u", tables[i].table->what, index);
                assert_int_equal(tables[i].table->n, tables[i].n);
        }
}

static void names_are_systemds(void **state unused_)
{
        assert_string_equal(unit_type_name(UNIT_SOCKET), "socket");
        assert_string_equal(unit_load_state_name(LOAD_BAD_SETTING), "bad-setting");
        assert_string_equal(service_restart_name(RESTART_ON_ABNORMAL), "on-abnormal");
        assert_string_equal(exec_kind_name(EXEC_STOP_POST), "ExecStopPost");
        assert_string_equal(unit_dependency_name(DEP_PART_OF), "PartOf");
        assert_null(kill_mode_name(N_KILL_MODES));
}

static void unit_names_valid_and_not(void **state unused_)
{
        static const char *const good[] = {"a.service", "a-b@c.d@e.service", "-.mount",
                                           "x@.timer",  "a\\x2db.path",      "a.device"};
        static const char *const bad[] = {"",      "a",         ".service", "@a.service", "a/b.service", "a b.service",
                                          "a.txt", "a.service@"};
        char longest[300];

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_true(unit_name_valid(good[i]));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(unit_name_valid(bad[i]));
        memset(longest, 'a', sizeof(longest));
        strcpy(longest + 247, ".service");
        assert_true(unit_name_valid(longest));
        strcpy(longest + 248, ".service");
        assert_false(unit_name_valid(longest));
}

static void unit_names_taken_apart(void **state unused_)
{
        char name[UNIT_NAME_MAX + 1];

        assert_true(unit_name_is_template("a@.service"));
        assert_false(unit_name_is_template("a@b.service"));
        assert_false(unit_name_is_template("a.service"));
        assert_true(unit_name_is_instance("a@b.service"));
        assert_int_equal(unit_name_type("a@b.socket"), UNIT_SOCKET);
        assert_int_equal(unit_name_type("a.swap"), UNIT_OTHER);
        assert_int_equal(unit_name_template("a@b@c.service", name), 0);
        assert_string_equal(name, "a@.service");
        assert_int_equal(unit_name_instantiate("a@.service", "xyz", 1, name), 0);
        assert_string_equal(name, "a@x.service");
        assert_int_equal(unit_name_instantiate("a.service", "x", 1, name), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_enum_value_has_a_name),
                cmocka_unit_test(names_are_systemds),
                cmocka_unit_test(unit_names_valid_and_not),
                cmocka_unit_test(unit_names_taken_apart),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
