/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over message queues: mq_send(3) and mq_receive(3) on the native queue, write(2) and
 * read(2) on the queue in the mount. The native names are those of an mqueue mount. Where ipcfs
 * differs on purpose, the native side imitates it here: the rest of a message stays for the next
 * read, truncating to 0 empties the queue, lseek(2) fails, O_TRUNC and O_APPEND are ignored.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/random.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_NAMES = 2, N_FILES = 4, N_MESSAGES = 4, MESSAGE = 128, BUF = 300 };

struct pair {
	int native, mount; /* -1 when closed */
	int flags;
	unsigned int priority;
	unsigned char rest[MESSAGE]; /* the rest of a message that was read in part natively */
	unsigned int rest_start, rest_end;
};

struct queue_walk {
	struct walk *walk;
	struct pair files[N_FILES];
	char queue[N_NAMES][32], native[N_NAMES][128], mount[N_NAMES][128];
	unsigned char data[BUF], other[BUF];
};

static unsigned int any_name(struct queue_walk *w)
{
	return walk_random(w->walk, N_NAMES);
}

static struct pair *any_file(struct queue_walk *w)
{
	return &w->files[walk_random(w->walk, N_FILES)];
}

static void close_pair(struct pair *file)
{
	if (file->native >= 0)
		mq_close(file->native);
	if (file->mount >= 0)
		close(file->mount);
	*file = (struct pair){.native = -1, .mount = -1};
}

static void do_open(struct queue_walk *w)
{
	static const int access[] = {O_RDONLY, O_WRONLY, O_RDWR};
	static const int ignored[] = {0, 0, O_TRUNC, O_APPEND};
	struct pair *file = any_file(w);
	unsigned int name = any_name(w);
	int flags = walk_pick(w->walk, access, 3) | O_NONBLOCK;
	int extra = walk_pick(w->walk, ignored, 4);
	struct result native, mount;
	char path[160];

	if (walk_once_in(w->walk, 2))
		flags |= O_CREAT | (walk_once_in(w->walk, 4) ? O_EXCL : 0);
	close_pair(file);
	if ((flags & (O_ACCMODE | O_CREAT)) == O_WRONLY)
		file->priority = walk_random(w->walk, 10);
	snprintf(path, sizeof(path), file->priority ? "%s:%u" : "%s", w->mount[name],
		 file->priority);
	walk_step(w->walk, "open file %ld on %u flags %#o and %#o priority %u", file - w->files,
		  name, flags, extra, file->priority);
	native = result_of(mq_open(w->queue[name], flags, 0640, NULL));
	mount = result_of(open(path, flags | extra, 0640));
	file->flags = flags;
	file->native = (int)native.value;
	file->mount = (int)mount.value;
	native.value = native.value < 0 ? -1 : 0;
	mount.value = mount.value < 0 ? -1 : 0;
	walk_compare(w->walk, native, mount);
}

static void do_write(struct queue_walk *w)
{
	struct pair *file = any_file(w);
	unsigned int size = 1 + walk_random(w->walk, walk_once_in(w->walk, 8) ? BUF : MESSAGE);

	walk_step(w->walk, "write file %ld size %u", file - w->files, size);
	walk_bytes(w->walk, w->data, size);
	struct result native =
		result_of(mq_send(file->native, (char *)w->data, size, file->priority));
	if (native.value == 0)
		native.value = (long)size;
	walk_compare(w->walk, native, result_of(write(file->mount, w->data, size)));
}

/* Reads the native queue and keeps what did not fit, as the mount does. */
static long native_read(struct pair *file, void *buf, unsigned int size)
{
	if (file->rest_start == file->rest_end) {
		long n = mq_receive(file->native, (char *)file->rest, MESSAGE, NULL);

		if (n < 0)
			return -1;
		file->rest_start = 0;
		file->rest_end = (unsigned int)n;
	}
	if (size > file->rest_end - file->rest_start)
		size = file->rest_end - file->rest_start;
	memcpy(buf, file->rest + file->rest_start, size);
	file->rest_start += size;
	return (long)size;
}

