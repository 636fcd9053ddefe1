// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A command is a chain of steps (command_steps.h): its words, its keys, the step of its verb, and
 * the steps that follow from that.
 */
#include "lib/tree/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/host/job.h"
#include "lib/tree/command_steps.h"
#include "lib/tree/reason.h"
#include "lib/tree/undo.h"

/* Puts the error of the underlying call in words, and returns it. */
int command_fail(struct command *command, const char *verb, int error)
{
	if (job_is_awaited(error))
		return error;
	return line_complain(
		&command->line, error, "%s %s/%.255s: %s", verb, command->line.space->kind->path,
		command->line.name,
		reason_find(&command->line, command->entry.channel, &command->caller, verb, error));
}

void command_cut(struct command *command, const struct selector *selector)
{
	if (selector->is_set)
		*strrchr(command->line.name, ':') = '\0';
}

int command_find(struct command *command)
{
	struct selector selector;
	int r = space_lookup(command->line.space, command->line.name, &command->caller,
			     &command->entry, &selector);

	if (r < 0)
		return command_fail(command, command->line.words[0], r);
	command_cut(command, &selector);
	return 0;
}

static int check_no_keys(struct command *command)
{
	if (command->line.n_words == 2)
		return 0;
	return line_complain(&command->line, -EINVAL, "%.64s: %s takes no keys",
			     command->line.words[2], command->line.words[0]);
}

static int step_throw_away(struct command *command)
{
	int r = command->entry.channel ? channel_empty(command->entry.channel, &command->caller)
				       : -EINVAL;

	if (r < 0)
		return command_fail(command, "empty", r);
	command->step = NULL;
	return 0;
}

static int step_empty(struct command *command)
{
	int r = check_no_keys(command);

	if (r == 0)
		r = command_find(command);
	if (r == 0)
		command->step = step_throw_away;
	return r;
}

static int step_remove(struct command *command)
{
	int r = check_no_keys(command);

	if (r < 0)
		return r;
	r = space_remove(command->line.space, command->line.name, &command->caller);
	if (r < 0)
		return command_fail(command, "remove", r);
	command->step = NULL;
	return 0;
}

static const struct verb {
	const char *name;
	int (*step)(struct command *command);
} verbs[] = {
	{"create", command_step_create}, {"set", command_step_set},   {"remove", step_remove},
	{"empty", step_empty},           {"reap", command_step_reap}, {NULL, NULL},
};

static const struct verb *find_verb(const char *name)
{
	const struct verb *verb = verbs;

	while (verb->name && strcmp(verb->name, name) != 0)
		verb++;
	return verb;
}

static int step_keys(struct command *command)
{
	int r = line_parse_keys(&command->line, command->host, &command->caller);

	if (r == 0)
		command->step = find_verb(command->line.words[0])->step;
	return r;
}

static int step_reaping(struct command *command)
{
	int r = line_parse_reaping(&command->line, command->host, &command->caller);

	if (r == 0)
		command->step = command_step_reap;
	return r;
}

static int step_words(struct command *command)
{
	struct line *line = &command->line;
	int r = line_split(line);

	command->step = NULL;
	if (r < 0 || line->n_words == 0)
		return r;
	if (!find_verb(line->words[0])->name)
		return line_complain(line, -EINVAL,
				     "%.64s: not one of create, set, remove, empty, reap",
				     line->words[0]);
	if (strcmp(line->words[0], "reap") == 0) {
		command->step = step_reaping;
		return line_find_kind(line, command->host->spaces);
	}
	command->step = step_keys;
	return line_find_object(line, command->host->spaces);
}

int command_new(struct host *host, const char *line, size_t length, enum command_mode mode,
		struct caller *caller, struct command **ret_command)
{
	struct command *command = calloc(1, sizeof(*command));
	int r;

	if (!command)
		return -ENOMEM;
	command->host = host;
	command->mode = mode;
	command->step = step_words;
	line_init(&command->line, line, length);
	r = caller_copy(&command->caller, caller);
	if (r < 0)
		command_free(command);
	else
		*ret_command = command;
	return r;
}

void command_remember(struct command *command, struct sightings *sightings)
{
	command->sightings = sightings;
}

void command_note(struct command *command, uint64_t *has_made, bool is_again)
{
	command->noted = has_made;
	command->is_again = is_again;
}

static void note_unmade(struct command *command)
{
	command->has_made = false;
	STATE_ORDER();
	if (command->noted)
		*command->noted = false;
}

/* Removes an object that was made but did not become what the line says. */
static int step_undo(struct command *command)
{
	int r;

	journal_unnote(command->host);
	r = space_remove(command->line.space, command->line.name, &command->caller);
	if (job_is_awaited(r))
		return r;
	note_unmade(command);
	return command->failed;
}

/* Cleans up after a command, whether it succeeded, failed or was given up. */
static void finish(struct command *command)
{
	command->caller.waiter = NULL;
	if (command->has_made && !command->step) {
		objects_settle(command->host, command->entry.channel);
		command->has_made = false;
	} else if (command->has_made) {
		if (space_remove(command->line.space, command->line.name, &command->caller) ==
		    -EAGAIN)
			undo_later(command->line.space, command->line.name, &command->caller);
		note_unmade(command);
	}
	entry_unref(&command->entry);
	command->entry = (struct entry){0};
}

/* Whether the error may only mean that the command was done before. */
static bool is_own_work(const struct command *command, int error)
{
	const char *verb = command->line.words[0];

	return (error == -EEXIST && strcmp(verb, "create") == 0) ||
	       (error == -ENOENT && strcmp(verb, "remove") == 0);
}

int command_run(struct command *command, struct waiter *waiter)
{
	int r = 0;

	command->caller.waiter = waiter;
	while (r == 0 && command->step) {
		r = command->step(command);
		if (r < 0 && !job_is_awaited(r) && waiter && command->has_made) {
			command->failed = r;
			command->step = step_undo;
			r = 0;
		}
	}
	command->caller.waiter = NULL;
	/* For a command with a waiter, -EAGAIN is an error like any other. */
	if (r == -EAGAIN && waiter)
		r = line_complain(&command->line, -EBUSY, "%s %s/%.255s: busy; try again",
				  command->line.words[0], command->line.space->kind->path,
				  command->line.name);
	if (r < 0 && command->is_again && is_own_work(command, r))
		r = line_complain(&command->line, -EINTR,
				  "%s %s/%.255s: interrupted; see whether it was done",
				  command->line.words[0], command->line.space->kind->path,
				  command->line.name);
	if (!job_is_awaited(r))
		finish(command);
	return r;
}

const char *command_error(const struct command *command)
{
	return command->line.error;
}

const char *command_report(const struct command *command)
{
	return command_reap_report(command->reap);
}

void command_free(struct command *command)
{
	if (!command)
		return;
	finish(command);
	command_reap_free(command->reap);
	caller_fini(&command->caller);
	free(command);
}
