/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listening sockets by the words that name their addresses:
 *
 *     unix:/PATH   abstract:NAME   tcp:HOST:PORT
 *
 * HOST is a number (an IPv6 one in brackets), localhost, or * for all of this machine's.
 */
#ifndef IPCFS_LISTENER_H
#define IPCFS_LISTENER_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/host/caller.h"
#include "lib/kinds/socket/dial.h"

/* The longest address, bytes with the NUL. */
#define LISTENER_ADDRESS_MAX 256

/* What is wanted, and what was made: zeroes before. */
struct listener {
	char address[LISTENER_ADDRESS_MAX]; /* afterwards with the port that it was given */
	int type;                           /* SOCK_STREAM, SOCK_SEQPACKET */
	int backlog;                        /* as listen(2) takes it */
	mode_t mode;                        /* of a socket with a path */
	bool takes_rights;                  /* it can't refuse descriptors: unix_socket.h */

	int fd;              /* it listens, and is non-blocking */
	int path_fd;         /* of a path: O_PATH of the socket there; else -1 */
	char path[PATH_MAX]; /* likewise; else "" */
	bool is_here;        /* it is in a directory that only the daemon can write to */
	dev_t dev;           /* of the socket there */
	ino_t ino;           /* likewise */
};

/* Does the address have a path, so that binding may block? -EINVAL: it is not of any form. */
int listener_has_path(const char *address);

/* Is this the address that `asked` became? The port 0 of tcp becomes another. */
bool listener_is_same(const char *asked, const char *address);

/*
 * Makes it, as whoever the thread is at present. A socket file at which nobody listens is replaced.
 * Errors are those of bind(2) and listen(2); -EINVAL: the address is not of any form.
 */
int listener_open(struct listener *listener);

/*
 * Makes one for the caller at listener::address, which is a path in a directory that only the
 * daemon can write to.
 */
int listener_open_for(struct listener *listener, struct caller *caller);

/*
 * How a client dials it; ret_target->address is in `address`. -ENXIO: it has been closed.
 */
int listener_target(const struct listener *listener, char address[LISTENER_ADDRESS_MAX],
		    struct dial_target *ret_target);

/* Removes the path, if it still leads to the socket. */
void listener_remove(const struct listener *listener);

/* The same, and closes both descriptors: of a listener that nobody can have connected to yet. */
void listener_close(struct listener *listener);

#endif
