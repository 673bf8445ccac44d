/* SPDX-License-Identifier: MIT
 *
 * Looking at the table for a verb: which table, which units the words mean, and whether anybody still writes it.
 * Not here: what is printed about a unit. Invariant: words that mean several units (patterns) are resolved in one
 * snapshot; one name costs one row.
 */
#include <fnmatch.h>
#include <sys/stat.h>

#include "programs/supctl/supctl.h"

/* ---- names ---- */

bool is_pattern(const char *word)
{
        return strpbrk(word, "*?[") != NULL;
}

const char *unit_full_name(const char *word, char ret[256])
{
        static const char *const suffixes[] = {".service", ".target", ".socket", ".timer", ".path",     ".mount",
                                               ".slice",   ".device", ".swap",   ".scope", ".automount"};
        size_t n = strlen(word);
        bool whole = is_pattern(word);

        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
                whole |= ends_with(word, suffixes[i]);
        if (n + (whole ? 0 : strlen(".service")) > 255)
                return NULL;
        (void)snprintf(ret, 256, "%s%s", word, whole ? "" : ".service");
        return ret;
}

static bool row_matches(struct view *v, uint32_t i, const char *pattern)
{
        return fnmatch(pattern, supstatus_text(v->snapshot, i, SUPD_TEXT_NAME), FNM_NOESCAPE) == 0;
}

/* ---- the table ---- */

/* The instance whose table to read: --user and --name, or SUPD_NAME, or what the runtime directory says of itself (a
 * link "table" whose text is the instance's name). */
static void instance_name(const struct options *o, char ret[80])
{
        const char *name = o->name ? o->name : getenv("SUPD_NAME");
        const char *dir = o->runtime_dir ? o->runtime_dir : getenv("SUPD_RUNTIME_DIR");
        char path[4200];
        ssize_t n;

        name = name ? name : "";
        if (!*name && dir && *dir) {
                (void)snprintf(path, sizeof(path), "%s/table", dir);
                n = readlink(path, ret, 79);
                if (n >= 0) {
                        ret[n] = 0;
                        return;
                }
        }
        if (o->user)
                (void)snprintf(ret, 80, "user-%u%s%s", (unsigned)getuid(), *name ? "-" : "", name);
        else
                (void)snprintf(ret, 80, "%s", name);
}

/* As supd has it: /run/supd[-NAME], or $XDG_RUNTIME_DIR/supd[-NAME] for users. */
void view_runtime_dir(const struct options *o, char ret[4096])
{
        const char *name = o->name ? o->name : getenv("SUPD_NAME");
        const char *dir = o->runtime_dir ? o->runtime_dir : getenv("SUPD_RUNTIME_DIR"), *base = "/run";
        char own[64];

        if (dir && *dir) {
                (void)snprintf(ret, 4096, "%s", dir);
                return;
        }
        if (o->user || (geteuid() != 0 && !o->systemctl)) {
                base = getenv("XDG_RUNTIME_DIR");
                if (!base || *base != '/') {
                        (void)snprintf(own, sizeof(own), "/run/user/%u", (unsigned)getuid());
                        base = own;
                }
        }
        (void)snprintf(ret, 4096, "%s/supd%s%s", base, name && *name ? "-" : "", name ? name : "");
}

static int complain(struct view *v, int r)
{
        const char *dash = v->instance[0] ? "-" : "";

        if (r == -ENOENT)
                fprintf(stderr,
                        "supctl: there is no status table /supd%s%s: supd is not running here under that name\n", dash,
                        v->instance);
        else if (r == -EPERM)
                fprintf(stderr, "supctl: the status table /supd%s%s belongs to another user and is not believed\n",
                        dash, v->instance);
        else if (r == -ENODATA)
                fprintf(stderr, "supctl: the status table /supd%s%s has not been filled yet\n", dash, v->instance);
        else if (r == -EPROTO)
                fprintf(stderr, "supctl: the status table /supd%s%s is damaged or of another version\n", dash,
                        v->instance);
        else
                fprintf(stderr, "supctl: cannot read the status table /supd%s%s: %s\n", dash, v->instance,
                        strerror(-r));
        return r;
}

