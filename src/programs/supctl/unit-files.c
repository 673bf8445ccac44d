/* SPDX-License-Identifier: MIT
 *
 * The verbs on the state of unit files: enable, disable, mask and their kin. They work on the files themselves, with
 * the caller's rights (install/install.h); a supd that runs is asked to read its files again afterwards.
 *
 * Not here: which links are made. Invariant: what these print and exit with is what systemctl does, line by line, but
 * for advice; nothing is told to a running supd when --root or --global is given.
 */
#include "programs/supctl/unit-files.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SYSV_TOOL "/lib/systemd/systemd-sysv-install"

/* ---- names ---- */

void words_done(struct words_owned *w)
{
        for (unsigned i = 0; i < w->n; i++)
                free(w->v[i]);
        free(w->v);
        *w = (struct words_owned){0};
}

static int words_add(struct words_owned *w, struct buf *b)
{
        char **v = reallocarray(w->v, w->n + 1, sizeof(*v));

        if (!v)
                return -ENOMEM;
        w->v = v;
        w->v[w->n] = b->size > 0 ? buf_take(b) : strdup("");
        return w->v[w->n] ? (w->n++, 0) : -ENOMEM;
}

static bool has_suffix(const char *name)
{
        static const char *const suffixes[] = {".service", ".target", ".socket", ".timer", ".path",     ".mount",
                                               ".slice",   ".device", ".swap",   ".scope", ".automount"};

        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
                if (ends_with(name, suffixes[i]) && strlen(name) > strlen(suffixes[i]))
                        return true;
        return false;
}

static bool char_fits(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               (c && strchr(":-_.\\@", c));
}

/* A word as a unit name: strange bytes escaped, the suffix added. */
static int name_of_word(const char *word, const char *suffix, const char *verb, struct words_owned *ret)
{
        cleanup_buf_ struct buf b = {0};
        bool strange = false;
        int r = 0;

        for (const char *p = word; *p && r >= 0; p++)
                if (char_fits(*p)) {
                        r = buf_append_char(&b, *p);
                } else {
                        strange = true;
                        r = buf_printf(&b, "\\x%02x", (unsigned char)*p);
                }
        if (is_pattern(word))
                (void)fprintf(stderr, "Glob pattern passed to %s, but globs are not supported for this.\n", verb);
        if (strange && r >= 0)
                (void)fprintf(stderr, "Invalid unit name \"%s\" escaped as \"%s\"%s.\n", word, buf_str(&b),
                              is_pattern(word) ? "" : " (maybe you should use systemd-escape?)");
        if (r >= 0 && !has_suffix(buf_str(&b)))
                r = buf_append_str(&b, suffix);
        if (r >= 0 && (b.size > 255 || b.data[0] == '@')) {
                (void)fprintf(stderr, "Failed to mangle unit name or path '%s': Invalid argument\n", word);
                return -EINVAL;
        }
        return r < 0 ? r : words_add(ret, &b);
}

/* Words with a slash are paths, made absolute. */
static int path_of_word(const char *word, struct words_owned *ret)
{
        cleanup_free_ char *here = *word == '/' ? NULL : getcwd(NULL, 0);
        cleanup_buf_ struct buf b = {0};
        int r = 0;

        if (*word != '/') {
                if (!here)
                        return -errno;
                r = buf_append_str(&b, streq(here, "/") ? "" : here);
        }
        while (starts_with(word, "./"))
                word += 2;
        if (r >= 0 && *word != '/')
                r = buf_append_char(&b, '/');
        if (r >= 0)
                r = buf_append_str(&b, word);
        return r < 0 ? r : words_add(ret, &b);
}

static int names_of_words(const char *const *words, unsigned n, const char *verb, bool paths, struct words_owned *ret)
{
        int r = 0;

        for (unsigned i = 0; i < n && r >= 0; i++)
                if (strchr(words[i], '/') || paths)
                        r = path_of_word(words[i], ret);
                else
                        r = name_of_word(words[i], ".service", verb, ret);
        return r;
}

