/* SPDX-License-Identifier: MIT
 *
 * Control groups: detection from texts of each case, then the real thing where this machine lets us write to it.
 */
#include "cgroup/cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* clang-format off */
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

/* A file that holds TEXT, by a path that lives as long as the process. */
static const char *file_of(const char *text)
{
        static char paths[8][32];
        static unsigned n;
        char *path = paths[n++ % 8];
        int fd = memfd_create("text", MFD_CLOEXEC);

        assert_return_code(fd, errno);
        assert_int_equal(write(fd, text, strlen(text)), strlen(text));
        (void)snprintf(path, sizeof(paths[0]), "/proc/self/fd/%d", fd);
        return path;
}

static void check_case(const char *mountinfo, const char *membership, enum cgroup_case expected)
{
        cleanup_cgroup_ struct cgroup c = {0};

        assert_int_equal(cgroup_open_at(&c, "supd-test", file_of(mountinfo), file_of(membership)), 0);
        assert_int_equal(c.found, expected);
        assert_false(c.usable);
        assert_int_equal(cgroup_create(&c, "a.service"), -EOPNOTSUPP);
        assert_int_equal(cgroup_signal(&c, "a.service", SIGKILL), -EOPNOTSUPP);
}

static void test_01_none(unused_ void **state)
{
        check_case("22 1 0:20 / /proc rw - proc proc rw\n", "0::/\n", CGROUP_NONE);
        check_case("", "", CGROUP_NONE);
}

static void test_02_v2(unused_ void **state)
{
        check_case("30 1 0:26 / /nowhere/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n", "0::/x\n", CGROUP_V2);
}

static void test_03_v1_and_hybrid(unused_ void **state)
{
        check_case("31 1 0:27 / /nowhere/memory rw - cgroup cgroup rw,memory\n", "4:memory:/\n", CGROUP_V1);
        check_case("31 1 0:27 / /nowhere/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
                   "30 1 0:26 / /nowhere/unified rw - cgroup2 cgroup2 rw\n",
                   "1:name=systemd:/a\n0::/a\n", CGROUP_V1);
}

/* A directory that looks like a cgroup: what can be written to is used, and a manager that comes back finds its base.
 */
static void test_04_own_place(unused_ void **state)
{
        char directory[] = "/tmp/supd-cgroup-test-XXXXXX", text[256], path[256];
        cleanup_cgroup_ struct cgroup c = {0};

        assert_non_null(mkdtemp(directory));
        (void)snprintf(path, sizeof(path), "%s/x", directory);
        assert_return_code(mkdir(path, 0755), errno);
        (void)snprintf(path, sizeof(path), "%s/x/supd", directory);
        assert_return_code(mkdir(path, 0755), errno);
        (void)snprintf(path, sizeof(path), "%s/x/supd/manager", directory);
        assert_return_code(mkdir(path, 0755), errno);
        (void)snprintf(path, sizeof(path), "%s/x/supd/manager/cgroup.procs", directory);
        assert_return_code(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)), errno);
        (void)snprintf(text, sizeof(text), "30 1 0:26 /outer %s rw - cgroup2 cgroup2 rw\n", directory);

        assert_int_equal(cgroup_open_at(&c, "supd", file_of(text), file_of("0::/outer/x/supd/manager\n")), 0);
        assert_int_equal(c.found, CGROUP_V2);
        assert_true(c.usable);
        (void)snprintf(path, sizeof(path), "%s/x/supd", directory);
        assert_string_equal(c.base, path);

        (void)snprintf(path, sizeof(path), "%s/x/supd/manager/cgroup.procs", directory);
        assert_return_code(unlink(path), errno);
        for (const char *const *p = (const char *const[]){"/x/supd/manager", "/x/supd", "/x", "", NULL}; *p; p++) {
                (void)snprintf(path, sizeof(path), "%s%s", directory, *p);
                assert_return_code(rmdir(path), errno);
        }
}

static void test_05_names(unused_ void **state)
{
        struct cgroup c = {.usable = true, .base = (char *)"/b"};
        cleanup_buf_ struct buf b = {0};

        assert_int_equal(cgroup_path(&c, "a.service", &b), 0);
        assert_string_equal(buf_str(&b), "/b/a.service");
        assert_int_equal(cgroup_path(&c, "../a", &b), -EINVAL);
        assert_int_equal(cgroup_path(&c, "..", &b), -EINVAL);
        assert_int_equal(cgroup_path(&c, "", &b), -EINVAL);
        assert_int_equal(cgroup_path(&c, "manager", &b), -EINVAL);
}

static void real_cgroup(struct cgroup *c)
{
        char name[64], path[512];
        struct cgroup with_name = {0};
        cleanup_buf_ struct buf b = {0};
        pid_t pid, found;
        int fd, status;

        (void)snprintf(name, sizeof(name), "supd-test-%d", (int)getpid());
        assert_int_equal(cgroup_open(&with_name, name), 0);
        *c = with_name;
        if (!c->usable)
                return;
        assert_int_equal(cgroup_create(c, "a.service"), 0);
        assert_int_equal(cgroup_create(c, "a.service"), 0);
        assert_int_equal(cgroup_populated(c, "a.service"), 0);
        (void)snprintf(path, sizeof(path), "%s/a.service/below", c->base);
        assert_return_code(mkdir(path, 0755), errno);
        pid = fork();
        if (pid == 0)
                for (;;)
                        (void)pause();
        (void)snprintf(path, sizeof(path), "%s/a.service/below/cgroup.procs", c->base);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_return_code(fd, errno);
        assert_return_code(dprintf(fd, "%d", (int)pid), errno);
        assert_return_code(close(fd), errno);
        assert_int_equal(cgroup_populated(c, "a.service"), 1);
        assert_int_equal(cgroup_pids(c, "a.service", &b), 0);
        assert_int_equal(b.size, sizeof(pid_t));
        memcpy(&found, b.data, sizeof(found));
        assert_int_equal(found, pid);
        assert_int_equal(cgroup_signal(c, "a.service", 0), 1);
        assert_int_equal(cgroup_remove(c, "a.service"), -EBUSY);
        assert_true(cgroup_signal(c, "a.service", SIGKILL) >= 1);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WTERMSIG(status), SIGKILL);
        assert_int_equal(cgroup_populated(c, "a.service"), 0);
        assert_int_equal(cgroup_signal(c, "a.service", SIGKILL), 0);
        assert_int_equal(cgroup_remove(c, "a.service"), 0);
        assert_int_equal(cgroup_remove(c, "a.service"), 0);
        (void)snprintf(path, sizeof(path), "%s/manager", c->base);
        assert_return_code(rmdir(path), errno);
        assert_return_code(rmdir(c->base), errno);
}

static void test_06_real(unused_ void **state)
{
        cleanup_cgroup_ struct cgroup c = {0};

        real_cgroup(&c);
        print_message("cgroups here: %s, %susable\n", cgroup_case_name(c.found), c.usable ? "" : "not ");
        if (!c.usable)
                skip();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_01_none),          cmocka_unit_test(test_02_v2),
                cmocka_unit_test(test_03_v1_and_hybrid), cmocka_unit_test(test_04_own_place),
                cmocka_unit_test(test_05_names),         cmocka_unit_test(test_06_real),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
