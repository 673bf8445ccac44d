/* SPDX-License-Identifier: MIT
 *
 * What is said to people and to programs: times, spans, exits and causes in words; columns as wide as a terminal; JSON.
 * Shared by supctl and supctl-bus, so that both speak alike. Words and forms are those that systemctl's users know.
 *
 * Not here: what is to be said. Invariant: no state but that of the structs given; the clock and the terminal are only
 * looked at by the functions that say so.
 */
#ifndef SUPD_REPORT_REPORT_H
#define SUPD_REPORT_REPORT_H

#include <stdio.h>

#include "base/buf.h"
#include "supd/supstatus.h"

/* ---- format.c: numbers and times ---- */
const char *format_real(uint64_t us, char ret[64]); /* "Sun 2026-11-22 15:07:12 UTC"; "" for 0 */
const char *format_day(uint64_t us, char ret[64]);  /* "2026-11-22 15:07:12"; "" for 0 */
const char *format_ago(uint64_t us, char ret[64]);  /* "3min 2s ago" */
const char *format_span(uint64_t us, char ret[64]); /* "1min 30s", "100.020ms"; "infinity" */
/* Appends S, one of a list: behind a blank when it is not the first, and in quotes where a shell would take it for more
 * than one word, control characters as C writes them. 0, or -ENOMEM. */
int format_word(struct buf *out, const char *s);
const char *format_span_ms(uint64_t us, char ret[64]); /* to the millisecond, of which it has at least one */
const char *format_bytes(uint64_t n, char ret[32]);    /* "5.1M" */
const char *format_exit(unsigned code, int status,
                        char ret[64]);     /* "exited, status=1/FAILURE", "killed, signal=SEGV" */
const char *exit_code_word(unsigned code); /* "exited", "killed", "dumped"; "" */
uint64_t now_real_us(void);
uint64_t now_mono_us(void);

/* ---- cause.c ---- */
/* Why something began, in words: "asked by root (pid 12)", "Restart=". UNIT is the name of the unit that BY means,
 * where the cause has one, else NULL. */
const char *cause_text(unsigned cause, uint32_t by, uint32_t by_pid, const char *unit, char ret[400]);
bool cause_has_unit(unsigned cause);
struct json;
/* An object {"cause": …, and who}, under KEY. */
void cause_json(struct json *j, const char *key, unsigned cause, uint32_t by, uint32_t by_pid, const char *unit);

/* ---- columns.c ---- */
unsigned text_width(const char *text); /* columns that it takes; escape sequences none */
/* TEXT cut to WIDTH columns, the last of which then is an ellipsis. malloc'ed; NULL: no memory. */
char *text_cut(const char *text, unsigned width);

enum { COLUMNS_MAX = 10 };
struct columns {              /* a table: lines of cells, the first line its head */
        char **cells;         /* owned, strings too: N lines of n_columns */
        const char **colours; /* owned: of whole lines; "" = none */
        unsigned n_columns, n, allocated;
        bool tight;      /* one blank between columns rather than two, as systemctl has it */
        unsigned right;  /* bit i: column i is flush right */
        unsigned shrink; /* bit i: column i may be cut to fit the terminal, the widest first */
};
/* Adds a line of c->n_columns words; COLOUR is a constant escape sequence or "". 0, -ENOMEM. */
int columns_add(struct columns *c, const char *colour, const char *const *words);
/* Prints them: INDENT blanks, two between columns; WIDTH 0 = no limit. HEAD_COLOUR for the first line. */
void columns_print(struct columns *c, unsigned indent, unsigned width, const char *head_colour, FILE *to);
void columns_done(struct columns *c);

struct screen { /* where output goes */
        bool terminal, colour;
        unsigned width; /* of the terminal; 0 = no limit */
};
/* Looks at standard output, COLUMNS, TERM and NO_COLOR. */
struct screen screen_look(void);

/* ---- json.c ---- */
enum json_form {
        JSON_OFF,
        JSON_SHORT,  /* one line */
        JSON_PRETTY, /* a line per object */
};
struct json {
        struct buf text;
        enum json_form form;
        bool comma;
        unsigned depth;
};
/* The word of --json= or --output=: "short", "pretty", "off", and systemd's "json", "json-pretty"; NULL is "short".
 * False: it is none of them. */
bool json_form_from(const char *word, enum json_form *ret);
void json_open(struct json *j, const char *key, char bracket); /* '{' or '['; key NULL in arrays and at the top */
void json_close(struct json *j, char bracket);
void json_string(struct json *j, const char *key, const char *value);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_i64(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);
void json_print(struct json *j); /* to stdout; frees */

#endif
