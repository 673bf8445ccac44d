/* SPDX-License-Identifier: MIT
 * enable, disable, reenable, and dependencies added by hand: what [Install] says becomes links, or they go. See
 * install.h and internal.h.
 */
#include "install/internal.h"

#include <stdio.h>

/* ---- Alias= ---- */

static int alias_error(struct operation *o, const struct unit_file *f, const char *alias, int r)
{
        return r == -ELOOP ? r : change_error(o->changes, -EXDEV, alias, f->name);
}

/* "x.target.wants/y.service": an old form of WantedBy=. */
static int check_alias_path(struct operation *o, const struct unit_file *f, const char *alias)
{
        const char *base = path_base(alias);
        char *dir = path_dir(&o->arena, alias), *dot;
        bool propagates;

        if (!dir)
                return -ENOMEM;
        dot = ends_with(dir, ".wants")      ? dir + strlen(dir) - strlen(".wants")
              : ends_with(dir, ".requires") ? dir + strlen(dir) - strlen(".requires")
                                            : NULL;
        if (dot)
                *dot = 0;
        if (!dot || !unit_name_valid(dir))
                return change_error(o->changes, -EXDEV, alias, NULL);
        propagates = unit_name_is_template(dir);
        if (!unit_name_valid(base) || !streq(strrchr(base, '.'), strrchr(f->name, '.')))
                return change_error(o->changes, -EXDEV, alias, f->name);
        if (streq(base, f->name))
                return 0;
        if (unit_name_is_template(f->name)) {
                char template_name[UNIT_NAME_MAX + 1];

                if (unit_name_is_instance(base) && unit_name_template(base, template_name) >= 0 &&
                    streq(template_name, f->name))
                        return 0;
        }
        if (propagates && unit_name_is_template(base) && unit_name_is_instance(f->name)) {
                char template_name[UNIT_NAME_MAX + 1];

                if (unit_name_template(f->name, template_name) >= 0 && streq(template_name, base))
                        return 0;
        }
        return change_error(o->changes, -EXDEV, alias, f->name);
}

/* May ALIAS be another name of F? -ELOOP: it is the name it has already. */
static int check_alias_name(struct operation *o, const struct unit_file *f, const char *alias)
{
        const char *a, *b;

        if (!unit_name_valid(alias) || !streq(strrchr(alias, '.'), strrchr(f->name, '.')) || !suffix_may_alias(alias))
                return alias_error(o, f, alias, -EXDEV);
        if (streq(alias, f->name))
                return -ELOOP;
        a = instance_of(o, alias);
        b = instance_of(o, f->name);
        if (!a != !b)
                return alias_error(o, f, alias, -EXDEV);
        if (a && *b && !streq(a, b))
                return alias_error(o, f, alias, -EXDEV);
        if (a && !*a && *b)
                return alias_error(o, f, alias, -EXDEV);
        return 0;
}

/* A template's alias takes over the instance. */
static int alias_instantiate(struct operation *o, const struct unit_file *f, char **alias)
{
        const char *instance = unit_name_is_instance(f->name) ? instance_of(o, f->name) : NULL;
        char name[UNIT_NAME_MAX + 1];

        if (!instance || !unit_name_is_template(*alias))
                return 0;
        if (unit_name_instantiate(*alias, instance, strlen(instance), name) < 0)
                return -EINVAL;
        *alias = arena_strdup(&o->arena, name);
        return *alias ? 0 : -ENOMEM;
}

static int make_alias(struct operation *o, const struct unit_file *f, const char *s, const char *config, bool force)
{
        char *alias, *path;
        int r = unit_file_expand(o, f, s, &alias);

        if (r < 0)
                return r == -ENOMEM ? r : change_error(o->changes, r, s, NULL);
        if (strchr(alias, '/')) {
                r = check_alias_path(o, f, alias);
        } else {
                r = alias_instantiate(o, f, &alias);
                if (r >= 0)
                        r = check_alias_name(o, f, alias);
        }
        if (r < 0)
                return r == -ELOOP ? 0 : r;
        path = path_join(&o->arena, config, alias);
        if (!path)
                return -ENOMEM;
        return link_create(o, f->path, path, force);
}

static int make_aliases(struct operation *o, const struct unit_file *f, const char *config, bool force)
{
        int r = 0;

        for (unsigned i = 0; i < f->aliases.n; i++) {
                int q = make_alias(o, f, f->aliases.v[i], config, force);

                if (q == -ENOMEM)
                        return q;
                r = r < 0 ? r : q < 0 || r == 0 ? q : r;
        }
        return r;
}

