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
        cleanup_cgroup_ struct cgroup c = {.fd = -1};

        assert_int_equal(cgroup_open_at(&c, NULL, "supd-test", file_of(mountinfo), file_of(membership)), 0);
        assert_int_equal(c.found, expected);
        assert_false(c.usable);
        assert_int_equal(cgroup_create(&c, "a.service"), -EOPNOTSUPP);
        assert_int_equal(cgroup_kill(&c, "a.service"), -EOPNOTSUPP);
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

static void make_at(const char *directory, const char *below, bool is_file)
{
        char path[256];

        (void)snprintf(path, sizeof(path), "%s%s", directory, below);
        if (is_file)
                assert_return_code(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644)), errno);
        else
                assert_return_code(mkdir(path, 0755), errno);
}

static void remove_at(const char *directory, const char *const *below)
{
        char path[256];

        for (; *below; below++) {
                (void)snprintf(path, sizeof(path), "%s%s", directory, *below);
                assert_return_code(remove(path), errno);
        }
}

/* Directories that look like cgroups: what can be written to is used; a base that somebody holds is left to him; who
 * knows it by a record finds it again. */
static void test_04_own_place(unused_ void **state)
{
        static const char *const made[] = {
                "/x/supd/cgroup.procs", "/x/supd", "/x/supd-2/cgroup.procs", "/x/supd-2", "/x", "", NULL};
        char directory[] = "/tmp/supd-cgroup-test-XXXXXX", text[256], path[256];
        cleanup_cgroup_ struct cgroup c = {.fd = -1}, other = {.fd = -1}, again = {.fd = -1};
        cleanup_buf_ struct buf record = {0};

        assert_non_null(mkdtemp(directory));
        make_at(directory, "/x", false);
        make_at(directory, "/x/supd", false);
        make_at(directory, "/x/supd/cgroup.procs", true);
        make_at(directory, "/x/supd-2", false);
        make_at(directory, "/x/supd-2/cgroup.procs", true);
        (void)snprintf(text, sizeof(text), "30 1 0:26 /outer %s rw - cgroup2 cgroup2 rw\n", directory);

        assert_int_equal(cgroup_open_at(&c, NULL, "supd", file_of(text), file_of("0::/outer/x\n")), 0);
        assert_int_equal(c.found, CGROUP_V2);
        assert_true(c.usable);
        (void)snprintf(path, sizeof(path), "%s/x/supd", directory);
        assert_string_equal(c.base, path);
        assert_string_equal(c.path, "/outer/x/supd");

        (void)snprintf(path, sizeof(path), "%s/x", directory);
        assert_int_equal(cgroup_open_at(&other, path, "supd", file_of(text), file_of("0::/elsewhere\n")), 0);
        assert_true(other.usable);
        assert_string_equal(other.path, "/outer/x/supd-2");

        assert_int_equal(cgroup_record(&c, &record), 0);
        assert_int_equal(cgroup_reopen(&again, record.data, record.size - 1, -1), -EBADMSG);
        assert_int_equal(cgroup_reopen(&again, record.data, record.size, -1), 0);
        assert_true(again.usable && again.unified);
        assert_string_equal(again.base, c.base);
        assert_string_equal(again.path, c.path);

        remove_at(directory, made);
}

/* Neither beside the mount nor above it. */
static void test_04b_given_place(unused_ void **state)
{
        static const char *const bad[] = {"/nowhere", "/nowhere/cgroup/../x", "/nowhere/cgroup-2/x", "x", NULL};
        const char *mounts = file_of("30 1 0:26 / /nowhere/cgroup rw - cgroup2 cgroup2 rw\n");

        for (const char *const *p = bad; *p; p++) {
                cleanup_cgroup_ struct cgroup c = {.fd = -1};

                assert_int_equal(cgroup_open_at(&c, *p, "supd", mounts, file_of("0::/\n")), 0);
                assert_false(c.usable);
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
        assert_int_equal(cgroup_path(&c, "manager/a", &b), -EINVAL);
        assert_int_equal(cgroup_path(&c, "a//b", &b), -EINVAL);
        assert_int_equal(cgroup_path(&c, "a/../b", &b), -EINVAL);
        assert_int_equal(cgroup_path(&c, "/a", &b), -EINVAL);
        buf_reset(&b);
        assert_int_equal(cgroup_path(&c, "system.slice/..a", &b), 0);
        assert_string_equal(buf_str(&b), "/b/system.slice/..a");
}

#define PLACE "system.slice/a.service"

static void real_cgroup(struct cgroup *c)
{
        char name[64], path[512];
        cleanup_buf_ struct buf b = {0};
        pid_t pid, found;
        int fd, status;

        (void)snprintf(name, sizeof(name), "supd-test-%d", (int)getpid());
        assert_int_equal(cgroup_open(c, NULL, name), 0);
        if (!c->usable)
                return;
        assert_int_equal(cgroup_create(c, PLACE), 0);
        assert_int_equal(cgroup_create(c, PLACE), 0);
        assert_int_equal(cgroup_populated(c, PLACE), 0);
        (void)snprintf(path, sizeof(path), "%s/" PLACE "/below", c->base);
        assert_return_code(mkdir(path, 0755), errno);
        pid = fork();
        if (pid == 0)
                for (;;)
                        (void)pause();
        (void)snprintf(path, sizeof(path), "%s/" PLACE "/below/cgroup.procs", c->base);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_return_code(fd, errno);
        assert_return_code(dprintf(fd, "%d", (int)pid), errno);
        assert_return_code(close(fd), errno);
        assert_int_equal(cgroup_populated(c, PLACE), 1);
        assert_int_equal(cgroup_pids(c, PLACE, &b), 0);
        assert_int_equal(b.size, sizeof(pid_t));
        memcpy(&found, b.data, sizeof(found));
        assert_int_equal(found, pid);
        assert_int_equal(cgroup_remove(c, PLACE), -EBUSY);
        if (cgroup_kill(c, PLACE) < 0)
                assert_return_code(kill(pid, SIGKILL), errno);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WTERMSIG(status), SIGKILL);
        assert_int_equal(cgroup_populated(c, PLACE), 0);
        (void)cgroup_kill(c, PLACE);
        assert_int_equal(cgroup_remove(c, PLACE), 0);
        assert_int_equal(cgroup_remove(c, PLACE), 0);
        assert_int_equal(cgroup_kill(c, PLACE), 0); /* there is none any more */
        cgroup_remove_all(c);
        assert_int_equal(access(c->base, F_OK), -1);
}

static void test_06_real(unused_ void **state)
{
        cleanup_cgroup_ struct cgroup c = {.fd = -1};

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
                cmocka_unit_test(test_04b_given_place),  cmocka_unit_test(test_05_names),
                cmocka_unit_test(test_06_real),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
