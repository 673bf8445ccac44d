/* SPDX-License-Identifier: MIT
 *
 * The door to supctl-bus, which asks supd: for verbs that are its own, and for what follows a verb of ours.
 *
 * Not here: the bus. Invariant: whatever is handed on goes to the supd that the options mean.
 */
#include <sys/stat.h>

#include "programs/supctl/unit-files.h"

static bool bus_path(char ret[4096])
{
        const char *dir = getenv("SUPD_LIBEXEC_DIR");

        return snprintf(ret, 4096, "%s/supctl-bus", dir && *dir ? dir : SUPD_LIBEXECDIR) < 4096;
}

int bus_go_on(const struct options *o)
{
        char path[4096];

        (void)fflush(stdout);
        if (bus_path(path))
                (void)execv(path, o->argv);
        fprintf(stderr, "supctl: cannot run %s, which does this verb: %s\n", path, strerror(errno));
        return EXIT_ERROR;
}

bool bus_can_be_asked(const struct options *o)
{
        char dir[4096], path[4200];

        if (!view_is_alive(o))
                return false;
        view_runtime_dir(o, dir);
        (void)snprintf(path, sizeof(path), "%s/control", dir);
        return access(path, W_OK) == 0;
}

int bus_run(const struct options *o, const char *verb, const struct words_owned *names)
{
        cleanup_free_ const char **argv = calloc((names ? names->n : 0) + 12, sizeof(*argv));
        char path[4096], name[128], runtime[4200];
        unsigned n = 0;
        int status;

        if (!argv)
                return EXIT_ERROR;
        if (!bus_path(path))
                return EXIT_ERROR;
        (void)snprintf(name, sizeof(name), "--name=%s", o->name ? o->name : "");
        (void)snprintf(runtime, sizeof(runtime), "--runtime-dir=%s", o->runtime_dir ? o->runtime_dir : "");
        argv[n++] = o->systemctl ? "systemctl" : path; /* it speaks as we do */
        if (o->user)
                argv[n++] = "--user";
        if (o->name)
                argv[n++] = name;
        if (o->runtime_dir)
                argv[n++] = runtime;
        if (o->quiet)
                argv[n++] = "--quiet";
        if (o->value)
                argv[n++] = "--value";
        argv[n++] = verb;
        argv[n++] = "--";
        for (unsigned i = 0; names && i < names->n; i++)
                argv[n++] = strrchr(names->v[i], '/') ? strrchr(names->v[i], '/') + 1 : names->v[i];
        if (run_and_wait(path, argv, false, &status) < 0)
                return EXIT_ERROR;
        if (status == 127)
                (void)fprintf(stderr, "supctl: cannot run %s\n", path);
        return status;
}
