/* SPDX-License-Identifier: MIT
 *
 * The test of the tests: a right supervisor passes, each wrong one is caught, and a process is killed at exactly the
 * system call that was asked for. Run with TOY= (toy-supervisor) and DIARY= in the environment.
 *
 * Not here: supd. Invariant: each test removes its directory and its processes.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/util.h"
#include "observer.h"
#include "tracer.h"

struct toy {
        char dir[64];
        pid_t pid;
        struct observer o;
};

static int remove_one(const char *path, const struct stat *st unused_, int type unused_, struct FTW *ftw unused_)
{
        return remove(path);
}

static void toy_begin(struct toy *t, const char *mode)
{
        (void)snprintf(t->dir, sizeof(t->dir), "/tmp/testlib-XXXXXX");
        assert_non_null(mkdtemp(t->dir));
        t->pid = fork();
        assert_true(t->pid >= 0);
        if (t->pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                execl(getenv("TOY"), "toy-supervisor", mode, getenv("DIARY"), t->dir, (char *)NULL);
                _exit(127);
        }
        assert_int_equal(observer_open(&t->o, t->dir, t->pid), 0);
}

static void toy_end(struct toy *t)
{
        (void)kill(t->pid, SIGKILL);
        (void)waitpid(t->pid, NULL, 0);
        while (proc_kill_matching(t->dir) > 0)
                sleep_us(1000);
        observer_close(&t->o);
        (void)nftw(t->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* What the observer says of MODE when a.service is expected to run once; returns the count of V. */
static unsigned judge_mode(const char *mode, enum violation v, unsigned *ret_total)
{
        struct toy t;
        toy_begin(&t, mode);
        const struct expectation e = {"a.service", .running = true, .min_starts = 1, .max_starts = 1};
        int n = observer_settle(&t.o, &e, 1, 700 * USEC_PER_MSEC);
        assert_true(n >= 0);
        unsigned found = t.o.counts[v];
        *ret_total = (unsigned)n;
        toy_end(&t);
        return found;
}

static void test_a_good_supervisor_passes(void **state unused_)
{
        unsigned total;
        (void)judge_mode("good", VIOLATION_OTHER, &total);
        assert_int_equal(total, 0);
}

static void test_b_wrong_supervisors_are_caught(void **state unused_)
{
        static const struct {
                const char *mode;
                enum violation v;
        } wrong[] = {
                {"none", VIOLATION_MISSING},  {"double", VIOLATION_DOUBLE},      {"double", VIOLATION_STARTS},
                {"zombie", VIOLATION_ZOMBIE}, {"stray", VIOLATION_UNATTRIBUTED}, {"child", VIOLATION_RUNNING},
                {"child", VIOLATION_MISSING},
        };
        for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
                unsigned total;
                if (judge_mode(wrong[i].mode, wrong[i].v, &total) == 0)
                        fail_msg("mode %s: no %s", wrong[i].mode, violation_name(wrong[i].v));
        }
}

static void test_c_stopped_means_stopped(void **state unused_)
{
        struct toy t;
        toy_begin(&t, "good");
        const struct expectation runs = {"a.service", .running = true}, stopped = {"a.service"};
        assert_int_equal(observer_settle(&t.o, &runs, 1, USEC_PER_SEC), 0);
        assert_int_equal(observer_settle(&t.o, &stopped, 1, 50 * USEC_PER_MSEC), 1);
        assert_int_equal(t.o.counts[VIOLATION_RUNNING], 1);
        toy_end(&t);
}

