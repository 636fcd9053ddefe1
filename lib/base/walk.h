/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths that callers name, walked with their rights on threads of the daemon's.
 */
#ifndef IPCFS_WALK_H
#define IPCFS_WALK_H

#include <stdbool.h>

/*
 * open(2), O_CLOEXEC, of a path below `dir_fd` (AT_FDCWD), but through no magic link of /proc:
 * those of the daemon's own descriptors, which lead past directories that a caller may not search,
 * are open to each of its threads, whoever it acts as (kernel/ptrace.c, __ptrace_may_access).
 * A descriptor or -errno; -ELOOP: there is such a link on the way.
 */
int walk_open(int dir_fd, const char *path, int flags);

/*
 * The same of an absolute path, where `root_fd` is the root: absolute links begin there, and
 * nothing leads above it (RESOLVE_IN_ROOT). -1: the thread's own.
 */
int walk_from(int root_fd, const char *path, int flags);

/* Is it the root of this process, in its mount namespace? -1 is. */
bool walk_is_own_root(int root_fd);

#endif
