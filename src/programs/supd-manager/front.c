/* SPDX-License-Identifier: MIT
 *
 * The doors: the socket through which supd-bus asks the manager, the D-Bus sockets that are held for it, and supd-bus
 * itself, a unit of our own, started when somebody connects. So the API costs nothing while nobody uses it, and its
 * death means nothing.
 *
 * Besides RUNTIME_DIR/control there are, where SystemdCompat= says so, the two paths that systemctl and maintainer
 * scripts look for: the socket /run/systemd/private and the directory /run/systemd/system. The directory is made last
 * and removed first, so that whoever sees it finds somebody behind the socket.
 *
 * Not here: what is asked through them (api.c). Invariant: a socket that is held is in the keeper's store, so that
 * connections that wait in it outlive this manager; and the store, not the file system, says which are ours.
 */
#include "manager.h"

#include <fcntl.h>
#include <signal.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "handover/handover.h"

#define RETRY_US USEC_PER_SEC

/* ---- sockets ---- */

static int address_of(const char *path, struct sockaddr_un *ret)
{
        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        if (strlen(path) >= sizeof(ret->sun_path))
                return -ENAMETOOLONG;
        memcpy(ret->sun_path, path, strlen(path) + 1);
        return 0;
}

int front_listen(struct manager *m, const char *path, const char *stored, int type, mode_t mode, int *ret)
{
        struct sockaddr_un a;
        cleanup_close_ int fd = -1;
        int v, inherited;

        if (*ret >= 0)
                return 0; /* by an earlier try */
        inherited = handover_inherited(state_map(m->state), stored);
        if (inherited >= 0) {
                *ret = inherited;
                return 0;
        }
        v = address_of(path, &a);
        if (v < 0)
                return v;
        fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void)unlink(a.sun_path);
        if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || chmod(a.sun_path, mode) < 0 || listen(fd, 128) < 0)
                return -errno;
        keeper_store(m, stored, fd);
        *ret = take_fd(&fd);
        return 0;
}

/* ---- the paths of systemd ---- */

static const char *compat_path(const struct manager *m, const char *file, char ret[108])
{
        (void)snprintf(ret, 108, "%s/systemd%s", m->context.runtime_dir_root, file);
        return ret;
}

/* Does anybody answer there? A socket that is left over does not. */
static bool answers(const char *path)
{
        struct sockaddr_un a;
        cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        return fd >= 0 && address_of(path, &a) == 0 &&
               (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 || errno == EAGAIN);
}

static ino_t namespace_of_self(const char *kind)
{
        char path[32];
        struct stat st;

        (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
        return stat(path, &st) == 0 ? st.st_ino : 0;
}

/* PID 1 of a namespace of its own that shares the host's files must not tell the host's programs that they run under
 * systemd. The numbers are the kernel's for its first namespaces; the second is that of kernels before 6.9. */
static bool host_files(void)
{
        const ino_t first_pid = 0xeffffffcu, first_mnt[] = {0xeffffff8u, 0xf0000000u};
        ino_t mnt = namespace_of_self("mnt");
        char self[32] = "";
        ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

        if (n <= 0 || atoi(self) != getpid())
                return true; /* /proc is somebody else's, so the rest is likely to be, too */
        return namespace_of_self("pid") != first_pid && (mnt == first_mnt[0] || mnt == first_mnt[1]);
}

static bool compat_wanted(struct manager *m)
{
        char private[108], directory[108];

        if (m->systemd_compat == COMPAT_NO)
                return false;
        if (handover_inherited(state_map(m->state), "private") >= 0)
                return true;
        if (answers(compat_path(m, "/private", private)))
                return false;
        if (m->systemd_compat == COMPAT_YES)
                return true;
        return !m->user_mode && m->keeper_pid == 1 && !host_files() &&
               access(compat_path(m, "/system", directory), F_OK) < 0;
}

static int compat_open(struct manager *m)
{
        char path[108];
        int v;

        if (!compat_wanted(m))
                return 0;
        (void)mkdir(compat_path(m, "", path), 0755);
        v = front_listen(m, compat_path(m, "/private", path), "private", SOCK_STREAM, 0600, &m->front_fds[1]);
        if (v == 0 && mkdir(compat_path(m, "/system", path), 0755) < 0 && errno != EEXIST)
                v = -errno;
        if (v < 0)
                log_line(m, NULL, "systemctl will not find supd at %s: %s", path, strerror(-v));
        return 0;
}

/* What an administrator put into the directory is his; then it stays, and systemctl says that nobody answers. */
void front_remove_files(struct manager *m)
{
        static const char *const ours[] = {"control", "manager", ("builtin/" FRONT_UNIT)};
        char path[4096], compat[108];

        if (m->front_fds[1] >= 0) {
                (void)rmdir(compat_path(m, "/system", compat));
                (void)unlink(compat_path(m, "/private", compat));
        }
        for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", m->runtime_dir, ours[i]);
                (void)unlink(path);
        }
        (void)snprintf(path, sizeof(path), "%s/builtin", m->runtime_dir);
        (void)rmdir(path);
}

/* ---- supd-bus ---- */

bool api_is_front(const struct manager *m, const struct run *r)
{
        return m->front_fds[0] >= 0 && streq(r->name, FRONT_UNIT);
}

