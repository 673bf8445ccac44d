/* SPDX-License-Identifier: MIT
 *
 * verify: reads unit files as the loader does and says of each line what becomes of it, for people who write units and
 * for the machines that check them. No supd needs to run.
 *
 *     honoured     it is carried out
 *     notice       it is accepted and not carried out
 *     refused      the unit is not loaded because of it
 *     unknown      no such key there; it is ignored
 *     bad value    the key is known, the value is not; it is ignored, or the unit not loaded
 *     note         something that this machine lacks, which may come: a unit, a user, a file
 *     problem      what is wrong with the unit as a whole, or a program that is not there
 *
 * Not here: how values are read (unit/). Invariant: nothing is started, changed or asked; what the loader would tell is
 * told, and nothing twice.
 */
#include "programs/supctl/unit-files.h"

#include "syntax/unit-file.h"
#include "unit/blob.h"
#include "unit/directives.h"
#include "unit/load.h"
#include "unit/names.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>

enum finding_kind { HONOURED, NOTICE, REFUSED, UNKNOWN, BAD_VALUE, NOTE, PROBLEM, N_KINDS };

static const char *const kind_words[N_KINDS] = {
        [HONOURED] = "honoured",   [NOTICE] = "notice", [REFUSED] = "refused", [UNKNOWN] = "unknown",
        [BAD_VALUE] = "bad value", [NOTE] = "note",     [PROBLEM] = "problem"};
static const char *const kind_words_json[N_KINDS] = {
        [HONOURED] = "honoured",   [NOTICE] = "notice", [REFUSED] = "refused", [UNKNOWN] = "unknown",
        [BAD_VALUE] = "bad-value", [NOTE] = "note",     [PROBLEM] = "problem"};

struct verify {
        const struct options *options;
        const struct unit_paths *paths;
        const char *unit, *file; /* file: of the record that is read */
        struct diag diag;        /* what the loader tells of the unit */
        bool *told;              /* owned: of the diag's entries */
        struct json json;
        unsigned n[N_KINDS]; /* findings of the unit */
};

/* ---- output ---- */

/* The message without the key, which stands before it already. */
static const char *without_key(const char *message, const char *key)
{
        size_t n = key ? strlen(key) : 0;

        return n > 0 && message && starts_with(message, key) && starts_with(message + n, "=: ") ? message + n + 3
                                                                                                : message;
}

static void tell(struct verify *v, enum finding_kind kind, const char *file, unsigned line, const char *section,
                 const char *key, const char *message, const char *fix)
{
        v->n[kind]++;
        message = without_key(message, key);
        if (v->options->json != JSON_OFF) {
                json_open(&v->json, NULL, '{');
                json_string(&v->json, "unit", v->unit);
                if (file)
                        json_string(&v->json, "file", file);
                if (line > 0)
                        json_u64(&v->json, "line", line);
                if (key) {
                        json_string(&v->json, "section", section);
                        json_string(&v->json, "key", key);
                }
                json_string(&v->json, "finding", kind_words_json[kind]);
                if (message)
                        json_string(&v->json, "message", message);
                if (fix)
                        json_string(&v->json, "fix", fix);
                json_close(&v->json, '}');
                return;
        }
        if (kind == HONOURED && v->options->quiet)
                return;
        (void)printf("%s", file ? file : v->unit);
        if (line > 0)
                (void)printf(":%u", line);
        (void)printf(": %s", kind_words[kind]);
        if (key)
                (void)printf(": [%s] %s=", section, key);
        if (message)
                (void)printf(": %s", message);
        if (fix)
                (void)printf("; %s", fix);
        (void)putchar('\n');
}

/* ---- lines ---- */

static const struct directive *row_of(const char *section, const char *key)
{
        unsigned groups = section_groups(section);

        for (unsigned g = 0; g < N_DIRECTIVE_SECTIONS; g++) {
                const struct directive *row =
                        groups & (1u << g) ? directive_find((enum directive_section)g, key) : NULL;

                if (row)
                        return row;
        }
        return NULL;
}

