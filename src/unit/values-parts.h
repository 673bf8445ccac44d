/* SPDX-License-Identifier: MIT
 *
 * What the functions that read values share; the files values*.c only. A function value_NAME(s, field) reads value type
 * NAME (directives.h) out of s->value: 0, -EINVAL with s->mistake (NULL = "KEY= expects …"), or -ENOMEM. It leaves the
 * field alone when the value is bad.
 *
 * Not here: the table of types (values.c). Invariant: what a field points at lies in the draft's scratch arena.
 */
#ifndef SUPD_UNIT_VALUES_PARTS_H
#define SUPD_UNIT_VALUES_PARTS_H

#include "unit/values.h"

int value_bad(struct setting *s, const char *mistake); /* MISTAKE is a constant; always -EINVAL */
/* A sentence that ends in the value's part that is wrong: -EINVAL, or -ENOMEM. */
int value_bad_with(struct setting *s, const char *mistake, const char *part);
bool *value_flag(struct setting *s); /* what is set along with the field: the row's extra is its offset */
bool value_is_empty(const struct setting *s);
/* Specifiers of PART into *ret. */
int value_expand(struct setting *s, const char *part, char **ret);
/* An absolute path, expanded and tidied. */
int value_take_path(struct setting *s, const char *part, char **ret);
/* Calls EACH for every word, specifiers expanded. A word that is bad is told and left out; the others count. */
int value_each_word(struct setting *s, unsigned flags, int (*each)(struct setting *s, char *word, void *field),
                    void *field);
/* Room for one more than the N elements of SIZE bytes at V: V or a copy of it; NULL = no memory. */
void *value_grow(struct draft *d, const void *v, unsigned n, size_t size);

/* values-exec.c */
int value_core_filter(struct setting *s, uint64_t *field);
int value_nanoseconds(struct setting *s, uint64_t *field);
int value_secure_bits(struct setting *s, int *field);
int value_flagged_boolean(struct setting *s, bool *field);
int value_keyring_mode(struct setting *s, enum keyring_mode *field);
int value_numa_policy(struct setting *s, enum numa_policy *field);
int value_load_credential(struct setting *s, struct credentials *field);
int value_set_credential(struct setting *s, struct credentials *field);
int value_open_file(struct setting *s, struct open_files *field);
/* values-group.c */
int value_resource(struct setting *s, struct resource_value *field);
int value_tasks(struct setting *s, struct resource_value *field);
int value_weight(struct setting *s, struct resource_value *field);
int value_cpu_weight(struct setting *s, struct resource_value *field);
int value_quota(struct setting *s, struct resource_value *field);
int value_quota_period(struct setting *s, struct resource_value *field);
int value_slice(struct setting *s, char **field);
int value_delegate(struct setting *s, bool *field);
/* values-sandbox.c */
int value_sandbox_paths(struct setting *s, struct sandbox_paths *field);
int value_bind_paths(struct setting *s, struct sandbox_paths *field);
int value_temporary_paths(struct setting *s, struct sandbox_paths *field);
int value_protect_system(struct setting *s, enum protect_system *field);
int value_protect_home(struct setting *s, enum protect_home *field);
int value_mount_apivfs(struct setting *s, bool *field);

#endif
