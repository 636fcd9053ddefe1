// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues: the POSIX message queues of the IPC namespace.
 *
 * All who have a queue open share the daemon's descriptors of it, so one message wakes one reader.
 * NAME:N sends with priority N; which message is received next is the kernel's choice alone.
 */
#include "lib/channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/host/errands.h"
#include "lib/channel/kernel_names.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/posix/mqueues.h"

#define PRIORITY_MAX 32767 /* MQ_PRIO_MAX - 1 */

enum { QUEUE_MAXMSG, QUEUE_MSGSIZE };

/* HARD_MSGMAX and HARD_MSGSIZEMAX of the kernel; what the caller may have of them it decides. */
static const struct parameter queue_parameters[] = {
	[QUEUE_MAXMSG] = {"maxmsg", PARAMETER_NUMBER, .min = 1, .max = 65536, .is_fixed = true},
	[QUEUE_MSGSIZE] = {"msgsize", PARAMETER_SIZE, .min = 1, .max = 16 << 20, .is_fixed = true},
	{.name = NULL},
};

/* A queue's descriptors: one for both ways, or one each where the daemon may not have both. */
enum { QUEUE_READ, QUEUE_WRITE, QUEUE_N_WAYS };

struct queue {
	struct named named;
	struct loop_source sources[QUEUE_N_WAYS]; /* fd -1 while nobody has it open that way */
};

static struct queue *queue_from(struct channel *channel)
{
	assert(channel->kind == &queue_kind);
	return CONTAINER_OF(named_from(channel), struct queue, named);
}

static struct loop *queue_loop(struct queue *queue)
{
	return queue->named.channel.space->host->loop;
}

static void queue_is_ready(struct queue *queue, struct loop_source *source, uint32_t events)
{
	struct channel *channel = &queue->named.channel;

	if (channel->readers || channel->writers || channel->polled)
		channel_wake(channel, events);
	else
		loop_remove(queue_loop(queue), source);
}

static void queue_dispatch_read(struct loop_source *source, uint32_t events)
{
	queue_is_ready(CONTAINER_OF(source, struct queue, sources[QUEUE_READ]), source, events);
}

static void queue_dispatch_write(struct loop_source *source, uint32_t events)
{
	queue_is_ready(CONTAINER_OF(source, struct queue, sources[QUEUE_WRITE]), source, events);
}

/* Edge-triggered: every message that comes or goes is one event, and none while nothing does. */
static int queue_listen(struct queue *queue)
{
	struct loop_source *read = &queue->sources[QUEUE_READ];
	struct loop_source *write = &queue->sources[QUEUE_WRITE];
	int r = 0;

	if (read->fd >= 0)
		r = loop_add(queue_loop(queue), read, EPOLLIN | EPOLLOUT | EPOLLET);
	if (r == 0 && write->fd >= 0 && write->fd != read->fd)
		r = loop_add(queue_loop(queue), write, EPOLLIN | EPOLLOUT | EPOLLET);
	return r;
}

static void queue_init(struct named *named)
{
	struct queue *queue = CONTAINER_OF(named, struct queue, named);

	queue->sources[QUEUE_READ] =
		(struct loop_source){.fd = -1, .dispatch = queue_dispatch_read};
	queue->sources[QUEUE_WRITE] =
		(struct loop_source){.fd = -1, .dispatch = queue_dispatch_write};
}

static void queue_close(struct queue *queue)
{
	struct loop_source *read = &queue->sources[QUEUE_READ];
	struct loop_source *write = &queue->sources[QUEUE_WRITE];

	loop_remove(queue_loop(queue), read);
	loop_remove(queue_loop(queue), write);
	if (write->fd >= 0 && write->fd != read->fd)
		close(write->fd);
	if (read->fd >= 0)
		close(read->fd);
	read->fd = write->fd = -1;
	channel_uncharge_descriptors(&queue->named.channel);
}

static void queue_destroy(struct channel *channel)
{
	struct queue *queue = queue_from(channel);

	named_fini(&queue->named);
	free(queue);
}

