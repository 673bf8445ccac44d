/* SPDX-License-Identifier: MIT
 *
 * Users and groups: /etc/passwd and /etc/group read here, since a static program has no name service of its own; what
 * is not there is asked of getent(1). Numbers need neither. root and nobody exist without any file.
 *
 * Not here: LDAP and its kin, other than through getent. A user found in /etc/passwd has the groups of /etc/group.
 * Invariant: no name is taken for a number and no number for a name; a start whose user is not known does not happen.
 */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "job.h"

enum { DATABASE_MAX = 16 * 1024 * 1024, MAX_GROUPS = 65536 };

/* A line "a:b:c…" of a database, taken apart in place. */
struct line {
        char *field[8];
        unsigned n;
};

static bool take_line(char **text, struct line *ret)
{
        char *p = *text, *end;

        if (!p || !*p)
                return false;
        end = strchr(p, '\n');
        *text = end ? end + 1 : NULL;
        if (end)
                *end = 0;
        *ret = (struct line){0};
        while (ret->n < ARRAY_SIZE(ret->field)) {
                ret->field[ret->n++] = p;
                p = strchr(p, ':');
                if (!p)
                        break;
                *p++ = 0;
        }
        return true;
}

/* A decimal id; 2^32-1 and 2^16-1 are no ids (they mean "unchanged"). */
static bool parse_id(const char *s, uint32_t *ret)
{
        unsigned long long v;
        char *end;

        if (*s < '0' || *s > '9')
                return false;
        errno = 0;
        v = strtoull(s, &end, 10);
        if (*end || errno || v > UINT32_MAX || v == UINT32_MAX || v == UINT16_MAX)
                return false;
        *ret = (uint32_t)v;
        return true;
}

/* Runs getent DATABASE KEY. Its output goes to B. 0, -ESRCH (not known), or what went wrong. */
static int ask_getent(const char *database, const char *key, struct buf *b)
{
        char *const argv[] = {(char *)"getent", (char *)"--", (char *)database, (char *)key, NULL};
        static char *const environment[] = {(char *)"PATH=/usr/bin:/bin:/usr/sbin:/sbin", NULL};
        int fds[2], status = 0, r = 0;
        ssize_t n;
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        pid = vfork();
        if (pid == 0) {
                (void)dup2(fds[1], STDOUT_FILENO);
                (void)execve("/usr/bin/getent", argv, environment);
                (void)execve("/bin/getent", argv, environment);
                _exit(127);
        }
        (void)close(fds[1]);
        do {
                r = buf_reserve(b, 4096);
                n = r < 0 ? 0 : read(fds[0], b->data + b->size, b->allocated - b->size - 1);
                if (n > 0) {
                        b->size += (size_t)n;
                        b->data[b->size] = 0;
                }
        } while (n > 0 || (n < 0 && errno == EINTR));
        (void)close(fds[0]);
        if (pid < 0)
                return -EAGAIN;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (r < 0)
                return r;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 && b->size > 0 ? 0 : -ESRCH;
}

/* Looks for the line whose name (field 0) or number (field 2) is KEY: in the file, and for names with getent, and says
 * where. The line points into B. */
static int find_line(const char *path, const char *database, const char *key, struct buf *b, struct line *ret,
                     bool *ret_remote)
{
        uint32_t id = 0, other;
        bool numeric = parse_id(key, &id);
        char *text;
        int r = file_read(path, DATABASE_MAX, b);

        if (r < 0 && r != -ENOENT && r != -EACCES)
                return r;
        for (int from_getent = 0; from_getent < 2; from_getent++) {
                text = b->data;
                while (take_line(&text, ret))
                        if (ret->n >= 3 &&
                            (numeric ? parse_id(ret->field[2], &other) && other == id : streq(ret->field[0], key))) {
                                *ret_remote = from_getent;
                                return 0;
                        }
                if (numeric || from_getent)
                        break;
                buf_reset(b);
                r = ask_getent(database, key, b);
                if (r < 0)
                        return r;
        }
        return -ESRCH;
}

/* NAME, a number or a name of DATABASE, whose file is PATH; NOBODY: names that mean 65534 also where no file has them.
 */
