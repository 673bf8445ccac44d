/* SPDX-License-Identifier: MIT
 *
 * What D-Bus clients see of what the processes of a service are given: who they are, where and with what they run, and
 * what they are kept from. Of what the unit says nothing about they have what supd has.
 *
 * Not here: directives that are not carried out; supd-bus knows those (constants.c). Invariant: as show-service.c.
 */
#include "show.h"

#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "exec/plan.h"
#include "syntax/scalar.h"

#define EXEC_AT(f) offsetof(struct exec_config, f)
#define RARE_AT(f) offsetof(struct exec_rare, f)

SHOW_WORD_OF(exec_input_name)
SHOW_WORD_OF(exec_output_name)
SHOW_WORD_OF(preserve_mode_name)
SHOW_WORD_OF(keyring_mode_name)
SHOW_WORD_OF(protect_system_name)
SHOW_WORD_OF(protect_home_name)

/* clang-format off */
static const struct show_row exec_rows[] = {
        {"Environment", SHOW_STRINGS, EXEC_AT(environment)},
        {"PassEnvironment", SHOW_STRINGS, EXEC_AT(pass_environment)},
        {"UnsetEnvironment", SHOW_STRINGS, EXEC_AT(unset_environment)},
        {"UMask", SHOW_U32, EXEC_AT(umask)},
        {"RootDirectory", SHOW_TEXT, EXEC_AT(root_directory)},
        {"NonBlocking", SHOW_BOOL, EXEC_AT(non_blocking)},
        {"StandardInput", SHOW_WORD, EXEC_AT(input), show_exec_input_name},
        {"StandardOutput", SHOW_WORD, EXEC_AT(output), show_exec_output_name},
        {"StandardError", SHOW_WORD, EXEC_AT(error), show_exec_output_name},
        {"TTYPath", SHOW_TEXT, EXEC_AT(tty_path)},
        {"SyslogIdentifier", SHOW_TEXT, EXEC_AT(syslog_identifier)},
        {"User", SHOW_TEXT, EXEC_AT(user)},
        {"Group", SHOW_TEXT, EXEC_AT(group)},
        {"DynamicUser", SHOW_BOOL, EXEC_AT(dynamic_user)},
        {"SupplementaryGroups", SHOW_STRINGS, EXEC_AT(supplementary_groups)},
        {"PAMName", SHOW_TEXT, EXEC_AT(pam_name)},
        {"PrivateTmp", SHOW_BOOL, EXEC_AT(private_tmp)},
        {"NoNewPrivileges", SHOW_BOOL, EXEC_AT(no_new_privileges)},
        {"IgnoreSIGPIPE", SHOW_BOOL, EXEC_AT(ignore_sigpipe)},
        {"UtmpIdentifier", SHOW_TEXT, EXEC_AT(utmp_identifier)},
        {"Personality", SHOW_TEXT, EXEC_AT(personality)},
        {"RuntimeDirectoryPreserve", SHOW_WORD, EXEC_AT(runtime_preserve), show_preserve_mode_name},
        {"ExecSearchPath", SHOW_STRINGS, EXEC_AT(exec_search_path)},
};
static const struct show_row rare_rows[] = {
        {"CPUSchedulingResetOnFork", SHOW_BOOL, RARE_AT(cpu_reset_on_fork)},
        {"TTYReset", SHOW_BOOL, RARE_AT(tty_reset)},
        {"TTYVHangup", SHOW_BOOL, RARE_AT(tty_hangup)},
        {"TTYVTDisallocate", SHOW_BOOL, RARE_AT(tty_disallocate)},
        {"RemoveIPC", SHOW_BOOL, RARE_AT(remove_ipc)},
        {"KeyringMode", SHOW_WORD, RARE_AT(keyring), show_keyring_mode_name},
        {"ProtectSystem", SHOW_WORD, RARE_AT(protect_system), show_protect_system_name},
        {"ProtectHome", SHOW_WORD, RARE_AT(protect_home), show_protect_home_name},
        {"PrivateDevices", SHOW_BOOL, RARE_AT(private_devices)},
        {"PrivateMounts", SHOW_BOOL, RARE_AT(private_mounts)},
        {"ProtectKernelTunables", SHOW_BOOL, RARE_AT(protect_kernel_tunables)},
        {"ProtectKernelModules", SHOW_BOOL, RARE_AT(protect_kernel_modules)},
        {"ProtectKernelLogs", SHOW_BOOL, RARE_AT(protect_kernel_logs)},
        {"ProtectControlGroups", SHOW_BOOL, RARE_AT(protect_control_groups)},
        {"ProtectClock", SHOW_BOOL, RARE_AT(protect_clock)},
};
/* clang-format on */

