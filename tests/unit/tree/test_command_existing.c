// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `create` for an object that exists already. In ctl that is an error, whose text says how the
 * object differs. In a configuration the object is kept and adjusted, and what can't be adjusted is
 * a fault. Also names that have to be quoted.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/commands.h"
#include "tests/unit/objects.h"

START_TEST(test_command_keep_adjusts_what_exists)
{
	struct file *file;

	commands_open();
	must(command("create pipes/p capacity=64K mode=0600"));
	file = object_open(object_find(host.spaces[PIPES], "p"), O_RDWR);
	channel_unref(file->channel);
	file_put(file, "data");
	must(command_as(&root, COMMAND_KEEP,
			"create pipes/p capacity=1M mode=0640 owner=3 eof=never"));
	command_expect_status(PIPES, "p", "capacity", "1048576");
	command_expect_status(PIPES, "p", "eof", "never");
	ck_assert_uint_eq(command_stat(PIPES, "p").st_mode & 07777, 0640);
	ck_assert_uint_eq(command_stat(PIPES, "p").st_uid, 3);
	file_expect(file, 100, "data");
	channel_release(file);
}
END_TEST

START_TEST(test_command_keep_changes_nothing_that_is_fixed_or_loses_data)
{
	commands_open();
	must(command("create queues/q maxmsg=2 msgsize=100 mode=0600"));
	must(command("create shm/s size=8K"));
	command_expect_refused(
		command_as(&root, COMMAND_KEEP, "create queues/q maxmsg=3 msgsize=200 mode=0640"),
		EEXIST,
		"create queues/q: already exists with maxmsg=2 msgsize=100, "
		"not maxmsg=3 msgsize=200");
	command_expect_refused(command_as(&root, COMMAND_KEEP, "create shm/s size=4K mode=0604"),
			       EEXIST, "create shm/s: already exists with size=8192, not size=4K");
	command_expect_status(QUEUES, "q", "maxmsg", "2");
	command_expect_status(QUEUES, "q", "msgsize", "100");
	ck_assert_uint_eq(command_stat(QUEUES, "q").st_mode & 07777, 0640);
	ck_assert_int_eq(command_stat(SHM, "s").st_size, 8192);
	ck_assert_uint_eq(command_stat(SHM, "s").st_mode & 07777, 0604);
}
END_TEST

START_TEST(test_command_keep_tells_only_what_differs)
{
	commands_open();
	must(command("create queues/q maxmsg=2 msgsize=1K"));
	must(command("create shm/s size=8K"));
	must(command("create pipes/p served=daemon"));
	must(command_as(&root, COMMAND_KEEP, "create queues/q maxmsg=2 msgsize=1024"));
	must(command_as(&root, COMMAND_KEEP, "create shm/s size=8192"));
	must(command_as(&root, COMMAND_KEEP, "create pipes/p served=daemon eof=never"));
	command_expect_refused(
		command_as(&root, COMMAND_KEEP, "create queues/q maxmsg=2 msgsize=2K"), EEXIST,
		"create queues/q: already exists with msgsize=1024, not msgsize=2K");
	command_expect_refused(
		command_as(&root, COMMAND_KEEP, "create pipes/p served=kernel eof=auto"), EEXIST,
		"create pipes/p: already exists with served=daemon, "
		"not served=kernel");
	command_expect_status(PIPES, "p", "eof", "auto");
}
END_TEST

START_TEST(test_command_create_of_what_exists_tells_how_it_differs)
{
	commands_open();
	must(command("create queues/q maxmsg=2 msgsize=1K mode=0600"));
	must(command("create pipes/p served=daemon eof=never"));
	command_expect_refused(command("create queues/q maxmsg=3 msgsize=1024"), EEXIST,
			       "create queues/q: already exists with maxmsg=2, not maxmsg=3");
	command_expect_refused(command("create queues/q maxmsg=2"), EEXIST,
			       "create queues/q: already exists");
	command_expect_refused(command("create pipes/p eof=auto"), EEXIST,
			       "create pipes/p: already exists with eof=never, not eof=auto");
	command_expect_status(PIPES, "p", "eof", "never");
	/* A caller who may not read the queue is not told how it differs. */
	command_expect_refused(command_as(&stranger, COMMAND_STRICT, "create queues/q maxmsg=3"),
			       EEXIST, "create queues/q: already exists");
}
END_TEST

