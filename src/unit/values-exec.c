/* SPDX-License-Identifier: MIT
 *
 * The values of settings that few units have: core dumps, timers, NUMA, keyrings, secure bits, credentials, files that
 * are opened for a service. See values-parts.h.
 *
 * Not here: what any of them does (programs/supd-exec). Invariant: as values.c.
 */
#include "unit/values-parts.h"

#include "syntax/scalar.h"
#include "syntax/words.h"

/* ---- words that are numbers ---- */

int value_core_filter(struct setting *s, uint64_t *field)
{
        static const char *const kinds[] = {"private-anonymous",  "shared-anonymous", "private-file-backed",
                                            "shared-file-backed", "elf-headers",      "private-huge",
                                            "shared-huge",        "private-dax",      "shared-dax"};
        cleanup_buf_ struct buf word = {0};
        const char *p = s->value;
        uint64_t bits = 0;
        int r;

        if (value_is_empty(s)) {
                *value_flag(s) = false;
                return 0;
        }
        while ((r = word_next(&p, 0, &word)) > 0) {
                const char *w = buf_str(&word);
                size_t i = 0;
                char *end;

                while (i < ARRAY_SIZE(kinds) && !streq(w, kinds[i]))
                        i++;
                errno = 0;
                if (i < ARRAY_SIZE(kinds))
                        bits |= UINT64_C(1) << i;
                else if (streq(w, "default"))
                        bits |= 0x33; /* what the kernel begins with: private and shared anonymous, headers, huge */
                else if (streq(w, "all"))
                        bits = UINT64_MAX;
                else {
                        bits |= strtoull(w, &end, 16);
                        if (end == w || *end || errno || strchr(w, '-'))
                                return value_bad_with(s, "there is no kind of memory", w);
                }
        }
        if (r < 0)
                return r;
        *field = bits;
        *value_flag(s) = true;
        return 0;
}

/* A number of nanoseconds, or a time with units; as systemd has them, the small ones too. */
int value_nanoseconds(struct setting *s, uint64_t *field)
{
        static const struct {
                const char *word;
                uint64_t ns;
        } units[] = {{"ns", 1},
                     {"nsec", 1},
                     {"us", 1000},
                     {"usec", 1000},
                     {"ms", 1000000},
                     {"msec", 1000000},
                     {"s", 1000000000},
                     {"sec", 1000000000},
                     {"second", 1000000000},
                     {"seconds", 1000000000},
                     {"min", UINT64_C(60000000000)},
                     {"", 1}};
        const char *p = s->value;
        uint64_t sum = 0;

        if (value_is_empty(s)) {
                *value_flag(s) = false;
                return 0;
        }
        while (*p) {
                char *end;
                size_t n, i = 0;
                uint64_t v;

                errno = 0;
                v = *p >= '0' && *p <= '9' ? strtoull(p, &end, 10) : (end = NULL, 0);
                if (!end || errno)
                        return value_bad(s, NULL);
                p = end + strspn(end, " \t");
                n = strcspn(p, " \t0123456789");
                while (i < ARRAY_SIZE(units) && (strlen(units[i].word) != n || strncmp(p, units[i].word, n) != 0))
                        i++;
                if (i == ARRAY_SIZE(units) || v > UINT64_MAX / 2 / units[i].ns)
                        return value_bad(s, NULL);
                sum += v * units[i].ns;
                p += n;
                p += strspn(p, " \t");
        }
        *field = sum;
        *value_flag(s) = true;
        return 0;
}

static int add_secure_bit(struct setting *s, char *word, void *field)
{
        static const char *const bits[] = {"noroot",    "noroot-locked",   "no-setuid-fixup", "no-setuid-fixup-locked",
                                           "keep-caps", "keep-caps-locked"}; /* SECBIT_*, from bit 0 */
        int *v = field;

        for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
                if (streq(word, bits[i])) {
                        *v |= 1 << i;
                        return 0;
                }
        return value_bad_with(s, "there is no secure bit", word);
}

/* Lines add up; the empty one begins anew. */
int value_secure_bits(struct setting *s, int *field)
{
        int v = *value_flag(s) ? *field : 0, r;

        if (value_is_empty(s)) {
                *value_flag(s) = false;
                *field = 0;
                return 0;
        }
        r = value_each_word(s, WORDS_UNQUOTE, add_secure_bit, &v);
        if (r < 0 && r != -EINVAL)
                return r;
        *field = v;
        *value_flag(s) = true;
        return r;
}

int value_flagged_boolean(struct setting *s, bool *field)
{
        int r;

        if (value_is_empty(s)) {
                *value_flag(s) = false;
                return 0;
        }
        r = parse_bool(s->value, field);
        if (r >= 0)
                *value_flag(s) = true;
        return r;
}

static int value_of(struct setting *s, const char *const *words, unsigned n, unsigned *ret)
{
        for (unsigned i = 0; i < n; i++)
                if (words[i] && streq(words[i], s->value)) {
                        *ret = i;
                        return 0;
                }
        return value_bad(s, NULL);
}

int value_keyring_mode(struct setting *s, enum keyring_mode *field)
{
        return keyring_mode_from_name(s->value, field) < 0 ? value_bad(s, NULL) : 0;
}

int value_numa_policy(struct setting *s, enum numa_policy *field)
{
        static const char *const words[N_NUMA_POLICIES] = {
                [NUMA_DEFAULT] = "default",       [NUMA_PREFERRED] = "preferred", [NUMA_BIND] = "bind",
                [NUMA_INTERLEAVE] = "interleave", [NUMA_LOCAL] = "local",
        };
        unsigned v = NUMA_UNSET;
        int r = value_is_empty(s) ? 0 : value_of(s, words, N_NUMA_POLICIES, &v);

        if (r == 0)
                *field = (enum numa_policy)v;
        return r;
}

