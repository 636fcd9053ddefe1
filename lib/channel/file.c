// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Open files of channels: every read and write passes through here.
 *
 * A message longer than the read that takes it can't be put back, so its rest stays with the file.
 * The memory for the rest is reserved before the message is taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/attributes.h"
#include "lib/channel/blank.h"
#include "lib/channel/channel.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/channel/tap.h"

static void file_count(struct file *file, int n)
{
	struct channel *channel = file->channel;

	channel->n_files += (unsigned)n;
	if (file_reads(file))
		channel->n_readers += (unsigned)n;
	if (file_writes(file))
		channel->n_writers += (unsigned)n;
}

/* Gives the file its record. */
static int file_remember(struct file *file)
{
	struct host *host = file->channel->space->host;
	struct file_record *record;
	int r = slots_add(&host->files, file, &file->id);

	if (r < 0)
		return r;
	record = file->record = slots_record(&host->files, file->id);
	record->uid = file->uid;
	record->gid = file->gid;
	record->flags = file->flags;
	record->fd = -1;
	record->number = file->selector.is_set ? file->selector.value : RECORD_NO_NUMBER;
	STATE_ORDER();
	record->object = file->channel->id;
	return 0;
}

/* Gives the file and its channel their records, and has the kind open it. */
static int file_begin(struct file *file, struct caller *caller)
{
	struct channel *channel = file->channel;
	int r = channel_remember(channel);

	if (r == 0)
		r = file_remember(file);
	if (r < 0)
		return r;
	r = channel->ops->open(file, caller);
	if (r < 0) {
		slots_remove(&channel->space->host->files, file->id);
		return r;
	}
	file->record->mark = file->mark;
	channel_save(channel);
	return 0;
}

int channel_open(struct channel *channel, int flags, const struct selector *selector,
		 struct caller *caller, struct file **ret_file)
{
	struct user_table *users = &channel->space->host->users;
	CLEANUP_FREE struct file *file = calloc(1, sizeof(*file));
	int r;

	if (!channel->ops->open)
		return -EISDIR;
	if (!file)
		return -ENOMEM;
	r = space_check_home(channel->space, caller);
	if (r == 0)
		r = user_charge(users, caller->uid, USER_FILES, 1);
	if (r < 0)
		return r;
	file->channel = channel_ref(channel);
	file->uid = caller->uid;
	file->gid = caller->gid;
	file->flags = flags;
	file->selector = *selector;
	file->is_stream = channel->service == CHANNEL_STREAM;
	file_count(file, 1);
	traffic_begin(&channel->traffic);
	r = file_begin(file, caller);
	if (r < 0) {
		file_count(file, -1);
		channel_unref(channel);
		user_uncharge(users, caller->uid, USER_FILES, 1);
		/*
		 * The daemon's descriptor table is full. To the caller, that means the system's
		 * table.
		 */
		return r == -EMFILE ? -ENFILE : r;
	}
	*ret_file = TAKE_PTR(file);
	return 0;
}

/* The rest of a message is in a block of the state, or in malloc()'s memory if there was none. */
static void rest_free(struct host *host, char *data, size_t size)
{
	if (state_offset(host->state, data))
		state_release(host->state, data, size ? size : 1);
	else
		free(data);
}

/* Writes the rest into the file's record. It belongs to the record while `rest` is not 0. */
static void note_rest(struct file *file)
{
	struct file_record *record = file->record;

	record->rest = 0;
	STATE_ORDER();
	record->rest_size = (uint32_t)file->rest.size;
	record->rest_offset = (int64_t)file->rest.offset;
	record->is_frozen = file->is_frozen;
	STATE_ORDER();
	record->rest = state_offset(file->channel->space->host->state, file->rest.data);
}

static void file_drop_remainder(struct file *file)
{
	if (!file->rest.data)
		return;
	file->record->rest = 0;
	STATE_ORDER();
	user_uncharge(&file->channel->space->host->users, file->uid, USER_BYTES, file->rest.size);
	rest_free(file->channel->space->host, file->rest.data, file->rest.size);
	file->rest = (struct remainder){0};
}

/* Takes over the rest that the record has. */
static void adopt_rest(struct file *file)
{
	struct host *host = file->channel->space->host;
	const struct file_record *record = file->record;
	char *data;

	if (!record->rest ||
	    (!record->is_frozen && (uint64_t)record->rest_offset > record->rest_size))
		return;
	data = state_claim(host->state, record->rest, record->rest_size ? record->rest_size : 1);
	if (!data)
		return;
	user_charge(&host->users, file->uid, USER_BYTES, record->rest_size);
	file->is_frozen = record->is_frozen;
	file->rest = (struct remainder){.data = data, .size = record->rest_size};
	file->rest.made = record->rest_offset; /* or how much of it was read */
}

