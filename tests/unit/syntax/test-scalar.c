/* SPDX-License-Identifier: MIT
 *
 * Single values, by table: text, result. Time spans are in test-vectors.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include "syntax/scalar.h"

#define UNTOUCHED 424242

struct row {
        const char *text;
        int64_t value; /* or negative errno, when fails */
        bool fails;
};

static int read_bool(const char *s, int64_t *ret)
{
        bool b = false;
        int r = parse_bool(s, &b);

        if (r >= 0)
                *ret = b;
        return r;
}

#define READER(name, type, call)                                                                                       \
        static int name(const char *s, int64_t *ret)                                                                   \
        {                                                                                                              \
                type v = (type)0;                                                                                      \
                int r = call;                                                                                          \
                if (r >= 0)                                                                                            \
                        *ret = (int64_t)v;                                                                             \
                return r;                                                                                              \
        }
READER(read_u64, uint64_t, parse_u64(s, &v))
READER(read_i64, int64_t, parse_i64(s, &v))
READER(read_uint, unsigned, parse_uint(s, &v))
READER(read_int, int, parse_int(s, &v))
READER(read_size, uint64_t, parse_size(s, &v))
READER(read_permyriad, unsigned, parse_permyriad(s, &v))
READER(read_mode, mode_t, parse_mode(s, &v))
READER(read_signal, int, parse_signal(s, &v))
READER(read_exit_status, int, parse_exit_status(s, &v))
READER(read_nice, int, parse_nice(s, &v))
READER(read_oom, int, parse_oom_score_adjust(s, &v))
READER(read_io_class, int, parse_io_class(s, &v))
READER(read_io_priority, int, parse_io_priority(s, &v))
READER(read_cpu_policy, int, parse_cpu_policy(s, &v))
READER(read_cpu_priority, int, parse_cpu_priority(s, &v))

static void check_rows(int (*parse)(const char *s, int64_t *ret), const struct row *rows, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                int64_t v = UNTOUCHED;
                int r = parse(rows[i].text, &v);

                if (rows[i].fails ? (r != rows[i].value || v != UNTOUCHED) : (r != 0 || v != rows[i].value))
                        fail_msg("\"%s\": returned %d, value %lld", rows[i].text, r, (long long)v);
        }
}

#define CHECK(parse, ...)                                                                                              \
        check_rows(parse, (const struct row[]){__VA_ARGS__},                                                           \
                   sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row))
#define BAD  -EINVAL, true
#define OVER -ERANGE, true

static void booleans(void **state)
{
        (void)state;
        CHECK(read_bool, {"1", 1}, {"yes", 1}, {"Y", 1}, {"TRUE", 1}, {"t", 1}, {"On", 1}, {"0", 0}, {"no", 0},
              {"N", 0}, {"false", 0}, {"F", 0}, {"oFf", 0}, {"", BAD}, {"2", BAD}, {"yes ", BAD}, {"enable", BAD});
}

static void numbers(void **state)
{
        (void)state;
        CHECK(read_u64, {"0", 0}, {"17", 17}, {"+17", 17}, {"0x1F", 31}, {"0o17", 15}, {"017", 15}, {"0b101", 5},
              {"18446744073709551615", -1}, {"18446744073709551616", OVER}, {"0x1ffffffffffffffff", OVER}, {"-1", BAD},
              {"", BAD}, {"+", BAD}, {"0x", BAD}, {"08", BAD}, {"1 ", BAD}, {"1a", BAD}, {"0b2", BAD});
        CHECK(read_i64, {"-5", -5}, {"+5", 5}, {"-9223372036854775808", INT64_MIN}, {"9223372036854775807", INT64_MAX},
              {"9223372036854775808", OVER}, {"-9223372036854775809", OVER}, {"--5", BAD}, {"-", BAD});
        CHECK(read_uint, {"4294967295", 4294967295}, {"4294967296", OVER}, {"-1", BAD});
        CHECK(read_int, {"-2147483648", -2147483648LL}, {"2147483647", 2147483647}, {"2147483648", OVER});
}

