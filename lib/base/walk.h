/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths that callers name, walked with the callers' rights on the daemon's threads.
 */
#ifndef IPCFS_WALK_H
#define IPCFS_WALK_H

#include <stdbool.h>

/*
 * Opens a path below `dir_fd` (or AT_FDCWD), as open(2) with O_CLOEXEC, but follows no magic link
 * of /proc. The links of the daemon's own descriptors lead past directories that a caller may not
 * search, and each of the daemon's threads may follow them, whoever the thread acts as
 * (kernel/ptrace.c, __ptrace_may_access). Returns a descriptor or -errno. Fails with -ELOOP if
 * there is such a link on the way.
 */
int walk_open(int dir_fd, const char *path, int flags);

/*
 * Like walk_open(), for an absolute path with `root_fd` as its root: absolute links begin there,
 * and nothing leads above it (RESOLVE_IN_ROOT). If `root_fd` is -1, the root is the thread's own.
 */
int walk_from(int root_fd, const char *path, int flags);

/* Whether `root_fd` is the root of this process, in its mount namespace. True for -1. */
bool walk_is_own_root(int root_fd);

#endif
