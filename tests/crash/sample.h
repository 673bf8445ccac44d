/* SPDX-License-Identifier: MIT
 *
 * What a supd holds at a moment of rest: fds, memory, processes, names in /dev/shm, files of its own. Not here: whether
 * that is too much (sample_grew() compares two of them). Invariant: nothing is read from supd's own word.
 */
#ifndef TESTS_CRASH_SAMPLE_H
#define TESTS_CRASH_SAMPLE_H

#include "rig.h"

struct sample {
        unsigned keeper_fds, manager_fds, launcher_fds;
        unsigned keeper_kb, manager_kb, launcher_kb; /* private memory: what is resident and nobody else's */
        unsigned processes;                          /* below the keeper, without supd-bus */
        unsigned shm, files, mounts, sockets;        /* names of ours in /dev/shm; files below the runtime directory */
};

/* 0, or -ESRCH when a part of supd is just not there. */
int sample_take(const struct rig *r, struct sample *ret);
void sample_print(const char *label, const struct sample *s);
/* What has grown from A to B by more than what a life of that length explains: its name, or NULL. */
const char *sample_grew(const struct sample *a, const struct sample *b);

#endif
