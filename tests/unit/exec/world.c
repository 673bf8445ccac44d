/* SPDX-License-Identifier: MIT
 * See world.h.
 */
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abi/launch.h"
#include "exec/plan-format.h"

/* clang-format off */
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

enum { PATIENCE_MS = 20000 };

void world_start_launcher(struct world *w, world_prepare prepare)
{
        int sockets[2], life[2];
        char fds[64];

        assert_return_code(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), errno);
        assert_return_code(pipe2(life, O_CLOEXEC), errno);
        w->launcher = fork();
        assert_return_code(w->launcher, errno);
        if (w->launcher == 0) {
                (void)fcntl(w->state_fd, F_SETFD, 0);
                (void)fcntl(w->bell_fd, F_SETFD, 0);
                (void)fcntl(sockets[1], F_SETFD, 0);
                (void)fcntl(life[1], F_SETFD, 0);
                (void)snprintf(fds, sizeof(fds), "--fds=%d,%d,%d,%d", w->state_fd, w->bell_fd, sockets[1], life[1]);
                if (prepare)
                        prepare();
                (void)setenv("FROM_MANAGER", "yes", 1);
                (void)execl(SUPD_EXEC, SUPD_EXEC, fds, NULL);
                _exit(127);
        }
        (void)close(sockets[1]);
        (void)close(life[1]);
        w->plans_fd = sockets[0];
        w->life_fd = life[0];
}

void world_start(struct world *w, world_prepare prepare)
{
        struct durable_header *h;

        *w = (struct world){.state_fd = memfd_create("state", MFD_CLOEXEC)};
        assert_return_code(w->state_fd, errno);
        assert_return_code(ftruncate(w->state_fd, (off_t)DURABLE_FILE_SIZE), errno);
        w->map = mmap(NULL, DURABLE_RING, PROT_READ | PROT_WRITE, MAP_SHARED, w->state_fd, 0);
        assert_ptr_not_equal(w->map, MAP_FAILED);
        h = durable_header_of(w->map);
        memcpy(h->magic, DURABLE_MAGIC, sizeof(h->magic));
        h->major = DURABLE_MAJOR;
        w->bell_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        assert_return_code(w->bell_fd, errno);
        assert_return_code(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), errno);
        (void)snprintf(w->directory, sizeof(w->directory), "/tmp/supd-exec-test-XXXXXX");
        assert_non_null(mkdtemp(w->directory));
        assert_return_code(chmod(w->directory, 0755), errno);
        world_start_launcher(w, prepare);
}

static void remove_tree(const char *path)
{
        DIR *d = opendir(path);
        struct dirent *e;
        char below[PATH_MAX];

        while (d && (e = readdir(d))) {
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                (void)snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
                if (unlink(below) < 0)
                        remove_tree(below);
        }
        if (d)
                (void)closedir(d);
        (void)rmdir(path);
}

void world_stop(struct world *w)
{
        close_fd_p(&w->plans_fd);
        for (uint32_t i = 0; i < w->n_slots; i++) {
                pid_t pid = (pid_t)atomic_load(&durable_pids(w->map)[i]);

                if (pid > 0)
                        (void)kill(pid, SIGKILL);
        }
        while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
                ;
        close_fd_p(&w->life_fd);
        close_fd_p(&w->bell_fd);
        close_fd_p(&w->state_fd);
        (void)munmap(w->map, DURABLE_RING);
        remove_tree(w->directory);
}

struct durable_slot *world_slot(struct world *w, uint32_t slot)
{
        return &durable_slots(w->map)[slot];
}

uint32_t world_send(struct world *w, const struct buf *plan, const int *fds, unsigned n_fds)
{
        struct launch_message m = {
                .magic = LAUNCH_MAGIC, .slot = w->n_slots++, .plan_size = (uint32_t)plan->size, .n_extra_fds = n_fds};
        struct durable_slot *s = world_slot(w, m.slot);
        char control[CMSG_SPACE(253 * sizeof(int))] = {0};
        struct iovec iov[2] = {{&m, sizeof(m)}, {plan->data, plan->size}};
        struct msghdr h = {.msg_iov = iov, .msg_iovlen = 2};
        cleanup_close_ int memfd = -1;
        int all[253];
        unsigned n = 0;

        m.generation = m.slot * 7 + 3;
        atomic_store(&s->generation, m.generation);
        atomic_store(&s->launch, LAUNCH_INTENT);
        if (plan->size > LAUNCH_INLINE_MAX) {
                memfd = memfd_create("plan", MFD_CLOEXEC);
                assert_int_equal(write(memfd, plan->data, plan->size), plan->size);
                m.in_memfd = 1;
                h.msg_iovlen = 1;
                all[n++] = memfd;
        }
        for (unsigned i = 0; i < n_fds; i++)
                all[n++] = fds[i];
        if (n > 0) {
                struct cmsghdr *c;

                h.msg_control = control;
                h.msg_controllen = CMSG_SPACE(n * sizeof(int));
                c = CMSG_FIRSTHDR(&h);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(n * sizeof(int));
                memcpy(CMSG_DATA(c), all, n * sizeof(int));
        }
        assert_return_code(sendmsg(w->plans_fd, &h, 0), errno);
        return m.slot;
}

