/* SPDX-License-Identifier: MIT
 *
 * vectors.tsv, row by row: time spans, and the escaping of unit names. The file is the first argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "syntax/escape.h"
#include "syntax/scalar.h"

static const char *vectors_path;

static void check_timespan(unsigned line, const char *in, const char *expected, const char *printed)
{
        char text[TIMESPAN_TEXT_SIZE];
        uint64_t us = 42, again = 0;
        int r = parse_timespan(in, &us);

        if (streq(expected, "INVALID")) {
                if (r >= 0 || us != 42)
                        fail_msg("line %u: \"%s\" was taken", line, in);
                return;
        }
        if (r < 0 || us != strtoull(expected, NULL, 10))
                fail_msg("line %u: \"%s\": %d, %llu", line, in, r, (unsigned long long)us);
        timespan_format(us, text);
        if (!streq(printed, "?") && !streq(text, printed))
                fail_msg("line %u: \"%s\" is printed as \"%s\"", line, in, text);
        assert_int_equal(parse_timespan(text, &again), 0);
        assert_true(again == us);
}

static void check_escape(unsigned line, const char *kind, const char *in, const char *expected)
{
        cleanup_buf_ struct buf out = {0}, back = {0};
        int r;

        assert_int_equal(buf_append_str(&out, "before:"), 0);
        if (streq(kind, "escape"))
                r = name_escape(in, &out);
        else if (streq(kind, "escape-path"))
                r = name_escape_path(in, &out);
        else if (streq(kind, "unescape"))
                r = name_unescape(in, strlen(in), &out);
        else
                r = name_unescape_path(in, strlen(in), &out);
        if (streq(expected, "INVALID") ? (r != -EINVAL || !streq(buf_str(&out), "before:"))
                                       : (r != 0 || !streq(out.data + 7, expected)))
                fail_msg("line %u: %s \"%s\": %d, \"%s\"", line, kind, in, r, buf_str(&out));
        if (r >= 0 && streq(kind, "escape")) {
                assert_int_equal(name_unescape(out.data + 7, out.size - 7, &back), 0);
                assert_string_equal(buf_str(&back), in);
        }
}

static void every_row_holds(void **state)
{
        FILE *f = fopen(vectors_path, "re");
        char row[512];
        unsigned line = 0, n_checked = 0;

        (void)state;
        assert_non_null(f);
        while (fgets(row, sizeof(row), f)) {
                char *p = row, *fields[4] = {row, row + strlen(row), row + strlen(row), row + strlen(row)};

                line++;
                row[strcspn(row, "\n")] = 0;
                if (row[0] == '#')
                        continue;
                for (size_t i = 0; i < 4 && p; i++) {
                        fields[i] = p;
                        p = strchr(p, '\t');
                        if (p)
                                *p++ = 0;
                }
                if (streq(fields[0], "timespan"))
                        check_timespan(line, fields[1], fields[2], fields[3]);
                else
                        check_escape(line, fields[0], fields[1], fields[2]);
                n_checked++;
        }
        (void)fclose(f);
        assert_true(n_checked > 90);
}

static void accuracy_leaves_out_what_is_smaller(void **state)
{
        char text[TIMESPAN_TEXT_SIZE];

        (void)state;
        assert_string_equal(timespan_format_accuracy(1234567, USEC_PER_MSEC, text), "1.234s");
        assert_string_equal(timespan_format_accuracy(1234567, USEC_PER_SEC, text), "1s");
        assert_string_equal(timespan_format_accuracy(61234567, USEC_PER_SEC, text), "1min 1s");
        assert_string_equal(timespan_format_accuracy(60234567, USEC_PER_SEC, text), "1min");
        assert_string_equal(timespan_format_accuracy(1234, USEC_PER_SEC, text), "1ms");
        assert_string_equal(timespan_format(UINT64_MAX - 1, text), "584542y 2w 2d 20h 1min 49.551614s");
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_row_holds),
                cmocka_unit_test(accuracy_leaves_out_what_is_smaller),
        };

        vectors_path = argc > 1 ? argv[1] : "vectors.tsv";
        return cmocka_run_group_tests(tests, NULL, NULL);
}
