/* SPDX-License-Identifier: MIT
 *
 * Names of units as people type them: completed by a suffix, and patterns by what is loaded.
 *
 * Not here: what is done with them. Invariant: a list has full names only, in the order in which they were asked for.
 */
#include "supctl-bus.h"

#include <stdio.h>

bool unit_has_suffix(const char *name)
{
        static const char *const suffixes[] = {".service", ".target", ".socket", ".timer", ".path",     ".mount",
                                               ".slice",   ".device", ".swap",   ".scope", ".automount"};

        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
                if (ends_with(name, suffixes[i]))
                        return true;
        return false;
}

void names_done(struct names *l)
{
        for (unsigned i = 0; i < l->n; i++)
                free(l->v[i]);
        free(l->v);
}

static int names_add(struct names *l, const char *name, const char *suffix)
{
        char **more = reallocarray(l->v, l->n + 1, sizeof *more);

        if (!more)
                return -ENOMEM;
        l->v = more;
        if (asprintf(&l->v[l->n], "%s%s", name, suffix) < 0)
                return -ENOMEM;
        l->n++;
        return 0;
}

/* Units that are loaded and match. Nothing that matches is no mistake: the pattern did what it says. What answers us is
 * not meant by a pattern: to stop it takes its name. */
static int names_add_matches(struct control *c, struct names *l, const char *pattern)
{
        const char *id, *s[6], *job_type;
        sd_bus_message *reply = NULL;
        sd_bus_error e = SD_BUS_ERROR_NULL;
        uint32_t job;
        int r = control_call(c, MANAGER_IF, "ListUnitsByPatterns", true, &e, &reply, "asas", 0, 1, pattern);

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(ssssssouso)", &id, &s[0], &s[1], &s[2], &s[3], &s[4], &s[5],
                                                  &job, &job_type, &s[0])) > 0)
                if (!streq(id, "supd-bus.service"))
                        r = names_add(l, id, "");
        if (r < 0)
                (void)failed_to(c, "list units for", pattern, r, &e);
        sd_bus_error_free(&e);
        sd_bus_message_unref(reply);
        return r;
}

int names_of(struct control *c, char **args, int n, const char *suffix, struct names *ret)
{
        int r = 0;

        for (int i = 0; i < n && r >= 0; i++)
                if (strpbrk(args[i], "*?["))
                        r = names_add_matches(c, ret, args[i]);
                else
                        r = names_add(ret, args[i], unit_has_suffix(args[i]) ? "" : suffix);
        return r;
}
