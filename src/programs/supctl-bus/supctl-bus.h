/* SPDX-License-Identifier: MIT
 *
 * supctl-bus from the inside. Files: main.c (verbs), options.c (command line), names.c (of units), enqueue.c, kill.c
 * and list-jobs.c (verbs on units and jobs), jobs.c (waiting for jobs and what their results mean to people and to exit
 * codes), errors.c and personality.c (what is said when something is refused), connection.c (the bus, and coming back
 * to it), show.c and value.c (properties), whole.c (verbs about supd itself), tree.c, why.c and plan.c (verbs that
 * explain; they look units up in the status table through units.c). Invariant: a job that was enqueued is waited for by
 * its id, across the end of supd-bus and of the manager.
 */
#ifndef SUPCTL_BUS_SUPCTL_BUS_H
#define SUPCTL_BUS_SUPCTL_BUS_H

#include <limits.h>
#include <systemd/sd-bus.h>

#include "base/buf.h"
#include "options/options.h"
#include "report/report.h"

#define BUS_NAME   "org.freedesktop.systemd1"
#define BUS_ROOT   "/org/freedesktop/systemd1"
#define MANAGER_IF BUS_NAME ".Manager"
#define SUPD_IF    "org.supd.Manager1"

struct options {
        bool systemctl; /* called as that */
        bool user, system, no_block, wait, quiet, all, full, reverse, plain, after, before, bare, no_legend, help,
                runtime, show_transaction;
        enum json_form json;
        const char *name, *job_mode, *whom, *signal, *value; /* NULL = not given */
        const char *runtime_dir_given;                       /* likewise */
        const char *properties[64];
        unsigned n_properties;
        const char *what[8]; /* of clean */
        unsigned n_what;
        char runtime_dir[PATH_MAX]; /* of the supd that is meant */
        struct command_line line;   /* owned: verb and arguments, without options */
};

struct job {
        char *path, *unit; /* owned */
        uint32_t id;
        char result[32]; /* "" while it goes on */
};

struct control {
        const struct options *options;
        sd_bus *bus; /* NULL while away */
        struct job *jobs;
        unsigned n_jobs;
        bool changed;   /* a property of some unit changed since this was last set to false */
        bool came_back; /* to a lost connection: the ends of jobs may have been told in between, to nobody */
};

struct verb {
        const char *name;
        int (*run)(struct control *c, const struct verb *v, char **args, int n);
        const char *method, *mode; /* mode: when --job-mode is not given; of verbs about supd: what fails, in words */
        bool again;                /* may be sent twice when the connection broke under it */
        int min_args, max_args;    /* -1 = any */
        const char *request;       /* of run_enqueue: the word for METHOD */
};

struct names {    /* of units, completed and expanded */
        char **v; /* owned, strings too */
        unsigned n;
};

struct units {                               /* the status table at one moment */
        struct supstatus_snapshot *snapshot; /* owned; NULL = none */
        uint32_t *by_name;                   /* owned: numbers of rows */
        char instance[96];
};

struct units_names { /* names among the properties of a unit */
        struct units_name {
                char *name;     /* owned */
                unsigned which; /* property that has it */
        } * v;                  /* owned */
        unsigned n;
};

/* options.c */
extern const struct option_table supctl_bus_options;
int bus_options_parse(struct options *o, int argc, char **argv); /* o->line has the mistakes; -ENOMEM, -ENAMETOOLONG */

/* names.c */
/* Fills RET from words: SUFFIX behind those that have none; a pattern is what it matches of what is loaded. Says what
 * is wrong; negative errno then, and RET has what came before. */
int names_of(struct control *c, char **args, int n, const char *suffix, struct names *ret);
void names_done(struct names *l);
bool unit_has_suffix(const char *name);

/* errors.c */
int error_exit_code(const sd_bus_error *e); /* systemctl's */
/* Says that WHAT could not be done to UNIT; its exit status. */
int failed_to(const struct control *c, const char *what, const char *unit, int r, const sd_bus_error *e);
/* And where to look for why, where the error itself does not say all. */
void failed_hint(const struct control *c, const char *unit, int r, const sd_bus_error *e);

