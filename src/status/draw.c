/* SPDX-License-Identifier: MIT
 *
 * Drawing: one row at a time comes into being here, by the caller's hand, and goes from here into the object. Not here:
 * which rows are drawn, and where they are put (publish.c).
 *
 * Invariant: a drawing depends on the caller's data, and on what the object shows only as far as its checksum vouches
 * for it.
 */
#include "status/guard.h"
#include "status/table.h"

#define ROW_SIZE sizeof(struct supd_status_row)

/* ---- what the table shows at present ---- */

/* Takes row INDEX out of BASE, which lies as the last publish left it. False: it shows nothing, or it is damaged. */
static bool shown_take(const struct status_table *t, const unsigned char *base, size_t size, uint32_t index,
                       struct supd_status_row *ret)
{
        const struct supd_status_header *h = &t->published;
        struct supd_status_row row;

        if (index >= h->n_rows || h->rows_offset + (uint64_t)(index + 1) * ROW_SIZE > size)
                return false;
        memcpy(&row, base + h->rows_offset + (uint64_t)index * ROW_SIZE, ROW_SIZE);
        if (!(row.flags & SUPD_ROW_USED) || row.texts_used % 8 != 0 || row.texts_at > h->texts_size ||
            row.texts_used > h->texts_size - row.texts_at || h->texts_offset + h->texts_size > size)
                return false;
        if (row.checksum != status_row_sum(&row, ROW_SIZE, base + h->texts_offset + row.texts_at, row.texts_used))
                return false;
        *ret = row;
        return true;
}

static bool shown(struct status_table *t, uint32_t index, struct supd_status_row *ret)
{
        volatile bool found = false;

        if (!t->published.magic[0])
                return false;
        if (t->old || t->guarded || !t->object.map)
                return shown_take(t, t->old ? t->old : t->object.map, t->old ? t->old_size : t->object.size, index,
                                  ret);
        if (sigsetjmp(guard_enter(t->object.map, t->object.size, NULL, 0), 0) != 0)
                return false;
        found = shown_take(t, t->object.map, t->object.size, index, ret);
        guard_leave();
        return found;
}

/* Without memory for it, or with an object that was cut, what rows showed is lost; their drawers say all that counts.
 */
void drawing_keep_shown(struct status_table *t)
{
        if (t->old || !t->published.magic[0] || !t->object.map)
                return;
        t->old = malloc(t->object.size);
        if (!t->old)
                return;
        t->old_size = t->object.size;
        if (sigsetjmp(guard_enter(t->object.map, t->object.size, NULL, 0), 0) != 0) {
                t->old_size = 0;
                return;
        }
        memcpy(t->old, t->object.map, t->old_size);
        guard_leave();
}

void drawing_forget(struct status_table *t)
{
        free(t->old);
        t->old = NULL;
        t->drawing.done = false;
}

/* ---- the drawing ---- */

static void drawing_begin(struct status_table *t, uint32_t index)
{
        struct status_drawing *d = &t->drawing;

        d->done = d->open = false;
        if (!shown(t, index, &d->row))
                memset(&d->row, 0, sizeof(d->row));
        d->row.texts_used = d->row.name_hash = 0;
        memset(d->row.text_len, 0, sizeof(d->row.text_len));
        d->index = index;
        d->cut = 0;
}

const struct status_drawing *drawing_of(struct status_table *t, uint32_t index)
{
        struct status_drawing *d = &t->drawing;

        if (!d->done || d->index != index) {
                drawing_begin(t, index);
                d->open = true;
                if (t->draw)
                        t->draw(t->draw_userdata, index);
                d->open = false;
                d->done = true;
        }
        return d;
}

static bool is_open(const struct status_table *t, uint32_t index)
{
        return t->drawing.open && t->drawing.index == index;
}

struct supd_status_row *status_row(struct status_table *t, uint32_t index)
{
        return is_open(t, index) ? &t->drawing.row : &t->nowhere;
}

/* Where text WHICH begins, and how many bytes it takes, its NUL included. */
static uint32_t text_place(const struct supd_status_row *row, uint32_t which, uint32_t *ret_size)
{
        uint32_t at = 0;

        for (uint32_t i = 0; i < which; i++)
                at += row->text_len[i] ? row->text_len[i] + 1u : 0;
        *ret_size = row->text_len[which] ? row->text_len[which] + 1u : 0;
        return at;
}

static int texts_reserve(struct status_drawing *d, uint32_t size)
{
        char *texts;

        if (size <= d->texts_allocated)
                return 0;
        size = (size + 255u) & ~255u;
        texts = realloc(d->texts, size);
        if (!texts)
                return -ENOMEM;
        d->texts = texts;
        d->texts_allocated = size;
        return 0;
}

int status_set_text(struct status_table *t, uint32_t index, uint32_t which, const char *text)
{
        struct status_drawing *d = &t->drawing;
        uint32_t at, old, size, total, at_end, unused_size, len;

        if (which >= SUPD_N_TEXTS || !is_open(t, index))
                return -EINVAL;
        len = (uint32_t)strnlen(text ? text : "", SUPD_TEXT_MAX + 1u);
        d->cut = (uint16_t)((d->cut & ~(1u << which)) | (len > SUPD_TEXT_MAX ? 1u << which : 0));
        len = MIN2(len, SUPD_TEXT_MAX);
        size = len ? len + 1 : 0;
        at = text_place(&d->row, which, &old);
        if (size == 0 && old == 0)
                return 0;
        at_end = text_place(&d->row, SUPD_N_TEXTS - 1, &unused_size) + unused_size;
        total = at_end - old + size;
        if (texts_reserve(d, (total + 7u) & ~7u) < 0) {
                d->cut |= (uint16_t)(1u << which);
                return -ENOMEM;
        }
        memmove(d->texts + at + size, d->texts + at + old, at_end - at - old);
        if (size > 0) {
                memcpy(d->texts + at, text, len);
                d->texts[at + len] = 0;
        }
        memset(d->texts + total, 0, ((total + 7u) & ~7u) - total);
        d->row.text_len[which] = (uint16_t)len;
        d->row.texts_used = (total + 7u) & ~7u;
        if (which == SUPD_TEXT_NAME)
                d->row.name_hash = len ? status_name_hash(d->texts) : 0;
        return 0;
}
