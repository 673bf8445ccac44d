/* SPDX-License-Identifier: MIT
 *
 * Properties and introspection of the manager, of units and of jobs: asked of the manager each time, nothing is cached.
 */
#include "front.h"

#include <stdio.h>

/* "" for all, "Unit" for org.freedesktop.systemd1.Unit, else NULL: none of ours. */
static const char *short_interface(const char *interface)
{
        if (interface[0] == 0)
                return interface;
        return starts_with(interface, BUS_PREFIX) ? interface + strlen(BUS_PREFIX) : NULL;
}

static bool is_standard(const char *interface)
{
        return starts_with(interface, "org.freedesktop.DBus") || streq(interface, SUPD_IF);
}

/* A job's four properties as PROPERTY records, so that jobs are read like all other objects; Unit is added apart. */
static int job_body(const struct link_reply *reply, struct buf *ret, struct control_job_wire *ret_job)
{
        struct control_reader r = control_reader_of(reply->body, reply->size);
        struct control_record rec;
        int k;

        if (control_reader_next(&r, &rec) <= 0 || control_record_job(&rec, ret_job) < 0)
                return -EBADMSG;
        k = control_write_string(ret, CONTROL_TAG_INTERFACE, "Job");
        if (k >= 0) {
                char id[1 + sizeof "Id" + 4] = {CONTROL_KIND_U32, 'I', 'd', 0};

                memcpy(id + 4, &ret_job->id, 4);
                k = control_write(ret, CONTROL_TAG_PROPERTY, id, sizeof id);
        }
        for (int i = 0; k >= 0 && i < 2; i++) {
                char text[128];
                int n = snprintf(text, sizeof text, "%c%s%c%s", CONTROL_KIND_STRING, i ? "State" : "JobType", 0,
                                 i ? ret_job->flags & CONTROL_JOB_WAITING ? "waiting" : "running" : ret_job->type);
                k = n > 0 && (size_t)n < sizeof text ? control_write(ret, CONTROL_TAG_PROPERTY, text, (size_t)n + 1)
                                                     : -EBADMSG;
        }
        return k;
}

/* The Unit (so) of a job: the one property whose type is its alone. */
static int append_job_unit(sd_bus_message *m, const char *unit)
{
        cleanup_free_ char *path = NULL;
        int r = unit_path(unit, &path);

        return r < 0 ? r : sd_bus_message_append(m, "v", "(so)", unit, path);
}

enum { BRIEF = 1 }; /* call.number: only what changes was asked for */

struct view { /* what a Get or GetAll reads from */
        const char *body;
        size_t size;
        const char *job_unit; /* NULL: no job */
        const char *unit;     /* NULL: no unit */
        const struct front *front;
};

/* What is told from files rather than by the manager. 1 when NAME is such a one. */
static const char *const file_properties[] = {"UnitFileState", "UnitFilePreset"};

static int append_file_property(sd_bus_message *m, const struct view *v, const char *want, const char *name)
{
        int r;

        if (!v->unit || (want[0] && !streq(want, "Unit")))
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(file_properties); i++)
                if (streq(file_properties[i], name)) {
                        r = sd_bus_message_append(m, "v", "s", unit_files_property(v->front, v->unit, name));
                        return r < 0 ? r : 1;
                }
        return 0;
}

static int append_file_properties(sd_bus_message *m, const struct view *v, const char *want)
{
        int r = 0;

        if (!v->unit || (want[0] && !streq(want, "Unit")))
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(file_properties); i++) {
                if ((r = sd_bus_message_open_container(m, 'e', "sv")) < 0 ||
                    (r = sd_bus_message_append_basic(m, 's', file_properties[i])) < 0 ||
                    (r = append_file_property(m, v, "Unit", file_properties[i])) < 0 ||
                    (r = sd_bus_message_close_container(m)) < 0)
                        return r;
        }
        return 0;
}

