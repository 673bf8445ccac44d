/* SPDX-License-Identifier: MIT
 *
 * The layout of the durable state: one file (RUNTIME_DIR/state on tmpfs, or a memfd in the keeper), mapped by the
 * keeper, the manager and the launcher. This header is the whole contract between the three; it holds no code that
 * decides anything.
 *
 *     offset            what                                   written by
 *     0                 struct durable_header                  each field names its writer
 *     DURABLE_FDS       struct durable_fd[DURABLE_MAX_FDS]     keeper: names of the fds in its store
 *     DURABLE_ORPHANS   struct durable_orphan[..]              keeper: exits of pids nobody had claimed (overwritten)
 *     DURABLE_PIDS      uint32_t[DURABLE_MAX_SLOTS]            the service itself (first act), manager, keeper (clears)
 *     DURABLE_SLOTS     struct durable_slot[..]                manager, launcher, keeper: each field names its writer
 *     DURABLE_RING      struct durable_exit[..]                keeper
 *     DURABLE_LOG_A/_B  TLV records (state/)                   manager
 *
 * The file is sparse between the regions, but every page that is ever touched was allocated first (fallocate), so no
 * access can raise SIGBUS on a full tmpfs. Slots 0 … n_slots-1 are allocated; n_slots only grows.
 *
 * The exit ring cannot overflow: a slot is in it at most once per generation, and it has as many entries as there can
 * be slots. Its order of stores (keeper): entry, then slot.exited, then pids[slot] = 0, then ring_head (release), then
 * reap. A pid in pids[] therefore is not reaped and cannot have been reused while the keeper lives.
 *
 * Claiming a pid that is already running (forking, MAINPID=): the manager commits slot, pid and start time, then stores
 * pids[slot] and looks through the orphans; the keeper writes an orphan entry and then looks through pids[] once more
 * before it reaps (both seq_cst), so at least one of them sees the other and no exit status falls between. Both may:
 * the manager takes the end that comes first, and the other one is of a generation that runs no more. A claim is
 * repeated by each new manager; it does nothing when slot.exited says that the ring has told already. An entry says
 * something about a process only if its time_us is not before the start of that process (handover_claim() does all
 * this). Where a process has a number that an older claim names, too, its start time tells them apart
 * (slot.start_time).
 *
 * The ring walks through all its entries whatever n_slots is. The keeper keeps memory allocated for the n_slots entries
 * from ring_head on and gives back pages behind ring_tail: entries before ring_tail must not be read again.
 *
 * Compatibility: numbers are never reused; fields are only added in the reserved space; `major` changes when an older
 * program could misread.
 */
#ifndef SUPD_ABI_DURABLE_H
#define SUPD_ABI_DURABLE_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define DURABLE_MAGIC       "SUPDDUR1"
#define DURABLE_MAJOR       1u
#define DURABLE_MINOR       1u
#define DURABLE_MAX_SLOTS   65536u
#define DURABLE_FIRST_SLOTS 256u
#define DURABLE_MAX_FDS     1024u
#define DURABLE_MAX_ORPHANS 256u
#define DURABLE_MAX_LEFT    8u
#define DURABLE_FDS         UINT64_C(0x1000)
#define DURABLE_ORPHANS     UINT64_C(0x20000)
#define DURABLE_PIDS        UINT64_C(0x40000)
#define DURABLE_SLOTS       UINT64_C(0x100000)
#define DURABLE_RING        UINT64_C(0x1000000)
#define DURABLE_LOG_A       UINT64_C(0x2000000)
#define DURABLE_LOG_B       UINT64_C(0x22000000)
#define DURABLE_LOG_MAX     UINT64_C(0x20000000)
#define DURABLE_FILE_SIZE   UINT64_C(0x42000000)

