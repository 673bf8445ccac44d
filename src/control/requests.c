/* SPDX-License-Identifier: MIT
 *
 * What is asked of the manager: a handler per type of request, which reads its tags, calls the op, and writes the
 * answer.
 *
 * Not here: sockets (server.c), what verbs mean (the manager). Invariant: nothing of a request is believed: a field
 * that is missing, too long or out of range is an error of the caller's.
 */
#include "control/server.h"

#include <stdio.h>

/* One request as it came; handlers read their tags and fill s->answer. */
struct call {
        struct control_server *s;
        const char *body;
        size_t size;
        const struct control_request *request;
        struct control_error *error;
};

#define ERROR_INVALID   "org.freedesktop.DBus.Error.InvalidArgs"
#define ERROR_UNSUPPORT "org.freedesktop.DBus.Error.NotSupported"
#define ERROR_NO_JOB    "org.freedesktop.systemd1.NoSuchJob"

static int call_string(struct call *c, uint16_t tag, const char **ret)
{
        int r = control_body_string(c->body, c->size, tag, ret);

        if (r < 0)
                control_error_set(c->error, ERROR_INVALID, "The request lacks field %u", tag);
        return r;
}

static int call_u32(struct call *c, uint16_t tag, uint32_t *ret)
{
        int r = control_body_u32(c->body, c->size, tag, ret);

        if (r < 0)
                control_error_set(c->error, ERROR_INVALID, "The request lacks field %u", tag);
        return r;
}

/* A unit name: bounded, not empty. */
static int call_unit(struct call *c, const char **ret)
{
        const char *unit;
        int r = call_string(c, CONTROL_TAG_UNIT, &unit);

        if (r < 0)
                return r;
        if (unit[0] == 0 || strlen(unit) >= CONTROL_NAME_MAX) {
                control_error_set(c->error, ERROR_INVALID, "Unit name %.64s is not valid.", unit);
                return -EINVAL;
        }
        *ret = unit;
        return 0;
}

static int put_job_id(struct call *c, uint32_t id)
{
        return control_write_u32(&c->s->answer.body, CONTROL_TAG_JOB_ID, id);
}

static bool request_id_given(const struct control_request *q)
{
        static const uint8_t none[CONTROL_REQUEST_ID];
        return memcmp(q->id, none, sizeof none) != 0;
}

void control_request_read_who(const char *body, size_t size, struct control_request *ret)
{
        struct control_reader r = control_reader_of(body, size);
        struct control_record rec;

        while (control_reader_next(&r, &rec) > 0)
                if (rec.tag == CONTROL_TAG_REQUEST_ID && rec.size == sizeof ret->id)
                        memcpy(ret->id, rec.data, sizeof ret->id);
                else if (rec.tag == CONTROL_TAG_CLIENT_UID)
                        (void)control_record_u32(&rec, &ret->client_uid);
                else if (rec.tag == CONTROL_TAG_CLIENT_PID)
                        (void)control_record_u32(&rec, &ret->client_pid);
}

static int list_each(void *userdata, const struct control_job *job)
{
        return server_put_job(&((struct control_server *)userdata)->answer.body, job, false);
}

static int put_job_state(struct call *c, uint32_t id)
{
        struct control_job job = {0};
        bool ended = false;
        int r = c->s->ops->job_state(c->s->userdata, id, &job, &ended);

        if (r < 0) {
                control_error_set(c->error, ERROR_NO_JOB, "Job %u does not exist.", id);
                return r;
        }
        return server_put_job(&c->s->answer.body, &job, ended);
}

/* The fields of a request for a job. */
struct wish {
        const char *unit;
        enum job_request request;
        enum job_mode mode;
};

static int call_wish(struct call *c, struct wish *ret)
{
        const char *request_word, *mode_word;
        int r;

        if ((r = call_unit(c, &ret->unit)) < 0 || (r = call_string(c, CONTROL_TAG_REQUEST, &request_word)) < 0 ||
            (r = call_string(c, CONTROL_TAG_MODE, &mode_word)) < 0)
                return r;
        if ((r = control_request_from_word(request_word, &ret->request)) < 0) {
                control_error_set(c->error, ERROR_INVALID, "Job type %.64s invalid", request_word);
                return r;
        }
        if ((r = control_mode_from_word(mode_word, &ret->mode)) < 0)
                control_error_set(c->error, ERROR_INVALID, "Job mode %.64s invalid", mode_word);
        return r;
}

