// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * journal::word says where the message is: nowhere yet (0), in a receipt, in the reader's buffer,
 * or, if it is an empty one, in the queue's record.
 */
#include "lib/kinds/sysv/sysv_queue_read.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/channel/blank.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"

/* journal::word: these, or the offset of a receipt and the logarithm of its size. */
enum {
	IN_BUFFER = 1,
	IN_RECORD /* and above that, one for each place */
};

#define LOG2_MIN  14 /* so the block begins at a page, and these bits of its offset are 0 */
#define LOG2_MAX  32
#define LOG2_MASK ((uint64_t)63)

#define UNKNOWN UINT64_MAX

static size_t room_of(unsigned log2)
{
	return ((size_t)1 << log2) - sizeof(struct sysv_receipt);
}

void sysv_receipts_init(struct sysv_receipts *receipts)
{
	receipts->receiver = getpid();
}

void sysv_receipts_fini(struct sysv_receipts *receipts, struct host *host)
{
	if (receipts->block)
		state_release(host->state, receipts->block, (size_t)1 << receipts->log2);
	receipts->block = NULL;
}

/* Makes room for a text of `size` bytes. Fails with -ENOMEM. */
static int reserve(struct sysv_receipts *receipts, struct host *host, size_t size)
{
	unsigned log2 = LOG2_MIN;
	struct sysv_receipt *block;

	if (receipts->block && size <= room_of(receipts->log2))
		return 0;
	while (log2 < LOG2_MAX && room_of(log2) < size)
		log2++;
	block = room_of(log2) < size ? NULL : state_alloc(host->state, (size_t)1 << log2);
	if (!block)
		return -ENOMEM;
	sysv_receipts_fini(receipts, host);
	memset(block, BLANK, (size_t)1 << log2);
	receipts->block = block;
	receipts->log2 = log2;
	return 0;
}

/* Raises message_max: there is a longer message. */
static int learn_length(struct sysv_queue *queue)
{
	struct channel *channel = &queue->sysv.channel;
	union sysv_data data;
	int r = sysv_data(&queue->sysv, &data);

	if (r < 0)
		return r;
	channel->message_max = 2 * channel->message_max + 1;
	if (channel->message_max > data.queue.__msg_cbytes)
		channel->message_max = data.queue.__msg_cbytes;
	return -EMSGSIZE;
}

static void note(struct journal *journal, size_t size, uint64_t word)
{
	journal->size = size;
	STATE_ORDER();
	journal->word = word;
	STATE_ORDER();
}

/* Hands out an empty message that was taken already, if the thread has the right to receive it. */
static ssize_t receive_empty(struct sysv_queue *queue, long type)
{
	struct journal *journal = queue->sysv.channel.space->host->journal;
	union sysv_data data;
	int r = sysv_queue_calls.control(queue->sysv.id, IPC_STAT, &data);

	if (r < 0)
		return r;
	note(journal, 0, IN_RECORD + (uint64_t)(sysv_queue_find_empty(queue, type)->place + 1));
	sysv_queue_take_empty(queue, type);
	return 0;
}

static ssize_t receive(struct sysv_queue *queue, long type, size_t size,
		       const union sysv_data *before)
{
	struct space *space = queue->sysv.channel.space;
	struct sysv_receipts *receipts = sysv_queue_receipts(space);
	struct sysv_receipt *receipt = receipts->block;
	ssize_t n;

	receipt->size = UNKNOWN;
	receipt->n_messages = before->queue.msg_qnum;
	receipt->n_bytes = before->queue.__msg_cbytes;
	receipt->receiver = receipts->receiver;
	receipt->kernel.type = 0;
	STATE_ORDER();
	space->host->journal->word = state_offset(space->host->state, receipt) | receipts->log2;
	STATE_ORDER();
	n = msgrcv(queue->sysv.id, &receipt->kernel, size, type, IPC_NOWAIT);
	if (n < 0)
		return -errno;
	receipt->size = (uint64_t)n;
	STATE_ORDER();
	return n;
}

/* Moves the text of the receipt to the reader's buffer. */
static void move_text(struct file *file, void *data, size_t size)
{
	struct sysv_receipt *receipt = sysv_queue_receipts(file->channel->space)->block;

	memcpy(data, receipt->kernel.text, size);
	note(file->channel->space->host->journal, size, IN_BUFFER);
	memset(receipt->kernel.text, BLANK, size);
}

