/* SPDX-License-Identifier: MIT
 *
 * The logical-line reader, and inih behind it; see unit-file.h.
 *
 * inih would cut values, drop what follows " ;", glue indented lines and take ":" for "=". So it is fed canonical lines
 * of our own only: "[7]" for the seventh section header, "k=42" for the 42nd assignment. The texts stay here, and what
 * inih says must be what it was just told.
 *
 * Not here: what sections and keys mean.
 * Invariant: `text` holds the logical line that key and value point into; it is not touched until the handler returned.
 */
#include "syntax/unit-file.h"

#include <ini.h>
#include <stdio.h>

enum found {
        FOUND_NOTHING,
        FOUND_SECTION,
        FOUND_ASSIGNMENT,
};

struct reader {
        const char *p, *end; /* what is not read yet */
        const char *file;    /* for messages */
        unsigned line;       /* physical line last read, from 1 */
        unsigned first_line; /* of the logical line */
        struct buf text;     /* the logical line */
        bool too_long;       /* of the logical line */
        struct buf section;  /* name of the current section */
        bool in_section;     /* false before the first header */
        const char *key, *value;
        unsigned long n_sections, n_assignments;
        unit_file_handler f;
        void *userdata;
        struct diag *d;
        int result;
};

struct span {
        const char *s;
        size_t n;
};

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct span trim(struct span t)
{
        while (t.n > 0 && is_blank(t.s[0])) {
                t.s++;
                t.n--;
        }
        while (t.n > 0 && is_blank(t.s[t.n - 1]))
                t.n--;
        return t;
}

static bool ends_line(char c)
{
        return c == '\n' || c == '\r' || c == 0;
}

/* The next physical line, without its end. A NUL byte ends a line, too. */
static bool next_physical(struct reader *r, struct span *ret)
{
        const char *e = r->p;

        if (r->p == r->end)
                return false;
        while (e < r->end && !ends_line(*e))
                e++;
        *ret = (struct span){.s = r->p, .n = (size_t)(e - r->p)};
        if (e < r->end)
                e += *e == '\r' && e + 1 < r->end && e[1] == '\n' ? 2 : 1;
        r->p = e;
        r->line++;
        return true;
}

/* An odd number of backslashes at the end joins the next line. */
static bool is_continued(struct span t)
{
        size_t n = 0;

        while (n < t.n && t.s[t.n - 1 - n] == '\\')
                n++;
        return n % 2 == 1;
}

static int append_physical(struct reader *r, struct span t, bool continued)
{
        size_t room = UNIT_FILE_LINE_MAX - r->text.size;
        int e;

        if (t.n > room)
                r->too_long = true;
        e = buf_append(&r->text, t.s, MIN2(t.n, room));
        if (e >= 0 && continued && !r->too_long)
                r->text.data[r->text.size - 1] = ' ';
        return e;
}

/* The next logical line that is neither a comment nor the rest of one. 1, 0 at the end, -ENOMEM. */
static int next_logical(struct reader *r)
{
        bool joining = false;
        struct span t;

        buf_reset(&r->text);
        r->too_long = false;
        while (next_physical(r, &t)) {
                bool continued;
                int e;

                while (t.n > 0 && is_blank(t.s[0])) {
                        t.s++;
                        t.n--;
                }
                if (t.n > 0 && (t.s[0] == '#' || t.s[0] == ';'))
                        continue;
                if (!joining)
                        r->first_line = r->line;
                continued = is_continued(t);
                e = append_physical(r, t, continued);
                if (e < 0)
                        return e;
                if (!continued)
                        return 1;
                joining = true;
        }
        return joining;
}

/* What follows cannot be trusted: nothing more is read. */
static enum found bad_file(struct reader *r, const char *message, const char *fix)
{
        diag_add(r->d, DIAG_ERROR, r->file, r->first_line, fix, "%s; the rest of the file is not read", message);
        r->result = -EBADMSG;
        return FOUND_NOTHING;
}

static enum found bad_line(struct reader *r, const char *message, const char *fix)
{
        diag_add(r->d, DIAG_WARNING, r->file, r->first_line, fix, "%s; line ignored", message);
        return FOUND_NOTHING;
}

