/* SPDX-License-Identifier: MIT
 *
 * The log of the durable state: put, commit, replay, rollback, compaction, growth, and every kind of damage.
 */
#include "rig.h"

#include <sys/mman.h>

enum { UNKNOWN_KIND = 200, OTHER_UNKNOWN = 201 };

static void put(struct state *s, struct model *m, uint32_t kind, uint32_t key, const char *text)
{
        assert_int_equal(state_put(s, kind, key, text, strlen(text)), 0);
        if (m)
                model_put(m, kind, key, text, strlen(text));
}

static void expect(int fd, const struct model *wanted)
{
        static struct model got;
        int copy = rig_copy(fd);

        assert_int_equal(model_of_file(copy, &got), 0);
        assert_true(model_equal(&got, wanted));
        (void)close(copy);
}

static void test_a_empty(void **state_ unused_)
{
        static struct model nothing;
        int fd = rig_file();

        nothing.n = 0;
        expect(fd, &nothing);
        (void)close(fd);
}

static void test_b_counts_once_committed(void **state_ unused_)
{
        static struct model m, before;
        int fd = rig_file();
        struct state *s;

        before.n = m.n = 0;
        assert_int_equal(state_open(fd, &s), 0);
        put(s, &m, RECORD_NAME, 3, "a.service");
        put(s, &m, RECORD_UNIT, 3, "");
        expect(fd, &before);
        state_commit(s);
        expect(fd, &m);
        assert_int_equal(atomic_load(&state_header(s)->commits), 1);
        state_commit(s); /* nothing was put: no store */
        assert_int_equal(atomic_load(&state_header(s)->commits), 1);
        state_close(s);
        (void)close(fd);
}

static void test_c_rollback(void **state_ unused_)
{
        static struct model m;
        int fd = rig_file();
        struct state *s;
        uint64_t used;

        m.n = 0;
        assert_int_equal(state_open(fd, &s), 0);
        put(s, &m, RECORD_TEXT, 1, "one");
        state_commit(s);
        used = state_used(s);
        put(s, NULL, RECORD_TEXT, 1, "two");
        state_rollback(s);
        assert_int_equal(state_used(s), used);
        expect(fd, &m);
        put(s, &m, RECORD_TEXT, 2, "three");
        state_commit(s);
        expect(fd, &m);
        state_close(s);
        (void)close(fd);
}

/* All sizes up to a few words: padding never leaks into the next record. */
static void test_d_sizes(void **state_ unused_)
{
        static struct model m;
        unsigned char bytes[64];
        int fd = rig_file();
        struct state *s;

        m.n = 0;
        memset(bytes, 0xee, sizeof(bytes));
        assert_int_equal(state_open(fd, &s), 0);
        for (uint32_t size = 0; size <= 33; size++) {
                assert_int_equal(state_put(s, RECORD_UNIT, size, size ? bytes : NULL, size), 0);
                model_put(&m, RECORD_UNIT, size, bytes, size);
        }
        state_commit(s);
        assert_int_equal(state_used(s) % 8, 0);
        expect(fd, &m);
        state_close(s);
        (void)close(fd);
}

static int stop_at_two(void *userdata, const struct record *r unused_, const void *data unused_)
{
        return ++*(int *)userdata == 2 ? 77 : 0;
}

static void test_e_replay_stops_where_told(void **state_ unused_)
{
        int fd = rig_file(), seen = 0;
        struct state *s;

        assert_int_equal(state_open(fd, &s), 0);
        for (uint32_t i = 0; i < 5; i++)
                put(s, NULL, RECORD_UNIT, i, "x");
        state_commit(s);
        assert_int_equal(state_replay(s, stop_at_two, &seen), 77);
        assert_int_equal(seen, 2);
        state_close(s);
        (void)close(fd);
}

