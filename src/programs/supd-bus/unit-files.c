/* SPDX-License-Identifier: MIT
 *
 * The methods on unit files: EnableUnitFiles and its kin, so that systemctl enables through supd what it would enable
 * by itself; and the two properties of units that are told from files, UnitFileState and UnitFilePreset.
 *
 * The work is done here, on the files, in this process (install/install.h): the manager may die at any instruction and
 * needs no files of anybody to live, and a slow disk holds up nobody but those who asked. The manager learns of it by
 * the Reload that clients send next. Not here: which links are made.
 * Invariant: only who may configure (uid 0 and our own) changes a file; anybody may look.
 */
#include "front.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "install/install.h"

/* ---- where ---- */

/* The manager says where it looks in a link beside its socket (install_place_parse). */
static int where_of(const struct front *f, struct install_where *ret)
{
        const struct install_place place = {.systemd_units = true};
        int r = install_where_of(f->directory, ret);

        return r == -ENOENT ? install_where_init(ret, &place) : r;
}

/* ---- arguments ---- */

struct arguments { /* in the order of the signature; what is not given is empty */
        char **names;
        unsigned n_names;
        const char *words[2];
        bool runtime, force;
};

static void strv_free(char **v)
{
        for (char **p = v; p && *p; p++)
                free(*p);
        free(v);
}

static void arguments_done(struct arguments *a)
{
        strv_free(a->names);
}

static int read_flags(sd_bus_message *m, struct arguments *a, sd_bus_error *e)
{
        uint64_t flags;
        int r = sd_bus_message_read(m, "t", &flags);

        if (r >= 0 && (flags & ~UINT64_C(7)) != 0)
                return sd_bus_error_set(e, ERROR_INVALID, "Invalid 'flags' parameter");
        a->runtime = flags & 1;
        a->force = flags & 2;
        return r;
}

static int arguments_read(sd_bus_message *m, const char *signature, struct arguments *a, sd_bus_error *e)
{
        unsigned n_words = 0, n_bools = 0;
        int r = 0, b;

        for (const char *p = signature; *p && r >= 0; p++) {
                if (*p == 'a') {
                        r = sd_bus_message_read_strv(m, &a->names);
                        p++;
                } else if (*p == 's') {
                        r = sd_bus_message_read(m, "s", &a->words[n_words++ % 2]);
                } else if (*p == 'b') {
                        r = sd_bus_message_read(m, "b", &b);
                        *(n_bools++ == 0 ? &a->runtime : &a->force) = r >= 0 && b;
                } else {
                        r = read_flags(m, a, e);
                }
        }
        while (a->names && a->names[a->n_names])
                a->n_names++;
        return r;
}

/* ---- the operations ---- */

typedef int (*operation)(const struct install_where *w, unsigned flags, const struct arguments *a,
                         struct install_changes *d);

#define NAMES (const char *const *)a->names, a->n_names

static int op_enable(const struct install_where *w, unsigned flags, const struct arguments *a,
                     struct install_changes *d)
{
        return install_enable(w, flags, NAMES, d);
}

static int op_disable(const struct install_where *w, unsigned flags, const struct arguments *a,
                      struct install_changes *d)
{
        return install_disable(w, flags, NAMES, d);
}

static int op_reenable(const struct install_where *w, unsigned flags, const struct arguments *a,
                       struct install_changes *d)
{
        return install_reenable(w, flags, NAMES, d);
}

static int preset_mode(const char *word)
{
        static const char *const modes[] = {"full", "enable-only", "disable-only"};

        for (int i = 0; word && i < (int)ARRAY_SIZE(modes); i++)
                if (streq(modes[i], word))
                        return i;
        return !word || !*word ? INSTALL_PRESET_FULL : -EINVAL;
}

static int op_preset(const struct install_where *w, unsigned flags, const struct arguments *a,
                     struct install_changes *d)
{
        int mode = preset_mode(a->words[0]);

        return mode < 0 ? mode : install_preset(w, flags, (enum install_preset_mode)mode, NAMES, d);
}

static int op_preset_all(const struct install_where *w, unsigned flags, const struct arguments *a,
                         struct install_changes *d)
{
        int mode = preset_mode(a->words[0]);

        return mode < 0 ? mode : install_preset_all(w, flags, (enum install_preset_mode)mode, d);
}

static int op_mask(const struct install_where *w, unsigned flags, const struct arguments *a, struct install_changes *d)
{
        return install_mask(w, flags, NAMES, d);
}

static int op_unmask(const struct install_where *w, unsigned flags, const struct arguments *a,
                     struct install_changes *d)
{
        return install_unmask(w, flags, NAMES, d);
}

