/* SPDX-License-Identifier: MIT
 *
 * Verbs about supd as a whole: the environment that services get, how much supd says, reading its
 * files again, and its end.
 *
 * Not here: units and jobs. Invariant: a verb that sets nothing prints what is set.
 */
#include "supctl-bus.h"

#include <stdio.h>

#define LOG_PATH "/org/freedesktop/LogControl1"
#define LOG_IF   "org.freedesktop.LogControl1"

static int told(int r, sd_bus_error *e, const char *what)
{
        if (r < 0)
                (void)fprintf(stderr, "Failed to %s: %s\n", what, e->message ? e->message : strerror(-r));
        sd_bus_error_free(e);
        return r < 0 ? 1 : 0;
}

/* ---- environment ---- */

/* As a shell would read it back. */
static void print_assignment(const char *s)
{
        const char *value = strchr(s, '=');

        value = value ? value + 1 : s + strlen(s);
        (void)printf("%.*s", (int)(value - s), s);
        if (value[strcspn(value, " \t\n\r\v\f\"'\\`$!*?[](){}<>|&;#~")] == 0) {
                (void)puts(value);
                return;
        }
        (void)fputs("$'", stdout);
        for (; *value; value++)
                if (*value == '\n')
                        (void)fputs("\\n", stdout);
                else if (*value == '\t')
                        (void)fputs("\\t", stdout);
                else if (*value == '\'' || *value == '\\')
                        (void)printf("\\%c", *value);
                else
                        (void)putchar(*value);
        (void)puts("'");
}

int run_show_environment(struct control *c, const struct verb *v unused_, char **args unused_, int n unused_)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        char **list = NULL;
        int r = sd_bus_get_property_strv(c->bus, BUS_NAME, BUS_ROOT, MANAGER_IF, "Environment", &e, &list);

        for (char **p = list; p && *p; p++) {
                print_assignment(*p);
                free(*p);
        }
        free(list);
        return told(r, &e, "get environment");
}

static int strings_call(struct control *c, const char *method, char **strings, sd_bus_error *e)
{
        sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_call(c->bus, &m, BUS_NAME, BUS_ROOT, MANAGER_IF, method);

        if (r >= 0)
                r = sd_bus_message_append_strv(m, strings);
        if (r >= 0)
                r = sd_bus_call(c->bus, m, 0, e, NULL);
        sd_bus_message_unref(m);
        return r;
}

/* Twice is as good as once, so a connection that breaks under it is come back to. */
static int strings_send(struct control *c, const char *method, char **strings, const char *what)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r = strings_call(c, method, strings, &e);

        if (r < 0 && error_is_disconnect(r, &e) && control_reconnect(c) >= 0) {
                sd_bus_error_free(&e);
                r = strings_call(c, method, strings, &e);
        }
        return told(r, &e, what);
}

int run_environment(struct control *c, const struct verb *v, char **args, int n unused_)
{
        return strings_send(c, v->method, args, v->mode);
}

/* NAME, as it is here; without any name all that can be passed on. */
int run_import_environment(struct control *c, const struct verb *v, char **args, int n)
{
        char **list = calloc((size_t)n + 1, sizeof *list);
        int code, k = 0;

        if (!list)
                return 1;
        for (int i = 0; i < n; i++) {
                const char *value = getenv(args[i]);

                if (!value)
                        (void)fprintf(stderr, "Environment variable $%s not set, ignoring.\n", args[i]);
                else if (asprintf(&list[k], "%s=%s", args[i], value) >= 0)
                        k++;
        }
        if (n == 0)
                (void)fputs("Calling import-environment without a list of variable names is deprecated.\n", stderr);
        code = strings_send(c, v->method, n > 0 ? list : environ, v->mode);
        for (int i = 0; i < k; i++)
                free(list[i]);
        free(list);
        return code;
}

/* ---- how much supd says ---- */

int run_log(struct control *c, const struct verb *v, char **args, int n)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        cleanup_free_ char *now = NULL;
        char what[256];
        int r;

        if (n > 0) {
                r = sd_bus_set_property(c->bus, BUS_NAME, LOG_PATH, LOG_IF, v->method, &e, "s", args[0]);
                (void)snprintf(what, sizeof what, "%s of " BUS_NAME " to %s", v->mode, args[0]);
                return told(r, &e, c->options->systemctl ? what : v->mode);
        }
        r = sd_bus_get_property_string(c->bus, BUS_NAME, LOG_PATH, LOG_IF, v->method, &e, &now);
        if (r >= 0)
                (void)puts(now);
        return told(r, &e, v->mode);
}

int run_service_watchdogs(struct control *c, const struct verb *v, char **args, int n)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r, on = n > 0 && (streq(args[0], "yes") || streq(args[0], "true") || streq(args[0], "1"));

        if (n > 0)
                return told(
                        sd_bus_set_property(c->bus, BUS_NAME, BUS_ROOT, MANAGER_IF, "ServiceWatchdogs", &e, "b", on),
                        &e, v->mode);
        r = sd_bus_get_property_trivial(c->bus, BUS_NAME, BUS_ROOT, MANAGER_IF, "ServiceWatchdogs", &e, 'b', &on);
        if (r >= 0)
                (void)puts(on ? "yes" : "no");
        return told(r, &e, "get service-watchdog state");
}

/* ---- its files, and its end ---- */

/* Until somebody answers again, within bounds: what is asked next is asked of the successor, if all is well. */
static void wait_for_successor(struct control *c)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;

        (void)control_call(c, "org.freedesktop.DBus.Properties", "Get", true, &e, NULL, "ss", MANAGER_IF, "Version");
        sd_bus_error_free(&e);
}

int run_reload(struct control *c, const struct verb *v, char **args unused_, int n unused_)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r = control_call(c, MANAGER_IF, v->method, v->again, &e, NULL, ""), code = 0;

        if (streq(v->method, "Reexecute") && (r >= 0 || error_is_disconnect(r, &e))) { /* that is how it answers */
                sd_bus_error_free(&e);
                wait_for_successor(c);
                r = 0;
        }
        if (r < 0) {
                const char *text = e.message ? e.message : strerror(-r);
                bool again = streq(v->method, "Reexecute");

                if (c->options->systemctl)
                        (void)fprintf(stderr, "%s daemon failed: %s\n", again ? "Reexecute" : "Reload", text);
                else
                        (void)fprintf(stderr, "Failed to %s: %s\n",
                                      again ? "re-execute the manager" : "reload unit files", text);
                code = 1;
        }
        sd_bus_error_free(&e);
        return code;
}

/* Everything is stopped, and supd with it; it may be gone before it answers. */
int run_end(struct control *c, const struct verb *v, char **args unused_, int n unused_)
{
        sd_bus_error e = SD_BUS_ERROR_NULL;
        int r = control_call(c, MANAGER_IF, v->method, v->again, &e, NULL, ""), code = 0;

        if (r < 0 && !error_is_disconnect(r, &e)) {
                (void)fprintf(stderr, "Failed to %s: %s\n", v->name, e.message ? e.message : strerror(-r));
                code = 1;
        }
        sd_bus_error_free(&e);
        return code;
}