/* A service that was told to exit with 7 is compared with a supervisor that says so, and with some that do not. */
static void test_d_show_is_compared_with_the_diary(void **state unused_)
{
        struct toy t;
        char text[200];
        toy_begin(&t, "good");
        const struct expectation runs = {"a.service", .running = true}, stopped = {"a.service"};
        assert_int_equal(observer_settle(&t.o, &runs, 1, USEC_PER_SEC), 0);
        pid_t pid = observer_main_pid(&t.o, "a.service");
        assert_true(pid > 0);
        (void)snprintf(text, sizeof(text), "Id=a.service\nMainPID=%d\n", (int)pid);
        assert_int_equal(observer_compare_show(&t.o, "a.service", text, false), 0);
        assert_int_equal(observer_compare_show(&t.o, "a.service", "MainPID=0\n", false), 1);
        assert_int_equal(sigqueue(pid, SIGRTMIN + 1, (union sigval){.sival_int = 7}), 0);
        assert_int_equal(observer_settle(&t.o, &stopped, 1, USEC_PER_SEC), 0);
        const char *right = "MainPID=0\nExecMainCode=1\nExecMainStatus=7\n";
        assert_int_equal(observer_compare_show(&t.o, "a.service", right, true), 0);
        assert_int_equal(observer_compare_show(&t.o, "a.service", "ExecMainCode=1\nExecMainStatus=0\n", true), 1);
        assert_int_equal(observer_compare_show(&t.o, "a.service", "ExecMainCode=2\nExecMainStatus=9\n", true), 2);
        assert_int_equal(t.o.counts[VIOLATION_STATUS], 3);
        toy_end(&t);
}

static void test_e_death_without_words_is_sigkill(void **state unused_)
{
        struct toy t;
        toy_begin(&t, "good");
        const struct expectation runs = {"a.service", .running = true}, stopped = {"a.service"};
        assert_int_equal(observer_settle(&t.o, &runs, 1, USEC_PER_SEC), 0);
        assert_int_equal(kill(observer_main_pid(&t.o, "a.service"), SIGKILL), 0);
        assert_int_equal(observer_settle(&t.o, &stopped, 1, USEC_PER_SEC), 0);
        const char *right = "ExecMainCode=2\nExecMainStatus=9\n";
        assert_int_equal(observer_compare_show(&t.o, "a.service", right, true), 0);
        toy_end(&t);
}

static void put_diary(const char *dir, const char *text)
{
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/t.service.diary", dir);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
}

#define LINE_MAIN "start pid=900001 ppid=1 t=1 ticks=1 gen=1 role=main inv=- result=- xcode=- xstatus=-\n"
#define LINE_END  "end pid=900001 code=1 status=7 t=2\n"
#define LINE_POST(code, status)                                                                                        \
        "start pid=900002 ppid=1 t=3 ticks=1 gen=0 role=control inv=- result=exit-code xcode=" code " xstatus=" status \
        "\n"

