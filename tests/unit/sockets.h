/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The native end of a socket: who listens, and what it sends and gets. All of it is the test's to
 * close; what has a path is on the test's own /dev/shm.
 */
#ifndef TESTS_UNIT_SOCKETS_H
#define TESTS_UNIT_SOCKETS_H

#include "lib/channel/channel.h"

#define SOCKET_PATH "/dev/shm/socket"

/* Listens, or is bound where the type has no listening. Of SOCKET_PATH, or of an abstract name. */
int native_unix(int type);
int native_abstract(const char *name, int type);
/* At a port of 127.0.0.1 that the kernel chooses. */
int native_inet(int type, unsigned short *ret_port);

/* A client of the stream socket at SOCKET_PATH, and with this abstract name. */
int native_connect_path(void);
int native_connect(const char *name);
/* The next client, within 20 seconds. */
int native_accept(int fd);
void native_put(int fd, const void *data, size_t size);
/* The next bytes, within 20 seconds, are this text; "" is the end. */
void native_get(int fd, const char *text);

/*
 * Opens a channel and waits until there is somebody at the other end: 0, or -errno, and then it is
 * closed again.
 */
int socket_open(struct channel *channel, int flags, struct caller *caller, struct file **ret_file);

/* Waits for the next bytes (or message), which are this text; "" is the end. */
void socket_expect(struct file *file, const char *text);

/* space_lookup, again for as long as it has to wait. */
int socket_find(struct space *space, const char *name, struct caller *caller,
		struct entry *ret_entry);

#endif
