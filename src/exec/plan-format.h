/* SPDX-License-Identifier: MIT
 *
 * The bytes of a plan: the contract between plan.c, which writes them, and supd-exec, which carries them out.
 *
 *     struct plan_header, then records; each record is struct plan_record and its payload, padded to PLAN_ALIGN.
 *     A payload is `words` little numbers of 32 bits (host order), then a tail:
 *         NONE    nothing
 *         ONE     one string with its NUL
 *         LIST    any number of strings, each with its NUL
 *         BYTES   bytes
 *
 * Not here: what a record means for a process (programs/supd-exec), and which unit setting it comes from (plan.c).
 * Invariant: numbers of records are never reused; a reader refuses a record it does not know unless it is marked
 * PLAN_OPTIONAL, and a record whose payload does not have the shape of its row. Values of 64 bits take two words, low
 * one first. Records may stand in any order; those marked "each" below may be repeated, of the others the first counts.
 */
#ifndef SUPD_EXEC_PLAN_FORMAT_H
#define SUPD_EXEC_PLAN_FORMAT_H

#include "base/util.h"

#define PLAN_MAGIC    UINT32_C(0x4e4c5053) /* "SPLN" */
#define PLAN_VERSION  1u
#define PLAN_ALIGN    8u
#define PLAN_OPTIONAL 1u /* plan_record.flags: may be skipped by whoever does not know it */

enum plan_kind {
        PLAN_COMMAND = 1,
        PLAN_CHECK = 2,
        PLAN_CLEANUP = 3,
};

enum plan_tail {
        TAIL_NONE,
        TAIL_ONE,
        TAIL_LIST,
        TAIL_BYTES,
};

/*        name               number words tail       what the words are; what the tail is */
#define PLAN_RECORDS(X)                                                                                                \
        X(UNIT, 1, 0, ONE)               /* id of the unit, for messages */                                            \
        X(PATH, 2, 0, ONE)               /* path, absolute or a bare name */                                           \
        X(ARGV, 3, 0, LIST)              /* argv, $VARIABLES not yet expanded */                                       \
        X(SEARCH, 4, 0, LIST)            /* directories of ExecSearchPath= */                                          \
        X(BASE, 5, 0, LIST)              /* environment, lowest: what every service gets */                            \
        X(RUNTIME, 6, 0, LIST)           /* environment: INVOCATION_ID, NOTIFY_SOCKET, MAINPID, … */                 \
        X(PASS, 7, 0, LIST)              /* names taken from the launcher's own environment */                         \
        X(ENVIRONMENT, 8, 0, LIST)       /* Environment= */                                                            \
        X(ENVIRONMENT_FILE, 9, 1, ONE)   /* each; optional (0, 1); path */                                             \
        X(UNSET, 10, 0, LIST)            /* names or assignments that are removed last */                              \
        X(USER, 11, 0, ONE)              /* name or number */                                                          \
        X(GROUP, 12, 0, ONE)             /* name or number */                                                          \
        X(SUPPLEMENTARY, 13, 0, LIST)    /* names or numbers */                                                        \
        X(FLAGS, 14, 1, NONE)            /* PLAN_FLAG_* */                                                             \
        X(WORKING_DIRECTORY, 15, 1, ONE) /* optional (0, 1); path or "~" */                                            \
        X(UMASK, 16, 1, NONE)            /* mode */                                                                    \
        X(LIMIT, 17, 6, NONE)            /* each; RLIMIT_*, 0, soft (2), hard (2); all bits set = infinity */          \
        X(NICE, 18, 1, NONE)             /* signed */                                                                  \
        X(OOM, 19, 1, NONE)              /* signed */                                                                  \
        X(IOPRIO, 20, 2, NONE)           /* class, level */                                                            \
        X(SCHEDULER, 21, 2, NONE)        /* SCHED_*, priority */                                                       \
        X(AFFINITY, 22, 0, BYTES)        /* a bit for each CPU, as sched_setaffinity takes them */                     \
        X(INPUT, 23, 1, ONE)             /* enum exec_input; path or name of the fd */                                 \
        X(OUTPUT, 24, 1, ONE)            /* enum exec_output; path or name of the fd */                                \
        X(ERROR, 25, 1, ONE)             /* enum exec_output; path or name of the fd */                                \
        X(LOG, 26, 0, ONE)               /* the unit's own log file; absent = /dev/null */                             \
        X(TTY, 27, 0, ONE)               /* path of the terminal */                                                    \
        X(INPUT_DATA, 28, 0, BYTES)      /* what INPUT_DATA reads */                                                   \
        X(DIRECTORY, 29, 2, LIST)        /* each; enum exec_directory, mode; the base, then the relative paths */      \
        X(BOUNDING, 30, 2, NONE)         /* bits CAP_* (2) */                                                          \
        X(AMBIENT, 31, 2, NONE)          /* bits CAP_* (2) */                                                          \
        X(CGROUP, 32, 0, ONE)            /* directory to be joined */                                                  \
        X(LISTEN, 33, 1, ONE)            /* number of fds that come with the message; LISTEN_FDNAMES */                \
        X(WATCHDOG, 34, 2, NONE)         /* µs (2) */                                                                 \
        X(UNSUPPORTED, 35, 0, ONE)       /* the assignment that cannot be carried out: the start fails */              \
        X(CONDITION, 36, 2, LIST)        /* each; enum condition_kind, PLAN_CONDITION_*; key, parameter */             \
        X(PID_FILE, 37, 0, ONE)          /* clean-up: the file to be removed */                                        \
        X(REMOVE, 38, 0, LIST)           /* clean-up, each: the base, then the relative paths to be removed */         \
        X(PERSONALITY, 39, 1, NONE)      /* PER_* */                                                                   \
        X(GROUP_FILE, 48, 0, LIST)       /* each, in this order: a file of a cgroup, what is written into it */        \
        X(DELEGATE, 49, 0, NONE)         /* CGROUP is USER's */                                                        \
        X(CORE_FILTER, 50, 2, NONE)      /* bits of /proc/self/coredump_filter (2) */                                  \
        X(TIMER_SLACK, 51, 2, NONE)      /* ns (2) */                                                                  \
        X(NUMA, 52, 1, BYTES)            /* MPOL_*; a bit for each node */                                             \
        X(KEYRING, 53, 1, NONE)          /* enum keyring_mode */                                                       \
        X(SECURE_BITS, 54, 1, NONE)      /* SECBIT_* */                                                                \
        X(TTY_SETUP, 55, 3, NONE)        /* PLAN_TTY_*, rows, columns (0 = as they are) */                             \
        X(OPEN_FILE, 56, 1, ONE)         /* each; PLAN_OPEN_*; path; its name is the next of OPEN_NAMES */             \
        X(OPEN_NAMES, 57, 0, ONE)        /* names, separated by colons, of the files of OPEN_FILE */                   \
        X(CREDENTIALS, 58, 1, ONE)       /* whether to make them (0, 1); their directory */                            \
        X(CREDENTIAL_FILE, 59, 1, LIST)  /* each; optional (0, 1); name, where it comes from */                        \
        X(CREDENTIAL_DATA, 60, 1, BYTES) /* each; bytes of the name; name, then the data */                            \
        X(LOGIN, 61, 1, NONE)            /* whether HOME, LOGNAME, SHELL, USER are set (0, 1); absent: with USER */    \
        X(REMOVE_IPC, 62, 0, NONE)       /* clean-up: what USER and GROUP left in IPC */                               \
        X(NAMESPACE, 70, 1, NONE)        /* a mount namespace; whether the start fails without (0, 1) */               \
        X(ROOT, 71, 0, ONE)              /* the directory that becomes the root */                                     \
        X(MOUNT, 72, 2, LIST)            /* each; enum plan_mount, PLAN_MOUNT_*; place, source or options */           \
        X(PRIVATE_TMP, 73, 0, ONE)       /* what makes the names of its directories its own */