struct file *file_adopt(struct host *host, uint64_t id)
{
	struct file_record *record = slots_record(&host->files, id);
	struct channel *channel = record ? slots_object(&host->objects, record->object) : NULL;
	CLEANUP_FREE struct file *file = channel ? calloc(1, sizeof(*file)) : NULL;

	if (!file)
		return NULL;
	file->id = id;
	file->record = record;
	file->channel = channel_ref(channel);
	file->uid = record->uid;
	file->gid = record->gid;
	file->flags = record->flags;
	if (record->number != RECORD_NO_NUMBER)
		file->selector = (struct selector){true, record->number};
	file->mark = record->mark;
	file->is_stream = channel->service == CHANNEL_STREAM;
	user_charge(&host->users, file->uid, USER_FILES, 1);
	adopt_rest(file);
	file_count(file, 1);
	traffic_begin(&channel->traffic);
	if (channel->ops->adopt_file && channel->ops->adopt_file(file) < 0) {
		file_count(file, -1);
		file_drop_remainder(file);
		user_uncharge(&host->users, file->uid, USER_FILES, 1);
		channel_unref(channel);
		return NULL;
	}
	slots_set_object(&host->files, id, file);
	return TAKE_PTR(file);
}

/* Gives the file a copy of these bytes, which have been charged. */
static int file_set_rest(struct file *file, const char *data, size_t size)
{
	struct host *host = file->channel->space->host;
	char *block = state_alloc(host->state, size ? size : 1);

	if (!block)
		return -ENOMEM;
	memcpy(block, data, size);
	file->rest = (struct remainder){.data = block, .size = size};
	note_rest(file);
	return 0;
}

int file_keep(struct file *file, char *content, size_t size)
{
	struct user_table *users = &file->channel->space->host->users;
	int r = user_charge(users, file->uid, USER_BYTES, size);

	file_drop_remainder(file);
	if (r == 0 && content)
		r = file_set_rest(file, content, size);
	if (r == -ENOMEM)
		user_uncharge(users, file->uid, USER_BYTES, size);
	free(content);
	return r;
}

void file_return(struct file *file, const char *data, size_t size)
{
	struct user_table *users = &file->channel->space->host->users;

	/* Of a text that the kind reads itself, the bytes are still there. */
	if (file->keeps_text && file->rest.data && file->rest.offset >= size) {
		file->rest.offset -= size;
		file->record->rest_offset = (int64_t)file->rest.offset;
		return;
	}
	file_drop_remainder(file);
	if (user_charge(users, file->uid, USER_BYTES, size) == 0)
		file_set_rest(file, data, size);
}

int file_freeze(struct file *file, char *content, size_t size)
{
	int r = file_keep(file, content, size);
	struct timespec now;

	if (r < 0)
		return r;
	attributes_touch(&now);
	file->is_frozen = true;
	file->rest.made = now.tv_sec * CLOCK_S + now.tv_nsec;
	note_rest(file);
	return 0;
}

int file_stat(const struct file *file, struct stat *ret_attr)
{
	int r = channel_stat(file->channel, ret_attr);
	struct timespec made;

	if (!file->is_frozen)
		return r;
	attributes_set_size(ret_attr, file->rest.size);
	made = (struct timespec){file->rest.made / CLOCK_S, file->rest.made % CLOCK_S};
	if (timespec_is_later(&ret_attr->st_mtim, &made))
		attributes_set_times(ret_attr, &made, &ret_attr->st_ctim);
	return r;
}

int channel_opened(struct file *file)
{
	const struct channel_ops *ops = file->channel->ops;

	return ops->opened ? ops->opened(file) : 0;
}

/* Tells the kind what became of the message that the file read last. */
static void file_finish(struct file *file, bool is_given)
{
	if (!file->is_unfinished)
		return;
	file->is_unfinished = false;
	file->channel->ops->finished(file, is_given);
}

/* The reader has what it took of the rest of a message, or will never ask for it again. */
static void rest_end(struct file *file)
{
	if (!file->rest.data || file->is_frozen || file->keeps_text)
		return;
	file->record->rest_offset = (int64_t)file->rest.offset;
	if (file->is_rest_read)
		file_drop_remainder(file);
	file->is_rest_read = false;
}

void file_take_rest(struct file *file, size_t offset, size_t size)
{
	struct remainder *rest = &file->rest;

	if (!rest->data || file->is_frozen || file->keeps_text || rest->offset != offset ||
	    size > rest->size - offset)
		return;
	rest->offset += size;
	file->is_rest_read = rest->offset == rest->size;
	rest_end(file);
}

