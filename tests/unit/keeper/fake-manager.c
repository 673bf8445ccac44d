/* SPDX-License-Identifier: MIT
 *
 * A stand-in for supd-manager under the real keeper: it does what the test tells it over a socket, one line per
 * command, one line back.
 *
 * Not here: any decision. Invariant: processes it starts are adopted by the keeper (double fork) and never outlive the
 * test, which is a subreaper itself and ends what is left.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "handover/handover.h"
#include "sys/sys.h"

static struct handover_fds fds;
static void *map;
static int test_fd = -1;
static char arguments[4096];

static void reply(const char *format, ...) printf_like_(1, 2);
static void reply(const char *format, ...)
{
        char line[4096];
        va_list ap;

        va_start(ap, format);
        int n = vsnprintf(line, sizeof(line), format, ap);
        va_end(ap);
        if (write(test_fd, line, (size_t)n) != n)
                _exit(99);
}

static uint64_t boottime_us(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_BOOTTIME, &t);
        return (uint64_t)t.tv_sec * USEC_PER_SEC + (uint64_t)t.tv_nsec / 1000;
}

/* Forks a child of the keeper. Returns its pid here, 0 there. */
static pid_t orphan_fork(int *go)
{
        int p[2], q[2];
        pid_t pid = -1, middle;

        if (pipe2(p, O_CLOEXEC) < 0 || pipe2(q, O_CLOEXEC) < 0)
                _exit(98);
        middle = fork();
        if (middle == 0) {
                pid = fork();
                if (pid == 0) {
                        char c;
                        (void)close(test_fd);
                        (void)close(q[1]);
                        (void)munmap(map, DURABLE_FILE_SIZE); /* as exec would: map and fd carry the lock */
                        (void)close(fds.state);
                        (void)close(fds.bell);
                        (void)close(fds.keeper);
                        (void)!read(q[0], &c, 1);
                        return 0;
                }
                (void)!write(p[1], &pid, sizeof(pid));
                _exit(0);
        }
        (void)waitpid(middle, NULL, 0);
        if (read(p[0], &pid, sizeof(pid)) != (ssize_t)sizeof(pid))
                _exit(97);
        (void)close(p[0]);
        (void)close(p[1]);
        (void)close(q[0]);
        *go = q[1]; /* closed by the caller: the child goes on */
        return pid;
}

static void slot_take(long slot, pid_t pid, uint32_t generation)
{
        struct durable_slot *s = &durable_slots(map)[slot];

        atomic_store(&s->generation, generation);
        atomic_store(&s->launch, LAUNCH_EXECED);
        atomic_store(&durable_pids(map)[slot], (uint32_t)pid);
}

/* exit SLOT GENERATION STATUS: a service that ends; SLOT -1: nobody claims it */
static void do_exit_child(long slot, long generation, long status)
{
        int go;
        pid_t pid = orphan_fork(&go);

        if (pid == 0)
                _exit((int)status);
        if (slot >= 0)
                slot_take(slot, pid, (uint32_t)generation);
        (void)close(go);
        reply("%d", (int)pid);
}

/* stale SLOT OTHER STATUS: SLOT claims the number of a child for an older process; the child, which ends with STATUS,
 * is in slot OTHER (-1: in none) */
static void do_stale_claim(long slot, long other, long status)
{
        struct durable_slot *s = &durable_slots(map)[slot];
        int go;
        pid_t pid = orphan_fork(&go);

        if (pid == 0)
                _exit((int)status);
        slot_take(slot, pid, 11);
        atomic_store(&s->start_time, 1);
        atomic_store(&s->launch, LAUNCH_CLAIMED);
        if (other >= 0)
                slot_take(other, pid, 12);
        (void)close(go);
        reply("%d", (int)pid);
}

/* claim SLOT GENERATION STATUS: SLOT claims a child by its number and start time, twice as a second manager would, and
 * once more behind its end, which is in the ring then; replies its number */
