/* SPDX-License-Identifier: MIT
 *
 * The status table: a POSIX shared-memory object in which supd says what every unit is doing, for anyone to read
 * without asking. This header is the public binary contract; it is installed, and holds for C11 and C++11. Most
 * programs want the client library (supd/supstatus.h) instead of the bytes.
 *
 *     offset           what
 *     0                struct supd_status_header
 *     hashes_offset    uint32_t[rows_allocated]   name hash of row i, 0 = row not used
 *     rows_offset      rows_allocated rows, row_size bytes each (struct supd_status_row, perhaps longer or shorter)
 *     texts_offset     texts_size bytes: the text area
 *
 * Names. Object "/supd" (instance NAME: "/supd-NAME", user mode: "/supd-user-UID" or "/supd-user-UID-NAME"); semaphore:
 * the object's name and ".lock". Before you believe an object, look at its owner: anyone may squat a name.
 *
 * Texts. A row carries no text. Its texts lie one behind the other, each followed by one NUL, in the order of their
 * SUPD_TEXT_* numbers, at texts_offset + row.texts_at; text_len[i] is a length without the NUL, and a text of length 0
 * takes no byte at all. row.texts_used is the sum, rounded up to 8 with NULs; row.texts_room what is set aside. A unit
 * name (at most 255 bytes) is never cut; other texts are cut at SUPD_TEXT_MAX bytes, and then the row says
 * SUPD_ROW_TEXT_CUT. So a short row costs little, and a long name needs no rule of its own.
 *
 * Consistency. `sequence` is odd while the writer writes. Read it (acquire), copy, fence (acquire), read it again: the
 * copy counts when both are the same even number. Holding the semaphore keeps the writer away for some milliseconds, no
 * more; it never replaces the comparison. Never wait for the semaphore without a bound: its holder may be stopped or
 * dead. The object may grow and be laid out anew: every offset must be taken from the same snapshot, and object_size
 * may have passed what you mapped. If the writer died or was stopped in the middle, sequence stays odd; then a row
 * still counts when its checksum fits. Who maps the object must survive SIGBUS; pread() on it cannot raise one.
 *
 * Waiting. Behind each publish the writer wakes whoever sleeps in FUTEX_WAIT (not private) on the low 32 bits of
 * `sequence`; a mapping that can only be read will do. Sleep with a bound, since the object may be replaced by another.
 *
 * Checksums. Start with h = 0xcbf29ce484222325; for each following 64-bit word w in native byte order h = (h ^ w) *
 * 0x9e3779b97f4a7c15, then h ^= h >> 32. The checksum is the low 32 bits of h. Over the row from offset 8 up to
 * row_size and then its texts_used bytes of texts; in the header over the bytes from offset 48 up to header_size. Name
 * hashes are FNV-1a (32 bit: offset 2166136261, prime 16777619) over the name's bytes; a 0 is written as 1.
 *
 * Is the writer alive? While it lives it holds an open-file-description write lock on byte 0 of the object
 * (F_OFD_GETLK tells). Nothing beats: an old written_* with the lock held means that nothing has happened since.
 *
 * Times are microseconds; 0 = never. *_real are CLOCK_REALTIME, *_mono CLOCK_MONOTONIC, *_boot CLOCK_BOOTTIME.
 * Compatibility: numbers and offsets are never reused; new fields come out of `reserved` (minor) or behind the end
 * (header_size, row_size); major changes when an older reader could misread. Unknown numbers mean "something newer".
 */
#ifndef SUPD_STATUS_H
#define SUPD_STATUS_H

#include <stddef.h>
#include <stdint.h>

#define SUPD_STATUS_MAGIC    "SUPDTBL1" /* 8 bytes, no NUL */
#define SUPD_STATUS_MAJOR    1u
#define SUPD_STATUS_MINOR    1u
#define SUPD_STATUS_MAX_ROWS 65536u
#define SUPD_TEXT_MAX        2048u                /* longest text in bytes, without its NUL */
#define SUPD_ID_NONE         UINT32_C(0xffffffff) /* uid, gid: not set or not known */