static int op_link(const struct install_where *w, unsigned flags, const struct arguments *a, struct install_changes *d)
{
        return install_link(w, flags, NAMES, d);
}

static int op_revert(const struct install_where *w, unsigned flags unused_, const struct arguments *a,
                     struct install_changes *d)
{
        return install_revert(w, NAMES, d);
}

static int op_add_dependency(const struct install_where *w, unsigned flags, const struct arguments *a,
                             struct install_changes *d)
{
        const char *kind = streq(a->words[1], "Requires") ? "requires" : streq(a->words[1], "Wants") ? "wants" : "";

        return install_add_dependency(w, flags, NAMES, a->words[0], kind, d);
}

/* The one boolean of this method is force. */
static int op_set_default(const struct install_where *w, unsigned flags, const struct arguments *a,
                          struct install_changes *d)
{
        return install_set_default(w, flags & INSTALL_RUNTIME ? INSTALL_FORCE : 0, a->words[0], d);
}

static const struct {
        const char *word; /* of the method's row */
        operation run;
        bool carries_info; /* the answer begins with whether there was something in [Install] */
} operations[] = {
        {"enable", op_enable, true},
        {"disable", op_disable, false},
        {"disable-info", op_disable, true},
        {"reenable", op_reenable, true},
        {"preset", op_preset, true},
        {"preset-all", op_preset_all, false},
        {"mask", op_mask, false},
        {"unmask", op_unmask, false},
        {"link", op_link, false},
        {"revert", op_revert, false},
        {"add-dependency", op_add_dependency, false},
        {"set-default", op_set_default, false},
};

/* ---- answers ---- */

static const struct {
        int error;
        const char *name, *format; /* %1$s path, %2$s source */
} errors[] = {
        {-EEXIST, BUS_PREFIX "UnitExists", "File %s already exists"},
        {-ERFKILL, BUS_PREFIX "UnitMasked", "Unit file %s is masked."},
        {-EADDRNOTAVAIL, BUS_PREFIX "UnitGenerated", "Unit file %s is transient or generated."},
        {-EBADSLT, BUS_PREFIX "BadUnitSetting", "Invalid specifier in %s."},
        {-EIDRM, BUS_PREFIX "BadUnitSetting", "Destination unit %s is a non-template unit."},
        {-EUCLEAN, BUS_PREFIX "BadUnitSetting", "\"%s\" is not a valid unit name."},
        {-ELOOP, BUS_PREFIX "UnitLinked", "Refusing to operate on alias name or linked unit file: %s"},
        {-EXDEV, BUS_PREFIX "BadUnitSetting", "Cannot have the alias %s."},
        {-ENOENT, BUS_PREFIX "NoSuchUnit", "Unit file %s does not exist."},
        {-EUNATCH, BUS_PREFIX "BadUnitSetting", "Cannot resolve specifiers in %s."},
};

static int fail(int r, const struct install_changes *d, sd_bus_error *e)
{
        const struct install_change *c = NULL;

        for (unsigned i = 0; i < d->n && !c; i++)
                if (d->v[i].type == INSTALL_ERROR)
                        c = &d->v[i];
        if (!c)
                return sd_bus_error_set_errnof(e, -r, "%s", strerror(-r));
        for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
                cleanup_buf_ struct buf b = {0};
                const char *format = errors[i].format, *at = strstr(format, "%s");

                if (errors[i].error != c->error)
                        continue;
                if (buf_append(&b, format, (size_t)(at - format)) < 0 || buf_append_str(&b, c->path) < 0 ||
                    buf_append_str(&b, at + 2) < 0)
                        return -ENOMEM;
                if (c->error == -EEXIST &&
                    buf_printf(&b, "%s%s.", c->source ? " and is a symlink to " : "", c->source ? c->source : "") < 0)
                        return -ENOMEM;
                return sd_bus_error_set(e, errors[i].name, buf_str(&b));
        }
        return sd_bus_error_set_errnof(e, -c->error, "File %s: %s", c->path, strerror(-c->error));
}

