/* SPDX-License-Identifier: MIT
 *
 * The manager's side of the control API: a SOCK_SEQPACKET server for one kind of client, supd-bus, which speaks D-Bus
 * (libsystemd's sd-bus and sd-event) to the world and this small protocol (control-format.h) to the manager. So a
 * hostile D-Bus client meets a process of its own with limits of its own, never the manager, and the manager links no
 * libsystemd: it starts faster, is smaller, and comes back sooner after a crash.
 *
 * Not here: what verbs mean: the manager does them through control_ops. Invariant: never blocks; a peer that does not
 * read is closed once its queue is over CONTROL_QUEUE_MAX bytes.
 */
#ifndef SUPD_CONTROL_CONTROL_H
#define SUPD_CONTROL_CONTROL_H

#include "base/diag.h"
#include "graph/graph.h"

/* An error as D-Bus clients see it: name "org.freedesktop.systemd1.NoSuchUnit" and message "Unit x.service not found."
 */
struct control_error {
        const char *name; /* constant */
        char message[256];
};
void control_error_set(struct control_error *e, const char *name, const char *format, ...) printf_like_(3, 4);

struct control_job { /* a job as signals tell of it */
        uint32_t id;
        const char *unit;
        enum job_type type;
        enum job_result result; /* for removed ones */
        bool waiting;           /* not running yet */
};

/* Property values on their way out; type is the D-Bus signature: s, u, i, t, b, as, ay, o, and a few struct arrays by
 * name in control-format.h. Appends to the answer that is being built. */
struct control_answer; /* opaque */
void control_put_string(struct control_answer *a, const char *name, const char *value);
void control_put_u32(struct control_answer *a, const char *name, uint32_t value);
void control_put_i32(struct control_answer *a, const char *name, int32_t value);
void control_put_u64(struct control_answer *a, const char *name, uint64_t value);
void control_put_bool(struct control_answer *a, const char *name, bool value);
void control_put_strings(struct control_answer *a, const char *name, const char *const *v, unsigned n);
void control_put_bytes(struct control_answer *a, const char *name, const void *data, size_t size);
/* begins the properties of one D-Bus interface: "Unit", "Service", "Manager", "Job" … */
void control_put_interface(struct control_answer *a, const char *interface);
/* LoadError (ss), Job (uo), Conditions a(sbbsi) and Exec* a(sasbttttuii), in a form that supd-bus spells out. */
void control_put_job(struct control_answer *a, uint32_t id);
void control_put_load_error(struct control_answer *a, const char *name, const char *message);
struct control_exec {
        const char *path;
        const char *const *argv;
        unsigned n_argv;
        unsigned flags; /* EXEC_* of unit/unit.h */
        uint64_t start_real_us, start_mono_us, exit_real_us, exit_mono_us;
        uint32_t pid;
        int32_t code, status;
};
void control_put_execs(struct control_answer *a, const char *name, const struct control_exec *v, unsigned n);
/* the same with all prefixes of the command line as words: ExecStartEx and its kin */
void control_put_execs_ex(struct control_answer *a, const char *name, const struct control_exec *v, unsigned n);
struct control_condition {
        const char *name, *parameter;
        bool trigger, negate;
        int state; /* 1 it held, -1 it did not, 0 not looked at */
};
struct control_file {
        const char *path;
        bool optional;
};
void control_put_files(struct control_answer *a, const char *name, const struct control_file *v, unsigned n);
void control_put_conditions(struct control_answer *a, const char *name, const struct control_condition *v, unsigned n);
/* A value of any other type: SIGNATURE is one complete type, and what lies between begin and end says it, piece by
 * piece (CONTROL_KIND_ANY). Integers of any width, and booleans, are numbers. */
struct control_value {
        struct control_answer *answer;
        ssize_t place;
};
struct control_value control_value_begin(struct control_answer *a, const char *name, const char *signature);
void control_value_number(const struct control_value *v, uint64_t number);
void control_value_string(const struct control_value *v, const char *s); /* NULL counts as "" */
void control_value_count(const struct control_value *v, uint32_t n);     /* ahead of the elements of an array */
void control_value_bytes(const struct control_value *v, const void *data, uint32_t size); /* a whole "ay" */
void control_value_end(const struct control_value *v);
void control_put_group(struct control_answer *a, const char *path); /* ahead of the pids in it */
void control_put_pid(struct control_answer *a, uint32_t pid);       /* of CONTROL_UNIT_PROCESSES */
/* a row of ListUnits */
void control_put_unit(struct control_answer *a, const char *id, const char *description, const char *load,
                      const char *active, const char *sub, uint32_t job_id, enum job_type job_type);

struct control_ops { /* each returns 0 or -errno with *e set */
        /* StartUnit and its kin; *ret_job is the job's id */
        int (*enqueue)(void *userdata, const char *unit, enum job_request request, enum job_mode mode,
                       uint32_t *ret_job, struct control_error *e);
        int (*kill)(void *userdata, const char *unit, const char *whom, int signal, struct control_error *e);
        int (*reset_failed)(void *userdata, const char *unit /* NULL = all */, struct control_error *e);
        /* daemon-reload. -EINPROGRESS: control_reload_done() answers; until then what that peer asks waits. */
        int (*reload)(void *userdata, struct control_error *e);
        int (*cancel_job)(void *userdata, uint32_t id, struct control_error *e);
        int (*load_unit)(void *userdata, const char *unit, bool only_loaded, char ret_id[256], struct control_error *e);
        int (*unit_by_pid)(void *userdata, uint32_t pid, char ret_id[256], struct control_error *e);
        /* BRIEF: without dependencies and what else stays the same while the unit is loaded */
        int (*unit_properties)(void *userdata, const char *unit, bool brief, struct control_answer *a,
                               struct control_error *e);
        int (*manager_properties)(void *userdata, struct control_answer *a, struct control_error *e);
        int (*list_units)(void *userdata, struct control_answer *a, struct control_error *e);
        int (*list_jobs)(void *userdata, int (*each)(void *, const struct control_job *), void *each_userdata);
        /* The state of job ID: 0 and *ret when known (queued, running, or ended not long ago: ended=true), else
         * -ENOENT. */
        int (*job_state)(void *userdata, uint32_t id, struct control_job *ret, bool *ret_ended);

