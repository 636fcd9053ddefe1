// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tap of a channel: what is noted in it, and when it ends.
 */
#include "lib/channel/tap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/record.h"
#include "lib/channel/tapped.h"
#include "lib/host/thread.h"

/* `channel` NULL: the object has ended. */
static int tap_new(struct host *host, struct channel *channel, struct tap **ret_tap)
{
	struct ring_owner owner = {.state = host->state};
	struct tap *tap = calloc(1, sizeof(*tap));
	int r = tap ? 0 : -ENOMEM;

	if (r == 0 && channel)
		r = channel_remember(channel);
	if (r == 0)
		r = taps_add(host, tap);
	if (r < 0) {
		free(tap);
		return r;
	}
	*ret_tap = tap;
	tap->unlimited.limits[USER_STORED] = SIZE_MAX;
	owner.users = &tap->unlimited;
	ring_init(&tap->ring, &owner, TAP_CAPACITY);
	if (!channel)
		return 0;
	/* What is watched but not open has to be found again in the next daemon, too. */
	channel_save(channel);
	tap->noted = channel->record->tapped;
	tap->channel = channel_ref(channel);
	channel->tap = tap;
	return 0;
}

/* Lets the object go. This may destroy it. */
static void tap_end(struct tap *tap)
{
	struct channel *channel = TAKE_PTR(tap->channel);
	struct tap_reader *reader;

	if (!channel)
		return;
	channel->tap = NULL;
	DL_FOREACH(tap->readers, reader) {
		tap_save(reader);
	}
	channel_unref(channel);
}

static void tap_free(struct tap *tap)
{
	tap_end(tap);
	taps_remove(tap);
	ring_fini(&tap->ring);
	free(tap);
}

static int reader_new(struct file *file, bool sees_all, struct tap_reader **ret)
{
	struct user_table *users = &file->channel->space->host->users;
	CLEANUP_FREE struct tap_reader *reader = calloc(1, sizeof(*reader));
	int r = reader ? user_charge(users, file->uid, USER_STORED, TAP_CAPACITY) : -ENOMEM;

	if (r < 0)
		return r;
	reader->file = file;
	reader->sees_all = sees_all;
	*ret = TAKE_PTR(reader);
	return 0;
}

static void reader_free(struct tap_reader *reader)
{
	struct user_table *users = &reader->file->channel->space->host->users;

	tap_drop_rest(reader);
	user_uncharge(users, reader->file->uid, USER_STORED, TAP_CAPACITY);
	free(reader);
}

/* Adds the reader to the tap of the object, which is made if there is none. */
static int join(struct tap_reader *reader, struct channel *target)
{
	struct tap *tap = target ? target->tap : NULL;
	int r = tap ? 0 : tap_new(reader->file->channel->space->host, target, &tap);

	if (r < 0)
		return r;
	reader->tap = tap;
	reader->lost_before = tap->lost;
	ring_join(&tap->ring, &reader->place, NULL, 0);
	DL_APPEND(tap->readers, reader);
	tap_save(reader);
	return 0;
}

int tap_open(struct channel *target, struct file *file, bool sees_all, struct tap_reader **ret)
{
	struct tap_reader *reader;
	int r = reader_new(file, sees_all, &reader);

	if (r < 0)
		return r;
	r = join(reader, target);
	if (r < 0)
		reader_free(reader);
	else
		*ret = reader;
	return r;
}

int tap_adopt(struct file *file, bool sees_all, struct tap_reader **ret)
{
	struct channel *target = tap_target(file);
	struct tap_reader *reader;
	int r = reader_new(file, sees_all, &reader);

	if (r < 0)
		return r;
	r = tap_restore(reader, target);
	if (r == 0)
		r = join(reader, target);
	if (r < 0)
		reader_free(reader);
	else
		*ret = reader;
	return r;
}

void tap_close(struct tap_reader *reader)
{
	struct tap *tap = reader->tap;

	ring_leave(&tap->ring, &reader->place);
	DL_DELETE(tap->readers, reader);
	reader_free(reader);
	if (!tap->readers)
		tap_free(tap);
}

static bool is_gone(int error)
{
	return error == -ESTALE || error == -ENOENT || error == -EIDRM;
}

