/* SPDX-License-Identifier: MIT
 *
 * Slots and the exit ring: allocation, generations, growth to the last slot, what a recovery keeps, and entries that
 * are looked at and acknowledged.
 */
#include "rig.h"

static const uint8_t invocation[16] = {9, 8, 7};

static struct state *opened(int *ret_fd)
{
        struct state *s;

        *ret_fd = rig_file();
        assert_int_equal(state_open(*ret_fd, &s), 0);
        state_slots_rebuild(s, NULL, NULL); /* all are free: nobody is asked */
        return s;
}

static void closed(struct state *s, int fd)
{
        state_close(s);
        (void)close(fd);
}

static void test_a_alloc_and_free(void **state_ unused_)
{
        uint32_t slot, generation, again, second;
        struct durable_slot *d;
        int fd;
        struct state *s = opened(&fd);

        assert_int_equal(state_slot_alloc(s, 5, 1, invocation, &slot, &generation), 0);
        d = state_slot(s, slot);
        assert_int_equal(slot, 0); /* low numbers first: the keeper's scan stays short */
        assert_int_equal(atomic_load(&d->launch), LAUNCH_INTENT);
        assert_int_equal(atomic_load(&d->generation), generation);
        assert_int_not_equal(generation, 0);
        assert_int_equal(d->unit, 5);
        assert_int_equal(d->role, 1);
        assert_memory_equal(d->invocation, invocation, 16);
        atomic_store(&d->last_pid, 77);
        atomic_store(&d->step, 3);
        atomic_store(&d->error, 4);
        atomic_store(&d->exited, generation);
        atomic_store(&durable_pids(state_map(s))[slot], 77);
        state_slot_free(s, slot);
        assert_int_equal(atomic_load(&d->launch), LAUNCH_FREE);
        assert_int_equal(atomic_load(&durable_pids(state_map(s))[slot]), 0);
        assert_int_equal(state_slot_alloc(s, 6, 0, invocation, &again, &second), 0);
        assert_int_equal(again, slot);
        assert_int_equal(second, generation + 1);
        assert_int_equal(atomic_load(&d->last_pid), 0); /* nothing of the one before is left */
        assert_int_equal(atomic_load(&d->step), 0);
        assert_int_equal(atomic_load(&d->error), 0);
        assert_int_equal(atomic_load(&d->exited), 0);
        closed(s, fd);
}

static void test_b_generation_is_never_zero(void **state_ unused_)
{
        uint32_t slot, generation;
        int fd;
        struct state *s = opened(&fd);

        atomic_store(&state_slot(s, 0)->generation, UINT32_MAX);
        assert_int_equal(state_slot_alloc(s, 1, 0, invocation, &slot, &generation), 0);
        assert_int_equal(slot, 0);
        assert_int_equal(generation, 1);
        closed(s, fd);
}

static void test_c_all_slots(void **state_ unused_)
{
        static bool seen[DURABLE_MAX_SLOTS];
        uint32_t slot = 1, generation = 2;
        int fd;
        struct state *s = opened(&fd);

        for (uint32_t i = 0; i < DURABLE_MAX_SLOTS; i++) {
                assert_int_equal(state_slot_alloc(s, i, 0, invocation, &slot, &generation), 0);
                assert_true(slot < DURABLE_MAX_SLOTS && !seen[slot]);
                assert_true(slot < atomic_load(&state_header(s)->n_slots));
                seen[slot] = true;
        }
        slot = generation = 12345;
        assert_int_equal(state_slot_alloc(s, 0, 0, invocation, &slot, &generation), -ENFILE);
        assert_int_equal(slot, 12345);
        assert_int_equal(generation, 12345);
        state_slot_free(s, 4711);
        assert_int_equal(state_slot_alloc(s, 0, 0, invocation, &slot, &generation), 0);
        assert_int_equal(slot, 4711);
        closed(s, fd);
}

static bool keep_odd(void *userdata, uint32_t slot, uint32_t generation)
{
        assert_int_equal(generation, 1);
        ++*(unsigned *)userdata;
        return slot % 2;
}

