/* SPDX-License-Identifier: MIT
 *
 * The floor: what the kernel alone takes for the work that a supervisor does. As bare as it can be: no configuration,
 * no record, no log; vfork and exec, waitpid, kill.
 *
 *   bench-floor start FILE N -- PROGRAM      start PROGRAM FILE 0 … N-1; after SIGTERM end and reap them all, exit
 *   bench-floor restart FILE -- PROGRAM      keep PROGRAM FILE 0 running: waitpid, vfork, exec; ends with SIGTERM
 *   bench-floor stamp FILE SLOT -- COMMAND…  write the time into SLOT of FILE and become COMMAND
 *   bench-floor time ROUNDS -- A… -- B…      run A and B in turns and print the ns of each: "A-ns B-ns" a line
 *
 * Not here: judging, medians, printing for people (bench.py). Invariant: nothing is done in a measured stretch that is
 * not needed for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { MAX_SERVICES = 20000 };

static pid_t pids[MAX_SERVICES];
static unsigned n_pids;
static volatile sig_atomic_t ending;

static _Noreturn void die(const char *what)
{
        (void)fprintf(stderr, "bench-floor: %s: %s\n", what, strerror(errno));
        exit(1);
}

static void on_term(int signo)
{
        (void)signo;
        ending = 1;
}

/* SIGTERM is blocked but while we wait for it. */
static void catch_term(sigset_t *ret_unblocked)
{
        struct sigaction a = {.sa_handler = on_term};
        sigset_t term;

        (void)sigemptyset(&term);
        (void)sigaddset(&term, SIGTERM);
        if (sigaction(SIGTERM, &a, NULL) < 0 || sigprocmask(SIG_BLOCK, &term, ret_unblocked) < 0)
                die("signals");
}

static pid_t start(char **argv, const sigset_t *mask)
{
        static char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
        pid_t pid = vfork();

        if (pid == 0) {
                (void)sigprocmask(SIG_SETMASK, mask, NULL);
                (void)execve(argv[0], argv, environment);
                _exit(127);
        }
        if (pid < 0)
                die("vfork");
        return pid;
}

static int do_start(char **arguments)
{
        char number[16], *argv[] = {arguments[3], arguments[0], number, NULL};
        unsigned n = (unsigned)strtoul(arguments[1], NULL, 10);
        sigset_t mask;

        if (n > MAX_SERVICES)
                return 2;
        catch_term(&mask);
        for (unsigned i = 0; i < n; i++) {
                (void)snprintf(number, sizeof(number), "%u", i);
                pids[n_pids++] = start(argv, &mask);
        }
        while (!ending)
                (void)sigsuspend(&mask);
        for (unsigned i = 0; i < n_pids; i++)
                (void)kill(pids[i], SIGTERM);
        while (n_pids > 0 && waitpid(-1, NULL, 0) > 0)
                n_pids--;
        return 0;
}

static int do_restart(char **arguments)
{
        char number[] = "0", *argv[] = {arguments[2], arguments[0], number, NULL};
        struct sigaction a = {.sa_handler = on_term};
        sigset_t none;
        pid_t pid = 0;

        (void)sigemptyset(&none);
        (void)sigaction(SIGTERM, &a, NULL); /* no SA_RESTART: waitpid is interrupted */
        while (!ending) {
                pid = start(argv, &none);
                if (waitpid(pid, NULL, 0) == pid)
                        pid = 0;
        }
        if (pid > 0) {
                (void)kill(pid, SIGKILL);
                (void)waitpid(pid, NULL, 0);
        }
        return 0;
}

static int do_stamp(char **arguments)
{
        struct bench_slot slot = {.pid = (uint32_t)getpid()};
        int fd = open(arguments[0], O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                die(arguments[0]);
        slot.first_ns = bench_now();
        if (pwrite(fd, &slot, sizeof(slot), (off_t)(strtoul(arguments[1], NULL, 10) * sizeof(slot))) < 0)
                die(arguments[0]);
        (void)execv(arguments[3], arguments + 3);
        die(arguments[3]);
}

static uint64_t time_of(char **argv)
{
        extern char **environ;
        uint64_t from = bench_now();
        pid_t pid = vfork();
        int status = 0;

        if (pid == 0) {
                (void)execve(argv[0], argv, environ);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
                die(argv[0]);
        return bench_now() - from;
}

static int do_time(char **arguments)
{
        unsigned rounds = (unsigned)strtoul(arguments[0], NULL, 10);
        char **a = arguments + 2, **b = a;
        int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        while (*b && strcmp(*b, "--") != 0)
                b++;
        if (!*b || !b[1])
                return 2;
        *b++ = NULL;
        if (out < 0 || null < 0 || dup2(null, STDOUT_FILENO) < 0)
                die("/dev/null");
        for (unsigned i = 0; i < rounds; i++) {
                uint64_t first = time_of(i % 2 ? b : a), second = time_of(i % 2 ? a : b);

                (void)dprintf(out, "%llu %llu\n", (unsigned long long)(i % 2 ? second : first),
                              (unsigned long long)(i % 2 ? first : second));
        }
        return 0;
}

static const struct mode {
        const char *name;
        int least, dashes_at; /* words behind the mode; which of them must be "--" */
        int (*run)(char **arguments);
} modes[] = {
        {"start", 4, 2, do_start},
        {"restart", 3, 1, do_restart},
        {"stamp", 4, 2, do_stamp},
        {"time", 4, 1, do_time},
};

int main(int argc, char **argv)
{
        for (unsigned i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
                if (strcmp(argv[1], modes[i].name) == 0 && argc - 2 >= modes[i].least &&
                    strcmp(argv[2 + modes[i].dashes_at], "--") == 0)
                        return modes[i].run(argv + 2);
        (void)fprintf(stderr, "usage: bench-floor start FILE N -- PROGRAM | restart FILE -- PROGRAM | "
                              "stamp FILE SLOT -- COMMAND… | time ROUNDS -- A… -- B…\n");
        return 2;
}
