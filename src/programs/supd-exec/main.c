/* SPDX-License-Identifier: MIT
 *
 * supd-exec, the launcher: takes plans from the manager and forks an intermediate for each (abi/launch.h).
 *
 *     supd-exec --fds=STATE,BELL,PLANS,LIFE
 *
 * Not here: what a plan means (start.c, service.c). The launcher itself never blocks on anything but poll, allocates
 * nothing, and keeps its memory small, because each start forks it.
 * Invariant: every message taken ends with slot.launch EXECED or FAILED, noted by the intermediate, or by the launcher
 * when the intermediate died, or (launcher dead) to be concluded by the manager once PLANS has hung up, which happens
 * only when the last process on its way to exec is gone.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "job.h"

enum {
        MAX_CHILDREN = 2048, /* intermediates at a time; more messages wait in the socket */
        MAX_FDS = 253,       /* SCM_MAX_FD */
        LOWEST_FD = 3,
};

struct child {
        pid_t pid;
        uint32_t slot, generation;
};

static struct child children[MAX_CHILDREN];
static unsigned n_children;

static union {
        struct launch_message head;
        char bytes[sizeof(struct launch_message) + LAUNCH_INLINE_MAX];
} message __attribute__((aligned(8)));

static struct job the_job;
static int the_fds[MAX_FDS];

static bool parse_fds(const char *s, int fds[4])
{
        for (unsigned i = 0; i < 4; i++) {
                char *end;
                long v = strtol(s, &end, 10);

                if (end == s || v < LOWEST_FD || v > INT32_MAX || *end != (i < 3 ? ',' : 0))
                        return false;
                fds[i] = (int)v;
                s = end + 1;
        }
        return true;
}

/* Moves *FD out of the range that services' sockets will want, when there is room for that. */
static void raise_fd(int *fd)
{
        int r = fcntl(*fd, F_DUPFD_CLOEXEC, 300);

        if (r < 0)
                (void)fcntl(*fd, F_SETFD, FD_CLOEXEC);
        else {
                (void)close(*fd);
                *fd = r;
        }
}

