/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a topic tells, and to whom; what can be set, by whom, and what follows from it; and when its
 * readers are at end-of-file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/topic/topic.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { CAPACITY = 4096, MESSAGE = CAPACITY / 4 - 8 };

static struct channel *topic;
static const char zeroes[CAPACITY];

static int set(unsigned index, uint64_t value, struct caller *caller)
{
	struct settings settings = {.given = 1U << index};

	settings.values[index] = value;
	return channel_set(topic, &settings, caller);
}

/* Makes a topic that four messages of MESSAGE bytes fill. */
static void make(void)
{
	topic = object_make_set(fixture_open(&topic_kind), "t", TOPIC_CAPACITY, CAPACITY);
}

static void put_zeroes(struct file *file, int n)
{
	while (n--)
		ck_assert_int_eq(channel_write(file, zeroes, MESSAGE, 0), MESSAGE);
}

/* Expects the caller to be told this line. */
static void tells(struct caller *caller, const char *line)
{
	const char *text = object_status(topic, caller);
	const char *found = strstr(text, line);

	ck_assert_msg(found && (found == text || found[-1] == '\n') && found[strlen(line)] == '\n',
		      "no line \"%s\" in:\n%s", line, text);
}

/* Expects the caller not to be told this key. */
static void hides(struct caller *caller, const char *key)
{
	char line[64];
	const char *text = object_status(topic, caller);

	snprintf(line, sizeof(line), "\n%s ", key);
	ck_assert_msg(!strstr(text, line) && strncmp(text, line + 1, strlen(line) - 1) != 0,
		      "\"%s\" in:\n%s", key, text);
}

static void end(struct file *first, struct file *second, struct file *third)
{
	object_close(first);
	object_close(second);
	object_close(third);
	object_unref(topic);
}

START_TEST(test_topic_status_of_new_topic)
{
	topic = object_make(fixture_open(&topic_kind), "t");
	tells(&root, "capacity 1048576");
	tells(&root, "keep 0");
	tells(&root, "full drop-oldest");
	tells(&root, "eof never");
	tells(&root, "messages 0");
	tells(&root, "bytes 0");
	tells(&root, "kept 0");
	tells(&root, "sent 0");
	tells(&root, "dropped 0");
	hides(&root, "reader-pids");
	object_unref(topic);
}
END_TEST

START_TEST(test_topic_status_counts_what_is_there)
{
	struct file *out, *slow;

	make();
	must(set(TOPIC_KEEP, 1, &root));
	out = object_open(topic, O_WRONLY);
	file_put(out, "nobody reads it");
	file_put(out, "one");
	slow = object_open(topic, O_RDONLY);
	file_put(out, "three");
	tells(&root, "messages 2");
	tells(&root, "bytes 8");
	tells(&root, "kept 1");
	tells(&root, "sent 3");
	tells(&root, "behind 2");
	tells(&root, "keep 1");
	file_expect(slow, 100, "one");
	tells(&root, "messages 1");
	tells(&root, "behind 1");
	end(out, slow, NULL);
}
END_TEST

START_TEST(test_topic_status_tells_keep_as_it_is_typed)
{
	make();
	must(set(TOPIC_KEEP, PARAMETER_IS_SIZE | 2048, &root));
	tells(&root, "keep 2K");
	must(set(TOPIC_KEEP, 2048, &root));
	tells(&root, "keep 2048");
	must(set(TOPIC_KEEP, PARAMETER_IS_SIZE, &root));
	tells(&root, "keep 0");
	object_unref(topic);
}
END_TEST

/* Each reader got and missed as many messages as were sent since it opened. */
START_TEST(test_topic_status_counts_missed_ones)
{
	struct file *out, *slow, *late;
	char line[64];

	make();
	out = object_open(topic, O_WRONLY);
	slow = object_open(topic, O_RDONLY);
	put_zeroes(out, 5);
	late = object_open(topic, O_RDONLY);
	put_zeroes(out, 1);
	snprintf(line, sizeof(line), "reader-pids %d,%d", root.pid, root.pid);
	tells(&root, line);
	tells(&root, "reader-behind 4,1");
	tells(&root, "reader-missed 2,0");
	tells(&root, "dropped 0");
	must(set(TOPIC_FULL, FULL_DROP_NEWEST, &root));
	put_zeroes(out, 3);
	tells(&root, "reader-behind 4,1");
	tells(&root, "reader-missed 5,3");
	tells(&root, "dropped 3");
	tells(&root, "sent 9");
	must(object_truncate(topic, 0, &root));
	tells(&root, "reader-behind 0,0");
	end(out, slow, late);
}
END_TEST

