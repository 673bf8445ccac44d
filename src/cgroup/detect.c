/* SPDX-License-Identifier: MIT
 *
 * Which of the four cases it is, and where our base lies. Invariant: only the base and its leaf are made.
 */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cgroup/files.h"

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
        char point[PATH_MAX], root[PATH_MAX];
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
        if (super && strstr(super, "name="))
                take_mount(&m->named, fields[3], fields[4]);
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

/* Our cgroup in the unified hierarchy ("0::/path"), or in the named one ("7:name=systemd:/path"). */
static char *read_membership(const char *path, bool unified)
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
                if (unified ? streq(first + 1, "") && starts_with(line, "0:") : starts_with(first + 1, "name="))
                        return strdup(second + 1);
        }
        return NULL;
}

/* Where our cgroup is in the file system: what the mount shows of the hierarchy begins at its root. A manager that
 * comes back is in the leaf already: that is taken off again. */
static char *locate(const struct mount *m, const char *membership, const char *name)
{
        cleanup_buf_ struct buf b = {0};
        size_t n = strlen(m->root);
        cleanup_free_ char *leaf = NULL;

        if (streq(m->root, "/"))
                n = 0;
        if (strncmp(membership, m->root, n) != 0 || strstr(membership, "/../"))
                return NULL;
        membership += n;
        if (buf_append_str(&b, m->point) < 0 || (!streq(membership, "/") && buf_append_str(&b, membership) < 0) ||
            asprintf(&leaf, "/%s/manager", name) < 0)
                return NULL;
        if (ends_with(buf_str(&b), leaf))
                b.data[b.size -= strlen(leaf)] = 0;
        return buf_take(&b);
}

static bool has_controllers(const char *own)
{
        cleanup_buf_ struct buf b = {0};
        char path[PATH_MAX];

        (void)snprintf(path, sizeof(path), "%s/cgroup.controllers", own);
        return cgroup_file_read(AT_FDCWD, path, &b) == 0 && b.size > 1;
}

/* Makes base and leaf. A processless test of writing: the directories themselves. */
static bool make_base(const char *base)
{
        char path[PATH_MAX];

        if (mkdir(base, 0755) < 0 && errno != EEXIST)
                return false;
        if ((size_t)snprintf(path, sizeof(path), "%s/manager", base) >= sizeof(path))
                return false;
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return false;
        if ((size_t)snprintf(path, sizeof(path), "%s/manager/cgroup.procs", base) >= sizeof(path))
                return false;
        return access(path, W_OK) == 0;
}

static int try_mount(struct cgroup *c, const struct mount *m, const char *membership_file, bool unified,
                     const char *name)
{
        cleanup_free_ char *membership = NULL, *own = NULL, *base = NULL;

        if (!m->found || c->usable)
                return 0;
        membership = read_membership(membership_file, unified);
        own = membership ? locate(m, membership, name) : NULL;
        if (!own)
                return 0;
        if (asprintf(&base, "%s/%s", own, name) < 0) {
                base = NULL;
                return -ENOMEM;
        }
        if (unified && c->found != CGROUP_V1 && has_controllers(own))
                c->found = CGROUP_V2_CONTROLLERS;
        if (!make_base(base))
                return 0;
        c->usable = true;
        c->unified = unified;
        c->own = take_ptr(own);
        c->base = take_ptr(base);
        return 0;
}

int cgroup_open_at(struct cgroup *ret, const char *name, const char *mountinfo, const char *membership)
{
        cleanup_free_ struct mounts *m = calloc(1, sizeof(*m));
        struct cgroup c = {0};
        int r;

        if (!m)
                return -ENOMEM;
        if (read_mounts(mountinfo, m) == 0) {
                c.found = m->any_v1 ? CGROUP_V1 : m->unified.found ? CGROUP_V2 : CGROUP_NONE;
                r = try_mount(&c, &m->unified, membership, true, name);
                if (r == 0)
                        r = try_mount(&c, &m->named, membership, false, name);
                if (r < 0)
                        return r;
        }
        *ret = c;
        return 0;
}

int cgroup_open(struct cgroup *ret, const char *name)
{
        return cgroup_open_at(ret, name, "/proc/self/mountinfo", "/proc/self/cgroup");
}

void cgroup_done(struct cgroup *c)
{
        free(c->own);
        free(c->base);
        *c = (struct cgroup){0};
}
