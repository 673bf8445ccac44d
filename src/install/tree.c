/* SPDX-License-Identifier: MIT
 * Paths, lists and links below a root directory that is not this process's own. See internal.h.
 */
#include "install/internal.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum { LINKS_MAX = 32 };

int list_add(struct arena *a, struct list *l, const char *s)
{
        char *copy = arena_strdup(a, s);

        if (!copy)
                return -ENOMEM;
        if (l->n == l->allocated) {
                unsigned n = l->allocated ? l->allocated * 2 : 4;
                char **v = arena_alloc(a, n * sizeof(char *));

                if (!v)
                        return -ENOMEM;
                if (l->n > 0)
                        memcpy(v, l->v, l->n * sizeof(char *));
                l->v = v;
                l->allocated = n;
        }
        l->v[l->n++] = copy;
        return 0;
}

bool list_has(const struct list *l, const char *s)
{
        for (unsigned i = 0; i < l->n; i++)
                if (streq(l->v[i], s))
                        return true;
        return false;
}

int list_add_once(struct arena *a, struct list *l, const char *s)
{
        int r = list_has(l, s) ? 0 : list_add(a, l, s);

        return r < 0 ? r : 1;
}

char *path_join(struct arena *a, const char *dir, const char *name)
{
        size_t n = strlen(dir), m = strlen(name);
        char *s;

        while (n > 0 && dir[n - 1] == '/')
                n--;
        while (m > 0 && *name == '/')
                name++, m--;
        s = arena_alloc(a, n + m + 2);
        if (s) {
                memcpy(s, dir, n);
                s[n] = '/';
                memcpy(s + n + 1, name, m);
        }
        return s;
}

const char *path_base(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

char *path_dir(struct arena *a, const char *path)
{
        const char *slash = strrchr(path, '/');

        while (slash && slash > path && slash[-1] == '/')
                slash--;
        return arena_strndup(a, slash == path ? "/" : path, slash == path ? 1 : slash ? (size_t)(slash - path) : 0);
}

const char *path_below(const char *root, const char *path)
{
        size_t n = strlen(root);

        return strncmp(path, root, n) == 0 && path[n] == '/' ? path + n : path;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static void close_dir_p(DIR **d)
{
        if (*d)
                (void)closedir(*d);
}

static int names_of(struct arena *a, const char *path, bool but_files, struct list *ret)
{
        cleanup_(close_dir_p) DIR *d = opendir(path);
        struct list l = {0};
        struct dirent *de;

        if (!d)
                return errno == ENOENT || errno == ENOTDIR ? (*ret = l, 0) : -errno;
        while (errno = 0, (de = readdir(d)))
                if (!(but_files && de->d_type == DT_REG) && !streq(de->d_name, ".") && !streq(de->d_name, "..") &&
                    list_add(a, &l, de->d_name) < 0)
                        return -ENOMEM;
        if (errno != 0)
                return -errno;
        if (l.n > 1)
                qsort(l.v, l.n, sizeof(char *), compare_names);
        *ret = l;
        return 0;
}

int directory_names(struct arena *a, const char *path, struct list *ret)
{
        return names_of(a, path, false, ret);
}

int directory_links(struct arena *a, const char *path, struct list *ret)
{
        return names_of(a, path, true, ret);
}

int link_read(struct arena *a, const char *path, char **ret)
{
        char text[PATH_MAX];
        ssize_t n = readlink(path, text, sizeof(text) - 1);

        *ret = NULL;
        if (n < 0)
                return errno == EINVAL ? 0 : -errno;
        *ret = arena_strndup(a, text, (size_t)n);
        return *ret ? 0 : -ENOMEM;
}

/* One step: REST is what is still to walk, DONE the way so far (no links in it). */
struct walk {
        struct arena *arena;
        const char *root;
        struct buf done;
        char *rest;
        unsigned links;
        bool missing;
};

static void walk_up(struct walk *k)
{
        size_t n = strlen(k->root);

        while (k->done.size > n && k->done.data[--k->done.size] != '/')
                ;
        if (k->done.data)
                k->done.data[k->done.size] = 0;
}

static int walk_link(struct walk *k, const char *target, size_t before)
{
        k->done.size = before;
        k->done.data[before] = 0;
        if (++k->links > LINKS_MAX)
                return -ELOOP;
        if (*target == '/') {
                buf_reset(&k->done);
                if (buf_append_str(&k->done, k->root) < 0)
                        return -ENOMEM;
        }
        k->rest = path_join(k->arena, target, k->rest); /* a leading slash is lost on the way, none is needed */
        return k->rest ? 0 : -ENOMEM;
}

static int walk_step(struct walk *k)
{
        size_t n, before = k->done.size;
        const char *at;
        char *target;
        int r;

        while (*k->rest == '/')
                k->rest++;
        at = k->rest;
        n = strcspn(at, "/");
        if (n == 0)
                return 0;
        k->rest += n;
        if (n == 1 && at[0] == '.')
                return 1;
        if (n == 2 && at[0] == '.' && at[1] == '.') {
                walk_up(k);
                return 1;
        }
        if (buf_append_char(&k->done, '/') < 0 || buf_append(&k->done, at, n) < 0)
                return -ENOMEM;
        r = link_read(k->arena, buf_str(&k->done), &target);
        if (r == -ENOENT && k->missing)
                return 1;
        if (r < 0)
                return r;
        r = target ? walk_link(k, target, before) : 0;
        return r < 0 ? r : 1;
}

int path_chase(struct arena *a, const char *root, const char *path, bool missing, char **ret)
{
        cleanup_buf_ struct buf done = {0};
        struct walk k = {.arena = a, .root = root, .missing = missing};
        int r;

        k.rest = arena_strdup(a, path_below(root, path));
        r = k.rest ? buf_append_str(&k.done, root) : -ENOMEM;
        while (r >= 0 && (r = walk_step(&k)) > 0)
                ;
        done = k.done;
        if (r < 0)
                return r;
        *ret = arena_strdup(a, done.size > 0 ? buf_str(&done) : "/");
        return *ret ? 0 : -ENOMEM;
}
