/* SPDX-License-Identifier: MIT
 *
 * See sample.h. Not here: any opinion but the slack below. Invariant: a process that goes while it is looked at is no
 * sample, rather than a wrong one.
 */
#include "sample.h"

#include <dirent.h>
#include <stdio.h>

#include "proc.h"

static unsigned entries(const char *path, const char *containing)
{
        DIR *d = opendir(path);
        struct dirent *e;
        unsigned n = 0;
        while (d && (e = readdir(d)))
                n += e->d_name[0] != '.' && (!containing || strstr(e->d_name, containing));
        if (d)
                (void)closedir(d);
        return n;
}

static unsigned lines(const char *path, const char *containing)
{
        char line[4096];
        unsigned n = 0;
        FILE *f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f))
                n += !containing || strstr(line, containing);
        if (f)
                (void)fclose(f);
        return n;
}

static unsigned private_kb(pid_t pid)
{
        char path[64], line[256];
        unsigned kb = 0, sum = 0;
        (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
        FILE *f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "Private_Clean: %u", &kb) == 1 || sscanf(line, "Private_Dirty: %u", &kb) == 1)
                        sum += kb;
        if (f)
                (void)fclose(f);
        return sum;
}

static unsigned fds(pid_t pid)
{
        char path[64];
        (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
        return entries(path, NULL);
}

int sample_take(const struct rig *r, struct sample *ret)
{
        struct proc_list l = {0};
        pid_t manager = rig_manager(r), launcher = 0;
        int e = proc_list_read(&l, r->keeper);
        *ret = (struct sample){0};
        for (unsigned i = 0; e >= 0 && i < l.n; i++) {
                if (!l.v[i].below || streq(l.v[i].comm, "supd-bus"))
                        continue;
                ret->processes++;
                if (streq(l.v[i].comm, "supd-exec") && l.v[i].ppid == manager)
                        launcher = l.v[i].pid;
        }
        proc_list_done(&l);
        ret->keeper_fds = fds(r->keeper);
        ret->manager_fds = fds(manager);
        ret->launcher_fds = fds(launcher);
        ret->keeper_kb = private_kb(r->keeper);
        ret->manager_kb = private_kb(manager);
        ret->launcher_kb = private_kb(launcher);
        ret->shm = entries("/dev/shm", r->name);
        ret->files = entries(r->runtime, NULL);
        ret->mounts = lines("/proc/self/mountinfo", r->dir);
        ret->sockets = lines("/proc/net/unix", r->dir);
        return e < 0 || ret->keeper_kb == 0 || ret->manager_kb == 0 || ret->launcher_kb == 0 ? -ESRCH : 0;
}

void sample_print(const char *label, const struct sample *s)
{
        (void)printf(
                "%-24s fds %u/%u/%u  private KiB %u/%u/%u  processes %u  shm %u  files %u  mounts %u  sockets %u\n",
                label, s->keeper_fds, s->manager_fds, s->launcher_fds, s->keeper_kb, s->manager_kb, s->launcher_kb,
                s->processes, s->shm, s->files, s->mounts, s->sockets);
}

const char *sample_grew(const struct sample *a, const struct sample *b)
{
        const struct {
                const char *name;
                unsigned before, after, slack;
        } rows[] = {
                {"fds of the keeper", a->keeper_fds, b->keeper_fds, 4}, /* of kept binaries: at most so many */
                {"fds of the manager", a->manager_fds, b->manager_fds, 4},
                {"fds of the launcher", a->launcher_fds, b->launcher_fds, 4},
                {"memory of the keeper", a->keeper_kb, b->keeper_kb, 64},
                {"memory of the manager", a->manager_kb, b->manager_kb, 512}, /* buffers that bursts have made large */
                {"memory of the launcher", a->launcher_kb, b->launcher_kb, 128},
                {"processes", a->processes, b->processes, 0},
                {"names in /dev/shm", a->shm, b->shm, 0},
                {"files", a->files, b->files, 1},
                {"mounts", a->mounts, b->mounts, 0},
                {"sockets", a->sockets, b->sockets, 2},
        };
        for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].after > rows[i].before + rows[i].slack)
                        return rows[i].name;
        return NULL;
}