int view_open(struct view *v, char instance[80])
{
        struct screen screen = screen_look();
        int r;

        instance_name(v->options, instance);
        v->instance = instance;
        v->terminal = screen.terminal;
        v->colour = screen.colour;
        v->width = screen.width;
        r = supstatus_open(instance, &v->table);
        return r < 0 ? complain(v, r) : 0;
}

bool view_is_alive(const struct options *o)
{
        struct supstatus_snapshot *snapshot = NULL;
        struct supstatus *table = NULL;
        char instance[80];
        bool alive = false;

        instance_name(o, instance);
        if (supstatus_open(instance, &table) >= 0 && supstatus_snapshot(table, 0, &snapshot) >= 0) {
                int r = supstatus_writer(table, snapshot);

                alive = r == SUPSTATUS_WRITER_ALIVE || r == SUPSTATUS_WRITER_STOPPED;
        }
        supstatus_free(snapshot);
        supstatus_close(table);
        return alive;
}

void view_place(const struct options *o, char text[4096], struct install_place *ret)
{
        char path[4200], dir[4096];
        ssize_t n;

        view_runtime_dir(o, dir);
        (void)snprintf(path, sizeof(path), "%s/units", dir);
        n = readlink(path, text, 4095);
        if (n > 0) {
                text[n] = 0;
                install_place_parse(text, ret);
                if ((size_t)n + strlen(dir) + 2 <= 4096) /* behind the text, in its memory */
                        ret->generated = strcpy(text + n + 1, dir);
                return;
        }
        *ret = (struct install_place){.scope = o->user ? INSTALL_USER : INSTALL_SYSTEM,
                                      .unit_path = getenv("SUPD_UNIT_PATH"),
                                      .systemd_units = true};
}

void view_done(struct view *v)
{
        supstatus_free(v->units);
        supstatus_free(v->snapshot);
        supstatus_close(v->table);
}

int view_all(struct view *v)
{
        int r = supstatus_snapshot(v->table, 0, &v->snapshot);

        return r < 0 ? complain(v, r) : 0;
}

int view_one(struct view *v, const char *name)
{
        int r = supstatus_find(v->table, name, 0, &v->snapshot);

        return r < 0 && r != -ESRCH ? complain(v, r) : r;
}

int view_wait(struct view *v, const struct supstatus_snapshot *snap, uint64_t timeout_us)
{
        struct supstatus *again;
        int r = supstatus_wait(v->table, snap, timeout_us);

        if (r != -ENOENT)
                return r;
        r = supstatus_open(v->instance, &again);
        if (r < 0)
                return complain(v, r);
        supstatus_close(v->table);
        v->table = again;
        return 1;
}

static const char *unit_at(const struct supstatus_snapshot *units, uint32_t number)
{
        for (uint32_t i = 0; units && i < supstatus_count(units); i++)
                if (supstatus_row(units, i)->number == number)
                        return supstatus_text(units, i, SUPD_TEXT_NAME);
        return NULL;
}

const char *view_unit_at(struct view *v, uint32_t number)
{
        const char *name = unit_at(v->units, number);

        if (name)
                return name;
        /* a change is told before the table with a new unit is published */
        for (unsigned tries = 0; !name && tries < 3 && supstatus_snapshot(v->table, 0, &v->units) == 0; tries++) {
                name = unit_at(v->units, number);
                if (!name && supstatus_wait(v->table, v->units, 20000) < 0)
                        break;
        }
        return name;
}

/* Asked once for all units that are shown of one snapshot. */
static int writer_of(struct view *v)
{
        if (v->writer_of != v->snapshot) {
                v->writer = supstatus_writer(v->table, v->snapshot);
                v->writer_of = v->snapshot;
        }
        return v->writer;
}

const char *view_writer(struct view *v)
{
        int r = writer_of(v);

        return r == SUPSTATUS_WRITER_STOPPED ? "stopped" : r == SUPSTATUS_WRITER_GONE ? "gone" : "alive";
}

bool view_warn(struct view *v, FILE *to)
{
        int r = v->snapshot ? writer_of(v) : SUPSTATUS_WRITER_ALIVE;
        char ago[64];

        if (r == SUPSTATUS_WRITER_ALIVE || r < 0)
                return false;
        (void)format_ago(supstatus_age_us(v->snapshot), ago);
        if (r == SUPSTATUS_WRITER_STOPPED)
                fprintf(to, "Warning: the manager (pid %u) is stopped; this is its state of %s.\n",
                        supstatus_header(v->snapshot)->writer_pid, ago);
        else
                fprintf(to, "Warning: no manager is running; this is the last known state, of %s.\n", ago);
        return true;
}

