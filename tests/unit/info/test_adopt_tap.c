// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a reader of a tap gets when the daemon has been killed.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/kinds/kinds.h"
#include "lib/tree/root.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/mirror.h"
#include "tests/unit/objects.h"

enum { REQUEST = 7 };

static struct space *tree;
static struct file *pipe_file, *tap;
static char text[4096];

static void ignore_missing(const char *name, int error)
{
}

static void begin(void)
{
	must(root_new(&host, ignore_missing, &tree));
}

static struct file *open_tap(const char *path, struct caller *caller)
{
	struct entry entry = {0};
	struct file *file = NULL;

	must(mirror_find(path, &entry));
	must(object_open_as(entry.channel, O_RDONLY, caller, &file));
	entry_unref(&entry);
	return file;
}

/* Opens pipes/p and its tap. */
static void make(void)
{
	struct channel *channel;

	adopt_open(&event_kind); /* notes which descriptors are the test's */
	adopt_prepare = begin;
	begin();
	channel = object_make(mirror_space(0), "p");
	pipe_file = object_open(channel, O_RDWR);
	channel_unref(channel);
	tap = open_tap("pipes/p/tap", &root);
}

static void restart(void)
{
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 0);
	if (pipe_file)
		pipe_file = adopted_file(pipe_file);
	tap = adopted_file(tap);
	ck_assert_ptr_nonnull(tap);
	loop_settle();
}

static void end(void)
{
	channel_release(tap);
	channel_release(pipe_file);
	space_remove(mirror_space(0), "p", &root);
	root_free(&host, tree);
}

/* Reads up to `size` bytes of the tap into `text`. Returns the result. */
static ssize_t take(size_t size)
{
	const void *data = NULL;
	ssize_t n;

	loop_settle();
	n = channel_read(tap, size, 0, &data);
	snprintf(text, sizeof(text), "%.*s", n > 0 ? (int)n : 0, n > 0 ? (const char *)data : "");
	channel_given(tap, true);
	return n;
}

/* Reads the tap, and expects the text to end like this. */
static void expect(const char *ending)
{
	size_t length = strlen(ending);

	ck_assert_int_gt(take(sizeof(text) - 1), 0);
	ck_assert_msg(strlen(text) >= length && strcmp(text + strlen(text) - length, ending) == 0,
		      "%s", text);
}

START_TEST(test_adopted_tap_goes_on)
{
	make();
	file_put(pipe_file, "one");
	expect(" > 3\none\n");
	restart();
	must_fail(take(100), EAGAIN);
	ck_assert_uint_eq(channel_poll(tap), 0);
	file_put(pipe_file, "two");
	expect(" > 3\ntwo\n");
	ck_assert_ptr_null(strstr(text, "missed"));
	end();
}
END_TEST

START_TEST(test_adopted_tap_says_how_much_it_has_missed)
{
	make();
	file_put(pipe_file, "one");
	expect(" > 3\none\n");
	file_put(pipe_file, "two");
	file_put(pipe_file, "three");
	for (int i = 0; i < 3; i++)
		restart();
	ck_assert(channel_poll(tap) & EPOLLIN);
	file_put(pipe_file, "four");
	expect(" > 4\nfour\n");
	ck_assert_mem_eq(text, "missed 2\n", 9);
	restart();
	must_fail(take(100), EAGAIN);
	end();
}
END_TEST

START_TEST(test_adopted_tap_completes_the_record_that_was_begun)
{
	make();
	file_put(pipe_file, "a long text\n");
	file_put(pipe_file, "missed\n");
	ck_assert_int_eq(take(10), 10);
	restart();
	expect("a long text\n\nmissed 1\n");
	ck_assert_ptr_nonnull(strstr(text, " > 12\n"));
	end();
}
END_TEST

/* The daemon was killed before the reader was answered, and the read comes again. */
START_TEST(test_adopted_tap_gives_again_what_was_not_given)
{
	const void *data = NULL;
	char first[16];
	ssize_t n;

	make();
	file_put(pipe_file, "one");
	loop_settle();
	host.journal->request = REQUEST;
	n = must(channel_read(tap, 12, 0, &data));
	ck_assert_int_eq(n, 12);
	memcpy(first, data, 12);
	host.journal->request = 0;
	adopt_again(REQUEST);
	restart();
	ck_assert_int_eq(take(12), 12);
	ck_assert_mem_eq(text, first, 12);
	expect(" > 3\none\n");
	must_fail(take(100), EAGAIN);
	end();
}
END_TEST

START_TEST(test_adopted_tap_has_ended_with_its_object)
{
	make();
	file_put(pipe_file, "one");
	must(space_remove(mirror_space(0), "p", &root));
	channel_release(pipe_file);
	pipe_file = NULL;
	loop_settle();
	restart();
	ck_assert_int_eq(take(sizeof(text) - 1), 9);
	ck_assert_str_eq(text, "missed 1\n");
	ck_assert_int_eq(take(100), 0);
	ck_assert(channel_poll(tap) & EPOLLHUP);
	end();
}
END_TEST

/* Nobody has the object open, but it is watched. */
START_TEST(test_adopted_tap_finds_an_object_that_was_never_open)
{
	struct channel *channel;
	struct file *file;

	make();
	channel_release(tap);
	channel_unref(object_make(mirror_space(1), "q"));
	tap = open_tap("queues/q/tap", &root);
	restart();
	channel = object_find(mirror_space(1), "q");
	file = object_open(channel, O_RDWR);
	channel_unref(channel);
	file_put(file, "one");
	expect(" > 3\none\n");
	channel_release(file);
	must(space_remove(mirror_space(1), "q", &root));
	end();
}
END_TEST

START_TEST(test_adopted_tap_has_several_readers)
{
	struct file *other;

	make();
	must(object_chmod(pipe_file->channel, 0644, &root));
	other = open_tap("pipes/p/tap", &stranger);
	file_put(pipe_file, "one");
	expect(" > 3\none\n");
	adopt_restart();
	pipe_file = adopted_file(pipe_file);
	tap = adopted_file(tap);
	other = adopted_file(other);
	must_fail(take(100), EAGAIN);
	file_put(pipe_file, "two");
	expect(" > 3\ntwo\n");
	channel_release(tap);
	tap = other;
	expect(" - > 3\ntwo\n");
	ck_assert_mem_eq(text, "missed 1\n", 9);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_tap");

	suite_add(suite, "tap",
		  (const TTest *const[]){
			  test_adopted_tap_goes_on,
			  test_adopted_tap_says_how_much_it_has_missed,
			  test_adopted_tap_completes_the_record_that_was_begun,
			  test_adopted_tap_gives_again_what_was_not_given,
			  test_adopted_tap_has_ended_with_its_object,
			  test_adopted_tap_finds_an_object_that_was_never_open,
			  test_adopted_tap_has_several_readers,
			  NULL,
		  });
	return suite_run(suite);
}
