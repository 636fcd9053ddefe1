// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each line that is written is a command. Three things make that less simple than it sounds.
 *
 * stdio and the kernel cut a long text anywhere. So the beginning of a line is kept until the rest
 * comes or the file is closed.
 *
 * A command may have to wait for a job. The request that waits keeps the command, and later writes
 * to the same file wait behind the request.
 *
 * Lines run on the loop. So after STRETCH all others get their turn, and a writer that has had its
 * turn goes behind the other writers.
 *
 * A daemon that is killed leaves a write with some lines done. The next daemon goes on behind them,
 * and begins the line again that was under way. If that finds its own work, it ends with -EINTR.
 */
#include "lib/tree/ctl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/attributes.h"
#include "lib/channel/record.h"
#include "lib/channel/transfer.h"
#include "lib/host/job.h"
#include "lib/tree/command.h"
#include "lib/tree/complaints.h"
#include "lib/tree/ctl_opener.h"
#include "lib/tree/ctl_text.h"

/* stdio's buffers are multiples of this many bytes. */
#define STDIO_PIECE 4096
/* The kernel may have cut a write of this length or more, at HOST_IO_MAX and often before. */
#define LONG_WRITE 65536
/* How long lines run at a stretch before others are served, ns. */
#define STRETCH 1000000

struct ctl {
	struct channel channel;
	size_t text_size;      /* of the text that was read last */
	struct loop_task turn; /* queued while others have their turn */
	int64_t spent;         /* time spent on lines since the last turn, ns */
};

static const struct channel_ops ctl_ops;

static struct ctl *ctl_from(struct channel *channel)
{
	assert(channel->ops == &ctl_ops);
	return CONTAINER_OF(channel, struct ctl, channel);
}

static void ctl_destroy(struct channel *channel)
{
	struct ctl *ctl = ctl_from(channel);
	struct space *space = channel->space;

	loop_cancel(space->host->loop, &ctl->turn);
	complaints_forget_all(space->host);
	free(ctl);
	space_unref(space);
}

static int ctl_stat(struct channel *channel, struct stat *ret_attr)
{
	ret_attr->st_ino = space_path_ino("ctl");
	ret_attr->st_mode = S_IFREG | 0666;
	attributes_set_size(ret_attr, ctl_from(channel)->text_size);
	ret_attr->st_nlink = 1;
	ret_attr->st_uid = geteuid();
	ret_attr->st_gid = getegid();
	attributes_set_times(ret_attr, NULL, &channel->space->host->started);
	return 0;
}

static int ctl_change(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller)
{
	return -EPERM;
}

/* Does nothing: `>` truncates the file, but changes nothing here. */
static int ctl_truncate(struct channel *channel, struct file *file, off_t size,
			struct caller *caller)
{
	return 0;
}

static int ctl_open(struct file *file, struct caller *caller)
{
	int r = ctl_opener_new(file, caller);

	if (r < 0)
		return r;
	file->is_stream = file_reads(file) && file_writes(file);
	if (file_writes(file))
		return 0;
	r = ctl_text_freeze(file, &ctl_from(file->channel)->text_size);
	if (r < 0)
		ctl_opener_free(file);
	return r;
}

static int ctl_adopt_file(struct file *file)
{
	int r = ctl_opener_adopt(file);

	file->is_stream = file_reads(file) && file_writes(file);
	file->keeps_text = file->is_stream && file->rest.data;
	return r;
}

static void ctl_save(struct channel *channel, struct object_record *record)
{
	record->space = OBJECT_LASTING;
	strcpy(record->name, "ctl");
}

static ssize_t ctl_read(struct file *file, void *data, size_t size, off_t offset)
{
	return ctl_text_read(file, data, size);
}

/* Makes a command of the line, with its beginning if that came in an earlier write. */
static int ctl_parse(struct file *file, const char *line, size_t length,
		     struct command **ret_command)
{
	struct ctl_opener *opener = file->state;
	struct ctl_progress *progress = &opener->record->progress;
	size_t tail_size = progress->tail_size;
	int r;

