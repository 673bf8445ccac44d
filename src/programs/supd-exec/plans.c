/* SPDX-License-Identifier: MIT
 *
 * Plans in, intermediates out: the launcher's loop, its children, and the spares.
 *
 * A spare is an intermediate forked ahead of its plan. It waits for one in recvmsg itself, so that a single start costs
 * one wake-up and no fork on its way. The kernel wakes one receiver a message, and writes the head of what a spare
 * takes into a page that it shares with the launcher. There are two spares, so that the first to take a plan need not
 * wake the launcher, which would only get in its way: its exit does, when the start is done. The one that leaves none
 * behind tells the launcher at once; so whatever blocks a start, the next finds a receiver. While there is no spare the
 * launcher listens to PLANS itself, and forks message in hand (a burst). It forks spares at its own start, while the
 * manager still reads units, and when a start is done and no message is left: not ahead of it, when that would take the
 * CPU from it. A spare that nobody needed for a second leaves: in rest the launcher is alone.
 *
 * Not here: what a plan means (start.c, service.c). Invariant: a message is taken by one process, and from that moment
 * on the launcher can tell for which slot, however the taker ends.
 */
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "job.h"

enum {
        MAX_CHILDREN = 2048, /* intermediates at a time; more messages wait in the socket */
        MAX_FDS = 253,       /* SCM_MAX_FD */
        MAX_DRAIN = 64,      /* messages a turn */
        N_SPARES = 2,
        SPARE_LIFE_S = 1,    /* what was started just now is what may be started again at once */
        MAX_IDLE_DEATHS = 8, /* spares in a row that died without a plan: then none, until the next start */
        TAKEN_NOTHING = 0,
};

struct child {
        pid_t pid;
        uint32_t slot, generation;
};

static struct child children[MAX_CHILDREN];
static unsigned n_children;

/* Memory that the launcher shares with all its children. */
static struct shared {
        struct launch_message taken[N_SPARES]; /* what each spare has taken, once the magic is there */
        _Atomic uint32_t is_there[N_SPARES];   /* launcher: there is such a spare */
        _Atomic uint32_t has_read[N_SPARES];   /* spare: what was taken is copied, its place may be used again */
        _Atomic uint32_t clock_is_known;
} * shared;

static struct {
        pid_t pids[N_SPARES]; /* 0 = there is none */
        unsigned n;
        int none_left_fd; /* eventfd */
        unsigned idle_deaths;
        bool is_clock_tried;
} spares = {.none_left_fd = -1};

static union {
        struct launch_message head;
        char bytes[sizeof(struct launch_message) + LAUNCH_INLINE_MAX];
} message __attribute__((aligned(8)));

static struct job the_job;
static int the_fds[MAX_FDS];

