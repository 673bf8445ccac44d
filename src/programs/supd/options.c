/* SPDX-License-Identifier: MIT
 *
 * The command line of supd: a table of options and the defaults behind them.
 *
 * Not here: what --unit, --config and --log-dir mean; such words go to the manager verbatim. Invariant: a wrong command
 * line ends before anything was touched, with the problem and the fix on stderr.
 */
#include <stdio.h>

#include "keeper.h"

static const char help_text[] =
        "Usage: supd [OPTION...]                 supervise units\n"
        "       supd [OPTION...] -- COMMAND ARG...   run one command as init, reap its orphans\n"
        "\n"
        "  --system            system units, runtime directory /run/supd (default for root)\n"
        "  --user              user units, runtime directory $XDG_RUNTIME_DIR/supd (default for others)\n"
        "  --name NAME         name this instance, so that several run side by side\n"
        "  --runtime-dir DIR   where state and sockets live\n"
        "  --unit UNIT         unit to start (default: default.target)\n"
        "  --config FILE       configuration of the manager\n"
        "  --log-dir DIR       where output of services is kept\n"
        "  --daemon            detach once supervision runs; exit 0 then, 1 on failure\n"
        "  --help, --version\n"
        "\n"
        "Environment: SUPD_NAME, SUPD_RUNTIME_DIR, SUPD_UNIT_PATH; options win.\n";

static void set_system(struct options *o, const char *value)
{
        (void)value;
        o->user = false;
        o->mode_given = true;
}

static void set_user(struct options *o, const char *value)
{
        (void)value;
        o->user = true;
        o->mode_given = true;
}

static void set_name(struct options *o, const char *value)
{
        o->name = value;
}

static void set_runtime_dir(struct options *o, const char *value)
{
        (void)snprintf(o->runtime_dir, sizeof(o->runtime_dir), "%s", value);
        o->runtime_dir_given = true;
}

static void set_daemon(struct options *o, const char *value)
{
        (void)value;
        o->daemon = true;
}

static void set_help(struct options *o, const char *value)
{
        (void)value;
        o->help = true;
}

static void set_version(struct options *o, const char *value)
{
        (void)value;
        o->version = true;
}

static void set_handoff(struct options *o, const char *value)
{
        int fd = 0;

        for (; *value >= '0' && *value <= '9' && fd < 1000000; value++)
                fd = fd * 10 + (*value - '0');
        o->handoff = *value == '\0' && fd > 2 ? fd : -1;
}

static void set_check(struct options *o, const char *value)
{
        (void)value;
        o->check = true;
}

static const struct option_row {
        const char *name;
        bool value, manager;                               /* takes a value; is the manager's business too */
        void (*set)(struct options *o, const char *value); /* NULL: only passed on */
} rows[] = {
        {"--system", false, true, set_system},
        {"--user", false, true, set_user},
        {"--name", true, true, set_name},
        {"--runtime-dir", true, true, set_runtime_dir},
        {"--unit", true, true, NULL},
        {"--config", true, true, NULL},
        {"--log-dir", true, true, NULL},
        {"--daemon", false, false, set_daemon},
        {"--help", false, false, set_help},
        {"-h", false, false, set_help},
        {"--version", false, false, set_version},
        {"--handoff", true, false, set_handoff}, /* only supd itself (reexec.c) */
        {"--check", false, false, set_check},
};

static const struct option_row *row_find(const char *word, const char **ret_value)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                size_t n = strlen(rows[i].name);

                if (strncmp(word, rows[i].name, n) != 0 || (word[n] != '\0' && word[n] != '='))
                        continue;
                *ret_value = word[n] == '=' ? word + n + 1 : NULL;
                return &rows[i];
        }
        return NULL;
}

static int word_pass(struct options *o, char *word)
{
        if (o->n_words >= KEEPER_MAX_WORDS - 8) {
                say("too many options; at most %d words", KEEPER_MAX_WORDS - 8);
                return -E2BIG;
        }
        o->words[o->n_words++] = word;
        return 0;
}

