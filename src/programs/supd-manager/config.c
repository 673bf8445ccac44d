/* SPDX-License-Identifier: MIT
 *
 * supd.conf: one section [Manager], a row per key. Read by the same reader as unit files (syntax/).
 *
 * Invariant: a missing file is no mistake unless --config named it; a bad line is told of, and its default stays.
 */
#include "manager.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "syntax/scalar.h"
#include "syntax/unit-file.h"

struct config_walk {
        struct manager *m;
        struct diag *diag;
        const char *file;
};

static int set_string(char **field, const char *value)
{
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;
        free(*field);
        *field = copy;
        return 0;
}

static int set_log_directory(struct manager *m, const char *value)
{
        if (*value != '/')
                return -EINVAL;
        return m->log_dir_given ? 0 : set_string(&m->log_dir, value);
}

static int set_systemd_units(struct manager *m, const char *value)
{
        bool yes;

        if (streq(value, "auto"))
                return 0;
        if (parse_bool(value, &yes) < 0)
                return -EINVAL;
        m->systemd_units = yes;
        return 0;
}

static int set_systemd_compat(struct manager *m, const char *value)
{
        bool yes;

        if (streq(value, "auto"))
                m->systemd_compat = COMPAT_AUTO;
        else if (parse_bool(value, &yes) < 0)
                return -EINVAL;
        else
                m->systemd_compat = yes ? COMPAT_YES : COMPAT_NO;
        return 0;
}

static int set_start_timeout(struct manager *m, const char *value)
{
        return parse_timespan(value, &m->default_timeout_start_us);
}

static int set_stop_timeout(struct manager *m, const char *value)
{
        return parse_timespan(value, &m->default_timeout_stop_us);
}

static int set_restart(struct manager *m, const char *value)
{
        return parse_timespan(value, &m->default_restart_us);
}

static int set_group(struct manager *m, const char *value)
{
        return set_string(&m->control_group, value);
}

static int set_cgroups(struct manager *m, const char *value)
{
        if (*value != '/' && !streq(value, "auto") && !streq(value, "no"))
                return -EINVAL;
        return set_string(&m->cgroups, value);
}

static int set_tasks(struct manager *m, const char *value)
{
        struct resource_value v = {.kind = RESOURCE_INFINITY};
        struct size_value size;
        uint64_t n;

        if (!streq(value, "infinity")) {
                if (strchr(value, '%') ? parse_size_value(value, &size) < 0 || size.value == 0
                                       : parse_u64(value, &n) < 0 || n == 0)
                        return -EINVAL;
                v.kind = strchr(value, '%') ? RESOURCE_SHARE : RESOURCE_NUMBER;
                v.value = v.kind == RESOURCE_SHARE ? size.value : n;
        }
        if (v.kind == RESOURCE_INFINITY)
                v.kind = RESOURCE_UNSET; /* which costs nothing */
        m->resources.whole.default_tasks = v;
        return 0;
}

static int set_log_level(struct manager *m, const char *value)
{
        if (!streq(value, "info") && !streq(value, "debug"))
                return -EINVAL;
        m->verbose = streq(value, "debug");
        return 0;
}

static const struct {
        const char *key, *fix;
        int (*set)(struct manager *, const char *);
} rows[] = {
        {"LogDirectory", "write an absolute path", set_log_directory},
        {"SystemdUnits", "write auto, yes or no", set_systemd_units},
        {"SystemdCompat", "write auto, yes or no", set_systemd_compat},
        {"DefaultTimeoutStartSec", "write a time span such as 90s", set_start_timeout},
        {"DefaultTimeoutStopSec", "write a time span such as 90s", set_stop_timeout},
        {"DefaultRestartSec", "write a time span such as 100ms", set_restart},
        {"ControlGroup", "write the name of a group", set_group},
        {"CGroups", "write auto, no, or a directory below the mounted cgroup2 hierarchy", set_cgroups},
        {"DefaultTasksMax", "write a number, a percentage or infinity", set_tasks},
        {"LogLevel", "write info or debug", set_log_level},
};

static int take_line(const char *section, const char *key, const char *value, unsigned line, void *userdata)
{
        struct config_walk *w = userdata;

        if (!streq(section, "Manager")) {
                diag_add(w->diag, DIAG_WARNING, w->file, line, "the only section is [Manager]", "unknown section [%s]",
                         section);
                return 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (streq(rows[i].key, key)) {
                        if (rows[i].set(w->m, value) < 0)
                                diag_add(w->diag, DIAG_WARNING, w->file, line, rows[i].fix, "%s=%s is not understood",
                                         key, value);
                        return 0;
                }
        diag_add(w->diag, DIAG_WARNING, w->file, line, "see supd.conf(5) for the keys there are",
                 "unknown key %s=", key);
        return 0;
}

int config_read(struct manager *m, struct diag *d)
{
        const char *path = m->config_file ? m->config_file : SUPD_SYSCONFDIR "/supd/supd.conf";
        struct config_walk w = {m, d, path};
        char text[65536];
        size_t n;
        int v = sys_read_file(path, text, sizeof(text), &n);

        if (v == -ENOENT && !m->config_file)
                return 0;
        if (v < 0) {
                diag_add(d, DIAG_ERROR, path, 0, "check --config", "cannot be read: %s", strerror(-v));
                return m->config_file ? v : 0;
        }
        v = unit_file_read(text, n, path, take_line, &w, d);
        return v == -EBADMSG ? 0 : v; /* told; what could be read counts */
}