static int reply_get(struct call *c, const struct view *v, const char *interface, const char *name, sd_bus_error *e)
{
        struct control_reader in = control_reader_of(v->body, v->size);
        const char *want = short_interface(interface), *at = "";
        sd_bus_message *m = NULL;
        struct property p;
        bool is_interface, found = false;
        int k, r = sd_bus_message_new_method_return(c->message, &m);

        while (r >= 0 && want && !found && (k = property_next(&in, &at, &p, &is_interface)) != 0) {
                if (k < 0)
                        r = k;
                else if (!is_interface && streq(p.name, name) && (want[0] == 0 || streq(want, at))) {
                        found = true;
                        r = property_append(m, &p);
                }
        }
        if (r >= 0 && !found && want) {
                r = append_file_property(m, v, want, name);
                found = r > 0;
        }
        if (r >= 0 && !found && want && v->job_unit && streq(name, "Unit") && (want[0] == 0 || streq(want, "Job"))) {
                found = true;
                r = append_job_unit(m, v->job_unit);
        }
        if (r >= 0 && !found)
                (void)sd_bus_error_setf(e, "org.freedesktop.DBus.Error.UnknownProperty",
                                        "Unknown interface %.128s or property %.128s.", interface, name);
        else if (r >= 0)
                (void)client_send(c->client, m);
        sd_bus_message_unref(m);
        return r;
}

static int append_all(sd_bus_message *m, const struct view *v, const char *want, bool *ret_seen)
{
        struct control_reader in = control_reader_of(v->body, v->size);
        const char *at = "";
        struct property p;
        bool is_interface;
        int k, r = 0;

        while (r >= 0 && (k = property_next(&in, &at, &p, &is_interface)) != 0) {
                if (k < 0)
                        return k;
                if (want[0] && !streq(want, at))
                        continue;
                *ret_seen = true;
                if (!is_interface)
                        r = property_append_entry(m, &p);
        }
        if (r >= 0 && *ret_seen)
                r = append_file_properties(m, v, want);
        if (r >= 0 && v->job_unit && *ret_seen) {
                if ((r = sd_bus_message_open_container(m, 'e', "sv")) < 0 ||
                    (r = sd_bus_message_append_basic(m, 's', "Unit")) < 0 || (r = append_job_unit(m, v->job_unit)) < 0)
                        return r;
                r = sd_bus_message_close_container(m);
        }
        return r;
}

static int reply_get_all(struct call *c, const struct view *v, const char *interface, sd_bus_error *e)
{
        const char *want = short_interface(interface);
        bool seen = is_standard(interface) || interface[0] == 0;
        sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_return(c->message, &m);

        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && want)
                r = append_all(m, v, want, &seen);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r >= 0 && !seen)
                (void)sd_bus_error_setf(e, "org.freedesktop.DBus.Error.UnknownInterface", "Unknown interface %.128s.",
                                        interface);
        else if (r >= 0)
                (void)client_send(c->client, m);
        sd_bus_message_unref(m);
        return r;
}

static int reply_properties(struct call *c, const struct view *v, sd_bus_error *e)
{
        const char *interface, *name;
        int r = sd_bus_message_rewind(c->message, 1);

        if (r < 0)
                return r;
        if (sd_bus_message_is_method_call(c->message, NULL, "GetAll")) {
                r = sd_bus_message_read(c->message, "s", &interface);
                return r < 0 ? r : reply_get_all(c, v, interface, e);
        }
        r = sd_bus_message_read(c->message, "ss", &interface, &name);
        return r < 0 ? r : reply_get(c, v, interface, name, e);
}

static int finish_properties(struct call *c, const struct link_reply *reply, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        struct view v = {.unit = c->unit[0] ? c->unit : NULL, .front = c->client->front};
        int r = 0;

        if (c->number == BRIEF) {
                v.body = reply->body;
                v.size = reply->size;
        } else if ((r = derived_body(v.front, v.unit, reply, &b)) >= 0) {
                v.body = buf_str(&b);
                v.size = b.size;
        }
        return r < 0 ? r : reply_properties(c, &v, e);
}

