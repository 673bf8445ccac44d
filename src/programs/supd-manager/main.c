/* SPDX-License-Identifier: MIT
 *
 * supd-manager: started by the keeper (abi/handover.h), never by hand. This file is the command line and the order of
 * starting up; see manager.h for the rest of the house.
 */
#include "manager.h"

#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>

#include "base/id128.h"
#include "base/spare.h"
#include "handover/handover.h"

#define DOORS_AGAIN_US (500 * USEC_PER_MSEC)

void log_line(const struct manager *m unused_, const char *unit, const char *format, ...)
{
        char text[1024];
        va_list ap;
        int n = snprintf(text, sizeof(text), "supd: %s%s", unit ? unit : "", unit ? ": " : "");

        va_start(ap, format);
        n += vsnprintf(text + n, sizeof(text) - (size_t)n - 1, format, ap);
        va_end(ap);
        n = MIN2(n, (int)sizeof(text) - 2);
        text[n] = '\n';
        (void)!write(STDERR_FILENO, text, (size_t)n + 1); /* whoever keeps our stderr full loses our words, no more */
}

void log_diag(const struct manager *m, const struct diag *d)
{
        for (size_t i = 0; i < d->n_entries; i++) {
                cleanup_buf_ struct buf b = {0};
                if (d->entries[i].level == DIAG_NOTICE && !m->verbose)
                        continue; /* shown by status and verify */
                if (diag_format(&d->entries[i], &b) < 0 || b.size == 0)
                        continue;
                b.data[b.size - 1] = 0; /* its newline */
                log_line(m, NULL, "%s", b.data);
        }
}

void keeper_store(struct manager *m, const char *name, int fd)
{
        int v = handover_store(m->keeper_fd, name, fd);

        if (v < 0)
                log_line(m, NULL, "the keeper does not take the %s socket: %s", name, strerror(-v));
}

/* ---- options ---- */

static int parse_options(struct manager *m, int argc, char **argv)
{
        enum { O_FDS = 256, O_SYSTEM, O_USER, O_NAME, O_RUNTIME, O_UNIT, O_CONFIG, O_LOG, O_CHECK };
        static const struct option longs[] = {
                {"fds", required_argument, NULL, O_FDS},
                {"system", no_argument, NULL, O_SYSTEM},
                {"user", no_argument, NULL, O_USER},
                {"name", required_argument, NULL, O_NAME},
                {"runtime-dir", required_argument, NULL, O_RUNTIME},
                {"unit", required_argument, NULL, O_UNIT},
                {"config", required_argument, NULL, O_CONFIG},
                {"log-dir", required_argument, NULL, O_LOG},
                {"check-state", required_argument, NULL, O_CHECK},
                {NULL, 0, NULL, 0},
        };
        struct handover_fds fds = {-1, -1, -1, -1};
        int k;

        m->argv = argv;
        m->name = getenv("SUPD_NAME");
        m->name = m->name ? m->name : "";
        m->unit_path = getenv("SUPD_UNIT_PATH");
        while ((k = getopt_long(argc, argv, "", longs, NULL)) >= 0)
                switch (k) {
                case O_FDS:
                        if (handover_fds_parse(optarg, &fds) < 0)
                                return -EINVAL;
                        break;
                case O_SYSTEM:
                        m->user_mode = false;
                        break;
                case O_USER:
                        m->user_mode = true;
                        break;
                case O_NAME:
                        m->name = optarg;
                        break;
                case O_RUNTIME:
                        m->runtime_dir = optarg;
                        break;
                case O_UNIT:
                        m->default_unit = optarg;
                        break;
                case O_CONFIG:
                        m->config_file = optarg;
                        break;
                case O_CHECK:
                        m->checking = true;
                        fds.state = atoi(optarg);
                        break;
                case O_LOG:
                        m->log_dir = strdup(optarg);
                        m->log_dir_given = true;
                        break;
                default:
                        return -EINVAL;
                }
        m->state_fd = fds.state;
        m->bell_fd = fds.bell;
        m->keeper_fd = fds.keeper;
        m->life_fd = fds.life;
        return fds.state < 0 || !m->runtime_dir ? -EINVAL : 0;
}

