/* SPDX-License-Identifier: MIT
 *
 * Unit files as packages ship them: those of this machine, and ten services of a Debian root, which SUPD_TEST_ROOTFS
 * names. Skipped where there are none.
 */
#include "unit-test.h"

#include <sys/resource.h>
#include <unistd.h>

static const char *rootfs;

static int set_up(void **state)
{
        static struct unit_paths paths;
        char list[2048];

        rootfs = getenv("SUPD_TEST_ROOTFS");
        if (!rootfs)
                rootfs = "";
        (void)snprintf(list, sizeof(list),
                       "%s/etc/systemd/system:%s/run/systemd/system:%s/usr/lib/systemd/system:"
                       "%s/lib/systemd/system",
                       rootfs, rootfs, rootfs, rootfs);
        *state = &paths;
        return unit_paths_init(&paths, list, false, false);
}

static int tear_down(void **state)
{
        unit_paths_done(*state);
        return 0;
}

static struct unit *load(const struct unit_paths *paths, const char *name, struct diag *d)
{
        cleanup_buf_ struct buf b = {0};
        struct unit *u = NULL;

        assert_int_equal(unit_gather(paths, name, &b, d), 0);
        assert_int_equal(unit_parse(b.data, b.size, NULL, &u, d), 0);
        return u;
}

/* No file of a package is refused, and none has a key that is unknown here. */
static void every_installed_unit_loads(void **state)
{
        cleanup_(arena_done) struct arena a = {0};
        struct strings names;

        assert_int_equal(unit_list_files(*state, &a, &names), 0);
        if (names.n == 0)
                skip();
        for (unsigned i = 0; i < names.n; i++) {
                char name[512];
                const char *at = strstr(names.v[i], "@.");
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = NULL;

                (void)snprintf(name, sizeof(name), "%.*s%s%s", at ? (int)(at - names.v[i]) : (int)strlen(names.v[i]),
                               names.v[i], at ? "@x" : "", at ? at + 1 : "");
                u = load(*state, name, &d);
                if (u->load_state == LOAD_NOT_FOUND && strstr(said(&d), "dangling"))
                        continue; /* this machine is not in order */
                if (u->load_state != LOAD_MASKED && (u->load_state != LOAD_LOADED || strstr(said(&d), "unknown key")))
                        fail_msg("%s: %s", name, said(&d));
        }
}

struct expectation {
        const char *name;
        enum service_type type;
        enum service_restart restart;
        enum kill_mode kill_mode;
        const char *start, *pid_file, *user, *wanted_by, *after;
        unsigned n_pre, n_post, n_reload, n_stop, n_notices;
};
static const struct expectation expectations[] = {
        {"redis-server.service", SERVICE_NOTIFY, RESTART_ALWAYS, KILL_CONTROL_GROUP,
         "/usr/bin/redis-server /etc/redis/redis.conf --supervised systemd --daemonize no",
         "/run/redis/redis-server.pid", "redis", "multi-user.target", "network.target", 0, 0, 0, 0, 25},
        {"nginx.service", SERVICE_FORKING, RESTART_NO, KILL_MIXED, "/usr/sbin/nginx -g daemon on; master_process on;",
         "/run/nginx.pid", NULL, "multi-user.target", "network-online.target", 1, 0, 1, 1, 0},
        {"memcached.service", SERVICE_SIMPLE, RESTART_ALWAYS, KILL_CONTROL_GROUP,
         "/usr/share/memcached/scripts/systemd-memcached-wrapper /etc/memcached.conf", "/run/memcached/memcached.pid",
         NULL, "multi-user.target", "network.target", 0, 0, 0, 0, 10},
        {"cron.service", SERVICE_SIMPLE, RESTART_ON_FAILURE, KILL_PROCESS, "/usr/sbin/cron -f $EXTRA_OPTS", NULL, NULL,
         "multi-user.target", "remote-fs.target", 0, 0, 0, 0, 0},
        {"beanstalkd.service", SERVICE_SIMPLE, RESTART_NO, KILL_CONTROL_GROUP,
         "/usr/bin/beanstalkd -l ${BEANSTALKD_LISTEN_ADDR} -p ${BEANSTALKD_LISTEN_PORT} $BEANSTALKD_EXTRA", NULL,
         "beanstalkd", "multi-user.target", "network.target", 0, 0, 0, 0, 0},
        {"lighttpd.service", SERVICE_SIMPLE, RESTART_ON_FAILURE, KILL_CONTROL_GROUP,
         "/usr/sbin/lighttpd -D -f /etc/lighttpd/lighttpd.conf", "/run/lighttpd.pid", NULL, "multi-user.target",
         "network-online.target", 1, 0, 1, 0, 0},
        {"mosquitto.service", SERVICE_NOTIFY, RESTART_ON_FAILURE, KILL_CONTROL_GROUP,
         "/usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf", NULL, NULL, "multi-user.target", "network.target", 4,
         0, 1, 0, 0},
        {"ssh.service", SERVICE_NOTIFY, RESTART_ON_FAILURE, KILL_PROCESS, "/usr/sbin/sshd -D $SSHD_OPTS", NULL, NULL,
         "multi-user.target", "auditd.service", 1, 0, 2, 0, 0},
        {"rsync.service", SERVICE_SIMPLE, RESTART_ON_FAILURE, KILL_CONTROL_GROUP, "/usr/bin/rsync --daemon --no-detach",
         NULL, NULL, "multi-user.target", "network.target", 0, 0, 0, 0, 2},
        {"dnsmasq.service", SERVICE_FORKING, RESTART_NO, KILL_CONTROL_GROUP, "/usr/share/dnsmasq/systemd-helper exec",
         "/run/dnsmasq/dnsmasq.pid", NULL, "multi-user.target", "network.target", 1, 1, 1, 1, 0},
};

