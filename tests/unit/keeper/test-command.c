/* SPDX-License-Identifier: MIT
 *
 * `supd -- COMMAND`: exit statuses, signals, orphans, terminals, PID 1.
 *
 * Invariant: the real program on a real pseudo-terminal; waiting is for output, never for time.
 */
#include "harness.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

static int setup(void **state)
{
        static struct fixture f;

        fixture_new(&f);
        *state = &f;
        return 0;
}

static int teardown(void **state)
{
        fixture_done(*state);
        return 0;
}

static void test_01_exit_status_is_the_commands(void **state)
{
        static const struct {
                const char *script;
                int status;
        } rows[] = {{"exit 0", 0}, {"exit 3", 3}, {"exit 255", 255}, {"kill -9 $$", 137}, {"kill -TERM $$", 143}};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(run((const char *[]){SUPD, "--", "sh", "-c", rows[i].script, NULL}, "/dev/null"),
                                 rows[i].status);
}

static void test_02_command_that_cannot_run(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(run((const char *[]){SUPD, "--", "/nonexistent/x", NULL}, f->errors), 127);
        assert_true(said(f, "command not found: /nonexistent/x"));
        assert_int_equal(run((const char *[]){SUPD, "--", f->errors, NULL}, f->errors), 126);
        assert_true(said(f, "cannot run"));
}

static void test_03_arguments_and_environment_pass_through(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(setenv("PASSED", "yes it is", 1), 0);
        assert_int_equal(run((const char *[]){SUPD, "--", "sh", "-c", "echo \"<$1|$PASSED>\"", "sh", "--help x", NULL},
                             f->errors),
                         0);
        assert_true(said(f, "<--help x|yes it is>"));
}

static void test_04_signal_mask_passes_through(void **state)
{
        struct fixture *f = *state;
        char mine[128] = "", line[256];
        FILE *status = fopen("/proc/self/status", "re");

        assert_non_null(status);
        while (fgets(line, sizeof(line), status))
                if (starts_with(line, "SigBlk:"))
                        (void)snprintf(mine, sizeof(mine), "%.100s", line);
        (void)fclose(status);
        assert_int_equal(run((const char *[]){SUPD, "--", "grep", "SigBlk", "/proc/self/status", NULL}, f->errors), 0);
        assert_true(said(f, mine));
}

static pid_t spawn(struct fixture *f, const char *script)
{
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                int fd = open(f->errors, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
                if (dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0)
                        (void)execl(SUPD, "supd", "--", "sh", "-c", script, (char *)NULL);
                _exit(121);
        }
        f->keeper = pid;
        return pid;
}

static void test_05_signals_are_forwarded(void **state)
{
        static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGWINCH, 34 + 3};
        struct fixture *f = *state;
        char script[256];

        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                char ready[32];
                (void)snprintf(ready, sizeof(ready), "ready%zu", i);
                (void)snprintf(script, sizeof(script),
                               "trap 'exit 7' %d; echo %s; while :; do sleep 30 & wait $!; done", signals[i], ready);
                (void)spawn(f, script);
                wait_until(said(f, ready));
                assert_int_equal(kill(f->keeper, signals[i]), 0);
                assert_int_equal(keeper_wait(f), 7);
        }
}

static void test_06_orphans_are_reaped(void **state)
{
        struct fixture *f = *state;

        /* The orphan's pid must vanish although nobody of the command waits for it. */
        assert_int_equal(run((const char *[]){SUPD, "--", "sh", "-c",
                                              "pid=$(sh -c 'sh -c \"exit 5\" >/dev/null & echo $!'); "
                                              "i=0; while kill -0 $pid 2>/dev/null; do i=$((i+1)); "
                                              "test $i -gt 2000 && exit 1; sleep 0.01; done; exit 0",
                                              NULL},
                             f->errors),
                         0);
}

static void test_07_a_stopped_command_without_a_terminal_is_left_alone(void **state)
{
        struct fixture *f = *state;

        (void)spawn(f, "trap 'exit 9' TERM; echo up; kill -STOP $$; echo again; while :; do sleep 30 & wait $!; done");
        wait_until(said(f, "up"));
        assert_int_equal(kill(f->keeper, SIGCONT), 0);
        while (!said(f, "again"))
                assert_int_equal(kill(f->keeper, SIGCONT), 0);
        assert_int_equal(kill(f->keeper, SIGTERM), 0);
        assert_int_equal(keeper_wait(f), 9);
}

