// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * With TLS, libnats waits for the other machine while it reads or writes, even where it has been
 * told that the socket belongs to a loop: for the rest of a record, or for room for one. So such a
 * connection stays with the thread for as long as it is up, and messages go through two lists.
 *
 * The thread may be waiting in libnats while it holds the connection's lock. So the loop calls
 * nothing of libnats that takes this lock, and when it has waited long enough for an answer, it
 * shuts down the socket.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/nats_state.h"

/* What libnats keeps of messages that the loop has not taken; more are dropped. */
enum { UNREAD_MESSAGES = 65536, UNREAD_BYTES = 64 * 1024 * 1024 };

static void list_free(struct nats_relayed **list)
{
	while (*list) {
		struct nats_relayed *relayed = *list;

		DL_DELETE(*list, relayed);
		natsMsg_Destroy(relayed->msg);
		free(relayed);
	}
}

/* In the end of the subscription's thread, when libnats has freed what it had kept for it. */
static void on_thread_end(void *data)
{
	struct nats_relay *relay = data;

	pthread_mutex_lock(&relay->lock);
	relay->is_delivering = false;
	pthread_cond_signal(&relay->ended);
	pthread_mutex_unlock(&relay->lock);
}

/* On that thread, after its last message. */
static void on_complete(void *data)
{
	struct nats_relay *relay = data;

	if (pthread_setspecific(relay->key, relay) != 0)
		on_thread_end(relay);
}

/* Appends the message, which the list takes over, and wakes the reader of the list. */
static bool append(struct nats_relay *relay, struct nats_relayed **list, natsMsg *msg)
{
	struct nats_relayed *relayed = calloc(1, sizeof(*relayed));
	bool was_empty;

	if (!relayed)
		return false;
	relayed->msg = msg;
	pthread_mutex_lock(&relay->lock);
	was_empty = !*list;
	DL_APPEND(*list, relayed);
	if (list == &relay->out)
		relay->n_out += (size_t)natsMsg_GetDataLength(msg);
	pthread_mutex_unlock(&relay->lock);
	if (was_empty)
		eventfd_write(list == &relay->out ? relay->out_fd : relay->in_fd, 1);
	return true;
}

static struct nats_relayed *take_all(struct nats_relay *relay, struct nats_relayed **list)
{
	struct nats_relayed *taken;

	pthread_mutex_lock(&relay->lock);
	taken = TAKE_PTR(*list);
	if (list == &relay->out)
		relay->n_out = 0;
	pthread_mutex_unlock(&relay->lock);
	return taken;
}

/* On a thread of libnats'. */
static void on_message(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *data)
{
	struct nats_relay *relay = data;

	(void)nc;
	(void)sub;
	if (!append(relay, &relay->in, msg))
		natsMsg_Destroy(msg);
}

static natsStatus subscribe(struct nats_connection *connection, struct nats_relay *relay)
{
	char subject[NATS_REPLY_SIZE];
	natsStatus status;

	snprintf(subject, sizeof(subject), "%s.>", connection->inbox);
	status = natsConnection_Subscribe(&relay->sub, connection->nc, subject, on_message, relay);
	if (status != NATS_OK)
		return status;
	relay->is_delivering = true;
	status = natsSubscription_SetOnCompleteCB(relay->sub, on_complete, relay);
	if (status != NATS_OK) {
		relay->is_delivering = false;
		return status;
	}
	return natsSubscription_SetPendingLimits(relay->sub, UNREAD_MESSAGES, UNREAD_BYTES);
}

natsStatus nats_relay_new(struct nats_connection *connection)
{
	struct nats_relay *relay = calloc(1, sizeof(*relay));

	if (!relay)
		return NATS_NO_MEMORY;
	if (pthread_key_create(&relay->key, on_thread_end) != 0) {
		free(relay);
		return NATS_NO_MEMORY;
	}
	pthread_mutex_init(&relay->lock, NULL);
	pthread_cond_init(&relay->ended, NULL);
	relay->fd = connection->fd;
	relay->in_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	relay->out_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	connection->relay = relay;
	if (relay->in_fd < 0 || relay->out_fd < 0)
		return NATS_SYS_ERROR;
	return subscribe(connection, relay);
}

