/* SPDX-License-Identifier: MIT
 *
 * A unit while it is being read: everything that a file can set, in place, so that a row of the table of directives is
 * an offset into it. pack.c makes the compact struct unit from it.
 *
 * Invariant: what the pointers of `unit` and `service` lead to lies in the scratch arena until it is packed.
 */
#ifndef SUPD_UNIT_DRAFT_H
#define SUPD_UNIT_DRAFT_H

#include "unit/directives.h"
#include "unit/load.h"
#include "unit/names.h"

enum { REFUSALS_MAX = 32 }; /* at least as many as there are rows with SUPPORT_REFUSED */

struct refusal { /* a setting that refuses the unit unless a later file resets it */
        const struct directive *row;
        const char *file;
        unsigned line;
};

#define USEC_UNSET (UINT64_MAX - 1) /* a time that depends on others until settle.c has seen them */

struct draft {
        struct unit unit;
        struct service_config service;
        struct strings dependencies[N_UNIT_DEPENDENCIES];
        struct exec_config exec;
        struct kill_config kill;
        struct group_config group;
        struct exec_rare rare;
        struct limit_value limits[N_EXEC_LIMITS];
        struct exec_directory_setting directories[N_EXEC_DIRECTORIES];
        struct exit_status_set success_status, restart_prevent_status, restart_force_status;
        bool capability_ambient_set; /* AmbientCapabilities= was given */
        bool socket_accept;          /* [Socket] Accept= */
        bool timer_on_calendar;      /* [Timer] OnCalendar= */
        char nothing;                /* the field of rows that keep nothing */
        uint8_t noticed[64];         /* a bit for each row whose notice is due */
        struct strings notices;      /* further ones */
        struct refusal refusals[REFUSALS_MAX];
        unsigned n_refusals;
        /* while reading: */
        struct arena scratch;
        const struct unit_context *context;
        struct unit_name name; /* the id taken apart */
        struct diag *diag;
        struct buf text;     /* for short use by one function */
        struct buf error;    /* why the unit is refused; empty = it is not */
        unsigned n_mistakes; /* told so far */
};

/* One assignment on its way into the draft. */
struct setting {
        struct draft *draft;
        const struct directive *row;
        const char *value;
        const char *file; /* in the draft's scratch */
        unsigned line;
        const char *mistake; /* out: a constant, or in the scratch; NULL = "KEY= expects …" */
        bool fatal;          /* out: the mistake makes the unit unusable */
};

/* values.c: reads s->value into the field. 0, -EINVAL with mistake and fatal, or -ENOMEM. */
int value_read(struct setting *s);
/* The fields at their defaults; context and diag stay as they are. 0 or -ENOMEM. */
int draft_init(struct draft *d);
void draft_done(struct draft *d);
int draft_add_string(struct draft *d, struct strings *l, const char *s); /* copies S */
int draft_add_notice(struct draft *d, const char *text);
/* Expands specifiers into the draft's scratch; *ret may be S itself. 0, -ENOMEM, or -ENOENT with the letter. */
int draft_expand(struct draft *d, const char *s, char **ret, char *ret_unknown);
/* Notes that the unit is refused (the first reason is kept) and tells it. */
int draft_refuse(struct draft *d, const char *file, unsigned line, const char *fix, const char *format, ...)
        printf_like_(5, 6);

/* settle.c: what follows from several settings: implied values, contradictions, default dependencies. */
int draft_settle(struct draft *d);
/* pack.c: one allocation with the unit in it. */
int draft_pack(struct draft *d, struct unit **ret);

#endif