/* ---- context: what specifiers and plans need ---- */

static char *text_of(const char *path)
{
        char text[256];

        if (sys_read_file(path, text, sizeof(text), NULL) < 0)
                return NULL;
        text[strcspn(text, "\n")] = 0;
        return strdup(text);
}

static char *joined(const char *a, const char *b)
{
        char *p;

        return asprintf(&p, "%s%s", a, b) < 0 ? NULL : p;
}

static const char *home(void)
{
        const char *h = getenv("HOME");

        return h && *h == '/' ? h : "/root";
}

static const char *xdg(const char *variable, const char *below_home)
{
        const char *v = getenv(variable);

        return v && *v == '/' ? v : joined(home(), below_home);
}

void context_init(struct manager *m)
{
        static struct utsname names;
        static char boot[ID128_TEXT_SIZE]; /* %b is written without dashes; the keeper has read it */
        const char *run = getenv("XDG_RUNTIME_DIR");
        struct id128 id;

        (void)uname(&names);
        memcpy(&id, m->header->boot_id, sizeof(id));
        id128_format(&id, boot);
        m->context = (struct unit_context){
                .runtime_dir_root = m->user_mode && run ? run : "/run",
                .state_root = m->user_mode ? xdg("XDG_STATE_HOME", "/.local/state") : "/var/lib",
                .cache_root = m->user_mode ? xdg("XDG_CACHE_HOME", "/.cache") : "/var/cache",
                .logs_root = m->user_mode ? joined(xdg("XDG_STATE_HOME", "/.local/state"), "/log") : "/var/log",
                .configuration_root = m->user_mode ? xdg("XDG_CONFIG_HOME", "/.config") : "/etc",
                .host_name = names.nodename,
                .machine_id = text_of("/etc/machine-id"),
                .boot_id = boot,
                .kernel_release = names.release,
                .user_name = getuid() == 0 ? "root" : getenv("USER"),
                .user_home = home(),
                .user_shell = getenv("SHELL") ? getenv("SHELL") : "/bin/sh",
                .uid = getuid(),
                .gid = getgid(),
                .group_name = getuid() == 0 ? "root" : NULL,
                .default_timeout_start_us = m->default_timeout_start_us,
                .default_timeout_stop_us = m->default_timeout_stop_us,
                .default_restart_us = m->default_restart_us,
        };
}

static void base_environment_init(struct manager *m)
{
        static const char *v[4];
        const char *lang = getenv("LANG");
        unsigned n = 0;

        v[n++] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        if (lang)
                v[n++] = joined("LANG=", lang);
        if (m->user_mode && getenv("XDG_RUNTIME_DIR"))
                v[n++] = joined("XDG_RUNTIME_DIR=", getenv("XDG_RUNTIME_DIR"));
        m->base_environment = m->own_environment = v;
}

static void log_dir_init(struct manager *m)
{
        const char *base = m->user_mode ? xdg("XDG_STATE_HOME", "/.local/state") : "/var/log";

        if (m->log_dir)
                return;
        if (asprintf(&m->log_dir, "%s/supd%s%s", base, *m->name ? "-" : "", m->name) < 0)
                m->log_dir = NULL;
}

/* ---- fds ---- */

static void bell_ready(struct manager *m, struct source *s unused_, uint32_t events unused_)
{
        uint64_t n;

        (void)!read(m->bell_fd, &n, sizeof(n));
        if (m->notify_source)
                notify_take(m);
        launch_look(m);
        exits_take(m);
        requests_take(m);
        upgrade_look(m);
}

static void keeper_ready(struct manager *m, struct source *s unused_, uint32_t events)
{
        if (!(events & (EPOLLHUP | EPOLLERR))) {
                (void)loop_change(m, m->keeper_source, 0); /* there is room for what a service wants to be kept */
                if (m->commit_retry_us == 0)
                        fdstore_flush(m);
                notify_take(m);
                return;
        }
        log_line(m, NULL, "the keeper is gone: services go on, the next supd adopts them");
        _exit(14);
}

