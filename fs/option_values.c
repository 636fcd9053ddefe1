// SPDX-License-Identifier: GPL-2.0-or-later
/* fuse_opt's own %u takes "1x" and "-1" for numbers, so all values are parsed here. */
#include "fs/option_values.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "fs/in_force.h"
#include "fs/log.h"
#include "fs/option_cluster.h"
#include "lib/base/cleanup.h"
#include "lib/base/number.h"
#include "lib/channel/settings.h"
#include "lib/host/feature.h"
#include "lib/host/namespaces.h"
#include "lib/kinds/kinds.h"

#define SPIN_MOST   10000 /* microseconds; more would be waste */
#define NAMES_LEAST 64    /* with fewer there is no room for names that are just being dropped */

static const struct {
	const char *name; /* with the '=' */
	size_t offset;
	unsigned least, most;
} numbers[] = {
	{"ipcns=", offsetof(struct options, ipc_pid), 1, UINT_MAX},
	{"max_channels=", offsetof(struct options, max_channels), 1, UINT_MAX},
	{"max_files=", offsetof(struct options, max_files), 1, UINT_MAX},
	{"max_held=", offsetof(struct options, max_held), 1, UINT_MAX},
	{"max_names=", offsetof(struct options, max_names), NAMES_LEAST, UINT_MAX},
	{"spin=", offsetof(struct options, spin), 0, SPIN_MOST},
};

static int take_number(struct options *options, const char *arg)
{
	const char *text = strchr(arg, '=') + 1;
	unsigned long value;
	char *end;
	size_t i = 0;

	while (strncmp(numbers[i].name, arg, (size_t)(text - arg)) != 0)
		i++;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < numbers[i].least ||
	    value > numbers[i].most) {
		log_line(LOG_ERR, "%s: not a number from %u to %u", arg, numbers[i].least,
			 numbers[i].most);
		return -1;
	}
	*(unsigned *)((char *)options + numbers[i].offset) = (unsigned)value;
	return in_force_note(options, "%s%lu", numbers[i].name, value);
}

static int take_idle(struct options *options, const char *arg)
{
	if (number_parse_duration(strchr(arg, '=') + 1, &options->leak_idle) == 0)
		return in_force_note(options, "%s", arg);
	log_line(LOG_ERR, "%s: not a time; 90, 90s, 10m, 1h and 7d are", arg);
	return -1;
}

static int take_supervise(struct options *options, const char *arg)
{
	const char *word = strchr(arg, '=') + 1;

	options->supervise = strcmp(word, "yes") == 0 ? SUPERVISE_YES : SUPERVISE_NO;
	if (options->supervise == SUPERVISE_YES || strcmp(word, "no") == 0)
		return in_force_note(options, "%s", arg);
	log_line(LOG_ERR, "%s: not yes or no", arg);
	return -1;
}

static int take_without(struct options *options, const char *arg)
{
	char names[FEATURES_TEXT];

	if (features_parse(strchr(arg, '=') + 1, &options->without) == 0)
		return 0;
	features_text(FEATURES_ALL, ' ', names);
	log_line(LOG_ERR, "%s: no such feature (%s)", arg, names);
	return -1;
}

static int take_foreign(struct options *options, const char *arg)
{
	if (namespaces_parse(strchr(arg, '=') + 1, &options->foreign) == 0)
		return 0;
	log_line(LOG_ERR, "%s: not a list of net, ipc and pid, separated by colons", arg);
	return -1;
}

static const struct parameter *pipe_parameter(const char *name)
{
	const struct kind *const *kind = kinds;

	while (strcmp((*kind)->path, "pipes") != 0)
		kind++;
	return parameter_find((*kind)->parameters, name);
}

/* -o pipe_NAME=VALUE sets the default of what is otherwise a parameter of one new pipe. */
static int take_pipe(struct options *options, const char *arg)
{
	const char *text = strchr(arg, '=') + 1;
	CLEANUP_FREE char *name = strndup(arg + strlen("pipe_"), strcspn(arg, "=") - 5);
	const struct parameter *parameter = name ? pipe_parameter(name) : NULL;
	char fault[256];
	uint64_t value;
	int r;

	if (!parameter)
		return -ENOMEM;
	r = parameter_parse(parameter, text, &value);
	if (r < 0) {
		parameter_complain(parameter, r, fault, sizeof(fault));
		log_line(LOG_ERR, "%s: %s", arg, fault);
		return -1;
	}
	if (strcmp(name, "capacity") == 0)
		options->pipes.capacity = value;
	else if (strcmp(name, "eof") == 0)
		options->pipes.has_no_end = value;
	else
		options->pipes.by_daemon = value;
	return parameter->type == PARAMETER_WORD
		       ? in_force_note(options, "%s", arg)
		       : in_force_note(options, "pipe_%s=%llu", name, (unsigned long long)value);
}

static int (*const takers[])(struct options *options, const char *arg) = {
	[KEY_NUMBER] = take_number,
	[KEY_WITHOUT] = take_without,
	[KEY_FOREIGN] = take_foreign,
	[KEY_PIPE] = take_pipe,
	[KEY_IDLE] = take_idle,
	[KEY_SUPERVISE] = take_supervise,
	[KEY_CLUSTER] = option_cluster_take,
	[KEY_CLUSTER_TIMEOUT] = option_cluster_take_timeout,
};

int option_value_take(struct options *options, enum option_key key, const char *arg)
{
	return takers[key](options, arg);
}