/* A terminal with a program on it. Everything read so far is kept. */
struct terminal {
        int fd;
        pid_t pid;
        char text[65536];
        size_t size, from;
};

static void terminal_new(struct terminal *t, const char *const *argv)
{
        *t = (struct terminal){.fd = -1};
        t->pid = forkpty(&t->fd, NULL, NULL, NULL);
        assert_true(t->pid >= 0);
        if (t->pid == 0) {
                (void)setenv("PS1", "prompt> ", 1);
                (void)setenv("ENV", "/dev/null", 1);
                (void)execvp(argv[0], (char *const *)(void *)(uintptr_t)argv);
                _exit(121);
        }
}

/* Waits for TEXT in what came since the last match. */
static void expect(struct terminal *t, const char *text)
{
        uint64_t end = test_now_ms() + PATIENCE_MS;

        for (;;) {
                char *hit = strstr(t->text + t->from, text);
                struct pollfd p = {.fd = t->fd, .events = POLLIN};
                ssize_t n;

                if (hit) {
                        t->from = (size_t)(hit - t->text) + strlen(text);
                        return;
                }
                if (test_now_ms() > end || poll(&p, 1, PATIENCE_MS) != 1)
                        break;
                n = read(t->fd, t->text + t->size, sizeof(t->text) - 1 - t->size);
                if (n <= 0)
                        break;
                t->size += (size_t)n;
        }
        print_message("expected '%s' in: %s\n", text, t->text + t->from);
        fail();
}

static void type(struct terminal *t, const char *text)
{
        assert_int_equal(write(t->fd, text, strlen(text)), (ssize_t)strlen(text));
}

