/* SPDX-License-Identifier: MIT
 * See shutdown.h. Zombies do not count: PID 1 reaps them meanwhile.
 */
#include "shutdown.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TERM_GRACE (10 * USEC_PER_SEC)
#define KILL_GRACE (10 * USEC_PER_SEC)
#define LOOK_EVERY (20 * USEC_PER_MSEC)
#define KTHREADD   2

static ssize_t read_of(pid_t pid, const char *file, char *ret, size_t size)
{
        char path[64];
        ssize_t n;
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, ret, size - 1);
        (void)close(fd);
        ret[n > 0 ? n : 0] = 0;
        return n;
}

/* A process that lives, is not the kernel's, and does not ask to be left. */
static bool is_to_end(pid_t pid)
{
        char stat[1024], *rest, state;
        int parent;

        if (pid <= 1 || pid == getpid() || pid == KTHREADD || read_of(pid, "stat", stat, sizeof(stat)) <= 0)
                return false;
        rest = strrchr(stat, ')'); /* the name may hold anything */
        if (!rest || sscanf(rest + 1, " %c %d", &state, &parent) != 2 || state == 'Z' || state == 'X' ||
            parent == KTHREADD)
                return false;
        return read_of(pid, "cmdline", stat, sizeof(stat)) <= 0 || stat[0] != '@';
}

/* Sends SIGNO (0: only counts) to whoever is to end. Returns how many there are. */
static unsigned signal_all(int signo)
{
        DIR *d = opendir("/proc");
        struct dirent *e;
        unsigned n = 0;

        if (!d)
                return 0;
        while ((e = readdir(d))) {
                pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

                if (!is_to_end(pid))
                        continue;
                n++;
                if (signo != 0)
                        (void)kill(pid, signo);
                if (signo == SIGTERM)
                        (void)kill(pid, SIGCONT);
        }
        (void)closedir(d);
        return n;
}

/* True: nobody is left. SIGKILL is sent at every look: what is forked meanwhile gets it, too. */
static bool end_with(int signo, uint64_t grace)
{
        uint64_t until = now_us() + grace;

        (void)signal_all(signo);
        while (signal_all(signo == SIGKILL ? signo : 0) > 0) {
                if (now_us() >= until)
                        return false;
                sleep_us(LOOK_EVERY);
        }
        return true;
}

void processes_end(void)
{
        if (signal_all(0) == 0 || end_with(SIGTERM, TERM_GRACE))
                return;
        (void)fprintf(stderr, "supd: killing what did not end by SIGTERM\n");
        if (!end_with(SIGKILL, KILL_GRACE))
                (void)fprintf(stderr, "supd: %u processes cannot be killed; going on\n", signal_all(0));
}
