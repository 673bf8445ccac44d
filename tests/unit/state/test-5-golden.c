/* SPDX-License-Identifier: MIT
 *
 * The state files of all layouts there were, byte for byte (golden-MAJOR.MINOR.txt: "OFFSET HEX…" lines, everything
 * else zero). This version must read each of them; and what it writes for the same operations must be the bytes of the
 * newest. What an upgrade meets is older, what a downgrade meets is newer: golden-1.99.txt is of a later minor, with
 * things in reserved room, records of unknown kinds and records that are longer than ours.
 *
 *     test-5-golden DIRECTORY           compares and reads
 *     test-5-golden --write DIRECTORY   makes the fixture of the layout at hand: once; and that of a later one
 */
#include "rig.h"

#include <sys/mman.h>

enum { LATER_KIND = 1000, LATER_MINOR = 99 };

static const char *directory;
/* every layout; the newest of ours, and one that is still to come, last */
static const unsigned minors[] = {0, 1, LATER_MINOR};
static const struct {
        uint64_t from, size;
} parts[] = {{0, sizeof(struct durable_header)},
             {DURABLE_PIDS, 64},
             {DURABLE_SLOTS, 4 * sizeof(struct durable_slot)},
             {DURABLE_RING, 4 * sizeof(struct durable_exit)},
             {DURABLE_LOG_A, 4096},
             {DURABLE_LOG_B, 4096}};

