/* SPDX-License-Identifier: MIT
 *
 * What conditions ask of the machine. Each function answers whether the parameter of its Condition…= line holds.
 */
#ifndef SUPD_EXEC_MACHINE_H
#define SUPD_EXEC_MACHINE_H

#include "job.h"

bool machine_is_mount_point(const char *path);
bool machine_has_host(const char *p);           /* host name (glob) or machine id */
bool machine_has_virtualization(const char *p); /* yes, no, vm, container, private-users, or a name */
bool machine_has_capability(const char *p);     /* CAP_NAME, in the effective set */
bool machine_has_ac_power(const char *p);       /* boolean */
bool machine_has_architecture(const char *p);   /* x86-64, arm64, … or native */
bool machine_has_command_line(const char *p);   /* word, or name (without =) of an assignment */
bool machine_has_kernel_version(const char *p); /* globs and comparisons, all of which must hold */
bool machine_has_environment(const char *p);    /* NAME or NAME=value, in the launcher's environment */
bool machine_has_first_boot(const char *p);     /* boolean */
bool machine_needs_update(const char *p);       /* /etc or /var older than /usr */
bool machine_has_security(const char *p);       /* selinux, apparmor, … */
bool machine_has_cpus(const char *p);           /* comparison with the CPUs we may use */
bool machine_has_memory(const char *p);         /* comparison with the memory of the machine */

#endif
