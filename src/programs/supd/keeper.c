/* SPDX-License-Identifier: MIT
 *
 * supd, the keeper: start-up and the loop.
 *
 * Not here: any concern of its own (keeper.h lists where they live). Invariant: one ppoll, then one bounded turn; the
 * loop ends only when everything was asked to end and has ended.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "keeper.h"

#define READY_TICK     (50 * USEC_PER_MSEC) /* only with --daemon, until the manager is healthy */
#define BELL_AGAIN     (50 * USEC_PER_MSEC) /* the manager's bell could not be rung */
#define READY_FAIL     5                    /* with --daemon: managers that died before the first was healthy */
#define OWN_STOP_FAIL  5 /* managers that died after a request to stop: then the keeper stops things itself */
#define OWN_STOP_GRACE (10 * USEC_PER_SEC)

static struct keeper keeper = {.dir_fd = -1,
                               .state_fd = -1,
                               .signal_fd = -1,
                               .bell_fd = -1,
                               .socket_fd = -1,
                               .manager_socket_fd = -1,
                               .ready_fd = -1,
                               .self = {.fd = -1},
                               .reexec = {.file = -1, .handoff = -1}};

static void nofile_raise(struct keeper *k)
{
        struct rlimit all;

        if (getrlimit(RLIMIT_NOFILE, &k->start_nofile) < 0)
                return;
        all = (struct rlimit){.rlim_cur = k->start_nofile.rlim_max, .rlim_max = k->start_nofile.rlim_max};
        (void)setrlimit(RLIMIT_NOFILE, &all);
}

