// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What passes through a connection.
 */
#include <errno.h>
#include <sys/socket.h>

#include "lib/base/impatience.h"
#include "lib/channel/journal.h"
#include "lib/kinds/socket/connection.h"
#include "lib/kinds/socket/credentials.h"

/* The length of the next message, without taking it. */
static ssize_t message_length(int fd)
{
	ssize_t n = recv(fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);

	return n < 0 ? -errno : n;
}

/* Waits for nothing, not even for descriptors that came along and are closed. */
static ssize_t connection_receive(const struct connection *connection, void *data, size_t size)
{
	struct journal *journal = connection->channel.space->host->journal;
	struct tally *tally = &connection->notes->tally;
	const struct iovec room = {data, size};
	int fd = connection_fd(connection);
	bool takes_rights = connection->is_unix && connection->takes_rights;
	int r = takes_rights ? impatience_begin() : 0;
	ssize_t n;

	if (r < 0)
		return r;
	if (connection->channel.traits & CHANNEL_MESSAGES)
		n = tally_receive(tally, journal, fd, &room);
	else
		n = tally_receive_stream(tally, journal, fd, &room);
	if (takes_rights)
		impatience_end();
	return n;
}

ssize_t connection_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct connection *connection = connection_from(file->channel);
	ssize_t n = connection_ready(connection);

	if (n < 0)
		return n;
	if (file->channel->traits & CHANNEL_MESSAGES) {
		n = message_length(connection_fd(connection));
		/* The kernel reports an error once: the next call would not see it. */
		if (n < 0 && n != -EAGAIN)
			return n;
		if (n > (ssize_t)file->channel->message_max) {
			file->channel->message_max = (size_t)n;
			return -EMSGSIZE;
		}
	}
	n = connection_receive(connection, data, size);
	if (n < 0)
		return readiness_failed(&connection->ready, (int)-n);
	attributes_touch(&connection->attributes->atime);
	return n;
}

static ssize_t connection_send(struct file *file, const void *data, size_t size)
{
	struct connection *connection = connection_from(file->channel);
	struct tally *tally = &connection->notes->tally;
	struct iovec bytes = {(void *)data, size};
	int fd = connection_fd(connection);
	ssize_t n = (ssize_t)tally->error;

	if (n < 0) {
		tally->error = 0;
		return n;
	}
	if (connection->is_unix)
		return credentials_send(file, fd, &bytes, tally, &connection->writer);
	return tally_send(tally, fd, &(struct msghdr){.msg_iov = &bytes, .msg_iovlen = 1});
}

ssize_t connection_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct connection *connection = connection_from(file->channel);
	ssize_t n = connection_ready(connection);

	if (n < 0)
		return n;
	n = connection_send(file, data, size);
	if (n < 0)
		return readiness_failed(&connection->ready, (int)-n);
	attributes_touch(&connection->attributes->mtime);
	return n;
}
