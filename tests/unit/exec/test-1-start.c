/* SPDX-License-Identifier: MIT
 *
 * The real supd-exec, from the simplest start to what a service finds itself with. The world is world.h's.
 */
#include "world.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/* clang-format off */
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static struct world world;

/* A launcher that inherits the worst: signals ignored and blocked, an fd that leaks. */
static void inherit_the_worst(void)
{
        sigset_t all;

        for (int sig = 1; sig < 65; sig++)
                (void)signal(sig, SIG_IGN);
        (void)sigfillset(&all);
        (void)sigprocmask(SIG_SETMASK, &all, NULL);
        (void)fcntl(open("/dev/null", O_RDONLY), F_DUPFD, 50);
}

static int setup(unused_ void **state)
{
        world_start(&world, inherit_the_worst);
        return 0;
}

static int teardown(unused_ void **state)
{
        world_stop(&world);
        return 0;
}

/* PATH below the world's directory, in storage that lasts for some calls. */
static char *below(const char *name)
{
        static char paths[16][256];
        static unsigned n;
        char *p = paths[n++ % 16];

        (void)snprintf(p, sizeof(paths[0]), "%s/%s", world.directory, name);
        return p;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
        cleanup_close_ int fd = open(below(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

        assert_return_code(fd, errno);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* "/bin/cat PATH" with its output in file "out". */
static struct scene *cat_scene(const char *path)
{
        struct scene *s = scene_new();

        s->command.path = (char *)"/bin/cat";
        s->command.words = strings_of("/bin/cat", path, NULL);
        s->exec.output = OUTPUT_TRUNCATE;
        s->exec.output_file = below("out");
        return s;
}

static struct scene *shell_scene(const char *script)
{
        struct scene *s = cat_scene("x");

        scene_shell(s, script);
        return s;
}

static bool root_only(void)
{
        if (geteuid() != 0)
                skip();
        return geteuid() == 0;
}

static void test_01_true(unused_ void **state)
{
        struct scene *s = scene_new();
        struct durable_slot *slot;
        uint32_t i;

        s->command.path = (char *)"/bin/true";
        s->command.words = strings_of("/bin/true", NULL);
        assert_int_equal(scene_run(&world, s, &i), 0);
        slot = world_slot(&world, i);
        assert_int_equal(slot->launch, LAUNCH_EXECED);
        assert_int_equal(slot->step, PLAN_STEP_NONE);
        assert_int_not_equal(slot->start_time, 0);
        assert_int_not_equal(slot->session, 0);
        assert_int_not_equal(slot->session, slot->last_pid);
}

static void test_02_exit_status_and_search(unused_ void **state)
{
        struct scene *s = shell_scene("exit 42");

        assert_int_equal(scene_run(&world, s, NULL), 42);
        scene_shell(s, "kill -9 $$");
        assert_int_equal(scene_run(&world, s, NULL), -SIGKILL);
        s->command.path = (char *)"false";
        s->command.words = strings_of("false", NULL);
        assert_int_equal(scene_run(&world, s, NULL), 1);
        write_file("tool", "#!/bin/sh\nexit 7\n", 0755);
        s->command.path = (char *)"tool";
        s->command.words = strings_of("tool", NULL);
        s->exec.exec_search_path = strings_of("/nowhere", world.directory, NULL);
        assert_int_equal(scene_run(&world, s, NULL), 7);
}

static void test_03_argv_and_variables(unused_ void **state)
{
        struct scene *s = shell_scene("x");

        s->command.flags = 0;
        s->command.words = strings_of("other", "-c", "printf '<%s>' \"$$0\" \"$$@\"", "zero", "$LIST", "${LIST}",
                                      "a$LIST", "$UNSET", "${UNSET}", "$$LIST", NULL);
        s->exec.environment = strings_of("LIST=one two", NULL);
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_string_equal(world_text(&world, "out"), "<zero><one><two><one two><a$LIST><><$LIST>");
        s->command.flags = EXEC_NO_EXPAND;
        s->command.words = strings_of("sh", "-c", "printf '<%s>' \"$@\"", "0", "$LIST", NULL);
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_string_equal(world_text(&world, "out"), "<$LIST>");
}

/* One failing step each. */
struct failing {
        const char *name;
        void (*change)(struct scene *s);
        int status;
        uint32_t step;
        int error; /* 0 = any */
};

static void fail_missing(struct scene *s)
{
        s->command.path = (char *)"/nowhere/x";
}
static void fail_search(struct scene *s)
{
        s->command.path = (char *)"supd-no-such-command";
}
static void fail_not_executable(struct scene *s)
{
        s->command.path = (char *)"/etc/passwd";
}
static void fail_chdir(struct scene *s)
{
        s->exec.working_directory = (char *)"/nowhere";
}
static void fail_user(struct scene *s)
{
        s->exec.user = (char *)"supd-nobody-has-this-name";
}
static void fail_group(struct scene *s)
{
        s->exec.group = (char *)"supd-nobody-has-this-name";
}
static void fail_supplementary(struct scene *s)
{
        s->exec.supplementary_groups = strings_of("supd-nobody-has-this-name", NULL);
}
static void fail_stdin(struct scene *s)
{
        s->exec.input = INPUT_FILE;
        s->exec.input_file = (char *)"/nowhere/in";
}
static void fail_stdin_name(struct scene *s)
{
        s->exec.input = INPUT_FD;
        s->exec.input_file = (char *)"missing";
}
static void fail_tty(struct scene *s)
{
        s->exec.input = INPUT_TTY_FAIL;
        s->exec.tty_path = (char *)"/dev/null";
}
static void fail_stdout(struct scene *s)
{
        s->exec.output = OUTPUT_APPEND;
        s->exec.output_file = (char *)"/nowhere/out";
}
static void fail_stderr(struct scene *s)
{
        s->exec.error = OUTPUT_FILE;
        s->exec.error_file = (char *)"/nowhere/err";
}
static void fail_root(struct scene *s)
{
        s->exec.root_directory = (char *)"/no/such/root";
}
static void fail_dynamic(struct scene *s)
{
        s->exec.dynamic_user = true;
}
static void fail_limit(struct scene *s)
{
        s->limits[RLIMIT_CORE] = (struct limit_value){.set = true, .soft = 2, .hard = 1};
}
static void fail_scheduler(struct scene *s)
{
        s->exec.cpu_policy_set = true;
        s->exec.cpu_policy = 99;
}
static void fail_affinity(struct scene *s)
{
        s->exec.cpu_affinity = (char *)"1000";
}
static void fail_ioprio(struct scene *s)
{
        s->exec.io_set = true;
        s->exec.io_class = 6;
}
static void fail_runtime(struct scene *s)
{
        s->directories[DIRECTORY_RUNTIME].names = strings_of("a", NULL);
        s->context.runtime_root = "/etc/passwd";
}
static void fail_state(struct scene *s)
{
        s->directories[DIRECTORY_STATE].names = strings_of("a", NULL);
        s->context.state_root = "/etc/passwd";
}
static void fail_cache(struct scene *s)
{
        s->directories[DIRECTORY_CACHE].names = strings_of("a", NULL);
        s->context.cache_root = "/etc/passwd";
}
static void fail_logs(struct scene *s)
{
        s->directories[DIRECTORY_LOGS].names = strings_of("a", NULL);
        s->context.logs_root = "/etc/passwd";
}
static void fail_configuration(struct scene *s)
{
        s->directories[DIRECTORY_CONFIGURATION].names = strings_of("../a", NULL);
        s->context.configuration_root = "/tmp";
}
static void fail_ambient(struct scene *s)
{
        s->exec.ambient_set = UINT64_C(1) << 62;
}

static const struct failing failing[] = {
        {"missing program", fail_missing, 203, PLAN_STEP_EXEC, ENOENT},
        {"name not found", fail_search, 203, PLAN_STEP_EXEC, ENOENT},
        {"not executable", fail_not_executable, 203, PLAN_STEP_EXEC, EACCES},
        {"WorkingDirectory", fail_chdir, 200, PLAN_STEP_CHDIR, ENOENT},
        {"User", fail_user, 217, PLAN_STEP_USER, ESRCH},
        {"Group", fail_group, 216, PLAN_STEP_GROUP, ESRCH},
        {"SupplementaryGroups", fail_supplementary, 216, PLAN_STEP_GROUP, ESRCH},
        {"StandardInput=file", fail_stdin, 208, PLAN_STEP_STDIN, ENOENT},
        {"StandardInput=fd", fail_stdin_name, 208, PLAN_STEP_STDIN, ENOENT},
        {"StandardInput=tty", fail_tty, 208, PLAN_STEP_STDIN, 0},
        {"StandardOutput", fail_stdout, 209, PLAN_STEP_STDOUT, ENOENT},
        {"StandardError", fail_stderr, 222, PLAN_STEP_STDERR, ENOENT},
        {"RootDirectory", fail_root, 226, PLAN_STEP_NAMESPACE, 0},
        {"DynamicUser", fail_dynamic, 226, PLAN_STEP_UNSUPPORTED, 0},
        {"Limit", fail_limit, 205, PLAN_STEP_LIMITS, EINVAL},
        {"CPUSchedulingPolicy", fail_scheduler, 214, PLAN_STEP_SCHEDULER, EINVAL},
        {"CPUAffinity", fail_affinity, 215, PLAN_STEP_AFFINITY, EINVAL},
        {"IOSchedulingClass", fail_ioprio, 211, PLAN_STEP_IOPRIO, EINVAL},
        {"RuntimeDirectory", fail_runtime, 233, PLAN_STEP_DIRECTORIES, ENOTDIR},
        {"StateDirectory", fail_state, 238, PLAN_STEP_DIRECTORIES, ENOTDIR},
        {"CacheDirectory", fail_cache, 239, PLAN_STEP_DIRECTORIES, ENOTDIR},
        {"LogsDirectory", fail_logs, 240, PLAN_STEP_DIRECTORIES, ENOTDIR},
        {"ConfigurationDirectory", fail_configuration, 241, PLAN_STEP_DIRECTORIES, EINVAL},
        {"AmbientCapabilities", fail_ambient, 218, PLAN_STEP_CAPABILITIES, 0},
};

static void test_04_failing_steps(unused_ void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(failing); i++) {
                struct scene *s = shell_scene("exit 0");
                const struct durable_slot *slot;
                uint32_t n;
                int status;

                failing[i].change(s);
                status = scene_run(&world, s, &n);
                slot = world_slot(&world, n);
                if (status != failing[i].status || slot->step != failing[i].step)
                        print_error("%s: %d, step %u, error %d\n", failing[i].name, status, slot->step, slot->error);
                assert_int_equal(status, failing[i].status);
                assert_int_equal(slot->step, failing[i].step);
                assert_int_equal(slot->launch, LAUNCH_FAILED);
                if (failing[i].error)
                        assert_int_equal(slot->error, failing[i].error);
        }
}

/* Where there is no cgroup to be had the service starts all the same, and the slot says so. */
static void test_04b_no_cgroup(unused_ void **state)
{
        struct scene *s = shell_scene("exit 7");
        uint32_t n;

        s->context.cgroup = "/proc/nowhere/cgroup";
        assert_int_equal(scene_run(&world, s, &n), 7);
        assert_int_equal(world_slot(&world, n)->launch, LAUNCH_EXECED);
        assert_int_equal(world_slot(&world, n)->step, PLAN_STEP_CGROUP);
        assert_int_equal(world_slot(&world, n)->error, ENOENT);
        assert_int_equal(world_slot(&world, n)->group, 0);
}

/* What systemd reports as "resources": no process at all. */
static void test_05_failing_before_the_fork(unused_ void **state)
{
        struct scene *s = shell_scene("exit 0");
        cleanup_buf_ struct buf plan = {0};
        struct environment_file file = {.path = (char *)"/nowhere/env"};
        uint32_t slot;

        s->exec.environment_files = (struct environment_files){.v = &file, .n = 1};
        assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        slot = world_send(&world, &plan, NULL, 0);
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_FAILED);
        assert_int_equal(world_slot(&world, slot)->step, PLAN_STEP_ENVIRONMENT_FILE);
        assert_int_equal(world_slot(&world, slot)->error, ENOENT);
        assert_int_equal(world_slot(&world, slot)->last_pid, 0);
        file.optional = true;
        assert_int_equal(scene_run(&world, s, NULL), 0);

        plan.data[20] = (char)0xee; /* the tag of the first record's neighbour: no longer a plan */
        plan.data[16] = (char)0xee;
        slot = world_send(&world, &plan, NULL, 0);
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_FAILED);
        assert_int_equal(world_slot(&world, slot)->step, PLAN_STEP_PLAN);
}

