/* SPDX-License-Identifier: MIT
 *
 * RemoveIPC=: what a user and a group left behind in System V and POSIX shared memory, semaphores and message queues.
 *
 * Not here: whether it is time for it (the manager knows whether others run as the same user). Invariant: nothing of
 * root's is touched, and what cannot be removed stays.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include "job.h"

enum { LIST_MAX = 16 * 1024 * 1024 };

struct whose {
        bool has_uid, has_gid;
        uid_t uid;
        gid_t gid;
};

static bool is_theirs(const struct whose *w, uid_t uid, gid_t gid)
{
        return (w->has_uid && w->uid != 0 && uid == w->uid) || (w->has_gid && w->gid != 0 && gid == w->gid);
}

static void remove_shm(int id)
{
        (void)shmctl(id, IPC_RMID, NULL);
}

static void remove_sem(int id)
{
        (void)semctl(id, 0, IPC_RMID);
}

static void remove_msg(int id)
{
        (void)msgctl(id, IPC_RMID, NULL);
}

/* Lists of the kernel: a heading, then lines whose numbered words are id, uid and gid. */
static const struct {
        const char *path;
        unsigned id, uid, gid;
        void (*remove)(int id);
} lists[] = {
        {"/proc/sysvipc/shm", 1, 7, 8, remove_shm},
        {"/proc/sysvipc/sem", 1, 4, 5, remove_sem},
        {"/proc/sysvipc/msg", 1, 7, 8, remove_msg},
};

static void remove_listed(const struct whose *w, size_t which)
{
        cleanup_buf_ struct buf b = {0};
        char *line, *save = NULL;

        if (file_read(lists[which].path, LIST_MAX, &b) < 0 || b.size == 0)
                return;
        line = strtok_r(b.data, "\n", &save);
        while (line && (line = strtok_r(NULL, "\n", &save))) {
                unsigned long long v[9] = {0};
                char *p = line;

                for (size_t i = 0; i < ARRAY_SIZE(v); i++)
                        v[i] = strtoull(p, &p, 10);
                if (is_theirs(w, (uid_t)v[lists[which].uid], (gid_t)v[lists[which].gid]))
                        lists[which].remove((int)v[lists[which].id]);
        }
}

static void remove_files(const struct whose *w, const char *directory)
{
        DIR *d = opendir(directory);
        struct dirent *e;

        while (d && (e = readdir(d))) {
                struct stat st;

                if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
                    is_theirs(w, st.st_uid, st.st_gid))
                        (void)unlinkat(dirfd(d), e->d_name, 0);
        }
        if (d)
                (void)closedir(d);
}

void ipc_remove(struct job *j)
{
        struct whose w = {0};
        const char *user = job_string(j, PLAN_USER), *group = job_string(j, PLAN_GROUP);

        w.has_uid = user && user_find(user, &w.uid) == 0;
        w.has_gid = group && group_find(group, &w.gid) == 0;
        if (!w.has_uid && !w.has_gid)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                remove_listed(&w, i);
        remove_files(&w, "/dev/shm");
        remove_files(&w, "/dev/mqueue");
}
