/* SPDX-License-Identifier: MIT
 *
 * The manager: the brain of supd, and the only writer of the durable log and of the status table. It owns no process,
 * and may die at any instruction: recovery (recover.c) is the only way it starts.
 *
 *   main.c      command line, fds from the keeper, the order of starting up
 *   requests.c  the first unit; what the keeper asks for
 *   loop.c      epoll and one timerfd: fds and deadlines become calls
 *   engine.c    events → table → commit → effects: the order that makes a crash harmless
 *   service.c   the actions of the table
 *   jobs.c      jobs: installing, running, ending; what follows from them (graph/)
 *   launch.c    plans on their way, starts that came to their end
 *   launcher.c  the launcher process, and which file it is
 *   procs.c     which processes belong to a unit, and signals to them
 *   groups.c    the units' cgroups (cgroup/)
 *   oom.c       what the kernel kills because memory ran out
 *   resources.c their limits: controllers, slices, shares of the machine
 *   generators.c the unit generators, before units are read
 *   file-states.c which unit files are enabled, after units were read
 *   exits.c     the exit ring, PID files, watched processes
 *   notify.c    sd_notify messages
 *   fdstore.c   fds that services give to be kept
 *   units.c     loading, names, blobs, daemon-reload
 *   poison.c    units that kill managers
 *   recover.c   from the durable state to a running manager
 *   check.c     could this program do that? The dry run of an upgrade
 *   upgrade.c   daemon-reexec: becoming what is installed
 *   emergency.c what the end of a unit does to the whole: FailureAction= and its kin
 *   publish.c   rows of the status table
 *   changes.c   what happened to units and why: the record of changes
 *   api.c       what supd-bus asks (control/)
 *   api-show.c  properties, as D-Bus clients see them
 *   api-plan.c  what a request or a daemon-reload would do
 *   api-change.c  the manager's environment, log level, end; processes, signals with a value
 *   transient.c units whose files were written for one run
 *   front.c     sockets for others, the paths of systemd, supd-bus
 *   config.c    supd.conf
 *
 * Invariant: at every commit the event queue is empty, so that a unit's record says everything that is to go on.
 */
#ifndef SUPD_MANAGER_H
#define SUPD_MANAGER_H

#include "cgroup/cgroup.h"
#include "control/control.h"
#include "exec/plan.h"
#include "graph/graph.h"
#include "machine/machine.h"
#include "state/state.h"
#include "status/changes.h"
#include "status/status.h"
#include "sys/sys.h"
#include "unit/load.h"

/* ---- durable: what a unit's record holds; fields are only added at the end ----------------------------------------
 */

#define PROCESS_LAUNCHING (1u << 0) /* the intent is committed; how it ended is not yet known */
#define PROCESS_RUNNING   (1u << 1) /* in a slot; no exit has been recorded */
#define PROCESS_CHECK     (1u << 2) /* it evaluates Condition*= and Assert*= */
#define PROCESS_CLEANUP   (1u << 3) /* it removes runtime directories */
#define PROCESS_CLAIMED   (1u << 4) /* found by PID file, guess or MAINPID= */
#define PROCESS_FOREIGN   (1u << 5) /* no child of the keeper: watched by pidfd, exit status not to be had */
#define PROCESS_SPAWN_BAD (1u << 6) /* set-up or exec failed: the exit status is ours */
#define PROCESS_IDLE      (1u << 7) /* Type=idle: counts as launched, and is when nothing else has to be done */

struct process_durable {
        uint32_t slot, generation; /* generation 0: no slot */
        uint32_t pid;              /* 0 = none or not yet known */
        uint32_t session;
        uint32_t flags, command_flags; /* PROCESS_*, EXEC_* */
        int32_t code, status;          /* of the last one that ended */
        uint32_t last_pid, reserved;
        uint64_t start_time; /* clock ticks */
        uint64_t start_real_us, start_mono_us, exit_real_us, exit_mono_us;
};

#define UNIT_STOP_REQUESTED   (1u << 0) /* somebody asked for a stop (or restart): no automatic restart */
#define UNIT_CONDITION_FAILED (1u << 1)
#define UNIT_ASSERT_FAILED    (1u << 2)
#define UNIT_MAIN_UNKNOWN     (1u << 3) /* forking without a main process: alive while anything of it lives */
#define UNIT_FROZEN           (1u << 4) /* three managers died on it */
#define UNIT_WAIT_PIDFILE     (1u << 5)
#define UNIT_AUTO_RESTART     (1u << 6) /* the start at hand is an automatic one */
#define UNIT_LIMIT_HIT        (1u << 7)
/* (1u << 8) was something else once */
#define UNIT_SAYS_RELOADING (1u << 9) /* the last of READY=1, RELOADING=1, STOPPING=1 was this one */
#define UNIT_SAYS_STOPPING  (1u << 10)
#define UNIT_PIDFILE_READ   (1u << 11) /* … behind ExecStartPost= */
#define UNIT_GROUP          (1u << 20) /* its processes are started in its cgroup, */
#define UNIT_OUTSIDE        (1u << 21) /* … but at least one of them is not in it */

