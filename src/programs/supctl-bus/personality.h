/* SPDX-License-Identifier: MIT
 * See personality.c. Texts go to standard error, with their line break. SYSTEMCTL: in systemctl's words.
 */
#ifndef SUPCTL_BUS_PERSONALITY_H
#define SUPCTL_BUS_PERSONALITY_H

#include "base/util.h"

bool called_as_systemctl(const char *argv0);
bool say_outcome(bool systemctl, const char *result, const char *unit); /* of a job; false: there is no such text */
void say_failed(bool systemctl, const char *result, const char *unit);  /* RESULT of the unit, or NULL */
void say_hint(bool systemctl, const char *unit);
const char *say_verb(bool systemctl, const char *verb); /* as it stands behind "Failed to" */

#endif
