/* SPDX-License-Identifier: MIT
 *
 * why: why a unit is in the state it is in: who started or stopped it, how it ended, what it waits for, what stands in
 * its way, and which command would help. Not here: what it is doing (status). Invariant: each line is a fact of the
 * table, of the record of changes or of the manager's answer; what cannot be known is left out.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/report.h"
#include "supctl-bus.h"

struct why {
        struct control *c;
        const struct units *units;
        const struct supd_status_row *row;
        const char *name, *short_name;
        struct columns lines; /* label, text */
        struct json *json;    /* NULL: for people */
        char help[400];       /* the command that would help */
};

static void say(struct why *w, const char *key, const char *label, const char *format, ...) printf_like_(4, 5);
static void say(struct why *w, const char *key, const char *label, const char *format, ...)
{
        char text[1024];
        va_list ap;

        va_start(ap, format);
        (void)vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        if (!w->json) {
                (void)columns_add(&w->lines, "", (const char *const[]){label, text});
                return;
        }
        json_open(w->json, NULL, '{');
        json_string(w->json, "about", key);
        json_string(w->json, "text", text);
        json_close(w->json, '}');
}

static void help(struct why *w, const char *format, ...) printf_like_(2, 3);
static void help(struct why *w, const char *format, ...)
{
        va_list ap;

        if (*w->help)
                return; /* the first is the one that counts */
        va_start(ap, format);
        (void)vsnprintf(w->help, sizeof(w->help), format, ap);
        va_end(ap);
}

static const char *cause(const struct why *w, unsigned what, uint32_t by, uint32_t pid, char ret[400])
{
        return cause_text(what, by, pid, cause_has_unit(what) ? units_name_at(w->units, by) : NULL, ret);
}

static const char *ago(uint64_t real_us, char ret[64])
{
        uint64_t now = now_real_us();

        return format_ago(now > real_us ? now - real_us : 0, ret);
}

static bool is_down(const struct supd_status_row *row)
{
        return row->active_state == SUPD_ACTIVE_INACTIVE || row->active_state == SUPD_ACTIVE_FAILED;
}

/* ---- its files ---- */

static void why_load(struct why *w)
{
        uint32_t i = 0;
        const char *error;

        (void)units_find(w->units, w->name, &i);
        error = supstatus_text(w->units->snapshot, i, SUPD_TEXT_LOAD_ERROR);
        if (w->row->load_state == SUPD_LOAD_LOADED)
                return;
        say(w, "load", "Loaded", "%s%s%s", supstatus_load_name(w->row->load_state), *error ? ": " : "", error);
        if (w->row->load_state == SUPD_LOAD_MASKED)
                help(w, "supctl unmask %s", w->short_name);
        else if (w->row->load_state != SUPD_LOAD_NOT_FOUND)
                help(w, "supctl verify %s", w->short_name);
}

/* ---- how it came here ---- */

static const struct supd_past *last_past(const struct why *w, struct supd_past past[SUPD_CHANGES_N_PAST])
{
        struct supstatus_changes *changes;
        int n;

        if (supstatus_changes_open(w->units->instance, &changes) < 0)
                return NULL;
        n = supstatus_past(changes, w->row, past);
        supstatus_changes_close(changes);
        return n > 0 ? &past[n - 1] : NULL;
}

static void why_started(struct why *w)
{
        const struct supd_status_row *row = w->row;
        char text[400], when[64], span[64];

        if (row->begin_real_us == 0)
                return;
        say(w, "started", "Started", "%s; %s", ago(row->begin_real_us, when),
            cause(w, row->start_cause, row->start_by, row->start_by_pid, text));
        if (row->active_state == SUPD_ACTIVE_DEACTIVATING && row->stop_cause)
                say(w, "stopping", "Stopped", "%s", cause(w, row->stop_cause, row->stop_by, row->stop_by_pid, text));
        if (row->timeout_mono_us > now_mono_us())
                say(w, "timeout", "Bound", "%s (%s) ends in %s at the latest", supstatus_active_name(row->active_state),
                    supstatus_sub_name(row->sub_state), format_span_ms(row->timeout_mono_us - now_mono_us(), span));
}

static void why_ended(struct why *w)
{
        struct supd_past past[SUPD_CHANGES_N_PAST];
        const struct supd_past *p = last_past(w, past);
        char text[400], when[64], how[64], span[64];

        if (!p)
                return;
        say(w, "ended", w->row->begin_real_us ? "Before" : "Ended", "%s, after %s%s%s%s%s%s: %s",
            ago(p->end_real_us, when), format_span_ms(p->span_us, span), p->exit_code ? "; " : "",
            p->exit_code ? format_exit(p->exit_code, p->exit_status, how) : "",
            p->result != SUPD_RESULT_SUCCESS ? " (result " : "",
            p->result != SUPD_RESULT_SUCCESS ? supstatus_result_name(p->result) : "",
            p->result != SUPD_RESULT_SUCCESS ? ")" : "", cause(w, p->stop_cause, p->stop_by, p->stop_by_pid, text));
        if (p->result != SUPD_RESULT_SUCCESS && w->row->active_state == SUPD_ACTIVE_FAILED && p->up_real_us == 0)
                say(w, "never-up", "", "it never came up");
}

