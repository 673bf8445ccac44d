/* SPDX-License-Identifier: MIT
 *
 * history: the last activations of units: when, for how long, who asked, how they ended and why. Not here: changes as
 * they come (events.c). Invariant: from the table and the record beside it alone; the activation that goes on is the
 * row's, those that are over are the record's.
 */
#include "programs/supctl/supctl.h"

static struct json output;
static struct supstatus_changes *record;
static unsigned n_sheets;

struct activation {                        /* either kind */
        const struct supd_past *past;      /* NULL: it goes on */
        const struct supd_status_row *row; /* of the unit */
};

/* The unit's name of a cause, copied; NULL: none. */
static char *unit_of(struct view *v, unsigned cause, uint32_t by)
{
        const char *name = cause_has_unit(cause) ? view_unit_at(v, by) : NULL;

        return name ? strdup(name) : NULL;
}

static const char *ran(const struct activation *a, char ret[64])
{
        uint64_t us, now = now_mono_us();

        if (a->past)
                us = a->past->span_us;
        else
                us = now > a->row->begin_mono_us ? now - a->row->begin_mono_us : 0;
        if (us >= 10 * USEC_PER_SEC)
                us = us / USEC_PER_SEC * USEC_PER_SEC;
        return format_span_ms(us, ret);
}

/* Where every column counts: no year, and the end in a word. What matters stays: when, which process, how long, why. */
static bool is_narrow(const struct view *v)
{
        return v->width > 0 && !v->options->full && v->width < 110;
}

/* "killed, signal=KILL", or "signal=KILL" */
static const char *ended_text(const struct supd_past *p, bool narrow, char ret[64])
{
        const char *text = format_exit(p->exit_code, p->exit_status, ret);

        if (narrow && (starts_with(text, "exited, ") || starts_with(text, "killed, ")))
                text += strlen("exited, ");
        return text;
}

static void how_it_ended(const struct activation *a, bool narrow, char ret[160])
{
        const struct supd_past *p = a->past;
        const struct supd_status_row *row = a->row;
        char exit[64];

        if (!p && narrow)
                (void)snprintf(ret, 160, "%s", supstatus_sub_name(row->sub_state));
        else if (!p)
                (void)snprintf(ret, 160, "%s (%s)", supstatus_active_name(row->active_state),
                               supstatus_sub_name(row->sub_state));
        else if (p->exit_code)
                (void)snprintf(ret, 160, "%s", ended_text(p, narrow, exit));
        else
                (void)snprintf(ret, 160, "%s",
                               p->result != SUPD_RESULT_SUCCESS ? supstatus_result_name(p->result)
                               : p->main_pid                    ? "status not known"
                                                                : "");
}

static void add_line(struct view *v, struct columns *c, const struct activation *a)
{
        const struct supd_past *p = a->past;
        unsigned start = p ? p->start_cause : a->row->start_cause, stop = p ? p->stop_cause : 0;
        cleanup_free_ char *start_unit = unit_of(v, start, p ? p->start_by : a->row->start_by);
        cleanup_free_ char *stop_unit = unit_of(v, stop, p ? p->stop_by : 0);
        char when[64], span[64], pid[16] = "", how[160], why[400] = "", asked[400];
        uint32_t main = p ? p->main_pid : a->row->main_pid;
        bool bad = p && p->result != SUPD_RESULT_SUCCESS;
        const char *day = format_day(p ? p->begin_real_us : a->row->begin_real_us, when);

        how_it_ended(a, is_narrow(v), how);
        if (main)
                (void)snprintf(pid, sizeof(pid), "%u", (unsigned)main);
        if (p)
                (void)cause_text(stop, p->stop_by, p->stop_by_pid, stop_unit, why);
        if (p && p->restarts)
                (void)snprintf(why + strlen(why), sizeof(why) - strlen(why), "; restarted");
        (void)columns_add(
                c,
                v->colour ? (bad  ? "\033[0;31m"
                             : !p ? "\033[0;32m"
                                  : "")
                          : "",
                (const char *const[]){is_narrow(v) && *day ? day + strlen("2026-") : day,
                                      cause_text(start, p ? p->start_by : a->row->start_by,
                                                 p ? p->start_by_pid : a->row->start_by_pid, start_unit, asked),
                                      pid, ran(a, span), how, why});
}

static void print_head(struct view *v, const char *name, const char *description)
{
        unsigned width =
                v->width == 0 || v->options->full ? UINT32_MAX : v->width - MIN2(v->width, text_width(name) + 3);
        cleanup_free_ char *cut = text_cut(description, width);

        (void)printf("%s%s%s%s%s\n", v->colour ? "\033[0;1m" : "", name, v->colour ? "\033[0m" : "",
                     *description ? " - " : "", cut ? cut : "");
}

