/* SPDX-License-Identifier: MIT
 * From a blob to a unit (load.h): reads the records, hands every assignment to its row of the table of directives,
 * settles what follows, and packs the result.
 *
 * Pure: no file is opened, no clock is asked. Invariant: whatever the text, the result is a unit with a load state.
 */
#include "unit/blob.h"
#include "unit/draft.h"

#include "syntax/scalar.h"
#include "syntax/unit-file.h"

#include <stdarg.h>

enum {
        SUGGESTIONS_MAX = 16, /* unknown keys of one unit for which a near one is looked for */
        MISTAKES_MAX = 500,   /* mistakes of one unit that are told one by one */
};

/* ---- the draft ---- */

static int draft_preset(struct draft *d, const struct directive *row)
{
        struct setting s = {.draft = d, .row = row, .value = row->preset};

        return value_read(&s);
}

/* The presets of all rows, read by the readers of their types. None of them allocates. */
static int read_presets(struct draft *d)
{
        struct service_config *s = &d->service;

        d->unit.load_state = LOAD_LOADED;
        d->unit.job_running_timeout_us = USEC_UNSET;
        d->unit.failure_exit_status = d->unit.success_exit_status = -1;
        s->type = N_SERVICE_TYPES; /* = not written */
        s->oom_policy = N_OOM_POLICIES;
        s->timeout_start_us = s->timeout_stop_us = s->timeout_abort_us = s->restart_us = USEC_UNSET;
        d->exec.io_priority = -1; /* = not written */
        for (unsigned i = 0; i < n_directives; i++)
                if (directives[i].preset && *directives[i].preset != '(') {
                        int r = draft_preset(d, &directives[i]);
                        if (r < 0)
                                return r;
                }
        return 0;
}

/* They are the same each time, so they are read once. (One thread parses at a time, as everywhere in supd.) */
int draft_init(struct draft *d)
{
        static struct draft presets;
        static bool ready;
        const struct unit_context *context = d->context;
        struct diag *diag = d->diag;

        if (!ready) {
                int r = read_presets(&presets);
                if (r < 0)
                        return r;
                ready = true;
        }
        *d = presets;
        d->context = context;
        d->diag = diag;
        return 0;
}

void draft_done(struct draft *d)
{
        arena_done(&d->unit.arena);
        arena_done(&d->scratch);
        buf_done(&d->text);
        buf_done(&d->error);
}

int draft_refuse(struct draft *d, const char *file, unsigned line, const char *fix, const char *format, ...)
{
        cleanup_buf_ struct buf b = {0};
        va_list ap;
        int r;

        va_start(ap, format);
        r = buf_vprintf(&b, format, ap);
        va_end(ap);
        if (r < 0)
                return r;
        diag_add(d->diag, DIAG_ERROR, file, line, fix, "%s", buf_str(&b));
        if (d->unit.load_state != LOAD_LOADED)
                return 0;
        d->unit.load_state = LOAD_BAD_SETTING;
        if (file && line > 0)
                return buf_printf(&d->error, "%s:%u: %s", file, line, buf_str(&b));
        return buf_append_str(&d->error, buf_str(&b));
}

/* ---- assignments ---- */

struct reading { /* one file of the unit */
        struct draft *draft;
        const char *file;
        char *section; /* the last one that was told as unknown or out of place, in the scratch */
};

/* What turns a setting off leaves nothing undone. */
static bool says_nothing(const struct directive *row, const char *value)
{
        bool b;

        if (*value == 0 || streq(value, "infinity") || (row->type == VALUE_path && streq(value, "/")))
                return true;
        return row->type != VALUE_condition && parse_bool(value, &b) >= 0 && !b;
}

static void refusal_set(struct reading *in, const struct directive *row, bool refuse, unsigned line)
{
        struct draft *d = in->draft;
        unsigned i = 0;

        while (i < d->n_refusals && d->refusals[i].row != row)
                i++;
        if (refuse && i < REFUSALS_MAX) {
                d->refusals[i] = (struct refusal){row, in->file, line};
                d->n_refusals = MAX2(d->n_refusals, i + 1);
        } else if (!refuse && i < d->n_refusals) {
                d->refusals[i] = d->refusals[--d->n_refusals];
        }
}

