/* SPDX-License-Identifier: MIT
 *
 * What supd-bus asks (control/control.h): the verbs, and what is told to it when things happen.
 *
 * Not here: properties (api-show.c), sockets (front.c). Invariant: every answer that promises something is given behind
 * the commit that holds it.
 */
#include "manager.h"

#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>

/* ---- errors ---- */

int api_refuse(struct control_error *e, enum graph_error why, const char *unit)
{
        static const struct {
                const char *name, *format;
        } words[N_GRAPH_ERRORS] = {
                [GRAPH_NO_SUCH_UNIT] = {ERROR("NoSuchUnit"), "Unit %s not found."},
                [GRAPH_MASKED] = {ERROR("UnitMasked"), "Unit %s is masked."},
                [GRAPH_BAD_SETTING] = {ERROR("BadUnitSetting"), "Unit %s has a bad unit file setting."},
                /* not LoadFailed: systemctl ends with 1 for these */
                [GRAPH_LOAD_FAILED] = {"org.freedesktop.DBus.Error.InconsistentMessage",
                                       "Unit %s failed to load properly, please adjust/correct "
                                       "and reload service manager."},
                [GRAPH_JOB_NOT_APPLICABLE] = {ERROR("JobTypeNotApplicable"),
                                              "Job type reload is not applicable for unit %s."},
                [GRAPH_CYCLIC] = {ERROR("TransactionOrderIsCyclic"), "Transaction order is cyclic at %s. See the log."},
                [GRAPH_DESTRUCTIVE] = {ERROR("TransactionIsDestructive"),
                                       "Transaction is destructive: %s has a conflicting job queued."},
                [GRAPH_CONFLICT] = {ERROR("TransactionJobsConflicting"),
                                    "Transaction contains conflicting jobs for %s."},
                [GRAPH_NO_ISOLATION] = {ERROR("NoIsolation"), "Operation refused, unit may not be isolated."},
                [GRAPH_ONLY_BY_DEPENDENCY] = {ERROR("OnlyByDependency"),
                                              "Operation refused, unit %s may be requested by dependency only (it is "
                                              "configured to refuse manual start/stop)."},
                [GRAPH_BAD_MODE] = {"org.freedesktop.DBus.Error.InvalidArgs",
                                    "The job mode goes not with what was asked for unit %s."},
                [GRAPH_NOMEM] = {"org.freedesktop.DBus.Error.NoMemory", "Out of memory while working on %s."},
        };

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        control_error_set(e, words[why].name, words[why].format, unit);
#pragma GCC diagnostic pop
        return -EINVAL;
}

/* ---- units by name ---- */

/* A unit that is loaded for a question is in the table before the answer: who asked may look there next. */
int api_find_unit(struct manager *m, const char *name, struct run **ret, struct control_error *e)
{
        uint32_t n = m->n_runs;
        int v;

        if (!unit_name_valid(name) || unit_name_is_template(name)) {
                control_error_set(e, "org.freedesktop.DBus.Error.InvalidArgs", "Unit name %s is %s.", name,
                                  unit_name_valid(name) ? "missing the instance name" : "not valid");
                return -EINVAL;
        }
        v = units_get(m, name, ret);
        if (v < 0)
                control_error_set(e, ERROR("LoadFailed"), "Unit %s cannot be loaded: %s.", name, strerror(-v));
        if (m->n_runs > n) {
                engine_settle(m);
                publish_turn(m);
        }
        return v;
}

static bool idle_unknown(const struct run *r)
{
        enum unit_active a = run_active(r);

        return r->unit->load_state == LOAD_NOT_FOUND && (a == ACTIVE_INACTIVE) && r->d.job.type == JOB_NONE;
}

int api_find_loaded(struct manager *m, const char *name, struct run **ret, struct control_error *e)
{
        struct run *r = units_find(m, name);

        if (!r || idle_unknown(r)) {
                control_error_set(e, ERROR("NoSuchUnit"), "Unit %s not loaded.", name);
                return -ENOENT;
        }
        *ret = r;
        return 0;
}

