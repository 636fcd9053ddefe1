// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel refuses descriptors by SO_PASSRIGHTS. Where it can't, receiving drops them
 * (connection_bytes.c).
 */
#include "lib/kinds/socket/unix_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

/* In <asm-generic/socket.h> since 6.16. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

int unix_refuse_rights(int fd)
{
	const int no = 0;

	return setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no)) < 0 ? -errno : 0;
}

int unix_socket(int type, bool takes_rights)
{
	CLEANUP_FD int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = takes_rights ? 0 : unix_refuse_rights(fd);
	return r < 0 ? r : TAKE_FD(fd);
}
