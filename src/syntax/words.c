/* SPDX-License-Identifier: MIT
 *
 * Splitting values into words; see words.h. Words are built byte by byte in one buffer; lists are built as pointers in
 * another and copied into the arena once their length is known.
 *
 * Not here: variables (expand.c).
 * Invariant: a failed call moves nothing.
 */
#include "syntax/words.h"

#include "syntax/words-list.h"

#define BLANKS " \t\n\r"

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int digit_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return 16;
}

/* Exactly N digits of BASE (a power of two); a value of 0 is refused, since no word can hold a NUL. */
static int decode_digits(const char *s, size_t n, size_t left, int base, uint32_t *ret)
{
        uint32_t v = 0;

        if (n > left)
                return -EINVAL;
        for (size_t i = 0; i < n; i++) {
                int d = digit_value(s[i]);

                if (d >= base)
                        return -EINVAL;
                v = v * (uint32_t)base + (uint32_t)d;
        }
        if (v == 0)
                return -EINVAL;
        *ret = v;
        return 0;
}

int escape_decode(const char *s, size_t n, uint32_t *ret_value, bool *ret_is_code)
{
        static const char from[] = "abfnrtvs\\\"'", to[] = "\a\b\f\n\r\t\v \\\"'";
        static const struct {
                char letter;
                uint8_t skip, digits;
                int base;
        } forms[] = {{'x', 1, 2, 16}, {'u', 1, 4, 16}, {'U', 1, 8, 16}, {0, 0, 3, 8}};
        const char *simple;
        uint32_t v;
        size_t i = 0;

        if (n == 0 || s[0] == 0)
                return -EINVAL;
        simple = strchr(from, s[0]);
        if (simple) {
                *ret_value = (unsigned char)to[simple - from];
                *ret_is_code = false;
                return 1;
        }
        while (forms[i].letter && forms[i].letter != s[0])
                i++;
        if (decode_digits(s + forms[i].skip, forms[i].digits, n - forms[i].skip, forms[i].base, &v) < 0)
                return -EINVAL;
        if (forms[i].digits <= 3 ? v > 255 : (v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff)))
                return -EINVAL;
        *ret_value = v;
        *ret_is_code = forms[i].digits > 3;
        return forms[i].skip + forms[i].digits;
}

/* P is at a backslash. Returns the bytes used up (at least 1), or an error. */
static int take_escape(const char *p, unsigned flags, struct buf *out)
{
        uint32_t value = 0;
        bool is_code = false;
        int used, r;

        if (flags & WORDS_RETAIN) {
                r = buf_append(out, p, p[1] ? 2 : 1);
                return r < 0 ? r : p[1] ? 2 : 1;
        }
        if (!(flags & WORDS_UNESCAPE)) {
                if (!p[1])
                        return flags & WORDS_RELAX ? 1 : -EILSEQ;
                r = buf_append_char(out, p[1]);
                return r < 0 ? r : 2;
        }
        used = escape_decode(p + 1, strnlen(p + 1, 9), &value, &is_code);
        if (used < 0) {
                if (!(flags & (WORDS_RELAX | WORDS_KEEP)))
                        return -EILSEQ;
                r = buf_append_char(out, '\\');
                return r < 0 ? r : 1;
        }
        r = is_code ? utf8_append(out, value) : buf_append_char(out, (char)value);
        return r < 0 ? r : used + 1;
}

int word_next(const char **s, unsigned flags, struct buf *ret)
{
        const char *p = *s + strspn(*s, BLANKS);
        char quote = 0;
        int r;

        buf_reset(ret);
        if (!*p) {
                *s = p;
                return 0;
        }
        while (*p && (quote || !is_blank(*p))) {
                if (*p == '\\') {
                        r = take_escape(p, flags, ret);
                        if (r < 0)
                                return r;
                        p += r;
                        continue;
                }
                if (quote && *p == quote) {
                        quote = 0;
                } else if (!quote && (flags & WORDS_UNQUOTE) && (*p == '"' || *p == '\'')) {
                        quote = *p;
                } else {
                        r = buf_append_char(ret, *p);
                        if (r < 0)
                                return r;
                }
                p++;
        }
        if (quote && !(flags & WORDS_RELAX))
                return -EINVAL;
        *s = p + strspn(p, BLANKS);
        return 1;
}

int words_list_append(struct arena *a, struct buf *list, const char *s, size_t n)
{
        char *copy = arena_strndup(a, s, n);

        return copy ? buf_append(list, &copy, sizeof(copy)) : -ENOMEM;
}

int words_list_finish(struct arena *a, const struct buf *list, struct words *ret)
{
        size_t n = list->size / sizeof(char *);
        char **v = n < UINT32_MAX ? arena_alloc(a, (n + 1) * sizeof(char *)) : NULL;

        if (!v)
                return -ENOMEM;
        if (n > 0)
                memcpy(v, list->data, n * sizeof(char *));
        *ret = (struct words){.v = v, .n = (unsigned)n};
        return 0;
}

int words_list_split(struct arena *a, struct buf *list, const char *s, unsigned flags)
{
        cleanup_buf_ struct buf word = {0};
        int r;

        while ((r = word_next(&s, flags, &word)) > 0) {
                r = words_list_append(a, list, buf_str(&word), word.size);
                if (r < 0)
                        return r;
        }
        return r;
}

int words_split(struct arena *a, const char *s, unsigned flags, struct words *ret)
{
        cleanup_buf_ struct buf list = {0};
        int r = words_list_split(a, &list, s, flags);

        return r < 0 ? r : words_list_finish(a, &list, ret);
}