/* ---- verbs ---- */

static struct cause_durable cause_of_request(const struct control_request *q)
{
        return (struct cause_durable){
                .what = SUPD_CAUSE_CLIENT, .by = q ? q->client_uid : SUPD_ID_NONE, .pid = q ? q->client_pid : 0};
}

int api_may_enqueue(struct manager *m, const char *unit, enum job_request request, enum job_mode mode, struct run **ret,
                    struct control_error *e)
{
        struct run *r;
        int v;

        if (m->meta.flags & META_STOPPING) {
                control_error_set(e, ERROR("TransactionIsDestructive"), "supd is stopping: %s is left as it is.", unit);
                return -EBUSY;
        }
        v = api_find_unit(m, unit, &r, e);
        if (v == 0 && units_retry_missing(m) < 0)
                log_line(m, r->name, "what it needs cannot all be read");
        if (v == 0 && mode == MODE_ISOLATE && !r->unit->allow_isolate)
                return api_refuse(e, GRAPH_NO_ISOLATION, r->name);
        if (v == 0 && request == REQUEST_STOP && r->unit->load_state != LOAD_LOADED &&
            r->unit->load_state != LOAD_MASKED && run_active(r) == ACTIVE_INACTIVE) {
                control_error_set(e, ERROR("NoSuchUnit"), "Unit %s not loaded.", unit);
                v = -ENOENT;
        }
        if (v == 0)
                *ret = r;
        return v;
}

static int op_enqueue(void *userdata, const char *unit, enum job_request request, enum job_mode mode, uint32_t *ret_job,
                      struct control_error *e)
{
        struct manager *m = userdata;
        const struct control_request *q = control_server_request(m->control);
        static const uint8_t nobody[16];
        cleanup_diag_ struct diag diag = {0};
        uint32_t culprit = 0, job = 0;
        struct run *r;
        enum graph_error why;
        int v = api_may_enqueue(m, unit, request, mode, &r, e);

        if (v < 0)
                return v;
        engine_settle(m);
        why = jobs_enqueue(m, r, request, mode, cause_of_request(q), true, q ? q->id : nobody, &job, &culprit, &diag);
        log_diag(m, &diag);
        if (why != GRAPH_OK) {
                publish_turn(m); /* the unit that was loaded for it is there to be looked at */
                return api_refuse(e, why, m->runs[culprit]->name);
        }
        *ret_job = job;
        if (request == REQUEST_START)
                api_target_asked(m, r->name);
        engine_settle(m);
        return 0;
}

static int op_find_request(void *userdata, const uint8_t request_id[16], uint32_t *ret_job)
{
        struct manager *m = userdata;

        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->d.job.type != JOB_NONE && memcmp(m->runs[i]->d.job.request, request_id, 16) == 0) {
                        *ret_job = m->runs[i]->d.job.id;
                        return 0;
                }
        for (uint32_t i = jobs_done_first(m, DONE_ASKED); i < m->done[DONE_ASKED].n; i++) {
                const struct job_done *j = jobs_done_at(m, DONE_ASKED, i);
                struct control_job ended = {.id = j->id, .type = j->type, .result = j->result};
                if (memcmp(j->request, request_id, sizeof(j->request)) != 0 || j->unit >= m->n_runs)
                        continue;
                *ret_job = j->id;
                ended.unit = m->runs[j->unit]->name;
                control_job_removed(m->control, &ended); /* behind the answer: a dead manager told nobody */
                return 0;
        }
        return -ENOENT;
}