/* What the loader told of this line, or NULL. */
static const struct diag_entry *told_of(struct verify *v, unsigned line)
{
        for (size_t i = 0; i < v->diag.n_entries; i++) {
                const struct diag_entry *e = &v->diag.entries[i];

                if (!v->told[i] && e->line == line && e->file && streq(e->file, v->file)) {
                        v->told[i] = true;
                        return e;
                }
        }
        return NULL;
}

static int on_line(const char *section, const char *key, const char *value, unsigned line, void *userdata)
{
        struct verify *v = userdata;
        const struct directive *row = row_of(section, key);
        const struct diag_entry *e;

        if (starts_with(section, "X-") || starts_with(key, "X-"))
                return 0;
        e = told_of(v, line);
        if (!row || !section_fits(section, unit_name_type(v->unit), v->unit))
                tell(v, UNKNOWN, v->file, line, section, key, e ? e->message : NULL, e ? e->fix : NULL);
        else if (e)
                tell(v, row->support == SUPPORT_REFUSED ? REFUSED : BAD_VALUE, v->file, line, section, key, e->message,
                     e->fix);
        else if (row->support == SUPPORT_NOTICE && *value)
                tell(v, NOTICE, v->file, line, section, key, row->notice, NULL);
        else
                tell(v, HONOURED, v->file, line, section, key, NULL, NULL);
        return 0;
}

static int read_records(struct verify *v, const struct buf *blob)
{
        struct blob_reader in;
        struct blob_record rec;
        int r = blob_open(&in, blob->data, blob->size);

        while (r >= 0 && (r = blob_next(&in, &rec)) > 0) {
                char path[PATH_MAX];

                if (rec.key != BLOB_FRAGMENT && rec.key != BLOB_DROPIN)
                        continue;
                (void)snprintf(path, sizeof(path), "%.*s", (int)rec.a_size, rec.a);
                v->file = path;
                r = unit_file_read(rec.b, rec.b_size, path, on_line, v, NULL);
                if (r == -EBADMSG)
                        r = 0; /* the parser has said why the rest of it cannot be read: tell_rest() tells it */
                v->file = NULL;
        }
        return r;
}

/* What was told of no line that is an assignment: headers, whole files, the unit. */
static void tell_rest(struct verify *v)
{
        for (size_t i = 0; i < v->diag.n_entries; i++) {
                const struct diag_entry *e = &v->diag.entries[i];

                if (!v->told[i])
                        tell(v, e->level == DIAG_NOTICE ? NOTICE : PROBLEM, e->file, e->line, NULL, NULL, e->message,
                             e->fix);
        }
}

/* ---- what the machine has ---- */

static bool is_program(const char *path)
{
        static const char *const dirs[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                           "/usr/bin",        "/sbin",          "/bin"};
        char full[PATH_MAX];

        if (strchr(path, '/'))
                return access(path, X_OK) == 0;
        for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
                (void)snprintf(full, sizeof(full), "%s/%s", dirs[i], path);
                if (access(full, X_OK) == 0)
                        return true;
        }
        return false;
}

static void check_commands(struct verify *v, const struct unit *u)
{
        for (int kind = 0; u->service && kind < N_EXEC_KINDS; kind++)
                for (unsigned i = 0; i < u->service->commands[kind].n; i++) {
                        const struct exec_command *c = &u->service->commands[kind].v[i];
                        cleanup_buf_ struct buf b = {0};
                        bool inside = u->service->exec->root_directory != NULL;

                        if (!c->path || strchr(c->path, '$') || is_program(c->path))
                                continue;
                        (void)buf_printf(&b, "%s is not an executable file%s", c->path,
                                         inside ? " outside of RootDirectory=" : " here");
                        tell(v, inside || (c->flags & EXEC_IGNORE_FAILURE) ? NOTE : PROBLEM, c->file, c->line, NULL,
                             NULL, buf_str(&b), NULL);
                }
}

