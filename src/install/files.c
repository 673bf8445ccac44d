/* SPDX-License-Identifier: MIT
 *
 * Unit files as far as their links are concerned: which file a name means, where its links lead, and what stands in its
 * [Install], drop-ins included.
 *
 * Not here: other sections, and making links. Invariant: a file is searched for once in an operation; what an operation
 * knows of a name stays the same until its end.
 */
#include "install/internal.h"

#include "syntax/specifier.h"
#include "syntax/unit-file.h"
#include "syntax/words.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>

enum { FILE_SIZE_MAX = 16 << 20, FOLLOW_MAX = 64 };

void operation_begin(struct operation *o, const struct install_where *w, struct install_changes *d)
{
        *o = (struct operation){.where = w, .changes = d};
        o->last = &o->files;
}

void operation_done(struct operation *o)
{
        arena_done(&o->arena);
}

bool name_is_plain(const char *name)
{
        return unit_name_valid(name) && !strchr(name, '@');
}

static bool suffix_in(const char *name, const char *const *suffixes, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (ends_with(name, suffixes[i]))
                        return true;
        return false;
}

bool suffix_may_alias(const char *name)
{
        static const char *const suffixes[] = {".service", ".socket", ".target", ".device", ".timer", ".path"};

        return suffix_in(name, suffixes, ARRAY_SIZE(suffixes));
}

static bool suffix_may_be_template(const char *name)
{
        static const char *const suffixes[] = {".service", ".socket", ".target", ".timer", ".path"};

        return suffix_in(name, suffixes, ARRAY_SIZE(suffixes));
}

char *instance_of(struct operation *o, const char *name)
{
        struct unit_name n;

        if (unit_name_split(name, &n) < 0 || !n.instance)
                return NULL;
        return arena_strndup(&o->arena, n.instance, n.instance_size);
}

int unit_file_add(struct operation *o, const char *name, const char *path, bool auxiliary, struct unit_file **ret)
{
        struct unit_file *f;

        if (!name)
                name = path_base(path);
        if (!unit_name_valid(name))
                return -EINVAL;
        for (f = o->files; f; f = f->next)
                if (streq(f->name, name)) {
                        f->auxiliary = f->auxiliary && auxiliary;
                        *ret = f;
                        return 0;
                }
        f = arena_alloc(&o->arena, sizeof(*f));
        if (!f)
                return -ENOMEM;
        f->name = arena_strdup(&o->arena, name);
        f->path = path ? arena_strdup(&o->arena, path) : NULL;
        f->auxiliary = auxiliary;
        if (!f->name || (path && !f->path))
                return -ENOMEM;
        *o->last = f;
        o->last = &f->next;
        *ret = f;
        return 0;
}

/* ---- specifiers ---- */

struct expansion {
        struct operation *operation;
        const struct unit_file *file;
        const char *name; /* with the default instance in it */
};

static int put_first_line(const char *path, struct buf *out)
{
        char text[256];
        cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

        if (n <= 0)
                return -EUNATCH;
        text[n] = 0;
        n = (ssize_t)strcspn(text, "\n");
        return n == 0 ? -EUNATCH : buf_append(out, text, (size_t)n);
}

/* The value of KEY in the root's os-release; nothing when it has none. */
static int put_os_release(struct operation *o, const char *key, struct buf *out)
{
        static const char *const files[] = {"/etc/os-release", "/usr/lib/os-release"};

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                char line[1024], *path = path_join(&o->arena, o->where->root, files[i]);
                FILE *f = path ? fopen(path, "re") : NULL;
                size_t n = strlen(key);
                int r = 0;

                if (!f)
                        continue;
                while (r == 0 && fgets(line, sizeof(line), f)) {
                        char *value = line + n + 1;
                        size_t size;

                        if (strncmp(line, key, n) != 0 || line[n] != '=')
                                continue;
                        value += strspn(value, "\"'");
                        size = strcspn(value, "\"'\n");
                        r = buf_append(out, value, size);
                        if (r >= 0)
                                r = 1;
                }
                (void)fclose(f);
                return r < 0 ? r : 0;
        }
        return 0;
}

