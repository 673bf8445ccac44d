/* SPDX-License-Identifier: MIT
 *
 * What only PID 1 does: know whether it is PID 1 of a machine or of a container, mount what a bare image lacks, and
 * reboot or power off at the end.
 *
 * Invariant: nothing is mounted where /proc already is; reboot(2) is never called but as PID 1 of a machine (or where
 * that cannot be known, and then its failure just ends the process).
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "keeper.h"

#define INIT_PID_NAMESPACE                                                                                             \
        0xEFFFFFFCu /* inode number of the machine's own pid namespace, fixed in the kernel's ABI                      \
                     */

static const struct {
        const char *type, *where;
        unsigned long flags;
        const char *data;
} mounts[] = {
        {"proc", "/proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL},
        {"sysfs", "/sys", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL},
        {"devtmpfs", "/dev", MS_NOSUID, "mode=0755"},
        {"tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755"},
};

static void mount_missing(void)
{
        if (access("/proc/self", F_OK) == 0)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
                (void)mkdir(mounts[i].where, 0755);
                if (mount(mounts[i].type, mounts[i].where, mounts[i].type, mounts[i].flags, mounts[i].data) < 0 &&
                    errno != EBUSY)
                        say("cannot mount %s on %s: %s; going on without", mounts[i].type, mounts[i].where,
                            strerror(errno));
        }
}

/* fds 0, 1 and 2 are always open, so that nothing of ours ever gets such a number. */
static void stdio_open(bool init)
{
        for (int fd = 0; fd <= 2; fd++) {
                int r;

                if (fcntl(fd, F_GETFD) >= 0)
                        continue;
                r = init ? open("/dev/console", O_RDWR | O_NOCTTY) : -1;
                if (r < 0)
                        r = open("/dev/null", O_RDWR);
                if (r < 0)
                        (void)open("/", O_RDONLY | O_DIRECTORY);
        }
}

enum keeper_form machine_form(void)
{
        struct stat st;

        if (getpid() != 1)
                return FORM_SUPERVISOR;
        if (stat("/proc/self/ns/pid", &st) == 0)
                return st.st_ino == INIT_PID_NAMESPACE ? FORM_MACHINE : FORM_CONTAINER;
        return getenv("container") ? FORM_CONTAINER : FORM_MACHINE;
}

void machine_prepare(enum keeper_form form)
{
        if (form == FORM_MACHINE)
                mount_missing();
        stdio_open(form != FORM_SUPERVISOR);
        if (form == FORM_MACHINE)
                (void)reboot(RB_DISABLE_CAD); /* Ctrl-Alt-Del becomes a SIGINT for us */
}

static const struct {
        uint32_t outcome, request; /* either of them asks for it */
        int command;
} ends[] = {
        {DURABLE_OUTCOME_REBOOT, DURABLE_REQUEST_REBOOT, RB_AUTOBOOT},
        {DURABLE_OUTCOME_HALT, 0, RB_HALT_SYSTEM},
        {DURABLE_OUTCOME_POWER, DURABLE_REQUEST_POWER, RB_POWER_OFF},
};

/* reboot(2); libc has only the form without an argument */
#define REBOOT_MAGIC         0xfee1deadL
#define REBOOT_MAGIC2        0x28121969L
#define REBOOT_WITH_ARGUMENT 0xa1b2c3d4L

void machine_end(enum keeper_form form, uint32_t asked, uint32_t outcome, const char *argument)
{
        int command = RB_POWER_OFF; /* a machine whose init has nothing left to do */

        if (form != FORM_MACHINE)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                bool wanted =
                        outcome == DURABLE_OUTCOME_DONE ? (asked & ends[i].request) != 0 : outcome == ends[i].outcome;
                if (wanted) {
                        command = ends[i].command;
                        break;
                }
        }
        sync();
        if (command == RB_AUTOBOOT && *argument)
                (void)syscall(SYS_reboot, REBOOT_MAGIC, REBOOT_MAGIC2, REBOOT_WITH_ARGUMENT, argument);
        if (reboot(command) < 0)
                say("cannot reboot or power off: %s; exiting", strerror(errno));
}
