// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/channel/transfer.h"

#include <errno.h>
#include <sys/epoll.h>
#include <utlist.h>

static struct transfer **transfer_list(const struct transfer *transfer)
{
	struct channel *channel = transfer->file->channel;

	return transfer->is_write ? &channel->writers : &channel->readers;
}

static void transfer_unlink(struct transfer *transfer)
{
	struct transfer **list = transfer_list(transfer);

	DL_DELETE(*list, transfer);
	channel_attend(transfer->file->channel);
}

void transfer_hold(struct transfer *transfer)
{
	struct transfer **list = transfer_list(transfer);

	DL_APPEND(*list, transfer);
	channel_attend(transfer->file->channel);
	/* A writer that waits for room that could not be had may now hand over. */
	if (!transfer->is_write && transfer->file->channel->writers)
		channel_wake(transfer->file->channel, EPOLLOUT);
}

bool transfer_stop(struct transfer *transfer)
{
	if (!transfer->work)
		return false;
	transfer->work->stop(transfer->work);
	return true;
}

/* The two know each other no more. */
static void transfer_detach(struct transfer *transfer)
{
	if (transfer->work)
		transfer->work->transfer = NULL;
	transfer->work = NULL;
}

void transfer_finish(struct transfer *transfer, ssize_t result)
{
	struct channel *channel = transfer->file->channel;
	uint32_t events = transfer->is_write ? EPOLLIN | EPOLLOUT : 0;

	channel_ref(channel);
	transfer_detach(transfer);
	transfer_unlink(transfer);
	transfer->complete(transfer, NULL, result);
	channel_wake(channel, events);
	channel_unref(channel);
}

void transfer_cancel(struct transfer *transfer)
{
	transfer_stop(transfer);
	transfer_detach(transfer);
	transfer_unlink(transfer);
	/* The next writer was behind this one, and may find room. */
	if (transfer->is_write)
		channel_wake(transfer->file->channel, EPOLLOUT);
}

size_t transfer_hand(struct channel *channel, const void *data, size_t size)
{
	const char *rest = data;
	size_t taken = 0;

	while (channel->readers && taken < size) {
		struct transfer *reader = channel->readers;
		size_t n = size - taken < reader->size ? size - taken : reader->size;

		transfer_unlink(reader);
		if (reader->complete(reader, rest + taken, n))
			taken += n;
	}
	return taken;
}

static void retry_readers(struct channel *channel, bool all)
{
	struct transfer *reader, *next;
	bool is_empty = false;

	DL_FOREACH_SAFE(channel->readers, reader, next) {
		const void *data = NULL;
		ssize_t n;

		if (is_empty && !all && !reader->file->rest.data)
			continue;
		n = channel_read(reader->file, reader->size, reader->offset, &data);

		/* From here on only those find anything who have the rest of a message. */
		if (n == -EAGAIN) {
			is_empty = true;
			continue;
		}
		transfer_unlink(reader);
		reader->complete(reader, data, n);
	}
}

/* One more try; true if the writer is through, in one way or another. */
static bool retry_writer(struct transfer *writer)
{
	const struct kind *kind = writer->file->channel->kind;
	ssize_t n;

	if (writer->work)
		return false;
	do {
		n = kind->channel.write(writer->file, writer->data + writer->done,
					writer->size - writer->done,
					writer->offset + (off_t)writer->done);
		writer->done += n > 0 ? (size_t)n : 0;
	} while (n > 0 && writer->done < writer->size);
	if (n == -EAGAIN)
		return false;
	transfer_unlink(writer);
	writer->complete(writer, NULL, writer->done ? (ssize_t)writer->done : n);
	return true;
}

static void retry_writers(struct channel *channel)
{
	bool all = channel->traits & KIND_SELECTIVE_WRITES;
	struct transfer *writer, *next;
	bool has_written = false;

	DL_FOREACH_SAFE(channel->writers, writer, next) {
		if (retry_writer(writer))
			has_written = true;
		else if (!all)
			break;
	}
	if (has_written || (channel->writers && channel->writers->done))
		channel_wake(channel, EPOLLIN);
}

void transfer_retry(struct channel *channel, uint32_t events)
{
	bool all = (events & EPOLLHUP) || (channel->traits & KIND_SELECTIVE_READS);

	if (events & (EPOLLIN | EPOLLHUP))
		retry_readers(channel, all);
	if (events & (EPOLLOUT | EPOLLHUP))
		retry_writers(channel);
}
