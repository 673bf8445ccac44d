/* SPDX-License-Identifier: MIT
 *
 * Splitting into words (rules 14-16): quotes, escapes, and what each flag changes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "syntax/words.h"

/* Expected words are joined with '|' behind each. */
static void check(const char *text, unsigned flags, int result, const char *expected)
{
        cleanup_(arena_done) struct arena a = {0};
        cleanup_buf_ struct buf joined = {0};
        struct words w = {0};
        int r = words_split(&a, text, flags, &w);

        for (unsigned i = 0; i < w.n; i++)
                assert_int_equal(buf_printf(&joined, "%s|", w.v[i]), 0);
        if (r != result || !streq(buf_str(&joined), expected))
                fail_msg("<%s>: %d, <%s>", text, r, buf_str(&joined));
        if (r >= 0)
                assert_null(w.v[w.n]);
        else
                assert_null(w.v);
}

static void blanks_divide(void **state)
{
        (void)state;
        check("", WORDS_COMMAND, 0, "");
        check(" \t ", WORDS_COMMAND, 0, "");
        check("a", WORDS_COMMAND, 0, "a|");
        check("  a \t b\nc  ", WORDS_COMMAND, 0, "a|b|c|");
        check("a # b ;c", WORDS_COMMAND, 0, "a|#|b|;c|");
        check("*.gz >x $A", WORDS_COMMAND, 0, "*.gz|>x|$A|");
}

static void quotes_group_and_join(void **state)
{
        (void)state;
        check("\"a b\"c", WORDS_COMMAND, 0, "a bc|");
        check("a'b c'\"d e\" f", WORDS_COMMAND, 0, "ab cd e|f|");
        check("\"it's\" 'say \"x\"'", WORDS_COMMAND, 0, "it's|say \"x\"|");
        check("\"\" '' a\"\"", WORDS_COMMAND, 0, "||a|");
        check("\"a", WORDS_COMMAND, -EINVAL, "");
        check("b 'a", WORDS_COMMAND, -EINVAL, "");
        check("\"a b", WORDS_COMMAND | WORDS_RELAX, 0, "a b|");
        check("\"a b\"", 0, 0, "\"a|b\"|");
}

static void escapes_are_decoded(void **state)
{
        (void)state;
        check("a\\x20b \\101\\n\\t\\s\\\\ \\\"x\\\"", WORDS_COMMAND, 0, "a b|A\n\t \\|\"x\"|");
        check("'a\\'b' \"\\\"\"", WORDS_COMMAND, 0, "a'b|\"|");
        check("\\u00e4\\U0001F600", WORDS_COMMAND, 0, "\xc3\xa4\xf0\x9f\x98\x80|");
        check("\\a\\b\\f\\r\\v", WORDS_COMMAND, 0, "\a\b\f\r\v|");
        check("\\377", WORDS_COMMAND, 0, "\xff|");
}

static void bad_escapes_are_mistakes(void **state)
{
        static const char *const bad[] = {"\\q",  "a\\",   "\\x4",    "\\xg0",       "\\x00",   "\\000", "\\400",
                                          "\\08", "\\u00", "\\ud800", "\\U00110000", "\\u0000", "\\;",   "\\ "};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                check(bad[i], WORDS_COMMAND, -EILSEQ, "");
        check("\\q \\x4 a\\", WORDS_COMMAND | WORDS_RELAX, 0, "\\q|\\x4|a\\|");
}

static void escapes_can_stay_or_vanish(void **state)
{
        (void)state;
        check("a\\x2db \\ c '\\''", WORDS_LIST, 0, "a\\x2db|\\ c|\\'|");
        check("a\\", WORDS_LIST, 0, "a\\|");
        check("a\\ b \\n \\'", WORDS_UNQUOTE, 0, "a b|n|'|");
        check("a\\", WORDS_UNQUOTE, -EILSEQ, "");
        check("a\\", WORDS_UNQUOTE | WORDS_RELAX, 0, "a|");
}

static void words_are_taken_one_by_one(void **state)
{
        cleanup_buf_ struct buf w = {0};
        const char *s = " a 'b c' \"d", *before;

        (void)state;
        assert_int_equal(word_next(&s, WORDS_COMMAND, &w), 1);
        assert_string_equal(buf_str(&w), "a");
        assert_string_equal(s, "'b c' \"d");
        assert_int_equal(word_next(&s, WORDS_COMMAND, &w), 1);
        assert_string_equal(buf_str(&w), "b c");
        before = s;
        assert_int_equal(word_next(&s, WORDS_COMMAND, &w), -EINVAL);
        assert_ptr_equal(s, before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(blanks_divide),
                cmocka_unit_test(quotes_group_and_join),
                cmocka_unit_test(escapes_are_decoded),
                cmocka_unit_test(bad_escapes_are_mistakes),
                cmocka_unit_test(escapes_can_stay_or_vanish),
                cmocka_unit_test(words_are_taken_one_by_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
