/* SPDX-License-Identifier: MIT
 *
 * What users did wrong, collected: level, file, line, message, fix. Rooms add
 * to a diag and return; programs decide whether it is printed, logged, or
 * shown as a notice in the status.
 *
 * Invariant: adding never fails visibly; out of memory is counted in `lost`.
 */
#ifndef SUPD_BASE_DIAG_H
#define SUPD_BASE_DIAG_H

#include "base/buf.h"

enum diag_level {
        DIAG_NOTICE,  /* accepted, but not carried out as written */
        DIAG_WARNING, /* ignored line; the rest counts */
        DIAG_ERROR,   /* the unit (or file) cannot be used */
};

struct diag_entry {
        enum diag_level level;
        char *file;    /* owned; NULL when there is none */
        unsigned line; /* 1-based; 0 = none */
        char *message; /* owned, one line, no full stop */
        char *fix;     /* owned; NULL when nothing sensible can be said */
};

struct diag {
        struct diag_entry *entries; /* owned */
        size_t n_entries, n_allocated;
        unsigned n_errors, n_warnings, n_notices, lost;
};

void diag_done(struct diag *d);
/* file and fix may be NULL. d may be NULL: nothing is kept then. */
void diag_add(struct diag *d, enum diag_level level, const char *file, unsigned line, const char *fix,
              const char *format, ...) printf_like_(6, 7);
/* "FILE:LINE: error: MESSAGE; FIX" appended to out, one line each, with '\n'. */
int diag_format(const struct diag_entry *e, struct buf *out);
const char *diag_level_name(enum diag_level level); /* "notice", "warning", "error" */

#define cleanup_diag_ cleanup_(diag_done)

#endif
