/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few things that every test does with a channel. Each call opens the channel by its name, as a
 * shell does, and all but channel_open() close it again. Descriptors are close-on-exec.
 */
#include "tests/mount/channels.h"

#include "tests/mount/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

const char *const channel_names[N_CHANNELS] = {"pipes/p", "queues/q", "sysv/queues/0x000004d2"};

void channel_make(const char *name)
{
	int flags = O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC;
	int fd = (int)must(open(ipc_path(name), flags, 0666));

	must(close(fd));
}

int channel_open(const char *name, int flags)
{
	return (int)must(open(ipc_path(name), flags | O_CLOEXEC));
}

void channel_put(const char *name, const void *data, size_t size)
{
	int fd = channel_open(name, O_WRONLY);

	ck_assert_int_eq(must(write(fd, data, size)), size);
	must(close(fd));
}

ssize_t channel_take(const char *name, void *buf, size_t size)
{
	int fd = channel_open(name, O_RDONLY | O_NONBLOCK);
	ssize_t n = read(fd, buf, size);
	int error = errno;

	must(close(fd));
	errno = error;
	return n;
}

size_t channel_fill(const char *name)
{
	static const char block[4096];
	int fd = channel_open(name, O_WRONLY | O_NONBLOCK);
	size_t size = 0;
	ssize_t n;

	while ((n = write(fd, block, sizeof(block))) > 0)
		size += (size_t)n;
	ck_assert_int_eq(n, -1);
	ck_assert_int_eq(errno, EAGAIN);
	must(close(fd));
	return size;
}

size_t channel_drain(const char *name)
{
	static char buf[1 << 20];
	int fd = channel_open(name, O_RDONLY | O_NONBLOCK);
	size_t size = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		size += (size_t)n;
	if (n < 0)
		ck_assert_int_eq(errno, EAGAIN);
	must(close(fd));
	return size;
}

bool channel_is_listed(const char *dir_name, const char *name)
{
	DIR *dir = opendir(ipc_path(dir_name));
	bool found = false;
	struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		found |= !strcmp(entry->d_name, name);
	closedir(dir);
	return found;
}
