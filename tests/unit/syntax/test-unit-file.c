/* SPDX-License-Identifier: MIT
 *
 * The logical-line reader: each rule by example, then 20,000 generated files against a naive reader written here, which
 * shares nothing with the real one: it works line by line on whole copies, without inih.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "syntax/unit-file.h"

static int note(const char *section, const char *key, const char *value, unsigned line, void *userdata)
{
        return buf_printf(userdata, "%u[%s]%s=%s|", line, section, key, value);
}

static int expected_result; /* of what check_bytes() reads */

static void check_bytes(const char *text, size_t size, const char *expected, const char *messages)
{
        cleanup_buf_ struct buf out = {0}, told = {0};
        cleanup_diag_ struct diag d = {0};

        assert_int_equal(unit_file_read(text, size, "f", note, &out, &d), expected_result);
        for (size_t i = 0; i < d.n_entries; i++) {
                assert_non_null(d.entries[i].fix);
                assert_string_equal(d.entries[i].file, "f");
                assert_int_equal(buf_printf(&told, "%u %s|", d.entries[i].line, d.entries[i].message), 0);
        }
        assert_string_equal(buf_str(&out), expected);
        assert_string_equal(buf_str(&told), messages);
}

static void check(const char *text, const char *expected, const char *messages)
{
        check_bytes(text, strlen(text), expected, messages);
}

static void assignments_are_trimmed(void **state)
{
        (void)state;
        check("", "", "");
        check("[A]\nk=v\n", "2[A]k=v|", "");
        check("[A]\n \tk\t = v w \t\nl=", "2[A]k=v w|3[A]l=|", "");
        check("  [A B]  \nk=v=w\n", "2[A B]k=v=w|", "");
        check("[A]\nk=1\n[B]\nk=2\n[A]\nk=3", "2[A]k=1|4[B]k=2|6[A]k=3|", "");
        check("[A]\nk: v = w\n", "2[A]k: v=w|", "");
        check("[A]\nk=a ; b # c\n", "2[A]k=a ; b # c|", "");
        check("[A]\nk=1\n  l=2\n", "2[A]k=1|3[A]l=2|", "");
        check("[a]b]\nk=1\n", "2[a]b]k=1|", "");
}

static void comments_are_skipped(void **state)
{
        (void)state;
        check("# a=b\n;c=d\n[A]\n  # x\n\tk=v\n;\n#\\\nl=w", "5[A]k=v|8[A]l=w|", "");
}

static void final_backslash_joins(void **state)
{
        (void)state;
        check("[A]\nk=a\\\nb\\\n  c\nl=1\n", "2[A]k=a b c|5[A]l=1|", "");
        check("[A]\nk=a \\\n# comment\\\n  ; another\n b\n", "2[A]k=a  b|", "");
        check("[A]\nk=a\\\\\nl=1\n", "2[A]k=a\\\\|3[A]l=1|", "");
        check("[A]\nk=a\\\\\\\nb\n", "2[A]k=a\\\\ b|", "");
        check("[A]\nk=a\\\n\nl=1\n", "2[A]k=a|4[A]l=1|", "");
        check("[A]\nk=a\\ \nl=1\n", "2[A]k=a\\|3[A]l=1|", "");
        check("[A]\nk=a\\", "2[A]k=a|", "");
        check("[A]\nk\\\n=a\n", "2[A]k=a|", "");
        check("[A]\n\\\nk=a\n", "2[A]k=a|", "");
}

static void line_ends_and_marks(void **state)
{
        (void)state;
        check("\xef\xbb\xbf[A]\r\nk=v\r\nl=a\\\r\nb\r\n", "2[A]k=v|3[A]l=a b|", "");
        check("[A]\rk=v\rl=w", "2[A]k=v|3[A]l=w|", "");
        check("\xef\xbb\xbf# c\n[A]\n", "", "");
}

static void bad_lines_cost_themselves_only(void **state)
{
        static const char with_nul[] = "[A]\nk=\0v\nl=\\\n\0\nm=1\n";

        (void)state;
        check("k=v\n[A]\nl=1\n", "3[A]l=1|", "1 assignment before the first section; line ignored|");
        check("[A]\nfoo\nl=1\n", "3[A]l=1|", "2 line has no '='; line ignored|");
        check("[A]\n = v\nl=1\n", "3[A]l=1|", "2 no key before '='; line ignored|");
        check("[A]\nk=1\n[]\nl=1\n", "2[A]k=1|4[]l=1|", "");
        check_bytes(with_nul, sizeof(with_nul) - 1, "2[A]k=|4[A]l=|7[A]m=1|", "3 line has no '='; line ignored|");
}

/* As check(): what is behind the mistake is not read. */
static void check_ends(const char *text, const char *expected, const char *message)
{
        expected_result = -EBADMSG;
        check(text, expected, message);
        expected_result = 0;
}

#define REST "; the rest of the file is not read|"