/* ---- WantedBy= and kin ---- */

static int make_want(struct operation *o, const struct unit_file *f, const char *name, const char *target,
                     const char *suffix, const char *config)
{
        char dir_name[UNIT_NAME_MAX + 16], *dir, *path;
        int r;

        (void)snprintf(dir_name, sizeof(dir_name), "%s%s", target, suffix);
        dir = path_join(&o->arena, config, dir_name);
        path = dir ? path_join(&o->arena, dir, name) : NULL;
        if (!path)
                return -ENOMEM;
        r = link_create(o, f->path, path, true);
        if (r >= 0 && install_lookup(o->where, target, true) == 0) {
                int q = change_add(o->changes, INSTALL_TARGET_NOT_PRESENT, 0, target, f->path);

                r = q < 0 ? q : r;
        }
        return r;
}

static int make_wants(struct operation *o, const struct unit_file *f, const struct list *l, const char *suffix,
                      const char *config, unsigned flags)
{
        char instantiated[UNIT_NAME_MAX + 1];
        const char *name = f->name;
        bool only_templates = false;
        int r = 0;

        if (unit_name_is_template(name)) {
                if (f->default_instance &&
                    unit_name_instantiate(name, f->default_instance, strlen(f->default_instance), instantiated) >= 0)
                        name = instantiated;
                else
                        only_templates = true; /* a template may not hang on a plain name */
        }
        for (unsigned i = 0; i < l->n; i++) {
                char *target;
                int q = unit_file_expand(o, f, l->v[i], &target);

                if (q == -ENOMEM)
                        return q;
                if (q < 0) {
                        q = change_error(o->changes, q, l->v[i], NULL);
                } else if (!unit_name_valid(target) || (only_templates && !strchr(target, '@'))) {
                        if (flags & INSTALL_LENIENT)
                                continue;
                        q = unit_name_valid(target) ? change_error(o->changes, -EIDRM, target, name)
                                                    : change_error(o->changes, -EUCLEAN, target, NULL);
                } else {
                        q = make_want(o, f, name, target, suffix, config);
                }
                r = r < 0 ? r : q < 0 || r == 0 ? q : r;
        }
        return r;
}

/* ---- one unit, and all ---- */

/* A file from outside of the search path is linked into it. */
static int make_link(struct operation *o, const struct unit_file *f, const char *config, bool force)
{
        char *path;

        if (where_kind_of_file(o->where, f->path))
                return 0;
        path = path_join(&o->arena, config, f->name);
        return path ? link_create(o, f->path, path, force) : -ENOMEM;
}

static int make_all(struct operation *o, const struct unit_file *f, const char *config, unsigned flags)
{
        const struct {
                const struct list *list;
                const char *suffix;
        } kinds[] = {{&f->wanted_by, ".wants"}, {&f->required_by, ".requires"}, {&f->upheld_by, ".upholds"}};
        int q, r = make_link(o, f, config, flags & INSTALL_FORCE);

        if (r < 0)
                return r;
        r = make_aliases(o, f, config, flags & INSTALL_FORCE);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                q = make_wants(o, f, kinds[i].list, kinds[i].suffix, config, flags);
                r = r ? r : q;
        }
        return r;
}

int operation_apply(struct operation *o, unsigned flags, const char *config, unsigned how)
{
        int n = 0;

        for (struct unit_file *f = o->files; f; f = f->next) {
                int q;

                if (f->done)
                        continue;
                f->done = true;
                q = unit_file_search(o, f, how, NULL);
                if (q < 0 && f->auxiliary) {
                        q = change_add(o->changes, INSTALL_AUXILIARY_FAILED, q, f->name, NULL);
                        if (q < 0)
                                return q;
                        continue;
                }
                if (q < 0)
                        return change_error(o->changes, q, f->name, NULL);
                if (f->mode == MODE_MASKED) {
                        q = change_add(o->changes, INSTALL_IS_MASKED, 0, f->path, NULL);
                        if (q < 0)
                                return q;
                        n = n < 0 ? n : n + 1;
                        continue;
                }
                if (f->mode != MODE_REGULAR)
                        continue;
                q = make_all(o, f, config, flags);
                if (n >= 0)
                        n = q < 0 ? q : n + q;
        }
        return n;
}

