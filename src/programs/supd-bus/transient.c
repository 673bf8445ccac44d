/* SPDX-License-Identifier: MIT
 *
 * StartTransientUnit: what the caller says is written as a unit file into RUNTIME_DIR/transient, where the manager
 * looks before all other places, and then started as any unit is. So it is read by the same rules, and outlives manager
 * and front. SetUnitProperties likewise, as a drop-in. Who holds a unit is known here: when nobody does, the manager is
 * told each time something happened to it, and lets it go when it has ended.
 *
 * Not here: what a directive means (unit/). Invariant: what cannot be said in a unit file is refused by name; nothing
 * is left out. A file is complete under its name or is not there.
 */
#include "front.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ERROR_PROPERTY BUS_PREFIX "PropertyReadOnly"

/* ---- from properties to lines ---- */

enum how { TEXT, WORDS, FLAG, NUMBER, SIGNED, SPAN, OCTAL, BYTES, PERCENT, COMMAND, COMMAND_EX, FILES, HOLD };

static const char *const signatures[] = {
        [TEXT] = "s",
        [WORDS] = "as",
        [FLAG] = "b",
        [NUMBER] = "t",
        [SIGNED] = "i",
        [SPAN] = "t",
        [OCTAL] = "u",
        [BYTES] = "t",
        [PERCENT] = "t",
        [COMMAND] = "a(sasb)",
        [COMMAND_EX] = "a(sasas)",
        [FILES] = "a(sb)",
        [HOLD] = "b",
};

static const struct row {
        const char *property, *section, *key; /* key NULL: as the property */
        enum how how;
} rows[] = {
        {"AddRef", "", NULL, HOLD},
        {"Description", "Unit", NULL, TEXT},
        {"Documentation", "Unit", NULL, WORDS},
        {"CollectMode", "Unit", NULL, TEXT},
        {"DefaultDependencies", "Unit", NULL, FLAG},
        {"After", "Unit", NULL, WORDS},
        {"Before", "Unit", NULL, WORDS},
        {"Requires", "Unit", NULL, WORDS},
        {"Requisite", "Unit", NULL, WORDS},
        {"Wants", "Unit", NULL, WORDS},
        {"BindsTo", "Unit", NULL, WORDS},
        {"PartOf", "Unit", NULL, WORDS},
        {"Upholds", "Unit", NULL, WORDS},
        {"Conflicts", "Unit", NULL, WORDS},
        {"OnFailure", "Unit", NULL, WORDS},
        {"OnSuccess", "Unit", NULL, WORDS},
        {"Type", "Service", NULL, TEXT},
        {"ExitType", "Service", NULL, TEXT},
        {"Restart", "Service", NULL, TEXT},
        {"PIDFile", "Service", NULL, TEXT},
        {"NotifyAccess", "Service", NULL, TEXT},
        {"RemainAfterExit", "Service", NULL, FLAG},
        {"ExecCondition", "Service", NULL, COMMAND},
        {"ExecStartPre", "Service", NULL, COMMAND},
        {"ExecStart", "Service", NULL, COMMAND},
        {"ExecStartPost", "Service", NULL, COMMAND},
        {"ExecReload", "Service", NULL, COMMAND},
        {"ExecStop", "Service", NULL, COMMAND},
        {"ExecStopPost", "Service", NULL, COMMAND},
        {"ExecStartPreEx", "Service", "ExecStartPre", COMMAND_EX},
        {"ExecStartEx", "Service", "ExecStart", COMMAND_EX},
        {"ExecStartPostEx", "Service", "ExecStartPost", COMMAND_EX},
        {"ExecStopEx", "Service", "ExecStop", COMMAND_EX},
        {"ExecStopPostEx", "Service", "ExecStopPost", COMMAND_EX},
        {"RestartUSec", "Service", "RestartSec", SPAN},
        {"TimeoutStartUSec", "Service", "TimeoutStartSec", SPAN},
        {"TimeoutStopUSec", "Service", "TimeoutStopSec", SPAN},
        {"RuntimeMaxUSec", "Service", "RuntimeMaxSec", SPAN},
        {"WatchdogUSec", "Service", "WatchdogSec", SPAN},
        {"KillMode", "Service", NULL, TEXT},
        {"KillSignal", "Service", NULL, SIGNED},
        {"SendSIGHUP", "Service", NULL, FLAG},
        {"SendSIGKILL", "Service", NULL, FLAG},
        {"User", "Service", NULL, TEXT},
        {"Group", "Service", NULL, TEXT},
        {"SupplementaryGroups", "Service", NULL, WORDS},
        {"Environment", "Service", NULL, WORDS},
        {"EnvironmentFiles", "Service", "EnvironmentFile", FILES},
        {"WorkingDirectory", "Service", NULL, TEXT},
        {"RootDirectory", "Service", NULL, TEXT},
        {"StandardInput", "Service", NULL, TEXT},
        {"StandardOutput", "Service", NULL, TEXT},
        {"StandardError", "Service", NULL, TEXT},
        {"SyslogIdentifier", "Service", NULL, TEXT},
        {"UMask", "Service", NULL, OCTAL},
        {"Nice", "Service", NULL, SIGNED},
        {"OOMScoreAdjust", "Service", NULL, SIGNED},
        {"NoNewPrivileges", "Service", NULL, FLAG},
        {"PrivateTmp", "Service", NULL, FLAG},
        {"PrivateDevices", "Service", NULL, FLAG},
        {"PrivateNetwork", "Service", NULL, FLAG},
        {"ProtectSystem", "Service", NULL, TEXT},
        {"ProtectHome", "Service", NULL, TEXT},
        {"DynamicUser", "Service", NULL, FLAG},
        {"RuntimeDirectory", "Service", NULL, WORDS},
        {"StateDirectory", "Service", NULL, WORDS},
        {"LimitNOFILE", "Service", NULL, NUMBER},
        {"LimitNPROC", "Service", NULL, NUMBER},
        {"LimitCORE", "Service", NULL, NUMBER},
        {"Slice", "Service", NULL, TEXT},
        {"CPUWeight", "Service", NULL, NUMBER},
        {"IOWeight", "Service", NULL, NUMBER},
        {"CPUQuotaPerSecUSec", "Service", "CPUQuota", PERCENT},
        {"MemoryMin", "Service", NULL, BYTES},
        {"MemoryLow", "Service", NULL, BYTES},
        {"MemoryHigh", "Service", NULL, BYTES},
        {"MemoryMax", "Service", NULL, BYTES},
        {"MemorySwapMax", "Service", NULL, BYTES},
        {"TasksMax", "Service", NULL, BYTES},
};

