/* SPDX-License-Identifier: MIT
 *
 * Which of the four cases it is, and where our base lies. Invariant: only the base is made.
 */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "cgroup/files.h"

enum { NAMES_MAX = 64 };

static const char *const case_names[N_CGROUP_CASES] = {
        [CGROUP_NONE] = "none",
        [CGROUP_V1] = "v1",
        [CGROUP_V2] = "v2",
        [CGROUP_V2_CONTROLLERS] = "v2 with controllers",
};

const char *cgroup_case_name(enum cgroup_case c)
{
        return (unsigned)c < N_CGROUP_CASES ? case_names[c] : "unknown";
}

/* A mount of a hierarchy: where, and which part of it. */
struct mount {
        char point[PATH_MAX], root[PATH_MAX], name[64]; /* name: "name=…" of a named one */
        bool found;
};

struct mounts {
        struct mount unified, named; /* cgroup2; v1 with a name and no controller */
        bool any_v1;
};

/* Blanks in mountinfo are written \040. */
static void unescape(char *s)
{
        char *to = s;

        while (*s) {
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
                        *to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
                        s += 4;
                } else {
                        *to++ = *s++;
                }
        }
        *to = 0;
}

static void take_mount(struct mount *m, const char *root, const char *point)
{
        if (m->found || strlen(root) >= sizeof(m->root) || strlen(point) >= sizeof(m->point))
                return;
        memcpy(m->root, root, strlen(root) + 1);
        memcpy(m->point, point, strlen(point) + 1);
        unescape(m->root);
        unescape(m->point);
        m->found = true;
}

/* "ID PARENT DEV ROOT POINT OPTIONS … - TYPE SOURCE SUPER" */
static void take_line(struct mounts *m, char *line)
{
        char *fields[5], *save = NULL, *type, *super, *separator = strstr(line, " - ");

        if (!separator)
                return;
        *separator = 0;
        for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
                fields[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
                if (!fields[i])
                        return;
        }
        save = NULL;
        type = strtok_r(separator + 3, " ", &save);
        (void)strtok_r(NULL, " ", &save);
        super = strtok_r(NULL, " ", &save);
        if (!type)
                return;
        if (streq(type, "cgroup2"))
                take_mount(&m->unified, fields[3], fields[4]);
        if (!streq(type, "cgroup"))
                return;
        m->any_v1 = true;
        super = super ? strstr(super, "name=") : NULL;
        if (super && !m->named.found) {
                take_mount(&m->named, fields[3], fields[4]);
                (void)snprintf(m->named.name, sizeof(m->named.name), "%.*s", (int)strcspn(super, ","), super);
        }
}

static int read_mounts(const char *path, struct mounts *ret)
{
        cleanup_buf_ struct buf b = {0};
        char *save = NULL;
        int r = cgroup_file_read(AT_FDCWD, path, &b);

        if (r < 0)
                return r;
        for (char *line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                take_line(ret, line);
        return 0;
}

/* Our cgroup in the unified hierarchy ("0::/path"), or in the one that is called NAME ("7:name=systemd:/path"). */
static char *read_membership(const char *path, const char *name)
{
        cleanup_buf_ struct buf b = {0};
        char *save = NULL;

        if (cgroup_file_read(AT_FDCWD, path, &b) < 0 || !b.data)
                return NULL;
        for (char *line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *first = strchr(line, ':'), *second = first ? strchr(first + 1, ':') : NULL;

                if (!second)
                        continue;
                *second = 0;
                if (name ? streq(first + 1, name) : streq(first + 1, "") && starts_with(line, "0:"))
                        return strdup(second + 1);
        }
        return NULL;
}

/* Where the cgroup PATH is in the file system: what the mount shows of the hierarchy begins at its root. */
static char *locate(const struct mount *m, const char *path)
{
        cleanup_buf_ struct buf b = {0};
        size_t n = strlen(m->root);

        if (streq(m->root, "/"))
                n = 0;
        if (strncmp(path, m->root, n) != 0 || (n > 0 && path[n] != 0 && path[n] != '/') || strstr(path, "/../"))
                return NULL;
        path += n;
        if (buf_append_str(&b, m->point) < 0 || (*path && !streq(path, "/") && buf_append_str(&b, path) < 0))
                return NULL;
        return buf_take(&b);
}

/* The other way: what DIRECTORY is called in the hierarchy; NULL when it lies elsewhere. */
static char *path_of(const struct mount *m, const char *directory)
{
        size_t n = strlen(m->point);
        char *path;

        if (!m->found || strncmp(directory, m->point, n) != 0 || (directory[n] != 0 && directory[n] != '/') ||
            strstr(directory, "/.."))
                return NULL;
        return asprintf(&path, "%s%s", streq(m->root, "/") ? "" : m->root, directory + n) < 0 ? NULL : path;
}

static bool has_controllers(const char *own)
{
        cleanup_buf_ struct buf b = {0};
        char path[PATH_MAX];

        (void)snprintf(path, sizeof(path), "%s/cgroup.controllers", own);
        return cgroup_file_read(AT_FDCWD, path, &b) == 0 && b.size > 1;
}

/* Locks what is at BASE, or makes it: the fd, -EEXIST when it is another's, or what the kernel says. */
static int take_base(const char *base, bool unified)
{
        const struct cgroup c = {.usable = true, .unified = unified, .base = (char *)base};
        cleanup_close_ int fd = -1;
        bool made = mkdir(base, 0755) == 0;
        char path[PATH_MAX];

        if (!made && errno != EEXIST)
                return -errno;
        fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if ((size_t)snprintf(path, sizeof(path), "%s/cgroup.procs", base) >= sizeof(path) || access(path, W_OK) < 0) {
                int e = errno;

                if (made)
                        (void)rmdir(base);
                return -e;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) < 0 || (!made && cgroup_base_populated(&c) != 0))
                return -EEXIST;
        return take_fd(&fd);
}

