/* SPDX-License-Identifier: MIT
 *
 * Variables in words that are already split; see words.h, rules 17 and 18.
 *
 * A word that begins with '$', but not with "${" or "$$", is a variable as a whole: all that follows is its name, and
 * when no such variable is set the word vanishes. (So "$A/b" vanishes: it asks for a variable named "A/b".) "${A:-b}"
 * and its kin mean nothing and stay as they are. Invariant: values are copied, never looked at again.
 */
#include "syntax/words-list.h"

static bool is_whole_variable(const char *word)
{
        return word[0] == '$' && word[1] != '{' && word[1] != '$';
}

static bool has_piece(const char *word)
{
        for (const char *p = strchr(word, '$'); p; p = strchr(p + 1, '$'))
                if (p[1] == '{' || p[1] == '$')
                        return true;
        return false;
}

/* P is at a dollar sign. Appends what it stands for; *ret_used: the bytes of P that were taken. */
static int expand_piece(const char *p, variable_lookup lookup, void *userdata, struct buf *out, size_t *ret_used)
{
        const char *end, *value;

        if (p[1] == '$') {
                *ret_used = 2;
                return buf_append_char(out, '$');
        }
        end = p[1] == '{' ? strpbrk(p, "}:") : NULL;
        if (!end || *end == ':') {
                *ret_used = 1;
                return buf_append_char(out, '$');
        }
        *ret_used = (size_t)(end - p) + 1;
        value = lookup(p + 2, (size_t)(end - p) - 2, userdata);
        return value ? buf_append_str(out, value) : 0;
}

static int expand_inside(const char *word, variable_lookup lookup, void *userdata, struct buf *out)
{
        buf_reset(out);
        while (*word) {
                size_t n = strcspn(word, "$");
                int r = buf_append(out, word, n);

                if (r < 0)
                        return r;
                word += n;
                if (!*word)
                        break;
                r = expand_piece(word, lookup, userdata, out, &n);
                if (r < 0)
                        return r;
                word += n;
        }
        return 0;
}

static int expand_word(struct arena *a, char *word, variable_lookup lookup, void *userdata, struct buf *scratch,
                       struct buf *list)
{
        int r;

        if (is_whole_variable(word)) {
                const char *value = lookup(word + 1, strlen(word + 1), userdata);

                return value ? words_list_split(a, list, value, WORDS_UNQUOTE | WORDS_RELAX) : 0;
        }
        if (!has_piece(word))
                return buf_append(list, &word, sizeof(word));
        r = expand_inside(word, lookup, userdata, scratch);
        return r < 0 ? r : words_list_append(a, list, buf_str(scratch), scratch->size);
}

int words_expand_variables(struct arena *a, const struct words *words, variable_lookup lookup, void *userdata,
                           struct words *ret)
{
        cleanup_buf_ struct buf list = {0}, scratch = {0};

        for (unsigned i = 0; i < words->n; i++) {
                int r = expand_word(a, words->v[i], lookup, userdata, &scratch, &list);

                if (r < 0)
                        return r;
        }
        return words_list_finish(a, &list, ret);
}
