/* SPDX-License-Identifier: MIT
 *
 * What %x means in the files of a unit (rule 12). See draft.h.
 */
#include "unit/draft.h"

#include "syntax/escape.h"
#include "syntax/specifier.h"

#include <sys/utsname.h>

static int put(struct buf *out, const char *s, const char *otherwise)
{
        return buf_append_str(out, s ? s : otherwise);
}

static int put_unescaped(struct buf *out, const char *s, size_t n)
{
        int r = name_unescape(s, n, out);

        return r == -EINVAL ? buf_append(out, s, n) : r;
}

/* Parts of the name; -ENOENT when LETTER is none of them. */
static int put_name_part(const struct draft *d, char letter, struct buf *out)
{
        const struct unit_name *n = &d->name;
        const char *last, *instance = n->instance ? n->instance : "";
        size_t size;

        switch (letter) {
        case 'n':
                return buf_append_str(out, d->unit.id);
        case 'N':
                return buf_append(out, d->unit.id, (size_t)(n->suffix - d->unit.id));
        case 'p':
                return buf_append(out, n->prefix, n->prefix_size);
        case 'P':
                return put_unescaped(out, n->prefix, n->prefix_size);
        case 'i':
                return buf_append(out, instance, n->instance_size);
        case 'I':
                return put_unescaped(out, instance, n->instance_size);
        case 'j':
        case 'J':
                last = name_last_component(n->prefix, n->prefix_size, &size);
                return letter == 'j' ? buf_append(out, last, size) : put_unescaped(out, last, size);
        case 'f':
                return n->instance ? name_unescape_path(instance, n->instance_size, out)
                                   : name_unescape_path(n->prefix, n->prefix_size, out);
        default:
                return -ENOENT;
        }
}

static int put_number(struct buf *out, unsigned long v)
{
        return buf_printf(out, "%lu", v);
}

static int put_file(struct buf *out, const char *path, bool directory)
{
        const char *slash;

        if (!path)
                return 0;
        slash = strrchr(path, '/');
        return directory && slash ? buf_append(out, path, (size_t)(slash - path)) : buf_append_str(out, path);
}

static const char *architecture(void)
{
#if defined(__x86_64__)
        return "x86-64";
#elif defined(__i386__)
        return "x86";
#elif defined(__aarch64__)
        return "arm64";
#elif defined(__arm__)
        return "arm";
#elif defined(__riscv) && __riscv_xlen == 64
        return "riscv64";
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        return "ppc64-le";
#elif defined(__s390x__)
        return "s390x";
#else
        return "unknown";
#endif
}

static int put_surroundings(const struct draft *d, char letter, struct buf *out)
{
        static const struct unit_context nothing;
        const struct unit_context *c = d->context ? d->context : &nothing;
        const char *host = c->host_name ? c->host_name : "";

        switch (letter) {
        case 't':
                return put(out, c->runtime_dir_root, "/run");
        case 'S':
                return put(out, c->state_root, "/var/lib");
        case 'C':
                return put(out, c->cache_root, "/var/cache");
        case 'L':
                return put(out, c->logs_root, "/var/log");
        case 'E':
                return put(out, c->configuration_root, "/etc");
        case 'H':
        case 'q':
                return buf_append_str(out, host);
        case 'l':
                return buf_append(out, host, strcspn(host, "."));
        case 'm':
                return put(out, c->machine_id, "");
        case 'b':
                return put(out, c->boot_id, "");
        case 'v':
                return put(out, c->kernel_release, "");
        case 'u':
                return put(out, c->user_name, "");
        case 'h':
                return put(out, c->user_home, "");
        case 's':
                return put(out, c->user_shell, "");
        case 'U':
                return put_number(out, c->uid);
        case 'G':
                return put_number(out, c->gid);
        case 'g':
                return put(out, c->group_name, "");
        case 'T':
                return buf_append_str(out, "/tmp");
        case 'V':
                return buf_append_str(out, "/var/tmp");
        case 'a':
                return buf_append_str(out, architecture());
        case 'd':
                return buf_printf(out, "%s/credentials/%s", c->runtime_dir_root ? c->runtime_dir_root : "/run",
                                  d->unit.id);
        case 'y':
        case 'Y':
                return put_file(out, d->unit.fragment_path, letter == 'Y');
        case 'A': /* facts of the operating system's image; absent ones are empty */
        case 'B':
        case 'M':
        case 'o':
        case 'w':
        case 'W':
                return 0;
        default:
                return -ENOENT;
        }
}

static int lookup(char letter, void *userdata, struct buf *out)
{
        const struct draft *d = userdata;
        int r = put_name_part(d, letter, out);

        return r == -ENOENT ? put_surroundings(d, letter, out) : r;
}

int draft_expand(struct draft *d, const char *s, char **ret, char *ret_unknown)
{
        cleanup_buf_ struct buf b = {0};
        char *copy;
        int r;

        if (!strchr(s, '%')) {
                copy = arena_strdup(&d->scratch, s);
        } else {
                r = specifier_expand(s, lookup, d, &b, ret_unknown);
                if (r < 0)
                        return r == -EINVAL ? -ENOENT : r;
                copy = arena_strdup(&d->scratch, buf_str(&b));
        }
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}