START_TEST(test_topic_status_tells_a_stranger_no_more_than_it_may)
{
	static const char *const hidden[] = {"messages",    "bytes",         "kept",
					     "sent",        "dropped",       "behind",
					     "reader-pids", "reader-behind", "reader-missed"};
	struct file *out, *slow;

	make();
	out = object_open(topic, O_WRONLY);
	slow = object_open(topic, O_RDONLY);
	file_put(out, "one");
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		hides(&stranger, hidden[i]);
	must(object_chmod(topic, 0604, &root));
	tells(&stranger, "messages 1");
	tells(&stranger, "behind 1");
	for (size_t i = 6; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		hides(&stranger, hidden[i]);
	tells(&stranger, "capacity 4096");
	end(out, slow, NULL);
}
END_TEST

START_TEST(test_topic_status_lists_the_callers_own_readers)
{
	struct file *out, *roots, *own = NULL;

	make();
	must(object_chmod(topic, 0604, &root));
	out = object_open(topic, O_WRONLY);
	roots = object_open(topic, O_RDONLY);
	file_put(out, "one");
	must(object_open_as(topic, O_RDONLY, &stranger, &own));
	tells(&stranger, "reader-behind 0");
	tells(&stranger, "reader-missed 0");
	tells(&stranger, "behind 1");
	tells(&root, "reader-behind 1,0");
	end(out, roots, own);
}
END_TEST

START_TEST(test_topic_set_by_stranger_eperm)
{
	make();
	must(object_chmod(topic, 0666, &root));
	must_fail(set(TOPIC_KEEP, 1, &stranger), EPERM);
	must_fail(set(TOPIC_FULL, FULL_WAIT, &stranger), EPERM);
	must_fail(set(TOPIC_CAPACITY, 8192, &stranger), EPERM);
	must_fail(set(TOPIC_EOF, EOF_AUTO, &stranger), EPERM);
	tells(&root, "keep 0");
	tells(&root, "capacity 4096");
	object_unref(topic);
}
END_TEST

START_TEST(test_topic_set_capacity_below_what_is_there_ebusy)
{
	struct file *out, *slow;

	make();
	must(set(TOPIC_CAPACITY, 8192, &root));
	out = object_open(topic, O_WRONLY);
	slow = object_open(topic, O_RDONLY);
	put_zeroes(out, 5);
	must_fail(set(TOPIC_CAPACITY, 4096, &root), EBUSY);
	tells(&root, "capacity 8192");
	ck_assert_int_eq(file_try_read(slow, CAPACITY), MESSAGE);
	must(set(TOPIC_CAPACITY, 4096, &root));
	put_zeroes(out, 1);
	tells(&root, "messages 4");
	end(out, slow, NULL);
}
END_TEST

START_TEST(test_topic_set_keep_above_capacity_einval)
{
	struct settings both = {.given = 1U << TOPIC_CAPACITY | 1U << TOPIC_KEEP};

	make();
	must_fail(set(TOPIC_KEEP, PARAMETER_IS_SIZE | (CAPACITY + 1), &root), EINVAL);
	must(set(TOPIC_KEEP, CAPACITY + 1, &root));
	both.values[TOPIC_CAPACITY] = 8192;
	both.values[TOPIC_KEEP] = PARAMETER_IS_SIZE | 8192;
	must(channel_set(topic, &both, &root));
	must_fail(set(TOPIC_CAPACITY, CAPACITY, &root), EINVAL);
	tells(&root, "capacity 8192");
	tells(&root, "keep 8K");
	object_unref(topic);
}
END_TEST

/* The maker pays, whoever writes. */
START_TEST(test_topic_kept_size_counts_bytes)
{
	struct file *out, *first;

	make();
	must(set(TOPIC_KEEP, PARAMETER_IS_SIZE | 2048, &root));
	out = object_open(topic, O_WRONLY);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(channel_write(out, zeroes, 1000, 0), 1000);
	first = object_open(topic, O_RDONLY);
	ck_assert_int_eq(file_try_read(first, 2000), 1000);
	ck_assert_int_eq(file_try_read(first, 2000), 1000);
	must_fail(file_try_read(first, 2000), EAGAIN);
	end(out, first, NULL);
}
END_TEST

START_TEST(test_topic_selector_of_a_writer_einval)
{
	const struct selector selector = {.is_set = true, .value = 1};
	struct file *file = NULL;

	make();
	must_fail(channel_open(topic, O_WRONLY, &selector, &root, &file), EINVAL);
	ck_assert_uint_eq(topic->n_files, 0);
	object_unref(topic);
}
END_TEST

START_TEST(test_topic_memory_is_charged_to_its_maker)
{
	struct space *space = fixture_open(&topic_kind);
	struct file *out;

	must(object_create(space, "t", S_IFREG | 0666, &stranger, &topic));
	must(set(TOPIC_KEEP, 10, &root));
	out = object_open(topic, O_WRONLY);
	put_zeroes(out, 3);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), 0);
	ck_assert_uint_gt(user_charged(&host.users, STRANGER, USER_STORED), 3 * MESSAGE);
	object_close(out);
	must(space_remove(space, "t", &root));
	object_unref(topic);
	ck_assert_uint_eq(user_charged(&host.users, STRANGER, USER_STORED), 0);
}
END_TEST

