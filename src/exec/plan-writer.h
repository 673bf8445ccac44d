/* SPDX-License-Identifier: MIT
 *
 * Writing the records of a plan, for the files plan*.c only. Not here: which records there are (plan-format.h).
 *
 * Invariant: what is appended is a whole plan or nothing. The first failure sticks, so that callers need not look at
 * each record.
 */
#ifndef SUPD_EXEC_PLAN_WRITER_H
#define SUPD_EXEC_PLAN_WRITER_H

#include "exec/plan-format.h"
#include "exec/plan.h"

struct writer {
        struct buf *b;
        size_t start;  /* of the plan in b */
        size_t record; /* of the open record in b */
        int r;         /* 0, or the first failure */
};

void writer_bytes(struct writer *w, const void *data, size_t n);
void writer_word(struct writer *w, uint32_t v);
void writer_long(struct writer *w, uint64_t v);
void writer_string(struct writer *w, const char *s);
void writer_begin(struct writer *w, enum plan_tag tag);
void writer_end(struct writer *w);
void writer_plan(struct writer *w, struct buf *b, enum plan_kind kind);
int writer_done(struct writer *w);
void put_string(struct writer *w, enum plan_tag tag, const char *s);
void put_word(struct writer *w, enum plan_tag tag, uint32_t v);
void put_words(struct writer *w, enum plan_tag tag, uint32_t a, uint32_t b);
void put_long(struct writer *w, enum plan_tag tag, uint64_t v);
void put_word_string(struct writer *w, enum plan_tag tag, uint32_t v, const char *s);
void put_strings(struct writer *w, enum plan_tag tag, const struct strings *list);

/* plan-group.c: the cgroup, and what is written there */
void plan_put_group(struct writer *w, const struct unit *u, const struct plan_context *c);
/* plan-rare.c: what few units ask for */
void plan_put_rare(struct writer *w, const struct exec_config *e, bool sandbox);
void plan_put_credentials(struct writer *w, const struct unit *u, bool make, const struct plan_context *c);
void plan_put_open_files(struct writer *w, const struct exec_config *e);
/* plan-mounts.c */
bool plan_has_mounts(const struct exec_config *e);
void plan_put_mounts(struct writer *w, const struct unit *u, bool with_root, const struct plan_context *c);
void plan_put_private_tmp(struct writer *w, const struct unit *u, const struct plan_context *c);

#endif
