/* SPDX-License-Identifier: MIT
 *
 * Looking at shared memory. Not here: locks; a look is a look. Invariant: as in phase.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>

#include "phase.h"
#include "supd/status.h"

#define TABLE_PAGE 4096u

static const char *const phase_names[N_PHASES] = {
        [PHASE_RUNNING] = "running",       [PHASE_BEFORE_EXEC] = "before exec", [PHASE_UNRECORDED] = "exit unrecorded",
        [PHASE_PUBLISHING] = "publishing", [PHASE_RELOAD] = "reload",
};

const char *phase_name(enum phase p)
{
        return phase_names[p];
}

void phase_view_update(struct phase_view *v, const struct rig *r)
{
        char path[160];
        v->state = r->state;
        if (v->table)
                return;
        if (geteuid() == 0)
                (void)snprintf(path, sizeof(path), "/dev/shm/supd-%s", r->name);
        else
                (void)snprintf(path, sizeof(path), "/dev/shm/supd-user-%u-%s", (unsigned)geteuid(), r->name);
        cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || lseek(fd, 0, SEEK_END) < (off_t)TABLE_PAGE)
                return;
        void *p = mmap(NULL, TABLE_PAGE, PROT_READ, MAP_SHARED, fd, 0);
        v->table = p == MAP_FAILED ? NULL : p;
}

void phase_view_done(struct phase_view *v)
{
        if (v->table)
                (void)munmap((void *)(uintptr_t)v->table, TABLE_PAGE);
        v->table = NULL;
}

static bool before_exec(const struct phase_view *v)
{
        struct durable_slot *slots = durable_slots(v->state);
        uint32_t n = atomic_load(&durable_header_of(v->state)->n_slots);
        for (uint32_t i = 0; i < n; i++)
                if (atomic_load_explicit(&slots[i].launch, memory_order_relaxed) == LAUNCH_INTENT)
                        return true;
        return false;
}

static bool unrecorded(const struct phase_view *v)
{
        struct durable_header *h = durable_header_of(v->state);
        return atomic_load(&h->ring_head) != atomic_load(&h->ring_tail);
}

static bool publishing(const struct phase_view *v)
{
        const struct supd_status_header *h = v->table;
        return h && (__atomic_load_n(&h->sequence, __ATOMIC_ACQUIRE) & 1) != 0;
}

static bool reloading(const struct phase_view *v)
{
        return atomic_load(v->reloads) > 0;
}

bool phase_holds(const struct phase_view *v, enum phase p)
{
        static bool (*const looks[N_PHASES])(const struct phase_view *) = {
                [PHASE_BEFORE_EXEC] = before_exec,
                [PHASE_UNRECORDED] = unrecorded,
                [PHASE_PUBLISHING] = publishing,
                [PHASE_RELOAD] = reloading,
        };
        if (looks[p])
                return looks[p](v);
        for (enum phase q = PHASE_RUNNING + 1; q < N_PHASES; q++)
                if (looks[q](v))
                        return false;
        return true;
}