static int id_find(const char *path, const char *database, const char *name, const char *const *nobody, uint32_t *ret)
{
        cleanup_buf_ struct buf b = {0};
        struct line line;
        bool remote;
        int r;

        if (parse_id(name, ret))
                return 0;
        r = find_line(path, database, name, &b, &line, &remote);
        if (r == 0 && parse_id(line.field[2], ret))
                return 0;
        if (streq(name, "root")) {
                *ret = 0;
                return 0;
        }
        for (; *nobody; nobody++)
                if (streq(name, *nobody)) {
                        *ret = 65534;
                        return 0;
                }
        return r < 0 ? r : -ESRCH;
}

int group_find(const char *name, gid_t *ret)
{
        return id_find("/etc/group", "group", name, (const char *const[]){"nobody", "nogroup", NULL}, ret);
}

int user_find(const char *name, uid_t *ret)
{
        return id_find("/etc/passwd", "passwd", name, (const char *const[]){"nobody", NULL}, ret);
}

static bool shell_is_real(const char *shell)
{
        static const char *const none[] = {"nologin", "false", "true"};
        const char *name = strrchr(shell, '/');

        for (size_t i = 0; i < ARRAY_SIZE(none); i++)
                if (name && streq(name + 1, none[i]))
                        return false;
        return shell[0] != 0;
}

static int take_user(struct identity *id, const struct line *l)
{
        uint32_t uid, gid;

        if (l->n < 4 || !parse_id(l->field[2], &uid) || !parse_id(l->field[3], &gid))
                return -ESRCH;
        id->uid = uid;
        id->gid = gid;
        id->has_uid = id->has_gid = true;
        id->name = strdup(l->field[0]);
        if (!id->name)
                return -ENOMEM;
        /* as systemd: a home that says nothing and a shell that is none are not told to the service */
        if (l->n > 5 && l->field[5][0] == '/' && l->field[5][1])
                id->home = strdup(l->field[5]);
        if (l->n > 6 && shell_is_real(l->field[6]))
                id->shell = strdup(l->field[6]);
        return 0;
}

/* User=. A number without an entry is taken as it is; then no home and no group are known. */
static int find_user(struct identity *id, const char *user)
{
        cleanup_buf_ struct buf b = {0};
        struct line line;
        uint32_t number;
        int r = find_line("/etc/passwd", "passwd", user, &b, &line, &id->is_remote);

        id->has_user = true;
        if (r == 0)
                return take_user(id, &line);
        if (streq(user, "root") || streq(user, "0")) {
                struct line root = {.field = {(char *)"root", (char *)"x", (char *)"0", (char *)"0", (char *)"",
                                              (char *)"/root", (char *)"/bin/sh"},
                                    .n = 7};
                return take_user(id, &root);
        }
        if (streq(user, "nobody") || streq(user, "65534")) {
                struct line nobody = {.field = {(char *)"nobody", (char *)"x", (char *)"65534", (char *)"65534"},
                                      .n = 4};
                return take_user(id, &nobody);
        }
        if (!parse_id(user, &number))
                return r;
        id->uid = number;
        id->has_uid = true;
        id->name = strdup(user);
        return id->name ? 0 : -ENOMEM;
}

