/* SPDX-License-Identifier: MIT
 *
 * supctl-bus: the verbs of supctl that change something, through D-Bus on RUNTIME_DIR/control. supctl runs it; it is a
 * program of its own so that a plain status never loads a bus library.
 *
 * Not here: anything that only looks. Exit codes: those of systemctl (1 failed, 3 not applicable, 4 refused, 5 no such
 * unit, 6 cannot be loaded), 2 wrong usage.
 */
#include "personality.h"
#include "supctl-bus.h"

#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>

static bool systemctl; /* that is what we were called as */

static int failed_to(const char *what, const char *unit, int r, const sd_bus_error *e, bool quiet)
{
        const char *text = e && e->message ? e->message : strerror(-r);

        if (error_is_disconnect(r, e))
                text = "the connection to supd was lost before it answered; see 'supctl status' whether it was done";
        (void)fprintf(stderr, "Failed to %s %s: %s\n", say_verb(systemctl, what), unit, text);
        if (!quiet && e && error_wants_hint(e, systemctl) && unit[0] && !error_is_disconnect(r, e))
                say_hint(systemctl, unit);
        return e ? error_exit_code(e) : 1;
}

bool unit_has_suffix(const char *name)
{
        static const char *const suffixes[] = {".service", ".target", ".socket", ".timer", ".path",     ".mount",
                                               ".slice",   ".device", ".swap",   ".scope", ".automount"};

        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
                if (ends_with(name, suffixes[i]))
                        return true;
        return false;
}

void names_done(struct names *l)
{
        for (unsigned i = 0; i < l->n; i++)
                free(l->v[i]);
        free(l->v);
}

static int names_add(struct names *l, const char *name, const char *suffix)
{
        char **more = reallocarray(l->v, l->n + 1, sizeof *more);

        if (!more)
                return -ENOMEM;
        l->v = more;
        if (asprintf(&l->v[l->n], "%s%s", name, suffix) < 0)
                return -ENOMEM;
        l->n++;
        return 0;
}

/* Units that are loaded and match. Nothing that matches is no mistake: the pattern did what it says. What answers us is
 * not meant by a pattern: to stop it takes its name. */
static int names_add_matches(struct control *c, struct names *l, const char *pattern)
{
        const char *id, *s[6], *job_type;
        sd_bus_message *reply = NULL;
        sd_bus_error e = SD_BUS_ERROR_NULL;
        uint32_t job;
        int r = control_call(c, MANAGER_IF, "ListUnitsByPatterns", true, &e, &reply, "asas", 0, 1, pattern);

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(ssssssouso)", &id, &s[0], &s[1], &s[2], &s[3], &s[4], &s[5],
                                                  &job, &job_type, &s[0])) > 0)
                if (!streq(id, "supd-bus.service"))
                        r = names_add(l, id, "");
        if (r < 0)
                (void)failed_to("list units for", pattern, r, &e, true);
        sd_bus_error_free(&e);
        sd_bus_message_unref(reply);
        return r;
}

int names_of(struct control *c, char **args, int n, const char *suffix, struct names *ret)
{
        int r = 0;

        for (int i = 0; i < n && r >= 0; i++)
                if (strpbrk(args[i], "*?["))
                        r = names_add_matches(c, ret, args[i]);
                else
                        r = names_add(ret, args[i], unit_has_suffix(args[i]) ? "" : suffix);
        return r;
}

static void warn_changed(struct control *c, const char *unit)
{
        cleanup_free_ char *path = NULL;
        int changed = 0;

        if (c->options->quiet || !c->bus || sd_bus_path_encode(BUS_ROOT "/unit", unit, &path) < 0 ||
            sd_bus_get_property_trivial(c->bus, BUS_NAME, path, BUS_NAME ".Unit", "NeedDaemonReload", NULL, 'b',
                                        &changed) < 0)
                return;
        if (changed)
                (void)fprintf(stderr,
                              "Warning: the files of %s changed on disk; run 'supctl daemon-reload' to use them.\n",
                              unit);
}

/* The request has a number of its own, by which the manager knows it when it comes again over another connection: what
 * was asked for once happens once. A supd-bus of before that has no such method. */