static void do_claim(long slot, long generation, long status)
{
        struct durable_header *h = durable_header_of(map);
        struct durable_slot *s = &durable_slots(map)[slot];
        uint64_t end = boottime_us() + 10 * USEC_PER_SEC;
        uint32_t head = atomic_load(&h->ring_head);
        struct durable_exit e;
        struct sys_stat st = {0};
        int go, r;
        pid_t pid = orphan_fork(&go);

        if (pid == 0)
                _exit((int)status);
        r = sys_stat(pid, &st);
        atomic_store(&s->generation, (uint32_t)generation);
        atomic_store(&s->start_time, st.start_time);
        for (int i = 0; i < 2 && r == 0; i++)
                r = handover_claim(map, (uint32_t)slot, (uint32_t)pid, 0, &e);
        (void)close(go);
        while (atomic_load(&h->ring_head) == head && boottime_us() < end)
                ;
        if (r == 0)
                r = handover_claim(map, (uint32_t)slot, (uint32_t)pid, 0, &e);
        reply("%d", r == 0 ? (int)pid : -1);
}

/* sleep SLOT GENERATION 0: a service that stays; life!=0: it holds the life pipe */
static void do_sleep_child(long slot, long generation, long life)
{
        int go;
        pid_t pid = orphan_fork(&go);

        if (pid == 0) {
                if (life == 0)
                        (void)close(fds.life);
                for (;;)
                        (void)pause();
        }
        if (slot >= 0)
                slot_take(slot, pid, (uint32_t)generation);
        (void)close(go);
        reply("%d", (int)pid);
}

/* storm N: N processes become orphans at once, dead already */
static void do_storm(long n, long unused1, long unused2)
{
        pid_t middle = fork();

        (void)unused1;
        (void)unused2;
        if (middle == 0) {
                for (long i = 0; i < n; i++) {
                        pid_t pid = fork();
                        if (pid == 0)
                                _exit(0);
                        if (pid < 0)
                                _exit(1);
                }
                _exit(0);
        }
        int status = 0;
        (void)waitpid(middle, &status, 0);
        reply("%d", status == 0);
}

/* One round of the claim race; true when the exit was seen, and right. Both ways are open, each once. */
static bool race_round(uint32_t slot, uint32_t generation, pid_t pid, unsigned spin)
{
        struct durable_header *h = durable_header_of(map);
        struct durable_exit e = {0};
        uint64_t since = boottime_us(), end;
        uint32_t tail = atomic_load(&h->ring_tail), n;
        int r, rung = 0;

        atomic_store(&durable_slots(map)[slot].generation, generation);
        (void)kill(pid, SIGKILL);
        for (volatile unsigned i = 0; i < spin; i++)
                ;
        r = handover_claim(map, slot, (uint32_t)pid, since, &e);
        end = boottime_us() + 5 * USEC_PER_SEC;
        while (r == 0 && rung == 0 && boottime_us() < end) {
                if (atomic_load(&h->ring_head) != tail) {
                        e = durable_ring(map)[tail % DURABLE_MAX_SLOTS];
                        rung = 1;
                }
        }
        while (kill(pid, 0) == 0 && boottime_us() < end) /* reaped: nothing more can come of it */
                ;
        n = atomic_load(&h->ring_head) - tail;
        atomic_store(&h->ring_tail, atomic_load(&h->ring_head));
        atomic_store(&durable_pids(map)[slot], 0);
        handover_orphan_forget(map, (uint32_t)pid);
        return (r == 1 || n == 1) && n <= 1 && e.pid == (uint32_t)pid && e.generation == generation &&
               e.code == CLD_KILLED && e.status == SIGKILL;
}

#define RACE_BATCH 100

/* race ROUNDS: replies the number of rounds that went wrong */
static void do_race(long rounds, long unused1, long unused2)
{
        unsigned wrong = 0, random = 12345;

        (void)unused1;
        (void)unused2;
        for (long done = 0; done < rounds; done += RACE_BATCH) {
                pid_t pids[RACE_BATCH];
                int p[2];

                if (pipe2(p, O_CLOEXEC) < 0)
                        _exit(96);
                pid_t middle = fork();
                if (middle == 0) {
                        for (unsigned i = 0; i < RACE_BATCH; i++) {
                                pids[i] = fork();
                                if (pids[i] == 0)
                                        for (;;)
                                                (void)pause();
                                if (pids[i] < 0) {
                                        while (i-- > 0)
                                                (void)kill(pids[i], SIGKILL);
                                        _exit(1); /* never is -1 killed: that would be everybody */
                                }
                        }
                        (void)!write(p[1], pids, sizeof(pids));
                        _exit(0);
                }
                (void)waitpid(middle, NULL, 0);
                if (read(p[0], pids, sizeof(pids)) != (ssize_t)sizeof(pids))
                        _exit(95);
                (void)close(p[0]);
                (void)close(p[1]);
                for (unsigned i = 0; i < RACE_BATCH; i++) {
                        random = random * 1103515245u + 12345u;
                        if (!race_round(1, (uint32_t)(done + i + 1), pids[i], (random >> 8) % 40000u))
                                wrong++;
                }
        }
        reply("%u", wrong);
}

