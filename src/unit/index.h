/* SPDX-License-Identifier: MIT
 *
 * What lies in the unit directories: every name once, with the directories that have it and where a link leads.
 *
 * Reading it costs one scan; after that a unit is found without touching directories that have nothing for it, and the
 * aliases of a unit are known without looking at every other file.
 * Not here: the contents of files. Invariant: an entry's `first` is the highest-ranking directory that has the name.
 */
#ifndef SUPD_UNIT_INDEX_H
#define SUPD_UNIT_INDEX_H

#include "unit/load.h"

struct index_entry {
        char *name;               /* a unit name, or that of a directory: "x.service.d", "x.target.wants" */
        uint64_t dirs;            /* bit I: directory I has it */
        unsigned first;           /* the lowest of them */
        char *link;               /* where the first one leads when it is a symbolic link; NULL else */
        char *alias;              /* the unit name at the end of LINK, when it is another unit's name; NULL else */
        struct index_entry *next; /* in the hash chain */
        struct index_entry *aliases, *next_alias; /* those whose alias is this name */
};

int index_new(struct unit_index **ret);
void index_clear(struct unit_index *x); /* empty again, as a new one */
void index_free(struct unit_index *x);
void index_hold(struct unit_index *x, bool hold); /* while held: looked at once */
/* Scans again if a directory changed. 0, -ENOMEM, -EMFILE, -ENFILE; unreadable directories are told and left out. */
int index_refresh(struct unit_index *x, const struct strings *dirs, struct diag *diag);
/* Whether a directory changed since the last call, or else since the first scan. */
bool index_changed(struct unit_index *x, const struct strings *dirs);
struct index_entry *index_find(const struct unit_index *x, const char *name); /* NULL when no directory has it */
/* Calls EACH for every entry, in no order; ends at the first non-zero result and returns it. */
int index_each(const struct unit_index *x, int (*each)(struct index_entry *e, void *userdata), void *userdata);

#endif
