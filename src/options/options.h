/* SPDX-License-Identifier: MIT
 *
 * A command line read by a program's own table of options, as systemctl's users type it: options stand anywhere, long
 * ones may be cut short where that is unmistakable, letters may be bundled, "--" ends them.
 *
 * Not here: what any option means, and words for people. Invariant: nothing is printed or refused; what a table does
 * not know, or has no use for, is remembered for the program to judge.
 */
#ifndef SUPD_OPTIONS_OPTIONS_H
#define SUPD_OPTIONS_OPTIONS_H

#include "base/util.h"

enum option_kind {
        OPTION_FLAG,       /* sets a bool */
        OPTION_STRING,     /* keeps the word */
        OPTION_LIST,       /* comma-separated words, may be given again */
        OPTION_SET,        /* takes a word, which the row's function understands */
        OPTION_MAYBE,      /* likewise, of which --NAME=WORD alone gives one, else NULL */
        OPTION_TAKEN,      /* accepted, of no effect; --NAME=WORD is accepted too */
        OPTION_TAKEN_WORD, /* likewise, with a word of its own */
        OPTION_OTHER,      /* known, but to another program that the line may go to: remembered */
        OPTION_OTHER_WORD, /* likewise, with a word of its own */
        N_OPTION_KINDS,
};

struct option_row {
        const char *name; /* long form without --; NULL = short only */
        char letter;      /* 0 = none */
        enum option_kind kind;
        size_t at;       /* offset of the field in the program's struct */
        size_t count_at; /* for lists: offset of their unsigned length */
        unsigned max;    /* for lists */
        bool (*set)(void *fields,
                    const char *value); /* false: that cannot be its word. Of a list: called first, NULL */
};

struct option_table {
        const struct option_row *rows;
        size_t n;
};

struct command_line {
        char **words; /* owned, strings are those of argv: without the options */
        unsigned n_words;
        const char *unknown; /* first option that is in no row; NULL */
        const char *other;   /* first option that is for another program; NULL */
        const char *wrong;   /* first option whose word is missing or wrong; NULL */
        char **copies;       /* owned, strings too: what lists point into */
        unsigned n_copies;
};

/* Fills FIELDS, a struct of the program that TABLE's offsets are of, and RET. Strings live as long as ARGV, lists as
 * long as RET. 0, -ENOMEM. */
int command_line_parse(const struct option_table *table, void *fields, int argc, char **argv, struct command_line *ret);
void command_line_done(struct command_line *l);

bool option_takes_word(const struct option_row *row); /* "--NAME WORD" are its two words */
/* The row of NAME, which may be cut short, or of LETTER; NULL: none, or more than one. */
const struct option_row *option_find(const struct option_table *table, const char *name, size_t length);
const struct option_row *option_find_letter(const struct option_table *table, char letter);

#endif
