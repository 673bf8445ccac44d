/* SPDX-License-Identifier: MIT
 *
 * What few units ask for: core dumps, timers, NUMA memory, keyrings, secure bits, the state of a terminal, files that
 * are opened for the service.
 *
 * What the container does not permit is left out where systemd leaves it out too: core dump filter, NUMA policy,
 * keyring. Invariant: a plan without these records costs a look at a table each.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>

#include "job.h"

/* linux/keyctl.h, linux/kd.h, linux/vt.h: musl comes without the kernel's headers */
enum {
        KEYCTL_JOIN_SESSION_KEYRING_ = 1,
        KEYCTL_LINK_ = 8,
        KEY_SESSION = -3,
        KEY_USER = -4,
        KD_SET_MODE = 0x4b3a,
        KD_TEXT_MODE = 0,
        KD_SET_KEYBOARD = 0x4b45,
        KEYBOARD_UNICODE = 3,
        VT_DISALLOCATE_ = 0x5608,
};

static int set_core_filter(uint64_t bits)
{
        cleanup_close_ int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);
        char text[24];
        int n = snprintf(text, sizeof(text), "0x%llx", (unsigned long long)(bits & 0xffffffff));

        if (fd < 0 || write(fd, text, (size_t)n) != n)
                return -errno;
        return 0;
}

int rare_scheduling(struct job *j)
{
        const struct plan_item *numa = &j->items[PLAN_NUMA];
        int r;

        if (job_has(j, PLAN_CORE_FILTER)) {
                r = set_core_filter(plan_long(&j->items[PLAN_CORE_FILTER], 0));
                if (r < 0 && r != -EPERM && r != -EACCES && r != -EROFS && r != -ENOENT)
                        return job_fail(j, PLAN_STEP_CORE_FILTER, -r, EXIT_CODE_LIMITS);
        }
        if (job_has(j, PLAN_TIMER_SLACK) &&
            prctl(PR_SET_TIMERSLACK, (unsigned long)plan_long(&j->items[PLAN_TIMER_SLACK], 0), 0, 0, 0) < 0)
                return job_fail(j, PLAN_STEP_TIMER_SLACK, errno, EXIT_CODE_TIMERSLACK);
        if (numa->record &&
            syscall(SYS_set_mempolicy, plan_word(numa, 0), numa->tail_size > 0 ? numa->tail : NULL,
                    numa->tail_size * 8 + (numa->tail_size > 0)) < 0 &&
            errno != ENOSYS && errno != EPERM)
                return job_fail(j, PLAN_STEP_NUMA, errno, EXIT_CODE_NUMA_POLICY);
        return 0;
}

/* Behind the change of user, so that the keyring belongs to it. */
int rare_keyring(struct job *j)
{
        uint32_t mode = job_word(j, PLAN_KEYRING, 0, KEYRING_INHERIT);

        if (mode == KEYRING_INHERIT)
                return 0;
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING_, 0, 0, 0, 0) < 0) {
                if (errno == ENOSYS || errno == EPERM || errno == EACCES || errno == EDQUOT || errno == EOPNOTSUPP)
                        return 0;
                return job_fail(j, PLAN_STEP_KEYRING, errno, EXIT_CODE_KEYRING);
        }
        if (mode == KEYRING_SHARED && syscall(SYS_keyctl, KEYCTL_LINK_, KEY_USER, KEY_SESSION, 0, 0) < 0)
                return job_fail(j, PLAN_STEP_KEYRING, errno, EXIT_CODE_KEYRING);
        return 0;
}

/* ---- the terminal ---- */

/* As it is after power-up: in line mode, with echo, and nobody's alone. */
static void reset_terminal(int fd)
{
        struct termios t;

        (void)ioctl(fd, TIOCNXCL);
        (void)ioctl(fd, KD_SET_MODE, KD_TEXT_MODE);
        (void)ioctl(fd, KD_SET_KEYBOARD, KEYBOARD_UNICODE);
        if (tcgetattr(fd, &t) == 0) {
                t.c_iflag = (t.c_iflag & ~(tcflag_t)(IGNBRK | BRKINT | ISTRIP | INLCR | IGNCR | IUCLC)) | ICRNL |
                            IMAXBEL | IUTF8;
                t.c_oflag |= ONLCR | OPOST;
                t.c_cflag |= CREAD;
                t.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
                t.c_cc[VINTR] = 3;
                t.c_cc[VQUIT] = 28;
                t.c_cc[VERASE] = 127;
                t.c_cc[VKILL] = 21;
                t.c_cc[VEOF] = 4;
                t.c_cc[VSTART] = 17;
                t.c_cc[VSTOP] = 19;
                t.c_cc[VSUSP] = 26;
                t.c_cc[VEOL] = 0;
                t.c_cc[VTIME] = 0;
                t.c_cc[VMIN] = 1;
                (void)tcsetattr(fd, TCSANOW, &t);
        }
        (void)tcflush(fd, TCIOFLUSH);
}

