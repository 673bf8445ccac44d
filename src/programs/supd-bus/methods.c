/* SPDX-License-Identifier: MIT
 *
 * The methods: one table, and a handler for each that either answers at once or asks the manager and answers later.
 *
 * Not here: properties and introspection (objects.c). A method that is not in the table is UnknownMethod, which clients
 * know how to do without. Sources: systemd's documented D-Bus API.
 */
#include "front.h"

#include <fnmatch.h>
#include <stdio.h>
#include <sys/random.h>

static int finish_empty(struct call *c, const struct link_reply *reply unused_, sd_bus_error *e unused_)
{
        return call_reply(c, NULL);
}

static int finish_job(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        char path[64];
        uint32_t id;
        int r = control_body_u32(reply->body, reply->size, CONTROL_TAG_JOB_ID, &id);

        if (r < 0)
                return r;
        jobs_track(c->client->front, id, c->unit);
        (void)snprintf(path, sizeof path, BUS_JOBS "/%u", id);
        return call_reply(c, "o", path);
}

static int finish_unit(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        cleanup_free_ char *path = NULL;
        const char *unit;
        int r = control_body_string(reply->body, reply->size, CONTROL_TAG_UNIT, &unit);

        if (r >= 0)
                r = unit_path(unit, &path);
        return r < 0 ? r : call_reply(c, "o", path);
}

static int finish_job_object(struct call *c, const struct link_reply *reply, sd_bus_error *e)
{
        struct control_reader r = control_reader_of(reply->body, reply->size);
        struct control_record rec;
        struct control_job_wire job;
        char path[64];

        if (control_reader_next(&r, &rec) <= 0 || control_record_job(&rec, &job) < 0)
                return -EBADMSG;
        if (job.flags & CONTROL_JOB_ENDED)
                return sd_bus_error_setf(e, ERROR_NO_JOB, "Job %u does not exist.", job.id);
        jobs_track(c->client->front, job.id, job.unit);
        (void)snprintf(path, sizeof path, BUS_JOBS "/%u", job.id);
        return call_reply(c, "o", path);
}

/* (ended, unit, type, result) of a job, also when it ended a while ago: for clients that lost their connection. */
static int finish_job_state(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        struct control_reader r = control_reader_of(reply->body, reply->size);
        struct control_record rec;
        struct control_job_wire job;

        if (control_reader_next(&r, &rec) <= 0 || control_record_job(&rec, &job) < 0)
                return -EBADMSG;
        if (!(job.flags & CONTROL_JOB_ENDED))
                jobs_track(c->client->front, job.id, job.unit);
        return call_reply(c, "bsss", (job.flags & CONTROL_JOB_ENDED) != 0, job.unit, job.type, job.result);
}

/* The unit that is meant: of the path for unit objects, else the first argument. */
int meant_unit(sd_bus_message *m, const struct method *method, char ret[CONTROL_NAME_MAX], sd_bus_error *e)
{
        const char *name;
        int r;

        if (method->object == ON_UNIT)
                return unit_of_path(sd_bus_message_get_path(m), ret);
        r = sd_bus_message_read(m, "s", &name);
        if (r >= 0)
                r = unit_name_check(name, e);
        if (r < 0)
                return r;
        memcpy(ret, name, strlen(name) + 1);
        return 0;
}

static int append_job_long(sd_bus_message *m, const struct control_job_wire *job)
{
        cleanup_free_ char *unit = NULL;
        char path[64];
        int r = unit_path(job->unit, &unit);

        (void)snprintf(path, sizeof path, BUS_JOBS "/%u", job->id);
        return r < 0 ? r : sd_bus_message_append(m, "uosos", job->id, path, job->unit, unit, job->type);
}

/* EnqueueUnitJob: the job that was asked for, then all others that it led to. */
static int finish_transaction(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        struct control_reader in = control_reader_of(reply->body, reply->size);
        struct control_record rec;
        struct control_job_wire job;
        sd_bus_message *m = NULL;
        int k, r = sd_bus_message_new_method_return(c->message, &m);

        if (r >= 0 && (control_reader_next(&in, &rec) <= 0 || control_record_job(&rec, &job) < 0))
                r = -EBADMSG;
        if (r >= 0) {
                jobs_track(c->client->front, job.id, job.unit);
                r = append_job_long(m, &job);
        }
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(uosos)");
        while (r >= 0 && (k = control_reader_next(&in, &rec)) != 0) {
                if (k < 0 || control_record_job(&rec, &job) < 0)
                        r = -EBADMSG;
                if (r >= 0 && (r = sd_bus_message_open_container(m, 'r', "uosos")) >= 0 &&
                    (r = append_job_long(m, &job)) >= 0)
                        r = sd_bus_message_close_container(m);
        }
        return call_answer(c, m, r);
}

