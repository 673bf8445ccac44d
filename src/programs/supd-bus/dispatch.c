/* SPDX-License-Identifier: MIT
 *
 * From a message to a row of methods[]: object, interface, member, signature, and whether the peer may.
 *
 * Not here: what methods do (methods.c). Objects exist by their path alone and are never registered: unit objects are
 * lazy, and their values come from the manager, which a bus library's property getters could not wait for.
 */
#include "front.h"

#include <ctype.h>

int unit_name_check(const char *name, sd_bus_error *e)
{
        static const char *const suffixes[] = {".service", ".target", ".socket", ".timer", ".path",      ".mount",
                                               ".slice",   ".device", ".swap",   ".scope", ".automount", ".snapshot"};
        size_t n = strlen(name);
        bool ok = false;

        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
                ok = ok || (ends_with(name, suffixes[i]) && n > strlen(suffixes[i]));
        for (size_t i = 0; ok && i < n; i++)
                ok = isalnum((unsigned char)name[i]) || strchr(":_.\\@-", name[i]);
        if (ok && n < CONTROL_NAME_MAX && name[0] != '@')
                return 0;
        (void)sd_bus_error_setf(e, ERROR_INVALID, "Unit name %.64s is not valid.", name);
        return -EINVAL;
}

int unit_of_path(const char *path, char ret[CONTROL_NAME_MAX])
{
        cleanup_free_ char *name = NULL;

        if (!starts_with(path, BUS_UNITS "/"))
                return -ENOENT;
        if (sd_bus_path_decode(path, BUS_UNITS, &name) <= 0 || strlen(name) >= CONTROL_NAME_MAX ||
            unit_name_check(name, NULL) < 0)
                return -EINVAL;
        memcpy(ret, name, strlen(name) + 1);
        return 0;
}

int unit_path_error(const char *path, sd_bus_error *e)
{
        cleanup_free_ char *name = NULL;

        if (sd_bus_path_decode(path, BUS_UNITS, &name) <= 0)
                return sd_bus_error_setf(e, ERROR_INVALID, "%s names no object", path);
        return sd_bus_error_setf(e, ERROR_INVALID, "Unit name %.128s is neither a valid invocation ID nor unit name.",
                                 name);
}

int unit_path(const char *unit, char **ret)
{
        return sd_bus_path_encode(BUS_UNITS, unit, ret);
}

int job_of_path(const char *path, uint32_t *ret)
{
        const char *s = path + strlen(BUS_JOBS "/");
        uint64_t v = 0;

        if (!starts_with(path, BUS_JOBS "/"))
                return -ENOENT;
        for (const char *p = s; *p; p++) {
                if (*p < '0' || *p > '9' || p - s > 9)
                        return -EINVAL;
                v = v * 10 + (uint64_t)(*p - '0');
        }
        if (s[0] == 0 || v == 0 || v > UINT32_MAX)
                return -EINVAL;
        *ret = (uint32_t)v;
        return 0;
}

/* Is PATH an object of the kind that the method lives on? 1, 0, or -errno with *e for a path that cannot be. */
static int object_fits(const struct method *method, const char *path, sd_bus_error *e)
{
        char unit[CONTROL_NAME_MAX];
        uint32_t id;
        int r = 0;

        switch (method->object) {
        case ON_ANY:
                return 1;
        case ON_MANAGER:
                return streq(path, BUS_ROOT);
        case ON_UNIT:
                r = unit_of_path(path, unit);
                break;
        case ON_JOB:
                r = job_of_path(path, &id);
                break;
        }
        if (r == -EINVAL)
                (void)unit_path_error(path, e);
        return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

static bool path_known(const char *path)
{
        char unit[CONTROL_NAME_MAX];
        uint32_t id;

        return streq(path, BUS_ROOT) || unit_of_path(path, unit) >= 0 || job_of_path(path, &id) >= 0;
}

static int unknown(sd_bus_message *m, sd_bus_error *e)
{
        const char *path = sd_bus_message_get_path(m), *interface = sd_bus_message_get_interface(m),
                   *member = sd_bus_message_get_member(m);

        if (!path_known(path))
                return sd_bus_error_setf(e, ERROR_OBJECT, "Unknown object '%s'.", path);
        if (!interface)
                return sd_bus_error_setf(e, ERROR_METHOD, "Unknown method %s.", member);
        return sd_bus_error_setf(e, ERROR_METHOD, "Unknown method %s or interface %s.", member, interface);
}

static int method_allowed(struct client *c, const struct peer *p, sd_bus_message *m, const struct method *method,
                          sd_bus_error *e)
{
        const char *got = sd_bus_message_get_signature(m, 1);

        if (!peer_may(p, method->access))
                return c->on_bus ? sd_bus_error_set(e, ERROR_ACCESS, "Access denied")
                                 : sd_bus_error_setf(e, ERROR_ACCESS, "Access to %s.%s() not permitted.",
                                                     method->interface, method->member);
        if (!streq(got ? got : "", method->in))
                return sd_bus_error_setf(e, ERROR_INVALID, "Invalid arguments '%s' to call %s.%s(), expecting '%s'.",
                                         got ? got : "", method->interface, method->member, method->in);
        return method->handle(c, m, method, e);
}

static int method_run(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        const struct peer *p = &c->self;

        if (method->access != ACCESS_LOOK || method->who)
                p = peer_known(c, m);
        return p ? method_allowed(c, p, m, method, e) : sender_ask(c, m, method, e);
}

void dispatch_late(struct client *c, const struct peer *p, sd_bus_message *m, const struct method *method)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r;

        if (c->closing)
                return;
        r = method_allowed(c, p, m, method, &e);
        if (r < 0 && !sd_bus_error_is_set(&e))
                (void)sd_bus_error_set_errno(&e, r);
        if (sd_bus_error_is_set(&e))
                client_reply_error(c, m, &e);
        sd_bus_error_free(&e);
}

int dispatch_message(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
        const char *path = sd_bus_message_get_path(m), *interface = sd_bus_message_get_interface(m),
                   *member = sd_bus_message_get_member(m);
        struct client *c = userdata;

        if (c->on_bus && sd_bus_message_is_signal(m, BUS_PREFIX "Activator", "ActivationRequest"))
                bus_activation(c, m);
        if (!sd_bus_message_is_method_call(m, NULL, NULL) || !path || !member)
                return c->on_bus ? 0 : 1; /* there the library waits for answers and signals itself */
        if (interface && streq(interface, "org.freedesktop.DBus.Peer"))
                return 0; /* the library's own answer */
        for (size_t i = 0; i < n_methods; i++) {
                int r;

                if (c->on_bus && streq(methods[i].interface, "org.freedesktop.DBus"))
                        continue; /* the bus has a driver of its own */
                if (!streq(methods[i].member, member) || (interface && !streq(methods[i].interface, interface)))
                        continue;
                r = object_fits(&methods[i], path, e);
                if (r < 0)
                        return r;
                if (r > 0) {
                        r = method_run(c, m, &methods[i], e);
                        return r < 0 ? r : 1;
                }
        }
        return unknown(m, e);
}
