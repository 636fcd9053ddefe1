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
#include "lib/channel/file_rest.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/channel/tap.h"

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

void file_finish(struct file *file, bool is_given)
{
	if (!file->is_unfinished)
		return;
	file->is_unfinished = false;
	file->channel->ops->finished(file, is_given);
}

void channel_given(struct file *file, bool is_given)
{
	/* As long as the journal has it, the next daemon can tell whether the rest was given. */
	rest_end(file);
	journal_read_end(file->channel->space->host);
	if (!is_given && file->is_unfinished)
		rest_drop(file);
	if (!file->rest.data)
		file_finish(file, is_given);
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
		rest_keep(file, size, (size_t)n);
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
		return rest_read_frozen(file, size, offset, ret_data);
	rest_end(file);
	if (file->rest.data && !file->keeps_text)
		return rest_read(file, size, ret_data);
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
