// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The texts of info/, about one object and about all: what each caller sees in them, and that
 * reading them takes nothing from an object.
 */
#include <errno.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/mirror.h"
#include "tests/unit/objects.h"

static void put(const char *text)
{
	struct channel *channel = object_find(mirror_space(0), "p");
	struct file *file = object_open(channel, O_WRONLY);

	file_put(file, text);
	channel_release(file);
	channel_unref(channel);
}

START_TEST(test_info_status_of_a_pipe)
{
	mirror_make();
	put("hello");
	mirror_look("pipes/p/status");
	mirror_expect("kind pipes");
	mirror_expect("name p");
	mirror_expect("owner 0");
	mirror_expect("group 0");
	mirror_expect("mode 0600");
	mirror_expect("bytes 5");
	mirror_expect("capacity 1048576");
	mirror_expect("eof auto");
	mirror_expect("readers 0");
	mirror_expect("writers 0");
	mirror_expect("waiting 0");
	mirror_free();
}
END_TEST

START_TEST(test_info_status_counts_who_is_there)
{
	struct channel *channel;
	struct file *reader, *both;
	struct held held = {0};

	mirror_make();
	channel = object_find(mirror_space(0), "p");
	reader = object_open(channel, O_RDONLY);
	both = object_open(channel, O_RDWR);
	held_read(&held, reader, 10);
	mirror_look("pipes/p/status");
	mirror_expect("readers 2");
	mirror_expect("writers 1");
	mirror_expect("waiting 1");
	transfer_cancel(&held.transfer);
	channel_release(reader);
	channel_release(both);
	channel_unref(channel);
	mirror_free();
}
END_TEST

START_TEST(test_info_status_of_a_queue)
{
	struct file *file;

	mirror_make();
	file = object_open(object_find(mirror_space(1), "q"), O_WRONLY);
	channel_unref(file->channel);
	file_put(file, "one");
	file_put(file, "two");
	mirror_look("queues/q/status");
	mirror_expect("kind queues");
	mirror_expect("messages 2");
	mirror_expect("maxmsg 4");
	mirror_expect("msgsize 512");
	mirror_look("queues/q/status");
	mirror_expect("messages 2");
	mirror_expect("writers 1");
	channel_release(file);
	mirror_free();
}
END_TEST

START_TEST(test_info_status_of_a_region)
{
	mirror_make();
	mirror_look("shm/s/status");
	mirror_expect("kind shm");
	mirror_expect("size 8192");
	mirror_expect("bytes 0");
	mirror_free();
}
END_TEST

START_TEST(test_info_status_hides_a_queue_that_may_not_be_read)
{
	mirror_make();
	must(mirror_look_as(&stranger, "queues/q/status"));
	mirror_expect("mode 0600");
	mirror_expect_no("messages");
	mirror_free();
}
END_TEST

START_TEST(test_info_peek_shows_and_leaves_what_waits)
{
	struct file *file;

	mirror_make();
	mirror_look("pipes/p/peek");
	ck_assert_str_eq(mirror_text, "");
	put("one\n");
	put("two");
	for (int i = 0; i < 3; i++) {
		mirror_look("pipes/p/peek");
		ck_assert_str_eq(mirror_text, "one\ntwo");
	}
	file = object_open(object_find(mirror_space(0), "p"), O_RDONLY);
	channel_unref(file->channel);
	file_expect(file, 100, "one\ntwo");
	channel_release(file);
	mirror_look("pipes/p/peek");
	ck_assert_str_eq(mirror_text, "");
	mirror_free();
}
END_TEST

START_TEST(test_info_peek_takes_the_right_to_read)
{
	struct channel *channel;

	mirror_make();
	put("secret");
	must_fail(mirror_look_as(&stranger, "pipes/p/peek"), EACCES);
	channel = object_find(mirror_space(0), "p");
	must(object_chmod(channel, 0622, &root));
	must_fail(mirror_look_as(&stranger, "pipes/p/peek"), EACCES);
	must(object_chmod(channel, 0604, &root));
	must(mirror_look_as(&stranger, "pipes/p/peek"));
	ck_assert_str_eq(mirror_text, "secret");
	channel_unref(channel);
	mirror_free();
}
END_TEST

START_TEST(test_info_peek_is_not_there_for_who_may_not_read)
{
	struct entry directory = {0}, peek = {0};
	struct selector selector;
	struct channel *channel;

	mirror_make();
	put("secret");
	must(mirror_find("pipes/p", &directory));
	must_fail(space_lookup(directory.space, "peek", &stranger, &peek, &selector), ENOENT);
	channel = object_find(mirror_space(0), "p");
	must(object_chmod(channel, 0604, &root));
	must(space_lookup(directory.space, "peek", &stranger, &peek, &selector));
	entry_unref(&peek);
	entry_unref(&directory);
	channel_unref(channel);
	mirror_free();
}
END_TEST

