/* SPDX-License-Identifier: MIT
 *
 * supctl's beginning: the verb table, help, and the door to supctl-bus. Not here: what the verbs do.
 * Invariant: a verb that is not in the table below is handed on with every word as it was typed.
 */
#include "programs/supctl/supctl.h"

static const struct verb verbs[] = {
        {"status", "[UNIT|PATTERN|PID…]", 0, UINT32_MAX, EXIT_UNKNOWN, verb_status,
         "What units are doing (without a unit: supd itself)"},
        {"list-units", "[PATTERN…]", 0, UINT32_MAX, EXIT_ERROR, verb_list_units, "One line per loaded unit"},
        {"is-active", "UNIT…", 1, UINT32_MAX, EXIT_ERROR, verb_is_active, "Exit with 0 if any of them is active"},
        {"is-failed", "UNIT…", 1, UINT32_MAX, EXIT_ERROR, verb_is_failed, "Exit with 0 if any of them has failed"},
        {"is-system-running", "", 0, 0, EXIT_ERROR, verb_is_system_running, "Exit with 0 if all is well"},
        {"show", "[UNIT…]", 0, UINT32_MAX, EXIT_ERROR, verb_show, "Properties, for programs: -p NAME,…  --value"},
        {"wait", "UNIT…", 1, UINT32_MAX, EXIT_ERROR, verb_wait,
         "Sleep until they are --state=active,… (--timeout=SPAN)"},
        {"events", "[UNIT|PATTERN…]", 0, UINT32_MAX, EXIT_ERROR, verb_events,
         "Changes as they come (-n N: the last ones first; --no-follow)"},
        {"history", "UNIT|PATTERN…", 1, UINT32_MAX, EXIT_ERROR, verb_history,
         "Their last activations: when, who asked, how they ended (-n N)"},
        {"enable", "UNIT|PATH…", 1, UINT32_MAX, TABLE_UNUSED, verb_change_files,
         "Make the links that [Install] asks for (--now: and start)"},
        {"disable", "UNIT…", 1, UINT32_MAX, TABLE_UNUSED, verb_change_files, "Remove them (--now: and stop)"},
        {"reenable", "UNIT|PATH…", 1, UINT32_MAX, TABLE_UNUSED, verb_change_files, "Remove them and make them anew"},
        {"preset", "UNIT…", 1, UINT32_MAX, TABLE_UNUSED, verb_change_files, "Enable or disable as the presets say"},
        {"preset-all", "", 0, 0, TABLE_UNUSED, verb_preset_all, "Likewise, all there are"},
        {"mask", "UNIT…", 1, UINT32_MAX, TABLE_UNUSED, verb_change_files, "Make it impossible to start them"},
        {"unmask", "UNIT…", 1, UINT32_MAX, TABLE_UNUSED, verb_change_files, "Undo that"},
        {"link", "PATH…", 1, UINT32_MAX, TABLE_UNUSED, verb_change_files, "Make unit files elsewhere known"},
        {"revert", "UNIT…", 1, UINT32_MAX, TABLE_UNUSED, verb_change_files, "Back to what the vendor ships"},
        {"add-wants", "TARGET UNIT…", 2, UINT32_MAX, TABLE_UNUSED, verb_add_dependency, "Make TARGET want them"},
        {"add-requires", "TARGET UNIT…", 2, UINT32_MAX, TABLE_UNUSED, verb_add_dependency, "Make TARGET require them"},
        {"is-enabled", "UNIT…", 1, UINT32_MAX, TABLE_UNUSED, verb_is_enabled, "Exit with 0 if any of them is enabled"},
        {"list-unit-files", "[PATTERN…]", 0, UINT32_MAX, TABLE_UNUSED, verb_list_unit_files, "All unit files"},
        {"cat", "UNIT…", 1, UINT32_MAX, TABLE_UNUSED, verb_cat, "The files of a unit"},
        {"verify", "UNIT|FILE…", 1, UINT32_MAX, TABLE_UNUSED, verb_verify,
         "What becomes of each line, and what is wrong (--strict, --json)"},
        {"get-default", "", 0, 0, TABLE_UNUSED, verb_get_default, "What default.target is"},
        {"set-default", "TARGET", 1, 1, TABLE_UNUSED, verb_set_default, "Make it TARGET"},
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

static void help_verbs(bool on_files)
{
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                if ((verbs[i].no_table == TABLE_UNUSED) == on_files)
                        (void)printf("  %-17s %-*s %s\n", verbs[i].name, 20 + hidden_bytes(verbs[i].arguments),
                                     verbs[i].arguments, verbs[i].help);
}

static void help(void)
{
        (void)printf("supctl [OPTION…] VERB [UNIT…]\n\nVerbs that only look (from the status table, without asking "
                     "supd):\n");
        help_verbs(false);
        (void)printf("\nVerbs on unit files (also without a supd, and below --root=DIR):\n");
        help_verbs(true);
        (void)printf("\nAll other verbs (start, stop, restart, reload, kill, daemon-reload, …) are those of "
                     "systemctl:\n"
                     "  supctl help                            lists them\n"
                     "\nOptions:\n"
                     "  --name NAME, --user, --runtime-dir DIR  which supd (also $SUPD_NAME, $SUPD_RUNTIME_DIR)\n"
                     "  -a --all   -l --full   -q --quiet   --failed   -t --type=…   --state=…   -n --lines=N\n"
                     "  -p --property=…   --value   --plain   --no-legend   --no-pager   --json[=short|pretty|off]\n"
                     "  --root=DIR   --global   --runtime   -f --force   --now   --no-reload   --preset-mode=…\n");
}

/* Hands everything to supctl-bus. Comes back only when that cannot be started. */
static int bus(char **argv)
{
        const char *dir = getenv("SUPD_LIBEXEC_DIR");
        char path[4096];

        if (snprintf(path, sizeof(path), "%s/supctl-bus", dir && *dir ? dir : SUPD_LIBEXECDIR) < (int)sizeof(path))
                (void)execv(path, argv);
        fprintf(stderr, "supctl: cannot run %s, which does this verb: %s\n", path, strerror(errno));
        return EXIT_ERROR;
}

static int misused(const struct verb *verb, const struct options *o, unsigned n)
{
        if (o->wrong)
                fprintf(stderr, "supctl: option %s has no argument, or one that it cannot have\n", o->wrong);
        else if (o->unknown)
                fprintf(stderr, "supctl: %s does not know the option %s\n", verb->name, o->unknown);
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
        struct view v = {.options = o};
        char instance[80];
        int r;

        r = misused(verb, o, o->n_words > 0 ? o->n_words - 1 : 0);
        if (r)
                return r;
        if (verb->no_table != TABLE_UNUSED && view_open(&v, instance) < 0)
                r = verb->no_table;
        else
                r = verb->run(&v, o->words + 1, o->n_words > 0 ? o->n_words - 1 : 0);
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
        verb = verb_find(o.n_words > 0 ? o.words[0] : "list-units");
        if (o.version) {
                (void)printf("supd %s\n", SUPD_VERSION);
                r = EXIT_OK;
        } else if (o.help && (verb || o.n_words == 0)) {
                help();
                r = EXIT_OK;
        } else if (verb)
                r = run(verb, &o);
        else
                r = bus(argv);
        options_done(&o);
        return r;
}
