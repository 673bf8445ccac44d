/* SPDX-License-Identifier: MIT
 *
 * The options of supctl, a row each. Which of them take a word of their own must also be known for verbs that
 * supctl-bus does, or the verb could not be told from an argument: every option of supctl-bus has a row here, and the
 * other way about.
 *
 * Not here: how a line is read (options/), and what verbs mean. Invariant: nothing is printed; an option that is not
 * known is remembered, not judged.
 */
#include "programs/supctl/supctl.h"

static bool set_json(void *fields, const char *value)
{
        return json_form_from(value, &((struct options *)fields)->json);
}

/* Other forms are those of the journal: the log is printed as it is. */
static bool set_output(void *fields, const char *value)
{
        (void)set_json(fields, value);
        return true;
}

static bool set_lines(void *fields, const char *value)
{
        struct options *o = fields;
        char *end;
        unsigned long n = strtoul(value, &end, 10);

        if (!*value || *end || n > 100000)
                return false;
        o->lines = (unsigned)n;
        o->lines_given = true;
        return true;
}

static bool set_legend(void *fields, const char *value)
{
        ((struct options *)fields)->no_legend =
                value && (streq(value, "no") || streq(value, "false") || streq(value, "0"));
        return true;
}

static bool set_preset_mode(void *fields, const char *value)
{
        static const char *const modes[] = {"full", "enable-only", "disable-only"}; /* enum install_preset_mode */

        for (unsigned i = 0; i < ARRAY_SIZE(modes); i++)
                if (streq(modes[i], value)) {
                        ((struct options *)fields)->preset_mode = i;
                        return true;
                }
        return false;
}

/* -P NAME is -p NAME --value. */
static bool set_value(void *fields, const char *value unused_)
{
        return ((struct options *)fields)->value = true;
}

#define AT(f)          .at = offsetof(struct options, f)
#define LIST(f, count) AT(f), .count_at = offsetof(struct options, count), .max = ARRAY_SIZE(((struct options *)0)->f)

static const struct option_row rows[] = {
        {"all", 'a', OPTION_FLAG, AT(all)},
        {"failed", 0, OPTION_FLAG, AT(failed)},
        {"force", 'f', OPTION_FLAG, AT(force)},
        {"full", 'l', OPTION_FLAG, AT(full)},
        {"global", 0, OPTION_FLAG, AT(global)},
        {"help", 'h', OPTION_FLAG, AT(help)},
        {"json", 0, OPTION_MAYBE, .set = set_json},
        {"legend", 0, OPTION_MAYBE, .set = set_legend},
        {"lines", 'n', OPTION_SET, .set = set_lines},
        {"name", 0, OPTION_STRING, AT(name)},
        {"no-follow", 0, OPTION_FLAG, AT(no_follow)},
        {"no-legend", 0, OPTION_FLAG, AT(no_legend)},
        {"no-reload", 0, OPTION_FLAG, AT(no_reload)},
        {"now", 0, OPTION_FLAG, AT(now)},
        {"output", 'o', OPTION_SET, .set = set_output},
        {"plain", 0, OPTION_FLAG, AT(plain)},
        {"preset-mode", 0, OPTION_SET, .set = set_preset_mode},
        {"property", 'p', OPTION_LIST, LIST(properties, n_properties)},
        {NULL, 'P', OPTION_LIST, LIST(properties, n_properties), .set = set_value},
        {"quiet", 'q', OPTION_FLAG, AT(quiet)},
        {"root", 0, OPTION_STRING, AT(root)},
        {"runtime", 0, OPTION_FLAG, AT(runtime)},
        {"runtime-dir", 0, OPTION_STRING, AT(runtime_dir)},
        {"state", 0, OPTION_LIST, LIST(states, n_states)},
        {"strict", 0, OPTION_FLAG, AT(strict)},
        {"system", 0, OPTION_TAKEN},
        {"timeout", 0, OPTION_STRING, AT(timeout)},
        {"type", 't', OPTION_LIST, LIST(types, n_types)},
        {"user", 0, OPTION_FLAG, AT(user)},
        {"value", 0, OPTION_FLAG, AT(value)},
        {"version", 0, OPTION_FLAG, AT(version)},
        /* for verbs of supctl-bus, of no effect on those here */
        {"after", 0, OPTION_TAKEN},
        {"before", 0, OPTION_TAKEN},
        {"no-block", 0, OPTION_TAKEN},
        {"reverse", 0, OPTION_TAKEN},
        {"wait", 0, OPTION_TAKEN},
        {"no-ask-password", 0, OPTION_TAKEN},
        {"no-pager", 0, OPTION_TAKEN},
        {"no-wall", 0, OPTION_TAKEN},
        {"no-warn", 0, OPTION_TAKEN},
        {"show-transaction", 'T', OPTION_TAKEN},
        {"fail", 0, OPTION_OTHER},
        {"ignore-dependencies", 0, OPTION_OTHER},
        {"irreversible", 0, OPTION_OTHER},
        {"job-mode", 0, OPTION_OTHER_WORD},
        {"kill-value", 0, OPTION_OTHER_WORD},
        {"kill-whom", 0, OPTION_OTHER_WORD}, /* cut short, it is --kill-who, the older name */
        {"signal", 's', OPTION_OTHER_WORD},
        {"what", 0, OPTION_OTHER_WORD},
        /* systemctl's, that nothing here has a use for */
        {"host", 'H', OPTION_OTHER_WORD},
        {"machine", 'M', OPTION_OTHER_WORD},
        {"timestamp", 0, OPTION_OTHER_WORD},
};

const struct option_table supctl_options = {rows, ARRAY_SIZE(rows)};

int options_parse(struct options *o, int argc, char **argv)
{
        *o = (struct options){.lines = 10};
        return command_line_parse(&supctl_options, o, argc, argv, &o->line);
}
