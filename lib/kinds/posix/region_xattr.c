// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One attribute is special: the capabilities of a program ("security.capability"). Natively the
 * kernel takes them away from a file that is written to, truncated or given away, whatever the
 * rights of the user who does that. For a file in the mount the kernel looks for them before the
 * first write, and removes them in the writer's name. Reading them takes no right. Removing them
 * with removexattr(2) takes CAP_SETFCAP, which the kernel has checked before it asks the daemon
 * (linux/security/commoncap.c, cap_inode_removexattr). So the daemon must not refuse a removal for
 * lack of CAP_SETFCAP, and makes all removals with its own rights.
 */
#include "lib/kinds/posix/region_xattr.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/posix/region.h"

#define CAPABILITIES "security.capability"
#define ACL_OF_NEW   "system.posix_acl_default"

ssize_t region_get_acl(struct named *named, int fd, void *data, size_t size)
{
	int found = fd >= 0 ? -1 : region_find(named);
	char path[REGION_LINK_SIZE];
	ssize_t n;

	if (fd < 0 && found < 0)
		return found;
	n = getxattr(region_link(fd >= 0 ? fd : found, path), XATTR_ACL, data, size);
	if (n < 0)
		n = errno == EOPNOTSUPP ? -ENODATA : -errno;
	region_let_go(named->channel.space->host, found);
	return n;
}

bool region_inherits(const struct space *space_)
{
	const struct named_space *space = (const struct named_space *)space_;

	return space->is_in_memory && fgetxattr(space_->dir_fd, ACL_OF_NEW, NULL, 0) > 0;
}

static bool is_capabilities(const char *name)
{
	return name && strcmp(name, CAPABILITIES) == 0;
}

static ssize_t get(const struct named *named, int fd, const struct region_xattr *asked)
{
	const struct iovec *room = &asked->room;
	char path[REGION_LINK_SIZE];
	ssize_t n;

	/* The caller must also be able to reach the file by its path. */
	if (faccessat(named->channel.space->dir_fd, ".", X_OK, AT_EACCESS) < 0)
		return -errno;
	region_link(fd, path);
	n = asked->name ? getxattr(path, asked->name, room->iov_base, room->iov_len)
			: listxattr(path, room->iov_base, room->iov_len);
	return n < 0 ? -errno : n;
}

static ssize_t get_as_caller(const struct named *named, int fd, const struct region_xattr *asked,
			     struct caller *caller)
{
	ssize_t n = caller_enter(caller);

	if (n < 0)
		return n;
	n = get(named, fd, asked);
	caller_leave();
	return n;
}

ssize_t region_get_xattr(struct named *named, int fd, const struct region_xattr *asked,
			 struct caller *caller)
{
	int found = fd >= 0 ? -1 : region_find(named);
	ssize_t n;

	if (fd < 0 && found < 0)
		return found;
	if (is_capabilities(asked->name))
		n = get(named, fd >= 0 ? fd : found, asked);
	else
		n = get_as_caller(named, fd >= 0 ? fd : found, asked, caller);
	region_let_go(named->channel.space->host, found);
	return n;
}

struct xattr_setting {
	struct region_target target;
	bool removes;
	int flags;
	size_t size;
	char name[XATTR_NAME_MAX + 1];
	char value[];
};

static int setting_act(void *data)
{
	const struct xattr_setting *setting = data;
	CLEANUP_FD int fd = region_target_open(&setting->target);
	char path[REGION_LINK_SIZE];
	int r;

	if (fd < 0)
		return fd;
	region_link(fd, path);
	if (setting->removes)
		r = removexattr(path, setting->name);
	else
		r = setxattr(path, setting->name, setting->value, setting->size, setting->flags);
	return r < 0 ? -errno : 0;
}

/* Fills in the job's data, in the host's spare buffer. Fails with -ENOMEM. */
static int setting_new(struct named *named, int fd, const struct xattr *xattr,
		       struct xattr_setting **ret_setting)
{
	struct host *host = named->channel.space->host;
	struct xattr_setting *setting;

	if (host_reserve_spare(host, sizeof(*setting) + xattr->size) < 0)
		return -ENOMEM;
	setting = (struct xattr_setting *)host->spare;
	memset(setting, 0, sizeof(*setting)); /* job_run() compares all of it */
	region_target_find(&setting->target, named, fd);
	setting->removes = !xattr->value;
	setting->flags = xattr->flags;
	setting->size = xattr->size;
	strcpy(setting->name, xattr->name);
	if (xattr->size)
		memcpy(setting->value, xattr->value, xattr->size);
	*ret_setting = setting;
	return 0;
}

int region_set_xattr(struct named *named, int fd, const struct xattr *xattr, struct caller *caller)
{
	struct space *space = named->channel.space;
	struct job_call call = {.place = JOB_THREAD, .act = setting_act};
	struct xattr_setting *setting;
	int r;

	if (xattr->size > XATTR_MOST)
		return -E2BIG;
	if (strlen(xattr->name) > XATTR_NAME_MAX)
		return -ERANGE;
	r = setting_new(named, fd, xattr, &setting);
	if (r < 0)
		return r;
	call.data = setting;
	call.size = sizeof(*setting) + setting->size;
	if (!setting->removes || !is_capabilities(setting->name))
		return region_run(space, caller, &call);
	call.place = JOB_WORKER;
	return job_run(space->host, caller, &call);
}
