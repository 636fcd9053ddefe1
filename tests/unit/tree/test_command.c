// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The grammar of ctl and of the configuration: what each line does, and the exact words with which
 * a wrong one is refused.
 */
#include <errno.h>
#include <limits.h>
#include <mqueue.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/commands.h"
#include "tests/unit/objects.h"

START_TEST(test_command_create_makes_every_kind)
{
	commands_open();
	must(command("create pipes/p"));
	must(command("create queues/q"));
	must(command("create shm/s"));
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(space_count(host.spaces[i]), 1);
	must(object_lookup(host.spaces[PIPES], "p", NULL));
	must(object_lookup(host.spaces[QUEUES], "q", NULL));
	must(object_lookup(host.spaces[SHM], "s", NULL));
}
END_TEST

START_TEST(test_command_create_takes_every_key)
{
	commands_open();
	must(command("create pipes/p capacity=64K eof=never mode=0620 owner=1000 group=4"));
	must(command("create queues/q maxmsg=3 msgsize=1K mode=0604"));
	must(command("create shm/s size=3M mode=7 group=5"));
	command_expect_status(PIPES, "p", "capacity", "65536");
	command_expect_status(PIPES, "p", "eof", "never");
	ck_assert_uint_eq(command_stat(PIPES, "p").st_mode, S_IFREG | 0620);
	ck_assert_uint_eq(command_stat(PIPES, "p").st_uid, 1000);
	ck_assert_uint_eq(command_stat(PIPES, "p").st_gid, 4);
	command_expect_status(QUEUES, "q", "maxmsg", "3");
	command_expect_status(QUEUES, "q", "msgsize", "1024");
	ck_assert_uint_eq(command_stat(QUEUES, "q").st_mode & 07777, 0604);
	ck_assert_int_eq(command_stat(SHM, "s").st_size, 3 << 20);
	ck_assert_uint_eq(command_stat(SHM, "s").st_mode & 07777, 07);
	ck_assert_uint_eq(command_stat(SHM, "s").st_gid, 5);
}
END_TEST

START_TEST(test_command_create_of_one_queue_key_leaves_the_other_to_the_system)
{
	commands_open();
	must(command("create queues/q maxmsg=2"));
	command_expect_status(QUEUES, "q", "msgsize", "512");
	must(command("remove queues/q"));
	must(command("create queues/q msgsize=100"));
	command_expect_status(QUEUES, "q", "maxmsg", "4");
}
END_TEST

START_TEST(test_command_create_without_mode_has_the_callers_umask)
{
	commands_open();
	stranger.is_loaded = true;
	stranger.umask = 027;
	must(command_as(&stranger, COMMAND_STRICT, "create pipes/p"));
	must(command_as(&stranger, COMMAND_STRICT, "create queues/q"));
	must(command_as(&stranger, COMMAND_STRICT, "create shm/s"));
	must(command_as(&stranger, COMMAND_STRICT, "create shm/given mode=0666"));
	ck_assert_uint_eq(command_stat(PIPES, "p").st_mode & 07777, 0640);
	ck_assert_uint_eq(command_stat(QUEUES, "q").st_mode & 07777, 0640);
	ck_assert_uint_eq(command_stat(SHM, "s").st_mode & 07777, 0640);
	ck_assert_uint_eq(command_stat(SHM, "given").st_mode & 07777, 0666);
	ck_assert_uint_eq(command_stat(QUEUES, "q").st_uid, STRANGER);
}
END_TEST

START_TEST(test_command_owner_and_group_can_be_names)
{
	commands_open();
	must(command("create pipes/p owner=nobody group=nogroup"));
	ck_assert_uint_eq(command_stat(PIPES, "p").st_uid, 65534);
	ck_assert_uint_eq(command_stat(PIPES, "p").st_gid, 65534);
}
END_TEST

START_TEST(test_command_set_changes_what_it_names)
{
	commands_open();
	must(command("create pipes/p mode=0600 eof=never"));
	must(command("set pipes/p capacity=1M"));
	command_expect_status(PIPES, "p", "capacity", "1048576");
	command_expect_status(PIPES, "p", "eof", "never");
	ck_assert_uint_eq(command_stat(PIPES, "p").st_mode & 07777, 0600);
	must(command("set pipes/p eof=auto mode=0644 owner=1 group=2"));
	command_expect_status(PIPES, "p", "eof", "auto");
	command_expect_status(PIPES, "p", "capacity", "1048576");
	ck_assert_uint_eq(command_stat(PIPES, "p").st_mode & 07777, 0644);
	ck_assert_uint_eq(command_stat(PIPES, "p").st_uid, 1);
	must(command("create shm/s size=8K"));
	must(command("set shm/s size=4096"));
	ck_assert_int_eq(command_stat(SHM, "s").st_size, 4096);
	must(command("create queues/q"));
	must(command("set queues/q mode=0600 owner=7"));
	ck_assert_uint_eq(command_stat(QUEUES, "q").st_uid, 7);
}
END_TEST