/* The name of this process's user or group: from the files, since a static program has no other name service. */
static int put_account(bool group, struct buf *out)
{
        FILE *f = fopen(group ? "/etc/group" : "/etc/passwd", "re");
        unsigned long id = group ? getgid() : getuid();
        const struct passwd *pw;
        const struct group *gr;
        int r = 0;

        if (id == 0 || !f) {
                if (f)
                        (void)fclose(f);
                return id == 0 ? buf_append_str(out, "root") : buf_printf(out, "%lu", id);
        }
        if (group) {
                while ((gr = fgetgrent(f)) && gr->gr_gid != id)
                        ;
                r = gr ? buf_append_str(out, gr->gr_name) : buf_printf(out, "%lu", id);
        } else {
                while ((pw = fgetpwent(f)) && pw->pw_uid != id)
                        ;
                r = pw ? buf_append_str(out, pw->pw_name) : buf_printf(out, "%lu", id);
        }
        (void)fclose(f);
        return r;
}

static int put_of_host(char letter, struct buf *out)
{
        struct utsname u;

        if (uname(&u) < 0)
                return -errno;
        if (letter == 'v')
                return buf_append_str(out, u.release);
        return buf_append(out, u.nodename, letter == 'l' ? strcspn(u.nodename, ".") : strlen(u.nodename));
}

static const struct {
        char letter;
        const char *key;
} release_letters[] = {{'o', "ID"},         {'w', "VERSION_ID"}, {'B', "BUILD_ID"},
                       {'W', "VARIANT_ID"}, {'M', "IMAGE_ID"},   {'A', "IMAGE_VERSION"}};

static int put_of_system(struct operation *o, char letter, struct buf *out)
{
        char *path;

        for (size_t i = 0; i < ARRAY_SIZE(release_letters); i++)
                if (release_letters[i].letter == letter)
                        return put_os_release(o, release_letters[i].key, out);
        switch (letter) {
        case 'm':
                path = path_join(&o->arena, o->where->root, "/etc/machine-id");
                return path ? put_first_line(path, out) : -ENOMEM;
        case 'b': /* as an id, without the dashes the kernel writes */
        {
                cleanup_buf_ struct buf b = {0};
                int r = put_first_line("/proc/sys/kernel/random/boot_id", &b);

                for (const char *p = buf_str(&b); *p && r >= 0; p++)
                        r = *p == '-' ? 0 : buf_append_char(out, *p);
                return r;
        }
        case 'H':
        case 'l':
        case 'v':
                return put_of_host(letter, out);
        case 'u':
        case 'g':
                return put_account(letter == 'g', out);
        case 'U':
        case 'G':
                return buf_printf(out, "%lu", (unsigned long)(letter == 'U' ? getuid() : getgid()));
        default:
                return -ENOENT;
        }
}

static int put_specifier(char letter, void *userdata, struct buf *out)
{
        const struct expansion *e = userdata;
        struct unit_name n;
        const char *last;
        size_t size;

        if (unit_name_split(e->name, &n) < 0)
                return -EINVAL;
        switch (letter) {
        case 'n':
                return buf_append_str(out, e->name);
        case 'N':
                return buf_append(out, e->name, (size_t)(n.suffix - e->name));
        case 'p':
                return buf_append(out, n.prefix, n.prefix_size);
        case 'i':
                return n.instance ? buf_append(out, n.instance, n.instance_size) : 0;
        case 'j':
                last = strrchr(n.prefix, '-');
                size = last && last < n.prefix + n.prefix_size ? (size_t)(last + 1 - n.prefix) : 0;
                return buf_append(out, n.prefix + size, n.prefix_size - size);
        default:
                return put_of_system(e->operation, letter, out);
        }
}

int unit_file_expand(struct operation *o, const struct unit_file *f, const char *s, char **ret)
{
        char instantiated[UNIT_NAME_MAX + 1];
        struct expansion e = {o, f, f->name};
        cleanup_buf_ struct buf b = {0};
        int r;

        if (f->default_instance && unit_name_is_template(f->name) &&
            unit_name_instantiate(f->name, f->default_instance, strlen(f->default_instance), instantiated) >= 0)
                e.name = instantiated;
        r = specifier_expand(s, put_specifier, &e, &b, NULL);
        if (r < 0)
                return r == -ENOENT ? -EBADSLT : r;
        *ret = arena_strdup(&o->arena, buf_str(&b));
        return *ret ? 0 : -ENOMEM;
}