static void sizes(void **state)
{
        struct size_value v = {.kind = SIZE_BYTES, .value = UNTOUCHED};

        (void)state;
        CHECK(read_size, {"0", 0}, {"4096", 4096}, {"1K", 1024}, {"2M", 2 << 20}, {"3G", 3LL << 30}, {"1T", 1LL << 40},
              {"1P", 1LL << 50}, {"1E", 1LL << 60}, {"5B", 5}, {"1.5G", 3LL << 29}, {".5K", 512}, {"0.25K", 256},
              {"1G 512M", 1536LL << 20}, {"1G512M 7", (1536LL << 20) + 7}, {"4 K", 4096}, {"16E", OVER},
              {"99999999999999999999", OVER}, {"1M 1M", BAD}, {"1K 1M", BAD}, {"1k", BAD}, {"K", BAD}, {"", BAD},
              {"-1", BAD}, {"1KB", BAD}, {"50%", BAD}, {"infinity", BAD});
        CHECK(read_permyriad, {"50%", 5000}, {"0%", 0}, {"100%", 10000}, {"12.34%", 1234}, {"12.3%", 1230},
              {"101%", OVER}, {"100.01%", OVER}, {"1.234%", BAD}, {"50", BAD}, {"%", BAD}, {"50%%", BAD}, {"-1%", BAD});
        assert_int_equal(parse_size_value("40%", &v), 0);
        assert_true(v.kind == SIZE_PERMYRIAD && v.value == 4000);
        assert_int_equal(parse_size_value("infinity", &v), 0);
        assert_true(v.kind == SIZE_INFINITY);
        assert_int_equal(parse_size_value("2K", &v), 0);
        assert_true(v.kind == SIZE_BYTES && v.value == 2048);
        assert_int_equal(parse_size_value("200%", &v), -ERANGE);
        assert_int_equal(parse_size_value("x", &v), -EINVAL);
        assert_true(v.kind == SIZE_BYTES && v.value == 2048);
}

static void modes(void **state)
{
        (void)state;
        CHECK(read_mode, {"0755", 0755}, {"755", 0755}, {"0", 0}, {"7777", 07777}, {"10000", OVER}, {"", BAD},
              {"8", BAD}, {"-1", BAD}, {"u+x", BAD});
}

static void signals(void **state)
{
        (void)state;
        CHECK(read_signal, {"SIGTERM", SIGTERM}, {"TERM", SIGTERM}, {"15", 15}, {"SIGUSR1", SIGUSR1}, {"CHLD", SIGCHLD},
              {"SYS", SIGSYS}, {"IO", SIGIO}, {"STKFLT", SIGSTKFLT}, {"RTMIN", 34}, {"SIGRTMIN+3", 37},
              {"RTMIN+30", 64}, {"RTMAX", 64}, {"SIGRTMAX-1", 63}, {"64", 64}, {"RTMIN+31", OVER}, {"RTMAX-31", OVER},
              {"65", OVER}, {"0", OVER}, {"RTMIN-1", BAD}, {"RTMAX+1", BAD}, {"RTMIN+", BAD}, {"RTMIN+-1", BAD},
              {"term", BAD}, {"SIG", BAD}, {"SIGSIGTERM", BAD}, {"", BAD}, {"-1", BAD});
        assert_string_equal(signal_name(SIGKILL), "KILL");
        assert_string_equal(signal_name(SIGPWR), "PWR");
        assert_string_equal(signal_name(37), "RTMIN+3");
        assert_null(signal_name(0));
        assert_null(signal_name(32));
        assert_null(signal_name(65));
}

static void exit_statuses(void **state)
{
        int status = 0, sig = 0;

        (void)state;
        CHECK(read_exit_status, {"DATAERR", 65}, {"CHDIR", 200}, {"EXEC", 203}, {"USER", 217}, {"NAMESPACE", 226},
              {"CREDENTIALS", 243}, {"SUCCESS", 0}, {"EXCEPTION", 255}, {"143", 143}, {"0", 0}, {"256", OVER},
              {"-1", OVER}, {"dataerr", BAD}, {"", BAD});
        assert_int_equal(parse_exit_status_or_signal("143", &status, &sig), 0);
        assert_true(status == 143 && sig == -1);
        assert_int_equal(parse_exit_status_or_signal("TEMPFAIL", &status, &sig), 0);
        assert_true(status == 75 && sig == -1);
        assert_int_equal(parse_exit_status_or_signal("SIGUSR1", &status, &sig), 0);
        assert_true(status == -1 && sig == SIGUSR1);
        assert_int_equal(parse_exit_status_or_signal("300", &status, &sig), -ERANGE);
        assert_int_equal(parse_exit_status_or_signal("SIGFOO", &status, &sig), -EINVAL);
        assert_true(status == -1 && sig == SIGUSR1);
}

