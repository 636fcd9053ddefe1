// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/tree/ctl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "lib/channel/transfer.h"
#include "lib/host/job.h"
#include "lib/tree/command.h"

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
};

static const struct channel_ops ctl_ops;

static struct ctl *ctl_from(struct channel *channel)
{
	assert(channel->ops == &ctl_ops);
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
	return -EPERM;
}

/* `>` means nothing here. */
static int ctl_truncate(struct channel *channel, struct file *file, off_t size,
			struct caller *caller)
{
	return 0;
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
	if (complaint) {
		CLEANUP_FREE char *text = quote_text(complaint->text);

		fprintf(out, "# Your last error:\nline %u: %s\n", complaint->line,
			text ? text : strerror(ENOMEM));
	}
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

/* The command that the line makes, after what there is of it already. */
static int ctl_parse(struct file *file, const char *line, size_t length,
		     struct command **ret_command)
{
	struct opener *opener = file->state;

	if (opener->tail_size) {
		size_t room = COMMAND_MAX - opener->tail_size;

		memcpy(opener->tail + opener->tail_size, line, length < room ? length : room);
		line = opener->tail;
		length += opener->tail_size; /* beyond the room: refused, unread */
	}
	return command_new(file->channel->space->host, line, length, COMMAND_STRICT,
			   &opener->caller, ret_command);
}

static void forget_command(void *command)
{
	command_free(command);
}

/*
 * Takes the line that this write is at: one that has been parsed already is kept by the request
 * that waits for it.
 */
static int ctl_take(struct file *file, const char *line, size_t length,
		    struct command **ret_command)
{
	if (!file->waiter || !file->waiter->memory)
		return ctl_parse(file, line, length, ret_command);
	*ret_command = TAKE_PTR(file->waiter->memory);
	return 0;
}

/*
 * Runs a line. Its beginning, if that came before, is kept until it is done: a program that gets an
 * error may write the rest again.
 */
static int ctl_run(struct file *file, const char *line, size_t length)
{
	struct opener *opener = file->state;
	struct command *command;
	int r = ctl_take(file, line, length, &command);

	if (r < 0)
		return r;
	r = command_run(command, file->waiter);
	if (r == -EINPROGRESS) {
		file->waiter->memory = command;
		file->waiter->forget = forget_command;
		return r;
	}
	if (r < 0 && r != -EAGAIN)
		ctl_remember(ctl_from(file->channel), file->uid, opener->n_lines + 1,
			     command_error(command));
	command_free(command);
	if (r == -EAGAIN)
		return r;
	opener->has_failed = r < 0;
	if (r < 0)
		return r;
	opener->n_lines++;
	opener->tail_size = 0;
	return 0;
}

/* Keeps the beginning of a line; false if it is too long for one. */
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

/* Does a write of this file wait that came before? The lines of one file are done in order. */
static bool is_behind(const struct file *file)
{
	struct transfer *writer;

	DL_FOREACH(file->channel->writers, writer) {
		if (writer->file == file)
			return &writer->waiter != file->waiter;
	}
	return false;
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

	if (is_behind(file))
		return -EAGAIN;
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

/* Of a line that ran on after its file was closed. */
struct last_line {
	struct channel *channel; /* a reference */
	uid_t uid;
	unsigned line;
};

static void last_line_done(void *data, int result, const char *error)
{
	struct last_line *last = data;

	if (result < 0)
		ctl_remember(ctl_from(last->channel), last->uid, last->line, error);
	channel_unref(last->channel);
	free(last);
}

/* Nobody is left to be told; but what a program has written before it closed the file is done. */
static void ctl_run_last(struct file *file)
{
	struct opener *opener = file->state;
	struct last_line *last = malloc(sizeof(*last));
	struct command *command = NULL;

	if (!last || ctl_parse(file, "", 0, &command) < 0) {
		free(last);
		return;
	}
	*last = (struct last_line){channel_ref(file->channel), file->uid, opener->n_lines + 1};
	if (command_run_alone(command, last_line_done, last) < 0)
		last_line_done(last, -ENOMEM, strerror(ENOMEM));
}

/* A last line without a newline, at the end of a piece, has been waiting for this. */
static void ctl_release(struct file *file)
{
	struct opener *opener = file->state;

	if (opener->tail_size && !opener->has_failed)
		ctl_run_last(file);
	opener_free(opener);
}

static const struct channel_ops ctl_ops = {
	.traits = CHANNEL_SELECTIVE_READS | CHANNEL_SELECTIVE_WRITES | CHANNEL_WRITES_BY_JOB,
	.destroy = ctl_destroy,
	.stat = ctl_stat,
	.change = ctl_change,
	.truncate = ctl_truncate,
	.open = ctl_open,
	.release = ctl_release,
	.read = ctl_read,
	.write = ctl_write,
};

int ctl_new(struct space *root, struct channel **ret_channel)
{
	struct ctl *ctl = calloc(1, sizeof(*ctl));

	if (!ctl)
		return -ENOMEM;
	channel_init(&ctl->channel, &ctl_ops, space_ref(root), CHANNEL_FILE);
	*ret_channel = &ctl->channel;
	return 0;
}
