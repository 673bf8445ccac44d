/* SPDX-License-Identifier: MIT
 *
 * One file descriptor that is kept back, so that what must be looked at can be looked at when all others are in use:
 * whose processes are still there, whether a cgroup is empty. One a process; not for several threads.
 *
 * Not here: descriptors that stay open; those may fail. Invariant: the spare one is given up only to an open that fails
 * otherwise, and had again by spare_keep() once that one is closed.
 */
#ifndef SUPD_BASE_SPARE_H
#define SUPD_BASE_SPARE_H

/* Has one, where one can be had; costs nothing when it has one already. */
void spare_keep(void);

/* openat(), O_CLOEXEC included, with the spare descriptor when there is no other. For what is closed again at once.
 * An fd, the caller's; or -1 and errno. */
int spare_openat(int directory, const char *path, int flags);

#endif
