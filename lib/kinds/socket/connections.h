/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The open connections of a kind. info/ shows them in place of the addresses, as LABEL#NUMBER.
 */
#ifndef IPCFS_CONNECTIONS_H
#define IPCFS_CONNECTIONS_H

#include "lib/kinds/socket/connection.h"

struct connections {
	struct space space;
	struct connection *open;
	unsigned last_number;
	/* What else the kind shows, a reference. NULL: nothing. */
	struct space *others;
};

/* Downcasts a space that is one, such as the space::shown of every kind of sockets. */
struct connections *connections_from(struct space *space);

/* Takes ownership of `others`, even when failing with -ENOMEM. */
int connections_new(struct host *host, const struct kind *kind, struct space *others,
		    struct connections **ret_list);

/* Shows a connection that is open now. Fails with -ENOMEM. */
int connections_add(struct connection *connection);
/* Shows it with the number that it has had. Fails with -EPROTO if another has it, or -ENOMEM. */
int connections_adopt(struct connection *connection, unsigned number);
void connections_remove(struct connection *connection); /* if it is shown */

/* Notes that the connection has a new socket, or none. */
void connections_note_socket(struct connection *connection);
/* Returns the mount's connection whose socket has this inode number, or NULL. */
struct connection *connections_at_socket(struct host *host, ino_t socket);

#endif