START_TEST(test_command_name_has_any_bytes_by_quotes_and_escapes)
{
	static const struct {
		const char *word, *name;
	} words[] = {
		{"'pipes/a b'", "a b"},
		{"\"pipes/a b\"", "a b"},
		{"pipes/a' 'b", "a b"},
		{"pipes/a\\ b", "a b"},
		{"pipes/a\\040b", "a b"},
		{"pipes/\"a\\x20b\"", "a b"},
		{"pipes/\\x41\\102\\x6a", "ABj"},
		{"'pipes/a\\040b'", "a\\040b"},
		{"'pipes/\"'", "\""},
		{"\"pipes/'\"", "'"},
		{"\"pipes/\\\"\"", "\""},
		{"pipes/\\'\\\\", "'\\"},
		{"pipes/\\012\\x0a", "\n\n"},
		{"pipes\\057x", "x"},
		{"pipes/\\377", "\377"},
		{"pipes/'#' # a comment", "#"},
	};

	commands_open();
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		char line[100];

		snprintf(line, sizeof(line), "create %s", words[i].word);
		must(command(line));
		must(object_lookup(host.spaces[PIPES], words[i].name, NULL));
		snprintf(line, sizeof(line), "remove %s", words[i].word);
		must(command(line));
	}
	ck_assert_int_eq(space_count(host.spaces[PIPES]), 0);
}
END_TEST

START_TEST(test_command_quotes_a_value_and_a_verb)
{
	commands_open();
	must(command("'create' pipes/p \"mode=0600\" 'eof='never"));
	command_expect_status(PIPES, "p", "eof", "never");
	ck_assert_uint_eq(command_stat(PIPES, "p").st_mode & 07777, 0600);
}
END_TEST

START_TEST(test_command_keep_without_mode_leaves_the_mode)
{
	commands_open();
	must(command("create pipes/p mode=0600"));
	must(command_as(&root, COMMAND_KEEP, "create pipes/p"));
	ck_assert_uint_eq(command_stat(PIPES, "p").st_mode & 07777, 0600);
}
END_TEST

/* An object of a third user is not given away: its maker may still have it open. */
START_TEST(test_command_keep_takes_nothing_of_a_third_users)
{
	commands_open();
	stranger.is_loaded = true;
	must(command_as(&stranger, COMMAND_STRICT, "create pipes/p mode=0666"));
	must(command_as(&stranger, COMMAND_STRICT, "create queues/q mode=0666"));
	must(command_as(&stranger, COMMAND_STRICT, "create shm/s mode=0666"));
	must_fail(command_as(&root, COMMAND_KEEP, "create pipes/p owner=3 mode=0600"), EPERM);
	ck_assert_msg(strstr(command_fault, "belongs to user 65534"), "%s", command_fault);
	must_fail(command_as(&root, COMMAND_KEEP, "create queues/q owner=3 mode=0600"), EPERM);
	must_fail(command_as(&root, COMMAND_KEEP, "create shm/s owner=3 mode=0600"), EPERM);
	ck_assert_uint_eq(command_stat(QUEUES, "q").st_uid, STRANGER);
	ck_assert_uint_eq(command_stat(QUEUES, "q").st_mode & 07777, 0666);
	must(command_as(&root, COMMAND_KEEP, "create queues/q owner=65534 mode=0600"));
	ck_assert_uint_eq(command_stat(QUEUES, "q").st_mode & 07777, 0600);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("commands on what exists");

	suite_add(suite, "existing",
		  (const TTest *const[]){
			  test_command_keep_adjusts_what_exists,
			  test_command_keep_changes_nothing_that_is_fixed_or_loses_data,
			  test_command_keep_tells_only_what_differs,
			  test_command_create_of_what_exists_tells_how_it_differs,
			  test_command_name_has_any_bytes_by_quotes_and_escapes,
			  test_command_quotes_a_value_and_a_verb,
			  test_command_keep_without_mode_leaves_the_mode,
			  test_command_keep_takes_nothing_of_a_third_users,
			  NULL,
		  });
	return suite_run(suite);
}
