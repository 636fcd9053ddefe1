// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connects at the first open, to one address of a name after another, and then passes reads and
 * writes to the socket without ever waiting in them.
 */
#include "lib/kinds/socket/connection.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/record.h"
#include "lib/kinds/socket/connections.h"
#include "lib/kinds/socket/unix_socket.h"

/* The longest datagram, in bytes, until a longer one comes. */
#define MESSAGE_FIRST 65536

static bool connection_notice(struct readiness *ready, uint32_t *events);

struct connection *connection_from(struct channel *channel)
{
	assert(channel->ops->read == connection_read);
	return CONTAINER_OF(channel, struct connection, channel);
}

int connection_fd(const struct connection *connection)
{
	return connection->ready.source.fd;
}

static struct host *connection_host(const struct connection *connection)
{
	return connection->channel.space->host;
}

int connection_new(const struct channel_ops *ops, struct connections *list, const char *label,
		   const struct dial_target *target, struct connection **ret_connection)
{
	CLEANUP_FREE struct connection *connection = calloc(1, sizeof(*connection));
	CLEANUP_FREE char *address = target ? malloc(target->size + 1) : NULL;
	struct caller self = {.uid = geteuid(), .gid = getegid()};
	struct host *host = list->space.host;
	size_t length = strlen(label);
	size_t cut = length > CONNECTION_LABEL_MAX ? length - CONNECTION_LABEL_MAX : 0;
	struct attributes *own;

	if (!connection || (target && !address))
		return -ENOMEM;
	connection->label = strdup(label + cut);
	if (!connection->label)
		return -ENOMEM;
	if (target) {
		memcpy(address, target->address, target->size);
		address[target->size] = '\0';
		connection->target = *target;
		connection->target.address = TAKE_PTR(address);
	}
	connection->list = list;
	channel_init(&connection->channel, ops, space_ref(&list->space), CHANNEL_STREAM);
	readiness_init(&connection->ready, &connection->channel);
	connection->ready.notice = connection_notice;
	connection->attributes = own = &connection->own;
	attributes_init(own, numbers_take(&host->numbers), S_IFREG | 0666, &self);
	own->atime = own->mtime = own->ctime = host->started;
	*ret_connection = TAKE_PTR(connection);
	return 0;
}

/* Closing drops whatever others have sent: done on another thread if that may be descriptors. */
static void close_socket(struct connection *connection)
{
	int fd = TAKE_FD(connection->ready.source.fd);

	if (fd >= 0 && connection->is_unix && connection->takes_rights)
		host_close(connection_host(connection), connection->channel.descriptors_uid, fd);
	else if (fd >= 0)
		close(fd);
}

/* Drops the socket, or the dial that would have made one. */
void connection_close(struct connection *connection)
{
	connection_forget(connection);
	dial_drop(TAKE_PTR(connection->dial));
	readiness_unwatch(&connection->ready);
	close_socket(connection);
	connection->error = 0;
	connection->is_connecting = false;
	connection->target.n_tried = 0;
	caller_fini(&connection->opener);
	connection->channel.traits = connection->channel.ops->traits;
	channel_uncharge_descriptors(&connection->channel);
	connections_remove(connection);
}

void connection_destroy(struct channel *channel)
{
	struct connection *connection = connection_from(channel);

	connection_close(connection);
	numbers_give(&connection_host(connection)->numbers, connection->attributes->ino);
	space_unref(&connection->list->space);
	channel_unref(connection->origin);
	free((char *)connection->target.address);
	free(connection->channel.link);
	free(connection->label);
	free(connection);
}

/* The address's attributes until it is open. Then the connection belongs to its opener. */
int connection_stat(struct channel *channel, struct stat *ret_attr)
{
	struct connection *connection = connection_from(channel);

	attributes_stat(connection->attributes, ret_attr);
	ret_attr->st_nlink = 1;
	if (!connection->number)
		return 0;
	ret_attr->st_mode = S_IFREG | 0600;
	ret_attr->st_uid = connection->opener.uid;
	ret_attr->st_gid = connection->opener.gid;
	return 0;
}

/* An address is not ours to change. */
int connection_change(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller)
{
	return -EPERM;
}

int connection_ready(const struct connection *connection)
{
	if (connection->dial || connection->is_connecting)
		return -EAGAIN;
	if (connection_fd(connection) >= 0)
		return 0;
	return connection->error ? connection->error : -EAGAIN;
}

void connection_take_type(struct connection *connection)
{
	int type = SOCK_STREAM, family = AF_UNIX;
	socklen_t size = sizeof(type);

	getsockopt(connection_fd(connection), SOL_SOCKET, SO_DOMAIN, &family, &size);
	connection->is_unix = family == AF_UNIX;
	connection->takes_rights =
		!features_has(&connection_host(connection)->features, FEATURE_PASSRIGHTS);
	if (connection->is_unix && !connection->takes_rights)
		unix_refuse_rights(connection_fd(connection));
	getsockopt(connection_fd(connection), SOL_SOCKET, SO_TYPE, &type, &size);
	if (type == SOCK_STREAM) {
		connection->channel.traits |= CHANNEL_BYTES;
		return;
	}
	connection->channel.traits |= CHANNEL_MESSAGES;
	connection->channel.message_max = MESSAGE_FIRST;
}

