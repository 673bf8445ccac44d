/* SPDX-License-Identifier: MIT
 * The room `install` on small roots: what the differential test cannot ask of the real systemctl (what is ours alone,
 * and what happens between two system calls). Not here: the verbs' output (tests/integration/install-state).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "install/internal.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#define LIB "/usr/lib/systemd/system/"
#define ETC "/etc/systemd/system/"

struct fixture {
        char root[64];
        struct install_where where;
        struct install_changes changes;
};

static int remove_one(const char *path, const struct stat *st unused_, int type unused_, struct FTW *at unused_)
{
        return remove(path);
}

static int setup(void **state)
{
        struct fixture *f = calloc(1, sizeof(*f));
        struct install_place place = {.systemd_units = true};

        (void)snprintf(f->root, sizeof(f->root), "/tmp/supd-test-install-XXXXXX");
        assert_non_null(mkdtemp(f->root));
        place.root = f->root;
        assert_int_equal(install_where_init(&f->where, &place), 0);
        *state = f;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        install_changes_done(&f->changes);
        install_where_done(&f->where);
        (void)nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        free(f);
        return 0;
}

static const char *at(const struct fixture *f, const char *path)
{
        static char full[4][512];
        static unsigned i;

        i = (i + 1) % 4;
        (void)snprintf(full[i], sizeof(full[i]), "%s%s", f->root, path);
        return full[i];
}

static void make_dirs(const char *path)
{
        char dir[512];

        for (const char *p = path + 1; (p = strchr(p, '/')); p++) {
                (void)snprintf(dir, sizeof(dir), "%.*s", (int)(p - path), path);
                (void)mkdir(dir, 0755);
        }
}

static void put(const struct fixture *f, const char *path, const char *text)
{
        const char *full = at(f, path);
        int fd;

        make_dirs(full);
        fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
        (void)close(fd);
}

static void put_link(const struct fixture *f, const char *path, const char *target)
{
        make_dirs(at(f, path));
        assert_int_equal(symlink(target, at(f, path)), 0);
}

static void assert_link(const struct fixture *f, const char *path, const char *target)
{
        char text[512];
        ssize_t n = readlink(at(f, path), text, sizeof(text) - 1);

        if (!target) {
                assert_int_equal(n, -1);
                return;
        }
        assert_true(n > 0);
        text[n] = 0;
        assert_string_equal(text, target);
}

static enum install_state state_of(const struct fixture *f, const char *name)
{
        enum install_state s = N_INSTALL_STATES;

        assert_int_equal(install_get_state(&f->where, NULL, name, &s), 0);
        return s;
}

static int enable(struct fixture *f, unsigned flags, const char *name)
{
        return install_enable(&f->where, flags, &name, 1, &f->changes);
}

static void test_upheld_by(void **state)
{
        struct fixture *f = *state;
        const char *name = "a.service";

        put(f, LIB "a.service", "[Install]\nUpheldBy=b.service\n");
        assert_int_equal(enable(f, 0, name), 1);
        assert_link(f, ETC "b.service.upholds/a.service", LIB "a.service");
        assert_int_equal(state_of(f, name), STATE_ENABLED);
        assert_int_equal(install_disable(&f->where, 0, &name, 1, &f->changes), 0);
        assert_link(f, ETC "b.service.upholds/a.service", NULL);
        assert_int_equal(state_of(f, name), STATE_DISABLED);
}

/* A drop-in that leads to /dev/null hides the one below it, also where the root has no devices. */
static void test_masked_dropin(void **state)
{
        struct fixture *f = *state;

        put(f, LIB "a.service", "[Service]\nExecStart=/bin/true\n");
        put(f, LIB "a.service.d/x.conf", "[Install]\nWantedBy=b.target\n");
        assert_int_equal(state_of(f, "a.service"), STATE_DISABLED);
        put_link(f, ETC "a.service.d/x.conf", "/dev/null");
        assert_int_equal(state_of(f, "a.service"), STATE_STATIC);
}

/* What is between: a reader that opens the link again and again finds it each time. */
static void test_replace_leaves_no_gap(void **state)
{
        struct fixture *f = *state;
        unsigned n = 0;

        put(f, LIB "a.service", "[Install]\nAlias=c.service\n");
        put(f, LIB "b.service", "[Install]\nAlias=c.service\n");
        assert_int_equal(enable(f, 0, "a.service"), 1);
        assert_int_equal(enable(f, 0, "b.service"), -EEXIST);
        assert_link(f, ETC "c.service", LIB "a.service");
        assert_int_equal(enable(f, INSTALL_FORCE, "b.service"), 1);
        assert_link(f, ETC "c.service", LIB "b.service");
        for (unsigned i = 0; i < f->changes.n; i++)
                n += f->changes.v[i].type == INSTALL_UNLINK;
        assert_int_equal(n, 1);
        {
                struct arena a = {0};
                struct list names;

                assert_int_equal(directory_names(&a, at(f, ETC), &names), 0);
                assert_int_equal(names.n, 1); /* no temporary one stayed */
                arena_done(&a);
        }
}

