/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topics as programs use them: who gets which message, in which pieces, and when it ends. Who waits
 * for whom is in test_topics_waiting.c.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"
#include "tests/mount/topics.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

static char buf[2 * MIB];

START_TEST(test_topics_every_reader_gets_every_message)
{
	int out = channel_open(TOPIC, O_WRONLY | O_CREAT), first, second, both;

	topic_put(out, "nobody is there");
	first = topic_reader();
	second = topic_reader();
	both = channel_open(TOPIC, O_RDWR | O_NONBLOCK | O_TRUNC);
	topic_put(out, "one");
	topic_put(both, "two");
	topic_expect(first, "one");
	topic_expect(first, "two");
	topic_expect_nothing(first);
	topic_expect(second, "one");
	topic_expect(both, "one");
	topic_expect(both, "two");
	topic_expect_nothing(both);
	topic_expect(second, "two");
}
END_TEST

START_TEST(test_topics_late_reader_begins_with_what_is_kept)
{
	int fd;

	topic_make("keep=3");
	channel_put(TOPIC, "1", 1);
	channel_put(TOPIC, "2", 1);
	channel_put(TOPIC, "3", 1);
	channel_put(TOPIC, "4", 1);
	fd = topic_reader();
	topic_expect(fd, "2");
	topic_expect(fd, "3");
	topic_expect(fd, "4");
	topic_expect_nothing(fd);
	fd = channel_open(TOPIC ":1", O_RDONLY | O_NONBLOCK);
	topic_expect(fd, "4");
	topic_expect_nothing(fd);
	topic_expect_nothing(channel_open(TOPIC ":0", O_RDONLY | O_NONBLOCK));
	topic_expect(channel_open(TOPIC ":2147483647", O_RDONLY | O_NONBLOCK), "2");
	must_fail(open(ipc_path(TOPIC ":2147483648"), O_RDONLY), EINVAL);
	must_fail(open(ipc_path(TOPIC ":1"), O_WRONLY), EINVAL);
}
END_TEST

static void expect_largest(int fd, int reader, size_t size)
{
	memset(buf, 'm', sizeof(buf));
	must_fail(write(fd, buf, size + 1), EMSGSIZE);
	topic_expect_nothing(reader);
	ck_assert_int_eq(must(write(fd, buf, size)), size);
	ck_assert_int_eq(must(read(reader, buf, 1000)), 1000);
	ck_assert_int_eq(must(read(reader, buf, sizeof(buf))), size - 1000);
	topic_expect_nothing(reader);
}

START_TEST(test_topics_largest_message_is_read_whole_and_more_is_refused)
{
	int out, fd;

	topic_make("capacity=8K");
	out = channel_open(TOPIC, O_WRONLY);
	fd = topic_reader();
	expect_largest(out, fd, 8192 - 8);
	look_command("set " TOPIC " capacity=1M\n");
	expect_largest(out, fd, MIB - 4096);
	look_command("set " TOPIC " capacity=64M\n");
	expect_largest(out, fd, MIB - 4096);
	must_fail(write(out, buf, MIB), EMSGSIZE);
	must_fail(write(out, buf, MIB + 1), EMSGSIZE);
	must_fail(write(out, buf, sizeof(buf)), EMSGSIZE);
	topic_expect_nothing(fd);
}
END_TEST

START_TEST(test_topics_byte_by_byte_is_message_after_message)
{
	static const char *const text = "first line\nsecond line\n";
	int first, second;
	char byte;

	topic_make("");
	first = topic_reader();
	second = topic_reader();
	channel_put(TOPIC, "first line\n", 11);
	channel_put(TOPIC, "second line\n", 12);
	for (const char *next = text; *next; next++) {
		ck_assert_int_eq(must(read(first, &byte, 1)), 1);
		ck_assert_int_eq(byte, *next);
	}
	topic_expect_nothing(first);
	topic_expect(second, "first line\n");
	topic_expect(second, "second line\n");
}
END_TEST

/* Reads numbers until 0, and expects them to rise. Returns how many there were. */
static int count_numbers(void *arg)
{
	int last = 0, number, n = 0;

	while (read(*(int *)arg, &number, sizeof(number)) == sizeof(number) && number) {
		if (number <= last)
			return 255;
		last = number;
		n++;
	}
	return n;
}

START_TEST(test_topics_processes_with_one_descriptor_share_its_messages)
{
	enum { N = 200 };
	int out, fd, zero = 0, sum;
	pid_t first, second;

	topic_make("full=wait");
	out = channel_open(TOPIC, O_WRONLY);
	fd = channel_open(TOPIC, O_RDONLY);
	first = child_start(count_numbers, &fd);
	second = child_start(count_numbers, &fd);
	for (int i = 1; i <= N; i++)
		ck_assert_int_eq(must(write(out, &i, sizeof(i))), sizeof(i));
	must(write(out, &zero, sizeof(zero)));
	must(write(out, &zero, sizeof(zero)));
	sum = WEXITSTATUS(child_end(first));
	sum += WEXITSTATUS(child_end(second));
	ck_assert_int_eq(sum, N);
}
END_TEST

START_TEST(test_topics_removed_while_open_works_on)
{
	int out, fd;

	topic_make("");
	out = channel_open(TOPIC, O_WRONLY);
	fd = topic_reader();
	must(unlink(ipc_path(TOPIC)));
	topic_put(out, "one");
	topic_expect(fd, "one");
	must_fail(open(ipc_path(TOPIC), O_RDONLY), ENOENT);
}
END_TEST

START_TEST(test_topics_eof_auto_ends_readers_when_the_last_writer_goes)
{
	int out, fd;

	topic_make("eof=auto");
	fd = channel_open(TOPIC, O_RDONLY);
	out = channel_open(TOPIC, O_WRONLY);
	topic_put(out, "one");
	close(out);
	topic_expect(fd, "one");
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 0);
}
END_TEST

START_TEST(test_topics_emptied_is_missed)
{
	int first, second;

	topic_make("keep=10");
	first = topic_reader();
	channel_put(TOPIC, "one", 3);
	channel_put(TOPIC, "two", 3);
	look_command("empty " TOPIC "\n");
	topic_expect_nothing(first);
	ck_assert_int_eq(look_for(TOPIC, "reader-missed"), 2);
	channel_put(TOPIC, "three", 5);
	must(truncate(ipc_path(TOPIC), 0));
	second = topic_reader();
	topic_expect_nothing(second);
	channel_put(TOPIC, "four", 4);
	topic_expect(first, "four");
	topic_expect(second, "four");
	ck_assert_int_eq(look_for(TOPIC, "reader-missed"), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("topics");
	TCase *tcase = suite_case(suite, "topics", 30);

	tcase_add_test(tcase, test_topics_every_reader_gets_every_message);
	tcase_add_test(tcase, test_topics_late_reader_begins_with_what_is_kept);
	tcase_add_test(tcase, test_topics_largest_message_is_read_whole_and_more_is_refused);
	tcase_add_test(tcase, test_topics_byte_by_byte_is_message_after_message);
	tcase_add_test(tcase, test_topics_processes_with_one_descriptor_share_its_messages);
	tcase_add_test(tcase, test_topics_removed_while_open_works_on);
	tcase_add_test(tcase, test_topics_eof_auto_ends_readers_when_the_last_writer_goes);
	tcase_add_test(tcase, test_topics_emptied_is_missed);
	return suite_run(suite);
}
