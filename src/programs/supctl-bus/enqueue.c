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

/* What else is to be done for it as well. */
static int tell_transaction(sd_bus_message *m)
{
        const char *path, *unit, *other, *type;
        uint32_t id;
        int r = sd_bus_message_read(m, "uosos", &id, &path, &unit, &other, &type);

        if (r < 0)
                return r;
        (void)fprintf(stderr, "Enqueued anchor job %u %s/%s.\n", (unsigned)id, unit, type);
        r = sd_bus_message_enter_container(m, 'a', "(uosos)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(uosos)", &id, &path, &unit, &other, &type)) > 0)
                (void)fprintf(stderr, "Enqueued auxiliary job %u %s/%s.\n", (unsigned)id, unit, type);
        return r;
}

/* -T. The path is that of the anchor. */
static int enqueue_telling(struct control *c, const struct verb *v, const char *unit, sd_bus_error *e,
                           sd_bus_message **ret, const char **ret_path)
{
        const char *mode = c->options->job_mode ? c->options->job_mode : v->mode;
        uint32_t id;
        int r = control_call(c, MANAGER_IF, "EnqueueUnitJob", v->again, e, ret, "sss", unit, v->request, mode);

        if (r >= 0 && !c->options->quiet)
                r = tell_transaction(*ret);
        if (r >= 0)
                r = sd_bus_message_rewind(*ret, 1);
        return r < 0 ? r : sd_bus_message_read(*ret, "uo", &id, ret_path);
}

static int enqueue_one(struct control *c, const struct verb *v, const char *unit)
{
        const char *path;
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int code = 0, r;

        if (c->options->show_transaction)
                r = enqueue_telling(c, v, unit, &e, &reply, &path);
        else if ((r = enqueue_call(c, v, unit, &e, &reply)) >= 0)
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

/* To start what is loaded already has no effect most times; people who write a pattern expect more. */
static void warn_pattern(const struct control *c, const struct verb *v, char **args, int n)
{
        bool pattern = false;

        for (int i = 0; i < n; i++)
                pattern = pattern || strpbrk(args[i], "*?[");
        if (!pattern || !streq(v->name, "start") || c->options->quiet)
                return;
        if (c->options->systemctl)
                (void)fputs("Warning: systemctl start called with a glob pattern.\n"
                            "Hint: unit globs expand to loaded units, so start will usually have no effect.\n"
                            "      Passing --all will also load units which are pulled in by other units.\n"
                            "      See systemctl(1) for more details.\n\n",
                            stderr);
        else
                (void)fputs("A pattern means units that are loaded, and of those few are to be started.\n", stderr);
}

int run_enqueue(struct control *c, const struct verb *v, char **args, int n)
{
        struct names l = {0};
        int code = 0, k;

        warn_pattern(c, v, args, n);
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
        if (c->options->json)
                jobs_print(c);
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
