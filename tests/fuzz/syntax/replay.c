/* SPDX-License-Identifier: MIT
 *
 * Runs every file of a directory through a fuzz target, each from memory of just its size; also the beginnings of each,
 * so that what is cut off is seen as well. Invariant: an empty or missing corpus is a failure.
 */
#include <dirent.h>
#include <string.h>

#include "base/util.h"
#include "fuzz.h"

/* The first N bytes, in memory that ends there. */
static void run(const uint8_t *data, size_t n)
{
        cleanup_free_ uint8_t *copy = malloc(n > 0 ? n : 1);

        CLAIM(copy);
        if (n > 0)
                memcpy(copy, data, n);
        (void)LLVMFuzzerTestOneInput(copy, n);
}

static void run_file(const char *directory, const char *name)
{
        static uint8_t data[1 << 20];
        char path[4096];
        size_t n;
        FILE *f;

        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        f = fopen(path, "re");
        CLAIM(f);
        n = fread(data, 1, sizeof(data), f);
        (void)fclose(f);
        for (size_t cut = 0; cut < MIN2(n, (size_t)512); cut++)
                run(data, cut);
        run(data, n);
}

int main(int argc, char **argv)
{
        unsigned n_files = 0;

        for (int i = 1; i < argc; i++) {
                DIR *d = opendir(argv[i]);

                CLAIM(d);
                for (struct dirent *e = readdir(d); e; e = readdir(d))
                        if (e->d_name[0] != '.') {
                                run_file(argv[i], e->d_name);
                                n_files++;
                        }
                (void)closedir(d);
        }
        (void)printf("%u files\n", n_files);
        return n_files > 0 ? 0 : 1;
}