START_TEST(test_info_of_a_removed_object_is_gone)
{
	struct entry directory = {0}, text = {0};
	struct file *file = NULL;

	mirror_make();
	channel_unref(object_make(mirror_space(0), "gone"));
	must(mirror_find("pipes/gone", &directory));
	must(mirror_find_in(directory.space, "status", &text));
	must(space_remove(mirror_space(0), "gone", &root));
	must_fail(object_open_as(text.channel, O_RDONLY, &root, &file), ENOENT);
	must_fail(mirror_find_in(directory.space, "status", &(struct entry){0}), ENOENT);
	must_fail(mirror_find("pipes/gone", &(struct entry){0}), ENOENT);
	channel_unref(text.channel);
	space_unref(directory.space);
	mirror_free();
}
END_TEST

START_TEST(test_info_mirrors_what_is_there)
{
	struct entry first = {0}, second = {0};
	ino_t ino;
	mode_t mode;

	mirror_make();
	must(mirror_find("pipes", &first));
	ck_assert_int_eq(space_count(first.space), 1);
	ck_assert_int_eq(space_list_find(first.space, "p", &ino, &mode), 1);
	ck_assert(S_ISDIR(mode));
	space_unref(first.space);
	must(mirror_find("pipes/p", &first));
	must(mirror_find("pipes/p", &second));
	ck_assert_ptr_eq(first.space, second.space);
	ck_assert_uint_eq(first.space->ino, ino);
	ck_assert_int_eq(space_count(first.space), 3);
	must_fail(mirror_find("pipes/x", &(struct entry){0}), ENOENT);
	must_fail(mirror_find("pipes/p/x", &(struct entry){0}), ENOENT);
	space_unref(first.space);
	space_unref(second.space);
	mirror_free();
}
END_TEST

START_TEST(test_info_has_no_priorities_of_names)
{
	mirror_make();
	must_fail(mirror_find("queues/q:9", &(struct entry){0}), ENOENT);
	mirror_free();
}
END_TEST

START_TEST(test_info_makes_and_removes_nothing)
{
	struct channel *channel = NULL;
	struct entry entry = {0};

	mirror_make();
	must(mirror_find("pipes", &entry));
	must_fail(object_create(entry.space, "x", S_IFREG | 0600, &root, &channel), EPERM);
	must_fail(space_remove(entry.space, "p", &root), EPERM);
	must_fail(space_rename(entry.space, "p", "r", 0, &root), EPERM);
	space_unref(entry.space);
	must(object_lookup(mirror_space(0), "p", NULL));
	mirror_free();
}
END_TEST

START_TEST(test_info_tables_name_every_object)
{
	mirror_make();
	mirror_look("summary");
	ck_assert(mirror_was_awaited);
	ck_assert_int_eq(strncmp(mirror_text, "KIND ", 5), 0);
	mirror_look("metrics");
	mirror_expect("ipcfs_bytes{kind=\"pipes\",name=\"p\",owner=\"root\"} 0");
	mirror_expect("ipcfs_messages{kind=\"queues\",name=\"q\",owner=\"root\"} 0");
	mirror_expect("# EOF");
	ck_assert(mirror_was_awaited);
	mirror_look("inventory.json");
	ck_assert(mirror_was_awaited);
	ck_assert_ptr_nonnull(strstr(mirror_text, "\"kind\":\"shm\""));
	mirror_look("graph.dot");
	mirror_expect("\t\"queues/q\" [label=\"q\\nqueues\"];");
	mirror_free();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("info");

	suite_add(suite, "status",
		  (const TTest *const[]){
			  test_info_status_of_a_pipe,
			  test_info_status_counts_who_is_there,
			  test_info_status_of_a_queue,
			  test_info_status_of_a_region,
			  test_info_status_hides_a_queue_that_may_not_be_read,
			  NULL,
		  });
	suite_add(suite, "peek",
		  (const TTest *const[]){
			  test_info_peek_shows_and_leaves_what_waits,
			  test_info_peek_takes_the_right_to_read,
			  test_info_peek_is_not_there_for_who_may_not_read,
			  NULL,
		  });
	suite_add(suite, "tree",
		  (const TTest *const[]){
			  test_info_of_a_removed_object_is_gone,
			  test_info_mirrors_what_is_there,
			  test_info_has_no_priorities_of_names,
			  test_info_makes_and_removes_nothing,
			  test_info_tables_name_every_object,
			  NULL,
		  });
	return suite_run(suite);
}
