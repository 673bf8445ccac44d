/* SPDX-License-Identifier: MIT
 * See supctl-bus.h. The bus is peer to peer: no Hello, the socket's peer is supd-bus, started on demand. Who may not
 * use that socket goes over the message bus of the system, where there is one.
 */
#include "supctl-bus.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define RETRY_FIRST_MS 20
#define RETRY_MAX_MS   1000
#define RETRY_FOR_MS   10000
#define MAX_TRIES      10
#define RELOAD_US      (180 * USEC_PER_SEC)

bool error_is_disconnect(int r, const sd_bus_error *e)
{
        static const char *const names[] = {SD_BUS_ERROR_DISCONNECTED, SD_BUS_ERROR_NO_SERVER};

        for (size_t i = 0; e && e->name && i < ARRAY_SIZE(names); i++)
                if (streq(e->name, names[i]))
                        return true;
        if (e && e->name && !starts_with(e->name, "System.Error."))
                return false;
        return r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE || r == -ESHUTDOWN || r == -ECONNREFUSED ||
               r == -ECHILD;
}

static int socket_open(const char *dir)
{
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        cleanup_close_ int fd = -1;
        int n = snprintf(a.sun_path, sizeof a.sun_path, "%s/control", dir);

        if (n < 0 || (size_t)n >= sizeof a.sun_path)
                return -ENAMETOOLONG;
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
                return -errno;
        return take_fd(&fd);
}

/* Over the bus signals come only to who asks for them. */
static int connect_system_bus(struct control *c)
{
        static const char match[] = "type='signal',sender='" BUS_NAME "',path_namespace='" BUS_ROOT "'";
        sd_bus *bus = NULL;
        int r = sd_bus_open_system(&bus);

        if (r >= 0)
                r = sd_bus_add_match(bus, NULL, match, jobs_on_message, c);
        if (r >= 0)
                r = sd_bus_call_method(bus, BUS_NAME, BUS_ROOT, MANAGER_IF, "Subscribe", NULL, NULL, "");
        if (r < 0) {
                sd_bus_flush_close_unref(bus);
                return r;
        }
        c->bus = bus;
        return 0;
}

/* The supd of the system may be asked by anybody, over the message bus; it decides who may do what. */
static bool is_on_system_bus(const struct options *o)
{
        return !o->user && streq(o->runtime_dir, "/run/supd");
}

static int connect_quietly(struct control *c)
{
        cleanup_close_ int fd = socket_open(c->options->runtime_dir);
        sd_bus *bus = NULL;
        int r;

        if (fd == -EACCES && is_on_system_bus(c->options) && connect_system_bus(c) >= 0)
                return 0;
        if (fd < 0)
                return fd;
        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_fd(bus, fd, fd);
        if (r >= 0) {
                (void)take_fd(&fd);
                r = sd_bus_add_filter(bus, NULL, jobs_on_message, c);
        }
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_unref(bus);
                return r;
        }
        c->bus = bus;
        return 0;
}

int control_connect(struct control *c)
{
        const char *dir = c->options->runtime_dir;
        int r = connect_quietly(c);

        if (r == -ENOENT || r == -ECONNREFUSED || r == -ENOTDIR)
                (void)fprintf(stderr, "supd is not running in %s; start it with: supd --runtime-dir %s\n", dir, dir);
        else if (r == -EACCES || r == -EPERM)
                (void)fprintf(stderr,
                              "You may not use %s/control; become the user that supd runs as, or use its --user form\n",
                              dir);
        else if (r < 0)
                (void)fprintf(stderr, "Cannot connect to supd at %s/control: %s\n", dir, strerror(-r));
        return r;
}

int control_reconnect(struct control *c)
{
        unsigned wait_ms = RETRY_FIRST_MS;

        c->bus = sd_bus_close_unref(c->bus);
        for (unsigned spent = 0; spent < RETRY_FOR_MS; spent += wait_ms, wait_ms = MIN2(wait_ms * 2, RETRY_MAX_MS)) {
                const struct timespec t = {wait_ms / 1000, (long)(wait_ms % 1000) * 1000000};

                (void)nanosleep(&t, NULL);
                if (connect_quietly(c) < 0)
                        continue;
                c->came_back = true;
                return 0;
        }
        return -ENOTCONN;
}

static int call_once(struct control *c, const char *interface, const char *method, sd_bus_error *e,
                     sd_bus_message **ret, const char *types, va_list ap)
{
        sd_bus_message *m = NULL;
        int r;

        if (!c->bus)
                return -ENOTCONN;
        r = sd_bus_message_new_method_call(c->bus, &m, BUS_NAME, BUS_ROOT, interface, method);
        if (r >= 0 && types[0])
                r = sd_bus_message_appendv(m, types, ap);
        if (r >= 0)
                r = sd_bus_call(c->bus, m, streq(method, "Reload") ? RELOAD_US : 0, e, ret);
        sd_bus_message_unref(m);
        return r;
}

int control_call(struct control *c, const char *interface, const char *method, bool again, sd_bus_error *e,
                 sd_bus_message **ret, const char *types, ...)
{
        int r = -ENOTCONN;

        for (unsigned try = 0;; try++) {
                va_list ap;

                va_start(ap, types);
                r = call_once(c, interface, method, e, ret, types, ap);
                va_end(ap);
                if (r >= 0 || !again || try >= MAX_TRIES || !error_is_disconnect(r, e))
                        return r;
                sd_bus_error_free(e);
                r = control_reconnect(c);
                if (r < 0)
                        return r;
        }
}

int control_turn(struct control *c)
{
        int r;

        if (!c->bus)
                return -ENOTCONN;
        r = sd_bus_process(c->bus, NULL);
        if (r < 0)
                return r;
        if (r == 0)
                r = sd_bus_wait(c->bus, UINT64_MAX);
        if (r < 0 && r != -EINTR)
                return r;
        return sd_bus_is_open(c->bus) > 0 ? 0 : -ENOTCONN;
}
