/* SPDX-License-Identifier: MIT
 *
 * supd-exec, the launcher: takes plans from the manager and forks an intermediate for each (abi/launch.h).
 *
 *     supd-exec --fds=STATE,BELL,PLANS,LIFE [--protocol=N]
 *     supd-exec --protocol=N      can this launcher be used by a manager that speaks N?
 *
 * Here it becomes what it has to be; plans.c is its loop. Not here: what a plan means (start.c, service.c). The
 * launcher itself never blocks on anything but poll, allocates nothing, and keeps its memory small, because each start
 * forks it. Invariant: every message taken ends with slot.launch EXECED or FAILED, noted by the intermediate, or by the
 * launcher when the intermediate died, or (launcher dead) to be concluded by the manager once PLANS has hung up, which
 * happens only when the last process on its way to exec is gone.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include "job.h"

/* What is ours lies above what is passed to most services, and below 64: with higher ones the kernel would allocate a
 * table of fds for each process that is forked here, and for each service as long as it lives. */
enum { LOWEST_FD = 3, HIGH_FD = 40 };

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

int fd_raised(int fd)
{
        int r = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

        if (r < 0) {
                (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
                return fd;
        }
        (void)close(fd);
        return r;
}

void fds_close(unsigned first, unsigned last)
{
        long max;

        if (first > last)
                return;
#ifdef SYS_close_range
        if (syscall(SYS_close_range, first, last, 0) == 0)
                return;
#endif
        max = sysconf(_SC_OPEN_MAX);
        for (unsigned fd = first; fd <= last && fd < (unsigned)MIN2(max < 0 ? 1024 : max, 65536); fd++)
                (void)close((int)fd);
}

/* Whatever else was inherited must not reach a service, nor be held open here: a manager that took over from another
 * has what services gave it to keep. */
static void close_others(const int fds[4])
{
        unsigned from = LOWEST_FD;

        for (;;) {
                unsigned next = ~0u; /* the lowest of ours that is not below FROM */
                for (int i = 0; i < 4; i++)
                        if (fds[i] >= (int)from)
                                next = MIN2(next, (unsigned)fds[i]);
                if (next == ~0u)
                        break;
                if (next > from)
                        fds_close(from, next - 1);
                from = next + 1;
        }
        fds_close(from, ~0u);
}

/* fds 0 to 2 must be taken, or an fd of ours would become a service's standard stream. Standard input is what most
 * services have: one open file for all of them. */
static void fill_standard_fds(struct launcher *l)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        l->input_is_null = fd >= 0 && (fd == STDIN_FILENO || dup2(fd, STDIN_FILENO) == STDIN_FILENO);
        if (fd > STDIN_FILENO)
                (void)close(fd);
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
        fill_standard_fds(l);
        close_others(fds);
        (void)prctl(PR_GET_NAME, l->comm);
        l->map = mmap(NULL, DURABLE_RING, PROT_READ | PROT_WRITE, MAP_SHARED, state_fd, 0);
        if (l->map == MAP_FAILED)
                return -errno;
        if (memcmp(durable_header_of(l->map)->magic, DURABLE_MAGIC, 8) != 0 ||
            durable_header_of(l->map)->major != DURABLE_MAJOR)
                return -EBADMSG;
        (void)close(state_fd);
        l->bell_fd = fd_raised(l->bell_fd);
        l->plans_fd = fd_raised(l->plans_fd);
        l->life_fd = fd_raised(l->life_fd);
        r = reset_signals();
        if (r < 0)
                return r == -1 ? -errno : r;
        *ret_signal_fd = fd_raised(r);
        return 0;
}

int main(int argc, char **argv)
{
        static struct launcher l;
        int fds[4], signal_fd = -1, r;

        if (argc == 2 && streq(argv[1], "--version")) {
                (void)printf("supd-exec %s\n", SUPD_VERSION);
                return EXIT_SUCCESS;
        }
        if (argc == 2 && starts_with(argv[1], "--generators=")) {
                fds_close(LOWEST_FD, ~0u);
                return generators_run(argv[1] + strlen("--generators="));
        }
        if (argc >= 2 && starts_with(argv[argc - 1], "--protocol=")) {
                if (atoi(argv[argc - 1] + strlen("--protocol=")) != LAUNCH_PROTOCOL)
                        return LAUNCH_EXIT_PROTOCOL;
                if (--argc == 1)
                        return EXIT_SUCCESS;
        }
        if (argc != 2 || !starts_with(argv[1], "--fds=") || !parse_fds(argv[1] + strlen("--fds="), fds)) {
                (void)fprintf(stderr, "usage: supd-exec --fds=STATE,BELL,PLANS,LIFE (started by supd-manager)\n");
                return 2;
        }
        r = launcher_init(&l, fds, &signal_fd);
        if (r == 0)
                r = plans_loop(&l, signal_fd);
        if (r < 0)
                (void)fprintf(stderr, "supd-exec: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
