/* SPDX-License-Identifier: MIT
 *
 * events: changes of units as they come, from the record of changes beside the table. Not here: what a unit has been
 * through (history.c). Invariant: nobody is asked, and supd does not know who reads; who is slow loses the oldest and
 * is told how many; each line is complete, and out before the next sleep.
 */
#include <fnmatch.h>
#include <time.h>

#include "programs/supctl/supctl.h"

#define FRONT_UNIT "supd-bus.service"
enum { UNIT_LEAST = 16, UNIT_MOST = 40, NARROW = 110 /* columns of a terminal where the state before gives way */ };

struct listener {
        struct view *v;
        struct supstatus_changes *changes; /* owned */
        const char *const *words;
        unsigned n_words;
        unsigned unit_width; /* of the column of names; grows with what comes */
        int day;             /* of the latest line; a new one is said */
};

static bool is_meant(const struct listener *l, const char *name)
{
        for (unsigned i = 0; i < l->n_words; i++) {
                char full[256];

                if (unit_full_name(l->words[i], full) && fnmatch(full, name, FNM_NOESCAPE) == 0)
                        return true;
        }
        /* the front comes and goes with whoever asks: told when it is asked for */
        return l->n_words == 0 && (l->v->options->all || !streq(name, FRONT_UNIT));
}

