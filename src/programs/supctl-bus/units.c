/* SPDX-License-Identifier: MIT
 *
 * What supd says of units, for the verbs that tell it to people: rows of the status table by name, and lists of names
 * among a unit's properties. Not here: what is made of it. Invariant: one snapshot of the table for a whole verb.
 */
#include <stdio.h>
#include <stdlib.h>

#include "report/report.h"
#include "supctl-bus.h"

static int compare(const void *a, const void *b, void *userdata)
{
        const struct units *u = userdata;

        return strcmp(supstatus_text(u->snapshot, *(const uint32_t *)a, SUPD_TEXT_NAME),
                      supstatus_text(u->snapshot, *(const uint32_t *)b, SUPD_TEXT_NAME));
}

/* As the table of this supd is called: by --name, or by what its directory says of itself. */
static void instance_of(const struct options *o, bool user, char ret[96])
{
        char path[PATH_MAX + 16], name[72] = "";
        ssize_t n;

        (void)snprintf(path, sizeof(path), "%s/table", o->runtime_dir);
        n = readlink(path, name, sizeof(name) - 1);
        name[n > 0 ? n : 0] = 0;
        if (user)
                (void)snprintf(ret, 96, "user-%u%s%s", (unsigned)getuid(), *name ? "-" : "", name);
        else
                (void)snprintf(ret, 96, "%s", name);
}

int units_open(struct units *u, const struct options *o)
{
        struct supstatus *table = NULL;
        bool user = o->user || (!o->system && geteuid() != 0);
        int r;

        instance_of(o, user, u->instance);
        r = supstatus_open(u->instance, &table);
        if (r == -ENOENT && user && !o->user) { /* another one's, whom we only look at */
                instance_of(o, false, u->instance);
                r = supstatus_open(u->instance, &table);
        }
        if (r == 0)
                r = supstatus_snapshot(table, 0, &u->snapshot);
        supstatus_close(table);
        if (r == 0)
                u->by_name = calloc(supstatus_count(u->snapshot) + 1u, sizeof(*u->by_name));
        if (r < 0 || !u->by_name) {
                (void)fprintf(stderr, "The status table of supd cannot be read: %s\n",
                              r < 0 ? strerror(-r) : "out of memory");
                return r < 0 ? r : -ENOMEM;
        }
        for (uint32_t i = 0; i < supstatus_count(u->snapshot); i++)
                u->by_name[i] = i;
        qsort_r(u->by_name, supstatus_count(u->snapshot), sizeof(*u->by_name), compare, u);
        return 0;
}

void units_done(struct units *u)
{
        supstatus_free(u->snapshot);
        free(u->by_name);
}

bool units_find(const struct units *u, const char *name, uint32_t *ret)
{
        uint32_t low = 0, high = supstatus_count(u->snapshot);

        while (low < high) {
                uint32_t middle = low + (high - low) / 2;
                int r = strcmp(supstatus_text(u->snapshot, u->by_name[middle], SUPD_TEXT_NAME), name);

                if (r == 0) {
                        *ret = u->by_name[middle];
                        return true;
                }
                if (r < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return false;
}

const struct supd_status_row *units_row(const struct units *u, const char *name)
{
        uint32_t i;

        return units_find(u, name, &i) ? supstatus_row(u->snapshot, i) : NULL;
}

const char *units_name_at(const struct units *u, uint32_t number)
{
        for (uint32_t i = 0; i < supstatus_count(u->snapshot); i++)
                if (supstatus_row(u->snapshot, i)->number == number)
                        return supstatus_text(u->snapshot, i, SUPD_TEXT_NAME);
        return NULL;
}

int units_names_add(struct units_names *n, const char *name, unsigned which)
{
        struct units_name *more = reallocarray(n->v, n->n + 1, sizeof *more);

        if (!more)
                return -ENOMEM;
        n->v = more;
        more[n->n] = (struct units_name){.name = strdup(name), .which = which};
        return more[n->n].name ? (int)++n->n : -ENOMEM;
}

static int take_names(struct units_names *ret, sd_bus_message *m, unsigned which)
{
        const char *name;
        int r = sd_bus_message_enter_container(m, 'v', "as");

        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "s");
        while (r >= 0 && (r = sd_bus_message_read(m, "s", &name)) > 0)
                r = units_names_add(ret, name, which);
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* One property of the dictionary. */
static int take_property(struct units_names *ret, sd_bus_message *m, const char *const *properties)
{
        const char *name;
        int r = sd_bus_message_read(m, "s", &name);

        for (unsigned i = 0; r >= 0 && properties[i]; i++)
                if (streq(properties[i], name))
                        return take_names(ret, m, i);
        return r < 0 ? r : sd_bus_message_skip(m, "v");
}

void units_names_done(struct units_names *n)
{
        for (unsigned i = 0; i < n->n; i++)
                free(n->v[i].name);
        free(n->v);
        *n = (struct units_names){0};
}

int units_names_of(struct control *c, const char *unit, const char *const *properties, struct units_names *ret)
{
        cleanup_free_ char *path = NULL;
        sd_bus_message *reply = NULL;
        int r = sd_bus_path_encode(BUS_ROOT "/unit", unit, &path);

        if (r >= 0)
                r = sd_bus_call_method(c->bus, BUS_NAME, path, "org.freedesktop.DBus.Properties", "GetAll", NULL,
                                       &reply, "s", BUS_NAME ".Unit");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "sv")) > 0) {
                r = take_property(ret, reply, properties);
                if (r >= 0)
                        r = sd_bus_message_exit_container(reply);
        }
        sd_bus_message_unref(reply);
        return r < 0 ? r : 0;
}

char *unit_full(const char *word, const char *suffix)
{
        char *ret;

        return asprintf(&ret, "%s%s", word, unit_has_suffix(word) ? "" : suffix) < 0 ? NULL : ret;
}