static int compare_lines(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of "out", sorted and joined again. */
static const char *sorted_out(void)
{
        static char joined[65536];
        char *lines[256], *save = NULL, *text = strdup(world_text(&world, "out"));
        size_t n = 0;

        for (char *l = strtok_r(text, "\n", &save); l && n < 256; l = strtok_r(NULL, "\n", &save))
                lines[n++] = l;
        qsort(lines, n, sizeof(lines[0]), compare_lines);
        joined[0] = 0;
        for (size_t i = 0; i < n; i++)
                (void)snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined), "%s\n", lines[i]);
        free(text);
        return joined;
}

static void test_06_environment(unused_ void **state)
{
        struct scene *s = cat_scene("x");
        struct environment_file files[] = {{.path = below("one.env")},
                                           {.path = below("not-there.env"), .optional = true}};
        char expected[4096];
        uint32_t n;

        write_file("one.env", "FILE=from file\nOWN='file wins'\n", 0644);
        s->command.path = (char *)"/usr/bin/env";
        s->command.words = strings_of("env", NULL);
        s->exec.environment = strings_of("OWN=unit", "HOME=/own", "GONE=1", "STAY=1", NULL);
        s->exec.environment_files = (struct environment_files){.v = files, .n = 2};
        s->exec.pass_environment = strings_of("FROM_MANAGER", "SUPD_NOT_SET", NULL);
        s->exec.unset_environment = strings_of("GONE", "STAY=2", "LANG", NULL);
        s->exec.user = (char *)"root";
        s->directories[DIRECTORY_STATE].names = strings_of("a", "b/c", NULL);
        s->context.state_root = world.directory;
        s->context.base_environment = (const char *const[]){"LANG=C.UTF-8", "PATH=/usr/bin:/bin", NULL};
        s->context.extra_environment = (const char *const[]){"SERVICE_RESULT=success", NULL};
        s->context.notify_socket = "/run/n";
        s->context.main_pid = 77;
        s->context.watchdog_us = 5000000;
        memset(s->context.invocation, 0xab, 16);
        assert_int_equal(scene_run(&world, s, &n), 0);
        (void)snprintf(expected, sizeof(expected),
                       "FILE=from file\nFROM_MANAGER=yes\nHOME=/own\nINVOCATION_ID=%s\nLOGNAME=root\nMAINPID=77\n"
                       "NOTIFY_SOCKET=/run/n\nOWN=file wins\nPATH=/usr/bin:/bin\nSERVICE_RESULT=success\n"
                       "SHELL=/bin/bash\nSTATE_DIRECTORY=%s/a:%s/b/c\nSTAY=1\nSYSTEMD_EXEC_PID=%u\nUSER=root\n"
                       "WATCHDOG_PID=%u\nWATCHDOG_USEC=5000000\n",
                       "abababababababababababababababab", world.directory, world.directory,
                       world_slot(&world, n)->last_pid, world_slot(&world, n)->last_pid);
        assert_string_equal(sorted_out(), expected);
}

