// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/tree/command.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/host/account.h"
#include "lib/channel/channel.h"
#include "lib/kinds/kinds.h"

#define WORDS_MAX 32
#define BLANKS    " \t\r\n"

/* A line, taken apart. */
struct command {
	struct host *host;
	struct caller *caller;
	enum command_mode mode;
	char *error;

	char line[COMMAND_MAX];
	char *words[WORDS_MAX];
	size_t n_words;

	struct space *space; /* of the object */
	const char *name;
	struct settings settings;
	struct stat attr;
	unsigned changes; /* which of attr's are given */
};

/* Says what is wrong, and returns the error. */
__attribute__((format(printf, 3, 4))) static int complain(struct command *command, int error,
							  const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(command->error, COMMAND_ERROR_MAX, format, args);
	va_end(args);
	return error;
}

static int split(struct command *command, const char *line, size_t length)
{
	char *rest, *word;

	if (length >= sizeof(command->line))
		return complain(command, -EINVAL, "the line is longer than %d bytes",
				COMMAND_MAX - 1);
	if (memchr(line, '\0', length))
		return complain(command, -EINVAL, "the line has a NUL byte in it");
	memcpy(command->line, line, length);
	command->line[length] = '\0';
	for (word = strtok_r(command->line, BLANKS, &rest); word && *word != '#';
	     word = strtok_r(NULL, BLANKS, &rest)) {
		if (command->n_words == WORDS_MAX)
			return complain(command, -EINVAL, "more than %d words", WORDS_MAX);
		command->words[command->n_words++] = word;
	}
	return 0;
}

/* Finds the space and the name that KIND/NAME stands for. */
static int find_object(struct command *command)
{
	const char *path = command->words[1];

	if (command->n_words < 2)
		return complain(command, -EINVAL, "%.64s: of what? KIND/NAME is missing",
				command->words[0]);
	for (struct space **space = command->host->spaces; *space; space++) {
		size_t length = strlen((*space)->kind->path);

		if (strncmp(path, (*space)->kind->path, length) == 0 && path[length] == '/') {
			command->space = *space;
			command->name = path + length + 1;
		}
	}
	if (!command->space)
		return complain(command, -EINVAL, "%.64s: there is no such kind", path);
	if (!*command->name || strchr(command->name, '/') || strcmp(command->name, ".") == 0 ||
	    strcmp(command->name, "..") == 0)
		return complain(command, -EINVAL, "%.64s: this is no name", path);
	if (strlen(command->name) > NAME_MAX)
		return complain(command, -ENAMETOOLONG, "the name is longer than %d bytes",
				NAME_MAX);
	return 0;
}

/* A whole number in `base`, or false. */
static bool parse_id(const char *text, int base, unsigned long max, unsigned long *ret_id)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret_id = strtoul(text, &end, base);
	return !errno && !*end && *ret_id <= max;
}

/* A number, or the name of an account. */
static int parse_account(struct command *command, enum account_sort sort, const char *value,
			 unsigned long *ret_id)
{
	bool is_user = sort == ACCOUNT_USER;
	int r = 0;

	if (!parse_id(value, 10, UINT_MAX - 1, ret_id))
		r = account_find(command->host, command->caller, sort, value, ret_id);
	if (r == -ENOENT)
		return complain(command, -EINVAL, "%s=%.64s: there is no such %s",
				is_user ? "owner" : "group", value, is_user ? "user" : "group");
	if (r < 0 && r != -EAGAIN)
		return complain(command, r, "%s=%.64s: %s", is_user ? "owner" : "group", value,
				strerror(-r));
	return r;
}

static int parse_owner(struct command *command, const char *value)
{
	unsigned long id = 0;
	int r = parse_account(command, ACCOUNT_USER, value, &id);

	command->attr.st_uid = (uid_t)id;
	command->changes |= CHANGE_UID;
	return r;
}

static int parse_group(struct command *command, const char *value)
{
	unsigned long id = 0;
	int r = parse_account(command, ACCOUNT_GROUP, value, &id);

	command->attr.st_gid = (gid_t)id;
	command->changes |= CHANGE_GID;
	return r;
}

