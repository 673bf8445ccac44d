/* SPDX-License-Identifier: MIT
 *
 * The parts of a unit name. Escaping by example is in test-vectors.c; here: that it can always be undone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "syntax/escape.h"

static void any_string_comes_back(void **state)
{
        uint32_t random = 1;

        (void)state;
        for (unsigned i = 0; i < 2000; i++) {
                cleanup_buf_ struct buf escaped = {0}, back = {0};
                char s[16] = {0};

                for (size_t k = 0; k < i % sizeof(s); k++) {
                        random = random * 1664525u + 1013904223u;
                        s[k] = (char)(random >> 24 ? random >> 24 : 1);
                }
                assert_int_equal(name_escape(s, &escaped), 0);
                assert_null(strchr(buf_str(&escaped), '/'));
                assert_int_equal(name_unescape(buf_str(&escaped), escaped.size, &back), 0);
                assert_string_equal(buf_str(&back), s);
        }
}

static void check_split(const char *name, const char *prefix, const char *instance, const char *suffix)
{
        struct name_parts p;

        assert_int_equal(name_split(name, &p), 0);
        assert_int_equal(p.prefix_size, strlen(prefix));
        assert_memory_equal(p.prefix, prefix, p.prefix_size);
        assert_int_equal(!!p.instance, !!instance);
        if (instance) {
                assert_int_equal(p.instance_size, strlen(instance));
                assert_memory_equal(p.instance, instance, p.instance_size);
        }
        assert_string_equal(p.suffix, suffix);
}

static void names_are_split(void **state)
{
        static const char *const bad[] = {"", "foo", ".service", "@.service", "@x.service", "foo."};
        struct name_parts p;

        (void)state;
        check_split("foo.service", "foo", NULL, "service");
        check_split("foo@.service", "foo", "", "service");
        check_split("foo@bar.service", "foo", "bar", "service");
        check_split("foo@a.b@c.d.timer", "foo", "a.b@c.d", "timer");
        check_split("a.b.socket", "a.b", NULL, "socket");
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(name_split(bad[i], &p), -EINVAL);
}

static void templates_and_instances(void **state)
{
        cleanup_buf_ struct buf b = {0};

        (void)state;
        assert_int_equal(name_with_instance("foo@.service", "x-y", &b), 0);
        assert_string_equal(buf_str(&b), "foo@x-y.service");
        buf_reset(&b);
        assert_int_equal(name_template("foo@x.y.service", &b), 0);
        assert_string_equal(buf_str(&b), "foo@.service");
        assert_int_equal(name_with_instance("foo.service", "x", &b), -EINVAL);
        assert_int_equal(name_template("foo.service", &b), -EINVAL);
        assert_int_equal(name_template("foo@.service", &b), -EINVAL);
}

static void last_component(void **state)
{
        size_t n = 0;

        (void)state;
        assert_string_equal(name_last_component("a-b-c", 5, &n), "c");
        assert_int_equal(n, 1);
        assert_string_equal(name_last_component("abc", 3, &n), "abc");
        assert_int_equal(n, 3);
        assert_string_equal(name_last_component("a-", 2, &n), "");
        assert_int_equal(n, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_are_split),
                cmocka_unit_test(templates_and_instances),
                cmocka_unit_test(last_component),
                cmocka_unit_test(any_string_comes_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
