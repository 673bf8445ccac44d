/* SPDX-License-Identifier: MIT
 *
 * The manager's life: started, found dead, found hanging, started again, for ever.
 *
 *     ABSENT --start_at--> RUNNING --exit--> DRAINING --life pipe at end-of-file--> ABSENT
 *
 * Not here: reaping (reap.c tells manager_died()). Invariants: never two managers; none starts while a process on its
 * way to exec (a holder of the life pipe) of the one before may still come through; the keeper never gives up and
 * never waits: the manager is forked, not vforked, so that an exec that hangs hangs in the child.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "keeper.h"

#define BACKOFF_FIRST   (10 * USEC_PER_MSEC)
#define BACKOFF_MAX     (5 * USEC_PER_SEC)
#define HEALTHY_LONG    (1 * USEC_PER_SEC) /* this long and it counts as the first death again */
#define HEALTHY_DEATHS  2                  /* one that was healthy never waits for longer than after this many */
#define HANG_AFTER      (10 * USEC_PER_SEC)
#define ABORT_GRACE     (1 * USEC_PER_SEC)
#define STRAGGLER_AFTER (2 * USEC_PER_SEC)
#define STRAGGLER_AGAIN (200 * USEC_PER_MSEC)
#define FOREIGN_AGAIN   (10 * USEC_PER_MSEC)
#define STRAGGLER_UNTIL (4 * USEC_PER_SEC) /* then all holders have a SIGKILL pending and cannot exec any more */

int manager_prepare(struct keeper *k)
{
        struct manager *m = &k->manager;
        const char *dir = getenv("SUPD_LIBEXEC_DIR");

        m->life_fd = m->proc_fd = -1;
        binaries_init(m);
        m->phase = MANAGER_ABSENT;
        (void)snprintf(m->path, sizeof(m->path), "%s/supd-manager", dir && *dir ? dir : SUPD_LIBEXECDIR);
        k->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (k->bell_fd < 0) {
                say("cannot create an eventfd: %s", strerror(errno));
                return -errno;
        }
        if (access(m->path, X_OK) < 0) {
                say("cannot run %s: %s; install it, or point SUPD_LIBEXEC_DIR to where it is", m->path,
                    strerror(errno));
                return -errno;
        }
        return 0;
}

static void inherit(int fd)
{
        (void)fcntl(fd, F_SETFD, 0);
}

/* What is ignored stays ignored over exec; the manager minds SIGCHLD only, and the launcher puts all right for
 * services. */