/* durable_header.requests: set by the keeper, cleared by the manager once committed */
#define DURABLE_REQUEST_STOP              (1u << 0) /* stop every service in reverse order, then report done */
#define DURABLE_REQUEST_RELOAD            (1u << 1) /* SIGHUP: daemon-reload */
#define DURABLE_REQUEST_REBOOT            (1u << 2) /* Ctrl-Alt-Del as init: stop, then reboot */
#define DURABLE_REQUEST_POWER             (1u << 3) /* SIGPWR, SIGRTMIN+4: stop, then power off / end */
#define DURABLE_REQUEST_REEXEC            (1u << 4) /* SIGRTMIN+25, SIGTERM as init: daemon-reexec */
#define DURABLE_REQUEST_HALT              (1u << 5) /* SIGRTMIN+3 as init: stop, then halt */
#define DURABLE_REQUEST_KEXEC             (1u << 6) /* SIGRTMIN+6 as init: stop, then boot the kernel that was loaded */
#define DURABLE_REQUEST_FORCE             (1u << 7) /* SIGRTMIN+13 …: with one of the others: without ExecStop= and order */
#define DURABLE_REQUEST_ISOLATE_DEFAULT   (1u << 8)  /* SIGRTMIN+0 */
#define DURABLE_REQUEST_ISOLATE_RESCUE    (1u << 9)  /* SIGRTMIN+1 */
#define DURABLE_REQUEST_ISOLATE_EMERGENCY (1u << 10) /* SIGRTMIN+2 */
/* any of these asks for the end of everything */
#define DURABLE_REQUESTS_ENDING                                                                                        \
        (DURABLE_REQUEST_STOP | DURABLE_REQUEST_REBOOT | DURABLE_REQUEST_POWER | DURABLE_REQUEST_HALT |                \
         DURABLE_REQUEST_KEXEC)

/* durable_header.outcome: written by the manager when there is nothing left to supervise */
#define DURABLE_OUTCOME_NONE 0u
#define DURABLE_OUTCOME_DONE 1u /* everything is stopped: the keeper ends with outcome_status */
/* the same, and as PID 1 of a machine (ignored elsewhere): */
#define DURABLE_OUTCOME_REBOOT 2u
#define DURABLE_OUTCOME_POWER  3u
#define DURABLE_OUTCOME_HALT   4u
#define DURABLE_OUTCOME_KEXEC  5u /* a reboot where no kernel was loaded */

/* durable_header.keeper_form */
#define DURABLE_FORM_CONTAINER  1u
#define DURABLE_FORM_SUPERVISOR 2u
#define DURABLE_FORM_MACHINE    3u

/* durable_header.manager_binary */
#define DURABLE_BINARY_INSTALLED 0u
#define DURABLE_BINARY_OLDER     1u /* the last one that worked, kept open: the one that is installed does not */

/* durable_header.keeper_answer */
#define DURABLE_KEEPER_SAME    0u /* it is the one that is installed */
#define DURABLE_KEEPER_NEW     1u /* the installed one says that it can take over: the keeper becomes it at once */
#define DURABLE_KEEPER_REFUSED 2u /* it cannot take over, or says nothing: the old one goes on */

