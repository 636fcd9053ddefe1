// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each line becomes a command of its own. A command that waits is resumed through the waiter of
 * `waiting`.
 */
#include "tests/unit/commands.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/info/info_row.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

char command_fault[COMMAND_ERROR_MAX];
char command_told[4096];
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
	snprintf(command_told, sizeof(command_told), "%s",
		 r == 0 && command_report(command) ? command_report(command) : "");
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

void command_expect_refused(int r, int expected, const char *text)
{
	ck_assert_msg(r == -expected, "%s: '%s'", error_name(r), command_fault);
	ck_assert_str_eq(command_fault, text);
}

void command_expect_status(int space, const char *name, const char *key, const char *value)
{
	struct channel *channel = object_find(spaces[space], name);
	const struct row_value *found;
	CLEANUP_FREE char *text = NULL;
	struct row row = {0};

	channel_status(channel, &root, &row);
	channel_unref(channel);
	must(row.error);
	found = row_find(&row, key);
	ck_assert_msg(found, "no %s", key);
	text = info_value_text(found);
	ck_assert_str_eq(text, value);
	row_fini(&row);
}
