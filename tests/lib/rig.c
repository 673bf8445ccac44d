/* SPDX-License-Identifier: MIT
 *
 * Starting and clearing away a private supd. Not here: judgement. Invariant: as in rig.h; every process of a rig
 * carries the rig's directory in its command line (services by --dir=, supd by --runtime-dir), so none can be
 * overlooked.
 */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "proc.h"
#include "rig.h"

#define MAX_ARGS 24

static const struct {
        const char *variable;
        const char *what;
} programs[] = {
        {"SUPD", "supd"},
        {"SUPCTL", "supctl"},
        {"DIARY", "the test service"},
};

const char *rig_missing(void)
{
        static char why[400];
        for (unsigned i = 0; i < ARRAY_SIZE(programs); i++) {
                const char *path = getenv(programs[i].variable);
                if (path && access(path, X_OK) == 0)
                        continue;
                (void)snprintf(why, sizeof(why), "%s is not built (%s=%s)", programs[i].what, programs[i].variable,
                               path ? path : "");
                return why;
        }
        const char *dir = getenv("SUPD_LIBEXEC_DIR");
        (void)snprintf(why, sizeof(why), "%s/supd-manager", dir ? dir : "");
        if (dir && access(why, X_OK) == 0)
                return NULL;
        (void)snprintf(why, sizeof(why), "supd-manager is not built (SUPD_LIBEXEC_DIR=%s)", dir ? dir : "");
        return why;
}

static int set_path(char *to, size_t size, const char *variable)
{
        const char *v = getenv(variable);
        if (!v || (size_t)snprintf(to, size, "%s", v) >= size)
                return -EINVAL;
        return 0;
}

static int remove_one(const char *path, const struct stat *st unused_, int type unused_, struct FTW *ftw unused_)
{
        (void)remove(path);
        return 0;
}

/* The status table and its semaphore carry the rig's name, whatever else they are called. */
static void remove_shared_memory(const struct rig *r)
{
        DIR *d = opendir("/dev/shm");
        if (!d)
                return;
        for (struct dirent *e; (e = readdir(d));) {
                char path[300];
                if (!strstr(e->d_name, r->name) || e->d_type == DT_DIR)
                        continue;
                (void)snprintf(path, sizeof(path), "/dev/shm/%s", e->d_name);
                (void)unlink(path);
        }
        (void)closedir(d);
}