void tap_look(struct channel *channel)
{
	struct tap *tap = channel->tap;
	struct stat attr;
	int r;

	if (channel->n_files > 0)
		return;
	r = channel_stat(channel, &attr);
	if (!(channel->traits & CHANNEL_LASTS_WHILE_OPEN) && !is_gone(r) &&
	    (r < 0 || attr.st_nlink > 0))
		return;
	tap_end(tap);
	taps_tell(tap);
}

/* What is noted. */

pid_t tap_process(struct channel *channel, pid_t thread)
{
	struct tap *tap = channel->tap;
	pid_t *process = &tap->processes[(unsigned)thread % TAP_THREADS];

	/* One write may answer thousands of readers. */
	if (tap->is_writing && tap->n_looks++ >= TAP_LOOKS)
		return thread_process_quickly(thread, *process);
	*process = thread_process(thread, *process);
	return *process;
}

/* The bytes that pass. */
struct passing {
	const struct iovec *iov;
	int n_iov;
	size_t size;
};

/* Counts what passes, also for the next daemon. */
static void count(struct tap *tap)
{
	tap->noted++;
	if (tap->channel)
		tap->channel->record->tapped = tap->noted;
}

/* Notes nothing of what the ring can't hold. */
static void note(struct tap *tap, bool is_write, const struct tap_who *who,
		 const struct passing *bytes)
{
	struct tap_record record = {
		.size = bytes->size, .pid = who->process, .uid = who->uid, .is_write = is_write};
	size_t size = sizeof(record) + bytes->size;
	struct iovec iov[CHANNEL_PIECES + 1] = {{&record, sizeof(record)}};

	count(tap);
	taps_tell(tap);
	if (ring_make_room(&tap->ring, size, true) < 0) {
		tap->lost++;
		return;
	}
	clock_gettime(CLOCK_REALTIME, &record.time);
	memcpy(iov + 1, bytes->iov, (size_t)bytes->n_iov * sizeof(*iov));
	ring_append(&tap->ring, size);
	ring_fill(&tap->ring, iov, bytes->n_iov + 1);
}

void tap_begin_write(struct channel *channel)
{
	channel->tap->is_writing = true;
	channel->tap->n_looks = 0;
}

void tap_note_write(const struct file *file, const void *data, ssize_t result)
{
	struct tap *tap = file->channel->tap;
	struct iovec iov = {(void *)data, result > 0 ? (size_t)result : 0};

	tap->is_writing = false;
	if (result > 0)
		note(tap, true,
		     &(struct tap_who){tap_process(file->channel, file->pid), file->pid_uid},
		     &(struct passing){&iov, 1, iov.iov_len});
	for (size_t i = 0; i < tap->n_later; i++) {
		const struct tap_later *later = &tap->later[i];

		iov = (struct iovec){(void *)later->data, later->size};
		note(tap, false, &later->who, &(struct passing){&iov, 1, iov.iov_len});
	}
	free(TAKE_PTR(tap->later));
	tap->n_later = 0;
}

/* The room for these doubles each time it is used up: when their number is a power of 2. */
static void note_later(struct tap *tap, const struct tap_who *who, const struct iovec *iov)
{
	size_t n = tap->n_later;
	struct tap_later *more = tap->later;

	if ((n & (n - 1)) == 0)
		more = realloc(more, (n ? 2 * n : 1) * sizeof(*more));
	if (!more) {
		count(tap);
		tap->lost++;
		return;
	}
	tap->later = more;
	tap->later[tap->n_later++] = (struct tap_later){*who, iov->iov_base, iov->iov_len};
}

void tap_note_read(struct channel *channel, const struct tap_who *who, const struct iovec *iov,
		   int n_iov, ssize_t result)
{
	struct tap *tap = channel->tap;

	if ((channel->traits & CHANNEL_TAPS_WRITES) || !channel_has_passed(channel, result))
		return;
	assert(!tap->is_writing || n_iov == 1);
	if (tap->is_writing)
		note_later(tap, who, iov);
	else
		note(tap, false, who, &(struct passing){iov, n_iov, (size_t)result});
}
