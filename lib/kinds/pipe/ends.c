// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * System calls that may wait for the lock of a pipe. They run on threads, outside the loop, and
 * touch only the struct that they are given.
 */
#include "lib/kinds/pipe/ends.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

/*
 * The mask of a watch that reports nothing. Such a watch reserves one that can report reads later.
 */
#define WATCH_NOTHING IN_DELETE_SELF

#define PATH_SIZE 40

#define SIZE_NATIVE 65536 /* capacity that pipe(2) gives, bytes */
#define SIZE_UNUSED 4096  /* capacity of an unused pipe that is let go */

static const char *fd_path(int fd, char path[static PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "/proc/self/fd/%d", fd);
	return path;
}

static int reopen(int fd, int flags)
{
	char path[PATH_SIZE];
	int r = open(fd_path(fd, path), flags | O_NONBLOCK | O_CLOEXEC);

	return r < 0 ? -errno : r;
}

static int watch(int inotify_fd, int fd, uint32_t events)
{
	char path[PATH_SIZE];
	int r = inotify_add_watch(inotify_fd, fd_path(fd, path), events);

	return r < 0 ? -errno : r;
}

static void note(struct ends *ends, int *descriptor, int result)
{
	*descriptor = result < 0 ? -1 : result;
	if (result < 0)
		ends->error = result;
}

uint32_t ends_look(int fd)
{
	struct pollfd look = {.fd = fd, .events = POLLIN | POLLOUT};

	return poll(&look, 1, 0) == 1 ? (uint32_t)look.revents : 0;
}

/*
 * Opens the node so that the kernel charges ENDS_PAYER. The raw system call changes this thread
 * alone; the library's setresuid() would change all threads.
 */
static int open_paid(const struct host_nodes *nodes, uint64_t node, int flags)
{
	bool is_paid = geteuid() == 0 && syscall(SYS_setresuid, ENDS_PAYER, -1, -1) == 0;
	int fd = nodes->open(nodes->dir_fd, node, flags);

	if (is_paid)
		syscall(SYS_setresuid, geteuid(), -1, -1);
	return fd;
}

/*
 * Sets the capacity of a new pipe, and returns the capacity that the pipe then has. A pipe with
 * bytes in it, or whose capacity someone has changed, keeps its capacity.
 */
static int size_new(int fd, int size)
{
	int n_bytes = 0, now = fcntl(fd, F_GETPIPE_SZ);

	if ((now == SIZE_NATIVE || now == SIZE_UNUSED) && ioctl(fd, FIONREAD, &n_bytes) == 0 &&
	    n_bytes == 0)
		fcntl(fd, F_SETPIPE_SZ, size);
	return fcntl(fd, F_GETPIPE_SZ);
}

static int open_all(struct ends_opening *opening)
{
	const struct host_nodes *nodes = &opening->nodes;

	opening->read_fd = open_paid(nodes, opening->node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (opening->read_fd < 0)
		return opening->read_fd;
	/*
	 * Another lookup may have added this watch already, and it may report reads by now.
	 * IN_MASK_ADD keeps that.
	 */
	opening->watch = watch(opening->inotify_fd, opening->read_fd, WATCH_NOTHING | IN_MASK_ADD);
	if (opening->watch < 0)
		return opening->watch;
	opening->size = size_new(opening->read_fd, opening->size);
	if (!opening->has_end)
		opening->write_fd = reopen(opening->read_fd, O_WRONLY);
	return opening->has_end || opening->write_fd >= 0 ? 0 : opening->write_fd;
}

int ends_open(void *data)
{
	struct ends_opening *opening = data;
	int r = open_all(opening);

	/*
	 * A watch that stayed would pin the inode, and with it all that the daemon has of the FIFO.
	 */
	if (r < 0 && opening->watch >= 0)
		inotify_rm_watch(opening->inotify_fd, opening->watch);
	if (r < 0 && opening->read_fd >= 0)
		close(TAKE_FD(opening->read_fd));
	return r == -EMFILE || r == -ENOSPC ? -ENFILE : r;
}

int ends_pause(void *node)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	nanosleep(&pause, NULL);
	return 0;
}

/*
 * Opens or closes the write end. It is needed while something is in the pipe and nobody else
 * writes: the next reader then need not wait in open(2). It is closed as soon as the pipe is empty,
 * because readers are then at end-of-file. Only inotify reports the read that empties the pipe. So
 * the watch is set before the write end is opened, and the pipe is checked once more after that: a
 * reader may have emptied it before the watch was set.
 */
static void settle(struct ends *ends)
{
	uint32_t events = ends_look(ends->read_fd);

	if (ends->write_fd >= 0 && (ends->task == ENDS_TRY || !(events & EPOLLIN))) {
		close(TAKE_FD(ends->write_fd));
		events = ends_look(ends->read_fd);
	}
	if (ends->write_fd < 0 && (events & EPOLLIN) && (ends->is_new || (events & EPOLLHUP))) {
		note(ends, &ends->watch, watch(ends->inotify_fd, ends->read_fd, IN_ACCESS));
		note(ends, &ends->write_fd, reopen(ends->read_fd, O_WRONLY));
		ends->is_new = false;
		if (ends->write_fd >= 0 && !(ends_look(ends->read_fd) & EPOLLIN))
			close(TAKE_FD(ends->write_fd));
	}
	if (ends->write_fd < 0)
		note(ends, &ends->watch, watch(ends->inotify_fd, ends->read_fd, WATCH_NOTHING));
}

