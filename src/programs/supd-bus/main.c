/* SPDX-License-Identifier: MIT
 *
 * supd-bus: systemd's D-Bus API in front of supd's manager. Started on demand with the listening sockets from fd 3 on
 * (the LISTEN_FDS protocol), ends by itself when no client is connected. It holds nothing that could be lost: it may be
 * killed, limited, or end at any time, and the next connection starts it again.
 *
 *   supd-bus --manager=PATH [--idle-exit=SECONDS] [--group=NAME] [--handshake=SECONDS] [--system-bus]
 *   supd-bus --print-access
 *
 * Exit codes: 0 idle or stopped, 1 failure, 2 wrong usage, 3 the manager is gone for good.
 */
#include "front.h"

#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

struct options {
        const char *manager, *group;
        unsigned idle_s, handshake_s;
        int n_fds;
        bool system_bus;
};

static int complain(const char *what, int r)
{
        (void)fprintf(stderr, "supd-bus: %s: %s\n", what, strerror(-r));
        return r;
}

static int parse_seconds(const char *s, unsigned *ret)
{
        char *end;
        unsigned long v;

        errno = 0;
        v = strtoul(s, &end, 10);
        if (errno || *s < '0' || *s > '9' || *end || v > 86400)
                return -EINVAL;
        *ret = (unsigned)v;
        return 0;
}

static int usage(void)
{
        (void)fputs("usage: supd-bus --manager=PATH [--idle-exit=SECONDS] [--group=NAME] [--handshake=SECONDS]"
                    " [--system-bus]\n"
                    "The listening sockets are passed from fd 3 on (LISTEN_FDS); supd starts this program by itself.\n",
                    stderr);
        return -EINVAL;
}

/* Which access each method takes: for the test that goes through it row by row. */
_Noreturn static void print_access(void)
{
        static const char *const objects[] = {
                [ON_ANY] = "any", [ON_MANAGER] = "manager", [ON_UNIT] = "unit", [ON_JOB] = "job"};

        for (size_t i = 0; i < n_methods; i++)
                (void)printf("%s\t%s\t%s\t%s\t%s\n", methods[i].interface, methods[i].member, methods[i].in,
                             objects[methods[i].object], access_word(methods[i].access));
        exit(0);
}

static int parse_options(int argc, char **argv, struct options *o)
{
        static const struct option long_options[] = {
                {"manager", required_argument, NULL, 'm'},
                {"idle-exit", required_argument, NULL, 'i'},
                {"group", required_argument, NULL, 'g'},
                {"handshake", required_argument, NULL, 'h'},
                {"system-bus", no_argument, NULL, 's'},
                {"print-access", no_argument, NULL, 'p'},
                {0},
        };
        int k;

        while ((k = getopt_long(argc, argv, "", long_options, NULL)) >= 0)
                if (k == 'm')
                        o->manager = optarg;
                else if (k == 'g')
                        o->group = optarg;
                else if (k == 'p')
                        print_access();
                else if (k == 's')
                        o->system_bus = true;
                else if (k == 'i' ? parse_seconds(optarg, &o->idle_s) < 0
                                  : k != 'h' || parse_seconds(optarg, &o->handshake_s) < 0)
                        return usage();
        return o->manager && optind == argc && o->handshake_s > 0 ? 0 : usage();
}

static void raise_files(void)
{
        struct rlimit files;

        if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur >= CLIENTS_MAX + 64)
                return;
        files.rlim_cur = MIN2((rlim_t)CLIENTS_MAX + 64, files.rlim_max);
        (void)setrlimit(RLIMIT_NOFILE, &files);
}

static int on_listen(sd_event_source *source unused_, int fd, uint32_t events unused_, void *userdata)
{
        pace_serve(userdata, NULL);
        client_accept(userdata, fd);
        pace_door(userdata);
        return 0;
}

static int on_idle(sd_event_source *source unused_, uint64_t usec unused_, void *userdata)
{
        struct front *f = userdata;

        if (f->n_clients > 0)
                return 0;
        if (!f->bus_trying && f->n_cleanings == 0)
                return sd_event_exit(f->event, 0);
        (void)sd_event_source_set_time_relative(f->idle, f->idle_us);
        return sd_event_source_set_enabled(f->idle, SD_EVENT_ONESHOT);
}

