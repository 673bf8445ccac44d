/* SPDX-License-Identifier: MIT
 *
 * supctl-bus: the verbs of supctl that change something, through D-Bus on RUNTIME_DIR/control. supctl runs it; it is a
 * program of its own so that a plain status never loads a bus library. Here is its beginning, and the table of verbs.
 *
 * Not here: what the verbs do, and anything that only looks. Exit codes: those of systemctl (1 failed, 3 not
 * applicable, 4 refused, 5 no such unit, 6 cannot be loaded), 2 wrong usage.
 */
#include "personality.h"
#include "supctl-bus.h"

#include <signal.h>
#include <stdio.h>

static const struct verb verbs[] = {
        {"start", run_enqueue, "StartUnit", "replace", true, 1, -1, "start"},
        {"stop", run_enqueue, "StopUnit", "replace", true, 1, -1, "stop"},
        {"restart", run_enqueue, "RestartUnit", "replace", false, 1, -1, "restart"},
        {"try-restart", run_enqueue, "TryRestartUnit", "replace", false, 1, -1, "try-restart"},
        {"condrestart", run_enqueue, "TryRestartUnit", "replace", false, 1, -1, "try-restart"},
        {"reload", run_enqueue, "ReloadUnit", "replace", false, 1, -1, "reload"},
        {"reload-or-restart", run_enqueue, "ReloadOrRestartUnit", "replace", false, 1, -1, "reload-or-restart"},
        {"try-reload-or-restart", run_enqueue, "ReloadOrTryRestartUnit", "replace", false, 1, -1,
         "try-reload-or-restart"},
        {"force-reload", run_enqueue, "ReloadOrTryRestartUnit", "replace", false, 1, -1, "try-reload-or-restart"},
        {"default", run_target, "StartUnit", "isolate", true, 0, 0, "start"},
        {"rescue", run_target, "StartUnit", "isolate", true, 0, 0, "start"},
        {"emergency", run_target, "StartUnit", "isolate", true, 0, 0, "start"},
        {"isolate", run_enqueue, "StartUnit", "isolate", true, 1, 1, "start"},
        {"kill", run_kill, "KillUnit", NULL, false, 1, -1},
        {"freeze", run_freeze, "FreezeUnit", NULL, true, 1, -1},
        {"thaw", run_freeze, "ThawUnit", NULL, true, 1, -1},
        {"clean", run_clean, "CleanUnit", NULL, true, 1, -1},
        {"set-property", run_set_property, "SetUnitProperties", NULL, true, 2, -1},
        {"service-watchdogs", run_service_watchdogs, NULL, "set service-watchdog state", true, 0, 1},
        {"reset-failed", run_reset_failed, "ResetFailedUnit", NULL, true, 0, -1},
        {"daemon-reload", run_reload, "Reload", NULL, true, 0, 0},
        {"daemon-reexec", run_reload, "Reexecute", NULL, false, 0, 0},
        {"poweroff", run_end, "PowerOff", NULL, false, 0, 0},
        {"reboot", run_end, "Reboot", NULL, false, 0, 0},
        {"halt", run_end, "Halt", NULL, false, 0, 0},
        {"kexec", run_end, "KExec", NULL, false, 0, 0},
        {"exit", run_end, "Exit", NULL, false, 0, 0},
        {"list-jobs", run_list_jobs, "ListJobs", NULL, true, 0, -1},
        {"cancel", run_cancel, NULL, NULL, false, 0, -1},
        {"show-environment", run_show_environment, NULL, NULL, true, 0, 0},
        {"set-environment", run_environment, "SetEnvironment", "set environment", true, 1, -1},
        {"unset-environment", run_environment, "UnsetEnvironment", "set environment", true, 1, -1},
        {"import-environment", run_import_environment, "SetEnvironment", "import environment", true, 0, -1},
        {"show", run_show, NULL, NULL, true, 0, -1},
        {"log-level", run_log, "LogLevel", "set log level", true, 0, 1},
        {"tree", run_tree, NULL, NULL, true, 0, -1},
        {"list-dependencies", run_tree, NULL, NULL, true, 0, -1},
        {"why", run_why, NULL, NULL, true, 1, -1},
        {"plan", run_plan, NULL, NULL, true, 1, -1},
        {"log-target", run_log, "LogTarget", "set log target", true, 0, 1},
};

static void usage(FILE *to)
{
        (void)fprintf(
                to,
                "usage: supctl [OPTION…] VERB [UNIT…]; see supctl --help and supctl(1). The verbs that ask supd:\n");
        for (size_t i = 0, column = 0; i < ARRAY_SIZE(verbs); i++) {
                bool last = i + 1 == ARRAY_SIZE(verbs);

                column += (size_t)fprintf(to, " %s", verbs[i].name);
                if (column > 90 || last)
                        column = fputc('\n', to) == EOF;
        }
}

static const struct verb *verb_find(const char *name, unsigned n_args)
{
        for (size_t i = 0; name && i < ARRAY_SIZE(verbs); i++) {
                const struct verb *v = &verbs[i];

                if (!streq(v->name, name))
                        continue;
                if ((int)n_args >= v->min_args && (v->max_args < 0 || (int)n_args <= v->max_args))
                        return v;
                (void)fprintf(stderr, "%s: %s units were named\n", name, (int)n_args < v->min_args ? "no" : "too many");
                return NULL;
        }
        (void)fprintf(stderr, "Unknown verb %s\n", name ? name : "(none)");
        usage(stderr);
        return NULL;
}

/* Says what is wrong with the options; systemctl takes any of its own with any verb. */
static bool misused(const struct options *o)
{
        const struct command_line *l = &o->line;
        const char *unknown = l->unknown ? l->unknown : o->systemctl ? NULL : l->other;

        if (l->wrong)
                (void)fprintf(stderr, "supctl: option %s has no argument, or one that it cannot have\n", l->wrong);
        else if (unknown)
                (void)fprintf(stderr, "supctl: %s does not know the option %s\n",
                              l->n_words > 0 ? l->words[0] : "supctl-bus", unknown);
        return l->wrong || unknown;
}

/* As systemctl understands it: not to be bothered, as in the scripts of packages that are installed into an image. */
static bool is_offline(void)
{
        const char *v = getenv("SYSTEMD_OFFLINE");

        return v && (streq(v, "1") || streq(v, "yes") || streq(v, "true"));
}

static int run(const struct options *o, const struct verb *v)
{
        struct control c = {.options = o};
        int code = 1;

        if (o->systemctl && is_offline()) {
                (void)fprintf(stderr, "Running in chroot, ignoring command '%s'\n", v->name);
                return 0;
        }
        (void)signal(SIGPIPE, SIG_IGN);
        if (control_connect(&c) >= 0)
                code = v->run(&c, v, o->line.words + 1, (int)o->line.n_words - 1);
        sd_bus_close_unref(c.bus);
        jobs_free(&c);
        return code;
}

int main(int argc, char **argv)
{
        struct options o = {.systemctl = called_as_systemctl(argv[0])};
        const struct verb *v = NULL;
        int r = bus_options_parse(&o, argc, argv), code;

        if (r < 0)
                (void)fprintf(stderr, "supctl: %s\n", strerror(-r));
        else if (o.help)
                usage(stdout);
        else if (!misused(&o))
                v = verb_find(o.line.words[0], o.line.n_words > 0 ? o.line.n_words - 1 : 0);
        code = v ? run(&o, v) : o.help && r == 0 ? 0 : o.systemctl ? 1 : 2;
        command_line_done(&o.line);
        return code;
}
