/* SPDX-License-Identifier: MIT
 * Making and removing links. A new link is one symlink(2); one that leads elsewhere is replaced by rename(2) of a new
 * one, so that there is no instant without any. See internal.h.
 */
#include "install/internal.h"

#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

static int make_parents(struct operation *o, const char *path)
{
        for (const char *p = path + 1; (p = strchr(p, '/')); p++) {
                char *dir = arena_strndup(&o->arena, path, (size_t)(p - path));

                if (!dir)
                        return -ENOMEM;
                if (mkdir(dir, 0755) < 0 && errno != EEXIST)
                        return -errno;
        }
        return 0;
}

static void remove_empty_parents(struct operation *o, const char *path, const char *stop)
{
        for (;;) {
                path = path_dir(&o->arena, path);
                if (!path || !starts_with(path, stop) || streq(path, stop) || rmdir(path) < 0)
                        return;
        }
}

static int symlink_replace(struct operation *o, const char *target, const char *path)
{
        unsigned long number = 0;
        char name[64], *dir = path_dir(&o->arena, path), *temporary;

        for (int i = 0; i < 8; i++) {
                (void)getrandom(&number, sizeof(number), GRND_NONBLOCK);
                (void)snprintf(name, sizeof(name), ".#supd%lx", number + (unsigned)i);
                temporary = dir ? path_join(&o->arena, dir, name) : NULL;
                if (!temporary)
                        return -ENOMEM;
                if (symlink(target, temporary) < 0) {
                        if (errno == EEXIST)
                                continue;
                        return -errno;
                }
                if (rename(temporary, path) < 0) {
                        int r = -errno;

                        (void)unlink(temporary);
                        return r;
                }
                return 0;
        }
        return -EEXIST;
}

/* Are both ways to the same unit? */
static bool leads_to_same(struct operation *o, const char *link, const char *a, const char *b)
{
        const char *root = o->where->root;
        char *x, *y, *p, *q;

        if (streq(a, b))
                return true;
        x = *a == '/' ? path_join(&o->arena, root, a) : path_join(&o->arena, path_dir(&o->arena, link), a);
        y = path_join(&o->arena, root, b);
        if (!x || !y)
                return false;
        if (path_chase(&o->arena, root, x, false, &p) >= 0 && path_chase(&o->arena, root, y, false, &q) >= 0 &&
            streq(p, q))
                return true;
        if (path_chase(&o->arena, root, x, true, &x) < 0 || path_chase(&o->arena, root, y, true, &y) < 0)
                return false;
        return streq(path_base(x), path_base(y)) && where_kind_of_file(o->where, x) && where_kind_of_file(o->where, y);
}

int link_create(struct operation *o, const char *old_path, const char *new_path, bool force)
{
        struct install_changes *d = o->changes;
        char *present;
        int r;

        old_path = path_below(o->where->root, old_path);
        r = make_parents(o, new_path);
        if (r < 0)
                return change_error(d, r, new_path, NULL);
        if (symlink(old_path, new_path) >= 0)
                return (r = change_add(d, INSTALL_SYMLINK, 0, new_path, old_path)) < 0 ? r : 1;
        if (errno != EEXIST)
                return change_error(d, -errno, new_path, NULL);
        r = link_read(&o->arena, new_path, &present);
        if (r < 0)
                return change_error(d, r, new_path, NULL);
        if (!present)
                return change_error(d, -EEXIST, new_path, NULL);
        if (leads_to_same(o, new_path, present, old_path))
                return 1;
        if (!force)
                return change_error(d, -EEXIST, new_path, present);
        r = symlink_replace(o, old_path, new_path);
        if (r < 0)
                return change_error(d, r, new_path, NULL);
        r = change_add(d, INSTALL_UNLINK, 0, new_path, NULL);
        if (r >= 0)
                r = change_add(d, INSTALL_SYMLINK, 0, new_path, old_path);
        return r < 0 ? r : 1;
}

/* ---- removal ---- */

struct removal {
        struct operation *operation;
        struct list *names;
        const char *top;
        bool again; /* a new name came up: what was passed over may count now */
        int error;
};

static bool is_named(const struct removal *k, const char *name)
{
        char template_name[UNIT_NAME_MAX + 1];

        if (list_has(k->names, name))
                return true;
        return unit_name_is_instance(name) && unit_name_template(name, template_name) >= 0 &&
               list_has(k->names, template_name);
}

static bool is_target(const struct removal *k, const char *target)
{
        return list_has(k->names, target) || list_has(k->names, path_base(target));
}

static int remove_link(struct removal *k, const char *path)
{
        struct operation *o = k->operation;
        const char *below = path_below(o->where->root, path);
        int r;

        if (unlink(path) < 0 && errno != ENOENT)
                return change_error(o->changes, -errno, path, NULL);
        remove_empty_parents(o, path, k->top);
        r = change_add(o->changes, INSTALL_UNLINK, 0, path, NULL);
        if (r < 0)
                return r;
        if (!list_has(k->names, below))
                k->again = true;
        return list_add_once(&o->arena, k->names, below);
}

static int remove_below(struct removal *k, const char *dir, unsigned depth)
{
        struct operation *o = k->operation;
        struct list names;
        int r = directory_names(&o->arena, dir, &names);

        for (unsigned i = 0; r >= 0 && i < names.n; i++) {
                char *path = path_join(&o->arena, dir, names.v[i]), *target;
                struct stat st;
                int q = 0;

                if (!path)
                        return -ENOMEM;
                if (lstat(path, &st) < 0)
                        continue;
                if (S_ISDIR(st.st_mode) && depth < 16)
                        q = remove_below(k, path, depth + 1);
                else if (S_ISLNK(st.st_mode) && unit_name_valid(names.v[i])) {
                        if (is_named(k, names.v[i]))
                                q = remove_link(k, path);
                        else if ((q = path_chase(&o->arena, o->where->root, path, true, &target)) < 0)
                                q = change_error(o->changes, q, path, NULL);
                        else if (is_target(k, target))
                                q = remove_link(k, path);
                }
                if (q < 0 && k->error == 0)
                        k->error = q;
        }
        return r;
}

int links_remove(struct operation *o, struct list *names, const char *dir)
{
        struct removal k = {.operation = o, .names = names, .top = dir};
        int r;

        if (names->n == 0)
                return 0;
        do {
                k.again = false;
                r = remove_below(&k, dir, 0);
        } while (r >= 0 && k.again);
        return r < 0 ? r : k.error;
}
