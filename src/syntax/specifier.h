/* SPDX-License-Identifier: MIT
 *
 * %x in values (rule 12).
 *
 * %% is a percent sign; a percent sign at the end, or before anything but a letter or digit, is itself; %x with an
 * unknown x is a mistake. What comes out of the callback is not looked at again.
 *
 * Not here: what the letters mean.
 */
#ifndef SUPD_SYNTAX_SPECIFIER_H
#define SUPD_SYNTAX_SPECIFIER_H

#include "base/buf.h"

/* Appends the value of %LETTER to OUT: 0; -ENOENT when there is no such specifier; or any other negative errno. */
typedef int (*specifier_lookup)(char letter, void *userdata, struct buf *out);

/* Appends S, expanded, to OUT. 0; -ENOENT with the letter in *ret_unknown (may be NULL); -ENOMEM; what the callback
 * returned. On failure OUT is as it was. */
int specifier_expand(const char *s, specifier_lookup f, void *userdata, struct buf *out, char *ret_unknown);

/* A table for those who have their values at hand; the last row has letter 0. NULL values are empty. */
struct specifier_value {
        char letter;
        const char *value;
};
/* As specifier_lookup; userdata is a struct specifier_value[]. */
int specifier_from_table(char letter, void *userdata, struct buf *out);

#endif