static int do_plan(struct call *c)
{
        struct wish w;
        int r;

        if (!c->s->ops->plan)
                return -EOPNOTSUPP;
        r = call_wish(c, &w);
        return r < 0 ? r : c->s->ops->plan(c->s->userdata, w.unit, w.request, w.mode, &c->s->answer, c->error);
}

static int do_plan_reload(struct call *c)
{
        if (!c->s->ops->plan_reload)
                return -EOPNOTSUPP;
        return c->s->ops->plan_reload(c->s->userdata, &c->s->answer, c->error);
}

static int enqueue(struct call *c, bool whole)
{
        const struct control_ops *ops = c->s->ops;
        struct wish w;
        uint32_t id;
        int r = call_wish(c, &w);

        if (r < 0)
                return r;
        if (ops->find_request && request_id_given(c->request) &&
            ops->find_request(c->s->userdata, c->request->id, &id) >= 0)
                return whole ? put_job_state(c, id) : put_job_id(c, id);
        r = ops->enqueue(c->s->userdata, w.unit, w.request, w.mode, &id, c->error);
        if (r < 0)
                return r;
        return whole ? ops->transaction(c->s->userdata, list_each, c->s) : put_job_id(c, id);
}

static int do_enqueue(struct call *c)
{
        return enqueue(c, false);
}

static int do_transaction(struct call *c)
{
        return c->s->ops->transaction ? enqueue(c, true) : -EOPNOTSUPP;
}

static int do_kill(struct call *c)
{
        const char *unit, *whom;
        uint32_t signal;
        int r;

        if ((r = call_unit(c, &unit)) < 0 || (r = call_string(c, CONTROL_TAG_WHOM, &whom)) < 0 ||
            (r = call_u32(c, CONTROL_TAG_NUMBER, &signal)) < 0)
                return r;
        if (signal < 1 || signal > 64) {
                control_error_set(c->error, ERROR_INVALID, "Signal number out of range.");
                return -EINVAL;
        }
        return c->s->ops->kill(c->s->userdata, unit, whom, (int)signal, c->error);
}

static int do_reset_failed(struct call *c)
{
        const char *unit = NULL;
        int r = control_body_string(c->body, c->size, CONTROL_TAG_UNIT, &unit);

        if (r < 0 && r != -ENODATA)
                return r;
        if (r >= 0 && (r = call_unit(c, &unit)) < 0)
                return r;
        return c->s->ops->reset_failed(c->s->userdata, unit, c->error);
}

static int do_reload(struct call *c)
{
        return c->s->ops->reload(c->s->userdata, c->error);
}

static int do_cancel_job(struct call *c)
{
        uint32_t id;
        int r = call_u32(c, CONTROL_TAG_JOB_ID, &id);

        return r < 0 ? r : c->s->ops->cancel_job(c->s->userdata, id, c->error);
}

static int do_load_unit(struct call *c)
{
        char id[256] = "";
        const char *unit;
        uint32_t only_loaded;
        int r;

        if ((r = call_unit(c, &unit)) < 0 || (r = call_u32(c, CONTROL_TAG_FLAG, &only_loaded)) < 0 ||
            (r = c->s->ops->load_unit(c->s->userdata, unit, only_loaded, id, c->error)) < 0)
                return r;
        return control_write_string(&c->s->answer.body, CONTROL_TAG_UNIT, id);
}

static int do_unit_by_pid(struct call *c)
{
        char id[256] = "";
        uint32_t pid;
        int r;

        if ((r = call_u32(c, CONTROL_TAG_NUMBER, &pid)) < 0 ||
            (r = c->s->ops->unit_by_pid(c->s->userdata, pid, id, c->error)) < 0)
                return r;
        return control_write_string(&c->s->answer.body, CONTROL_TAG_UNIT, id);
}

static int do_unit_properties(struct call *c)
{
        uint32_t brief = 0;
        const char *unit;
        int r = call_unit(c, &unit);

        (void)control_body_u32(c->body, c->size, CONTROL_TAG_BRIEF, &brief);
        return r < 0 ? r : c->s->ops->unit_properties(c->s->userdata, unit, brief != 0, &c->s->answer, c->error);
}

