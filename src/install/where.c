/* SPDX-License-Identifier: MIT
 * Where unit files lie, and where links are made. The order is that of unit_paths_init() (unit/paths.c), with the
 * directories between that only tools write to.
 */
#include "install/internal.h"

#include <limits.h>
#include <stdio.h>

enum { N_DIRS_MAX = 64 };
enum base {
        BASE_NONE,
        BASE_CONFIG,
        BASE_RUNTIME,
        BASE_DATA,
        BASE_GENERATED
}; /* what the path of a row is below, for users */

struct dir_row {
        const char *path;
        enum base base;
        bool systemd; /* one of systemd's own */
        unsigned kind;
};

static const struct dir_row system_rows[] = {
        {"/etc/systemd/system.control", BASE_NONE, true, DIR_CONTROL},
        {"/run/systemd/system.control", BASE_NONE, true, DIR_CONTROL | DIR_VOLATILE},
        {"/run/systemd/transient", BASE_NONE, true, DIR_TRANSIENT | DIR_VOLATILE},
        {"generator.early", BASE_GENERATED, false, DIR_GENERATED | DIR_VOLATILE},
        {"/run/systemd/generator.early", BASE_NONE, true, DIR_GENERATED | DIR_VOLATILE},
        {"/etc/supd/units", BASE_NONE, false, DIR_PERSISTENT},
        {"/run/supd/units", BASE_NONE, false, DIR_RUNTIME | DIR_VOLATILE},
        {"/etc/systemd/system", BASE_NONE, true, DIR_PERSISTENT},
        {"/etc/systemd/system.attached", BASE_NONE, true, 0},
        {"/run/systemd/system", BASE_NONE, true, DIR_RUNTIME | DIR_VOLATILE},
        {"/run/systemd/system.attached", BASE_NONE, true, DIR_VOLATILE},
        {"generator", BASE_GENERATED, false, DIR_GENERATED | DIR_VOLATILE},
        {"/run/systemd/generator", BASE_NONE, true, DIR_GENERATED | DIR_VOLATILE},
        {"/usr/local/lib/supd/units", BASE_NONE, false, DIR_VENDOR},
        {"/usr/lib/supd/units", BASE_NONE, false, DIR_VENDOR},
        {"/usr/local/lib/systemd/system", BASE_NONE, true, DIR_VENDOR},
        {"/lib/systemd/system", BASE_NONE, true, DIR_VENDOR},
        {"/usr/lib/systemd/system", BASE_NONE, true, DIR_VENDOR},
        {"generator.late", BASE_GENERATED, false, DIR_GENERATED | DIR_VOLATILE},
        {"/run/systemd/generator.late", BASE_NONE, true, DIR_GENERATED | DIR_VOLATILE},
};

static const struct dir_row global_rows[] = {
        {"/etc/supd/user-units", BASE_NONE, false, DIR_PERSISTENT},
        {"/etc/systemd/user", BASE_NONE, true, DIR_PERSISTENT},
        {"/run/systemd/user", BASE_NONE, true, DIR_RUNTIME | DIR_VOLATILE},
        {"/usr/local/lib/supd/user-units", BASE_NONE, false, DIR_VENDOR},
        {"/usr/lib/supd/user-units", BASE_NONE, false, DIR_VENDOR},
        {"/usr/local/share/systemd/user", BASE_NONE, true, DIR_VENDOR},
        {"/usr/share/systemd/user", BASE_NONE, true, DIR_VENDOR},
        {"/usr/local/lib/systemd/user", BASE_NONE, true, DIR_VENDOR},
        {"/usr/lib/systemd/user", BASE_NONE, true, DIR_VENDOR},
};

