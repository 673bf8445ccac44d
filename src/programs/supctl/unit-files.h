/* SPDX-License-Identifier: MIT
 *
 * What the verbs on files (unit-files.c, list-unit-files.c, cat.c, verify.c) share. Not here: the verbs on the table
 * (supctl.h).
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

/* unit-file-names.c; VERB is for messages, which are printed. 0, -EINVAL, -ENOMEM. */
int name_of_word(const char *word, const char *suffix, const char *verb, struct words_owned *ret);
int names_of_words(const char *const *words, unsigned n, const char *verb, bool paths, struct words_owned *ret);

/* unit-file-state.c: the same as unit_file_words(), for programs. False: there is nothing to say. */
bool unit_file_known(const struct options *o, const char *unit, const char *path, struct install_known *ret);
const char *preset_word(const struct install_known *k);

/* bus.c: supctl-bus VERB NAMES…, for the same supd. Its exit status. */
int bus_run(const struct options *o, const char *verb, const struct words_owned *names);

/* sysv.c */
int run_and_wait(const char *path, const char *const *argv, bool quiet, int *ret_status); /* 0 or negative errno */
/* Names that are scripts only are taken from NAMES. 1: some script is enabled. */
int scripts_first(const struct options *o, const struct install_where *w, const char *verb, struct words_owned *names);

/* The directories that the options mean; says what is wrong. 0 or negative errno. */
int where_of_options(const struct options *o, struct install_where *ret);
struct unit_paths;
/* The directories of WHERE as the loader takes them; DIR, unless NULL, before them. 0 or negative errno. */
int paths_of_where(const struct install_where *w, const char *dir, struct unit_paths *ret);
void where_leave(struct install_where *w); /* frees; says what was at fault in files */

#endif
