/* SPDX-License-Identifier: MIT
 * See cgroup.h: what is done with a base once there is one.
 */
#include "cgroup/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cgroup/files.h"

enum { DEPTH_MAX = 32 };

/* Below the base and nowhere else: no empty component, none of dots, and not the leaf that is our own. */
static bool is_below(const char *path)
{
        if (streq(path, "manager") || starts_with(path, "manager/"))
                return false;
        for (;;) {
                size_t n = strcspn(path, "/");

                if (n == 0 || (n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
                        return false;
                if (path[n] == 0)
                        return true;
                path += n + 1;
        }
}

int cgroup_path(const struct cgroup *c, const char *unit, struct buf *ret)
{
        if (!c->usable)
                return -EOPNOTSUPP;
        return is_below(unit) ? buf_printf(ret, "%s/%s", c->base, unit) : -EINVAL;
}

/* FILE of UNIT, in the caller's memory: no allocation on the way of every stop. */
static int file_path(const struct cgroup *c, const char *unit, const char *file, char *ret, size_t size)
{
        if (!c->usable)
                return -EOPNOTSUPP;
        if (!is_below(unit))
                return -EINVAL;
        return (size_t)snprintf(ret, size, "%s/%s%s%s", c->base, unit, file ? "/" : "", file ? file : "") < size
                       ? 0
                       : -ENAMETOOLONG;
}

int cgroup_enter_manager(const struct cgroup *c, pid_t pid)
{
        char path[PATH_MAX], text[24];

        if (!c->usable)
                return -EOPNOTSUPP;
        (void)snprintf(path, sizeof(path), "%s/manager", c->base);
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return -errno;
        (void)snprintf(path, sizeof(path), "%s/manager/cgroup.procs", c->base);
        (void)snprintf(text, sizeof(text), "%lld", (long long)pid);
        return cgroup_file_write(AT_FDCWD, path, text);
}

/* Turns each of CONTROLLERS that DIRECTORY has on for the ones below it. */
static void enable_below(const char *directory, const char *controllers)
{
        cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cleanup_free_ char *copy = strdup(controllers);
        char *save = NULL, word[64];

        if (fd < 0 || !copy)
                return;
        for (char *s = strtok_r(copy, " ", &save); s; s = strtok_r(NULL, " ", &save))
                if ((size_t)snprintf(word, sizeof(word), "+%s", s) < sizeof(word))
                        (void)cgroup_file_write(fd, "cgroup.subtree_control", word);
}

int cgroup_enable_controllers(const struct cgroup *c, const char *controllers, bool own_too, struct buf *ret)
{
        char path[PATH_MAX];

        if (!c->usable || !c->unified)
                return -EOPNOTSUPP;
        if (own_too)
                enable_below(c->own, controllers);
        enable_below(c->base, controllers);
        (void)snprintf(path, sizeof(path), "%s/cgroup.subtree_control", c->base);
        return cgroup_file_read(AT_FDCWD, path, ret);
}

int cgroup_create(const struct cgroup *c, const char *unit)
{
        char path[PATH_MAX];
        int r = file_path(c, unit, NULL, path, sizeof(path));

        if (r < 0)
                return r;
        for (char *p = path + strlen(c->base) + 1; (p = strchr(p, '/')); *p++ = '/') {
                *p = 0;
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return -errno;
        }
        return mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* What to do with the cgroup NAME in PARENT, after the ones below it. */
typedef int (*visitor)(int parent, const char *name, void *userdata);

static int visit(int parent, const char *name, unsigned depth, visitor f, void *userdata)
{
        struct stat st;
        struct dirent *e;
        int fd, r = 0;
        DIR *d;

        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        /* A cgroup without cgroups below has two links: nothing to be read, and no descriptor needed, which may be the
         * last one. */
        if (st.st_nlink == 2)
                return f(parent, name, userdata);
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        d = fdopendir(fd);
        if (!d) {
                r = -errno;
                (void)close(fd);
                return r;
        }
        while (r == 0 && depth < DEPTH_MAX && (e = readdir(d)))
                if (e->d_type == DT_DIR && !streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        r = visit(dirfd(d), e->d_name, depth + 1, f, userdata);
        if (r == 0)
                r = f(parent, name, userdata);
        (void)closedir(d);
        return r;
}

/* From the unit's own cgroup down. */
static int visit_unit(const struct cgroup *c, const char *unit, visitor f, void *userdata)
{
        char path[PATH_MAX];
        int r = file_path(c, unit, NULL, path, sizeof(path));

        return r < 0 ? r : visit(AT_FDCWD, path, 0, f, userdata);
}

static int remove_one(int parent, const char *name, unused_ void *userdata)
{
        return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_remove(const struct cgroup *c, const char *unit)
{
        char path[PATH_MAX];
        int r = file_path(c, unit, NULL, path, sizeof(path));

        if (r < 0)
                return r;
        if (rmdir(path) == 0 || errno == ENOENT)
                return 0;
        return visit(AT_FDCWD, path, 0, remove_one, NULL);
}

static int remove_what_goes(int parent, const char *name, unused_ void *userdata)
{
        (void)unlinkat(parent, name, AT_REMOVEDIR);
        return 0;
}

void cgroup_remove_all(const struct cgroup *c)
{
        if (c->usable)
                (void)visit(AT_FDCWD, c->base, 0, remove_what_goes, NULL);
}

static int collect(int parent, const char *name, void *userdata)
{
        struct buf *pids = userdata;
        cleanup_buf_ struct buf b = {0};
        char *save = NULL, path[PATH_MAX];
        int r;

        if ((size_t)snprintf(path, sizeof(path), "%s/cgroup.procs", name) >= sizeof(path))
                return -ENAMETOOLONG;
        r = cgroup_file_read(parent, path, &b);
        if (r < 0) /* a threaded cgroup has no list of its own; a removed one has no processes */
                return r == -EOPNOTSUPP || r == -ENOENT || r == -ENODEV ? 0 : r;
        for (char *s = b.size > 0 ? strtok_r(b.data, "\n", &save) : NULL; s; s = strtok_r(NULL, "\n", &save)) {
                pid_t pid = (pid_t)strtol(s, NULL, 10);

                r = pid > 0 ? buf_append(pids, &pid, sizeof(pid)) : 0; /* 0: in another pid namespace */
                if (r < 0)
                        return r;
        }
        return 0;
}

int cgroup_pids(const struct cgroup *c, const char *unit, struct buf *ret)
{
        return visit_unit(c, unit, collect, ret);
}

int cgroup_populated(const struct cgroup *c, const char *unit)
{
        cleanup_buf_ struct buf b = {0};
        char path[PATH_MAX];
        int r = file_path(c, unit, "cgroup.events", path, sizeof(path));

        if (r == 0)
                r = cgroup_file_read(AT_FDCWD, path, &b);
        if (r == 0)
                return strstr(buf_str(&b), "populated 1") != NULL;
        if (r == -ENODEV)
                return 0;
        if (r != -ENOENT)
                return r;
        buf_reset(&b);
        r = cgroup_pids(c, unit, &b); /* v1 has no such file */
        return r < 0 ? r : b.size > 0;
}

int cgroup_base_populated(const struct cgroup *c)
{
        cleanup_buf_ struct buf b = {0};
        int r = visit(AT_FDCWD, c->base, 0, collect, &b);

        return r < 0 ? r : b.size > 0;
}

int cgroup_kill(const struct cgroup *c, const char *unit)
{
        char path[PATH_MAX];
        int r = file_path(c, unit, "cgroup.kill", path, sizeof(path));

        if (r == 0)
                r = cgroup_file_write(AT_FDCWD, path, "1");
        if (r != -ENOENT && r != -ENODEV)
                return r;
        (void)file_path(c, unit, NULL, path, sizeof(path));
        return r == -ENOENT && access(path, F_OK) == 0 ? -ENOENT : 0;
}
