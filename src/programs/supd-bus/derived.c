/* SPDX-License-Identifier: MIT
 *
 * Properties of units that are worked out here: from the disk, because the manager must not wait for it, whether the
 * files of a unit changed since they were read; and who holds it.
 *
 * Not here: what the manager says, and what is always so (constants.c). Invariant: an answer that cannot be found out
 * is left out or "no"; nothing fails.
 */
#include "front.h"

#include <sys/stat.h>

struct files { /* what the manager said of where the unit comes from */
        const char *fragment, *source;
        const char *dropins; /* each with its NUL */
        size_t dropins_size;
        uint64_t read_us;
        bool transient;
};

/* By the change time: it cannot be set, and a file that is put in place by a rename has a new one. */
static bool changed_since(const char *path, uint64_t us)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return errno == ENOENT;
        return (uint64_t)st.st_ctim.tv_sec * USEC_PER_SEC + (uint64_t)st.st_ctim.tv_nsec / 1000 > us;
}

/* Something new in the directory of drop-ins beside the fragment. */
static bool dropin_directory_changed(const char *fragment, uint64_t us)
{
        char path[4096];
        struct stat st;
        size_t n = strlen(fragment);

        if (n + sizeof ".d" > sizeof path)
                return false;
        memcpy(path, fragment, n);
        memcpy(path + n, ".d", sizeof ".d");
        return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && changed_since(path, us);
}

static bool need_reload(const struct files *f)
{
        if (f->read_us == 0)
                return false;
        if (f->transient && access(f->fragment, F_OK) < 0)
                return false; /* its only run has ended, and the manager was quicker than we */
        if (f->fragment[0] &&
            (changed_since(f->fragment, f->read_us) || dropin_directory_changed(f->fragment, f->read_us)))
                return true;
        if (f->source[0] && changed_since(f->source, f->read_us))
                return true;
        for (size_t at = 0; at < f->dropins_size; at += strlen(f->dropins + at) + 1)
                if (changed_since(f->dropins + at, f->read_us))
                        return true;
        return false;
}

static void file_take(struct files *f, const struct property *p)
{
        if (streq(p->name, "FragmentPath"))
                f->fragment = p->data;
        else if (streq(p->name, "SourcePath"))
                f->source = p->data;
        else if (streq(p->name, "ReadTimestamp") && p->size == sizeof f->read_us)
                memcpy(&f->read_us, p->data, sizeof f->read_us);
        else if (streq(p->name, "Transient") && p->size == sizeof(uint32_t))
                f->transient = memcmp(p->data, &(uint32_t){0}, p->size) != 0;
        else if (streq(p->name, "DropInPaths") && p->size > 0 && p->data[p->size - 1] == 0) {
                f->dropins = p->data;
                f->dropins_size = p->size;
        }
}

static int put_bool(struct buf *b, const char *name, bool value)
{
        char record[1 + 64 + sizeof(uint32_t)] = {CONTROL_KIND_BOOL};
        size_t n = strlen(name) + 1;
        uint32_t v = value;

        memcpy(record + 1, name, n);
        memcpy(record + 1 + n, &v, sizeof v);
        return control_write(b, CONTROL_TAG_PROPERTY, record, 1 + n + sizeof v);
}

static int write_name(void *userdata, const char *name)
{
        return buf_append(userdata, name, strlen(name) + 1);
}

/* Who holds it, on the message bus. */
static int put_refs(const struct front *f, const char *unit, struct buf *b)
{
        static const char head[] = {CONTROL_KIND_STRINGS, 'R', 'e', 'f', 's', 0};
        ssize_t place = control_write_begin(b, CONTROL_TAG_PROPERTY);
        int r = place < 0 ? (int)place : buf_append(b, head, sizeof head);

        if (r >= 0)
                r = peers_of_unit(f, unit, write_name, b);
        return r < 0 ? r : control_write_end(b, place);
}

static int copy_record(const struct control_reader *in, size_t from, struct buf *ret)
{
        return buf_append(ret, in->data + from, in->at - from);
}

int derived_body(const struct front *front, const char *unit, const struct link_reply *reply, struct buf *ret)
{
        struct control_reader in = control_reader_of(reply->body, reply->size);
        struct files f = {.fragment = "", .source = ""};
        struct control_record rec;
        struct property p;
        const char *interface = "";
        size_t from = 0;
        int k, r = 0;

        for (; r >= 0 && (k = control_reader_next(&in, &rec)) != 0; from = in.at) {
                if (k < 0 || (r = copy_record(&in, from, ret)) < 0)
                        return k < 0 ? k : r;
                if (rec.tag == CONTROL_TAG_INTERFACE && control_record_string(&rec, &interface) >= 0)
                        r = constants_write(interface, ret);
                else if (rec.tag == CONTROL_TAG_PROPERTY && streq(interface, "Unit") &&
                         property_of_record(&rec, &p) >= 0)
                        file_take(&f, &p);
        }
        if (r < 0 || !streq(interface, "Unit")) /* the last one: what follows belongs to it */
                return r;
        r = put_bool(ret, "NeedDaemonReload", need_reload(&f));
        return r < 0 || !unit ? r : put_refs(front, unit, ret);
}