static void test_07_smallest_environment(unused_ void **state)
{
        struct scene *s = cat_scene("x");
        char expected[256];
        uint32_t n;

        s->command.path = (char *)"/usr/bin/env";
        s->command.words = strings_of("env", NULL);
        assert_int_equal(scene_run(&world, s, &n), 0);
        (void)snprintf(expected, sizeof(expected),
                       "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nSYSTEMD_EXEC_PID=%u\n",
                       world_slot(&world, n)->last_pid);
        assert_string_equal(sorted_out(), expected);
}

static void test_08_place(unused_ void **state)
{
        struct scene *s = shell_scene("pwd; umask; ls /proc/self/fd; readlink /proc/self/fd/0");

        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_string_equal(world_text(&world, "out"), "/\n0022\n0\n1\n2\n3\n/dev/null\n"); /* 3: ls's own */
        s->exec.working_directory = world.directory;
        s->exec.umask = 0077;
        scene_shell(s, "pwd; umask");
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_int_equal(strncmp(world_text(&world, "out"), world.directory, strlen(world.directory)), 0);
        assert_non_null(strstr(world_text(&world, "out"), "\n0077\n"));
        s->exec.working_directory = (char *)"/nowhere";
        s->exec.working_directory_optional = true;
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_string_equal(world_text(&world, "out"), "/\n0077\n");
}

