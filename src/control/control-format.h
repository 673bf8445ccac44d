/* SPDX-License-Identifier: MIT
 *
 * The words between the manager and supd-bus: packets on a SOCK_SEQPACKET socket, each a header and a body of records
 * (tag, size, payload padded to 8). Long answers are cut into packets with CONTROL_MORE set on all but the last; their
 * bodies are simply joined. What has a name in systemd's API travels as that word, so that the two programs need not be
 * of one build; numbers here are never reused, and unknown tags and events are passed over.
 *
 * Not here: sockets (server.c, programs/supd-bus). Invariant: a reader never looks outside the bytes it was given, and
 * every string it hands out ends inside them.
 */
#ifndef SUPD_CONTROL_CONTROL_FORMAT_H
#define SUPD_CONTROL_CONTROL_FORMAT_H

#include "base/buf.h"
#include "graph/graph.h"

#define CONTROL_MAGIC       UINT32_C(0x31505553) /* "SUP1" */
#define CONTROL_VERSION     1
#define CONTROL_PACKET_MAX  (32u * 1024u)         /* bytes, header included */
#define CONTROL_MESSAGE_MAX (64u * 1024u * 1024u) /* bytes of a joined answer */
#define CONTROL_QUEUE_MAX   (16u * 1024u * 1024u) /* unread bytes at which a peer is closed; one answer may exceed it */
#define CONTROL_NAME_MAX    256                   /* a unit name and its NUL */
#define CONTROL_REQUEST_ID  16                    /* bytes */

#define CONTROL_MORE 1u /* header.flags: another packet of this answer follows */

struct control_header {
        uint32_t magic;
        uint8_t version, flags;
        uint16_t type;   /* enum control_type */
        uint32_t serial; /* of the request; 0 in events */
        uint32_t size;   /* bytes of body in this packet */
};
_Static_assert(sizeof(struct control_header) == 16, "packet header");

enum control_type {
        /* requests; the tags they carry in brackets */
        CONTROL_ENQUEUE = 1,             /* UNIT, REQUEST, MODE, REQUEST_ID -> JOB_ID */
        CONTROL_KILL = 2,                /* UNIT, WHOM, NUMBER (signal) */
        CONTROL_RESET_FAILED = 3,        /* UNIT or nothing */
        CONTROL_RELOAD = 4,              /* daemon-reload */
        CONTROL_CANCEL_JOB = 5,          /* JOB_ID */
        CONTROL_LOAD_UNIT = 6,           /* UNIT, FLAG (only when loaded) -> UNIT */
        CONTROL_UNIT_BY_PID = 7,         /* NUMBER -> UNIT */
        CONTROL_UNIT_PROPERTIES = 8,     /* UNIT -> INTERFACE, PROPERTY... */
        CONTROL_MANAGER_PROPERTIES = 9,  /* -> INTERFACE, PROPERTY... */
        CONTROL_LIST_UNITS = 10,         /* -> UNIT_ROW... */
        CONTROL_LIST_JOBS = 11,          /* -> JOB... */
        CONTROL_JOB_STATE = 12,          /* JOB_ID -> JOB */
        CONTROL_REEXECUTE = 13,          /* no answer when it works: the connection ends */
        CONTROL_TRANSACTION = 14,        /* as ENQUEUE -> JOB... of all that it led to, the one asked for first */
        CONTROL_QUEUE_SIGNAL = 15,       /* UNIT, WHOM, NUMBER, VALUE */
        CONTROL_UNIT_PROCESSES = 16,     /* UNIT -> UNIT, NUMBER... (pids) */
        CONTROL_ENVIRONMENT = 17,        /* UNSET..., SET... */
        CONTROL_SET_PROPERTY = 18,       /* NAME, TEXT: of the manager */
        CONTROL_UNIT_BY_INVOCATION = 19, /* INVOCATION -> UNIT */
        CONTROL_SHUTDOWN = 20,           /* TEXT: "poweroff", "reboot", "halt", "exit" */
        CONTROL_JOB_NEIGHBOURS = 21,     /* JOB_ID, FLAG (1: those that wait for it) -> JOB... */
        CONTROL_PLAN = 22,               /* UNIT, REQUEST, MODE -> PROPERTY... (strings) */
        CONTROL_PLAN_RELOAD = 23,        /* -> PROPERTY... (strings) */
        CONTROL_COLLECT = 24,            /* UNIT: it is not needed any more; an error when it is still there */
        CONTROL_CLEAN = 25,              /* UNIT, NAME... -> TEXT... (BASE//NAME of directories) */
        /* answers */
        CONTROL_ANSWER = 64,
        CONTROL_ERROR = 65, /* ERROR_NAME, ERROR_MESSAGE, NUMBER (errno, positive) */
        /* events */
        CONTROL_JOB_NEW = 96,       /* JOB */
        CONTROL_JOB_REMOVED = 97,   /* JOB */
        CONTROL_UNIT_CHANGED = 98,  /* UNIT */
        CONTROL_RELOADING = 99,     /* FLAG */
        CONTROL_UNIT_NEW = 100,     /* UNIT */
        CONTROL_UNIT_REMOVED = 101, /* UNIT */
};

