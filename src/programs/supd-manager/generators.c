/* SPDX-License-Identifier: MIT
 *
 * Unit generators: when they run, and what waits for them. They run before the first unit is read and before a reload,
 * in a process of their own (supd-exec --generators), while the manager goes on supervising.
 *
 * Only where systemd's own unit directories are read, and where there is a generator at all. A manager that comes back
 * in between begins anew: the boot because META_BOOTED is not set yet, a reload because META_RELOAD still is, or
 * because who asked for it asks again. Invariant: at most one run at a time; what was asked for during a run has one of
 * its own behind it.
 */
#include "manager.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

static bool has_any(const char *place)
{
        DIR *d = opendir(place);
        struct dirent *e;
        bool any = false;

        while (d && !any && (e = readdir(d)))
                any = e->d_name[0] != '.';
        if (d)
                (void)closedir(d);
        return any;
}

static bool wanted(const struct manager *m)
{
        static const char *const places[] = {"/run/systemd/system-generators", "/etc/systemd/system-generators",
                                             "/usr/local/lib/systemd/system-generators",
                                             "/usr/lib/systemd/system-generators", "/lib/systemd/system-generators"};

        if (!m->systemd_units || m->user_mode)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(places); i++)
                if (has_any(places[i]))
                        return true;
        return false;
}

static pid_t spawn(const char *path, char *const argv[], pid_t self)
{
        pid_t pid = vfork();

        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() == self)
                        execv(path, argv);
                _exit(127);
        }
        return pid;
}

/* True: they run, and generators_ended() comes. */
static bool start(struct manager *m)
{
        const char *dir = getenv("SUPD_LIBEXEC_DIR");
        char path[4096], option[4096];
        char *argv[] = {"supd-exec", option, NULL};

        if (!wanted(m))
                return false;
        (void)snprintf(path, sizeof(path), "%s/supd-exec", dir ? dir : SUPD_LIBEXECDIR);
        (void)snprintf(option, sizeof(option), "--generators=%s", m->runtime_dir);
        m->generators.pid = spawn(path, argv, getpid());
        if (m->generators.pid > 0)
                return true;
        m->generators.pid = 0;
        log_line(m, NULL, "unit generators cannot be run: %s", strerror(errno));
        return false;
}

static int reload(struct manager *m)
{
        int v;

        if (m->control)
                control_reloading(m->control, true);
        m->meta.flags &= ~META_RELOAD;
        m->meta_dirty = true;
        v = units_reload(m);
        if (m->control)
                control_reloading(m->control, false);
        if (v < 0)
                log_line(m, NULL, "not all unit files could be read again: %s", strerror(-v));
        return v;
}

bool generators_boot(struct manager *m)
{
        m->generators.boot = start(m);
        return m->generators.boot;
}

int generators_reload(struct manager *m)
{
        if (m->generators.pid > 0) {
                m->generators.again = true;
                return -EINPROGRESS;
        }
        return start(m) ? -EINPROGRESS : reload(m);
}

void generators_ended(struct manager *m)
{
        bool boot = m->generators.boot, again = m->generators.again;
        int v = 0;

        m->generators.pid = 0;
        m->generators.boot = m->generators.again = false;
        if (boot)
                begin_default(m);
        if (again && start(m))
                return;
        if (!boot || again)
                v = reload(m);
        if (m->control)
                control_reload_done(m->control, v);
}
