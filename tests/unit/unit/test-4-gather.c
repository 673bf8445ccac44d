/* SPDX-License-Identifier: MIT
 * Which files make up a unit (rules 8-12), with real files in a temporary directory: "hi" ranks above "lo".
 */
#include "unit-test.h"

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

static char root[] = "/tmp/supd-test-unit-XXXXXX";
static struct unit_paths paths;

static void in_root(char out[static 512], const char *path)
{
        (void)snprintf(out, 512, "%s/%s", root, path);
}

static void make_parents(char *path)
{
        for (char *p = strchr(path + strlen(root) + 1, '/'); p; p = strchr(p + 1, '/')) {
                *p = 0;
                (void)mkdir(path, 0755);
                *p = '/';
        }
}

static void put(const char *path, const char *text)
{
        char full[512];
        FILE *f;

        in_root(full, path);
        make_parents(full);
        f = fopen(full, "we");
        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(fclose(f), 0);
}

static void put_link(const char *path, const char *target)
{
        char full[512];

        in_root(full, path);
        make_parents(full);
        assert_int_equal(symlink(target, full), 0);
}

static int remove_one(const char *path, const struct stat *st unused_, int type unused_, struct FTW *ftw unused_)
{
        return remove(path);
}

static int set_up(void **state unused_)
{
        char list[1100], template[] = "/tmp/supd-test-unit-XXXXXX";

        if (!mkdtemp(template))
                return -1;
        memcpy(root, template, sizeof(root));
        (void)snprintf(list, sizeof(list), "%s/hi:%s/lo", root, root);
        return unit_paths_init(&paths, list, true, false);
}