static void test_specifiers(void **state)
{
        struct fixture *f = *state;

        put(f, LIB "a-b@.service", "[Install]\nWantedBy=%p-%i-%j.target\n");
        assert_int_equal(enable(f, 0, "a-b@x.service"), 1);
        assert_link(f, ETC "a-b-x-b.target.wants/a-b@x.service", LIB "a-b@.service");
}

static void test_chase(void **state)
{
        static const struct {
                const char *path, *want;
                bool missing;
        } rows[] = {
                {"/a/x", "/real/x", false},   {"/a/../a/x", "/real/x", false}, {"/up/x", "/x", true},
                {"/a/./x", "/real/x", false}, {"/gone/y", "/gone/y", true},    {"/gone/y", NULL, false},
                {"/loop", NULL, true},        {"/a//x", "/real/x", false},     {"/../../a/x", "/real/x", false},
        };
        struct fixture *f = *state;
        struct arena a = {0};

        put(f, "/real/x", "");
        put_link(f, "/a", "/real");
        put_link(f, "/up", "../../../..");
        put_link(f, "/loop", "loop");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char *got;
                int r = path_chase(&a, f->root, at(f, rows[i].path), rows[i].missing, &got);

                if (!rows[i].want) {
                        assert_true(r == -ENOENT || r == -ELOOP);
                        continue;
                }
                assert_int_equal(r, 0);
                assert_string_equal(path_below(f->root, got), rows[i].want);
        }
        arena_done(&a);
}

/* Nothing outside of the configuration directory goes, whatever the links say. */
static void test_disable_stays_inside(void **state)
{
        struct fixture *f = *state;
        const char *name = "a.service";

        put(f, LIB "a.service", "[Install]\nWantedBy=b.target\n");
        put_link(f, LIB "b.target.wants/a.service", "../a.service");
        put(f, "/elsewhere/keep", "");
        put_link(f, "/elsewhere/a.service", LIB "a.service");
        put_link(f, ETC "b.target.wants", "/elsewhere");
        assert_int_equal(install_disable(&f->where, 0, &name, 1, &f->changes), 0);
        assert_link(f, LIB "b.target.wants/a.service", "../a.service");
        assert_link(f, "/elsewhere/a.service", LIB "a.service");
}

static void test_unit_path(void **state)
{
        struct fixture *f = *state;
        struct install_where w;
        char path[256];
        struct install_place place = {.unit_path = path};
        const char *name = "a.service";

        put(f, "/second/a.service", "[Install]\nWantedBy=b.target\n");
        (void)snprintf(path, sizeof(path), "%s/first:%s/second", f->root, f->root);
        assert_int_equal(install_where_init(&w, &place), 0);
        assert_int_equal(w.n_dirs, 2);
        assert_int_equal(install_enable(&w, 0, &name, 1, &f->changes), 1);
        assert_link(f, "/first/b.target.wants/a.service", at(f, "/second/a.service"));
        install_where_done(&w);
        place = (struct install_place){.systemd_units = false};
        assert_int_equal(install_where_init(&w, &place), 0);
        assert_string_equal(w.persistent, "/etc/supd/units");
        install_where_done(&w);
        place.systemd_units = true;
        assert_int_equal(install_where_init(&w, &place), 0);
        assert_string_equal(w.persistent, "/etc/systemd/system");
        assert_string_equal(w.runtime, "/run/systemd/system");
        install_where_done(&w);
}

static void test_generated(void **state)
{
        struct fixture *f = *state;
        struct install_where w;
        struct install_place place = {.systemd_units = true, .generated = at(f, "/own")};
        enum install_state s = N_INSTALL_STATES;

        put(f, "/own/generator/supd-test-generated.service", "[Service]\nExecStart=/bin/true\n");
        assert_int_equal(install_where_init(&w, &place), 0);
        assert_int_equal(install_get_state(&w, NULL, "supd-test-generated.service", &s), 0);
        assert_int_equal(s, STATE_GENERATED);
        install_where_done(&w);
}

static void test_preset_rules(void **state)
{
        struct fixture *f = *state;
        struct install_presets *p;

        put(f, "/etc/systemd/system-preset/10-a.preset", "enable a*\nenable t@.service x\n");
        put(f, "/usr/lib/systemd/system-preset/90-z.preset", "disable *\n");
        assert_int_equal(install_presets_read(&f->where, &p), 0);
        assert_true(install_preset_enables(p, "abc.service"));
        assert_true(install_preset_enables(p, "t@.service"));
        assert_false(install_preset_enables(p, "t@y.service"));
        assert_false(install_preset_enables(p, "b.service"));
        install_presets_free(p);
}

