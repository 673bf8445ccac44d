/* SPDX-License-Identifier: MIT
 *
 * Standard input, output and error, and the passed fds.
 *
 * The unit's own log is the default, and not a thing to fail a start for: when it cannot be opened the service writes
 * into /dev/null and the slot tells why. A file the unit names is another matter: 208, 209, 222.
 * Invariant: an fd on its way into place is close-on-exec until it gets there.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

#include "job.h"

static enum exec_input input_of(const struct job *j)
{
        return (enum exec_input)job_word(j, PLAN_INPUT, 0, INPUT_NULL);
}

static enum exec_output output_of(const struct job *j, enum plan_tag tag)
{
        return (enum exec_output)job_word(j, tag, 0, tag == PLAN_OUTPUT ? OUTPUT_JOURNAL : OUTPUT_INHERIT);
}

/* Opens the log; a new one belongs to root and, where it exists, the group that may read logs. */
static int open_log(const char *path)
{
        const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW;
        int fd = open(path, flags), r;
        gid_t adm;

        if (fd >= 0 || errno != ENOENT)
                return fd >= 0 ? fd : -errno;
        fd = open(path, flags | O_CREAT, 0640);
        if (fd < 0 && errno == ENOENT) {
                r = make_parents(path);
                if (r < 0)
                        return r;
                fd = open(path, flags | O_CREAT, 0640);
        }
        if (fd < 0)
                return -errno;
        if (geteuid() == 0 && group_find("adm", &adm) == 0)
                (void)!fchown(fd, 0, adm);
        (void)fchmod(fd, 0640);
        return fd;
}

int streams_open_log(struct job *j)
{
        const char *path = job_string(j, PLAN_LOG);

        if (!path)
                return 0;
        j->log_fd = open_log(path);
        if (j->log_fd < 0) {
                j->note.step = PLAN_STEP_STDOUT;
                j->note.error = -j->log_fd;
        }
        return 0;
}

static int open_null(int flags)
{
        int fd = open("/dev/null", flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* A path that is a socket is connected to, as systemd does for StandardOutput=file:/run/x.sock. */
static int open_path(const char *path, int flags)
{
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        int fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0666 & ~022);
        int r;

        if (fd >= 0)
                return fd;
        if (errno != ENXIO || strlen(path) >= sizeof(sa.sun_path))
                return -errno;
        memcpy(sa.sun_path, path, strlen(path));
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
                r = -errno;
                (void)close(fd);
                return r;
        }
        return fd;
}

static int dup_of(int fd)
{
        int r = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return r < 0 ? -errno : r;
}

/* The passed fd called NAME in LISTEN_FDNAMES. */
static int named_fd(const struct job *j, const char *name)
{
        const char *names = job_string(j, PLAN_LISTEN);
        size_t n = strlen(name);
        unsigned i = 0;

        for (const char *p = names; p && *p && i < j->n_fds; i++) {
                size_t length = strcspn(p, ":");

                if (length == n && memcmp(p, name, n) == 0)
                        return dup_of(j->fds[i]);
                p += length + (p[length] == ':');
        }
        return -ENOENT;
}

static const char *tty_path(const struct job *j)
{
        const char *p = job_string(j, PLAN_TTY);
        return p ? p : "/dev/console";
}

/* Opens the terminal and makes it ours. "tty" waits until its owner lets go, "fail" does not, "force" takes it. */
static int open_tty(const struct job *j, enum exec_input how)
{
        cleanup_close_ int watch = -1;
        char event[sizeof(struct inotify_event) + NAME_MAX + 1];

        if (how == INPUT_TTY) {
                watch = inotify_init1(IN_CLOEXEC);
                if (watch >= 0 && inotify_add_watch(watch, tty_path(j), IN_CLOSE) < 0)
                        close_fd_p(&watch);
        }
        for (;;) {
                int fd = open(tty_path(j), O_RDWR | O_NOCTTY | O_CLOEXEC), e;

                if (fd < 0)
                        return -errno;
                if (ioctl(fd, TIOCSCTTY, how == INPUT_TTY_FORCE ? 1 : 0) == 0)
                        return fd;
                e = errno;
                (void)close(fd);
                if (e != EPERM || how != INPUT_TTY || watch < 0)
                        return -e;
                if (read(watch, event, sizeof(event)) < 0)
                        return -errno;
        }
}

static int open_data(const struct job *j)
{
        int fds[2];
        const struct plan_item *item = &j->items[PLAN_INPUT_DATA];
        size_t n = item->record ? item->tail_size : 0;

        if (n == 0)
                return open_null(O_RDONLY);
        if (n <= 4096) {
                if (pipe2(fds, O_CLOEXEC) < 0)
                        return -errno;
                if (write(fds[1], item->tail, n) != (ssize_t)n)
                        n = 0;
                (void)close(fds[1]);
                if (n == 0) {
                        (void)close(fds[0]);
                        return -EIO;
                }
                return fds[0];
        }
        fds[0] = memfd_create("stdin", MFD_CLOEXEC);
        if (fds[0] < 0)
                return -errno;
        for (size_t done = 0; done < n;) {
                ssize_t w = write(fds[0], item->tail + done, n - done);

                if (w < 0) {
                        w = -errno;
                        (void)close(fds[0]);
                        return (int)w;
                }
                done += (size_t)w;
        }
        (void)lseek(fds[0], 0, SEEK_SET);
        return fds[0];
}

