/* SPDX-License-Identifier: MIT
 * What a thousand units cost: memory (asserted) and time (told, not asserted).
 */
#include "unit-test.h"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>

enum { N_UNITS = 1000 };

static const char simple[] = "[Unit]\nDescription=Simple service %i\nAfter=network.target\n"
                             "[Service]\nExecStart=/usr/bin/sleep infinity\nRestart=always\nUser=daemon\n"
                             "[Install]\nWantedBy=multi-user.target\n";

static double now_ms(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void make_blob(struct buf *b, const char *name, const char *text, size_t size)
{
        assert_int_equal(blob_begin(b), 0);
        assert_int_equal(blob_put(b, BLOB_ID, name, strlen(name), "", 0), 0);
        assert_int_equal(blob_put(b, BLOB_FRAGMENT, "/etc/systemd/system/simple@.service", 35, text, size), 0);
}

static void a_thousand_simple_services(void **state unused_)
{
        static struct unit *units[N_UNITS];
        size_t bytes = 0;
        double begin;
        unsigned n = 0;

        begin = now_ms();
        for (unsigned i = 0; i < N_UNITS; i++) {
                cleanup_buf_ struct buf b = {0};
                char name[64];

                (void)snprintf(name, sizeof(name), "simple@%u.service", i);
                make_blob(&b, name, simple, strlen(simple));
                assert_int_equal(unit_parse(b.data, b.size, NULL, &units[i], NULL), 0);
        }
        print_message("%.1f ms for %u units\n", now_ms() - begin, N_UNITS);
        for (unsigned i = 0; i < N_UNITS; i++) {
                bytes += malloc_usable_size((void *)units[i]->arena.chunks);
                n += units[i]->load_state == LOAD_LOADED;
                unit_free(units[i]);
        }
        print_message("%zu bytes per unit (struct unit %zu, its service part %zu)\n", bytes / N_UNITS,
                      sizeof(struct unit), sizeof(struct service_config));
        assert_int_equal(n, N_UNITS);
        assert_true(bytes / N_UNITS < 1800);
}

/* Units that leave them alone have their dependencies, exec and kill settings in common; one that does not has its own.
 */
static void defaults_are_shared(void **state unused_)
{
        static const char plain[] = "[Service]\nExecStart=/bin/a\nRestart=always\n";
        cleanup_unit_ struct unit *a = unit_of("a.service", plain, NULL), *b = unit_of("b.service", plain, NULL);
        cleanup_unit_ struct unit *own = unit_of("c.service",
                                                 "[Unit]\nAfter=b.service\n[Service]\nExecStart=/bin/a\n"
                                                 "Nice=1\nKillMode=mixed\n",
                                                 NULL);
        cleanup_unit_ struct unit *reset = unit_of("d.service",
                                                   "[Service]\nExecStart=/bin/a\nEnvironment=A=1\nLimitNOFILE=9\n"
                                                   "Environment=\nUMask=0022\nKillSignal=SIGTERM\n",
                                                   NULL);
        size_t bytes = malloc_usable_size((void *)a->arena.chunks);

        print_message("%zu bytes for a service that says nothing else\n", bytes);
        assert_true(bytes < 1000);
        assert_ptr_equal(a->dependencies, b->dependencies);
        assert_ptr_equal(a->service->exec, b->service->exec);
        assert_ptr_equal(a->service->kill, b->service->kill);
        assert_ptr_not_equal(own->dependencies, a->dependencies);
        assert_ptr_not_equal(own->service->exec, a->service->exec);
        assert_ptr_not_equal(own->service->kill, a->service->kill);
        assert_int_equal(own->service->exec->nice, 1);
        assert_ptr_equal(own->service->exec->limits, a->service->exec->limits);
        assert_ptr_equal(reset->service->kill, a->service->kill);
        assert_ptr_not_equal(reset->service->exec, a->service->exec);
        assert_int_equal(reset->service->exec->environment.n, 0);
        assert_true(reset->service->exec->limits[RLIMIT_NOFILE].set);
}

static void a_target_costs_less(void **state unused_)
{
        cleanup_unit_ struct unit *u = unit_of("a.target", "[Unit]\nDescription=Small\n", NULL);
        size_t bytes = malloc_usable_size((void *)u->arena.chunks);

        print_message("%zu bytes for a target\n", bytes);
        assert_true(bytes < 1024);
}

/* Long lists and many mistakes end, and are told in bounds. */
static void big_files(void **state unused_)
{
        static const struct {
                const char *line;
                unsigned n;
        } cases[] = {{"After=u%u.service\n", 30000},
                     {"Aftr=u%u\n", 60000},
                     {"Wants=self.service u%u.target\nBefore=u%u.service\n", 15000},
                     {"CPUAffinity=%u\n", 30000},
                     {"StandardInputText=%u\n", 30000},
                     {"Nice=a%u\n", 30000}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_buf_ struct buf text = {0}, blob = {0};
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = NULL;

                assert_int_equal(buf_append_str(&text, i < 3 ? "[Unit]\n" : "[Service]\nExecStart=/bin/a\n"), 0);
                for (unsigned j = 0; j < cases[i].n; j++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                        assert_int_equal(buf_printf(&text, cases[i].line, j, j), 0);
#pragma GCC diagnostic pop
                }
                make_blob(&blob, i < 3 ? "a.target" : "a.service", text.data, text.size);
                assert_int_equal(unit_parse(blob.data, blob.size, NULL, &u, &d), 0);
                assert_true(d.n_entries < 1000);
                assert_int_equal(u->load_state, LOAD_LOADED);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_target_costs_less),
                cmocka_unit_test(defaults_are_shared),
                cmocka_unit_test(a_thousand_simple_services),
                cmocka_unit_test(big_files),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
