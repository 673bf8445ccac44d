/* SPDX-License-Identifier: MIT
 *
 * The methods that are about the manager as a whole, or reach around a unit's state: its environment, its end, the
 * processes of a unit, what callers hold, and those that supd has no notion of and says so.
 *
 * Not here: jobs and lookups (methods.c). Source: systemd's documented D-Bus API; texts as measured.
 */
#include "front.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define ERROR_UNSUPPORTED "org.freedesktop.DBus.Error.NotSupported"

static int finish_empty(struct call *c, const struct link_reply *reply unused_, sd_bus_error *e unused_)
{
        return call_reply(c, NULL);
}

/* ---- environment ---- */

static int write_strings(struct buf *b, sd_bus_message *m, uint16_t tag)
{
        const char *s;
        int k, r = sd_bus_message_enter_container(m, 'a', "s");

        while (r >= 0 && (k = sd_bus_message_read_basic(m, 's', &s)) != 0)
                r = k < 0 ? k : control_write_string(b, tag, s);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* SetEnvironment(as), UnsetEnvironment(as), UnsetAndSetEnvironment(as unset, as set) */
int do_environment(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        int r = 0;

        if (starts_with(method->member, "Unset"))
                r = write_strings(&b, m, CONTROL_TAG_UNSET);
        if (r >= 0 && ends_with(method->member, "SetEnvironment"))
                r = write_strings(&b, m, CONTROL_TAG_SET);
        return r < 0 ? r : call_begin(c, m, CONTROL_ENVIRONMENT, &b, finish_empty, NULL, 0, e);
}

/* ---- the end ---- */

int do_shutdown(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        int r = control_write_string(&b, CONTROL_TAG_TEXT, method->word);

        return r < 0 ? r : call_begin(c, m, CONTROL_SHUTDOWN, &b, finish_empty, NULL, 0, e);
}

/* ---- processes ---- */

static void read_command_line(uint32_t pid, char *ret, size_t size)
{
        char path[64];
        cleanup_close_ int fd = -1;
        ssize_t n = 0;

        (void)snprintf(path, sizeof path, "/proc/%u/cmdline", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
                n = read(fd, ret, size - 1);
        while (n > 0 && ret[n - 1] == 0)
                n--;
        for (ssize_t i = 0; i < n; i++)
                if (ret[i] == 0)
                        ret[i] = ' ';
        if (n > 0) {
                ret[n] = 0;
                return;
        }
        (void)snprintf(path, sizeof path, "/proc/%u/comm", pid);
        close_fd_p(&fd);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd >= 0 ? read(fd, ret + 1, size - 3) : -1;
        if (n > 0 && ret[n] == '\n')
                n--;
        ret[0] = '[';
        (void)snprintf(ret + 1 + MAX2(n, 0), 2, "]");
}

static int finish_processes(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        struct control_reader in = control_reader_of(reply->body, reply->size);
        struct control_record rec;
        sd_bus_message *m = NULL;
        const char *group = "/";
        int k, r = sd_bus_message_new_method_return(c->message, &m);

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sus)");
        while (r >= 0 && (k = control_reader_next(&in, &rec)) != 0) {
                char line[4096];
                uint32_t pid;

                if (k > 0 && rec.tag == CONTROL_TAG_TEXT && control_record_string(&rec, &group) >= 0)
                        continue;
                if (k < 0 || rec.tag != CONTROL_TAG_NUMBER || control_record_u32(&rec, &pid) < 0) {
                        r = -EBADMSG;
                        break;
                }
                read_command_line(pid, line, sizeof line);
                if ((r = sd_bus_message_open_container(m, 'r', "sus")) < 0 || (r = append_text(m, 's', group)) < 0 ||
                    (r = sd_bus_message_append(m, "u", pid)) < 0 || (r = append_text(m, 's', line)) < 0)
                        break;
                r = sd_bus_message_close_container(m);
        }
        return call_answer(c, m, r);
}

int do_processes(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        char unit[CONTROL_NAME_MAX];
        int r = meant_unit(m, method, unit, e);

        if (r >= 0)
                r = control_write_string(&b, CONTROL_TAG_UNIT, unit);
        return r < 0 ? r : call_begin(c, m, CONTROL_UNIT_PROCESSES, &b, finish_processes, unit, 0, e);
}

/* ---- what callers hold ---- */

/* A unit that does not exist is not held; why it does not, LoadError says. */
static int finish_ref(struct call *c, const struct link_reply *reply, sd_bus_error *e)
{
        struct control_reader in = control_reader_of(reply->body, reply->size), pair;
        const char *name = "", *message = "";
        struct peer *who = peer_known(c->client, c->message);
        struct control_record rec;
        struct property p;

        while (control_reader_next(&in, &rec) > 0)
                if (rec.tag == CONTROL_TAG_PROPERTY && property_of_record(&rec, &p) >= 0 &&
                    streq(p.name, "LoadError")) {
                        pair = control_reader_of(p.data, p.size);
                        if (control_take_string(&pair, &name) < 0 || control_take_string(&pair, &message) < 0)
                                return -EBADMSG;
                }
        if (name[0])
                return sd_bus_error_set(e, name, message);
        if (!who || peer_ref(who, c->unit) < 0)
                return sd_bus_error_set(e, ERROR_LIMITS, "Too many references");
        return call_reply(c, NULL);
}

/* supd forgets no unit that it has loaded, so a reference keeps nothing; that it was given is remembered all the same,
 * because giving back what was never taken is an error. */
int do_ref(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        struct peer *who = peer_known(c, m);
        char unit[CONTROL_NAME_MAX];
        int r = meant_unit(m, method, unit, e);

        if (r < 0)
                return r;
        if (!who || (!c->on_bus && !c->said_hello)) /* as systemd on its private socket: there is no name to follow */
                return sd_bus_error_set(e, ERROR_INVALID, "Invalid argument");
        if (starts_with(method->member, "Ref")) {
                cleanup_buf_ struct buf b = {0};

                r = control_write_string(&b, CONTROL_TAG_UNIT, unit);
                return r < 0 ? r : call_begin(c, m, CONTROL_UNIT_PROPERTIES, &b, finish_ref, unit, 0, e);
        }
        if (!peer_unref(who, unit))
                return sd_bus_error_set(e, BUS_PREFIX "NotReferenced", "Unit has not been referenced yet.");
        transient_look(c->front, unit);
        return client_reply(c, m, NULL);
}

/* ---- what there is not ---- */

static int finish_no_freezer(struct call *c, const struct link_reply *reply unused_, sd_bus_error *e)
{
        return sd_bus_error_setf(e, ERROR_UNSUPPORTED, "Unit '%s' does not support freezing.", c->unit);
}

/* The unit is looked up first: one that does not exist has another error. */
int do_freeze(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        char unit[CONTROL_NAME_MAX];
        int r = meant_unit(m, method, unit, e);

        if (r < 0 || (r = control_write_string(&b, CONTROL_TAG_UNIT, unit)) < 0 ||
            (r = control_write_u32(&b, CONTROL_TAG_FLAG, 1)) < 0)
                return r;
        return call_begin(c, m, CONTROL_LOAD_UNIT, &b, finish_no_freezer, unit, 0, e);
}

int do_unsupported(struct client *c unused_, sd_bus_message *m unused_, const struct method *method, sd_bus_error *e)
{
        return sd_bus_error_setf(e, ERROR_UNSUPPORTED, "supd does not do %s.", method->member);
}

/* No unit has marks here: they are set through properties that supd keeps none of. */
int do_marked(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e unused_)
{
        return client_reply(c, m, "ao", 0);
}
