// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Uses openat2(2): the kernel applies the rules while it walks, so no rename can slip past a check.
 */
#include "lib/base/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * How often a path is tried. If a rename comes in between, the kernel refuses a path with ".."
 * (-EAGAIN), and there may be many renames.
 */
#define TRIES_MOST 100

static int walk(int dir_fd, const char *path, int flags, unsigned resolve)
{
	const struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int walk_open(int dir_fd, const char *path, int flags)
{
	return walk(dir_fd, path, flags, 0);
}

int walk_from(int root_fd, const char *path, int flags)
{
	int fd = -EAGAIN;

	if (root_fd < 0)
		return walk(AT_FDCWD, path, flags, 0);
	for (int i = 0; i < TRIES_MOST && fd == -EAGAIN; i++)
		fd = walk(root_fd, path, flags, RESOLVE_IN_ROOT);
	return fd;
}

/* A mount is in one namespace only, so comparing mounts compares namespaces too. */
bool walk_is_own_root(int root_fd)
{
	struct statx own, its;

	if (root_fd < 0)
		return true;
	return statx(AT_FDCWD, "/", 0, STATX_INO | STATX_MNT_ID, &own) == 0 &&
	       statx(root_fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &its) == 0 &&
	       own.stx_mask & its.stx_mask & STATX_MNT_ID && own.stx_mnt_id == its.stx_mnt_id &&
	       own.stx_ino == its.stx_ino;
}