static int add_group(struct identity *id, gid_t gid)
{
        gid_t *p;

        for (size_t i = 0; i < id->n_groups; i++)
                if (id->groups[i] == gid)
                        return 0;
        if (id->n_groups >= MAX_GROUPS)
                return -E2BIG;
        p = reallocarray(id->groups, id->n_groups + 1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        p[id->n_groups++] = gid;
        id->groups = p;
        return 0;
}

static bool is_member(const char *members, const char *name)
{
        size_t n = strlen(name);

        for (const char *p = members; *p; p += strspn(p, ",")) {
                size_t length = strcspn(p, ",");

                if (length == n && memcmp(p, name, n) == 0)
                        return true;
                p += length;
        }
        return false;
}

/* The groups of /etc/group that list the user. */
static int add_local_groups(struct identity *id)
{
        cleanup_buf_ struct buf b = {0};
        struct line line;
        uint32_t gid;
        char *text;
        int r = file_read("/etc/group", DATABASE_MAX, &b);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        text = b.data;
        while (take_line(&text, &line))
                if (line.n >= 4 && is_member(line.field[3], id->name) && parse_id(line.field[2], &gid)) {
                        r = add_group(id, gid);
                        if (r < 0)
                                return r;
                }
        return 0;
}

/* "name 1 2 3" from getent initgroups. */
static int add_remote_groups(struct identity *id)
{
        cleanup_buf_ struct buf b = {0};
        int r = ask_getent("initgroups", id->name, &b);
        char *p, *save = NULL;
        uint32_t gid;

        if (r < 0)
                return r == -ESRCH ? 0 : r;
        p = strtok_r(b.data, " \t\n", &save);
        while (p && (p = strtok_r(NULL, " \t\n", &save)))
                if (parse_id(p, &gid)) {
                        r = add_group(id, gid);
                        if (r < 0)
                                return r;
                }
        return 0;
}

/* The list for setgroups: the user's own groups and SupplementaryGroups=. */
static int find_groups(struct job *j)
{
        struct identity *id = &j->identity;
        gid_t gid;
        int r = 0;

        if (id->has_uid && id->uid != 0 && id->name && id->has_gid) {
                r = add_group(id, id->gid);
                if (r == 0)
                        r = id->is_remote ? add_remote_groups(id) : add_local_groups(id);
        }
        for (const char *s = job_next(j, PLAN_SUPPLEMENTARY, NULL); s && r == 0;
             s = job_next(j, PLAN_SUPPLEMENTARY, s)) {
                r = group_find(s, &gid);
                if (r == 0)
                        r = add_group(id, gid);
        }
        return r;
}

int identity_find(struct job *j)
{
        const char *user = job_string(j, PLAN_USER), *group = job_string(j, PLAN_GROUP);
        int r;

        if (user) {
                r = find_user(&j->identity, user);
                if (r < 0)
                        return job_fail(j, PLAN_STEP_USER, -r, EXIT_CODE_USER);
        }
        if (group) {
                r = group_find(group, &j->identity.gid);
                if (r < 0)
                        return job_fail(j, PLAN_STEP_GROUP, -r, EXIT_CODE_GROUP);
                j->identity.has_gid = true;
        }
        if (!job_flag(j, PLAN_FLAG_IDENTITY))
                return 0;
        r = find_groups(j);
        return r < 0 ? job_fail(j, PLAN_STEP_GROUP, -r, EXIT_CODE_GROUP) : 0;
}

/* libc's wrappers of the next calls tell other threads; here is none, and our memory is borrowed. */
int identity_set_groups(struct job *j)
{
        const struct identity *id = &j->identity;
        bool wanted = id->n_groups > 0 || id->has_uid || job_has(j, PLAN_SUPPLEMENTARY);

        if (!job_flag(j, PLAN_FLAG_IDENTITY))
                return 0;
        if (wanted && geteuid() == 0 && syscall(SYS_setgroups, id->n_groups, id->groups) < 0)
                return job_fail(j, PLAN_STEP_GROUP, errno, EXIT_CODE_GROUP);
        if (id->has_gid && (id->gid != getgid() || id->gid != getegid()) &&
            syscall(SYS_setresgid, id->gid, id->gid, id->gid) < 0)
                return job_fail(j, PLAN_STEP_GROUP, errno, EXIT_CODE_GROUP);
        return 0;
}

int identity_set_user(struct job *j)
{
        const struct identity *id = &j->identity;

        if (!job_flag(j, PLAN_FLAG_IDENTITY) || !id->has_uid || (id->uid == getuid() && id->uid == geteuid()))
                return 0;
        if ((job_has(j, PLAN_AMBIENT) || job_has(j, PLAN_SECURE_BITS)) && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
                return job_fail(j, PLAN_STEP_CAPABILITIES, errno, EXIT_CODE_CAPABILITIES);
        if (syscall(SYS_setresuid, id->uid, id->uid, id->uid) < 0)
                return job_fail(j, PLAN_STEP_USER, errno, EXIT_CODE_USER);
        return 0;
}
