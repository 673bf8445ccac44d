/* SPDX-License-Identifier: MIT
 *
 * Tables of text that fit a terminal. Not here: what is in them. Invariant: columns line up whatever is in the cells,
 * and no line is wider than it may be as long as columns that may be cut have anything left.
 */
#include <sys/ioctl.h>

#include "report/report.h"

enum { LEAST = 8 };

static unsigned gap(const struct columns *c)
{
        return c->tight ? 1 : 2;
}

/* Bytes of the character at P; its width goes to *ret. Escape sequences and marks that combine have none; those of East
 * Asia and pictures have two. */
static size_t character(const char *p, unsigned *ret)
{
        const unsigned char *u = (const unsigned char *)p;
        uint32_t c = u[0];
        size_t n = 1;

        *ret = 1;
        if (u[0] == 0x1b && u[1] == '[') {
                *ret = 0;
                n = 2 + strspn(p + 2, "0123456789;");
                return p[n] ? n + 1 : n;
        }
        if (u[0] >= 0xc0) {
                size_t more = u[0] >= 0xf0 ? 3 : u[0] >= 0xe0 ? 2 : 1;

                c = u[0] & (0x3fu >> more);
                for (; n <= more && (u[n] & 0xc0) == 0x80; n++)
                        c = c << 6 | (u[n] & 0x3f);
        }
        if ((c >= 0x300 && c < 0x370) || c == 0x200d || (c >= 0xfe00 && c < 0xfe10))
                *ret = 0;
        else if ((c >= 0x1100 && c < 0x1160) || (c >= 0x2e80 && c < 0xa4d0) || (c >= 0xac00 && c < 0xd7a4) ||
                 (c >= 0xf900 && c < 0xfb00) || (c >= 0xff00 && c < 0xff61) || (c >= 0x1f300 && c < 0x1fb00))
                *ret = 2;
        return n;
}

unsigned text_width(const char *text)
{
        unsigned width = 0, one;

        while (*text) {
                text += character(text, &one);
                width += one;
        }
        return width;
}

char *text_cut(const char *text, unsigned width)
{
        unsigned used = 0, one;
        const char *p = text;
        char *ret;

        if (text_width(text) <= width)
                return strdup(text);
        while (*p) {
                size_t n = character(p, &one);

                if (used + one + 1 > width)
                        break;
                used += one;
                p += n;
        }
        if (asprintf(&ret, "%.*s%s", (int)(p - text), text, width > 0 ? "…" : "") < 0)
                return NULL;
        return ret;
}

struct screen screen_look(void)
{
        const char *columns = getenv("COLUMNS"), *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
        struct screen s = {.terminal = isatty(STDOUT_FILENO)};
        struct winsize size;

        if (!s.terminal)
                return s;
        s.colour = !(no_color && *no_color) && !(term && streq(term, "dumb"));
        if (columns && atoi(columns) > 0)
                s.width = (unsigned)atoi(columns);
        else
                s.width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
        return s;
}

static int columns_reserve(struct columns *c)
{
        unsigned n = c->allocated ? c->allocated * 2 : 16;
        const char **colours;
        char **cells;

        if (c->n < c->allocated)
                return 0;
        cells = reallocarray(c->cells, (size_t)n * c->n_columns, sizeof(*cells));
        if (!cells)
                return -ENOMEM;
        c->cells = cells;
        colours = reallocarray(c->colours, n, sizeof(*colours));
        if (!colours)
                return -ENOMEM;
        c->colours = colours;
        c->allocated = n;
        return 0;
}

int columns_add(struct columns *c, const char *colour, const char *const *words)
{
        char **line;

        if (columns_reserve(c) < 0)
                return -ENOMEM;
        line = c->cells + (size_t)c->n * c->n_columns;
        for (unsigned i = 0; i < c->n_columns; i++) {
                line[i] = strdup(words[i] ? words[i] : "");
                if (line[i])
                        continue;
                while (i-- > 0)
                        free(line[i]);
                return -ENOMEM;
        }
        c->colours[c->n++] = colour;
        return 0;
}

static unsigned measure(const struct columns *c, unsigned widths[COLUMNS_MAX])
{
        unsigned sum = 0;

        for (unsigned i = 0; i < c->n_columns; i++) {
                widths[i] = 0;
                for (unsigned l = 0; l < c->n; l++)
                        widths[i] = MAX2(widths[i], text_width(c->cells[l * c->n_columns + i]));
                sum += widths[i] + (i > 0 && widths[i] > 0 ? gap(c) : 0);
        }
        return sum;
}

/* The widest of those that may be cut loses one column after the other. */
static void squeeze(const struct columns *c, unsigned sum, unsigned width, unsigned widths[COLUMNS_MAX])
{
        while (sum > width) {
                unsigned widest = COLUMNS_MAX;

                for (unsigned i = 0; i < c->n_columns; i++)
                        if ((c->shrink & 1u << i) && widths[i] > LEAST &&
                            (widest == COLUMNS_MAX || widths[i] > widths[widest]))
                                widest = i;
                if (widest == COLUMNS_MAX)
                        return;
                widths[widest]--;
                sum--;
        }
}

static unsigned last_used(const struct columns *c, unsigned line)
{
        unsigned last = 0;

        for (unsigned i = 0; i < c->n_columns; i++)
                if (*c->cells[line * c->n_columns + i])
                        last = i;
        return last;
}

static void print_cell(const char *text, unsigned width, bool right, bool last, FILE *to)
{
        char *cut = text_cut(text, width);
        unsigned used = text_width(cut ? cut : ""), pad = width > used ? width - used : 0;

        if (right)
                (void)fprintf(to, "%*s", (int)pad, "");
        (void)fputs(cut ? cut : "", to);
        if (!right && !last)
                (void)fprintf(to, "%*s", (int)pad, "");
        free(cut);
}

void columns_print(struct columns *c, unsigned indent, unsigned width, const char *head_colour, FILE *to)
{
        unsigned widths[COLUMNS_MAX], sum = measure(c, widths);

        if (width > indent)
                squeeze(c, sum, width - indent, widths);
        for (unsigned l = 0; l < c->n; l++) {
                const char *colour = l == 0 ? head_colour : c->colours[l];
                unsigned last = last_used(c, l);

                (void)fprintf(to, "%*s%s", (int)indent, "", colour);
                for (unsigned i = 0; i <= last; i++) {
                        if (widths[i] == 0)
                                continue;
                        if (i > 0)
                                (void)fprintf(to, "%*s", (int)gap(c), "");
                        print_cell(c->cells[l * c->n_columns + i], widths[i], c->right & 1u << i, i == last, to);
                }
                (void)fprintf(to, "%s\n", *colour ? "\033[0m" : "");
        }
}

void columns_done(struct columns *c)
{
        for (unsigned i = 0; i < c->n * c->n_columns; i++)
                free(c->cells[i]);
        free(c->cells);
        free(c->colours);
        *c = (struct columns){0};
}
