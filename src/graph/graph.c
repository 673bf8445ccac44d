/* SPDX-License-Identifier: MIT
 *
 * Edges between units: the table from users' words to atoms, edges added and cleared, jobs that wait for each other,
 * and the consequences of what happens to a unit.
 *
 * Not here: transactions (transaction.c). An edge keeps words, not atoms; a question for an atom is one AND with a mask
 * that is derived from the table once. Adding looks for the pair in the shorter of the two lists and clearing goes
 * through the twins, so a target that everything hangs on costs nothing extra. Invariant: node.blockers of a node with
 * a job = how many other nodes' jobs it waits for, whatever edges come and go.
 */
#include "graph/internal.h"

#define BIT(a) (UINT32_C(1) << (ATOM_##a))
_Static_assert(N_ATOMS <= 32, "atoms fit a word");

/* What saying a word makes of the one who says it, and of the one it is said of. */
struct word_row {
        uint32_t forward, inverse;
};
#define NEED         (BIT(NEEDS))
#define NEED_INVERSE (BIT(NEEDED_BY))
#define DEPENDENT    (BIT(STOP_TO) | BIT(RESTART_TO) | BIT(START_FAILURE_TO) | NEED_INVERSE)
static const struct word_row word_table[] = {
        [DEP_REQUIRES] = {BIT(PULL_START) | BIT(START_WITH) | NEED, DEPENDENT},
        [DEP_REQUISITE] = {BIT(PULL_VERIFY) | NEED, DEPENDENT | BIT(ABSENCE_FAILURE_TO)},
        [DEP_WANTS] = {BIT(PULL_START_WANTED) | BIT(START_WITH) | NEED, NEED_INVERSE},
        [DEP_BINDS_TO] = {BIT(PULL_START) | BIT(START_WITH) | BIT(BINDS) | NEED,
                          DEPENDENT | BIT(BOUND_BY) | BIT(STOP_WITH)},
        [DEP_PART_OF] = {0, BIT(STOP_TO) | BIT(RESTART_TO)},
        [DEP_UPHOLDS] = {BIT(PULL_START_WANTED) | BIT(UPHOLDS) | NEED, BIT(UPHELD_BY) | NEED_INVERSE},
        [DEP_CONFLICTS] = {BIT(PULL_STOP) | BIT(STOP_AGAINST),
                           BIT(PULL_STOP_WANTED) | BIT(STOP_AGAINST) | BIT(STOP_FAILURE_TO)},
        [DEP_BEFORE] = {BIT(BEFORE), BIT(AFTER)},
        [DEP_AFTER] = {BIT(AFTER), BIT(BEFORE)},
        [DEP_ON_FAILURE] = {BIT(ON_FAILURE), 0},
        [DEP_ON_SUCCESS] = {BIT(ON_SUCCESS), 0},
        [DEP_PROPAGATES_RELOAD_TO] = {BIT(RELOAD_TO), 0},
        [DEP_RELOAD_PROPAGATED_FROM] = {0, BIT(RELOAD_TO)},
        [DEP_PROPAGATES_STOP_TO] = {BIT(STOP_TO) | BIT(STOP_WITH), 0},
        [DEP_STOP_PROPAGATED_FROM] = {0, BIT(STOP_TO) | BIT(STOP_WITH)},
        [DEP_JOINS_NAMESPACE_OF] = {0, 0},  /* kept for graph_each() */
        [DEP_REQUIRES_MOUNTS_FOR] = {0, 0}, /* paths; nothing here manages mounts (rule 62) */
        [GRAPH_TRIGGERS] = {0, BIT(TRIGGERED_BY)},
};
_Static_assert(ARRAY_SIZE(word_table) == N_UNIT_DEPENDENCIES + 1, "a row for each word");
_Static_assert(N_UNIT_DEPENDENCIES < 32, "words of both directions fit an edge");

int graph_new(struct graph **ret)
{
        struct graph *g = calloc(1, sizeof(*g));
        if (!g)
                return -ENOMEM;
        g->ready_first = g->ready_last = NO_UNIT;
        for (unsigned w = 0; w < ARRAY_SIZE(word_table); w++)
                for (unsigned a = 0; a < N_ATOMS; a++) {
                        if (word_table[w].forward & (UINT32_C(1) << a))
                                g->words[a] |= WORD_OWN(w);
                        if (word_table[w].inverse & (UINT32_C(1) << a))
                                g->words[a] |= WORD_INVERSE(w);
                }
        *ret = g;
        return 0;
}