static int apply_support(struct reading *in, const struct directive *row, const char *value, unsigned line)
{
        struct draft *d = in->draft;
        unsigned i = (unsigned)(row - directives);
        bool nothing = says_nothing(row, value);

        if (row->support == SUPPORT_REFUSED) {
                refusal_set(in, row, !nothing, line);
        } else if (row->support == SUPPORT_NOTICE && nothing) {
                d->noticed[i / 8] &= (uint8_t) ~(1u << (i % 8));
        } else if (row->support == SUPPORT_NOTICE) {
                d->noticed[i / 8] |= (uint8_t)(1u << (i % 8));
        } else if (d->unit.type != UNIT_SERVICE && row->section >= SECTION_SERVICE && row->section <= SECTION_CGROUP) {
                buf_reset(&d->text); /* the processes of sockets and mounts */
                if (buf_printf(&d->text, "accepted, not carried out: %s=", row->key) < 0)
                        return -ENOMEM;
                return draft_add_notice(d, buf_str(&d->text));
        }
        return 0;
}

/* Mistakes are told up to a bound, so that a hostile file does not fill the memory with them. */
static bool may_tell(struct draft *d, const char *file, unsigned line)
{
        if (++d->n_mistakes == MISTAKES_MAX)
                diag_add(d->diag, DIAG_WARNING, file, line, NULL, "too many mistakes, the rest is not told");
        return d->n_mistakes < MISTAKES_MAX;
}

static int apply(struct reading *in, const struct directive *row, const char *value, unsigned line)
{
        struct setting s = {.draft = in->draft, .row = row, .value = value, .file = in->file, .line = line};
        int r = value_read(&s);

        if (r == 0)
                return apply_support(in, row, value, line);
        if (r != -EINVAL)
                return r;
        if (!s.fatal && !may_tell(in->draft, in->file, line))
                return 0;
        if (!s.mistake) {
                struct buf *b = &in->draft->text;
                buf_reset(b);
                if (buf_printf(b, "'%.200s' is not %s", value, value_type_expects((enum value_type)row->type)) < 0)
                        return -ENOMEM;
                s.mistake = arena_strdup(&in->draft->scratch, buf_str(b));
                if (!s.mistake)
                        return -ENOMEM;
        }
        if (s.fatal)
                return draft_refuse(in->draft, in->file, line, NULL, "%s=: %s", row->key, s.mistake);
        diag_add(in->draft->diag, DIAG_WARNING, in->file, line, "the value is ignored", "%s=: %s", row->key, s.mistake);
        return 0;
}

static const struct directive *find_row(unsigned groups, const char *key)
{
        for (unsigned g = 0; g < N_DIRECTIVE_SECTIONS; g++) {
                const struct directive *row =
                        groups & (1u << g) ? directive_find((enum directive_section)g, key) : NULL;
                if (row)
                        return row;
        }
        return NULL;
}

static int tell_unknown_key(struct reading *in, unsigned groups, const char *section, const char *key, unsigned line)
{
        struct draft *d = in->draft;
        const struct directive *elsewhere;
        const char *near = NULL;

        if (!may_tell(d, in->file, line))
                return 0;
        elsewhere = find_row(~0u, key);
        if (!elsewhere && d->n_mistakes <= SUGGESTIONS_MAX)
                near = directive_nearest(groups, key);
        buf_reset(&d->text);
        if (elsewhere && buf_printf(&d->text, "%s= belongs in [%s]", key,
                                    directive_section_name((enum directive_section)elsewhere->section)) < 0)
                return -ENOMEM;
        if (near && buf_printf(&d->text, "did you mean %s=?", near) < 0)
                return -ENOMEM;
        diag_add(d->diag, DIAG_WARNING, in->file, line, d->text.size > 0 ? buf_str(&d->text) : NULL,
                 "unknown key '%.100s' in section [%s] is ignored", key, section);
        return 0;
}

static int tell_section(struct reading *in, const char *section, unsigned line, const char *what)
{
        if (in->section && streq(in->section, section))
                return 0;
        in->section = arena_strdup(&in->draft->scratch, section);
        if (!in->section)
                return -ENOMEM;
        diag_add(in->draft->diag, DIAG_WARNING, in->file, line, NULL, "section [%.100s] %s", section, what);
        return 0;
}

static int on_assignment(const char *section, const char *key, const char *value, unsigned line, void *userdata)
{
        struct reading *in = userdata;
        struct draft *d = in->draft;
        unsigned groups;
        const struct directive *row;

        if (starts_with(section, "X-") || starts_with(key, "X-"))
                return 0;
        groups = section_groups(section);
        if (groups == 0)
                return tell_section(in, section, line, "is unknown and ignored");
        if (!section_fits(section, d->unit.type, d->unit.id))
                return tell_section(in, section, line, "does not belong in a unit of this type and is ignored");
        row = find_row(groups, key);
        return row ? apply(in, row, value, line) : tell_unknown_key(in, groups, section, key, line);
}

/* ---- records ---- */

