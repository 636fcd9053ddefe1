/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listening sockets, with addresses given as text:
 *
 *     unix:/PATH   abstract:NAME   tcp:HOST:PORT
 *
 * HOST is a number (an IPv6 one in brackets), localhost, or * for all of this machine's addresses.
 */
#ifndef IPCFS_LISTENER_H
#define IPCFS_LISTENER_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/host/caller.h"
#include "lib/kinds/socket/dial.h"

/* The longest address: bytes, with the NUL. */
#define LISTENER_ADDRESS_MAX 256

/* What is wanted, and what was made. Whatever the request does not set is zero at first. */
struct listener {
	char address[LISTENER_ADDRESS_MAX]; /* afterwards with the port that it was given */
	int type;                           /* SOCK_STREAM, SOCK_SEQPACKET */
	int backlog;                        /* as listen(2) takes it */
	mode_t mode;                        /* of the socket file */
	bool takes_rights;                  /* it can't refuse descriptors: unix_socket.h */

	int fd;              /* the listening socket, non-blocking */
	int path_fd;         /* O_PATH descriptor of the socket file; -1 if there is none */
	char path[PATH_MAX]; /* of the socket file; "" if there is none */
	bool is_here;        /* the file is in a directory that only the daemon can write to */
	dev_t dev;           /* of the socket file */
	ino_t ino;           /* of the socket file */
};

/* Returns 1 if the address is a path, so that binding may block, else 0. -EINVAL: no known form. */
int listener_has_path(const char *address);

/* Whether `address` is what `asked` has become: in a tcp address, port 0 becomes another. */
bool listener_is_same(const char *asked, const char *address);

/*
 * Makes the listener under the thread's present identity. Replaces a socket file at which nobody
 * listens. Fails as bind(2) and listen(2) do. -EINVAL: the address has no known form.
 */
int listener_open(struct listener *listener);

/*
 * Makes a listener for the caller at listener::address, a path in a directory that only the daemon
 * can write to.
 */
int listener_open_for(struct listener *listener, struct caller *caller);

/* Says how a client dials it; ret_target->address points to `address`. -ENXIO: it is closed. */
int listener_target(const struct listener *listener, char address[LISTENER_ADDRESS_MAX],
		    struct dial_target *ret_target);

/*
 * Removes a socket file at which nobody listens, which takes a try to connect. Returns true if it
 * is gone, whoever removed it.
 */
bool listener_remove_stale(int dir_fd, const char *name, int type);

/* Removes the socket file, if the path still leads to it. */
void listener_remove(const struct listener *listener);

/* The same, and closes both descriptors: for a listener to which nobody can have connected yet. */
void listener_close(struct listener *listener);

#endif
