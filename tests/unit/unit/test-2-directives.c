/* SPDX-License-Identifier: MIT
 * The table of directives: sorted, complete, and every row reads its good example and drops its bad one.
 */
#include "unit-test.h"

#include "unit/values.h"

static void rows_are_sorted_and_found(void **state unused_)
{
        for (unsigned i = 0; i < n_directives; i++) {
                const struct directive *a = &directives[i];

                if (i > 0 && (directives[i - 1].section > a->section ||
                              (directives[i - 1].section == a->section && strcmp(directives[i - 1].key, a->key) >= 0)))
                        fail_msg("%s is out of order", a->key);
                assert_ptr_equal(directive_find((enum directive_section)a->section, a->key), a);
                assert_non_null(a->doc);
                assert_true(a->doc[0] != 0);
                assert_int_equal(a->support == SUPPORT_NOTICE, a->notice != NULL);
        }
        assert_null(directive_find(SECTION_UNIT, "ExecStart"));
}

/* A file of the type that may have ROW's section, with ROW=VALUE in it. */
static struct unit *unit_with(const struct directive *row, const char *value, struct diag *d)
{
        static const char *const names[N_DIRECTIVE_SECTIONS] = {
                [SECTION_SOCKET] = "z.socket", [SECTION_TIMER] = "z.timer",         [SECTION_PATH] = "z.path",
                [SECTION_MOUNT] = "a.mount",   [SECTION_AUTOMOUNT] = "a.automount", [SECTION_SWAP] = "a.swap",
                [SECTION_SCOPE] = "a.scope"};
        const char *section = directive_section_name((enum directive_section)row->section);
        const char *name = names[row->section] ? names[row->section] : "z.service";
        char text[512];

        (void)snprintf(text, sizeof(text), "%s[%s]\n%s=%s\n",
                       streq(name, "z.service") && !streq(row->key, "ExecStart") ? "[Service]\nExecStart=/bin/a\n" : "",
                       section, row->key, value);
        return unit_of(name, text, d);
}

static void every_row_reads_a_good_value(void **state unused_)
{
        for (unsigned i = 0; i < n_directives; i++) {
                const struct directive *row = &directives[i];
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = unit_with(row, value_type_good((enum value_type)row->type), &d);

                if (row->support == SUPPORT_REFUSED) {
                        assert_int_equal(u->load_state, LOAD_BAD_SETTING);
                        assert_non_null(strstr(u->load_error, row->key));
                        assert_int_equal(d.n_errors, 1);
                        continue;
                }
                if (d.n_entries > 0 || u->load_state != LOAD_LOADED)
                        fail_msg("%s: %s", row->key, said(&d));
                assert_int_equal(row->support == SUPPORT_NOTICE,
                                 list_contains(&u->notices, row->notice ? row->notice : ""));
        }
}

static void every_row_drops_a_bad_value(void **state unused_)
{
        for (unsigned i = 0; i < n_directives; i++) {
                const struct directive *row = &directives[i];
                const char *bad = value_type_bad((enum value_type)row->type);
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = NULL;

                if (!bad)
                        continue;
                u = unit_with(row, bad, &d);
                if (d.n_warnings + d.n_errors != (streq(row->key, "ExecStart") ? 2 : 1)) /* then there is none */
                        fail_msg("%s=%s: %s", row->key, bad, said(&d));
                assert_non_null(strstr(said(&d), row->key));
                assert_non_null(strstr(said(&d), "/u/main:"));
                assert_int_equal(d.n_errors > 0, u->load_state == LOAD_BAD_SETTING);
        }
}

static void empty_values_are_no_mistake(void **state unused_)
{
        static const enum value_type lists[] = {VALUE_documentation,
                                                VALUE_units,
                                                VALUE_mounts,
                                                VALUE_condition,
                                                VALUE_commands,
                                                VALUE_environment,
                                                VALUE_environment_file,
                                                VALUE_status_set,
                                                VALUE_capabilities,
                                                VALUE_limit,
                                                VALUE_nice,
                                                VALUE_account,
                                                VALUE_path,
                                                VALUE_directory_names,
                                                VALUE_any};

        for (unsigned i = 0; i < n_directives; i++)
                for (size_t j = 0; j < ARRAY_SIZE(lists); j++) {
                        cleanup_diag_ struct diag d = {0};
                        cleanup_unit_ struct unit *u = NULL;

                        if (directives[i].type != lists[j] || streq(directives[i].key, "ExecStart"))
                                continue;
                        u = unit_with(&directives[i], "", &d);
                        if (d.n_entries > 0 || u->load_state != LOAD_LOADED || u->notices.n > 0)
                                fail_msg("%s=: %s", directives[i].key, said(&d));
                }
}

static void nearest_key(void **state unused_)
{
        unsigned groups = section_groups("Service");

        assert_string_equal(directive_nearest(groups, "ExecStrat"), "ExecStart");
        assert_string_equal(directive_nearest(groups, "execstart"), "ExecStart");
        assert_string_equal(directive_nearest(groups, "Enviroment"), "Environment");
        assert_null(directive_nearest(groups, "Frobnicate"));
        assert_null(directive_nearest(groups, "Q"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rows_are_sorted_and_found),    cmocka_unit_test(nearest_key),
                cmocka_unit_test(every_row_reads_a_good_value), cmocka_unit_test(every_row_drops_a_bad_value),
                cmocka_unit_test(empty_values_are_no_mistake),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