static int enqueue_call(struct control *c, const struct verb *v, const char *unit, sd_bus_error *e,
                        sd_bus_message **ret)
{
        const char *mode = c->options->job_mode ? c->options->job_mode : v->mode;
        uint64_t id[2];
        int r;

        if (getrandom(id, sizeof id, GRND_NONBLOCK) == sizeof id) {
                r = control_call(c, SUPD_IF, "Enqueue", true, e, ret, "ssstt", unit, v->request, mode, id[0], id[1]);
                if (r >= 0 || !sd_bus_error_has_name(e, SD_BUS_ERROR_UNKNOWN_METHOD))
                        return r;
                sd_bus_error_free(e);
        }
        return control_call(c, MANAGER_IF, v->method, v->again, e, ret, "ss", unit, mode);
}

static int enqueue_one(struct control *c, const struct verb *v, const char *unit)
{
        const char *path;
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int code = 0, r = enqueue_call(c, v, unit, &e, &reply);

        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = jobs_add(c, path, unit);
        if (r < 0)
                code = failed_to(v->name, unit, r, &e, c->options->quiet);
        else
                warn_changed(c, unit);
        sd_bus_error_free(&e);
        sd_bus_message_unref(reply);
        return code;
}

static int run_enqueue(struct control *c, const struct verb *v, char **args, int n)
{
        struct names l = {0};
        int code = 0, k;

        if (names_of(c, args, n, streq(v->name, "isolate") ? ".target" : ".service", &l) < 0)
                code = 1;
        for (unsigned i = 0; i < l.n; i++) {
                k = enqueue_one(c, v, l.v[i]);
                code = code ? code : k;
        }
        if (!c->options->no_block) {
                k = jobs_wait(c);
                code = code ? code : k;
        }
        if (c->options->wait && code == 0)
                code = units_wait_inactive(c, l.v, l.n);
        names_done(&l);
        return code;
}

/* The target of the verb's own name. */
static int run_target(struct control *c, const struct verb *v, char **args unused_, int n unused_)
{
        char name[32], *unit = name;

        (void)snprintf(name, sizeof name, "%s.target", v->name);
        return run_enqueue(c, v, &unit, 1);
}

static int parse_signal(const char *s)
{
        char *end;
        long v = strtol(s, &end, 10);
        int offset;

        if (*s && !*end)
                return v >= 1 && v <= SIGRTMAX ? (int)v : -EINVAL;
        if (starts_with(s, "SIG"))
                s += 3;
        if (sscanf(s, "RTMIN+%d", &offset) == 1)
                return offset >= 0 && offset <= SIGRTMAX - SIGRTMIN ? SIGRTMIN + offset : -EINVAL;
        for (int i = 1; i < SIGRTMIN; i++)
                if (sigabbrev_np(i) && streq(sigabbrev_np(i), s))
                        return i;
        return -EINVAL;
}

static int parse_number(const char *s, int32_t *ret)
{
        char *end;
        long v;

        errno = 0;
        v = strtol(s, &end, 0);
        if (errno || end == s || *end || v < INT32_MIN || v > INT32_MAX)
                return -EINVAL;
        *ret = (int32_t)v;
        return 0;
}

static int run_kill(struct control *c, const struct verb *v, char **args, int n)
{
        int signal = parse_signal(c->options->signal ? c->options->signal : "TERM"), code = 0;
        const char *whom = c->options->whom ? c->options->whom : "all", *given = c->options->value;
        struct names l = {0};
        int32_t value = 0;

        if (given && parse_number(given, &value) < 0) {
                (void)fprintf(stderr, "--kill-value=%s is no number\n", given);
                return 2;
        }
        if (signal < 0) {
                (void)fprintf(stderr, "Unknown signal %s; give a name like TERM or a number\n", c->options->signal);
                return 2;
        }
        if (names_of(c, args, n, ".service", &l) < 0)
                code = 1;
        for (unsigned i = 0; i < l.n; i++) {
                sd_bus_error e = SD_BUS_ERROR_NULL;
                int r = given ? control_call(c, MANAGER_IF, "QueueSignalUnit", false, &e, NULL, "ssii", l.v[i], whom,
                                             signal, value)
                              : control_call(c, MANAGER_IF, v->method, false, &e, NULL, "ssi", l.v[i], whom, signal);

                if (r < 0) {
                        (void)failed_to("kill", l.v[i], r, &e, true);
                        code = 1;
                }
                sd_bus_error_free(&e);
        }
        names_done(&l);
        return code;
}

