// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A message goes straight to the readers that wait for it (topic_publish.c). The ring
 * (lib/channel/ring.h) stores it for the others, once, and for those to come as far as the topic
 * keeps messages.
 */
#include "lib/kinds/topic/topic.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/channel/transfer.h"
#include "lib/host/thread.h"
#include "lib/kinds/kinds.h"

#define CAPACITY_DEFAULT ((size_t)1 << 20)
/* With more readers than this, stat(2) does not compute the size of the status. */
#define READERS_SLOW 64

static const struct channel_ops topic_ops;

struct topic *topic_from(struct channel *channel)
{
	assert(channel->ops == &topic_ops);
	return CONTAINER_OF(kept_from(channel), struct topic, kept);
}

static void topic_destroy(struct channel *channel)
{
	struct topic *topic = topic_from(channel);

	ring_fini(&topic->ring);
	kept_fini(&topic->kept);
	free(topic);
}

static int topic_stat(struct channel *channel, struct stat *ret_attr)
{
	kept_stat(&topic_from(channel)->kept, ret_attr);
	attributes_set_memory(ret_attr, topic_from(channel)->ring.charged);
	return 0;
}

static int topic_change(struct channel *channel, struct file *file, const struct stat *attr,
			unsigned changes, struct caller *caller)
{
	return attributes_change(topic_from(channel)->kept.attributes, attr, changes, caller);
}

/* Throwing messages away is like reading them: the right to write is not enough. */
static int topic_truncate(struct channel *channel, struct file *file, off_t size,
			  struct caller *caller)
{
	struct topic *topic = topic_from(channel);
	struct stat now = {0};

	if (size != 0)
		return -EINVAL;
	kept_stat(&topic->kept, &now);
	if (!caller_may(caller, &now, R_OK))
		return -EACCES;
	ring_empty(&topic->ring);
	channel_wake(channel, EPOLLOUT | EPOLLHUP);
	return 0;
}

static void note_readers(struct topic *topic)
{
	if (topic->ring.n_readers > READERS_SLOW)
		topic->kept.channel.traits |= CHANNEL_STATUS_IS_SLOW;
	else
		topic->kept.channel.traits &= ~(unsigned)CHANNEL_STATUS_IS_SLOW;
}

void topic_add_reader(struct topic *topic, struct topic_reader *reader, struct file *file)
{
	reader->file = file;
	DL_APPEND(topic->readers, reader);
	note_readers(topic);
	file->state = reader;
}

static int open_reader(struct topic *topic, struct file *file, pid_t pid)
{
	struct topic_reader *reader = calloc(1, sizeof(*reader));
	uint64_t n_back = file_selector(file).is_set ? file_selector(file).value : UINT64_MAX;

	if (!reader)
		return -ENOMEM;
	reader->record = (struct topic_reader_record *)file->record->words;
	reader->record->n_dropped = topic->record->n_dropped;
	reader->record->pid = (uint64_t)pid;
	ring_join(&topic->ring, &reader->place, &reader->record->place, n_back);
	topic_add_reader(topic, reader, file);
	return 0;
}

static int topic_open(struct file *file, struct caller *caller)
{
	struct topic *topic = topic_from(file->channel);
	int r = 0;

	if (file_selector(file).is_set && !file_reads(file))
		return -EINVAL;
	if (file_reads(file))
		r = open_reader(topic, file, thread_process(caller->pid, 0));
	if (r == 0)
		ending_note_open(file, &topic->record->ending);
	return r;
}

static void topic_release(struct file *file)
{
	struct topic *topic = topic_from(file->channel);
	struct topic_reader *reader = topic_reader_of(file);

	if (reader) {
		ring_leave(&topic->ring, &reader->place);
		DL_DELETE(topic->readers, reader);
		note_readers(topic);
		free(reader);
		channel_wake(file->channel, EPOLLOUT);
	}
	if (topic->eof == EOF_AUTO && file_writes(file) && file->channel->n_writers == 0)
		channel_wake(file->channel, EPOLLHUP);
}

static bool is_at_end(const struct topic *topic, const struct file *file)
{
	return topic->eof == EOF_AUTO && ending_is_due(file, &topic->record->ending);
}

/* Finds the reader's next message. Returns its size, 0 at end-of-file, or -EAGAIN. */
static ssize_t topic_next(struct file *file, struct iovec *ret_iov, int *ret_n)
{
	struct topic *topic = topic_from(file->channel);
	ssize_t size = ring_next(&topic->ring, &topic_reader_of(file)->place, ret_iov, ret_n);

	return size == -EAGAIN && is_at_end(topic, file) ? 0 : size;
}

void topic_note_read(struct topic *topic, struct file *file)
{
	ring_advance(&topic->ring, &topic_reader_of(file)->place);
	ending_note_data(file);
	attributes_touch(&topic->kept.attributes->atime);
}

/* There is nothing to take only if a journal tells so that can't be right. */
static void topic_take(struct file *file, size_t size)
{
	struct topic *topic = topic_from(file->channel);
	const struct topic_reader *reader = topic_reader_of(file);

	if (reader && ring_behind(&topic->ring, &reader->place))
		topic_note_read(topic, file);
}

/* A message that the read has no room for is copied: its rest stays with the file. */
static ssize_t topic_lend(struct file *file, size_t size, struct pieces *pieces)
{
	ssize_t n = topic_next(file, pieces->iov, &pieces->n);

	return n > 0 && (size_t)n > size ? -EOPNOTSUPP : n;
}