void graph_free(struct graph *g)
{
        if (!g)
                return;
        for (uint32_t i = 0; i < g->n; i++)
                free(g->nodes[i].edges);
        free(g->nodes);
        free(g);
}

int graph_resize(struct graph *g, uint32_t n)
{
        if (n <= g->n)
                return 0;
        if (n > g->allocated) {
                uint32_t allocated = MAX2(n, g->allocated + g->allocated / 2);
                struct node *nodes = reallocarray(g->nodes, allocated, sizeof(*nodes));
                if (!nodes)
                        return -ENOMEM;
                g->nodes = nodes;
                g->allocated = allocated;
        }
        memset(g->nodes + g->n, 0, (n - g->n) * sizeof(*g->nodes));
        g->n = n;
        return 0;
}

static int node_reserve(struct node *node)
{
        if (node->n < node->allocated)
                return 0;
        uint32_t allocated = node->allocated ? node->allocated + (node->allocated + 1) / 2 : 4;
        struct edge *edges = reallocarray(node->edges, allocated, sizeof(*edges));
        if (!edges)
                return -ENOMEM;
        node->edges = edges;
        node->allocated = allocated;
        return 0;
}

static struct edge *edge_find(struct graph *g, uint32_t a, uint32_t b)
{
        struct node *na = &g->nodes[a], *nb = &g->nodes[b];
        if (na->n <= nb->n) {
                for (uint32_t i = 0; i < na->n; i++)
                        if (na->edges[i].other == b)
                                return &na->edges[i];
                return NULL;
        }
        for (uint32_t i = 0; i < nb->n; i++)
                if (nb->edges[i].other == a)
                        return &na->edges[nb->edges[i].twin];
        return NULL;
}

static struct edge *edge_new(struct graph *g, uint32_t a, uint32_t b)
{
        struct node *na = &g->nodes[a], *nb = &g->nodes[b];
        if (node_reserve(na) < 0 || node_reserve(nb) < 0)
                return NULL;
        na->edges[na->n] = (struct edge){.other = b, .twin = nb->n};
        nb->edges[nb->n] = (struct edge){.other = a, .twin = na->n};
        nb->n++;
        return &na->edges[na->n++];
}

/* Takes entry I out of UNIT's list; the last one moves into its place. */
static void edge_forget_half(struct graph *g, uint32_t unit, uint32_t i)
{
        struct node *node = &g->nodes[unit];
        struct edge *last = &node->edges[--node->n];
        if (i == node->n)
                return;
        node->edges[i] = *last;
        g->nodes[last->other].edges[last->twin].twin = i;
}

/* --- jobs that wait for each other --- */

static void ready_push(struct graph *g, uint32_t unit)
{
        struct node *node = &g->nodes[unit];
        if (node->queued || node->taken || node->blockers > 0 || node->job == JOB_NONE)
                return;
        node->queued = true;
        node->ready_next = NO_UNIT;
        if (g->ready_first == NO_UNIT)
                g->ready_first = unit;
        else
                g->nodes[g->ready_last].ready_next = unit;
        g->ready_last = unit;
}

/* Does the job of the owner wait for the one at the other end (bit 0), and the other way round (bit 1)? */
static unsigned edge_waits(const struct graph *g, const struct node *owner, const struct edge *e)
{
        const struct node *other = &g->nodes[e->other];
        unsigned r = 0;
        if (owner->job == JOB_NONE || other->job == JOB_NONE || owner->ignore_order || other->ignore_order)
                return 0;
        if (edge_has(g, e, ATOM_AFTER)) {
                int o = job_order((enum job_type)owner->job, (enum job_type)other->job);
                r |= o > 0 ? 1u : o < 0 ? 2u : 0;
        }
        if (edge_has(g, e, ATOM_BEFORE)) {
                int o = job_order((enum job_type)other->job, (enum job_type)owner->job);
                r |= o > 0 ? 2u : o < 0 ? 1u : 0;
        }
        return r;
}

