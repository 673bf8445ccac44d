/* SPDX-License-Identifier: MIT
 *
 * supctl: what the user types. Verbs that only look are answered here from the status table; every other verb is
 * handed, words unchanged, to supctl-bus. This header is what its files share.
 *
 * Not here: changing anything, and the bus. Invariant: no verb of this program waits for the manager or asks it.
 */
#ifndef SUPD_SUPCTL_H
#define SUPD_SUPCTL_H

#include <stdio.h>

#include "install/install.h"
#include "options/options.h"
#include "report/report.h"

struct options {
        const char *name;        /* instance, NULL = none given */
        const char *runtime_dir; /* NULL = none given */
        const char *root;        /* for verbs on files; NULL = none given */
        const char *timeout;     /* a span; NULL = none given */
        bool systemctl;          /* called as that: the system's supd is meant, whoever asks */
        bool user, all, failed, quiet, full, plain, no_legend, value, help, version;
        bool runtime, force, now, global, no_reload, strict; /* for verbs on files */
        unsigned preset_mode;                                /* enum install_preset_mode */
        enum json_form json;
        unsigned lines; /* of the log; default 10 */
        bool lines_given, no_follow;
        const char *types[16], *states[16], *properties[256];
        unsigned n_types, n_states, n_properties;
        char **argv;              /* as we were called */
        struct command_line line; /* owned: verb and arguments, without options */
};

enum { TABLE_UNUSED = -1 };

/* exit statuses, as systemctl and LSB have them */
enum {
        EXIT_OK = 0,
        EXIT_ERROR = 1,
        EXIT_NOT_RUNNING = 3,
        EXIT_UNKNOWN = 4,
        EXIT_TIMEOUT = 124, /* as timeout(1) has it */
};

struct view { /* what verbs work on */
        const struct options *options;
        struct supstatus *table;
        struct supstatus_snapshot *snapshot; /* owned; of the last look */
        const char *instance;
        const struct supstatus_snapshot *writer_of; /* the snapshot that WRITER was asked for */
        int writer;                                 /* SUPSTATUS_WRITER_*, or negative errno */
        struct supstatus_snapshot *units;           /* owned; of view_unit_at(); NULL: not asked yet */
        uint32_t n_matching;                        /* units that the latest pattern means */
        bool colour, terminal;
        unsigned width; /* of the terminal; 0 = no limit */
};

struct verb {
        const char *name;
        const char *arguments; /* for people */
        unsigned min, max;     /* number of arguments */
        int no_table;          /* exit status when there is no table to look into; TABLE_UNUSED: it needs none */
        int (*run)(struct view *v, const char *const *words, unsigned n); /* NULL: supctl-bus does it */
        const char *help;
};

/* options.c */
extern const struct option_table supctl_options;
int options_parse(struct options *o, int argc, char **argv); /* 0, -ENOMEM; o->line has the mistakes */

/* bus.c */
int bus_go_on(const struct options *o);         /* supctl-bus does the verb; comes back only when it cannot be run */
bool bus_can_be_asked(const struct options *o); /* there is a supd that lives, and may be asked */

/* view.c: looks at the table. Errors are printed. */
const char *unit_full_name(const char *word,
                           char ret[256]); /* ".service" behind a name without suffix; NULL: too long */
bool is_pattern(const char *word);
int view_open(struct view *v, char instance[80]); /* 0 or negative errno */
int view_all(struct view *v);                     /* v->snapshot has all units */
int view_one(struct view *v, const char *name);   /* v->snapshot has that one; -ESRCH when not loaded */
/* Sleeps until something was published behind SNAP, TIMEOUT_US at most: 1, 0, or -errno when there is no table any
 * more (printed). Opens a table anew that has been replaced. */
