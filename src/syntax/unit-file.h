/* SPDX-License-Identifier: MIT
 *
 * The lines of a unit file (and of every other file in that dialect): sections, keys, values, with line numbers.
 *
 * Rules 1-3 of the dialect: blanks around key and value go; a final backslash joins the next line with one blank;
 * comment lines (# or ; as the first non-blank) are skipped, also inside a joined line, and do not end it; nothing else
 * is a comment. Lines end at \n, \r\n, \r or a NUL byte. A byte order mark at the start is skipped.
 *
 * Not here: what keys mean, drop-ins, reading from disk.
 * Invariant: a line that says nothing costs that line only; one behind which nothing can be trusted ends the reading.
 * Both are told with file and line.
 */
#ifndef SUPD_SYNTAX_UNIT_FILE_H
#define SUPD_SYNTAX_UNIT_FILE_H

#include "base/diag.h"
#include "syntax/utf8.h"

#define UNIT_FILE_LINE_MAX (1024u * 1024u) /* bytes of a joined line; longer ones end the reading */

/* One assignment. The strings live until the handler returns; none is NULL; the key is not empty, section ("[]") and
 * value (that resets list settings) may be. LINE is the first physical line of the assignment, from 1.
 * Returns 0 to go on; a negative errno ends the reading and becomes its result. */
typedef int (*unit_file_handler)(const char *section, const char *key, const char *value, unsigned line,
                                 void *userdata);

/* Reads TEXT (SIZE bytes, any bytes). FILE is for messages only. Dropped with a warning: assignments before the first
 * section, lines without '=', lines without a key. A section header that cannot be read, a line that is not UTF-8 and
 * an overlong one are errors (DIAG_ERROR), as in systemd: what came before them was handed on, what follows is not. D
 * may be NULL. Returns 0, -EBADMSG after such an error, -ENOMEM, or what the handler returned. */
int unit_file_read(const char *text, size_t size, const char *file, unit_file_handler f, void *userdata,
                   struct diag *d);

#endif