/* Moves the counters of both ends from what they were (BEFORE) to what the edge says now. */
static void edge_recount(struct graph *g, uint32_t unit, const struct edge *e, unsigned before)
{
        struct node *owner = &g->nodes[unit], *other = &g->nodes[e->other];
        unsigned now = edge_waits(g, owner, e);
        owner->blockers += (now & 1u) - (before & 1u);
        other->blockers += (now >> 1) - (before >> 1);
        ready_push(g, e->other);
        ready_push(g, unit);
}

static void node_set_job(struct graph *g, uint32_t unit, enum job_type type, bool ignore_order)
{
        struct node *node = &g->nodes[unit];
        uint8_t old_job = node->job;
        bool old_ignore = node->ignore_order;
        node->taken = true; /* nothing is ready while the counters move */
        for (uint32_t i = 0; i < node->n; i++) {
                node->job = old_job;
                node->ignore_order = old_ignore;
                unsigned before = edge_waits(g, node, &node->edges[i]);
                node->job = (uint8_t)type;
                node->ignore_order = ignore_order;
                edge_recount(g, unit, &node->edges[i], before);
        }
        node->job = (uint8_t)type;
        node->ignore_order = ignore_order;
        node->taken = false;
        ready_push(g, unit);
}

void graph_job_installed(struct graph *g, uint32_t unit, enum job_type type, bool ignore_order)
{
        if (unit < g->n)
                node_set_job(g, unit, type, ignore_order);
}

void graph_job_finished(struct graph *g, uint32_t unit)
{
        if (unit < g->n && g->nodes[unit].job != JOB_NONE)
                node_set_job(g, unit, JOB_NONE, false);
}

bool graph_job_next(struct graph *g, uint32_t *ret_unit)
{
        while (g->ready_first != NO_UNIT) {
                uint32_t unit = g->ready_first;
                struct node *node = &g->nodes[unit];
                g->ready_first = node->ready_next;
                node->queued = false;
                if (node->job == JOB_NONE || node->blockers > 0 || node->taken)
                        continue;
                node->taken = true;
                *ret_unit = unit;
                return true;
        }
        return false;
}

uint32_t graph_job_blockers(const struct graph *g, uint32_t unit)
{
        return unit < g->n ? g->nodes[unit].blockers : 0;
}

bool graph_job_runnable(struct graph *g, graph_look look, void *userdata, uint32_t unit, uint32_t *ret_blocker)
{
        if (unit >= g->n)
                return true;
        const struct graph_node *me = look(userdata, unit);
        enum job_type job = me->job;
        if (me->job_ignore_order || job == JOB_NONE || job == JOB_NOP)
                return true;
        const struct node *node = &g->nodes[unit];
        for (uint32_t i = 0; i < node->n; i++) {
                const struct edge *e = &node->edges[i];
                bool after = edge_has(g, e, ATOM_AFTER), before = edge_has(g, e, ATOM_BEFORE);
                if (!after && !before)
                        continue;
                const struct graph_node *other = look(userdata, e->other);
                if (other->job_ignore_order)
                        continue;
                if ((after && job_order(job, other->job) > 0) || (before && job_order(other->job, job) < 0)) {
                        if (ret_blocker)
                                *ret_blocker = e->other;
                        return false;
                }
        }
        return true;
}

bool graph_is_bound_in_vain(struct graph *g, graph_look look, void *userdata, uint32_t unit)
{
        const struct node *node = unit < g->n ? &g->nodes[unit] : NULL;
        for (uint32_t i = 0; node && i < node->n; i++) {
                const struct edge *e = &node->edges[i];
                if (edge_has(g, e, ATOM_BINDS) && edge_has(g, e, ATOM_AFTER) &&
                    !active_is_up(look(userdata, e->other)->active))
                        return true;
        }
        return false;
}

/* --- edges come and go --- */

