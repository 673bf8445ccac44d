/* SPDX-License-Identifier: MIT
 *
 * A manager for tests of the control API: the real control server over three units in memory. Its jobs are kept in
 * RUNTIME_DIR/jobs, so that it can be killed and started again like the real one.
 *
 *   fake-manager RUNTIME_DIR [--ended] [--die-after-commit] [--many=N]
 *
 * a.service does at once what it is told; slow.service keeps its jobs until SIGUSR1; bad.service fails to start.
 * --ended: jobs that were running ended well while no manager was there. --many: N more units in the list.
 * --die-after-commit: the first enqueue is put on disk, and then the manager is gone before it could answer.
 * Invariant: every enqueue is on disk before it is answered.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "control/control.h"
#include "control/control-format.h"

#define JOBS_MAX 4096
#define NO_UNIT  "org.freedesktop.systemd1.NoSuchUnit"

struct fake_unit {
        const char *name;
        bool active, failed;
};
static struct fake_unit units[] = {{"a.service"}, {"slow.service"}, {"bad.service"}};

struct fake_job {
        uint32_t id;
        unsigned unit;
        enum job_type type;
        bool ended;
        enum job_result result;
        uint8_t request_id[16];
};
static struct fake_job jobs[JOBS_MAX];
static uint32_t n_jobs;
static struct control_server *server;
static char jobs_path[PATH_MAX];
static unsigned n_many;
static bool die_after_commit;
static int epoll_fd;

static void jobs_save(void)
{
        int fd = open(jobs_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        if (fd < 0 || write(fd, jobs, n_jobs * sizeof *jobs) < 0)
                perror("fake-manager: jobs");
        (void)close(fd);
}

static void jobs_load(bool ended)
{
        int fd = open(jobs_path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, jobs, sizeof jobs) : 0;

        n_jobs = n > 0 ? (uint32_t)((size_t)n / sizeof *jobs) : 0;
        for (uint32_t i = 0; i < n_jobs; i++)
                if (!jobs[i].ended && ended) {
                        jobs[i].ended = true;
                        jobs[i].result = RESULT_DONE;
                }
        if (fd >= 0)
                (void)close(fd);
}

static int unit_find(const char *name, unsigned *ret, struct control_error *e)
{
        for (unsigned i = 0; i < ARRAY_SIZE(units); i++)
                if (streq(units[i].name, name)) {
                        *ret = i;
                        return 0;
                }
        control_error_set(e, NO_UNIT, "Unit %s not found.", name);
        return -ENOENT;
}

static struct control_job job_view(const struct fake_job *j)
{
        return (struct control_job){.id = j->id, .unit = units[j->unit].name, .type = j->type, .result = j->result};
}

static void job_end(struct fake_job *j, enum job_result result)
{
        struct fake_unit *u = &units[j->unit];
        struct control_job view;

        j->ended = true;
        j->result = result;
        u->failed = result == RESULT_FAILED;
        u->active = result == RESULT_DONE ? j->type != JOB_STOP : u->active && result == RESULT_CANCELED;
        jobs_save();
        view = job_view(j);
        control_unit_changed(server, u->name);
        control_job_removed(server, &view);
}

static int fake_enqueue(void *userdata unused_, const char *unit, enum job_request request, enum job_mode mode unused_,
                        uint32_t *ret_job, struct control_error *e)
{
        struct fake_job *j = &jobs[n_jobs];
        struct control_job view;
        unsigned u;
        int r = unit_find(unit, &u, e);

        if (r < 0)
                return r;
        if (request == REQUEST_RELOAD) {
                control_error_set(e, "org.freedesktop.systemd1.JobTypeNotApplicable",
                                  "Job type reload is not applicable for unit %s.", unit);
                return -EOPNOTSUPP;
        }
        if (n_jobs >= JOBS_MAX)
                return -ENOBUFS;
        *j = (struct fake_job){.id = ++n_jobs, .unit = u};
        j->type = request == REQUEST_STOP ? JOB_STOP : request == REQUEST_START ? JOB_START : JOB_RESTART;
        memcpy(j->request_id, control_server_request(server)->id, sizeof j->request_id);
        jobs_save();
        if (die_after_commit)
                _exit(1);
        view = job_view(j);
        control_job_new(server, &view);
        *ret_job = j->id;
        if (u == 2 && j->type != JOB_STOP)
                job_end(j, RESULT_FAILED);
        else if (u != 1)
                job_end(j, RESULT_DONE);
        return 0;
}

static int fake_find_request(void *userdata unused_, const uint8_t request_id[16], uint32_t *ret_job)
{
        for (uint32_t i = 0; i < n_jobs; i++)
                if (memcmp(jobs[i].request_id, request_id, 16) == 0) {
                        *ret_job = jobs[i].id;
                        return 0;
                }
        return -ENOENT;
}

static int fake_kill(void *userdata unused_, const char *unit, const char *whom unused_, int signal unused_,
                     struct control_error *e)
{
        unsigned u;
        int r = unit_find(unit, &u, NULL);

        if (r < 0)
                control_error_set(e, NO_UNIT, "Unit %s not loaded.", unit);
        else
                control_unit_changed(server, unit);
        return r;
}

static int fake_reset_failed(void *userdata unused_, const char *unit, struct control_error *e)
{
        unsigned u;

        if (unit && unit_find(unit, &u, e) < 0)
                return -ENOENT;
        for (u = 0; u < ARRAY_SIZE(units); u++)
                if (!unit || streq(unit, units[u].name))
                        units[u].failed = false;
        return 0;
}

static int fake_reload(void *userdata unused_, struct control_error *e unused_)
{
        control_reloading(server, true);
        control_reloading(server, false);
        return 0;
}

static int fake_cancel_job(void *userdata unused_, uint32_t id, struct control_error *e)
{
        if (id == 0 || id > n_jobs || jobs[id - 1].ended) {
                control_error_set(e, "org.freedesktop.systemd1.NoSuchJob", "Job %u does not exist.", id);
                return -ENOENT;
        }
        job_end(&jobs[id - 1], RESULT_CANCELED);
        return 0;
}

static int fake_load_unit(void *userdata unused_, const char *unit, bool only_loaded, char ret_id[256],
                          struct control_error *e)
{
        unsigned u;

        if (only_loaded && unit_find(unit, &u, NULL) < 0) {
                control_error_set(e, NO_UNIT, "Unit %s not loaded.", unit);
                return -ENOENT;
        }
        (void)snprintf(ret_id, 256, "%s", unit);
        return 0;
}

static int fake_unit_by_pid(void *userdata unused_, uint32_t pid, char ret_id[256], struct control_error *e)
{
        if (pid != 1) {
                control_error_set(e, "org.freedesktop.systemd1.NoUnitForPID",
                                  "PID %u does not belong to any loaded unit.", pid);
                return -ENOENT;
        }
        (void)snprintf(ret_id, 256, "a.service");
        return 0;
}

static const char *active_word(const struct fake_unit *u)
{
        return u->failed ? "failed" : u->active ? "active" : "inactive";
}

static const char *sub_word(const struct fake_unit *u)
{
        return u->failed ? "failed" : u->active ? "running" : "dead";
}

static uint32_t job_of(unsigned u)
{
        for (uint32_t i = 0; i < n_jobs; i++)
                if (jobs[i].unit == u && !jobs[i].ended)
                        return jobs[i].id;
        return 0;
}

static int fake_unit_properties(void *userdata unused_, const char *unit, bool brief unused_, struct control_answer *a,
                                struct control_error *e unused_)
{
        static const char *const argv[] = {"/bin/true", "--x"};
        static const struct control_exec exec = {
                .path = "/bin/true", .argv = argv, .n_argv = 2, .start_real_us = 5, .pid = 77, .code = 1};
        unsigned u = ARRAY_SIZE(units);
        bool found = unit_find(unit, &u, NULL) >= 0;
        static const struct fake_unit nothing;

        control_put_interface(a, "Unit");
        control_put_string(a, "Id", unit);
        control_put_strings(a, "Names", &unit, 1);
        control_put_string(a, "Description", found ? "Caf\303\251 \377 bad byte" : unit);
        control_put_string(a, "LoadState", found ? "loaded" : "not-found");
        control_put_string(a, "ActiveState", active_word(found ? &units[u] : &nothing));
        control_put_string(a, "SubState", sub_word(found ? &units[u] : &nothing));
        control_put_bool(a, "NeedDaemonReload", false);
        control_put_bool(a, "ConditionResult", true);
        control_put_u64(a, "ActiveEnterTimestamp", 1234567);
        control_put_u32(a, "AssertResult", 1); /* a wrong type: must not reach clients */
        control_put_bytes(a, "InvocationID", "0123456789abcdef", 16);
        control_put_job(a, found ? job_of(u) : 0);
        control_put_load_error(a, found ? "" : NO_UNIT, found ? "" : "not found");
        control_put_interface(a, "Service");
        control_put_string(a, "Result", found && units[u].failed ? "exit-code" : "success");
        control_put_u32(a, "MainPID", 42);
        control_put_i32(a, "ExecMainStatus", -1);
        control_put_execs(a, "ExecStart", &exec, 1);
        return 0;
}