static void child_ready(struct manager *m, struct source *s unused_, uint32_t events unused_)
{
        struct signalfd_siginfo i;

        while (read(m->signal_fd, &i, sizeof(i)) > 0)
                ;
        launch_child(m);
}

/* Nothing is left to supervise: what others could still talk to goes, and the keeper is told last, so that a death on
 * the way here is just another start. */
static void end(struct manager *m)
{
        static const char *const files[] = {"notify", "table", "units", "unit-files", "unit-files.new"};
        char path[4096];

        front_remove_files(m);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                (void)snprintf(path, sizeof(path), "%s/%s", m->runtime_dir, files[i]);
                (void)unlink(path);
        }
        units_blobs_remove(m);
        groups_close(m);
        status_close(m->table, true);
        changes_close(m->changes.object, true);
        m->changes.object = NULL;
        m->table = NULL;
        memcpy(m->header->reboot_argument, m->meta.reboot_argument, sizeof(m->header->reboot_argument));
        atomic_store(&m->header->at_once, m->meta.flags & META_AT_ONCE ? 1 : 0);
        atomic_store(&m->header->outcome_status, m->meta.exit_status);
        atomic_store(&m->header->outcome, m->meta.flags & META_REBOOT  ? DURABLE_OUTCOME_REBOOT
                                          : m->meta.flags & META_KEXEC ? DURABLE_OUTCOME_KEXEC
                                          : m->meta.flags & META_POWER ? DURABLE_OUTCOME_POWER
                                          : m->meta.flags & META_HALT  ? DURABLE_OUTCOME_HALT
                                                                       : DURABLE_OUTCOME_DONE);
}

static int signals_init(struct manager *m)
{
        sigset_t set;

        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        (void)signal(SIGPIPE, SIG_IGN);
        m->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        return m->signal_fd < 0 ? -errno : loop_add(m, m->signal_fd, EPOLLIN, child_ready, NULL, NULL);
}

/* Our own limit goes up (a pidfd here, a peer there); what services get is what it was. */
static void limits_init(struct manager *m)
{
        struct rlimit l;

        spare_keep();
        if (getrlimit(RLIMIT_NOFILE, &l) < 0)
                return;
        m->nofile.soft = l.rlim_cur;
        m->nofile.hard = l.rlim_max;
        m->nofile.set = true;
        l.rlim_cur = MIN2(l.rlim_max, (rlim_t)65536);
        (void)setrlimit(RLIMIT_NOFILE, &l);
}

/* As process 1 we decide what a service finds that says nothing: what units are written for, as few files as select(2)
 * can tell at first, and room for those that ask for more (systemd-system.conf(5), DefaultLimitNOFILE=). The launcher
 * gives what of it may be had. */
static void limits_of_init(struct manager *m)
{
        if (atomic_load(&m->header->keeper_form) == DURABLE_FORM_SUPERVISOR)
                return;
        m->nofile.soft = 1024;
        m->nofile.hard = 524288;
        m->nofile.set = true;
}

/* ---- starting up ---- */

static int fail(const char *what, int v)
{
        log_line(NULL, NULL, "%s: %s", what, strerror(-v));
        return 1;
}

static int hands_init(struct manager *m)
{
        int v = loop_init(m);

        if (v == 0)
                v = signals_init(m);
        if (v == 0)
                v = launch_start(m); /* early: it gets ready while units are read */
        if (v == 0)
                v = state_open(m->state_fd, &m->state);
        if (v < 0)
                return v;
        m->header = state_header(m->state);
        return 0;
}

static int world_init(struct manager *m)
{
        int v = units_init(m);

        (void)snprintf(m->notify_path, sizeof(m->notify_path), "%s/notify", m->runtime_dir);
        m->notify_fd = handover_inherited(state_map(m->state), "notify");
        if (v == 0)
                v = recover_state(m);
        if (v == 0)
                v = groups_open(m);
        if (v == 0)
                v = api_environment_apply(m);
        if (v < 0)
                return v;
        api_log_apply(m);
        if (m->meta.started_real_us == 0) {
                if (access("/proc/self/stat", R_OK) < 0)
                        log_line(m, NULL,
                                 "there is no /proc: PID files and MAINPID= cannot be checked and are not "
                                 "believed, and what a service leaves behind is not found");
                m->meta.started_real_us = sys_real_us();
                m->meta.started_mono_us = sys_mono_us();
        }
        return 0;
}

