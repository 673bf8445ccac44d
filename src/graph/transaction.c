/* SPDX-License-Identifier: MIT
 *
 * Transactions: which jobs a request leads to, as numbered passes over a scratch list of jobs and links.
 *
 *   1 collect      follow the atoms from the anchor; a job is a pair (unit, type), a link says which job pulled in
 * which 2 refuse       a job that requires what cannot be loaded goes, and what requires that job; wanted ones go
 * silently 3 spare        mode fail: what is only wanted may neither stop a running unit nor overturn a queued job 4
 * redundant    drop what is already so 5 contradict   of two contradictory jobs of one unit drop the one that the
 * anchor does not need 6 cycles       break ordering cycles by dropping what the anchor does not need 7 check against
 * queued jobs, by mode 8 emit         merge each unit's jobs into one After each pass that drops something, sweep()
 * drops what the anchor no longer leads to and finds anew what it needs.
 *
 * Not here: installing jobs. Invariant: no recursion; the graph is never changed; each pass is linear in jobs, links
 * and the edges of the units concerned, times one plus the number of contradictions or cycles that it had to resolve.
 */
#include "graph/internal.h"

#define NONE UINT32_MAX

struct tjob {
        uint32_t unit;
        uint32_t next;             /* other job of the same unit, or NONE */
        uint32_t pulls, pulled_by; /* first link of each list, or NONE */
        uint8_t type;
        bool gone, reached, needed;
        uint32_t refused_for; /* the unit that cannot be loaded; NONE */
};

struct tlink { /* SUBJECT pulled in OBJECT; matters: and cannot do without; conflicts: because they exclude each other
                */
        uint32_t subject, object, next_of_subject, next_of_object;
        bool matters, conflicts;
};

struct build {
        struct graph *g;
        graph_look look;
        void *userdata;
        enum job_mode mode;
        struct diag *diag;
        struct tjob *jobs;   /* owned; 0 is the anchor */
        struct tlink *links; /* owned */
        uint32_t n_jobs, jobs_allocated, n_links, links_allocated;
        uint32_t *first; /* owned; per unit: its first job plus 1, 0 = none */
        uint32_t *stack; /* owned; scratch of at least n_jobs entries; made after pass 1 */
        uint32_t culprit;
};

static void build_done(struct build *b)
{
        free(b->jobs);
        free(b->links);
        free(b->first);
        free(b->stack);
}

static const char *unit_name(const struct build *b, uint32_t unit)
{
        const char *name = b->look(b->userdata, unit)->name;
        return name ? name : "?";
}

static enum graph_error build_fail(struct build *b, enum graph_error error, uint32_t culprit)
{
        b->culprit = culprit;
        return error;
}

static const enum graph_error load_errors[] = {
        [LOAD_LOADED] = GRAPH_OK,         [LOAD_NOT_FOUND] = GRAPH_NO_SUCH_UNIT, [LOAD_BAD_SETTING] = GRAPH_BAD_SETTING,
        [LOAD_ERROR] = GRAPH_LOAD_FAILED, [LOAD_MASKED] = GRAPH_MASKED,
};
_Static_assert(ARRAY_SIZE(load_errors) == N_LOAD_STATES, "each load state has its error");

static bool ignores_requirements(const struct build *b)
{
        return b->mode == MODE_IGNORE_DEPENDENCIES || b->mode == MODE_IGNORE_REQUIREMENTS;
}

/* --- pass 1: collect --- */

static int grow(void **array, uint32_t *allocated, uint32_t n, size_t size)
{
        if (n < *allocated)
                return 0;
        uint32_t want = *allocated ? *allocated * 2 : 16;
        void *p = reallocarray(*array, want, size);
        if (!p)
                return -ENOMEM;
        *array = p;
        *allocated = want;
        return 0;
}

static int job_get(struct build *b, uint32_t unit, enum job_type type, uint32_t *ret)
{
        for (uint32_t i = b->first[unit]; i != 0; i = b->jobs[i - 1].next + 1)
                if (b->jobs[i - 1].type == type) {
                        *ret = i - 1;
                        return 0;
                }
        if (grow((void **)&b->jobs, &b->jobs_allocated, b->n_jobs, sizeof(*b->jobs)) < 0)
                return -ENOMEM;
        b->jobs[b->n_jobs] = (struct tjob){.unit = unit,
                                           .type = (uint8_t)type,
                                           .next = b->first[unit] - 1,
                                           .pulls = NONE,
                                           .pulled_by = NONE,
                                           .refused_for = NONE};
        *ret = b->n_jobs;
        b->first[unit] = ++b->n_jobs;
        return 0;
}

