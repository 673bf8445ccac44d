/* SPDX-License-Identifier: MIT
 *
 * The insides of a status table, shared by the files of this room and nobody else: the drawing (one row at a time), the
 * object (where the table lies) and the lock.
 *
 * Invariant: what is shown never depends on the object; it can be thrown away and drawn anew at any time.
 */
#ifndef SUPD_STATUS_TABLE_H
#define SUPD_STATUS_TABLE_H

#include <semaphore.h>

#include "base/util.h"
#include "status/status.h"
#include "supd/status_rules.h"

struct status_place { /* where the texts of a row lie in the object; room 0 = nowhere. All that is kept of a row */
        uint32_t texts_at;
        uint32_t texts_room : 31;
        uint32_t marked : 1;
};

struct status_drawing { /* one row as it is to be published */
        struct supd_status_row row;
        char *texts; /* owned; kept for the next drawing */
        uint32_t texts_allocated;
        uint32_t index;
        uint16_t cut; /* bit i: text i was cut, or left out */
        bool open;    /* being drawn at this moment */
        bool done;    /* holds row INDEX, until the end of this publish */
};

struct status_object {
        char name[STATUS_NAME_MAX];
        int fd;             /* owned; -1 = none. Holds the OFD lock that says the writer lives */
        unsigned char *map; /* owned; NULL = none */
        size_t size;        /* mapped and allocated bytes */
};

struct status_lock {
        char name[STATUS_NAME_MAX];
        sem_t *sem;             /* owned; NULL = none: readers and we go by the sequence alone */
        uint32_t generation;    /* of the next or present semaphore; never 0 */
        uint64_t busy_since_us; /* first trywait that failed since the last that did not; 0 = none */
        bool looked_later;      /* the caller was already asked to come back to break this one */
};

struct status_table {
        bool on;
        char reason[256];
        struct status_object object;
        struct status_lock lock;
        struct supd_status_header header;    /* the next one to be published */
        struct supd_status_header published; /* as last published */
        uint64_t sequence;                   /* last value stored */
        uint64_t texts_end;                  /* next free byte in the text area */
        bool rows_refused;                   /* status_reserve() could not give all that was asked for */
        bool lay_out;                        /* everything has to be written, at new places */
        bool deferring;                      /* this publish has been put off at least once */
        uint64_t retry_step_us;
        status_draw draw;
        void *draw_userdata;
        struct status_drawing drawing;
        struct status_place *places; /* owned */
        uint32_t n_rows;             /* reserved */
        uint32_t *marked;            /* owned; indexes of marked rows, room for n_rows */
        uint32_t n_marked;
        unsigned char *old; /* owned; the object as it was before everything moved, while it is written anew; NULL */
        size_t old_size;
        bool guarded; /* inside of guard_enter() … guard_leave() */
        struct supd_status_row nowhere;
};

/* status.c */
void status_say(struct status_table *t, const char *format, ...) printf_like_(2, 3); /* sets the reason */
void status_off(struct status_table *t); /* gives the object and the lock up */

/* draw.c */
const struct status_drawing *drawing_of(struct status_table *t, uint32_t index); /* draws it unless it is at hand */
void drawing_forget(struct status_table *t); /* the next one is drawn afresh, and what was shown is no more at hand */
void drawing_keep_shown(struct status_table *t); /* everything is about to move: what is shown now stays at hand */

/* object.c: 0 or negative errno, except as said */
int object_open(struct status_object *o,
                struct status_table *say);             /* creates or takes over; map holds what was there */
int object_create(struct status_object *o);            /* O_EXCL; mode 0644; locked, SIZE bytes allocated */
int object_grow(struct status_object *o, size_t size); /* -ENOSPC, …: as it was */
bool object_intact(const struct status_object *o);     /* its name still leads to it, and it is not cut */
void object_close(struct status_object *o);
void object_remove(struct status_object *o); /* unlinks the name if it is still this object; then closes */

/* lock.c. Every access is guarded; a semaphore that is damaged counts as broken. */
enum lock_state { LOCK_TAKEN, LOCK_BUSY, LOCK_BROKEN, LOCK_NONE };
int lock_create(struct status_lock *l, uint32_t owner); /* a fresh one under the name, next generation; 0 or -errno */
enum lock_state lock_try(struct status_lock *l);
bool lock_release(struct status_lock *l);         /* false: no longer what it was and not posted */
enum lock_state lock_look(struct status_lock *l); /* BUSY, BROKEN, NONE; TAKEN here means: free */
void lock_close(struct status_lock *l);

#endif
