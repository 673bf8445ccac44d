/* SPDX-License-Identifier: MIT
 *
 * Plans as bytes: what a unit turns into, word for word; what a reader refuses; memory that runs out. No process.
 */
#include "world.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "exec/plan-format.h"

/* clang-format off */
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* Linked with --wrap=realloc: the k-th call fails. */
static int fail_at = -1;
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n)
{
        return fail_at >= 0 && fail_at-- == 0 ? NULL : __real_realloc(p, n);
}

/* "NAME words 'string' …" a line each */
static const char *dump(const void *plan, size_t size)
{
        static char text[16384];
        struct plan_item item;
        size_t offset = 0, n = 0;
        int r = plan_open(plan, size);

        text[0] = 0;
        while (r >= 0 && (r = plan_next(plan, size, &offset, &item)) > 0) {
                const struct plan_shape *shape = plan_shape(item.record->tag);

                n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", shape->name);
                for (unsigned i = 0; i < shape->words; i++)
                        n += (size_t)snprintf(text + n, sizeof(text) - n, " %d", (int)plan_word(&item, i));
                if (shape->tail == TAIL_BYTES)
                        for (size_t i = 0; i < item.tail_size; i++)
                                n += (size_t)snprintf(text + n, sizeof(text) - n, " %02x", (uint8_t)item.tail[i]);
                else
                        for (const char *s = plan_string(&item, NULL); s; s = plan_string(&item, s))
                                n += (size_t)snprintf(text + n, sizeof(text) - n, " '%s'", s);
                n += (size_t)snprintf(text + n, sizeof(text) - n, "\n");
        }
        if (r < 0)
                (void)snprintf(text + n, sizeof(text) - n, "error %d\n", r);
        return text;
}

static void expect_command(struct scene *s, enum exec_kind kind, const char *expected)
{
        cleanup_buf_ struct buf b = {0};

        assert_int_equal(plan_build_command(&b, &s->unit, &s->command, kind, &s->context, NULL), 0);
        assert_string_equal(dump(b.data, b.size), expected);
}

static struct scene *simple(void)
{
        struct scene *s = scene_new();

        s->command.path = (char *)"/bin/x";
        s->command.words = strings_of("/bin/x", "$A", NULL);
        return s;
}

static void test_01_smallest(unused_ void **state)
{
        struct scene *s = simple();

        expect_command(s, EXEC_START,
                       "UNIT 'a.service'\nFLAGS 17\nPATH '/bin/x'\nARGV '/bin/x' '$A'\nRUNTIME\nOUTPUT 1 ''\n"
                       "ERROR 0 ''\nUMASK 18\n");
}