static int finish_job_properties(struct call *c, const struct link_reply *reply, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        struct control_job_wire job;
        int r = job_body(reply, &b, &job);

        if (r < 0)
                return r;
        if (job.flags & CONTROL_JOB_ENDED)
                return sd_bus_error_setf(e, ERROR_OBJECT, "Unknown object '%s'.", sd_bus_message_get_path(c->message));
        jobs_track(c->client->front, job.id, job.unit);
        return reply_properties(c, &(struct view){.body = b.data, .size = b.size, .job_unit = job.unit}, e);
}

/* One property of those that change: what most clients want, most often. */
static bool asks_for_state(sd_bus_message *m)
{
        const char *interface, *name;
        bool is = sd_bus_message_is_method_call(m, "org.freedesktop.DBus.Properties", "Get") &&
                  sd_bus_message_read(m, "ss", &interface, &name) >= 0 && !ends_with(interface, ".Socket") &&
                  !ends_with(interface, ".Timer") && !ends_with(interface, ".Path") &&
                  property_emits_change("Unit", name);

        (void)sd_bus_message_rewind(m, 1);
        return is;
}

/* Asks the manager about the object that M is for; -ENOENT when it is none of those with values. */
static int ask_object(struct client *c, sd_bus_message *m,
                      int (*finish)(struct call *, const struct link_reply *, sd_bus_error *),
                      int (*finish_job)(struct call *, const struct link_reply *, sd_bus_error *), sd_bus_error *e)
{
        const char *path = sd_bus_message_get_path(m);
        cleanup_buf_ struct buf b = {0};
        char unit[CONTROL_NAME_MAX];
        uint32_t job;
        int r;

        if (streq(path, BUS_ROOT))
                return call_begin(c, m, CONTROL_MANAGER_PROPERTIES, &b, finish, NULL, 0, e);
        r = unit_of_path(path, unit);
        if (r == -EINVAL)
                return unit_path_error(path, e);
        if (r >= 0) {
                uint32_t brief = asks_for_state(m) ? BRIEF : 0;

                r = control_write_string(&b, CONTROL_TAG_UNIT, unit);
                if (r >= 0 && brief)
                        r = control_write_u32(&b, CONTROL_TAG_BRIEF, 1);
                return r < 0 ? r : call_begin(c, m, CONTROL_UNIT_PROPERTIES, &b, finish, unit, brief, e);
        }
        if (job_of_path(path, &job) < 0)
                return -ENOENT;
        r = control_write_u32(&b, CONTROL_TAG_JOB_ID, job);
        return r < 0 ? r : call_begin(c, m, CONTROL_JOB_STATE, &b, finish_job, NULL, job, e);
}

static bool is_empty_node(const char *path)
{
        return streq(path, "/") || streq(path, "/org") || streq(path, "/org/freedesktop") ||
               starts_with(path, "/org/freedesktop/DBus") || streq(path, BUS_UNITS) || streq(path, BUS_JOBS);
}

static int empty_node_get(struct client *c, sd_bus_message *m, sd_bus_error *e)
{
        sd_bus_message *reply = NULL;
        int r;

        if (!sd_bus_message_is_method_call(m, NULL, "GetAll"))
                return sd_bus_error_set(e, "org.freedesktop.DBus.Error.UnknownProperty", "This object has no property");
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "a{sv}", 0);
        if (r >= 0)
                (void)client_send(c, reply);
        sd_bus_message_unref(reply);
        return r < 0 ? r : 1;
}

int object_get(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e)
{
        int r;

        if (streq(sd_bus_message_get_path(m), BUS_LOGCONTROL))
                return logcontrol_get(c, m, e);
        r = ask_object(c, m, finish_properties, finish_job_properties, e);
        if (r != -ENOENT)
                return r;
        if (is_empty_node(sd_bus_message_get_path(m)))
                return empty_node_get(c, m, e);
        return sd_bus_error_setf(e, ERROR_OBJECT, "Unknown object '%s'.", sd_bus_message_get_path(m));
}