static void do_store(const char *name)
{
        int fd = memfd_create(name, MFD_CLOEXEC);
        int r;

        (void)!write(fd, name, strlen(name));
        r = handover_store(fds.keeper, name, fd);
        (void)close(fd);
        reply("%d", r);
}

static void do_drop(const char *name)
{
        reply("%d", handover_drop(fds.keeper, name));
}

/* inherited NAME: number and contents of the fd */
static void do_inherited(const char *name)
{
        char text[64] = "";
        int fd = handover_inherited(map, name);

        if (fd >= 0 && pread(fd, text, sizeof(text) - 1, 0) < 0)
                fd = -1000 - errno;
        reply("%d %s", fd, text);
}

/* Messages that no manager should send. */
static void do_bad(const char *unused)
{
        struct handover_message m = {.kind = 77, .name = "x"};

        (void)unused;
        (void)send(fds.keeper, &m, sizeof(m), 0); /* unknown kind */
        m.kind = HANDOVER_STORE;
        (void)send(fds.keeper, &m, sizeof(m), 0);     /* no fd */
        (void)send(fds.keeper, &m, sizeof(m) - 1, 0); /* short */
        memset(m.name, 'a', sizeof(m.name));
        m.kind = HANDOVER_DROP;
        (void)send(fds.keeper, &m, sizeof(m), 0); /* not terminated */
        (void)snprintf(m.name, sizeof(m.name), "a/b");
        (void)send(fds.keeper, &m, sizeof(m), 0);
        (void)snprintf(m.name, sizeof(m.name), "never-stored");
        (void)send(fds.keeper, &m, sizeof(m), 0);
        reply("6");
}

static void do_bell(const char *unused)
{
        struct pollfd p = {.fd = fds.bell, .events = POLLIN};
        uint64_t n = 0;

        (void)unused;
        if (poll(&p, 1, 10000) == 1 && read(fds.bell, &n, sizeof(n)) < 0)
                n = 0;
        reply("%llu", (unsigned long long)n);
}

static void do_info(const char *unused)
{
        sigset_t mask;
        int blocked = 0;

        (void)unused;
        (void)sigprocmask(SIG_SETMASK, NULL, &mask);
        for (int s = 1; s < 32; s++)
                blocked += sigismember(&mask, s) == 1;
        reply("%d blocked=%d args=%s", (int)getpid(), blocked, arguments);
}

/* latency N: exits measured from the dying service's last instruction to the manager awake; replies median ns */
static int compare_u64(const void *a, const void *b)
{
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
        return x < y ? -1 : x > y;
}

