/* SPDX-License-Identifier: MIT
 *
 * What has happened to units, beside the status table: a shared-memory object in which supd writes every change of a
 * unit's state (a ring), and the last activations of each unit that are over (its past). This header is the public
 * binary contract; it is installed, and holds for C11 and C++11. Most programs want supd/supstatus.h instead.
 *
 *     offset            what
 *     0                 struct supd_changes_header
 *     changes_offset    n_changes records of change_size bytes: change number N lies at N % n_changes
 *     past_offset       for unit U (supd_status_row.number) n_past records of past_size bytes from
 *                       past_offset + U * n_past * past_size: activation number N lies at N % n_past
 *
 * Name. "/supd.changes", of instance NAME "/supd.changes-NAME" (user mode: as the table has it). Look at its owner
 * first.
 *
 * What is one change. A unit's state may take several steps within one commit of supd: they are told as one change,
 * from the first to the last, but each step of active_state is one of its own.
 *
 * Which count. Changes with a number below `head`, and of each unit the activations with a number below its row's
 * past_end. What lies behind is being written, or was when a manager died; it is written again under the same number.
 * A record counts when its checksum fits and it holds the number that was looked for; otherwise it has been
 * overwritten: a reader that is behind by more than n_changes has lost those between. Use pread(), which cannot raise
 * SIGBUS.
 *
 * Waiting. Behind each store of `head` the writer wakes whoever sleeps in FUTEX_WAIT (not private) on its low 32 bits;
 * a mapping that can only be read will do. Sleep with a bound, since the object may be replaced; `over` says that it
 * was, or that supd has ended.
 *
 * Numbers. A change has one number for good: a manager that dies loses none and writes none twice. Another `id` means
 * another supd, whose numbers have nothing to do with those before. Room: bounded; a unit takes n_past * past_size
 * bytes once an activation of it has ended, none before.
 *
 * Times are microseconds; 0 = never. Checksums as in supd/status.h, over a record from offset 8. Numbers and offsets
 * are never reused; records may grow at their end.
 */
#ifndef SUPD_CHANGES_H
#define SUPD_CHANGES_H

#include "supd/status.h"

#define SUPD_CHANGES_MAGIC   "SUPDCHG1" /* 8 bytes, no NUL */
#define SUPD_CHANGES_MAJOR   1u
#define SUPD_CHANGES_N       2048u
#define SUPD_CHANGES_N_PAST  10u
#define SUPD_CHANGE_NAME_MAX 71u /* longer names are cut in a record; the table's row `unit` has them whole */

struct supd_changes_header {
        char magic[8];
        uint32_t major;
        uint32_t minor;
        uint32_t header_size;
        uint32_t over; /* 1: nothing comes any more; the name may lead to another object */
        uint64_t id;   /* of this supd's state */
        uint64_t head; /* changes so far */
        uint32_t n_changes;
        uint32_t change_size;
        uint64_t changes_offset;
        uint32_t n_past;
        uint32_t past_size;
        uint64_t past_offset;
        uint64_t n_unwritten; /* records for which there was no memory */
        uint8_t reserved[48];
};

struct supd_change {
        uint32_t checksum;
        uint32_t unit; /* supd_status_row.number */
        uint64_t number;
        uint64_t real_us;
        uint64_t mono_us;
        uint8_t from_active; /* SUPD_ACTIVE_* */
        uint8_t from_sub;    /* SUPD_SUB_* */
        uint8_t active;
        uint8_t sub;
        uint8_t result;    /* SUPD_RESULT_* */
        uint8_t exit_code; /* of the main process of this activation, when it has ended: CLD_*, else 0 */
        uint8_t cause;     /* SUPD_CAUSE_*: of the start while it goes up, of the end while it goes down */
        uint8_t name_size;
        int32_t exit_status;
        uint32_t main_pid;
        uint32_t by;     /* SUPD_CAUSE_*: who */
        uint32_t by_pid; /* of a client */
        char name[SUPD_CHANGE_NAME_MAX + 1];
};

