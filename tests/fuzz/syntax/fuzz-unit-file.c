/* SPDX-License-Identifier: MIT
 *
 * Any bytes as a unit file: what comes out is trimmed text with lines that exist and only grow, and reading the text
 * that the assignments spell gives the same assignments.
 */
#include <string.h>

#include "fuzz.h"
#include "syntax/unit-file.h"

struct seen {
        unsigned last_line, n_lines;
        struct buf list; /* what was found */
        struct buf text; /* written as a unit file */
};

static bool is_trimmed(const char *s)
{
        size_t n = strlen(s);

        return n == 0 || (!strchr(" \t\r\n", s[0]) && !strchr(" \t\r\n", s[n - 1]));
}

static int take(const char *section, const char *key, const char *value, unsigned line, void *userdata)
{
        struct seen *s = userdata;

        CLAIM(*key && is_trimmed(key) && is_trimmed(value));
        CLAIM(!strchr(key, '=') && key[0] != '#' && key[0] != ';' && key[0] != '[');
        CLAIM(!strpbrk(section, "\r\n") && !strpbrk(key, "\r\n") && !strpbrk(value, "\r\n"));
        CLAIM(utf8_is_valid(key, strlen(key)) && utf8_is_valid(value, strlen(value)));
        CLAIM(line > s->last_line && line <= s->n_lines);
        s->last_line = line;
        /* A value that ends in a backslash did so before blanks; behind it they stay. */
        if (buf_printf(&s->list, "[%s]%s=%s\n", section, key, value) < 0 ||
            buf_printf(&s->text, "[%s]\n%s=%s \n", section, key, value) < 0)
                return -ENOMEM;
        return 0;
}

static void check_diag(const struct diag *d, unsigned n_lines)
{
        for (size_t i = 0; i < d->n_entries; i++) {
                CLAIM(d->entries[i].line > 0 && d->entries[i].line <= n_lines);
                CLAIM(d->entries[i].file && d->entries[i].fix && *d->entries[i].message);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct seen s = {.n_lines = 1}, again = {.n_lines = UINT32_MAX};
        cleanup_diag_ struct diag d = {0};
        int r;

        for (size_t i = 0; i < size; i++)
                s.n_lines += data[i] == '\n' || data[i] == '\r' || data[i] == 0;
        r = unit_file_read((const char *)data, size, "f", take, &s, &d);
        CLAIM(r == 0 || (r == -EBADMSG && d.n_errors == 1));
        check_diag(&d, s.n_lines);
        CLAIM(unit_file_read(buf_str(&s.text), s.text.size, NULL, take, &again, NULL) == 0);
        CLAIM(strcmp(buf_str(&s.list), buf_str(&again.list)) == 0);
        buf_done(&s.list);
        buf_done(&s.text);
        buf_done(&again.list);
        buf_done(&again.text);
        return 0;
}
