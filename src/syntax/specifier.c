/* SPDX-License-Identifier: MIT
 *
 * Expanding %x; see specifier.h.
 * Invariant: on failure the output has the size it had before.
 */
#include "syntax/specifier.h"

static bool is_letter_or_digit(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* P is at a percent sign. Returns the bytes used up, or an error. */
static int expand_one(const char *p, specifier_lookup f, void *userdata, struct buf *out)
{
        int r;

        if (p[1] == '%') {
                r = buf_append_char(out, '%');
                return r < 0 ? r : 2;
        }
        if (!is_letter_or_digit(p[1])) {
                r = buf_append_char(out, '%');
                return r < 0 ? r : 1;
        }
        r = f(p[1], userdata, out);
        return r < 0 ? r : 2;
}

int specifier_expand(const char *s, specifier_lookup f, void *userdata, struct buf *out, char *ret_unknown)
{
        size_t before = out->size;
        int r = 0;

        while (*s) {
                size_t n = strcspn(s, "%");

                r = buf_append(out, s, n);
                s += n;
                if (r < 0 || !*s)
                        break;
                r = expand_one(s, f, userdata, out);
                if (r < 0)
                        break;
                s += r;
        }
        if (r >= 0)
                return 0;
        if (r == -ENOENT && ret_unknown)
                *ret_unknown = s[1];
        out->size = before;
        if (out->data)
                out->data[before] = 0;
        return r;
}

int specifier_from_table(char letter, void *userdata, struct buf *out)
{
        for (const struct specifier_value *t = userdata; t->letter; t++)
                if (t->letter == letter)
                        return t->value ? buf_append_str(out, t->value) : 0;
        return -ENOENT;
}
