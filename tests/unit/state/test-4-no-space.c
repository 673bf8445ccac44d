/* SPDX-License-Identifier: MIT
 *
 * No room on the runtime directory's tmpfs: an error code, nothing changed, and on it goes once there is room again.
 * Runs on a tmpfs of its own in a mount namespace of its own; skipped, with a reason, where that is not permitted.
 */
#include "rig.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

static char directory[] = "/tmp/supd-state-XXXXXX";
static const char *why_not;

/* 0, or -1 with why_not set: the tests are skipped. */
static int room_new(void)
{
        if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                why_not = "no mount namespace is to be had";
        else if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || !mkdtemp(directory))
                why_not = "mounts cannot be made private";
        else if (mount("tmpfs", directory, "tmpfs", 0, "size=1m") < 0)
                why_not = "no tmpfs may be mounted";
        return why_not ? -1 : 0;
}

static int file_at(const char *name)
{
        char path[128];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        return fd;
}

/* Takes every page that is left; the fd holds them. */
static int fill(void)
{
        static const char page[4096];
        int fd = file_at("filler");

        while (write(fd, page, sizeof(page)) == (ssize_t)sizeof(page))
                ;
        assert_int_equal(errno, ENOSPC);
        return fd;
}

static void test_a_log(void **state_ unused_)
{
        static struct model m, got;
        struct state *s;
        int fd, filler;
        uint64_t used;

        if (why_not) {
                print_message("skipped: %s\n", why_not);
                skip();
        }
        m.n = 0;
        fd = file_at("state");
        rig_file_init(fd);
        assert_int_equal(state_open(fd, &s), 0);
        assert_int_equal(state_put(s, RECORD_UNIT, 1, "one", 3), 0);
        model_put(&m, RECORD_UNIT, 1, "one", 3);
        assert_int_equal(state_commit(s), 0);
        filler = fill();
        used = state_used(s);
        assert_int_equal(state_reserve(s, 256 * 1024), -ENOSPC);
        assert_int_equal(state_used(s), used);
        assert_int_equal(state_put(s, RECORD_UNIT, 2, "two", 3), 0); /* in the room that there is */
        model_put(&m, RECORD_UNIT, 2, "two", 3);
        assert_int_equal(state_commit(s), 0);
        assert_int_equal(state_compact_begin(s), 0); /* the other space was there before */
        for (size_t i = 0; i < m.n; i++)
                assert_int_equal(state_put(s, m.v[i].kind, m.v[i].key, m.v[i].data, m.v[i].size), 0);
        assert_int_equal(state_commit(s), 0);
        assert_int_equal(model_replay(s, &got), 0);
        assert_true(model_equal(&m, &got));
        assert_int_equal(ftruncate(filler, 0), 0);
        assert_int_equal(state_reserve(s, 64 * 1024), 0);
        state_close(s);
        (void)close(filler);
        (void)close(fd);
}

static void test_b_slots(void **state_ unused_)
{
        static const uint8_t invocation[16];
        uint32_t slot, generation;
        struct state *s;
        int fd, filler;

        if (why_not)
                skip();
        fd = file_at("slots");
        rig_file_init(fd);
        assert_int_equal(state_open(fd, &s), 0);
        filler = fill();
        for (uint32_t i = 0; i < DURABLE_FIRST_SLOTS; i++)
                assert_int_equal(state_slot_alloc(s, 1, 0, invocation, &slot, &generation), 0);
        slot = 4711;
        assert_int_equal(state_slot_alloc(s, 1, 0, invocation, &slot, &generation), -ENOSPC);
        assert_int_equal(slot, 4711);
        assert_int_equal(atomic_load(&state_header(s)->n_slots), DURABLE_FIRST_SLOTS);
        assert_int_equal(ftruncate(filler, 0), 0);
        assert_int_equal(state_slot_alloc(s, 1, 0, invocation, &slot, &generation), 0);
        assert_int_equal(slot, DURABLE_FIRST_SLOTS);
        state_close(s);
        (void)close(filler);
        (void)close(fd);
}

static void test_c_opening(void **state_ unused_)
{
        struct state *s;
        int fd, filler;

        if (why_not)
                skip();
        fd = file_at("opened");
        rig_file_init(fd);
        filler = fill();
        assert_int_equal(state_open(fd, &s), -ENOSPC);
        assert_int_equal(ftruncate(filler, 0), 0);
        assert_int_equal(state_open(fd, &s), 0);
        state_close(s);
        (void)close(filler);
        (void)close(fd);
}

static int empty_directory(void **state_ unused_)
{
        static const char *const files[] = {"state", "slots", "opened", "filler"};
        char path[128];

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", directory, files[i]);
                (void)unlink(path);
        }
        return 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_a_log, empty_directory),
                cmocka_unit_test_teardown(test_b_slots, empty_directory),
                cmocka_unit_test_teardown(test_c_opening, empty_directory),
        };
        int r;

        (void)room_new();
        r = cmocka_run_group_tests_name("state without space", tests, NULL, NULL);
        (void)umount2(directory, MNT_DETACH);
        (void)rmdir(directory);
        return r;
}
