/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Native sockets, for the other end of a connection through the mount. Every failure fails the
 * test, and so does a wait of more than 5 seconds.
 */
#ifndef TESTS_MOUNT_SOCKETS_H
#define TESTS_MOUNT_SOCKETS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Binds a socket to a path, or to an abstract name if the path begins with '@'. Listens, unless the
 * type is SOCK_DGRAM.
 */
int socket_unix(const char *path, int type, int backlog);
/* Binds a socket to a loopback port that the kernel chooses. Listens if the type is SOCK_STREAM. */
int socket_inet(int family, int type, int backlog, int *ret_port);
/* Connects to the path or abstract name. */
int socket_connect(const char *path, int type);
int socket_accept(int fd);

/* Waits until there is something to read, and calls recv(2). */
ssize_t socket_take(int fd, void *buf, size_t size);
/* Reads from a descriptor of any sort. Fails the test unless the next bytes are `expected`. */
void must_read(int fd, const char *expected);

/*
 * The names in the mount of a socket at one of the test's scratch paths, and of HOST/PORT. Each is
 * valid until the next call of the same function.
 */
const char *unix_name(const char *scratch_name);
const char *inet_name(const char *kind, const char *host, int port);

#endif