static const struct signal_row {
        const char *interface, *xml;
} signal_rows[] = {
        {"org.freedesktop.DBus.Properties",
         "<signal name=\"PropertiesChanged\"><arg type=\"s\"/><arg type=\"a{sv}\"/><arg type=\"as\"/></signal>"},
        {BUS_PREFIX "Manager", "<signal name=\"UnitNew\"><arg type=\"s\"/><arg type=\"o\"/></signal>"
                               "<signal name=\"UnitRemoved\"><arg type=\"s\"/><arg type=\"o\"/></signal>"
                               "<signal name=\"JobNew\"><arg type=\"u\"/><arg type=\"o\"/><arg type=\"s\"/></signal>"
                               "<signal name=\"JobRemoved\"><arg type=\"u\"/><arg type=\"o\"/><arg type=\"s\"/>"
                               "<arg type=\"s\"/></signal><signal name=\"Reloading\"><arg type=\"b\"/></signal>"
                               "<signal name=\"UnitFilesChanged\"/>"},
};

/* The complete types of SIGNATURE as <arg/> lines. */
static int xml_args(struct buf *b, const char *signature, const char *direction)
{
        int r = 0;

        for (size_t n; (n = signature_length(signature)) > 0 && r >= 0; signature += n)
                r = buf_printf(b, "<arg type=\"%.*s\" direction=\"%s\"/>", (int)n, signature, direction);
        return r;
}

/* The methods and signals of INTERFACE on this object kind; the element is left open for properties. */
static int xml_interface_open(struct buf *b, const char *interface)
{
        int r = buf_printf(b, " <interface name=\"%s\">\n", interface);

        for (size_t i = 0; r >= 0 && i < n_methods; i++) {
                if (!streq(methods[i].interface, interface))
                        continue;
                if ((r = buf_printf(b, "  <method name=\"%s\">", methods[i].member)) < 0 ||
                    (r = xml_args(b, methods[i].in, "in")) < 0 || (r = xml_args(b, methods[i].out, "out")) < 0)
                        return r;
                r = buf_append_str(b, "</method>\n");
        }
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(signal_rows); i++)
                if (streq(signal_rows[i].interface, interface))
                        r = buf_printf(b, "  %s\n", signal_rows[i].xml);
        return r;
}

static int xml_open(struct buf *b)
{
        static const char *const standard[] = {"org.freedesktop.DBus.Introspectable",
                                               "org.freedesktop.DBus.Properties"};
        int r = buf_append_str(b,
                               "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n"
                               "\"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n<node>\n"
                               " <interface name=\"org.freedesktop.DBus.Peer\"><method name=\"Ping\"/></interface>\n");

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(standard); i++) {
                r = xml_interface_open(b, standard[i]);
                if (r >= 0)
                        r = buf_append_str(b, " </interface>\n");
        }
        return r;
}

static int reply_text(struct call *c, struct buf *b, int r)
{
        if (r >= 0)
                r = buf_append_str(b, "</node>\n");
        return r < 0 ? r : call_reply(c, "s", buf_str(b));
}

/* Interfaces as the manager gave them, each with exactly the properties that are there. */
static int xml_view(struct buf *b, const struct view *v)
{
        struct control_reader in = control_reader_of(v->body, v->size);
        const char *at = "";
        char full[128];
        struct property p;
        bool is_interface, open = false;
        int k, r = 0;

        while (r >= 0 && (k = property_next(&in, &at, &p, &is_interface)) != 0) {
                if (k < 0)
                        return k;
                if (is_interface) {
                        if (open && (r = buf_append_str(b, " </interface>\n")) < 0)
                                return r;
                        open = true;
                        (void)snprintf(full, sizeof full, BUS_PREFIX "%s", at);
                        r = xml_interface_open(b, full);
                        for (size_t i = 0; i < ARRAY_SIZE(file_properties) && streq(at, "Unit") && r >= 0; i++)
                                r = buf_printf(b, "  <property name=\"%s\" type=\"s\" access=\"read\"/>\n",
                                               file_properties[i]);
                } else if (open) {
                        r = buf_printf(b, "  <property name=\"%s\" type=\"%s\" access=\"read\"/>\n", p.name,
                                       property_signature(&p));
                }
        }
        if (r >= 0 && v->job_unit)
                r = buf_append_str(b, "  <property name=\"Unit\" type=\"(so)\" access=\"read\"/>\n");
        return r < 0 || !open ? r : buf_append_str(b, " </interface>\n");
}