void channel_given(struct file *file, bool is_given)
{
	/* As long as the journal has it, the next daemon can tell whether the rest was given. */
	rest_end(file);
	journal_read_end(file->channel->space->host);
	if (!is_given && file->is_unfinished)
		file_drop_remainder(file);
	if (!file->rest.data)
		file_finish(file, is_given);
}

void channel_release(struct file *file)
{
	struct channel *channel;

	if (!file)
		return;
	channel = file->channel;
	channel_watch(file, NULL, NULL);
	file_finish(file, false);
	file_drop_remainder(file);
	file_count(file, -1);
	if (channel->ops->release)
		channel->ops->release(file);
	channel_save(channel);
	slots_remove(&channel->space->host->files, file->id);
	if (channel->tap)
		tap_look(channel);
	user_uncharge(&channel->space->host->users, file->uid, USER_FILES, 1);
	free(file);
	channel_unref(channel);
}

/* Notes what was read into the scratch buffer. A message counts as read when it is taken. */
static void note_scratch(const struct file *file, ssize_t n)
{
	struct channel *channel = file->channel;
	const struct iovec iov = {channel->space->host->scratch, (size_t)n};

	if (!channel_has_passed(channel, n))
		return;
	traffic_pass(&channel->traffic.out, (size_t)n);
	if (!channel->tap)
		return;
	tap_note_read(channel, &(struct tap_who){tap_process(channel, file->pid), file->pid_uid},
		      &iov, 1, n);
}

/* Gives the next bytes of a message that was longer than the read that took it. */
static ssize_t remainder_read(struct file *file, size_t size, const void **ret_data)
{
	struct remainder *rest = &file->rest;
	struct host *host = file->channel->space->host;
	size_t n = rest->size - rest->offset;

	if (n > size)
		n = size;
	journal_read(file, host->journal->request, JOURNAL_REST, n, size);
	memcpy(host->scratch, rest->data + rest->offset, n);
	blank_used(host, n);
	*ret_data = host->scratch;
	rest->offset += n;
	file->is_rest_read = rest->offset == rest->size;
	return (ssize_t)n;
}

static ssize_t frozen_read(const struct file *file, size_t size, off_t offset,
			   const void **ret_data)
{
	const struct remainder *text = &file->rest;

	if ((uint64_t)offset >= text->size)
		return 0;
	*ret_data = text->data + offset;
	return (ssize_t)(size < text->size - (size_t)offset ? size : text->size - (size_t)offset);
}

/* Keeps what the message has beyond `size` bytes, in memory reserved before it was taken. */
static void file_keep_rest(struct file *file, size_t size, size_t message_size)
{
	struct host *host = file->channel->space->host;
	size_t rest_size = message_size - size;
	char *rest, *fitting;

	if (file_set_rest(file, host->scratch + size, rest_size) == 0)
		return;
	rest = TAKE_PTR(host->spare);
	memcpy(rest, host->scratch + size, rest_size);
	fitting = realloc(rest, rest_size);
	file->rest = (struct remainder){.data = fitting ? fitting : rest, .size = rest_size};
}

/* Has the kind read into the scratch buffer. */
static ssize_t file_receive(struct file *file, size_t size, size_t room, off_t offset)
{
	struct host *host = file->channel->space->host;
	ssize_t n;

	journal_read(file, host->journal->request, JOURNAL_RECEIVE, 0, size);
	n = file->channel->ops->read(file, host->scratch, room, offset);
	if (n != -EAGAIN)
		blank_used(host, n < 0 ? room : (size_t)n);
	if (n < 0) {
		journal_read_end(host);
		return n;
	}
	host->journal->size = (uint64_t)n;
	STATE_ORDER();
	host->journal->step = JOURNAL_GIVE;
	STATE_ORDER();
	return n;
}

/*
 * Takes one message. If it might be longer than the reader's buffer, reserves memory for the rest
 * first: a message that was taken can't be put back.
 */
static ssize_t message_take(struct file *file, size_t size, const void **ret_data)
{
	struct channel *channel = file->channel;
	struct host *host = channel->space->host;
	size_t rest_max = channel->message_max > size ? channel->message_max - size : 0;
	size_t rest_size = 0;
	ssize_t n;

	if (host_reserve(host, channel->message_max) < 0)
		return -ENOMEM;
	if (rest_max && host_reserve_spare(host, rest_max) < 0)
		return -ENOMEM;
	if (rest_max && user_charge(&host->users, file->uid, USER_BYTES, rest_max) < 0)
		return -ENOBUFS;
	n = file_receive(file, size, host->scratch_size, 0);
	file->is_unfinished = n >= 0 && channel->ops->finished;
	note_scratch(file, n);
	if (n > 0 && (size_t)n > size) {
		rest_size = (size_t)n - size;
		file_keep_rest(file, size, (size_t)n);
		n = (ssize_t)size;
	}
	if (rest_max)
		user_uncharge(&host->users, file->uid, USER_BYTES, rest_max - rest_size);
	*ret_data = host->scratch;
	return n;
}

