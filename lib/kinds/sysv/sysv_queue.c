// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System V message queues of the IPC namespace. NAME:N sends with type N and receives only that
 * type; without it type 1 is sent, and any type received. A message that the queue could never take
 * is refused with EMSGSIZE, where msgsnd(2) says EINVAL or waits for ever.
 */
#include "lib/channel/channel.h"
#include "lib/channel/record.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/channel/attributes.h"
#include "lib/channel/journal.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/sysv/sysv.h"
#include "lib/kinds/sysv/sysv_disuse.h"
#include "lib/kinds/sysv/sysv_queue_read.h"

/* The most messages that a peek shows: for each, the kernel walks the queue from its start. */
#define PEEK_MAX 1000

enum { QUEUE_CAPACITY };

static const struct parameter queue_parameters[] = {
	[QUEUE_CAPACITY] = {"capacity", PARAMETER_SIZE, .min = 1, .max = INT_MAX},
	{.name = NULL},
};

struct queue_space {
	struct sysv_space sysv;
	struct sysv_message *message; /* on its way to a queue */
	size_t size;                  /* room for its text, bytes */
	struct sysv_receipts receipts;
};

static const struct channel_ops queue_ops;

struct sysv_queue *sysv_queue_from(struct channel *channel)
{
	assert(channel->ops == &queue_ops);
	return CONTAINER_OF(sysv_from(channel), struct sysv_queue, sysv);
}

static const struct space_ops queue_space_ops;

static struct queue_space *queue_space_from(struct space *space)
{
	assert(space->ops == &queue_space_ops);
	return CONTAINER_OF(sysv_space_from(space), struct queue_space, sysv);
}

struct sysv_receipts *sysv_queue_receipts(struct space *space)
{
	return &queue_space_from(space)->receipts;
}

static int queue_control(int id, int command, union sysv_data *data)
{
	int r = msgctl(id, command, &data->queue);

	return r < 0 ? -errno : r;
}

static int queue_get(key_t key, int flags, size_t size)
{
	int id = msgget(key, flags);

	return id < 0 ? -errno : id;
}

static int queue_find(key_t key)
{
	return queue_get(key, 0, 0);
}

static void queue_fill(const union sysv_data *data, struct stat *attr)
{
	attr->st_atim.tv_sec = data->queue.msg_rtime;
	attr->st_mtim.tv_sec = data->queue.msg_stime;
	attr->st_ctim.tv_sec = data->queue.msg_ctime;
	attributes_set_memory(attr, data->queue.__msg_cbytes);
}

const struct sysv_calls sysv_queue_calls = {
	.control = queue_control,
	.find = queue_find,
	.stat_any = MSG_STAT_ANY,
	.fill = queue_fill,
};

/* Makes room for a text of `size` bytes. Fails with -ENOMEM. */
static int reserve(struct queue_space *space, size_t size)
{
	struct sysv_message *grown;

	if (size <= space->size)
		return 0;
	grown = realloc(space->message, sizeof(*grown) + size);
	if (!grown)
		return -ENOMEM;
	space->message = grown;
	space->size = size;
	return 0;
}

/* The operations on the channel of a queue. */

static void queue_destroy(struct channel *channel)
{
	struct sysv_queue *queue = sysv_queue_from(channel);

	sysv_queue_wait_fini(queue);
	sysv_fini(&queue->sysv);
	free(queue);
}

static int queue_open(struct file *file, struct caller *caller)
{
	struct sysv_queue *queue = sysv_queue_from(file->channel);
	union sysv_data data;
	struct msginfo info;
	int r = sysv_data(&queue->sysv, &data);

	if (r < 0)
		return r == -EIDRM ? -ESTALE : r;
	if (file_selector(file).is_set && file_selector(file).value == 0)
		return -EINVAL;
	if (msgctl(0, IPC_INFO, (struct msqid_ds *)&info) < 0)
		return -errno;
	file->channel->message_max = (size_t)info.msgmax;
	if (data.queue.msg_qbytes < file->channel->message_max)
		file->channel->message_max = data.queue.msg_qbytes;
	return sysv_open(file, caller);
}

