/* SPDX-License-Identifier: MIT
 *
 * The service's own view of the file system: a mount namespace, what is mounted in it, and what is read-only there.
 *
 *   1. the namespace; nothing that is mounted in it comes back out
 *   2. every place is looked up, symbolic links followed, and every source opened, while all is as it was
 *   3. in the order of their paths (what is above first) the places are mounted
 *   4. each mount point gets the flags of the nearest place above it that has an opinion
 *   5. with a root directory of its own that becomes the root
 *
 * Runs in the service-to-be, as root, behind the streams (so that a log is opened before its directory is read-only)
 * and ahead of the change of user. Where no namespace is permitted, hardening is left out and noted, and what changes
 * behaviour fails the start. Invariant: nothing outside of the namespace is mounted or changed, but for the directories
 * of PrivateTmp=, which the clean-up removes, and two empty entries of mode 0 in /run/supd.
 */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "job.h"

enum { MOUNTS_MAX = 512, MOUNTINFO_MAX = 4 * 1024 * 1024 };

#define INACCESSIBLE "/run/supd/inaccessible"

struct place {
        enum plan_mount kind;
        uint32_t flags;
        const char *path; /* as the service sees it; links are followed once it is looked up */
        const char *source;
        int source_fd; /* O_PATH; -1 = none */
};

struct view {
        struct job *job;
        const char *root; /* "" or the directory that becomes the root */
        struct place *v;
        unsigned n;
};

static int mounts_fail(struct view *w, int error)
{
        return job_fail(w->job, PLAN_STEP_NAMESPACE, error, EXIT_CODE_NAMESPACE);
}

static void fd_path(int fd, char ret[32])
{
        (void)snprintf(ret, 32, "/proc/self/fd/%d", fd);
}

/* ---- paths ---- */

