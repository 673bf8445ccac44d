/* SPDX-License-Identifier: MIT
 *
 * `supd -- COMMAND ARG...`: one command under a small init, no manager.
 *
 * Signals are forwarded, orphans reaped, the command's exit status is ours (128+n for a signal). The command gets a
 * process group of its own, in our session; when we are in the foreground of a terminal it becomes the foreground
 * group, so ^C and ^Z reach it and not us, and a shell run that way has working job control. When the terminal stops
 * it, we stop as well, so that the shell above sees it and can continue both; where nobody is there to continue us
 * (PID 1, orphaned group) the command is continued at once.
 *
 * When the command ends, what it left behind is ended too (SIGTERM, three seconds, SIGKILL) as PID 1, where the kernel
 * would kill it anyway, only without warning. As a subreaper it is left alone, as it would be without us.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>

#include "keeper.h"

#define REAP_BOUND 256
#define END_GRACE  (3 * USEC_PER_SEC)

struct command {
        pid_t pid; /* and process group */
        int tty;   /* our controlling terminal; owned, -1 = none */
        bool ended;
        int status; /* ours */
        const sigset_t *mask;
};

static int tty_open(enum keeper_form form)
{
        int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

        if (fd >= 0 || form == FORM_SUPERVISOR || !isatty(STDIN_FILENO))
                return fd;
        /* A bare PID 1 on a terminal: make it ours, or a shell has no job control. */
        (void)setsid();
        if (ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
                return -1;
        return open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
}

static void foreground_give(const struct command *c, pid_t group)
{
        if (c->tty >= 0)
                (void)tcsetpgrp(c->tty, group); /* SIGTTOU is blocked here, so this cannot stop us */
}

static bool in_foreground(const struct command *c)
{
        return c->tty >= 0 && tcgetpgrp(c->tty) == getpgrp();
}

/* In the child: exactly what the caller of supd would have given to the command, but the process group. */
static void child_run(const struct command *c, const struct keeper *k, bool foreground)
{
        char **argv = k->options.command;

        (void)setpgid(0, 0);
        if (foreground)
                foreground_give(c, getpid());
        (void)setrlimit(RLIMIT_NOFILE, &k->start_nofile);
        (void)sigprocmask(SIG_SETMASK, &k->start_mask, NULL);
        (void)execvp(argv[0], argv);
        if (errno == ENOENT) {
                say("command not found: %s; check the spelling and PATH", argv[0]);
                _exit(127);
        }
        say("cannot run %s: %s", argv[0], strerror(errno));
        _exit(126);
}

static int command_start(struct command *c, struct keeper *k)
{
        bool foreground;

        c->tty = tty_open(k->form);
        foreground = in_foreground(c);
        c->pid = fork();
        if (c->pid == 0)
                child_run(c, k, foreground);
        if (c->pid < 0) {
                say("cannot fork: %s", strerror(errno));
                return -errno;
        }
        (void)setpgid(c->pid, c->pid);
        if (foreground)
                foreground_give(c, c->pid);
        return 0;
}

/* We are running again, or never stopped: so shall the command, in the foreground when that is where we are. */
static void command_continue(const struct command *c)
{
        if (in_foreground(c))
                foreground_give(c, c->pid);
        (void)kill(-c->pid, SIGCONT);
}

/* Stops our own group the way the command was stopped. True: that happened and we have been continued since. */
static bool stop_ourselves(void)
{
        sigset_t stop, pending;

        (void)sigemptyset(&stop);
        (void)sigaddset(&stop, SIGTSTP);
        (void)kill(0, SIGTSTP);
        (void)sigprocmask(SIG_UNBLOCK, &stop, NULL); /* here we stop, if anybody can continue us */
        (void)sigprocmask(SIG_BLOCK, &stop, NULL);
        (void)sigpending(&pending);
        return sigismember(&pending, SIGCONT) == 1;
}

static void command_stopped(const struct command *c, int signo)
{
        if (c->tty < 0)
                return;
        if (tcgetpgrp(c->tty) == c->pid)
                foreground_give(c, getpgrp());
        /* A SIGSTOP from somebody is that somebody's to undo; the terminal's stops are ours. */
        if (stop_ourselves() || signo != SIGSTOP)
                command_continue(c);
}

static void child_changed(struct command *c, const siginfo_t *info)
{
        if (info->si_pid != c->pid)
                return;
        if (info->si_code == CLD_STOPPED) {
                command_stopped(c, info->si_status);
        } else if (info->si_code != CLD_CONTINUED) {
                c->ended = true;
                c->status = info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
        }
}

/* False: no children at all. */
static bool children_look(struct command *c)
{
        for (unsigned i = 0; i < REAP_BOUND; i++) {
                siginfo_t info = {0};

                if (waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG) < 0)
                        return false;
                if (info.si_pid == 0)
                        return true;
                child_changed(c, &info);
        }
        (void)kill(getpid(), SIGCHLD); /* more: look again next turn */
        return true;
}

/* Signals that are about us and our terminal, or that would tell the command of our own faults. */
static bool forwarded(int signo)
{
        static const int own[] = {SIGCHLD, SIGTTIN, SIGTTOU, SIGPIPE};

        for (size_t i = 0; i < ARRAY_SIZE(own); i++)
                if (own[i] == signo)
                        return false;
        return true;
}

static void signal_forward(const struct command *c, int signo)
{
        if (c->ended || !forwarded(signo))
                return;
        if (signo == SIGCONT)
                command_continue(c);
        else
                (void)kill(signo == SIGTSTP ? -c->pid : c->pid, signo);
}

static bool signals_take(struct command *c, int signal_fd)
{
        struct signalfd_siginfo s[16];
        ssize_t n = read(signal_fd, s, sizeof(s));

        for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(s[0]); i++)
                signal_forward(c, (int)s[i].ssi_signo);
        return children_look(c);
}

/* As PID 1: the rest gets a chance to end. Bounded by END_GRACE. */
static void rest_end(struct command *c, int signal_fd)
{
        uint64_t end = now_us() + END_GRACE, now;

        if (kill(-1, SIGTERM) < 0)
                return;
        (void)kill(-1, SIGCONT);
        while (children_look(c) && (now = now_us()) < end) {
                struct pollfd p = {.fd = signal_fd, .events = POLLIN};

                (void)poll(&p, 1, (int)((end - now) / 1000) + 1);
                (void)signals_take(c, signal_fd);
        }
        (void)kill(-1, SIGKILL);
}

int command_run(struct keeper *k)
{
        struct sigaction child = {.sa_handler = SIG_DFL};
        struct command c = {.tty = -1};
        sigset_t all;

        (void)sigfillset(&all);
        (void)sigprocmask(SIG_SETMASK, &all, &k->start_mask);
        (void)sigaction(SIGCHLD, &child, NULL);
        k->signal_fd = signalfd(-1, &all, SFD_CLOEXEC);
        if (k->signal_fd < 0 || command_start(&c, k) < 0)
                return 125;
        while (!c.ended)
                if (!signals_take(&c, k->signal_fd))
                        break;
        if (in_foreground(&c) || (c.tty >= 0 && tcgetpgrp(c.tty) == c.pid))
                foreground_give(&c, getpgrp());
        close_fd_p(&c.tty);
        if (k->form != FORM_SUPERVISOR)
                rest_end(&c, k->signal_fd);
        machine_end(k);
        return c.status;
}