static int tear_down(void **state unused_)
{
        unit_paths_done(&paths);
        return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct unit *load(const char *name, struct diag *d)
{
        cleanup_buf_ struct buf b = {0};
        struct unit *u = NULL;

        assert_int_equal(unit_gather(&paths, name, &b, d), 0);
        assert_int_equal(unit_parse(b.data, b.size, NULL, &u, d), 0);
        return u;
}

static const char *relative(const char *path)
{
        return path ? path + strlen(root) + 1 : "(none)";
}

#define SERVICE(x) "[Unit]\nDescription=" x "\n[Service]\nExecStart=/bin/a\n"

static void search_path_order(void **state unused_)
{
        struct unit_paths p;

        assert_int_equal(unit_paths_init(&p, NULL, true, false), 0);
        assert_string_equal(joined(&p.dirs),
                            "/etc/supd/units /run/supd/units /etc/systemd/system /run/systemd/system "
                            "/usr/local/lib/supd/units /usr/lib/supd/units "
                            "/usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system");
        unit_paths_done(&p);
        assert_int_equal(unit_paths_init(&p, "/a:/b:", false, false), 0);
        assert_string_equal(joined(&p.dirs), "/a /b /etc/supd/units /run/supd/units /usr/local/lib/supd/units "
                                             "/usr/lib/supd/units");
        unit_paths_done(&p);
        assert_int_equal(unit_paths_init(&p, "/a::/b", true, false), 0);
        assert_string_equal(joined(&p.dirs), "/a /b");
        unit_paths_done(&p);
}

static void rule_08_higher_directory_wins(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *low = NULL, *high = NULL;

        put("lo/a.service", SERVICE("low"));
        low = load("a.service", &d);
        assert_string_equal(low->description, "low");
        put("hi/a.service", SERVICE("high")); /* and a change of a directory is seen */
        high = load("a.service", &d);
        assert_string_equal(high->description, "high");
        assert_string_equal(relative(high->fragment_path), "hi/a.service");
        assert_int_equal(d.n_entries, 0);
}

static void rule_09_drop_ins_pool_and_hide(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = NULL;

        put("lo/a-b@x.service", SERVICE("main"));
        put("lo/a-b@x.service.d/10.conf", "[Unit]\nDescription=ten\n");
        put("lo/a-b@x.service.d/20.conf", "[Unit]\nDescription=low twenty\n");
        put("hi/a-b@x.service.d/20.conf", "[Unit]\nDescription=twenty\n");
        put("hi/a-b@.service.d/10.conf", "[Unit]\nDescription=never\n");
        put("lo/a-b@.service.d/30.conf", "[Unit]\nDocumentation=man:thirty\n");
        put("lo/a-.service.d/30.conf", "[Unit]\nDocumentation=man:not-for-instances\n");
        put("lo/service.d/05.conf", "[Unit]\nDocumentation=man:five\n");
        put("lo/service.d/30.conf", "[Unit]\nDocumentation=man:never\n");
        put("lo/a-b@x.service.d/40.conf", "[Unit]\nDescription=hidden\n");
        put_link("hi/a-b@x.service.d/40.conf", "/dev/null");
        put("lo/a-b@x.service.d/50.txt", "[Unit]\nDescription=no conf\n");
        u = load("a-b@x.service", &d);
        assert_string_equal(said(&d), "");
        assert_string_equal(u->description, "twenty");
        assert_string_equal(joined(&u->documentation), "man:five man:thirty");
        assert_int_equal(u->dropin_paths.n, 4);
        assert_string_equal(relative(u->dropin_paths.v[0]), "lo/service.d/05.conf");
        assert_string_equal(relative(u->dropin_paths.v[1]), "hi/a-b@.service.d/10.conf");
        assert_string_equal(relative(u->dropin_paths.v[2]), "hi/a-b@x.service.d/20.conf");
        assert_string_equal(relative(u->dropin_paths.v[3]), "lo/a-b@.service.d/30.conf");
}

static void rule_09_prefix_drop_ins(void **state unused_)
{
        cleanup_unit_ struct unit *u = NULL;

        put("lo/a-b-c.service", SERVICE("main"));
        put("lo/a-b-.service.d/1.conf", "[Unit]\nDescription=a-b\n");
        put("lo/a-.service.d/1.conf", "[Unit]\nDescription=hidden\n");
        put("lo/a-.service.d/0.conf", "[Unit]\nDocumentation=man:a\n");
        u = load("a-b-c.service", NULL);
        assert_string_equal(u->description, "a-b");
        assert_string_equal(joined(&u->documentation), "man:a");
}

static void rule_10_masks(void **state unused_)
{
        static const char *const names[] = {"null.service", "empty.service", "a@b.service"};

        put_link("hi/null.service", "/dev/null");
        put("lo/null.service", SERVICE("low"));
        put("hi/empty.service", "");
        put("lo/a@.service", SERVICE("template"));
        put_link("lo/a@b.service", "/dev/null");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = load(names[i], &d);

                assert_int_equal(u->load_state, LOAD_MASKED);
                assert_non_null(strstr(u->load_error, "is masked"));
                assert_int_equal(d.n_entries, 0);
                assert_non_null(u->service);
        }
}

static void rule_11_aliases_are_one_unit(void **state unused_)
{
        static const char *const names[] = {"real.service", "one.service", "two.service"};

        put("lo/real.service", SERVICE("real"));
        put_link("hi/one.service", "/lib/systemd/system/real.service"); /* the name counts, wherever the root is */
        put_link("hi/two.service", "one.service");
        put("lo/two.service.d/1.conf", "[Unit]\nDocumentation=man:two\n");
        put_link("hi/one.service.wants/b.service", "/x/b.service");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = load(names[i], &d);

                assert_string_equal(u->id, "real.service");
                assert_string_equal(joined(&u->names), "real.service one.service two.service");
                assert_string_equal(joined(&u->documentation), "man:two");
                assert_string_equal(joined(&u->dependencies[DEP_WANTS]), "b.service");
                assert_int_equal(d.n_entries, 0);
        }
}

/* A forgotten index is filled again, at rest more than once, with what has appeared meanwhile. */
static void paths_at_rest_find_everything_again(void **state unused_)
{
        put("lo/real.service", SERVICE("real"));
        put_link("hi/one.service", "/lib/systemd/system/real.service");
        for (unsigned i = 0; i < 3; i++) {
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = load("one.service", &d);
                cleanup_unit_ struct unit *late = load("late.service", &d);

                assert_string_equal(joined(&u->names), "real.service one.service");
                assert_int_equal(late->load_state, i < 2 ? LOAD_NOT_FOUND : LOAD_LOADED);
                unit_paths_rest(&paths);
                unit_paths_rest(&paths);
                if (i == 1)
                        put("lo/late.service", SERVICE("late"));
        }
}