/* NAME, or NAME-2 and so on. 0 or -ENOMEM. */
static int make_base(struct cgroup *c, const char *own, const char *path, bool unified, const char *name)
{
        for (unsigned i = 1; i <= NAMES_MAX; i++) {
                cleanup_free_ char *base = NULL, *base_path = NULL;
                char number[16] = "";
                int fd;

                if (i > 1)
                        (void)snprintf(number, sizeof(number), "-%u", i);
                if (asprintf(&base, "%s/%s%s", own, name, number) < 0 ||
                    asprintf(&base_path, "%s/%s%s", streq(path, "/") ? "" : path, name, number) < 0)
                        return -ENOMEM;
                fd = take_base(base, unified);
                if (fd == -EEXIST)
                        continue;
                if (fd < 0)
                        return 0;
                c->own = strdup(own);
                if (!c->own) {
                        (void)close(fd);
                        return -ENOMEM;
                }
                c->usable = true;
                c->unified = unified;
                c->base = take_ptr(base);
                c->path = take_ptr(base_path);
                c->fd = fd;
                return 0;
        }
        return 0;
}

static int try_mount(struct cgroup *c, const struct mount *m, const char *under, const char *membership_file,
                     bool unified, const char *name)
{
        cleanup_free_ char *path = NULL, *own = NULL;

        if (!m->found || c->usable)
                return 0;
        path = under ? path_of(m, under) : read_membership(membership_file, unified ? NULL : m->name);
        own = path ? locate(m, path) : NULL;
        if (!own)
                return 0;
        if (unified && c->found != CGROUP_V1 && has_controllers(own))
                c->found = CGROUP_V2_CONTROLLERS;
        return make_base(c, own, path, unified, name);
}

int cgroup_open_at(struct cgroup *ret, const char *under, const char *name, const char *mountinfo,
                   const char *membership)
{
        cleanup_free_ struct mounts *m = calloc(1, sizeof(*m));
        struct cgroup c = {.fd = -1};
        int r;

        if (!m)
                return -ENOMEM;
        if (read_mounts(mountinfo, m) == 0) {
                c.found = m->any_v1 ? CGROUP_V1 : m->unified.found ? CGROUP_V2 : CGROUP_NONE;
                r = try_mount(&c, &m->unified, under, membership, true, name);
                if (r == 0)
                        r = try_mount(&c, &m->named, under, membership, false, name);
                if (r < 0)
                        return r;
        }
        *ret = c;
        return 0;
}

int cgroup_open(struct cgroup *ret, const char *under, const char *name)
{
        return cgroup_open_at(ret, under, name, "/proc/self/mountinfo", "/proc/self/cgroup");
}

int cgroup_mount(void)
{
        return mount("cgroup2", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? -errno : 0;
}

/* ---- records: "2" or "1", own, base, path, each with its NUL ---- */

int cgroup_record(const struct cgroup *c, struct buf *ret)
{
        const char *const parts[] = {c->unified ? "2" : "1", c->own, c->base, c->path};
        int r = c->usable ? 0 : -EOPNOTSUPP;

        for (size_t i = 0; i < ARRAY_SIZE(parts) && r >= 0; i++)
                r = buf_append(ret, parts[i], strlen(parts[i]) + 1);
        return r;
}

int cgroup_reopen(struct cgroup *ret, const void *record, size_t size, int fd)
{
        const char *parts[4], *at = record, *end = at + size;
        cleanup_cgroup_ struct cgroup c = {.fd = -1};
        cleanup_close_ int kept = fd;

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                size_t n = strnlen(at, (size_t)(end - at));

                if (at + n == end)
                        return -EBADMSG;
                parts[i] = at;
                at += n + 1;
        }
        c.unified = streq(parts[0], "2");
        c.found = c.unified ? has_controllers(parts[1]) ? CGROUP_V2_CONTROLLERS : CGROUP_V2 : CGROUP_V1;
        c.own = strdup(parts[1]);
        c.base = strdup(parts[2]);
        c.path = strdup(parts[3]);
        if (!c.own || !c.base || !c.path)
                return -ENOMEM;
        c.fd = take_fd(&kept);
        if (c.fd < 0) {
                c.fd = open(c.base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (c.fd >= 0)
                        (void)flock(c.fd,
                                    LOCK_EX | LOCK_NB); /* who still holds it is a process of ours on its way out */
        }
        c.usable = c.fd >= 0 && access(c.base, W_OK) == 0;
        *ret = c;
        c = (struct cgroup){.fd = -1};
        return 0;
}

void cgroup_done(struct cgroup *c)
{
        if (c->base)
                close_fd_p(&c->fd);
        free(c->own);
        free(c->base);
        free(c->path);
        *c = (struct cgroup){.fd = -1};
}