/* supd_status_header.flags */
#define SUPD_TABLE_TRUNCATED (1u << 0) /* there are units for which the table had no room */
#define SUPD_TABLE_STOPPING  (1u << 1) /* everything is being stopped */
#define SUPD_TABLE_USER      (1u << 2) /* user mode */
#define SUPD_TABLE_INIT      (1u << 3) /* supd is PID 1 */
#define SUPD_TABLE_RELOADING (1u << 4) /* unit files are being read again */
#define SUPD_TABLE_OLDER     (1u << 5) /* the manager is an older one: the one that is installed does not work */

/* supd_status_header.system_state */
#define SUPD_SYSTEM_UNKNOWN      0u
#define SUPD_SYSTEM_INITIALIZING 1u
#define SUPD_SYSTEM_STARTING     2u
#define SUPD_SYSTEM_RUNNING      3u
#define SUPD_SYSTEM_DEGRADED     4u
#define SUPD_SYSTEM_MAINTENANCE  5u
#define SUPD_SYSTEM_STOPPING     6u

/* supd_status_row.flags */
#define SUPD_ROW_USED             (1u << 0)
#define SUPD_ROW_CONDITION_RESULT (1u << 1) /* conditions held when last looked at (set too when there were none) */
#define SUPD_ROW_ASSERT_RESULT    (1u << 2)
#define SUPD_ROW_CAN_START        (1u << 4)
#define SUPD_ROW_CAN_STOP         (1u << 5)
#define SUPD_ROW_CAN_RELOAD       (1u << 6)
#define SUPD_ROW_CAN_ISOLATE      (1u << 7)
#define SUPD_ROW_START_LIMIT_HIT  (1u << 8)
#define SUPD_ROW_FROZEN           (1u << 9)  /* supd died on it three times and leaves it alone now */
#define SUPD_ROW_BUILT_IN         (1u << 10) /* no file */
#define SUPD_ROW_TRANSIENT        (1u << 11)
#define SUPD_ROW_REFUSE_START     (1u << 12) /* RefuseManualStart= */
#define SUPD_ROW_REFUSE_STOP      (1u << 13) /* RefuseManualStop= */
#define SUPD_ROW_REMAIN           (1u << 14) /* RemainAfterExit= */
#define SUPD_ROW_STATUS_UNKNOWN   (1u << 15) /* the last exit happened where nobody could see its status */
#define SUPD_ROW_TEXT_CUT         (1u << 16)
#define SUPD_ROW_JOB_RUNNING      (1u << 17) /* job_id is running; otherwise it waits */
#define SUPD_ROW_SPAWN_ERROR      (1u << 18) /* the last start failed before exec: exec_main_status is supd's own code */

/* type: by the suffix of the name */
#define SUPD_TYPE_UNKNOWN   0u
#define SUPD_TYPE_SERVICE   1u
#define SUPD_TYPE_TARGET    2u
#define SUPD_TYPE_SOCKET    3u
#define SUPD_TYPE_TIMER     4u
#define SUPD_TYPE_PATH      5u
#define SUPD_TYPE_MOUNT     6u
#define SUPD_TYPE_SLICE     7u
#define SUPD_TYPE_DEVICE    8u
#define SUPD_TYPE_SWAP      9u
#define SUPD_TYPE_SCOPE     10u
#define SUPD_TYPE_AUTOMOUNT 11u

/* load_state */
#define SUPD_LOAD_UNKNOWN     0u
#define SUPD_LOAD_STUB        1u
#define SUPD_LOAD_LOADED      2u
#define SUPD_LOAD_NOT_FOUND   3u
#define SUPD_LOAD_BAD_SETTING 4u
#define SUPD_LOAD_ERROR       5u
#define SUPD_LOAD_MERGED      6u
#define SUPD_LOAD_MASKED      7u

