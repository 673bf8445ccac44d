/* SPDX-License-Identifier: MIT
 *
 * The doors of the manager that lead to other programs: the status table, kept in plain memory, and the control server,
 * through which the commands of a scenario come.
 *
 * Not here: the rooms status/ and control/, which have tests of their own. Invariant: a command that was carried out
 * before a death is found by its request id, and not given twice.
 */
#include "world.h"

#include <signal.h>
#include <stdio.h>

/* Which unit files are enabled is found out by a real program; there is none in this world. */
void __wrap_file_states_begin(struct manager *m);
void __wrap_file_states_begin(struct manager *m unused_)
{
}

/* ---- changes ---- */

int changes_open(const char *name unused_, uint64_t id unused_, uint64_t end, struct changes **ret)
{
        if (end < world->changes_shown || end > world->changes_end)
                wrong("%llu changes are committed, %llu shown and %llu written", (unsigned long long)end,
                      (unsigned long long)world->changes_shown, (unsigned long long)world->changes_end);
        *ret = (struct changes *)(void *)world;
        return 0;
}

void changes_close(struct changes *c unused_, bool remove unused_)
{
}

/* What a death has cut off is written again, under the same numbers; nothing that counts is written over. */
void changes_write(struct changes *c unused_, struct supd_change *v, unsigned n)
{
        for (unsigned i = 0; i < n; i++) {
                if (v[i].number < world->changes_shown || v[i].number > world->changes_end)
                        wrong("change %llu of %s is written where %llu are shown and %llu written",
                              (unsigned long long)v[i].number, v[i].name, (unsigned long long)world->changes_shown,
                              (unsigned long long)world->changes_end);
                world->changes[v[i].number % ARRAY_SIZE(world->changes)] =
                        (struct changed){(uint8_t)v[i].unit, v[i].from_sub, v[i].sub};
                world->changes_end = v[i].number + 1;
        }
}

void changes_write_past(struct changes *c unused_, struct supd_past *p)
{
        if (p->begin_real_us == 0 || p->end_real_us < p->begin_real_us)
                wrong("an activation ends that never began");
}

/* None is lost and none comes twice: each begins where the one before of that unit has ended. */
void changes_publish(struct changes *c unused_, uint64_t end)
{
        if (end < world->changes_shown || end > world->changes_end)
                wrong("%llu changes are shown of %llu", (unsigned long long)end,
                      (unsigned long long)world->changes_end);
        for (; world->changes_shown < end; world->changes_shown++) {
                const struct changed *x = &world->changes[world->changes_shown % ARRAY_SIZE(world->changes)];
                uint8_t *sub = &world->shown_sub[x->unit % ARRAY_SIZE(world->shown_sub)];

                if (*sub != 0 && *sub != x->from)
                        wrong("change %llu of %s goes from %u, and the one before went to %u",
                              (unsigned long long)world->changes_shown, unit_name_of(x->unit), x->from, *sub);
                *sub = x->to;
        }
}

/* ---- status ---- */

static struct supd_status_row rows[256], nowhere;
static struct supd_status_header header;

int status_open(const char *name unused_, struct status_table **ret, struct diag *diag unused_)
{
        *ret = (struct status_table *)(void *)&header;
        return 0;
}

int status_reserve(struct status_table *t unused_, uint32_t n unused_)
{
        return 0;
}

struct supd_status_row *status_row(struct status_table *t unused_, uint32_t i)
{
        return i < ARRAY_SIZE(rows) ? &rows[i] : &nowhere;
}

int status_set_text(struct status_table *t unused_, uint32_t i unused_, uint32_t which unused_, const char *s unused_)
{
        return 0;
}

struct supd_status_header *status_header(struct status_table *t unused_)
{
        return &header;
}

static bool marked[ARRAY_SIZE(rows)];
static status_draw draw;
static void *draw_userdata;

void status_draw_with(struct status_table *t unused_, status_draw d, void *userdata)
{
        draw = d;
        draw_userdata = userdata;
}

void status_mark(struct status_table *t unused_, uint32_t i)
{
        if (i < ARRAY_SIZE(marked))
                marked[i] = true;
}

uint64_t status_publish(struct status_table *t unused_, uint64_t now_us unused_)
{
        for (uint32_t i = 0; i < ARRAY_SIZE(marked); i++)
                if (marked[i]) {
                        marked[i] = false;
                        draw(draw_userdata, i);
                }
        return 0;
}

bool status_is_on(const struct status_table *t unused_)
{
        return true;
}

const char *status_reason(const struct status_table *t unused_)
{
        return "";
}

void status_close(struct status_table *t unused_, bool remove unused_)
{
}

/* ---- cgroup: there are none here ---- */

int cgroup_open(struct cgroup *ret, const char *under unused_, const char *name unused_)
{
        *ret = (struct cgroup){.fd = -1};
        return 0;
}

int cgroup_mount(void)
{
        return -EPERM;
}

int cgroup_reopen(struct cgroup *ret unused_, const void *record unused_, size_t size unused_, int fd unused_)
{
        return -EBADMSG;
}

int cgroup_record(const struct cgroup *c unused_, struct buf *ret unused_)
{
        return -EOPNOTSUPP;
}

int cgroup_enter_manager(const struct cgroup *c unused_, pid_t pid unused_)
{
        return -EOPNOTSUPP;
}

