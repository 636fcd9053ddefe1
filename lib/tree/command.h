/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grammar of /ipc/ctl and of the configuration file, one command a line:
 *
 *     create KIND/NAME [KEY=VALUE...]     # a comment
 *     set    KIND/NAME KEY=VALUE...
 *     remove KIND/NAME
 *     empty  KIND/NAME
 *     reap   KIND [idle=TIME] [owner=USER] [dry=yes] [every=TIME]
 *
 * Words may be quoted and contain escapes: lib/tree/words.h. Keys are mode (octal), owner, group (a
 * name or number) and the kind's own parameters. A command does what its caller could do by other
 * means, and nothing more.
 *
 * A line is parsed once and carried out in steps. A step that has to wait leaves the command where
 * it is, with all that is known so far: which accounts the names stand for, what has been made.
 */
#ifndef IPCFS_COMMAND_H
#define IPCFS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/host/caller.h"

struct command;
struct host;
struct sightings;

/* The longest command and the longest error text, bytes with the NUL. */
#define COMMAND_MAX       4096
#define COMMAND_ERROR_MAX 512

enum command_mode {
	COMMAND_STRICT, /* an object to create must not exist: -EEXIST */
	COMMAND_KEEP,   /* an existing object is kept, and adjusted where that loses nothing */
	COMMAND_AGAIN,  /* as COMMAND_KEEP, but the line is repeated already: every= is ignored */
};

/*
 * Makes a command of a line, which need not end with a newline or NUL. Copies the line and the
 * caller. Fails with -ENOMEM.
 */
int command_new(struct host *host, const char *line, size_t length, enum command_mode mode,
		struct caller *caller, struct command **ret_command);

/*
 * For a line that is repeated: `sightings`, which outlives the command, is what its last run found.
 */
void command_remember(struct command *command, struct sightings *sightings);

/*
 * For a line that is written to ctl: *has_made, which outlives this daemon and the command, is not
 * 0 while the object has been made but the command is not over (NULL: nobody needs to know). With
 * `is_again`, the former daemon may have begun the command, and *has_made is from there. Then an
 * object that was made becomes what the line says; otherwise, if the command finds that it may have
 * had its effect, it fails with -EINTR.
 */
void command_note(struct command *command, uint64_t *has_made, bool is_again);

/*
 * Does what is still to be done, for `waiter` (NULL: nothing waits). Returns 0, also for an empty
 * line. -EAGAIN and -EINPROGRESS are those of job_run(). After any other error, command_error()
 * says which word was wrong and why, and what the command had made is gone. -EINVAL means that the
 * line itself is wrong.
 */
int command_run(struct command *command, struct waiter *waiter);

/*
 * Says what was wrong. The text contains the user's words as they were given: quote it
 * (lib/base/quote.h) where it is shown.
 */
const char *command_error(const struct command *command);

/*
 * Returns what a command that succeeded has to tell: lines in which names are quoted, owned by the
 * command. NULL: nothing.
 */
const char *command_report(const struct command *command);

/* Frees a command. An unfinished command leaves nothing half made. NULL: does nothing. */
void command_free(struct command *command);

/* Called once, with the outcome of a command that command_run_alone() ran. */
typedef void command_done_fn(void *data, int result, const char *error);

/*
 * Lets a command that has to wait (-EAGAIN) run without a request, and takes ownership of the
 * command. done() is called once, also if the mount ends first (-ENOTCONN), and perhaps before this
 * returns. Fails with -ENOMEM; done() is not called then.
 */
int command_run_alone(struct command *command, command_done_fn *done, void *data);

/* Prints the grammar, with the parameters of every kind that this host may have. */
void command_help(const struct host *host, FILE *out);

#endif
