/* SPDX-License-Identifier: MIT
 *
 * See harness.h. The test process is a subreaper, so whatever a keeper leaves behind ends up here and is ended.
 */
#include "harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

uint64_t test_now_ms(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void fixture_new(struct fixture *f)
{
        struct sockaddr_un a = {.sun_family = AF_UNIX};

        *f = (struct fixture){.listen_fd = -1, .manager_fd = -1, .state_fd = -1};
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L), 0);
        (void)snprintf(f->dir, sizeof(f->dir), "/dev/shm/supd-test.XXXXXX");
        if (!mkdtemp(f->dir)) {
                (void)snprintf(f->dir, sizeof(f->dir), "/tmp/supd-test.XXXXXX");
                assert_non_null(mkdtemp(f->dir));
        }
        (void)snprintf(f->runtime_dir, sizeof(f->runtime_dir), "%s/run", f->dir);
        (void)snprintf(f->errors, sizeof(f->errors), "%s/errors", f->dir);
        (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s/socket", f->dir);
        f->listen_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_true(f->listen_fd >= 0);
        assert_int_equal(bind(f->listen_fd, (const struct sockaddr *)&a, sizeof(a)), 0);
        assert_int_equal(listen(f->listen_fd, 16), 0);
        assert_int_equal(setenv("FAKE_MANAGER_SOCKET", a.sun_path, 1), 0);
        (void)unsetenv("FAKE_MANAGER_EXIT");
        (void)unsetenv("FAKE_MANAGER_SICK");
        (void)unsetenv("FAKE_MANAGER_ASLEEP");
}

/* Ends our children, and those that become ours thereby. */
static void children_end(void)
{
        char path[64];

        for (unsigned round = 0; round < 1000; round++) {
                FILE *file;
                int pid;

                (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
                file = fopen(path, "re");
                while (file && fscanf(file, "%d", &pid) == 1)
                        (void)kill(pid, SIGKILL);
                if (file)
                        (void)fclose(file);
                while (waitpid(-1, NULL, WNOHANG) > 0)
                        ;
                if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
                        return;
                (void)usleep(1000);
        }
}

void fixture_done(struct fixture *f)
{
        static const char *const names[] = {"run/state", "run/state.old",    "run/file", "run",
                                            "socket",    "errors",           "link",     "asleep",
                                            "output",    "bin/supd-manager", "bin"};

        if (getenv("KEEPER_TEST_VERBOSE"))
                (void)run((const char *[]){"cat", f->errors, NULL}, NULL);
        close_fd_p(&f->listen_fd);
        close_fd_p(&f->manager_fd);
        close_fd_p(&f->state_fd);
        if (f->map)
                (void)munmap(f->map, DURABLE_FILE_SIZE);
        children_end();
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char path[256];
                (void)snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
                if (unlink(path) < 0)
                        (void)rmdir(path);
        }
        (void)rmdir(f->dir);
}

static void errors_redirect(const struct fixture *f)
{
        int fd = open(f->errors, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
                _exit(120);
}

static void keeper_run(struct fixture *f, const char *runtime_dir, va_list ap)
{
        const char *argv[32] = {SUPD, "--runtime-dir", runtime_dir};
        unsigned n = 3;

        while (n < ARRAY_SIZE(argv) - 1 && (argv[n] = va_arg(ap, const char *)))
                n++;
        f->keeper = fork();
        assert_true(f->keeper >= 0);
        if (f->keeper == 0) {
                errors_redirect(f);
                (void)execv(SUPD, (char *const *)(void *)argv);
                _exit(121);
        }
}

static void state_map(struct fixture *f)
{
        char path[128];

        if (f->map)
                (void)munmap(f->map, DURABLE_FILE_SIZE);
        close_fd_p(&f->state_fd);
        (void)snprintf(path, sizeof(path), "%s/state", f->runtime_dir);
        f->state_fd = open(path, O_RDWR | O_CLOEXEC);
        assert_true(f->state_fd >= 0);
        f->map = mmap(NULL, DURABLE_FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f->state_fd, 0);
        assert_true(f->map != MAP_FAILED);
        f->header = durable_header_of(f->map);
}

void keeper_start(struct fixture *f, ...)
{
        va_list ap;

        va_start(ap, f);
        keeper_run(f, f->runtime_dir, ap);
        va_end(ap);
        manager_accept(f);
        state_map(f);
}

void keeper_start_at(struct fixture *f, const char *runtime_dir, ...)
{
        va_list ap;

        va_start(ap, runtime_dir);
        keeper_run(f, runtime_dir, ap);
        va_end(ap);
}

static int status_of(int status)
{
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int keeper_wait(struct fixture *f)
{
        int status = 0;
        uint64_t end = test_now_ms() + PATIENCE_MS;

        while (waitpid(f->keeper, &status, WNOHANG) == 0) {
                assert_true(test_now_ms() < end);
                (void)usleep(500);
        }
        f->keeper = 0;
        return status_of(status);
}

void manager_accept(struct fixture *f)
{
        struct pollfd p = {.fd = f->listen_fd, .events = POLLIN};

        close_fd_p(&f->manager_fd);
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        f->manager_fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        assert_true(f->manager_fd >= 0);
        /* manager_healthy is set after connect(): an answer proves that it is past that */
}

static void line_send(struct fixture *f, const char *format, va_list ap) printf_like_(2, 0);
static void line_send(struct fixture *f, const char *format, va_list ap)
{
        char line[256];
        int n = vsnprintf(line, sizeof(line), format, ap);

        assert_int_equal(send(f->manager_fd, line, (size_t)n, MSG_NOSIGNAL), n);
}

void manager_say(struct fixture *f, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        line_send(f, format, ap);
        va_end(ap);
}

static const char *line_read(struct fixture *f)
{
        static char answer[4097];
        struct pollfd p = {.fd = f->manager_fd, .events = POLLIN};
        ssize_t n;

        assert_int_equal(poll(&p, 1, 6 * PATIENCE_MS), 1);
        n = read(f->manager_fd, answer, sizeof(answer) - 1);
        assert_true(n > 0);
        answer[n] = '\0';
        return answer;
}

const char *manager_ask(struct fixture *f, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        line_send(f, format, ap);
        va_end(ap);
        return line_read(f);
}

long manager_number(struct fixture *f, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        line_send(f, format, ap);
        va_end(ap);
        return strtol(line_read(f), NULL, 10);
}

bool said(struct fixture *f, const char *text)
{
        static char all[65536];
        cleanup_close_ int fd = open(f->errors, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, all, sizeof(all) - 1);

        all[MAX2(n, 0)] = '\0';
        return strstr(all, text) != NULL;
}

int run(const char *const *argv, const char *output)
{
        int status = 0;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                int fd = output ? open(output, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
                if (fd >= 0 && (dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0))
                        _exit(120);
                (void)execvp(argv[0], (char *const *)(void *)(uintptr_t)argv);
                _exit(121);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status_of(status);
}