static enum found take_header(struct reader *r, struct span t)
{
        if (t.s[t.n - 1] != ']')
                return bad_file(r, "section header does not end in ]", "write [Section] on a line of its own");
        for (size_t i = 0; i < t.n; i++)
                if ((unsigned char)t.s[i] < 32 || t.s[i] == 127 || strchr("\"'\\", t.s[i]))
                        return bad_file(r, "section name has control characters, quotes or a backslash",
                                        "write a plain name between [ and ]");
        buf_reset(&r->section);
        r->result = buf_append(&r->section, t.s + 1, t.n - 2);
        if (r->result < 0)
                return FOUND_NOTHING;
        r->in_section = true;
        r->n_sections++;
        return FOUND_SECTION;
}

/* T lies in r->text, whose NUL-terminated pieces become key and value. */
static enum found take_assignment(struct reader *r, struct span t)
{
        const char *equals = memchr(t.s, '=', t.n);
        struct span key, value;

        if (!equals)
                return bad_line(r, "line has no '='", "write Key=value, or begin a comment with #");
        key = trim((struct span){.s = t.s, .n = (size_t)(equals - t.s)});
        value = trim((struct span){.s = equals + 1, .n = t.n - (size_t)(equals - t.s) - 1});
        if (key.n == 0)
                return bad_line(r, "no key before '='", "write Key=value");
        if (!r->in_section)
                return bad_line(r, "assignment before the first section", "put a header such as [Service] above it");
        *(char *)(key.s + key.n) = 0;
        *(char *)(value.s + value.n) = 0;
        r->key = key.s;
        r->value = value.s;
        r->n_assignments++;
        return FOUND_ASSIGNMENT;
}

static enum found classify(struct reader *r)
{
        struct span t = trim((struct span){.s = buf_str(&r->text), .n = r->text.size});

        if (r->too_long)
                return bad_file(r, "line is longer than 1 MiB", "shorten it");
        if (!utf8_is_valid(t.s, t.n))
                return bad_file(r, "line is not UTF-8", "save the file as UTF-8");
        if (t.n == 0)
                return FOUND_NOTHING;
        return t.s[0] == '[' ? take_header(r, t) : take_assignment(r, t);
}

/* For inih: one canonical line, or NULL at the end and after a failure. */
static char *feed(char *line, int size, void *stream)
{
        struct reader *r = stream;
        enum found found = FOUND_NOTHING;

        while (found == FOUND_NOTHING) {
                int e = r->result < 0 ? r->result : next_logical(r);

                if (e <= 0) {
                        r->result = e;
                        return NULL;
                }
                found = classify(r);
        }
        if (found == FOUND_SECTION)
                (void)snprintf(line, (size_t)size, "[%lu]\n", r->n_sections);
        else
                (void)snprintf(line, (size_t)size, "k=%lu\n", r->n_assignments);
        return line;
}

static int take_from_inih(void *userdata, const char *section, const char *name, const char *value)
{
        struct reader *r = userdata;

        if (r->result < 0)
                return 0;
        if (strtoul(section, NULL, 10) != r->n_sections || !streq(name, "k") ||
            strtoul(value, NULL, 10) != r->n_assignments)
                r->result = -EIO; /* an inih that does not hand on what it was given */
        else
                r->result = r->f(buf_str(&r->section), r->key, r->value, r->first_line, r->userdata);
        return r->result >= 0;
}

int unit_file_read(const char *text, size_t size, const char *file, unit_file_handler f, void *userdata, struct diag *d)
{
        static const char byte_order_mark[] = "\xef\xbb\xbf";
        struct reader r = {
                .p = text, .end = size > 0 ? text + size : text, .file = file, .f = f, .userdata = userdata, .d = d};
        int e;

        if (size >= 3 && memcmp(text, byte_order_mark, 3) == 0)
                r.p += 3;
        e = ini_parse_stream(feed, &r, take_from_inih, &r);
        if (e != 0 && r.result >= 0)
                r.result = e == -2 ? -ENOMEM : -EIO;
        buf_done(&r.text);
        buf_done(&r.section);
        return MIN2(r.result, 0);
}
