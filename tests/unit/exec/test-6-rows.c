/* SPDX-License-Identifier: MIT
 *
 * What becomes of directives whose effect needs what is not everywhere (controllers of cgroups, a reboot, mounts, units
 * that are not run yet): the files of a cgroup and what is written into them, the word for the reboot, and what a unit
 * names. From the text of a unit, a row each, to text. tests/mutation leaves out each of these directives.
 *
 * Not here: that the kernel heeds the files (tests/integration/machine). Invariant: a row names one directive.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include <sys/resource.h>

#include "exec/plan.h"
#include "unit/blob.h"
#include "unit/load.h"

static const struct {
        const char *unit, *line, *wanted; /* among the lines of what_becomes_of() */
} rows[] = {
        {"a.service", "AllowedCPUs=0-1 3", "cpuset.cpus 0-1,3\n"},
        {"a.service", "AllowedMemoryNodes=0", "cpuset.mems 0\n"},
        {"a.service", "BlockIOAccounting=yes", "controllers +io\n"},
        {"a.service", "BlockIOWeight=1000", "io.weight default 200\n"},
        {"a.service", "CPUAccounting=yes", "cpu-accounting\n"},
        {"a.service", "CPUQuota=150%", "cpu.max 150000 100000\n"},
        {"a.service", "CPUQuota=50%\nCPUQuotaPeriodSec=10ms", "cpu.max 5000 10000\n"},
        {"a.service", "CPUShares=2048", "cpu.weight 200\n"},
        {"a.service", "CPUWeight=7", "cpu.weight 7\n"},
        {"a.service", "Delegate=pids", "delegated +pids\n"},
        {"a.service", "IOAccounting=yes", "controllers +io\n"},
        {"a.service", "IOWeight=7", "io.weight default 7\n"},
        {"a.service", "MemoryAccounting=yes", "controllers +memory\n"},
        {"a.service", "MemoryHigh=1M", "memory.high 1048576\n"},
        {"a.service", "MemoryLimit=1M", "memory.max 1048576\n"},
        {"a.service", "MemoryLow=1M", "memory.low 1048576\n"},
        {"a.service", "MemoryMax=1M", "memory.max 1048576\n"},
        {"a.service", "MemoryMin=1M", "memory.min 1048576\n"},
        {"a.service", "MemorySwapMax=1M", "memory.swap.max 1048576\n"},
        {"a.service", "MemoryZSwapMax=1M", "memory.zswap.max 1048576\n"},
        {"a.service", "OOMPolicy=kill", "oom kill\n"},
        {"a.service", "TasksAccounting=yes", "controllers +pids\n"},
        {"a.service", "TasksMax=7", "pids.max 7\n"},
        {"a.service", "RebootArgument=word", "reboot word\n"},
        {"a.service", "LimitNICE=5", "limit 5\n"},
        {"a.service", "LimitRTPRIO=5", "limit 5\n"},
        {"a.service", "[Unit]\nRebootArgument=word", "reboot word\n"},
        {"a.service", "[Unit]\nJobTimeoutRebootArgument=word", "job-reboot word\n"},
        {"a.service", "[Unit]\nRequiresMountsFor=/srv/x", "mounts /srv/x\n"},
        {"a.socket", "[Socket]\nListenStream=/x\nService=b.service", "starts b.service\n"},
        {"a.socket", "[Socket]\nListenStream=/x\nAccept=yes", "starts a@.service\n"},
        {"a.timer", "[Timer]\nOnBootSec=1\nUnit=b.service", "starts b.service\n"},
        {"a.path", "[Path]\nPathExists=/x\nUnit=b.service", "starts b.service\n"},
        {"a.service", "[Install]\nAlias=b.service", "alias b.service\n"},
        {"a.service", "[Install]\nAlso=b.service", "also b.service\n"},
        {"a@.service", "[Install]\nDefaultInstance=x", "instance x\n"},
        {"a.service", "[Install]\nRequiredBy=t.target", "required t.target\n"},
        {"a.service", "[Install]\nUpheldBy=t.target", "upheld t.target\n"},
        {"a.service", "[Install]\nWantedBy=t.target", "wanted t.target\n"},
};

