/* SPDX-License-Identifier: MIT
 * The wire format by itself: what is written reads back, and no input makes a reader look outside its bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/answer.h"

static void test_01_words_are_there_for_every_enum(void **state unused_)
{
        for (unsigned i = 0; i < N_JOB_REQUESTS; i++) {
                enum job_request r;
                assert_int_equal(control_request_from_word(control_request_word((enum job_request)i), &r), 0);
                assert_int_equal(r, i);
        }
        for (unsigned i = 0; i < N_JOB_MODES; i++) {
                enum job_mode m;
                assert_int_equal(control_mode_from_word(control_mode_word((enum job_mode)i), &m), 0);
                assert_int_equal(m, i);
        }
        for (unsigned i = 1; i < N_JOB_TYPES; i++)
                assert_string_not_equal(control_type_word((enum job_type)i), "");
        for (unsigned i = 0; i < N_JOB_RESULTS; i++)
                assert_string_not_equal(control_result_word((enum job_result)i), "");
        assert_string_equal(control_result_word(RESULT_DEPENDENCY), "dependency");
        assert_string_equal(control_type_word((enum job_type)N_JOB_TYPES), "");
}

static void test_02_unknown_words_are_refused(void **state unused_)
{
        enum job_mode m = MODE_FLUSH;
        assert_int_equal(control_mode_from_word("replacE", &m), -EINVAL);
        assert_int_equal(m, MODE_FLUSH);
}

static void test_03_strings_and_numbers_come_back(void **state unused_)
{
        cleanup_buf_ struct buf b = {0};
        const char *s;
        uint32_t v;

        assert_int_equal(control_write_string(&b, CONTROL_TAG_UNIT, "a.service"), 0);
        assert_int_equal(control_write_u32(&b, CONTROL_TAG_JOB_ID, 4711), 0);
        assert_int_equal(b.size % 8, 0);
        assert_int_equal(control_body_string(b.data, b.size, CONTROL_TAG_UNIT, &s), 0);
        assert_string_equal(s, "a.service");
        assert_int_equal(control_body_u32(b.data, b.size, CONTROL_TAG_JOB_ID, &v), 0);
        assert_int_equal(v, 4711);
        assert_int_equal(control_body_u32(b.data, b.size, CONTROL_TAG_NUMBER, &v), -ENODATA);
        assert_int_equal(control_body_u32(b.data, b.size, CONTROL_TAG_UNIT, &v), -EBADMSG);
}

static void test_04_jobs_and_rows_come_back(void **state unused_)
{
        const struct control_job_wire job = {7, CONTROL_JOB_ENDED, "a.service", "start", "done"};
        const struct control_row_wire row = {9, "b.service", "B", "loaded", "active", "running", "stop"};
        cleanup_buf_ struct buf b = {0};
        struct control_reader r;
        struct control_record rec;
        struct control_job_wire j;
        struct control_row_wire w;

        assert_int_equal(control_write_job(&b, &job), 0);
        assert_int_equal(control_write_row(&b, &row), 0);
        r = control_reader_of(b.data, b.size);
        assert_int_equal(control_reader_next(&r, &rec), 1);
        assert_int_equal(control_record_job(&rec, &j), 0);
        assert_int_equal(j.id, 7);
        assert_int_equal(j.flags, CONTROL_JOB_ENDED);
        assert_string_equal(j.result, "done");
        assert_int_equal(control_reader_next(&r, &rec), 1);
        assert_int_equal(control_record_row(&rec, &w), 0);
        assert_int_equal(w.job_id, 9);
        assert_string_equal(w.sub, "running");
        assert_string_equal(w.job_type, "stop");
        assert_int_equal(control_reader_next(&r, &rec), 0);
}

static void test_05_strings_without_nul_or_with_more_behind_are_refused(void **state unused_)
{
        cleanup_buf_ struct buf b = {0};
        const char *s = "untouched";

        assert_int_equal(control_write(&b, 1, "abc", 3), 0);
        assert_int_equal(control_write(&b, 2, "a\0b", 4), 0);
        assert_int_equal(control_write(&b, 3, "", 0), 0);
        for (uint16_t tag = 1; tag <= 3; tag++)
                assert_int_equal(control_body_string(b.data, b.size, tag, &s), -EBADMSG);
        assert_string_equal(s, "untouched");
}

static void test_06_headers_are_checked(void **state unused_)
{
        char packet[sizeof(struct control_header) + 8] = {0};
        struct control_header h = {CONTROL_MAGIC, CONTROL_VERSION, 0, CONTROL_RELOAD, 1, 8}, got;

#define CHECK(n) (memcpy(packet, &h, sizeof h), control_header_check(packet, n, &got))
        assert_int_equal(CHECK(sizeof packet), 0);
        assert_int_equal(got.size, 8);
        assert_int_equal(CHECK(sizeof packet - 1), -EBADMSG);
        assert_int_equal(CHECK(3), -EBADMSG);
        h.version++;
        assert_int_equal(CHECK(sizeof packet), -EPROTONOSUPPORT);
        h.version--;
        h.flags = 0x80;
        assert_int_equal(CHECK(sizeof packet), -EBADMSG);
        h.flags = 0;
        h.magic++;
        assert_int_equal(CHECK(sizeof packet), -EBADMSG);
#undef CHECK
}

/* Reads everything that a body could be taken for; returns the number of records. */
static unsigned walk(const char *data, size_t size)
{
        struct control_reader r = control_reader_of(data, size);
        struct control_record rec;
        struct control_job_wire j;
        struct control_row_wire w;
        const char *s;
        unsigned n = 0;
        size_t sum = 0;

        while (control_reader_next(&r, &rec) > 0) {
                assert_true(rec.data >= data && rec.data + rec.size <= data + size);
                if (control_record_string(&rec, &s) >= 0)
                        sum += strlen(s);
                if (control_record_job(&rec, &j) >= 0)
                        sum += strlen(j.unit) + strlen(j.type) + strlen(j.result);
                if (control_record_row(&rec, &w) >= 0)
                        sum += strlen(w.id) + strlen(w.job_type);
                n++;
        }
        assert_true(sum <= 3 * size + 8);
        return n;
}

