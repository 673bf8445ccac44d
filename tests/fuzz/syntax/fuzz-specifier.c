/* SPDX-License-Identifier: MIT
 *
 * Any text as a value with specifiers: what comes out is what a plain reading gives, and what is refused leaves nothing
 * behind and names a letter that there is none of.
 */
#include <ctype.h>
#include <string.h>

#include "fuzz.h"
#include "syntax/specifier.h"

static const struct specifier_value values[] = {{'a', "one"}, {'n', ""}, {'P', "%n%%"}, {'z', NULL}, {0, NULL}};

/* False when there is no such specifier. */
static bool plain(const char *s, struct buf *out)
{
        for (; *s; s++) {
                const struct specifier_value *v = values;

                if (*s != '%' || (s[1] != '%' && !isalnum((unsigned char)s[1]))) {
                        CLAIM(buf_append_char(out, *s) == 0);
                        continue;
                }
                s++;
                while (v->letter && v->letter != *s)
                        v++;
                if (*s == '%')
                        CLAIM(buf_append_char(out, '%') == 0);
                else if (!v->letter)
                        return false;
                else if (v->value)
                        CLAIM(buf_append_str(out, v->value) == 0);
        }
        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        cleanup_buf_ struct buf text = {0}, out = {0}, expected = {0};
        char unknown = 0;
        int r;

        CLAIM(buf_append(&text, data, size) == 0);
        r = specifier_expand(buf_str(&text), specifier_from_table, (void *)(uintptr_t)values, &out, &unknown);
        CLAIM(r == (plain(buf_str(&text), &expected) ? 0 : -ENOENT));
        if (r == 0)
                CLAIM(streq(buf_str(&out), buf_str(&expected)));
        else
                CLAIM(out.size == 0 && isalnum((unsigned char)unknown));
        return 0;
}
