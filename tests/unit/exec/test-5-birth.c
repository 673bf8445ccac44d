/* SPDX-License-Identifier: MIT
 *
 * start_time is told from a clock, mostly, and must be what /proc/PID/stat says, always: one at a time, in a burst on a
 * busy machine, and in a time namespace.
 */
#include "world.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

/* clang-format off */
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

enum { SINGLE = 1000, BURST = 250, BURSTS = 4, BOOT_OFFSET_SEC = 5000, TICKS = 100 };

static struct world world;

static int teardown(unused_ void **state)
{
        world_stop(&world);
        return 0;
}

static int setup(unused_ void **state)
{
        world_start(&world, NULL);
        return 0;
}

/* Field 22, as this process sees it. A zombie still has it. */
static uint64_t start_time_in_proc(uint32_t pid)
{
        char path[64], text[1024];
        cleanup_close_ int fd = -1;
        unsigned long long v = 0;
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/proc/%u/stat", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_return_code(fd, errno);
        n = read(fd, text, sizeof(text) - 1);
        assert_true(n > 0);
        text[n] = 0;
        assert_int_equal(sscanf(strrchr(text, ')') + 1,
                                " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu",
                                &v),
                         1);
        return v;
}

static uint32_t send_true(void)
{
        struct scene *s = scene_new();
        cleanup_buf_ struct buf plan = {0};

        s->command.path = (char *)"/bin/true";
        s->command.words = strings_of("/bin/true", NULL);
        assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        return world_send(&world, &plan, NULL, 0);
}

static void check(uint32_t slot, uint64_t offset_ticks)
{
        struct durable_slot *s = world_slot(&world, slot);

        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_EXECED);
        assert_int_equal(s->start_time, start_time_in_proc(s->last_pid) + offset_ticks);
        assert_int_equal(world_wait_exit(&world, slot), 0);
}

static void test_01_one_at_a_time(unused_ void **state)
{
        for (int i = 0; i < SINGLE; i++)
                check(send_true(), 0);
}

static void test_02_bursts(unused_ void **state)
{
        uint32_t slots[BURST];

        for (int i = 0; i < BURSTS; i++) {
                for (int k = 0; k < BURST; k++)
                        slots[k] = send_true();
                for (int k = 0; k < BURST; k++)
                        check(slots[k], 0);
        }
}

/* The next program of this process runs with another CLOCK_BOOTTIME. */
static void other_time(void)
{
        char text[32];
        int n = snprintf(text, sizeof(text), "boottime %d 0\n", BOOT_OFFSET_SEC), fd;

        if (unshare(CLONE_NEWTIME) < 0)
                return;
        fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
        (void)!write(fd, text, (size_t)n);
        (void)close(fd);
}

static bool has_other_time(void)
{
        char path[64], ours[64] = "", theirs[64] = "";

        (void)snprintf(path, sizeof(path), "/proc/%d/ns/time", (int)world.launcher);
        return readlink("/proc/self/ns/time", ours, sizeof(ours) - 1) > 0 &&
               readlink(path, theirs, sizeof(theirs) - 1) > 0 && !streq(ours, theirs);
}

static void test_03_time_namespace(unused_ void **state)
{
        uint32_t slot;

        world_start(&world, other_time);
        slot = send_true();
        (void)world_wait_noted(&world, slot); /* by then the launcher is what it will be */
        check(slot, has_other_time() ? BOOT_OFFSET_SEC * TICKS : 0);
        if (!has_other_time()) {
                world_stop(&world);
                print_message("no time namespace may be made here\n");
                skip();
        }
        for (int i = 0; i < SINGLE / 2; i++)
                check(send_true(), BOOT_OFFSET_SEC * TICKS);
        world_stop(&world);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_01_one_at_a_time, setup, teardown),
                cmocka_unit_test_setup_teardown(test_02_bursts, setup, teardown),
                cmocka_unit_test(test_03_time_namespace),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
