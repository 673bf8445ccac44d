/* SPDX-License-Identifier: MIT
 *
 * RuntimeDirectory= and its kin (rule 28), and their removal.
 *
 * A service may own what lies on the way ("a" belongs to it when "a" and "a/b" are both asked for), so every step is
 * taken from the directory's fd. A symbolic link is followed only where nobody but us can have put it: in a directory
 * that is ours and that no other may write to (an administrator's /var/lib/x -> /data/x works, a service's does not).
 * Invariant: nothing outside of the named directories is created, given away, or removed; file systems mounted below
 * are left alone.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "job.h"

enum { DEPTH_MAX = 400 };

static const int exit_codes[N_EXEC_DIRECTORIES] = {
        [DIRECTORY_RUNTIME] = EXIT_CODE_RUNTIME_DIRECTORY,
        [DIRECTORY_STATE] = EXIT_CODE_STATE_DIRECTORY,
        [DIRECTORY_CACHE] = EXIT_CODE_CACHE_DIRECTORY,
        [DIRECTORY_LOGS] = EXIT_CODE_LOGS_DIRECTORY,
        [DIRECTORY_CONFIGURATION] = EXIT_CODE_CONFIGURATION_DIRECTORY,
};

/* Opens directory NAME below PARENT. */
static int open_below(int parent, const char *name)
{
        struct stat st;
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd >= 0 || (errno != ELOOP && errno != ENOTDIR))
                return fd >= 0 ? fd : -errno;
        if (fstat(parent, &st) < 0)
                return -errno;
        if (st.st_uid != geteuid() || (st.st_mode & 022 && !(st.st_mode & S_ISVTX)))
                return -ELOOP;
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd >= 0 ? fd : -errno;
}

/* Opens the base, making it when it is not there. */
static int open_base(const char *base)
{
        int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

        if (fd >= 0 || errno != ENOENT)
                return fd >= 0 ? fd : -errno;
        r = make_parents(base);
        if (r < 0)
                return r;
        if (mkdir(base, 0755) < 0 && errno != EEXIST)
                return -errno;
        fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd >= 0 ? fd : -errno;
}

/* Walks to the directory that holds the last component of NAME; the ones on the way are made when MAKE. Returns its fd,
 * and the last component in RET_LAST (NAME_MAX + 1 bytes). FD is the base, and is closed. */
static int walk_to_last(int fd, const char *name, bool make, char *ret_last)
{
        for (;;) {
                size_t n;
                int next;

                name += strspn(name, "/");
                n = strcspn(name, "/");
                if (n == 0 || n > NAME_MAX || (n <= 2 && strncmp(name, "..", n) == 0)) {
                        (void)close(fd);
                        return -EINVAL;
                }
                memcpy(ret_last, name, n);
                ret_last[n] = 0;
                if (name[n + strspn(name + n, "/")] == 0)
                        return fd;
                if (make && mkdirat(fd, ret_last, 0755) < 0 && errno != EEXIST) {
                        next = -errno;
                        (void)close(fd);
                        return next;
                }
                next = open_below(fd, ret_last);
                (void)close(fd);
                if (next < 0)
                        return next;
                fd = next;
                name += n;
        }
}

/* What a walk over a tree does with each entry, the directories after what is in them. 0 or a negative errno. */
typedef int (*visitor)(int parent, const char *name, bool is_directory, const struct identity *id);

static int visit_tree(int parent, const char *name, dev_t dev, unsigned depth, visitor visit,
                      const struct identity *id);

/* The entries of FD, which is closed. The first error counts, but does not end the walk. */
static int visit_children(int fd, dev_t dev, unsigned depth, visitor visit, const struct identity *id)
{
        DIR *d = fdopendir(fd);
        struct dirent *e;
        int result = 0;

        if (!d) {
                result = -errno;
                (void)close(fd);
                return result;
        }
        while ((e = readdir(d))) {
                int r;

                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                r = visit_tree(dirfd(d), e->d_name, dev, depth + 1, visit, id);
                if (r < 0 && result == 0)
                        result = r;
        }
        (void)closedir(d);
        return result;
}

static int visit_tree(int parent, const char *name, dev_t dev, unsigned depth, visitor visit, const struct identity *id)
{
        struct stat st;
        int fd, r;

        if (depth > DEPTH_MAX)
                return -ELOOP;
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISDIR(st.st_mode))
                return visit(parent, name, false, id);
        if (st.st_dev != dev)
                return -EBUSY;
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        r = visit_children(fd, dev, depth, visit, id);
        return r < 0 ? r : visit(parent, name, true, id);
}

