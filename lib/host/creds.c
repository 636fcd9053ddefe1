// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whoever can read the credentials is trusted like the daemon itself, and whoever can change them
 * chooses whom the daemon talks to.
 */
#include "lib/host/creds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/cleanup.h"

int creds_check(const char *path, char *ret_why, size_t size)
{
	/* Without O_NONBLOCK, opening a FIFO would wait. */
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat attr;

	if (fd < 0 || fstat(fd, &attr) < 0) {
		int error = errno;

		snprintf(ret_why, size, "%s: %s", path, strerror(error));
		return -error;
	}
	if (!S_ISREG(attr.st_mode)) {
		snprintf(ret_why, size, "%s: not a regular file", path);
		return -EINVAL;
	}
	if (attr.st_uid != 0 && attr.st_uid != geteuid()) {
		snprintf(ret_why, size, "%s: belongs to user %u: chown it to %u, or to root", path,
			 attr.st_uid, geteuid());
		return -EACCES;
	}
	if (attr.st_mode & (S_IRWXG | S_IRWXO)) {
		snprintf(ret_why, size, "%s: other users have access to it: chmod 600 %s", path,
			 path);
		return -EACCES;
	}
	return 0;
}