/* The number by which the manager knows a request that is repeated: the caller's own, or one for this message. */
static int read_request_id(sd_bus_message *m, bool given, uint64_t ret[2])
{
        _Static_assert(2 * sizeof(uint64_t) == CONTROL_REQUEST_ID, "request id");

        if (given)
                return sd_bus_message_read(m, "tt", &ret[0], &ret[1]);
        if (getrandom(ret, CONTROL_REQUEST_ID, GRND_NONBLOCK) != CONTROL_REQUEST_ID)
                ret[0] = ret[1] = 0; /* none: then the manager cannot tell a repeated request */
        return 0;
}

/* For the history of the unit: who asked. */
static int write_who(struct client *c, sd_bus_message *m, struct buf *b)
{
        const struct peer *p = peer_known(c, m);
        int r = p ? control_write_u32(b, CONTROL_TAG_CLIENT_UID, p->uid) : 0;

        return r < 0 || !p || p->pid <= 0 ? r : control_write_u32(b, CONTROL_TAG_CLIENT_PID, (uint32_t)p->pid);
}

static int do_enqueue(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        char unit[CONTROL_NAME_MAX];
        uint64_t id[2];
        const char *word = method->word, *mode;
        enum job_request request;
        enum job_mode known;
        int r;

        if ((r = meant_unit(m, method, unit, e)) < 0 || (!word && (r = sd_bus_message_read(m, "s", &word)) < 0) ||
            (r = sd_bus_message_read(m, "s", &mode)) < 0 || (r = read_request_id(m, method->numbered, id)) < 0)
                return r;
        if (control_request_from_word(word, &request) < 0)
                return sd_bus_error_setf(e, ERROR_INVALID, "Job type %.64s invalid", word);
        if (control_mode_from_word(mode, &known) < 0)
                return sd_bus_error_setf(e, ERROR_INVALID, "Job mode %.64s invalid", mode);
        if ((r = control_write_string(&b, CONTROL_TAG_UNIT, unit)) < 0 ||
            (r = control_write_string(&b, CONTROL_TAG_REQUEST, word)) < 0 ||
            (r = control_write_string(&b, CONTROL_TAG_MODE, mode)) < 0 ||
            (r = control_write(&b, CONTROL_TAG_REQUEST_ID, id, sizeof id)) < 0 || (r = write_who(c, m, &b)) < 0)
                return r;
        return method->word || method->numbered
                       ? call_begin(c, m, CONTROL_ENQUEUE, &b, finish_job, unit, 0, e)
                       : call_begin(c, m, CONTROL_TRANSACTION, &b, finish_transaction, unit, 0, e);
}

/* Rows of strings under a name, as a(sas). */
static int append_row(sd_bus_message *m, const struct control_record *rec)
{
        struct control_reader r = control_reader_of(rec->data, rec->size);
        const char *name, *s;
        char kind;
        int k = control_take_bytes(&r, &kind, 1);

        if (k < 0 || kind != CONTROL_KIND_STRINGS || control_take_string(&r, &name) < 0)
                return -EBADMSG;
        if ((k = sd_bus_message_open_container(m, 'r', "sas")) < 0 || (k = sd_bus_message_append(m, "s", name)) < 0 ||
            (k = sd_bus_message_open_container(m, 'a', "s")) < 0)
                return k;
        while (r.at < r.size)
                if (control_take_string(&r, &s) < 0 || sd_bus_message_append(m, "s", s) < 0)
                        return -EBADMSG;
        k = sd_bus_message_close_container(m);
        return k < 0 ? k : sd_bus_message_close_container(m);
}

static int finish_plan(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        struct control_reader in = control_reader_of(reply->body, reply->size);
        struct control_record rec;
        sd_bus_message *m = NULL;
        int k, r = sd_bus_message_new_method_return(c->message, &m);

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sas)");
        while (r >= 0 && (k = control_reader_next(&in, &rec)) != 0)
                if (k < 0)
                        r = -EBADMSG;
                else if (rec.tag == CONTROL_TAG_PROPERTY)
                        r = append_row(m, &rec);
        return call_answer(c, m, r);
}

static int do_plan(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        char unit[CONTROL_NAME_MAX];
        const char *word, *mode;
        int r;

        if (method->request_type == CONTROL_PLAN_RELOAD)
                return call_begin(c, m, CONTROL_PLAN_RELOAD, &b, finish_plan, NULL, 0, e);
        if ((r = meant_unit(m, method, unit, e)) < 0 || (r = sd_bus_message_read(m, "ss", &word, &mode)) < 0 ||
            (r = control_write_string(&b, CONTROL_TAG_UNIT, unit)) < 0 ||
            (r = control_write_string(&b, CONTROL_TAG_REQUEST, word)) < 0 ||
            (r = control_write_string(&b, CONTROL_TAG_MODE, mode)) < 0)
                return r;
        return call_begin(c, m, CONTROL_PLAN, &b, finish_plan, unit, 0, e);
}