static int run_reset_failed(struct control *c, const struct verb *v, char **args, int n)
{
        struct names l = {0};
        int code = 0;

        if (names_of(c, args, n, ".service", &l) < 0)
                code = 1;
        for (unsigned i = 0; i < l.n || (n == 0 && i == 0); i++) {
                sd_bus_error e = SD_BUS_ERROR_NULL;
                int r = n == 0 ? control_call(c, MANAGER_IF, "ResetFailed", v->again, &e, NULL, "")
                               : control_call(c, MANAGER_IF, "ResetFailedUnit", v->again, &e, NULL, "s", l.v[i]);
                if (r < 0) {
                        (void)failed_to("reset failed state of", n ? l.v[i] : "units", r, &e, true);
                        code = 1;
                }
                sd_bus_error_free(&e);
        }
        names_done(&l);
        return code;
}

static int run_reload(struct control *c, const struct verb *v, char **args unused_, int n unused_)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r = control_call(c, MANAGER_IF, v->method, v->again, &e, NULL, ""), code = 0;

        if (r < 0 && streq(v->method, "Reexecute") && error_is_disconnect(r, &e))
                r = 0; /* that is how it answers */
        if (r < 0) {
                (void)fprintf(stderr, "Failed to %s: %s\n",
                              streq(v->method, "Reexecute") ? "re-execute the manager" : "reload unit files",
                              e.message ? e.message : strerror(-r));
                code = 1;
        }
        sd_bus_error_free(&e);
        return code;
}

/* Everything is stopped, and supd with it; it may be gone before it answers. */
static int run_end(struct control *c, const struct verb *v, char **args unused_, int n unused_)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r = control_call(c, MANAGER_IF, v->method, v->again, &e, NULL, ""), code = 0;

        if (r < 0 && !error_is_disconnect(r, &e)) {
                (void)fprintf(stderr, "Failed to %s: %s\n", v->name, e.message ? e.message : strerror(-r));
                code = 1;
        }
        sd_bus_error_free(&e);
        return code;
}

static int run_cancel(struct control *c, const struct verb *v, char **args, int n)
{
        int code = 0;

        for (int i = 0; i < n || (n == 0 && i == 0); i++) {
                sd_bus_error e = SD_BUS_ERROR_NULL;
                uint32_t id = 0;
                char rest;
                int r;

                if (n > 0 && sscanf(args[i], "%u%c", &id, &rest) != 1) {
                        (void)fprintf(stderr, "%s is no job number; 'supctl list-jobs' shows them\n", args[i]);
                        code = 1;
                        continue;
                }
                r = n == 0 ? control_call(c, MANAGER_IF, "ClearJobs", v->again, &e, NULL, "")
                           : control_call(c, MANAGER_IF, "CancelJob", v->again, &e, NULL, "u", id);
                if (r < 0) {
                        (void)failed_to("cancel", n ? args[i] : "jobs", r, &e, true);
                        code = 1;
                }
                sd_bus_error_free(&e);
        }
        return code;
}

static bool matches(const char *unit, char **patterns, int n)
{
        for (int i = 0; i < n; i++)
                if (fnmatch(patterns[i], unit, 0) == 0)
                        return true;
        return n == 0;
}

static void show_job(struct columns *t, struct json *j, uint32_t id, const char *unit, const char *type,
                     const char *state)
{
        char number[16];

        (void)snprintf(number, sizeof number, "%u", id);
        (void)columns_add(t, "", (const char *const[]){number, unit, type, state});
        json_open(j, NULL, '{');
        json_u64(j, "job", id);
        json_string(j, "unit", unit);
        json_string(j, "type", type);
        json_string(j, "state", state);
        json_close(j, '}');
}

static int run_list_jobs(struct control *c, const struct verb *v, char **args, int n)
{
        bool legend = !c->options->quiet && !c->options->no_legend;
        struct columns t = {.n_columns = 4, .right = 1u << 0, .shrink = 1u << 1};
        const char *unit, *type, *state, *job_path, *path;
        struct json j = {.form = c->options->json};
        struct screen s = screen_look();
        sd_bus_message *reply = NULL;
        sd_bus_error e = SD_BUS_ERROR_NULL;
        unsigned count = 0;
        uint32_t id;
        int r = control_call(c, MANAGER_IF, v->method, v->again, &e, &reply, "");

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(usssoo)");
        json_open(&j, NULL, '[');
        while (r >= 0 &&
               (r = sd_bus_message_read(reply, "(usssoo)", &id, &unit, &type, &state, &job_path, &path)) > 0) {
                if (!matches(unit, args, n))
                        continue;
                if (count++ == 0 && legend)
                        (void)columns_add(&t, "", (const char *const[]){"JOB", "UNIT", "TYPE", "STATE"});
                show_job(&t, &j, id, unit, type, state);
        }
        json_close(&j, ']');
        if (r < 0)
                (void)failed_to("list", "jobs", r, &e, true);
        else if (c->options->json)
                json_print(&j);
        else
                columns_print(&t, 0, c->options->full ? 0 : s.width, s.colour && legend ? "\033[4m" : "", stdout);
        if (r >= 0 && !c->options->json && legend)
                (void)(count == 0 ? printf("No jobs running.\n") : printf("\n%u jobs listed.\n", count));
        buf_done(&j.text);
        columns_done(&t);
        sd_bus_error_free(&e);
        sd_bus_message_unref(reply);
        return r < 0 ? 1 : 0;
}

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
        {"reset-failed", run_reset_failed, NULL, NULL, true, 0, -1},
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
        {"show-properties", run_show_properties, NULL, NULL, true, 2, -1},
        {"log-level", run_log, "LogLevel", "set log level", true, 0, 1},
        {"tree", run_tree, NULL, NULL, true, 0, -1},
        {"list-dependencies", run_tree, NULL, NULL, true, 0, -1},
        {"why", run_why, NULL, NULL, true, 1, -1},
        {"plan", run_plan, NULL, NULL, true, 1, -1},
        {"log-target", run_log, "LogTarget", "set log target", true, 0, 1},
};