static int op_kill(void *userdata, const char *unit, const char *whom, int signal, struct control_error *e)
{
        struct manager *m = userdata;
        struct sys_pids rest = {0};
        struct run *r;
        bool all = streq(whom, "all") || *whom == 0;
        int sent = 0, v = api_find_loaded(m, unit, &r, e);

        if (v < 0)
                return v;
        if (signal <= 0 || signal > SIGRTMAX) {
                control_error_set(e, "org.freedesktop.DBus.Error.InvalidArgs", "Signal number %d is out of range.",
                                  signal);
                return -EINVAL;
        }
        if (all || streq(whom, "main"))
                sent += procs_signal(m, &r->d.main, &signal, 1) == 0;
        if (all || streq(whom, "control"))
                sent += procs_signal(m, &r->d.control, &signal, 1) == 0;
        if (all && r->unit->service && procs_rest(m, r, &rest) == 0)
                for (size_t i = 0; i < rest.n; i++) {
                        struct sys_stat st;
                        sent += sys_stat(rest.v[i], &st) == 0 && sys_kill(rest.v[i], st.start_time, signal) == 0;
                }
        free(rest.v);
        if (sent == 0 && !all) {
                control_error_set(e, ERROR("NoSuchProcess"), "No %s process to kill", whom);
                return -ESRCH;
        }
        return 0;
}

static void reset_one(struct manager *m, struct run *r)
{
        poison_forget(m, poison_hash(r->name, strlen(r->name)));
        r->d.limit_count = r->d.n_restarts = 0;
        r->d.flags &= ~(UNIT_LIMIT_HIT | UNIT_FROZEN);
        engine_touch(m, r);
        engine_post(m, r, EVENT_RESET_FAILED, 0, 0);
}

static int op_reset_failed(void *userdata, const char *unit, struct control_error *e)
{
        struct manager *m = userdata;
        struct run *r;
        int v;

        if (unit) {
                v = api_find_loaded(m, unit, &r, e);
                if (v < 0)
                        return v;
                reset_one(m, r);
        }
        for (uint32_t i = 0; !unit && i < m->n_runs; i++)
                reset_one(m, m->runs[i]);
        engine_settle(m);
        return 0;
}

static int op_reload(void *userdata, struct control_error *e)
{
        int v = generators_reload(userdata);

        if (v < 0 && v != -EINPROGRESS)
                control_error_set(e, "org.freedesktop.DBus.Error.Failed", "Unit files cannot be read again: %s.",
                                  strerror(-v));
        return v;
}

static int op_cancel_job(void *userdata, uint32_t id, struct control_error *e)
{
        struct manager *m = userdata;

        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->d.job.type != JOB_NONE && m->runs[i]->d.job.id == id) {
                        jobs_finish(m, m->runs[i], RESULT_CANCELED);
                        engine_settle(m);
                        return 0;
                }
        control_error_set(e, ERROR("NoSuchJob"), "Job %u does not exist.", id);
        return -ENOENT;
}

static int op_load_unit(void *userdata, const char *unit, bool only_loaded, char ret_id[256], struct control_error *e)
{
        struct manager *m = userdata;
        struct run *r;
        int v = only_loaded ? api_find_loaded(m, unit, &r, e) : api_find_unit(m, unit, &r, e);

        if (v < 0)
                return v;
        (void)snprintf(ret_id, 256, "%s", r->name);
        return 0;
}

static int op_unit_by_pid(void *userdata, uint32_t pid, char ret_id[256], struct control_error *e)
{
        struct manager *m = userdata;
        struct run *r = procs_owner(m, (pid_t)pid);

        if (!r) {
                control_error_set(e, ERROR("NoUnitForPID"), "PID %u does not belong to any loaded unit.", pid);
                return -ESRCH;
        }
        (void)snprintf(ret_id, 256, "%s", r->name);
        return 0;
}

static int somebody(void *userdata unused_, uint32_t other unused_)
{
        return 1;
}

/* A name that was only asked about: systemd would have forgotten it. */
static bool nobody_knows(struct manager *m, const struct run *r)
{
        for (unsigned d = 0; idle_unknown(r) && d < N_UNIT_DEPENDENCIES; d++)
                if (graph_each(m->graph, r->id, d, true, somebody, NULL) != 0)
                        return false;
        return idle_unknown(r);
}