static unsigned long long status_field(const char *name, int base)
{
        const char *p = strstr(world_text(&world, "out"), name);

        assert_non_null(p);
        return strtoull(p + strlen(name) + 1, NULL, base);
}

static void test_09_signals(unused_ void **state)
{
        struct scene *s = cat_scene("/proc/self/status");

        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_int_equal(status_field("SigBlk", 16), 0);
        assert_int_equal(status_field("SigIgn", 16), 1u << (SIGPIPE - 1));
        assert_int_equal(status_field("SigCgt", 16), 0);
        s->exec.ignore_sigpipe = false;
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_int_equal(status_field("SigIgn", 16), 0);
}

static void test_10_session_and_group(unused_ void **state)
{
        struct scene *s = cat_scene("/proc/self/stat");
        unsigned pid, ppid, group, session;
        uint32_t n;

        assert_int_equal(scene_run(&world, s, &n), 0);
        assert_int_equal(sscanf(world_text(&world, "out"), "%u (cat) R %u %u %u", &pid, &ppid, &group, &session), 4);
        assert_int_equal(pid, world_slot(&world, n)->last_pid);
        assert_int_equal(group, pid);
        assert_int_equal(session, world_slot(&world, n)->session);
        assert_int_not_equal(session, pid);
}

static void test_11_users(unused_ void **state)
{
        struct scene *s = cat_scene("/proc/self/status");

        if (!root_only())
                return;
        s->exec.user = (char *)"daemon";
        s->exec.supplementary_groups = strings_of("adm", "4242", NULL);
        s->exec.working_directory = (char *)"~";
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_non_null(strstr(world_text(&world, "out"), "Uid:\t1\t1\t1\t1\n"));
        assert_non_null(strstr(world_text(&world, "out"), "Gid:\t1\t1\t1\t1\n"));
        assert_non_null(strstr(world_text(&world, "out"), "Groups:\t1 4 4242 \n"));
        assert_int_equal(status_field("CapEff", 16), 0);

        s->exec.user = (char *)"31999"; /* in no file */
        s->exec.group = (char *)"adm";
        s->exec.supplementary_groups = (struct strings){0};
        s->exec.working_directory = NULL;
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_non_null(strstr(world_text(&world, "out"), "Uid:\t31999\t31999\t31999\t31999\n"));
        assert_non_null(strstr(world_text(&world, "out"), "Gid:\t4\t4\t4\t4\n"));
        assert_non_null(strstr(world_text(&world, "out"), "Groups:\t4 \n"));

        s->command.flags |= EXEC_FULL_PRIVILEGE;
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_non_null(strstr(world_text(&world, "out"), "Uid:\t0\t0\t0\t0\n"));
}

