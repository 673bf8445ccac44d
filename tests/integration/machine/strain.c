/* SPDX-License-Identifier: MIT
 *
 * strain memory MIB | tasks N | cpu: takes what limits are there for, says what it got on stdout, and stays.
 * strain freeze|thaw DIRECTORY: whoever writes to that file system sleeps meanwhile, and no signal wakes him. Not a
 * strain watchdog SECONDS: says that it is ready, and then so often that it still lives. Not a
 * test: a tool of the services under test. Invariant: static, so that it runs in any image.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int take_memory(size_t bytes)
{
        char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED)
                return 1;
        for (size_t i = 0; i < bytes; i += 4096)
                p[i] = 1;
        (void)printf("memory %zu\n", bytes >> 20);
        return 0;
}

static int take_tasks(int n)
{
        int got = 0;

        while (got < n) {
                pid_t pid = fork();

                if (pid < 0)
                        break;
                if (pid == 0)
                        for (;;)
                                (void)pause();
                got++;
        }
        (void)printf("tasks %d%s\n", got, got < n && errno == EAGAIN ? " EAGAIN" : "");
        return 0;
}

static int freeze(const char *directory, unsigned long request)
{
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0 && ioctl(fd, request, 0) == 0)
                return 0;
        perror(directory);
        return 1;
}

static int pings(unsigned every_s)
{
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        const char *path = getenv("NOTIFY_SOCKET"), *text = "READY=1";
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || !path || strlen(path) >= sizeof(a.sun_path))
                return 1;
        memcpy(a.sun_path, path, strlen(path));
        for (;; text = "WATCHDOG=1") {
                (void)sendto(fd, text, strlen(text), 0, (struct sockaddr *)&a, sizeof(a));
                (void)sleep(every_s);
        }
}

int main(int argc, char **argv)
{
        int r = 2;

        if (argc == 3 && strcmp(argv[1], "memory") == 0)
                r = take_memory((size_t)atol(argv[2]) << 20);
        else if (argc == 3 && strcmp(argv[1], "tasks") == 0)
                r = take_tasks(atoi(argv[2]));
        else if (argc == 3 && strcmp(argv[1], "freeze") == 0)
                return freeze(argv[2], FIFREEZE);
        else if (argc == 3 && strcmp(argv[1], "thaw") == 0)
                return freeze(argv[2], FITHAW);
        else if (argc == 3 && strcmp(argv[1], "watchdog") == 0)
                return pings((unsigned)atoi(argv[2]));
        else if (argc == 2 && strcmp(argv[1], "cpu") == 0)
                for (;;)
                        ;
        (void)fflush(stdout);
        while (r == 0)
                (void)pause();
        return r;
}