/* active_state */
#define SUPD_ACTIVE_UNKNOWN      0u
#define SUPD_ACTIVE_INACTIVE     1u
#define SUPD_ACTIVE_ACTIVATING   2u
#define SUPD_ACTIVE_ACTIVE       3u
#define SUPD_ACTIVE_RELOADING    4u
#define SUPD_ACTIVE_DEACTIVATING 5u
#define SUPD_ACTIVE_FAILED       6u
#define SUPD_ACTIVE_MAINTENANCE  7u

/* sub_state: the words of all unit types in one list */
#define SUPD_SUB_UNKNOWN        0u
#define SUPD_SUB_DEAD           1u
#define SUPD_SUB_CONDITION      2u
#define SUPD_SUB_START_PRE      3u
#define SUPD_SUB_START          4u
#define SUPD_SUB_START_POST     5u
#define SUPD_SUB_RUNNING        6u
#define SUPD_SUB_EXITED         7u
#define SUPD_SUB_RELOAD         8u
#define SUPD_SUB_RELOAD_SIGNAL  9u
#define SUPD_SUB_RELOAD_NOTIFY  10u
#define SUPD_SUB_STOP           11u
#define SUPD_SUB_STOP_WATCHDOG  12u
#define SUPD_SUB_STOP_SIGTERM   13u
#define SUPD_SUB_STOP_SIGKILL   14u
#define SUPD_SUB_STOP_POST      15u
#define SUPD_SUB_FINAL_WATCHDOG 16u
#define SUPD_SUB_FINAL_SIGTERM  17u
#define SUPD_SUB_FINAL_SIGKILL  18u
#define SUPD_SUB_FAILED         19u
#define SUPD_SUB_AUTO_RESTART   20u
#define SUPD_SUB_CLEANING       21u
#define SUPD_SUB_ACTIVE         22u /* target, slice */
#define SUPD_SUB_LISTENING      23u /* socket */
#define SUPD_SUB_START_CHOWN    24u
#define SUPD_SUB_WAITING        25u /* timer, path */
#define SUPD_SUB_ELAPSED        26u /* timer */
#define SUPD_SUB_MOUNTED        27u
#define SUPD_SUB_MOUNTING       28u
#define SUPD_SUB_UNMOUNTING     29u
#define SUPD_SUB_PLUGGED        30u /* device */
#define SUPD_SUB_TENTATIVE      31u
#define SUPD_SUB_DEAD_RESTART   32u /* dead-before-auto-restart */
#define SUPD_SUB_FAILED_RESTART 33u /* failed-before-auto-restart */
#define SUPD_SUB_RESTART_QUEUED 34u /* auto-restart-queued */
#define SUPD_SUB_ABANDONED      35u

/* result: why a unit last ended, systemd's words */
#define SUPD_RESULT_SUCCESS         0u
#define SUPD_RESULT_RESOURCES       1u
#define SUPD_RESULT_PROTOCOL        2u
#define SUPD_RESULT_TIMEOUT         3u
#define SUPD_RESULT_EXIT_CODE       4u
#define SUPD_RESULT_SIGNAL          5u
#define SUPD_RESULT_CORE_DUMP       6u
#define SUPD_RESULT_WATCHDOG        7u
#define SUPD_RESULT_START_LIMIT_HIT 8u
#define SUPD_RESULT_OOM_KILL        9u
#define SUPD_RESULT_EXEC_CONDITION  10u
#define SUPD_RESULT_CONDITION       11u /* skipped: a condition did not hold */
#define SUPD_RESULT_ASSERT          12u
#define SUPD_RESULT_UNKNOWN         13u

/* service_type */
#define SUPD_SERVICE_NONE          0u /* not a service */
#define SUPD_SERVICE_SIMPLE        1u
#define SUPD_SERVICE_EXEC          2u
#define SUPD_SERVICE_FORKING       3u
#define SUPD_SERVICE_ONESHOT       4u
#define SUPD_SERVICE_DBUS          5u
#define SUPD_SERVICE_NOTIFY        6u
#define SUPD_SERVICE_NOTIFY_RELOAD 7u
#define SUPD_SERVICE_IDLE          8u