/* enqueue.c, kill.c, list-jobs.c: verbs */
int run_enqueue(struct control *c, const struct verb *v, char **args, int n);
int run_target(struct control *c, const struct verb *v, char **args, int n);
int run_kill(struct control *c, const struct verb *v, char **args, int n);
int run_clean(struct control *c, const struct verb *v, char **args, int n);
int run_freeze(struct control *c, const struct verb *v, char **args, int n);
int run_reset_failed(struct control *c, const struct verb *v, char **args, int n);
int run_cancel(struct control *c, const struct verb *v, char **args, int n);
int run_list_jobs(struct control *c, const struct verb *v, char **args, int n);

/* units.c */
int units_open(struct units *u, const struct options *o); /* says what is wrong; 0 or -errno */
void units_done(struct units *u);
bool units_find(const struct units *u, const char *name, uint32_t *ret);
const struct supd_status_row *units_row(const struct units *u, const char *name); /* NULL: not loaded */
const char *units_name_at(const struct units *u, uint32_t number);                /* of the row NUMBER; NULL */
/* The names in PROPERTIES (up to a NULL) of UNIT. 0 or -errno. */
int units_names_of(struct control *c, const char *unit, const char *const *properties, struct units_names *ret);
int units_names_add(struct units_names *n, const char *name, unsigned which); /* copies; > 0, or -ENOMEM */
void units_names_done(struct units_names *n);
char *unit_full(const char *word, const char *suffix); /* malloc'ed; NULL: no memory */

/* tree.c, why.c, plan.c: verbs */
int run_tree(struct control *c, const struct verb *v, char **args, int n);
int run_why(struct control *c, const struct verb *v, char **args, int n);
int run_plan(struct control *c, const struct verb *v, char **args, int n);

/* connection.c */
int control_connect(struct control *c);                 /* says what is wrong; 0 or -errno */
int control_reconnect(struct control *c);               /* within about 10 s */
bool error_is_disconnect(int r, const sd_bus_error *e); /* the connection is gone, rather than the request refused */
/* Calls a method of the manager; comes back to a lost connection when AGAIN. */
int control_call(struct control *c, const char *interface, const char *method, bool again, sd_bus_error *e,
                 sd_bus_message **ret, const char *types, ...);
int control_turn(struct control *c); /* handles one message, or waits for one; -errno when the connection is gone */

/* jobs.c */
int jobs_add(struct control *c, const char *path, const char *unit);
int jobs_wait(struct control *c);   /* exit code */
void jobs_print(struct control *c); /* as JSON: what was accepted, and what came of it as far as that is known */
void jobs_free(struct control *c);
int jobs_on_message(sd_bus_message *m, void *userdata, sd_bus_error *e);
int unit_property(struct control *c, const char *unit, const char *interface, const char *name, char **ret);
int units_wait_inactive(struct control *c, char **units, unsigned n); /* exit code */

/* value.c */
enum value_form {
        VALUE_NONE,  /* of a type that is not known here */
        VALUE_WORDS, /* NAME=… */
        VALUE_LINES, /* one NAME=… for each, none if there are none */
};
/* Takes a variant from M, the value of property NAME: into J under that key, or as words to OUT when J is NULL. An enum
 * value_form, or negative errno. */
int value_take(struct buf *out, struct json *j, sd_bus_message *m, const char *name);

/* value-rare.c: values that have words of their own, by name and type. 0, or -EOPNOTSUPP: it has none. */
int value_rare(struct buf *out, sd_bus_message *m, const char *name, const char *type);

/* show.c */
int run_show(struct control *c, const struct verb *v, char **args, int n);

/* set-property.c: a verb */
int run_set_property(struct control *c, const struct verb *v, char **args, int n);

/* whole.c: verbs */
int run_service_watchdogs(struct control *c, const struct verb *v, char **args, int n);
int run_show_environment(struct control *c, const struct verb *v, char **args, int n);
int run_environment(struct control *c, const struct verb *v, char **args, int n);
int run_import_environment(struct control *c, const struct verb *v, char **args, int n);
int run_log(struct control *c, const struct verb *v, char **args, int n);
int run_reload(struct control *c, const struct verb *v, char **args, int n);
int run_end(struct control *c, const struct verb *v, char **args, int n);

#endif
