/* SPDX-License-Identifier: MIT
 *
 * Names of init scripts: the distribution's own tool makes and removes their links, as with systemctl. Not here: links
 * of unit files. Invariant: it is asked only for names that have a script, and said so.
 */
#include "programs/supctl/unit-files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#define SYSV_TOOL "/lib/systemd/systemd-sysv-install"

int run_and_wait(const char *path, const char *const *argv, bool quiet, int *ret_status)
{
        int status;
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0) {
                int null = quiet ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;

                if (null >= 0)
                        (void)dup2(null, STDOUT_FILENO);
                (void)execv(path, (char *const *)(intptr_t)argv);
                _exit(127);
        }
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
        return 0;
}

static bool script_exists(const struct options *o, const char *name)
{
        char path[4096];

        (void)snprintf(path, sizeof(path), "%s/etc/init.d/%.*s", o->root ? o->root : "",
                       (int)(strlen(name) - strlen(".service")), name);
        return *name != '/' && ends_with(name, ".service") && access(path, F_OK) == 0 && access(SYSV_TOOL, X_OK) == 0;
}

/* Hands one name to the distribution's tool. 1: it is enabled (or done), 0: it is not, or negative errno. */
static int script_run(const struct options *o, const char *verb, const char *name, bool native)
{
        char root[4096], script[256];
        const char *argv[5] = {SYSV_TOOL};
        unsigned n = 1;
        int status, r;

        (void)snprintf(script, sizeof(script), "%.*s", (int)(strlen(name) - strlen(".service")), name);
        if (o->root) {
                (void)snprintf(root, sizeof(root), "--root=%s", o->root);
                argv[n++] = root;
        }
        argv[n++] = verb;
        argv[n++] = script;
        if (!o->quiet && native)
                (void)fprintf(stderr, "Synchronizing state of %s with SysV service script with %s.\n", name, SYSV_TOOL);
        else if (!o->quiet)
                (void)fprintf(stderr, "%s is not a native service, redirecting to systemd-sysv-install.\n", name);
        if (!o->quiet) {
                (void)fprintf(stderr, "Executing: %s", argv[0]);
                for (unsigned i = 1; i < n; i++)
                        (void)fprintf(stderr, " %s", argv[i]);
                (void)fputc('\n', stderr);
        }
        r = run_and_wait(SYSV_TOOL, argv, false, &status);
        if (r < 0)
                return r;
        if (!streq(verb, "is-enabled"))
                return status == 0 ? 1 : -EBADE;
        if (!o->quiet && !native)
                (void)puts(status == 0 ? "enabled" : "disabled");
        return status == 0;
}

int scripts_first(const struct options *o, const struct install_where *w, const char *verb, struct words_owned *names)
{
        static const char *const verbs[] = {"enable", "disable", "is-enabled"};
        bool any = false, known = false;
        unsigned kept = 0;
        int failed = 0;

        for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
                known = known || streq(verbs[i], verb);
        if (!known || w->scope != INSTALL_SYSTEM || getenv("SYSTEMCTL_SKIP_SYSV"))
                return 0;
        for (unsigned i = 0; i < names->n; i++) {
                char *name = names->v[i];
                int r, native = *name != '/' && ends_with(name, ".service") && failed >= 0
                                        ? install_lookup(w, name, false)
                                        : 1;

                if (native < 0) {
                        (void)fprintf(stderr, "Failed to look up unit file state: %s\n", strerror(-native));
                        failed = native;
                }
                if (failed < 0 || (native && streq(verb, "is-enabled")) || !script_exists(o, name)) {
                        names->v[kept++] = name;
                        continue;
                }
                r = script_run(o, verb, name, native);
                failed = r < 0 ? r : 0;
                any = any || r > 0;
                if (native || r < 0)
                        names->v[kept++] = name;
                else
                        free(name);
        }
        names->n = kept;
        return failed < 0 ? failed : any;
}