static int do_kill(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        char unit[CONTROL_NAME_MAX];
        const char *whom;
        int32_t signal, value = 0;
        bool queue = method->request_type == CONTROL_QUEUE_SIGNAL;
        int r;

        if ((r = meant_unit(m, method, unit, e)) < 0 || (r = sd_bus_message_read(m, "si", &whom, &signal)) < 0 ||
            (queue && (r = sd_bus_message_read(m, "i", &value)) < 0))
                return r;
        if (whom[0] == 0)
                whom = "all";
        if (!streq(whom, "all") && !streq(whom, "main") && !streq(whom, "control") && !streq(whom, "main-fail") &&
            !streq(whom, "control-fail") && !streq(whom, "all-fail"))
                return sd_bus_error_setf(e, ERROR_INVALID, "Invalid who argument: %.64s", whom);
        if (signal < 1 || signal > 64)
                return sd_bus_error_set(e, ERROR_INVALID, "Signal number out of range.");
        if ((r = control_write_string(&b, CONTROL_TAG_UNIT, unit)) < 0 ||
            (r = control_write_string(&b, CONTROL_TAG_WHOM, whom)) < 0 ||
            (r = control_write_u32(&b, CONTROL_TAG_NUMBER, (uint32_t)signal)) < 0)
                return r;
        if (queue && (r = control_write_u32(&b, CONTROL_TAG_VALUE, (uint32_t)value)) < 0)
                return r;
        return call_begin(c, m, queue ? CONTROL_QUEUE_SIGNAL : CONTROL_KILL, &b, finish_empty, unit, 0, e);
}

/* The manager ends without an answer when it starts anew, and the caller expects to be disconnected, as by systemd. On
 * the message bus, where all share the connection, it gets its answer. */
static int finish_reexecute(struct call *c, const struct link_reply *reply unused_, sd_bus_error *e unused_)
{
        struct client *client = c->client;

        if (client->on_bus)
                return call_reply(c, NULL);
        client_close(client);
        return 0;
}

/* Requests with nothing in them, or with a unit. */
static int do_plain(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        struct buf b = {0};
        return call_begin(c, m, (uint16_t)method->request_type, &b,
                          method->request_type == CONTROL_REEXECUTE ? finish_reexecute : finish_empty, NULL, 0, e);
}

static int do_reset_failed_unit(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        char unit[CONTROL_NAME_MAX];
        int r;

        if ((r = meant_unit(m, method, unit, e)) < 0 || (r = control_write_string(&b, CONTROL_TAG_UNIT, unit)) < 0)
                return r;
        return call_begin(c, m, CONTROL_RESET_FAILED, &b, finish_empty, unit, 0, e);
}

static int ask_unit(struct client *c, sd_bus_message *m, const char *unit, bool only_loaded, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        int r;

        if ((r = control_write_string(&b, CONTROL_TAG_UNIT, unit)) < 0 ||
            (r = control_write_u32(&b, CONTROL_TAG_FLAG, only_loaded)) < 0)
                return r;
        return call_begin(c, m, CONTROL_LOAD_UNIT, &b, finish_unit, unit, 0, e);
}

static int do_get_unit(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        char unit[CONTROL_NAME_MAX];
        int r = meant_unit(m, method, unit, e);

        return r < 0 ? r : ask_unit(c, m, unit, streq(method->member, "GetUnit"), e);
}

static int do_get_unit_by_pid(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e)
{
        const struct peer *who = peer_known(c, m);
        cleanup_buf_ struct buf b = {0};
        uint32_t pid;
        int r = sd_bus_message_read(m, "u", &pid);

        if (r < 0)
                return r;
        if (pid == 0)
                pid = (uint32_t)(who ? who->pid : 0);
        if (pid == 0 || pid > INT32_MAX)
                return sd_bus_error_setf(e, ERROR_INVALID, "Invalid PID %u", pid);
        r = control_write_u32(&b, CONTROL_TAG_NUMBER, pid);
        return r < 0 ? r : call_begin(c, m, CONTROL_UNIT_BY_PID, &b, finish_unit, NULL, pid, e);
}

static int do_get_unit_by_invocation(struct client *c, sd_bus_message *m, const struct method *method unused_,
                                     sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        const void *id;
        size_t size;
        int r = sd_bus_message_read_array(m, 'y', &id, &size);

        if (r < 0)
                return r;
        if (size != 16)
                return sd_bus_error_set(e, ERROR_INVALID, "Invalid invocation ID");
        r = control_write(&b, CONTROL_TAG_INVOCATION, id, size);
        return r < 0 ? r : call_begin(c, m, CONTROL_UNIT_BY_INVOCATION, &b, finish_unit, NULL, 0, e);
}

