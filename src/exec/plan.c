/* SPDX-License-Identifier: MIT
 *
 * From a unit to the bytes of a plan (plan.h, plan-format.h).
 *
 * Not here: anything that looks at the machine. Whoever reads a file, a user or a clock is supd-exec.
 * Invariant: what is appended is a whole plan or nothing; a record is written only when it changes something.
 */
#include "exec/plan.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>

#include "exec/plan-writer.h"

static const char *directory_root(const struct plan_context *c, enum exec_directory d)
{
        switch (d) {
        case DIRECTORY_RUNTIME:
                return c->runtime_root;
        case DIRECTORY_STATE:
                return c->state_root;
        case DIRECTORY_CACHE:
                return c->cache_root;
        case DIRECTORY_LOGS:
                return c->logs_root;
        case DIRECTORY_CONFIGURATION:
                return c->configuration_root;
        case N_EXEC_DIRECTORIES:
                break;
        }
        return NULL;
}

static const char *const directory_variables[N_EXEC_DIRECTORIES] = {
        [DIRECTORY_RUNTIME] = "RUNTIME_DIRECTORY=",
        [DIRECTORY_STATE] = "STATE_DIRECTORY=",
        [DIRECTORY_CACHE] = "CACHE_DIRECTORY=",
        [DIRECTORY_LOGS] = "LOGS_DIRECTORY=",
        [DIRECTORY_CONFIGURATION] = "CONFIGURATION_DIRECTORY=",
};

/* "RUNTIME_DIRECTORY=/run/a:/run/b" into the open record. */
static void put_directory_variable(struct writer *w, const struct unit *u, const struct plan_context *c,
                                   enum exec_directory d)
{
        const struct strings *names = &u->service->exec->directories[d].names;
        const char *root = directory_root(c, d);

        if (names->n == 0 || !root)
                return;
        writer_bytes(w, directory_variables[d], strlen(directory_variables[d]));
        for (unsigned i = 0; i < names->n; i++) {
                if (i > 0)
                        writer_bytes(w, ":", 1);
                writer_bytes(w, root, strlen(root));
                writer_bytes(w, "/", 1);
                writer_bytes(w, names->v[i], strlen(names->v[i]));
        }
        writer_bytes(w, "", 1);
}

static void put_assignment(struct writer *w, const char *name, const char *value)
{
        writer_bytes(w, name, strlen(name));
        writer_string(w, value);
}