static const char *const usage_text =
        "usage: supctl-bus [OPTION...] VERB [UNIT...]\n"
        "verbs: start stop restart try-restart reload reload-or-restart try-reload-or-restart isolate kill\n"
        "       reset-failed daemon-reload daemon-reexec list-jobs cancel show-environment set-environment\n"
        "       unset-environment import-environment log-level log-target poweroff reboot halt kexec exit\n"
        "       tree list-dependencies why plan\n"
        "  --no-block               do not wait for the jobs\n"
        "  --wait                   wait until the units have ended again\n"
        "  --job-mode=MODE          replace (default), fail, replace-irreversibly, isolate, flush,\n"
        "                           ignore-dependencies, ignore-requirements\n"
        "  -s, --signal=SIGNAL      for kill (default TERM)\n"
        "  --kill-whom=WHOM         all (default), main, control\n"
        "  --kill-value=NUMBER      for kill: sent along with the signal\n"
        "  --reverse, --after, --before, -a, --all, --plain   of dependencies: whose, in which order, all of them, "
        "bare\n"
        "  --json[=short|pretty], -l, --full                  for programs; uncut\n"
        "  -q, --quiet              say less\n"
        "  --system, --user, --name=NAME, --runtime-dir=DIR   which supd; environment SUPD_NAME, SUPD_RUNTIME_DIR\n";

