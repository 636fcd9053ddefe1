// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel refuses descriptors by SO_PASSRIGHTS. Where it can't, recv(2) drops them, and is
 * interrupted if that takes too long.
 */
#include "lib/kinds/socket/unix_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/impatience.h"

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

ssize_t unix_receive(int fd, bool takes_rights, void *data, size_t size)
{
	int r = takes_rights ? impatience_begin() : 0;
	ssize_t n;

	if (r < 0)
		return r;
	n = recv(fd, data, size, MSG_DONTWAIT);
	if (n < 0)
		n = -errno;
	if (takes_rights)
		impatience_end();
	return n;
}