/* --daemon: the caller waits here for one byte (supervision runs) or end-of-file (it never will). */
static int daemon_fork(struct keeper *k)
{
        char byte;
        int p[2];
        pid_t pid;

        if (pipe2(p, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
                say("cannot detach: %s", strerror(errno));
                return -errno;
        }
        if (pid > 0) {
                (void)close(p[1]);
                _exit(read(p[0], &byte, 1) == 1 ? 0 : 1);
        }
        (void)close(p[0]);
        (void)setsid();
        k->ready_fd = p[1];
        return 0;
}

static void daemon_detach(struct keeper *k)
{
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        for (int fd = 0; null >= 0 && fd <= 2; fd++)
                (void)dup2(null, fd);
        close_fd_p(&null);
        if (write(k->ready_fd, "1", 1) == 1)
                close_fd_p(&k->ready_fd);
}

/* True: the caller of --daemon is to be told that it failed. */
static bool daemon_step(struct keeper *k)
{
        if (k->ready_fd < 0)
                return false;
        if (atomic_load(&k->header->manager_healthy) == 1)
                daemon_detach(k);
        return k->ready_fd >= 0 && k->manager.failures >= READY_FAIL;
}

static void slots_signal(struct keeper *k, int signo)
{
        uint32_t n = MIN2(atomic_load(&k->header->n_slots), DURABLE_MAX_SLOTS);

        for (uint32_t i = 0; i < n; i++) {
                uint32_t pid = atomic_load(&durable_pids(k->map)[i]);
                if (pid > 1 && pid <= INT32_MAX)
                        (void)kill((pid_t)pid, signo);
        }
}

/* Asked to stop, but no manager lives long enough to do it: the keeper ends the services itself. True when done. */
static bool own_stop_step(struct keeper *k, uint64_t now)
{
        if (k->asked_us == 0 || k->manager.failures < OWN_STOP_FAIL || k->manager.phase == MANAGER_RUNNING)
                return false;
        if (k->own_stop == 0 || (k->own_stop == 1 && now >= k->own_stop_us)) {
                k->own_stop++;
                k->own_stop_us = now + OWN_STOP_GRACE;
                say("no manager can stop the services; sending them %s", k->own_stop == 1 ? "SIGTERM" : "SIGKILL");
                slots_signal(k, k->own_stop == 1 ? SIGTERM : SIGKILL);
        }
        for (uint32_t i = 0; i < MIN2(atomic_load(&k->header->n_slots), DURABLE_MAX_SLOTS); i++)
                if (atomic_load(&durable_pids(k->map)[i]) != 0)
                        return k->own_stop == 2 && now >= k->own_stop_us;
        return true;
}

/* The turn's verdict: -1 = go on, else supd's exit status. */
static int end_step(struct keeper *k, uint64_t now)
{
        uint32_t outcome = atomic_load(&k->header->outcome);

        if (daemon_step(k) || k->insisted)
                return 1;
        if (k->manager.phase != MANAGER_RUNNING && outcome != DURABLE_OUTCOME_NONE)
                return atomic_load(&k->header->outcome_status) & 0xff;
        return own_stop_step(k, now) ? 1 : -1;
}

static uint64_t next_deadline(const struct keeper *k)
{
        uint64_t at = manager_deadline(k);

        if (k->lost_us > 0)
                return lost_deadline(k, now_us());
        at = MIN2(at, reexec_deadline(k));
        if (k->ready_fd >= 0)
                at = MIN2(at, now_us() + READY_TICK);
        if (k->ring_short)
                at = MIN2(at, k->ring_retry_us);
        if (k->bell_due)
                at = MIN2(at, now_us() + BELL_AGAIN);
        if (k->own_stop > 0)
                at = MIN2(at, k->own_stop_us);
        return at;
}

static void wait_for_work(struct keeper *k, bool more, struct pollfd *p, nfds_t n)
{
        uint64_t at = more ? 0 : next_deadline(k), now = at == USEC_NEVER || at == 0 ? 0 : now_us();
        uint64_t us = at > now ? at - now : 0;
        struct timespec t = {.tv_sec = (time_t)(us / USEC_PER_SEC), .tv_nsec = (long)(us % USEC_PER_SEC) * 1000};

        if (ppoll(p, n, at == USEC_NEVER ? NULL : &t, NULL) < 0)
                for (nfds_t i = 0; i < n; i++)
                        p[i].revents = 0;
}

static int loop(struct keeper *k)
{
        bool more = true;

        for (;;) {
                struct pollfd p[] = {
                        {.fd = k->signal_fd, .events = POLLIN},
                        {.fd = k->socket_fd, .events = POLLIN},
                        {.fd = k->manager.phase == MANAGER_DRAINING ? k->manager.life_fd : -1, .events = POLLIN},
                };
                uint64_t now;
                int r;

                wait_for_work(k, more, p, ARRAY_SIZE(p));
                more = (p[0].revents & POLLIN) && signals_read(k);
                if (k->reap_more || k->ring_short)
                        reap_batch(k);
                if (k->bell_due)
                        bell_ring(k);
                if (p[1].revents & POLLIN)
                        more |= store_read(k);
                now = now_us();
                if (lost_step(k, now, &r)) {
                        if (r >= 0)
                                return r;
                        more = k->reap_more;
                        continue;
                }
                r = end_step(k, now);
                if (r >= 0)
                        return r;
                manager_step(k, now);
                reexec_step(k, now);
                more |= k->reap_more || k->manager.proc_fd >= 0;
        }
}

/* What is dead already is reaped, what lives is left to the next init (or, as PID 1, to the kernel). */
static void finish(struct keeper *k)
{
        siginfo_t info;

        for (unsigned i = 0; i < 1u << 20; i++) {
                info.si_pid = 0;
                if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
                        break;
        }
        state_unlink(k);
        machine_end(k);
}

static int supervise(struct keeper *k)
{
        int status;

        if (k->options.handoff >= 0) {
                reexec_take_over(k);
        } else {
                if (k->options.daemon && daemon_fork(k) < 0)
                        return 1;
                if (manager_prepare(k) < 0 || state_open(k) < 0 || signals_open(k) < 0 || store_open(k) < 0)
                        return 1;
        }
        (void)signal(SIGPIPE, SIG_IGN);
        lost_watch(k);
        k->reap_more = true; /* children we may have been born with */
        status = loop(k);
        finish(k);
        return status;
}

int main(int argc, char **argv)
{
        struct keeper *k = &keeper;
        int r;

        k->form = machine_form();
        machine_prepare(k->form);
        k->form = machine_form(); /* /proc may be there only now */
        r = options_parse(&k->options, argc, argv);
        if (r != 0)
                return r > 0 ? 0 : 2;
        if (k->options.check)
                return reexec_check(k);
        reexec_init(k, argv);
        if (k->form == FORM_SUPERVISOR && prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) < 0)
                say("cannot become a subreaper: %s; daemons that fork twice will escape", strerror(errno));
        nofile_raise(k);
        return k->options.command ? command_run(k) : supervise(k);
}
