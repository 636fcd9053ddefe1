/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths that callers name, walked with their rights on threads of the daemon's.
 */
#ifndef IPCFS_WALK_H
#define IPCFS_WALK_H

#include <dirent.h>
#include <sys/stat.h>

/*
 * open(2), O_CLOEXEC, of a path below `dir_fd` (AT_FDCWD), but through no magic link of /proc:
 * those of the daemon's own descriptors, which lead past directories that a caller may not search,
 * are open to each of its threads, whoever it acts as (kernel/ptrace.c, __ptrace_may_access).
 * A descriptor or -errno; -ELOOP: there is such a link on the way.
 */
int walk_open(int dir_fd, const char *path, int flags);

/* Of what is there, or with O_NOFOLLOW of the link. */
int walk_stat(int dir_fd, const char *path, int flags, struct stat *ret_attr);

/* opendir(3); NULL and errno. */
DIR *walk_opendir(const char *path);

#endif