/* Where the unit says nothing, a service has what supd was started with. */
void show_rlimits(const struct manager *m, struct control_answer *a, const char *prefix, const struct exec_config *x)
{
        for (int i = 0; i < N_EXEC_LIMITS; i++) {
                const struct limit_value *l = x ? &x->limits[i] : NULL;
                struct rlimit now = {RLIM_INFINITY, RLIM_INFINITY};
                char name[48];

                if (!rlimit_name(i))
                        continue;
                if (l && l->set)
                        now = (struct rlimit){l->soft, l->hard};
                else if (i == RLIMIT_NOFILE && m->nofile.set)
                        now = (struct rlimit){m->nofile.soft, m->nofile.hard};
                else
                        (void)getrlimit((__rlimit_resource_t)i, &now);
                (void)snprintf(name, sizeof(name), "%s%s", prefix, rlimit_name(i));
                control_put_u64(a, name, now.rlim_max);
                (void)snprintf(name, sizeof(name), "%s%sSoft", prefix, rlimit_name(i));
                control_put_u64(a, name, now.rlim_cur);
        }
}

static void put_environment_files(struct control_answer *a, const struct environment_files *f)
{
        struct control_file *v = f->n > 0 ? calloc(f->n, sizeof(*v)) : NULL;

        for (unsigned i = 0; v && i < f->n; i++)
                v[i] = (struct control_file){f->v[i].path, f->v[i].optional};
        control_put_files(a, "EnvironmentFiles", v, v ? f->n : 0);
        free(v);
}

static void put_directories(struct control_answer *a, const struct exec_directory_setting *d)
{
        char name[64];

        for (unsigned i = 0; i < N_EXEC_DIRECTORIES; i++) {
                show_list(a, exec_directory_name(i), &d[i].names);
                (void)snprintf(name, sizeof(name), "%sMode", exec_directory_name(i));
                control_put_u32(a, name, d[i].mode);
        }
}

static void put_places(struct control_answer *a, const char *name, const struct sandbox_paths *p,
                       enum sandbox_kind kind)
{
        const char **v = p->n > 0 ? calloc(2 * p->n, sizeof(*v)) : NULL;
        char *words = NULL;
        unsigned n = 0;

        for (unsigned i = 0; v && i < p->n; i++)
                if (p->v[i].kind == kind && asprintf(&words, "%s%s", p->v[i].optional ? "-" : "", p->v[i].path) >= 0)
                        v[n++] = words;
        control_put_strings(a, name, v, n);
        while (n > 0)
                free((void *)(uintptr_t)v[--n]);
        free(v);
}

static uint32_t count_places(const struct sandbox_paths *p, enum sandbox_kind kind)
{
        uint32_t n = 0;

        for (unsigned i = 0; i < p->n; i++)
                n += p->v[i].kind == kind;
        return n;
}

static void put_binds(struct control_answer *a, const char *name, const struct sandbox_paths *p, enum sandbox_kind kind)
{
        enum { RECURSIVE = 16384 /* MS_REC */ };
        struct control_value v = control_value_begin(a, name, "a(ssbt)");

        control_value_count(&v, count_places(p, kind));
        for (unsigned i = 0; i < p->n; i++) {
                if (p->v[i].kind != kind)
                        continue;
                control_value_string(&v, p->v[i].source);
                control_value_string(&v, p->v[i].path);
                control_value_number(&v, p->v[i].optional);
                control_value_number(&v, p->v[i].recursive ? RECURSIVE : 0);
        }
        control_value_end(&v);
}

static void put_sandbox(struct control_answer *a, const struct sandbox_paths *p)
{
        static const struct {
                const char *name;
                enum sandbox_kind kind;
        } lists[] = {
                {"ReadOnlyPaths", SANDBOX_READ_ONLY},
                {"ReadWritePaths", SANDBOX_READ_WRITE},
                {"InaccessiblePaths", SANDBOX_INACCESSIBLE},
                {"ExecPaths", SANDBOX_EXEC},
                {"NoExecPaths", SANDBOX_NO_EXEC},
        };
        struct control_value v;

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                put_places(a, lists[i].name, p, lists[i].kind);
        put_binds(a, "BindPaths", p, SANDBOX_BIND);
        put_binds(a, "BindReadOnlyPaths", p, SANDBOX_BIND_READ_ONLY);
        v = control_value_begin(a, "TemporaryFileSystem", "a(ss)");
        control_value_count(&v, count_places(p, SANDBOX_TMPFS));
        for (unsigned i = 0; i < p->n; i++)
                if (p->v[i].kind == SANDBOX_TMPFS) {
                        control_value_string(&v, p->v[i].path);
                        control_value_string(&v, p->v[i].source);
                }
        control_value_end(&v);
}

