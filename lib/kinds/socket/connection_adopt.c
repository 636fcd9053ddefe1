// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connection in the next daemon: the same socket, known by its descriptor and its inode number.
 *
 * Only a connection that is open and connected has notes in its record. One that was being made is
 * made anew, because the open comes again. One that is closed is only a name, which is looked up
 * again.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/kinds/socket/connections.h"

/* In object_record::words. */
enum { WORD_NOTES }; /* the offset of the notes; 0: there is no socket */
/* In object_record::fds. */
enum { FD_SOCKET };

int connection_remember(struct connection *connection)
{
	struct object_record *record = connection->channel.record;
	struct connection_notes *notes;

	if (connection->attributes == &connection->own) {
		record->attributes = connection->own;
		connection->attributes = &record->attributes;
	}
	notes = state_alloc(connection->channel.space->host->state, sizeof(*notes));
	if (!notes)
		return -ENOMEM;
	memset(notes, 0, sizeof(*notes));
	connection->notes = notes;
	return 0;
}

void connection_forget(struct connection *connection)
{
	struct object_record *record = connection->channel.record;

	if (!connection->notes)
		return;
	record->fds[FD_SOCKET] = -1;
	record->words[WORD_NOTES] = 0;
	STATE_ORDER();
	state_release(connection->channel.space->host->state, connection->notes,
		      sizeof(*connection->notes));
	connection->notes = NULL;
}

void connection_save(struct channel *channel, struct object_record *record)
{
	struct connection *connection = connection_from(channel);
	struct connection_notes *notes = connection->notes;

	if (!notes || record->words[WORD_NOTES] || connection_ready(connection) < 0)
		return;
	notes->socket = connection->socket;
	notes->accepted_by = connection->accepted_by;
	notes->number = connection->number;
	notes->uid = connection->opener.uid;
	notes->gid = connection->opener.gid;
	strcpy(notes->label, connection->label);
	STATE_ORDER();
	record->words[WORD_NOTES] = state_offset(channel->space->host->state, notes);
	STATE_ORDER();
	record->fds[FD_SOCKET] = connection_fd(connection);
}

/*
 * Returns 0 if the record names a socket that no other connection has. A descriptor that is
 * something else belongs to somebody else, and is left alone.
 */
static int check_socket(struct host *host, struct object_record *record, ino_t socket)
{
	struct stat attr;

	if (fstat(record->fds[FD_SOCKET], &attr) < 0)
		return -ESTALE;
	if (S_ISSOCK(attr.st_mode) && attr.st_ino == socket && !connections_at_socket(host, socket))
		return 0;
	record->fds[FD_SOCKET] = -1;
	return -EPROTO;
}

/* Makes the new connection the one of the notes. */
static int take_over(struct connection *connection, struct object_record *record,
		     struct connection_notes *notes)
{
	struct channel *channel = &connection->channel;
	struct host *host = channel->space->host;
	int r = connections_adopt(connection, notes->number);

	if (r < 0)
		return r;
	numbers_give(&host->numbers, connection->own.ino);
	numbers_claim(&host->numbers, record->attributes.ino);
	connection->attributes = &record->attributes;
	connection->attributes->mode = S_IFREG | (record->attributes.mode & 07777);
	connection->notes = notes;
	connection->accepted_by = notes->accepted_by;
	connection->opener.uid = notes->uid;
	connection->opener.gid = notes->gid;
	connection->is_adopted = connection->is_unclaimed = true;
	connection->ready.source.fd = record->fds[FD_SOCKET];
	channel_charge_descriptors(channel, notes->uid, 1);
	connections_note_socket(connection);
	connection_take_type(connection);
	return 0;
}

int connection_adopt_as(const struct channel_ops *ops, struct space *space,
			struct object_record *record, struct channel **ret_channel)
{
	struct host *host = space->host;
	struct connection_notes *notes;
	struct connection *connection;
	int r;

	/* Only a name, or a connection that is still to be made: nothing is lost. */
	if (!record->words[WORD_NOTES] || record->fds[FD_SOCKET] < 0)
		return -EAGAIN;
	notes = state_claim(host->state, record->words[WORD_NOTES], sizeof(*notes));
	if (!notes || !memchr(notes->label, '\0', sizeof(notes->label)))
		return -EPROTO;
	r = check_socket(host, record, (ino_t)notes->socket);
	if (r == 0)
		r = connection_new(ops, connections_from(space->shown), notes->label, NULL,
				   &connection);
	if (r < 0)
		return r;
	r = take_over(connection, record, notes);
	if (r < 0)
		channel_unref(&connection->channel);
	else
		*ret_channel = &connection->channel;
	return r;
}

int connection_adopt(struct space *space, struct object_record *record,
		     struct channel **ret_channel)
{
	return connection_adopt_as(&connection_ops, space, record, ret_channel);
}

int connection_adopt_file(struct file *file)
{
	connection_from(file->channel)->is_unclaimed = false;
	return 0;
}

uint64_t connection_accepted(struct channel *channel)
{
	const struct connection *connection = connection_from(channel);

	return connection->notes ? tally_sent(&connection->notes->tally) : 0;
}

ssize_t connection_recall(struct file *file, void *data)
{
	const struct connection *connection = connection_from(file->channel);

	if (!connection->notes)
		return -EAGAIN;
	return tally_recall(&connection->notes->tally, file->channel->space->host->journal);
}
