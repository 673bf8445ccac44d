/* SPDX-License-Identifier: MIT
 *
 * Makes the compact struct unit of a draft: one allocation of the exact size with the unit, its service part, its
 * arrays and its strings. See draft.h.
 *
 * One walk over all pointers is done twice: the first time it counts, the second time it copies and rewrites them.
 * Invariant: nothing in the result points into the draft.
 */
#include "unit/draft.h"

#include <signal.h>

/* Names that nearly every unit carries: shared, not copied. Sorted. */
static const char *const common_words[] = {
        "basic.target",      "dbus.socket",           "local-fs.target",
        "multi-user.target", "network-online.target", "network.target",
        "nss-lookup.target", "remote-fs.target",      "root",
        "shutdown.target",   "sockets.target",        "syslog.target",
        "sysinit.target",    "time-sync.target",      "timers.target",
};

static const struct limit_value no_limits[N_EXEC_LIMITS];
static const struct exit_status_set no_statuses;
static const struct exec_rare nothing_rare;
static const struct group_config nothing_group;
static const struct exec_directory_setting no_directories[N_EXEC_DIRECTORIES] = {
        [DIRECTORY_RUNTIME] = {.mode = 0755},       [DIRECTORY_STATE] = {.mode = 0755},
        [DIRECTORY_CACHE] = {.mode = 0755},         [DIRECTORY_LOGS] = {.mode = 0755},
        [DIRECTORY_CONFIGURATION] = {.mode = 0755},
};

/* What nine units in ten leave alone is shared. Equal bytes mean equal settings, so a wrong default only costs room. */
static const struct exec_config default_exec = {
        .umask = 0022,
        .limits = no_limits,
        .ignore_sigpipe = true,
        .output = OUTPUT_JOURNAL,
        .directories = no_directories,
        .rare = &nothing_rare,
};
static const struct kill_config default_kill = {
        .mode = KILL_CONTROL_GROUP,
        .signal = SIGTERM,
        .final_signal = SIGKILL,
        .watchdog_signal = SIGABRT,
        .send_sigkill = true,
};

static const char *const word_shutdown[] = {"shutdown.target"};
static const char *const words_basic[] = {"sysinit.target", "basic.target"};
#define WORDS(words, n)                                                                                                \
        {                                                                                                              \
                (char **)(uintptr_t)(words), n                                                                         \
        }
static const struct strings no_dependencies[N_UNIT_DEPENDENCIES];
static const struct strings service_dependencies[N_UNIT_DEPENDENCIES] = {
        [DEP_REQUIRES] = WORDS(words_basic, 1),
        [DEP_CONFLICTS] = WORDS(word_shutdown, 1),
        [DEP_BEFORE] = WORDS(word_shutdown, 1),
        [DEP_AFTER] = WORDS(words_basic, 2),
};

struct packer {
        char *arrays, *strings; /* where the next goes; NULL while counting */
        size_t n_arrays, n_strings;
        const struct draft *draft;
        char *const *old_files; /* paths as they stand in the draft */
        unsigned last_file;     /* the one that the last command came from: 0 = fragment, I + 1 = drop-in I */
};

static int compare_common(const void *key, const void *entry)
{
        return strcmp(key, *(const char *const *)entry);
}

static const char *common_word(const char *s)
{
        const char *const *p =
                bsearch(s, common_words, ARRAY_SIZE(common_words), sizeof(common_words[0]), compare_common);

        return p ? *p : NULL;
}

static void *pack_array(struct packer *p, void *v, size_t size)
{
        void *at = p->arrays;

        if (size == 0)
                return NULL;
        p->n_arrays += ALIGN8(size);
        if (!at)
                return v;
        memcpy(at, v, size);
        p->arrays += ALIGN8(size);
        return at;
}

static void pack_bytes(struct packer *p, char **s, size_t size)
{
        p->n_strings += size;
        if (!p->strings)
                return;
        memcpy(p->strings, *s, size);
        *s = p->strings;
        p->strings += size;
}

static void pack_string(struct packer *p, char **s)
{
        const char *common = *s ? common_word(*s) : NULL;

        if (common && p->strings)
                *s = (char *)(uintptr_t)common;
        else if (*s && !common)
                pack_bytes(p, s, strlen(*s) + 1);
}

static void pack_strings(struct packer *p, struct strings *l)
{
        l->v = pack_array(p, l->v, l->n * sizeof(char *));
        for (unsigned i = 0; i < l->n; i++)
                pack_string(p, &l->v[i]);
}

