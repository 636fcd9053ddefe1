/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The open connections of a kind, as info/ shows them in place of the addresses: LABEL#NUMBER.
 */
#ifndef IPCFS_CONNECTIONS_H
#define IPCFS_CONNECTIONS_H

#include "lib/kinds/socket/connection.h"

struct connections {
	struct space space;
	struct connection *open;
	unsigned last_number;
	/* What else the kind has to show; a reference. NULL: nothing. */
	struct space *others;
};

/* Of a space that is one; space::shown of each kind of sockets is. */
struct connections *connections_from(struct space *space);

/* `others` is taken over, also when this fails: -ENOMEM. */
int connections_new(struct host *host, const struct kind *kind, struct space *others,
		    struct connections **ret_list);

/* Shows a connection, which is open now. -ENOMEM */
int connections_add(struct connection *connection);
void connections_remove(struct connection *connection); /* if it is shown */

/* It has another socket, or none. */
void connections_note_socket(struct connection *connection);
/* That of this mount which has the socket with this inode number, or NULL. */
struct connection *connections_at_socket(struct host *host, ino_t socket);

#endif
