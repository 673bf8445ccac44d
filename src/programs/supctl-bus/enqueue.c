/* SPDX-License-Identifier: MIT
 *
 * The verbs that ask for jobs: start, stop, restart, reload and their kin.
 *
 * Not here: waiting for jobs and what becomes of them (jobs.c). Invariant: each unit is asked for, whatever became of
 * the one before; the first failure is the exit status.
 */
#include "supctl-bus.h"

#include <stdio.h>
#include <sys/random.h>

static void warn_changed(struct control *c, const char *unit)
{
        cleanup_free_ char *path = NULL;
        int changed = 0;

        if (c->options->quiet || !c->bus || sd_bus_path_encode(BUS_ROOT "/unit", unit, &path) < 0 ||
            sd_bus_get_property_trivial(c->bus, BUS_NAME, path, BUS_NAME ".Unit", "NeedDaemonReload", NULL, 'b',
                                        &changed) < 0)
                return;
        if (changed)
                (void)fprintf(stderr,
                              "Warning: the files of %s changed on disk; run 'supctl daemon-reload' to use them.\n",
                              unit);
}

/* The request has a number of its own, by which the manager knows it when it comes again over another connection: what
 * was asked for once happens once. A supd-bus of before that has no such method. */
static int enqueue_call(struct control *c, const struct verb *v, const char *unit, sd_bus_error *e,
                        sd_bus_message **ret)
{
        const char *mode = c->options->job_mode ? c->options->job_mode : v->mode;
        uint64_t id[2];
        int r;

        if (getrandom(id, sizeof id, GRND_NONBLOCK) == sizeof id) {
                r = control_call(c, SUPD_IF, "Enqueue", true, e, ret, "ssstt", unit, v->request, mode, id[0], id[1]);
                if (r >= 0 || !sd_bus_error_has_name(e, SD_BUS_ERROR_UNKNOWN_METHOD))
                        return r;
                sd_bus_error_free(e);
        }
        return control_call(c, MANAGER_IF, v->method, v->again, e, ret, "ss", unit, mode);
}

static int enqueue_one(struct control *c, const struct verb *v, const char *unit)
{
        const char *path;
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int code = 0, r = enqueue_call(c, v, unit, &e, &reply);

        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = jobs_add(c, path, unit);
        if (r < 0) {
                code = failed_to(c, v->name, unit, r, &e);
                failed_hint(c, unit, r, &e);
        } else
                warn_changed(c, unit);
        sd_bus_error_free(&e);
        sd_bus_message_unref(reply);
        return code;
}

int run_enqueue(struct control *c, const struct verb *v, char **args, int n)
{
        struct names l = {0};
        int code = 0, k;

        if (names_of(c, args, n, streq(v->name, "isolate") ? ".target" : ".service", &l) < 0)
                code = 1;
        for (unsigned i = 0; i < l.n; i++) {
                k = enqueue_one(c, v, l.v[i]);
                code = code ? code : k;
        }
        if (!c->options->no_block) {
                k = jobs_wait(c);
                code = code ? code : k;
        }
        if (c->options->wait && code == 0)
                code = units_wait_inactive(c, l.v, l.n);
        names_done(&l);
        return code;
}

/* The target of the verb's own name. */
int run_target(struct control *c, const struct verb *v, char **args unused_, int n unused_)
{
        char name[32], *unit = name;

        (void)snprintf(name, sizeof name, "%s.target", v->name);
        return run_enqueue(c, v, &unit, 1);
}
