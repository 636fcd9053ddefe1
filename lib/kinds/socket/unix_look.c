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
static bool look_at(int dir_fd, const struct dirent *found, struct unix_entry *ret_entry)
{
	CLEANUP_FD int fd = -1;
	struct stat attr;

	*ret_entry = (struct unix_entry){.ino = found->d_ino, .mode = DTTOIF(found->d_type)};
	if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
		return false;
	if (found->d_type != DT_UNKNOWN && found->d_type != DT_LNK && found->d_type != DT_DIR)
		return is_shown(ret_entry->mode);
	fd = walk_open(dir_fd, found->d_name, O_PATH);
	if (fd < 0 || fstat(fd, &attr) < 0)
		return false;
	if (found->d_type == DT_UNKNOWN)
		ret_entry->mode = attr.st_mode & S_IFMT;
	return is_shown(attr.st_mode) && !is_pseudo(fd);
}

/* False if there is no room for it. */
static bool piece_add(struct unix_piece *piece, const struct unix_entry *entry, const char *name)
{
	size_t length = strlen(name) + 1;

	if (piece->size + sizeof(*entry) + length > sizeof(piece->entries))
		return false;
	memcpy(piece->entries + piece->size, entry, sizeof(*entry));
	memcpy(piece->entries + piece->size + sizeof(*entry), name, length);
	piece->size += sizeof(*entry) + length;
	return true;
}

int unix_list_act(void *data)
{
	struct unix_piece *piece = data;
	CLEANUP_DIR DIR *dir = walk_opendir(*piece->path ? piece->path : "/");
	struct unix_entry entry;
	struct dirent *found;

	if (!dir)
		return -errno;
	if (piece->offset)
		seekdir(dir, piece->offset);
	while ((found = readdir(dir))) {
		if (look_at(dirfd(dir), found, &entry) && !piece_add(piece, &entry, found->d_name))
			return 0;
		piece->offset = found->d_off;
	}
	piece->is_last = true;
	return 0;
}