static int parse_mode(struct command *command, const char *value)
{
	unsigned long mode;

	if (!parse_id(value, 8, 0777, &mode))
		return complain(command, -EINVAL, "mode=%.64s: not an octal mode from 0 to 777",
				value);
	command->attr.st_mode = (mode_t)mode;
	command->changes |= CHANGE_MODE;
	return 0;
}

static const char *describe(const struct parameter *parameter)
{
	switch (parameter->type) {
	case PARAMETER_SIZE:
		return "not a size (a number, with K, M or G behind it)";
	case PARAMETER_NUMBER:
		return "not a number";
	case PARAMETER_TEXT:
		return "nothing";
	default:
		return "not one of its words";
	}
}

/* KEY=VALUE of the kind's own. */
static int parse_setting(struct command *command, const char *key, const char *value)
{
	const struct kind *kind = command->space->kind;
	const struct parameter *parameter = parameter_find(kind->parameters, key);
	int r;

	if (!parameter)
		return complain(command, -EINVAL, "%.64s: %s have no such key", key, kind->path);
	command->settings.texts[parameter - kind->parameters] = value;
	if (parameter->type == PARAMETER_TEXT)
		r = *value ? 0 : -EINVAL;
	else
		r = parameter_parse(parameter, value,
				    &command->settings.values[parameter - kind->parameters]);
	if (r == -ERANGE)
		return complain(command, -EINVAL, "%.64s=%.64s: out of range (%llu to %llu)", key,
				value, (unsigned long long)parameter->min,
				(unsigned long long)parameter->max);
	if (r < 0)
		return complain(command, -EINVAL, "%.64s=%.64s: %s", key, value,
				describe(parameter));
	command->settings.given |= 1U << (parameter - kind->parameters);
	return 0;
}

static int parse_keys(struct command *command)
{
	const struct parameter *parameters = command->space->kind->parameters;
	int r = 0;

	for (size_t i = 2; r == 0 && i < command->n_words; i++) {
		char *key = command->words[i];
		char *value = strchr(key, '=');

		if (!value)
			return complain(command, -EINVAL, "%.64s: not of the form KEY=VALUE", key);
		*value++ = '\0';
		if (strcmp(key, "owner") == 0)
			r = parse_owner(command, value);
		else if (strcmp(key, "group") == 0)
			r = parse_group(command, value);
		/* A kind may have modes of its own, with names. */
		else if (strcmp(key, "mode") == 0 &&
			 (isdigit((unsigned char)*value) || !parameter_find(parameters, key)))
			r = parse_mode(command, value);
		else
			r = parse_setting(command, key, value);
	}
	return r;
}

/* What the call under it said, in words. */
static int fail(struct command *command, const char *verb, int error)
{
	return complain(command, error, "%s %s/%.255s: %s", verb, command->space->kind->path,
			command->name, strerror(-error));
}

/* chown(2)'s rule, asked before anything is made. */
static int check_owner(struct command *command)
{
	struct caller *caller = command->caller;

	if (caller_is_root(caller))
		return 0;
	if ((command->changes & CHANGE_UID) && command->attr.st_uid != caller->uid)
		return complain(command, -EPERM, "owner=%u: only root gives objects away",
				command->attr.st_uid);
	if ((command->changes & CHANGE_GID) && !caller_in_group(caller, command->attr.st_gid))
		return complain(command, -EPERM, "group=%u: you are not in this group",
				command->attr.st_gid);
	return 0;
}

static int change(struct command *command, const struct entry *entry, unsigned changes)
{
	if (entry->channel)
		return channel_change(entry->channel, NULL, &command->attr, changes,
				      command->caller);
	return space_change(entry->space, &command->attr, changes, command->caller);
}

static int adjust(struct command *command, const char *verb, const struct entry *entry)
{
	const struct settings *settings = &command->settings;
	int r = 0;

	if (settings->given)
		r = entry->channel && entry->channel->kind->channel.set
			    ? entry->channel->kind->channel.set(entry->channel, settings,
								command->caller)
			    : -EINVAL;
	/* Mode last: chown(2) may take bits away. */
	for (unsigned i = 0; r == 0 && i < 2; i++) {
		unsigned which = i ? CHANGE_MODE : CHANGE_UID | CHANGE_GID;

		if (command->changes & which)
			r = change(command, entry, command->changes & which);
	}
	return r < 0 ? fail(command, verb, r) : 0;
}

