/* SPDX-License-Identifier: MIT
 *
 * An allocator that has nothing: linked into the keeper (or into this file's own little program, with -DPOOR_CHECK), it
 * takes the place of libc's. Whoever allocates behind the start of main() is aborted, with a line that says so.
 *
 * Not here: an allocator. Invariant: nothing is ever given behind poor_begin(); what libc itself asks for before comes
 * from a small array and is never taken back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Alignas(16) char early[16384];
static size_t early_used;
static int poor;

/* The last thing before main(). */
__attribute__((constructor(65535))) static void poor_begin(void)
{
        poor = 1;
}

static void *give(size_t n)
{
        static const char says[] = "poor: an allocation\n";
        void *p = early + early_used;

        n = (n + 15) & ~(size_t)15;
        if (!poor && n <= sizeof(early) - early_used) {
                early_used += n;
                return p;
        }
        (void)!write(STDERR_FILENO, says, sizeof(says) - 1);
        abort();
}

void *malloc(size_t n)
{
        return give(n);
}

void *calloc(size_t n, size_t size)
{
        return give(n * size); /* the array is zero */
}

void *realloc(void *p, size_t n)
{
        (void)p;
        return give(n);
}

void *aligned_alloc(size_t align, size_t n)
{
        (void)align;
        return give(n);
}

void free(void *p)
{
        if (p && poor)
                (void)give(1); /* it had none */
}

#ifdef POOR_CHECK
/* Ends with 0 when each of the three is refused. */
#include <signal.h>
#include <sys/wait.h>

static void *volatile kept;

static void try(int what)
{
        if (what == 0)
                kept = malloc(10);
        else if (what == 1)
                kept = calloc(2, 5);
        else
                kept = strdup("libc itself");
}

int main(void)
{
        for (int what = 0; what < 3; what++) {
                int status = 0;
                pid_t p = fork();

                if (p == 0) {
                        try(what);
                        _exit(0);
                }
                if (p < 0 || waitpid(p, &status, 0) != p || !WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
                        return what + 1;
        }
        return 0;
}
#endif