int graph_add(struct graph *g, uint32_t from, enum unit_dependency dep, uint32_t to)
{
        if (from == to) /* of oneself: says nothing */
                return 0;
        int r = graph_resize(g, MAX2(from, to) + 1);
        if (r < 0)
                return r;
        struct edge *e = edge_find(g, from, to);
        if (!e)
                e = edge_new(g, from, to);
        if (!e)
                return -ENOMEM;
        unsigned before = edge_waits(g, &g->nodes[from], e);
        e->words |= WORD_OWN(dep);
        g->nodes[to].edges[e->twin].words |= WORD_INVERSE(dep);
        edge_recount(g, from, e, before);
        return 0;
}

void graph_clear_from(struct graph *g, uint32_t from)
{
        if (from >= g->n)
                return;
        struct node *node = &g->nodes[from];
        for (uint32_t i = node->n; i-- > 0;) {
                struct edge *e = &node->edges[i];
                if (!(e->words & WORDS_OWN))
                        continue;
                uint32_t other = e->other, twin = e->twin;
                unsigned before = edge_waits(g, node, e);
                e->words &= ~WORDS_OWN;
                g->nodes[other].edges[twin].words &= WORDS_OWN;
                edge_recount(g, from, e, before);
                if (e->words)
                        continue;
                edge_forget_half(g, other, twin);
                edge_forget_half(g, from, i);
        }
}

int graph_each(struct graph *g, uint32_t unit, enum unit_dependency dep, bool inverse,
               int (*each)(void *userdata, uint32_t other), void *userdata)
{
        uint64_t word = inverse ? WORD_INVERSE(dep) : WORD_OWN(dep);
        int r = 0;
        for (uint32_t i = 0; unit < g->n && i < g->nodes[unit].n && r == 0; i++)
                if (g->nodes[unit].edges[i].words & word)
                        r = each(userdata, g->nodes[unit].edges[i].other);
        return r;
}

/* --- consequences --- */

struct consequences { /* of one event, on their way to the caller */
        struct graph *g;
        graph_look look;
        int (*each)(void *userdata, const struct graph_consequence *c);
        void *userdata;
        uint32_t unit;
};

static bool waits_to_start(const struct consequences *c, const struct edge *e)
{
        enum job_type job = c->look(c->userdata, e->other)->job;
        return job == JOB_START || job == JOB_VERIFY_ACTIVE;
}

static bool is_down_and_not_before(const struct consequences *c, const struct edge *e)
{
        enum unit_active a = c->look(c->userdata, e->other)->active;
        return active_is_down_or_going(a) && !edge_has(c->g, e, ATOM_AFTER);
}

static bool is_down(const struct consequences *c, const struct edge *e)
{
        const struct graph_node *n = c->look(c->userdata, e->other);
        return active_is_down(n->active) && n->job == JOB_NONE;
}

static bool is_not_down(const struct consequences *c, const struct edge *e)
{
        return !active_is_down_or_going(c->look(c->userdata, e->other)->active);
}

static bool is_up_and_idle(const struct graph_node *n)
{
        return active_is_up(n->active) && n->job == JOB_NONE;
}

/* What it is bound to was skipped, or is gone already. */
static bool binds_to_nothing(const struct consequences *c, const struct edge *e)
{
        return is_down(c, e) && is_up_and_idle(c->look(c->userdata, c->unit));
}

/* The same, seen from the other side. */
static bool is_bound_in_vain(const struct consequences *c, const struct edge *e)
{
        return active_is_down(c->look(c->userdata, c->unit)->active) && is_up_and_idle(c->look(c->userdata, e->other));
}

static bool upholder_wants_me(const struct consequences *c, const struct edge *e)
{
        const struct graph_node *me = c->look(c->userdata, c->unit);
        if (!active_is_down(me->active) || me->job != JOB_NONE)
                return false;
        const struct graph_node *n = c->look(c->userdata, e->other);
        return active_is_up(n->active) && n->job != JOB_STOP;
}

static bool unit_is_unneeded(const struct consequences *c, uint32_t unit)
{
        const struct graph_node *n = c->look(c->userdata, unit);
        if (!n->stop_when_unneeded || active_is_down_or_going(n->active) || n->job != JOB_NONE)
                return false;
        const struct node *node = &c->g->nodes[unit];
        for (uint32_t i = 0; i < node->n; i++) {
                if (!edge_has(c->g, &node->edges[i], ATOM_NEEDED_BY))
                        continue;
                n = c->look(c->userdata, node->edges[i].other);
                if (n->job != JOB_NONE || !active_is_down_or_going(n->active))
                        return false;
        }
        return true;
}

