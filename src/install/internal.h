/* SPDX-License-Identifier: MIT
 *
 * What the files of this room share: where.c (directories), tree.c (paths and links below a root), files.c (unit files
 * and their [Install]), links.c (making and removing links), enable.c, mask.c, preset.c,
 * link-index.c (all links, by name), recall.c, state.c, changes.c.
 *
 * Not here: anything for other rooms (install.h). Invariant: all strings of an operation lie in its arena.
 */
#ifndef SUPD_INSTALL_INTERNAL_H
#define SUPD_INSTALL_INTERNAL_H

#include "install/install.h"
#include "unit/names.h"

enum {                          /* kinds of directories, bits */
       DIR_PERSISTENT = 1 << 0, /* links are made here */
       DIR_RUNTIME = 1 << 1,    /* likewise, until the next boot */
       DIR_CONTROL = 1 << 2,    /* drop-ins that programs made */
       DIR_TRANSIENT = 1 << 3,
       DIR_GENERATED = 1 << 4,
       DIR_VENDOR = 1 << 5,
       DIR_VOLATILE = 1 << 6, /* does not outlive a boot */
       DIR_ETC_USER = 1 << 7, /* what the administrator enabled for all users */
};

struct list { /* of strings; v and what it leads to lie in the operation's arena */
        char **v;
        unsigned n, allocated;
};

/* ---- tree.c ---- */
int list_add(struct arena *a, struct list *l, const char *s); /* copies */
bool list_has(const struct list *l, const char *s);
int list_add_once(struct arena *a, struct list *l, const char *s); /* 1 when it was new */
char *path_join(struct arena *a, const char *dir, const char *name);
const char *path_base(const char *path);
char *path_dir(struct arena *a, const char *path); /* of an absolute path */
/* PATH without ROOT in front, or PATH itself when it does not lie there. */
const char *path_below(const char *root, const char *path);
/* The names in a directory, sorted, without . and ..; one that does not exist has none. 0 or negative errno. */
int directory_names(struct arena *a, const char *path, struct list *ret);
/* The same without regular files, as far as the file system tells: a thousand unit files cost no look each. */
int directory_links(struct arena *a, const char *path, struct list *ret);
/* Follows every link of PATH (which begins with ROOT) as a process would whose root directory is ROOT. The result
 * begins with ROOT, too. MISSING: what does not exist is taken as it stands, else it is -ENOENT. -ELOOP. */
int path_chase(struct arena *a, const char *root, const char *path, bool missing, char **ret);
/* Where the link leads, as written. NULL in *ret when it is none. */
int link_read(struct arena *a, const char *path, char **ret);

/* ---- where.c ---- */
unsigned where_kind(const struct install_where *w, const char *dir);       /* 0: no directory of ours */
unsigned where_kind_of_file(const struct install_where *w, const char *p); /* of the directory it lies in */
bool where_is_volatile(const struct install_where *w, const char *dir);
const char *where_config(const struct install_where *w, unsigned flags);

/* ---- link-index.c ---- */
struct indexed_link {
        const struct indexed_link *next; /* that can enable the same unit, in the order of the search path */
        char *path, *name, *target;      /* target: as written */
        unsigned at;                     /* directory of the search path */
        bool on_target;                  /* in a .wants directory or its like, not in the directory itself */
};
/* The links that NAME, or an instance of NAME, hangs on a target by, and those that are called NAME or lead to it. */
const struct indexed_link *link_index_find(const struct install_index *x, const char *name);
int link_index_error(const struct install_index *x, unsigned at); /* 0, or why that directory could not be read whole */

/* ---- files.c ---- */
enum unit_file_mode { MODE_UNKNOWN, MODE_REGULAR, MODE_LINKED, MODE_ALIAS, MODE_MASKED };

struct unit_file {
        struct unit_file *next; /* in the order of addition */
        char *name;
        char *path;             /* NULL until found */
        char *target;           /* for links */
        char *default_instance; /* NULL = none */
        struct list aliases, wanted_by, required_by, upheld_by, also;
        enum unit_file_mode mode;
        bool auxiliary; /* named by Also= only */
        bool done;      /* processed */
};

enum {
        SEARCH_LOAD = 1 << 0,          /* read [Install], too */
        SEARCH_FOLLOW_CONFIG = 1 << 1, /* follow links that lie in the configuration directories */
};

struct operation { /* one call of install.h */
        const struct install_where *where;
        struct install_changes *changes; /* may be NULL */
        struct arena arena;
        struct unit_file *files, **last;
};
void operation_begin(struct operation *o, const struct install_where *w, struct install_changes *d);
void operation_done(struct operation *o);
/* Finds, or adds. -EINVAL for what is no unit name. */
int unit_file_add(struct operation *o, const char *name, const char *path, bool auxiliary, struct unit_file **ret);
/* Finds it on disk and follows its links; *ret is the last one. -ENOENT, -ENOLINK (alias of nothing), -ELOOP, … */
int unit_file_search(struct operation *o, struct unit_file *f, unsigned how, struct unit_file **ret);
/* NAME may be a path. A failure is noted as a change, too. */
int unit_file_discover(struct operation *o, const char *name, unsigned how, struct unit_file **ret);
/* Likewise, and refuses what may not be changed: masked, generated. */
int unit_file_discover_usable(struct operation *o, const char *name, unsigned how, struct unit_file **ret);
unsigned unit_file_rules(const struct unit_file *f); /* settings of [Install] that make links */
/* What the file calls itself in S: specifiers replaced. 0, -EUNATCH (a value is not known), -ENOMEM. */
int unit_file_expand(struct operation *o, const struct unit_file *f, const char *s, char **ret);
bool name_is_plain(const char *name);
bool suffix_may_alias(const char *name);
/* The instance of NAME in the arena: NULL without '@', "" for templates. */
char *instance_of(struct operation *o, const char *name);

/* ---- changes.c ---- */
int change_add(struct install_changes *d, enum install_change_type t, int error, const char *path, const char *source);
/* Notes the error and returns it (or -ENOMEM). */
int change_error(struct install_changes *d, int error, const char *path, const char *source);

/* ---- links.c ---- */
/* NEW_PATH leads to OLD_PATH afterwards. 1, or a negative errno that is noted. */
int link_create(struct operation *o, const char *old_path, const char *new_path, bool force);
/* Removes below DIR every link that leads to one of NAMES (names or paths), has such a name, or is an instance of one;
 * what is removed joins NAMES. */
int links_remove(struct operation *o, struct list *names, const char *dir);

/* ---- enable.c ---- */
/* Makes the links of all files of O that are not done, and of those that Also= adds. Returns the number of settings. */
int operation_apply(struct operation *o, unsigned flags, const char *config, unsigned how);
/* The names of all files of O, and of those that Also= adds: their links are to go. */
int operation_names_to_remove(struct operation *o, struct list *names);

#endif
