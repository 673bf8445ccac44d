/* SPDX-License-Identifier: MIT
 *
 * Finds out which unit files are enabled, so that status need not: reading all directories of the search path for one
 * line takes longer than everything else that status does. The manager runs it once when units were read and all is
 * quiet; supctl and supd-bus look the answer up.
 *
 *     supd-unit-files RUNTIME_DIR      writes RUNTIME_DIR/unit-files.new; exit status 0 when it is whole
 *
 * One line for each name, "NAME STATE PRESET", sorted by strcmp() for install_recall(). As with systemd the answer is
 * as old as the last daemon-reload. Not here: when to run (the manager's file-states.c). Invariant: nothing of the host
 * is changed but that one file.
 */
#include "install/install.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

static int compare(const void *a, const void *b)
{
        return strcmp(((const struct install_file *)a)->name, ((const struct install_file *)b)->name);
}

static void write_lines(FILE *f, struct install_list *l, const struct install_presets *presets)
{
        if (l->n > 1)
                qsort(l->v, l->n, sizeof(*l->v), compare);
        for (unsigned i = 0; i < l->n; i++) {
                if (i > 0 && streq(l->v[i].name, l->v[i - 1].name))
                        continue; /* in several directories */
                (void)fprintf(f, "%s %s %s\n", l->v[i].name, install_state_name(l->v[i].state),
                              install_preset_enables(presets, l->v[i].name) ? "enabled" : "disabled");
        }
}

/* Never what another run, one that was overtaken, is still writing to. */
static FILE *create(const char *path)
{
        int fd;
        FILE *f;

        (void)unlink(path);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
                return NULL;
        f = fdopen(fd, "we");
        if (!f)
                (void)close(fd);
        return f;
}

/* The file is there before anything is read, so that install_forget() in between leaves nothing to be taken. */
static int run(const char *dir, const struct install_where *w)
{
        cleanup_(install_list_done) struct install_list l = {0};
        struct install_presets *presets = NULL;
        char path[4096];
        FILE *f;
        int r;

        (void)snprintf(path, sizeof(path), "%s/unit-files.new", dir);
        f = create(path);
        if (!f)
                return -errno;
        r = install_list_files(w, &l);
        if (r >= 0)
                r = install_presets_read(w, &presets);
        if (r >= 0)
                write_lines(f, &l, presets);
        install_presets_free(presets);
        if (ferror(f) | fclose(f))
                r = r < 0 ? r : -EIO;
        return r;
}

int main(int argc, char **argv)
{
        cleanup_(install_where_done) struct install_where w = {0};
        int r;

        if (argc == 2 && streq(argv[1], "--version")) {
                (void)printf("supd-unit-files %s\n", SUPD_VERSION);
                return EXIT_SUCCESS;
        }
        if (argc != 2 || *argv[1] != '/') {
                (void)fprintf(stderr, "usage: supd-unit-files RUNTIME_DIR (started by supd-manager)\n");
                return 2;
        }
        (void)setpriority(PRIO_PROCESS, 0, 19);
        r = install_where_of(argv[1], &w);
        if (r >= 0)
                r = run(argv[1], &w);
        if (r < 0)
                (void)fprintf(stderr, "supd-unit-files: %s\n", strerror(-r));
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
