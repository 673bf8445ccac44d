/* SPDX-License-Identifier: MIT
 *
 * What a service sees of the file system, as records of a plan: the words of users (ProtectSystem=, PrivateTmp=, …)
 * become places, each with what is there. See plan-writer.h; the lists of places are those of systemd.exec(5).
 *
 * Not here: mounting (programs/supd-exec/mounts.c). Invariant: a unit that asks for none of it has none of these
 * records and gets no namespace.
 */
#include "exec/plan-writer.h"

#include <stdio.h>

struct place {
        const char *path;
        uint32_t flags;
};

#define RO   PLAN_MOUNT_READ_ONLY
#define RW   PLAN_MOUNT_READ_WRITE
#define MISS PLAN_MOUNT_OPTIONAL

static const struct place system_yes[] = {{"/usr", RO | MISS}, {"/boot", RO | MISS}, {"/efi", RO | MISS}};
static const struct place system_full[] = {{"/etc", RO | MISS}};
static const struct place system_strict[] = {{"/", RO},           {"/proc", RW | MISS}, {"/sys", RW | MISS},
                                             {"/dev", RW | MISS}, {"/home", RW | MISS}, {"/run/user", RW | MISS},
                                             {"/root", RW | MISS}};
static const char *const homes[] = {"/home", "/run/user", "/root"};
static const struct place tunables[] = {
        {"/proc/acpi", RO | MISS},
        {"/proc/apm", RO | MISS},
        {"/proc/asound", RO | MISS},
        {"/proc/bus", RO | MISS},
        {"/proc/fs", RO | MISS},
        {"/proc/irq", RO | MISS},
        {"/proc/latency_stats", RO | MISS},
        {"/proc/mtrr", RO | MISS},
        {"/proc/scsi", RO | MISS},
        {"/proc/sys", RO | MISS},
        {"/proc/sysrq-trigger", RO | MISS},
        {"/proc/timer_stats", RO | MISS},
        {"/sys", RO | MISS},
};
static const char *const kernel_files[] = {"/proc/kallsyms", "/proc/kcore"};
static const char *const kernel_logs[] = {"/proc/kmsg", "/dev/kmsg"};
static const char *const kernel_modules[] = {"/usr/lib/modules"};

static void put_mount(struct writer *w, enum plan_mount kind, uint32_t flags, const char *path, const char *source)
{
        writer_begin(w, PLAN_MOUNT);
        writer_word(w, kind);
        writer_word(w, flags);
        writer_string(w, path);
        if (source)
                writer_string(w, source);
        writer_end(w);
}

static void put_places(struct writer *w, const struct place *v, size_t n)
{
        for (size_t i = 0; i < n; i++)
                put_mount(w, MOUNT_SELF, v[i].flags, v[i].path, NULL);
}

static void put_hidden(struct writer *w, const char *const *v, size_t n)
{
        for (size_t i = 0; i < n; i++)
                put_mount(w, MOUNT_INACCESSIBLE, MISS, v[i], NULL);
}

static void put_protections(struct writer *w, const struct exec_rare *r)
{
        if (r->protect_system == PROTECT_SYSTEM_STRICT)
                put_places(w, system_strict, ARRAY_SIZE(system_strict));
        else if (r->protect_system != PROTECT_SYSTEM_NO)
                put_places(w, system_yes, ARRAY_SIZE(system_yes));
        if (r->protect_system == PROTECT_SYSTEM_FULL)
                put_places(w, system_full, ARRAY_SIZE(system_full));
        for (size_t i = 0; i < ARRAY_SIZE(homes) && r->protect_home != PROTECT_HOME_NO; i++)
                if (r->protect_home == PROTECT_HOME_YES)
                        put_mount(w, MOUNT_INACCESSIBLE, MISS, homes[i], NULL);
                else if (r->protect_home == PROTECT_HOME_READ_ONLY)
                        put_mount(w, MOUNT_SELF, RO | MISS, homes[i], NULL);
                else
                        put_mount(w, MOUNT_TMPFS, RO | MISS, homes[i], "mode=0755");
        if (r->protect_kernel_tunables) {
                put_places(w, tunables, ARRAY_SIZE(tunables));
                put_hidden(w, kernel_files, ARRAY_SIZE(kernel_files));
        }
        if (r->protect_kernel_logs)
                put_hidden(w, kernel_logs, ARRAY_SIZE(kernel_logs));
        if (r->protect_kernel_modules)
                put_hidden(w, kernel_modules, ARRAY_SIZE(kernel_modules));
        if (r->protect_control_groups)
                put_mount(w, MOUNT_SELF, RO | MISS, "/sys/fs/cgroup", NULL);
        if (r->private_devices)
                put_mount(w, MOUNT_DEVICES, RO, "/dev", NULL);
}

