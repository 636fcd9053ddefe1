// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Follows no magic link of /proc: every path goes through walk_open() or walk_from().
 */
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

/* /proc and /sys have no sockets, and a search through everything in them would never end. */
static bool is_pseudo(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC);
}

/* Splits at the last '/': opens what precedes it, and points *ret_name at what follows. */
static int open_parent(const char *path, const char **ret_name)
{
	char parent[PATH_MAX];
	size_t length = (size_t)(strrchr(path, '/') - path);

	memcpy(parent, path, length);
	parent[length] = '\0';
	*ret_name = path + length + 1;
	return walk_from(caller_root(), length ? parent : "/", O_PATH | O_DIRECTORY);
}

/* Whether fs.protected_symlinks is on: yes, unless it can be read and says 0. */
static bool is_protected(void)
{
	CLEANUP_FD int fd = open("/proc/sys/fs/protected_symlinks", O_RDONLY | O_CLOEXEC);
	char value = '1';

	return fd < 0 || read(fd, &value, 1) != 1 || value != '0';
}

/* The rule of fs.protected_symlinks (proc_sys_fs(5)). */
static bool is_refused(int parent, const struct stat *link)
{
	struct stat attr;

	if (fstat(parent, &attr) < 0)
		return true;
	return (attr.st_mode & S_ISVTX) && (attr.st_mode & S_IWOTH) && link->st_uid != geteuid() &&
	       link->st_uid != attr.st_uid && is_protected();
}

/*
 * Finds where a link leads, and whether the caller may follow it. The caller will follow what we
 * return, through directories that we show without their sticky bit, so no rule would stop that.
 * Therefore the kernel follows the link here, as the caller, and refuses if need be. But by then
 * the name may lead to another link than the one that was opened, and someone may swap them all the
 * time. So the rule is applied once more, to the link that was opened.
 */
static int look_at_link(int parent, int fd, struct unix_look *look)
{
	CLEANUP_FD int there = walk_from(caller_root(), look->path, O_PATH);
	struct stat target;
	ssize_t n;

	if (there < 0)
		return there;
	if (fstat(there, &target) < 0)
		return -errno;
	if (is_refused(parent, &look->attr))
		return -EACCES;
	if (!is_shown(target.st_mode))
		return -ENOENT;
	n = readlinkat(fd, "", look->target, sizeof(look->target) - 1);
	return n < 0 ? -errno : 0;
}

int unix_look_act(void *data)
{
	struct unix_look *look = data;
	const char *name;
	CLEANUP_FD int parent = open_parent(look->path, &name);
	CLEANUP_FD int fd = -1;

	if (parent < 0)
		return parent;
	fd = walk_open(parent, name, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return fd;
	if (fstat(fd, &look->attr) < 0)
		return -errno;
	if (is_pseudo(fd))
		return -ENOENT;
	if (S_ISLNK(look->attr.st_mode))
		return look_at_link(parent, fd, look);
	return is_shown(look->attr.st_mode) ? 0 : -ENOENT;
}

/* Opens an entry, or what a link leads to. */
static int open_entry(int dir_fd, const char *path, const struct dirent *found)
{
	char full[PATH_MAX];

	if (found->d_type != DT_LNK && found->d_type != DT_UNKNOWN)
		return walk_open(dir_fd, found->d_name, O_PATH | O_NOFOLLOW);
	if (snprintf(full, sizeof(full), "%s/%s", path, found->d_name) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	return walk_from(caller_root(), full, O_PATH);
}

/* Returns whether the entry is shown, and its type. */
static bool look_at(int dir_fd, const char *path, const struct dirent *found, mode_t *ret_mode)
{
	CLEANUP_FD int fd = -1;
	struct stat attr;

	*ret_mode = DTTOIF(found->d_type);
	if (found->d_type != DT_UNKNOWN && found->d_type != DT_LNK && found->d_type != DT_DIR)
		return is_shown(*ret_mode);
	fd = open_entry(dir_fd, path, found);
	if (fd < 0 || fstat(fd, &attr) < 0)
		return false;
	if (found->d_type == DT_UNKNOWN)
		*ret_mode = attr.st_mode & S_IFMT;
	return is_shown(attr.st_mode) && !is_pseudo(fd);
}

/* A directory's number comes from its path; for a socket stat(2) shows a connection's number. */
static ino_t shown_ino(const char *path, const struct dirent *found, mode_t mode)
{
	char shown[sizeof(UNIX_ROOT_PATH) + PATH_MAX + sizeof(found->d_name)];

	snprintf(shown, sizeof(shown), UNIX_ROOT_PATH "%s/%s", path, found->d_name);
	return S_ISDIR(mode) ? space_name_ino(shown) : space_address_ino(shown);
}

static int add_entry(DIR *dir, struct unix_listing *listing, const struct dirent *found)
{
	mode_t mode;

	if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0 ||
	    !look_at(dirfd(dir), listing->path, found, &mode))
		return 0;
	/* A socket has to be shown as a regular file, so that it can be opened. */
	return listed_add(&listing->listed, found->d_name, shown_ino(listing->path, found, mode),
			  S_ISSOCK(mode) ? S_IFREG : mode);
}

/* Continues where the last piece ended, at the directory's own offset. */
static int list(DIR *dir, struct unix_listing *listing)
{
	struct dirent *found;
	long place;
	int r;

	if (listing->listed.next)
		seekdir(dir, listing->listed.next);
	for (;;) {
		place = telldir(dir);
		errno = 0;
		found = readdir(dir);
		listing->listed.next = 0;
		if (!found)
			return -errno;
		r = add_entry(dir, listing, found);
		if (r == -E2BIG && listing->listed.size && place) {
			listing->listed.next = place;
			return 0;
		}
		if (r < 0)
			return r;
	}
}

int unix_list_act(void *data)
{
	struct unix_listing *listing = data;
	CLEANUP_FD int fd = walk_from(caller_root(), *listing->path ? listing->path : "/",
				      O_RDONLY | O_DIRECTORY);
	CLEANUP_DIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r;

	if (fd < 0)
		return fd;
	if (!dir)
		return -errno;
	TAKE_FD(fd);
	r = list(dir, listing);
	/* -ELOOP comes from the mount itself, which is not listed once more through itself. */
	return listed_end(&listing->listed, r == -ELOOP ? 0 : r);
}