static int op_list_units(void *userdata, struct control_answer *a, struct control_error *e unused_)
{
        struct manager *m = userdata;

        for (uint32_t i = 0; i < m->n_runs; i++) {
                const struct run *r = m->runs[i];
                if (nobody_knows(m, r))
                        continue;
                control_put_unit(a, r->name, r->unit->description ? r->unit->description : r->name,
                                 unit_load_state_name(r->unit->load_state), unit_active_name(run_active(r)),
                                 machine_state_sub(r->d.state), r->d.job.type != JOB_NONE ? r->d.job.id : 0,
                                 r->d.job.type);
        }
        return 0;
}

static struct control_job job_of(const struct run *r)
{
        return (struct control_job){
                .id = r->d.job.id, .unit = r->name, .type = r->d.job.type, .waiting = !r->d.job.running};
}

static int op_list_jobs(void *userdata, int (*each)(void *, const struct control_job *), void *each_userdata)
{
        struct manager *m = userdata;
        int v = 0;

        for (uint32_t i = 0; i < m->n_runs && v == 0; i++)
                if (m->runs[i]->d.job.type != JOB_NONE) {
                        struct control_job j = job_of(m->runs[i]);
                        v = each(each_userdata, &j);
                }
        return v;
}

static int op_job_state(void *userdata, uint32_t id, struct control_job *ret, bool *ret_ended)
{
        struct manager *m = userdata;
        const struct job_done *done;

        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->d.job.type != JOB_NONE && m->runs[i]->d.job.id == id) {
                        *ret = job_of(m->runs[i]);
                        *ret_ended = false;
                        return 0;
                }
        done = jobs_find_done(m, id);
        if (!done || done->unit >= m->n_runs)
                return -ENOENT;
        *ret = (struct control_job){
                .id = id, .unit = m->runs[done->unit]->name, .type = done->type, .result = done->result};
        *ret_ended = true;
        return 0;
}

/* What ended within the request is told as it was. */
static int op_transaction(void *userdata, int (*each)(void *, const struct control_job *), void *each_userdata)
{
        struct manager *m = userdata;
        int v = 0;

        for (size_t i = 0; i < m->transaction.n && v == 0; i++) {
                const struct run *r = m->runs[m->transaction.v[i]];
                struct control_job j = job_of(r);

                if (j.type == JOB_NONE) {
                        const struct job_done *done = jobs_last_done(m, r->id);
                        j.id = done ? done->id : 0;
                        j.type = done ? done->type : JOB_NONE;
                }
                if (j.type != JOB_NONE)
                        v = each(each_userdata, &j);
        }
        return v;
}

struct neighbours {
        struct manager *m;
        int (*each)(void *, const struct control_job *);
        void *userdata;
};

static int neighbour(void *userdata, uint32_t other)
{
        struct neighbours *n = userdata;
        struct control_job j = job_of(n->m->runs[other]);

        return j.type == JOB_NONE ? 0 : n->each(n->userdata, &j);
}

static int op_job_neighbours(void *userdata, uint32_t id, bool waiting_for_it,
                             int (*each)(void *, const struct control_job *), void *each_userdata,
                             struct control_error *e)
{
        struct manager *m = userdata;
        struct neighbours n = {m, each, each_userdata};

        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->d.job.type != JOB_NONE && m->runs[i]->d.job.id == id)
                        return graph_each(m->graph, i, DEP_AFTER, waiting_for_it, neighbour, &n);
        control_error_set(e, ERROR("NoSuchJob"), "Job %u does not exist.", id);
        return -ENOENT;
}

