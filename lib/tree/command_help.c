// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The help is written from the list of kinds, so that a new kind and its parameters appear by
 * themselves.
 */
#include <stdio.h>
#include <string.h>

#include "lib/host/host.h"
#include "lib/kinds/kinds.h"
#include "lib/tree/command.h"

static void help_parameter(const struct parameter *parameter, FILE *out)
{
	static const char *const names[] = {
		[PARAMETER_SIZE] = "SIZE",
		[PARAMETER_NUMBER] = "N",
		[PARAMETER_AMOUNT] = "N|SIZE",
		[PARAMETER_TEXT] = "TEXT",
	};

	fprintf(out, " %s=", parameter->name);
	if (parameter->type == PARAMETER_WORD)
		for (size_t i = 0; parameter->words[i]; i++)
			fprintf(out, "%s%s", i ? "|" : "", parameter->words[i]);
	else
		fputs(names[parameter->type], out);
}

/* No command makes objects of a kind without parameters. */
static bool is_shown(const struct host *host, const struct kind *kind)
{
	return kind->parameters && (!kind->is_remote || host->remote.servers);
}

static int longest_path(const struct host *host)
{
	size_t longest = 0;

	for (size_t i = 0; kinds[i]; i++)
		if (is_shown(host, kinds[i]) && strlen(kinds[i]->path) > longest)
			longest = strlen(kinds[i]->path);
	return (int)longest;
}

void command_help(const struct host *host, FILE *out)
{
	int width = longest_path(host);

	fputs("# One command per line; '#' starts a comment. Quote blanks: 'queues/a b' or "
	      "queues/a\\040b.\n"
	      "#   create KIND/NAME [KEY=VALUE...]\n"
	      "#   set    KIND/NAME KEY=VALUE...\n"
	      "#   remove KIND/NAME\n"
	      "#   empty  KIND/NAME\n"
	      "#   reap   KIND [idle=TIME] [owner=USER] [dry=yes]\n"
	      "# Every kind takes mode=OCTAL, owner=USER and group=GROUP; in addition:\n",
	      out);
	for (size_t i = 0; kinds[i]; i++) {
		const struct parameter *parameter = kinds[i]->parameters;

		if (!is_shown(host, kinds[i]))
			continue;
		fprintf(out, "#   %-*s", width, kinds[i]->path);
		for (; parameter->name; parameter++)
			help_parameter(parameter, out);
		fputc('\n', out);
	}
	fputs("# SIZE is a number of bytes, optionally followed by K, M or G.\n"
	      "# reap removes what info/leaks shows of a kind. With dry=yes this file says what "
	      "that\n"
	      "# would be. TIME is a number of seconds, or one followed by s, m, h or d.\n",
	      out);
}
