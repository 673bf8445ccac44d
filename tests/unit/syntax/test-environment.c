/* SPDX-License-Identifier: MIT
 *
 * Environments (rules 25 and 26): the list, valid assignments, environment files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "syntax/environment.h"

static void later_wins_in_place(void **state)
{
        cleanup_environment_ struct environment e = {0};

        (void)state;
        assert_null(environment_get(&e, "A"));
        assert_int_equal(environment_put(&e, "A=1"), 0);
        assert_int_equal(environment_put(&e, "AB=2"), 0);
        assert_int_equal(environment_set(&e, "A", "three=3"), 0);
        assert_int_equal(e.n, 2);
        assert_string_equal(e.v[0], "A=three=3");
        assert_string_equal(environment_get(&e, "AB"), "2");
        assert_string_equal(environment_lookup("ABC", 2, &e), "2");
        assert_null(environment_get(&e, "B"));
        assert_null(e.v[e.n]);
}

static void many_are_kept(void **state)
{
        cleanup_environment_ struct environment e = {0};
        char s[32];

        (void)state;
        for (int i = 0; i < 100; i++) {
                (void)snprintf(s, sizeof(s), "V%d=%d", i, i);
                assert_int_equal(environment_put(&e, s), 0);
                assert_null(e.v[e.n]);
        }
        assert_int_equal(e.n, 100);
        assert_string_equal(environment_get(&e, "V99"), "99");
}

static void unset_by_name_or_assignment(void **state)
{
        cleanup_environment_ struct environment e = {0};

        (void)state;
        environment_unset(&e, "A");
        assert_int_equal(environment_put(&e, "A=1"), 0);
        assert_int_equal(environment_put(&e, "B=2"), 0);
        assert_int_equal(environment_put(&e, "C=3"), 0);
        environment_unset(&e, "B=3");
        assert_string_equal(environment_get(&e, "B"), "2");
        environment_unset(&e, "B=2");
        assert_null(environment_get(&e, "B"));
        environment_unset(&e, "A");
        assert_int_equal(e.n, 1);
        assert_string_equal(e.v[0], "C=3");
        assert_null(e.v[1]);
}

static void invalid_assignments_are_refused(void **state)
{
        static const char *const bad[] = {"",           "A",     "=1",     "1A=x",      "A B=1",
                                          "export A=1", "A-B=1", "A=\xff", "\xc3\xa4=1"};
        cleanup_environment_ struct environment e = {0};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                assert_false(environment_assignment_valid(bad[i]));
                assert_int_equal(environment_put(&e, bad[i]), -EINVAL);
        }
        assert_int_equal(e.n, 0);
        assert_true(environment_assignment_valid("_a9="));
        assert_true(environment_assignment_valid("A=\t\xc3\xa4\n=x"));
        assert_int_equal(environment_set(&e, "A B", ""), -EINVAL);
}

/* Expected: "NAME=value|" each; then mistakes and the line of the first. */
static void check_file(const char *text, const char *expected, unsigned n_mistakes, unsigned first_line)
{
        cleanup_environment_ struct environment e = {0};
        cleanup_buf_ struct buf joined = {0};
        struct environment_mistakes m = {99, 99};

        assert_int_equal(environment_put_file(&e, text, strlen(text), &m), 0);
        for (size_t i = 0; i < e.n; i++)
                assert_int_equal(buf_printf(&joined, "%s|", e.v[i]), 0);
        if (!streq(buf_str(&joined), expected) || m.n != n_mistakes || m.first_line != first_line)
                fail_msg("<%s>: <%s>, %u mistakes, first %u", text, buf_str(&joined), m.n, m.first_line);
}

static void files_plain(void **state)
{
        (void)state;
        check_file("", "", 0, 0);
        check_file("A=1\nB=2", "A=1|B=2|", 0, 0);
        check_file("  A = 1 2  \n\n\tB=\n", "A=1 2|B=|", 0, 0);
        check_file("A=1\r\nB=2\r\n", "A=1|B=2|", 0, 0);
        check_file("A=1\nA=2\n", "A=2|", 0, 0);
        check_file("A=$B ${C} `d` %i *\n", "A=$B ${C} `d` %i *|", 0, 0);
}

