// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A held write is a job whose data are the message on its way. The bytes stay where the held
 * request keeps them: they live longer than the job. One write makes one job, so whatever result
 * the waiter has is this write's, and nothing has to be compared.
 */
#include "lib/kinds/cluster/publication.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"
#include "lib/channel/journal.h"
#include "lib/host/host.h"
#include "lib/kinds/cluster/cluster_sender.h"

/* What the headers of a message, and what else the server stores with it, may take. */
#define OVERHEAD 128

/* What a job works on. */
struct posting {
	const struct file *file; /* tells one call from another */
	struct cluster_object *object;
	struct outgoing outgoing;
	struct job *job;
};

struct publication {
	struct file *file;
	struct outgoing outgoing;
	bool is_done;
	int result;
	char data[]; /* outgoing.size bytes */
};

/* Called by no one: stands for the job (JOB_ELSEWHERE). */
static int posting_act(void *data)
{
	return -ENOSYS;
}

static void posting_done(struct outgoing *outgoing, int result)
{
	job_end(CONTAINER_OF(outgoing, struct posting, outgoing)->job, result);
}

static int posting_begin(struct job *job, struct host *host, void *data)
{
	struct posting *posting = data;

	posting->job = job;
	return sender_send(posting->object, &posting->outgoing);
}

static void posting_leave(struct host *host, void *data)
{
	sender_forget(&((struct posting *)data)->outgoing);
}

static ssize_t write_by_job(struct file *file, const void *data, size_t size)
{
	struct caller caller = {.uid = file->uid, .gid = file->gid, .waiter = file->waiter};
	struct posting posting = {
		.file = file,
		.object = cluster_object_from(file->channel),
		.outgoing = {.done = posting_done,
			     .data = data,
			     .size = size,
			     .request = file->channel->space->host->journal->request},
	};
	int r;

	if (!job_take_result(file->waiter, posting_act, &r))
		r = job_run(file->channel->space->host, &caller,
			    &(struct job_call){.place = JOB_ELSEWHERE,
					       .begin = posting_begin,
					       .leave = posting_leave,
					       .act = posting_act,
					       .data = &posting,
					       .size = sizeof(posting),
					       .n_key = sizeof(posting.file)});
	return r < 0 ? r : (ssize_t)size;
}

static void publication_done(struct outgoing *outgoing, int result)
{
	struct publication *pending = CONTAINER_OF(outgoing, struct publication, outgoing);

	pending->is_done = true;
	pending->result = result;
	channel_wake(pending->file->channel, EPOLLOUT);
}

/* Charges the opener for what a message under way takes. */
static int charge(const struct file *file, size_t size)
{
	struct user_table *users = &file->channel->space->host->users;
	int r = user_charge(users, file->uid, USER_HELD, 1);

	if (r < 0)
		return r;
	r = user_charge(users, file->uid, USER_BYTES, size);
	if (r < 0)
		user_uncharge(users, file->uid, USER_HELD, 1);
	return r;
}

static void uncharge(const struct file *file, size_t size)
{
	struct user_table *users = &file->channel->space->host->users;

	user_uncharge(users, file->uid, USER_HELD, 1);
	user_uncharge(users, file->uid, USER_BYTES, size);
}

static int publication_new(struct file *file, const void *data, size_t size,
			   struct publication **ret_pending)
{
	struct publication *pending;
	int r = charge(file, size);

	if (r < 0)
		return r;
	pending = malloc(sizeof(*pending) + size);
	if (pending) {
		*pending = (struct publication){.file = file};
		memcpy(pending->data, data, size);
		pending->outgoing = (struct outgoing){
			.done = publication_done, .data = pending->data, .size = size};
	}
	r = pending ? sender_send(cluster_object_from(file->channel), &pending->outgoing) : -ENOMEM;
	if (r < 0) {
		uncharge(file, size);
		free(pending);
		return r;
	}
	*ret_pending = pending;
	return 0;
}

void publication_free(struct publication *pending)
{
	if (!pending)
		return;
	sender_forget(&pending->outgoing);
	uncharge(pending->file, pending->outgoing.size);
	free(pending);
}

static bool is_same(const struct publication *pending, const void *data, size_t size)
{
	return pending->outgoing.size == size && memcmp(pending->data, data, size) == 0;
}

/* For O_NONBLOCK. A message that ended, and is not written again, is forgotten. */
static ssize_t write_or_join(struct file *file, struct publication **pending, const void *data,
			     size_t size)
{
	struct publication *earlier = *pending;
	int r;

	if (earlier && !earlier->is_done)
		return -EAGAIN;
	if (earlier && is_same(earlier, data, size)) {
		r = earlier->result;
		publication_free(TAKE_PTR(*pending));
		return r < 0 ? r : (ssize_t)size;
	}
	publication_free(TAKE_PTR(*pending));
	r = publication_new(file, data, size, pending);
	return r < 0 ? r : -EAGAIN;
}

static int check_size(const struct cluster_object *object, size_t size)
{
	size_t payload_max = nats_link_payload_max(object->cluster->link);
	struct cluster_settings settings = object->entry.settings;

	cluster_settings_fill(&settings, object->sort);
	if (settings.msgsize && size > settings.msgsize)
		return -EMSGSIZE;
	if (payload_max && size + OVERHEAD > payload_max)
		return -EMSGSIZE;
	/* It would wait for ever. */
	return settings.maxbytes && size + OVERHEAD > settings.maxbytes ? -EMSGSIZE : 0;
}

ssize_t publication_write(struct file *file, struct publication **pending, const void *data,
			  size_t size)
{
	const struct cluster_object *object = cluster_object_from(file->channel);
	int r = object->is_named ? check_size(object, size) : -EIDRM;

	/* What has ended is told, whatever the object is like by now. */
	if (file->waiter && job_is_done(file->waiter))
		return write_by_job(file, data, size);
	if (r < 0 || size == 0)
		return r;
	if (file->waiter)
		return write_by_job(file, data, size);
	return file->flags & O_NONBLOCK ? write_or_join(file, pending, data, size) : -EAGAIN;
}

uint32_t publication_poll(const struct file *file, const struct publication *pending)
{
	if (!file_writes(file) || (pending && !pending->is_done))
		return 0;
	return EPOLLOUT | EPOLLWRNORM;
}
