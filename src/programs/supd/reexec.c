/* SPDX-License-Identifier: MIT
 *
 * Becoming the keeper that is installed, without losing a child, an fd or an exit: this process executes the new
 * program, and goes on there with what the handoff says.
 *
 *   1. somebody asks (HANDOVER_REEXEC); the same file: nothing to do
 *   2. the handoff, what only this process knows, is written into a memfd
 *   3. a child executes the new program with that very command line and handoff, and --check: can it take over? The
 *      child has CHECK_BOUND for it, and nobody waits for it but the loop
 *   4. yes: this process executes the same file (by its fd). Children, their zombies, pending signals, the signal mask
 *      and the lock stay what they are; the manager notices nothing
 *   5. the new program reads the handoff. Should it fail now, it executes the old one again, which is in the handoff
 *
 * Not here: what lies in the durable state, which needs no handoff. Invariants: until the execve succeeds nothing has
 * changed; killed anywhere in here, it is the death of a keeper, and the next one takes over as from any other.
 * The handoff's fields are only added at its end, and 0 there means what was so before the field came; `version`
 * changes when an older program could misread, and that one then refuses in step 3.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "keeper.h"

#define HANDOFF_MAGIC   "SUPDKEEP"
#define HANDOFF_VERSION 1u
#define HANDOFF_TRIES   3u /* images that may fail to take it up before this process ends */
#define READ_TRIES      3u /* of the handoff, which an error may keep from being read */
#define CHECK_BOUND_S   10u
#define CHECK_BOUND     (CHECK_BOUND_S * USEC_PER_SEC)

enum { HANDOFF_FDS = 14 };

struct handoff_binary {
        uint64_t dev, ino;
        int64_t size, mtime_s, mtime_ns;
};

struct handoff {
        char magic[8];
        uint32_t version, size;
        uint32_t pid, tries;
        int32_t fds[16]; /* in the order of fd_places(); -1 = none */
        struct handoff_binary binaries[4];
        uint64_t start_mask, nofile_soft, nofile_hard;
        uint32_t ring_ready, ring_released, ring_whole, asked;
        uint64_t asked_us, own_stop_us;
        uint32_t own_stop, manager_phase, manager_pid, failures;
        uint32_t deaths, older, aborted, hang_tail;
        uint64_t started_us, died_us, start_at_us, hang_at_us, straggler_at_us, life_ino;
        char path[PATH_MAX];
};

/* Every fd of the keeper that has to stay open. Numbers of places are for good. */
static unsigned fd_places(struct keeper *k, int *ret[HANDOFF_FDS])
{
        struct binaries *b = &k->manager.binaries;
        int *places[HANDOFF_FDS] = {&k->state_fd,          &k->dir_fd,     &k->bell_fd,         &k->socket_fd,
                                    &k->manager_socket_fd, &k->ready_fd,   &k->manager.life_fd, &k->self.fd,
                                    &b->running.fd,        &b->healthy.fd, &b->before.fd,       &b->bad.fd};

        memcpy(ret, places, sizeof(places));
        return 12;
}

static struct binary *binary_at(struct keeper *k, unsigned i)
{
        struct binaries *b = &k->manager.binaries;
        struct binary *all[4] = {&b->running, &b->healthy, &b->before, &b->bad};

        return all[i];
}

static void close_on_exec(struct keeper *k, bool on)
{
        int *places[HANDOFF_FDS];
        unsigned n = fd_places(k, places);

        for (unsigned i = 0; i < n; i++)
                if (*places[i] >= 0)
                        (void)fcntl(*places[i], F_SETFD, on ? FD_CLOEXEC : 0);
        store_close_on_exec(k, on);
}

/* ---- the old program ---- */

