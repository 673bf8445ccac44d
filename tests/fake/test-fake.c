/* SPDX-License-Identifier: MIT
 *
 * The manager in a world of our own (world.h): every scenario plain, against golden/NAME.txt; then with the k-th kernel
 * call failing, for every k and every errno that can be; with the k-th allocation failing; with a death before the k-th
 * call and another manager taking over; and at random paces.
 *
 *     test-fake MODE GOLDEN [SCENARIO [NUMBER]]    MODE: plain write calls memory deaths paces; with NUMBER the story
 * of that one variant is told. SUPD_TEST_FAKE_EVERY=N: only every N-th variant of a scenario is run
 *
 * Invariant: each variant runs in processes of its own, so that one never colours the next.
 */
#include "world.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abi/durable-file.h"

int manager_main(int argc, char **argv);

enum { MANAGERS = 12, PACES = 40 };

static struct {
        char directory[64], fds[64];
        const char *golden, *scenario;
        unsigned number; /* the only variant that is run; 0 = all */
        unsigned every;  /* of all, each how-manieth; 1 = each */
        int log_fd, keeper[2];
        unsigned n_variants, n_wrong;
} test;

struct variant {
        unsigned number;
        uint32_t fail_at, crash_at, alloc_at;
        int fail_errno;
        bool fail_on;
        enum fate fate;
        unsigned seed, step_us;
        char text[128];
};

static int at_path(const char *format, const char *name, const char *text)
{
        char path[512];
        cleanup_close_ int fd = -1;

        (void)snprintf(path, sizeof(path), "%s%s%s", test.directory, format, name);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        return fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ? -EIO : 0;
}

static int remove_one(const char *path, const struct stat *st unused_, int type unused_, struct FTW *f)
{
        return f->level > 0 || strncmp(path, test.directory, strlen(path)) != 0 ? remove(path) : 0;
}

