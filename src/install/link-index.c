/* SPDX-License-Identifier: MIT
 * All links of the search path, found by the names of the units they can enable: each directory is read once, however
 * many units are asked about. See internal.h.
 */
#include "install/internal.h"

#include <sys/stat.h>

enum { BUCKETS_MIN = 64 };

struct entry { /* one name that a link goes by */
        struct entry *next;
        const char *name;
        uint32_t hash;
        const struct indexed_link *first;
        const struct indexed_link **last;
};

struct install_index {
        struct arena arena;
        int *errors; /* of each directory of the search path: 0, or why it could not be read whole */
        struct entry **buckets;
        uint32_t n_buckets, n_entries;
};

static uint32_t hash_of(const char *s)
{
        uint32_t h = 2166136261u; /* FNV-1a */

        while (*s)
                h = (h ^ (uint8_t)*s++) * 16777619u;
        return h;
}

static struct entry *entry_find(const struct install_index *x, const char *name, uint32_t hash)
{
        struct entry *e = x->buckets[hash & (x->n_buckets - 1)];

        while (e && !(e->hash == hash && streq(e->name, name)))
                e = e->next;
        return e;
}

static int grow(struct install_index *x)
{
        uint32_t n = x->n_buckets * 2;
        struct entry **v = arena_alloc(&x->arena, n * sizeof(struct entry *));

        if (!v)
                return -ENOMEM;
        memset(v, 0, n * sizeof(struct entry *));
        for (uint32_t i = 0; i < x->n_buckets; i++)
                for (struct entry *e = x->buckets[i], *next; e; e = next) {
                        next = e->next;
                        e->next = v[e->hash & (n - 1)];
                        v[e->hash & (n - 1)] = e;
                }
        x->buckets = v;
        x->n_buckets = n;
        return 0;
}

/* LINK can enable what is called NAME. */
static int add_under(struct install_index *x, const char *name, const struct indexed_link *link)
{
        uint32_t hash = hash_of(name);
        struct entry *e = entry_find(x, name, hash);
        struct indexed_link *copy;

        if (!e && x->n_entries >= x->n_buckets && grow(x) < 0)
                return -ENOMEM;
        copy = arena_alloc(&x->arena, sizeof(*copy));
        if (!copy)
                return -ENOMEM;
        *copy = *link;
        copy->next = NULL;
        if (!e) {
                e = arena_alloc(&x->arena, sizeof(*e));
                if (!e)
                        return -ENOMEM;
                *e = (struct entry){x->buckets[hash & (x->n_buckets - 1)], arena_strdup(&x->arena, name), hash, NULL,
                                    &e->first};
                if (!e->name)
                        return -ENOMEM;
                x->buckets[hash & (x->n_buckets - 1)] = e;
                x->n_entries++;
        }
        *e->last = copy;
        e->last = &copy->next;
        return 0;
}

static int add_link(struct install_index *x, struct indexed_link *link, const char *dir)
{
        char template_name[UNIT_NAME_MAX + 1];
        const char *target;
        int r;

        link->path = path_join(&x->arena, dir, link->name);
        r = link->path ? link_read(&x->arena, link->path, &link->target) : -ENOMEM;
        if (r < 0 || !link->target)
                return r == -ENOENT ? 0 : r;
        r = add_under(x, link->name, link);
        if (r >= 0 && link->on_target && unit_name_is_instance(link->name) &&
            unit_name_template(link->name, template_name) >= 0)
                r = add_under(x, template_name, link);
        target = path_base(link->target);
        if (r >= 0 && !link->on_target && !streq(target, link->name))
                r = add_under(x, target, link);
        return r;
}

static int add_all(struct install_index *x, struct indexed_link *common, const char *dir, const struct list *names)
{
        int r = 0;

        for (unsigned i = 0; r >= 0 && i < names->n; i++) {
                struct indexed_link link = *common;

                link.name = names->v[i];
                r = add_link(x, &link, dir);
        }
        return r;
}

static bool is_dependency_dir(const char *name)
{
        return ends_with(name, ".wants") || ends_with(name, ".requires") || ends_with(name, ".upholds");
}

/* The links on targets first, as those that count for most units. */
static int read_directory(struct install_index *x, const char *path, unsigned at)
{
        struct indexed_link common = {.at = at, .on_target = true};
        struct list names, below;
        int r = directory_links(&x->arena, path, &names);

        for (unsigned i = 0; r >= 0 && i < names.n; i++) {
                char *dir;
                struct stat st;

                if (!is_dependency_dir(names.v[i]))
                        continue;
                dir = path_join(&x->arena, path, names.v[i]);
                if (!dir)
                        return -ENOMEM;
                if (lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
                        continue;
                r = directory_links(&x->arena, dir, &below);
                if (r >= 0)
                        r = add_all(x, &common, dir, &below);
        }
        common.on_target = false;
        return r < 0 ? r : add_all(x, &common, path, &names);
}

int install_index_read(const struct install_where *w, struct install_index **ret)
{
        struct install_index *x = calloc(1, sizeof(*x));

        if (!x)
                return -ENOMEM;
        x->n_buckets = BUCKETS_MIN;
        x->buckets = arena_alloc(&x->arena, x->n_buckets * sizeof(struct entry *));
        x->errors = arena_alloc(&x->arena, MAX2(w->n_dirs, 1u) * sizeof(int));
        if (!x->buckets || !x->errors) {
                install_index_free(x);
                return -ENOMEM;
        }
        memset(x->buckets, 0, x->n_buckets * sizeof(struct entry *));
        for (unsigned i = 0; i < w->n_dirs; i++)
                x->errors[i] = read_directory(x, w->dirs[i].path, i);
        *ret = x;
        return 0;
}

void install_index_free(struct install_index *x)
{
        if (!x)
                return;
        arena_done(&x->arena);
        free(x);
}

const struct indexed_link *link_index_find(const struct install_index *x, const char *name)
{
        const struct entry *e = entry_find(x, name, hash_of(name));

        return e ? e->first : NULL;
}

int link_index_error(const struct install_index *x, unsigned at)
{
        return x->errors[at];
}
