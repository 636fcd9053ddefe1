// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/commands.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/objects.h"

enum { DEADLINE = 30 };

char command_error[COMMAND_ERROR_MAX];
static struct space *spaces[SHM + 2];

void commands_open(void)
{
	spaces[PIPES] = fixture_open(&pipe_kind);
	spaces[QUEUES] = fixture_open(&queue_kind);
	spaces[SHM] = fixture_open(&shm_kind);
	host.spaces = spaces;
}

struct attempt {
	struct host_waiter waiter;
	struct caller *caller;
	enum command_mode mode;
	const char *line;
	int result;
};

/* The result of what had to wait is there only while the waiter runs. */
static void try_command(struct host_waiter *waiter)
{
	struct attempt *attempt = CONTAINER_OF(waiter, struct attempt, waiter);

	memset(command_error, 0, sizeof(command_error));
	attempt->result = command_run(&host, attempt->line, strlen(attempt->line), attempt->mode,
				      attempt->caller, command_error);
	if (attempt->result == -EAGAIN)
		host_wait(&host, waiter);
	else
		loop_stop(loop);
}

static void deadline_dispatch(struct loop_source *source, uint32_t events)
{
	ck_abort_msg("a command waits for %d seconds", DEADLINE);
}

static void wait_for(struct attempt *attempt)
{
	const struct itimerspec deadline = {.it_value.tv_sec = DEADLINE};
	struct loop_source timer = {.dispatch = deadline_dispatch};

	timer.fd = (int)must_call(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	must_call(timerfd_settime(timer.fd, 0, &deadline, NULL));
	must(loop_add(loop, &timer, EPOLLIN));
	while (attempt->result == -EAGAIN)
		must(loop_run(loop));
	loop_remove(loop, &timer);
	close(timer.fd);
}

int command_as(struct caller *caller, enum command_mode mode, const char *line)
{
	struct attempt attempt = {{.run = try_command}, caller, mode, line, 0};

	try_command(&attempt.waiter);
	if (attempt.result == -EAGAIN)
		wait_for(&attempt);
	return attempt.result;
}

int command(const char *line)
{
	return command_as(&root, COMMAND_STRICT, line);
}

struct stat command_stat(int space, const char *name)
{
	struct channel *channel = object_find(spaces[space], name);
	struct stat attr = object_stat(channel);

	channel_unref(channel);
	return attr;
}