static const struct dir_row user_rows[] = {
        {"systemd/user.control", BASE_CONFIG, true, DIR_CONTROL},
        {"systemd/user.control", BASE_RUNTIME, true, DIR_CONTROL | DIR_VOLATILE},
        {"systemd/transient", BASE_RUNTIME, true, DIR_TRANSIENT | DIR_VOLATILE},
        {"generator.early", BASE_GENERATED, false, DIR_GENERATED | DIR_VOLATILE},
        {"systemd/generator.early", BASE_RUNTIME, true, DIR_GENERATED | DIR_VOLATILE},
        {"supd/units", BASE_CONFIG, false, DIR_PERSISTENT},
        {"systemd/user", BASE_CONFIG, true, DIR_PERSISTENT},
        {"/etc/supd/user-units", BASE_NONE, false, DIR_ETC_USER},
        {"/etc/systemd/user", BASE_NONE, true, DIR_ETC_USER},
        {"supd/units", BASE_RUNTIME, false, DIR_RUNTIME | DIR_VOLATILE},
        {"systemd/user", BASE_RUNTIME, true, DIR_RUNTIME | DIR_VOLATILE},
        {"/run/systemd/user", BASE_NONE, true, DIR_VOLATILE},
        {"generator", BASE_GENERATED, false, DIR_GENERATED | DIR_VOLATILE},
        {"systemd/generator", BASE_RUNTIME, true, DIR_GENERATED | DIR_VOLATILE},
        {"supd/units", BASE_DATA, false, DIR_VENDOR},
        {"systemd/user", BASE_DATA, true, DIR_VENDOR},
        {"/usr/local/lib/supd/user-units", BASE_NONE, false, DIR_VENDOR},
        {"/usr/lib/supd/user-units", BASE_NONE, false, DIR_VENDOR},
        {"/usr/local/share/systemd/user", BASE_NONE, true, DIR_VENDOR},
        {"/usr/share/systemd/user", BASE_NONE, true, DIR_VENDOR},
        {"/usr/local/lib/systemd/user", BASE_NONE, true, DIR_VENDOR},
        {"/usr/lib/systemd/user", BASE_NONE, true, DIR_VENDOR},
        {"generator.late", BASE_GENERATED, false, DIR_GENERATED | DIR_VOLATILE},
        {"systemd/generator.late", BASE_RUNTIME, true, DIR_GENERATED | DIR_VOLATILE},
};

static const char *const system_presets[] = {"/etc/systemd/system-preset",           "/run/systemd/system-preset",
                                             "/usr/local/lib/systemd/system-preset", "/usr/lib/systemd/system-preset",
                                             "/lib/systemd/system-preset",           NULL};
static const char *const user_presets[] = {"/etc/systemd/user-preset", "/run/systemd/user-preset",
                                           "/usr/local/lib/systemd/user-preset", "/usr/lib/systemd/user-preset", NULL};

static int dir_add(struct install_where *w, const char *path, unsigned kind)
{
        char *copy = path_join(&w->arena, w->root, path);

        if (w->n_dirs >= N_DIRS_MAX)
                return -E2BIG;
        if (!copy)
                return -ENOMEM;
        w->dirs[w->n_dirs++] = (struct install_dir){copy, kind};
        return 0;
}

/* What a user's rows are below; NULL when the environment does not say. */
static const char *base_path(struct install_where *w, const struct install_place *place, enum base base)
{
        static const char *const variables[] = {
                [BASE_CONFIG] = "XDG_CONFIG_HOME", [BASE_RUNTIME] = "XDG_RUNTIME_DIR", [BASE_DATA] = "XDG_DATA_HOME"};
        static const char *const below_home[] = {
                [BASE_CONFIG] = ".config", [BASE_RUNTIME] = NULL, [BASE_DATA] = ".local/share"};
        const char *value, *home = getenv("HOME");

        if (base == BASE_GENERATED)
                return place->generated;
        value = getenv(variables[base]);
        if (value && *value == '/')
                return value;
        if (!home || *home != '/' || !below_home[base])
                return NULL;
        return path_join(&w->arena, home, below_home[base]);
}

static int rows_add(struct install_where *w, const struct install_place *place, const struct dir_row *rows, size_t n)
{
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++) {
                const char *base, *path = rows[i].path;

                if (rows[i].systemd && !place->systemd_units)
                        continue;
                if (rows[i].base != BASE_NONE) {
                        base = base_path(w, place, rows[i].base);
                        if (!base)
                                continue;
                        path = path_join(&w->arena, base, path);
                }
                r = path ? dir_add(w, path, rows[i].kind) : -ENOMEM;
        }
        return r;
}

/* The directories of $SUPD_UNIT_PATH; *ret_go_on: the usual ones follow. */
static int unit_path_add(struct install_where *w, const char *list, bool *ret_go_on)
{
        size_t n = list ? strlen(list) : 0;
        unsigned kind;
        int r = 0;

        *ret_go_on = n == 0 || list[n - 1] == ':';
        kind = *ret_go_on ? 0 : DIR_PERSISTENT;
        while (n > 0 && *list && r >= 0) {
                size_t size = strcspn(list, ":");
                char *dir = arena_strndup(&w->arena, list, size);

                if (!dir)
                        return -ENOMEM;
                if (size > 0) {
                        r = dir_add(w, dir, kind);
                        kind = 0;
                }
                list += size + (list[size] == ':');
        }
        return r;
}

