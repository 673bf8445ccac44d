/* SPDX-License-Identifier: MIT
 *
 * show: all that supd knows of units, of jobs or of itself, as systemctl prints it, or as JSON.
 *
 * Not here: how a value is worded (value.c); what the status table has by itself (supctl, which comes here for the
 * rest). Invariant: a property that is not there gives no line and is no mistake.
 */
#include "report/report.h"
#include "supctl-bus.h"

#include <stdio.h>

static bool is_asked_for(const struct options *o, const char *name)
{
        for (unsigned i = 0; i < o->n_properties; i++)
                if (streq(o->properties[i], name))
                        return true;
        return o->n_properties == 0;
}

/* Nothing is said of what is empty, or cannot be told in words, unless it was asked for; and of a list of lines never.
 */
static void print_value(const struct options *o, const char *name, const char *text, enum value_form form)
{
        bool hollow = !*text || streq(text, "[unprintable]");
        const char *end;

        if (hollow && (form == VALUE_LINES || (o->n_properties == 0 && !o->all)))
                return;
        for (;; text = end + 1) {
                end = form == VALUE_LINES ? strchrnul(text, '\n') : text + strlen(text);
                (void)printf("%s%s%.*s\n", o->bare ? "" : name, o->bare ? "" : "=", (int)(end - text), text);
                if (!*end)
                        return;
        }
}

static int show_property(const struct options *o, sd_bus_message *m, struct json *j)
{
        cleanup_buf_ struct buf out = {0};
        const char *name;
        int r = sd_bus_message_read(m, "s", &name);

        if (r < 0 || !is_asked_for(o, name))
                return r < 0 ? r : sd_bus_message_skip(m, "v");
        r = value_take(&out, o->json ? j : NULL, m, name);
        if (r >= 0 && r != VALUE_NONE && !o->json)
                print_value(o, name, buf_str(&out), r);
        return r;
}

/* The entries of a{sv}. */
static int show_all(const struct options *o, sd_bus_message *m, struct json *j)
{
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = show_property(o, m, j);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int show_object(struct control *c, const char *path, struct json *j)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int r = sd_bus_call_method(c->bus, BUS_NAME, path, "org.freedesktop.DBus.Properties", "GetAll", &e, &reply, "s",
                                   "");

        if (c->options->json)
                json_open(j, NULL, '{');
        if (r >= 0)
                r = show_all(c->options, reply, j);
        if (c->options->json)
                json_close(j, '}');
        if (r < 0)
                (void)fprintf(stderr, "Failed to get properties: %s\n", e.message ? e.message : strerror(-r));
        sd_bus_error_free(&e);
        sd_bus_message_unref(reply);
        return r;
}

/* A number is a job's. */
static char *path_of(const char *unit)
{
        char *path;

        if (unit[strspn(unit, "0123456789")] == 0)
                return asprintf(&path, BUS_ROOT "/job/%s", unit) < 0 ? NULL : path;
        return sd_bus_path_encode(BUS_ROOT "/unit", unit, &path) < 0 ? NULL : path;
}

static int show_units(struct control *c, char **args, int n, struct json *j)
{
        struct names l = {0};
        int code = 0;

        for (int i = 0; i < n; i++)
                if (names_of(c, &args[i], 1, args[i][strspn(args[i], "0123456789")] ? ".service" : "", &l) < 0)
                        code = 1;
        for (unsigned i = 0; i < l.n; i++) {
                cleanup_free_ char *path = path_of(l.v[i]);

                if (i > 0 && !c->options->json)
                        (void)putchar('\n');
                if (!path || show_object(c, path, j) < 0)
                        code = 1;
        }
        names_done(&l);
        return code;
}

int run_show(struct control *c, const struct verb *v unused_, char **args, int n)
{
        struct json j = {.form = c->options->json};
        int code;

        if (n == 0)
                code = show_object(c, BUS_ROOT, &j) < 0 ? 1 : 0;
        else {
                json_open(&j, NULL, '[');
                code = show_units(c, args, n, &j);
                json_close(&j, ']');
        }
        if (c->options->json && code == 0)
                json_print(&j);
        buf_done(&j.text);
        return code;
}
