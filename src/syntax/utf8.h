/* SPDX-License-Identifier: MIT
 *
 * As much UTF-8 as a unit file needs: is it, and write one code point.
 *
 * Not here: case, width, normal forms. Invariant: usable by supd-exec (libc and buf.c only).
 */
#ifndef SUPD_SYNTAX_UTF8_H
#define SUPD_SYNTAX_UTF8_H

#include "base/buf.h"

/* Whether S, N bytes, is UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF. NUL bytes are not. */
bool utf8_is_valid(const char *s, size_t n);
/* 0, -EINVAL for what is no code point (surrogates, above U+10FFFF), -ENOMEM. */
int utf8_append(struct buf *b, uint32_t code);

#endif