/* ---- where ---- */

/* Says what was found at fault in files. */
void where_leave(struct install_where *w)
{
        struct diag *d = w->diag;

        for (size_t i = 0; d && i < d->n_entries; i++) {
                const struct diag_entry *e = &d->entries[i];

                if (e->line > 0)
                        (void)fprintf(stderr, "%s:%u: %s\n", e->file, e->line, e->message);
                else
                        (void)fprintf(stderr, "%s: %s\n", e->file, e->message);
        }
        if (d)
                diag_done(d);
        free(d);
        install_where_done(w);
}

int where_of_options(const struct options *o, struct install_where *ret)
{
        struct install_place p = {.root = o->root, .systemd_units = true};
        char path[4096];
        int r;

        if (o->root && *o->root != '/') {
                (void)fprintf(stderr, "supctl: --root needs an absolute path\n");
                return -EINVAL;
        }
        if (!o->root && !o->global)
                view_place(o, path, &p);
        else
                p.scope = o->global ? INSTALL_GLOBAL : o->user ? INSTALL_USER : INSTALL_SYSTEM;
        r = install_where_init(ret, &p);
        if (r < 0)
                (void)fprintf(stderr, "supctl: the unit directories are not known: %s\n", strerror(-r));
        else
                ret->diag = calloc(1, sizeof(*ret->diag));
        return r;
}

/* ---- output ---- */

/* An arrow, where the locale has one. */
static const char *arrow(void)
{
        static const char *const variables[] = {"LC_ALL", "LC_CTYPE", "LANG"};

        for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
                const char *v = getenv(variables[i]);

                if (v && *v)
                        return strcasestr(v, "UTF-8") || strcasestr(v, "utf8") ? "→" : "->";
        }
        return "→";
}

/* Says what was done; R as it came from the operation. */
static void tell_changes(int r, const char *verb, const struct install_changes *d, bool quiet)
{
        bool told = false;

        for (unsigned i = 0; i < d->n; i++) {
                cleanup_buf_ struct buf b = {0};
                const struct install_change *c = &d->v[i];

                told = told || c->type == INSTALL_ERROR;
                if (quiet && (c->type == INSTALL_SYMLINK || c->type == INSTALL_UNLINK || c->type == INSTALL_IS_MASKED ||
                              c->type == INSTALL_IS_DANGLING))
                        continue;
                if (install_change_text(c, verb, arrow(), &b) >= 0)
                        (void)fprintf(stderr, "%s\n", buf_str(&b));
        }
        if (r < 0 && !told)
                (void)fprintf(stderr, "Failed to %s: %s.\n", verb, strerror(-r));
}

static void tell_nothing_to_install(void)
{
        (void)fputs(
                "The unit files have no installation config: no WantedBy=, RequiredBy=, UpheldBy=, Alias= or Also=\n"
                "in [Install], and for templates no DefaultInstance=. They are not meant to be enabled: other\n"
                "units, sockets, timers or paths start them when needed, or an instance is to be named.\n",
                stderr);
}

/* ---- SysV scripts ---- */

static int run_and_wait(const char *const *argv, bool quiet, int *ret_status)
{
        int status;
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0) {
                int null = quiet ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;

                if (null >= 0)
                        (void)dup2(null, STDOUT_FILENO);
                (void)execv(argv[0], (char *const *)(intptr_t)argv);
                _exit(127);
        }
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
        return 0;
}

static bool script_exists(const struct options *o, const char *name)
{
        char path[4096];

        (void)snprintf(path, sizeof(path), "%s/etc/init.d/%.*s", o->root ? o->root : "",
                       (int)(strlen(name) - strlen(".service")), name);
        return *name != '/' && ends_with(name, ".service") && access(path, F_OK) == 0 && access(SYSV_TOOL, X_OK) == 0;
}