static void some_mistakes_end_the_file(void **state)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_buf_ struct buf out = {0};

        (void)state;
        check_ends("[A]\nk=1\n[B\nl=2\nnonsense\n[C]\nm=3\n", "2[A]k=1|", "3 section header does not end in ]" REST);
        check_ends("[C] # x\nm=3\n", "", "1 section header does not end in ]" REST);
        check_ends("[\nl=2\n", "", "1 section header does not end in ]" REST);
        check_ends("[a\tb]\nk=1\n", "", "1 section name has control characters, quotes or a backslash" REST);
        check_ends("[A]\nk=1\nl=\xff\nm=\xc3\xa4\n", "2[A]k=1|", "3 line is not UTF-8" REST);
        check_ends("[\xff]\nk=1\n", "", "1 line is not UTF-8" REST);
        assert_int_equal(unit_file_read("[B\n", 3, "f", note, &out, &d), -EBADMSG);
        assert_int_equal(d.n_errors, 1);
        assert_int_equal(unit_file_read("[B\n", 3, "f", note, &out, NULL), -EBADMSG);
}

static void long_lines(void **state)
{
        cleanup_buf_ struct buf text = {0}, out = {0}, expected = {0};
        const char *head = "[A]\nk=";

        (void)state;
        assert_int_equal(buf_append_str(&text, head), 0);
        while (text.size < strlen(head) + UNIT_FILE_LINE_MAX - 2)
                assert_int_equal(buf_append_char(&text, 'x'), 0);
        assert_int_equal(buf_printf(&expected, "2[A]%s|", text.data + 4), 0);
        assert_int_equal(unit_file_read(text.data, text.size, "f", note, &out, NULL), 0);
        assert_string_equal(buf_str(&out), buf_str(&expected));
        assert_int_equal(buf_append_str(&text, "x\nl=1\nm=\\\n"), 0);
        check_ends(text.data, "", "2 line is longer than 1 MiB" REST);
        buf_reset(&text);
        assert_int_equal(buf_append_str(&text, "[A]\nk=\\\n"), 0);
        for (int i = 0; i < 1025; i++)
                assert_int_equal(buf_printf(&text, "%01023d\\\n", 0), 0);
        assert_int_equal(buf_append_str(&text, "y\nl=1\n"), 0);
        check_ends(text.data, "", "2 line is longer than 1 MiB" REST);
}

static int stop(const char *section, const char *key, const char *value, unsigned line, void *userdata)
{
        (void)section;
        (void)value;
        (void)line;
        ++*(unsigned *)userdata;
        return streq(key, "b") ? -ECANCELED : 0;
}

static void the_handler_can_stop(void **state)
{
        static const char text[] = "[A]\na=1\nb=2\nc=3\n[B]\nd=4\n";
        unsigned n = 0;

        (void)state;
        assert_int_equal(unit_file_read(text, sizeof(text) - 1, "f", stop, &n, NULL), -ECANCELED);
        assert_int_equal(n, 2);
}

static void utf8_by_the_book(void **state)
{
        static const char *const good[] = {"",
                                           "a",
                                           "\xc2\x80",
                                           "\xdf\xbf",
                                           "\xe0\xa0\x80",
                                           "\xed\x9f\xbf",
                                           "\xee\x80\x80",
                                           "\xf0\x90\x80\x80",
                                           "\xf4\x8f\xbf\xbf"};
        static const char *const bad[] = {"\x80",
                                          "\xc0\x80",
                                          "\xc1\xbf",
                                          "\xc2",
                                          "\xc2\x41",
                                          "\xe0\x9f\xbf",
                                          "\xed\xa0\x80",
                                          "\xe4\xbd",
                                          "\xf0\x8f\xbf\xbf",
                                          "\xf4\x90\x80\x80",
                                          "\xf5\x80\x80\x80",
                                          "\xff",
                                          "a\xfe"};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_true(utf8_is_valid(good[i], strlen(good[i])));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
        assert_false(utf8_is_valid("a\0b", 3));
        for (uint32_t c = 1; c < 0x110000; c += 97) {
                cleanup_buf_ struct buf b = {0};
                bool surrogate = c >= 0xd800 && c <= 0xdfff;

                assert_int_equal(utf8_append(&b, c), surrogate ? -EINVAL : 0);
                assert_true(utf8_is_valid(buf_str(&b), b.size));
        }
}

/* ---- generated files ---- */

static uint64_t seed;

static unsigned roll(unsigned n) /* 0 … n-1 */
{
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (unsigned)(seed >> 33) % n;
}

static void add(struct buf *b, const char *s)
{
        assert_int_equal(buf_append_str(b, s), 0);
}

static void add_piece(struct buf *b)
{
        static const char *const pieces[] = {"a",   "Bc", " ",  "  ",       "\t",  ";",   " ;",   "#",
                                             " # ", "=",  ":",  "[",        "]",   "\\",  "\\\\", "\"",
                                             "'",   "%i", "$X", "\xc3\xa4", "k=v", "[S]", "\\n",  "x"};

        if (roll(40) == 0)
                for (unsigned i = roll(1500); i > 0; i--)
                        add(b, "long ");
        else
                add(b, pieces[roll(ARRAY_SIZE(pieces))]);
}

