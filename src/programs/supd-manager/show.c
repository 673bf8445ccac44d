/* SPDX-License-Identifier: MIT
 *
 * Values that stand as they are in a record of the unit, row by row. See show.h.
 *
 * Not here: which ones. Invariant: nothing is changed by looking.
 */
#include "show.h"

#include "exec/plan.h"

void show_list(struct control_answer *a, const char *name, const struct strings *s)
{
        control_put_strings(a, name, (const char *const *)s->v, s->n);
}

const char *show_text(const char *s)
{
        return s ? s : "";
}

static void put_row(struct control_answer *a, const struct show_row *row, const char *at)
{
        switch (row->kind) {
        case SHOW_BOOL:
                control_put_bool(a, row->name, *(const bool *)(const void *)at);
                break;
        case SHOW_TEXT:
                control_put_string(a, row->name, show_text(*(char *const *)(const void *)at));
                break;
        case SHOW_STRINGS:
                show_list(a, row->name, (const struct strings *)(const void *)at);
                break;
        case SHOW_U64:
                control_put_u64(a, row->name, *(const uint64_t *)(const void *)at);
                break;
        case SHOW_U32:
                control_put_u32(a, row->name, *(const uint32_t *)(const void *)at);
                break;
        case SHOW_I32:
                control_put_i32(a, row->name, *(const int32_t *)(const void *)at);
                break;
        case SHOW_WORD:
                control_put_string(a, row->name, show_text(row->word(*(const unsigned *)(const void *)at)));
                break;
        }
}

void show_rows(struct control_answer *a, const struct show_row *rows, size_t n, const void *record)
{
        for (size_t i = 0; i < n; i++)
                put_row(a, &rows[i], (const char *)record + rows[i].at);
}

void show_mask(struct control_answer *a, const char *name, const char *list)
{
        uint8_t mask[PLAN_MASK_SIZE] = {0};

        control_put_bytes(a, name, mask, list ? plan_mask_parse(list, mask) : 0);
}
