/* SPDX-License-Identifier: MIT
 *
 * What would happen: the transaction of a request without its jobs, a daemon-reload without its units. The same code
 * decides as for the real thing (jobs_transaction(), unit_gather()), so that the two cannot differ.
 *
 * Not here: doing it (jobs.c, units.c). Invariant: nothing is changed, but that units that are named are read.
 */
#include "manager.h"

#include <stdio.h>

enum { LINES_MAX = 100 };

/* ---- jobs ---- */

struct ranks { /* of the jobs of a transaction: who has a lower one goes first */
        struct manager *m;
        const struct transaction *t;
        uint32_t *rank; /* owned; by job */
        uint32_t *job;  /* owned; by unit: place in the transaction + 1 */
        uint32_t at;    /* the job that is looked at */
        bool changed;
};

static bool goes_down(enum job_type t)
{
        return t == JOB_STOP || t == JOB_RESTART;
}

/* The unit of r->at comes after OTHER. */
static int rank_edge(void *userdata, uint32_t other)
{
        struct ranks *r = userdata;
        uint32_t o = r->job[other], first, second;

        if (o-- == 0)
                return 0;
        first = goes_down(r->t->jobs[r->at].type) ? r->at : o;
        second = first == o ? r->at : o;
        if (goes_down(r->t->jobs[o].type) && !goes_down(r->t->jobs[r->at].type)) { /* a stop is waited for */
                first = o;
                second = r->at;
        }
        if (r->rank[second] <= r->rank[first]) {
                r->rank[second] = r->rank[first] + 1;
                r->changed = true;
        }
        return 0;
}

static int rank_all(struct ranks *r)
{
        r->rank = calloc(r->t->n_jobs + 1, sizeof(*r->rank));
        r->job = calloc(r->m->n_runs + 1, sizeof(*r->job));
        if (!r->rank || !r->job)
                return -ENOMEM;
        for (uint32_t i = 0; i < r->t->n_jobs; i++)
                r->job[r->t->jobs[i].unit] = i + 1;
        r->changed = true;
        for (size_t round = 0; r->changed && round < r->t->n_jobs; round++) { /* bounded where there is a cycle */
                r->changed = false;
                for (r->at = 0; r->at < r->t->n_jobs; r->at++)
                        (void)graph_each(r->m->graph, r->t->jobs[r->at].unit, DEP_AFTER, false, rank_edge, r);
        }
        return 0;
}

/* Nothing to be done for it: the job ends as it begins. */
static bool is_so_already(const struct run *r, enum job_type t)
{
        enum unit_active a = run_active(r);
        bool up = a == ACTIVE_ACTIVE || a == ACTIVE_RELOADING;

        if (t == JOB_STOP)
                return a == ACTIVE_INACTIVE || a == ACTIVE_FAILED;
        return t == JOB_NOP || (up && (t == JOB_START || t == JOB_VERIFY_ACTIVE));
}

static void put_job(struct control_answer *a, const struct run *r, const char *what, uint32_t rank, bool anchor)
{
        char order[16], queued[64] = "";
        const char *line[6];

        if (r->d.job.type != JOB_NONE)
                (void)snprintf(queued, sizeof(queued), "%s", job_type_name(r->d.job.type));
        (void)snprintf(order, sizeof(order), "%u", (unsigned)rank);
        line[0] = what;
        line[1] = order;
        line[2] = unit_active_name(run_active(r));
        line[3] = machine_state_sub(r->d.state);
        line[4] = queued;
        line[5] = anchor ? "asked" : "";
        control_put_strings(a, r->name, line, ARRAY_SIZE(line));
}

/* What is queued and would be given up. */
static void put_cancelled(struct manager *m, struct control_answer *a, const struct ranks *r, enum job_mode mode)
{
        if (mode != MODE_FLUSH && mode != MODE_ISOLATE)
                return;
        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->d.job.type != JOB_NONE && !m->runs[i]->d.job.irreversible && r->job[i] == 0)
                        put_job(a, m->runs[i], "cancel", 0, false);
}

static void put_mistakes(struct control_answer *a, const struct diag *diag)
{
        for (size_t i = 0; i < diag->n_entries; i++)
                control_put_strings(a, "", (const char *const[]){diag->entries[i].message}, 1);
}

int api_plan(void *userdata, const char *unit, enum job_request request, enum job_mode mode, struct control_answer *a,
             struct control_error *e)
{
        cleanup_(transaction_done) struct transaction t = {0};
        cleanup_diag_ struct diag diag = {0};
        struct manager *m = userdata;
        struct ranks ranks = {.m = m, .t = &t};
        enum graph_error why;
        uint32_t culprit;
        struct run *r;
        int v = api_may_enqueue(m, unit, request, mode, &r, e);