static void rule_11_wants_and_requires_directories(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = NULL;

        put("lo/a@.service", SERVICE("main"));
        put_link("hi/a@x.service.wants/b.service", "../b.service");
        put_link("lo/a@.service.wants/c@.service", "../c@.service");
        put_link("lo/a@x.service.requires/d.target", "/nowhere/d.target");
        put_link("lo/a@x.service.wants/masked.service", "/dev/null");
        put("lo/a@x.service.wants/README", "no unit");
        u = load("a@x.service", &d);
        assert_string_equal(joined(&u->dependencies[DEP_WANTS]), "b.service c@x.service");
        assert_string_equal(joined(&u->dependencies[DEP_REQUIRES]), "d.target sysinit.target");
        assert_int_equal(d.n_entries, 0);
}

static void rule_12_instances_come_from_templates(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *concrete = NULL, *instance = NULL, *alias = NULL, *template = NULL;

        put("lo/t@.service", SERVICE("template %i"));
        put("lo/t@own.service", SERVICE("own"));
        put_link("lo/s@.service", "t@.service");
        concrete = load("t@own.service", &d);
        instance = load("t@x.service", &d);
        alias = load("s@x.service", &d);
        template = load("t@.service", &d);
        assert_string_equal(concrete->description, "own");
        assert_string_equal(instance->description, "template x");
        assert_string_equal(alias->id, "t@x.service");
        assert_string_equal(joined(&alias->names), "t@x.service s@x.service");
        assert_string_equal(joined(&instance->names), "t@x.service s@x.service");
        assert_int_equal(template->load_state, LOAD_ERROR);
        assert_int_equal(d.n_entries, 0);
}

static void rule_61_built_in_units(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *basic = NULL, *level = NULL, *slice = NULL, *mine = NULL;

        put("lo/multi-user.target.d/1.conf", "[Unit]\nDocumentation=man:mine\n");
        put_link("hi/multi-user.target.wants/a.service", "../a.service");
        basic = load("basic.target", &d);
        level = load("runlevel3.target", &d);
        slice = load("any-thing.slice", &d);
        assert_true(basic->built_in && basic->load_state == LOAD_LOADED && !basic->fragment_path);
        assert_true(list_contains(&basic->dependencies[DEP_REQUIRES], "sysinit.target"));
        assert_string_equal(level->id, "multi-user.target");
        assert_true(list_contains(&level->dependencies[DEP_WANTS], "a.service"));
        assert_string_equal(joined(&level->documentation), "man:mine");
        assert_int_equal(slice->load_state, LOAD_LOADED);
        put("lo/multi-user.target", "[Unit]\nDescription=mine\n");
        mine = load("multi-user.target", &d);
        assert_string_equal(mine->description, "mine");
        assert_false(mine->built_in);
        assert_string_equal(said(&d), "");
}

static void every_built_in_unit_loads(void **state unused_)
{
        static const char *const names[] = {
                "sysinit.target",         "basic.target",          "multi-user.target",  "graphical.target",
                "default.target",         "sockets.target",        "timers.target",      "paths.target",
                "network.target",         "network-online.target", "network-pre.target", "nss-lookup.target",
                "nss-user-lookup.target", "local-fs.target",       "remote-fs.target",   "remote-fs-pre.target",
                "time-sync.target",       "time-set.target",       "rpcbind.target",     "umount.target",
                "shutdown.target",        "emergency.target",      "rescue.target",      "reboot.target",
                "poweroff.target",        "halt.target",           "exit.target",        "-.mount",
                "syslog.socket",          "system.slice"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = load(names[i], &d);

                if (u->load_state != LOAD_LOADED || d.n_entries > 0)
                        fail_msg("%s: %s", names[i], said(&d));
        }
}

