// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * To look, the kernel is asked who is bound to the file: a connection would disturb whoever listens
 * after all. Only a removal tries to connect as well, since a listener may be in another network
 * namespace, of which the kernel does not tell.
 */
#include "lib/kinds/socket/strays.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/disuse.h"
#include "lib/channel/listed.h"
#include "lib/host/sock_diag.h"
#include "lib/kinds/socket/listener.h"
#include "lib/kinds/socket/server.h"

/* Where sockets/unix shows the directory. */
#define SHOWN (SERVER_DIRECTORY + 1)

static int open_directory(void)
{
	int fd = open(SERVER_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static bool is_stray(int dir_fd, const char *name, struct stat *ret_attr)
{
	ino_t ino;

	return fstatat(dir_fd, name, ret_attr, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISSOCK(ret_attr->st_mode) &&
	       sock_diag_bound(ret_attr->st_dev, ret_attr->st_ino, &ino, 1) == 0;
}

static int list(struct listed *listed, DIR *directory)
{
	const struct dirent *entry;
	struct stat attr;
	int r = 0;

	while (r == 0 && (entry = readdir(directory)))
		if (is_stray(dirfd(directory), entry->d_name, &attr))
			r = listed_add(listed, entry->d_name, attr.st_ino, S_IFSOCK);
	return r;
}

static int find_act(void *data)
{
	struct listed *listed = data;
	DIR *directory = opendir(SERVER_DIRECTORY);
	int r = directory ? list(listed, directory) : 0;

	if (directory)
		closedir(directory);
	return listed_end(listed, r);
}

struct strays_reader {
	stray_fn *found;
	void *data;
	int dir_fd;
};

static bool tell(void *data, const char *name, ino_t ino, mode_t mode)
{
	struct strays_reader *reader = data;
	char path[PATH_MAX];
	struct stat attr;

	if (fstatat(reader->dir_fd, name, &attr, AT_SYMLINK_NOFOLLOW) < 0 || attr.st_ino != ino)
		return true;
	snprintf(path, sizeof(path), "%s/%s", SHOWN, name);
	reader->found(reader->data, path, &attr, "nobody listens at this socket");
	return true;
}

int strays_find(struct host *host, struct caller *caller, stray_fn *found, void *data)
{
	CLEANUP_FD int dir_fd = open_directory();
	struct strays_reader reader = {found, data, dir_fd};
	struct listed listed = {0};

	if (dir_fd < 0)
		return dir_fd == -ENOENT ? 0 : dir_fd;
	return listed_run(host, caller,
			  &(struct job_call){.place = JOB_WORKER,
					     .act = find_act,
					     .undo = listed_drop,
					     .data = &listed,
					     .size = sizeof(listed)},
			  &(struct listed_reader){tell, &reader});
}

struct stray_removal {
	struct timespec before;
	char name[NAME_MAX + 1];
};

static int removal_act(void *data)
{
	const struct stray_removal *removal = data;
	CLEANUP_FD int dir_fd = open_directory();
	struct stat attr;

	if (dir_fd < 0)
		return dir_fd;
	if (!is_stray(dir_fd, removal->name, &attr) ||
	    disuse_last(&attr).tv_sec > removal->before.tv_sec ||
	    !listener_remove_stale(dir_fd, removal->name, SOCK_STREAM))
		return -EBUSY;
	return 0;
}

/* The directory is the daemon's, so the daemon removes the file for its owner. */
int strays_remove(struct host *host, const char *name, const struct timespec *before,
		  struct caller *caller)
{
	struct stray_removal removal;
	CLEANUP_FD int dir_fd = open_directory();
	struct stat attr;

	memset(&removal, 0, sizeof(removal)); /* job_run() compares all of it */
	removal.before = *before;
	snprintf(removal.name, sizeof(removal.name), "%s", name + strlen(SHOWN) + 1);
	if (dir_fd < 0)
		return dir_fd;
	if (fstatat(dir_fd, removal.name, &attr, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !caller_owns(caller, attr.st_uid))
		return -EPERM;
	return job_run(host, caller,
		       &(struct job_call){.place = JOB_ALONE,
					  .act = removal_act,
					  .data = &removal,
					  .size = sizeof(removal)});
}
