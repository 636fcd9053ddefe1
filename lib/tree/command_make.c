// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The verbs create and set: makes an object what the line says.
 */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/host/configured.h"
#include "lib/host/job.h"
#include "lib/tree/command_steps.h"
#include "lib/tree/unmet.h"

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
		return command_fail(command, "create", r);
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
	return r < 0 ? command_fail(command, command->line.words[0], r) : 0;
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
		return command_fail(command, "create", r);
	if (attr.st_uid == command->caller.uid ||
	    ((command->line.changes & CHANGE_UID) && attr.st_uid == command->line.attr.st_uid))
		return 0;
	return line_complain(&command->line, -EPERM,
			     "create %s/%.255s: already exists and belongs to user %u",
			     command->line.space->kind->path, command->line.name, attr.st_uid);
}

/* What the configuration names is no leak. Without memory it is merely not remembered. */
static void note_configured(const struct command *command)
{
	const struct kind *kind = command->line.space->kind;
	char name[NAME_MAX + 1];

	if (command->mode == COMMAND_STRICT)
		return;
	if (kind->canonical)
		kind->canonical(command->line.name, name);
	configured_add(command->host, kind->path, kind->canonical ? name : command->line.name);
}

static int step_keep(struct command *command)
{
	const struct parameter *parameters = command->line.space->kind->parameters;
	unsigned fixed = unmet_fixed(parameters);
	int r = command_find(command);

	if (r == 0)
		r = check_kept(command);
	if (r < 0)
		return r;
	note_configured(command);
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

static void note_made(struct command *command)
{
	command->line.settings.given = 0; /* the object was made with them */
	command->has_made = true;
	if (command->noted)
		*command->noted = true;
	command->step = step_adjust;
}

/* Goes on with the object that the former daemon has made, unless that has gone. */
static int step_take_up(struct command *command)
{
	struct selector selector;
	int r = space_lookup(command->line.space, command->line.name, &command->caller,
			     &command->entry, &selector);

	if (r == -ENOENT) {
		*command->noted = false;
		command->step = command_step_create;
		return 0;
	}
	if (r < 0)
		return command_fail(command, "create", r);
	command_cut(command, &selector);
	note_made(command);
	return 0;
}

int command_step_create(struct command *command)
{
	mode_t type = command->line.space->kind->has_directories ? S_IFDIR : S_IFREG;
	struct selector selector;
	mode_t mode;
	int r = check_owner(command);

	if (r < 0)
		return r;
	if (command->is_again && command->noted && *command->noted) {
		command->step = step_take_up;
		return 0;
	}
	mode = command->line.changes & CHANGE_MODE ? command->line.attr.st_mode
						   : 0666 & ~command->caller.umask;
	r = space_create(command->line.space, command->line.name, type | mode,
			 &command->line.settings, &command->caller, &command->entry, &selector);
	if (r == -EEXIST) {
		command->step = command->mode == COMMAND_STRICT ? step_refuse : step_keep;
		return 0;
	}
	if (r < 0)
		return command_fail(command, "create", r);
	command_cut(command, &selector);
	note_configured(command);
	note_made(command);
	return 0;
}

int command_step_set(struct command *command)
{
	const struct parameter *parameters = command->line.space->kind->parameters;
	int r;

	if (!command->line.settings.given && !command->line.changes)
		return line_complain(&command->line, -EINVAL, "set: KEY=VALUE is missing");
	for (unsigned i = 0; parameters && parameters[i].name; i++)
		if (parameters[i].is_fixed && settings_has(&command->line.settings, i))
			return line_complain(&command->line, -EINVAL,
					     "%s: can only be set by create", parameters[i].name);
	r = command_find(command);
	if (r == 0)
		command->step = step_adjust;
	return r;
}
