/* SPDX-License-Identifier: MIT
 *
 * The verbs on the state of unit files: enable, disable, mask and their kin. They work on the files themselves, with
 * the caller's rights (install/install.h); a supd that runs is asked to read its files again afterwards.
 *
 * Not here: which links are made. Invariant: what these print and exit with is what systemctl does, line by line, but
 * for advice; nothing is told to a running supd when --root or --global is given.
 */
#include "programs/supctl/unit-files.h"

#include <stdio.h>

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

/* ---- what follows ---- */

/* Reload and --now. Exit status. */
static int finish(const struct options *o, const char *verb, const struct words_owned *names)
{
        char dir[4096];
        int r = EXIT_OK;

        if (!o->root && !o->global) {
                view_runtime_dir(o, dir);
                install_forget(dir);
        }
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
        int (*run)(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                   struct install_changes *d); /* NULL: preset and revert, which take something else */
        bool paths;                            /* every word is a path */
        bool base_names;                       /* of paths only the last part counts */
        bool notice;                           /* say so when there is nothing to install */
        bool now;                              /* --now has a meaning */
};

static const struct file_verb file_verbs[] = {
        {"enable", install_enable, .notice = true, .now = true},
        {"disable", install_disable, .base_names = true, .now = true},
        {"reenable", install_reenable, .notice = true, .now = true},
        {"preset"},
        {"mask", install_mask, .now = true},
        {"unmask", install_unmask},
        {"link", install_link, .paths = true},
        {"revert"},
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

static int operate(const struct file_verb *fv, const struct options *o, const struct install_where *w,
                   const struct words_owned *names, struct install_changes *d)
{
        const char *const *v = (const char *const *)names->v;

        if (fv->run)
                return fv->run(w, flags_of(o), v, names->n, d);
        if (streq(fv->name, "revert"))
                return install_revert(w, v, names->n, d);
        return install_preset(w, flags_of(o), (enum install_preset_mode)o->preset_mode, v, names->n, d);
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
        r = operate(fv, o, w, names, &d);
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
                if (streq(file_verbs[i].name, v->options->line.words[0]))
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
        const char *kind = v->options->line.words[0] + strlen("add-");
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
        struct json j = {.form = v->options->json};
        bool enabled;
        int r;

        if (where_of_options(v->options, &w) < 0 || names_of_words(words, n, "check", false, &names) < 0)
                return EXIT_ERROR;
        r = scripts_first(v->options, &w, "is-enabled", &names);
        if (r < 0)
                return EXIT_ERROR;
        enabled = r > 0;
        json_open(&j, NULL, '[');
        for (unsigned i = 0; i < names.n; i++) {
                cleanup_buf_ struct buf links = {0};
                enum install_state state;

                r = install_get_state(&w, NULL, names.v[i], &state);
                if (r < 0) {
                        (void)fprintf(stderr, "Failed to get unit file state for %s: %s\n", names.v[i], strerror(-r));
                        buf_done(&j.text);
                        return EXIT_ERROR;
                }
                enabled = enabled || install_state_counts_as_enabled(state);
                if (j.form) {
                        json_open(&j, NULL, '{');
                        json_string(&j, "unit", names.v[i]);
                        json_string(&j, "state", install_state_name(state));
                        json_close(&j, '}');
                        continue;
                }
                if (!v->options->quiet)
                        (void)puts(install_state_name(state));
                if (!v->options->quiet && v->options->full && install_links_of(&w, names.v[i], &links) >= 0)
                        (void)fputs(buf_str(&links), stdout);
        }
        json_close(&j, ']');
        if (j.form)
                json_print(&j);
        buf_done(&j.text);
        return enabled ? EXIT_OK : EXIT_ERROR;
}
