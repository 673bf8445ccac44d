/* SPDX-License-Identifier: MIT
 *
 * The verb that operators type: status. What a unit is doing, since when, what it uses, how it last ended, what comes
 * next, what it said last. Not here: the table's forms (properties.c). Invariant: everything but the samples and the
 * log lines is of one moment; what is not known is left out, not made up.
 */
#include "programs/supctl/supctl.h"

/* A pattern that means more units than this gets what the table says, in an instant; reading /proc and a log for each
 * of ten thousand would take a second. --full has it all the same. */
#define FULL_SHEETS 64u

struct sheet { /* of one unit */
        struct view *v;
        const struct supd_status_row *row;
        uint32_t i;
};

static struct json output;
static unsigned n_printed;
static FILE *out; /* where the sheet goes: standard output, or what is cut to the width of the terminal */

static const char *text(const struct sheet *s, uint32_t which)
{
        return supstatus_text(s->v->snapshot, s->i, which);
}

static const char *colour(const struct sheet *s)
{
        if (!s->v->colour)
                return "";
        switch (s->row->active_state) {
        case SUPD_ACTIVE_ACTIVE:
        case SUPD_ACTIVE_RELOADING:
                return "\033[0;1;32m";
        case SUPD_ACTIVE_FAILED:
                return "\033[0;1;31m";
        default:
                return "";
        }
}

static const char *plain(const struct sheet *s)
{
        return *colour(s) ? "\033[0m" : "";
}

static const char *dot(const struct sheet *s)
{
        static const char *const dots[] = {
                [SUPD_ACTIVE_UNKNOWN] = "○", [SUPD_ACTIVE_INACTIVE] = "○",   [SUPD_ACTIVE_ACTIVATING] = "●",
                [SUPD_ACTIVE_ACTIVE] = "●",  [SUPD_ACTIVE_RELOADING] = "↻",  [SUPD_ACTIVE_DEACTIVATING] = "●",
                [SUPD_ACTIVE_FAILED] = "×",  [SUPD_ACTIVE_MAINTENANCE] = "○"};

        return s->row->active_state < ARRAY_SIZE(dots) ? dots[s->row->active_state] : "○";
}

/* Each directory, and behind it what is in it: PATHS have blanks between them. */
static void print_drop_ins(const char *paths)
{
        const char *directory = "";
        size_t n_directory = 0;

        for (const char *label = "    Drop-In: "; *paths; label = "             ") {
                size_t n = strcspn(paths, " "), n_dir = n;

                while (n_dir > 0 && paths[n_dir - 1] != '/')
                        n_dir--;
                if (n_dir == n_directory && memcmp(paths, directory, n_dir) == 0)
                        (void)fputs(", ", out);
                else
                        (void)fprintf(out, "%s%s%.*s\n             └─", *directory ? "\n" : "", label,
                                      (int)(n_dir > 0 ? n_dir - 1 : 0), paths);
                (void)fprintf(out, "%.*s", (int)(n - n_dir), paths + n_dir);
                directory = paths;
                n_directory = n_dir;
                paths += n + strspn(paths + n, " ");
        }
        if (*directory)
                (void)fputc('\n', out);
}

static void print_loaded(const struct sheet *s)
{
        const char *path = text(s, SUPD_TEXT_FRAGMENT_PATH), *preset = "", *state = "";
        const char *error = text(s, SUPD_TEXT_LOAD_ERROR), *drop_ins = text(s, SUPD_TEXT_DROP_IN_PATHS);

        if (s->v->n_matching <= FULL_SHEETS || s->v->options->full)
                unit_file_words(s->v->options, text(s, SUPD_TEXT_NAME), path, &state, &preset);
        if (!*path && s->row->flags & SUPD_ROW_BUILT_IN)
                path = "built in";
        (void)fprintf(out, "     Loaded: %s", supstatus_load_name(s->row->load_state));
        if (*path && s->row->load_state != SUPD_LOAD_MASKED)
                (void)fprintf(out, " (%s%s%s%s%s)", path, *state ? "; " : "", state, *preset ? "; preset: " : "",
                              preset);
        if (*error)
                (void)fprintf(out, " (Reason: %s)", error);
        (void)fputc('\n', out);
        print_drop_ins(drop_ins);
}