static int fake_manager_properties(void *userdata unused_, struct control_answer *a, struct control_error *e unused_)
{
        control_put_interface(a, "Manager");
        control_put_string(a, "Version", "252 (supd test)");
        control_put_string(a, "SystemState", "running");
        control_put_u32(a, "NNames", ARRAY_SIZE(units));
        control_put_strings(a, "Environment", NULL, 0);
        return 0;
}

static int fake_list_units(void *userdata unused_, struct control_answer *a, struct control_error *e unused_)
{
        for (unsigned u = 0; u < ARRAY_SIZE(units); u++)
                control_put_unit(a, units[u].name, "A unit", "loaded", active_word(&units[u]), sub_word(&units[u]),
                                 job_of(u), job_of(u) ? jobs[job_of(u) - 1].type : JOB_NONE);
        for (unsigned i = 0; i < n_many; i++) {
                char name[64];

                (void)snprintf(name, sizeof name, "many-%05u.service", i);
                control_put_unit(a, name, "One of very many units that are all alike", "loaded", "active", "running", 0,
                                 JOB_NONE);
        }
        return 0;
}

static int fake_list_jobs(void *userdata unused_, int (*each)(void *, const struct control_job *), void *each_userdata)
{
        for (uint32_t i = 0; i < n_jobs; i++) {
                struct control_job view = job_view(&jobs[i]);
                int r = jobs[i].ended ? 0 : each(each_userdata, &view);

                if (r != 0)
                        return r;
        }
        return 0;
}

