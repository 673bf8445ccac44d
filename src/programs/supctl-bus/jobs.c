/* SPDX-License-Identifier: MIT
 *
 * Waiting for jobs: by job path in JobRemoved, and after a lost connection by asking for the job's id. Words and exit
 * codes are those that scripts know from systemctl.
 */
#include "personality.h"
#include "supctl-bus.h"

#include <stdio.h>

#define SYSTEMD_ERROR "org.freedesktop.systemd1."

int jobs_add(struct control *c, const char *path, const char *unit)
{
        struct job *more = reallocarray(c->jobs, c->n_jobs + 1, sizeof *more);
        struct job *j;

        if (!more)
                return -ENOMEM;
        c->jobs = more;
        j = &c->jobs[c->n_jobs];
        *j = (struct job){.path = strdup(path), .unit = strdup(unit)};
        if (!j->path || !j->unit) {
                free(j->path);
                free(j->unit);
                return -ENOMEM;
        }
        if (sscanf(path, BUS_ROOT "/job/%u", &j->id) != 1)
                j->id = 0;
        c->n_jobs++;
        return 0;
}

void jobs_free(struct control *c)
{
        for (unsigned i = 0; i < c->n_jobs; i++) {
                free(c->jobs[i].path);
                free(c->jobs[i].unit);
        }
        free(c->jobs);
        c->jobs = NULL;
        c->n_jobs = 0;
}

static void job_result(struct job *j, const char *result)
{
        if (j->result[0] == 0)
                (void)snprintf(j->result, sizeof j->result, "%s", result[0] ? result : "failed");
}

int jobs_on_message(sd_bus_message *m, void *userdata, sd_bus_error *e unused_)
{
        const char *path, *unit, *result;
        struct control *c = userdata;
        uint32_t id;

        if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Properties", "PropertiesChanged"))
                c->changed = true;
        if (!sd_bus_message_is_signal(m, MANAGER_IF, "JobRemoved") ||
            sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        c->changed = true;
        for (unsigned i = 0; i < c->n_jobs; i++)
                if (streq(c->jobs[i].path, path))
                        job_result(&c->jobs[i], result);
        return 0;
}

/* After the connection was lost: what became of the jobs meanwhile. */
static int jobs_ask(struct control *c)
{
        for (unsigned i = 0; i < c->n_jobs; i++) {
                struct job *j = &c->jobs[i];
                sd_bus_error e = SD_BUS_ERROR_NULL;
                sd_bus_message *reply = NULL;
                const char *unit, *type, *result;
                int ended = 0, r;

                if (j->result[0])
                        continue;
                r = control_call(c, SUPD_IF, "JobState", false, &e, &reply, "u", j->id);
                if (r >= 0)
                        r = sd_bus_message_read(reply, "bsss", &ended, &unit, &type, &result);
                if (r >= 0 && ended)
                        job_result(j, result);
                else if (r < 0 && e.name && streq(e.name, SYSTEMD_ERROR "NoSuchJob"))
                        job_result(j, "lost");
                if (r < 0 && !e.name)
                        r = -ENOTCONN;
                else if (error_is_disconnect(r, &e))
                        r = -ENOTCONN;
                else
                        r = 0;
                sd_bus_error_free(&e);
                sd_bus_message_unref(reply);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool jobs_wait_more(const struct control *c)
{
        for (unsigned i = 0; i < c->n_jobs; i++)
                if (c->jobs[i].result[0] == 0)
                        return true;
        return false;
}

int unit_property(struct control *c, const char *unit, const char *interface, const char *name, char **ret)
{
        cleanup_free_ char *path = NULL;
        int r = sd_bus_path_encode(BUS_ROOT "/unit", unit, &path);

        if (r < 0 || !c->bus)
                return r < 0 ? r : -ENOTCONN;
        return sd_bus_get_property_string(c->bus, BUS_NAME, path, interface, name, NULL, ret);
}

/* Says what came of the job; true when that is a success. */
static bool job_tell(struct control *c, const struct job *j)
{
        bool ok = streq(j->result, "done") || streq(j->result, "skipped");
        cleanup_free_ char *result = NULL;

        if (ok || c->options->quiet || say_outcome(c->options->systemctl, j->result, j->unit))
                return ok;
        (void)unit_property(c, j->unit, BUS_NAME ".Service", "Result", &result);
        say_failed(c->options->systemctl, result, j->unit);
        return ok;
}

/* A connection that was lost may have taken the end of a job with it, also while others were still being asked for. */
static int jobs_turn(struct control *c)
{
        if (!c->came_back)
                return control_turn(c);
        c->came_back = false;
        return jobs_ask(c);
}

int jobs_wait(struct control *c)
{
        int code = 0, lost = 0;

        while (jobs_wait_more(c)) {
                int r = jobs_turn(c);

                if (r < 0 && lost++ < 20)
                        r = control_reconnect(c);
                if (r < 0) {
                        (void)fprintf(stderr,
                                      "The connection to supd was lost while waiting for jobs and did not come back; "
                                      "see 'supctl status' for what became of them\n");
                        return 1;
                }
        }
        for (unsigned i = 0; i < c->n_jobs; i++)
                if (!job_tell(c, &c->jobs[i]))
                        code = 1;
        return code;
}

void jobs_print(struct control *c)
{
        struct json j = {.form = c->options->json};

        json_open(&j, NULL, '[');
        for (unsigned i = 0; i < c->n_jobs; i++) {
                json_open(&j, NULL, '{');
                json_string(&j, "unit", c->jobs[i].unit);
                json_u64(&j, "job", c->jobs[i].id);
                if (c->jobs[i].result[0])
                        json_string(&j, "result", c->jobs[i].result);
                else
                        json_null(&j, "result");
                json_close(&j, '}');
        }
        json_close(&j, ']');
        json_print(&j);
}

/* 1 ended well, 2 ended failed, 0 goes on, -errno */
static int unit_ended(struct control *c, const char *unit)
{
        cleanup_free_ char *active = NULL;
        int r = unit_property(c, unit, BUS_NAME ".Unit", "ActiveState", &active);

        if (r < 0)
                return r;
        return streq(active, "inactive") ? 1 : streq(active, "failed") ? 2 : 0;
}

int units_wait_inactive(struct control *c, char **units, unsigned n)
{
        int code = 0, lost = 0;

        for (unsigned i = 0; i < n;) {
                int r;

                c->changed = false;
                r = unit_ended(c, units[i]);
                if (r > 0) {
                        code = r == 2 ? 1 : code;
                        i++;
                        continue;
                }
                while (r >= 0 && !c->changed)
                        r = control_turn(c);
                if (r < 0 && (lost++ > 20 || control_reconnect(c) < 0)) {
                        (void)fprintf(stderr, "The connection to supd was lost while waiting for %s\n", units[i]);
                        return 1;
                }
        }
        return code;
}