unsigned front_fds(const struct manager *m, const char **ret_names)
{
        unsigned n = 0;

        while (n < N_FRONT_FDS && m->front_fds[n] >= 0)
                n++;
        *ret_names = n > 1 ? "control:private" : "control";
        return n;
}

static void front_start(struct manager *m)
{
        static const uint8_t nobody[16];
        uint32_t job, culprit;
        struct run *r;

        m->front_retry_us = sys_mono_us() + RETRY_US;
        if (m->meta.flags & META_STOPPING || units_get(m, FRONT_UNIT, &r) < 0)
                return;
        if (run_active(r) == ACTIVE_ACTIVE)
                return;
        (void)jobs_enqueue(m, r, REQUEST_START, MODE_REPLACE, (struct cause_durable){.what = SUPD_CAUSE_SOCKET}, false,
                           nobody, &job, &culprit, NULL);
}

static void front_wanted(struct manager *m, struct source *s unused_, uint32_t events unused_)
{
        front_start(m);
}

/* Whoever waits at a front socket told us once. When the start that followed came to nothing (no fds, no memory, too
 * many starts), this looks again, for as long as somebody waits. */
void front_turn(struct manager *m)
{
        struct pollfd p[N_FRONT_FDS];
        struct run *r;

        if (m->front_retry_us == 0 || sys_mono_us() < m->front_retry_us)
                return;
        m->front_retry_us = 0;
        r = units_find(m, FRONT_UNIT);
        if (r && run_active(r) != ACTIVE_INACTIVE && run_active(r) != ACTIVE_FAILED)
                return;
        for (unsigned i = 0; i < N_FRONT_FDS; i++)
                p[i] = (struct pollfd){.fd = m->front_fds[i], .events = POLLIN};
        if (poll(p, N_FRONT_FDS, 0) > 0)
                front_start(m);
}

/* Units by whose start the system's message bus appears: supd-bus goes and takes its name there. */
static bool is_message_bus(const char *unit)
{
        return streq(unit, "dbus.service") || streq(unit, "dbus-broker.service") || streq(unit, "dbus.socket");
}

/* Connections that came while it was ending are seen by arming the edge anew. */
void front_state_changed(struct manager *m, struct run *r)
{
        enum unit_active a = run_active(r);

        if (a == ACTIVE_ACTIVE && m->front_fds[1] >= 0 && is_message_bus(r->name))
                front_start(m);
        if ((a != ACTIVE_INACTIVE && a != ACTIVE_FAILED) || !api_is_front(m, r))
                return;
        for (unsigned i = 0; i < N_FRONT_FDS; i++)
                if (m->front_sources[i] && loop_change(m, m->front_sources[i], EPOLLIN | EPOLLET) < 0)
                        m->front_retry_us = sys_mono_us() + RETRY_US;
}

static int front_write_unit(struct manager *m)
{
        const char *libexec = getenv("SUPD_LIBEXEC_DIR");
        cleanup_buf_ struct buf text = {0};
        char path[4096];
        cleanup_close_ int fd = -1;
        int v;

        v = buf_printf(&text,
                       "[Unit]\nDescription=D-Bus front of supd\nDefaultDependencies=no\n"
                       "StartLimitIntervalSec=10\nStartLimitBurst=20\n[Service]\nType=exec\n"
                       "ExecStart=%s/supd-bus --manager=%s/manager --idle-exit=1%s%s%s\nTimeoutStopSec=5\n",
                       libexec ? libexec : SUPD_LIBEXECDIR, m->runtime_dir, m->control_group ? " --group=" : "",
                       m->control_group ? m->control_group : "",
                       m->front_fds[1] >= 0 && !m->user_mode ? " --system-bus" : "");
        if (v < 0)
                return v;
        (void)snprintf(path, sizeof(path), "%s/builtin", m->runtime_dir);
        (void)mkdir(path, 0755);
        (void)snprintf(path, sizeof(path), "%s/builtin/" FRONT_UNIT, m->runtime_dir);
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        return write(fd, text.data, text.size) == (ssize_t)text.size ? 0 : -EIO;
}

void front_inherit(struct manager *m)
{
        m->front_fds[0] = handover_inherited(state_map(m->state), "control");
        m->front_fds[1] = handover_inherited(state_map(m->state), "private");
}

/* A front of a dead keeper's time accepts on a socket that has gone with the keeper's store; as long as it finds
 * anything to do it would stay, and nobody answer at the new one. Its clients come back, as behind any death of it. */
static void front_end_stale(struct manager *m)
{
        static const int signals[] = {SIGKILL};
        struct run *r = units_find(m, FRONT_UNIT);

        if (r)
                (void)procs_signal(m, &r->d.main, signals, 1);
}

int front_open(struct manager *m)
{
        char path[4096];
        int v;

        if (m->front_fds[0] < 0)
                front_end_stale(m);
        (void)snprintf(path, sizeof(path), "%s/control", m->runtime_dir);
        v = front_listen(m, path, "control", SOCK_STREAM, m->control_group ? 0666 : 0600, &m->front_fds[0]);
        if (v == 0)
                v = compat_open(m);
        if (v == 0)
                v = front_write_unit(m);
        for (unsigned i = 0; v == 0 && i < N_FRONT_FDS; i++)
                if (m->front_fds[i] >= 0 && !m->front_sources[i])
                        v = loop_add(m, m->front_fds[i], EPOLLIN | EPOLLET, front_wanted, NULL, &m->front_sources[i]);
        return v;
}