static ssize_t message_read(struct file *file, size_t size, const void **ret_data)
{
	const struct channel_ops *ops = file->channel->ops;
	struct pieces pieces;
	size_t known;
	ssize_t n = ops->lend ? ops->lend(file, size, &pieces) : -EOPNOTSUPP;

	/* Nothing is reserved or charged in order to find that there is nothing. */
	if (n <= 0 && n != -EOPNOTSUPP)
		return n;
	do {
		known = file->channel->message_max;
		n = message_take(file, size, ret_data);
	} while (n == -EMSGSIZE && file->channel->message_max > known);
	return n;
}

ssize_t channel_read(struct file *file, size_t size, off_t offset, const void **ret_data)
{
	struct channel *channel = file->channel;
	struct host *host = channel->space->host;
	ssize_t n;

	if (!channel->ops->read)
		return -EBADF;
	if (file->is_frozen)
		return frozen_read(file, size, offset, ret_data);
	rest_end(file);
	if (file->rest.data && !file->keeps_text)
		return remainder_read(file, size, ret_data);
	if (channel->traits & CHANNEL_MESSAGES) {
		n = message_read(file, size, ret_data);
	} else {
		if (size > host->scratch_size)
			size = host->scratch_size;
		n = file_receive(file, size, size, offset);
		note_scratch(file, n);
		*ret_data = host->scratch;
	}
	if (n >= 0)
		channel_wake(channel, EPOLLOUT);
	return n;
}

ssize_t channel_lend(struct file *file, size_t size, off_t offset, struct pieces *ret_pieces)
{
	const struct channel_ops *ops = file->channel->ops;
	const struct host *host = file->channel->space->host;
	const void *data = NULL;
	ssize_t n = -EOPNOTSUPP;

	ret_pieces->n = 0;
	ret_pieces->lent = 0;
	/* The rest of a message comes before the next one. */
	if (ops->lend && !file->rest.data)
		n = ops->lend(file, size, ret_pieces);
	if (n > 0)
		journal_read(file, host->journal->request, JOURNAL_TAKE, (size_t)n, size);
	if (n != -EOPNOTSUPP) {
		ret_pieces->lent = n > 0 ? (size_t)n : 0;
		if (n > 0 && file->channel->tap)
			ret_pieces->process = tap_process(file->channel, file->pid);
		return n;
	}
	n = channel_read(file, size, offset, &data);
	if (n > 0) {
		ret_pieces->iov[0] = (struct iovec){(void *)data, (size_t)n};
		ret_pieces->n = 1;
	}
	return n;
}

void channel_take(struct file *file, const struct pieces *pieces)
{
	struct channel *channel = file->channel;

	if (!pieces->lent) {
		channel_given(file, true);
		return;
	}
	traffic_pass(&channel->traffic.out, pieces->lent);
	if (channel->tap)
		tap_note_read(channel, &(struct tap_who){pieces->process, file->pid_uid},
			      pieces->iov, pieces->n, (ssize_t)pieces->lent);
	channel->ops->take(file, pieces->lent);
	journal_read_end(channel->space->host);
	channel_wake(channel, EPOLLOUT);
}

static ssize_t tapped_write(struct file *file, const void *data, size_t size, off_t offset)
{
	ssize_t n;

	tap_begin_write(file->channel);
	n = file->channel->ops->write(file, data, size, offset);
	tap_note_write(file, data, n);
	return n;
}

ssize_t channel_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct channel *channel = file->channel;
	ssize_t n;

	if (!channel->ops->write)
		return -EBADF;
	if (channel->writers && !file->waiter && !(channel->traits & CHANNEL_SELECTIVE_WRITES))
		return -EAGAIN;
	n = channel->tap ? tapped_write(file, data, size, offset)
			 : channel->ops->write(file, data, size, offset);
	if (n <= 0)
		return n;
	traffic_pass(&channel->traffic.in, (size_t)n);
	channel_wake(channel, EPOLLIN);
	return n;
}

uint32_t channel_poll(struct file *file)
{
	const uint32_t always = EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM;
	const struct channel_ops *ops = file->channel->ops;
	uint32_t events = ops->poll ? ops->poll(file) : always;

	return file->rest.data && !file->is_rest_read ? events | EPOLLIN | EPOLLRDNORM : events;
}

void channel_watch(struct file *file, void (*polled)(struct file *file), void *poll_data)
{
	struct channel *channel = file->channel;

	if (file->polled && !polled)
		DL_DELETE(channel->polled, file);
	else if (!file->polled && polled)
		DL_APPEND(channel->polled, file);
	file->polled = polled;
	file->poll_data = poll_data;
	channel_attend(channel);
}
