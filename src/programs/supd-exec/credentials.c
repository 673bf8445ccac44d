/* SPDX-License-Identifier: MIT
 *
 * LoadCredential= and SetCredential=: files that only the service can read, in a directory of its own below /run, made
 * before the first command of a start and removed by the clean-up.
 *
 * Not here: encryption; the directory is no file system of its own, so what protects it are its mode and its owner, and
 * that /run is memory. Invariant: the service sees a whole directory or none: it is filled under another name.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "job.h"

enum { CREDENTIAL_MAX = 1024 * 1024, DEPTH_MAX = 8 };

/* Where a name without a path is looked for, behind what supd itself was given. */
static const char *const stores[] = {"/etc/credstore", "/run/credstore", "/usr/local/lib/credstore",
                                     "/usr/lib/credstore"};

static int write_one(const struct job *j, int dir, const char *id, const void *data, size_t size)
{
        const struct identity *i = &j->identity;
        cleanup_close_ int fd = openat(dir, id, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);

        if (fd < 0)
                return errno == EEXIST ? 0 : -errno; /* the first that gives it counts */
        for (size_t done = 0; done < size;) {
                ssize_t n = write(fd, (const char *)data + done, size - done);

                if (n < 0)
                        return -errno;
                done += (size_t)n;
        }
        if (i->has_uid && i->uid != geteuid() && fchown(fd, i->uid, (gid_t)-1) < 0)
                return -errno;
        return 0;
}

/* All that a socket says until it closes. */
static int read_socket(const char *path, struct buf *b)
{
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ssize_t n;

        if (strlen(path) >= sizeof(sa.sun_path))
                return -ENAMETOOLONG;
        memcpy(sa.sun_path, path, strlen(path));
        if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
                return -errno;
        do {
                char part[4096];

                n = read(fd, part, sizeof(part));
                if (n < 0)
                        return -errno;
                if (b->size + (size_t)n > CREDENTIAL_MAX)
                        return -E2BIG;
                if (n > 0 && buf_append(b, part, (size_t)n) < 0)
                        return -ENOMEM;
        } while (n > 0);
        return 0;
}

static int load_path(const struct job *j, int dir, const char *id, const char *path, unsigned depth);

/* Each file of a directory, as ID_NAME. */
static int load_directory(const struct job *j, int dir, const char *id, const char *path, unsigned depth)
{
        DIR *d = depth < DEPTH_MAX ? opendir(path) : NULL;
        struct dirent *e;
        int r = d ? 0 : depth < DEPTH_MAX ? -errno : -ELOOP;

        while (r == 0 && d && (e = readdir(d))) {
                char below[PATH_MAX], name[NAME_MAX + 1];

                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                if ((size_t)snprintf(below, sizeof(below), "%s/%s", path, e->d_name) >= sizeof(below) ||
                    (size_t)snprintf(name, sizeof(name), "%s_%s", id, e->d_name) >= sizeof(name))
                        r = -ENAMETOOLONG;
                else
                        r = load_path(j, dir, name, below, depth + 1);
        }
        if (d)
                (void)closedir(d);
        return r;
}

static int load_path(const struct job *j, int dir, const char *id, const char *path, unsigned depth)
{
        cleanup_buf_ struct buf b = {0};
        struct stat st;
        int r;

        if (stat(path, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return load_directory(j, dir, id, path, depth);
        r = S_ISSOCK(st.st_mode) ? read_socket(path, &b) : file_read(path, CREDENTIAL_MAX, &b);
        return r < 0 ? r : write_one(j, dir, id, buf_str(&b), b.size);
}

/* A name: of supd's own credentials, or of a store. */
static int load_name(const struct job *j, int dir, const char *id, const char *name)
{
        const char *own = getenv("CREDENTIALS_DIRECTORY");
        char path[PATH_MAX];
        int r = -ENOENT;

        for (size_t i = 0; i <= ARRAY_SIZE(stores) && r == -ENOENT; i++) {
                const char *in = i == 0 ? own : stores[i - 1];

                if (in && (size_t)snprintf(path, sizeof(path), "%s/%s", in, name) < sizeof(path))
                        r = load_path(j, dir, id, path, 0);
        }
        return r;
}

static int fill(struct job *j, int dir)
{
        struct plan_item item;
        size_t offset = 0;

        while (job_next_record(j, &offset, PLAN_CREDENTIAL_FILE, &item)) {
                const char *id = plan_string(&item, NULL), *from = id ? plan_string(&item, id) : NULL;
                int r = !from ? -EBADMSG : *from == '/' ? load_path(j, dir, id, from, 0) : load_name(j, dir, id, from);

                if (r < 0 && !(r == -ENOENT && plan_word(&item, 0)))
                        return r;
        }
        offset = 0;
        while (job_next_record(j, &offset, PLAN_CREDENTIAL_DATA, &item)) {
                char id[NAME_MAX + 1];
                size_t n = plan_word(&item, 0);
                int r;

                if (n > NAME_MAX || n > item.tail_size)
                        return -EBADMSG;
                memcpy(id, item.tail, n);
                id[n] = 0;
                r = write_one(j, dir, id, item.tail + n, item.tail_size - n);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int make(struct job *j, const char *path)
{
        const struct identity *i = &j->identity;
        cleanup_close_ int dir = -1;
        char fresh[PATH_MAX];
        int r = make_parents(path);

        if (r < 0)
                return r;
        if ((size_t)snprintf(fresh, sizeof(fresh), "%s.%d", path, (int)getpid()) >= sizeof(fresh))
                return -ENAMETOOLONG;
        directory_remove(fresh);
        directory_remove(path);
        if (mkdir(fresh, 0700) < 0)
                return -errno;
        dir = open(fresh, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = dir < 0 ? -errno : fill(j, dir);
        if (r == 0 && fchmod(dir, 0500) < 0)
                r = -errno;
        if (r == 0 && i->has_uid && i->uid != geteuid() && fchown(dir, i->uid, (gid_t)-1) < 0)
                r = -errno;
        if (r == 0 && rename(fresh, path) < 0)
                r = -errno;
        if (r < 0)
                directory_remove(fresh);
        return r;
}

int credentials_create(struct job *j)
{
        int r;

        if (job_word(j, PLAN_CREDENTIALS, 0, 0) == 0)
                return 0;
        r = make(j, job_string(j, PLAN_CREDENTIALS));
        return r < 0 ? job_fail(j, PLAN_STEP_CREDENTIALS, -r, EXIT_CODE_CREDENTIALS) : 0;
}