static bool is_number(const char *s)
{
        return *s && strspn(s, "0123456789") == strlen(s);
}

/* From the files alone, as a static program can. */
static bool account_exists(bool group, const char *name)
{
        FILE *f = fopen(group ? "/etc/group" : "/etc/passwd", "re");
        const struct passwd *pw;
        const struct group *gr;
        bool found = !f || is_number(name);

        while (f && !found && group && (gr = fgetgrent(f)))
                found = streq(gr->gr_name, name);
        while (f && !found && !group && (pw = fgetpwent(f)))
                found = streq(pw->pw_name, name);
        if (f)
                (void)fclose(f);
        return found;
}

static void check_account(struct verify *v, bool group, const char *name)
{
        cleanup_buf_ struct buf b = {0};

        if (!name || account_exists(group, name))
                return;
        (void)buf_printf(&b, "%s %s does not exist here", group ? "group" : "user", name);
        tell(v, NOTE, NULL, 0, NULL, NULL, buf_str(&b), NULL);
}

static void check_dependency(struct verify *v, enum unit_dependency dep, const char *name)
{
        cleanup_buf_ struct buf blob = {0}, b = {0};
        struct unit *other = NULL;

        if (unit_gather(v->paths, name, &blob, NULL) < 0 || unit_parse(blob.data, blob.size, NULL, &other, NULL) < 0)
                return;
        if (other->load_state == LOAD_NOT_FOUND || other->load_state == LOAD_MASKED) {
                (void)buf_printf(&b, "%s=%s: there is no such unit here%s", unit_dependency_name(dep), name,
                                 other->load_state == LOAD_MASKED ? ", it is masked" : "");
                tell(v, NOTE, NULL, 0, NULL, NULL, buf_str(&b), NULL);
        }
        unit_free(other);
}

static void check_dependencies(struct verify *v, const struct unit *u)
{
        static const enum unit_dependency kinds[] = {DEP_REQUIRES, DEP_REQUISITE,  DEP_BINDS_TO,  DEP_WANTS,
                                                     DEP_UPHOLDS,  DEP_ON_FAILURE, DEP_ON_SUCCESS};

        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
                for (unsigned i = 0; i < u->dependencies[kinds[k]].n; i++)
                        check_dependency(v, kinds[k], u->dependencies[kinds[k]].v[i]);
        if (u->trigger)
                check_dependency(v, DEP_BEFORE, u->trigger);
}

static void check_unit(struct verify *v, const struct unit *u)
{
        if (u->load_state == LOAD_NOT_FOUND || u->load_state == LOAD_MASKED)
                tell(v, PROBLEM, NULL, 0, NULL, NULL, u->load_error, NULL);
        if (u->load_state == LOAD_ERROR && v->diag.n_errors == 0)
                tell(v, PROBLEM, NULL, 0, NULL, NULL, u->load_error, NULL);
        check_commands(v, u);
        if (u->service) {
                check_account(v, false, u->service->exec->user);
                check_account(v, true, u->service->exec->group);
        }
        check_dependencies(v, u);
}

/* ---- one unit ---- */

static bool has_problems(const struct verify *v)
{
        unsigned bad = v->n[REFUSED] + v->n[UNKNOWN] + v->n[BAD_VALUE] + v->n[PROBLEM];

        return bad > 0 || (v->options->strict && v->n[NOTICE] + v->n[NOTE] > 0);
}

static void tell_sum(const struct verify *v)
{
        const char *between = "";

        if (v->options->json != JSON_OFF || v->options->quiet)
                return;
        (void)printf("%s: ", v->unit);
        for (int i = 0; i < N_KINDS; i++)
                if (v->n[i] > 0) {
                        (void)printf("%s%u %s%s", between, v->n[i], kind_words[i],
                                     v->n[i] > 1 && i != HONOURED && i != REFUSED && i != UNKNOWN ? "s" : "");
                        between = ", ";
                }
        (void)printf("%s\n", *between ? "" : "nothing in it");
}