enum control_tag {
        CONTROL_TAG_UNIT = 1,       /* string */
        CONTROL_TAG_REQUEST = 2,    /* string: "start", "try-restart", ... */
        CONTROL_TAG_MODE = 3,       /* string: "replace", ... */
        CONTROL_TAG_REQUEST_ID = 4, /* 16 bytes, random */
        CONTROL_TAG_JOB_ID = 5,     /* u32 */
        CONTROL_TAG_WHOM = 6,       /* string: "all", "main", "control" */
        CONTROL_TAG_NUMBER = 7,     /* u32 */
        CONTROL_TAG_FLAG = 8,       /* u32, 0 or 1 */
        CONTROL_TAG_ERROR_NAME = 9,
        CONTROL_TAG_ERROR_MESSAGE = 10,
        CONTROL_TAG_INTERFACE = 11,  /* string, without "org.freedesktop.systemd1." */
        CONTROL_TAG_PROPERTY = 12,   /* kind (a byte of enum control_kind), name, NUL, value */
        CONTROL_TAG_UNIT_ROW = 13,   /* u32 job id; id, description, load, active, sub, job type, each with NUL */
        CONTROL_TAG_JOB = 14,        /* u32 id, u32 flags; unit, type, result, each with NUL */
        CONTROL_TAG_VALUE = 15,      /* u32: what goes along with a signal */
        CONTROL_TAG_SET = 16,        /* string NAME=value */
        CONTROL_TAG_UNSET = 17,      /* string NAME or NAME=value */
        CONTROL_TAG_NAME = 18,       /* string */
        CONTROL_TAG_TEXT = 19,       /* string */
        CONTROL_TAG_INVOCATION = 20, /* 16 bytes */
        CONTROL_TAG_CLIENT_UID = 22, /* u32: with ENQUEUE, on whose behalf */
        CONTROL_TAG_CLIENT_PID = 23, /* u32: likewise */
        CONTROL_TAG_BRIEF = 21,      /* u32: with UNIT_PROPERTIES, only what changes while a unit is loaded */
};

#define CONTROL_JOB_WAITING 1u
#define CONTROL_JOB_ENDED   2u

/* How a property's value is written and, behind it, its D-Bus signature. */
enum control_kind {
        CONTROL_KIND_STRING = 's',     /* bytes, NUL                         s */
        CONTROL_KIND_U32 = 'u',        /* 4 bytes                            u */
        CONTROL_KIND_I32 = 'i',        /* 4 bytes                            i */
        CONTROL_KIND_U64 = 't',        /* 8 bytes                            t */
        CONTROL_KIND_BOOL = 'b',       /* 4 bytes                            b */
        CONTROL_KIND_STRINGS = 'S',    /* each with NUL                      as */
        CONTROL_KIND_BYTES = 'y',      /* bytes                              ay */
        CONTROL_KIND_JOB = 'J',        /* u32 id, 0 = none                   (uo) */
        CONTROL_KIND_LOAD_ERROR = 'L', /* name NUL message NUL               (ss) */
        CONTROL_KIND_EXECS = 'E',      /* struct control_exec_wire and what it counts, repeated: a(sasbttttuii) */
        CONTROL_KIND_EXECS_EX = 'X',   /* likewise:                          a(sasasttttuii) */
        CONTROL_KIND_FILES = 'F',      /* u32 optional, path NUL, repeated:  a(sb) */
        CONTROL_KIND_CONDITIONS = 'C', /* u32 flags (1 trigger, 2 negated), i32 state, name, parameter: a(sbbsi) */
        CONTROL_KIND_ANY = 'V',        /* the signature NUL, then as it says: 8 bytes for a number, strings with NUL,
                                        * u32 and as many elements for an array; of bytes, the bytes */
};