static void note_failed(const struct launcher *l, const struct launch_message *m, enum plan_step step, int error)
{
        struct failure f = {.step = step, .error = error};

        start_note(l, m->slot, m->generation, LAUNCH_FAILED, &f, NULL);
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

/* In the intermediate: carries out the start of the message received. */
static _Noreturn void intermediate_run(const struct launcher *l, size_t received, unsigned n_fds)
{
        const struct launch_message *m = &message.head;
        struct job *j = &the_job;
        unsigned skip = m->in_memfd ? 1 : 0;

        j->launcher = l;
        j->slot = m->slot;
        j->generation = m->generation;
        j->fds = the_fds + skip;
        j->n_fds = m->n_extra_fds;
        j->log_fd = j->group_fd = -1;
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

/* What a message turned out to be. */
struct received {
        size_t size;
        unsigned n_fds;
        bool is_start; /* it names a slot, so its end must be noted */
        int error;     /* why it cannot be carried out; 0 = it can */
};

/* Takes one message, the head into HEAD and from there into `message`. 1, 0 when there is none, -EPIPE when the manager
 * is gone. */
static int receive(const struct launcher *l, struct launch_message *head, int flags, struct received *ret)
{
        static char control[CMSG_SPACE(sizeof(the_fds))] __attribute__((aligned(8)));
        struct iovec iov[2] = {{head, sizeof(*head)}, {message.bytes + sizeof(*head), LAUNCH_INLINE_MAX}};
        struct msghdr h = {.msg_iov = iov, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(l->plans_fd, &h, flags | MSG_CMSG_CLOEXEC);
        struct received r = {0};

        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -EPIPE;
        if (n == 0)
                return -EPIPE;
        if (head != &message.head)
                message.head = *head;
        r.size = (size_t)n;
        r.n_fds = take_fds(&h);
        r.is_start = r.size >= sizeof(message.head) && message.head.magic == LAUNCH_MAGIC &&
                     message.head.slot < DURABLE_MAX_SLOTS;
        if (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
                r.error = EMSGSIZE;
        else if (r.n_fds != (message.head.in_memfd ? 1 : 0) + message.head.n_extra_fds)
                r.error = EMFILE;
        *ret = r;
        return 1;
}

/* Forks the intermediate for the message received. */
static void launch(const struct launcher *l, const struct received *r)
{
        const struct launch_message *m = &message.head;
        pid_t pid;

        if (r->error != 0 || n_children == MAX_CHILDREN) {
                note_failed(l, m, PLAN_STEP_PLAN, r->error ? r->error : EMFILE);
                return;
        }
        pid = fork();
        if (pid == 0) {
                (void)setsid();
                intermediate_run(l, r->size, r->n_fds);
        }
        if (pid < 0)
                note_failed(l, m, PLAN_STEP_FORK, errno);
        else
                children[n_children++] = (struct child){pid, m->slot, m->generation};
}

/* Takes one message and forks for it. As receive(). */
static int receive_and_launch(const struct launcher *l)
{
        struct received received;
        int r = receive(l, &message.head, MSG_DONTWAIT, &received);

        if (r <= 0)
                return r;
        if (received.is_start)
                launch(l, &received);
        for (unsigned i = 0; i < received.n_fds; i++)
                (void)close(the_fds[i]);
        return 1;
}

/* What a start would otherwise have to wait for: memory that is not there before it is touched. */
static void warm_up(const struct launcher *l, struct launch_message *taken)
{
        volatile uint32_t *bss = &the_job.slot, *text = (uint32_t *)(void *)message.bytes;

        *(volatile uint32_t *)&taken->magic = TAKEN_NOTHING;
        *bss = 0;
        *text = 0;
        (void)atomic_load(&durable_pids(l->map)[0]);
        (void)atomic_load(&durable_slots(l->map)[0].launch);
        (void)clock_boottime_ns();
        start_warm_up(&the_job);
}

/* Of two spares that take something at the same time one at least sees the other: their messages' heads are written. */
static bool other_waits(const struct launch_message *taken)
{
        atomic_thread_fence(memory_order_seq_cst);
        for (unsigned i = 0; i < N_SPARES; i++)
                if (&shared->taken[i] != taken && atomic_load(&shared->is_there[i]) &&
                    *(volatile uint32_t *)&shared->taken[i].magic == TAKEN_NOTHING)
                        return true;
        return false;
}

/* A spare's life. Until it has a plan it dies with the launcher; from then on it finishes, whoever dies. */
static _Noreturn void spare_run(const struct launcher *l, struct launch_message *taken, pid_t launcher)
{
        static const uint64_t one = 1;
        struct received received;
        int r;

        (void)setsid();
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != launcher)
                _exit(EXIT_SUCCESS);
        warm_up(l, taken);
        r = receive(l, taken, 0, &received);
        if (r <= 0)
                _exit(EXIT_SUCCESS); /* nobody needed it for SPARE_LIFE_S, or the manager is gone */
        atomic_store(&shared->has_read[taken - shared->taken], 1);
        (void)prctl(PR_SET_PDEATHSIG, 0);
        if (!other_waits(taken))
                (void)!write(spares.none_left_fd, &one, sizeof(one));
        if (!received.is_start)
                _exit(EXIT_SUCCESS);
        if (received.error != 0) {
                note_failed(l, &message.head, PLAN_STEP_PLAN, received.error);
                _exit(EXIT_SUCCESS);
        }
        intermediate_run(l, received.size, received.n_fds);
}

/* Whether start_time can be told from CLOCK_BOOTTIME here is tried out on the first spare, once. */
static void try_clock(const struct launcher *l, const struct birth *b)
{
        uint64_t real, told;
        char comm[16];

        if (!birth_start_time(b, &told))
                return; /* the next spare, then */
        spares.is_clock_tried = true;
        if (process_look(b->pid, &real, comm) == 0 && real == told)
                atomic_store(l->clock_is_known, 1);
}

static bool spare_make(const struct launcher *l, unsigned i)
{
        struct birth birth = {.before = clock_boottime_ns()};
        pid_t self = getpid();

        memset(&shared->taken[i], 0, sizeof(shared->taken[i]));
        atomic_store(&shared->has_read[i], 0);
        atomic_store(&shared->is_there[i], 1);
        birth.pid = fork();
        if (birth.pid == 0)
                spare_run(l, &shared->taken[i], self);
        if (birth.pid < 0) {
                atomic_store(&shared->is_there[i], 0);
                return false;
        }
        birth.after = clock_boottime_ns();
        spares.pids[i] = birth.pid;
        spares.n++;
        if (!spares.is_clock_tried)
                try_clock(l, &birth);
        return true;
}

/* Forks the spares that are missing and may be. Without any the launcher takes all messages itself. */
static void spares_make(const struct launcher *l)
{
        if (spares.none_left_fd < 0 || spares.idle_deaths >= MAX_IDLE_DEATHS)
                return;
        for (unsigned i = 0; i < N_SPARES && n_children + spares.n < MAX_CHILDREN; i++)
                if (spares.pids[i] == 0 && !spare_make(l, i))
                        return;
}

static void spare_forget(unsigned i)
{
        spares.pids[i] = 0;
        spares.n--;
        atomic_store(&shared->is_there[i], 0);
}

/* Spares that have taken something are intermediates like any other from now on. Room for them was seen to. One that
 * lives and has not read yet what it took keeps its place a little longer: it says so, or its end does. DEAD: a pid, or
 * 0. */
static void spares_graduate(pid_t dead)
{
        for (unsigned i = 0; i < N_SPARES; i++) {
                const struct launch_message *m = &shared->taken[i];

                if (spares.pids[i] == 0 || m->magic == TAKEN_NOTHING)
                        continue;
                if (spares.pids[i] != dead && !atomic_load(&shared->has_read[i]))
                        continue;
                if (m->magic == LAUNCH_MAGIC && m->slot < DURABLE_MAX_SLOTS)
                        children[n_children++] = (struct child){spares.pids[i], m->slot, m->generation};
                spare_forget(i);
                spares.idle_deaths = 0;
        }
}

/* PID has died: was it a spare that had nothing yet? One that nobody needed leaves quietly, and is not replaced before
 * the next start. */
static bool spare_died(pid_t pid, int status)
{
        for (unsigned i = 0; i < N_SPARES; i++)
                if (spares.pids[i] == pid) {
                        spare_forget(i);
                        spares.idle_deaths += status != 0;
                        return status == 0;
                }
        return false;
}

/* 0 or a negative errno. Without an eventfd there are no spares. */
static int share(struct launcher *l)
{
        void *p = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        const struct timeval life = {.tv_sec = SPARE_LIFE_S};
        int fd;

        if (p == MAP_FAILED)
                return -errno;
        shared = p;
        l->clock_is_known = &shared->clock_is_known;
        /* for the spares' blocking recvmsg() only: the launcher's own never waits */
        if (setsockopt(l->plans_fd, SOL_SOCKET, SO_RCVTIMEO, &life, sizeof(life)) < 0)
                return 0;
        fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        spares.none_left_fd = fd < 0 ? -1 : fd_raised(fd);
        return 0;
}

/* An intermediate has ended. Had it no time to note the end (killed from outside), its service either runs already, and
 * is noted as running, or must not run any more. The order (note first, then look at the pid) has its counterpart in
 * service_store_pid(): one of the two sees the other. */
static void settle(const struct launcher *l, const struct child *c)
{
        struct durable_slot *s = &durable_slots(l->map)[c->slot];
        struct failure f = {.step = PLAN_STEP_LAUNCHER_DIED, .error = EOWNERDEAD};
        struct birth birth = {0};
        uint64_t start_time;
        char comm[16];
        pid_t pid;

        if (atomic_load(&s->generation) != c->generation || atomic_load(&s->launch) != LAUNCH_INTENT)
                return;
        birth.pid = (pid_t)atomic_load(&durable_pids(l->map)[c->slot]);
        if (birth.pid > 0 && process_look(birth.pid, &start_time, comm) == 0 &&
            strncmp(comm, l->comm, sizeof(comm)) != 0) {
                f = (struct failure){0};
                start_note(l, c->slot, c->generation, LAUNCH_EXECED, &f, &birth);
                return;
        }
        start_note(l, c->slot, c->generation, LAUNCH_FAILED, &f, NULL);
        pid = (pid_t)atomic_load(&durable_pids(l->map)[c->slot]);
        if (pid > 0 && atomic_load(&s->generation) == c->generation)
                (void)kill(pid, SIGKILL);
}

/* True: some start is done, or a spare is gone. A spare that left is no longer there before the other one is looked at:
 * that one has said that it has read before it looks who is there, so one of the two sees that nobody receives. */
static bool reap(const struct launcher *l)
{
        bool any = false;
        pid_t pid;
        int status;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
                spares_graduate(pid);
                if (spare_died(pid, status)) {
                        spares_graduate(0);
                        continue;
                }
                any = true;
                for (unsigned i = 0; i < n_children; i++)
                        if (children[i].pid == pid) {
                                settle(l, &children[i]);
                                children[i] = children[--n_children];
                                break;
                        }
        }
        return any;
}

/* Takes what there is. 0 when nothing is left, 1 when there may be more, -EPIPE when the manager is gone. */
static int drain(const struct launcher *l)
{
        int r = 1;

        for (unsigned i = 0; i < MAX_DRAIN && r > 0 && n_children < MAX_CHILDREN; i++) {
                r = receive_and_launch(l);
                if (r > 0)
                        spares.idle_deaths = 0;
        }
        return r;
}

/* Waits, and takes note of what comes but messages. 1 = and spares may be made, 0, -EPIPE when the manager is gone. */
static int wait_and_reap(const struct launcher *l, int signal_fd)
{
        struct pollfd p[] = {{.fd = signal_fd, .events = POLLIN},
                             {.fd = spares.none_left_fd, .events = POLLIN},
                             {.fd = n_children < MAX_CHILDREN ? l->plans_fd : -1, .events = spares.n > 0 ? 0 : POLLIN}};
        struct signalfd_siginfo info[8];
        uint64_t n;

        if (poll(p, ARRAY_SIZE(p), -1) < 0)
                return errno == EINTR ? 0 : -errno;
        if (p[1].revents) {
                (void)!read(spares.none_left_fd, &n, sizeof(n));
                spares_graduate(0);
        }
        if (spares.n > 0 && p[2].revents & (POLLHUP | POLLERR))
                return -EPIPE;
        if (!p[0].revents)
                return 0;
        (void)!read(signal_fd, info, sizeof(info));
        return reap(l) ? 1 : 0;
}

int plans_loop(struct launcher *l, int signal_fd)
{
        int r = share(l), left;
        bool room = true; /* for spares: at first, too, while the manager reads its first units */

        while (r >= 0) {
                left = spares.n == 0 ? drain(l) : 0;
                if (left == 0 && room)
                        spares_make(l);
                r = left < 0 ? left : wait_and_reap(l, signal_fd);
                room = r > 0;
        }
        return r == -EPIPE ? 0 : r;
}