static void add_line(struct buf *b)
{
        static const char *const ends[] = {"\n", "\n", "\n", "\r\n", "\r"};
        unsigned kind = roll(12);

        if (kind == 0)
                add(b, "[Unit]");
        else if (kind == 1)
                add(b, " [Serv ice]\t");
        else if (kind == 2)
                add(b, roll(2) ? "  #" : ";");
        else if (kind < 8)
                add(b, "Key = ");
        for (unsigned i = kind < 2 ? 0 : roll(8); i > 0; i--)
                add_piece(b);
        if (roll(4) == 0)
                add(b, "\\");
        if (roll(100) == 0)
                assert_int_equal(buf_append_char(b, 0), 0);
        if (roll(100) == 0)
                add(b, "\xfe");
        add(b, ends[roll(ARRAY_SIZE(ends))]);
}

static bool naive_ends(char c)
{
        return c == '\n' || c == '\r' || c == 0;
}

/* Cuts the text at line ends into NUL-terminated lines. */
static char **naive_lines(const struct buf *text, size_t *ret_n)
{
        char **lines = calloc(text->size + 2, sizeof(char *));
        size_t n = 0, begin = 0;

        for (size_t i = 0; i <= text->size; i++) {
                bool at_end = i == text->size, is_end = at_end || naive_ends(text->data[i]);

                if (!is_end || (at_end && begin == i))
                        continue;
                lines[n] = calloc(1, i - begin + 1);
                memcpy(lines[n], text->data + begin, i - begin);
                n++;
                if (!at_end && text->data[i] == '\r' && text->data[i + 1] == '\n')
                        i++;
                begin = i + 1;
        }
        *ret_n = n;
        return lines;
}

static char *naive_strip(char *s)
{
        s += strspn(s, " \t");
        for (size_t n = strlen(s); n > 0 && strchr(" \t", s[n - 1]); n--)
                s[n - 1] = 0;
        return s;
}

/* 0, or -EBADMSG at what ends the file. */
static int naive_take(char *line, unsigned number, struct buf *section, bool *known, struct buf *out)
{
        char *s = naive_strip(line), *equals = strchr(s, '=');

        if (!utf8_is_valid(s, strlen(s)))
                return -EBADMSG;
        if (s[0] == '[') {
                if (!ends_with(s, "]") || strpbrk(s, "\"'\\\t"))
                        return -EBADMSG;
                *known = true;
                buf_reset(section);
                return buf_append(section, s + 1, strlen(s) - 2);
        }
        if (!*known || !equals)
                return 0;
        *equals = 0;
        return *naive_strip(s) ? note(buf_str(section), naive_strip(s), naive_strip(equals + 1), number, out) : 0;
}

static int naive_read(const struct buf *text, struct buf *out)
{
        cleanup_buf_ struct buf section = {0}, joined = {0};
        size_t n = 0;
        char **lines = naive_lines(text, &n);
        unsigned first = 0;
        bool known = false;
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++) {
                char *s = lines[i] + strspn(lines[i], " \t");
                bool escaped = false;

                if (*s == '#' || *s == ';')
                        continue;
                if (first == 0)
                        first = (unsigned)i + 1;
                for (const char *p = s; *p; p++)
                        escaped = !escaped && *p == '\\';
                if (escaped)
                        s[strlen(s) - 1] = ' ';
                add(&joined, s);
                if (escaped)
                        continue;
                r = naive_take(joined.data, first, &section, &known, out);
                buf_reset(&joined);
                first = 0;
        }
        if (first > 0 && r == 0)
                r = naive_take(joined.data, first, &section, &known, out);
        for (size_t i = 0; i < n; i++)
                free(lines[i]);
        free(lines);
        return r;
}

static void generated_files_read_the_same(void **state)
{
        cleanup_buf_ struct buf text = {0}, expected = {0}, out = {0};
        size_t n_bytes = 0, n_found = 0;

        (void)state;
        for (unsigned i = 0; i < 20000; i++) {
                seed = i + 1;
                buf_reset(&text);
                buf_reset(&expected);
                buf_reset(&out);
                for (unsigned k = roll(30); k > 0; k--)
                        add_line(&text);
                assert_int_equal(unit_file_read(text.data, text.size, "f", note, &out, NULL),
                                 naive_read(&text, &expected));
                if (expected.size != out.size || !streq(buf_str(&expected), buf_str(&out)))
                        fail_msg("seed %u:\n%s\nexpected %s\nfound %s", i + 1, buf_str(&text), buf_str(&expected),
                                 buf_str(&out));
                n_bytes += text.size;
                n_found += out.size;
        }
        assert_true(n_bytes > 10000000 && n_found > 1000000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(assignments_are_trimmed),
                cmocka_unit_test(comments_are_skipped),
                cmocka_unit_test(final_backslash_joins),
                cmocka_unit_test(line_ends_and_marks),
                cmocka_unit_test(bad_lines_cost_themselves_only),
                cmocka_unit_test(some_mistakes_end_the_file),
                cmocka_unit_test(long_lines),
                cmocka_unit_test(the_handler_can_stop),
                cmocka_unit_test(utf8_by_the_book),
                cmocka_unit_test(generated_files_read_the_same),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
