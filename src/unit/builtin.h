/* SPDX-License-Identifier: MIT
 *
 * Units that exist without a file: the targets that real units lean on (rule 61), and units that are satisfied because
 * nothing has to be done for them here (slices, the root mount, syslog.socket). A file on disk wins over each of them.
 *
 * Not here: parsing: a built-in unit is text in the dialect of unit files.
 */
#ifndef SUPD_UNIT_BUILTIN_H
#define SUPD_UNIT_BUILTIN_H

#include "unit/load.h"

/* The text of built-in unit NAME, or NULL when there is none. Constant. */
const char *builtin_text(const char *name);
/* The unit that built-in alias NAME leads to (runlevel3.target: multi-user.target), or NULL. */
const char *builtin_alias(const char *name);
/* The I-th built-in name that has a text, and the I-th alias; NULL behind the last. */
const char *builtin_name(unsigned i);
const char *builtin_alias_name(unsigned i);

#endif
