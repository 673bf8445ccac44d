/* SPDX-License-Identifier: MIT
 *
 * What a process is given by number: limits, scheduling, capabilities, NoNewPrivileges=.
 *
 * What the container does not permit: limits are clamped to the hard limit and a better OOM score is forgone (rule 29);
 * capabilities that cannot be taken out of the bounding set are noted, since the set shrinks by the container already.
 * Invariant: the kernel's own structures are written out here, because musl comes without the kernel's headers.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "job.h"

enum { CAPABILITY_VERSION_3 = 0x20080522, IOPRIO_WHO_PROCESS = 1 };

struct capability_header {
        uint32_t version;
        int32_t pid;
};

struct capability_data {
        uint32_t effective, permitted, inheritable;
};

/* Writes V into /proc/self/oom_score_adj. */
static int set_oom(int v)
{
        cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
        char text[16];
        int n = snprintf(text, sizeof(text), "%d", v);

        if (fd < 0 || write(fd, text, (size_t)n) != n)
                return -errno;
        return 0;
}

static int set_scheduler(int policy, int priority)
{
        struct sched_param p = {.sched_priority = priority};

        /* directly: musl refuses these calls for want of POSIX semantics */
        return syscall(SYS_sched_setscheduler, 0, policy, &p) < 0 ? -errno : 0;
}

int attributes_scheduling(struct job *j)
{
        const struct plan_item *affinity = &j->items[PLAN_AFFINITY];
        int r = 0;

        if (job_has(j, PLAN_OOM)) {
                r = set_oom((int)job_word(j, PLAN_OOM, 0, 0));
                if (r < 0 && r != -EPERM && r != -EACCES && r != -EROFS && r != -ENOENT)
                        return job_fail(j, PLAN_STEP_OOM, -r, EXIT_CODE_OOM_ADJUST);
        }
        if (job_has(j, PLAN_NICE) && setpriority(PRIO_PROCESS, 0, (int)job_word(j, PLAN_NICE, 0, 0)) < 0)
                return job_fail(j, PLAN_STEP_NICE, errno, EXIT_CODE_NICE);
        if (job_has(j, PLAN_SCHEDULER)) {
                r = set_scheduler((int)job_word(j, PLAN_SCHEDULER, 0, 0), (int)job_word(j, PLAN_SCHEDULER, 1, 0));
                if (r < 0)
                        return job_fail(j, PLAN_STEP_SCHEDULER, -r, EXIT_CODE_SETSCHEDULER);
        }
        if (affinity->record && syscall(SYS_sched_setaffinity, 0, affinity->tail_size, affinity->tail) < 0)
                return job_fail(j, PLAN_STEP_AFFINITY, errno, EXIT_CODE_CPUAFFINITY);
        if (job_has(j, PLAN_IOPRIO) &&
            syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
                    job_word(j, PLAN_IOPRIO, 0, 0) << 13 | job_word(j, PLAN_IOPRIO, 1, 0)) < 0)
                return job_fail(j, PLAN_STEP_IOPRIO, errno, EXIT_CODE_IOPRIO);
        if (job_has(j, PLAN_PERSONALITY) && personality(job_word(j, PLAN_PERSONALITY, 0, 0)) < 0)
                return job_fail(j, PLAN_STEP_PERSONALITY, errno, EXIT_CODE_PERSONALITY);
        return 0;
}

static int set_limit(unsigned resource, uint64_t soft, uint64_t hard)
{
        struct rlimit want = {.rlim_cur = soft == UINT64_MAX ? RLIM_INFINITY : (rlim_t)soft,
                              .rlim_max = hard == UINT64_MAX ? RLIM_INFINITY : (rlim_t)hard};
        struct rlimit have;

        if (setrlimit((int)resource, &want) == 0)
                return 0;
        if (errno != EPERM || getrlimit((int)resource, &have) < 0)
                return -errno;
        want.rlim_max = MIN2(want.rlim_max, have.rlim_max);
        want.rlim_cur = MIN2(want.rlim_cur, want.rlim_max);
        return setrlimit((int)resource, &want) < 0 ? -errno : 0;
}

int attributes_limits(struct job *j)
{
        struct plan_item item;
        size_t offset = 0;

        while (job_next_record(j, &offset, PLAN_LIMIT, &item)) {
                int r = set_limit(plan_word(&item, 0), plan_long(&item, 2), plan_long(&item, 4));

                if (r < 0)
                        return job_fail(j, PLAN_STEP_LIMITS, -r, EXIT_CODE_LIMITS);
        }
        return 0;
}

