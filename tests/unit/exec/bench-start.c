/* SPDX-License-Identifier: MIT
 *
 * What a start through the launcher costs, beside a bare vfork and exec of the same static program. It judges nothing;
 * run it by hand: meson test --benchmark.
 */
#include "world.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

/* clang-format off */
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

enum { SINGLE = 200, BURST = 500, PLANS = 1000 };

static double now_us(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare_double(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;
        return x < y ? -1 : x > y;
}

static double median(double *v, size_t n)
{
        qsort(v, n, sizeof(*v), compare_double);
        return v[n / 2];
}

static struct scene *quick(void)
{
        static const char *const base[] = {"PATH=/usr/bin", "LANG=C", NULL};
        struct scene *s = scene_new();

        s->command.path = (char *)QUICK;
        s->command.words = strings_of(QUICK, NULL);
        s->context.base_environment = base;
        return s;
}

static pid_t bare(void)
{
        static char *const argv[] = {(char *)QUICK, NULL};
        static char *const environment[] = {NULL};
        pid_t pid = vfork();

        if (pid == 0) {
                (void)execve(QUICK, argv, environment);
                _exit(127);
        }
        return pid;
}

static void bench_plan(unused_ void **state)
{
        struct scene *s = quick();
        cleanup_buf_ struct buf plan = {0};
        double t = now_us();
        size_t size = 0;

        for (int i = 0; i < PLANS; i++) {
                buf_reset(&plan);
                assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
                size = plan.size;
        }
        print_message("%d plans of %zu bytes: %.0f us\n", PLANS, size, now_us() - t);
}

static void bench_bare(unused_ void **state)
{
        double each[SINGLE], t;

        for (int i = 0; i < SINGLE; i++) {
                pid_t pid;

                t = now_us();
                pid = bare();
                each[i] = now_us() - t;
                (void)waitpid(pid, NULL, 0);
        }
        print_message("bare vfork+exec, one at a time: %.0f us\n", median(each, SINGLE));
        t = now_us();
        for (int i = 0; i < BURST; i++)
                (void)bare();
        print_message("bare vfork+exec, %d in a burst: %.1f us each", BURST, (now_us() - t) / BURST);
        while (wait(NULL) > 0)
                ;
        print_message(", %.1f us until all are reaped\n", (now_us() - t) / BURST);
}

static void bench_launcher(unused_ void **state)
{
        struct world w;
        struct scene *s = quick();
        cleanup_buf_ struct buf plan = {0};
        double sent[SINGLE], noted[SINGLE], t;
        uint32_t first;

        world_start(&w, NULL);
        assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        for (int i = 0; i < SINGLE; i++) {
                uint32_t slot;

                t = now_us();
                slot = world_send(&w, &plan, NULL, 0);
                sent[i] = now_us() - t;
                (void)world_wait_noted(&w, slot);
                noted[i] = now_us() - t;
                (void)world_wait_exit(&w, slot);
        }
        print_message("through the launcher, one at a time: manager busy %.0f us, until noted %.0f us\n",
                      median(sent, SINGLE), median(noted, SINGLE));
        first = w.n_slots;
        t = now_us();
        for (int i = 0; i < BURST; i++)
                (void)world_send(&w, &plan, NULL, 0);
        print_message("through the launcher, %d in a burst: manager busy %.1f us each", BURST, (now_us() - t) / BURST);
        for (int i = 0; i < BURST; i++)
                (void)world_wait_noted(&w, first + (uint32_t)i);
        print_message(", noted %.1f us each", (now_us() - t) / BURST);
        for (int i = 0; i < BURST; i++)
                (void)world_wait_exit(&w, first + (uint32_t)i);
        print_message(", %.1f us until all are reaped\n", (now_us() - t) / BURST);
        world_stop(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bench_plan),
                cmocka_unit_test(bench_bare),
                cmocka_unit_test(bench_launcher),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
