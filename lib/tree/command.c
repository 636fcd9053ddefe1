// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A command is a chain of steps: its words, its keys, the step of its verb, and the steps that
 * follow from that. A step names the next step when it is done; a step that has to wait is called
 * again.
 */
#include "lib/tree/command.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"
#include "lib/host/job.h"
#include "lib/tree/line.h"
#include "lib/tree/reason.h"
#include "lib/tree/undo.h"
#include "lib/tree/unmet.h"

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
	unsigned kept; /* settings of the line that an existing object may not have */
	bool has_made; /* the object is new: removed if the command fails */
	int failed;    /* why the object is removed */
};

/* Puts the error of the underlying call in words, and returns it. */
static int fail(struct command *command, const char *verb, int error)
{
	if (job_is_awaited(error))
		return error;
	return line_complain(
		&command->line, error, "%s %s/%.255s: %s", verb, command->line.space->kind->path,
		command->line.name,
		reason_find(&command->line, command->entry.channel, &command->caller, verb, error));
}

/* Applies chown(2)'s rule before anything is made. */
static int check_owner(struct command *command)
{
	struct caller *caller = &command->caller;

	if (caller_has(caller, CAP_CHOWN))
		return 0;
	if ((command->line.changes & CHANGE_UID) && command->line.attr.st_uid != caller->uid)
		return line_complain(&command->line, -EPERM,
				     "owner=%.64s: only root can give an object away",
				     command->line.owner);
	if ((command->line.changes & CHANGE_GID) &&
	    !caller_in_group(caller, command->line.attr.st_gid))
		return line_complain(&command->line, -EPERM,
				     "group=%.64s: you are not in this group", command->line.group);
	return 0;
}

static int set(struct command *command)
{
	if (!command->entry.channel)
		return -EINVAL;
	return channel_set(command->entry.channel, &command->line.settings, &command->caller);
}

static int change(struct command *command, unsigned changes)
{
	const struct entry *entry = &command->entry;

	if (entry->channel)
		return channel_change(entry->channel, NULL, &command->line.attr, changes,
				      &command->caller);
	return space_change(entry->space, &command->line.attr, changes, &command->caller);
}

/*
 * Fails with -EEXIST if an existing object differs from the line. The object stays as it is, but
 * nobody should think that it matches.
 */
static int step_compare(struct command *command)
{
	CLEANUP_FREE char *text = NULL;
	int r = unmet_tell(&command->line, &command->entry, command->kept, &command->caller, &text);

	if (r < 0)
		return fail(command, "create", r);
	command->step = NULL;
	if (!text)
		return 0;
	return line_complain(&command->line, -EEXIST, "create %s/%.255s: already exists %s",
			     command->line.space->kind->path, command->line.name, text);
}

/* Changes the object to what the line says. What has been done is not done again. */
static int step_adjust(struct command *command)
{
	int r = command->line.settings.given ? set(command) : 0;

	if (r == 0)
		command->line.settings.given = 0;
	/* The mode comes last: chown(2) may take bits away. */
	for (unsigned i = 0; r == 0 && i < 2; i++) {
		unsigned which =
			command->line.changes & (i ? CHANGE_MODE : CHANGE_UID | CHANGE_GID);

		if (which)
			r = change(command, which);
		if (r == 0)
			command->line.changes &= ~which;
	}
	if (r == 0)
		command->step = command->kept ? step_compare : NULL;
	return r < 0 ? fail(command, command->line.words[0], r) : 0;
}

/*
 * Fails with -EPERM if an existing object belongs to another user. Such an object is not taken
 * over, because its maker may still have it open.
 */
static int check_kept(struct command *command)
{
	struct stat attr;
	int r = 0;

	if (command->entry.channel)
		r = channel_stat(command->entry.channel, &attr);
	else
		space_stat(command->entry.space, &attr);
	if (r < 0)
		return fail(command, "create", r);
	if (attr.st_uid == command->caller.uid ||
	    ((command->line.changes & CHANGE_UID) && attr.st_uid == command->line.attr.st_uid))
		return 0;
	return line_complain(&command->line, -EPERM,
			     "create %s/%.255s: already exists and belongs to user %u",
			     command->line.space->kind->path, command->line.name, attr.st_uid);
}

static int find(struct command *command)
{
	struct selector selector;
	int r = space_lookup(command->line.space, command->line.name, &command->caller,
			     &command->entry, &selector);

	return r < 0 ? fail(command, command->line.words[0], r) : 0;
}