#define PLAN_RECORD_ENUM_(name, number, words, tail) PLAN_##name = number,
enum plan_tag { PLAN_RECORDS(PLAN_RECORD_ENUM_) N_PLAN_TAGS };
#undef PLAN_RECORD_ENUM_

/* FLAGS */
#define PLAN_FLAG_IGNORE_SIGPIPE    (1u << 0)
#define PLAN_FLAG_NO_NEW_PRIVILEGES (1u << 1)
#define PLAN_FLAG_NON_BLOCKING      (1u << 2) /* of the passed fds */
#define PLAN_FLAG_NO_EXPAND         (1u << 3)
#define PLAN_FLAG_IDENTITY          (1u << 4) /* take on USER and GROUP, rather than only name them in the environment */
#define PLAN_FLAG_IGNORE_FAILURE    (1u << 5) /* for the manager's eyes: the command carries a '-' */

#define PLAN_FLAG_NOTE_LEFT (1u << 6) /* what it leaves behind is noted in the slot (start.c) */

/* TTY_SETUP */
#define PLAN_TTY_RESET       (1u << 0)
#define PLAN_TTY_HANGUP      (1u << 1)
#define PLAN_TTY_DISALLOCATE (1u << 2)

/* OPEN_FILE */
#define PLAN_OPEN_READ_ONLY (1u << 0)
#define PLAN_OPEN_APPEND    (1u << 1)
#define PLAN_OPEN_TRUNCATE  (1u << 2)
#define PLAN_OPEN_GRACEFUL  (1u << 3) /* left out when it cannot be opened */

/* MOUNT. Those for one place are mounted in this order. */
enum plan_mount {
        MOUNT_BIND = 1,
        MOUNT_TMPFS = 2,
        MOUNT_TMP = 3, /* the directory of PRIVATE_TMP in the source */
        MOUNT_DEVICES = 4,
        MOUNT_SELF = 5, /* what is there, for its flags */
        MOUNT_INACCESSIBLE = 6,
};
#define PLAN_MOUNT_OPTIONAL  (1u << 0) /* left out when it cannot be done */
#define PLAN_MOUNT_RECURSIVE (1u << 1)
#define PLAN_MOUNT_READ_ONLY                                                                                           \
        (1u << 2) /* these four hold for what is below, too, unless something nearer says otherwise */
