/* SPDX-License-Identifier: MIT
 *
 * Writer and reader of the status table against each other, in one process, on real shared memory; the clock is an
 * argument. From basic to complex: texts, many rows, a second life of the writer, held locks, damage, squatters.
 *
 * Invariant: every test uses a table name of its own (with our pid) and removes it, also when it fails.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "libsupstatus/internal.h"
#include "status/status.h"
#include "base/util.h"
#include "drawn.h"

static char instance[32], object_path[64], sem_path[64];

static int set_up(void **state unused_)
{
        (void)snprintf(instance, sizeof(instance), "test-%u", (unsigned)getpid());
        (void)snprintf(object_path, sizeof(object_path), "/dev/shm/supd-%s", instance);
        (void)snprintf(sem_path, sizeof(sem_path), "/dev/shm/sem.supd-%s.lock", instance);
        return access("/dev/shm", W_OK) < 0;
}

static int tear_down(void **state unused_)
{
        (void)unlink(object_path);
        (void)unlink(sem_path);
        drawn_begin(NULL);
        return 0;
}

static struct status_table *table(void)
{
        struct status_table *t;

        assert_int_equal(status_open(instance, &t, NULL), 0);
        drawn_begin(t);
        return t;
}

static void add(struct status_table *t, uint32_t i, const char *name)
{
        assert_int_equal(status_reserve(t, i + 1), 0);
        drawn_set_text(t, i, SUPD_TEXT_NAME, name);
        drawn_row(t, i)->active_state = SUPD_ACTIVE_ACTIVE;
        drawn_row(t, i)->main_pid = 100 + i;
        status_mark(t, i);
}

static struct supstatus *reader(void)
{
        struct supstatus *s = NULL;

        assert_int_equal(supstatus_open(instance, &s), 0);
        return s;
}

static void write_file(const char *path, size_t at, unsigned char byte, size_t n)
{
        cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(pwrite(fd, &byte, 1, (off_t)(at + i)), 1);
}

static void nothing_before_the_first_publish(void **state unused_)
{
        struct status_table *t = table();
        struct supstatus_snapshot *snap = NULL;
        struct supstatus *s;

        assert_true(status_is_on(t));
        assert_string_equal(status_reason(t), "");
        add(t, 0, "a.service");
        s = reader();
        assert_int_equal(supstatus_snapshot(s, 0, &snap), -ENODATA);
        assert_null(snap);
        /* nor in the middle of it: the magic is there, the rest of the header not yet */
        write_file(object_path, offsetof(struct supd_status_header, sequence), 1, 1);
        for (size_t i = 0; i < strlen(SUPD_STATUS_MAGIC); i++)
                write_file(object_path, i, (unsigned char)SUPD_STATUS_MAGIC[i], 1);
        assert_int_equal(supstatus_snapshot(s, 0, &snap), -ENODATA);
        supstatus_close(s);
        status_close(t, true);
        assert_int_equal(supstatus_open(instance, &s), -ENOENT);
}

static void one_row_is_read_as_it_was_written(void **state unused_)
{
        struct status_table *t = table();
        struct supstatus_snapshot *snap = NULL;
        struct supstatus *s;

        add(t, 3, "a.service");
        drawn_set_text(t, 3, SUPD_TEXT_DESCRIPTION, "The first");
        status_header(t)->n_units = 1;
        assert_int_equal(status_publish(t, 1000), 0);
        s = reader();
        assert_int_equal(supstatus_snapshot(s, SUPSTATUS_VERIFY, &snap), 0);
        assert_int_equal(supstatus_count(snap), 1);
        assert_int_equal(supstatus_lost(snap), 0);
        assert_int_equal(supstatus_condition(snap), 0);
        assert_string_equal(supstatus_text(snap, 0, SUPD_TEXT_NAME), "a.service");
        assert_string_equal(supstatus_text(snap, 0, SUPD_TEXT_DESCRIPTION), "The first");
        assert_string_equal(supstatus_text(snap, 0, SUPD_TEXT_ALIASES), "");
        assert_string_equal(supstatus_text(snap, 0, 99), "");
        assert_int_equal(supstatus_row(snap, 0)->main_pid, 103);
        assert_int_equal(supstatus_header(snap)->n_units, 1);
        assert_int_equal(supstatus_header(snap)->n_publishes, 1);
        assert_int_equal(supstatus_writer(s, snap), SUPSTATUS_WRITER_ALIVE);
        supstatus_free(snap);
        status_close(t, false);
        snap = NULL;
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_int_equal(supstatus_writer(s, snap), SUPSTATUS_WRITER_GONE);
        supstatus_free(snap);
        supstatus_close(s);
}

