// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/commands.h"

#include <stdio.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

char command_fault[COMMAND_ERROR_MAX];
/* Only for its waiter. */
static struct caller waiting;
static struct space *spaces[SHM + 2];

void commands_open(void)
{
	spaces[PIPES] = fixture_open(&pipe_kind);
	spaces[QUEUES] = fixture_open(&queue_kind);
	spaces[SHM] = fixture_open(&shm_kind);
	host.spaces = spaces;
}

static int try_command(void *command_)
{
	return command_run(command_, waiting.waiter);
}

static int run(struct caller *caller, enum command_mode mode, const char *line, size_t length)
{
	struct command *command;
	int r;

	must(command_new(&host, line, length, mode, caller, &command));
	r = loop_wait_for(&waiting, try_command, command);
	snprintf(command_fault, sizeof(command_fault), "%s", command_error(command));
	command_free(command);
	return r;
}

int command_as(struct caller *caller, enum command_mode mode, const char *line)
{
	return run(caller, mode, line, strlen(line));
}

int command_of(const char *line, size_t length)
{
	return run(&root, COMMAND_STRICT, line, length);
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
