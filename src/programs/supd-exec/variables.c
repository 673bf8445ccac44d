/* SPDX-License-Identifier: MIT
 *
 * The environment of a service and, from it, its argv.
 *
 * Order, lowest first, as systemd has it: base, what the start itself tells, ExecSearchPath=, PassEnvironment=,
 * Environment=, EnvironmentFile=; UnsetEnvironment= at last. So Environment=HOME=/x wins over the user's home.
 * Invariant: nothing of the launcher's own environment gets in but by PassEnvironment=.
 */
#include <glob.h>
#include <stdio.h>

#include "job.h"

enum { ENVIRONMENT_FILE_MAX = 16 * 1024 * 1024 };

/* Room for a pid: variables_finish() writes it once there is one. */
#define PID_PLACE "0000000000"

extern char **environ;

static int put_list(struct job *j, enum plan_tag tag)
{
        for (const char *s = job_next(j, tag, NULL); s; s = job_next(j, tag, s)) {
                int r = environment_put(&j->environment, s);

                if (r < 0 && r != -EINVAL)
                        return r;
        }
        return 0;
}

static int put_user(struct job *j)
{
        const struct identity *id = &j->identity;
        struct environment *e = &j->environment;
        int r = 0;

        if (!id->has_user || !job_word(j, PLAN_LOGIN, 0, 1))
                return 0;
        if (id->home)
                r = environment_set(e, "HOME", id->home);
        if (r == 0 && id->name)
                r = environment_set(e, "LOGNAME", id->name);
        if (r == 0 && id->name)
                r = environment_set(e, "USER", id->name);
        if (r == 0 && id->shell)
                r = environment_set(e, "SHELL", id->shell);
        return r;
}

static int put_number(struct environment *e, const char *name, unsigned long long v)
{
        char text[24];

        (void)snprintf(text, sizeof(text), "%llu", v);
        return environment_set(e, name, text);
}

static bool passes_listen_fds(const struct job *j)
{
        return j->n_fds > 0 && job_word(j, PLAN_INPUT, 0, INPUT_NULL) != INPUT_SOCKET &&
               job_word(j, PLAN_OUTPUT, 0, OUTPUT_NULL) != OUTPUT_SOCKET &&
               job_word(j, PLAN_ERROR, 0, OUTPUT_NULL) != OUTPUT_SOCKET;
}

/* What belongs to this one start. */
static int put_start(struct job *j)
{
        struct environment *e = &j->environment;
        int r = environment_set(e, "SYSTEMD_EXEC_PID", PID_PLACE);

        if (r == 0 && passes_listen_fds(j)) {
                r = environment_set(e, "LISTEN_PID", PID_PLACE);
                if (r == 0)
                        r = put_number(e, "LISTEN_FDS", j->n_fds);
                if (r == 0)
                        r = environment_set(e, "LISTEN_FDNAMES",
                                            j->fd_names ? j->fd_names : job_string(j, PLAN_LISTEN));
        }
        if (r == 0 && job_has(j, PLAN_WATCHDOG)) {
                r = environment_set(e, "WATCHDOG_PID", PID_PLACE);
                if (r == 0)
                        r = put_number(e, "WATCHDOG_USEC", plan_long(&j->items[PLAN_WATCHDOG], 0));
        }
        return r;
}

static int put_search_path(struct job *j)
{
        cleanup_buf_ struct buf b = {0};
        int r = 0;

        for (const char *s = job_next(j, PLAN_SEARCH, NULL); s && r == 0; s = job_next(j, PLAN_SEARCH, s))
                r = buf_printf(&b, "%s%s", b.size > 0 ? ":" : "", s);
        return r < 0 || b.size == 0 ? r : environment_set(&j->environment, "PATH", buf_str(&b));
}

static int put_passed(struct job *j)
{
        for (const char *name = job_next(j, PLAN_PASS, NULL); name; name = job_next(j, PLAN_PASS, name)) {
                const char *value = getenv(name);
                int r = value ? environment_set(&j->environment, name, value) : 0;

                if (r < 0 && r != -EINVAL)
                        return r;
        }
        return 0;
}