/* When the present state began. */
static uint64_t since(const struct supd_status_row *row)
{
        switch (row->active_state) {
        case SUPD_ACTIVE_ACTIVE:
        case SUPD_ACTIVE_RELOADING:
                return row->active_enter_real_us;
        case SUPD_ACTIVE_ACTIVATING:
                return row->inactive_exit_real_us;
        case SUPD_ACTIVE_DEACTIVATING:
                return row->active_exit_real_us;
        case SUPD_ACTIVE_INACTIVE:
        case SUPD_ACTIVE_FAILED:
                return row->inactive_enter_real_us;
        default:
                return row->state_change_real_us;
        }
}

static uint64_t minus(uint64_t a, uint64_t b)
{
        return a > b ? a - b : 0;
}

/* " since DATE; AGO", and without the date where that would not fit behind USED columns. */
static void print_since(const struct sheet *s, uint64_t began, unsigned used)
{
        unsigned width = s->v->options->full ? 0 : s->v->width;
        char when[64], ago[64];

        (void)format_real(began, when);
        (void)format_ago(minus(now_real_us(), began), ago);
        if (width > 0 && used + strlen(" since ") + strlen(when) + 2 + strlen(ago) > width)
                (void)fprintf(out, " since %s", ago);
        else
                (void)fprintf(out, " since %s; %s", when, ago);
}

static bool is_down(const struct supd_status_row *row)
{
        return row->active_state == SUPD_ACTIVE_INACTIVE || row->active_state == SUPD_ACTIVE_FAILED;
}

static void print_active(const struct sheet *s)
{
        const struct supd_status_row *row = s->row;
        const char *active = supstatus_active_name(row->active_state), *sub = supstatus_sub_name(row->sub_state);
        uint64_t began = since(row);
        char state[128], when[64], ago[64];

        (void)snprintf(state, sizeof(state), "%s%s%s%s", active, streq(active, sub) ? "" : " (",
                       streq(active, sub) ? "" : sub, streq(active, sub) ? "" : ")");
        (void)fprintf(out, "     Active: %s%s%s", colour(s), state, plain(s));
        if (row->result != SUPD_RESULT_SUCCESS)
                (void)snprintf(state + strlen(state), sizeof(state) - strlen(state), " (Result: %s)",
                               supstatus_result_name(row->result));
        if (row->result != SUPD_RESULT_SUCCESS)
                (void)fprintf(out, " (Result: %s)", supstatus_result_name(row->result));
        if (began)
                print_since(s, began, (unsigned)(strlen("     Active: ") + strlen(state)));
        (void)fputc('\n', out);
        if (row->active_enter_mono_us && row->active_exit_mono_us > row->active_enter_mono_us && is_down(row))
                (void)fprintf(out, "   Duration: %s\n",
                              format_span_ms(row->active_exit_mono_us - row->active_enter_mono_us, ago));
        if (row->flags & SUPD_ROW_START_LIMIT_HIT)
                (void)fprintf(out, "             started too often; \"supctl reset-failed %s\" allows it again\n",
                              text(s, SUPD_TEXT_NAME));
        if (row->flags & SUPD_ROW_FROZEN)
                (void)fprintf(out,
                              "             frozen: the manager died on this unit three times and leaves it alone\n");
        if (row->next_restart_mono_us) {
                uint64_t left = minus(row->next_restart_mono_us, now_mono_us());

                (void)fprintf(out, "    Restart: in %s, at %s\n", format_span_ms(left, ago),
                              format_real(now_real_us() + left, when));
        }
}

static void print_conditions(const struct sheet *s)
{
        bool down = s->row->active_state == SUPD_ACTIVE_INACTIVE && s->row->load_state == SUPD_LOAD_LOADED;

        if (!(s->row->flags & SUPD_ROW_CONDITION_RESULT) && down)
                (void)fprintf(out, "  Condition: not met at its last start; \"supctl why %s\" tells which\n",
                              text(s, SUPD_TEXT_NAME));
        else if (!(s->row->flags & SUPD_ROW_ASSERT_RESULT) && down) /* behind a condition it was not even asked */
                (void)fprintf(out, "     Assert: failed at its last start; \"supctl why %s\" tells which\n",
                              text(s, SUPD_TEXT_NAME));
}

static void print_documentation(const struct sheet *s)
{
        const char *docs = text(s, SUPD_TEXT_DOCUMENTATION);

        if (*docs)
                (void)fprintf(out, "       Docs: %s\n", docs);
        if (*text(s, SUPD_TEXT_TRIGGERED_BY))
                (void)fprintf(out, "TriggeredBy: %s\n", text(s, SUPD_TEXT_TRIGGERED_BY));
}

