// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The link as the loop sees it: up or down, and who is told; and what goes out.
 */
#include "lib/kinds/cluster/nats_link.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/row.h"
#include "lib/kinds/cluster/nats_state.h"

/* How much may wait to be sent. A server that takes nothing for so long is about to be lost. */
#define UNSENT_MAX (64 * 1024 * 1024)

static void tell_listeners(struct nats_link *link)
{
	struct nats_listener *listener = link->listeners;

	for (; listener; listener = link->next_listener) {
		link->next_listener = listener->next;
		listener->changed(listener, link->connection != NULL);
	}
}

void nats_link_listen(struct nats_link *link, struct nats_listener *listener)
{
	DL_APPEND(link->listeners, listener);
}

void nats_link_unlisten(struct nats_link *link, struct nats_listener *listener)
{
	if (link->next_listener == listener)
		link->next_listener = listener->next;
	DL_DELETE(link->listeners, listener);
}

void nats_link_lose(struct nats_link *link, const char *why)
{
	struct nats_connection *connection = TAKE_PTR(link->connection);

	if (!connection)
		return;
	nats_socket_close(link, connection, false);
	nats_thread_set_error(link->thread, why);
	nats_asks_lose(link);
	nats_feeds_lose(link);
	/* The thread frees its slots, which asks and pulls have used until now. */
	nats_thread_return(link->thread, connection);
	tell_listeners(link);
}

static void on_fresh(struct loop_source *source, uint32_t events)
{
	struct nats_link *link = CONTAINER_OF(source, struct nats_link, wakeup);
	struct nats_connection *connection = nats_thread_take(link->thread);

	(void)events;
	if (!connection)
		return;
	link->connection = connection;
	link->epoch++;
	clock_gettime(CLOCK_REALTIME, &link->since);
	nats_socket_open(link);
	nats_asks_watch(link);
	tell_listeners(link);
}

int nats_link_new(struct host *host, struct nats_link **ret_link)
{
	CLEANUP_FREE struct nats_link *link = calloc(1, sizeof(*link));
	int error;

	if (!link)
		return -ENOMEM;
	link->host = host;
	link->loop = host->loop;
	nats_socket_init(link);
	error = nats_asks_init(link);
	if (error)
		return error;
	error = nats_thread_new(&host->remote, &link->thread);
	if (error) {
		nats_asks_fini(link);
		return error;
	}
	link->wakeup = (struct loop_source){.fd = link->thread->event_fd, .dispatch = on_fresh};
	error = loop_add(link->loop, &link->wakeup, EPOLLIN);
	if (error) {
		nats_asks_fini(link);
		nats_thread_end(link->thread);
		return error;
	}
	*ret_link = TAKE_PTR(link);
	return 0;
}

void nats_link_free(struct nats_link *link)
{
	struct nats_connection *connection;

	if (!link)
		return;
	connection = TAKE_PTR(link->connection);
	if (connection)
		nats_socket_close(link, connection, true);
	nats_asks_fini(link);
	nats_feeds_fini(link);
	nats_spent_free(link);
	if (connection)
		nats_thread_return(link->thread, connection);
	loop_remove(link->loop, &link->wakeup);
	nats_thread_end(link->thread);
	free(link);
}

bool nats_link_is_up(const struct nats_link *link)
{
	return link->connection != NULL;
}

size_t nats_link_payload_max(const struct nats_link *link)
{
	return link->connection ? link->connection->payload_max : 0;
}

static natsStatus make_message(const struct nats_post *post, const char *reply, natsMsg **ret_msg)
{
	natsStatus status =
		natsMsg_Create(ret_msg, post->subject, reply, post->data, (int)post->size);

	if (status != NATS_OK)
		return status;
	for (size_t i = 0; status == NATS_OK && i < post->n_headers; i++)
		status = natsMsgHeader_Set(*ret_msg, post->headers[i].name, post->headers[i].value);
	if (status != NATS_OK)
		natsMsg_Destroy(*ret_msg);
	return status;
}

/* Sends it as a message of libnats'. */
static natsStatus post_message(struct nats_connection *connection, const struct nats_post *post,
			       const char *reply)
{
	natsMsg *msg;
	natsStatus status = make_message(post, reply, &msg);

	if (status != NATS_OK)
		return status;
	if (connection->relay) {
		if (nats_relay_send(connection->relay, msg))
			return NATS_OK;
		status = NATS_NO_MEMORY;
	} else {
		status = natsConnection_PublishMsg(connection->nc, msg);
	}
	natsMsg_Destroy(msg);
	return status;
}

static natsStatus post_any(struct nats_connection *connection, const struct nats_post *post,
			   const char *reply)
{
	if (post->n_headers > 0 || connection->relay)
		return post_message(connection, post, reply);
	if (reply)
		return natsConnection_PublishRequest(connection->nc, post->subject, reply,
						     post->data, (int)post->size);
	return natsConnection_Publish(connection->nc, post->subject, post->data, (int)post->size);
}

static bool is_jammed(struct nats_connection *connection)
{
	if (connection->relay)
		return nats_relay_unsent(connection->relay) > UNSENT_MAX;
	return natsConnection_Buffered(connection->nc) > UNSENT_MAX;
}

int nats_link_post(struct nats_link *link, const struct nats_post *post, const char *reply)
{
	if (!link->connection)
		return -ENOTCONN;
	/* It would be two lines of the protocol. */
	if (strpbrk(post->subject, " \t\r\n"))
		return -EINVAL;
	if (post->size > link->connection->payload_max)
		return -EMSGSIZE;
	if (is_jammed(link->connection))
		return -ENOMEM;
	switch (post_any(link->connection, post, reply)) {
	case NATS_OK:
		link->n_sent++;
		return 0;
	case NATS_MAX_PAYLOAD:
		return -EMSGSIZE;
	case NATS_NO_MEMORY:
		return -ENOMEM;
	default:
		return -ENOTCONN;
	}
}

int nats_link_send(struct nats_link *link, const struct nats_post *post)
{
	return nats_link_post(link, post, NULL);
}

void nats_link_status(const struct nats_link *link, struct row *row)
{
	char error[sizeof(link->thread->error)];

	row_add_word(row, "state", link->connection ? "connected" : "connecting");
	if (link->connection)
		row_add_text(row, "server", link->connection->server);
	if (link->connection && link->rtt > 0)
		row_add_number(row, "rtt", (uint64_t)link->rtt / 1000);
	if (link->epoch > 0)
		row_add_time(row, "since", &link->since);
	row_add_number(row, "reconnects", link->epoch > 0 ? link->epoch - 1 : 0);
	pthread_mutex_lock(&link->thread->lock);
	memcpy(error, link->thread->error, sizeof(error));
	pthread_mutex_unlock(&link->thread->lock);
	if (!link->connection && *error)
		row_add_text(row, "error", error);
	row_add_number(row, "sent", link->n_sent);
	row_add_number(row, "received", link->n_received);
}