static void clear_directory(void)
{
        char path[512];

        (void)nftw(test.directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        (void)snprintf(path, sizeof(path), "%s/units", test.directory);
        (void)mkdir(path, 0755);
}

static void write_units(const struct scenario *s)
{
        int r = at_path("/units/", "boot.target", "[Unit]\nDefaultDependencies=no\n");

        for (size_t i = 0; i < ARRAY_SIZE(s->units) && s->units[i].name && r == 0; i++)
                r = at_path("/units/", s->units[i].name, s->units[i].text);
        if (r < 0)
                wrong("unit files cannot be written");
}

/* As programs/supd/state-file.c makes it. */
static int state_new(void)
{
        struct durable_header h = {.major = DURABLE_MAJOR,
                                   .header_size = sizeof(h),
                                   .slot_size = sizeof(struct durable_slot),
                                   .boot_id = {1, 2, 3},
                                   .n_slots = DURABLE_FIRST_SLOTS,
                                   .keeper_pid = 1};
        int fd = memfd_create("state", MFD_CLOEXEC);

        memcpy(h.magic, DURABLE_MAGIC, sizeof(h.magic));
        if (fd < 0 || ftruncate(fd, (off_t)DURABLE_FILE_SIZE) < 0 || pwrite(fd, &h, sizeof(h), 0) != sizeof(h))
                return -1;
        return fd;
}

/* ---- one variant ---- */

_Noreturn static void manager_process(void)
{
        char units[128], log[128];
        char *argv[] = {"supd-manager", test.fds,    "--system", "--runtime-dir", test.directory, "--unit",
                        "boot.target",  "--log-dir", log,        "--config",      "/dev/null",    NULL};
        int v;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(test.log_fd, STDERR_FILENO);
        (void)alarm(20);
        (void)snprintf(units, sizeof(units), "%s/units", test.directory);
        (void)snprintf(log, sizeof(log), "%s/log", test.directory);
        (void)setenv("SUPD_UNIT_PATH", units, 1);
        v = manager_main((int)ARRAY_SIZE(argv) - 1, argv);
        world->armed = false;
        if (v == 0 && atomic_load(&durable_header_of(world->map)->outcome) != DURABLE_OUTCOME_NONE) {
                check_end(manager_of_world);
                if (!world->stopping)
                        story("supd ends by itself, outcome %u, status %d, argument \"%s\"",
                              atomic_load(&durable_header_of(world->map)->outcome),
                              atomic_load(&durable_header_of(world->map)->outcome_status),
                              durable_header_of(world->map)->reboot_argument);
                world->done = true;
        }
        _exit(v);
}

/* As the keeper does: another manager for one that died. True when there is nothing more to do. */
static bool one_manager(void)
{
        int status;
        pid_t pid;

        world->n_managers++;
        pid = fork();
        if (pid == 0)
                manager_process();
        if (pid < 0 || waitpid(pid, &status, 0) != pid) {
                wrong("no manager");
                return true;
        }
        if (world->done)
                return true;
        if (WIFSIGNALED(status)) {
                wrong("a manager died of signal %d", WTERMSIG(status));
                return true;
        }
        story("a manager ended with status %d", WEXITSTATUS(status));
        world->crash_at = world->alloc_at = world->fail_at = 0;
        world_manager_died();
        return false;
}

/* The fault is met once the manager has been started as often as it takes. */
_Noreturn static void keeper_process(const struct scenario *s, const struct variant *v)
{
        uint64_t drain;
        int state;

        clear_directory();
        state = state_new();
        if (state < 0)
                _exit(3);
        world->map = mmap(NULL, DURABLE_FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, state, 0);
        if (world->map == MAP_FAILED)
                _exit(3);
        world->state_fd = state;
        while (read(world->bell_fd, &drain, sizeof(drain)) > 0)
                ;
        world_reset(s);
        write_units(s);
        world->fail_at = v->fail_at;
        world->fail_errno = v->fail_errno;
        world->fail_on = v->fail_on;
        world->crash_at = v->crash_at;
        world->alloc_at = v->alloc_at;
        world->fate = v->fate;
        world->seed = v->seed;
        world->step_us = v->step_us;
        world->armed = true;
        (void)snprintf(test.fds, sizeof(test.fds), "--fds=%d,%d,%d,%d", state, world->bell_fd, test.keeper[0],
                       test.keeper[1]);
        while (!one_manager() && world->n_managers < MANAGERS)
                world->armed = true;
        if (!world->done)
                wrong("%u managers did not bring it to an end", world->n_managers);
        _exit(0);
}

static const char *log_read(void)
{
        static char text[65536];
        ssize_t n = pread(test.log_fd, text, sizeof(text) - 1, 0);

        text[n > 0 ? n : 0] = 0;
        return text;
}

static void judge(const struct scenario *s, const struct variant *v, int status)
{
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                wrong("the keeper of the test ended with %d", status);
        if (strstr(log_read(), "cannot happen"))
                wrong("an impossible event");
        test.n_variants++;
        if (test.number > 0)
                printf("%s%s---- said:\n%s", world->trace, world->rest, log_read());
        if (!world->wrong[0])
                return;
        test.n_wrong++;
        printf("WRONG %s, variant %u: %s\n%s", s->name, v->number, v->text, world->wrong);
}

static void run(const struct scenario *s, const struct variant *v)
{
        int status = -1;
        pid_t pid;

        if (ftruncate(test.log_fd, 0) < 0)
                wrong("no log");
        (void)fflush(stdout);
        pid = fork();
        if (pid == 0)
                keeper_process(s, v);
        if (pid > 0)
                (void)waitpid(pid, &status, 0);
        judge(s, v, status);
}

/* ---- plain ---- */

static void golden_compare(const struct scenario *s)
{
        static char text[TRACE_SIZE + 4096], now[TRACE_SIZE + 4096];
        char path[512], *a = text, *b = now;
        FILE *f;
        size_t n = 0;

        (void)snprintf(path, sizeof(path), "%s/%s.txt", test.golden, s->name);
        (void)snprintf(now, sizeof(now), "%s%s", world->trace, world->rest);
        f = fopen(path, "r");
        if (f) {
                n = fread(text, 1, sizeof(text) - 1, f);
                (void)fclose(f);
        }
        text[n] = 0;
        if (streq(text, now))
                return;
        test.n_wrong++;
        for (unsigned line = 1;; line++) {
                size_t m = strcspn(a, "\n"), k = strcspn(b, "\n");
                if (m != k || memcmp(a, b, m) != 0 || !a[m] || !b[k]) {
                        printf("WRONG %s, line %u\n  golden: %.*s\n  now:    %.*s\n", s->name, line, (int)m, a, (int)k,
                               b);
                        return;
                }
                a += m + 1;
                b += k + 1;
        }
}

static void golden_write(const struct scenario *s)
{
        char path[512];
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s.txt", test.golden, s->name);
        f = fopen(path, "w");
        if (!f || fprintf(f, "%s%s", world->trace, world->rest) < 0 || fclose(f) != 0)
                printf("cannot write %s\n", path);
}

static void mode_plain(const struct scenario *s)
{
        run(s, &(struct variant){.number = 1, .text = "plain"});
        golden_compare(s);
}

static void mode_write(const struct scenario *s)
{
        run(s, &(struct variant){.number = 1, .text = "plain"});
        golden_write(s);
}

/* ---- the k-th call fails ---- */

static void vary(const struct scenario *s, struct variant *v)
{
        v->number++;
        if (test.number == 0 ? v->number % test.every == 0 : v->number == test.number)
                run(s, v);
}

/* What a sandbox or an old kernel takes away is missing for good, not once. */
static bool may_be_missing(enum call c, int e)
{
        if (c == CALL_PIDFD_OPEN || c == CALL_PIDFD_SIGNAL)
                return e == ENOSYS || e == EPERM;
        if (c == CALL_CHILDREN)
                return e == ENOENT;
        if (c == CALL_ENVIRON)
                return e == EACCES;
        return c == CALL_INOTIFY_INIT || c == CALL_INOTIFY_ADD || c == CALL_RANDOM || c == CALL_PWRITE;
}

static void mode_calls(const struct scenario *s)
{
        static struct world plain;
        struct variant v = {.step_us = 1};
        bool seen[N_CALLS] = {false};
        unsigned number = test.number;

        test.number = 0;
        run(s, &(struct variant){.step_us = 1, .text = "plain"});
        test.number = number;
        plain = *world;
        for (uint32_t k = 0; k < plain.n_calls; k++) {
                enum call c = plain.calls[k];
                for (const int *e = call_errnos(c); *e; e++) {
                        v.fail_at = k + 1;
                        v.fail_errno = *e;
                        v.fail_on = false;
                        (void)snprintf(v.text, sizeof(v.text), "call %u, %s, fails: %s", k + 1, call_name(c),
                                       strerrorname_np(*e));
                        vary(s, &v);
                        v.fail_on = true;
                        (void)snprintf(v.text, sizeof(v.text), "%s is missing from call %u on: %s", call_name(c), k + 1,
                                       strerrorname_np(*e));
                        if (!seen[c] && may_be_missing(c, *e))
                                vary(s, &v);
                }
                seen[c] = true;
        }
}

/* ---- the k-th allocation fails ---- */

static void mode_memory(const struct scenario *s)
{
        struct variant v = {.step_us = 1};
        uint32_t n;

        run(s, &(struct variant){.step_us = 1, .text = "plain"});
        n = world->n_allocs;
        for (uint32_t k = 1; k <= n; k++) {
                v.alloc_at = k;
                (void)snprintf(v.text, sizeof(v.text), "allocation %u fails", k);
                vary(s, &v);
        }
}

/* ---- a death before the k-th call ---- */

static void mode_deaths(const struct scenario *s)
{
        static const char *const fates[N_FATES] = {
                [FATE_FINISH] = "the launcher finishes its starts",
                [FATE_NOT_BEGUN_IS_LOST] = "starts that have not begun are lost",
                [FATE_STRAGGLERS_KILLED] = "stragglers are killed",
        };
        static char rest[sizeof(world->rest)];
        struct variant v = {.step_us = 1};
        unsigned execs, number = test.number;
        uint32_t n;

        test.number = 0;
        run(s, &(struct variant){.step_us = 1, .text = "plain"});
        test.number = number;
        n = world->n_calls;
        execs = world->n_execs;
        memcpy(rest, world->rest, sizeof(rest));
        for (uint32_t k = 1; k <= n; k++)
                for (v.fate = 0; v.fate < N_FATES; v.fate++) {
                        unsigned before = test.n_variants;
                        v.crash_at = k;
                        (void)snprintf(v.text, sizeof(v.text), "death before call %u; %s", k, fates[v.fate]);
                        vary(s, &v);
                        if (test.n_variants == before || v.fate == FATE_STRAGGLERS_KILLED)
                                continue;
                        if (!streq(rest, world->rest) || (world->n_execs != execs && !s->races)) {
                                test.n_wrong++;
                                printf("WRONG %s, variant %u: %s: it ends otherwise\n%u starts instead of %u\n%s",
                                       s->name, v.number, v.text, world->n_execs, execs, world->rest);
                        }
                }
}

/* ---- any pace ---- */

static void mode_paces(const struct scenario *s)
{
        struct variant v = {.step_us = 1};

        for (unsigned seed = 1; seed <= PACES; seed++) {
                v.seed = seed;
                (void)snprintf(v.text, sizeof(v.text), "pace %u", seed);
                vary(s, &v);
        }
}

static const struct {
        const char *name;
        void (*each)(const struct scenario *);
} modes[] = {{"plain", mode_plain},   {"write", mode_write},   {"calls", mode_calls},
             {"memory", mode_memory}, {"deaths", mode_deaths}, {"paces", mode_paces}};

static int set_up(void)
{
        const char *tmp = getenv("TMPDIR");

        world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        test.log_fd = memfd_create("log", MFD_CLOEXEC);
        (void)snprintf(test.directory, sizeof(test.directory), "%s/supd-fake-XXXXXX", tmp ? tmp : "/tmp");
        if (world == MAP_FAILED || test.log_fd < 0 || !mkdtemp(test.directory) ||
            fcntl(test.log_fd, F_SETFL, O_APPEND) < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, test.keeper) < 0)
                return -errno;
        world->bell_fd = eventfd(0, EFD_NONBLOCK);
        return world->bell_fd < 0 ? -errno : 0;
}

