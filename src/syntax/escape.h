/* SPDX-License-Identifier: MIT
 *
 * Unit names as text: escaping of strings and paths, and the parts of a name.
 *
 *     string   "/" becomes "-"; letters, digits, ":" "_" "." stay (no "." first); every other byte becomes \xHH
 *     path     without its outer and doubled slashes first; "/" alone becomes "-"
 *
 * Not here: which names are valid units and which files they have (unit/load.h).
 * Functions append to a buf: 0, -ENOMEM or -EINVAL; OUT is as it was on failure.
 */
#ifndef SUPD_SYNTAX_ESCAPE_H
#define SUPD_SYNTAX_ESCAPE_H

#include "base/buf.h"

int name_escape(const char *s, struct buf *out);
int name_unescape(const char *s, size_t n, struct buf *out);      /* -EINVAL: a backslash that is no \xHH, or \x00 */
int name_escape_path(const char *path, struct buf *out);          /* -EINVAL: not absolute, or has ".." */
int name_unescape_path(const char *s, size_t n, struct buf *out); /* "foo-bar" gives "/foo/bar", "-" gives "/" */

/* The parts of "PREFIX@INSTANCE.SUFFIX". Pointers into the name, not NUL-terminated, except suffix. */
struct name_parts {
        const char *prefix;
        size_t prefix_size;
        const char *instance; /* NULL when there is no '@'; size 0 for a template */
        size_t instance_size;
        const char *suffix; /* without the dot: "service" */
};
/* 0, or -EINVAL: no suffix, or an empty prefix. The first '@' and the last '.' divide. */
int name_split(const char *name, struct name_parts *ret);
/* "foo@.service" and "x" give "foo@x.service"; -EINVAL when NAME has no '@'. */
int name_with_instance(const char *name, const char *instance, struct buf *out);
/* "foo@x.service" gives "foo@.service"; -EINVAL when NAME has no instance. */
int name_template(const char *name, struct buf *out);
/* What follows the last dash of S (N bytes), or all of S: %j. *ret_size: its bytes. */
const char *name_last_component(const char *s, size_t n, size_t *ret_size);

#endif