struct job_durable {
        uint32_t id;
        uint8_t type; /* enum job_type; JOB_NONE = no job */
        uint8_t running, irreversible, ignore_order;
        uint8_t request[16]; /* id of the request that led to it; zero = none */
};

/* The last main process, for those who ask while its successor has not begun. */
struct past_durable {
        uint32_t pid;
        int32_t code, status;
        uint32_t reserved;
        uint64_t start_real_us, start_mono_us, exit_real_us, exit_mono_us;
};

struct cause_durable {    /* why something began */
        uint32_t what;    /* SUPD_CAUSE_*, */
        uint32_t by, pid; /* … and who: as noted there */
};

struct unit_durable {
        uint32_t size;
        uint8_t state, result, list, reload_bad; /* enum machine_state, machine_result, exec_kind */
        uint16_t command, reserved0;
        uint32_t flags;
        struct process_durable main, control;
        struct job_durable job;
        uint64_t deadline_us; /* CLOCK_MONOTONIC; 0 = none */
        uint64_t active_enter_real, active_enter_mono, active_exit_real, active_exit_mono;
        uint64_t inactive_enter_real, inactive_enter_mono, inactive_exit_real, inactive_exit_mono;
        uint64_t change_real, change_mono;
        uint64_t limit_begin_us;
        uint32_t limit_count, n_restarts;
        uint8_t invocation[16];
        int32_t status_errno;
        uint32_t oom_kills;   /* of memory.events, as it was seen last */
        uint64_t watchdog_us; /* the time within which a ping has to come, of this activation; 0 = none */
        struct past_durable past;
        uint64_t job_deadline_us; /* CLOCK_MONOTONIC; 0 = none */
        uint64_t reload_begin_us; /* when ReloadSignal= was sent: what is older is no answer to it */
        struct cause_durable job_cause, start_cause, stop_cause; /* the last two of this activation */
        uint32_t past_end;                                       /* activations that are over */
        uint64_t begin_real_us, begin_mono_us;                   /* of the one that goes on */
        uint32_t left[DURABLE_MAX_LEFT];                         /* by ExecStart= of Type=forking: as in its slot */
};

struct job_done {
        uint32_t id, unit;
        uint8_t type, result, reserved[6];
        uint8_t request[16];
};

struct meta_durable {
        uint32_t next_job, blob_generation;
        uint64_t blob_size;
        uint32_t keeper_pid, flags; /* META_* */
        uint64_t keeper_start;
        uint64_t started_real_us, started_mono_us;
        int32_t exit_status;      /* of supd itself */
        uint32_t log_level;       /* as asked for over D-Bus: 1 + a level of syslog; 0 = that of supd.conf */
        char reboot_argument[64]; /* NUL-terminated */
};
#define META_STOPPING   (1u << 0)
#define META_BOOTED     (1u << 1) /* the start job of the default unit has been put */
#define META_REBOOT     (1u << 2) /* what is to follow the end */
#define META_POWER      (1u << 3)
#define META_FORCE      (1u << 4) /* what is to be stopped is signalled at once, and asked by no ExecStop= */
#define META_AT_ONCE    (1u << 5) /* nothing is stopped: the kernel ends it */
#define META_TAKEN_OVER (1u << 6) /* a keeper died: what it left is not below ours */
#define META_HALT       (1u << 7)
#define META_KEXEC      (1u << 8)
#define META_RELOAD     (1u << 16) /* asked for by a signal, and not done yet */

struct changes_durable {
        uint64_t id;  /* random; of the object that the numbers mean. 0: none was made yet */
        uint64_t end; /* changes so far */
};

struct blob_durable {
        uint64_t offset;
        uint32_t size, generation;
        uint64_t read_us; /* CLOCK_REALTIME: when the files were read */
};

/* ---- in memory ------------------------------------------------------------------------------------------------------
 */

struct manager;

/* What a unit may have deadlines for. That of the watchdog is not durable: whoever takes over gives a full period. */
enum deadline { DEADLINE_STATE, DEADLINE_WATCHDOG, DEADLINE_JOB, N_DEADLINES };