static ssize_t queue_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct sysv_queue *queue = sysv_queue_from(file->channel);
	struct queue_space *space = queue_space_from(file->channel->space);

	if (reserve(space, size) < 0)
		return -ENOMEM;
	space->message->queue = queue->sysv.identity;
	space->message->size = size;
	space->message->journal = file->channel->space->host->journal;
	space->message->request = space->message->journal->request;
	space->message->kernel.type =
		file_selector(file).is_set ? (long)file_selector(file).value : 1;
	memcpy(space->message->kernel.text, data, size);
	return sysv_queue_send(queue, file, space->message);
}

static uint32_t queue_poll(struct file *file)
{
	struct sysv_queue *queue = sysv_queue_from(file->channel);
	uint32_t events = 0;
	int r = 0;

	if (file_reads(file))
		r = sysv_queue_has_message(file);
	if (r > 0)
		events |= EPOLLIN | EPOLLRDNORM;
	if (r >= 0 && file_writes(file))
		r = file->channel->writers ? 0 : sysv_queue_has_room(queue);
	else
		r = r < 0 ? r : 0;
	if (r > 0)
		events |= EPOLLOUT | EPOLLWRNORM;
	return r < 0 ? EPOLLERR | EPOLLHUP : events;
}

/* MSG_STAT_ANY tells this to everybody. */
static void queue_status(struct channel *channel, struct caller *caller, struct row *row)
{
	union sysv_data data;

	if (sysv_status(&sysv_queue_from(channel)->sysv, row, &data) < 0)
		return;
	row_add_number(row, "messages", data.queue.msg_qnum);
	row_add_bytes(row, "bytes", data.queue.__msg_cbytes);
	row_add_bytes(row, "capacity", data.queue.msg_qbytes);
	row_add_signed(row, "last-sender", data.queue.msg_lspid);
	row_add_signed(row, "last-receiver", data.queue.msg_lrpid);
}

/* Prints each message, and a newline where it does not end in one. */
static int queue_peek(struct channel *channel, struct caller *caller, FILE *out)
{
	struct sysv_queue *queue = sysv_queue_from(channel);
	struct queue_space *space = queue_space_from(channel->space);
	union sysv_data data;
	int r = sysv_data(&queue->sysv, &data);

	if (r == 0)
		r = reserve(space, data.queue.__msg_cbytes);
	for (long i = 0; r == 0 && i < (long)data.queue.msg_qnum && i < PEEK_MAX; i++) {
		ssize_t n = msgrcv(queue->sysv.id, &space->message->kernel, space->size, i,
				   MSG_COPY | IPC_NOWAIT | MSG_NOERROR);

		if (n < 0) /* ENOMSG: somebody has taken messages meanwhile */
			return errno == ENOMSG ? 0 : -errno;
		fwrite(space->message->kernel.text, 1, (size_t)n, out);
		if (n == 0 || space->message->kernel.text[n - 1] != '\n')
			fputc('\n', out);
	}
	return r;
}

static int queue_set(struct channel *channel, const struct settings *settings,
		     struct caller *caller)
{
	struct sysv_queue *queue = sysv_queue_from(channel);
	union sysv_data data;
	int r = sysv_data(&queue->sysv, &data);

	if (r < 0 || !settings_has(settings, QUEUE_CAPACITY))
		return r;
	data.queue.msg_qbytes = settings->values[QUEUE_CAPACITY];
	r = caller_enter(caller);
	if (r < 0)
		return r;
	r = queue_control(queue->sysv.id, IPC_SET, &data);
	caller_leave();
	channel_wake(channel, EPOLLOUT);
	return sysv_error(r);
}

/* The directory of the queues. */

