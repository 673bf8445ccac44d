/* SPDX-License-Identifier: MIT
 *
 * A program of supd that went wrong on its way into a package: installed in the place of one, it does what the text at
 * the end of its own file says, and is the real one otherwise.
 *
 *     WRONG:real=PATH,check=HOW,run=HOW,protocol=N
 *
 * check: what it does when it is asked whether it can take over (--check-state=, --check); run: when it is to do the
 * work. HOW: exit, crash, hang; yes (check: says yes, whatever is so); later (run: the real one, killed after it has
 * supervised for a moment); back (run: as a keeper that finds that it cannot). protocol: what a launcher speaks.
 *
 * Not here: anything right. Invariant: it never outlives its parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/durable.h"

static char text[1024];

static const char *wanted(const char *key)
{
        static char value[512];
        const char *at = text;
        size_t n = strlen(key);

        while (at && *at) {
                if (strncmp(at, key, n) == 0 && at[n] == '=') {
                        (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + n + 1, ",\n"), at + n + 1);
                        return strdup(value);
                }
                at = strchr(at, ',');
                at = at ? at + 1 : NULL;
        }
        return NULL;
}

static void read_self(void)
{
        static char end[1024];
        int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        off_t size = lseek(fd, 0, SEEK_END);
        off_t from = size > (off_t)sizeof(end) - 1 ? size - (off_t)sizeof(end) + 1 : 0;
        ssize_t n = pread(fd, end, sizeof(end) - 1, from);

        for (ssize_t i = 0; i + 6 < n; i++)
                if (memcmp(end + i, "WRONG:", 6) == 0)
                        (void)snprintf(text, sizeof(text), "%s", end + i + 6);
        (void)close(fd);
}

static void hang(void)
{
        for (;;)
                (void)pause();
}

/* The real manager, and its end once it has supervised for a moment: again and again. */
static void later(char **argv, const char *real)
{
        int state = atoi(argv[1] + strlen("--fds="));
        void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, state, 0);
        pid_t parent = getpid(), pid = fork();

        if (pid != 0) {
                (void)execv(real, argv);
                _exit(99);
        }
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int fd = 3; fd < 1024; fd++)
                (void)close(fd);
        while (map != MAP_FAILED && atomic_load(&durable_header_of(map)->manager_healthy) == 0)
                (void)usleep(1000);
        (void)usleep(50 * 1000);
        if (getppid() == parent)
                (void)kill(parent, SIGSEGV);
        _exit(0);
}

/* Is there a handoff from a keeper? Then it is given back to the program it came from, as reexec.c does. */
static void back(int argc, char **argv)
{
        char path[64];
        int fd = -1, old = -1;
        unsigned tries = 1;

        for (int i = 1; i < argc; i++)
                if (strncmp(argv[i], "--handoff=", 10) == 0)
                        fd = atoi(argv[i] + 10);
        if (pread(fd, &old, sizeof(old), 24 + 7 * 4) != (ssize_t)sizeof(old) ||
            pwrite(fd, &tries, sizeof(tries), 20) != (ssize_t)sizeof(tries))
                _exit(98);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", old);
        (void)execv(path, argv);
        _exit(97);
}

static void act(const char *how, int argc, char **argv, const char *real)
{
        if (!how)
                return;
        if (strcmp(how, "yes") == 0)
                _exit(0);
        if (strcmp(how, "exit") == 0)
                _exit(1);
        if (strcmp(how, "crash") == 0)
                abort();
        if (strcmp(how, "hang") == 0)
                hang();
        if (strcmp(how, "later") == 0)
                later(argv, real);
        if (strcmp(how, "back") == 0)
                back(argc, argv);
}

int main(int argc, char **argv)
{
        const char *real, *protocol;
        bool check = false;

        read_self();
        real = wanted("real");
        for (int i = 1; i < argc; i++) {
                check |= strncmp(argv[i], "--check", 7) == 0;
                protocol = wanted("protocol");
                if (protocol && strncmp(argv[i], "--protocol=", 11) == 0 && strcmp(argv[i] + 11, protocol) != 0)
                        return 3;
        }
        act(wanted(check ? "check" : "run"), argc, argv, real);
        (void)execv(real, argv);
        return 96;
}
