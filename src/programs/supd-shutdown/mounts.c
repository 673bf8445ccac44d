/* SPDX-License-Identifier: MIT
 *
 * See shutdown.h. Mounts go from the last one made to the first, so that what lies below another goes before it; one
 * that is busy is tried again in the next round, since a loop device or swap may have held it. What stays is made
 * read-only, the root at any rate. The kernel's own file systems hold nothing and stay.
 */
#include "shutdown.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <unistd.h>

#define LOOP_CLR_FD 0x4C01 /* linux/loop.h, which musl does not bring */

enum { ROUNDS_MAX = 16, MOUNTS_MAX = 4096 };

struct mount {
        char *path; /* owned */
        bool read_only;
};

/* Blanks are written \040 there. */
static void unescape(char *s)
{
        char *to = s;

        while (*s)
                if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
                        *to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
                        s += 4;
                } else {
                        *to++ = *s++;
                }
        *to = 0;
}

/* Where the kernel shows itself: nothing there is on a disk. */
static bool is_of_kernel(const char *path)
{
        static const char *const tops[] = {"/proc", "/sys", "/dev", "/run"};

        for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
                size_t n = strlen(tops[i]);

                if (strncmp(path, tops[i], n) == 0 && (path[n] == 0 || path[n] == '/'))
                        return true;
        }
        return false;
}

/* "ID PARENT DEV ROOT POINT OPTIONS …"; the root is no row. Returns how many. */
static size_t mounts_read(struct mount *ret)
{
        FILE *f = fopen("/proc/self/mountinfo", "re");
        char *line = NULL;
        size_t size = 0, n = 0;

        if (!f)
                return 0;
        while (n < MOUNTS_MAX && getline(&line, &size, f) >= 0) {
                char *save = NULL, *point = NULL, *options;

                for (unsigned i = 0; i < 5; i++)
                        point = strtok_r(i == 0 ? line : NULL, " ", &save);
                options = strtok_r(NULL, " ", &save);
                if (!point || !options)
                        continue;
                unescape(point);
                if (streq(point, "/") || is_of_kernel(point))
                        continue;
                ret[n].path = strdup(point);
                ret[n].read_only = strncmp(options, "ro", 2) == 0 && (options[2] == ',' || options[2] == 0);
                if (ret[n].path)
                        n++;
        }
        free(line);
        (void)fclose(f);
        return n;
}

/* Returns how many gave way. LAST: what does not is made read-only, and named. */
static unsigned unmount_round(bool last)
{
        static struct mount mounts[MOUNTS_MAX];
        size_t n = mounts_read(mounts);
        unsigned gone = 0;

        while (n-- > 0) {
                struct mount *m = &mounts[n];

                if (umount2(m->path, UMOUNT_NOFOLLOW) == 0) {
                        gone++;
                } else if (last && !m->read_only) {
                        int e = errno;
                        bool done = mount(NULL, m->path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0;

                        (void)fprintf(stderr, "supd: %s cannot be unmounted: %s%s\n", m->path, strerror(e),
                                      done ? "; it is read-only now" : "");
                }
                free(m->path);
        }
        return gone;
}

static unsigned swap_round(void)
{
        FILE *f = fopen("/proc/swaps", "re");
        char *line = NULL;
        size_t size = 0;
        unsigned gone = 0;

        while (f && getline(&line, &size, f) >= 0) {
                if (*line != '/')
                        continue;
                line[strcspn(line, " \t")] = 0;
                unescape(line);
                gone += swapoff(line) == 0;
        }
        free(line);
        if (f)
                (void)fclose(f);
        return gone;
}

/* A loop device holds the file system of its file. */
static unsigned loop_round(void)
{
        DIR *d = opendir("/sys/block");
        struct dirent *e;
        unsigned gone = 0;

        while (d && (e = readdir(d))) {
                char path[300];
                int fd;

                if (strncmp(e->d_name, "loop", 4) != 0)
                        continue;
                (void)snprintf(path, sizeof(path), "/sys/block/%.200s/loop/backing_file", e->d_name);
                if (access(path, F_OK) < 0)
                        continue;
                (void)snprintf(path, sizeof(path), "/dev/%.200s", e->d_name);
                fd = open(path, O_RDONLY | O_CLOEXEC);
                if (fd < 0)
                        continue;
                gone += ioctl(fd, LOOP_CLR_FD, 0) == 0;
                (void)close(fd);
        }
        if (d)
                (void)closedir(d);
        return gone;
}

void mounts_end(void)
{
        for (unsigned i = 0; i < ROUNDS_MAX; i++)
                if (unmount_round(false) + swap_round() + loop_round() == 0)
                        break;
        (void)unmount_round(true);
        (void)mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
}
