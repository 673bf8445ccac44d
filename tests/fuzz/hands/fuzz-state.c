/* SPDX-License-Identifier: MIT
 *
 * The durable state as a manager may find it: header, slots, ring and log hold any bytes. Reading it stays inside, says
 * the same twice, and what is written behind it is read back.
 *
 * Input: 16 bytes for header fields, then the log.
 */
#include <string.h>
#include <sys/mman.h>

#include "abi/durable-file.h"
#include "fresh-state.h"
#include "fuzz.h"
#include "state/state.h"

struct sum {
        uint64_t n, bytes;
};

static int each(void *userdata, const struct record *r, const void *data)
{
        struct sum *s = userdata;
        const unsigned char *p = data;

        s->n++;
        for (uint32_t i = 0; i < r->size; i++)
                s->bytes = s->bytes * 31 + p[i];
        return 0;
}

static int count_marked(void *userdata, const struct record *r, const void *data)
{
        if (r->kind == RECORD_NAME && r->key == 0xffffff && r->size == 8 && memcmp(data, "fuzzing", 8) == 0)
                *(bool *)userdata = true;
        return 0;
}

/* What a manager does behind its replay. */
static void go_on(struct state *s)
{
        static const uint8_t invocation[16];
        uint32_t slot, generation;
        struct durable_exit x;
        bool there = false;

        for (uint32_t i = 0; i < 64 && state_exit_peek(s, i, &x); i++)
                (void)x;
        if (state_slot_alloc(s, 1, 2, invocation, &slot, &generation) == 0) {
                CLAIM(generation != 0 && state_slot_pid(s, slot) == 0);
                state_slot_free(s, slot);
        }
        if (state_put(s, RECORD_NAME, 0xffffff, "fuzzing", 8) < 0 || state_commit(s) < 0)
                return;
        if (state_replay(s, count_marked, &there) == 0)
                CLAIM(there);
        there = false;
        if (state_compact_begin(s) == 0 && state_put(s, RECORD_NAME, 0xffffff, "fuzzing", 8) == 0 &&
            state_commit(s) == 0) {
                CLAIM(state_replay(s, count_marked, &there) == 0);
                CLAIM(there);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct sum first = {0}, second = {0};
        struct durable_header *h;
        struct state *s = NULL;
        uint64_t words[2] = {0};
        size_t n = MIN2(size, sizeof(words));
        int fd = fresh_state(), r;
        uint64_t log;

        memcpy(words, data, n);
        log = words[0] >> 63 ? DURABLE_LOG_B : DURABLE_LOG_A;
        CLAIM(durable_allocate(fd, log, 65536) == 0);
        CLAIM(pwrite(fd, data + n, size - n, (off_t)log) == (ssize_t)(size - n));
        r = state_open(fd, &s);
        if (r == 0) {
                h = state_header(s);
                /* bit 62: an honest length */
                atomic_store(&h->commit, words[0] & (UINT64_C(1) << 62)
                                                 ? (words[0] & (UINT64_C(1) << 63)) | ((size - n) & ~UINT64_C(7))
                                                 : words[0] & ((UINT64_C(1) << 63) | 0xffff));
                atomic_store(&h->ring_head, (uint32_t)words[1] & 0x3f);
                atomic_store(&h->ring_tail, (uint32_t)(words[1] >> 32) & 0x3f);
                state_close(s);
                s = NULL;
                r = state_open(fd, &s);
        }
        if (r == 0) {
                r = state_replay(s, each, &first);
                CLAIM(state_replay(s, each, &second) == r && first.n == second.n && first.bytes == second.bytes);
                if (r == 0)
                        go_on(s);
                state_close(s);
        }
        (void)close(fd);
        return 0;
}