/* ---- units ---- */

struct sort_key {
        const char *type, *name;
        uint32_t row;
};

static int sort_compare(const void *a, const void *b)
{
        const struct sort_key *x = a, *y = b;
        int r = strcmp(x->type, y->type);

        return r ? r : strcasecmp(x->name, y->name);
}

int view_sorted(struct view *v, uint32_t **ret)
{
        uint32_t n = supstatus_count(v->snapshot), *rows = calloc(n + 1, sizeof(*rows));
        cleanup_free_ struct sort_key *keys = calloc(n + 1, sizeof(*keys));

        if (!rows || !keys) {
                free(rows);
                return -ENOMEM;
        }
        for (uint32_t i = 0; i < n; i++)
                keys[i] = (struct sort_key){supstatus_type_name(supstatus_row(v->snapshot, i)->type),
                                            supstatus_text(v->snapshot, i, SUPD_TEXT_NAME), i};
        qsort(keys, n, sizeof(*keys), sort_compare);
        for (uint32_t i = 0; i < n; i++)
                rows[i] = keys[i].row;
        *ret = rows;
        return 0;
}

static int first_of(int status, int r)
{
        return status ? status : r;
}

typedef int (*each_function)(struct view *v, const char *name, bool found, uint32_t i);

static int each_matching(struct view *v, const char *pattern, each_function each)
{
        cleanup_free_ uint32_t *rows = NULL;
        int status = 0;

        if (view_all(v) < 0 || view_sorted(v, &rows) < 0)
                return EXIT_ERROR;
        v->n_matching = 0;
        for (uint32_t i = 0; i < supstatus_count(v->snapshot); i++)
                v->n_matching += row_matches(v, rows[i], pattern);
        for (uint32_t i = 0; i < supstatus_count(v->snapshot); i++)
                if (row_matches(v, rows[i], pattern))
                        status = first_of(status,
                                          each(v, supstatus_text(v->snapshot, rows[i], SUPD_TEXT_NAME), true, rows[i]));
        return status;
}

static bool is_pid(const char *word, uint32_t *ret)
{
        char *end;
        unsigned long n = strtoul(word, &end, 10);

        *ret = (uint32_t)n;
        return word[0] >= '1' && word[0] <= '9' && !*end && n < UINT32_MAX;
}

static int each_pid(struct view *v, uint32_t pid, each_function each)
{
        uint32_t i;

        if (view_all(v) < 0)
                return EXIT_ERROR;
        i = sample_unit_of_pid(v, pid);
        if (i == UINT32_MAX) {
                if (!v->options->systemctl) {
                        fprintf(stderr, "PID %u belongs to no loaded unit.\n", (unsigned)pid);
                        return EXIT_UNKNOWN;
                }
                fprintf(stderr, "Failed to get unit for PID %u: PID %u does not belong to any loaded unit.\n",
                        (unsigned)pid, (unsigned)pid);
                return EXIT_ERROR;
        }
        return each(v, supstatus_text(v->snapshot, i, SUPD_TEXT_NAME), true, i);
}

static int each_name(struct view *v, const char *word, each_function each)
{
        char name[256];
        int r;

        if (!unit_full_name(word, name)) {
                fprintf(stderr, "supctl: \"%.40s…\" is too long for a unit name\n", word);
                return EXIT_ERROR;
        }
        r = view_one(v, name);
        if (r < 0 && r != -ESRCH)
                return EXIT_ERROR;
        return each(v, name, r == 0, 0);
}

int view_each(struct view *v, const char *const *words, unsigned n, each_function each)
{
        int status = 0;

        for (unsigned i = 0; i < n; i++) {
                uint32_t pid;

                v->n_matching = 0;
                if (is_pattern(words[i]))
                        status = first_of(status, each_matching(v, words[i], each));
                else if (is_pid(words[i], &pid))
                        status = first_of(status, each_pid(v, pid, each));
                else
                        status = first_of(status, each_name(v, words[i], each));
        }
        return status;
}
