/* SPDX-License-Identifier: MIT
 *
 * supctl's beginning: the verb table and help. Not here: what the verbs do.
 * Invariant: a verb that is not in the table below is handed on with every word as it was typed.
 */
#include "programs/supctl/supctl.h"

static const struct verb verbs[] = {
#define LOOK(name, arguments, min, max, no_table, run, complete, help) {name, arguments, min, max, no_table, run, help},
#define FILES(name, arguments, min, max, run, complete, help)          {name, arguments, min, max, TABLE_UNUSED, run, help},
#define BUS(name, arguments, complete, help)                           {name, arguments, 0, UINT32_MAX, TABLE_UNUSED, NULL, help},
#include "programs/supctl/verbs-list.h"
};

static const struct verb *verb_find(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                if (streq(verbs[i].name, name))
                        return &verbs[i];
        return NULL;
}

/* Bytes of UTF-8 that take no column: printf() counts them all the same. */
static int hidden_bytes(const char *s)
{
        int n = 0;

        for (; *s; s++)
                n += (*s & 0xc0) == 0x80;
        return n;
}

enum help_part { HELP_LOOK, HELP_BUS, HELP_FILES };

static void help_verbs(enum help_part part)
{
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
                enum help_part its = !verbs[i].run                       ? HELP_BUS
                                     : verbs[i].no_table != TABLE_UNUSED ? HELP_LOOK
                                                                         : HELP_FILES;

                if (its == part)
                        (void)printf("  %-21s %-*s %s\n", verbs[i].name, 20 + hidden_bytes(verbs[i].arguments),
                                     verbs[i].arguments, verbs[i].help);
        }
}

static void help(void)
{
        (void)printf("supctl [OPTION…] VERB [UNIT…]\n\nVerbs that only look (from the status table, without asking "
                     "supd):\n");
        help_verbs(HELP_LOOK);
        (void)printf("\nVerbs that ask supd, or have it do something:\n");
        help_verbs(HELP_BUS);
        (void)printf("\nVerbs on unit files (also without a supd, and below --root=DIR):\n");
        help_verbs(HELP_FILES);
        (void)printf(
                "\nOptions:\n"
                "  --name NAME, --user, --runtime-dir DIR  which supd (also $SUPD_NAME, $SUPD_RUNTIME_DIR)\n"
                "  -a --all   -l --full   -q --quiet   --failed   -t --type=…   --state=…   -n --lines=N\n"
                "  -p --property=…   --value   --plain   --no-legend   --no-pager   --json[=short|pretty|off]\n"
                "  --no-block   --wait   --job-mode=…   -s --signal=…   --kill-whom=…   --kill-value=…   --timeout=…\n"
                "  --root=DIR   --global   --runtime   -f --force   --now   --no-reload   --preset-mode=…\n");
}

static int misused(const struct verb *verb, const struct options *o, unsigned n)
{
        const struct command_line *l = &o->line;
        const char *unknown = l->unknown ? l->unknown : o->systemctl ? NULL : l->other; /* that takes any with any */

        if (l->wrong)
                fprintf(stderr, "supctl: option %s has no argument, or one that it cannot have\n", l->wrong);
        else if (unknown)
                fprintf(stderr, "supctl: %s does not know the option %s\n", verb->name, unknown);
        else if (n < verb->min)
                fprintf(stderr, "supctl: %s needs a unit: supctl %s %s\n", verb->name, verb->name, verb->arguments);
        else if (n > verb->max)
                fprintf(stderr, "supctl: too many words: supctl %s %s\n", verb->name, verb->arguments);
        else
                return 0;
        return EXIT_ERROR;
}

static int run(const struct verb *verb, const struct options *o)
{
        unsigned n = o->line.n_words > 0 ? o->line.n_words - 1 : 0;
        struct view v = {.options = o};
        char instance[80];
        int r = misused(verb, o, n);

        if (r)
                return r;
        if (verb->no_table != TABLE_UNUSED && view_open(&v, instance) < 0)
                r = verb->no_table;
        else
                r = verb->run(&v, (const char *const *)o->line.words + 1, n);
        view_done(&v);
        if (fflush(stdout) != 0 || ferror(stdout))
                r = r ? r : EXIT_ERROR;
        return r;
}

int main(int argc, char **argv)
{
        struct options o;
        const struct verb *verb;
        int r;

        if (options_parse(&o, argc, argv) < 0)
                return EXIT_ERROR;
        o.argv = argv;
        o.systemctl = argc > 0 && (streq(argv[0], "systemctl") || ends_with(argv[0], "/systemctl"));
        verb = verb_find(o.line.n_words > 0 ? o.line.words[0] : "list-units");
        if (o.version) {
                (void)printf("supd %s\n", SUPD_VERSION);
                r = EXIT_OK;
        } else if (o.help && (verb || o.line.n_words == 0)) {
                help();
                r = EXIT_OK;
        } else if (verb && verb->run)
                r = run(verb, &o);
        else
                r = bus_go_on(&o);
        command_line_done(&o.line);
        return r;
}
