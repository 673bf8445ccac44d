/* SPDX-License-Identifier: MIT
 *
 * Reading and writing the little files of a cgroup. Internal to the room.
 */
#ifndef SUPD_CGROUP_FILES_H
#define SUPD_CGROUP_FILES_H

#include "base/buf.h"

/* All of file PATH below DIRECTORY (or AT_FDCWD), appended. 0 or a negative errno. */
int cgroup_file_read(int directory, const char *path, struct buf *b);
/* TEXT in one write. 0 or a negative errno. */
int cgroup_file_write(int directory, const char *path, const char *text);

/* cgroup.c: whether anything runs in the base of C or below: 1, 0, or a negative errno. */
struct cgroup;
int cgroup_base_populated(const struct cgroup *c);

#endif