/*
 * The subscription's thread lives a little longer than the connection. The messages that it frees
 * last would be lost if libnats were closed meanwhile.
 */
void nats_relay_free(struct nats_relay *relay)
{
	if (!relay)
		return;
	natsSubscription_Destroy(relay->sub);
	pthread_mutex_lock(&relay->lock);
	while (relay->is_delivering)
		pthread_cond_wait(&relay->ended, &relay->lock);
	pthread_mutex_unlock(&relay->lock);
	list_free(&relay->in);
	list_free(&relay->out);
	close(relay->in_fd);
	close(relay->out_fd);
	pthread_key_delete(relay->key);
	pthread_cond_destroy(&relay->ended);
	pthread_mutex_destroy(&relay->lock);
	free(relay);
}

void nats_relay_forget_fd(struct nats_relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	relay->fd = -1;
	pthread_mutex_unlock(&relay->lock);
}

int nats_relay_fd(struct nats_relay *relay)
{
	int fd;

	pthread_mutex_lock(&relay->lock);
	fd = relay->fd;
	pthread_mutex_unlock(&relay->lock);
	return fd;
}

void nats_relay_break(struct nats_relay *relay)
{
	pthread_mutex_lock(&relay->lock);
	if (relay->fd >= 0)
		shutdown(relay->fd, SHUT_RDWR);
	pthread_mutex_unlock(&relay->lock);
}

void nats_relay_wake(struct nats_relay *relay)
{
	eventfd_write(relay->out_fd, 1);
}

static void send_all(struct nats_connection *connection)
{
	struct nats_relayed *list = take_all(connection->relay, &connection->relay->out);

	for (struct nats_relayed *relayed = list; relayed; relayed = relayed->next)
		natsConnection_PublishMsg(connection->nc, relayed->msg);
	list_free(&list);
}

static void write_out(struct nats_connection *connection)
{
	while (connection->wants_write && !connection->is_closed)
		natsConnection_ProcessWriteEvent(connection->nc);
}

void nats_relay_turn(struct nats_connection *connection)
{
	struct nats_relay *relay = connection->relay;
	struct pollfd fds[] = {
		{.fd = relay->out_fd, .events = POLLIN},
		{.fd = relay->fd, .events = POLLIN},
	};
	eventfd_t n;

	write_out(connection);
	if (!connection->is_closed && poll(fds, 2, -1) < 0)
		return;
	if (fds[0].revents) {
		eventfd_read(relay->out_fd, &n);
		send_all(connection);
		write_out(connection);
	}
	if (fds[1].revents && !connection->is_closed)
		natsConnection_ProcessReadEvent(connection->nc);
	if (connection->is_closed) {
		pthread_mutex_lock(&relay->lock);
		relay->is_closed = true;
		pthread_mutex_unlock(&relay->lock);
		eventfd_write(relay->in_fd, 1);
	}
}

void nats_relay_flush(struct nats_connection *connection)
{
	if (connection->is_closed)
		return;
	send_all(connection);
	write_out(connection);
}

bool nats_relay_send(struct nats_relay *relay, natsMsg *msg)
{
	return append(relay, &relay->out, msg);
}

size_t nats_relay_unsent(struct nats_relay *relay)
{
	size_t n;

	pthread_mutex_lock(&relay->lock);
	n = relay->n_out;
	pthread_mutex_unlock(&relay->lock);
	return n;
}

bool nats_relay_dispatch(struct nats_link *link)
{
	struct nats_connection *connection = link->connection;
	struct nats_relay *relay = connection->relay;
	struct nats_relayed *list;
	bool is_closed;
	eventfd_t n;

	eventfd_read(relay->in_fd, &n);
	list = take_all(relay, &relay->in);
	pthread_mutex_lock(&relay->lock);
	is_closed = relay->is_closed;
	pthread_mutex_unlock(&relay->lock);
	while (list && link->connection == connection) {
		struct nats_relayed *relayed = list;

		DL_DELETE(list, relayed);
		nats_slots_dispatch_message(link, relayed->msg);
		free(relayed);
		link->n_received++;
	}
	list_free(&list);
	return !is_closed;
}
