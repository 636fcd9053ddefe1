// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/tree/ctl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <uthash.h>

#include "lib/base/cleanup.h"
#include "lib/tree/command.h"
#include "lib/channel/transfer.h"

/* Users whose last error is remembered; the one who has had it longest makes room for the next. */
#define COMPLAINTS_MAX 64
/* Buffers of stdio are multiples of this. */
#define STDIO_PIECE 4096

struct complaint {
	uid_t uid;
	unsigned line;
	char text[COMMAND_ERROR_MAX];
	UT_hash_handle hh; /* ctl::complaints, by uid, oldest first */
};

/* What there is to know of an open file. */
struct opener {
	struct caller caller;
	unsigned n_lines; /* that were done */
	bool has_failed;  /* the last line that was tried */
	char *tail;       /* the beginning of a line; COMMAND_MAX bytes, or NULL */
	size_t tail_size;
};

struct ctl {
	struct channel channel;
	struct complaint *complaints;
	struct host_waiter waiter; /* while a command has to */
};

static const struct kind ctl_kind;

static struct ctl *ctl_from(struct channel *channel)
{
	assert(channel->kind == &ctl_kind);
	return CONTAINER_OF(channel, struct ctl, channel);
}

static void ctl_forget(struct ctl *ctl, uid_t uid)
{
	struct complaint *complaint;

	HASH_FIND(hh, ctl->complaints, &uid, sizeof(uid), complaint);
	if (!complaint)
		return;
	HASH_DEL(ctl->complaints, complaint);
	free(complaint);
}

/* Without memory the errno alone must do. */
static void ctl_remember(struct ctl *ctl, uid_t uid, unsigned line, const char *text)
{
	struct complaint *complaint = calloc(1, sizeof(*complaint));

	ctl_forget(ctl, uid);
	if (HASH_COUNT(ctl->complaints) == COMPLAINTS_MAX)
		ctl_forget(ctl, ctl->complaints->uid);
	if (!complaint)
		return;
	complaint->uid = uid;
	complaint->line = line;
	snprintf(complaint->text, sizeof(complaint->text), "%s", text);
	HASH_ADD(hh, ctl->complaints, uid, sizeof(complaint->uid), complaint);
	if (!complaint->hh.tbl)
		free(complaint);
}

static void ctl_destroy(struct channel *channel)
{
	struct ctl *ctl = ctl_from(channel);
	struct space *space = channel->space;

	host_unwait(space->host, &ctl->waiter);
	while (ctl->complaints)
		ctl_forget(ctl, ctl->complaints->uid);
	free(ctl);
	space_unref(space);
}

static int ctl_stat(struct channel *channel, struct stat *ret_attr)
{
	ret_attr->st_ino = space_path_ino("ctl");
	ret_attr->st_mode = S_IFREG | 0666;
	ret_attr->st_nlink = 1;
	ret_attr->st_uid = geteuid();
	ret_attr->st_gid = getegid();
	ret_attr->st_atim = ret_attr->st_mtim = ret_attr->st_ctim = channel->space->host->started;
	return 0;
}

static int ctl_change(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller)
{
	return changes & ~CHANGE_SIZE ? -EPERM : 0;
}

static void opener_free(struct opener *opener)
{
	caller_fini(&opener->caller);
	free(opener->tail);
	free(opener);
}

static int ctl_open(struct file *file, struct caller *caller)
{
	struct opener *opener = calloc(1, sizeof(*opener));

	if (!opener)
		return -ENOMEM;
	opener->caller =
		(struct caller){.uid = caller->uid, .gid = caller->gid, .pid = caller->pid};
	/* Now, while the process is there to be asked. */
	if (caller_load(&opener->caller) < 0) {
		opener_free(opener);
		return -ENOMEM;
	}
	file->state = opener;
	return 0;
}

static int ctl_print(struct file *file)
{
	struct ctl *ctl = ctl_from(file->channel);
	struct complaint *complaint;
	char *content = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&content, &size);

	if (!out)
		return -ENOMEM;
	command_help(out);
	HASH_FIND(hh, ctl->complaints, &file->uid, sizeof(file->uid), complaint);
	if (complaint)
		fprintf(out, "# Your last error:\nline %u: %s\n", complaint->line, complaint->text);
	if (fclose(out) == EOF) {
		free(content);
		return -ENOMEM;
	}
	return file_keep(file, content, size);
}

