/* SPDX-License-Identifier: MIT
 *
 * From unit files to struct unit, in two halves that never mix:
 *
 *   unit_gather()  reads the disk: finds fragment, drop-ins, aliases, .wants/.requires links and writes everything that
 *                  counts, as text, into one blob. It decides nothing about meaning.
 *   unit_parse()   turns a blob into a struct unit. Pure: no file, no clock, no environment but what the context holds.
 *
 * The blob of each loaded unit is kept in the runtime directory, so that a manager that comes back after a crash has
 * the very configuration its predecessor had, whatever happened to the files meanwhile.
 */
#ifndef SUPD_UNIT_LOAD_H
#define SUPD_UNIT_LOAD_H

#include "unit/unit.h"

struct unit_index; /* what lies in the directories, read again when one of them changes; opaque */

struct unit_paths {
        struct strings dirs; /* highest precedence first; owned by the arena; at most 64 */
        struct arena arena;
        struct unit_index *index; /* owned; filled and kept up to date by unit_gather() and unit_list_files() */
};

/* The search path of the design (unit files, section 4): $SUPD_UNIT_PATH as UNIT_PATH (NULL = not set; a trailing colon
 * goes on with the rest), systemd's own directories only when SYSTEMD_UNITS, user directories when USER_MODE. */
/* In user mode HOME and the XDG variables are read from the environment. 0, -ENOMEM, or -E2BIG for too many. */
int unit_paths_init(struct unit_paths *ret, const char *unit_path, bool systemd_units, bool user_mode);
/* Adds what generators wrote into RUNTIME_DIR/generator.early, generator and generator.late, at systemd.generator(7)'s
 * places; nothing where the usual directories are not read. Before the first use. 0, -ENOMEM, -E2BIG. */
int unit_paths_add_transient(struct unit_paths *p,
                             const char *runtime_dir); /* RUNTIME_DIR/transient, before all others */
int unit_paths_add_generated(struct unit_paths *p, const char *runtime_dir);
/* For now nothing more is to be read: forgets the index, which the next to need it fills again by one scan. */
void unit_paths_rest(struct unit_paths *p);
void unit_paths_done(struct unit_paths *p);
/* Whether a directory changed since this was last asked, or else first read. Costs a stat for each. */
bool unit_paths_changed(const struct unit_paths *p);
/* Whether a directory has a file for NAME, or for its template. */
bool unit_paths_have(const struct unit_paths *p, const char *name);
/* While held, the directories are looked at once, at the first need, and taken to stay as they are. */
void unit_paths_hold(struct unit_paths *p, bool hold);

/* What specifiers need and the disk does not hold. All strings borrowed; NULL = empty, and for the directories of
 * %t %S %C %L %E the usual ones: /run, /var/lib, /var/cache, /var/log, /etc. */
struct unit_context {
        const char *runtime_dir_root; /* %t: "/run", or $XDG_RUNTIME_DIR in user mode */
        const char *state_root, *cache_root, *logs_root, *configuration_root; /* %S %C %L %E */
        const char *host_name, *machine_id, *boot_id, *kernel_release;        /* %H %m %b %v */
        const char *user_name, *user_home, *user_shell;                       /* %u %h %s: of the manager's user */
        uid_t uid;                                                            /* %U */
        gid_t gid;                                                            /* %G */
        const char *group_name;                                               /* %g */
        uint64_t default_timeout_start_us, default_timeout_stop_us, default_restart_us; /* 0 = the built-in default */
};

/* Appends the blob of NAME (any of its names) to ret_blob. Unknown names and masked units give a blob too: it says so.
 * So does a unit with a file that exists but cannot be used (unreadable, no regular file, over 1 MiB, a loop of links):
 * its blob says LOAD_ERROR, the diag says which file and why. Never blocks on a FIFO or device.
 * Returns 0, -EINVAL for an invalid name, or what the system is short of (-ENOMEM, -EMFILE, -ENFILE), ret_blob
 * untouched. PATHS->index is brought up to date: one stat per directory, a scan only when one changed. */
int unit_gather(const struct unit_paths *paths, const char *name, struct buf *ret_blob, struct diag *diag);

/* The name under which NAME is known: where its links lead, or itself. 0, -EINVAL for an invalid name, or what the
 * system is short of. */
int unit_resolve(const struct unit_paths *paths, const char *name, char ret[static 256]);

/* Calls EACH with a line for everything that one blob says and the other does not: "- [Service] Restart=no",
 * "+ Wants=b.service". 0 when they are the same, 1 when they are not, or the first value of EACH that is not 0. */
int unit_blob_compare(const void *old_blob, size_t old_size, const void *new_blob, size_t new_size,
                      int (*each)(void *userdata, const char *line), void *userdata);

/* Parses a blob. Mistakes go to diag with file:line; a unit that cannot be used still comes back, with load_state and
 * load_error set. *ret is malloc'ed; free with unit_free(). Returns 0, -ENOMEM, or -EBADMSG for what is no blob. */
int unit_parse(const void *blob, size_t size, const struct unit_context *context, struct unit **ret, struct diag *diag);
void unit_free(struct unit *u);

/* Names. "foo@bar.service" has prefix "foo", instance "bar"; a template has an empty instance. */
bool unit_name_valid(const char *name);
bool unit_name_is_template(const char *name);
enum unit_type unit_name_type(const char *name); /* by the suffix; UNIT_OTHER when unknown */

/* Every name for which a unit file lies in PATHS (templates included), sorted, each once. Allocated in the arena. */
int unit_list_files(const struct unit_paths *paths, struct arena *arena, struct strings *ret);

#endif