static void sample(struct buf *b)
{
        const struct control_job_wire job = {7, 0, "a.service", "start", "done"};
        const struct control_row_wire row = {9, "b.service", "B", "loaded", "active", "running", "stop"};

        assert_int_equal(control_write_string(b, CONTROL_TAG_UNIT, "some.service"), 0);
        assert_int_equal(control_write_job(b, &job), 0);
        assert_int_equal(control_write_row(b, &row), 0);
        assert_int_equal(control_write_u32(b, CONTROL_TAG_NUMBER, 5), 0);
}

static void test_07_every_truncation_is_safe(void **state unused_)
{
        cleanup_buf_ struct buf b = {0};

        sample(&b);
        assert_int_equal(walk(b.data, b.size), 4);
        for (size_t n = 0; n < b.size; n++) {
                char *exact = malloc(n + (n == 0)); /* so that a sanitizer sees every byte too far */

                assert_non_null(exact);
                memcpy(exact, b.data, n);
                assert_true(walk(exact, n) < 4);
                free(exact);
        }
}

static void test_08_every_changed_byte_is_safe(void **state unused_)
{
        static const unsigned char values[] = {0, 1, 7, 8, 0x7f, 0x80, 0xff};
        cleanup_buf_ struct buf b = {0};

        sample(&b);
        for (size_t i = 0; i < b.size; i++)
                for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
                        char *copy = malloc(b.size);

                        assert_non_null(copy);
                        memcpy(copy, b.data, b.size);
                        copy[i] = (char)values[k];
                        (void)walk(copy, b.size);
                        free(copy);
                }
}

static void test_09_noise_is_safe(void **state unused_)
{
        uint32_t seed = 12345;

        for (int round = 0; round < 20000; round++) {
                char noise[96];
                size_t n = (size_t)round % sizeof noise;

                for (size_t i = 0; i < n; i++) {
                        seed = seed * 1664525 + 1013904223;
                        noise[i] = (char)(seed >> 24 & (i % 8 < 4 && i % 8 > 0 ? 0x03 : 0x1f));
                }
                (void)walk(noise, n);
        }
}

static void test_10_a_record_too_long_for_its_body_is_refused(void **state unused_)
{
        struct {
                uint16_t tag, reserved;
                uint32_t size;
        } head = {1, 0, UINT32_MAX};
        struct control_reader r = control_reader_of(&head, sizeof head);
        struct control_record rec;

        assert_int_equal(control_reader_next(&r, &rec), -EBADMSG);
        head.size = UINT32_MAX - 6;
        r.at = 0;
        assert_int_equal(control_reader_next(&r, &rec), -EBADMSG);
}

static void test_11_properties_are_written_as_described(void **state unused_)
{
        static const char *const argv[] = {"/bin/x", "y"};
        const struct control_exec exec = {.path = "/bin/x", .argv = argv, .n_argv = 2, .pid = 9};
        struct control_answer a = {0};
        struct control_reader r, in;
        struct control_record rec;
        struct control_exec_wire w;
        const char *s;
        char kind;

        control_put_interface(&a, "Service");
        control_put_execs(&a, "ExecStart", &exec, 1);
        control_put_string(&a, "Nothing", NULL);
        assert_int_equal(a.error, 0);
        r = control_reader_of(a.body.data, a.body.size);
        assert_int_equal(control_reader_next(&r, &rec), 1);
        assert_int_equal(rec.tag, CONTROL_TAG_INTERFACE);
        assert_int_equal(control_reader_next(&r, &rec), 1);
        in = control_reader_of(rec.data, rec.size);
        assert_int_equal(control_take_bytes(&in, &kind, 1), 0);
        assert_int_equal(kind, CONTROL_KIND_EXECS);
        assert_int_equal(control_take_string(&in, &s), 0);
        assert_string_equal(s, "ExecStart");
        assert_int_equal(control_take_bytes(&in, &w, sizeof w), 0);
        assert_int_equal(w.n_argv, 2);
        assert_int_equal(w.size, in.size - in.at);
        assert_int_equal(control_reader_next(&r, &rec), 1);
        assert_int_equal(rec.size, 1 + sizeof "Nothing" + 1);
        buf_done(&a.body);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_01_words_are_there_for_every_enum),
                cmocka_unit_test(test_02_unknown_words_are_refused),
                cmocka_unit_test(test_03_strings_and_numbers_come_back),
                cmocka_unit_test(test_04_jobs_and_rows_come_back),
                cmocka_unit_test(test_05_strings_without_nul_or_with_more_behind_are_refused),
                cmocka_unit_test(test_06_headers_are_checked),
                cmocka_unit_test(test_07_every_truncation_is_safe),
                cmocka_unit_test(test_08_every_changed_byte_is_safe),
                cmocka_unit_test(test_09_noise_is_safe),
                cmocka_unit_test(test_10_a_record_too_long_for_its_body_is_refused),
                cmocka_unit_test(test_11_properties_are_written_as_described),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