#define PLAN_MOUNT_READ_WRITE (1u << 3)
#define PLAN_MOUNT_EXEC       (1u << 4)
#define PLAN_MOUNT_NO_EXEC    (1u << 5)

/* CONDITION */
#define PLAN_CONDITION_ASSERT  (1u << 0)
#define PLAN_CONDITION_TRIGGER (1u << 1)
#define PLAN_CONDITION_NEGATE  (1u << 2)

struct plan_header {
        uint32_t magic;
        uint16_t version, kind; /* PLAN_VERSION, enum plan_kind */
        uint32_t size;          /* of the whole plan, this header included */
        uint32_t reserved;
};

struct plan_record {
        uint16_t tag, flags;
        uint32_t size; /* of the payload, padding not counted */
};

struct plan_shape {
        const char *name;
        uint8_t words, tail;
};

/* The row of a record; NULL when the number is not known. */
static inline const struct plan_shape *plan_shape(unsigned tag)
{
#define PLAN_RECORD_SHAPE_(n, number, w, t) [number] = {.name = #n, .words = (w), .tail = TAIL_##t},
        static const struct plan_shape shapes[N_PLAN_TAGS] = {PLAN_RECORDS(PLAN_RECORD_SHAPE_)};
#undef PLAN_RECORD_SHAPE_
        return tag < N_PLAN_TAGS && shapes[tag].name ? &shapes[tag] : NULL;
}

static inline size_t plan_padded(size_t n)
{
        return (n + (PLAN_ALIGN - 1)) & ~(size_t)(PLAN_ALIGN - 1);
}

/* Reading. A record is found by plan_next(); its parts point into the plan. */
struct plan_item {
        const struct plan_record *record;
        const char *payload; /* the words */
        const char *tail;    /* what follows them */
        size_t tail_size;
};

/* Whether the payload of ITEM has the shape of its row. */
static inline bool plan_item_valid(const struct plan_item *item, const struct plan_shape *shape)
{
        switch ((enum plan_tail)shape->tail) {
        case TAIL_NONE:
                return item->tail_size == 0;
        case TAIL_ONE:
                return item->tail_size > 0 && strnlen(item->tail, item->tail_size) == item->tail_size - 1;
        case TAIL_LIST:
                return item->tail_size == 0 || item->tail[item->tail_size - 1] == 0;
        case TAIL_BYTES:
                return true;
        }
        return false;
}

/* Checks the header of the SIZE bytes at DATA. 0 or -EBADMSG. */
static inline int plan_open(const void *data, size_t size)
{
        const struct plan_header *h = (const struct plan_header *)data;

        if (size < sizeof(*h) || h->magic != PLAN_MAGIC || h->version != PLAN_VERSION || h->size != size ||
            size % PLAN_ALIGN != 0)
                return -EBADMSG;
        return 0;
}

/* The record behind *OFFSET (0 = the first one), which moves on. 1, 0 at the end, -EBADMSG for what is not well formed,
 * -EOPNOTSUPP for an unknown record that may not be skipped. */
static inline int plan_next(const void *data, size_t size, size_t *offset, struct plan_item *ret)
{
        size_t at = *offset ? *offset : sizeof(struct plan_header);

        while (at + sizeof(struct plan_record) <= size) {
                const struct plan_record *r = (const struct plan_record *)(const void *)((const char *)data + at);
                const struct plan_shape *shape = plan_shape(r->tag);
                struct plan_item item = {.record = r, .payload = (const char *)(r + 1)};

                if (r->size > size - at - sizeof(*r))
                        return -EBADMSG;
                at += plan_padded(sizeof(*r) + r->size);
                *offset = at;
                if (!shape) {
                        if (r->flags & PLAN_OPTIONAL)
                                continue;
                        return -EOPNOTSUPP;
                }
                if (r->size < shape->words * sizeof(uint32_t))
                        return -EBADMSG;
                item.tail = item.payload + shape->words * sizeof(uint32_t);
                item.tail_size = r->size - shape->words * sizeof(uint32_t);
                if (!plan_item_valid(&item, shape))
                        return -EBADMSG;
                *ret = item;
                return 1;
        }
        return at == size ? 0 : -EBADMSG;
}

static inline uint32_t plan_word(const struct plan_item *item, unsigned i)
{
        uint32_t w;

        memcpy(&w, item->payload + i * sizeof(w), sizeof(w));
        return w;
}

static inline uint64_t plan_long(const struct plan_item *item, unsigned i)
{
        return (uint64_t)plan_word(item, i) | (uint64_t)plan_word(item, i + 1) << 32;
}

/* The string behind S in a list; NULL at its end. S = NULL gives the first. */
static inline const char *plan_string(const struct plan_item *item, const char *s)
{
        s = s ? s + strlen(s) + 1 : item->tail;
        return s < item->tail + item->tail_size ? s : NULL;
}

#endif
