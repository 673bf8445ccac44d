/* SPDX-License-Identifier: MIT
 *
 * What conditions ask of the machine. Each function answers whether the parameter of its Condition…= line holds: 1 it
 * does, 0 it does not, a negative errno: that cannot be decided.
 */
#ifndef SUPD_EXEC_MACHINE_H
#define SUPD_EXEC_MACHINE_H

#include "job.h"

int machine_is_mount_point(const char *path);
int machine_has_host(const char *p);           /* host name (glob) or machine id */
int machine_has_virtualization(const char *p); /* yes, no, vm, container, private-users, or a name */
int machine_has_capability(const char *p);     /* CAP_NAME, in the effective set */
int machine_has_ac_power(const char *p);       /* boolean */
int machine_has_architecture(const char *p);   /* x86-64, arm64, … or native */
int machine_has_command_line(const char *p);   /* word, or name (without =) of an assignment */
int machine_has_kernel_version(const char *p); /* globs and comparisons, all of which must hold */
int machine_has_environment(const char *p);    /* NAME or NAME=value, in the launcher's environment */
int machine_has_first_boot(const char *p);     /* boolean */
int machine_needs_update(const char *p);       /* /etc or /var older than /usr */
int machine_has_security(const char *p);       /* selinux, apparmor, … */
int machine_has_cpus(const char *p);           /* comparison with the CPUs we may use */
int machine_has_memory(const char *p);         /* comparison with the memory of the machine */

/* platform.c */
int machine_has_os_release(const char *p);   /* comparisons with fields of os-release(5), all of which must hold */
int machine_has_firmware(const char *p);     /* uefi, device-tree, device-tree-compatible(…), smbios-field(…) */
int machine_has_cpu_feature(const char *p);  /* rdrand, sse2, … */
int machine_has_credential(const char *p);   /* passed to supd */
int machine_has_controller(const char *p);   /* v1, v2, or controllers, all of which must be there */
int machine_has_cpu_pressure(const char *p); /* at most: [SLICE:]PERCENT[/10sec, /1min or /5min] */
int machine_has_memory_pressure(const char *p);
int machine_has_io_pressure(const char *p);
int machine_is_encrypted(const char *path); /* lies on encrypted block devices only */

#endif