static int fake_job_state(void *userdata unused_, uint32_t id, struct control_job *ret, bool *ret_ended)
{
        if (id == 0 || id > n_jobs)
                return -ENOENT;
        *ret = job_view(&jobs[id - 1]);
        *ret_ended = jobs[id - 1].ended;
        return 0;
}

static const struct control_ops ops = {
        .enqueue = fake_enqueue,
        .kill = fake_kill,
        .reset_failed = fake_reset_failed,
        .reload = fake_reload,
        .cancel_job = fake_cancel_job,
        .load_unit = fake_load_unit,
        .unit_by_pid = fake_unit_by_pid,
        .unit_properties = fake_unit_properties,
        .manager_properties = fake_manager_properties,
        .list_units = fake_list_units,
        .list_jobs = fake_list_jobs,
        .job_state = fake_job_state,
        .find_request = fake_find_request,
};

static int poll_watch(void *userdata unused_, int fd, bool want_write, void *cookie)
{
        struct epoll_event ev = {.events = EPOLLIN | (want_write ? EPOLLOUT : 0), .data.ptr = cookie};

        if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &ev) == 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0)
                return 0;
        return -errno;
}

static void poll_forget(void *userdata unused_, int fd)
{
        (void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static int listen_at(const char *path)
{
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        memcpy(a.sun_path, path, MIN2(strlen(path) + 1, sizeof a.sun_path));
        (void)unlink(path);
        if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 16) < 0) {
                perror("fake-manager: listen");
                exit(1);
        }
        return fd;
}

static char signal_cookie;

static int signals_watch(void)
{
        struct epoll_event ev = {.events = EPOLLIN, .data.ptr = &signal_cookie};
        sigset_t set;
        int fd;

        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGUSR1);
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
        fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
        return fd;
}

static void on_signal(int fd)
{
        struct signalfd_siginfo info;

        while (read(fd, &info, sizeof info) == sizeof info)
                for (uint32_t i = 0; i < n_jobs; i++)
                        if (!jobs[i].ended)
                                job_end(&jobs[i], RESULT_DONE);
}

int main(int argc, char **argv)
{
        const struct control_poll poll = {poll_watch, poll_forget, NULL};
        char path[100];
        bool ended = false;
        int signal_fd;

        for (int i = 2; i < argc; i++)
                if (streq(argv[i], "--ended"))
                        ended = true;
                else if (streq(argv[i], "--die-after-commit"))
                        die_after_commit = true;
                else if (sscanf(argv[i], "--many=%u", &n_many) != 1)
                        return 2;
        if (argc < 2 || strlen(argv[1]) > 80)
                return 2;
        (void)snprintf(path, sizeof path, "%s/manager", argv[1]);
        (void)snprintf(jobs_path, sizeof jobs_path, "%s/jobs", argv[1]);
        jobs_load(ended);
        epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        signal_fd = signals_watch();
        if (control_server_new(listen_at(path), &ops, NULL, &server) < 0 || control_server_set_poll(server, &poll) < 0)
                return 1;
        (void)puts("ready");
        (void)fflush(stdout);
        for (;;) {
                struct epoll_event ev[16];
                int n = epoll_wait(epoll_fd, ev, ARRAY_SIZE(ev), -1);

                for (int i = 0; i < n; i++)
                        if (ev[i].data.ptr == &signal_cookie)
                                on_signal(signal_fd);
                        else
                                control_server_ready(server, ev[i].data.ptr, ev[i].events & (EPOLLIN | EPOLLHUP),
                                                     ev[i].events & EPOLLOUT, ev[i].events & (EPOLLHUP | EPOLLERR));
        }
}