static void on_event(void *userdata, uint16_t type, const char *body, size_t size)
{
        signals_event(userdata, type, body, size);
}

static void on_connected(void *userdata)
{
        jobs_recheck(userdata);
}

static void on_gone(void *userdata)
{
        struct front *f = userdata;

        (void)fputs("supd-bus: the manager is gone, or is of another version\n", stderr);
        (void)sd_event_exit(f->event, 3);
}

static int block_signals(sd_event *event)
{
        sigset_t set;
        int r;

        (void)sigemptyset(&set);
        (void)sigaddset(&set, SIGTERM);
        (void)sigaddset(&set, SIGINT);
        (void)sigaddset(&set, SIGCHLD); /* clean.c */
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
        return r < 0 ? r : sd_event_add_signal(event, NULL, SIGINT, NULL, NULL);
}

/* The manager's socket lies in the runtime directory. */
static int directory_of(struct front *f, const char *path)
{
        const char *slash = strrchr(path, '/');

        if (!slash || (size_t)(slash - path) >= sizeof f->directory)
                return -EINVAL;
        memcpy(f->directory, path, (size_t)(slash - path));
        return 0;
}

static int front_start(struct front *f, const struct options *o)
{
        const struct link_handler handler = {on_event, on_connected, on_gone, f};
        int r;

        f->last_event = &f->events;
        f->idle_us = o->idle_s * USEC_PER_SEC;
        f->handshake_us = o->handshake_s * USEC_PER_SEC;
        if (o->group) {
                struct group *g = getgrnam(o->group);

                if (!g)
                        (void)fprintf(stderr,
                                      "supd-bus: group %s does not exist; only root and this user may change"
                                      " things\n",
                                      o->group);
                f->has_group = g != NULL;
                f->group = g ? g->gr_gid : 0;
        }
        if ((r = sd_event_new(&f->event)) < 0 || (r = block_signals(f->event)) < 0 || (r = clients_init(f)) < 0 ||
            (r = directory_of(f, o->manager)) < 0 || (r = link_new(f->event, o->manager, &handler, &f->link)) < 0 ||
            (r = pace_init(f)) < 0)
                return r;
        for (int i = 0; i < o->n_fds; i++)
                if (fcntl(SD_LISTEN_FDS_START + i, F_SETFL, O_NONBLOCK) < 0)
                        return -errno;
                else if ((r = sd_event_add_io(f->event, &f->doors[f->n_doors], SD_LISTEN_FDS_START + i, EPOLLIN,
                                              on_listen, f)) < 0)
                        return r;
                else
                        f->n_doors++;
        r = sd_event_add_time_relative(f->event, &f->idle, CLOCK_MONOTONIC, f->idle_us, 0, on_idle, f);
        if (r < 0)
                return r;
        f->want_bus = o->system_bus;
        return bus_init(f);
}

static void front_free(struct front *f)
{
        if (!f)
                return;
        clients_free(f);
        link_free(f->link);
        signals_free(f);
        for (unsigned i = 0; i < f->n_doors; i++)
                sd_event_source_disable_unref(f->doors[i]);
        pace_free(f);
        sd_event_source_disable_unref(f->idle);
        sd_event_source_disable_unref(f->reaper);
        sd_event_source_disable_unref(f->bus_retry);
        sd_event_unref(f->event);
        free(f);
}

int main(int argc, char **argv)
{
        struct options o = {.idle_s = 30, .handshake_s = 5};
        struct front *f;
        int r;

        if (parse_options(argc, argv, &o) < 0)
                return 2;
        o.n_fds = sd_listen_fds(1);
        for (int i = 0; i < o.n_fds; i++)
                if (sd_is_socket_unix(SD_LISTEN_FDS_START + i, SOCK_STREAM, 1, NULL, 0) <= 0)
                        return usage(), 2;
        if (o.n_fds < 1 || o.n_fds > DOORS_MAX)
                return usage(), 2;
        f = calloc(1, sizeof *f);
        if (!f)
                return complain("start", -ENOMEM), 1;
        raise_files();
        r = front_start(f, &o);
        if (r >= 0)
                r = sd_event_loop(f->event);
        if (r < 0)
                (void)complain("loop", r);
        front_free(f);
        return r < 0 ? 1 : r;
}
