// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What outlives the daemon of a hold: the ends. While the read end stays open, the kernel keeps
 * what is in the pipe.
 *
 * A thread may be closing an end just when the daemon is killed, and another thread may get the
 * same number. So an end that a thread may close is not in the record meanwhile, and is closed with
 * the daemon: that is what the thread was about to do, or the next daemon opens another one. An end
 * that a thread has opened is in the record once the loop knows it. Until then no LOOKUP has been
 * answered that would have somebody rely on it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/channel/record.h"
#include "lib/kinds/pipe/keeper.h"

enum { READ_END, WRITE_END }; /* in object_record::fds */

void hold_save(const struct fifo_hold *hold, struct object_record *record)
{
	bool is_closing = hold->is_busy && hold->ends.task == ENDS_CLOSE;

	if (is_closing)
		record->fds[READ_END] = hold->spare_fd;
	else if (!hold->is_busy)
		record->fds[READ_END] =
			hold->ends.read_fd >= 0 ? hold->ends.read_fd : hold->spare_fd;
	if (is_closing || (hold->is_busy && hold->ends.has_end))
		record->fds[WRITE_END] = -1;
	else if (!hold->is_busy)
		record->fds[WRITE_END] = hold->ends.write_fd;
}

/*
 * Whether the descriptor is an end of this FIFO, opened for `mode`. The mount does not answer yet,
 * and must not be asked.
 */
static bool is_end(const struct fifo_hold *hold, const struct object_record *record, int fd,
		   int mode)
{
	struct statx attr;
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) == mode && (flags & O_NONBLOCK) &&
	       statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO | STATX_TYPE, &attr) ==
		       0 &&
	       S_ISFIFO(attr.stx_mode) &&
	       makedev(attr.stx_dev_major, attr.stx_dev_minor) == hold->keeper->host->dev &&
	       attr.stx_ino == space_ino(hold->channel->space, record->attributes.ino);
}

void hold_adopt(struct fifo_hold *hold, struct object_record *record, size_t size)
{
	int read_fd = record->fds[READ_END], write_fd = record->fds[WRITE_END];

	if (!hold->keeper || !is_end(hold, record, read_fd, O_RDONLY))
		read_fd = -1;
	if (read_fd < 0 || !is_end(hold, record, write_fd, O_WRONLY))
		write_fd = -1;
	record->fds[READ_END] = record->fds[WRITE_END] = -1;
	if (read_fd < 0 || hold_charge(hold, size) < 0)
		return;
	hold->ends = (struct ends){.read_fd = read_fd,
				   .write_fd = write_fd,
				   .inotify_fd = hold->keeper->inotify.fd,
				   .watch = -1,
				   .is_new = write_fd < 0};
	if (hold_arm(hold) < 0) {
		hold->ends.read_fd = hold->ends.write_fd = -1;
		hold_uncharge(hold);
		hold_resized(hold, 0);
		return;
	}
	record->fds[READ_END] = read_fd;
	record->fds[WRITE_END] = write_fd;
	hold->is_adopted = true;
	hold->was_full = ends_look(read_fd) & EPOLLIN;
	keeper_adopt(hold);
}
