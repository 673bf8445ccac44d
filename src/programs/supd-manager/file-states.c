/* SPDX-License-Identifier: MIT
 *
 * Which unit files are enabled: found out by a process of its own (supd-unit-files) a second after units were read, for
 * supctl and supd-bus, which look it up in RUNTIME_DIR/unit-files and find out by themselves where that is missing.
 *
 * Not here: what "enabled" means (install/). Invariant: the file is of the last load or is not there; so it is removed
 * before units are read, and comes into being by one rename(2) here, never by a process that was overtaken.
 */
#include "manager.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define REST_US USEC_PER_SEC /* nobody waits for it: starting and reloading go first */

void file_states_begin(struct manager *m)
{
        char path[4096];

        (void)snprintf(path, sizeof(path), "%s/unit-files", m->runtime_dir);
        (void)unlink(path);
        if (m->file_states.pid > 0)
                (void)kill(m->file_states.pid, SIGKILL); /* a child of ours that was not waited for: it is that one */
        m->file_states.due_us = sys_mono_us() + REST_US;
}

void file_states_turn(struct manager *m)
{
        const char *dir = getenv("SUPD_LIBEXEC_DIR");
        char path[4096];
        char *argv[] = {"supd-unit-files", (char *)(uintptr_t)m->runtime_dir, NULL};
        pid_t self = getpid(), pid;

        if (m->file_states.due_us == 0 || m->file_states.pid > 0 || sys_mono_us() < m->file_states.due_us)
                return;
        m->file_states.due_us = 0;
        if (m->meta.flags & META_STOPPING)
                return;
        (void)snprintf(path, sizeof(path), "%s/supd-unit-files", dir ? dir : SUPD_LIBEXECDIR);
        pid = vfork();
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() == self)
                        execv(path, argv);
                _exit(127);
        }
        if (pid > 0) /* else: it is found out by whoever wants to know */
                m->file_states.pid = pid;
}

void file_states_ended(struct manager *m, int status)
{
        char made[4096], path[4096];

        m->file_states.pid = 0;
        (void)snprintf(made, sizeof(made), "%s/unit-files.new", m->runtime_dir);
        (void)snprintf(path, sizeof(path), "%s/unit-files", m->runtime_dir);
        if (m->file_states.due_us > 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0 || rename(made, path) < 0)
                (void)unlink(made);
}