static int step_keep(struct command *command)
{
	const struct parameter *parameters = command->line.space->kind->parameters;
	unsigned fixed = unmet_fixed(parameters);
	int r = find(command);

	if (r == 0)
		r = check_kept(command);
	if (r < 0)
		return r;
	command->kept = command->line.settings.given & fixed & ~unmet_passing(parameters);
	command->line.settings.given &= ~fixed;
	command->step = step_adjust;
	return 0;
}

/* Refuses in any case, and says how the existing object differs if that can be found out. */
static int step_refuse(struct command *command)
{
	const struct kind *kind = command->line.space->kind;
	unsigned asked = command->line.settings.given & ~unmet_passing(kind->parameters);
	CLEANUP_FREE char *text = NULL;
	struct selector selector;
	int r = space_lookup(command->line.space, command->line.name, &command->caller,
			     &command->entry, &selector);

	if (r == 0)
		r = unmet_tell(&command->line, &command->entry, asked, &command->caller, &text);
	if (job_is_awaited(r))
		return r;
	command->step = NULL;
	return line_complain(&command->line, -EEXIST, "create %s/%.255s: already exists%s%s",
			     kind->path, command->line.name, text ? " " : "", text ? text : "");
}

static int step_create(struct command *command)
{
	mode_t type = command->line.space->kind->has_directories ? S_IFDIR : S_IFREG;
	struct selector selector;
	mode_t mode;
	int r = check_owner(command);

	if (r < 0)
		return r;
	mode = command->line.changes & CHANGE_MODE ? command->line.attr.st_mode
						   : 0666 & ~command->caller.umask;
	r = space_create(command->line.space, command->line.name, type | mode,
			 &command->line.settings, &command->caller, &command->entry, &selector);
	if (r == -EEXIST) {
		command->step = command->mode == COMMAND_KEEP ? step_keep : step_refuse;
		return 0;
	}
	if (r < 0)
		return fail(command, "create", r);
	if (selector.is_set) /* the object's name is what stands before ":N" */
		*strrchr(command->line.name, ':') = '\0';
	command->line.settings.given = 0; /* the object was made with them */
	command->has_made = true;
	command->step = step_adjust;
	return 0;
}

static int step_set(struct command *command)
{
	const struct parameter *parameters = command->line.space->kind->parameters;
	int r;

	if (!command->line.settings.given && !command->line.changes)
		return line_complain(&command->line, -EINVAL, "set: KEY=VALUE is missing");
	for (unsigned i = 0; parameters && parameters[i].name; i++)
		if (parameters[i].is_fixed && settings_has(&command->line.settings, i))
			return line_complain(&command->line, -EINVAL,
					     "%s: can only be set by create", parameters[i].name);
	r = find(command);
	if (r == 0)
		command->step = step_adjust;
	return r;
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
		return fail(command, "empty", r);
	command->step = NULL;
	return 0;
}

static int step_empty(struct command *command)
{
	int r = check_no_keys(command);

	if (r == 0)
		r = find(command);
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
		return fail(command, "remove", r);
	command->step = NULL;
	return 0;
}

static const struct verb {
	const char *name;
	int (*step)(struct command *command);
} verbs[] = {
	{"create", step_create}, {"set", step_set}, {"remove", step_remove},
	{"empty", step_empty},   {NULL, NULL},
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

static int step_words(struct command *command)
{
	struct line *line = &command->line;
	int r = line_split(line);

	command->step = NULL;
	if (r < 0 || line->n_words == 0)
		return r;
	if (!find_verb(line->words[0])->name)
		return line_complain(line, -EINVAL, "%.64s: not one of create, set, remove, empty",
				     line->words[0]);
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

/* Removes an object that was made but did not become what the line says. */
static int step_undo(struct command *command)
{
	int r = space_remove(command->line.space, command->line.name, &command->caller);

	if (job_is_awaited(r))
		return r;
	command->has_made = false;
	return command->failed;
}

/* Cleans up after a command, whether it succeeded, failed or was given up. */
static void finish(struct command *command)
{
	command->caller.waiter = NULL;
	if (command->has_made && command->step &&
	    space_remove(command->line.space, command->line.name, &command->caller) == -EAGAIN)
		undo_later(command->line.space, command->line.name, &command->caller);
	entry_unref(&command->entry);
	command->entry = (struct entry){0};
	command->has_made = false;
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
	if (!job_is_awaited(r))
		finish(command);
	return r;
}

const char *command_error(const struct command *command)
{
	return command->line.error;
}

void command_free(struct command *command)
{
	if (!command)
		return;
	finish(command);
	caller_fini(&command->caller);
	free(command);
}
