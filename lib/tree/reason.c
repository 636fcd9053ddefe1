// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * First what holds for all kinds, then what the kind knows (struct kind), then the errno.
 */
#include "lib/tree/reason.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/channel/channel.h"
#include "lib/tree/line.h"

/* Whether the name has the form NAME:N, with an N that the kind does not have. */
static bool has_bad_number(const struct kind *kind, const char *name)
{
	const char *colon = strrchr(name, ':');

	if (!kind->selector_max || !colon || colon == name || !colon[1] ||
	    strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return false;
	errno = 0;
	return strtoul(colon + 1, NULL, 10) > kind->selector_max || errno;
}

static bool is_strangers(struct channel *channel, struct caller *caller)
{
	struct stat attr;

	return channel && (channel_stat(channel, &attr) < 0 || !caller_owns(caller, attr.st_uid));
}

const char *reason_find(const struct line *line, struct channel *channel, struct caller *caller,
			const char *verb, int error)
{
	const struct kind *kind = line->space->kind;
	const char *text = NULL;

	if (error == -EPERM && is_strangers(channel, caller))
		return strerror(EPERM);
	if (error == -EINVAL && has_bad_number(kind, line->name))
		return "the number after ':' is out of range";
	if (error == -EINVAL && strcmp(verb, "empty") == 0)
		return "cannot be emptied";
	if (kind->explain && strcmp(verb, "remove") != 0)
		text = kind->explain(channel, line->name, &line->settings, error);
	return text ? text : strerror(-error);
}