/* Hands one name to the distribution's tool. 1: it is enabled (or done), 0: it is not, or negative errno. */
static int script_run(const struct options *o, const char *verb, const char *name, bool native)
{
        char root[4096], script[256];
        const char *argv[5] = {SYSV_TOOL};
        unsigned n = 1;
        int status, r;

        (void)snprintf(script, sizeof(script), "%.*s", (int)(strlen(name) - strlen(".service")), name);
        if (o->root) {
                (void)snprintf(root, sizeof(root), "--root=%s", o->root);
                argv[n++] = root;
        }
        argv[n++] = verb;
        argv[n++] = script;
        if (!o->quiet && native)
                (void)fprintf(stderr, "Synchronizing state of %s with SysV service script with %s.\n", name, SYSV_TOOL);
        else if (!o->quiet)
                (void)fprintf(stderr, "%s is not a native service, redirecting to systemd-sysv-install.\n", name);
        if (!o->quiet) {
                (void)fprintf(stderr, "Executing: %s", argv[0]);
                for (unsigned i = 1; i < n; i++)
                        (void)fprintf(stderr, " %s", argv[i]);
                (void)fputc('\n', stderr);
        }
        r = run_and_wait(argv, false, &status);
        if (r < 0)
                return r;
        if (!streq(verb, "is-enabled"))
                return status == 0 ? 1 : -EBADE;
        if (!o->quiet && !native)
                (void)puts(status == 0 ? "enabled" : "disabled");
        return status == 0;
}

/* Names that are scripts only are taken from NAMES. 1: some script is enabled. */
static int scripts_first(const struct options *o, const struct install_where *w, const char *verb,
                         struct words_owned *names)
{
        static const char *const verbs[] = {"enable", "disable", "is-enabled"};
        bool any = false, known = false;
        unsigned kept = 0;
        int failed = 0;

        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                known = known || streq(verbs[i], verb);
        if (!known || w->scope != INSTALL_SYSTEM || getenv("SYSTEMCTL_SKIP_SYSV"))
                return 0;
        for (unsigned i = 0; i < names->n; i++) {
                char *name = names->v[i];
                int r, native = *name != '/' && ends_with(name, ".service") && failed >= 0
                                        ? install_lookup(w, name, false)
                                        : 1;

                if (native < 0) {
                        (void)fprintf(stderr, "Failed to look up unit file state: %s\n", strerror(-native));
                        failed = native;
                }
                if (failed < 0 || (native && streq(verb, "is-enabled")) || !script_exists(o, name)) {
                        names->v[kept++] = name;
                        continue;
                }
                r = script_run(o, verb, name, native);
                failed = r < 0 ? r : 0;
                any = any || r > 0;
                if (native || r < 0)
                        names->v[kept++] = name;
                else
                        free(name);
        }
        names->n = kept;
        return failed < 0 ? failed : any;
}

/* ---- what follows ---- */

/* supctl-bus VERB NAMES…, for the same supd. */
static int bus_run(const struct options *o, const char *verb, const struct words_owned *names)
{
        const char *dir = getenv("SUPD_LIBEXEC_DIR");
        cleanup_free_ const char **argv = calloc((names ? names->n : 0) + 12, sizeof(*argv));
        char path[4096], name[128], runtime[4200];
        unsigned n = 0;
        int status;

        if (!argv)
                return EXIT_ERROR;
        (void)snprintf(path, sizeof(path), "%s/supctl-bus", dir && *dir ? dir : SUPD_LIBEXECDIR);
        (void)snprintf(name, sizeof(name), "--name=%s", o->name ? o->name : "");
        (void)snprintf(runtime, sizeof(runtime), "--runtime-dir=%s", o->runtime_dir ? o->runtime_dir : "");
        argv[n++] = path;
        if (o->user)
                argv[n++] = "--user";
        if (o->name)
                argv[n++] = name;
        if (o->runtime_dir)
                argv[n++] = runtime;
        if (o->quiet)
                argv[n++] = "--quiet";
        argv[n++] = verb;
        argv[n++] = "--";
        for (unsigned i = 0; names && i < names->n; i++)
                argv[n++] = strrchr(names->v[i], '/') ? strrchr(names->v[i], '/') + 1 : names->v[i];
        if (run_and_wait(argv, false, &status) < 0)
                return EXIT_ERROR;
        if (status == 127)
                (void)fprintf(stderr, "supctl: cannot run %s\n", path);
        return status;
}