/* N is what UNIT looks like. */
static bool node_can_reload(const struct graph *g, const struct graph_node *n, uint32_t unit)
{
        if (n->can_reload || !n->reloads_by_others || unit >= g->n)
                return n->can_reload;
        for (uint32_t i = 0; i < g->nodes[unit].n; i++)
                if (edge_has(g, &g->nodes[unit].edges[i], ATOM_RELOAD_TO))
                        return true;
        return false;
}

/* SUBJECT pulls in a job for UNIT, if such a job can be. */
static int pull(struct build *b, uint32_t subject, uint32_t unit, enum job_type type, bool matters, bool conflicts)
{
        const struct graph_node *n = b->look(b->userdata, unit);
        uint32_t object;
        if (type != JOB_STOP && n->load != LOAD_LOADED) {
                if (matters)
                        b->jobs[subject].refused_for = unit;
                return 0;
        }
        if ((type == JOB_RESTART || type == JOB_START) && !n->can_start)
                return 0;
        if (type == JOB_RELOAD && !node_can_reload(b->g, n, unit))
                return 0;
        if (job_get(b, unit, type, &object) < 0 ||
            grow((void **)&b->links, &b->links_allocated, b->n_links, sizeof(*b->links)) < 0)
                return -ENOMEM;
        struct tlink *l = &b->links[b->n_links];
        *l = (struct tlink){.subject = subject, .object = object, .matters = matters, .conflicts = conflicts};
        l->next_of_subject = b->jobs[subject].pulls;
        l->next_of_object = b->jobs[object].pulled_by;
        b->jobs[subject].pulls = b->jobs[object].pulled_by = b->n_links++;
        return 0;
}

/* What a job of some types does along an atom. */
struct pull_row {
        uint8_t types; /* bits: of which jobs */
        enum atom atom;
        enum job_request request; /* collapsed against the other's state; NOP pulls nothing */
        bool verify, matters, conflicts;
        bool requirement; /* left out by the modes ignore-* */
};
#define ON(type)  (1u << (type))
#define ON_STARTS (ON(JOB_START) | ON(JOB_RESTART))
static const struct pull_row pull_table[] = {
        {ON_STARTS, ATOM_PULL_START, REQUEST_START, .matters = true, .requirement = true},
        {ON_STARTS, ATOM_PULL_START_WANTED, REQUEST_START, .requirement = true},
        {ON_STARTS, ATOM_PULL_VERIFY, REQUEST_START, .verify = true, .matters = true, .requirement = true},
        {ON_STARTS, ATOM_PULL_STOP, REQUEST_STOP, .matters = true, .conflicts = true, .requirement = true},
        {ON_STARTS, ATOM_PULL_STOP_WANTED, REQUEST_STOP, .conflicts = true, .requirement = true},
        {ON(JOB_STOP), ATOM_STOP_TO, REQUEST_STOP, .matters = true, .requirement = true},
        {ON(JOB_RESTART), ATOM_RESTART_TO, REQUEST_TRY_RESTART, .matters = true, .requirement = true},
        {ON(JOB_RELOAD), ATOM_RELOAD_TO, REQUEST_TRY_RELOAD_OR_RESTART, .requirement = true},
};

