/* SPDX-License-Identifier: MIT
 *
 * deny ERRNO SYSCALL[,SYSCALL…] -- COMMAND ARG…: runs COMMAND under a seccomp filter that answers these system calls
 * with ERRNO (a number), as container engines do. Not a test: the container in which the tests run a supd. Invariant:
 * everything that is not named is allowed; the filter goes on to all descendants.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_CALLS 16

static const struct {
        const char *name;
        unsigned number;
} calls[] = {
        {"clone3", SYS_clone3},
        {"pidfd_open", SYS_pidfd_open},
        {"pidfd_send_signal", SYS_pidfd_send_signal},
        {"close_range", SYS_close_range},
        {"memfd_create", SYS_memfd_create},
        {"fallocate", SYS_fallocate},
        {"pwrite64", SYS_pwrite64},
};

static int number_of(const char *name)
{
        for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
                if (strcmp(calls[i].name, name) == 0)
                        return (int)calls[i].number;
        return -1;
}

static int install(unsigned error, const unsigned *denied, unsigned n)
{
        struct sock_filter code[MAX_CALLS + 3];
        unsigned at = 0;
        struct sock_fprog program = {.filter = code};

        code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
        for (unsigned i = 0; i < n; i++) /* to the last instruction */
                code[at++] =
                        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, denied[i], (unsigned char)(n - i), 0);
        code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error);
        program.len = (unsigned short)at;
        if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -1;
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
        unsigned denied[MAX_CALLS], n = 0;

        if (argc < 5 || strcmp(argv[3], "--") != 0) {
                (void)fprintf(stderr, "usage: deny ERRNO SYSCALL[,SYSCALL...] -- COMMAND ARG...\n");
                return 2;
        }
        for (char *save = NULL, *w = strtok_r(argv[2], ",", &save); w; w = strtok_r(NULL, ",", &save)) {
                int number = number_of(w);
                if (number < 0 || n == MAX_CALLS) {
                        (void)fprintf(stderr, "deny: system call %s is not known here\n", w);
                        return 2;
                }
                denied[n++] = (unsigned)number;
        }
        if (install((unsigned)atoi(argv[1]), denied, n) < 0) {
                perror("deny: no filter can be installed");
                return 77;
        }
        execvp(argv[4], argv + 4);
        perror(argv[4]);
        return 127;
}
