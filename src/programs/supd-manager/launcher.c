/* SPDX-License-Identifier: MIT
 *
 * The launcher process: started, its death, and which file it is. What is said to it stands in launch.c.
 *
 * The installed one is taken as long as it speaks our protocol (abi/launch.h). One that does not says so by its exit
 * status before it has taken any plan; then the last one that did is executed from an fd that the keeper has kept: so a
 * manager that was fallen back to need not start services by plans that the next version's launcher reads otherwise.
 * Invariant: a launcher is kept only once a start has come to its end by it.
 */
#include "manager.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdalign.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "abi/launch.h"
#include "handover/handover.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)
#define KEPT_FD  "launcher-" TEXT(LAUNCH_PROTOCOL)

/* Its protocol is not ours, or it cannot even be executed. */
static bool cannot_be_used(int status)
{
        return WIFEXITED(status) && (WEXITSTATUS(status) == LAUNCH_EXIT_PROTOCOL || WEXITSTATUS(status) == 127);
}

/* Which of its starts still happen is known only when its processes are gone: see abi/handover.h. */
static _Noreturn void launcher_ended(struct manager *m, int status)
{
        if (cannot_be_used(status)) {
                bool kept = handover_inherited(state_map(m->state), KEPT_FD) >= 0 &&
                            atomic_load(&m->header->launcher_kept) == 0;
                log_line(m, NULL, "the launcher that is installed %s%s",
                         WEXITSTATUS(status) == 127 ? "cannot be run" : "speaks another protocol",
                         kept ? "; taking the last one that worked" : "");
                atomic_store(&m->header->launcher_kept, kept);
        }
        log_line(m, NULL, "the launcher ended (%s %d); starting over from the durable state",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        _exit(13);
}

/* It has hung up; how it ended is known in a moment. */
static _Noreturn void launcher_gone(struct manager *m)
{
        const struct timespec moment = {.tv_nsec = 1000 * 1000};
        int status;

        for (int i = 0; i < 20; i++) {
                if (waitpid(m->launcher_pid, &status, WNOHANG) > 0)
                        launcher_ended(m, status);
                (void)nanosleep(&moment, NULL);
        }
        log_line(m, NULL, "the launcher is gone; starting over from the durable state");
        _exit(13);
}

static void plans_ready(struct manager *m, struct source *s unused_, uint32_t events)
{
        if (events & (EPOLLHUP | EPOLLERR))
                launcher_gone(m);
        (void)loop_change(m, m->plans_source, 0);
        for (uint32_t i = 0; i < m->n_runs; i++)
                if (m->runs[i]->d.main.flags & PROCESS_LAUNCHING || m->runs[i]->d.control.flags & PROCESS_LAUNCHING)
                        launch_send(m, m->runs[i]);
}

/* What the child needs until its exec: ours, while we go on. */
static struct {
        char path[4096], fds[96];
        int inherited[4], kept; /* kept: the one to be executed rather than what is installed; -1 = none */
        alignas(16) char stack[16 * 1024];
} launcher;

static int launcher_exec(void *unused unused_)
{
        static char word_self[] = "supd-exec", word_protocol[] = "--protocol=" TEXT(LAUNCH_PROTOCOL);
        char *argv[] = {word_self, launcher.fds, word_protocol, NULL};

        for (size_t i = 0; i < ARRAY_SIZE(launcher.inherited); i++)
                (void)fcntl(launcher.inherited[i], F_SETFD, 0); /* its own table: ours is not shared */
        if (launcher.kept >= 0)
                (void)syscall(SYS_execveat, launcher.kept, "", argv, environ, AT_EMPTY_PATH);
        else
                (void)execv(launcher.path, argv);
        _exit(127);
}

/* As vfork(), with a stack of its own, so that units are read while it executes: a third of a millisecond of the start
 * of the first service. clone(2): the child shares our memory until its exec; it writes to nothing but its stack. */
static pid_t spawn_launcher(void)
{
        return clone(launcher_exec, launcher.stack + sizeof(launcher.stack), CLONE_VM | SIGCHLD, NULL);
}

/* The state is not mapped yet. */
static int kept_launcher(int state_fd)
{
        uint32_t wanted = 0;
        struct durable_fd e;

        if (pread(state_fd, &wanted, sizeof(wanted), offsetof(struct durable_header, launcher_kept)) !=
                    (ssize_t)sizeof(wanted) ||
            wanted == 0)
                return -1;
        for (uint32_t i = 0; i < DURABLE_MAX_FDS; i++)
                if (pread(state_fd, &e, sizeof(e), (off_t)(DURABLE_FDS + i * sizeof(e))) == (ssize_t)sizeof(e) &&
                    atomic_load(&e.fd) > 0 && strncmp(e.name, KEPT_FD, sizeof(e.name)) == 0)
                        return atomic_load(&e.fd);
        return -1;
}

/* A start has come to its end by the launcher that is installed: it works. */
void launcher_keep(struct manager *m)
{
        int kept = handover_inherited(state_map(m->state), KEPT_FD);
        cleanup_close_ int fd = take_fd(&m->launcher_file);
        struct stat a, b;

        if (fd >= 0 &&
            (kept < 0 || fstat(kept, &a) < 0 || fstat(fd, &b) < 0 || a.st_ino != b.st_ino || a.st_dev != b.st_dev))
                keeper_store(m, KEPT_FD, fd);
}

int launch_start(struct manager *m)
{
        cleanup_close_ int theirs = -1;
        const char *dir = getenv("SUPD_LIBEXEC_DIR");
        int pair[2], size = 4 * 1024 * 1024;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        m->plans_fd = pair[0];
        theirs = pair[1];
        (void)setsockopt(m->plans_fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
        (void)snprintf(launcher.path, sizeof(launcher.path), "%s/supd-exec", dir ? dir : SUPD_LIBEXECDIR);
        (void)snprintf(launcher.fds, sizeof(launcher.fds), "--fds=%d,%d,%d,%d", m->state_fd, m->bell_fd, theirs,
                       m->life_fd);
        launcher.inherited[0] = m->state_fd;
        launcher.inherited[1] = m->bell_fd;
        launcher.inherited[2] = theirs;
        launcher.inherited[3] = m->life_fd;
        launcher.kept = kept_launcher(m->state_fd);
        m->launcher_file = launcher.kept >= 0 ? -1 : open(launcher.path, O_PATH | O_CLOEXEC);
        pid = spawn_launcher();
        if (pid < 0)
                return -errno;
        m->launcher_pid = pid;
        return loop_add(m, m->plans_fd, 0, plans_ready, NULL, &m->plans_source);
}

void launch_child(struct manager *m)
{
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
                if (pid == m->generators.pid)
                        generators_ended(m);
                if (pid == m->file_states.pid)
                        file_states_ended(m, status);
                if (pid == m->upgrade.pid)
                        upgrade_checked(m, status);
                if (pid == m->launcher_pid)
                        launcher_ended(m, status);
        }
}
