/* SPDX-License-Identifier: MIT
 *
 * print-directives TEMPLATE: the manual page in TEMPLATE with each line "@DIRECTIVES LEVEL@" replaced by a list of the
 * directives of that level (honoured, notice, refused), printed from the parser's own table. Runs at build time.
 *
 * Not here: words about directives (src/unit/directives.c). Invariant: every row of the table is printed exactly once
 * by a template that has all three levels.
 */
#include <stdio.h>

#include "unit/directives.h"

/* Text for mdoc: a backslash begins an escape, a dot or quote at the beginning of a line a macro. */
static void print_text(const char *s)
{
        if (*s == '.' || *s == '\'')
                (void)fputs("\\&", stdout);
        for (; *s; s++)
                if (*s == '\\')
                        (void)fputs("\\e", stdout);
                else
                        (void)putchar(*s);
}

static void print_row(const struct directive *d)
{
        (void)printf(".It Cm %s\n", d->key);
        print_text(d->doc);
        if (d->preset)
                (void)printf(" (default: %s)", d->preset);
        (void)printf(".\n");
}

/* Keys only, for those about which there is no more to say than that they are not carried out. */
static void print_keys(unsigned section, unsigned support)
{
        bool first = true;

        for (unsigned i = 0; i < n_directives; i++)
                if (directives[i].section == section && directives[i].support == support) {
                        (void)printf("%s%s", first ? "" : ",\n", directives[i].key);
                        first = false;
                }
        (void)printf(".\n");
}

static bool has_rows(unsigned section, unsigned support)
{
        for (unsigned i = 0; i < n_directives; i++)
                if (directives[i].section == section && directives[i].support == support)
                        return true;
        return false;
}

static void print_level(unsigned support)
{
        static const char *const titles[N_DIRECTIVE_SECTIONS] = {
                [SECTION_EXEC] = ", execution",
                [SECTION_KILL] = ", killing",
                [SECTION_CGROUP] = ", resources",
        };

        for (unsigned s = 0; s < N_DIRECTIVE_SECTIONS; s++) {
                if (!has_rows(s, support))
                        continue;
                (void)printf(".Ss [%s]%s: %s\n", directive_section_name((enum directive_section)s),
                             titles[s] ? titles[s] : "", directive_support_name((enum directive_support)support));
                if (support != SUPPORT_HONOURED) {
                        print_keys(s, support);
                        continue;
                }
                (void)printf(".Bl -tag -width Ds -compact\n");
                for (unsigned i = 0; i < n_directives; i++)
                        if (directives[i].section == s && directives[i].support == support)
                                print_row(&directives[i]);
                (void)printf(".El\n");
        }
}

static bool print_if_level(const char *line)
{
        char word[32];

        if (sscanf(line, "@DIRECTIVES %31[a-z]@", word) != 1)
                return false;
        for (unsigned s = 0; s < N_DIRECTIVE_SUPPORTS; s++)
                if (streq(word, directive_support_name((enum directive_support)s))) {
                        print_level(s);
                        return true;
                }
        return false;
}

int main(int argc, char **argv)
{
        FILE *f = argc == 2 ? fopen(argv[1], "re") : NULL;
        char line[1024];

        if (!f) {
                (void)fprintf(stderr, "usage: print-directives TEMPLATE\n");
                return 2;
        }
        while (fgets(line, sizeof(line), f))
                if (!print_if_level(line))
                        (void)fputs(line, stdout);
        (void)fclose(f);
        return ferror(stdout) || fflush(stdout) != 0;
}
