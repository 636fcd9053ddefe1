// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What ctl shows when it is read: the grammar, with the keys of every kind.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/kinds.h"
#include "lib/tree/command.h"
#include "tests/unit/fixture.h"

START_TEST(test_command_help_names_every_key_of_every_kind)
{
	CLEANUP_FREE char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	host.remote.servers = "nats://localhost:4222";
	command_help(&host, out);
	fclose(out);
	for (size_t i = 0; kinds[i]; i++) {
		bool is_made = strstr(text, kinds[i]->path);

		/*
		 * Only kinds without parameters are left out: sockets of native programs, which no
		 * command makes.
		 */
		ck_assert_msg(is_made == (kinds[i]->parameters != NULL), "%s", kinds[i]->path);
		for (const struct parameter *p = kinds[i]->parameters; p && p->name; p++)
			ck_assert_msg(strstr(text, p->name), "%s", p->name);
	}
	for (char *rest, *line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		ck_assert_msg(line[0] == '#' && strlen(line) < 100, "%s", line);
}
END_TEST

START_TEST(test_command_help_has_the_keys_of_all_kinds_in_one_column)
{
	CLEANUP_FREE char *text = NULL;
	size_t size = 0, column = 0;
	FILE *out = open_memstream(&text, &size);

	host.remote.servers = "nats://localhost:4222";
	command_help(&host, out);
	fclose(out);
	for (size_t i = 0; kinds[i]; i++) {
		char path[64];
		const char *line, *key;

		if (!kinds[i]->parameters || !kinds[i]->parameters->name)
			continue;
		snprintf(path, sizeof(path), "\n#   %s ", kinds[i]->path);
		line = strstr(text, path);
		ck_assert_msg(line, "%s", path);
		key = line + strlen(path) + strspn(line + strlen(path), " ");
		if (column == 0)
			column = (size_t)(key - line);
		ck_assert_msg((size_t)(key - line) == column, "%s", line);
	}
	ck_assert_uint_gt(column, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command_help");

	suite_add(suite, "help",
		  (const TTest *const[]){
			  test_command_help_names_every_key_of_every_kind,
			  test_command_help_has_the_keys_of_all_kinds_in_one_column,
			  NULL,
		  });
	return suite_run(suite);
}
