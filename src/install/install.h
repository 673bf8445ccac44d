/* SPDX-License-Identifier: MIT
 *
 * The state of unit files: which links make a unit start with others, and the operations that make and remove them, as
 * systemctl's enable, disable, mask and their kin do.
 *
 *     struct install_where w;       where unit files lie, and where links are made
 *     struct install_changes d = {0};
 *     install_where_init(&w, &place); r = install_enable(&w, flags, names, n, &d);
 *
 * Everything is done on files; no manager is asked or told. What was done, and why something was not, is collected as
 * changes, in order; programs print them (install_change_text) or send them over the bus.
 * Not here: printing, the bus, what a directive other than those of [Install] means.
 * Invariant: a link is made, replaced or removed by one system call, so at any instant a unit's links are the old or
 * the new ones, never half of one; nothing outside of the configuration directory is ever touched.
 * Source of the rules: observed behaviour of systemd 252; tests/integration/install-state holds them side by side.
 */
#ifndef SUPD_INSTALL_INSTALL_H
#define SUPD_INSTALL_INSTALL_H

#include "base/arena.h"
#include "base/diag.h"

/* ---- where ---- */

enum install_scope {
        INSTALL_SYSTEM,
        INSTALL_GLOBAL, /* user units, for all users */
        INSTALL_USER,
};

struct install_place { /* strings borrowed until install_where_init() returns */
        enum install_scope scope;
        const char *root;      /* NULL, or an absolute path below which everything lies */
        const char *unit_path; /* $SUPD_UNIT_PATH: replaces the search path; links go to its first directory */
        const char *generated; /* NULL, or the directory with supd's own generator.early, generator, generator.late */
        bool systemd_units;    /* systemd's own directories count; else only those of supd */
};

struct install_dir {
        const char *path; /* with the root in front */
        unsigned kind;    /* DIR_* of internal.h */
};

struct install_where {
        char *root; /* "" or an absolute path without a slash at its end */
        enum install_scope scope;
        struct install_dir *dirs; /* highest precedence first */
        unsigned n_dirs;
        const char *persistent, *runtime; /* where links are made */
        const char *const *preset_dirs;   /* without the root; NULL ends them */
        struct diag *diag;                /* borrowed: where files are at fault is told here; may be NULL */
        struct arena arena;               /* owns all of it */
};

/* What a manager says of itself in the link RUNTIME_DIR/units: "systemd:PATH" or "supd:PATH", by whether systemd's own
 * directories count for it, with "user-" in front in user mode; PATH is its $SUPD_UNIT_PATH. Points into TEXT. */
void install_place_parse(const char *text, struct install_place *ret);
/* 0, -ENOMEM; -ENXIO when INSTALL_USER is asked for and the environment has no home. */
int install_where_init(struct install_where *ret, const struct install_place *place);
/* Where they lie for the supd that runs in RUNTIME_DIR. -ENOENT: none says so. */
int install_where_of(const char *runtime_dir, struct install_where *ret);
void install_where_done(struct install_where *w);

/* ---- what was done ---- */

enum install_change_type {
        INSTALL_ERROR,              /* error says which */
        INSTALL_SYMLINK,            /* path now leads to source */
        INSTALL_UNLINK,             /* path was removed */
        INSTALL_IS_MASKED,          /* path is masked and was left alone */
        INSTALL_IS_DANGLING,        /* path leads nowhere and was left alone */
        INSTALL_TARGET_NOT_PRESENT, /* source now hangs on path, which does not exist */
        INSTALL_AUXILIARY_FAILED,   /* path, named by Also=, could not be enabled */
        N_INSTALL_CHANGE_TYPES,
};

struct install_change {
        enum install_change_type type;
        int error;    /* negative errno */
        char *path;   /* owned */
        char *source; /* owned; may be NULL */
};

struct install_changes {
        struct install_change *v; /* owned */
        unsigned n, allocated;
};
void install_changes_done(struct install_changes *d);
/* The sentence for users, without an end of line: "Created symlink A → B." VERB: "enable", for errors. 0 or -ENOMEM. */
int install_change_text(const struct install_change *c, const char *verb, const char *arrow, struct buf *out);
const char *install_change_name(enum install_change_type t); /* "symlink", "unlink", "masked", … as on the bus */

/* ---- operations ----
 *
 * NAMES are unit names or, where said, absolute paths. All return a negative errno when the operation failed as a whole
 * (a change of type INSTALL_ERROR may say more), else 0 or what is said. What was done before a failure stays. */

