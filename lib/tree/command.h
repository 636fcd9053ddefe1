/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grammar of /ipc/ctl and of the configuration file, one command a line:
 *
 *     create KIND/NAME [KEY=VALUE...]     # a comment
 *     set    KIND/NAME KEY=VALUE...
 *     remove KIND/NAME
 *
 * Keys are mode (octal), owner, group (a name or number) and the kind's own parameters. A command
 * does what its caller could do by other means, and nothing more.
 */
#ifndef IPCFS_COMMAND_H
#define IPCFS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/host/caller.h"

struct host;

/* The longest command, and the longest text of an error, bytes with the NUL. */
#define COMMAND_MAX       4096
#define COMMAND_ERROR_MAX 512

enum command_mode {
	COMMAND_STRICT, /* what is to be created must not exist: -EEXIST */
	COMMAND_KEEP,   /* if it exists it is kept, and adjusted as far as nothing is lost by it */
};

/*
 * Runs one line, which need not end with a newline or NUL. 0, also for an empty one; or -errno,
 * and *ret_error says which word was wrong and why. -EINVAL: the line itself is wrong.
 */
int command_run(struct host *host, const char *line, size_t length, enum command_mode mode,
		struct caller *caller, char ret_error[static COMMAND_ERROR_MAX]);

/* Prints the grammar, with the parameters of every kind. */
void command_help(FILE *out);

#endif
