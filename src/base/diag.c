/* SPDX-License-Identifier: MIT
 * See diag.h.
 */
#include "base/diag.h"

void diag_done(struct diag *d)
{
        for (size_t i = 0; i < d->n_entries; i++) {
                free(d->entries[i].file);
                free(d->entries[i].message);
                free(d->entries[i].fix);
        }
        free(d->entries);
        *d = (struct diag){0};
}

static struct diag_entry *diag_grow(struct diag *d)
{
        if (d->n_entries == d->n_allocated) {
                size_t n = d->n_allocated ? d->n_allocated * 2 : 8;
                struct diag_entry *p = reallocarray(d->entries, n, sizeof(*p));
                if (!p)
                        return NULL;
                d->entries = p;
                d->n_allocated = n;
        }
        return &d->entries[d->n_entries];
}

void diag_add(struct diag *d, enum diag_level level, const char *file, unsigned line, const char *fix,
              const char *format, ...)
{
        cleanup_buf_ struct buf b = {0};
        struct diag_entry *e;
        va_list ap;
        int r;

        if (!d)
                return;
        switch (level) {
        case DIAG_NOTICE:
                d->n_notices++;
                break;
        case DIAG_WARNING:
                d->n_warnings++;
                break;
        case DIAG_ERROR:
                d->n_errors++;
                break;
        }
        va_start(ap, format);
        r = buf_vprintf(&b, format, ap);
        va_end(ap);
        e = r < 0 ? NULL : diag_grow(d);
        if (!e) {
                d->lost++;
                return;
        }
        *e = (struct diag_entry){.level = level, .line = line};
        e->file = file ? strdup(file) : NULL;
        e->fix = fix ? strdup(fix) : NULL;
        e->message = buf_take(&b);
        if (!e->message || (file && !e->file) || (fix && !e->fix)) {
                free(e->file);
                free(e->fix);
                free(e->message);
                d->lost++;
                return;
        }
        d->n_entries++;
}

const char *diag_level_name(enum diag_level level)
{
        switch (level) {
        case DIAG_NOTICE:
                return "notice";
        case DIAG_WARNING:
                return "warning";
        case DIAG_ERROR:
                return "error";
        }
        return "error";
}

int diag_format(const struct diag_entry *e, struct buf *out)
{
        int r = 0;

        if (e->file && e->line > 0)
                r = buf_printf(out, "%s:%u: ", e->file, e->line);
        else if (e->file)
                r = buf_printf(out, "%s: ", e->file);
        if (r < 0)
                return r;
        return buf_printf(out, "%s: %s%s%s\n", diag_level_name(e->level), e->message, e->fix ? "; " : "",
                          e->fix ? e->fix : "");
}