/* The unit's id and its parts stand once. */
static void pack_names(struct packer *p, struct unit *u)
{
        bool described = u->description == u->id;

        pack_string(p, &u->id);
        if (described)
                u->description = u->id;
        else
                pack_string(p, &u->description);
        u->names.v = pack_array(p, u->names.v, u->names.n * sizeof(char *));
        if (p->strings)
                u->names.v[0] = u->id;
        for (unsigned i = 1; i < u->names.n; i++)
                pack_string(p, &u->names.v[i]);
        pack_string(p, &u->instance);
}

static void pack_conditions(struct packer *p, struct conditions *l)
{
        l->v = pack_array(p, l->v, l->n * sizeof(*l->v));
        for (unsigned i = 0; i < l->n; i++)
                pack_string(p, &l->v[i].parameter); /* the name is the table's */
}

/* The path that FILE has become; commands of one file follow each other. */
static const char *packed_file(struct packer *p, const struct unit *u, const char *file)
{
        unsigned n = u->dropin_paths.n + 1;

        for (unsigned i = 0; i < n; i++) {
                unsigned j = (p->last_file + i) % n;
                if (p->old_files[j] == file) {
                        p->last_file = j;
                        return j == 0 ? u->fragment_path : u->dropin_paths.v[j - 1];
                }
        }
        return u->id;
}

static void pack_commands(struct packer *p, const struct unit *u, struct exec_commands *l)
{
        l->v = pack_array(p, l->v, l->n * sizeof(*l->v));
        for (unsigned i = 0; i < l->n; i++) {
                struct exec_command *c = &l->v[i];
                bool same = !(c->flags & EXEC_ARGV0) && c->words.n > 0 && streq(c->path, c->words.v[0]);

                pack_string(p, &c->path);
                c->words.v = pack_array(p, c->words.v, (c->words.n + 1) * sizeof(char *)); /* an argv: NULL behind */
                if (p->arrays)
                        c->words.v[c->words.n] = NULL;
                for (unsigned j = 0; j < c->words.n; j++) {
                        if (j == 0 && same && p->strings)
                                c->words.v[0] = c->path;
                        else if (j > 0 || !same)
                                pack_string(p, &c->words.v[j]);
                }
                if (p->strings)
                        c->file = packed_file(p, u, c->file);
        }
}

static void pack_environment_files(struct packer *p, struct environment_files *l)
{
        l->v = pack_array(p, l->v, l->n * sizeof(*l->v));
        for (unsigned i = 0; i < l->n; i++)
                pack_string(p, &l->v[i].path);
}

static const struct exec_directory_setting *pack_directories(struct packer *p, const struct draft *d)
{
        struct exec_directory_setting *v;
        bool any = false;

        for (int i = 0; i < N_EXEC_DIRECTORIES; i++)
                any |= d->directories[i].names.n > 0 || d->directories[i].mode != no_directories[i].mode;
        if (!any)
                return no_directories;
        v = pack_array(p, (void *)(uintptr_t)d->directories, sizeof(d->directories));
        for (int i = 0; i < N_EXEC_DIRECTORIES; i++)
                pack_strings(p, &v[i].names);
        return v;
}

static const struct exit_status_set *pack_statuses(struct packer *p, const struct exit_status_set *s)
{
        if (memcmp(s, &no_statuses, sizeof(*s)) == 0)
                return &no_statuses;
        return pack_array(p, (void *)(uintptr_t)s, sizeof(*s));
}

static const struct limit_value *pack_limits(struct packer *p, const struct limit_value *l)
{
        for (int i = 0; i < N_EXEC_LIMITS; i++)
                if (l[i].set)
                        return pack_array(p, (void *)(uintptr_t)l, N_EXEC_LIMITS * sizeof(*l));
        return no_limits;
}