/* Reads from the start to the end, which is told once, then anew; positions mean nothing. */
static ssize_t ctl_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct remainder *rest = &file->rest;
	int r = rest->data ? 0 : ctl_print(file);

	if (r < 0)
		return r;
	if (rest->offset == rest->size) {
		file_keep(file, NULL, 0);
		return 0;
	}
	if (size > rest->size - rest->offset)
		size = rest->size - rest->offset;
	memcpy(data, rest->data + rest->offset, size);
	rest->offset += size;
	return (ssize_t)size;
}

/*
 * Runs a line, after what there is of it already. That is kept until the line is done, because who
 * is told of an error may write the rest again.
 */
static int ctl_run(struct file *file, const char *line, size_t length)
{
	struct ctl *ctl = ctl_from(file->channel);
	struct host *host = file->channel->space->host;
	struct opener *opener = file->state;
	char error[COMMAND_ERROR_MAX] = "";
	int r;

	if (opener->tail_size) {
		size_t room = COMMAND_MAX - opener->tail_size;

		memcpy(opener->tail + opener->tail_size, line, length < room ? length : room);
		line = opener->tail;
		length += opener->tail_size; /* beyond the room: refused, unread */
	}
	r = command_run(host, line, length, COMMAND_STRICT, &opener->caller, error);
	if (r == -EAGAIN) {
		host_wait(host, &ctl->waiter);
		return r;
	}
	opener->has_failed = r < 0;
	if (r < 0) {
		ctl_remember(ctl, file->uid, opener->n_lines + 1, error);
		return r;
	}
	opener->n_lines++;
	opener->tail_size = 0;
	return 0;
}

/* Keeps the beginning of a line whose end is to come; false if that is no line any more. */
static bool ctl_keep(struct opener *opener, const char *line, size_t length)
{
	if (opener->tail_size + length >= COMMAND_MAX)
		return false;
	if (!opener->tail)
		opener->tail = malloc(COMMAND_MAX);
	if (!opener->tail)
		return false;
	memcpy(opener->tail + opener->tail_size, line, length);
	opener->tail_size += length;
	return true;
}

/*
 * Stops at the first line that fails: what was done counts, unless it was nothing. stdio writes a
 * long text in pieces of STDIO_PIECE, which may end within a line; what else ends without a newline
 * is a whole one.
 */
static ssize_t ctl_write(struct file *file, const void *data_, size_t size, off_t offset)
{
	bool is_piece = ((size_t)offset + size) % STDIO_PIECE == 0;
	const char *data = data_;
	size_t done = 0;

	while (done < size) {
		const char *end = memchr(data + done, '\n', size - done);
		size_t length = end ? (size_t)(end - data) - done : size - done;
		int r;

		if (!end && is_piece && ctl_keep(file->state, data + done, length))
			return (ssize_t)size;
		r = ctl_run(file, data + done, length);
		if (r < 0)
			return done ? (ssize_t)done : r;
		done += length + (end ? 1 : 0);
	}
	ctl_forget(ctl_from(file->channel), file->uid);
	return (ssize_t)size;
}

/* A last line without a newline, at the end of a piece, has been waiting for this. */
static void ctl_release(struct file *file)
{
	struct opener *opener = file->state;

	if (opener->tail_size && !opener->has_failed)
		ctl_run(file, "", 0);
	opener_free(opener);
}

static uint32_t ctl_poll(struct file *file)
{
	return EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;
}

static const struct kind ctl_kind = {
	.traits = KIND_SELECTIVE,
	.channel =
		{
			.destroy = ctl_destroy,
			.stat = ctl_stat,
			.change = ctl_change,
			.open = ctl_open,
			.release = ctl_release,
			.read = ctl_read,
			.write = ctl_write,
			.poll = ctl_poll,
		},
};

static void ctl_run_waiter(struct host_waiter *waiter)
{
	struct ctl *ctl = CONTAINER_OF(waiter, struct ctl, waiter);

	/* Now: what was made is offered to those who wait once. */
	channel_ref(&ctl->channel);
	transfer_retry(&ctl->channel, EPOLLOUT);
	channel_unref(&ctl->channel);
}

int ctl_new(struct space *root, struct channel **ret_channel)
{
	struct ctl *ctl = calloc(1, sizeof(*ctl));

	if (!ctl)
		return -ENOMEM;
	channel_init(&ctl->channel, &ctl_kind, space_ref(root), CHANNEL_FILE);
	ctl->waiter.run = ctl_run_waiter;
	*ret_channel = &ctl->channel;
	return 0;
}
