// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The socket of the connection, as a source of the loop.
 *
 * libnats collects what is sent. It is written once at the end of the loop's turn, and if the
 * socket does not take it all, the rest follows when it does.
 */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/nats_state.h"

static void lose_closed(struct nats_link *link)
{
	const char *text = NULL;
	natsStatus status = natsConnection_GetLastError(link->connection->nc, &text);

	if (!text || !*text)
		text = natsStatus_GetText(status == NATS_OK ? NATS_CONNECTION_CLOSED : status);
	nats_link_lose(link, text);
}

/* Watches the socket for what there is to wait for now. */
static void watch_socket(struct nats_link *link)
{
	bool is_ours = !link->connection->relay;
	uint32_t events = EPOLLIN | (is_ours && link->connection->wants_write ? EPOLLOUT : 0);
	int error;

	if (link->socket.is_added && link->socket_events == events)
		return;
	loop_remove(link->loop, &link->socket);
	link->socket_events = events;
	error = loop_add(link->loop, &link->socket, events);
	if (error)
		nats_link_lose(link, strerror(-error));
}

static void write_out(struct nats_link *link)
{
	/* With nothing to write, libnats would take it that the socket is closed. */
	if (link->connection->wants_write)
		natsConnection_ProcessWriteEvent(link->connection->nc);
	if (link->connection->is_closed)
		lose_closed(link);
	else
		watch_socket(link);
}

static void flush(struct loop_task *task)
{
	struct nats_link *link = CONTAINER_OF(task, struct nats_link, flush);

	if (link->connection->relay)
		watch_socket(link);
	else
		write_out(link);
}

void nats_socket_wants_write(struct nats_link *link)
{
	/* While it waits for EPOLLOUT, writing now would be in vain. */
	if (!link->socket.is_added || !(link->socket_events & EPOLLOUT))
		loop_yield(link->loop, &link->flush);
}

static void on_relay(struct nats_link *link)
{
	struct nats_connection *connection = link->connection;
	bool is_open = nats_relay_dispatch(link);

	link->heard = clock_now();
	if (link->connection == connection && !is_open)
		lose_closed(link);
}

static void on_socket(struct loop_source *source, uint32_t events)
{
	struct nats_link *link = CONTAINER_OF(source, struct nats_link, socket);
	struct nats_connection *connection = link->connection;

	if (connection->relay) {
		on_relay(link);
		return;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		natsConnection_ProcessReadEvent(connection->nc);
		link->heard = clock_now();
		nats_slots_dispatch(link);
	}
	if (link->connection != connection)
		return;
	if (connection->is_closed)
		lose_closed(link);
	else if (events & EPOLLOUT)
		write_out(link);
}

bool nats_socket_moves(struct nats_link *link)
{
	struct nats_connection *connection = link->connection;
	int fd = connection->relay ? nats_relay_fd(connection->relay) : connection->fd;
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	uint64_t before = link->acked;

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return false;
	link->acked = info.tcpi_bytes_acked;
	/* If it has got everything, nothing is in the way of its answers. */
	return link->acked != before && info.tcpi_unacked + info.tcpi_notsent_bytes > 0;
}

void nats_socket_init(struct nats_link *link)
{
	link->socket.dispatch = on_socket;
	link->flush.run = flush;
}

void nats_socket_open(struct nats_link *link)
{
	struct nats_connection *connection = link->connection;

	connection->link = link;
	link->socket.fd = connection->relay ? connection->relay->in_fd : connection->fd;
	link->socket_events = 0;
	/* At the end of this turn, the socket is written to and watched. */
	loop_yield(link->loop, &link->flush);
}

void nats_socket_close(struct nats_link *link, struct nats_connection *connection, bool is_whole)
{
	bool is_ours = !connection->relay;

	if (is_ours && is_whole && !connection->is_closed && connection->wants_write)
		natsConnection_ProcessWriteEvent(connection->nc);
	loop_remove(link->loop, &link->socket);
	loop_cancel(link->loop, &link->flush);
	connection->link = NULL;
	if (!is_ours && !is_whole)
		nats_relay_break(connection->relay);
	/* Then libnats need not wait for a last answer. */
	if (is_ours && !connection->is_closed) {
		shutdown(connection->fd, SHUT_RDWR);
		natsConnection_ProcessReadEvent(connection->nc);
	}
}
