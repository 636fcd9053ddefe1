/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The native end of a socket: listeners, clients, and what they send and receive. The test closes
 * their descriptors. Sockets with a path are on the test's own /dev/shm.
 */
#ifndef TESTS_UNIT_SOCKETS_H
#define TESTS_UNIT_SOCKETS_H

#include "lib/channel/channel.h"

#define SOCKET_PATH "/dev/shm/socket"

/* Makes a socket that listens at SOCKET_PATH. A datagram socket is only bound. */
int native_unix(int type);
/* The same, at an abstract name. */
int native_abstract(const char *name, int type);
/* The same, at a port of 127.0.0.1 that the kernel chooses. */
int native_inet(int type, unsigned short *ret_port);

/* Connects a client to the stream socket at SOCKET_PATH. */
int native_connect_path(void);
/* Connects a client to the stream socket with this abstract name. */
int native_connect(const char *name);
/* Accepts the next client, which must come within 20 seconds. */
int native_accept(int fd);
void native_put(int fd, const void *data, size_t size);
/* Expects this text within 20 seconds. "" stands for end-of-file. */
void native_get(int fd, const char *text);

/*
 * Opens a channel and waits until it is connected. Returns 0, or -errno; then the file is closed
 * again.
 */
int socket_open(struct channel *channel, int flags, struct caller *caller, struct file **ret_file);

/* Waits for the next bytes or message, and expects this text. "" stands for end-of-file. */
void socket_expect(struct file *file, const char *text);

/* Calls space_lookup(), and repeats the call for as long as it has to wait. */
int socket_find(struct space *space, const char *name, struct caller *caller,
		struct entry *ret_entry);

#endif
