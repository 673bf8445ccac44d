/* SPDX-License-Identifier: MIT
 * The half that reads the disk: which files make up a unit (rules 8-12). See load.h.
 *
 * In passes: which unit is meant by the name (links, templates); which other names it has; its fragment; its drop-ins;
 * its .wants, .requires and .upholds directories. What is found goes into the blob as it is.
 */
#include "unit/blob.h"
#include "unit/builtin.h"
#include "unit/index.h"
#include "unit/names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum {
        FILE_SIZE_MAX = 1024 * 1024,
        BLOB_SIZE_MAX = 16 * 1024 * 1024,
        LINKS_MAX = 16,
        NAMES_MAX = 256, /* names of one unit */
};

struct list { /* of strings in the arena */
        char **v;
        unsigned n, allocated;
};

struct gather {
        const struct unit_paths *paths;
        const struct unit_index *index;
        struct diag *diag;
        struct arena arena;
        struct buf out;
        char id[UNIT_NAME_MAX + 1];
        struct list names; /* the id first */
        enum unit_load_state state;
        struct buf error; /* why state is LOAD_ERROR */
};

static void gather_done(struct gather *g)
{
        arena_done(&g->arena);
        buf_done(&g->out);
        buf_done(&g->error);
}

static bool is_shortage(int r)
{
        return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

static int list_add(struct gather *g, struct list *l, const char *s)
{
        if (l->n == l->allocated) {
                unsigned n = l->allocated ? l->allocated * 2 : 8;
                char **v = arena_alloc(&g->arena, n * sizeof(char *));
                if (!v)
                        return -ENOMEM;
                if (l->n > 0)
                        memcpy(v, l->v, l->n * sizeof(char *));
                l->v = v;
                l->allocated = n;
        }
        l->v[l->n] = arena_strdup(&g->arena, s);
        if (!l->v[l->n])
                return -ENOMEM;
        l->n++;
        return 0;
}

static bool list_has(const struct list *l, const char *s)
{
        for (unsigned i = 0; i < l->n; i++)
                if (streq(l->v[i], s))
                        return true;
        return false;
}

static char *path_join(struct gather *g, const char *a, const char *b, const char *c)
{
        size_t na = strlen(a), nb = strlen(b), nc = c ? strlen(c) + 1 : 0;
        char *p = arena_alloc(&g->arena, na + nb + nc + 2);

        if (p)
                (void)snprintf(p, na + nb + nc + 2, c ? "%s/%s/%s" : "%s/%s", a, b, c);
        return p;
}

/* The unit cannot be used; the first reason is kept. */
static int gather_fail(struct gather *g, const char *path, const char *reason)
{
        diag_add(g->diag, DIAG_ERROR, path, 0, NULL, "%s", reason);
        if (g->state == LOAD_ERROR)
                return 0;
        g->state = LOAD_ERROR;
        return buf_printf(&g->error, "%s: %s", path, reason);
}

/* A name that leads nowhere is as good as none. */
static int gather_miss(struct gather *g, const char *name, const char *reason)
{
        diag_add(g->diag, DIAG_ERROR, name, 0, NULL, "%s", reason);
        (void)snprintf(g->id, sizeof(g->id), "%s", name);
        g->state = LOAD_NOT_FOUND;
        return 0;
}

/* ---- files ---- */

static bool is_null_device(const struct stat *st)
{
        return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static int read_all(int fd, struct buf *text, const char **ret_problem)
{
        for (;;) {
                ssize_t n;

                if (text->size > FILE_SIZE_MAX) {
                        *ret_problem = "file is over 1 MiB";
                        return -EFBIG;
                }
                if (buf_reserve(text, 8192) < 0)
                        return -ENOMEM;
                n = read(fd, text->data + text->size, text->allocated - text->size - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        *ret_problem = strerror(errno);
                        return -EIO;
                }
                if (n == 0)
                        return 0;
                text->size += (size_t)n;
                text->data[text->size] = 0;
        }
}

/* A link to /dev/null masks also where there is no /dev. */
static bool links_to_null(const char *path)
{
        char target[16];
        ssize_t n = readlink(path, target, sizeof(target));

        return n == 9 && memcmp(target, "/dev/null", 9) == 0;
}

/* 1: TEXT holds it; 0: empty or the null device, which masks; -ENOENT: gone or a dangling link; a shortage; or another
 * negative errno with *ret_problem. */
static int read_file(const char *path, struct buf *text, const char **ret_problem)
{
        cleanup_close_ int fd = -1;
        struct stat st;
        int r;

        buf_reset(text);
        if (links_to_null(path))
                return 0;
        if (stat(path, &st) >= 0 && is_null_device(&st))
                return 0;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0) {
                *ret_problem = errno == ELOOP ? "links lead in a circle" : strerror(errno);
                return errno == ENXIO ? -EINVAL : -errno;
        }
        if (!S_ISREG(st.st_mode)) {
                *ret_problem = S_ISDIR(st.st_mode) ? "is a directory" : "is no regular file";
                return -EINVAL;
        }
        r = read_all(fd, text, ret_problem);
        return r < 0 ? r : text->size > 0;
}

/* ---- which unit ---- */

static struct index_entry *find_with_template(const struct gather *g, const char *name, bool *ret_template)
{
        char template_name[UNIT_NAME_MAX + 1];
        struct index_entry *e = index_find(g->index, name);

        *ret_template = false;
        if (e || !unit_name_is_instance(name) || unit_name_template(name, template_name) < 0)
                return e;
        *ret_template = true;
        return index_find(g->index, template_name);
}

/* Where NAME leads by one link. 1 with the next name, 0 when it is a file or nothing, -EINVAL when the link makes no
 * sense. A link counts when some directory has its target; else it stands for the file behind it. */
static int follow_alias(const struct gather *g, const char *name, char ret[static UNIT_NAME_MAX + 1])
{
        bool by_template;
        const struct index_entry *e = find_with_template(g, name, &by_template);
        const char *target = e ? e->alias : builtin_alias(name);
        bool target_template;
        struct unit_name n;

        if (!target || (e && !index_find(g->index, target) && !builtin_text(target)))
                return 0;
        target_template = unit_name_is_template(target);
        if (unit_name_split(name, &n) < 0 || !streq(strrchr(target, '.'), n.suffix))
                return -EINVAL;
        if (target_template && n.instance && n.instance_size > 0)
                return unit_name_instantiate(target, n.instance, n.instance_size, ret) < 0 ? -EINVAL : 1;
        if (target_template != (n.instance && n.instance_size == 0) || by_template)
                return -EINVAL;
        (void)snprintf(ret, UNIT_NAME_MAX + 1, "%s", target);
        return 1;
}

static int resolve(struct gather *g, const char *name)
{
        char next[UNIT_NAME_MAX + 1];

        (void)snprintf(g->id, sizeof(g->id), "%s", name);
        for (int i = 0; i < LINKS_MAX; i++) {
                int r = follow_alias(g, g->id, next);
                if (r == 0)
                        return 0;
                if (r < 0)
                        return gather_miss(g, name,
                                           "is or leads to a link to a unit of another kind, which is left out");
                memcpy(g->id, next, sizeof(g->id));
        }
        return gather_miss(g, name, "links lead in a circle, and are left out");
}

/* Adds the aliases that lead to NAME; INSTANCE is put into those that are templates. */
static int add_aliases_of(struct gather *g, const char *name, const struct unit_name *id)
{
        const struct index_entry *e = index_find(g->index, name);

        for (const struct index_entry *a = e ? e->aliases : NULL; a && g->names.n < NAMES_MAX; a = a->next_alias) {
                char alias[UNIT_NAME_MAX + 1], leads_to[UNIT_NAME_MAX + 1];
                int r;

                (void)snprintf(alias, sizeof(alias), "%s", a->name);
                if (unit_name_is_template(a->name) && id->instance && id->instance_size > 0 &&
                    unit_name_instantiate(a->name, id->instance, id->instance_size, alias) < 0)
                        continue;
                if (list_has(&g->names, alias) || follow_alias(g, alias, leads_to) <= 0 ||
                    !list_has(&g->names, leads_to))
                        continue;
                r = list_add(g, &g->names, alias);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_builtin_aliases(struct gather *g)
{
        const char *name;
        int r = 0;

        for (unsigned i = 0; (name = builtin_alias_name(i)) && r >= 0; i++)
                if (streq(builtin_alias(name), g->id) && !index_find(g->index, name))
                        r = list_add(g, &g->names, name);
        return r;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static int collect_names(struct gather *g)
{
        struct unit_name id;
        int r = unit_name_split(g->id, &id);

        if (r >= 0)
                r = list_add(g, &g->names, g->id);
        if (r >= 0)
                r = add_builtin_aliases(g);
        for (unsigned i = 0; r >= 0 && i < g->names.n; i++) {
                char template_name[UNIT_NAME_MAX + 1];

                r = add_aliases_of(g, g->names.v[i], &id);
                if (r >= 0 && unit_name_is_instance(g->names.v[i]) &&
                    unit_name_template(g->names.v[i], template_name) >= 0)
                        r = add_aliases_of(g, template_name, &id);
        }
        if (r >= 0 && g->names.n > 2)
                qsort(g->names.v + 1, g->names.n - 1, sizeof(char *), compare_names);
        return r;
}

/* ---- fragment ---- */

static int put_file(struct gather *g, enum blob_key key, const char *path, const struct buf *text)
{
        if (g->out.size + text->size > BLOB_SIZE_MAX)
                return gather_fail(g, path, "the files of the unit are over 16 MiB together");
        return blob_put(&g->out, key, path, strlen(path), buf_str(text), text->size);
}

static int put_builtin(struct gather *g)
{
        const char *text = builtin_text(g->id);

        if (!text) {
                g->state = LOAD_NOT_FOUND;
                return 0;
        }
        return blob_put(&g->out, BLOB_BUILT_IN, g->id, strlen(g->id), text, strlen(text));
}

/* 1: taken, 0: look in the next directory. */
static int put_fragment_of(struct gather *g, const char *path)
{
        cleanup_buf_ struct buf text = {0};
        const char *problem = NULL;
        int r = read_file(path, &text, &problem);

        if (is_shortage(r))
                return r;
        if (r == -ENOENT) {
                diag_add(g->diag, DIAG_WARNING, path, 0, "remove the link or restore its target",
                         "dangling link is left out");
                return 0;
        }
        if (r == 0)
                g->state = LOAD_MASKED;
        if (r < 0 && (r = gather_fail(g, path, problem)) < 0)
                return r;
        r = put_file(g, BLOB_FRAGMENT, path, &text);
        return r < 0 ? r : 1;
}

static int put_fragment(struct gather *g)
{
        bool by_template;
        const struct index_entry *e = find_with_template(g, g->id, &by_template);

        for (unsigned i = 0; e && i < g->paths->dirs.n; i++) {
                char *path;
                int r;

                if (!(e->dirs >> i & 1))
                        continue;
                path = path_join(g, g->paths->dirs.v[i], e->name, NULL);
                r = path ? put_fragment_of(g, path) : -ENOMEM;
                if (r != 0)
                        return r < 0 ? r : 0;
        }
        return put_builtin(g);
}

/* ---- directories beside the unit ---- */

struct found { /* a file in one of the directories */
        char *name, *path;
        unsigned rank; /* lower wins among files of one name */
};
struct found_list {
        struct found *v; /* owned */
        size_t n, allocated;
};

static void found_done(struct found_list *l)
{
        free(l->v);
}

static int found_add(struct gather *g, struct found_list *l, const char *dir, const char *name)
{
        if (l->n == l->allocated) {
                size_t n = l->allocated ? l->allocated * 2 : 8;
                struct found *v = reallocarray(l->v, n, sizeof(*v));
                if (!v)
                        return -ENOMEM;
                l->v = v;
                l->allocated = n;
        }
        l->v[l->n] = (struct found){
                .name = arena_strdup(&g->arena, name), .path = path_join(g, dir, name, NULL), .rank = (unsigned)l->n};
        if (!l->v[l->n].name || !l->v[l->n].path)
                return -ENOMEM;
        l->n++;
        return 0;
}

static int compare_found(const void *a, const void *b)
{
        const struct found *x = a, *y = b;
        int r = strcmp(x->name, y->name);

        return r != 0 ? r : (x->rank > y->rank) - (x->rank < y->rank);
}

/* By name; of one name only the first. */
static void found_settle(struct found_list *l)
{
        size_t n = 0;

        if (l->n > 1)
                qsort(l->v, l->n, sizeof(*l->v), compare_found);
        for (size_t i = 0; i < l->n; i++)
                if (n == 0 || !streq(l->v[n - 1].name, l->v[i].name))
                        l->v[n++] = l->v[i];
        l->n = n;
}

static void close_dir_p(DIR **d)
{
        if (*d)
                (void)closedir(*d);
}

static int scan_directory(struct gather *g, struct found_list *l, const char *path, bool conf)
{
        cleanup_(close_dir_p) DIR *d = opendir(path);
        struct dirent *de;

        if (!d) {
                if (is_shortage(-errno))
                        return -errno;
                if (errno == ENOENT || errno == ENOTDIR)
                        return 0;
                return gather_fail(g, path, strerror(errno));
        }
        while (errno = 0, (de = readdir(d))) {
                int r = 0;

                if (conf ? *de->d_name != '.' && ends_with(de->d_name, ".conf") : unit_name_valid(de->d_name))
                        r = found_add(g, l, path, de->d_name);
                if (r < 0)
                        return r;
        }
        return errno != 0 ? gather_fail(g, path, strerror(errno)) : 0;
}

/* The names whose directories count for NAME, the most specific first: "a-b@x.service" gives itself, "a-b@.service",
 * "a-@x.service", "a-@.service", "a-.service" (rule 9). */
static int add_chain(struct gather *g, struct list *chain, const char *name)
{
        struct unit_name n;
        int r = unit_name_split(name, &n);
        size_t size = n.prefix_size;

        while (r >= 0) {
                char text[UNIT_NAME_MAX + 1];

                (void)snprintf(text, sizeof(text), "%.*s%s%.*s%s", (int)size, name, n.instance ? "@" : "",
                               (int)n.instance_size, n.instance ? n.instance : "", n.suffix);
                r = list_add(g, chain, text);
                if (r >= 0 && n.instance_size > 0) {
                        (void)snprintf(text, sizeof(text), "%.*s@%s", (int)size, name, n.suffix);
                        r = list_add(g, chain, text);
                }
                if (r >= 0 && n.instance && size < n.prefix_size) {
                        (void)snprintf(text, sizeof(text), "%.*s%s", (int)size, name, n.suffix);
                        r = list_add(g, chain, text);
                }
                while (size > 0 && name[size - 1] == '-')
                        size--;
                while (size > 0 && name[size - 1] != '-')
                        size--;
                if (size == 0)
                        break;
        }
        return r;
}

static int scan_chain(struct gather *g, struct found_list *l, const struct list *chain, unsigned dir,
                      const char *suffix)
{
        for (unsigned i = 0; i < chain->n; i++) {
                char name[UNIT_NAME_MAX + 16];
                const struct index_entry *e;
                char *path;
                int r;

                (void)snprintf(name, sizeof(name), "%s%s", chain->v[i], suffix);
                e = index_find(g->index, name);
                if (!e || !(e->dirs >> dir & 1))
                        continue;
                path = path_join(g, g->paths->dirs.v[dir], name, NULL);
                r = path ? scan_directory(g, l, path, streq(suffix, ".d")) : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A directory of higher rank wins, in it the more specific name; what goes for the whole type comes last. */
static int scan_beside(struct gather *g, struct found_list *l, const struct list *chain, const struct list *type,
                       const char *suffix)
{
        int r = 0;

        for (unsigned i = 0; i < g->paths->dirs.n && r >= 0; i++)
                r = scan_chain(g, l, chain, i, suffix);
        for (unsigned i = 0; i < g->paths->dirs.n && r >= 0; i++)
                r = scan_chain(g, l, type, i, suffix);
        if (r >= 0)
                found_settle(l);
        return r;
}

static int put_dropins(struct gather *g, const struct found_list *l)
{
        cleanup_buf_ struct buf text = {0};

        for (size_t i = 0; i < l->n; i++) {
                const char *problem = NULL;
                int r = read_file(l->v[i].path, &text, &problem);

                if (is_shortage(r))
                        return r;
                if (r == -ENOENT)
                        diag_add(g->diag, DIAG_WARNING, l->v[i].path, 0, "remove the link or restore its target",
                                 "dangling link is left out");
                else if (r < 0)
                        r = gather_fail(g, l->v[i].path, problem);
                else if (r > 0)
                        r = put_file(g, BLOB_DROPIN, l->v[i].path, &text);
                if (r == -ENOMEM)
                        return r;
        }
        return 0;
}

static int put_links(struct gather *g, enum blob_key key, const struct found_list *l)
{
        struct unit_name id;
        int r = unit_name_split(g->id, &id);

        for (size_t i = 0; i < l->n && r >= 0; i++) {
                const char *name = l->v[i].name;
                char instance[UNIT_NAME_MAX + 1];

                if (links_to_null(l->v[i].path))
                        continue;
                if (unit_name_is_template(name)) {
                        if (!id.instance || unit_name_instantiate(name, id.instance, id.instance_size, instance) < 0) {
                                diag_add(g->diag, DIAG_WARNING, l->v[i].path, 0, "name an instance",
                                         "a template cannot be depended on");
                                continue;
                        }
                        name = instance;
                }
                r = blob_put(&g->out, key, name, strlen(name), l->v[i].path, strlen(l->v[i].path));
        }
        return r;
}

static int put_beside(struct gather *g)
{
        static const struct {
                const char *suffix;
                enum blob_key key;
        } kinds[] = {
                {".d", BLOB_DROPIN}, {".wants", BLOB_WANTS}, {".requires", BLOB_REQUIRES}, {".upholds", BLOB_UPHOLDS}};
        struct list chain = {0}, type = {0};
        int r = list_add(g, &type, strrchr(g->id, '.') + 1);

        for (unsigned i = 0; i < g->names.n && r >= 0; i++)
                r = add_chain(g, &chain, g->names.v[i]);
        for (size_t k = 0; k < ARRAY_SIZE(kinds) && r >= 0; k++) {
                cleanup_(found_done) struct found_list l = {0};

                r = scan_beside(g, &l, &chain, &type, kinds[k].suffix);
                if (r >= 0)
                        r = kinds[k].key == BLOB_DROPIN ? put_dropins(g, &l) : put_links(g, kinds[k].key, &l);
        }
        return r;
}

/* ---- the whole ---- */

static int put_names(struct gather *g)
{
        int r = blob_put(&g->out, BLOB_ID, g->id, strlen(g->id), "", 0);

        for (unsigned i = 1; i < g->names.n && r >= 0; i++)
                r = blob_put(&g->out, BLOB_ALIAS, g->names.v[i], strlen(g->names.v[i]), "", 0);
        return r;
}

static int put_state(struct gather *g)
{
        const char *word = unit_load_state_name(g->state);

        return blob_put(&g->out, BLOB_STATE, word, strlen(word), buf_str(&g->error), g->error.size);
}

static int gather(struct gather *g, const char *name)
{
        int r = resolve(g, name);

        if (r >= 0)
                r = blob_begin(&g->out);
        if (r >= 0)
                r = collect_names(g);
        if (r >= 0)
                r = put_names(g);
        if (r >= 0 && g->state == LOAD_LOADED)
                r = put_fragment(g);
        if (r >= 0 && g->state == LOAD_LOADED)
                r = put_beside(g);
        if (r >= 0)
                r = put_state(g);
        return r;
}

int unit_gather(const struct unit_paths *paths, const char *name, struct buf *ret_blob, struct diag *diag)
{
        cleanup_(gather_done) struct gather g = {.paths = paths, .index = paths->index, .diag = diag};
        int r;

        if (!unit_name_valid(name))
                return -EINVAL;
        r = index_refresh(paths->index, &paths->dirs, diag);
        if (r >= 0)
                r = gather(&g, name);
        if (r < 0)
                return r;
        return buf_append(ret_blob, g.out.data, g.out.size);
}

int unit_resolve(const struct unit_paths *paths, const char *name, char ret[static 256])
{
        cleanup_(gather_done) struct gather g = {.paths = paths, .index = paths->index};
        int r;

        _Static_assert(UNIT_NAME_MAX < 256, "a name fits");
        if (!unit_name_valid(name))
                return -EINVAL;
        r = index_refresh(paths->index, &paths->dirs, NULL);
        if (r >= 0)
                r = resolve(&g, name);
        if (r < 0)
                return r;
        (void)snprintf(ret, 256, "%s", g.state == LOAD_LOADED ? g.id : name);
        return 0;
}