	if (tail_size) {
		size_t room = COMMAND_MAX - tail_size;

		memcpy(opener->record->tail + tail_size, line, length < room ? length : room);
		line = opener->record->tail;
		length += tail_size; /* beyond the room: refused unread */
	}
	r = command_new(file->channel->space->host, line, length, COMMAND_STRICT, &opener->caller,
			ret_command);
	if (r == 0)
		command_note(*ret_command, &progress->has_made, ctl_opener_is_resumed(file));
	return r;
}

static void forget_command(void *command)
{
	command_free(command);
}

/*
 * Gives the command for the line that this write has reached. If an earlier try has parsed the line
 * and had to wait, it left the command in file->waiter, and the command is taken from there.
 */
static int ctl_take(struct file *file, const char *line, size_t length,
		    struct command **ret_command)
{
	if (!file->waiter || !file->waiter->memory)
		return ctl_parse(file, line, length, ret_command);
	*ret_command = TAKE_PTR(file->waiter->memory);
	return 0;
}

/* Notes what there is to tell of a line that is over. */
static void ctl_tell(struct file *file, const struct command *command, int result)
{
	const struct ctl_opener *opener = file->state;
	struct host *host = file->channel->space->host;

	if (result < 0)
		complaints_keep(host, file->uid, (unsigned)opener->record->progress.n_lines + 1,
				command_error(command));
	if (command_report(command))
		complaints_keep_report(host, file->uid, command_report(command));
}

/*
 * Runs a line, which takes `size` bytes of the write. If its beginning came in an earlier write,
 * the beginning is kept until the line is done: a program that gets an error may write the rest
 * again.
 */
static int ctl_run(struct file *file, const char *line, size_t length, size_t size)
{
	struct waiter none = {0}, *waiter = file->waiter ? file->waiter : &none;
	struct ctl_record *record = ((struct ctl_opener *)file->state)->record;
	struct ctl_progress next = {.n_lines = record->progress.n_lines + 1};
	struct command *command;
	int r = ctl_take(file, line, length, &command);

	if (r < 0)
		return r;
	waiter->memory = command;
	waiter->forget = forget_command;
	r = command_run(command, file->waiter);
	if (r == -EINPROGRESS)
		return r;
	waiter->memory = NULL;
	if (r != -EAGAIN)
		ctl_tell(file, command, r);
	command_free(command);
	if (r == -EAGAIN)
		return r;
	record->has_failed = r < 0;
	if (r == 0)
		ctl_opener_advance(file, &next, size);
	return r;
}

/* Whether an earlier write to this file waits. The lines of one file run in order. */
static bool is_behind(const struct file *file)
{
	struct transfer *writer;

	DL_FOREACH(file->channel->writers, writer) {
		if (writer->file == file)
			return &writer->waiter != file->waiter;
	}
	return false;
}

static void ctl_turn(struct loop_task *task)
{
	struct ctl *ctl = CONTAINER_OF(task, struct ctl, turn);

	ctl->spent = 0;
	channel_wake(&ctl->channel, EPOLLOUT);
}

/* Moves a held write to the end: writers that have not had their turn come first. */
static void ctl_stand_back(struct file *file)
{
	struct channel *channel = file->channel;
	struct transfer *writer;

	if (!file->waiter)
		return;
	writer = CONTAINER_OF(file->waiter, struct transfer, waiter);
	DL_DELETE(channel->writers, writer);
	DL_APPEND(channel->writers, writer);
}

/* Counts the time that a line took since `began`: nobody else was served meanwhile. */
static void ctl_spend(struct file *file, int64_t began)
{
	struct ctl *ctl = ctl_from(file->channel);

	ctl->spent += clock_now() - began;
	if (ctl->spent < STRETCH)
		return;
	loop_yield(ctl->channel.space->host->loop, &ctl->turn);
	ctl_stand_back(file);
}

/*
 * Whether the text of a write ends where the program or the kernel may have cut it. This counts the
 * bytes written and ignores positions, which begin anywhere if the file is appended to.
 */