static void history_print(struct view *v, uint32_t i, const struct activation *a, unsigned n)
{
        struct columns c = {.n_columns = 6, .right = 1u << 2, .shrink = 1u << 1 | 1u << 5};
        const char *description = supstatus_text(v->snapshot, i, SUPD_TEXT_DESCRIPTION);
        uint64_t total = a[0].row->past_end + (a[0].row->begin_mono_us > 0);

        if (n_sheets++ > 0)
                (void)putchar('\n');
        print_head(v, supstatus_text(v->snapshot, i, SUPD_TEXT_NAME), description);
        (void)columns_add(&c, "",
                          (const char *const[]){"STARTED", "BECAUSE", "PID", "RAN FOR",
                                                is_narrow(v) ? "ENDED" : "HOW IT ENDED", "BECAUSE"});
        for (unsigned k = 0; k < n; k++)
                add_line(v, &c, &a[k]);
        columns_print(&c, 2, v->options->full ? 0 : v->width, v->colour ? "\033[4m" : "", stdout);
        columns_done(&c);
        if (total > n)
                (void)printf("  %llu before that.\n", (unsigned long long)(total - n));
}

static void activation_json(struct view *v, const struct activation *a)
{
        const struct supd_past *p = a->past;
        unsigned start = p ? p->start_cause : a->row->start_cause, stop = p ? p->stop_cause : 0;
        cleanup_free_ char *start_unit = unit_of(v, start, p ? p->start_by : a->row->start_by);
        cleanup_free_ char *stop_unit = unit_of(v, stop, p ? p->stop_by : 0);
        uint64_t now = now_mono_us();
        char how[64];

        json_open(&output, NULL, '{');
        json_u64(&output, "number", p ? p->number : a->row->past_end);
        json_bool(&output, "over", p != NULL);
        json_u64(&output, "begin_real_us", p ? p->begin_real_us : a->row->begin_real_us);
        if (p ? p->up_real_us > 0 : a->row->active_enter_mono_us >= a->row->begin_mono_us)
                json_u64(&output, "up_real_us", p ? p->up_real_us : a->row->active_enter_real_us);
        json_u64(&output, "span_us", p ? p->span_us : now - MIN2(now, a->row->begin_mono_us));
        json_u64(&output, "main_pid", p ? p->main_pid : a->row->main_pid);
        cause_json(&output, "started", start, p ? p->start_by : a->row->start_by,
                   p ? p->start_by_pid : a->row->start_by_pid, start_unit);
        if (p) {
                json_u64(&output, "end_real_us", p->end_real_us);
                json_string(&output, "result", supstatus_result_name(p->result));
                if (p->exit_code) {
                        json_string(&output, "exit_code", exit_code_word(p->exit_code));
                        json_i64(&output, "exit_status", p->exit_status);
                        json_string(&output, "exit", format_exit(p->exit_code, p->exit_status, how));
                }
                cause_json(&output, "ended", stop, p->stop_by, p->stop_by_pid, stop_unit);
                json_bool(&output, "restarted", p->restarts);
        }
        json_close(&output, '}');
}

static void history_json(struct view *v, const char *name, const struct activation *a, unsigned n)
{
        json_open(&output, NULL, '{');
        json_string(&output, "unit", name);
        json_u64(&output, "ended", a[0].row->past_end);
        json_open(&output, "activations", '[');
        for (unsigned i = 0; i < n; i++)
                activation_json(v, &a[i]);
        json_close(&output, ']');
        json_close(&output, '}');
}

static int history_each(struct view *v, const char *name, bool found, uint32_t i)
{
        struct supd_past past[SUPD_CHANGES_N_PAST];
        struct activation all[SUPD_CHANGES_N_PAST + 1];
        const struct supd_status_row *row = found ? supstatus_row(v->snapshot, i) : NULL;
        unsigned n = 0, most = v->options->lines_given ? v->options->lines : SUPD_CHANGES_N_PAST + 1;
        int ended;

        if (!row || (row->load_state == SUPD_LOAD_NOT_FOUND && row->past_end == 0)) {
                if (!row && unit_has_file(v->options, name)) {
                        if (!v->options->json)
                                (void)printf("%s has not been started since supd began.\n", name);
                        return EXIT_OK;
                }
                fprintf(stderr, "Unit %s could not be found.\n", name);
                return EXIT_UNKNOWN;
        }
        ended = supstatus_past(record, row, past);
        for (int k = 0; k < ended; k++)
                all[n++] = (struct activation){&past[k], row};
        if (row->begin_mono_us > 0)
                all[n++] = (struct activation){NULL, row};
        if (n == 0 && !v->options->json && v->n_matching == 0)
                (void)printf("%s has not been started since supd began.\n", name);
        if (n == 0 && (!v->options->json || v->n_matching > 0))
                return EXIT_OK;
        if (n == 0)
                all[0].row = row;
        most = MIN2(most, n);
        if (v->options->json)
                history_json(v, name, n > 0 ? all + n - most : all, most);
        else
                history_print(v, i, all + n - most, most);
        return EXIT_OK;
}

int verb_history(struct view *v, const char *const *words, unsigned n)
{
        int r;

        if (changes_open(v, &record) < 0)
                return EXIT_ERROR;
        output = (struct json){.form = v->options->json};
        json_open(&output, NULL, '[');
        r = view_each(v, words, n, history_each);
        json_close(&output, ']');
        if (v->options->json)
                json_print(&output);
        buf_done(&output.text);
        supstatus_changes_close(record);
        (void)fflush(stdout);
        (void)view_warn(v, stderr);
        return r;
}
