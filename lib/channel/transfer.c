// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which held transfers a wake retries. After a reader that finds nothing, only readers with the
 * rest of a message are still tried; after a writer that is stuck, no writer behind it is tried.
 * Selective kinds retry all of them, and EPOLLHUP retries all readers. Where every write is a job,
 * only those are tried that never were.
 */
#include "lib/channel/transfer.h"

#include <errno.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/locks.h"
#include "lib/channel/tap.h"

static struct transfer **transfer_list(const struct transfer *transfer)
{
	struct channel *channel = transfer->file->channel;

	switch (transfer->sort) {
	case TRANSFER_READ:
		return &channel->readers;
	case TRANSFER_WRITE:
		return &channel->writers;
	case TRANSFER_LOCK:
		return &channel->lockers;
	default:
		return &channel->openers;
	}
}

static void transfer_unlink(struct transfer *transfer)
{
	struct transfer **list = transfer_list(transfer);

	waiter_fini(&transfer->waiter);
	if (transfer == transfer->file->channel->untried)
		transfer->file->channel->untried = transfer->next;
	DL_DELETE(*list, transfer);
	channel_attend(transfer->file->channel);
}

bool transfer_stop(struct transfer *transfer)
{
	return job_stop(&transfer->waiter);
}

void transfer_finish(struct transfer *transfer, ssize_t result)
{
	struct channel *channel = transfer->file->channel;
	uint32_t events = transfer->sort == TRANSFER_WRITE ? EPOLLIN | EPOLLOUT : 0;

	channel_ref(channel);
	transfer_unlink(transfer);
	transfer->complete(transfer, NULL, result);
	channel_wake(channel, events);
	channel_unref(channel);
}

void transfer_cancel(struct transfer *transfer)
{
	transfer_unlink(transfer);
	/* The next writer waited behind this one and may find room. */
	if (transfer->sort == TRANSFER_WRITE)
		channel_wake(transfer->file->channel, EPOLLOUT);
}

bool transfer_give(struct transfer *reader, const void *data, ssize_t result)
{
	transfer_unlink(reader);
	return reader->complete(reader, data, result);
}

static bool hand_to(struct transfer *reader, const void *data, size_t size)
{
	struct channel *channel = reader->file->channel;
	struct tap_who who = {.uid = reader->pid_uid};
	const struct iovec iov = {(void *)data, size};

	if (channel->tap)
		who.process = tap_process(channel, reader->pid);
	journal_read(reader->file, reader->request, JOURNAL_HAND, size, size);
	if (!transfer_give(reader, data, (ssize_t)size)) {
		journal_read_end(channel->space->host);
		return false;
	}
	journal_handed(channel->space->host);
	traffic_pass(&channel->traffic.out, size);
	if (channel->tap)
		tap_note_read(channel, &who, &iov, 1, (ssize_t)size);
	return true;
}

size_t transfer_hand(struct channel *channel, const void *data, size_t size)
{
	const char *rest = data;
	size_t taken = 0;

	while (channel->readers && taken < size) {
		struct transfer *reader = channel->readers;
		size_t n = size - taken < reader->size ? size - taken : reader->size;

		if (hand_to(reader, rest + taken, n))
			taken += n;
	}
	return taken;
}

/* Returns false if there may be more readers to answer, at the loop's next turn. */
static bool retry_readers(struct channel *channel, bool all)
{
	struct transfer *reader, *next;
	unsigned n_answered = 0;
	bool is_empty = false;

	DL_FOREACH_SAFE(channel->readers, reader, next) {
		const void *data = NULL;
		struct file *file;
		ssize_t n;

		if (is_empty && !all && !reader->file->rest.data)
			continue;
		if (n_answered == TRANSFER_TURN)
			return false;
		journal_take_up(channel->space->host, reader->request);
		reader->file->pid = reader->pid;
		reader->file->pid_uid = reader->pid_uid;
		n = channel_read(reader->file, reader->size, reader->offset, &data);
		reader->file->pid = 0;

		/* After this, only readers with the rest of a message find anything. */
		if (n == -EAGAIN) {
			is_empty = true;
			continue;
		}
		file = reader->file;
		channel_given(file, transfer_give(reader, data, n));
		n_answered++;
	}
	return true;
}