/* The running side of a unit. */
struct run {
        uint32_t id;
        bool dirty, unpublished, loaded, edges_made;
        bool pidfile_unread; /* nobody could look into its PID file: again in 50 ms */
        bool look;           /* LOOK_EMPTY is due */
        bool none_seen;      /* no process was found that could write the PID file; a second look decides */
        bool launch_listed;  /* in manager.launching */
        bool sent[2];        /* the plan of the start at hand has gone out: main, control */
        uint8_t kill_due;    /* enum kill_what, an effect of this turn */
        uint8_t kill_again;  /* not all could be found: once more with the look in 50 ms */
        char *name;          /* owned */
        struct unit *unit;   /* owned; never NULL once loaded */
        struct blob_durable blob;
        char *status_text; /* owned; NULL = none */
        unsigned heap_at;  /* place among the timers + 1; 0 = not there */
        bool unread;       /* its text is poison (poison.c) */
        bool strange;      /* its record says what this version does not know (recover.c) */
        char *slice;       /* owned: where its cgroup lies although Slice= says otherwise by now; NULL = it does not */
        const char *lack;  /* a directive for which there is no controller, as it was told; NULL = none */
        bool slice_dirty;
        int oom_watch;    /* inotify watch on its memory.events; 0 = none */
        bool group_empty; /* its cgroup was seen empty, and nothing was started in it since: so it stays */
        int group_watch;  /* inotify watch on its cgroup.events; 0 = none (they count from 1) */
        uint64_t due_us;  /* the earliest of its deadlines; 0 = none */
        uint64_t watchdog_deadline_us;
        struct fdstore *fds; /* owned; NULL = it keeps nothing */
        int watch_fd;        /* pidfd of one process that is waited for; -1 = none */
        struct source *watch_source;
        struct unit_durable d;
};

enum kill_what {
        KILL_NOTHING,
        KILL_FOR_RELOAD,
        KILL_WITH_TERM,
        KILL_WITH_ABORT,
        KILL_WITH_KILL,
        KILL_CONTROL_ONLY,
};

struct event {
        uint32_t unit;
        uint8_t event;
        int32_t code, status; /* of an exit; code -1: it could not even be started */
};

struct source { /* something in the loop; owned by the loop until loop_remove() */
        int fd;
        void (*ready)(struct manager *m, struct source *s, uint32_t events);
        void *userdata;
        bool dead;
        struct source *next_dead;
};

struct announcement { /* told to supd-bus behind the commit */
        uint32_t unit;
        struct control_job job;
        enum { ANNOUNCE_JOB_NEW, ANNOUNCE_JOB_REMOVED, ANNOUNCE_UNIT } what;
};

enum { N_FRONT_FDS = 2 };

enum { N_CHANGES_PENDING = 32 };

enum { N_ASKED_DONE = 128, N_PULLED_IN_DONE = 32 }; /* ended jobs that are remembered */

/* Those that callers asked for have a ring of their own: a caller who comes back finds his among a thousand that it
 * pulled in. */
enum done_ring { DONE_ASKED, DONE_PULLED_IN, N_DONE_RINGS };

struct done_jobs {
        struct job_done v[N_ASKED_DONE]; /* the smaller ring uses its first N_PULLED_IN_DONE */
        uint32_t n, recorded;            /* ever added; of these in the log */
};

struct list_u32 {
        uint32_t *v; /* owned */
        size_t n, allocated;
};

struct name_slot {
        const char *name; /* NULL = empty */
        uint32_t unit;
};

struct manager {
        /* command line and supd.conf */
        bool user_mode, verbose;
        const char *name, *runtime_dir, *unit_path, *default_unit, *config_file;
        char *log_dir;      /* owned */
        bool log_dir_given; /* on the command line: supd.conf does not change it */
        bool systemd_units;
        enum { COMPAT_AUTO, COMPAT_NO, COMPAT_YES } systemd_compat; /* the paths that systemctl looks for */
        uint64_t default_timeout_start_us, default_timeout_stop_us, default_restart_us;
        char *control_group; /* owned; group that may use the control socket */
        char *cgroups;       /* owned; CGroups=: "auto", "no", or the directory that is ours; NULL = auto */

        /* from the keeper */
        int state_fd, bell_fd, keeper_fd, life_fd;
        pid_t keeper_pid;

        struct state *state;
        struct durable_header *header;
        char *const *argv; /* borrowed */
        bool checking;     /* this is a dry run (check.c) */
        struct {
                uint64_t at, outer;     /* the marker; that of the step it is set within */
                uint64_t watch, guilty; /* what the last manager died on; what three died on */
        } poison;
        struct status_table *table;
        struct meta_durable meta;
        bool meta_dirty, recovering, ending;

        struct run **runs; /* owned; by unit id */
        uint32_t n_runs, runs_allocated;
        struct name_slot *hash; /* owned; the names are the runs' and units' */
        uint32_t hash_size, hash_used;
        struct list_u32 to_load;       /* wanted by others, not read yet */
        struct list_u32 to_edge;       /* read again: edges to be drawn */
        struct list_u32 to_load_again; /* what could not be read for want of fds or memory */
        unsigned boot_tries;           /* of those that waited for it */
        struct unit **stale;           /* owned: replaced units whose names the hash may still use */
        size_t n_stale;
        bool compact_due, rest_due; /* rest: units were read since units_rest() */
        struct unit_paths paths, own_paths,
                no_paths; /* own: the units that supd writes for itself; no: of none at all */
        struct unit_context context;
        struct graph *graph;
        int blob_fd;
        struct buf blobs; /* kept text that is not written yet: the last bytes of meta.blob_size */