/* Whatever else was inherited must not reach a service. */
static void seal_fds(void)
{
        long max;

#ifdef SYS_close_range
        if (syscall(SYS_close_range, LOWEST_FD, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */) == 0)
                return;
#endif
        max = sysconf(_SC_OPEN_MAX);
        for (int fd = LOWEST_FD; fd < MIN2(max < 0 ? 1024 : max, 65536); fd++)
                (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* fds 0 to 2 must be taken, or an fd of ours would become a service's standard stream. */
static void fill_standard_fds(void)
{
        int fd;

        do
                fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        while (fd >= 0 && fd < LOWEST_FD);
        if (fd >= 0)
                (void)close(fd);
        for (fd = 0; fd < LOWEST_FD; fd++)
                (void)fcntl(fd, F_SETFD, 0);
}

/* Dispositions are inherited over fork and, when ignored, over exec: all are put right once, here. The kernel is called
 * directly because libc keeps two real-time signals to itself. */
static int reset_signals(void)
{
        static const char default_action[64];
        sigset_t chld;

        for (int sig = 1; sig <= 64; sig++)
                (void)syscall(SYS_rt_sigaction, sig, default_action, NULL, 8);
        (void)sigemptyset(&chld);
        (void)sigaddset(&chld, SIGCHLD);
        if (sigprocmask(SIG_SETMASK, &chld, NULL) < 0)
                return -errno;
        return signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int launcher_init(struct launcher *l, const int fds[4], int *ret_signal_fd)
{
        int state_fd = fds[0], r;

        *l = (struct launcher){.bell_fd = fds[1], .plans_fd = fds[2], .life_fd = fds[3]};
        fill_standard_fds();
        seal_fds();
        (void)prctl(PR_GET_NAME, l->comm);
        l->map = mmap(NULL, DURABLE_RING, PROT_READ | PROT_WRITE, MAP_SHARED, state_fd, 0);
        if (l->map == MAP_FAILED)
                return -errno;
        if (memcmp(durable_header_of(l->map)->magic, DURABLE_MAGIC, 8) != 0 ||
            durable_header_of(l->map)->major != DURABLE_MAJOR)
                return -EBADMSG;
        (void)close(state_fd);
        raise_fd(&l->bell_fd);
        raise_fd(&l->plans_fd);
        raise_fd(&l->life_fd);
        r = reset_signals();
        if (r < 0)
                return r == -1 ? -errno : r;
        raise_fd(&r);
        *ret_signal_fd = r;
        return 0;
}

static void note_failed(const struct launcher *l, const struct launch_message *m, enum plan_step step, int error)
{
        struct failure f = {.step = step, .error = error};

        start_note(l, m->slot, m->generation, LAUNCH_FAILED, &f, 0);
}

/* The plan: behind the message's head, or mapped from the memfd that came first. NULL with errno set. */
static const char *plan_of(const struct launch_message *m, size_t received, int memfd)
{
        void *p;

        if (!m->in_memfd) {
                if (received - sizeof(*m) == m->plan_size)
                        return message.bytes + sizeof(*m);
                errno = EBADMSG;
                return NULL;
        }
        if (memfd < 0 || m->plan_size == 0) {
                errno = EBADMSG;
                return NULL;
        }
        p = mmap(NULL, m->plan_size, PROT_READ, MAP_PRIVATE, memfd, 0);
        return p == MAP_FAILED ? NULL : p;
}

/* Forks the intermediate for the message received. The caller closes the fds. */
static void launch(const struct launcher *l, size_t received, unsigned n_fds)
{
        const struct launch_message *m = &message.head;
        struct job *j = &the_job;
        unsigned skip = m->in_memfd ? 1 : 0;
        pid_t pid;

        if (n_fds != skip + m->n_extra_fds || n_children == MAX_CHILDREN) {
                note_failed(l, m, PLAN_STEP_PLAN, EMFILE);
                return;
        }
        pid = fork();
        if (pid < 0) {
                note_failed(l, m, PLAN_STEP_FORK, errno);
                return;
        }
        if (pid > 0) {
                children[n_children++] = (struct child){pid, m->slot, m->generation};
                return;
        }
        j->launcher = l;
        j->slot = m->slot;
        j->generation = m->generation;
        j->fds = the_fds + skip;
        j->n_fds = m->n_extra_fds;
        j->log_fd = -1;
        j->plan = plan_of(m, received, n_fds > 0 ? the_fds[0] : -1);
        j->plan_size = m->plan_size;
        if (!j->plan) {
                note_failed(l, m, PLAN_STEP_PLAN, errno);
                _exit(EXIT_FAILURE);
        }
        start_run(j);
}

static unsigned take_fds(const struct msghdr *h)
{
        unsigned n = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR((struct msghdr *)h, c)) {
                size_t count;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                memcpy(the_fds + n, CMSG_DATA(c), count * sizeof(int));
                n += (unsigned)count;
        }
        return n;
}

/* Takes one message. 1, 0 when there is none, -EPIPE when the manager is gone. */
static int receive(const struct launcher *l)
{
        static char control[CMSG_SPACE(sizeof(the_fds))] __attribute__((aligned(8)));
        struct iovec iov = {message.bytes, sizeof(message)};
        struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(l->plans_fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        unsigned n_fds;

        if (n < 0)
                return errno == EAGAIN ? 0 : errno == EINTR ? 1 : -EPIPE;
        if (n == 0)
                return -EPIPE;
        n_fds = take_fds(&h);
        if ((size_t)n >= sizeof(message.head) && message.head.magic == LAUNCH_MAGIC &&
            message.head.slot < DURABLE_MAX_SLOTS) {
                if (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
                        note_failed(l, &message.head, PLAN_STEP_PLAN, EMSGSIZE);
                else
                        launch(l, (size_t)n, n_fds);
        }
        for (unsigned i = 0; i < n_fds; i++)
                (void)close(the_fds[i]);
        return 1;
}

/* An intermediate has ended. Had it no time to note the end (killed from outside), its service either runs already, and
 * is noted as running, or must not run any more. The order (note first, then look at the pid) has its counterpart in
 * service_store_pid(): one of the two sees the other. */
static void settle(const struct launcher *l, const struct child *c)
{
        struct durable_slot *s = &durable_slots(l->map)[c->slot];
        struct failure f = {.step = PLAN_STEP_LAUNCHER_DIED, .error = EOWNERDEAD};
        uint64_t start_time;
        char comm[16];
        pid_t pid;

        if (atomic_load(&s->generation) != c->generation || atomic_load(&s->launch) != LAUNCH_INTENT)
                return;
        pid = (pid_t)atomic_load(&durable_pids(l->map)[c->slot]);
        if (pid > 0 && process_look(pid, &start_time, comm) == 0 && strncmp(comm, l->comm, sizeof(comm)) != 0) {
                f = (struct failure){0};
                start_note(l, c->slot, c->generation, LAUNCH_EXECED, &f, pid);
                return;
        }
        start_note(l, c->slot, c->generation, LAUNCH_FAILED, &f, 0);
        pid = (pid_t)atomic_load(&durable_pids(l->map)[c->slot]);
        if (pid > 0 && atomic_load(&s->generation) == c->generation)
                (void)kill(pid, SIGKILL);
}

static void reap(const struct launcher *l)
{
        pid_t pid;

        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
                for (unsigned i = 0; i < n_children; i++)
                        if (children[i].pid == pid) {
                                settle(l, &children[i]);
                                children[i] = children[--n_children];
                                break;
                        }
}

static int loop(const struct launcher *l, int signal_fd)
{
        for (;;) {
                struct pollfd p[2] = {{.fd = signal_fd, .events = POLLIN}, {.fd = l->plans_fd, .events = POLLIN}};
                struct signalfd_siginfo info[8];
                int r = 1;

                if (poll(p, n_children < MAX_CHILDREN ? 2 : 1, -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (p[0].revents) {
                        (void)!read(signal_fd, info, sizeof(info));
                        reap(l);
                }
                if (p[1].revents)
                        for (unsigned i = 0; i < 64 && r > 0 && n_children < MAX_CHILDREN; i++)
                                r = receive(l);
                if (r < 0)
                        return 0;
        }
}

int main(int argc, char **argv)
{
        static struct launcher l;
        int fds[4], signal_fd = -1, r;

        if (argc == 2 && streq(argv[1], "--version")) {
                (void)printf("supd-exec %s\n", SUPD_VERSION);
                return EXIT_SUCCESS;
        }
        if (argc != 2 || !starts_with(argv[1], "--fds=") || !parse_fds(argv[1] + strlen("--fds="), fds)) {
                (void)fprintf(stderr, "usage: supd-exec --fds=STATE,BELL,PLANS,LIFE (started by supd-manager)\n");
                return 2;
        }
        r = launcher_init(&l, fds, &signal_fd);
        if (r == 0)
                r = loop(&l, signal_fd);
        if (r < 0)
                (void)fprintf(stderr, "supd-exec: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