static void put_credentials(struct control_answer *a, const struct credentials *c)
{
        struct control_value v = control_value_begin(a, "LoadCredential", "a(ss)");
        uint32_t files = 0;

        for (unsigned i = 0; i < c->n; i++)
                files += c->v[i].path != NULL;
        control_value_count(&v, files);
        for (unsigned i = 0; i < c->n; i++)
                if (c->v[i].path) {
                        control_value_string(&v, c->v[i].id);
                        control_value_string(&v, c->v[i].path);
                }
        control_value_end(&v);
        v = control_value_begin(a, "SetCredential", "a(say)");
        control_value_count(&v, c->n - files);
        for (unsigned i = 0; i < c->n; i++)
                if (!c->v[i].path) {
                        control_value_string(&v, c->v[i].id);
                        control_value_bytes(&v, c->v[i].data, (uint32_t)c->v[i].size);
                }
        control_value_end(&v);
}

static int32_t own_oom_score(void)
{
        char text[32];

        return sys_read_file("/proc/self/oom_score_adj", text, sizeof(text), NULL) == 0 ? atoi(text) : 0;
}

static void put_scheduling(struct control_answer *a, const struct exec_config *x)
{
        struct sched_param own = {0};

        (void)sched_getparam(0, &own);
        control_put_i32(a, "Nice", x->nice_set ? x->nice : getpriority(PRIO_PROCESS, 0));
        control_put_i32(a, "OOMScoreAdjust", x->oom_score_set ? x->oom_score_adjust : own_oom_score());
        control_put_i32(a, "CPUSchedulingPolicy", x->cpu_policy_set ? x->cpu_policy : sched_getscheduler(0));
        control_put_i32(a, "CPUSchedulingPriority", x->cpu_policy_set ? x->cpu_priority : own.sched_priority);
        control_put_i32(a, "IOSchedulingClass", x->io_set ? x->io_class : 2); /* best effort: what the kernel takes */
        control_put_i32(a, "IOSchedulingPriority", x->io_set ? x->io_priority : 4);
        show_mask(a, "CPUAffinity", x->cpu_affinity);
        show_mask(a, "NUMAMask", x->rare->numa_mask);
        control_put_i32(a, "NUMAPolicy", (int32_t)x->rare->numa_policy - NUMA_DEFAULT);
}

static void put_narrow(struct control_answer *a, const char *name, unsigned n)
{
        struct control_value v = control_value_begin(a, name, "q");

        control_value_number(&v, n > 0 ? n : UINT16_MAX);
        control_value_end(&v);
}

static void put_rare(struct control_answer *a, const struct exec_config *x)
{
        const struct exec_rare *y = x->rare;

        show_rows(a, rare_rows, ARRAY_SIZE(rare_rows), y);
        control_put_bool(a, "MountAPIVFS", x->root_directory && !y->mount_apivfs_off);
        control_put_i32(a, "SecureBits", y->secure_bits_set ? y->secure_bits : 0);
        control_put_u64(a, "CoredumpFilter", y->core_filter_set ? y->core_filter : 0x33); /* core(5) */
        control_put_u64(a, "TimerSlackNSec",
                        y->timer_slack_set ? y->timer_slack_ns : (uint64_t)prctl(PR_GET_TIMERSLACK));
        put_narrow(a, "TTYRows", y->tty_rows);
        put_narrow(a, "TTYColumns", y->tty_columns);
        put_sandbox(a, &y->sandbox);
        put_credentials(a, &y->credentials);
}

void show_exec(struct control_answer *a, const struct exec_config *x)
{
        cleanup_free_ char *directory = NULL;

        if (asprintf(&directory, "%s%s", x->working_directory_optional ? "!" : "", show_text(x->working_directory)) < 0)
                directory = NULL;
        control_put_string(a, "WorkingDirectory", show_text(directory));
        put_environment_files(a, &x->environment_files);
        show_rows(a, exec_rows, ARRAY_SIZE(exec_rows), x);
        put_directories(a, x->directories);
        control_put_string(a, "StandardInputFileDescriptorName", x->input == INPUT_FD ? show_text(x->input_file) : "");
        control_put_string(a, "StandardOutputFileDescriptorName",
                           x->output == OUTPUT_FD ? show_text(x->output_file) : "");
        control_put_string(a, "StandardErrorFileDescriptorName", x->error == OUTPUT_FD ? show_text(x->error_file) : "");
        control_put_bytes(a, "StandardInputData", x->input_data, x->input_data_size);
        control_put_u64(a, "AmbientCapabilities", x->ambient_set);
        control_put_u64(a, "CapabilityBoundingSet", x->capability_bounding_set ? x->bounding_set : UINT64_MAX);
        put_scheduling(a, x);
        put_rare(a, x);
}
