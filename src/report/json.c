/* SPDX-License-Identifier: MIT
 *
 * Writing JSON: commas, escapes, and bytes that are no UTF-8 (each becomes U+FFFD). Not here: reading it.
 * Invariant: whatever is put in, what comes out parses. Out of memory cuts the text; then nothing is printed at all.
 */
#include "report/report.h"

bool json_form_from(const char *word, enum json_form *ret)
{
        static const struct {
                const char *word;
                enum json_form form;
        } forms[] = {{"off", JSON_OFF},
                     {"short", JSON_SHORT},
                     {"json", JSON_SHORT},
                     {"pretty", JSON_PRETTY},
                     {"json-pretty", JSON_PRETTY}};

        for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
                if (streq(forms[i].word, word ? word : "short")) {
                        *ret = forms[i].form;
                        return true;
                }
        return false;
}

static void separate(struct json *j, const char *key)
{
        if (j->comma)
                (void)buf_append_char(&j->text, ',');
        if (j->form == JSON_PRETTY && j->depth > 0) {
                (void)buf_append_char(&j->text, '\n');
                for (unsigned i = 0; i < j->depth; i++)
                        (void)buf_append_char(&j->text, '\t');
        }
        if (key)
                (void)buf_printf(&j->text, j->form == JSON_PRETTY ? "\"%s\" : " : "\"%s\":", key);
        j->comma = true;
}

void json_open(struct json *j, const char *key, char bracket)
{
        separate(j, key);
        (void)buf_append_char(&j->text, bracket);
        j->comma = false;
        j->depth++;
}

void json_close(struct json *j, char bracket)
{
        bool empty = !j->comma;

        j->depth--;
        if (!empty) {
                j->comma = false;
                if (j->form == JSON_PRETTY) {
                        (void)buf_append_char(&j->text, '\n');
                        for (unsigned i = 0; i < j->depth; i++)
                                (void)buf_append_char(&j->text, '\t');
                }
        }
        (void)buf_append_char(&j->text, bracket);
        j->comma = true;
}

/* Length of the UTF-8 sequence at P, 0 when it is none (overlong, surrogate, too large, cut). */
static unsigned utf8_length(const unsigned char *p)
{
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        unsigned n = p[0] < 0x80                   ? 1
                     : p[0] >= 0xf0 && p[0] < 0xf8 ? 4
                     : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                     : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                                                   : 0;
        uint32_t c;

        if (n < 2)
                return n;
        c = p[0] & (0xffu >> (n + 1));
        for (unsigned i = 1; i < n; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

void json_string(struct json *j, const char *key, const char *value)
{
        const unsigned char *p = (const unsigned char *)value;

        separate(j, key);
        (void)buf_append_char(&j->text, '"');
        while (*p) {
                unsigned n = utf8_length(p);

                if (n == 0)
                        (void)buf_append_str(&j->text, "\xef\xbf\xbd");
                else if (*p == '"' || *p == '\\')
                        (void)buf_printf(&j->text, "\\%c", *p);
                else if (*p < 0x20 || *p == 0x7f)
                        (void)buf_printf(&j->text, "\\u%04x", *p);
                else
                        (void)buf_append(&j->text, p, n);
                p += n ? n : 1;
        }
        (void)buf_append_char(&j->text, '"');
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
        separate(j, key);
        (void)buf_printf(&j->text, "%llu", (unsigned long long)value);
}

void json_i64(struct json *j, const char *key, int64_t value)
{
        separate(j, key);
        (void)buf_printf(&j->text, "%lld", (long long)value);
}

void json_bool(struct json *j, const char *key, bool value)
{
        separate(j, key);
        (void)buf_append_str(&j->text, value ? "true" : "false");
}

void json_null(struct json *j, const char *key)
{
        separate(j, key);
        (void)buf_append_str(&j->text, "null");
}

void json_print(struct json *j)
{
        if (j->depth == 0)
                (void)puts(buf_str(&j->text));
        buf_done(&j->text);
}