/* A virtual terminal that is not in use is given back; any other is cleared, its history too. */
static void disallocate(const char *path, int fd)
{
        static const char clear[] = "\033[r\033[H\033[3J";
        unsigned number = 0;

        if (sscanf(path, "/dev/tty%u", &number) == 1 && number > 0) {
                cleanup_close_ int console = open("/dev/tty0", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

                if (console >= 0 && ioctl(console, VT_DISALLOCATE_, number) == 0)
                        return;
        }
        (void)!write(fd, clear, sizeof(clear) - 1);
}

void rare_terminal(struct job *j)
{
        const char *path = job_string(j, PLAN_TTY) ? job_string(j, PLAN_TTY) : "/dev/console";
        uint32_t flags = job_word(j, PLAN_TTY_SETUP, 0, 0);
        cleanup_close_ int fd = -1;
        struct winsize size;

        if (!job_has(j, PLAN_TTY_SETUP))
                return;
        fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0 && flags & PLAN_TTY_HANGUP) {
                (void)ioctl(fd, TIOCVHANGUP);
                (void)close(fd); /* a descriptor of before the hang-up is dead */
                fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        }
        if (fd < 0)
                return;
        if (flags & PLAN_TTY_RESET)
                reset_terminal(fd);
        if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
                uint32_t rows = job_word(j, PLAN_TTY_SETUP, 1, 0), columns = job_word(j, PLAN_TTY_SETUP, 2, 0);

                size.ws_row = rows ? (unsigned short)rows : size.ws_row;
                size.ws_col = columns ? (unsigned short)columns : size.ws_col;
                if (rows || columns)
                        (void)ioctl(fd, TIOCSWINSZ, &size);
        }
        if (flags & PLAN_TTY_DISALLOCATE)
                disallocate(path, fd);
}

/* ---- OpenFile= ---- */

static int open_socket(const char *path)
{
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (strlen(path) >= sizeof(sa.sun_path))
                return -ENAMETOOLONG;
        memcpy(sa.sun_path, path, strlen(path));
        if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
                return -errno;
        return take_fd(&fd);
}

/* As systemd 253: for reading and writing unless said otherwise, and a socket is connected to. */
static int open_one(const char *path, uint32_t flags)
{
        int how = flags & PLAN_OPEN_READ_ONLY  ? O_RDONLY
                  : flags & PLAN_OPEN_APPEND   ? O_APPEND | O_RDWR
                  : flags & PLAN_OPEN_TRUNCATE ? O_TRUNC | O_RDWR
                                               : O_RDWR;
        struct stat st;
        int fd;

        if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode))
                return open_socket(path);
        fd = open(path, how | O_CLOEXEC | O_NOCTTY);
        return fd < 0 ? -errno : fd;
}

static unsigned count_records(const struct job *j, enum plan_tag tag)
{
        struct plan_item item;
        size_t offset = 0;
        unsigned n = 0;

        while (job_next_record(j, &offset, tag, &item))
                n++;
        return n;
}

/* What is opened comes behind what was passed along, in its numbers and in LISTEN_FDNAMES. */
int rare_open_files(struct job *j)
{
        unsigned n = count_records(j, PLAN_OPEN_FILE);
        const char *names = job_string(j, PLAN_OPEN_NAMES), *passed = job_string(j, PLAN_LISTEN);
        struct plan_item item;
        size_t offset = 0, room;
        int *fds;

        if (n == 0 || !names)
                return 0;
        room = strlen(names) + (passed ? strlen(passed) : 0) + 2;
        fds = arena_alloc(&j->arena, (j->n_fds + n) * sizeof(int));
        j->fd_names = arena_alloc(&j->arena, room);
        if (!fds || !j->fd_names)
                return job_fail(j, PLAN_STEP_MEMORY, ENOMEM, EXIT_CODE_MEMORY);
        (void)snprintf(j->fd_names, room, "%s", passed ? passed : "");
        if (j->n_fds > 0)
                memcpy(fds, j->fds, j->n_fds * sizeof(int));
        while (job_next_record(j, &offset, PLAN_OPEN_FILE, &item)) {
                size_t length = strcspn(names, ":");
                int fd = open_one(item.tail, plan_word(&item, 0));

                if (fd < 0 && !(plan_word(&item, 0) & PLAN_OPEN_GRACEFUL))
                        return job_fail(j, PLAN_STEP_OPEN_FILE, -fd, EXIT_CODE_FDS);
                if (fd >= 0) {
                        size_t at = strlen(j->fd_names);

                        fds[j->n_fds++] = fd_raised(fd);
                        (void)snprintf(j->fd_names + at, room - at, "%s%.*s", at > 0 ? ":" : "", (int)length, names);
                }
                names += length + (names[length] == ':');
        }
        j->fds = fds;
        return 0;
}
