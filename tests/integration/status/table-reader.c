/* SPDX-License-Identifier: MIT
 *
 * A reader of status tables for tests: the real library, driven by its command line.
 *
 *     table-reader INSTANCE hold                 takes the semaphore, prints "held", waits for end of input
 *     table-reader INSTANCE read COUNT FLAGS     COUNT snapshots; prints what was torn, mixed, in pieces, and the
 * longest one table-reader INSTANCE state                one snapshot: rows, condition, writer
 *
 * FLAGS is a word of letters: n = never touch the semaphore, i = ignore the sequence (test hook), y = let others run in
 * the middle of each copy. "torn" counts rows with a wrong checksum, "mixed" snapshots whose rows are of different
 * publishes.
 *
 * Invariant: one process is one reader; exit status 1 only when the table could not be read at all.
 */
#include <inttypes.h>
#include <sched.h>
#include <time.h>

#include "base/util.h"
#include "libsupstatus/internal.h"

static uint64_t clock_us(void)
{
        struct timespec ts;

        (void)clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * USEC_PER_SEC + (uint64_t)ts.tv_nsec / 1000u;
}

static void yield_amid(void *userdata unused_)
{
        (void)sched_yield();
}

/* The writer gives the same step to every row it changes in one publish. */
static bool is_mixed(const struct supstatus_snapshot *snap)
{
        uint32_t n = MIN2(supstatus_count(snap), 64u);
        char text[32];

        for (uint32_t i = 0; i < n; i++) {
                uint64_t step = supstatus_row(snap, i)->watchdog_mono_us;

                (void)snprintf(text, sizeof(text), "step %020" PRIu64, step);
                if (step != supstatus_row(snap, 0)->watchdog_mono_us ||
                    (step > 0 && !streq(supstatus_text(snap, i, SUPD_TEXT_SOURCE_PATH), text)))
                        return true;
        }
        return false;
}

static int read_many(struct supstatus *s, unsigned long count, const char *letters)
{
        unsigned flags = SUPSTATUS_VERIFY | (strchr(letters, 'n') ? SUPSTATUS_NO_LOCK : 0);
        uint64_t torn = 0, mixed = 0, pieces = 0, unlocked = 0, rows = 0, longest = 0, failed = 0;
        struct supstatus_snapshot *snap = NULL;

        supstatus_hook_ignore_sequence = strchr(letters, 'i') != NULL;
        supstatus_hook_amid = strchr(letters, 'y') ? yield_amid : NULL;
        for (unsigned long i = 0; i < count; i++) {
                uint64_t from = clock_us(), took;

                if (supstatus_snapshot(s, flags, &snap) < 0) {
                        failed++;
                        continue;
                }
                took = clock_us() - from;
                longest = MAX2(longest, took);
                rows += supstatus_count(snap);
                if (supstatus_condition(snap) & SUPSTATUS_PIECES) {
                        pieces++; /* says of itself that rows are missing */
                        continue;
                }
                torn += supstatus_lost(snap);
                mixed += is_mixed(snap);
                unlocked += (supstatus_condition(snap) & SUPSTATUS_UNLOCKED) != 0;
        }
        supstatus_free(snap);
        printf("snapshots %lu rows %" PRIu64 " torn %" PRIu64 " mixed %" PRIu64 " pieces %" PRIu64 " unlocked %" PRIu64
               " failed %" PRIu64 " longest_us %" PRIu64 "\n",
               count, rows, torn, mixed, pieces, unlocked, failed, longest);
        return failed == count;
}

static int hold(struct supstatus *s)
{
        struct supstatus_snapshot *snap = NULL;
        const struct supd_status_header *h;
        bool held = false;

        if (supstatus_snapshot(s, 0, &snap) < 0)
                return 1;
        h = supstatus_header(snap);
        for (unsigned i = 0; i < 1000 && !held; i++)
                held = reader_lock_try(&s->lock, h->generation, h->owner_uid) || reader_lock_wait(&s->lock, 100);
        puts(held ? "held" : "not held");
        (void)fflush(stdout);
        while (held && getchar() != EOF)
                continue;
        reader_lock_release(&s->lock);
        supstatus_free(snap);
        return !held;
}

static int state(struct supstatus *s)
{
        struct supstatus_snapshot *snap = NULL;
        int r = supstatus_snapshot(s, SUPSTATUS_VERIFY, &snap);

        if (r == 0)
                printf("rows %u lost %u condition %u writer %d publishes %" PRIu64 " flags %u\n", supstatus_count(snap),
                       supstatus_lost(snap), supstatus_condition(snap), supstatus_writer(s, snap),
                       supstatus_header(snap)->n_publishes, supstatus_header(snap)->flags);
        else
                printf("error %s\n", strerror(-r));
        supstatus_free(snap);
        return r < 0;
}

int main(int argc, char **argv)
{
        struct supstatus *s;
        int r;

        if (argc < 3)
                return 2;
        r = supstatus_open(argv[1], &s);
        if (r < 0) {
                printf("error %s\n", strerror(-r));
                return 1;
        }
        if (streq(argv[2], "hold"))
                r = hold(s);
        else if (streq(argv[2], "read") && argc == 5)
                r = read_many(s, strtoul(argv[3], NULL, 10), argv[4]);
        else
                r = state(s);
        supstatus_close(s);
        return r;
}