static void print_processes(const struct sheet *s, const struct sample *now)
{
        const struct supd_status_row *row = s->row;
        char how[64];

        if (row->main_pid && now->state)
                (void)fprintf(out, "   Main PID: %u (%s)%s%s\n", (unsigned)row->main_pid, now->command,
                              s->v->options->systemctl ? "" : ", ",
                              s->v->options->systemctl ? "" : sample_state_word(now->state));
        else if (row->main_pid)
                (void)fprintf(out, "   Main PID: %u\n", (unsigned)row->main_pid);
        else if (row->exec_main_pid && row->exec_main_code)
                (void)fprintf(out, "   Main PID: %u (code=%s)\n", (unsigned)row->exec_main_pid,
                              format_exit(row->exec_main_code, row->exec_main_status, how));
        if (row->control_pid)
                (void)fprintf(out, "Control PID: %u\n", (unsigned)row->control_pid);
        if (*text(s, SUPD_TEXT_STATUS))
                (void)fprintf(out, "     Status: \"%s\"\n", text(s, SUPD_TEXT_STATUS));
        if (row->status_errno)
                (void)fprintf(out, "      Error: %d (%s)\n", (int)row->status_errno, strerror(row->status_errno));
}

static void print_samples(const struct sheet *s, const struct sample *now)
{
        char amount[64];

        if (now->tasks != UINT64_MAX && now->tasks > 0)
                (void)fprintf(out, "      Tasks: %llu\n", (unsigned long long)now->tasks);
        if (now->memory != UINT64_MAX && now->tasks > 0)
                (void)fprintf(out, "     Memory: %s\n", format_bytes(now->memory, amount));
        if (now->cpu_us != UINT64_MAX && now->tasks > 0)
                (void)fprintf(out, "        CPU: %s\n", format_span_ms(now->cpu_us, amount));
        if (*text(s, SUPD_TEXT_CONTROL_GROUP))
                (void)fprintf(out, "     CGroup: %s\n", text(s, SUPD_TEXT_CONTROL_GROUP));
        if (s->row->tasks_unattributed)
                (void)fprintf(out, "    Unclear: %u processes that may or may not belong to it\n",
                              (unsigned)s->row->tasks_unattributed);
}

static void print_past(const struct sheet *s)
{
        const struct supd_status_row *row = s->row;
        unsigned code = row->last_exit_code ? row->last_exit_code : row->exec_main_code;
        int status = row->last_exit_code ? row->last_exit_status : row->exec_main_status;
        uint64_t when = row->last_exit_real_us ? row->last_exit_real_us : row->exec_main_exit_real_us;
        char how[64], ago[64];

        if (row->n_restarts)
                (void)fprintf(out, "   Restarts: %u\n", (unsigned)row->n_restarts);
        if (row->flags & SUPD_ROW_STATUS_UNKNOWN)
                (void)fprintf(out, "  Last exit: status not known (it ended while nobody could see it)\n");
        else if (code)
                (void)fprintf(out, "  Last exit: %s%s%s\n", format_exit(code, status, how), when ? "; " : "",
                              when ? format_ago(minus(now_real_us(), when), ago) : "");
        if (row->job_id)
                (void)fprintf(out, "        Job: %s, %s (%u)\n", supstatus_job_name(row->job_type),
                              row->flags & SUPD_ROW_JOB_RUNNING ? "running" : "waiting", (unsigned)row->job_id);
        if (row->n_notices)
                (void)fprintf(out, "     Notice: %s\n", text(s, SUPD_TEXT_NOTICE));
        if (row->n_notices > 1)
                (void)fprintf(out, "             and %u more: supctl verify %s\n", row->n_notices - 1u,
                              text(s, SUPD_TEXT_NAME));
}

static void log_path(const struct sheet *s, char *ret, size_t size)
{
        const char *own = text(s, SUPD_TEXT_LOG_PATH), *dir = supstatus_header(s->v->snapshot)->log_dir;

        if (*own || *dir)
                (void)snprintf(ret, size, "%s%s%s%s", *own ? own : dir, *own ? "" : "/",
                               *own ? "" : text(s, SUPD_TEXT_NAME), *own ? "" : ".log");
        else
                ret[0] = 0;
}