static int give_away(int parent, const char *name, unused_ bool is_directory, const struct identity *id)
{
        if (fchownat(parent, name, id->has_uid ? id->uid : (uid_t)-1, id->has_gid ? id->gid : (gid_t)-1,
                     AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return 0;
}

static int remove_entry(int parent, const char *name, bool is_directory, unused_ const struct identity *id)
{
        if (unlinkat(parent, name, is_directory ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT)
                return -errno;
        return 0;
}

/* Mode and owner of a directory. When it belonged to somebody else, so does what is in it: the user was changed. */
static int set_owner(int fd, mode_t mode, const struct identity *id)
{
        struct stat st;
        int copy;

        if (fstat(fd, &st) < 0)
                return -errno;
        if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
                return -errno;
        if ((!id->has_uid || st.st_uid == id->uid) && (!id->has_gid || st.st_gid == id->gid))
                return 0;
        copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (copy >= 0)
                (void)visit_children(copy, st.st_dev, 0, give_away, id);
        if (fchown(fd, id->has_uid ? id->uid : (uid_t)-1, id->has_gid ? id->gid : (gid_t)-1) < 0)
                return -errno;
        return 0;
}

static int create_one(const char *base, const char *name, enum exec_directory kind, mode_t mode,
                      const struct identity *id)
{
        cleanup_close_ int parent = -1, fd = -1;
        char last[NAME_MAX + 1];
        bool made;
        int r = open_base(base);

        if (r < 0)
                return r;
        parent = walk_to_last(r, name, true, last);
        if (parent < 0)
                return parent;
        made = mkdirat(parent, last, mode) == 0;
        if (!made && errno != EEXIST)
                return -errno;
        fd = open_below(parent, last);
        if (fd < 0)
                return fd;
        return made || kind != DIRECTORY_CONFIGURATION ? set_owner(fd, mode, id) : 0;
}

int directories_create(struct job *j)
{
        struct plan_item item;
        size_t offset = 0;

        while (job_next_record(j, &offset, PLAN_DIRECTORY, &item)) {
                const char *base = plan_string(&item, NULL), *name = base;
                uint32_t kind = plan_word(&item, 0);

                if (!base || kind >= N_EXEC_DIRECTORIES)
                        return job_fail(j, PLAN_STEP_PLAN, EBADMSG, 0);
                while ((name = plan_string(&item, name))) {
                        int r = create_one(base, name, (enum exec_directory)kind, (mode_t)plan_word(&item, 1) & 07777,
                                           &j->identity);

                        if (r < 0)
                                return job_fail(j, PLAN_STEP_DIRECTORIES, -r, exit_codes[kind]);
                }
        }
        return 0;
}

static void remove_one(const char *base, const char *name)
{
        cleanup_close_ int parent = -1;
        char last[NAME_MAX + 1];
        struct stat st;
        int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return;
        parent = walk_to_last(fd, name, false, last);
        if (parent >= 0 && fstat(parent, &st) == 0)
                (void)visit_tree(parent, last, st.st_dev, 0, remove_entry, NULL);
}

void directory_remove(const char *path)
{
        struct stat st;

        if (lstat(path, &st) == 0)
                (void)visit_tree(AT_FDCWD, path, st.st_dev, 0, remove_entry, NULL);
}

void cleanup_run(struct job *j)
{
        struct plan_item item;
        size_t offset = 0;
        const char *pid_file = job_string(j, PLAN_PID_FILE);

        if (pid_file)
                (void)unlink(pid_file);
        if (job_string(j, PLAN_CREDENTIALS))
                directory_remove(job_string(j, PLAN_CREDENTIALS));
        if (job_string(j, PLAN_PRIVATE_TMP)) {
                char path[PATH_MAX];

                for (unsigned i = 0; i < 2; i++)
                        if ((size_t)snprintf(path, sizeof(path), "%s/supd-private-%s", i ? "/var/tmp" : "/tmp",
                                             job_string(j, PLAN_PRIVATE_TMP)) < sizeof(path))
                                directory_remove(path);
        }
        if (job_has(j, PLAN_REMOVE_IPC))
                ipc_remove(j);
        while (job_next_record(j, &offset, PLAN_REMOVE, &item)) {
                const char *base = plan_string(&item, NULL), *name = base;

                while (name && (name = plan_string(&item, name)))
                        remove_one(base, name);
        }
}