/* Compaction: the other space, what is put there, what is of unknown kinds, and nothing until the commit. */
static void test_f_compaction(void **state_ unused_)
{
        static struct model before, after;
        int fd = rig_file();
        struct state *s;

        before.n = after.n = 0;
        assert_int_equal(state_open(fd, &s), 0);
        put(s, &before, RECORD_UNIT, 1, "old");
        put(s, &before, UNKNOWN_KIND, 9, "from a later version");
        put(s, &before, OTHER_UNKNOWN, 0, "");
        state_commit(s);
        assert_int_equal(rig_commit_word(fd) >> 63, 0);
        assert_int_equal(state_compact_begin(s), 0);
        put(s, &after, RECORD_UNIT, 1, "new");
        model_put(&after, UNKNOWN_KIND, 9, "from a later version", 20);
        model_put(&after, OTHER_UNKNOWN, 0, "", 0);
        expect(fd, &before);
        state_commit(s);
        assert_int_equal(rig_commit_word(fd) >> 63, 1);
        expect(fd, &after);
        assert_int_equal(state_compact_begin(s), 0); /* and back again */
        put(s, &after, RECORD_UNIT, 1, "newer");
        state_commit(s);
        assert_int_equal(rig_commit_word(fd) >> 63, 0);
        expect(fd, &after);
        state_close(s);
        (void)close(fd);
}

static void test_g_compaction_taken_back(void **state_ unused_)
{
        static struct model m;
        int fd = rig_file();
        struct state *s;

        m.n = 0;
        assert_int_equal(state_open(fd, &s), 0);
        put(s, &m, RECORD_UNIT, 1, "stays");
        state_commit(s);
        put(s, NULL, RECORD_UNIT, 2, "half");
        assert_int_equal(state_compact_begin(s), 0); /* what was not committed is not carried over */
        put(s, NULL, RECORD_UNIT, 3, "elsewhere");
        state_rollback(s);
        expect(fd, &m);
        put(s, &m, RECORD_UNIT, 4, "goes on in the old space");
        state_commit(s);
        expect(fd, &m);
        state_close(s);
        (void)close(fd);
}

/* A commit of a compaction that holds nothing counts too: it is how everything is forgotten. */
static void test_h_empty_compaction(void **state_ unused_)
{
        static struct model nothing;
        int fd = rig_file();
        struct state *s;

        nothing.n = 0;
        assert_int_equal(state_open(fd, &s), 0);
        put(s, NULL, RECORD_UNIT, 1, "x");
        state_commit(s);
        assert_int_equal(state_compact_begin(s), 0);
        state_commit(s);
        expect(fd, &nothing);
        state_close(s);
        (void)close(fd);
}

static void test_i_full_then_reserve(void **state_ unused_)
{
        static unsigned char big[4096];
        static struct model got;
        int fd = rig_file(), r = 0;
        struct state *s;
        uint64_t used;
        uint32_t n = 0;

        assert_int_equal(state_open(fd, &s), 0);
        while (r == 0) {
                used = state_used(s);
                r = state_put(s, RECORD_UNIT, n++, big, 200);
        }
        assert_int_equal(r, -ENOSPC);
        assert_int_equal(state_used(s), used); /* a put that fails changes nothing */
        state_commit(s);
        assert_int_equal(state_reserve(s, 1024 * 1024), 0);
        assert_int_equal(state_put(s, RECORD_UNIT, 0, big, 4096), 0);
        for (uint64_t i = 0; i < 1024 * 1024; i += 4096 + sizeof(struct record))
                assert_int_equal(state_put(s, RECORD_BLOB, (uint32_t)i, big, 4096), 0);
        assert_int_equal(state_compact_begin(s), 0); /* the other space has grown with it */
        for (uint64_t i = 0; i < 1024 * 1024; i += 4096 + sizeof(struct record))
                assert_int_equal(state_put(s, RECORD_BLOB, (uint32_t)i, big, 200), 0);
        state_rollback(s);
        assert_int_equal(state_reserve(s, DURABLE_LOG_MAX), -E2BIG);
        assert_int_equal(state_put(s, RECORD_UNIT, 0, big, DURABLE_LOG_MAX + 1), -ENOSPC);
        state_close(s);
        assert_int_equal(model_of_file(fd, &got), 0);
        assert_int_equal(got.n, n - 1);
        (void)close(fd);
}

