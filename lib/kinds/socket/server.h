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

/* server_names.c */
extern const struct parameter server_parameters[];
const char *server_explain(struct channel *channel, const char *name,
			   const struct settings *settings, int error);
int server_space_open(struct space **ret_space, struct host *host, const struct kind *kind);

/* server_directory.c: gives a new reference to the directory. Fails with -ENOMEM. */
int server_directory_get(struct server *server, struct space **ret_space);

#endif