        struct {
                struct changes *object; /* owned; NULL = there is none */
                bool tried, dirty;      /* dirty: d is to be committed */
                struct changes_durable d;
                struct supd_change pending[N_CHANGES_PENDING]; /* not written yet */
                unsigned n_pending;
        } changes;

        /* engine */
        struct event *queue; /* owned; a ring */
        size_t queue_head, queue_n, queue_allocated;
        struct list_u32 dirty, unpublished, effects, looks, launching, unsent, freed_slots;
        struct list_u32 claims;          /* units whose main process was found: it is claimed behind the commit */
        struct list_u32 fd_drops;        /* pairs: what the keeper is to forget, behind the commit */
        struct list_u32 orphans_taken;   /* pids whose end the keeper had among its orphans, and the record has now */
        struct list_u32 idle;            /* starts of Type=idle that are held back */
        struct list_u32 transaction;     /* units of the last one that was put, the one asked for first */
        struct list_u32 continues;       /* runs that were told to end, and may be stopped */
        struct list_u32 looks_later;     /* where a process cannot be watched: looked at again in 50 ms */
        uint32_t exits_taken;            /* ring entries to be acknowledged behind the next commit */
        struct list_u32 transient_ended; /* units whose files may go */
        struct announcement *announcements; /* owned */
        size_t n_announcements, announcements_allocated;
        struct done_jobs done[N_DONE_RINGS];
        uint64_t n_impossible, live_units;
        uint32_t live_counted;

        /* loop */
        int epoll_fd, timer_fd, signal_fd;
        struct source *dead_sources;
        struct run **heap; /* owned; by due_us */
        unsigned heap_n, heap_allocated;
        uint64_t unwritten_us;   /* CLOCK_MONOTONIC of the first commit that failed, of those in a row; 0 = none */
        bool unwritten_end;      /* everything is stopped without commits */
        uint32_t requests_taken; /* of the header's, cleared there with the next commit */
        uint64_t timer_armed_us, publish_retry_us, crowd_publish_us, table_retry_us, commit_retry_us, idle_until_us,
                front_retry_us, load_retry_us, doors_retry_us;
        unsigned table_tries;

        /* launcher */
        pid_t launcher_pid;
        int plans_fd, launcher_file; /* file: the launcher that runs, until it is known to work; -1 = none */
        struct source *plans_source;
        struct buf plan;
        char notify_path[108];
        const char *const *base_environment; /* what services get: own_environment and over it what was set */
        const char *const *own_environment;
        struct buf environment; /* what was set over D-Bus: NAME=value, each with its NUL */
        bool environment_dirty;
        struct {
                uint64_t soft, hard;
                bool set;
        } nofile;

        /* processes, looked at once a turn */
        struct sys_pids orphans;
        bool orphans_known, looks_soon;
        uint64_t orphans_at_us, orphans_cost_us; /* when they were last read, and how long that took */

        struct {
                pid_t pid; /* 0 = they do not run */
                bool boot, again;
        } generators;
        struct {
                pid_t pid;       /* 0 = supd-unit-files does not run */
                uint64_t due_us; /* CLOCK_MONOTONIC; 0 = what is known is of the last load */
        } file_states;
        struct {
                enum { UPGRADE_NONE, UPGRADE_CHECK, UPGRADE_KEEPER } step;
                pid_t pid;         /* of the dry run; 0 = it does not run */
                uint32_t answers;  /* header.keeper_asked before we asked */
                uint64_t until_us; /* 0 = none */
        } upgrade;
        struct {
                uint32_t on, tried; /* GROUP_*: controllers for what lies in the base; asked for */
                struct plan_whole whole;
                bool whole_known;
        } resources;
        struct {
                struct cgroup c;
                bool unrecorded; /* the record of the base is to be put */
                int inotify_fd;  /* cgroup.events of what is waited for */
                struct source *source;
                struct list_u32 waiting, leaving; /* units: watched; ended, with a directory that may go */
                struct list_u32 memory;           /* units with oom_watch */
        } groups;

        int notify_fd, inotify_fd, control_fd; /* control: SEQPACKET for supd-bus */
        int front_fds[N_FRONT_FDS];            /* D-Bus, for it: RUNTIME_DIR/control, /run/systemd/private; -1 = none */
        struct control_server *control;
        struct source *front_sources[N_FRONT_FDS], *inotify_source, *notify_source;
        bool ready_said, notify_held, notify_uncommitted;
        struct source *keeper_source;
        unsigned n_stored, n_fdstores; /* fds that are kept for services; services that ever had one */
};

