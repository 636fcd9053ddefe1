/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files server*.c share: a listening socket, as a channel and as a directory.
 */
#ifndef IPCFS_SERVER_H
#define IPCFS_SERVER_H

#include "lib/channel/kept_names.h"
#include "lib/kinds/socket/connections.h"
#include "lib/kinds/socket/listener.h"

/* Where the sockets of servers are that are made without an address. */
#define SERVER_DIRECTORY "/run/ipcfs"

struct server {
	struct kept kept; /* name and attributes of its directory */
	struct listener listener;
	struct loop_source source;
	struct caller remover;              /* the socket's path is removed with their rights */
	struct connection *waiting;         /* to accept, in order */
	struct server_directory *directory; /* NULL while nobody refers to it */
	struct server_notes *notes;         /* in a block of the state; NULL: none yet */
};

struct server *server_from(struct channel *channel);

/* Returns the directory's mode for the `mode` of the socket: whoever may read may also search. */
static inline mode_t server_mode(mode_t mode)
{
	return mode | (mode & 0444) >> 2;
}

/* Stops listening, even while the server still has users. */
void server_end(struct server *server);

/*
 * Closes a listener and removes its path with the rights of `remover`, who made it. Does so on a
 * thread: walking the path may block, and may lead into the mount itself.
 */
void server_close(struct host *host, struct listener *listener, struct caller *remover);

/* server_accept.c: a loop_source's dispatch, and the ops of the connections to a server. */
void server_dispatch(struct loop_source *source, uint32_t events);
extern const struct channel_ops server_connection_ops;

/* Fails every open that waits to accept, with -EINVAL. */
void server_refuse(struct server *server);
/* Has the first open that waits to accept try once more, if there is any. */
void server_look(struct server *server);

/*
 * server_adopt.c: writes the notes of a new server, which make it complete. Fails with -ENOMEM.
 */
int server_remember(struct server *server);
/* Before its sockets are closed: they are not in the record any more. */
void server_forget_sockets(struct server *server);
/* Before it is freed: drops the notes. */
void server_forget(struct server *server);
/* channel_ops::adopt, of a server or of a connection to it. */
int server_adopt(struct space *space, struct object_record *record, struct channel **ret_channel);
/* The descriptor of a client that was accepted and belongs to no connection yet; -1: none. */
int *server_client(struct server *server);
/* The server takes back the client of an open that was never answered. */
void server_take_back(struct connection *connection);

/* server_names.c */
extern const struct parameter server_parameters[];
const char *server_explain(struct channel *channel, const char *name,
			   const struct settings *settings, int error);
int server_space_open(struct space **ret_space, struct host *host, const struct kind *kind);

/* server_directory.c: gives a new reference to the directory. Fails with -ENOMEM. */
int server_directory_get(struct server *server, struct space **ret_space);

#endif
