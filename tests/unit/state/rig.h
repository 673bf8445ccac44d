/* SPDX-License-Identifier: MIT
 *
 * A state file as the keeper makes it (programs/supd/state-file.c), on a memfd; copies of it; and a model of the log:
 * the list of records that count.
 */
#ifndef SUPD_TESTS_STATE_RIG_H
#define SUPD_TESTS_STATE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "abi/durable-file.h"
#include "state/state.h"

/* A list of records; the latest of a (kind, key) counts, so that two lists compare as sets of latest records. */
struct model {
        struct model_record {
                uint32_t kind, key, size;
                unsigned char data[256];
        } v[512];
        size_t n;
};

int rig_file(void);         /* a new state file; the fd is the caller's */
void rig_file_init(int fd); /* the same in a file that is there; fails the test when it cannot */
int rig_copy(int fd);       /* every byte that was ever written, in a file of its own */
uint64_t rig_commit_word(int fd);
void rig_set_commit_word(int fd, uint64_t word);

void model_put(struct model *m, uint32_t kind, uint32_t key, const void *data, size_t size); /* replaces the same */
bool model_equal(const struct model *a, const struct model *b);                              /* in any order */
int model_replay(const struct state *s, struct model *ret);                                  /* as state_replay() */
/* Opens the file, replays into *ret, closes it. */
int model_of_file(int fd, struct model *ret);

#endif