/* An activation that is over: from where a start began to where nothing of it was left. */
struct supd_past {
        uint32_t checksum;
        uint32_t unit;
        uint64_t number;
        uint64_t begin_real_us;
        uint64_t up_real_us; /* 0: it never was up */
        uint64_t end_real_us;
        uint64_t span_us; /* from begin to end by a clock that is not set */
        uint32_t main_pid;
        int32_t exit_status;
        uint8_t exit_code; /* CLD_*; 0: not known, or there was no main process */
        uint8_t result;    /* SUPD_RESULT_* */
        uint8_t start_cause;
        uint8_t stop_cause;
        uint32_t start_by;
        uint32_t start_by_pid;
        uint32_t stop_by;
        uint32_t stop_by_pid;
        uint8_t restarts; /* 1: it was followed by an automatic restart */
        uint8_t reserved[19];
};

#define SUPD_CHANGES_AT(f, o) SUPD_STATUS_ASSERT(struct supd_changes_header, f, o)
#define SUPD_CHANGE_AT(f, o)  SUPD_STATUS_ASSERT(struct supd_change, f, o)
#define SUPD_PAST_AT(f, o)    SUPD_STATUS_ASSERT(struct supd_past, f, o)

SUPD_CHANGES_AT(magic, 0);
SUPD_CHANGES_AT(major, 8);
SUPD_CHANGES_AT(minor, 12);
SUPD_CHANGES_AT(header_size, 16);
SUPD_CHANGES_AT(over, 20);
SUPD_CHANGES_AT(id, 24);
SUPD_CHANGES_AT(head, 32);
SUPD_CHANGES_AT(n_changes, 40);
SUPD_CHANGES_AT(change_size, 44);
SUPD_CHANGES_AT(changes_offset, 48);
SUPD_CHANGES_AT(n_past, 56);
SUPD_CHANGES_AT(past_size, 60);
SUPD_CHANGES_AT(past_offset, 64);
SUPD_CHANGES_AT(n_unwritten, 72);
SUPD_CHANGES_AT(reserved, 80);

SUPD_CHANGE_AT(checksum, 0);
SUPD_CHANGE_AT(unit, 4);
SUPD_CHANGE_AT(number, 8);
SUPD_CHANGE_AT(real_us, 16);
SUPD_CHANGE_AT(mono_us, 24);
SUPD_CHANGE_AT(from_active, 32);
SUPD_CHANGE_AT(from_sub, 33);
SUPD_CHANGE_AT(active, 34);
SUPD_CHANGE_AT(sub, 35);
SUPD_CHANGE_AT(result, 36);
SUPD_CHANGE_AT(exit_code, 37);
SUPD_CHANGE_AT(cause, 38);
SUPD_CHANGE_AT(name_size, 39);
SUPD_CHANGE_AT(exit_status, 40);
SUPD_CHANGE_AT(main_pid, 44);
SUPD_CHANGE_AT(by, 48);
SUPD_CHANGE_AT(by_pid, 52);
SUPD_CHANGE_AT(name, 56);

SUPD_PAST_AT(checksum, 0);
SUPD_PAST_AT(unit, 4);
SUPD_PAST_AT(number, 8);
SUPD_PAST_AT(begin_real_us, 16);
SUPD_PAST_AT(up_real_us, 24);
SUPD_PAST_AT(end_real_us, 32);
SUPD_PAST_AT(span_us, 40);
SUPD_PAST_AT(main_pid, 48);
SUPD_PAST_AT(exit_status, 52);
SUPD_PAST_AT(exit_code, 56);
SUPD_PAST_AT(result, 57);
SUPD_PAST_AT(start_cause, 58);
SUPD_PAST_AT(stop_cause, 59);
SUPD_PAST_AT(start_by, 60);
SUPD_PAST_AT(start_by_pid, 64);
SUPD_PAST_AT(stop_by, 68);
SUPD_PAST_AT(stop_by_pid, 72);
SUPD_PAST_AT(restarts, 76);
SUPD_PAST_AT(reserved, 77);
#ifdef __cplusplus
static_assert(sizeof(struct supd_changes_header) == 128, "header size");
static_assert(sizeof(struct supd_change) == 128, "change size");
static_assert(sizeof(struct supd_past) == 96, "past size");
#else
_Static_assert(sizeof(struct supd_changes_header) == 128, "header size");
_Static_assert(sizeof(struct supd_change) == 128, "change size");
_Static_assert(sizeof(struct supd_past) == 96, "past size");
#endif

#endif
