/* SPDX-License-Identifier: MIT
 *
 * The intermediate: reads the plan, does what may block and needs no identity of its own, forks the service-to-be,
 * waits for its exec, notes the end in the slot and exits, so that the service is adopted by the keeper.
 * Where nothing else would tell whose a daemon is that the command leaves behind, it stays a little longer (left.c).
 *
 * Not here: what happens in the service-to-be (service.c).
 * Invariant: slot.launch changes from INTENT once, by compare and exchange, after everything that belongs to it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "job.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define CLOCK_TICKS  UINT64_C(100) /* USER_HZ: the unit of field 22, fixed in the kernel's ABI where we run */

int job_next_record(const struct job *j, size_t *offset, enum plan_tag tag, struct plan_item *ret)
{
        struct plan_item item;

        while (plan_next(j->plan, j->plan_size, offset, &item) > 0)
                if (item.record->tag == tag) {
                        *ret = item;
                        return 1;
                }
        return 0;
}

int job_fail(struct job *j, enum plan_step step, int error, int exit_code)
{
        if (j->failure.step == PLAN_STEP_NONE) {
                j->failure.step = step;
                j->failure.error = error;
                j->failure.exit_code = exit_code;
        }
        return error > 0 ? -error : -EIO;
}

/* "PID (comm) S ppid pgrp session … start" : the name may hold anything, so the last ')' ends it. */
int process_look(pid_t pid, uint64_t *ret_start_time, char ret_comm[static 16])
{
        cleanup_close_ int fd = -1;
        char path[40], text[1024], *open_paren, *close_paren, *p;
        ssize_t n;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        n = read(fd, text, sizeof(text) - 1);
        if (n <= 0)
                return n < 0 ? -errno : -ESRCH;
        text[n] = 0;
        open_paren = strchr(text, '(');
        close_paren = strrchr(text, ')');
        if (!open_paren || !close_paren || close_paren < open_paren)
                return -EBADMSG;
        *close_paren = 0;
        p = close_paren + 1;
        for (unsigned field = 3; field <= 22 && p; field++) /* p stands at the blank before the field */
                p = field == 22 ? p : strchr(p + 1, ' ');
        memset(ret_comm, 0, 16);
        memcpy(ret_comm, open_paren + 1, MIN2(strlen(open_paren + 1), (size_t)15));
        *ret_start_time = p ? strtoull(p, NULL, 10) : 0;
        return 0;
}