/* ---- small helpers (main.c) ---- */
int list_add(struct list_u32 *l, uint32_t v); /* 0; ends the manager when memory is short */
void log_line(const struct manager *m, const char *unit, const char *format, ...) printf_like_(3, 4);
void log_diag(const struct manager *m, const struct diag *d);
void requests_take(struct manager *m);
void begin_default(struct manager *m); /* starts the default unit, once */
void doors_turn(struct manager *m);    /* sockets for others that could not be opened */
void stop_go_on(struct manager *m);    /* towards the end of supd, once it has been asked for */
void context_init(struct manager *m);  /* what specifiers and plans need to know of the machine */
void keeper_store(struct manager *m, const char *name, int fd); /* the fd outlives this manager */

/* ---- loop.c ---- */
int loop_init(struct manager *m);
int loop_add(struct manager *m, int fd, uint32_t events, void (*ready)(struct manager *, struct source *, uint32_t),
             void *userdata, struct source **ret); /* the fd stays the caller's */
int loop_change(struct manager *m, struct source *s, uint32_t events);
void loop_remove(struct manager *m, struct source *s); /* NULL is fine; the fd is not closed */
bool loop_crowd_ends(const struct manager *m);         /* everything is to stop, and very many units have not yet */
int loop_run(struct manager *m);
void loop_beat(struct manager *m); /* for who watches: a start, or a turn, has got on */
void timer_set(struct manager *m, struct run *r, enum deadline which, uint64_t deadline_us); /* 0 = none */
uint64_t timer_get(const struct run *r, enum deadline which);
void timer_restore(struct manager *m, struct run *r);

/* ---- engine.c ---- */
void engine_post(struct manager *m, struct run *r, enum machine_event e, int code, int status);
void engine_settle(struct manager *m); /* until nothing is left to do now */
_Noreturn void engine_out_of_memory(void);
int engine_commit(struct manager *m);                /* only with an empty queue */
void engine_touch(struct manager *m, struct run *r); /* its record and row changed */
void engine_show(struct manager *m, struct run *r);  /* its row changed, its record did not */
int engine_compact(struct manager *m);
uint64_t engine_live_bytes(struct manager *m);

/* ---- service.c ---- */
uint32_t service_facts(struct manager *m, struct run *r);
void service_act(struct manager *m, struct run *r, enum machine_action a, const struct event *e);
void service_state_changed(struct manager *m, struct run *r, enum machine_state old);
enum unit_active run_active(const struct run *r);
bool unit_skipped_asserts(const struct run *r);          /* a Condition*= did not hold */
struct past_durable run_main_shown(const struct run *r); /* what ExecMain… properties say */
void service_look(struct manager *m, struct run *r);
void service_kill(struct manager *m, struct run *r, enum kill_what what);
void service_continue(struct manager *m);              /* what service_kill() has put off */
enum kill_what service_kills_in(enum machine_state s); /* what a state sends on entry to all of the unit */
void service_watchdog(struct manager *m,
                      struct run *r); /* from now on a whole period, where the state has a watchdog */
bool service_can_reload(const struct unit *u);
bool service_find_main(struct manager *m, struct run *r);

/* ---- jobs.c ---- */
struct graph_node;
const struct graph_node *jobs_look(void *userdata, uint32_t unit);
enum graph_error jobs_enqueue(struct manager *m, struct run *r, enum job_request request, enum job_mode mode,
                              struct cause_durable why, bool by_user, const uint8_t request_id[16], uint32_t *ret_job,
                              uint32_t *ret_culprit, struct diag *diag);
/* The same without installing anything. */
enum graph_error jobs_transaction(struct manager *m, struct run *r, enum job_request request, enum job_mode mode,
                                  bool by_user, struct transaction *ret, uint32_t *ret_culprit, struct diag *diag);
void jobs_run(struct manager *m, struct run *r);
void jobs_finish(struct manager *m, struct run *r, enum job_result result);
void jobs_timed_out(struct manager *m, struct run *r);
void jobs_state_changed(struct manager *m, struct run *r, enum unit_active before, enum unit_active now);
unsigned jobs_shutdown(struct manager *m);
bool jobs_shutdown_done(const struct manager *m);
void jobs_remember_done(struct manager *m, const struct job_done *j);
uint32_t jobs_done_first(const struct manager *m, enum done_ring ring); /* the oldest that is still there */
const struct job_done *jobs_done_at(const struct manager *m, enum done_ring ring, uint32_t i);
const struct job_done *jobs_find_done(const struct manager *m, uint32_t id);
const struct job_done *jobs_last_done(const struct manager *m, uint32_t unit);

/* ---- emergency.c ---- */
void emergency_state_changed(struct manager *m, struct run *r, enum unit_active before, enum unit_active now);
void emergency_limit_hit(struct manager *m, struct run *r);
void emergency_job_timeout(struct manager *m, struct run *r);

