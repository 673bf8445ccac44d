/* SPDX-License-Identifier: MIT
 *
 * The last lines of a log file. Not here: following it. Invariant: reads at most a bounded piece from the end; a
 * terminal never gets control characters out of a log.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "programs/supctl/supctl.h"

#define TAIL_MAX ((off_t)256 * 1024)

/* Where the last LINES lines begin. */
static size_t tail_start(const char *text, size_t n, unsigned lines)
{
        size_t at = n;

        if (at > 0 && text[at - 1] == '\n')
                at--;
        while (at > 0) {
                if (text[at - 1] == '\n' && --lines == 0)
                        break;
                at--;
        }
        return at;
}

static void put_line(const char *line, size_t n, bool raw, FILE *to)
{
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)line[i];

                if (!raw && ((c < 0x20 && c != '\t') || c == 0x7f))
                        fprintf(to, "\\x%02x", c);
                else
                        (void)fputc(c, to);
        }
        (void)fputc('\n', to);
}

int log_tail(const char *path, unsigned lines, bool raw, FILE *to)
{
        cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        cleanup_free_ char *text = NULL;
        struct stat st;
        off_t from, piece = (off_t)lines * 512 + 4096;
        ssize_t n;
        int printed = 0;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if (lines == 0 || st.st_size == 0)
                return 0;
        piece = MIN2(piece, TAIL_MAX);
        from = st.st_size > piece ? st.st_size - piece : 0;
        text = malloc((size_t)piece);
        if (!text)
                return -ENOMEM;
        n = pread(fd, text, (size_t)piece, from);
        if (n < 0)
                return -errno;
        for (size_t at = tail_start(text, (size_t)n, lines); at < (size_t)n; printed++) {
                const char *end = memchr(text + at, '\n', (size_t)n - at);
                size_t length = end ? (size_t)(end - text) - at : (size_t)n - at;

                if (printed == 0)
                        (void)fputc('\n', to);
                put_line(text + at, length, raw, to);
                at += length + 1;
        }
        return printed;
}
