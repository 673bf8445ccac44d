/* SPDX-License-Identifier: MIT
 *
 * Fuzz target: bytes become a graph, states of its units and a series of requests, with jobs that run and edges that
 * come and go in between. Built plainly it replays the files and folders that it is given.
 *
 * Not here: what a transaction should contain (tests/unit/graph). Invariant checked: one job per unit, the anchor's
 * first; a refusal leaves the output alone; counters agree with the look at the queued jobs; queued jobs that came from
 * one transaction into an empty queue all get to run.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "graph/graph.h"

#define UNITS   16u
#define must(x) ((x) ? (void)0 : abort())

struct input {
        const uint8_t *p;
        size_t left;
};

struct game {
        struct graph *g;
        struct graph_node nodes[UNITS];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned take(struct input *in, unsigned below)
{
        if (in->left == 0)
                return 0;
        in->left--;
        return *in->p++ % below;
}

static const struct graph_node *look(void *userdata, uint32_t unit)
{
        must(unit < UNITS);
        return &((struct game *)userdata)->nodes[unit];
}

static int each(void *userdata unused_, const struct graph_consequence *c)
{
        must(c->unit < UNITS);
        return 0;
}

static void game_done(struct game *w)
{
        graph_free(w->g);
}

static void change_node(struct game *w, struct input *in)
{
        struct graph_node *n = &w->nodes[take(in, UNITS)];
        unsigned bits = take(in, 256);
        n->active = take(in, N_UNIT_ACTIVES);
        n->load = bits & 1 ? take(in, N_LOAD_STATES) : LOAD_LOADED;
        n->can_start = !(bits & 2);
        n->can_reload = bits & 4;
        n->refuse_manual_start = bits & 8;
        n->refuse_manual_stop = bits & 16;
        n->allow_isolate = bits & 32;
        n->ignore_on_isolate = bits & 64;
        n->stop_when_unneeded = bits & 128;
}

static void set_job(struct game *w, uint32_t unit, enum job_type type, bool irreversible, bool ignore_order)
{
        struct graph_node *n = &w->nodes[unit];
        n->job = type;
        n->job_irreversible = type != JOB_NONE && irreversible;
        n->job_ignore_order = type != JOB_NONE && ignore_order;
        if (type == JOB_NONE)
                graph_job_finished(w->g, unit);
        else
                graph_job_installed(w->g, unit, type, ignore_order);
}

static void check_counters(struct game *w)
{
        for (uint32_t u = 0; u < UNITS; u++)
                if (w->nodes[u].job != JOB_NONE)
                        must(graph_job_runnable(w->g, look, w, u, NULL) == (graph_job_blockers(w->g, u) == 0));
}

static void finish_job(struct game *w, uint32_t unit)
{
        if (w->nodes[unit].job == JOB_RESTART)
                set_job(w, unit, JOB_START, w->nodes[unit].job_irreversible, w->nodes[unit].job_ignore_order);
        else
                set_job(w, unit, JOB_NONE, false, false);
}

static void install(struct game *w, const struct transaction *t, bool alone)
{
        uint32_t seen = 0, u;
        must(t->n_jobs > 0 && t->jobs[0].anchor);
        for (size_t i = 0; i < t->n_jobs; i++) {
                const struct graph_job *j = &t->jobs[i];
                must(j->type != JOB_NONE && j->unit < UNITS && !(seen & (1u << j->unit)));
                seen |= 1u << j->unit;
                set_job(w, j->unit, j->type, j->irreversible, j->ignore_order);
        }
        check_counters(w);
        if (!alone)
                return;
        while (graph_job_next(w->g, &u))
                finish_job(w, u);
        for (u = 0; u < UNITS; u++)
                must(w->nodes[u].job == JOB_NONE);
}

static void request(struct game *w, struct input *in)
{
        cleanup_(transaction_done) struct transaction t = {0};
        cleanup_diag_ struct diag d = {0};
        uint32_t culprit = UNITS, anchor = take(in, UNITS);
        enum job_request what = take(in, N_JOB_REQUESTS);
        enum job_mode mode = take(in, N_JOB_MODES);
        unsigned bits = take(in, 4);
        for (uint32_t u = 0; (bits & 2) && u < UNITS; u++)
                set_job(w, u, JOB_NONE, false, false);
        enum graph_error r = transaction_build(w->g, look, w, anchor, what, mode, bits & 1, &t, &culprit, &d);
        if (r == GRAPH_OK)
                install(w, &t, bits & 2);
        else
                must(t.jobs == NULL && culprit < UNITS && d.n_errors > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {.p = data, .left = size};
        cleanup_(game_done) struct game w = {0};
        uint32_t u;
        if (graph_new(&w.g) < 0 || graph_resize(w.g, UNITS) < 0)
                return 0;
        for (u = 0; u < UNITS; u++)
                w.nodes[u] = (struct graph_node){.can_start = true, .can_reload = true, .name = "u"};
        while (in.left > 0) {
                unsigned what = take(&in, 16);
                if (what < 8) {
                        uint32_t from = take(&in, UNITS), to = take(&in, UNITS);
                        (void)graph_add(w.g, from, take(&in, N_UNIT_DEPENDENCIES + 1), to);
                } else if (what < 10) {
                        change_node(&w, &in);
                } else if (what == 10) {
                        graph_clear_from(w.g, take(&in, UNITS));
                } else if (what == 11) {
                        u = take(&in, UNITS);
                        (void)graph_consequences(w.g, look, &w, u, take(&in, N_GRAPH_EVENTS), each);
                } else if (what == 12) {
                        if (graph_job_next(w.g, &u))
                                finish_job(&w, u);
                } else {
                        request(&w, &in);
                }
                check_counters(&w);
        }
        return 0;
}

#ifndef SUPD_LIBFUZZER
static int replay(const char *path)
{
        static uint8_t bytes[1 << 16];
        FILE *f = fopen(path, "re");
        if (!f)
                return -errno;
        size_t n = fread(bytes, 1, sizeof(bytes), f);
        fclose(f);
        return LLVMFuzzerTestOneInput(bytes, n);
}

static int replay_folder(const char *path)
{
        DIR *d = opendir(path);
        int r = d ? 0 : -errno;
        for (struct dirent *e; r == 0 && (e = readdir(d));) {
                char file[4096];
                if (e->d_name[0] == '.')
                        continue;
                snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
                r = replay(file);
        }
        if (d)
                closedir(d);
        return r;
}

int main(int argc, char **argv)
{
        int r = 0;
        for (int i = 1; i < argc && r == 0; i++) {
                struct stat st;
                r = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode) ? replay_folder(argv[i]) : replay(argv[i]);
                if (r < 0)
                        fprintf(stderr, "%s: %s\n", argv[i], strerror(-r));
        }
        return r < 0 || argc < 2;
}
#endif