/* Reload and --now. R: the exit status so far. */
static int finish(const struct options *o, const char *verb, const struct words_owned *names)
{
        int r = EXIT_OK;

        if (!o->no_reload && !o->root && !o->global && view_is_alive(o))
                r = bus_run(o, "daemon-reload", NULL);
        if (r != EXIT_OK || !o->now || !names)
                return r;
        if (streq(verb, "enable") || streq(verb, "reenable"))
                return bus_run(o, streq(verb, "enable") ? "start" : "restart", names);
        if (streq(verb, "disable") || streq(verb, "mask"))
                return bus_run(o, "stop", names);
        return r;
}

/* ---- the verbs ---- */

struct file_verb {
        const char *name;
        int (*run)(const struct install_where *w, unsigned flags, const struct options *o, const char *const *names,
                   unsigned n, struct install_changes *d);
        bool paths;      /* every word is a path */
        bool base_names; /* of paths only the last part counts */
        bool notice;     /* say so when there is nothing to install */
        bool now;        /* --now has a meaning */
};

static int run_enable(const struct install_where *w, unsigned flags, const struct options *o unused_,
                      const char *const *names, unsigned n, struct install_changes *d)
{
        return install_enable(w, flags, names, n, d);
}

static int run_disable(const struct install_where *w, unsigned flags, const struct options *o unused_,
                       const char *const *names, unsigned n, struct install_changes *d)
{
        return install_disable(w, flags, names, n, d);
}

static int run_reenable(const struct install_where *w, unsigned flags, const struct options *o unused_,
                        const char *const *names, unsigned n, struct install_changes *d)
{
        return install_reenable(w, flags, names, n, d);
}

static int run_preset(const struct install_where *w, unsigned flags, const struct options *o, const char *const *names,
                      unsigned n, struct install_changes *d)
{
        return install_preset(w, flags, (enum install_preset_mode)o->preset_mode, names, n, d);
}

static int run_mask(const struct install_where *w, unsigned flags, const struct options *o unused_,
                    const char *const *names, unsigned n, struct install_changes *d)
{
        return install_mask(w, flags, names, n, d);
}

static int run_unmask(const struct install_where *w, unsigned flags, const struct options *o unused_,
                      const char *const *names, unsigned n, struct install_changes *d)
{
        return install_unmask(w, flags, names, n, d);
}

static int run_link(const struct install_where *w, unsigned flags, const struct options *o unused_,
                    const char *const *names, unsigned n, struct install_changes *d)
{
        return install_link(w, flags, names, n, d);
}

static int run_revert(const struct install_where *w, unsigned flags unused_, const struct options *o unused_,
                      const char *const *names, unsigned n, struct install_changes *d)
{
        return install_revert(w, names, n, d);
}

static const struct file_verb file_verbs[] = {
        {"enable", run_enable, .notice = true, .now = true},
        {"disable", run_disable, .base_names = true, .now = true},
        {"reenable", run_reenable, .notice = true, .now = true},
        {"preset", run_preset},
        {"mask", run_mask, .now = true},
        {"unmask", run_unmask},
        {"link", run_link, .paths = true},
        {"revert", run_revert},
};

static unsigned flags_of(const struct options *o)
{
        return (o->runtime ? INSTALL_RUNTIME : 0) | (o->force ? INSTALL_FORCE : 0);
}

