// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/kinds/socket/unix_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/walk.h"

static bool is_shown(mode_t mode)
{
	return S_ISDIR(mode) || S_ISSOCK(mode);
}

/* /proc and /sys have no sockets, and whoever goes through everything would never come back. */
static bool is_pseudo(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC);
}

int unix_look_act(void *data)
{
	struct unix_look *look = data;
	CLEANUP_FD int fd = walk_open(AT_FDCWD, look->path, O_PATH | O_NOFOLLOW);
	struct stat target;
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	if (fstat(fd, &look->attr) < 0)
		return -errno;
	if (is_pseudo(fd))
		return -ENOENT;
	if (!S_ISLNK(look->attr.st_mode))
		return is_shown(look->attr.st_mode) ? 0 : -ENOENT;
	r = walk_stat(AT_FDCWD, look->path, 0, &target);
	if (r < 0)
		return r;
	if (!is_shown(target.st_mode))
		return -ENOENT;
	n = readlinkat(fd, "", look->target, sizeof(look->target) - 1);
	return n < 0 ? -errno : 0;
}

/* False if it is nothing to be shown. */
static bool look_at(int dir_fd, const struct dirent *found, struct unix_listed *ret_listed)
{
	CLEANUP_FD int fd = -1;
	struct stat attr;

	*ret_listed = (struct unix_listed){.ino = found->d_ino, .mode = DTTOIF(found->d_type)};
	if (found->d_type != DT_UNKNOWN && found->d_type != DT_LNK && found->d_type != DT_DIR)
		return is_shown(ret_listed->mode);
	fd = walk_open(dir_fd, found->d_name, O_PATH);
	if (fd < 0 || fstat(fd, &attr) < 0)
		return false;
	if (found->d_type == DT_UNKNOWN)
		ret_listed->mode = attr.st_mode & S_IFMT;
	return is_shown(attr.st_mode) && !is_pseudo(fd);
}

int unix_list_act(void *data)
{
	struct unix_listing *listing = data;
	CLEANUP_DIR DIR *dir = walk_opendir(*listing->path ? listing->path : "/");
	struct dirent *found;
	FILE *out;

	if (!dir)
		return -errno;
	out = open_memstream(&listing->entries, &listing->size);
	if (!out)
		return -ENOMEM;
	while ((found = readdir(dir))) {
		size_t length = strlen(found->d_name);
		struct unix_listed listed;

		if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0 ||
		    !look_at(dirfd(dir), found, &listed))
			continue;
		fwrite(&listed, offsetof(struct unix_listed, name), 1, out);
		fwrite(found->d_name, length + 1, 1, out);
	}
	if (fclose(out) == 0)
		return 0;
	free(TAKE_PTR(listing->entries));
	return -ENOMEM;
}

void unix_list_drop(struct host *host, struct caller *caller, void *data)
{
	free(((struct unix_listing *)data)->entries);
}