static const struct exec_rare *pack_rare(struct packer *p, const struct draft *d)
{
        struct exec_rare scratch, *e;

        if (memcmp(&d->rare, &nothing_rare, sizeof(d->rare)) == 0)
                return &nothing_rare;
        memcpy(&scratch, &d->rare, sizeof(scratch));
        e = pack_array(p, &scratch, sizeof(scratch));
        pack_string(p, &e->numa_mask);
        e->credentials.v = pack_array(p, e->credentials.v, e->credentials.n * sizeof(*e->credentials.v));
        for (unsigned i = 0; i < e->credentials.n; i++) {
                pack_string(p, &e->credentials.v[i].id);
                pack_string(p, &e->credentials.v[i].path);
                if (e->credentials.v[i].data)
                        pack_bytes(p, &e->credentials.v[i].data, e->credentials.v[i].size + 1);
        }
        e->open_files.v = pack_array(p, e->open_files.v, e->open_files.n * sizeof(*e->open_files.v));
        for (unsigned i = 0; i < e->open_files.n; i++) {
                pack_string(p, &e->open_files.v[i].path);
                pack_string(p, &e->open_files.v[i].name);
        }
        e->sandbox.v = pack_array(p, e->sandbox.v, e->sandbox.n * sizeof(*e->sandbox.v));
        for (unsigned i = 0; i < e->sandbox.n; i++) {
                pack_string(p, &e->sandbox.v[i].path);
                pack_string(p, &e->sandbox.v[i].source);
        }
        return p->arrays ? e : NULL; /* nobody looks while it is counted */
}

static void pack_exec_strings(struct packer *p, struct exec_config *e)
{
        char **strings[] = {&e->user,
                            &e->group,
                            &e->working_directory,
                            &e->root_directory,
                            &e->cpu_affinity,
                            &e->input_file,
                            &e->output_file,
                            &e->error_file,
                            &e->tty_path,
                            &e->syslog_identifier,
                            &e->utmp_identifier,
                            &e->pam_name,
                            &e->personality};
        struct strings *lists[] = {&e->supplementary_groups, &e->environment, &e->pass_environment,
                                   &e->unset_environment, &e->exec_search_path};

        for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
                pack_string(p, strings[i]);
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                pack_strings(p, lists[i]);
        if (e->input_data)
                pack_bytes(p, &e->input_data, e->input_data_size + 1);
        pack_environment_files(p, &e->environment_files);
}

static const struct exec_config *pack_exec(struct packer *p, const struct draft *d)
{
        struct exec_config scratch, *e;

        memcpy(&scratch, &d->exec, sizeof(scratch)); /* padding included */
        scratch.limits = pack_limits(p, d->limits);
        scratch.directories = pack_directories(p, d);
        scratch.rare = pack_rare(p, d);
        if (memcmp(&scratch, &default_exec, sizeof(scratch)) == 0)
                return &default_exec;
        e = pack_array(p, &scratch, sizeof(scratch));
        pack_exec_strings(p, e);
        return p->arrays ? e : NULL; /* nobody looks while it is counted */
}

static const struct kill_config *pack_kill(struct packer *p, const struct kill_config *k)
{
        if (memcmp(k, &default_kill, sizeof(*k)) == 0)
                return &default_kill;
        return pack_array(p, (void *)(uintptr_t)k, sizeof(*k));
}

static const struct group_config *pack_group(struct packer *p, const struct group_config *g)
{
        struct group_config scratch, *packed;

        if (memcmp(g, &nothing_group, sizeof(*g)) == 0)
                return &nothing_group;
        memcpy(&scratch, g, sizeof(scratch)); /* padding included */
        packed = pack_array(p, &scratch, sizeof(scratch));
        pack_string(p, &packed->cpus);
        pack_string(p, &packed->memory_nodes);
        pack_string(p, &packed->slice);
        return p->arrays ? packed : NULL;
}

static bool dependencies_are(const struct strings *a, const struct strings *b)
{
        for (int i = 0; i < N_UNIT_DEPENDENCIES; i++) {
                if (a[i].n != b[i].n)
                        return false;
                for (unsigned j = 0; j < a[i].n; j++)
                        if (!streq(a[i].v[j], b[i].v[j]))
                                return false;
        }
        return true;
}

static const struct strings *pack_dependencies(struct packer *p, const struct draft *d)
{
        struct strings scratch[N_UNIT_DEPENDENCIES], *v;

        if (dependencies_are(d->dependencies, service_dependencies))
                return service_dependencies;
        if (dependencies_are(d->dependencies, no_dependencies))
                return no_dependencies;
        memcpy(scratch, d->dependencies, sizeof(scratch));
        v = pack_array(p, scratch, sizeof(scratch));
        for (int i = 0; i < N_UNIT_DEPENDENCIES; i++)
                pack_strings(p, &v[i]);
        return p->arrays ? v : NULL;
}