/* ---- [Install] ---- */

struct reading {
        struct operation *operation;
        struct unit_file *file;
        const char *path;
        unsigned line;
};

static int read_list(struct reading *in, struct list *l, const char *value)
{
        struct words words;
        int r = words_split(&in->operation->arena, value, WORDS_LIST, &words);

        if (*value == 0) {
                l->n = 0;
                return 0;
        }
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        for (unsigned i = 0; i < words.n && r >= 0; i++)
                r = list_add(&in->operation->arena, l, words.v[i]);
        return r;
}

static int read_wanted_by(struct reading *in, const char *value)
{
        return read_list(in, &in->file->wanted_by, value);
}

static int read_required_by(struct reading *in, const char *value)
{
        return read_list(in, &in->file->required_by, value);
}

static int read_upheld_by(struct reading *in, const char *value)
{
        return read_list(in, &in->file->upheld_by, value);
}

static int read_alias(struct reading *in, const char *value)
{
        if (suffix_may_alias(in->file->name))
                return read_list(in, &in->file->aliases, value);
        diag_add(in->operation->where->diag, DIAG_WARNING, in->path, in->line, NULL,
                 "Alias= is not allowed for %s units, ignoring.", strrchr(in->file->name, '.') + 1);
        return 0;
}

static int read_also(struct reading *in, const char *value)
{
        struct operation *o = in->operation;
        struct unit_file *other;
        struct words words;
        int r = words_split(&o->arena, value, 0, &words);

        for (unsigned i = 0; r >= 0 && i < words.n; i++) {
                char *name;

                r = unit_file_expand(o, in->file, words.v[i], &name);
                if (r >= 0)
                        r = unit_file_add(o, name, NULL, true, &other);
                if (r >= 0)
                        r = list_add(&o->arena, &in->file->also, name);
        }
        return r;
}

static int read_default_instance(struct reading *in, const char *value)
{
        char *s, name[UNIT_NAME_MAX + 1];
        int r;

        if (unit_name_is_instance(in->file->name)) /* the instance is given already */
                return 0;
        if (!unit_name_is_template(in->file->name)) {
                diag_add(in->operation->where->diag, DIAG_WARNING, in->path, in->line, NULL,
                         "DefaultInstance= only makes sense for template units, ignoring.");
                return 0;
        }
        r = unit_file_expand(in->operation, in->file, value, &s);
        if (r < 0)
                return r;
        if (*s && unit_name_instantiate("a@.service", s, strlen(s), name) < 0) {
                diag_add(in->operation->where->diag, DIAG_WARNING, in->path, in->line, NULL,
                         "Invalid DefaultInstance= value \"%s\".", s);
                return -EINVAL;
        }
        in->file->default_instance = *s ? s : NULL;
        return 0;
}

static const struct {
        const char *key;
        int (*read)(struct reading *in, const char *value);
} install_keys[] = {
        {"Alias", read_alias},        {"WantedBy", read_wanted_by}, {"RequiredBy", read_required_by},
        {"UpheldBy", read_upheld_by}, {"Also", read_also},          {"DefaultInstance", read_default_instance},
};

static int on_line(const char *section, const char *key, const char *value, unsigned line, void *userdata)
{
        struct reading *in = userdata;

        in->line = line;
        if (!streq(section, "Install"))
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(install_keys); i++)
                if (streq(install_keys[i].key, key))
                        return install_keys[i].read(in, value);
        return 0;
}

unsigned unit_file_rules(const struct unit_file *f)
{
        return f->aliases.n + f->wanted_by.n + f->required_by.n + f->upheld_by.n;
}

/* ---- from disk ---- */

static int read_all(int fd, off_t size, struct buf *ret)
{
        ssize_t n;

        if (size > FILE_SIZE_MAX)
                return -EFBIG;
        while ((n = (buf_reserve(ret, 65536) < 0 ? -1 : read(fd, ret->data + ret->size, 65536))) > 0) {
                ret->size += (size_t)n;
                ret->data[ret->size] = 0;
                if (ret->size > FILE_SIZE_MAX)
                        return -EFBIG;
        }
        return n < 0 ? -errno : 0;
}

