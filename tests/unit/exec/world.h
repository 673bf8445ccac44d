/* SPDX-License-Identifier: MIT
 *
 * A world for the real supd-exec: a durable state in a memfd, the bell, the sockets, and this process as the subreaper
 * that adopts the services. Not here: any fake of the launcher itself.
 * Invariant: world_stop() leaves no process, whatever happened before.
 */
#ifndef TEST_EXEC_WORLD_H
#define TEST_EXEC_WORLD_H

#include <sys/types.h>

#include "abi/durable.h"
#include "base/buf.h"
#include "exec/plan.h"

struct world {
        void *map;
        int state_fd, bell_fd, plans_fd, life_fd;
        pid_t launcher;
        uint32_t n_slots;
        char directory[64]; /* scratch, absolute, removed by world_stop() */
};

/* Filter to be installed in the launcher before exec; NULL = none. */
typedef void (*world_prepare)(void);

void world_start(struct world *w, world_prepare prepare);
void world_start_launcher(struct world *w, world_prepare prepare);
void world_stop(struct world *w);
/* Sends a plan; returns its slot. */
uint32_t world_send(struct world *w, const struct buf *plan, const int *fds, unsigned n_fds);
struct durable_slot *world_slot(struct world *w, uint32_t slot);
/* Waits until the end of the start is noted. Returns enum durable_launch. */
uint32_t world_wait_noted(struct world *w, uint32_t slot);
/* Waits for the process of SLOT; returns the status as waitpid() gives it. */
int world_wait_exit(struct world *w, uint32_t slot);

/* A unit with the defaults of the dialect, in static storage; each call begins afresh. */
struct scene {
        struct unit unit;
        struct service_config service;
        struct exec_config exec;
        struct exec_rare rare;
        struct kill_config kill;
        struct group_config group;
        struct strings dependencies[N_UNIT_DEPENDENCIES];
        struct limit_value limits[N_EXEC_LIMITS];
        struct exec_directory_setting directories[N_EXEC_DIRECTORIES];
        struct exec_command command;
        struct plan_context context;
};
struct scene *scene_new(void);
/* A list in static storage, NULL-terminated arguments. */
struct strings strings_of(const char *first, ...);
/* "/bin/sh -c SCRIPT" as the command. */
void scene_shell(struct scene *s, const char *script);
/* Builds, sends, waits for the note and the exit. Returns the exit status, or -signal. */
int scene_run(struct world *w, struct scene *s, uint32_t *ret_slot);
/* The text of a file in the world's directory, static storage. */
const char *world_text(struct world *w, const char *name);

#endif