static void test_texts(void **state unused_)
{
        static const struct {
                struct install_change change;
                const char *text;
        } rows[] = {
                {{INSTALL_SYMLINK, 0, (char *)(intptr_t) "/P", (char *)(intptr_t) "/S"}, "Created symlink /P → /S."},
                {{INSTALL_UNLINK, 0, (char *)(intptr_t) "/p", NULL}, "Removed \"/p\"."},
                {{INSTALL_ERROR, -EIO, (char *)(intptr_t) "/p", NULL},
                 "Failed to mask unit, file \"/p\": Input/output error"},
                {{INSTALL_ERROR, -EEXIST, (char *)(intptr_t) "/p", (char *)(intptr_t) "/s"},
                 "Failed to mask unit, file \"/p\" already exists and is a symlink to \"/s\"."},
                {{INSTALL_ERROR, -EEXIST, (char *)(intptr_t) "/p", NULL},
                 "Failed to mask unit, file \"/p\" already exists."},
                {{INSTALL_ERROR, -ERFKILL, (char *)(intptr_t) "/p", NULL}, "Failed to mask unit, unit /p is masked."},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct buf b = {0};

                assert_int_equal(install_change_text(&rows[i].change, "mask", "→", &b), 0);
                assert_string_equal(buf_str(&b), rows[i].text);
                buf_done(&b);
        }
        for (int i = 0; i < N_INSTALL_STATES; i++)
                assert_non_null(install_state_name((enum install_state)i));
        for (int i = 0; i < N_INSTALL_CHANGE_TYPES; i++)
                assert_non_null(install_change_name((enum install_change_type)i));
}

/* Without the right to write, nothing is half done and the reason is told. */
static void test_no_right(void **state)
{
        struct fixture *f = *state;

        if (geteuid() == 0)
                skip();
        put(f, LIB "a.service", "[Install]\nWantedBy=b.target\n");
        put(f, "/etc/systemd/x", "");
        assert_int_equal(chmod(at(f, "/etc/systemd"), 0555), 0);
        assert_int_equal(enable(f, 0, "a.service"), -EACCES);
        assert_int_equal(f->changes.n, 1);
        assert_int_equal(f->changes.v[0].error, -EACCES);
        assert_int_equal(chmod(at(f, "/etc/systemd"), 0755), 0);
}

static void test_deep_also(void **state)
{
        struct fixture *f = *state;

        for (int i = 0; i < 300; i++) {
                char path[64], text[128];

                (void)snprintf(path, sizeof(path), LIB "u%d.service", i);
                (void)snprintf(text, sizeof(text), "[Install]\nWantedBy=b.target\nAlso=u%d.service\n", (i + 1) % 300);
                put(f, path, text);
        }
        assert_int_equal(enable(f, 0, "u0.service"), 300);
        assert_int_equal(state_of(f, "u299.service"), STATE_ENABLED);
}

/* Names that begin alike, the first, the last, and lines that are broken. */
static void test_recall(void **state)
{
        struct fixture *f = *state;
        struct install_known k;
        static const char *const absent[] = {"",           "0.service",   "a",        "a.servic",
                                             "a.service2", "b@1.service", "zz.target"};

        assert_false(install_recall(at(f, ""), "a.service", &k));
        put(f, "/unit-files", "");
        assert_false(install_recall(at(f, ""), "a.service", &k));
        put(f, "/unit-files",
            "a-b.service enabled enabled\na.service static disabled\nb.service disabled enabled\n"
            "b@.service indirect enabled\nc.service nonsense enabled\nd.service enabled\nz.target masked disabled\n");
        assert_true(install_recall(at(f, ""), "a-b.service", &k));
        assert_true(k.state == STATE_ENABLED && k.preset);
        assert_true(install_recall(at(f, ""), "a.service", &k));
        assert_true(k.state == STATE_STATIC && !k.preset);
        assert_true(install_recall(at(f, ""), "b.service", &k));
        assert_true(k.state == STATE_DISABLED && k.preset);
        assert_true(install_recall(at(f, ""), "b@.service", &k));
        assert_true(k.state == STATE_INDIRECT);
        assert_true(install_recall(at(f, ""), "z.target", &k));
        assert_true(k.state == STATE_MASKED && !k.preset);
        for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
                assert_false(install_recall(at(f, ""), absent[i], &k));
        assert_false(install_recall(at(f, ""), "c.service", &k));
        assert_false(install_recall(at(f, ""), "d.service", &k));
        put(f, "/unit-files.new", "");
        install_forget(at(f, ""));
        assert_false(install_recall(at(f, ""), "a.service", &k));
        assert_int_equal(access(at(f, "/unit-files.new"), F_OK), -1);
}

#define FIXTURE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                FIXTURE(test_upheld_by),      FIXTURE(test_masked_dropin), FIXTURE(test_replace_leaves_no_gap),
                FIXTURE(test_specifiers),     FIXTURE(test_chase),         FIXTURE(test_disable_stays_inside),
                FIXTURE(test_unit_path),      FIXTURE(test_preset_rules),  FIXTURE(test_generated),
                cmocka_unit_test(test_texts), FIXTURE(test_no_right),      FIXTURE(test_deep_also),
                FIXTURE(test_recall),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