static void child_signals(void)
{
        struct sigaction dfl = {.sa_handler = SIG_DFL};
        sigset_t none;

        (void)sigaction(SIGCHLD, &dfl, NULL);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child. Returns only when nothing could be executed. */
static void child_exec(struct keeper *k, int life)
{
        struct manager *m = &k->manager;
        static char word_self[] = "supd-manager", word_user[] = "--user", word_system[] = "--system",
                    word_dir[] = "--runtime-dir";
        char fds[64], *argv[KEEPER_MAX_WORDS + 8];
        unsigned n = 0;

        (void)snprintf(fds, sizeof(fds), "--fds=%d,%d,%d,%d", k->state_fd, k->bell_fd, k->manager_socket_fd, life);
        argv[n++] = word_self;
        argv[n++] = fds;
        for (unsigned i = 0; i < k->options.n_words; i++)
                argv[n++] = k->options.words[i];
        if (!k->options.mode_given)
                argv[n++] = k->options.user ? word_user : word_system;
        if (!k->options.runtime_dir_given) {
                argv[n++] = word_dir;
                argv[n++] = k->options.runtime_dir;
        }
        argv[n] = NULL;
        inherit(k->state_fd);
        inherit(k->bell_fd);
        inherit(k->manager_socket_fd);
        inherit(life);
        store_close_on_exec(k, false);
        (void)setrlimit(RLIMIT_NOFILE, &k->start_nofile);
        child_signals();
        if (!m->binaries.older) {
                (void)execve(m->path, argv, environ);
                say("cannot run %s: %s%s", m->path, strerror(errno),
                    binary_older_fd(m) >= 0 ? "; falling back to the last manager that worked" : "");
        }
        atomic_store(&k->header->manager_binary, DURABLE_BINARY_OLDER);
        if (binary_older_fd(m) >= 0)
                (void)syscall(SYS_execveat, binary_older_fd(m), "", argv, environ, AT_EMPTY_PATH);
}

static int life_open(struct manager *m, int *ret_write)
{
        struct stat st;
        int p[2];

        if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        (void)fcntl(p[1], F_SETFL, 0);
        m->life_ino = fstat(p[0], &st) == 0 ? st.st_ino : 0;
        m->life_fd = p[0];
        *ret_write = p[1];
        return 0;
}

static uint64_t backoff(unsigned failures)
{
        uint64_t us = BACKOFF_FIRST;

        if (failures == 0)
                return 0;
        for (unsigned i = 1; i < failures && us < BACKOFF_MAX; i++)
                us *= 2;
        return MIN2(us, BACKOFF_MAX);
}

static void start_failed(struct keeper *k, uint64_t now, int error)
{
        close_fd_p(&k->manager.life_fd);
        k->manager.start_at_us = now + backoff(++k->manager.failures);
        say("cannot start the manager: %s; trying again", strerror(error));
}

/* HANG_AFTER from now, unless there is progress. */
static void hang_arm(struct keeper *k, uint64_t now)
{
        k->manager.hang_tail = atomic_load(&k->header->ring_tail);
        k->manager.hang_beat = atomic_load(&k->header->beat);
        k->manager.hang_at_us = now + HANG_AFTER;
}

static void manager_start(struct keeper *k, uint64_t now)
{
        struct manager *m = &k->manager;
        cleanup_close_ int life = -1;
        pid_t pid;
        int r = life_open(m, &life);

        store_drain(k);
        if (r < 0) {
                start_failed(k, now, -r);
                return;
        }
        binary_choose(k);
        atomic_store(&k->header->manager_healthy, 0);
        atomic_store(&k->header->life_ino, m->life_ino);
        pid = fork();
        if (pid == 0) {
                child_exec(k, life);
                _exit(127);
        }
        if (pid < 0) {
                start_failed(k, now, errno);
                return;
        }
        m->pid = pid;
        m->phase = MANAGER_RUNNING;
        m->started_us = now;
        m->aborted = false;
        hang_arm(k, now); /* it rings when it supervises: then there is nothing to wake up for */
        atomic_store(&k->header->manager_pid, (uint32_t)pid);
        atomic_store(&k->header->manager_started_us, boottime_us());
        atomic_fetch_add(&k->header->manager_starts, 1);
}

static void say_death(pid_t pid, int code, int status, bool done)
{
        if (code != CLD_EXITED)
                say("manager (pid %d) was killed by signal %d (%s)%s", (int)pid, status, strsignal(status),
                    code == CLD_DUMPED ? ", core dumped" : "");
        else if (!done)
                say("manager (pid %d) exited with status %d", (int)pid, status);
}

void manager_died(struct keeper *k, int code, int status)
{
        struct manager *m = &k->manager;
        bool healthy = atomic_load(&k->header->manager_healthy) == 1;
        bool asked = code == CLD_EXITED && status == HANDOVER_EXIT_REEXEC && healthy;
        bool done = asked || atomic_load(&k->header->outcome) != DURABLE_OUTCOME_NONE;

        say_death(m->pid, code, status, done);
        m->died_us = now_us();
        binary_died(k, healthy, asked, m->died_us - m->started_us);
        if (asked || (healthy && m->died_us - m->started_us > HEALTHY_LONG))
                m->failures = 0;
        m->start_at_us = m->died_us + backoff(healthy ? MIN2(m->failures, HEALTHY_DEATHS) : m->failures);
        m->failures += !asked;
        m->pid = 0;
        m->phase = MANAGER_DRAINING;
        m->straggler_at_us = m->died_us + STRAGGLER_AFTER;
        atomic_store(&k->header->manager_pid, 0);
        if (!done)
                atomic_fetch_add(&k->header->manager_deaths, 1);
}

/* Bytes in the life pipe mean nothing; end-of-file means that no holder is left. */
static bool life_ended(const struct manager *m)
{
        char bytes[64];

        for (unsigned i = 0; i < 16; i++) {
                ssize_t n = read(m->life_fd, bytes, sizeof(bytes));
                if (n <= 0)
                        return n == 0;
        }
        return false;
}

/* A keeper before us died with this life pipe open: of its manager, launcher and starts under way nobody may be left
 * before ours begins. We cannot hold the pipe's other end, so /proc is asked, again and again. */
void manager_take_over(struct keeper *k)
{
        struct manager *m = &k->manager;

        m->life_ino = (ino_t)atomic_load(&k->header->life_ino);
        if (m->life_ino == 0)
                return;
        m->phase = MANAGER_DRAINING;
        m->died_us = m->straggler_at_us = now_us();
}

/* True when none is left that holds the life pipe of a keeper before us. They are looked for, and killed when their
 * time is over. */
static bool foreign_ended(struct keeper *k, uint64_t now)
{
        struct manager *m = &k->manager;

        if (now < m->straggler_at_us)
                return false;
        if (!straggler_look(k, now - m->died_us >= STRAGGLER_AFTER))
                return false; /* there is more of /proc */
        m->straggler_at_us = now + FOREIGN_AGAIN;
        return m->n_holders == 0;
}

static void drain_step(struct keeper *k, uint64_t now)
{
        struct manager *m = &k->manager;
        bool foreign = m->life_fd < 0;
        bool ended = foreign ? foreign_ended(k, now) : life_ended(m);

        if (!ended && now < m->straggler_at_us)
                return;
        if (!ended && now - m->died_us < STRAGGLER_UNTIL) {
                if (!foreign && straggler_look(k, true))
                        m->straggler_at_us = now + STRAGGLER_AGAIN;
                return;
        }
        if (!ended)
                say("a start of the dead manager does not end though it was killed; going on without waiting");
        close_fd_p(&m->life_fd);
        close_fd_p(&m->proc_fd);
        m->phase = MANAGER_ABSENT;
}

/* A manager has HANG_AFTER since its last progress: while it starts, to read one more unit; then, where there is
 * something to take note of (exits in the ring, requests), to do so. */
static void hang_step(struct keeper *k, uint64_t now)
{
        struct manager *m = &k->manager;
        uint32_t tail = atomic_load(&k->header->ring_tail), beat = atomic_load(&k->header->beat);
        bool starting = atomic_load(&k->header->manager_healthy) == 0;
        bool waiting = starting || tail != atomic_load(&k->header->ring_head) || atomic_load(&k->header->requests) != 0;

        if (m->aborted) {
                if (now < m->hang_at_us)
                        return;
                (void)kill(m->pid, SIGKILL);
                m->hang_at_us = now + ABORT_GRACE; /* who sleeps where no signal comes through dies later */
                return;
        }
        if (!waiting) {
                m->hang_at_us = 0;
                return;
        }
        if (m->hang_at_us == 0 || tail != m->hang_tail || beat != m->hang_beat)
                hang_arm(k, now);
        if (now < m->hang_at_us)
                return;
        say(starting ? "manager (pid %d) has not got on with its start for %u s; aborting it"
                     : "manager (pid %d) has not looked at an exit or a request for %u s; aborting it",
            (int)m->pid, (unsigned)(HANG_AFTER / USEC_PER_SEC));
        (void)kill(m->pid, SIGABRT);
        m->aborted = true;
        m->hang_at_us = now + ABORT_GRACE;
}

void manager_step(struct keeper *k, uint64_t now)
{
        switch (k->manager.phase) {
        case MANAGER_DRAINING:
                drain_step(k, now);
                if (k->manager.phase == MANAGER_DRAINING)
                        break;
                /* fall through */
        case MANAGER_ABSENT:
                if (now >= k->manager.start_at_us)
                        manager_start(k, now);
                break;
        case MANAGER_RUNNING:
                hang_step(k, now);
                break;
        }
}

uint64_t manager_deadline(const struct keeper *k)
{
        const struct manager *m = &k->manager;

        switch (m->phase) {
        case MANAGER_ABSENT:
                return m->start_at_us;
        case MANAGER_DRAINING:
                return m->straggler_at_us;
        case MANAGER_RUNNING:
                break;
        }
        return m->hang_at_us ? m->hang_at_us : USEC_NEVER;
}
