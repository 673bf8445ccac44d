/* SPDX-License-Identifier: MIT
 * See values.h. One small function for each value type; all share the rules that a bad value leaves the field alone
 * (rule 5), and that the empty value resets (rule 4).
 */
#include "unit/values-parts.h"

#include "syntax/environment.h"
#include "syntax/exec-line.h"
#include "syntax/scalar.h"
#include "syntax/specifier.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

enum {
        AFFINITY_MAX = 4096, /* bytes of CPUAffinity=, all lines together */
};

/* ---- what the functions share ---- */

int value_bad(struct setting *s, const char *mistake)
{
        s->mistake = mistake;
        return -EINVAL;
}

static int fatal(struct setting *s, const char *mistake)
{
        s->fatal = true;
        return value_bad(s, mistake);
}

/* A sentence that ends in the value's part that is wrong. */
int value_bad_with(struct setting *s, const char *mistake, const char *part)
{
        struct buf *b = &s->draft->text;

        buf_reset(b);
        if (buf_printf(b, "%s '%.200s'", mistake, part) < 0)
                return -ENOMEM;
        s->mistake = arena_strdup(&s->draft->scratch, buf_str(b));
        return s->mistake ? -EINVAL : -ENOMEM;
}

bool *value_flag(struct setting *s)
{
        return (bool *)(void *)((char *)s->draft + s->row->extra);
}

/* Specifiers of PART into *ret. */
int value_expand(struct setting *s, const char *part, char **ret)
{
        char letter[3] = {'%', 0, 0};
        int r = draft_expand(s->draft, part, ret, &letter[1]);

        return r == -ENOENT ? value_bad_with(s, "there is no specifier", letter) : r;
}

bool value_is_empty(const struct setting *s)
{
        return *s->value == 0;
}

/* "/a//b/" becomes "/a/b". */
static void path_tidy(char *p)
{
        char *out = p;

        for (const char *in = p; *in; in++)
                if (*in != '/' || in[1] != '/')
                        *out++ = *in;
        if (out > p + 1 && out[-1] == '/')
                out--;
        *out = 0;
}

/* "./a/./b/." becomes "a/b"; P is tidy already. */
static void path_skip_dots(char *p)
{
        char *out = p;

        for (const char *in = p; *in;) {
                size_t n = strcspn(in, "/");

                if (n != 1 || in[0] != '.') {
                        if (out > p)
                                *out++ = '/';
                        memmove(out, in, n);
                        out += n;
                }
                in += n + (in[n] == '/');
        }
        *out = 0;
}

static bool path_has_dots(const char *p)
{
        for (const char *q = strstr(p, ".."); q; q = strstr(q + 1, ".."))
                if ((q == p || q[-1] == '/') && (q[2] == 0 || q[2] == '/'))
                        return true;
        return false;
}

/* An absolute path, expanded and tidied. */
int value_take_path(struct setting *s, const char *part, char **ret)
{
        char *p, *copy;
        int r = value_expand(s, part, &p);

        if (r < 0)
                return r;
        if (*p != '/')
                return value_bad_with(s, "path is not absolute:", p);
        if (path_has_dots(p))
                return value_bad_with(s, "path leads upwards:", p);
        copy = arena_strdup(&s->draft->scratch, p);
        if (!copy)
                return -ENOMEM;
        path_tidy(copy);
        *ret = copy;
        return 0;
}

/* Calls EACH for every word, specifiers expanded. A word that is bad is told and left out; the others count. */
int value_each_word(struct setting *s, unsigned flags, int (*each)(struct setting *s, char *word, void *field),
                    void *field)
{
        cleanup_buf_ struct buf word = {0};
        const char *p = s->value;
        int mistakes = 0;

        for (;;) {
                char *expanded;
                int r = word_next(&p, flags, &word);

                if (r == 0)
                        return mistakes ? -EINVAL : 0;
                if (r < 0)
                        return r == -EINVAL ? value_bad(s, "quote is not closed, or unknown escape") : r;
                r = value_expand(s, buf_str(&word), &expanded);
                if (r >= 0)
                        r = each(s, expanded, field);
                if (r == -EINVAL)
                        mistakes++;
                else if (r < 0)
                        return r;
        }
}

static int value_words_of(struct setting *s, struct strings *field, unsigned flags,
                          int (*each)(struct setting *s, char *word, void *field))
{
        if (value_is_empty(s)) {
                *field = (struct strings){0};
                return 0;
        }
        return value_each_word(s, flags, each, field);
}