static int do_queue_signal(struct call *c)
{
        const char *unit, *whom;
        uint32_t signal, value;
        int r;

        if (!c->s->ops->queue_signal)
                return -EOPNOTSUPP;
        if ((r = call_unit(c, &unit)) < 0 || (r = call_string(c, CONTROL_TAG_WHOM, &whom)) < 0 ||
            (r = call_u32(c, CONTROL_TAG_NUMBER, &signal)) < 0 || (r = call_u32(c, CONTROL_TAG_VALUE, &value)) < 0)
                return r;
        if (signal < 1 || signal > 64) {
                control_error_set(c->error, ERROR_INVALID, "Signal number out of range.");
                return -EINVAL;
        }
        return c->s->ops->queue_signal(c->s->userdata, unit, whom, (int)signal, (int)value, c->error);
}

static int do_unit_processes(struct call *c)
{
        const char *unit;
        int r = call_unit(c, &unit);

        if (!c->s->ops->unit_processes)
                return -EOPNOTSUPP;
        return r < 0 ? r : c->s->ops->unit_processes(c->s->userdata, unit, &c->s->answer, c->error);
}

#define ASSIGNMENTS_MAX 1024

static int do_environment(struct call *c)
{
        struct control_reader r = control_reader_of(c->body, c->size);
        const char *unset[ASSIGNMENTS_MAX], *set[ASSIGNMENTS_MAX];
        unsigned n_unset = 0, n_set = 0;
        struct control_record rec;
        int k;

        if (!c->s->ops->environment)
                return -EOPNOTSUPP;
        while ((k = control_reader_next(&r, &rec)) > 0) {
                bool is_set = rec.tag == CONTROL_TAG_SET;

                if (!is_set && rec.tag != CONTROL_TAG_UNSET)
                        continue;
                if (n_set >= ASSIGNMENTS_MAX || n_unset >= ASSIGNMENTS_MAX)
                        return -E2BIG;
                if (control_record_string(&rec, is_set ? &set[n_set] : &unset[n_unset]) < 0)
                        return -EBADMSG;
                n_set += is_set;
                n_unset += !is_set;
        }
        return k < 0 ? k : c->s->ops->environment(c->s->userdata, unset, n_unset, set, n_set, c->error);
}

static int do_set_property(struct call *c)
{
        const char *name, *value;
        int r;

        if (!c->s->ops->set_property)
                return -EOPNOTSUPP;
        if ((r = call_string(c, CONTROL_TAG_NAME, &name)) < 0 || (r = call_string(c, CONTROL_TAG_TEXT, &value)) < 0)
                return r;
        return c->s->ops->set_property(c->s->userdata, name, value, c->error);
}

static int do_unit_by_invocation(struct call *c)
{
        struct control_reader r = control_reader_of(c->body, c->size);
        struct control_record rec;
        char id[256] = "";
        int k;

        if (!c->s->ops->unit_by_invocation)
                return -EOPNOTSUPP;
        while ((k = control_reader_next(&r, &rec)) > 0)
                if (rec.tag == CONTROL_TAG_INVOCATION && rec.size == 16)
                        break;
        if (k <= 0)
                return -EBADMSG;
        k = c->s->ops->unit_by_invocation(c->s->userdata, (const uint8_t *)rec.data, id, c->error);
        return k < 0 ? k : control_write_string(&c->s->answer.body, CONTROL_TAG_UNIT, id);
}

static int do_collect(struct call *c)
{
        const char *unit;
        int r = call_unit(c, &unit);

        if (r >= 0 && !c->s->ops->collect)
                return -EOPNOTSUPP;
        return r < 0 ? r : c->s->ops->collect(c->s->userdata, unit, c->error);
}

static int do_clean(struct call *c)
{
        struct control_reader r = control_reader_of(c->body, c->size);
        struct control_record rec;
        const char *unit, *what[16];
        unsigned n = 0;
        int k = call_unit(c, &unit);

        if (k >= 0 && !c->s->ops->clean)
                return -EOPNOTSUPP;
        while (k >= 0 && control_reader_next(&r, &rec) > 0)
                if (rec.tag == CONTROL_TAG_NAME && n < ARRAY_SIZE(what))
                        k = control_record_string(&rec, &what[n++]);
        return k < 0 ? k : c->s->ops->clean(c->s->userdata, unit, what, n, &c->s->answer, c->error);
}

