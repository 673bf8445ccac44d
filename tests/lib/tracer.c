/* SPDX-License-Identifier: MIT
 *
 * ptrace, boxed. Not here: threads; one tracer, few victims. Invariant: as in tracer.h. Waiting has a bound, which
 * waitpid(2) lacks: SIGCHLD is blocked and awaited, and every wait is for one pid with WNOHANG.
 */
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include "base/util.h"
#include "proc.h"
#include "syscall-names.h"
#include "tracer.h"

const char *syscall_name(long nr)
{
        static char other[24];
        if (nr >= 0 && (size_t)nr < ARRAY_SIZE(syscall_names) && syscall_names[nr])
                return syscall_names[nr];
        (void)snprintf(other, sizeof(other), "#%ld", nr);
        return other;
}

static void block_sigchld(void)
{
        sigset_t s;
        (void)sigemptyset(&s);
        (void)sigaddset(&s, SIGCHLD);
        (void)sigprocmask(SIG_BLOCK, &s, NULL);
}

/* The next wait status of PID: 1; 0 when the time is over, or when any child had news that may concern the caller;
 * -errno when there is no such child or tracee. */
static int wait_for(pid_t pid, uint64_t timeout_us, int *ret_status)
{
        struct timespec ts = {.tv_sec = (time_t)(timeout_us / USEC_PER_SEC),
                              .tv_nsec = (long)(timeout_us % USEC_PER_SEC) * 1000};
        sigset_t s;
        (void)sigemptyset(&s);
        (void)sigaddset(&s, SIGCHLD);
        for (unsigned round = 0; round < 2; round++) {
                pid_t p = waitpid(pid, ret_status, __WALL | WNOHANG);
                if (p == pid)
                        return 1;
                if (p < 0 && errno != EINTR)
                        return -errno;
                if (round == 0 && timeout_us > 0)
                        (void)sigtimedwait(&s, NULL, &ts);
        }
        return 0;
}

static int wait_long(pid_t pid, uint64_t timeout_us, int *ret_status)
{
        for (uint64_t now = boottime_us(), until = now + timeout_us; now < until; now = boottime_us()) {
                int r = wait_for(pid, until - now, ret_status);
                if (r != 0)
                        return r;
        }
        return 0;
}

bool tracer_permitted(void)
{
        struct tracer t;
        pid_t p = fork();
        if (p < 0)
                return false;
        if (p == 0)
                for (;;)
                        (void)pause();
        int r = tracer_seize(&t, p, false);
        struct __ptrace_syscall_info info;
        if (r == 0 && ptrace(PTRACE_GET_SYSCALL_INFO, p, (void *)sizeof(info), &info) < 0)
                r = -errno;
        (void)kill(p, SIGKILL);
        (void)waitpid(p, NULL, __WALL);
        return r == 0;
}

static int await_first_stop(struct tracer *t)
{
        int status, r = wait_long(t->pid, 5 * USEC_PER_SEC, &status);
        if (r <= 0)
                return r < 0 ? r : -ETIMEDOUT;
        t->stopped = WIFSTOPPED(status);
        return t->stopped ? 0 : -ESRCH;
}

int tracer_seize(struct tracer *t, pid_t pid, bool follow_forks)
{
        long options = PTRACE_O_TRACESYSGOOD;
        *t = (struct tracer){.pid = pid, .nr = -1};
        block_sigchld();
        if (follow_forks)
                options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
        if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) < 0)
                return -errno;
        if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
                return -errno;
        return await_first_stop(t);
}

int tracer_adopt(struct tracer *t, pid_t child)
{
        *t = (struct tracer){.pid = child, .nr = -1};
        int r = await_first_stop(t);
        if (r < 0)
                return r;
        return ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(long)PTRACE_O_TRACESYSGOOD) < 0 ? -errno : 0;
}

static int resume(struct tracer *t, enum __ptrace_request how)
{
        int sig = t->deliver;
        t->deliver = 0;
        t->stopped = false;
        return ptrace(how, t->pid, NULL, (void *)(long)sig) < 0 ? -errno : 0;
}

int tracer_resume(struct tracer *t)
{
        return resume(t, PTRACE_SYSCALL);
}

int tracer_resume_free(struct tracer *t)
{
        return resume(t, PTRACE_CONT);
}

static enum tracer_event syscall_stop(struct tracer *t)
{
        struct __ptrace_syscall_info info = {0};
        if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, (void *)sizeof(info), &info) < 0)
                return TRACER_OTHER;
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
                t->nr = (long)info.entry.nr;
                for (unsigned i = 0; i < ARRAY_SIZE(t->args); i++)
                        t->args[i] = info.entry.args[i];
                t->calls++;
                t->inside = true;
                return TRACER_ENTRY;
        }
        if (info.op != PTRACE_SYSCALL_INFO_EXIT)
                return TRACER_OTHER;
        t->inside = false;
        return TRACER_EXIT;
}

