/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file `tap` in info/: where it is, for whom, and when it ends.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/mirror.h"
#include "tests/unit/objects.h"

static struct channel *find_tap(const char *path)
{
	struct entry entry = {0};

	must(mirror_find(path, &entry));
	ck_assert_ptr_nonnull(entry.channel);
	return entry.channel;
}

static struct file *open_tap(const char *path)
{
	struct channel *channel = find_tap(path);
	struct file *file = object_open(channel, O_RDONLY);

	channel_unref(channel);
	return file;
}

/* Opens queues/q. */
static struct file *open_queue(void)
{
	struct channel *channel = object_find(mirror_space(1), "q");
	struct file *file = object_open(channel, O_RDWR);

	channel_unref(channel);
	return file;
}

static void expect_end(struct held *held, const char *text)
{
	const char *end;

	held_wait(held);
	ck_assert_uint_eq(held->n, 1);
	end = held->data + held->result - strlen(text);
	ck_assert_mem_eq(end, text, strlen(text));
}

START_TEST(test_info_tap_is_found_but_not_listed)
{
	struct entry directory = {0};
	mode_t mode;
	ino_t ino;

	mirror_make();
	must(mirror_find("queues/q", &directory));
	ck_assert_int_eq(space_list_find(directory.space, "peers", &ino, &mode), 1);
	ck_assert_int_eq(space_list_find(directory.space, "tap", &ino, &mode), 0);
	entry_unref(&directory);
	channel_unref(find_tap("queues/q/tap"));
	mirror_free();
}
END_TEST

/* Nothing passes through the daemon there. */
START_TEST(test_info_tap_is_not_there_for_memory)
{
	struct entry entry = {0};

	mirror_make();
	must_fail(mirror_find("shm/s/tap", &entry), ENOENT);
	mirror_free();
}
END_TEST

START_TEST(test_info_tap_takes_the_right_to_read)
{
	struct entry directory = {0}, found = {0};
	struct selector selector;
	struct channel *tap, *queue;
	struct file *file;

	mirror_make();
	must(mirror_find("queues/q", &directory));
	must_fail(space_lookup(directory.space, "tap", &stranger, &found, &selector), ENOENT);
	tap = find_tap("queues/q/tap");
	must_fail(object_open_as(tap, O_RDONLY, &stranger, &file), EACCES);
	must_fail(object_open_as(tap, O_RDWR, &root, &file), EACCES);
	queue = object_find(mirror_space(1), "q");
	must(object_chmod(queue, 0604, &root));
	must(object_open_as(tap, O_RDONLY, &stranger, &file));
	channel_unref(queue);
	channel_release(file);
	channel_unref(tap);
	entry_unref(&directory);
	mirror_free();
}
END_TEST

/* Whoever opens the queue after the tap is seen, too, although nobody else refers to the queue. */
START_TEST(test_info_tap_shows_later_opens)
{
	struct held held = {0};
	struct file *tap, *queue;

	mirror_make();
	tap = open_tap("queues/q/tap");
	held_read(&held, tap, sizeof(held.data));
	queue = open_queue();
	file_put(queue, "hello");
	expect_end(&held, " - > 5\nhello\n");
	channel_release(queue);
	channel_release(tap);
	mirror_free();
}
END_TEST

/* All opens of one path have their own positions, also those of one lookup. */
START_TEST(test_info_tap_opens_are_apart)
{
	struct channel *channel;
	struct file *taps[2], *queue;
	struct held held[2] = {{.n = 0}};

	mirror_make();
	channel = find_tap("queues/q/tap");
	for (int i = 0; i < 2; i++) {
		taps[i] = object_open(channel, O_RDONLY);
		held_read(&held[i], taps[i], sizeof(held[i].data));
	}
	queue = open_queue();
	file_put(queue, "hello");
	for (int i = 0; i < 2; i++) {
		expect_end(&held[i], " > 5\nhello\n");
		channel_release(taps[i]);
	}
	channel_release(queue);
	channel_unref(channel);
	mirror_free();
}
END_TEST

/* The object goes while it is open, and ends when it is closed. The kernel does not tell. */
START_TEST(test_info_tap_ends_when_the_object_has_ended)
{
	struct held held = {0};
	struct file *tap, *queue;

	mirror_make();
	tap = open_tap("queues/q/tap");
	queue = open_queue();
	must(space_remove(mirror_space(1), "q", &root));
	held_read(&held, tap, sizeof(held.data));
	file_put(queue, "last");
	expect_end(&held, " > 4\nlast\n");
	held = (struct held){0};
	held_read(&held, tap, sizeof(held.data));
	if (_i)
		channel_release(queue);
	else
		loop_settle();
	if (!_i) {
		ck_assert_uint_eq(held.n, 0);
		channel_release(queue);
	}
	held_wait(&held);
	held_expect_result(&held, 0);
	ck_assert_uint_eq(channel_poll(tap), EPOLLHUP);
	channel_release(tap);
	mirror_free();
}
END_TEST

START_TEST(test_info_tap_of_an_unused_object_ends_when_it_is_removed)
{
	struct held held = {0};
	struct file *tap;

	mirror_make();
	tap = open_tap("queues/q/tap");
	held_read(&held, tap, sizeof(held.data));
	must(space_remove(mirror_space(1), "q", &root));
	held_wait(&held);
	held_expect_result(&held, 0);
	channel_release(tap);
	mirror_free();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("info_tap");

	suite_add(suite, "tap",
		  (const TTest *const[]){
			  test_info_tap_is_found_but_not_listed,
			  test_info_tap_is_not_there_for_memory,
			  test_info_tap_takes_the_right_to_read,
			  test_info_tap_shows_later_opens,
			  test_info_tap_opens_are_apart,
			  test_info_tap_of_an_unused_object_ends_when_it_is_removed,
			  NULL,
		  });
	suite_add_loop(suite, "end",
		       (const TTest *const[]){
			       test_info_tap_ends_when_the_object_has_ended,
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
