/* SPDX-License-Identifier: MIT
 *
 * Any text as each kind of scalar, as a specifier text and as a unit name: what can be printed reads as itself.
 */
#include <string.h>

#include "fuzz.h"
#include "syntax/escape.h"
#include "syntax/scalar.h"
#include "syntax/specifier.h"

static void check_timespan(const char *s)
{
        char text[TIMESPAN_TEXT_SIZE];
        uint64_t us = 0, again = 0;

        if (parse_timespan(s, &us) < 0)
                return;
        CLAIM(parse_timespan(timespan_format(us, text), &again) == 0 && again == us);
        (void)timespan_format_accuracy(us, USEC_PER_SEC, text);
}

static void check_names(const char *s)
{
        cleanup_buf_ struct buf out = {0}, back = {0};
        struct name_parts parts;
        size_t n = 0;

        CLAIM(name_escape(s, &out) == 0);
        CLAIM(name_unescape(buf_str(&out), out.size, &back) == 0 && streq(buf_str(&back), s));
        buf_reset(&out);
        buf_reset(&back);
        if (name_escape_path(s, &out) == 0) {
                CLAIM(name_unescape_path(buf_str(&out), out.size, &back) == 0 && back.data[0] == '/');
                buf_reset(&out);
                CLAIM(name_escape_path(buf_str(&back), &out) == 0);
        }
        buf_reset(&back);
        (void)name_unescape_path(s, strlen(s), &back);
        if (name_split(s, &parts) == 0)
                CLAIM(parts.prefix_size > 0 && *parts.suffix);
        CLAIM(*name_last_component(s, strlen(s), &n) == 0 || n > 0);
}

static void check_values(const char *s)
{
        static struct specifier_value values[] = {{'i', "instance"}, {'n', NULL}, {0, NULL}};
        cleanup_buf_ struct buf out = {0};
        struct size_value size;
        uint64_t soft = 0, hard = 0;
        int status = 0, sig = 0;
        mode_t mode = 0;
        bool yes = false;

        for (int i = 0; i < 16; i++)
                CLAIM(parse_rlimit(i, s, &soft, &hard) < 0 || soft <= hard);
        (void)parse_size_value(s, &size);
        if (parse_exit_status_or_signal(s, &status, &sig) == 0)
                CLAIM((status >= 0 && status < 256 && sig == -1) || (status == -1 && sig > 0 && sig <= SIGNAL_RTMAX));
        CLAIM(parse_mode(s, &mode) < 0 || mode <= 07777);
        (void)parse_bool(s, &yes);
        (void)specifier_expand(s, specifier_from_table, values, &out, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        cleanup_buf_ struct buf text = {0};

        CLAIM(buf_append(&text, data, size) == 0);
        check_timespan(buf_str(&text));
        check_names(buf_str(&text));
        check_values(buf_str(&text));
        return 0;
}