static uint64_t mono_ns(void)
{
        struct timespec t;

        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static uint64_t median(uint64_t *v, unsigned n)
{
        qsort(v, n, sizeof(*v), compare_u64);
        return v[n / 2];
}

static uint64_t latency_keeper(_Atomic uint64_t *stamp)
{
        struct durable_header *h = durable_header_of(map);
        uint32_t tail = atomic_load(&h->ring_tail);
        uint64_t n, t;
        int go;
        pid_t pid = orphan_fork(&go);

        if (pid == 0) {
                atomic_store(stamp, mono_ns());
                _exit(0);
        }
        slot_take(2, pid, 7);
        while (read(fds.bell, &n, sizeof(n)) > 0)
                ;
        (void)usleep(200); /* the child blocks in its read, the keeper in its ppoll */
        (void)close(go);
        struct pollfd p = {.fd = fds.bell, .events = POLLIN};
        while (atomic_load_explicit(&h->ring_head, memory_order_acquire) == tail)
                if (poll(&p, 1, 10000) == 1)
                        (void)!read(fds.bell, &n, sizeof(n));
        t = mono_ns();
        atomic_store(&h->ring_tail, tail + 1);
        return t - atomic_load(stamp);
}

static uint64_t latency_direct(_Atomic uint64_t *stamp)
{
        int p[2], status;
        char c;

        if (pipe2(p, O_CLOEXEC) < 0)
                _exit(94);
        pid_t pid = fork();
        if (pid == 0) {
                (void)close(p[1]);
                (void)!read(p[0], &c, 1);
                atomic_store(stamp, mono_ns());
                _exit(0);
        }
        (void)close(p[0]);
        (void)usleep(200);
        (void)close(p[1]);
        (void)waitpid(pid, &status, 0);
        return mono_ns() - atomic_load(stamp);
}

static void do_latency(long rounds, long unused1, long unused2)
{
        enum { MAX = 2000 };
        static uint64_t keeper[MAX], direct[MAX];
        _Atomic uint64_t *stamp = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        unsigned n = (unsigned)MIN2(rounds, MAX);

        (void)unused1;
        (void)unused2;
        for (unsigned i = 0; i < n; i++) {
                keeper[i] = latency_keeper(stamp);
                direct[i] = latency_direct(stamp);
        }
        reply("%llu %llu", (unsigned long long)median(keeper, n), (unsigned long long)median(direct, n));
}

static void do_end(long status, long outcome, long how)
{
        struct durable_header *h = durable_header_of(map);

        if (outcome) {
                atomic_store(&h->outcome_status, (int)status);
                atomic_store(&h->outcome, (uint32_t)outcome);
        }
        if (how)
                (void)raise((int)how);
        _exit((int)status);
}

static const struct {
        const char *name;
        void (*numbers)(long a, long b, long c);
        void (*text)(const char *word);
} commands[] = {
        {"exit", do_exit_child, NULL},     {"sleep", do_sleep_child, NULL},
        {"stale", do_stale_claim, NULL},   {"claim", do_claim, NULL},
        {"storm", do_storm, NULL},         {"race", do_race, NULL},
        {"latency", do_latency, NULL},     {"end", do_end, NULL},
        {"store", NULL, do_store},         {"drop", NULL, do_drop},
        {"inherited", NULL, do_inherited}, {"bad", NULL, do_bad},
        {"bell", NULL, do_bell},           {"info", NULL, do_info},
};

static void command_do(const char *line)
{
        char name[32] = "", word[64] = "";
        long a = 0, b = 0, c = 0;

        (void)sscanf(line, "%31s", name);
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
                if (!streq(commands[i].name, name))
                        continue;
                if (commands[i].numbers) {
                        (void)sscanf(line, "%*s %ld %ld %ld", &a, &b, &c);
                        commands[i].numbers(a, b, c);
                } else {
                        (void)sscanf(line, "%*s %63s", word);
                        commands[i].text(word);
                }
                return;
        }
        _exit(93);
}

static int test_connect(void)
{
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        const char *path = getenv("FAKE_MANAGER_SOCKET");
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        if (!path || fd < 0)
                return -1;
        (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
        return connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ? -1 : fd;
}

int main(int argc, char **argv)
{
        char line[256];

        if (getenv("FAKE_MANAGER_EXIT"))
                return atoi(getenv("FAKE_MANAGER_EXIT"));
        if (getenv("FAKE_MANAGER_ASLEEP") &&
            open(getenv("FAKE_MANAGER_ASLEEP"), O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0)
                for (;;)
                        (void)pause(); /* the first one only; before it has looked at anything */
        if (argc < 2 || !starts_with(argv[1], "--fds=") || handover_fds_parse(argv[1] + 6, &fds) < 0 ||
            handover_map(fds.state, &map) < 0)
                return 91;
        for (int i = 2; i < argc; i++) {
                size_t n = strlen(arguments);
                (void)snprintf(arguments + n, sizeof(arguments) - n, "%s%s", i > 2 ? " " : "", argv[i]);
        }
        test_fd = test_connect();
        if (test_fd < 0)
                return 92;
        if (!getenv("FAKE_MANAGER_SICK")) {
                atomic_store(&durable_header_of(map)->manager_healthy, 1);
                (void)handover_ring(fds.keeper);
        }
        for (;;) {
                struct pollfd p[] = {{.fd = test_fd, .events = POLLIN}, {.fd = fds.keeper, .events = 0}};

                if (poll(p, 2, -1) < 0 || (p[1].revents & POLLHUP))
                        return 0;
                ssize_t n = read(test_fd, line, sizeof(line) - 1);
                if (n <= 0)
                        return 0;
                line[n] = '\0';
                command_do(line);
        }
}