static uint32_t flags_of(const struct sandbox_path *p)
{
        static const uint32_t of_kind[N_SANDBOX_KINDS] = {
                [SANDBOX_BIND] = RW,
                [SANDBOX_BIND_READ_ONLY] = RO,
                [SANDBOX_TMPFS] = 0,
                [SANDBOX_READ_ONLY] = RO,
                [SANDBOX_READ_WRITE] = RW,
                [SANDBOX_INACCESSIBLE] = 0,
                [SANDBOX_EXEC] = PLAN_MOUNT_EXEC,
                [SANDBOX_NO_EXEC] = PLAN_MOUNT_NO_EXEC,
        };
        return of_kind[p->kind] | (p->optional ? MISS : 0) | (p->recursive ? PLAN_MOUNT_RECURSIVE : 0);
}

/* Whether leaving the namespace out would run something else, rather than something less protected. */
static bool changes_behaviour(const struct exec_config *e, bool has_root)
{
        const struct sandbox_paths *l = &e->rare->sandbox;

        for (unsigned i = 0; i < l->n; i++)
                if (l->v[i].kind <= SANDBOX_TMPFS)
                        return true;
        return has_root; /* PrivateTmp= is given up where it is not permitted, as systemd does in a container */
}

/* Directories that are made for the service stay writable for it. */
static void put_own_directories(struct writer *w, const struct exec_config *e, const struct plan_context *c)
{
        const char *const roots[N_EXEC_DIRECTORIES] = {
                [DIRECTORY_RUNTIME] = c->runtime_root,
                [DIRECTORY_STATE] = c->state_root,
                [DIRECTORY_CACHE] = c->cache_root,
                [DIRECTORY_LOGS] = c->logs_root,
        };

        for (unsigned d = 0; d < N_EXEC_DIRECTORIES; d++)
                for (unsigned i = 0; roots[d] && i < e->directories[d].names.n; i++) {
                        char path[4096];

                        if ((size_t)snprintf(path, sizeof(path), "%s/%s", roots[d], e->directories[d].names.v[i]) <
                            sizeof(path))
                                put_mount(w, MOUNT_SELF, RW | MISS, path, NULL);
                }
}

void plan_put_private_tmp(struct writer *w, const struct unit *u, const struct plan_context *c)
{
        if (!u->service->exec->private_tmp)
                return;
        writer_begin(w, PLAN_PRIVATE_TMP);
        for (unsigned i = 0; i < sizeof(c->invocation); i++) {
                char hex[3];

                (void)snprintf(hex, sizeof(hex), "%02x", c->invocation[i]);
                writer_bytes(w, hex, 2);
        }
        writer_bytes(w, "-", 1);
        writer_string(w, u->id);
        writer_end(w);
}

static bool has_root_directory(const struct exec_config *e)
{
        return e->root_directory && strspn(e->root_directory, "/") != strlen(e->root_directory);
}

bool plan_has_mounts(const struct exec_config *e)
{
        const struct exec_rare *r = e->rare;

        return r->sandbox.n > 0 || e->private_tmp || has_root_directory(e) || r->protect_system != PROTECT_SYSTEM_NO ||
               r->protect_home != PROTECT_HOME_NO || r->private_devices || r->private_mounts ||
               r->protect_kernel_tunables || r->protect_kernel_modules || r->protect_kernel_logs ||
               r->protect_control_groups;
}

void plan_put_mounts(struct writer *w, const struct unit *u, bool with_root, const struct plan_context *c)
{
        const struct exec_config *e = u->service->exec;
        bool has_root = with_root && has_root_directory(e);

        if (!plan_has_mounts(e))
                return;
        put_word(w, PLAN_NAMESPACE, changes_behaviour(e, has_root));
        if (has_root)
                put_string(w, PLAN_ROOT, e->root_directory);
        if (has_root && !e->rare->mount_apivfs_off) {
                put_mount(w, MOUNT_BIND, RW | PLAN_MOUNT_RECURSIVE, "/proc", "/proc");
                put_mount(w, MOUNT_BIND, RW | PLAN_MOUNT_RECURSIVE, "/sys", "/sys");
                if (!e->rare->private_devices)
                        put_mount(w, MOUNT_BIND, RW | PLAN_MOUNT_RECURSIVE, "/dev", "/dev");
                put_mount(w, MOUNT_TMPFS, RW, "/run", "mode=0755");
        }
        plan_put_private_tmp(w, u, c);
        if (e->private_tmp) {
                put_mount(w, MOUNT_TMP, RW, "/tmp", "/tmp");
                put_mount(w, MOUNT_TMP, RW | MISS, "/var/tmp", "/var/tmp");
        }
        put_protections(w, e->rare);
        if (!has_root)
                put_own_directories(w, e, c);
        for (unsigned i = 0; i < e->rare->sandbox.n; i++) {
                const struct sandbox_path *p = &e->rare->sandbox.v[i];
                enum plan_mount kind = p->kind <= SANDBOX_BIND_READ_ONLY ? MOUNT_BIND
                                       : p->kind == SANDBOX_TMPFS        ? MOUNT_TMPFS
                                       : p->kind == SANDBOX_INACCESSIBLE ? MOUNT_INACCESSIBLE
                                                                         : MOUNT_SELF;

                put_mount(w, kind, flags_of(p), p->path, p->source);
        }
}