/*
 * Finds out whether the pipe is empty and nobody writes: then tee(2) returns 0. It takes nothing
 * from the pipe. Bytes that are written between this check and the close are lost, just as natively
 * when the last reader leaves. That happens only to a writer that looked the name up long before it
 * opened the FIFO.
 */
static void ask(struct ends *ends)
{
	int fds[2];

	ends->is_left = false;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		ends->error = -errno;
		return;
	}
	ends->is_left = tee(ends->read_fd, fds[1], 1, SPLICE_F_NONBLOCK) == 0;
	close(fds[0]);
	close(fds[1]);
}

/*
 * Shrinks the pipe, so that processes that still have it open can't fill it with more than a FIFO
 * elsewhere would take. A pipe with more bytes in it than the new capacity stays as it is.
 */
static void shrink(const struct ends *ends)
{
	int size = ends->is_used ? SIZE_NATIVE : SIZE_UNUSED;

	if (fcntl(ends->read_fd, F_GETPIPE_SZ) > size)
		fcntl(ends->read_fd, F_SETPIPE_SZ, size);
}

static void close_all(struct ends *ends)
{
	shrink(ends);
	if (ends->watch >= 0)
		inotify_rm_watch(ends->inotify_fd, ends->watch);
	ends->watch = -1;
	if (ends->write_fd >= 0)
		close(TAKE_FD(ends->write_fd));
	close(TAKE_FD(ends->read_fd));
}

void ends_act(struct ends *ends)
{
	ends->error = 0;
	switch (ends->task) {
	case ENDS_SETTLE:
	case ENDS_TRY:
		if (ends->size)
			fcntl(ends->read_fd, F_SETPIPE_SZ, ends->size);
		ends->size = 0;
		if (ends->has_end)
			settle(ends);
		else if (ends->write_fd < 0)
			note(ends, &ends->write_fd, reopen(ends->read_fd, O_WRONLY));
		break;
	case ENDS_ASK:
		ask(ends);
		break;
	case ENDS_CLOSE:
		close_all(ends);
		break;
	}
}

int ends_dup(const struct ends_pin *end)
{
	CLEANUP_FD int fd = fcntl(end->fd, F_DUPFD_CLOEXEC, 0);
	struct stat attr;

	if (fd < 0)
		return errno == EBADF ? -ESTALE : -errno;
	if (fstat(fd, &attr) < 0 || attr.st_dev != end->dev || attr.st_ino != end->ino ||
	    !S_ISFIFO(attr.st_mode))
		return -ESTALE;
	return TAKE_FD(fd);
}

int ends_measure(void *data)
{
	struct ends_job *job = data;
	CLEANUP_FD int fd = ends_dup(&job->read_end);

	if (fd < 0)
		return fd;
	job->capacity = fcntl(fd, F_GETPIPE_SZ);
	return ioctl(fd, FIONREAD, &job->n_bytes) < 0 ? -errno : 0;
}

int ends_resize(void *data)
{
	struct ends_job *job = data;
	CLEANUP_FD int fd = ends_dup(&job->read_end);

	if (fd < 0)
		return fd;
	job->capacity = fcntl(fd, F_SETPIPE_SZ, job->size);
	return job->capacity < 0 ? -errno : 0;
}

/*
 * Takes only as many bytes as are in the pipe at the start: a writer may be faster than this loop.
 */
int ends_empty(void *data)
{
	struct ends_job *job = data;
	CLEANUP_FD int fd = ends_dup(&job->read_end);
	CLEANUP_FD int sink = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int left = 0;

	if (fd < 0 || sink < 0)
		return fd < 0 ? fd : -ENFILE;
	if (ioctl(fd, FIONREAD, &left) < 0)
		return -errno;
	while (left > 0) {
		ssize_t n = splice(fd, NULL, sink, NULL, (size_t)left, SPLICE_F_NONBLOCK);

		if (n <= 0)
			return n < 0 && errno != EAGAIN ? -errno : 0;
		left -= (int)n;
	}
	return 0;
}

static int read_all(int fd, struct ends_job *job)
{
	size_t size = (size_t)job->n_bytes, done = 0;
	ssize_t n;

	job->bytes = malloc(size ? size : 1);
	if (!job->bytes)
		return -ENOMEM;
	while (done < size && (n = read(fd, job->bytes + done, size - done)) > 0)
		done += (size_t)n;
	job->n_bytes = (int)done;
	return 0;
}

int ends_peek(void *data)
{
	struct ends_job *job = data;
	CLEANUP_FD int fd = ends_dup(&job->read_end);
	CLEANUP_FD int read_fd = -1;
	CLEANUP_FD int write_fd = -1;
	int fds[2];

	if (fd < 0)
		return fd;
	if (ioctl(fd, FIONREAD, &job->n_bytes) < 0)
		return -errno;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -ENFILE;
	read_fd = fds[0];
	write_fd = fds[1];
	fcntl(write_fd, F_SETPIPE_SZ, fcntl(fd, F_GETPIPE_SZ));
	if (job->n_bytes > 0 && tee(fd, write_fd, (size_t)job->n_bytes, SPLICE_F_NONBLOCK) < 0 &&
	    errno != EAGAIN)
		return -errno;
	return read_all(read_fd, job);
}

int ends_open_writing(void *data)
{
	struct ends_writing *writing = data;
	CLEANUP_FD int fd = ends_dup(&writing->read_end);

	if (fd < 0)
		return fd;
	writing->write_fd = reopen(fd, O_WRONLY);
	return writing->write_fd < 0 ? writing->write_fd : 0;
}
