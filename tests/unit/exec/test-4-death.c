/* SPDX-License-Identifier: MIT
 *
 * Starts in bulk, and deaths in the middle of a start: of the service-to-be, of the intermediate, of the launcher; and
 * kernels that deny newer calls. A start is held at a chosen point by a FIFO it opens.
 */
#include "world.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* clang-format off */
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static struct world world;

static int setup(unused_ void **state)
{
        world_start(&world, NULL);
        return 0;
}

static int teardown(unused_ void **state)
{
        world_stop(&world);
        return 0;
}

static char *below(const char *name)
{
        static char paths[8][256];
        static unsigned n;
        char *p = paths[n++ % 8];

        (void)snprintf(p, sizeof(paths[0]), "%s/%s", world.directory, name);
        return p;
}

static void pause_ms(int ms)
{
        (void)poll(NULL, 0, ms);
}

/* Sends a start whose service-to-be opens a FIFO as its standard input; returns once it has stored its pid. */
static uint32_t send_held(void)
{
        struct scene *s = scene_new();
        cleanup_buf_ struct buf plan = {0};
        uint32_t slot;

        scene_shell(s, "read x; exit 9");
        s->exec.input = INPUT_FILE;
        s->exec.input_file = below("fifo");
        assert_true(mkfifo(below("fifo"), 0600) == 0 || errno == EEXIST);
        assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        slot = world_send(&world, &plan, NULL, 0);
        for (unsigned i = 0; i < 10000 && atomic_load(&durable_pids(world.map)[slot]) == 0; i++)
                pause_ms(1);
        assert_int_not_equal(durable_pids(world.map)[slot], 0);
        assert_int_equal(world_slot(&world, slot)->last_pid, durable_pids(world.map)[slot]);
        assert_int_equal(world_slot(&world, slot)->launch, LAUNCH_INTENT);
        return slot;
}

/* Lets the held start go on. */
static void release(void)
{
        int fd;

        do
                fd = open(below("fifo"), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        while (fd < 0 && errno == ENXIO);
        assert_return_code(fd, errno);
        assert_int_equal(write(fd, "x\n", 2), 2);
        (void)close(fd);
}

static pid_t parent_of(pid_t pid)
{
        char path[64], text[512];
        cleanup_close_ int fd = -1;
        ssize_t n;
        int parent = 0;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_return_code(fd, errno);
        n = read(fd, text, sizeof(text) - 1);
        assert_true(n > 0);
        text[n] = 0;
        assert_int_equal(sscanf(strrchr(text, ')') + 1, " %*c %d", &parent), 1);
        return parent;
}

static bool hung_up(int fd)
{
        struct pollfd p = {.fd = fd};
        return poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR);
}

static void wait_hung_up(int fd)
{
        struct pollfd p = {.fd = fd};

        assert_int_equal(poll(&p, 1, 20000), 1);
}

static void test_01_pid_before_exec(unused_ void **state)
{
        uint32_t slot = send_held();

        release();
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_EXECED);
        assert_int_equal(WEXITSTATUS(world_wait_exit(&world, slot)), 9);
}

static void test_02_one_blocks_no_other(unused_ void **state)
{
        uint32_t held = send_held();
        struct scene *s = scene_new();

        scene_shell(s, "exit 3");
        assert_int_equal(scene_run(&world, s, NULL), 3);
        assert_int_equal(world_slot(&world, held)->launch, LAUNCH_INTENT);
        release();
        assert_int_equal(world_wait_noted(&world, held), LAUNCH_EXECED);
        assert_int_equal(WEXITSTATUS(world_wait_exit(&world, held)), 9);
}

static void test_03_service_killed_before_exec(unused_ void **state)
{
        uint32_t slot = send_held();

        assert_return_code(kill((pid_t)world_slot(&world, slot)->last_pid, SIGKILL), errno);
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_FAILED);
        assert_int_equal(world_slot(&world, slot)->step, PLAN_STEP_LAUNCHER_DIED);
        assert_int_equal(WTERMSIG(world_wait_exit(&world, slot)), SIGKILL);
}

static void test_04_intermediate_killed(unused_ void **state)
{
        uint32_t slot = send_held();
        pid_t intermediate = parent_of((pid_t)world_slot(&world, slot)->last_pid);

        assert_int_equal(parent_of(intermediate), world.launcher);
        assert_return_code(kill(intermediate, SIGKILL), errno);
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_FAILED);
        assert_int_equal(world_slot(&world, slot)->step, PLAN_STEP_LAUNCHER_DIED);
        assert_int_equal(WTERMSIG(world_wait_exit(&world, slot)), SIGKILL); /* it may not exec any more */
}

