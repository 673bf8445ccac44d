/* SPDX-License-Identifier: MIT
 *
 * supd-manager --check-state=FD: would this program be able to go on with the state behind FD? The dry run of an
 * upgrade (upgrade.c), or of a downgrade.
 *
 * The state is copied while its manager goes on writing it, replayed, and its units are loaded, as recovery would. What
 * comes behind that (signals, starts, timers, sockets) is not done. Exit status 0: yes. 1: no, with the reason on
 * stderr; a signal (SIGALRM after BOUND_S) is a no, too. Invariant: nothing is written but a memfd of our own.
 */
#include "manager.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/durable-file.h"
#include "abi/launch.h"

#define COMMIT_SPACE  (UINT64_C(1) << 63)
#define COMMIT_LENGTH ((UINT64_C(1) << 48) - 1)

enum { BOUND_S = 10, COPY_TRIES = 100 };

static int copy_bytes(int from, int to, uint64_t at, uint64_t size)
{
        static char buffer[64 * 1024];

        while (size > 0) {
                ssize_t n = pread(from, buffer, MIN2(size, sizeof(buffer)), (off_t)at);
                if (n <= 0)
                        return n < 0 ? -errno : -EBADMSG;
                if (pwrite(to, buffer, (size_t)n, (off_t)at) != n)
                        return -ENOMEM;
                at += (uint64_t)n;
                size -= (uint64_t)n;
        }
        return 0;
}

/* The bytes below the committed end are never written again while their space counts: when it still does behind the
 * copy, and no more was compacted than that, the copy is whole. -EAGAIN: not this time. */
static int copy_once(int from, int to)
{
        struct durable_header before, after;
        uint64_t commit, base;
        int v = 0;

        if (pread(from, &before, sizeof(before), 0) != (ssize_t)sizeof(before))
                return -EBADMSG;
        commit = atomic_load(&before.commit);
        base = commit & COMMIT_SPACE ? DURABLE_LOG_B : DURABLE_LOG_A;
        if (memcmp(before.magic, DURABLE_MAGIC, sizeof(before.magic)) != 0 || before.major != DURABLE_MAJOR ||
            (commit & COMMIT_LENGTH) > DURABLE_LOG_MAX || before.n_slots > DURABLE_MAX_SLOTS)
                return -EPROTONOSUPPORT;
        if (ftruncate(to, 0) < 0 || ftruncate(to, (off_t)DURABLE_FILE_SIZE) < 0)
                return -errno;
        v = copy_bytes(from, to, DURABLE_PIDS, before.n_slots * sizeof(uint32_t));
        if (v == 0)
                v = copy_bytes(from, to, DURABLE_SLOTS, before.n_slots * sizeof(struct durable_slot));
        if (v == 0)
                v = copy_bytes(from, to, base, commit & COMMIT_LENGTH);
        if (v < 0)
                return v;
        atomic_store(&before.n_fds, 0); /* their numbers are another process's */
        if (pwrite(to, &before, sizeof(before), 0) != (ssize_t)sizeof(before) ||
            pread(from, &after, sizeof(after), 0) != (ssize_t)sizeof(after))
                return -EIO;
        commit ^= atomic_load(&after.commit);
        return (commit & COMMIT_SPACE) == 0 && (atomic_load(&after.commit) & COMMIT_LENGTH) >=
                                                       (atomic_load(&before.commit) & COMMIT_LENGTH)
                       ? 0
                       : -EAGAIN;
}

static int copy(int from, int *ret)
{
        cleanup_close_ int to = memfd_create("supd-check", MFD_CLOEXEC);
        int v = -EAGAIN;

        if (to < 0)
                return -errno;
        for (int i = 0; i < COPY_TRIES && v == -EAGAIN; i++)
                v = copy_once(from, to);
        if (v == 0)
                *ret = take_fd(&to);
        return v;
}

static int no(const char *unit, const char *why)
{
        log_line(NULL, unit, "supd-manager " SUPD_VERSION " cannot take over: %s", why);
        return 1;
}

/* What is up must be known as what it is. */
static int judge(const struct manager *m)
{
        for (uint32_t i = 0; i < m->n_runs; i++) {
                const struct run *r = m->runs[i];
                bool has_process = (r->d.main.flags | r->d.control.flags) & PROCESS_RUNNING;

                if (r->strange)
                        return no(r->name, "it is in a state that this version does not know");
                if (has_process && (!r->unit || !r->unit->service))
                        return no(r->name, "it runs, and this version cannot read its unit");
        }
        return 0;
}

/* The launcher that is installed with us, in our place: its exit status is the answer. */
static int ask_launcher(void)
{
        const char *dir = getenv("SUPD_LIBEXEC_DIR");
        char path[4096], option[32];

        (void)snprintf(path, sizeof(path), "%s/supd-exec", dir ? dir : SUPD_LIBEXECDIR);
        (void)snprintf(option, sizeof(option), "--protocol=%d", LAUNCH_PROTOCOL);
        (void)execl(path, "supd-exec", option, (char *)NULL);
        return no(NULL, "its launcher, supd-exec, cannot be run");
}

int check_takeover(struct manager *m)
{
        cleanup_diag_ struct diag diag = {0};
        int given = m->state_fd, v;

        (void)alarm(BOUND_S);
        m->checking = true;
        v = copy(given, &m->state_fd);
        if (v == 0)
                v = state_open(m->state_fd, &m->state);
        if (v < 0)
                return no(NULL,
                          v == -EPROTONOSUPPORT || v == -EBADMSG ? "the state is of another layout" : strerror(-v));
        m->header = state_header(m->state);
        v = config_read(m, &diag);
        if (v < 0) {
                log_diag(m, &diag);
                return no(NULL, "supd.conf");
        }
        context_init(m);
        v = units_init(m);
        if (v == 0)
                v = recover_state(m);
        if (v < 0)
                return no(NULL, strerror(-v));
        return judge(m) == 0 ? ask_launcher() : 1;
}