static char *text_of(struct draft *d, const char *s, size_t n)
{
        return memchr(s, 0, n) ? NULL : arena_strndup(&d->scratch, s, n);
}

static int read_text(struct draft *d, const char *file, const char *text, size_t size)
{
        struct reading in = {.draft = d, .file = file};

        return unit_file_read(text, size, file, on_assignment, &in, d->diag);
}

/* A main file that cannot be read to its end makes no unit. */
static int read_fragment(struct draft *d, const char *file, const struct blob_record *rec)
{
        int r = read_text(d, file, rec->b, rec->b_size);

        if (r != -EBADMSG)
                return r;
        d->unit.load_state = LOAD_ERROR;
        buf_reset(&d->error);
        return buf_printf(&d->error, "%s: the file cannot be read to its end, see the log", file);
}

static int read_state(struct draft *d, const char *word, const struct blob_record *rec)
{
        int state = names_find(&unit_load_state_names, word);

        if (state < 0)
                return -EBADMSG;
        if (state != LOAD_LOADED) {
                d->unit.load_state = (enum unit_load_state)state;
                buf_reset(&d->error);
                return buf_append(&d->error, rec->b, rec->b_size);
        }
        return 0;
}

static int read_id(struct draft *d, char *name)
{
        if (d->unit.id || unit_name_split(name, &d->name) < 0)
                return -EBADMSG;
        d->unit.id = name;
        d->unit.type = unit_name_type(name);
        if (d->name.instance_size > 0) {
                d->unit.instance = arena_strndup(&d->scratch, d->name.instance, d->name.instance_size);
                if (!d->unit.instance)
                        return -ENOMEM;
        }
        return draft_add_string(d, &d->unit.names, name);
}

static int read_dependency(struct draft *d, enum unit_dependency dep, const char *name)
{
        return unit_name_valid(name) ? draft_add_string(d, &d->dependencies[dep], name) : -EBADMSG;
}

/* Of a drop-in that cannot be read to its end counts what could be. */
static int read_dropin(struct draft *d, char *path, const struct blob_record *rec)
{
        int r = draft_add_string(d, &d->unit.dropin_paths, path);

        if (r >= 0) /* messages and commands share the one copy of the path */
                r = read_text(d, d->unit.dropin_paths.v[d->unit.dropin_paths.n - 1], rec->b, rec->b_size);
        return r == -EBADMSG ? 0 : r;
}

static int read_record(struct draft *d, const struct blob_record *rec)
{
        char *a = text_of(d, rec->a, rec->a_size);

        if (rec->key == BLOB_UNKNOWN)
                return 0;
        if (!a || (rec->key != BLOB_ID && !d->unit.id))
                return -EBADMSG;
        switch (rec->key) {
        case BLOB_ID:
                return read_id(d, a);
        case BLOB_ALIAS:
                return unit_name_valid(a) ? draft_add_string(d, &d->unit.names, a) : -EBADMSG;
        case BLOB_STATE:
                return read_state(d, a, rec);
        case BLOB_BUILT_IN:
                d->unit.built_in = true;
                return read_text(d, a, rec->b, rec->b_size);
        case BLOB_FRAGMENT:
                d->unit.fragment_path = a;
                return read_fragment(d, a, rec);
        case BLOB_DROPIN:
                return read_dropin(d, a, rec);
        case BLOB_WANTS:
                return read_dependency(d, DEP_WANTS, a);
        case BLOB_REQUIRES:
                return read_dependency(d, DEP_REQUIRES, a);
        case BLOB_UPHOLDS:
                return read_dependency(d, DEP_UPHOLDS, a);
        case BLOB_UNKNOWN:
                return 0;
        }
        return 0;
}

static int read_records(struct draft *d, const void *blob, size_t size)
{
        struct blob_reader reader;
        struct blob_record rec;
        int r = blob_open(&reader, blob, size);

        while (r >= 0 && (r = blob_next(&reader, &rec)) > 0)
                r = read_record(d, &rec);
        return r >= 0 && !d->unit.id ? -EBADMSG : r;
}

int unit_parse(const void *blob, size_t size, const struct unit_context *context, struct unit **ret, struct diag *diag)
{
        cleanup_(draft_done) struct draft d = {.context = context, .diag = diag};
        int r = draft_init(&d);

        if (r >= 0)
                r = read_records(&d, blob, size);
        if (r >= 0)
                r = draft_settle(&d);
        if (r >= 0)
                r = draft_pack(&d, ret);
        return r;
}

void unit_free(struct unit *u)
{
        if (u) {
                struct arena a = u->arena; /* the unit itself lies in it */
                arena_done(&a);
        }
}