/* A section header that cannot be read makes the whole file unreadable: what stands below it is anybody's guess. */
static int tell_header(const struct reading *in, const struct buf *text, const struct diag *mistakes)
{
        for (size_t i = 0; i < mistakes->n_entries; i++) {
                const char *p = buf_str(text);

                if (mistakes->entries[i].level != DIAG_ERROR)
                        continue;
                for (unsigned n = 1; n < mistakes->entries[i].line && strchr(p, '\n'); n++)
                        p = strchr(p, '\n') + 1;
                diag_add(in->operation->where->diag, DIAG_WARNING, in->path, mistakes->entries[i].line, NULL,
                         "Invalid section header '%.*s'", (int)strcspn(p, "\r\n"), p);
                return -EBADMSG;
        }
        return 0;
}

static int read_install(struct reading *in, const struct buf *text)
{
        cleanup_diag_ struct diag mistakes = {0};
        int r = unit_file_read(buf_str(text), text->size, in->path, on_line, in, &mistakes);

        return r < 0 && r != -EBADMSG ? r : tell_header(in, text, &mistakes);
}

/* A file, no link. -ELOOP for a link. */
static int load_file(struct operation *o, struct unit_file *f, const char *path, unsigned how, bool dropin)
{
        struct reading in = {o, f, path, 0};
        cleanup_buf_ struct buf text = {0};
        cleanup_close_ int fd = -1;
        struct stat st;
        int r;

        if (!dropin && strchr(f->name, '@') && !suffix_may_be_template(f->name)) {
                diag_add(o->where->diag, DIAG_WARNING, path, 0, NULL, "unit type %s cannot be templated, ignoring.",
                         strrchr(f->name, '.') + 1);
                return -EINVAL;
        }
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (dropin ? 0 : O_NOFOLLOW));
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode) || (S_ISREG(st.st_mode) && st.st_size == 0)) {
                if (!dropin)
                        f->mode = MODE_MASKED;
                return 0;
        }
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EBADFD;
        if (how & SEARCH_LOAD) {
                r = read_all(fd, st.st_size, &text);
                if (r >= 0)
                        r = read_install(&in, &text);
                if (r < 0)
                        return r;
        }
        if (!dropin)
                f->mode = MODE_REGULAR;
        return 0;
}

static bool is_device(const char *path)
{
        struct stat st;

        return stat(path, &st) >= 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode));
}

/* May a link called NAME be an alias of TARGET? Templates of templates, plain names of plain names, of one type. 0,
 * -EXDEV, or -ELOOP for a name that stands for itself. */
static int alias_check(struct operation *o, const char *name, const char *target)
{
        const char *a = instance_of(o, name), *b = instance_of(o, target);
        struct diag *d = o->where->diag;

        if (streq(name, target))
                return -ELOOP;
        if (!suffix_may_alias(name))
                diag_add(d, DIAG_WARNING, name, 0, NULL, "symlinks are not allowed for units of this type, rejecting.");
        else if (!unit_name_valid(target) || !a != !b || (a && !*a && *b))
                diag_add(d, DIAG_WARNING, name, 0, NULL,
                         "symlink target name type \"%s\" does not match source, rejecting.", target);
        else if (a && *b && !streq(a, b))
                diag_add(d, DIAG_WARNING, name, 0, NULL,
                         "unit symlink target \"%s\" instance name doesn't match, rejecting.", target);
        else if (!streq(strrchr(name, '.'), strrchr(target, '.')))
                diag_add(d, DIAG_WARNING, name, 0, NULL, "symlink target \"%s\" has incompatible suffix, rejecting.",
                         target);
        else
                return 0;
        return -EXDEV;
}

/* Where a link leads, one step: with the root in front, and the directory's own links followed. */
static int link_target(struct operation *o, const char *path, char **ret)
{
        char *text, *dir = path_dir(&o->arena, path), *full;
        int r = link_read(&o->arena, path, &text);

        if (r < 0 || !text || !dir)
                return r < 0 ? r : dir ? -EINVAL : -ENOMEM;
        full = path_join(&o->arena, *text == '/' ? o->where->root : dir, text);
        dir = full ? path_dir(&o->arena, full) : NULL;
        if (!dir)
                return -ENOMEM;
        r = path_chase(&o->arena, o->where->root, dir, true, &dir);
        if (r < 0)
                return r;
        *ret = path_join(&o->arena, dir, path_base(full));
        return *ret ? 0 : -ENOMEM;
}