static void limits(void **state)
{
        static const struct {
                const char *name, *text;
                int result;
                uint64_t soft, hard;
        } rows[] = {
                {"NOFILE", "4096", 0, 4096, 4096},
                {"NOFILE", "1024:524288", 0, 1024, 524288},
                {"NOFILE", "1024 : infinity", 0, 1024, UINT64_MAX},
                {"NOFILE", "infinity", 0, UINT64_MAX, UINT64_MAX},
                {"NOFILE", "2:1", -EILSEQ, 0, 0},
                {"NOFILE", "infinity:1", -EILSEQ, 0, 0},
                {"NOFILE", "1K", -EINVAL, 0, 0},
                {"NOFILE", "1:", -EINVAL, 0, 0},
                {"NOFILE", ":1", -EINVAL, 0, 0},
                {"NOFILE", "", -EINVAL, 0, 0},
                {"NOFILE", "1:2:3", -EINVAL, 0, 0},
                {"MEMLOCK", "64M", 0, 64 << 20, 64 << 20},
                {"CORE", "0:infinity", 0, 0, UINT64_MAX},
                {"AS", "1.5G", 0, 3ull << 29, 3ull << 29},
                {"CPU", "90", 0, 90, 90},
                {"CPU", "5min:1h", 0, 300, 3600},
                {"CPU", "1500ms", 0, 2, 2},
                {"RTTIME", "500", 0, 500, 500},
                {"RTTIME", "1s", 0, 1000000, 1000000},
                {"NICE", "+5", 0, 15, 15},
                {"NICE", "-5", 0, 25, 25},
                {"NICE", "-20", 0, 40, 40},
                {"NICE", "40", 0, 40, 40},
                {"NICE", "+20", -ERANGE, 0, 0},
                {"NICE", "41", -ERANGE, 0, 0},
                {"RTPRIO", "99", 0, 99, 99},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                uint64_t soft = 7, hard = 8;
                int resource = rlimit_from_name(rows[i].name);
                int r = parse_rlimit(resource, rows[i].text, &soft, &hard);
                bool same = r < 0 ? soft == 7 && hard == 8 : soft == rows[i].soft && hard == rows[i].hard;

                if (r != rows[i].result || !same)
                        fail_msg("Limit%s=%s: %d %llu %llu", rows[i].name, rows[i].text, r, (unsigned long long)soft,
                                 (unsigned long long)hard);
        }
        assert_int_equal(rlimit_from_name("NOFILE"), RLIMIT_NOFILE);
        assert_int_equal(rlimit_from_name("nofile"), -EINVAL);
        assert_int_equal(parse_rlimit(16, "1", &(uint64_t){0}, &(uint64_t){0}), -EINVAL);
}

static void scheduling(void **state)
{
        (void)state;
        CHECK(read_nice, {"-20", -20}, {"19", 19}, {"+5", 5}, {"0", 0}, {"20", OVER}, {"-21", OVER}, {"x", BAD});
        CHECK(read_oom, {"-1000", -1000}, {"1000", 1000}, {"1001", OVER}, {"", BAD});
        CHECK(read_io_class, {"none", 0}, {"realtime", 1}, {"best-effort", 2}, {"idle", 3}, {"2", 2}, {"4", OVER},
              {"Idle", BAD});
        CHECK(read_io_priority, {"0", 0}, {"7", 7}, {"8", OVER}, {"-1", OVER});
        CHECK(read_cpu_policy, {"other", SCHED_OTHER}, {"fifo", SCHED_FIFO}, {"rr", SCHED_RR}, {"batch", SCHED_BATCH},
              {"idle", SCHED_IDLE}, {"1", SCHED_FIFO}, {"4", BAD}, {"6", OVER}, {"deadline", BAD});
        CHECK(read_cpu_priority, {"0", 0}, {"99", 99}, {"100", OVER}, {"-1", OVER});
        assert_string_equal(io_class_name(2), "best-effort");
        assert_null(io_class_name(4));
        assert_string_equal(cpu_policy_name(SCHED_RR), "rr");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(booleans), cmocka_unit_test(numbers),    cmocka_unit_test(sizes),
                cmocka_unit_test(modes),    cmocka_unit_test(signals),    cmocka_unit_test(exit_statuses),
                cmocka_unit_test(limits),   cmocka_unit_test(scheduling),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