/* Any that is open, or -1. */
static int queue_descriptor(const struct queue *queue)
{
	int fd = queue->sources[QUEUE_READ].fd;

	return fd >= 0 ? fd : queue->sources[QUEUE_WRITE].fd;
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

/* To empty a queue is to receive from it: it takes the caller's right to do so. */
static int queue_truncate(struct queue *queue, struct file *file, const struct stat *attr,
			  struct caller *caller)
{
	CLEANUP_FD int fd = -1;
	struct stat now;
	int r;

	if (attr->st_size != 0)
		return -EINVAL;
	if (file && queue->sources[QUEUE_READ].fd >= 0) {
		r = queue_stat(file->channel, &now);
		if (r == 0 && !file_reads(file) && !caller_may(caller, &now, R_OK))
			r = -EACCES;
		return r < 0 ? r : queue_empty(queue, queue->sources[QUEUE_READ].fd);
	}
	r = caller_enter(caller);
	if (r < 0)
		return r;
	fd = named_open(&queue->named, O_RDONLY);
	caller_leave();
	if (fd < 0)
		return fd;
	return queue_empty(queue, fd);
}

static int queue_change(struct channel *channel, struct file *file, const struct stat *attr,
			unsigned changes, struct caller *caller)
{
	struct queue *queue = queue_from(channel);

	if (changes & CHANGE_SIZE) {
		int r = queue_truncate(queue, file, attr, caller);

		if (r < 0)
			return r;
		changes &= ~(CHANGE_SIZE | CHANGE_MTIME);
	}
	return changes ? named_change(&queue->named, queue_descriptor(queue), attr, changes, caller)
		       : 0;
}

/* Makes sure that there is a descriptor for this way, if possible one for both. */
static int queue_open_way(struct queue *queue, int way, uid_t uid)
{
	struct loop_source *source = &queue->sources[way];
	struct loop_source *other = &queue->sources[!way];
	int fd;

	if (source->fd >= 0)
		return 0;
	fd = channel_charge_descriptors(&queue->named.channel, uid, 1);
	if (fd == 0)
		fd = named_open(&queue->named, O_RDWR);
	if (fd == -EACCES)
		fd = named_open(&queue->named, way == QUEUE_READ ? O_RDONLY : O_WRONLY);
	else if (fd >= 0 && other->fd < 0)
		other->fd = fd;
	if (fd < 0)
		return fd;
	source->fd = fd;
	return 0;
}

static int queue_open(struct file *file, struct caller *caller)
{
	struct queue *queue = queue_from(file->channel);
	struct mq_attr attr;
	int r = 0;

	if (file->selector.is_set && !file_writes(file))
		return -EINVAL;
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
	ssize_t n = mq_receive(queue->sources[QUEUE_READ].fd, data, size, NULL);
	int r;

	if (n >= 0)
		return n;
	if (errno != EAGAIN)
		return -errno;
	r = queue_listen(queue);
	return r < 0 ? r : -EAGAIN;
}

static ssize_t queue_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct queue *queue = queue_from(file->channel);
	int fd = queue->sources[QUEUE_WRITE].fd;
	int r;

	if (mq_send(fd, data, size, (unsigned)file->selector.value) == 0)
		return (ssize_t)size;
	if (errno != EAGAIN)
		return -errno;
	r = queue_listen(queue);
	return r < 0 ? r : -EAGAIN;
}

static uint32_t queue_poll(struct file *file)
{
	struct queue *queue = queue_from(file->channel);
	struct mq_attr attr;
	uint32_t events = 0;

	if (queue_listen(queue) < 0 || mqueue_attributes(queue_descriptor(queue), &attr) < 0)
		return EPOLLERR;
	if (file_reads(file) && attr.mq_curmsgs > 0)
		events |= EPOLLIN | EPOLLRDNORM;
	if (file_writes(file) && attr.mq_curmsgs < attr.mq_maxmsg && !file->channel->writers)
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

/*
 * How full it is takes the right to read it to see, as it does natively. How many bytes wait the
 * kernel tells only in a way that counts as a read (mqueue_read_file), so that is not asked.
 */
static void queue_status(struct channel *channel, struct caller *caller, FILE *out)
{
	struct queue *queue = queue_from(channel);
	CLEANUP_FD int fd = -1;
	struct mq_attr attr;

	if (caller_enter(caller) < 0)
		return;
	fd = named_open(&queue->named, O_RDONLY);
	caller_leave();
	if (fd < 0 || mqueue_attributes(fd, &attr) < 0)
		return;
	fprintf(out, "messages %ld\nmaxmsg %ld\nmsgsize %ld\n", attr.mq_curmsgs, attr.mq_maxmsg,
		attr.mq_msgsize);
}

/* The names. */

/* The limits that the settings ask for; false if they leave them to the system. */
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
	const struct errand_call call = {.way = ERRAND_PROCESS,
					 .name = name,
					 .act = mqueue_create,
					 .data = &creation,
					 .size = sizeof(creation)};
	int r;

	if (!S_ISREG(mode))
		return -EPERM;
	mqueue_creation_init(&creation, name, mode);
	creation.has_attr = queue_take(settings, &creation.attr);
	/* The kernel counts a queue's bytes against its maker's real user. */
	r = errands_run(space->host, caller, &call);
	return r < 0 ? r : named_find_made(space, name, creation.ino, &ret_entry->channel);
}

static const struct space_ops queue_space_ops = {
	.destroy = named_space_destroy,
	.list = named_list,
	.lookup = named_lookup,
	.create = queue_create,
	.remove = named_remove,
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
	.traits = KIND_MESSAGES | KIND_SELECTS,
	.selector_max = PRIORITY_MAX,
	.parameters = queue_parameters,
	.open = queue_space_open,
	.channel =
		{
			.destroy = queue_destroy,
			.stat = queue_stat,
			.change = queue_change,
			.open = queue_open,
			.release = queue_release,
			.read = queue_read,
			.write = queue_write,
			.poll = queue_poll,
			.status = queue_status,
		},
};
