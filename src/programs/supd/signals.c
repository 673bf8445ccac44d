/* SPDX-License-Identifier: MIT
 *
 * Signals as a table per form. A request is a bit in the durable state and a ring of the bell; what it leads to is the
 * manager's business.
 *
 * Invariant: no signal that can be blocked ends the keeper.
 */
#include <stdio.h>
#include <sys/signalfd.h>

#include "keeper.h"

/* SIGRTMIN as the rest of the world counts it: libcs disagree (glibc 34, musl 35), container engines send 34+3. */
#define SIGNAL_RT(n) (34 + (n))

static const struct signal_row {
        int signo;
        uint32_t request[N_FORMS]; /* 0 = ignored */
} rows[] = {
        {SIGTERM,
         {[FORM_SUPERVISOR] = DURABLE_REQUEST_STOP,
          [FORM_CONTAINER] = DURABLE_REQUEST_STOP,
          [FORM_MACHINE] = DURABLE_REQUEST_REEXEC}}, /* as systemd takes it */
        {SIGINT,
         {[FORM_SUPERVISOR] = DURABLE_REQUEST_STOP,
          [FORM_CONTAINER] = DURABLE_REQUEST_STOP,
          [FORM_MACHINE] = DURABLE_REQUEST_REBOOT}}, /* the kernel sends it for Ctrl-Alt-Del */
        {SIGHUP,
         {[FORM_SUPERVISOR] = DURABLE_REQUEST_RELOAD,
          [FORM_CONTAINER] = DURABLE_REQUEST_RELOAD,
          [FORM_MACHINE] = DURABLE_REQUEST_RELOAD}},
        {SIGPWR,
         {[FORM_SUPERVISOR] = 0, [FORM_CONTAINER] = DURABLE_REQUEST_POWER, [FORM_MACHINE] = DURABLE_REQUEST_POWER}},
        {SIGNAL_RT(0), {[FORM_MACHINE] = DURABLE_REQUEST_ISOLATE_DEFAULT}},
        {SIGNAL_RT(1), {[FORM_MACHINE] = DURABLE_REQUEST_ISOLATE_RESCUE}},
        {SIGNAL_RT(2), {[FORM_MACHINE] = DURABLE_REQUEST_ISOLATE_EMERGENCY}},
        {SIGNAL_RT(3),
         {[FORM_SUPERVISOR] = 0, [FORM_CONTAINER] = DURABLE_REQUEST_POWER, [FORM_MACHINE] = DURABLE_REQUEST_HALT}},
        {SIGNAL_RT(4),
         {[FORM_SUPERVISOR] = 0, [FORM_CONTAINER] = DURABLE_REQUEST_POWER, [FORM_MACHINE] = DURABLE_REQUEST_POWER}},
        {SIGNAL_RT(5),
         {[FORM_SUPERVISOR] = 0, [FORM_CONTAINER] = DURABLE_REQUEST_REBOOT, [FORM_MACHINE] = DURABLE_REQUEST_REBOOT}},
        {SIGNAL_RT(25),
         {[FORM_SUPERVISOR] = DURABLE_REQUEST_REEXEC,
          [FORM_CONTAINER] = DURABLE_REQUEST_REEXEC,
          [FORM_MACHINE] = DURABLE_REQUEST_REEXEC}},
        {SIGNAL_RT(6), {[FORM_MACHINE] = DURABLE_REQUEST_KEXEC}},
        {SIGNAL_RT(13), {[FORM_MACHINE] = DURABLE_REQUEST_FORCE | DURABLE_REQUEST_HALT}},
        {SIGNAL_RT(14), {[FORM_MACHINE] = DURABLE_REQUEST_FORCE | DURABLE_REQUEST_POWER}},
        {SIGNAL_RT(15), {[FORM_MACHINE] = DURABLE_REQUEST_FORCE | DURABLE_REQUEST_REBOOT}},
        {SIGNAL_RT(16), {[FORM_MACHINE] = DURABLE_REQUEST_FORCE | DURABLE_REQUEST_KEXEC}},
};

/* Somebody at the keyboard insists: then nothing is asked of the manager any more (CtrlAltDelBurstAction= of systemd).
 */
#define INSIST_TIMES  7
#define INSIST_WITHIN (2 * USEC_PER_SEC)

static void insisted(struct keeper *k)
{
        uint64_t now = now_us();

        if (k->form != FORM_MACHINE)
                return;
        if (now - k->insist_us > INSIST_WITHIN) {
                k->insist_us = now;
                k->insist_times = 0;
        }
        if (++k->insist_times <= INSIST_TIMES || k->insisted)
                return;
        say("Ctrl-Alt-Del more than %d times within 2 s: rebooting without stopping services", INSIST_TIMES);
        k->insisted = true;
}

int signals_open(struct keeper *k)
{
        /* Children that merely stop are none of our business. An inherited SIG_IGN would swallow exit statuses. */
        struct sigaction child = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};
        sigset_t all;

        (void)sigfillset(&all);
        (void)sigdelset(&all, SIGTSTP); /* ^Z on a supd in the foreground of a shell; its services go on */
        if (sigprocmask(SIG_SETMASK, &all, &k->start_mask) < 0 || sigaction(SIGCHLD, &child, NULL) < 0)
                return -errno;
        k->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
        if (k->signal_fd >= 0)
                return 0;
        say("cannot create a signalfd: %s", strerror(errno));
        return -errno;
}

/* A request that has been made already is made only once while everything is stopping. */
void signals_request(struct keeper *k, uint32_t bits)
{
        if ((bits & DURABLE_REQUESTS_ENDING) && (k->asked & bits) == bits)
                return;
        if ((bits & DURABLE_REQUESTS_ENDING) && k->asked_us == 0)
                k->asked_us = now_us();
        k->asked |= bits;
        atomic_fetch_or(&k->header->requests, bits);
        k->bell_due = true;
        bell_ring(k);
}

static void signal_take(struct keeper *k, const struct signalfd_siginfo *s)
{
        if (s->ssi_signo == SIGCHLD) {
                k->reap_more = true;
                reap_pid(k, (pid_t)s->ssi_pid);
                return;
        }
        if (s->ssi_signo == SIGINT)
                insisted(k);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].signo == (int)s->ssi_signo && rows[i].request[k->form] != 0)
                        signals_request(k, rows[i].request[k->form]);
}

bool signals_read(struct keeper *k)
{
        struct signalfd_siginfo s[16];
        ssize_t n = read(k->signal_fd, s, sizeof(s));

        for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(s[0]); i++)
                signal_take(k, &s[i]);
        return n == (ssize_t)sizeof(s);
}