/* restart */
#define SUPD_RESTART_NONE        0u /* not a service */
#define SUPD_RESTART_NO          1u
#define SUPD_RESTART_ON_SUCCESS  2u
#define SUPD_RESTART_ON_FAILURE  3u
#define SUPD_RESTART_ON_ABNORMAL 4u
#define SUPD_RESTART_ON_WATCHDOG 5u
#define SUPD_RESTART_ON_ABORT    6u
#define SUPD_RESTART_ALWAYS      7u

/* job_type */
#define SUPD_JOB_NONE          0u
#define SUPD_JOB_START         1u
#define SUPD_JOB_VERIFY_ACTIVE 2u
#define SUPD_JOB_STOP          3u
#define SUPD_JOB_RELOAD        4u
#define SUPD_JOB_RESTART       5u
#define SUPD_JOB_NOP           6u

/* …_cause: why a start or an end began; …_by says who, as noted */
#define SUPD_CAUSE_UNKNOWN    0u
#define SUPD_CAUSE_CLIENT     1u  /* somebody asked: by = uid (SUPD_ID_NONE: not known), by_pid */
#define SUPD_CAUSE_DEPENDENCY 2u  /* what was asked of another unit brought it along: by = row number of that one */
#define SUPD_CAUSE_RESTART    3u  /* Restart= */
#define SUPD_CAUSE_BOOT       4u  /* the default unit, when supd began */
#define SUPD_CAUSE_EXIT       5u  /* it ended by itself */
#define SUPD_CAUSE_TIMEOUT    6u  /* it took too long */
#define SUPD_CAUSE_WATCHDOG   7u  /* no sign of life within WatchdogSec= */
#define SUPD_CAUSE_SHUTDOWN   8u  /* everything is stopped */
#define SUPD_CAUSE_DIED       9u  /* a unit that it is bound to went away: by = row number */
#define SUPD_CAUSE_ON_FAILURE 10u /* OnFailure= of: by = row number */
#define SUPD_CAUSE_ON_SUCCESS 11u /* OnSuccess= of: by = row number */
#define SUPD_CAUSE_UPHOLDS    12u /* Upholds= of: by = row number */
#define SUPD_CAUSE_SOCKET     14u /* somebody connected to a socket of it */
#define SUPD_CAUSE_NOT_NEEDED 13u /* StopWhenUnneeded=: by = row number of the last that needed it */

/* text_len[] */
#define SUPD_TEXT_NAME          0u /* Id, suffix included; never empty in a used row */
#define SUPD_TEXT_ALIASES       1u /* its other names, blanks between */
#define SUPD_TEXT_DESCRIPTION   2u
#define SUPD_TEXT_STATUS        3u /* last STATUS= of the service */
#define SUPD_TEXT_FRAGMENT_PATH 4u
#define SUPD_TEXT_DROP_IN_PATHS 5u /* blanks between */
#define SUPD_TEXT_DOCUMENTATION 6u /* blanks between */
#define SUPD_TEXT_CONTROL_GROUP 7u /* below the cgroup mount, with leading '/'; empty = none of its own */
#define SUPD_TEXT_NOTICE        8u /* the first of n_notices */
#define SUPD_TEXT_LOAD_ERROR    9u
#define SUPD_TEXT_LOG_PATH      10u /* where its lines go; empty = log_dir/NAME.log */
#define SUPD_TEXT_TRIGGERED_BY  11u /* blanks between */
#define SUPD_TEXT_SOURCE_PATH   12u
#define SUPD_N_TEXTS            16u /* 13 … 15 are not in use yet */

