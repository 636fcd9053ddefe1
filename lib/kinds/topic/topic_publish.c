// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a message is sent. Room for it is made before anyone gets it, so that each message is sent to
 * all or to none, also when the daemon is killed meanwhile: it is appended, given to readers, and
 * then stored for the others. The next daemon gets the same write again, and goes on where the
 * message is: those that have it stand behind it.
 */
#include "lib/kinds/topic/topic.h"

#include <errno.h>
#include <utlist.h>

#include "lib/channel/journal.h"
#include "lib/channel/transfer.h"

static bool wants_last(const struct topic *topic, const struct transfer *transfer, size_t size)
{
	struct file *file = transfer->file;

	return transfer->size >= size && !file->rest.data &&
	       ring_behind(&topic->ring, &topic_reader_of(file)->place) == 1;
}

/*
 * Gives the last message to readers that wait for exactly it, and have room for it. Of several
 * reads of one open file, one gets it. The readers that are left take it from the ring when the
 * channel is woken.
 */
static void hand_out(struct topic *topic, const void *data, size_t size)
{
	struct host *host = topic->kept.channel.space->host;
	struct transfer *transfer, *next;
	unsigned n_seen = 0;

	DL_FOREACH_SAFE(topic->kept.channel.readers, transfer, next) {
		struct file *file = transfer->file;

		if (n_seen++ == TRANSFER_TURN)
			break;
		if (!wants_last(topic, transfer, size))
			continue;
		journal_read(file, transfer->request, JOURNAL_TAKE, size, size);
		if (transfer_give(transfer, data, (ssize_t)size)) {
			traffic_pass(&topic->kept.channel.traffic.out, size);
			topic_note_read(topic, file);
		}
		journal_read_end(host);
	}
}

/*
 * Whether this is the write that the former daemon could not finish. If it is another one, the
 * message that is in the ring without its bytes will never be finished.
 */
static bool resumes(struct topic *topic, size_t size)
{
	const struct journal *journal = topic->kept.channel.space->host->journal;
	uint64_t writer = topic->writer;
	struct topic_reader *reader;

	topic->writer = 0;
	if (!ring_is_unfinished(&topic->ring))
		return false;
	if (ring_is_last(&topic->ring, size) && (!writer || writer == journal->request))
		return true;
	ring_take_back(&topic->ring);
	DL_FOREACH(topic->readers, reader) {
		ring_step_back(&topic->ring, &reader->place);
	}
	return false;
}

static int append(struct topic *topic, size_t size)
{
	int r = ring_make_room(&topic->ring, size, topic->full == FULL_DROP_OLDEST);

	if (r == 0)
		ring_append(&topic->ring, size);
	return r;
}

int topic_publish(struct topic *topic, const void *data, size_t size)
{
	struct iovec iov = {(void *)data, size};
	int r = resumes(topic, size) ? 0 : append(topic, size);

	if (r == -EAGAIN && topic->full == FULL_DROP_NEWEST) {
		topic->record->n_dropped++;
		return 0;
	}
	if (r < 0)
		return r;
	hand_out(topic, data, size);
	ring_fill(&topic->ring, &iov, 1);
	return 0;
}