static int get_capabilities(struct capability_data data[2])
{
        struct capability_header h = {.version = CAPABILITY_VERSION_3};
        return syscall(SYS_capget, &h, data) < 0 ? -errno : 0;
}

static int set_capabilities(const struct capability_data data[2])
{
        struct capability_header h = {.version = CAPABILITY_VERSION_3};
        return syscall(SYS_capset, &h, data) < 0 ? -errno : 0;
}

/* Takes all but the bits of KEEP out of the bounding set, and what is left out of the other sets, so that root loses
 * them at once too. */
static int drop_bounding(uint64_t keep)
{
        struct capability_data d[2];
        int r = 0;

        for (unsigned long i = 0; i < 64; i++) {
                int have = prctl(PR_CAPBSET_READ, i, 0, 0, 0);

                if (have < 0)
                        break;
                if (have == 1 && !(keep >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
                        r = -errno;
        }
        if (r == 0 && get_capabilities(d) == 0) {
                d[0].inheritable &= (uint32_t)keep;
                d[1].inheritable &= (uint32_t)(keep >> 32);
                (void)set_capabilities(d);
        }
        return r;
}

int attributes_bounding(struct job *j)
{
        int r;

        if (!job_has(j, PLAN_BOUNDING))
                return 0;
        r = drop_bounding(plan_long(&j->items[PLAN_BOUNDING], 0));
        if (r == -EPERM) {
                j->note.step = PLAN_STEP_CAPABILITIES;
                j->note.error = EPERM;
                return 0;
        }
        return r < 0 ? job_fail(j, PLAN_STEP_CAPABILITIES, -r, EXIT_CODE_CAPABILITIES) : 0;
}

/* What of WANTED nobody here can have, the unit's CapabilityBoundingSet= or a container's, is left out, as by systemd.
 */
static uint64_t within_bounding(uint64_t wanted)
{
        for (unsigned long i = 0; i < 64; i++)
                if ((wanted >> i & 1) && prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 0)
                        wanted &= ~(UINT64_C(1) << i);
        return wanted;
}

/* Ambient capabilities must be permitted and inheritable first. */
static int raise_ambient(uint64_t wanted)
{
        struct capability_data d[2];
        int r = get_capabilities(d);

        if (r < 0)
                return r;
        for (unsigned i = 0; i < 2; i++) {
                uint32_t part = (uint32_t)(wanted >> (32 * i));

                d[i].inheritable |= part;
                d[i].effective |= part & d[i].permitted;
        }
        r = set_capabilities(d);
        for (unsigned long i = 0; i < 64 && r == 0; i++)
                if (wanted >> i & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
                        r = -errno;
        return r;
}

int attributes_ambient(struct job *j)
{
        uint64_t wanted, given;
        int r;

        if (!job_has(j, PLAN_AMBIENT))
                return 0;
        wanted = plan_long(&j->items[PLAN_AMBIENT], 0);
        given = within_bounding(wanted);
        if (given != wanted) {
                j->note.step = PLAN_STEP_CAPABILITIES;
                j->note.error = EPERM;
        }
        r = raise_ambient(given);
        return r < 0 ? job_fail(j, PLAN_STEP_CAPABILITIES, -r, EXIT_CODE_CAPABILITIES) : 0;
}

/* Needs CAP_SETPCAP in effect, which the change of user has left permitted only. */
int attributes_secure_bits(struct job *j)
{
        const uint32_t setpcap = UINT32_C(1) << 8;
        struct capability_data d[2], raised[2];
        int bits = (int)job_word(j, PLAN_SECURE_BITS, 0, 0), r;

        if (!job_has(j, PLAN_SECURE_BITS) || prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == bits)
                return 0;
        r = get_capabilities(d);
        if (r == 0) {
                memcpy(raised, d, sizeof(d));
                raised[0].effective |= setpcap & raised[0].permitted;
                r = set_capabilities(raised);
        }
        if (r == 0 && prctl(PR_SET_SECUREBITS, (unsigned long)bits, 0, 0, 0) < 0)
                r = -errno;
        if (r == 0)
                r = set_capabilities(d);
        return r < 0 ? job_fail(j, PLAN_STEP_SECURE_BITS, -r, EXIT_CODE_SECUREBITS) : 0;
}

int attributes_last(struct job *j)
{
        if (job_flag(j, PLAN_FLAG_NO_NEW_PRIVILEGES) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return job_fail(j, PLAN_STEP_NO_NEW_PRIVILEGES, errno, EXIT_CODE_NO_NEW_PRIVILEGES);
        return 0;
}