        if (v < 0)
                return v;
        engine_settle(m);
        why = jobs_transaction(m, r, request, mode, true, &t, &culprit, &diag);
        publish_turn(m);
        if (why != GRAPH_OK)
                return api_refuse(e, why, m->runs[culprit]->name);
        v = rank_all(&ranks);
        for (size_t i = 0; i < t.n_jobs && v == 0; i++) {
                const struct run *u = m->runs[t.jobs[i].unit];

                put_job(a, u, is_so_already(u, t.jobs[i].type) ? "nothing" : job_type_name(t.jobs[i].type),
                        ranks.rank[i], t.jobs[i].anchor);
        }
        if (v == 0)
                put_cancelled(m, a, &ranks, mode);
        put_mistakes(a, &diag);
        free(ranks.rank);
        free(ranks.job);
        return v;
}

/* ---- unit files ---- */

struct reload_plan {
        struct manager *m;
        const char *lines[LINES_MAX + 2]; /* the first is a word of ours */
        char *owned[LINES_MAX];           /* owned */
        unsigned n, left_out;
};

static int keep_line(void *userdata, const char *line)
{
        struct reload_plan *p = userdata;

        if (p->n == LINES_MAX) {
                p->left_out++;
                return 0;
        }
        p->owned[p->n] = strdup(line);
        if (!p->owned[p->n])
                return -ENOMEM;
        p->lines[p->n + 1] = p->owned[p->n];
        p->n++;
        return 0;
}

static void forget_lines(struct reload_plan *p)
{
        for (unsigned i = 0; i < p->n; i++)
                free(p->owned[i]);
        p->n = 0;
}

/* What was kept of R when it was read; -ENOENT when nothing was. */
static int kept_blob(const struct manager *m, const struct run *r, struct buf *ret)
{
        const struct blob_durable *b = &r->blob;

        if (b->size == 0 || b->generation != m->meta.blob_generation || m->blob_fd < 0)
                return -ENOENT;
        if (buf_reserve(ret, b->size) < 0)
                return -ENOMEM;
        if (pread(m->blob_fd, ret->data, b->size, (off_t)b->offset) != (ssize_t)b->size)
                return -ENOENT;
        ret->size = b->size;
        return 0;
}

/* Units that the new files name and nobody has read yet. */
static void put_new(struct reload_plan *p, struct control_answer *a, const struct buf *blob, const char *by)
{
        struct unit *u;

        if (unit_parse(blob->data, blob->size, &p->m->context, &u, NULL) < 0)
                return;
        for (unsigned d = 0; d < N_UNIT_DEPENDENCIES; d++)
                for (unsigned i = 0; d != DEP_REQUIRES_MOUNTS_FOR && i < u->dependencies[d].n; i++) {
                        const char *name = u->dependencies[d].v[i];

                        if (unit_name_valid(name) && !unit_name_is_template(name) && !units_find(p->m, name))
                                control_put_strings(a, name, (const char *const[]){"load", by}, 2);
                }
        unit_free(u);
}

static int plan_one(struct reload_plan *p, struct run *r, struct control_answer *a)
{
        cleanup_buf_ struct buf before = {0}, after = {0};
        int v = unit_gather(units_paths_of(p->m, r), r->name, &after, NULL);

        if (v < 0 || kept_blob(p->m, r, &before) < 0)
                return v == -ENOMEM ? v : 0;
        p->left_out = 0;
        v = unit_blob_compare(before.data, before.size, after.data, after.size, keep_line, p);
        if (v > 0) {
                char more[48];

                (void)snprintf(more, sizeof(more), "… and %u more", p->left_out);
                p->lines[0] = "change";
                p->lines[p->n + 1] = more;
                control_put_strings(a, r->name, p->lines, p->n + 1 + (p->left_out > 0));
                put_new(p, a, &after, r->name);
        }
        forget_lines(p);
        return v < 0 ? v : 0;
}

int api_plan_reload(void *userdata, struct control_answer *a, struct control_error *e unused_)
{
        struct manager *m = userdata;
        struct reload_plan p = {.m = m};
        int v = 0;

        unit_paths_hold(&m->paths, true);
        for (uint32_t i = 0; i < m->n_runs && v == 0; i++)
                v = plan_one(&p, m->runs[i], a);
        unit_paths_hold(&m->paths, false);
        return v;
}
