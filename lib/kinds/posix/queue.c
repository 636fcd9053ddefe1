// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues: the POSIX message queues of the IPC namespace.
 *
 * All open files of a queue share the daemon's descriptors, so one message wakes one reader. NAME:N
 * sends with priority N; which message is received next is the kernel's choice alone.
 */
#include "lib/channel/channel.h"
#include "lib/channel/record.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/host/job.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/posix/mqueues.h"
#include "lib/kinds/posix/queue_ways.h"

#define PRIORITY_MAX 32767 /* MQ_PRIO_MAX - 1 */

enum { QUEUE_MAXMSG, QUEUE_MSGSIZE };

/*
 * The maxima are the kernel's HARD_MSGMAX and HARD_MSGSIZEMAX. The kernel decides how much of them
 * a caller may have.
 */
static const struct parameter queue_parameters[] = {
	[QUEUE_MAXMSG] = {"maxmsg", PARAMETER_NUMBER, .min = 1, .max = 65536, .is_fixed = true},
	[QUEUE_MSGSIZE] = {"msgsize", PARAMETER_SIZE, .min = 1, .max = 16 << 20, .is_fixed = true},
	{.name = NULL},
};

static const struct channel_ops queue_ops;

struct queue *queue_from(struct channel *channel)
{
	assert(channel->ops == &queue_ops);
	return CONTAINER_OF(named_from(channel), struct queue, named);
}

static void queue_init(struct named *named)
{
	struct queue *queue = CONTAINER_OF(named, struct queue, named);

	for (int way = 0; way < QUEUE_N_WAYS; way++)
		readiness_init(&queue->ways[way], &named->channel);
}

static void queue_destroy(struct channel *channel)
{
	struct queue *queue = queue_from(channel);

	queue_close(queue);
	named_fini(&queue->named);
	free(queue);
}

static int queue_stat(struct channel *channel, struct stat *ret_attr)
{
	struct queue *queue = queue_from(channel);
	int fd = queue_descriptor(queue);
	int r;

	if (fd >= 0)
		r = fstat(fd, ret_attr) < 0 ? -errno : 0;
	else
		r = named_stat(&queue->named, ret_attr);
	ret_attr->st_size = 0;
	return r;
}

static int queue_empty(struct queue *queue, int fd)
{
	channel_wake(&queue->named.channel, EPOLLOUT);
	return mqueue_empty(fd, queue->named.channel.space->host);
}

/*
 * Opens the queue again. Uses a descriptor if there is one: an open queue may have lost its name.
 */
static int queue_open_now(struct queue *queue, int flags)
{
	int fd = queue_descriptor(queue);
	char path[40];

	if (fd < 0)
		return named_open(&queue->named, flags);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Opens the queue with the rights that the caller has natively. Returns a descriptor or -errno. */
static int queue_ask(struct queue *queue, int flags, struct caller *caller)
{
	struct stat attr;
	bool is_owner = queue_stat(&queue->named.channel, &attr) == 0 && attr.st_uid == caller->uid;
	int r = is_owner ? caller_enter_owner(caller) : caller_enter(caller);

	if (r < 0)
		return r;
	r = queue_open_now(queue, flags);
	caller_leave();
	return r;
}

/* Emptying a queue receives from it, so the caller needs the right to receive. */
static int queue_truncate(struct channel *channel, struct file *file, off_t size,
			  struct caller *caller)
{
	struct queue *queue = queue_from(channel);
	CLEANUP_FD int fd = -1;

	if (size != 0)
		return -EINVAL;
	if (file && file_reads(file))
		return queue_empty(queue, queue_fd(queue, QUEUE_READ));
	fd = queue_ask(queue, O_RDONLY, caller);
	return fd < 0 ? fd : queue_empty(queue, fd);
}

static int queue_change(struct channel *channel, struct file *file, const struct stat *attr,
			unsigned changes, struct caller *caller)
{
	struct queue *queue = queue_from(channel);

	return named_change(&queue->named, queue_descriptor(queue), attr, changes, caller);
}

static int queue_open(struct file *file, struct caller *caller)
{
	struct queue *queue = queue_from(file->channel);
	struct mq_attr attr;
	CLEANUP_FD int asked = -1;
	int r = 0;

	if (file_selector(file).is_set && !file_writes(file))
		return -EINVAL;
	/*
	 * The shared descriptors are the daemon's, so the caller's right is checked here. The
	 * queue's maker may open it whatever its mode.
	 */
	if (!(file->flags & O_CREAT))
		r = asked = queue_ask(queue, file->flags & O_ACCMODE, caller);
	if (r < 0)
		return r;
	r = 0;
	if (file_reads(file))
		r = queue_open_way(queue, QUEUE_READ, caller->uid);
	if (r == 0 && file_writes(file))
		r = queue_open_way(queue, QUEUE_WRITE, caller->uid);
	if (r == 0)
		r = mqueue_attributes(queue_descriptor(queue), &attr);
	if (r == 0)
		file->channel->message_max = (size_t)attr.mq_msgsize;
	else if (file->channel->n_files == 1)
		queue_close(queue);
	return r;
}

static void queue_release(struct file *file)
{
	if (file->channel->n_files == 0)
		queue_close(queue_from(file->channel));
}

static ssize_t queue_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct queue *queue = queue_from(file->channel);
	struct readiness *way = queue_way(queue, QUEUE_READ);
	uint64_t *taken = queue_expect(file, size);
	ssize_t n = mq_receive(way->source.fd, data, size, (unsigned *)taken);

	return n < 0 ? readiness_failed(way, errno) : n;
}