void reexec_init(struct keeper *k, char **argv)
{
        struct stat st;
        ssize_t n = readlink("/proc/self/exe", k->self_path, sizeof(k->self_path) - 1);

        k->argv = argv;
        k->self.fd = open(n > 0 ? "/proc/self/exe" : argv[0], O_PATH | O_CLOEXEC);
        if (n <= 0)
                n = snprintf(k->self_path, sizeof(k->self_path), "%s", *argv[0] == '/' ? argv[0] : "");
        k->self_path[n] = '\0';
        if (k->self.fd >= 0 && fstat(k->self.fd, &st) == 0) {
                k->self.dev = st.st_dev;
                k->self.ino = st.st_ino;
        }
}

static void handoff_fill(struct keeper *k, struct handoff *h)
{
        struct manager *m = &k->manager;
        int *places[HANDOFF_FDS];
        unsigned n = fd_places(k, places);

        *h = (struct handoff){.version = HANDOFF_VERSION, .size = sizeof(*h), .pid = (uint32_t)getpid()};
        memcpy(h->magic, HANDOFF_MAGIC, sizeof(h->magic));
        for (unsigned i = 0; i < ARRAY_SIZE(h->fds); i++)
                h->fds[i] = i < n ? *places[i] : -1;
        for (unsigned i = 0; i < ARRAY_SIZE(h->binaries); i++) {
                const struct binary *b = binary_at(k, i);
                h->binaries[i] = (struct handoff_binary){b->dev, b->ino, b->size, b->mtime_s, b->mtime_ns};
        }
        memcpy(&h->start_mask, &k->start_mask, sizeof(h->start_mask));
        h->nofile_soft = k->start_nofile.rlim_cur;
        h->nofile_hard = k->start_nofile.rlim_max;
        h->ring_ready = k->ring_ready;
        h->ring_released = k->ring_released;
        h->ring_whole = k->ring_whole;
        h->asked = k->asked;
        h->asked_us = k->asked_us;
        h->own_stop = k->own_stop;
        h->own_stop_us = k->own_stop_us;
        h->manager_phase = m->phase;
        h->manager_pid = (uint32_t)m->pid;
        h->failures = m->failures;
        h->deaths = m->binaries.deaths;
        h->older = m->binaries.older;
        h->aborted = m->aborted;
        h->hang_tail = m->hang_tail;
        h->started_us = m->started_us;
        h->died_us = m->died_us;
        h->start_at_us = m->start_at_us;
        h->hang_at_us = m->hang_at_us;
        h->straggler_at_us = m->straggler_at_us;
        h->life_ino = m->life_ino;
        (void)snprintf(h->path, sizeof(h->path), "%s", k->self_path);
}

static int handoff_write(struct keeper *k)
{
        static struct handoff h;
        cleanup_close_ int fd = memfd_create("supd-handoff", MFD_CLOEXEC);

        handoff_fill(k, &h);
        if (fd < 0)
                return -errno;
        if (pwrite(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h))
                return -EIO;
        return take_fd(&fd);
}

/* Our own command line with the handoff in front. NULL when there are too many words. */
static char **command_line(struct keeper *k, int handoff, bool check)
{
        static char word_handoff[32], word_check[] = "--check", *words[KEEPER_MAX_WORDS + 8];
        unsigned n = 0;

        (void)snprintf(word_handoff, sizeof(word_handoff), "--handoff=%d", handoff);
        words[n++] = k->argv[0];
        words[n++] = word_handoff;
        if (check)
                words[n++] = word_check;
        for (char **w = k->argv + 1; *w; w++) {
                if (strncmp(*w, "--handoff=", 10) == 0 || streq(*w, word_check))
                        continue;
                if (n + 1 >= ARRAY_SIZE(words))
                        return NULL;
                words[n++] = *w;
        }
        words[n] = NULL;
        return words;
}

static void execute(int file, char **words)
{
        if (words)
                (void)syscall(SYS_execveat, file, "", words, environ, AT_EMPTY_PATH);
        else
                errno = E2BIG;
}

static void done(struct keeper *k, uint32_t answer)
{
        struct reexec *r = &k->reexec;

        close_fd_p(&r->file);
        close_fd_p(&r->handoff);
        r->pid = 0;
        r->asked = false;
        atomic_store(&k->header->keeper_answer, answer);
        atomic_fetch_add(&k->header->keeper_asked, 1);
        k->bell_due = true;
        bell_ring(k);
}

