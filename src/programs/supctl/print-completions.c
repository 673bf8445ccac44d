/* SPDX-License-Identifier: MIT
 *
 * print-completions bash|zsh|fish: the completions of supctl, made of its tables of verbs and options when it is built.
 * Not here: any verb. Invariant: what is offered is what supctl knows; names of units come from supctl itself.
 */
#include <stdio.h>

#include "programs/supctl/supctl.h"

enum complete {
        NOTHING,
        UNITS,      /* loaded ones and unit files */
        STARTABLE,  /* those of them that are not up */
        ACTIVE,     /* loaded and up */
        FAILED,     /* loaded and failed */
        TARGETS,    /* loaded targets and files of targets */
        UNIT_FILES, /* names of unit files */
        PATHS,      /* files */
        PLANS,      /* the verbs that can be planned, then units */
        JOBS,       /* numbers of jobs */
        LEVELS,     /* of the log */
        N_COMPLETES,
};

static const char *const complete_words[N_COMPLETES] = {
        [NOTHING] = "nothing", [UNITS] = "units",     [STARTABLE] = "startable", [ACTIVE] = "active",
        [FAILED] = "failed",   [TARGETS] = "targets", [UNIT_FILES] = "files",    [PATHS] = "paths",
        [PLANS] = "plans",     [JOBS] = "jobs",       [LEVELS] = "levels",
};

static const struct {
        const char *name, *arguments, *help;
        enum complete complete;
} verbs[] = {
#define LOOK(name, arguments, min, max, status, run, complete, help) {name, arguments, help, complete},
#define FILES(name, arguments, min, max, run, complete, help)        {name, arguments, help, complete},
#define BUS(name, arguments, complete, help)                         {name, arguments, help, complete},
#include "programs/supctl/verbs-list.h"
};

/* ---- what all three have: names on standard output, a line each ---- */

static const char lister[] =
        "# $1: what kind of names; the rest: options that say which supd\n"
        "__supctl_names() {\n"
        "    local kind=$1; shift\n"
        "    case $kind in\n"
        "    units) command supctl \"$@\" list-units --all --plain --no-legend; command supctl \"$@\" list-unit-files "
        "--no-legend ;;\n"
        "    startable) command supctl \"$@\" list-units --all --plain --no-legend --state=inactive,failed; command "
        "supctl "
        "\"$@\" list-unit-files --no-legend ;;\n"
        "    active) command supctl \"$@\" list-units --plain --no-legend --state=active,reloading,activating ;;\n"
        "    failed) command supctl \"$@\" list-units --all --plain --no-legend --state=failed ;;\n"
        "    targets) command supctl \"$@\" list-units --all --plain --no-legend --type=target; command supctl \"$@\" "
        "list-unit-files --no-legend --type=target ;;\n"
        "    files) command supctl \"$@\" list-unit-files --no-legend ;;\n"
        "    jobs) command supctl \"$@\" --quiet list-jobs ;;\n"
        "    levels) printf '%s\\n' emerg alert crit err warning notice info debug ;;\n"
        "    plans) printf '%s\\n' start stop restart try-restart reload reload-or-restart isolate daemon-reload ;;\n"
        "    esac 2>/dev/null | { while read -r name rest; do [ -n \"$name\" ] && printf '%s\\n' \"$name\"; done; } | "
        "sort "
        "-u\n"
        "}\n";

static void print_options(const char *separator)
{
        for (size_t i = 0; i < supctl_options.n; i++) {
                const struct option_row *o = &supctl_options.rows[i];

                if (o->name)
                        (void)printf("--%s%s%s", o->name, option_takes_word(o) ? "=" : "", separator);
                if (o->letter)
                        (void)printf("-%c%s", o->letter, separator);
        }
}

static void print_takers(const char *separator)
{
        for (size_t i = 0; i < supctl_options.n; i++) {
                const struct option_row *o = &supctl_options.rows[i];

                if (option_takes_word(o) && o->name)
                        (void)printf("--%s%s", o->name, separator);
                if (option_takes_word(o) && o->letter)
                        (void)printf("-%c%s", o->letter, separator);
        }
}