static const struct row *row_find(const char *property)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (streq(rows[i].property, property))
                        return &rows[i];
        return NULL;
}

/* As a word in double quotes; a line has no room for a line break. DOLLAR: of a command line, where $ is a variable. */
static int put_quoted(struct buf *b, const char *s, bool dollar)
{
        int r = buf_append_str(b, "\"");

        for (; *s && r >= 0; s++)
                if (*s == '\n')
                        r = buf_append_str(b, "\\n");
                else if (*s == '"' || *s == '\\')
                        r = buf_printf(b, "\\%c", *s);
                else if (*s == '%' || (*s == '$' && dollar))
                        r = buf_printf(b, "%c%c", *s, *s);
                else
                        r = (unsigned char)*s < ' ' && *s != '\t' ? -EINVAL : buf_append(b, s, 1);
        return r < 0 ? r : buf_append_str(b, "\"");
}

/* To the end of the line, which a backslash there would go on behind. */
static int put_text(struct buf *b, const char *key, const char *prefix, const char *s)
{
        size_t n = strlen(s);
        int r = n > 0 && s[n - 1] == '\\' ? -EINVAL : buf_printf(b, "%s=%s", key, prefix);

        for (; *s && r >= 0; s++)
                if (*s == '%')
                        r = buf_append_str(b, "%%");
                else
                        r = (unsigned char)*s < ' ' && *s != '\t' ? -EINVAL : buf_append(b, s, 1);
        return r < 0 ? r : buf_append_str(b, "\n");
}

