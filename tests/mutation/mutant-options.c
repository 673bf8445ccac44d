/* SPDX-License-Identifier: MIT
 *
 * What makes supctl and supctl-bus mutants: linked with --wrap, they do not know one of their options (PROGRAM is which
 * of the two this is):
 *
 *     SUPD_MUTANT=option supctl no-legend    that row of its table is not there; one without a name is called by its
 * letter SUPD_MUTANT=options                    it prints all its rows in this form, and does nothing else
 *
 * Not here: which test has to find that out (mutate.py). Invariant: without the variable it is the program as shipped.
 */
#include <stdio.h>

#include "options/options.h"

int __real_command_line_parse(const struct option_table *table, void *fields, int argc, char **argv,
                              struct command_line *ret);
int __wrap_command_line_parse(const struct option_table *table, void *fields, int argc, char **argv,
                              struct command_line *ret);

static const char *text_of(const struct option_row *row, char ret[static 64])
{
        if (row->name)
                (void)snprintf(ret, 64, "option %s %s", PROGRAM, row->name);
        else
                (void)snprintf(ret, 64, "option %s %c", PROGRAM, row->letter);
        return ret;
}

int __wrap_command_line_parse(const struct option_table *table, void *fields, int argc, char **argv,
                              struct command_line *ret)
{
        const char *mutant = getenv("SUPD_MUTANT");
        cleanup_free_ struct option_row *rows = calloc(table->n, sizeof(*rows));
        struct option_table left = {rows, 0};
        char text[64];

        if (!rows)
                return -ENOMEM;
        for (size_t i = 0; i < table->n; i++) {
                if (mutant && streq(mutant, "options"))
                        (void)puts(text_of(&table->rows[i], text));
                else if (!mutant || !streq(mutant, text_of(&table->rows[i], text)))
                        rows[left.n++] = table->rows[i];
        }
        if (mutant && streq(mutant, "options"))
                exit(fflush(stdout));
        return __real_command_line_parse(&left, fields, argc, argv, ret);
}
