/* SPDX-License-Identifier: MIT
 *
 * Presets: the distribution's and the administrator's word on what is to be enabled. Files *.preset, sorted by name
 * whatever their directory, one of a higher directory hiding those of its name; the first rule that fits counts, and
 * without any a unit is enabled.
 *
 *     enable ssh.service
 *     enable getty@.service tty1 tty2
 *     disable *
 *
 * Not here: making links. Invariant: rules are read before anything is changed.
 */
#include "install/internal.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <sys/stat.h>

struct preset_rule {
        bool enable;
        char *pattern;
        struct list instances; /* for templates; empty = none given */
};

struct install_presets {
        struct arena arena;
        struct preset_rule *rules; /* owned */
        unsigned n, allocated;
};

void install_presets_free(struct install_presets *p)
{
        if (!p)
                return;
        arena_done(&p->arena);
        free(p->rules);
        free(p);
}

static void presets_free_p(struct install_presets **p)
{
        install_presets_free(*p);
}

static int rule_add(struct install_presets *p, bool enable, char *text)
{
        char *save = NULL, *word = strtok_r(text, " \t", &save);
        struct preset_rule rule = {.enable = enable};
        int r = 0;

        if (!word)
                return -EINVAL;
        rule.pattern = arena_strdup(&p->arena, word);
        if (!rule.pattern)
                return -ENOMEM;
        while (enable && r >= 0 && (word = strtok_r(NULL, " \t", &save)))
                r = list_add(&p->arena, &rule.instances, word);
        if (r < 0)
                return r;
        if (rule.instances.n > 0 && !unit_name_is_template(rule.pattern))
                return -EINVAL; /* instances of what has none */
        if (p->n == p->allocated) {
                unsigned n = p->allocated ? p->allocated * 2 : 32;
                struct preset_rule *v = reallocarray(p->rules, n, sizeof(*v));

                if (!v)
                        return -ENOMEM;
                p->rules = v;
                p->allocated = n;
        }
        p->rules[p->n++] = rule;
        return 0;
}

static const char *after_word(const char *line, const char *word)
{
        size_t n = strlen(word);

        return strncmp(line, word, n) == 0 && (line[n] == ' ' || line[n] == '\t') ? line + n + 1 : NULL;
}

static int line_bad(const struct install_where *w, const char *path, unsigned number, const char *line)
{
        diag_add(w->diag, DIAG_WARNING, path, number, NULL, "Couldn't parse line '%s'. Ignoring.", line);
        return 0;
}

static int line_read(struct install_presets *p, const struct install_where *w, const char *path, unsigned number,
                     char *line)
{
        const char *enable, *disable, *rest;
        cleanup_free_ char *copy = NULL;
        size_t n;
        int r;

        line += strspn(line, " \t");
        n = strlen(line);
        while (n > 0 && strchr(" \t\r\n", line[n - 1]))
                line[--n] = 0;
        if (*line == 0 || *line == '#' || *line == ';')
                return 0;
        copy = strdup(line);
        if (!copy)
                return -ENOMEM;
        enable = after_word(line, "enable");
        disable = after_word(line, "disable");
        rest = enable ? enable : disable;
        r = rest ? rule_add(p, enable != NULL, line + (rest - line)) : -EINVAL;
        return r == -EINVAL ? line_bad(w, path, number, copy) : r;
}

static int file_read(struct install_presets *p, const struct install_where *w, const char *path)
{
        FILE *f = fopen(path, "re");
        cleanup_free_ char *line = NULL;
        size_t allocated = 0;
        unsigned number = 0;
        int r = 0;

        if (!f)
                return errno == ENOENT ? 0 : -errno;
        while (r >= 0 && getline(&line, &allocated, f) >= 0)
                r = line_read(p, w, path, ++number, line);
        (void)fclose(f);
        return r;
}

struct preset_file {
        char *name, *path;
};

static int compare_files(const void *a, const void *b)
{
        return strcmp(((const struct preset_file *)a)->name, ((const struct preset_file *)b)->name);
}