static void do_read(struct queue_walk *w)
{
	struct pair *file = any_file(w);
	unsigned int size = 1 + walk_random(w->walk, walk_once_in(w->walk, 2) ? BUF : MESSAGE / 2);
	struct result native, mount;

	size = size > BUF ? BUF : size;
	walk_step(w->walk, "read file %ld size %u", file - w->files, size);
	native = result_of(native_read(file, w->data, size));
	mount = result_of(read(file->mount, w->other, size));
	walk_compare(w->walk, native, mount);
	if (native.value > 0 && memcmp(w->data, w->other, (size_t)native.value))
		walk_fail(w->walk, "the bytes differ");
}

/* Receives a message from both queues, or sends one to both, by native calls alone. */
static void do_native(struct queue_walk *w)
{
	unsigned int name = any_name(w);
	unsigned int priority = walk_random(w->walk, 3);
	char mount_queue[32];
	mqd_t native, mount;

	walk_step(w->walk, "native send or receive on %u", name);
	snprintf(mount_queue, sizeof(mount_queue), "/mount-%u", name);
	native = mq_open(w->queue[name], O_RDWR | O_NONBLOCK);
	mount = mq_open(mount_queue, O_RDWR | O_NONBLOCK);
	if (walk_once_in(w->walk, 2))
		walk_compare(w->walk, result_of(mq_send(native, "native", 6, priority)),
			     result_of(mq_send(mount, "native", 6, priority)));
	else
		walk_compare(w->walk, result_of(mq_receive(native, (char *)w->data, MESSAGE, NULL)),
			     result_of(mq_receive(mount, (char *)w->other, MESSAGE, NULL)));
	mq_close(native);
	mq_close(mount);
}

/* Empties the queue of a descriptor, whatever access the descriptor was opened for. */
static long native_empty(int fd)
{
	char path[64], buf[MESSAGE];
	int queue;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	queue = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (queue < 0)
		return -1;
	while (mq_receive(queue, buf, sizeof(buf), NULL) >= 0)
		;
	close(queue);
	return 0;
}

