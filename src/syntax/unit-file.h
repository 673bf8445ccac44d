/* SPDX-License-Identifier: MIT
 *
 * The lines of a unit file (and of every other file in that dialect): sections, keys, values, with line numbers.
 *
 * Rules 1-3 of the dialect: blanks around key and value go; a final backslash joins the next line with one blank;
 * comment lines (# or ; as the first non-blank) are skipped, also inside a joined line, and do not end it; nothing else
 * is a comment. Lines end at \n, \r\n or \r. A byte order mark at the start is skipped.
 *
 * Not here: what keys mean, drop-ins, reading from disk.
 * Invariant: one bad line costs that line only, is told with file and line, and the rest of the file counts.
 */
#ifndef SUPD_SYNTAX_UNIT_FILE_H
#define SUPD_SYNTAX_UNIT_FILE_H

#include "base/diag.h"
#include "syntax/utf8.h"

#define UNIT_FILE_LINE_MAX (1024u * 1024u) /* bytes of a joined line; longer ones are dropped and told */

/* One assignment. The strings live until the handler returns; none is NULL; section and key are not empty, value may be
 * (that resets list settings). LINE is the first physical line of the assignment, from 1.
 * Returns 0 to go on; a negative errno ends the reading and becomes its result. */
typedef int (*unit_file_handler)(const char *section, const char *key, const char *value, unsigned line,
                                 void *userdata);

/* Reads TEXT (SIZE bytes, any bytes). FILE is for messages only. Dropped with a warning: lines with NUL bytes, lines
 * that are not UTF-8, assignments before the first section, lines without '=', lines without a key, overlong lines. A
 * section header that cannot be read is an error (DIAG_ERROR), because what follows it belongs nowhere: it is skipped
 * up to the next header. D may be NULL. Returns 0, -ENOMEM, or what the handler returned. */
int unit_file_read(const char *text, size_t size, const char *file, unit_file_handler f, void *userdata,
                   struct diag *d);

#endif
