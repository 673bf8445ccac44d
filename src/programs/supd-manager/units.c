/* SPDX-License-Identifier: MIT
 *
 * Units by name and by number; loading them with everything they name; their source text (blobs) in the runtime
 * directory; daemon-reload.
 *
 * A unit keeps its number for good: rows, slots, jobs and records refer to it. The blob file of a generation is only
 * appended to; a reload writes a new generation, and the commit that points at it makes it count.
 * Invariant: run->unit is never NULL once units_add() and units_load_pending() are through.
 */
#include "manager.h"

#include <dirent.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <sys/stat.h>

#define LOAD_AGAIN_US (200 * USEC_PER_MSEC) /* fds or memory were short */

/* ---- names ---- */

static uint32_t name_hash(const char *s)
{
        uint32_t h = 2166136261u;

        for (; *s; s++)
                h = (h ^ (unsigned char)*s) * 16777619u;
        return h;
}

static struct run *hash_find(const struct manager *m, const char *name)
{
        if (m->hash_size == 0)
                return NULL;
        for (uint32_t i = name_hash(name) & (m->hash_size - 1); m->hash[i].name; i = (i + 1) & (m->hash_size - 1))
                if (streq(m->hash[i].name, name))
                        return m->runs[m->hash[i].unit];
        return NULL;
}

static void hash_put(struct manager *m, const char *name, uint32_t unit)
{
        uint32_t i = name_hash(name) & (m->hash_size - 1);

        while (m->hash[i].name && !streq(m->hash[i].name, name))
                i = (i + 1) & (m->hash_size - 1);
        if (!m->hash[i].name)
                m->hash_used++;
        m->hash[i] = (struct name_slot){name, unit};
}

/* NAME must live as long as the table (the run's own copy, or its unit's). */
static int hash_add(struct manager *m, const char *name, uint32_t unit)
{
        if (m->hash_used * 2 >= m->hash_size) {
                struct name_slot *old = m->hash;
                uint32_t n = m->hash_size;
                m->hash = calloc(n ? n * 2 : 256, sizeof(*m->hash));
                if (!m->hash) {
                        m->hash = old;
                        return -ENOMEM;
                }
                m->hash_size = n ? n * 2 : 256;
                m->hash_used = 0;
                for (uint32_t i = 0; i < n; i++)
                        if (old[i].name)
                                hash_put(m, old[i].name, old[i].unit);
                free(old);
        }
        hash_put(m, name, unit);
        return 0;
}

/* All names of R lead to it; but a name under which something else is loaded stays with that. */
static int hash_add_names(struct manager *m, struct run *r)
{
        int v = 0;

        for (unsigned i = 0; i < r->unit->names.n && v == 0; i++) {
                const struct run *other = hash_find(m, r->unit->names.v[i]);
                if (!other || (other != r && other->unit && other->unit->load_state == LOAD_NOT_FOUND &&
                               run_active(other) == ACTIVE_INACTIVE))
                        v = hash_add(m, r->unit->names.v[i], r->id);
        }
        return v;
}

/* Built anew behind a reload, since aliases may have gone. */
static int hash_rebuild(struct manager *m)
{
        int v = 0;

        memset(m->hash, 0, m->hash_size * sizeof(*m->hash));
        m->hash_used = 0;
        for (uint32_t i = 0; i < m->n_runs && v == 0; i++)
                v = hash_add(m, m->runs[i]->name, i);
        for (uint32_t i = 0; i < m->n_runs && v == 0; i++)
                v = hash_add_names(m, m->runs[i]);
        return v;
}

struct run *units_find(struct manager *m, const char *name)
{
        return hash_find(m, name);
}

static int runs_reserve(struct manager *m, uint32_t n)
{
        if (n > m->runs_allocated) {
                uint32_t want = MAX2(n, m->runs_allocated ? m->runs_allocated * 2 : 64);
                struct run **p = reallocarray(m->runs, want, sizeof(*p));
                if (!p)
                        return -ENOMEM;
                memset(p + m->runs_allocated, 0, (want - m->runs_allocated) * sizeof(*p));
                m->runs = p;
                m->runs_allocated = want;
        }
        if (n > m->heap_allocated) {
                struct run **p = reallocarray(m->heap, m->runs_allocated, sizeof(*p));
                if (!p)
                        return -ENOMEM;
                m->heap = p;
                m->heap_allocated = m->runs_allocated;
        }
        return 0;
}

