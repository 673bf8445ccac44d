/* SPDX-License-Identifier: MIT
 * The search path, and the list of all unit files. See load.h.
 */
#include "unit/index.h"
#include "unit/names.h"

#include <stdio.h>

enum { N_DIRS_MAX = 64 };

static const char *const supd_system_dirs[] = {"/etc/supd/units", "/run/supd/units"};
static const char *const systemd_system_dirs[] = {"/etc/systemd/system", "/run/systemd/system"};
static const char *const supd_vendor_dirs[] = {"/usr/local/lib/supd/units", "/usr/lib/supd/units"};
static const char *const systemd_vendor_dirs[] = {"/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
                                                  "/lib/systemd/system"};

static int dirs_add(struct unit_paths *p, const char *dir, size_t size)
{
        if (size == 0)
                return 0;
        if (p->dirs.n >= N_DIRS_MAX)
                return -E2BIG;
        p->dirs.v[p->dirs.n] = arena_strndup(&p->arena, dir, size);
        if (!p->dirs.v[p->dirs.n])
                return -ENOMEM;
        p->dirs.n++;
        return 0;
}

static int dirs_add_all(struct unit_paths *p, const char *const *v, size_t n)
{
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = dirs_add(p, v[i], strlen(v[i]));
        return r;
}

/* A directory below a base that the environment names, or below HOME and a default. */
static int dirs_add_xdg(struct unit_paths *p, const char *variable, const char *home_default, const char *tail)
{
        const char *base = getenv(variable), *home = getenv("HOME");
        cleanup_buf_ struct buf b = {0};
        int r;

        if (base && *base == '/')
                r = buf_printf(&b, "%s/%s", base, tail);
        else if (home && *home == '/' && home_default)
                r = buf_printf(&b, "%s/%s/%s", home, home_default, tail);
        else
                return 0;
        return r < 0 ? r : dirs_add(p, b.data, b.size);
}

static int dirs_add_user(struct unit_paths *p, bool systemd_units)
{
        static const struct {
                const char *variable, *home_default, *tail; /* variable NULL: tail is the directory */
                bool systemd;
        } user_dirs[] = {
                {"XDG_CONFIG_HOME", ".config", "supd/units", false},
                {"XDG_CONFIG_HOME", ".config", "systemd/user", true},
                {NULL, NULL, "/etc/supd/user-units", false},
                {NULL, NULL, "/etc/systemd/user", true},
                {"XDG_RUNTIME_DIR", NULL, "supd/units", false},
                {"XDG_RUNTIME_DIR", NULL, "systemd/user", true},
                {"XDG_DATA_HOME", ".local/share", "supd/units", false},
                {"XDG_DATA_HOME", ".local/share", "systemd/user", true},
                {NULL, NULL, "/usr/local/lib/supd/user-units", false},
                {NULL, NULL, "/usr/lib/supd/user-units", false},
                {NULL, NULL, "/usr/local/lib/systemd/user", true},
                {NULL, NULL, "/usr/lib/systemd/user", true},
        };
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(user_dirs) && r >= 0; i++) {
                if (user_dirs[i].systemd && !systemd_units)
                        continue;
                r = user_dirs[i].variable
                            ? dirs_add_xdg(p, user_dirs[i].variable, user_dirs[i].home_default, user_dirs[i].tail)
                            : dirs_add(p, user_dirs[i].tail, strlen(user_dirs[i].tail));
        }
        return r;
}

static int dirs_add_system(struct unit_paths *p, bool systemd_units)
{
        int r = dirs_add_all(p, supd_system_dirs, ARRAY_SIZE(supd_system_dirs));

        if (r >= 0 && systemd_units)
                r = dirs_add_all(p, systemd_system_dirs, ARRAY_SIZE(systemd_system_dirs));
        if (r >= 0)
                r = dirs_add_all(p, supd_vendor_dirs, ARRAY_SIZE(supd_vendor_dirs));
        if (r >= 0 && systemd_units)
                r = dirs_add_all(p, systemd_vendor_dirs, ARRAY_SIZE(systemd_vendor_dirs));
        return r;
}

/* Adds the colon list; *ret_go_on: it ends in a colon, or there is none. */
static int dirs_add_list(struct unit_paths *p, const char *list, bool *ret_go_on)
{
        size_t n = list ? strlen(list) : 0;

        *ret_go_on = n == 0 || list[n - 1] == ':';
        while (n > 0 && *list) {
                size_t size = strcspn(list, ":");
                int r = dirs_add(p, list, size);
                if (r < 0)
                        return r;
                list += size + (list[size] == ':');
        }
        return 0;
}

