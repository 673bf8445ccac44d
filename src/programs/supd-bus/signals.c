/* SPDX-License-Identifier: MIT
 *
 * Signals, in the order in which things happened: PropertiesChanged of a unit goes out before the JobRemoved that came
 * behind it, and several changes of one unit that still wait become one. Also the jobs that clients may wait for, so
 * that their end is told even when it fell into a time without a manager.
 *
 * Invariant: bounded. When too much waits, changes of properties are left out; the end of a job never is.
 */
#include "front.h"

#include <stdio.h>

#define SLOW_QUEUE 128 /* unread messages above which a client gets no PropertiesChanged */

static void event_free(struct bus_event *v)
{
        free(v->unit);
        free(v->result);
        free(v);
}

static struct bus_event *event_pop(struct front *f)
{
        struct bus_event *v = f->events;

        f->events = v->next;
        if (!f->events)
                f->last_event = &f->events;
        f->n_events--;
        return v;
}

void signals_free(struct front *f)
{
        while (f->events)
                event_free(event_pop(f));
        while (f->n_jobs > 0)
                free(f->jobs[--f->n_jobs].unit);
}

/* Each client gets a message of its own from MAKE; one that reads slowly may be left out. */
static void tell_all(struct front *f, int (*make)(sd_bus *bus, sd_bus_message **ret, const void *what),
                     const void *what, bool must)
{
        for (struct client *c = f->clients, *next; c; c = next) {
                sd_bus_message *m = NULL;
                uint64_t queued = 0;

                next = c->next;
                if (!client_hears(c) ||
                    (!must && sd_bus_get_n_queued_write(c->bus, &queued) >= 0 && queued > SLOW_QUEUE))
                        continue;
                if (make(c->bus, &m, what) >= 0)
                        (void)client_send(c, m);
                sd_bus_message_unref(m);
        }
}

static int make_manager_signal(sd_bus *bus, sd_bus_message **ret, const char *member)
{
        return sd_bus_message_new_signal(bus, ret, BUS_ROOT, BUS_PREFIX "Manager", member);
}

static int make_job_new(sd_bus *bus, sd_bus_message **ret, const void *what)
{
        const struct bus_event *v = what;
        char path[64];
        int r = make_manager_signal(bus, ret, "JobNew");

        (void)snprintf(path, sizeof path, BUS_JOBS "/%u", v->id);
        return r < 0 ? r : sd_bus_message_append(*ret, "uos", v->id, path, v->unit);
}

static int make_job_removed(sd_bus *bus, sd_bus_message **ret, const void *what)
{
        const struct bus_event *v = what;
        char path[64];
        int r = make_manager_signal(bus, ret, "JobRemoved");

        (void)snprintf(path, sizeof path, BUS_JOBS "/%u", v->id);
        return r < 0 ? r : sd_bus_message_append(*ret, "uoss", v->id, path, v->unit, v->result);
}

static int make_unit(sd_bus *bus, sd_bus_message **ret, const void *what)
{
        const struct bus_event *v = what;
        cleanup_free_ char *path = NULL;
        int r = make_manager_signal(bus, ret, v->type == CONTROL_UNIT_NEW ? "UnitNew" : "UnitRemoved");

        if (r < 0 || (r = unit_path(v->unit, &path)) < 0)
                return r;
        return sd_bus_message_append(*ret, "so", v->unit, path);
}

static int make_reloading(sd_bus *bus, sd_bus_message **ret, const void *what)
{
        const struct bus_event *v = what;
        int r = make_manager_signal(bus, ret, "Reloading");

        return r < 0 ? r : sd_bus_message_append(*ret, "b", (int)(v->id != 0));
}

static int make_unit_files_changed(sd_bus *bus, sd_bus_message **ret, const void *what unused_)
{
        return make_manager_signal(bus, ret, "UnitFilesChanged");
}

void signals_unit_files_changed(struct front *f)
{
        tell_all(f, make_unit_files_changed, NULL, true);
}

struct change { /* PropertiesChanged of one interface */
        const char *unit, *interface;
        const char *body;
        size_t size;
};

