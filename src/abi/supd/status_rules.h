/* SPDX-License-Identifier: MIT
 *
 * The rules of the status table that writer and readers share as code: names, checksums, and what an untouched
 * semaphore looks like. Internal, not installed; supd/status.h says the same in words.
 *
 * Not here: anything that opens or waits. Invariant: pure functions of their arguments.
 */
#ifndef SUPD_ABI_STATUS_RULES_H
#define SUPD_ABI_STATUS_RULES_H

#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "supd/status.h"

#define STATUS_NAME_MAX 128 /* "/supd-" + instance (at most 64) + ".lock", with room */
#define STATUS_CHECKED  48u /* first byte of the header that its checksum covers */

/* Object (suffix "") or semaphore (suffix ".lock") name of an instance; false when INSTANCE cannot be part of a name.
 */
static inline bool status_shm_name(const char *instance, const char *suffix, char ret[STATUS_NAME_MAX])
{
        if (strlen(instance) > 64 || strchr(instance, '/') || instance[0] == '.')
                return false;
        (void)snprintf(ret, STATUS_NAME_MAX, "/supd%s%s%s", instance[0] ? "-" : "", instance, suffix);
        return true;
}

/* The object of changes; no instance can be named so that its table would be called the same. */
static inline bool status_changes_name(const char *instance, char ret[STATUS_NAME_MAX])
{
        if (strlen(instance) > 64 || strchr(instance, '/') || instance[0] == '.')
                return false;
        (void)snprintf(ret, STATUS_NAME_MAX, "/supd.changes%s%s", instance[0] ? "-" : "", instance);
        return true;
}

/* N is a multiple of 8. */
static inline uint64_t status_sum(uint64_t h, const void *data, size_t n)
{
        const unsigned char *p = (const unsigned char *)data;

        for (size_t i = 0; i < n; i += 8) {
                uint64_t w;
                memcpy(&w, p + i, sizeof(w));
                h = (h ^ w) * UINT64_C(0x9e3779b97f4a7c15);
                h ^= h >> 32;
        }
        return h;
}

#define STATUS_SUM_START UINT64_C(0xcbf29ce484222325)

static inline uint32_t status_header_sum(const void *header, size_t header_size)
{
        return (uint32_t)status_sum(STATUS_SUM_START, (const char *)header + STATUS_CHECKED,
                                    header_size - STATUS_CHECKED);
}

static inline uint32_t status_row_sum(const void *row, size_t row_size, const void *texts, size_t texts_used)
{
        uint64_t h = status_sum(STATUS_SUM_START, (const char *)row + 8, row_size - 8);
        return (uint32_t)status_sum(h, texts, texts_used);
}

static inline uint32_t status_name_hash(const char *name)
{
        uint32_t h = UINT32_C(2166136261);

        for (; *name; name++)
                h = (h ^ (unsigned char)*name) * UINT32_C(16777619);
        return h ? h : 1;
}

/* Does this semaphore look like one that only sem_wait() and sem_post() have touched? glibc aborts the process when it
 * is made to wake or wait on one that does not. Compared with a pristine one, all but value and number of waiters. */
static inline bool status_sem_sane(const sem_t *s)
{
        sem_t pristine, copy;
        int value;

        memset(&pristine, 0, sizeof(pristine)); /* sem_init() leaves unused words as they are; sem_open() zeroes them */
        (void)sem_init(&pristine, 1, 0);
        memcpy(&copy, s, sizeof(copy));
#if defined(__GLIBC__) && UINTPTR_MAX > 0xffffffffu
        /* value 4 bytes, waiters 4 bytes, private 4 bytes, rest */
        if (memcmp((const char *)&copy + 8, (const char *)&pristine + 8, sizeof(copy) - 8) != 0)
                return false;
#endif
        return sem_getvalue(&copy, &value) == 0 && value >= 0 && value <= 1;
}

#endif
