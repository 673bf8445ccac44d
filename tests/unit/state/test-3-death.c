/* SPDX-License-Identifier: MIT
 *
 * A death at any moment. A random run of puts, commits, rollbacks, compactions and growth is set beside a model; the
 * file is copied and read again behind every single operation; a child that does the same is stopped at every machine
 * instruction of its commits, and killed at random ones.
 *
 * Invariant: whatever the moment, what is read is exactly what some commit had made count, and the last one that
 * returned or the one being made.
 */
#include "rig.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum { COMMITS = 40, UNKNOWN_KIND = 77 };

/* What counts behind each commit, in memory that parent and child share. */
struct history {
        struct model v[COMMITS + 1];
        _Atomic unsigned n;       /* commits that have returned */
        _Atomic unsigned n_begun; /* that have been begun */
};
static struct history *history;
static bool traced;

static unsigned dice(unsigned *seed, unsigned n)
{
        return (unsigned)rand_r(seed) % n;
}

static int put_random(struct state *s, struct model *m, unsigned *seed)
{
        unsigned char data[120];
        uint32_t kind = dice(seed, 8) == 0 ? UNKNOWN_KIND : 1 + dice(seed, 6), key = dice(seed, 12);
        size_t size = dice(seed, sizeof(data));
        int r;

        memset(data, (int)dice(seed, 256), size);
        r = state_put(s, kind, key, data, size);
        if (r == 0)
                model_put(m, kind, key, data, size);
        return r;
}

/* Everything that is alive, anew; what is unknown is carried over by the room itself. */
static int compact(struct state *s, const struct model *m)
{
        int r = state_compact_begin(s);

        for (size_t i = 0; i < m->n && r == 0; i++)
                if (m->v[i].kind != UNKNOWN_KIND)
                        r = state_put(s, m->v[i].kind, m->v[i].key, m->v[i].data, m->v[i].size);
        return r;
}

static int commit(struct state *s, const struct model *m)
{
        int r;

        history->v[atomic_load(&history->n) + 1] = *m;
        atomic_fetch_add(&history->n_begun, 1);
        if (traced)
                (void)raise(SIGSTOP); /* from here on instruction by instruction */
        r = state_commit(s);
        atomic_fetch_add(&history->n, 1);
        return r;
}

/* One operation; *M is what would count if it were committed now. Negative when something went wrong. */
static int operate(struct state *s, struct model *m, unsigned *seed)
{
        const struct model *last = &history->v[atomic_load(&history->n)];

        switch (dice(seed, 12)) {
        case 0:
        case 1:
                return commit(s, m);
        case 2:
                state_rollback(s);
                *m = *last;
                return 0;
        case 3:
                *m = *last; /* a compaction begins from what counts */
                return compact(s, m) < 0 ? -1 : commit(s, m);
        case 4:
                *m = *last;
                if (compact(s, m) < 0)
                        return -1;
                state_rollback(s);
                return 0;
        case 5:
                return state_reserve(s, 1000 * dice(seed, 200));
        default:
                (void)put_random(s, m, seed); /* a full space refuses */
                return 0;
        }
}

static struct state *begin(int *ret_fd, struct model *m)
{
        struct state *s;

        memset((void *)history, 0, sizeof(*history));
        m->n = 0;
        *ret_fd = rig_file();
        assert_int_equal(state_open(*ret_fd, &s), 0);
        return s;
}

static void test_a_copied_behind_each_operation(void **state_ unused_)
{
        static struct model m, got;
        unsigned boundaries = 0;

        for (unsigned round = 1; round <= 4; round++) {
                unsigned seed = round;
                int fd;
                struct state *s = begin(&fd, &m);
                while (atomic_load(&history->n) < COMMITS) {
                        int copy;
                        assert_int_equal(operate(s, &m, &seed), 0);
                        copy = rig_copy(fd);
                        assert_int_equal(model_of_file(copy, &got), 0);
                        assert_true(model_equal(&got, &history->v[atomic_load(&history->n)]));
                        (void)close(copy);
                        boundaries++;
                }
                state_close(s);
                (void)close(fd);
        }
        print_message("%u boundaries\n", boundaries);
}

/* ---- killed at an instruction ---- */

_Noreturn static void child(struct state *s, struct model *m, unsigned seed)
{
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                _exit(9);
        traced = true;
        (void)raise(SIGSTOP);
        while (atomic_load(&history->n) < COMMITS)
                if (operate(s, m, &seed) < 0)
                        _exit(8);
        _exit(0);
}

/* On to the next commit, or within one by an instruction. */
static bool step(pid_t pid)
{
        bool inside = atomic_load(&history->n_begun) > atomic_load(&history->n);
        int status;

        return ptrace(inside ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, NULL, NULL) == 0 &&
               waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);
}

/* What the file holds at this moment: what the last commit made count, or the one that is being made. */
static bool holds_a_commit(int fd)
{
        static struct model got;
        unsigned n = atomic_load(&history->n);

        assert_int_equal(model_of_file(fd, &got), 0);
        return model_equal(&got, &history->v[n]) ||
               (atomic_load(&history->n_begun) > n && model_equal(&got, &history->v[n + 1]));
}

static pid_t traced_child(struct state *s, struct model *m, unsigned seed)
{
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0)
                child(s, m, seed);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFSTOPPED(status)) {
                print_message("skipped: no child may be traced\n");
                skip();
        }
        return pid;
}

static void end_child(pid_t pid)
{
        int status;

        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, &status, 0);
}

/* At every instruction of the first commits the file is read as the next manager would find it. */
static void test_b_every_instruction_of_a_commit(void **state_ unused_)
{
        static struct model m;
        unsigned places = 0;
        int fd;
        struct state *s = begin(&fd, &m);
        pid_t pid = traced_child(s, &m, 5);

        while (atomic_load(&history->n) < 20 && step(pid)) {
                if (atomic_load(&history->n_begun) == atomic_load(&history->n))
                        continue;
                places++;
                if (!holds_a_commit(fd)) {
                        end_child(pid);
                        fail_msg("commit %u, instruction %u: half a commit counts", atomic_load(&history->n), places);
                }
        }
        end_child(pid);
        assert_int_equal(atomic_load(&history->n), 20);
        assert_true(places > 200);
        print_message("%u places within a commit\n", places);
        state_close(s);
        (void)close(fd);
}

/* Killed at random places; another one goes on from there. */
static void test_c_killed_at_random(void **state_ unused_)
{
        static struct model m;
        unsigned seed = 99;

        for (unsigned i = 0; i < 8; i++) {
                int fd;
                struct state *s = begin(&fd, &m);
                pid_t pid = traced_child(s, &m, 3 + dice(&seed, 1000));
                unsigned n = dice(&seed, 4000);
                while (n-- > 0 && step(pid))
                        ;
                end_child(pid);
                assert_true(holds_a_commit(fd));
                state_close(s);
                assert_int_equal(state_open(fd, &s), 0);
                assert_int_equal(state_put(s, RECORD_TEXT, 4000, "later", 5), 0);
                assert_int_equal(state_commit(s), 0);
                assert_int_equal(model_replay(s, &m), 0);
                state_close(s);
                (void)close(fd);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_copied_behind_each_operation),
                cmocka_unit_test(test_b_every_instruction_of_a_commit),
                cmocka_unit_test(test_c_killed_at_random),
        };

        history = mmap(NULL, sizeof(*history), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (history == MAP_FAILED)
                return 2;
        return cmocka_run_group_tests_name("state death", tests, NULL, NULL);
}