static int finish_introspect(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        cleanup_buf_ struct buf b = {0}, body = {0};
        int r = derived_body(c->client->front, c->unit[0] ? c->unit : NULL, reply, &body);

        if (r >= 0)
                r = xml_open(&b);
        if (r >= 0)
                r = xml_view(&b, &(struct view){.body = body.data, .size = body.size});
        if (r >= 0 && streq(sd_bus_message_get_path(c->message), BUS_ROOT)) {
                r = xml_interface_open(&b, SUPD_IF);
                if (r >= 0)
                        r = buf_append_str(&b, " </interface>\n <node name=\"unit\"/>\n <node name=\"job\"/>\n");
        }
        return reply_text(c, &b, r);
}

static int finish_introspect_job(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        cleanup_buf_ struct buf b = {0}, body = {0};
        struct control_job_wire job;
        int r = job_body(reply, &body, &job);

        if (r >= 0)
                r = xml_open(&b);
        if (r >= 0)
                r = xml_view(&b, &(struct view){.body = body.data, .size = body.size, .job_unit = job.unit});
        return reply_text(c, &b, r);
}

static int xml_child(struct buf *b, const struct control_record *rec)
{
        cleanup_free_ char *path = NULL;
        struct control_row_wire row;
        struct control_job_wire job;
        int r;

        if (rec->tag == CONTROL_TAG_JOB) {
                r = control_record_job(rec, &job);
                return r < 0 ? r : buf_printf(b, " <node name=\"%u\"/>\n", job.id);
        }
        if (control_record_row(rec, &row) < 0)
                return -EBADMSG;
        r = unit_path(row.id, &path);
        return r < 0 ? r : buf_printf(b, " <node name=\"%s\"/>\n", path + strlen(BUS_UNITS "/"));
}

static int finish_introspect_list(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        struct control_reader in = control_reader_of(reply->body, reply->size);
        cleanup_buf_ struct buf b = {0};
        struct control_record rec;
        int k, r = xml_open(&b);

        while (r >= 0 && (k = control_reader_next(&in, &rec)) != 0)
                r = k < 0 ? k : xml_child(&b, &rec);
        return reply_text(c, &b, r);
}

/* Objects that only lead further down. */
static int introspect_fixed(struct client *c, sd_bus_message *m, sd_bus_error *e)
{
        static const char *const nodes[][2] = {
                {"/", "<node><node name=\"org\"/></node>\n"},
                {"/org", "<node><node name=\"freedesktop\"/></node>\n"},
                {"/org/freedesktop", "<node><node name=\"DBus\"/><node name=\"systemd1\"/></node>\n"},
        };
        const char *path = sd_bus_message_get_path(m);
        cleanup_buf_ struct buf b = {0};
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
                if (streq(nodes[i][0], path))
                        return client_reply(c, m, "s", nodes[i][1]);
        if (!starts_with(path, "/org/freedesktop/DBus"))
                return sd_bus_error_setf(e, ERROR_OBJECT, "Unknown object '%s'.", path);
        if ((r = xml_open(&b)) < 0 || (r = xml_interface_open(&b, "org.freedesktop.DBus")) < 0 ||
            (r = buf_append_str(&b, " </interface>\n</node>\n")) < 0)
                return r;
        return client_reply(c, m, "s", buf_str(&b));
}

int object_introspect(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e)
{
        const char *path = sd_bus_message_get_path(m);
        struct buf b = {0};
        int r;

        if (streq(path, BUS_UNITS))
                return call_begin(c, m, CONTROL_LIST_UNITS, &b, finish_introspect_list, NULL, 0, e);
        if (streq(path, BUS_JOBS))
                return call_begin(c, m, CONTROL_LIST_JOBS, &b, finish_introspect_list, NULL, 0, e);
        r = ask_object(c, m, finish_introspect, finish_introspect_job, e);
        return r == -ENOENT ? introspect_fixed(c, m, e) : r;
}