static enum tracer_event fork_stop(struct tracer *t)
{
        unsigned long pid = 0;
        if (ptrace(PTRACE_GETEVENTMSG, t->pid, NULL, &pid) < 0)
                return TRACER_OTHER;
        t->child = (pid_t)pid;
        return TRACER_FORKED;
}

static enum tracer_event classify(struct tracer *t, int r, int status)
{
        if (r == 0)
                return TRACER_NOTHING;
        if (r < 0 || WIFEXITED(status) || WIFSIGNALED(status)) {
                t->status = status;
                return TRACER_GONE;
        }
        t->stopped = true;
        int event = status >> 16;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80))
                return syscall_stop(t);
        if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE)
                return fork_stop(t);
        if (event == 0) /* a signal on its way; traps of exec or of ours are not the victim's */
                t->deliver = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
        return TRACER_OTHER;
}

enum tracer_event tracer_wait(struct tracer *t, uint64_t timeout_us)
{
        int status = 0, r = wait_for(t->pid, timeout_us, &status);
        return classify(t, r, status);
}

unsigned long tracer_step(struct tracer *t, unsigned long n)
{
        unsigned long done = 0;
        while (done < n) {
                if (resume(t, PTRACE_SINGLESTEP) < 0)
                        return done;
                int status = 0, r = wait_long(t->pid, 100 * USEC_PER_MSEC, &status);
                enum tracer_event e = classify(t, r, status);
                if (e == TRACER_GONE || e == TRACER_NOTHING)
                        return done;
                done++;
        }
        return done;
}

#if defined(__x86_64__)
int tracer_skip(const struct tracer *t)
{
        struct user_regs_struct r;

        if (ptrace(PTRACE_GETREGS, t->pid, NULL, &r) < 0)
                return -errno;
        if (t->nr == SYS_brk)
                r.rdi = 0; /* it tells where the end is, and leaves it there */
        else
                r.orig_rax = (unsigned long)-1;
        return ptrace(PTRACE_SETREGS, t->pid, NULL, &r) < 0 ? -errno : 0;
}

int tracer_fail(const struct tracer *t, int error)
{
        struct user_regs_struct r;

        if (ptrace(PTRACE_GETREGS, t->pid, NULL, &r) < 0)
                return -errno;
        if (t->nr != SYS_brk)
                r.rax = (unsigned long)-error;
        return ptrace(PTRACE_SETREGS, t->pid, NULL, &r) < 0 ? -errno : 0;
}
#elif defined(__aarch64__)
static int registers(const struct tracer *t, enum __ptrace_request how, struct user_regs_struct *r)
{
        struct iovec v = {r, sizeof(*r)};

        return ptrace(how, t->pid, (void *)NT_PRSTATUS, &v) < 0 ? -errno : 0;
}

int tracer_skip(const struct tracer *t)
{
        struct user_regs_struct r;
        int nr = -1;
        struct iovec v = {&nr, sizeof(nr)};

        if (t->nr != SYS_brk)
                return ptrace(PTRACE_SETREGSET, t->pid, (void *)NT_ARM_SYSTEM_CALL, &v) < 0 ? -errno : 0;
        if (registers(t, PTRACE_GETREGSET, &r) < 0)
                return -errno;
        r.regs[0] = 0;
        return registers(t, PTRACE_SETREGSET, &r);
}

int tracer_fail(const struct tracer *t, int error)
{
        struct user_regs_struct r;
        int e = registers(t, PTRACE_GETREGSET, &r);

        if (e < 0 || t->nr == SYS_brk)
                return e;
        r.regs[0] = (unsigned long)-error;
        return registers(t, PTRACE_SETREGSET, &r);
}
#else
int tracer_skip(const struct tracer *t unused_)
{
        return -ENOSYS;
}

int tracer_fail(const struct tracer *t unused_, int error unused_)
{
        return -ENOSYS;
}
#endif

void tracer_kill(struct tracer *t)
{
        int status;
        (void)kill(t->pid, SIGKILL);
        while (waitpid(t->pid, &status, __WALL) == t->pid)
                if (!WIFSTOPPED(status))
                        return;
}

void tracer_release(struct tracer *t)
{
        int sig = t->deliver;
        t->deliver = 0;
        (void)ptrace(PTRACE_DETACH, t->pid, NULL, (void *)(long)sig);
}

void tracer_detach(struct tracer *t)
{
        int status;
        if (!t->stopped) {
                if (ptrace(PTRACE_INTERRUPT, t->pid, NULL, NULL) < 0 || wait_long(t->pid, USEC_PER_SEC, &status) <= 0 ||
                    classify(t, 1, status) == TRACER_GONE)
                        return;
        }
        tracer_release(t);
}