/* A unit's record may be shorter (written by an older version) or longer (by a newer one): replay gives its size. */
static void test_j_shorter_and_longer(void **state_ unused_)
{
        static struct model m;
        static char text[200];
        int fd = rig_file();
        struct state *s;

        m.n = 0;
        memset(text, 'x', sizeof(text));
        assert_int_equal(state_open(fd, &s), 0);
        for (uint32_t size = 1; size <= 200; size += 37) {
                assert_int_equal(state_put(s, RECORD_UNIT, size, text, size), 0);
                model_put(&m, RECORD_UNIT, size, text, size);
        }
        state_commit(s);
        expect(fd, &m);
        state_close(s);
        (void)close(fd);
}

static void refuse(void (*spoil)(struct durable_header *))
{
        struct durable_header h;
        struct state *s = (void *)&h;
        int fd = rig_file();

        assert_int_equal(pread(fd, &h, sizeof(h), 0), sizeof(h));
        spoil(&h);
        assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
        assert_int_equal(state_open(fd, &s), -EBADMSG);
        assert_ptr_equal(s, &h); /* untouched */
        (void)close(fd);
}

static void spoil_magic(struct durable_header *h)
{
        h->magic[7]++;
}

static void spoil_major(struct durable_header *h)
{
        h->major++;
}

static void spoil_slot_size(struct durable_header *h)
{
        h->slot_size += 64;
}

static void spoil_no_slots(struct durable_header *h)
{
        h->n_slots = 0;
}

static void spoil_many_slots(struct durable_header *h)
{
        h->n_slots = DURABLE_MAX_SLOTS + 1;
}

static void spoil_commit(struct durable_header *h)
{
        h->commit = DURABLE_LOG_MAX + 8;
}

static void spoil_commit_odd(struct durable_header *h)
{
        h->commit = 13;
}

static void test_k_not_ours(void **state_ unused_)
{
        refuse(spoil_magic);
        refuse(spoil_major);
        refuse(spoil_slot_size);
        refuse(spoil_no_slots);
        refuse(spoil_many_slots);
        refuse(spoil_commit);
        refuse(spoil_commit_odd);
}

static int count_record(void *userdata, const struct record *r unused_, const void *data unused_)
{
        ++*(unsigned *)userdata;
        return 0;
}

/* A kind that is known is its writer's to write anew: carried over by a compaction as well, it would double at each. */
static void test_m_known_kinds_are_not_carried_over(void **state_ unused_)
{
        struct state *s;
        unsigned n = 0;
        int fd = rig_file();

        assert_int_equal(state_open(fd, &s), 0);
        for (enum record_kind k = RECORD_NAME; k < N_RECORD_KINDS; k++)
                assert_int_equal(state_put(s, k, 0, "x", 2), 0);
        assert_int_equal(state_put(s, N_RECORD_KINDS, 0, "x", 2), 0); /* the next version's */
        assert_int_equal(state_commit(s), 0);
        assert_int_equal(state_compact_begin(s), 0);
        assert_int_equal(state_commit(s), 0);
        assert_int_equal(state_replay(s, count_record, &n), 0);
        assert_int_equal(n, 1);
        state_close(s);
        (void)close(fd);
}

/* A minor version that is higher, and fields in the reserved room, are no reason to refuse. */
static void test_l_later_minor(void **state_ unused_)
{
        struct durable_header h;
        struct state *s;
        int fd = rig_file();

        assert_int_equal(pread(fd, &h, sizeof(h), 0), sizeof(h));
        h.minor = 99;
        memset(h.reserved, 0x5a, sizeof(h.reserved));
        assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
        assert_int_equal(state_open(fd, &s), 0);
        state_close(s);
        (void)close(fd);
}