static int append_changes(sd_bus_message *m, const struct change *w)
{
        struct control_reader in = control_reader_of(w->body, w->size);
        const char *at = "";
        struct property p;
        bool is_interface;
        int k, r = sd_bus_message_open_container(m, 'a', "{sv}");

        while (r >= 0 && (k = property_next(&in, &at, &p, &is_interface)) != 0) {
                if (k < 0)
                        return k;
                if (!is_interface && streq(at, w->interface) && property_emits_change(at, p.name))
                        r = property_append_entry(m, &p);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_append(m, "as", 0);
}

static int make_change(sd_bus *bus, sd_bus_message **ret, const void *what)
{
        const struct change *w = what;
        cleanup_free_ char *path = NULL;
        char interface[128];
        int r = unit_path(w->unit, &path);

        (void)snprintf(interface, sizeof interface, BUS_PREFIX "%s", w->interface);
        if (r < 0 ||
            (r = sd_bus_message_new_signal(bus, ret, path, "org.freedesktop.DBus.Properties", "PropertiesChanged")) <
                    0 ||
            (r = sd_bus_message_append(*ret, "s", interface)) < 0)
                return r;
        return append_changes(*ret, w);
}

/* The type's interface first, then Unit, as clients know it. */
static void tell_changes(struct front *f, const char *unit, const struct link_reply *reply)
{
        for (int pass = 0; pass < 2; pass++) {
                struct control_reader in = control_reader_of(reply->body, reply->size);
                const char *at = "";
                struct property p;
                bool is_interface;

                while (property_next(&in, &at, &p, &is_interface) > 0) {
                        const struct change w = {unit, at, reply->body, reply->size};

                        if (is_interface && streq(at, "Unit") == (pass == 1))
                                tell_all(f, make_change, &w, false);
                }
        }
}

static int job_find(struct front *f, uint32_t id)
{
        for (unsigned i = 0; i < f->n_jobs; i++)
                if (f->jobs[i].id == id)
                        return (int)i;
        return -ENOENT;
}

static void job_forget(struct front *f, uint32_t id)
{
        int i = job_find(f, id);

        f->removed[f->n_removed++ % ARRAY_SIZE(f->removed)] = id;
        if (i < 0)
                return;
        free(f->jobs[i].unit);
        f->jobs[i] = f->jobs[--f->n_jobs];
}

void jobs_track(struct front *f, uint32_t id, const char *unit)
{
        char *copy;

        for (size_t i = 0; i < ARRAY_SIZE(f->removed); i++)
                if (f->removed[i] == id)
                        return;
        if (job_find(f, id) >= 0 || f->n_jobs >= JOBS_MAX)
                return;
        copy = strdup(unit);
        if (copy)
                f->jobs[f->n_jobs++] = (struct tracked_job){id, copy};
}

static void pump(struct front *f);

static void on_properties(void *userdata, const struct link_reply *reply)
{
        struct front *f = userdata;
        struct bus_event *v = f->events;

        if (!v || !v->asked)
                return;
        if (!reply->error_name)
                tell_changes(f, v->unit, reply);
        transient_look(f, v->unit);
        event_free(event_pop(f));
        pump(f);
}

static bool anybody_hears(const struct front *f)
{
        for (const struct client *c = f->clients; c; c = c->next)
                if (client_hears(c))
                        return true;
        return false;
}

/* Asks for the properties of the unit that changed; 0 when they will come. */
static int event_ask(struct front *f, struct bus_event *v)
{
        struct buf b = {0};
        int r;

        if (!anybody_hears(f))
                return -ENOENT;
        r = control_write_string(&b, CONTROL_TAG_UNIT, v->unit);
        if (r >= 0)
                r = control_write_u32(&b, CONTROL_TAG_BRIEF, 1);
        if (r >= 0)
                r = link_request(f->link, CONTROL_UNIT_PROPERTIES, &b, on_properties, f);
        buf_done(&b);
        v->asked = r >= 0;
        return r;
}

static void event_tell(struct front *f, const struct bus_event *v)
{
        static const struct {
                uint16_t type;
                int (*make)(sd_bus *bus, sd_bus_message **ret, const void *what);
        } makers[] = {
                {CONTROL_JOB_NEW, make_job_new},     {CONTROL_JOB_REMOVED, make_job_removed},
                {CONTROL_UNIT_NEW, make_unit},       {CONTROL_UNIT_REMOVED, make_unit},
                {CONTROL_RELOADING, make_reloading},
        };

        for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
                if (makers[i].type == v->type)
                        tell_all(f, makers[i].make, v, true);
        if (v->type == CONTROL_JOB_REMOVED)
                job_forget(f, v->id);
}

static void pump(struct front *f)
{
        while (f->events) {
                struct bus_event *v = f->events;

                if (v->type == CONTROL_UNIT_CHANGED && (v->asked || event_ask(f, v) >= 0))
                        return;
                if (v->type == CONTROL_UNIT_CHANGED)
                        transient_look(f, v->unit);
                else
                        event_tell(f, v);
                event_free(event_pop(f));
        }
}

static bool change_waits(struct front *f, const char *unit)
{
        for (struct bus_event *v = f->events; v; v = v->next)
                if (v->type == CONTROL_UNIT_CHANGED && !v->asked && streq(v->unit, unit))
                        return true;
        return false;
}

static void event_add(struct front *f, uint16_t type, uint32_t id, const char *unit, const char *result)
{
        struct bus_event *v;

        if (type == CONTROL_UNIT_CHANGED && (f->n_events >= EVENTS_MAX || change_waits(f, unit)))
                return;
        v = calloc(1, sizeof *v);
        if (!v)
                return;
        v->type = type;
        v->id = id;
        v->unit = strdup(unit);
        v->result = strdup(result);
        if (!v->unit || !v->result) {
                event_free(v);
                return;
        }
        *f->last_event = v;
        f->last_event = &v->next;
        f->n_events++;
        pump(f);
}

void signals_event(struct front *f, uint16_t type, const char *body, size_t size)
{
        struct control_reader r = control_reader_of(body, size);
        struct control_record rec;
        struct control_job_wire job;
        const char *unit;
        uint32_t flag;

        switch (type) {
        case CONTROL_JOB_NEW:
        case CONTROL_JOB_REMOVED:
                if (control_reader_next(&r, &rec) > 0 && control_record_job(&rec, &job) >= 0)
                        event_add(f, type, job.id, job.unit, job.result);
                break;
        case CONTROL_UNIT_CHANGED:
        case CONTROL_UNIT_NEW:
        case CONTROL_UNIT_REMOVED:
                if (control_body_string(body, size, CONTROL_TAG_UNIT, &unit) < 0)
                        break;
                bus_unit_changed(f, unit);
                event_add(f, type, 0, unit, "");
                break;
        case CONTROL_RELOADING:
                if (control_body_u32(body, size, CONTROL_TAG_FLAG, &flag) >= 0)
                        event_add(f, type, flag, "", "");
                break;
        default: /* of a newer manager */
                break;
        }
}

struct recheck {
        struct front *front;
        uint32_t id;
};

static void on_recheck(void *userdata, const struct link_reply *reply)
{
        struct recheck *k = userdata;
        struct front *f = k->front;
        struct control_reader r = control_reader_of(reply->body, reply->body ? reply->size : 0);
        struct control_record rec;
        struct control_job_wire job;
        int i = job_find(f, k->id);

        free(k);
        if (i < 0)
                return; /* its end was told meanwhile */
        if (!reply->error_name && control_reader_next(&r, &rec) > 0 && control_record_job(&rec, &job) >= 0) {
                if (job.flags & CONTROL_JOB_ENDED)
                        event_add(f, CONTROL_JOB_REMOVED, job.id, job.unit, job.result);
        } else if (reply->error_name && streq(reply->error_name, ERROR_NO_JOB)) {
                event_add(f, CONTROL_JOB_REMOVED, f->jobs[i].id, f->jobs[i].unit, "canceled");
        }
}

void jobs_recheck(struct front *f)
{
        for (unsigned i = 0; i < f->n_jobs; i++) {
                struct recheck *k = malloc(sizeof *k);
                struct buf b = {0};

                if (!k)
                        return;
                *k = (struct recheck){f, f->jobs[i].id};
                if (control_write_u32(&b, CONTROL_TAG_JOB_ID, k->id) < 0 ||
                    link_request(f->link, CONTROL_JOB_STATE, &b, on_recheck, k) < 0) {
                        buf_done(&b);
                        free(k);
                        return;
                }
        }
}
