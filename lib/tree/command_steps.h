/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The steps of a command. Private to lib/tree/command*.c.
 *
 * A step names the next step when it is done; a step that has to wait is called again. It returns
 * 0, or an error of command_run() that line_complain() has put in words.
 */
#ifndef IPCFS_COMMAND_STEPS_H
#define IPCFS_COMMAND_STEPS_H

#include "lib/channel/channel.h"
#include "lib/tree/command.h"
#include "lib/tree/line.h"

struct reap;

struct command {
	struct host *host;
	struct caller caller;
	enum command_mode mode;
	/*
	 * What the line still asks for: each setting or change is taken out of the line when it is
	 * done.
	 */
	struct line line;
	int (*step)(struct command *command); /* the next step; NULL: done */
	struct entry entry;                   /* the object, a reference */
	unsigned kept;               /* settings of the line that an existing object may not have */
	bool has_made;               /* the object is new: removed if the command fails */
	uint64_t *noted;             /* has_made of command_note(), borrowed; or NULL */
	bool is_again;               /* the former daemon may have begun it */
	int failed;                  /* why the object is removed */
	struct reap *reap;           /* of the verb reap, owned; NULL: it has not begun */
	struct sightings *sightings; /* of a repeated line, borrowed; else NULL */
};

/* Puts the error of the underlying call in words, and returns it. */
int command_fail(struct command *command, const char *verb, int error);

/* Cuts a number off the name: the object's name is what stands before ":N". */
void command_cut(struct command *command, const struct selector *selector);

/* Looks the object of the line up. */
int command_find(struct command *command);

/* The first steps of verbs. */
int command_step_create(struct command *command);
int command_step_set(struct command *command);
int command_step_reap(struct command *command);

/* Frees what command_step_reap() has made. NULL: does nothing. */
void command_reap_free(struct reap *reap);
/* Returns what it has done or found, with names quoted. NULL: nothing yet. */
const char *command_reap_report(const struct reap *reap);

#endif
