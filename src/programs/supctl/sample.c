/* SPDX-License-Identifier: MIT
 *
 * What the kernel says about a unit's processes at this moment: from its cgroup where it has one of its own, otherwise
 * from /proc, walking down from the main process. Sampled when somebody asks, never by supd.
 *
 * Not here: the table. Invariant: what cannot be read is "not known", never 0.
 */
#include <fcntl.h>

#include "programs/supctl/supctl.h"

#define UNKNOWN     UINT64_MAX
#define MAX_WALKED  4096u
#define PROC_FIELDS 24

/* Reads a small file; false when that cannot be done. */
static bool read_text(const char *path, char *ret, size_t size)
{
        cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

        ret[n > 0 ? n : 0] = 0;
        return n > 0;
}

struct proc_stat {
        char command[64], state;
        uint64_t fields[PROC_FIELDS + 1]; /* by their number in proc(5); 4 … 24 */
};

static bool proc_stat(uint32_t pid, struct proc_stat *ret)
{
        char path[32], text[1024], *open_paren, *close_paren, *p;
        int n;

        (void)snprintf(path, sizeof(path), "/proc/%u/stat", (unsigned)pid);
        if (!read_text(path, text, sizeof(text)))
                return false;
        open_paren = strchr(text, '(');
        close_paren = strrchr(text, ')');
        if (!open_paren || !close_paren || close_paren[1] != ' ')
                return false;
        n = (int)(close_paren - open_paren - 1);
        memset(ret, 0, sizeof(*ret));
        (void)snprintf(ret->command, sizeof(ret->command), "%.*s", n, open_paren + 1);
        ret->state = close_paren[2];
        p = close_paren + 3;
        for (int i = 4; i <= PROC_FIELDS && *p; i++)
                ret->fields[i] = strtoull(p, &p, 10);
        return true;
}

/* ---- cgroup ---- */

static const char *cgroup_mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"};

bool sample_cgroup_text(const char *cgroup, const char *file, char *ret, size_t size)
{
        char path[4096];

        for (size_t i = 0; i < ARRAY_SIZE(cgroup_mounts); i++)
                if (snprintf(path, sizeof(path), "%s%s/%s", cgroup_mounts[i], cgroup, file) < (int)sizeof(path) &&
                    read_text(path, ret, size))
                        return true;
        return false;
}

static uint64_t cgroup_number(const char *cgroup, const char *file, const char *key)
{
        char text[2048], *p = text;

        if (!sample_cgroup_text(cgroup, file, text, sizeof(text)))
                return UNKNOWN;
        if (key) {
                p = strstr(text, key);
                if (!p)
                        return UNKNOWN;
                p += strlen(key);
        }
        return strtoull(p, NULL, 10);
}

/* ---- processes ---- */

struct walk {
        uint32_t pids[MAX_WALKED];
        unsigned n;
};

static void walk_text(struct walk *w, const char *text)
{
        char *end;

        for (unsigned long pid; w->n < MAX_WALKED; text = end) {
                pid = strtoul(text, &end, 10);
                if (end == text)
                        return;
                w->pids[w->n++] = (uint32_t)pid;
        }
}

/* The main process, its children, theirs, and so on. */
static void walk_children(struct walk *w, uint32_t pid)
{
        char path[64], text[16384];

        w->pids[w->n++] = pid;
        for (unsigned i = 0; i < w->n && w->n < MAX_WALKED; i++) {
                (void)snprintf(path, sizeof(path), "/proc/%u/task/%u/children", (unsigned)w->pids[i],
                               (unsigned)w->pids[i]);
                if (read_text(path, text, sizeof(text)))
                        walk_text(w, text);
        }
}

