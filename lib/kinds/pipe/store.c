// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/kinds/pipe/store.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

#define CAPACITY_DEFAULT ((size_t)1 << 20)
#define CAPACITY_FIRST   ((size_t)65536) /* as pipe(2) gives it */
#define CAPACITY_LEAST   ((size_t)8192)  /* PIPE_MIN_DEF_BUFFERS, linux/fs/pipe.c */
#define PEEK_BYTES       ((size_t)65536)

void store_init(struct store *store, struct user_table *users, uid_t uid)
{
	*store = (struct store){
		.users = users,
		.uid = uid,
		.capacity = CAPACITY_DEFAULT,
		.read_fd = -1,
		.write_fd = -1,
	};
}

void store_empty(struct store *store)
{
	if (store->read_fd < 0)
		return;
	close(store->read_fd);
	close(store->write_fd);
	user_uncharge(store->users, store->uid, USER_DESCRIPTORS, 2);
	store->read_fd = store->write_fd = -1;
	store->bytes = 0;
	user_uncharge(store->users, store->uid, USER_STORED, store->charged);
	store->charged = 0;
}

/* Changes the size of the kernel pipe, and what is charged for it. */
static int store_resize(struct store *store, size_t capacity)
{
	size_t before = store->charged;
	size_t more = capacity > before ? capacity - before : 0;
	int r = user_charge(store->users, store->uid, USER_STORED, more);

	if (r < 0)
		return r;
	if (fcntl(store->write_fd, F_SETPIPE_SZ, (int)capacity) < 0) {
		r = -errno;
		user_uncharge(store->users, store->uid, USER_STORED, more);
		return r;
	}
	if (capacity < before)
		user_uncharge(store->users, store->uid, USER_STORED, before - capacity);
	store->charged = capacity;
	return 0;
}

static int open_pipe(int *ret_read_fd, int *ret_write_fd)
{
	int fds[2];

	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
		return errno == EMFILE ? -ENFILE : -errno;
	*ret_read_fd = fds[0];
	*ret_write_fd = fds[1];
	return 0;
}

static int store_open(struct store *store)
{
	int r = user_charge(store->users, store->uid, USER_DESCRIPTORS, 2);

	if (r < 0)
		return r;
	r = open_pipe(&store->read_fd, &store->write_fd);
	if (r < 0)
		user_uncharge(store->users, store->uid, USER_DESCRIPTORS, 2);
	return r;
}

/* Makes sure that there is a kernel pipe. */
static int store_fill(struct store *store)
{
	size_t first = store->capacity < CAPACITY_FIRST ? store->capacity : CAPACITY_FIRST;
	int r = store->read_fd >= 0 ? 0 : store_open(store);

	if (r == 0 && !store->charged && store_resize(store, first) < 0)
		fcntl(store->write_fd, F_SETPIPE_SZ, (int)CAPACITY_LEAST);
	return r;
}

/* The size to grow to. */
static size_t store_next(const struct store *store)
{
	size_t next = 4 * store->charged;

	return next < store->capacity ? next : store->capacity;
}

static bool store_may_grow(const struct store *store)
{
	size_t next = store_next(store);

	return store->charged && next > store->charged &&
	       user_has_room(store->users, store->uid, USER_STORED, next - store->charged);
}

/* Makes a full one larger, as far as it may be: true if it was. */
static bool store_grow(struct store *store)
{
	size_t next = store_next(store);

	return next > store->charged && store_resize(store, next) == 0;
}

ssize_t store_put(struct store *store, const char *data, size_t size)
{
	int r = store_fill(store);
	size_t done = 0;

	while (r == 0 && done < size) {
		ssize_t n = write(store->write_fd, data + done, size - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EAGAIN)
			r = -errno;
		else if (!store_grow(store))
			r = -EAGAIN;
	}
	store->bytes += done;
	return done ? (ssize_t)done : r;
}

ssize_t store_take(struct store *store, char *data, size_t size)
{
	ssize_t n = read(store->read_fd, data, size);

	if (n < 0) {
		int error = errno;

		if (error == EAGAIN)
			store->bytes = 0; /* taken by way of /proc/PID/fd */
		return -error;
	}
	store->bytes -= (size_t)n < store->bytes ? (size_t)n : store->bytes;
	return n;
}

bool store_has_room(const struct store *store)
{
	struct pollfd room = {.fd = store->write_fd, .events = POLLOUT};

	if (store->bytes == 0 || store_may_grow(store))
		return true;
	return poll(&room, 1, 0) == 1;
}

int store_shrink(struct store *store, size_t capacity)
{
	return store->charged > capacity ? store_resize(store, capacity) : 0;
}

int store_check(size_t capacity, struct caller *caller)
{
	unsigned long most = CAPACITY_DEFAULT;
	CLEANUP_FD int read_fd = -1;
	CLEANUP_FD int write_fd = -1;
	FILE *file;
	int r;

	if (caller_has(caller, CAP_SYS_RESOURCE)) {
		r = open_pipe(&read_fd, &write_fd);
		if (r == 0 && fcntl(write_fd, F_SETPIPE_SZ, (int)capacity) < 0)
			r = -errno;
		return r;
	}
	file = fopen("/proc/sys/fs/pipe-max-size", "re");
	if (file && fscanf(file, "%lu", &most) != 1)
		most = CAPACITY_DEFAULT;
	if (file)
		fclose(file);
	return capacity <= most ? 0 : -EPERM;
}

int store_peek(const struct store *store, FILE *out)
{
	CLEANUP_FD int read_fd = -1;
	CLEANUP_FD int write_fd = -1;
	char data[PEEK_BYTES];
	ssize_t n;
	int r;

	if (store->bytes == 0)
		return 0;
	r = open_pipe(&read_fd, &write_fd);
	if (r < 0)
		return r;
	fcntl(write_fd, F_SETPIPE_SZ, fcntl(store->read_fd, F_GETPIPE_SZ));
	if (tee(store->read_fd, write_fd, store->bytes, SPLICE_F_NONBLOCK) < 0)
		return -errno;
	while ((n = read(read_fd, data, sizeof(data))) > 0)
		fwrite(data, 1, (size_t)n, out);
	return 0;
}