static uint64_t filled(int fd, struct model *m)
{
        struct state *s;
        char text[100];

        m->n = 0;
        assert_int_equal(state_open(fd, &s), 0);
        for (uint32_t i = 0; i < 20; i++) {
                memset(text, 'a' + (int)i, sizeof(text));
                assert_int_equal(state_put(s, RECORD_UNIT, i, text, i * 5), 0);
                model_put(m, RECORD_UNIT, i, text, i * 5);
        }
        state_commit(s);
        state_close(s);
        return rig_commit_word(fd);
}

/* A committed length that ends inside a record: everything before it is given, then -EBADMSG. */
static void test_m_cut_anywhere(void **state_ unused_)
{
        static struct model m, got;
        int fd = rig_file();
        uint64_t end = filled(fd, &m), whole = 0;

        for (uint64_t cut = 0; cut <= end; cut += 8) {
                int r;
                rig_set_commit_word(fd, cut);
                r = model_of_file(fd, &got);
                whole += r == 0;
                assert_true(r == 0 || r == -EBADMSG);
                for (size_t i = 0; i < got.n; i++) { /* what is given is true */
                        assert_int_equal(got.v[i].size, m.v[i].size);
                        assert_memory_equal(got.v[i].data, m.v[i].data, m.v[i].size);
                }
        }
        assert_int_equal(whole, 21); /* in front of each record, and behind the last */
        (void)close(fd);
}

struct inside {
        const char *begin; /* the first record; NULL before it */
        uint64_t size;
};

static int is_inside(void *userdata, const struct record *r, const void *data)
{
        struct inside *in = userdata;

        if (!in->begin)
                in->begin = (const char *)r;
        assert_true((const char *)r >= in->begin && (const char *)data + r->size <= in->begin + in->size);
        return 0;
}

/* Random bytes in the log: 0 or -EBADMSG, and never a byte from outside of what is committed. */
static void test_n_garbage(void **state_ unused_)
{
        static struct model m;
        int fd = rig_file();
        uint64_t end = filled(fd, &m);
        unsigned seed = 7, bad = 0;
        struct state *s;
        char *log;

        assert_int_equal(state_open(fd, &s), 0);
        log = (char *)state_map(s) + DURABLE_LOG_A;
        for (int round = 0; round < 50000; round++) {
                struct inside in = {NULL, end};
                char old[4];
                size_t at = (size_t)rand_r(&seed) % (end - sizeof(old));
                int r;
                memcpy(old, log + at, sizeof(old));
                for (size_t i = 0; i < sizeof(old); i++)
                        log[at + i] = (char)(rand_r(&seed) >> (rand_r(&seed) % 16));
                r = state_replay(s, is_inside, &in);
                assert_true(r == 0 || r == -EBADMSG);
                bad += r < 0;
                memcpy(log + at, old, sizeof(old));
        }
        assert_true(bad > 100); /* sizes were hit */
        state_close(s);
        (void)close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_empty),
                cmocka_unit_test(test_b_counts_once_committed),
                cmocka_unit_test(test_c_rollback),
                cmocka_unit_test(test_d_sizes),
                cmocka_unit_test(test_e_replay_stops_where_told),
                cmocka_unit_test(test_f_compaction),
                cmocka_unit_test(test_g_compaction_taken_back),
                cmocka_unit_test(test_h_empty_compaction),
                cmocka_unit_test(test_i_full_then_reserve),
                cmocka_unit_test(test_j_shorter_and_longer),
                cmocka_unit_test(test_k_not_ours),
                cmocka_unit_test(test_l_later_minor),
                cmocka_unit_test(test_m_known_kinds_are_not_carried_over),
                cmocka_unit_test(test_m_cut_anywhere),
                cmocka_unit_test(test_n_garbage),
        };

        return cmocka_run_group_tests_name("state log", tests, NULL, NULL);
}
