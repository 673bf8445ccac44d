/* SPDX-License-Identifier: MIT
 *
 * The service's cgroup: made where it is missing, and the service-to-be begun in it.
 *
 * The kernel puts a process into a cgroup cheaply when it is born (CLONE_INTO_CGROUP), and dearly afterwards: moving
 * one stops all forks and exits of the machine for a moment. So the service-to-be is cloned into it: like vfork, but on
 * a piece of our stack of its own, since clone3 cannot share ours. Where there is no clone3 (seccomp filters, v1, other
 * machines) it is vforked, and moves itself.
 *
 * Not here: what a cgroup is for (cgroup/ and the manager), limits' meaning. Invariant: that there is no cgroup to be
 * had does not keep a service from starting; slot.group tells whether it is in its own.
 */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "job.h"

enum { CHILD_STACK = 128 * 1024 };

/* A failure that does not keep the service from starting. The first one is told. */
static void note_failed(struct job *j, int error)
{
        if (j->note.step == PLAN_STEP_NONE) {
                j->note.step = PLAN_STEP_CGROUP;
                j->note.error = error;
        }
}

/* Opens DIRECTORY, made with what is missing above it. */
static int open_made(const char *directory)
{
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd >= 0 || errno != ENOENT)
                return fd < 0 ? -errno : fd;
        if (mkdir(directory, 0755) < 0 && errno == ENOENT) {
                int r = make_parents(directory);

                if (r < 0)
                        return r;
                (void)mkdir(directory, 0755);
        }
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* Limits and shares. One that cannot be set is told, and the others count. */
static void write_files(struct job *j)
{
        struct plan_item item;
        size_t offset = 0;

        while (job_next_record(j, &offset, PLAN_GROUP_FILE, &item)) {
                const char *path = plan_string(&item, NULL), *value = path ? plan_string(&item, path) : NULL;
                cleanup_close_ int fd = value ? open(path, O_WRONLY | O_CLOEXEC) : -1;

                if (value && (fd < 0 || write(fd, value, strlen(value)) < 0))
                        note_failed(j, errno);
        }
}

/* Delegate=: the user of the service may make cgroups in it and move processes among them, and no more (the kernel's
 * cgroup-v2 document, "Delegation"); the attribute tells programs inside that it is theirs. */
static void give_away(struct job *j)
{
        static const char *const files[] = {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control",
                                            "memory.oom.group", "memory.reclaim"};
        const struct identity *id = &j->identity;
        gid_t gid = id->has_gid ? id->gid : (gid_t)-1;

        (void)fsetxattr(j->group_fd, "trusted.delegate", "1", 1, 0);
        (void)fsetxattr(j->group_fd, "user.delegate", "1", 1, 0);
        if (!id->has_user)
                return;
        if (fchown(j->group_fd, id->uid, gid) < 0)
                note_failed(j, errno);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                if (fchownat(j->group_fd, files[i], id->uid, gid, 0) < 0 && errno != ENOENT)
                        note_failed(j, errno);
}

void group_open(struct job *j)
{
        const char *directory = job_string(j, PLAN_CGROUP);

        j->group_fd = directory ? open_made(directory) : -1;
        if (directory && j->group_fd < 0)
                note_failed(j, -j->group_fd);
        if (j->group_fd < 0)
                return;
        j->group_fd = fd_raised(j->group_fd);
        write_files(j);
        if (job_has(j, PLAN_DELEGATE))
                give_away(j);
}

/* In the service-to-be that was not born there. */
int group_join(struct job *j)
{
        cleanup_close_ int fd = -1;

        if (j->group_fd < 0 || j->in_group)
                return 0;
        fd = openat(j->group_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, "0", 1) != 1)
                note_failed(j, errno);
        else
                j->in_group = 1;
        return 0;
}

#if defined(SYS_clone3) && (defined(__x86_64__) || defined(__aarch64__))