struct durable_header {
        char magic[8];                       /* keeper, once */
        uint32_t major, minor;               /* keeper */
        uint32_t header_size, slot_size;     /* keeper */
        uint8_t boot_id[16];                 /* keeper: /proc/sys/kernel/random/boot_id, binary */
        _Atomic uint32_t n_slots;            /* keeper at first, manager after fallocate */
        _Atomic uint32_t n_orphans;          /* keeper: total ever written; entry i lies at i % DURABLE_MAX_ORPHANS */
        _Atomic uint32_t ring_head;          /* keeper: entries ever written; entry i at i % DURABLE_MAX_SLOTS */
        _Atomic uint32_t ring_tail;          /* manager: entries committed */
        _Atomic uint32_t keeper_pid;         /* keeper */
        _Atomic uint32_t manager_pid;        /* keeper; 0 while none runs */
        _Atomic uint32_t manager_starts;     /* keeper: managers ever started */
        _Atomic uint32_t requests;           /* DURABLE_REQUEST_* */
        _Atomic uint32_t outcome;            /* DURABLE_OUTCOME_* */
        _Atomic int32_t outcome_status;      /* manager: exit status for supd itself */
        _Atomic uint32_t n_fds;              /* keeper: used entries of the fd table, holes included */
        _Atomic uint32_t manager_healthy;    /* manager: 1 once it supervises; keeper clears at each start */
        _Atomic uint64_t commit;             /* manager: bit 63 = space (0 A, 1 B), low 48 bits = committed bytes */
        _Atomic uint64_t commits;            /* manager: number of commits, for people */
        _Atomic uint64_t marker;             /* manager: what is being done to which unit (poison.c); 0 = nothing */
        _Atomic uint64_t marker_last;        /* manager: the marker a predecessor died on */
        _Atomic uint32_t marker_deaths;      /* manager: deaths in a row on marker_last */
        _Atomic uint32_t manager_deaths;     /* keeper: deaths of managers that were not asked for */
        _Atomic uint64_t orphans_reaped;     /* keeper: unclaimed processes reaped */
        _Atomic uint64_t exits_recorded;     /* keeper: claimed processes put into the ring */
        _Atomic uint64_t manager_started_us; /* keeper: CLOCK_BOOTTIME */
        _Atomic uint32_t keeper_form;        /* keeper: DURABLE_FORM_*: PID 1 of a container, subreaper below another
                                              * init, PID 1 of a machine */
        _Atomic uint32_t user_mode;          /* keeper: 1 = --user */
        _Atomic uint64_t bad_messages;       /* keeper: malformed messages of managers, ignored */
        char reboot_argument[64];  /* manager, before the outcome: for reboot(2); NUL-terminated, empty = none */
        _Atomic uint64_t life_ino; /* keeper: inode of the life pipe of the last manager started; 0 = none */
        /* since minor 1 */
        _Atomic uint32_t beat;              /* manager: grows with each unit it reads while it starts */
        _Atomic uint32_t manager_binary;    /* keeper: DURABLE_BINARY_* of the manager that runs */
        _Atomic uint32_t manager_fallbacks; /* keeper: how often an older binary had to be taken */
        _Atomic uint32_t keeper_reexecs;    /* keeper: times it became the installed one */
        _Atomic uint32_t keeper_asked;  /* keeper: requests to do so that have been answered, one way or the other */
        _Atomic uint32_t keeper_answer; /* keeper: DURABLE_KEEPER_* of the last of them */
        _Atomic uint32_t
                launcher_kept;    /* manager: 1 = the installed launcher is of no use to it: the kept one is run */
        _Atomic uint32_t at_once; /* manager, before the outcome: 1 = nothing is ended or unmounted before reboot(2) */
        _Atomic uint32_t poisoned[8]; /* manager: hashes of the names of units that are not read any more; 0 = none */
        uint8_t reserved[208];
};

/* An fd in the keeper's store. The next manager inherits the same fd numbers. */
struct durable_fd {
        _Atomic int32_t fd; /* -1 or 0 = free */
        uint32_t reserved;
        char name[56]; /* NUL-terminated */
};

struct durable_orphan {
        _Atomic uint32_t pid;
        int32_t code, status; /* siginfo: CLD_*, exit status or signal */
        uint32_t reserved;
        uint64_t time_us; /* CLOCK_BOOTTIME */
};

/* durable_slot.launch: how far the start came. Written by the manager (FREE, INTENT) and the launcher (the others). */
enum durable_launch {
        LAUNCH_FREE = 0,   /* not in use */
        LAUNCH_INTENT = 1, /* committed; nothing has necessarily happened yet */
        LAUNCH_EXECED = 2, /* exec succeeded: pids[] and start_time are set */
        LAUNCH_FAILED =
                3, /* set-up or exec failed: step and error tell; if a pid was stored its exit comes by the ring */
        LAUNCH_CLAIMED = 4, /* not started by us in this slot: the manager claimed a running pid */
};