static void run_all(const struct scenario *s, size_t n, void (*each)(const struct scenario *))
{
        for (size_t i = 0; i < n; i++) {
                unsigned variants = test.n_variants, bad = test.n_wrong;
                if (!starts_with(s[i].name, test.scenario))
                        continue;
                each(&s[i]);
                printf("%-26s %5u variants, %u wrong\n", s[i].name, test.n_variants - variants, test.n_wrong - bad);
        }
}

int main(int argc, char **argv)
{
        void (*each)(const struct scenario *) = NULL;
        const char *every = getenv("SUPD_TEST_FAKE_EVERY");

        for (size_t i = 0; i < ARRAY_SIZE(modes) && argc >= 3; i++)
                if (streq(modes[i].name, argv[1]))
                        each = modes[i].each;
        if (!each || set_up() < 0)
                return 2;
        (void)setvbuf(stdout, NULL, _IOLBF, 0); /* who looks for the first that is wrong need not wait for the last */
        test.golden = argv[2];
        test.scenario = argc > 3 ? argv[3] : "";
        test.number = argc > 4 ? (unsigned)atoi(argv[4]) : 0;
        test.every = every && atoi(every) > 0 ? (unsigned)atoi(every) : 1;
        run_all(scenarios, n_scenarios, each);
        if (each == mode_plain || each == mode_write || test.number > 0)
                run_all(row_scenarios, n_row_scenarios, each);
        printf("%s: %u variants, %u wrong\n", argv[1], test.n_variants, test.n_wrong);
        clear_directory();
        (void)remove(strcat(strcpy((char[128]){0}, test.directory), "/units"));
        (void)rmdir(test.directory);
        return test.n_wrong > 0;
}
