// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accepting. Opens of `accept` queue at their server (server::waiting), and the first in the queue
 * gets the next client. The listener is watched only while there is a queue.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/socket/server.h"

/* A client that was gone before it was accepted is no reason to fail (accept(2)). */
static bool is_passing(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPROTO;
}

/* Connects `connection` to the next client. -EAGAIN: none yet; -EINVAL: the server has ended. */
static int server_accept(struct server *server, struct connection *connection)
{
	int fd;

	if (server->listener.fd < 0)
		return -EINVAL;
	do
		fd = accept4(server->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && is_passing(errno));
	if (fd < 0)
		return -errno;
	connection_set(connection, fd, 0);
	return 0;
}

static void server_unwait(struct server *server, struct connection *connection)
{
	DL_DELETE(server->waiting, connection);
	connection->prev = NULL;
}

void server_dispatch(struct loop_source *source, uint32_t events)
{
	struct server *server = CONTAINER_OF(source, struct server, source);

	while (server->waiting) {
		struct connection *first = server->waiting;
		int r = server_accept(server, first);

		if (r == -EAGAIN)
			return;
		server_unwait(server, first);
		if (r < 0)
			connection_set(first, -1, r);
	}
	loop_remove(server->kept.channel.space->host->loop, source);
}

void server_refuse(struct server *server)
{
	while (server->waiting) {
		struct connection *first = server->waiting;

		server_unwait(server, first);
		connection_set(first, -1, -EINVAL);
	}
}

static int accepted_open(struct file *file, struct caller *caller)
{
	struct connection *connection = connection_from(file->channel);
	struct server *server = server_from(connection->origin);
	int r = connection_open(file, caller);

	if (r < 0 || connection->target.connect || file->channel->n_files > 1)
		return r;
	r = server->waiting ? -EAGAIN : server_accept(server, connection);
	if (r == -EAGAIN && !(file->flags & O_NONBLOCK)) {
		r = loop_add(server->kept.channel.space->host->loop, &server->source, EPOLLIN);
		if (r == 0)
			DL_APPEND(server->waiting, connection);
	}
	if (r < 0)
		connection_close(connection);
	return r;
}

static void accepted_release(struct file *file)
{
	struct connection *connection = connection_from(file->channel);

	if (file->channel->n_files == 0 && connection->prev)
		server_unwait(server_from(connection->origin), connection);
	connection_release(file);
}

const struct channel_ops server_connection_ops = {
	.traits = CONNECTION_TRAITS,
	.destroy = connection_destroy,
	.stat = connection_stat,
	.change = connection_change,
	.open = accepted_open,
	.opened = connection_opened,
	.release = accepted_release,
	.read = connection_read,
	.write = connection_write,
	.poll = connection_poll,
	.status = connection_status,
	.peek = connection_peek,
	.footprint = connection_footprint,
};