struct supd_status_header {
        char magic[8];
        uint32_t major;
        uint32_t minor;
        uint32_t header_size;
        uint32_t row_size;
        uint64_t object_size; /* bytes that belong to the table; never shrinks */
        uint64_t sequence;    /* odd while writing */
        uint32_t checksum;
        uint32_t generation; /* of the semaphore; 0 = there is none. Reopen it when this changes */
        uint64_t hashes_offset;
        uint64_t rows_offset;
        uint64_t texts_offset;
        uint64_t texts_size;
        uint32_t n_rows; /* rows 0 … n_rows-1 may be in use */
        uint32_t rows_allocated;
        uint8_t boot_id[16];         /* of the boot that wrote this */
        uint32_t writer_pid;         /* the manager, in its own PID namespace */
        uint32_t keeper_pid;         /* likewise; 0 = none */
        uint64_t writer_start_ticks; /* field 22 of the writer's /proc/PID/stat: tells a reused pid */
        uint64_t written_boot_us;    /* last publish */
        uint64_t written_real_us;
        uint64_t written_mono_us;
        uint64_t started_real_us; /* since when supd supervises here */
        uint64_t started_mono_us;
        uint32_t flags;
        uint32_t owner_uid;
        uint32_t system_state;
        uint32_t n_units;
        uint32_t n_active;
        uint32_t n_failed;
        uint32_t n_jobs;
        uint32_t manager_starts; /* managers since supd started; 1 = none has died */
        uint64_t n_commits;
        uint64_t n_publishes;
        uint64_t n_deferred;     /* publishes that were put off because a reader held the lock */
        uint64_t n_torn_avoided; /* publishes past a lock that stayed held: the sequence kept readers whole */
        uint32_t n_broken_locks; /* semaphores replaced */
        uint32_t n_recreated;    /* objects replaced: removed or cut under the writer's hands */
        char version[32];        /* of supd; NUL-terminated like all texts here */
        char system_state_text[32];
        char instance[72];
        char runtime_dir[256];
        char log_dir[256];
        uint8_t reserved[144];
};

struct supd_status_row {
        uint32_t checksum;
        uint32_t name_hash;
        uint32_t flags;
        uint8_t type;
        uint8_t load_state;
        uint8_t active_state;
        uint8_t sub_state;
        uint8_t result;
        uint8_t service_type;
        uint8_t restart;
        uint8_t reserved_byte;
        uint8_t job_type;
        uint8_t exec_main_code; /* CLD_EXITED 1, CLD_KILLED 2, CLD_DUMPED 3; 0 = has not ended yet */
        uint16_t n_notices;
        int32_t exec_main_status; /* exit status or signal number */
        int32_t status_errno;     /* last ERRNO= of the service */
        uint32_t main_pid;        /* 0 = none, like the other pids */
        uint32_t control_pid;
        uint32_t exec_main_pid; /* the last main process, dead ones included */
        uint32_t n_restarts;
        uint32_t uid;
        uint32_t gid;
        uint32_t job_id;
        uint32_t texts_room;
        uint64_t texts_at; /* from texts_offset */
        uint32_t texts_used;
        uint32_t tasks_unattributed; /* processes nearby that may or may not be its own */
        uint8_t invocation_id[16];
        uint64_t active_enter_real_us;
        uint64_t active_enter_mono_us;
        uint64_t active_exit_real_us;
        uint64_t active_exit_mono_us;
        uint64_t inactive_enter_real_us;
        uint64_t inactive_enter_mono_us;
        uint64_t inactive_exit_real_us;
        uint64_t inactive_exit_mono_us;
        uint64_t state_change_real_us;
        uint64_t state_change_mono_us;
        uint64_t exec_main_start_real_us;
        uint64_t exec_main_start_mono_us;
        uint64_t exec_main_exit_real_us;
        uint64_t exec_main_exit_mono_us;
        uint64_t next_restart_mono_us; /* when an automatic restart is due */
        uint64_t timeout_mono_us;      /* when the present state runs out of time */
        uint64_t watchdog_us;          /* WatchdogSec= in force; 0 = none */
        uint64_t watchdog_mono_us;     /* last WATCHDOG=1 */
        uint64_t next_elapse_real_us;  /* timers */
        uint64_t next_elapse_mono_us;
        uint16_t text_len[16];
        uint64_t last_exit_real_us; /* the last main process that ended, also while its successor runs */
        int32_t last_exit_status;
        uint32_t last_exit_pid;
        uint8_t last_exit_code; /* CLD_*; 0 = none has ended */
        uint8_t start_cause;    /* SUPD_CAUSE_*: of the activation that goes on or was last */
        uint8_t stop_cause;     /* of its end; 0 while it goes on */
        uint8_t job_cause;      /* of job_id */
        uint32_t number;        /* of this row */
        uint32_t start_by;
        uint32_t start_by_pid;
        uint32_t stop_by;
        uint32_t stop_by_pid;
        uint32_t job_by;
        uint32_t job_by_pid;
        uint64_t past_end;      /* activations that are over (supd/changes.h) */
        uint64_t begin_real_us; /* of the activation that goes on; 0 = none does */
        uint64_t begin_mono_us;
        uint8_t reserved[24];
};