/* Its cgroups: a supd that is killed leaves their directories. What is not a directory there cannot be removed. */
static void remove_groups(const struct rig *r)
{
        static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"};
        static const char *const again[] = {"", "-2", "-3"}; /* one that was killed may still hold the first */
        FILE *f = fopen("/proc/self/cgroup", "re");
        char line[1024], path[1400];

        while (f && fgets(line, sizeof(line), f)) {
                const char *own = strchr(line, ':');
                own = own ? strchr(own + 1, ':') : NULL;
                if (!own || (!starts_with(line, "0::") && !strstr(line, ":name=")))
                        continue;
                line[strcspn(line, "\n")] = 0;
                for (unsigned i = 0; i < ARRAY_SIZE(mounts) * ARRAY_SIZE(again); i++) {
                        (void)snprintf(path, sizeof(path), "%s%s/supd-%s%s", mounts[i / ARRAY_SIZE(again)],
                                       streq(own, ":/") ? "" : own + 1, r->name, again[i % ARRAY_SIZE(again)]);
                        (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
                }
        }
        if (f)
                (void)fclose(f);
}

static bool is_nameless_semaphore(const char *name, int64_t since_real_s)
{
        char path[300];
        struct stat st;
        if (!starts_with(name, "sem.") || strlen(name) != strlen("sem.XXXXXX"))
                return false;
        (void)snprintf(path, sizeof(path), "/dev/shm/%s", name);
        return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
               (st.st_size == 0 || st.st_size == (off_t)sizeof(sem_t)) && st.st_ctim.tv_sec >= since_real_s &&
               st.st_ctim.tv_sec + 2 < time(NULL);
}

unsigned rig_sweep_semaphores(int64_t since_real_s)
{
        unsigned n = 0;
        DIR *d = opendir("/dev/shm");
        if (!d)
                return 0;
        for (struct dirent *e; (e = readdir(d));) {
                char path[300];
                (void)snprintf(path, sizeof(path), "/dev/shm/%s", e->d_name);
                if (is_nameless_semaphore(e->d_name, since_real_s) && unlink(path) == 0)
                        n++;
        }
        (void)closedir(d);
        return n;
}

/* The keeper first, or it would start another manager; then services, which other children may still be starting. */
static void kill_everything(struct rig *r)
{
        if (r->keeper > 0) {
                (void)kill(r->keeper, SIGKILL);
                (void)waitpid(r->keeper, &r->keeper_status, 0);
                r->keeper = 0;
        }
        for (unsigned quiet = 0, round = 0; quiet < 2 && round < 200; round++) {
                if (proc_kill_matching(r->dir) == 0)
                        quiet++;
                else
                        quiet = 0;
                sleep_us(2000);
        }
}

static void clear_away(struct rig *r)
{
        kill_everything(r);
        remove_shared_memory(r);
        remove_groups(r);
        (void)nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A process of its own session that waits for the other end of a pipe to vanish: however this process dies, the
 * services that it had started do not outlive it. */
static int start_janitor(struct rig *r)
{
        int p[2];
        char byte;
        if (pipe2(p, O_CLOEXEC) < 0)
                return -errno;
        r->janitor = fork();
        if (r->janitor < 0)
                return -errno;
        if (r->janitor == 0) {
                (void)close(p[1]);
                (void)setsid();
                ssize_t n = read(p[0], &byte, 1);
                r->keeper = 0; /* dies with its parent (PR_SET_PDEATHSIG) */
                if (n == 0)
                        clear_away(r);
                _exit(0);
        }
        (void)close(p[0]);
        r->janitor_fd = p[1];
        return 0;
}

static void dismiss_janitor(struct rig *r)
{
        if (r->janitor <= 0)
                return;
        (void)!write(r->janitor_fd, "", 1);
        (void)close(r->janitor_fd);
        (void)waitpid(r->janitor, NULL, 0);
        r->janitor = 0;
}

int rig_begin(struct rig *r, const char *label)
{
        static unsigned serial;
        memset(r, 0, sizeof(*r));
        if (set_path(r->supd, sizeof(r->supd), "SUPD") < 0 || set_path(r->supctl, sizeof(r->supctl), "SUPCTL") < 0 ||
            set_path(r->libexec, sizeof(r->libexec), "SUPD_LIBEXEC_DIR") < 0 ||
            set_path(r->diary, sizeof(r->diary), "DIARY") < 0)
                return -EINVAL;
        const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        (void)snprintf(r->name, sizeof(r->name), "rig-%.24s-%d-%u", label, (int)getpid(), serial++);
        (void)snprintf(r->dir, sizeof(r->dir), "%s/%s.d", base, r->name);
        (void)snprintf(r->diaries, sizeof(r->diaries), "%s/diaries", r->dir);
        (void)snprintf(r->units, sizeof(r->units), "%s/units", r->dir);
        (void)snprintf(r->runtime, sizeof(r->runtime), "%s/run", r->dir);
        const char *dirs[] = {r->dir, r->diaries, r->units, r->runtime};
        for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++)
                if (mkdir(dirs[i], 0755) < 0)
                        return -errno;
        char logs[192];
        (void)snprintf(logs, sizeof(logs), "%s/logs", r->dir);
        if (mkdir(logs, 0755) < 0)
                return -errno;
        return start_janitor(r);
}

int rig_install(struct rig *r)
{
        char path[192], fresh[200];
        cleanup_close_ int from = open(r->supd, O_RDONLY | O_CLOEXEC), to = -1;
        char bytes[4096];
        ssize_t n;

        (void)snprintf(path, sizeof(path), "%s/supd", r->dir);
        (void)snprintf(fresh, sizeof(fresh), "%s.new", path);
        to = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
        if (from < 0 || to < 0)
                return -errno;
        while ((n = read(from, bytes, sizeof(bytes))) > 0)
                if (write(to, bytes, (size_t)n) != n)
                        return -EIO;
        close_fd_p(&to); /* or it cannot be executed */
        if (n < 0 || rename(fresh, path) < 0)
                return -errno;
        (void)snprintf(r->installed, sizeof(r->installed), "%s", path);
        return 0;
}

static int append_expanded(struct rig *r, struct buf *b, const char *unit, const char *text)
{
        int e = 0;
        while (*text && e >= 0) {
                if (starts_with(text, "@DIARY@")) {
                        e = buf_printf(b, "%s --dir=%s --name=%s", r->diary, r->diaries, unit);
                        text += strlen("@DIARY@");
                } else if (starts_with(text, "@RIG@")) {
                        e = buf_append_str(b, r->dir);
                        text += strlen("@RIG@");
                } else if (starts_with(text, "@NAME@")) {
                        e = buf_append_str(b, r->name);
                        text += strlen("@NAME@");
                } else
                        e = buf_append_char(b, *text++);
        }
        return e;
}

int rig_unit(struct rig *r, const char *name, const char *text)
{
        char path[512];
        cleanup_buf_ struct buf b = {0};
        int e = append_expanded(r, &b, name, text);
        if (e < 0)
                return e;
        (void)snprintf(path, sizeof(path), "%s/%s", r->units, name);
        cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        return write(fd, b.data, b.size) == (ssize_t)b.size ? 0 : -EIO;
}

/* In the child: the environment and standard streams that belong to this rig. */
static void child_prepare(const struct rig *r, int out_fd)
{
        char path[192];
        sigset_t none;
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        (void)setenv("SUPD_UNIT_PATH", r->units, 1);
        (void)setenv("SUPD_LIBEXEC_DIR", r->libexec, 1);
        (void)setenv("SUPD_RUNTIME_DIR", r->runtime, 1);
        (void)setenv("SUPD_NAME", r->name, 1);
        (void)unsetenv("NOTIFY_SOCKET");
        (void)snprintf(path, sizeof(path), "%s/home", r->dir);
        (void)mkdir(path, 0755);
        (void)setenv("HOME", path, 1);
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        (void)dup2(null, 0);
        (void)dup2(out_fd, 1);
        (void)dup2(out_fd, 2);
}

static int map_state(struct rig *r)
{
        char path[192];
        (void)snprintf(path, sizeof(path), "%s/state", r->runtime);
        cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0 || (uint64_t)st.st_size < DURABLE_FILE_SIZE)
                return -EAGAIN;
        void *p = mmap(NULL, DURABLE_FILE_SIZE, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
        if (p == MAP_FAILED)
                return -errno;
        r->state = p;
        return 0;
}

struct durable_header *rig_header(const struct rig *r)
{
        return durable_header_of(r->state);
}

pid_t rig_manager(const struct rig *r)
{
        return r->state ? (pid_t)atomic_load(&rig_header(r)->manager_pid) : 0;
}

int rig_spawn(struct rig *r, bool stopped)
{
        char path[192];
        (void)snprintf(path, sizeof(path), "%s/supd.log", r->dir);
        cleanup_close_ int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (log < 0)
                return -errno;
        pid_t p = fork();
        if (p < 0)
                return -errno;
        if (p == 0) {
                char logs[192];
                (void)snprintf(logs, sizeof(logs), "%s/logs", r->dir);
                child_prepare(r, log);
                (void)setpgid(0, 0);
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (stopped)
                        (void)raise(SIGSTOP);
                execl(*r->installed ? r->installed : r->supd, "supd", geteuid() == 0 ? "--system" : "--user", "--name",
                      r->name, "--runtime-dir", r->runtime, "--log-dir", logs, (char *)NULL);
                _exit(127);
        }
        r->keeper = p;
        return 0;
}

bool rig_is_up(struct rig *r)
{
        if (!r->state)
                (void)map_state(r);
        return r->state && atomic_load(&rig_header(r)->manager_healthy) && rig_manager(r) > 0;
}

int rig_await(struct rig *r, uint64_t within_us)
{
        uint64_t start = boottime_us();
        while (boottime_us() - start < within_us) {
                if (rig_is_up(r))
                        return 0;
                if (rig_ended(r))
                        return -ECHILD;
                sleep_us(500);
        }
        return -ETIMEDOUT;
}

int rig_respawn(struct rig *r)
{
        if (r->state)
                (void)munmap(r->state, DURABLE_FILE_SIZE);
        r->state = NULL;
        r->keeper = 0;
        return rig_spawn(r, false);
}

int rig_start(struct rig *r, uint64_t within_us)
{
        int e = rig_spawn(r, false);
        return e < 0 ? e : rig_await(r, within_us);
}

bool rig_ended(struct rig *r)
{
        int status;
        if (r->keeper > 0 && waitpid(r->keeper, &status, WNOHANG) == r->keeper && !WIFSTOPPED(status)) {
                r->keeper_status = status;
                r->keeper = 0;
        }
        return r->keeper == 0;
}

int rig_stop(struct rig *r, uint64_t within_us)
{
        uint64_t start = boottime_us();
        if (rig_ended(r))
                return r->keeper_status;
        (void)kill(r->keeper, SIGTERM);
        while (!rig_ended(r)) {
                if (boottime_us() - start > within_us)
                        return -ETIMEDOUT;
                sleep_us(1000);
        }
        return r->keeper_status;
}

/* Without the state: a sparse giant that nobody can read by eye. */
static void keep_copy(const struct rig *r)
{
        char path[192];
        (void)snprintf(path, sizeof(path), "%s/state", r->runtime);
        (void)unlink(path);
        pid_t p = fork();
        if (p == 0) {
                execl("/bin/cp", "cp", "-r", r->dir, r->keep_to, (char *)NULL);
                _exit(127);
        }
        if (p > 0)
                (void)waitpid(p, NULL, 0);
}

void rig_end(struct rig *r)
{
        if (r->dir[0] == 0)
                return;
        kill_everything(r);
        if (r->state)
                (void)munmap(r->state, DURABLE_FILE_SIZE);
        r->state = NULL;
        if (r->keep_to)
                keep_copy(r);
        clear_away(r);
        dismiss_janitor(r);
        r->dir[0] = 0;
}

static void split(char *text, const char **argv, unsigned from)
{
        for (char *p = strtok(text, " "); p && from + 1 < MAX_ARGS; p = strtok(NULL, " "))
                argv[from++] = p;
        argv[from] = NULL;
}

/* Reads FD until end-of-file or the time is over. */
static int drain(int fd, uint64_t until_us, struct buf *output)
{
        for (;;) {
                char text[4096];
                uint64_t now = boottime_us();
                if (now >= until_us)
                        return -ETIMEDOUT;
                struct pollfd p = {.fd = fd, .events = POLLIN};
                if (poll(&p, 1, (int)((until_us - now) / 1000 + 1)) <= 0)
                        continue;
                ssize_t n = read(fd, text, sizeof(text));
                if (n == 0)
                        return 0;
                if (n > 0 && output && buf_append(output, text, (size_t)n) < 0)
                        return -ENOMEM;
        }
}

int rig_supctl(struct rig *r, const char *args, uint64_t within_us, struct buf *output)
{
        int out[2], status;
        char text[512];
        const char *argv[MAX_ARGS] = {"supctl"};
        if ((size_t)snprintf(text, sizeof(text), "%s", args) >= sizeof(text))
                return -EINVAL;
        split(text, argv, 1);
        if (pipe2(out, O_CLOEXEC) < 0)
                return -errno;
        cleanup_close_ int read_fd = out[0];
        pid_t p = fork();
        if (p == 0) {
                child_prepare(r, out[1]);
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                int armed = RIG_HOLD_NEXT;
                if (r->hold && atomic_compare_exchange_strong(r->hold, &armed, (int)getpid()))
                        (void)raise(SIGSTOP);
                execv(r->supctl, (char *const *)argv);
                _exit(127);
        }
        (void)close(out[1]);
        if (p < 0)
                return -EAGAIN;
        int e = drain(read_fd, boottime_us() + within_us, output);
        if (e < 0)
                (void)kill(p, SIGKILL);
        while (waitpid(p, &status, 0) < 0 && errno == EINTR)
                ;
        if (e < 0)
                return e;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}
