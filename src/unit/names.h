/* SPDX-License-Identifier: MIT
 *
 * Unit names taken apart, and the names of enum values as tables that parser and printer share.
 *
 * Not here: files. Invariant: a name table has an entry for every value of its enum.
 */
#ifndef SUPD_UNIT_NAMES_H
#define SUPD_UNIT_NAMES_H

#include "base/names.h"
#include "unit/load.h"

#define UNIT_NAME_MAX 255 /* bytes, without the NUL */

/* "foo@bar.service": prefix "foo", instance "bar", suffix ".service". Points into the name it was made from. */
struct unit_name {
        const char *prefix, *instance, *suffix; /* instance NULL = no '@' */
        size_t prefix_size, instance_size;
};

/* 0 or -EINVAL. */
int unit_name_split(const char *name, struct unit_name *ret);
bool unit_name_is_instance(const char *name); /* an '@' with something behind it */
/* "foo@bar.service" → "foo@.service"; and a template with an instance put in. 0 or -EINVAL. */
int unit_name_template(const char *name, char ret[static UNIT_NAME_MAX + 1]);
int unit_name_instantiate(const char *template_name, const char *instance, size_t instance_size,
                          char ret[static UNIT_NAME_MAX + 1]);

/* The enums of unit.h: a table of words and name functions for each (base/names.h). */
#define UNIT_ENUMS(X)                                                                                                  \
        X(unit_type, N_UNIT_TYPES)                                                                                     \
        X(unit_load_state, N_LOAD_STATES)                                                                              \
        X(unit_dependency, N_UNIT_DEPENDENCIES)                                                                        \
        X(service_type, N_SERVICE_TYPES)                                                                               \
        X(service_restart, N_SERVICE_RESTARTS)                                                                         \
        X(kill_mode, N_KILL_MODES)                                                                                     \
        X(notify_access, N_NOTIFY_ACCESSES)                                                                            \
        X(exec_kind, N_EXEC_KINDS)                                                                                     \
        X(exec_directory, N_EXEC_DIRECTORIES)                                                                          \
        X(exec_input, N_EXEC_INPUTS)                                                                                   \
        X(exec_output, N_EXEC_OUTPUTS)                                                                                 \
        X(preserve_mode, N_PRESERVE_MODES)                                                                             \
        X(keyring_mode, N_KEYRING_MODES)                                                                               \
        X(protect_system, N_PROTECT_SYSTEMS)                                                                           \
        X(protect_home, N_PROTECT_HOMES)                                                                               \
        X(condition_kind, N_CONDITION_KINDS)                                                                           \
        X(oom_policy, N_OOM_POLICIES)                                                                                  \
        X(emergency_action, N_EMERGENCY_ACTIONS)                                                                       \
        X(timeout_failure_mode, N_TIMEOUT_FAILURE_MODES)

#define UNIT_ENUM_DECLARE(e, n) ENUM_NAMES_DECLARE(e, enum e)
UNIT_ENUMS(UNIT_ENUM_DECLARE)
#undef UNIT_ENUM_DECLARE

#endif
