/* SPDX-License-Identifier: MIT
 *
 * What happens in the world: starts go their way, programs say things and end, the keeper reaps (abi/durable.h has the
 * order of its stores). See world.h.
 *
 * Invariant: nothing happens but in world_run_until() and world_signal(), in the order of time.
 */
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

struct world *world;
struct manager *manager_of_world;

static printf_like_(4, 0) void append(char *to, size_t size, size_t *n, const char *format, va_list ap)
{
        int k = vsnprintf(to + *n, size - *n, format, ap);

        if (k > 0)
                *n = MIN2(*n + (size_t)k, size - 1);
}

void story(const char *format, ...)
{
        va_list ap;
        char line[512];
        size_t n = 0;

        va_start(ap, format);
        append(line, sizeof(line), &n, format, ap);
        va_end(ap);
        n = world->n_trace;
        world->n_trace += (size_t)snprintf(world->trace + n, TRACE_SIZE - n, "%7.1f %s\n",
                                           (double)(world->now / 100000) / 10, line);
        world->n_trace = MIN2(world->n_trace, (size_t)TRACE_SIZE - 1);
}

void wrong(const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        append(world->wrong, sizeof(world->wrong) - 2, &world->n_wrong, format, ap);
        va_end(ap);
        world->wrong[world->n_wrong++] = '\n';
        world->wrong[world->n_wrong] = 0;
}

const char *unit_name_of(uint32_t id)
{
        return id < ARRAY_SIZE(world->names) && world->names[id][0] ? world->names[id] : "?";
}

void world_reset(const struct scenario *s)
{
        struct proc *by = &world->procs[0];
        void *map = world->map;
        int state_fd = world->state_fd, bell_fd = world->bell_fd;

        memset(world, 0, sizeof(*world));
        world->scenario = s;
        world->map = map;
        world->state_fd = state_fd;
        world->bell_fd = bell_fd;
        world->next_pid = FIRST_PID;
        *by = (struct proc){.pid = BYSTANDER,
                            .group = BYSTANDER,
                            .session = BYSTANDER,
                            .start_time = 5,
                            .used = true,
                            .alive = true};
}

/* 1, or with a seed anything from nothing to sixteen times as much. */
static uint64_t pace(uint64_t us)
{
        if (world->seed == 0)
                return us;
        return us * ((unsigned)rand_r(&world->seed) % 17) / 4;
}