static void names_to_bases(struct words_owned *names, const char *verb)
{
        bool told = false;

        for (unsigned i = 0; i < names->n; i++) {
                const char *base = strrchr(names->v[i], '/');

                if (!base)
                        continue;
                if (!told)
                        (void)fprintf(
                                stderr,
                                "Warning: Can't execute %s on the unit file path. Proceeding with the unit name.\n",
                                verb);
                told = true;
                memmove(names->v[i], base + 1, strlen(base));
        }
}

/* Exit status. */
static int change_files(const struct file_verb *fv, const struct options *o, const struct install_where *w,
                        struct words_owned *names)
{
        cleanup_(install_changes_done) struct install_changes d = {0};
        int r = scripts_first(o, w, fv->name, names);

        if (r < 0)
                return EXIT_ERROR;
        if (names->n == 0)
                return finish(o, fv->name, NULL);
        if (fv->base_names)
                names_to_bases(names, fv->name);
        r = fv->run(w, flags_of(o), o, (const char *const *)names->v, names->n, &d);
        tell_changes(r, fv->name, &d, o->quiet);
        if (r < 0)
                return EXIT_ERROR;
        if (r == 0 && fv->notice && !o->quiet)
                tell_nothing_to_install();
        return finish(o, fv->name, fv->now ? names : NULL);
}

int verb_change_files(struct view *v, const char *const *words, unsigned n)
{
        cleanup_(words_done) struct words_owned names = {0};
        cleanup_(where_leave) struct install_where w = {0};
        const struct file_verb *fv = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(file_verbs); i++)
                if (streq(file_verbs[i].name, v->options->words[0]))
                        fv = &file_verbs[i];
        if (!fv || where_of_options(v->options, &w) < 0 || names_of_words(words, n, fv->name, fv->paths, &names) < 0)
                return EXIT_ERROR;
        return change_files(fv, v->options, &w, &names);
}

int verb_preset_all(struct view *v, const char *const *words unused_, unsigned n unused_)
{
        cleanup_(where_leave) struct install_where w = {0};
        cleanup_(install_changes_done) struct install_changes d = {0};
        int r;

        if (where_of_options(v->options, &w) < 0)
                return EXIT_ERROR;
        r = install_preset_all(&w, flags_of(v->options), (enum install_preset_mode)v->options->preset_mode, &d);
        tell_changes(r, "preset", &d, v->options->quiet);
        return r < 0 ? EXIT_ERROR : finish(v->options, "preset-all", NULL);
}

int verb_add_dependency(struct view *v, const char *const *words, unsigned n)
{
        cleanup_(words_done) struct words_owned names = {0}, target = {0};
        cleanup_(where_leave) struct install_where w = {0};
        cleanup_(install_changes_done) struct install_changes d = {0};
        const char *kind = v->options->words[0] + strlen("add-");
        int r;

        if (where_of_options(v->options, &w) < 0 || name_of_word(words[0], ".target", "use as target", &target) < 0 ||
            names_of_words(words + 1, n - 1, "add dependency on", false, &names) < 0)
                return EXIT_ERROR;
        r = install_add_dependency(&w, flags_of(v->options), (const char *const *)names.v, names.n, target.v[0], kind,
                                   &d);
        tell_changes(r, "add dependency on", &d, v->options->quiet);
        return r < 0 ? EXIT_ERROR : finish(v->options, "add-wants", NULL);
}

int verb_get_default(struct view *v, const char *const *words unused_, unsigned n unused_)
{
        cleanup_(where_leave) struct install_where w = {0};
        char name[256];
        int r;

        if (where_of_options(v->options, &w) < 0)
                return EXIT_ERROR;
        r = install_get_default(&w, name);
        if (r < 0)
                (void)fprintf(stderr, "Failed to get default target: %s\n", strerror(-r));
        else
                (void)puts(name);
        return r < 0 ? EXIT_ERROR : EXIT_OK;
}