static void test_12_numbers(unused_ void **state)
{
        struct scene *s = shell_scene("ulimit -n; ulimit -c; nice; cat /proc/self/oom_score_adj");

        s->context.nofile.set = true;
        s->context.nofile.soft = 100;
        s->context.nofile.hard = 200;
        s->limits[RLIMIT_CORE] = (struct limit_value){.set = true, .soft = 512, .hard = UINT64_MAX};
        s->exec.nice_set = s->exec.oom_score_set = true;
        s->exec.nice = 5;
        s->exec.oom_score_adjust = 300;
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_string_equal(world_text(&world, "out"), "100\n1\n5\n300\n");

        s = cat_scene("/proc/self/status");
        s->exec.cpu_affinity = (char *)"0";
        s->exec.no_new_privileges = true;
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_int_equal(status_field("NoNewPrivs", 10), 1);
        assert_non_null(strstr(world_text(&world, "out"), "Cpus_allowed_list:\t0\n"));
}

static void test_13_limit_is_clamped(unused_ void **state)
{
        struct scene *s = shell_scene("ulimit -Hn; ulimit -Sn");
        char expected[64];
        struct rlimit have;
        int status;

        (void)getrlimit(RLIMIT_NOFILE, &have);
        s->limits[RLIMIT_NOFILE] = (struct limit_value){.set = true, .soft = have.rlim_max + 10, .hard = UINT64_MAX};
        status = scene_run(&world, s, NULL);
        /* permitted up to fs.nr_open only; without CAP_SYS_RESOURCE the hard limit stays */
        if (status == 0 && strtoull(world_text(&world, "out"), NULL, 10) <= have.rlim_max) {
                (void)snprintf(expected, sizeof(expected), "%llu\n%llu\n", (unsigned long long)have.rlim_max,
                               (unsigned long long)have.rlim_max);
                assert_string_equal(world_text(&world, "out"), expected);
        } else {
                assert_int_equal(geteuid(), 0);
        }
}

