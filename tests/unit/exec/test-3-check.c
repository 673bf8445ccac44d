/* SPDX-License-Identifier: MIT
 *
 * Condition*= and Assert*=: each kind both ways, and how they join (rule 58). The real supd-exec evaluates them.
 */
#include "world.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
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

/* The exit status of a check of these conditions. */
static int check(struct condition *conditions, unsigned n)
{
        struct scene *s = scene_new();
        cleanup_buf_ struct buf plan = {0};
        uint32_t slot;
        int status;

        s->unit.conditions = (struct conditions){.v = conditions, .n = n};
        assert_int_equal(plan_needs_check(&s->unit), n > 0);
        assert_int_equal(plan_build_check(&plan, &s->unit, &s->context, NULL), 0);
        slot = world_send(&world, &plan, NULL, 0);
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_EXECED);
        assert_int_not_equal(world_slot(&world, slot)->start_time, 0);
        status = world_wait_exit(&world, slot);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static bool holds(enum condition_kind kind, const char *parameter)
{
        struct condition c = {.kind = kind, .parameter = (char *)parameter, .name = (char *)"Condition"};
        int plain = check(&c, 1), negated;

        c.negate = true;
        negated = check(&c, 1);
        assert_int_not_equal(plain, negated);
        return plain == 0;
}

static char *below(const char *name)
{
        static char paths[8][256];
        static unsigned n;
        char *p = paths[n++ % 8];

        (void)snprintf(p, sizeof(paths[0]), "%s/%s", world.directory, name);
        return p;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
        cleanup_close_ int fd = open(below(name), O_WRONLY | O_CREAT | O_CLOEXEC, mode);

        assert_return_code(fd, errno);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void test_01_paths(unused_ void **state)
{
        write_file("full", "x", 0644);
        write_file("empty", "", 0755);
        assert_return_code(mkdir(below("hollow"), 0755), errno);
        assert_return_code(symlink("full", below("link")), errno);
        assert_true(holds(COND_PATH_EXISTS, below("full")));
        assert_false(holds(COND_PATH_EXISTS, below("none")));
        assert_true(holds(COND_PATH_EXISTS_GLOB, below("fu*")));
        assert_false(holds(COND_PATH_EXISTS_GLOB, below("x*")));
        assert_true(holds(COND_PATH_IS_DIRECTORY, below("hollow")));
        assert_false(holds(COND_PATH_IS_DIRECTORY, below("full")));
        assert_true(holds(COND_PATH_IS_SYMBOLIC_LINK, below("link")));
        assert_false(holds(COND_PATH_IS_SYMBOLIC_LINK, below("full")));
        assert_true(holds(COND_PATH_IS_MOUNT_POINT, "/proc"));
        assert_true(holds(COND_PATH_IS_MOUNT_POINT, "/"));
        assert_false(holds(COND_PATH_IS_MOUNT_POINT, "/proc/sys/kernel"));
        assert_false(holds(COND_PATH_IS_MOUNT_POINT, "/etc/passwd"));
        assert_true(holds(COND_PATH_IS_READ_WRITE, world.directory));
        assert_false(holds(COND_PATH_IS_READ_WRITE, "/nowhere"));
        assert_true(holds(COND_DIRECTORY_NOT_EMPTY, world.directory));
        assert_false(holds(COND_DIRECTORY_NOT_EMPTY, below("hollow")));
        assert_true(holds(COND_FILE_NOT_EMPTY, below("full")));
        assert_false(holds(COND_FILE_NOT_EMPTY, below("empty")));
        assert_true(holds(COND_FILE_IS_EXECUTABLE, below("empty")));
        assert_false(holds(COND_FILE_IS_EXECUTABLE, below("full")));
}

static void test_02_people(unused_ void **state)
{
        char number[16];

        (void)snprintf(number, sizeof(number), "%u", (unsigned)getuid());
        assert_true(holds(COND_USER, number));
        assert_int_equal(holds(COND_USER, "root"), getuid() == 0);
        assert_false(holds(COND_USER, "supd-nobody-has-this-name"));
        (void)snprintf(number, sizeof(number), "%u", (unsigned)getgid());
        assert_true(holds(COND_GROUP, number));
        assert_false(holds(COND_GROUP, "31998"));
}

static void test_03_machine(unused_ void **state)
{
        struct utsname u;
        char text[128];

        assert_return_code(uname(&u), errno);
        assert_true(holds(COND_HOST, u.nodename));
        assert_false(holds(COND_HOST, "no-such-host"));
        (void)snprintf(text, sizeof(text), "%c*", u.nodename[0]);
        assert_true(holds(COND_HOST, text));
        assert_true(holds(COND_ARCHITECTURE, "native"));
        assert_false(holds(COND_ARCHITECTURE, "vax"));
        assert_true(holds(COND_KERNEL_VERSION, u.release));
        assert_true(holds(COND_KERNEL_VERSION, ">=4.2 <999"));
        assert_true(holds(COND_KERNEL_VERSION, ">= 4.10"));
        assert_false(holds(COND_KERNEL_VERSION, "<4.2"));
        assert_false(holds(COND_KERNEL_VERSION, "1.*"));
        assert_true(holds(COND_CPUS, ">=1"));
        assert_true(holds(COND_CPUS, "1"));
        assert_false(holds(COND_CPUS, ">100000"));
        assert_true(holds(COND_MEMORY, ">1M"));
        assert_false(holds(COND_MEMORY, ">=1E"));
        assert_true(holds(COND_MEMORY, "< 4P"));
        assert_int_equal(holds(COND_VIRTUALIZATION, "yes"), !holds(COND_VIRTUALIZATION, "no"));
        assert_false(holds(COND_VIRTUALIZATION, "some-other-machine"));
        assert_true(holds(COND_ENVIRONMENT, "FROM_MANAGER"));
        assert_true(holds(COND_ENVIRONMENT, "FROM_MANAGER=yes"));
        assert_false(holds(COND_ENVIRONMENT, "FROM_MANAGER=no"));
        assert_false(holds(COND_ENVIRONMENT, "FROM_MANAG"));
        assert_int_equal(holds(COND_CAPABILITY, "CAP_CHOWN"), geteuid() == 0);
        assert_int_equal(holds(COND_AC_POWER, "true"), !holds(COND_AC_POWER, "false"));
        assert_false(holds(COND_SECURITY, "no-such-module"));
        assert_false(holds(COND_KERNEL_COMMAND_LINE, "supd.no.such.word"));
        assert_false(holds(COND_CREDENTIAL, "no-such-credential"));
        assert_false(holds(COND_FIRMWARE, "no-such-firmware"));
        assert_false(holds(COND_CPU_FEATURE, "no-such-feature"));
        assert_true(holds(COND_CONTROL_GROUP_CONTROLLER, "no-such-controller"));
        assert_int_equal(holds(COND_CONTROL_GROUP_CONTROLLER, "v1"), !holds(COND_CONTROL_GROUP_CONTROLLER, "v2"));
        assert_true(holds(COND_MEMORY_PRESSURE, "100%/10sec"));
        assert_false(holds(COND_PATH_IS_ENCRYPTED, "/proc"));
}

/* a row: kinds of conditions that hold (+) and do not (-), as plain, |trigger, and assertions (A, T = triggering) */
static void test_04_joining(unused_ void **state)
{
        static const struct {
                const char *what;
                int status;
        } rows[] = {{"", 0},     {"+", 0},    {"-", 1},      {"++", 0},    {"+-", 1},  {"|+", 0},
                    {"|-", 1},   {"|-|+", 0}, {"|-|-", 1},   {"+|-|+", 0}, {"-|+", 1}, {"+|-", 1},
                    {"A+", 0},   {"A-", 2},   {"A+A-", 2},   {"+A-", 2},   {"-A-", 1}, {"T-T+", 0},
                    {"T-T-", 2}, {"|+T-", 2}, {"A+T-T+", 0}, {"A-T+", 2},  {"|-A+", 1}};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct condition c[8] = {0};
                unsigned n = 0;

                for (const char *p = rows[i].what; *p; p++) {
                        struct condition *x = &c[n];

                        if (*p == '|' || *p == 'T')
                                x->trigger = true;
                        if (*p == 'A' || *p == 'T')
                                x->assert = true;
                        if (*p != '+' && *p != '-')
                                continue;
                        x->kind = COND_PATH_EXISTS;
                        x->parameter = (char *)(*p == '+' ? "/" : "/nowhere");
                        n++;
                }
                if (check(c, n) != rows[i].status)
                        fail_msg("%s: not %d", rows[i].what, rows[i].status);
        }
}