static void refuse(struct keeper *k, const char *why)
{
        say("not becoming %s: %s; going on as before", k->self_path, why);
        done(k, DURABLE_KEEPER_REFUSED);
}

/* In the child: may wait, but not for long, and not longer than we live. */
static _Noreturn void check(struct keeper *k)
{
        sigset_t none;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)alarm(CHECK_BOUND_S);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)fcntl(k->state_fd, F_SETFD, 0);
        (void)fcntl(k->reexec.handoff, F_SETFD, 0);
        execute(k->reexec.file, command_line(k, k->reexec.handoff, true));
        say("cannot run %s: %s", k->self_path, strerror(errno));
        _exit(127);
}

static void begin(struct keeper *k, uint64_t now)
{
        struct reexec *r = &k->reexec;
        struct stat st;

        r->file = *k->self_path ? open(k->self_path, O_PATH | O_CLOEXEC) : -1;
        if (r->file < 0 || fstat(r->file, &st) < 0) {
                refuse(k, strerror(errno));
                return;
        }
        if (k->self.fd >= 0 && st.st_dev == k->self.dev && st.st_ino == k->self.ino) {
                done(k, DURABLE_KEEPER_SAME);
                return;
        }
        r->handoff = handoff_write(k);
        if (r->handoff < 0) {
                refuse(k, strerror(-r->handoff));
                return;
        }
        r->pid = fork();
        if (r->pid == 0)
                check(k);
        r->until_us = now + CHECK_BOUND;
        if (r->pid < 0)
                refuse(k, strerror(errno));
}

/* What has changed since the check was begun has to be in it. */
static void become(struct keeper *k)
{
        struct reexec *r = &k->reexec;

        close_fd_p(&r->handoff);
        r->handoff = handoff_write(k);
        if (r->handoff < 0) {
                refuse(k, strerror(-r->handoff));
                return;
        }
        close_on_exec(k, false);
        (void)fcntl(r->handoff, F_SETFD, 0);
        execute(r->file, command_line(k, r->handoff, false));
        close_on_exec(k, true);
        refuse(k, strerror(errno));
}

void reexec_checked(struct keeper *k, int code, int status)
{
        k->reexec.pid = 0;
        if (code == CLD_EXITED && status == 0)
                k->reexec.agreed = true; /* but not in the middle of reaping it */
        else
                refuse(k, code == CLD_EXITED ? "it says that it cannot take over" : "it was killed when asked");
}

void reexec_step(struct keeper *k, uint64_t now)
{
        struct reexec *r = &k->reexec;

        if (r->agreed) {
                r->agreed = false;
                become(k);
        } else if (r->asked && r->pid <= 0) {
                begin(k, now);
        } else if (r->pid > 0 && now >= r->until_us) {
                (void)kill(r->pid, SIGKILL);
                r->until_us = now + CHECK_BOUND;
        }
}

uint64_t reexec_deadline(const struct keeper *k)
{
        return k->reexec.pid > 0 ? k->reexec.until_us : USEC_NEVER;
}

/* ---- the new program ---- */

static int handoff_read(int fd, struct handoff *h)
{
        ssize_t n = -1;

        for (unsigned i = 0; i < READ_TRIES && n < 0; i++) /* there is no way back but through it */
                n = pread(fd, h, sizeof(*h), 0);
        if (n < (ssize_t)offsetof(struct handoff, fds) || memcmp(h->magic, HANDOFF_MAGIC, sizeof(h->magic)) != 0)
                return -EBADMSG;
        if (h->version != HANDOFF_VERSION)
                return -EPROTONOSUPPORT;
        return 0; /* what a shorter one does not have is zero */
}

