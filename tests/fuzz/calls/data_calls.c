// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls that move bytes, or change the size of files.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "tests/fuzz/calls/path.h"
#include "tests/fuzz/calls/user.h"

static void read_some(struct thread *thread)
{
	make_call(thread, SYS_read, thread_descriptor(thread), thread->buffer, thread_size(thread));
}

static void write_some(struct thread *thread)
{
	size_t size = thread_fill(thread);

	make_call(thread, SYS_write, thread_descriptor(thread), thread->buffer, size);
}

static void pread_some(struct thread *thread)
{
	make_call(thread, SYS_pread64, thread_descriptor(thread), thread->buffer,
		  thread_size(thread), thread_offset(thread));
}

static void pwrite_some(struct thread *thread)
{
	size_t size = thread_fill(thread);

	make_call(thread, SYS_pwrite64, thread_descriptor(thread), thread->buffer, size,
		  thread_offset(thread));
}

static void pick_parts(struct thread *thread, struct iovec parts[3])
{
	for (int i = 0; i < 3; i++)
		parts[i] = (struct iovec){thread->buffer + 4096 * i, thread_size(thread) / 4};
}

static void readv_some(struct thread *thread)
{
	static const int flags[] = {RWF_HIPRI, RWF_NOWAIT, RWF_DSYNC};
	struct iovec parts[3];

	pick_parts(thread, parts);
	make_call(thread, SYS_preadv2, thread_descriptor(thread), parts,
		  dice_roll(&thread->dice, 4),
		  dice_once_in(&thread->dice, 2) ? (off_t)-1 : thread_offset(thread), 0,
		  dice_flags(&thread->dice, flags, N_ELEMENTS(flags), 3));
}

static void writev_some(struct thread *thread)
{
	static const int flags[] = {RWF_HIPRI, RWF_NOWAIT, RWF_DSYNC, RWF_SYNC, RWF_APPEND};
	struct iovec parts[3];

	thread_fill(thread);
	pick_parts(thread, parts);
	make_call(thread, SYS_pwritev2, thread_descriptor(thread), parts,
		  dice_roll(&thread->dice, 4),
		  dice_once_in(&thread->dice, 2) ? (off_t)-1 : thread_offset(thread), 0,
		  dice_flags(&thread->dice, flags, N_ELEMENTS(flags), 3));
}

/* Splices through a pipe, which is filled by a write or from a file. */
static void splice_some(struct thread *thread)
{
	unsigned flags = SPLICE_F_NONBLOCK | (dice_once_in(&thread->dice, 2) ? SPLICE_F_MOVE : 0);
	int ends[2];

	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return;
	if (dice_once_in(&thread->dice, 2)) {
		if (write(ends[1], thread->buffer, thread_fill(thread) % 60000) >= 0)
			make_call(thread, SYS_splice, ends[0], NULL, thread_descriptor(thread),
				  NULL, thread_size(thread), flags);
	} else {
		make_call(thread, SYS_splice, thread_descriptor(thread), NULL, ends[1], NULL,
			  thread_size(thread), flags);
		make_call(thread, SYS_splice, ends[0], NULL, thread_descriptor(thread), NULL,
			  thread_size(thread), flags);
	}
	close(ends[0]);
	close(ends[1]);
}

static void tee_some(struct thread *thread)
{
	make_call(thread, SYS_tee, thread_descriptor(thread), thread_descriptor(thread),
		  thread_size(thread), dice_once_in(&thread->dice, 2) ? SPLICE_F_NONBLOCK : 0);
}

static void sendfile_some(struct thread *thread)
{
	off_t offset = thread_offset(thread);

	make_call(thread, SYS_sendfile, thread_descriptor(thread), thread_descriptor(thread),
		  dice_once_in(&thread->dice, 2) ? &offset : NULL, thread_size(thread));
}

static void copy_some(struct thread *thread)
{
	off_t from = thread_offset(thread), to = thread_offset(thread);
	struct dice *dice = &thread->dice;

	make_call(thread, SYS_copy_file_range, thread_descriptor(thread),
		  dice_once_in(dice, 2) ? &from : NULL, thread_descriptor(thread),
		  dice_once_in(dice, 2) ? &to : NULL, thread_size(thread), 0);
}

static void seek(struct thread *thread)
{
	make_call(thread, SYS_lseek, thread_descriptor(thread), thread_offset(thread),
		  dice_roll(&thread->dice, 7));
}