static void put_invocation(struct writer *w, const uint8_t id[16])
{
        static const uint8_t none[16];
        char hex[33];

        if (memcmp(id, none, sizeof(none)) == 0)
                return;
        for (unsigned i = 0; i < 16; i++) {
                hex[2 * i] = "0123456789abcdef"[id[i] >> 4];
                hex[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
        }
        hex[32] = 0;
        put_assignment(w, "INVOCATION_ID=", hex);
}

static void put_list(struct writer *w, enum plan_tag tag, const char *const *list)
{
        if (!list || !list[0])
                return;
        writer_begin(w, tag);
        for (; *list; list++)
                writer_string(w, *list);
        writer_end(w);
}

static void put_environment(struct writer *w, const struct unit *u, const struct plan_context *c)
{
        const struct exec_config *e = u->service->exec;
        char number[24];

        put_list(w, PLAN_BASE, c->base_environment);
        writer_begin(w, PLAN_RUNTIME);
        put_invocation(w, c->invocation);
        if (c->notify_socket)
                put_assignment(w, "NOTIFY_SOCKET=", c->notify_socket);
        if (c->main_pid > 0) {
                (void)snprintf(number, sizeof(number), "%lld", (long long)c->main_pid);
                put_assignment(w, "MAINPID=", number);
        }
        for (unsigned d = 0; d < N_EXEC_DIRECTORIES; d++)
                put_directory_variable(w, u, c, (enum exec_directory)d);
        for (const char *const *x = c->extra_environment; x && *x; x++)
                writer_string(w, *x);
        writer_end(w);
        if (c->watchdog_us > 0)
                put_long(w, PLAN_WATCHDOG, c->watchdog_us);
        put_strings(w, PLAN_PASS, &e->pass_environment);
        put_strings(w, PLAN_ENVIRONMENT, &e->environment);
        for (unsigned i = 0; i < e->environment_files.n; i++)
                put_word_string(w, PLAN_ENVIRONMENT_FILE, e->environment_files.v[i].optional,
                                e->environment_files.v[i].path);
        put_strings(w, PLAN_UNSET, &e->unset_environment);
}

static bool output_needs_log(enum exec_output o)
{
        return o == OUTPUT_JOURNAL;
}

static void put_streams(struct writer *w, const struct unit *u, const struct plan_context *c)
{
        const struct exec_config *e = u->service->exec;

        if (e->input != INPUT_NULL)
                put_word_string(w, PLAN_INPUT, e->input, e->input_file);
        put_word_string(w, PLAN_OUTPUT, e->output, e->output_file);
        put_word_string(w, PLAN_ERROR, e->error, e->error_file);
        if (c->log_dir && (output_needs_log(e->output) || output_needs_log(e->error))) {
                writer_begin(w, PLAN_LOG);
                writer_bytes(w, c->log_dir, strlen(c->log_dir));
                writer_bytes(w, "/", 1);
                writer_bytes(w, u->id, strlen(u->id));
                writer_string(w, ".log");
                writer_end(w);
        }
        put_string(w, PLAN_TTY, e->tty_path);
        if (e->input == INPUT_DATA && e->input_data) {
                writer_begin(w, PLAN_INPUT_DATA);
                writer_bytes(w, e->input_data, e->input_data_size);
                writer_end(w);
        }
        if (c->n_listen_fds > 0)
                put_word_string(w, PLAN_LISTEN, c->n_listen_fds, c->listen_names);
}

static void put_directories(struct writer *w, const struct exec_config *e, const struct plan_context *c)
{
        for (unsigned d = 0; d < N_EXEC_DIRECTORIES; d++) {
                const struct strings *names = &e->directories[d].names;
                const char *root = directory_root(c, (enum exec_directory)d);

                if (names->n == 0 || !root)
                        continue;
                writer_begin(w, PLAN_DIRECTORY);
                writer_word(w, d);
                writer_word(w, e->directories[d].mode);
                writer_string(w, root);
                for (unsigned i = 0; i < names->n; i++)
                        writer_string(w, names->v[i]);
                writer_end(w);
        }
}

static void put_limit(struct writer *w, unsigned resource, uint64_t soft, uint64_t hard)
{
        writer_begin(w, PLAN_LIMIT);
        writer_word(w, resource);
        writer_word(w, 0);
        writer_long(w, soft);
        writer_long(w, hard);
        writer_end(w);
}

/* supd raises its own RLIMIT_NOFILE; a service gets the old one back, or what its unit says. */
static void put_limits(struct writer *w, const struct exec_config *e, const struct plan_context *c)
{
        for (unsigned i = 0; i < N_EXEC_LIMITS; i++)
                if (e->limits[i].set)
                        put_limit(w, i, e->limits[i].soft, e->limits[i].hard);
                else if (i == RLIMIT_NOFILE && c->nofile.set)
                        put_limit(w, i, c->nofile.soft, c->nofile.hard);
}

static void put_affinity(struct writer *w, const struct unit *u, struct diag *diag)
{
        uint8_t mask[PLAN_MASK_SIZE];
        size_t n;

        if (!u->service->exec->cpu_affinity)
                return;
        n = plan_mask_parse(u->service->exec->cpu_affinity, mask);
        if (n == 0) {
                diag_add(diag, DIAG_NOTICE, u->fragment_path, 0, "use numbers and ranges, as in 0-3 5",
                         "CPUAffinity=%s is not carried out", u->service->exec->cpu_affinity);
                return;
        }
        writer_begin(w, PLAN_AFFINITY);
        writer_bytes(w, mask, n);
        writer_end(w);
}

static void put_personality(struct writer *w, const struct unit *u, struct diag *diag)
{
        const char *p = u->service->exec->personality;

        if (!p || streq(p, "x86-64") || streq(p, "arm64"))
                return;
        if (streq(p, "x86") || streq(p, "arm"))
                put_word(w, PLAN_PERSONALITY, 8 /* PER_LINUX32 */);
        else
                diag_add(diag, DIAG_NOTICE, u->fragment_path, 0, NULL, "Personality=%s is not carried out", p);
}

static void put_scheduling(struct writer *w, const struct unit *u, struct diag *diag)
{
        const struct exec_config *e = u->service->exec;

        if (e->nice_set)
                put_word(w, PLAN_NICE, (uint32_t)e->nice);
        if (e->oom_score_set)
                put_word(w, PLAN_OOM, (uint32_t)e->oom_score_adjust);
        if (e->io_set)
                put_words(w, PLAN_IOPRIO, (uint32_t)e->io_class, (uint32_t)e->io_priority);
        if (e->cpu_policy_set)
                put_words(w, PLAN_SCHEDULER,
                          (uint32_t)e->cpu_policy | (e->rare->cpu_reset_on_fork ? (uint32_t)SCHED_RESET_ON_FORK : 0),
                          (uint32_t)e->cpu_priority);
        put_affinity(w, u, diag);
        put_personality(w, u, diag);
}

/* What a command may do beyond the unit's settings: its prefix, and PermissionsStartOnly=. */
struct privilege {
        bool identity; /* takes on User= and Group= */
        bool sandbox;  /* capabilities, NoNewPrivileges=, root directory apply */
};

static struct privilege privilege_of(const struct unit *u, const struct exec_command *command, enum exec_kind kind)
{
        struct privilege p = {.identity = true, .sandbox = true};

        if (command->flags & EXEC_FULL_PRIVILEGE)
                p = (struct privilege){0};
        if ((command->flags & EXEC_NO_SETUID) || (u->service->permissions_start_only && kind != EXEC_START))
                p.identity = false;
        return p;
}

/* What protects parts of the machine also takes away the capabilities to get round it. */
static uint64_t bounding_of(const struct exec_config *e)
{
        enum { CAP_RAWIO = 17, CAP_MODULE = 16, CAP_TIME = 25, CAP_NODE = 27, CAP_LOG = 34, CAP_ALARM = 35 };
        uint64_t set = e->capability_bounding_set ? e->bounding_set : UINT64_MAX;

        if (e->rare->private_devices)
                set &= ~(UINT64_C(1) << CAP_NODE | UINT64_C(1) << CAP_RAWIO);
        if (e->rare->protect_kernel_modules)
                set &= ~(UINT64_C(1) << CAP_MODULE);
        if (e->rare->protect_kernel_logs)
                set &= ~(UINT64_C(1) << CAP_LOG);
        if (e->rare->protect_clock)
                set &= ~(UINT64_C(1) << CAP_TIME | UINT64_C(1) << CAP_ALARM);
        return set;
}

static void put_identity(struct writer *w, const struct exec_config *e, struct privilege p)
{
        put_string(w, PLAN_USER, e->user);
        put_string(w, PLAN_GROUP, e->group);
        if (p.identity)
                put_strings(w, PLAN_SUPPLEMENTARY, &e->supplementary_groups);
        if (p.sandbox && bounding_of(e) != UINT64_MAX)
                put_long(w, PLAN_BOUNDING, bounding_of(e));
        if (p.sandbox && e->ambient_set)
                put_long(w, PLAN_AMBIENT, e->ambient_set);
}

/* Directives whose silent absence would open a hole: the start fails (DESIGN.md, unit files). */
static void put_unsupported(struct writer *w, const struct exec_config *e, struct privilege p)
{
        if (p.sandbox && e->dynamic_user)
                put_string(w, PLAN_UNSUPPORTED, "DynamicUser=yes");
}

static uint32_t command_flags(const struct exec_config *e, const struct exec_command *command, struct privilege p,
                              const struct plan_context *context)
{
        uint32_t flags = 0;

        if (e->ignore_sigpipe)
                flags |= PLAN_FLAG_IGNORE_SIGPIPE;
        if (e->no_new_privileges && p.sandbox)
                flags |= PLAN_FLAG_NO_NEW_PRIVILEGES;
        if (e->non_blocking)
                flags |= PLAN_FLAG_NON_BLOCKING;
        if (command->flags & EXEC_NO_EXPAND)
                flags |= PLAN_FLAG_NO_EXPAND;
        if (command->flags & EXEC_IGNORE_FAILURE)
                flags |= PLAN_FLAG_IGNORE_FAILURE;
        if (p.identity)
                flags |= PLAN_FLAG_IDENTITY;
        if (context->note_left)
                flags |= PLAN_FLAG_NOTE_LEFT;
        return flags;
}

/* Whether COMMAND is the one that every start of S begins with. */
static bool is_first_command(const struct service_config *s, const struct exec_command *command)
{
        for (unsigned k = EXEC_CONDITION; k <= EXEC_START; k++)
                if (s->commands[k].n > 0)
                        return command == s->commands[k].v;
        return false;
}

int plan_build_command(struct buf *ret, const struct unit *u, const struct exec_command *command, enum exec_kind kind,
                       const struct plan_context *context, struct diag *diag)
{
        const struct exec_config *e;
        struct privilege p;
        struct writer w;

        if (!u->service || !command->path || !command->path[0] || command->words.n == 0) {
                diag_add(diag, DIAG_ERROR, command->file, command->line, NULL, "there is no command to run");
                return -EINVAL;
        }
        e = u->service->exec;
        p = privilege_of(u, command, kind);
        writer_plan(&w, ret, PLAN_COMMAND);
        put_string(&w, PLAN_UNIT, u->id);
        put_word(&w, PLAN_FLAGS, command_flags(e, command, p, context));
        put_string(&w, PLAN_PATH, command->path);
        put_strings(&w, PLAN_ARGV, &command->words);
        put_strings(&w, PLAN_SEARCH, &e->exec_search_path);
        put_unsupported(&w, e, p);
        if (p.sandbox)
                plan_put_mounts(&w, u, !(u->service->root_directory_start_only && kind != EXEC_START), context);
        put_environment(&w, u, context);
        put_identity(&w, e, p);
        put_streams(&w, u, context);
        put_directories(&w, e, context);
        plan_put_credentials(&w, u, is_first_command(u->service, command), context);
        if (kind == EXEC_START)
                plan_put_open_files(&w, e);
        plan_put_rare(&w, e, p.sandbox);
        if (e->working_directory)
                put_word_string(&w, PLAN_WORKING_DIRECTORY, e->working_directory_optional, e->working_directory);
        put_word(&w, PLAN_UMASK, e->umask);
        put_limits(&w, e, context);
        put_scheduling(&w, u, diag);
        plan_put_group(&w, u, context);
        return writer_done(&w);
}

int plan_build_check(struct buf *ret, const struct unit *u, const struct plan_context *context,
                     unused_ struct diag *diag)
{
        struct writer w;

        writer_plan(&w, ret, PLAN_CHECK);
        put_string(&w, PLAN_UNIT, u->id);
        put_string(&w, PLAN_CGROUP, context->cgroup);
        for (unsigned i = 0; i < u->conditions.n; i++) {
                const struct condition *c = &u->conditions.v[i];

                writer_begin(&w, PLAN_CONDITION);
                writer_word(&w, c->kind);
                writer_word(&w, (c->assert ? PLAN_CONDITION_ASSERT : 0) | (c->trigger ? PLAN_CONDITION_TRIGGER : 0) |
                                        (c->negate ? PLAN_CONDITION_NEGATE : 0));
                writer_string(&w, c->name ? c->name : "");
                writer_string(&w, c->parameter ? c->parameter : "");
                writer_end(&w);
        }
        return writer_done(&w);
}

int plan_build_cleanup(struct buf *ret, const struct unit *u, bool keep_runtime, const struct plan_context *context,
                       unused_ struct diag *diag)
{
        const struct service_config *s = u->service;
        const struct strings *names = s ? &s->exec->directories[DIRECTORY_RUNTIME].names : NULL;
        struct writer w;

        writer_plan(&w, ret, PLAN_CLEANUP);
        put_string(&w, PLAN_UNIT, u->id);
        if (s)
                put_string(&w, PLAN_PID_FILE, s->pid_file);
        if (s && s->exec->rare->remove_ipc && !context->keep_ipc) {
                put_string(&w, PLAN_USER, s->exec->user);
                put_string(&w, PLAN_GROUP, s->exec->group);
                writer_begin(&w, PLAN_REMOVE_IPC);
                writer_end(&w);
        }
        if (s)
                plan_put_private_tmp(&w, u, context);
        if (s && s->exec->rare->credentials.n > 0)
                plan_put_credentials(&w, u, false, context);
        if (!keep_runtime && names && names->n > 0 && context->runtime_root) {
                writer_begin(&w, PLAN_REMOVE);
                writer_string(&w, context->runtime_root);
                for (unsigned i = 0; i < names->n; i++)
                        writer_string(&w, names->v[i]);
                writer_end(&w);
        }
        return writer_done(&w);
}

bool plan_needs_check(const struct unit *u)
{
        return u->conditions.n > 0;
}

bool plan_needs_cleanup(const struct unit *u)
{
        const struct exec_config *e = u->service ? u->service->exec : NULL;

        return e && (u->service->pid_file || e->private_tmp || e->rare->remove_ipc || e->rare->credentials.n > 0 ||
                     (e->directories[DIRECTORY_RUNTIME].names.n > 0 && e->runtime_preserve != PRESERVE_YES));
}