int verb_set_default(struct view *v, const char *const *words, unsigned n unused_)
{
        cleanup_(words_done) struct words_owned target = {0};
        cleanup_(where_leave) struct install_where w = {0};
        cleanup_(install_changes_done) struct install_changes d = {0};
        char now[256];
        int r;

        if (where_of_options(v->options, &w) < 0 || name_of_word(words[0], ".target", "use as target", &target) < 0)
                return EXIT_ERROR;
        r = install_set_default(&w, INSTALL_FORCE, target.v[0], &d);
        tell_changes(r, "set default", &d, v->options->quiet);
        if (r < 0)
                return EXIT_ERROR;
        if (!v->options->quiet && install_get_default(&w, now) >= 0 && !streq(now, target.v[0]))
                (void)fprintf(stderr, "Note: \"%s\" is the default unit (possibly a runtime override).\n", now);
        return finish(v->options, "set-default", NULL);
}

int verb_is_enabled(struct view *v, const char *const *words, unsigned n)
{
        cleanup_(words_done) struct words_owned names = {0};
        cleanup_(where_leave) struct install_where w = {0};
        bool enabled;
        int r;

        if (where_of_options(v->options, &w) < 0 || names_of_words(words, n, "check", false, &names) < 0)
                return EXIT_ERROR;
        r = scripts_first(v->options, &w, "is-enabled", &names);
        if (r < 0)
                return EXIT_ERROR;
        enabled = r > 0;
        for (unsigned i = 0; i < names.n; i++) {
                cleanup_buf_ struct buf links = {0};
                enum install_state state;

                r = install_get_state(&w, names.v[i], &state);
                if (r < 0) {
                        (void)fprintf(stderr, "Failed to get unit file state for %s: %s\n", names.v[i], strerror(-r));
                        return EXIT_ERROR;
                }
                enabled = enabled || install_state_counts_as_enabled(state);
                if (!v->options->quiet)
                        (void)puts(install_state_name(state));
                if (!v->options->quiet && v->options->full && install_links_of(&w, names.v[i], &links) >= 0)
                        (void)fputs(buf_str(&links), stdout);
        }
        return enabled ? EXIT_OK : EXIT_ERROR;
}

/* ---- list-unit-files ---- */

struct file_row {
        const char *name, *state, *preset;
};

static int compare_rows(const void *a, const void *b)
{
        const struct file_row *x = a, *y = b;
        int r = strcasecmp(strrchr(x->name, '.'), strrchr(y->name, '.'));

        return r ? r : strcasecmp(x->name, y->name);
}

static bool listed(const struct options *o, const struct file_row *row, const char *const *words, unsigned n)
{
        bool state = o->n_states == 0, type = o->n_types == 0, name = n == 0;

        for (unsigned i = 0; i < o->n_states && !state; i++)
                state = streq(o->states[i], row->state);
        for (unsigned i = 0; i < o->n_types && !type; i++)
                type = streq(o->types[i], strrchr(row->name, '.') + 1);
        for (unsigned i = 0; i < n && !name; i++)
                name = fnmatch(words[i], row->name, FNM_NOESCAPE) == 0;
        return state && type && name;
}

/* Presets say nothing about what cannot be enabled. */
static bool preset_counts(enum install_state s)
{
        return s == STATE_ENABLED || s == STATE_ENABLED_RUNTIME || s == STATE_LINKED || s == STATE_LINKED_RUNTIME ||
               s == STATE_DISABLED || s == STATE_INDIRECT || s == STATE_MASKED || s == STATE_MASKED_RUNTIME ||
               s == STATE_BAD;
}

static void print_rows(const struct options *o, const struct file_row *rows, unsigned n)
{
        int name = (int)strlen("UNIT FILE"), state = (int)strlen("STATE");

        if (o->no_legend || o->quiet)
                name = state = 0;
        for (unsigned i = 0; i < n; i++) {
                name = MAX2(name, (int)strlen(rows[i].name));
                state = MAX2(state, (int)strlen(rows[i].state));
        }
        if (!o->no_legend && !o->quiet)
                (void)printf("%-*s %-*s PRESET\n", name, "UNIT FILE", state, "STATE");
        for (unsigned i = 0; i < n; i++)
                (void)printf("%-*s %-*s %s\n", name, rows[i].name, state, rows[i].state, rows[i].preset);
        if (!o->no_legend && !o->quiet)
                (void)printf("\n%u unit files listed.\n", n);
}

