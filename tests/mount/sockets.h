/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Native sockets, for the other end of a connection through the mount. Every failure fails the
 * test, and so does a wait of more than 5 seconds.
 */
#ifndef TESTS_MOUNT_SOCKETS_H
#define TESTS_MOUNT_SOCKETS_H

#include <stddef.h>
#include <sys/types.h>

/* Bound to that path, or to an abstract name if it begins with '@', and listening if it can. */
int socket_unix(const char *path, int type, int backlog);
/* Bound to a port of the loopback that the kernel chooses, and listening if it can. */
int socket_inet(int family, int type, int backlog, int *ret_port);
/* Connected to the path or abstract name. */
int socket_connect(const char *path, int type);
int socket_accept(int fd);

/* recv(2), once there is something. */
ssize_t socket_take(int fd, void *buf, size_t size);
/* Fails the test unless this is what comes next from a descriptor of any sort. */
void must_read(int fd, const char *expected);

/* The name in the mount of a socket at a path of the test's own, and of HOST/PORT. */
const char *unix_name(const char *scratch_name);
const char *inet_name(const char *kind, const char *host, int port);

#endif
