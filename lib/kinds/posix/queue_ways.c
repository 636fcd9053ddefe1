// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nobody tells whether a mq_receive(2) took a message if the daemon was killed meanwhile. But the
 * kernel writes the priority, and then the message, to memory that outlives the daemon. So the
 * priority is there if and only if a message was taken, and the message's end is found as
 * lib/channel/blank.h says.
 *
 * A message that was sent is counted right after mq_send(2). If the daemon is killed in between,
 * within the last microsecond of that call, the message is sent again.
 */
#include "lib/kinds/posix/queue_ways.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/channel/blank.h"
#include "lib/channel/journal.h"
#include "lib/kinds/posix/mqueues.h"

/*
 * Words of object_record::words: whether the descriptor for reading is for writing, too; and how
 * many messages have been sent. A shared descriptor stands only once in object_record::fds.
 */
enum { QUEUE_IS_SHARED = NAMED_WORDS, QUEUE_SENT };

/* No priority changes the other half of this, and none is 0xffffffff. */
#define NO_PRIORITY UINT64_MAX

int queue_fd(const struct queue *queue, int way)
{
	return queue->ways[way].source.fd;
}

int queue_descriptor(const struct queue *queue)
{
	int fd = queue_fd(queue, QUEUE_READ);

	return fd >= 0 ? fd : queue_fd(queue, QUEUE_WRITE);
}

int queue_open_way(struct queue *queue, int way, uid_t uid)
{
	int fd;

	if (queue_fd(queue, way) >= 0)
		return 0;
	fd = channel_charge_descriptors(&queue->named.channel, uid, 1);
	if (fd == 0)
		fd = named_open(&queue->named, O_RDWR);
	if (fd == -EACCES)
		fd = named_open(&queue->named, way == QUEUE_READ ? O_RDONLY : O_WRONLY);
	else if (fd >= 0 && queue_fd(queue, !way) < 0)
		queue->ways[!way].source.fd = fd;
	if (fd < 0)
		return fd;
	queue->ways[way].source.fd = fd;
	return 0;
}

void queue_close(struct queue *queue)
{
	int read_fd = queue_fd(queue, QUEUE_READ);
	int write_fd = queue_fd(queue, QUEUE_WRITE);

	for (int way = 0; way < QUEUE_N_WAYS; way++) {
		readiness_unwatch(&queue->ways[way]);
		queue->ways[way].source.fd = -1;
	}
	/* From the close on, the numbers may be those of other descriptors. */
	channel_save(&queue->named.channel);
	if (write_fd >= 0 && write_fd != read_fd)
		close(write_fd);
	if (read_fd >= 0)
		close(read_fd);
	channel_uncharge_descriptors(&queue->named.channel);
}

static bool is_shared(const struct queue *queue)
{
	return queue_fd(queue, QUEUE_READ) == queue_fd(queue, QUEUE_WRITE);
}

struct readiness *queue_way(struct queue *queue, int way)
{
	return &queue->ways[is_shared(queue) ? QUEUE_READ : way];
}

int queue_watch(struct queue *queue)
{
	int r = 0;

	for (int way = 0; r == 0 && way < QUEUE_N_WAYS; way++)
		if (queue_fd(queue, way) >= 0)
			r = readiness_watch(queue_way(queue, way));
	return r;
}

uint64_t *queue_expect(const struct file *file, size_t size)
{
	struct host *host = file->channel->space->host;

	blank_make(host, file->channel->message_max < size ? file->channel->message_max : size);
	host->journal->word = NO_PRIORITY;
	STATE_ORDER();
	return &host->journal->word;
}

ssize_t queue_recall(struct file *file, void *data)
{
	const struct host *host = file->channel->space->host;
	uint64_t word = host->journal->word;

	if (word == 0 || word == NO_PRIORITY || file->channel->message_max > host->scratch_size)
		return -EAGAIN;
	return (ssize_t)blank_length(data, file->channel->message_max);
}

void queue_count_sent(struct queue *queue)
{
	STATE_ORDER();
	queue->named.channel.record->words[QUEUE_SENT]++;
	STATE_ORDER();
}

uint64_t queue_accepted(struct channel *channel)
{
	return channel->record->words[QUEUE_SENT];
}

void queue_save(struct channel *channel, struct object_record *record)
{
	struct queue *queue = queue_from(channel);

	named_save(&queue->named, record);
	record->fds[QUEUE_WRITE] = is_shared(queue) ? -1 : queue_fd(queue, QUEUE_WRITE);
	record->fds[QUEUE_READ] = queue_fd(queue, QUEUE_READ);
	STATE_ORDER();
	record->words[QUEUE_IS_SHARED] = is_shared(queue) && queue_fd(queue, QUEUE_READ) >= 0;
}

/* Takes over the descriptors of the record, if all of them are right. */
static int adopt_ways(struct queue *queue, struct object_record *record)
{
	bool shares = record->fds[QUEUE_READ] >= 0 && record->words[QUEUE_IS_SHARED];
	int fds[QUEUE_N_WAYS] = {record->fds[QUEUE_READ], record->fds[QUEUE_WRITE]};
	const int access[QUEUE_N_WAYS] = {shares ? O_RDWR : O_RDONLY, O_WRONLY};

	for (int way = 0; way < QUEUE_N_WAYS; way++) {
		if (fds[way] < 0)
			continue;
		if (!mqueue_is_open(fds[way], queue->named.ino, access[way]))
			return -EPROTO;
		named_charge(&queue->named, record, 1);
	}
	queue->ways[QUEUE_READ].source.fd = fds[QUEUE_READ];
	queue->ways[QUEUE_WRITE].source.fd = shares ? fds[QUEUE_READ] : fds[QUEUE_WRITE];
	record->words[QUEUE_IS_SHARED] = shares;
	return 0;
}

int queue_adopt(struct space *space, struct object_record *record, struct channel **ret_channel)
{
	int r = named_adopt(space, record, ret_channel);

	if (r < 0)
		return r;
	r = adopt_ways(queue_from(*ret_channel), record);
	if (r < 0)
		channel_unref(*ret_channel);
	return r;
}

int queue_adopt_file(struct file *file)
{
	const struct queue *queue = queue_from(file->channel);
	bool can_read = queue_fd(queue, QUEUE_READ) >= 0;
	bool can_write = queue_fd(queue, QUEUE_WRITE) >= 0;

	return (file_reads(file) && !can_read) || (file_writes(file) && !can_write) ? -EPROTO : 0;
}