int reexec_check(struct keeper *k)
{
        static struct handoff h;
        int r = handoff_read(k->options.handoff, &h);

        if (r == 0 && h.pid != (uint32_t)getppid())
                r = -EPERM;
        if (r == 0)
                r = state_take_up(k, h.fds[0]);
        if (r == 0)
                r = manager_prepare(k);
        if (r < 0)
                say("supd " SUPD_VERSION " cannot take over from the supd that runs: %s", strerror(-r));
        return r < 0 ? 1 : 0;
}

static void handoff_apply(struct keeper *k, const struct handoff *h)
{
        struct manager *m = &k->manager;
        int *places[HANDOFF_FDS];
        unsigned n = fd_places(k, places);

        for (unsigned i = 0; i < n; i++)
                *places[i] = h->fds[i] > 0 ? h->fds[i] : -1;
        for (unsigned i = 0; i < ARRAY_SIZE(h->binaries); i++) {
                const struct handoff_binary *b = &h->binaries[i];
                struct binary *to = binary_at(k, i);
                *to = (struct binary){to->fd, b->dev, b->ino, b->size, b->mtime_s, b->mtime_ns};
        }
        k->start_nofile = (struct rlimit){.rlim_cur = h->nofile_soft, .rlim_max = h->nofile_hard};
        k->ring_ready = h->ring_ready;
        k->ring_released = h->ring_released;
        k->ring_whole = h->ring_whole;
        k->asked = h->asked;
        k->asked_us = h->asked_us;
        k->own_stop = h->own_stop;
        k->own_stop_us = h->own_stop_us;
        m->phase = h->manager_phase;
        m->pid = (pid_t)h->manager_pid;
        m->failures = h->failures;
        m->binaries.deaths = h->deaths;
        m->binaries.older = h->older != 0;
        m->aborted = h->aborted != 0;
        m->hang_tail = h->hang_tail;
        m->started_us = h->started_us;
        m->died_us = h->died_us;
        m->start_at_us = h->start_at_us;
        m->hang_at_us = h->hang_at_us;
        m->straggler_at_us = h->straggler_at_us;
        m->life_ino = (ino_t)h->life_ino;
        (void)snprintf(k->self_path, sizeof(k->self_path), "%s", h->path);
}

/* The old program is among the fds; it finds the handoff as we did. */
static _Noreturn void go_back(struct keeper *k, struct handoff *h, int error)
{
        say("supd " SUPD_VERSION " cannot take over after all: %s; going back", strerror(-error));
        h->tries++;
        if (h->tries < HANDOFF_TRIES && pwrite(k->options.handoff, h, sizeof(*h), 0) == (ssize_t)sizeof(*h))
                execute(h->fds[7], command_line(k, k->options.handoff, false));
        say("nobody can take over; ending: the next supd adopts the services");
        _exit(1);
}

void reexec_take_over(struct keeper *k)
{
        static struct handoff h;
        struct binary self = k->self;
        int r = handoff_read(k->options.handoff, &h);

        if (r < 0 || h.pid != (uint32_t)getpid()) {
                say("--handoff is for supd itself");
                _exit(2);
        }
        (void)prctl(PR_SET_NAME, "supd");
        r = state_take_up(k, h.fds[0]);
        if (r == 0)
                r = manager_prepare(k);
        if (r == 0) {
                close_fd_p(&k->bell_fd); /* the one that manager_prepare() made */
                r = signals_open(k);
        }
        if (r < 0)
                go_back(k, &h, r);
        handoff_apply(k, &h);
        close_fd_p(&k->self.fd);
        k->self = self;
        memcpy(&k->start_mask, &h.start_mask, sizeof(h.start_mask));
        close_on_exec(k, true);
        close_fd_p(&k->options.handoff);
        atomic_fetch_add(&k->header->keeper_reexecs, h.tries == 0);
        say(h.tries == 0 ? "going on as supd " SUPD_VERSION : "going on as supd " SUPD_VERSION ", as before");
        k->reexec.file = k->reexec.handoff = -1;
        done(k, h.tries == 0 ? DURABLE_KEEPER_NEW : DURABLE_KEEPER_REFUSED);
        k->reap_more = true; /* a SIGCHLD may have come into a signalfd that is gone */
}