#ifdef __cplusplus
#define SUPD_STATUS_ASSERT(t, f, o) static_assert(offsetof(t, f) == (o), #f)
#else
#define SUPD_STATUS_ASSERT(t, f, o) _Static_assert(offsetof(t, f) == (o), #f)
#endif
#define SUPD_HEADER_AT(f, o) SUPD_STATUS_ASSERT(struct supd_status_header, f, o)
#define SUPD_ROW_AT(f, o)    SUPD_STATUS_ASSERT(struct supd_status_row, f, o)

SUPD_HEADER_AT(magic, 0);
SUPD_HEADER_AT(major, 8);
SUPD_HEADER_AT(minor, 12);
SUPD_HEADER_AT(header_size, 16);
SUPD_HEADER_AT(row_size, 20);
SUPD_HEADER_AT(object_size, 24);
SUPD_HEADER_AT(sequence, 32);
SUPD_HEADER_AT(checksum, 40);
SUPD_HEADER_AT(generation, 44);
SUPD_HEADER_AT(hashes_offset, 48);
SUPD_HEADER_AT(rows_offset, 56);
SUPD_HEADER_AT(texts_offset, 64);
SUPD_HEADER_AT(texts_size, 72);
SUPD_HEADER_AT(n_rows, 80);
SUPD_HEADER_AT(rows_allocated, 84);
SUPD_HEADER_AT(boot_id, 88);
SUPD_HEADER_AT(writer_pid, 104);
SUPD_HEADER_AT(keeper_pid, 108);
SUPD_HEADER_AT(writer_start_ticks, 112);
SUPD_HEADER_AT(written_boot_us, 120);
SUPD_HEADER_AT(written_real_us, 128);
SUPD_HEADER_AT(written_mono_us, 136);
SUPD_HEADER_AT(started_real_us, 144);
SUPD_HEADER_AT(started_mono_us, 152);
SUPD_HEADER_AT(flags, 160);
SUPD_HEADER_AT(owner_uid, 164);
SUPD_HEADER_AT(system_state, 168);
SUPD_HEADER_AT(n_units, 172);
SUPD_HEADER_AT(n_active, 176);
SUPD_HEADER_AT(n_failed, 180);
SUPD_HEADER_AT(n_jobs, 184);
SUPD_HEADER_AT(manager_starts, 188);
SUPD_HEADER_AT(n_commits, 192);
SUPD_HEADER_AT(n_publishes, 200);
SUPD_HEADER_AT(n_deferred, 208);
SUPD_HEADER_AT(n_torn_avoided, 216);
SUPD_HEADER_AT(n_broken_locks, 224);
SUPD_HEADER_AT(n_recreated, 228);
SUPD_HEADER_AT(version, 232);
SUPD_HEADER_AT(system_state_text, 264);
SUPD_HEADER_AT(instance, 296);
SUPD_HEADER_AT(runtime_dir, 368);
SUPD_HEADER_AT(log_dir, 624);
SUPD_HEADER_AT(reserved, 880);