static ssize_t topic_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct iovec iov[RING_PIECES];
	char *end = data;
	int n_iov = 0;
	ssize_t n = topic_next(file, iov, &n_iov);

	if (n <= 0)
		return n;
	assert((size_t)n <= size);
	for (int i = 0; i < n_iov; i++)
		end = mempcpy(end, iov[i].iov_base, iov[i].iov_len);
	file->channel->space->host->journal->size = (uint64_t)n;
	STATE_ORDER();
	topic_take(file, (size_t)n);
	return n;
}

static ssize_t topic_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct topic *topic = topic_from(file->channel);
	int r = ring_check_size(&topic->ring, size);

	if (r < 0 || size == 0)
		return r;
	if (file->channel->message_max < size)
		file->channel->message_max = file->channel->record->message_max = size;
	if (ring_is_needed(&topic->ring) || ring_is_unfinished(&topic->ring))
		r = topic_publish(topic, data, size);
	else
		ring_pass(&topic->ring);
	if (r < 0)
		return r;
	attributes_touch(&topic->kept.attributes->mtime);
	return (ssize_t)size;
}

/*
 * Whether a message can be sent now. With full=wait, there must be room for one as long as the
 * longest that was ever written: a writer that was told so, and then is refused, would try again at
 * once.
 */
static bool can_send(struct topic *topic)
{
	const struct channel *channel = &topic->kept.channel;

	return topic->full != FULL_WAIT ||
	       (!channel->writers && ring_has_room(&topic->ring, channel->message_max));
}

static uint32_t topic_poll(struct file *file)
{
	struct topic *topic = topic_from(file->channel);
	struct topic_reader *reader = topic_reader_of(file);
	uint32_t events = 0;

	if (reader && ring_behind(&topic->ring, &reader->place))
		events |= EPOLLIN | EPOLLRDNORM;
	else if (reader && is_at_end(topic, file))
		events |= EPOLLHUP;
	if (file_writes(file) && can_send(topic))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

/* Fails with -EBUSY if the new capacity is too small for what is in the ring. */
static int topic_set(struct channel *channel, const struct settings *settings,
		     struct caller *caller)
{
	struct topic *topic = topic_from(channel);
	int r = topic_check(settings, topic->ring.capacity, &topic->ring.keep);

	if (r == 0 && !caller_owns(caller, topic->kept.attributes->uid))
		r = -EPERM;
	if (r == 0 && settings_has(settings, TOPIC_CAPACITY) &&
	    settings->values[TOPIC_CAPACITY] < ring_used(&topic->ring))
		r = -EBUSY;
	if (r < 0)
		return r;
	topic_apply(topic, settings);
	channel_save(channel);
	channel_wake(channel, EPOLLIN | EPOLLOUT | EPOLLHUP);
	return 0;
}

static int topic_create(struct space *space, const char *name, mode_t mode,
			const struct settings *settings, struct caller *caller,
			struct entry *ret_entry)
{
	CLEANUP_FREE struct topic *topic = NULL;
	int r = topic_check(settings, CAPACITY_DEFAULT, &(struct ring_keep){0});

	if (r < 0)
		return r;
	if (!S_ISREG(mode))
		return -EPERM;
	topic = calloc(1, sizeof(*topic));
	if (!topic)
		return -ENOMEM;
	r = kept_init(&topic->kept, space, CHANNEL_STREAM, name, mode, caller);
	if (r < 0)
		return r;
	topic->record = (struct topic_record *)topic->kept.channel.record->words;
	ending_init(&topic->record->ending);
	ring_init(&topic->ring,
		  &(struct ring_owner){.state = space->host->state,
				       .users = &space->host->users,
				       .uid = caller->uid,
				       .record = &topic->record->ring},
		  CAPACITY_DEFAULT);
	topic_apply(topic, settings);
	channel_save(&topic->kept.channel);
	ret_entry->channel = &TAKE_PTR(topic)->kept.channel;
	return 0;
}

static int topic_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse)
{
	struct topic *topic = topic_from(channel);

	if (ring_messages(&topic->ring) == 0)
		kept_disuse(&topic->kept, disuse);
	return 0;
}

static const struct channel_ops topic_ops = {
	.traits =
		CHANNEL_MESSAGES | CHANNEL_SELECTIVE_READS | CHANNEL_HAS_TAP | CHANNEL_TAPS_WRITES,
	.destroy = topic_destroy,
	.stat = topic_stat,
	.change = topic_change,
	.truncate = topic_truncate,
	.open = topic_open,
	.release = topic_release,
	.read = topic_read,
	.lend = topic_lend,
	.take = topic_take,
	.write = topic_write,
	.poll = topic_poll,
	.status = topic_status,
	.peek = topic_peek,
	.set = topic_set,
	.disuse = topic_disuse,
	.save = topic_save,
	.adopt = topic_adopt,
	.adopt_file = topic_adopt_file,
	.position = topic_position,
	.accepted = topic_accepted,
};

static const struct space_ops topic_space_ops = {
	.destroy = kept_space_destroy,
	.list = kept_list,
	.lookup = kept_lookup,
	.create = topic_create,
	.remove = kept_remove,
	.rename = kept_rename,
	.room = kept_room,
	.count = kept_count,
};

static int topic_space_open(struct space **ret_space, struct host *host)
{
	return kept_space_open(ret_space, host, &topic_kind, &topic_space_ops);
}

const struct kind topic_kind = {
	.path = "topics",
	.selector_max = INT_MAX,
	.parameters = topic_parameters,
	.channel = &topic_ops,
	.explain = topic_explain,
	.open = topic_space_open,
};
