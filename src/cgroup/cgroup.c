/* SPDX-License-Identifier: MIT
 * See cgroup.h: what is done with a base once there is one.
 */
#include "cgroup/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cgroup/files.h"

enum { DEPTH_MAX = 32, KILL_ROUNDS = 16 };

int cgroup_path(const struct cgroup *c, const char *unit, struct buf *ret)
{
        if (!c->usable)
                return -EOPNOTSUPP;
        if (!*unit || strchr(unit, '/') || streq(unit, ".") || streq(unit, "..") || streq(unit, "manager"))
                return -EINVAL;
        return buf_printf(ret, "%s/%s", c->base, unit);
}

/* The directory of UNIT as an fd. */
static int open_unit(const struct cgroup *c, const char *unit)
{
        cleanup_buf_ struct buf b = {0};
        int r = cgroup_path(c, unit, &b);

        if (r < 0)
                return r;
        r = open(buf_str(&b), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return r < 0 ? -errno : r;
}

int cgroup_enter_manager(const struct cgroup *c, pid_t pid)
{
        cleanup_buf_ struct buf b = {0};
        char text[24];
        int r;

        if (!c->usable)
                return -EOPNOTSUPP;
        r = buf_printf(&b, "%s/manager/cgroup.procs", c->base);
        if (r < 0)
                return r;
        (void)snprintf(text, sizeof(text), "%lld", (long long)pid);
        return cgroup_file_write(AT_FDCWD, buf_str(&b), text);
}

/* Turns each controller that DIRECTORY has on for the ones below it. Returns how many. */
static int enable_below(const char *directory)
{
        cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cleanup_buf_ struct buf b = {0};
        char *save = NULL, word[64];
        int n = 0;

        if (fd < 0 || cgroup_file_read(fd, "cgroup.controllers", &b) < 0 || !b.data)
                return 0;
        for (char *s = strtok_r(b.data, " \n", &save); s; s = strtok_r(NULL, " \n", &save)) {
                if ((size_t)snprintf(word, sizeof(word), "+%s", s) >= sizeof(word))
                        continue;
                n += cgroup_file_write(fd, "cgroup.subtree_control", word) == 0;
        }
        return n;
}

int cgroup_enable_controllers(const struct cgroup *c)
{
        if (!c->usable)
                return -EOPNOTSUPP;
        if (!c->unified)
                return 0;
        return enable_below(c->own) > 0 ? enable_below(c->base) : 0;
}

int cgroup_create(const struct cgroup *c, const char *unit)
{
        cleanup_buf_ struct buf b = {0};
        int r = cgroup_path(c, unit, &b);

        if (r < 0)
                return r;
        return mkdir(buf_str(&b), 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* What to do with a cgroup, after the ones below it. PARENT and NAME are its place, FD is itself. */
typedef int (*visitor)(int parent, const char *name, int fd, void *userdata);

static int visit(int parent, const char *name, unsigned depth, visitor f, void *userdata)
{
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;
        struct dirent *e;
        DIR *d;

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        d = fdopendir(fd);
        if (!d) {
                r = -errno;
                (void)close(fd);
                return r;
        }
        while (r == 0 && depth < DEPTH_MAX && (e = readdir(d)))
                if (e->d_type == DT_DIR && e->d_name[0] != '.')
                        r = visit(dirfd(d), e->d_name, depth + 1, f, userdata);
        if (r == 0)
                r = f(parent, name, dirfd(d), userdata);
        (void)closedir(d);
        return r;
}

/* From the unit's own cgroup down. */
static int visit_unit(const struct cgroup *c, const char *unit, visitor f, void *userdata)
{
        cleanup_buf_ struct buf b = {0};
        int r = cgroup_path(c, unit, &b);

        return r < 0 ? r : visit(AT_FDCWD, buf_str(&b), 0, f, userdata);
}

static int remove_one(int parent, const char *name, unused_ int fd, unused_ void *userdata)
{
        return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int cgroup_remove(const struct cgroup *c, const char *unit)
{
        return visit_unit(c, unit, remove_one, NULL);
}

static int collect(unused_ int parent, unused_ const char *name, int fd, void *userdata)
{
        struct buf *pids = userdata;
        cleanup_buf_ struct buf b = {0};
        char *save = NULL;
        int r = cgroup_file_read(fd, "cgroup.procs", &b);

        if (r < 0) /* a threaded cgroup has no list of its own; a removed one has no processes */
                return r == -EOPNOTSUPP || r == -ENOENT || r == -ENODEV ? 0 : r;
        for (char *s = b.data ? strtok_r(b.data, "\n", &save) : NULL; s; s = strtok_r(NULL, "\n", &save)) {
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
        cleanup_close_ int fd = open_unit(c, unit);
        int r;

        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        r = cgroup_file_read(fd, "cgroup.events", &b);
        if (r == 0)
                return strstr(buf_str(&b), "populated 1") != NULL;
        if (r != -ENOENT)
                return r;
        buf_reset(&b);
        r = cgroup_pids(c, unit, &b);
        return r < 0 ? r : b.size > 0;
}

static bool contains(const struct buf *pids, size_t n, pid_t pid)
{
        for (size_t i = 0; i < n; i++)
                if (memcmp(pids->data + i * sizeof(pid), &pid, sizeof(pid)) == 0)
                        return true;
        return false;
}

/* Signals each process once, and those that were forked meanwhile too. */
static int signal_each(const struct cgroup *c, const char *unit, int sig)
{
        cleanup_buf_ struct buf seen = {0};
        int signalled = 0, fresh = 1;

        for (unsigned round = 0; round < KILL_ROUNDS && fresh > 0; round++) {
                size_t before = seen.size / sizeof(pid_t);
                int r = cgroup_pids(c, unit, &seen);

                if (r < 0)
                        return r;
                fresh = 0;
                for (size_t i = before; i < seen.size / sizeof(pid_t); i++) {
                        pid_t pid;

                        memcpy(&pid, seen.data + i * sizeof(pid), sizeof(pid));
                        if (!contains(&seen, before, pid) && kill(pid, sig) == 0)
                                fresh++;
                }
                signalled += fresh;
        }
        return signalled;
}

int cgroup_signal(const struct cgroup *c, const char *unit, int sig)
{
        cleanup_close_ int fd = open_unit(c, unit);
        int populated;

        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        if (sig != SIGKILL || !c->unified)
                return signal_each(c, unit, sig);
        populated = cgroup_populated(c, unit);
        if (populated <= 0)
                return populated;
        return cgroup_file_write(fd, "cgroup.kill", "1") == 0 ? 1 : signal_each(c, unit, sig);
}
