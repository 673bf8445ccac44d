/* SPDX-License-Identifier: MIT
 *
 * What the files that tell of properties share: values that stand in a record, a row each.
 *
 * Not here: whose they are (api-show.c, show-service.c). Invariant: a row's kind is that of the field it names.
 */
#ifndef SUPD_MANAGER_SHOW_H
#define SUPD_MANAGER_SHOW_H

#include "manager.h"

enum show_kind { SHOW_BOOL, SHOW_TEXT, SHOW_STRINGS, SHOW_U64, SHOW_U32, SHOW_I32, SHOW_WORD };

struct show_row {
        const char *name;
        enum show_kind kind;
        size_t at;                           /* in the record */
        const char *(*word)(unsigned value); /* of SHOW_WORD */
};

#define SHOW_WORD_OF(function)                                                                                         \
        static const char *show_##function(unsigned value)                                                             \
        {                                                                                                              \
                return function(value);                                                                                \
        }

/* show.c */
void show_rows(struct control_answer *a, const struct show_row *rows, size_t n, const void *record);
void show_list(struct control_answer *a, const char *name, const struct strings *s);
void show_mask(struct control_answer *a, const char *name, const char *list); /* "0-3 5" as bits; NULL: none */
const char *show_text(const char *s);                                         /* "" for NULL */

/* show-exec.c: what the processes of a service are given */
void show_exec(struct control_answer *a, const struct exec_config *x);
/* PREFIXAS, PREFIXASSoft and so on: where X (NULL: nobody) says nothing, what supd was started with. */
void show_rlimits(const struct manager *m, struct control_answer *a, const char *prefix, const struct exec_config *x);

/* show-service.c */
void show_service_state(struct control_answer *a, const struct run *r); /* what changes while it is loaded */
void show_service(struct manager *m, struct control_answer *a, const struct run *r);

#endif