/* Links are made where systemd makes them, so that both see the same; where its directories do not count, in ours. */
static void choose_config(struct install_where *w, bool systemd_units)
{
        for (unsigned i = 0; i < w->n_dirs; i++) {
                bool ours = strstr(w->dirs[i].path + strlen(w->root), "/supd/") != NULL;

                if (ours && systemd_units)
                        w->dirs[i].kind &= ~(unsigned)(DIR_PERSISTENT | DIR_RUNTIME);
                if ((w->dirs[i].kind & DIR_PERSISTENT) && !w->persistent)
                        w->persistent = w->dirs[i].path;
                else
                        w->dirs[i].kind &= ~(unsigned)DIR_PERSISTENT;
                if ((w->dirs[i].kind & DIR_RUNTIME) && !w->runtime)
                        w->runtime = w->dirs[i].path;
                else
                        w->dirs[i].kind &= ~(unsigned)DIR_RUNTIME;
        }
        if (!w->runtime)
                w->runtime = w->persistent;
}

static int root_set(struct install_where *w, const char *root)
{
        size_t n = root ? strlen(root) : 0;

        while (n > 0 && root[n - 1] == '/')
                n--;
        w->root = arena_strndup(&w->arena, root ? root : "", n);
        return w->root ? 0 : -ENOMEM;
}

void install_place_parse(const char *text, struct install_place *ret)
{
        const char *colon = strchr(text, ':');

        *ret = (struct install_place){.scope = starts_with(text, "user-") ? INSTALL_USER : INSTALL_SYSTEM};
        ret->systemd_units = starts_with(text, "systemd:") || starts_with(text, "user-systemd:");
        ret->unit_path = colon && colon[1] ? colon + 1 : NULL;
}

int install_where_init(struct install_where *ret, const struct install_place *place)
{
        static const struct {
                const struct dir_row *rows;
                size_t n;
                const char *const *presets;
        } scopes[] = {[INSTALL_SYSTEM] = {system_rows, ARRAY_SIZE(system_rows), system_presets},
                      [INSTALL_GLOBAL] = {global_rows, ARRAY_SIZE(global_rows), user_presets},
                      [INSTALL_USER] = {user_rows, ARRAY_SIZE(user_rows), user_presets}};
        struct install_where w = {.scope = place->scope, .preset_dirs = scopes[place->scope].presets};
        bool go_on = true;
        int r = root_set(&w, place->root);

        w.dirs = arena_alloc(&w.arena, N_DIRS_MAX * sizeof(*w.dirs));
        if (r >= 0)
                r = w.dirs ? unit_path_add(&w, place->unit_path, &go_on) : -ENOMEM;
        if (r >= 0 && go_on)
                r = rows_add(&w, place, scopes[place->scope].rows, scopes[place->scope].n);
        if (r >= 0) {
                choose_config(&w, go_on && place->systemd_units);
                r = w.persistent ? 0 : -ENXIO;
        }
        if (r < 0) {
                install_where_done(&w);
                return r;
        }
        *ret = w;
        return 0;
}

int install_where_of(const char *runtime_dir, struct install_where *ret)
{
        char path[PATH_MAX], text[PATH_MAX];
        struct install_place place;
        ssize_t n;

        if (snprintf(path, sizeof(path), "%s/units", runtime_dir) >= (int)sizeof(path))
                return -ENAMETOOLONG;
        n = readlink(path, text, sizeof(text) - 1);
        if (n <= 0)
                return -ENOENT;
        text[n] = 0;
        install_place_parse(text, &place);
        place.generated = runtime_dir;
        return install_where_init(ret, &place);
}

void install_where_done(struct install_where *w)
{
        arena_done(&w->arena);
        *w = (struct install_where){0};
}

unsigned where_kind(const struct install_where *w, const char *dir)
{
        for (unsigned i = 0; i < w->n_dirs; i++)
                if (streq(w->dirs[i].path, dir))
                        return w->dirs[i].kind | 1u << 31;
        return 0;
}

unsigned where_kind_of_file(const struct install_where *w, const char *path)
{
        size_t n = (size_t)(path_base(path) - path);

        for (unsigned i = 0; n > 0 && i < w->n_dirs; i++)
                if (strlen(w->dirs[i].path) == n - 1 && memcmp(w->dirs[i].path, path, n - 1) == 0)
                        return w->dirs[i].kind | 1u << 31;
        return 0;
}

bool where_is_volatile(const struct install_where *w, const char *dir)
{
        return (where_kind(w, dir) & DIR_VOLATILE) || starts_with(path_below(w->root, dir), "/run/");
}

const char *where_config(const struct install_where *w, unsigned flags)
{
        return flags & INSTALL_RUNTIME ? w->runtime : w->persistent;
}