static int value_enum(struct setting *s, const struct names *t, unsigned *field)
{
        int v = names_find(t, s->value);

        if (v < 0)
                return value_bad(s, NULL);
        *field = (unsigned)v;
        return 0;
}

/* ---- plain values ---- */

static int value_boolean(struct setting *s, bool *field)
{
        return parse_bool(s->value, field);
}

static int value_text(struct setting *s, char **field)
{
        char *p;
        int r = value_expand(s, s->value, &p);

        if (r < 0)
                return r;
        *field = *p ? arena_strdup(&s->draft->scratch, p) : NULL;
        return *p && !*field ? -ENOMEM : 0;
}

static int value_any(struct setting *s unused_, char *field unused_)
{
        return 0;
}

static int value_timespan(struct setting *s, uint64_t *field)
{
        return parse_timespan(s->value, field);
}

static int value_timeout(struct setting *s, uint64_t *field)
{
        uint64_t v;
        int r = parse_timespan(s->value, &v);

        if (r < 0)
                return r;
        *field = v == 0 ? USEC_INFINITY : v;
        return 0;
}

static int value_timeout_both(struct setting *s, uint64_t *field)
{
        int r = value_timeout(s, field);

        if (r >= 0)
                s->draft->service.timeout_stop_us = *field;
        return r;
}

static int value_job_timeout(struct setting *s, uint64_t *field)
{
        return value_timeout(s, field);
}

static int value_job_mode(struct setting *s, char **field)
{
        static const char *const modes[] = {"fail",
                                            "replace",
                                            "replace-irreversibly",
                                            "isolate",
                                            "flush",
                                            "ignore-dependencies",
                                            "ignore-requirements",
                                            "triggering"};

        for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
                if (streq(s->value, modes[i])) {
                        *field = (char *)(uintptr_t)modes[i];
                        return 0;
                }
        return value_bad(s, NULL);
}

static int value_job_isolate(struct setting *s, char **field)
{
        bool isolate;

        if (parse_bool(s->value, &isolate) < 0)
                return value_bad(s, NULL);
        *field = (char *)(uintptr_t)(isolate ? "isolate" : "replace");
        return 0;
}

static int value_unsigned(struct setting *s, unsigned *field)
{
        return parse_uint(s->value, field);
}

static int value_exit_number(struct setting *s, int *field)
{
        if (value_is_empty(s)) {
                *field = -1;
                return 0;
        }
        return parse_int_range(s->value, 0, 255, field);
}

static int value_mode(struct setting *s, mode_t *field)
{
        return parse_mode(s->value, field);
}

static int value_signal(struct setting *s, int *field)
{
        return parse_signal(s->value, field);
}