static void what_is_not_there_is_not_found(void **state unused_)
{
        cleanup_buf_ struct buf b = {0};
        cleanup_unit_ struct unit *u = NULL;

        put("lo/gone.service.d/1.conf", SERVICE("a drop-in alone makes no unit"));
        u = load("gone.service", NULL);
        assert_int_equal(u->load_state, LOAD_NOT_FOUND);
        assert_int_equal(unit_gather(&paths, "no unit", &b, NULL), -EINVAL);
        assert_int_equal(b.size, 0);
}

static void links_that_lead_nowhere(void **state unused_)
{
        static const char *const names[] = {"loop1.service", "kind.service"};

        put_link("lo/loop1.service", "loop2.service");
        put_link("lo/loop2.service", "loop1.service");
        put("lo/kind.target", "[Unit]\n");
        put_link("lo/kind.service", "kind.target");
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = load(names[i], &d);

                assert_string_equal(u->id, names[i]);
                if (u->load_state != LOAD_NOT_FOUND || d.n_errors != 1)
                        fail_msg("%s: %s, %s", names[i], unit_load_state_name(u->load_state), said(&d));
        }
}

static void files_that_cannot_be_used(void **state unused_)
{
        static const struct {
                const char *name, *reason;
        } cases[] = {{"dir.service", "is a directory"},
                     {"fifo.service", "is no regular file"},
                     {"big.service", "over 1 MiB"},
                     {"conf.service", "10.conf: is a directory"}};
        char full[512];
        char *big = calloc(1, 1024 * 1024 + 2);

        memset(big, '#', 1024 * 1024 + 1);
        put("lo/big.service", big);
        free(big);
        put("lo/dir.service/x", "");
        in_root(full, "lo/fifo.service");
        assert_int_equal(mkfifo(full, 0600), 0);
        put("lo/conf.service", SERVICE("main"));
        put("lo/conf.service.d/10.conf/x", "");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_diag_ struct diag d = {0};
                cleanup_unit_ struct unit *u = load(cases[i].name, &d);

                if (u->load_state != LOAD_ERROR || d.n_errors != 1 || !strstr(u->load_error, cases[i].reason))
                        fail_msg("%s: %s, %s", cases[i].name, unit_load_state_name(u->load_state), said(&d));
        }
}

static void dangling_links_are_left_out(void **state unused_)
{
        cleanup_diag_ struct diag d = {0};
        cleanup_unit_ struct unit *u = NULL;

        put_link("hi/a.service", "/nowhere/a.service");
        put("lo/a.service", SERVICE("low"));
        put_link("lo/a.service.d/1.conf", "/nowhere/1.conf");
        u = load("a.service", &d);
        assert_string_equal(u->description, "low");
        assert_int_equal(d.n_warnings, 2);
}

static void linked_files_of_another_name(void **state unused_)
{
        cleanup_unit_ struct unit *u = NULL;

        put("opt/other.service", SERVICE("linked"));
        put_link("hi/a.service", "../opt/other.service");
        u = load("a.service", NULL);
        assert_string_equal(u->id, "a.service");
        assert_string_equal(u->description, "linked");
}

static void list_of_all_files(void **state unused_)
{
        cleanup_(arena_done) struct arena a = {0};
        struct strings l;

        put("lo/b.service", "");
        put("hi/b.service", "");
        put("lo/a@.timer", "");
        put("lo/c.target.wants/d.service", "");
        put("lo/notes.txt", "");
        assert_int_equal(unit_list_files(&paths, &a, &l), 0);
        assert_string_equal(joined(&l), "a@.timer b.service");
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
        const struct CMUnitTest tests[] = {
                T(search_path_order),
                T(rule_08_higher_directory_wins),
                T(rule_09_drop_ins_pool_and_hide),
                T(rule_09_prefix_drop_ins),
                T(rule_10_masks),
                T(rule_11_aliases_are_one_unit),
                T(paths_at_rest_find_everything_again),
                T(rule_11_wants_and_requires_directories),
                T(rule_12_instances_come_from_templates),
                T(rule_61_built_in_units),
                T(every_built_in_unit_loads),
                T(what_is_not_there_is_not_found),
                T(links_that_lead_nowhere),
                T(files_that_cannot_be_used),
                T(dangling_links_are_left_out),
                T(linked_files_of_another_name),
                T(list_of_all_files),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
