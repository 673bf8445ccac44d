/* SPDX-License-Identifier: MIT
 *
 * The real keeper with a fake manager, for tests: started in a directory of its own, talked to, ended, cleaned up.
 *
 * Invariant: after fixture_done() no process, file or mount of the test is left. Waiting is for a condition, with a
 * bound that only a failure reaches.
 */
#ifndef SUPD_TESTS_KEEPER_HARNESS_H
#define SUPD_TESTS_KEEPER_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "abi/durable.h"
#include "base/util.h"

#ifndef PATIENCE_MS
#define PATIENCE_MS 60000
#endif

struct fixture {
        char dir[64], runtime_dir[96], errors[96]; /* base, runtime dir, what supd said on stderr */
        int listen_fd, manager_fd, state_fd;       /* owned */
        pid_t keeper;                              /* 0 = none */
        void *map;                                 /* the state, NULL until fixture_map() */
        struct durable_header *header;
};

void fixture_new(struct fixture *f);
void fixture_done(struct fixture *f);
/* Starts supd with these words (NULL-terminated list; argv[0] and --runtime-dir are added). */
void keeper_start(struct fixture *f, ...);
void keeper_start_at(struct fixture *f, const char *runtime_dir, ...); /* the same elsewhere; not mapped */
int keeper_wait(struct fixture *f);                                    /* exit status, 128+n for signals */
void manager_accept(struct fixture *f);                                /* the next manager's connection */
void manager_say(struct fixture *f, const char *format, ...) printf_like_(2, 3);
const char *manager_ask(struct fixture *f, const char *format, ...) printf_like_(2, 3); /* valid until the next */
long manager_number(struct fixture *f, const char *format, ...) printf_like_(2, 3);
bool said(struct fixture *f, const char *text); /* on stderr, so far */
uint64_t test_now_ms(void);
int run(const char *const *argv, const char *output); /* any program; output to that file, NULL = inherit; status */

/* Waits until CONDITION holds. */
#define wait_until(condition)                                                                                          \
        do {                                                                                                           \
                uint64_t end_ = test_now_ms() + PATIENCE_MS;                                                           \
                while (!(condition) && test_now_ms() < end_)                                                           \
                        (void)usleep(500);                                                                             \
                assert_true(condition);                                                                                \
        } while (0)

#endif