static int queue_create(struct space *space, const char *name, mode_t mode,
			const struct settings *settings, struct caller *caller,
			struct entry *ret_entry)
{
	int r = sysv_make(space, name, mode, caller, queue_get, 0, ret_entry);

	if (r < 0 || !settings_has(settings, QUEUE_CAPACITY))
		return r;
	r = queue_set(ret_entry->channel, settings, caller);
	if (r < 0)
		sysv_unmake(TAKE_PTR(ret_entry->channel), caller);
	return r;
}

static void queue_space_destroy(struct space *space)
{
	sysv_receipts_fini(sysv_queue_receipts(space), space->host);
	free(queue_space_from(space)->message);
	sysv_space_destroy(space);
}

static const struct channel_ops queue_ops = {
	.traits = CHANNEL_MESSAGES | CHANNEL_SELECTIVE_READS | CHANNEL_WRITES_BY_JOB |
		  CHANNEL_HAS_TAP,
	.destroy = queue_destroy,
	.stat = sysv_stat,
	.change = sysv_change,
	.get_acl = sysv_get_acl,
	.truncate = sysv_queue_truncate,
	.open = queue_open,
	.release = sysv_release,
	.read = sysv_queue_read,
	.write = queue_write,
	.poll = queue_poll,
	.attend = sysv_queue_attend,
	.status = queue_status,
	.check_read = sysv_check_read,
	.peek = queue_peek,
	.set = queue_set,
	.disuse = sysv_queue_disuse,
	.reap = sysv_reap,
	.save = sysv_save,
	.adopt = sysv_queue_adopt,
	.adopt_file = sysv_adopt_file,
	.recall = sysv_queue_recall,
};

static const char *queue_explain(struct channel *channel, const char *name,
				 const struct settings *settings, int error)
{
	struct msginfo info;

	if (error == -EPERM && settings_has(settings, QUEUE_CAPACITY) &&
	    msgctl(0, IPC_INFO, (struct msqid_ds *)&info) >= 0 &&
	    settings->values[QUEUE_CAPACITY] > (uint64_t)info.msgmnb)
		return "capacity= is above the limit in /proc/sys/kernel/msgmnb";
	if (error == -ENOSPC)
		return "above the limit in /proc/sys/kernel/msgmni";
	return channel || error != -EINVAL ? NULL : sysv_explain_name(name);
}

static const struct space_ops queue_space_ops = {
	.destroy = queue_space_destroy,
	.list = sysv_list,
	.lookup = sysv_lookup,
	.create = queue_create,
	.remove = sysv_remove,
	.room = sysv_room_for_queues,
	.count = sysv_count_queues,
};

static void queue_init(struct sysv *sysv)
{
	sysv_queue_wait_init(sysv);
	if (!features_has(&sysv->channel.space->host->features, FEATURE_MSG_COPY))
		sysv->channel.traits |= CHANNEL_HAS_NO_PEEK;
}

static int queue_space_open(struct space **ret_space, struct host *host)
{
	CLEANUP_FREE struct queue_space *space = calloc(1, sizeof(*space));
	int r;

	if (!space)
		return -ENOMEM;
	space->sysv.calls = &sysv_queue_calls;
	space->sysv.service = CHANNEL_STREAM;
	space->sysv.object_size = sizeof(struct sysv_queue);
	space->sysv.init = queue_init;
	sysv_receipts_init(&space->receipts);
	r = sysv_space_init(&space->sysv, &queue_space_ops, host, &sysv_queue_kind);
	if (r == 0)
		*ret_space = &TAKE_PTR(space)->sysv.space;
	return r;
}

const struct kind sysv_queue_kind = {
	.path = "sysv/queues",
	.home = NAMESPACE_IPC,
	.selector_max = LONG_MAX,
	.parameters = queue_parameters,
	.ino_bits = INO_UNIT_BITS,
	.ino_is_cut = true, /* identifiers may be longer: the head of sysv.h */
	.channel = &queue_ops,
	.canonical = sysv_canonical,
	.explain = queue_explain,
	.open = queue_space_open,
};