int view_wait(struct view *v, const struct supstatus_snapshot *snap, uint64_t timeout_us);
void view_done(struct view *v);
bool view_warn(struct view *v, FILE *to); /* says so when the writer is gone or stopped, and the age of the data */
const char *view_writer(struct view *v);  /* "alive", "stopped", "gone" */
/* Without a word: is there a supd that lives? And where it looks for units, or one would; TEXT is the memory for it. */
bool view_is_alive(const struct options *o);
void view_runtime_dir(const struct options *o, char ret[4096]);
void view_place(const struct options *o, char text[4096], struct install_place *ret);
/* The name of the unit whose row has NUMBER; NULL: none has. Lives until the next call. */
const char *view_unit_at(struct view *v, uint32_t number);
/* Row numbers of v->snapshot sorted by type, then name; malloc'ed. */
int view_sorted(struct view *v, uint32_t **ret);
/* Calls EACH for every unit that WORDS mean: names, patterns, pids. FOUND is false for a name that is not loaded (then
 * NAME says which). Returns the first exit status that is not 0. */
int view_each(struct view *v, const char *const *words, unsigned n,
              int (*each)(struct view *v, const char *name, bool found, uint32_t i));

/* sample.c: what the kernel says right now */
struct sample {
        bool from_cgroup;
        uint64_t tasks, memory, cpu_us; /* UINT64_MAX = not known */
        char command[64], state;        /* of the main process; state 0 = there is none */
};
void sample_take(const struct supd_status_row *row, const char *cgroup, struct sample *ret);
/* What FILE of CGROUP holds; false when it cannot be read. */
bool sample_cgroup_text(const char *cgroup, const char *file, char *ret, size_t size);
const char *sample_state_word(char state);                 /* "sleeping", … */
uint32_t sample_unit_of_pid(struct view *v, uint32_t pid); /* row of the unit that PID belongs to; UINT32_MAX = none */

/* limits.c: what property NAME of the cgroup CGROUP is right now, in the words of systemd; false: there is none. */
bool limit_value(const char *cgroup, const char *name, struct buf *out);

/* log-tail.c */
/* An empty line, and then the lines; nothing when there are none. Lines printed, or negative errno. */
int log_tail(const char *path, unsigned lines, bool raw, FILE *to);

/* properties.c */
/* Is everything that the options ask for in the table, so that supd need not be asked? */
bool properties_suffice(const struct options *o, bool manager);
int properties_print(struct view *v, uint32_t i);                 /* A=value lines */
void properties_json(struct view *v, struct json *j, uint32_t i); /* members of an open object */
int properties_manager(struct view *v);

/* verbs */
int verb_status(struct view *v, const char *const *words, unsigned n);
int verb_list_units(struct view *v, const char *const *words, unsigned n);
int verb_list_triggers(struct view *v, const char *const *words, unsigned n);
int verb_is_active(struct view *v, const char *const *words, unsigned n);
int verb_is_failed(struct view *v, const char *const *words, unsigned n);
int verb_is_system_running(struct view *v, const char *const *words, unsigned n);
int verb_events(struct view *v, const char *const *words, unsigned n);
int verb_history(struct view *v, const char *const *words, unsigned n);
int changes_open(struct view *v, struct supstatus_changes **ret); /* errors are printed */
int verb_wait(struct view *v, const char *const *words, unsigned n);
int verb_show(struct view *v, const char *const *words, unsigned n);

/* unit-file-state.c: what the files say of a unit of which one was loaded from PATH, as words for people; "" when PATH
 * is empty or gone, and for a preset that does not matter. */
void unit_file_words(const struct options *o, const char *unit, const char *path, const char **ret_state,
                     const char **ret_preset);

/* unloaded.c: tells of unit NAME, which is not in the table, what its files say, as JSON or as words; N_PRINTED counts
 * the units printed before. False when there are none. */
bool unit_has_file(const struct options *o, const char *name); /* found where units are looked for */
bool unloaded_status(struct view *v, const char *name, struct json *j, unsigned *n_printed);

/* verbs on files: unit-files.c, cat.c, verify.c */
int verb_change_files(struct view *v, const char *const *words, unsigned n);
int verb_preset_all(struct view *v, const char *const *words, unsigned n);
int verb_add_dependency(struct view *v, const char *const *words, unsigned n);
int verb_get_default(struct view *v, const char *const *words, unsigned n);
int verb_set_default(struct view *v, const char *const *words, unsigned n);
int verb_is_enabled(struct view *v, const char *const *words, unsigned n);
int verb_cat(struct view *v, const char *const *words, unsigned n);
int verb_verify(struct view *v, const char *const *words, unsigned n);
int verb_list_unit_files(struct view *v, const char *const *words, unsigned n);

#endif