static long native_truncate(const char *path, long size)
{
	int fd;

	if (size < 0) {
		errno = EINVAL;
		return -1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (size == 0)
		native_empty(fd);
	close(fd);
	errno = EINVAL;
	return size ? -1 : 0;
}

static long native_ftruncate(const struct pair *file, long size)
{
	if (file->native >= 0 && size == 0 && (file->flags & O_ACCMODE) != O_RDONLY)
		return native_empty(file->native);
	/* The kernel checks the size before the descriptor. */
	errno = file->native < 0 && size >= 0 ? EBADF : EINVAL;
	return -1;
}

static void do_truncate(struct queue_walk *w)
{
	static const int sizes[] = {0, 0, 0, 1, 4096, -1};
	struct pair *file = any_file(w);
	unsigned int name = any_name(w);
	long size = walk_pick(w->walk, sizes, 6);

	if (walk_once_in(w->walk, 2)) {
		walk_step(w->walk, "ftruncate file %ld to %ld", file - w->files, size);
		walk_compare(w->walk, result_of(native_ftruncate(file, size)),
			     result_of(ftruncate(file->mount, size)));
	} else {
		walk_step(w->walk, "truncate %u to %ld", name, size);
		walk_compare(w->walk, result_of(native_truncate(w->native[name], size)),
			     result_of(truncate(w->mount[name], size)));
	}
}

static void do_poll(struct queue_walk *w)
{
	static const short events[] = {
		[O_RDONLY] = POLLIN, [O_WRONLY] = POLLOUT, [O_RDWR] = POLLIN | POLLOUT};
	struct pair *file = any_file(w);
	struct pollfd native = {.fd = file->native, .events = events[file->flags & O_ACCMODE]};
	struct pollfd mount = {.fd = file->mount, .events = native.events};

	walk_step(w->walk, "poll file %ld", file - w->files);
	poll(&native, 1, 0);
	poll(&mount, 1, 0);
	if (file->rest_start < file->rest_end)
		native.revents |= POLLIN;
	if (native.revents != mount.revents)
		walk_fail(w->walk, "events %#x, %#x", native.revents, mount.revents);
}

static bool has_equal_modes(void *arg)
{
	const struct pair *file = arg;
	struct stat native, mount;

	return fstat(file->native, &native) < 0 || fstat(file->mount, &mount) < 0 ||
	       native.st_mode == mount.st_mode;
}

static void do_stat(struct queue_walk *w)
{
	struct pair *file = any_file(w);
	unsigned int name = any_name(w);
	struct stat native = {0}, mount = {0};

	if (walk_once_in(w->walk, 2)) {
		walk_step(w->walk, "fstat file %ld", file - w->files);
		/*
		 * For a jiffy, fstat(2) may show old attributes of an open file, which saves a
		 * request.
		 */
		wait_until(has_equal_modes, file, 50);
		walk_compare(w->walk, result_of(fstat(file->native, &native)),
			     result_of(fstat(file->mount, &mount)));
	} else {
		walk_step(w->walk, "stat %u", name);
		walk_compare(w->walk, result_of(stat(w->native[name], &native)),
			     result_of(stat(w->mount[name], &mount)));
	}
	if (native.st_mode != mount.st_mode || native.st_uid != mount.st_uid ||
	    native.st_gid != mount.st_gid)
		walk_fail(w->walk, "mode %#o, %#o", native.st_mode, mount.st_mode);
}

static void do_chmod(struct queue_walk *w)
{
	static const int modes[] = {0600, 0644, 0000, 0222};
	unsigned int name = any_name(w);
	mode_t mode = (mode_t)walk_pick(w->walk, modes, 4);

	walk_step(w->walk, "chmod %u to %#o", name, mode);
	walk_compare(w->walk, result_of(chmod(w->native[name], mode)),
		     result_of(chmod(w->mount[name], mode)));
}

static void do_unlink(struct queue_walk *w)
{
	unsigned int name = any_name(w);

	walk_step(w->walk, "unlink %u", name);
	walk_compare(w->walk, result_of(unlink(w->native[name])),
		     result_of(unlink(w->mount[name])));
}

static void do_rename(struct queue_walk *w)
{
	unsigned int from = any_name(w);

	walk_step(w->walk, "rename %u", from);
	walk_compare(w->walk, result_of(rename(w->native[from], w->native[1 - from])),
		     result_of(rename(w->mount[from], w->mount[1 - from])));
}

static void do_lseek(struct queue_walk *w)
{
	struct pair *file = any_file(w);
	struct result expected = {-1, file->mount < 0 ? EBADF : ESPIPE};

	walk_step(w->walk, "lseek file %ld", file - w->files);
	walk_compare(w->walk, expected, result_of(lseek(file->mount, 0, SEEK_CUR)));
}

static void (*const operations[])(struct queue_walk *) = {
	do_open, do_open,   do_open,     do_write, do_write,  do_write, do_write, do_write,
	do_read, do_read,   do_read,     do_read,  do_native, do_poll,  do_poll,  do_poll,
	do_stat, do_rename, do_truncate, do_chmod, do_unlink, do_lseek,
};

static void small_queues(void)
{
	char command[200];

	snprintf(command, sizeof(command),
		 "cd /proc/sys/fs/mqueue; echo %d > msg_default; "
		 "echo %d > msgsize_default",
		 N_MESSAGES, MESSAGE);
	ck_assert_int_eq(system(command), 0);
}

void random_queues(struct walk *walk)
{
	struct queue_walk *w = calloc(1, sizeof(*w));

	ck_assert_ptr_nonnull(w);
	w->walk = walk;
	umask(022);
	small_queues();
	must(mkdir(scratch_path("mqueue"), 0755));
	must(mount("mqueue", scratch_path("mqueue"), "mqueue", 0, NULL));
	for (unsigned int i = 0; i < N_NAMES; i++) {
		snprintf(w->queue[i], sizeof(w->queue[i]), "/native-%u", i);
		snprintf(w->native[i], sizeof(w->native[i]), "%s%s", scratch_path("mqueue"),
			 w->queue[i]);
		snprintf(w->mount[i], sizeof(w->mount[i]), "%s/queues/mount-%u", ipc.dir, i);
	}
	for (int i = 0; i < N_FILES; i++)
		w->files[i] = (struct pair){.native = -1, .mount = -1};
	while (walk->step < N_STEPS)
		operations[walk_random(walk, sizeof(operations) / sizeof(operations[0]))](w);
	for (int i = 0; i < N_FILES; i++)
		close_pair(&w->files[i]);
	free(w);
}
