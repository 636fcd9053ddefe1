// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What can be said about a FIFO without waiting for anybody.
 */
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/pipe/pipe.h"

/* This needs no thread: poll(2) never waits for the lock. */
bool fifo_is_empty(const struct fifo_hold *hold)
{
	return !hold->is_held || !(ends_look(hold->read_end.fd) & EPOLLIN);
}

const char *hold_word(const struct fifo_hold *hold)
{
	if (!hold->is_held)
		return "no";
	return hold->ends.write_fd >= 0 ? "both" : "read";
}

void hold_tell_times(struct fifo_hold *hold, struct attributes *attributes)
{
	bool is_full = hold->is_held && ends_look(hold->read_end.fd) & EPOLLIN;

	if (hold->written.tv_sec)
		attributes->mtime = hold->written;
	else if (is_full && !hold->was_full)
		attributes_touch(&attributes->mtime);
	if (!is_full && hold->was_full)
		attributes_touch(&attributes->atime);
	hold->written = (struct timespec){0};
	hold->was_full = is_full;
}

void fifo_add_status(struct channel *channel, struct caller *caller, struct row *row)
{
	struct pipe *pipe = pipe_from(channel);
	struct stat attr = {0};

	row_add_time(row, "created", &pipe->kept.attributes->btime);
	kept_stat(&pipe->kept, &attr);
	if (!S_ISFIFO(attr.st_mode))
		return;
	row_add_word(row, "served", pipe_served_words[SERVED_KERNEL]);
	row_add_word(row, "keep", pipe_keep_words[pipe->is_kept]);
	if (!pipe->is_kept)
		return;
	row_add_word(row, "held", hold_word(&pipe->hold));
	if (!row->has_no_measure) {
		if (caller_may(caller, &attr, R_OK))
			row_add_bytes(row, "bytes", (uint64_t)pipe->n_bytes);
		row_add_bytes(row, "capacity",
			      pipe->size < 0 ? pipe->capacity : (uint64_t)pipe->size);
	}
	row_add_word(row, "eof", pipe_eof_words[pipe->has_no_end]);
}

/* Asks the kernel to forget the object, unless somebody uses it. */
static void forget(const struct channel *channel)
{
	struct host *host = channel->space->host;

	if (host->nodes.forget && channel->inode)
		host->nodes.forget(host, channel->inode);
}

/*
 * The directory has one reference, and whoever asks another. If there are more, the kernel knows
 * the inode, and a process may use it: have the FIFO open, wait in open(2), or have a socket bound
 * there. So the kernel is asked to forget an inode that nobody uses, and the next look will tell.
 */
int fifo_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse)
{
	struct pipe *pipe = pipe_from(channel);

	if (!fifo_is_empty(&pipe->hold) || pipe->hold.is_busy)
		return 0;
	if (channel->n_refs <= 2) {
		kept_disuse(&pipe->kept, disuse);
		return 0;
	}
	forget(channel);
	if (pipe->door)
		forget(pipe->door); /* which refers to the FIFO */
	return 0;
}
