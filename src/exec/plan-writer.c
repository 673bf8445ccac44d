/* SPDX-License-Identifier: MIT
 * See plan-writer.h.
 */
#include "exec/plan-writer.h"

#include <sched.h>

void writer_bytes(struct writer *w, const void *data, size_t n)
{
        if (w->r == 0)
                w->r = buf_append(w->b, data, n);
}

void writer_word(struct writer *w, uint32_t v)
{
        writer_bytes(w, &v, sizeof(v));
}

void writer_long(struct writer *w, uint64_t v)
{
        writer_word(w, (uint32_t)v);
        writer_word(w, (uint32_t)(v >> 32));
}

void writer_string(struct writer *w, const char *s)
{
        writer_bytes(w, s, strlen(s) + 1);
}

static void writer_pad(struct writer *w)
{
        static const char zeros[PLAN_ALIGN];
        size_t n = w->b->size - w->start;

        writer_bytes(w, zeros, plan_padded(n) - n);
}

void writer_begin(struct writer *w, enum plan_tag tag)
{
        struct plan_record r = {.tag = (uint16_t)tag};

        w->record = w->b->size;
        writer_bytes(w, &r, sizeof(r));
}

void writer_end(struct writer *w)
{
        uint32_t size;

        if (w->r < 0)
                return;
        if (w->b->size - w->record > INT32_MAX) {
                w->r = -E2BIG;
                return;
        }
        size = (uint32_t)(w->b->size - w->record - sizeof(struct plan_record));
        memcpy(w->b->data + w->record + offsetof(struct plan_record, size), &size, sizeof(size));
        writer_pad(w);
}

void writer_plan(struct writer *w, struct buf *b, enum plan_kind kind)
{
        struct plan_header h = {.magic = PLAN_MAGIC, .version = PLAN_VERSION, .kind = (uint16_t)kind};

        *w = (struct writer){.b = b, .start = b->size};
        writer_bytes(w, &h, sizeof(h));
}

int writer_done(struct writer *w)
{
        uint32_t size = (uint32_t)(w->b->size - w->start);

        if (w->r < 0) {
                w->b->size = w->start;
                if (w->b->data)
                        w->b->data[w->start] = 0;
                return w->r;
        }
        memcpy(w->b->data + w->start + offsetof(struct plan_header, size), &size, sizeof(size));
        return 0;
}

/* Whole records. Absent strings and empty lists leave none. */
void put_string(struct writer *w, enum plan_tag tag, const char *s)
{
        if (!s)
                return;
        writer_begin(w, tag);
        writer_string(w, s);
        writer_end(w);
}

void put_word(struct writer *w, enum plan_tag tag, uint32_t v)
{
        writer_begin(w, tag);
        writer_word(w, v);
        writer_end(w);
}

void put_words(struct writer *w, enum plan_tag tag, uint32_t a, uint32_t b)
{
        writer_begin(w, tag);
        writer_word(w, a);
        writer_word(w, b);
        writer_end(w);
}

void put_long(struct writer *w, enum plan_tag tag, uint64_t v)
{
        put_words(w, tag, (uint32_t)v, (uint32_t)(v >> 32));
}

void put_word_string(struct writer *w, enum plan_tag tag, uint32_t v, const char *s)
{
        writer_begin(w, tag);
        writer_word(w, v);
        writer_string(w, s ? s : "");
        writer_end(w);
}

void put_strings(struct writer *w, enum plan_tag tag, const struct strings *list)
{
        if (list->n == 0)
                return;
        writer_begin(w, tag);
        for (unsigned i = 0; i < list->n; i++)
                writer_string(w, list->v[i]);
        writer_end(w);
}

_Static_assert(PLAN_MASK_SIZE == CPU_SETSIZE / 8, "a bit for each CPU");

size_t plan_mask_parse(const char *s, uint8_t mask[PLAN_MASK_SIZE])
{
        size_t used = 0;

        memset(mask, 0, PLAN_MASK_SIZE);
        while (*(s += strspn(s, " \t,"))) {
                char *end;
                unsigned long first, last;

                if (*s < '0' || *s > '9')
                        return 0;
                first = last = strtoul(s, &end, 10);
                if (*end == '-')
                        last = strtoul(end + 1, &end, 10);
                if ((*end && !strchr(" \t,", *end)) || last < first || last >= CPU_SETSIZE)
                        return 0;
                for (unsigned long i = first; i <= last; i++)
                        mask[i / 8] |= (uint8_t)(1u << (i % 8));
                used = MAX2(used, (size_t)(last / 64 + 1) * 8);
                s = end;
        }
        return used;
}