static int do_shutdown(struct call *c)
{
        const char *what;
        int r = call_string(c, CONTROL_TAG_TEXT, &what);

        if (!c->s->ops->shutdown)
                return -EOPNOTSUPP;
        return r < 0 ? r : c->s->ops->shutdown(c->s->userdata, what, c->error);
}

static int do_job_neighbours(struct call *c)
{
        uint32_t id, flag;
        int r;

        if (!c->s->ops->job_neighbours)
                return -EOPNOTSUPP;
        if ((r = call_u32(c, CONTROL_TAG_JOB_ID, &id)) < 0 || (r = call_u32(c, CONTROL_TAG_FLAG, &flag)) < 0)
                return r;
        return c->s->ops->job_neighbours(c->s->userdata, id, flag != 0, list_each, c->s, c->error);
}

static int do_manager_properties(struct call *c)
{
        return c->s->ops->manager_properties(c->s->userdata, &c->s->answer, c->error);
}

static int do_list_units(struct call *c)
{
        return c->s->ops->list_units(c->s->userdata, &c->s->answer, c->error);
}

static int do_list_jobs(struct call *c)
{
        return c->s->ops->list_jobs(c->s->userdata, list_each, c->s);
}

static int do_job_state(struct call *c)
{
        uint32_t id;
        int r = call_u32(c, CONTROL_TAG_JOB_ID, &id);

        return r < 0 ? r : put_job_state(c, id);
}

static int do_reexecute(struct call *c)
{
        if (c->s->ops->reexecute)
                return c->s->ops->reexecute(c->s->userdata, c->error);
        control_error_set(c->error, ERROR_UNSUPPORT, "This manager does not re-execute itself");
        return -EOPNOTSUPP;
}

static int (*const handlers[])(struct call *c) = {
        [CONTROL_ENQUEUE] = do_enqueue,
        [CONTROL_KILL] = do_kill,
        [CONTROL_RESET_FAILED] = do_reset_failed,
        [CONTROL_RELOAD] = do_reload,
        [CONTROL_CANCEL_JOB] = do_cancel_job,
        [CONTROL_LOAD_UNIT] = do_load_unit,
        [CONTROL_UNIT_BY_PID] = do_unit_by_pid,
        [CONTROL_UNIT_PROPERTIES] = do_unit_properties,
        [CONTROL_MANAGER_PROPERTIES] = do_manager_properties,
        [CONTROL_LIST_UNITS] = do_list_units,
        [CONTROL_LIST_JOBS] = do_list_jobs,
        [CONTROL_JOB_STATE] = do_job_state,
        [CONTROL_REEXECUTE] = do_reexecute,
        [CONTROL_TRANSACTION] = do_transaction,
        [CONTROL_QUEUE_SIGNAL] = do_queue_signal,
        [CONTROL_UNIT_PROCESSES] = do_unit_processes,
        [CONTROL_ENVIRONMENT] = do_environment,
        [CONTROL_SET_PROPERTY] = do_set_property,
        [CONTROL_UNIT_BY_INVOCATION] = do_unit_by_invocation,
        [CONTROL_SHUTDOWN] = do_shutdown,
        [CONTROL_COLLECT] = do_collect,
        [CONTROL_CLEAN] = do_clean,
        [CONTROL_JOB_NEIGHBOURS] = do_job_neighbours,
        [CONTROL_PLAN] = do_plan,
        [CONTROL_PLAN_RELOAD] = do_plan_reload,
};

int control_request_do(struct control_server *s, uint16_t type, const char *body, size_t size,
                       const struct control_request *request, struct control_error *error)
{
        struct call c = {s, body, size, request, error};
        int r;

        if (type >= ARRAY_SIZE(handlers) || !handlers[type]) {
                control_error_set(error, ERROR_UNSUPPORT, "The manager does not know request %u", type);
                return -EOPNOTSUPP;
        }
        r = handlers[type](&c);
        if (r == -EOPNOTSUPP && !error->name)
                control_error_set(error, ERROR_UNSUPPORT, "The manager does not do request %u", type);
        return r;
}