/* A link to /dev/null; one to an empty file is followed first. */
static bool link_masks(struct operation *o, const char *path)
{
        char *end;

        return path_chase(&o->arena, o->where->root, path, true, &end) >= 0 &&
               (streq(path_below(o->where->root, end), "/dev/null") || is_device(end));
}

static bool lies_in_search_path(const struct install_where *w, const char *path)
{
        for (unsigned i = 0; i < w->n_dirs; i++)
                if (starts_with(path, w->dirs[i].path) && path[strlen(w->dirs[i].path)] == '/')
                        return true;
        return false;
}

static int load_link(struct operation *o, struct unit_file *f, const char *path)
{
        char *target;
        int r;

        r = link_target(o, path, &target);
        if (r >= 0 && lies_in_search_path(o->where, target)) {
                r = alias_check(o, path_base(path), path_base(target));
                f->mode = r < 0 ? f->mode : MODE_ALIAS;
        } else if (r >= 0) {
                f->mode = link_masks(o, path) ? MODE_MASKED : MODE_LINKED;
        }
        f->target = r < 0 ? NULL : target;
        return r;
}

static int load_or_link(struct operation *o, struct unit_file *f, const char *path, unsigned how)
{
        int r = load_file(o, f, path, how, false);

        return r == -ELOOP ? load_link(o, f, path) : r;
}

/* ---- drop-ins ---- */

struct dropin {
        char *name, *path;
};

static int compare_dropins(const void *a, const void *b)
{
        return strcmp(((const struct dropin *)a)->name, ((const struct dropin *)b)->name);
}

struct dropin_list {
        struct dropin v[512];
        unsigned n;
};

static int dropins_add(struct operation *o, struct dropin_list *l, const char *dir)
{
        struct list names;
        int r = directory_names(&o->arena, dir, &names);

        for (unsigned i = 0; r >= 0 && i < names.n && l->n < ARRAY_SIZE(l->v); i++) {
                unsigned k = 0;

                if (!ends_with(names.v[i], ".conf") || names.v[i][0] == '.')
                        continue;
                while (k < l->n && !streq(l->v[k].name, names.v[i]))
                        k++;
                if (k < l->n)
                        continue; /* one of higher precedence hides it */
                l->v[l->n] = (struct dropin){names.v[i], path_join(&o->arena, dir, names.v[i])};
                if (!l->v[l->n++].path)
                        r = -ENOMEM;
        }
        return r;
}

static int dropins_of(struct operation *o, struct dropin_list *l, const char *name)
{
        char dir_name[UNIT_NAME_MAX + 8];
        int r = 0;

        (void)snprintf(dir_name, sizeof(dir_name), "%s.d", name);
        for (unsigned i = 0; i < o->where->n_dirs && r >= 0; i++) {
                char *dir = path_join(&o->arena, o->where->dirs[i].path, dir_name);

                r = dir ? dropins_add(o, l, dir) : -ENOMEM;
        }
        return r;
}

/* A link is followed below the root; one to /dev/null hides the files of its name that rank lower. */
static int load_dropin(struct operation *o, struct unit_file *f, const char *path, unsigned how)
{
        char *end;
        int r = path_chase(&o->arena, o->where->root, path, true, &end);

        if (r < 0 || streq(path_below(o->where->root, end), "/dev/null"))
                return r;
        return load_file(o, f, end, how, true);
}