static void print_cases(const char *variable)
{
        (void)printf("    case $%s in\n", variable);
        for (unsigned k = UNITS; k < N_COMPLETES; k++) {
                unsigned n = 0;

                for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                        if (verbs[i].complete == k)
                                (void)printf("%s%s", n++ > 0 ? "|" : "    ", verbs[i].name);
                if (n > 0)
                        (void)printf(") kind=%s ;;\n", complete_words[k]);
        }
        (void)printf("    *) kind=nothing ;;\n    esac\n");
}

/* ---- bash ---- */

static void print_bash(void)
{
        (void)printf("# supctl completions for bash; made from its tables of verbs and options\n%s\n", lister);
        (void)printf("_supctl() {\n"
                     "    local cur=${COMP_WORDS[COMP_CWORD]} verb= kind= word i n=0 takers=' ");
        print_takers(" ");
        (void)printf("'\n"
                     "    local -a which=()\n"
                     "    COMPREPLY=()\n"
                     "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                     "        word=${COMP_WORDS[i]}\n"
                     "        case $word in\n"
                     "        --user|--system) which+=(\"$word\") ;;\n"
                     "        --name|--runtime-dir|--root)\n"
                     "            [[ ${COMP_WORDS[i+1]} == '=' ]] && ((i++))\n"
                     "            which+=(\"$word=${COMP_WORDS[i+1]}\"); ((i++)) ;;\n"
                     "        -*) if [[ $takers == *\" $word \"* ]]; then\n"
                     "                [[ ${COMP_WORDS[i+1]} == '=' ]] && ((i++))\n"
                     "                ((i++))\n"
                     "            fi ;;\n"
                     "        *) if [[ -z $verb ]]; then verb=$word; else ((n++)); fi ;;\n"
                     "        esac\n"
                     "    done\n"
                     "    if ((i > COMP_CWORD)); then return; fi\n"
                     "    if [[ $cur == -* ]]; then\n"
                     "        COMPREPLY=($(compgen -W '");
        print_options(" ");
        (void)printf("' -- \"$cur\"))\n"
                     "        [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null\n"
                     "        return\n"
                     "    fi\n"
                     "    if [[ -z $verb ]]; then\n"
                     "        COMPREPLY=($(compgen -W '");
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                (void)printf("%s ", verbs[i].name);
        (void)printf("' -- \"$cur\"))\n"
                     "        return\n"
                     "    fi\n");
        print_cases("verb");
        (void)printf("    [[ $kind == plans ]] && ((n > 0)) && kind=units\n"
                     "    if [[ $kind == paths ]]; then\n"
                     "        compopt -o filenames 2>/dev/null\n"
                     "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                     "        return\n"
                     "    fi\n"
                     "    while read -r word; do\n"
                     "        [[ $word == \"$cur\"* ]] && COMPREPLY+=(\"$word\")\n"
                     "    done < <(__supctl_names \"$kind\" \"${which[@]}\")\n"
                     "}\n"
                     "complete -F _supctl supctl\n");
}

/* ---- zsh ---- */

static void print_quoted(const char *text, char quote)
{
        for (; *text; text++)
                if (*text == quote)
                        (void)fputs(quote == '\'' ? "'\\''" : "\\:", stdout);
                else
                        (void)putchar(*text);
}