/* Takes out of the settings those that can't be changed, or not without loss. */
static void drop_initial(struct command *command)
{
	const struct parameter *parameters = command->space->kind->parameters;

	for (unsigned i = 0; parameters && parameters[i].name; i++)
		if (parameters[i].is_fixed || parameters[i].is_initial)
			command->settings.given &= ~(1U << i);
}

/* What is somebody else's is not taken over: its maker may have it open still. */
static int check_kept(struct command *command, const struct entry *entry)
{
	struct stat attr;
	int r = 0;

	if (entry->channel)
		r = channel_stat(entry->channel, &attr);
	else
		space_stat(entry->space, &attr);

	if (r < 0)
		return fail(command, "create", r);
	if (attr.st_uid == command->caller->uid ||
	    ((command->changes & CHANGE_UID) && attr.st_uid == command->attr.st_uid))
		return 0;
	return complain(command, -EPERM, "create %s/%.255s: there is one already, of user %u",
			command->space->kind->path, command->name, attr.st_uid);
}

static int run_create(struct command *command)
{
	bool is_directory = command->space->kind->traits & KIND_DIRECTORIES;
	mode_t mode, type = is_directory ? S_IFDIR : S_IFREG;
	struct selector selector;
	struct entry entry = {0};
	int r = check_owner(command);

	if (r < 0)
		return r;
	r = caller_load(command->caller);
	mode = command->changes & CHANGE_MODE ? command->attr.st_mode
					      : 0666 & ~command->caller->umask;
	if (r == 0)
		r = space_create(command->space, command->name, type | mode, &command->settings,
				 command->caller, &entry, &selector);
	if (r == -EEXIST && command->mode == COMMAND_KEEP) {
		r = space_lookup(command->space, command->name, command->caller, &entry, &selector);
		drop_initial(command);
		if (r == 0)
			r = check_kept(command, &entry);
		if (r < 0) {
			entry_unref(&entry);
			return r;
		}
	} else {
		command->settings.given = 0; /* it has been made so */
	}
	if (r < 0)
		return fail(command, "create", r);
	r = adjust(command, "create", &entry);
	entry_unref(&entry);
	return r;
}

static int run_set(struct command *command)
{
	const struct parameter *parameters = command->space->kind->parameters;
	struct selector selector;
	struct entry entry;
	int r;

	if (!command->settings.given && !command->changes)
		return complain(command, -EINVAL, "set: nothing to set");
	for (unsigned i = 0; parameters && parameters[i].name; i++)
		if (parameters[i].is_fixed && settings_has(&command->settings, i))
			return complain(command, -EINVAL, "%s: can only be given to create",
					parameters[i].name);
	r = space_lookup(command->space, command->name, command->caller, &entry, &selector);
	if (r < 0)
		return fail(command, "set", r);
	r = adjust(command, "set", &entry);
	entry_unref(&entry);
	return r;
}

static int run_remove(struct command *command)
{
	int r;

	if (command->n_words > 2)
		return complain(command, -EINVAL, "%.64s: remove takes no keys", command->words[2]);
	r = space_remove(command->space, command->name, command->caller);
	return r < 0 ? fail(command, "remove", r) : 0;
}

static const struct verb {
	const char *name;
	int (*run)(struct command *command);
} verbs[] = {
	{"create", run_create},
	{"set", run_set},
	{"remove", run_remove},
	{NULL, NULL},
};

int command_run(struct host *host, const char *line, size_t length, enum command_mode mode,
		struct caller *caller, char ret_error[static COMMAND_ERROR_MAX])
{
	struct command command = {.host = host, .caller = caller, .mode = mode, .error = ret_error};
	const struct verb *verb = verbs;
	int r = split(&command, line, length);

	if (r < 0 || command.n_words == 0)
		return r;
	while (verb->name && strcmp(verb->name, command.words[0]) != 0)
		verb++;
	if (!verb->name)
		return complain(&command, -EINVAL, "%.64s: not one of create, set, remove",
				command.words[0]);
	r = find_object(&command);
	if (r == 0)
		r = parse_keys(&command);
	return r < 0 ? r : verb->run(&command);
}