/* Takes argv[*i] and, where the option wants one, the value behind it. */
static int option_take(struct options *o, int argc, char **argv, int *i)
{
        const char *value = NULL;
        const struct option_row *row = row_find(argv[*i], &value);
        int r = 0;

        if (!row) {
                say("unknown option '%s'; 'supd --help' lists the options", argv[*i]);
                return -EINVAL;
        }
        if (!row->value && value) {
                say("option %s takes no value; write it without '=%s'", row->name, value);
                return -EINVAL;
        }
        if (row->manager)
                r = word_pass(o, argv[*i]);
        if (r >= 0 && row->value && !value) {
                if (*i + 1 >= argc) {
                        say("option %s needs a value; write %s VALUE", row->name, row->name);
                        return -EINVAL;
                }
                value = argv[++*i];
                if (row->manager)
                        r = word_pass(o, argv[*i]);
        }
        if (r >= 0 && row->value && *value == '\0') {
                say("option %s has an empty value; give one or leave the option out", row->name);
                return -EINVAL;
        }
        if (r >= 0 && row->set)
                row->set(o, value);
        return r;
}

static int name_check(const char *name)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

        if (*name != '.' && strlen(name) <= 64 && strspn(name, allowed) == strlen(name))
                return 0;
        say("instance name '%s' is not usable; take 1 to 64 letters, digits, '_', '-', '.', not beginning with '.'",
            name);
        return -EINVAL;
}

/* The default runtime directory; the same rule in supctl: /run/supd[-NAME], $XDG_RUNTIME_DIR/supd[-NAME]. */
static int runtime_dir_default(struct options *o)
{
        const char *base = "/run", *dash = o->name ? "-" : "", *name = o->name ? o->name : "";
        char own[64];
        int n;

        if (o->user) {
                base = getenv("XDG_RUNTIME_DIR");
                if (!base || *base != '/') {
                        (void)snprintf(own, sizeof(own), "/run/user/%lu", (unsigned long)getuid());
                        base = own;
                }
        }
        n = snprintf(o->runtime_dir, sizeof(o->runtime_dir), "%s/supd%s%s", base, dash, name);
        if (n < (int)sizeof(o->runtime_dir))
                return 0;
        say("XDG_RUNTIME_DIR is too long; use --runtime-dir");
        return -ENAMETOOLONG;
}

static int environment_apply(struct options *o)
{
        const char *name = getenv("SUPD_NAME"), *dir = getenv("SUPD_RUNTIME_DIR");

        if (!o->name && name && *name)
                o->name = name;
        if (o->name && name_check(o->name) < 0)
                return -EINVAL;
        if (!o->mode_given)
                o->user = geteuid() != 0;
        if (o->runtime_dir_given)
                return 0;
        if (dir && *dir) {
                (void)snprintf(o->runtime_dir, sizeof(o->runtime_dir), "%s", dir);
                return 0;
        }
        return runtime_dir_default(o);
}

int options_parse(struct options *o, int argc, char **argv)
{
        int r;

        o->handoff = -1;
        for (int i = 1; i < argc; i++) {
                if (streq(argv[i], "--")) {
                        o->command = argv + i + 1;
                        break;
                }
                if (argv[i][0] != '-' && getpid() == 1) {
                        say("ignoring argument '%s' (from the kernel command line)", argv[i]);
                        continue;
                }
                if (argv[i][0] != '-') {
                        say("unexpected argument '%s'; to run a command write: supd -- %s ...", argv[i], argv[i]);
                        return -EINVAL;
                }
                r = option_take(o, argc, argv, &i);
                if (r < 0)
                        return r;
        }
        if (o->help || o->version) {
                const char *text = o->help ? help_text : "supd " SUPD_VERSION "\n";
                return write(STDOUT_FILENO, text, strlen(text)) < 0 ? -errno : 1;
        }
        if (o->command && !*o->command) {
                say("no command behind '--'; write: supd -- COMMAND ARG...");
                return -EINVAL;
        }
        return environment_apply(o);
}