/* ---- credentials ---- */

/* A name of a file, and one that NAME:VALUE can tell. */
static bool id_valid(const char *id)
{
        size_t n = strlen(id);

        return n > 0 && n <= 255 && !strpbrk(id, "/:") && !streq(id, ".") && !streq(id, "..");
}

/* Later settings of the same kind for one id replace earlier ones. */
static int add_credential(struct setting *s, const struct credential *c, struct credentials *field)
{
        struct credential *v;

        for (unsigned i = 0; i < field->n; i++)
                if (streq(field->v[i].id, c->id) && !field->v[i].path == !c->path) {
                        field->v[i] = *c;
                        return 0;
                }
        v = value_grow(s->draft, field->v, field->n, sizeof(*v));
        if (!v)
                return -ENOMEM;
        field->v = v;
        field->v[field->n++] = *c;
        return 0;
}

/* The empty value takes away what was set by this key, and leaves the other's. */
static void drop_credentials(struct credentials *field, bool loaded)
{
        unsigned n = 0;

        for (unsigned i = 0; i < field->n; i++)
                if (!field->v[i].path == loaded)
                        field->v[n++] = field->v[i];
        field->n = n;
}

/* "ID:REST" or "ID": the id, specifiers expanded, and where the rest begins (NULL = there is none). */
static int take_id(struct setting *s, char **ret_id, const char **ret_rest)
{
        size_t n = strcspn(s->value, ":");
        char *part = arena_strndup(&s->draft->scratch, s->value, n);
        int r = part ? value_expand(s, part, ret_id) : -ENOMEM;

        if (r < 0)
                return r;
        if (!id_valid(*ret_id))
                return value_bad_with(s, "is no name of a credential:", *ret_id);
        *ret_rest = s->value[n] ? s->value + n + 1 : NULL;
        return 0;
}

int value_load_credential(struct setting *s, struct credentials *field)
{
        struct credential c = {0};
        const char *rest;
        int r;

        if (value_is_empty(s)) {
                drop_credentials(field, true);
                return 0;
        }
        r = take_id(s, &c.id, &rest);
        if (r < 0)
                return r;
        if (rest && *rest == '/')
                r = value_take_path(s, rest, &c.path);
        else
                r = value_expand(s, rest ? rest : c.id, &c.path);
        if (r < 0)
                return r;
        if (*c.path != '/' && !id_valid(c.path))
                return value_bad_with(s, "is neither an absolute path nor a name of a credential:", c.path);
        return add_credential(s, &c, field);
}

int value_set_credential(struct setting *s, struct credentials *field)
{
        struct buf *b = &s->draft->text;
        struct credential c = {0};
        const char *rest;
        int r;

        if (value_is_empty(s)) {
                drop_credentials(field, false);
                return 0;
        }
        r = take_id(s, &c.id, &rest);
        if (r < 0)
                return r;
        if (!rest)
                return value_bad(s, "is of the form NAME:VALUE");
        buf_reset(b);
        for (const char *p = rest; *p && r >= 0;) {
                uint32_t v = 0;
                bool is_code = false;
                int used = *p == '\\' ? escape_decode(p + 1, strnlen(p + 1, 9), &v, &is_code) : 0;

                if (used < 0)
                        return value_bad(s, "unknown escape sequence");
                r = used == 0 ? buf_append_char(b, *p) : is_code ? utf8_append(b, v) : buf_append_char(b, (char)v);
                p += used + 1;
        }
        c.size = b->size;
        c.data = r < 0 ? NULL : arena_alloc(&s->draft->scratch, b->size + 1);
        if (!c.data)
                return -ENOMEM;
        memcpy(c.data, buf_str(b), b->size);
        c.data[b->size] = 0;
        return add_credential(s, &c, field);
}

/* ---- OpenFile= ---- */

static int take_open_options(struct setting *s, const char *text, struct open_file *f)
{
        static const char *const words[] = {"read-only", "append", "truncate", "graceful"};
        bool *const flags[] = {&f->read_only, &f->append, &f->truncate, &f->graceful};

        while (*text) {
                size_t n = strcspn(text, ","), i = 0;

                while (i < ARRAY_SIZE(words) && (strlen(words[i]) != n || strncmp(text, words[i], n) != 0))
                        i++;
                if (i == ARRAY_SIZE(words))
                        return value_bad_with(s, "there is no option", text);
                *flags[i] = true;
                text += n + (text[n] == ',');
        }
        if (f->read_only + f->append + f->truncate > 1)
                return value_bad(s, "read-only, append and truncate exclude each other");
        return 0;
}

/* PATH[:NAME[:OPTION,…]]; the name is the file's when it is not told */
int value_open_file(struct setting *s, struct open_files *field)
{
        struct open_file f = {0}, *v;
        char *text, *name, *options = NULL;
        int r;

        if (value_is_empty(s)) {
                *field = (struct open_files){0};
                return 0;
        }
        r = value_expand(s, s->value, &text);
        if (r < 0)
                return r;
        text = arena_strdup(&s->draft->scratch, text);
        if (!text)
                return -ENOMEM;
        name = strchr(text, ':');
        if (name)
                *name++ = 0;
        options = name ? strchr(name, ':') : NULL;
        if (options)
                *options++ = 0;
        r = value_take_path(s, text, &f.path);
        if (r == 0 && options)
                r = take_open_options(s, options, &f);
        if (r < 0)
                return r;
        f.name = name && *name ? name : arena_strdup(&s->draft->scratch, strrchr(f.path, '/') + 1);
        v = value_grow(s->draft, field->v, field->n, sizeof(*v));
        if (!f.name || !v)
                return -ENOMEM;
        field->v = v;
        field->v[field->n++] = f;
        return 0;
}