/* Stopped after exec but before the note: the service runs, and that is what has to be noted. */
static void test_05_intermediate_killed_late(unused_ void **state)
{
        uint32_t slot = send_held();
        pid_t service = (pid_t)world_slot(&world, slot)->last_pid, intermediate = parent_of(service);
        char path[64], name[32] = "";

        assert_return_code(kill(intermediate, SIGSTOP), errno);
        /* the shell execs, then waits for a line: the FIFO is opened, nothing written */
        int fd = open(below("fifo"), O_WRONLY | O_CLOEXEC);
        assert_return_code(fd, errno);
        (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)service);
        for (unsigned i = 0; i < 10000 && strcmp(name, "sh\n") != 0; i++) {
                int comm = open(path, O_RDONLY | O_CLOEXEC);

                memset(name, 0, sizeof(name));
                (void)!read(comm, name, sizeof(name) - 1);
                (void)close(comm);
                pause_ms(1);
        }
        assert_string_equal(name, "sh\n");
        assert_return_code(kill(intermediate, SIGKILL), errno);
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_EXECED);
        assert_int_not_equal(world_slot(&world, slot)->start_time, 0);
        assert_int_not_equal(world_slot(&world, slot)->session, 0);
        assert_int_equal(write(fd, "x\n", 2), 2);
        (void)close(fd);
        assert_int_equal(WEXITSTATUS(world_wait_exit(&world, slot)), 9);
}

/* The launcher's death stops nothing; the sockets tell when nothing of it can happen any more. */
static void test_06_launcher_killed(unused_ void **state)
{
        uint32_t slot = send_held();
        int old_plans = world.plans_fd, old_life = world.life_fd;
        struct scene *s = scene_new();

        assert_return_code(kill(world.launcher, SIGKILL), errno);
        assert_int_equal(waitpid(world.launcher, NULL, 0), world.launcher);
        assert_false(hung_up(old_plans));
        assert_false(hung_up(old_life));
        world_start_launcher(&world, NULL);
        scene_shell(s, "exit 4");
        assert_int_equal(scene_run(&world, s, NULL), 4);
        release();
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_EXECED);
        wait_hung_up(old_plans);
        wait_hung_up(old_life);
        assert_int_equal(WEXITSTATUS(world_wait_exit(&world, slot)), 9);
        (void)close(old_plans);
        (void)close(old_life);
}

/* The manager's death: the launcher goes, the held start does not, and does not keep the launcher. */
static void test_07_manager_gone(unused_ void **state)
{
        uint32_t slot = send_held();

        (void)shutdown(world.plans_fd, 2);
        close_fd_p(&world.plans_fd);
        assert_int_equal(waitpid(world.launcher, NULL, 0), world.launcher);
        assert_false(hung_up(world.life_fd));
        release();
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_EXECED);
        wait_hung_up(world.life_fd);
        assert_int_equal(WEXITSTATUS(world_wait_exit(&world, slot)), 9);
}

static bool has_state(pid_t pid, const char *state)
{
        char path[64], text[512];
        cleanup_close_ int fd = -1;
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = 0;
        return strstr(text, state) != NULL;
}

static void wait_state(pid_t pid, const char *state)
{
        for (unsigned ms = 0; ms < 20000 && !has_state(pid, state); ms++)
                pause_ms(1);
        assert_true(has_state(pid, state));
}

static void check_start_works(void)
{
        struct scene *s = scene_new();

        scene_shell(s, "exit 5");
        assert_int_equal(scene_run(&world, s, NULL), 5);
}

enum { SPARES = 2 };

/* The launcher's children at rest: the spares, once they wait for plans. They leave when nobody needs them; on a
 * machine too slow for us to see them before that, another start brings new ones. */
static void wait_spares(pid_t ret[static SPARES])
{
        char path[96], text[512];

        (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)world.launcher, (int)world.launcher);
        for (unsigned ms = 0; ms < 20000; ms++) {
                cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
                int a = 0, b = 0, end = 0;
                ssize_t n;

                assert_return_code(fd, errno);
                n = read(fd, text, sizeof(text) - 1);
                text[n > 0 ? n : 0] = 0;
                if (sscanf(text, "%d %d %n", &a, &b, &end) == 2 && text[end] == 0 && has_state(a, ") S ") &&
                    has_state(b, ") S ")) {
                        ret[0] = a;
                        ret[1] = b;
                        return;
                }
                pause_ms(1);
                if (ms % 500 == 499)
                        check_start_works();
        }
        fail_msg("there are no spares");
}

