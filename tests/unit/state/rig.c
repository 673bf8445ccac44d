/* SPDX-License-Identifier: MIT
 *
 * See rig.h. Invariant: a file of this rig holds what a fresh state of the keeper holds, and nothing else.
 */
#include "rig.h"

#include <sys/mman.h>
#include <sys/stat.h>

void rig_file_init(int fd)
{
        struct durable_header h = {.major = DURABLE_MAJOR,
                                   .minor = DURABLE_MINOR,
                                   .header_size = sizeof(h),
                                   .slot_size = sizeof(struct durable_slot),
                                   .boot_id = {1, 2, 3},
                                   .n_slots = DURABLE_FIRST_SLOTS,
                                   .keeper_pid = 1};

        memcpy(h.magic, DURABLE_MAGIC, sizeof(h.magic));
        assert_int_equal(ftruncate(fd, (off_t)DURABLE_FILE_SIZE), 0);
        assert_int_equal(durable_allocate(fd, 0, DURABLE_FDS), 0);
        assert_int_equal(durable_allocate(fd, DURABLE_RING, 512 * sizeof(struct durable_exit)), 0);
        assert_int_equal(durable_allocate_slots(fd, 0, DURABLE_FIRST_SLOTS), 0);
        assert_int_equal(pwrite(fd, &h, sizeof(h), 0), sizeof(h));
}

int rig_file(void)
{
        int fd = memfd_create("state", MFD_CLOEXEC);

        assert_true(fd >= 0);
        rig_file_init(fd);
        return fd;
}

int rig_copy(int fd)
{
        int to = memfd_create("copy", MFD_CLOEXEC);
        static char page[65536];

        assert_true(to >= 0);
        assert_int_equal(ftruncate(to, (off_t)DURABLE_FILE_SIZE), 0);
        for (off_t at = lseek(fd, 0, SEEK_DATA); at >= 0; at = lseek(fd, at, SEEK_DATA)) {
                off_t end = lseek(fd, at, SEEK_HOLE);
                while (at < end) {
                        ssize_t n = pread(fd, page, (size_t)MIN2(end - at, (off_t)sizeof(page)), at);
                        assert_true(n > 0);
                        assert_int_equal(pwrite(to, page, (size_t)n, at), n);
                        at += n;
                }
        }
        return to;
}

uint64_t rig_commit_word(int fd)
{
        uint64_t w;

        assert_int_equal(pread(fd, &w, sizeof(w), offsetof(struct durable_header, commit)), sizeof(w));
        return w;
}

void rig_set_commit_word(int fd, uint64_t word)
{
        assert_int_equal(pwrite(fd, &word, sizeof(word), offsetof(struct durable_header, commit)), sizeof(word));
}

/* ---- the model ---- */

static const struct model_record *model_find(const struct model *m, uint32_t kind, uint32_t key)
{
        for (size_t i = 0; i < m->n; i++)
                if (m->v[i].kind == kind && m->v[i].key == key)
                        return &m->v[i];
        return NULL;
}

void model_put(struct model *m, uint32_t kind, uint32_t key, const void *data, size_t size)
{
        struct model_record *r = (struct model_record *)(uintptr_t)model_find(m, kind, key);

        if (!r) {
                assert_true(m->n < ARRAY_SIZE(m->v));
                r = &m->v[m->n++];
        }
        assert_true(size <= sizeof(r->data));
        *r = (struct model_record){.kind = kind, .key = key, .size = (uint32_t)size};
        if (size > 0)
                memcpy(r->data, data, size);
}

bool model_equal(const struct model *a, const struct model *b)
{
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++) {
                const struct model_record *r = model_find(b, a->v[i].kind, a->v[i].key);
                if (!r || r->size != a->v[i].size || memcmp(r->data, a->v[i].data, r->size) != 0)
                        return false;
        }
        return true;
}

static int take(void *userdata, const struct record *r, const void *data)
{
        struct model *m = userdata;

        if (r->size > sizeof(m->v[0].data))
                return -E2BIG;
        model_put(m, r->kind, r->key, data, r->size);
        return 0;
}

int model_replay(const struct state *s, struct model *ret)
{
        ret->n = 0;
        return state_replay(s, take, ret);
}

int model_of_file(int fd, struct model *ret)
{
        struct state *s;
        int r = state_open(fd, &s);

        if (r < 0)
                return r;
        r = model_replay(s, ret);
        state_close(s);
        return r;
}