/* ---- what stands in its way ---- */

static void why_limit(struct why *w)
{
        const struct supd_status_row *row = w->row;
        char span[64];

        if (row->flags & SUPD_ROW_FROZEN)
                say(w, "frozen", "Frozen", "three managers died on it: it is left alone");
        if (row->flags & SUPD_ROW_START_LIMIT_HIT)
                say(w, "start-limit", "Limit",
                    "it was started too often (StartLimitBurst= within StartLimitIntervalSec=)");
        if (row->flags & (SUPD_ROW_FROZEN | SUPD_ROW_START_LIMIT_HIT))
                help(w, "supctl reset-failed %s && supctl start %s", w->short_name, w->short_name);
        if (row->next_restart_mono_us) {
                uint64_t now = now_mono_us(),
                         left = row->next_restart_mono_us > now ? row->next_restart_mono_us - now : 0;
                char when[64];

                say(w, "restart", "Restart", "in %s, at %s (Restart=%s)", format_span_ms(left, span),
                    format_real(now_real_us() + left, when), supstatus_restart_name(row->restart));
                help(w, "supctl start %s", w->short_name);
        } else if (is_down(row) && row->past_end > 0 && row->restart > SUPD_RESTART_NO && !row->stop_cause)
                say(w, "restart", "Restart", "Restart=%s does not restart it after such an end",
                    supstatus_restart_name(row->restart));
}

static int read_conditions(struct why *w, const char *property)
{
        cleanup_free_ char *path = NULL;
        sd_bus_message *reply = NULL;
        const char *type, *parameter;
        int trigger, negate, state, r = sd_bus_path_encode(BUS_ROOT "/unit", w->name, &path);

        if (r >= 0)
                r = sd_bus_get_property(w->c->bus, BUS_NAME, path, BUS_NAME ".Unit", property, NULL, &reply,
                                        "a(sbbsi)");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sbbsi)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(sbbsi)", &type, &trigger, &negate, &parameter, &state)) > 0)
                if (state < 0)
                        say(w, "condition", streq(property, "Asserts") ? "Assert" : "Condition",
                            "%s=%s%s%s did not hold", type, trigger ? "|" : "", negate ? "!" : "", parameter);
        sd_bus_message_unref(reply);
        return r;
}

static void why_conditions(struct why *w)
{
        if (!is_down(w->row) || !w->c->bus)
                return;
        if (!(w->row->flags & SUPD_ROW_CONDITION_RESULT))
                (void)read_conditions(w, "Conditions");
        if (!(w->row->flags & SUPD_ROW_ASSERT_RESULT))
                (void)read_conditions(w, "Asserts");
}

static void why_dependencies(struct why *w)
{
        static const char *const needs[] = {"Requires", "Requisite", "BindsTo", NULL};
        static const char *const wanted[] = {"RequiredBy", "RequisiteOf", "BoundBy", "WantedBy", "UpheldBy", NULL};
        struct units_names list = {0};
        cleanup_buf_ struct buf by = {0};

        if (!w->c->bus)
                return;
        if (is_down(w->row) && units_names_of(w->c, w->name, needs, &list) >= 0)
                for (unsigned i = 0; i < list.n; i++) {
                        const struct supd_status_row *row = units_row(w->units, list.v[i].name);

                        if (row && row->active_state != SUPD_ACTIVE_FAILED && row->load_state == SUPD_LOAD_LOADED)
                                continue;
                        say(w, "dependency", "Needs", "%s (%s=), which %s", list.v[i].name, needs[list.v[i].which],
                            row && row->load_state == SUPD_LOAD_LOADED ? "has failed" : "is not there");
                        help(w, "supctl why %s", list.v[i].name);
                }
        units_names_done(&list);
        if (units_names_of(w->c, w->name, wanted, &list) >= 0)
                for (unsigned i = 0; i < list.n; i++) {
                        const struct supd_status_row *row = units_row(w->units, list.v[i].name);

                        if (row && !is_down(row))
                                (void)buf_printf(&by, "%s%s", by.size > 0 ? ", " : "", list.v[i].name);
                }
        if (by.size > 0)
                say(w, "wanted-by", "Wanted", "by %s", buf_str(&by));
        units_names_done(&list);
}

/* ---- its job ---- */

static void why_waits(struct why *w)
{
        const char *unit, *type, *state, *job_path, *path;
        sd_bus_message *reply = NULL;
        uint32_t id;
        int r;

        if (!w->c->bus || (w->row->flags & SUPD_ROW_JOB_RUNNING))
                return;
        r = control_call(w->c, MANAGER_IF, "GetJobBefore", true, NULL, &reply, "u", w->row->job_id);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(usssoo)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(usssoo)", &id, &unit, &type, &state, &job_path, &path)) > 0)
                say(w, "waits-for", "Waits", "for the %s job of %s (%s)", type, unit, state);
        sd_bus_message_unref(reply);
}

