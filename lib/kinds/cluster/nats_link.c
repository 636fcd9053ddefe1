// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The loop's side of the connection: its socket, what goes out, and where the messages that come
 * in belong.
 */
#include "lib/kinds/cluster/nats_link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
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

/* Takes the connection from the loop. Afterwards nothing on the loop touches it. */
static void detach(struct nats_link *link)
{
	struct nats_connection *connection = TAKE_PTR(link->connection);

	if (!connection)
		return;
	loop_remove(link->loop, &link->socket);
	loop_cancel(link->loop, &link->flush);
	/* libnats need not wait for a last answer, then. */
	if (!connection->is_closed) {
		shutdown(connection->fd, SHUT_RDWR);
		natsConnection_ProcessReadEvent(connection->nc);
	}
	connection->link = NULL;
	nats_thread_return(link->thread, connection);
}

void nats_link_lose(struct nats_link *link, const char *why)
{
	if (!link->connection)
		return;
	nats_thread_set_error(link->thread, why);
	detach(link);
	nats_asks_lose(link);
	nats_feeds_lose(link);
	tell_listeners(link);
}

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
	uint32_t events = EPOLLIN | (link->connection->wants_write ? EPOLLOUT : 0);
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
	if (link->connection->wants_write)
		natsConnection_ProcessWriteEvent(link->connection->nc);
	if (link->connection->is_closed)
		lose_closed(link);
	else
		watch_socket(link);
}

static void flush(struct loop_task *task)
{
	write_out(CONTAINER_OF(task, struct nats_link, flush));
}

void nats_link_wants_write(struct nats_link *link)
{
	/* While it waits for EPOLLOUT, writing now would be in vain. */
	if (link->socket.is_added && !(link->socket_events & EPOLLOUT))
		loop_yield(link->loop, &link->flush);
}

/* Returns whether the subject is in our inbox, and the number that follows. */
static bool is_inbox(const struct nats_link *link, const char *subject, uint64_t *ret_number)
{
	size_t length = strlen(link->connection->inbox);
	char *end;

	if (strncmp(subject, link->connection->inbox, length) != 0 || subject[length] != '.')
		return false;
	*ret_number = strtoull(subject + length + 1, &end, 10);
	if (*end)
		*ret_number = 0;
	return true;
}

static void dispatch_inbox(struct nats_link *link, uint64_t number,
			   const struct nats_message *message)
{
	if (!nats_asks_answer(link, number, message))
		nats_feeds_end_pull(link, number, message);
}

static void dispatch_message(struct nats_link *link, natsMsg *msg)
{
	const char *subject = natsMsg_GetSubject(msg);
	struct nats_message message;
	uint64_t number;

	link->n_received++;
	if (!is_inbox(link, subject ? subject : "", &number)) {
		nats_feeds_deliver(link, msg);
		return;
	}
	nats_message_from(msg, &message);
	dispatch_inbox(link, number, &message);
	natsMsg_Destroy(msg);
}

static void dispatch_messages(struct nats_link *link)
{
	struct nats_connection *connection = link->connection;
	uint64_t n = 0;

	natsSubscription_QueuedMsgs(connection->sub, &n);
	for (; n > 0 && link->connection == connection; n--) {
		natsMsg *msg = NULL;
		natsStatus status = natsSubscription_NextMsg(&msg, connection->sub, 0);

		if (status == NATS_OK) {
			dispatch_message(link, msg);
		} else if (status == NATS_NO_RESPONDERS) {
			struct nats_message message = {.subject = "", .data = "", .status = 503};

			nats_asks_answer_oldest(link, &message);
		}
	}
}

static void on_socket(struct loop_source *source, uint32_t events)
{
	struct nats_link *link = CONTAINER_OF(source, struct nats_link, socket);
	struct nats_connection *connection = link->connection;

	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		natsConnection_ProcessReadEvent(connection->nc);
		link->heard = clock_now();
		dispatch_messages(link);
	}
	if (link->connection != connection)
		return;
	if (connection->is_closed)
		lose_closed(link);
	else if (events & EPOLLOUT)
		write_out(link);
}

static void on_fresh(struct loop_source *source, uint32_t events)
{
	struct nats_link *link = CONTAINER_OF(source, struct nats_link, wakeup);
	struct nats_connection *connection = nats_thread_take(link->thread);

	(void)events;
	if (!connection)
		return;
	link->connection = connection;
	connection->link = link;
	link->epoch++;
	clock_gettime(CLOCK_REALTIME, &link->since);
	link->socket.fd = connection->fd;
	watch_socket(link);
	if (!link->connection)
		return;
	loop_yield(link->loop, &link->flush);
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
	link->socket.dispatch = on_socket;
	link->flush.run = flush;
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
	if (!link)
		return;
	if (link->connection && link->connection->wants_write)
		natsConnection_ProcessWriteEvent(link->connection->nc);
	detach(link);
	nats_asks_fini(link);
	nats_feeds_fini(link);
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

uint64_t nats_link_number(struct nats_link *link, char ret_reply[static NATS_REPLY_SIZE])
{
	const char *inbox = link->connection ? link->connection->inbox : "";

	snprintf(ret_reply, NATS_REPLY_SIZE, "%s.%" PRIu64, inbox, ++link->last_number);
	return link->last_number;
}

static natsStatus post_with_headers(struct nats_link *link, const struct nats_post *post,
				    const char *reply)
{
	natsMsg *msg;
	natsStatus status =
		natsMsg_Create(&msg, post->subject, reply, post->data, (int)post->size);

	if (status != NATS_OK)
		return status;
	for (size_t i = 0; status == NATS_OK && i < post->n_headers; i++)
		status = natsMsgHeader_Set(msg, post->headers[i].name, post->headers[i].value);
	if (status == NATS_OK)
		status = natsConnection_PublishMsg(link->connection->nc, msg);
	natsMsg_Destroy(msg);
	return status;
}

int nats_link_post(struct nats_link *link, const struct nats_post *post, const char *reply)
{
	natsStatus status;

	if (!link->connection)
		return -ENOTCONN;
	if (post->size > link->connection->payload_max)
		return -EMSGSIZE;
	if (natsConnection_Buffered(link->connection->nc) > UNSENT_MAX)
		return -ENOMEM;
	if (post->n_headers > 0)
		status = post_with_headers(link, post, reply);
	else if (reply)
		status = natsConnection_PublishRequest(link->connection->nc, post->subject, reply,
						       post->data, (int)post->size);
	else
		status = natsConnection_Publish(link->connection->nc, post->subject, post->data,
						(int)post->size);
	switch (status) {
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
