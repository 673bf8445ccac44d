/* SPDX-License-Identifier: MIT
 *
 * Exits: peek at the dead child, write it down where the manager will find it, only then let the kernel forget it.
 *
 * Not here: what an exit means. Invariant (durable.h): entry, slot.exited, pids[slot] = 0, ring_head, then reap; a slot
 * is in the ring at most once a generation; and an unclaimed pid gets its orphan entry before pids[] is looked through
 * once more.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "keeper.h"

#define REAP_BOUND   256 /* exits per turn */
#define ORPHAN_LOOKS 4   /* at pids[]: each one more takes a slot that was freed under our hands */

/* pids[] is compared 16 entries at a time. Other processes store into it meanwhile: each entry is read whole or not at
 * all by the hardware, and a hit is read again as an atomic. */
typedef uint32_t pids4 __attribute__((vector_size(16)));

static bool block_has(const _Atomic uint32_t *pids, pids4 wanted)
{
        const volatile pids4 *v = (const volatile pids4 *)(const volatile void *)pids;
        pids4 hit =
                (pids4)(v[0] == wanted) | (pids4)(v[1] == wanted) | (pids4)(v[2] == wanted) | (pids4)(v[3] == wanted);

        return (hit[0] | hit[1] | hit[2] | hit[3]) != 0;
}

