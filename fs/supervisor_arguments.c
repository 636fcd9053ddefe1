// SPDX-License-Identifier: GPL-2.0-or-later
/* Of options that are given twice, the last one counts. What follows "--" is no option any more. */
#include "fs/supervisor_arguments.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/options.h"

#define N_MORE 9 /* at most: --mounted, three paths with -o, our own, NULL */

struct arguments {
	char **argv;
	size_t n;
	bool has_failed;
};

/* Takes over the string. */
static void add(struct arguments *arguments, char *word)
{
	if (!word)
		arguments->has_failed = true;
	else
		arguments->argv[arguments->n++] = word;
}

static void add_path(struct arguments *arguments, const char *name, const char *path)
{
	char *word = NULL, *option = NULL;

	if (!path)
		return;
	if (asprintf(&word, "%s=%s", name, path) < 0)
		word = NULL;
	if (word && fuse_opt_add_opt_escaped(&option, word) < 0)
		option = NULL;
	free(word);
	add(arguments, strdup("-o"));
	add(arguments, option);
}

static void add_paths(struct arguments *arguments, const struct options *options)
{
	char *word;

	if (asprintf(&word, "--mounted=%s", options->mount_point) < 0)
		word = NULL;
	add(arguments, word);
	add_path(arguments, "config", options->config);
	add_path(arguments, "cluster_creds", options->cluster.creds);
	add_path(arguments, "cluster_ca", options->cluster.ca);
}

/* Whether this was the last argument of a former supervisor_arguments(): the paths are there. */
static bool is_own(const char *word)
{
	return strncmp(word, "--adopt=", strlen("--adopt=")) == 0;
}

char **supervisor_arguments(const struct options *options, char *own)
{
	struct arguments arguments = {
		.argv = calloc((size_t)options->argc + N_MORE, sizeof(*arguments.argv))};
	int i;

	if (!arguments.argv)
		return NULL;
	for (i = 0; i < options->argc && strcmp(options->argv[i], "--") != 0; i++)
		if (!is_own(options->argv[i]))
			add(&arguments, strdup(options->argv[i]));
	if (options->adopt_fd <= 0)
		add_paths(&arguments, options);
	add(&arguments, own);
	for (; i < options->argc; i++)
		add(&arguments, strdup(options->argv[i]));
	if (!arguments.has_failed)
		return arguments.argv;
	supervisor_arguments_free(arguments.argv, own);
	return NULL;
}

void supervisor_arguments_free(char **argv, const char *own)
{
	if (!argv)
		return;
	for (size_t i = 0; argv[i]; i++)
		if (argv[i] != own)
			free(argv[i]);
	free(argv);
}
