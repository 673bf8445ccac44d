/* SPDX-License-Identifier: MIT
 *
 * supd-shutdown WHAT: what is left to be done when PID 1 of a machine has stopped its services and is about to call
 * reboot(2): every process that is left is ended, swap is given back, file systems are unmounted or, where that cannot
 * be, made read-only, everything is written to disk, and the programs of /usr/lib/systemd/system-shutdown have their
 * say.
 *
 *     processes.c  SIGTERM, a while, SIGKILL        mounts.c  swap, loop devices, file systems
 *
 * Not here: services (the manager), reboot(2) and the bound for all of this (the keeper). Invariant: what cannot be
 * done is said once and passed over; the exit status is 0 always. Source: systemd-halt.service(8).
 */
#ifndef SUPD_PROGRAMS_SUPD_SHUTDOWN_H
#define SUPD_PROGRAMS_SUPD_SHUTDOWN_H

#include "base/util.h"

#include <stdint.h>

uint64_t now_us(void); /* CLOCK_MONOTONIC */
void sleep_us(uint64_t us);

/* Ends every process but PID 1, the kernel's, and those whose first word begins with '@' (they hold the root file
 * system). */
void processes_end(void);

/* Swap, loop devices and file systems, again and again while something gives way. */
void mounts_end(void);

#endif