static void test_14_capabilities(unused_ void **state)
{
        struct scene *s = cat_scene("/proc/self/status");

        if (!root_only())
                return;
        s->exec.capability_bounding_set = true;
        s->exec.bounding_set = 1u << 10 | 1u << 0;
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_int_equal(status_field("CapBnd", 16), 1u << 10 | 1u << 0);
        assert_int_equal(status_field("CapEff", 16), 1u << 10 | 1u << 0);

        s->exec.user = (char *)"daemon";
        s->exec.ambient_set = 1u << 10;
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_non_null(strstr(world_text(&world, "out"), "Uid:\t1\t1\t1\t1\n"));
        assert_int_equal(status_field("CapEff", 16), 1u << 10);
        assert_int_equal(status_field("CapAmb", 16), 1u << 10);
}

/* LISTEN_FDS: from 3 in the order passed, for this pid, without O_NONBLOCK; nothing else is open. */
static void test_15_passed_fds(unused_ void **state)
{
        struct scene *s = shell_scene("echo $LISTEN_FDS $LISTEN_FDNAMES; [ $LISTEN_PID = $$ ] && echo mine;"
                                      "cat <&4; cat <&3; ls /proc/self/fd | tr '\\n' ' '; cat /proc/self/fdinfo/3");
        cleanup_buf_ struct buf plan = {0};
        int pipes[2][2], fds[2];
        uint32_t slot;

        for (int i = 0; i < 2; i++) {
                assert_return_code(pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK), errno);
                assert_int_equal(write(pipes[i][1], i ? "second\n" : "first\n", i ? 7 : 6), i ? 7 : 6);
                (void)close(pipes[i][1]);
                fds[i] = pipes[i][0];
        }
        s->context.n_listen_fds = 2;
        s->context.listen_names = "a.socket:other";
        assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        slot = world_send(&world, &plan, fds, 2);
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_EXECED);
        assert_int_equal(world_wait_exit(&world, slot), 0);
        assert_non_null(strstr(world_text(&world, "out"),
                               "2 a.socket:other\nmine\nsecond\nfirst\n0 1 2 3 4 5 pos:\t0\nflags:\t00\n"));

        s->exec.input = INPUT_FD;
        s->exec.input_file = (char *)"other";
        s->context.n_listen_fds = 1; /* less than what comes along */
        buf_reset(&plan);
        assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        slot = world_send(&world, &plan, fds, 2);
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_FAILED);
        assert_int_equal(world_slot(&world, slot)->step, PLAN_STEP_PLAN);
        (void)close(fds[0]);
        (void)close(fds[1]);
}

/* So many that they lie where the launcher has its own. */
static void test_15_many_passed_fds(unused_ void **state)
{
        struct scene *s =
                shell_scene("echo $LISTEN_FDS; for i in $(seq 3 122); do cat /proc/self/fd/$i || exit 9; done |"
                            "tr '\\n' ' '; ls /proc/self/fd | wc -l");
        cleanup_buf_ struct buf plan = {0};
        struct buf wanted = {0};
        uint32_t slot;
        int fds[120];

        assert_int_equal(buf_printf(&wanted, "120\n"), 0);
        for (unsigned i = 0; i < ARRAY_SIZE(fds); i++) {
                fds[i] = memfd_create("passed", MFD_CLOEXEC);
                assert_return_code(fds[i], errno);
                assert_int_equal(dprintf(fds[i], "%u\n", i), i < 10 ? 2 : i < 100 ? 3 : 4);
                assert_int_equal(buf_printf(&wanted, "%u ", i), 0);
        }
        assert_int_equal(buf_printf(&wanted, "124\n"), 0);
        s->context.n_listen_fds = ARRAY_SIZE(fds);
        assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        slot = world_send(&world, &plan, fds, ARRAY_SIZE(fds));
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_EXECED);
        assert_int_equal(world_wait_exit(&world, slot), 0);
        assert_string_equal(world_text(&world, "out"), buf_str(&wanted));
        for (unsigned i = 0; i < ARRAY_SIZE(fds); i++)
                (void)close(fds[i]);
        buf_done(&wanted);
}

