/* SPDX-License-Identifier: MIT
 *
 * The test service: does what its command line tells it and writes a diary of it (diary.h has the lines).
 *
 *     diary --dir=DIR --name=UNIT [--role=main|control]
 *           [--exit-after-ms=N] [--exit=STATUS | --die=SIGNAL]   end by itself; without --exit-after-ms: run forever,
 *                                                                except --role=control, which ends at once
 *           [--on-term=die|ignore|exit:STATUS]                   default die: note it, then die of it
 *           [--term-delay-ms=N]                                  take this long to end after SIGTERM
 *           [--notify=TEXT]… [--notify-delay-ms=N]               datagrams to NOTIFY_SOCKET
 *           [--reloads]                                          answers SIGHUP as Type=notify-reload wants it
 *           [--keeps]                                            gives an fd to be kept at its first start, and exits
 *                                                                with 66 when a later one does not get it back
 *           [--children=N]                                       children that wait to be killed
 *           [--fork] [--pid-file=PATH] [--pid-file-delay-ms=N]   the classic daemon: the first process exits 0
 *           [--start-delay-ms=N]                                 wait before --fork's first process exits
 *
 * SIGRTMIN+1 with a value (sigqueue) tells a running service to end now: value < 256 = exit status, else value - 256 =
 * the signal to die of. A file DIR/NAME.next holds options (one per line) that are added once, at the next start of a
 * main.
 *
 * Not here: any library but libc; it is static, so that an exec is an exec and nothing can be missing. Invariant: all
 * signals are blocked before the first line is written, so after a "start" only SIGKILL ends it without an "end".
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum on_term { TERM_DIE, TERM_IGNORE, TERM_EXIT };

#define MAX_NOTES 8

static struct {
        const char *dir, *name, *role;
        int exit_after_ms; /* -1 = never */
        int exit_status, die_signal;
        enum on_term on_term;
        int term_status, term_delay_ms;
        const char *notes[MAX_NOTES];
        unsigned n_notes;
        int notify_delay_ms, children, pid_file_delay_ms, start_delay_ms;
        bool fork_daemon, reloads, keeps;
        const char *pid_file;
} cfg = {.role = "main", .exit_after_ms = -1};

static int diary_fd = -1;

static uint64_t now_us(void)
{
        struct timespec ts;
        (void)clock_gettime(CLOCK_BOOTTIME, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void sleep_ms(int ms)
{
        struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
        while (ms > 0 && nanosleep(&ts, &ts) < 0 && errno == EINTR)
                ;
}

static void die_of_harness(const char *what)
{
        (void)fprintf(stderr, "diary: %s: %s\n", what, strerror(errno));
        _exit(99);
}

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
        char line[512];
        va_list ap;
        va_start(ap, format);
        int n = vsnprintf(line, sizeof(line), format, ap);
        va_end(ap);
        if (n <= 0 || (size_t)n >= sizeof(line) || write(diary_fd, line, (size_t)n) != n)
                die_of_harness("write");
}

/* /proc/self/stat field 22. The command name may hold anything, so count from the last parenthesis. */
static unsigned long long own_ticks(void)
{
        char text[1024];
        unsigned long long ticks = 0;
        int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (fd >= 0)
                (void)close(fd);
        if (n <= 0)
                return 0;
        text[n] = 0;
        char *p = strrchr(text, ')');
        for (int field = 2; p && field < 22; field++)
                p = strchr(p + 1, ' ');
        if (p)
                ticks = strtoull(p + 1, NULL, 10);
        return ticks;
}

/* How many mains wrote before this one. Called under the lock, or by a double, whose number does not matter. */
static unsigned generation(void)
{
        char path[512], line[512];
        unsigned n = 0;
        (void)snprintf(path, sizeof(path), "%s/%s.diary", cfg.dir, cfg.name);
        FILE *f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f))
                n += strncmp(line, "start ", 6) == 0 && strstr(line, " role=main ") != NULL;
        if (f)
                (void)fclose(f);
        return n + 1;
}