static int terminal_wait(struct terminal *t)
{
        int status = 0;
        uint64_t end = test_now_ms() + PATIENCE_MS;
        char rest[4096];

        for (;;) { /* the terminal has to be drained for the program to end */
                assert_true(test_now_ms() < end);
                struct pollfd p = {.fd = t->fd, .events = POLLIN};
                pid_t r = waitpid(t->pid, &status, WNOHANG);
                if (r == t->pid)
                        break;
                if (poll(&p, 1, 20) == 1 && read(t->fd, rest, sizeof(rest)) <= 0)
                        (void)usleep(1000);
        }
        close_fd_p(&t->fd);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The job control of a shell that runs on a terminal: ^Z, fg, ^C. */
static void shell_dialogue(struct terminal *t)
{
        expect(t, "prompt> ");
        type(t, "sh -c 'trap \"echo go-${X}on\" CONT; echo on-${X}e; while :; do sleep 1000 & wait $!; done'\n");
        expect(t, "on-e");
        type(t, "\032");
        expect(t, "prompt> ");
        type(t, "jobs; echo j-${X}obs\n");
        expect(t, "Stopped");
        expect(t, "j-obs");
        type(t, "fg\n");
        expect(t, "go-on"); /* said by the job itself, so it is the foreground now */
        type(t, "\003");
        expect(t, "prompt> ");
        type(t, "echo status-$?\n");
        expect(t, "status-130");
        type(t, "exit 6\n");
}

static void test_10_shell_under_supd_has_job_control(void **state)
{
        struct terminal t;

        (void)state;
        terminal_new(&t, (const char *[]){SUPD, "--", "sh", "-i", NULL});
        shell_dialogue(&t);
        assert_int_equal(terminal_wait(&t), 6);
        assert_null(strstr(t.text, "job control turned off"));
}

static void test_11_supd_is_a_job_of_the_shell_above(void **state)
{
        struct terminal t;

        (void)state;
        terminal_new(&t, (const char *[]){"sh", "-i", NULL});
        expect(&t, "prompt> ");
        type(&t, SUPD " -- sh -c 'echo on-${X}e; read line; echo got-$line; exit 4'\n");
        expect(&t, "on-e");
        type(&t, "\032");
        expect(&t, "prompt> "); /* both have stopped */
        type(&t, "fg\n");
        expect(&t, "\n");
        type(&t, "hello\n");
        expect(&t, "got-hello");
        expect(&t, "prompt> ");
        type(&t, "echo status-$?\n");
        expect(&t, "status-4");
        type(&t, SUPD " -- sleep 1000\n");
        expect(&t, "sleep 1000\r\n");
        while (!strstr(t.text + t.from, "prompt> ")) { /* whenever it has begun */
                type(&t, "\003");
                struct pollfd p = {.fd = t.fd, .events = POLLIN};
                if (poll(&p, 1, 50) == 1) {
                        ssize_t n = read(t.fd, t.text + t.size, sizeof(t.text) - 1 - t.size);
                        assert_true(n > 0);
                        t.size += (size_t)n;
                }
        }
        type(&t, "\necho end-${X}ed\n");
        expect(&t, "end-ed");
        type(&t, "exit 0\n");
        assert_int_equal(terminal_wait(&t), 0);
}

static void test_12_terminal_stop_with_nobody_above_continues(void **state)
{
        struct terminal t;

        (void)state;
        /* supd leads the session: its group is orphaned, no shell could ever continue it. */
        terminal_new(&t, (const char *[]){SUPD, "--", "sh", "-c", "echo on-${X}e; read line; echo got-$line", NULL});
        expect(&t, "on-e");
        type(&t, "\032");
        type(&t, "still\n");
        type(&t, "still\n"); /* ^Z flushes what was typed before it is taken */
        expect(&t, "got-still");
        assert_int_equal(terminal_wait(&t), 0);
}

static bool namespaces(void)
{
        if (run((const char *[]){"unshare", "--pid", "--fork", "--mount-proc", "true", NULL}, "/dev/null") == 0)
                return true;
        print_message("no pid namespaces permitted here\n");
        return false;
}

static void test_20_as_pid_1(void **state)
{
        struct fixture *f = *state;

        if (!namespaces())
                skip();
        assert_int_equal(run((const char *[]){"unshare", "--pid", "--fork", "--mount-proc", "--kill-child", SUPD, "--",
                                              "sh", "-c", "echo parent-$PPID; exit 12", NULL},
                             f->errors),
                         12);
        assert_true(said(f, "parent-1"));
}

static void test_21_as_pid_1_the_rest_gets_sigterm(void **state)
{
        struct fixture *f = *state;
        static const char script[] =
                "(trap 'echo term-received; exit' TERM; echo armed; while :; do sleep 30 & wait $!; "
                "done) & while ! grep -q armed \"$1\"; do sleep 0.01; done; exit 2";

        if (!namespaces())
                skip();
        assert_int_equal(run((const char *[]){"unshare", "--pid", "--fork", "--mount-proc", "--kill-child", SUPD, "--",
                                              "sh", "-c", script, "sh", f->errors, NULL},
                             f->errors),
                         2);
        assert_true(said(f, "term-received"));
}

static void test_22_manager_under_pid_1(void **state)
{
        struct fixture *f = *state;

        if (!namespaces())
                skip();
        f->keeper = fork();
        if (f->keeper == 0) {
                int fd = open(f->errors, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
                if (dup2(fd, STDERR_FILENO) >= 0)
                        (void)execlp("unshare", "unshare", "--pid", "--fork", "--mount-proc", "--kill-child", SUPD,
                                     "quiet", "--runtime-dir", f->runtime_dir, (char *)NULL);
                _exit(121);
        }
        manager_accept(f);
        assert_true(said(f, "ignoring argument 'quiet'"));
        assert_int_equal(manager_number(f, "storm 100"), 1);
        assert_true(manager_number(f, "exit 2 3 4") > 1);
        assert_true(manager_number(f, "bell") > 0);
        manager_say(f, "end 21 1");
        assert_int_equal(keeper_wait(f), 21);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(test_01_exit_status_is_the_commands),
                TEST(test_02_command_that_cannot_run),
                TEST(test_03_arguments_and_environment_pass_through),
                TEST(test_04_signal_mask_passes_through),
                TEST(test_05_signals_are_forwarded),
                TEST(test_06_orphans_are_reaped),
                TEST(test_07_a_stopped_command_without_a_terminal_is_left_alone),
                TEST(test_10_shell_under_supd_has_job_control),
                TEST(test_11_supd_is_a_job_of_the_shell_above),
                TEST(test_12_terminal_stop_with_nobody_above_continues),
                TEST(test_20_as_pid_1),
                TEST(test_21_as_pid_1_the_rest_gets_sigterm),
                TEST(test_22_manager_under_pid_1),
        };

        (void)setenv("SUPD_LIBEXEC_DIR", FAKE_LIBEXEC_DIR, 1);
        /* a shell cannot trap what was ignored when it began, as these are below nohup and behind '&' */
        (void)signal(SIGHUP, SIG_DFL);
        (void)signal(SIGINT, SIG_DFL);
        (void)signal(SIGQUIT, SIG_DFL);
        if (argc > 1)
                cmocka_set_test_filter(argv[1]);
        return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