/* PATH below ROOT, where links stay below it, as O_PATH. */
static int open_below_root(const struct view *w, const char *path)
{
        struct {
                uint64_t flags, mode, resolve;
        } how = {.flags = O_PATH | O_CLOEXEC, .resolve = 0x10 /* RESOLVE_IN_ROOT */};
        char whole[PATH_MAX];
        int fd, root;

        if (!*w->root) {
                fd = open(path, O_PATH | O_CLOEXEC);
                return fd < 0 ? -errno : fd;
        }
        root = open(w->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return -errno;
        fd = (int)syscall(437 /* openat2 */, root, path, &how, sizeof(how));
        fd = fd < 0 ? -errno : fd;
        (void)close(root);
        if (fd != -ENOSYS && fd != -EPERM)
                return fd;
        if ((size_t)snprintf(whole, sizeof(whole), "%s%s", w->root, path) >= sizeof(whole))
                return -ENAMETOOLONG;
        fd = open(whole, O_PATH | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* Where FD leads, as the service will see it. */
static char *path_of(const struct view *w, int fd)
{
        char name[32], text[PATH_MAX];
        size_t root = strlen(w->root);
        ssize_t n;

        fd_path(fd, name);
        n = readlink(name, text, sizeof(text) - 1);
        if (n <= 0)
                return NULL;
        text[n] = 0;
        if (strncmp(text, w->root, root) != 0)
                return NULL;
        return arena_strdup(&w->job->arena, text[root] ? text + root : "/");
}

/* Is A the path B, or above it? */
static bool is_above(const char *a, const char *b)
{
        size_t n = strlen(a);

        return streq(a, "/") || (strncmp(a, b, n) == 0 && (b[n] == 0 || b[n] == '/'));
}

static int compare_places(const void *a, const void *b)
{
        const struct place *x = a, *y = b;
        int r = strcmp(x->path, y->path);

        return r != 0 ? r : (int)x->kind - (int)y->kind;
}

/* What is missing below: a directory, or a file when FILE; parents too. */
static int make_point(const struct view *w, const char *path, bool file)
{
        char whole[PATH_MAX];
        int r, fd;

        if ((size_t)snprintf(whole, sizeof(whole), "%s%s", w->root, path) >= sizeof(whole))
                return -ENAMETOOLONG;
        r = make_parents(whole);
        if (r < 0)
                return r;
        if (!file)
                return mkdir(whole, 0755) < 0 && errno != EEXIST ? -errno : 0;
        fd = open(whole, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        (void)close(fd);
        return 0;
}

/* ---- the sources ---- */

/* What hides a place: an empty directory or file that nobody may open. */
static int open_inaccessible(bool directory)
{
        const char *path = directory ? INACCESSIBLE "/directory" : INACCESSIBLE "/file";
        int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), made;

        if (fd >= 0)
                return fd;
        if (make_parents(path) < 0)
                return -errno;
        if (directory)
                (void)mkdir(path, 0);
        else if ((made = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0)) >= 0)
                (void)close(made);
        fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* PrivateTmp=: "/tmp/supd-private-ID/tmp". The id is not known before, and what is there already has to be ours. */
static int open_private_tmp(const struct job *j, const char *base)
{
        char path[PATH_MAX];
        struct stat st;
        int fd, r = 0;

        if ((size_t)snprintf(path, sizeof(path), "%s/supd-private-%s", base, job_string(j, PLAN_PRIVATE_TMP)) + 5 >=
            sizeof(path))
                return -ENAMETOOLONG;
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return -errno;
        if (lstat(path, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)
                return -EEXIST;
        strcat(path, "/tmp");
        if (mkdir(path, 01777) == 0)
                r = chmod(path, 01777);
        fd = r < 0 ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int open_source(const struct view *w, const struct place *p, int target)
{
        struct stat st;

        if (p->kind == MOUNT_BIND) {
                int fd = open(p->source, O_PATH | O_CLOEXEC);

                return fd < 0 ? -errno : fd;
        }
        if (p->kind == MOUNT_TMP)
                return open_private_tmp(w->job, p->source);
        if (p->kind == MOUNT_INACCESSIBLE)
                return open_inaccessible(target < 0 || fstat(target, &st) < 0 || S_ISDIR(st.st_mode));
        return -1;
}

/* Step 2 for one place. 1 = it counts, 0 = it is left out, or a negative errno. */
static int look_up(struct view *w, struct place *p)
{
        cleanup_close_ int target = open_below_root(w, p->path);
        bool may_make = p->kind == MOUNT_BIND || p->kind == MOUNT_TMPFS || p->kind == MOUNT_TMP;
        char *path;

        if (target < 0 && !may_make)
                return p->flags & PLAN_MOUNT_OPTIONAL ? 0 : target;
        if (target >= 0) {
                path = path_of(w, target);
                if (!path)
                        return -ENOMEM;
                p->path = path;
        }
        if (p->kind == MOUNT_SELF || p->kind == MOUNT_TMPFS || p->kind == MOUNT_DEVICES)
                return target < 0 && p->flags & PLAN_MOUNT_OPTIONAL ? 0 : 1;
        p->source_fd = open_source(w, p, target);
        if (p->source_fd < 0)
                return p->flags & PLAN_MOUNT_OPTIONAL ? 0 : p->source_fd;
        return 1;
}

static int collect(struct view *w)
{
        struct plan_item item;
        size_t offset = 0;
        unsigned n = 0;

        w->v = arena_alloc(&w->job->arena, MOUNTS_MAX * sizeof(*w->v));
        if (!w->v)
                return -ENOMEM;
        while (job_next_record(w->job, &offset, PLAN_MOUNT, &item)) {
                struct place p = {.kind = (enum plan_mount)plan_word(&item, 0),
                                  .flags = plan_word(&item, 1),
                                  .path = plan_string(&item, NULL),
                                  .source_fd = -1};
                int r;

                if (!p.path || n == MOUNTS_MAX)
                        return -E2BIG;
                p.source = plan_string(&item, p.path);
                r = look_up(w, &p);
                if (r < 0)
                        return r;
                if (r > 0)
                        w->v[n++] = p;
        }
        w->n = n;
        qsort(w->v, n, sizeof(*w->v), compare_places);
        return 0;
}

/* ---- mounting ---- */

/* "ro,mode=0700,size=1M,nodev": flags of mount(2) off the front of the file system's own. Read-only comes last, once
 * what lies below has its mount points. */
static unsigned long take_tmpfs_options(struct place *p, char *own, size_t size)
{
        static const struct {
                const char *word;
                unsigned long set, clear;
        } words[] = {{"nodev", MS_NODEV, 0},
                     {"dev", 0, MS_NODEV},
                     {"nosuid", MS_NOSUID, 0},
                     {"suid", 0, MS_NOSUID},
                     {"noexec", MS_NOEXEC, 0},
                     {"exec", 0, MS_NOEXEC},
                     {"strictatime", MS_STRICTATIME, 0},
                     {"nostrictatime", 0, MS_STRICTATIME},
                     {"noatime", MS_NOATIME, MS_STRICTATIME},
                     {"relatime", MS_RELATIME, MS_STRICTATIME}};
        unsigned long flags = MS_NODEV | MS_STRICTATIME;
        bool has_mode = false;

        own[0] = 0;
        p->flags |= p->flags & PLAN_MOUNT_READ_ONLY ? 0 : PLAN_MOUNT_READ_WRITE;
        for (const char *s = p->source ? p->source : ""; *s;) {
                size_t n = strcspn(s, ","), i = 0, at = strlen(own);

                while (i < ARRAY_SIZE(words) && (strlen(words[i].word) != n || strncmp(words[i].word, s, n) != 0))
                        i++;
                if (i < ARRAY_SIZE(words))
                        flags = (flags | words[i].set) & ~words[i].clear;
                else if (n == 2 && strncmp(s, "ro", 2) == 0)
                        p->flags = (p->flags & ~PLAN_MOUNT_READ_WRITE) | PLAN_MOUNT_READ_ONLY;
                else if (!(n == 2 && strncmp(s, "rw", 2) == 0) && at + n + 2 < size)
                        (void)snprintf(own + at, size - at, "%s%.*s", at > 0 ? "," : "", (int)n, s);
                has_mode = has_mode || strncmp(s, "mode=", 5) == 0;
                s += n + (s[n] == ',');
        }
        if (!has_mode)
                (void)snprintf(own + strlen(own), size - strlen(own), "%smode=0755", own[0] ? "," : "");
        return flags;
}

static int mount_devices(const char *where)
{
        static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
        static const char *const shared[] = {"pts", "shm", "mqueue", "hugepages"};
        static const char *const links[][2] = {{"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"},
                                               {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
                                               {"/proc/kcore", "core"},       {"pts/ptmx", "ptmx"}};
        int old[ARRAY_SIZE(nodes) + ARRAY_SIZE(shared)];
        char path[PATH_MAX + 32], from[32];
        struct stat st;
        int fd;

        for (size_t i = 0; i < ARRAY_SIZE(old); i++) {
                (void)snprintf(path, sizeof(path), "/dev/%s",
                               i < ARRAY_SIZE(nodes) ? nodes[i] : shared[i - ARRAY_SIZE(nodes)]);
                old[i] = open(path, O_PATH | O_CLOEXEC);
        }
        if (mount("tmpfs", where, "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=0755,size=4m,nr_inodes=64k") < 0)
                return -errno;
        fd = open(where, O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < ARRAY_SIZE(old) && fd >= 0; i++) {
                const char *name = i < ARRAY_SIZE(nodes) ? nodes[i] : shared[i - ARRAY_SIZE(nodes)];

                if (old[i] < 0 || fstat(old[i], &st) < 0)
                        continue;
                (void)snprintf(path, sizeof(path), "%s/%s", where, name);
                if (S_ISCHR(st.st_mode) && mknod(path, st.st_mode, st.st_rdev) == 0) {
                        (void)chmod(path, st.st_mode & 07777);
                        continue;
                }
                if (S_ISDIR(st.st_mode) ? mkdir(path, 0755) < 0 : mknod(path, S_IFREG | 0644, 0) < 0)
                        continue;
                fd_path(old[i], from);
                (void)mount(from, path, NULL, MS_BIND | MS_REC, NULL);
        }
        for (size_t i = 0; i < ARRAY_SIZE(links) && fd >= 0; i++)
                (void)symlinkat(links[i][0], fd, links[i][1]);
        for (size_t i = 0; i < ARRAY_SIZE(old); i++)
                close_fd_p(&old[i]);
        if (fd >= 0)
                (void)close(fd);
        return 0;
}

static int mount_one(struct view *w, struct place *p)
{
        cleanup_close_ int target = open_below_root(w, p->path);
        char where[32], from[32], own[256];
        unsigned long flags;
        struct stat st;

        if (target == -ENOENT && p->kind != MOUNT_SELF && p->kind != MOUNT_DEVICES) {
                bool file = p->source_fd >= 0 && fstat(p->source_fd, &st) == 0 && !S_ISDIR(st.st_mode);
                int r = make_point(w, p->path, file);

                if (r < 0)
                        return r;
                target = open_below_root(w, p->path);
        }
        if (target < 0)
                return target;
        fd_path(target, where);
        switch (p->kind) {
        case MOUNT_SELF:
                return mount(where, where, NULL, MS_BIND | MS_REC, NULL) < 0 ? -errno : 0;
        case MOUNT_BIND:
        case MOUNT_TMP:
        case MOUNT_INACCESSIBLE:
                fd_path(p->source_fd, from);
                flags = MS_BIND | (p->flags & PLAN_MOUNT_RECURSIVE ? MS_REC : 0);
                return mount(from, where, NULL, flags, NULL) < 0 ? -errno : 0;
        case MOUNT_TMPFS:
                flags = take_tmpfs_options(p, own, sizeof(own));
                return mount("tmpfs", where, "tmpfs", flags, own) < 0 ? -errno : 0;
        case MOUNT_DEVICES: {
                char path[PATH_MAX];
                ssize_t n = readlink(where, path, sizeof(path) - 1);

                if (n <= 0)
                        return -errno;
                path[n] = 0;
                return mount_devices(path);
        }
        }
        return -EBADMSG;
}

/* What hides a place hides what is below it. */
static bool is_hidden(const struct view *w, unsigned i)
{
        for (unsigned k = 0; k < w->n; k++)
                if (k != i && w->v[k].kind == MOUNT_INACCESSIBLE && is_above(w->v[k].path, w->v[i].path) &&
                    (strlen(w->v[k].path) < strlen(w->v[i].path) || w->v[i].kind == MOUNT_SELF))
                        return w->v[i].kind == MOUNT_SELF || w->v[i].kind == MOUNT_INACCESSIBLE;
        return false;
}

static int mount_all(struct view *w)
{
        for (unsigned i = 0; i < w->n; i++) {
                int r = is_hidden(w, i) ? 0 : mount_one(w, &w->v[i]);

                if (r < 0 && !(w->v[i].flags & PLAN_MOUNT_OPTIONAL))
                        return r;
        }
        return 0;
}

/* ---- flags ---- */

/* The nearest place above PATH that has an opinion among MASK; of those for one path the stricter one. */
static uint32_t opinion(const struct view *w, const char *path, uint32_t mask, uint32_t strict)
{
        size_t best = 0;
        uint32_t found = 0;

        for (unsigned i = 0; i < w->n; i++) {
                size_t n = strlen(w->v[i].path);

                if (!(w->v[i].flags & mask) || !is_above(w->v[i].path, path) || n < best)
                        continue;
                if (w->v[i].kind == MOUNT_DEVICES && !streq(w->v[i].path, path))
                        continue; /* terminals and shared memory in it stay as they are */
                found = n > best ? w->v[i].flags & mask : (found | (w->v[i].flags & mask));
                best = n;
        }
        return found & strict;
}

/* In mountinfo a blank is \040. */
static void unescape(char *p)
{
        char *out = p;

        while (*p)
                if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] && p[3]) {
                        *out++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
                        p += 4;
                } else {
                        *out++ = *p++;
                }
        *out = 0;
}

static int restrict_mount(const struct view *w, const char *point)
{
        size_t root = strlen(w->root);
        const char *seen = point + root;
        struct statvfs st;
        unsigned long flags, more = 0;

        if (strncmp(point, w->root, root) != 0 || (root > 0 && *seen && *seen != '/'))
                return 0;
        seen = *seen ? seen : "/";
        if (opinion(w, seen, PLAN_MOUNT_READ_ONLY | PLAN_MOUNT_READ_WRITE, PLAN_MOUNT_READ_ONLY))
                more |= MS_RDONLY;
        if (opinion(w, seen, PLAN_MOUNT_EXEC | PLAN_MOUNT_NO_EXEC, PLAN_MOUNT_NO_EXEC))
                more |= MS_NOEXEC;
        if (more == 0 || statvfs(point, &st) < 0)
                return 0;
        flags = (st.f_flag & ST_RDONLY ? MS_RDONLY : 0) | (st.f_flag & ST_NOSUID ? MS_NOSUID : 0) |
                (st.f_flag & ST_NODEV ? MS_NODEV : 0) | (st.f_flag & ST_NOEXEC ? MS_NOEXEC : 0) |
                (st.f_flag & ST_NOATIME ? MS_NOATIME : 0) | (st.f_flag & ST_RELATIME ? MS_RELATIME : 0);
        if ((flags & more) == more)
                return 0;
        return mount(NULL, point, NULL, MS_REMOUNT | MS_BIND | flags | more, NULL) < 0 ? -errno : 0;
}

static int restrict_all(const struct view *w)
{
        cleanup_buf_ struct buf b = {0};
        int r = file_read("/proc/self/mountinfo", MOUNTINFO_MAX, &b);
        char *line, *save = NULL;

        if (r < 0)
                return r;
        for (line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *point = line;

                for (unsigned i = 0; i < 4 && point; i++) { /* id, parent, device, root */
                        point = strchr(point, ' ');
                        point = point ? point + 1 : NULL;
                }
                if (!point)
                        continue;
                point[strcspn(point, " ")] = 0;
                unescape(point);
                r = restrict_mount(w, point);
                if (r < 0 && r != -EPERM && r != -EACCES && r != -ENOENT && r != -EINVAL)
                        return r;
        }
        return 0;
}

/* ---- the whole ---- */

static int change_root(const struct view *w)
{
        cleanup_close_ int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (!*w->root)
                return 0;
        if (old < 0 || chdir(w->root) < 0)
                return -errno;
        if (syscall(SYS_pivot_root, ".", ".") < 0) {
                if (mount(w->root, "/", NULL, MS_MOVE, NULL) < 0)
                        return -errno;
                return chroot(".") < 0 || chdir("/") < 0 ? -errno : 0;
        }
        if (umount2(".", MNT_DETACH) < 0)
                return -errno;
        return chdir("/") < 0 ? -errno : 0;
}

static void close_sources(struct view *w)
{
        for (unsigned i = 0; i < w->n; i++)
                close_fd_p(&w->v[i].source_fd);
}

int mounts_apply(struct job *j)
{
        struct view w = {.job = j, .root = job_string(j, PLAN_ROOT) ? job_string(j, PLAN_ROOT) : ""};
        mode_t mask;
        int r;

        if (!job_has(j, PLAN_NAMESPACE))
                return 0;
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
                if (job_word(j, PLAN_NAMESPACE, 0, 1) || (errno != EPERM && errno != ENOSYS && errno != EACCES))
                        return mounts_fail(&w, errno);
                j->note.step = PLAN_STEP_NAMESPACE;
                j->note.error = errno;
                return 0;
        }
        mask = umask(0);
        (void)umask(022);
        r = *w.root && mount(w.root, w.root, NULL, MS_BIND | MS_REC, NULL) < 0 ? -errno : collect(&w);
        if (r == 0)
                r = mount_all(&w);
        if (r == 0)
                r = restrict_all(&w);
        if (r == 0)
                r = change_root(&w);
        if (r == 0 && mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0) /* for namespaces further down */
                r = -errno;
        close_sources(&w);
        (void)umask(mask);
        return r < 0 ? mounts_fail(&w, -r) : 0;
}