/* The lock is the kernel's word on how many mains live. Returns the pid of another holder, or 0. Kept open forever. */
static pid_t take_lock(void)
{
        char path[512];
        (void)snprintf(path, sizeof(path), "%s/%s.lock", cfg.dir, cfg.name);
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
                die_of_harness(path);
        struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(fd, F_SETLK, &l) == 0)
                return 0;
        l = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (fcntl(fd, F_GETLK, &l) < 0)
                die_of_harness("F_GETLK");
        if (l.l_type != F_UNLCK)
                return l.l_pid;
        return fcntl(fd, F_SETLK, &l) == 0 ? 0 : -1; /* gone in between: not a double */
}

/* What the supervisor says in ExecStopPost= about the end of the main process; "-" = it says nothing. */
static const char *told(const char *variable)
{
        const char *v = getenv(variable);
        return v && *v && !strchr(v, ' ') ? v : "-";
}

static void write_start(const char *role)
{
        bool is_main = strcmp(role, "main") == 0;
        pid_t holder = is_main ? take_lock() : 0;
        note("start pid=%d ppid=%d t=%llu ticks=%llu gen=%u role=%s inv=%s result=%s xcode=%s xstatus=%s\n",
             (int)getpid(), (int)getppid(), (unsigned long long)now_us(), own_ticks(), is_main ? generation() : 0, role,
             told("INVOCATION_ID"), told("SERVICE_RESULT"), told("EXIT_CODE"), told("EXIT_STATUS"));
        if (holder > 0)
                note("double pid=%d holder=%d t=%llu\n", (int)getpid(), (int)holder, (unsigned long long)now_us());
}

static void end_exit(int status)
{
        note("end pid=%d code=%d status=%d t=%llu\n", (int)getpid(), CLD_EXITED, status, (unsigned long long)now_us());
        _exit(status);
}

static void end_signal(int sig)
{
        struct rlimit none = {0, 0};
        sigset_t set;
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(sig, SIG_DFL);
        (void)sigemptyset(&set);
        (void)sigaddset(&set, sig);
        note("end pid=%d code=%d status=%d t=%llu\n", (int)getpid(), CLD_KILLED, sig, (unsigned long long)now_us());
        (void)raise(sig);
        (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
        end_exit(98); /* the signal does not kill */
}

static void end_as_told(void)
{
        if (cfg.die_signal > 0)
                end_signal(cfg.die_signal);
        end_exit(cfg.exit_status);
}

static void notify_with(const char *text, int passed_fd)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (!path || fd < 0 || strlen(path) >= sizeof(a.sun_path))
                die_of_harness("NOTIFY_SOCKET");
        (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
        socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
        if (path[0] == '@')
                a.sun_path[0] = 0;
        else
                size++;
        union {
                struct cmsghdr h;
                char space[CMSG_SPACE(sizeof(int))];
        } control = {.h = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
        struct iovec data = {(void *)(uintptr_t)text, strlen(text)};
        struct msghdr m = {.msg_name = &a, .msg_namelen = size, .msg_iov = &data, .msg_iovlen = 1};
        memcpy(CMSG_DATA(&control.h), &passed_fd, sizeof(int));
        if (passed_fd >= 0) {
                m.msg_control = &control;
                m.msg_controllen = sizeof(control);
        }
        while (sendmsg(fd, &m, MSG_NOSIGNAL) < 0)
                if (errno != EINTR)
                        die_of_harness("sendmsg NOTIFY_SOCKET");
        (void)close(fd);
        note("ready pid=%d t=%llu\n", (int)getpid(), (unsigned long long)now_us());
}

static void notify(const char *text)
{
        notify_with(text, -1);
}

static void say_reloading(void)
{
        char text[64];
        (void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)now_us());
        notify(text);
        notify("READY=1");
}

/* The first start gives a file with the unit's name in it; every other one has to find it. */
static void keep_fd(void)
{
        const char *listen_fds = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
        char path[512], found[256] = "";
        size_t n = strlen(cfg.name);
        (void)snprintf(path, sizeof(path), "%s/%s.keeps", cfg.dir, cfg.name);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0) {
                if (!listen_fds || strcmp(listen_fds, "1") != 0 || !names || strcmp(names, "diary") != 0 ||
                    pread(3, found, sizeof(found) - 1, 0) != (ssize_t)n || strcmp(found, cfg.name) != 0)
                        end_exit(66);
                return;
        }
        (void)close(fd);
        fd = memfd_create("diary", MFD_CLOEXEC);
        if (fd < 0 || write(fd, cfg.name, n) != (ssize_t)n)
                die_of_harness("memfd");
        notify_with("FDSTORE=1\nFDNAME=diary", fd);
        (void)close(fd);
}