/* struct clone_args of linux/sched.h, as of Linux 5.7 */
struct clone_words {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size,
                cgroup;
};

#define INTO_CGROUP UINT64_C(0x200000000)

/* The child's pid, or negative errno. The child begins on its own stack in RUN, which does not return. */
static long clone_call(const struct clone_words *words, void (*run)(struct job *), struct job *j)
{
#ifdef __x86_64__
        long r = SYS_clone3;

        __asm__ volatile("syscall\n\t"
                         "test %%rax, %%rax\n\t"
                         "jnz 1f\n\t"
                         "mov %[job], %%rdi\n\t"
                         "call *%[run]\n\t"
                         "hlt\n"
                         "1:"
                         : "+a"(r)
                         : "D"(words), "S"(sizeof(*words)), [run] "r"(run), [job] "r"(j)
                         : "rcx", "r11", "memory", "cc");
        return r;
#else
        register long r __asm__("x0") = (long)words;
        register long size __asm__("x1") = sizeof(*words);
        register long call __asm__("x8") = SYS_clone3;
        register void (*f)(struct job *) __asm__("x9") = run;
        register struct job *job __asm__("x10") = j;

        __asm__ volatile("svc 0\n\t"
                         "cbnz x0, 1f\n\t"
                         "mov x29, xzr\n\t"
                         "mov x0, x10\n\t"
                         "blr x9\n\t"
                         "brk 1\n"
                         "1:"
                         : "+r"(r)
                         : "r"(size), "r"(call), "r"(f), "r"(job)
                         : "memory", "cc", "x30");
        return r;
#endif
}

static void child_run(struct job *j)
{
        j->in_group = 1;
        service_run(j);
}

static long clone_into(struct job *j, int group_fd)
{
        _Alignas(16) char stack[CHILD_STACK];
        struct clone_words words = {
                .flags = CLONE_VM | CLONE_VFORK | INTO_CGROUP,
                .exit_signal = SIGCHLD,
                .stack = (uint64_t)(uintptr_t)stack,
                .stack_size = sizeof(stack),
                .cgroup = (uint64_t)group_fd,
        };

        return clone_call(&words, child_run, j);
}

/* A service that manages cgroups of its own (Delegate=) may have turned controllers on for those below: then no process
 * may be in its own any more, and ours goes beside its. */
static void step_beside(struct job *j)
{
        int fd = mkdirat(j->group_fd, ".control", 0755) < 0 && errno != EEXIST
                         ? -1
                         : openat(j->group_fd, ".control", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return;
        (void)close(j->group_fd);
        j->group_fd = fd_raised(fd);
}

/* Once cgroup.kill has been used in a cgroup, kernels from 6.14 on kill everything that is born into it from outside
 * before its first instruction. Such a cgroup is made anew when it is empty. */
static bool born_dead(struct job *j, pid_t pid)
{
        if (j->in_group)
                return false;
        (void)waitpid(pid, NULL, 0);
        return true;
}

static bool make_anew(struct job *j)
{
        if (rmdir(job_string(j, PLAN_CGROUP)) < 0)
                return false;
        (void)close(j->group_fd);
        group_open(j);
        return j->group_fd >= 0;
}

static long fork_into(struct job *j)
{
        long pid = clone_into(j, j->group_fd);

        if (pid == -EBUSY) {
                step_beside(j);
                pid = clone_into(j, j->group_fd);
        }
        if (pid > 0 && born_dead(j, (pid_t)pid)) {
                pid = make_anew(j) ? clone_into(j, j->group_fd) : -EAGAIN;
                if (pid > 0 && born_dead(j, (pid_t)pid))
                        pid = -EAGAIN;
        }
        return pid;
}

#else

static long fork_into(struct job *j unused_)
{
        return -ENOSYS;
}

#endif

pid_t group_fork(struct job *j)
{
        long pid = j->group_fd >= 0 ? fork_into(j) : -1;

        return pid > 0 ? (pid_t)pid : -1;
}
