/* SPDX-License-Identifier: MIT
 *
 * Variables in split words (rules 17 and 18).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "syntax/environment.h"
#include "syntax/words.h"

static const char *const environment[] = {"A=one two",  "E=",         "D=$A ${A} $$", "Q='x y' \"z\" p\\ q",
                                          "B=  lead  ", "OPEN='half", "_x9=under"};

/* LINE is split as a command line is; expected words are joined with '|' behind each. */
static void check(const char *line, const char *expected)
{
        cleanup_(arena_done) struct arena a = {0};
        cleanup_environment_ struct environment e = {0};
        cleanup_buf_ struct buf joined = {0};
        struct words w, out = {0};

        for (size_t i = 0; i < ARRAY_SIZE(environment); i++)
                assert_int_equal(environment_put(&e, environment[i]), 0);
        assert_int_equal(words_split(&a, line, WORDS_COMMAND, &w), 0);
        assert_int_equal(words_expand_variables(&a, &w, environment_lookup, &e, &out), 0);
        for (unsigned i = 0; i < out.n; i++)
                assert_int_equal(buf_printf(&joined, "%s|", out.v[i]), 0);
        assert_null(out.v[out.n]);
        if (!streq(buf_str(&joined), expected))
                fail_msg("<%s>: <%s>", line, buf_str(&joined));
}

static void words_without_variables_stay(void **state)
{
        (void)state;
        check("", "");
        check("a b 'c d'", "a|b|c d|");
        check("a$ b$c", "a$|b$c|");
}

static void whole_words_are_split(void **state)
{
        (void)state;
        check("x $A y", "x|one|two|y|");
        check("\"$A\"", "one|two|");
        check("$B", "lead|");
        check("$_x9", "under|");
        check("$Q", "x y|z|p q|");
        check("$OPEN", "half|");
}

static void unset_whole_words_vanish(void **state)
{
        (void)state;
        check("x $NO y $E z", "x|y|z|");
        check("$", "");
        check("$A/b", "");
}

static void braces_are_pieces(void **state)
{
        (void)state;
        check("${A}", "one two|");
        check("x${A}y${_x9}", "xone twoyunder|");
        check("${NO} x${NO}y ${E}", "|xy||");
        check("${Q}", "'x y' \"z\" p\\ q|");
        check("${A", "${A|");
        check("a${A ${_x9}", "a${A|under|");
        check("${}", "|");
}

static void dollars_and_values_are_final(void **state)
{
        (void)state;
        check("$$ $$A a$$b $$$$ ${A}$$", "$|$A|a$b|$$|one two$|");
        check("x$A", "x$A|");
        check("x$A${_x9}", "x$Aunder|");
        check("$D", "$A|${A}|$$|");
        check("${D}", "$A ${A} $$|");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(words_without_variables_stay), cmocka_unit_test(whole_words_are_split),
                cmocka_unit_test(unset_whole_words_vanish),     cmocka_unit_test(braces_are_pieces),
                cmocka_unit_test(dollars_and_values_are_final),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
