/* SPDX-License-Identifier: MIT
 * See index.h. A hash table that is thrown away whole when a directory changed.
 */
#include "unit/index.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

enum { N_DIRS_MAX = 64, BUCKETS_FIRST = 256 };

struct stamp { /* what tells that a directory changed */
        dev_t dev;
        ino_t ino;
        struct timespec mtime;
        bool exists;
        bool racy; /* changed so shortly before the scan that a later change may carry the same time */
};

struct unit_index {
        struct arena arena;
        struct index_entry **buckets; /* owned */
        size_t n_buckets, n_entries;
        struct stamp stamps[N_DIRS_MAX];
        unsigned n_stamps;
        bool filled;
        bool held, looked; /* held: not looked at again once it was */
        struct asked {
                struct stamp stamps[N_DIRS_MAX];
                bool known;
        } asked; /* for index_changed(); outlives the entries */
};

int index_new(struct unit_index **ret)
{
        struct unit_index *x = calloc(1, sizeof(*x));

        if (!x)
                return -ENOMEM;
        *ret = x;
        return 0;
}

void index_clear(struct unit_index *x)
{
        struct asked asked = x->asked;

        arena_done(&x->arena);
        free(x->buckets);
        *x = (struct unit_index){.asked = asked};
}

void index_free(struct unit_index *x)
{
        if (!x)
                return;
        index_clear(x);
        free(x);
}

static size_t hash_name(const char *s)
{
        size_t h = 14695981039346656037u;

        for (; *s; s++)
                h = (h ^ (unsigned char)*s) * 1099511628211u;
        return h ^ (h >> 29);
}

struct index_entry *index_find(const struct unit_index *x, const char *name)
{
        if (x->n_buckets == 0)
                return NULL;
        for (struct index_entry *e = x->buckets[hash_name(name) & (x->n_buckets - 1)]; e; e = e->next)
                if (streq(e->name, name))
                        return e;
        return NULL;
}

int index_each(const struct unit_index *x, int (*each)(struct index_entry *e, void *userdata), void *userdata)
{
        for (size_t i = 0; i < x->n_buckets; i++)
                for (struct index_entry *e = x->buckets[i]; e; e = e->next) {
                        int r = each(e, userdata);
                        if (r != 0)
                                return r;
                }
        return 0;
}

static int index_grow(struct unit_index *x)
{
        size_t n = x->n_buckets ? x->n_buckets * 4 : BUCKETS_FIRST;
        struct index_entry **fresh;

        if (x->n_entries < x->n_buckets)
                return 0;
        fresh = calloc(n, sizeof(struct index_entry *));
        if (!fresh)
                return -ENOMEM;
        for (size_t i = 0; i < x->n_buckets; i++)
                for (struct index_entry *e = x->buckets[i], *next; e; e = next) {
                        size_t h = hash_name(e->name) & (n - 1);
                        next = e->next;
                        e->next = fresh[h];
                        fresh[h] = e;
                }
        free(x->buckets);
        x->buckets = fresh;
        x->n_buckets = n;
        return 0;
}

static int index_put(struct unit_index *x, const char *name, unsigned dir, struct index_entry **ret)
{
        struct index_entry *e = index_find(x, name);
        size_t h;

        if (!e) {
                if (index_grow(x) < 0)
                        return -ENOMEM;
                e = arena_alloc(&x->arena, sizeof(*e));
                if (!e)
                        return -ENOMEM;
                e->name = arena_strdup(&x->arena, name);
                if (!e->name)
                        return -ENOMEM;
                e->first = dir;
                h = hash_name(name) & (x->n_buckets - 1);
                e->next = x->buckets[h];
                x->buckets[h] = e;
                x->n_entries++;
        }
        e->dirs |= UINT64_C(1) << dir;
        *ret = e;
        return 0;
}

static bool is_directory_name(const char *name)
{
        return ends_with(name, ".d") || ends_with(name, ".wants") || ends_with(name, ".requires") ||
               ends_with(name, ".upholds");
}

static int index_put_link(struct unit_index *x, struct index_entry *e, int dir_fd)
{
        char target[PATH_MAX];
        ssize_t n = readlinkat(dir_fd, e->name, target, sizeof(target) - 1);
        const char *base;

        if (n < 0)
                return 0; /* no link, or gone again: opening it will tell */
        target[n] = 0;
        e->link = arena_strdup(&x->arena, target);
        if (!e->link)
                return -ENOMEM;
        base = strrchr(target, '/');
        base = base ? base + 1 : target;
        if (streq(base, e->name) || !unit_name_valid(base))
                return 0;
        e->alias = arena_strdup(&x->arena, base);
        return e->alias ? 0 : -ENOMEM;
}

static int index_put_dirent(struct unit_index *x, unsigned dir, int dir_fd, const struct dirent *d)
{
        bool unit = unit_name_valid(d->d_name);
        struct index_entry *e;
        int r;

        if (!unit && !is_directory_name(d->d_name))
                return 0;
        r = index_put(x, d->d_name, dir, &e);
        if (r < 0 || !unit || e->first != dir || (d->d_type != DT_LNK && d->d_type != DT_UNKNOWN))
                return r;
        return index_put_link(x, e, dir_fd);
}

