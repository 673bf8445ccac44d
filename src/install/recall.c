/* SPDX-License-Identifier: MIT
 * What supd-unit-files found out: looked up in its sorted lines. See install.h.
 */
#include "install/install.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool path_of(const char *runtime_dir, const char *name, char ret[PATH_MAX])
{
        return snprintf(ret, PATH_MAX, "%s/%s", runtime_dir, name) < PATH_MAX;
}

static const char *line_begin(const char *text, const char *at)
{
        while (at > text && at[-1] != '\n')
                at--;
        return at;
}

/* As strcmp() of NAME and the line's first word. */
static int compare(const char *name, const char *line, const char *end)
{
        while (*name && line < end && *line != ' ' && *name == *line)
                name++, line++;
        return (uint8_t)*name - (line < end && *line != ' ' ? (uint8_t)*line : 0);
}

/* The rest of NAME's line, or NULL. */
static const char *find(const char *text, const char *end, const char *name)
{
        const char *low = text, *high = end;

        while (low < high) {
                const char *line = line_begin(text, low + (high - low) / 2), *next;
                int c = compare(name, line, end);

                if (c == 0)
                        return line + strlen(name);
                next = memchr(line, '\n', (size_t)(end - line));
                if (c < 0)
                        high = line;
                else
                        low = next ? next + 1 : end;
        }
        return NULL;
}

static bool word(const char **at, const char *end, char *ret, size_t size)
{
        size_t n = 0;

        if (*at >= end || **at != ' ')
                return false;
        for (++*at; *at < end && **at != ' ' && **at != '\n'; ++*at)
                if (n < size - 1)
                        ret[n++] = **at;
        ret[n] = 0;
        return n > 0 && *at < end;
}

static bool state_of_name(const char *name, enum install_state *ret)
{
        for (*ret = 0; *ret < N_INSTALL_STATES; ++*ret)
                if (streq(install_state_name(*ret), name))
                        return true;
        return false;
}

bool install_recall(const char *runtime_dir, const char *name, struct install_known *ret)
{
        cleanup_close_ int fd = -1;
        char path[PATH_MAX], state[24], preset[24];
        const char *text, *at, *end;
        struct stat st;
        bool found;

        if (!path_of(runtime_dir, "unit-files", path))
                return false;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
                return false;
        text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (text == MAP_FAILED)
                return false;
        end = text + st.st_size;
        at = find(text, end, name);
        found = at && word(&at, end, state, sizeof(state)) && word(&at, end, preset, sizeof(preset)) &&
                state_of_name(state, &ret->state);
        ret->preset = found && streq(preset, "enabled");
        (void)munmap((void *)(uintptr_t)text, (size_t)st.st_size);
        return found;
}

void install_forget(const char *runtime_dir)
{
        char path[PATH_MAX];

        if (path_of(runtime_dir, "unit-files.new", path))
                (void)unlink(path); /* first: what is just being found out must not become what is known */
        if (path_of(runtime_dir, "unit-files", path))
                (void)unlink(path);
}
