/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * There is no mount, so host.nodes.open is replaced. Its replacement opens a path on tmpfs that
 * contains the FIFO's number.
 */
#include "tests/unit/fifos.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

enum { OPEN_WAIT_MS = 5000 };

const char *fifo_path(uint64_t node)
{
	static char path[40];

	snprintf(path, sizeof(path), "/dev/shm/fifo-%lu", (unsigned long)node);
	return path;
}

/* For host.nodes.open. Runs on a thread, and so can't use the buffer of fifo_path(). */
static int open_node(int dir_fd, uint64_t node, int flags)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/dev/shm/fifo-%lu", (unsigned long)node);
	fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}

void fifos_serve(void)
{
	host.pipes.by_daemon = false;
	host.is_serving = true;
	host.nodes.open = open_node;
}

void fifos_make_nodes(void)
{
	must_call(mkfifo(fifo_path(FIFO_NODE), 0666));
	must_call(mkfifo(fifo_path(FIFO_OTHER), 0666));
}

struct space *fifos_open(void)
{
	fifos_serve();
	fifos_make_nodes();
	return fixture_open(&pipe_kind);
}

struct showing {
	struct channel *channel;
	struct caller *caller;
	uint64_t node;
};

static int show(void *data)
{
	const struct showing *showing = data;

	return channel_show(showing->channel, showing->node, showing->caller);
}

int fifo_look_up(struct channel *channel, uint64_t node)
{
	struct showing showing = {channel, &root, node};

	return loop_wait_for(&root, show, &showing);
}

const char *fifo_status(struct channel *channel, const char *key)
{
	static char value[64];
	const char *found = strstr(object_status(channel, &root), key);

	ck_assert_msg(found, "no %s", key);
	ck_assert_int_eq(sscanf(found + strlen(key), " %63s", value), 1);
	return value;
}

void fifo_await_held(struct channel *channel, const char *word)
{
	for (int i = 0; i < OPEN_WAIT_MS && strcmp(fifo_status(channel, "held"), word) != 0; i++) {
		usleep(1000);
		loop_settle();
	}
	ck_assert_str_eq(fifo_status(channel, "held"), word);
}

/*
 * Opens the FIFO for writing. On a busy machine the lookup may end before the daemon holds the
 * FIFO, and until it does, the open fails with ENXIO.
 */
static int open_to_write(uint64_t node)
{
	int fd = -1;

	for (int i = 0; i < OPEN_WAIT_MS && fd < 0; i++) {
		fd = open(fifo_path(node), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0 || errno != ENXIO)
			break;
		usleep(1000);
		loop_settle();
	}
	return must_call(fd);
}

void fifo_put(uint64_t node, const char *text)
{
	int fd = open_to_write(node);

	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

void fifo_expect(uint64_t node, const char *text)
{
	int fd = must_call(open(fifo_path(node), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	char data[64] = "";

	ck_assert_int_eq(read(fd, data, sizeof(data) - 1), (ssize_t)strlen(text));
	ck_assert_str_eq(data, text);
	close(fd);
}

size_t fifos_held_descriptors(void)
{
	return user_charged(&host.users, 0, USER_DESCRIPTORS);
}

void fifo_await_gone(struct channel *channel, size_t n_others)
{
	fifo_await_held(channel, "no");
	fifos_await_charged(n_others);
}

void fifos_await_charged(size_t n_others)
{
	for (int i = 0; i < OPEN_WAIT_MS && fifos_held_descriptors() > 2 * n_others; i++) {
		usleep(1000);
		loop_settle();
	}
	ck_assert_uint_eq(fifos_held_descriptors(), 2 * n_others);
}