static void close_dir_p(DIR **d)
{
        if (*d)
                (void)closedir(*d);
}

/* A directory that could not be read, or not to its end: what is known of it is not to be trusted the next time. */
static int scan_failed(struct unit_index *x, unsigned dir, const char *path, const char *how, struct diag *diag)
{
        int error = errno;

        if (error == EMFILE || error == ENFILE || error == ENOMEM)
                return -error;
        diag_add(diag, DIAG_WARNING, path, 0, NULL, "directory cannot be read%s: %s", how, strerror(error));
        x->stamps[dir].racy = true;
        return 0;
}

/* 0, *RET_ERROR what kept it from the end; or -ENOMEM */
static int index_read_dir(struct unit_index *x, unsigned dir, DIR *d, int *ret_error)
{
        struct dirent *de;

        while (errno = 0, (de = readdir(d))) {
                int r = index_put_dirent(x, dir, dirfd(d), de);
                if (r < 0)
                        return r;
        }
        *ret_error = errno;
        return 0;
}

/* An error in reading gets a second chance: what is not found now may be what everything else hangs on. */
static int index_scan_dir(struct unit_index *x, unsigned dir, const char *path, struct diag *diag)
{
        cleanup_(close_dir_p) DIR *d = opendir(path);
        int error = 0, r;

        if (!d)
                return errno == ENOENT || errno == ENOTDIR ? 0 : scan_failed(x, dir, path, "", diag);
        r = index_read_dir(x, dir, d, &error);
        if (r == 0 && error == EIO) {
                rewinddir(d);
                r = index_read_dir(x, dir, d, &error);
        }
        if (r < 0 || error == 0)
                return r;
        errno = error;
        return scan_failed(x, dir, path, " to its end", diag);
}

static int link_alias(struct index_entry *e, void *userdata)
{
        struct index_entry *target = e->alias ? index_find(userdata, e->alias) : NULL;

        if (target) {
                e->next_alias = target->aliases;
                target->aliases = e;
        }
        return 0;
}

/* File systems keep times by the tick, some by the second or two. */
static bool is_racy(const struct timespec *mtime)
{
        struct timespec now;
        int64_t age_ms, window_ms = mtime->tv_nsec % 1000000000 == 0 ? 2000 : 20;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        age_ms = (int64_t)(now.tv_sec - mtime->tv_sec) * 1000 + (now.tv_nsec - mtime->tv_nsec) / 1000000;
        return age_ms < window_ms;
}

static struct stamp take_stamp(const char *path)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return (struct stamp){0};
        return (struct stamp){st.st_dev, st.st_ino, st.st_mtim, true, is_racy(&st.st_mtim)};
}

static bool stamp_same(const struct stamp *old, const struct stamp *now)
{
        if (old->exists != now->exists)
                return false;
        return !old->exists || (!old->racy && old->dev == now->dev && old->ino == now->ino &&
                                old->mtime.tv_sec == now->mtime.tv_sec && old->mtime.tv_nsec == now->mtime.tv_nsec);
}

static bool index_is_fresh(const struct unit_index *x, const struct strings *dirs)
{
        if (!x->filled || x->n_stamps != dirs->n)
                return false;
        for (unsigned i = 0; i < dirs->n; i++) {
                struct stamp now = take_stamp(dirs->v[i]);
                if (!stamp_same(&x->stamps[i], &now))
                        return false;
        }
        return true;
}

void index_hold(struct unit_index *x, bool hold)
{
        x->held = hold;
        x->looked = false;
}

bool index_changed(struct unit_index *x, const struct strings *dirs)
{
        bool changed = false;

        for (unsigned i = 0; i < dirs->n && i < N_DIRS_MAX; i++) {
                struct stamp now = take_stamp(dirs->v[i]);
                changed = changed || !stamp_same(&x->asked.stamps[i], &now);
                x->asked.stamps[i] = now;
        }
        x->asked.known = true;
        return changed;
}

int index_refresh(struct unit_index *x, const struct strings *dirs, struct diag *diag)
{
        bool held = x->held;
        int r;

        if (dirs->n > N_DIRS_MAX)
                return -E2BIG;
        if (held && x->looked)
                return 0;
        x->looked = true;
        if (index_is_fresh(x, dirs))
                return 0;
        index_clear(x);
        x->held = x->looked = held;
        x->n_stamps = dirs->n;
        for (unsigned i = 0; i < dirs->n; i++) {
                x->stamps[i] = take_stamp(dirs->v[i]);
                r = index_scan_dir(x, i, dirs->v[i], diag);
                if (r < 0) {
                        x->looked = false; /* whoever asks next looks again */
                        return r;
                }
        }
        x->filled = true;
        if (!x->asked.known) {
                memcpy(x->asked.stamps, x->stamps, sizeof(x->stamps));
                x->asked.known = true;
        }
        return index_each(x, link_alias, x);
}