static int load_dropins(struct operation *o, struct unit_file *f, unsigned how)
{
        char template_name[UNIT_NAME_MAX + 1];
        struct dropin_list *l = arena_alloc(&o->arena, sizeof(*l));
        int r = l ? dropins_of(o, l, f->name) : -ENOMEM;

        if (r >= 0 && unit_name_is_instance(f->name) && unit_name_template(f->name, template_name) >= 0)
                r = dropins_of(o, l, template_name);
        if (r < 0)
                return r;
        if (l->n > 1)
                qsort(l->v, l->n, sizeof(*l->v), compare_dropins);
        for (unsigned i = 0; i < l->n; i++) {
                r = load_dropin(o, f, l->v[i].path, how);
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        return 0;
}

/* ---- search ---- */

static int search_name(struct operation *o, struct unit_file *f, const char *name, unsigned how)
{
        for (unsigned i = 0; i < o->where->n_dirs; i++) {
                char *path = path_join(&o->arena, o->where->dirs[i].path, name);
                int r = path ? load_or_link(o, f, path, how) : -ENOMEM;

                if (r >= 0) {
                        f->path = path;
                        return 0;
                }
                if (r != -ENOENT && r != -ENOTDIR && r != -EACCES)
                        return r;
        }
        return -ENOENT;
}

static int search_one(struct operation *o, struct unit_file *f, unsigned how)
{
        char template_name[UNIT_NAME_MAX + 1];
        int r;

        if (f->mode != MODE_UNKNOWN)
                return 0;
        if (f->path)
                return load_or_link(o, f, f->path, how);
        r = search_name(o, f, f->name, how);
        if (r == -ENOENT && unit_name_is_instance(f->name) && unit_name_template(f->name, template_name) >= 0)
                r = search_name(o, f, template_name, how);
        if (r < 0 || f->mode == MODE_MASKED)
                return r;
        return load_dropins(o, f, how);
}

/* The file or the unit that a link means. */
static int follow_link(struct operation *o, struct unit_file *f, unsigned how, struct unit_file **ret)
{
        char name[UNIT_NAME_MAX + 1];
        const char *base = path_base(f->target), *instance = instance_of(o, f->name);
        int r;

        if (instance && *instance && unit_name_is_template(base)) {
                if (unit_name_instantiate(base, instance, strlen(instance), name) < 0)
                        return -EINVAL;
                base = name;
        }
        if (f->mode == MODE_LINKED || streq(base, f->name)) { /* a file elsewhere, or its own template */
                f->path = f->target;
                f->mode = MODE_UNKNOWN;
                *ret = f;
                return load_or_link(o, f, f->path, how);
        }
        r = unit_file_add(o, base, NULL, false, ret);
        if (r >= 0)
                r = search_one(o, *ret, how);
        return r == -ENOENT ? -ENOLINK : r;
}

int unit_file_search(struct operation *o, struct unit_file *f, unsigned how, struct unit_file **ret)
{
        int r = search_one(o, f, how);

        for (unsigned k = 0; r >= 0 && (f->mode == MODE_ALIAS || f->mode == MODE_LINKED); k++) {
                if (k > FOLLOW_MAX)
                        return -ELOOP;
                if (!(how & SEARCH_FOLLOW_CONFIG) &&
                    (where_kind_of_file(o->where, f->path) & (DIR_PERSISTENT | DIR_RUNTIME)))
                        return -ELOOP;
                r = follow_link(o, f, how, &f);
        }
        if (r >= 0 && ret)
                *ret = f;
        return r;
}

int unit_file_discover(struct operation *o, const char *name, unsigned how, struct unit_file **ret)
{
        struct unit_file *f;
        int r;

        if (*name == '/') {
                char *path = path_join(&o->arena, o->where->root, name);

                r = path ? unit_file_add(o, NULL, path, false, &f) : -ENOMEM;
        } else {
                r = unit_file_add(o, name, NULL, false, &f);
        }
        if (r >= 0)
                r = unit_file_search(o, f, how, ret);
        return r < 0 ? change_error(o->changes, r, name, NULL) : r;
}

int unit_file_discover_usable(struct operation *o, const char *name, unsigned how, struct unit_file **ret)
{
        struct unit_file *f;
        int r = unit_file_discover(o, name, how, &f);

        if (r < 0)
                return r;
        if (f->mode == MODE_MASKED)
                return change_error(o->changes, -ERFKILL, f->path, NULL);
        if (where_kind_of_file(o->where, f->path) & (DIR_GENERATED | DIR_TRANSIENT))
                return change_error(o->changes, -EADDRNOTAVAIL, f->path, NULL);
        *ret = f;
        return 0;
}
