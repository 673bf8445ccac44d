/* SPDX-License-Identifier: MIT
 *
 * Condition*= and Assert*= (rules 58, 59): a table from kind to test, and how the results join.
 *
 * Plain ones must all hold; of those with '|' at least one. Conditions and assertions are judged apart; a condition
 * that does not hold counts before an assertion that does not. Invariant: a test changes nothing, and one that cannot
 * be decided does not hold, with '!' neither.
 */
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "machine.h"

static int test_path_exists(const char *p)
{
        return access(p, F_OK) == 0;
}

static int test_path_exists_glob(const char *p)
{
        glob_t g = {0};
        bool found = glob(p, GLOB_NOSORT, NULL, &g) == 0 && g.gl_pathc > 0;

        globfree(&g);
        return found;
}

static int test_path_is_directory(const char *p)
{
        struct stat st;
        return stat(p, &st) == 0 && S_ISDIR(st.st_mode);
}

static int test_path_is_symbolic_link(const char *p)
{
        struct stat st;
        return lstat(p, &st) == 0 && S_ISLNK(st.st_mode);
}

static int test_path_is_read_write(const char *p)
{
        struct statvfs v;
        return statvfs(p, &v) == 0 && !(v.f_flag & ST_RDONLY);
}

static int test_directory_not_empty(const char *p)
{
        DIR *d = opendir(p);
        struct dirent *e;
        unsigned n = 0;

        if (!d)
                return false;
        while (n == 0 && (e = readdir(d)))
                n += !streq(e->d_name, ".") && !streq(e->d_name, "..");
        (void)closedir(d);
        return n > 0;
}

static int test_file_not_empty(const char *p)
{
        struct stat st;
        return stat(p, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
}

static int test_file_is_executable(const char *p)
{
        struct stat st;
        return stat(p, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

static int test_user(const char *p)
{
        uid_t uid;

        if (streq(p, "@system"))
                return getuid() < 1000 || getuid() == 65534;
        return user_find(p, &uid) == 0 && (uid == getuid() || uid == geteuid());
}

static int test_group(const char *p)
{
        gid_t gid, *list;
        bool found;
        int n;

        if (group_find(p, &gid) < 0)
                return false;
        if (gid == getgid() || gid == getegid())
                return true;
        n = getgroups(0, NULL);
        list = n > 0 ? reallocarray(NULL, (size_t)n, sizeof(*list)) : NULL;
        n = list ? getgroups(n, list) : 0;
        found = false;
        for (int i = 0; i < n; i++)
                found = found || list[i] == gid;
        free(list);
        return found;
}

static int (*const tests[N_CONDITION_KINDS])(const char *parameter) = {
        [COND_PATH_EXISTS] = test_path_exists,
        [COND_PATH_EXISTS_GLOB] = test_path_exists_glob,
        [COND_PATH_IS_DIRECTORY] = test_path_is_directory,
        [COND_PATH_IS_SYMBOLIC_LINK] = test_path_is_symbolic_link,
        [COND_PATH_IS_MOUNT_POINT] = machine_is_mount_point,
        [COND_PATH_IS_READ_WRITE] = test_path_is_read_write,
        [COND_DIRECTORY_NOT_EMPTY] = test_directory_not_empty,
        [COND_FILE_NOT_EMPTY] = test_file_not_empty,
        [COND_FILE_IS_EXECUTABLE] = test_file_is_executable,
        [COND_USER] = test_user,
        [COND_GROUP] = test_group,
        [COND_HOST] = machine_has_host,
        [COND_VIRTUALIZATION] = machine_has_virtualization,
        [COND_CAPABILITY] = machine_has_capability,
        [COND_AC_POWER] = machine_has_ac_power,
        [COND_ARCHITECTURE] = machine_has_architecture,
        [COND_KERNEL_COMMAND_LINE] = machine_has_command_line,
        [COND_KERNEL_VERSION] = machine_has_kernel_version,
        [COND_ENVIRONMENT] = machine_has_environment,
        [COND_FIRST_BOOT] = machine_has_first_boot,
        [COND_NEEDS_UPDATE] = machine_needs_update,
        [COND_SECURITY] = machine_has_security,
        [COND_CPUS] = machine_has_cpus,
        [COND_MEMORY] = machine_has_memory,
        [COND_OS_RELEASE] = machine_has_os_release,
        [COND_FIRMWARE] = machine_has_firmware,
        [COND_CPU_FEATURE] = machine_has_cpu_feature,
        [COND_CREDENTIAL] = machine_has_credential,
        [COND_CONTROL_GROUP_CONTROLLER] = machine_has_controller,
        [COND_CPU_PRESSURE] = machine_has_cpu_pressure,
        [COND_MEMORY_PRESSURE] = machine_has_memory_pressure,
        [COND_IO_PRESSURE] = machine_has_io_pressure,
        [COND_PATH_IS_ENCRYPTED] = machine_is_encrypted,
};

_Static_assert(N_CONDITION_KINDS == ARRAY_SIZE(tests), "a test for each kind");

struct verdict {
        bool all_plain, any_trigger, has_trigger;
};

static bool verdict_holds(const struct verdict *v)
{
        return v->all_plain && (!v->has_trigger || v->any_trigger);
}

int conditions_run(struct job *j)
{
        struct verdict verdicts[2] = {{.all_plain = true}, {.all_plain = true}};
        struct plan_item item;
        size_t offset = 0;

        while (job_next_record(j, &offset, PLAN_CONDITION, &item)) {
                uint32_t kind = plan_word(&item, 0), flags = plan_word(&item, 1);
                struct verdict *v = &verdicts[flags & PLAN_CONDITION_ASSERT ? 1 : 0];
                const char *name = plan_string(&item, NULL), *parameter = name ? plan_string(&item, name) : NULL;
                int r = kind < N_CONDITION_KINDS && parameter ? tests[kind](parameter) : -EINVAL;
                bool holds = r >= 0 && (r > 0) != !!(flags & PLAN_CONDITION_NEGATE);

                if (flags & PLAN_CONDITION_TRIGGER) {
                        v->has_trigger = true;
                        v->any_trigger = v->any_trigger || holds;
                } else {
                        v->all_plain = v->all_plain && holds;
                }
        }
        if (!verdict_holds(&verdicts[0]))
                return PLAN_EXIT_CONDITION;
        return verdict_holds(&verdicts[1]) ? EXIT_SUCCESS : PLAN_EXIT_ASSERT;
}
