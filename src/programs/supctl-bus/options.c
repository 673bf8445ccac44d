/* SPDX-License-Identifier: MIT
 *
 * The options of supctl-bus, a row each, and which supd they mean.
 *
 * Not here: how a line is read (options/). Invariant: every option of supctl has a row here too, so that none is taken
 * for a verb, or its word for a unit; those of no use here are known as such.
 */
#include "supctl-bus.h"

#include <stdio.h>

/* As supd has it: /run/supd[-NAME], or $XDG_RUNTIME_DIR/supd[-NAME] for users. */
static int runtime_dir_find(struct options *o)
{
        const char *dir = getenv("SUPD_RUNTIME_DIR"), *base = "/run";
        char own[64];
        int n;

        if (!o->name)
                o->name = getenv("SUPD_NAME");
        if (o->runtime_dir_given)
                dir = o->runtime_dir_given;
        if (dir && dir[0]) {
                n = snprintf(o->runtime_dir, sizeof o->runtime_dir, "%s", dir);
                return n > 0 && (size_t)n < sizeof o->runtime_dir ? 0 : -ENAMETOOLONG;
        }
        if (o->user || (!o->system && !o->systemctl && geteuid() != 0)) {
                base = getenv("XDG_RUNTIME_DIR");
                if (!base || base[0] != '/') {
                        (void)snprintf(own, sizeof own, "/run/user/%lu", (unsigned long)getuid());
                        base = own;
                }
        }
        n = snprintf(o->runtime_dir, sizeof o->runtime_dir, "%s/supd%s%s", base, o->name && o->name[0] ? "-" : "",
                     o->name ? o->name : "");
        return n > 0 && (size_t)n < sizeof o->runtime_dir ? 0 : -ENAMETOOLONG;
}

static bool set_json(void *fields, const char *value)
{
        return json_form_from(value, &((struct options *)fields)->json);
}

/* Other forms are those of the journal. */
static bool set_output(void *fields, const char *value)
{
        (void)set_json(fields, value);
        return true;
}

/* What --job-mode= was called before there was that. */
static bool set_fail(void *fields, const char *value unused_)
{
        ((struct options *)fields)->job_mode = "fail";
        return true;
}

static bool set_irreversible(void *fields, const char *value unused_)
{
        ((struct options *)fields)->job_mode = "replace-irreversibly";
        return true;
}

static bool set_ignore(void *fields, const char *value unused_)
{
        ((struct options *)fields)->job_mode = "ignore-dependencies";
        return true;
}

/* -P NAME is -p NAME --value. */
static bool set_value(void *fields, const char *value unused_)
{
        return ((struct options *)fields)->bare = true;
}

#define AT(f)          .at = offsetof(struct options, f)
#define LIST(f, count) AT(f), .count_at = offsetof(struct options, count), .max = ARRAY_SIZE(((struct options *)0)->f)

static const struct option_row rows[] = {
        {"after", 0, OPTION_FLAG, AT(after)},
        {"all", 'a', OPTION_FLAG, AT(all)},
        {"before", 0, OPTION_FLAG, AT(before)},
        {"fail", 0, OPTION_MAYBE, .set = set_fail},
        {"full", 'l', OPTION_FLAG, AT(full)},
        {"help", 'h', OPTION_FLAG, AT(help)},
        {"ignore-dependencies", 0, OPTION_MAYBE, .set = set_ignore},
        {"irreversible", 0, OPTION_MAYBE, .set = set_irreversible},
        {"job-mode", 0, OPTION_STRING, AT(job_mode)},
        {"json", 0, OPTION_MAYBE, .set = set_json},
        {"kill-value", 0, OPTION_STRING, AT(value)},
        {"kill-whom", 0, OPTION_STRING, AT(whom)}, /* cut short, it is --kill-who, the older name */
        {"name", 0, OPTION_STRING, AT(name)},
        {"no-block", 0, OPTION_FLAG, AT(no_block)},
        {"no-legend", 0, OPTION_FLAG, AT(no_legend)},
        {"output", 'o', OPTION_SET, .set = set_output},
        {"plain", 0, OPTION_FLAG, AT(plain)},
        {"property", 'p', OPTION_LIST, LIST(properties, n_properties)},
        {NULL, 'P', OPTION_LIST, LIST(properties, n_properties), .set = set_value},
        {"quiet", 'q', OPTION_FLAG, AT(quiet)},
        {"reverse", 0, OPTION_FLAG, AT(reverse)},
        {"runtime", 0, OPTION_FLAG, AT(runtime)},
        {"runtime-dir", 0, OPTION_STRING, AT(runtime_dir_given)},
        {"show-transaction", 'T', OPTION_FLAG, AT(show_transaction)},
        {"signal", 's', OPTION_STRING, AT(signal)},
        {"system", 0, OPTION_FLAG, AT(system)},
        {"user", 0, OPTION_FLAG, AT(user)},
        {"value", 0, OPTION_FLAG, AT(bare)},
        {"wait", 0, OPTION_FLAG, AT(wait)},
        {"what", 0, OPTION_LIST, LIST(what, n_what)},
        /* of no effect here */
        {"failed", 0, OPTION_TAKEN},
        {"force", 'f', OPTION_TAKEN},
        {"legend", 0, OPTION_TAKEN},
        {"no-ask-password", 0, OPTION_TAKEN},
        {"no-pager", 0, OPTION_TAKEN},
        {"no-wall", 0, OPTION_TAKEN},
        {"no-warn", 0, OPTION_TAKEN},
        /* for verbs of supctl */
        {"global", 0, OPTION_OTHER},
        {"host", 'H', OPTION_OTHER_WORD},
        {"lines", 'n', OPTION_OTHER_WORD},
        {"machine", 'M', OPTION_OTHER_WORD},
        {"no-follow", 0, OPTION_OTHER},
        {"no-reload", 0, OPTION_OTHER},
        {"now", 0, OPTION_OTHER},
        {"preset-mode", 0, OPTION_OTHER_WORD},
        {"root", 0, OPTION_OTHER_WORD},
        {"state", 0, OPTION_OTHER_WORD},
        {"strict", 0, OPTION_OTHER},
        {"timeout", 0, OPTION_OTHER_WORD},
        {"timestamp", 0, OPTION_OTHER_WORD},
        {"type", 't', OPTION_OTHER_WORD},
        {"version", 0, OPTION_OTHER},
};

const struct option_table supctl_bus_options = {rows, ARRAY_SIZE(rows)};

int bus_options_parse(struct options *o, int argc, char **argv)
{
        int r = command_line_parse(&supctl_bus_options, o, argc, argv, &o->line);

        return r < 0 ? r : runtime_dir_find(o);
}
