/* SPDX-License-Identifier: MIT
 *
 * clean: what the directories of a service hold may be thrown away while it is down. Which these are, and whether it is
 * down, is said here; who asked removes them (supd-bus), since a tree may be large and its disk dead.
 *
 * Not here: removing. Invariant: nothing is changed, so there is nothing to recover.
 */
#include "manager.h"

#include <stdio.h>

static const char *const words[N_EXEC_DIRECTORIES] = {
        [DIRECTORY_RUNTIME] = "runtime",
        [DIRECTORY_STATE] = "state",
        [DIRECTORY_CACHE] = "cache",
        [DIRECTORY_LOGS] = "logs",
        [DIRECTORY_CONFIGURATION] = "configuration",
};

static unsigned mask_of(const struct unit *u)
{
        unsigned mask = 0;

        for (unsigned d = 0; u->service && d < N_EXEC_DIRECTORIES; d++)
                if (u->service->exec->directories[d].names.n > 0)
                        mask |= 1u << d;
        return mask;
}

void clean_put(struct control_answer *a, const struct run *r)
{
        const char *v[N_EXEC_DIRECTORIES];
        unsigned n = 0, mask = mask_of(r->unit);

        for (unsigned d = 0; d < N_EXEC_DIRECTORIES; d++)
                if (mask & 1u << d)
                        v[n++] = words[d];
        control_put_strings(a, "CanClean", v, n);
}

static int what_of(const char *const *what, unsigned n, unsigned *ret, struct control_error *e)
{
        unsigned mask = 0;

        for (unsigned i = 0; i < n; i++) {
                unsigned d = 0;

                while (d < N_EXEC_DIRECTORIES && !streq(words[d], what[i]))
                        d++;
                if (d == N_EXEC_DIRECTORIES && !streq(what[i], "all")) {
                        control_error_set(e, "org.freedesktop.DBus.Error.InvalidArgs", "Invalid resource type: %.64s",
                                          what[i]);
                        return -EINVAL;
                }
                mask |= d < N_EXEC_DIRECTORIES ? 1u << d : (1u << N_EXEC_DIRECTORIES) - 1;
        }
        *ret = mask;
        return 0;
}

static void put_paths(const struct manager *m, const struct run *r, unsigned mask, struct control_answer *a)
{
        const struct unit_context *c = &m->context;
        const char *const roots[N_EXEC_DIRECTORIES] = {
                [DIRECTORY_RUNTIME] = c->runtime_dir_root,
                [DIRECTORY_STATE] = c->state_root,
                [DIRECTORY_CACHE] = c->cache_root,
                [DIRECTORY_LOGS] = c->logs_root,
                [DIRECTORY_CONFIGURATION] = c->configuration_root,
        };

        for (unsigned d = 0; d < N_EXEC_DIRECTORIES; d++) {
                const struct strings *names = &r->unit->service->exec->directories[d].names;

                for (unsigned i = 0; (mask & 1u << d) && roots[d] && i < names->n; i++) {
                        cleanup_free_ char *path = NULL;

                        if (asprintf(&path, "%s//%s", roots[d], names->v[i]) < 0)
                                path = NULL;
                        if (path)
                                control_put_group(a, path);
                }
        }
}

int api_clean(void *userdata, const char *unit, const char *const *what, unsigned n, struct control_answer *a,
              struct control_error *e)
{
        struct manager *m = userdata;
        struct run *r;
        unsigned mask;
        int v = what_of(what, n, &mask, e);

        if (v < 0 || (v = api_find_unit(m, unit, &r, e)) < 0)
                return v;
        if (r->unit->load_state == LOAD_NOT_FOUND) {
                control_error_set(e, ERROR("NoSuchUnit"), "Unit %s not found.", r->name);
                return -ENOENT;
        }
        if (!r->unit->service) {
                control_error_set(e, "org.freedesktop.DBus.Error.NotSupported", "Unit '%s' does not support cleaning.",
                                  r->name);
                return -EOPNOTSUPP;
        }
        if (run_active(r) != ACTIVE_INACTIVE || r->d.job.type != JOB_NONE) {
                control_error_set(e, ERROR("UnitBusy"), "Unit is not inactive or has pending job.");
                return -EBUSY;
        }
        mask &= mask_of(r->unit);
        if (mask == 0) {
                control_error_set(e, ERROR("NothingToClean"), "No matching resources found.");
                return -ENOENT;
        }
        put_paths(m, r, mask, a);
        return 0;
}