static void print_log(const struct sheet *s)
{
        char path[600];

        log_path(s, path, sizeof(path));
        if (s->v->options->lines > 0 && path[0])
                (void)log_tail(path, s->v->options->lines, !s->v->terminal, out);
}

static bool is_brief(const struct view *v)
{
        return v->n_matching > FULL_SHEETS && !v->options->full;
}

static void print_sheet(const struct sheet *s)
{
        const char *description = text(s, SUPD_TEXT_DESCRIPTION), *group = text(s, SUPD_TEXT_CONTROL_GROUP);
        struct sample now = {.tasks = UINT64_MAX, .memory = UINT64_MAX, .cpu_us = UINT64_MAX};

        (void)fprintf(out, "%s%s%s %s%s%s\n", colour(s), dot(s), plain(s), text(s, SUPD_TEXT_NAME),
                      *description ? " - " : "", description);
        print_loaded(s);
        print_active(s);
        print_conditions(s);
        print_documentation(s);
        if (!is_brief(s->v))
                sample_take(s->row, group, &now);
        print_processes(s, &now);
        print_samples(s, &now);
        if (!s->v->options->systemctl)
                print_past(s);
        if (view_writer(s->v)[0] != 'a') {
                (void)fprintf(out, "    ");
                (void)view_warn(s->v, out);
        }
        if (!is_brief(s->v))
                print_log(s);
}

/* Each line cut to the width of the terminal; in a pipe everything goes out as it is made. */
static void print_unit(const struct sheet *s)
{
        unsigned width = s->v->options->full ? 0 : s->v->width;
        char *text = NULL, *save = NULL;
        size_t n = 0;

        if (width > 0)
                out = open_memstream(&text, &n);
        out = out ? out : stdout;
        print_sheet(s);
        if (out == stdout)
                return;
        (void)fclose(out);
        out = stdout;
        for (char *line = text; line && *line; line = save) {
                char *cut;

                save = line + strcspn(line, "\n");
                if (*save)
                        *save++ = 0;
                cut = text_cut(line, width);
                (void)printf("%s%s\n", cut ? cut : line,
                             cut && s->v->colour && text_width(line) > width ? "\033[0m" : "");
                free(cut);
        }
        free(text);
}

static void unit_json(const struct sheet *s)
{
        const struct supd_status_row *row = s->row;
        struct sample now;
        char how[64];

        json_open(&output, NULL, '{');
        properties_json(s->v, &output, s->i);
        sample_take(row, text(s, SUPD_TEXT_CONTROL_GROUP), &now);
        if (now.tasks != UINT64_MAX)
                json_u64(&output, "TasksCurrent", now.tasks);
        if (now.memory != UINT64_MAX)
                json_u64(&output, "MemoryCurrent", now.memory);
        if (now.cpu_us != UINT64_MAX)
                json_u64(&output, "CPUUsageUSec", now.cpu_us);
        if (now.state)
                json_string(&output, "MainCommand", now.command);
        if (row->last_exit_code)
                json_string(&output, "LastExit", format_exit(row->last_exit_code, row->last_exit_status, how));
        if (row->next_restart_mono_us)
                json_u64(&output, "NextRestartUSecMonotonic", row->next_restart_mono_us);
        if (row->n_notices)
                json_string(&output, "Notice", text(s, SUPD_TEXT_NOTICE));
        json_close(&output, '}');
}

static int status_of(const struct supd_status_row *row)
{
        if (row->load_state == SUPD_LOAD_NOT_FOUND)
                return EXIT_UNKNOWN;
        return row->active_state == SUPD_ACTIVE_ACTIVE || row->active_state == SUPD_ACTIVE_RELOADING ? EXIT_OK
                                                                                                     : EXIT_NOT_RUNNING;
}

static int status_each(struct view *v, const char *name, bool found, uint32_t i)
{
        struct sheet s = {.v = v, .row = found ? supstatus_row(v->snapshot, i) : NULL, .i = i};

        if ((!found || s.row->load_state == SUPD_LOAD_NOT_FOUND) && unloaded_status(v, name, &output, &n_printed))
                return EXIT_NOT_RUNNING;
        if (!found || s.row->load_state == SUPD_LOAD_NOT_FOUND) {
                (void)fflush(out);
                fprintf(stderr, "Unit %s could not be found.\n", name);
                (void)view_warn(v, stderr);
                return EXIT_UNKNOWN;
        }
        if (v->options->json)
                unit_json(&s);
        else if (!v->options->quiet) {
                if (n_printed++ > 0)
                        (void)fputc('\n', out);
                print_unit(&s);
        }
        return status_of(s.row);
}