        /* The ones below may be NULL. */
        /* The job that an earlier enqueue with REQUEST_ID led to, when it was committed before a crash: 0 and *ret_job,
         * else -ENOENT. Asked before enqueue(), so that a repeated request never runs twice. */
        int (*find_request)(void *userdata, const uint8_t request_id[16], uint32_t *ret_job);
        /* daemon-reexec. On 0 the connection is expected to end; -EINPROGRESS: it will, or
         * control_reexecute_refused() answers; NULL answers NotSupported. */
        int (*reexecute)(void *userdata, struct control_error *e);
        /* The jobs that the enqueue() just now led to, the one asked for first. */
        int (*transaction)(void *userdata, int (*each)(void *, const struct control_job *), void *each_userdata);
        int (*queue_signal)(void *userdata, const char *unit, const char *whom, int signal, int value,
                            struct control_error *e);
        int (*unit_processes)(void *userdata, const char *unit, struct control_answer *a, struct control_error *e);
        /* First UNSET (NAME, or NAME=value), then SET (NAME=value, checked). */
        int (*environment)(void *userdata, const char *const *unset, unsigned n_unset, const char *const *set,
                           unsigned n_set, struct control_error *e);
        int (*set_property)(void *userdata, const char *name, const char *value, struct control_error *e);
        int (*unit_by_invocation)(void *userdata, const uint8_t id[16], char ret_id[256], struct control_error *e);
        /* UNIT is not needed any more; 0 when it is not known then */
        int (*collect)(void *userdata, const char *unit, struct control_error *e);
        int (*shutdown)(void *userdata, const char *what, struct control_error *e);
        /* The directories of UNIT, which is down, that WHAT means ("state", "all" …): control_put_group() of
         * "BASE//NAME" each. */
        int (*clean)(void *userdata, const char *unit, const char *const *what, unsigned n, struct control_answer *a,
                     struct control_error *e);
        /* What a request, or a daemon-reload, would do: rows of strings under the unit's name (of plan: what, its place
         * in the order, active state, sub state, job that is queued, "asked"; of plan_reload: "change" and lines, or
         * "load" and by whom). Under "": something to be said of the whole. */
        int (*plan)(void *userdata, const char *unit, enum job_request request, enum job_mode mode,
                    struct control_answer *a, struct control_error *e);
        int (*plan_reload)(void *userdata, struct control_answer *a, struct control_error *e);
        int (*job_neighbours)(void *userdata, uint32_t id, bool waiting_for_it,
                              int (*each)(void *, const struct control_job *), void *each_userdata,
                              struct control_error *e);
};

/* The request that an op is being called for. */
struct control_request {
        uint8_t id[16]; /* chosen by the client; all zero when it gave none. To be committed with the job. */
        uint32_t peer_uid, peer_pid;     /* of supd-bus */
        uint32_t client_uid, client_pid; /* of whom it asks for, as it says: UINT32_MAX and 0 when it does not */
};

struct control_server; /* opaque */
/* SOCKET_FD: a listening SOCK_SEQPACKET socket (RUNTIME_DIR/manager, mode 0600); borrowed. */
int control_server_new(int socket_fd, const struct control_ops *ops, void *userdata, struct control_server **ret);
void control_server_free(struct control_server *s);
/* fds to be polled, with a callback when readable/writable; the manager's loop is given through these. */
struct control_poll {
        int (*watch)(void *userdata, int fd, bool want_write, void *cookie); /* add or change */
        void (*forget)(void *userdata, int fd);
        void *userdata;
};
/* 0, or what watch() said of the listening socket: then nobody is heard until this is called again. */
int control_server_set_poll(struct control_server *s, const struct control_poll *p);
/* COOKIE as given to watch() (NULL for the listening socket). Never blocks. */
void control_server_ready(struct control_server *s, void *cookie, bool readable, bool writable, bool hangup);

unsigned control_server_n_peers(const struct control_server *s);
/* Valid while an op runs; NULL otherwise. */
const struct control_request *control_server_request(const struct control_server *s);

/* What happened, to be told to connected peers (they subscribe at connect). May be called from within ops: what is said
 * during an op goes out behind its answer, except job_new and reloading, which go out before it. */
void control_job_new(struct control_server *s, const struct control_job *job);
void control_job_removed(struct control_server *s, const struct control_job *job);
void control_unit_changed(struct control_server *s, const char *unit);
void control_reloading(struct control_server *s, bool active);
/* The reloads that are under way have come to their end: 0 or -errno. */
void control_reload_done(struct control_server *s, int result);
/* It will not be re-executed: WHY is a sentence, borrowed. */
void control_reexecute_refused(struct control_server *s, const char *why);
void control_unit_new(struct control_server *s, const char *unit);
void control_unit_removed(struct control_server *s, const char *unit);

#endif