struct durable_slot {
        _Atomic uint32_t launch;     /* enum durable_launch */
        _Atomic uint32_t generation; /* manager: changes at each use of the slot */
        uint32_t unit;               /* manager: unit id of state/ */
        uint32_t role;               /* manager: what runs here (main, control) */
        _Atomic uint32_t exited;     /* keeper: generation whose exit is in the ring, else 0 */
        _Atomic uint32_t session;    /* launcher: session id of the process (setsid) */
        _Atomic uint32_t step;       /* launcher: enum plan_step that failed */
        _Atomic int32_t error;       /* launcher: positive errno of the failed step, 0 = none */
        _Atomic uint64_t start_time; /* launcher/manager: /proc/PID/stat field 22, clock ticks; 0 = not known */
        _Atomic uint32_t last_pid;   /* the service, right behind pids[], and the keeper; kept after the exit */
        _Atomic uint32_t group;      /* launcher: 1 = it was started in its unit's cgroup */
        uint8_t invocation[16];      /* manager */
        /* launcher, before the exit reaches the keeper: what the process has left behind, by the numbers of which one
         * is the pid, the session or the group of each; 0 = none, or nobody has looked (PLAN_FLAG_NOTE_LEFT) */
        _Atomic uint32_t left[DURABLE_MAX_LEFT];
        uint8_t reserved[32];
};

struct durable_exit {
        uint32_t slot, generation, pid;
        int32_t code, status; /* siginfo: CLD_EXITED/CLD_KILLED/CLD_DUMPED, exit status or signal number */
        uint32_t reserved;
        uint64_t time_us; /* CLOCK_BOOTTIME */
        uint64_t reserved1;
};

static_assert(sizeof(struct durable_header) == 512, "durable header");
static_assert(sizeof(struct durable_fd) == 64, "durable fd");
static_assert(sizeof(struct durable_orphan) == 24, "durable orphan");
static_assert(sizeof(struct durable_slot) == 128, "durable slot");
static_assert(sizeof(struct durable_exit) == 40, "durable exit");
static_assert(DURABLE_ORPHANS >= DURABLE_FDS + DURABLE_MAX_FDS * sizeof(struct durable_fd), "region order");
static_assert(DURABLE_PIDS >= DURABLE_ORPHANS + DURABLE_MAX_ORPHANS * sizeof(struct durable_orphan), "region order");
static_assert(DURABLE_SLOTS >= DURABLE_PIDS + DURABLE_MAX_SLOTS * sizeof(uint32_t), "region order");
static_assert(DURABLE_RING >= DURABLE_SLOTS + DURABLE_MAX_SLOTS * sizeof(struct durable_slot), "region order");
static_assert(DURABLE_LOG_A >= DURABLE_RING + DURABLE_MAX_SLOTS * sizeof(struct durable_exit), "region order");

static inline struct durable_header *durable_header_of(void *map)
{
        return (struct durable_header *)map;
}
static inline struct durable_fd *durable_fds(void *map)
{
        return (struct durable_fd *)(void *)((char *)map + DURABLE_FDS);
}
static inline struct durable_orphan *durable_orphans(void *map)
{
        return (struct durable_orphan *)(void *)((char *)map + DURABLE_ORPHANS);
}
static inline _Atomic uint32_t *durable_pids(void *map)
{
        return (_Atomic uint32_t *)(void *)((char *)map + DURABLE_PIDS);
}
static inline struct durable_slot *durable_slots(void *map)
{
        return (struct durable_slot *)(void *)((char *)map + DURABLE_SLOTS);
}
static inline struct durable_exit *durable_ring(void *map)
{
        return (struct durable_exit *)(void *)((char *)map + DURABLE_RING);
}

#endif