static void run_child(void)
{
        sigset_t none;
        (void)sigemptyset(&none);
        write_start("child");
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        for (;;)
                (void)pause();
}

static void start_children(void)
{
        for (int i = 0; i < cfg.children; i++) {
                pid_t p = fork();
                if (p < 0)
                        die_of_harness("fork");
                if (p == 0)
                        run_child();
        }
}

static void take_signal(const siginfo_t *si)
{
        if (si->si_signo == SIGCHLD || si->si_signo == SIGCONT)
                return;
        note("signal pid=%d sig=%d t=%llu\n", (int)getpid(), si->si_signo, (unsigned long long)now_us());
        if (si->si_signo == SIGRTMIN + 1) {
                int v = si->si_value.sival_int;
                if (v >= 256)
                        end_signal(v - 256);
                end_exit(v);
        }
        if (si->si_signo == SIGHUP && cfg.reloads) {
                say_reloading();
                return;
        }
        if (si->si_signo != SIGTERM)
                end_signal(si->si_signo);
        if (cfg.on_term == TERM_IGNORE)
                return;
        sleep_ms(cfg.term_delay_ms);
        if (cfg.on_term == TERM_EXIT)
                end_exit(cfg.term_status);
        end_signal(SIGTERM);
}

static void live(void)
{
        uint64_t until = cfg.exit_after_ms < 0 ? UINT64_MAX : now_us() + (uint64_t)cfg.exit_after_ms * 1000;
        sigset_t all;
        (void)sigfillset(&all);
        for (;;) {
                siginfo_t si;
                uint64_t now = now_us();
                if (now >= until)
                        end_as_told();
                uint64_t left = until - now;
                struct timespec ts = {.tv_sec = (time_t)(left / 1000000), .tv_nsec = (long)(left % 1000000) * 1000};
                int r = until == UINT64_MAX ? sigwaitinfo(&all, &si) : sigtimedwait(&all, &si, &ts);
                if (r > 0)
                        take_signal(&si);
        }
}

static void be_main(void)
{
        write_start("main");
        start_children();
        if (cfg.keeps)
                keep_fd();
        if (cfg.n_notes > 0)
                sleep_ms(cfg.notify_delay_ms);
        for (unsigned i = 0; i < cfg.n_notes; i++)
                notify(cfg.notes[i]);
        live();
}

static void write_pid_file(void)
{
        char text[32], next[512];
        sleep_ms(cfg.pid_file_delay_ms);
        int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
        (void)snprintf(next, sizeof(next), "%s.%d", cfg.pid_file, (int)getpid());
        int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0 || write(fd, text, (size_t)n) != n || rename(next, cfg.pid_file) < 0)
                die_of_harness(cfg.pid_file);
        (void)close(fd);
}

/* The daemon: its own session, the lock and its line first, then the PID file, then a byte to the first process. */
static void be_daemon(int tell_fd)
{
        (void)setsid();
        write_start("main");
        start_children();
        if (cfg.pid_file && cfg.pid_file_delay_ms == 0)
                write_pid_file();
        if (write(tell_fd, "", 1) != 1)
                die_of_harness("pipe");
        (void)close(tell_fd);
        if (cfg.pid_file && cfg.pid_file_delay_ms > 0)
                write_pid_file();
        live();
}

static void be_starter(void)
{
        int tell[2];
        char byte;
        write_start("starter");
        if (pipe2(tell, O_CLOEXEC) < 0)
                die_of_harness("pipe");
        pid_t p = fork();
        if (p < 0)
                die_of_harness("fork");
        if (p == 0) {
                (void)close(tell[0]);
                be_daemon(tell[1]);
        }
        (void)close(tell[1]);
        while (read(tell[0], &byte, 1) < 0 && errno == EINTR)
                ;
        sleep_ms(cfg.start_delay_ms);
        end_exit(0);
}

