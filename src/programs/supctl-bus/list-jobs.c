/* SPDX-License-Identifier: MIT
 *
 * list-jobs and cancel: jobs by their numbers.
 *
 * Not here: jobs that this program itself asked for (jobs.c). Invariant: nothing is waited for.
 */
#include "supctl-bus.h"

#include <fnmatch.h>
#include <stdio.h>

int run_cancel(struct control *c, const struct verb *v, char **args, int n)
{
        int code = 0;

        for (int i = 0; i < n || (n == 0 && i == 0); i++) {
                sd_bus_error e = SD_BUS_ERROR_NULL;
                uint32_t id = 0;
                char rest;
                int r;

                if (n > 0 && sscanf(args[i], "%u%c", &id, &rest) != 1) {
                        (void)fprintf(stderr, "%s is no job number; 'supctl list-jobs' shows them\n", args[i]);
                        code = 1;
                        continue;
                }
                r = n == 0 ? control_call(c, MANAGER_IF, "ClearJobs", v->again, &e, NULL, "")
                           : control_call(c, MANAGER_IF, "CancelJob", v->again, &e, NULL, "u", id);
                if (r < 0) {
                        (void)failed_to(c, "cancel", n ? args[i] : "jobs", r, &e);
                        code = 1;
                }
                sd_bus_error_free(&e);
        }
        return code;
}

static bool matches(const char *unit, char **patterns, int n)
{
        for (int i = 0; i < n; i++)
                if (fnmatch(patterns[i], unit, 0) == 0)
                        return true;
        return n == 0;
}

static void show_job(struct columns *t, struct json *j, uint32_t id, const char *unit, const char *type,
                     const char *state)
{
        char number[16];

        (void)snprintf(number, sizeof number, "%u", id);
        (void)columns_add(t, "", (const char *const[]){number, unit, type, state});
        json_open(j, NULL, '{');
        json_u64(j, "job", id);
        json_string(j, "unit", unit);
        json_string(j, "type", type);
        json_string(j, "state", state);
        json_close(j, '}');
}

int run_list_jobs(struct control *c, const struct verb *v, char **args, int n)
{
        bool legend = !c->options->quiet && !c->options->no_legend;
        struct columns t = {.n_columns = 4, .right = 1u << 0, .shrink = 1u << 1, .tight = c->options->systemctl};
        const char *unit, *type, *state, *job_path, *path;
        struct json j = {.form = c->options->json};
        struct screen s = screen_look();
        sd_bus_message *reply = NULL;
        sd_bus_error e = SD_BUS_ERROR_NULL;
        unsigned count = 0;
        uint32_t id;
        int r = control_call(c, MANAGER_IF, v->method, v->again, &e, &reply, "");

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(usssoo)");
        json_open(&j, NULL, '[');
        while (r >= 0 &&
               (r = sd_bus_message_read(reply, "(usssoo)", &id, &unit, &type, &state, &job_path, &path)) > 0) {
                if (!matches(unit, args, n))
                        continue;
                if (count++ == 0 && legend)
                        (void)columns_add(&t, "", (const char *const[]){"JOB", "UNIT", "TYPE", "STATE"});
                show_job(&t, &j, id, unit, type, state);
        }
        json_close(&j, ']');
        if (r < 0)
                (void)failed_to(c, "list", "jobs", r, &e);
        else if (c->options->json)
                json_print(&j);
        else
                columns_print(&t, 0, c->options->full ? 0 : s.width, s.colour && legend ? "\033[4m" : "", stdout);
        if (r >= 0 && !c->options->json && legend)
                (void)(count == 0 ? printf("No jobs running.\n") : printf("\n%u jobs listed.\n", count));
        buf_done(&j.text);
        columns_done(&t);
        sd_bus_error_free(&e);
        sd_bus_message_unref(reply);
        return r < 0 ? 1 : 0;
}