/* Field 22 of /proc/PID/stat; 0 where it cannot be read. */
static uint64_t start_time_of(uint32_t pid)
{
        cleanup_close_ int fd = -1;
        char text[1024];
        const char *at;
        ssize_t n;

        (void)snprintf(text, sizeof(text), "/proc/%u/stat", pid);
        fd = open(text, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (n <= 0)
                return 0;
        text[n] = '\0';
        at = strrchr(text, ')'); /* the name before it may hold anything */
        for (unsigned field = 2; at && field < 22; field++)
                at = strchr(at + 1, ' ');
        return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* A claim may be older than the process that has its number now: of a daemon that was no child of ours, nobody tells
 * us when it ends. */
static bool slot_means(const struct durable_slot *s, uint32_t pid)
{
        uint64_t claimed = atomic_load(&s->start_time), now = claimed ? start_time_of(pid) : 0;

        return now == 0 || now == claimed;
}

/* Whoever stored its pid itself comes before a claim. */
int reap_find_slot(const struct keeper *k, uint32_t pid)
{
        const _Atomic uint32_t *pids = durable_pids(k->map);
        uint32_t n = MIN2(atomic_load(&k->header->n_slots), DURABLE_MAX_SLOTS);
        pids4 wanted = {pid, pid, pid, pid};
        int claim = -1;

        /* Pages are allocated whole, so reading on to the end of a block of 16 touches nothing else. */
        for (uint32_t i = 0; i < n; i += 16) {
                if (!block_has(pids + i, wanted))
                        continue;
                for (uint32_t j = i; j < i + 16 && j < n; j++) {
                        const struct durable_slot *s = &durable_slots(k->map)[j];
                        if (atomic_load(&pids[j]) != pid)
                                continue;
                        if (atomic_load(&s->launch) != LAUNCH_CLAIMED)
                                return (int)j;
                        if (claim < 0 && slot_means(s, pid))
                                claim = (int)j;
                }
        }
        return claim;
}

void bell_ring(struct keeper *k)
{
        const uint64_t one = 1;

        /* EAGAIN would need 2^64 unread rings. */
        if (k->bell_due && write(k->bell_fd, &one, sizeof(one)) == (ssize_t)sizeof(one))
                k->bell_due = false;
}

/* False: the slot was freed since the pid was found there, and may be another's by now; or its exit was told. */
static bool record_exit(struct keeper *k, uint32_t slot, const siginfo_t *info)
{
        struct durable_header *h = k->header;
        struct durable_slot *s = &durable_slots(k->map)[slot];
        uint32_t head = atomic_load_explicit(&h->ring_head, memory_order_relaxed);
        uint32_t generation = atomic_load(&s->generation), launch = atomic_load(&s->launch);
        uint32_t pid = (uint32_t)info->si_pid;

        if (atomic_load(&durable_pids(k->map)[slot]) != pid)
                return false;
        if (atomic_load(&s->exited) == generation) {
                (void)atomic_compare_exchange_strong(&durable_pids(k->map)[slot], &pid, 0);
                return false;
        }
        durable_ring(k->map)[head % DURABLE_MAX_SLOTS] = (struct durable_exit){
                .slot = slot,
                .generation = generation,
                .pid = pid,
                .code = info->si_code,
                .status = info->si_status,
                .time_us = boottime_us(),
        };
        if (launch != LAUNCH_CLAIMED)
                atomic_store(&s->last_pid, pid); /* it may have died before it could say so itself */
        atomic_store(&s->exited, generation);
        (void)atomic_compare_exchange_strong(&durable_pids(k->map)[slot], &pid, 0);
        atomic_store_explicit(&h->ring_head, head + 1, memory_order_release);
        atomic_fetch_add_explicit(&h->exits_recorded, 1, memory_order_relaxed);
        k->bell_due = true;
        return true;
}

static struct durable_orphan *record_orphan(struct keeper *k, const siginfo_t *info)
{
        uint32_t n = atomic_load(&k->header->n_orphans);
        struct durable_orphan *o = &durable_orphans(k->map)[n % DURABLE_MAX_ORPHANS];

        atomic_store(&o->pid, 0);
        o->code = info->si_code;
        o->status = info->si_status;
        o->time_us = boottime_us();
        atomic_store(&o->pid, (uint32_t)info->si_pid);
        atomic_store(&k->header->n_orphans, n + 1);
        return o;
}

/* A child that nobody had claimed when it was looked up. */
static void take_orphan(struct keeper *k, const siginfo_t *info)
{
        uint32_t pid = (uint32_t)info->si_pid;
        struct durable_orphan *o = record_orphan(k, info);

        atomic_thread_fence(memory_order_seq_cst);
        for (unsigned i = 0; i < ORPHAN_LOOKS; i++) {
                int slot = reap_find_slot(k, pid);
                if (slot < 0)
                        break;
                if (!record_exit(k, (uint32_t)slot, info))
                        continue;
                (void)atomic_compare_exchange_strong(&o->pid, &pid, 0);
                return;
        }
        atomic_fetch_add_explicit(&k->header->orphans_reaped, 1, memory_order_relaxed);
}

/* Writes one exit down and reaps it. Negative: the ring has no memory for it now, the child stays a zombie. AT_ONCE:
 * the manager is called before the reap, which takes a while; in a batch that would wake it for each exit. */
static int take_exit(struct keeper *k, const siginfo_t *info, bool at_once)
{
        siginfo_t gone;
        int slot;

        if (info->si_pid == k->manager.pid) {
                manager_died(k, info->si_code, info->si_status);
        } else if (info->si_pid == k->reexec.pid) {
                reexec_checked(k, info->si_code, info->si_status);
        } else {
                int r = ring_reserve(k);
                if (r < 0)
                        return r;
                slot = reap_find_slot(k, (uint32_t)info->si_pid);
                if (slot < 0 || !record_exit(k, (uint32_t)slot, info))
                        take_orphan(k, info);
                if (at_once)
                        bell_ring(k);
        }
        (void)waitid(P_PID, (id_t)info->si_pid, &gone, WEXITED | WNOHANG);
        return 0;
}

/* 1 = taken, 0 = nobody is dead, negative errno */
static int peek_and_take(struct keeper *k, idtype_t type, id_t id, bool at_once)
{
        siginfo_t info = {0};
        int r;

        if (waitid(type, id, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid <= 0)
                return 0;
        r = take_exit(k, &info, at_once);
        return r < 0 ? r : 1;
}

void reap_pid(struct keeper *k, pid_t pid)
{
        if (pid > 0)
                (void)peek_and_take(k, P_PID, (id_t)pid, true);
        bell_ring(k);
}

void reap_batch(struct keeper *k)
{
        int r = 1;

        k->reap_more = false;
        for (unsigned i = 0; i < REAP_BOUND && r > 0; i++)
                r = peek_and_take(k, P_ALL, 0, false);
        k->reap_more = r > 0;
        bell_ring(k);
}