static void test_d_rebuild(void **state_ unused_)
{
        uint32_t slot, generation;
        unsigned asked = 0;
        int fd;
        struct state *s = opened(&fd);

        for (uint32_t i = 0; i < 10; i++)
                assert_int_equal(state_slot_alloc(s, i, 0, invocation, &slot, &generation), 0);
        state_close(s);
        assert_int_equal(state_open(fd, &s), 0);
        state_slots_rebuild(s, keep_odd, &asked);
        assert_int_equal(asked, 10); /* free ones are not asked for */
        for (uint32_t i = 0; i < 10; i++)
                assert_int_equal(atomic_load(&state_slot(s, i)->launch), i % 2 ? LAUNCH_INTENT : LAUNCH_FREE);
        for (uint32_t i = 0; i < DURABLE_FIRST_SLOTS - 5; i++) {
                assert_int_equal(state_slot_alloc(s, 99, 0, invocation, &slot, &generation), 0);
                assert_true(slot >= 10 || slot % 2 == 0);
        }
        assert_int_equal(atomic_load(&state_header(s)->n_slots), DURABLE_FIRST_SLOTS);
        assert_int_equal(state_slot_alloc(s, 99, 0, invocation, &slot, &generation), 0);
        assert_int_equal(atomic_load(&state_header(s)->n_slots), 2 * DURABLE_FIRST_SLOTS);
        closed(s, fd);
}

static void test_e_slot_of_pid(void **state_ unused_)
{
        uint32_t slot = 99;
        int fd;
        struct state *s = opened(&fd);

        assert_int_equal(state_slot_of_pid(s, 4242, &slot), -ESRCH);
        assert_int_equal(slot, 99);
        atomic_store(&durable_pids(state_map(s))[DURABLE_FIRST_SLOTS - 1], 4242);
        assert_int_equal(state_slot_of_pid(s, 4242, &slot), 0);
        assert_int_equal(slot, DURABLE_FIRST_SLOTS - 1);
        closed(s, fd);
}

static void ring_put(struct state *s, uint32_t slot)
{
        struct durable_header *h = state_header(s);
        uint32_t head = atomic_load(&h->ring_head);

        durable_ring(state_map(s))[head % DURABLE_MAX_SLOTS] = (struct durable_exit){.slot = slot, .pid = slot + 1000};
        atomic_store(&h->ring_head, head + 1);
}

static void test_f_ring(void **state_ unused_)
{
        struct durable_exit x = {.slot = 5};
        int fd;
        struct state *s = opened(&fd);

        assert_false(state_exit_peek(s, 0, &x));
        assert_int_equal(x.slot, 5);
        for (uint32_t i = 0; i < 3; i++)
                ring_put(s, i);
        for (uint32_t i = 0; i < 3; i++) {
                assert_true(state_exit_peek(s, i, &x));
                assert_int_equal(x.pid, i + 1000);
        }
        assert_false(state_exit_peek(s, 3, &x));
        state_exits_acknowledge(s, 2);
        assert_true(state_exit_peek(s, 0, &x));
        assert_int_equal(x.pid, 1002);
        assert_false(state_exit_peek(s, 1, &x));
        closed(s, fd);
}

/* Head and tail count on for ever: over the end of the ring, and over 2^32. */
static void test_g_ring_wraps(void **state_ unused_)
{
        struct durable_exit x;
        int fd;
        struct state *s = opened(&fd);
        struct durable_header *h = state_header(s);

        assert_int_equal(durable_allocate(fd, DURABLE_RING, DURABLE_MAX_SLOTS * sizeof(struct durable_exit)), 0);
        for (int lap = 0; lap < 2; lap++) {
                uint32_t at = lap ? UINT32_MAX - 1 : DURABLE_MAX_SLOTS - 2;
                atomic_store(&h->ring_head, at);
                atomic_store(&h->ring_tail, at);
                for (uint32_t i = 0; i < 5; i++)
                        ring_put(s, i);
                for (uint32_t i = 0; i < 5; i++) {
                        assert_true(state_exit_peek(s, 0, &x));
                        assert_int_equal(x.slot, i);
                        state_exits_acknowledge(s, 1);
                }
                assert_false(state_exit_peek(s, 0, &x));
        }
        closed(s, fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_alloc_and_free), cmocka_unit_test(test_b_generation_is_never_zero),
                cmocka_unit_test(test_c_all_slots),      cmocka_unit_test(test_d_rebuild),
                cmocka_unit_test(test_e_slot_of_pid),    cmocka_unit_test(test_f_ring),
                cmocka_unit_test(test_g_ring_wraps),
        };

        return cmocka_run_group_tests_name("state slots", tests, NULL, NULL);
}
