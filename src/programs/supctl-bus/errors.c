/* SPDX-License-Identifier: MIT
 *
 * What went wrong, from the names of errors on the bus: for people in words, for scripts as an exit status.
 *
 * Not here: failures of jobs that were accepted (jobs.c). Invariant: exit statuses are systemctl's.
 */
#include "personality.h"
#include "supctl-bus.h"

#include <stdio.h>

#define SYSTEMD_ERROR "org.freedesktop.systemd1."

int error_exit_code(const sd_bus_error *e)
{
        static const struct {
                const char *name;
                int code;
        } codes[] = {
                {SYSTEMD_ERROR "NoSuchUnit", 5},
                {"org.freedesktop.DBus.Error.AccessDenied", 4},
                {SYSTEMD_ERROR "OnlyByDependency", 4},
                {SYSTEMD_ERROR "NoIsolation", 4},
                {SYSTEMD_ERROR "TransactionIsDestructive", 4},
                {SYSTEMD_ERROR "JobTypeNotApplicable", 3},
                {"org.freedesktop.DBus.Error.NotSupported", 3},
                {SYSTEMD_ERROR "LoadFailed", 6},
        };

        for (size_t i = 0; e->name && i < ARRAY_SIZE(codes); i++)
                if (streq(codes[i].name, e->name))
                        return codes[i].code;
        return 1;
}

/* Errors that say everything need no advice. */
static bool error_wants_hint(const sd_bus_error *e, bool systemctl)
{
        static const char *const complete[] = {
                SYSTEMD_ERROR "NoSuchUnit", SYSTEMD_ERROR "UnitMasked", SYSTEMD_ERROR "JobTypeNotApplicable",
                "org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InvalidArgs"};

        /* systemctl has it for the last two as well */
        for (size_t i = 0; e->name && i < ARRAY_SIZE(complete) - (systemctl ? 2 : 0); i++)
                if (streq(complete[i], e->name))
                        return false;
        return e->name != NULL;
}

int failed_to(const struct control *c, const char *what, const char *unit, int r, const sd_bus_error *e)
{
        const char *text = e && e->message ? e->message : strerror(-r);

        if (error_is_disconnect(r, e))
                text = "the connection to supd was lost before it answered; see 'supctl status' whether it was done";
        (void)fprintf(stderr, "Failed to %s %s: %s\n", say_verb(c->options->systemctl, what), unit, text);
        return e ? error_exit_code(e) : 1;
}

void failed_hint(const struct control *c, const char *unit, int r, const sd_bus_error *e)
{
        bool systemctl = c->options->systemctl;

        if (!c->options->quiet && error_wants_hint(e, systemctl) && !error_is_disconnect(r, e))
                say_hint(systemctl, unit);
}
