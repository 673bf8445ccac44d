/* SPDX-License-Identifier: MIT
 *
 * The object /org/freedesktop/LogControl1, through which `systemctl log-level` and its kin ask how much the manager
 * says, and the properties that can be set: there, and under the same names on the manager's own object.
 *
 * Not here: other properties (objects.c). Invariant: what is set is in the manager's durable state before the answer.
 */
#include "front.h"

#define ERROR_READ_ONLY "org.freedesktop.DBus.Error.PropertyReadOnly"
#define ERROR_PROPERTY  "org.freedesktop.DBus.Error.UnknownProperty"

static const char *const names[] = {"LogLevel", "LogTarget", "SyslogIdentifier"};

/* The value of NAME among the manager's properties; "" when it says nothing of it. */
static const char *value_of(const struct link_reply *reply, const char *name)
{
        struct control_reader in = control_reader_of(reply->body, reply->size);
        struct control_record rec;
        struct property p;

        if (streq(name, "SyslogIdentifier"))
                return "supd";
        while (control_reader_next(&in, &rec) > 0)
                if (rec.tag == CONTROL_TAG_PROPERTY && property_of_record(&rec, &p) >= 0 &&
                    p.kind == CONTROL_KIND_STRING && streq(p.name, name))
                        return p.data;
        return "";
}

static int reply_all(struct call *c, const struct link_reply *reply)
{
        sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_return(c->message, &m);

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(names); i++)
                r = sd_bus_message_append(m, "{sv}", names[i], "s", value_of(reply, names[i]));
        return call_answer(c, m, r);
}

static int finish_get(struct call *c, const struct link_reply *reply, sd_bus_error *e)
{
        const char *interface, *name;
        int r = sd_bus_message_rewind(c->message, 1);

        if (r < 0)
                return r;
        if (sd_bus_message_is_method_call(c->message, NULL, "GetAll"))
                return reply_all(c, reply);
        r = sd_bus_message_read(c->message, "ss", &interface, &name);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(names[i], name))
                        return call_reply(c, "v", "s", value_of(reply, name));
        return sd_bus_error_setf(e, ERROR_PROPERTY, "Unknown interface %.128s or property %.128s.", interface, name);
}

int logcontrol_get(struct client *c, sd_bus_message *m, sd_bus_error *e)
{
        struct buf b = {0};
        return call_begin(c, m, CONTROL_MANAGER_PROPERTIES, &b, finish_get, NULL, 0, e);
}

static int finish_set(struct call *c, const struct link_reply *reply unused_, sd_bus_error *e unused_)
{
        return call_reply(c, NULL);
}

int object_set(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e)
{
        const char *path = sd_bus_message_get_path(m), *interface, *name, *value;
        cleanup_buf_ struct buf b = {0};
        int r = sd_bus_message_read(m, "ss", &interface, &name);

        if (r < 0)
                return r;
        if (!streq(name, "LogLevel") || (!streq(path, BUS_ROOT) && !streq(path, BUS_LOGCONTROL)))
                return sd_bus_error_setf(e, ERROR_READ_ONLY, "Property '%.128s' is not writable.", name);
        if (sd_bus_message_read(m, "v", "s", &value) < 0)
                return sd_bus_error_set(e, ERROR_INVALID, "The level is a string");
        if ((r = control_write_string(&b, CONTROL_TAG_NAME, name)) < 0 ||
            (r = control_write_string(&b, CONTROL_TAG_TEXT, value)) < 0)
                return r;
        return call_begin(c, m, CONTROL_SET_PROPERTY, &b, finish_set, NULL, 0, e);
}