static int put_file(void *userdata, const char *file, const char *value)
{
        return buf_printf(userdata, "%s %s\n", file, value);
}

static void put_words(struct buf *b, const char *what, const struct strings *words)
{
        for (unsigned i = 0; i < words->n; i++)
                assert_int_equal(buf_printf(b, "%s %s\n", what, words->v[i]), 0);
}

static void put_word(struct buf *b, const char *what, const char *word)
{
        if (word)
                assert_int_equal(buf_printf(b, "%s %s\n", what, word), 0);
}

static void put_service(struct buf *b, const struct unit *u)
{
        static const int limits[] = {RLIMIT_NICE, RLIMIT_RTPRIO};

        put_word(b, "oom", oom_policy_name(u->service->oom_policy));
        for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
                if (u->service->exec->limits[limits[i]].set)
                        assert_int_equal(buf_printf(b, "limit %llu\n",
                                                    (unsigned long long)u->service->exec->limits[limits[i]].hard),
                                         0);
}

/* What anybody reads of U of all this, a line each. */
static void what_becomes_of(const struct unit *u, struct buf *b)
{
        const struct plan_whole whole = {.memory = UINT64_C(1) << 30, .tasks = 1000};
        char text[64];

        assert_int_equal(plan_group_files(u->group, NULL, GROUP_ALL, &whole, put_file, b), 0);
        put_word(b, "controllers", plan_group_enable(plan_group_wants(u, &whole.default_tasks), text));
        put_word(b, "delegated", u->group->delegate ? plan_group_enable(u->group->delegated, text) : NULL);
        if (u->group->cpu_accounting)
                assert_int_equal(buf_append_str(b, "cpu-accounting\n"), 0);
        put_word(b, "reboot", u->reboot_argument);
        put_word(b, "job-reboot", u->job_timeout_reboot_argument);
        put_word(b, "starts", u->trigger);
        put_word(b, "instance", u->default_instance);
        put_words(b, "mounts", &u->dependencies[DEP_REQUIRES_MOUNTS_FOR]);
        put_words(b, "alias", &u->install_alias);
        put_words(b, "also", &u->also);
        put_words(b, "required", &u->required_by);
        put_words(b, "upheld", &u->upheld_by);
        put_words(b, "wanted", &u->wanted_by);
        if (u->service)
                put_service(b, u);
}

static void test_each_row(unused_ void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                cleanup_buf_ struct buf blob = {0}, text = {0}, told = {0};
                cleanup_diag_ struct diag d = {0};
                struct unit *u = NULL;

                assert_int_equal(buf_printf(&text, "%s%s\n",
                                            ends_with(rows[i].unit, ".service") ? "[Service]\nExecStart=/bin/a\n" : "",
                                            rows[i].line),
                                 0);
                assert_int_equal(blob_begin(&blob), 0);
                assert_int_equal(blob_put(&blob, BLOB_ID, rows[i].unit, strlen(rows[i].unit), "", 0), 0);
                assert_int_equal(blob_put(&blob, BLOB_FRAGMENT, "/u/main", 7, buf_str(&text), text.size), 0);
                assert_int_equal(blob_put(&blob, BLOB_STATE, "loaded", 6, "", 0), 0);
                assert_int_equal(unit_parse(blob.data, blob.size, NULL, &u, &d), 0);
                what_becomes_of(u, &told);
                if (!strstr(buf_str(&told), rows[i].wanted))
                        fail_msg("%s: not \"%.*s\" but:\n%s", rows[i].line, (int)strcspn(rows[i].wanted, "\n"),
                                 rows[i].wanted, buf_str(&told));
                unit_free(u);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_each_row),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
