/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A read leaves a message where it is if the file does not select it, or if it is longer than the
 * read.
 */
#include "tests/unit/toy.h"

#include <fcntl.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"
#include "lib/channel/record.h"

unsigned toy_n_destroyed;

static struct toy *toy_from(struct channel *channel)
{
	return CONTAINER_OF(channel, struct toy, channel);
}

static void toy_destroy(struct channel *channel)
{
	toy_n_destroyed++;
	free(toy_from(channel));
}

static int toy_stat(struct channel *channel, struct stat *ret_attr)
{
	struct toy *toy = toy_from(channel);

	if (toy->error)
		return toy->error;
	ret_attr->st_ino = toy->attr.st_ino;
	ret_attr->st_mode = toy->attr.st_mode;
	return 0;
}

static int toy_change(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller)
{
	struct toy *toy = toy_from(channel);

	if (toy->error)
		return toy->error;
	if (changes & CHANGE_MODE)
		toy->attr.st_mode = attr->st_mode;
	toy->attr.st_uid = caller->uid;
	return 0;
}

static int toy_open_file(struct file *file, struct caller *caller)
{
	struct toy *toy = toy_from(file->channel);

	toy->n_opens++;
	file->channel->message_max = 100;
	return toy->error;
}

static void toy_release(struct file *file)
{
	toy_from(file->channel)->n_releases++;
}

static bool toy_selects(const struct file *file, const char *message)
{
	return !file_selector(file).is_set ||
	       (unsigned char)message[0] == file_selector(file).value;
}

static void toy_drop_piece(struct toy *toy)
{
	for (size_t i = 0; toy->pieces[i]; i++)
		toy->pieces[i] = toy->pieces[i + 1];
}

static ssize_t toy_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct toy *toy = toy_from(file->channel);
	const char *piece = toy->pieces[0];
	size_t n;

	toy->n_reads++;
	if (toy->error)
		return toy->error;
	if (!piece)
		return toy->has_end ? 0 : -EAGAIN;
	if (!toy_selects(file, piece))
		return -EAGAIN;
	n = strlen(piece);
	if ((toy->channel.traits & CHANNEL_MESSAGES) && n > size)
		return -EMSGSIZE;
	if (n <= size) {
		toy_drop_piece(toy);
	} else {
		n = size;
		toy->pieces[0] += size;
	}
	memcpy(data, piece, n);
	return (ssize_t)n;
}

static void toy_finished(struct file *file, bool is_given)
{
	struct toy *toy = toy_from(file->channel);

	toy->n_given += is_given;
	toy->n_lost += !is_given;
}

static ssize_t toy_lend(struct file *file, size_t size, struct pieces *pieces)
{
	struct toy *toy = toy_from(file->channel);
	size_t n = 0;

	if (toy->is_hidden)
		return -EOPNOTSUPP;
	if (!toy->pieces[0])
		return toy->has_end ? 0 : -EAGAIN;
	for (int i = 0; toy->pieces[i] && n < size; i++) {
		size_t part = strlen(toy->pieces[i]);

		if (part > size - n)
			part = size - n;
		pieces->iov[pieces->n++] = (struct iovec){(void *)toy->pieces[i], part};
		n += part;
	}
	return (ssize_t)n;
}

static void toy_take(struct file *file, size_t size)
{
	struct toy *toy = toy_from(file->channel);

	toy->n_takes++;
	while (size && size >= strlen(toy->pieces[0])) {
		size -= strlen(toy->pieces[0]);
		toy_drop_piece(toy);
	}
	if (size)
		toy->pieces[0] += size;
}

static ssize_t toy_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct toy *toy = toy_from(file->channel);
	size_t n = size < toy->room ? size : toy->room;

	toy->n_writes++;
	if (toy->error)
		return toy->error;
	if (n < size && (n == 0 || (toy->channel.traits & CHANNEL_MESSAGES)))
		return -EAGAIN;
	ck_assert_uint_lt(strlen(toy->written) + n, sizeof(toy->written));
	strncat(toy->written, data, n);
	toy->room -= n;
	return (ssize_t)n;
}

static uint32_t toy_poll(struct file *file)
{
	return toy_from(file->channel)->ready;
}

#define TOY_OPS                                                                                \
	.destroy = toy_destroy, .stat = toy_stat, .change = toy_change, .open = toy_open_file, \
	.release = toy_release, .read = toy_read, .write = toy_write, .poll = toy_poll

static const struct channel_ops stream_ops = {TOY_OPS};
static const struct channel_ops lending_ops = {TOY_OPS, .lend = toy_lend, .take = toy_take};
static const struct channel_ops message_ops = {TOY_OPS, .traits = CHANNEL_MESSAGES};
static const struct channel_ops acknowledged_ops = {TOY_OPS, .traits = CHANNEL_MESSAGES,
						    .finished = toy_finished};
static const struct channel_ops selective_ops = {
	TOY_OPS,
	.traits = CHANNEL_MESSAGES | CHANNEL_SELECTIVE_READS | CHANNEL_SELECTIVE_WRITES,
};

const struct toy_kind toy_stream = {{.path = "streams"}, &stream_ops};
const struct toy_kind toy_lending = {{.path = "lending"}, &lending_ops};
const struct toy_kind toy_message = {{.path = "messages"}, &message_ops};
const struct toy_kind toy_acknowledged = {{.path = "acknowledged"}, &acknowledged_ops};
const struct toy_kind toy_selective = {{.path = "selections", .selector_max = 255}, &selective_ops};

struct toy *toy_new(const struct toy_kind *kind)
{
	struct toy *toy = calloc(1, sizeof(*toy));

	ck_assert_ptr_nonnull(toy);
	space_init(&toy->space, NULL, &host, kind->kind.path);
	toy->space.kind = &kind->kind;
	channel_init(&toy->channel, kind->ops, &toy->space, CHANNEL_STREAM);
	return toy;
}

struct file *toy_open(struct toy *toy)
{
	return object_open(&toy->channel, O_RDWR);
}

void toy_close(struct toy *toy, struct file *const files[])
{
	unsigned n = toy_n_destroyed;

	for (; *files; files++)
		channel_release(*files);
	channel_unref(&toy->channel);
	ck_assert_uint_eq(toy_n_destroyed, n + 1);
}