START_TEST(test_command_set_has_a_worker_cut_a_region_down)
{
	static const char line[] = "set shm/s size=4K";
	struct command *alone;

	commands_open();
	must(command("create shm/s size=64M mode=0644"));
	host.is_serving = true;
	must(command_new(&host, line, strlen(line), COMMAND_STRICT, &root, &alone));
	must_fail(command_run(alone, NULL), EAGAIN);
	command_free(alone);
	must_fail(command_as(&stranger, COMMAND_STRICT, line), EACCES);
	must(command(line));
	ck_assert_int_eq(command_stat(SHM, "s").st_size, 4096);
}
END_TEST

START_TEST(test_command_remove_removes)
{
	commands_open();
	must(command("create pipes/p"));
	must(command("create queues/q"));
	must(command("create shm/s"));
	must(command("remove pipes/p"));
	must(command("remove queues/q"));
	must(command("remove shm/s"));
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(space_count(host.spaces[i]), 0);
}
END_TEST

static const char *const empty[] = {"", "\n", "   \t ", "\r\n", "# create pipes/p", "   # x", "#"};
#define N_EMPTY (sizeof(empty) / sizeof(empty[0]))

START_TEST(test_command_empty_line_does_nothing)
{
	commands_open();
	must(command(empty[_i]));
	ck_assert_int_eq(space_count(host.spaces[PIPES]), 0);
	ck_assert_str_eq(command_fault, "");
}
END_TEST

static const char *const spelled[] = {
	"create pipes/p mode=0600\n",    "  create\tpipes/p   mode=0600  ",
	"create pipes/p mode=0600\r\n",  "create pipes/p mode=0600 # mode=0644",
	"create pipes/p mode=0600 #bad", "create pipes/p mode=0644 mode=0600",
	"create pipes/p mode=600",
};
#define N_SPELLED (sizeof(spelled) / sizeof(spelled[0]))

START_TEST(test_command_blanks_and_comments_are_left_out)
{
	commands_open();
	must(command(spelled[_i]));
	ck_assert_uint_eq(command_stat(PIPES, "p").st_mode & 07777, 0600);
}
END_TEST

START_TEST(test_command_name_may_hold_a_hash_and_a_colon)
{
	commands_open();
	must(command("create pipes/a#b:9"));
	must(object_lookup(host.spaces[PIPES], "a#b:9", NULL));
}
END_TEST

START_TEST(test_command_line_of_the_greatest_length_is_read)
{
	char line[COMMAND_MAX + 1];
	const char *verb = "create pipes/p #";

	commands_open();
	memset(line, 'x', sizeof(line));
	memcpy(line, verb, strlen(verb));
	line[COMMAND_MAX - 1] = '\0';
	must(command(line));
	line[COMMAND_MAX - 1] = 'x';
	line[COMMAND_MAX] = '\0';
	command_expect_refused(command(line), EINVAL, "longer than 4095 bytes");
}
END_TEST

START_TEST(test_command_line_with_nul_is_refused)
{
	commands_open();
	must_fail(command_of("create pipes/p\0 mode=0600", 25), EINVAL);
	ck_assert_str_eq(command_fault, "contains a NUL byte");
	ck_assert_int_eq(space_count(host.spaces[PIPES]), 0);
}
END_TEST

START_TEST(test_command_reads_no_further_than_its_length)
{
	commands_open();
	must(command_of("create pipes/pretty", 14));
	must(object_lookup(host.spaces[PIPES], "p", NULL));
}
END_TEST

START_TEST(test_command_name_too_long_is_refused)
{
	char line[COMMAND_MAX] = "create pipes/";

	commands_open();
	memset(line + strlen(line), 'n', NAME_MAX);
	must(command(line));
	line[strlen(line)] = 'n';
	command_expect_refused(command(line), ENAMETOOLONG,
			       "pipes/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: "
			       "name longer than 255 bytes");
}
END_TEST

START_TEST(test_command_words_beyond_limit_are_refused)
{
	char line[COMMAND_MAX] = "create pipes/p";

	commands_open();
	for (int i = 0; i < 30; i++)
		strcat(line, " mode=0600");
	must(command(line));
	strcat(line, " mode=0600");
	command_expect_refused(command(line), EINVAL, "more than 32 words");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command");

	suite_add(suite, "commands",
		  (const TTest *const[]){
			  test_command_create_makes_every_kind,
			  test_command_create_takes_every_key,
			  test_command_create_of_one_queue_key_leaves_the_other_to_the_system,
			  test_command_create_without_mode_has_the_callers_umask,
			  test_command_owner_and_group_can_be_names,
			  test_command_set_changes_what_it_names,
			  test_command_set_has_a_worker_cut_a_region_down,
			  test_command_remove_removes,
			  NULL,
		  });
	suite_add_loop(suite, "empty",
		       (const TTest *const[]){test_command_empty_line_does_nothing, NULL}, N_EMPTY);
	suite_add_loop(suite, "spelling",
		       (const TTest *const[]){test_command_blanks_and_comments_are_left_out, NULL},
		       N_SPELLED);
	suite_add(suite, "lines",
		  (const TTest *const[]){
			  test_command_name_may_hold_a_hash_and_a_colon,
			  test_command_line_of_the_greatest_length_is_read,
			  test_command_line_with_nul_is_refused,
			  test_command_reads_no_further_than_its_length,
			  test_command_name_too_long_is_refused,
			  test_command_words_beyond_limit_are_refused,
			  NULL,
		  });
	return suite_run(suite);
}
