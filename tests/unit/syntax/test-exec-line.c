/* SPDX-License-Identifier: MIT
 *
 * Command lines (rules 14-16, 19, 20): prefixes, words, several commands, mistakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "syntax/exec-line.h"

/* Expected: "FLAGS PATH:word|word| & FLAGS PATH:…" with flags as letters, a for !!. */
static void check(const char *text, const char *expected)
{
        static const char letters[] = "-@:+!a";
        cleanup_(arena_done) struct arena a = {0};
        cleanup_buf_ struct buf out = {0};
        const char *mistake = "none";
        struct exec_line line = {0};
        int r = exec_line_parse(&a, text, &line, &mistake);

        if (r < 0)
                fail_msg("<%s>: %d %s", text, r, mistake);
        for (unsigned i = 0; i < line.n; i++) {
                if (i > 0)
                        assert_int_equal(buf_append_str(&out, " & "), 0);
                for (unsigned k = 0; k < 6; k++)
                        if (line.v[i].flags & (1u << k))
                                assert_int_equal(buf_append_char(&out, letters[k]), 0);
                assert_int_equal(buf_printf(&out, " %s:", line.v[i].path), 0);
                for (unsigned k = 0; k < line.v[i].words.n; k++)
                        assert_int_equal(buf_printf(&out, "%s|", line.v[i].words.v[k]), 0);
                assert_null(line.v[i].words.v[line.v[i].words.n]);
        }
        assert_string_equal(buf_str(&out), expected);
}

static void check_mistake(const char *text, const char *expected)
{
        cleanup_(arena_done) struct arena a = {0};
        const char *mistake = "none";
        struct exec_line line = {.n = 77};

        assert_int_equal(exec_line_parse(&a, text, &line, &mistake), -EINVAL);
        assert_string_equal(mistake, expected);
        assert_int_equal(line.n, 77);
}

static void simple_commands(void **state)
{
        (void)state;
        check("", "");
        check("  ", "");
        check("/bin/true", " /bin/true:/bin/true|");
        check(" /bin/echo  a 'b c' \"\" # d ", " /bin/echo:/bin/echo|a|b c||#|d|");
        check("echo *.gz > x", " echo:echo|*.gz|>|x|");
        check("\"/opt/my prog\" x", " /opt/my prog:/opt/my prog|x|");
        check("/usr/bin/a\\x20b", " /usr/bin/a b:/usr/bin/a b|");
        check("/%p/%i $A ${B}", " /%p/%i:/%p/%i|$A|${B}|");
}

/* as systemd 252 has it: the command runs, with the backslash */
static void unknown_escapes_stay(void **state)
{
        (void)state;
        check("/a b\\q \"c\\-d\"", " /a:/a|b\\q|c\\-d|");
        check("/a x\\;y \\", " /a:/a|x\\;y|\\|");
}

static void prefixes_in_any_order(void **state)
{
        (void)state;
        check("-/bin/a", "- /bin/a:/bin/a|");
        check("@/bin/a b c", "@ /bin/a:b|c|");
        check("-@/bin/a b", "-@ /bin/a:b|");
        check("@-/bin/a b", "-@ /bin/a:b|");
        check(":+-/bin/a", "-:+ /bin/a:/bin/a|");
        check("!/bin/a", "! /bin/a:/bin/a|");
        check("!!/bin/a", "a /bin/a:/bin/a|");
        check("-!!:/bin/a", "-:a /bin/a:/bin/a|");
        check("\"-/bin/a\"", "- /bin/a:/bin/a|");
        check("--a", "- -a:-a|");
        check("+!a", "+ !a:!a|");
        check("!!!a", "a !a:!a|");
}

static void semicolons_separate(void **state)
{
        (void)state;
        check("/a x ; /b y", " /a:/a|x| &  /b:/b|y|");
        check("/a ; -@/b c ; /d", " /a:/a| & -@ /b:c| &  /d:/d|");
        check("/a ;", " /a:/a|");
        check("/a\t;\t/b", " /a:/a| &  /b:/b|");
        check("/a x; y;z ;w", " /a:/a|x;|y;z|;w|");
        check("/a \\; b", " /a:/a|;|b|");
        check("/a \\;", " /a:/a|;|");
        check("/a \";\" ';' b", " /a:/a|;|;|b|");
}

static void mistakes_are_named(void **state)
{
        (void)state;
        check_mistake("/a \"x", "quote is not closed");
        check_mistake("'/a", "quote is not closed");
        check_mistake("-", "command has no path");
        check_mistake("- /a", "command has no path");
        check_mistake("\"\" x", "command has no path");
        check_mistake("; /a", "no command before ;");
        check_mistake("/a ; ; /b", "no command before ;");
        check_mistake("@/a", "@ needs a second word, the name the program is to see");
        check_mistake("@/a ; /b", "@ needs a second word, the name the program is to see");
        check_mistake("@/a \"\"", "@ needs a second word, the name the program is to see");
        check_mistake("/a ; /b '", "quote is not closed");
}

static void paths_are_judged(void **state)
{
        char path[5000];

        (void)state;
        assert_null(exec_line_path_mistake("/bin/true"));
        assert_null(exec_line_path_mistake("true"));
        assert_null(exec_line_path_mistake("/opt/my prog"));
        assert_string_equal(exec_line_path_mistake(""), "command has no path");
        assert_string_equal(exec_line_path_mistake("/bin/"), "path of the command is a directory");
        assert_string_equal(exec_line_path_mistake("bin/true"),
                            "path of the command is neither absolute nor a bare name");
        assert_string_equal(exec_line_path_mistake(".."), "path of the command is neither absolute nor a bare name");
        assert_string_equal(exec_line_path_mistake("/a\nb"), "path of the command has control characters");
        memset(path, 'x', sizeof(path));
        path[sizeof(path) - 1] = 0;
        assert_string_equal(exec_line_path_mistake(path), "path of the command is too long");
        path[0] = '/';
        assert_string_equal(exec_line_path_mistake(path), "path of the command is too long");
        path[300] = 0;
        assert_null(exec_line_path_mistake(path));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(simple_commands),       cmocka_unit_test(unknown_escapes_stay),
                cmocka_unit_test(prefixes_in_any_order), cmocka_unit_test(semicolons_separate),
                cmocka_unit_test(mistakes_are_named),    cmocka_unit_test(paths_are_judged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
