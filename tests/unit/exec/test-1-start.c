/* SPDX-License-Identifier: MIT
 *
 * The real supd-exec, from the simplest start to its own death. The world is world.h's.
 */
#include "world.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
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

static void test_01_true(unused_ void **state)
{
        struct scene *s = scene_new();
        uint32_t slot;

        s->command.path = (char *)"/bin/true";
        s->command.words = strings_of("/bin/true", NULL);
        assert_int_equal(scene_run(&world, s, &slot), 0);
        assert_int_equal(world_slot(&world, slot)->launch, LAUNCH_EXECED);
        assert_int_not_equal(world_slot(&world, slot)->start_time, 0);
        assert_int_not_equal(world_slot(&world, slot)->session, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_01_true, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
