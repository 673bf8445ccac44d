/* SPDX-License-Identifier: MIT
 *
 * What differs between two blobs of one unit, in lines for people: settings, links, the state of the file. Pure.
 *
 * Not here: what a setting means; a line that only moved is no difference. Invariant: two blobs that are the same byte
 * by byte differ in nothing; what is not known is passed over.
 */
#include <stdio.h>

#include "unit/blob.h"

#include "unit/load.h"

struct side {
        const char *data;
        size_t size;
};

struct diff {
        int (*each)(void *userdata, const char *line);
        void *userdata;
        struct buf line;
};

static int say(struct diff *d, char sign, const char *head, const char *text, size_t size)
{
        buf_reset(&d->line);
        if (buf_printf(&d->line, "%c %s%.*s", sign, head, (int)MIN2(size, (size_t)1024), text) < 0)
                return -ENOMEM;
        return d->each(d->userdata, buf_str(&d->line));
}

/* A line of a unit file without blanks around it; empty for comments. */
struct text_line {
        const char *text;
        size_t size;
};

static bool line_next(const char **p, const char *end, struct text_line *ret)
{
        const char *begin = *p, *stop;

        if (begin >= end)
                return false;
        stop = memchr(begin, '\n', (size_t)(end - begin));
        stop = stop ? stop : end;
        *p = stop + 1;
        while (begin < stop && (*begin == ' ' || *begin == '\t'))
                begin++;
        while (stop > begin && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
                stop--;
        if (begin < stop && (*begin == '#' || *begin == ';'))
                stop = begin;
        *ret = (struct text_line){begin, (size_t)(stop - begin)};
        return true;
}

/* How often LINE stands in the section SECTION of TEXT. */
static unsigned count(struct side text, struct text_line section, struct text_line line)
{
        const char *p = text.data, *end = text.data + text.size;
        struct text_line now = {"", 0}, l;
        unsigned n = 0;

        while (line_next(&p, end, &l)) {
                if (l.size > 0 && l.text[0] == '[')
                        now = l;
                else
                        n += l.size == line.size && memcmp(l.text, line.text, l.size) == 0 &&
                             now.size == section.size && memcmp(now.text, section.text, now.size) == 0;
        }
        return n;
}

/* The settings of A that B does not have as often. */
static int lines_missing(struct diff *d, char sign, struct side a, struct side b)
{
        const char *p = a.data, *end = a.data + a.size;
        struct text_line section = {"", 0}, l;
        char head[80];
        int r = 0;

        while (r == 0 && line_next(&p, end, &l)) {
                struct side so_far = {a.data, (size_t)(l.text - a.data)};

                if (l.size > 0 && l.text[0] == '[')
                        section = l;
                if (l.size == 0 || l.text[0] == '[')
                        continue;
                if (count(so_far, section, l) < count(b, section, l))
                        continue;
                (void)snprintf(head, sizeof(head), "%.*s ", (int)MIN2(section.size, (size_t)60), section.text);
                r = say(d, sign, head, l.text, l.size);
        }
        return r;
}

static bool is_file(enum blob_key key)
{
        return key == BLOB_FRAGMENT || key == BLOB_DROPIN || key == BLOB_BUILT_IN;
}

/* The record of BLOB with KEY and A; those that are the only one of their kind by the key alone. */
static bool find(struct side blob, const struct blob_record *like, struct blob_record *ret)
{
        struct blob_reader r;

        if (blob_open(&r, blob.data, blob.size) < 0)
                return false;
        while (blob_next(&r, ret) > 0)
                if (ret->key == like->key &&
                    (like->key == BLOB_STATE || like->key == BLOB_FRAGMENT ||
                     (ret->a_size == like->a_size && memcmp(ret->a, like->a, ret->a_size) == 0)))
                        return true;
        return false;
}

static const char *head_of(enum blob_key key)
{
        switch (key) {
        case BLOB_ALIAS:
                return "Alias=";
        case BLOB_WANTS:
                return "Wants=";
        case BLOB_REQUIRES:
                return "Requires=";
        case BLOB_UPHOLDS:
                return "Upholds=";
        case BLOB_STATE:
                return "state ";
        case BLOB_FRAGMENT:
        case BLOB_DROPIN:
                return "file ";
        case BLOB_BUILT_IN:
        case BLOB_ID:
        case BLOB_UNKNOWN:
                break;
        }
        return NULL;
}

/* What A has and B has not. */
static int missing(struct diff *d, char sign, struct side a, struct side b)
{
        struct blob_record rec, other;
        struct blob_reader r;
        int v = blob_open(&r, a.data, a.size);

        while (v == 0 && blob_next(&r, &rec) > 0) {
                bool there = find(b, &rec, &other),
                     same = there && rec.a_size == other.a_size && memcmp(rec.a, other.a, rec.a_size) == 0;

                if (!same && head_of(rec.key))
                        v = say(d, sign, head_of(rec.key), rec.a, rec.a_size);
                if (v == 0 && is_file(rec.key))
                        v = lines_missing(d, sign, (struct side){rec.b, rec.b_size},
                                          there ? (struct side){other.b, other.b_size} : (struct side){"", 0});
        }
        return v;
}

int unit_blob_compare(const void *old_blob, size_t old_size, const void *new_blob, size_t new_size,
                      int (*each)(void *userdata, const char *line), void *userdata)
{
        struct side before = {old_blob, old_size}, after = {new_blob, new_size};
        struct diff d = {each, userdata, {0}};
        int r = 0;

        if (old_size != new_size || memcmp(old_blob, new_blob, old_size) != 0) {
                r = missing(&d, '-', before, after);
                if (r == 0)
                        r = missing(&d, '+', after, before);
                r = r == 0 ? 1 : r;
        }
        buf_done(&d.line);
        return r;
}