static int ask_job(struct client *c, sd_bus_message *m, uint16_t type, uint32_t id,
                   int (*finish)(struct call *, const struct link_reply *, sd_bus_error *), sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        int r = control_write_u32(&b, CONTROL_TAG_JOB_ID, id);

        return r < 0 ? r : call_begin(c, m, type, &b, finish, NULL, id, e);
}

static int do_job(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        uint32_t id;
        int r = method->object == ON_JOB ? job_of_path(sd_bus_message_get_path(m), &id)
                                         : sd_bus_message_read(m, "u", &id);

        if (r < 0)
                return r;
        if (method->request_type == CONTROL_CANCEL_JOB)
                return ask_job(c, m, CONTROL_CANCEL_JOB, id, finish_empty, e);
        return ask_job(c, m, CONTROL_JOB_STATE, id,
                       streq(method->member, "GetJob") ? finish_job_object : finish_job_state, e);
}

/* ClearJobs: every job of the list is cancelled; nobody waits for each. */
static void cancelled(void *userdata unused_, const struct link_reply *reply unused_)
{
}

static int finish_clear_jobs(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        struct control_reader r = control_reader_of(reply->body, reply->size);
        struct control_record rec;
        struct control_job_wire job;

        while (control_reader_next(&r, &rec) > 0) {
                struct buf b = {0};

                if (control_record_job(&rec, &job) < 0 || control_write_u32(&b, CONTROL_TAG_JOB_ID, job.id) < 0 ||
                    link_request(c->client->front->link, CONTROL_CANCEL_JOB, &b, cancelled, NULL) < 0)
                        break;
        }
        return call_reply(c, NULL);
}

static int append_job_row(sd_bus_message *m, const struct control_job_wire *job)
{
        cleanup_free_ char *unit = NULL;
        char path[64];
        int r = unit_path(job->unit, &unit);

        (void)snprintf(path, sizeof path, BUS_JOBS "/%u", job->id);
        return r < 0 ? r
                     : sd_bus_message_append(m, "(usssoo)", job->id, job->unit, job->type,
                                             job->flags & CONTROL_JOB_WAITING ? "waiting" : "running", path, unit);
}

static int finish_list_jobs(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        struct control_reader in = control_reader_of(reply->body, reply->size);
        struct control_record rec;
        struct control_job_wire job;
        sd_bus_message *m = NULL;
        int k, r = sd_bus_message_new_method_return(c->message, &m);

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(usssoo)");
        while (r >= 0 && (k = control_reader_next(&in, &rec)) != 0)
                if (k < 0 || control_record_job(&rec, &job) < 0)
                        r = -EBADMSG;
                else
                        r = append_job_row(m, &job);
        return call_answer(c, m, r);
}

/* GetJobAfter, GetJobBefore: the jobs that this one waits for, or that wait for it. */
static int do_job_neighbours(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        uint32_t id;
        int r = method->object == ON_JOB ? job_of_path(sd_bus_message_get_path(m), &id)
                                         : sd_bus_message_read(m, "u", &id);

        if (r < 0 || (r = control_write_u32(&b, CONTROL_TAG_JOB_ID, id)) < 0 ||
            (r = control_write_u32(&b, CONTROL_TAG_FLAG, ends_with(method->member, "After"))) < 0)
                return r;
        return call_begin(c, m, CONTROL_JOB_NEIGHBOURS, &b, finish_list_jobs, NULL, id, e);
}

static int do_list_jobs(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        struct buf b = {0};
        return call_begin(c, m, CONTROL_LIST_JOBS, &b,
                          streq(method->member, "ListJobs") ? finish_list_jobs : finish_clear_jobs, NULL, 0, e);
}

/* Which rows are asked for; empty lists let all through. */
struct filter {
        char **states, **patterns, **names;
};

static void filter_done(struct filter *f)
{
        char **const lists[] = {f->states, f->patterns, f->names};

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                for (char **p = lists[i]; p && *p; p++)
                        free(*p);
                free(lists[i]);
        }
}

static int filter_read(sd_bus_message *m, struct filter *f)
{
        const char *member = sd_bus_message_get_member(m);
        int r = sd_bus_message_rewind(m, 1);

        if (r < 0 || streq(member, "ListUnits"))
                return r;
        if (streq(member, "ListUnitsByNames"))
                return sd_bus_message_read_strv(m, &f->names);
        r = sd_bus_message_read_strv(m, &f->states);
        return r < 0 || streq(member, "ListUnitsFiltered") ? r : sd_bus_message_read_strv(m, &f->patterns);
}

static bool filter_passes(const struct filter *f, const struct control_row_wire *w)
{
        bool state = !f->states || !f->states[0], pattern = !f->patterns || !f->patterns[0], name = !f->names;

        for (char **p = f->states; p && *p && !state; p++)
                state = streq(*p, w->load) || streq(*p, w->active) || streq(*p, w->sub);
        for (char **p = f->patterns; p && *p && !pattern; p++)
                pattern = fnmatch(*p, w->id, FNM_NOESCAPE) == 0;
        for (char **p = f->names; p && *p && !name; p++)
                name = streq(*p, w->id);
        return state && pattern && name;
}