int operation_names_to_remove(struct operation *o, struct list *names)
{
        for (struct unit_file *f = o->files; f; f = f->next) {
                int r = unit_file_search(o, f, SEARCH_LOAD | SEARCH_FOLLOW_CONFIG, NULL), q = 0;

                if (r == -ENOMEM)
                        return r;
                f->done = true;
                if (r == -ENOLINK)
                        q = change_add(o->changes, INSTALL_IS_DANGLING, 0, f->path ? f->path : f->name, NULL);
                else if (r == -ENOENT && !f->auxiliary)
                        q = change_add(o->changes, INSTALL_ERROR, r, f->path ? f->path : f->name, NULL);
                else if (r < 0 && r != -ENOENT)
                        q = change_add(o->changes, INSTALL_ERROR, r, f->path ? f->path : f->name, NULL);
                else if (r >= 0 && f->mode == MODE_MASKED)
                        q = change_add(o->changes, INSTALL_IS_MASKED, 0, f->path ? f->path : f->name, NULL);
                else if (r >= 0 && f->mode != MODE_REGULAR)
                        continue;
                if (q >= 0 && !(r >= 0 && f->mode == MODE_MASKED))
                        q = list_add_once(&o->arena, names, f->name);
                if (q < 0)
                        return q;
        }
        return 0;
}

int install_enable(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                   struct install_changes *d)
{
        cleanup_(operation_done) struct operation o = {0};
        struct unit_file *f;
        int r = 0;

        operation_begin(&o, w, d);
        for (unsigned i = 0; i < n && r >= 0; i++)
                r = unit_file_discover_usable(&o, names[i], SEARCH_LOAD | SEARCH_FOLLOW_CONFIG, &f);
        return r < 0 ? r : operation_apply(&o, flags, where_config(w, flags), SEARCH_LOAD);
}

int install_disable(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                    struct install_changes *d)
{
        cleanup_(operation_done) struct operation o = {0};
        struct list gone = {0};
        struct unit_file *f;
        int r = 0;

        operation_begin(&o, w, d);
        for (unsigned i = 0; i < n && r >= 0; i++)
                r = unit_name_valid(names[i]) ? unit_file_add(&o, names[i], NULL, false, &f) : -EINVAL;
        if (r >= 0)
                r = operation_names_to_remove(&o, &gone);
        return r < 0 ? r : links_remove(&o, &gone, where_config(w, flags));
}

int install_reenable(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                     struct install_changes *d)
{
        cleanup_free_ const char **bases = calloc(n + 1, sizeof(*bases)), **meant = calloc(n + 1, sizeof(*meant));
        cleanup_(operation_done) struct operation o = {0};
        struct unit_file *f;
        int r;

        if (!bases || !meant)
                return -ENOMEM;
        operation_begin(&o, w, NULL);
        for (unsigned i = 0; i < n; i++) { /* a name that is only an alias is gone once it is disabled */
                bases[i] = meant[i] = path_base(names[i]);
                if (*names[i] == '/')
                        meant[i] = names[i];
                else if (unit_file_discover(&o, names[i], SEARCH_LOAD | SEARCH_FOLLOW_CONFIG, &f) >= 0)
                        meant[i] = f->name;
        }
        r = install_disable(w, flags, bases, n, d);
        return r < 0 ? r : install_enable(w, flags, meant, n, d);
}

int install_add_dependency(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                           const char *target, const char *kind, struct install_changes *d)
{
        cleanup_(operation_done) struct operation o = {0};
        struct unit_file *f, *t;
        int r;

        if (!streq(kind, "wants") && !streq(kind, "requires"))
                return -EINVAL;
        operation_begin(&o, w, d);
        r = unit_file_discover_usable(&o, target, SEARCH_FOLLOW_CONFIG, &t);
        for (unsigned i = 0; i < n && r >= 0; i++) {
                struct list *l;

                r = unit_file_discover_usable(&o, names[i], SEARCH_FOLLOW_CONFIG, &f);
                if (r < 0)
                        break;
                l = streq(kind, "wants") ? &f->wanted_by : &f->required_by;
                l->n = 0;
                r = list_add(&o.arena, l, t->name);
        }
        return r < 0 ? r : operation_apply(&o, flags, where_config(w, flags), SEARCH_FOLLOW_CONFIG);
}
