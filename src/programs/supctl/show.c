/* SPDX-License-Identifier: MIT
 *
 * The verbs for programs: show, is-active, is-failed, is-system-running. Not here: what a property is (properties.c).
 * Invariant: standard output holds what systemctl would print and nothing else; warnings go to standard error.
 */
#include "programs/supctl/supctl.h"

/* A unit that is not in the table, as systemd answers for one that does not exist: one row of a snapshot made by hand
 * is not to be had, so the few lines are spelled out. */
static const struct {
        const char *name, *value; /* NULL: the unit's name */
        bool number, flag, service;
} absent[] = {
        {"Type", "simple", .service = true},
        {"Restart", "no", .service = true},
        {"MainPID", "0", .number = true, .service = true},
        {"ControlPID", "0", .number = true, .service = true},
        {"Result", "success"},
        {"NRestarts", "0", .number = true, .service = true},
        {"ExecMainPID", "0", .number = true, .service = true},
        {"ExecMainCode", "0", .number = true, .service = true},
        {"ExecMainStatus", "0", .number = true, .service = true},
        {"StatusText", "", .service = true},
        {"StatusErrno", "0", .number = true, .service = true},
        {"Id", NULL},
        {"Names", NULL},
        {"Description", NULL},
        {"LoadState", "not-found"},
        {"ActiveState", "inactive"},
        {"SubState", "dead"},
        {"FragmentPath", ""},
        {"UnitFileState", ""},
        {"CanStart", "no", .flag = true},
        {"CanStop", "no", .flag = true},
        {"CanReload", "no", .flag = true},
        {"NeedDaemonReload", "no", .flag = true},
        {"ConditionResult", "no", .flag = true},
        {"AssertResult", "no", .flag = true},
        {"InvocationID", ""},
};

static struct json output; /* of the verb that is running */
static unsigned n_shown;

static bool wanted(const struct options *o, const char *name, const char *value)
{
        for (unsigned i = 0; i < o->n_properties; i++)
                if (streq(o->properties[i], name))
                        return true;
        return o->n_properties == 0 && (*value || o->all);
}

static void show_absent(struct view *v, const char *unit)
{
        const struct options *o = v->options;

        for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
                const char *value = absent[i].value ? absent[i].value : unit;

                if (!wanted(o, absent[i].name, value) || (absent[i].service && !ends_with(unit, ".service")))
                        continue;
                if (o->json && absent[i].flag)
                        json_bool(&output, absent[i].name, false);
                else if (o->json && absent[i].number)
                        json_u64(&output, absent[i].name, 0);
                else if (o->json)
                        json_string(&output, absent[i].name, value);
                else if (o->value)
                        (void)printf("%s\n", value);
                else
                        (void)printf("%s=%s\n", absent[i].name, value);
        }
}

static int show_each(struct view *v, const char *name, bool found, uint32_t i)
{
        if (v->options->json)
                json_open(&output, NULL, '{');
        else if (n_shown > 0)
                (void)putchar('\n');
        n_shown++;
        if (!found)
                show_absent(v, name);
        else if (v->options->json)
                properties_json(v, &output, i);
        else
                (void)properties_print(v, i);
        if (v->options->json)
                json_close(&output, '}');
        return 0;
}

/* What the table has is answered from it, also while the manager is busy or gone; for all the rest supd is asked. */
int verb_show(struct view *v, const char *const *words, unsigned n)
{
        int r;

        if (!properties_suffice(v->options, n == 0) && bus_can_be_asked(v->options))
                return bus_go_on(v->options);
        if (n == 0) {
                if (view_all(v) < 0)
                        return EXIT_ERROR;
                (void)view_warn(v, stderr);
                return properties_manager(v);
        }
        output = (struct json){.form = v->options->json};
        if (output.form)
                json_open(&output, NULL, '[');
        r = view_each(v, words, n, show_each);
        if (output.form) {
                json_close(&output, ']');
                json_print(&output);
        }
        (void)view_warn(v, stderr);
        return r;
}

/* ---- is-active, is-failed ---- */

static bool any_hit;
static bool (*is_hit)(uint8_t active_state);

static bool hit_active(uint8_t s)
{
        return s == SUPD_ACTIVE_ACTIVE || s == SUPD_ACTIVE_RELOADING;
}

static bool hit_failed(uint8_t s)
{
        return s == SUPD_ACTIVE_FAILED;
}

static int test_each(struct view *v, const char *name, bool found, uint32_t i)
{
        uint8_t state = found ? supstatus_row(v->snapshot, i)->active_state : SUPD_ACTIVE_INACTIVE;

        any_hit |= is_hit(state);
        if (v->options->json) {
                json_open(&output, NULL, '{');
                json_string(&output, "unit", name);
                json_string(&output, "active", supstatus_active_name(state));
                json_close(&output, '}');
        } else if (!v->options->quiet)
                (void)puts(supstatus_active_name(state));
        return 0;
}

static int test(struct view *v, const char *const *words, unsigned n, bool (*hit)(uint8_t), int otherwise)
{
        int r;

        any_hit = false;
        is_hit = hit;
        output = (struct json){.form = v->options->json};
        if (output.form)
                json_open(&output, NULL, '[');
        r = view_each(v, words, n, test_each);
        if (output.form) {
                json_close(&output, ']');
                json_print(&output);
        }
        if (!v->options->quiet)
                (void)view_warn(v, stderr);
        return r ? r : any_hit ? EXIT_OK : otherwise;
}

int verb_is_active(struct view *v, const char *const *words, unsigned n)
{
        return test(v, words, n, hit_active, EXIT_NOT_RUNNING);
}

int verb_is_failed(struct view *v, const char *const *words, unsigned n)
{
        return test(v, words, n, hit_failed, EXIT_ERROR);
}

int verb_is_system_running(struct view *v, const char *const *words unused_, unsigned n unused_)
{
        uint32_t state;

        if (view_all(v) < 0)
                return EXIT_ERROR;
        state = supstatus_header(v->snapshot)->system_state;
        if (v->options->json) {
                output = (struct json){.form = v->options->json};
                json_open(&output, NULL, '{');
                json_string(&output, "state", supstatus_system_name(state));
                json_close(&output, '}');
                json_print(&output);
        } else if (!v->options->quiet) {
                (void)puts(supstatus_system_name(state));
                (void)view_warn(v, stderr);
        }
        return state == SUPD_SYSTEM_RUNNING ? EXIT_OK : EXIT_ERROR;
}