/* ---- launcher.c ---- */
int launch_start(struct manager *m);   /* the launcher itself */
void launcher_keep(struct manager *m); /* it works: the keeper has it for a manager that finds another */
void launch_child(struct manager *m);  /* SIGCHLD */

/* ---- poison.c ---- */
void poison_step(struct manager *m, const struct run *r, enum machine_event e); /* the marker, until poison_past() */
void poison_reading(struct manager *m, uint32_t hash);                          /* likewise */
uint32_t poison_hash(const void *data, size_t size);                            /* of a text, or of a name */
void poison_past(struct manager *m);
bool poison_is(struct manager *m, uint32_t hash); /* not to be read */
void poison_forget(struct manager *m, uint32_t hash);
void poison_forget_all(struct manager *m);
void poison_judge(struct manager *m);
void poison_freeze(struct manager *m);

/* ---- upgrade.c, check.c ---- */
int upgrade_begin(struct manager *m); /* -EINPROGRESS: control_reexecute_refused(), or this process ends */
void upgrade_checked(struct manager *m, int status); /* the dry run has ended */
void upgrade_look(struct manager *m);                /* the bell: the keeper may have answered */
void upgrade_timeout(struct manager *m);
int check_takeover(struct manager *m); /* the exit status of --check-state */

/* ---- launch.c ---- */
int launch_command(struct manager *m, struct run *r,
                   bool main); /* commits an intent: slot and record; sent behind the commit */
void launch_send(struct manager *m, struct run *r);
void launch_look(struct manager *m); /* starts that have come to their end */
void launch_idle(struct manager *m); /* Type=idle: sends what need not be held back any longer */
enum command_what { COMMAND_NONE, COMMAND_EXEC, COMMAND_CHECK, COMMAND_CLEANUP, COMMAND_BUS_WAIT };
enum command_what launch_command_at(const struct manager *m, const struct run *r, const struct exec_command **ret);
#define LIST_CLEANUP  N_EXEC_KINDS
#define LIST_BUS_WAIT (N_EXEC_KINDS + 1)
#define LIST_CHECK    (N_EXEC_KINDS + 2)
bool launch_keeps_runtime(struct manager *m, struct run *r);

/* ---- exits.c ---- */
void exits_take(struct manager *m);
void exits_process_ended(struct manager *m, struct run *r, struct process_durable *p, int code, int status);
void exits_watch(struct manager *m, struct run *r, pid_t pid);
void exits_unwatch(struct manager *m, struct run *r);
void exits_look_later(struct manager *m, struct run *r);  /* in 50 ms */
bool exits_runs_foreign(const struct process_durable *p); /* no exit will come for it by the ring */
void exits_look_foreign(struct manager *m, struct run *r);
int exits_claim_main(struct manager *m, struct run *r, pid_t pid);
void exits_claim_effects(struct manager *m);              /* behind the commit */
void exits_claim_again(struct manager *m, struct run *r); /* a manager takes over */
void exits_forget_orphans(struct manager *m);             /* behind the commit */
void exits_pidfile_changed(struct manager *m);
void exits_free_slot(struct manager *m, struct process_durable *p);

/* ---- procs.c ---- */
void procs_new_turn(struct manager *m);
/* Processes of R besides main and control: 0 and the list (owned by the caller), or negative errno. */
int procs_rest(struct manager *m, struct run *r, struct sys_pids *ret);
/* 1: nothing is left of R, nor anything that may be its; 0: not so; or negative errno. */
int procs_none(struct manager *m, struct run *r);
int procs_signal(struct manager *m, const struct process_durable *p, const int *signals, unsigned n);
int procs_signal_group(struct manager *m, const struct process_durable *p, const int *signals, unsigned n);
bool procs_claimed(struct manager *m, pid_t pid);      /* it stands in a slot */
struct run *procs_owner(struct manager *m, pid_t pid); /* NULL = not attributed */

/* ---- generators.c ---- */
bool generators_boot(struct manager *m); /* they run, and begin_default() follows */
int generators_reload(
        struct manager *m); /* daemon-reload: 0, what went wrong, or -EINPROGRESS: behind the generators */
void generators_ended(struct manager *m);

/* ---- file-states.c ---- */
void file_states_begin(struct manager *m); /* units are read (again): what was known is out of date */
void file_states_turn(struct manager *m);  /* runs supd-unit-files when it is time */
void file_states_ended(struct manager *m, int status);