static void print_rows_json(const struct options *o, const struct file_row *rows, unsigned n)
{
        struct json j = {.form = o->json};

        json_open(&j, NULL, '[');
        for (unsigned i = 0; i < n; i++) {
                json_open(&j, NULL, '{');
                json_string(&j, "unit_file", rows[i].name);
                json_string(&j, "state", rows[i].state);
                if (streq(rows[i].preset, "-"))
                        json_null(&j, "preset");
                else
                        json_string(&j, "preset", rows[i].preset);
                json_close(&j, '}');
        }
        json_close(&j, ']');
        json_print(&j);
}

int verb_list_unit_files(struct view *v, const char *const *words, unsigned n)
{
        cleanup_(where_leave) struct install_where w = {0};
        cleanup_(install_list_done) struct install_list l = {0};
        cleanup_free_ struct file_row *rows = NULL;
        struct install_presets *presets = NULL;
        const struct options *o = v->options;
        unsigned k = 0;
        int r;

        if (where_of_options(o, &w) < 0)
                return EXIT_ERROR;
        r = install_list_files(&w, &l);
        if (r >= 0)
                r = install_presets_read(&w, &presets);
        rows = r < 0 ? NULL : calloc(l.n + 1, sizeof(*rows));
        if (!rows) {
                install_presets_free(presets);
                (void)fprintf(stderr, "Failed to get unit file list: %s\n", strerror(r < 0 ? -r : ENOMEM));
                return EXIT_ERROR;
        }
        for (unsigned i = 0; i < l.n; i++) {
                rows[k] = (struct file_row){l.v[i].name, install_state_name(l.v[i].state), "-"};
                if (preset_counts(l.v[i].state))
                        rows[k].preset = install_preset_enables(presets, l.v[i].name) ? "enabled" : "disabled";
                k += listed(o, &rows[k], words, n);
        }
        install_presets_free(presets);
        qsort(rows, k, sizeof(*rows), compare_rows);
        if (o->json != JSON_OFF)
                print_rows_json(o, rows, k);
        else
                print_rows(o, rows, k);
        return k > 0 || o->json != JSON_OFF ? EXIT_OK : EXIT_ERROR;
}

/* ---- for status and show ---- */

/* Where to look is found out once; it lasts as long as the program. */
static const struct install_where *where_once(const struct options *o, struct install_presets **ret_presets)
{
        static struct install_where w;
        static struct install_presets *presets;
        static int found = -EAGAIN;

        if (found == -EAGAIN) {
                found = where_of_options(o, &w);
                free(w.diag); /* nobody is told of mistakes in files here */
                w.diag = NULL;
        }
        if (found >= 0 && ret_presets && !presets && install_presets_read(&w, &presets) < 0)
                presets = NULL;
        if (ret_presets)
                *ret_presets = presets;
        return found < 0 ? NULL : &w;
}

void unit_file_words(const struct options *o, const char *unit, const char *path, const char **ret_state,
                     const char **ret_preset)
{
        struct install_presets *presets = NULL;
        const struct install_where *w;
        enum install_state state;

        *ret_state = "";
        if (ret_preset)
                *ret_preset = "";
        if (!*path || access(path, F_OK) < 0)
                return;
        w = where_once(o, ret_preset ? &presets : NULL);
        if (!w || install_get_state(w, unit, &state) < 0)
                return;
        *ret_state = install_state_name(state);
        if (ret_preset && presets && preset_counts(state))
                *ret_preset = install_preset_enables(presets, unit) ? "enabled" : "disabled";
}