/* The error for the opener. EAGAIN would mean to wait for something that never comes. */
static int connection_error(int result)
{
	switch (result) {
	case -EAGAIN:
		return -EADDRNOTAVAIL; /* no local port is free */
	case -EMFILE:
		return -ENFILE; /* to callers the daemon's descriptor table is the system's */
	default:
		return result;
	}
}

void connection_set(struct connection *connection, int fd, int result)
{
	connection->ready.source.fd = fd;
	connection->error = fd < 0 ? connection_error(result) : 0;
	connection->is_connecting = false;
	connections_note_socket(connection);
	if (fd >= 0)
		connection_take_type(connection);
	channel_save(&connection->channel);
	channel_wake(&connection->channel, EPOLLIN | EPOLLOUT | EPOLLHUP);
}

/* Takes over a socket that the kernel is still connecting. */
static void connection_await(struct connection *connection, int fd, int n_tried)
{
	int r;

	connection->ready.source.fd = fd;
	connection->is_connecting = true;
	connection->target.n_tried = n_tried;
	r = readiness_watch(&connection->ready);
	if (r < 0) {
		close(fd);
		connection_set(connection, -1, r);
	}
}

static void connection_dialled(void *data, int fd, int result)
{
	struct connection *connection = data;

	connection->dial = NULL;
	if (result == -ENODATA && connection->error)
		result = connection->error; /* from the last address */
	if (result > 0)
		connection_await(connection, fd, result);
	else
		connection_set(connection, fd, result);
}

static int connection_dial(struct connection *connection)
{
	return dial_new(connection_host(connection), &connection->opener, &connection->target,
			connection_dialled, connection, &connection->dial);
}

/* The kernel has connected the socket or failed. If it failed there may be another address. */
static void connection_arrive(struct connection *connection)
{
	int fd = connection_fd(connection);
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error == 0) {
		connection_set(connection, fd, 0);
		return;
	}
	readiness_unwatch(&connection->ready);
	close(TAKE_FD(connection->ready.source.fd));
	connection->is_connecting = false;
	connection->error = -error;
	if (connection_dial(connection) < 0)
		connection_set(connection, -1, -error);
}

int connection_open(struct file *file, struct caller *caller)
{
	struct connection *connection = connection_from(file->channel);
	int r;

	/* All openers share the one connection, however they found it. */
	connection->is_unclaimed = false;
	if (connection->number)
		return 0;
	if (connection->is_adopted)
		return -ESTALE;
	r = connection_remember(connection);
	if (r < 0)
		return r;
	r = channel_charge_descriptors(file->channel, caller->uid, 1);
	if (r == 0)
		r = caller_copy(&connection->opener, caller);
	if (r == 0)
		r = connections_add(connection);
	if (r == 0 && connection->target.connect)
		r = connection_dial(connection);
	if (r < 0)
		connection_close(connection);
	return r;
}

int connection_opened(struct file *file)
{
	return connection_ready(connection_from(file->channel));
}

void connection_release(struct file *file)
{
	struct connection *connection = connection_from(file->channel);

	if (file->channel->n_files == 0)
		connection_close(connection);
	else if (file_writes(file) && file->channel->n_writers == 0 &&
		 connection_ready(connection) == 0)
		shutdown(connection_fd(connection), SHUT_WR);
}

/* Until the socket is connected, its events are only for us. */
static bool connection_notice(struct readiness *ready, uint32_t *events)
{
	struct connection *connection = CONTAINER_OF(ready, struct connection, ready);

	if (!connection->is_connecting)
		return true;
	if (*events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		connection_arrive(connection);
	return false;
}

uint32_t connection_poll(struct file *file)
{
	struct connection *connection = connection_from(file->channel);
	struct pollfd now = {.fd = connection_fd(connection),
			     .events = POLLIN | POLLOUT | POLLRDHUP};
	int r = connection_ready(connection);
	uint32_t events;

	if (r < 0)
		return r == -EAGAIN ? 0 : EPOLLERR | EPOLLHUP | EPOLLIN | EPOLLOUT;
	if (readiness_watch(&connection->ready) < 0)
		return EPOLLERR;
	poll(&now, 1, 0);
	events = (uint32_t)now.revents & (EPOLLERR | EPOLLHUP | EPOLLRDHUP);
	if (file_reads(file) && (now.revents & POLLIN))
		events |= EPOLLIN | EPOLLRDNORM;
	if (file_writes(file) && (now.revents & POLLOUT) && !file->channel->writers)
		events |= EPOLLOUT | EPOLLWRNORM;
	if (connection->notes->tally.error)
		events |= EPOLLERR;
	return events;
}

const struct channel_ops connection_ops = {
	.traits = CONNECTION_TRAITS,
	.destroy = connection_destroy,
	.stat = connection_stat,
	.change = connection_change,
	.open = connection_open,
	.opened = connection_opened,
	.release = connection_release,
	.read = connection_read,
	.write = connection_write,
	.poll = connection_poll,
	.status = connection_status,
	.peek = connection_peek,
	.footprint = connection_footprint,
	.save = connection_save,
	.adopt = connection_adopt,
	.adopt_file = connection_adopt_file,
	.accepted = connection_accepted,
	.recall = connection_recall,
};