static void test_e_what_is_told_must_be_true(void **state unused_)
{
        static const struct {
                const char *text;
                unsigned wrong;
        } cases[] = {
                {LINE_MAIN LINE_END LINE_POST("exited", "7"), 0},
                {LINE_MAIN LINE_END LINE_POST("exited", "8"), 1},
                {LINE_MAIN LINE_END LINE_POST("-", "-"), 1},
                {LINE_MAIN LINE_POST("killed", "KILL"), 0},
                {LINE_MAIN LINE_POST("killed", "TERM"), 1},
                {LINE_MAIN LINE_END LINE_POST("exited", "7") LINE_POST("exited", "7"), 1},
                {LINE_MAIN LINE_END LINE_MAIN LINE_POST("killed", "KILL"), 1}, /* the first was never told */
        };
        char dir[] = "/tmp/testlib-XXXXXX";
        assert_non_null(mkdtemp(dir));
        for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
                struct observer o;
                put_diary(dir, cases[i].text);
                assert_int_equal(observer_open(&o, dir, 1), 0);
                observer_check_told(&o);
                assert_int_equal(o.diaries.malformed, 0);
                assert_int_equal(o.counts[VIOLATION_STATUS], cases[i].wrong);
                observer_close(&o);
        }
        (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- the tracer: a victim that counts in shared memory, one getppid(2) per number --- */

static pid_t victim(volatile unsigned *count, int go)
{
        pid_t p = fork();
        assert_true(p >= 0);
        if (p == 0) {
                char byte;
                (void)read(go, &byte, 1);
                for (unsigned i = 0; i < 20; i++) {
                        (void)syscall(SYS_getppid);
                        *count = i + 1;
                }
                for (;;)
                        (void)pause();
        }
        return p;
}

/* Kills before or after the K-th getppid; returns how many the victim knows to have done. */
static unsigned kill_at(unsigned k, bool after, unsigned long step)
{
        int go[2];
        volatile unsigned *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_int_equal(pipe2(go, O_CLOEXEC), 0);
        struct tracer t;
        pid_t p = victim(count, go[0]);
        assert_int_equal(tracer_seize(&t, p, false), 0);
        assert_int_equal(tracer_resume(&t), 0);
        assert_int_equal(write(go[1], "", 1), 1);
        unsigned seen = 0;
        for (;;) {
                enum tracer_event e = tracer_wait(&t, 5 * USEC_PER_SEC);
                if (e == TRACER_NOTHING)
                        continue;
                assert_true(e != TRACER_GONE);
                if (e == TRACER_ENTRY && t.nr == SYS_getppid)
                        seen++;
                if (seen == k && t.nr == SYS_getppid && e == (after ? TRACER_EXIT : TRACER_ENTRY))
                        break;
                assert_int_equal(tracer_resume(&t), 0);
        }
        if (step > 0)
                (void)tracer_step(&t, step);
        tracer_kill(&t);
        assert_int_equal(kill(p, 0), -1); /* no zombie is left of our own child either */
        unsigned n = *count;
        (void)munmap((void *)(uintptr_t)count, 4096);
        (void)close(go[0]);
        (void)close(go[1]);
        return n;
}

static void test_f_killed_at_the_system_call_asked_for(void **state unused_)
{
        if (!tracer_permitted())
                skip();
        for (unsigned k = 1; k <= 20; k += 6) {
                assert_int_equal(kill_at(k, false, 0), k - 1);
                assert_int_equal(kill_at(k, true, 0), k - 1);
        }
        assert_int_equal(kill_at(3, true, 1), 2);
        assert_in_range(kill_at(3, true, 200), 3, 19); /* 200 instructions later it went on */
}

/* However it was let go, it runs on: neither a stop that was seen nor one that was not may be left over. */
static void test_f_let_go_it_runs_on(void **state unused_)
{
        if (!tracer_permitted())
                skip();
        for (unsigned how = 0; how < 3; how++) {
                int go[2];
                volatile unsigned *count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                assert_int_equal(pipe2(go, O_CLOEXEC), 0);
                struct tracer t;
                pid_t p = victim(count, go[0]);
                assert_int_equal(tracer_seize(&t, p, false), 0);
                if (how == 1)
                        (void)tracer_step(&t, 1);
                if (how == 2)
                        assert_int_equal(tracer_resume_free(&t), 0);
                tracer_detach(&t);
                assert_int_equal(write(go[1], "", 1), 1);
                for (unsigned i = 0; i < 5000 && *count < 20; i++)
                        sleep_us(1000);
                assert_int_equal(*count, 20);
                (void)kill(p, SIGKILL);
                (void)waitpid(p, NULL, 0);
                (void)munmap((void *)(uintptr_t)count, 4096);
                (void)close(go[0]);
                (void)close(go[1]);
        }
}

static void test_g_names_of_system_calls(void **state unused_)
{
        assert_string_equal(syscall_name(SYS_getppid), "getppid");
        assert_string_equal(syscall_name(99999), "#99999");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_good_supervisor_passes),
                cmocka_unit_test(test_b_wrong_supervisors_are_caught),
                cmocka_unit_test(test_c_stopped_means_stopped),
                cmocka_unit_test(test_d_show_is_compared_with_the_diary),
                cmocka_unit_test(test_e_death_without_words_is_sigkill),
                cmocka_unit_test(test_e_what_is_told_must_be_true),
                cmocka_unit_test(test_f_killed_at_the_system_call_asked_for),
                cmocka_unit_test(test_f_let_go_it_runs_on),
                cmocka_unit_test(test_g_names_of_system_calls),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