/* Tries a held write once more. Returns true if the writer is finished, one way or the other. */
static bool retry_writer(struct transfer *writer)
{
	struct file *file = writer->file;
	struct host *host = file->channel->space->host;
	ssize_t n;

	journal_take_up(host, writer->request);
	journal_write(file, writer->before + writer->done);
	file->waiter = &writer->waiter;
	file->pid = writer->pid;
	file->pid_uid = writer->pid_uid;
	file->buffer = writer->buffer;
	do {
		n = channel_write(file, writer->data + writer->done, writer->size - writer->done,
				  writer->offset + (off_t)writer->done);
		writer->done += n > 0 ? (size_t)n : 0;
	} while (n > 0 && writer->done < writer->size);
	file->waiter = NULL;
	file->pid = 0;
	file->buffer = NULL;
	if (n == -EAGAIN || n == -EINPROGRESS) {
		if (writer->done)
			journal_keep(host, &writer->record, writer->request,
				     writer->before + writer->done);
		journal_write_end(host);
		return false;
	}
	transfer_unlink(writer);
	writer->complete(writer, NULL, writer->done ? (ssize_t)writer->done : n);
	journal_write_end(host);
	return true;
}

/*
 * Returns false if there may be more writers to answer, at the loop's next turn. A writer that is
 * tried may move to the end of the list (lib/tree/ctl.c): each has one turn.
 */
static bool retry_writers(struct channel *channel, bool is_end)
{
	bool all = channel->traits & CHANNEL_SELECTIVE_WRITES;
	bool only_new = (channel->traits & CHANNEL_WRITES_ARE_JOBS) && !is_end;
	struct transfer *first = only_new ? channel->untried : channel->writers;
	const struct transfer *last = channel->writers ? channel->writers->prev : NULL;
	struct transfer *writer, *next;
	unsigned n_answered = 0;

	DL_FOREACH_SAFE(first, writer, next) {
		bool is_last = writer == last, is_through;

		if (n_answered == TRANSFER_TURN)
			return false;
		if (writer == channel->untried)
			channel->untried = next;
		/* A job at work on a write resumes the write itself. */
		is_through = !writer->waiter.job && retry_writer(writer);
		n_answered += is_through;
		if (is_last || (!is_through && !all))
			break;
	}
	return true;
}

/* Tries the write again, because the writer's job is done. */
static void transfer_resume(struct waiter *waiter)
{
	struct transfer *writer = CONTAINER_OF(waiter, struct transfer, waiter);
	struct channel *channel = writer->file->channel;

	channel_ref(channel);
	if (retry_writer(writer))
		channel_wake(channel, EPOLLIN | EPOLLOUT);
	channel_unref(channel);
}

/*
 * Answers the openers that need not wait any more. All of them wait for the same thing, but each
 * gets its own answer.
 */
static void retry_openers(struct channel *channel)
{
	struct transfer *opener, *next;

	DL_FOREACH_SAFE(channel->openers, opener, next) {
		int r = channel_opened(opener->file);

		if (r == -EAGAIN)
			continue;
		transfer_unlink(opener);
		opener->complete(opener, NULL, r);
	}
}

void transfer_hold(struct transfer *transfer)
{
	struct channel *channel = transfer->file->channel;
	struct transfer **list = transfer_list(transfer);
	bool is_read = transfer->sort == TRANSFER_READ;
	bool is_write = transfer->sort == TRANSFER_WRITE;

	transfer->waiter.resume = transfer_resume;
	channel->traffic.n_waits += is_read || is_write;
	DL_APPEND(*list, transfer);
	if (is_write && !channel->untried)
		channel->untried = transfer;
	channel_attend(channel);
	/*
	 * A writer that found no room may now hand its bytes to this reader. A write that a job may
	 * do is tried again.
	 */
	if ((is_read && channel->writers) ||
	    (is_write && (channel->traits & CHANNEL_WRITES_BY_JOB)))
		channel_wake(channel, EPOLLOUT);
}

void transfer_retry_later(struct channel *channel, uint32_t events)
{
	struct loop *loop = channel->space->host->loop;

	channel->woken |= events;
	loop_cancel(loop, &channel->wake);
	loop_yield(loop, &channel->wake);
}

void transfer_retry(struct channel *channel, uint32_t events)
{
	bool all = (events & EPOLLHUP) || (channel->traits & CHANNEL_SELECTIVE_READS);

	if (channel->openers)
		retry_openers(channel);
	if (events & EPOLLPRI)
		lock_retry(channel);
	if ((events & (EPOLLIN | EPOLLHUP)) && !retry_readers(channel, all))
		transfer_retry_later(channel, events & (EPOLLIN | EPOLLHUP));
	if ((events & (EPOLLOUT | EPOLLHUP)) && !retry_writers(channel, events & EPOLLHUP))
		transfer_retry_later(channel, events & (EPOLLOUT | EPOLLHUP));
}
