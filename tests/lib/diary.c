/* SPDX-License-Identifier: MIT
 *
 * The reader of the diaries. Not here: the writer (diary-service.c), which must stay free of this program's worries.
 * Invariant: a line is taken only when it is complete; every complete line is either understood or counted.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"
#include "diary.h"

static const char *const role_names[N_DIARY_ROLES] = {
        [DIARY_MAIN] = "main",
        [DIARY_STARTER] = "starter",
        [DIARY_CONTROL] = "control",
        [DIARY_CHILD] = "child",
};

const char *diary_role_name(enum diary_role r)
{
        return role_names[r];
}

static bool field_text(const char *line, const char *key, char *ret, size_t size)
{
        char wanted[24];
        (void)snprintf(wanted, sizeof(wanted), " %s=", key);
        const char *p = strstr(line, wanted);
        if (!p)
                return false;
        p += strlen(wanted);
        size_t n = strcspn(p, " \n");
        if (n >= size)
                return false;
        memcpy(ret, p, n);
        ret[n] = 0;
        return true;
}

static bool field_number(const char *line, const char *key, uint64_t *ret)
{
        char text[32];
        char *end;
        if (!field_text(line, key, text, sizeof(text)) || text[0] == 0)
                return false;
        errno = 0;
        uint64_t v = strtoull(text, &end, 10);
        if (errno != 0 || *end != 0)
                return false;
        *ret = v;
        return true;
}

static struct diary_process *newest(struct diary *d, pid_t pid)
{
        for (unsigned i = d->n; i-- > 0;)
                if (d->v[i].pid == pid)
                        return &d->v[i];
        return NULL;
}

static int process_add(struct diary *d, struct diary_process **ret)
{
        if (d->n == d->allocated) {
                unsigned n = d->allocated ? 2 * d->allocated : 16;
                struct diary_process *v = realloc(d->v, n * sizeof(*v));
                if (!v)
                        return -ENOMEM;
                d->v = v;
                d->allocated = n;
        }
        *ret = &d->v[d->n++];
        memset(*ret, 0, sizeof(**ret));
        return 0;
}

static int line_start(struct diary *d, const char *line, uint64_t pid)
{
        uint64_t ppid, t, ticks, gen;
        char role[16];
        struct diary_process w = {0};
        struct diary_process *p;
        if (!field_number(line, "ppid", &ppid) || !field_number(line, "t", &t) ||
            !field_number(line, "ticks", &ticks) || !field_number(line, "gen", &gen) ||
            !field_text(line, "role", role, sizeof(role)) ||
            !field_text(line, "inv", w.invocation, sizeof(w.invocation)) ||
            !field_text(line, "result", w.told_result, sizeof(w.told_result)) ||
            !field_text(line, "xcode", w.told_code, sizeof(w.told_code)) ||
            !field_text(line, "xstatus", w.told_status, sizeof(w.told_status)))
                return -EINVAL;
        unsigned r = 0;
        while (r < N_DIARY_ROLES && !streq(role, role_names[r]))
                r++;
        if (r == N_DIARY_ROLES)
                return -EINVAL;
        int e = process_add(d, &p);
        if (e < 0)
                return e;
        *p = w;
        p->pid = (pid_t)pid;
        p->ppid = (pid_t)ppid;
        p->start_us = t;
        p->start_ticks = ticks;
        p->generation = (unsigned)gen;
        p->role = r;
        return 0;
}

static int line_double(struct diary_process *p, const char *line)
{
        uint64_t holder;
        if (!field_number(line, "holder", &holder))
                return -EINVAL;
        p->doubled = (pid_t)holder;
        return 0;
}

static int line_ready(struct diary_process *p, const char *line unused_)
{
        p->ready = true;
        return 0;
}

static int line_signal(struct diary_process *p, const char *line)
{
        uint64_t sig;
        if (!field_number(line, "sig", &sig))
                return -EINVAL;
        p->last_signal = (int)sig;
        return 0;
}

static int line_end(struct diary_process *p, const char *line)
{
        uint64_t code, status, t;
        if (!field_number(line, "code", &code) || !field_number(line, "status", &status) ||
            !field_number(line, "t", &t))
                return -EINVAL;
        p->ended = true;
        p->code = (int)code;
        p->status = (int)status;
        p->end_us = t;
        return 0;
}

static int line_killed(struct diary_process *p, const char *line)
{
        uint64_t sig;
        if (!field_number(line, "sig", &sig))
                return -EINVAL;
        p->killed = (int)sig;
        return 0;
}

static const struct {
        const char *word;
        int (*take)(struct diary_process *p, const char *line);
} line_kinds[] = {
        {"double", line_double}, {"ready", line_ready},   {"signal", line_signal},
        {"end", line_end},       {"killed", line_killed},
};

static int line_take(struct diary *d, const char *line)
{
        uint64_t pid;
        if (!field_number(line, "pid", &pid) || pid == 0)
                return -EINVAL;
        if (starts_with(line, "start "))
                return line_start(d, line, pid);
        struct diary_process *p = newest(d, (pid_t)pid);
        size_t n = strcspn(line, " ");
        for (unsigned i = 0; i < ARRAY_SIZE(line_kinds); i++)
                if (strlen(line_kinds[i].word) == n && starts_with(line, line_kinds[i].word))
                        return p ? line_kinds[i].take(p, line) : -EINVAL;
        return -EINVAL;
}

static int diary_read(struct diaries *all, struct diary *d)
{
        char path[512], text[16384];
        (void)snprintf(path, sizeof(path), "%s/%s.diary", all->dir, d->name);
        cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        for (;;) {
                ssize_t n = pread(fd, text, sizeof(text) - 1, d->offset);
                if (n < 0)
                        return -errno;
                text[n] = 0;
                char *line = text, *end;
                while ((end = strchr(line, '\n'))) {
                        *end = 0;
                        int r = line_take(d, line);
                        if (r == -ENOMEM)
                                return r;
                        if (r < 0)
                                all->malformed++;
                        line = end + 1;
                }
                d->offset += line - text;
                if (line == text)
                        return 0;
        }
}

static int diary_get(struct diaries *all, const char *name, struct diary **ret)
{
        for (unsigned i = 0; i < all->n; i++)
                if (streq(all->v[i].name, name)) {
                        *ret = &all->v[i];
                        return 0;
                }
        if (all->n == all->allocated) {
                unsigned n = all->allocated ? 2 * all->allocated : 16;
                struct diary *v = realloc(all->v, n * sizeof(*v));
                if (!v)
                        return -ENOMEM;
                all->v = v;
                all->allocated = n;
        }
        struct diary *d = &all->v[all->n];
        memset(d, 0, sizeof(*d));
        if ((size_t)snprintf(d->name, sizeof(d->name), "%s", name) >= sizeof(d->name))
                return -ENAMETOOLONG;
        all->n++;
        *ret = d;
        return 0;
}

int diaries_open(struct diaries *d, const char *dir)
{
        memset(d, 0, sizeof(*d));
        if ((size_t)snprintf(d->dir, sizeof(d->dir), "%s", dir) >= sizeof(d->dir))
                return -ENAMETOOLONG;
        return diaries_update(d);
}

int diaries_update(struct diaries *d)
{
        DIR *dir = opendir(d->dir);
        if (!dir)
                return -errno;
        int r = 0;
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                struct diary *one;
                if (!ends_with(e->d_name, ".diary"))
                        continue;
                char name[256];
                (void)snprintf(name, sizeof(name), "%.*s", (int)(strlen(e->d_name) - strlen(".diary")), e->d_name);
                r = diary_get(d, name, &one);
                if (r >= 0)
                        r = diary_read(d, one);
        }
        (void)closedir(dir);
        return r;
}

void diaries_close(struct diaries *d)
{
        for (unsigned i = 0; i < d->n; i++)
                free(d->v[i].v);
        free(d->v);
        memset(d, 0, sizeof(*d));
}

const struct diary *diaries_find(const struct diaries *d, const char *name)
{
        for (unsigned i = 0; i < d->n; i++)
                if (streq(d->v[i].name, name))
                        return &d->v[i];
        return NULL;
}

const struct diary_process *diaries_find_process(const struct diaries *d, pid_t pid, uint64_t ticks,
                                                 const struct diary **ret)
{
        for (unsigned i = 0; i < d->n; i++)
                for (unsigned k = d->v[i].n; k-- > 0;) {
                        const struct diary_process *p = &d->v[i].v[k];
                        if (p->pid == pid && p->start_ticks == ticks) {
                                *ret = &d->v[i];
                                return p;
                        }
                }
        return NULL;
}

const struct diary_process *diary_last_main(const struct diary *d)
{
        for (unsigned i = d->n; i-- > 0;)
                if (d->v[i].role == DIARY_MAIN)
                        return &d->v[i];
        return NULL;
}

unsigned diary_count_mains(const struct diary *d)
{
        unsigned n = 0;
        for (unsigned i = 0; i < d->n; i++)
                n += d->v[i].role == DIARY_MAIN;
        return n;
}

void diary_process_end(const struct diary_process *p, int *ret_code, int *ret_status)
{
        *ret_code = p->ended ? p->code : CLD_KILLED;
        *ret_status = p->ended ? p->status : SIGKILL;
}

int diary_note_kill(const char *dir, const char *name, pid_t pid, int sig)
{
        char path[512], line[128];
        struct timespec ts;
        (void)clock_gettime(CLOCK_BOOTTIME, &ts);
        (void)snprintf(path, sizeof(path), "%s/%s.diary", dir, name);
        int n = snprintf(line, sizeof(line), "killed pid=%d sig=%d t=%llu\n", (int)pid, sig,
                         (unsigned long long)ts.tv_sec * 1000000 + (unsigned long long)ts.tv_nsec / 1000);
        cleanup_close_ int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return write(fd, line, (size_t)n) == n ? 0 : -EIO;
}
