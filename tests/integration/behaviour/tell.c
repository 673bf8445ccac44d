/* SPDX-License-Identifier: MIT
 *
 * tell [--fd=N]… TEXT…: one datagram to NOTIFY_SOCKET with these fds, a line for each TEXT, with the caller's parent as
 * the sender where that is permitted (as a notification from a shell script must have it). Not a test: a tool of the
 * services under test. Invariant: static, so that it runs in any root.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        struct ucred who = {.pid = getppid(), .uid = getuid(), .gid = getgid()};
        char text[4096] = "", control[CMSG_SPACE(sizeof(who)) + CMSG_SPACE(16 * sizeof(int))] = {0};
        int fds[16], n_fds = 0;
        struct iovec data = {.iov_base = text};
        struct msghdr m = {.msg_name = &a,
                           .msg_iov = &data,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof(control)};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (!path || strlen(path) >= sizeof(a.sun_path) || fd < 0)
                return 2;
        (void)strcpy(a.sun_path, path);
        m.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
        if (*path == '@')
                a.sun_path[0] = 0;
        for (int i = 1; i < argc; i++) {
                if (strncmp(argv[i], "--fd=", 5) == 0 && n_fds < 16) {
                        fds[n_fds++] = atoi(argv[i] + 5);
                        continue;
                }
                (void)strncat(text, argv[i], sizeof(text) - strlen(text) - 2);
                (void)strcat(text, "\n");
        }
        data.iov_len = strlen(text);
        *CMSG_FIRSTHDR(&m) = (struct cmsghdr){
                .cmsg_len = CMSG_LEN(sizeof(who)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &who, sizeof(who));
        m.msg_controllen = CMSG_SPACE(sizeof(who));
        if (n_fds > 0) {
                struct cmsghdr *c = (struct cmsghdr *)(void *)(control + CMSG_SPACE(sizeof(who)));
                *c = (struct cmsghdr){.cmsg_len = CMSG_LEN((size_t)n_fds * sizeof(int)),
                                      .cmsg_level = SOL_SOCKET,
                                      .cmsg_type = SCM_RIGHTS};
                memcpy(CMSG_DATA(c), fds, (size_t)n_fds * sizeof(int));
                m.msg_controllen += CMSG_SPACE((size_t)n_fds * sizeof(int));
        }
        if (sendmsg(fd, &m, MSG_NOSIGNAL) >= 0)
                return 0;
        m.msg_control = NULL;
        m.msg_controllen = 0;
        if (sendmsg(fd, &m, MSG_NOSIGNAL) >= 0)
                return 0;
        perror("tell");
        return 1;
}