static void test_05_undecided_does_not_hold(unused_ void **state)
{
        static const struct {
                enum condition_kind kind;
                const char *parameter;
        } rows[] = {{COND_CAPABILITY, "CAP_NO_SUCH"},
                    {COND_FIRST_BOOT, "maybe"},
                    {COND_AC_POWER, "maybe"},
                    {COND_CPUS, "many"},
                    {COND_MEMORY, "much"},
                    {COND_KERNEL_VERSION, ">="},
                    {COND_KERNEL_VERSION, ">= 3 < 4"},
                    {COND_OS_RELEASE, "ID"},
                    {COND_OS_RELEASE, "ID = x"},
                    {COND_FIRMWARE, "smbios-field(x)"},
                    {COND_MEMORY_PRESSURE, "much"},
                    {COND_IO_PRESSURE, "101%"},
                    {COND_CPU_PRESSURE, "10%/7sec"}};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                for (int negate = 0; negate <= 1; negate++) {
                        struct condition c = {
                                .kind = rows[i].kind, .parameter = (char *)rows[i].parameter, .negate = negate};
                        if (check(&c, 1) != 1 &&
                            !(rows[i].kind >= COND_CPU_PRESSURE && access("/proc/pressure", F_OK) < 0))
                                fail_msg("%s holds (%d)", rows[i].parameter, negate);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_01_paths),
                cmocka_unit_test(test_02_people),
                cmocka_unit_test(test_03_machine),
                cmocka_unit_test(test_04_joining),
                cmocka_unit_test(test_05_undecided_does_not_hold),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
