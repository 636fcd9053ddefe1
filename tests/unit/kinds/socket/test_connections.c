// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The names under which info/ shows connections.
 */
#include "lib/kinds/socket/connections.h"

#include <limits.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

START_TEST(test_connections_numbers_come_again)
{
	struct connections *list;
	struct connection *connections[4];
	struct file *files[4];

	must(connections_new(&host, &unix_kind, NULL, &list));
	for (int i = 0; i < 4; i++) {
		must(connection_new(&connection_ops, list, "c", NULL, &connections[i]));
		if (i == 2)
			list->last_number = UINT_MAX - 1;
		files[i] = object_open(&connections[i]->channel, O_RDWR);
	}
	must(object_lookup(&list->space, "c#1", NULL));
	must(object_lookup(&list->space, "c#3", NULL));
	for (int i = 0; i < 4; i++) {
		object_close(files[i]);
		channel_unref(&connections[i]->channel);
	}
	ck_assert_int_eq(space_count(&list->space), 0);
	space_unref(&list->space);
}
END_TEST

static bool keep_name(void *data, const char *name, ino_t ino, mode_t mode)
{
	strcpy(data, name);
	return true;
}

/* A connection's label can be a path, which can be longer than a file name. */
START_TEST(test_connections_long_label_makes_a_name)
{
	char label[4096] = "", name[4096] = "";
	struct connections *list;
	struct connection *connection;
	struct file *file;

	memset(label, 'x', 2000);
	strcat(label, "%2Fthe-end");
	must(connections_new(&host, &unix_kind, NULL, &list));
	must(connection_new(&connection_ops, list, label, NULL, &connection));
	file = object_open(&connection->channel, O_RDWR);
	must(space_list(&list->space, &root, keep_name, name));
	ck_assert_uint_le(strlen(name), NAME_MAX);
	ck_assert_ptr_nonnull(strstr(name, "x%2Fthe-end#1"));
	must(object_lookup(&list->space, name, NULL));
	object_close(file);
	channel_unref(&connection->channel);
	space_unref(&list->space);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("connections");

	suite_add(suite, "names",
		  (const TTest *const[]){
			  test_connections_long_label_makes_a_name,
			  test_connections_numbers_come_again,
			  NULL,
		  });
	return suite_run(suite);
}
