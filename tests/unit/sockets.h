/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The native end of a socket: listeners, and what they send and receive. The test closes all of it.
 * What has a path is on the test's own /dev/shm.
 */
#ifndef TESTS_UNIT_SOCKETS_H
#define TESTS_UNIT_SOCKETS_H

#include "lib/channel/channel.h"

#define SOCKET_PATH "/dev/shm/socket"

/* Listens, or only binds if the type has no listening, at SOCKET_PATH or at an abstract name. */
int native_unix(int type);
int native_abstract(const char *name, int type);
/* At a port of 127.0.0.1 that the kernel chooses. */
int native_inet(int type, unsigned short *ret_port);

/* Connects a client to the stream socket at SOCKET_PATH, or to the one with this abstract name. */
int native_connect_path(void);
int native_connect(const char *name);
/* Returns the next client, which has to come within 20 seconds. */
int native_accept(int fd);
void native_put(int fd, const void *data, size_t size);
/* Expects the next bytes, within 20 seconds, to be this text. "" is the end. */
void native_get(int fd, const char *text);

/*
 * Opens a channel and waits until somebody is at the other end. Returns 0, or -errno with the file
 * closed again.
 */
int socket_open(struct channel *channel, int flags, struct caller *caller, struct file **ret_file);

/* Waits for the next bytes (or message), and expects this text. "" is the end. */
void socket_expect(struct file *file, const char *text);

/* Calls space_lookup again for as long as it has to wait. */
int socket_find(struct space *space, const char *name, struct caller *caller,
		struct entry *ret_entry);

#endif