void world_ring(void)
{
        const uint64_t one = 1;

        if (write(world->bell_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
                wrong("the bell is full");
}

struct proc *world_proc(pid_t pid)
{
        for (size_t i = 0; i < MAX_PROCS; i++)
                if (world->procs[i].used && world->procs[i].alive && world->procs[i].pid == pid)
                        return &world->procs[i];
        return NULL;
}

static struct proc *proc_new(pid_t parent, pid_t session)
{
        for (size_t i = 0; i < MAX_PROCS; i++)
                if (!world->procs[i].used || !world->procs[i].alive) {
                        struct proc *p = &world->procs[i];
                        pid_t pid = world->next_pid++;
                        *p = (struct proc){.pid = pid,
                                           .parent = parent,
                                           .group = pid,
                                           .session = session,
                                           .start_time = world->now / 10000,
                                           .used = true,
                                           .alive = true};
                        return p;
                }
        wrong("too many processes");
        abort();
}

/* ---- the keeper ---- */

static void keeper_records(uint32_t slot, const struct proc *p)
{
        struct durable_header *h = durable_header_of(world->map);
        struct durable_slot *s = &durable_slots(world->map)[slot];
        uint32_t head = atomic_load(&h->ring_head);

        durable_ring(world->map)[head % DURABLE_MAX_SLOTS] = (struct durable_exit){
                .slot = slot,
                .generation = atomic_load(&s->generation),
                .pid = (uint32_t)p->pid,
                .code = p->code,
                .status = p->status,
                .time_us = world->now,
        };
        atomic_store(&s->exited, atomic_load(&s->generation));
        atomic_store(&durable_pids(world->map)[slot], 0);
        atomic_store(&h->ring_head, head + 1);
        world_ring();
}

static void keeper_remembers(const struct proc *p)
{
        struct durable_header *h = durable_header_of(world->map);
        uint32_t n = atomic_load(&h->n_orphans);
        struct durable_orphan *o = &durable_orphans(world->map)[n % DURABLE_MAX_ORPHANS];

        o->code = p->code;
        o->status = p->status;
        o->time_us = world->now;
        atomic_store(&o->pid, (uint32_t)p->pid);
        atomic_store(&h->n_orphans, n + 1);
}

static void keeper_reaps(const struct proc *p)
{
        uint32_t n = atomic_load(&durable_header_of(world->map)->n_slots);

        for (uint32_t i = 0; i < n; i++)
                if (atomic_load(&durable_pids(world->map)[i]) == (uint32_t)p->pid) {
                        keeper_records(i, p);
                        return;
                }
        keeper_remembers(p);
}

static void proc_ends(struct proc *p)
{
        story("%s: process of %s ends (%s %d)", unit_name_of(p->unit - 1), p->program ? p->program->path : "a helper",
              p->code == CLD_EXITED ? "exit" : "signal", p->status);
        p->alive = false;
        for (size_t i = 0; i < MAX_PROCS; i++)
                if (world->procs[i].used && world->procs[i].parent == p->pid)
                        world->procs[i].parent = 0;
        if (p->parent == 0)
                keeper_reaps(p);
}

/* ---- programs ---- */

static void check_one_main(const struct proc *p)
{
        for (size_t i = 0; i < MAX_PROCS; i++) {
                const struct proc *q = &world->procs[i];
                if (q != p && q->used && q->alive && q->main && q->unit == p->unit)
                        wrong("%s has two main processes", unit_name_of(p->unit - 1));
        }
}

static void program_begins(struct proc *p, const struct program *program)
{
        size_t which = (size_t)(program - world->scenario->programs);
        bool later = program->first > 0 && world->launched[which] >= program->first;
        uint64_t lives_us = later ? program->later_us : program->lives_us;

        world->launched[which]++;
        p->program = program;
        p->says_at = program->says || program->child ? world->now + pace(program->says_us) + 1 : 0;
        p->saying = NULL;
        p->again = program->again;
        p->ends_at = lives_us > 0 ? world->now + pace(lives_us) + 1 : 0;
        if (p->says_at > 0 && p->ends_at > 0 && p->ends_at <= p->says_at)
                p->ends_at = p->says_at + 1;
        p->code = program->code;
        p->status = later ? program->later_status : program->status;
        if (p->main)
                check_one_main(p);
}

static const struct program *program_of(const char *path, size_t length)
{
        for (size_t i = 0; i < ARRAY_SIZE(world->scenario->programs); i++) {
                const struct program *p = &world->scenario->programs[i];
                if (p->path && strlen(p->path) == length && memcmp(p->path, path, length) == 0)
                        return p;
        }
        wrong("no program %.*s", (int)length, path);
        abort();
}

static void said(const struct proc *p, const char *text)
{
        struct said *s;

        if (world->n_said == ARRAY_SIZE(world->said))
                return;
        s = &world->said[world->n_said++];
        s->pid = p->pid;
        (void)snprintf(s->text, sizeof(s->text), "%s", text);
}

static void program_says(struct proc *p)
{
        const struct program *g = p->program;
        const char *saying = p->saying;
        char text[64];
        pid_t child = 0;

        p->says_at = p->again > 0 ? world->now + pace(g->again_us) + 1 : 0;
        p->saying = p->again > 0 ? g->again_says : NULL;
        p->again -= p->again > 0;
        if (saying) {
                said(p, saying);
                return;
        }
        if (g->child) {
                struct proc *c = proc_new(p->pid, p->session);
                c->unit = p->unit;
                c->main = g->writes_pid || !g->says;
                child = c->pid;
                if (c->main && p->main)
                        p->main = false; /* it hands over */
                program_begins(c, program_of(g->child, strlen(g->child)));
        }
        if (g->writes_pid) {
                (void)snprintf(world->pid_file, sizeof(world->pid_file), "%d\n", (int)child);
                world->pid_file_changed = true;
        }
        if (g->says) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                (void)snprintf(text, sizeof(text), g->says, (int)child);
#pragma GCC diagnostic pop
                said(p, text);
        }
}

int world_signal(struct proc *p, int signal)
{
        static const struct program none;
        const struct program *g = p->program ? p->program : &none;
        int ends_by = g->ends_by > 0 ? g->ends_by : SIGTERM;

        if (signal == 0 || signal == SIGCONT)
                return 0;
        if (signal != SIGKILL && (g->deaf || (g->ends_by > 0 && signal != g->ends_by)))
                return 0;
        if (signal == g->heeds) {
                p->saying = g->answers;
                p->says_at = g->answers ? world->now + pace(g->says_us) + 1 : 0;
                return 0;
        }
        if (signal == ends_by && g->term_us > 0) {
                p->code = CLD_EXITED;
                p->status = g->term_status;
                p->ends_at = world->now + g->term_us;
                return 0;
        }
        p->code = CLD_KILLED;
        p->status = signal;
        p->ends_at = world->now + 10;
        p->says_at = 0;
        return 0;
}

/* ---- the launcher ---- */

static void start_gets_pid(struct start *s)
{
        struct durable_slot *d = &durable_slots(world->map)[s->slot];
        struct proc *p;

        s->pid_at = 0;
        if (s->program && s->program->how == NO_PID) {
                atomic_store(&d->step, PLAN_STEP_FORK);
                atomic_store(&d->error, EAGAIN);
                atomic_store(&d->launch, LAUNCH_FAILED);
                s->used = false;
                world_ring();
                return;
        }
        p = proc_new(0, world->next_pid++);
        p->unit = d->unit + 1;
        s->pid = p->pid;
        s->has_pid = true;
        atomic_store(&d->last_pid, (uint32_t)p->pid);
        atomic_store(&durable_pids(world->map)[s->slot], (uint32_t)p->pid);
}

static void start_execs(struct start *s)
{
        struct durable_slot *d = &durable_slots(world->map)[s->slot];
        struct proc *p = world_proc(s->pid);

        s->exec_at = 0;
        s->execed = true;
        if (!p)
                return; /* killed on the way */
        if (atomic_load(&d->generation) != s->generation)
                wrong("a start of %s goes on in a slot that is another's", unit_name_of(p->unit - 1));
        if (s->slot < DURABLE_FIRST_SLOTS && world->execed[s->slot] == s->generation)
                wrong("an intent of %s was started twice", unit_name_of(p->unit - 1));
        if (s->slot < DURABLE_FIRST_SLOTS)
                world->execed[s->slot] = s->generation;
        world->n_execs++;
        if (!s->program) { /* a check, or a clean-up */
                world->pid_file[0] = 0;
                p->code = CLD_EXITED;
                p->ends_at = world->now + 20;
        } else if (s->program->how == NO_EXEC) {
                p->code = CLD_EXITED;
                p->status = 203;
                p->ends_at = world->now + 20;
        } else {
                p->main = d->role == 0;
                program_begins(p, s->program);
        }
}

static void start_is_noted(struct start *s)
{
        struct durable_slot *d = &durable_slots(world->map)[s->slot];
        const struct proc *p = world_proc(s->pid);

        s->used = false;
        if (p) {
                atomic_store(&d->session, (uint32_t)p->session);
                atomic_store(&d->start_time, p->start_time);
        }
        if (s->program && s->program->how == NO_EXEC) {
                atomic_store(&d->step, PLAN_STEP_EXEC);
                atomic_store(&d->error, ENOENT);
        }
        atomic_store(&d->launch, s->program && s->program->how == NO_EXEC ? LAUNCH_FAILED : LAUNCH_EXECED);
        world_ring();
}

/* The keeper starts the next manager when no start of the old one can still happen. */
void world_manager_died(void)
{
        for (size_t i = 0; i < MAX_STARTS; i++) {
                struct start *s = &world->starts[i];
                struct proc *p = s->used && s->has_pid ? world_proc(s->pid) : NULL;
                if (!s->used)
                        continue;
                if (world->fate == FATE_FINISH) {
                        if (s->pid_at > 0)
                                start_gets_pid(s);
                        if (s->used && s->exec_at > 0)
                                start_execs(s);
                        if (s->used)
                                start_is_noted(s);
                } else if (p && !s->execed && world->fate == FATE_STRAGGLERS_KILLED) {
                        p->code = CLD_KILLED;
                        p->status = SIGKILL;
                        proc_ends(p);
                } else if (p && !s->execed) {
                        start_execs(s); /* on its way; nobody notes it */
                }
                s->used = false;
        }
}

/* ---- time ---- */

static void earlier(uint64_t *at, uint64_t us)
{
        if (us > 0 && (*at == 0 || us < *at))
                *at = us;
}

uint64_t world_next(void)
{
        uint64_t at = 0;

        for (size_t i = 0; i < MAX_STARTS; i++) {
                const struct start *s = &world->starts[i];
                if (!s->used)
                        continue;
                earlier(&at, s->pid_at);
                earlier(&at, s->pid_at ? 0 : s->exec_at);
                earlier(&at, s->pid_at || s->exec_at ? 0 : s->note_at);
        }
        for (size_t i = 0; i < MAX_PROCS; i++)
                if (world->procs[i].used && world->procs[i].alive) {
                        earlier(&at, world->procs[i].says_at);
                        earlier(&at, world->procs[i].ends_at);
                }
        return at;
}

static bool start_step(uint64_t at)
{
        for (size_t i = 0; i < MAX_STARTS; i++) {
                struct start *s = &world->starts[i];
                if (!s->used)
                        continue;
                if (s->pid_at > 0 && s->pid_at <= at)
                        start_gets_pid(s);
                else if (s->pid_at == 0 && s->exec_at > 0 && s->exec_at <= at)
                        start_execs(s);
                else if (s->pid_at == 0 && s->exec_at == 0 && s->note_at <= at)
                        start_is_noted(s);
                else
                        continue;
                return true;
        }
        return false;
}

static bool proc_step(uint64_t at)
{
        for (size_t i = 0; i < MAX_PROCS; i++) {
                struct proc *p = &world->procs[i];
                if (!p->used || !p->alive)
                        continue;
                if (p->says_at > 0 && p->says_at <= at)
                        program_says(p);
                else if (p->ends_at > 0 && p->ends_at <= at)
                        proc_ends(p);
                else
                        continue;
                return true;
        }
        return false;
}

void world_run_until(uint64_t us)
{
        uint64_t at = world_next();

        while (at > 0 && at <= us) {
                world->now = MAX2(world->now, at);
                if (!start_step(at))
                        (void)proc_step(at);
                at = world_next();
        }
        world->now = MAX2(world->now, us);
}
