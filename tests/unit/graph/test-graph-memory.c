/* SPDX-License-Identifier: MIT
 *
 * Lack of memory: the k-th allocation fails, for every k, in building a graph and in building transactions.
 *
 * The allocator is wrapped by the linker (meson.build). Invariant: outputs are untouched, nothing leaks, and the same
 * call works once there is memory again. A message that is lost for lack of memory does not fail a transaction.
 */
#include "world.h"

static long fail_at, n_allocations, n_live;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_reallocarray(void *p, size_t n, size_t m);
char *__wrap_strdup(const char *s);
void __wrap_free(void *p);

static bool fails(void)
{
        return ++n_allocations == fail_at;
}

static void *counted(void *p)
{
        n_live += p != NULL;
        return p;
}

void *__wrap_malloc(size_t n)
{
        return fails() ? NULL : counted(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t m)
{
        return fails() ? NULL : counted(__real_calloc(n, m));
}

void *__wrap_realloc(void *p, size_t n)
{
        if (fails())
                return NULL;
        void *q = __real_realloc(p, n);
        n_live += !p && q;
        return q;
}

void *__wrap_reallocarray(void *p, size_t n, size_t m)
{
        return __wrap_realloc(p, n * m);
}

char *__wrap_strdup(const char *s)
{
        size_t n = strlen(s) + 1;
        char *p = __wrap_malloc(n);
        return p ? memcpy(p, s, n) : NULL;
}

void __wrap_free(void *p)
{
        n_live -= p != NULL;
        __real_free(p);
}

/* One of each: wants, requirements, conflicts, a cycle to break, a stop that follows. */
static const struct {
        char from;
        enum unit_dependency dep;
        char to;
} words[] = {
        {'a', DEP_REQUIRES, 'b'},  {'a', DEP_WANTS, 'c'},    {'a', DEP_AFTER, 'b'},     {'b', DEP_AFTER, 'c'},
        {'c', DEP_AFTER, 'a'},     {'d', DEP_BINDS_TO, 'e'}, {'a', DEP_WANTS, 'd'},     {'a', DEP_CONFLICTS, 'f'},
        {'g', DEP_REQUIRES, 'f'},  {'a', DEP_WANTS, 'h'},    {'h', DEP_CONFLICTS, 'b'}, {'a', DEP_WANTS, 'i'},
        {'i', DEP_REQUISITE, 'j'}, {'a', DEP_UPHOLDS, 'k'},  {'a', DEP_WANTS, 'l'},     {'l', DEP_WANTS, 'm'},
        {'m', DEP_WANTS, 'n'},     {'n', DEP_WANTS, 'o'},    {'o', DEP_WANTS, 'p'},     {'p', DEP_WANTS, 'q'},
        {'q', DEP_WANTS, 'r'},     {'r', DEP_WANTS, 's'},    {'s', DEP_WANTS, 't'},
};

static int say_all(struct graph *g)
{
        int r = 0;
        for (unsigned i = 0; i < ARRAY_SIZE(words) && r == 0; i++)
                r = graph_add(g, (uint32_t)(words[i].from - 'a'), words[i].dep, (uint32_t)(words[i].to - 'a'));
        return r;
}

static void test_01_graph_survives_each_failure(void **state unused_)
{
        long k, before = n_live;
        for (k = 1; k < 1000; k++) {
                struct graph *g = NULL;
                n_allocations = 0;
                fail_at = k;
                int r = graph_new(&g);
                if (r < 0)
                        assert_null(g);
                else
                        r = say_all(g);
                bool failed = n_allocations >= k;
                fail_at = 0;
                assert_int_equal(r, failed ? -ENOMEM : 0);
                if (g)
                        assert_int_equal(say_all(g), 0); /* goes on where it stopped */
                graph_free(g);
                assert_int_equal(n_live, before);
                if (!failed)
                        break;
        }
        assert_in_range(k, 20, 999);
}

static void test_02_transactions_survive_each_failure(void **state unused_)
{
        cleanup_world_ struct world w;
        long k;
        world_make(&w, WORLD_MAX);
        assert_int_equal(say_all(w.g), 0);
        unit(&w, 'f')->active = unit(&w, 'g')->active = ACTIVE_ACTIVE;
        for (k = 1; k < 1000; k++) {
                struct graph_job untouched;
                struct transaction t = {.jobs = &untouched, .n_jobs = 77};
                struct diag d = {0};
                long before = n_live;
                n_allocations = 0;
                fail_at = k;
                enum graph_error r =
                        transaction_build(w.g, world_look, &w, 0, REQUEST_START, MODE_REPLACE, true, &t, NULL, &d);
                bool failed = n_allocations >= k;
                fail_at = 0;
                assert_true(r == GRAPH_OK || (failed && r == GRAPH_NOMEM));
                if (r == GRAPH_OK) {
                        assert_int_equal(d.lost > 0, failed);
                        transaction_done(&t);
                } else {
                        assert_ptr_equal(t.jobs, &untouched);
                        assert_int_equal(t.n_jobs, 77);
                }
                diag_done(&d);
                assert_int_equal(n_live, before);
                if (!failed)
                        break;
        }
        assert_in_range(k, 10, 999);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_01_graph_survives_each_failure),
                cmocka_unit_test(test_02_transactions_survive_each_failure),
        };
        return cmocka_run_group_tests_name("graph-memory", tests, NULL, NULL);
}