static void truncate_path(struct thread *thread)
{
	make_call(thread, SYS_truncate, path_pick(thread), thread_offset(thread));
}

static void truncate_descriptor(struct thread *thread)
{
	make_call(thread, SYS_ftruncate, thread_descriptor(thread), thread_offset(thread));
}

static void allocate(struct thread *thread)
{
	static const int modes[] = {
		FALLOC_FL_KEEP_SIZE,  FALLOC_FL_PUNCH_HOLE,   FALLOC_FL_COLLAPSE_RANGE,
		FALLOC_FL_ZERO_RANGE, FALLOC_FL_INSERT_RANGE, FALLOC_FL_UNSHARE_RANGE,
	};

	struct dice *dice = &thread->dice;
	int fd = dice_once_in(dice, 3) ? thread_descriptor(thread) : thread_region(thread);

	make_call(thread, SYS_fallocate, fd, dice_flags(dice, modes, N_ELEMENTS(modes), 4),
		  dice_once_in(dice, 2) ? 0 : thread_offset(thread),
		  dice_once_in(dice, 2) ? thread_offset(thread) : (off_t)thread_size(thread));
	thread_keep(thread, fd);
}

static void synchronize(struct thread *thread)
{
	static const long numbers[] = {SYS_fsync, SYS_fdatasync, SYS_syncfs};

	make_call(thread, dice_pick(&thread->dice, numbers), thread_descriptor(thread));
	make_call(thread, SYS_sync_file_range, thread_descriptor(thread), thread_offset(thread),
		  thread_offset(thread), dice_roll(&thread->dice, 8));
}

static void advise(struct thread *thread)
{
	make_call(thread, SYS_fadvise64, thread_descriptor(thread), thread_offset(thread),
		  thread_offset(thread), dice_roll(&thread->dice, 7));
	make_call(thread, SYS_readahead, thread_descriptor(thread), thread_offset(thread),
		  thread_size(thread));
}

static void list(struct thread *thread)
{
	int fd = dice_once_in(&thread->dice, 3)
			 ? thread_descriptor(thread)
			 : (int)make_call(thread, SYS_openat, AT_FDCWD, path_pick(thread),
					  O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	unsigned times = 1 + dice_roll(&thread->dice, 4);

	while (times-- > 0 && make_call(thread, SYS_getdents64, fd, thread->buffer,
					24 + thread_size(thread) / 4) > 0)
		if (dice_once_in(&thread->dice, 3))
			make_call(thread, SYS_lseek, fd, thread_offset(thread), SEEK_SET);
	thread_keep(thread, dice_once_in(&thread->dice, 2) ? -1 : fd);
}

/*
 * Makes an ioctl, whether it exists or not. If the mount passed ioctls on, it would pass on any of
 * these.
 */
static void control(struct thread *thread)
{
	static const unsigned long numbers[] = {
		FIONREAD,
		FIONBIO,
		FIOASYNC,
		FIOCLEX,
		0x2 /* FIGETBSZ */,
		TCGETS,
		TIOCGWINSZ,
		SIOCGIFCONF,
		0x80086601 /* FS_IOC_GETFLAGS */,
		0x40086602,
		0x801c581f /* FSGETXATTR */,
		0x40049409,
		0xc0189436 /* FIDEDUPERANGE */,
		0xc004e500 /* FUSE itself has this one */,
		0x4010e501,
		0x4004e502,
		0x5401,
		0,
	};
	unsigned long number = dice_once_in(&thread->dice, 3) ? dice_next(&thread->dice)
							      : dice_pick(&thread->dice, numbers);

	thread_fill(thread);
	make_call(thread, SYS_ioctl, thread_descriptor(thread), number, thread->buffer);
}

const struct call data_calls[] = {
	{"read", read_some, 4},
	{"write", write_some, 4},
	{"pread", pread_some, 1},
	{"pwrite", pwrite_some, 1},
	{"preadv2", readv_some, 1},
	{"pwritev2", writev_some, 1},
	{"splice", splice_some, 1},
	{"tee", tee_some, 1},
	{"sendfile", sendfile_some, 1},
	{"copy_file_range", copy_some, 1},
	{"lseek", seek, 1},
	{"truncate", truncate_path, 1},
	{"ftruncate", truncate_descriptor, 2},
	{"fallocate", allocate, 2},
	{"fsync", synchronize, 1},
	{"fadvise", advise, 1},
	{"getdents", list, 2},
	{"ioctl", control, 1},
	{NULL, NULL, 0},
};