/* What the first starts need. */
static int bells_init(struct manager *m)
{
        int v = notify_open(m);

        if (v < 0)
                log_line(m, NULL, "no notification socket in %s (%s): Type=notify services will not become ready",
                         m->runtime_dir, strerror(-v));
        front_inherit(m);
        v = loop_add(m, m->bell_fd, EPOLLIN, bell_ready, NULL, NULL);
        if (v == 0)
                v = loop_add(m, m->keeper_fd, 0, keeper_ready, NULL, &m->keeper_source);
        return v;
}

void doors_turn(struct manager *m)
{
        int v;

        if (m->doors_retry_us == 0 || sys_mono_us() < m->doors_retry_us)
                return;
        v = api_open(m);
        if (v < 0 && m->doors_retry_us == 1)
                log_line(m, NULL, "no control socket in %s (%s): supctl can show, but change nothing; tried again",
                         m->runtime_dir, strerror(-v));
        m->doors_retry_us = v < 0 ? sys_mono_us() + DOORS_AGAIN_US : 0;
}

/* What others look at us through: opened while the first services are already on their way. */
static int doors_init(struct manager *m)
{
        int v = publish_open(m);

        if (v < 0)
                return v;
        (void)status_reserve(m->table, m->n_runs); /* what does not fit is not shown, and the table says so */
        m->doors_retry_us = 1;
        doors_turn(m);
        return 0;
}

static void defaults(struct manager *m)
{
        m->blob_fd = m->notify_fd = m->inotify_fd = m->control_fd = -1;
        for (unsigned i = 0; i < N_FRONT_FDS; i++)
                m->front_fds[i] = -1;
        m->launcher_file = -1;
        m->state_fd = m->bell_fd = m->keeper_fd = m->life_fd = -1;
        m->groups.c.fd = m->groups.inotify_fd = -1;
        m->keeper_pid = getppid();
        m->default_timeout_start_us = m->default_timeout_stop_us = 90 * USEC_PER_SEC;
        m->default_restart_us = 100 * USEC_PER_MSEC;
        m->systemd_units = m->keeper_pid == 1;
}

int main(int argc, char **argv)
{
        static struct manager manager;
        struct manager *m = &manager;
        cleanup_diag_ struct diag diag = {0};
        int v;

        defaults(m);
        if (parse_options(m, argc, argv) < 0) {
                log_line(m, NULL, "supd-manager is started by supd, not by hand; run 'supd --help'");
                return 2;
        }
        (void)prctl(PR_SET_NAME, "supd-manager"); /* executed from an fd, it is a number to older kernels */
        if (m->checking)
                return check_takeover(m);
        limits_init(m);
        v = hands_init(m);
        if (v < 0)
                return fail("cannot set up", v);
        limits_of_init(m);
        v = config_read(m, &diag);
        log_diag(m, &diag);
        if (v < 0)
                return fail("supd.conf", v);
        log_dir_init(m);
        context_init(m);
        base_environment_init(m);
        v = world_init(m);
        if (v == 0)
                v = bells_init(m);
        if (v < 0)
                return fail("cannot take up the durable state", v);
        recover_reconcile(m);
        requests_take(m);
        if (m->meta.flags & (META_BOOTED | META_STOPPING) || !generators_boot(m))
                begin_default(m);
        if (m->meta.flags & META_RELOAD)
                (void)generators_reload(m);
        engine_settle(m);
        v = doors_init(m);
        if (v < 0)
                return fail("cannot set up the status table", v);
        atomic_store(&m->header->manager_healthy, 1);
        (void)handover_ring(m->keeper_fd); /* it need not watch the start any longer; unheard, it looks later */
        v = loop_run(m);
        if (v < 0)
                return fail("event loop", v);
        end(m);
        return 0;
}