/* All files, each name once. */
static int files_find(struct install_presets *p, const struct install_where *w, struct preset_file *v, unsigned max,
                      unsigned *ret_n)
{
        unsigned n = 0;
        int r = 0;

        for (const char *const *dir = w->preset_dirs; *dir && r >= 0; dir++) {
                char *path = path_join(&p->arena, w->root, *dir);
                struct list names;

                r = path ? directory_names(&p->arena, path, &names) : -ENOMEM;
                for (unsigned i = 0; r >= 0 && i < names.n && n < max; i++) {
                        unsigned k = 0;

                        if (!ends_with(names.v[i], ".preset") || names.v[i][0] == '.')
                                continue;
                        while (k < n && !streq(v[k].name, names.v[i]))
                                k++;
                        if (k < n)
                                continue;
                        v[n] = (struct preset_file){names.v[i], path_join(&p->arena, path, names.v[i])};
                        r = v[n++].path ? 0 : -ENOMEM;
                }
        }
        *ret_n = n;
        return r;
}

int install_presets_read(const struct install_where *w, struct install_presets **ret)
{
        cleanup_(presets_free_p) struct install_presets *p = calloc(1, sizeof(*p));
        struct preset_file files[256];
        unsigned n = 0;
        int r = p ? files_find(p, w, files, ARRAY_SIZE(files), &n) : -ENOMEM;

        if (r >= 0 && n > 1)
                qsort(files, n, sizeof(*files), compare_files);
        for (unsigned i = 0; r >= 0 && i < n; i++) {
                struct stat st;

                if (stat(files[i].path, &st) >= 0 && S_ISREG(st.st_mode))
                        r = file_read(p, w, files[i].path);
        }
        if (r >= 0)
                *ret = take_ptr(p);
        return r;
}

/* Does the rule name instances, and NAME is their template or one of them? */
static bool instances_fit(const struct preset_rule *rule, const char *name)
{
        char template_name[UNIT_NAME_MAX + 1];
        struct unit_name n;

        if (rule->instances.n == 0 || unit_name_split(name, &n) < 0 || !n.instance ||
            unit_name_template(name, template_name) < 0 || fnmatch(rule->pattern, template_name, FNM_NOESCAPE) != 0)
                return false;
        if (n.instance_size == 0)
                return true;
        for (unsigned i = 0; i < rule->instances.n; i++)
                if (strlen(rule->instances.v[i]) == n.instance_size &&
                    memcmp(rule->instances.v[i], n.instance, n.instance_size) == 0)
                        return true;
        return false;
}

static const struct preset_rule *rule_find(const struct install_presets *p, const char *name)
{
        for (unsigned i = 0; i < p->n; i++)
                if (instances_fit(&p->rules[i], name) || fnmatch(p->rules[i].pattern, name, FNM_NOESCAPE) == 0)
                        return &p->rules[i];
        return NULL;
}

bool install_preset_enables(const struct install_presets *p, const char *name)
{
        for (unsigned i = 0; i < p->n; i++)
                if (fnmatch(p->rules[i].pattern, name, FNM_NOESCAPE) == 0)
                        return p->rules[i].enable;
        return true;
}

/* ---- carrying them out ---- */

struct presetting {
        const struct install_where *where;
        const struct install_presets *presets;
        struct operation plus, minus;
};

static bool operation_has(const struct operation *o, const char *name)
{
        for (const struct unit_file *f = o->files; f; f = f->next)
                if (streq(f->name, name))
                        return true;
        return false;
}

static int plan_enable(struct presetting *k, const char *name, const struct preset_rule *rule)
{
        struct unit_file *f;
        int r = 0;

        if (!rule || rule->instances.n == 0 || !unit_name_is_template(name) || !instances_fit(rule, name))
                return unit_file_discover_usable(&k->plus, name, SEARCH_LOAD | SEARCH_FOLLOW_CONFIG, &f);
        for (unsigned i = 0; i < rule->instances.n && r >= 0; i++) {
                char instance[UNIT_NAME_MAX + 1];

                r = unit_name_instantiate(name, rule->instances.v[i], strlen(rule->instances.v[i]), instance);
                if (r >= 0)
                        r = unit_file_discover_usable(&k->plus, instance, SEARCH_LOAD | SEARCH_FOLLOW_CONFIG, &f);
        }
        return r;
}

