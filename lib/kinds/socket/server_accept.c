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
#include "lib/channel/record.h"
#include "lib/kinds/socket/server.h"

/* A client that was gone before it was accepted is no reason to fail (accept(2)). */
static bool is_passing(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPROTO;
}

/* Accepts the next client, unless there is one. -EAGAIN: none yet. */
static int accept_client(const struct server *server, int *client)
{
	int fd = *client;

	while (fd < 0) {
		fd = accept4(server->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && !is_passing(errno))
			return -errno;
	}
	*client = fd;
	return 0;
}

/*
 * Connects `connection` to the next client. -EAGAIN: none yet; -EINVAL: the server has ended. The
 * client is in the record of the server or of the connection at each moment. And the next daemon
 * does not take the connection for one that is to be made anew when the open comes again.
 */
static int server_accept(struct server *server, struct connection *connection)
{
	int *client = server_client(server);
	int r = server->listener.fd < 0 ? -EINVAL : accept_client(server, client);

	if (r < 0)
		return r;
	connection->accepted_by = server->kept.channel.id;
	connection->channel.record->made = 0;
	STATE_ORDER();
	connection_set(connection, *client, 0);
	STATE_ORDER();
	*client = -1;
	return 0;
}

static void server_unwait(struct server *server, struct connection *connection)
{
	DL_DELETE(server->waiting, connection);
	connection->prev = NULL;
}

void server_look(struct server *server)
{
	if (server->waiting)
		channel_wake(&server->waiting->channel, EPOLLIN | EPOLLOUT);
}

/* The client is accepted by accepted_opened(). */
void server_dispatch(struct loop_source *source, uint32_t events)
{
	struct server *server = CONTAINER_OF(source, struct server, source);

	server_look(server);
	if (!server->waiting)
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
	struct server *server;
	int r = connection_open(file, caller);

	if (r < 0 || connection->target.connect || file->channel->n_files > 1 ||
	    connection->is_adopted)
		return r;
	server = server_from(connection->origin);
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

/*
 * Accepts only now, when the answer follows at once: however many opens wait, at most one client is
 * accepted for an open that was not answered.
 */
static int accepted_opened(struct file *file)
{
	struct connection *connection = connection_from(file->channel);
	struct server *server;
	int r;

	if (!connection->prev)
		return connection_opened(file);
	server = server_from(connection->origin);
	if (server->waiting != connection)
		return -EAGAIN;
	r = server_accept(server, connection);
	if (r == -EAGAIN)
		return r;
	server_unwait(server, connection);
	server_look(server);
	if (r < 0)
		connection_set(connection, -1, r);
	return connection_opened(file);
}

static void accepted_release(struct file *file)
{
	struct connection *connection = connection_from(file->channel);

	if (file->channel->n_files == 0 && connection->prev)
		server_unwait(server_from(connection->origin), connection);
	connection_release(file);
}

static void accepted_destroy(struct channel *channel)
{
	struct connection *connection = connection_from(channel);

	if (connection->is_unclaimed && connection->accepted_by)
		server_take_back(connection);
	connection_destroy(channel);
}

const struct channel_ops server_connection_ops = {
	.traits = CONNECTION_TRAITS,
	.destroy = accepted_destroy,
	.stat = connection_stat,
	.change = connection_change,
	.open = accepted_open,
	.opened = accepted_opened,
	.release = accepted_release,
	.read = connection_read,
	.write = connection_write,
	.poll = connection_poll,
	.status = connection_status,
	.peek = connection_peek,
	.footprint = connection_footprint,
	.save = connection_save,
	.adopt_file = connection_adopt_file,
	.accepted = connection_accepted,
	.recall = connection_recall,
};