static void check(const struct unit *u, const struct expectation *x)
{
        const struct service_config *s = u->service;

        assert_int_equal(u->load_state, LOAD_LOADED);
        assert_int_equal(s->type, x->type);
        assert_int_equal(s->restart, x->restart);
        assert_int_equal(s->kill->mode, x->kill_mode);
        assert_int_equal(s->notify_access, x->type == SERVICE_NOTIFY ? NOTIFY_MAIN : NOTIFY_NONE);
        assert_int_equal(s->commands[EXEC_START].n, 1);
        assert_string_equal(joined(&s->commands[EXEC_START].v[0].words), x->start);
        assert_true(streq_null(s->pid_file, x->pid_file));
        assert_true(streq_null(s->exec->user, x->user));
        assert_true(streq_null(s->exec->group, x->user));
        assert_string_equal(joined(&u->wanted_by), x->wanted_by);
        assert_true(list_contains(&u->dependencies[DEP_AFTER], x->after));
        assert_true(list_contains(&u->dependencies[DEP_REQUIRES], "sysinit.target"));
        assert_int_equal(s->commands[EXEC_START_PRE].n, x->n_pre);
        assert_int_equal(s->commands[EXEC_START_POST].n, x->n_post);
        assert_int_equal(s->commands[EXEC_RELOAD].n, x->n_reload);
        assert_int_equal(s->commands[EXEC_STOP].n, x->n_stop);
        assert_int_equal(u->notices.n, x->n_notices);
}

static void ten_services_of_debian(void **state)
{
        unsigned n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(expectations); i++) {
                char path[2048];
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = NULL;

                (void)snprintf(path, sizeof(path), "%s/lib/systemd/system/%s", rootfs, expectations[i].name);
                if (access(path, R_OK) < 0)
                        continue;
                print_message("%s\n", expectations[i].name);
                u = load(*state, expectations[i].name, &d);
                assert_string_equal(said(&d), "");
                check(u, &expectations[i]);
                n++;
        }
        if (n == 0)
                skip();
}

static void redis_in_detail(void **state)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = NULL;
        const struct exec_config *e;
        char path[2048];

        (void)snprintf(path, sizeof(path), "%s/lib/systemd/system/redis-server.service", rootfs);
        if (access(path, R_OK) < 0)
                skip();
        u = load(*state, "redis-server.service", &d);
        e = u->service->exec;
        assert_true(u->service->timeout_stop_us == USEC_INFINITY);
        assert_int_equal(e->umask, 007);
        assert_true(e->no_new_privileges && e->capability_bounding_set && e->bounding_set == 0);
        assert_int_equal(e->limits[RLIMIT_NOFILE].soft, 65535);
        assert_int_equal(e->limits[RLIMIT_NOFILE].hard, 65535);
        assert_string_equal(joined(&e->directories[DIRECTORY_RUNTIME].names), "redis");
        assert_int_equal(e->directories[DIRECTORY_RUNTIME].mode, 02755);
        assert_string_equal(joined(&u->install_alias), "redis.service");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_installed_unit_loads),
                cmocka_unit_test(ten_services_of_debian),
                cmocka_unit_test(redis_in_detail),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
