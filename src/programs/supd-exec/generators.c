/* SPDX-License-Identifier: MIT
 *
 * Runs the unit generators (systemd.generator(7)), all at once, into the three directories that their output is read
 * from, and waits for them, but not for ever: whatever a generator may hang on, it hangs here.
 *
 *     supd-exec --generators=RUNTIME_DIR      exit status 0; what went wrong with one is said on standard error
 *
 * Not here: who needs it when (the manager). Invariant: when it ends, no generator that it started runs any more; its
 * parent's death ends it and them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "job.h"

enum { GENERATORS_MAX = 256, PATIENCE_S = 60 };

static const char *const places[] = {"/run/systemd/system-generators", "/etc/systemd/system-generators",
                                     "/usr/local/lib/systemd/system-generators", "/usr/lib/systemd/system-generators",
                                     "/lib/systemd/system-generators"};
static const char *const kinds[] = {"generator", "generator.early", "generator.late"}; /* argv[1] … [3] */

static struct generator {
        char path[PATH_MAX], *name;
        pid_t pid;
} generators[GENERATORS_MAX];
static unsigned n_generators;

static bool is_known(const char *name)
{
        for (unsigned i = 0; i < n_generators; i++)
                if (streq(generators[i].name, name))
                        return true;
        return false;
}

/* What a higher place has hides what a lower one has, also when it is masked: no executable file. */
static void find_in(const char *place)
{
        DIR *d = opendir(place);
        struct dirent *e;

        while (d && (e = readdir(d)) && n_generators < GENERATORS_MAX) {
                struct generator *g = &generators[n_generators];

                if (e->d_name[0] == '.' || is_known(e->d_name) ||
                    (size_t)snprintf(g->path, sizeof(g->path), "%s/%s", place, e->d_name) >= sizeof(g->path))
                        continue;
                g->name = strrchr(g->path, '/') + 1;
                n_generators++;
        }
        if (d)
                (void)closedir(d);
}

static bool is_runnable(const struct generator *g)
{
        struct stat st;

        return stat(g->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && access(g->path, X_OK) == 0;
}

static int remove_one(const char *path, const struct stat *st unused_, int type unused_, struct FTW *at unused_)
{
        (void)remove(path);
        return 0;
}

/* Empty, whatever was there before. */
static bool prepare_directory(const char *path)
{
        (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        if (mkdir(path, 0755) == 0 || errno == EEXIST)
                return true;
        (void)fprintf(stderr, "supd: generators cannot write to %s: %s\n", path, strerror(errno));
        return false;
}

static void run(struct generator *g, char directories[3][PATH_MAX])
{
        static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    scope[] = "SYSTEMD_SCOPE=system";
        char *argv[] = {g->path, directories[0], directories[1], directories[2], NULL};
        char *environment[] = {path, scope, NULL};
        pid_t self = getpid();
        sigset_t none;
        int null;

        g->pid = fork();
        if (g->pid != 0)
                return;
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != self)
                _exit(EXIT_FAILURE);
        (void)setpgid(0, 0);
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        (void)dup2(null, 0);
        (void)execve(g->path, argv, environment);
        (void)fprintf(stderr, "supd: generator %s: %s\n", g->name, strerror(errno));
        _exit(EXIT_FAILURE);
}

static unsigned reap(void)
{
        unsigned left = 0;
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                for (unsigned i = 0; i < n_generators; i++)
                        if (generators[i].pid == pid) {
                                generators[i].pid = 0;
                                if (status != 0)
                                        (void)fprintf(stderr, "supd: generator %s failed (%s %d)\n", generators[i].name,
                                                      WIFSIGNALED(status) ? "signal" : "status",
                                                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
                        }
        for (unsigned i = 0; i < n_generators; i++)
                left += generators[i].pid > 0;
        return left;
}

static void wait_for_all(void)
{
        struct timespec now, end;
        sigset_t chld;

        (void)sigemptyset(&chld);
        (void)sigaddset(&chld, SIGCHLD);
        (void)clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_sec += PATIENCE_S;
        while (reap() > 0) {
                struct timespec left;

                (void)clock_gettime(CLOCK_MONOTONIC, &now);
                left = (struct timespec){.tv_sec = end.tv_sec - now.tv_sec};
                if (left.tv_sec <= 0)
                        break;
                (void)sigtimedwait(&chld, NULL, &left);
        }
        for (unsigned i = 0; i < n_generators; i++)
                if (generators[i].pid > 0) {
                        (void)fprintf(stderr, "supd: generator %s took more than %d s\n", generators[i].name,
                                      PATIENCE_S);
                        (void)kill(-generators[i].pid, SIGKILL);
                        (void)waitpid(generators[i].pid, NULL, 0);
                }
}

int generators_run(const char *runtime_dir)
{
        static char directories[3][PATH_MAX];
        sigset_t chld;

        (void)sigemptyset(&chld);
        (void)sigaddset(&chld, SIGCHLD);
        (void)sigprocmask(SIG_BLOCK, &chld, NULL);
        (void)umask(0022);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                (void)snprintf(directories[i], sizeof(directories[i]), "%s/%s", runtime_dir, kinds[i]);
                if (!prepare_directory(directories[i]))
                        return EXIT_FAILURE;
        }
        for (size_t i = 0; i < ARRAY_SIZE(places); i++)
                find_in(places[i]);
        for (unsigned i = 0; i < n_generators; i++)
                if (is_runnable(&generators[i]))
                        run(&generators[i], directories);
        wait_for_all();
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                (void)rmdir(directories[i]); /* where nobody had anything to say */
        return EXIT_SUCCESS;
}
