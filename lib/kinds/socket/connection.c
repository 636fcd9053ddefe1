// SPDX-License-Identifier: GPL-2.0-or-later
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
#include "lib/kinds/socket/connections.h"

/* With a mark and a number behind it, it is a name: of what is longer, the end. */
#define LABEL_MAX (NAME_MAX - 11)
/* Of datagrams, until a longer one comes, bytes. */
#define MESSAGE_FIRST 65536
#define ALL_EVENTS    (EPOLLIN | EPOLLOUT | EPOLLRDHUP)

static void connection_dispatch(struct loop_source *source, uint32_t events);

struct connection *connection_from(struct channel *channel)
{
	assert(channel->kind->channel.read == connection_read);
	return CONTAINER_OF(channel, struct connection, channel);
}

static struct host *connection_host(const struct connection *connection)
{
	return connection->channel.space->host;
}

int connection_new(const struct kind *kind, struct connections *list, const char *label,
		   const struct dial_target *target, struct connection **ret_connection)
{
	CLEANUP_FREE struct connection *connection = calloc(1, sizeof(*connection));
	CLEANUP_FREE char *address = target ? malloc(target->size + 1) : NULL;
	struct caller self = {.uid = geteuid(), .gid = getegid()};
	struct host *host = list->space.host;
	size_t length = strlen(label);

	if (!connection || (target && !address))
		return -ENOMEM;
	connection->label = strdup(label + (length > LABEL_MAX ? length - LABEL_MAX : 0));
	if (!connection->label)
		return -ENOMEM;
	if (target) {
		memcpy(address, target->address, target->size);
		address[target->size] = '\0';
		connection->target = *target;
		connection->target.address = TAKE_PTR(address);
	}
	connection->list = list;
	channel_init(&connection->channel, kind, space_ref(&list->space), CHANNEL_STREAM);
	connection->source = (struct loop_source){.fd = -1, .dispatch = connection_dispatch};
	attributes_init(&connection->attributes, host->next_id++, S_IFREG | 0666, &self);
	connection->attributes.atime = connection->attributes.mtime = connection->attributes.ctime =
		host->started;
	*ret_connection = TAKE_PTR(connection);
	return 0;
}

/* The socket goes, or what is to become one. */
void connection_close(struct connection *connection)
{
	dial_drop(TAKE_PTR(connection->dial));
	loop_remove(connection_host(connection)->loop, &connection->source);
	if (connection->source.fd >= 0)
		close(TAKE_FD(connection->source.fd));
	connection->error = 0;
	connection->is_connecting = false;
	connection->target.n_tried = 0;
	caller_fini(&connection->opener);
	connection->channel.traits = connection->channel.kind->traits;
	channel_uncharge_descriptors(&connection->channel);
	connections_remove(connection);
}

void connection_destroy(struct channel *channel)
{
	struct connection *connection = connection_from(channel);

	connection_close(connection);
	space_unref(&connection->list->space);
	channel_unref(connection->origin);
	free((char *)connection->target.address);
	free(connection->channel.link);
	free(connection->label);
	free(connection);
}

/* The address's own, until it is open: a connection is its maker's. */
int connection_stat(struct channel *channel, struct stat *ret_attr)
{
	struct connection *connection = connection_from(channel);

	attributes_stat(&connection->attributes, ret_attr);
	ret_attr->st_nlink = 1;
	if (!connection->number)
		return 0;
	ret_attr->st_mode = S_IFREG | 0600;
	ret_attr->st_uid = connection->opener.uid;
	ret_attr->st_gid = connection->opener.gid;
	return 0;
}

/* An address is not ours to change, and what waits is not to be thrown away: -EINVAL. */
int connection_change(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller)
{
	return changes & CHANGE_SIZE ? -EINVAL : -EPERM;
}

int connection_ready(const struct connection *connection)
{
	if (connection->dial || connection->is_connecting)
		return -EAGAIN;
	if (connection->source.fd >= 0)
		return 0;
	return connection->error ? connection->error : -EAGAIN;
}

/* Once it is known what kind of socket it is. */
static void connection_take_type(struct connection *connection)
{
	int type = SOCK_STREAM;
	socklen_t size = sizeof(type);

	getsockopt(connection->source.fd, SOL_SOCKET, SO_TYPE, &type, &size);
	if (type == SOCK_STREAM)
		return;
	connection->channel.traits |= KIND_MESSAGES;
	connection->channel.message_max = MESSAGE_FIRST;
}

/* To whoever opens: EAGAIN would be to wait for what does not come. */
static int connection_error(int result)
{
	switch (result) {
	case -EAGAIN:
		return -EADDRNOTAVAIL; /* no local port is free */
	case -EMFILE:
		return -ENFILE; /* the daemon's table of descriptors is, to others, the system's */
	default:
		return result;
	}
}