static int append_changes(sd_bus_message *m, const struct install_changes *d)
{
        int r = sd_bus_message_open_container(m, 'a', "(sss)");

        for (unsigned i = 0; i < d->n && r >= 0; i++) {
                const struct install_change *c = &d->v[i];

                if (c->type == INSTALL_ERROR)
                        continue;
                if ((r = sd_bus_message_open_container(m, 'r', "sss")) < 0 ||
                    (r = append_text(m, 's', install_change_name(c->type))) < 0 ||
                    (r = append_text(m, 's', c->path)) < 0 || (r = append_text(m, 's', c->source ? c->source : "")) < 0)
                        return r;
                r = sd_bus_message_close_container(m);
        }
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static bool changed_anything(const struct install_changes *d)
{
        for (unsigned i = 0; i < d->n; i++)
                if (d->v[i].type == INSTALL_SYMLINK || d->v[i].type == INSTALL_UNLINK)
                        return true;
        return false;
}

static int send_and_unref(struct client *c, sd_bus_message *reply, int r)
{
        if (r >= 0)
                (void)client_send(c, reply);
        sd_bus_message_unref(reply);
        return r < 0 ? r : 1;
}

int unit_files_change(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        cleanup_(install_changes_done) struct install_changes d = {0};
        cleanup_(install_where_done) struct install_where w = {0};
        cleanup_(arguments_done) struct arguments a = {0};
        sd_bus_message *reply = NULL;
        size_t i = 0;
        int n, r = arguments_read(m, method->in, &a, e);

        if (r >= 0)
                r = where_of(c->front, &w);
        if (r < 0)
                return r;
        while (!streq(operations[i].word, method->word))
                i++;
        n = operations[i].run(&w, (a.runtime ? INSTALL_RUNTIME : 0) | (a.force ? INSTALL_FORCE : 0), &a, &d);
        if (changed_anything(&d)) {
                install_forget(c->front->directory);
                signals_unit_files_changed(c->front);
        }
        if (n < 0)
                return fail(n, &d, e);
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0 && operations[i].carries_info)
                r = sd_bus_message_append(reply, "b", n > 0 || streq(method->word, "disable-info"));
        if (r >= 0)
                r = append_changes(reply, &d);
        return send_and_unref(c, reply, r);
}

/* ---- looking ---- */

int unit_file_state(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e)
{
        cleanup_(install_where_done) struct install_where w = {0};
        enum install_state state;
        const char *name;
        int r = sd_bus_message_read(m, "s", &name);

        if (r >= 0)
                r = where_of(c->front, &w);
        if (r < 0)
                return r;
        r = install_get_state(&w, NULL, name, &state);
        if (r < 0)
                return sd_bus_error_set_errnof(e, -r, "%s", strerror(-r));
        return client_reply(c, m, "s", install_state_name(state));
}

int unit_files_default(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e)
{
        cleanup_(install_where_done) struct install_where w = {0};
        char name[256];
        int r = where_of(c->front, &w);

        if (r < 0)
                return r;
        r = install_get_default(&w, name);
        if (r < 0)
                return sd_bus_error_set_errnof(e, -r, "%s", strerror(-r));
        return client_reply(c, m, "s", name);
}

static bool any_fits(char **patterns, const char *s)
{
        for (char **p = patterns; p && *p; p++)
                if (fnmatch(*p, s, FNM_NOESCAPE) == 0)
                        return true;
        return !patterns || !patterns[0];
}

int unit_files_list(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e unused_)
{
        cleanup_(install_where_done) struct install_where w = {0};
        cleanup_(install_list_done) struct install_list l = {0};
        char **states = NULL, **patterns = NULL;
        sd_bus_message *reply = NULL;
        int r = 0;

        if (method->in[0]) {
                r = sd_bus_message_read_strv(m, &states);
                if (r >= 0)
                        r = sd_bus_message_read_strv(m, &patterns);
        }
        if (r >= 0)
                r = where_of(c->front, &w);
        if (r >= 0)
                r = install_list_files(&w, &l);
        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ss)");
        for (unsigned i = 0; i < l.n && r >= 0; i++)
                if (any_fits(states, install_state_name(l.v[i].state)) && any_fits(patterns, l.v[i].name))
                        r = sd_bus_message_append(reply, "(ss)", l.v[i].path, install_state_name(l.v[i].state));
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        strv_free(states);
        strv_free(patterns);
        return send_and_unref(c, reply, r);
}

/* ---- properties ---- */

/* As the manager of systemd does it: what was so when units were read counts. */
static int property_know(const struct front *f, const char *unit, struct install_known *ret)
{
        cleanup_(install_where_done) struct install_where w = {0};
        struct install_presets *presets;
        int r;

        if (install_recall(f->directory, unit, ret))
                return 0;
        r = where_of(f, &w);
        if (r >= 0)
                r = install_get_state(&w, NULL, unit, &ret->state);
        if (r >= 0)
                r = install_presets_read(&w, &presets);
        if (r < 0)
                return r;
        ret->preset = install_preset_enables(presets, unit);
        install_presets_free(presets);
        return 0;
}

const char *unit_files_property(const struct front *f, const char *unit, const char *property)
{
        struct install_known k;

        if (property_know(f, unit, &k) < 0)
                return "";
        if (streq(property, "UnitFileState"))
                return install_state_name(k.state);
        return k.preset ? "enabled" : "disabled";
}