/* "2026-11-22 21:33:05.123456"; SEPARATOR 0: without the day. */
static const char *clock_text(uint64_t us, char separator, char ret[64])
{
        time_t seconds = (time_t)(us / USEC_PER_SEC);
        struct tm tm = {0};
        char day[32], clock[16];

        (void)localtime_r(&seconds, &tm);
        (void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
        (void)strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
        day[10] = separator;
        day[11] = 0;
        (void)snprintf(ret, 64, "%s%s.%06u", separator ? day : "", clock, (unsigned)(us % USEC_PER_SEC));
        return ret;
}

static const char *change_colour(const struct listener *l, const struct supd_change *c)
{
        if (!l->v->colour)
                return "";
        return c->active == SUPD_ACTIVE_FAILED                                       ? "\033[0;1;31m"
               : c->active == SUPD_ACTIVE_ACTIVE                                     ? "\033[0;32m"
               : c->result != SUPD_RESULT_SUCCESS && c->sub == SUPD_SUB_AUTO_RESTART ? "\033[0;33m"
               : c->active == SUPD_ACTIVE_INACTIVE                                   ? "\033[0;2m"
                                                                                     : "";
}

/* Where it begins to go up, and where it begins to go down. */
static bool tells_cause(const struct supd_change *c)
{
        if (c->from_sub == SUPD_SUB_AUTO_RESTART && c->active == SUPD_ACTIVE_ACTIVATING)
                return true;
        if (c->cause == SUPD_CAUSE_UNKNOWN || c->active == c->from_active || c->sub == SUPD_SUB_AUTO_RESTART)
                return false;
        return c->active == SUPD_ACTIVE_ACTIVATING || c->active == SUPD_ACTIVE_DEACTIVATING ||
               (c->active != SUPD_ACTIVE_ACTIVE && c->from_active != SUPD_ACTIVE_DEACTIVATING) ||
               c->from_active == SUPD_ACTIVE_INACTIVE;
}

static bool is_implied(unsigned result)
{
        return result == SUPD_RESULT_SUCCESS || result == SUPD_RESULT_EXIT_CODE || result == SUPD_RESULT_SIGNAL ||
               result == SUPD_RESULT_CORE_DUMP;
}

/* What is worth a word besides the state. */
static void details(const struct supd_change *c, const char *by, struct buf *b)
{
        char how[64], why[400];

        if (c->main_pid)
                (void)buf_printf(b, "pid %u", (unsigned)c->main_pid);
        if (c->exit_code)
                (void)buf_printf(b, " %s", format_exit(c->exit_code, c->exit_status, how));
        if (!is_implied(c->result) || (c->result != SUPD_RESULT_SUCCESS && !c->exit_code))
                (void)buf_printf(b, "%sresult %s", b->size > 0 ? "; " : "", supstatus_result_name(c->result));
        if (tells_cause(c))
                (void)buf_printf(b, "%s%s", b->size > 0 ? "; " : "", cause_text(c->cause, c->by, c->by_pid, by, why));
}

static void print_line(struct listener *l, const struct supd_change *c, const char *name, const char *by)
{
        const char *arrow = l->v->terminal ? "→" : "->", *colour = change_colour(l, c), *end = *colour ? "\033[0m" : "";
        cleanup_buf_ struct buf more = {0}, line = {0};
        bool narrow = l->v->terminal && !l->v->options->full && l->v->width > 0 && l->v->width < NARROW;
        unsigned state_width = narrow ? 12 : 26;
        char when[64], state[64], *shown, *cut;
        unsigned name_most = l->v->width > 0 ? l->v->width / 3 : UINT32_MAX;

        l->unit_width = MIN2(MAX2(l->unit_width, (unsigned)strlen(name)), MIN2(name_most, (unsigned)UNIT_MOST));
        shown = text_cut(name, l->v->terminal && !l->v->options->full ? l->unit_width : UINT32_MAX);
        if (c->from_active != c->active && !narrow)
                (void)snprintf(state, sizeof(state), "%s %s %s", supstatus_active_name(c->from_active), arrow,
                               supstatus_active_name(c->active));
        else
                (void)snprintf(state, sizeof(state), "%s", supstatus_active_name(c->active));
        details(c, by, &more);
        (void)buf_printf(&line, "%-*s  %s%s%s%*s  %-13s", (int)l->unit_width, shown ? shown : name, colour, state, end,
                         (int)(state_width - MIN2(text_width(state), state_width)), "", supstatus_sub_name(c->sub));
        if (more.size > 0)
                (void)buf_printf(&line, "  %s", buf_str(&more));
        while (line.size > 0 && line.data[line.size - 1] == ' ')
                line.data[--line.size] = 0;
        (void)clock_text(c->real_us, l->v->terminal ? 0 : ' ', when);
        if (narrow && strlen(when) > 3)
                when[strlen(when) - 3] = 0; /* to the millisecond */
        cut = text_cut(buf_str(&line), l->v->width > 0 && !l->v->options->full
                                               ? l->v->width - MIN2(l->v->width, (unsigned)strlen(when) + 2)
                                               : UINT32_MAX);
        (void)printf("%s  %s%s\n", when, cut ? cut : "",
                     l->v->colour && cut && strlen(cut) < line.size ? "\033[0m" : "");
        free(cut);
        free(shown);
}

static void print_json(const struct listener *l, const struct supd_change *c, const char *name, const char *by)
{
        struct json j = {.form = l->v->options->json};
        char when[64], how[64];

        json_open(&j, NULL, '{');
        json_string(&j, "time", clock_text(c->real_us, 'T', when));
        json_u64(&j, "number", c->number);
        json_u64(&j, "real_us", c->real_us);
        json_u64(&j, "monotonic_us", c->mono_us);
        json_string(&j, "unit", name);
        json_string(&j, "from", supstatus_active_name(c->from_active));
        json_string(&j, "from_sub", supstatus_sub_name(c->from_sub));
        json_string(&j, "to", supstatus_active_name(c->active));
        json_string(&j, "sub", supstatus_sub_name(c->sub));
        json_string(&j, "result", supstatus_result_name(c->result));
        json_u64(&j, "main_pid", c->main_pid);
        if (c->exit_code) {
                json_string(&j, "exit_code", exit_code_word(c->exit_code));
                json_i64(&j, "exit_status", c->exit_status);
                json_string(&j, "exit", format_exit(c->exit_code, c->exit_status, how));
        }
        cause_json(&j, "cause", c->cause, c->by, c->by_pid, by);
        json_close(&j, '}');
        json_print(&j);
}

static void say_lost(const struct listener *l, uint64_t lost)
{
        if (l->v->options->json)
                (void)printf("{\"lost\":%llu}\n", (unsigned long long)lost);
        else
                (void)printf("-- %llu changes were overwritten before they could be read --\n",
                             (unsigned long long)lost);
}

static void say_day(struct listener *l, uint64_t us)
{
        time_t seconds = (time_t)(us / USEC_PER_SEC);
        struct tm tm = {0};
        char text[64];

        if (!l->v->terminal || l->v->options->json || !localtime_r(&seconds, &tm) || tm.tm_yday == l->day)
                return;
        l->day = tm.tm_yday;
        (void)strftime(text, sizeof(text), "%a %Y-%m-%d %Z", &tm);
        (void)printf("%s-- %s --%s\n", l->v->colour ? "\033[0;2m" : "", text, l->v->colour ? "\033[0m" : "");
}

static void show(struct listener *l, const struct supd_change *c)
{
        const char *by = cause_has_unit(c->cause) ? view_unit_at(l->v, c->by) : NULL, *name = c->name;
        cleanup_free_ char *by_copy = by ? strdup(by) : NULL;

        if (c->name_size > SUPD_CHANGE_NAME_MAX)
                name = view_unit_at(l->v, c->unit);
        name = name ? name : c->name;
        if (!is_meant(l, name))
                return;
        say_day(l, c->real_us);
        if (l->v->options->json)
                print_json(l, c, name, by_copy);
        else
                print_line(l, c, name, by_copy);
}

/* All there are by now. 0 or -ENOENT. */
static int drain(struct listener *l)
{
        struct supd_change c;
        uint64_t lost;
        int r;

        while ((r = supstatus_changes_next(l->changes, &c, &lost)) > 0 || lost > 0) {
                if (lost > 0)
                        say_lost(l, lost);
                if (r <= 0)
                        return r;
                show(l, &c);
        }
        return r;
}

/* Supd has ended, or somebody has removed the object: then there is another by now, or will be with the next change,
 * and nothing to sleep on until then. */
static int again(struct listener *l)
{
        enum { MOST_MS = 500 };
        int r;

        supstatus_changes_close(l->changes);
        l->changes = NULL;
        for (unsigned ms = 5;; ms = MIN2(2 * ms, (unsigned)MOST_MS)) {
                r = supstatus_changes_open(l->v->instance, &l->changes);
                if (r != -ENOENT || !view_is_alive(l->v->options))
                        break;
                (void)usleep(ms * 1000);
        }
        if (r == 0)
                supstatus_changes_back(l->changes, UINT64_MAX);
        return r;
}

int changes_open(struct view *v, struct supstatus_changes **ret)
{
        int r = supstatus_changes_open(v->instance, ret);

        if (r < 0)
                fprintf(stderr, "supctl: cannot read the record of changes of this supd: %s\n",
                        r == -ENOENT  ? "there is none"
                        : r == -EPERM ? "it belongs to another user"
                                      : strerror(-r));
        return r;
}

int verb_events(struct view *v, const char *const *words, unsigned n)
{
        struct listener l = {.v = v, .words = words, .n_words = n, .unit_width = UNIT_LEAST, .day = -1};
        int r = changes_open(v, &l.changes);

        if (r < 0)
                return EXIT_ERROR;
        if (v->options->lines_given)
                supstatus_changes_back(l.changes, v->options->lines);
        for (;;) {
                r = drain(&l);
                if (fflush(stdout) != 0)
                        break; /* nobody reads any more */
                if (v->options->no_follow)
                        break;
                if (r == 0)
                        r = supstatus_changes_wait(l.changes, UINT64_MAX);
                if (r == -ENOENT && again(&l) < 0)
                        break;
                if (r < 0 && r != -ENOENT)
                        break;
        }
        supstatus_changes_close(l.changes);
        return r < 0 && r != -ENOENT ? EXIT_ERROR : EXIT_OK;
}
