/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Native sockets, for the other end of a connection through the mount. Every failure fails the
 * test, and so does a wait of more than 5 seconds.
 */
#ifndef TESTS_MOUNT_SOCKETS_H
#define TESTS_MOUNT_SOCKETS_H

#include <stddef.h>
#include <sys/types.h>

/* Binds to that path, or to an abstract name if it begins with '@'. Listens, except SOCK_DGRAM. */
int socket_unix(const char *path, int type, int backlog);
/* Binds to a loopback port that the kernel chooses. Listens, if SOCK_STREAM. */
int socket_inet(int family, int type, int backlog, int *ret_port);
/* Connects to the path or abstract name. */
int socket_connect(const char *path, int type);
int socket_accept(int fd);

/* recv(2), once there is something. */
ssize_t socket_take(int fd, void *buf, size_t size);
/* Fails the test unless the next bytes from a descriptor of any sort are these. */
void must_read(int fd, const char *expected);

/*
 * The name in the mount of a socket at one of the test's scratch paths, and of HOST/PORT. Good
 * until the next call.
 */
const char *unix_name(const char *scratch_name);
const char *inet_name(const char *kind, const char *host, int port);

#endif
