/* SPDX-License-Identifier: MIT
 *
 * A small world for the graph's tests: units in an array, named a, b, c …, and short words to build and ask.
 *
 * Not a fake of the graph: it only plays the manager's part, which answers what units are like.
 * Invariant: world.said mirrors what the graph was told, word by word, for models to read.
 */
#ifndef SUPD_TESTS_GRAPH_WORLD_H
#define SUPD_TESTS_GRAPH_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "graph/graph.h"

#define WORLD_MAX 26

struct world {
        struct graph *g;
        uint32_t n;
        struct graph_node nodes[WORLD_MAX];
        uint64_t said[WORLD_MAX][WORLD_MAX]; /* bit DEP: the first said it of the second */
};

static const char *const world_names[WORLD_MAX] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
                                                   "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z"};

static inline const struct graph_node *world_look(void *userdata, uint32_t unit)
{
        struct world *w = userdata;
        assert_true(unit < w->n);
        return &w->nodes[unit];
}

static inline void world_make(struct world *w, uint32_t n)
{
        *w = (struct world){.n = n};
        assert_int_equal(graph_new(&w->g), 0);
        assert_int_equal(graph_resize(w->g, n), 0);
        for (uint32_t i = 0; i < n; i++)
                w->nodes[i] = (struct graph_node){.can_start = true, .can_reload = true, .name = world_names[i]};
}

static inline void world_done(struct world *w)
{
        graph_free(w->g);
}

#define cleanup_world_ cleanup_(world_done)

static inline void say(struct world *w, char from, enum unit_dependency dep, char to)
{
        assert_int_equal(graph_add(w->g, (uint32_t)(from - 'a'), dep, (uint32_t)(to - 'a')), 0);
        w->said[from - 'a'][to - 'a'] |= UINT64_C(1) << dep;
}

static inline struct graph_node *unit(struct world *w, char name)
{
        return &w->nodes[name - 'a'];
}

/* The jobs as text: "start a, stop b", the anchor first, the others by name; or the refusal as "not found: b". */
static inline const char *ask_mode(struct world *w, enum job_request request, char name, enum job_mode mode,
                                   struct diag *diag)
{
        static char text[1024];
        cleanup_(transaction_done) struct transaction t = {0};
        uint32_t culprit = 0;
        enum graph_error r =
                transaction_build(w->g, world_look, w, (uint32_t)(name - 'a'), request, mode, true, &t, &culprit, diag);
        size_t used = 0;
        text[0] = '\0';
        if (r != GRAPH_OK) {
                snprintf(text, sizeof(text), "%s: %s", graph_error_name(r), world_names[culprit]);
                return text;
        }
        assert_true(t.jobs[0].anchor);
        for (uint32_t u = 0; u <= w->n; u++)
                for (size_t i = 0; i < t.n_jobs; i++)
                        if (u == 0 ? i == 0 : i > 0 && t.jobs[i].unit == u - 1)
                                used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s", used ? ", " : "",
                                                         job_type_name(t.jobs[i].type), world_names[t.jobs[i].unit]);
        return text;
}

static inline const char *ask(struct world *w, enum job_request request, char name)
{
        return ask_mode(w, request, name, MODE_REPLACE, NULL);
}

/* A small generator with a fixed seed: the same numbers everywhere. */
static inline uint32_t random_next(uint64_t *state, uint32_t below)
{
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t)(*state >> 33) % below;
}

#endif
