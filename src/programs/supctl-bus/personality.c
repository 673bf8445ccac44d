/* SPDX-License-Identifier: MIT
 *
 * What supctl-bus says, in the words of supctl or, called as systemctl, in those that people and scripts know from
 * there.
 *
 * Not here: when it is said. Invariant: both have a text for everything, and exit codes are the same.
 */
#include "personality.h"

#include <stdio.h>

bool called_as_systemctl(const char *argv0)
{
        const char *slash = argv0 ? strrchr(argv0, '/') : NULL;

        return argv0 && streq(slash ? slash + 1 : argv0, "systemctl");
}

/* '%' stands for the unit. */
static void say(const char *text, const char *unit)
{
        for (; *text; text++)
                if (*text == '%')
                        (void)fputs(unit, stderr);
                else
                        (void)fputc(*text, stderr);
}

struct said {
        const char *word, *ours, *theirs;
};

static const char *said_find(const struct said *v, size_t n, const char *word, bool systemctl)
{
        for (size_t i = 0; i < n; i++)
                if (streq(v[i].word, word))
                        return systemctl ? v[i].theirs : v[i].ours;
        return NULL;
}

static const struct said outcomes[] = {
        /* of jobs */
        {"canceled", "Job for % canceled.\n", "Job for % canceled.\n"},
        {"timeout", "Job for % timed out.\n", "Job for % timed out.\n"},
        {"dependency", "A dependency job for % failed. See 'supctl status %' for details.\n",
         "A dependency job for % failed. See 'journalctl -xe' for details.\n"},
        {"invalid", "% is not active, cannot reload.\n", "% is not active, cannot reload.\n"},
        {"assert", "An assertion of % does not hold.\n", "Assertion failed on job for %.\n"},
        {"unsupported", "% is of a type that is not supported here.\n",
         "Operation on or unit type of % not supported on this system.\n"},
        {"collected", "The queued job for % was dropped: the unit was not needed any more.\n",
         "Queued job for % was garbage collected.\n"},
        {"once", "% was started once already and cannot be started again.\n",
         "Unit % was started already once and can't be started again.\n"},
        {"lost", "The job for % is not known any more; see 'supctl status %' for what became of it.\n",
         "The job for % is not known any more; see 'systemctl status %' for what became of it.\n"},
};

static const struct said reasons[] = {
        /* of a unit that failed: its result */
        {"resources", "something it needs could not be had", "of unavailable resources or another system error"},
        {"protocol", "it did not behave as its Type= demands",
         "the service did not take the steps required by its unit configuration"},
        {"timeout", "a time limit was exceeded", "a timeout was exceeded"},
        {"exit-code", "a process of it exited with an error code", "the control process exited with error code"},
        {"signal", "a process of it was killed by a signal", "a fatal signal was delivered to the control process"},
        {"core-dump", "a process of it was killed by a signal and dumped core",
         "a fatal signal was delivered causing the control process to dump core"},
        {"watchdog", "it did not send its watchdog message in time", "the service failed to send watchdog ping"},
        {"start-limit-hit", "it was started too often; wait, or run 'supctl reset-failed'",
         "start of the service was attempted too often"},
        {"start-limit", "it was started too often; wait, or run 'supctl reset-failed'",
         "start of the service was attempted too often"},
        {"oom-kill", "the kernel ran out of memory and killed it", "the kernel ran out of memory and killed it"},
};

bool say_outcome(bool systemctl, const char *result, const char *unit)
{
        const char *text = said_find(outcomes, ARRAY_SIZE(outcomes), result, systemctl);

        if (text)
                say(text, unit);
        return text != NULL;
}

void say_failed(bool systemctl, const char *result, const char *unit)
{
        const char *text = result ? said_find(reasons, ARRAY_SIZE(reasons), result, systemctl) : NULL;

        (void)fprintf(stderr, "Job for %s failed%s%s.\n", unit, text ? " because " : "", text ? text : "");
        say(systemctl ? "See \"systemctl status %\" and \"journalctl -xeu %\" for details.\n"
                      : "See 'supctl status %' and 'supctl logs %' for details.\n",
            unit);
        if (systemctl && result && starts_with(result, "start-limit"))
                say("To force a start use \"systemctl reset-failed %\"\nfollowed by \"systemctl start %\" again.\n",
                    unit);
}

const char *say_verb(bool systemctl, const char *verb)
{
        static const struct said verbs[] = {
                {"isolate", "isolate", "start"},
                {"default", "isolate", "start"},
                {"rescue", "isolate", "start"},
                {"emergency", "isolate", "start"},
                {"kill", "kill", "kill unit"},
                {"cancel", "cancel job", "cancel job"},
                {"freeze", "freeze", "freeze unit"},
                {"clean", "clean", "clean unit"},
                {"thaw", "thaw", "thaw unit"},
                {"condrestart", "try-restart", "try-restart"},
                {"force-reload", "try-reload-or-restart", "try-reload-or-restart"},
                {"reset failed state of", "reset failed state of", "reset failed state of unit"},
        };
        const char *text = said_find(verbs, ARRAY_SIZE(verbs), verb, systemctl);

        return text ? text : verb;
}

void say_hint(bool systemctl, const char *unit)
{
        say(systemctl ? "See system logs and 'systemctl status %' for details.\n"
                      : "See 'supctl status %' and 'supctl logs %' for details.\n",
            unit);
}
