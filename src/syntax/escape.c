/* SPDX-License-Identifier: MIT
 *
 * Escaping and taking apart unit names; see escape.h.
 * Invariant: name_unescape(name_escape(s)) == s for every s; likewise for clean paths.
 */
#include "syntax/escape.h"

static int roll_back(struct buf *out, size_t size, int error)
{
        if (error < 0 && out->data) {
                out->size = size;
                out->data[size] = 0;
        }
        return error;
}

static bool stays(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '_' ||
               c == '.';
}

static int escape_byte(char c, bool first, struct buf *out)
{
        if (c == '/')
                return buf_append_char(out, '-');
        if (stays(c) && !(first && c == '.'))
                return buf_append_char(out, c);
        return buf_printf(out, "\\x%02x", (unsigned)(unsigned char)c);
}

static int escape_bytes(const char *s, size_t n, bool first, struct buf *out)
{
        int r = 0;

        for (size_t i = 0; i < n && r >= 0; i++)
                r = escape_byte(s[i], first && i == 0, out);
        return r;
}

int name_escape(const char *s, struct buf *out)
{
        size_t before = out->size;

        return roll_back(out, before, escape_bytes(s, strlen(s), true, out));
}

static int hex(char c)
{
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *p = c ? strchr(digits, c) : NULL;

        return p ? (int)((p - digits) & 15) : -EINVAL;
}

static int unescape_bytes(const char *s, size_t n, struct buf *out)
{
        for (size_t i = 0; i < n; i++) {
                int value = (unsigned char)s[i], r;

                if (s[i] == '-') {
                        value = '/';
                } else if (s[i] == '\\') {
                        if (n - i < 4 || s[i + 1] != 'x' || hex(s[i + 2]) < 0 || hex(s[i + 3]) < 0)
                                return -EINVAL;
                        value = hex(s[i + 2]) << 4 | hex(s[i + 3]);
                        i += 3;
                }
                if (value == 0)
                        return -EINVAL;
                r = buf_append_char(out, (char)value);
                if (r < 0)
                        return r;
        }
        return 0;
}

int name_unescape(const char *s, size_t n, struct buf *out)
{
        size_t before = out->size;

        return roll_back(out, before, unescape_bytes(s, n, out));
}

/* The next component of *p: its size, 0 at the end. Slashes and "." are skipped. */
static size_t next_component(const char **p)
{
        for (;;) {
                size_t n;

                *p += strspn(*p, "/");
                n = strcspn(*p, "/");
                if (n != 1 || **p != '.')
                        return n;
                *p += n;
        }
}

static int escape_components(const char *path, struct buf *out)
{
        bool first = true;
        size_t n;
        int r;

        if (path[0] != '/')
                return -EINVAL;
        while ((n = next_component(&path)) > 0) {
                if (n == 2 && path[0] == '.' && path[1] == '.')
                        return -EINVAL;
                if (!first) {
                        r = buf_append_char(out, '-');
                        if (r < 0)
                                return r;
                }
                r = escape_bytes(path, n, first, out);
                if (r < 0)
                        return r;
                path += n;
                first = false;
        }
        return first ? buf_append_char(out, '-') : 0;
}

int name_escape_path(const char *path, struct buf *out)
{
        size_t before = out->size;

        return roll_back(out, before, escape_components(path, out));
}

/* Each component is there, and none is "." or "..". */
static bool path_is_clean(const char *path)
{
        for (const char *p = path; *p == '/';) {
                size_t n = strcspn(++p, "/");

                if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
                        return false;
                p += n;
        }
        return true;
}

int name_unescape_path(const char *s, size_t n, struct buf *out)
{
        size_t before = out->size;
        int r = buf_append_char(out, '/');

        if (r >= 0 && !(n == 1 && s[0] == '-')) {
                r = unescape_bytes(s, n, out);
                if (r >= 0 && !path_is_clean(out->data + before))
                        r = -EINVAL;
        }
        return roll_back(out, before, r);
}

int name_split(const char *name, struct name_parts *ret)
{
        const char *dot = strrchr(name, '.'), *at = strchr(name, '@');
        struct name_parts p = {.prefix = name};

        if (!dot || !dot[1])
                return -EINVAL;
        if (at && at > dot)
                at = NULL;
        p.prefix_size = (size_t)((at ? at : dot) - name);
        if (p.prefix_size == 0)
                return -EINVAL;
        if (at) {
                p.instance = at + 1;
                p.instance_size = (size_t)(dot - at) - 1;
        }
        p.suffix = dot + 1;
        *ret = p;
        return 0;
}

static int join(const struct name_parts *p, const char *instance, struct buf *out)
{
        return buf_printf(out, "%.*s@%s.%s", (int)p->prefix_size, p->prefix, instance, p->suffix);
}

int name_with_instance(const char *name, const char *instance, struct buf *out)
{
        struct name_parts p;
        int r = name_split(name, &p);

        if (r < 0)
                return r;
        return p.instance ? join(&p, instance, out) : -EINVAL;
}

int name_template(const char *name, struct buf *out)
{
        struct name_parts p;
        int r = name_split(name, &p);

        if (r < 0)
                return r;
        return p.instance && p.instance_size > 0 ? join(&p, "", out) : -EINVAL;
}

const char *name_last_component(const char *s, size_t n, size_t *ret_size)
{
        const char *dash = memrchr(s, '-', n);

        *ret_size = dash ? n - (size_t)(dash + 1 - s) : n;
        return dash ? dash + 1 : s;
}