/* A unit that is known by name from now on, not loaded yet. ID: its old number, or n_runs for a new one. */
int units_add(struct manager *m, const char *name, uint32_t id, struct run **ret)
{
        struct run *r;
        int v = runs_reserve(m, MAX2(id + 1, m->n_runs));

        if (v < 0)
                return v;
        r = calloc(1, sizeof(*r));
        if (!r)
                return -ENOMEM;
        r->id = id;
        r->watch_fd = -1;
        r->name = strdup(name);
        r->d.state = unit_name_type(name) == UNIT_SERVICE ? STATE_DEAD : STATE_PASSIVE_DEAD;
        if (!r->name || hash_add(m, r->name, id) < 0) {
                free(r->name);
                free(r);
                return -ENOMEM;
        }
        m->runs[id] = r;
        if (id >= m->n_runs)
                m->n_runs = id + 1;
        *ret = r;
        return 0;
}

/* ---- blobs ---- */

static void blob_path(const struct manager *m, uint32_t generation, char *ret, size_t size)
{
        (void)snprintf(ret, size, "%s/units.%u", m->runtime_dir, generation);
}

int units_blobs_open(struct manager *m)
{
        char path[4096];

        blob_path(m, m->meta.blob_generation, path, sizeof(path));
        close_fd_p(&m->blob_fd);
        m->blob_fd = open(path, (m->checking ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC | O_NOFOLLOW, 0600);
        return m->blob_fd < 0 ? -errno : 0;
}

/* Behind the last one that counts; a blob that could not be kept only means that a crash reads the disk again. */
static void blob_keep(struct manager *m, struct run *r, const struct buf *blob)
{
        if (m->blob_fd < 0 || buf_append(&m->blobs, blob->data, blob->size) < 0) {
                r->blob = (struct blob_durable){0};
                return;
        }
        r->blob = (struct blob_durable){
                .offset = m->meta.blob_size,
                .size = (uint32_t)blob->size,
                .generation = m->meta.blob_generation,
                .read_us = sys_real_us(),
        };
        m->meta.blob_size += blob->size;
        m->meta_dirty = true;
}

/* What was kept since the last time, in one write. What cannot be written is no blob for whoever reads it. */
static void blobs_write(struct manager *m)
{
        uint64_t at = m->meta.blob_size - m->blobs.size;

        if (m->blobs.size > 0 && pwrite(m->blob_fd, m->blobs.data, m->blobs.size, (off_t)at) != (ssize_t)m->blobs.size)
                log_line(m, NULL, "no copy of the unit files can be kept in %s: %s", m->runtime_dir, strerror(errno));
        buf_done(&m->blobs);
}

/* ---- loading ---- */

int units_parse(struct manager *m, struct run *r, const void *blob, size_t size)
{
        cleanup_diag_ struct diag diag = {0};
        struct unit *u, *old = r->unit;
        uint32_t hash = poison_hash(blob, size);
        int v;

        loop_beat(m);
        if (poison_is(m, hash))
                return -EKEYREJECTED;
        poison_reading(m, hash);
        v = unit_parse(blob, size, &m->context, &u, &diag);
        poison_past(m);

        if (!m->recovering)
                log_diag(m, &diag);
        if (v < 0)
                return v;
        if (old) {
                groups_stay(m, r, u);
                resources_changed(m, r, u);
        }
        r->unit = u;
        r->loaded = true;
        (void)hash_add_names(m, r); /* an alias that is missed is found on the disk again */
        if (old) {
                struct unit **stale = reallocarray(m->stale, m->n_stale + 1, sizeof(*stale));
                if (!stale)
                        engine_out_of_memory();
                m->stale = stale;
                m->stale[m->n_stale++] = old; /* names in the hash still point into it */
        }
        return 0;
}

const struct unit_paths *units_paths_of(const struct manager *m, const struct run *r)
{
        return streq(r->name, FRONT_UNIT) ? &m->own_paths : &m->paths;
}

/* What killed three managers is not looked at: the unit is there as one without a file, and says why. */
static int load_none(struct manager *m, struct run *r)
{
        static char why[] = "three managers died while they read it; it is read again when its text is another one";
        cleanup_diag_ struct diag diag = {0};
        cleanup_buf_ struct buf blob = {0};
        int v = unit_gather(&m->no_paths, r->name, &blob, &diag);

        if (v == 0)
                v = units_parse(m, r, blob.data, blob.size);
        if (v < 0)
                return v;
        r->unread = true;
        r->unit->load_state = LOAD_ERROR;
        r->unit->load_error = why; /* not the unit's own memory, like all else in it */
        log_line(m, r->name, "%s", why);
        engine_show(m, r);
        return 0;
}

static int load_one(struct manager *m, struct run *r)
{
        cleanup_diag_ struct diag diag = {0};
        cleanup_buf_ struct buf blob = {0};
        int v;

        if (poison_is(m, poison_hash(r->name, strlen(r->name))))
                return load_none(m, r);
        r->unread = false;
        poison_reading(m, poison_hash(r->name, strlen(r->name)));
        v = unit_gather(units_paths_of(m, r), r->name, &blob, &diag);
        poison_past(m);
        log_diag(m, &diag);
        if (v < 0)
                return v;
        v = units_parse(m, r, blob.data, blob.size);
        if (v == -EKEYREJECTED)
                return load_none(m, r);
        if (v < 0)
                return v;
        blob_keep(m, r, &blob);
        v = state_reserve(m->state, engine_live_bytes(m));
        if (v == 0)
                v = state_put(m->state, RECORD_NAME, r->id, r->name, strlen(r->name) + 1);
        if (v == 0 && r->blob.size > 0)
                v = state_put(m->state, RECORD_BLOB, r->id, &r->blob, sizeof(r->blob));
        if (v == -ENOSPC)
                m->compact_due = true; /* the next commit writes everything anew */
        m->meta_dirty = true; /* there is something to commit; the record itself is still what its default says */
        engine_show(m, r);
        return 0;
}

/* The run of NAME: it may be a link to a unit that is known by another name. NULL when there is none. */
static struct run *find_resolved(struct manager *m, const char *name, char ret_id[static 256])
{
        struct run *r = hash_find(m, name);

        (void)snprintf(ret_id, 256, "%s", name);
        if (r || streq(name, FRONT_UNIT) || unit_resolve(&m->paths, name, ret_id) < 0)
                return r;
        return hash_find(m, ret_id);
}

static int want(struct manager *m, const char *wanted)
{
        char name[256];
        struct run *r;
        int v;

        if (!unit_name_valid(wanted) || unit_name_is_template(wanted))
                return 0;
        r = find_resolved(m, wanted, name);
        if (r || unit_name_is_template(name))
                return 0;
        v = units_add(m, name, m->n_runs, &r);
        return v < 0 ? v : list_add(&m->to_load, r->id);
}

static int want_all(struct manager *m, const struct unit *u)
{
        int v = 0;

        for (unsigned d = 0; d < N_UNIT_DEPENDENCIES; d++)
                for (unsigned i = 0; d != DEP_REQUIRES_MOUNTS_FOR && i < u->dependencies[d].n && v == 0; i++)
                        v = want(m, u->dependencies[d].v[i]);
        return v == 0 && u->trigger ? want(m, u->trigger) : v;
}

/* A default After= of a target is left out where it would only make a cycle (unit.h, n_default_after). */
static bool default_after_applies(const struct run *target, const struct run *other)
{
        if (!other->unit->default_dependencies)
                return false;
        for (unsigned i = 0; i < other->unit->dependencies[DEP_AFTER].n; i++)
                if (streq(other->unit->dependencies[DEP_AFTER].v[i], target->name))
                        return false;
        return true;
}

int units_make_edges(struct manager *m, struct run *r)
{
        const struct run *triggered = r->unit->trigger ? hash_find(m, r->unit->trigger) : NULL;
        int v = graph_resize(m->graph, m->n_runs);

        for (unsigned d = 0; d < N_UNIT_DEPENDENCIES; d++) {
                const struct strings *names = &r->unit->dependencies[d];
                for (unsigned i = 0; d != DEP_REQUIRES_MOUNTS_FOR && i < names->n && v == 0; i++) {
                        struct run *other = hash_find(m, names->v[i]);
                        bool by_default = d == DEP_AFTER && i + r->unit->n_default_after >= names->n;
                        if (!other || other == r || (by_default && !default_after_applies(r, other)))
                                continue;
                        v = graph_add(m->graph, r->id, d, other->id);
                }
        }
        if (v == 0 && triggered && triggered != r)
                v = graph_add(m->graph, r->id, GRAPH_TRIGGERS, triggered->id);
        r->edges_made = v == 0;
        return v;
}

/* Reads what is wanted and what that wants in turn, then draws the edges: only now is everything known. */
int units_load_pending(struct manager *m)
{
        size_t i;
        int v = 0;

        unit_paths_hold(&m->paths, true); /* one look at the directories serves them all */
        for (i = 0; i < m->to_load.n && v == 0; i++) {
                struct run *r = m->runs[m->to_load.v[i]];
                v = load_one(m, r);
                if (v < 0) {
                        log_line(m, r->name, "cannot be loaded: %s", strerror(-v));
                        if (units_parse_missing(m, r) < 0 || list_add(&m->to_load_again, r->id) < 0)
                                engine_out_of_memory(); /* a unit without contents would be a hole in everything */
                        m->load_retry_us = sys_mono_us() + LOAD_AGAIN_US;
                        v = 0;
                }
                if (v == 0)
                        v = want_all(m, r->unit);
        }
        unit_paths_hold(&m->paths, false);
        blobs_write(m);
        for (size_t j = 0; j < m->to_load.n && v == 0; j++)
                v = units_make_edges(m, m->runs[m->to_load.v[j]]);
        for (size_t j = 0; j < m->to_edge.n && v == 0; j++)
                v = units_make_edges(m, m->runs[m->to_edge.v[j]]);
        if (v == -ENOMEM)
                engine_out_of_memory(); /* what is listed and not read yet would be forgotten */
        m->rest_due |= i > 0;
        m->to_load.n = m->to_edge.n = 0;
        if (m->table)
                (void)status_reserve(m->table, m->n_runs);
        return v;
}

/* Once what was read has found its place and no job is left: what reading and starting needed goes back, the free pages
 * amid the heap included. */
void units_rest(struct manager *m)
{
        if (!m->rest_due || !m->table || status_header(m->table)->n_jobs > 0)
                return;
        m->rest_due = false;
        unit_paths_rest(&m->paths);
#ifdef __GLIBC__
        (void)malloc_trim(0);
#endif
}

/* A unit that says "not found": for what cannot be read at all. */
int units_parse_missing(struct manager *m, struct run *r)
{
        cleanup_buf_ struct buf blob = {0};
        int v = unit_gather(&m->no_paths, r->name, &blob, NULL);

        return v < 0 ? v : units_parse(m, r, blob.data, blob.size);
}

/* What could not be read when fds or memory were short: read it now, before somebody asks what it says. */
static void load_again(struct manager *m)
{
        size_t n = m->to_load_again.n;

        m->to_load_again.n = 0; /* what fails again is listed again, further down than what is being read */
        for (size_t i = 0; i < n; i++) {
                uint32_t id = m->to_load_again.v[i];
                if (units_reload_one(m, m->runs[id]) == 0)
                        continue;
                (void)list_add(&m->to_load_again, id);
                m->load_retry_us = sys_mono_us() + LOAD_AGAIN_US;
        }
        if (n > 0 && units_load_pending(m) < 0)
                m->load_retry_us = sys_mono_us() + LOAD_AGAIN_US;
}

void units_turn(struct manager *m)
{
        if (m->load_retry_us == 0 || sys_mono_us() < m->load_retry_us)
                return;
        m->load_retry_us = 0;
        load_again(m);
        if (m->boot_tries > 0)
                begin_default(m); /* which has waited for it */
}

/* A unit that was named by others and not found is looked for again when there is a file for it by now, so that nobody
 * has to ask for it by name, nor for everything to be read again. Without a change in the directories that costs a stat
 * of each. */
int units_retry_missing(struct manager *m)
{
        uint32_t n = m->n_runs;
        int v = 0;

        if (!unit_paths_changed(&m->paths))
                return 0;
        for (uint32_t i = 0; i < n && v == 0; i++) {
                struct run *r = m->runs[i];
                if (r->unit->load_state == LOAD_NOT_FOUND && run_active(r) == ACTIVE_INACTIVE &&
                    unit_paths_have(&m->paths, r->name))
                        v = units_reload_one(m, r);
        }
        return v < 0 ? v : units_load_pending(m);
}

int units_get(struct manager *m, const char *name, struct run **ret)
{
        char id[256];
        struct run *r;
        int v = 0;

        if (!unit_name_valid(name) || unit_name_is_template(name))
                return -EINVAL;
        load_again(m);
        r = find_resolved(m, name, id);
        if (r && (r->unit->load_state == LOAD_NOT_FOUND || r->unit->load_state == LOAD_ERROR))
                v = units_reload_one(m, r); /* it may have appeared since */
        if (!r)
                v = want(m, id);
        if (v == 0)
                v = units_load_pending(m);
        if (v < 0)
                return v;
        r = find_resolved(m, name, id);
        if (!r)
                return -EINVAL; /* a link to a template */
        *ret = r;
        return 0;
}

/* RUNTIME_DIR/units: a link whose text says where units are looked for (install_place_parse), for the tools that work
 * on the files. Without it they take the usual places. */
static void name_places(const struct manager *m)
{
        cleanup_buf_ struct buf text = {0};
        char path[4096];

        (void)snprintf(path, sizeof(path), "%s/units", m->runtime_dir);
        (void)unlink(path);
        if (buf_printf(&text, "%s%s:%s", m->user_mode ? "user-" : "", m->systemd_units ? "systemd" : "supd",
                       m->unit_path ? m->unit_path : "") >= 0)
                (void)!symlink(buf_str(&text), path);
}

int units_init(struct manager *m)
{
        char own[4096];
        int v = unit_paths_init(&m->paths, m->unit_path, m->systemd_units, m->user_mode);

        if (v == 0 && m->systemd_units && !m->user_mode)
                v = unit_paths_add_generated(&m->paths, m->runtime_dir);
        if (v == 0)
                v = unit_paths_add_transient(&m->paths, m->runtime_dir);
        if (!m->checking) {
                name_places(m);
                file_states_begin(m);
        }
        (void)snprintf(own, sizeof(own), "%s/builtin", m->runtime_dir);
        if (v == 0)
                v = unit_paths_init(&m->own_paths, own, false, false);
        if (v == 0)
                v = unit_paths_init(&m->no_paths, "/dev/null/nowhere", false, false);
        return v < 0 ? v : graph_new(&m->graph);
}

/* ---- daemon-reload ---- */

int units_reload_one(struct manager *m, struct run *r)
{
        int v = load_one(m, r);

        if (v < 0)
                return v;
        graph_clear_from(m->graph, r->id);
        v = want_all(m, r->unit);
        return v < 0 ? v : list_add(&m->to_edge, r->id);
}

static void stale_free(struct manager *m)
{
        for (size_t i = 0; i < m->n_stale; i++)
                unit_free(m->stale[i]);
        m->n_stale = 0;
}

/* Reads every known unit again. What runs goes on running; what changed counts from its next step on. */
int units_reload(struct manager *m)
{
        uint32_t n = m->n_runs, old = m->meta.blob_generation;
        char path[4096];
        int v = 0;

        file_states_begin(m);
        m->meta.blob_generation++;
        m->meta.blob_size = 0;
        m->meta_dirty = true;
        if (units_blobs_open(m) < 0)
                log_line(m, NULL, "no copy of the unit files can be kept in %s: %s", m->runtime_dir, strerror(errno));
        else
                (void)!ftruncate(m->blob_fd, 0);
        for (uint32_t i = 0; i < n && v == 0; i++)
                v = units_reload_one(m, m->runs[i]);
        if (v == 0)
                v = units_load_pending(m);
        if (hash_rebuild(m) < 0)
                v = -ENOMEM;
        stale_free(m);
        engine_settle(m);
        m->compact_due = true;
        if (engine_commit(m) < 0 || m->unwritten_end)
                return v;                      /* the log means the old one, as long as it can mean no other */
        blob_path(m, old, path, sizeof(path)); /* only now does the new generation count */
        (void)unlink(path);
        return v;
}

/* A reload writes a new generation and removes the old one behind its commit: a manager that dies in it leaves the one
 * or the other. */
void units_blobs_tidy(struct manager *m)
{
        DIR *d = opendir(m->runtime_dir);
        struct dirent *e;
        unsigned generation;
        char rest;

        while (d && (e = readdir(d)))
                if (sscanf(e->d_name, "units.%u%c", &generation, &rest) == 1 && generation != m->meta.blob_generation)
                        (void)unlinkat(dirfd(d), e->d_name, 0);
        if (d)
                (void)closedir(d);
}

void units_blobs_remove(struct manager *m)
{
        char path[4096];

        blob_path(m, m->meta.blob_generation, path, sizeof(path));
        (void)unlink(path);
}