enum {
        INSTALL_RUNTIME = 1 << 0, /* links that are gone with the next boot */
        INSTALL_FORCE = 1 << 1,   /* replace links that lead elsewhere */
        INSTALL_LENIENT = 1 << 2, /* skip what cannot be made (presets) */
};

enum install_preset_mode { INSTALL_PRESET_FULL, INSTALL_PRESET_ENABLE_ONLY, INSTALL_PRESET_DISABLE_ONLY };

/* Names or paths. Returns how many settings of [Install] there were: 0 = the units cannot be enabled. */
int install_enable(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                   struct install_changes *d);
int install_disable(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                    struct install_changes *d);
int install_reenable(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                     struct install_changes *d); /* returns as install_enable() */
int install_preset(const struct install_where *w, unsigned flags, enum install_preset_mode mode,
                   const char *const *names, unsigned n, struct install_changes *d); /* likewise */
int install_preset_all(const struct install_where *w, unsigned flags, enum install_preset_mode mode,
                       struct install_changes *d);
int install_mask(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                 struct install_changes *d);
int install_unmask(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                   struct install_changes *d);
int install_link(const struct install_where *w, unsigned flags, const char *const *paths, unsigned n,
                 struct install_changes *d); /* absolute paths */
int install_revert(const struct install_where *w, const char *const *names, unsigned n, struct install_changes *d);
/* KIND: "wants" or "requires". */
int install_add_dependency(const struct install_where *w, unsigned flags, const char *const *names, unsigned n,
                           const char *target, const char *kind, struct install_changes *d);
int install_set_default(const struct install_where *w, unsigned flags, const char *name, struct install_changes *d);
int install_get_default(const struct install_where *w, char ret[static 256]);

/* ---- states ---- */

enum install_state {
        STATE_ENABLED,
        STATE_ENABLED_RUNTIME,
        STATE_LINKED,
        STATE_LINKED_RUNTIME,
        STATE_ALIAS,
        STATE_MASKED,
        STATE_MASKED_RUNTIME,
        STATE_STATIC,
        STATE_DISABLED,
        STATE_INDIRECT,
        STATE_GENERATED,
        STATE_TRANSIENT,
        STATE_BAD,
        N_INSTALL_STATES,
};
const char *install_state_name(enum install_state s);
bool install_state_counts_as_enabled(enum install_state s); /* is-enabled succeeds */

/* All links there are, read once for many questions. 0, -ENOMEM; what cannot be read is told to who asks for it. */
struct install_index;
int install_index_read(const struct install_where *w, struct install_index **ret);
void install_index_free(struct install_index *x); /* NULL is fine */

/* X: NULL, or the links of W. -ENOENT: no such unit file; -EINVAL: no unit name; -ENOLINK: an alias of nothing; others.
 */
int install_get_state(const struct install_where *w, const struct install_index *x, const char *name,
                      enum install_state *ret);
/* 1: there is a unit file of that name (GENERATED: by a generator, too), 0: none, or why it cannot be told. */
int install_lookup(const struct install_where *w, const char *name, bool generated);

struct install_file {
        char *name, *path; /* in the list's arena */
        enum install_state state;
};
struct install_list {
        struct install_file *v;
        unsigned n, allocated;
        struct arena arena;
};
/* Every unit file, once by name, by precedence; in no order. */
int install_list_files(const struct install_where *w, struct install_list *ret);
void install_list_done(struct install_list *l);

/* ---- presets ---- */

struct install_presets; /* the rules, read once; opaque */
int install_presets_read(const struct install_where *w, struct install_presets **ret);
void install_presets_free(struct install_presets *p);
bool install_preset_enables(const struct install_presets *p, const char *name); /* instances a rule names aside */
bool install_preset_counts(enum install_state s); /* for people: presets say nothing about what cannot be enabled */

/* ---- what is known already ---- */

/* RUNTIME_DIR/unit-files, which supd-unit-files makes when units were read: the answers of then, found in no time. */
struct install_known {
        enum install_state state;
        bool preset; /* install_preset_enables() */
};
bool install_recall(const char *runtime_dir, const char *name, struct install_known *ret); /* false: not known */
void install_forget(const char *runtime_dir); /* links were changed: until units are read again, nothing is known */

/* The links that enabling made, for people: paths below the configuration directories that lead to NAME, and further
 * ones. Appended to OUT, a line each with two blanks in front. 0 or negative errno. */
int install_links_of(const struct install_where *w, const char *name, struct buf *out);

#endif
