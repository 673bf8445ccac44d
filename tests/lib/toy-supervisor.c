/* SPDX-License-Identifier: MIT
 *
 * A supervisor that is wrong on purpose: toy-supervisor MODE DIARY DIR. It shows that the observer can fail.
 *
 *     good    one main process of a.service, exits reaped
 *     double  two at the same time
 *     none    nothing
 *     zombie  one, and an exit that is never reaped
 *     stray   one, and a process that no diary knows
 *     child   the main process was killed, its child lives on
 *
 * Not here: anything a real supervisor would need. Invariant: it dies with its parent.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir_option[512];
static const char *diary;

static pid_t start(const char *option)
{
        pid_t p = fork();
        if (p == 0) {
                execl(diary, diary, dir_option, "--name=a.service", option, (char *)NULL);
                _exit(127);
        }
        return p;
}

static pid_t start_stray(void)
{
        pid_t p = fork();
        if (p == 0) {
                execl("/bin/sh", "sh", "-c", "kill -STOP $$", dir_option, (char *)NULL);
                _exit(127);
        }
        return p;
}

static void reap_forever(void)
{
        for (;;)
                if (waitpid(-1, NULL, 0) < 0)
                        (void)usleep(1000);
}

int main(int argc, char **argv)
{
        if (argc != 4)
                return 2;
        const char *mode = argv[1];
        diary = argv[2];
        (void)snprintf(dir_option, sizeof(dir_option), "--dir=%s", argv[3]);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
        if (strcmp(mode, "none") == 0)
                reap_forever();
        pid_t p = start(strcmp(mode, "child") == 0 ? "--children=1" : "--exit=0");
        if (strcmp(mode, "double") == 0)
                (void)start("--exit=0");
        if (strcmp(mode, "stray") == 0)
                (void)start_stray();
        if (strcmp(mode, "child") == 0) {
                (void)usleep(100000);
                (void)kill(p, SIGKILL);
        }
        if (strcmp(mode, "zombie") == 0) {
                (void)start("--role=control");
                for (;;)
                        (void)pause();
        }
        reap_forever();
}