static bool is_piece(struct ctl_record *record, size_t size)
{
	size_t end = record->progress.n_taken + size;

	if (size >= LONG_WRITE)
		record->long_end = end;
	return end % STDIO_PIECE == 0 || end == record->long_end;
}

/*
 * Whether a line has to wait because others have their turn. A line that has begun continues in any
 * case: a resumed request takes the result of its job.
 */
static bool must_wait(const struct ctl *ctl, const struct file *file)
{
	return ctl->turn.is_queued && !(file->waiter && file->waiter->memory);
}

/*
 * Runs the lines of a write. Stops at the first line that fails, and returns how many bytes were
 * done before it, or the error if that is nothing. stdio writes a long text in pieces of
 * STDIO_PIECE, and the kernel may have cut a write of LONG_WRITE or more, so such a piece may end
 * within a line; any other text that ends without a newline ends with a whole line. What is left
 * when others get their turn is held.
 */
static ssize_t ctl_take_lines(struct file *file, const char *data, size_t size)
{
	struct ctl *ctl = ctl_from(file->channel);
	bool may_go_on = is_piece(((struct ctl_opener *)file->state)->record, size);
	size_t done = 0;

	while (done < size) {
		const char *end = memchr(data + done, '\n', size - done);
		size_t length = end ? (size_t)(end - data) - done : size - done;
		int64_t began = clock_now();
		int r;

		if (must_wait(ctl, file))
			return done ? (ssize_t)done : -EAGAIN;
		if (!end && may_go_on && ctl_opener_keep(file, data + done, length))
			return (ssize_t)size;
		r = ctl_run(file, data + done, length, length + (end ? 1 : 0));
		ctl_spend(file, began);
		if (r < 0)
			return done ? (ssize_t)done : r;
		done += length + (end ? 1 : 0);
	}
	complaints_forget(ctl->channel.space->host, file->uid);
	return (ssize_t)size;
}

static ssize_t ctl_write(struct file *file, const void *data, size_t size, off_t offset)
{
	if (is_behind(file))
		return -EAGAIN;
	if (!file->waiter)
		ctl_text_forget(file);
	return ctl_take_lines(file, data, size);
}

/* A line that still runs after its file was closed. */
struct last_line {
	struct channel *channel; /* a reference */
	uid_t uid;
	unsigned line;
};

static void last_line_done(void *data, int result, const char *error)
{
	struct last_line *last = data;

	if (result < 0)
		complaints_keep(last->channel->space->host, last->uid, last->line, error);
	channel_unref(last->channel);
	free(last);
}

/* Nobody is left to get an error, but what a program wrote before it closed the file is done. */
static void ctl_run_last(struct file *file)
{
	const struct ctl_opener *opener = file->state;
	struct last_line *last = malloc(sizeof(*last));
	struct command *command = NULL;

	if (!last || ctl_parse(file, "", 0, &command) < 0) {
		free(last);
		return;
	}
	command_note(command, NULL, false);
	*last = (struct last_line){channel_ref(file->channel), file->uid,
				   (unsigned)opener->record->progress.n_lines + 1};
	if (command_run_alone(command, last_line_done, last) < 0)
		last_line_done(last, -ENOMEM, strerror(ENOMEM));
}

/* Runs the last line, if it was kept because it ends a piece without a newline. */
static void ctl_release(struct file *file)
{
	const struct ctl_record *record = ((struct ctl_opener *)file->state)->record;

	if (record->progress.tail_size && !record->has_failed)
		ctl_run_last(file);
	ctl_opener_free(file);
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
	.save = ctl_save,
	.adopt_file = ctl_adopt_file,
	.position = ctl_text_position,
	.accepted = ctl_opener_accepted,
};

int ctl_new(struct space *root, struct channel **ret_channel)
{
	struct ctl *ctl = calloc(1, sizeof(*ctl));

	if (!ctl)
		return -ENOMEM;
	complaints_adopt(root->host);
	ctl->turn.run = ctl_turn;
	ctl->text_size = ctl_text_size(root->host);
	channel_init(&ctl->channel, &ctl_ops, space_ref(root), CHANNEL_FILE);
	*ret_channel = &ctl->channel;
	return 0;
}
