/* SPDX-License-Identifier: MIT
 *
 * Steps and what they wait for. Not here: scenarios. Invariant: as in drive.h; every wait has a bound.
 */
#include <signal.h>
#include <stdio.h>

#include "drive.h"
#include "supd/supstatus.h"

#define SUPCTL_US (8 * USEC_PER_SEC)
#define DONE_US   (5 * USEC_PER_SEC) /* from supctl's "done" until the world shows it */
#define FAILED_US (1 * USEC_PER_SEC)
#define MAX_TRIES 20

static bool shows(struct rig *r, const char *unit, const char *wanted, struct buf *text, char *missing, size_t size)
{
        char args[200], list[300], *save = NULL;
        (void)snprintf(args, sizeof(args), "show %s", unit);
        (void)snprintf(list, sizeof(list), "%s", wanted);
        buf_reset(text);
        int e = rig_supctl(r, args, SUPCTL_US, text);
        if (e != 0) {
                (void)snprintf(missing, size, "supctl %s: %d: %.100s", args, e, buf_str(text));
                return false;
        }
        for (char *p = strtok_r(list, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
                char value[128] = "(none)", *is = strchr(p, '=');
                *is = 0;
                (void)show_value(buf_str(text), p, value, sizeof(value));
                if (streq(value, is + 1))
                        continue;
                (void)snprintf(missing, size, "%s=%s, expected %s", p, value, is + 1);
                return false;
        }
        return true;
}

static bool is_true(struct rig *r, struct observer *o, const struct scenario_step *s)
{
        cleanup_buf_ struct buf text = {0};
        char missing[300];
        if (s->until.kind == UNTIL_NOTHING)
                return true;
        if (s->until.kind == UNTIL_ENDED) { /* the keeper is another's child: a zombie has ended, too */
                struct proc p;
                return proc_read(r->keeper, &p) < 0 || p.state == 'Z';
        }
        if (s->until.kind == UNTIL_SHOW)
                return shows(r, s->until.unit, s->until.show, &text, missing, sizeof(missing));
        pid_t pid = observer_main_pid(o, s->until.unit);
        const struct diary *d = diaries_find(&o->diaries, s->until.unit);
        unsigned n = d ? diary_count_mains(d) : 0;
        return n >= s->until.n && (pid > 0) == (s->until.kind == UNTIL_RUNNING);
}

static bool await(struct rig *r, struct observer *o, const struct scenario_step *s, uint64_t within_us)
{
        uint64_t start = boottime_us();
        for (;;) {
                if (is_true(r, o, s))
                        return true;
                if (boottime_us() - start > within_us)
                        return false;
                sleep_us(3 * USEC_PER_MSEC);
        }
}

static void fail(struct drive_result *result, const char *format, ...) printf_like_(2, 3);
static void fail(struct drive_result *result, const char *format, ...)
{
        va_list ap;
        va_start(ap, format);
        (void)vsnprintf(result->failure, sizeof(result->failure), format, ap);
        va_end(ap);
}

static void do_supctl(struct rig *r, struct observer *o, const struct scenario_step *s, struct drive_result *result)
{
        cleanup_buf_ struct buf text = {0};
        for (unsigned try = 0; try < MAX_TRIES; try++) {
                buf_reset(&text);
                int e = rig_supctl(r, s->text, SUPCTL_US, &text);
                if (e == -ETIMEDOUT) {
                        fail(result, "supctl %s hangs: %.200s", s->text, buf_str(&text));
                        return;
                }
                bool looks = s->until.kind != UNTIL_NOTHING;
                if ((e == 0 || looks) && await(r, o, s, e == 0 ? DONE_US : FAILED_US))
                        return;
                if (e == 0) {
                        fail(result, "supctl %s says done, but it never came true", s->text);
                        return;
                }
                result->repeats++;
                if (starts_with(s->text, "restart"))
                        result->extra_restarts++;
        }
        fail(result, "supctl %s failed %u times: %.200s", s->text, MAX_TRIES, buf_str(&text));
}

static void do_end_service(struct rig *r, struct observer *o, const struct scenario_step *s,
                           struct drive_result *result)
{
        pid_t pid = observer_main_pid(o, s->text);
        union sigval v = {.sival_int = s->value};
        if (pid <= 0) {
                fail(result, "%s does not run before it is to be ended", s->text);
                return;
        }
        if (s->act == ACT_KILL && s->value == SIGKILL)
                (void)diary_note_kill(r->diaries, s->text, pid, s->value);
        int e = s->act == ACT_TELL ? sigqueue(pid, SIGRTMIN + 1, v) : kill(pid, s->value);
        if (e < 0)
                fail(result, "%s: signal: %s", s->text, strerror(errno));
        else if (!await(r, o, s, SUPCTL_US))
                fail(result, "%s was ended, but what was to follow did not", s->text);
}

/* A signal that a keeper did not live to read is lost with it: whoever sent it sends it to the next one. */
static void do_keeper(struct rig *r, struct observer *o, const struct scenario_step *s, struct drive_result *result)
{
        for (unsigned try = 0; try < MAX_TRIES; try++) {
                pid_t keeper = (pid_t)atomic_load(&rig_header(r)->keeper_pid);
                if (kill(keeper, s->value) < 0 && try == 0) {
                        fail(result, "keeper: signal: %s", strerror(errno));
                        return;
                }
                if (await(r, o, s, DONE_US))
                        return;
        }
        fail(result, "signal %d to the keeper, but what was to follow did not", s->value);
}

static void do_install(struct rig *r, struct observer *o unused_, const struct scenario_step *s unused_,
                       struct drive_result *result)
{
        int e = rig_install(r);
        if (e < 0)
                fail(result, "another supd cannot be installed: %s", strerror(-e));
}

static void do_unit(struct rig *r, struct observer *o unused_, const struct scenario_step *s,
                    struct drive_result *result)
{
        int e = rig_unit(r, s->text, s->more);
        if (e < 0)
                fail(result, "%s: cannot be written: %s", s->text, strerror(-e));
}

static void (*const acts[])(struct rig *, struct observer *, const struct scenario_step *, struct drive_result *) = {
        [ACT_SUPCTL] = do_supctl, [ACT_TELL] = do_end_service, [ACT_KILL] = do_end_service,
        [ACT_KEEPER] = do_keeper, [ACT_UNIT] = do_unit,        [ACT_INSTALL] = do_install,
};

void drive_steps(struct rig *r, const struct scenario_step *steps, struct drive_result *result)
{
        struct observer o;
        if (observer_open(&o, r->diaries, r->keeper) < 0) {
                fail(result, "observer");
                return;
        }
        for (unsigned i = 0; i < SCENARIO_MAX && steps[i].act != ACT_END && result->failure[0] == 0; i++)
                acts[steps[i].act](r, &o, &steps[i], result);
        observer_close(&o);
}

void drive_check_show(struct rig *r, struct observer *o, const char *unit, const char *wanted, uint64_t within_us)
{
        cleanup_buf_ struct buf text = {0};
        char missing[300] = "";
        uint64_t start = boottime_us();
        for (;;) {
                bool good = shows(r, unit, wanted, &text, missing, sizeof(missing));
                if (good && observer_compare_show(o, unit, buf_str(&text), false) == 0)
                        return;
                if (boottime_us() - start <= within_us) {
                        sleep_us(10 * USEC_PER_MSEC);
                        continue;
                }
                if (!good)
                        observer_tell(o, VIOLATION_SHOW, "%s: %s", unit, missing);
                (void)observer_compare_show(o, unit, buf_str(&text), true);
                return;
        }
}

struct chain { /* of one unit */
        char name[SUPD_CHANGE_NAME_MAX + 1];
        uint8_t active, sub; /* of the last change */
        bool midway;         /* the first one does not go from inactive (dead), as all begin */
        uint64_t first;      /* its number */
};

static struct chain *chain_of(struct chain *chains, unsigned *n, const struct supd_change *c)
{
        for (unsigned i = 0; i < *n; i++)
                if (streq(chains[i].name, c->name))
                        return &chains[i];
        if (*n == DRIVE_UNITS)
                return NULL;
        chains[*n] = (struct chain){.active = c->from_active, .sub = c->from_sub};
        chains[*n].midway = c->from_active != SUPD_ACTIVE_INACTIVE || c->from_sub != SUPD_SUB_DEAD;
        chains[*n].first = c->number;
        (void)snprintf(chains[*n].name, sizeof(chains[*n].name), "%s", c->name);
        return &chains[(*n)++];
}

static void follow(struct observer *o, struct chain *k, const struct supd_change *c)
{
        if (k->active != c->from_active || k->sub != c->from_sub)
                observer_tell(o, VIOLATION_SHOW, "change %llu of %s goes from %s (%s), the one before went to %s (%s)",
                              (unsigned long long)c->number, k->name, supstatus_active_name(c->from_active),
                              supstatus_sub_name(c->from_sub), supstatus_active_name(k->active),
                              supstatus_sub_name(k->sub));
        k->active = c->active;
        k->sub = c->sub;
}

/* The table may be behind the last change by a publish. */
static void compare_with_table(struct observer *o, const struct chain *k, const char *instance, uint64_t within_us)
{
        struct supstatus_snapshot *snap = NULL;
        struct supstatus *table = NULL;
        uint64_t start = boottime_us();
        bool same = false;

        while (!same && boottime_us() - start <= within_us) {
                if (!table && supstatus_open(instance, &table) < 0)
                        table = NULL;
                same = table && supstatus_find(table, k->name, 0, &snap) == 0 &&
                       supstatus_row(snap, 0)->active_state == k->active && supstatus_row(snap, 0)->sub_state == k->sub;
                if (!same)
                        sleep_us(2 * USEC_PER_MSEC);
        }
        if (!same)
                observer_tell(o, VIOLATION_SHOW, "%s: the last change went to %s (%s), and the table says otherwise",
                              k->name, supstatus_active_name(k->active), supstatus_sub_name(k->sub));
        supstatus_free(snap);
        supstatus_close(table);
}

void drive_check_changes(struct rig *r, struct observer *o, uint64_t within_us)
{
        struct supstatus_changes *changes;
        struct chain chains[DRIVE_UNITS], *k;
        struct supd_change c;
        char instance[96];
        uint64_t lost = 0;
        unsigned n = 0, all = 0;
        int e;

        if (getenv("CRASH_WITHOUT_CHANGES")) /* a manager that is wrong on purpose keeps none */
                return;
        if (geteuid() == 0)
                (void)snprintf(instance, sizeof(instance), "%s", r->name);
        else
                (void)snprintf(instance, sizeof(instance), "user-%u-%s", (unsigned)geteuid(), r->name);
        e = supstatus_changes_open(instance, &changes);
        if (e < 0) {
                observer_tell(o, VIOLATION_SHOW, "there is no record of changes: %s", strerror(-e));
                return;
        }
        supstatus_changes_back(changes, UINT64_MAX);
        for (; (e = supstatus_changes_next(changes, &c, &lost)) > 0 && lost == 0; all++)
                if ((k = chain_of(chains, &n, &c)))
                        follow(o, k, &c);
        for (unsigned i = 0; i < n && all < SUPD_CHANGES_N; i++) /* else the first ones have been written over */
                if (chains[i].midway)
                        observer_tell(o, VIOLATION_SHOW, "change %llu of %s is its first, and begins in the middle",
                                      (unsigned long long)chains[i].first, chains[i].name);
        if (lost > 0)
                observer_tell(o, VIOLATION_SHOW, "%llu changes are counted and not there", (unsigned long long)lost);
        for (unsigned i = 0; i < n; i++)
                if (!streq(chains[i].name, "supd-bus.service")) /* it comes and goes with whoever asks */
                        compare_with_table(o, &chains[i], instance, within_us);
        if (n == 0)
                observer_tell(o, VIOLATION_SHOW, "nothing has happened, says the record of changes");
        supstatus_changes_close(changes);
}
