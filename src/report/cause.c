/* SPDX-License-Identifier: MIT
 *
 * Causes in words. Not here: finding them. Invariant: every number has words, newer ones "not known".
 */
#include "report/report.h"

static const struct {
        const char *text; /* %s: the unit that it is about */
        bool unit;
} causes[] = {
        [SUPD_CAUSE_UNKNOWN] = {"not known", false},
        [SUPD_CAUSE_CLIENT] = {"asked", false},
        [SUPD_CAUSE_DEPENDENCY] = {"with %s", true},
        [SUPD_CAUSE_RESTART] = {"Restart=", false},
        [SUPD_CAUSE_BOOT] = {"supd began", false},
        [SUPD_CAUSE_EXIT] = {"by itself", false},
        [SUPD_CAUSE_TIMEOUT] = {"took too long", false},
        [SUPD_CAUSE_WATCHDOG] = {"watchdog", false},
        [SUPD_CAUSE_SHUTDOWN] = {"supd ends", false},
        [SUPD_CAUSE_DIED] = {"%s went away", true},
        [SUPD_CAUSE_ON_FAILURE] = {"OnFailure= of %s", true},
        [SUPD_CAUSE_ON_SUCCESS] = {"OnSuccess= of %s", true},
        [SUPD_CAUSE_UPHOLDS] = {"upheld by %s", true},
        [SUPD_CAUSE_NOT_NEEDED] = {"%s needs it no more", true},
        [SUPD_CAUSE_SOCKET] = {"a connection came", false},
};

bool cause_has_unit(unsigned cause)
{
        return cause < ARRAY_SIZE(causes) && causes[cause].unit;
}

static void client_text(uint32_t uid, uint32_t pid, char ret[400])
{
        char who[32] = "", process[32] = "";

        if (uid == 0)
                (void)snprintf(who, sizeof(who), " by root");
        else if (uid != SUPD_ID_NONE)
                (void)snprintf(who, sizeof(who), " by uid %u", (unsigned)uid);
        if (pid != 0)
                (void)snprintf(process, sizeof(process), "%s(pid %u)", *who ? " " : " by ", (unsigned)pid);
        (void)snprintf(ret, 400, "asked%s%s", who, process);
}

const char *cause_text(unsigned cause, uint32_t by, uint32_t by_pid, const char *unit, char ret[400])
{
        const char *text = cause < ARRAY_SIZE(causes) ? causes[cause].text : causes[0].text, *hole = strstr(text, "%s");

        if (cause == SUPD_CAUSE_CLIENT)
                client_text(by, by_pid, ret);
        else if (hole)
                (void)snprintf(ret, 400, "%.*s%s%s", (int)(hole - text), text, unit ? unit : "another unit", hole + 2);
        else
                (void)snprintf(ret, 400, "%s", text);
        return ret;
}

void cause_json(struct json *j, const char *key, unsigned cause, uint32_t by, uint32_t by_pid, const char *unit)
{
        const char *word = supstatus_cause_name(cause);

        json_open(j, key, '{');
        json_string(j, "cause", *word ? word : "unknown");
        if (cause == SUPD_CAUSE_CLIENT && by != SUPD_ID_NONE)
                json_u64(j, "uid", by);
        if (cause == SUPD_CAUSE_CLIENT && by_pid != 0)
                json_u64(j, "pid", by_pid);
        if (cause_has_unit(cause) && unit)
                json_string(j, "unit", unit);
        json_close(j, '}');
}