#define VALUE_OF_ENUM(name, ctype)                                                                                     \
        static int value_##name(struct setting *s, enum ctype *field)                                                  \
        {                                                                                                              \
                unsigned v = 0;                                                                                        \
                int r = value_enum(s, &ctype##_names, &v);                                                             \
                                                                                                                       \
                if (r >= 0)                                                                                            \
                        *field = (enum ctype)v;                                                                        \
                return r;                                                                                              \
        }
VALUE_OF_ENUM(service_type, service_type)
VALUE_OF_ENUM(service_restart, service_restart)
VALUE_OF_ENUM(kill_mode, kill_mode)
VALUE_OF_ENUM(notify_access, notify_access)
VALUE_OF_ENUM(oom_policy, oom_policy)
VALUE_OF_ENUM(emergency_action, emergency_action)
VALUE_OF_ENUM(failure_mode, timeout_failure_mode)

static int value_preserve_mode(struct setting *s, enum preserve_mode *field)
{
        bool b;

        if (streq(s->value, "restart")) {
                *field = PRESERVE_RESTART;
                return 0;
        }
        if (parse_bool(s->value, &b) < 0)
                return value_bad(s, NULL);
        *field = b ? PRESERVE_YES : PRESERVE_NO;
        return 0;
}

static int value_exit_type(struct setting *s, bool *field)
{
        if (!streq(s->value, "main") && !streq(s->value, "cgroup"))
                return value_bad(s, NULL);
        *field = streq(s->value, "cgroup");
        return 0;
}

static int value_bus_name(struct setting *s, char **field)
{
        char *p;
        int r = value_expand(s, s->value, &p);
        bool start = true;

        if (r < 0)
                return r;
        for (const char *q = p; *q; q++) {
                bool word = (*q >= 'a' && *q <= 'z') || (*q >= 'A' && *q <= 'Z') || (*q >= '0' && *q <= '9') ||
                            *q == '_' || *q == '-';
                if (!word && (*q != '.' || start))
                        return value_bad(s, NULL);
                start = *q == '.';
        }
        if (*p && (start || !strchr(p, '.') || strlen(p) > 255))
                return value_bad(s, NULL);
        *field = *p ? arena_strdup(&s->draft->scratch, p) : NULL;
        return *p && !*field ? -ENOMEM : 0;
}

/* ---- lists of words ---- */

/* A word that is none is left out, the others count. */
static int add_uri(struct setting *s, char *word, void *field)
{
        static const char *const kinds[] = {"http://", "https://", "file:/", "info:", "man:"};

        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (starts_with(word, kinds[i]) && word[strlen(kinds[i])])
                        return draft_add_string(s->draft, field, word);
        return value_bad_with(s, "is no URI of http, https, file, info or man:", word);
}

static int value_documentation(struct setting *s, struct strings *field)
{
        return value_words_of(s, field, WORDS_LIST, add_uri);
}

static int add_unit(struct setting *s, char *word, void *field)
{
        if (!unit_name_valid(word))
                return value_bad_with(s, "is no name of a unit:", word);
        if (unit_name_is_template(word) && s->row->extra != UNITS_INSTALL) {
                char name[UNIT_NAME_MAX + 1];
                const struct unit_name *n = &s->draft->name;

                if (n->instance && n->instance_size == 0)
                        return 0; /* in a template: this depends on the instance */
                if (!n->instance)
                        return value_bad_with(s, "is a template, of which an instance has to be named:", word);
                if (unit_name_instantiate(word, n->instance, n->instance_size, name) < 0)
                        return value_bad_with(s, "is no name of a unit:", word);
                return draft_add_string(s->draft, field, name);
        }
        return draft_add_string(s->draft, field, word);
}

/* Dependencies cannot be reset (rule 4); what [Install] and Sockets= name can. */
static int value_units(struct setting *s, struct strings *field)
{
        bool dependency = s->row->section == SECTION_UNIT;

        if (value_is_empty(s) && dependency)
                return 0;
        return value_words_of(s, field, dependency ? WORDS_RETAIN : WORDS_LIST, add_unit);
}

static int add_path(struct setting *s, char *word, void *field)
{
        char *p;
        int r = value_take_path(s, word, &p);

        return r < 0 ? r : draft_add_string(s->draft, field, p);
}

static int value_mounts(struct setting *s, struct strings *field)
{
        return value_is_empty(s) ? 0 : value_each_word(s, WORDS_LIST, add_path, field);
}

static int value_path_list(struct setting *s, struct strings *field)
{
        char *copy, *save = NULL;

        if (value_is_empty(s)) {
                *field = (struct strings){0};
                return 0;
        }
        copy = arena_strdup(&s->draft->scratch, s->value);
        if (!copy)
                return -ENOMEM;
        for (char *p = strtok_r(copy, ":", &save); p; p = strtok_r(NULL, ":", &save)) {
                int r = add_path(s, p, field);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_variable(struct setting *s, char *word, void *field)
{
        if (!environment_name_valid(word, strlen(word)))
                return value_bad_with(s, "is no name of a variable:", word);
        return draft_add_string(s->draft, field, word);
}

static int value_variables(struct setting *s, struct strings *field)
{
        return value_words_of(s, field, WORDS_COMMAND, add_variable);
}

static int add_variable_or_assignment(struct setting *s, char *word, void *field)
{
        return strchr(word, '=') && environment_assignment_valid(word) ? draft_add_string(s->draft, field, word)
                                                                       : add_variable(s, word, field);
}

static int value_unset_list(struct setting *s, struct strings *field)
{
        return value_words_of(s, field, WORDS_COMMAND, add_variable_or_assignment);
}

static int add_assignment(struct setting *s, char *word, void *field)
{
        if (!environment_assignment_valid(word))
                return value_bad_with(s, "is no assignment NAME=value:", word);
        return draft_add_string(s->draft, field, word);
}

static int value_environment(struct setting *s, struct strings *field)
{
        return value_words_of(s, field, WORDS_COMMAND, add_assignment);
}

/* ---- growing arrays ---- */

/* Room for one more in the scratch: V is full whenever N is 0 or a power of two from 4 on. */
void *value_grow(struct draft *d, const void *v, unsigned n, size_t size)
{
        void *fresh;

        if (n != 0 && (n < 4 || (n & (n - 1)) != 0))
                return (void *)(uintptr_t)v;
        fresh = arena_alloc(&d->scratch, (n ? (size_t)n * 2 : 4) * size);
        if (fresh && n > 0)
                memcpy(fresh, v, n * size);
        return fresh;
}

int draft_add_string(struct draft *d, struct strings *l, const char *s)
{
        char **v = value_grow(d, l->v, l->n, sizeof(char *));
        char *copy = arena_strdup(&d->scratch, s);

        if (!v || !copy)
                return -ENOMEM;
        l->v = v;
        l->v[l->n++] = copy;
        return 0;
}

int draft_add_notice(struct draft *d, const char *text)
{
        for (unsigned i = 0; i < d->notices.n; i++)
                if (streq(d->notices.v[i], text))
                        return 0;
        return draft_add_string(d, &d->notices, text);
}

static bool condition_is_of_a_path(enum condition_kind kind)
{
        return kind <= COND_FILE_IS_EXECUTABLE || kind == COND_NEEDS_UPDATE || kind == COND_PATH_IS_ENCRYPTED;
}

/* "|!PARAMETER". Of a path, nothing may stand between; a relative one is a mistake, and the line does not count. */
static int value_condition_parameter(struct setting *s, struct condition *c)
{
        bool path = condition_is_of_a_path(c->kind);
        const char *p = s->value;
        int r;

        c->trigger = *p == '|';
        p += c->trigger;
        p += path ? 0 : strspn(p, " \t");
        c->negate = *p == '!';
        p += c->negate;
        p += path ? 0 : strspn(p, " \t");
        r = value_expand(s, p, &c->parameter);
        if (r < 0)
                return r;
        if (path && *c->parameter != '/')
                return value_bad_with(s, "path is not absolute:", c->parameter);
        c->parameter = arena_strdup(&s->draft->scratch, c->parameter);
        return c->parameter ? 0 : -ENOMEM;
}

static int value_condition(struct setting *s, struct conditions *field)
{
        struct condition c = {.kind = (enum condition_kind)(s->row->extra & 0xff),
                              .assert = (s->row->extra & CONDITION_ASSERT) != 0};
        struct condition *v;
        int r;

        if (value_is_empty(s)) { /* resets those of its kind: Condition*= or Assert*= */
                unsigned n = 0;
                for (unsigned i = 0; i < field->n; i++)
                        if (field->v[i].assert != c.assert)
                                field->v[n++] = field->v[i];
                field->n = n;
                return 0;
        }
        r = value_condition_parameter(s, &c);
        if (r < 0)
                return r;
        c.name = (char *)(uintptr_t)s->row->key;
        v = value_grow(s->draft, field->v, field->n, sizeof(*v));
        if (!v)
                return -ENOMEM;
        field->v = v;
        field->v[field->n++] = c;
        return 0;
}

static int value_environment_file(struct setting *s, struct environment_files *field)
{
        bool optional = *s->value == '-';
        struct environment_file *v;
        char *path;
        int r;

        if (value_is_empty(s)) {
                *field = (struct environment_files){0};
                return 0;
        }
        r = value_take_path(s, s->value + optional, &path);
        if (r < 0)
                return r;
        v = value_grow(s->draft, field->v, field->n, sizeof(*v));
        if (!v)
                return -ENOMEM;
        field->v = v;
        field->v[field->n++] = (struct environment_file){path, optional};
        return 0;
}

/* ---- commands ---- */

_Static_assert(EXEC_LINE_IGNORE_FAILURE == EXEC_IGNORE_FAILURE && EXEC_LINE_ARGV0 == EXEC_ARGV0 &&
                       EXEC_LINE_NO_EXPAND == EXEC_NO_EXPAND && EXEC_LINE_FULL_PRIVILEGE == EXEC_FULL_PRIVILEGE &&
                       EXEC_LINE_NO_SETUID == EXEC_NO_SETUID && EXEC_LINE_AMBIENT == EXEC_AMBIENT,
               "the flags are handed on as they are");

static int add_command(struct setting *s, const struct exec_line_command *from, struct exec_commands *field)
{
        struct exec_command c = {.flags = from->flags, .line = s->line, .file = s->file}, *v;
        const char *mistake;
        int r = value_expand(s, from->path, &c.path);

        c.words.v = arena_alloc(&s->draft->scratch, (from->words.n + 1) * sizeof(char *));
        if (!c.words.v)
                return -ENOMEM;
        for (; r >= 0 && c.words.n < from->words.n; c.words.n++)
                r = value_expand(s, from->words.v[c.words.n], &c.words.v[c.words.n]);
        if (r < 0)
                return r == -EINVAL ? fatal(s, s->mistake) : r;
        mistake = exec_line_path_mistake(c.path);
        if (mistake)
                return c.flags & EXEC_IGNORE_FAILURE ? value_bad(s, mistake) : fatal(s, mistake);
        v = value_grow(s->draft, field->v, field->n, sizeof(*v));
        if (!v)
                return -ENOMEM;
        field->v = v;
        field->v[field->n++] = c;
        return 0;
}

static int value_commands(struct setting *s, struct exec_commands *field)
{
        struct exec_line line = {0};
        int r = exec_line_parse(&s->draft->scratch, s->value, &line, &s->mistake);

        if (r < 0)
                return r;
        if (line.n == 0)
                *field = (struct exec_commands){0};
        for (unsigned i = 0; i < line.n && r >= 0; i++)
                r = add_command(s, &line.v[i], field);
        return r;
}

static int add_status(struct setting *s, char *word, void *field)
{
        struct exit_status_set *set = field;
        int status, signal;

        if (parse_exit_status_or_signal(word, &status, &signal) < 0)
                return value_bad_with(s, "is no exit status and no signal:", word);
        if (status >= 0)
                set->codes[status / 32] |= UINT32_C(1) << (status % 32);
        else
                set->signals |= UINT64_C(1) << (signal - 1);
        return 0;
}

static int value_status_set(struct setting *s, struct exit_status_set *field)
{
        if (value_is_empty(s)) {
                *field = (struct exit_status_set){0};
                return 0;
        }
        return value_each_word(s, WORDS_UNQUOTE, add_status, field);
}

/* ---- who and where ---- */

static bool account_valid(const char *name)
{
        if (*name == '-' || streq(name, ".") || streq(name, "..") || strlen(name) > 255)
                return false;
        for (const char *p = name; *p; p++)
                if ((unsigned char)*p <= ' ' || *p == ':' || *p == '/' || *p == 127)
                        return false;
        return true;
}

static int value_account(struct setting *s, char **field)
{
        char *name;
        int r = value_expand(s, s->value, &name);

        if (r == -EINVAL)
                return fatal(s, s->mistake);
        if (r < 0)
                return r;
        if (!account_valid(name))
                return fatal(s, NULL);
        *field = *name ? arena_strdup(&s->draft->scratch, name) : NULL;
        return *name && !*field ? -ENOMEM : 0;
}

static int add_account(struct setting *s, char *word, void *field)
{
        if (!account_valid(word))
                return value_bad_with(s, "is no name of a group:", word);
        return draft_add_string(s->draft, field, word);
}

static int value_accounts(struct setting *s, struct strings *field)
{
        int r = value_words_of(s, field, WORDS_LIST, add_account);

        return r == -EINVAL ? fatal(s, s->mistake) : r;
}

static int value_path(struct setting *s, char **field)
{
        if (value_is_empty(s)) {
                *field = NULL;
                return 0;
        }
        return value_take_path(s, s->value, field);
}

static int value_working_directory(struct setting *s, char **field)
{
        bool optional = *s->value == '-';
        const char *p = s->value + optional;
        int r = 0;

        if (streq(p, "~")) {
                *field = arena_strdup(&s->draft->scratch, p);
                r = *field ? 0 : -ENOMEM;
        } else if (value_is_empty(s)) {
                *field = NULL;
        } else {
                r = value_take_path(s, p, field);
        }
        if (r == -EINVAL)
                return optional ? r : fatal(s, s->mistake);
        if (r >= 0)
                s->draft->exec.working_directory_optional = optional;
        return r;
}

static const char *runtime_root(const struct draft *d)
{
        return d->context && d->context->runtime_dir_root ? d->context->runtime_dir_root : "/run";
}

/* Relative to the runtime directory; /var/run is where it used to be (rule 35). */
static int value_pid_file(struct setting *s, char **field)
{
        struct buf *b = &s->draft->text;
        char *p;
        int r;

        if (value_is_empty(s)) {
                *field = NULL;
                return 0;
        }
        r = value_expand(s, s->value, &p);
        if (r < 0)
                return r;
        if (path_has_dots(p))
                return value_bad(s, NULL);
        buf_reset(b);
        if (starts_with(p, "/var/run/"))
                r = buf_printf(b, "/run/%s", p + strlen("/var/run/"));
        else
                r = *p == '/' ? buf_append_str(b, p) : buf_printf(b, "%s/%s", runtime_root(s->draft), p);
        p = r < 0 ? NULL : arena_strdup(&s->draft->scratch, buf_str(b));
        if (!p)
                return -ENOMEM;
        path_tidy(p);
        *field = p;
        return 0;
}

static int add_directory(struct setting *s, char *word, void *field)
{
        char *colon = strchr(word, ':');
        char *copy;

        if (colon) { /* NAME:LINK */
                char notice[128];
                (void)snprintf(notice, sizeof(notice), "accepted, not carried out: links in %s=", s->row->key);
                if (draft_add_notice(s->draft, notice) < 0)
                        return -ENOMEM;
        }
        copy = arena_strndup(&s->draft->scratch, word, colon ? (size_t)(colon - word) : strlen(word));
        if (!copy)
                return -ENOMEM;
        if (*copy == '/' || path_has_dots(copy))
                return value_bad_with(s, "is no relative path:", copy);
        path_tidy(copy);
        path_skip_dots(copy);
        if (!*copy)
                return value_bad_with(s, "is no relative path:", word);
        return draft_add_string(s->draft, field, copy);
}

static int value_directory_names(struct setting *s, struct strings *field)
{
        return value_words_of(s, field, WORDS_LIST, add_directory);
}

/* ---- limits and scheduling ---- */

static int value_limit(struct setting *s, struct limit_value *field)
{
        struct limit_value v = {.set = true};
        int r;

        if (value_is_empty(s)) {
                *field = (struct limit_value){0};
                return 0;
        }
        r = parse_rlimit(s->row->extra, s->value, &v.soft, &v.hard);
        if (r < 0)
                return r == -EILSEQ ? value_bad(s, "soft limit is above the hard limit") : r;
        *field = v;
        return 0;
}

static int value_flagged(struct setting *s, int *field, int (*parse)(const char *s, int *ret))
{
        int r;

        if (value_is_empty(s)) {
                *value_flag(s) = false;
                return 0;
        }
        r = parse(s->value, field);
        if (r >= 0)
                *value_flag(s) = true;
        return r;
}

#define VALUE_FLAGGED(name, parse)                                                                                     \
        static int value_##name(struct setting *s, int *field)                                                         \
        {                                                                                                              \
                return value_flagged(s, field, parse);                                                                 \
        }
VALUE_FLAGGED(nice, parse_nice)
VALUE_FLAGGED(oom_score, parse_oom_score_adjust)
VALUE_FLAGGED(io_class, parse_io_class)
VALUE_FLAGGED(io_priority, parse_io_priority)
VALUE_FLAGGED(cpu_policy, parse_cpu_policy)
VALUE_FLAGGED(cpu_priority, parse_cpu_priority)

static int value_cpu_affinity(struct setting *s, char **field)
{
        struct buf *b = &s->draft->text;

        if (value_is_empty(s)) {
                *field = NULL;
                return 0;
        }
        if (s->value[strspn(s->value, "0123456789-, \t")] != 0 && !streq(s->value, "numa"))
                return value_bad(s, NULL);
        if (*field && strlen(*field) + strlen(s->value) > AFFINITY_MAX)
                return value_bad(s, "list of CPUs is too long");
        buf_reset(b);
        if (buf_printf(b, "%s%s%s", *field ? *field : "", *field ? " " : "", s->value) < 0)
                return -ENOMEM;
        *field = arena_strdup(&s->draft->scratch, buf_str(b));
        return *field ? 0 : -ENOMEM;
}

/* ---- input and output ---- */

static int set_stream_path(struct setting *s, const char *path, char **field)
{
        char *p;
        int r = value_take_path(s, path, &p);

        if (r >= 0)
                *field = p;
        return r;
}

static int set_stream_name(struct setting *s, const char *name, char **field)
{
        int r;
        char *p;

        if (*name != ':') {
                *field = NULL;
                return 0;
        }
        r = value_expand(s, name + 1, &p);
        if (r < 0)
                return r;
        *field = arena_strdup(&s->draft->scratch, p);
        return *field ? 0 : -ENOMEM;
}

static int value_input(struct setting *s, enum exec_input *field)
{
        char **file = &s->draft->exec.input_file;
        int v, r = 0;

        if (starts_with(s->value, "file:")) {
                v = INPUT_FILE;
                r = set_stream_path(s, s->value + strlen("file:"), file);
        } else if (streq(s->value, "fd") || starts_with(s->value, "fd:")) {
                v = INPUT_FD;
                r = set_stream_name(s, s->value + strlen("fd"), file);
        } else {
                v = names_find(&exec_input_names, s->value);
                if (v < 0 || v == INPUT_FILE)
                        return value_bad(s, NULL);
        }
        if (r >= 0)
                *field = (enum exec_input)v;
        return r;
}

/* Words of StandardOutput= beyond the names of enum exec_output: the journal by another name, and those with a path. */
static const struct {
        const char *word;
        enum exec_output output;
        bool path;
} output_words[] = {
        {"journal+console", OUTPUT_JOURNAL, false}, {"kmsg", OUTPUT_JOURNAL, false},
        {"kmsg+console", OUTPUT_JOURNAL, false},    {"syslog", OUTPUT_JOURNAL, false},
        {"syslog+console", OUTPUT_JOURNAL, false},  {"file:", OUTPUT_FILE, true},
        {"append:", OUTPUT_APPEND, true},           {"truncate:", OUTPUT_TRUNCATE, true},
};

static int value_output(struct setting *s, enum exec_output *field)
{
        char **file = (char **)(void *)((char *)s->draft + s->row->extra);
        int v = names_find(&exec_output_names, s->value), r = 0;
        size_t i;

        if (v >= 0 && v < OUTPUT_FILE) {
                *field = (enum exec_output)v;
                *file = NULL;
                return 0;
        }
        if (starts_with(s->value, "fd:")) {
                r = set_stream_name(s, s->value + strlen("fd"), file);
                if (r >= 0)
                        *field = OUTPUT_FD;
                return r;
        }
        for (i = 0; i < ARRAY_SIZE(output_words); i++)
                if (output_words[i].path ? starts_with(s->value, output_words[i].word)
                                         : streq(s->value, output_words[i].word))
                        break;
        if (i == ARRAY_SIZE(output_words))
                return value_bad(s, NULL);
        if (output_words[i].path)
                r = set_stream_path(s, s->value + strlen(output_words[i].word), file);
        if (r >= 0)
                *field = output_words[i].output;
        return r;
}

/* Lines of input add up; the room doubles. */
static int add_input_data(struct setting *s, char **field, const void *data, size_t n)
{
        struct exec_config *e = &s->draft->exec;
        size_t size = e->input_data_size, room = 64, want = size + n + 1;

        while (*field && room < size + 1)
                room *= 2;
        if (!*field || room < want) {
                char *p;

                while (room < want)
                        room *= 2;
                p = arena_alloc(&s->draft->scratch, room);
                if (!p)
                        return -ENOMEM;
                if (size > 0)
                        memcpy(p, *field, size);
                *field = p;
        }
        if (n > 0)
                memcpy(*field + size, data, n);
        (*field)[size + n] = 0;
        e->input_data_size += n;
        return 0;
}

static int reset_input_data(struct setting *s, char **field)
{
        s->draft->exec.input_data_size = 0;
        *field = NULL;
        return 0;
}

/* The whole value is one "word": escapes are decoded, blanks stay. */
static int value_input_text(struct setting *s, char **field)
{
        cleanup_buf_ struct buf out = {0};
        const char *p;
        char *expanded;
        int r;

        if (value_is_empty(s))
                return reset_input_data(s, field);
        r = value_expand(s, s->value, &expanded);
        if (r < 0)
                return r;
        for (p = expanded; *p && r >= 0;) {
                uint32_t code;
                bool is_code;
                int n = *p == '\\' ? escape_decode(p + 1, strlen(p + 1), &code, &is_code) : 0;

                if (*p != '\\' || n <= 0) {
                        r = buf_append_char(&out, *p++);
                        continue;
                }
                r = is_code ? utf8_append(&out, code) : buf_append_char(&out, (char)code);
                p += 1 + n;
        }
        if (r >= 0)
                r = buf_append_char(&out, '\n');
        return r < 0 ? r : add_input_data(s, field, out.data, out.size);
}

static int base64_digit(char c)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const char *p = c ? strchr(digits, c) : NULL;

        return p ? (int)(p - digits) : -1;
}

static int value_input_base64(struct setting *s, char **field)
{
        cleanup_buf_ struct buf out = {0};
        unsigned bits = 0, n = 0, padding = 0;

        if (value_is_empty(s))
                return reset_input_data(s, field);
        for (const char *p = s->value; *p; p++) {
                int digit = base64_digit(*p);

                if (*p == ' ' || *p == '\t')
                        continue;
                padding += *p == '=';
                if (padding > 2 || (digit < 0 && *p != '=') || (digit >= 0 && padding > 0))
                        return value_bad(s, NULL);
                bits = bits << 6 | (digit < 0 ? 0 : (unsigned)digit);
                if (++n % 4 != 0)
                        continue;
                if (buf_append(&out, (char[]){(char)(bits >> 16), (char)(bits >> 8), (char)bits}, 3 - padding) < 0)
                        return -ENOMEM;
        }
        if (n % 4 != 0)
                return value_bad(s, NULL);
        return add_input_data(s, field, out.data, out.size);
}

/* ---- capabilities (rule 75) ---- */

static int add_capability(struct setting *s, char *word, void *field)
{
        for (unsigned i = 0; i < N_CAPABILITIES; i++)
                if (strcasecmp(word, unit_capability_name(i)) == 0) {
                        *(uint64_t *)field |= UINT64_C(1) << i;
                        return 0;
                }
        return value_bad_with(s, "is no capability:", word);
}

static int value_capabilities(struct setting *s, uint64_t *field)
{
        const uint64_t all = (UINT64_C(1) << N_CAPABILITIES) - 1;
        bool invert = *s->value == '~', *given = value_flag(s);
        struct setting rest = *s;
        uint64_t set = 0;
        int r;

        rest.value = s->value + invert;
        r = value_each_word(&rest, WORDS_UNQUOTE, add_capability, &set);
        s->mistake = rest.mistake;
        if (r < 0 && r != -EINVAL)
                return r;
        if (invert)
                *field = (*given ? *field : all) & ~set;
        else if (*rest.value == 0)
                *field = 0;
        else
                *field = (*given ? *field : 0) | set;
        *given = true;
        return r;
}

/* ---- values that mean more than one thing ---- */

static int value_dynamic_user(struct setting *s, bool *field)
{
        return parse_bool(s->value, field);
}

static int value_trigger(struct setting *s, char **field)
{
        char *name;
        int r = value_expand(s, s->value, &name);

        if (r < 0)
                return r;
        if (!unit_name_valid(name) || (unit_name_is_template(name) && !unit_name_is_template(s->draft->unit.id)))
                return value_bad(s, NULL);
        *field = arena_strdup(&s->draft->scratch, name);
        return *field ? 0 : -ENOMEM;
}

static int value_accept(struct setting *s, bool *field)
{
        return parse_bool(s->value, field);
}

/* ---- the table of types ---- */

#define VALUE_READER(name, ctype, expects, good, bad)                                                                  \
        static int read_##name(struct setting *s, void *field)                                                         \
        {                                                                                                              \
                return value_##name(s, field);                                                                         \
        }
VALUE_TYPES(VALUE_READER)

static const struct {
        int (*read)(struct setting *s, void *field);
        const char *expects, *good, *bad;
} value_types[N_VALUE_TYPES] = {
#define VALUE_ROW(name, ctype, expects, good, bad) [VALUE_##name] = {read_##name, expects, good, bad},
        VALUE_TYPES(VALUE_ROW)};

int value_read(struct setting *s)
{
        int r = value_types[s->row->type].read(s, (char *)s->draft + s->row->offset);

        return r < 0 && r != -ENOMEM ? -EINVAL : r;
}

const char *value_type_expects(enum value_type t)
{
        return value_types[t].expects;
}

const char *value_type_good(enum value_type t)
{
        return value_types[t].good;
}

const char *value_type_bad(enum value_type t)
{
        return value_types[t].bad;
}