static int put_words(struct buf *b, const char *key, bool quoted, sd_bus_message *m)
{
        const char *s;
        int r = sd_bus_message_enter_container(m, 'a', "s"), k;

        while (r >= 0 && (k = sd_bus_message_read_basic(m, 's', &s)) != 0) {
                if (k < 0)
                        return k;
                if (!quoted)
                        r = put_text(b, key, "", s);
                else if ((r = buf_printf(b, "%s=", key)) >= 0 && (r = put_quoted(b, s, false)) >= 0)
                        r = buf_append_str(b, "\n");
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int prefixes_of(sd_bus_message *m, enum how how, char ret[8])
{
        static const struct {
                const char *word, *prefix;
        } words[] = {{"ignore-failure", "-"}, {"privileged", "+"}, {"no-setuid", "!"}, {"no-env-expand", ":"}};
        char **list = NULL;
        int ignore = 0, r;

        ret[0] = 0;
        if (how == COMMAND) {
                r = sd_bus_message_read(m, "b", &ignore);
                (void)strcpy(ret, ignore ? "-" : "");
                return r;
        }
        r = sd_bus_message_read_strv(m, &list);
        for (char **p = list; p && *p; p++) {
                bool known = false;

                for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                        if (streq(words[i].word, *p) && !strstr(ret, words[i].prefix)) {
                                (void)strcat(ret, words[i].prefix);
                                known = true;
                        }
                r = known ? r : -EINVAL;
                free(*p);
        }
        free(list);
        return r;
}

/* (path, argv, how): the path, behind it what the program is told to be called, when that is something else. */
static int put_command(struct buf *b, const char *key, enum how how, sd_bus_message *m)
{
        char **argv = NULL, prefixes[8];
        const char *path;
        int r = sd_bus_message_read(m, "s", &path);

        if (r >= 0)
                r = sd_bus_message_read_strv(m, &argv);
        if (r >= 0)
                r = prefixes_of(m, how, prefixes);
        if (r >= 0 && (!argv || !argv[0]))
                r = -EINVAL;
        if (r >= 0)
                r = buf_printf(b, "%s=%s%s", key, prefixes, streq(argv[0], path) ? "" : "@");
        if (r >= 0)
                r = put_quoted(b, path, true);
        for (unsigned i = 0; r >= 0 && argv[i]; i++)
                if (i > 0 || !streq(argv[0], path))
                        r = (r = buf_append_str(b, " ")) < 0 ? r : put_quoted(b, argv[i], !strchr(prefixes, ':'));
        for (char **p = argv; p && *p; p++)
                free(*p);
        free(argv);
        return r < 0 ? r : buf_append_str(b, "\n");
}

static int put_structs(struct buf *b, const struct row *row, const char *key, sd_bus_message *m)
{
        const char *contents = row->how == COMMAND ? "sasb" : row->how == COMMAND_EX ? "sasas" : "sb", *path;
        char array[16];
        int optional, k, r;

        (void)snprintf(array, sizeof array, "(%s)", contents);
        r = sd_bus_message_enter_container(m, 'a', array);
        while (r >= 0 && (k = sd_bus_message_enter_container(m, 'r', contents)) != 0) {
                if (k < 0)
                        return k;
                if (row->how != FILES)
                        r = put_command(b, key, row->how, m);
                else if ((r = sd_bus_message_read(m, "sb", &path, &optional)) >= 0)
                        r = put_text(b, key, optional ? "-" : "", path);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int put_number(struct buf *b, enum how how, const char *key, sd_bus_message *m)
{
        uint64_t v = 0;
        int r = sd_bus_message_read(m, "t", &v);

        if (r < 0)
                return r;
        if (v == UINT64_MAX)
                return buf_printf(b, "%s=%s\n", key, how == PERCENT ? "" : "infinity");
        if (how == PERCENT) /* microseconds of a processor in a second */
                return buf_printf(b, "%s=%lu%%\n", key, (unsigned long)MAX2(v / 10000, 1u));
        return buf_printf(b, "%s=%lu%s\n", key, (unsigned long)v, how == SPAN ? "us" : "");
}

static int put_property(struct buf *b, const struct row *row, sd_bus_message *m, bool *hold)
{
        const char *key = row->key ? row->key : row->property, *s;
        uint32_t u = 0;
        int32_t i = 0;
        int flag, r;

        switch (row->how) {
        case TEXT:
                return (r = sd_bus_message_read(m, "s", &s)) < 0 ? r : put_text(b, key, "", s);
        case WORDS:
                return put_words(b, key, streq(key, "Environment"), m);
        case FLAG:
                return (r = sd_bus_message_read(m, "b", &flag)) < 0
                               ? r
                               : buf_printf(b, "%s=%s\n", key, flag ? "yes" : "no");
        case HOLD:
                r = sd_bus_message_read(m, "b", &flag);
                *hold = r >= 0 && flag;
                return r;
        case SIGNED:
                return (r = sd_bus_message_read(m, "i", &i)) < 0 ? r : buf_printf(b, "%s=%d\n", key, i);
        case OCTAL:
                return (r = sd_bus_message_read(m, "u", &u)) < 0 ? r : buf_printf(b, "%s=0%o\n", key, u);
        case NUMBER:
        case SPAN:
        case BYTES:
        case PERCENT:
                return put_number(b, row->how, key, m);
        case COMMAND:
        case COMMAND_EX:
        case FILES:
                return put_structs(b, row, key, m);
        }
        return -EINVAL;
}

struct text { /* of a unit file that is being made */
        struct buf unit, service;
        bool hold;
};

static void text_done(struct text *t)
{
        buf_done(&t->unit);
        buf_done(&t->service);
}

static int read_property(sd_bus_message *m, struct text *t, sd_bus_error *e)
{
        const char *name, *contents = NULL;
        const struct row *row;
        int r = sd_bus_message_read(m, "s", &name);

        if (r < 0)
                return r;
        row = row_find(name);
        if (!row)
                return sd_bus_error_setf(e, ERROR_PROPERTY, "Cannot set property %.64s, or unknown property.", name);
        r = sd_bus_message_peek_type(m, NULL, &contents);
        if (r < 0 || !contents || !streq(contents, signatures[row->how]))
                return sd_bus_error_setf(e, ERROR_INVALID, "Property %s is of type %s", name, signatures[row->how]);
        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r >= 0)
                r = put_property(streq(row->section, "Unit") ? &t->unit : &t->service, row, m, &t->hold);
        if (r == -EINVAL)
                return sd_bus_error_setf(e, ERROR_INVALID, "Property %s has a value that no unit file can hold", name);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_properties(sd_bus_message *m, struct text *t, sd_bus_error *e)
{
        int k, r = sd_bus_message_enter_container(m, 'a', "(sv)");

        while (r >= 0 && (k = sd_bus_message_enter_container(m, 'r', "sv")) != 0) {
                r = k < 0 ? k : read_property(m, t, e);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* ---- files ---- */

static int write_whole(const char *path, const struct text *t)
{
        cleanup_buf_ struct buf all = {0};
        cleanup_close_ int fd = -1;
        char part[4096];
        int r = buf_printf(&all, "# made for one run, by request over D-Bus\n[Unit]\n%s[Service]\n%s",
                           buf_str(&t->unit), buf_str(&t->service));

        if (r >= 0 && snprintf(part, sizeof part, "%s~", path) >= (int)sizeof part)
                r = -ENAMETOOLONG;
        if (r < 0)
                return r;
        fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (fd < 0)
                return -errno;
        if (write(fd, all.data, all.size) != (ssize_t)all.size || rename(part, path) < 0) {
                r = errno ? -errno : -EIO;
                (void)unlink(part);
        }
        return r < 0 ? r : 0;
}

static int transient_path(const struct front *f, const char *unit, const char *tail, char ret[4096])
{
        return snprintf(ret, 4096, "%s/transient%s%s%s", f->directory, unit[0] ? "/" : "", unit, tail) < 4096
                       ? 0
                       : -ENAMETOOLONG;
}

/* ---- StartTransientUnit ---- */

static int finish_started(struct call *c, const struct link_reply *reply, sd_bus_error *e unused_)
{
        struct peer *who = peer_known(c->client, c->message);
        char path[64];
        uint32_t id;
        int r = control_body_u32(reply->body, reply->size, CONTROL_TAG_JOB_ID, &id);

        if (r < 0)
                return r;
        if (c->number && who)
                (void)peer_ref(who, c->unit);
        jobs_track(c->client->front, id, c->unit);
        (void)snprintf(path, sizeof path, BUS_JOBS "/%u", id);
        return call_reply(c, "o", path);
}

/* The name is free. */
static int finish_collected(struct call *c, const struct link_reply *reply unused_, sd_bus_error *e)
{
        struct front *f = c->client->front;
        const char *name, *mode;
        cleanup_buf_ struct buf b = {0};
        struct text t = {.hold = false};
        char path[4096];
        int r;

        if ((r = sd_bus_message_rewind(c->message, 1)) >= 0 &&
            (r = sd_bus_message_read(c->message, "ss", &name, &mode)) >= 0 &&
            (r = read_properties(c->message, &t, e)) >= 0 && (r = transient_path(f, "", "", path)) >= 0) {
                (void)mkdir(path, 0755);
                r = transient_path(f, c->unit, "", path);
                if (r >= 0)
                        r = write_whole(path, &t);
        }
        text_done(&t);
        if (r >= 0 && (r = control_write_string(&b, CONTROL_TAG_UNIT, c->unit)) >= 0 &&
            (r = control_write_string(&b, CONTROL_TAG_REQUEST, "start")) >= 0 &&
            (r = control_write_string(&b, CONTROL_TAG_MODE, mode)) >= 0)
                r = call_begin(c->client, c->message, CONTROL_ENQUEUE, &b, finish_started, c->unit, t.hold, e);
        return r;
}

int do_transient(struct client *c, sd_bus_message *m, const struct method *method unused_, sd_bus_error *e)
{
        cleanup_buf_ struct buf b = {0};
        struct text t = {.hold = false};
        const char *unit, *mode;
        enum job_mode known;
        int r = sd_bus_message_read(m, "ss", &unit, &mode);

        if (r < 0 || (r = unit_name_check(unit, e)) < 0)
                return r;
        if (!ends_with(unit, ".service"))
                return sd_bus_error_setf(e, "org.freedesktop.DBus.Error.NotSupported",
                                         "supd makes transient services only; %.64s is none.", unit);
        if (control_mode_from_word(mode, &known) < 0)
                return sd_bus_error_setf(e, ERROR_INVALID, "Job mode %.64s invalid", mode);
        r = read_properties(m, &t, e); /* only to see whether it can be done */
        text_done(&t);
        if (r < 0 || (r = control_write_string(&b, CONTROL_TAG_UNIT, unit)) < 0)
                return r;
        return call_begin(c, m, CONTROL_COLLECT, &b, finish_collected, unit, 0, e);
}

/* ---- SetUnitProperties ---- */

static int finish_set(struct call *c, const struct link_reply *reply unused_, sd_bus_error *e unused_)
{
        return call_reply(c, NULL);
}

/* One drop-in for each call: what comes later has the higher number. */
static int drop_in(const struct front *f, const char *unit, bool runtime, const struct text *t)
{
        char directory[4096], path[4200];
        int r = 0;

        if (runtime) {
                if ((r = transient_path(f, "", "", directory)) < 0)
                        return r;
                (void)mkdir(directory, 0755);
                r = transient_path(f, unit, ".d", directory);
        } else if (snprintf(directory, sizeof directory, "/etc/supd/units/%s.d", unit) >= (int)sizeof directory) {
                r = -ENAMETOOLONG;
        }
        if (r < 0)
                return r;
        if (mkdir(directory, 0755) < 0 && errno != EEXIST)
                return -errno;
        for (unsigned i = 50; i < 1000; i++) {
                (void)snprintf(path, sizeof path, "%s/%03u-set-property.conf", directory, i);
                if (access(path, F_OK) < 0)
                        return write_whole(path, t);
        }
        return -EMFILE;
}

int do_set_properties(struct client *c, sd_bus_message *m, const struct method *method, sd_bus_error *e)
{
        struct text t = {.hold = false};
        struct buf b = {0};
        char unit[CONTROL_NAME_MAX];
        int runtime, r = meant_unit(m, method, unit, e);

        if (r >= 0 && (r = sd_bus_message_read(m, "b", &runtime)) >= 0 && (r = read_properties(m, &t, e)) >= 0)
                r = drop_in(c->front, unit, runtime, &t);
        text_done(&t);
        return r < 0 ? r : call_begin(c, m, CONTROL_RELOAD, &b, finish_set, unit, 0, e);
}

/* ---- whether it is still needed ---- */

static void collected(void *userdata unused_, const struct link_reply *reply unused_)
{
}

static bool is_held(const struct front *f, const char *unit)
{
        for (const struct client *c = f->clients; c; c = c->next) {
                if (peer_holds(&c->self, unit))
                        return true;
                for (const struct peer *p = c->senders; p; p = p->next)
                        if (peer_holds(p, unit))
                                return true;
        }
        return false;
}

void transient_look(struct front *f, const char *unit)
{
        cleanup_buf_ struct buf b = {0};
        char path[4096];

        if (transient_path(f, unit, "", path) < 0 || access(path, F_OK) < 0 || is_held(f, unit))
                return;
        if (control_write_string(&b, CONTROL_TAG_UNIT, unit) >= 0)
                (void)link_request(f->link, CONTROL_COLLECT, &b, collected, NULL);
}
