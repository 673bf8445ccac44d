/* SPDX-License-Identifier: MIT
 *
 * The command line of supctl, from one table. Options may stand anywhere, as with systemctl. Which options take a word
 * of their own must also be known for verbs that supctl-bus does, or the verb could not be told from an argument.
 *
 * Not here: what verbs mean. Invariant: nothing is printed; an option that is not known is remembered, not judged.
 */
#include "programs/supctl/supctl.h"

enum option_kind {
        OPTION_FLAG,   /* sets a bool */
        OPTION_STRING, /* keeps the word */
        OPTION_LIST,   /* comma-separated words, may be given again */
        OPTION_LINES,
        OPTION_JSON,
        OPTION_LEGEND,
        OPTION_PRESET_MODE,
        OPTION_OUTPUT,
        OPTION_TAKEN, /* accepted, of no effect here */
        OPTION_OTHER, /* takes an argument; for supctl-bus */
};

struct option_row {
        const char *name; /* long form without --; NULL = short only */
        char letter;      /* 0 = none */
        enum option_kind kind;
        size_t at;       /* offset of the field in struct options */
        size_t count_at; /* for lists */
        unsigned max;    /* for lists */
};

#define AT(f)          offsetof(struct options, f)
#define LIST(f, count) AT(f), AT(count), (unsigned)ARRAY_SIZE(((struct options *)0)->f)

static const struct option_row rows[] = {
        {"all", 'a', OPTION_FLAG, AT(all)},
        {"failed", 0, OPTION_FLAG, AT(failed)},
        {"force", 'f', OPTION_FLAG, AT(force)},
        {"full", 'l', OPTION_FLAG, AT(full)},
        {"global", 0, OPTION_FLAG, AT(global)},
        {"help", 'h', OPTION_FLAG, AT(help)},
        {"json", 0, OPTION_JSON, AT(json)},
        {"legend", 0, OPTION_LEGEND, 0},
        {"lines", 'n', OPTION_LINES, AT(lines)},
        {"name", 0, OPTION_STRING, AT(name)},
        {"no-follow", 0, OPTION_FLAG, AT(no_follow)},
        {"no-legend", 0, OPTION_FLAG, AT(no_legend)},
        {"no-reload", 0, OPTION_FLAG, AT(no_reload)},
        {"now", 0, OPTION_FLAG, AT(now)},
        {"no-pager", 0, OPTION_TAKEN, 0},
        {"no-ask-password", 0, OPTION_TAKEN, 0},
        {"output", 'o', OPTION_OUTPUT, AT(json)},
        {"plain", 0, OPTION_FLAG, AT(plain)},
        {"preset-mode", 0, OPTION_PRESET_MODE, 0},
        {"property", 'p', OPTION_LIST, LIST(properties, n_properties)},
        {NULL, 'P', OPTION_LIST, LIST(properties, n_properties)},
        {"quiet", 'q', OPTION_FLAG, AT(quiet)},
        {"root", 0, OPTION_STRING, AT(root)},
        {"runtime", 0, OPTION_FLAG, AT(runtime)},
        {"runtime-dir", 0, OPTION_STRING, AT(runtime_dir)},
        {"state", 0, OPTION_LIST, LIST(states, n_states)},
        {"strict", 0, OPTION_FLAG, AT(strict)},
        {"system", 0, OPTION_TAKEN, 0},
        {"type", 't', OPTION_LIST, LIST(types, n_types)},
        {"user", 0, OPTION_FLAG, AT(user)},
        {"value", 0, OPTION_FLAG, AT(value)},
        {"version", 0, OPTION_FLAG, AT(version)},
        {"after", 0, OPTION_TAKEN, 0},
        {"before", 0, OPTION_TAKEN, 0},
        {"no-block", 0, OPTION_TAKEN, 0},
        {"reverse", 0, OPTION_TAKEN, 0},
        {"wait", 0, OPTION_TAKEN, 0},
        {"job-mode", 0, OPTION_OTHER, 0},
        {"kill-who", 0, OPTION_OTHER, 0},
        {"kill-whom", 0, OPTION_OTHER, 0},
        {"kill-value", 0, OPTION_OTHER, 0},
        {"signal", 's', OPTION_OTHER, 0},
        {"timestamp", 0, OPTION_OTHER, 0},
        {"timeout", 0, OPTION_STRING, AT(timeout)},
        {"host", 'H', OPTION_OTHER, 0},
        {"machine", 'M', OPTION_OTHER, 0},
};

static bool takes_argument(enum option_kind k)
{
        return k == OPTION_STRING || k == OPTION_LIST || k == OPTION_LINES || k == OPTION_OUTPUT ||
               k == OPTION_PRESET_MODE || k == OPTION_OTHER;
}

static bool set_list(struct options *o, const struct option_row *row, const char *value)
{
        const char **list = (const char **)(void *)((char *)o + row->at);
        unsigned *count = (unsigned *)(void *)((char *)o + row->count_at);
        char *copy = strdup(value), *save = NULL;

        if (!copy)
                return false;
        o->copies[o->n_copies++] = copy; /* there are fewer lists than words */
        for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
                if (*count == row->max)
                        return false;
                list[(*count)++] = word;
        }
        return true;
}