/* As supd has it: /run/supd[-NAME], or $XDG_RUNTIME_DIR/supd[-NAME] for users. */
static int runtime_dir_find(struct options *o)
{
        const char *dir = getenv("SUPD_RUNTIME_DIR"), *base = "/run";
        char own[64];
        int n;

        if (!o->name)
                o->name = getenv("SUPD_NAME");
        if (o->runtime_dir_given)
                return 0;
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

static enum json_form json_form_of(const char *word)
{
        if (!word || streq(word, "short") || streq(word, "json"))
                return JSON_SHORT;
        return streq(word, "pretty") || streq(word, "json-pretty") ? JSON_PRETTY : JSON_OFF;
}

static int parse_options(int argc, char **argv, struct options *o)
{
        enum {
                NO_BLOCK = 256,
                VALUE,
                WAIT,
                JOB_MODE,
                WHOM,
                NAME,
                RUNTIME_DIR,
                USER,
                SYSTEM,
                BARE,
                HELP,
                REVERSE,
                PLAIN,
                AFTER,
                BEFORE,
                JSON,
                NO_LEGEND,
                TAKEN
        };
        static const struct option long_options[] = {
                {"no-block", no_argument, NULL, NO_BLOCK},
                {"wait", no_argument, NULL, WAIT},
                {"job-mode", required_argument, NULL, JOB_MODE},
                {"kill-whom", required_argument, NULL, WHOM},
                {"kill-who", required_argument, NULL, WHOM},
                {"kill-value", required_argument, NULL, VALUE},
                {"signal", required_argument, NULL, 's'},
                {"quiet", no_argument, NULL, 'q'},
                {"bare", no_argument, NULL, BARE},
                {"name", required_argument, NULL, NAME},
                {"runtime-dir", required_argument, NULL, RUNTIME_DIR},
                {"user", no_argument, NULL, USER},
                {"system", no_argument, NULL, SYSTEM},
                {"help", no_argument, NULL, HELP},
                {"all", no_argument, NULL, 'a'},
                {"full", no_argument, NULL, 'l'},
                {"reverse", no_argument, NULL, REVERSE},
                {"plain", no_argument, NULL, PLAIN},
                {"after", no_argument, NULL, AFTER},
                {"before", no_argument, NULL, BEFORE},
                {"json", optional_argument, NULL, JSON},
                {"output", required_argument, NULL, 'o'},
                {"no-pager", no_argument, NULL, TAKEN},
                {"no-ask-password", no_argument, NULL, TAKEN},
                {"no-legend", no_argument, NULL, NO_LEGEND},
                {"legend", optional_argument, NULL, TAKEN},
                {"no-wall", no_argument, NULL, TAKEN},
                {"show-transaction", no_argument, NULL, 'T'},
                {"force", no_argument, NULL, 'f'},
                {"failed", no_argument, NULL, TAKEN},
                {0},
        };
        int k;

        while ((k = getopt_long(argc, argv, "qs:alo:Tf", long_options, NULL)) >= 0)
                switch (k) {
                case 'q':
                        o->quiet = true;
                        break;
                case 's':
                        o->signal = optarg;
                        break;
                case NO_LEGEND:
                        o->no_legend = true;
                        break;
                case 'T':
                case 'f':
                        break;
                case 'a':
                        o->all = true;
                        break;
                case 'l':
                        o->full = true;
                        break;
                case 'o':
                case JSON:
                        o->json = json_form_of(optarg);
                        break;
                case REVERSE:
                        o->reverse = true;
                        break;
                case PLAIN:
                        o->plain = true;
                        break;
                case AFTER:
                        o->after = true;
                        break;
                case BEFORE:
                        o->before = true;
                        break;
                case VALUE:
                        o->value = optarg;
                        break;
                case TAKEN:
                        break;
                case BARE:
                        o->bare = true;
                        break;
                case NO_BLOCK:
                        o->no_block = true;
                        break;
                case WAIT:
                        o->wait = true;
                        break;
                case JOB_MODE:
                        o->job_mode = optarg;
                        break;
                case WHOM:
                        o->whom = optarg;
                        break;
                case NAME:
                        o->name = optarg;
                        break;
                case RUNTIME_DIR:
                        o->runtime_dir_given = true;
                        if (strlen(optarg) >= sizeof o->runtime_dir)
                                return -ENAMETOOLONG;
                        memcpy(o->runtime_dir, optarg, strlen(optarg) + 1);
                        break;
                case USER:
                        o->user = true;
                        break;
                case SYSTEM:
                        o->system = true;
                        break;
                default:
                        (void)fputs(usage_text, k == HELP ? stdout : stderr);
                        return k == HELP ? 1 : -EINVAL;
                }
        return runtime_dir_find(o);
}

static const struct verb *verb_find(const char *name, int n_args)
{
        for (size_t i = 0; name && i < ARRAY_SIZE(verbs); i++) {
                const struct verb *v = &verbs[i];

                if (!streq(v->name, name))
                        continue;
                if (n_args >= v->min_args && (v->max_args < 0 || n_args <= v->max_args))
                        return v;
                (void)fprintf(stderr, "%s: %s units were named\n", name, n_args < v->min_args ? "no" : "too many");
                return NULL;
        }
        (void)fprintf(stderr, "Unknown verb %s\n%s", name ? name : "(none)", usage_text);
        return NULL;
}

/* As systemctl understands it: not to be bothered, as in the scripts of packages that are installed into an image. */
static bool is_offline(void)
{
        const char *v = getenv("SYSTEMD_OFFLINE");

        return v && (streq(v, "1") || streq(v, "yes") || streq(v, "true"));
}

int main(int argc, char **argv)
{
        struct options o = {.systemctl = called_as_systemctl(argv[0])};
        struct control c = {.options = &o};
        const struct verb *v;
        int r = parse_options(argc, argv, &o), code = 1;

        systemctl = o.systemctl;
        if (r != 0)
                return r > 0 ? 0 : systemctl ? 1 : 2;
        v = verb_find(argv[optind], argc - optind - 1);
        if (!v)
                return systemctl ? 1 : 2;
        if (systemctl && is_offline()) {
                (void)fprintf(stderr, "Running in chroot, ignoring command '%s'\n", v->name);
                return 0;
        }
        (void)signal(SIGPIPE, SIG_IGN);
        if (control_connect(&c) >= 0)
                code = v->run(&c, v, argv + optind + 1, argc - optind - 1);
        sd_bus_close_unref(c.bus);
        jobs_free(&c);
        return code;
}