START_TEST(test_topic_eof_auto_comes_when_all_is_read_and_nobody_writes)
{
	struct file *out, *first;
	struct held held = {0};

	make();
	must(set(TOPIC_EOF, EOF_AUTO, &root));
	first = object_open(topic, O_RDONLY);
	must_fail(file_try_read(first, 100), EAGAIN);
	out = object_open(topic, O_WRONLY);
	file_put(out, "one");
	object_close(out);
	ck_assert_uint_eq(channel_poll(first) & (EPOLLIN | EPOLLHUP), EPOLLIN);
	file_expect(first, 100, "one");
	ck_assert_int_eq(file_try_read(first, 100), 0);
	ck_assert_uint_eq(channel_poll(first) & EPOLLHUP, EPOLLHUP);
	out = object_open(topic, O_WRONLY);
	held_read(&held, first, 100);
	object_close(out);
	held_wait(&held);
	held_expect_result(&held, 0);
	end(first, NULL, NULL);
}
END_TEST

START_TEST(test_topic_eof_never_waits)
{
	struct file *out, *first;
	struct held held = {0};

	make();
	first = object_open(topic, O_RDONLY);
	out = object_open(topic, O_WRONLY);
	file_put(out, "one");
	object_close(out);
	file_expect(first, 100, "one");
	held_read(&held, first, 100);
	loop_settle();
	ck_assert_uint_eq(held.n, 0);
	must(set(TOPIC_EOF, EOF_AUTO, &root));
	held_wait(&held);
	held_expect_result(&held, 0);
	end(first, NULL, NULL);
}
END_TEST

START_TEST(test_topic_peek_tells_what_is_kept)
{
	struct file *out, *slow;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	make();
	must(set(TOPIC_KEEP, 2, &root));
	slow = object_open(topic, O_RDONLY);
	out = object_open(topic, O_WRONLY);
	file_put(out, "one\n");
	file_put(out, "two\n");
	file_put(out, "three\n");
	must(channel_peek(topic, &root, stream));
	fclose(stream);
	ck_assert_str_eq(text, "two\nthree\n");
	free(text);
	file_expect(slow, 100, "one\n");
	end(out, slow, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("topic_status");

	suite_add(suite, "status",
		  (const TTest *const[]){
			  test_topic_status_of_new_topic,
			  test_topic_status_counts_what_is_there,
			  test_topic_status_tells_keep_as_it_is_typed,
			  test_topic_status_counts_missed_ones,
			  test_topic_status_tells_a_stranger_no_more_than_it_may,
			  test_topic_status_lists_the_callers_own_readers,
			  test_topic_set_by_stranger_eperm,
			  test_topic_set_capacity_below_what_is_there_ebusy,
			  test_topic_set_keep_above_capacity_einval,
			  test_topic_kept_size_counts_bytes,
			  test_topic_selector_of_a_writer_einval,
			  test_topic_memory_is_charged_to_its_maker,
			  test_topic_eof_auto_comes_when_all_is_read_and_nobody_writes,
			  test_topic_eof_never_waits,
			  test_topic_peek_tells_what_is_kept,
			  NULL,
		  });
	return suite_run(suite);
}
