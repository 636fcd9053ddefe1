// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

int walk_open(int dir_fd, const char *path, int flags)
{
	const struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int walk_stat(int dir_fd, const char *path, int flags, struct stat *ret_attr)
{
	CLEANUP_FD int fd = walk_open(dir_fd, path, O_PATH | flags);

	if (fd < 0)
		return fd;
	return fstat(fd, ret_attr) < 0 ? -errno : 0;
}

DIR *walk_opendir(const char *path)
{
	CLEANUP_FD int fd = walk_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
	DIR *dir;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	dir = fdopendir(fd);
	if (dir)
		TAKE_FD(fd);
	return dir;
}
