/* SPDX-License-Identifier: MIT
 *
 * Command lines: how a table reads them, and that the tables of supctl and supctl-bus know the same options, each with
 * a word or without one, as the line of one is handed to the other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "options/options.h"

extern const struct option_table supctl_options, supctl_bus_options;

struct fields {
        bool all, alone, set_null;
        const char *name, *set, *list[3];
        unsigned n_list;
};

static bool set_word(void *fields, const char *value)
{
        struct fields *f = fields;

        f->set = value;
        f->set_null = value == NULL;
        return !value || !streq(value, "bad");
}

#define AT(f) .at = offsetof(struct fields, f)

static const struct option_row rows[] = {
        {"all", 'a', OPTION_FLAG, AT(all)},
        {"alone", 0, OPTION_FLAG, AT(alone)},
        {"name", 'n', OPTION_STRING, AT(name)},
        {"list", 'l', OPTION_LIST, AT(list), .count_at = offsetof(struct fields, n_list), .max = 3},
        {"maybe", 0, OPTION_MAYBE, .set = set_word},
        {"must", 'm', OPTION_SET, .set = set_word},
        {"nothing", 0, OPTION_TAKEN},
        {"others", 0, OPTION_OTHER_WORD},
};
static const struct option_table table = {rows, ARRAY_SIZE(rows)};

/* A line, and what must have become of it. */
static const struct {
        const char *argv[8];
        struct fields fields; /* of set_null, only when MAYBE */
        const char *words[4], *unknown, *other, *wrong;
} lines[] = {
        {{"p"}},
        {{"p", "verb", "unit"}, {0}, {"verb", "unit"}},
        {{"p", "verb", "-a", "unit", "--name", "x"}, {.all = true, .name = "x"}, {"verb", "unit"}},
        {{"p", "--name=x", "--name="}, {.name = ""}},
        {{"p", "-an", "x", "y"}, {.all = true, .name = "x"}, {"y"}},
        {{"p", "-nax"}, {.name = "ax"}},
        {{"p", "--", "--all", "-a"}, {0}, {"--all", "-a"}},
        {{"p", "-"}, {0}, {"-"}},
        {{"p", "-la,b", "--list=c"}, {.list = {"a", "b", "c"}, .n_list = 3}},
        {{"p", "-la,b", "--list=c,d"}, {.list = {"a", "b", "c"}, .n_list = 3}, .wrong = "--list=c,d"},
        {{"p", "--maybe", "x"}, {.set_null = true}, {"x"}},
        {{"p", "--maybe=x"}, {.set = "x"}},
        {{"p", "--must", "x"}, {.set = "x"}},
        {{"p", "--must=bad", "-mgood"}, {.set = "good"}, .wrong = "--must=bad"},
        {{"p", "--nothing", "x", "--nothing=y"}, {0}, {"x"}},
        {{"p", "--others", "x", "y"}, {0}, {"y"}, .other = "--others"},
        {{"p", "--others=x", "y"}, {0}, {"y"}, .other = "--others=x"},
        {{"p", "--none", "x"}, {0}, {"x"}, .unknown = "--none"},
        {{"p", "-xa", "--also"}, {0}, .unknown = "-xa"},
        {{"p", "--all=yes"}, {.all = true}, .wrong = "--all=yes"},
        {{"p", "verb", "--name"}, {0}, {"verb"}, .wrong = "--name"},
        {{"p", "verb", "-n"}, {0}, {"verb"}, .wrong = "-n"},
        {{"p", "--al"}, {0}, .unknown = "--al"}, /* two begin so */
        {{"p", "--all"}, {.all = true}},         /* one is it */
        {{"p", "--alo", "--na=x"}, {.alone = true, .name = "x"}},
        {{"p", "--=x"}, {0}, .unknown = "--=x"},
};

static void assert_same(const char *a, const char *b)
{
        assert_int_equal(a != NULL, b != NULL);
        if (a)
                assert_string_equal(a, b);
}

static void test_lines(void **state unused_)
{
        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                struct command_line l;
                struct fields f = {0};
                unsigned n = 0;
                int argc = 0;

                while (lines[i].argv[argc])
                        argc++;
                assert_int_equal(command_line_parse(&table, &f, argc, (char **)lines[i].argv, &l), 0);
                assert_int_equal(f.all, lines[i].fields.all);
                assert_int_equal(f.alone, lines[i].fields.alone);
                assert_int_equal(f.set_null, lines[i].fields.set_null);
                assert_same(f.name, lines[i].fields.name);
                assert_same(f.set, lines[i].fields.set);
                assert_int_equal(f.n_list, lines[i].fields.n_list);
                for (unsigned k = 0; k < f.n_list; k++)
                        assert_same(f.list[k], lines[i].fields.list[k]);
                while (lines[i].words[n]) {
                        assert_in_range(n, 0, l.n_words - 1);
                        assert_same(l.words[n], lines[i].words[n]);
                        n++;
                }
                assert_int_equal(l.n_words, n);
                assert_same(l.unknown, lines[i].unknown);
                assert_same(l.other, lines[i].other);
                assert_same(l.wrong, lines[i].wrong);
                command_line_done(&l);
        }
}

/* Each row of A has one of the same name, letter and word in B. */
static void assert_covered(const struct option_table *a, const struct option_table *b)
{
        for (size_t i = 0; i < a->n; i++) {
                const struct option_row *row = &a->rows[i], *other;

                other = row->name ? option_find(b, row->name, strlen(row->name)) : option_find_letter(b, row->letter);
                if (!other || !streq_null(row->name, other->name) || row->letter != other->letter ||
                    option_takes_word(row) != option_takes_word(other))
                        fail_msg("--%s (-%c) is not an option of both, or not the same in both",
                                 row->name ? row->name : "", row->letter ? row->letter : ' ');
        }
}

static void test_both_programs(void **state unused_)
{
        assert_covered(&supctl_options, &supctl_bus_options);
        assert_covered(&supctl_bus_options, &supctl_options);
}

/* No name or letter twice, and each row has what its kind needs. */
static void test_tables(void **state unused_)
{
        const struct option_table *const tables[] = {&supctl_options, &supctl_bus_options};

        for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
                for (size_t i = 0; i < tables[t]->n; i++) {
                        const struct option_row *row = &tables[t]->rows[i];

                        assert_true(row->name || row->letter);
                        if (row->name)
                                assert_ptr_equal(option_find(tables[t], row->name, strlen(row->name)), row);
                        if (row->letter)
                                assert_ptr_equal(option_find_letter(tables[t], row->letter), row);
                        if (row->kind == OPTION_SET || row->kind == OPTION_MAYBE)
                                assert_non_null(row->set);
                        if (row->kind == OPTION_LIST)
                                assert_true(row->max > 0);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_both_programs),
                cmocka_unit_test(test_tables),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