static void kill_and_wait(pid_t pid)
{
        assert_return_code(kill(pid, SIGKILL), errno);
        while (kill(pid, 0) == 0) /* a message must not reach it on its way out */
                pause_ms(1);
}

/* Given up (by whoever) before the service-to-be came so far: it stores no pid and does nothing. */
static void test_08_moved_on(unused_ void **state)
{
        struct scene *s;
        cleanup_buf_ struct buf plan = {0};
        uint32_t slot;
        pid_t spares[SPARES];

        check_start_works(); /* there are spares from the first start on */
        wait_spares(spares);
        s = scene_new();
        scene_shell(s, "exit 3");
        assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        for (int i = 0; i < SPARES; i++) {
                assert_return_code(kill(spares[i], SIGSTOP), errno);
                wait_state(spares[i], ") T ");
        }
        slot = world_send(&world, &plan, NULL, 0);
        atomic_fetch_add(&world_slot(&world, slot)->generation, 1);
        for (int i = 0; i < SPARES; i++)
                assert_return_code(kill(spares[i], SIGCONT), errno);
        while (kill(spares[0], 0) == 0 && kill(spares[1], 0) == 0)
                pause_ms(1);
        check_start_works();
        assert_int_equal(world_slot(&world, slot)->launch, LAUNCH_INTENT);
        assert_int_equal(world_slot(&world, slot)->last_pid, 0);
}

enum { BURST = 200 };

static void test_09_burst(unused_ void **state)
{
        uint32_t slots[BURST];

        for (int i = 0; i < BURST; i++) {
                struct scene *s = scene_new();
                cleanup_buf_ struct buf plan = {0};
                char script[32];

                (void)snprintf(script, sizeof(script), "exit %d", i);
                scene_shell(s, script);
                assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
                slots[i] = world_send(&world, &plan, NULL, 0);
        }
        for (int i = 0; i < BURST; i++) {
                int status;

                assert_int_equal(world_wait_noted(&world, slots[i]), LAUNCH_EXECED);
                status = world_wait_exit(&world, slots[i]);
                assert_true(WIFEXITED(status));
                assert_int_equal(WEXITSTATUS(status), i);
        }
}

/* As in containers: newer calls are denied, with either error. */
static void deny(uint32_t error)
{
        struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 435 /* clone3 */, 3, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 436 /* close_range */, 2, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 434 /* pidfd_open */, 1, 0),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        };
        struct sock_fprog program = {.len = ARRAY_SIZE(code), .filter = code};

        (void)fcntl(open("/dev/null", O_RDONLY), F_DUPFD, 60); /* what close_range would have seen to */
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                _exit(126);
}

static void deny_nosys(void)
{
        deny(ENOSYS);
}

static void deny_perm(void)
{
        deny(EPERM);
}

static void check_denied(world_prepare prepare)
{
        struct scene *s;
        struct world w;

        world_start(&w, prepare);
        s = scene_new();
        scene_shell(s, "ls /proc/self/fd");
        s->exec.output = OUTPUT_TRUNCATE;
        s->exec.output_file = below("out");
        (void)snprintf(s->exec.output_file, 128, "%s/out", w.directory);
        assert_int_equal(scene_run(&w, s, NULL), 0);
        assert_string_equal(world_text(&w, "out"), "0\n1\n2\n3\n");
        world_stop(&w);
}

static void test_10_denied_calls(unused_ void **state)
{
        check_denied(deny_nosys);
        check_denied(deny_perm);
}

/* Idle spares that die are replaced, but for one time more than the launcher has patience for, and it does without. */
static void test_11_spares_killed_idle(unused_ void **state)
{
        pid_t spares[SPARES];

        check_start_works();
        for (int i = 0; i < 7; i++) {
                wait_spares(spares);
                kill_and_wait(spares[i % SPARES]);
        }
        wait_spares(spares);
        kill_and_wait(spares[0]);
        kill_and_wait(spares[1]);
        check_start_works();
        wait_spares(spares);
        check_start_works();
}

