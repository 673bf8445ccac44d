/* SPDX-License-Identifier: MIT
 *
 * /proc/PID/stat, read by hand. Not here: libraries for it. Invariant: the command name may hold anything, so fields
 * are counted from its last parenthesis.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/util.h"
#include "proc.h"

uint64_t boottime_us(void)
{
        struct timespec ts;
        (void)clock_gettime(CLOCK_BOOTTIME, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000;
}

void sleep_us(uint64_t us)
{
        struct timespec ts = {.tv_sec = (time_t)(us / USEC_PER_SEC), .tv_nsec = (long)(us % USEC_PER_SEC) * 1000};
        while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
                ;
}

static ssize_t read_file(const char *path, char *text, size_t size)
{
        cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        ssize_t n = read(fd, text, size - 1);
        if (n < 0)
                return -errno;
        text[n] = 0;
        return n;
}

int proc_read(pid_t pid, struct proc *ret)
{
        char path[64], text[1024];
        struct proc p = {.pid = pid};
        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        if (read_file(path, text, sizeof(text)) <= 0)
                return -ESRCH;
        char *open_ = strchr(text, '('), *close_ = strrchr(text, ')');
        if (!open_ || !close_ || close_[1] != ' ')
                return -ESRCH;
        *close_ = 0;
        (void)snprintf(p.comm, sizeof(p.comm), "%s", open_ + 1);
        char *f = close_ + 2;
        p.state = *f;
        p.ppid = (pid_t)strtol(f + 1, NULL, 10);
        for (int field = 3; f && field < 22; field++) {
                f = strchr(f, ' ');
                f = f ? f + 1 : NULL;
        }
        if (!f)
                return -ESRCH;
        p.ticks = strtoull(f, NULL, 10);
        *ret = p;
        return 0;
}

bool proc_lives(pid_t pid, uint64_t ticks)
{
        struct proc p;
        return pid > 0 && proc_read(pid, &p) == 0 && p.ticks == ticks && p.state != 'Z' && p.state != 'X';
}

void proc_cmdline(pid_t pid, char *ret, size_t size)
{
        char path[64];
        (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
        ssize_t n = read_file(path, ret, size);
        if (n <= 0)
                ret[0] = 0;
        for (ssize_t i = 0; i + 1 < n; i++)
                if (ret[i] == 0)
                        ret[i] = ' ';
}

static int list_add(struct proc_list *l, const struct proc *p)
{
        if (l->n == l->allocated) {
                unsigned n = l->allocated ? 2 * l->allocated : 256;
                struct proc *v = realloc(l->v, n * sizeof(*v));
                if (!v)
                        return -ENOMEM;
                l->v = v;
                l->allocated = n;
        }
        l->v[l->n++] = *p;
        return 0;
}

/* A child may have a lower pid than its parent, so go round until nothing changes; rarely more than twice. */
static void mark_below(struct proc_list *l, pid_t root)
{
        bool changed = true;
        while (changed) {
                changed = false;
                for (unsigned i = 0; i < l->n; i++) {
                        struct proc *p = &l->v[i];
                        if (p->below)
                                continue;
                        const struct proc *parent = p->ppid == root ? NULL : proc_list_find(l, p->ppid);
                        if (p->ppid == root || (parent && parent->below))
                                p->below = changed = true;
                }
        }
}

int proc_list_read(struct proc_list *l, pid_t root)
{
        DIR *dir = opendir("/proc");
        int r = 0;
        l->n = 0;
        if (!dir)
                return -errno;
        for (struct dirent *e; r >= 0 && (e = readdir(dir));) {
                struct proc p;
                if (!isdigit((unsigned char)e->d_name[0]))
                        continue;
                if (proc_read((pid_t)atoi(e->d_name), &p) == 0)
                        r = list_add(l, &p);
        }
        (void)closedir(dir);
        if (r >= 0)
                mark_below(l, root);
        return r;
}

void proc_list_done(struct proc_list *l)
{
        free(l->v);
        memset(l, 0, sizeof(*l));
}

const struct proc *proc_list_find(const struct proc_list *l, pid_t pid)
{
        for (unsigned i = 0; i < l->n; i++)
                if (l->v[i].pid == pid)
                        return &l->v[i];
        return NULL;
}

unsigned proc_kill_matching(const char *text)
{
        struct proc_list l = {0};
        unsigned n = 0;
        if (proc_list_read(&l, 1) < 0)
                return 0;
        for (unsigned i = 0; i < l.n; i++) {
                char line[4096];
                if (l.v[i].pid == getpid())
                        continue;
                proc_cmdline(l.v[i].pid, line, sizeof(line));
                if (line[0] && strstr(line, text) && kill(l.v[i].pid, SIGKILL) == 0)
                        n++;
        }
        proc_list_done(&l);
        return n;
}
