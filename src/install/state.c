/* SPDX-License-Identifier: MIT
 * What state a unit file is in, told from the links there are; and all unit files. See install.h.
 */
#include "install/internal.h"

#include "base/names.h"

#include <stdio.h>
#include <sys/stat.h>

static const char *const state_words[N_INSTALL_STATES] = {
        [STATE_ENABLED] = "enabled",
        [STATE_ENABLED_RUNTIME] = "enabled-runtime",
        [STATE_LINKED] = "linked",
        [STATE_LINKED_RUNTIME] = "linked-runtime",
        [STATE_ALIAS] = "alias",
        [STATE_MASKED] = "masked",
        [STATE_MASKED_RUNTIME] = "masked-runtime",
        [STATE_STATIC] = "static",
        [STATE_DISABLED] = "disabled",
        [STATE_INDIRECT] = "indirect",
        [STATE_GENERATED] = "generated",
        [STATE_TRANSIENT] = "transient",
        [STATE_BAD] = "bad",
};

const char *install_state_name(enum install_state s)
{
        return (size_t)s < ARRAY_SIZE(state_words) ? state_words[s] : NULL;
}

bool install_state_counts_as_enabled(enum install_state s)
{
        return s == STATE_ENABLED || s == STATE_ENABLED_RUNTIME || s == STATE_STATIC || s == STATE_INDIRECT ||
               s == STATE_GENERATED || s == STATE_ALIAS;
}

static void index_free_p(struct install_index **x)
{
        install_index_free(*x);
}

/* ---- the links to one unit ---- */

struct look {
        const struct unit_file *file;
        unsigned at;      /* directory of the search path; now looked at */
        bool known_names; /* only links that enabling would make */
        bool below;       /* directories behind the one that has the file: a link of its own name does not count */
        bool same_name;   /* a link of its own name in the directory itself */
        struct buf *out;  /* collects the links' paths; NULL */
};

static bool name_is_known(const struct look *k, const char *name)
{
        const struct unit_file *f = k->file;
        char instantiated[UNIT_NAME_MAX + 1];

        if (streq(name, f->name) || list_has(&f->aliases, name))
                return true;
        return f->default_instance && unit_name_is_template(f->name) &&
               unit_name_instantiate(f->name, f->default_instance, strlen(f->default_instance), instantiated) >= 0 &&
               streq(name, instantiated);
}

/* 1: this link enables the unit. */
static int look_at_link(struct look *k, const struct indexed_link *l)
{
        if (!l->on_target) { /* what hangs on a target goes by its own name, wherever it leads */
                bool by_name = !k->below && streq(l->name, k->file->name),
                     by_target = streq(path_base(l->target), k->file->name);

                if (by_name && by_target)
                        k->same_name = true;
                if (by_name == by_target)
                        return 0;
        }
        if (k->known_names && !name_is_known(k, l->name))
                return 0;
        if (k->out)
                return buf_printf(k->out, "  %s\n", l->path);
        return 1;
}

/* 1: some link below the directory K->at enables the unit. */
static int look_below(struct look *k, const struct install_index *x)
{
        int r = 0;

        for (const struct indexed_link *l = link_index_find(x, k->file->name); r == 0 && l; l = l->next)
                if (l->at == k->at)
                        r = look_at_link(k, l);
        return r != 0 ? r : link_index_error(x, k->at);
}

struct findings {
        bool runtime, elsewhere, same_name_config, same_name_runtime;
};

static bool file_lies_below(const struct unit_file *f, const char *dir)
{
        size_t n = strlen(dir);

        return strncmp(f->path, dir, n) == 0 && f->path[n] == '/';
}

/* 1 with *ret: links say so. 0: there are none that count. */
static int state_from_links(const struct install_where *w, const struct install_index *x, const struct unit_file *f,
                            bool known_names, enum install_state *ret)
{
        struct findings found = {0};
        struct look k = {.file = f, .known_names = known_names};

        for (; k.at < w->n_dirs; k.at++) {
                const struct install_dir *d = &w->dirs[k.at];
                int r;

                k.same_name = false;
                r = look_below(&k, x);
                if (r < 0)
                        return r;
                if (r > 0 && (d->kind & (DIR_PERSISTENT | DIR_ETC_USER)))
                        return *ret = STATE_ENABLED, 1;
                if (r > 0 && where_is_volatile(w, d->path))
                        found.runtime = true;
                else if (r > 0)
                        found.elsewhere = true;
                else if (k.same_name && (d->kind & DIR_PERSISTENT))
                        found.same_name_config = true;
                else if (k.same_name && where_is_volatile(w, d->path))
                        found.same_name_runtime = true;
                k.below = k.below || file_lies_below(f, d->path);
        }
        if (found.runtime)
                *ret = STATE_ENABLED_RUNTIME;
        else if (found.elsewhere && unit_name_is_instance(f->name))
                *ret = STATE_STATIC;
        else if (found.same_name_config)
                *ret = STATE_LINKED;
        else if (found.same_name_runtime)
                *ret = STATE_LINKED_RUNTIME;
        else
                return 0;
        return 1;
}

/* ---- the state ---- */