static ssize_t queue_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct queue *queue = queue_from(file->channel);
	struct readiness *way = queue_way(queue, QUEUE_WRITE);

	if (mq_send(way->source.fd, data, size, (unsigned)file_selector(file).value) < 0)
		return readiness_failed(way, errno);
	queue_count_sent(queue);
	return (ssize_t)size;
}

static uint32_t queue_poll(struct file *file)
{
	struct queue *queue = queue_from(file->channel);
	struct mq_attr attr;
	uint32_t events = 0;

	if (queue_watch(queue) < 0 || mqueue_attributes(queue_descriptor(queue), &attr) < 0)
		return EPOLLERR;
	if (file_reads(file) && attr.mq_curmsgs > 0)
		events |= EPOLLIN | EPOLLRDNORM;
	if (file_writes(file) && attr.mq_curmsgs < attr.mq_maxmsg && !file->channel->writers)
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

/*
 * Seeing how full a queue is takes the right to read it, as it does natively. The number of bytes
 * that wait is left out: the kernel shows it only through a call that counts as a read
 * (mqueue_read_file).
 */
static void queue_status(struct channel *channel, struct caller *caller, struct row *row)
{
	struct queue *queue = queue_from(channel);
	CLEANUP_FD int fd = queue_ask(queue, O_RDONLY, caller);
	struct mq_attr attr;

	if (fd < 0 || mqueue_attributes(fd, &attr) < 0)
		return;
	row_add_number(row, "messages", (uint64_t)attr.mq_curmsgs);
	row_add_number(row, "maxmsg", (uint64_t)attr.mq_maxmsg);
	row_add_bytes(row, "msgsize", (uint64_t)attr.mq_msgsize);
}

/* Gets the limits that the settings ask for. Returns false if they leave both to the system. */
static bool queue_take(const struct settings *settings, struct mq_attr *ret_attr)
{
	if (!settings || !settings->given)
		return false;
	ret_attr->mq_maxmsg = settings_has(settings, QUEUE_MAXMSG)
				      ? (long)settings->values[QUEUE_MAXMSG]
				      : mqueue_default("msg_default");
	ret_attr->mq_msgsize = settings_has(settings, QUEUE_MSGSIZE)
				       ? (long)settings->values[QUEUE_MSGSIZE]
				       : mqueue_default("msgsize_default");
	return true;
}

static int queue_create(struct space *space, const char *name, mode_t mode,
			const struct settings *settings, struct caller *caller,
			struct entry *ret_entry)
{
	struct mqueue_creation creation;
	const struct job_call call = {.place = JOB_PROCESS,
				      .act = mqueue_create,
				      .undo = mqueue_uncreate,
				      .data = &creation,
				      .size = sizeof(creation)};
	int r;

	if (!S_ISREG(mode))
		return -EPERM;
	mqueue_creation_init(&creation, space, name, mode);
	creation.has_attr = queue_take(settings, &creation.attr);
	/*
	 * In a process of its own: the kernel charges a queue's bytes to the real user of its
	 * maker.
	 */
	r = job_run(space->host, caller, &call);
	return r < 0 ? r : named_find_made(space, name, creation.ino, &ret_entry->channel);
}

static const struct channel_ops queue_ops = {
	.traits = CHANNEL_MESSAGES | CHANNEL_HAS_TAP,
	.destroy = queue_destroy,
	.stat = queue_stat,
	.change = queue_change,
	.truncate = queue_truncate,
	.open = queue_open,
	.release = queue_release,
	.read = queue_read,
	.write = queue_write,
	.poll = queue_poll,
	.status = queue_status,
	.disuse = mqueue_disuse,
	.reap = named_reap,
	.save = queue_save,
	.adopt = queue_adopt,
	.adopt_file = queue_adopt_file,
	.accepted = queue_accepted,
	.recall = queue_recall,
};

static const struct space_ops queue_space_ops = {
	.destroy = named_space_destroy,
	.list = named_list,
	.lookup = named_lookup,
	.create = queue_create,
	.remove = named_remove,
	.room = mqueue_room,
	.count = mqueue_count,
};

static int queue_space_open(struct space **ret_space, struct host *host)
{
	struct named_space *space = calloc(1, sizeof(*space));
	int dir_fd = mqueue_open_directory(host);

	if (!space) {
		if (dir_fd >= 0)
			close(dir_fd);
		return -ENOMEM;
	}
	*space = (struct named_space){
		.named_size = sizeof(struct queue),
		.open_name = dir_fd >= 0 ? named_open_at : mqueue_open_name,
		.unlink_name = dir_fd >= 0 ? named_unlink_at : mqueue_unlink_name,
		.init = queue_init,
	};
	named_space_init(space, &queue_space_ops, host, &queue_kind, dir_fd);
	*ret_space = &space->space;
	return 0;
}

const struct kind queue_kind = {
	.path = "queues",
	.home = NAMESPACE_IPC,
	.selector_max = PRIORITY_MAX,
	.parameters = queue_parameters,
	.ino_bits = 28,
	.channel = &queue_ops,
	.explain = mqueue_explain,
	.open = queue_space_open,
};