uint64_t clock_boottime_ns(void)
{
        struct timespec t;

        if (clock_gettime(CLOCK_BOOTTIME, &t) < 0)
                return 0;
        return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

bool birth_start_time(const struct birth *b, uint64_t *ret)
{
        /* what libc and kernel may differ by when they turn the same counter into ns */
        const uint64_t slack = 100, tick = NSEC_PER_SEC / CLOCK_TICKS;
        uint64_t first = (b->before - slack) / tick;

        if (b->before <= slack || b->after < b->before || (b->after + slack) / tick != first)
                return false;
        *ret = first;
        return true;
}

static bool find_start_time(const struct launcher *l, const struct birth *b, uint64_t *ret)
{
        char comm[16];

        if (atomic_load(l->clock_is_known) && birth_start_time(b, ret))
                return true;
        return process_look(b->pid, ret, comm) == 0;
}

void start_note(const struct launcher *l, uint32_t slot, uint32_t generation, enum durable_launch launch,
                const struct failure *f, const struct birth *b)
{
        struct durable_slot *s = &durable_slots(l->map)[slot];
        uint32_t expected = LAUNCH_INTENT;
        uint64_t start_time = 0, one = 1;
        pid_t session;

        if (atomic_load(&s->generation) != generation || atomic_load(&s->launch) != LAUNCH_INTENT)
                return;
        atomic_store(&s->step, f->step);
        atomic_store(&s->error, f->error);
        if (b && b->pid > 0) {
                session = getsid(b->pid);
                atomic_store(&s->session, session > 0 ? (uint32_t)session : 0);
                if (find_start_time(l, b, &start_time))
                        atomic_store(&s->start_time, start_time);
        }
        (void)atomic_compare_exchange_strong(&s->launch, &expected, launch);
        (void)!write(l->bell_fd, &one, sizeof(one));
}

/* Notes the end of J and exits. */
static _Noreturn void finish(struct job *j, enum durable_launch launch, const volatile struct failure *why, pid_t pid)
{
        struct failure f = {.step = why->step, .error = why->error};
        struct birth birth = {.pid = pid, .before = j->born_before, .after = j->born_after};

        if (j->in_group)
                atomic_store(&durable_slots(j->launcher->map)[j->slot].group, 1);
        start_note(j->launcher, j->slot, j->generation, launch, &f, &birth);
        if (launch == LAUNCH_EXECED && job_flag(j, PLAN_FLAG_NOTE_LEFT))
                left_wait(j, pid);
        _exit(EXIT_SUCCESS);
}

/* The table of the plan's records. */
static int index_plan(struct job *j)
{
        struct plan_item item;
        size_t offset = 0;
        int r = plan_open(j->plan, j->plan_size);

        if (r < 0)
                return r;
        while ((r = plan_next(j->plan, j->plan_size, &offset, &item)) > 0)
                if (!j->items[item.record->tag].record)
                        j->items[item.record->tag] = item;
        j->kind = (enum plan_kind)((const struct plan_header *)(const void *)j->plan)->kind;
        return r;
}

/* What comes before the fork. With exit_code set the service-to-be is forked nevertheless, to exit with it. */
static int prepare(struct job *j)
{
        int r;

        if (job_has(j, PLAN_LISTEN) && job_word(j, PLAN_LISTEN, 0, 0) != j->n_fds)
                return job_fail(j, PLAN_STEP_PLAN, EBADMSG, 0);
        if (j->kind != PLAN_COMMAND)
                return 0;
        if (!job_string(j, PLAN_PATH) || !job_string(j, PLAN_ARGV))
                return job_fail(j, PLAN_STEP_PLAN, EBADMSG, 0);
        if (job_has(j, PLAN_UNSUPPORTED))
                return job_fail(j, PLAN_STEP_UNSUPPORTED, EOPNOTSUPP, EXIT_CODE_NAMESPACE);
        r = identity_find(j);
        if (r == 0)
                r = rare_open_files(j);
        if (r == 0)
                r = variables_build(j);
        if (r == 0)
                r = variables_expand(j);
        if (r == 0)
                r = directories_create(j);
        if (r == 0)
                r = credentials_create(j);
        if (r == 0)
                r = streams_open_log(j);
        if (r == 0)
                group_open(j);
        if (r == 0)
                rare_terminal(j);
        return r;
}

/* A command: the service-to-be shares our memory and stops us until it execs or exits. */
static _Noreturn void run_command(struct job *j)
{
        pid_t pid;

        if (job_flag(j, PLAN_FLAG_NOTE_LEFT))
                left_adopt();
        j->born_before = clock_boottime_ns();
        pid = group_fork(j);
        if (pid < 0)
                pid = vfork();
        if (pid == 0)
                service_run(j);
        if (pid < 0) {
                (void)job_fail(j, PLAN_STEP_FORK, errno, 0);
                finish(j, LAUNCH_FAILED, &j->failure, 0);
        }
        if (j->failure.step == PLAN_STEP_NONE && j->stage != STAGE_EXEC)
                (void)job_fail(j, PLAN_STEP_LAUNCHER_DIED, EOWNERDEAD, 0);
        if (j->failure.step != PLAN_STEP_NONE)
                finish(j, LAUNCH_FAILED, &j->failure, pid);
        finish(j, LAUNCH_EXECED, &j->note, pid);
}

/* A check or a clean-up: no exec, so the child keeps working after we have gone. EXECED promises a stored pid, so we
 * store it too; the keeper cannot have recorded the exit before, since the child is ours until we exit. */
static _Noreturn void run_own_work(struct job *j)
{
        pid_t pid;

        j->born_before = clock_boottime_ns();
        pid = fork();
        if (pid < 0) {
                (void)job_fail(j, PLAN_STEP_FORK, errno, 0);
                finish(j, LAUNCH_FAILED, &j->failure, 0);
        }
        if (pid > 0) {
                j->born_after = clock_boottime_ns();
                (void)service_store_pid(j, pid);
                finish(j, LAUNCH_EXECED, &j->note, pid);
        }
        service_run(j);
}

void start_warm_up(struct job *j)
{
        volatile char deep[2 * 4096];

        deep[0] = deep[4096] = 0;
        (void)arena_alloc(&j->arena, 1);
        free(malloc(64));
}

void start_run(struct job *j)
{
        int r;

        r = index_plan(j);
        if (r < 0)
                (void)job_fail(j, PLAN_STEP_PLAN, -r, 0);
        else
                r = prepare(j);
        if (r < 0 && j->failure.exit_code == 0) {
                if (j->failure.step == PLAN_STEP_NONE)
                        (void)job_fail(j, PLAN_STEP_PLAN, -r, 0);
                finish(j, LAUNCH_FAILED, &j->failure, 0);
        }
        if (j->kind == PLAN_COMMAND || r < 0)
                run_command(j);
        run_own_work(j);
}