/* ---- groups.c ---- */
int groups_open(struct manager *m);                                  /* finds or makes the base; none is no error */
int groups_replay(struct manager *m, const void *data, size_t size); /* the base of the manager before */
int groups_put(struct manager *m);                                   /* its record, with the commit at hand */
/* Its place below the base ("system.slice/a.service"); empty when it has none. */
const char *groups_place(const struct run *r, char *ret, size_t size);
const char *groups_slice_of(const struct run *r);                            /* "a-b.slice" */
const char *groups_slice(const char *slice, char *ret, size_t size);         /* "a.slice/a-b.slice"; of the root "" */
void groups_stay(struct manager *m, struct run *r, const struct unit *next); /* before NEXT takes its unit's place */
void groups_begin(struct manager *m, struct run *r);                         /* a new activation */
int groups_events_open(struct manager *m); /* the inotify fd that files of cgroups are watched through */
int groups_put_slice(struct manager *m, struct run *r, bool whole);
int groups_replay_slice(struct run *r, const char *slice, size_t size);
const char *groups_path(const struct manager *m, const struct run *r, char *ret,
                        size_t size);                          /* below the mount; or "" */
bool groups_has(const struct manager *m, const struct run *r); /* its processes are looked for in its cgroup */
/* The number behind KEY (NULL: at the beginning) of a file of its cgroup. False: it is not to be had. */
bool groups_read(const struct manager *m, const struct run *r, const char *file, const char *key, uint64_t *ret);
int groups_rest(struct manager *m, struct run *r, struct sys_pids *ret); /* as procs_rest() */
int groups_kill(struct manager *m, struct run *r);   /* all at once; -ENOENT, -EOPNOTSUPP: signal each */
bool groups_watch(struct manager *m, struct run *r); /* a look when it is empty; false: cannot be watched */
void groups_unwatch(struct manager *m, struct run *r);
void groups_leave(struct manager *m, struct run *r); /* it has ended: the directory goes behind the commit */
void groups_tidy(struct manager *m);
struct run *groups_owner(struct manager *m, pid_t pid); /* NULL = in none of ours */
void groups_close(struct manager *m);                   /* the clean end */

/* ---- oom.c ---- */
#define OOM_COUNTER "memory.events", "\noom_kill " /* for groups_read() */
void oom_look(struct manager *m, struct run *r);   /* whether the kernel killed one of its processes */
void oom_watch(struct manager *m, struct run *r);  /* it is looked at when that changes; for those who ask for it */
void oom_unwatch(struct manager *m, struct run *r);
void oom_event(struct manager *m, int watch, uint32_t mask);

/* ---- resources.c ---- */
void resources_open(struct manager *m); /* behind groups_open(), once in a supd's life */
/* What the plan of a command in a cgroup needs to know of limits; turns controllers on at the first need. What it
 * points at holds until the next call. */
void resources_prepare(struct manager *m, struct run *r, struct plan_context *c);
void resources_changed(struct manager *m, struct run *r,
                       const struct unit *next); /* before NEXT takes its unit's place */
/* What RESOURCE of U comes to, a quota in µs a second; NONE when it is not set. */
uint64_t resources_number(struct manager *m, const struct unit *u, enum resource resource, uint64_t none);
void resources_recover(struct manager *m, struct run *r);

/* ---- transient.c ---- */
bool transient_is(const struct manager *m, const struct run *r);
void transient_ended(struct manager *m, struct run *r);
void transient_tidy(struct manager *m);
void transient_recover(struct manager *m);
int api_collect(void *userdata, const char *unit, struct control_error *e);

/* ---- notify.c ---- */
int notify_open(struct manager *m);
void notify_take(struct manager *m);
void notify_self(const char *text); /* to our own NOTIFY_SOCKET */
void notify_started(struct manager *m);

/* ---- fdstore.c ---- */
/* Takes what it keeps out of FDS (-1 then). 0, or -EAGAIN: the keeper's queue is full, once more later. */
int fdstore_keep(struct manager *m, struct run *r, const char *name, bool watched, int *fds, unsigned n);
void fdstore_remove(struct manager *m, struct run *r, const char *name);
void fdstore_settle(struct manager *m, struct run *r);
unsigned fdstore_count(const struct run *r);
/* For a start: up to MAX fds (borrowed) and their names, ':' between. The number, or -ENOMEM. */
int fdstore_pass(const struct run *r, int *fds, unsigned max, struct buf *names);
int fdstore_put(struct manager *m, const struct run *r);
uint64_t fdstore_live_bytes(const struct manager *m);
int fdstore_replay(struct manager *m, struct run *r, const void *data, size_t size);
void fdstore_recover(struct manager *m);
void fdstore_flush(struct manager *m); /* behind the commit */

