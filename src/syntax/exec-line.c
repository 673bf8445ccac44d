/* SPDX-License-Identifier: MIT
 *
 * Command lines of the Exec*= keys; see exec-line.h.
 *
 * A value is cut into commands at words that are a bare ";" in the text, so that quoted or escaped ones are arguments.
 * Invariant: nothing is returned unless all commands of the value are good.
 */
#include "syntax/exec-line.h"

#include <limits.h>

#include "syntax/words-list.h"

/* Text that is neither quoted nor escaped ends here: blank or end. */
static bool is_end(char c)
{
        return c == 0 || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int mistake(const char **ret, const char *text)
{
        *ret = text;
        return -EINVAL;
}

static int word_mistake(int error, const char **ret)
{
        if (error == -EILSEQ)
                return mistake(ret, "unknown escape sequence");
        if (error == -EINVAL)
                return mistake(ret, "quote is not closed");
        return error;
}

/* Takes the prefix letters off the first word. Each counts once; + and ! exclude each other. */
static const char *take_prefixes(const char *s, unsigned *ret_flags)
{
        static const struct {
                char letter;
                unsigned flag, excluded_by;
        } prefixes[] = {
                {'-', EXEC_LINE_IGNORE_FAILURE, EXEC_LINE_IGNORE_FAILURE},
                {'@', EXEC_LINE_ARGV0, EXEC_LINE_ARGV0},
                {':', EXEC_LINE_NO_EXPAND, EXEC_LINE_NO_EXPAND},
                {'+', EXEC_LINE_FULL_PRIVILEGE, EXEC_LINE_FULL_PRIVILEGE | EXEC_LINE_NO_SETUID | EXEC_LINE_AMBIENT},
                {'!', EXEC_LINE_NO_SETUID, EXEC_LINE_FULL_PRIVILEGE | EXEC_LINE_NO_SETUID | EXEC_LINE_AMBIENT},
        };
        unsigned flags = 0;

        for (;; s++) {
                size_t i = 0;

                while (i < ARRAY_SIZE(prefixes) && prefixes[i].letter != *s)
                        i++;
                if (i < ARRAY_SIZE(prefixes) && !(flags & prefixes[i].excluded_by)) {
                        flags |= prefixes[i].flag;
                } else if (*s == '!' && (flags & EXEC_LINE_NO_SETUID)) {
                        flags &= ~EXEC_LINE_NO_SETUID;
                        flags |= EXEC_LINE_AMBIENT;
                } else {
                        break;
                }
        }
        *ret_flags = flags;
        return s;
}

const char *exec_line_path_mistake(const char *path)
{
        size_t n = strlen(path);

        if (n == 0)
                return "command has no path";
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)path[i] < 32 || path[i] == 127)
                        return "path of the command has control characters";
        if (path[n - 1] == '/')
                return "path of the command is a directory";
        if (path[0] != '/' && (strchr(path, '/') || streq(path, ".") || streq(path, "..")))
                return "path of the command is neither absolute nor a bare name";
        if (n >= PATH_MAX || (path[0] != '/' && n > NAME_MAX))
                return "path of the command is too long";
        return NULL;
}

/* The words behind the path, up to a bare ";" (which is taken) or the end. */
static int take_words(struct arena *a, const char **s, struct buf *list, const char **ret_mistake)
{
        cleanup_buf_ struct buf word = {0};
        int r;

        for (;;) {
                *s += strspn(*s, " \t\n\r");
                if ((*s)[0] == ';' && is_end((*s)[1])) {
                        (*s)++;
                        return 0;
                }
                if ((*s)[0] == '\\' && (*s)[1] == ';' && is_end((*s)[2])) {
                        *s += 2;
                        r = words_list_append(a, list, ";", 1);
                } else {
                        r = word_next(s, WORDS_LINE, &word);
                        if (r <= 0)
                                return word_mistake(r, ret_mistake);
                        r = words_list_append(a, list, buf_str(&word), word.size);
                }
                if (r < 0)
                        return r;
        }
}

static int take_command(struct arena *a, const char **s, struct exec_line_command *ret, const char **ret_mistake)
{
        cleanup_buf_ struct buf list = {0}, first = {0};
        const char *path;
        int r;

        if ((*s)[0] == ';' && is_end((*s)[1]))
                return mistake(ret_mistake, "no command before ;");
        r = word_next(s, WORDS_LINE, &first);
        if (r < 0)
                return word_mistake(r, ret_mistake);
        path = take_prefixes(buf_str(&first), &ret->flags);
        /* Specifiers may still make a path of this; only what can never be one is refused here. */
        if (!*path)
                return mistake(ret_mistake, "command has no path");
        ret->path = arena_strdup(a, path);
        if (!ret->path)
                return -ENOMEM;
        if (!(ret->flags & EXEC_LINE_ARGV0)) {
                r = buf_append(&list, &ret->path, sizeof(ret->path));
                if (r < 0)
                        return r;
        }
        r = take_words(a, s, &list, ret_mistake);
        if (r < 0)
                return r;
        r = words_list_finish(a, &list, &ret->words);
        if (r < 0)
                return r;
        if (ret->words.n == 0 || !*ret->words.v[0])
                return mistake(ret_mistake, "@ needs a second word, the name the program is to see");
        return 0;
}

int exec_line_parse(struct arena *a, const char *value, struct exec_line *ret, const char **ret_mistake)
{
        cleanup_buf_ struct buf commands = {0};
        struct exec_line line = {0};
        int r;

        for (;;) {
                struct exec_line_command c = {0};

                value += strspn(value, " \t\n\r");
                if (!*value)
                        break;
                r = take_command(a, &value, &c, ret_mistake);
                if (r < 0)
                        return r;
                r = buf_append(&commands, &c, sizeof(c));
                if (r < 0)
                        return r;
                line.n++;
        }
        if (line.n > 0) {
                line.v = arena_alloc(a, commands.size);
                if (!line.v)
                        return -ENOMEM;
                memcpy(line.v, commands.data, commands.size);
        }
        *ret = line;
        return 0;
}
