/* SPDX-License-Identifier: MIT
 *
 * The observer's looks and judgements. Not here: reading diaries (diary.c) and /proc (proc.c).
 * Invariant: as in observer.h.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "observer.h"

static const char *const violation_names[N_VIOLATIONS] = {
        [VIOLATION_DOUBLE] = "double", [VIOLATION_MISSING] = "missing", [VIOLATION_RUNNING] = "running",
        [VIOLATION_STARTS] = "starts", [VIOLATION_ZOMBIE] = "zombie",   [VIOLATION_UNATTRIBUTED] = "unattributed",
        [VIOLATION_STATUS] = "status", [VIOLATION_SHOW] = "show",       [VIOLATION_DIARY] = "diary",
        [VIOLATION_OTHER] = "other",
};

const char *violation_name(enum violation v)
{
        return violation_names[v];
}

/* The supervisor's own programs. A service-to-be bears the launcher's name until its exec; there is one launcher, and
 * it keeps two spares (abi/launch.h). */
static const struct {
        const char *comm;
        unsigned most;
} own_programs[] = {
        {"supd-manager", 1},
        {"supd-exec", 3},
        {"supd-bus", 1},
        {"supd-logger", 1},
};

int observer_open(struct observer *o, const char *diary_dir, pid_t root)
{
        memset(o, 0, sizeof(*o));
        o->root = root;
        return diaries_open(&o->diaries, diary_dir);
}

void observer_close(struct observer *o)
{
        diaries_close(&o->diaries);
        proc_list_done(&o->procs);
        free(o->zombies);
        buf_done(&o->text);
        memset(o, 0, sizeof(*o));
}

void observer_tell(struct observer *o, enum violation v, const char *format, ...)
{
        va_list ap;
        o->counts[v]++;
        (void)buf_printf(&o->text, "%s: ", violation_names[v]);
        va_start(ap, format);
        (void)buf_vprintf(&o->text, format, ap);
        va_end(ap);
        (void)buf_append_char(&o->text, '\n');
}

unsigned observer_total(const struct observer *o)
{
        unsigned n = 0;
        for (unsigned i = 0; i < N_VIOLATIONS; i++)
                n += o->counts[i];
        return n;
}

static struct observed_zombie *zombie_get(struct observer *o, const struct proc *p)
{
        for (unsigned i = 0; i < o->n_zombies; i++)
                if (o->zombies[i].pid == p->pid && o->zombies[i].ticks == p->ticks)
                        return &o->zombies[i];
        if (o->n_zombies == o->zombies_allocated) {
                unsigned n = o->zombies_allocated ? 2 * o->zombies_allocated : 16;
                struct observed_zombie *v = realloc(o->zombies, n * sizeof(*v));
                if (!v)
                        return NULL;
                o->zombies = v;
                o->zombies_allocated = n;
        }
        o->zombies[o->n_zombies] =
                (struct observed_zombie){.pid = p->pid, .ticks = p->ticks, .since_us = boottime_us()};
        return &o->zombies[o->n_zombies++];
}

static int look_for_zombies(struct observer *o)
{
        unsigned kept = 0;
        for (unsigned i = 0; i < o->n_zombies; i++)
                o->zombies[i].seen = false;
        for (unsigned i = 0; i < o->procs.n; i++) {
                const struct proc *p = &o->procs.v[i];
                if (!p->below || p->state != 'Z')
                        continue;
                struct observed_zombie *z = zombie_get(o, p);
                if (!z)
                        return -ENOMEM;
                z->seen = true;
                if (!z->told && boottime_us() - z->since_us > OBSERVER_ZOMBIE_US) {
                        z->told = true;
                        observer_tell(o, VIOLATION_ZOMBIE, "pid %d (%s, child of %d) is a zombie since %llu ms",
                                      (int)p->pid, p->comm, (int)p->ppid,
                                      (unsigned long long)(boottime_us() - z->since_us) / 1000);
                }
        }
        for (unsigned i = 0; i < o->n_zombies; i++)
                if (o->zombies[i].seen)
                        o->zombies[kept++] = o->zombies[i];
        o->n_zombies = kept;
        return 0;
}

