/* SPDX-License-Identifier: MIT
 *
 * See options.h. Each word of the line is an option in full, a bundle of letters, or none; each option is a row.
 */
#include "options/options.h"

bool option_takes_word(const struct option_row *row)
{
        static const bool takes[N_OPTION_KINDS] = {[OPTION_STRING] = true,
                                                   [OPTION_LIST] = true,
                                                   [OPTION_SET] = true,
                                                   [OPTION_TAKEN_WORD] = true,
                                                   [OPTION_OTHER_WORD] = true};

        return takes[row->kind];
}

static void *field(void *fields, size_t at)
{
        return (char *)fields + at;
}

static bool is_others(const struct option_row *row)
{
        return row->kind == OPTION_OTHER || row->kind == OPTION_OTHER_WORD;
}

static bool set_list(struct command_line *l, void *fields, const struct option_row *row, const char *value)
{
        const char **list = field(fields, row->at);
        unsigned *count = field(fields, row->count_at);
        char *copy = strdup(value), *save = NULL;

        if (!copy)
                return false;
        l->copies[l->n_copies++] = copy; /* there are fewer lists than words */
        for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
                if (*count == row->max)
                        return false;
                list[(*count)++] = word;
        }
        return true;
}

/* VALUE is NULL when none was given with an option that needs none. */
static bool set(struct command_line *l, void *fields, const struct option_row *row, const char *value)
{
        switch (row->kind) {
        case OPTION_FLAG:
                *(bool *)field(fields, row->at) = true;
                return !value;
        case OPTION_STRING:
                *(const char **)field(fields, row->at) = value;
                return true;
        case OPTION_LIST:
                return (!row->set || row->set(fields, NULL)) && set_list(l, fields, row, value);
        case OPTION_SET:
        case OPTION_MAYBE:
                return row->set(fields, value);
        case OPTION_TAKEN:
        case OPTION_TAKEN_WORD:
        case OPTION_OTHER:
        case OPTION_OTHER_WORD:
                return true;
        case N_OPTION_KINDS:
                break;
        }
        return false;
}

const struct option_row *option_find(const struct option_table *table, const char *name, size_t length)
{
        const struct option_row *found = NULL;
        unsigned n = 0;

        for (size_t i = 0; i < table->n; i++) {
                const struct option_row *row = &table->rows[i];

                if (!row->name || strncmp(row->name, name, length) != 0)
                        continue;
                if (!row->name[length])
                        return row;
                found = row;
                n++;
        }
        return n == 1 && length > 0 ? found : NULL;
}

const struct option_row *option_find_letter(const struct option_table *table, char letter)
{
        for (size_t i = 0; i < table->n; i++)
                if (table->rows[i].letter == letter)
                        return &table->rows[i];
        return NULL;
}

static void remember(const char **first, const char *arg)
{
        *first = *first ? *first : arg;
}

struct reading {
        const struct option_table *table;
        void *fields;
        struct command_line *line;
};

/* ARG is "--name" or "--name=value"; returns how many words of argv it took. */
static int parse_long(const struct reading *r, const char *arg, const char *next)
{
        size_t n = strcspn(arg + 2, "=");
        const struct option_row *row = option_find(r->table, arg + 2, n);
        const char *value = arg[2 + n] == '=' ? arg + 2 + n + 1 : NULL;
        bool takes = row && option_takes_word(row), of_its_own = takes && !value;

        if (!row) {
                remember(&r->line->unknown, arg);
                return 1;
        }
        if (is_others(row))
                remember(&r->line->other, arg);
        if (of_its_own)
                value = next;
        if ((takes && !value) || !set(r->line, r->fields, row, value))
                remember(&r->line->wrong, arg);
        return of_its_own && next ? 2 : 1;
}

/* ARG is a bundle of letters: "-al", "-pName", "-n5". */
static int parse_letters(const struct reading *r, const char *arg, const char *next)
{
        for (const char *p = arg + 1; *p; p++) {
                const struct option_row *row = option_find_letter(r->table, *p);
                bool takes = row && option_takes_word(row);
                const char *value = takes ? (p[1] ? p + 1 : next) : NULL;

                if (!row) {
                        remember(&r->line->unknown, arg);
                        return 1;
                }
                if (is_others(row))
                        remember(&r->line->other, arg);
                if ((takes && !value) || !set(r->line, r->fields, row, value)) {
                        remember(&r->line->wrong, arg);
                        return 1;
                }
                if (takes)
                        return p[1] ? 1 : 2;
        }
        return 1;
}

int command_line_parse(const struct option_table *table, void *fields, int argc, char **argv, struct command_line *ret)
{
        struct command_line l = {0};
        const struct reading reading = {table, fields, &l};
        bool only_words = false;

        l.words = calloc((size_t)argc + 1, sizeof *l.words);
        l.copies = calloc((size_t)argc + 1, sizeof *l.copies);
        if (!l.words || !l.copies) {
                command_line_done(&l);
                return -ENOMEM;
        }
        for (int i = 1; i < argc;) {
                const char *arg = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;

                if (only_words || arg[0] != '-' || !arg[1])
                        l.words[l.n_words++] = argv[i++];
                else if (streq(arg, "--")) {
                        only_words = true;
                        i++;
                } else
                        i += arg[1] == '-' ? parse_long(&reading, arg, next) : parse_letters(&reading, arg, next);
        }
        *ret = l;
        return 0;
}

void command_line_done(struct command_line *l)
{
        for (unsigned i = 0; i < l->n_copies; i++)
                free(l->copies[i]);
        free(l->copies);
        free(l->words);
        *l = (struct command_line){0};
}