struct control_exec_wire {
        uint64_t start_real_us, start_mono_us, exit_real_us, exit_mono_us;
        uint32_t pid;
        int32_t code, status;
        uint32_t flags; /* EXEC_* of unit/unit.h; bit 0: a failure is ignored */
        uint32_t n_argv;
        uint32_t size; /* bytes of strings that follow: path, then argv, each with NUL */
};

struct control_record {
        uint16_t tag;
        uint32_t size;    /* of the payload */
        const char *data; /* borrowed from the packet; 8-byte alignment is not promised */
};

struct control_reader { /* walks records, and with the take functions the payload of one */
        const char *data;
        size_t size, at;
};
static inline struct control_reader control_reader_of(const void *data, size_t size)
{
        return (struct control_reader){.data = data, .size = size};
}
int control_reader_next(struct control_reader *r, struct control_record *ret); /* 1, 0 at the end, -EBADMSG */
int control_take_bytes(struct control_reader *r, void *ret, size_t n);         /* 0 or -EBADMSG */
int control_take_u32(struct control_reader *r, uint32_t *ret);
int control_take_string(struct control_reader *r, const char **ret); /* a string that ends within; borrowed */
int control_record_u32(const struct control_record *rec, uint32_t *ret);
int control_record_string(const struct control_record *rec, const char **ret); /* exactly one string, NUL at its end */
/* Checks magic, version, known flags and size == n - sizeof header. 0, -EBADMSG, -EPROTONOSUPPORT (other version). */
int control_header_check(const void *packet, size_t n, struct control_header *ret);

/* The first record with TAG in a body. 0, -ENODATA when there is none, -EBADMSG. */
int control_body_string(const void *body, size_t size, uint16_t tag, const char **ret);
int control_body_u32(const void *body, size_t size, uint16_t tag, uint32_t *ret);

/* Writing: 0 or -ENOMEM. */
int control_write(struct buf *b, uint16_t tag, const void *data, size_t size);
int control_write_string(struct buf *b, uint16_t tag, const char *s);
int control_write_u32(struct buf *b, uint16_t tag, uint32_t v);
/* A record of unknown length: begin, append to B, end. begin returns the place to give to end, or -ENOMEM. */
ssize_t control_write_begin(struct buf *b, uint16_t tag);
int control_write_end(struct buf *b, ssize_t place);

struct control_job_wire { /* a decoded JOB record; strings are borrowed */
        uint32_t id, flags;
        const char *unit, *type, *result;
};
int control_write_job(struct buf *b, const struct control_job_wire *job);
int control_record_job(const struct control_record *rec, struct control_job_wire *ret);

struct control_row_wire { /* a decoded UNIT_ROW record; strings are borrowed */
        uint32_t job_id;
        const char *id, *description, *load, *active, *sub, *job_type;
};
int control_write_row(struct buf *b, const struct control_row_wire *row);
int control_record_row(const struct control_record *rec, struct control_row_wire *ret);

/* The words of the wire. Unknown: -EINVAL, "". */
int control_request_from_word(const char *word, enum job_request *ret);
int control_mode_from_word(const char *word, enum job_mode *ret);
const char *control_request_word(enum job_request r);
const char *control_mode_word(enum job_mode m);
const char *control_type_word(enum job_type t);
const char *control_result_word(enum job_result r);

#endif