uint32_t world_wait_noted(struct world *w, uint32_t slot)
{
        struct durable_slot *s = world_slot(w, slot);
        uint64_t rings;

        while (atomic_load(&s->launch) == LAUNCH_INTENT) {
                struct pollfd p = {.fd = w->bell_fd, .events = POLLIN};

                assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
                (void)!read(w->bell_fd, &rings, sizeof(rings));
        }
        return atomic_load(&s->launch);
}

int world_wait_exit(struct world *w, uint32_t slot)
{
        pid_t pid = (pid_t)atomic_load(&world_slot(w, slot)->last_pid);
        int status = 0;
        pid_t r;

        assert_int_not_equal(pid, 0);
        /* not blocking, so that a service that should be gone fails the test; and the intermediate is the parent until
         * it exits, which is after the note */
        for (int ms = 0; (r = waitpid(pid, &status, WNOHANG)) != pid; ms++) {
                assert_true(r == 0 || errno == ECHILD || errno == EINTR);
                assert_true(ms < PATIENCE_MS);
                (void)poll(NULL, 0, 1);
        }
        atomic_store(&durable_pids(w->map)[slot], 0);
        return status;
}

struct scene *scene_new(void)
{
        static struct scene s;

        s = (struct scene){
                .unit = {.id = (char *)"a.service", .type = UNIT_SERVICE},
                .exec = {.umask = 0022, .ignore_sigpipe = true, .output = OUTPUT_NULL, .error = OUTPUT_INHERIT}};
        for (unsigned i = 0; i < N_EXEC_DIRECTORIES; i++)
                s.directories[i].mode = 0755;
        s.unit.service = &s.service;
        s.unit.dependencies = s.dependencies;
        s.service.exec = &s.exec;
        s.service.kill = &s.kill;
        s.unit.group = &s.group;
        s.exec.limits = s.limits;
        s.exec.rare = &s.rare;
        s.exec.directories = s.directories;
        return &s;
}

struct strings strings_of(const char *first, ...)
{
        static char *storage[512];
        static unsigned used;
        struct strings list;
        va_list ap;

        if (used > ARRAY_SIZE(storage) - 64)
                used = 0;
        list = (struct strings){.v = storage + used};
        va_start(ap, first);
        for (const char *p = first; p; p = va_arg(ap, const char *)) {
                assert_true(list.n < 64);
                storage[used++] = (char *)p;
                list.n++;
        }
        va_end(ap);
        return list;
}

void scene_shell(struct scene *s, const char *script)
{
        s->command.path = (char *)"/bin/sh";
        s->command.words = strings_of("/bin/sh", "-c", script, NULL);
        s->command.flags |= EXEC_NO_EXPAND;
}

int scene_run(struct world *w, struct scene *s, uint32_t *ret_slot)
{
        cleanup_buf_ struct buf plan = {0};
        cleanup_diag_ struct diag diag = {0};
        uint32_t slot;
        int status;

        assert_int_equal(plan_build_command(&plan, &s->unit, &s->command, EXEC_START, &s->context, &diag), 0);
        slot = world_send(w, &plan, NULL, 0);
        if (ret_slot)
                *ret_slot = slot;
        (void)world_wait_noted(w, slot);
        status = world_wait_exit(w, slot);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

const char *world_text(struct world *w, const char *name)
{
        static char text[65536];
        char path[PATH_MAX];
        cleanup_close_ int fd = -1;
        size_t n = 0;
        ssize_t r;

        (void)snprintf(path, sizeof(path), "%s/%s", w->directory, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return "";
        while (n < sizeof(text) - 1 && (r = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
                n += (size_t)r;
        text[n] = 0;
        return text;
}
