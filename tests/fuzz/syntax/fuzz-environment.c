/* SPDX-License-Identifier: MIT
 *
 * Any bytes as an environment file: every assignment is valid and there once, mistakes lie on lines that exist, and the
 * environment written as a file reads as itself.
 */
#include <string.h>

#include "fuzz.h"
#include "syntax/environment.h"

static void write_file(const struct environment *e, struct buf *out)
{
        for (size_t i = 0; i < e->n; i++) {
                size_t n = strcspn(e->v[i], "=") + 1;

                CLAIM(buf_append(out, e->v[i], n) == 0 && buf_append_char(out, '"') == 0);
                for (const char *p = e->v[i] + n; *p; p++) {
                        if (strchr("\"\\$`", *p))
                                CLAIM(buf_append_char(out, '\\') == 0);
                        CLAIM(buf_append_char(out, *p) == 0);
                }
                CLAIM(buf_append_str(out, "\"\n") == 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        cleanup_environment_ struct environment e = {0}, again = {0};
        cleanup_buf_ struct buf file = {0};
        struct environment_mistakes m = {0};
        unsigned n_lines = 1;

        for (size_t i = 0; i < size; i++)
                n_lines += data[i] == '\n' || data[i] == '\r';
        CLAIM(environment_put_file(&e, (const char *)data, size, &m) == 0);
        CLAIM((m.n > 0) == (m.first_line > 0) && m.first_line <= n_lines);
        for (size_t i = 0; i < e.n; i++) {
                CLAIM(environment_assignment_valid(e.v[i]));
                for (size_t k = 0; k < i; k++)
                        CLAIM(strncmp(e.v[i], e.v[k], strcspn(e.v[i], "=") + 1) != 0);
        }
        write_file(&e, &file);
        CLAIM(environment_put_file(&again, buf_str(&file), file.size, &m) == 0 && m.n == 0);
        CLAIM(again.n == e.n);
        for (size_t i = 0; i < e.n; i++)
                CLAIM(strcmp(e.v[i], again.v[i]) == 0);
        return 0;
}
