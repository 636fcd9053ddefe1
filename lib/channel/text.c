// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/channel/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/workers.h"

struct text {
	struct channel channel;
	const struct text_ops *ops;
	void *data;
	ino_t ino;
	size_t size;
};

static const struct channel_ops text_channel_ops;

static struct text *text_from(struct channel *channel)
{
	assert(channel->ops == &text_channel_ops);
	return CONTAINER_OF(channel, struct text, channel);
}

static void text_destroy(struct channel *channel)
{
	struct text *text = text_from(channel);
	struct space *space = channel->space;

	if (text->ops->release)
		text->ops->release(text->data);
	free(text);
	space_unref(space);
}

static int text_stat(struct channel *channel, struct stat *ret_attr)
{
	struct text *text = text_from(channel);
	ret_attr->st_ino = text->ino;
	ret_attr->st_mode = S_IFREG | 0444;
	ret_attr->st_nlink = 1;
	ret_attr->st_uid = geteuid();
	ret_attr->st_gid = getegid();
	ret_attr->st_size = (off_t)text->size;
	ret_attr->st_atim = ret_attr->st_mtim = ret_attr->st_ctim = channel->space->host->started;
	return 0;
}

static int text_change(struct channel *channel, struct file *file, const struct stat *attr,
		       unsigned changes, struct caller *caller)
{
	return -EPERM;
}

static int text_truncate(struct channel *channel, struct file *file, off_t size,
			 struct caller *caller)
{
	return -EPERM;
}

/* The content, made for this reader; the caller owns it. */
static int print_content(const struct text_ops *ops, void *data, struct caller *caller,
			 char **ret_content, size_t *ret_size)
{
	FILE *out = open_memstream(ret_content, ret_size);
	int r;

	if (!out)
		return -ENOMEM;
	r = ops->print(data, caller, out);
	if (fclose(out) == EOF && r == 0)
		r = -ENOMEM;
	if (r < 0)
		free(TAKE_PTR(*ret_content));
	return r;
}

/* Content that a worker makes. */
struct making {
	struct worker_task task;
	struct text *text;       /* a reference */
	struct file *file;       /* NULL once it is released */
	_Atomic bool is_dropped; /* likewise, for the worker to see */
	struct caller reader;
	void *prepared;
	char *content;
	size_t size;
	int result;
};

static void making_free(struct making *making)
{
	user_uncharge(&making->text->channel.space->host->users, making->reader.uid, USER_SCANS, 1);
	if (making->prepared)
		making->text->ops->finish(making->prepared);
	caller_fini(&making->reader);
	free(making->content);
	channel_unref(&making->text->channel);
	free(making);
}

static void making_work(struct worker_task *task)
{
	struct making *making = CONTAINER_OF(task, struct making, task);

	if (making->is_dropped || making->text->channel.space->host->is_ending)
		making->result = -EINTR;
	else
		making->result = print_content(making->text->ops, making->prepared, &making->reader,
					       &making->content, &making->size);
}

/* The open has been answered already: what went wrong is for the reads to tell. */
static void making_done(struct worker_task *task)
{
	struct making *making = CONTAINER_OF(task, struct making, task);
	struct file *file = making->file;

	if (file) {
		file->state = NULL;
		if (making->result == 0)
			making->result = file_keep(file, TAKE_PTR(making->content), making->size);
		file->mark = (uint64_t)-making->result;
		channel_wake(file->channel, EPOLLIN | EPOLLHUP);
	}
	making_free(making);
}

static int text_start(struct text *text, struct file *file, struct caller *caller)
{
	struct user_table *users = &text->channel.space->host->users;
	struct making *making;
	int r = user_charge(users, caller->uid, USER_SCANS, 1);

	if (r < 0)
		return r;
	making = calloc(1, sizeof(*making));
	if (!making) {
		user_uncharge(users, caller->uid, USER_SCANS, 1);
		return -ENOMEM;
	}
	making->task.work = making_work;
	making->task.done = making_done;
	making->text = text;
	channel_ref(&text->channel);
	making->file = file;
	/* All that the worker is to know of it, which must not look. */
	caller_load(caller);
	making->reader = (struct caller){.uid = caller->uid,
					 .gid = caller->gid,
					 .is_loaded = true,
					 .capabilities = caller->capabilities};
	r = text->ops->prepare(text->data, caller, &making->prepared);
	if (r == 0)
		r = workers_submit(text->channel.space->host->workers, &making->task);
	if (r < 0)
		making_free(making);
	else
		file->state = making;
	return r;
}

static int text_open(struct file *file, struct caller *caller)
{
	struct text *text = text_from(file->channel);
	char *content = NULL;
	size_t size = 0;
	int r;

	if ((file->flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	if (text->ops->prepare)
		return text_start(text, file, caller);
	r = print_content(text->ops, text->data, caller, &content, &size);
	return r < 0 ? r : file_keep(file, content, size);
}

static void text_release(struct file *file)
{
	struct making *making = file->state;

	if (!making)
		return;
	making->file = NULL;
	making->is_dropped = true;
	if (workers_cancel(file->channel->space->host->workers, &making->task))
		making_free(making);
}

static ssize_t text_read(struct file *file, void *data, size_t size, off_t offset)
{
	size_t start = (size_t)offset < file->rest.size ? (size_t)offset : file->rest.size;

	if (file->state)
		return -EAGAIN;
	if (file->mark)
		return -(ssize_t)file->mark;
	if (!file->rest.data)
		return 0;
	if (size > file->rest.size - start)
		size = file->rest.size - start;
	memcpy(data, file->rest.data + start, size);
	return (ssize_t)size;
}

static uint32_t text_poll(struct file *file)
{
	return file->state ? 0 : EPOLLIN | EPOLLRDNORM;
}

static const struct channel_ops text_channel_ops = {
	.destroy = text_destroy,
	.stat = text_stat,
	.change = text_change,
	.truncate = text_truncate,
	.open = text_open,
	.release = text_release,
	.read = text_read,
	.poll = text_poll,
};

ino_t text_ino(const struct space *space, const char *name)
{
	return space->ino * 31 + space_path_ino(name);
}

int text_new(struct space *space, const char *name, const struct text_ops *ops, void *data,
	     struct channel **ret_channel)
{
	CLEANUP_FREE struct text *text = calloc(1, sizeof(*text));
	struct caller self = {.uid = geteuid(), .gid = getegid()};
	int r = text ? 0 : -ENOMEM;

	if (r == 0) {
		CLEANUP_FREE char *content = NULL;

		text->ops = ops;
		text->data = data;
		if (ops->has_size)
			r = print_content(ops, data, &self, &content, &text->size);
	}
	if (r < 0) {
		if (ops->release)
			ops->release(data);
		return r;
	}
	channel_init(&text->channel, &text_channel_ops, space_ref(space), CHANNEL_FILE);
	text->ino = text_ino(space, name);
	*ret_channel = &TAKE_PTR(text)->channel;
	return 0;
}