static void files_comments(void **state)
{
        (void)state;
        check_file("# x=1\n ; y=2\nA=1 # not\nB=a;b\n", "A=1 # not|B=a;b|", 0, 0);
        check_file("# ends in \\\nA=1\n", "A=1|", 0, 0);
        check_file("#", "", 0, 0);
}

static void files_quotes(void **state)
{
        (void)state;
        check_file("A='a b'\nB=\"c  d\"\nC=''\n", "A=a b|B=c  d|C=|", 0, 0);
        check_file("A=\"x\\\"y\\\\z\\$v\\`w\\n\"\n", "A=x\"y\\z$v`w\\n|", 0, 0);
        check_file("A='x\\\"y'\n", "A=x\\\"y|", 0, 0);
        check_file("A='one\ntwo'\nB=\"three\nfour\"\n", "A=one\ntwo|B=three\nfour|", 0, 0);
        check_file("A=\"a\"'b'c  \n", "A=abc|", 0, 0);
        check_file("A=it's \"so\"\n", "A=it's \"so\"|", 0, 0);
        check_file("A=\" keep \"  \n", "A= keep |", 0, 0);
        check_file("A='open\nB=2\n", "A=open\nB=2\n|", 0, 0);
}

static void files_continuations(void **state)
{
        (void)state;
        check_file("A=one \\\ntwo\nB=3\n", "A=one two|B=3|", 0, 0);
        check_file("A=one \\\r\ntwo\r\n", "A=one two|", 0, 0);
        check_file("A=\"one\\\ntwo\"\n", "A=onetwo|", 0, 0);
        check_file("A=a\\ b\\\\c\\\"  \n", "A=a b\\c\"|", 0, 0);
        check_file("A=a\\ \n", "A=a |", 0, 0);
        check_file("A=\\\n", "A=|", 0, 0);
        check_file("A=x\\", "A=x|", 0, 0);
        check_file("A=one \\\n\nB=2\n", "A=one |B=2|", 0, 0);
}

static void files_mistakes(void **state)
{
        (void)state;
        check_file("A=1\nexport B=2\nno equals\nC=3\n", "A=1|C=3|", 2, 2);
        check_file("\n\n1X=2\n=3\n", "", 2, 3);
        check_file("A='x\ny'\nB=\xff\nC=1\n", "A=x\ny|C=1|", 1, 3);
        check_file("B=\x01\nC=\x7f\n", "B=\x01|C=\x7f|", 0, 0); /* as systemd takes them */
        check_file("last", "", 1, 1);
}

static int stop_at_b(const char *name, const char *value, unsigned line, void *userdata)
{
        (void)value;
        *(unsigned *)userdata = line;
        return streq(name, "B") ? -ECANCELED : 0;
}

static void files_stop_when_told(void **state)
{
        static const char text[] = "A=1\n\nB='\n'\nC=3\n", with_nul[] = "A=1\0\nB=2\n";
        cleanup_environment_ struct environment e = {0};
        struct environment_mistakes m = {0};
        unsigned line = 0;

        (void)state;
        assert_int_equal(environment_file_read(text, sizeof(text) - 1, stop_at_b, &line, NULL), -ECANCELED);
        assert_int_equal(line, 3);
        assert_int_equal(environment_put_file(&e, with_nul, sizeof(with_nul) - 1, &m), 0);
        assert_int_equal(e.n, 1);
        assert_string_equal(e.v[0], "B=2");
        assert_int_equal(m.n, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(later_wins_in_place),
                cmocka_unit_test(many_are_kept),
                cmocka_unit_test(unset_by_name_or_assignment),
                cmocka_unit_test(invalid_assignments_are_refused),
                cmocka_unit_test(files_plain),
                cmocka_unit_test(files_comments),
                cmocka_unit_test(files_quotes),
                cmocka_unit_test(files_continuations),
                cmocka_unit_test(files_mistakes),
                cmocka_unit_test(files_stop_when_told),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