static void texts_change_in_any_order(void **state unused_)
{
        struct status_table *t = table();
        struct supstatus_snapshot *snap = NULL;
        char longest[256], too_long[4000];
        struct supstatus *s;

        memset(longest, 'n', 255);
        memcpy(longest + 255 - 8, ".service", 9);
        memset(too_long, 'x', sizeof(too_long) - 1);
        too_long[sizeof(too_long) - 1] = 0;
        add(t, 0, "a.service");
        add(t, 1, longest);
        for (unsigned round = 0; round < 50; round++) {
                static const char *const words[] = {"", "s", "some words",
                                                    "a much longer text than the ones before it was"};

                for (uint32_t which = 1; which < SUPD_N_TEXTS; which++)
                        drawn_set_text(t, 0, which, words[(round * 7 + which * 3) % 4]);
                assert_int_equal(status_publish(t, 1000), 0);
                s = reader();
                assert_int_equal(supstatus_snapshot(s, SUPSTATUS_VERIFY, &snap), 0);
                assert_int_equal(supstatus_count(snap), 2);
                assert_string_equal(supstatus_text(snap, 0, SUPD_TEXT_NAME), "a.service");
                for (uint32_t which = 1; which < SUPD_N_TEXTS; which++)
                        assert_string_equal(supstatus_text(snap, 0, which), words[(round * 7 + which * 3) % 4]);
                assert_string_equal(supstatus_text(snap, 1, SUPD_TEXT_NAME), longest);
                supstatus_close(s);
        }
        drawn_set_text(t, 0, SUPD_TEXT_STATUS, too_long);
        (void)status_publish(t, 1000);
        s = reader();
        assert_int_equal(supstatus_find(s, "a.service", 0, &snap), 0);
        assert_int_equal(strlen(supstatus_text(snap, 0, SUPD_TEXT_STATUS)), SUPD_TEXT_MAX);
        assert_true(supstatus_row(snap, 0)->flags & SUPD_ROW_TEXT_CUT);
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

/* Rows take the place of texts when everything is laid out anew; those that no unit has yet must not show them. */
static void rows_that_are_only_reserved_are_empty(void **state unused_)
{
        struct status_table *t = table();
        struct supstatus_snapshot *snap = NULL;
        struct supstatus *s = NULL;
        char long_text[256], name[32];

        memset(long_text, 'x', sizeof(long_text) - 1);
        long_text[sizeof(long_text) - 1] = 0;
        for (uint32_t i = 0; i < 65; i++) {
                (void)snprintf(name, sizeof(name), "u%u.service", i);
                add(t, i, name);
                drawn_set_text(t, i, SUPD_TEXT_DESCRIPTION, long_text);
                if (i >= 63)
                        assert_int_equal(status_publish(t, 1000 + i), 0);
        }
        assert_int_equal(status_reserve(t, 96), 0);
        status_mark(t, 0);
        assert_int_equal(status_publish(t, 2000), 0);
        s = reader();
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_int_equal(supstatus_condition(snap), 0);
        assert_int_equal(supstatus_count(snap), 65);
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

static void units_are_found_by_any_name(void **state unused_)
{
        struct status_table *t = table();
        struct supstatus_snapshot *snap = NULL;
        struct supstatus *s;

        add(t, 0, "a.service");
        add(t, 1, "b.service");
        drawn_set_text(t, 1, SUPD_TEXT_ALIASES, "bb.service other.service");
        (void)status_publish(t, 1000);
        s = reader();
        assert_int_equal(supstatus_find(s, "b.service", 0, &snap), 0);
        assert_int_equal(supstatus_row(snap, 0)->main_pid, 101);
        assert_int_equal(supstatus_find(s, "other.service", 0, &snap), 0);
        assert_int_equal(supstatus_count(snap), 1);
        assert_int_equal(supstatus_row(snap, 0)->main_pid, 101);
        assert_int_equal(supstatus_find(s, "other", 0, &snap), -ESRCH);
        assert_int_equal(supstatus_count(snap), 0);
        drawn_clear(t, 1);
        (void)status_publish(t, 1000);
        assert_int_equal(supstatus_find(s, "b.service", 0, &snap), -ESRCH);
        assert_int_equal(supstatus_find(s, "a.service", 0, &snap), 0);
        add(t, 1, "c.service");
        (void)status_publish(t, 1000);
        assert_int_equal(supstatus_find(s, "c.service", 0, &snap), 0);
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

/* A reader that has the table open sees it grow, and a thousand units stay below 600 KB. */
static void the_table_grows_under_a_reader(void **state unused_)
{
        struct status_table *t = table();
        struct supstatus_snapshot *snap = NULL;
        struct supstatus *s;
        struct stat st;
        char name[32], path[64];

        add(t, 0, "a.service");
        (void)status_publish(t, 1000);
        s = reader();
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        for (uint32_t i = 1; i < 1000; i++) {
                (void)snprintf(name, sizeof(name), "worker-%04u.service", (unsigned)i);
                (void)snprintf(path, sizeof(path), "/usr/lib/systemd/system/%s", name);
                add(t, i, name);
                drawn_set_text(t, i, SUPD_TEXT_DESCRIPTION, "One worker among a thousand");
                drawn_set_text(t, i, SUPD_TEXT_FRAGMENT_PATH, path);
                if (i % 100 == 0)
                        (void)status_publish(t, 1000);
        }
        (void)status_publish(t, 1000);
        assert_int_equal(supstatus_snapshot(s, SUPSTATUS_VERIFY, &snap), 0);
        assert_int_equal(supstatus_count(snap), 1000);
        assert_int_equal(supstatus_lost(snap), 0);
        assert_string_equal(supstatus_text(snap, 999, SUPD_TEXT_NAME), "worker-0999.service");
        assert_int_equal(stat(object_path, &st), 0);
        assert_true(st.st_blocks * 512 < 600000);
        assert_int_equal(st.st_size, supstatus_header(snap)->object_size);
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

static void nothing_changed_means_nothing_written(void **state unused_)
{
        struct status_table *t = table();

        add(t, 0, "a.service");
        (void)status_publish(t, 1000);
        assert_int_equal(status_publish(t, 2000), 0);
        assert_int_equal(status_header(t)->n_publishes, 1);
        drawn_set_text(t, 0, SUPD_TEXT_NAME, "a.service");
        (void)status_publish(t, 3000);
        assert_int_equal(status_header(t)->n_publishes, 1);
        status_header(t)->n_jobs = 1;
        (void)status_publish(t, 4000);
        assert_int_equal(status_header(t)->n_publishes, 2);
        status_close(t, true);
}

/* The next manager takes the table over; until it publishes, readers see what the last one said. */
static void the_next_writer_continues(void **state unused_)
{
        struct supstatus_snapshot *snap = NULL;
        struct status_table *t = table();
        struct supstatus *s;
        uint64_t sequence;

        add(t, 0, "a.service");
        (void)status_publish(t, 1000);
        s = reader();
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        sequence = supstatus_header(snap)->sequence;
        status_close(t, false);
        t = table();
        assert_true(status_is_on(t));
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_string_equal(supstatus_text(snap, 0, SUPD_TEXT_NAME), "a.service");
        assert_int_equal(supstatus_writer(s, snap), SUPSTATUS_WRITER_ALIVE);
        add(t, 0, "b.service");
        (void)status_publish(t, 1000);
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_int_equal(supstatus_count(snap), 1);
        assert_string_equal(supstatus_text(snap, 0, SUPD_TEXT_NAME), "b.service");
        assert_true(supstatus_header(snap)->sequence > sequence);
        assert_int_equal(supstatus_header(snap)->n_publishes, 2);
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

static void two_living_writers_do_not_share(void **state unused_)
{
        struct status_table *t = table(), *second = NULL;
        cleanup_diag_ struct diag diag = {0};

        assert_int_equal(status_open(instance, &second, &diag), 0);
        assert_false(status_is_on(second));
        assert_int_equal(diag.n_warnings, 1);
        assert_non_null(strstr(diag.entries[0].message, "in use by another supd"));
        drawn_row(second, 7)->main_pid = 1; /* harmless */
        status_mark(second, 7);
        assert_int_equal(status_reserve(second, 100), 0);
        assert_int_equal(status_publish(second, 1), 0);
        status_close(second, true);
        assert_int_equal(access(object_path, F_OK), 0);
        status_close(t, true);
}

static void names_that_cannot_be(void **state unused_)
{
        struct supstatus *s;
        struct status_table *t;

        assert_int_equal(status_open("a/b", &t, NULL), 0);
        assert_false(status_is_on(t));
        status_close(t, true);
        assert_int_equal(supstatus_open("a/b", &s), -EINVAL);
        assert_int_equal(supstatus_open("..", &s), -EINVAL);
}

/* ---- held locks ---- */

static void a_held_lock_defers_then_is_passed_then_broken(void **state unused_)
{
        const uint64_t t0 = 1000000;
        struct supstatus_snapshot *snap = NULL;
        struct status_table *t = table();
        struct supstatus *s;
        uint64_t again;

        add(t, 0, "a.service");
        (void)status_publish(t, t0);
        s = reader();
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_true(reader_lock_try(&s->lock, supstatus_header(snap)->generation, supstatus_header(snap)->owner_uid));
        drawn_row(t, 0)->main_pid = 7;
        status_mark(t, 0);
        again = status_publish(t, t0);
        assert_in_range(again, t0 + 1, t0 + STATUS_DEFER_US);
        assert_in_range(status_publish(t, again), again + 1, t0 + STATUS_DEFER_US);
        assert_int_equal(status_header(t)->n_publishes, 1);
        again = status_publish(t, t0 + STATUS_DEFER_US); /* goes past, and asks to be called to look at the lock */
        assert_int_equal(again, t0 + STATUS_BREAK_US);
        assert_int_equal(status_header(t)->n_publishes, 2);
        assert_int_equal(status_header(t)->n_deferred, 1);
        assert_int_equal(status_header(t)->n_torn_avoided, 1);
        assert_int_equal(supstatus_find(s, "a.service", SUPSTATUS_NO_LOCK, &snap), 0);
        assert_int_equal(supstatus_row(snap, 0)->main_pid, 7);
        status_mark(t, 0); /* a second one is not put off again */
        assert_int_equal(status_publish(t, t0 + STATUS_DEFER_US + 1), t0 + STATUS_BREAK_US);
        assert_int_equal(status_header(t)->n_publishes, 3);
        assert_int_equal(status_publish(t, t0 + STATUS_BREAK_US), 0);
        assert_int_equal(status_header(t)->n_broken_locks, 1);
        reader_lock_release(&s->lock); /* lands on the old one */
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_int_equal(supstatus_condition(snap), 0); /* the new lock was free, and found by its generation */
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

static void a_lock_given_back_in_time_is_kept(void **state unused_)
{
        const uint64_t t0 = 1000000;
        struct supstatus_snapshot *snap = NULL;
        struct status_table *t = table();
        struct supstatus *s;

        add(t, 0, "a.service");
        (void)status_publish(t, t0);
        s = reader();
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_true(reader_lock_try(&s->lock, supstatus_header(snap)->generation, supstatus_header(snap)->owner_uid));
        status_mark(t, 0);
        assert_int_not_equal(status_publish(t, t0), 0);
        assert_int_equal(status_publish(t, t0 + STATUS_DEFER_US), t0 + STATUS_BREAK_US);
        reader_lock_release(&s->lock);
        assert_int_equal(status_publish(t, t0 + STATUS_BREAK_US), 0);
        assert_int_equal(status_header(t)->n_broken_locks, 0);
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

/* The same by a publish that finds the lock held for too long: it is replaced at once, and nothing is put off. */
static void a_publish_breaks_a_lock_held_too_long(void **state unused_)
{
        const uint64_t t0 = 1000000;
        struct supstatus_snapshot *snap = NULL;
        struct status_table *t = table();
        struct supstatus *s;

        add(t, 0, "a.service");
        (void)status_publish(t, t0);
        s = reader();
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_true(reader_lock_try(&s->lock, supstatus_header(snap)->generation, supstatus_header(snap)->owner_uid));
        status_mark(t, 0);
        assert_int_not_equal(status_publish(t, t0), 0);
        assert_int_equal(status_publish(t, t0 + STATUS_BREAK_US), 0);
        assert_int_equal(status_header(t)->n_broken_locks, 1);
        assert_int_equal(status_header(t)->n_publishes, 2);
        reader_lock_release(&s->lock);
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

/* ---- a publish in the middle of a copy ---- */

static unsigned n_amid;

static void publish_amid(void *userdata)
{
        struct status_table *t = userdata;

        if (n_amid++ > 0)
                return;
        for (uint32_t i = 0; i < 2; i++) {
                drawn_row(t, i)->main_pid = 77;
                drawn_set_text(t, i, SUPD_TEXT_STATUS, "new words");
        }
        (void)status_publish(t, 1000 + STATUS_BREAK_US);
}

static void a_publish_amid_a_copy_is_noticed(void **state unused_)
{
        struct supstatus_snapshot *snap = NULL;
        struct status_table *t = table();
        struct supstatus *s;

        add(t, 0, "a.service");
        add(t, 1, "b.service");
        (void)status_publish(t, 1000);
        s = reader();
        supstatus_hook_userdata = t;
        supstatus_hook_amid = publish_amid;
        n_amid = 0;
        assert_int_equal(supstatus_snapshot(s, SUPSTATUS_NO_LOCK, &snap), 0);
        supstatus_hook_amid = NULL;
        assert_int_equal(n_amid, 2); /* the first copy was thrown away */
        for (uint32_t i = 0; i < 2; i++) {
                assert_int_equal(supstatus_row(snap, i)->main_pid, 77);
                assert_string_equal(supstatus_text(snap, i, SUPD_TEXT_STATUS), "new words");
        }
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

/* Is the semaphore that is under the name now in somebody's hand? */
static void look_at_semaphore(void *userdata)
{
        char name[sizeof(instance) + 16];
        int *value = userdata;
        sem_t *sem;

        (void)snprintf(name, sizeof(name), "/supd-%s.lock", instance);
        sem = sem_open(name, 0);
        assert_true(sem != SEM_FAILED);
        assert_int_equal(sem_getvalue(sem, value), 0);
        (void)sem_close(sem);
}

/* Generations begin anew with each supd: the same number, another semaphore. */
static void a_reader_finds_the_semaphore_of_the_next_supd(void **state unused_)
{
        struct supstatus_snapshot *snap = NULL;
        struct supstatus *s = NULL;
        uint32_t generation = 0;

        for (unsigned i = 0; i < 2; i++) {
                struct status_table *t = table();
                int value = 1;

                add(t, 0, "a.service");
                (void)status_publish(t, 1000);
                if (i == 0)
                        s = reader();
                supstatus_hook_userdata = &value;
                supstatus_hook_amid = look_at_semaphore;
                assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
                supstatus_hook_amid = NULL;
                assert_int_equal(supstatus_condition(snap), 0);
                assert_int_equal(value, 0);
                assert_true(i == 0 || supstatus_header(snap)->generation == generation);
                generation = supstatus_header(snap)->generation;
                status_close(t, true);
        }
        supstatus_free(snap);
        supstatus_close(s);
}

/* ---- damage ---- */

static void publish_and_expect(struct status_table *t, uint32_t pid, unsigned condition_not)
{
        struct supstatus_snapshot *snap = NULL;
        struct supstatus *s;

        drawn_row(t, 0)->main_pid = pid;
        status_mark(t, 0);
        (void)status_publish(t, 1000);
        assert_true(status_is_on(t));
        s = reader();
        assert_int_equal(supstatus_snapshot(s, SUPSTATUS_VERIFY, &snap), 0);
        assert_int_equal(supstatus_count(snap), 1);
        assert_int_equal(supstatus_row(snap, 0)->main_pid, pid);
        assert_int_equal(supstatus_condition(snap) & condition_not, 0);
        supstatus_free(snap);
        supstatus_close(s);
}

static void a_scribbled_semaphore_is_replaced(void **state unused_)
{
        struct status_table *t = table();

        add(t, 0, "a.service");
        (void)status_publish(t, 1000);
        write_file(sem_path, 8, 0xff, 24); /* how it is shared, and the rest: posting it would abort */
        publish_and_expect(t, 1, SUPSTATUS_UNLOCKED);
        assert_int_equal(status_header(t)->n_broken_locks, 1);
        write_file(sem_path, 0, 0xff, 4); /* the value */
        publish_and_expect(t, 2, SUPSTATUS_UNLOCKED);
        assert_int_equal(status_header(t)->n_broken_locks, 2);
        write_file(sem_path, 0, 2, 1); /* posted once too often */
        publish_and_expect(t, 3, SUPSTATUS_UNLOCKED);
        assert_int_equal(status_header(t)->n_broken_locks, 3);
        status_close(t, true);
}

static void a_cut_semaphore_is_replaced(void **state unused_)
{
        struct supstatus_snapshot *snap = NULL;
        struct status_table *t = table();
        struct supstatus *s;

        add(t, 0, "a.service");
        (void)status_publish(t, 1000);
        s = reader();
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_int_equal(truncate(sem_path, 0), 0);
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0); /* the reader survives, without it */
        assert_int_equal(supstatus_condition(snap), SUPSTATUS_UNLOCKED);
        publish_and_expect(t, 1, SUPSTATUS_UNLOCKED);
        assert_int_equal(status_header(t)->n_broken_locks, 1);
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

static void a_cut_or_removed_table_is_made_anew(void **state unused_)
{
        struct supstatus_snapshot *snap = NULL;
        struct status_table *t = table();
        struct supstatus *s;

        add(t, 0, "a.service");
        (void)status_publish(t, 1000);
        s = reader();
        assert_int_equal(truncate(object_path, 0), 0);
        assert_int_equal(supstatus_snapshot(s, 0, &snap), -ENODATA);
        publish_and_expect(t, 1, SUPSTATUS_UNLOCKED);
        assert_int_equal(status_header(t)->n_recreated, 1);
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0); /* the old reader finds the new one */
        assert_int_equal(unlink(object_path), 0);
        publish_and_expect(t, 2, SUPSTATUS_UNLOCKED);
        assert_int_equal(status_header(t)->n_recreated, 2);
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_int_equal(supstatus_row(snap, 0)->main_pid, 2);
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

/* A writer that died in the middle: the sequence stays odd, whole rows still count, the torn one does not. */
static void a_publish_cut_off_leaves_whole_rows(void **state unused_)
{
        struct supstatus_snapshot *snap = NULL;
        const struct supd_status_header *h;
        struct status_table *t = table();
        uint64_t sequence;
        struct supstatus *s;

        add(t, 0, "a.service");
        add(t, 1, "b.service");
        (void)status_publish(t, 1000);
        s = reader();
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        h = supstatus_header(snap);
        sequence = h->sequence;
        write_file(object_path, offsetof(struct supd_status_header, sequence), (unsigned char)(sequence | 1), 1);
        write_file(object_path, h->rows_offset + h->row_size + offsetof(struct supd_status_row, main_pid), 0x55, 4);
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_true(supstatus_condition(snap) & SUPSTATUS_PIECES);
        assert_int_equal(supstatus_count(snap), 1);
        assert_int_equal(supstatus_lost(snap), 1);
        assert_string_equal(supstatus_text(snap, 0, SUPD_TEXT_NAME), "a.service");
        status_close(t, false);
        t = table(); /* and the next writer mends it */
        add(t, 0, "a.service");
        (void)status_publish(t, 1000);
        assert_int_equal(supstatus_snapshot(s, 0, &snap), 0);
        assert_int_equal(supstatus_condition(snap) & SUPSTATUS_PIECES, 0);
        assert_true(supstatus_header(snap)->sequence > sequence);
        supstatus_free(snap);
        supstatus_close(s);
        status_close(t, true);
}

/* ---- drawing ---- */

/* What nobody marked is drawn too, when the table has to be made anew or grows. */
static void unmarked_rows_outlive_the_object(void **state unused_)
{
        struct supstatus_snapshot *snap = NULL;
        struct status_table *t = table();
        struct supstatus *s;

        add(t, 0, "a.service");
        add(t, 1, "b.service");
        (void)status_publish(t, 1000);
        drawn_store.n_drawings = 0;
        for (unsigned round = 0; round < 3; round++) {
                if (round == 0)
                        assert_int_equal(truncate(object_path, 0), 0);
                else if (round == 1)
                        assert_int_equal(unlink(object_path), 0);
                else
                        add(t, 500, "c.service");
                drawn_row(t, 0)->main_pid = 7 + round;
                status_mark(t, 0);
                (void)status_publish(t, 1000);
                s = reader();
                assert_int_equal(supstatus_snapshot(s, SUPSTATUS_VERIFY, &snap), 0);
                assert_int_equal(supstatus_count(snap), round < 2 ? 2 : 3);
                assert_int_equal(supstatus_row(snap, 0)->main_pid, 7 + round);
                assert_int_equal(supstatus_row(snap, 1)->main_pid, 101);
                assert_string_equal(supstatus_text(snap, 1, SUPD_TEXT_NAME), "b.service");
                supstatus_free(snap);
                snap = NULL;
                supstatus_close(s);
        }
        drawn_store.n_drawings = 0;
        status_mark(t, 1);
        (void)status_publish(t, 1000);
        assert_int_equal(drawn_store.n_drawings, 1); /* and nothing more than is due */
        status_close(t, true);
}

static unsigned n_shown_drawings;
static uint32_t shown_restarts;

/* Counts on from what is shown. */
static void draw_from_shown(void *userdata, uint32_t index)
{
        struct status_table *t = userdata;

        if (index > 0)
                return;
        n_shown_drawings++;
        shown_restarts = status_row(t, index)->n_restarts;
        assert_int_equal(status_row(t, index)->texts_used, 0);
        assert_int_equal(status_set_text(t, index, SUPD_TEXT_NAME, "a.service"), 0);
        assert_int_equal(status_set_text(t, index, SUPD_N_TEXTS, "x"), -EINVAL);
        assert_int_equal(status_set_text(t, index + 1, SUPD_TEXT_NAME, "x"), -EINVAL); /* another row */
        status_row(t, index + 1)->n_restarts = 77;
        status_row(t, index)->n_restarts = 5;
}

static void publish_shown(struct status_table *t, uint32_t expect)
{
        struct supstatus_snapshot *snap = NULL;
        struct supstatus *s;

        n_shown_drawings = 0;
        status_mark(t, 0);
        (void)status_publish(t, 1000);
        assert_true(n_shown_drawings > 0);
        assert_int_equal(shown_restarts, expect);
        s = reader();
        assert_int_equal(supstatus_find(s, "a.service", SUPSTATUS_VERIFY, &snap), 0);
        assert_int_equal(supstatus_row(snap, 0)->n_restarts, 5);
        supstatus_free(snap);
        supstatus_close(s);
}

/* The drawer finds what is shown, in place, moved or in an object that was removed; but nothing that is damaged. */
static void the_drawer_finds_what_is_shown(void **state unused_)
{
        struct supd_status_header h;
        struct status_table *t = table();

        status_draw_with(t, draw_from_shown, t);
        assert_int_equal(status_reserve(t, 1), 0);
        publish_shown(t, 0);
        publish_shown(t, 5);
        h = *status_header(t);
        assert_int_equal(unlink(object_path), 0);
        publish_shown(t, 5);
        assert_int_equal(status_reserve(t, 1000), 0);
        status_mark(t, 900);
        publish_shown(t, 5);
        h = *status_header(t);
        write_file(object_path, h.rows_offset + offsetof(struct supd_status_row, n_restarts), 0x55, 4);
        publish_shown(t, 0);
        publish_shown(t, 5);
        write_file(object_path, h.texts_offset, 0x55, 1);
        publish_shown(t, 0);
        write_file(object_path, h.rows_offset + offsetof(struct supd_status_row, texts_used), 0xf8, 4);
        publish_shown(t, 0);
        write_file(object_path, h.rows_offset + offsetof(struct supd_status_row, texts_at), 0xf8, 8);
        publish_shown(t, 0);
        publish_shown(t, 5);
        status_close(t, true);
}

/* ---- squatters ---- */

static void squatted_names_are_left_alone(void **state unused_)
{
        cleanup_diag_ struct diag diag = {0};
        struct status_table *t;
        struct supstatus *s;
        struct stat st;
        int fd;

        if (geteuid() != 0)
                skip();
        fd = open(object_path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
        assert_true(fd >= 0 && fchown(fd, 12345, 12345) == 0 && close(fd) == 0);
        assert_int_equal(status_open(instance, &t, &diag), 0);
        assert_false(status_is_on(t));
        assert_non_null(strstr(status_reason(t), "12345"));
        assert_int_equal(diag.n_warnings, 1);
        status_close(t, true);
        assert_int_equal(stat(object_path, &st), 0);
        assert_int_equal(st.st_uid, 12345);
        assert_int_equal(supstatus_open(instance, &s), -EPERM);
        (void)unlink(object_path);
        fd = open(sem_path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
        assert_true(fd >= 0 && fchown(fd, 12345, 12345) == 0 && close(fd) == 0);
        assert_int_equal(status_open(instance, &t, NULL), 0);
        assert_true(status_is_on(t)); /* without a lock */
        drawn_begin(t);
        assert_non_null(strstr(status_reason(t), "semaphore"));
        add(t, 0, "a.service");
        publish_and_expect(t, 1, 0);
        status_close(t, true);
        assert_int_equal(stat(sem_path, &st), 0);
}

static void garbage_of_our_own_is_written_over(void **state unused_)
{
        unsigned char junk[8192];
        struct status_table *t;
        int fd;

        memset(junk, 0xa5, sizeof(junk));
        fd = open(object_path, O_CREAT | O_RDWR | O_CLOEXEC, 0666);
        assert_true(fd >= 0 && write(fd, junk, sizeof(junk)) == (ssize_t)sizeof(junk) && close(fd) == 0);
        t = table();
        assert_true(status_is_on(t));
        add(t, 0, "a.service");
        publish_and_expect(t, 1, SUPSTATUS_UNLOCKED | SUPSTATUS_PIECES);
        status_close(t, true);
}

/* ---- words ---- */

static void every_number_has_a_word(void **state unused_)
{
        static const struct {
                const char *(*name)(uint32_t);
                uint32_t last;
        } tables[] = {
                {supstatus_type_name, SUPD_TYPE_AUTOMOUNT},       {supstatus_load_name, SUPD_LOAD_MASKED},
                {supstatus_active_name, SUPD_ACTIVE_MAINTENANCE}, {supstatus_sub_name, SUPD_SUB_ABANDONED},
                {supstatus_result_name, SUPD_RESULT_UNKNOWN},     {supstatus_service_type_name, SUPD_SERVICE_IDLE},
                {supstatus_restart_name, SUPD_RESTART_ALWAYS},    {supstatus_job_name, SUPD_JOB_NOP},
                {supstatus_system_name, SUPD_SYSTEM_STOPPING}};

        for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
                for (uint32_t a = 1; a <= tables[i].last; a++) {
                        if (!(tables[i].name == supstatus_result_name && a == SUPD_RESULT_UNKNOWN))
                                assert_string_not_equal(tables[i].name(a), "unknown");
                        for (uint32_t b = 0; b < a; b++)
                                assert_string_not_equal(tables[i].name(a), tables[i].name(b));
                }
                assert_string_equal(tables[i].name(tables[i].last + 1), "unknown");
                assert_string_equal(tables[i].name(UINT32_MAX), "unknown");
        }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(every_number_has_a_word),
                TEST(nothing_before_the_first_publish),
                TEST(one_row_is_read_as_it_was_written),
                TEST(texts_change_in_any_order),
                TEST(rows_that_are_only_reserved_are_empty),
                TEST(units_are_found_by_any_name),
                TEST(the_table_grows_under_a_reader),
                TEST(nothing_changed_means_nothing_written),
                TEST(names_that_cannot_be),
                TEST(the_next_writer_continues),
                TEST(two_living_writers_do_not_share),
                TEST(a_held_lock_defers_then_is_passed_then_broken),
                TEST(a_lock_given_back_in_time_is_kept),
                TEST(a_publish_breaks_a_lock_held_too_long),
                TEST(a_publish_amid_a_copy_is_noticed),
                TEST(a_reader_finds_the_semaphore_of_the_next_supd),
                TEST(unmarked_rows_outlive_the_object),
                TEST(the_drawer_finds_what_is_shown),
                TEST(a_scribbled_semaphore_is_replaced),
                TEST(a_cut_semaphore_is_replaced),
                TEST(a_cut_or_removed_table_is_made_anew),
                TEST(a_publish_cut_off_leaves_whole_rows),
                TEST(garbage_of_our_own_is_written_over),
                TEST(squatted_names_are_left_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
