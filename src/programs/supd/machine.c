/* SPDX-License-Identifier: MIT
 *
 * What only PID 1 does: know whether it is PID 1 of a machine or of a container, mount what a bare image lacks, and
 * reboot or power off at the end.
 *
 * Invariant: nothing is mounted where something is already, and nothing but as PID 1 of a machine; reboot(2) is never
 * called but as PID 1 of a machine (or where that cannot be known, and then its failure just ends the process).
 */
#include <fcntl.h>
#include <stdio.h>
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
        {"devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5,ptmxmode=0666"},
        {"tmpfs", "/dev/shm", MS_NOSUID | MS_NODEV, "mode=1777"},
        {"tmpfs", "/run", MS_NOSUID | MS_NODEV, "mode=0755"},
};

/* devtmpfs knows devices only */
static const struct {
        const char *path, *target;
} links[] = {
        {"/dev/fd", "/proc/self/fd"},
        {"/dev/stdin", "/proc/self/fd/0"},
        {"/dev/stdout", "/proc/self/fd/1"},
        {"/dev/stderr", "/proc/self/fd/2"},
};

/* Whether something is mounted at PATH, as far as that is told by the device: what we mount always is one of its own.
 */
static bool is_mounted(const char *path)
{
        char above[64];
        struct stat here, there;

        (void)snprintf(above, sizeof(above), "%s/..", path);
        return lstat(path, &here) == 0 && stat(above, &there) == 0 && here.st_dev != there.st_dev;
}

static void mount_missing(void)
{
        for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
                (void)mkdir(mounts[i].where, 0755);
                if (!is_mounted(mounts[i].where) &&
                    mount(mounts[i].type, mounts[i].where, mounts[i].type, mounts[i].flags, mounts[i].data) < 0 &&
                    errno != EBUSY)
                        say("cannot mount %s on %s: %s; going on without", mounts[i].type, mounts[i].where,
                            strerror(errno));
        }
        for (size_t i = 0; i < ARRAY_SIZE(links); i++)
                (void)symlink(links[i].target, links[i].path); /* what is there stays */
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

static const struct end {
        uint32_t outcome, request; /* either of them asks for it */
        int command;
        const char *word; /* for supd-shutdown */
} ends[] = {
        {DURABLE_OUTCOME_REBOOT, DURABLE_REQUEST_REBOOT, RB_AUTOBOOT, "reboot"},
        {DURABLE_OUTCOME_KEXEC, DURABLE_REQUEST_KEXEC, RB_KEXEC, "kexec"},
        {DURABLE_OUTCOME_HALT, DURABLE_REQUEST_HALT, RB_HALT_SYSTEM, "halt"},
        {DURABLE_OUTCOME_POWER, DURABLE_REQUEST_POWER, RB_POWER_OFF, "poweroff"},
};

/* A machine whose init has nothing left to do is switched off. */
static const struct end *end_wanted(const struct keeper *k)
{
        uint32_t outcome = k->header ? atomic_load(&k->header->outcome) : DURABLE_OUTCOME_DONE;

        if (k->insisted)
                return &ends[0];
        for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
                if (outcome <= DURABLE_OUTCOME_DONE ? (k->asked & ends[i].request) != 0 : outcome == ends[i].outcome)
                        return &ends[i];
        return &ends[ARRAY_SIZE(ends) - 1];
}

/* reboot(2); libc has only the form without an argument */
#define REBOOT_MAGIC         0xfee1deadL
#define REBOOT_MAGIC2        0x28121969L
#define REBOOT_WITH_ARGUMENT 0xa1b2c3d4L

void machine_end(struct keeper *k)
{
        const struct end *e;

        if (k->form != FORM_MACHINE)
                return;
        e = end_wanted(k);
        if (!k->header || atomic_load(&k->header->at_once) == 0)
                shutdown_run(k, e->word);
        if (e->command == RB_AUTOBOOT && k->header && *k->header->reboot_argument)
                (void)syscall(SYS_reboot, REBOOT_MAGIC, REBOOT_MAGIC2, REBOOT_WITH_ARGUMENT,
                              k->header->reboot_argument);
        if (reboot(e->command) < 0 && e->command == RB_KEXEC) {
                say("no kernel is loaded to go on with (%s); rebooting", strerror(errno));
                (void)reboot(RB_AUTOBOOT);
        }
        say("cannot reboot or power off: %s; exiting", strerror(errno));
}
