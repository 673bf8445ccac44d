/* SPDX-License-Identifier: MIT
 *
 * A durable state that somebody has cut short or written over while it was in use: a stray `> state`, by root, since
 * nobody else may. A fault in the mapping then kills nobody here, the file gets its length back, and the next turn
 * finds that what was known is gone.
 *
 * Nobody can say any more which process belongs to which service, so the only state that is true again is the one of a
 * start: all children are ended (SIGTERM, after a while SIGKILL), and this process executes its program anew, in the
 * same process number and with nothing kept. The services that start with supd are then started, each once. Whoever
 * runs below our parent, not below us, is not touched.
 *
 * Not here: a full disk, which is an error code elsewhere (abi/durable.h). Invariant: no manager is started between the
 * loss and the new start, and nothing that the lost state holds is acted on.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "keeper.h"

#define LOOK_EACH  (100 * USEC_PER_MSEC)
#define TERM_GRACE (10 * USEC_PER_SEC)
#define KILL_BOUND (10 * USEC_PER_SEC) /* what sleeps in the kernel is left behind */
#define MANY_CUTS  64                  /* somebody cuts it again and again, or there is no memory for it */

static struct keeper *watched;
static volatile sig_atomic_t n_cuts;

static void on_fault(int signal_ unused_, siginfo_t *info, void *context unused_)
{
        char *from = watched->map, *at = info->si_addr;

        if (info->si_code <= 0)
                return; /* sent by somebody */
        if (at < from || at >= from + DURABLE_LOG_A) {
                (void)signal(SIGBUS, SIG_DFL); /* not ours to survive: it comes again */
                return;
        }
        n_cuts++;
        if (n_cuts < MANY_CUTS && ftruncate(watched->state_fd, (off_t)DURABLE_FILE_SIZE) == 0)
                return;
        if (mmap(from, DURABLE_LOG_A, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
                 -1, 0) == MAP_FAILED)
                (void)signal(SIGBUS, SIG_DFL);
}

void lost_watch(struct keeper *k)
{
        const struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
        sigset_t set;

        watched = k;
        (void)sigaction(SIGBUS, &a, NULL);
        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGBUS);
        (void)sigprocmask(SIG_UNBLOCK, &set, NULL); /* a fault kills where it is blocked */
}

/* To each child, and with it to its process group where it leads one. More than a page of numbers have their turn at
 * the next look. */
static void children_signal(int signo)
{
        static char text[4096];
        cleanup_close_ int fd = -1;
        char *p = text, *end;
        ssize_t n;

        (void)snprintf(text, sizeof(text), "/proc/self/task/%d/children", (int)getpid());
        fd = open(text, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        text[MAX2(n, 0)] = '\0';
        for (long pid = strtol(p, &end, 10); end > p && *end == ' '; pid = strtol(p, &end, 10)) {
                p = end;
                if (pid > 1)
                        (void)kill(getpgid((pid_t)pid) == (pid_t)pid ? -(pid_t)pid : (pid_t)pid, signo);
        }
}

static bool no_children(void)
{
        siginfo_t info;

        return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

static void begin(struct keeper *k, uint64_t now)
{
        say("the state in %s was cut short or written over: nobody knows any more which process belongs to what; "
            "ending "
            "all of them and starting over",
            k->options.runtime_dir);
        k->lost_us = now;
        if (k->manager.phase == MANAGER_RUNNING)
                (void)kill(k->manager.pid, SIGKILL); /* the launcher goes with it */
        children_signal(SIGTERM);
}

/* Only the program is what it was, and the words that it was given. */
static _Noreturn void start_over(struct keeper *k)
{
        static const char nothing[sizeof(struct durable_header)];
        char **to = k->argv + 1;

        (void)!pwrite(k->state_fd, nothing, sizeof(nothing), 0); /* what is left of it must not be taken up */
        for (char **from = k->argv + 1; *from; from++)
                if (strncmp(*from, "--handoff=", 10) != 0 && !streq(*from, "--daemon"))
                        *to++ = *from;
        *to = NULL;
        (void)sigprocmask(SIG_SETMASK, &k->start_mask, NULL);
        (void)setrlimit(RLIMIT_NOFILE, &k->start_nofile);
        (void)syscall(SYS_execveat, k->self.fd, "", k->argv, environ, AT_EMPTY_PATH);
        say("cannot start over: %s", strerror(errno));
        _exit(1);
}

bool lost_step(struct keeper *k, uint64_t now, int *ret_status)
{
        uint64_t since = now - k->lost_us;

        *ret_status = -1;
        if (k->lost_us == 0) {
                if (n_cuts == 0 && memcmp(k->header->magic, DURABLE_MAGIC, sizeof(k->header->magic)) == 0)
                        return false;
                begin(k, now);
                return true;
        }
        if (since >= TERM_GRACE)
                children_signal(SIGKILL);
        if (!no_children() && since < TERM_GRACE + KILL_BOUND)
                return true;
        if (k->form != FORM_MACHINE && (k->asked & DURABLE_REQUESTS_ENDING))
                *ret_status = 1; /* everything has ended, as it was asked for */
        else
                start_over(k);
        return true;
}

uint64_t lost_deadline(const struct keeper *k, uint64_t now)
{
        return k->lost_us > 0 ? now + LOOK_EACH : USEC_NEVER;
}