static bool set_json(struct options *o, const char *value)
{
        static const struct {
                const char *word;
                enum json_form form;
        } forms[] = {{"off", JSON_OFF},
                     {"short", JSON_SHORT},
                     {"json", JSON_SHORT},
                     {"pretty", JSON_PRETTY},
                     {"json-pretty", JSON_PRETTY}};

        for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
                if (streq(forms[i].word, value)) {
                        o->json = forms[i].form;
                        return true;
                }
        return false;
}

static bool set_lines(struct options *o, const char *value)
{
        char *end;
        unsigned long n = strtoul(value, &end, 10);

        if (!*value || *end || n > 100000)
                return false;
        o->lines = (unsigned)n;
        o->lines_given = true;
        return true;
}

static bool set_legend(struct options *o, const char *value)
{
        o->no_legend = streq(value, "no") || streq(value, "false") || streq(value, "0");
        return true;
}

static bool set_preset_mode(struct options *o, const char *value)
{
        static const char *const modes[] = {"full", "enable-only", "disable-only"}; /* enum install_preset_mode */

        for (unsigned i = 0; i < ARRAY_SIZE(modes); i++)
                if (streq(modes[i], value)) {
                        o->preset_mode = i;
                        return true;
                }
        return false;
}

/* VALUE is NULL when none was given with an option that needs none. */
static bool set(struct options *o, const struct option_row *row, const char *value)
{
        switch (row->kind) {
        case OPTION_FLAG:
                *(bool *)((char *)o + row->at) = true;
                return true;
        case OPTION_STRING:
                *(const char **)(void *)((char *)o + row->at) = value;
                return true;
        case OPTION_LIST:
                if (row->letter == 'P')
                        o->value = true;
                return set_list(o, row, value);
        case OPTION_LINES:
                return set_lines(o, value);
        case OPTION_JSON:
                return set_json(o, value ? value : "short");
        case OPTION_LEGEND:
                return set_legend(o, value ? value : "yes");
        case OPTION_PRESET_MODE:
                return set_preset_mode(o, value);
        case OPTION_OUTPUT:
                (void)set_json(o, value); /* other forms are those of the journal: the log is printed as it is */
                return true;
        case OPTION_TAKEN:
                return true;
        case OPTION_OTHER:
                o->unknown = o->unknown ? o->unknown : row->name;
                return true;
        }
        return false;
}

static const struct option_row *find_long(const char *name, size_t n)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].name && strlen(rows[i].name) == n && memcmp(rows[i].name, name, n) == 0)
                        return &rows[i];
        return NULL;
}

static const struct option_row *find_short(char letter)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].letter == letter)
                        return &rows[i];
        return NULL;
}

/* ARG is "--name", "--name=value"; returns how many words of argv it took. */
static int parse_long(struct options *o, const char *arg, const char *next)
{
        size_t n = strcspn(arg + 2, "=");
        const struct option_row *row = find_long(arg + 2, n);
        const char *value = arg[2 + n] == '=' ? arg + 2 + n + 1 : NULL;
        int used = 1;

        if (!row) {
                o->unknown = o->unknown ? o->unknown : arg;
                return 1;
        }
        if (!value && takes_argument(row->kind)) {
                value = next;
                used = 2;
        }
        if ((takes_argument(row->kind) && !value) || !set(o, row, value))
                o->wrong = o->wrong ? o->wrong : arg;
        return value && used == 2 ? 2 : 1;
}

/* ARG is a bundle of letters: "-al", "-pName", "-n5". */
static int parse_short(struct options *o, const char *arg, const char *next)
{
        for (const char *p = arg + 1; *p; p++) {
                const struct option_row *row = find_short(*p);
                const char *value = row && takes_argument(row->kind) ? (p[1] ? p + 1 : next) : NULL;

                if (!row) {
                        o->unknown = o->unknown ? o->unknown : arg;
                        return 1;
                }
                if ((takes_argument(row->kind) && !value) || !set(o, row, value)) {
                        o->wrong = o->wrong ? o->wrong : arg;
                        return 1;
                }
                if (takes_argument(row->kind))
                        return p[1] ? 1 : 2;
        }
        return 1;
}

int options_parse(struct options *o, int argc, char **argv)
{
        bool only_words = false;

        memset(o, 0, sizeof(*o));
        o->lines = 10;
        o->words = calloc((size_t)argc + 1, sizeof(*o->words));
        o->copies = calloc((size_t)argc + 1, sizeof(*o->copies));
        if (!o->words || !o->copies)
                return -ENOMEM;
        for (int i = 1; i < argc;) {
                const char *arg = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;

                if (only_words || arg[0] != '-' || !arg[1]) {
                        o->words[o->n_words++] = arg;
                        i++;
                } else if (streq(arg, "--")) {
                        only_words = true;
                        i++;
                } else if (arg[1] == '-')
                        i += parse_long(o, arg, next);
                else
                        i += parse_short(o, arg, next);
        }
        return 0;
}

void options_done(struct options *o)
{
        for (unsigned i = 0; i < o->n_copies; i++)
                free(o->copies[i]);
        free(o->copies);
        free(o->words);
        o->copies = NULL;
        o->words = NULL;
}

bool options_at(unsigned i, struct option_word *ret)
{
        if (i >= ARRAY_SIZE(rows))
                return false;
        *ret = (struct option_word){rows[i].name, rows[i].letter, takes_argument(rows[i].kind)};
        return true;
}