/* Diaries only grow, so the first n_doubles doubles have been told. */
static void look_for_doubles(struct observer *o)
{
        unsigned n = 0;
        for (unsigned i = 0; i < o->diaries.n; i++)
                for (unsigned k = 0; k < o->diaries.v[i].n; k++)
                        n += o->diaries.v[i].v[k].doubled > 0;
        if (n == o->n_doubles)
                return;
        for (unsigned i = 0; i < o->diaries.n; i++)
                for (unsigned k = 0; k < o->diaries.v[i].n; k++) {
                        struct diary_process *p = &o->diaries.v[i].v[k];
                        if (p->doubled <= 0 || p->generation == UINT32_MAX)
                                continue;
                        observer_tell(o, VIOLATION_DOUBLE, "%s: pid %d was started while pid %d still ran",
                                      o->diaries.v[i].name, (int)p->pid, (int)p->doubled);
                        p->generation = UINT32_MAX;
                }
        o->n_doubles = n;
}

int observer_tick(struct observer *o)
{
        int r = proc_list_read(&o->procs, o->root);
        if (r < 0)
                return r;
        /* after /proc, so that whoever is in /proc and had its first act has its line read */
        r = diaries_update(&o->diaries);
        if (r < 0)
                return r;
        look_for_doubles(o);
        return look_for_zombies(o);
}

static bool lives_in_list(const struct observer *o, const struct diary_process *p)
{
        const struct proc *q = proc_list_find(&o->procs, p->pid);
        return q && q->ticks == p->start_ticks && q->state != 'Z' && q->state != 'X';
}

static unsigned count_living(const struct observer *o, const struct diary *d, enum diary_role role, pid_t *ret_last)
{
        unsigned n = 0;
        for (unsigned i = 0; d && i < d->n; i++)
                if (d->v[i].role == role && lives_in_list(o, &d->v[i])) {
                        n++;
                        if (ret_last)
                                *ret_last = d->v[i].pid;
                }
        return n;
}

pid_t observer_main_pid(struct observer *o, const char *unit)
{
        pid_t pid = 0;
        if (observer_tick(o) < 0)
                return 0;
        (void)count_living(o, diaries_find(&o->diaries, unit), DIARY_MAIN, &pid);
        return pid;
}

/* Judges one unit; tells only when TELL. Returns the number of findings. */
static unsigned judge_unit(struct observer *o, const struct expectation *e, bool tell)
{
        const struct diary *d = diaries_find(&o->diaries, e->unit);
        unsigned mains = count_living(o, d, DIARY_MAIN, NULL), others = 0, found = 0;
        unsigned starts = d ? diary_count_mains(d) : 0;
        for (enum diary_role r = DIARY_STARTER; r < N_DIARY_ROLES; r++)
                others += count_living(o, d, r, NULL);
        struct {
                bool wrong;
                enum violation v;
                const char *what;
        } checks[] = {
                {mains > 1, VIOLATION_DOUBLE, "more than one main process lives"},
                {e->running && mains == 0, VIOLATION_MISSING, "should run and does not"},
                {!e->running && mains > 0, VIOLATION_RUNNING, "should be stopped and runs"},
                {others > e->children, VIOLATION_RUNNING, "left other processes behind"},
                {e->running && others < e->children, VIOLATION_MISSING, "lacks children"},
                {starts < e->min_starts, VIOLATION_STARTS, "was started too rarely"},
                {e->max_starts > 0 && starts > e->max_starts, VIOLATION_STARTS, "was started too often"},
                {e->never && starts > 0, VIOLATION_STARTS, "was started though it must not be"},
        };
        for (unsigned i = 0; i < ARRAY_SIZE(checks); i++) {
                if (!checks[i].wrong)
                        continue;
                found++;
                if (tell)
                        observer_tell(o, checks[i].v,
                                      "%s: %s (main processes %u, others %u; started %u times, expected %u to %u)",
                                      e->unit, checks[i].what, mains, others, starts, e->min_starts, e->max_starts);
        }
        return found;
}