static int put_one_file(struct environment *e, const char *path)
{
        cleanup_buf_ struct buf b = {0};
        int r = file_read(path, ENVIRONMENT_FILE_MAX, &b);

        return r < 0 ? r : environment_put_file(e, buf_str(&b), b.size, NULL);
}

/* EnvironmentFile= may be a pattern; one that matches nothing is a file that is not there. */
static int put_file(struct environment *e, const char *path)
{
        glob_t g = {0};
        int r;

        if (!strpbrk(path, "*?["))
                return put_one_file(e, path);
        r = glob(path, 0, NULL, &g);
        if (r != 0)
                return r == GLOB_NOMATCH ? -ENOENT : r == GLOB_NOSPACE ? -ENOMEM : -EIO;
        for (size_t i = 0; i < g.gl_pathc && r == 0; i++)
                r = put_one_file(e, g.gl_pathv[i]);
        globfree(&g);
        return r;
}

static int put_files(struct job *j)
{
        struct plan_item item;
        size_t offset = 0;

        while (job_next_record(j, &offset, PLAN_ENVIRONMENT_FILE, &item)) {
                int r = put_file(&j->environment, item.tail);

                if (r < 0 && plan_word(&item, 0) == 0)
                        return job_fail(j, PLAN_STEP_ENVIRONMENT_FILE, -r, 0);
        }
        return 0;
}

static int put_base(struct job *j)
{
        int r = put_list(j, PLAN_BASE);

        if (r == 0 && !environment_get(&j->environment, "PATH"))
                r = environment_set(&j->environment, "PATH",
                                    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        return r;
}

static int put_runtime(struct job *j)
{
        const char *credentials = job_string(j, PLAN_CREDENTIALS);
        int r = put_list(j, PLAN_RUNTIME);

        if (r == 0 && credentials && (job_word(j, PLAN_CREDENTIALS, 0, 0) || access(credentials, F_OK) == 0))
                r = environment_set(&j->environment, "CREDENTIALS_DIRECTORY", credentials);
        return r;
}

static int put_own(struct job *j)
{
        return put_list(j, PLAN_ENVIRONMENT);
}

int variables_build(struct job *j)
{
        static int (*const sources[])(struct job * j) = {put_base,        put_runtime, put_user, put_start,
                                                         put_search_path, put_passed,  put_own,  put_files};

        for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
                int r = sources[i](j);

                if (r < 0)
                        return job_fail(j, PLAN_STEP_MEMORY, -r, EXIT_CODE_MEMORY);
        }
        for (const char *s = job_next(j, PLAN_UNSET, NULL); s; s = job_next(j, PLAN_UNSET, s))
                environment_unset(&j->environment, s);
        return 0;
}

int variables_expand(struct job *j)
{
        struct words words = {0};
        int r;

        for (const char *s = job_next(j, PLAN_ARGV, NULL); s; s = job_next(j, PLAN_ARGV, s))
                words.n++;
        words.v = arena_alloc(&j->arena, (words.n + 1) * sizeof(char *));
        if (!words.v)
                return job_fail(j, PLAN_STEP_MEMORY, ENOMEM, EXIT_CODE_MEMORY);
        words.n = 0;
        for (const char *s = job_next(j, PLAN_ARGV, NULL); s; s = job_next(j, PLAN_ARGV, s))
                words.v[words.n++] = (char *)s;
        if (job_flag(j, PLAN_FLAG_NO_EXPAND)) {
                j->argv = words;
                return 0;
        }
        r = words_expand_variables(&j->arena, &words, environment_lookup, &j->environment, &j->argv);
        if (r < 0)
                return job_fail(j, PLAN_STEP_EXPAND, -r, EXIT_CODE_MEMORY);
        return 0;
}

void variables_finish(struct job *j, pid_t pid)
{
        static const char *const names[] = {"SYSTEMD_EXEC_PID=" PID_PLACE, "LISTEN_PID=" PID_PLACE,
                                            "WATCHDOG_PID=" PID_PLACE};

        for (size_t i = 0; i < j->environment.n; i++)
                for (size_t k = 0; k < ARRAY_SIZE(names); k++)
                        if (streq(j->environment.v[i], names[k]))
                                (void)snprintf(strchr(j->environment.v[i], '=') + 1, sizeof(PID_PLACE), "%u",
                                               (unsigned)pid);
}