/* `status` without a unit: supd as a whole. */
static int status_manager(struct view *v)
{
        const struct supd_status_header *h = supstatus_header(v->snapshot);
        bool well = h->system_state == SUPD_SYSTEM_RUNNING;
        char when[64], ago[64];

        (void)printf("%s●%s supd%s%s\n", v->colour ? (well ? "\033[0;1;32m" : "\033[0;1;31m") : "",
                     v->colour ? "\033[0m" : "", *v->instance ? " " : "", v->instance);
        (void)printf("    State: %s%s%s\n", supstatus_system_name(h->system_state), *h->system_state_text ? "; " : "",
                     h->system_state_text);
        (void)printf("    Units: %u loaded, %u active, %u failed\n", (unsigned)h->n_units, (unsigned)h->n_active,
                     (unsigned)h->n_failed);
        (void)printf("     Jobs: %u queued\n", (unsigned)h->n_jobs);
        if (h->started_real_us)
                (void)printf("    Since: %s; %s\n", format_real(h->started_real_us, when),
                             format_ago(minus(now_real_us(), h->started_real_us), ago));
        (void)printf("  Version: %s\n", h->version);
        (void)printf("  Manager: %u", (unsigned)h->writer_pid);
        if (h->manager_starts > 1)
                (void)printf(", the %u%s since supd started", (unsigned)h->manager_starts,
                             h->manager_starts == 2   ? "nd"
                             : h->manager_starts == 3 ? "rd"
                                                      : "th");
        (void)printf("%s\n",
                     h->flags & SUPD_TABLE_OLDER ? "; an older one, since the installed one does not work" : "");
        if (h->keeper_pid)
                (void)printf("   Keeper: %u\n", (unsigned)h->keeper_pid);
        if (h->runtime_dir[0])
                (void)printf("  Runtime: %s\n", h->runtime_dir);
        (void)printf("    Table: %llu publishes, last %s", (unsigned long long)h->n_publishes,
                     format_ago(supstatus_age_us(v->snapshot), ago));
        (void)printf(h->flags & SUPD_TABLE_TRUNCATED ? "; no room for all units\n" : "\n");
        (void)view_warn(v, stdout);
        return EXIT_OK;
}

static void manager_json(struct view *v)
{
        const struct supd_status_header *h = supstatus_header(v->snapshot);

        json_string(&output, "instance", v->instance);
        json_string(&output, "writer", view_writer(v));
        json_u64(&output, "age_us", supstatus_age_us(v->snapshot));
        json_string(&output, "state", supstatus_system_name(h->system_state));
        json_string(&output, "version", h->version);
        json_u64(&output, "manager_pid", h->writer_pid);
        json_bool(&output, "manager_older", h->flags & SUPD_TABLE_OLDER);
        json_u64(&output, "n_units", h->n_units);
        json_u64(&output, "n_failed", h->n_failed);
        json_u64(&output, "n_jobs", h->n_jobs);
        json_bool(&output, "whole", !(supstatus_condition(v->snapshot) & SUPSTATUS_PIECES));
}

static int status_json(struct view *v, const char *const *words, unsigned n)
{
        int r;

        output = (struct json){.form = v->options->json};
        json_open(&output, NULL, '{');
        json_open(&output, "units", '[');
        r = view_each(v, words, n, status_each);
        json_close(&output, ']');
        if (!v->snapshot && view_all(v) < 0) {
                buf_done(&output.text);
                return EXIT_ERROR;
        }
        manager_json(v);
        json_close(&output, '}');
        json_print(&output);
        return r;
}

static int status_text(struct view *v, const char *const *words, unsigned n)
{
        int r = view_each(v, words, n, status_each);

        if (is_brief(v) && !v->options->quiet)
                (void)printf("\nMore than %u units: without samples and log lines; --full shows them.\n", FULL_SHEETS);
        return r;
}

int verb_status(struct view *v, const char *const *words, unsigned n)
{
        static const char *const everything[] = {"*"};

        out = stdout;
        if (v->options->json)
                return n > 0 ? status_json(v, words, n) : status_json(v, everything, v->options->all ? 1 : 0);
        if (n > 0)
                return status_text(v, words, n);
        if (v->options->all)
                return status_text(v, everything, 1);
        return view_all(v) < 0 ? EXIT_ERROR : status_manager(v);
}