static void test_02_typical_is_small(unused_ void **state)
{
        struct scene *s = simple();
        cleanup_buf_ struct buf b = {0};

        s->exec.output = OUTPUT_JOURNAL;
        s->exec.user = (char *)"www-data";
        s->exec.environment = strings_of("A=b", "LONG_NAME=some longer value of it", NULL);
        s->directories[DIRECTORY_RUNTIME].names = strings_of("a", NULL);
        s->context.runtime_root = "/run";
        s->context.log_dir = "/var/log/supd";
        s->context.notify_socket = "/run/supd/notify";
        s->context.base_environment =
                (const char *const[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C.UTF-8", NULL};
        memset(s->context.invocation, 1, 16);
        s->context.nofile.set = true;
        s->context.nofile.soft = 1024;
        s->context.nofile.hard = 524288;
        assert_int_equal(plan_build_command(&b, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        assert_in_range(b.size, 1, 1023);
}

static void test_03_everything(unused_ void **state)
{
        struct scene *s = simple();
        struct exec_config *e = &s->exec;
        struct environment_file files[] = {{(char *)"/etc/default/a", true}, {(char *)"/etc/b", false}};

        s->command.flags = EXEC_IGNORE_FAILURE | EXEC_NO_EXPAND;
        e->no_new_privileges = e->non_blocking = true;
        e->exec_search_path = strings_of("/opt/bin", NULL);
        e->pass_environment = strings_of("P", NULL);
        e->environment = strings_of("E=1", NULL);
        e->unset_environment = strings_of("U", NULL);
        e->environment_files = (struct environment_files){.v = files, .n = 2};
        e->user = (char *)"u";
        e->group = (char *)"g";
        e->supplementary_groups = strings_of("s", "t", NULL);
        e->capability_bounding_set = true;
        e->bounding_set = UINT64_C(0x100000003);
        e->ambient_set = 4;
        e->input = INPUT_DATA;
        e->input_data = (char *)"hi";
        e->input_data_size = 2;
        e->output = OUTPUT_JOURNAL;
        e->error = OUTPUT_APPEND;
        e->error_file = (char *)"/e";
        e->tty_path = (char *)"/dev/tty9";
        e->working_directory = (char *)"~";
        e->working_directory_optional = true;
        e->nice_set = e->oom_score_set = e->io_set = e->cpu_policy_set = true;
        e->nice = -3;
        e->oom_score_adjust = -900;
        e->io_class = 2;
        e->io_priority = 5;
        e->cpu_policy = SCHED_RR;
        e->cpu_priority = 7;
        e->cpu_affinity = (char *)"0-2, 9 64";
        e->personality = (char *)"x86";
        s->limits[RLIMIT_CORE] = (struct limit_value){.set = true, .soft = 0, .hard = UINT64_MAX};
        s->directories[DIRECTORY_RUNTIME].names = strings_of("r", "r/s", NULL);
        s->directories[DIRECTORY_LOGS].names = strings_of("l", NULL);
        s->directories[DIRECTORY_LOGS].mode = 0700;
        s->context.runtime_root = "/run";
        s->context.logs_root = "/var/log";
        s->context.log_dir = "/logs";
        s->context.notify_socket = "/n";
        s->context.main_pid = 12;
        s->context.watchdog_us = 3;
        s->context.cgroup = "/cg/a";
        s->context.n_listen_fds = 2;
        s->context.listen_names = "x:y";
        s->context.nofile.set = true;
        s->context.nofile.soft = 10;
        s->context.nofile.hard = 20;
        s->context.base_environment = (const char *const[]){"B=1", NULL};
        s->context.extra_environment = (const char *const[]){"X=1", NULL};
        s->context.invocation[0] = 0x1f;
        expect_command(
                s, EXEC_START,
                "UNIT 'a.service'\nFLAGS 63\nPATH '/bin/x'\nARGV '/bin/x' '$A'\nSEARCH '/opt/bin'\nBASE 'B=1'\n"
                "RUNTIME 'INVOCATION_ID=1f000000000000000000000000000000' 'NOTIFY_SOCKET=/n' 'MAINPID=12' "
                "'RUNTIME_DIRECTORY=/run/r:/run/r/s' 'LOGS_DIRECTORY=/var/log/l' 'X=1'\nWATCHDOG 3 0\nPASS 'P'\n"
                "ENVIRONMENT 'E=1'\nENVIRONMENT_FILE 1 '/etc/default/a'\nENVIRONMENT_FILE 0 '/etc/b'\nUNSET 'U'\n"
                "USER 'u'\nGROUP 'g'\nSUPPLEMENTARY 's' 't'\nBOUNDING 3 1\nAMBIENT 4 0\nINPUT 6 ''\nOUTPUT 3 ''\n"
                "ERROR 7 '/e'\nLOG '/logs/a.service.log'\nTTY '/dev/tty9'\nINPUT_DATA 68 69\nLISTEN 2 'x:y'\n"
                "DIRECTORY 0 493 '/run' 'r' 'r/s'\nDIRECTORY 3 448 '/var/log' 'l'\nWORKING_DIRECTORY 1 '~'\n"
                "UMASK 18\nLIMIT 4 0 0 0 -1 -1\nLIMIT 7 0 10 0 20 0\nNICE -3\nOOM -900\nIOPRIO 2 5\nSCHEDULER 2 7\n"
                "AFFINITY 07 02 00 00 00 00 00 00 01 00 00 00 00 00 00 00\nPERSONALITY 8\nCGROUP '/cg/a'\n");
}

/* Prefixes: the user stays in the environment, but who is taken on differs. FLAGS 16 = identity. */
static void test_04_privileges(unused_ void **state)
{
        struct scene *s = simple();
        cleanup_buf_ struct buf b = {0};
        static const struct {
                unsigned flags;
                bool start_only;
                enum exec_kind kind;
                const char *has, *has_not;
        } rows[] = {
                {0, false, EXEC_START, "FLAGS 19\n", "UNSUPPORTED"},
                {EXEC_FULL_PRIVILEGE, false, EXEC_START, "FLAGS 1\n", "AMBIENT"},
                {EXEC_NO_SETUID, false, EXEC_START, "FLAGS 3\n", "SUPPLEMENTARY"},
                {EXEC_AMBIENT, false, EXEC_START, "FLAGS 19\n", "UNSUPPORTED"},
                {0, true, EXEC_START, "FLAGS 19\n", "UNSUPPORTED"},
                {0, true, EXEC_STOP, "FLAGS 3\n", "SUPPLEMENTARY"},
        };

        s->exec.user = (char *)"u";
        s->exec.no_new_privileges = true;
        s->exec.ambient_set = 1;
        s->exec.supplementary_groups = strings_of("s", NULL);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                s->command.flags = rows[i].flags;
                s->service.permissions_start_only = rows[i].start_only;
                buf_reset(&b);
                assert_int_equal(plan_build_command(&b, &s->unit, &s->command, rows[i].kind, &s->context, NULL), 0);
                assert_non_null(strstr(dump(b.data, b.size), rows[i].has));
                assert_null(strstr(dump(b.data, b.size), rows[i].has_not));
                assert_non_null(strstr(dump(b.data, b.size), "USER 'u'"));
        }
}

/* Without these the service would run with more than its unit allows: the start is refused, but for '+'. */
static void test_05_holes(unused_ void **state)
{
        struct scene *s = simple();
        cleanup_buf_ struct buf b = {0};

        s->exec.root_directory = (char *)"/srv";
        s->command.flags = EXEC_FULL_PRIVILEGE;
        assert_int_equal(plan_build_command(&b, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        assert_null(strstr(dump(b.data, b.size), "ROOT"));
        s->command.flags = 0;
        buf_reset(&b);
        assert_int_equal(plan_build_command(&b, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        assert_non_null(strstr(dump(b.data, b.size), "ROOT '/srv'"));
        s->exec.root_directory = (char *)"//";
        s->exec.dynamic_user = true;
        buf_reset(&b);
        assert_int_equal(plan_build_command(&b, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        assert_null(strstr(dump(b.data, b.size), "NAMESPACE"));
        assert_non_null(strstr(dump(b.data, b.size), "UNSUPPORTED 'DynamicUser=yes'"));
}

static void test_06_mistakes(unused_ void **state)
{
        struct scene *s = simple();
        cleanup_buf_ struct buf b = {0};
        cleanup_diag_ struct diag d = {0};

        assert_int_equal(buf_append_str(&b, "before"), 0);
        s->command.path = (char *)"";
        assert_int_equal(plan_build_command(&b, &s->unit, &s->command, EXEC_START, &s->context, &d), -EINVAL);
        assert_string_equal(buf_str(&b), "before");
        assert_int_equal(d.n_errors, 1);
        s->command.path = (char *)"/bin/x";
        s->exec.cpu_affinity = (char *)"0-x";
        s->exec.personality = (char *)"vax";
        assert_int_equal(plan_build_command(&b, &s->unit, &s->command, EXEC_START, &s->context, &d), 0);
        assert_int_equal(d.n_notices, 2);
}

static void test_07_check_and_cleanup(unused_ void **state)
{
        struct scene *s = simple();
        struct condition c[] = {
                {.kind = COND_PATH_EXISTS, .parameter = (char *)"/x", .name = (char *)"ConditionPathExists"},
                {.kind = COND_USER,
                 .assert = true,
                 .trigger = true,
                 .negate = true,
                 .parameter = (char *)"u",
                 .name = (char *)"AssertUser"}};
        cleanup_buf_ struct buf b = {0};

        assert_false(plan_needs_check(&s->unit));
        assert_false(plan_needs_cleanup(&s->unit));
        s->unit.conditions = (struct conditions){.v = c, .n = 2};
        s->service.pid_file = (char *)"/run/a.pid";
        s->directories[DIRECTORY_RUNTIME].names = strings_of("a", "b/c", NULL);
        s->context.runtime_root = "/run";
        assert_true(plan_needs_check(&s->unit));
        assert_true(plan_needs_cleanup(&s->unit));
        assert_int_equal(plan_build_check(&b, &s->unit, &s->context, NULL), 0);
        assert_string_equal(dump(b.data, b.size), "UNIT 'a.service'\nCONDITION 0 0 'ConditionPathExists' '/x'\n"
                                                  "CONDITION 9 7 'AssertUser' 'u'\n");
        buf_reset(&b);
        assert_int_equal(plan_build_cleanup(&b, &s->unit, false, &s->context, NULL), 0);
        assert_string_equal(dump(b.data, b.size), "UNIT 'a.service'\nPID_FILE '/run/a.pid'\nREMOVE '/run' 'a' 'b/c'\n");
        buf_reset(&b);
        assert_int_equal(plan_build_cleanup(&b, &s->unit, true, &s->context, NULL), 0);
        assert_string_equal(dump(b.data, b.size), "UNIT 'a.service'\nPID_FILE '/run/a.pid'\n");
        s->unit.service = NULL; /* a target has conditions, too */
        assert_true(plan_needs_check(&s->unit));
        assert_false(plan_needs_cleanup(&s->unit));
}

static void test_08_reader_refuses(unused_ void **state)
{
        struct scene *s = simple();
        cleanup_buf_ struct buf b = {0};
        struct plan_record *first;

        assert_int_equal(plan_build_command(&b, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        for (size_t n = 0; n < b.size; n++) /* the header tells the size, so every part of a plan is none */
                assert_int_equal(plan_open(b.data, n), -EBADMSG);
        first = (struct plan_record *)(void *)(b.data + sizeof(struct plan_header));
        first->tag = 1000;
        assert_string_equal(dump(b.data, b.size), "error -95\n");
        first->flags = PLAN_OPTIONAL;
        assert_null(strstr(dump(b.data, b.size), "UNIT"));
        assert_non_null(strstr(dump(b.data, b.size), "UMASK 18\n"));
        first->size = UINT32_MAX;
        assert_string_equal(dump(b.data, b.size), "error -74\n");
        first->tag = PLAN_UNIT;
        first->size = 3; /* a string without its end */
        assert_string_equal(dump(b.data, b.size), "error -74\n");
        first->tag = PLAN_LIMIT;
        first->size = 8; /* too few words */
        assert_string_equal(dump(b.data, b.size), "error -74\n");
}

static void test_09_memory_runs_out(unused_ void **state)
{
        struct scene *s = simple();
        int r = -ENOMEM;

        s->exec.environment = strings_of("A=a rather long value, so that the buffer has to grow some times", NULL);
        for (int k = 0; r == -ENOMEM; k++) {
                cleanup_buf_ struct buf b = {0};

                assert_int_equal(buf_append_str(&b, "x"), 0);
                fail_at = k;
                r = plan_build_command(&b, &s->unit, &s->command, EXEC_START, &s->context, NULL);
                fail_at = -1;
                assert_true(r == 0 || r == -ENOMEM);
                assert_true(k < 20);
                if (r < 0)
                        assert_string_equal(buf_str(&b), "x");
                else
                        assert_true(k > 1);
        }
}

static void test_10_steps_have_names(unused_ void **state)
{
        for (int i = 0; i < N_PLAN_STEPS; i++) {
                assert_string_not_equal(plan_step_name((enum plan_step)i), "unknown step");
                for (int k = 0; k < i; k++)
                        assert_string_not_equal(plan_step_name((enum plan_step)i), plan_step_name((enum plan_step)k));
        }
        assert_string_equal(plan_step_name(N_PLAN_STEPS), "unknown step");
}

static struct resource_value number(uint64_t n)
{
        return (struct resource_value){.value = n, .kind = RESOURCE_NUMBER};
}

static struct resource_value share(uint64_t permyriad)
{
        return (struct resource_value){.value = permyriad, .kind = RESOURCE_SHARE};
}

static int gather(void *userdata, const char *file, const char *value)
{
        return buf_printf(userdata, "%s=%s\n", file, *value == '\n' ? "" : value);
}

static void expect_files(const struct group_config *g, const struct group_config *before, uint32_t controllers,
                         const char *expected)
{
        static const struct plan_whole whole = {.memory = 1000000, .tasks = 300};
        cleanup_buf_ struct buf b = {0};

        assert_int_equal(plan_group_files(g, before, controllers, &whole, gather, &b), 0);
        assert_string_equal(buf_str(&b), expected);
}

static void test_11_files_of_a_cgroup(unused_ void **state)
{
        struct group_config g = {0}, before = {0};
        const struct unit u = {.group = &g};

        expect_files(&g, NULL, GROUP_ALL, "");
        g.resources[RESOURCE_MEMORY_MAX] = number(4096);
        g.resources[RESOURCE_MEMORY_HIGH] = share(2500);
        g.resources[RESOURCE_MEMORY_SWAP_MAX] = share(1000);
        g.resources[RESOURCE_TASKS_MAX] = share(1);
        g.resources[RESOURCE_CPU_QUOTA] = share(5000);
        g.resources[RESOURCE_IO_WEIGHT] = number(7);
        g.cpus = (char *)"0-3 5,\t7";
        expect_files(&g, NULL, GROUP_ALL,
                     "memory.high=250000\nmemory.max=4096\nmemory.swap.max=100000\npids.max=1\ncpu.max=50000 100000\n"
                     "io.weight=default 7\ncpuset.cpus=0-3,5,7\n");
        expect_files(&g, NULL, GROUP_PIDS, "pids.max=1\n");
        assert_string_equal(plan_group_lacks(&u, GROUP_ALL & ~GROUP_CPU), "CPUQuota");
        assert_string_equal(plan_group_lacks(&u, GROUP_ALL & ~GROUP_CPUSET), "AllowedCPUs");
        assert_null(plan_group_lacks(&u, GROUP_ALL));
        /* what is set no more */
        before = g;
        g = (struct group_config){0};
        g.resources[RESOURCE_MEMORY_MAX].kind = RESOURCE_INFINITY;
        expect_files(&g, &before, GROUP_ALL,
                     "memory.high=max\nmemory.max=max\nmemory.swap.max=max\npids.max=max\ncpu.max=max 100000\n"
                     "io.weight=default 100\ncpuset.cpus=\n");
}

static void test_12_quotas_and_old_words(unused_ void **state)
{
        struct group_config g = {0};

        g.resources[RESOURCE_CPU_QUOTA] = share(10); /* 0.1% needs a second for a millisecond */
        expect_files(&g, NULL, GROUP_CPU, "cpu.max=1000 1000000\n");
        g.resources[RESOURCE_CPU_QUOTA] = share(1);
        expect_files(&g, NULL, GROUP_CPU, "cpu.max=1000 1000000\n");
        g.resources[RESOURCE_CPU_QUOTA] = share(30000);
        g.resources[RESOURCE_CPU_PERIOD] = number(1000);
        expect_files(&g, NULL, GROUP_CPU, "cpu.max=3000 1000\n");
        g = (struct group_config){0};
        g.resources[RESOURCE_CPU_SHARES] = number(2);
        g.resources[RESOURCE_BLOCK_IO_WEIGHT] = number(250);
        g.resources[RESOURCE_MEMORY_LIMIT] = number(8192);
        expect_files(&g, NULL, GROUP_ALL, "memory.max=8192\ncpu.weight=1\nio.weight=default 50\n");
        g.resources[RESOURCE_CPU_WEIGHT].kind = RESOURCE_IDLE;
        g.resources[RESOURCE_MEMORY_MAX] = number(4096);
        expect_files(&g, NULL, GROUP_MEMORY | GROUP_CPU, "memory.max=4096\ncpu.idle=1\n");
}

static void test_13_slices_come_first(unused_ void **state)
{
        struct group_config outer = {0}, inner = {0};
        const struct plan_slice slices[] = {{"/g/a.slice", &outer}, {"/g/a.slice/a-b.slice", &inner}};
        struct scene *s = simple();

        s->context.cgroup = "/g/a.slice/a-b.slice/x";
        s->context.slices = slices;
        s->context.n_slices = 2;
        s->context.controllers = GROUP_MEMORY | GROUP_PIDS;
        inner.resources[RESOURCE_MEMORY_MAX] = number(1);
        s->group.resources[RESOURCE_TASKS_MAX] = number(2);
        s->group.resources[RESOURCE_CPU_WEIGHT] = number(3); /* which cannot be had */
        s->group.delegate = true;
        expect_command(s, EXEC_START,
                       "UNIT 'a.service'\nFLAGS 17\nPATH '/bin/x'\nARGV '/bin/x' '$A'\nRUNTIME\nOUTPUT 1 ''\n"
                       "ERROR 0 ''\nUMASK 18\nCGROUP '/g/a.slice/a-b.slice/x'\n"
                       "GROUP_FILE '/g/a.slice/cgroup.subtree_control' '+memory +pids'\n"
                       "GROUP_FILE '/g/a.slice/a-b.slice/memory.max' '1'\n"
                       "GROUP_FILE '/g/a.slice/a-b.slice/cgroup.subtree_control' '+pids'\n"
                       "GROUP_FILE '/g/a.slice/a-b.slice/x/pids.max' '2'\nDELEGATE\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_01_smallest),
                cmocka_unit_test(test_02_typical_is_small),
                cmocka_unit_test(test_03_everything),
                cmocka_unit_test(test_04_privileges),
                cmocka_unit_test(test_05_holes),
                cmocka_unit_test(test_06_mistakes),
                cmocka_unit_test(test_07_check_and_cleanup),
                cmocka_unit_test(test_08_reader_refuses),
                cmocka_unit_test(test_09_memory_runs_out),
                cmocka_unit_test(test_10_steps_have_names),
                cmocka_unit_test(test_11_files_of_a_cgroup),
                cmocka_unit_test(test_12_quotas_and_old_words),
                cmocka_unit_test(test_13_slices_come_first),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
