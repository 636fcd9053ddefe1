/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of lib/server*.c share: a listening socket, as channel and as directory.
 */
#ifndef IPCFS_SERVER_H
#define IPCFS_SERVER_H

#include "lib/channel/kept_names.h"
#include "lib/kinds/socket/connections.h"
#include "lib/kinds/socket/listener.h"

struct server {
	struct kept kept; /* its directory's name and attributes */
	struct listener listener;
	struct loop_source source;
	struct caller remover;              /* whose rights it takes to remove its path */
	struct connection *waiting;         /* to accept, in order */
	struct server_directory *directory; /* its directory, if somebody refers to it */
};

struct server *server_from(struct channel *channel);

/* The mode of a directory: who may read it may search it, so that MODE can be a socket's. */
static inline mode_t server_mode(mode_t mode)
{
	return mode | (mode & 0444) >> 2;
}

/* It listens no more, whoever still refers to it. */
void server_end(struct server *server);

/*
 * Closes a listener and removes its path with the rights of `remover`, who made it: on a thread,
 * because walking the path may block, and may lead into the mount itself.
 */
void server_close(struct host *host, struct listener *listener, struct caller *remover);

/* In server_accept.c: a loop_source's dispatch, and the ops of the connections to a server. */
void server_dispatch(struct loop_source *source, uint32_t events);
extern const struct channel_ops server_connection_ops;

/* Those who wait to accept are told that there is nothing more. */
void server_refuse(struct server *server);

/* lib/kinds/socket/server_names.c */
extern const struct parameter server_parameters[];
int server_space_open(struct space **ret_space, struct host *host, const struct kind *kind);

/* lib/kinds/socket/server_directory.c: the directory; the caller owns the reference. -ENOMEM */
int server_directory_get(struct server *server, struct space **ret_space);

#endif