static int plan_one(struct presetting *k, const char *name)
{
        cleanup_(operation_done) struct operation look = {0};
        const struct preset_rule *rule;
        struct unit_file *f;
        int r;

        if (operation_has(&k->plus, name) || operation_has(&k->minus, name))
                return 0;
        operation_begin(&look, k->where, k->plus.changes);
        r = unit_file_discover(&look, name, SEARCH_FOLLOW_CONFIG, &f);
        if (r < 0)
                return r;
        if (!streq(f->name, name)) /* another name of something that has a rule of its own */
                return 0;
        rule = rule_find(k->presets, name);
        return !rule || rule->enable ? plan_enable(k, name, rule)
                                     : unit_file_discover(&k->minus, name, SEARCH_FOLLOW_CONFIG, &f);
}

static int carry_out(struct presetting *k, unsigned flags, enum install_preset_mode mode)
{
        const char *config = where_config(k->where, flags);
        struct list gone = {0};
        int r = 0, q;

        if (mode != INSTALL_PRESET_ENABLE_ONLY) {
                r = operation_names_to_remove(&k->minus, &gone);
                if (r >= 0)
                        r = links_remove(&k->minus, &gone, config);
        }
        if (mode == INSTALL_PRESET_DISABLE_ONLY)
                return r;
        q = operation_apply(&k->plus, flags | INSTALL_LENIENT, config, SEARCH_LOAD);
        return r < 0 ? r : q;
}

static int presetting_begin(struct presetting *k, const struct install_where *w, struct install_presets **presets,
                            struct install_changes *d)
{
        int r = install_presets_read(w, presets);

        k->where = w;
        k->presets = *presets;
        operation_begin(&k->plus, w, d);
        operation_begin(&k->minus, w, d);
        return r;
}

static void presetting_done(struct presetting *k)
{
        operation_done(&k->plus);
        operation_done(&k->minus);
}

int install_preset(const struct install_where *w, unsigned flags, enum install_preset_mode mode,
                   const char *const *names, unsigned n, struct install_changes *d)
{
        cleanup_(presets_free_p) struct install_presets *presets = NULL;
        cleanup_(presetting_done) struct presetting k = {0};
        int r = presetting_begin(&k, w, &presets, d);

        for (unsigned i = 0; i < n && r >= 0; i++)
                r = plan_one(&k, names[i]);
        return r < 0 ? r : carry_out(&k, flags, mode);
}

/* What keeps one unit out keeps not the others. */
static bool may_skip(int r)
{
        static const int errors[] = {-EEXIST,  -ERFKILL, -EADDRNOTAVAIL, -EBADSLT, -EIDRM,
                                     -EUCLEAN, -ELOOP,   -ENOENT,        -EUNATCH, -EXDEV};

        for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
                if (errors[i] == r)
                        return true;
        return false;
}

static int plan_directory(struct presetting *k, const char *dir)
{
        struct list names;
        int r = directory_names(&k->plus.arena, dir, &names);

        for (unsigned i = 0; r >= 0 && i < names.n; i++) {
                char *path;
                struct stat st;
                int q;

                if (!unit_name_valid(names.v[i]))
                        continue;
                path = path_join(&k->plus.arena, dir, names.v[i]);
                if (!path)
                        return -ENOMEM;
                if (lstat(path, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)))
                        continue;
                q = plan_one(k, names.v[i]);
                if (q < 0 && !may_skip(q))
                        r = q;
        }
        return r;
}

int install_preset_all(const struct install_where *w, unsigned flags, enum install_preset_mode mode,
                       struct install_changes *d)
{
        cleanup_(presets_free_p) struct install_presets *presets = NULL;
        cleanup_(presetting_done) struct presetting k = {0};
        int r = presetting_begin(&k, w, &presets, d);

        for (unsigned i = 0; i < w->n_dirs && r >= 0; i++)
                r = plan_directory(&k, w->dirs[i].path);
        return r < 0 ? r : carry_out(&k, flags, mode);
}

bool install_preset_counts(enum install_state s)
{
        return s == STATE_ENABLED || s == STATE_ENABLED_RUNTIME || s == STATE_LINKED || s == STATE_LINKED_RUNTIME ||
               s == STATE_DISABLED || s == STATE_INDIRECT || s == STATE_MASKED || s == STATE_MASKED_RUNTIME ||
               s == STATE_BAD;
}