static void test_16_socket_as_input(unused_ void **state)
{
        struct scene *s = shell_scene("read x; echo got $x; ls /proc/self/fd | tr '\\n' ' '; echo $LISTEN_FDS");
        cleanup_buf_ struct buf plan = {0};
        char text[64] = "";
        int pair[2];
        uint32_t slot;

        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), errno);
        assert_int_equal(write(pair[0], "hello\n", 6), 6);
        s->exec.input = INPUT_SOCKET;
        s->exec.output = OUTPUT_INHERIT;
        s->context.n_listen_fds = 1;
        s->context.listen_names = "connection";
        assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, NULL), 0);
        slot = world_send(&world, &plan, &pair[1], 1);
        (void)close(pair[1]);
        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_EXECED);
        assert_int_equal(world_wait_exit(&world, slot), 0);
        assert_true(recv(pair[0], text, sizeof(text) - 1, MSG_WAITALL) > 0); /* the service has ended: all is there */
        assert_string_equal(text, "got hello\n0 1 2 3 \n");
        (void)close(pair[0]);
}

static void test_17_input_data_and_big_plans(unused_ void **state)
{
        struct scene *s = cat_scene("-");
        size_t n = 100000; /* beyond an inline message, beyond a pipe */
        char *data = malloc(n);
        struct stat st;

        assert_non_null(data);
        memset(data, 'x', n);
        s->exec.input = INPUT_DATA;
        s->exec.input_data = data;
        s->exec.input_data_size = n;
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_return_code(stat(below("out"), &st), errno);
        assert_int_equal(st.st_size, n);
        s->exec.input_data_size = 5;
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_string_equal(world_text(&world, "out"), "xxxxx");
        free(data);
}

static void test_18_outputs(unused_ void **state)
{
        struct scene *s = shell_scene("echo out; echo err >&2");

        s->exec.output = OUTPUT_APPEND;
        s->exec.output_file = below("app");
        assert_int_equal(scene_run(&world, s, NULL), 0);
        s->exec.error = OUTPUT_TRUNCATE;
        s->exec.error_file = below("err");
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_string_equal(world_text(&world, "app"), "out\nerr\nout\n");
        assert_string_equal(world_text(&world, "err"), "err\n");
        s->exec.output = OUTPUT_FILE; /* over what is there, from its start */
        s->exec.error = OUTPUT_NULL;
        scene_shell(s, "printf OUT");
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_string_equal(world_text(&world, "app"), "OUT\nerr\nout\n");
}

static void test_19_own_log(unused_ void **state)
{
        struct scene *s = shell_scene("echo out; echo err >&2");
        struct stat st;
        uint32_t n;

        s->exec.output = OUTPUT_JOURNAL;
        s->context.log_dir = below("deep/log");
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_string_equal(world_text(&world, "deep/log/a.service.log"), "out\nerr\nout\nerr\n");
        assert_return_code(stat(below("deep/log/a.service.log"), &st), errno);
        assert_int_equal(st.st_mode & 07777, 0640);

        s->context.log_dir = "/etc/passwd"; /* no place for a log: the service runs, the slot tells */
        assert_int_equal(scene_run(&world, s, &n), 0);
        assert_int_equal(world_slot(&world, n)->launch, LAUNCH_EXECED);
        assert_int_equal(world_slot(&world, n)->step, PLAN_STEP_STDOUT);
        assert_int_equal(world_slot(&world, n)->error, ENOTDIR);
}

static void check_mode(const char *name, mode_t mode, uid_t uid)
{
        struct stat st;

        assert_return_code(lstat(below(name), &st), errno);
        assert_int_equal(st.st_mode & 07777, mode);
        assert_int_equal(st.st_uid, uid);
}

static void test_20_directories(unused_ void **state)
{
        struct scene *s = shell_scene("echo $RUNTIME_DIRECTORY; touch $RUNTIME_DIRECTORY/file");

        if (!root_only())
                return;
        s->exec.user = (char *)"daemon";
        s->exec.output_file = below("out");
        s->context.runtime_root = s->context.configuration_root = world.directory;
        s->directories[DIRECTORY_RUNTIME].names = strings_of("nest/ed", NULL);
        s->directories[DIRECTORY_RUNTIME].mode = 0750;
        s->directories[DIRECTORY_CONFIGURATION].names = strings_of("new", "old", NULL);
        assert_return_code(mkdir(below("old"), 0700), errno);
        assert_int_equal(scene_run(&world, s, NULL), 0);
        check_mode("nest", 0755, 0);
        check_mode("nest/ed", 0750, 1);
        check_mode("nest/ed/file", 0644, 1);
        check_mode("new", 0755, 1);
        check_mode("old", 0700, 0);
        s->exec.user = (char *)"bin"; /* what was the old user's goes along */
        assert_int_equal(scene_run(&world, s, NULL), 0);
        check_mode("nest/ed/file", 0644, 2);
}