static void pack_service(struct packer *p, const struct draft *d, const struct unit *u, struct service_config *s)
{
        for (int i = 0; i < N_EXEC_KINDS; i++)
                pack_commands(p, u, &s->commands[i]);
        pack_string(p, &s->pid_file);
        pack_string(p, &s->bus_name);
        pack_strings(p, &s->sockets);
        s->success_status = pack_statuses(p, &d->success_status);
        s->restart_prevent_status = pack_statuses(p, &d->restart_prevent_status);
        s->restart_force_status = pack_statuses(p, &d->restart_force_status);
        s->exec = pack_exec(p, d);
        s->kill = pack_kill(p, &d->kill);
}

/* The rows' notices are constants of the table; others come behind. */
static void pack_notices(struct packer *p, struct unit *u)
{
        const struct draft *d = p->draft;
        unsigned n = 0;

        for (size_t i = 0; i < sizeof(d->noticed); i++)
                n += d->noticed[i] ? (unsigned)__builtin_popcount(d->noticed[i]) : 0;
        u->notices.n = n + d->notices.n;
        u->notices.v = NULL;
        if (u->notices.n == 0)
                return;
        if (!p->arrays) {
                p->n_arrays += u->notices.n * sizeof(char *);
                for (unsigned i = 0; i < d->notices.n; i++)
                        p->n_strings += strlen(d->notices.v[i]) + 1;
                return;
        }
        u->notices.v = (char **)(void *)p->arrays;
        p->arrays += u->notices.n * sizeof(char *);
        n = 0;
        for (unsigned i = 0; i < n_directives; i++)
                if (d->noticed[i / 8] >> (i % 8) & 1)
                        u->notices.v[n++] = (char *)(uintptr_t)directives[i].notice;
        for (unsigned i = 0; i < d->notices.n; i++) {
                u->notices.v[n] = d->notices.v[i];
                pack_bytes(p, &u->notices.v[n++], strlen(d->notices.v[i]) + 1);
        }
}

static void pack_unit(struct packer *p, const struct draft *d, struct unit *u, struct service_config *s)
{
        char **strings[] = {&u->load_error,          &u->fragment_path,
                            &u->source_path,         &u->trigger,
                            &u->default_instance,    &u->on_failure_job_mode,
                            &u->on_success_job_mode, &u->collect_mode,
                            &u->reboot_argument,     &u->job_timeout_reboot_argument};
        struct strings *lists[] = {&u->documentation, &u->dropin_paths, &u->wanted_by,    &u->required_by,
                                   &u->upheld_by,     &u->also,         &u->install_alias};

        pack_names(p, u);
        for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
                pack_string(p, strings[i]);
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                pack_strings(p, lists[i]);
        u->dependencies = pack_dependencies(p, d);
        u->group = pack_group(p, &d->group);
        pack_conditions(p, &u->conditions);
        pack_notices(p, u);
        if (s)
                pack_service(p, d, u, s);
}

int draft_pack(struct draft *d, struct unit **ret)
{
        bool service = d->unit.type == UNIT_SERVICE;
        size_t head = ALIGN8(sizeof(struct unit)) + (service ? ALIGN8(sizeof(struct service_config)) : 0);
        cleanup_free_ char **old_files = calloc(d->unit.dropin_paths.n + 1, sizeof(char *));
        struct packer count = {.draft = d}, place = {.draft = d};
        struct unit scratch_unit = d->unit, *u;
        struct service_config scratch_service = d->service, *s = NULL;
        struct arena arena = {0};
        char *base;

        if (!old_files)
                return -ENOMEM;
        old_files[0] = d->unit.fragment_path;
        for (unsigned i = 0; i < d->unit.dropin_paths.n; i++)
                old_files[i + 1] = d->unit.dropin_paths.v[i];
        pack_unit(&count, d, &scratch_unit, service ? &scratch_service : NULL);
        base = arena_alloc(&arena, head + count.n_arrays + count.n_strings);
        if (!base)
                return -ENOMEM;
        u = (struct unit *)(void *)base;
        *u = d->unit;
        if (service) {
                s = (struct service_config *)(void *)(base + ALIGN8(sizeof(struct unit)));
                *s = d->service;
                u->service = s;
        }
        place.arrays = base + head;
        place.strings = place.arrays + count.n_arrays;
        place.old_files = old_files;
        pack_unit(&place, d, u, s);
        u->arena = arena;
        *ret = u;
        return 0;
}
