// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Words are not copied: they are cut out of the line's text, in place.
 */
#include "lib/tree/line.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/number.h"
#include "lib/channel/channel.h"
#include "lib/host/account.h"
#include "lib/host/job.h"
#include "lib/tree/words.h"

void line_init(struct line *line, const char *text, size_t length)
{
	*line = (struct line){.length = length, .n_parsed = 2, .reaping = {.idle = -1}};
	memcpy(line->text, text, length < COMMAND_MAX ? length : COMMAND_MAX - 1);
}

int line_complain(struct line *line, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(line->error, COMMAND_ERROR_MAX, format, args);
	va_end(args);
	return error;
}

int line_split(struct line *line)
{
	char *rest = line->text, *word;
	const char *fault;

	if (line->length >= sizeof(line->text))
		return line_complain(line, -EINVAL, "longer than %d bytes", COMMAND_MAX - 1);
	if (memchr(line->text, '\0', line->length))
		return line_complain(line, -EINVAL, "contains a NUL byte");
	for (;;) {
		if (words_next(&rest, &word, &fault) < 0)
			return line_complain(line, -EINVAL, "%s", fault);
		if (!word)
			return 0;
		if (line->n_words == LINE_WORDS_MAX)
			return line_complain(line, -EINVAL, "more than %d words", LINE_WORDS_MAX);
		line->words[line->n_words++] = word;
	}
}

int line_find_object(struct line *line, struct space *const *spaces)
{
	char *path = line->words[1];

	if (line->n_words < 2)
		return line_complain(line, -EINVAL, "%.64s: KIND/NAME is missing", line->words[0]);
	if (*path == '/' || !strchr(path, '/'))
		return line_complain(line, -EINVAL, "%.64s: not of the form KIND/NAME", path);
	for (struct space *const *space = spaces; *space; space++) {
		size_t length = strlen((*space)->kind->path);

		if (strncmp(path, (*space)->kind->path, length) == 0 && path[length] == '/') {
			line->space = *space;
			line->name = path + length + 1;
		}
	}
	if (!line->space)
		return line_complain(line, -EINVAL, "%.64s: no such kind", path);
	if (!line->space->kind->parameters)
		return line_complain(line, -EINVAL, "%.64s: commands do not apply to this kind; %s",
				     path,
				     line->space->kind->is_uncounted ? "write a signal to the file"
								     : "open it to connect");
	if (!*line->name || strchr(line->name, '/') || strcmp(line->name, ".") == 0 ||
	    strcmp(line->name, "..") == 0)
		return line_complain(line, -EINVAL, "%.64s: not a valid name", path);
	if (strlen(line->name) > NAME_MAX)
		return line_complain(line, -ENAMETOOLONG, "%.64s: name longer than %d bytes", path,
				     NAME_MAX);
	return 0;
}

int line_find_kind(struct line *line, struct space *const *spaces)
{
	const char *path = line->words[1];

	if (line->n_words < 2)
		return line_complain(line, -EINVAL, "%.64s: KIND is missing", line->words[0]);
	for (struct space *const *space = spaces; *space; space++)
		if (strcmp(path, (*space)->kind->path) == 0)
			line->space = *space;
	if (!line->space)
		return line_complain(line, -EINVAL,
				     "%.64s: not a kind, such as sysv/shm; to remove one object: "
				     "remove KIND/NAME",
				     path);
	if (!line->space->kind->channel->disuse && !line->space->kind->find_strays)
		return line_complain(line, -EINVAL, "%.64s: objects of this kind do not leak",
				     path);
	return 0;
}

/* Parses a number in `base`. Returns false if the number is malformed, or more than `max`. */
static bool parse_id(const char *text, int base, unsigned long max, unsigned long *ret_id)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret_id = strtoul(text, &end, base);
	return !errno && !*end && *ret_id <= max;
}

/* The caller on whose behalf names are looked up. */
struct asker {
	struct host *host;
	struct caller *caller;
};

/* Parses a number, or the name of an account. */
static int parse_account(struct line *line, const struct asker *asker, enum account_sort sort,
			 const char *value, unsigned long *ret_id)
{
	bool is_user = sort == ACCOUNT_USER;
	int r = 0;

	if (!parse_id(value, 10, UINT_MAX - 1, ret_id))
		r = account_find(asker->host, asker->caller, sort, value, ret_id);
	if (r == -ENOENT)
		return line_complain(line, -EINVAL, "%s=%.64s: no such %s",
				     is_user ? "owner" : "group", value,
				     is_user ? "user" : "group");
	if (r < 0 && !job_is_awaited(r))
		return line_complain(line, r, "%s=%.64s: %s", is_user ? "owner" : "group", value,
				     strerror(-r));
	return r;
}

static int parse_owner(struct line *line, const struct asker *asker, const char *value)
{
	unsigned long id = 0;
	int r = parse_account(line, asker, ACCOUNT_USER, value, &id);

	if (r == 0) {
		line->attr.st_uid = (uid_t)id;
		line->owner = value;
		line->changes |= CHANGE_UID;
	}
	return r;
}

static int parse_group(struct line *line, const struct asker *asker, const char *value)
{
	unsigned long id = 0;
	int r = parse_account(line, asker, ACCOUNT_GROUP, value, &id);

	if (r == 0) {
		line->attr.st_gid = (gid_t)id;
		line->group = value;
		line->changes |= CHANGE_GID;
	}
	return r;
}

/*
 * Says that a mode is malformed. `own` is the kind's own parameter of this name, which takes words,
 * or NULL.
 */
