/* SPDX-License-Identifier: MIT
 *
 * Transient units: unit files that supd-bus wrote into RUNTIME_DIR/transient because somebody asked for a unit that is
 * in no file (StartTransientUnit). As any unit file they are read again by the next manager, so such a unit outlives
 * this one. When it has ended its file goes, and it is not known any more.
 *
 * Not here: how the file is written (programs/supd-bus/transient.c). Invariant: a file goes only when its unit has
 * ended and nobody holds it; who holds it supd-bus knows, so while one is connected it is supd-bus that asks for it.
 */
#include "manager.h"

#include <stdio.h>
#include <unistd.h>

bool transient_is(const struct manager *m, const struct run *r)
{
        size_t n = strlen(m->runtime_dir);
        const char *path = r->unit->fragment_path;

        return path && strncmp(path, m->runtime_dir, n) == 0 && starts_with(path + n, "/transient/");
}

/* A failed one stays to be looked at, unless CollectMode= says otherwise. */
static bool may_go(const struct manager *m, const struct run *r)
{
        enum unit_active a = run_active(r);
        const char *mode = r->unit->collect_mode;

        return transient_is(m, r) && r->d.job.type == JOB_NONE &&
               (a == ACTIVE_INACTIVE || (a == ACTIVE_FAILED && mode && streq(mode, "inactive-or-failed")));
}

/* Twice is as good as once: a manager that died in between finds the unit in its copy, without a file, and goes on. */
static int forget(struct manager *m, struct run *r)
{
        cleanup_free_ char *path = strdup(r->unit->fragment_path);
        int v;

        if (!path)
                return -ENOMEM;
        if (run_active(r) == ACTIVE_FAILED) {
                r->d.limit_count = r->d.n_restarts = 0;
                r->d.flags &= ~(UNIT_LIMIT_HIT | UNIT_FROZEN);
                engine_touch(m, r);
                engine_post(m, r, EVENT_RESET_FAILED, 0, 0);
                engine_settle(m);
        }
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        v = units_reload_one(m, r);
        if (v == 0)
                v = units_load_pending(m);
        if (v == 0) {
                engine_show(m, r);
                if (m->control)
                        control_unit_removed(m->control, r->name);
        }
        return v;
}

void transient_ended(struct manager *m, struct run *r)
{
        if (transient_is(m, r))
                (void)list_add(&m->transient_ended, r->id);
}

/* Nobody asks while no supd-bus is there, and nobody can hold anything. */
void transient_tidy(struct manager *m)
{
        if (m->transient_ended.n == 0 || !m->control || control_server_n_peers(m->control) > 0)
                return;
        for (size_t i = 0; i < m->transient_ended.n; i++)
                if (may_go(m, m->runs[m->transient_ended.v[i]]))
                        (void)forget(m, m->runs[m->transient_ended.v[i]]);
        m->transient_ended.n = 0;
        engine_settle(m);
}

void transient_recover(struct manager *m)
{
        for (uint32_t i = 0; i < m->n_runs; i++)
                if (may_go(m, m->runs[i]))
                        transient_ended(m, m->runs[i]);
}

/* supd-bus: nobody holds UNIT, or its name is wanted for a new one. */
int api_collect(void *userdata, const char *unit, struct control_error *e)
{
        struct manager *m = userdata;
        struct run *r;
        int v = api_find_unit(m, unit, &r, e);

        if (v == 0 && may_go(m, r) && (v = forget(m, r)) < 0)
                control_error_set(e, "org.freedesktop.DBus.Error.Failed", "Unit %s cannot be forgotten: %s.", unit,
                                  strerror(-v));
        if (v == 0)
                engine_settle(m);
        if (v == 0 && r->unit->load_state != LOAD_NOT_FOUND) {
                control_error_set(e, ERROR("UnitExists"), "Unit %s was already loaded or has a fragment file.", unit);
                v = -EEXIST;
        }
        return v;
}