/* FIRST: what has been read about the first of them already, or NULL. */
static void walk_sum(const struct walk *w, const struct proc_stat *first, struct sample *s)
{
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), tick = USEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
        struct proc_stat other;
        uint64_t tasks = 0, memory = 0, cpu = 0;

        for (unsigned i = 0; i < w->n; i++) {
                const struct proc_stat *st = i == 0 && first ? first : &other;

                if (st == &other && !proc_stat(w->pids[i], &other))
                        continue;
                tasks += st->fields[20];
                memory += st->fields[24] * page;
                cpu += (st->fields[14] + st->fields[15] + st->fields[16] + st->fields[17]) * tick;
        }
        if (tasks == 0)
                return;
        s->tasks = s->tasks == UNKNOWN ? tasks : s->tasks;
        s->memory = s->memory == UNKNOWN ? memory : s->memory;
        s->cpu_us = s->cpu_us == UNKNOWN ? cpu : s->cpu_us;
}

void sample_take(const struct supd_status_row *row, const char *cgroup, struct sample *ret)
{
        static struct walk walk;
        struct proc_stat st;
        char procs[16384];

        memset(ret, 0, sizeof(*ret));
        ret->tasks = ret->memory = ret->cpu_us = UNKNOWN;
        if (row->main_pid && proc_stat(row->main_pid, &st)) {
                memcpy(ret->command, st.command, sizeof(ret->command));
                ret->state = st.state;
        }
        walk.n = 0;
        if (cgroup[0] && sample_cgroup_text(cgroup, "cgroup.procs", procs, sizeof(procs))) {
                ret->from_cgroup = true;
                ret->tasks = cgroup_number(cgroup, "pids.current", NULL);
                ret->memory = cgroup_number(cgroup, "memory.current", NULL);
                ret->cpu_us = cgroup_number(cgroup, "cpu.stat", "usage_usec ");
                walk_text(&walk, procs);
        } else if (ret->state)
                walk_children(&walk, row->main_pid);
        if (ret->tasks == UNKNOWN || ret->memory == UNKNOWN || ret->cpu_us == UNKNOWN)
                walk_sum(&walk, walk.n > 0 && ret->state && walk.pids[0] == row->main_pid ? &st : NULL, ret);
}

const char *sample_state_word(char state)
{
        static const struct {
                char letter;
                const char *word;
        } words[] = {{'R', "running"}, {'S', "sleeping"}, {'D', "disk sleep"}, {'T', "stopped"},
                     {'t', "traced"},  {'Z', "zombie"},   {'I', "idle"},       {'X', "dead"}};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (words[i].letter == state)
                        return words[i].word;
        return "unknown";
}

static uint32_t unit_with_pid(struct view *v, uint32_t pid)
{
        for (uint32_t i = 0; i < supstatus_count(v->snapshot); i++) {
                const struct supd_status_row *row = supstatus_row(v->snapshot, i);

                if (row->main_pid == pid || row->control_pid == pid)
                        return i;
        }
        return UINT32_MAX;
}

static uint32_t unit_with_cgroup(struct view *v, uint32_t pid)
{
        char path[32], text[4096], *line;

        (void)snprintf(path, sizeof(path), "/proc/%u/cgroup", (unsigned)pid);
        if (!read_text(path, text, sizeof(text)))
                return UINT32_MAX;
        for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
                const char *group = strrchr(line, ':');

                for (uint32_t i = 0; group && i < supstatus_count(v->snapshot); i++) {
                        const char *own = supstatus_text(v->snapshot, i, SUPD_TEXT_CONTROL_GROUP);
                        size_t n = strlen(own);

                        if (n > 0 && strncmp(group + 1, own, n) == 0 && (group[1 + n] == 0 || group[1 + n] == '/'))
                                return i;
                }
        }
        return UINT32_MAX;
}

uint32_t sample_unit_of_pid(struct view *v, uint32_t pid)
{
        uint32_t i = unit_with_cgroup(v, pid);
        struct proc_stat st;

        for (unsigned up = 0; i == UINT32_MAX && pid > 1 && up < 64; up++) { /* itself, or an ancestor of it */
                i = unit_with_pid(v, pid);
                if (!proc_stat(pid, &st))
                        break;
                pid = (uint32_t)st.fields[4];
        }
        return i;
}