static int verify_unit(struct verify *v)
{
        cleanup_buf_ struct buf blob = {0};
        struct unit_context context = {.uid = getuid(), .gid = getgid()};
        struct unit *u = NULL;
        int r = unit_gather(v->paths, v->unit, &blob, &v->diag);

        if (r >= 0)
                r = unit_parse(blob.data, blob.size, &context, &u, &v->diag);
        if (r >= 0) {
                v->told = calloc(v->diag.n_entries + 1, sizeof(*v->told));
                r = v->told ? read_records(v, &blob) : -ENOMEM;
        }
        if (r >= 0) {
                tell_rest(v);
                check_unit(v, u);
                tell_sum(v);
        }
        unit_free(u);
        free(v->told);
        v->told = NULL;
        diag_done(&v->diag);
        return r;
}

/* A unit's name from a path or a word; templates get an instance. DIR is where the path lies, or "". */
static int name_of(const char *word, char dir[static PATH_MAX], char name[static 256])
{
        const char *slash = strrchr(word, '/');
        char base[256], full[256];

        *dir = 0;
        if (slash) {
                cleanup_free_ char *real = NULL;

                (void)snprintf(dir, PATH_MAX, "%.*s", (int)(slash == word ? 1 : slash - word), word);
                real = realpath(dir, NULL);
                if (!real || access(word, F_OK) < 0)
                        return -errno;
                (void)snprintf(dir, PATH_MAX, "%s", real);
        }
        if (snprintf(base, sizeof(base), "%s", slash ? slash + 1 : word) >= (int)sizeof(base))
                return -EINVAL;
        if (slash || strchr(base, '.'))
                (void)snprintf(full, sizeof(full), "%s", base);
        else if (!unit_full_name(base, full))
                return -EINVAL;
        if (!unit_name_valid(full))
                return -EINVAL;
        (void)snprintf(name, 256, "%s", full);
        return unit_name_is_template(full) ? unit_name_instantiate(full, "instance", strlen("instance"), name) : 0;
}

static int verify_word(struct verify *v, const struct install_where *w, const char *word)
{
        struct unit_paths paths = {0};
        char dir[PATH_MAX], name[256];
        int r = name_of(word, dir, name);

        if (r == -EINVAL)
                (void)fprintf(stderr, "supctl: %s is not the name of a unit file\n", word);
        else if (r < 0)
                (void)fprintf(stderr, "supctl: %s: %s\n", word, strerror(-r));
        if (r >= 0)
                r = paths_of_where(w, *dir ? dir : NULL, &paths);
        if (r < 0)
                return EXIT_ERROR;
        v->paths = &paths;
        v->unit = name;
        memset(v->n, 0, sizeof(v->n));
        r = verify_unit(v);
        if (r < 0)
                (void)fprintf(stderr, "supctl: %s cannot be read: %s\n", word, strerror(-r));
        unit_paths_done(&paths);
        return r < 0 || has_problems(v) ? EXIT_ERROR : EXIT_OK;
}

int verb_verify(struct view *view, const char *const *words, unsigned n)
{
        struct verify v = {.options = view->options, .json = {.form = view->options->json}};
        cleanup_(where_leave) struct install_where w = {0};
        int status = EXIT_OK;

        if (view->options->root) {
                (void)fprintf(stderr, "supctl: verify looks at this machine, not below --root\n");
                return EXIT_ERROR;
        }
        if (where_of_options(view->options, &w) < 0)
                return EXIT_ERROR;
        if (v.options->json != JSON_OFF)
                json_open(&v.json, NULL, '[');
        for (unsigned i = 0; i < n; i++)
                if (verify_word(&v, &w, words[i]) != EXIT_OK)
                        status = EXIT_ERROR;
        if (v.options->json != JSON_OFF) {
                json_close(&v.json, ']');
                json_print(&v.json);
        }
        return status;
}