static void why_job(struct why *w)
{
        char text[400];

        if (w->row->job_id == 0)
                return;
        say(w, "job", "Job", "%s, %s (%u); %s", supstatus_job_name(w->row->job_type),
            w->row->flags & SUPD_ROW_JOB_RUNNING ? "running" : "waiting", (unsigned)w->row->job_id,
            cause(w, w->row->job_cause, w->row->job_by, w->row->job_by_pid, text));
        why_waits(w);
        help(w, "supctl cancel %u", (unsigned)w->row->job_id);
}

/* ---- the whole ---- */

static void why_never(struct why *w)
{
        if (is_down(w->row) && w->row->past_end == 0 && w->row->job_id == 0 && w->row->load_state == SUPD_LOAD_LOADED &&
            (w->row->flags & SUPD_ROW_CONDITION_RESULT))
                say(w, "never", "Started", "not since supd began");
        if (w->row->active_state == SUPD_ACTIVE_FAILED)
                help(w, "supctl status %s; supctl start %s", w->short_name, w->short_name);
        else if (is_down(w->row) && w->row->load_state == SUPD_LOAD_LOADED &&
                 (w->row->flags & SUPD_ROW_CONDITION_RESULT))
                help(w, "supctl start %s", w->short_name);
}

static void print_head(const struct why *w, const struct screen *s)
{
        const struct supd_status_row *row = w->row;
        const char *colour = !s->colour                                ? ""
                             : row->active_state == SUPD_ACTIVE_FAILED ? "\033[0;1;31m"
                             : is_down(row)                            ? "\033[0;1m"
                                                                       : "\033[0;1;32m";
        char ago_text[64];

        (void)printf("%s%s%s is %s%s%s", *colour ? "\033[0;1m" : "", w->name, *colour ? "\033[0m" : "", colour,
                     supstatus_active_name(row->active_state), *colour ? "\033[0m" : "");
        if (!streq(supstatus_active_name(row->active_state), supstatus_sub_name(row->sub_state)))
                (void)printf(" (%s)", supstatus_sub_name(row->sub_state));
        if (row->result != SUPD_RESULT_SUCCESS)
                (void)printf(", result %s", supstatus_result_name(row->result));
        if (row->state_change_real_us)
                (void)printf(", since %s", ago(row->state_change_real_us, ago_text));
        (void)putchar('\n');
}

static void gather(struct why *w)
{
        why_load(w);
        why_job(w);
        why_conditions(w);
        why_limit(w);
        why_started(w);
        why_ended(w);
        why_dependencies(w);
        why_never(w);
}

static void why_json(struct why *w)
{
        json_open(w->json, NULL, '{');
        json_string(w->json, "unit", w->name);
        json_string(w->json, "active", supstatus_active_name(w->row->active_state));
        json_string(w->json, "sub", supstatus_sub_name(w->row->sub_state));
        json_string(w->json, "result", supstatus_result_name(w->row->result));
        json_open(w->json, "reasons", '[');
        gather(w);
        json_close(w->json, ']');
        json_string(w->json, "help", w->help);
        json_close(w->json, '}');
}

static int why_one(struct control *c, const struct units *units, const char *name, struct json *json)
{
        struct why w = {.c = c, .units = units, .row = units_row(units, name), .name = name, .json = json};
        struct screen s = screen_look();
        cleanup_free_ char *cut = ends_with(name, ".service") ? strndup(name, strlen(name) - strlen(".service")) : NULL;

        w.short_name = cut ? cut : name;
        if (!w.row) {
                (void)fprintf(stderr, "Unit %s is not loaded: nobody has asked for it; supctl start %s\n", name,
                              w.short_name);
                return 4;
        }
        if (json) {
                why_json(&w);
                return 0;
        }
        w.lines = (struct columns){.n_columns = 2, .right = 1u << 0, .shrink = 1u << 1};
        gather(&w);
        if (*w.help)
                (void)columns_add(&w.lines, "", (const char *const[]){"Try", w.help});
        print_head(&w, &s);
        columns_print(&w.lines, 2, c->options->full ? 0 : s.width, "", stdout);
        columns_done(&w.lines);
        return 0;
}

int run_why(struct control *c, const struct verb *v unused_, char **args, int n)
{
        struct json j = {.form = c->options->json};
        struct units units = {0};
        struct names names = {0};
        int code = 0;

        if (names_of(c, args, n, ".service", &names) < 0)
                code = 1;
        for (unsigned i = 0; i < names.n; i++) { /* what nobody asked for yet is read now, as by show */
                char *loaded = NULL;

                (void)unit_property(c, names.v[i], BUS_NAME ".Unit", "LoadState", &loaded);
                free(loaded);
        }
        if (units_open(&units, c->options) < 0)
                code = 1;
        if (c->options->json)
                json_open(&j, NULL, '[');
        for (unsigned i = 0; i < names.n && units.snapshot; i++) {
                int k;

                if (i > 0 && !c->options->json)
                        (void)putchar('\n');
                k = why_one(c, &units, names.v[i], c->options->json ? &j : NULL);
                code = code ? code : k;
        }
        if (c->options->json) {
                json_close(&j, ']');
                json_print(&j);
        }
        buf_done(&j.text);
        names_done(&names);
        units_done(&units);
        return code;
}
