/* SPDX-License-Identifier: MIT
 *
 * What the verbs on files (unit-files.c, cat.c, verify.c) share. Not here: the verbs on the table (supctl.h).
 */
#ifndef SUPD_SUPCTL_UNIT_FILES_H
#define SUPD_SUPCTL_UNIT_FILES_H

#include "install/install.h"
#include "programs/supctl/supctl.h"

struct words_owned {
        char **v; /* owned, strings too */
        unsigned n;
};
void words_done(struct words_owned *w);

/* The directories that the options mean; says what is wrong. 0 or negative errno. */
int where_of_options(const struct options *o, struct install_where *ret);
struct unit_paths;
/* The directories of WHERE as the loader takes them; DIR, unless NULL, before them. 0 or negative errno. */
int paths_of_where(const struct install_where *w, const char *dir, struct unit_paths *ret);
void where_leave(struct install_where *w); /* frees; says what was at fault in files */

#endif
