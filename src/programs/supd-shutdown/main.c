/* SPDX-License-Identifier: MIT
 *
 * See shutdown.h: the order of it. Writing to disk comes first and last, so that as much as can be is safe when the
 * keeper loses its patience in between.
 */
#include "shutdown.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HOOKS "/usr/lib/systemd/system-shutdown"

uint64_t now_us(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

void sleep_us(uint64_t us)
{
        const struct timespec t = {.tv_sec = (time_t)(us / USEC_PER_SEC), .tv_nsec = (long)(us % USEC_PER_SEC) * 1000};

        (void)nanosleep(&t, NULL);
}

static int is_visible(const struct dirent *e)
{
        return e->d_name[0] != '.';
}

/* Each with WHAT as its argument, all at once, as systemd runs them. */
static void hooks_run(const char *what)
{
        struct dirent **names;
        int n = scandir(HOOKS, &names, is_visible, alphasort);

        for (int i = 0; i < n; i++) {
                char path[sizeof(HOOKS) + 258], word[32];
                char *argv[] = {path, word, NULL};

                (void)snprintf(path, sizeof(path), HOOKS "/%.255s", names[i]->d_name);
                (void)snprintf(word, sizeof(word), "%s", what);
                if (access(path, X_OK) == 0 && fork() == 0) {
                        (void)execve(path, argv, environ);
                        _exit(127);
                }
                free(names[i]);
        }
        if (n >= 0)
                free(names);
        while (wait(NULL) > 0)
                ;
}

int main(int argc, char **argv)
{
        if (argc != 2 || getppid() != 1) {
                (void)fprintf(stderr, "supd-shutdown is run by supd as the init of a machine, not by hand\n");
                return 2;
        }
        (void)mlockall(MCL_CURRENT | MCL_FUTURE); /* swap goes, and with it the disk we came from */
        (void)chdir("/");
        sync();
        processes_end();
        mounts_end();
        hooks_run(argv[1]);
        sync();
        return 0;
}