/* A service that owns "a" may not have "a/b" be anything it likes. */
static void test_21_directories_and_links(unused_ void **state)
{
        struct scene *s = shell_scene("exit 0");
        uint32_t n;

        if (!root_only())
                return;
        assert_return_code(mkdir(below("victim"), 0700), errno);
        assert_return_code(mkdir(below("owned"), 0755), errno);
        assert_return_code(chown(below("owned"), 1, 1), errno);
        assert_return_code(symlink(below("victim"), below("owned/b")), errno);
        s->exec.user = (char *)"daemon";
        s->context.state_root = world.directory;
        s->directories[DIRECTORY_STATE].names = strings_of("owned", "owned/b", NULL);
        assert_int_equal(scene_run(&world, s, &n), 238);
        assert_int_equal(world_slot(&world, n)->error, ELOOP);
        check_mode("victim", 0700, 0);

        assert_return_code(symlink(below("victim"), below("link")), errno); /* the administrator's */
        s->directories[DIRECTORY_STATE].names = strings_of("link", NULL);
        assert_int_equal(scene_run(&world, s, NULL), 0);
        check_mode("victim", 0755, 1);
}

static int run_plan(struct buf *plan)
{
        uint32_t slot = world_send(&world, plan, NULL, 0);
        int status;

        assert_int_equal(world_wait_noted(&world, slot), LAUNCH_EXECED);
        status = world_wait_exit(&world, slot);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void test_22_cleanup(unused_ void **state)
{
        struct scene *s = shell_scene("mkdir -p $RUNTIME_DIRECTORY/x/y; touch $RUNTIME_DIRECTORY/x/f;"
                                      "ln -s / $RUNTIME_DIRECTORY/x/root");
        cleanup_buf_ struct buf plan = {0};

        s->context.runtime_root = world.directory;
        s->directories[DIRECTORY_RUNTIME].names = strings_of("gone/one", NULL);
        s->service.pid_file = below("pid");
        write_file("pid", "1\n", 0644);
        write_file("keep", "", 0644);
        assert_int_equal(scene_run(&world, s, NULL), 0);
        assert_true(plan_needs_cleanup(&s->unit));
        assert_int_equal(plan_build_cleanup(&plan, &s->unit, true, &s->context, NULL), 0);
        assert_int_equal(run_plan(&plan), 0);
        assert_int_equal(access(below("pid"), F_OK), -1);
        assert_int_equal(access(below("gone/one/x/f"), F_OK), 0);
        buf_reset(&plan);
        assert_int_equal(plan_build_cleanup(&plan, &s->unit, false, &s->context, NULL), 0);
        assert_int_equal(run_plan(&plan), 0);
        assert_int_equal(access(below("gone/one"), F_OK), -1);
        assert_int_equal(access(below("gone"), F_OK), 0);
        assert_int_equal(access("/etc/passwd", F_OK), 0);
        assert_int_equal(run_plan(&plan), 0); /* again: nothing to do */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_01_true),
                cmocka_unit_test(test_02_exit_status_and_search),
                cmocka_unit_test(test_03_argv_and_variables),
                cmocka_unit_test(test_04_failing_steps),
                cmocka_unit_test(test_04b_no_cgroup),
                cmocka_unit_test(test_05_failing_before_the_fork),
                cmocka_unit_test(test_06_environment),
                cmocka_unit_test(test_07_smallest_environment),
                cmocka_unit_test(test_08_place),
                cmocka_unit_test(test_09_signals),
                cmocka_unit_test(test_10_session_and_group),
                cmocka_unit_test(test_11_users),
                cmocka_unit_test(test_12_numbers),
                cmocka_unit_test(test_13_limit_is_clamped),
                cmocka_unit_test(test_14_capabilities),
                cmocka_unit_test(test_15_passed_fds),
                cmocka_unit_test(test_15_many_passed_fds),
                cmocka_unit_test(test_16_socket_as_input),
                cmocka_unit_test(test_17_input_data_and_big_plans),
                cmocka_unit_test(test_18_outputs),
                cmocka_unit_test(test_19_own_log),
                cmocka_unit_test(test_20_directories),
                cmocka_unit_test(test_21_directories_and_links),
                cmocka_unit_test(test_22_cleanup),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