void connection_set(struct connection *connection, int fd, int result)
{
	connection->source.fd = fd;
	connection->error = fd < 0 ? connection_error(result) : 0;
	connection->is_connecting = false;
	connections_note_socket(connection);
	if (fd >= 0)
		connection_take_type(connection);
	channel_wake(&connection->channel, EPOLLIN | EPOLLOUT | EPOLLHUP);
}

/* Edge-triggered, from the first time that somebody has to wait. */
static int connection_listen(struct connection *connection)
{
	return loop_add(connection_host(connection)->loop, &connection->source,
			ALL_EVENTS | EPOLLET);
}

/* The socket is there, and the kernel at work to connect it. */
static void connection_await(struct connection *connection, int fd, int n_tried)
{
	int r;

	connection->source.fd = fd;
	connection->is_connecting = true;
	connection->target.n_tried = n_tried;
	r = connection_listen(connection);
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
		result = connection->error; /* that of the last address */
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

/* It is through, or not: then there may be another address. */
static void connection_arrive(struct connection *connection)
{
	int fd = connection->source.fd;
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error == 0) {
		connection_set(connection, fd, 0);
		return;
	}
	loop_remove(connection_host(connection)->loop, &connection->source);
	close(TAKE_FD(connection->source.fd));
	connection->is_connecting = false;
	connection->error = -error;
	if (connection_dial(connection) < 0)
		connection_set(connection, -1, -error);
}

int connection_open(struct file *file, struct caller *caller)
{
	struct connection *connection = connection_from(file->channel);
	int r;

	/* The one connection is shared by all who open it, one way or another. */
	if (file->channel->n_files > 1)
		return 0;
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

void connection_release(struct file *file)
{
	struct connection *connection = connection_from(file->channel);

	if (file->channel->n_files == 0)
		connection_close(connection);
	else if (file_writes(file) && file->channel->n_writers == 0 &&
		 connection_ready(connection) == 0)
		shutdown(connection->source.fd, SHUT_WR);
}

static void connection_dispatch(struct loop_source *source, uint32_t events)
{
	struct connection *connection = CONTAINER_OF(source, struct connection, source);
	struct channel *channel = &connection->channel;

	if (connection->is_connecting) {
		if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			connection_arrive(connection);
		return;
	}
	if (events & EPOLLRDHUP)
		events |= EPOLLIN;
	if (events & (EPOLLERR | EPOLLHUP))
		events |= EPOLLIN | EPOLLOUT;
	if (channel->readers || channel->writers || channel->polled)
		channel_wake(channel, events);
	else
		loop_remove(connection_host(connection)->loop, source);
}

/* What a call came to that found nothing to do; -EAGAIN is told again when that has changed. */
static ssize_t connection_wait(struct connection *connection, int error)
{
	int r = error == EAGAIN ? connection_listen(connection) : 0;

	return r < 0 ? r : -error;
}

/* The length of the next message, without taking it. */
static ssize_t message_length(int fd)
{
	ssize_t n = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

ssize_t connection_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct connection *connection = connection_from(file->channel);
	ssize_t n = connection_ready(connection);

	if (n < 0)
		return n;
	if (file->channel->traits & KIND_MESSAGES) {
		n = message_length(connection->source.fd);
		/* An error is told once: the next call would not have it. */
		if (n < 0 && n != -EAGAIN)
			return n;
		if (n > (ssize_t)file->channel->message_max) {
			file->channel->message_max = (size_t)n;
			return -EMSGSIZE;
		}
	}
	n = recv(connection->source.fd, data, size, MSG_DONTWAIT);
	if (n < 0)
		return connection_wait(connection, errno);
	attributes_touch(&connection->attributes.atime);
	return n;
}

ssize_t connection_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct connection *connection = connection_from(file->channel);
	ssize_t n = connection_ready(connection);

	if (n < 0 || size == 0)
		return n;
	n = send(connection->source.fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return connection_wait(connection, errno);
	attributes_touch(&connection->attributes.mtime);
	return n;
}

uint32_t connection_poll(struct file *file)
{
	struct connection *connection = connection_from(file->channel);
	struct pollfd now = {.fd = connection->source.fd, .events = POLLIN | POLLOUT | POLLRDHUP};
	int r = connection_ready(connection);
	uint32_t events;

	if (r < 0)
		return r == -EAGAIN ? 0 : EPOLLERR | EPOLLHUP | EPOLLIN | EPOLLOUT;
	if (connection_listen(connection) < 0)
		return EPOLLERR;
	poll(&now, 1, 0);
	events = (uint32_t)now.revents & (EPOLLERR | EPOLLHUP | EPOLLRDHUP);
	if (file_reads(file) && (now.revents & POLLIN))
		events |= EPOLLIN | EPOLLRDNORM;
	if (file_writes(file) && (now.revents & POLLOUT) && !file->channel->writers)
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}