int unit_paths_init(struct unit_paths *ret, const char *unit_path, bool systemd_units, bool user_mode)
{
        struct unit_paths p = {0};
        bool go_on;
        int r = index_new(&p.index);

        if (r < 0)
                return r;
        p.dirs.v = arena_alloc(&p.arena, N_DIRS_MAX * sizeof(char *));
        r = p.dirs.v ? dirs_add_list(&p, unit_path, &go_on) : -ENOMEM;
        if (r >= 0 && go_on)
                r = user_mode ? dirs_add_user(&p, systemd_units) : dirs_add_system(&p, systemd_units);
        if (r < 0) {
                unit_paths_done(&p);
                return r;
        }
        *ret = p;
        return 0;
}

static unsigned dirs_find(const struct unit_paths *p, const char *dir)
{
        unsigned i = 0;

        while (i < p->dirs.n && !streq(p->dirs.v[i], dir))
                i++;
        return i;
}

/* As directory number AT. */
static int dirs_insert(struct unit_paths *p, unsigned at, const char *runtime_dir, const char *name)
{
        cleanup_buf_ struct buf b = {0};
        char *added;
        int r = buf_printf(&b, "%s/%s", runtime_dir, name);

        if (r >= 0)
                r = dirs_add(p, b.data, b.size);
        if (r < 0)
                return r;
        added = p->dirs.v[p->dirs.n - 1];
        memmove(p->dirs.v + at + 1, p->dirs.v + at, (p->dirs.n - 1 - at) * sizeof(*p->dirs.v));
        p->dirs.v[at] = added;
        return 0;
}

/* The early ones come before what the administrator wrote, the usual ones before what packages ship, the late ones
 * last.
 */
int unit_paths_add_generated(struct unit_paths *p, const char *runtime_dir)
{
        unsigned first = dirs_find(p, supd_system_dirs[0]), vendor = dirs_find(p, supd_vendor_dirs[0]);
        int r;

        if (first == p->dirs.n || vendor == p->dirs.n)
                return 0;
        r = dirs_insert(p, p->dirs.n, runtime_dir, "generator.late");
        if (r >= 0)
                r = dirs_insert(p, vendor, runtime_dir, "generator");
        return r < 0 ? r : dirs_insert(p, first, runtime_dir, "generator.early");
}

int unit_paths_add_transient(struct unit_paths *p, const char *runtime_dir)
{
        return dirs_insert(p, 0, runtime_dir, "transient");
}

void unit_paths_hold(struct unit_paths *p, bool hold)
{
        if (p->index)
                index_hold(p->index, hold);
}

bool unit_paths_changed(const struct unit_paths *p)
{
        return index_changed(p->index, &p->dirs);
}

bool unit_paths_have(const struct unit_paths *p, const char *name)
{
        char template_name[UNIT_NAME_MAX + 1];

        if (index_refresh(p->index, &p->dirs, NULL) < 0)
                return true; /* reading it will tell */
        return index_find(p->index, name) ||
               (unit_name_is_instance(name) && unit_name_template(name, template_name) >= 0 &&
                index_find(p->index, template_name));
}

void unit_paths_rest(struct unit_paths *p)
{
        if (p->index)
                index_clear(p->index);
}

void unit_paths_done(struct unit_paths *p)
{
        index_free(p->index);
        arena_done(&p->arena);
        *p = (struct unit_paths){0};
}

struct listing {
        struct arena *arena;
        char **v;
        unsigned n;
};

static int count_entry(struct index_entry *e, void *userdata)
{
        struct listing *l = userdata;

        l->n += unit_name_valid(e->name);
        return 0;
}

static int list_entry(struct index_entry *e, void *userdata)
{
        struct listing *l = userdata;

        if (!unit_name_valid(e->name))
                return 0;
        l->v[l->n] = arena_strdup(l->arena, e->name);
        return l->v[l->n++] ? 0 : -ENOMEM;
}

static int compare_strings(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

int unit_list_files(const struct unit_paths *paths, struct arena *arena, struct strings *ret)
{
        struct listing l = {.arena = arena};
        int r = index_refresh(paths->index, &paths->dirs, NULL);

        if (r < 0)
                return r;
        (void)index_each(paths->index, count_entry, &l);
        l.v = arena_alloc(arena, l.n * sizeof(char *));
        if (!l.v)
                return -ENOMEM;
        l.n = 0;
        r = index_each(paths->index, list_entry, &l);
        if (r < 0)
                return r;
        qsort(l.v, l.n, sizeof(char *), compare_strings);
        *ret = (struct strings){l.v, l.n};
        return 0;
}
