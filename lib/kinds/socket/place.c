// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bind(2) follows magic links, and those of our own descriptors are open to each of our threads
 * (walk.h): a user who swaps a directory for such a link at the right moment makes bind(2) create
 * the socket file in a directory that the user may write to but not walk to.
 *
 * So everything else uses a descriptor of the directory, which was reached without such links, and
 * before anybody can connect, the socket is checked to be in that directory. If it is not,
 * listening fails. All that the user has gained is an empty file of their own, at which nobody
 * listens.
 */
#include "lib/kinds/socket/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lib/base/cleanup.h"
#include "lib/base/walk.h"
#include "lib/host/caller.h"

/*
 * bind(2) walks a path from our root. For a caller with another mount namespace or root the same
 * path may lead elsewhere, and what is hidden there must stay hidden. So the directory has to be
 * the one that the path leads the caller to, and not read-only there.
 */
static int check_place(int dir_fd, const char *path)
{
	CLEANUP_FD int theirs = -1;
	struct stat here, there;
	struct statvfs fs;

	if (walk_is_own_root(caller_root()))
		return dir_fd < 0 ? dir_fd : 0;
	theirs = walk_from(caller_root(), path, O_PATH | O_DIRECTORY);
	if (theirs < 0)
		return theirs;
	if (dir_fd < 0 || fstat(dir_fd, &here) < 0 || fstat(theirs, &there) < 0 ||
	    here.st_dev != there.st_dev || here.st_ino != there.st_ino)
		return -EPERM;
	return fstatvfs(theirs, &fs) < 0 || (fs.f_flag & ST_RDONLY) ? -EROFS : 0;
}

int place_open(const char *path, const char **ret_name)
{
	CLEANUP_FD int fd = -1;
	char directory[PATH_MAX];
	int r;

	strcpy(directory, path);
	*strrchr(directory, '/') = '\0';
	*ret_name = strrchr(path, '/') + 1;
	if (!*directory)
		strcpy(directory, "/");
	fd = walk_open(AT_FDCWD, directory, O_PATH | O_DIRECTORY);
	r = check_place(fd, directory);
	return r < 0 ? r : TAKE_FD(fd);
}