/* ---- units.c ---- */
int units_init(struct manager *m);
struct run *units_find(struct manager *m, const char *name);          /* known already, or NULL */
int units_get(struct manager *m, const char *name, struct run **ret); /* loads it with everything that it names */
int units_add(struct manager *m, const char *name, uint32_t id, struct run **ret);
int units_load_pending(struct manager *m);
void units_rest(struct manager *m);
void units_turn(struct manager *m);
int units_retry_missing(struct manager *m); /* what was not found, and has a file by now */
int units_parse(struct manager *m, struct run *r, const void *blob, size_t size);
int units_make_edges(struct manager *m, struct run *r);
int units_reload(struct manager *m);
int units_parse_missing(struct manager *m, struct run *r);
void units_blobs_remove(struct manager *m); /* at the clean end */
int units_reload_one(struct manager *m, struct run *r);
int units_blobs_open(struct manager *m);
const struct unit_paths *units_paths_of(const struct manager *m, const struct run *r); /* where its files are */
void units_blobs_tidy(struct manager *m); /* what reloads that died have left */

/* ---- recover.c ---- */
int recover_state(struct manager *m);
void recover_reconcile(struct manager *m);

/* ---- publish.c ---- */
int publish_open(struct manager *m);
void publish_turn(struct manager *m);
void publish_when_due(struct manager *m);                           /* later, while a crowd ends */
void publish_name(const struct manager *m, char *ret, size_t size); /* of the table, as readers ask for it */
uint8_t publish_active(enum machine_state s);                       /* SUPD_ACTIVE_* */
uint8_t publish_sub(enum machine_state s);                          /* SUPD_SUB_* */
uint8_t publish_result(const struct run *r);                        /* SUPD_RESULT_* */

/* ---- changes.c ---- */
void changes_note(struct manager *m, struct run *r, enum machine_state old); /* behind its times */
bool changes_ready(struct manager *m);
void changes_flush(struct manager *m);          /* before changes_put() */
int changes_put(struct manager *m, bool whole); /* their number, with the commit at hand */
void changes_committed(struct manager *m);
void changes_again(struct manager *m); /* with the table; what a manager that died has not shown is shown */

/* ---- api.c ---- */
#define ERROR(x) "org.freedesktop.systemd1." x
int api_open(struct manager *m);
void api_announce(struct manager *m); /* behind a commit */
void api_state_changed(struct manager *m, struct run *r);
int api_find_unit(struct manager *m, const char *name, struct run **ret, struct control_error *e);
int api_find_loaded(struct manager *m, const char *name, struct run **ret, struct control_error *e);

/* May REQUEST be put for UNIT at all? 0 and its run, or -errno with *e set. */
int api_may_enqueue(struct manager *m, const char *unit, enum job_request request, enum job_mode mode, struct run **ret,
                    struct control_error *e);
int api_refuse(struct control_error *e, enum graph_error why, const char *unit); /* -EINVAL */

/* ---- api-plan.c ---- */
int api_plan(void *userdata, const char *unit, enum job_request request, enum job_mode mode, struct control_answer *a,
             struct control_error *e);
int api_plan_reload(void *userdata, struct control_answer *a, struct control_error *e);

/* ---- api-show.c ---- */
int api_unit_properties(void *userdata, const char *unit, bool brief, struct control_answer *a,
                        struct control_error *e);
int api_clean(void *userdata, const char *unit, const char *const *what, unsigned n, struct control_answer *a,
              struct control_error *e);
void clean_put(struct control_answer *a, const struct run *r); /* CanClean */
int api_manager_properties(void *userdata, struct control_answer *a, struct control_error *e);

/* ---- api-change.c ---- */
int api_environment(void *userdata, const char *const *unset, unsigned n_unset, const char *const *set, unsigned n_set,
                    struct control_error *e);
int api_environment_apply(struct manager *m); /* m->environment has changed */
const char *api_log_level(const struct manager *m);
void api_log_apply(struct manager *m);
int api_set_property(void *userdata, const char *name, const char *value, struct control_error *e);
int api_shutdown(void *userdata, const char *what, struct control_error *e);
void api_target_asked(struct manager *m, const char *unit); /* somebody asked for it to be started */
int api_reexecute(void *userdata, struct control_error *e);
int api_unit_processes(void *userdata, const char *unit, struct control_answer *a, struct control_error *e);
int api_queue_signal(void *userdata, const char *unit, const char *whom, int signal, int value,
                     struct control_error *e);
int api_unit_by_invocation(void *userdata, const uint8_t id[16], char ret_id[256], struct control_error *e);

/* ---- front.c ---- */
#define FRONT_UNIT "supd-bus.service"
bool api_is_front(const struct manager *m, const struct run *r); /* the unit that runs supd-bus */
int front_listen(struct manager *m, const char *path, const char *stored, int type, mode_t mode, int *ret);
void front_inherit(struct manager *m); /* a start of supd-bus may be under way */
int front_open(struct manager *m);
void front_turn(struct manager *m);
unsigned front_fds(const struct manager *m, const char **ret_names); /* how many of front_fds supd-bus gets */
void front_state_changed(struct manager *m, struct run *r);
void front_remove_files(struct manager *m); /* at the clean end */

/* ---- config.c ---- */
int config_read(struct manager *m, struct diag *d);

#endif