static void parse_on_term(const char *v)
{
        if (strcmp(v, "ignore") == 0)
                cfg.on_term = TERM_IGNORE;
        else if (strncmp(v, "exit:", 5) == 0) {
                cfg.on_term = TERM_EXIT;
                cfg.term_status = atoi(v + 5);
        } else
                cfg.on_term = TERM_DIE;
}

static void parse_note(const char *v)
{
        if (cfg.n_notes < MAX_NOTES)
                cfg.notes[cfg.n_notes++] = v;
}

static void parse_flag(const char *v)
{
        (void)v;
        cfg.fork_daemon = true;
}

static void parse_reloads(const char *v)
{
        (void)v;
        cfg.reloads = true;
}

static void parse_keeps(const char *v)
{
        (void)v;
        cfg.keeps = true;
}

static const struct {
        const char *key; /* with '=' when it takes a value */
        const char **text;
        int *number;
        void (*parse)(const char *value);
} options[] = {
        {"--dir=", .text = &cfg.dir},
        {"--name=", .text = &cfg.name},
        {"--role=", .text = &cfg.role},
        {"--pid-file=", .text = &cfg.pid_file},
        {"--exit-after-ms=", .number = &cfg.exit_after_ms},
        {"--exit=", .number = &cfg.exit_status},
        {"--die=", .number = &cfg.die_signal},
        {"--term-delay-ms=", .number = &cfg.term_delay_ms},
        {"--notify-delay-ms=", .number = &cfg.notify_delay_ms},
        {"--children=", .number = &cfg.children},
        {"--pid-file-delay-ms=", .number = &cfg.pid_file_delay_ms},
        {"--start-delay-ms=", .number = &cfg.start_delay_ms},
        {"--on-term=", .parse = parse_on_term},
        {"--notify=", .parse = parse_note},
        {"--fork", .parse = parse_flag},
        {"--reloads", .parse = parse_reloads},
        {"--keeps", .parse = parse_keeps},
};

static void parse_option(const char *arg)
{
        for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
                size_t n = strlen(options[i].key);
                bool has_value = options[i].key[n - 1] == '=';
                if (has_value ? strncmp(arg, options[i].key, n) != 0 : strcmp(arg, options[i].key) != 0)
                        continue;
                if (options[i].text)
                        *options[i].text = arg + n;
                else if (options[i].number)
                        *options[i].number = atoi(arg + n);
                else
                        options[i].parse(arg + n);
                return;
        }
        (void)fprintf(stderr, "diary: unknown option %s\n", arg);
        _exit(99);
}

/* DIR/NAME.next: options for this start only. The rename makes sure that one start alone gets them. */
static void take_next(void)
{
        static char text[1024];
        char path[512], mine[560];
        (void)snprintf(path, sizeof(path), "%s/%s.next", cfg.dir, cfg.name);
        (void)snprintf(mine, sizeof(mine), "%s.%d", path, (int)getpid());
        if (rename(path, mine) < 0)
                return;
        int fd = open(mine, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
        if (fd >= 0)
                (void)close(fd);
        (void)unlink(mine);
        text[n > 0 ? n : 0] = 0;
        for (char *p = strtok(text, "\n"); p; p = strtok(NULL, "\n"))
                parse_option(p);
}

int main(int argc, char **argv)
{
        sigset_t all;
        char path[512];
        (void)sigfillset(&all);
        (void)sigprocmask(SIG_SETMASK, &all, NULL);
        for (int i = 1; i < argc; i++)
                parse_option(argv[i]);
        if (!cfg.dir || !cfg.name) {
                (void)fprintf(stderr, "diary: --dir= and --name= are needed\n");
                return 99;
        }
        (void)snprintf(path, sizeof(path), "%s/%s.diary", cfg.dir, cfg.name);
        (void)umask(0);
        diary_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
        if (diary_fd < 0)
                die_of_harness(path);
        if (strcmp(cfg.role, "control") == 0) {
                write_start("control");
                if (cfg.exit_after_ms > 0)
                        sleep_ms(cfg.exit_after_ms);
                end_as_told();
        }
        take_next();
        if (cfg.fork_daemon)
                be_starter();
        be_main();
        return 97;
}