static int append_unit_row(sd_bus_message *m, const struct control_row_wire *w)
{
        cleanup_free_ char *path = NULL;
        char job[64] = "/";
        int r = unit_path(w->id, &path);

        if (w->job_id > 0)
                (void)snprintf(job, sizeof job, BUS_JOBS "/%u", w->job_id);
        if (r < 0 || (r = sd_bus_message_open_container(m, 'r', "ssssssouso")) < 0 ||
            (r = append_text(m, 's', w->id)) < 0 || (r = append_text(m, 's', w->description)) < 0)
                return r;
        r = sd_bus_message_append(m, "ssssouso", w->load, w->active, w->sub, "", path, w->job_id,
                                  w->job_id > 0 ? w->job_type : "", job);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_unit_rows(sd_bus_message *m, const struct link_reply *reply, const struct filter *f)
{
        struct control_reader in = control_reader_of(reply->body, reply->size);
        struct control_record rec;
        struct control_row_wire w;
        int k, r = 0;

        while (r >= 0 && (k = control_reader_next(&in, &rec)) != 0)
                if (k < 0 || control_record_row(&rec, &w) < 0)
                        r = -EBADMSG;
                else if (filter_passes(f, &w))
                        r = append_unit_row(m, &w);
        return r;
}

static int finish_list_units(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        struct filter f = {0};
        sd_bus_message *m = NULL;
        int r = filter_read(c->message, &f);

        if (r >= 0)
                r = sd_bus_message_new_method_return(c->message, &m);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(ssssssouso)");
        if (r >= 0)
                r = append_unit_rows(m, reply, &f);
        r = call_answer(c, m, r);
        filter_done(&f);
        return r;
}

static int do_list_units(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e)
{
        struct buf b = {0};
        return call_begin(c, m, CONTROL_LIST_UNITS, &b, finish_list_units, NULL, 0, e);
}

/* On a connection of its own everybody is told everything anyway. */
static int do_subscribe(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        struct peer *who = peer_known(c, m);
        bool on = streq(method->member, "Subscribe");

        if (!c->on_bus)
                return client_reply(c, m, NULL);
        if (!who)
                return sd_bus_error_set(e, ERROR_LIMITS, "Too many callers at once");
        if (who->subscribed == on)
                return on ? sd_bus_error_set(e, BUS_PREFIX "AlreadySubscribed", "Client is already subscribed.")
                          : sd_bus_error_set(e, BUS_PREFIX "NotSubscribed", "Client is not subscribed.");
        who->subscribed = on;
        c->n_subscribed += on ? 1u : -1u;
        return client_reply(c, m, NULL);
}

/* AddMatch and its kin */
static int do_nothing(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e unused_)
{
        return client_reply(c, m, NULL);
}

static int do_hello(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e unused_)
{
        char name[32];

        c->said_hello = true;
        (void)snprintf(name, sizeof name, ":1.%u", c->number);
        return client_reply(c, m, "s", name);
}

static bool name_is_ours(const char *name)
{
        return streq(name, BUS_NAME) || streq(name, "org.freedesktop.DBus");
}

static int do_name(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        const char *name;
        char own[32];
        bool known;
        int r = sd_bus_message_read(m, "s", &name);

        if (r < 0)
                return r;
        (void)snprintf(own, sizeof own, ":1.%u", c->number);
        known = name_is_ours(name) || streq(name, own);
        if (streq(method->member, "NameHasOwner"))
                return client_reply(c, m, "b", (int)known);
        if (!known)
                return sd_bus_error_setf(e, "org.freedesktop.DBus.Error.NameHasNoOwner", "No such name '%.128s'", name);
        if (streq(method->member, "GetNameOwner"))
                return client_reply(c, m, "s", name);
        if (streq(method->member, "GetConnectionUnixUser"))
                return client_reply(c, m, "u", name_is_ours(name) ? (uint32_t)geteuid() : (uint32_t)c->self.uid);
        return client_reply(c, m, "u", name_is_ours(name) ? (uint32_t)getpid() : (uint32_t)c->self.pid);
}

static int do_list_names(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e unused_)
{
        char own[32];

        if (!streq(method->member, "ListNames"))
                return client_reply(c, m, "as", 2, "org.freedesktop.DBus", BUS_NAME);
        (void)snprintf(own, sizeof own, ":1.%u", c->number);
        return client_reply(c, m, "as", 3, "org.freedesktop.DBus", BUS_NAME, own);
}

static int do_start_service(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e)
{
        const char *name;
        uint32_t flags;
        int r = sd_bus_message_read(m, "su", &name, &flags);

        if (r < 0)
                return r;
        if (!name_is_ours(name))
                return sd_bus_error_setf(e, SD_BUS_ERROR_SERVICE_UNKNOWN, "No such service '%.128s'", name);
        return client_reply(c, m, "u", 2); /* already running */
}

static int do_get_id(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e unused_)
{
        char text[SD_ID128_STRING_MAX];
        sd_id128_t id;
        int r = sd_bus_get_bus_id(c->bus, &id);

        return r < 0 ? r : client_reply(c, m, "s", sd_id128_to_string(id, text));
}

#define MANAGER    BUS_PREFIX "Manager"
#define UNIT       BUS_PREFIX "Unit"
#define SERVICE    BUS_PREFIX "Service"
#define JOB        BUS_PREFIX "Job"
#define DRIVER     "org.freedesktop.DBus"
#define PROPS      "org.freedesktop.DBus.Properties"
#define INTROSPECT "org.freedesktop.DBus.Introspectable"
#define UNIT_ROWS  "a(ssssssouso)"
#define LOOK       ACCESS_LOOK
#define OPERATE    ACCESS_OPERATE
#define CONFIGURE  ACCESS_CONFIGURE

const struct method methods[] = {
        {DRIVER, "Hello", "", "s", ON_ANY, LOOK, do_hello},
        {DRIVER, "AddMatch", "s", "", ON_ANY, LOOK, do_nothing},
        {DRIVER, "RemoveMatch", "s", "", ON_ANY, LOOK, do_nothing},
        {DRIVER, "GetNameOwner", "s", "s", ON_ANY, LOOK, do_name},
        {DRIVER, "NameHasOwner", "s", "b", ON_ANY, LOOK, do_name},
        {DRIVER, "GetConnectionUnixUser", "s", "u", ON_ANY, LOOK, do_name},
        {DRIVER, "GetConnectionUnixProcessID", "s", "u", ON_ANY, LOOK, do_name},
        {DRIVER, "ListNames", "", "as", ON_ANY, LOOK, do_list_names},
        {DRIVER, "ListActivatableNames", "", "as", ON_ANY, LOOK, do_list_names},
        {DRIVER, "StartServiceByName", "su", "u", ON_ANY, LOOK, do_start_service},
        {DRIVER, "GetId", "", "s", ON_ANY, LOOK, do_get_id},
        {INTROSPECT, "Introspect", "", "s", ON_ANY, LOOK, object_introspect},
        {PROPS, "Get", "ss", "v", ON_ANY, LOOK, object_get},
        {PROPS, "GetAll", "s", "a{sv}", ON_ANY, LOOK, object_get},
        {PROPS, "Set", "ssv", "", ON_ANY, CONFIGURE, object_set},
        {MANAGER, "StartUnit", "ss", "o", ON_MANAGER, OPERATE, do_enqueue, "start"},
        {MANAGER, "StopUnit", "ss", "o", ON_MANAGER, OPERATE, do_enqueue, "stop"},
        {MANAGER, "ReloadUnit", "ss", "o", ON_MANAGER, OPERATE, do_enqueue, "reload"},
        {MANAGER, "RestartUnit", "ss", "o", ON_MANAGER, OPERATE, do_enqueue, "restart"},
        {MANAGER, "TryRestartUnit", "ss", "o", ON_MANAGER, OPERATE, do_enqueue, "try-restart"},
        {MANAGER, "ReloadOrRestartUnit", "ss", "o", ON_MANAGER, OPERATE, do_enqueue, "reload-or-restart"},
        {MANAGER, "ReloadOrTryRestartUnit", "ss", "o", ON_MANAGER, OPERATE, do_enqueue, "try-reload-or-restart"},
        {MANAGER, "KillUnit", "ssi", "", ON_MANAGER, OPERATE, do_kill},
        {MANAGER, "ResetFailed", "", "", ON_MANAGER, OPERATE, do_plain, NULL, CONTROL_RESET_FAILED},
        {MANAGER, "ResetFailedUnit", "s", "", ON_MANAGER, OPERATE, do_reset_failed_unit},
        {MANAGER, "Reload", "", "", ON_MANAGER, OPERATE, do_plain, NULL, CONTROL_RELOAD},
        {MANAGER, "Reexecute", "", "", ON_MANAGER, CONFIGURE, do_plain, NULL, CONTROL_REEXECUTE},
        {MANAGER, "GetUnit", "s", "o", ON_MANAGER, LOOK, do_get_unit},
        {MANAGER, "LoadUnit", "s", "o", ON_MANAGER, LOOK, do_get_unit},
        {MANAGER, "GetUnitByInvocationID", "ay", "o", ON_MANAGER, LOOK, do_get_unit_by_invocation},
        {MANAGER, "GetUnitProcesses", "s", "a(sus)", ON_MANAGER, LOOK, do_processes},
        {MANAGER, "EnqueueUnitJob", "sss", "uososa(uosos)", ON_MANAGER, OPERATE, do_enqueue},
        {MANAGER, "EnqueueMarkedJobs", "", "ao", ON_MANAGER, OPERATE, do_marked},
        {MANAGER, "QueueSignalUnit", "ssii", "", ON_MANAGER, OPERATE, do_kill, NULL, CONTROL_QUEUE_SIGNAL},
        {MANAGER, "RefUnit", "s", "", ON_MANAGER, LOOK, do_ref, .who = true},
        {MANAGER, "UnrefUnit", "s", "", ON_MANAGER, LOOK, do_ref, .who = true},
        {MANAGER, "FreezeUnit", "s", "", ON_MANAGER, OPERATE, do_freeze},
        {MANAGER, "ThawUnit", "s", "", ON_MANAGER, OPERATE, do_freeze},
        {MANAGER, "SetEnvironment", "as", "", ON_MANAGER, CONFIGURE, do_environment},
        {MANAGER, "UnsetEnvironment", "as", "", ON_MANAGER, CONFIGURE, do_environment},
        {MANAGER, "UnsetAndSetEnvironment", "asas", "", ON_MANAGER, CONFIGURE, do_environment},
        {MANAGER, "PowerOff", "", "", ON_MANAGER, CONFIGURE, do_shutdown, "poweroff"},
        {MANAGER, "Reboot", "", "", ON_MANAGER, CONFIGURE, do_shutdown, "reboot"},
        {MANAGER, "Halt", "", "", ON_MANAGER, CONFIGURE, do_shutdown, "halt"},
        {MANAGER, "KExec", "", "", ON_MANAGER, CONFIGURE, do_shutdown, "kexec"},
        {MANAGER, "Exit", "", "", ON_MANAGER, CONFIGURE, do_shutdown, "exit"},
        {MANAGER, "StartTransientUnit", "ssa(sv)a(sa(sv))", "o", ON_MANAGER, CONFIGURE, do_transient, .who = true},
        {MANAGER, "SetUnitProperties", "sba(sv)", "", ON_MANAGER, CONFIGURE, do_set_properties},
        {MANAGER, "AttachProcessesToUnit", "ssau", "", ON_MANAGER, CONFIGURE, do_unsupported},
        {MANAGER, "SwitchRoot", "ss", "", ON_MANAGER, CONFIGURE, do_unsupported},
        {MANAGER, "BindMountUnit", "sssbb", "", ON_MANAGER, CONFIGURE, do_unsupported},
        {MANAGER, "MountImageUnit", "sssbba(ss)", "", ON_MANAGER, CONFIGURE, do_unsupported},
        {MANAGER, "CleanUnit", "sas", "", ON_MANAGER, CONFIGURE, do_clean},
        {MANAGER, "GetJobAfter", "u", "a(usssoo)", ON_MANAGER, LOOK, do_job_neighbours},
        {MANAGER, "GetJobBefore", "u", "a(usssoo)", ON_MANAGER, LOOK, do_job_neighbours},
        {MANAGER, "GetUnitByPID", "u", "o", ON_MANAGER, LOOK, do_get_unit_by_pid, .who = true},
        {MANAGER, "GetJob", "u", "o", ON_MANAGER, LOOK, do_job, NULL, CONTROL_JOB_STATE},
        {MANAGER, "CancelJob", "u", "", ON_MANAGER, OPERATE, do_job, NULL, CONTROL_CANCEL_JOB},
        {MANAGER, "ClearJobs", "", "", ON_MANAGER, OPERATE, do_list_jobs},
        {MANAGER, "ListJobs", "", "a(usssoo)", ON_MANAGER, LOOK, do_list_jobs},
        {MANAGER, "ListUnits", "", UNIT_ROWS, ON_MANAGER, LOOK, do_list_units},
        {MANAGER, "ListUnitsFiltered", "as", UNIT_ROWS, ON_MANAGER, LOOK, do_list_units},
        {MANAGER, "ListUnitsByPatterns", "asas", UNIT_ROWS, ON_MANAGER, LOOK, do_list_units},
        {MANAGER, "ListUnitsByNames", "as", UNIT_ROWS, ON_MANAGER, LOOK, do_list_units},
        {MANAGER, "Subscribe", "", "", ON_MANAGER, LOOK, do_subscribe, .who = true},
        {MANAGER, "Unsubscribe", "", "", ON_MANAGER, LOOK, do_subscribe, .who = true},
        {MANAGER, "EnableUnitFiles", "asbb", "ba(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "enable"},
        {MANAGER, "EnableUnitFilesWithFlags", "ast", "ba(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "enable"},
        {MANAGER, "DisableUnitFiles", "asb", "a(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "disable"},
        {MANAGER, "DisableUnitFilesWithFlags", "ast", "a(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "disable"},
        {MANAGER, "DisableUnitFilesWithFlagsAndInstallInfo", "ast", "ba(sss)", ON_MANAGER, CONFIGURE, unit_files_change,
         "disable-info"},
        {MANAGER, "ReenableUnitFiles", "asbb", "ba(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "reenable"},
        {MANAGER, "LinkUnitFiles", "asbb", "a(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "link"},
        {MANAGER, "PresetUnitFiles", "asbb", "ba(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "preset"},
        {MANAGER, "PresetUnitFilesWithMode", "assbb", "ba(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "preset"},
        {MANAGER, "PresetAllUnitFiles", "sbb", "a(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "preset-all"},
        {MANAGER, "MaskUnitFiles", "asbb", "a(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "mask"},
        {MANAGER, "UnmaskUnitFiles", "asb", "a(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "unmask"},
        {MANAGER, "RevertUnitFiles", "as", "a(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "revert"},
        {MANAGER, "AddDependencyUnitFiles", "asssbb", "a(sss)", ON_MANAGER, CONFIGURE, unit_files_change,
         "add-dependency"},
        {MANAGER, "SetDefaultTarget", "sb", "a(sss)", ON_MANAGER, CONFIGURE, unit_files_change, "set-default"},
        {MANAGER, "GetDefaultTarget", "", "s", ON_MANAGER, LOOK, unit_files_default},
        {MANAGER, "GetUnitFileState", "s", "s", ON_MANAGER, LOOK, unit_file_state},
        {MANAGER, "ListUnitFiles", "", "a(ss)", ON_MANAGER, LOOK, unit_files_list},
        {MANAGER, "ListUnitFilesByPatterns", "asas", "a(ss)", ON_MANAGER, LOOK, unit_files_list},
        {SUPD_IF, "Enqueue", "ssstt", "o", ON_MANAGER, OPERATE, do_enqueue, .numbered = true},
        {SUPD_IF, "Plan", "sss", "a(sas)", ON_MANAGER, OPERATE, do_plan, NULL, CONTROL_PLAN},
        {SUPD_IF, "PlanReload", "", "a(sas)", ON_MANAGER, OPERATE, do_plan, NULL, CONTROL_PLAN_RELOAD},
        {SUPD_IF, "JobState", "u", "bsss", ON_MANAGER, LOOK, do_job, NULL, CONTROL_JOB_STATE},
        {UNIT, "Start", "s", "o", ON_UNIT, OPERATE, do_enqueue, "start"},
        {UNIT, "Stop", "s", "o", ON_UNIT, OPERATE, do_enqueue, "stop"},
        {UNIT, "Reload", "s", "o", ON_UNIT, OPERATE, do_enqueue, "reload"},
        {UNIT, "Restart", "s", "o", ON_UNIT, OPERATE, do_enqueue, "restart"},
        {UNIT, "TryRestart", "s", "o", ON_UNIT, OPERATE, do_enqueue, "try-restart"},
        {UNIT, "ReloadOrRestart", "s", "o", ON_UNIT, OPERATE, do_enqueue, "reload-or-restart"},
        {UNIT, "ReloadOrTryRestart", "s", "o", ON_UNIT, OPERATE, do_enqueue, "try-reload-or-restart"},
        {UNIT, "Kill", "si", "", ON_UNIT, OPERATE, do_kill},
        {UNIT, "QueueSignal", "sii", "", ON_UNIT, OPERATE, do_kill, NULL, CONTROL_QUEUE_SIGNAL},
        {UNIT, "ResetFailed", "", "", ON_UNIT, OPERATE, do_reset_failed_unit},
        {UNIT, "EnqueueJob", "ss", "uososa(uosos)", ON_UNIT, OPERATE, do_enqueue},
        {UNIT, "Ref", "", "", ON_UNIT, LOOK, do_ref, .who = true},
        {UNIT, "Unref", "", "", ON_UNIT, LOOK, do_ref, .who = true},
        {UNIT, "Freeze", "", "", ON_UNIT, OPERATE, do_freeze},
        {UNIT, "Thaw", "", "", ON_UNIT, OPERATE, do_freeze},
        {UNIT, "SetProperties", "ba(sv)", "", ON_UNIT, CONFIGURE, do_set_properties},
        {UNIT, "Clean", "as", "", ON_UNIT, CONFIGURE, do_clean},
        {SERVICE, "GetProcesses", "", "a(sus)", ON_UNIT, LOOK, do_processes},
        {SERVICE, "AttachProcesses", "sau", "", ON_UNIT, CONFIGURE, do_unsupported},
        {JOB, "GetAfter", "", "a(usssoo)", ON_JOB, LOOK, do_job_neighbours},
        {JOB, "GetBefore", "", "a(usssoo)", ON_JOB, LOOK, do_job_neighbours},
        {JOB, "Cancel", "", "", ON_JOB, OPERATE, do_job, NULL, CONTROL_CANCEL_JOB},
};
const size_t n_methods = ARRAY_SIZE(methods);
