/* SPDX-License-Identifier: MIT
 *
 * The service-to-be: from its first instruction to exec, in the order in which systemd does it, because that order
 * shows in exit codes and permissions: streams as root, the directory as the user.
 *
 * Not here: anything that could be done before the fork (start.c).
 * Invariant: a failed step ends in _exit() with the code systemd documents for it; no fd of ours outlives exec.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "job.h"

bool service_store_pid(const struct job *j, pid_t pid)
{
        struct durable_slot *s = &durable_slots(j->launcher->map)[j->slot];

        uint32_t launch = atomic_load(&s->launch);

        /* EXECED: a check or a clean-up whose intermediate was quicker */
        if (atomic_load(&s->generation) != j->generation || (launch != LAUNCH_INTENT && launch != LAUNCH_EXECED))
                return false;
        /* In this order: whoever finds last_pid set may wait for the exit, so the keeper must know the pid by then. */
        atomic_store(&durable_pids(j->launcher->map)[j->slot], (uint32_t)pid);
        atomic_store(&s->last_pid, (uint32_t)pid);
        /* counterpart of settle() in plans.c: had the launcher given the start up before it could see the pid, we see
         * it
         */
        return atomic_load(&s->launch) != LAUNCH_FAILED;
}

static int set_umask(struct job *j)
{
        (void)umask((mode_t)job_word(j, PLAN_UMASK, 0, 0022) & 07777);
        return 0;
}

static int change_directory(struct job *j)
{
        const char *directory = job_string(j, PLAN_WORKING_DIRECTORY);
        bool optional = job_word(j, PLAN_WORKING_DIRECTORY, 0, 0) != 0;

        if (directory && streq(directory, "~")) {
                directory = j->identity.home ? j->identity.home : getenv("HOME");
                if (!directory)
                        directory = j->identity.has_user ? NULL : "/root";
                if (!directory)
                        return optional ? 0 : job_fail(j, PLAN_STEP_CHDIR, ENXIO, EXIT_CODE_CHDIR);
        }
        if (chdir(directory ? directory : "/") == 0)
                return 0;
        if (optional && chdir("/") == 0)
                return 0;
        return job_fail(j, PLAN_STEP_CHDIR, errno, EXIT_CODE_CHDIR);
}

static int set_signals(struct job *j)
{
        struct sigaction ignore = {.sa_handler = SIG_IGN};
        sigset_t none;

        if (job_flag(j, PLAN_FLAG_IGNORE_SIGPIPE))
                (void)sigaction(SIGPIPE, &ignore, NULL);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        return 0;
}

/* In this order. Each returns 0, or negative with the failure noted. */
static int (*const steps[])(struct job *j) = {
        streams_set_up,     group_join,          attributes_scheduling,  rare_scheduling,     mounts_apply,
        set_umask,          identity_set_groups, attributes_limits,      attributes_bounding, identity_set_user,
        attributes_ambient, rare_keyring,        attributes_secure_bits, change_directory,    attributes_last,
        streams_pass_fds,   set_signals,
};

/* execve along the search path, as execvp does it: EACCES is remembered, but the search goes on. */
static int exec_search(const struct job *j, const char *name)
{
        static const char *const standard[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                               "/usr/bin",        "/sbin",          "/bin"};
        const char *directory = job_next(j, PLAN_SEARCH, NULL);
        int error = ENOENT;

        for (unsigned i = 0; directory || i < (job_has(j, PLAN_SEARCH) ? 0 : ARRAY_SIZE(standard)); i++) {
                char path[PATH_MAX];
                const char *in = directory ? directory : standard[i];

                if ((size_t)snprintf(path, sizeof(path), "%s/%s", in, name) < sizeof(path))
                        (void)execve(path, j->argv.v, j->environment.v);
                if (errno == EACCES)
                        error = EACCES;
                else if (errno != ENOENT && errno != ENOTDIR)
                        return errno;
                if (directory)
                        directory = job_next(j, PLAN_SEARCH, directory);
        }
        return error;
}

static _Noreturn void exec_command(struct job *j)
{
        const char *path = job_string(j, PLAN_PATH);
        int error;

        j->stage = STAGE_EXEC;
        if (path[0] == '/') {
                (void)execve(path, j->argv.v, j->environment.v);
                error = errno;
        } else {
                error = exec_search(j, path);
        }
        (void)job_fail(j, PLAN_STEP_EXEC, error, EXIT_CODE_EXEC);
        _exit(EXIT_CODE_EXEC);
}

/* A check or a clean-up runs on without exec: what exec would have closed is closed here. */
static _Noreturn void own_work(struct job *j)
{
        (void)close(j->launcher->bell_fd);
        (void)close(j->launcher->plans_fd);
        (void)close(j->launcher->life_fd);
        (void)set_signals(j);
        if (j->kind == PLAN_CHECK)
                _exit(conditions_run(j));
        if (j->kind == PLAN_CLEANUP)
                cleanup_run(j);
        _exit(EXIT_SUCCESS);
}

void service_run(struct job *j)
{
        bool own_session = job_word(j, PLAN_INPUT, 0, INPUT_NULL) >= INPUT_TTY &&
                           job_word(j, PLAN_INPUT, 0, INPUT_NULL) <= INPUT_TTY_FAIL;
        pid_t pid = getpid();

        if (!service_store_pid(j, pid))
                _exit(EXIT_SUCCESS);
        j->born_after = clock_boottime_ns();
        j->stage = STAGE_RUNNING;
        if (j->failure.step != PLAN_STEP_NONE)
                _exit(j->failure.exit_code);
        if (own_session)
                (void)setsid();
        else
                (void)setpgid(0, 0);
        if (j->kind != PLAN_COMMAND)
                own_work(j);
        variables_finish(j, pid);
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
                if (steps[i](j) < 0)
                        _exit(j->failure.exit_code);
        exec_command(j);
}