/* Names, a unit, an unknown kind, a compaction, records behind it, slots in three states, an exit in the ring. */
static void compose(int fd)
{
        static const uint8_t invocation[16] = {0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        static const unsigned char unit[64] = {64, 0, 0, 0, 5};
        uint32_t slot, generation;
        struct state *s;

        assert_int_equal(state_open(fd, &s), 0);
        assert_int_equal(state_put(s, RECORD_NAME, 0, "web.service", 12), 0);
        assert_int_equal(state_put(s, (enum record_kind)LATER_KIND, 3, "kept", 4), 0);
        assert_int_equal(state_commit(s), 0);
        assert_int_equal(state_compact_begin(s), 0);
        assert_int_equal(state_put(s, RECORD_META, 0, unit, 16), 0);
        assert_int_equal(state_put(s, RECORD_NAME, 0, "web.service", 12), 0);
        assert_int_equal(state_commit(s), 0);
        assert_int_equal(state_put(s, RECORD_UNIT, 0, unit, sizeof(unit)), 0);
        assert_int_equal(state_put(s, RECORD_TEXT, 0, "all is well", 12), 0);
        assert_int_equal(state_commit(s), 0);
        state_slots_rebuild(s, NULL, NULL);
        for (int i = 0; i < 3; i++)
                assert_int_equal(state_slot_alloc(s, 0, (uint32_t)i, invocation, &slot, &generation), 0);
        state_slot_free(s, 1);
        atomic_store(&state_slot(s, 0)->launch, LAUNCH_EXECED);
        atomic_store(&state_slot(s, 0)->last_pid, 4711);
        atomic_store(&state_slot(s, 0)->start_time, 123456789);
        atomic_store(&durable_pids(state_map(s))[0], 4711);
        durable_ring(state_map(s))[0] = (struct durable_exit){
                .slot = 2, .generation = generation, .pid = 4712, .code = 1, .status = 3, .time_us = 1000000};
        atomic_store(&state_header(s)->ring_head, 1);
        state_close(s);
}

static void print_file(FILE *f, int fd)
{
        unsigned char line[32];
        static const unsigned char zero[32];

        for (size_t p = 0; p < ARRAY_SIZE(parts); p++)
                for (uint64_t at = parts[p].from; at < parts[p].from + parts[p].size; at += sizeof(line)) {
                        assert_int_equal(pread(fd, line, sizeof(line), (off_t)at), sizeof(line));
                        if (memcmp(line, zero, sizeof(line)) == 0)
                                continue;
                        fprintf(f, "%llx ", (unsigned long long)at);
                        for (size_t i = 0; i < sizeof(line); i++)
                                fprintf(f, "%02x", line[i]);
                        fputc('\n', f);
                }
}

static FILE *fixture(unsigned minor, const char *mode)
{
        char path[512];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/golden-%u.%u.txt", directory, DURABLE_MAJOR, minor);
        f = fopen(path, mode);
        assert_non_null(f);
        return f;
}

static bool keep_all(void *userdata unused_, uint32_t slot unused_, uint32_t generation unused_)
{
        return true;
}

/* As a later version would leave it: it knows more than we do, everywhere where that is allowed. */
static void become_later(int fd)
{
        static const unsigned char more[16] = {0xaa, 0xbb, 0xcc};
        const uint32_t minor = LATER_MINOR;
        uint32_t slot, generation;
        struct state *s;

        assert_int_equal(pwrite(fd, &minor, 4, offsetof(struct durable_header, minor)), 4);
        assert_int_equal(pwrite(fd, more, 16, sizeof(struct durable_header) - 16), 16);
        assert_int_equal(pwrite(fd, more, 16, DURABLE_SLOTS + offsetof(struct durable_slot, reserved)), 16);
        assert_int_equal(state_open(fd, &s), 0);
        state_slots_rebuild(s, keep_all, NULL);
        assert_int_equal(state_slot_alloc(s, 9, 9, more, &slot, &generation), 0);
        assert_int_equal(state_put(s, (enum record_kind)(LATER_KIND + 1), 4, "new", 4), 0);
        assert_int_equal(state_commit(s), 0);
        state_close(s);
}

static int file_of_fixture(unsigned minor)
{
        FILE *f = fixture(minor, "r");
        char line[128], *hex;
        int fd = rig_file();

        while (fgets(line, sizeof(line), f)) {
                off_t at = (off_t)strtoull(line, &hex, 16);
                for (hex++; hex[0] > ' ' && hex[1] > ' '; hex += 2, at++) {
                        char digits[3] = {hex[0], hex[1], 0};
                        unsigned char byte = (unsigned char)strtoul(digits, NULL, 16);
                        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
                }
        }
        (void)fclose(f);
        return fd;
}

static void is_read(unsigned minor)
{
        static struct model m, got;
        int fd = file_of_fixture(minor);
        struct durable_exit x;
        struct state *s;
        uint32_t slot;

        m.n = 0;
        model_put(&m, LATER_KIND, 3, "kept", 4);
        model_put(&m, RECORD_META, 0, (unsigned char[16]){64, 0, 0, 0, 5}, 16);
        model_put(&m, RECORD_NAME, 0, "web.service", 12);
        model_put(&m, RECORD_UNIT, 0, (unsigned char[64]){64, 0, 0, 0, 5}, 64);
        model_put(&m, RECORD_TEXT, 0, "all is well", 12);
        if (minor == LATER_MINOR)
                model_put(&m, LATER_KIND + 1, 4, "new", 4);
        assert_int_equal(state_open(fd, &s), 0);
        assert_int_equal(model_replay(s, &got), 0);
        assert_true(model_equal(&m, &got));
        assert_int_equal(state_slot_of_pid(s, 4711, &slot), 0);
        assert_int_equal(slot, 0);
        assert_int_equal(atomic_load(&state_slot(s, 0)->launch), LAUNCH_EXECED);
        assert_int_equal(atomic_load(&state_slot(s, 0)->start_time), 123456789);
        assert_int_equal(atomic_load(&state_slot(s, 1)->launch), minor == LATER_MINOR ? LAUNCH_INTENT : LAUNCH_FREE);
        assert_int_equal(atomic_load(&state_slot(s, 2)->launch), LAUNCH_INTENT);
        assert_true(state_exit_peek(s, 0, &x));
        assert_int_equal(x.pid, 4712);
        assert_int_equal(x.status, 3);
        state_close(s);
        (void)close(fd);
}

static void test_a_all_are_read(void **state_ unused_)
{
        for (size_t i = 0; i < ARRAY_SIZE(minors); i++)
                is_read(minors[i]);
}

/* What we do not know is still there when the later version comes back: over our own commits and compactions. */
static void test_c_unknown_records_survive(void **state_ unused_)
{
        static struct model m, got;
        int fd = file_of_fixture(LATER_MINOR);
        unsigned char room[16];
        struct state *s;

        m.n = 0;
        model_put(&m, LATER_KIND, 3, "kept", 4);
        model_put(&m, LATER_KIND + 1, 4, "new", 4);
        model_put(&m, RECORD_NAME, 0, "web.service", 12);
        assert_int_equal(state_open(fd, &s), 0);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(state_compact_begin(s), 0);
                assert_int_equal(state_put(s, RECORD_NAME, 0, "web.service", 12), 0);
                assert_int_equal(state_commit(s), 0);
        }
        assert_int_equal(model_replay(s, &got), 0);
        assert_true(model_equal(&m, &got));
        state_close(s);
        assert_int_equal(pread(fd, room, sizeof(room), sizeof(struct durable_header) - 16), sizeof(room));
        assert_int_equal(room[0], 0xaa);
        (void)close(fd);
}

static void test_b_is_written(void **state_ unused_)
{
        char *now = NULL, *then = NULL;
        size_t size = 0, n = 0;
        FILE *f = open_memstream(&now, &size), *golden = fixture(DURABLE_MINOR, "r");
        int fd = rig_file();

        compose(fd);
        print_file(f, fd);
        assert_int_equal(fclose(f), 0);
        assert_true(getdelim(&then, &n, 0, golden) > 0);
        assert_string_equal(now, then);
        (void)fclose(golden);
        (void)close(fd);
        free(now);
        free(then);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_all_are_read),
                cmocka_unit_test(test_b_is_written),
                cmocka_unit_test(test_c_unknown_records_survive),
        };

        if (argc < 2)
                return 2;
        directory = argv[argc - 1];
        if (argc == 3 && streq(argv[1], "--write")) {
                int fd = rig_file();
                FILE *f = fixture(DURABLE_MINOR, "w"), *later = fixture(LATER_MINOR, "w");
                compose(fd);
                print_file(f, fd);
                become_later(fd);
                print_file(later, fd);
                return fclose(f) != 0 || fclose(later) != 0;
        }
        return cmocka_run_group_tests_name("state golden", tests, NULL, NULL);
}
