/* SPDX-License-Identifier: MIT
 *
 * The reader of environment files (rule 26): one function per state, one byte at a time.
 *
 *     BEFORE_KEY --#;--> COMMENT        VALUE --\--> ESCAPE --any--> VALUE
 *         |                               ^
 *        KEY --=--> BEFORE_VALUE --other--+
 *                     |  ^ --'--> SINGLE --'--> BEFORE_VALUE
 *                     +--+ --"--> DOUBLE --"--> BEFORE_VALUE,  DOUBLE --\--> DOUBLE_ESCAPE --> DOUBLE
 *
 * A newline ends KEY, BEFORE_VALUE, VALUE and COMMENT; the text's end ends all, an open quote included.
 * Quotes count where a value begins and behind a closing quote; in the midst of a bare value they are bytes like
 * others. Inside "" a backslash goes only before one of "\`$ and a newline. Invariant: an assignment is given out when
 * name and value are valid, else counted as a mistake.
 */
#include "syntax/environment.h"

enum state {
        BEFORE_KEY,
        KEY,
        BEFORE_VALUE,
        VALUE,
        ESCAPE,
        SINGLE,
        DOUBLE,
        DOUBLE_ESCAPE,
        COMMENT,
        N_STATES,
};

struct env_reader {
        enum state state;
        struct buf key, value;
        size_t value_kept; /* bytes of value that are no trailing blanks */
        unsigned line, key_line;
        environment_file_handler f;
        void *userdata;
        struct environment_mistakes mistakes;
};

static bool is_newline(char c)
{
        return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || is_newline(c);
}

static void note_mistake(struct env_reader *e)
{
        if (e->mistakes.n++ == 0)
                e->mistakes.first_line = e->key_line;
}

/* The assignment is complete: gives it out and begins anew. */
static int finish(struct env_reader *e)
{
        size_t n = e->key.size;
        int r = 0;

        while (n > 0 && is_blank(e->key.data[n - 1]))
                n--;
        if (n > 0)
                e->key.data[n] = 0;
        if (e->value.size > e->value_kept) {
                e->value.size = e->value_kept;
                e->value.data[e->value.size] = 0;
        }
        if (environment_name_valid(buf_str(&e->key), n) && !memchr(buf_str(&e->value), 0, e->value.size) &&
            environment_value_valid(buf_str(&e->value)))
                r = e->f(e->key.data, buf_str(&e->value), e->key_line, e->userdata);
        else
                note_mistake(e);
        buf_reset(&e->key);
        buf_reset(&e->value);
        e->value_kept = 0;
        e->state = BEFORE_KEY;
        return r;
}

static int keep(struct env_reader *e, char c)
{
        int r = buf_append_char(&e->value, c);

        e->value_kept = e->value.size;
        return r;
}

static int in_before_key(struct env_reader *e, char c)
{
        if (is_blank(c))
                return 0;
        e->key_line = e->line;
        if (c == '#' || c == ';') {
                e->state = COMMENT;
                return 0;
        }
        e->state = KEY;
        return buf_append_char(&e->key, c);
}

static int in_key(struct env_reader *e, char c)
{
        if (is_newline(c)) {
                note_mistake(e);
                buf_reset(&e->key);
                e->state = BEFORE_KEY;
                return 0;
        }
        if (c == '=') {
                e->state = BEFORE_VALUE;
                return 0;
        }
        return buf_append_char(&e->key, c);
}

static int in_before_value(struct env_reader *e, char c)
{
        if (is_newline(c))
                return finish(e);
        if (is_blank(c))
                return 0;
        if (c == '\'' || c == '"' || c == '\\') {
                e->state = c == '\'' ? SINGLE : c == '"' ? DOUBLE : ESCAPE;
                return 0;
        }
        e->state = VALUE;
        return keep(e, c);
}

static int in_value(struct env_reader *e, char c)
{
        if (is_newline(c))
                return finish(e);
        if (c == '\\') {
                e->value_kept = e->value.size;
                e->state = ESCAPE;
                return 0;
        }
        return is_blank(c) ? buf_append_char(&e->value, c) : keep(e, c);
}

static int in_escape(struct env_reader *e, char c)
{
        e->state = VALUE;
        return is_newline(c) ? 0 : keep(e, c);
}

static int in_single(struct env_reader *e, char c)
{
        if (c != '\'')
                return keep(e, c);
        e->state = BEFORE_VALUE;
        return 0;
}

static int in_double(struct env_reader *e, char c)
{
        if (c != '"' && c != '\\')
                return keep(e, c);
        e->state = c == '"' ? BEFORE_VALUE : DOUBLE_ESCAPE;
        return 0;
}

static int in_double_escape(struct env_reader *e, char c)
{
        int r;

        e->state = DOUBLE;
        if (c == '\n')
                return 0;
        if (c == '"' || c == '\\' || c == '`' || c == '$')
                return keep(e, c);
        r = keep(e, '\\');
        return r < 0 ? r : keep(e, c);
}

static int in_comment(struct env_reader *e, char c)
{
        if (is_newline(c))
                e->state = BEFORE_KEY;
        return 0;
}

static int (*const steps[N_STATES])(struct env_reader *e, char c) = {
        [BEFORE_KEY] = in_before_key,
        [KEY] = in_key,
        [BEFORE_VALUE] = in_before_value,
        [VALUE] = in_value,
        [ESCAPE] = in_escape,
        [SINGLE] = in_single,
        [DOUBLE] = in_double,
        [DOUBLE_ESCAPE] = in_double_escape,
        [COMMENT] = in_comment,
};

static int read_all(struct env_reader *e, const char *text, size_t size)
{
        for (size_t i = 0; i < size; i++) {
                int r;

                /* A \r\n in quotes or behind a backslash is one newline. */
                if (text[i] == '\r' && i + 1 < size && text[i + 1] == '\n')
                        continue;
                r = steps[e->state](e, text[i]);
                if (r < 0)
                        return r;
                if (is_newline(text[i]))
                        e->line++;
        }
        if (e->state == KEY)
                note_mistake(e);
        return e->state == BEFORE_KEY || e->state == KEY || e->state == COMMENT ? 0 : finish(e);
}

int environment_file_read(const char *text, size_t size, environment_file_handler f, void *userdata,
                          struct environment_mistakes *ret_mistakes)
{
        struct env_reader e = {.line = 1, .f = f, .userdata = userdata};
        int r = read_all(&e, text, size);

        buf_done(&e.key);
        buf_done(&e.value);
        if (r >= 0 && ret_mistakes)
                *ret_mistakes = e.mistakes;
        return r;
}