static ssize_t read_as_opener(struct file *file, size_t size, bool *ret_is_in_receipt)
{
	struct sysv_queue *queue = sysv_queue_from(file->channel);
	long type = sysv_queue_type(file);
	union sysv_data now;
	ssize_t n = sysv_data(&queue->sysv, &now);

	if (n == 0)
		n = sysv_enter(file, &now);
	if (n < 0)
		return n;
	*ret_is_in_receipt = !sysv_queue_has_empty(queue, type);
	n = *ret_is_in_receipt ? receive(queue, type, size, &now) : receive_empty(queue, type);
	caller_leave();
	return n == -ENOMSG ? -EAGAIN : n < 0 ? sysv_error((int)n) : n;
}

ssize_t sysv_queue_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct host *host = file->channel->space->host;
	bool is_in_receipt;
	ssize_t n;

	if (size > file->channel->message_max)
		size = file->channel->message_max;
	if (reserve(sysv_queue_receipts(file->channel->space), host, size) < 0)
		return -ENOMEM;
	n = read_as_opener(file, size, &is_in_receipt);
	if (n == -E2BIG)
		return learn_length(sysv_queue_from(file->channel));
	if (n >= 0 && is_in_receipt)
		move_text(file, data, (size_t)n);
	return n;
}

/* In the next daemon. */

/* Claims the receipt that a queue's reader was using. */
static void adopt_receipt(struct space *space, const struct object_record *record)
{
	struct sysv_receipts *receipts = sysv_queue_receipts(space);
	struct host *host = space->host;
	const struct journal *journal = host->journal;
	const struct file_record *reader = slots_record(&host->files, journal->file);
	unsigned log2 = journal->word & LOG2_MASK;

	if (journal->step != JOURNAL_RECEIVE || !reader || receipts->block || log2 < LOG2_MIN ||
	    log2 > LOG2_MAX || slots_record(&host->objects, reader->object) != record)
		return;
	receipts->block = state_claim(host->state, journal->word & ~LOG2_MASK, (size_t)1 << log2);
	receipts->log2 = log2;
}

int sysv_queue_adopt(struct space *space, struct object_record *record,
		     struct channel **ret_channel)
{
	int r = sysv_adopt(space, record, ret_channel);

	if (r < 0)
		return r;
	adopt_receipt(space, record);
	r = sysv_queue_adopt_empties(sysv_queue_from(*ret_channel), record);
	if (r < 0)
		channel_unref(*ret_channel);
	return r;
}

/* Returns the size of the text, where the result of the call was not written down. */
static size_t find_size(struct sysv_queue *queue, const struct sysv_receipt *receipt, size_t room)
{
	size_t size = blank_length(receipt->kernel.text, room);
	uint64_t difference;
	union sysv_data now;

	if (sysv_data(&queue->sysv, &now) < 0 || now.queue.msg_lrpid != receipt->receiver ||
	    now.queue.msg_qnum + 1 != receipt->n_messages)
		return size;
	difference = receipt->n_bytes - now.queue.__msg_cbytes;
	return difference > size && difference <= room ? (size_t)difference : size;
}

/* Moves the text of the receipt that was adopted to the reader's buffer. */
static ssize_t recall_receipt(struct file *file, void *data)
{
	struct sysv_receipts *receipts = sysv_queue_receipts(file->channel->space);
	struct host *host = file->channel->space->host;
	const struct sysv_receipt *receipt = receipts->block;
	uint64_t size;

	if (!receipt || receipt->kernel.type == 0 ||
	    host->journal->word != (state_offset(host->state, receipt) | receipts->log2))
		return -EAGAIN;
	size = receipt->size;
	if (size == UNKNOWN)
		size = find_size(sysv_queue_from(file->channel), receipt, room_of(receipts->log2));
	if (size > room_of(receipts->log2) || size > host->scratch_size)
		return -EAGAIN;
	move_text(file, data, (size_t)size);
	blank_used(host, (size_t)size);
	return (ssize_t)size;
}

ssize_t sysv_queue_recall(struct file *file, void *data)
{
	const struct journal *journal = file->channel->space->host->journal;

	if (journal->word == IN_BUFFER)
		return (ssize_t)journal->size;
	if (journal->word > IN_RECORD + SYSV_EMPTIES || journal->word < IN_RECORD)
		return recall_receipt(file, data);
	sysv_queue_forget_empty(sysv_queue_from(file->channel),
				(int)(journal->word - IN_RECORD) - 1);
	return 0;
}