static const struct control_ops ops = {
        .enqueue = op_enqueue,
        .find_request = op_find_request,
        .kill = op_kill,
        .reset_failed = op_reset_failed,
        .reload = op_reload,
        .cancel_job = op_cancel_job,
        .load_unit = op_load_unit,
        .unit_by_pid = op_unit_by_pid,
        .unit_properties = api_unit_properties,
        .manager_properties = api_manager_properties,
        .list_units = op_list_units,
        .list_jobs = op_list_jobs,
        .job_state = op_job_state,
        .transaction = op_transaction,
        .job_neighbours = op_job_neighbours,
        .queue_signal = api_queue_signal,
        .unit_processes = api_unit_processes,
        .unit_by_invocation = api_unit_by_invocation,
        .environment = api_environment,
        .set_property = api_set_property,
        .shutdown = api_shutdown,
        .collect = api_collect,
        .clean = api_clean,
        .reexecute = api_reexecute,
        .plan = api_plan,
        .plan_reload = api_plan_reload,
};

/* ---- what is told ---- */

void api_state_changed(struct manager *m, struct run *r)
{
        front_state_changed(m, r);
        if (m->n_announcements < m->announcements_allocated)
                m->announcements[m->n_announcements++] = (struct announcement){.unit = r->id, .what = ANNOUNCE_UNIT};
        else if (m->control)
                control_unit_changed(m->control, r->name);
}

void api_announce(struct manager *m)
{
        if (!m->control)
                m->n_announcements = 0; /* nobody can have connected yet */
        for (size_t i = 0; i < m->n_announcements; i++) {
                struct announcement *x = &m->announcements[i];
                x->job.unit = m->runs[x->unit]->name;
                switch (x->what) {
                case ANNOUNCE_JOB_NEW:
                        control_job_new(m->control, &x->job);
                        break;
                case ANNOUNCE_JOB_REMOVED:
                        control_unit_changed(m->control, x->job.unit);
                        control_job_removed(m->control, &x->job);
                        break;
                case ANNOUNCE_UNIT:
                        control_unit_changed(m->control, x->job.unit);
                        break;
                }
        }
        m->n_announcements = 0;
}

/* ---- the server's fds in our loop ---- */

struct peer_source {
        int fd;
        void *cookie;
        struct source *source;
        struct peer_source *next;
};
static struct peer_source *peers;

static void peer_ready(struct manager *m, struct source *s, uint32_t events)
{
        struct peer_source *p = s->userdata;

        control_server_ready(m->control, p->cookie, events & EPOLLIN, events & EPOLLOUT,
                             events & (EPOLLHUP | EPOLLERR));
}

static int peer_watch(void *userdata, int fd, bool want_write, void *cookie)
{
        struct manager *m = userdata;
        uint32_t events = EPOLLIN | (want_write ? (uint32_t)EPOLLOUT : 0);
        struct peer_source *p = peers;
        int v;

        while (p && p->fd != fd)
                p = p->next;
        if (p) {
                p->cookie = cookie;
                return loop_change(m, p->source, events);
        }
        p = calloc(1, sizeof(*p));
        if (!p)
                return -ENOMEM;
        *p = (struct peer_source){.fd = fd, .cookie = cookie, .next = peers};
        v = loop_add(m, fd, events, peer_ready, p, &p->source);
        if (v < 0) {
                free(p);
                return v;
        }
        peers = p;
        return 0;
}

static void peer_forget(void *userdata, int fd)
{
        struct manager *m = userdata;

        for (struct peer_source **at = &peers; *at; at = &(*at)->next)
                if ((*at)->fd == fd) {
                        struct peer_source *p = *at;
                        *at = p->next;
                        loop_remove(m, p->source);
                        free(p);
                        return;
                }
}

int api_open(struct manager *m)
{
        struct control_poll poll = {peer_watch, peer_forget, m};
        char path[4096];
        int v;

        (void)snprintf(path, sizeof(path), "%s/manager", m->runtime_dir);
        v = front_listen(m, path, "manager", SOCK_SEQPACKET, 0600, &m->control_fd);
        if (v == 0 && !m->control)
                v = control_server_new(m->control_fd, &ops, m, &m->control);
        if (v == 0)
                v = control_server_set_poll(m->control, &poll);
        return v < 0 ? v : front_open(m);
}