static int state_of_regular(struct operation *o, const struct install_index *x, const struct unit_file *f,
                            const char *name, enum install_state *ret)
{
        cleanup_(index_free_p) struct install_index *own = NULL;
        unsigned kind = where_kind_of_file(o->where, f->path);
        int r = 0;

        if (!streq(name, path_base(f->path)) && !unit_name_is_instance(f->name))
                return *ret = STATE_ALIAS, 0;
        if (kind & DIR_GENERATED)
                return *ret = STATE_GENERATED, 0;
        if (kind & DIR_TRANSIENT)
                return *ret = STATE_TRANSIENT, 0;
        if (!x)
                r = install_index_read(o->where, &own);
        if (r < 0)
                return r;
        x = x ? x : own;
        r = state_from_links(o->where, x, f, true, ret);
        if (r != 0)
                return r < 0 ? r : 0;
        r = state_from_links(o->where, x, f, false, ret);
        if (r < 0)
                return r;
        if (r > 0)
                *ret = STATE_INDIRECT;
        else if (unit_file_rules(f) > 0)
                *ret = STATE_DISABLED;
        else
                *ret = f->also.n > 0 ? STATE_INDIRECT : STATE_STATIC;
        return 0;
}

static int state_of(struct operation *o, const struct install_index *x, const char *name, enum install_state *ret)
{
        struct unit_file *f;
        int r = unit_file_discover(o, name, SEARCH_LOAD | SEARCH_FOLLOW_CONFIG, &f);

        if (r < 0)
                return r;
        if (f->mode == MODE_MASKED) {
                char *dir = path_dir(&o->arena, f->path);

                if (!dir)
                        return -ENOMEM;
                *ret = where_is_volatile(o->where, dir) ? STATE_MASKED_RUNTIME : STATE_MASKED;
                return 0;
        }
        return state_of_regular(o, x, f, name, ret);
}

int install_get_state(const struct install_where *w, const struct install_index *x, const char *name,
                      enum install_state *ret)
{
        cleanup_(operation_done) struct operation o = {0};

        if (!unit_name_valid(name))
                return -EINVAL;
        operation_begin(&o, w, NULL);
        return state_of(&o, x, name, ret);
}

int install_lookup(const struct install_where *w, const char *name, bool generated)
{
        cleanup_(operation_done) struct operation o = {0};
        struct install_where some = *w;
        struct unit_file *f;
        int r;

        operation_begin(&o, &some, NULL);
        if (!generated) {
                some.dirs = arena_alloc(&o.arena, w->n_dirs * sizeof(*some.dirs));
                if (!some.dirs)
                        return -ENOMEM;
                some.n_dirs = 0;
                for (unsigned i = 0; i < w->n_dirs; i++)
                        if (!(w->dirs[i].kind & DIR_GENERATED))
                                some.dirs[some.n_dirs++] = w->dirs[i];
        }
        r = unit_file_discover(&o, name, 0, &f);
        return r == -ENOENT ? 0 : r < 0 && r != -ELOOP ? r : 1;
}

/* ---- all unit files ---- */

static int list_append(struct install_list *l, const char *path, const char *name)
{
        struct install_file *f;

        if (l->n == l->allocated) {
                unsigned n = l->allocated ? l->allocated * 2 : 64;
                struct install_file *v = reallocarray(l->v, n, sizeof(*v));

                if (!v)
                        return -ENOMEM;
                l->v = v;
                l->allocated = n;
        }
        f = &l->v[l->n];
        *f = (struct install_file){arena_strdup(&l->arena, name), path_join(&l->arena, path, name), STATE_BAD};
        if (!f->name || !f->path)
                return -ENOMEM;
        l->n++;
        return 0;
}

static bool list_knows(const struct install_list *l, unsigned n, const char *name)
{
        for (unsigned i = 0; i < n; i++)
                if (streq(l->v[i].name, name))
                        return true;
        return false;
}

int install_list_files(const struct install_where *w, struct install_list *ret)
{
        cleanup_(index_free_p) struct install_index *x = NULL;
        struct install_list l = {0};
        struct arena scratch = {0};
        int r = install_index_read(w, &x);

        for (unsigned i = 0; i < w->n_dirs && r >= 0; i++) {
                unsigned n = l.n; /* within a directory no name comes twice */
                struct list names;

                r = directory_names(&scratch, w->dirs[i].path, &names);
                for (unsigned k = 0; r >= 0 && k < names.n; k++) {
                        struct stat st;
                        char *path;

                        if (!unit_name_valid(names.v[k]) || list_knows(&l, n, names.v[k]))
                                continue;
                        path = path_join(&scratch, w->dirs[i].path, names.v[k]);
                        if (!path)
                                r = -ENOMEM;
                        else if (lstat(path, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)))
                                continue;
                        else
                                r = list_append(&l, w->dirs[i].path, names.v[k]);
                        if (r >= 0 && install_get_state(w, x, names.v[k], &l.v[l.n - 1].state) < 0)
                                l.v[l.n - 1].state = STATE_BAD;
                }
        }
        arena_done(&scratch);
        if (r < 0)
                install_list_done(&l);
        else
                *ret = l;
        return r;
}

void install_list_done(struct install_list *l)
{
        free(l->v);
        arena_done(&l->arena);
        *l = (struct install_list){0};
}

int install_links_of(const struct install_where *w, const char *name, struct buf *out)
{
        cleanup_(index_free_p) struct install_index *x = NULL;
        cleanup_(operation_done) struct operation o = {0};
        struct look k = {.out = out};
        struct unit_file *f;
        int r;

        operation_begin(&o, w, NULL);
        r = unit_file_discover(&o, name, SEARCH_LOAD | SEARCH_FOLLOW_CONFIG, &f);
        if (r >= 0)
                r = install_index_read(w, &x);
        k.file = f;
        for (; r >= 0 && k.at < w->n_dirs; k.at++)
                if (f->path && (w->dirs[k.at].kind & (DIR_PERSISTENT | DIR_RUNTIME)))
                        r = look_below(&k, x);
        return r;
}
