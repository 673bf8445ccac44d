/* SPDX-License-Identifier: MIT
 *
 * A manager that is wrong on purpose, for the real keeper: it remembers which services were wanted, and a new one
 * starts them all again without looking whether they still run. crash-points has to find it out.
 *
 * Commands come as lines through the FIFO RUNTIME_DIR/commands (wrong-supctl writes them). Not here: anything right.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abi/durable.h"
#include "base/util.h"

#define MAX_WORDS 16

static const char *path_in(const char *variable, const char *name)
{
        static char path[512];
        const char *dir = getenv(variable);
        (void)snprintf(path, sizeof(path), "%s/%s", dir ? dir : ".", name);
        return path;
}

static void say_healthy(int state_fd)
{
        void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, state_fd, 0);
        if (p != MAP_FAILED)
                atomic_store(&durable_header_of(p)->manager_healthy, 1);
}

/* Double-forked, so that it is the keeper's. */
static void start(const char *unit)
{
        char line[1024], *argv[MAX_WORDS + 1];
        unsigned n = 0;
        FILE *f = fopen(path_in("SUPD_UNIT_PATH", unit), "re");
        while (f && fgets(line, sizeof(line), f))
                if (starts_with(line, "ExecStart="))
                        break;
        if (!f)
                return;
        (void)fclose(f);
        for (char *p = strtok(line + strlen("ExecStart="), " \n"); p && n < MAX_WORDS; p = strtok(NULL, " \n"))
                argv[n++] = p;
        argv[n] = NULL;
        pid_t child = fork();
        if (child == 0) {
                if (fork() == 0 && n > 0)
                        (void)execv(argv[0], argv);
                _exit(0);
        }
        (void)waitpid(child, NULL, 0);
}

static void remember(const char *unit)
{
        FILE *f = fopen(path_in("SUPD_RUNTIME_DIR", "wanted"), "ae");
        if (f) {
                (void)fprintf(f, "%s\n", unit);
                (void)fclose(f);
        }
}

static void start_remembered(void)
{
        char unit[256];
        FILE *f = fopen(path_in("SUPD_RUNTIME_DIR", "wanted"), "re");
        while (f && fgets(unit, sizeof(unit), f)) {
                unit[strcspn(unit, "\n")] = 0;
                start(unit);
        }
        if (f)
                (void)fclose(f);
}

int main(int argc, char **argv)
{
        char line[256];
        if (argc < 2 || !starts_with(argv[1], "--fds="))
                return 2;
        for (int i = 3; i < 64; i++) /* or its services would hold the life pipe and be taken for stragglers */
                (void)fcntl(i, F_SETFD, FD_CLOEXEC);
        start_remembered();
        const char *fifo = path_in("SUPD_RUNTIME_DIR", "commands");
        (void)mkfifo(fifo, 0600);
        int fd = open(fifo, O_RDWR | O_CLOEXEC);
        FILE *f = fd < 0 ? NULL : fdopen(fd, "re");
        say_healthy(atoi(argv[1] + strlen("--fds=")));
        while (f && fgets(line, sizeof(line), f)) {
                line[strcspn(line, "\n")] = 0;
                if (!starts_with(line, "start "))
                        continue;
                remember(line + 6);
                start(line + 6);
                (void)close(open(path_in("SUPD_RUNTIME_DIR", "done"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        }
        return 1;
}