static int expand_edge(struct build *b, uint32_t job, const struct edge *e)
{
        for (unsigned i = 0; i < ARRAY_SIZE(pull_table); i++) {
                const struct pull_row *row = &pull_table[i];
                if (!(row->types & ON(b->jobs[job].type)) || !edge_has(b->g, e, row->atom))
                        continue;
                enum unit_active active = b->look(b->userdata, e->other)->active;
                /* A reload that propagates stays a reload: what cannot reload is left alone. */
                enum job_type type = row->verify ? JOB_VERIFY_ACTIVE : job_request_collapse(row->request, active, true);
                if (type != JOB_NOP && pull(b, job, e->other, type, row->matters, row->conflicts) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static uint64_t interesting_words(const struct build *b, enum job_type type)
{
        uint64_t words = 0;
        for (unsigned i = 0; i < ARRAY_SIZE(pull_table); i++)
                if ((pull_table[i].types & ON(type)) && !(pull_table[i].requirement && ignores_requirements(b)))
                        words |= b->g->words[pull_table[i].atom];
        return words;
}

static int expand_from(struct build *b, uint32_t job)
{
        for (; job < b->n_jobs; job++) {
                const struct node *node = &b->g->nodes[b->jobs[job].unit];
                uint64_t words = interesting_words(b, (enum job_type)b->jobs[job].type);
                for (uint32_t i = 0; words && i < node->n; i++)
                        if ((node->edges[i].words & words) && expand_edge(b, job, &node->edges[i]) < 0)
                                return -ENOMEM;
        }
        return 0;
}

/* Isolate: whatever runs and is not part of it stops. Wanted only: what is part of it wins. */
static int collect_isolated(struct build *b)
{
        uint32_t done = b->n_jobs;
        for (uint32_t u = 0; u < b->g->n; u++) {
                if (b->first[u])
                        continue;
                const struct graph_node *n = b->look(b->userdata, u);
                if (n->ignore_on_isolate || (active_is_down(n->active) && n->job == JOB_NONE))
                        continue;
                if (pull(b, 0, u, JOB_STOP, false, false) < 0)
                        return -ENOMEM;
        }
        return expand_from(b, done);
}

static int collect_triggering(struct build *b)
{
        const struct node *node = &b->g->nodes[b->jobs[0].unit];
        uint32_t done = b->n_jobs;
        for (uint32_t i = 0; i < node->n; i++)
                if (edge_has(b->g, &node->edges[i], ATOM_TRIGGERED_BY) &&
                    pull(b, 0, node->edges[i].other, JOB_STOP, true, false) < 0)
                        return -ENOMEM;
        return expand_from(b, done);
}

static int collect(struct build *b, uint32_t unit, enum job_type type)
{
        uint32_t anchor;
        b->first = calloc(b->g->n, sizeof(*b->first));
        if (!b->first || job_get(b, unit, type, &anchor) < 0 || expand_from(b, 0) < 0)
                return -ENOMEM;
        int r = b->mode == MODE_ISOLATE ? collect_isolated(b) : b->mode == MODE_TRIGGERING ? collect_triggering(b) : 0;
        if (r < 0)
                return r;
        b->stack = malloc((size_t)b->n_jobs * sizeof(*b->stack));
        return b->stack ? 0 : -ENOMEM;
}

/* --- between passes --- */

/* Marks from the anchor, along live jobs, over all links or over those that matter. */
static void mark(struct build *b, bool matters_only)
{
        uint32_t n = 0;
        b->stack[n++] = 0;
        b->jobs[0].reached = true;
        if (matters_only)
                b->jobs[0].needed = true;
        while (n > 0) {
                uint32_t j = b->stack[--n];
                for (uint32_t l = b->jobs[j].pulls; l != NONE; l = b->links[l].next_of_subject) {
                        struct tjob *o = &b->jobs[b->links[l].object];
                        bool *flag = matters_only ? &o->needed : &o->reached;
                        if (o->gone || *flag || (matters_only && !b->links[l].matters))
                                continue;
                        *flag = true;
                        b->stack[n++] = b->links[l].object;
                }
        }
}

static void sweep(struct build *b)
{
        for (uint32_t j = 0; j < b->n_jobs; j++)
                b->jobs[j].reached = b->jobs[j].needed = false;
        mark(b, false);
        mark(b, true);
        for (uint32_t j = 0; j < b->n_jobs; j++)
                if (!b->jobs[j].reached)
                        b->jobs[j].gone = true;
}

/* Drops a job and, upwards, whatever cannot do without it. */
static void drop(struct build *b, uint32_t job)
{
        uint32_t n = 0;
        if (b->jobs[job].gone)
                return;
        b->jobs[job].gone = true;
        b->stack[n++] = job;
        while (n > 0) {
                uint32_t j = b->stack[--n];
                for (uint32_t l = b->jobs[j].pulled_by; l != NONE; l = b->links[l].next_of_object) {
                        struct tjob *s = &b->jobs[b->links[l].subject];
                        if (!b->links[l].matters || s->gone)
                                continue;
                        s->gone = true;
                        b->stack[n++] = b->links[l].subject;
                }
        }
}

/* The next live job of a unit from I on (an index plus 1, as in first[]); NONE when there is none. */
static uint32_t live_from(const struct build *b, uint32_t i)
{
        while (i != 0 && b->jobs[i - 1].gone)
                i = b->jobs[i - 1].next + 1;
        return i == 0 ? NONE : i - 1;
}

static uint32_t live_first(const struct build *b, uint32_t unit)
{
        return live_from(b, b->first[unit]);
}

static uint32_t live_next(const struct build *b, uint32_t job)
{
        return live_from(b, b->jobs[job].next + 1);
}

static enum job_type live_merged(const struct build *b, uint32_t unit, enum unit_active active)
{
        enum job_type type = JOB_NOP;
        for (uint32_t j = live_first(b, unit); j != NONE; j = live_next(b, j))
                type = job_merge(type, (enum job_type)b->jobs[j].type, active);
        return type;
}

static bool stands_against(const struct graph_node *n, enum job_type type)
{
        return n->job != JOB_NONE && job_merge(n->job, type, n->active) == JOB_NONE;
}

/* --- pass 2: refuse --- */

/* Only what the anchor needs is refused. What is wanted only starts without what it requires, as in systemd. */
static enum graph_error refuse(struct build *b)
{
        sweep(b);
        for (uint32_t j = 0; j < b->n_jobs; j++) {
                uint32_t missing = b->jobs[j].refused_for;
                if (missing != NONE && b->jobs[j].needed)
                        return build_fail(b, load_errors[b->look(b->userdata, missing)->load], missing);
        }
        return GRAPH_OK;
}

/* --- pass 3: spare --- */

static void spare(struct build *b)
{
        for (uint32_t j = 0; j < b->n_jobs; j++) {
                if (b->jobs[j].gone || b->jobs[j].needed)
                        continue;
                const struct graph_node *n = b->look(b->userdata, b->jobs[j].unit);
                enum job_type type = (enum job_type)b->jobs[j].type;
                if ((type == JOB_STOP && !active_is_down_or_going(n->active)) || stands_against(n, type))
                        drop(b, j);
        }
        sweep(b);
}

/* --- pass 4: redundant --- */

static bool is_so_already(const struct graph_node *n, enum job_type type)
{
        if (stands_against(n, type))
                return false;
        if (type == JOB_START || type == JOB_VERIFY_ACTIVE)
                return active_is_up(n->active);
        return type == JOB_STOP ? active_is_down(n->active) : type == JOB_NOP;
}

static void drop_redundant(struct build *b)
{
        bool dropped = false;
        for (uint32_t j = 1; j < b->n_jobs; j++) {
                uint32_t unit = b->jobs[j].unit, k;
                if (b->jobs[j].gone || unit == b->jobs[0].unit || live_first(b, unit) != j)
                        continue;
                const struct graph_node *n = b->look(b->userdata, unit);
                for (k = j; k != NONE && is_so_already(n, (enum job_type)b->jobs[k].type);)
                        k = live_next(b, k);
                if (k != NONE)
                        continue;
                for (k = j; k != NONE; k = live_next(b, k))
                        b->jobs[k].gone = dropped = true;
        }
        if (dropped)
                sweep(b);
}

/* --- pass 5: contradict --- */

static bool is_conflicted(const struct build *b, uint32_t job)
{
        for (uint32_t l = b->jobs[job].pulled_by; l != NONE; l = b->links[l].next_of_object)
                if (b->links[l].conflicts && !b->jobs[b->links[l].subject].gone)
                        return true;
        return false;
}

/* Of two that the anchor does not need, a stop yields to a start, unless somebody who starts excludes the unit. */
static uint32_t pick_unneeded(const struct build *b, uint32_t a, uint32_t c)
{
        uint32_t stop = b->jobs[a].type == JOB_STOP ? a : c, other = stop == a ? c : a;
        return is_conflicted(b, stop) ? other : stop;
}

/* Finds two jobs of a unit that contradict; false when there are none. */
static bool find_contradiction(const struct build *b, uint32_t unit, uint32_t *ret_a, uint32_t *ret_b)
{
        for (uint32_t j = live_first(b, unit); j != NONE; j = live_next(b, j))
                for (uint32_t k = live_next(b, j); k != NONE; k = live_next(b, k))
                        if (job_merge((enum job_type)b->jobs[j].type, (enum job_type)b->jobs[k].type, ACTIVE_ACTIVE) ==
                            JOB_NONE) {
                                *ret_a = j;
                                *ret_b = k;
                                return true;
                        }
        return false;
}

static enum graph_error resolve_unit(struct build *b, uint32_t unit, bool roots_only)
{
        uint32_t a, c;
        while (find_contradiction(b, unit, &a, &c)) {
                if (roots_only && !is_conflicted(b, b->jobs[a].type == JOB_STOP ? a : c))
                        break;
                if (b->jobs[a].needed && b->jobs[c].needed) {
                        diag_add(b->diag, DIAG_ERROR, NULL, 0, "remove one of the Requires= or Conflicts= lines",
                                 "%s is required to %s and to %s at once", unit_name(b, unit),
                                 job_type_name((enum job_type)b->jobs[a].type),
                                 job_type_name((enum job_type)b->jobs[c].type));
                        return build_fail(b, GRAPH_CONFLICT, unit);
                }
                drop(b, b->jobs[a].needed ? c : b->jobs[c].needed ? a : pick_unneeded(b, a, c));
                sweep(b);
        }
        return GRAPH_OK;
}

/* First where units exclude each other, then where stops that follow from that arrive. */
static enum graph_error resolve_contradictions(struct build *b)
{
        enum graph_error r = GRAPH_OK;
        for (int roots_only = 1; roots_only >= 0; roots_only--)
                for (uint32_t j = 0; j < b->n_jobs && r == GRAPH_OK; j++)
                        if (!b->jobs[j].gone)
                                r = resolve_unit(b, b->jobs[j].unit, roots_only);
        return r;
}

/* --- pass 6: cycles --- */

enum { WHITE, GREY, BLACK };
struct walk {               /* depth first along "starts after" */
        uint8_t *colour;    /* owned; per unit */
        uint32_t *path;     /* owned; the grey units, in order */
        uint32_t *position; /* owned; per path entry: next edge to follow */
        uint32_t n;
};

static void walk_done(struct walk *w)
{
        free(w->colour);
        free(w->path);
        free(w->position);
}

/* Takes part in ordering: a job of this transaction, or one that is queued already. */
static bool is_ordered(const struct build *b, uint32_t unit)
{
        uint32_t j = live_first(b, unit);
        if (j != NONE)
                return b->jobs[j].type != JOB_NOP || live_next(b, j) != NONE;
        const struct graph_node *n = b->look(b->userdata, unit);
        return n->job != JOB_NONE && n->job != JOB_NOP && !n->job_ignore_order;
}

static bool unit_is_needed(const struct build *b, uint32_t unit)
{
        for (uint32_t j = live_first(b, unit); j != NONE; j = live_next(b, j))
                if (b->jobs[j].needed)
                        return true;
        return false;
}

/* "a → b → a" for the path from FROM on. */
static void report_cycle(struct build *b, const struct walk *w, uint32_t from, uint32_t dropped)
{
        cleanup_buf_ struct buf text = {0};
        int r = 0;
        for (uint32_t i = from; i < w->n && r == 0; i++)
                r = buf_printf(&text, "%s → ", unit_name(b, w->path[i]));
        if (r == 0)
                r = buf_append_str(&text, unit_name(b, w->path[from]));
        const char *fix = "take one of the After= or Before= lines out";
        if (r < 0 && b->diag)
                b->diag->lost++;
        else if (dropped == NONE)
                diag_add(b->diag, DIAG_ERROR, NULL, 0, fix, "ordering cycle that cannot be broken: %s", buf_str(&text));
        else
                diag_add(b->diag, DIAG_WARNING, NULL, 0, fix, "ordering cycle: %s; the job of %s is dropped",
                         buf_str(&text), unit_name(b, dropped));
}

/* The path from FROM on is a cycle: drops what the anchor does not need, and starts over with what is not black. */
static enum graph_error break_cycle(struct build *b, struct walk *w, uint32_t from)
{
        uint32_t victim = NONE;
        for (uint32_t i = w->n; i-- > from && victim == NONE;)
                if (live_first(b, w->path[i]) != NONE && !unit_is_needed(b, w->path[i]))
                        victim = w->path[i];
        report_cycle(b, w, from, victim);
        if (victim == NONE)
                return build_fail(b, GRAPH_CYCLIC, w->path[from]);
        for (uint32_t j; (j = live_first(b, victim)) != NONE;)
                drop(b, j);
        sweep(b);
        while (w->n > 0)
                w->colour[w->path[--w->n]] = WHITE;
        return GRAPH_OK;
}

static void walk_enter(struct walk *w, uint32_t unit)
{
        w->colour[unit] = GREY;
        w->path[w->n] = unit;
        w->position[w->n++] = 0;
}

static enum graph_error walk_from(struct build *b, struct walk *w, uint32_t unit)
{
        walk_enter(w, unit);
        while (w->n > 0) {
                uint32_t u = w->path[w->n - 1];
                const struct node *node = &b->g->nodes[u];
                uint32_t i = w->position[w->n - 1]++;
                if (i >= node->n) {
                        w->colour[u] = BLACK;
                        w->n--;
                        continue;
                }
                const struct edge *e = &node->edges[i];
                if (!edge_has(b->g, e, ATOM_AFTER) || w->colour[e->other] == BLACK || !is_ordered(b, e->other))
                        continue;
                if (w->colour[e->other] == WHITE) {
                        walk_enter(w, e->other);
                        continue;
                }
                uint32_t from = w->n - 1;
                while (w->path[from] != e->other)
                        from--;
                enum graph_error r = break_cycle(b, w, from);
                if (r != GRAPH_OK)
                        return r;
                if (live_first(b, unit) != NONE)
                        walk_enter(w, unit);
        }
        return GRAPH_OK;
}

static enum graph_error break_cycles(struct build *b)
{
        cleanup_(walk_done) struct walk w = {0};
        if (b->mode == MODE_IGNORE_DEPENDENCIES)
                return GRAPH_OK;
        w.colour = calloc(b->g->n, sizeof(*w.colour));
        w.path = malloc(b->g->n * sizeof(*w.path));
        w.position = malloc(b->g->n * sizeof(*w.position));
        if (!w.colour || !w.path || !w.position)
                return build_fail(b, GRAPH_NOMEM, b->jobs[0].unit);
        for (uint32_t j = 0; j < b->n_jobs; j++) {
                uint32_t unit = b->jobs[j].unit;
                if (b->jobs[j].gone || w.colour[unit] != WHITE || !is_ordered(b, unit))
                        continue;
                enum graph_error r = walk_from(b, &w, unit);
                if (r != GRAPH_OK)
                        return r;
        }
        return GRAPH_OK;
}

/* --- pass 7: check --- */

static enum graph_error check_queued(struct build *b)
{
        for (uint32_t j = 0; j < b->n_jobs; j++) {
                if (b->jobs[j].gone)
                        continue;
                const struct graph_node *n = b->look(b->userdata, b->jobs[j].unit);
                if ((b->mode != MODE_FAIL && !n->job_irreversible) ||
                    !stands_against(n, (enum job_type)b->jobs[j].type))
                        continue;
                enum job_type queued = n->job;
                diag_add(b->diag, DIAG_ERROR, NULL, 0, NULL, "%s: a %s job is queued, %s stands against it",
                         unit_name(b, b->jobs[j].unit), job_type_name(queued),
                         job_type_name((enum job_type)b->jobs[j].type));
                return build_fail(b, GRAPH_DESTRUCTIVE, b->jobs[j].unit);
        }
        return GRAPH_OK;
}

/* --- pass 8: emit --- */

static enum graph_error emit(struct build *b, struct transaction *ret)
{
        size_t n = 0;
        for (uint32_t j = 0; j < b->n_jobs; j++)
                n += !b->jobs[j].gone && live_first(b, b->jobs[j].unit) == j;
        struct graph_job *jobs = calloc(n, sizeof(*jobs));
        if (!jobs)
                return build_fail(b, GRAPH_NOMEM, b->jobs[0].unit);
        n = 1; /* 0 is the anchor's */
        for (uint32_t j = 0; j < b->n_jobs; j++) {
                uint32_t unit = b->jobs[j].unit;
                if (b->jobs[j].gone || live_first(b, unit) != j)
                        continue;
                bool anchor = unit == b->jobs[0].unit;
                jobs[anchor ? 0 : n++] = (struct graph_job){
                        .unit = unit,
                        .type = live_merged(b, unit, b->look(b->userdata, unit)->active),
                        .anchor = anchor,
                        .irreversible = b->mode == MODE_REPLACE_IRREVERSIBLY,
                        .ignore_order = b->mode == MODE_IGNORE_DEPENDENCIES,
                };
        }
        ret->jobs = jobs;
        ret->n_jobs = n;
        return GRAPH_OK;
}

void transaction_done(struct transaction *t)
{
        free(t->jobs);
        *t = (struct transaction){0};
}

/* Is the request itself in order? Also says which job it is. */
static enum graph_error check_request(const struct graph_node *n, bool can_reload, enum job_request request,
                                      enum job_mode mode, bool by_user, enum job_type *ret)
{
        enum job_type type = job_request_collapse(request, n->active, can_reload);
        bool starts = type == JOB_START || type == JOB_RESTART || request == REQUEST_TRY_RESTART;
        bool stops = type == JOB_STOP || type == JOB_RESTART || request == REQUEST_TRY_RESTART;
        *ret = type;
        if (type != JOB_STOP && n->load != LOAD_LOADED)
                return load_errors[n->load];
        if (type == JOB_STOP && by_user && n->load != LOAD_LOADED && n->load != LOAD_MASKED &&
            active_is_down(n->active))
                return GRAPH_NO_SUCH_UNIT;
        if (by_user && ((starts && n->refuse_manual_start) || (stops && n->refuse_manual_stop)))
                return GRAPH_ONLY_BY_DEPENDENCY;
        if ((mode == MODE_ISOLATE && type != JOB_START) || (mode == MODE_TRIGGERING && type != JOB_STOP))
                return GRAPH_BAD_MODE;
        if (mode == MODE_ISOLATE && !n->allow_isolate)
                return GRAPH_NO_ISOLATION;
        if ((type == JOB_RELOAD && !can_reload) || ((type == JOB_START || type == JOB_RESTART) && !n->can_start))
                return GRAPH_JOB_NOT_APPLICABLE;
        return GRAPH_OK;
}

static enum graph_error run_passes(struct build *b, uint32_t unit, enum job_type type, struct transaction *ret)
{
        enum graph_error r;
        if (collect(b, unit, type) < 0)
                return build_fail(b, GRAPH_NOMEM, unit);
        r = refuse(b);
        if (r != GRAPH_OK)
                return r;
        if (b->mode == MODE_FAIL)
                spare(b);
        drop_redundant(b);
        r = resolve_contradictions(b);
        if (r != GRAPH_OK)
                return r;
        drop_redundant(b);
        r = break_cycles(b);
        if (r != GRAPH_OK)
                return r;
        drop_redundant(b);
        r = check_queued(b);
        return r == GRAPH_OK ? emit(b, ret) : r;
}

enum graph_error transaction_build(struct graph *g, graph_look look, void *userdata, uint32_t unit,
                                   enum job_request request, enum job_mode mode, bool by_user, struct transaction *ret,
                                   uint32_t *ret_culprit, struct diag *diag)
{
        cleanup_(build_done) struct build b = {.g = g, .look = look, .userdata = userdata, .mode = mode, .diag = diag};
        enum job_type type;
        const struct graph_node *n = look(userdata, unit);
        enum graph_error r = check_request(n, node_can_reload(g, n, unit), request, mode, by_user, &type);
        b.culprit = unit;
        if (r == GRAPH_OK && graph_resize(g, unit + 1) < 0)
                r = GRAPH_NOMEM;
        if (r == GRAPH_OK)
                r = run_passes(&b, unit, type, ret);
        if (r == GRAPH_OK)
                return r;
        if (ret_culprit)
                *ret_culprit = b.culprit;
        if (diag && r != GRAPH_CYCLIC && r != GRAPH_CONFLICT && r != GRAPH_DESTRUCTIVE)
                diag_add(diag, DIAG_ERROR, NULL, 0, NULL, "%s: %s", unit_name(&b, b.culprit), graph_error_name(r));
        return r;
}