/* The fd that becomes standard input; -EEXIST: it is what the launcher has. */
static int open_input(const struct job *j)
{
        const char *name = job_string(j, PLAN_INPUT);

        switch (input_of(j)) {
        case INPUT_TTY:
        case INPUT_TTY_FORCE:
        case INPUT_TTY_FAIL:
                return open_tty(j, input_of(j));
        case INPUT_SOCKET:
                return j->n_fds > 0 ? dup_of(j->fds[0]) : -ENOTCONN;
        case INPUT_FD:
                return named_fd(j, name && name[0] ? name : "stdin");
        case INPUT_DATA:
                return open_data(j);
        case INPUT_FILE:
                return open_path(name ? name : "", O_RDONLY);
        case INPUT_NULL:
        case N_EXEC_INPUTS:
                break;
        }
        return j->launcher->input_is_null ? -EEXIST : open_null(O_RDONLY);
}

/* What "inherit" means for standard output: where the input has two directions it is that; else what supd has. */
static int open_inherited(const struct job *j, enum plan_tag tag)
{
        if (tag == PLAN_ERROR)
                return dup_of(STDOUT_FILENO);
        if (input_of(j) == INPUT_NULL || input_of(j) == INPUT_DATA)
                return -EEXIST;
        return dup_of(STDIN_FILENO);
}

/* The fd that becomes stream FD; -EEXIST: leave it as it is. */
static int open_output(const struct job *j, enum plan_tag tag)
{
        const char *name = job_string(j, tag);

        switch (output_of(j, tag)) {
        case OUTPUT_INHERIT:
                return open_inherited(j, tag);
        case OUTPUT_TTY:
                return input_of(j) >= INPUT_TTY && input_of(j) <= INPUT_TTY_FAIL ? dup_of(STDIN_FILENO)
                                                                                 : open_path(tty_path(j), O_WRONLY);
        case OUTPUT_JOURNAL:
                return j->log_fd >= 0 ? dup_of(j->log_fd) : open_null(O_WRONLY);
        case OUTPUT_SOCKET:
                return j->n_fds > 0 ? dup_of(j->fds[0]) : -ENOTCONN;
        case OUTPUT_FD:
                return named_fd(j, name && name[0] ? name : tag == PLAN_OUTPUT ? "stdout" : "stderr");
        case OUTPUT_FILE:
                return open_path(name ? name : "", O_WRONLY | O_CREAT);
        case OUTPUT_APPEND:
                return open_path(name ? name : "", O_WRONLY | O_CREAT | O_APPEND);
        case OUTPUT_TRUNCATE:
                return open_path(name ? name : "", O_WRONLY | O_CREAT | O_TRUNC);
        case OUTPUT_NULL:
        case N_EXEC_OUTPUTS:
                break;
        }
        return open_null(O_WRONLY);
}

/* Puts OPENED (or its error) at stream FD. */
static int place(struct job *j, int opened, int fd, enum plan_step step, int exit_code)
{
        int r = 0;

        if (opened == -EEXIST)
                return 0;
        if (opened < 0)
                return job_fail(j, step, -opened, exit_code);
        if (dup2(opened, fd) < 0)
                r = job_fail(j, step, errno, exit_code);
        (void)close(opened);
        return r;
}

int streams_set_up(struct job *j)
{
        int r = place(j, open_input(j), STDIN_FILENO, PLAN_STEP_STDIN, EXIT_CODE_STDIN);

        if (r == 0)
                r = place(j, open_output(j, PLAN_OUTPUT), STDOUT_FILENO, PLAN_STEP_STDOUT, EXIT_CODE_STDOUT);
        if (r == 0)
                r = place(j, open_output(j, PLAN_ERROR), STDERR_FILENO, PLAN_STEP_STDERR, EXIT_CODE_STDERR);
        return r;
}

static bool uses_socket_stream(const struct job *j)
{
        return input_of(j) == INPUT_SOCKET || output_of(j, PLAN_OUTPUT) == OUTPUT_SOCKET ||
               output_of(j, PLAN_ERROR) == OUTPUT_SOCKET;
}

/* Passed fds end up at 3, 4, …; first all that is in the way goes above them. What keeps a start alive for others to
 * see (life, plans) must not be overwritten before exec. */
int streams_pass_fds(struct job *j)
{
        int first_free = 3 + (int)j->n_fds, fds[256], flags;

        if (j->n_fds == 0 || uses_socket_stream(j))
                return 0;
        if (j->launcher->life_fd < first_free)
                (void)fcntl(j->launcher->life_fd, F_DUPFD_CLOEXEC, first_free);
        if (j->launcher->plans_fd < first_free)
                (void)fcntl(j->launcher->plans_fd, F_DUPFD_CLOEXEC, first_free);
        for (unsigned i = 0; i < j->n_fds; i++) {
                fds[i] = fcntl(j->fds[i], F_DUPFD_CLOEXEC, first_free);
                if (fds[i] < 0)
                        return job_fail(j, PLAN_STEP_STDIN, errno, EXIT_CODE_FDS);
        }
        for (unsigned i = 0; i < j->n_fds; i++) {
                if (dup2(fds[i], 3 + (int)i) < 0)
                        return job_fail(j, PLAN_STEP_STDIN, errno, EXIT_CODE_FDS);
                flags = fcntl(3 + (int)i, F_GETFL);
                if (flags >= 0)
                        (void)fcntl(3 + (int)i, F_SETFL,
                                    job_flag(j, PLAN_FLAG_NON_BLOCKING) ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
        }
        return 0;
}