/* A spare has taken a plan and dies before the launcher could learn that: it knows for which slot all the same. */
static void test_12_spare_killed_with_plan(unused_ void **state)
{
        pid_t spares[SPARES], taker;
        uint32_t slot;

        check_start_works();
        wait_spares(spares);
        assert_return_code(kill(world.launcher, SIGSTOP), errno);
        slot = send_held();
        taker = parent_of((pid_t)world_slot(&world, slot)->last_pid);
        assert_true(taker == spares[0] || taker == spares[1]);
        assert_return_code(kill(taker, SIGKILL), errno);
        assert_return_code(kill(world.launcher, SIGCONT), errno);
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_FAILED);
        assert_int_equal(world_slot(&world, slot)->step, PLAN_STEP_LAUNCHER_DIED);
        assert_int_equal(WTERMSIG(world_wait_exit(&world, slot)), SIGKILL);
        check_start_works();
}

/* Waiting spares keep nothing open that tells of starts to come. */
static void test_13_spares_go_along(unused_ void **state)
{
        int old_plans = world.plans_fd, old_life = world.life_fd;
        pid_t spares[SPARES];

        check_start_works();
        wait_spares(spares);
        assert_return_code(kill(world.launcher, SIGKILL), errno);
        wait_hung_up(old_plans);
        wait_hung_up(old_life);
        (void)close(old_plans);
        (void)close(old_life);
        world_start_launcher(&world, NULL);
        check_start_works();
        wait_spares(spares);
        close_fd_p(&world.plans_fd);
        wait_hung_up(world.life_fd);
}

/* As many starts are held as there are spares, one more, and one again: none keeps the next. */
static void test_14_all_spares_held(unused_ void **state)
{
        uint32_t slots[SPARES + 2];

        for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
                slots[i] = send_held();
                check_start_works();
        }
        for (unsigned i = 0; i < ARRAY_SIZE(slots); i++)
                assert_return_code(kill((pid_t)world_slot(&world, slots[i])->last_pid, SIGKILL), errno);
        for (unsigned i = 0; i < ARRAY_SIZE(slots); i++) {
                assert_int_equal(world_wait_noted(&world, slots[i]), LAUNCH_FAILED);
                assert_int_equal(WTERMSIG(world_wait_exit(&world, slots[i])), SIGKILL);
        }
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void on_one_cpu(void)
{
        cpu_set_t all, one;

        CPU_ZERO(&one);
        if (sched_getaffinity(0, sizeof(all), &all) == 0)
                for (unsigned i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
                        if (CPU_ISSET(i, &all))
                                CPU_SET(i, &one);
        assert_return_code(sched_setaffinity(0, sizeof(one), &one), errno);
}

/* Pairs of starts where all compete for one CPU: a spare is often taken off it between its message and its first look
 * at it. None may be lost. */
static void test_15_no_start_is_lost_on_a_busy_cpu(unused_ void **state)
{
        enum { PAIRS = 1000 };
        cpu_set_t before;

        assert_return_code(sched_getaffinity(0, sizeof(before), &before), errno);
        world_start(&world, on_one_cpu);
        assert_return_code(sched_setaffinity(0, sizeof(before), &before), errno);
        check_start_works();
        for (unsigned i = 0; i < PAIRS; i++) {
                uint32_t slots[2];

                for (unsigned k = 0; k < 2; k++) {
                        struct scene *s = scene_new();
                        cleanup_buf_ struct buf plan = {0};

                        scene_shell(s, "exit 3");
                        assert_int_equal(
                                plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
                        slots[k] = world_send(&world, &plan, NULL, 0);
                }
                for (unsigned k = 0; k < 2; k++) {
                        assert_int_equal(world_wait_noted(&world, slots[k]), LAUNCH_EXECED);
                        assert_int_equal(WEXITSTATUS(world_wait_exit(&world, slots[k])), 3);
                }
        }
        world_stop(&world);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                WORLD_TEST(test_01_pid_before_exec),
                WORLD_TEST(test_02_one_blocks_no_other),
                WORLD_TEST(test_03_service_killed_before_exec),
                WORLD_TEST(test_04_intermediate_killed),
                WORLD_TEST(test_05_intermediate_killed_late),
                WORLD_TEST(test_06_launcher_killed),
                WORLD_TEST(test_07_manager_gone),
                WORLD_TEST(test_08_moved_on),
                WORLD_TEST(test_09_burst),
                cmocka_unit_test(test_10_denied_calls),
                WORLD_TEST(test_11_spares_killed_idle),
                WORLD_TEST(test_12_spare_killed_with_plan),
                WORLD_TEST(test_13_spares_go_along),
                WORLD_TEST(test_14_all_spares_held),
                cmocka_unit_test(test_15_no_start_is_lost_on_a_busy_cpu),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