static int own_program(const char *comm)
{
        for (unsigned i = 0; i < ARRAY_SIZE(own_programs); i++)
                if (streq(comm, own_programs[i].comm))
                        return (int)i;
        return -1;
}

static unsigned judge_attribution(struct observer *o, bool tell)
{
        unsigned seen[ARRAY_SIZE(own_programs)] = {0}, found = 0;
        for (unsigned i = 0; i < o->procs.n; i++) {
                const struct proc *p = &o->procs.v[i];
                const struct diary *d;
                if (!p->below || p->state == 'Z' || p->state == 'X' ||
                    diaries_find_process(&o->diaries, p->pid, p->ticks, &d))
                        continue;
                int own = own_program(p->comm);
                if (own >= 0 && ++seen[own] <= own_programs[own].most)
                        continue;
                found++;
                char line[256];
                proc_cmdline(p->pid, line, sizeof(line));
                if (tell)
                        observer_tell(o, VIOLATION_UNATTRIBUTED, "pid %d (%s, child of %d, state %c): %s", (int)p->pid,
                                      p->comm, (int)p->ppid, p->state, line);
        }
        return found;
}

static unsigned judge(struct observer *o, const struct expectation *v, unsigned n, bool tell)
{
        unsigned found = judge_attribution(o, tell);
        for (unsigned i = 0; i < n; i++)
                found += judge_unit(o, &v[i], tell);
        if (o->diaries.malformed > 0) {
                found++;
                if (tell)
                        observer_tell(o, VIOLATION_DIARY, "%u lines cannot be read", o->diaries.malformed);
        }
        return found;
}

int observer_settle(struct observer *o, const struct expectation *v, unsigned n, uint64_t within_us)
{
        uint64_t start = boottime_us();
        unsigned good = 0;
        for (;;) {
                int r = observer_tick(o);
                if (r < 0)
                        return r;
                /* twice good in a row, 20 ms apart: what is wrong for longer than it takes to look is not missed */
                good = judge(o, v, n, false) == 0 && o->n_zombies == 0 ? good + 1 : 0;
                if (good >= 2)
                        break;
                uint64_t passed = boottime_us() - start;
                if (passed > within_us && (o->n_zombies == 0 || passed > within_us + 2 * OBSERVER_ZOMBIE_US))
                        break;
                sleep_us(20 * USEC_PER_MSEC);
        }
        if (good < 2)
                (void)judge(o, v, n, true);
        return (int)observer_total(o);
}

bool show_value(const char *text, const char *key, char *ret, size_t size)
{
        size_t n = strlen(key);
        for (const char *line = text; line && *line; line = strchr(line, '\n')) {
                if (*line == '\n' && *++line == 0)
                        break;
                if (strncmp(line, key, n) != 0 || line[n] != '=')
                        continue;
                size_t length = strcspn(line + n + 1, "\n");
                if (length >= size)
                        length = size - 1;
                memcpy(ret, line + n + 1, length);
                ret[length] = 0;
                return true;
        }
        return false;
}

static unsigned compare_number(struct observer *o, const char *unit, const char *text, const char *key, long truth,
                               bool tell)
{
        char value[64];
        if (!show_value(text, key, value, sizeof(value)) || strtol(value, NULL, 10) == truth)
                return 0;
        if (tell)
                observer_tell(o, VIOLATION_STATUS, "%s: %s=%s, in truth %ld", unit, key, value, truth);
        return 1;
}

/* The main process that TOLD (an ExecStopPost= of D) is told of: that of the same invocation. A start that was stopped
 * before its main process wrote a line has none. */
static const struct diary_process *told_of(const struct diary *d, const struct diary_process *told)
{
        for (const struct diary_process *p = told; p-- > d->v;)
                if (p->role == DIARY_MAIN && streq(p->invocation, told->invocation))
                        return p;
        return NULL;
}

static bool tells(const struct diary_process *p)
{
        return p->role == DIARY_CONTROL && !streq(p->told_result, "-");
}

/* Was there, behind P, a start whose main process was stopped before it wrote a line? ExecStopPost= was told of it. */
static bool ended_silently_behind(const struct diary *d, const struct diary_process *p)
{
        for (const struct diary_process *q = p + 1; q < d->v + d->n; q++)
                if (tells(q) && !streq(q->told_code, "-") && !told_of(d, q))
                        return true;
        return false;
}

