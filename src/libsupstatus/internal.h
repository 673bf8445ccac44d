/* SPDX-License-Identifier: MIT
 *
 * The insides of libsupstatus, shared by its files and by its tests.
 *
 * Invariant: the object is only ever read with pread(), so nothing that is done to it can raise a signal here; only the
 * semaphore is mapped, and only touched inside reader_lock.c.
 */
#ifndef SUPD_LIBSUPSTATUS_INTERNAL_H
#define SUPD_LIBSUPSTATUS_INTERNAL_H

#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "supd/status_rules.h"
#include "supd/supstatus.h"

struct reader_lock {
        char name[STATUS_NAME_MAX];
        sem_t *sem;          /* owned; NULL = not open */
        uint32_t generation; /* of the header when it was opened */
        bool held;
        sigset_t mask; /* of before; while held */
};

struct supstatus {
        char name[STATUS_NAME_MAX];
        char instance[72];
        int fd; /* owned */
        struct reader_lock lock;
};

struct supstatus_snapshot {
        struct supd_status_header header;
        unsigned char *data; /* owned: hashes, rows and texts as they lie in the object, or one row and its texts */
        size_t data_allocated;
        const unsigned char *rows; /* into data or converted */
        size_t row_stride;
        const unsigned char *texts; /* into data */
        uint64_t texts_size;
        uint32_t *used; /* owned: numbers of the rows in use */
        uint32_t n_used, used_allocated;
        unsigned char *converted; /* owned: rows of a writer whose rows are shorter than ours */
        size_t converted_allocated;
        unsigned condition;
        uint32_t lost;
};

/* Sees to it that the semaphore is the one of GENERATION, and takes it if it is free. true: held. */
bool reader_lock_try(struct reader_lock *l, uint32_t generation, uint32_t owner);
bool reader_lock_wait(struct reader_lock *l, unsigned timeout_ms);
void reader_lock_release(struct reader_lock *l);
void reader_lock_close(struct reader_lock *l);

/* The object NAME of INSTANCE, when its owner may be believed: its fd, or negative errno. */
int table_object_open(const char *name, const char *instance);
int table_open(struct supstatus *s); /* (re)opens the object under the name; 0, -ENOENT, -EPERM, … */

/* One sleep on the word AT bytes into MAP, unless it is no longer VALUE; at most US. 0, -ENOENT when the object has
 * lost its name or was cut, -errno. */
int supstatus_futex_wait(int fd, const void *map, size_t at, uint32_t value, uint64_t us);

/* For tests alone (the shared library does not export it): accept what was read whatever the sequence says. */
extern bool supstatus_hook_ignore_sequence;
/* For tests alone: called between two halves of a copy, so that a test can make the writer write there. */
extern void (*supstatus_hook_amid)(void *userdata);
extern void *supstatus_hook_userdata;

#endif
