// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands that no request waits for: those of the configuration file, and the last line that was
 * written to ctl before it was closed.
 */
#include "lib/tree/command.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/host/job.h"

struct alone {
	struct waiter waiter;
	struct command *command;
	command_done_fn *done;
	void *data;
};

static void alone_resume(struct waiter *waiter)
{
	struct alone *alone = CONTAINER_OF(waiter, struct alone, waiter);
	int r = command_run(alone->command, waiter);

	if (r == -EINPROGRESS)
		return;
	alone->done(alone->data, r, command_error(alone->command));
	waiter_fini(waiter);
	command_free(alone->command);
	free(alone);
}

int command_run_alone(struct command *command, command_done_fn *done, void *data)
{
	struct alone *alone = calloc(1, sizeof(*alone));

	if (!alone) {
		command_free(command);
		return -ENOMEM;
	}
	*alone = (struct alone){{.resume = alone_resume}, command, done, data};
	alone_resume(&alone->waiter);
	return 0;
}