/* A forking service that is stopped within its start: nobody has heard yet which of its processes is the main one. */
static bool may_be_untold(const struct diary *d, const struct diary_process *told, const struct diary_process *p)
{
        if (!streq(told->told_code, "-") || !streq(told->told_result, "success") || p->last_signal != SIGTERM)
                return false;
        for (const struct diary_process *q = p; q-- > d->v;)
                if (q->role == DIARY_STARTER && streq(q->invocation, p->invocation))
                        return true;
        return false;
}

unsigned observer_compare_show(struct observer *o, const char *unit, const char *text, bool tell)
{
        const struct diary *d = diaries_find(&o->diaries, unit);
        const struct diary_process *p = d ? diary_last_main(d) : NULL;
        int code, status;
        if (p && ended_silently_behind(d, p))
                return compare_number(o, unit, text, "MainPID", 0, tell);
        if (!p)
                return compare_number(o, unit, text, "MainPID", 0, tell);
        if (proc_lives(p->pid, p->start_ticks))
                return compare_number(o, unit, text, "MainPID", p->pid, tell) +
                       compare_number(o, unit, text, "ExecMainPID", p->pid, tell);
        diary_process_end(p, &code, &status);
        return compare_number(o, unit, text, "MainPID", 0, tell) +
               compare_number(o, unit, text, "ExecMainPID", p->pid, tell) +
               compare_number(o, unit, text, "ExecMainCode", code, tell) +
               compare_number(o, unit, text, "ExecMainStatus", status, tell);
}

static const struct {
        const char *name;
        int number;
} signals[] = {
        {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"ILL", SIGILL},   {"ABRT", SIGABRT},
        {"FPE", SIGFPE},   {"KILL", SIGKILL}, {"SEGV", SIGSEGV}, {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},
        {"TERM", SIGTERM}, {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"BUS", SIGBUS},
};

static bool told_right(const struct diary_process *told, const struct diary_process *p)
{
        int code, status;
        diary_process_end(p, &code, &status);
        if (code == CLD_EXITED)
                return streq(told->told_code, "exited") && atoi(told->told_status) == status;
        if (!streq(told->told_code, "killed") && !streq(told->told_code, "dumped"))
                return false;
        for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
                if (signals[i].number == status)
                        return streq(told->told_status, signals[i].name);
        return atoi(told->told_status) == status;
}

static void check_told_of(struct observer *o, const struct diary *d)
{
        cleanup_free_ unsigned *told = calloc(d->n + 1, sizeof(*told)); /* how often was the end of d->v[i] told? */
        bool any = false;
        for (unsigned i = 0; told && i < d->n; i++) {
                const struct diary_process *p = tells(&d->v[i]) ? told_of(d, &d->v[i]) : NULL;
                if (!p)
                        continue;
                any = true;
                if (++told[p - d->v] == 2)
                        observer_tell(o, VIOLATION_STATUS, "%s: the end of pid %d was told twice", d->name,
                                      (int)p->pid);
                if (!told_right(&d->v[i], p) && !may_be_untold(d, &d->v[i], p))
                        observer_tell(o, VIOLATION_STATUS,
                                      "%s: pid %d ended with code %d status %d, told was %s %s (result %s)", d->name,
                                      (int)p->pid, p->ended ? p->code : CLD_KILLED, p->ended ? p->status : SIGKILL,
                                      d->v[i].told_code, d->v[i].told_status, d->v[i].told_result);
        }
        const struct diary_process *last = diary_last_main(d);
        for (unsigned i = 0; any && i < d->n; i++)
                if (d->v[i].role == DIARY_MAIN && told[i] == 0 && &d->v[i] != last)
                        observer_tell(o, VIOLATION_STATUS, "%s: the end of pid %d was never told", d->name,
                                      (int)d->v[i].pid);
}

void observer_check_told(struct observer *o)
{
        for (unsigned i = 0; i < o->diaries.n; i++)
                check_told_of(o, &o->diaries.v[i]);
}