SUPD_ROW_AT(checksum, 0);
SUPD_ROW_AT(name_hash, 4);
SUPD_ROW_AT(flags, 8);
SUPD_ROW_AT(type, 12);
SUPD_ROW_AT(load_state, 13);
SUPD_ROW_AT(active_state, 14);
SUPD_ROW_AT(sub_state, 15);
SUPD_ROW_AT(result, 16);
SUPD_ROW_AT(service_type, 17);
SUPD_ROW_AT(restart, 18);
SUPD_ROW_AT(reserved_byte, 19);
SUPD_ROW_AT(job_type, 20);
SUPD_ROW_AT(exec_main_code, 21);
SUPD_ROW_AT(n_notices, 22);
SUPD_ROW_AT(exec_main_status, 24);
SUPD_ROW_AT(status_errno, 28);
SUPD_ROW_AT(main_pid, 32);
SUPD_ROW_AT(control_pid, 36);
SUPD_ROW_AT(exec_main_pid, 40);
SUPD_ROW_AT(n_restarts, 44);
SUPD_ROW_AT(uid, 48);
SUPD_ROW_AT(gid, 52);
SUPD_ROW_AT(job_id, 56);
SUPD_ROW_AT(texts_room, 60);
SUPD_ROW_AT(texts_at, 64);
SUPD_ROW_AT(texts_used, 72);
SUPD_ROW_AT(tasks_unattributed, 76);
SUPD_ROW_AT(invocation_id, 80);
SUPD_ROW_AT(active_enter_real_us, 96);
SUPD_ROW_AT(active_enter_mono_us, 104);
SUPD_ROW_AT(active_exit_real_us, 112);
SUPD_ROW_AT(active_exit_mono_us, 120);
SUPD_ROW_AT(inactive_enter_real_us, 128);
SUPD_ROW_AT(inactive_enter_mono_us, 136);
SUPD_ROW_AT(inactive_exit_real_us, 144);
SUPD_ROW_AT(inactive_exit_mono_us, 152);
SUPD_ROW_AT(state_change_real_us, 160);
SUPD_ROW_AT(state_change_mono_us, 168);
SUPD_ROW_AT(exec_main_start_real_us, 176);
SUPD_ROW_AT(exec_main_start_mono_us, 184);
SUPD_ROW_AT(exec_main_exit_real_us, 192);
SUPD_ROW_AT(exec_main_exit_mono_us, 200);
SUPD_ROW_AT(next_restart_mono_us, 208);
SUPD_ROW_AT(timeout_mono_us, 216);
SUPD_ROW_AT(watchdog_us, 224);
SUPD_ROW_AT(watchdog_mono_us, 232);
SUPD_ROW_AT(next_elapse_real_us, 240);
SUPD_ROW_AT(next_elapse_mono_us, 248);
SUPD_ROW_AT(text_len, 256);
SUPD_ROW_AT(last_exit_real_us, 288);
SUPD_ROW_AT(last_exit_status, 296);
SUPD_ROW_AT(last_exit_pid, 300);
SUPD_ROW_AT(last_exit_code, 304);
SUPD_ROW_AT(start_cause, 305);
SUPD_ROW_AT(stop_cause, 306);
SUPD_ROW_AT(job_cause, 307);
SUPD_ROW_AT(number, 308);
SUPD_ROW_AT(start_by, 312);
SUPD_ROW_AT(start_by_pid, 316);
SUPD_ROW_AT(stop_by, 320);
SUPD_ROW_AT(stop_by_pid, 324);
SUPD_ROW_AT(job_by, 328);
SUPD_ROW_AT(job_by_pid, 332);
SUPD_ROW_AT(past_end, 336);
SUPD_ROW_AT(begin_real_us, 344);
SUPD_ROW_AT(begin_mono_us, 352);
SUPD_ROW_AT(reserved, 360);
#ifdef __cplusplus
static_assert(sizeof(struct supd_status_header) == 1024, "header size");
static_assert(sizeof(struct supd_status_row) == 384, "row size");
#else
_Static_assert(sizeof(struct supd_status_header) == 1024, "header size");
_Static_assert(sizeof(struct supd_status_row) == 384, "row size");
#endif

#endif