int cgroup_enable_controllers(const struct cgroup *c unused_, const char *controllers unused_, bool own_too unused_,
                              struct buf *ret unused_)
{
        return -EOPNOTSUPP;
}

int cgroup_path(const struct cgroup *c unused_, const char *unit unused_, struct buf *ret unused_)
{
        return -EOPNOTSUPP;
}

int cgroup_remove(const struct cgroup *c unused_, const char *unit unused_)
{
        return -EOPNOTSUPP;
}

int cgroup_pids(const struct cgroup *c unused_, const char *unit unused_, struct buf *ret unused_)
{
        return -EOPNOTSUPP;
}

int cgroup_populated(const struct cgroup *c unused_, const char *unit unused_)
{
        return -EOPNOTSUPP;
}

int cgroup_kill(const struct cgroup *c unused_, const char *unit unused_)
{
        return -EOPNOTSUPP;
}

void cgroup_remove_all(const struct cgroup *c unused_)
{
}

const char *cgroup_case_name(enum cgroup_case c unused_)
{
        return "none";
}

/* ---- control ---- */

static const struct control_ops *ops;
static void *ops_userdata;
static struct control_request request;

int control_server_new(int fd unused_, const struct control_ops *o, void *userdata, struct control_server **ret)
{
        ops = o;
        ops_userdata = userdata;
        *ret = (struct control_server *)(void *)&request;
        return 0;
}

int control_server_set_poll(struct control_server *s unused_, const struct control_poll *p unused_)
{
        return 0;
}

void control_server_ready(struct control_server *s unused_, void *cookie unused_, bool r unused_, bool w unused_,
                          bool h unused_)
{
}

const struct control_request *control_server_request(const struct control_server *s unused_)
{
        return request.id[0] ? &request : NULL;
}

void control_job_new(struct control_server *s unused_, const struct control_job *job unused_)
{
}

void control_job_removed(struct control_server *s unused_, const struct control_job *job)
{
        story("%s: job %s ends: %s", job->unit, job_type_name(job->type), job_result_name(job->result));
}

void control_unit_changed(struct control_server *s unused_, const char *unit unused_)
{
}

void control_unit_new(struct control_server *s unused_, const char *unit unused_)
{
}

void control_unit_removed(struct control_server *s unused_, const char *unit unused_)
{
}

unsigned control_server_n_peers(const struct control_server *s unused_)
{
        return 1;
}

void control_server_free(struct control_server *s unused_)
{
}

void control_reload_done(struct control_server *s unused_, int result unused_)
{
}

void control_reexecute_refused(struct control_server *s unused_, const char *why unused_)
{
}

void control_reloading(struct control_server *s unused_, bool active unused_)
{
}

/* ---- commands ---- */

static void enqueue(const struct command *c, unsigned number, enum job_request what)
{
        struct control_error e = {0};
        uint32_t job;

        request = (struct control_request){.id = {(uint8_t)(number + 1), 0xc0}};
        if (ops->find_request(ops_userdata, request.id, &job) == 0)
                story("command %u was given before the death", number);
        else if (ops->enqueue(ops_userdata, c->unit, what, MODE_REPLACE, &job, &e) < 0) {
                story("command refused: %s", e.message); /* people try again */
                (void)ops->enqueue(ops_userdata, c->unit, what, MODE_REPLACE, &job, &e);
        }
        request.id[0] = 0;
}

static void kill_main(const char *unit)
{
        for (size_t i = 0; i < MAX_PROCS; i++) {
                struct proc *p = &world->procs[i];
                if (p->used && p->alive && p->main && streq(unit_name_of(p->unit - 1), unit))
                        (void)world_signal(p, SIGKILL);
        }
}

static void post_event(const char *unit, enum machine_event e)
{
        struct manager *m = manager_of_world;

        story("%s: event %s", unit, machine_event_name(e));
        for (uint32_t i = 0; i < m->n_runs; i++)
                if (streq(m->runs[i]->name, unit))
                        engine_post(m, m->runs[i], e, 0, 0);
}

void doors_command(const struct command *c, unsigned number)
{
        static const struct {
                const char *word;
                enum job_request request;
        } jobs[] = {
                [START_UNIT] = {"start", REQUEST_START},
                [STOP_UNIT] = {"stop", REQUEST_STOP},
                [RESTART_UNIT] = {"restart", REQUEST_RESTART},
                [RELOAD_UNIT] = {"reload", REQUEST_RELOAD},
        };
        struct control_error e;

        if (c->verb < ARRAY_SIZE(jobs) && jobs[c->verb].word) {
                story("command: %s %s", jobs[c->verb].word, c->unit);
                enqueue(c, number, jobs[c->verb].request);
        } else if (c->verb == RESET_UNIT) {
                story("command: reset-failed %s", c->unit);
                (void)ops->reset_failed(ops_userdata, c->unit, &e);
        } else if (c->verb == DAEMON_RELOAD) {
                story("command: daemon-reload");
                atomic_fetch_or(&durable_header_of(world->map)->requests, DURABLE_REQUEST_RELOAD);
                world_ring();
        } else if (c->verb == POST_EVENT) {
                post_event(c->unit, c->event);
        } else {
                story("somebody kills the main process of %s", c->unit);
                kill_main(c->unit);
        }
}
