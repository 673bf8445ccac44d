/* SPDX-License-Identifier: MIT
 * mask, unmask, link, revert and the default target: operations on a unit's own file in the configuration directory.
 * See install.h.
 */
#include "install/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int install_mask(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                 struct install_changes *d)
{
        cleanup_(operation_done) struct operation o = {0};
        int r = 0;

        operation_begin(&o, w, d);
        for (unsigned i = 0; i < n; i++) {
                char *path;
                int q;

                if (!unit_name_valid(names[i])) {
                        r = r < 0 ? r : -EINVAL;
                        continue;
                }
                path = path_join(&o.arena, where_config(w, flags), names[i]);
                q = path ? link_create(&o, "/dev/null", path, flags & INSTALL_FORCE) : -ENOMEM;
                if (q < 0)
                        r = r < 0 ? r : q;
        }
        return r;
}

/* 1: the file in the way masks the unit. */
static int masks(struct operation *o, const char *path)
{
        struct stat st;
        char *target;
        int r = path_chase(&o->arena, o->where->root, path, false, &target);

        if (r == -ENOENT && link_read(&o->arena, path, &target) >= 0 && target && streq(target, "/dev/null"))
                return 1; /* below a root that has no devices */
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        if (streq(path_below(o->where->root, target), "/dev/null"))
                return 1;
        if (stat(target, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        return S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) || (S_ISREG(st.st_mode) && st.st_size == 0);
}

static int remove_mask(struct operation *o, const char *path, struct list *gone)
{
        int r;

        if (unlink(path) < 0)
                return errno == ENOENT ? 0 : change_error(o->changes, -errno, path, NULL);
        r = change_add(o->changes, INSTALL_UNLINK, 0, path, NULL);
        return r < 0 ? r : list_add_once(&o->arena, gone, path_below(o->where->root, path));
}

int install_unmask(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                   struct install_changes *d)
{
        cleanup_(operation_done) struct operation o = {0};
        struct list found = {0}, gone = {0};
        int r = 0, q;

        operation_begin(&o, w, d);
        for (unsigned i = 0; i < n; i++) {
                char *path;

                if (!unit_name_valid(names[i]))
                        return -EINVAL;
                path = path_join(&o.arena, where_config(w, flags), names[i]);
                r = path ? masks(&o, path) : -ENOMEM;
                if (r > 0)
                        r = list_add_once(&o.arena, &found, path);
                if (r < 0)
                        return r;
        }
        for (unsigned i = 0; i < found.n; i++) {
                q = remove_mask(&o, found.v[i], &gone);
                r = r < 0 ? r : q;
        }
        q = links_remove(&o, &gone, where_config(w, flags));
        return r < 0 ? r : q;
}

/* May PATH be linked? 1, 0 (it need not), or negative errno. */
static int check_linkable(struct operation *o, const char *path)
{
        struct stat st;
        char *full;

        if (*path != '/')
                return -EINVAL;
        if (!unit_name_valid(path_base(path)))
                return change_error(o->changes, -EUCLEAN, path, NULL);
        full = path_join(&o->arena, o->where->root, path);
        if (!full)
                return -ENOMEM;
        if (lstat(full, &st) < 0)
                return change_error(o->changes, -errno, path, NULL);
        if (S_ISLNK(st.st_mode))
                return change_error(o->changes, -ELOOP, path, NULL);
        if (S_ISDIR(st.st_mode))
                return change_error(o->changes, -EISDIR, path, NULL);
        if (!S_ISREG(st.st_mode))
                return change_error(o->changes, -EBADFD, path, NULL);
        if (where_kind_of_file(o->where, path)) /* not below a root, as systemd has it */
                return change_error(o->changes, -ETXTBSY, path, NULL);
        return 1;
}

int install_link(const struct install_where *w, unsigned flags, const char *const *paths, unsigned n,
                 struct install_changes *d)
{
        cleanup_(operation_done) struct operation o = {0};
        int r = 0;

        operation_begin(&o, w, d);
        for (unsigned i = 0; i < n && r >= 0; i++)
                r = check_linkable(&o, paths[i]);
        if (r < 0)
                return r;
        r = 0;
        for (unsigned i = 0; i < n; i++) {
                char *path = path_join(&o.arena, where_config(w, flags), path_base(paths[i]));
                int q = path ? link_create(&o, paths[i], path, flags & INSTALL_FORCE) : -ENOMEM;

                if (q < 0)
                        r = r < 0 ? r : q;
        }
        return r;
}

/* ---- revert ---- */

static bool may_revert(unsigned kind)
{
        return kind & (DIR_PERSISTENT | DIR_RUNTIME | DIR_CONTROL | DIR_TRANSIENT);
}

static int plan_revert(struct operation *o, const char *name, struct list *doomed)
{
        const struct install_where *w = o->where;
        char dropins[UNIT_NAME_MAX + 8];
        bool vendor = false;
        struct stat st;
        int r = 0;

        (void)snprintf(dropins, sizeof(dropins), "%s.d", name);
        for (unsigned i = 0; i < w->n_dirs && r >= 0; i++) {
                char *path = path_join(&o->arena, w->dirs[i].path, name);
                char *dir = path_join(&o->arena, w->dirs[i].path, dropins);

                if (!path || !dir)
                        return -ENOMEM;
                if (lstat(path, &st) >= 0 && S_ISREG(st.st_mode) && (w->dirs[i].kind & (DIR_VENDOR | DIR_GENERATED)))
                        vendor = true;
                if (may_revert(w->dirs[i].kind) && lstat(dir, &st) >= 0 && S_ISDIR(st.st_mode))
                        r = list_add_once(&o->arena, doomed, dir);
        }
        for (unsigned i = 0; vendor && i < w->n_dirs && r >= 0; i++) {
                char *path = path_join(&o->arena, w->dirs[i].path, name);

                if (!path)
                        return -ENOMEM;
                if ((w->dirs[i].kind & (DIR_PERSISTENT | DIR_RUNTIME)) && lstat(path, &st) >= 0 &&
                    (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
                        r = list_add_once(&o->arena, doomed, path);
        }
        return r;
}

/* A file, or a directory with what is in it; links are removed, never followed. */
static int remove_tree(struct operation *o, const char *path, unsigned depth)
{
        struct list names;
        int r = 0;

        if (unlink(path) >= 0)
                return change_add(o->changes, INSTALL_UNLINK, 0, path, NULL);
        if (errno != EISDIR && errno != EPERM)
                return -errno;
        if (depth > 16)
                return -ELOOP;
        r = directory_names(&o->arena, path, &names);
        for (unsigned i = 0; r >= 0 && i < names.n; i++) {
                char *child = path_join(&o->arena, path, names.v[i]);

                r = child ? remove_tree(o, child, depth + 1) : -ENOMEM;
        }
        if (r >= 0 && rmdir(path) < 0)
                r = -errno;
        return r < 0 ? r : change_add(o->changes, INSTALL_UNLINK, 0, path, NULL);
}

int install_revert(const struct install_where *w, const char *const *names, unsigned n, struct install_changes *d)
{
        cleanup_(operation_done) struct operation o = {0};
        struct list doomed = {0}, gone = {0};
        int r = 0, q;

        operation_begin(&o, w, d);
        for (unsigned i = 0; i < n && r >= 0; i++)
                r = unit_name_valid(names[i]) ? plan_revert(&o, names[i], &doomed) : -EINVAL;
        for (unsigned i = 0; i < doomed.n && r >= 0; i++) {
                r = remove_tree(&o, doomed.v[i], 0);
                if (r == -ENOENT) {
                        r = 0;
                        continue;
                }
                if (r < 0)
                        return change_error(d, r, doomed.v[i], NULL);
                r = list_add_once(&o.arena, &gone, path_below(w->root, doomed.v[i]));
        }
        if (r < 0)
                return r;
        r = links_remove(&o, &gone, w->runtime);
        q = links_remove(&o, &gone, w->persistent);
        return r < 0 ? r : q;
}

/* ---- the default target ---- */

int install_set_default(const struct install_where *w, unsigned flags, const char *name, struct install_changes *d)
{
        cleanup_(operation_done) struct operation o = {0};
        struct unit_file *f;
        char *path;
        int r;

        if (!unit_name_valid(name) || !ends_with(name, ".target") || streq(name, "default.target"))
                return -EINVAL;
        operation_begin(&o, w, d);
        r = unit_file_discover_usable(&o, name, 0, &f);
        if (r < 0)
                return r;
        path = path_join(&o.arena, w->persistent, "default.target");
        return path ? link_create(&o, f->path, path, flags & INSTALL_FORCE) : -ENOMEM;
}

int install_get_default(const struct install_where *w, char ret[static 256])
{
        cleanup_(operation_done) struct operation o = {0};
        struct unit_file *f;
        int r;

        operation_begin(&o, w, NULL);
        r = unit_file_discover(&o, "default.target", SEARCH_FOLLOW_CONFIG, &f);
        if (r < 0)
                return r;
        (void)snprintf(ret, 256, "%s", f->name);
        return 0;
}