static int complain_mode(struct line *line, const char *value, const struct parameter *own)
{
	char words[COMMAND_ERROR_MAX / 2] = "";

	if (own)
		parameter_complain(own, -EINVAL, words, sizeof(words));
	return line_complain(line, -EINVAL, "mode=%.64s: %s an octal mode (0 to 777)%s%s", value,
			     own ? "neither" : "not", own ? " nor" : "",
			     words + strcspn(words, " "));
}

static int parse_mode(struct line *line, const char *value, const struct parameter *own)
{
	unsigned long mode;

	if (!parse_id(value, 8, 0777, &mode))
		return complain_mode(line, value, own);
	line->attr.st_mode = (mode_t)mode;
	line->changes |= CHANGE_MODE;
	return 0;
}

/* Complains of an unknown key, and says which keys the kind has. */
static int complain_key(struct line *line, const char *key)
{
	const struct kind *kind = line->space->kind;
	int r = line_complain(line, -EINVAL, "%.64s: no such key for %s (mode, owner, group", key,
			      kind->path);
	size_t length = strlen(line->error);

	for (const struct parameter *p = kind->parameters; p && p->name; p++) {
		if (strcmp(p->name, "mode") == 0)
			continue;
		snprintf(line->error + length, sizeof(line->error) - length, ", %s", p->name);
		length += strlen(line->error + length);
	}
	snprintf(line->error + length, sizeof(line->error) - length, ")");
	return r;
}

/* Parses one of the kind's own keys. */
static int parse_setting(struct line *line, const char *key, const char *value)
{
	const struct kind *kind = line->space->kind;
	const struct parameter *parameter = parameter_find(kind->parameters, key);
	char text[COMMAND_ERROR_MAX / 2];
	int r;

	if (!parameter)
		return complain_key(line, key);
	line->settings.texts[parameter - kind->parameters] = value;
	if (parameter->type == PARAMETER_TEXT)
		r = *value ? 0 : -EINVAL;
	else
		r = parameter_parse(parameter, value,
				    &line->settings.values[parameter - kind->parameters]);
	if (r < 0) {
		parameter_complain(parameter, r, text, sizeof(text));
		return line_complain(line, -EINVAL, "%s=%.64s: %s", key, value, text);
	}
	line->settings.given |= 1U << (parameter - kind->parameters);
	return 0;
}

/* Parses one word. If the word has to be parsed again later, it stays as it was. */
static int parse_key(struct line *line, const struct asker *asker, char *key)
{
	const struct parameter *own = parameter_find(line->space->kind->parameters, "mode");
	char *value = strchr(key, '=');
	uint64_t word;
	int r;

	if (!value || value == key)
		return line_complain(line, -EINVAL, "%.64s: not of the form KEY=VALUE", key);
	*value++ = '\0';
	if (strcmp(key, "owner") == 0)
		r = parse_owner(line, asker, value);
	else if (strcmp(key, "group") == 0)
		r = parse_group(line, asker, value);
	/* A kind may have modes of its own, which have names. */
	else if (strcmp(key, "mode") == 0 && (!own || parameter_parse(own, value, &word) < 0))
		r = parse_mode(line, value, own);
	else
		r = parse_setting(line, key, value);
	if (job_is_awaited(r))
		value[-1] = '=';
	return r;
}

static int parse_time(struct line *line, const char *key, const char *value, int64_t *ret_seconds)
{
	int r = number_parse_duration(value, ret_seconds);

	if (r < 0)
		return line_complain(line, -EINVAL, "%s=%.64s: not a time; 90, 10m, 1h and 7d are",
				     key, value);
	return 0;
}

static int parse_every(struct line *line, const char *value)
{
	int r = parse_time(line, "every", value, &line->reaping.every);

	if (r == 0 && line->reaping.every == 0)
		return line_complain(line, -EINVAL, "every=%.64s: must not be 0", value);
	return r;
}

static int parse_dry(struct line *line, const char *value)
{
	line->reaping.is_dry = strcmp(value, "yes") == 0;
	if (!line->reaping.is_dry && strcmp(value, "no") != 0)
		return line_complain(line, -EINVAL, "dry=%.64s: neither yes nor no", value);
	return 0;
}

/* Parses one word. If the word has to be parsed again later, it stays as it was. */
static int parse_reaping(struct line *line, const struct asker *asker, char *key)
{
	char *value = strchr(key, '=');
	int r;

	if (!value || value == key)
		return line_complain(line, -EINVAL, "%.64s: not of the form KEY=VALUE", key);
	*value++ = '\0';
	if (strcmp(key, "idle") == 0)
		r = parse_time(line, key, value, &line->reaping.idle);
	else if (strcmp(key, "every") == 0)
		r = parse_every(line, value);
	else if (strcmp(key, "dry") == 0)
		r = parse_dry(line, value);
	else if (strcmp(key, "owner") == 0)
		r = parse_owner(line, asker, value);
	else
		r = line_complain(line, -EINVAL,
				  "%.64s: no such key for reap (idle, owner, dry, every)", key);
	if (job_is_awaited(r))
		value[-1] = '=';
	return r;
}

static int parse_words(struct line *line, const struct asker *asker,
		       int (*parse)(struct line *line, const struct asker *asker, char *key))
{
	for (; line->n_parsed < line->n_words; line->n_parsed++) {
		int r = parse(line, asker, line->words[line->n_parsed]);

		if (r < 0)
			return r;
	}
	return 0;
}

int line_parse_keys(struct line *line, struct host *host, struct caller *caller)
{
	return parse_words(line, &(struct asker){host, caller}, parse_key);
}

int line_parse_reaping(struct line *line, struct host *host, struct caller *caller)
{
	return parse_words(line, &(struct asker){host, caller}, parse_reaping);
}
