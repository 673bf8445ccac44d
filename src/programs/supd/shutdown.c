/* SPDX-License-Identifier: MIT
 *
 * The last child: supd-shutdown ends what is left, unmounts, and writes everything to disk.
 *
 * All of that may block (a dead file server, a broken disk), so it is done in a process of its own, and the keeper goes
 * on when that takes too long. Where the program cannot be run, its child does the least: what there is to be written
 * is written. Not here: reboot(2) (machine.c). Invariant: returns within SHUTDOWN_MAX, whatever the child does.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "keeper.h"

#define SHUTDOWN_MAX (60 * USEC_PER_SEC)
#define REAP_TICK    100 /* ms: a bound for a lost SIGCHLD */

static void child_run(const struct keeper *k, const char *what)
{
        const char *dir = getenv("SUPD_LIBEXEC_DIR");
        char path[PATH_MAX], word[32];
        char *argv[] = {path, word, NULL};

        (void)snprintf(path, sizeof(path), "%s/supd-shutdown", dir && *dir ? dir : SUPD_LIBEXECDIR);
        (void)snprintf(word, sizeof(word), "%s", what);
        (void)sigprocmask(SIG_SETMASK, &k->start_mask, NULL);
        (void)execve(path, argv, environ);
        say("cannot run %s: %s; nothing is unmounted", path, strerror(errno));
        sync();
        _exit(127);
}

/* Everything that has ended is reaped, supd-shutdown looks at what is left in /proc. True: PID was among it. */
static bool reap_until(pid_t pid)
{
        siginfo_t info = {0};
        bool ended = false;

        for (unsigned i = 0; i < 1u << 16; i++) {
                info.si_pid = 0;
                if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0)
                        return true; /* no child at all */
                if (info.si_pid == 0)
                        break;
                ended |= info.si_pid == pid;
        }
        return ended;
}

/* It is too late for any of them; that there are some is what matters. */
static void drain(int signal_fd)
{
        struct signalfd_siginfo s[16];

        (void)!read(signal_fd, s, sizeof(s));
}

void shutdown_run(struct keeper *k, const char *what)
{
        uint64_t until = now_us() + SHUTDOWN_MAX;
        pid_t pid = fork();

        if (pid == 0)
                child_run(k, what);
        if (pid < 0) {
                say("cannot fork: %s; nothing is unmounted", strerror(errno));
                return;
        }
        while (!reap_until(pid)) {
                struct pollfd p = {.fd = k->signal_fd, .events = POLLIN};

                if (now_us() >= until) {
                        say("unmounting takes too long; going on");
                        return;
                }
                if (poll(&p, 1, REAP_TICK) > 0)
                        drain(k->signal_fd);
        }
}