static bool is_unneeded(const struct consequences *c, const struct edge *e)
{
        return unit_is_unneeded(c, e->other);
}

static bool always(const struct consequences *c unused_, const struct edge *e unused_)
{
        return true;
}

struct consequence_row {
        enum graph_event event;
        enum atom atom;
        bool (*when)(const struct consequences *c, const struct edge *e);
        bool of_unit; /* it befalls the unit itself, once, not the other end */
        uint8_t what;
};
static const struct consequence_row consequence_table[] = {
        {HAPPENED_JOB_FAILED, ATOM_START_FAILURE_TO, waits_to_start, false, CONSEQUENCE_FAIL_JOB},
        {HAPPENED_JOB_FAILED, ATOM_NEEDS, is_unneeded, false, CONSEQUENCE_STOP},
        {HAPPENED_START_IN_VAIN, ATOM_ABSENCE_FAILURE_TO, waits_to_start, false, CONSEQUENCE_FAIL_JOB},
        {HAPPENED_START_IN_VAIN, ATOM_BOUND_BY, is_bound_in_vain, false, CONSEQUENCE_STOP},
        {HAPPENED_START_IN_VAIN, ATOM_NEEDS, is_unneeded, false, CONSEQUENCE_STOP},
        {HAPPENED_STOP_JOB_FAILED, ATOM_STOP_FAILURE_TO, waits_to_start, false, CONSEQUENCE_FAIL_JOB},
        {HAPPENED_STARTED, ATOM_STOP_AGAINST, is_not_down, false, CONSEQUENCE_STOP},
        {HAPPENED_STARTED, ATOM_START_WITH, is_down_and_not_before, false, CONSEQUENCE_START},
        {HAPPENED_UP, ATOM_UPHOLDS, is_down, false, CONSEQUENCE_START},
        {HAPPENED_UP, ATOM_BINDS, binds_to_nothing, true, CONSEQUENCE_STOP},
        {HAPPENED_DIED, ATOM_STOP_WITH, is_not_down, false, CONSEQUENCE_STOP},
        {HAPPENED_DIED, ATOM_ABSENCE_FAILURE_TO, waits_to_start, false, CONSEQUENCE_FAIL_JOB},
        {HAPPENED_STOPPED, ATOM_NEEDS, is_unneeded, false, CONSEQUENCE_STOP},
        {HAPPENED_STOPPED, ATOM_UPHELD_BY, upholder_wants_me, true, CONSEQUENCE_START},
        {HAPPENED_FAILED, ATOM_ON_FAILURE, always, false, CONSEQUENCE_START},
        {HAPPENED_SUCCEEDED, ATOM_ON_SUCCESS, always, false, CONSEQUENCE_START},
};

static int consequence_row_apply(const struct consequences *c, const struct consequence_row *row)
{
        const struct node *node = &c->g->nodes[c->unit];
        int r = 0;
        for (uint32_t i = 0; i < node->n && r == 0; i++) {
                const struct edge *e = &node->edges[i];
                if (!edge_has(c->g, e, row->atom) || !row->when(c, e))
                        continue;
                struct graph_consequence out = {.unit = row->of_unit ? c->unit : e->other, .what = row->what};
                r = c->each(c->userdata, &out);
                if (row->of_unit)
                        break;
        }
        return r;
}

int graph_consequences(struct graph *g, graph_look look, void *userdata, uint32_t unit, enum graph_event event,
                       int (*each)(void *userdata, const struct graph_consequence *c))
{
        struct consequences c = {.g = g, .look = look, .each = each, .userdata = userdata, .unit = unit};
        int r = 0;
        if (event == HAPPENED_UP && unit < g->n && unit_is_unneeded(&c, unit))
                r = each(userdata, &(struct graph_consequence){.unit = unit, .what = CONSEQUENCE_STOP});
        for (unsigned i = 0; unit < g->n && i < ARRAY_SIZE(consequence_table) && r == 0; i++)
                if (consequence_table[i].event == event)
                        r = consequence_row_apply(&c, &consequence_table[i]);
        return r;
}