static void print_zsh(void)
{
        (void)printf("#compdef supctl\n# supctl completions for zsh; made from its tables of verbs and options\n%s\n",
                     lister);
        (void)printf("_supctl() {\n"
                     "    local verb= kind= word\n"
                     "    local -a verbs which names\n"
                     "    local -i i n=0\n"
                     "    verbs=(\n");
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
                (void)printf("        '%s:", verbs[i].name);
                print_quoted(verbs[i].help, '\'');
                (void)printf("'\n");
        }
        (void)printf("    )\n"
                     "    for ((i = 2; i < CURRENT; i++)); do\n"
                     "        word=$words[i]\n"
                     "        case $word in\n"
                     "        --user|--system|--name=*|--runtime-dir=*|--root=*) which+=($word) ;;\n"
                     "        ");
        print_takers("|");
        (void)printf("--) ((i++)) ;;\n"
                     "        -*) ;;\n"
                     "        *) if [[ -z $verb ]]; then verb=$word; else ((n++)); fi ;;\n"
                     "        esac\n"
                     "    done\n"
                     "    if [[ $words[CURRENT] == -* ]]; then\n"
                     "        compadd -- ");
        print_options(" ");
        (void)printf("\n        return\n"
                     "    fi\n"
                     "    if [[ -z $verb ]]; then\n"
                     "        _describe -t verbs verb verbs\n"
                     "        return\n"
                     "    fi\n");
        print_cases("verb");
        (void)printf("    [[ $kind == plans ]] && ((n > 0)) && kind=units\n"
                     "    if [[ $kind == paths ]]; then\n"
                     "        _files\n"
                     "        return\n"
                     "    fi\n"
                     "    names=(${(f)\"$(__supctl_names $kind $which)\"})\n"
                     "    compadd -a names\n"
                     "}\n"
                     "_supctl \"$@\"\n");
}

/* ---- fish ---- */

static void print_fish(void)
{
        (void)printf("# supctl completions for fish; made from its tables of verbs and options\n"
                     "function __supctl_names\n"
                     "    switch $argv[1]\n"
                     "        case units\n"
                     "            supctl list-units --all --plain --no-legend; supctl list-unit-files --no-legend\n"
                     "        case startable\n"
                     "            supctl list-units --all --plain --no-legend --state=inactive,failed\n"
                     "            supctl list-unit-files --no-legend\n"
                     "        case active\n"
                     "            supctl list-units --plain --no-legend --state=active,reloading,activating\n"
                     "        case failed\n"
                     "            supctl list-units --all --plain --no-legend --state=failed\n"
                     "        case targets\n"
                     "            supctl list-units --all --plain --no-legend --type=target\n"
                     "            supctl list-unit-files --no-legend --type=target\n"
                     "        case files\n"
                     "            supctl list-unit-files --no-legend\n"
                     "        case jobs\n"
                     "            supctl --quiet list-jobs\n"
                     "        case levels\n"
                     "            printf '%%s\\n' emerg alert crit err warning notice info debug\n"
                     "        case plans\n"
                     "            printf '%%s\\n' start stop restart try-restart reload reload-or-restart isolate "
                     "daemon-reload\n"
                     "    end 2>/dev/null | string trim | string split -f1 ' ' | sort -u\n"
                     "end\n"
                     "complete -c supctl -f\n");
        for (size_t i = 0; i < supctl_options.n; i++) {
                const struct option_row *o = &supctl_options.rows[i];

                (void)printf("complete -c supctl%s", option_takes_word(o) ? " -x" : "");
                if (o->name)
                        (void)printf(" -l %s", o->name);
                if (o->letter)
                        (void)printf(" -s %c", o->letter);
                (void)putchar('\n');
        }
        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
                (void)printf("complete -c supctl -n __fish_use_subcommand -a %s -d '", verbs[i].name);
                print_quoted(verbs[i].help, '\'');
                (void)printf("'\n");
                if (verbs[i].complete == PATHS)
                        (void)printf("complete -c supctl -n '__fish_seen_subcommand_from %s' -F\n", verbs[i].name);
                else if (verbs[i].complete != NOTHING)
                        (void)printf(
                                "complete -c supctl -n '__fish_seen_subcommand_from %s' -a '(__supctl_names %s)'\n",
                                verbs[i].name, complete_words[verbs[i].complete]);
                if (verbs[i].complete == PLANS)
                        (void)printf(
                                "complete -c supctl -n '__fish_seen_subcommand_from %s' -a '(__supctl_names units)'\n",
                                verbs[i].name);
        }
}

int main(int argc, char **argv)
{
        static const struct {
                const char *shell;
                void (*print)(void);
        } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

        for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(shells); i++)
                if (streq(shells[i].shell, argv[1])) {
                        shells[i].print();
                        return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
                }
        fprintf(stderr, "usage: print-completions bash|zsh|fish\n");
        return 2;
}
