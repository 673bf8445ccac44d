/* SPDX-License-Identifier: MIT
 *
 * A private supd: its own directory (units, runtime, logs, diaries), its own name, its own libexec directory, and the
 * durable state mapped for reading.
 *
 * The programs under test come from the environment: SUPD (supd), SUPCTL (supctl), SUPD_LIBEXEC_DIR (supd-manager,
 * supd-exec, supd-bus …), DIARY (the test service).
 *
 * Not here: what is right or wrong (observer.h). Invariant: rig_end() leaves no process, no file and no shared-memory
 * object behind, whatever supd did, and so does a killed test; with `keep_to` a copy of the directory is made first.
 */
#ifndef TESTS_LIB_RIG_H
#define TESTS_LIB_RIG_H

#include "abi/durable.h"
#include "base/buf.h"

#define RIG_HOLD_NEXT (-1)

struct rig {
        char dir[128]; /* everything lies below */
        char name[64]; /* --name */
        char diaries[160], units[160], runtime[160];
        char supd[256], supctl[256], libexec[256], diary[256];
        char installed[192]; /* our own copy of supd, once rig_install() made it: what is run then */
        pid_t janitor;       /* clears away when we die before rig_end() */
        int janitor_fd;      /* its sign of our life */
        pid_t keeper;        /* 0 = not running, or reaped */
        int keeper_status;
        void *state;         /* durable state, read-only; NULL until it runs */
        _Atomic int *hold;   /* shared memory, or NULL. RIG_HOLD_NEXT: the next supctl stores its pid here and stops
                              * (SIGSTOP) before its exec, for a tracer to seize */
        const char *keep_to; /* not NULL: rig_end() copies the directory there, for people to look at */
};

/* NULL when the programs under test can be run, else why not (a text for "skipped: …"). */
const char *rig_missing(void);
/* A directory and a name; nothing runs yet. LABEL: a few letters for people. 0 or -errno. */
int rig_begin(struct rig *r, const char *label);
/* Writes unit NAME. In TEXT, "@DIARY@" becomes the diary program with --dir= and --name= of this unit, "@RIG@" the
 * directory of the rig, "@NAME@" its name. */
int rig_unit(struct rig *r, const char *name, const char *text);
/* Installs supd (anew): a copy of the one under test, put in place by rename as a package does. 0 or -errno. */
int rig_install(struct rig *r);
/* Starts supd and waits until its manager supervises (or WITHIN_US passed: -ETIMEDOUT; it ended: -ECHILD). */
int rig_start(struct rig *r, uint64_t within_us);
/* The two halves: with STOPPED the keeper-to-be stops itself (SIGSTOP) before its exec, for a tracer to seize. */
int rig_spawn(struct rig *r, bool stopped);
int rig_await(struct rig *r, uint64_t within_us);
/* The keeper died (the tracer has reaped it): another supd on the same runtime directory. */
int rig_respawn(struct rig *r);
/* Maps the state as soon as it is there. True when a manager supervises. */
bool rig_is_up(struct rig *r);
/* Asks supd to stop and waits. Its wait status, or -ETIMEDOUT. */
int rig_stop(struct rig *r, uint64_t within_us);
/* Has supd ended? Reaps it then. */
bool rig_ended(struct rig *r);
/* Kills whatever is left and removes everything. */
void rig_end(struct rig *r);

/* sem_open(3) makes a semaphore as /dev/shm/sem.XXXXXX and links it into place; who is killed in between leaves that
 * file. Removes those of ours that came since SINCE_REAL_S (CLOCK_REALTIME, seconds) and are older than it takes to
 * link one; returns how many. Call it when no rig runs any more. */
unsigned rig_sweep_semaphores(int64_t since_real_s);

/* Runs supctl with ARGS (blank separated). Returns its exit status, or -errno; -ETIMEDOUT: it was killed. OUTPUT (both
 * streams, may be NULL) is appended to. */
int rig_supctl(struct rig *r, const char *args, uint64_t within_us, struct buf *output);

struct durable_header *rig_header(const struct rig *r);
/* The live manager, or 0. */
pid_t rig_manager(const struct rig *r);

#endif
